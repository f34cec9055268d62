/* slots.c: a set-associative table with eviction of the least recently used. */
#include "rules/slots.h"

#include "sensor/base/pages.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, SMALL = 32 };

bool slots_create(struct slots *s, size_t capacity, size_t entry_size)
{
    size_t sets = 1;
    while (sets * SLOTS_WAYS < capacity)
        sets *= 2;
    /* no entry begins on one cache line and ends on the next, if it need not */
    size_t unit = entry_size <= SMALL ? SMALL : CACHE_LINE;
    *s = (struct slots){.entry_size = (entry_size + unit - 1) / unit * unit,
                        .capacity = sets * SLOTS_WAYS};
    size_t keys = s->capacity * sizeof *s->keys;
    s->keys = pages_take(keys + s->capacity * s->entry_size);
    if (!s->keys)
        return false;
    s->bytes = (uint8_t *)s->keys + keys;
    return true;
}

void slots_destroy(struct slots *s)
{
    pages_give(s->keys, s->capacity * (sizeof *s->keys + s->entry_size));
    *s = (struct slots){0};
}

void *slots_find(struct slots *s, uint64_t key, int64_t now_ns)
{
    size_t set = slots_set(s, key);
    for (unsigned ways = ways_of(&s->keys[set], key); ways != 0; ways &= ways - 1) {
        struct slot *slot = slots_at(s, set + ways_first(ways));
        if (slot->key == key && key != 0) { /* it was not dropped */
            slot->used_ns = now_ns;
            return slot;
        }
    }
    return NULL;
}

void *slots_take(struct slots *s, uint64_t key, int64_t now_ns, bool *is_new)
{
    key = key ? key : 1;
    struct slot *found = slots_find(s, key, now_ns);
    *is_new = !found;
    if (found)
        return found;

    size_t set = slots_set(s, key), chosen = set;
    struct slot *oldest = slots_at(s, set);
    for (size_t i = set; i < set + SLOTS_WAYS; i++) {
        struct slot *slot = slots_at(s, i);
        if (slot->key != 0 && slot->used_ns >= oldest->used_ns && i != set)
            continue;
        oldest = slot;
        chosen = i;
        if (slot->key == 0)
            break;
    }
    if (oldest->key != 0)
        s->evicted++;
    memset(oldest, 0, s->entry_size);
    s->keys[chosen] = oldest->key = key;
    oldest->used_ns = now_ns;
    return oldest;
}

void slots_drop(void *entry)
{
    ((struct slot *)entry)->key = 0;
}
