/* memory.c: entries found through a hash index, in a list by age. A forgotten entry is the next to
 * be used again: what is hot stays in the processor's cache. */
#include "memory.h"

#include "sensor/base/fetch.h"
#include "sensor/base/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

struct entry {
    uint64_t key;
    uint32_t next; /* in its bucket, or in the list of unused ones */
    uint32_t older, newer;
    uint32_t size;
    bool is_near; /* its holder knows where it is: in no bucket */
    max_align_t data[];
};

struct memory {
    uint8_t *entries;
    uint32_t *buckets;
    uint32_t capacity, bucket_mask;
    uint32_t oldest, newest; /* of the used ones */
    uint32_t unused;
    size_t stride, entry_size;
};

static struct entry *entry_at(const struct memory *m, uint32_t i)
{
    return (void *)(m->entries + (size_t)i * m->stride);
}

struct memory *memory_create(uint32_t capacity, size_t entry_size)
{
    struct memory *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    uint32_t buckets = 1;
    while (buckets < capacity)
        buckets *= 2;
    buckets *= 4; /* to find nothing should touch no entry */
    const size_t align = sizeof(max_align_t);
    m->capacity = capacity;
    m->bucket_mask = buckets - 1;
    m->unused = 0;
    m->entry_size = entry_size;
    m->stride = (sizeof(struct entry) + entry_size + align - 1) / align * align;
    m->entries = pages_take(capacity * m->stride);
    m->buckets = pages_take(buckets * sizeof *m->buckets);
    if (!m->entries || !m->buckets) {
        memory_destroy(m);
        return NULL;
    }
    memset(m->buckets, 0xff, buckets * sizeof *m->buckets);
    m->oldest = m->newest = NOBODY;
    for (uint32_t i = 0; i < capacity; i++)
        entry_at(m, i)->next = i + 1 < capacity ? i + 1 : NOBODY;
    return m;
}

void memory_destroy(struct memory *m)
{
    if (!m)
        return;
    pages_give(m->entries, m->capacity * m->stride);
    pages_give(m->buckets, ((size_t)m->bucket_mask + 1) * sizeof *m->buckets);
    free(m);
}

static uint32_t find(const struct memory *m, uint64_t key)
{
    uint32_t i = m->buckets[key & m->bucket_mask];
    while (i != NOBODY && entry_at(m, i)->key != key)
        i = entry_at(m, i)->next;
    return i;
}

static void append(struct memory *m, uint32_t i)
{
    struct entry *e = entry_at(m, i);
    e->older = m->newest;
    e->newer = NOBODY;
    *(m->newest == NOBODY ? &m->oldest : &entry_at(m, m->newest)->newer) = i;
    m->newest = i;
}

/* Out of its bucket and the list by age. */
static void take_out(struct memory *m, uint32_t i)
{
    struct entry *e = entry_at(m, i);
    if (!e->is_near) {
        uint32_t *link = &m->buckets[e->key & m->bucket_mask];
        while (*link != i)
            link = &entry_at(m, *link)->next;
        *link = e->next;
    }
    *(e->older == NOBODY ? &m->oldest : &entry_at(m, e->older)->newer) = e->newer;
    *(e->newer == NOBODY ? &m->newest : &entry_at(m, e->newer)->older) = e->older;
}

static void put_in_bucket(struct memory *m, uint32_t i)
{
    struct entry *e = entry_at(m, i);
    uint32_t *bucket = &m->buckets[e->key & m->bucket_mask];
    e->is_near = false;
    e->next = *bucket;
    *bucket = i;
}

/* An unused entry, or the oldest, as the newest. */
static uint32_t take_entry(struct memory *m, uint64_t key, bool *evicted)
{
    *evicted = m->unused == NOBODY;
    uint32_t i = *evicted ? m->oldest : m->unused;
    if (*evicted)
        take_out(m, i);
    else
        m->unused = entry_at(m, i)->next;
    entry_at(m, i)->key = key;
    append(m, i);
    return i;
}

static void *begin(struct memory *m, uint32_t i, size_t size)
{
    struct entry *e = entry_at(m, i);
    assert(size <= m->entry_size);
    e->size = (uint32_t)size;
    return memset(e->data, 0, size);
}

void *memory_put(struct memory *m, uint64_t key, size_t size, bool *existed, bool *evicted)
{
    uint32_t i = find(m, key);
    *existed = i != NOBODY;
    *evicted = false;
    if (!*existed) {
        i = take_entry(m, key, evicted);
        put_in_bucket(m, i);
    }
    return begin(m, i, size);
}

/* The holder's last entry, if it has not been evicted. */
static uint32_t near_place(const struct memory *m, const struct memory_near *near)
{
    if (!near->place)
        return NOBODY;
    const struct entry *e = entry_at(m, near->place - 1);
    return e->is_near && e->key == near->key ? near->place - 1 : NOBODY;
}

void *memory_put_near(struct memory *m, struct memory_near *near, uint64_t key, size_t size,
                      bool *existed, bool *evicted)
{
    uint32_t i = near_place(m, near);
    *evicted = false;
    *existed = i != NOBODY && near->key == key;
    if (*existed)
        return begin(m, i, size);
    if (near->indexed && (i = find(m, key)) != NOBODY) {
        *existed = true;
        return begin(m, i, size);
    }
    i = near_place(m, near);
    if (i != NOBODY) {
        put_in_bucket(m, i);
        near->indexed += near->indexed < UINT32_MAX;
    }
    i = take_entry(m, key, evicted);
    entry_at(m, i)->is_near = true;
    near->key = key;
    near->place = i + 1;
    return begin(m, i, size);
}

static void forget(struct memory *m, uint32_t i)
{
    take_out(m, i);
    entry_at(m, i)->is_near = false;
    entry_at(m, i)->next = m->unused;
    m->unused = i;
}

void *memory_take_near(struct memory *m, struct memory_near *near, uint64_t key, size_t *size)
{
    uint32_t i = near_place(m, near);
    if (i != NOBODY && near->key == key) {
        near->place = 0;
    } else {
        i = near->indexed ? find(m, key) : NOBODY;
        if (i == NOBODY)
            return NULL;
        near->indexed--;
    }
    struct entry *e = entry_at(m, i);
    if (size)
        *size = e->size;
    forget(m, i);
    return e->data;
}

void memory_look(const struct memory *m, uint64_t key)
{
    fetch(&m->buckets[key & m->bucket_mask]);
}

void memory_look_on(const struct memory *m, uint64_t key)
{
    uint32_t i = m->buckets[key & m->bucket_mask];
    if (i != NOBODY)
        fetch(entry_at(m, i));
}

void *memory_get(struct memory *m, uint64_t key, size_t *size)
{
    uint32_t i = find(m, key);
    if (i == NOBODY)
        return NULL;
    struct entry *e = entry_at(m, i);
    if (size)
        *size = e->size;
    return e->data;
}

void memory_forget(struct memory *m, uint64_t key)
{
    uint32_t i = find(m, key);
    if (i != NOBODY)
        forget(m, i);
}
