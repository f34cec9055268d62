/* decode_plain.c: what nearly all packets of a plant are, one whole IPv4 datagram of TCP or UDP
 * straight on Ethernet, read in one go. Everything else, and everything odd, goes layer by layer
 * (decode.c), which gives the same for these in three times the work: test_decode.c compares.
 *
 * Spec: as in decode.c and decode_ip.c */
#include "decode_layers.h"

#include <string.h>

enum {
    LINK_ETHERNET = 1,
    ETHERNET_SIZE = 14,
    ETHERTYPE_AT = 12,
    IP4_SIZE = 20,
    VERSION_AND_SIZE = 0x45, /* version 4, header of five words */
    FRAGMENT_MASK = 0x3fff,  /* more fragments, or an offset */
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TCP_SIZE = 20,
    UDP_SIZE = 8,
};

/* The size of a transport header that holds no surprise; 0: look closer. size: of header and
 * payload. */
static uint32_t header_size(uint8_t protocol, const uint8_t *t, uint32_t size)
{
    if (protocol == PROTOCOL_TCP && size >= TCP_SIZE) {
        uint32_t header = (uint32_t)(t[12] >> 4) * 4;
        return header >= TCP_SIZE && header <= size ? header : 0;
    }
    if (protocol == PROTOCOL_UDP && size >= UDP_SIZE)
        return u16be(t + 4) == size && !is_tunnel_port(u16be(t + 2)) ? UDP_SIZE : 0;
    return 0;
}

bool decode_plain(const struct raw_packet *raw, struct packet *p)
{
    const uint8_t *frame = raw->bytes, *ip = frame + ETHERNET_SIZE, *t = ip + IP4_SIZE;
    uint32_t captured = raw->captured_size;
    if (raw->link_type != LINK_ETHERNET || raw->wire_size != captured ||
        captured < ETHERNET_SIZE + IP4_SIZE || u16be(frame + ETHERTYPE_AT) != ETHERTYPE_IP4 ||
        ip[0] != VERSION_AND_SIZE || u16be(ip + 6) & FRAGMENT_MASK)
        return false;
    uint32_t total = u16be(ip + 2);
    if (total < IP4_SIZE || total > captured - ETHERNET_SIZE)
        return false;
    uint32_t header = header_size(ip[9], t, total - IP4_SIZE);
    if (!header)
        return false;

    memcpy(p->destination_mac.bytes, frame, sizeof p->destination_mac.bytes);
    memcpy(p->source_mac.bytes, frame + 6, sizeof p->source_mac.bytes);
    p->has_mac = true;
    p->ethertype = ETHERTYPE_IP4;
    p->network = ip;
    p->network_size = total;
    p->source.kind = p->destination.kind = ADDRESS_IP4;
    memcpy(p->source.bytes, ip + 12, 4);
    memcpy(p->destination.bytes, ip + 16, 4);
    p->ttl = ip[8];
    p->ip_protocol = ip[9];
    p->source_port = u16be(t);
    p->destination_port = u16be(t + 2);
    p->transport = TRANSPORT_UDP;
    if (ip[9] == PROTOCOL_TCP) {
        p->transport = TRANSPORT_TCP;
        p->tcp_sequence = u32be(t + 4);
        p->tcp_acknowledgement = u32be(t + 8);
        p->tcp_flags = t[13];
        p->tcp_window = u16be(t + 14);
    }
    p->payload = t + header;
    p->payload_size = p->payload_wire_size = total - IP4_SIZE - header;
    return true;
}
