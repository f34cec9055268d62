/* crc.c: CRC-16, eight bytes at a step. What each of them does to the remainder does not depend on
 * the others, so that the processor looks them up together; where the polynomial has few terms,
 * nothing need be looked up. */
#include "crc.h"

#include <pthread.h>
#include <string.h>

enum { STEP = 8 };

/* Of each value of a byte: the remainder when that many bytes of 0 follow. */
struct slices {
    uint16_t after[STEP][256];
};

static struct slices modbus, dnp;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint16_t low_first(const struct slices *s, uint16_t crc, uint8_t byte)
{
    return (uint16_t)(crc >> 8 ^ s->after[0][(crc ^ byte) & 0xff]);
}

static void fill(struct slices *s, uint16_t polynomial)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        s->after[0][byte] = (uint16_t)crc;
    }
    for (unsigned byte = 0; byte < 256; byte++)
        for (int n = 1; n < STEP; n++)
            s->after[n][byte] = low_first(s, s->after[n - 1][byte], 0);
}

static void fill_all(void)
{
    fill(&modbus, 0xa001);
    fill(&dnp, 0xa6bc);
}

static inline uint16_t step(const struct slices *s, uint16_t crc, const uint8_t *p)
{
    return (uint16_t)(s->after[7][(crc & 0xff) ^ p[0]] ^ s->after[6][crc >> 8 ^ p[1]] ^
                      s->after[5][p[2]] ^ s->after[4][p[3]] ^ s->after[3][p[4]] ^
                      s->after[2][p[5]] ^ s->after[1][p[6]] ^ s->after[0][p[7]]);
}

static uint16_t reflected(const struct slices *s, uint16_t crc, const uint8_t *p, size_t size)
{
    pthread_once(&once, fill_all);
    for (; size >= STEP; size -= STEP, p += STEP)
        crc = step(s, crc, p);
    for (; size > 0; size--, p++)
        crc = low_first(s, crc, *p);
    return crc;
}

uint16_t crc16(uint16_t crc, const void *bytes, size_t size)
{
    return reflected(&modbus, crc, bytes, size);
}

uint16_t crc16_dnp(uint16_t crc, const void *bytes, size_t size)
{
    return reflected(&dnp, crc, bytes, size);
}

/* --- CCITT ---
 *
 * Modulo x^16 + x^12 + x^5 + 1 and its squares: x^16 is x^12 + x^5 + 1, x^32 is x^24 + x^10 + 1,
 * x^64 is x^48 + x^20 + 1. What stands above x^64 comes down by three shifts; what they put there
 * again is less each time. */

/* The remainder of high * x^64, in 64 bits. */
static inline uint64_t fold_64(uint64_t high)
{
    uint64_t second = high >> 44 ^ high >> 16;
    uint64_t third = second >> 44 ^ second >> 16;
    uint64_t all = high ^ second ^ third ^ third >> 16;
    return all ^ all << 20 ^ all << 48;
}

/* Of high * x^32, in 32 bits. */
static inline uint32_t fold_32(uint32_t high)
{
    uint32_t second = high >> 22 ^ high >> 8;
    uint32_t third = second >> 22 ^ second >> 8;
    uint32_t all = high ^ second ^ third ^ third >> 8;
    return all ^ all << 10 ^ all << 24;
}

/* Of high * x^16, in 16. */
static inline uint16_t fold_16(uint32_t high)
{
    uint32_t second = high >> 11 ^ high >> 4;
    uint32_t third = second >> 11 ^ second >> 4;
    uint32_t all = high ^ second ^ third ^ third >> 4;
    return (uint16_t)(all ^ all << 5 ^ all << 12);
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(word) : word;
}

uint16_t crc16_ccitt(uint16_t crc, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    for (; size % STEP > 0; size--, p++)
        crc = (uint16_t)(crc << 8) ^ fold_16(crc >> 8 ^ *p);
    if (size == 0)
        return crc;
    uint64_t rest = (uint64_t)crc << 48;
    for (;; p += STEP) {
        rest ^= word_at(p);
        if ((size -= STEP) == 0)
            break;
        rest = fold_64(rest);
    }
    uint64_t shifted = rest << 16 ^ fold_64(rest >> 48); /* the sum stands behind the bytes */
    uint32_t word = (uint32_t)shifted ^ fold_32((uint32_t)(shifted >> 32));
    return (uint16_t)word ^ fold_16(word >> 16);
}
