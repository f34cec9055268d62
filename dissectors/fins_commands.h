/* fins_commands.h: what FINS commands, memory areas and end codes mean. */
#pragma once

#include "dissector.h"

enum fins_code {
    FINS_MEMORY_READ = 0x0101,
    FINS_MEMORY_WRITE = 0x0102,
    FINS_MEMORY_FILL = 0x0103,
    FINS_MEMORY_READ_MULTIPLE = 0x0104,
    FINS_MEMORY_TRANSFER = 0x0105,
    FINS_PARAMETER_READ = 0x0201,
    FINS_PARAMETER_WRITE = 0x0202,
    FINS_PARAMETER_CLEAR = 0x0203,
    FINS_PROTECT = 0x0304,
    FINS_PROTECT_CLEAR = 0x0305,
    FINS_PROGRAM_READ = 0x0306,
    FINS_PROGRAM_WRITE = 0x0307,
    FINS_PROGRAM_CLEAR = 0x0308,
    FINS_RUN = 0x0401,
    FINS_CONTROLLER_DATA = 0x0501,
    FINS_CONNECTION_DATA = 0x0502,
    FINS_CONTROLLER_STATUS = 0x0601,
    FINS_FILE_READ = 0x2202,
    FINS_FILE_WRITE = 0x2203,
    FINS_FILE_DELETE = 0x2205,
    FINS_MEMORY_FILE_TRANSFER = 0x220a,
    FINS_PARAMETER_FILE_TRANSFER = 0x220b,
    FINS_PROGRAM_FILE_TRANSFER = 0x220c,
    FINS_FORCE = 0x2301,
    FINS_NAME_SET = 0x2601,
    FINS_NAME_READ = 0x2603,
};

struct fins_command {
    uint16_t code;
    enum operation operation;
    const char *name;
};
/* NULL: not a command of the table. */
const struct fins_command *fins_command_of(uint16_t code);

struct fins_area {
    uint8_t code;
    uint8_t size; /* bytes of an element on the wire */
    bool is_bit;  /* addressed by word and bit */
    const char *name, *type;
};
/* NULL: not an area of the table. */
const struct fins_area *fins_area_of(uint8_t code);

/* NULL: not in the table. */
const char *fins_parameter_area(uint16_t code);
const char *fins_end_code(uint16_t code);
