/* packet.h: one captured packet, decoded down to its transport payload.
 * All pointers are borrowed from the capture's buffer (or the fragment table) for the call. */
#pragma once

#include "address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum transport { TRANSPORT_NONE, TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_ICMP, TRANSPORT_OTHER };

enum tcp_flag { /* RFC 9293 3.1 */
                TCP_FIN = 0x01,
                TCP_SYN = 0x02,
                TCP_RST = 0x04,
                TCP_PSH = 0x08,
                TCP_ACK = 0x10,
};

enum { VLAN_MAX = 4, VLAN_NONE = 0xffff };

/* What an ARP packet for IPv4 over Ethernet says (RFC 826), or for IPv6 neighbour discovery (RFC
 * 4861): a solicitation is a request, an advertisement a reply. */
struct arp {
    bool is_present;
    bool is_router;     /* a router advertises itself; operation 0 */
    uint16_t operation; /* 1 request, 2 reply */
    struct mac sender_mac, target_mac;
    struct address sender_ip, target_ip;
};

struct packet {
    int64_t time_ns;       /* since 1970-01-01 UTC */
    uint64_t number;       /* 1-based, over all packets of its source (file or interface) */
    uint32_t source_index; /* which -r file or -i interface, 0-based in command-line order */
    uint32_t segment;      /* which address space: see segments.h; 0 is the default one */
    uint16_t link_type;    /* LINKTYPE_* of the frame (www.tcpdump.org/linktypes.html) */

    const uint8_t *bytes;   /* the frame as captured, outermost header first */
    uint32_t captured_size; /* bytes that are there */
    uint32_t wire_size;     /* bytes that were on the wire */

    struct mac source_mac, destination_mac; /* innermost Ethernet header; zero when there is none */
    bool has_mac; /* both are known; Linux cooked frames have a source only */
    /* of the innermost frame, outermost first; priority tags (VLAN 0) are left out */
    uint16_t vlans[VLAN_MAX];
    uint8_t vlan_count;
    uint16_t ethertype; /* innermost; of LLC frames the DSAP (below 0x100), or what SNAP says */

    struct address source, destination; /* kind ADDRESS_NONE when not IP */
    uint16_t source_port, destination_port;
    uint8_t transport;   /* enum transport */
    uint8_t ip_protocol; /* IANA number, after extension headers */
    uint8_t ttl;
    uint8_t tcp_flags;
    uint32_t tcp_sequence, tcp_acknowledgement;
    uint16_t tcp_window;

    const uint8_t *network; /* start of the innermost IP header (for nDPI); NULL when not IP */
    uint32_t network_size;
    /* transport payload; for non-IP frames what follows the ethertype, of LLC all from the DSAP on
     */
    const uint8_t *payload;
    uint32_t payload_size; /* bytes that are there, Ethernet padding removed */
    uint32_t
        payload_wire_size; /* bytes that the headers declare; more than payload_size when cut */

    bool is_fragment; /* a piece that did not complete its datagram: no transport header to trust */
    bool is_reassembled; /* payload lies in the fragment table, not in bytes */
    bool is_malformed;   /* a header contradicts itself; see malformed_why */
    const char *malformed_why;
    struct arp arp;
};

/* Where a byte of the packet lies, counted from the start of the frame; false for bytes elsewhere.
 */
static inline bool packet_offset(const struct packet *p, const uint8_t *at, uint32_t *offset)
{
    if (at < p->bytes || at >= p->bytes + p->captured_size)
        return false;
    *offset = (uint32_t)(at - p->bytes);
    return true;
}
