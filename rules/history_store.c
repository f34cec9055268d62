/* history_store.c: rows of the history are packed into blocks and held to a size. */
#include "history_block.h"

#include "sensor/base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 32768,

    LIMIT_TURNS = 50,
    REMOVED_AT_ONCE = 4000, /* as statements say; some 16 MB to undo one */
};

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

/* rows: events of a block; 0: the row is one event. Of a block time_ns is the oldest and last_ns
 * the newest time of its records, key a hash of its bytes. */
static const char version_2[] = "ALTER TABLE history ADD COLUMN rows INTEGER NOT NULL DEFAULT 0";

/* Who writes to whom in which block (rules/history_writes.c); `which` tells things apart. The day
 * comes first, so that what is new lies together and what is old goes together. indexed: 0, an
 * older sensor wrote the block; else 1 and its rows in history_writes. */
static const char version_3[] =
    "ALTER TABLE history ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX history_not_indexed ON history(sensor, time_ns) WHERE indexed = 0;"
    "CREATE TABLE history_writes(sensor TEXT NOT NULL, day INTEGER NOT NULL, place INTEGER NOT"
    "  NULL, time_ns INTEGER NOT NULL, key INTEGER NOT NULL, which INTEGER NOT NULL,"
    "  PRIMARY KEY(sensor, day, place, time_ns, key)) WITHOUT ROWID;"
    "DROP TRIGGER history_added; DROP TRIGGER history_removed;"
    "CREATE TRIGGER history_added AFTER INSERT ON history BEGIN"
    "  INSERT INTO history_totals VALUES(NEW.sensor, length(NEW.event) + 60 + 60 * NEW.indexed)"
    "  ON CONFLICT(sensor) DO UPDATE SET"
    "  bytes = bytes + length(NEW.event) + 60 + 60 * NEW.indexed; END;"
    "CREATE TRIGGER history_removed AFTER DELETE ON history BEGIN"
    "  UPDATE history_totals SET bytes = bytes - length(OLD.event) - 60 - 60 * OLD.indexed"
    "  WHERE sensor = OLD.sensor; END;";

static const char *const migrations[] = {version_1, version_2, version_3, NULL};
const struct store_schema history_schema = {.name = "history", .migrations = migrations};

/* A block on its way to the store's writer; its bytes follow, then who wrote to whom. */
struct block {
    char sensor[HISTORY_SENSOR];
    int64_t oldest_ns, newest_ns;
    uint32_t rows, size, written;
};

struct written {
    uint64_t place, which;
};

enum { WRITTEN_MAX = BLOCK_BYTES / sizeof(struct history_record) };

/* --- packing --- */

struct history_packer {
    struct store_queue *queue;
    struct block block;
    uint8_t bytes[BLOCK_BYTES];
    struct written written[WRITTEN_MAX]; /* each place once */
};

struct history_packer *history_packer_create(const char *sensor, struct store_queue *queue)
{
    struct history_packer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->queue = queue;
    text_copy(p->block.sensor, sizeof p->block.sensor, text_of(sensor));
    return p;
}

void history_packer_destroy(struct history_packer *p)
{
    free(p);
}

int64_t history_signed(uint64_t key)
{
    int64_t same_bits;
    memcpy(&same_bits, &key, sizeof same_bits);
    return same_bits;
}

static bool written_apply(struct store *store, const struct block *b, int64_t key,
                          const uint8_t *bytes, struct error *err)
{
    for (uint32_t i = 0; i < b->written; i++) {
        struct written written;
        memcpy(&written, bytes + i * sizeof written, sizeof written);
        sqlite3_stmt *s = store_statement(
            store,
            "INSERT OR IGNORE INTO history_writes(sensor, day, place, time_ns, key, which)"
            " VALUES(?, ?, ?, ?, ?, ?)",
            err);
        if (!s)
            return false;
        sqlite3_bind_text(s, 1, b->sensor, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, history_day(b->oldest_ns));
        sqlite3_bind_int64(s, 3, history_signed(written.place));
        sqlite3_bind_int64(s, 4, b->oldest_ns);
        sqlite3_bind_int64(s, 5, key);
        sqlite3_bind_int64(s, 6, history_signed(written.which));
        if (!store_step(store, s, err))
            return false;
    }
    return true;
}

static bool block_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct block *b = data;
    const uint8_t *bytes = (const uint8_t *)data + sizeof *b;
    assert(size == sizeof *b + b->size + b->written * sizeof(struct written));
    int64_t key = history_signed(hash_bytes(bytes, b->size));
    sqlite3_stmt *s = store_statement(store,
                                      "INSERT OR IGNORE INTO history(sensor, time_ns, key, last_ns,"
                                      " count, kind, event, rows, indexed)"
                                      " VALUES(?, ?, ?, ?, 0, 0, ?, ?, ?)",
                                      err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, b->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, b->oldest_ns);
    sqlite3_bind_int64(s, 3, key);
    sqlite3_bind_int64(s, 4, b->newest_ns);
    sqlite3_bind_blob(s, 5, bytes, (int)b->size, SQLITE_STATIC);
    sqlite3_bind_int64(s, 6, b->rows ? b->rows : 1); /* counts alone are a block as well */
    sqlite3_bind_int64(s, 7, 1 + (int64_t)b->written);
    return store_step(store, s, err) && written_apply(store, b, key, bytes + b->size, err);
}

