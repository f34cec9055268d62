/* hart_commands.h: HART commands: what they mean, and the parameters in their data. */
#pragma once

#include "dissector.h"

enum hart_kind {
    HART_U8,
    HART_U16,
    HART_U24,
    HART_F32,
    HART_LATIN, /* text up to a zero byte */
    HART_PACKED /* 4 characters in 3 bytes */
};

/* A parameter at its place in the data, of the request and of the response alike. */
struct hart_field {
    uint8_t command, at, kind, size;
    const char *name;
};

struct hart_command {
    uint16_t number;
    uint8_t operation; /* enum operation */
    const char *name;
};

/* NULL: not common practice. */
const struct hart_command *hart_command_find(uint16_t number);
/* The fields of a command, in order of place; *count may be 0. */
const struct hart_field *hart_fields(uint16_t command, size_t *count);
/* Of a response code without the communication error bit; NULL: unknown. *is_warning: the command
 * was carried out all the same. */
const char *hart_response_name(uint8_t code, bool *is_warning);
/* NULL: unknown. */
const char *hart_manufacturer(uint16_t number);
