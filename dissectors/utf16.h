/* utf16.h: texts of Windows protocols: UTF-16, low byte first, into UTF-8 in packet memory. */
#pragma once

#include "dissector.h"

enum { UTF16_MAX = 128 }; /* code units kept of one text: names, not documents */

/* The text up to its first NUL or the end of r; empty when there is no memory. A half of a pair
 * that stands alone becomes '?'. */
static inline struct text utf16_text(struct dissect *d, struct reader r)
{
    enum { BYTES_PER_UNIT = 3 };
    size_t units = reader_left(&r) / 2;
    units = units < UTF16_MAX ? units : UTF16_MAX;
    uint8_t *out = units ? arena_take(d->arena, units * BYTES_PER_UNIT) : NULL;
    size_t used = 0;
    for (size_t i = 0; out && i < units; i++) {
        uint16_t c = reader_u16le(&r);
        if (c == 0)
            break;
        if (c < 0x80) {
            out[used++] = (uint8_t)c;
        } else if (c < 0x800) {
            out[used++] = (uint8_t)(0xc0 | c >> 6);
            out[used++] = (uint8_t)(0x80 | (c & 0x3f));
        } else if (c >= 0xd800 && c < 0xe000) {
            out[used++] = '?';
        } else {
            out[used++] = (uint8_t)(0xe0 | c >> 12);
            out[used++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
            out[used++] = (uint8_t)(0x80 | (c & 0x3f));
        }
    }
    return used ? (struct text){(const char *)out, used} : (struct text){NULL, 0};
}

/* Takes a text with its NUL off r. */
static inline struct reader utf16_take(struct reader *r)
{
    struct reader begin = *r;
    size_t size = 0;
    while (reader_left(r) >= 2 && reader_u16le(r) != 0)
        size += 2;
    return reader_take(&begin, size);
}
