/* recent.c: sets of eight on two cache lines; the one told longest ago makes room. A connection
 * with reads, writes and identification in both directions has some six roles, which is what was
 * seen to push each other out of sets of four. */
#include "recent.h"

#include "sensor/base/fetch.h"
#include "sensor/base/pages.h"
#include "sensor/base/ways.h"

#include <stdlib.h>

enum { CACHE_LINE = 64 };

struct set {
    uint64_t keys[WAYS]; /* 0: free */
    int64_t times_ns[WAYS];
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
    fetch(set->keys);
    fetch(set->times_ns);
}

static unsigned oldest_of(const struct set *set)
{
    unsigned oldest = 0;
    for (unsigned way = 1; way < WAYS; way++)
        if (set->times_ns[way] < set->times_ns[oldest])
            oldest = way;
    return oldest;
}

bool recent_is_due(struct recent *r, uint64_t key, int64_t now_ns, int64_t every_ns)
{
    return recent_is_due_at(r, key >> 1, key, now_ns, every_ns);
}

int64_t recent_told_ns(const struct recent *r, uint64_t key)
{
    const struct set *set = &r->sets[key >> 1 & r->mask];
    unsigned ways = ways_of(set->keys, key | 1);
    return ways ? set->times_ns[ways_first(ways)] : 0;
}

void recent_set_at(struct recent *r, uint64_t place, uint64_t key, int64_t told_ns)
{
    struct set *set = &r->sets[place & r->mask];
    unsigned ways = ways_of(set->keys, key | 1);
    if (ways)
        set->times_ns[ways_first(ways)] = told_ns;
}

bool recent_is_due_at(struct recent *r, uint64_t place, uint64_t key, int64_t now_ns,
                      int64_t every_ns)
{
    struct set *set = &r->sets[place & r->mask];
    key |= 1;
    unsigned ways = ways_of(set->keys, key), way = ways ? ways_first(ways) : oldest_of(set);
    if (ways && now_ns >= set->times_ns[way] && now_ns - set->times_ns[way] < every_ns)
        return false;
    set->keys[way] = key;
    set->times_ns[way] = now_ns;
    return true;
}
