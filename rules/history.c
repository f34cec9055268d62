/* history.c: counting likes on a worker, rows in the store, and playing them again. */
#include "history.h"

#include "sensor/base/hash.h"
#include "slots.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define WINDOW_NS (HISTORY_MINUTES * 60 * SECOND_NS)

enum { VALUES_HASHED = 64 };

struct like {
    struct slot slot;
    int64_t row_ns, last_ns; /* row_ns: of the row that stands for it; 0: none */
    uint64_t count, told;
};

struct history {
    void (*row)(void *context, const struct history_row *row);
    void *context;
    struct slots likes;
    int64_t window;
    int64_t second;
    uint32_t rows_left; /* of the budget */
    uint64_t lost;
    struct history_row out;
};

struct history *history_create(const char *sensor,
                               void (*row)(void *context, const struct history_row *row),
                               void *context)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h || !slots_create(&h->likes, HISTORY_ENTRIES, sizeof(struct like))) {
        free(h);
        return NULL;
    }
    h->row = row;
    h->context = context;
    h->rows_left = HISTORY_BURST;
    text_copy(h->out.sensor, sizeof h->out.sensor, text_of(sensor));
    return h;
}

void history_destroy(struct history *h)
{
    if (!h)
        return;
    slots_destroy(&h->likes);
    free(h);
}

size_t history_row_size(const struct history_row *row)
{
    return offsetof(struct history_row, bytes) + row->size;
}

uint64_t history_lost(const struct history *h)
{
    return h->lost;
}

/* Names differ in their first eight bytes. */
static uint64_t name_key(const char *name)
{
    uint64_t key = 0;
    for (size_t i = 0; name && i < sizeof key && name[i]; i++)
        key = key << 8 | (uint8_t)name[i];
    return key;
}

static uint64_t text_key(struct text t)
{
    return t.size ? hash_bytes(t.at, t.size) : 0;
}

/* What makes two events alike. */
struct about {
    uint64_t pair, protocol, unit, area, name, values, start;
    uint32_t code[OT_CODE_PARTS];
    uint32_t status, flags, items, number, count;
    uint16_t port;
    uint8_t operation, direction, result, is_from_client, bit, unused;
};
_Static_assert(sizeof(struct about) == 7 * 8 + 4 * 4 + 5 * 4 + 2 + 6 + 4, "hashed as bytes");

static void item_about(struct about *about, const struct ot_item *item, bool is_change)
{
    about->area = name_key(item->area);
    about->name = text_key(item->name);
    about->start = item->start;
    about->number = item->number;
    about->count = item->count;
    about->bit = item->bit;
    if (is_change && item->values.bytes) {
        size_t size = item->values.size < VALUES_HASHED ? item->values.size : VALUES_HASHED;
        about->values = text_key((struct text){(const char *)item->values.bytes, size});
    }
}

static uint64_t event_key(const struct ot_event *e, uint64_t pair)
{
    struct about about;
    memset(&about, 0, sizeof about); /* what lies between the fields is hashed, too */
    about.pair = pair;
    about.protocol = name_key(e->protocol);
    about.unit = text_key(e->unit);
    memcpy(about.code, e->code, sizeof about.code);
    about.status = e->status.code;
    about.flags = e->flags;
    about.items = e->item_count;
    about.port = e->flow->server.port;
    about.operation = (uint8_t)e->operation;
    about.direction = (uint8_t)e->direction;
    about.result = (uint8_t)e->status.result;
    about.is_from_client = e->is_from_client;
    if (e->item_count)
        item_about(&about, &e->items[0], operation_is_change(e->operation));
    return hash_bytes(&about, sizeof about) | 1;
}

static void tell_count(struct history *h, struct like *like)
{
    struct history_row *row = &h->out;
    row->time_ns = like->row_ns;
    row->last_ns = like->last_ns;
    row->key = like->slot.key;
    row->count = like->count;
    row->size = 0;
    like->told = like->count;
    h->row(h->context, row);
}

static bool spend(struct history *h, int64_t time_ns)
{
    int64_t second = time_ns / SECOND_NS;
    if (second > h->second) {
        int64_t earned = (second - h->second) * HISTORY_ROWS_PER_SECOND;
        int64_t left = earned > HISTORY_BURST ? HISTORY_BURST : h->rows_left + earned;
        h->rows_left = (uint32_t)(left > HISTORY_BURST ? HISTORY_BURST : left);
        h->second = second;
    }
    if (h->rows_left == 0) {
        h->lost++;
        return false;
    }
    h->rows_left--;
    return true;
}

static void tell_event(struct history *h, const struct ot_event *e, uint64_t key,
                       enum history_kind kind)
{
    struct history_row *row = &h->out;
    size_t size = event_pack(e, row->bytes);
    if (size == 0)
        return;
    row->time_ns = row->last_ns = e->time_ns;
    row->key = key;
    row->count = 1;
    row->kind = (uint8_t)kind;
    row->size = (uint16_t)size;
    h->row(h->context, row);
}

/* Nobody does the same twice in one transfer block: those are told by the transfer's ends. */
static bool is_told_singly(const struct ot_event *e)
{
    return operation_is_critical(e->operation) && e->transfer.step != TRANSFER_BLOCK;
}

