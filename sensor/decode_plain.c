/* decode_plain.c: what nearly all packets of a plant are, one whole IPv4 datagram of TCP or UDP on
 * Ethernet, with a VLAN tag or without, read in one go. Everything else, and everything odd, goes
 * layer by layer (decode.c), which gives the same for these in three times the work: test_decode.c
 * compares.
 *
 * Spec: as in decode.c and decode_ip.c */
#include "decode_layers.h"

#include <string.h>

enum {
    LINK_ETHERNET = 1,
    ETHERNET_SIZE = 14,
    ETHERTYPE_AT = 12,
    TAG_SIZE = 4,
    VLAN_MASK = 0x0fff,
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

/* Addresses as numbers: a struct of bytes would be copied over the stack. */
struct mac_words {
    uint32_t high;
    uint16_t low;
};

static inline struct mac_words mac_words_at(const uint8_t *at)
{
    struct mac_words m;
    memcpy(&m.high, at, sizeof m.high);
    memcpy(&m.low, at + sizeof m.high, sizeof m.low);
    return m;
}

static inline void set_mac(struct mac *mac, struct mac_words m)
{
    memcpy(mac->bytes, &m.high, sizeof m.high);
    memcpy(mac->bytes + sizeof m.high, &m.low, sizeof m.low);
}

static inline uint32_t ip4_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline void set_ip4(struct address *a, uint32_t word)
{
    a->kind = ADDRESS_IP4;
    memset(a->bytes, 0, sizeof a->bytes);
    memcpy(a->bytes, &word, sizeof word);
}

/* What the frame says is read before anything of the packet is written: the compiler cannot know
 * that one is not part of the other. */
bool decode_plain(const struct raw_packet *raw, struct packet *p)
{
    const uint8_t *frame = raw->bytes, *ip = frame + ETHERNET_SIZE;
    uint32_t captured = raw->captured_size;
    if (raw->link_type != LINK_ETHERNET || raw->wire_size != captured ||
        captured < ETHERNET_SIZE + TAG_SIZE + IP4_SIZE)
        return false;
    uint16_t ethertype = u16be(frame + ETHERTYPE_AT), vlan = 0;
    if (ethertype == ETHERTYPE_VLAN) {
        vlan = u16be(ip) & VLAN_MASK;
        ethertype = u16be(ip + 2);
        ip += TAG_SIZE;
    }
    if (ethertype != ETHERTYPE_IP4 || ip[0] != VERSION_AND_SIZE || u16be(ip + 6) & FRAGMENT_MASK)
        return false;
    uint32_t total = u16be(ip + 2);
    if (total < IP4_SIZE || total > captured - (uint32_t)(ip - frame))
        return false;
    const uint8_t *t = ip + IP4_SIZE;
    uint8_t protocol = ip[9], ttl = ip[8];
    uint32_t header = header_size(protocol, t, total - IP4_SIZE);
    if (!header)
        return false;
    bool is_tcp = protocol == PROTOCOL_TCP;
    struct mac_words destination_mac = mac_words_at(frame), source_mac = mac_words_at(frame + 6);
    uint32_t source = ip4_at(ip + 12), destination = ip4_at(ip + 16);
    uint16_t source_port = u16be(t), destination_port = u16be(t + 2);
    uint32_t sequence = is_tcp ? u32be(t + 4) : 0, acknowledgement = is_tcp ? u32be(t + 8) : 0;
    uint8_t flags = is_tcp ? t[13] : 0;
    uint16_t window = is_tcp ? u16be(t + 14) : 0;

    decode_begin(p, raw);
    set_mac(&p->destination_mac, destination_mac);
    set_mac(&p->source_mac, source_mac);
    p->has_mac = true;
    p->ethertype = ETHERTYPE_IP4;
    if (vlan)
        p->vlans[p->vlan_count++] = vlan;
    p->network = ip;
    p->network_size = total;
    set_ip4(&p->source, source);
    set_ip4(&p->destination, destination);
    p->ttl = ttl;
    p->ip_protocol = protocol;
    p->source_port = source_port;
    p->destination_port = destination_port;
    p->transport = is_tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
    p->tcp_sequence = sequence;
    p->tcp_acknowledgement = acknowledgement;
    p->tcp_flags = flags;
    p->tcp_window = window;
    p->payload = t + header;
    p->payload_size = p->payload_wire_size = total - IP4_SIZE - header;
    return true;
}
