/* ways.h: the eight keys of a set of a table, which are one cache line. All are compared, without a
 * branch: where a search would end nobody can predict. */
#pragma once

#include <stdint.h>

enum { WAYS = 8 };

static inline unsigned way_if(uint64_t key, uint64_t wanted, unsigned way)
{
    return (unsigned)(key == wanted) << way;
}

/* A bit for each place where the key is. */
static inline unsigned ways_of(const uint64_t keys[WAYS], uint64_t key)
{
    return way_if(keys[0], key, 0) | way_if(keys[1], key, 1) | way_if(keys[2], key, 2) |
           way_if(keys[3], key, 3) | way_if(keys[4], key, 4) | way_if(keys[5], key, 5) |
           way_if(keys[6], key, 6) | way_if(keys[7], key, 7);
}

/* The first of these places; ways is not 0. */
static inline unsigned ways_first(unsigned ways)
{
    return (unsigned)__builtin_ctz(ways);
}
