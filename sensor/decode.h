/* decode.h: from a captured frame to addresses, ports and payload: link types, VLAN tags, tunnels,
 * IP, TCP, UDP. Holds the fragment table and the map from (source, VLAN, tunnel) to segments. One
 * per reader. */
#pragma once

#include "capture.h"
#include "sensor/base/counters.h"
#include "sensor/base/packet.h"

/* How address spaces are told apart (DESIGN: segments). */
struct decode_options {
    bool is_segment_by_interface; /* each source is a segment of its own */
    bool is_segment_by_vlan;      /* each outermost VLAN is a segment of its own */
    bool is_segment_by_tunnel; /* each VXLAN VNI, ERSPAN session and GRE key is a segment of its own
                                */
};

struct decoder;

struct decoder *decoder_create(const struct decode_options *options);
void decoder_destroy(struct decoder *decoder);

/* Decodes one frame; what could be decoded is in *packet whatever the result. False: nothing to
 * analyse (unknown link type, empty). Pointers in *packet live until the next call. Counts into
 * *counters. */
bool decode(struct decoder *decoder, const struct raw_packet *raw, struct packet *packet,
            struct counters *counters);

/* A segment's stable name for stores and people: "default", "vlan 12", "eth1 vlan 12", "vni 7". */
const char *decoder_segment_name(const struct decoder *decoder, uint32_t segment);
