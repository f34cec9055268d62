/* pool.c: power-of-two blocks carved from slabs. Room for the cap's slabs is asked for at the
 * start, so that nothing is while packets pass; only what is used of it becomes memory. */
#include "pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALLEST_SHIFT = 6, /* 64 bytes */
    LARGEST_SHIFT = 17,
    CLASS_COUNT = LARGEST_SHIFT - SMALLEST_SHIFT + 1,
    SLAB_SIZE = 1 << 18,
    RESERVED_MAX = 64 << 20,
};

struct block {
    struct block *next;
};

struct slab {
    struct slab *next;
    max_align_t bytes[];
};

struct pool {
    struct block *free[CLASS_COUNT];
    char *reserved; /* reserved_left bytes of it are not used yet */
    size_t reserved_size, reserved_left;
    struct slab
        *slabs; /* beyond: a cap's worth of blocks can take more, for each slab has one size */
    size_t used, cap;
};

static unsigned class_of(size_t size)
{
    unsigned c = 0;
    while (((size_t)1 << (c + SMALLEST_SHIFT)) < size)
        c++;
    return c;
}

size_t pool_block_size(size_t size)
{
    return (size_t)1 << (class_of(size) + SMALLEST_SHIFT);
}

struct pool *pool_create(size_t cap)
{
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->cap = cap;
    p->reserved_size = (cap < RESERVED_MAX ? cap : RESERVED_MAX) / SLAB_SIZE * SLAB_SIZE;
    p->reserved = p->reserved_size ? malloc(p->reserved_size) : NULL;
    p->reserved_left = p->reserved ? p->reserved_size : 0;
    return p;
}

void pool_destroy(struct pool *p)
{
    if (!p)
        return;
    while (p->slabs) {
        struct slab *next = p->slabs->next;
        free(p->slabs);
        p->slabs = next;
    }
    free(p->reserved);
    free(p);
}

/* SLAB_SIZE bytes; NULL: out of memory. */
static char *slab_take(struct pool *p)
{
    if (p->reserved_left > 0) {
        char *bytes = p->reserved + (p->reserved_size - p->reserved_left);
        p->reserved_left -= SLAB_SIZE;
        return bytes;
    }
    struct slab *slab = malloc(sizeof *slab + SLAB_SIZE);
    if (!slab)
        return NULL;
    slab->next = p->slabs;
    p->slabs = slab;
    return (char *)slab->bytes;
}

static void refill(struct pool *p, unsigned c)
{
    size_t block_size = (size_t)1 << (c + SMALLEST_SHIFT);
    char *bytes = slab_take(p);
    if (!bytes)
        return;
    for (size_t at = 0; at + block_size <= SLAB_SIZE; at += block_size) {
        struct block *b = (void *)(bytes + at);
        b->next = p->free[c];
        p->free[c] = b;
    }
}

void *pool_take(struct pool *p, size_t size)
{
    if (size > POOL_BLOCK_MAX)
        return NULL;
    unsigned c = class_of(size);
    size_t block_size = (size_t)1 << (c + SMALLEST_SHIFT);
    if (p->used + block_size > p->cap)
        return NULL;
    if (!p->free[c])
        refill(p, c);
    struct block *b = p->free[c];
    if (!b)
        return NULL;
    p->free[c] = b->next;
    p->used += block_size;
    return memset(b, 0, size);
}

void pool_give(struct pool *p, void *block, size_t size)
{
    if (!block)
        return;
    unsigned c = class_of(size);
    struct block *b = block;
    b->next = p->free[c];
    p->free[c] = b;
    size_t block_size = (size_t)1 << (c + SMALLEST_SHIFT);
    assert(p->used >= block_size);
    p->used -= block_size;
}

size_t pool_used(const struct pool *p)
{
    return p->used;
}
