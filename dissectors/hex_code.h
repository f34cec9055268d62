/* hex_code.h: codes that are spelled as hex with 0x, without printf. */
#pragma once

#include "dissector.h"

/* "0x" and the lowest digits of value; digits: at most 8. */
static inline void hex_code(char out[OT_CODE_SIZE], uint32_t value, unsigned digits)
{
    static const char hex[] = "0123456789abcdef";
    *out++ = '0';
    *out++ = 'x';
    while (digits--)
        *out++ = hex[value >> 4 * digits & 15];
    *out = '\0';
}
