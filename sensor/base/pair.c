/* pair.c: see pair.h. */
#include "pair.h"

static uint64_t end_hash(struct pair_end e)
{
    if (e.ip->kind != ADDRESS_NONE)
        return hash_stable(e.ip, sizeof *e.ip);
    return hash_stable(e.mac, sizeof *e.mac);
}

uint64_t pair_hash_any(uint32_t segment, struct pair_end a, struct pair_end b)
{
    uint64_t x = end_hash(a);
    uint64_t y = end_hash(b);
    return hash_mix(segment, x < y ? hash_mix(x, y) : hash_mix(y, x));
}
