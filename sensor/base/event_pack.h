/* event_pack.h: an ot_event as a few hundred bytes that can be kept and read again: for the event
 * history. Values, items and facts that do not fit are left away (items_total tells). The packet,
 * passwords and the bytes of transfers are never part of it. */
#pragma once

#include "ot_event.h"

enum {
    EVENT_PACK_MAX = 1024,
    EVENT_PACK_ITEMS = 16,
    EVENT_PACK_FACTS = 8,
    EVENT_PACK_VALUES = 64, /* bytes of the values of one item */
};

/* Returns the size, at most EVENT_PACK_MAX; 0: not even the shortest form fits. */
size_t event_pack(const struct ot_event *e, uint8_t out[EVENT_PACK_MAX]);

/* An event read again; it points into itself and into the bytes. */
struct event_unpacked {
    struct ot_event event;
    struct ot_flow flow;
    struct ot_item items[EVENT_PACK_ITEMS];
    struct ot_fact facts[EVENT_PACK_FACTS];
};
/* False: the bytes are not what event_pack wrote. Safe with any bytes. */
bool event_unpack(struct event_unpacked *u, const uint8_t *bytes, size_t size);
/* Only the ends of the flow and, of the event, direction, is_from_client, operation and protocol.
 */
bool event_unpack_head(struct event_unpacked *u, const uint8_t *bytes, size_t size);
