/* analyser.c: flows are recognised, put in order, cut into PDUs and dissected. */
#include "analyser.h"

#include "analyser_internal.h"
#include "dissectors/named_ports.h"
#include "overtaking.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    UNDECIDED_PACKETS = 8, /* PROTOCOLS 2: undecided after 8 payload packets or 8 KiB */
    UNDECIDED_BYTES = 8192,
    UNDECIDED_LEAST = 48, /* bytes that are waited for when they come in crumbs ... */
    CRUMBS_MAX = 96,      /* ... and how many, of both directions */
    BROKEN_MAX = 2,       /* framing errors in a row after which a claim is given up */
    REQUESTS_MAX = 8192,  /* in flight over all flows of a worker */
    PAIRS_MAX = 16384,
    PAIR_ENTRY_SIZE = 64,
    ARENA_SIZE = 1 << 18, /* 1,900 items of one PDU */
    NDPI_FLOWS_MAX = 2048,
    PDU_MAX_DEFAULT = 4096,
    SIDES_JUDGED_AT = 8,   /* packets of a flow; its other direction would have shown by then */
    EPHEMERAL_MIN = 32768, /* ports that systems also give to clients */
};

/* --- life --- */

static void release_flow(void *context, struct flow *f);

static void note_ethertypes(struct analyser *a)
{
    for (size_t i = 0; i < dissector_count; i++) {
        const struct dissector *d = dissectors[i];
        for (size_t n = 0; (d->over & OVER_ETHERTYPE) && n < DISSECTOR_ETHERTYPES_MAX; n++)
            a->ethertypes[d->ethertypes[n] / 8] |=
                (uint8_t)(d->ethertypes[n] ? 1 << d->ethertypes[n] % 8 : 0);
    }
}

struct analyser *analyser_create(const struct analyser_options *options,
                                 const struct analyser_sink *sink)
{
    struct analyser *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->options = *options;
    a->sink = *sink;
    a->flows = flow_table_create(options->flows_max, release_flow, a, &a->counters);
    a->pool = pool_create(options->stream_bytes_max);
    a->requests = memory_create(REQUESTS_MAX, REMEMBER_MAX);
    a->pairs = memory_create(PAIRS_MAX, PAIR_ENTRY_SIZE);
    a->protocols = calloc(dissector_count, sizeof *a->protocols);
    bool ok = arena_create(&a->arena, ARENA_SIZE);
    note_ethertypes(a);
    if (options->is_classifying)
        a->classifier = classifier_create(NDPI_FLOWS_MAX);
    if (!ok || !a->flows || !a->pool || !a->requests || !a->pairs || !a->protocols ||
        (options->is_classifying && !a->classifier)) {
        analyser_destroy(a);
        return NULL;
    }
    return a;
}

void analyser_destroy(struct analyser *a)
{
    if (!a)
        return;
    flow_table_destroy(a->flows);
    classifier_destroy(a->classifier);
    pool_destroy(a->pool);
    memory_destroy(a->requests);
    memory_destroy(a->pairs);
    arena_destroy(&a->arena);
    free(a->protocols);
    free(a);
}

static void drop_buffer(struct analyser *a, struct half *h)
{
    pool_give(a->pool, h->buffer, h->capacity);
    h->buffer = NULL;
    h->used = h->capacity = 0;
}

static void drop_layers(struct analyser *a, struct flow *f)
{
    for (size_t i = 0; i < FLOW_LAYERS && f->layers[i].dissector; i++) {
        pool_give(a->pool, f->layers[i].state, f->layers[i].state_size);
        f->layers[i] = (struct layer){0};
    }
}

static void release_flow(void *context, struct flow *f)
{
    struct analyser *a = context;
    for (int i = 0; i < 2; i++) {
        stream_release(&f->halves[i].stream, a->pool);
        drop_buffer(a, &f->halves[i]);
        overtaking_drop(&f->overtaking[i], a->pool);
    }
    drop_layers(a, f);
    if (f->ndpi)
        classifier_release(a->classifier, f);
}

/* --- recognition --- */

static bool has_port(const struct dissector *d, uint16_t port)
{
    for (size_t i = 0; i < DISSECTOR_PORTS_MAX && d->ports[i]; i++)
        if (d->ports[i] == port)
            return true;
    return false;
}

static bool has_ethertype(const struct dissector *d, uint16_t ethertype)
{
    for (size_t i = 0; i < DISSECTOR_ETHERTYPES_MAX && d->ethertypes[i]; i++)
        if (d->ethertypes[i] == ethertype)
            return true;
    return false;
}

static bool is_layer2(const struct flow *f)
{
    return f->view.transport == TRANSPORT_NONE;
}