void history_pack_end(struct history_packer *p)
{
    struct block *b = &p->block;
    if (b->size > 0)
        store_post_pieces(
            p->queue, block_apply,
            (struct store_piece[]){
                {b,          sizeof *b                      },
                {p->bytes,   b->size                        },
                {p->written, b->written * sizeof *p->written}
        },
            3);
    b->size = b->rows = b->written = 0;
}

/* The difference of two times, which a capture file can choose. */
static int64_t between(int64_t early, int64_t late)
{
    int64_t ns;
    return __builtin_sub_overflow(late, early, &ns) ? INT64_MAX : ns;
}

/* There is room: each is of a record. */
static void note_written(struct history_packer *p, uint64_t place, uint64_t which)
{
    struct block *b = &p->block;
    uint32_t i = 0;
    while (i < b->written && p->written[i].place != place)
        i++;
    if (i == b->written)
        p->written[b->written++] = (struct written){place, 0};
    p->written[i].which |= which;
}

void history_pack(struct history_packer *p, const struct history_row *row)
{
    struct block *b = &p->block;
    int64_t oldest = b->size && b->oldest_ns < row->time_ns ? b->oldest_ns : row->time_ns;
    int64_t newest = b->size && b->newest_ns > row->time_ns ? b->newest_ns : row->time_ns;
    struct history_record r = {.time_ns = row->time_ns,
                               .last_ns = row->last_ns,
                               .key = row->key,
                               .count = row->count,
                               .size = row->size,
                               .kind = row->kind,
                               .written = row->written ? HISTORY_WRITTEN : HISTORY_NOT_WRITTEN};
    if (between(oldest, newest) > HISTORY_SPAN_NS || b->size + sizeof r + row->size > BLOCK_BYTES) {
        history_pack_end(p);
        oldest = newest = row->time_ns;
    }
    memcpy(p->bytes + b->size, &r, sizeof r);
    memcpy(p->bytes + b->size + sizeof r, row->bytes, row->size);
    b->size += (uint32_t)sizeof r + row->size;
    if (row->written)
        note_written(p, row->written, row->which);
    b->rows += row->size > 0;
    b->oldest_ns = oldest;
    b->newest_ns = newest;
}

/* --- limits --- */

bool history_number(struct store *store, const char *sql, const char *sensor, int64_t with,
                    int64_t *number, bool *is_there, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, sql, err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, with);
    int code = sqlite3_step(s);
    *is_there = code == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL;
    *number = *is_there ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return code == SQLITE_ROW || code == SQLITE_DONE ||
           error_set(err, "store %s: cannot read the history: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}

static bool remove_until(struct store *store, const char *sql, const char *sensor, int64_t time_ns,
                         struct error *err)
{
    sqlite3_stmt *s = store_statement(store, sql, err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, time_ns);
    return store_step(store, s, err);
}

static bool remove_before(struct store *store, const struct history_limits *limits,
                          struct error *err)
{
    do {
        if (!remove_until(store,
                          "DELETE FROM history WHERE sensor = ?1 AND (time_ns, key) IN"
                          " (SELECT time_ns, key FROM history WHERE sensor = ?1 AND time_ns < ?2"
                          " AND (rows = 0 OR last_ns < ?2) LIMIT 4000)",
                          limits->sensor, limits->before_ns, err))
            return false;
    } while (sqlite3_changes(store_handle(store)) == REMOVED_AT_ONCE);
    return true;
}

/* At most 50 times 4000 rows a call. */
static bool remove_old(struct store *store, const struct history_limits *limits, struct error *err)
{
    if (!remove_before(store, limits, err))
        return false;
    for (int turn = 0; turn < LIMIT_TURNS; turn++) {
        int64_t bytes, until;
        bool is_there;
        if (!history_number(store, "SELECT bytes FROM history_totals WHERE sensor = ?",
                            limits->sensor, 0, &bytes, &is_there, err))
            return false;
        if (!is_there || bytes <= 0 || (uint64_t)bytes <= limits->bytes_max)
            return true;
        /* the oldest that take what is too much */
        if (!history_number(
                store,
                "SELECT coalesce(min(CASE WHEN taken >= ?2 THEN time_ns END), max(time_ns))"
                " FROM (SELECT time_ns, sum(length(event) + 60 + 60 * indexed) OVER (ORDER BY "
                "time_ns, key)"
                " AS taken FROM (SELECT time_ns, key, event, indexed FROM history WHERE sensor = ?1"
                " ORDER BY time_ns, key LIMIT 4000))",
                limits->sensor, bytes - (int64_t)limits->bytes_max, &until, &is_there, err))
            return false;
        if (!is_there)
            return true;
        if (!remove_until(store, "DELETE FROM history WHERE sensor = ? AND time_ns <= ?",
                          limits->sensor, until, err))
            return false;
    }
    return true;
}

/* Of days of which no block is left. */
static bool remove_writes(struct store *store, const char *sensor, struct error *err)
{
    int64_t oldest_ns;
    bool is_there;
    return history_number(store, "SELECT min(time_ns) FROM history WHERE sensor = ?", sensor, 0,
                          &oldest_ns, &is_there, err) &&
           remove_until(store, "DELETE FROM history_writes WHERE sensor = ? AND day < ?", sensor,
                        is_there ? history_day(oldest_ns) : INT64_MAX, err);
}

/* By age, then the oldest until the size is kept. */
bool history_limits_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct history_limits *limits = data;
    (void)size;
    return remove_old(store, limits, err) && remove_writes(store, limits->sensor, err);
}
