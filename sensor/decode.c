/* decode.c: from a captured frame to addresses, ports and payload: link layers, Ethernet, and the
 * way through.
 *
 * Spec: [LINK]  www.tcpdump.org/linktypes.html
 *       [802.3] IEEE 802.3 3.2, [802.1Q] IEEE 802.1Q 9, [802.2] IEEE 802.2, [SNAP] RFC 1042
 *       [PRP]   IEC 62439-3: PRP's redundancy control trailer, HSR's tag
 *       [ARP]   RFC 826
 *
 * Each layer reads its header and names the next; a loop goes from one to the next until none is
 * left. Every layer but LAYER_ETHERTYPE and LAYER_IP reads at least one byte, so the loop ends. */
#include "decode_layers.h"

#include <stdlib.h>
#include <string.h>

enum { MAC_SIZE = 6, ETHERNET_SIZE = 14, LLC_SIZE_MAX = 1500 };

struct decoder *decoder_create(const struct decode_options *options)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    if (options)
        d->options = *options;
    d->fragments = fragments_create();
    d->segments = segments_create(d->options.source_names, d->options.source_count);
    if (!d->fragments || !d->segments) {
        decoder_destroy(d);
        return NULL;
    }
    return d;
}

void decoder_destroy(struct decoder *d)
{
    if (!d)
        return;
    fragments_destroy(d->fragments);
    segments_destroy(d->segments);
    free(d);
}

bool decoder_restore_segment(struct decoder *d, uint32_t segment, const char *name)
{
    return segments_restore(d->segments, segment, name);
}

const char *decoder_segment_name(const struct decoder *d, uint32_t segment)
{
    return segments_name(d->segments, segment);
}

/* ---- what the layers share ---- */

enum layer decoding_malformed(struct decoding *d, const char *why)
{
    struct packet *p = d->packet;
    if (!p->is_malformed) {
        p->is_malformed = true;
        p->malformed_why = why;
    }
    return LAYER_DONE;
}

enum layer decoding_payload(struct decoding *d)
{
    struct packet *p = d->packet;
    size_t left = reader_left(&d->r);
    uint64_t wire = left + d->missing;
    p->payload = d->r.at;
    p->payload_size = (uint32_t)left;
    p->payload_wire_size = wire > UINT32_MAX ? UINT32_MAX : (uint32_t)wire;
    return LAYER_DONE;
}

void decoding_limit(struct decoding *d, uint64_t size, const char *why)
{
    size_t left = reader_left(&d->r);
    if (size <= left) {
        d->r = reader_take(&d->r, (size_t)size);
        d->missing = 0;
        return;
    }
    if (size > left + d->missing)
        decoding_malformed(d, why);
    d->missing = size - left;
}

bool decoding_enter(struct decoding *d)
{
    if (d->depth < ENCAPSULATION_MAX) {
        d->depth++;
        return true;
    }
    d->counters->encapsulation_depth++;
    decoding_payload(d);
    return false;
}

uint32_t decoding_segment(const struct decoding *d)
{
    const struct decode_options *options = &d->decoder->options;
    const struct packet *p = d->packet;
    if (!options->is_segment_by_interface && !options->is_segment_by_vlan &&
        !options->is_segment_by_tunnel)
        return 0;
    struct segment_key key = {SEGMENT_ANY, SEGMENT_ANY, SEGMENT_ANY, TUNNEL_NONE};
    if (options->is_segment_by_interface)
        key.source = p->source_index;
    if (options->is_segment_by_vlan && p->vlan_count)
        key.vlan = p->vlans[0];
    if (options->is_segment_by_tunnel && d->tunnel_kind != TUNNEL_NONE) {
        key.tunnel = d->tunnel;
        key.tunnel_kind = d->tunnel_kind;
    }
    return segments_of(d->decoder->segments, &key);
}

/* ---- Ethernet ---- */

static enum layer layer_ethernet(struct decoding *d)
{
    struct packet *p = d->packet;
    const uint8_t *header = reader_bytes(&d->r, ETHERNET_SIZE);
    if (!header)
        return decoding_short(d, "Ethernet header cut short");
    if (d->depth)
        decode_forget_outer(p);
    memcpy(p->destination_mac.bytes, header, MAC_SIZE);
    memcpy(p->source_mac.bytes, header + MAC_SIZE, MAC_SIZE);
    p->has_mac = true;
    d->ethertype = u16be(header + MAC_SIZE + MAC_SIZE);
    return LAYER_ETHERTYPE;
}

