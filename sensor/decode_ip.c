/* decode_ip.c: IPv4 and IPv6 with their fragments, TCP, UDP and ICMP.
 *
 * Spec: [IP4] RFC 791, [IP6] RFC 8200, [AH] RFC 4302, [TCP] RFC 9293, [UDP] RFC 768
 *       [ND] RFC 4861 */
#include "decode_layers.h"

#include <string.h>

enum {
    IP4_SIZE = 20,
    IP6_SIZE = 40,
    TCP_SIZE = 20,
    UDP_SIZE = 8,
};

enum protocol { /* IANA protocol numbers */
                PROTOCOL_HOP_BY_HOP = 0,
                PROTOCOL_ICMP = 1,
                PROTOCOL_IP4 = 4,
                PROTOCOL_TCP = 6,
                PROTOCOL_UDP = 17,
                PROTOCOL_IP6 = 41,
                PROTOCOL_ROUTING = 43,
                PROTOCOL_FRAGMENT = 44,
                PROTOCOL_GRE = 47,
                PROTOCOL_AH = 51,
                PROTOCOL_ICMP6 = 58,
                PROTOCOL_NONE = 59,
                PROTOCOL_DESTINATION = 60,
};

static enum layer layer_of_protocol(uint8_t protocol)
{
    static const uint8_t layers[256] = {
        [PROTOCOL_ICMP] = LAYER_ICMP,  [PROTOCOL_IP4] = LAYER_IP4, [PROTOCOL_TCP] = LAYER_TCP,
        [PROTOCOL_UDP] = LAYER_UDP,    [PROTOCOL_IP6] = LAYER_IP6, [PROTOCOL_GRE] = LAYER_GRE,
        [PROTOCOL_ICMP6] = LAYER_ICMP,
    };
    return layers[protocol] ? layers[protocol] : LAYER_IP_OTHER;
}

/* What carries another IP datagram is a tunnel. */
static enum layer after_ip(struct decoding *d)
{
    enum layer next = layer_of_protocol(d->packet->ip_protocol);
    if ((next == LAYER_IP4 || next == LAYER_IP6) && !decoding_enter(d))
        return LAYER_DONE;
    return next;
}

static void set_network(struct packet *p, const uint8_t *at, size_t size)
{
    p->network = at;
    p->network_size = (uint32_t)size;
    p->transport = TRANSPORT_NONE;
    p->source_port = p->destination_port = 0;
}

/* A piece that does not complete its datagram. */
static enum layer keep_piece(struct decoding *d)
{
    d->packet->is_fragment = true;
    d->packet->transport = TRANSPORT_OTHER;
    return decoding_payload(d);
}

/* Hands a piece to the fragment table. True: the datagram is whole, in *whole. */
static bool add_piece(struct decoding *d, struct fragment *piece, struct datagram *whole)
{
    struct packet *p = d->packet;
    const char *why = NULL;
    if (d->missing) { /* cut by the snaplen: its datagram can never be whole */
        d->counters->fragments++;
        d->counters->fragments_dropped++;
        return false;
    }
    piece->source = p->source;
    piece->destination = p->destination;
    piece->segment = decoding_segment(d);
    piece->time_ns = p->time_ns;
    piece->bytes = d->r.at;
    piece->size = (uint32_t)reader_left(&d->r);
    enum fragment_result result =
        fragments_add(d->decoder->fragments, piece, whole, &why, d->counters);
    if (result == FRAGMENT_WRONG)
        decoding_malformed(d, why);
    return result == FRAGMENT_COMPLETE;
}

static enum layer read_whole(struct decoding *d, const struct datagram *whole, enum layer layer)
{
    d->packet->is_reassembled = true;
    d->r = reader_of(whole->bytes, whole->size);
    d->missing = 0;
    return layer;
}

