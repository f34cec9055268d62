/* stream.c: TCP reassembly of one direction. */
#include "stream.h"

#include "sensor/base/hash.h"

#include <string.h>

enum {
    HELD_COUNT_MAX = 64,      /* segments ahead of a hole; beyond it the hole is taken as lost */
    HELD_BYTES_MAX = 1 << 16, /* of one direction: the greatest unscaled window */
    /* further away than any window (RFC 7323): not the same connection any more */
    SEQUENCE_FAR = 1 << 30,
    SEQUENCE_BACK = 1 << 24, /* nothing that far behind is sent again */
    PICK_UP_BYTES = 1 << 16, /* of a connection that was picked up, may come late */
    HOLE_BYTES_BACK = 1 << 20,
    COMPARED_MAX = 64, /* bytes of a repeated segment: requests of plants are shorter */
};
static const int64_t HELD_AGE_MAX_NS =
    1000000000; /* slower than any retransmission that still matters */

/* longer than any retransmission of data that others have followed */
static const int64_t BEGIN_AGAIN_NS = 10 * (int64_t)1000000000;

struct held {
    struct held *next;
    uint32_t sequence, size, missing; /* missing: bytes after size that the capture cut off */
    uint8_t bytes[];
};

static int32_t distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

static void pass(struct stream *s, const struct stream_context *c, const uint8_t *bytes,
                 uint32_t size, uint32_t missing)
{
    if (size > 0) {
        enum stream_delivery how = s->is_gap ? STREAM_AFTER_GAP : STREAM_NEXT;
        s->is_gap = false;
        s->next += size;
        c->deliver(c->context, bytes, size, how);
    }
    if (missing > 0) {
        s->next += missing;
        s->is_gap = true;
        c->counters->tcp_gaps++;
        c->counters->tcp_gap_bytes += missing;
    }
}

static void drop_first(struct stream *s, struct pool *pool)
{
    struct held *h = s->held;
    s->held = h->next;
    s->held_count--;
    s->held_bytes -= h->size;
    pool_give(pool, h, sizeof *h + h->size);
}

/* Delivers what has come into its turn. */
static void pass_held(struct stream *s, const struct stream_context *c)
{
    while (s->held && distance(s->held->sequence, s->next) >= 0) {
        struct held *h = s->held;
        uint32_t seen = (uint32_t)distance(h->sequence, s->next);
        if (seen < h->size)
            pass(s, c, h->bytes + seen, h->size - seen, h->missing);
        drop_first(s, c->pool);
    }
}

static void remove_hole(struct stream *s, size_t at)
{
    s->hole_count--;
    memmove(&s->holes[at], &s->holes[at + 1], (s->hole_count - at) * sizeof s->holes[0]);
}

/* Makes room for a hole at this place; the oldest goes when there is none. */
static void insert_hole(struct stream *s, size_t at, uint32_t from, uint32_t to)
{
    if (s->hole_count == STREAM_HOLES) {
        if (at == 0)
            return;
        remove_hole(s, 0);
        at--;
    }
    memmove(&s->holes[at + 1], &s->holes[at], (s->hole_count - at) * sizeof s->holes[0]);
    s->holes[at] = (struct stream_hole){from, to};
    s->hole_count++;
}

/* Gives up the hole before the first held segment. */
static void skip_hole(struct stream *s, const struct stream_context *c)
{
    c->counters->tcp_gaps++;
    c->counters->tcp_gap_bytes += s->held->sequence - s->next;
    insert_hole(s, s->hole_count, s->next, s->held->sequence);
    s->next = s->held->sequence;
    s->is_gap = true;
    pass_held(s, c);
}

void stream_release(struct stream *s, struct pool *pool)
{
    while (s->held)
        drop_first(s, pool);
}

void stream_flush(struct stream *s, const struct stream_context *c)
{
    while (s->held)
        skip_hole(s, c);
}

static bool holds_same(const struct held *h, const struct packet *p, struct counters *counters)
{
    if (h->sequence != p->tcp_sequence || h->size < p->payload_size)
        return false;
    if (memcmp(h->bytes, p->payload, p->payload_size) != 0)
        counters->tcp_overlap_conflicts++;
    return true;
}

static void hold(struct stream *s, const struct stream_context *c, const struct packet *p)
{
    struct held **link = &s->held;
    while (*link && distance((*link)->sequence, p->tcp_sequence) > 0)
        link = &(*link)->next;
    if (*link && holds_same(*link, p, c->counters)) {
        c->counters->tcp_retransmissions++;
        return;
    }
    c->counters->tcp_out_of_order++;
    struct held *h = NULL;
    if (s->held_count < HELD_COUNT_MAX && s->held_bytes + p->payload_size <= HELD_BYTES_MAX)
        h = pool_take(c->pool, sizeof *h + p->payload_size);
    if (!h) { /* full: go on behind the hole */
        c->counters->tcp_buffer_full++;
        stream_flush(s, c);
        if (distance(s->next, p->tcp_sequence) > 0) {
            c->counters->tcp_gaps++;
            c->counters->tcp_gap_bytes += p->tcp_sequence - s->next;
            s->next = p->tcp_sequence;
            s->is_gap = true;
            pass(s, c, p->payload, p->payload_size, p->payload_wire_size - p->payload_size);
        }
        return;
    }
    if (!s->held)
        s->held_since_ns = p->time_ns;
    *h = (struct held){*link, p->tcp_sequence, p->payload_size,
                       p->payload_wire_size - p->payload_size};
    memcpy(h->bytes, p->payload, p->payload_size);
    *link = h;
    s->held_count++;
    s->held_bytes += h->size;
}

