/* claims.c: whose flow it is: undecided bytes are collected and asked about, a dissector takes the
 * flow or nobody does, a wrong claim is given up. */
#include "analyser_internal.h"
#include "dissectors/named_ports.h"
#include "recognition.h"

#include <string.h>

enum {
    UNDECIDED_PACKETS = 8, /* PROTOCOLS 2: undecided after 8 payload packets or 8 KiB */
    UNDECIDED_BYTES = 8192,
    UNDECIDED_LEAST = 128, /* bytes that are waited for when they come in crumbs ... */
    CRUMBS_MAX = 192,      /* ... and how many, of both directions */
    EPHEMERAL_MIN = 32768, /* ports that systems also give to clients */
};

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

static void claim_flow(struct analyser *a, struct flow *f, const struct dissector *d)
{
    if (!flow_layer(a, f, d, flow_carrier(f))) {
        f->state = FLOW_DONE;
        return;
    }
    f->state = FLOW_CLAIMED;
    f->broken = 0;
    if (!recognise_usual_port(d, f, f->candidate == d))
        a->sink.odd_port(a->sink.context, &f->view, d->name, recognise_expected(f), a->packet);
}

/* Nobody knows the bytes: the port may at least have a name. Where clients get their ports, too,
 * only when it is sure, or when both ends have it, who is called. */
static void name_by_port(struct analyser *a, struct flow *f)
{
    const char *name = named_port(flow_carrier(f), f->view.server.port);
    bool is_sure = f->view.server.port < EPHEMERAL_MIN || f->view.is_role_known ||
                   named_port(flow_carrier(f), f->view.client.port) == name;
    if (name && is_sure && !flow_is_layer2(f))
        report_protocol(a, f, name, false);
}

static void nobody_claims(struct analyser *a, struct flow *f)
{
    half_drop(a, &f->halves[0]);
    half_drop(a, &f->halves[1]);
    f->state = a->classifier ? FLOW_OTHER : FLOW_DONE;
    if (a->classifier)
        return;
    name_by_port(a, f);
    if (recognise_expected(f))
        a->sink.odd_port(a->sink.context, &f->view, NULL, recognise_expected(f), a->packet);
}

void claims_give_up(struct analyser *a, struct flow *f)
{
    a->counters.claims_given_up++;
    analyser_drop_layers(a, f);
    half_drop(a, &f->halves[0]);
    half_drop(a, &f->halves[1]);
    f->state = a->classifier ? FLOW_OTHER : FLOW_DONE;
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
    struct verdict v = recognise(f, reader_of(h->buffer, h->used));
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
        framing_waiting(a, f);
    } else if (v.claim == CLAIM_NO && !f->view.is_start_seen &&
               f->payload_packets < UNDECIDED_PACKETS) {
        /* picked up inside a PDU, perhaps: this segment or the next one may begin with one */
        size_t older = h->used - newest;
        half_consume(a, h, older ? older : h->used);
        if (older)
            decide(a, f, from, newest);
    } else if (v.claim == CLAIM_NO || has_had_time(f, h)) {
        nobody_claims(a, f);
    }
}

void claims_bytes(struct analyser *a, struct flow *f, int from, const uint8_t *bytes, size_t size)
{
    struct half *h = &f->halves[from];
    if (f->first_half > 1)
        f->first_half = (uint8_t)from;
    f->payload_packets++;
    if (!half_append(a, h, bytes, size > UNDECIDED_BYTES ? UNDECIDED_BYTES : size)) {
        nobody_claims(a, f);
        return;
    }
    decide(a, f, from, size > UNDECIDED_BYTES ? UNDECIDED_BYTES : size);
}

void claims_classify(struct analyser *a, struct flow *f, const struct packet *p)
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
    const char *expected = recognise_expected(f);
    if (name && expected && strcmp(name, expected) == 0)
        name = NULL; /* by its port; our dissector did not find it */
    if (expected || !name)
        a->sink.odd_port(a->sink.context, &f->view, name, expected, p);
}

/* UDP and layer 2: every datagram stands for itself. */
void claims_datagram(struct analyser *a, struct flow *f, const struct packet *p, int from)
{
    if (p->payload_size == 0)
        return;
    if (f->state == FLOW_CLAIMED) {
        framing_datagram(a, f, from, p->payload, p->payload_size);
        return;
    }
    if (f->state != FLOW_UNDECIDED)
        return;
    struct verdict v = recognise(f, reader_of(p->payload, p->payload_size));
    f->payload_packets++;
    if (v.claim == CLAIM_WEAK && f->candidate == v.dissector)
        v.claim = CLAIM_YES; /* the second consistent datagram; the first one waits in its half */
    if (v.claim == CLAIM_YES) {
        claim_flow(a, f, v.dissector);
        for (int i = 0; i < 2; i++) {
            struct half *h = &f->halves[i];
            if (h->used && f->state == FLOW_CLAIMED)
                framing_datagram(a, f, i, h->buffer, h->used);
            half_drop(a, h);
        }
        if (f->state == FLOW_CLAIMED)
            framing_datagram(a, f, from, p->payload, p->payload_size);
    } else if (v.claim == CLAIM_WEAK && !f->candidate) {
        f->candidate = v.dissector;
        if (!half_append(a, &f->halves[from], p->payload, p->payload_size))
            nobody_claims(a, f);
    } else {
        nobody_claims(a, f);
    }
}
