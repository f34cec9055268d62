/* table.c: the bounded table of learned entries. */
#include "table.h"

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
    *t = (struct table){.entry_size = entry_size, .capacity = capacity};
    uint32_t buckets = 16;
    while (buckets < capacity)
        buckets *= 2;
    t->bucket_mask = buckets - 1;
    t->entries = calloc(capacity, entry_size);
    t->buckets = malloc(buckets * sizeof *t->buckets);
    if (!t->entries || !t->buckets) {
        table_destroy(t);
        return false;
    }
    memset(t->buckets, 0xff, buckets * sizeof *t->buckets);
    return true;
}

void table_destroy(struct table *t)
{
    free(t->entries);
    free(t->buckets);
    *t = (struct table){0};
}

size_t table_bytes(const struct table *t)
{
    return t->capacity * t->entry_size + ((size_t)t->bucket_mask + 1) * sizeof *t->buckets;
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

/* The least recently seen of the next few entries; only pending ones when these have their share.
 */
static uint32_t victim(struct table *t)
{
    bool only_pending = t->pending >= t->capacity / PENDING_SHARE;
    int look = only_pending ? EVICT_LOOK_PENDING : EVICT_LOOK;
    uint32_t best = ENTRY_NONE;
    for (int i = 0; i < look; i++) {
        t->cursor = t->cursor + 1 < t->capacity ? t->cursor + 1 : 0;
        struct entry *e = table_at(t, t->cursor);
        if (only_pending && e->state != ENTRY_PENDING)
            continue;
        if (best == ENTRY_NONE || e->last_ns < table_at(t, best)->last_ns)
            best = t->cursor;
    }
    return best == ENTRY_NONE ? t->cursor : best;
}

void *table_add(struct table *t, uint64_t key, enum entry_state state, int64_t time_ns)
{
    bool is_crowd =
        state == ENTRY_PENDING && t->pending >= t->capacity / PENDING_SHARE && t->pending > 0;
    uint32_t index;
    if (t->used < t->capacity && !is_crowd) {
        index = t->used++;
    } else {
        index = victim(t);
        if (index >= t->used) /* an empty slot behind the last used one */
            index = t->used++;
        else
            unlink_entry(t, index);
    }
    struct entry *e = table_at(t, index);
    memset(e, 0, t->entry_size);
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
