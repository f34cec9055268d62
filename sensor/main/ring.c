/* ring.c: a single-producer, single-consumer byte ring on C11 atomics. */
#include "ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    ALIGN = 16,
    CACHE_LINE = 64,
};
#define KIND_WRAP UINT32_MAX /* the rest up to the end is unused */

struct header {
    uint32_t kind;
    uint32_t size; /* of the record's data */
    uint64_t padding;
};

struct ring {
    uint8_t *bytes;
    size_t mask;
    char apart_1[CACHE_LINE];
    _Atomic size_t head; /* consumer: bytes released */
    char apart_2[CACHE_LINE];
    _Atomic size_t tail; /* producer: bytes committed */
    char apart_3[CACHE_LINE];
    size_t reserved;   /* producer: tail after commit */
    size_t known_head; /* producer's last look at head */
};

struct ring *ring_create(size_t size)
{
    size_t rounded = 4096;
    while (rounded < size)
        rounded *= 2;
    struct ring *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->bytes = aligned_alloc(ALIGN, rounded);
    r->mask = rounded - 1;
    if (!r->bytes) {
        free(r);
        return NULL;
    }
    return r;
}

void ring_destroy(struct ring *r)
{
    if (!r)
        return;
    free(r->bytes);
    free(r);
}

static size_t whole(size_t size)
{
    return sizeof(struct header) + ((size + ALIGN - 1) & ~(size_t)(ALIGN - 1));
}

static struct header *header_at(struct ring *r, size_t at)
{
    return (void *)(r->bytes + (at & r->mask));
}

static bool has_room(struct ring *r, size_t end)
{
    if (end - r->known_head <= r->mask + 1)
        return true;
    r->known_head = atomic_load_explicit(&r->head, memory_order_acquire);
    return end - r->known_head <= r->mask + 1;
}

void *ring_reserve(struct ring *r, uint32_t kind, size_t size)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    size_t need = whole(size);
    size_t to_end = r->mask + 1 - (tail & r->mask);
    size_t skip = need > to_end ? to_end : 0;
    if (need > (r->mask + 1) / 2 || !has_room(r, tail + skip + need))
        return NULL;
    if (skip)
        *header_at(r, tail) = (struct header){.kind = KIND_WRAP};
    struct header *h = header_at(r, tail + skip);
    *h = (struct header){.kind = kind, .size = (uint32_t)size};
    r->reserved = tail + skip + need;
    return h + 1;
}

void ring_commit(struct ring *r)
{
    atomic_store_explicit(&r->tail, r->reserved, memory_order_release);
}

void *ring_peek(struct ring *r, uint32_t *kind, size_t *size)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&r->tail, memory_order_acquire))
        return NULL;
    struct header *h = header_at(r, head);
    if (h->kind == KIND_WRAP) {
        head += r->mask + 1 - (head & r->mask);
        atomic_store_explicit(&r->head, head, memory_order_release);
        h = header_at(r, head); /* a wrap is committed together with the record behind it */
    }
    *kind = h->kind;
    *size = h->size;
    return h + 1;
}

void ring_release(struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    assert(head != atomic_load_explicit(&r->tail, memory_order_acquire));
    atomic_store_explicit(&r->head, head + whole(header_at(r, head)->size), memory_order_release);
}

void ring_wait(struct ring *r, unsigned max_us)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    for (unsigned slept_us = 0; slept_us < max_us; slept_us += 200) {
        if (head != atomic_load_explicit(&r->tail, memory_order_acquire))
            return;
        struct timespec t = {0, 200000};
        nanosleep(&t, NULL);
    }
}
