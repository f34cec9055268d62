/* duplicates.c: recognises copies that a mirror port makes of one packet.
 *
 * What is compared: for IP the innermost datagram without what routers change (TTL, DSCP and ECN,
 * header checksum) and without the TCP, UDP or ICMP checksum (sending adapters fill it in after the
 * mirror's tap); for other frames all but the VLAN tags. Their MACs count, for no router forwards
 * them and for many protocols the MAC is the only sender. The segment counts: the same bytes in two
 * address spaces are two packets.
 *
 * When are two equal packets one? A sender that says the same again gives the datagram a new IP id
 * (RFC 6864 4.1 frees only datagrams that may not be fragmented, and then the id is 0 by custom).
 * So:
 *
 *   - IPv4 with an id that is not 0: a copy, within 2 ms.
 *   - no id to go by (IPv4 with id 0, IPv6, no IP): when MACs, VLANs or TTL differ it was seen at
 * two places of its way: a copy, within 2 ms. When they are the same too, it may be the two
 * directions of one port pair, which come as fast as a switch forwards, or a sender that repeats
 * itself: a copy within 100 us only. (A TCP sender waits at least a round trip, and what it repeats
 * was seen; a cyclic UDP sender counts or waits.)
 *   - a mirror makes a few copies of a packet, one per VLAN and direction; more than COPIES_MAX are
 * a loop or a flood and must be seen.
 *
 * The table is set-associative: a set is one line of the cache, in the order in which they came, so
 * that the oldest, which makes room, need not be looked for. */
#include "duplicates.h"

#include "sensor/base/fetch.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    SETS = 2048,
    LINE = 64,
    WAYS = 4, /* 8192 places: at 1 Mpps 2000 packets lie in the window, one per set: few sets
                 overflow */
    COPIES_BITS = 3,
    COPIES_MAX = (1 << COPIES_BITS) - 1,
    WINDOW_US = 2000,
    WINDOW_SAME_PATH_US = 100,
    TCP_CHECKSUM_AT = 16, /* in the IP payload */
    UDP_CHECKSUM_AT = 6,
    ICMP_CHECKSUM_AT = 2,
    CHECKSUM_SIZE = 2,
    HEAD_MAX = 160, /* what is gathered before hashing: headers, and the payload of small packets */
};

/* The low bits of a hash choose the set: where they would be is the path. */
struct entry {
    uint64_t print;
    uint64_t seen; /* | microseconds | copies COPIES_BITS |; 0: not used */
};

struct duplicates {
    _Alignas(LINE) struct entry sets[SETS][WAYS];
};

_Static_assert(sizeof(struct entry[WAYS]) == LINE, "a set is one line");

struct duplicates *duplicates_create(void)
{
    struct duplicates *d = aligned_alloc(LINE, sizeof *d);
    return d ? memset(d, 0, sizeof *d) : NULL;
}

void duplicates_destroy(struct duplicates *d)
{
    free(d);
}

/* Layer-2 protocols that send the same bytes again and again, or whose every frame counts. */
static bool is_cyclic(uint16_t ethertype)
{
    switch (ethertype) {
    case 0x8892: /* PROFINET */
    case 0x88a4: /* EtherCAT */
    case 0x88ab: /* POWERLINK */
    case 0x88b8: /* GOOSE */
    case 0x88ba: /* sampled values */
    case 0x88cd: /* SERCOS III */
    case 0x88e3: /* MRP */
    case 0x88f7: /* PTP */
    case 0x88fb: /* PRP and HSR supervision */
    case 0x890f: /* CC-Link IE */
        return true;
    default:
        return false;
    }
}

/* Bytes gathered on the stack, so that a small packet is hashed in one call. */
struct gathered {
    uint8_t bytes[HEAD_MAX];
    size_t size;
};

static inline void gather(struct gathered *g, const void *bytes, size_t size)
{
    memcpy(g->bytes + g->size, bytes, size);
    g->size += size;
}

static uint64_t hash_rest(const struct gathered *g, const uint8_t *rest, size_t size)
{
    return hash_mix(hash_bytes(g->bytes, g->size), hash_bytes(rest, size));
}

