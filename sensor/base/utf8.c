/* utf8.c: validation of UTF-8 from the wire. */
#include "utf8.h"

#include <stdbool.h>
#include <stdint.h>

/* Text that turns the direction of writing can make a name on a page read as another one. */
static bool is_direction_mark(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

size_t utf8_sequence(const char *p, size_t left)
{
    if (left == 0)
        return 0;
    uint8_t first = (uint8_t)p[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;

    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size > left)
        return 0;
    uint32_t c = first & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if (((uint8_t)p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((uint8_t)p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (c < 0xa0 || is_direction_mark(c))
        return 0;
    return size;
}