/* Which end the port belongs to: the server's port decides, a client's ephemeral port may collide.
 */
static bool is_hinted(const struct dissector *d, const struct flow *f)
{
    if (is_layer2(f))
        return has_ethertype(d, f->ethertype);
    if (f->view.is_role_known)
        return has_port(d, f->view.server.port);
    return has_port(d, f->view.server.port) || has_port(d, f->view.client.port);
}

static unsigned carrier_of(const struct flow *f)
{
    if (f->view.transport == TRANSPORT_TCP)
        return OVER_TCP;
    return f->view.transport == TRANSPORT_UDP ? OVER_UDP : OVER_ETHERTYPE;
}

static bool is_port_of_any(uint16_t port, unsigned over)
{
    for (size_t i = 0; i < dissector_count; i++)
        if ((dissectors[i]->over & over) && has_port(dissectors[i], port))
            return true;
    return false;
}

/* Without a SYN the port tells best who is the server. */
static void guess_roles(struct flow *f)
{
    unsigned over = carrier_of(f);
    bool is_client_hinted = is_port_of_any(f->view.client.port, over);
    bool is_server_hinted = is_port_of_any(f->view.server.port, over);
    bool is_swapped = is_client_hinted != is_server_hinted
                          ? is_client_hinted
                          : f->view.client.port < f->view.server.port;
    if (is_swapped && f->view.client.port != 0) {
        struct endpoint client = f->view.client;
        f->view.client = f->view.server;
        f->view.server = client;
        f->is_a_client = !f->is_a_client;
    }
}

void report_protocol(struct analyser *a, struct flow *f, const char *name, bool is_dissected)
{
    if (f->protocol_name == name)
        return;
    f->protocol_name = name;
    for (size_t i = 0; i < FLOW_NAMES; i++) /* those inside each other take turns */
        if (f->names[i] == name)
            return;
    f->names[f->name_at] = name;
    f->name_at = (uint8_t)((f->name_at + 1) % FLOW_NAMES);
    a->sink.protocol(a->sink.context, &f->view, name, is_dissected, a->packet);
}

struct verdict {
    const struct dissector *dissector; /* NULL: none yet */
    enum claim claim;                  /* the best of all */
};

static void ask(const struct dissector *d, struct reader r, bool is_hinted_by_port,
                struct verdict *v)
{
    enum claim claim = d->recognise(r);
    if (claim == CLAIM_HOME)
        claim = is_hinted_by_port ? CLAIM_MORE : CLAIM_NO;
    if (claim == CLAIM_WEAK && (is_hinted_by_port || d->is_bound_to_ports))
        claim = is_hinted_by_port ? CLAIM_YES : CLAIM_NO;
    if (claim > v->claim || (claim == v->claim && claim != CLAIM_NO && !v->dissector)) {
        v->claim = claim;
        v->dissector = d;
    }
}

/* Asks those that the port hints at, then the others; the first sure answer wins. */
static struct verdict ask_all(const struct flow *f, struct reader r)
{
    struct verdict v = {NULL, CLAIM_NO};
    unsigned over = carrier_of(f);
    for (size_t i = 0; i < dissector_count && v.claim != CLAIM_YES; i++)
        if ((dissectors[i]->over & over) && is_hinted(dissectors[i], f))
            ask(dissectors[i], r, true, &v);
    if (is_layer2(f))
        return v; /* the ethertype decides */
    for (size_t i = 0; i < dissector_count && v.claim != CLAIM_YES; i++)
        if ((dissectors[i]->over & over) && !is_hinted(dissectors[i], f))
            ask(dissectors[i], r, false, &v);
    return v;
}

/* --- buffers --- */

static bool reserve(struct analyser *a, struct half *h, size_t size)
{
    if (size <= h->capacity)
        return true;
    uint8_t *bigger = pool_take(a->pool, size);
    if (!bigger)
        return false;
    if (h->used)
        memcpy(bigger, h->buffer, h->used);
    pool_give(a->pool, h->buffer, h->capacity);
    h->buffer = bigger;
    h->capacity = (uint32_t)pool_block_size(size);
    return true;
}

/* False: no room; the stream loses its place. */
static bool append(struct analyser *a, struct half *h, const uint8_t *bytes, size_t size)
{
    if (!reserve(a, h, h->used + size)) {
        a->counters.tcp_buffer_full++;
        return false;
    }
    memcpy(h->buffer + h->used, bytes, size);
    h->used += (uint32_t)size;
    return true;
}

/* Drops the first n bytes; an empty buffer goes back to the pool. */
static void consume(struct analyser *a, struct half *h, size_t n)
{
    h->used -= (uint32_t)n;
    if (h->used == 0)
        drop_buffer(a, h);
    else
        memmove(h->buffer, h->buffer + n, h->used);
}

