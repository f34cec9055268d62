/* store.h: the SQLite file (WAL) that is the system of record of one sensor.
 *
 * Each folder describes its own tables as a struct store_schema; store_open brings every schema to
 * its newest version. Writes go through a struct store_queue: applied at once inside a running
 * batch when reading files (one thread, deterministic), or by a writer thread for live capture, so
 * that the packet path never waits for the disk. */
#pragma once

#include "error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_schema {
    const char *name; /* of the folder: "alerts" */
    const char *const
        *migrations; /* SQL scripts; element i brings version i to i + 1; NULL at the end */
    const char *const *newest; /* what all of them lead to, for a new store; NULL: they are run */
};

enum store_access { STORE_READ_WRITE, STORE_READ_ONLY };

struct store;

/* Once in a program, before the first store: spares the lock that SQLite's counts of memory, which
 * nobody reads, would take at every allocation. */
void store_prepare(void);

/* Opens (READ_WRITE: creates) the store. Fails with a clear error when the file is not ours, is
 * newer than this program, or cannot be opened. ":memory:" is allowed. schemas is NULL-terminated.
 */
bool store_open(struct store **store, const char *path, enum store_access access,
                const struct store_schema *const *schemas, struct error *err) NODISCARD;
/* Checkpoints the WAL into the one file and closes. NULL is harmless. */
void store_close(struct store *store);

sqlite3 *store_handle(struct store *store);
const char *store_path(const struct store *store);
/* Read as it is, without a lock (a full disk): right for short only. */
bool store_is_snapshot(const struct store *store);
const struct store_schema *const *store_schemas_of(const struct store *store);

/* Runs SQL without results. */
bool store_exec(struct store *store, const char *sql, struct error *err) NODISCARD;
/* What failed last failed for its own data (a constraint, a value that is too great) and would fail
 * again. */
bool store_has_refused(const struct store *store);
/* Ends a transaction without effect, if one is open. */
void store_rollback(struct store *store);
/* Prepares a statement once and keeps it by its SQL text (a literal); reset and unbound at every
 * call. NULL on error. */
sqlite3_stmt *store_statement(struct store *store, const char *sql, struct error *err);
/* Steps a statement that returns no rows. False on error (full disk...). */
bool store_step(struct store *store, sqlite3_stmt *statement, struct error *err) NODISCARD;

/* A string of settings kept in the store itself ("sensor", "schema"...). get: "" when missing. */
bool store_setting_set(struct store *store, const char *key, const char *value,
                       struct error *err) NODISCARD;
void store_setting_get(struct store *store, const char *key, char *value, size_t capacity);

/* --- batched writes --- */
struct store_queue;

/* How a posted write is carried out; data is a copy of what was posted. Called in posting order. A
 * statement changes at most some thousand rows: what would undo it is kept in memory. */
typedef bool store_apply(struct store *store, const void *data, size_t size, struct error *err);

/* threaded: a writer thread with its own connection commits batches (every second or 1000 writes);
 * otherwise writes are applied by the caller and committed by store_queue_commit and when some
 * thousands, or 8 MB of them, wait. */
bool store_queue_create(struct store_queue **queue, struct store *store, bool is_threaded,
                        struct error *err) NODISCARD;
/* Waits until all is written, commits, and stops the thread. False when something could not be
 * written. */
bool store_queue_close(struct store_queue *queue, struct error *err);

/* Posts one write. Bounded: when the writer lags (disk full, slow), the oldest-posted waits in
 * memory up to a cap, then the write is dropped and counted. A write that the store refuses for its
 * own data is dropped and counted too. Never blocks. */
void store_post(struct store_queue *queue, store_apply *apply, const void *data, size_t size);
/* The same for what comes in great numbers: of such writes with the same `apply` those that follow
 * each other are carried out together, at most STORE_TOGETHER at once. */
enum { STORE_TOGETHER = 256 };
typedef bool store_apply_together(struct store *store, const void *const *data, size_t count,
                                  struct error *err);
void store_post_together(struct store_queue *queue, store_apply_together *apply, const void *data,
                         size_t size);
/* As store_post; the data are these pieces, one behind the other. */
struct store_piece {
    const void *data;
    size_t size;
};
void store_post_pieces(struct store_queue *queue, store_apply *apply,
                       const struct store_piece *pieces, size_t count);
/* The same for what a person waits for: a quarter of the cap is kept free of everything else. */
void store_post_alert(struct store_queue *queue, store_apply *apply,
                      const struct store_piece *pieces, size_t count);
bool store_queue_commit(struct store_queue *queue, struct error *err);

struct store_queue_state {
    uint64_t posted, written, dropped, failed_commits;
    bool is_failing; /* the last commit did not work: disk full, read-only file */
    char last_error[256];
};
void store_queue_state(struct store_queue *queue, struct store_queue_state *state);
