/* text.c: borrowed text into strings that are safe to show. */
#include "text.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdint.h>

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f;
}

/* Eight at once: none has the high bit, none borrows when a space is taken away, none is DEL. */
static bool are_plain(uint64_t word)
{
    uint64_t del = word ^ EACH_BYTE(0x7f);
    return ((word | (word - EACH_BYTE(0x20)) | (del - EACH_BYTE(1))) & EACH_BYTE(0x80)) == 0;
}

static uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Fewer than eight as a word, some of them twice. */
static uint64_t word_of_few(const char *at, size_t size)
{
    uint32_t low, high;
    if (size < sizeof low) {
        uint64_t first = (uint8_t)at[0], middle = (uint8_t)at[size / 2];
        return EACH_BYTE(' ') << 24 | (uint64_t)(uint8_t)at[size - 1] << 16 | middle << 8 | first;
    }
    memcpy(&low, at, sizeof low);
    memcpy(&high, at + size - sizeof high, sizeof high);
    return (uint64_t)high << 32 | low;
}

size_t text_plain_run(const char *at, size_t size)
{
    size_t n = 0;
    while (size - n >= sizeof(uint64_t) && are_plain(word_at(at + n)))
        n += sizeof(uint64_t);
    if (n == size)
        return n;
    if (size - n < sizeof(uint64_t) &&
        are_plain(size < sizeof(uint64_t) ? word_of_few(at, size)
                                          : word_at(at + size - sizeof(uint64_t))))
        return size;
    while (n < size && is_plain(at[n]))
        n++;
    return n;
}

char *text_copy(char *out, size_t capacity, struct text text)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    if (capacity == 0)
        return out;
    for (size_t i = 0; i < text.size;) {
        size_t left = text.size - i, room = capacity - 1 - used;
        size_t plain = text_plain_run(text.at + i, left < room ? left : room);
        memcpy(out + used, text.at + i, plain); /* nearly all */
        used += plain;
        if ((i += plain) == text.size)
            break;
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
    out[used] = '\0';
    return out;
}

char *text_join(char *out, size_t capacity, ...)
{
    va_list parts;
    size_t used = 0;
    const char *part;
    if (capacity == 0)
        return out;
    va_start(parts, capacity);
    while ((part = va_arg(parts, const char *))) {
        size_t size = strlen(part), room = capacity - 1 - used;
        memcpy(out + used, part, size < room ? size : room);
        used += size < room ? size : room;
    }
    va_end(parts);
    out[used] = '\0';
    return out;
}
