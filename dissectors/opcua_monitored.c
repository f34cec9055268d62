/* opcua_monitored.c: see opcua_monitored.h.
 *
 * Spec: [4] OPC 10000-4, 5.13.2 CreateMonitoredItems: the client's handle of each item stands in
 * the notifications (7.25.2), together with the subscription unique for a session
 *
 * A table in the grown state of the flow: slots by hash, names one behind the other. When it is
 * full the further items keep their numbers. */
#include "opcua_monitored.h"

#include "sensor/base/hash.h"

enum {
    SLOTS = 1024, /* twice as many as items, so that searches stay short */
    ITEMS_MAX = SLOTS / 2,
    NAMES_SIZE = 24576, /* 48 bytes each; "ns=3;s=..." are about 30 */
    NAME_MAX = 255,
};

struct slot {
    uint32_t subscription, handle;
    uint16_t at; /* of its name */
    uint8_t size;
    bool is_used;
};

struct monitored {
    bool is_grown; /* the rest is there */
    uint16_t count, used;
    struct slot slots[SLOTS];
    char names[NAMES_SIZE];
};
_Static_assert(offsetof(struct monitored, slots) <= UA_MONITORED_HEAD_SIZE, "the head is in all");
_Static_assert(UA_MONITORED_OFFSET % _Alignof(struct monitored) == 0, "the table is aligned");
_Static_assert(UA_MONITORED_OFFSET + sizeof(struct monitored) <= DISSECT_GROWN_MAX, "fits");

static struct monitored *table_of(const struct dissect *d)
{
    return (void *)((uint8_t *)d->state + UA_MONITORED_OFFSET);
}

/* The item's slot, or the free one where it would be: the table is never more than half full. */
static struct slot *slot_of(struct monitored *m, uint32_t subscription, uint32_t handle)
{
    uint64_t hash = hash_mix(subscription, handle);
    for (uint64_t i = hash;; i++) {
        struct slot *s = &m->slots[i % SLOTS];
        if (!s->is_used || (s->subscription == subscription && s->handle == handle))
            return s;
    }
}

void ua_monitored_learn(struct dissect *d, uint32_t subscription, uint32_t handle, struct text name)
{
    if (name.size == 0 || name.size > NAME_MAX ||
        !dissect_grow(d, UA_MONITORED_OFFSET + sizeof(struct monitored)))
        return;
    struct monitored *m = table_of(d);
    m->is_grown = true;
    struct slot *s = slot_of(m, subscription, handle);
    bool is_same =
        s->is_used && s->size == name.size && memcmp(m->names + s->at, name.at, name.size) == 0;
    if (is_same)
        return;
    bool fits_in_place = s->is_used && s->size >= name.size;
    if ((!s->is_used && m->count == ITEMS_MAX) ||
        (!fits_in_place && name.size > (size_t)(NAMES_SIZE - m->used))) {
        s->size = 0; /* what it was is no longer true */
        return;
    }
    if (!s->is_used)
        m->count++;
    uint16_t at = fits_in_place ? s->at : m->used;
    if (!fits_in_place)
        m->used = (uint16_t)(m->used + name.size);
    memcpy(m->names + at, name.at, name.size);
    *s = (struct slot){subscription, handle, at, (uint8_t)name.size, true};
}

struct text ua_monitored_name(struct dissect *d, uint32_t subscription, uint32_t handle)
{
    struct monitored *m = table_of(d);
    struct text none = {NULL, 0};
    if (!m->is_grown)
        return none;
    const struct slot *s = slot_of(m, subscription, handle);
    char *copy = s->is_used && s->size ? arena_take(d->arena, s->size) : NULL;
    if (!copy)
        return none;
    memcpy(copy, m->names + s->at, s->size);
    return (struct text){copy, s->size};
}

void ua_monitored_forget(struct dissect *d)
{
    struct monitored *m = table_of(d);
    if (!m->is_grown)
        return;
    memset(m->slots, 0, sizeof m->slots);
    m->count = m->used = 0;
}
