/* ber.h: tag, length and value of ASN.1 basic encoding (ITU-T X.690 8.1), read one after another.
 *
 * What goes wrong marks the reader short, as with every other read; the caller asks once, behind
 * its loop. Nesting is the caller's: each level is a reader of its own. */
#pragma once

#include "reader.h"

enum {
    BER_LENGTH_BYTES_MAX = 4, /* of a long form: 4 GiB is more than any PDU */
    BER_MULTI = 0x1f,         /* the number of the tag follows in bytes of its own */
    BER_CONSTRUCTED = 0x20,
    BER_NUMBER_MAX = 0xffff,
    /* universal tags */
    BER_BOOLEAN = 0x01,
    BER_INTEGER = 0x02,
    BER_OCTETS = 0x04,
    BER_OID = 0x06,
    BER_EXTERNAL = 0x28,
    BER_GRAPHIC = 0x19,
    BER_VISIBLE = 0x1a,
    BER_SEQUENCE = 0x30,
};

struct ber {
    uint8_t tag;        /* first byte: class, constructed, number below 31 */
    uint32_t number;    /* of the tag */
    bool is_indefinite; /* [X.690] 8.1.3.6: the value runs to the end of what was given */
    struct reader value;
    const uint8_t *at; /* the tag */
};

/* The next element of r; false at the end, and (r short) when it does not fit. */
static inline bool ber_next(struct reader *r, struct ber *e)
{
    if (reader_left(r) == 0)
        return false;
    e->at = r->at;
    e->tag = reader_u8(r);
    e->number = e->tag & BER_MULTI;
    e->is_indefinite = false;
    if (e->number == BER_MULTI) {
        uint32_t number = 0;
        uint8_t byte;
        do {
            byte = reader_u8(r);
            number = number << 7 | (byte & 0x7f);
            if (number > BER_NUMBER_MAX)
                reader_fail(r);
        } while (reader_ok(r) && (byte & 0x80));
        e->number = number;
    }
    size_t size = reader_u8(r);
    if (size == 0x80) {
        e->is_indefinite = true;
        size = reader_left(r);
    } else if (size > 0x80) {
        size_t bytes = size & 0x7f;
        if (bytes > BER_LENGTH_BYTES_MAX)
            reader_fail(r);
        size = 0;
        for (size_t i = 0; i < bytes && reader_ok(r); i++)
            size = size << 8 | reader_u8(r);
    }
    e->value = reader_take(r, size);
    return reader_ok(r);
}

/* The first element of r with this first byte; the reader stays where it is. */
static inline bool ber_find(struct reader r, uint8_t tag, struct ber *e)
{
    while (ber_next(&r, e))
        if (e->tag == tag)
            return true;
    return false;
}

/* An integer of at most 8 bytes, sign extended; 0 when it is empty or longer. */
static inline int64_t ber_signed(struct reader value)
{
    size_t size = reader_left(&value);
    if (size == 0 || size > 8)
        return 0;
    uint64_t n = reader_peek(&value) & 0x80 ? UINT64_MAX : 0;
    while (size--)
        n = n << 8 | reader_u8(&value);
    return (int64_t)n;
}

/* The same without sign; a leading zero byte is allowed. */
static inline uint64_t ber_unsigned(struct reader value)
{
    size_t size = reader_left(&value);
    uint64_t n = 0;
    if (size > 9 || (size == 9 && reader_peek(&value) != 0))
        return 0;
    while (size--)
        n = n << 8 | reader_u8(&value);
    return n;
}
