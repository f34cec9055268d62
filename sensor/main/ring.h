/* ring.h: records of any size from one thread to one other, without locks.
 * The producer reserves, fills and commits; the consumer looks at the oldest and releases it. A
 * record is contiguous. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* size is rounded up to a power of two. NULL when memory is out. */
struct ring *ring_create(size_t size);
void ring_destroy(struct ring *r);

/* Producer: room for a record of exactly this size and kind, or NULL when the ring is full. Not
 * visible before ring_commit. */
void *ring_reserve(struct ring *r, uint32_t kind, size_t size);
void ring_commit(struct ring *r);

/* Consumer: the oldest record, or NULL when there is none. Valid until ring_release. */
void *ring_peek(struct ring *r, uint32_t *kind, size_t *size);
void ring_release(struct ring *r);

/* Consumer: sleeps until something may have come, at most about max_us microseconds. */
void ring_wait(struct ring *r, unsigned max_us);
