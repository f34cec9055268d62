/* decode_tunnel.c: what carries frames and datagrams inside others: PPPoE, MPLS, GRE, ERSPAN,
 * VXLAN, Geneve.
 *
 * Spec: [PPPOE] RFC 2516, [MPLS] RFC 3032, RFC 4385 (control word), RFC 4448 (Ethernet)
 *       [GRE]   RFC 2784, RFC 2890
 *       [SPAN]  draft-foschiano-erspan
 *       [VXLAN] RFC 7348, [GENEVE] RFC 8926 */
#include "decode_layers.h"

enum { ETHERNET_SIZE = 14, GENEVE_WORDS_MAX = 63 /* of options; above are other versions */ };

/* [PPPOE] 4 | version, type 1 | code 1 | session 2 | length 2 | then PPP */
enum layer layer_pppoe(struct decoding *d)
{
    const uint8_t *h = reader_bytes(&d->r, 6);
    if (!h)
        return decoding_short(d, "PPPoE header cut short");
    if (h[0] != 0x11 || h[1] != 0)
        return decoding_payload(d);
    decoding_limit(d, u16be(h + 4), "PPPoE length beyond the frame");
    return LAYER_PPP;
}

/* Could an Ethernet header with something known begin here? */
static bool is_ethernet_plausible(struct reader r)
{
    reader_skip(&r, ETHERNET_SIZE - 2);
    uint16_t ethertype = reader_u16be(&r);
    if (!reader_ok(&r))
        return false;
    switch (ethertype) {
    case ETHERTYPE_IP4:
    case ETHERTYPE_ARP:
    case ETHERTYPE_VLAN:
    case ETHERTYPE_IP6:
    case ETHERTYPE_SERVICE_VLAN:
        return true;
    default:
        return ethertype >= 0x8890 && ethertype <= 0x8900; /* industrial Ethernet, LLDP, PTP */
    }
}

/* [MPLS] | label 20 bits, class 3, bottom 1, TTL 8 | ... What follows the bottom is not named: an
 * IP datagram tells itself by its version, an Ethernet frame here only behind a control word and
 * with a known ethertype. */
enum layer layer_mpls(struct decoding *d)
{
    enum { BOTTOM = 1, CONTROL_WORD_SIZE = 4 };
    const uint8_t *label;
    do {
        label = reader_bytes(&d->r, 4);
        if (!label)
            return decoding_short(d, "MPLS label cut short");
    } while ((label[2] & BOTTOM) == 0);

    uint8_t version = reader_peek(&d->r) >> 4;
    if (version == 4)
        return LAYER_IP4;
    if (version == 6)
        return LAYER_IP6;
    struct reader inner = d->r;
    reader_skip(&inner, CONTROL_WORD_SIZE);
    if (version != 0 || !is_ethernet_plausible(inner))
        return decoding_payload(d);
    if (!decoding_enter(d))
        return LAYER_DONE;
    d->r = inner;
    return LAYER_ETHERNET;
}

/* [GRE] | flags, version 2 | protocol 2 | checksum 2, reserved 2 if C | key 4 if K | sequence 4 if
 * S | */
enum layer layer_gre(struct decoding *d)
{
    enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, VERSION_MASK = 7 };
    d->packet->transport = TRANSPORT_OTHER;
    struct reader start = d->r;
    uint16_t flags = reader_u16be(&d->r), protocol = reader_u16be(&d->r);
    if (flags & CHECKSUM)
        reader_skip(&d->r, 4);
    uint32_t key = flags & KEY ? reader_u32be(&d->r) : 0;
    if (flags & SEQUENCE)
        reader_skip(&d->r, 4);
    if (!reader_ok(&d->r))
        return decoding_short(d, "GRE header cut short");
    if (flags &
        (ROUTING | VERSION_MASK)) { /* source routes are gone since RFC 2784; version 1 is PPTP */
        d->r = start;
        return decoding_payload(d);
    }
    if (!decoding_enter(d))
        return LAYER_DONE;
    if (flags & KEY) {
        d->tunnel_kind = TUNNEL_GRE_KEY;
        d->tunnel = key;
    }
    switch (protocol) {
    case ETHERTYPE_BRIDGED:
        return LAYER_ETHERNET;
    case ETHERTYPE_ERSPAN2: /* [SPAN] without a sequence number it is type I: no header of its own
                             */
        return flags & SEQUENCE ? LAYER_ERSPAN2 : LAYER_ETHERNET;
    case ETHERTYPE_ERSPAN3:
        return LAYER_ERSPAN3;
    case ETHERTYPE_IP4:
        return LAYER_IP4;
    case ETHERTYPE_IP6:
        return LAYER_IP6;
    case ETHERTYPE_MPLS:
        return LAYER_MPLS;
    default:
        return decoding_payload(d);
    }
}

