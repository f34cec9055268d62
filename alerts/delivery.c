/* delivery.c: the output thread. Reads the outbox in order, for each output from its own place on,
 * and moves the place when the output has taken the messages for good. An output that is away is
 * tried again with growing pauses. */
#include "alerts.h"
#include "output.h"
#include "rows.h"

#include "sensor/base/log.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BATCH_MAX = 64,
    POLL_MS = 200,   /* the outbox is looked at this often */
    CHECK_MS = 5000, /* an output with nothing to do is asked this often whether all is well */
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 10000,
    STOPPING_BACKOFF_MS = 200, /* who waits for the end tries more often */
};

static const struct output *const outputs[] = {
#define OUTPUT(name) &output_##name,
#include "outputs.def"
#undef OUTPUT
};
enum { OUTPUT_COUNT = sizeof outputs / sizeof *outputs };

/* One output and its place. The thread's own. */
struct lane {
    const struct output *output;
    void *state;
    int64_t cursor; /* delivered up to here */
    uint64_t delivered;
    char mark[OUTPUT_MARK_SIZE];
    int64_t retry_at_ms, check_at_ms; /* monotonic */
    int64_t backoff_ms;
    bool is_failing, is_unsaved;
};

struct delivery {
    const struct config *config;
    struct store *store; /* the thread's own connection */
    struct lane lanes[OUTPUT_COUNT];
    size_t lane_count;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t wake;
    bool is_stopping;
    int64_t give_up_at_ms;
    struct delivery_state state;
};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool delivery_is_configured(const struct config *config)
{
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        if (outputs[i]->is_configured(config))
            return true;
    return false;
}

/* --- places --- */

static bool cursor_read(struct delivery *d, struct lane *lane, struct error *err)
{
    sqlite3_stmt *s = store_statement(
        d->store, "SELECT seq, mark, delivered FROM output_cursor WHERE sensor = ? AND output = ?",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, d->config->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, lane->output->name, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW) {
        lane->cursor = sqlite3_column_int64(s, 0);
        text_copy(lane->mark, sizeof lane->mark, text_of((const char *)sqlite3_column_text(s, 1)));
        lane->delivered = (uint64_t)sqlite3_column_int64(s, 2);
    }
    sqlite3_reset(s);
    return true;
}

/* A place that cannot be written (full disk, long writer) is written later; until then messages may
 * come twice after a crash, which (id, revision) makes harmless. */
static bool cursor_write(struct delivery *d, struct lane *lane, struct error *err)
{
    lane->is_unsaved = true;
    sqlite3_stmt *s = store_statement(
        d->store,
        "INSERT INTO output_cursor(sensor, output, seq, mark, delivered) VALUES(?, ?, ?, ?, ?)"
        " ON CONFLICT(sensor, output) DO UPDATE SET seq = excluded.seq, mark = excluded.mark,"
        " delivered = excluded.delivered",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, d->config->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, lane->output->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, lane->cursor);
    sqlite3_bind_text(s, 4, lane->mark, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 5, (int64_t)lane->delivered);
    lane->is_unsaved = !store_step(d->store, s, err);
    return !lane->is_unsaved;
}

/* --- one batch --- */

struct batch {
    struct outgoing messages[BATCH_MAX];
    size_t count;
    int64_t last; /* sequence number up to which the outbox was read */
};

static void batch_release(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        free((void *)(uintptr_t)batch->messages[i].stream); /* one block per message */
    batch->count = 0;
}

/* Copies a row into one block: stream, id, json. */
static bool batch_add(struct batch *batch, sqlite3_stmt *row)
{
    size_t sizes[3], total = 0;
    const int columns[3] = {1, 2, 4};
    for (int i = 0; i < 3; i++) {
        if (!sqlite3_column_text(row, columns[i]))
            return false;
        sizes[i] = (size_t)sqlite3_column_bytes(row, columns[i]) + 1;
        total += sizes[i];
    }
    char *block = malloc(total), *at = block;
    if (!block)
        return false;
    const char *texts[3];
    for (int i = 0; i < 3; i++) {
        memcpy(at, sqlite3_column_text(row, columns[i]), sizes[i]);
        texts[i] = at;
        at += sizes[i];
    }
    batch->messages[batch->count++] = (struct outgoing){
        .seq = sqlite3_column_int64(row, 0),
        .stream = texts[0],
        .id = texts[1],
        .revision = (uint32_t)sqlite3_column_int64(row, 3),
        .json = texts[2],
        .json_size = sizes[2] - 1,
    };
    return true;
}

