/* fragments.h: puts IP datagrams together again. A fixed number of places; nothing is allocated
 * after the start.
 *
 * A piece may come again with the same bytes (mirrors copy packets). Pieces that contradict each
 * other, which end systems resolve differently and attackers use to be read differently, make the
 * whole datagram untrusted: it is given up and its later pieces are refused (RFC 5722, here for
 * IPv4 too). One per reader. */
#pragma once

#include "sensor/base/address.h"
#include "sensor/base/counters.h"

enum {
    FRAGMENT_HEADER_MAX = 256, /* IPv6: what stands before the fragment header */
    FRAGMENT_TIMEOUT_S = 30,   /* RFC 791: 15, RFC 8200: 60; hosts use 30 */
};

/* One piece, as its header describes it. */
struct fragment {
    struct address source, destination;
    uint32_t segment, id;
    uint8_t protocol; /* IPv4; 0 for IPv6, where it is no part of the key */
    bool is_last;
    int64_t time_ns;
    const uint8_t *header; /* kept of the piece with offset 0 */
    uint32_t header_size;
    const uint8_t *bytes;
    uint32_t offset, size; /* in the datagram's payload, in bytes */
};

enum fragment_result {
    FRAGMENT_KEPT,     /* waits for the others */
    FRAGMENT_COMPLETE, /* the datagram is whole */
    FRAGMENT_COPY,     /* of a datagram that was completed a moment ago */
    FRAGMENT_REFUSED,  /* its datagram was given up before */
    FRAGMENT_WRONG,    /* impossible in itself or contradicts another; *why says how */
};

/* The first header and the payload, one after the other; the caller may mend the header. */
struct datagram {
    uint8_t *bytes;
    uint32_t size, header_size;
};

struct fragments;

struct fragments *fragments_create(void);
void fragments_destroy(struct fragments *fragments);

/* Takes a piece. *datagram is borrowed until a call after the next one. */
enum fragment_result fragments_add(struct fragments *fragments, const struct fragment *fragment,
                                   struct datagram *datagram, const char **why,
                                   struct counters *counters);
