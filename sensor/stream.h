/* stream.h: one direction of a TCP connection put in order (RFC 9293 3.4), as a passive observer
 * can.
 *
 * Begins in the middle when the connection is older than the sensor, survives loss: a hole that the
 * receiver has acknowledged, or that outlasts the bounds, is given up and the bytes behind it are
 * delivered as "after a gap". What comes for such a hole all the same, or from before the place
 * where a connection was picked up, is delivered as "late": it stands for itself. */
#pragma once

#include "pool.h"
#include "sensor/base/counters.h"
#include "sensor/base/packet.h"

struct held;

enum { STREAM_HOLES = 8 }; /* the last ones that were given up; older ones never come */

struct stream_hole {
    uint32_t from, to;
};

enum stream_delivery {
    STREAM_NEXT,
    STREAM_AFTER_GAP, /* something is missing before these bytes */
    STREAM_LATE,      /* from before what was delivered already; what is next does not move */
    STREAM_BEFORE,    /* the same, and right before the first byte that was delivered at all */
};

struct stream {
    uint32_t next;  /* sequence number of the byte wanted next */
    uint32_t begin; /* the first one of this connection that was delivered */
    int64_t begin_ns;
    /* the segment delivered last: what is sent again must be the same (RFC 9293 3.4) */
    uint32_t last_sequence, last_size; /* last_size: of what was hashed */
    uint64_t last_hash;
    bool is_started;
    bool is_gap; /* bytes before the next delivery were lost */
    uint16_t held_count;
    uint32_t held_bytes;
    struct held *held; /* came before their turn, by sequence number */
    int64_t held_since_ns;
    uint8_t hole_count;
    struct stream_hole holes[STREAM_HOLES]; /* in the order of their numbers */
};

struct stream_context {
    struct pool *pool;
    struct counters *counters;
    void (*deliver)(void *context, const uint8_t *bytes, size_t size, enum stream_delivery how);
    void *context;
};

/* A segment of this direction (SYN included). */
void stream_segment(struct stream *s, const struct stream_context *c, const struct packet *p);
/* The other direction acknowledged up to here: holes before it will never be filled. */
void stream_acknowledged(struct stream *s, const struct stream_context *c, const struct packet *p);
/* Whether the other direction acknowledged bytes that were not delivered: they are lost, or come
 * late. */
static inline bool stream_is_behind(const struct stream *s, const struct packet *p)
{
    enum { FIN_SIZE = 1 }; /* it has a number, and no byte */
    return s->is_started && (p->tcp_flags & TCP_ACK) &&
           (int32_t)(p->tcp_acknowledgement - s->next) > FIN_SIZE;
}
/* Nothing more will come: delivers what is held. */
void stream_flush(struct stream *s, const struct stream_context *c);
/* Gives held memory back without delivering. */
void stream_release(struct stream *s, struct pool *pool);