/* Revisions that were published while there was no output have no document of their own: the newest
 * is the store's, those before it are passed over. */
static bool batch_read(struct delivery *d, const struct lane *lane, struct batch *batch,
                       struct error *err)
{
    batch->count = 0;
    batch->last = lane->cursor;
    sqlite3_stmt *s = store_statement(
        d->store,
        "SELECT seq, stream, id, rev, CASE WHEN json <> '' THEN json ELSE (SELECT document"
        " FROM alerts a WHERE a.sensor = o.sensor AND a.id = o.id AND a.revision = o.rev) END"
        " FROM outbox o WHERE sensor = ? AND seq > ? ORDER BY seq LIMIT ?",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, d->config->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, lane->cursor);
    sqlite3_bind_int(s, 3, BATCH_MAX);
    int code = SQLITE_DONE;
    bool ok = true;
    while (ok && (code = sqlite3_step(s)) == SQLITE_ROW) {
        batch->last = sqlite3_column_int64(s, 0);
        ok = sqlite3_column_type(s, 4) == SQLITE_NULL || batch_add(batch, s);
    }
    sqlite3_reset(s);
    return (ok && code == SQLITE_DONE) ||
           error_set(err, "store %s: cannot read the outbox: %s", store_path(d->store),
                     sqlite3_errmsg(store_handle(d->store)));
}

static void note_state(struct delivery *d)
{
    bool is_failing = false;
    for (size_t i = 0; i < d->lane_count; i++)
        is_failing = is_failing || d->lanes[i].is_failing;
    if (is_failing && !d->state.is_failing)
        d->state.failing_since_ns = clock_ms(CLOCK_MONOTONIC) * 1000000;
    d->state.is_failing = is_failing;
}

static void lane_failed(struct delivery *d, struct lane *lane, const struct error *err)
{
    bool is_news = !lane->is_failing;
    lane->is_failing = true;
    lane->backoff_ms = lane->backoff_ms ? lane->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (lane->backoff_ms > BACKOFF_MAX_MS)
        lane->backoff_ms = BACKOFF_MAX_MS;
    lane->retry_at_ms = clock_ms(CLOCK_MONOTONIC) + lane->backoff_ms;

    pthread_mutex_lock(&d->lock);
    d->state.retries++;
    text_copy(d->state.last_error, sizeof d->state.last_error, text_of(err->text));
    note_state(d);
    pthread_mutex_unlock(&d->lock);
    if (is_news)
        log_warning("%s; alerts wait in the store and are sent later", err->text);
}

static void lane_worked(struct delivery *d, struct lane *lane)
{
    lane->backoff_ms = 0;
    if (!lane->is_failing)
        return;
    lane->is_failing = false;
    pthread_mutex_lock(&d->lock);
    note_state(d);
    pthread_mutex_unlock(&d->lock);
    log_info("output %s works again", lane->output->name);
}

static void lane_delivered(struct delivery *d, size_t count)
{
    pthread_mutex_lock(&d->lock);
    d->state.delivered += count;
    pthread_mutex_unlock(&d->lock);
}

/* The far side is empty: from the beginning of what the outbox keeps. */
static void lane_rewind(struct delivery *d, struct lane *lane)
{
    pthread_mutex_lock(&d->lock);
    d->state.resent++;
    pthread_mutex_unlock(&d->lock);
    lane->cursor = 0;
    log_warning("output %s has lost what it was given; sending again", lane->output->name);
}

/* Hands the batch over and moves the place. True: all of it, or all that the output wanted at once.
 */
