/* decode.h: from a captured frame to addresses, ports and payload: link types, VLAN tags, tunnels,
 * IP, TCP, UDP. Holds the fragment table (fragments.h) and the map from (source, VLAN, tunnel) to
 * segments. One per reader. */
#pragma once

#include "capture.h"
#include "sensor/base/counters.h"
#include "sensor/base/packet.h"

/* How address spaces are told apart (DESIGN: segments). */
struct decode_options {
    bool is_segment_by_interface; /* each source is a segment of its own */
    bool is_segment_by_vlan;      /* each outermost VLAN is a segment of its own */
    bool is_segment_by_tunnel;    /* each VXLAN VNI, ERSPAN session and GRE key is one */
    /* for the names of segments; borrowed while the decoder lives; may be NULL */
    const char *const *source_names;
    uint32_t source_count;
};

struct decoder;

struct decoder *decoder_create(const struct decode_options *options);
void decoder_destroy(struct decoder *decoder);

/* Decodes one frame; what could be decoded is in *packet whatever the result. False: nothing to
 * analyse (unknown link type, empty). Pointers in *packet live until the next call. Counts into
 * *counters: packets, bytes, packets_cut, packets_malformed, link_unknown, encapsulation_depth, and
 * all about fragments. In *packet, vlans beyond vlan_count and the other fields of an absent arp
 * are not set. */
bool decode(struct decoder *decoder, const struct raw_packet *raw, struct packet *packet,
            struct counters *counters);

/* The numbers of an earlier run, before the first packet; see segments_restore. */
bool decoder_restore_segment(struct decoder *decoder, uint32_t segment, const char *name);

/* A segment's stable name for stores and people: "default", "vlan 12", "eth1 vlan 12", "vni 7". */
const char *decoder_segment_name(const struct decoder *decoder, uint32_t segment);