/* --- framing --- */

static void report_broken(struct analyser *a, struct flow *f, const struct dissector *d,
                          bool is_from_a, const struct frame *frame, const uint8_t *at, size_t size)
{
    struct violation v = {
        .kind = frame->kind,
        .why = frame->why,
        .protocol = d->name,
        .time_ns = a->packet->time_ns,
        .flow = &f->view,
        .packet = a->packet,
        .is_from_client = is_from_a == f->is_a_client,
        .telling = at,
        .telling_size = size,
    };
    a->counters.violations++;
    a->protocols[f->layers[0].index].violations++;
    a->sink.violation(a->sink.context, &v);
}

static void give_up_claim(struct analyser *a, struct flow *f)
{
    a->counters.claims_given_up++;
    drop_layers(a, f);
    drop_buffer(a, &f->halves[0]);
    drop_buffer(a, &f->halves[1]);
    f->state = a->classifier ? FLOW_OTHER : FLOW_DONE;
}

/* Where the framing begins again, or size. A weak signature counts only where a segment begins. */
static size_t find_sync(const struct dissector *d, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        enum claim claim = d->recognise(reader_of(bytes + at, size - at));
        if (claim == CLAIM_YES || (at == 0 && claim != CLAIM_NO && claim != CLAIM_HOME))
            return at;
        if (d->begins_segments)
            break;
    }
    return size;
}

static struct frame frame_of_flow(const struct flow *f, int from, const uint8_t *bytes, size_t size)
{
    const struct layer *layer = &f->layers[0];
    const struct dissector *d = layer->dissector;
    struct reader r = reader_of(bytes, size);
    return d->frame_in ? d->frame_in(r, layer->state, (from == 0) == f->is_a_client) : d->frame(r);
}

/* Cuts PDUs off the bytes and dissects them. Returns how many bytes were used; the rest waits for
 * more. */
static size_t cut(struct analyser *a, struct flow *f, int from, const uint8_t *bytes, size_t size)
{
    struct half *h = &f->halves[from];
    struct layer *layer = &f->layers[0];
    const struct dissector *d = layer->dissector;
    size_t pdu_max = d->pdu_max ? d->pdu_max : PDU_MAX_DEFAULT;
    size_t at = 0;

    while (at < size) {
        if (h->skip) {
            size_t passed = h->skip < size - at ? (size_t)h->skip : size - at;
            h->skip -= passed;
            at += passed;
            continue;
        }
        if (h->is_lost) {
            at += find_sync(d, bytes + at, size - at);
            if (at == size)
                return size;
            h->is_lost = false;
            a->counters.resynchronisations++;
        }
        struct frame frame = frame_of_flow(f, from, bytes + at, size - at);
        if (frame.verdict == FRAME_COMPLETE && frame.size > size - at)
            frame = frame_need(frame.size);
        if (frame.verdict == FRAME_NEED && frame.size > pdu_max)
            frame = frame_broken("PDU longer than its protocol allows");
        if (frame.verdict == FRAME_NEED)
            return at;
        if (frame.verdict == FRAME_BROKEN || frame.size == 0) {
            if (!h->is_unsure)
                report_broken(a, f, d, from == 0, &frame, bytes + at, size - at);
            if (++f->broken >= BROKEN_MAX && !f->has_good) {
                give_up_claim(a, f);
                return size;
            }
            h->is_lost = h->is_unsure = true;
            at++;
            continue;
        }
        f->broken = 0;
        f->has_good = true;
        h->is_unsure = false;
        dissect_pdu(a, f, layer, from == 0, bytes + at, frame.size);
        at += frame.size;
    }
    return at;
}

static void claimed_bytes(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                          size_t size)
{
    struct half *h = &f->halves[from];
    if (h->used == 0) {
        size_t used = cut(a, f, from, bytes, size);
        if (used < size && f->state == FLOW_CLAIMED && !append(a, h, bytes + used, size - used))
            h->is_lost = h->is_unsure = true;
        return;
    }
    if (!append(a, h, bytes, size)) {
        drop_buffer(a, h);
        h->is_lost = h->is_unsure = true;
        return;
    }
    size_t used = cut(a, f, from, h->buffer, h->used);
    if (used > 0 && h->used > 0)
        consume(a, h, used);
}

/* A protocol whose port this is, or NULL. */
static const char *expected_at(const struct flow *f)
{
    unsigned over = carrier_of(f);
    for (size_t i = 0; i < dissector_count; i++)
        if ((dissectors[i]->over & over) && has_port(dissectors[i], f->view.server.port))
            return dissectors[i]->name;
    return NULL;
}

