/* crc.h: the checksum of serial plant protocols. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CRC16_MODBUS_START = 0xffff }; /* other protocols of the same polynomial start with 0 */

/* CRC-16, polynomial 0x8005 reflected (0xa001), continued from a start value or from the bytes
 * before. The low byte goes first on the wire. */
uint16_t crc16(uint16_t crc, const void *bytes, size_t size);
