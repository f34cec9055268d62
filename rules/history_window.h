/* history_window.h: what lies in some minutes of the history, in order of time; between its files.
 */
#pragma once

#include "history_block.h"

struct history_entry {
    struct history_record record;
    const uint8_t *bytes; /* of the packed event */
};

struct history_chunk;

/* Zeroed at first. Bytes are copies, until the next read. */
struct history_window {
    struct history_entry *entries;
    size_t count, capacity;
    struct history_chunk *chunks;
    int64_t after_ns; /* the next record, of a block that reaches over its end */
    bool has_after;
    const struct history_writes *writes; /* only these; NULL: everything */
    uint64_t place;                      /* theirs */
    uint64_t looked_at;                  /* records of the last read, with those left out */
};

/* The entries that began from from_ns to to_ns, each with all its counts. Of writes: within one day
 * (history_day). */
bool history_window_read(struct history_window *w, struct store *store, const char *sensor,
                         int64_t from_ns, int64_t to_ns, struct error *err) NODISCARD;
void history_window_release(struct history_window *w);

/* Where the newest block begins that begins at to_ns or before and may have some of them. */
bool history_window_newest(const struct history_window *w, struct store *store, const char *sensor,
                           int64_t to_ns, int64_t *at_ns, bool *is_there,
                           struct error *err) NODISCARD;

/* Without overflow. */
int64_t history_earlier(int64_t time_ns, int64_t ns);
int64_t history_later(int64_t time_ns, int64_t ns);