/* [IP4] 3.1 | flags 3 bits, offset 13 bits in units of 8 | */
static enum layer ip4_fragment(struct decoding *d, const uint8_t *header, uint32_t header_size)
{
    enum { MORE = 0x2000, OFFSET_MASK = 0x1fff };
    uint16_t flags = u16be(header + 6);
    struct datagram whole;
    struct fragment piece = {
        .id = u16be(header + 4),
        .protocol = header[9],
        .is_last = (flags & MORE) == 0,
        .header = header,
        .header_size = header_size,
        .offset = (uint32_t)(flags & OFFSET_MASK) * 8,
    };
    if (!add_piece(d, &piece, &whole))
        return keep_piece(d);
    whole.bytes[2] = (uint8_t)(whole.size >> 8);
    whole.bytes[3] = (uint8_t)whole.size;
    whole.bytes[6] = whole.bytes[7] = 0;
    return read_whole(d, &whole, LAYER_IP4);
}

static void set_ip4(struct address *a, const uint8_t *bytes)
{
    a->kind = ADDRESS_IP4;
    memcpy(a->bytes, bytes, 4);
    memset(a->bytes + 4, 0, sizeof a->bytes - 4);
}

enum layer layer_ip4(struct decoding *d)
{
    enum { FRAGMENT_MASK = 0x3fff }; /* more fragments, or an offset */
    struct packet *p = d->packet;
    struct reader start = d->r;
    const uint8_t *h = reader_bytes(&d->r, IP4_SIZE);
    if (!h)
        return decoding_short(d, "IPv4 header cut short");
    if (h[0] >> 4 != 4)
        return decoding_malformed(d, "IPv4 header of another version");
    uint32_t header_size = (uint32_t)(h[0] & 15) * 4, total = u16be(h + 2);
    d->r = start;
    if (total) /* 0: the sender's adapter cuts the segment later (offload); what is there counts */
        decoding_limit(d, total, "IPv4 total length beyond the frame");
    set_network(p, h, reader_left(&d->r));
    set_ip4(&p->source, h + 12);
    set_ip4(&p->destination, h + 16);
    p->ttl = h[8];
    p->ip_protocol = h[9];
    if (header_size < IP4_SIZE)
        return decoding_malformed(d, "IPv4 header length below 20");
    if (total && total < header_size)
        return decoding_malformed(d, "IPv4 total length below its header");
    reader_skip(&d->r, header_size);
    if (!reader_ok(&d->r))
        return decoding_short(d, "IPv4 options cut short");
    if (u16be(h + 6) & FRAGMENT_MASK)
        return ip4_fragment(d, h, header_size);
    return after_ip(d);
}

/* [IP6] 4.5 | next header 1 | reserved 1 | offset 13 bits, reserved 2, more 1 | id 4 |. `next_at`
 * is where the next header's number stands in what comes before. */
static enum layer ip6_fragment(struct decoding *d, const uint8_t *header, size_t next_at)
{
    const uint8_t *f = reader_bytes(&d->r, 8);
    if (!f)
        return decoding_short(d, "IPv6 fragment header cut short");
    struct datagram whole;
    uint16_t flags = u16be(f + 2);
    struct fragment piece = {
        .id = u32be(f + 4),
        .is_last = (flags & 1) == 0,
        .header = header,
        .header_size = (uint32_t)(f - header),
        .offset = flags & 0xfff8u,
    };
    d->packet->ip_protocol = f[0];
    if (!add_piece(d, &piece, &whole))
        return keep_piece(d);
    uint32_t payload = whole.size - IP6_SIZE;
    whole.bytes[4] = (uint8_t)(payload >> 8);
    whole.bytes[5] = (uint8_t)payload;
    /* the first piece's headers may differ in size from this one's; then the place is not the same
     */
    if (next_at < whole.header_size && whole.bytes[next_at] == PROTOCOL_FRAGMENT)
        whole.bytes[next_at] = f[0];
    else
        return keep_piece(d);
    return read_whole(d, &whole, LAYER_IP6);
}

