/* crc.c: CRC-16, eight bytes at a step: what each of them does to the remainder does not depend on
 * the others, so that the processor looks them up together. */
#include "crc.h"

#include <pthread.h>
#include <stdbool.h>

enum { STEP = 8 };

/* Of each value of a byte: the remainder when that many bytes of 0 follow. */
struct slices {
    uint16_t after[STEP][256];
};

static struct slices modbus, dnp, ccitt;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint16_t low_first(const struct slices *s, uint16_t crc, uint8_t byte)
{
    return (uint16_t)(crc >> 8 ^ s->after[0][(crc ^ byte) & 0xff]);
}

static uint16_t high_first(const struct slices *s, uint16_t crc, uint8_t byte)
{
    return (uint16_t)(crc << 8 ^ s->after[0][crc >> 8 ^ byte]);
}

static void fill(struct slices *s, uint16_t polynomial, bool is_reflected)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned crc = is_reflected ? byte : byte << 8;
        for (int bit = 0; bit < 8; bit++) {
            if (is_reflected)
                crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
            else
                crc = crc & 0x8000 ? crc << 1 ^ polynomial : crc << 1;
        }
        s->after[0][byte] = (uint16_t)crc;
    }
    for (unsigned byte = 0; byte < 256; byte++)
        for (int n = 1; n < STEP; n++) {
            uint16_t before = s->after[n - 1][byte];
            s->after[n][byte] = is_reflected ? low_first(s, before, 0) : high_first(s, before, 0);
        }
}

static void fill_all(void)
{
    fill(&modbus, 0xa001, true);
    fill(&dnp, 0xa6bc, true);
    fill(&ccitt, 0x1021, false);
}

/* first, second: the halves of the remainder, in the order in which they meet the bytes. */
static inline uint16_t step(const struct slices *s, unsigned first, unsigned second,
                            const uint8_t *p)
{
    return (uint16_t)(s->after[7][first ^ p[0]] ^ s->after[6][second ^ p[1]] ^ s->after[5][p[2]] ^
                      s->after[4][p[3]] ^ s->after[3][p[4]] ^ s->after[2][p[5]] ^
                      s->after[1][p[6]] ^ s->after[0][p[7]]);
}

static uint16_t reflected(const struct slices *s, uint16_t crc, const uint8_t *p, size_t size)
{
    pthread_once(&once, fill_all);
    for (; size >= STEP; size -= STEP, p += STEP)
        crc = step(s, crc & 0xff, crc >> 8, p);
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

uint16_t crc16_ccitt(uint16_t crc, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    pthread_once(&once, fill_all);
    for (; size >= STEP; size -= STEP, p += STEP)
        crc = step(&ccitt, crc >> 8, crc & 0xff, p);
    for (; size > 0; size--, p++)
        crc = high_first(&ccitt, crc, *p);
    return crc;
}
