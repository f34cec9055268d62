/* memory.c: entries found through a hash index. A forgotten entry is the next to be used again:
 * what is hot stays in the processor's cache. For the same reason their age is not a list through
 * the entries, whose neighbours would be cold: it is a ring of what was made, from which entries
 * that were forgotten meanwhile are dropped when it is full. */
#include "memory.h"

#include "sensor/base/fetch.h"
#include "sensor/base/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY   UINT32_MAX
#define NOT_USED UINT32_MAX /* the size of a forgotten entry */

struct entry {
    uint64_t key;
    uint32_t next; /* in its bucket, or in the list of unused ones */
    uint32_t size;
    const struct memory_near *holder; /* that knows where it is: in no bucket; NULL: in one */
    max_align_t data[];
};

struct age {
    uint32_t place, made_as;
};

struct memory {
    uint8_t *entries;
    uint32_t *buckets;
    uint32_t *made_as; /* of each entry, as which one it was made; 0: it was forgotten */
    struct age *ages;  /* a ring, the oldest first: at least twice what can be in use */
    uint32_t capacity, bucket_mask, age_mask;
    uint32_t age_first, age_next; /* counted on, not folded */
    uint64_t made;                /* entries since it began, from 1 */
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
    m->age_mask = buckets / 2 - 1;
    m->unused = 0;
    m->made = 1;
    m->entry_size = entry_size;
    m->stride = (sizeof(struct entry) + entry_size + align - 1) / align * align;
    m->entries = pages_take(capacity * m->stride);
    m->buckets = pages_take(buckets * sizeof *m->buckets);
    m->ages = pages_take(((size_t)m->age_mask + 1) * sizeof *m->ages);
    m->made_as = pages_take(capacity * sizeof *m->made_as);
    if (!m->entries || !m->buckets || !m->ages || !m->made_as) {
        memory_destroy(m);
        return NULL;
    }
    memset(m->buckets, 0xff, buckets * sizeof *m->buckets);
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
    pages_give(m->made_as, m->capacity * sizeof *m->made_as);
    pages_give(m->ages, ((size_t)m->age_mask + 1) * sizeof *m->ages);
    free(m);
}

static uint32_t find(const struct memory *m, uint64_t key)
{
    uint32_t i = m->buckets[key & m->bucket_mask];
    while (i != NOBODY && entry_at(m, i)->key != key)
        i = entry_at(m, i)->next;
    return i;
}

static bool is_age_of(const struct memory *m, const struct age *a)
{
    return m->made_as[a->place] == a->made_as;
}

/* Drops the ages of entries that were forgotten. */
static void ages_tidy(struct memory *m)
{
    uint32_t kept = m->age_first;
    for (uint32_t i = m->age_first; i != m->age_next; i++)
        if (is_age_of(m, &m->ages[i & m->age_mask]))
            m->ages[kept++ & m->age_mask] = m->ages[i & m->age_mask];
    m->age_next = kept;
}

static void ages_add(struct memory *m, uint32_t i)
{
    if (m->age_next - m->age_first > m->age_mask)
        ages_tidy(m);
    if ((uint32_t)m->made == 0)
        m->made++; /* is that of no age */
    m->made_as[i] = (uint32_t)m->made;
    m->ages[m->age_next++ & m->age_mask] = (struct age){i, m->made_as[i]};
    m->made++;
}

/* The oldest of the used entries; there is one. */
static uint32_t ages_take(struct memory *m)
{
    while (!is_age_of(m, &m->ages[m->age_first & m->age_mask]))
        m->age_first++;
    assert(m->age_first != m->age_next);
    return m->ages[m->age_first++ & m->age_mask].place;
}

/* Out of its bucket, if it is in one. */
static void take_out(struct memory *m, uint32_t i)
{
    struct entry *e = entry_at(m, i);
    m->made_as[i] = 0;
    if (e->holder)
        return;
    uint32_t *link = &m->buckets[e->key & m->bucket_mask];
    while (*link != i)
        link = &entry_at(m, *link)->next;
    *link = e->next;
}

static void put_in_bucket(struct memory *m, uint32_t i)
{
    struct entry *e = entry_at(m, i);
    uint32_t *bucket = &m->buckets[e->key & m->bucket_mask];
    e->holder = NULL;
    e->next = *bucket;
    *bucket = i;
}

