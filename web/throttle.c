/* throttle.c: a small table of failures, looked through from end to end: log-ins are rare. */
#include "throttle.h"

#include "sensor/base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES = 512,
    FREE_FAILURES = 4,   /* people mistype */
    WAIT_MAX_S = 300,    /* long enough against guessing, short enough not to lock anybody out */
    FORGET_MS = 3600000, /* without a further failure */
};

struct failures {
    uint64_t key; /* 0: free */
    uint32_t count;
    int64_t last_ms;
};

struct throttle {
    pthread_mutex_t lock;
    struct failures entries[ENTRIES];
};

struct throttle *throttle_create(void)
{
    struct throttle *t = calloc(1, sizeof *t);
    if (t)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

void throttle_destroy(struct throttle *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static uint64_t key_of(const char *key)
{
    return hash_bytes(key, strlen(key)) | 1;
}

static struct failures *find(struct throttle *t, uint64_t key)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (t->entries[i].key == key)
            return &t->entries[i];
    return NULL;
}

static unsigned wait_of(const struct failures *f, int64_t now_ms)
{
    if (f->count <= FREE_FAILURES)
        return 0;
    unsigned doublings = f->count - FREE_FAILURES;
    int64_t wait_s = doublings > 8 ? WAIT_MAX_S : INT64_C(1) << doublings;
    if (wait_s > WAIT_MAX_S)
        wait_s = WAIT_MAX_S;
    int64_t left_ms = f->last_ms + wait_s * 1000 - now_ms;
    return left_ms > 0 ? (unsigned)((left_ms + 999) / 1000) : 0;
}

unsigned throttle_wait(struct throttle *t, const char *key, int64_t now_ms)
{
    pthread_mutex_lock(&t->lock);
    const struct failures *f = find(t, key_of(key));
    unsigned wait_s = f ? wait_of(f, now_ms) : 0;
    pthread_mutex_unlock(&t->lock);
    return wait_s;
}

void throttle_failed(struct throttle *t, const char *key, int64_t now_ms)
{
    pthread_mutex_lock(&t->lock);
    struct failures *f = find(t, key_of(key));
    if (!f) {
        f = &t->entries[0];
        for (size_t i = 1; i < ENTRIES && f->key; i++)
            if (t->entries[i].key == 0 || t->entries[i].last_ms < f->last_ms)
                f = &t->entries[i];
        *f = (struct failures){.key = key_of(key)};
    }
    if (now_ms - f->last_ms > FORGET_MS)
        f->count = 0;
    f->count++;
    f->last_ms = now_ms;
    pthread_mutex_unlock(&t->lock);
}

void throttle_forget(struct throttle *t, const char *key)
{
    pthread_mutex_lock(&t->lock);
    struct failures *f = find(t, key_of(key));
    if (f)
        *f = (struct failures){0};
    pthread_mutex_unlock(&t->lock);
}
