/* patience.c: see patience.h. */
#include "patience.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ASKING_MAX = 600,   /* more than there can be connections */
    ASK_MAX_MS = 60000, /* for headers and body: 256 KiB in a minute are 4 KiB a second */
};

struct asking {
    bool is_used, is_asking;
    int socket;
    int64_t since_ms;
};

struct patience {
    pthread_mutex_t lock;
    struct asking all[ASKING_MAX];
};

struct patience *patience_create(void)
{
    struct patience *p = calloc(1, sizeof *p);
    if (p)
        pthread_mutex_init(&p->lock, NULL);
    return p;
}

void patience_destroy(struct patience *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct asking *patience_begin(struct patience *p, int socket, int64_t now_ms)
{
    struct asking *a = NULL;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < ASKING_MAX && !a; i++)
        if (!p->all[i].is_used)
            a = &p->all[i];
    if (a)
        *a = (struct asking){true, true, socket, now_ms};
    pthread_mutex_unlock(&p->lock);
    return a;
}

void patience_again(struct patience *p, struct asking *a, int64_t now_ms)
{
    if (!a)
        return;
    pthread_mutex_lock(&p->lock);
    a->is_asking = true;
    a->since_ms = now_ms;
    pthread_mutex_unlock(&p->lock);
}

void patience_asked(struct patience *p, struct asking *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&p->lock);
    a->is_asking = false;
    pthread_mutex_unlock(&p->lock);
}

void patience_end(struct patience *p, struct asking *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&p->lock);
    a->is_used = a->is_asking = false;
    pthread_mutex_unlock(&p->lock);
}

void patience_enforce(struct patience *p, int64_t now_ms)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < ASKING_MAX; i++)
        if (p->all[i].is_asking && now_ms - p->all[i].since_ms > ASK_MAX_MS)
            shutdown(p->all[i].socket, SHUT_RDWR); /* its thread sees the end */
    pthread_mutex_unlock(&p->lock);
}
