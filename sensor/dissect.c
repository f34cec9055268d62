/* dissect.c: what the sensor lends to dissectors (dissector.h): events, requests, pairs, layers. */
#include "analyser_internal.h"

#include "sensor/base/hash.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t dissector_index(const struct dissector *d)
{
    size_t i = 0;
    while (i < dissector_count && dissectors[i] != d)
        i++;
    assert(i < dissector_count); /* every dissector is in dissectors.def */
    return i;
}

struct layer *flow_layer(struct analyser *a, struct flow *f, const struct dissector *d,
                         unsigned over)
{
    for (size_t i = 0; i < FLOW_LAYERS; i++) {
        struct layer *l = &f->layers[i];
        if (l->dissector == d && l->over == over)
            return l;
        if (l->dissector)
            continue;
        void *state = d->state_size ? pool_take(a->pool, d->state_size) : NULL;
        if (d->state_size && !state)
            return NULL;
        *l = (struct layer){d, dissector_index(d), over, state, d->state_size};
        a->protocols[l->index].flows++;
        return l;
    }
    return NULL;
}

void dissect_pdu(struct analyser *a, struct flow *f, struct layer *layer, bool is_from_a,
                 const uint8_t *bytes, size_t size)
{
    struct dissect_host host = {a, f, layer->index, reader_of(bytes, size), is_from_a};
    struct dissect d = {
        .dissector = layer->dissector,
        .packet = a->packet,
        .flow = &f->view,
        .is_from_client = is_from_a == f->is_a_client,
        .time_ns = a->packet->time_ns,
        .state = layer->state,
        .arena = &a->arena,
        .host = &host,
    };
    a->counters.pdus++;
    a->protocols[layer->index].pdus++;
    layer->dissector->dissect(&d, reader_of(bytes, size));
}

void event_start(struct ot_event *event, const struct dissect *d)
{
    *event = (struct ot_event){
        .time_ns = d->time_ns,
        .flow = d->flow,
        .packet = d->packet,
        .is_from_client = d->is_from_client,
        .direction = d->is_from_client ? OT_REQUEST : OT_RESPONSE,
        .protocol = d->dissector->name,
        .operation = OP_UNKNOWN,
        .telling = d->host->pdu.at, /* unless the dissector knows better */
        .telling_size = reader_left(&d->host->pdu),
    };
}

void emit_event(struct dissect *d, const struct ot_event *event)
{
    struct analyser *a = d->host->analyser;
    a->counters.events++;
    a->protocols[d->host->index].events++;
    report_protocol(a, d->host->flow, event->protocol, true);
    a->sink.event(a->sink.context, event);
}

/* What the capture cut off a packet is nobody's fault. In a stream it is a gap. */
static bool is_cut_by_capture(const struct dissect *d, enum violation_kind kind)
{
    bool is_of_missing = kind == VIOLATION_LENGTH || kind == VIOLATION_TRUNCATED ||
                         kind == VIOLATION_COUNT || kind == VIOLATION_CHECKSUM;
    return is_of_missing && d->flow->transport != TRANSPORT_TCP &&
           d->packet->payload_size < d->packet->payload_wire_size;
}

void emit_violation(struct dissect *d, enum violation_kind kind, const char *why, const void *at,
                    size_t size)
{
    struct analyser *a = d->host->analyser;
    if (is_cut_by_capture(d, kind))
        return;
    struct violation v = {
        .kind = kind,
        .why = why,
        .protocol = d->dissector->name,
        .time_ns = d->time_ns,
        .flow = d->flow,
        .packet = d->packet,
        .is_from_client = d->is_from_client,
        .telling = at,
        .telling_size = size,
    };
    a->counters.violations++;
    a->protocols[d->host->index].violations++;
    a->sink.violation(a->sink.context, &v);
}

static uint64_t request_key(const struct dissect *d, uint64_t key)
{
    /* not the dissector's address: which request is forgotten first must not differ between runs */
    return hash_mix(hash_mix(d->flow->id, d->host->index), key);
}

void *dissect_remember(struct dissect *d, uint64_t key, size_t size, bool *was_in_flight)
{
    struct analyser *a = d->host->analyser;
    bool existed, evicted;
    void *data = memory_put_near(a->requests, &d->host->flow->request, request_key(d, key), size,
                                 &existed, &evicted);
    a->counters.requests_forgotten += evicted;
    if (was_in_flight)
        *was_in_flight = existed;
    return data;
}

const void *dissect_recall(struct dissect *d, uint64_t key, size_t *size)
{
    struct analyser *a = d->host->analyser;
    return memory_take_near(a->requests, &d->host->flow->request, request_key(d, key), size);
}

