/* inbox.c: a short list under a lock, with a flag beside it that costs the worker no lock. */
#include "inbox.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WAITING_MAX = 256 }; /* it is emptied once a second; more come in the seconds after */

struct inbox {
    atomic_bool has_some;
    pthread_mutex_t lock; /* over what follows */
    size_t count;
    struct baseline_decision decisions[WAITING_MAX];
};

struct inbox *inbox_create(void)
{
    struct inbox *b = calloc(1, sizeof *b);
    if (b)
        pthread_mutex_init(&b->lock, NULL);
    return b;
}

void inbox_destroy(struct inbox *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

bool inbox_is_full(struct inbox *b)
{
    pthread_mutex_lock(&b->lock);
    bool is_full = b->count == WAITING_MAX;
    pthread_mutex_unlock(&b->lock);
    return is_full;
}

void inbox_put(struct inbox *b, const struct baseline_decision *decision)
{
    pthread_mutex_lock(&b->lock);
    assert(b->count < WAITING_MAX);
    b->decisions[b->count++] = *decision;
    atomic_store(&b->has_some, true);
    pthread_mutex_unlock(&b->lock);
}

void inbox_take(struct inbox *b,
                void (*take)(void *context, const struct baseline_decision *decision),
                void *context)
{
    if (!atomic_load(&b->has_some))
        return;
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->count; i++)
        take(context, &b->decisions[i]);
    b->count = 0;
    atomic_store(&b->has_some, false);
    pthread_mutex_unlock(&b->lock);
}
