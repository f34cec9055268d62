/* iec104_types.h: the type identifications of IEC 60870-5-101 and -104: what they mean and how
 * their information elements are laid out. */
#pragma once

#include "sensor/base/ot_event.h"

enum iec104_type_id {
    IEC104_END_OF_INITIALISATION = 70,
    IEC104_SECURITY_FIRST = 81,
    IEC104_SECURITY_LAST = 95,
    IEC104_INTERROGATION = 100,
    IEC104_COUNTER_INTERROGATION = 101,
    IEC104_READ = 102,
    IEC104_CLOCK = 103,
    IEC104_RESET = 105,
    IEC104_FILE_READY = 120,
    IEC104_SECTION_READY = 121,
    IEC104_CALL_FILE = 122,
    IEC104_LAST_SECTION = 123,
    IEC104_ACK_FILE = 124,
    IEC104_SEGMENT = 125,
    IEC104_DIRECTORY = 126,
    IEC104_QUERY_LOG = 127,
};

enum iec104_family {
    IEC104_MONITOR,   /* process information towards the controlling station */
    IEC104_COMMAND,   /* of outputs and set points */
    IEC104_SYSTEM,    /* interrogation, clock, reset and what else the controlling station asks */
    IEC104_PARAMETER, /* of measured values */
    IEC104_FILE,
    IEC104_SECURITY,
};

enum iec104_quality {
    IEC104_QUALITY_NONE,
    IEC104_QUALITY_UPPER,   /* BL, SB, NT, IV in the upper half of the value's own byte */
    IEC104_QUALITY_BYTE,    /* a byte behind the value: OV, BL, SB, NT, IV */
    IEC104_QUALITY_COUNTER, /* the byte behind a counter: IV and sequence number */
};

struct iec104_type {
    uint8_t id;
    uint8_t family; /* enum iec104_family */
    uint8_t operation;
    uint8_t encoding;   /* enum ot_encoding of the value; VALUES_NONE: the element has none */
    uint8_t value_size; /* bytes; the value is the first thing of an element */
    uint8_t mask;       /* bits of a value of one byte; 0: all */
    uint8_t quality;    /* enum iec104_quality */
    uint8_t time_size;  /* at the end of the element: 0, 3 or 7 */
    uint8_t size;       /* of an element with its time; 0: not fixed */
    const char *name, *area;
};

/* NULL: the type is reserved or private. */
const struct iec104_type *iec104_type_of(uint8_t id);

/* "activation"; NULL: a reserved cause of transmission. */
const char *iec104_cause_name(uint8_t cause);
