/* history_replay.c: plays what the store remembers, window by window, in order of time. */
#include "history_block.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

/* --- reading a window --- */

struct entry {
    struct history_record record;
    const uint8_t *bytes; /* NULL: a count */
};

/* What lies in some minutes, in order; bytes are copies. */
struct window {
    struct entry *entries;
    size_t count, capacity;
    struct chunk *chunks;
    int64_t after_ns; /* the next record, of a block that reaches over its end */
    bool has_after;
};

struct chunk {
    struct chunk *next;
    uint8_t bytes[];
};

static void window_clear(struct window *w)
{
    while (w->chunks) {
        struct chunk *next = w->chunks->next;
        free(w->chunks);
        w->chunks = next;
    }
    w->count = 0;
    w->has_after = false;
}

static bool window_add(struct window *w, const struct history_record *r, const uint8_t *bytes)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 1024;
        struct entry *entries = realloc(w->entries, capacity * sizeof *entries);
        if (!entries)
            return false;
        w->entries = entries;
        w->capacity = capacity;
    }
    w->entries[w->count++] = (struct entry){*r, bytes};
    return true;
}

static bool window_take(struct window *w, int64_t from_ns, int64_t to_ns,
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

/* The records of a block; what is damaged ends it. */
static bool take_block(struct window *w, int64_t from_ns, int64_t to_ns, const uint8_t *bytes,
                       size_t size)
{
    struct history_record r;
    while (size >= sizeof r) {
        memcpy(&r, bytes, sizeof r);
        bytes += sizeof r;
        size -= sizeof r;
        if (r.size > size)
            return true;
        if (!window_take(w, from_ns, to_ns, &r, r.size ? bytes : NULL))
            return false;
        bytes += r.size;
        size -= r.size;
    }
    return true;
}

static bool take_row(struct window *w, int64_t from_ns, int64_t to_ns, sqlite3_stmt *s)
{
    const void *event = sqlite3_column_blob(s, 5);
    int size = sqlite3_column_bytes(s, 5);
    if (!event || size <= 0)
        return true;
    struct chunk *chunk = malloc(sizeof *chunk + (size_t)size);
    if (!chunk)
        return false;
    memcpy(chunk->bytes, event, (size_t)size);
    chunk->next = w->chunks;
    w->chunks = chunk;
    if (sqlite3_column_int64(s, 6) > 0)
        return take_block(w, from_ns, to_ns, chunk->bytes, (size_t)size);
    if (size > EVENT_PACK_MAX)
        return true;
    struct history_record r = {.time_ns = sqlite3_column_int64(s, 0),
                               .last_ns = sqlite3_column_int64(s, 1),
                               .key = (uint64_t)sqlite3_column_int64(s, 2),
                               .count = (uint64_t)sqlite3_column_int64(s, 3),
                               .size = (uint16_t)size,
                               .kind = (uint8_t)sqlite3_column_int(s, 4)};
    return window_take(w, from_ns, to_ns, &r, chunk->bytes);
}

/* Events before the counts of the same row. */
static int by_time(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int64_t x_key = history_signed(x->record.key), y_key = history_signed(y->record.key);
    if (x->record.time_ns != y->record.time_ns)
        return x->record.time_ns < y->record.time_ns ? -1 : 1;
    if (x_key != y_key)
        return x_key < y_key ? -1 : 1;
    return (x->bytes == NULL) - (y->bytes == NULL);
}

/* One entry per row: counts, and rows of the same capture read again, join theirs. */
static void window_join(struct window *w)
{
    size_t count = 0;
    if (w->count)
        qsort(w->entries, w->count, sizeof *w->entries, by_time);
    for (size_t i = 0; i < w->count; i++) {
        const struct entry *e = &w->entries[i];
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

static int64_t earlier(int64_t time_ns, int64_t ns)
{
    int64_t at;
    return __builtin_sub_overflow(time_ns, ns, &at) ? INT64_MIN : at;
}

static int64_t later(int64_t time_ns, int64_t ns)
{
    int64_t at;
    return __builtin_add_overflow(time_ns, ns, &at) ? INT64_MAX : at;
}

/* A block begins at most HISTORY_SPAN_NS before its newest record; of those that end before the
 * window only the key is read. */
static bool window_read(struct window *w, struct store *store, const char *sensor, int64_t from_ns,
                        int64_t to_ns, struct error *err)
{
    window_clear(w);
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT time_ns, last_ns, key, count, kind, event, rows"
                                      " FROM history WHERE sensor = ? AND time_ns >= ? AND"
                                      " time_ns <= ? AND last_ns >= ? ORDER BY time_ns, key",
                                      err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, earlier(from_ns, HISTORY_SPAN_NS));
    sqlite3_bind_int64(s, 3, to_ns);
    sqlite3_bind_int64(s, 4, from_ns);
    int code = SQLITE_DONE;
    bool ok = true;
    while (ok && (code = sqlite3_step(s)) == SQLITE_ROW)
        ok = take_row(w, from_ns, to_ns, s);
    sqlite3_reset(s);
    window_join(w);
    if (!ok)
        return error_set(err, "out of memory");
    return code == SQLITE_DONE || error_set(err, "store %s: cannot read the history: %s",
                                            store_path(store), sqlite3_errmsg(store_handle(store)));
}

/* --- replay --- */

enum { NAMES_MAX = 256, NAME_SIZE = 24 };

/* The names of protocols last as long as a replay, as those of dissectors do: who hears of events
 * keeps them. */
struct replay {
    struct event_unpacked unpacked;
    struct window window;
    char names[NAMES_MAX][NAME_SIZE];
    size_t name_count;
};

static const char *lasting(struct replay *r, const char *name)
{
    for (size_t i = 0; i < r->name_count; i++)
        if (strcmp(r->names[i], name) == 0)
            return r->names[i];
    if (r->name_count == NAMES_MAX || strlen(name) >= NAME_SIZE)
        return "unknown";
    return strcpy(r->names[r->name_count++], name);
}

/* Connections are not numbered in the store: those of the same ends and protocol are one. */
static uint64_t flow_id(const struct ot_flow *flow, const char *protocol)
{
    uint64_t id = hash_mix(hash_bytes(&flow->client, sizeof flow->client), flow->segment);
    id = hash_mix(id, hash_bytes(&flow->server, sizeof flow->server));
    return hash_mix(id, hash_bytes(protocol, strlen(protocol))) | 1;
}

static void play(const struct history_player *player, const struct entry *entry, struct replay *r,
                 struct history_span *span)
{
    struct event_unpacked *u = &r->unpacked;
    const struct history_record *row = &entry->record;
    if (row->count < 1 || row->count > INT64_MAX || !event_unpack(u, entry->bytes, row->size))
        return;
    struct ot_event *e = &u->event;
    int64_t time_ns = row->time_ns;
    e->time_ns = time_ns;
    e->protocol = lasting(r, e->protocol);
    u->flow.id = flow_id(&u->flow, e->protocol);
    u->flow.first_ns = u->flow.last_ns = time_ns;
    if (span->rows++ == 0 || time_ns < span->first_ns)
        span->first_ns = time_ns;
    if (row->last_ns > span->last_ns)
        span->last_ns = row->last_ns;
    span->events += row->count;
    if (row->kind == HISTORY_EVENT)
        player->event(player->context, e, row->count, row->last_ns);
    else if (player->flow && e->code[0] < SIGMA_MOMENTS)
        player->flow(player->context, &u->flow, (enum sigma_moment)e->code[0],
                     e->protocol[0] ? e->protocol : NULL, time_ns, row->count);
}

/* Reads the newest rows_max rows of the range, window by window from its end. From `first` on the
 * window's entries are among them; the window of the oldest comes last. */
struct walk {
    void (*see)(struct walk *walk, const struct window *w, size_t first);
    struct replay *replay;
    const struct history_player *player;
    struct history_span *span;
    int64_t start_ns; /* of the oldest row */
};

static bool walk_back(struct store *store, const char *sensor, const struct history_range *range,
                      struct walk *walk, struct error *err)
{
    struct window *w = &walk->replay->window;
    uint64_t found = 0;
    int64_t to_ns = range->to_ns, at;
    bool is_there = true;
    walk->start_ns = range->from_ns;
    while (to_ns >= range->from_ns) {
        if (!history_number(store,
                            "SELECT max(time_ns) FROM history WHERE sensor = ? AND time_ns <= ?",
                            sensor, to_ns, &at, &is_there, err))
            return false;
        if (!is_there)
            return true;
        if (later(at, HISTORY_SPAN_NS) < to_ns)
            to_ns = later(at, HISTORY_SPAN_NS); /* what begins there goes no further */
        int64_t from_ns = earlier(to_ns, HISTORY_WINDOW_NS - 1);
        from_ns = from_ns < range->from_ns ? range->from_ns : from_ns;
        if (to_ns < from_ns)
            return true;
        if (!window_read(w, store, sensor, from_ns, to_ns, err))
            return false;
        uint64_t left = range->rows_max - found;
        walk->span->is_cut = w->count > left;
        walk->see(walk, w, w->count > left ? w->count - (size_t)left : 0);
        if (walk->span->is_cut)
            return true;
        found += w->count;
        if (from_ns == INT64_MIN)
            return true;
        to_ns = from_ns - 1;
    }
    return true;
}

static void see_start(struct walk *walk, const struct window *w, size_t first)
{
    if (first > 0)
        walk->start_ns = later(w->entries[first - 1].record.time_ns, 1);
}

static void see_back(struct walk *walk, const struct window *w, size_t first)
{
    for (size_t i = w->count; i > first; i--)
        play(walk->player, &w->entries[i - 1], walk->replay, walk->span);
}

/* The first record's time from a time on: at the earliest, where blocks begin before it. */
static bool next_window(struct store *store, const char *sensor, int64_t from_ns, int64_t *at_ns,
                        bool *is_there, struct error *err)
{
    if (!history_number(store, "SELECT min(time_ns) FROM history WHERE sensor = ? AND time_ns >= ?",
                        sensor, earlier(from_ns, HISTORY_SPAN_NS), at_ns, is_there, err))
        return false;
    if (*is_there && *at_ns < from_ns)
        *at_ns = from_ns;
    return true;
}

static bool replay_windows(struct store *store, const char *sensor, int64_t from_ns, int64_t to_ns,
                           const struct history_player *player, struct replay *r,
                           struct history_span *span, struct error *err)
{
    struct window *w = &r->window;
    int64_t at_ns;
    bool is_there;
    if (!next_window(store, sensor, from_ns, &at_ns, &is_there, err))
        return false;
    while (is_there && at_ns <= to_ns) {
        int64_t end_ns = later(at_ns, HISTORY_WINDOW_NS - 1);
        end_ns = end_ns > to_ns ? to_ns : end_ns;
        if (!window_read(w, store, sensor, at_ns, end_ns, err))
            return false;
        for (size_t i = 0; i < w->count; i++)
            play(player, &w->entries[i], r, span);
        if (end_ns == INT64_MAX)
            return true;
        bool has_after = w->has_after;
        int64_t after_ns = w->after_ns;
        if (!history_number(store,
                            "SELECT min(time_ns) FROM history WHERE sensor = ? AND time_ns > ?",
                            sensor, end_ns, &at_ns, &is_there, err))
            return false;
        if (has_after && (!is_there || after_ns < at_ns))
            at_ns = after_ns;
        is_there = is_there || has_after;
    }
    return true;
}

static bool replay_from(struct store *store, const char *sensor, struct replay *r, int64_t from_ns,
                        int64_t to_ns, const struct history_player *player,
                        struct history_span *span, struct error *err)
{
    if (!replay_windows(store, sensor, from_ns, to_ns, player, r, span, err))
        return false;
    if (player->end)
        player->end(player->context, span);
    return true;
}

static void replay_destroy(struct replay *r)
{
    if (!r)
        return;
    window_clear(&r->window);
    free(r->window.entries);
    free(r);
}

bool history_replay_range(struct store *store, const char *sensor,
                          const struct history_range *range, const struct history_player *player,
                          struct history_span *span, struct error *err)
{
    *span = (struct history_span){0};
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, "out of memory");
    struct walk walk = {.see = see_start, .replay = r, .span = span};
    bool ok = walk_back(store, sensor, range, &walk, err) &&
              replay_from(store, sensor, r, walk.start_ns, range->to_ns, player, span, err);
    replay_destroy(r);
    return ok;
}

bool history_replay_back(struct store *store, const char *sensor, const struct history_range *range,
                         const struct history_player *player, struct history_span *span,
                         struct error *err)
{
    *span = (struct history_span){0};
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, "out of memory");
    struct walk walk = {.see = see_back, .replay = r, .player = player, .span = span};
    bool ok = walk_back(store, sensor, range, &walk, err);
    replay_destroy(r);
    return ok;
}

bool history_replay(struct store *store, const char *sensor, const struct history_player *player,
                    struct history_span *span, struct error *err)
{
    *span = (struct history_span){0};
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, "out of memory");
    bool ok = replay_from(store, sensor, r, INT64_MIN, INT64_MAX, player, span, err);
    replay_destroy(r);
    return ok;
}
