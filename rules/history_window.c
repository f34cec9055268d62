/* history_window.c: blocks are taken apart, rows and their counts joined. */
#include "history_window.h"

#include <stdlib.h>
#include <string.h>

struct history_chunk {
    struct history_chunk *next;
    uint8_t bytes[];
};

static void window_clear(struct history_window *w)
{
    while (w->chunks) {
        struct history_chunk *next = w->chunks->next;
        free(w->chunks);
        w->chunks = next;
    }
    w->count = 0;
    w->has_after = false;
    w->looked_at = 0;
}

static bool window_add(struct history_window *w, const struct history_record *r,
                       const uint8_t *bytes)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 1024;
        struct history_entry *entries = realloc(w->entries, capacity * sizeof *entries);
        if (!entries)
            return false;
        w->entries = entries;
        w->capacity = capacity;
    }
    w->entries[w->count++] = (struct history_entry){*r, bytes};
    return true;
}

static bool window_take(struct history_window *w, int64_t from_ns, int64_t to_ns,
                        const struct history_record *r, const uint8_t *bytes)
{
    if (r->time_ns < from_ns)
        return true;
    if (r->time_ns > to_ns) {
        w->after_ns = w->has_after && w->after_ns < r->time_ns ? w->after_ns : r->time_ns;
        w->has_after = true;
        return true;
    }
    return window_add(w, r, bytes);
}

/* Who it was between decides without reading the rest; older sensors did not mark writes. */
static bool is_wanted(struct history_window *w, const struct history_record *r,
                      const uint8_t *bytes)
{
    w->looked_at++;
    if (!w->writes)
        return true;
    if (r->written == HISTORY_NOT_WRITTEN)
        return false;
    return r->size == 0 || history_writes_are(w->writes, bytes, r->size);
}

/* The records of a block; what is damaged ends it. */
static bool take_block(struct history_window *w, int64_t from_ns, int64_t to_ns,
                       const uint8_t *bytes, size_t size)
{
    struct history_record r;
    while (size >= sizeof r) {
        memcpy(&r, bytes, sizeof r);
        bytes += sizeof r;
        size -= sizeof r;
        if (r.size > size)
            return true;
        if (is_wanted(w, &r, bytes) && !window_take(w, from_ns, to_ns, &r, r.size ? bytes : NULL))
            return false;
        bytes += r.size;
        size -= r.size;
    }
    return true;
}

/* A row of the table, of which no entry may be left. */
static bool take_bytes(struct history_window *w, int64_t from_ns, int64_t to_ns, sqlite3_stmt *s,
                       const uint8_t *bytes, size_t size)
{
    if (sqlite3_column_int64(s, 6) > 0)
        return take_block(w, from_ns, to_ns, bytes, size);
    if (size > EVENT_PACK_MAX)
        return true;
    struct history_record r = {.time_ns = sqlite3_column_int64(s, 0),
                               .last_ns = sqlite3_column_int64(s, 1),
                               .key = (uint64_t)sqlite3_column_int64(s, 2),
                               .count = (uint64_t)sqlite3_column_int64(s, 3),
                               .size = (uint16_t)size,
                               .kind = (uint8_t)sqlite3_column_int(s, 4)};
    return !is_wanted(w, &r, bytes) || window_take(w, from_ns, to_ns, &r, bytes);
}

static bool take_row(struct history_window *w, int64_t from_ns, int64_t to_ns, sqlite3_stmt *s)
{
    const void *event = sqlite3_column_blob(s, 5);
    int size = sqlite3_column_bytes(s, 5);
    if (!event || size <= 0)
        return true;
    struct history_chunk *chunk = malloc(sizeof *chunk + (size_t)size);
    if (!chunk)
        return false;
    memcpy(chunk->bytes, event, (size_t)size);
    size_t count = w->count;
    bool ok = take_bytes(w, from_ns, to_ns, s, chunk->bytes, (size_t)size);
    if (w->count == count) { /* nothing points into it */
        free(chunk);
        return ok;
    }
    chunk->next = w->chunks;
    w->chunks = chunk;
    return ok;
}

/* Events before the counts of the same row. */
static int by_time(const void *a, const void *b)
{
    const struct history_entry *x = a, *y = b;
    int64_t x_key = history_signed(x->record.key), y_key = history_signed(y->record.key);
    if (x->record.time_ns != y->record.time_ns)
        return x->record.time_ns < y->record.time_ns ? -1 : 1;
    if (x_key != y_key)
        return x_key < y_key ? -1 : 1;
    return (x->bytes == NULL) - (y->bytes == NULL);
}

/* One entry per row: counts, and rows of the same capture read again, join theirs. */
static void window_join(struct history_window *w)
{
    size_t count = 0;
    if (w->count)
        qsort(w->entries, w->count, sizeof *w->entries, by_time);
    for (size_t i = 0; i < w->count; i++) {
        const struct history_entry *e = &w->entries[i];
        struct history_record *last = count ? &w->entries[count - 1].record : NULL;
        if (last && last->time_ns == e->record.time_ns && last->key == e->record.key) {
            if (e->record.count > last->count)
                last->count = e->record.count;
            if (e->record.last_ns > last->last_ns)
                last->last_ns = e->record.last_ns;
        } else if (e->bytes) {
            w->entries[count++] = *e;
        }
    }
    w->count = count;
}

int64_t history_earlier(int64_t time_ns, int64_t ns)
{
    int64_t at;
    return __builtin_sub_overflow(time_ns, ns, &at) ? INT64_MIN : at;
}

int64_t history_later(int64_t time_ns, int64_t ns)
{
    int64_t at;
    return __builtin_add_overflow(time_ns, ns, &at) ? INT64_MAX : at;
}

