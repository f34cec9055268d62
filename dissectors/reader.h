/* reader.h: the only way a dissector reads bytes. It cannot run off the end: the first read that
 * does not fit marks the reader short; that read and all later ones give zero and move nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Two words, so that a reader is passed and given back in registers. Short: `end` is below `at`. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

static inline struct reader reader_of(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    return (struct reader){p, p ? p + size : p};
}

/* Bytes that are left; negative when short. */
static inline intptr_t reader_room(const struct reader *r)
{
    return (intptr_t)r->end - (intptr_t)r->at;
}

static inline bool reader_ok(const struct reader *r)
{
    return reader_room(r) >= 0;
}

static inline size_t reader_left(const struct reader *r)
{
    return reader_ok(r) ? (size_t)reader_room(r) : 0;
}

/* Marks it short: what was read last cannot be meant. It stays where it is. */
static inline void reader_fail(struct reader *r)
{
    static const uint8_t nothing[1];
    if (!r->at)
        r->at = nothing;
    r->end = NULL;
}

/* The next n bytes, or NULL (and short) when they are not there. All other reads are made of this
 * one. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
    if (n > PTRDIFF_MAX || reader_room(r) < (intptr_t)n) {
        reader_fail(r);
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static inline void reader_skip(struct reader *r, size_t n)
{
    (void)reader_bytes(r, n);
}

/* Cuts the next n bytes out as a reader of their own; short (and empty) when they are not there. */
static inline struct reader reader_take(struct reader *r, size_t n)
{
    const uint8_t *p = reader_bytes(r, n);
    return p ? (struct reader){p, p + n} : *r;
}

static inline uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t reader_u16be(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 2);
    if (!p)
        return 0;
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint16_t reader_u16le(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 2);
    if (!p)
        return 0;
    return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t reader_u24be(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t reader_u32be(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint32_t reader_u32le(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t reader_u64be(struct reader *r)
{
    uint64_t high = reader_u32be(r);
    return high << 32 | reader_u32be(r);
}

static inline uint64_t reader_u64le(struct reader *r)
{
    uint64_t low = reader_u32le(r);
    return (uint64_t)reader_u32le(r) << 32 | low;
}

/* The next byte without moving; 0 when there is none (and the reader is not marked). */
static inline uint8_t reader_peek(const struct reader *r)
{
    return reader_left(r) ? *r->at : 0;
}
