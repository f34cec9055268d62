/* analyser_tcp.c: connections: who called, what was delivered in and out of turn, how they end. */
#include "analyser_internal.h"
#include "overtaking.h"
#include "recognition.h"

#include <string.h>

enum { SIDES_JUDGED_AT = 8 /* packets of a flow; its other direction would have shown by then */ };

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
    (void)framing_cut(a, f, from, bytes, size);
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
    claims_bytes(a, f, from, bytes, size);
    if (f->state == FLOW_UNDECIDED)
        half_drop(a, h);
}

/* What the first bytes of a direction have overtaken has come: all of it from its beginning. */
static void overtaken(struct analyser *a, struct flow *f, int from)
{
    struct half *h = &f->halves[from];
    struct overtaking *o = &f->overtaking[from];
    bool is_all = h->is_unsure && h->stream.begin + o->size == h->stream.next, is_found;
    if (is_all && f->state == FLOW_UNDECIDED) {
        if (recognise(f, reader_of(o->bytes, o->size)).claim == CLAIM_NO)
            return; /* still not from its beginning */
        half_drop(a, h);
        f->payload_packets--; /* counts with the segments that came before it */
        claims_bytes(a, f, from, o->bytes, o->size);
        is_found = f->state != FLOW_UNDECIDED;
    } else if (is_all && f->state == FLOW_CLAIMED) {
        half_drop(a, h);
        h->is_lost = true;
        framing_bytes(a, f, from, o->bytes, o->size);
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
            half_drop(to->analyser, h);
            h->skip = 0;
            h->is_lost = h->is_unsure = true;
        }
    }
    if (f->state == FLOW_CLAIMED)
        framing_bytes(to->analyser, f, to->from, bytes, size);
    else if (f->state == FLOW_UNDECIDED)
        claims_bytes(to->analyser, f, to->from, bytes, size);
    if (!f->view.is_start_seen && (h->is_unsure || f->overtaking[to->from].bytes))
        keep_overtaking(to->analyser, f, to->from, bytes, size);
}

/* A new connection on the ports of an old one. */
static void restart_flow(struct analyser *a, struct flow *f, const struct packet *p, int from)
{
    analyser_release(a, f);
    f->halves[0] = f->halves[1] = (struct half){0};
    f->candidate = NULL;
    f->protocol_name = NULL;
    memset(f->names, 0, sizeof f->names);
    f->state = FLOW_UNDECIDED;
    f->payload_packets = f->ndpi_packets = f->broken = 0;
    f->first_half = 2;
    f->has_answered = f->is_refused = f->is_closed = f->has_good = false;
    f->reset_ns[0] = f->reset_ns[1] = 0;
    f->is_a_client = from == 0;
    struct endpoint sender = {p->source, p->source_mac, p->source_port};
    struct endpoint receiver = {p->destination, p->destination_mac, p->destination_port};
    f->view.client = sender;
    f->view.server = receiver;
    f->view.is_two_sided = f->view.has_gap = false;
    f->view.first_ns = p->time_ns;
}

/* RFC 9293 3.4: every segment but the first of a connection and some resets acknowledges. Others
 * are sent to see what answers. */
bool tcp_is_probe(const struct packet *p)
{
    return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == 0 && p->payload_wire_size == 0;
}

void tcp_roles(struct analyser *a, struct flow *f, const struct packet *p, int from, bool is_new)
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
    if (is_syn || (is_new && tcp_is_probe(p))) {
        f->view.is_role_known = f->view.is_start_seen = true;
    } else if (is_syn_ack && is_new) {
        f->is_a_client = false;
        f->view.client = (struct endpoint){p->destination, p->destination_mac, p->destination_port};
        f->view.server = f->a;
        f->view.is_role_known = f->view.is_start_seen = true;
    } else if (is_new) {
        if (!flow_is_layer2(f))
            recognise_roles(f);
        f->halves[0].is_lost = f->halves[1].is_lost = true;
        f->halves[0].is_unsure = f->halves[1].is_unsure = true;
    }
    if (is_new)
        a->sink.flow_started(a->sink.context, &f->view, p);
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

static void report(struct analyser *a, const struct flow *f, const struct packet *p, int from,
                   enum violation_kind kind, const char *why)
{
    struct violation v = {
        .kind = kind,
        .why = why,
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

/* RFC 9293 3.10.7: who resets a connection has none any more, and sends nothing on it. What comes
 * from its address all the same shows that the reset was another's. */
static void judge_reset(struct analyser *a, struct flow *f, const struct packet *p, int from)
{
    static const int64_t overtaken_ns = 10 * INT64_C(1000000); /* on the way to the sensor */
    enum { NEAR = 1 << 20 }; /* another connection of the same ports has other numbers */
    int32_t beyond = (int32_t)(p->tcp_sequence - f->halves[from].stream.next);
    if (f->reset_ns[from] == 0 || p->time_ns - f->reset_ns[from] < overtaken_ns || beyond > NEAR ||
        beyond < -NEAR || (p->tcp_flags & TCP_RST))
        return;
    f->reset_ns[from] = 0;
    report(a, f, p, from, VIOLATION_SEQUENCE, "goes on after its reset, which was another's");
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
    const char *expected = recognise_expected(f);
    if (expected)
        a->sink.odd_port(a->sink.context, &f->view, NULL, expected, a->packet);
}

void tcp_packet(struct analyser *a, struct flow *f, const struct packet *p, int from)
{
    judge_sides(a, f, from);
    a->counters.tcp_bytes += p->payload_size;
    struct delivery_of to = {a, f, from}, back = {a, f, 1 - from};
    struct stream_context forward = {a->pool, &a->counters, deliver, &to};
    if (f->halves[1 - from].stream.held) {
        struct stream_context backward = {a->pool, &a->counters, deliver, &back};
        stream_acknowledged(&f->halves[1 - from].stream, &backward, p);
    }
    f->view.has_unseen = stream_is_behind(&f->halves[1 - from].stream, p);
    uint64_t conflicts = a->counters.tcp_overlap_conflicts;
    if (p->payload_wire_size > 0 || (p->tcp_flags & TCP_SYN))
        stream_segment(&f->halves[from].stream, &forward, p);
    if (a->counters.tcp_overlap_conflicts != conflicts)
        report(a, f, p, from, VIOLATION_OVERLAP, "TCP data repeated with other content");
    if (f->is_closed && p->payload_wire_size > 0)
        judge_reset(a, f, p, from);
    if (p->tcp_flags & (TCP_FIN | TCP_RST)) {
        f->halves[from].is_finished = true;
        if (p->tcp_flags & TCP_RST)
            f->reset_ns[from] = p->time_ns;
        bool is_closed = (p->tcp_flags & TCP_RST) || f->halves[1 - from].is_finished;
        if (is_closed && !f->is_closed && f->state == FLOW_CLAIMED)
            a->sink.flow_finished(a->sink.context, &f->view, p);
        else if (is_closed && !f->is_closed)
            closed_unrecognised(a, f);
        f->is_closed |= is_closed;
    }
}

void tcp_finish(struct analyser *a, struct flow *f)
{
    if (!f->halves[0].stream.held && !f->halves[1].stream.held)
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
