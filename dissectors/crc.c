/* crc.c: CRC-16 of polynomial 0x8005, reflected, half a byte at a time. */
#include "crc.h"

uint16_t crc16(uint16_t crc, const void *bytes, size_t size)
{
    static const uint16_t of_nibble[16] = {
        0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401,
        0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400,
    };
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        crc = (uint16_t)(crc >> 4 ^ of_nibble[crc & 15]);
        crc = (uint16_t)(crc >> 4 ^ of_nibble[crc & 15]);
    }
    return crc;
}
