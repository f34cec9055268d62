/* document.h: the baseline as a document that people review: sorted YAML that diffs well, and back.
 *
 * Counts and times of last sight are no part of it: they change with every run and decide nothing.
 * What a document does not name is removed by importing it; what it adds counts as learned. */
#pragma once

#include "baseline.h"

#include <stdio.h>

/* Rows of one sensor, sorted as people read them. */
struct document;

bool document_read_store(struct document **document, struct store *store, const char *sensor,
                         struct error *err) NODISCARD;
/* Errors name line and key. `known` gives what the document does not say (counts, times); may be
 * NULL. */
bool document_read_yaml(struct document **document, FILE *file, const char *name,
                        const struct document *known, const char *sensor,
                        struct error *err) NODISCARD;
void document_destroy(struct document *document);

bool document_write_yaml(const struct document *document, FILE *out, struct error *err) NODISCARD;
/* Replaces the baseline of the sensor in one transaction. */
bool document_write_store(const struct document *document, struct store *store,
                          struct error *err) NODISCARD;

enum document_dimension {
    DOCUMENT_CONVERSATIONS,
    DOCUMENT_OPERATIONS,
    DOCUMENT_OBJECTS,
    DOCUMENT_VALUES,
    DOCUMENT_DIMENSIONS,
};
const char *document_dimension_name(enum document_dimension dimension);
/* A table for people; settle_min_ns: what the sensor is configured to wait. */
void document_show(const struct document *document, enum document_dimension dimension,
                   int64_t settle_min_ns, FILE *out);
