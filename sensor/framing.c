/* framing.c: bytes of a claimed flow are cut into PDUs; what is not whole waits. */
#include "analyser_internal.h"

#include <string.h>

enum {
    PDU_MAX_DEFAULT = 4096,
    BROKEN_MAX = 2, /* framing errors in a row after which a claim is given up */
};

void half_drop(struct analyser *a, struct half *h)
{
    pool_give(a->pool, h->buffer, h->capacity);
    h->buffer = NULL;
    h->used = h->capacity = 0;
}

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
bool half_append(struct analyser *a, struct half *h, const uint8_t *bytes, size_t size)
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
void half_consume(struct analyser *a, struct half *h, size_t n)
{
    h->used -= (uint32_t)n;
    if (h->used == 0)
        half_drop(a, h);
    else
        memmove(h->buffer, h->buffer + n, h->used);
}

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
size_t framing_cut(struct analyser *a, struct flow *f, int from, const uint8_t *bytes, size_t size)
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
                claims_give_up(a, f);
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

void framing_bytes(struct analyser *a, struct flow *f, int from, const uint8_t *bytes, size_t size)
{
    struct half *h = &f->halves[from];
    if (h->used == 0) {
        size_t used = framing_cut(a, f, from, bytes, size);
        if (used < size && f->state == FLOW_CLAIMED &&
            !half_append(a, h, bytes + used, size - used))
            h->is_lost = h->is_unsure = true;
        return;
    }
    if (!half_append(a, h, bytes, size)) {
        half_drop(a, h);
        h->is_lost = h->is_unsure = true;
        return;
    }
    size_t used = framing_cut(a, f, from, h->buffer, h->used);
    if (used > 0 && h->used > 0)
        half_consume(a, h, used);
}

/* Both directions' waiting bytes, the one that spoke first before the other. */
void framing_waiting(struct analyser *a, struct flow *f)
{
    for (int turn = 0; turn < 2 && f->state == FLOW_CLAIMED; turn++) {
        int from = turn == 0 ? f->first_half : 1 - f->first_half;
        struct half *h = &f->halves[from];
        if (h->used == 0)
            continue;
        size_t used = framing_cut(a, f, from, h->buffer, h->used);
        if (used > 0 && h->used > 0)
            half_consume(a, h, used);
    }
}

void framing_datagram(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
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
                claims_give_up(a, f);
            return;
        }
        f->broken = 0;
        f->has_good = true;
        dissect_pdu(a, f, layer, from == 0, bytes + at, frame.size);
        at += frame.size;
    }
}
