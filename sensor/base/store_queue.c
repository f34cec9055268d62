/* store_queue.c: writes in batches, by the caller or by a writer thread.
 *
 * A batch that cannot be committed (disk full) is kept and tried again as a whole, so that nothing
 * is lost while memory lasts; past QUEUE_BYTES_MAX new writes are dropped and counted, those of
 * alerts last. A write that can never be carried out (its own data break a rule of the store) is
 * dropped alone: the others must not wait behind it for ever. */
#include "log.h"
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BATCH_MAX = 1000,       /* writes of one transaction */
    BATCH_HERE_MAX = 16384, /* without a thread: nobody waits for files to be read */
    BATCH_BYTES = 8 << 20,
    QUEUE_BYTES_MAX = 64 << 20,                   /* what may wait while the disk is slow or full */
    QUEUE_BYTES_COMMON = QUEUE_BYTES_MAX / 4 * 3, /* the rest is for alerts alone */
    COMMIT_MS = 1000,
    RETRY_MS = 2000,
};

struct write {
    struct write *next;
    store_apply *apply; /* NULL: */
    store_apply_together *together;
    size_t size;
    max_align_t data[];
};

struct store_queue {
    struct store *store; /* what writes go to: of a writer thread its own connection */
    bool is_threaded;
    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    struct write *first, **last;
    size_t waiting_bytes, waiting_count;
    bool is_stopping, is_flush_wanted, is_busy;
    bool has_refused; /* told once */
    struct store_queue_state state;
    size_t full_bytes, full_count; /* what waits is written when it is so much */
    pthread_t thread;
};

static void note_failure(struct store_queue *q, const struct error *err)
{
    pthread_mutex_lock(&q->lock);
    bool is_news = !q->state.is_failing;
    q->state.is_failing = true;
    q->state.failed_commits++;
    snprintf(q->state.last_error, sizeof q->state.last_error, "%.255s", err->text);
    pthread_mutex_unlock(&q->lock);
    if (is_news)
        log_error("%s; writes wait in memory", err->text);
}

/* What became of a list of writes. */
struct outcome {
    unsigned written, refused;
    struct error why; /* of the last that was refused */
};

static void note_success(struct store_queue *q, const struct outcome *done)
{
    pthread_mutex_lock(&q->lock);
    bool is_news = q->state.is_failing, is_refusal_news = done->refused && !q->has_refused;
    q->state.is_failing = false;
    q->state.written += done->written;
    q->state.dropped += done->refused;
    if (done->refused) {
        q->has_refused = true;
        snprintf(q->state.last_error, sizeof q->state.last_error, "%.255s", done->why.text);
    }
    pthread_mutex_unlock(&q->lock);
    if (is_news)
        log_info("store %s: writing works again", store_path(q->store));
    if (is_refusal_news)
        log_error("%s; what the store refuses is left out and counted", done->why.text);
}

/* Applies the first of a list and those behind it that are carried out together with it, at most
 * `max`; `w` is then what follows. */
static bool write_some(struct store_queue *q, const struct write **w, size_t max, unsigned *count,
                       struct error *err)
{
    const struct write *first = *w;
    const void *data[STORE_TOGETHER];
    size_t n = 0;
    do {
        data[n++] = (*w)->data;
        *w = (*w)->next;
    } while (*w && n < max && first->together && (*w)->together == first->together);
    *count = (unsigned)n;
    return first->together ? first->together(q->store, data, n, err)
                           : first->apply(q->store, first->data, first->size, err);
}

typedef bool write_list(struct store_queue *q, const struct write *first, struct outcome *done,
                        struct error *err);

static bool write_all(struct store_queue *q, const struct write *first, struct outcome *done,
                      struct error *err)
{
    for (const struct write *w = first; w;) {
        unsigned count;
        if (!write_some(q, &w, STORE_TOGETHER, &count, err))
            return false;
        done->written += count;
    }
    return true;
}

/* As write_all, each write by itself: those that the store refuses are left out. */
static bool write_each(struct store_queue *q, const struct write *first, struct outcome *done,
                       struct error *err)
{
    for (const struct write *w = first; w;) {
        unsigned count;
        if (!store_exec(q->store, "SAVEPOINT one", err))
            return false;
        if (write_some(q, &w, 1, &count, err)) {
            done->written++;
        } else if (store_has_refused(q->store)) {
            done->refused++;
            done->why = *err;
            if (!store_exec(q->store, "ROLLBACK TO one", err))
                return false;
        } else {
            return false;
        }
        if (!store_exec(q->store, "RELEASE one", err))
            return false;
    }
    return true;
}

