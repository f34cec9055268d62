/* arena.h: memory with one lifetime, given out by moving a mark and taken back all at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *bytes;
    size_t size;
    size_t used;
};

/* Allocates the arena's memory once. Returns false when there is none. */
bool arena_create(struct arena *a, size_t size);
void arena_destroy(struct arena *a);

/* Zeroed memory aligned for any type, or NULL when the arena is full. */
void *arena_take(struct arena *a, size_t size);
/* The same, with whatever was there before. */
void *arena_take_unset(struct arena *a, size_t size);

static inline void arena_reset(struct arena *a)
{
    a->used = 0;
}
