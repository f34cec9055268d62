/* history_writes.c: under what a row of the history is found again by who looks for the values that
 * somebody wrote somewhere. */
#include "history_block.h"

#include "sensor/base/hash.h"

#include <string.h>

/* By IP when there is one, else by MAC. */
static struct address end_of(const struct endpoint *end)
{
    struct address a = end->ip;
    if (a.kind == ADDRESS_NONE) {
        memset(&a, 0, sizeof a);
        memcpy(a.bytes, end->mac.bytes, sizeof end->mac.bytes);
    }
    return a;
}

uint64_t history_which(const char *area, const uint32_t *number, uint64_t name)
{
    struct {
        uint64_t name;
        uint32_t number, has_number;
        char area[HISTORY_AREA];
    } where;
    memset(&where, 0, sizeof where);
    where.name = name;
    where.number = number ? *number : 0;
    where.has_number = number != NULL;
    text_copy(where.area, sizeof where.area, text_of(area ? area : ""));
    return UINT64_C(1) << (hash_stable(&where, sizeof where) & 63);
}

uint64_t history_place(const struct history_writes *writes)
{
    struct {
        struct address writer, target;
        char protocol[HISTORY_PROTOCOL];
    } place;
    memset(&place, 0, sizeof place);
    place.writer = writes->writer;
    place.target = writes->target;
    memcpy(place.protocol, writes->protocol, sizeof place.protocol);
    return hash_stable(&place, sizeof place) | 1;
}

static bool is_written(const struct ot_event *e, const struct ot_item *item)
{
    enum operation op = item->operation == OP_UNKNOWN ? e->operation : item->operation;
    return op == OP_WRITE || op == OP_CONTROL;
}

static void writes_of(struct history_writes *writes, const struct ot_event *e)
{
    bool is_server = e->direction == OT_ONEWAY && !e->is_from_client;
    memset(writes, 0, sizeof *writes);
    writes->writer = end_of(is_server ? &e->flow->server : &e->flow->client);
    writes->target = end_of(is_server ? &e->flow->client : &e->flow->server);
    text_copy(writes->protocol, sizeof writes->protocol, text_of(e->protocol));
}

uint64_t history_written(const struct ot_event *e, uint64_t *which)
{
    struct history_writes writes;
    *which = 0;
    if (e->direction == OT_RESPONSE)
        return 0;
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        uint64_t name = item->name.size ? hash_stable(item->name.at, item->name.size) : 0;
        if (is_written(e, item))
            *which |= history_which(item->area, item->has_number ? &item->number : NULL, name);
    }
    if (!*which)
        return 0;
    writes_of(&writes, e);
    return history_place(&writes);
}

bool history_writes_are(const struct history_writes *writes, const uint8_t *bytes, size_t size)
{
    struct event_unpacked u;
    struct history_writes own;
    if (!event_unpack_head(&u, bytes, size) || u.event.direction == OT_RESPONSE)
        return false;
    writes_of(&own, &u.event);
    return address_equal(&own.writer, &writes->writer) &&
           address_equal(&own.target, &writes->target) &&
           strcmp(own.protocol, writes->protocol) == 0;
}