/* The place of the transport checksum in the IP payload; SIZE_MAX when there is none. */
static size_t checksum_at(const struct packet *p)
{
    if (p->is_fragment)
        return SIZE_MAX;
    switch (p->transport) {
    case TRANSPORT_TCP:
        return TCP_CHECKSUM_AT;
    case TRANSPORT_UDP:
        return UDP_CHECKSUM_AT;
    case TRANSPORT_ICMP:
        return ICMP_CHECKSUM_AT;
    default:
        return SIZE_MAX;
    }
}

/* What follows the IP header, without the transport checksum. */
static uint64_t hash_ip_payload(struct gathered *g, const struct packet *p, const uint8_t *at,
                                size_t size)
{
    size_t checksum = checksum_at(p);
    if (checksum < size && size - checksum >= CHECKSUM_SIZE) {
        gather(g, at, checksum);
        at += checksum + CHECKSUM_SIZE;
        size -= checksum + CHECKSUM_SIZE;
    }
    if (size <= HEAD_MAX - g->size) {
        gather(g, at, size);
        return hash_bytes(g->bytes, g->size);
    }
    return hash_rest(g, at, size);
}

/* [RFC 791] 3.1: version and length, total length, id, flags and offset, protocol, addresses and
 * options; then what comes before the transport checksum, and what comes behind. Nearly all packets
 * are hashed here: the parts of known size are taken as numbers. */
static uint64_t hash_ip4(const struct packet *p)
{
    enum { HEADER_SIZE = 20, PROTOCOL_AT = 9, ADDRESSES_AT = 12 };
    static const uint8_t all_but_service[8] = {255, 0, 255, 255, 255, 255, 255, 255};
    const uint8_t *h = p->network;
    size_t header_size = (size_t)(h[0] & 15) * 4;
    if (header_size < HEADER_SIZE || header_size > p->network_size)
        return hash_mix(p->segment, hash_bytes(h, p->network_size)); /* malformed: as it is */
    const uint8_t *at = h + header_size;
    size_t size = p->network_size - header_size, checksum = checksum_at(p);
    uint64_t hash =
        hash_mix(hash_word(h) & hash_word(all_but_service), hash_word(h + ADDRESSES_AT));
    hash = hash_mix(hash, (uint64_t)p->segment << 32 | (uint64_t)size << 8 | h[PROTOCOL_AT]);
    if (checksum == TCP_CHECKSUM_AT && size >= TCP_CHECKSUM_AT + CHECKSUM_SIZE) {
        hash = hash_mix(hash ^ hash_word(at), hash_word(at + 8));
        at += TCP_CHECKSUM_AT + CHECKSUM_SIZE;
        size -= TCP_CHECKSUM_AT + CHECKSUM_SIZE;
    } else if (checksum < size && size - checksum >= CHECKSUM_SIZE) {
        uint64_t before = 0;
        if (checksum == UDP_CHECKSUM_AT)
            memcpy(&before, at, UDP_CHECKSUM_AT);
        else
            memcpy(&before, at, ICMP_CHECKSUM_AT);
        hash = hash_mix(hash, before);
        at += checksum + CHECKSUM_SIZE;
        size -= checksum + CHECKSUM_SIZE;
    }
    hash = hash_mix_sized(hash, at, size);
    if (header_size == HEADER_SIZE)
        return hash;
    return hash_mix(hash, hash_bytes(h + HEADER_SIZE, header_size - HEADER_SIZE));
}

/* [RFC 8200] 3: flow label, payload length, next header, addresses. Behind extension headers the
 * checksum stays in. */
static uint64_t hash_ip6(struct gathered *g, const struct packet *p)
{
    enum { HEADER_SIZE = 40, HOPS_AT = 7 };
    const uint8_t *h = p->network;
    bool is_plain = h[6] == p->ip_protocol;
    gather(g, h + 2, HOPS_AT - 2);
    gather(g, h + 8, HEADER_SIZE - 8);
    if (is_plain)
        return hash_ip_payload(g, p, h + HEADER_SIZE, p->network_size - HEADER_SIZE);
    return hash_rest(g, h + HEADER_SIZE, p->network_size - HEADER_SIZE);
}

