/* document_internal.h: the rows of a document, for the two files that make one. */
#pragma once

#include "document.h"
#include "rows.h"

struct document {
    char sensor[64];
    struct baseline_row *rows; /* sorted by kind and id once read */
    size_t count, capacity;
};

struct document *document_create(const char *sensor);
/* False: no memory, or far too many. */
bool document_add(struct document *d, const struct baseline_row *row);
void document_sort(struct document *d);
/* NULL when there is none; the document is sorted. */
const struct baseline_row *document_find(const struct document *d, enum baseline_kind kind,
                                         uint64_t id);
