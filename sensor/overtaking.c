/* overtaking.c: see overtaking.h. */
#include "overtaking.h"

#include <string.h>

enum { DELIVERIES_MAX = 8 }; /* segments that overtake one do not go that far ahead of it */

void overtaking_drop(struct overtaking *o, struct pool *pool)
{
    pool_give(pool, o->bytes, OVERTAKING_MAX);
    *o = (struct overtaking){0};
}

void overtaking_append(struct overtaking *o, struct pool *pool, const uint8_t *bytes, size_t size)
{
    if (size > OVERTAKING_MAX - o->size) {
        overtaking_drop(o, pool);
        return;
    }
    if (!o->bytes)
        o->bytes = pool_take(pool, OVERTAKING_MAX);
    if (!o->bytes)
        return;
    memcpy(o->bytes + o->size, bytes, size);
    o->size += (uint32_t)size;
}

bool overtaking_prepend(struct overtaking *o, struct pool *pool, const uint8_t *bytes, size_t size)
{
    if (size <= OVERTAKING_MAX - o->size && !o->bytes)
        o->bytes = pool_take(pool, OVERTAKING_MAX);
    if (size > OVERTAKING_MAX - o->size || !o->bytes) {
        overtaking_drop(o, pool);
        return false;
    }
    memmove(o->bytes + size, o->bytes, o->size);
    memcpy(o->bytes, bytes, size);
    o->size += (uint32_t)size;
    o->age = 0;
    return true;
}

void overtaking_ages(struct overtaking *o, struct pool *pool)
{
    if (o->bytes && ++o->age >= DELIVERIES_MAX)
        overtaking_drop(o, pool);
}