/* Carries a list out in one transaction. False: nothing of it is in the store. */
static bool write_in_transaction(struct store_queue *q, write_list *list, const struct write *first,
                                 bool *is_refused, struct error *err)
{
    struct outcome done = {0};
    bool has_begun = store_exec(q->store, "BEGIN IMMEDIATE", err);
    bool is_applied = has_begun && list(q, first, &done, err);
    *is_refused = has_begun && !is_applied && store_has_refused(q->store);
    if (is_applied && store_exec(q->store, "COMMIT", err)) {
        note_success(q, &done);
        return true;
    }
    store_rollback(q->store);
    return false;
}

static bool write_batch(struct store_queue *q, const struct write *first)
{
    struct error err = {""};
    bool is_refused;
    if (write_in_transaction(q, write_all, first, &is_refused, &err) ||
        (is_refused && write_in_transaction(q, write_each, first, &is_refused, &err)))
        return true;
    note_failure(q, &err);
    return false;
}

/* Of the clock that nobody sets: a wait must not last for as long as a clock was put back. */
static struct timespec after_ms(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static unsigned batch_max(const struct store_queue *q)
{
    return q->is_threaded ? BATCH_MAX : BATCH_HERE_MAX;
}

/* Cuts up to batch_max writes off the queue. Under lock. */
static struct write *take_batch(struct store_queue *q)
{
    struct write *first = q->first, **end = &q->first;
    for (unsigned n = 0; *end && n < batch_max(q); n++)
        end = &(*end)->next;
    q->first = *end;
    if (!q->first)
        q->last = &q->first;
    *end = NULL;
    return first;
}

/* Puts a batch that failed back to the front. Under lock. */
static void give_back(struct store_queue *q, struct write *batch)
{
    struct write **end = &batch;
    while (*end)
        end = &(*end)->next;
    *end = q->first;
    q->first = batch;
    while (*q->last)
        q->last = &(*q->last)->next;
}

static void free_batch(struct store_queue *q, struct write *batch)
{
    size_t bytes = 0, count = 0;
    while (batch) {
        struct write *next = batch->next;
        bytes += sizeof *batch + batch->size;
        count++;
        free(batch);
        batch = next;
    }
    pthread_mutex_lock(&q->lock);
    q->waiting_bytes -= bytes;
    q->waiting_count -= count;
    pthread_mutex_unlock(&q->lock);
}

/* So much waits that it is written without waiting for more. Under lock. */
static bool is_full(const struct store_queue *q)
{
    return q->waiting_count >= q->full_count || q->waiting_bytes >= q->full_bytes;
}

static void *writer(void *context)
{
    struct store_queue *q = context;
    int wait_ms = COMMIT_MS;
    bool has_failed = false; /* a disk that is full is not asked again with every write */
    for (;;) {
        pthread_mutex_lock(&q->lock);
        struct timespec until = after_ms(wait_ms);
        while (!q->is_stopping && !q->is_flush_wanted && (has_failed || !is_full(q)) &&
               pthread_cond_timedwait(&q->wake, &q->lock, &until) != ETIMEDOUT)
            continue;
        struct write *batch = take_batch(q);
        bool is_last_try = q->is_stopping;
        q->is_busy = true;
        pthread_mutex_unlock(&q->lock);

        bool ok = !batch || write_batch(q, batch);
        if (ok)
            free_batch(q, batch);
        pthread_mutex_lock(&q->lock);
        if (!ok)
            give_back(q, batch);
        q->is_busy = false;
        bool is_empty = !q->first;
        if (is_empty || !ok) {
            q->is_flush_wanted = false;
            pthread_cond_broadcast(&q->idle);
        }
        has_failed = !ok;
        wait_ms = !ok ? RETRY_MS : is_empty ? COMMIT_MS : 0;
        pthread_mutex_unlock(&q->lock);
        if (is_last_try && (is_empty || !ok))
            return NULL;
    }
}

/* A connection belongs to one thread. */
static bool start_writer(struct store_queue *q, struct store *store, struct error *err)
{
    q->store = NULL;
    if (!store_open(&q->store, store_path(store), STORE_READ_WRITE, store_schemas_of(store), err))
        return false;
    if (pthread_create(&q->thread, NULL, writer, q) == 0)
        return true;
    store_close(q->store);
    return error_set(err, "store %s: cannot start the writer thread", store_path(store));
}

bool store_queue_create(struct store_queue **queue, struct store *store, bool is_threaded,
                        struct error *err)
{
    struct store_queue *q = calloc(1, sizeof *q);
    *queue = q;
    if (!q)
        return error_set(err, "store %s: out of memory", store_path(store));
    q->store = store;
    q->is_threaded = is_threaded && strcmp(store_path(store), ":memory:") != 0;
    q->last = &q->first;
    q->full_bytes = BATCH_BYTES;
    q->full_count = batch_max(q);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, &monotonic);
    pthread_cond_init(&q->idle, NULL);
    pthread_condattr_destroy(&monotonic);
    if (q->is_threaded && !start_writer(q, store, err)) {
        free(q);
        *queue = NULL;
        return false;
    }
    return true;
}

