/* analyser.h: from decoded packets to events: flows, streams, recognition, framing, dissection.
 * One per worker; owns its flows, its memories and its arena, and takes no locks. */
#pragma once

#include "dissectors/dissector.h"
#include "sensor/base/counters.h"
#include "sensor/base/packet.h"

#include <stddef.h>

struct analyser;
struct flow;

struct analyser_options {
    uint32_t flows_max;
    size_t stream_bytes_max; /* all buffers and dissector states together */
    bool is_classifying;     /* ask nDPI about what no dissector claims */
};

/* Where what was found goes. All calls are made from analyser_packet, analyser_tick and
 * analyser_finish. */
struct analyser_sink {
    void *context;
    void (*event)(void *context, const struct ot_event *event);
    void (*violation)(void *context, const struct violation *violation);
    /* A flow begins (TCP: with its SYN, or with the first payload when picked up in the middle). */
    void (*flow_started)(void *context, const struct ot_flow *flow, const struct packet *packet);
    /* The server side answered for the first time (TCP: SYN+ACK or payload). */
    void (*flow_answered)(void *context, const struct ot_flow *flow, const struct packet *packet);
    /* The server side refused (RST to a SYN). */
    void (*flow_refused)(void *context, const struct ot_flow *flow, const struct packet *packet);
    /* A connection that a dissector had was closed by both ends, or reset. */
    void (*flow_finished)(void *context, const struct ot_flow *flow, const struct packet *packet);
    /* A protocol was recognised: once per flow and name. is_dissected: by one of ours. */
    void (*protocol)(void *context, const struct ot_flow *flow, const char *name, bool is_dissected,
                     const struct packet *packet);
    /* name (NULL: nothing that anybody knows) runs on a port of `expected` (NULL: a dissector's
     * protocol away from its ports). Both NULL: what nobody knows runs where nobody is at home. */
    void (*odd_port)(void *context, const struct ot_flow *flow, const char *name,
                     const char *expected, const struct packet *packet);
    /* So many more datagrams came that no dissector took; name: what nDPI calls them (NULL: nothing
     * yet). NULL: nobody minds. */
    void (*strange)(void *context, const struct ot_flow *flow, const char *name, unsigned count,
                    const struct packet *packet);
    /* A packet of this flow will come soon; step 0, then step 1: what it needs may be fetched.
     * NULL: nobody minds. */
    void (*soon)(void *context, const struct ot_flow *flow, unsigned step);
};

struct protocol_stats {
    uint64_t pdus, events, violations, flows;
};

/* NULL when memory is out. */
struct analyser *analyser_create(const struct analyser_options *options,
                                 const struct analyser_sink *sink);
void analyser_destroy(struct analyser *a);

void analyser_packet(struct analyser *a, const struct packet *packet);

/* What is known of a packet before its turn, so that memory it will need is fetched meanwhile: for
 * several packets, each step for all of them, then analyser_packet_at for each in order. Each step
 * asks for what lies where the step before has led to. Changes nothing else. */
struct analyser_place {
    uint64_t hash;
    const struct flow *flow; /* NULL: none yet */
    bool is_analysable;
};
void analyser_look(const struct analyser *a, const struct packet *packet,
                   struct analyser_place *place);
void analyser_look_flow(const struct analyser *a, struct analyser_place *place);
void analyser_look_state(const struct analyser *a, const struct analyser_place *place);
void analyser_look_learned(const struct analyser *a, const struct analyser_place *place);
void analyser_packet_at(struct analyser *a, const struct packet *packet,
                        const struct analyser_place *place);
/* Once per second of packet time: ages flows. */
void analyser_tick(struct analyser *a, int64_t time_ns);
/* No more packets: what is still held is dissected. */
void analyser_finish(struct analyser *a);

struct counters *analyser_counters(struct analyser *a);
/* Indexed like dissectors[]. */
const struct protocol_stats *analyser_protocols(const struct analyser *a);
uint32_t analyser_flows(const struct analyser *a);
