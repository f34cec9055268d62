/* pool.h: memory of flow lifetime: zeroed blocks in a few sizes, recycled through free lists, under
 * one cap. In the steady state nothing is taken from the system. Owned by one worker. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pool;

enum { POOL_BLOCK_MAX = 1 << 17 };

/* cap: bytes that may be given out at once. */
struct pool *pool_create(size_t cap);
void pool_destroy(struct pool *pool); /* frees all blocks, also those that were not given back */

/* A zeroed block of at least size bytes, or NULL when the cap is reached or size is over
 * POOL_BLOCK_MAX. */
void *pool_take(struct pool *pool, size_t size);
/* What pool_take(size) really gives. */
size_t pool_block_size(size_t size);
/* Gives a block back; size is what was asked for. NULL is harmless. */
void pool_give(struct pool *pool, void *block, size_t size);
size_t pool_used(const struct pool *pool);