static void note(struct history *h, const struct ot_event *e, uint64_t key, enum history_kind kind)
{
    bool is_new;
    struct like *like = slots_take(&h->likes, key, e->time_ns, &is_new);
    bool is_over = !is_new && e->time_ns / WINDOW_NS != like->row_ns / WINDOW_NS;
    if (is_over && like->count > like->told)
        tell_count(h, like);
    like->last_ns = e->time_ns;
    if (!is_new && !is_over && !is_told_singly(e)) {
        like->count++;
        return;
    }
    if (!spend(h, e->time_ns)) {
        slots_drop(like); /* asked again the next time */
        return;
    }
    if (!is_new && !is_over && like->count > like->told)
        tell_count(h, like);
    like->row_ns = e->time_ns;
    like->count = like->told = 1;
    tell_event(h, e, key, kind);
}

uint64_t history_key(const struct history *h, const struct ot_event *e, uint64_t pair)
{
    uint64_t key = event_key(e, pair);
    slots_expect(&h->likes, key);
    return key;
}

void history_event(struct history *h, const struct ot_event *e, uint64_t key)
{
    note(h, e, key, HISTORY_EVENT);
}

void history_flow(struct history *h, const struct ot_flow *flow, enum sigma_moment moment,
                  const char *protocol, int64_t time_ns, uint64_t pair)
{
    struct ot_event e = {.time_ns = time_ns,
                         .flow = flow,
                         .is_from_client = true,
                         .protocol = protocol ? protocol : "",
                         .code = {moment}};
    note(h, &e, event_key(&e, pair) ^ 2, HISTORY_FLOW);
}

void history_tick(struct history *h, int64_t time_ns, bool is_last)
{
    if (!is_last && time_ns / WINDOW_NS == h->window)
        return;
    h->window = time_ns / WINDOW_NS;
    for (size_t i = 0; i < h->likes.capacity; i++) {
        struct like *like = slots_at(&h->likes, i);
        bool is_over = is_last || like->row_ns / WINDOW_NS != h->window;
        if (like->slot.key && is_over && like->count > like->told)
            tell_count(h, like);
    }
}

/* --- the store --- */

static const char version_1[] =
    "CREATE TABLE history("
    "  sensor TEXT NOT NULL, time_ns INTEGER NOT NULL, key INTEGER NOT NULL,"
    "  last_ns INTEGER NOT NULL, count INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  event BLOB NOT NULL, PRIMARY KEY(sensor, time_ns, key)) WITHOUT ROWID;"
    "CREATE TABLE history_totals(sensor TEXT PRIMARY KEY, bytes INTEGER NOT NULL);"
    "CREATE TRIGGER history_added AFTER INSERT ON history BEGIN"
    "  INSERT INTO history_totals VALUES(NEW.sensor, length(NEW.event) + 60)"
    "  ON CONFLICT(sensor) DO UPDATE SET bytes = bytes + length(NEW.event) + 60; END;"
    "CREATE TRIGGER history_removed AFTER DELETE ON history BEGIN"
    "  UPDATE history_totals SET bytes = bytes - length(OLD.event) - 60"
    "  WHERE sensor = OLD.sensor; END;";

static const char *const migrations[] = {version_1, NULL};
const struct store_schema history_schema = {.name = "history", .migrations = migrations};

static void bind_row(sqlite3_stmt *s, const struct history_row *row)
{
    int64_t key;
    memcpy(&key, &row->key, sizeof key);
    sqlite3_bind_text(s, 1, row->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, row->time_ns);
    sqlite3_bind_int64(s, 3, key);
    sqlite3_bind_int64(s, 4, row->last_ns);
    sqlite3_bind_int64(s, 5, (int64_t)row->count);
}

bool history_row_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct history_row *row = data;
    (void)size;
    sqlite3_stmt *s =
        row->size ? store_statement(store,
                                    "INSERT OR IGNORE INTO history(sensor, time_ns, key, last_ns,"
                                    " count, kind, event) VALUES(?, ?, ?, ?, ?, ?, ?)",
                                    err)
                  : store_statement(store,
                                    "UPDATE history SET last_ns = max(last_ns, ?4),"
                                    " count = max(count, ?5)"
                                    " WHERE sensor = ?1 AND time_ns = ?2 AND key = ?3",
                                    err);
    if (!s)
        return false;
    bind_row(s, row);
    if (row->size) {
        sqlite3_bind_int(s, 6, row->kind);
        sqlite3_bind_blob(s, 7, row->bytes, row->size, SQLITE_STATIC);
    }
    return store_step(store, s, err);
}

static bool bytes_of(struct store *store, const char *sensor, uint64_t *bytes, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store, "SELECT bytes FROM history_totals WHERE sensor = ?", err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    *bytes = sqlite3_step(s) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return true;
}

