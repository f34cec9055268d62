/* review.h: the baseline as a document that people review: sorted YAML that diffs well, and back.
 *
 * Counts and times of last sight are no part of it: they change with every run and decide nothing.
 * What a document does not name is removed by importing it; what it adds counts as learned. */
#pragma once

#include "baseline.h"

#include <stdio.h>

/* Rows of one sensor, sorted as people read them. */
struct review;

bool review_read_store(struct review **document, struct store *store, const char *sensor,
                       struct error *err) NODISCARD;
/* Errors name line and key. `known` gives what the document does not say (counts, times); may be
 * NULL. */
bool review_read_yaml(struct review **document, FILE *file, const char *name,
                      const struct review *known, const char *sensor, struct error *err) NODISCARD;
void review_destroy(struct review *document);

bool review_write_yaml(const struct review *document, FILE *out, struct error *err) NODISCARD;
/* Replaces the baseline of the sensor in one transaction. */
bool review_write_store(const struct review *document, struct store *store,
                        struct error *err) NODISCARD;

/* What `after` says otherwise than `before`, a line each with "-" and "+"; *differences counts
 * them. Counts and times are no difference. */
bool review_diff(const struct review *before, const struct review *after, FILE *out,
                 size_t *differences, struct error *err) NODISCARD;

enum review_dimension {
    REVIEW_CONVERSATIONS,
    REVIEW_OPERATIONS,
    REVIEW_OBJECTS,
    REVIEW_VALUES,
    REVIEW_TIMING,
    REVIEW_DIMENSIONS,
};
const char *review_dimension_name(enum review_dimension dimension);
/* A table for people; settle_min_ns: what the sensor is configured to wait. */
void review_show(const struct review *document, enum review_dimension dimension,
                 int64_t settle_min_ns, FILE *out);
