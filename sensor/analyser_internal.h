/* analyser_internal.h: what analyser.c (flows and framing) and dissect.c (what dissectors are lent)
 * share. */
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
