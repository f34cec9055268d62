/* text_format.c: printf for sentences about findings. Strings and integers, which nearly all of
 * them are made of, are put in here: the C library's way through its streams takes five times as
 * long. Whatever else a format holds is left to it as a whole. */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct made {
    char *at, *end; /* where the terminator comes at the latest */
};

static void put(struct made *m, const char *bytes, size_t size)
{
    size_t room = (size_t)(m->end - m->at);
    size_t fits = size < room ? size : room;
    memcpy(m->at, bytes, fits);
    m->at += fits;
}

static void put_number(struct made *m, uint64_t magnitude, bool is_negative, unsigned base,
                       size_t width)
{
    enum { DIGITS_MAX = 32 };
    static const char digits[] = "0123456789abcdef";
    char text[DIGITS_MAX], *const end = text + sizeof text, *at = end;
    do {
        *--at = digits[magnitude % base];
        magnitude /= base;
    } while (magnitude > 0);
    while ((size_t)(end - at) + is_negative < width)
        *--at = '0';
    if (is_negative)
        *--at = '-';
    put(m, at, (size_t)(end - at));
}

/* What stands between '%' and the letter. */
struct manner {
    size_t width; /* filled with zeros */
    bool has_most;
    size_t most; /* bytes of a string */
    enum { PLAIN, LONG, LONGER, SIZE } of;
};

enum { WIDTH_MAX = 20 };

static size_t number_at(const char **at)
{
    size_t number = 0;
    for (; **at >= '0' && **at <= '9' && number < SIZE_MAX / 16; ++*at)
        number = number * 10 + (size_t)(**at - '0');
    return number;
}

static const char *manner_read(struct manner *how, const char *at, va_list *arguments)
{
    *how = (struct manner){.of = PLAIN};
    if (*at == '0')
        how->width = number_at(&at);
    if (*at == '.') {
        at++;
        how->has_most = true;
        if (*at == '*') {
            int most = va_arg(*arguments, int);
            how->has_most = most >= 0;
            how->most = (size_t)most;
            at++;
        } else {
            how->most = number_at(&at);
        }
    }
    for (; *at == 'l' && how->of < LONGER; at++)
        how->of++;
    if (*at == 'z' && how->of == PLAIN) {
        how->of = SIZE;
        at++;
    }
    return at;
}

static uint64_t unsigned_of(const struct manner *how, va_list *arguments)
{
    switch (how->of) {
    case PLAIN:
        return va_arg(*arguments, unsigned);
    case LONG:
        return va_arg(*arguments, unsigned long);
    case LONGER:
        return va_arg(*arguments, unsigned long long);
    case SIZE:
        break;
    }
    return va_arg(*arguments, size_t);
}

static int64_t signed_of(const struct manner *how, va_list *arguments)
{
    switch (how->of) {
    case PLAIN:
        return va_arg(*arguments, int);
    case LONG:
        return va_arg(*arguments, long);
    case LONGER:
    case SIZE:
        break;
    }
    return va_arg(*arguments, long long);
}

static void put_string(struct made *m, const struct manner *how, const char *string)
{
    if (string)
        put(m, string, how->has_most ? strnlen(string, how->most) : strlen(string));
}

/* The directive behind a '%'. Returns what follows it; NULL: one for the C library. */
static const char *put_directive(struct made *m, const char *at, va_list *arguments)
{
    struct manner how;
    at = manner_read(&how, at, arguments);
    if (how.width > WIDTH_MAX)
        return NULL;
    bool is_number = *at == 'u' || *at == 'x' || (*at == 'd' && how.of != SIZE);
    bool is_string = *at == 's' && how.of == PLAIN && how.width == 0;
    bool is_percent = *at == '%' && at[-1] == '%';
    if (is_number && !how.has_most && *at == 'd') {
        int64_t value = signed_of(&how, arguments);
        uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
        put_number(m, magnitude, value < 0, 10, how.width);
    } else if (is_number && !how.has_most) {
        put_number(m, unsigned_of(&how, arguments), false, *at == 'x' ? 16 : 10, how.width);
    } else if (is_string) {
        put_string(m, &how, va_arg(*arguments, const char *));
    } else if (is_percent) {
        put(m, "%", 1);
    } else {
        return NULL;
    }
    return at + 1;
}

static bool is_made(struct made *m, const char *format, va_list *arguments)
{
    for (;;) {
        const char *percent = strchr(format, '%');
        put(m, format, percent ? (size_t)(percent - format) : strlen(format));
        if (!percent)
            return true;
        format = put_directive(m, percent + 1, arguments);
        if (!format)
            return false;
    }
}

char *text_format(char *out, size_t capacity, const char *format, ...)
{
    va_list arguments;
    if (capacity == 0)
        return out;
    struct made m = {out, out + capacity - 1};
    va_start(arguments, format);
    bool ok = is_made(&m, format, &arguments);
    va_end(arguments);
    *m.at = '\0';
    if (!ok) {
        va_start(arguments, format);
        vsnprintf(out, capacity, format, arguments);
        va_end(arguments);
    }
    return out;
}
