/* slots.h: a bounded table of small entries under 64-bit keys, allocated once.
 *
 * Entries live in sets of SLOTS_WAYS; when a set is full its least recently used entry goes. The
 * keys of a set are on one cache line, so that a search touches that and the entry found. Every
 * entry begins with a struct slot, so the caller declares what follows. A key is a hash that stands
 * for what was hashed; 0 is never one. */
#pragma once

#include "sensor/base/fetch.h"
#include "sensor/base/ways.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOTS_WAYS = WAYS };

struct slot {
    uint64_t key; /* 0: empty */
    int64_t used_ns;
};

struct slots {
    uint64_t *keys; /* of the entries; that of a dropped one stays until its place is taken */
    uint8_t *bytes; /* the entries, on cache lines */
    size_t entry_size;
    size_t capacity;  /* entries */
    uint64_t evicted; /* entries given up for others */
};

/* Allocates zeroed entries for at least `capacity` of them. False when there is no memory. */
bool slots_create(struct slots *s, size_t capacity, size_t entry_size);
void slots_destroy(struct slots *s);

/* The number of the first entry of the key's set. */
static inline size_t slots_set(const struct slots *s, uint64_t key)
{
    size_t sets = s->capacity / SLOTS_WAYS;
    return ((size_t)(key >> 20) & (sets - 1)) * SLOTS_WAYS;
}

/* The key will be looked for soon: its set's keys are fetched into the cache meanwhile. */
static inline void slots_expect(const struct slots *s, uint64_t key)
{
    fetch(&s->keys[slots_set(s, key)]);
}

/* The same a moment later: its entry is fetched, too. */
static inline void slots_expect_entry(const struct slots *s, uint64_t key)
{
    size_t set = slots_set(s, key);
    unsigned ways = ways_of(&s->keys[set], key);
    if (ways)
        fetch(s->bytes + (set + ways_first(ways)) * s->entry_size);
}

/* The entry, marked as used, or NULL. */
void *slots_find(struct slots *s, uint64_t key, int64_t now_ns);
/* The entry, made zeroed when missing. Never NULL. */
void *slots_take(struct slots *s, uint64_t key, int64_t now_ns, bool *is_new);
void slots_drop(void *entry);

/* The i-th place, i < capacity, for walks; its key is 0 when it is empty. */
static inline void *slots_at(const struct slots *s, size_t i)
{
    return s->bytes + i * s->entry_size;
}

/* The place of an entry: slots_at of it is the entry. */
static inline size_t slots_index(const struct slots *s, const void *entry)
{
    return (size_t)((const uint8_t *)entry - s->bytes) / s->entry_size;
}

/* It is not empty. Those that never were used cost no look at their place. */
static inline bool slots_is_used(const struct slots *s, size_t i)
{
    return s->keys[i] != 0 && ((const struct slot *)slots_at(s, i))->key != 0;
}