/* --- reading --- */

#define COLUMNS "SELECT h.time_ns, h.last_ns, h.key, h.count, h.kind, h.event, h.rows "

static const char all_sql[] =
    COLUMNS "FROM history h WHERE h.sensor = ?1 AND h.time_ns >= ?2 AND h.time_ns <= ?3"
            " AND h.last_ns >= ?4 ORDER BY h.time_ns, h.key";
/* Blocks that an older sensor wrote are looked through. */
static const char not_indexed_sql[] =
    COLUMNS "FROM history h INDEXED BY history_not_indexed WHERE h.sensor = ?1 AND h.time_ns >= ?2"
            " AND h.time_ns <= ?3 AND h.last_ns >= ?4 AND h.indexed = 0 ORDER BY h.time_ns";
static const char writes_sql[] =
    COLUMNS "FROM history_writes w CROSS JOIN history h ON h.sensor = w.sensor AND"
            " h.time_ns = w.time_ns AND h.key = w.key WHERE w.sensor = ?1 AND w.time_ns >= ?2"
            " AND w.time_ns <= ?3 AND h.last_ns >= ?4 AND w.day IN (?5, ?6) AND w.place = ?7"
            " AND w.which & ?8 != 0";

/* A block begins at most HISTORY_SPAN_NS before its newest record; of those that end before the
 * window only the key is read. */
static bool read_by(struct history_window *w, struct store *store, const char *sql,
                    const char *sensor, int64_t from_ns, int64_t to_ns, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, sql, err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, history_earlier(from_ns, HISTORY_SPAN_NS));
    sqlite3_bind_int64(s, 3, to_ns);
    sqlite3_bind_int64(s, 4, from_ns);
    if (sql == writes_sql) {
        sqlite3_bind_int64(s, 5, history_day(history_earlier(from_ns, HISTORY_SPAN_NS)));
        sqlite3_bind_int64(s, 6, history_day(to_ns));
        sqlite3_bind_int64(s, 7, history_signed(w->place));
        sqlite3_bind_int64(s, 8, history_signed(w->writes->which));
    }
    int code = SQLITE_DONE;
    bool ok = true;
    while (ok && (code = sqlite3_step(s)) == SQLITE_ROW)
        ok = take_row(w, from_ns, to_ns, s);
    sqlite3_reset(s);
    if (!ok)
        return error_set(err, "out of memory");
    return code == SQLITE_DONE || error_set(err, "store %s: cannot read the history: %s",
                                            store_path(store), sqlite3_errmsg(store_handle(store)));
}

bool history_window_read(struct history_window *w, struct store *store, const char *sensor,
                         int64_t from_ns, int64_t to_ns, struct error *err)
{
    window_clear(w);
    bool ok = w->writes ? read_by(w, store, writes_sql, sensor, from_ns, to_ns, err) &&
                              read_by(w, store, not_indexed_sql, sensor, from_ns, to_ns, err)
                        : read_by(w, store, all_sql, sensor, from_ns, to_ns, err);
    window_join(w);
    return ok;
}

void history_window_release(struct history_window *w)
{
    window_clear(w);
    free(w->entries);
    w->entries = NULL;
    w->capacity = 0;
}

/* --- the next one back --- */

static bool newest_write(const struct history_window *w, struct store *store, const char *sensor,
                         int64_t to_ns, int64_t *at_ns, bool *is_there, struct error *err)
{
    int64_t day = history_day(to_ns);
    for (bool is_day = true; is_day;) {
        sqlite3_stmt *s = store_statement(
            store,
            "SELECT time_ns FROM history_writes WHERE sensor = ? AND day = ? AND place = ? AND"
            " time_ns <= ? AND which & ? != 0 ORDER BY time_ns DESC LIMIT 1",
            err);
        if (!s)
            return false;
        sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, day);
        sqlite3_bind_int64(s, 3, history_signed(w->place));
        sqlite3_bind_int64(s, 4, to_ns);
        sqlite3_bind_int64(s, 5, history_signed(w->writes->which));
        int code = sqlite3_step(s);
        *is_there = code == SQLITE_ROW;
        *at_ns = *is_there ? sqlite3_column_int64(s, 0) : 0;
        sqlite3_reset(s);
        if (code == SQLITE_ROW)
            return true;
        if (code != SQLITE_DONE)
            return error_set(err, "store %s: cannot read the history: %s", store_path(store),
                             sqlite3_errmsg(store_handle(store)));
        if (!history_number(store,
                            "SELECT max(day) FROM history_writes WHERE sensor = ? AND day < ?",
                            sensor, day, &day, &is_day, err))
            return false;
    }
    return true;
}

bool history_window_newest(const struct history_window *w, struct store *store, const char *sensor,
                           int64_t to_ns, int64_t *at_ns, bool *is_there, struct error *err)
{
    int64_t old_ns;
    bool is_old;
    if (!w->writes)
        return history_number(store,
                              "SELECT max(time_ns) FROM history WHERE sensor = ? AND time_ns <= ?",
                              sensor, to_ns, at_ns, is_there, err);
    if (!newest_write(w, store, sensor, to_ns, at_ns, is_there, err) ||
        !history_number(store,
                        "SELECT max(time_ns) FROM history INDEXED BY history_not_indexed WHERE"
                        " sensor = ? AND time_ns <= ? AND indexed = 0",
                        sensor, to_ns, &old_ns, &is_old, err))
        return false;
    if (is_old && (!*is_there || old_ns > *at_ns))
        *at_ns = old_ns;
    *is_there = *is_there || is_old;
    return true;
}
