/* zeros.h: bytes without their runs of zeros. What is kept of an open alert is mostly the unused
 * ends of its strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What size bytes take at most. */
#define ZEROS_PACKED_MAX(size) ((size) + 8)

/* Returns the size of what it wrote to out, which has room for ZEROS_PACKED_MAX(size); size is at
 * most UINT16_MAX. */
size_t zeros_pack(uint8_t *out, const void *bytes, size_t size);
/* False: packed is not of so many bytes. */
bool zeros_unpack(void *bytes, size_t size, const uint8_t *packed, size_t packed_size);