/* A protocol without ports of its own is usual where no other one is at home. */
static bool is_usual_port(const struct dissector *d, const struct flow *f)
{
    if (is_layer2(f) || has_port(d, f->view.server.port) || has_port(d, f->view.client.port))
        return true;
    return d->ports[0] == 0 && !expected_at(f);
}

static void claim_flow(struct analyser *a, struct flow *f, const struct dissector *d)
{
    if (!flow_layer(a, f, d, carrier_of(f))) {
        f->state = FLOW_DONE;
        return;
    }
    f->state = FLOW_CLAIMED;
    f->broken = 0;
    if (!is_usual_port(d, f))
        a->sink.odd_port(a->sink.context, &f->view, d->name, expected_at(f), a->packet);
}

/* Nobody knows the bytes: the port may at least have a name. Where clients get their ports, too,
 * only when it is sure, or when both ends have it, who is called. */
static void name_by_port(struct analyser *a, struct flow *f)
{
    const char *name = named_port(carrier_of(f), f->view.server.port);
    bool is_sure = f->view.server.port < EPHEMERAL_MIN || f->view.is_role_known ||
                   named_port(carrier_of(f), f->view.client.port) == name;
    if (name && is_sure && !is_layer2(f))
        report_protocol(a, f, name, false);
}

static void nobody_claims(struct analyser *a, struct flow *f)
{
    drop_buffer(a, &f->halves[0]);
    drop_buffer(a, &f->halves[1]);
    f->state = a->classifier ? FLOW_OTHER : FLOW_DONE;
    if (a->classifier)
        return;
    name_by_port(a, f);
    if (expected_at(f))
        a->sink.odd_port(a->sink.context, &f->view, NULL, expected_at(f), a->packet);
}

/* Both directions' waiting bytes, the one that spoke first before the other. */
static void dissect_waiting(struct analyser *a, struct flow *f)
{
    for (int turn = 0; turn < 2 && f->state == FLOW_CLAIMED; turn++) {
        int from = turn == 0 ? f->first_half : 1 - f->first_half;
        struct half *h = &f->halves[from];
        if (h->used == 0)
            continue;
        size_t used = cut(a, f, from, h->buffer, h->used);
        if (used > 0 && h->used > 0)
            consume(a, h, used);
    }
}

/* Two consistent PDUs make a weak signature sure: one in each direction, or two in a row. */
static bool is_confirmed(const struct flow *f, int from, const struct dissector *d)
{
    if (f->halves[1 - from].is_weak)
        return true;
    const struct half *h = &f->halves[from];
    struct frame frame = d->frame ? d->frame(reader_of(h->buffer, h->used)) : frame_of(h->used);
    if (frame.verdict != FRAME_COMPLETE || frame.size >= h->used)
        return false;
    enum claim next = d->recognise(reader_of(h->buffer + frame.size, h->used - frame.size));
    return next == CLAIM_WEAK || next == CLAIM_YES;
}

/* Segments of a few bytes are how one would pass a request by a sensor that counts packets. */
static bool has_had_time(const struct flow *f, const struct half *h)
{
    if (h->used >= UNDECIDED_BYTES || f->payload_packets >= CRUMBS_MAX)
        return true;
    return f->payload_packets >= UNDECIDED_PACKETS && h->used >= UNDECIDED_LEAST;
}

/* newest: bytes of the segment that came last. */
static void decide(struct analyser *a, struct flow *f, int from, size_t newest)
{
    struct half *h = &f->halves[from];
    struct verdict v = ask_all(f, reader_of(h->buffer, h->used));
    if (v.claim == CLAIM_WEAK) {
        if (f->candidate != v.dissector)
            f->halves[1 - from].is_weak = false;
        f->candidate = v.dissector;
        h->is_weak = true;
        if (is_confirmed(f, from, v.dissector))
            v.claim = CLAIM_YES;
    }
    if (v.claim == CLAIM_YES) {
        claim_flow(a, f, v.dissector);
        dissect_waiting(a, f);
    } else if (v.claim == CLAIM_NO && !f->view.is_start_seen &&
               f->payload_packets < UNDECIDED_PACKETS) {
        /* picked up inside a PDU, perhaps: this segment or the next one may begin with one */
        size_t older = h->used - newest;
        consume(a, h, older ? older : h->used);
        if (older)
            decide(a, f, from, newest);
    } else if (v.claim == CLAIM_NO || has_had_time(f, h)) {
        nobody_claims(a, f);
    }
}

static void undecided_bytes(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                            size_t size)
{
    struct half *h = &f->halves[from];
    if (f->first_half > 1)
        f->first_half = (uint8_t)from;
    f->payload_packets++;
    if (!append(a, h, bytes, size > UNDECIDED_BYTES ? UNDECIDED_BYTES : size)) {
        nobody_claims(a, f);
        return;
    }
    decide(a, f, from, size > UNDECIDED_BYTES ? UNDECIDED_BYTES : size);
}

