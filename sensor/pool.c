/* pool.c: power-of-two blocks carved from slabs. */
#include "pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALLEST_SHIFT = 6, /* 64 bytes */
    LARGEST_SHIFT = 17,
    CLASS_COUNT = LARGEST_SHIFT - SMALLEST_SHIFT + 1,
    SLAB_SIZE = 1 << 18,
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
    struct slab *slabs;
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
    if (p)
        p->cap = cap;
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
    free(p);
}

static void refill(struct pool *p, unsigned c)
{
    size_t block_size = (size_t)1 << (c + SMALLEST_SHIFT);
    struct slab *slab = malloc(sizeof *slab + SLAB_SIZE);
    if (!slab)
        return;
    slab->next = p->slabs;
    p->slabs = slab;
    char *bytes = (char *)slab->bytes;
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