/* An unused entry, or the oldest, as the newest; in no bucket and nobody's. */
static uint32_t take_entry(struct memory *m, uint64_t key, bool *evicted)
{
    *evicted = m->unused == NOBODY;
    uint32_t i = *evicted ? ages_take(m) : m->unused;
    if (*evicted)
        take_out(m, i);
    else
        m->unused = entry_at(m, i)->next;
    entry_at(m, i)->key = key;
    entry_at(m, i)->holder = NULL;
    ages_add(m, i);
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

/* The holder's k-th last entry, if it has not been evicted. */
static uint32_t near_entry(const struct memory *m, const struct memory_near *near, unsigned k)
{
    uint32_t place = near->last[k].place;
    return place && entry_at(m, place - 1)->holder == near ? place - 1 : NOBODY;
}

/* Which of the holder's last entries has this key; MEMORY_NEAR: none. */
static unsigned near_find(const struct memory *m, const struct memory_near *near, uint64_t key)
{
    unsigned k = 0;
    for (; k < MEMORY_NEAR; k++) {
        if (near->last[k].mark != (uint32_t)key)
            continue;
        uint32_t i = near_entry(m, near, k);
        if (i != NOBODY && entry_at(m, i)->key == key)
            break;
    }
    return k;
}

static uint64_t mark_of(uint64_t key)
{
    return (uint64_t)1 << (key >> 58);
}

static uint32_t find_indexed(const struct memory *m, const struct memory_near *near, uint64_t key)
{
    return near->marks & mark_of(key) ? find(m, key) : NOBODY;
}

/* As the holder's newest. What has no place near it any more goes into the index. */
static void near_put(struct memory *m, struct memory_near *near, uint32_t i, uint64_t key)
{
    unsigned k = 0;
    while (k + 1 < MEMORY_NEAR && near->last[k].place)
        k++;
    uint32_t displaced = near_entry(m, near, k);
    if (displaced != NOBODY) {
        put_in_bucket(m, displaced);
        near->indexed += near->indexed < UINT32_MAX;
        near->marks |= mark_of(entry_at(m, displaced)->key);
    }
    for (; k > 0; k--)
        near->last[k] = near->last[k - 1];
    near->last[0].place = i + 1;
    near->last[0].mark = (uint32_t)key;
    entry_at(m, i)->holder = near;
}

void *memory_put_near(struct memory *m, struct memory_near *near, uint64_t key, size_t size,
                      bool *existed, bool *evicted)
{
    unsigned k = near_find(m, near, key);
    uint32_t i = k < MEMORY_NEAR ? near->last[k].place - 1 : find_indexed(m, near, key);
    *evicted = false;
    *existed = i != NOBODY;
    if (!*existed) {
        i = take_entry(m, key, evicted);
        near_put(m, near, i, key);
    }
    return begin(m, i, size);
}

static void forget(struct memory *m, uint32_t i)
{
    take_out(m, i);
    entry_at(m, i)->holder = NULL;
    entry_at(m, i)->size = NOT_USED;
    entry_at(m, i)->next = m->unused;
    m->unused = i;
}

void *memory_take_near(struct memory *m, struct memory_near *near, uint64_t key, size_t *size)
{
    uint32_t i;
    unsigned k = near_find(m, near, key);
    if (k < MEMORY_NEAR) {
        i = near->last[k].place - 1;
        near->last[k].place = 0;
    } else {
        i = find_indexed(m, near, key);
        if (i == NOBODY)
            return NULL;
        if (--near->indexed == 0)
            near->marks = 0;
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

void memory_look_near(const struct memory *m, const struct memory_near *near)
{
    enum { CACHE_LINE = 64 };
    uint32_t place = near->last[0].place;
    if (place == 0)
        return;
    const uint8_t *at = (const uint8_t *)entry_at(m, place - 1);
    fetch(at);
    fetch(at + CACHE_LINE);
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

void *memory_get_again(struct memory *m, struct memory_answer *last, uint64_t key)
{
    if (last->key == key && last->place) {
        struct entry *e = entry_at(m, last->place - 1);
        if (e->key == key && e->size != NOT_USED)
            return e->data;
    } else if (last->key == key && last->made == m->made) {
        return NULL;
    }
    uint32_t i = find(m, key);
    *last = (struct memory_answer){key, m->made, i == NOBODY ? 0 : i + 1};
    return i == NOBODY ? NULL : entry_at(m, i)->data;
}

void memory_forget(struct memory *m, uint64_t key)
{
    uint32_t i = find(m, key);
    if (i != NOBODY)
        forget(m, i);
}