/* --- TCP --- */

struct delivery_of {
    struct analyser *analyser;
    struct flow *flow;
    int from;
};

/* What came after its turn: whole PDUs that begin with it are told, and what is being put together
 * meanwhile stays as it is. False: there was none. */
static bool late_bytes(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                       size_t size)
{
    struct half *h = &f->halves[from];
    bool is_lost = h->is_lost, is_unsure = h->is_unsure;
    uint64_t skip = h->skip;
    h->skip = 0;
    h->is_lost = h->is_unsure = true;
    (void)cut(a, f, from, bytes, size);
    bool is_found = !h->is_unsure;
    h->skip = skip;
    h->is_lost = is_lost;
    h->is_unsure = is_unsure;
    return is_found;
}

/* Late bytes are asked about alone: what comes next does not continue them. */
static void late_undecided(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                           size_t size)
{
    struct half *h = &f->halves[from];
    if (h->used)
        return;
    undecided_bytes(a, f, from, bytes, size);
    if (f->state == FLOW_UNDECIDED)
        drop_buffer(a, h);
}

/* What the first bytes of a direction have overtaken has come: all of it from its beginning. */
static void overtaken(struct analyser *a, struct flow *f, int from)
{
    struct half *h = &f->halves[from];
    struct overtaking *o = &f->overtaking[from];
    bool is_all = h->is_unsure && h->stream.begin + o->size == h->stream.next, is_found;
    if (is_all && f->state == FLOW_UNDECIDED) {
        if (ask_all(f, reader_of(o->bytes, o->size)).claim == CLAIM_NO)
            return; /* still not from its beginning */
        drop_buffer(a, h);
        f->payload_packets--; /* counts with the segments that came before it */
        undecided_bytes(a, f, from, o->bytes, o->size);
        is_found = f->state != FLOW_UNDECIDED;
    } else if (is_all && f->state == FLOW_CLAIMED) {
        drop_buffer(a, h);
        h->is_lost = true;
        claimed_bytes(a, f, from, o->bytes, o->size);
        is_found = !h->is_unsure;
    } else if (f->state == FLOW_CLAIMED) {
        is_found = late_bytes(a, f, from, o->bytes, o->size);
    } else {
        late_undecided(a, f, from, o->bytes, o->size);
        is_found = f->state != FLOW_UNDECIDED;
    }
    if (is_found)
        overtaking_drop(o, a->pool);
}

static void deliver_late(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                         size_t size, bool is_before)
{
    f->view.has_gap = true;
    if (f->state != FLOW_CLAIMED && f->state != FLOW_UNDECIDED)
        return;
    if (is_before && overtaking_prepend(&f->overtaking[from], a->pool, bytes, size))
        overtaken(a, f, from);
    else if (f->state == FLOW_CLAIMED)
        (void)late_bytes(a, f, from, bytes, size);
    else
        late_undecided(a, f, from, bytes, size);
}

/* Without its beginning a direction may begin inside a PDU. */
static void keep_overtaking(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                            size_t size)
{
    const struct half *h = &f->halves[from];
    struct overtaking *o = &f->overtaking[from];
    bool is_open = f->state == FLOW_CLAIMED || f->state == FLOW_UNDECIDED;
    if (is_open && h->is_unsure && (uint32_t)(h->stream.next - size) == h->stream.begin + o->size)
        overtaking_append(o, a->pool, bytes, size);
    else if (!is_open)
        overtaking_drop(o, a->pool);
    else
        overtaking_ages(o, a->pool);
}

static void deliver(void *context, const uint8_t *bytes, size_t size, enum stream_delivery how)
{
    struct delivery_of *to = context;
    struct flow *f = to->flow;
    struct half *h = &f->halves[to->from];
    if (how == STREAM_LATE || how == STREAM_BEFORE) {
        deliver_late(to->analyser, f, to->from, bytes, size, how == STREAM_BEFORE);
        return;
    }
    if (how == STREAM_AFTER_GAP) {
        f->view.has_gap = true;
        if (f->state == FLOW_CLAIMED) {
            drop_buffer(to->analyser, h);
            h->skip = 0;
            h->is_lost = h->is_unsure = true;
        }
    }
    if (f->state == FLOW_CLAIMED)
        claimed_bytes(to->analyser, f, to->from, bytes, size);
    else if (f->state == FLOW_UNDECIDED)
        undecided_bytes(to->analyser, f, to->from, bytes, size);
    if (!f->view.is_start_seen && (h->is_unsure || f->overtaking[to->from].bytes))
        keep_overtaking(to->analyser, f, to->from, bytes, size);
}

