/* json_writer.h: writes JSON into a fixed buffer without allocating, for what is written often:
 * events and alerts. (Other documents are built with jansson.) Commas are set by the writer. When
 * the buffer is full the writer marks itself cut and writes no more; the caller drops or shortens
 * the document. */
#pragma once

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
    char *at, *start, *end;
    bool needs_comma;
    bool is_cut;
};

void json_begin(struct json_writer *w, char *buffer, size_t capacity);
/* key may be NULL (in arrays and at the top). */
void json_object_begin(struct json_writer *w, const char *key);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w, const char *key);
void json_array_end(struct json_writer *w);
void json_text(struct json_writer *w, const char *key,
               struct text value); /* valid UTF-8 kept, the rest \u00XX */
void json_string_of(struct json_writer *w, const char *key, const char *value);
void json_unsigned(struct json_writer *w, const char *key,
                   uint64_t value); /* over 2^53: as a string */
void json_signed(struct json_writer *w, const char *key, int64_t value);
void json_double(struct json_writer *w, const char *key, double value); /* NaN, Inf: as a string */
void json_bool(struct json_writer *w, const char *key, bool value);
void json_hex(struct json_writer *w, const char *key, const void *bytes, size_t size);
void json_time(struct json_writer *w, const char *key,
               int64_t time_ns); /* RFC 3339, microseconds, Z */
void json_raw(struct json_writer *w, const char *key, struct text value); /* JSON already */

static inline size_t json_size(const struct json_writer *w)
{
    return (size_t)(w->at - w->start);
}

enum { TIME_TEXT_SIZE = 32 };
/* "2015-10-21T07:28:00.123456Z". Returns out. */
char *time_print(char out[TIME_TEXT_SIZE], int64_t time_ns);
/* Reads what time_print writes, with or without fraction. */
bool time_parse(int64_t *time_ns, const char *text);
