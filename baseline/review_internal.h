/* review_internal.h: the rows of a document, for the two files that make one. */
#pragma once

#include "review.h"
#include "rows.h"

struct review {
    char sensor[64];
    struct baseline_row *rows; /* sorted by kind and id once read */
    size_t count, capacity;
};

struct review *review_create(const char *sensor);
/* False: no memory, or far too many. */
bool review_add(struct review *d, const struct baseline_row *row);
void review_sort(struct review *d);
/* Calls put for what a document says, in its order: one line of text per conversation and entry.
 * False: no memory. */
bool review_each_line(const struct review *d,
                      bool (*put)(void *context, const struct baseline_row *row, const char *text),
                      void *context);
/* NULL when there is none; the document is sorted. */
const struct baseline_row *review_find(const struct review *d, enum baseline_kind kind,
                                       uint64_t id);