/* [PRP] a frame of a redundant network ends with | sequence 2 | LAN 4 bits, LSDU size 12 bits |
 * 0x88fb |, and the size counts what follows the ethertype. Taken off where no inner length does
 * that. */
static void cut_prp_trailer(struct decoding *d)
{
    enum { TRAILER_SIZE = 6, LAN_A = 0xa, LAN_B = 0xb };
    size_t left = reader_left(&d->r);
    if (d->missing || left < TRAILER_SIZE)
        return;
    const uint8_t *trailer = d->r.end - TRAILER_SIZE;
    uint16_t size = u16be(trailer + 2) & 0x0fff;
    uint8_t lan = trailer[2] >> 4;
    if (u16be(trailer + 4) == ETHERTYPE_PRP && size == left && (lan == LAN_A || lan == LAN_B))
        d->r.end = trailer;
}

/* VLAN tag: | priority 3 bits, drop 1, VLAN 12 | ethertype 2 | */
static bool take_vlan(struct decoding *d)
{
    struct packet *p = d->packet;
    const uint8_t *tag = reader_bytes(&d->r, 4);
    if (!tag) {
        decoding_short(d, "VLAN tag cut short");
        return false;
    }
    uint16_t vlan = u16be(tag) & 0x0fff;
    /* [802.1Q] table 9-2: VLAN 0 is no VLAN, the tag carries a priority only */
    if (vlan && p->vlan_count < VLAN_MAX)
        p->vlans[p->vlan_count++] = vlan;
    d->ethertype = u16be(tag + 2);
    return true;
}

static enum layer layer_ethertype(struct decoding *d)
{
    while (d->ethertype == ETHERTYPE_VLAN || d->ethertype == ETHERTYPE_SERVICE_VLAN ||
           d->ethertype == ETHERTYPE_OLD_QINQ)
        if (!take_vlan(d))
            return LAYER_DONE;
    d->packet->ethertype = d->ethertype;
    switch (d->ethertype) {
    case ETHERTYPE_IP4:
        return LAYER_IP4;
    case ETHERTYPE_IP6:
        return LAYER_IP6;
    case ETHERTYPE_PPPOE:
        return LAYER_PPPOE;
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
        return LAYER_MPLS;
    case ETHERTYPE_HSR:
        return LAYER_HSR;
    default:
        cut_prp_trailer(d);
    }
    if (d->ethertype == ETHERTYPE_ARP)
        return LAYER_ARP;
    if (d->ethertype < ETHERTYPE_MIN)
        return LAYER_LLC;
    return decoding_payload(d);
}

/* [802.3] the ethertype is a length; [802.2] | DSAP 1 | SSAP 1 | control 1 |, [SNAP] aa aa 03 | OUI
 * 3 | ethertype 2 |. The packet's ethertype becomes the DSAP, or what SNAP says behind an OUI of
 * another organisation (Cisco's discovery: 2000). */
static enum layer layer_llc(struct decoding *d)
{
    enum { SNAP_SIZE = 8, PID_MIN = 0x100 /* below it would look like a DSAP */ };
    uint16_t length = d->ethertype;
    if (length > LLC_SIZE_MAX)
        decoding_malformed(d, "Ethernet length between 1501 and 1535");
    else
        decoding_limit(d, length, "Ethernet length beyond the frame");
    struct reader inner = d->r;
    const uint8_t *snap = reader_bytes(&inner, SNAP_SIZE);
    static const uint8_t header[] = {0xaa, 0xaa, 0x03};
    static const uint8_t rfc1042[] = {0, 0, 0};
    static const uint8_t bridge_tunnel[] = {0, 0, 0xf8}; /* IEEE 802.1H */
    d->packet->ethertype = reader_peek(&d->r);
    if (!snap || memcmp(snap, header, sizeof header) != 0)
        return decoding_payload(d);
    uint16_t protocol = u16be(snap + 6);
    if (memcmp(snap + 3, rfc1042, 3) != 0 && memcmp(snap + 3, bridge_tunnel, 3) != 0) {
        if (protocol < PID_MIN)
            return decoding_payload(d);
        d->packet->ethertype = protocol;
        d->r = inner;
        return decoding_payload(d);
    }
    if (protocol < ETHERTYPE_MIN)
        return decoding_payload(d);
    d->r = inner;
    d->ethertype = protocol;
    return LAYER_ETHERTYPE;
}