static struct write *write_of(const struct write *about, const struct store_piece *pieces,
                              size_t count)
{
    struct write *w = malloc(sizeof *w + about->size);
    if (!w)
        return NULL;
    *w = *about;
    uint8_t *at = (uint8_t *)w->data;
    for (size_t i = 0; i < count; at += pieces[i++].size)
        if (pieces[i].size)
            memcpy(at, pieces[i].data, pieces[i].size);
    return w;
}

static void post(struct store_queue *q, const struct write *about, const struct store_piece *pieces,
                 size_t count, size_t bytes_max)
{
    pthread_mutex_lock(&q->lock);
    q->state.posted++;
    size_t bytes = sizeof(struct write) + about->size;
    struct write *w = q->waiting_bytes + bytes <= bytes_max ? write_of(about, pieces, count) : NULL;
    if (!w) {
        q->state.dropped++;
        pthread_mutex_unlock(&q->lock);
        return;
    }
    *q->last = w;
    q->last = &w->next;
    q->waiting_bytes += bytes;
    q->waiting_count++;
    bool is_enough = is_full(q);
    if (is_enough && q->is_threaded)
        pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
    if (is_enough && !q->is_threaded)
        store_queue_commit(q, NULL);
}

void store_post(struct store_queue *q, store_apply *apply, const void *data, size_t size)
{
    post(q, &(struct write){.apply = apply, .size = size}, &(struct store_piece){data, size}, 1,
         QUEUE_BYTES_COMMON);
}

void store_post_together(struct store_queue *q, store_apply_together *apply, const void *data,
                         size_t size)
{
    post(q, &(struct write){.together = apply, .size = size}, &(struct store_piece){data, size}, 1,
         QUEUE_BYTES_COMMON);
}

static void post_pieces(struct store_queue *q, store_apply *apply, const struct store_piece *pieces,
                        size_t count, size_t bytes_max)
{
    struct write about = {.apply = apply};
    for (size_t i = 0; i < count; i++)
        about.size += pieces[i].size;
    post(q, &about, pieces, count, bytes_max);
}

void store_post_pieces(struct store_queue *q, store_apply *apply, const struct store_piece *pieces,
                       size_t count)
{
    post_pieces(q, apply, pieces, count, QUEUE_BYTES_COMMON);
}

void store_post_alert(struct store_queue *q, store_apply *apply, const struct store_piece *pieces,
                      size_t count)
{
    post_pieces(q, apply, pieces, count, QUEUE_BYTES_MAX);
}

static bool commit_here(struct store_queue *q)
{
    bool ok = true;
    while (ok && q->first) {
        struct write *batch = take_batch(q);
        ok = write_batch(q, batch);
        if (ok)
            free_batch(q, batch);
        else
            give_back(q, batch);
    }
    /* a disk that is full is not asked again with every write */
    q->full_bytes = q->waiting_bytes + BATCH_BYTES;
    q->full_count = q->waiting_count + batch_max(q);
    return ok;
}

bool store_queue_commit(struct store_queue *q, struct error *err)
{
    bool ok;
    if (!q->is_threaded) {
        ok = commit_here(q);
    } else {
        pthread_mutex_lock(&q->lock);
        q->is_flush_wanted = true;
        pthread_cond_signal(&q->wake);
        while (q->is_flush_wanted)
            pthread_cond_wait(&q->idle, &q->lock);
        ok = !q->state.is_failing;
        pthread_mutex_unlock(&q->lock);
    }
    return ok || error_set(err, "%s", q->state.last_error);
}

bool store_queue_close(struct store_queue *q, struct error *err)
{
    if (!q)
        return true;
    if (q->is_threaded) {
        pthread_mutex_lock(&q->lock);
        q->is_stopping = true;
        pthread_cond_signal(&q->wake);
        pthread_mutex_unlock(&q->lock);
        pthread_join(q->thread, NULL);
    } else {
        (void)commit_here(q);
    }
    bool ok = !q->first && q->state.dropped == 0;
    if (!ok)
        error_set(err, "store %s: not everything could be written: %s", store_path(q->store),
                  q->state.last_error);
    free_batch(q, q->first);
    if (q->is_threaded)
        store_close(q->store);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
    pthread_cond_destroy(&q->idle);
    free(q);
    return ok;
}

void store_queue_state(struct store_queue *q, struct store_queue_state *state)
{
    pthread_mutex_lock(&q->lock);
    *state = q->state;
    pthread_mutex_unlock(&q->lock);
}