bool dissect_grow(struct dissect *d, size_t size)
{
    struct analyser *a = d->host->analyser;
    struct flow *f = d->host->flow;
    struct layer *l = f->layers;
    while (l < f->layers + FLOW_LAYERS && l->state != d->state)
        l++;
    assert(d->state && l < f->layers + FLOW_LAYERS);
    if (size <= l->state_size)
        return true;
    void *grown = size <= DISSECT_GROWN_MAX ? pool_take(a->pool, size) : NULL;
    if (!grown)
        return false;
    memcpy(grown, l->state, l->state_size);
    pool_give(a->pool, l->state, l->state_size);
    l->state = d->state = grown;
    l->state_size = size;
    return true;
}

void dissect_skip(struct dissect *d, uint64_t size)
{
    struct half *h = &d->host->flow->halves[d->host->is_from_a ? 0 : 1];
    h->skip = size > UINT64_MAX - h->skip ? UINT64_MAX : h->skip + size;
}

enum { PAIR_ENTRY_MAX = 64 };

_Static_assert((int)DISSECT_GROWN_MAX <= (int)POOL_BLOCK_MAX, "a grown state is one block");

void *dissect_pair(struct dissect *d, uint64_t key, size_t size, bool create)
{
    struct analyser *a = d->host->analyser;
    uint64_t full = hash_mix(d->host->flow->pair, key);
    assert(size <= PAIR_ENTRY_MAX);
    struct memory_answer *last = &d->host->flow->pair_known[d->is_from_client];
    void *data = memory_get_again(a->pairs, last, full);
    if (data || !create)
        return data;
    bool existed, evicted;
    return memory_put(a->pairs, full, size, &existed, &evicted);
}

/* The layer that had this carrier's payload last, if it still recognises it. What is in a WebSocket
 * need not begin with its frames. */
static struct layer *known_layer(struct flow *f, enum over over, struct reader payload)
{
    for (size_t i = 0; i < FLOW_LAYERS && f->layers[i].dissector; i++)
        if (f->layers[i].over == over &&
            (over == OVER_WEBSOCKET || f->layers[i].dissector->recognise(payload) != CLAIM_NO))
            return &f->layers[i];
    return NULL;
}

static struct layer *claimed_layer(struct analyser *a, struct flow *f, enum over over,
                                   struct reader payload)
{
    for (size_t i = 0; i < dissector_count; i++) {
        const struct dissector *d = dissectors[i];
        if (!(d->over & over))
            continue;
        enum claim claim = d->recognise(payload);
        if (claim == CLAIM_YES || claim == CLAIM_WEAK)
            return flow_layer(a, f, d, over);
    }
    return NULL;
}

bool dissect_over(struct dissect *d, enum over over, struct reader payload,
                  const struct carrier *carrier)
{
    struct analyser *a = d->host->analyser;
    struct flow *f = d->host->flow;
    if (d->depth + 1 >= DISSECT_DEPTH_MAX)
        return false;
    struct layer *layer = known_layer(f, over, payload);
    if (!layer)
        layer = claimed_layer(a, f, over, payload);
    if (!layer)
        return false;

    struct dissect_host host = *d->host;
    host.index = layer->index;
    host.pdu = payload;
    struct dissect inner = *d;
    inner.host = &host;
    inner.dissector = layer->dissector;
    inner.state = layer->state;
    inner.carrier = *carrier;
    inner.depth = d->depth + 1;
    a->counters.pdus++;
    a->protocols[layer->index].pdus++;
    layer->dissector->dissect(&inner, payload);
    d->is_from_client = inner.is_from_client; /* what it learned of the roles */
    return true;
}

void dissect_sender_is_client(struct dissect *d, bool is_client)
{
    struct flow *f = d->host->flow;
    if (f->view.is_role_known)
        return;
    f->view.is_role_known = true;
    if (is_client != d->is_from_client) {
        struct endpoint server = f->view.server;
        f->view.server = f->view.client;
        f->view.client = server;
        f->is_a_client = !f->is_a_client;
        d->is_from_client = is_client;
    }
}

struct ot_item *dissect_items_unset(struct dissect *d, uint32_t *count)
{
    struct ot_item *items = NULL;
    while (*count > 0 && !(items = arena_take_unset(d->arena, *count * sizeof *items)))
        *count /= 2;
    return items;
}

struct ot_item *dissect_items(struct dissect *d, uint32_t *count)
{
    struct ot_item *items = dissect_items_unset(d, count);
    return items ? memset(items, 0, *count * sizeof *items) : NULL;
}

struct ot_fact *dissect_facts(struct dissect *d, uint32_t *count)
{
    struct ot_fact *facts = NULL;
    while (*count > 0 && !(facts = arena_take(d->arena, *count * sizeof *facts)))
        *count /= 2;
    return facts;
}

struct ot_part *dissect_parts(struct dissect *d, uint32_t *count)
{
    struct ot_part *parts = NULL;
    while (*count > 0 && !(parts = arena_take(d->arena, *count * sizeof *parts)))
        *count /= 2;
    return parts;
}

struct text dissect_text(struct dissect *d, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    char *copy = arena_take_unset(d->arena, size);
    if (!copy)
        return (struct text){NULL, 0};
    memcpy(copy, line, size);
    return (struct text){copy, size};
}
