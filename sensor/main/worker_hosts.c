/* worker_hosts.c: what every packet tells of its sender. */
#include "baseline/infrastructure.h"
#include "sensor/base/hash.h"
#include "worker_internal.h"

#include <string.h>

enum {
    HOSTS_MAX = 8192, /* sources whose last sighting is known */
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP6_ECHO = 128,
    ICMP6_REDIRECT = 137,
    PROTOCOL_VRRP = 112,
    HSRP_PORT = 1985,
    ECHOES_TOLD = 100, /* one sighting for so many */
};

/* What is counted of a source between two sightings: with what finds it, a cache line. */
struct source {
    int64_t told_ns;
    uint64_t bytes;
    uint32_t packets;
    uint32_t echoes;    /* to that one, less those to others */
    uint64_t echo_pair; /* whom most of its echo requests go to, by a vote */
};

struct memory *worker_hosts_create(void)
{
    return memory_create(HOSTS_MAX, sizeof(struct source));
}

bool worker_has_host(const struct packet *p)
{
    return !mac_is_zero(&p->source_mac) || p->source.kind != ADDRESS_NONE;
}

uint64_t worker_host_hash(const struct packet *p)
{
    const struct address *ip = p->arp.is_present ? &p->arp.sender_ip : &p->source;
    uint64_t mac = 0;
    memcpy(&mac, p->source_mac.bytes, sizeof p->source_mac.bytes);
    if (ip->kind == ADDRESS_IP4) /* nearly all */
        return hash_mix((uint64_t)p->segment << 32 | address_ip4(ip), mac);
    const uint64_t rest[] = {mac, p->segment};
    return hash_mix(hash_bytes(ip, sizeof *ip), hash_bytes(rest, sizeof rest));
}

static struct sighting sighting_of_packet(enum sighting_kind kind, const struct packet *p)
{
    return (struct sighting){
        .kind = kind,
        .time_ns = p->time_ns,
        .segment = p->segment,
        .who = {p->source,      p->source_mac,      0},
        .other = {p->destination, p->destination_mac, 0},
        .transport = p->transport,
        .vlan = p->vlan_count ? p->vlans[0] : VLAN_NONE,
        .packet_number = p->number,
        .source_index = p->source_index,
    };
}

/* To all or to a group of this link (RFC 919 7, RFC 5771 4, RFC 4291 2.7), or to another group and
 * with no hop left: from a neighbour. */
static bool is_from_nearby(const struct packet *p)
{
    const uint8_t *to = p->destination.bytes;
    if (p->destination.kind == ADDRESS_IP4)
        return to[0] == 255 || (to[0] == 224 && to[1] == 0 && to[2] == 0) ||
               (to[0] >= 224 && p->ttl <= 1);
    return p->destination.kind == ADDRESS_IP6 && to[0] == 0xff && (to[1] & 0x0f) == 2;
}

static void tell_host(struct worker *w, const struct packet *p, uint64_t hash)
{
    struct source *h = memory_get(w->hosts, hash, NULL);
    bool is_new = !h;
    if (is_new) {
        bool existed, evicted;
        h = memory_put(w->hosts, hash, sizeof *h, &existed, &evicted);
    }
    h->packets++;
    h->bytes += p->wire_size;
    if (!is_new && p->time_ns - h->told_ns < REPEAT_NS)
        return;
    struct sighting s = sighting_of_packet(SIGHTING_HOST, p);
    if (p->arp.is_present)
        s.who.ip = p->arp.sender_ip;
    s.other = (struct endpoint){0};
    s.detail = is_from_nearby(p) ? HOST_NEARBY : 0;
    s.packets = h->packets;
    s.bytes = h->bytes;
    h->told_ns = p->time_ns;
    h->packets = 0;
    h->bytes = 0;
    worker_sighting(w, &s);
}

/* RFC 792, RFC 4443 4.1: the type is the first byte. */
static bool is_echo_request(const struct packet *p)
{
    return p->transport == TRANSPORT_ICMP && p->payload_size > 0 &&
           p->payload[0] == (p->source.kind == ADDRESS_IP6 ? ICMP6_ECHO : ICMP_ECHO);
}

