/* zeros.c: pieces, until all is told: | bytes 2 | zeros after them 2 | the bytes |, little-endian.
 */
#include "zeros.h"

#include <assert.h>
#include <string.h>

enum { HEAD_SIZE = 4, RUN_MIN = 16 /* a shorter run is not worth a head */ };

/* Where the next run of zeros worth leaving out begins; size: nowhere. */
static size_t find_run(const uint8_t *bytes, size_t from, size_t size)
{
    size_t zeros = 0;
    for (size_t i = from; i < size; i++) {
        zeros = bytes[i] ? 0 : zeros + 1;
        if (zeros == RUN_MIN)
            return i + 1 - RUN_MIN;
    }
    return size;
}

static size_t run_end(const uint8_t *bytes, size_t from, size_t size)
{
    static const uint8_t none[64];
    while (from + sizeof none <= size && memcmp(bytes + from, none, sizeof none) == 0)
        from += sizeof none;
    while (from < size && bytes[from] == 0)
        from++;
    return from;
}

static uint8_t *put_u16(uint8_t *at, size_t n)
{
    *at++ = (uint8_t)n;
    *at++ = (uint8_t)(n >> 8);
    return at;
}

static size_t u16_at(const uint8_t *at)
{
    return (size_t)(at[0] | at[1] << 8);
}

size_t zeros_pack(uint8_t *out, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    uint8_t *at = out;
    assert(size <= UINT16_MAX);
    for (size_t i = 0; i < size;) {
        size_t run = find_run(from, i, size), end = run_end(from, run, size);
        at = put_u16(at, run - i);
        at = put_u16(at, end - run);
        memcpy(at, from + i, run - i);
        at += run - i;
        i = end;
    }
    return (size_t)(at - out);
}

bool zeros_unpack(void *bytes, size_t size, const uint8_t *packed, size_t packed_size)
{
    uint8_t *to = bytes;
    while (packed_size >= HEAD_SIZE) {
        size_t told = u16_at(packed), zeros = u16_at(packed + 2);
        packed += HEAD_SIZE;
        packed_size -= HEAD_SIZE;
        if (told > packed_size || told + zeros > size)
            return false;
        memcpy(to, packed, told);
        memset(to + told, 0, zeros);
        to += told + zeros;
        size -= told + zeros;
        packed += told;
        packed_size -= told;
    }
    return size == 0 && packed_size == 0;
}