/* Bytes a to b came: what is left of the hole. Returns the number of the hole to look at next. */
static size_t fill_hole(struct stream *s, size_t at, uint32_t a, uint32_t b)
{
    struct stream_hole *hole = &s->holes[at];
    struct stream_hole before = {hole->from, a}, after = {b, hole->to};
    if (before.from != before.to && after.from != after.to) {
        *hole = after;
        insert_hole(s, at, before.from, before.to);
        return at + 1;
    }
    if (before.from == before.to && after.from == after.to) {
        remove_hole(s, at);
        return at;
    }
    *hole = before.from != before.to ? before : after;
    return at + 1;
}

/* What lies in holes that were given up too early: shuffled captures, mirrors that delay one
 * direction, a pick-up in the midst of segments that overtake each other. */
static bool pass_late(struct stream *s, const struct stream_context *c, const struct packet *p)
{
    bool is_late = false;
    while (s->hole_count && distance(s->holes[0].to, s->next) > HOLE_BYTES_BACK)
        remove_hole(s, 0);
    for (size_t i = 0; i < s->hole_count;) {
        struct stream_hole hole = s->holes[i];
        uint32_t a = p->tcp_sequence, b = a + p->payload_size;
        a = distance(a, hole.from) > 0 ? hole.from : a;
        b = distance(b, hole.to) < 0 ? hole.to : b;
        if (distance(a, b) <= 0) {
            i++;
            continue;
        }
        enum stream_delivery how = b == s->begin ? STREAM_BEFORE : STREAM_LATE;
        if (how == STREAM_BEFORE)
            s->begin = a;
        c->deliver(c->context, p->payload + (a - p->tcp_sequence), b - a, how);
        is_late = true;
        i = fill_hole(s, i, a, b);
    }
    c->counters->tcp_out_of_order += is_late;
    return is_late;
}

static void begin_at(struct stream *s, const struct packet *p, uint32_t sequence, bool is_gap)
{
    s->next = s->begin = sequence;
    s->begin_ns = p->time_ns;
    s->is_started = true;
    s->is_gap = is_gap;
    s->hole_count = 0;
}

/* Without a SYN: segments that were sent before may have been overtaken. */
static void pick_up_at(struct stream *s, const struct packet *p, bool is_gap)
{
    begin_at(s, p, p->tcp_sequence, is_gap);
    insert_hole(s, 0, p->tcp_sequence - PICK_UP_BYTES, p->tcp_sequence);
}

/* Its first segment, long after others have followed: the same conversation is played again, or
 * another connection without a SYN of its own. */
static bool begins_again(const struct stream *s, const struct packet *p)
{
    return p->tcp_sequence == s->begin && p->payload_size > 1 &&
           p->time_ns - s->begin_ns > BEGIN_AGAIN_NS &&
           distance(p->tcp_sequence + p->payload_wire_size, s->next) > 0;
}

static void remember(struct stream *s, const struct packet *p)
{
    s->last_sequence = p->tcp_sequence;
    s->last_size = p->payload_size < COMPARED_MAX ? p->payload_size : COMPARED_MAX;
    s->last_hash = hash_mix_bytes(0, p->payload, s->last_size);
}

/* Sent again with other content: no stack does so, tools that want to deceive a sensor do. A single
 * byte is a keep-alive. */
static bool contradicts(const struct stream *s, const struct packet *p)
{
    return s->last_size > 1 && p->tcp_sequence == s->last_sequence &&
           p->payload_size >= s->last_size &&
           hash_mix_bytes(0, p->payload, s->last_size) != s->last_hash;
}

void stream_segment(struct stream *s, const struct stream_context *c, const struct packet *p)
{
    if (p->tcp_flags & TCP_SYN) {
        stream_release(s, c->pool);
        begin_at(s, p, p->tcp_sequence + 1, false);
        return; /* data on a SYN (TCP Fast Open) is retransmitted as a rule */
    }
    if (p->payload_wire_size == 0)
        return;
    if (!s->is_started)
        pick_up_at(s, p, false);

    int32_t ahead = distance(s->next, p->tcp_sequence);
    if (ahead > SEQUENCE_FAR || ahead < -SEQUENCE_BACK || (ahead < 0 && begins_again(s, p))) {
        stream_release(s, c->pool);
        pick_up_at(s, p, true);
        ahead = 0;
    }
    if (ahead > 0) {
        hold(s, c, p);
    } else {
        uint32_t seen = (uint32_t)-ahead;
        if (seen >= p->payload_wire_size) {
            if (pass_late(s, c, p))
                return;
            c->counters->tcp_retransmissions++;
            c->counters->tcp_overlap_conflicts += contradicts(s, p);
            return;
        }
        c->counters->tcp_overlap_conflicts += seen > 0 && contradicts(s, p);
        remember(s, p);
        uint32_t missing = p->payload_wire_size - p->payload_size;
        if (seen < p->payload_size)
            pass(s, c, p->payload + seen, p->payload_size - seen, missing);
        else
            pass(s, c, NULL, 0, p->payload_wire_size - seen);
    }
    if (s->held)
        pass_held(s, c);
    if (s->held && p->time_ns - s->held_since_ns > HELD_AGE_MAX_NS)
        skip_hole(s, c);
}

void stream_acknowledged(struct stream *s, const struct stream_context *c, const struct packet *p)
{
    if (!(p->tcp_flags & TCP_ACK))
        return;
    while (s->held && distance(s->held->sequence + s->held->size, p->tcp_acknowledgement) >= 0)
        skip_hole(s, c);
}
