/* memory.c: entries in a ring, found through a hash index. */
#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

struct entry {
    uint64_t key;
    uint32_t next; /* in its bucket */
    uint32_t size;
    bool is_used;
    max_align_t data[];
};

struct memory {
    uint8_t *entries;
    uint32_t *buckets;
    uint32_t capacity, bucket_mask, oldest;
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
    const size_t align = sizeof(max_align_t);
    m->capacity = capacity;
    m->bucket_mask = buckets - 1;
    m->entry_size = entry_size;
    m->stride = (sizeof(struct entry) + entry_size + align - 1) / align * align;
    m->entries = calloc(capacity, m->stride);
    m->buckets = malloc(buckets * sizeof *m->buckets);
    if (!m->entries || !m->buckets) {
        memory_destroy(m);
        return NULL;
    }
    memset(m->buckets, 0xff, buckets * sizeof *m->buckets);
    return m;
}

void memory_destroy(struct memory *m)
{
    if (!m)
        return;
    free(m->entries);
    free(m->buckets);
    free(m);
}

static struct entry *find(struct memory *m, uint64_t key)
{
    for (uint32_t i = m->buckets[key & m->bucket_mask]; i != NOBODY; i = entry_at(m, i)->next)
        if (entry_at(m, i)->key == key)
            return entry_at(m, i);
    return NULL;
}

static void unlink_entry(struct memory *m, const struct entry *gone)
{
    uint32_t *link = &m->buckets[gone->key & m->bucket_mask];
    while (entry_at(m, *link) != gone)
        link = &entry_at(m, *link)->next;
    *link = gone->next;
}

void *memory_put(struct memory *m, uint64_t key, size_t size, bool *existed, bool *evicted)
{
    assert(size <= m->entry_size);
    struct entry *e = find(m, key);
    *existed = e != NULL;
    *evicted = false;
    if (!e) {
        uint32_t slot = m->oldest;
        m->oldest = slot + 1 == m->capacity ? 0 : slot + 1;
        e = entry_at(m, slot);
        if (e->is_used) {
            unlink_entry(m, e);
            *evicted = true;
        }
        uint32_t *bucket = &m->buckets[key & m->bucket_mask];
        e->key = key;
        e->is_used = true;
        e->next = *bucket;
        *bucket = slot;
    }
    e->size = (uint32_t)size;
    return memset(e->data, 0, size);
}

void *memory_get(struct memory *m, uint64_t key, size_t *size)
{
    struct entry *e = find(m, key);
    if (!e)
        return NULL;
    if (size)
        *size = e->size;
    return e->data;
}

void memory_forget(struct memory *m, uint64_t key)
{
    struct entry *e = find(m, key);
    if (e) {
        unlink_entry(m, e);
        e->is_used = false;
    }
}
