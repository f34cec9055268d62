/* table.h: a bounded hash table of learned entries, allocated once.
 *
 * Entries are found by a 64-bit hash of what they are about, and by that alone: with the seeded
 * hash of hash.h nobody on the wire can make two things meet. When the table is full the least
 * recently seen of a few neighbours goes. Things that were never learned (pending) fill at most a
 * quarter, so that a flood of new things cannot push out what is normal.
 *
 * What comes in cycles, as polls do, is found without a search: each entry remembers which one was
 * wanted after it, and a trail, which way a flow goes through the table. */
#pragma once

#include "sensor/base/fetch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_state {
    ENTRY_LEARNED,  /* normal */
    ENTRY_PENDING,  /* seen after learning, reported, not decided */
    ENTRY_REJECTED, /* someone said no: reported in every mode */
};

#define ENTRY_NONE UINT32_MAX

/* Begins every entry of a table. */
struct entry {
    uint64_t key; /* 0: free */
    int64_t first_ns, last_ns;
    uint64_t count;
    uint32_t next;        /* in its bucket */
    uint32_t then, other; /* places of entries that were wanted after it */
    uint8_t state;        /* enum entry_state */
    bool is_changed;      /* differs from its row in more than time and count */
    bool is_touched;      /* differs from its row */
};

struct table {
    uint8_t *entries; /* on cache lines */
    size_t entry_size;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t capacity, used; /* used only grows: a full table replaces */
    uint32_t pending, cursor;
    uint32_t changed; /* entries changed since the last save, at least */
    uint64_t evicted;
};

/* How one flow goes through a table. Places are counted in cache lines from the first entry; zeroed
 * is a beginning. */
struct trail {
    uint32_t last, next; /* found last; expected now */
};

enum { TABLE_LINE = 64 };

bool table_create(struct table *t, size_t entry_size, uint32_t capacity);
void table_destroy(struct table *t);

static inline struct entry *table_at(const struct table *t, uint32_t i)
{
    return (struct entry *)(void *)(t->entries + (size_t)i * t->entry_size);
}

static inline uint32_t table_index(const struct table *t, const struct entry *e)
{
    return (uint32_t)((size_t)((const uint8_t *)e - t->entries) / t->entry_size);
}

/* NULL when there is none. */
static inline void *table_find(const struct table *t, uint64_t key)
{
    for (uint32_t i = t->buckets[key & t->bucket_mask]; i != ENTRY_NONE;) {
        struct entry *e = table_at(t, i);
        if (e->key == key)
            return e;
        i = e->next;
    }
    return NULL;
}

static inline struct entry *table_place(const struct table *t, uint32_t place)
{
    return (struct entry *)(void *)(t->entries + (size_t)place * TABLE_LINE);
}

/* The same as table_find, at once where the trail goes on as it did before or stays where it is. */
static inline void *table_follow(const struct table *t, struct trail *trail, uint64_t key)
{
    struct entry *e = table_place(t, trail->next), *last = table_place(t, trail->last);
    if (e->key == key) {
        trail->last = trail->next;
        trail->next = e->then;
        return e;
    }
    if (last->key == key)
        return last;
    e = table_place(t, last->other);
    if (e->key != key) {
        e = table_find(t, key);
        if (!e)
            return NULL;
        last->other = last->then;
        last->then = (uint32_t)(((uint8_t *)e - t->entries) / TABLE_LINE);
    }
    trail->last = (uint32_t)(((uint8_t *)e - t->entries) / TABLE_LINE);
    trail->next = e->then;
    return e;
}

/* Fetches what the trail expects, the first `lines` cache lines of each. */
static inline void table_expect(const struct table *t, const struct trail *trail, int lines)
{
    for (int i = 0; i < lines; i++) {
        fetch(t->entries + ((size_t)trail->next + (size_t)i) * TABLE_LINE);
        fetch(t->entries + ((size_t)trail->last + (size_t)i) * TABLE_LINE);
    }
}

/* The same for what is looked for at once after what was just found, as the values of one write
 * are: one look ahead. */
static inline void table_expect_next(const struct table *t, const struct trail *trail, int lines)
{
    for (int i = 0; i < lines; i++)
        fetch(t->entries + ((size_t)trail->next + (size_t)i) * TABLE_LINE);
}

/* A new entry, zeroed but for its head; key must not be there yet. Never NULL: another may go for
 * it. */
void *table_add(struct table *t, uint64_t key, enum entry_state state, int64_t time_ns);
void table_state(struct table *t, struct entry *e, enum entry_state state);
size_t table_bytes(const struct table *t);

static inline void entry_touch(struct entry *e, int64_t time_ns)
{
    e->count++;
    e->is_touched = true;
    if (time_ns > e->last_ns)
        e->last_ns = time_ns;
}

static inline void entry_change(struct table *t, struct entry *e)
{
    if (!e->is_changed) {
        e->is_changed = true;
        t->changed++;
    }
}
