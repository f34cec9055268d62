/* crc.h: the checksums of serial plant protocols. Each goes on from a start value, or from the
 * result for the bytes before. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CRC16_MODBUS_START = 0xffff, CRC16_CCITT_START = 0xffff }; /* others start with 0 */

/* Polynomial 0x8005 reflected (0xa001). The low byte goes first on the wire. */
uint16_t crc16(uint16_t crc, const void *bytes, size_t size);
/* [1815] annex E: polynomial 0x3d65 reflected (0xa6bc). What is sent is the complement, the low
 * byte first. */
uint16_t crc16_dnp(uint16_t crc, const void *bytes, size_t size);
/* Polynomial 0x1021, the highest bit first, as [C37] annex B has it. The high byte goes first. */
uint16_t crc16_ccitt(uint16_t crc, const void *bytes, size_t size);
