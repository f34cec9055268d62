/* open_alerts.c: a chained hash table by cause and a list by last growth. Alerts are allocated when
 * they begin: they are few beside the packets, and most sensors have far fewer than the cap. When
 * they end lies beside them, so that to look for those costs a few cache lines and not a few of
 * each alert. */
#include "open_alerts.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct entry {
    struct alert alert; /* first: an alert's address is its entry's */
    struct entry *older, *newer, *chain;
    size_t place; /* of its end */
};

struct end {
    int64_t due_ns;
    uint64_t turn; /* of its last growth */
    struct entry *entry;
};

struct open_alerts {
    size_t count, max;
    uint64_t turn;
    struct end *ends, *over; /* max of each; over: for the walk */
    struct alert **list;
    struct entry *oldest, *newest;
    struct entry *buckets[BUCKETS];
};

struct open_alerts *open_alerts_create(size_t max)
{
    struct open_alerts *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->max = max;
    t->ends = calloc(max, sizeof *t->ends);
    t->over = calloc(max, sizeof *t->over);
    t->list = calloc(max, sizeof *t->list);
    if (!t->ends || !t->over || !t->list) {
        open_alerts_destroy(t);
        return NULL;
    }
    return t;
}

void open_alerts_destroy(struct open_alerts *t)
{
    if (!t)
        return;
    for (struct entry *e = t->oldest; e;) {
        struct entry *newer = e->newer;
        free(e);
        e = newer;
    }
    free(t->ends);
    free(t->over);
    free(t->list);
    free(t);
}

static struct entry **bucket_of(struct open_alerts *t, const uint8_t cause[CAUSE_SIZE])
{
    uint32_t start; /* of a SHA-256: as even as any hash of it */
    memcpy(&start, cause, sizeof start);
    return &t->buckets[start % BUCKETS];
}

struct alert *open_alerts_find(struct open_alerts *t, const uint8_t cause[CAUSE_SIZE])
{
    for (struct entry *e = *bucket_of(t, cause); e; e = e->chain)
        if (memcmp(e->alert.cause, cause, CAUSE_SIZE) == 0)
            return &e->alert;
    return NULL;
}

static void link_newest(struct open_alerts *t, struct entry *e)
{
    e->older = t->newest;
    e->newer = NULL;
    *(t->newest ? &t->newest->newer : &t->oldest) = e;
    t->newest = e;
    t->ends[e->place].turn = ++t->turn;
}

static void unlink_entry(struct open_alerts *t, struct entry *e)
{
    *(e->older ? &e->older->newer : &t->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &t->newest) = e->older;
}

struct alert *open_alerts_add(struct open_alerts *t, const uint8_t cause[CAUSE_SIZE])
{
    struct entry *e = t->count < t->max ? calloc(1, sizeof *e) : NULL;
    if (!e)
        return NULL;
    memcpy(e->alert.cause, cause, CAUSE_SIZE);
    struct entry **bucket = bucket_of(t, cause);
    e->chain = *bucket;
    *bucket = e;
    e->place = t->count++;
    t->ends[e->place] = (struct end){.due_ns = INT64_MAX, .entry = e};
    link_newest(t, e);
    return &e->alert;
}

void open_alerts_touch(struct open_alerts *t, struct alert *alert)
{
    struct entry *e = (struct entry *)alert;
    unlink_entry(t, e);
    link_newest(t, e);
}

void open_alerts_due(struct open_alerts *t, const struct alert *alert, int64_t due_ns)
{
    t->ends[((const struct entry *)(const void *)alert)->place].due_ns = due_ns;
}

void open_alerts_remove(struct open_alerts *t, struct alert *alert)
{
    struct entry *e = (struct entry *)alert;
    struct entry **at = bucket_of(t, alert->cause);
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    unlink_entry(t, e);
    struct end last = t->ends[--t->count];
    t->ends[e->place] = last;
    last.entry->place = e->place;
    free(e);
}

size_t open_alerts_count(const struct open_alerts *t)
{
    return t->count;
}

struct alert *open_alerts_oldest(struct open_alerts *t)
{
    return t->oldest ? &t->oldest->alert : NULL;
}

struct alert *open_alerts_next(struct open_alerts *t, const struct alert *alert)
{
    (void)t;
    const struct entry *e = (const struct entry *)(const void *)alert;
    return e->newer ? &e->newer->alert : NULL;
}

static int by_growth(const void *a, const void *b)
{
    const struct end *x = a, *y = b;
    return x->turn < y->turn ? -1 : x->turn > y->turn;
}

struct alert *const *open_alerts_over(struct open_alerts *t, int64_t now_ns, size_t *count,
                                      int64_t *next_ns)
{
    size_t n = 0;
    *next_ns = INT64_MAX;
    for (size_t i = 0; i < t->count; i++) {
        const struct end *end = &t->ends[i];
        if (end->due_ns < now_ns)
            t->over[n++] = *end;
        else if (end->due_ns < *next_ns)
            *next_ns = end->due_ns;
    }
    qsort(t->over, n, sizeof *t->over, by_growth);
    for (size_t i = 0; i < n; i++)
        t->list[i] = &t->over[i].entry->alert;
    *count = n;
    return t->list;
}
