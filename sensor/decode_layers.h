/* decode_layers.h: the layers that decode.c goes through, one function each, and what they share.
 * Internal to decode. */
#pragma once

#include "decode.h"
#include "dissectors/reader.h"
#include "fragments.h"
#include "segments.h"

/* Every layer reads its header from the reader and names the layer that follows. */
enum layer {
    LAYER_DONE,
    LAYER_ETHERNET,
    LAYER_ETHERTYPE, /* by decoding.ethertype; reads nothing itself */
    LAYER_LLC,
    LAYER_NULL, /* BSD loopback */
    LAYER_LOOP,
    LAYER_COOKED,
    LAYER_COOKED2,
    LAYER_PPP,
    LAYER_IP, /* 4 or 6: the version says */
    LAYER_IP4,
    LAYER_IP6,
    LAYER_ARP,
    LAYER_PPPOE,
    LAYER_MPLS,
    LAYER_HSR,
    LAYER_TCP,
    LAYER_UDP,
    LAYER_ICMP,
    LAYER_GRE,
    LAYER_ERSPAN2,
    LAYER_ERSPAN3,
    LAYER_VXLAN,
    LAYER_GENEVE,
    LAYER_IP_OTHER,
    LAYER_COUNT,
};

enum {
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_BRIDGED = 0x6558, /* RFC 1701: transparent Ethernet bridging */
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IP6 = 0x86dd,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_PPPOE = 0x8864,
    ETHERTYPE_SERVICE_VLAN = 0x88a8,
    ETHERTYPE_ERSPAN2 = 0x88be,
    ETHERTYPE_ERSPAN3 = 0x22eb,
    ETHERTYPE_PRP = 0x88fb,
    ETHERTYPE_HSR = 0x892f,
    ETHERTYPE_OLD_QINQ = 0x9100,
    ETHERTYPE_MIN = 0x0600, /* IEEE 802.3 3.2.6: below it a length */
};

enum { ENCAPSULATION_MAX = 8 }; /* tunnels in tunnels: real networks have two or three */

struct decoder {
    struct decode_options options;
    struct fragments *fragments;
    struct segments *segments;
};

/* One frame on its way down. */
struct decoding {
    struct reader r;  /* the current layer, cut to what its headers declare */
    uint64_t missing; /* bytes of it that were on the wire and not captured */
    struct packet *packet;
    struct decoder *decoder;
    struct counters *counters;
    uint16_t ethertype;
    uint8_t depth;
    uint8_t tunnel_kind; /* enum tunnel_kind: the innermost */
    uint32_t tunnel;
};

static inline uint16_t u16be(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static inline uint32_t u32be(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Whether a datagram to this UDP port may carry other packets. */
enum { VXLAN_PORT = 4789, GENEVE_PORT = 6081 };
static inline bool is_tunnel_port(uint16_t port)
{
    return port == VXLAN_PORT || port == GENEVE_PORT;
}

/* Remembers the first contradiction. Returns LAYER_DONE. */
enum layer decoding_malformed(struct decoding *d, const char *why);

/* A header does not fit: its fault when nothing was left uncaptured. */
static inline enum layer decoding_short(struct decoding *d, const char *why)
{
    return d->missing ? LAYER_DONE : decoding_malformed(d, why);
}

/* The rest is the packet's payload. Returns LAYER_DONE. */
enum layer decoding_payload(struct decoding *d);

/* Cuts the rest to the size that a header declares: padding goes; more than there was on the wire
 * is malformed. */
void decoding_limit(struct decoding *d, uint64_t size, const char *why);

/* Goes one encapsulation deeper; false (and the rest is payload) when that is too deep. */
bool decoding_enter(struct decoding *d);

/* Numbers of the segment that the packet belongs to by what is known of it so far. */
uint32_t decoding_segment(const struct decoding *d);

/* decode.c: the way through the layers, for any packet. */
bool decode_by_layers(struct decoder *decoder, const struct raw_packet *raw, struct packet *packet,
                      struct counters *counters);

/* What an outer frame or datagram said is not what the inner one says. */
static inline void decode_forget_outer(struct packet *p)
{
    p->vlan_count = 0;
    p->source.kind = p->destination.kind = ADDRESS_NONE;
    memset(p->source.bytes, 0, sizeof p->source.bytes);
    memset(p->destination.bytes, 0, sizeof p->destination.bytes);
    p->source_port = p->destination_port = 0;
    p->transport = TRANSPORT_NONE;
    p->ip_protocol = p->ttl = 0;
    p->network = NULL;
    p->network_size = 0;
}

/* Field by field: clearing the whole struct would cost as much as decoding does. */
static inline void decode_begin(struct packet *p, const struct raw_packet *raw)
{
    p->time_ns = raw->time_ns;
    p->number = raw->number;
    p->source_index = raw->source_index;
    p->segment = 0;
    p->link_type = raw->link_type;
    p->bytes = raw->bytes;
    p->captured_size = raw->captured_size;
    p->wire_size = raw->wire_size;
    memset(&p->source_mac, 0, sizeof p->source_mac);
    memset(&p->destination_mac, 0, sizeof p->destination_mac);
    p->has_mac = false;
    p->ethertype = 0;
    p->tcp_flags = 0;
    p->tcp_sequence = p->tcp_acknowledgement = 0;
    p->tcp_window = 0;
    p->payload = NULL;
    p->payload_size = p->payload_wire_size = 0;
    p->is_fragment = p->is_reassembled = p->is_malformed = false;
    p->malformed_why = NULL;
    p->arp.is_present = p->arp.is_router = false;
    decode_forget_outer(p);
}

/* decode_plain.c: the whole packet. False, with nothing changed: not one of those. */
bool decode_plain(const struct raw_packet *raw, struct packet *packet);

/* decode_ip.c */
enum layer layer_ip(struct decoding *d);
enum layer layer_ip4(struct decoding *d);
enum layer layer_ip6(struct decoding *d);
enum layer layer_ip_other(struct decoding *d);
enum layer layer_tcp(struct decoding *d);
enum layer layer_udp(struct decoding *d);
enum layer layer_icmp(struct decoding *d);

/* decode_tunnel.c */
enum layer layer_pppoe(struct decoding *d);
enum layer layer_mpls(struct decoding *d);
enum layer layer_gre(struct decoding *d);
enum layer layer_erspan2(struct decoding *d);
enum layer layer_erspan3(struct decoding *d);
enum layer layer_vxlan(struct decoding *d);
/* Is what follows a UDP header to VXLAN's port really VXLAN? */
bool vxlan_is_plausible(struct reader r);
enum layer layer_geneve(struct decoding *d);
/* The same for Geneve's port. */
bool geneve_is_plausible(struct reader r);