/* [PRP] HSR's tag: | path 4 bits, LSDU size 12 bits | sequence 2 | ethertype 2 | */
static enum layer layer_hsr(struct decoding *d)
{
    const uint8_t *tag = reader_bytes(&d->r, 6);
    if (!tag)
        return decoding_short(d, "HSR tag cut short");
    d->ethertype = u16be(tag + 4);
    return LAYER_ETHERTYPE;
}

/* [ARP] | hardware 2 | protocol 2 | sizes 1, 1 | operation 2 | sender MAC 6, IP 4 | target MAC 6,
 * IP 4 | */
static enum layer layer_arp(struct decoding *d)
{
    enum { ARP_SIZE = 28 };
    static const uint8_t ethernet_ip4[] = {0, 1, 8, 0, 6, 4};
    struct arp *arp = &d->packet->arp;
    decoding_payload(d);
    const uint8_t *a = reader_bytes(&d->r, ARP_SIZE);
    if (!a)
        return decoding_short(d, "ARP cut short");
    if (memcmp(a, ethernet_ip4, sizeof ethernet_ip4) != 0)
        return LAYER_DONE;
    *arp = (struct arp){.is_present = true, .operation = u16be(a + 6)};
    memcpy(arp->sender_mac.bytes, a + 8, MAC_SIZE);
    memcpy(arp->sender_ip.bytes, a + 14, 4);
    memcpy(arp->target_mac.bytes, a + 18, MAC_SIZE);
    memcpy(arp->target_ip.bytes, a + 24, 4);
    arp->sender_ip.kind = arp->target_ip.kind = ADDRESS_IP4;
    return LAYER_DONE;
}

/* ---- the other link layers ---- */

/* [LINK] NULL: the address family in the order of the capturing machine; LOOP: in network order. */
static enum layer family(struct decoding *d, uint32_t value)
{
    enum { INET = 2, INET6_LINUX = 10, INET6_NETBSD = 24, INET6_FREEBSD = 28, INET6_DARWIN = 30 };
    if (value == INET)
        return LAYER_IP4;
    if (value == INET6_LINUX || value == INET6_NETBSD || value == INET6_FREEBSD ||
        value == INET6_DARWIN)
        return LAYER_IP6;
    return decoding_payload(d);
}

static enum layer layer_null(struct decoding *d)
{
    uint32_t value = reader_u32be(&d->r);
    if (!reader_ok(&d->r))
        return decoding_short(d, "loopback header cut short");
    return family(d, value > 0xffff ? __builtin_bswap32(value) : value);
}

static enum layer layer_loop(struct decoding *d)
{
    uint32_t value = reader_u32be(&d->r);
    if (!reader_ok(&d->r))
        return decoding_short(d, "loopback header cut short");
    return family(d, value);
}

static enum layer cooked(struct decoding *d, uint16_t protocol, uint16_t hardware,
                         unsigned address_size, const uint8_t *address)
{
    enum { ARPHRD_ETHER = 1, PROTOCOL_802_2 = 4 };
    if (hardware == ARPHRD_ETHER && address_size == MAC_SIZE)
        memcpy(d->packet->source_mac.bytes, address, MAC_SIZE);
    d->ethertype = protocol;
    if (protocol == PROTOCOL_802_2) {
        uint64_t size = reader_left(&d->r) + d->missing;
        d->ethertype = (uint16_t)(size > LLC_SIZE_MAX ? LLC_SIZE_MAX : size);
    } else if (protocol < ETHERTYPE_MIN) {
        return decoding_payload(d);
    }
    return LAYER_ETHERTYPE;
}

/* [LINK] LINUX_SLL: | type 2 | hardware 2 | address size 2 | address 8 | protocol 2 | */
static enum layer layer_cooked(struct decoding *d)
{
    const uint8_t *h = reader_bytes(&d->r, 16);
    if (!h)
        return decoding_short(d, "Linux cooked header cut short");
    return cooked(d, u16be(h + 14), u16be(h + 2), u16be(h + 4), h + 6);
}

/* [LINK] LINUX_SLL2: | protocol 2 | reserved 2 | interface 4 | hardware 2 | type 1 | address size 1
 * | address 8 | */
static enum layer layer_cooked2(struct decoding *d)
{
    const uint8_t *h = reader_bytes(&d->r, 20);
    if (!h)
        return decoding_short(d, "Linux cooked header cut short");
    return cooked(d, u16be(h), u16be(h + 8), h[11], h + 12);
}

