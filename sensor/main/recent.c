/* recent.c: sets of eight on two cache lines; the one told longest ago makes room. A connection
 * with reads, writes and identification in both directions has some six roles, which is what was
 * seen to push each other out of sets of four. */
#include "recent.h"

#include "sensor/base/fetch.h"
#include "sensor/base/pages.h"

#include <stdlib.h>

enum { CACHE_LINE = 64, WAYS = 8 };

struct told {
    uint64_t key; /* 0: free */
    int64_t time_ns;
};

struct set {
    struct told ways[WAYS];
};
_Static_assert(sizeof(struct set) == 2 * CACHE_LINE, "a set is two cache lines");

struct recent {
    struct set *sets;
    uint64_t mask;
};

struct recent *recent_create(uint32_t capacity)
{
    struct recent *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    uint64_t sets = 1;
    while (sets * WAYS < capacity)
        sets *= 2;
    r->mask = sets - 1;
    r->sets = pages_take(sets * sizeof *r->sets);
    if (!r->sets) {
        free(r);
        return NULL;
    }
    return r;
}

void recent_destroy(struct recent *r)
{
    if (!r)
        return;
    pages_give(r->sets, (r->mask + 1) * sizeof *r->sets);
    free(r);
}

void recent_look(const struct recent *r, uint64_t place)
{
    const struct set *set = &r->sets[place & r->mask];
    fetch(&set->ways[0]);
    fetch(&set->ways[WAYS / 2]);
}

bool recent_is_due(struct recent *r, uint64_t key, int64_t now_ns, int64_t every_ns)
{
    return recent_is_due_at(r, key >> 1, key, now_ns, every_ns);
}

int64_t recent_told_ns(const struct recent *r, uint64_t key)
{
    const struct told *ways = r->sets[key >> 1 & r->mask].ways;
    for (int way = 0; way < WAYS; way++)
        if (ways[way].key == (key | 1))
            return ways[way].time_ns;
    return 0;
}

void recent_set_at(struct recent *r, uint64_t place, uint64_t key, int64_t told_ns)
{
    struct told *ways = r->sets[place & r->mask].ways;
    for (int way = 0; way < WAYS; way++)
        if (ways[way].key == (key | 1))
            ways[way].time_ns = told_ns;
}

bool recent_is_due_at(struct recent *r, uint64_t place, uint64_t key, int64_t now_ns,
                      int64_t every_ns)
{
    key |= 1;
    struct told *ways = r->sets[place & r->mask].ways, *chosen = &ways[0];
    for (int way = 0; way < WAYS; way++) {
        if (ways[way].key == key) {
            chosen = &ways[way];
            break;
        }
        if (ways[way].time_ns < chosen->time_ns)
            chosen = &ways[way];
    }
    if (chosen->key == key && now_ns >= chosen->time_ns && now_ns - chosen->time_ns < every_ns)
        return false;
    *chosen = (struct told){key, now_ns};
    return true;
}
