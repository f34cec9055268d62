/* analyser_internal.h: what the parts of the analyser share: analyser.c (a packet and its flow),
 * claims.c (whose flow it is), framing.c (PDUs), analyser_tcp.c (connections), dissect.c (what
 * dissectors are lent). from: which half of the flow, 0 or 1. */
#pragma once

#include "analyser.h"
#include "classifier.h"
#include "flow.h"
#include "memory.h"
#include "pool.h"
#include "sensor/base/arena.h"

struct analyser {
    struct analyser_options options;
    struct analyser_sink sink;
    struct counters counters;
    struct flow_table *flows;
    struct pool *pool;
    struct memory *requests; /* in flight, of all flows */
    struct memory *pairs;
    struct arena arena;
    struct classifier *classifier;
    struct protocol_stats *protocols;  /* like dissectors[] */
    const struct packet *packet;       /* being analysed */
    uint8_t ethertypes[(1 << 16) / 8]; /* a bit for each that a dissector sits on */
};

struct dissect_host {
    struct analyser *analyser;
    struct flow *flow;
    size_t index; /* of the dissector in dissectors[] */
    struct reader pdu;
    bool is_from_a;
};

/* The flow's layer of this dissector over this carrier, made when missing; NULL when no place or
 * memory is left. */
struct layer *flow_layer(struct analyser *a, struct flow *f, const struct dissector *d,
                         unsigned over);
/* Index in dissectors[]. */
size_t dissector_index(const struct dissector *d);
/* Tells once per flow and name that a protocol was recognised. */
void report_protocol(struct analyser *a, struct flow *f, const char *name, bool is_dissected);
/* Dissects one PDU on a layer. */
void dissect_pdu(struct analyser *a, struct flow *f, struct layer *layer, bool is_from_a,
                 const uint8_t *bytes, size_t size);

/* --- claims.c --- */

/* Bytes of a flow that nobody has yet, in their turn. */
void claims_bytes(struct analyser *a, struct flow *f, int from, const uint8_t *bytes, size_t size);
/* A datagram or frame: UDP and layer 2. */
void claims_datagram(struct analyser *a, struct flow *f, const struct packet *p, int from);
/* The framing broke too often before anything made sense. */
void claims_give_up(struct analyser *a, struct flow *f);
/* nDPI looks at a packet of a flow that none of our dissectors has. */
void claims_classify(struct analyser *a, struct flow *f, const struct packet *p);

/* --- framing.c --- */

/* The waiting bytes of a direction. False: no room; the stream loses its place. */
bool half_append(struct analyser *a, struct half *h, const uint8_t *bytes, size_t size);
/* Drops the first n; an empty buffer goes back to the pool. */
void half_consume(struct analyser *a, struct half *h, size_t n);
void half_drop(struct analyser *a, struct half *h);

/* Cuts PDUs off the bytes and dissects them. Returns how many bytes were used; the rest waits for
 * more. */
size_t framing_cut(struct analyser *a, struct flow *f, int from, const uint8_t *bytes, size_t size);
/* The next bytes of a claimed direction, behind those that wait. */
void framing_bytes(struct analyser *a, struct flow *f, int from, const uint8_t *bytes, size_t size);
/* Both directions' waiting bytes, the one that spoke first before the other. */
void framing_waiting(struct analyser *a, struct flow *f);
void framing_datagram(struct analyser *a, struct flow *f, int from, const uint8_t *bytes,
                      size_t size);

/* --- analyser_tcp.c --- */

/* An empty segment that belongs to no connection: a scan by FIN, by all flags or by none. */
bool tcp_is_probe(const struct packet *p);
/* Who called whom, at the first packet of a flow and at every SYN. */
void tcp_roles(struct analyser *a, struct flow *f, const struct packet *p, int from, bool is_new);
void tcp_packet(struct analyser *a, struct flow *f, const struct packet *p, int from);
/* No more packets: what is held is delivered. */
void tcp_finish(struct analyser *a, struct flow *f);

/* --- analyser.c --- */

void analyser_drop_layers(struct analyser *a, struct flow *f);
/* All that a flow holds of the pool. context: the analyser. */
void analyser_release(void *context, struct flow *f);
