/* utf8.h: which bytes are shown as they are. */
#pragma once

#include <stddef.h>

/* The size of the valid UTF-8 sequence (RFC 3629) at p that may be shown: 1..4, or 0 for control
 * characters and everything that is not UTF-8 (C1 controls and byte order tricks of U+202A..U+202E,
 * U+2066..U+2069 included). */
size_t utf8_sequence(const char *p, size_t left);
