/* hash.c: XXH3 with the run's seed. */
#include "hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* written once at start, before any thread */
static uint64_t seed_of_run;
uint64_t hash_secrets[2] = {0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu};

void hash_seed(uint64_t seed)
{
    seed_of_run = seed;
    for (uint64_t i = 0; i < sizeof hash_secrets / sizeof *hash_secrets; i++)
        hash_secrets[i] = hash_bytes(&i, sizeof i) | 1;
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed(bytes, size, seed_of_run);
}

uint64_t hash_stable(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}
