/* dnp3_groups.h: what the object groups of DNP3 are and how their variations are laid out. */
#pragma once

#include "sensor/base/ot_event.h"

enum dnp3_layout {
    DNP3_FIXED,         /* size bytes: flags, value, time */
    DNP3_BITS,          /* one bit a point, packed */
    DNP3_DOUBLE_BITS,   /* two bits a point, packed */
    DNP3_STATE,         /* flags whose bit 7 is the value */
    DNP3_DOUBLE_STATE,  /* flags whose bits 7 and 6 are the value */
    DNP3_COMMAND,       /* a command; its status is the last byte */
    DNP3_COMMAND_EVENT, /* a command that was executed; its status is in the first byte */
    DNP3_TIME,          /* begins with milliseconds since 1970 in 6 bytes */
};

enum { DNP3_NO_FLAGS = 0xff };

struct dnp3_variation {
    uint8_t group, variation;
    uint8_t layout; /* enum dnp3_layout */
    uint8_t size;   /* bytes of a point; 0: packed */
    uint8_t value_at;
    uint8_t encoding; /* enum ot_encoding */
    uint8_t flags_at; /* or DNP3_NO_FLAGS */
};

struct dnp3_group {
    const char *area;
    enum operation read, write; /* what reading and writing it means */
};

/* NULL: not in the table, its size is not known. */
const struct dnp3_variation *dnp3_variation_of(uint8_t group, uint8_t variation);
/* NULL: undefined. */
const struct dnp3_group *dnp3_group_of(uint8_t group);
/* "no_select"; NULL: reserved. */
const char *dnp3_control_status(uint8_t status);
