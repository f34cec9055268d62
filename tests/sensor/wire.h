/* wire.h: packets for the analyser's tests, made by hand: a TCP or UDP conversation of two hosts.
 */
#pragma once

#include "sensor/analyser.h"

#include <string.h>

struct wire {
    struct analyser *analyser;
    int64_t now_ns;
    uint64_t number;
    uint16_t client_port, server_port;
    uint32_t sequence[2]; /* next of client, of server */
    uint8_t transport;
    uint32_t segment;
    uint32_t cut; /* bytes of each packet that the capture did not keep */
    bool is_to_group;
};

static inline void put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, value >> 16);
    put_u16(at + 2, value & 0xffff);
}

/* The IP and TCP headers (RFC 791, RFC 9293), which nDPI reads for itself. */
static inline void wire_headers(uint8_t *frame, const struct packet *p)
{
    uint8_t *ip = frame + 14, *tcp = frame + 34;
    ip[0] = 0x45;
    put_u16(ip + 2, p->network_size);
    ip[8] = 64;
    ip[9] = p->transport == TRANSPORT_TCP ? 6 : 17;
    memcpy(ip + 12, p->source.bytes, 4);
    memcpy(ip + 16, p->destination.bytes, 4);
    put_u16(tcp, p->source_port);
    put_u16(tcp + 2, p->destination_port);
    put_u32(tcp + 4, p->tcp_sequence);
    put_u32(tcp + 8, p->tcp_acknowledgement);
    tcp[12] = 0x50;
    tcp[13] = p->tcp_flags;
}

/* A packet of this direction with flags, at an offset from the direction's next byte, without
 * advancing it. */
static inline void wire_segment(struct wire *w, bool is_client, uint8_t flags, uint32_t offset,
                                const void *bytes, uint32_t size)
{
    static uint8_t frame[65536];
    memset(frame, 0, 64);
    if (size)
        memcpy(frame + 54, bytes, size);
    struct packet p = {
        .time_ns = w->now_ns += 1000000,
        .number = ++w->number,
        .segment = w->segment,
        .link_type = 1,
        .bytes = frame,
        .captured_size = 54 + size,
        .wire_size = 54 + size + w->cut,
        .has_mac = true,
        .ethertype = 0x0800,
        .transport = w->transport,
        .tcp_flags = flags,
        .tcp_sequence = w->sequence[is_client ? 0 : 1] + offset,
        .tcp_acknowledgement = w->sequence[is_client ? 1 : 0],
        .network = frame + 14,
        .network_size = 40 + size,
        .payload = frame + 54,
        .payload_size = size,
        .payload_wire_size = size + w->cut,
        .source_port = is_client ? w->client_port : w->server_port,
        .destination_port = is_client ? w->server_port : w->client_port,
    };
    struct address client =
                       {
                           ADDRESS_IP4, {10, 0, 0, 5}
    },
                   server = {ADDRESS_IP4, {10, 0, 0, 10}};
    if (w->is_to_group)
        server.bytes[0] = 224;
    p.source = is_client ? client : server;
    p.destination = is_client ? server : client;
    p.source_mac.bytes[5] = is_client ? 5 : 10;
    p.destination_mac.bytes[5] = is_client ? 10 : 5;
    wire_headers(frame, &p);
    analyser_packet(w->analyser, &p);
}

static inline void wire_send(struct wire *w, bool is_client, const void *bytes, uint32_t size)
{
    wire_segment(w, is_client, TCP_ACK | TCP_PSH, 0, bytes, size);
    w->sequence[is_client ? 0 : 1] += size;
}

static inline void wire_handshake(struct wire *w)
{
    w->sequence[0]--; /* a SYN takes a number */
    wire_segment(w, true, TCP_SYN, 0, NULL, 0);
    w->sequence[0]++;
    w->sequence[1]--;
    wire_segment(w, false, TCP_SYN | TCP_ACK, 0, NULL, 0);
    w->sequence[1]++;
    wire_segment(w, true, TCP_ACK, 0, NULL, 0);
}
