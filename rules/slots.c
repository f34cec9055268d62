/* slots.c: a set-associative table with eviction of the least recently used. */
#include "rules/slots.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_ALIGNMENT = 16 };

bool slots_create(struct slots *s, size_t capacity, size_t entry_size)
{
    size_t sets = 1;
    while (sets * SLOTS_WAYS < capacity)
        sets *= 2;
    s->entry_size = (entry_size + SLOT_ALIGNMENT - 1) / SLOT_ALIGNMENT * SLOT_ALIGNMENT;
    s->capacity = sets * SLOTS_WAYS;
    s->evicted = 0;
    s->bytes = calloc(s->capacity, s->entry_size);
    return s->bytes != NULL;
}

void slots_destroy(struct slots *s)
{
    free(s->bytes);
    s->bytes = NULL;
}

/* The first entry of the key's set. */
static uint8_t *set_of(const struct slots *s, uint64_t key)
{
    size_t sets = s->capacity / SLOTS_WAYS;
    return s->bytes + ((size_t)(key >> 20) & (sets - 1)) * SLOTS_WAYS * s->entry_size;
}

static struct slot *slot_in(const struct slots *s, uint8_t *set, size_t way)
{
    return (struct slot *)(void *)(set + way * s->entry_size);
}

void *slots_find(struct slots *s, uint64_t key, int64_t now_ns)
{
    uint8_t *set = set_of(s, key);
    for (size_t way = 0; way < SLOTS_WAYS; way++) {
        struct slot *slot = slot_in(s, set, way);
        if (slot->key == key && key != 0) {
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

    uint8_t *set = set_of(s, key);
    struct slot *oldest = slot_in(s, set, 0);
    for (size_t way = 0; way < SLOTS_WAYS; way++) {
        struct slot *slot = slot_in(s, set, way);
        if (slot->key == 0) {
            oldest = slot;
            break;
        }
        if (slot->used_ns < oldest->used_ns)
            oldest = slot;
    }
    if (oldest->key != 0)
        s->evicted++;
    memset(oldest, 0, s->entry_size);
    oldest->key = key;
    oldest->used_ns = now_ns;
    return oldest;
}

void slots_drop(void *entry)
{
    ((struct slot *)entry)->key = 0;
}
