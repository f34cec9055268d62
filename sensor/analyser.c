/* analyser.c: one packet finds its flow and goes through it; the parts are in recognition.c,
 * claims.c, framing.c and analyser_tcp.c. */
#include "analyser.h"

#include "analyser_internal.h"
#include "overtaking.h"
#include "recognition.h"

#include <stdlib.h>
#include <string.h>

enum {
    REQUESTS_MAX = 8192, /* in flight over all flows of a worker */
    PAIRS_MAX = 16384,
    PAIR_ENTRY_SIZE = 64,
    ARENA_SIZE = 1 << 18, /* 1,900 items of one PDU */
    NDPI_FLOWS_MAX = 2048,
};

/* --- life --- */

void analyser_drop_layers(struct analyser *a, struct flow *f)
{
    for (size_t i = 0; i < FLOW_LAYERS && f->layers[i].dissector; i++) {
        pool_give(a->pool, f->layers[i].state, f->layers[i].state_size);
        f->layers[i] = (struct layer){0};
    }
}

void analyser_release(void *context, struct flow *f)
{
    struct analyser *a = context;
    for (int i = 0; i < 2; i++) {
        stream_release(&f->halves[i].stream, a->pool);
        half_drop(a, &f->halves[i]);
        overtaking_drop(&f->overtaking[i], a->pool);
    }
    analyser_drop_layers(a, f);
    if (f->ndpi)
        classifier_release(a->classifier, f);
}

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
    a->flows = flow_table_create(options->flows_max, analyser_release, a, &a->counters);
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

/* --- one packet --- */

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

static void note_sides(struct flow *f, const struct packet *p, int from)
{
    if (p->payload_size == 0)
        return;
    f->halves[from].stream.is_started |= f->view.transport != TRANSPORT_TCP;
    if (f->halves[0].stream.is_started && f->halves[1].stream.is_started)
        f->view.is_two_sided = true;
}

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
           (p->tcp_flags & TCP_SYN) != 0 || tcp_is_probe(p);
}

static bool is_from_a(const struct flow *f, const struct packet *p)
{
    if (flow_is_layer2(f))
        return mac_equal(&f->a.mac, &p->source_mac);
    if (f->a.port != p->source_port)
        return false;
    if (!address_equal(&f->a.ip, &p->source))
        return false;
    return !address_equal(&p->source, &p->destination) || p->source_port == f->a.port;
}

/* A datagram costs its sender nothing: of those that nobody understands only the number counts. */
static void note_strange(struct analyser *a, struct flow *f, const struct packet *p)
{
    enum { STRANGE_TOLD = 50 };
    if (++f->strange < STRANGE_TOLD)
        return;
    f->strange = 0;
    if (a->sink.strange)
        a->sink.strange(a->sink.context, &f->view, f->protocol_name, STRANGE_TOLD, p);
}

void analyser_look(const struct analyser *a, const struct packet *p, struct analyser_place *place)
{
    place->flow = NULL;
    place->is_analysable = is_analysable(a, p);
    if (place->is_analysable)
        place->hash = flow_look(a->flows, p);
}

void analyser_look_flow(const struct analyser *a, struct analyser_place *place)
{
    if (place->is_analysable)
        place->flow = flow_look_on(a->flows, place->hash);
}

void analyser_look_state(const struct analyser *a, const struct analyser_place *place)
{
    if (!place->flow)
        return;
    flow_look_in(place->flow);
    memory_look_near(a->requests, &place->flow->request);
    if (a->sink.soon)
        a->sink.soon(a->sink.context, &place->flow->view, 0);
}

void analyser_look_learned(const struct analyser *a, const struct analyser_place *place)
{
    if (place->flow && a->sink.soon)
        a->sink.soon(a->sink.context, &place->flow->view, 1);
}

void analyser_packet(struct analyser *a, const struct packet *p)
{
    struct analyser_place place;
    analyser_look(a, p, &place);
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
        if (!flow_is_layer2(f))
            recognise_roles(f);
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
        claims_datagram(a, f, p, from);
    if (f->state == FLOW_OTHER && p->payload_size > 0 && p->network)
        claims_classify(a, f, p);
    if (f->state != FLOW_CLAIMED && p->transport == TRANSPORT_UDP)
        note_strange(a, f, p);
    a->packet = NULL;
}

void analyser_tick(struct analyser *a, int64_t time_ns)
{
    flow_expire(a->flows, time_ns);
}

static void finish_flow(void *context, struct flow *f)
{
    if (f->view.transport == TRANSPORT_TCP)
        tcp_finish(context, f);
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
