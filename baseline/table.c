/* table.c: the bounded table of learned entries. */
#include "table.h"

#include "sensor/base/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVICT_LOOK = 16, /* neighbours compared for the least recently seen */
    EVICT_LOOK_PENDING =
        64, /* at a quarter of pending entries one of them is nearly surely among so many */
    PENDING_SHARE = 4,
};

bool table_create(struct table *t, size_t entry_size, uint32_t capacity)
{
    /* entries begin on cache lines, so that a message that is nothing new touches one line of each
     */
    entry_size = (entry_size + TABLE_LINE - 1) / TABLE_LINE * TABLE_LINE;
    *t = (struct table){.entry_size = entry_size, .capacity = capacity};
    uint32_t buckets = 16;
    while (buckets < capacity)
        buckets *= 2;
    buckets *= 2; /* short chains */
    t->bucket_mask = buckets - 1;
    t->entries = pages_take(capacity * entry_size);
    t->buckets = pages_take(buckets * sizeof *t->buckets);
    if (!t->entries || !t->buckets) {
        table_destroy(t);
        return false;
    }
    memset(t->buckets, 0xff, buckets * sizeof *t->buckets);
    return true;
}

void table_destroy(struct table *t)
{
    pages_give(t->entries, t->capacity * t->entry_size);
    pages_give(t->buckets, ((size_t)t->bucket_mask + 1) * sizeof *t->buckets);
    *t = (struct table){0};
}

size_t table_bytes(const struct table *t)
{
    return (size_t)t->capacity * t->entry_size + ((size_t)t->bucket_mask + 1) * sizeof *t->buckets;
}

static void unlink_entry(struct table *t, uint32_t index)
{
    struct entry *gone = table_at(t, index);
    uint32_t *link = &t->buckets[gone->key & t->bucket_mask];
    while (*link != index) {
        assert(*link != ENTRY_NONE);
        link = &table_at(t, *link)->next;
    }
    *link = gone->next;
    if (gone->state == ENTRY_PENDING)
        t->pending--;
    if (gone->is_changed)
        t->changed--;
    t->evicted++;
}

static uint32_t next_of(struct table *t)
{
    return t->cursor = t->cursor + 1 < t->used ? t->cursor + 1 : 0;
}

/* The next pending entry. There is one in four at least, so that a whole round of evictions is one
 * round of looking. */
static uint32_t victim_pending(struct table *t)
{
    assert(t->pending > 0);
    uint32_t i = next_of(t);
    while (table_at(t, i)->state != ENTRY_PENDING)
        i = next_of(t);
    return i;
}

/* The least recently seen of the next few entries. */
static uint32_t victim(struct table *t)
{
    uint32_t best = next_of(t);
    for (int i = 1; i < EVICT_LOOK; i++) {
        uint32_t other = next_of(t);
        if (table_at(t, other)->last_ns < table_at(t, best)->last_ns)
            best = other;
    }
    return best;
}

void *table_add(struct table *t, uint64_t key, enum entry_state state, int64_t time_ns)
{
    bool is_crowded =
        state == ENTRY_PENDING && t->pending > 0 && t->pending >= t->capacity / PENDING_SHARE;
    uint32_t index;
    if (is_crowded || t->used == t->capacity) {
        bool only_pending = t->pending > 0 && t->pending >= t->capacity / PENDING_SHARE;
        index = only_pending ? victim_pending(t) : victim(t);
        unlink_entry(t, index);
        memset(table_at(t, index), 0, t->entry_size);
    } else {
        index = t->used++;
    }
    struct entry *e = table_at(t, index); /* pages are taken zeroed */
    e->key = key;
    e->state = (uint8_t)state;
    e->first_ns = e->last_ns = time_ns;
    if (state == ENTRY_PENDING)
        t->pending++;
    uint32_t *bucket = &t->buckets[key & t->bucket_mask];
    e->next = *bucket;
    *bucket = index;
    entry_change(t, e);
    return e;
}

void table_state(struct table *t, struct entry *e, enum entry_state state)
{
    if (e->state == state)
        return;
    if (e->state == ENTRY_PENDING)
        t->pending--;
    if (state == ENTRY_PENDING)
        t->pending++;
    e->state = (uint8_t)state;
    entry_change(t, e);
}
