/* pccc_functions.h: what PCCC commands and functions mean, and what their status says. */
#pragma once

#include "sensor/base/ot_event.h"

enum { PCCC_NO_FUNCTION = 0xffff };

/* How the data behind the function is laid out. */
enum pccc_body {
    PCCC_NONE,
    PCCC_LOGICAL_READ_2, /* size 1, file, type 1, element */
    PCCC_LOGICAL_READ_3, /* and sub-element */
    PCCC_LOGICAL_WRITE_2,
    PCCC_LOGICAL_WRITE_3,
    PCCC_MASKED_WRITE_3,
    PCCC_MODE,     /* 0x80: mode of SLC and MicroLogix */
    PCCC_CPU_MODE, /* 0x3a: mode of PLC-5 */
    PCCC_MULTIPLE, /* size 2, command without transaction, ... */
    PCCC_IDENTITY, /* diagnostic status */
    PCCC_DOWNLOAD_BEGIN,
    PCCC_DOWNLOAD_BLOCK,
    PCCC_DOWNLOAD_END,
    PCCC_UPLOAD_BEGIN,
    PCCC_UPLOAD_BLOCK,
    PCCC_UPLOAD_END,
};

struct pccc_function {
    uint8_t command;
    uint16_t function; /* PCCC_NO_FUNCTION: the command has none */
    enum operation operation;
    const char *name;
    enum pccc_body body;
};

/* Sorted by command and function. */
extern const struct pccc_function pccc_functions[];
extern const size_t pccc_function_count;

/* NULL: unknown. */
const struct pccc_function *pccc_function_find(uint8_t command, uint16_t function);
/* Whether a function byte follows the transaction number of a request. */
bool pccc_has_function(uint8_t command);
/* extended: the EXT STS byte when status is 0xf0. NULL: unknown. */
const char *pccc_status_name(uint8_t status, uint8_t extended);