static bool lane_publish(struct delivery *d, struct lane *lane, const struct batch *batch,
                         struct error *err)
{
    size_t done =
        lane->output->publish(lane->state, batch->messages, batch->count, lane->mark, err);
    if (done > 0) {
        lane->cursor = done == batch->count ? batch->last : batch->messages[done - 1].seq;
        lane->delivered += done;
        (void)cursor_write(d, lane, NULL);
        lane_delivered(d, done);
    }
    return done == batch->count || (done > 0 && !err->text[0]);
}

/* Asks the output, then moves one batch. True: there may be more at once. */
static bool lane_step(struct delivery *d, struct lane *lane)
{
    struct error err = {""};
    struct batch batch;
    int64_t now = clock_ms(CLOCK_MONOTONIC);
    bool ok = batch_read(d, lane, &batch, &err), is_more = false;
    if (ok && batch.count == 0 && batch.last > lane->cursor) {
        lane->cursor = batch.last; /* nothing but what is passed over */
        return cursor_write(d, lane, NULL);
    }
    if (ok && (batch.count > 0 || lane->is_failing || now >= lane->check_at_ms)) {
        char mark_before[OUTPUT_MARK_SIZE];
        memcpy(mark_before, lane->mark, sizeof mark_before);
        lane->check_at_ms = now + CHECK_MS;
        enum output_state state = lane->output->check(lane->state, lane->mark, &err);
        ok = state != OUTPUT_AWAY;
        if (state == OUTPUT_EMPTY)
            lane_rewind(d, lane);
        if (strcmp(mark_before, lane->mark) != 0 || lane->is_unsaved)
            (void)cursor_write(d, lane, NULL);
        is_more = state == OUTPUT_EMPTY;
        if (state == OUTPUT_READY && batch.count > 0)
            is_more = ok = lane_publish(d, lane, &batch, &err);
    }
    batch_release(&batch);
    if (ok)
        lane_worked(d, lane);
    else
        lane_failed(d, lane, &err);
    return is_more;
}

/* --- the thread --- */

static int64_t number_of(struct delivery *d, const char *sql)
{
    sqlite3_stmt *s = store_statement(d->store, sql, NULL);
    if (!s)
        return 0;
    sqlite3_bind_text(s, 1, d->config->sensor, -1, SQLITE_STATIC);
    int64_t number = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return number;
}

/* What the output that is furthest behind still has to take. Sequence numbers have no holes, and
 * the oldest go first. */
static void count_waiting(struct delivery *d)
{
    if (d->lane_count == 0)
        return; /* nothing waits for nobody */
    int64_t cursor = d->lanes[0].cursor;
    for (size_t i = 1; i < d->lane_count; i++)
        if (d->lanes[i].cursor < cursor)
            cursor = d->lanes[i].cursor;
    int64_t first = number_of(d, "SELECT min(seq) FROM outbox WHERE sensor = ?");
    int64_t next = number_of(d, "SELECT outbox_next FROM alert_totals WHERE sensor = ?");
    int64_t lost = number_of(d, "SELECT outbox_lost FROM alert_totals WHERE sensor = ?");
    int64_t from = cursor + 1 > first ? cursor + 1 : first;
    pthread_mutex_lock(&d->lock);
    d->state.waiting = first > 0 && next > from ? (uint64_t)(next - from) : 0;
    d->state.lost = (uint64_t)lost;
    pthread_mutex_unlock(&d->lock);
}

static bool lanes_step(struct delivery *d, bool is_stopping)
{
    bool is_more = false;
    for (size_t i = 0; i < d->lane_count; i++) {
        struct lane *lane = &d->lanes[i];
        int64_t now = clock_ms(CLOCK_MONOTONIC);
        if (is_stopping && lane->retry_at_ms > now + STOPPING_BACKOFF_MS)
            lane->retry_at_ms = now + STOPPING_BACKOFF_MS;
        if (now >= lane->retry_at_ms)
            is_more = lane_step(d, lane) || is_more;
    }
    count_waiting(d);
    return is_more;
}