/* Who asks many hosts a little has no majority: each other one takes a vote away. */
static void tell_echo(struct worker *w, const struct packet *p, uint64_t hash, uint64_t pair)
{
    struct source *h = memory_get(w->hosts, hash, NULL);
    if (!h)
        return;
    if (h->echoes == 0)
        h->echo_pair = pair;
    if (h->echo_pair != pair) {
        h->echoes--;
        return;
    }
    if (++h->echoes < ECHOES_TOLD)
        return;
    h->echoes = 0;
    struct sighting s = sighting_of_packet(SIGHTING_ECHO, p);
    s.packets = ECHOES_TOLD;
    worker_sighting(w, &s);
}

static void tell_arp(struct worker *w, const struct packet *p)
{
    struct sighting s = sighting_of_packet(SIGHTING_ARP, p);
    s.who = (struct endpoint){p->arp.sender_ip, p->arp.sender_mac, 0};
    s.other = (struct endpoint){p->arp.target_ip, p->arp.target_mac, 0};
    s.detail = p->arp.operation;
    s.packets = 1;
    s.bytes = p->wire_size;
    worker_sighting(w, &s);
}

static void tell_role(struct worker *w, const struct packet *p, enum infrastructure_role role,
                      const char *protocol, const struct address *claimed)
{
    struct sighting s = sighting_of_packet(SIGHTING_INFRASTRUCTURE, p);
    s.detail = (uint16_t)role;
    text_copy(s.protocol, sizeof s.protocol, text_of(protocol));
    if (claimed)
        address_print(s.text, claimed);
    worker_sighting(w, &s);
}

/* RFC 792: | type 5 | code 1 | checksum 2 | gateway 4 |; RFC 4861 4.5: | type 137 | code 1 |
 * checksum 2 | 0 4 | target 16 | destination 16 |, the same when it is on this link. */
static void tell_redirect(struct worker *w, const struct packet *p)
{
    enum { GATEWAY_AT = 4, TARGET_AT = 8, END4 = 8, END6 = 40 };
    bool is_6 = p->source.kind == ADDRESS_IP6;
    if (p->payload_size < (is_6 ? END6 : END4) ||
        p->payload[0] != (is_6 ? ICMP6_REDIRECT : ICMP_REDIRECT))
        return;
    struct address to = {.kind = p->source.kind};
    size_t size = is_6 ? 16 : 4;
    memcpy(to.bytes, p->payload + (is_6 ? TARGET_AT : GATEWAY_AT), size);
    if (is_6 && memcmp(to.bytes, p->payload + TARGET_AT + size, size) == 0)
        return;
    tell_role(w, p, ROLE_REDIRECT, is_6 ? "icmpv6" : "icmp", &to);
}

/* What moves the way of others' packets: RFC 5798, RFC 2281. */
static void tell_ways(struct worker *w, const struct packet *p)
{
    if (p->transport == TRANSPORT_ICMP)
        tell_redirect(w, p);
    else if (p->ip_protocol == PROTOCOL_VRRP)
        tell_role(w, p, ROLE_STANDBY, "vrrp", NULL);
    else if (p->transport == TRANSPORT_UDP && p->destination_port == HSRP_PORT && is_from_nearby(p))
        tell_role(w, p, ROLE_STANDBY, "hsrp", NULL);
}

void worker_host(struct worker *w, const struct packet *p, uint64_t hash, uint64_t pair)
{
    if (worker_has_host(p))
        tell_host(w, p, hash);
    if (is_echo_request(p))
        tell_echo(w, p, hash, pair);
    if (p->arp.is_present)
        tell_arp(w, p);
    if (p->arp.is_router)
        tell_role(w, p, ROLE_ROUTER, "icmpv6", NULL);
    if (p->transport >= TRANSPORT_ICMP || p->destination_port == HSRP_PORT)
        tell_ways(w, p);
}