static uint64_t hash_frame(struct gathered *g, const struct packet *p)
{
    gather(g, &p->source_mac, sizeof p->source_mac);
    gather(g, &p->destination_mac, sizeof p->destination_mac);
    gather(g, &p->ethertype, sizeof p->ethertype);
    return hash_rest(g, p->payload, p->payload_size);
}

/* MACs, VLANs and TTL as one number. */
static uint32_t path_of(const struct packet *p)
{
    uint64_t hash =
        hash_mix(mac_number(&p->source_mac) << 8 | p->ttl, mac_number(&p->destination_mac));
    for (size_t i = 0; i < p->vlan_count; i++)
        hash = hash_mix(hash, p->vlans[i]);
    return (uint32_t)hash;
}

/* Is a packet with the same bytes, seen `age_us` ago on that path, the same packet? */
static bool is_copy(const struct packet *p, bool is_same_path, uint64_t age_us)
{
    bool has_id =
        p->source.kind == ADDRESS_IP4 && p->network_size >= 6 && (p->network[4] || p->network[5]);
    return age_us <= (has_id || !is_same_path ? WINDOW_US : WINDOW_SAME_PATH_US);
}

/* The few that are no IPv4. Not part of the way of the others, who would pay for what is gathered.
 */
__attribute__((noinline)) static uint64_t hash_other(const struct packet *p)
{
    struct gathered g;
    g.size = sizeof p->segment;
    memcpy(g.bytes, &p->segment, sizeof p->segment);
    return p->network && p->source.kind == ADDRESS_IP6 ? hash_ip6(&g, p) : hash_frame(&g, p);
}

static bool is_compared(const struct packet *p)
{
    if (p->network && p->source.kind != ADDRESS_NONE)
        return true;
    return p->has_mac && p->payload && !is_cyclic(p->ethertype);
}

struct print duplicates_print(const struct duplicates *d, const struct packet *p)
{
    struct print print = {.is_compared = is_compared(p)};
    if (!print.is_compared)
        return print;
    print.hash = p->network && p->source.kind == ADDRESS_IP4 ? hash_ip4(p) : hash_other(p);
    print.path = path_of(p);
    fetch(d->sets[print.hash % SETS]);
    return print;
}

static struct entry *set_find(struct entry *set, uint64_t kept)
{
#pragma GCC unroll 4
    for (size_t way = 0; way < WAYS; way++)
        if ((set[way].print ^ kept) < SETS && set[way].seen)
            return &set[way];
    return NULL;
}

/* Makes room at the front: the oldest goes. */
static void set_push(struct entry *set, struct entry e)
{
    _Static_assert(WAYS == 4, "each is named");
    set[3] = set[2];
    set[2] = set[1];
    set[1] = set[0];
    set[0] = e;
}

/* What is in the set already comes to the front as it is now. */
static void set_renew(struct entry *set, struct entry *at, struct entry e)
{
    memmove(&set[1], &set[0], (size_t)((char *)at - (char *)set));
    set[0] = e;
}

bool duplicates_seen_print(struct duplicates *d, const struct packet *p, const struct print *print)
{
    if (!print->is_compared)
        return false;
    uint64_t now_us = (uint64_t)p->time_ns / 1000 + 1; /* time 0 is no unused place */
    uint64_t kept = (print->hash & ~(uint64_t)(SETS - 1)) | (print->path & (SETS - 1));
    struct entry *set = d->sets[print->hash % SETS], *same = set_find(set, kept);
    if (same) {
        /* either order: two interfaces' clocks differ a little */
        uint64_t then_us = same->seen >> COPIES_BITS, copies = same->seen & COPIES_MAX;
        uint64_t apart_us = now_us > then_us ? now_us - then_us : then_us - now_us;
        if (copies < COPIES_MAX && is_copy(p, same->print == kept, apart_us)) {
            same->seen++;
            return true;
        }
        if (copies == COPIES_MAX && apart_us <= WINDOW_US)
            return false;
    }
    struct entry now = {kept, now_us << COPIES_BITS};
    if (same)
        set_renew(set, same, now);
    else
        set_push(set, now);
    return false;
}

bool duplicates_seen(struct duplicates *d, const struct packet *p)
{
    struct print print = duplicates_print(d, p);
    return duplicates_seen_print(d, p, &print);
}
