/* readers.c: a stack of open stores, all of the same file. */
#include "readers.h"

#include "accounts.h"
#include "alerts/alerts.h"
#include "baseline/baseline.h"
#include "baseline/inventory.h"
#include "rules/history.h"
#include "rules/windows.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    KEPT_MAX = 12,  /* each with a page cache of its own: more requests at once gain nothing */
    PATIENCE_S = 2, /* for one that is lent to come back; then a further one is opened */
    STEPS = 20000,  /* of a statement, about a millisecond: how often it looks for a stop */
};

struct readers {
    const char *path;
    const volatile sig_atomic_t *stop;
    pthread_mutex_t lock;
    pthread_cond_t is_back;
    size_t lent;
    dev_t device; /* of the file that those kept have open */
    ino_t file;
    struct store *kept[KEPT_MAX];
    size_t count;
};

/* A store that no console has written yet has no accounts: to read it needs the sensor's tables. */
#define SENSOR_SCHEMAS                                                                             \
    &inventory_schema, &baseline_schema, &alerts_schema, &history_schema, &windows_schema
static const struct store_schema *const read_schemas[] = {SENSOR_SCHEMAS, NULL};
static const struct store_schema *const write_schemas[] = {SENSOR_SCHEMAS, &web_schema, NULL};

struct readers *readers_create(const char *path, const volatile sig_atomic_t *stop)
{
    struct readers *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->path = path;
    r->stop = stop;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->is_back, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return r;
}

static void close_all(struct readers *r)
{
    while (r->count > 0)
        store_close(r->kept[--r->count]);
}

void readers_destroy(struct readers *r)
{
    if (!r)
        return;
    close_all(r);
    pthread_cond_destroy(&r->is_back);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* While many ask at once. Locked. */
static void wait_for_one(struct readers *r)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    while (r->lent >= KEPT_MAX && pthread_cond_timedwait(&r->is_back, &r->lock, &until) == 0)
        ;
}

/* The flag is set by a signal, which may reach any thread. */
static int is_stopped(void *context)
{
    const struct readers *r = context;
    return __atomic_load_n(r->stop, __ATOMIC_RELAXED) != 0;
}

static void came_back(struct readers *r)
{
    r->lent--;
    pthread_cond_signal(&r->is_back);
}

struct store *readers_take(struct readers *r, struct error *err)
{
    struct store *store = NULL;
    struct stat now;
    bool is_there = stat(r->path, &now) == 0;
    pthread_mutex_lock(&r->lock);
    wait_for_one(r);
    r->lent++;
    if (!is_there || now.st_dev != r->device || now.st_ino != r->file) {
        close_all(r);
        r->device = is_there ? now.st_dev : 0;
        r->file = is_there ? now.st_ino : 0;
    }
    if (r->count > 0)
        store = r->kept[--r->count];
    pthread_mutex_unlock(&r->lock);
    if (store)
        return store;
    if (store_open(&store, r->path, STORE_READ_ONLY, read_schemas, err)) {
        sqlite3_progress_handler(store_handle(store), STEPS, is_stopped, r);
        return store;
    }
    pthread_mutex_lock(&r->lock);
    came_back(r);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

void readers_give(struct readers *r, struct store *store)
{
    struct stat now;
    bool is_there = stat(r->path, &now) == 0;
    pthread_mutex_lock(&r->lock);
    if (is_there && !store_is_snapshot(store) && now.st_dev == r->device && now.st_ino == r->file &&
        r->count < KEPT_MAX) {
        r->kept[r->count++] = store;
        store = NULL;
    }
    came_back(r);
    pthread_mutex_unlock(&r->lock);
    store_close(store);
}

bool writer_open(struct store **store, const char *path, struct error *err)
{
    return store_open(store, path, STORE_READ_WRITE, write_schemas, err);
}