/* [IP6] 4: headers before the transport, each naming the next. Returns the layer that follows. */
static enum layer ip6_extensions(struct decoding *d, const uint8_t *header)
{
    struct packet *p = d->packet;
    size_t next_at = 6;
    for (;;) {
        const uint8_t *h = d->r.at;
        size_t size;
        switch (p->ip_protocol) {
        case PROTOCOL_HOP_BY_HOP:
        case PROTOCOL_ROUTING:
        case PROTOCOL_DESTINATION:
            size = reader_left(&d->r) < 2 ? 8 : ((size_t)h[1] + 1) * 8;
            break;
        case PROTOCOL_AH: /* [AH] 2.2: in units of 4, less 2 */
            size = reader_left(&d->r) < 2 ? 8 : ((size_t)h[1] + 2) * 4;
            break;
        case PROTOCOL_FRAGMENT:
            /* RFC 6946: offset 0 and no more to come: an atomic fragment is a whole datagram */
            if (reader_left(&d->r) < 8 || (u16be(h + 2) & 0xfff9) != 0)
                return ip6_fragment(d, header, next_at);
            size = 8;
            break;
        default:
            return after_ip(d);
        }
        reader_skip(&d->r, size);
        if (!reader_ok(&d->r))
            return decoding_short(d, "IPv6 extension header cut short");
        next_at = (size_t)(h - header);
        p->ip_protocol = h[0];
    }
}

enum layer layer_ip6(struct decoding *d)
{
    struct packet *p = d->packet;
    struct reader start = d->r;
    const uint8_t *h = reader_bytes(&d->r, IP6_SIZE);
    if (!h)
        return decoding_short(d, "IPv6 header cut short");
    if (h[0] >> 4 != 6)
        return decoding_malformed(d, "IPv6 header of another version");
    uint32_t payload = u16be(h + 4);
    d->r = start;
    if (payload) /* 0: a jumbogram (RFC 2675), or offload; what is there counts */
        decoding_limit(d, IP6_SIZE + payload, "IPv6 payload length beyond the frame");
    set_network(p, h, reader_left(&d->r));
    p->source.kind = p->destination.kind = ADDRESS_IP6;
    memcpy(p->source.bytes, h + 8, 16);
    memcpy(p->destination.bytes, h + 24, 16);
    p->ttl = h[7];
    p->ip_protocol = h[6];
    reader_skip(&d->r, IP6_SIZE);
    return ip6_extensions(d, h);
}

enum layer layer_ip(struct decoding *d)
{
    switch (reader_peek(&d->r) >> 4) {
    case 4:
        return LAYER_IP4;
    case 6:
        return LAYER_IP6;
    default:
        decoding_payload(d);
        return decoding_malformed(d, "IP version is neither 4 nor 6");
    }
}

enum layer layer_ip_other(struct decoding *d)
{
    d->packet->transport = TRANSPORT_OTHER;
    return decoding_payload(d);
}

/* [ND] 4.6.1: | type 1 | length 1, in units of 8 | ... |: the link-layer address of this type, NULL
 * when there is none. */
static const uint8_t *link_address(struct reader options, uint8_t type)
{
    enum { OPTION_HEAD = 2, UNIT = 8 };
    while (reader_left(&options)) {
        uint8_t kind = reader_u8(&options);
        size_t size = (size_t)reader_u8(&options) * UNIT;
        if (size == 0)
            return NULL;
        const uint8_t *value = reader_bytes(&options, size - OPTION_HEAD);
        if (kind == type)
            return value;
    }
    return NULL;
}

/* [ND] 4.2 to 4.4: | type 1 | code 1 | checksum 2 | 4 bytes |, solicitation and advertisement of
 * neighbours: | target 16 |, of routers: | lifetime in bytes 6 and 7 | times 8 |; options. Only
 * with hop limit 255 it comes from a neighbour, [ND] 6.1, 7.1. */