static void set_session(struct decoding *d, const uint8_t *header)
{
    d->tunnel_kind = TUNNEL_ERSPAN;
    d->tunnel = u16be(header + 2) & 0x03ff;
}

/* [SPAN] type II: | version 4 bits = 1, VLAN 12 | class 3, encapsulation 2, cut 1, session 10 |
 * reserved, index 4 | */
enum layer layer_erspan2(struct decoding *d)
{
    const uint8_t *h = reader_bytes(&d->r, 8);
    if (!h)
        return decoding_short(d, "ERSPAN header cut short");
    if (h[0] >> 4 != 1)
        return decoding_malformed(d, "ERSPAN type II of another version");
    set_session(d, h);
    return LAYER_ETHERNET;
}

/* [SPAN] type III: | version 4 bits = 2, VLAN 12 | class, state, cut, session 10 | time 4 | group 2
 * | P 1 bit, frame type 5, hardware 6, direction 1, granularity 2, O 1 | and 8 more bytes if O */
enum layer layer_erspan3(struct decoding *d)
{
    enum { FRAME_ETHERNET = 0, FRAME_IP = 2, HAS_SUBHEADER = 1 };
    const uint8_t *h = reader_bytes(&d->r, 12);
    if (!h)
        return decoding_short(d, "ERSPAN header cut short");
    if (h[0] >> 4 != 2)
        return decoding_malformed(d, "ERSPAN type III of another version");
    set_session(d, h);
    uint16_t flags = u16be(h + 10);
    if (flags & HAS_SUBHEADER)
        reader_skip(&d->r, 8);
    if (!reader_ok(&d->r))
        return decoding_short(d, "ERSPAN header cut short");
    uint8_t frame = (flags >> 10) & 0x1f;
    if (frame == FRAME_ETHERNET)
        return LAYER_ETHERNET;
    return frame == FRAME_IP ? LAYER_IP : decoding_payload(d);
}

/* [VXLAN] 5 | flags 1: I set | reserved 3 | VNI 3 | reserved 1 | then Ethernet */
bool vxlan_is_plausible(struct reader r)
{
    enum { VALID_VNI = 0x08, UNDEFINED = 0x07 };
    uint8_t flags = reader_u8(&r);
    reader_skip(&r, 6);
    uint8_t reserved = reader_u8(&r);
    return reader_left(&r) >= ETHERNET_SIZE && (flags & VALID_VNI) && !(flags & UNDEFINED) &&
           reserved == 0;
}

/* A virtual network's number, and the datagram around it is no more the packet's payload. */
static void set_network(struct decoding *d, const uint8_t *header)
{
    d->tunnel_kind = TUNNEL_VNI;
    d->tunnel = u32be(header + 4) >> 8;
    d->packet->payload = NULL;
    d->packet->payload_size = d->packet->payload_wire_size = 0;
}

enum layer layer_vxlan(struct decoding *d)
{
    const uint8_t *h = reader_bytes(&d->r, 8);
    if (!h)
        return decoding_short(d, "VXLAN header cut short");
    if (!decoding_enter(d))
        return LAYER_DONE;
    set_network(d, h);
    return LAYER_ETHERNET;
}

/* [GENEVE] 3.4 | version 2 bits = 0, size of options in words 6 | O, C, reserved 6 | protocol 2 |
 * VNI 3 | reserved 1 | options | then what the protocol says */
bool geneve_is_plausible(struct reader r)
{
    enum { RESERVED_BITS = 0x3f };
    uint8_t words = reader_u8(&r);
    uint8_t flags = reader_u8(&r);
    uint16_t protocol = reader_u16be(&r);
    reader_skip(&r, 3);
    uint8_t reserved = reader_u8(&r);
    reader_skip(&r, words * 4u);
    return reader_left(&r) && words <= GENEVE_WORDS_MAX && !(flags & RESERVED_BITS) &&
           reserved == 0 &&
           (protocol == ETHERTYPE_BRIDGED || protocol == ETHERTYPE_IP4 ||
            protocol == ETHERTYPE_IP6);
}

enum layer layer_geneve(struct decoding *d)
{
    const uint8_t *h = reader_bytes(&d->r, 8);
    if (!h)
        return decoding_short(d, "Geneve header cut short");
    reader_skip(&d->r, h[0] * 4u);
    if (!decoding_enter(d))
        return LAYER_DONE;
    set_network(d, h);
    uint16_t protocol = u16be(h + 2);
    return protocol == ETHERTYPE_IP4   ? LAYER_IP4
           : protocol == ETHERTYPE_IP6 ? LAYER_IP6
                                       : LAYER_ETHERNET;
}
