/* ascii.h: protocols that are lines of ASCII, and the texts of others: without regard to case, and
 * never beyond the bytes that are there. */
#pragma once

#include "dissector.h"

static inline struct text ascii_of(struct reader r)
{
    return (struct text){(const char *)r.at, reader_left(&r)};
}

static inline uint8_t ascii_lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* word is in lower case. */
static inline bool ascii_begins(struct text t, const char *word)
{
    size_t i = 0;
    while (word[i] && i < t.size && ascii_lower(t.at[i]) == (uint8_t)word[i])
        i++;
    return word[i] == '\0';
}

static inline bool ascii_is(struct text t, const char *word)
{
    return t.size == strlen(word) && ascii_begins(t, word);
}

static inline bool ascii_ends(struct text t, const char *word)
{
    size_t size = strlen(word);
    return t.size >= size && ascii_begins((struct text){t.at + t.size - size, size}, word);
}

/* A file that is firmware by its name: PROTOCOLS 31. */
static inline bool ascii_names_firmware(struct text name)
{
    static const char *const endings[] = {".hex", ".fw", ".bin", ".upd", ".s19"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ascii_ends(name, endings[i]))
            return true;
    return false;
}

static inline bool ascii_contains(struct text t, const char *word)
{
    for (; t.size; t.at++, t.size--)
        if (ascii_lower(*t.at) == (uint8_t)*word && ascii_begins(t, word))
            return true;
    return false;
}

static inline bool ascii_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static inline struct text ascii_trim(struct text t)
{
    for (; t.size && ascii_is_space(*t.at); t.at++)
        t.size--;
    while (t.size && ascii_is_space(t.at[t.size - 1]))
        t.size--;
    return t;
}

/* What is before c, taken off t together with c; all of t when there is none. */
static inline struct text ascii_until(struct text *t, char c)
{
    const char *end = t->size ? memchr(t->at, c, t->size) : NULL;
    struct text before = {t->at, end ? (size_t)(end - t->at) : t->size};
    size_t taken = end ? before.size + 1 : before.size;
    if (taken)
        t->at += taken;
    t->size -= taken;
    return before;
}

static inline bool ascii_is_printable(struct text t)
{
    for (size_t i = 0; i < t.size; i++)
        if (t.at[i] < 0x20 || t.at[i] > 0x7e)
            return false;
    return t.size > 0;
}

/* Decimal, up to what is no digit; false when it begins with none or is too great. */
static inline bool ascii_number(struct text t, uint64_t *number)
{
    enum { DIGITS_MAX = 18 };
    size_t i = 0;
    *number = 0;
    for (; i < t.size && t.at[i] >= '0' && t.at[i] <= '9'; i++) {
        if (i == DIGITS_MAX)
            return false;
        *number = *number * 10 + (uint64_t)(t.at[i] - '0');
    }
    return i > 0;
}

/* Size of the first line with its line feed, or 0: it does not end here. */
static inline size_t ascii_line(struct reader r)
{
    size_t left = reader_left(&r);
    const uint8_t *end = left ? memchr(r.at, '\n', left) : NULL;
    return end ? (size_t)(end - r.at) + 1 : 0;
}

/* A copy of at most capacity bytes; returns what was copied. */
static inline struct text ascii_keep(char *out, size_t capacity, struct text t)
{
    size_t size = t.size < capacity ? t.size : capacity;
    if (size)
        memcpy(out, t.at, size);
    return (struct text){out, size};
}
