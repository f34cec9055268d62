/* names.h: records by name, in the order in which the names came: for what is counted or joined by
 * text within one answer. One thread. */
#pragma once

#include <stddef.h>

struct names;

/* record_size bytes are kept for each name. NULL: out of memory. */
struct names *names_create(size_t record_size);
void names_destroy(struct names *n);

/* The record of the name, which is copied when it is new and has a record of zeros. Good until the
 * next one is added. NULL: out of memory. */
void *names_add(struct names *n, const char *name);
/* NULL: it was never added. */
void *names_find(const struct names *n, const char *name);

size_t names_count(const struct names *n);
/* Number i of them, less than names_count. Good until the next one is added. */
const char *names_text(const struct names *n, size_t i);
void *names_record(const struct names *n, size_t i);
