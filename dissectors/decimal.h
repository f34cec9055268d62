/* decimal.h: small numbers into text without formatting, for what every PDU needs. */
#pragma once

#include <stddef.h>

enum { DECIMAL_MAX = 10 }; /* digits of a 32-bit number */

/* Writes width digits, with leading zeros. Returns width. */
static inline size_t decimal_padded(char *out, unsigned value, size_t width)
{
    for (size_t i = width; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return width;
}

/* Writes as many digits as the number has, DECIMAL_MAX at most. Returns how many. */
static inline size_t decimal_put(char *out, unsigned value)
{
    size_t width = 1;
    for (unsigned v = value; v >= 10; v /= 10)
        width++;
    return decimal_padded(out, value, width);
}
