/* slmp_words.h: what MC protocol (SLMP) commands, devices and end codes mean. */
#pragma once

#include "dissector.h"

enum slmp_code {
    SLMP_TYPE_NAME = 0x0101,
    SLMP_FILE_READ_A = 0x0206,
    SLMP_READ = 0x0401,
    SLMP_READ_RANDOM = 0x0403,
    SLMP_READ_BLOCK = 0x0406,
    SLMP_UNIT_READ = 0x0601,
    SLMP_MEMORY_READ = 0x0613,
    SLMP_MONITOR_ENTRY = 0x0801,
    SLMP_RUN = 0x1001,
    SLMP_PAUSE = 0x1003,
    SLMP_WRITE = 0x1401,
    SLMP_WRITE_RANDOM = 0x1402,
    SLMP_WRITE_BLOCK = 0x1406,
    SLMP_UNIT_WRITE = 0x1601,
    SLMP_MEMORY_WRITE = 0x1613,
    SLMP_PASSWORD_UNLOCK = 0x1630,
    SLMP_PASSWORD_LOCK = 0x1631,
    SLMP_FILE_OPEN = 0x1827,
    SLMP_FILE_READ = 0x1828,
    SLMP_FILE_WRITE = 0x1829,
    SLMP_FILE_CLOSE = 0x182a,
};

struct slmp_command {
    uint16_t code;
    enum operation operation;
    const char *name;
};
/* NULL: not in the table. */
const struct slmp_command *slmp_command_of(uint16_t code);
/* The same for frames 1E, code without the response bit. */
const struct slmp_command *slmp_1e_command_of(uint8_t code);

struct slmp_device {
    const char *name; /* "D" */
    uint8_t code;     /* of frames 3E and 4E */
    bool is_bit, is_output;
};
/* NULL: not in the table. */
const struct slmp_device *slmp_device_of(uint8_t code);
/* By two letters, as in ASCII frames ("D*") and frames 1E ("D "). */
const struct slmp_device *slmp_device_named(char first, char second);

/* NULL: not in the table. */
const char *slmp_end_code(uint16_t code);
