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
    uint16_t size;   /* of the event that follows; 0: a count */
    uint8_t kind;    /* enum history_kind */
    uint8_t written; /* enum history_is_written */
    uint8_t unused[4];
};
static_assert(sizeof(struct history_record) == 40, "no holes: it is kept as it is");

/* Is it one, or the count of one, that history_writes finds? Older sensors did not say. */
enum history_is_written { HISTORY_PERHAPS_WRITTEN, HISTORY_NOT_WRITTEN, HISTORY_WRITTEN };

#define HISTORY_DAY_NS INT64_C(86400000000000)

/* Of the table history_writes: where a day's begin. */
static inline int64_t history_day(int64_t time_ns)
{
    return time_ns / HISTORY_DAY_NS - (time_ns % HISTORY_DAY_NS < 0);
}

/* The place of what the event writes, never 0, and which things there; 0: it writes nothing. */
uint64_t history_written(const struct ot_event *e, uint64_t *which);
uint64_t history_place(const struct history_writes *writes);
/* May a packed event be one of them? Which things it writes is not looked at. */
bool history_writes_are(const struct history_writes *writes, const uint8_t *bytes, size_t size);

/* A key as the store has it. */
int64_t history_signed(uint64_t key);

/* The number that a statement with a sensor and another number gives; is_there: it is one. */
bool history_number(struct store *store, const char *sql, const char *sensor, int64_t with,
                    int64_t *number, bool *is_there, struct error *err);