/* A new connection on the ports of an old one. */
static void restart_flow(struct analyser *a, struct flow *f, const struct packet *p, int from)
{
    release_flow(a, f);
    f->halves[0] = f->halves[1] = (struct half){0};
    f->candidate = NULL;
    f->protocol_name = NULL;
    memset(f->names, 0, sizeof f->names);
    f->state = FLOW_UNDECIDED;
    f->payload_packets = f->ndpi_packets = f->broken = 0;
    f->first_half = 2;
    f->has_answered = f->is_refused = f->is_closed = f->has_good = false;
    f->is_a_client = from == 0;
    struct endpoint sender = {p->source, p->source_mac, p->source_port};
    struct endpoint receiver = {p->destination, p->destination_mac, p->destination_port};
    f->view.client = sender;
    f->view.server = receiver;
    f->view.is_two_sided = f->view.has_gap = false;
    f->view.first_ns = p->time_ns;
}

static void tcp_roles(struct analyser *a, struct flow *f, const struct packet *p, int from,
                      bool is_new)
{
    bool is_syn = (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    bool is_syn_ack = (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    if (is_syn && !is_new) {
        struct stream *s = &f->halves[from].stream;
        if (s->is_started && s->next == p->tcp_sequence + 1)
            return; /* SYN once more */
        restart_flow(a, f, p, from);
        is_new = true;
    }
    if (is_syn) {
        f->view.is_role_known = f->view.is_start_seen = true;
    } else if (is_syn_ack && is_new) {
        f->is_a_client = false;
        f->view.client = (struct endpoint){p->destination, p->destination_mac, p->destination_port};
        f->view.server = f->a;
        f->view.is_role_known = f->view.is_start_seen = true;
    } else if (is_new) {
        if (!is_layer2(f))
            guess_roles(f);
        f->halves[0].is_lost = f->halves[1].is_lost = true;
        f->halves[0].is_unsure = f->halves[1].is_unsure = true;
    }
    if (is_new)
        a->sink.flow_started(a->sink.context, &f->view, p);
}

static void note_answer(struct analyser *a, struct flow *f, const struct packet *p,
                        bool is_from_server)
{
    if (!is_from_server || f->has_answered)
        return;
    if (f->view.transport == TRANSPORT_TCP && (p->tcp_flags & TCP_RST)) {
        if (!f->is_refused && f->view.is_start_seen) {
            f->is_refused = true;
            a->sink.flow_refused(a->sink.context, &f->view, p);
        }
        return;
    }
    bool is_syn_ack = f->view.transport == TRANSPORT_TCP && (p->tcp_flags & TCP_SYN);
    if (is_syn_ack || p->payload_size > 0) {
        f->has_answered = true;
        a->sink.flow_answered(a->sink.context, &f->view, p);
    }
}

static void classify(struct analyser *a, struct flow *f, const struct packet *p)
{
    bool is_finished;
    const char *name = classifier_packet(a->classifier, f, p, &a->counters, &is_finished);
    if (name)
        report_protocol(a, f, name, false);
    if (!is_finished)
        return;
    f->state = FLOW_DONE;
    if (!name)
        name_by_port(a, f);
    const char *expected = expected_at(f);
    if (name && expected && strcmp(name, expected) == 0)
        name = NULL; /* by its port; our dissector did not find it */
    if (expected || !name)
        a->sink.odd_port(a->sink.context, &f->view, name, expected, p);
}

static void note_sides(struct flow *f, const struct packet *p, int from)
{
    if (p->payload_size == 0)
        return;
    f->halves[from].stream.is_started |= f->view.transport != TRANSPORT_TCP;
    if (f->halves[0].stream.is_started && f->halves[1].stream.is_started)
        f->view.is_two_sided = true;
}

/* Acknowledgements count: a side that only listens is visible, too. */
static void judge_sides(struct analyser *a, struct flow *f, int from)
{
    f->is_seen[from] = true;
    if (f->packets >= SIDES_JUDGED_AT || ++f->packets < SIDES_JUDGED_AT)
        return;
    a->counters.tcp_flows_judged++;
    a->counters.tcp_flows_one_sided += !f->is_seen[1 - from];
}

/* What was sent before is sent again with other content. */
static void report_conflict(struct analyser *a, const struct flow *f, const struct packet *p,
                            int from)
{
    struct violation v = {
        .kind = VIOLATION_OVERLAP,
        .why = "TCP data repeated with other content",
        .protocol = f->protocol_name ? f->protocol_name : "tcp",
        .time_ns = p->time_ns,
        .flow = &f->view,
        .packet = p,
        .is_from_client = (from == 0) == f->is_a_client,
        .telling = p->payload,
        .telling_size = p->payload_size,
    };
    a->counters.violations++;
    a->sink.violation(a->sink.context, &v);
}

static bool has_lost_bytes(const struct flow *f)
{
    return f->view.has_gap || f->halves[0].is_lost || f->halves[1].is_lost ||
           f->halves[0].stream.held || f->halves[1].stream.held;
}

/* The connection ends before anybody knew what it was: too little, or nothing that makes sense.
 * Where the capture lost some of it, nobody can say. */
static void closed_unrecognised(struct analyser *a, struct flow *f)
{
    bool is_open = f->state == FLOW_UNDECIDED || f->state == FLOW_OTHER;
    if (!is_open || f->payload_packets == 0 || f->protocol_name || !f->view.is_start_seen ||
        has_lost_bytes(f))
        return;
    const char *expected = expected_at(f);
    if (expected)
        a->sink.odd_port(a->sink.context, &f->view, NULL, expected, a->packet);
}

static void tcp_packet(struct analyser *a, struct flow *f, const struct packet *p, int from)
{
    judge_sides(a, f, from);
    a->counters.tcp_bytes += p->payload_size;
    struct delivery_of to = {a, f, from}, back = {a, f, 1 - from};
    struct stream_context forward = {a->pool, &a->counters, deliver, &to};
    if (f->halves[1 - from].stream.held) {
        struct stream_context backward = {a->pool, &a->counters, deliver, &back};
        stream_acknowledged(&f->halves[1 - from].stream, &backward, p);
    }
    uint64_t conflicts = a->counters.tcp_overlap_conflicts;
    if (p->payload_wire_size > 0 || (p->tcp_flags & TCP_SYN))
        stream_segment(&f->halves[from].stream, &forward, p);
    if (a->counters.tcp_overlap_conflicts != conflicts)
        report_conflict(a, f, p, from);
    if (p->tcp_flags & (TCP_FIN | TCP_RST)) {
        f->halves[from].is_finished = true;
        bool is_closed = (p->tcp_flags & TCP_RST) || f->halves[1 - from].is_finished;
        if (is_closed && !f->is_closed && f->state == FLOW_CLAIMED)
            a->sink.flow_finished(a->sink.context, &f->view, p);
        else if (is_closed && !f->is_closed)
            closed_unrecognised(a, f);
        f->is_closed |= is_closed;
    }
}

/* --- UDP and layer 2: every datagram stands for itself --- */

static void dissect_datagram(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                             size_t size)
{
    struct layer *layer = &f->layers[0];
    const struct dissector *d = layer->dissector;
    if (!d->frame) {
        dissect_pdu(a, f, layer, from == 0, bytes, size);
        return;
    }
    for (size_t at = 0; at < size && f->state == FLOW_CLAIMED;) {
        struct frame frame = d->frame(reader_of(bytes + at, size - at));
        if (frame.verdict == FRAME_NEED ||
            (frame.verdict == FRAME_COMPLETE && frame.size > size - at))
            frame = frame_broken_as(VIOLATION_TRUNCATED, "datagram ends inside a PDU");
        if (frame.verdict == FRAME_BROKEN || frame.size == 0) {
            if (a->packet->payload_size == a->packet->payload_wire_size)
                report_broken(a, f, d, from == 0, &frame, bytes + at, size - at);
            if (++f->broken >= BROKEN_MAX && !f->has_good)
                give_up_claim(a, f);
            return;
        }
        f->broken = 0;
        f->has_good = true;
        dissect_pdu(a, f, layer, from == 0, bytes + at, frame.size);
        at += frame.size;
    }
}

static void datagram(struct analyser *a, struct flow *f, const struct packet *p, int from)
{
    if (p->payload_size == 0)
        return;
    if (f->state == FLOW_CLAIMED) {
        dissect_datagram(a, f, from, p->payload, p->payload_size);
        return;
    }
    if (f->state != FLOW_UNDECIDED)
        return;
    struct verdict v = ask_all(f, reader_of(p->payload, p->payload_size));
    f->payload_packets++;
    if (v.claim == CLAIM_WEAK && f->candidate == v.dissector)
        v.claim = CLAIM_YES; /* the second consistent datagram; the first one waits in its half */
    if (v.claim == CLAIM_YES) {
        claim_flow(a, f, v.dissector);
        for (int i = 0; i < 2; i++) {
            struct half *h = &f->halves[i];
            if (h->used && f->state == FLOW_CLAIMED)
                dissect_datagram(a, f, i, h->buffer, h->used);
            drop_buffer(a, h);
        }
        if (f->state == FLOW_CLAIMED)
            dissect_datagram(a, f, from, p->payload, p->payload_size);
    } else if (v.claim == CLAIM_WEAK && !f->candidate) {
        f->candidate = v.dissector;
        if (!append(a, &f->halves[from], p->payload, p->payload_size))
            nobody_claims(a, f);
    } else {
        nobody_claims(a, f);
    }
}

/* --- one packet --- */

static bool is_known_ethertype(const struct analyser *a, uint16_t ethertype)
{
    return (a->ethertypes[ethertype / 8] >> ethertype % 8 & 1) != 0;
}

/* May this packet belong to a flow at all? */
static bool is_analysable(const struct analyser *a, const struct packet *p)
{
    if (p->is_fragment)
        return false;
    if (p->source.kind == ADDRESS_NONE)
        return !mac_is_zero(&p->source_mac) && p->transport == TRANSPORT_NONE &&
               is_known_ethertype(a, p->ethertype);
    return p->transport == TRANSPORT_TCP || p->transport == TRANSPORT_UDP;
}

static bool is_worth_a_flow(const struct packet *p)
{
    return p->transport != TRANSPORT_TCP || p->payload_wire_size > 0 ||
           (p->tcp_flags & TCP_SYN) != 0;
}

static bool is_from_a(const struct flow *f, const struct packet *p)
{
    if (is_layer2(f))
        return mac_equal(&f->a.mac, &p->source_mac);
    if (f->a.port != p->source_port)
        return false;
    if (!address_equal(&f->a.ip, &p->source))
        return false;
    return !address_equal(&p->source, &p->destination) || p->source_port == f->a.port;
}

void analyser_look(const struct analyser *a, const struct packet *p, struct analyser_place *place,
                   unsigned step)
{
    if (step == 0) {
        place->is_analysable = is_analysable(a, p);
        if (place->is_analysable)
            place->hash = flow_look(a->flows, p);
    } else if (place->is_analysable && step == 1) {
        place->flow = flow_look_on(a->flows, place->hash);
    } else if (place->is_analysable && place->flow) {
        if (step == 2)
            flow_look_in(place->flow);
        if (a->sink.soon)
            a->sink.soon(a->sink.context, &place->flow->view, step - 2);
    }
}

void analyser_packet(struct analyser *a, const struct packet *p)
{
    struct analyser_place place;
    analyser_look(a, p, &place, 0);
    analyser_packet_at(a, p, &place);
}

void analyser_packet_at(struct analyser *a, const struct packet *p,
                        const struct analyser_place *place)
{
    if (!place->is_analysable)
        return;
    bool is_new;
    struct flow *f = flow_find(a->flows, p, place->hash, is_worth_a_flow(p), &is_new);
    if (!f)
        return;
    a->packet = p;
    arena_reset(&a->arena);

    int from = is_new || is_from_a(f, p) ? 0 : 1;
    if (p->transport == TRANSPORT_TCP) {
        if (is_new || (p->tcp_flags & TCP_SYN))
            tcp_roles(a, f, p, from, is_new);
    } else if (is_new) {
        if (!is_layer2(f))
            guess_roles(f);
        f->view.is_start_seen = true;
        a->sink.flow_started(a->sink.context, &f->view, p);
    }
    bool is_from_server = (from == 0) != f->is_a_client;
    if (!f->has_answered)
        note_answer(a, f, p, is_from_server);
    if (!f->view.is_two_sided)
        note_sides(f, p, from);

    if (p->transport == TRANSPORT_TCP)
        tcp_packet(a, f, p, from);
    else
        datagram(a, f, p, from);
    if (f->state == FLOW_OTHER && p->payload_size > 0 && p->network)
        classify(a, f, p);
    a->packet = NULL;
}

void analyser_tick(struct analyser *a, int64_t time_ns)
{
    flow_expire(a->flows, time_ns);
}

static void finish_flow(void *context, struct flow *f)
{
    struct analyser *a = context;
    if (f->view.transport != TRANSPORT_TCP ||
        (!f->halves[0].stream.held && !f->halves[1].stream.held))
        return;
    struct packet last = {.time_ns = f->view.last_ns};
    a->packet = &last;
    for (int from = 0; from < 2; from++) {
        struct delivery_of to = {a, f, from};
        struct stream_context c = {a->pool, &a->counters, deliver, &to};
        arena_reset(&a->arena);
        stream_flush(&f->halves[from].stream, &c);
    }
    a->packet = NULL;
}

void analyser_finish(struct analyser *a)
{
    flow_each(a->flows, finish_flow, a);
}

struct counters *analyser_counters(struct analyser *a)
{
    return &a->counters;
}

const struct protocol_stats *analyser_protocols(const struct analyser *a)
{
    return a->protocols;
}

uint32_t analyser_flows(const struct analyser *a)
{
    return flow_count(a->flows);
}
