/* arena.c: see arena.h. */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

bool arena_create(struct arena *a, size_t size)
{
    *a = (struct arena){malloc(size), size, 0};
    return a->bytes != NULL;
}

void arena_destroy(struct arena *a)
{
    free(a->bytes);
    *a = (struct arena){NULL, 0, 0};
}

void *arena_take_unset(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t start = (a->used + align - 1) & ~(align - 1);
    if (start > a->size || size > a->size - start)
        return NULL;
    a->used = start + size;
    return a->bytes + start;
}

void *arena_take(struct arena *a, size_t size)
{
    void *taken = arena_take_unset(a, size);
    return taken ? memset(taken, 0, size) : NULL;
}
