/* hash.c: XXH3 with the run's seed. */
#include "hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed_of_run; /* written once at start, before any thread */

void hash_seed(uint64_t seed)
{
    seed_of_run = seed;
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed(bytes, size, seed_of_run);
}

uint64_t hash_stable(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}
