/* history_block.h: how the history lies in the store; between its files.
 *
 * A row of the table is a block: records one behind the other, each a struct history_record and the
 * packed event. A record without an event is a count: the row with its time and key, in this block
 * or one before, happened so often. Rows that the version before kept one by one (rows = 0) are
 * read as they are. */
#pragma once

#include "history.h"

#include <assert.h>

#define HISTORY_WINDOW_NS (HISTORY_MINUTES * INT64_C(60000000000))
#define HISTORY_SPAN_NS                                                                            \
    (2 * HISTORY_WINDOW_NS) /* of the times in a block: counts are of the ten minutes before */

struct history_record {
    int64_t time_ns, last_ns;
    uint64_t key, count;
    uint16_t size; /* of the event that follows; 0: a count */
    uint8_t kind;  /* enum history_kind */
    uint8_t unused[5];
};
static_assert(sizeof(struct history_record) == 40, "no holes: it is kept as it is");

/* A key as the store has it. */
int64_t history_signed(uint64_t key);

/* The number that a statement with a sensor and another number gives; is_there: it is one. */
bool history_number(struct store *store, const char *sql, const char *sensor, int64_t with,
                    int64_t *number, bool *is_there, struct error *err);