/* Waits for the next look. True: the end. */
static bool pause_or_end(struct delivery *d, bool is_more, bool *is_stopping)
{
    int64_t at = clock_ms(CLOCK_MONOTONIC) + POLL_MS;
    struct timespec until = {.tv_sec = at / 1000, .tv_nsec = (long)(at % 1000) * 1000000};
    pthread_mutex_lock(&d->lock);
    bool was_stopping = d->is_stopping;
    if (!is_more && !(was_stopping && d->state.waiting == 0))
        pthread_cond_timedwait(&d->wake, &d->lock, &until);
    *is_stopping = d->is_stopping;
    /* the step before has seen the whole outbox only if the end was announced before it */
    bool is_end =
        was_stopping && (d->state.waiting == 0 || clock_ms(CLOCK_MONOTONIC) >= d->give_up_at_ms);
    pthread_mutex_unlock(&d->lock);
    return is_end;
}

static void *deliver(void *context)
{
    struct delivery *d = context;
    bool is_stopping = false, is_end = false;
    while (!is_end) {
        bool is_more = lanes_step(d, is_stopping);
        is_end = pause_or_end(d, is_more, &is_stopping);
    }
    return NULL;
}

/* --- start and stop --- */

static void release(struct delivery *d)
{
    for (size_t i = 0; i < d->lane_count; i++)
        d->lanes[i].output->close(d->lanes[i].state);
    store_close(d->store);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->wake);
    free(d);
}

/* An output that is no longer wanted has no place: nothing waits for it. */
static bool cursor_remove(struct delivery *d, const struct output *output, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(d->store, "DELETE FROM output_cursor WHERE sensor = ? AND output = ?", err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, d->config->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, output->name, -1, SQLITE_STATIC);
    return store_step(d->store, s, err);
}

static bool open_lanes(struct delivery *d, struct error *err)
{
    for (size_t i = 0; i < OUTPUT_COUNT; i++) {
        if (!outputs[i]->is_configured(d->config)) {
            if (!cursor_remove(d, outputs[i], err))
                return false;
            continue;
        }
        struct lane *lane = &d->lanes[d->lane_count];
        lane->output = outputs[i];
        lane->state = outputs[i]->open(d->config);
        if (!lane->state)
            return error_set(err, "output %s: out of memory", outputs[i]->name);
        d->lane_count++;
        /* known to the outbox from the start, so that it can tell what was lost for whom */
        if (!cursor_read(d, lane, err) || !cursor_write(d, lane, err))
            return false;
    }
    return true;
}

/* The program's signals are the main thread's; writing to a connection that is gone is an error,
 * not a signal. */
static int start_thread(struct delivery *d)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = pthread_create(&d->thread, NULL, deliver, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

bool delivery_start(struct delivery **delivery, const struct config *config, const char *store_path,
                    struct error *err)
{
    static const struct store_schema *const schemas[] = {&alerts_schema, NULL};
    *delivery = NULL;
    if (strcmp(store_path, ":memory:") == 0)
        return error_set(err,
                         "outputs read from a store file: name one with -s instead of :memory:");
    struct delivery *d = calloc(1, sizeof *d);
    if (!d)
        return error_set(err, "outputs: out of memory");
    d->config = config;
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&d->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    bool ok =
        store_open(&d->store, store_path, STORE_READ_WRITE, schemas, err) && open_lanes(d, err);
    if (ok)
        count_waiting(d); /* the state is whole from the first question on */
    if (ok && start_thread(d) != 0)
        ok = error_set(err, "outputs: cannot start a thread");
    if (!ok) {
        release(d);
        return false;
    }
    *delivery = d;
    return true;
}

void delivery_stop(struct delivery *d, int patience_ms)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->is_stopping = true;
    d->give_up_at_ms = clock_ms(CLOCK_MONOTONIC) + patience_ms;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    if (d->state.waiting > 0)
        log_warning("%llu messages wait in the store for the next run",
                    (unsigned long long)d->state.waiting);
    release(d);
}

void delivery_state(struct delivery *d, struct delivery_state *state)
{
    pthread_mutex_lock(&d->lock);
    *state = d->state;
    pthread_mutex_unlock(&d->lock);
}