/* Removes by age, then the oldest until the size is kept: at most 50 times 2000 rows a call. */
bool history_limits_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct history_limits *limits = data;
    uint64_t bytes;
    (void)size;
    sqlite3_stmt *s =
        store_statement(store, "DELETE FROM history WHERE sensor = ? AND time_ns < ?", err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, limits->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, limits->before_ns);
    if (!store_step(store, s, err))
        return false;
    for (int turn = 0; turn < 50; turn++) {
        if (!bytes_of(store, limits->sensor, &bytes, err))
            return false;
        if (bytes <= limits->bytes_max)
            return true;
        s = store_statement(store,
                            "DELETE FROM history WHERE sensor = ?1 AND time_ns <= (SELECT time_ns"
                            " FROM history WHERE sensor = ?1 ORDER BY time_ns, key LIMIT 1 OFFSET"
                            " min(1999, (SELECT count(*) - 1 FROM (SELECT 1 FROM history"
                            " WHERE sensor = ?1 LIMIT 2000))))",
                            err);
        if (!s)
            return false;
        sqlite3_bind_text(s, 1, limits->sensor, -1, SQLITE_STATIC);
        if (!store_step(store, s, err))
            return false;
    }
    return true;
}

/* --- replay --- */

enum { NAMES_MAX = 256, NAME_SIZE = 24 };

/* The names of protocols last as long as a replay, as those of dissectors do: who hears of events
 * keeps them. */
struct replay {
    struct event_unpacked unpacked;
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
    return hash_mix(id, (uintptr_t)protocol) | 1;
}

static void play(const struct history_player *player, sqlite3_stmt *s, struct replay *r,
                 struct history_span *span)
{
    struct event_unpacked *u = &r->unpacked;
    int64_t time_ns = sqlite3_column_int64(s, 0), last_ns = sqlite3_column_int64(s, 1);
    int64_t count = sqlite3_column_int64(s, 2);
    const uint8_t *bytes = sqlite3_column_blob(s, 4);
    int size = sqlite3_column_bytes(s, 4);
    if (!bytes || size <= 0 || count < 1 || !event_unpack(u, bytes, (size_t)size))
        return;
    struct ot_event *e = &u->event;
    e->time_ns = time_ns;
    e->protocol = lasting(r, e->protocol);
    u->flow.id = flow_id(&u->flow, e->protocol);
    u->flow.first_ns = u->flow.last_ns = time_ns;
    if (span->rows++ == 0)
        span->first_ns = time_ns;
    if (last_ns > span->last_ns)
        span->last_ns = last_ns;
    span->events += (uint64_t)count;
    if (sqlite3_column_int(s, 3) == HISTORY_EVENT)
        player->event(player->context, e, (uint64_t)count, last_ns);
    else if (player->flow && e->code[0] < SIGMA_MOMENTS)
        player->flow(player->context, &u->flow, (enum sigma_moment)e->code[0],
                     e->protocol[0] ? e->protocol : NULL, time_ns, (uint64_t)count);
}

/* The beginning of the range, or of its newest rows. */
static bool find_start(struct store *store, const char *sensor, const struct history_range *range,
                       int64_t *start_ns, bool *is_cut, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store,
                        "SELECT time_ns FROM history WHERE sensor = ? AND time_ns >= ? AND "
                        "time_ns <= ? ORDER BY time_ns DESC, key DESC LIMIT 1 OFFSET ?",
                        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, range->from_ns);
    sqlite3_bind_int64(s, 3, range->to_ns);
    sqlite3_bind_int64(s, 4, (int64_t)range->rows_max);
    *is_cut = sqlite3_step(s) == SQLITE_ROW;
    *start_ns = *is_cut ? sqlite3_column_int64(s, 0) + 1 : range->from_ns;
    sqlite3_reset(s);
    return true;
}

static bool replay_from(struct store *store, const char *sensor, int64_t from_ns, int64_t to_ns,
                        const struct history_player *player, struct history_span *span,
                        struct error *err)
{
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT time_ns, last_ns, count, kind, event FROM history"
                                      " WHERE sensor = ? AND time_ns >= ? AND time_ns <= ?"
                                      " ORDER BY time_ns, key",
                                      err);
    struct replay *r = calloc(1, sizeof *r);
    if (!s || !r) {
        free(r);
        return s ? error_set(err, "out of memory") : false;
    }
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, from_ns);
    sqlite3_bind_int64(s, 3, to_ns);
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        play(player, s, r, span);
    sqlite3_reset(s);
    if (player->end && code == SQLITE_DONE)
        player->end(player->context, span);
    free(r);
    return code == SQLITE_DONE || error_set(err, "store %s: cannot read the history: %s",
                                            store_path(store), sqlite3_errmsg(store_handle(store)));
}

bool history_replay_range(struct store *store, const char *sensor,
                          const struct history_range *range, const struct history_player *player,
                          struct history_span *span, struct error *err)
{
    int64_t start_ns;
    *span = (struct history_span){0};
    return find_start(store, sensor, range, &start_ns, &span->is_cut, err) &&
           replay_from(store, sensor, start_ns, range->to_ns, player, span, err);
}

bool history_replay(struct store *store, const char *sensor, const struct history_player *player,
                    struct history_span *span, struct error *err)
{
    *span = (struct history_span){0};
    return replay_from(store, sensor, INT64_MIN, INT64_MAX, player, span, err);
}