/* RFC 1661 2, RFC 1662 3.1: | ff 03, may be left out | protocol 2 | */
static enum layer layer_ppp(struct decoding *d)
{
    enum { PPP_IP4 = 0x0021, PPP_IP6 = 0x0057, ADDRESS_CONTROL = 0xff03 };
    uint16_t protocol = reader_u16be(&d->r);
    if (protocol == ADDRESS_CONTROL)
        protocol = reader_u16be(&d->r);
    if (!reader_ok(&d->r))
        return decoding_short(d, "PPP header cut short");
    if (protocol == PPP_IP4)
        return LAYER_IP4;
    if (protocol == PPP_IP6)
        return LAYER_IP6;
    return decoding_payload(d);
}

/* ---- the way through ---- */

/* [LINK] the number in the file, the first layer */
static enum layer layer_of_link(uint16_t link_type)
{
    static const struct {
        uint16_t link_type;
        uint8_t layer; /* enum layer */
    } links[] = {
        {1,   LAYER_ETHERNET}, /* ETHERNET */
        {0,   LAYER_NULL    }, /* NULL */
        {9,   LAYER_PPP     }, /* PPP */
        {50,  LAYER_PPP     }, /* PPP_HDLC */
        {101, LAYER_IP      }, /* RAW */
        {108, LAYER_LOOP    }, /* LOOP */
        {113, LAYER_COOKED  }, /* LINUX_SLL */
        {228, LAYER_IP4     }, /* IPV4 */
        {229, LAYER_IP6     }, /* IPV6 */
        {276, LAYER_COOKED2 }, /* LINUX_SLL2 */
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].link_type == link_type)
            return links[i].layer;
    return LAYER_DONE;
}

static enum layer (*const layers[LAYER_COUNT])(struct decoding *d) = {
    [LAYER_ETHERNET] = layer_ethernet,
    [LAYER_ETHERTYPE] = layer_ethertype,
    [LAYER_LLC] = layer_llc,
    [LAYER_NULL] = layer_null,
    [LAYER_LOOP] = layer_loop,
    [LAYER_COOKED] = layer_cooked,
    [LAYER_COOKED2] = layer_cooked2,
    [LAYER_PPP] = layer_ppp,
    [LAYER_IP] = layer_ip,
    [LAYER_IP4] = layer_ip4,
    [LAYER_IP6] = layer_ip6,
    [LAYER_ARP] = layer_arp,
    [LAYER_PPPOE] = layer_pppoe,
    [LAYER_MPLS] = layer_mpls,
    [LAYER_HSR] = layer_hsr,
    [LAYER_TCP] = layer_tcp,
    [LAYER_UDP] = layer_udp,
    [LAYER_ICMP] = layer_icmp,
    [LAYER_GRE] = layer_gre,
    [LAYER_ERSPAN2] = layer_erspan2,
    [LAYER_ERSPAN3] = layer_erspan3,
    [LAYER_VXLAN] = layer_vxlan,
    [LAYER_GENEVE] = layer_geneve,
    [LAYER_IP_OTHER] = layer_ip_other,
};

static void count(struct counters *counters, const struct raw_packet *raw)
{
    counters->packets++;
    counters->bytes += raw->wire_size;
    counters->packets_cut += raw->wire_size > raw->captured_size;
}

/* Not part of the short way: it would pay for what this one keeps on the stack. */
__attribute__((noinline)) bool decode_by_layers(struct decoder *decoder,
                                                const struct raw_packet *raw, struct packet *packet,
                                                struct counters *counters)
{
    struct decoding d = {
        .r = reader_of(raw->bytes, raw->captured_size),
        .missing = raw->wire_size > raw->captured_size ? raw->wire_size - raw->captured_size : 0,
        .packet = packet,
        .decoder = decoder,
        .counters = counters,
    };
    decode_begin(packet, raw);
    count(counters, raw);
    enum layer layer = layer_of_link(raw->link_type);
    if (layer == LAYER_DONE) {
        counters->link_unknown++;
        decoding_payload(&d);
        return false;
    }
    if (raw->captured_size == 0)
        return false;
    while (layer != LAYER_DONE)
        layer = layers[layer](&d);
    packet->segment = decoding_segment(&d);
    counters->packets_malformed += packet->is_malformed;
    return true;
}

bool decode(struct decoder *decoder, const struct raw_packet *raw, struct packet *packet,
            struct counters *counters)
{
    const struct decode_options *o = &decoder->options;
    if (!o->is_segment_by_interface && !o->is_segment_by_vlan && !o->is_segment_by_tunnel) {
        if (decode_plain(raw, packet)) {
            count(counters, raw);
            return true;
        }
    }
    return decode_by_layers(decoder, raw, packet, counters);
}
