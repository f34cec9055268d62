/* pair.h: the pair of hosts decides which worker sees a packet: both directions and all connections
 * of a pair go to one. */
#pragma once

#include "address.h"
#include "hash.h"

/* Symmetric in a and b; never seeded, so that stored state finds its worker again. */
uint64_t pair_hash(uint32_t segment, const struct endpoint *a, const struct endpoint *b);

static inline uint32_t pair_worker(uint64_t hash, uint32_t workers)
{
    return (uint32_t)((hash >> 32) % workers);
}