static void neighbour_discovery(struct decoding *d)
{
    enum {
        HOP_LIMIT = 255,
        HEAD = 8,
        ROUTER = 134,
        SOLICITATION = 135,
        ADVERTISEMENT = 136,
        SOURCE_LINK = 1,
        TARGET_LINK = 2,
    };
    static const uint8_t unspecified[16];
    struct packet *p = d->packet;
    struct reader r = d->r;
    uint8_t type = reader_peek(&r);
    const uint8_t *head = reader_bytes(&r, HEAD);
    if (!head || head[1] != 0 || p->ttl != HOP_LIMIT || type < ROUTER || type > ADVERTISEMENT)
        return;
    const uint8_t *body = reader_bytes(&r, type == ROUTER ? 8 : 16);
    /* a host that only looks whether an address is free does not hold it yet */
    if (!body || (type == SOLICITATION && memcmp(p->source.bytes, unspecified, 16) == 0))
        return;
    const uint8_t *link = link_address(r, type == ADVERTISEMENT ? TARGET_LINK : SOURCE_LINK);
    struct arp *arp = &p->arp;
    *arp = (struct arp){.is_present = true,
                        .is_router = type == ROUTER && u16be(head + 6) != 0,
                        .sender_mac = p->source_mac,
                        .target_mac = p->destination_mac,
                        .sender_ip = p->source,
                        .target_ip = p->destination};
    if (link)
        memcpy(arp->sender_mac.bytes, link, sizeof arp->sender_mac.bytes);
    if (type == SOLICITATION) {
        arp->operation = 1;
        memcpy(arp->target_ip.bytes, body, 16);
    } else if (type == ADVERTISEMENT) {
        arp->operation = 2;
        memcpy(arp->sender_ip.bytes, body, 16);
    }
}

enum layer layer_icmp(struct decoding *d)
{
    d->packet->transport = TRANSPORT_ICMP;
    if (d->packet->ip_protocol == PROTOCOL_ICMP6 && d->packet->source.kind == ADDRESS_IP6)
        neighbour_discovery(d);
    return decoding_payload(d);
}

/* [TCP] 3.1 | ports 2, 2 | sequence 4 | acknowledgement 4 | offset, flags 2 | window 2 | checksum 2
 * | urgent 2 | */
enum layer layer_tcp(struct decoding *d)
{
    struct packet *p = d->packet;
    const uint8_t *h = reader_bytes(&d->r, TCP_SIZE);
    p->transport = TRANSPORT_TCP;
    if (!h)
        return decoding_short(d, "TCP header cut short");
    p->source_port = u16be(h);
    p->destination_port = u16be(h + 2);
    p->tcp_sequence = u32be(h + 4);
    p->tcp_acknowledgement = u32be(h + 8);
    p->tcp_flags = h[13];
    p->tcp_window = u16be(h + 14);
    uint32_t header_size = (uint32_t)(h[12] >> 4) * 4;
    if (header_size < TCP_SIZE)
        return decoding_malformed(d, "TCP header length below 20");
    reader_skip(&d->r, header_size - TCP_SIZE);
    if (!reader_ok(&d->r))
        return decoding_short(d, "TCP options cut short");
    return decoding_payload(d);
}

/* [UDP] | ports 2, 2 | length 2 | checksum 2 | */
enum layer layer_udp(struct decoding *d)
{
    struct packet *p = d->packet;
    const uint8_t *h = reader_bytes(&d->r, UDP_SIZE);
    p->transport = TRANSPORT_UDP;
    if (!h)
        return decoding_short(d, "UDP header cut short");
    p->source_port = u16be(h);
    p->destination_port = u16be(h + 2);
    uint16_t length = u16be(h + 4);
    if (length >= UDP_SIZE)
        decoding_limit(d, length - UDP_SIZE, "UDP length beyond the datagram");
    else if (length) /* 0: a jumbogram, or offload */
        decoding_malformed(d, "UDP length below 8");
    decoding_payload(d);
    if (!is_tunnel_port(p->destination_port))
        return LAYER_DONE;
    if (p->destination_port == VXLAN_PORT)
        return vxlan_is_plausible(d->r) ? LAYER_VXLAN : LAYER_DONE;
    return geneve_is_plausible(d->r) ? LAYER_GENEVE : LAYER_DONE;
}
