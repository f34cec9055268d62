/* text.h: a borrowed piece of text or bytes: a pointer and a size, no terminator. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *at; /* NULL only when size is 0 */
    size_t size;
};

/* A string literal as text. */
#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static inline struct text text_of(const char *string)
{
    return (struct text){string, string ? strlen(string) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* How many bytes from at on are printable ASCII. */
size_t text_plain_run(const char *at, size_t size);

/* Copies text into a buffer as a string: cut at capacity - 1, always terminated, bytes that are not
 * printable ASCII or valid UTF-8 written as \xNN. Returns out. */
char *text_copy(char *out, size_t capacity, struct text text);

/* The strings up to NULL, one behind the other, cut at the buffer's end (always terminated).
 * Returns out. */
char *text_join(char *out, size_t capacity, ...) __attribute__((sentinel));

/* printf into a buffer, cut at its end (always terminated). Returns out. */
char *text_format(char *out, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
