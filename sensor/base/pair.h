/* pair.h: the pair of hosts decides which worker sees a packet: both directions and all connections
 * of a pair go to one. */
#pragma once

#include "address.h"
#include "hash.h"

/* One end: of hosts without IP the MAC counts. */
struct pair_end {
    const struct address *ip;
    const struct mac *mac;
};

uint64_t pair_hash_any(uint32_t segment, struct pair_end a, struct pair_end b);

/* Nearly all: two IPv4 addresses are one number, so that no two pairs of a segment meet. */
static inline uint64_t pair_hash_ends(uint32_t segment, struct pair_end a, struct pair_end b)
{
    if (a.ip->kind != ADDRESS_IP4 || b.ip->kind != ADDRESS_IP4)
        return pair_hash_any(segment, a, b);
    uint64_t x = address_ip4(a.ip), y = address_ip4(b.ip);
    return hash_mix(segment, x < y ? x << 32 | y : y << 32 | x);
}

/* Symmetric in a and b; with the run's seed: never stored, what is stored finds its worker anew. */
static inline uint64_t pair_hash(uint32_t segment, const struct endpoint *a,
                                 const struct endpoint *b)
{
    return pair_hash_ends(segment, (struct pair_end){&a->ip, &a->mac},
                          (struct pair_end){&b->ip, &b->mac});
}

static inline uint32_t pair_worker(uint64_t hash, uint32_t workers)
{
    return (uint32_t)((hash >> 32) % workers);
}
