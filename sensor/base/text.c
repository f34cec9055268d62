/* text.c: borrowed text into strings that are safe to show. */
#include "text.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f;
}

char *text_copy(char *out, size_t capacity, struct text text)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;

    for (size_t i = 0; i < text.size;) {
        if (is_plain(text.at[i]) && used + 1 < capacity) { /* nearly all */
            out[used++] = text.at[i++];
            continue;
        }
        size_t n = utf8_sequence(text.at + i, text.size - i);
        if (n > 0) {
            if (used + n + 1 > capacity)
                break;
            memcpy(out + used, text.at + i, n);
            used += n;
            i += n;
            continue;
        }
        if (used + 4 + 1 > capacity)
            break;
        uint8_t byte = (uint8_t)text.at[i++];
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = hex[byte >> 4];
        out[used++] = hex[byte & 15];
    }
    if (capacity > 0)
        out[used] = '\0';
    return out;
}

char *text_format(char *out, size_t capacity, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out, capacity, format, arguments);
    va_end(arguments);
    return out;
}
