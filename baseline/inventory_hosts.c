/* inventory_hosts.c: which address belongs to which device.
 *
 *   - a MAC without IP, and an IP without MAC, are devices of their own until a packet joins them;
 *   - a device owns an IP when it says so by ARP, or when it is the only IP ever seen with its MAC;
 *   - other IPs behind a MAC are devices of their own: they may be routed. Addresses of several
 * other subnets make the MAC a router's. */
#include "inventory_hosts.h"
#include "asset_join.h"

#include <string.h>

enum { PROXY_MAX = 5 }; /* addresses claimed by ARP by one MAC: proxy ARP */

struct asset *inventory_asset_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who)
{
    struct asset *a =
        assets_make(&inv->assets, segment, inv->segments[segment].name, who, s->time_ns);
    a->first_packet = s->packet_number;
    a->first_source = s->source_index;
    inventory_something_new(inv, segment);
    if (inventory_is_silent(inv, segment))
        return a;
    a->is_new = true;
    if (inv->pending_count == PENDING_MAX) {
        inventory_tell_new(inv, a);
        return a;
    }
    a->is_pending = true;
    inv->pending[(inv->pending_head + inv->pending_count++) % PENDING_MAX] =
        (uint32_t)(a - inv->assets.list);
    return a;
}

void inventory_pending_flush(struct inventory *inv, int64_t time_ns, bool is_last)
{
    while (inv->pending_count > 0) {
        struct asset *a = &inv->assets.list[inv->pending[inv->pending_head]];
        if (a->is_used && a->is_pending && !is_last && time_ns - a->first_ns < PENDING_NS &&
            time_ns >= a->first_ns)
            return;
        inv->pending_head = (inv->pending_head + 1) % PENDING_MAX;
        inv->pending_count--;
        if (a->is_used && a->is_pending && !a->is_told)
            inventory_tell_new(inv, a);
        a->is_pending = false;
    }
}

/* The first address of a kind (link-local ones aside) that is seen with a MAC is its device's, and
 * so are all of an IPv6 subnet. Another IPv4 address may be routed: then only ARP tells. */
static bool is_own(const struct asset *m, const struct address *ip)
{
    if (inventory_is_link_local(ip))
        return true;
    for (size_t i = 0; i < m->ip_count; i++)
        if (m->ips[i].kind == ip->kind && !inventory_is_link_local(&m->ips[i]))
            return ip->kind == ADDRESS_IP6 && inventory_is_same_subnet(&m->ips[i], ip);
    return true;
}

/* What was seen with m's MAC before was routed: the MAC is of router, which says so by ARP. */
static void take_mac(struct inventory *inv, struct asset *router, struct asset *m,
                     const struct endpoint *who)
{
    inventory_give_mac(inv, router, m, &who->mac);
    asset_ip_add(&inv->assets, router, &who->ip, true);
    inventory_one_foreign(inv, router);
}

/* Sent to a group that no router passes on. */
static bool is_from_nearby(const struct sighting *s)
{
    return s->kind == SIGHTING_HOST && s->detail == HOST_NEARBY;
}

/* mac says by ARP that it holds ip, which no device had. */
static struct asset *ip_announced(struct inventory *inv, struct asset *m, const struct sighting *s,
                                  const struct endpoint *who)
{
    if (inventory_was_routed(m, &who->ip)) {
        struct asset *router = inventory_asset_new(inv, m->segment, s, who);
        take_mac(inv, router, m, who);
        return router;
    }
    if (m->ip_count >= PROXY_MAX && !(m->flags & ASSET_ROUTER))
        inventory_became_router(inv, m);
    if ((m->flags & ASSET_ROUTER) && m->ip_count >= PROXY_MAX)
        return inventory_proxy_new(inv, m->segment, s, who, m);
    if (!asset_ip_add(&inv->assets, m, &who->ip, true))
        return inventory_proxy_new(inv, m->segment, s, who, m);
    inventory_give_back(inv, m, s->time_ns);
    return m;
}

struct asset *inventory_joined(struct inventory *inv, struct asset *a, struct asset *b)
{
    bool is_a_older = a->first_ns <= b->first_ns;
    struct asset *older = is_a_older ? a : b, *younger = is_a_older ? b : a;
    unsigned foreign = (unsigned)a->foreign_count + b->foreign_count;
    foreign = foreign < UINT8_MAX ? foreign : UINT8_MAX;
    assets_merge(&inv->assets, older, younger);
    older->is_told |= younger->is_told;
    older->foreign_count = (uint8_t)foreign;
    return older;
}

struct asset *inventory_take_own_mac(struct inventory *inv, uint32_t segment, struct asset *a,
                                     const struct sighting *s)
{
    struct mac mac;
    if (!inventory_is_silent(inv, segment) || !asset_join_mac(a, s, &mac))
        return a;
    struct asset *other = assets_by_mac(&inv->assets, segment, &mac);
    if (other && other != a)
        return asset_join_has_room(a, other) ? inventory_joined(inv, a, other) : a;
    if (!other && s->kind == SIGHTING_FACT)
        asset_mac_add(&inv->assets, a, &mac);
    return a;
}

/* Both addresses are known, of two devices. says: by its nature the packet tells the MAC of its
 * sender. Returns whose sighting this is. */
static struct asset *two_devices(struct inventory *inv, struct asset *a, struct asset *m,
                                 const struct sighting *s, const struct endpoint *who, bool says)
{
    if (a->mac_count > 0) {
        if (!says && inventory_is_unmasked(inv, a, s->time_ns))
            return m;
        bool is_claim = says || inventory_is_abandoned(inv, a, &who->ip, s->time_ns);
        if (is_claim)
            return inventory_ip_claimed(inv, a, m, who, s->time_ns);
        return m->ip_count == 0 ? m : a;
    }
    if (!says && (m->ip_count > 0 || (m->flags & ASSET_ROUTER)))
        return a;
    if (says && inventory_was_routed(m, &who->ip)) {
        take_mac(inv, a, m, who);
        return a;
    }
    if (a->flags & ASSET_PROXY)
        inventory_not_foreign(m);
    struct asset *older = inventory_joined(inv, a, m);
    older->flags &= ~(uint32_t)ASSET_PROXY;
    asset_ip_add(&inv->assets, older, &who->ip, says);
    return older;
}

static struct asset *mac_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
                             const struct mac *mac)
{
    struct endpoint mac_only = {.mac = *mac};
    struct asset *m = inventory_asset_new(inv, segment, s, &mac_only);
    asset_mac_add(&inv->assets, m, mac);
    return m;
}

/* ip is nobody's yet; its packet came from m's MAC. */
static struct asset *ip_of_mac(struct inventory *inv, uint32_t segment, const struct sighting *s,
                               const struct endpoint *who, struct asset *m, bool is_arp)
{
    if (is_arp && who->ip.kind == ADDRESS_IP4) /* of IPv6 every host has several */
        return ip_announced(inv, m, s, who);
    bool is_nearby = is_from_nearby(s);
    if (is_nearby || (!(m->flags & ASSET_ROUTER) && is_own(m, &who->ip))) {
        inventory_make_room(inv, m, &who->ip);
        if (asset_ip_add(&inv->assets, m, &who->ip, is_nearby)) {
            inventory_give_back(inv, m, s->time_ns);
            return m;
        }
    }
    return inventory_proxy_new(inv, segment, s, who, m);
}

/* An address pair of a packet (is_arp: of an ARP sender), both there. */
static struct asset *host_of_pair(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who, bool is_arp)
{
    struct assets *t = &inv->assets;
    struct asset *a = assets_by_ip(t, segment, &who->ip, &who->mac);
    struct asset *m = assets_by_mac(t, segment, &who->mac);
    bool says = is_arp || is_from_nearby(s) || inventory_is_link_local(&who->ip);
    bool is_routed = m && m != a && !says &&
                     ((m->flags & ASSET_ROUTER) ||
                      (!inventory_shares_subnet(m, &who->ip) && !is_own(m, &who->ip)));
    if (!is_routed) {
        enum binding_verdict verdict =
            bindings_see(inv->bindings, segment, s, who, is_arp, inventory_is_silent(inv, segment));
        if (verdict != BINDING_OWN && !m) {
            m = mac_new(inv, segment, s, &who->mac);
            m->is_told = true; /* as the one that claims another's address */
        }
        if (verdict == BINDING_CONTESTED && a && a != m) /* what it says now is of itself */
            return inventory_ip_claimed(inv, a, m, who, s->time_ns);
        if (verdict != BINDING_OWN)
            return m;
    }
    if (a && a == m) {
        asset_ip_add(t, a, &who->ip, is_arp);
        return a;
    }
    if (a && !m && a->mac_count > 0)
        m = mac_new(inv, segment, s, &who->mac);
    if (a && m)
        return two_devices(inv, a, m, s, who, says);
    if (m)
        return ip_of_mac(inv, segment, s, who, m, is_arp);
    if (!a)
        a = inventory_asset_new(inv, segment, s, who);
    asset_ip_add(t, a, &who->ip, is_arp);
    asset_mac_add(t, a, &who->mac);
    return a;
}

static bool has_ip(const struct endpoint *who)
{
    return who->ip.kind != ADDRESS_NONE && !address_is_group(&who->ip);
}

static bool has_mac(const struct endpoint *who)
{
    return !mac_is_zero(&who->mac) && !mac_is_group(&who->mac);
}

bool inventory_is_loopback(const struct address *ip)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    return (ip->kind == ADDRESS_IP4 && ip->bytes[0] == 127) ||
           (ip->kind == ADDRESS_IP6 && memcmp(ip->bytes, loopback6, sizeof loopback6) == 0);
}

/* A router speaks with its own address from the MAC that it shares with others: only its address
 * tells which one it is. What comes from elsewhere through it is routed, as by any other MAC. */
static bool is_shared_mac(struct inventory *inv, uint32_t segment, const struct endpoint *who)
{
    if (!mac_is_virtual_router(&who->mac))
        return false;
    const struct asset *m = assets_by_mac(&inv->assets, segment, &who->mac);
    return !m || assets_by_ip(&inv->assets, segment, &who->ip, NULL) ||
           inventory_shares_subnet(m, &who->ip);
}

/* All hosts of a network. In a larger one than /24 a host may have such an address, and says so by
 * ARP; that others send from it is their mistake. */
static bool is_network_broadcast(const struct endpoint *who)
{
    static const struct mac all = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
    };
    return (who->ip.kind == ADDRESS_IP4 && who->ip.bytes[3] == 255) || mac_equal(&who->mac, &all);
}

struct asset *inventory_host_of(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                const struct endpoint *who, bool is_arp)
{
    struct assets *t = &inv->assets;
    bool is_sender =
        (s->kind == SIGHTING_HOST || s->kind == SIGHTING_ARP) && !inventory_is_loopback(&who->ip);
    bool is_shared = is_sender && !is_arp && is_shared_mac(inv, segment, who);
    bool is_all = is_sender && !is_arp && has_mac(who) && is_network_broadcast(who);
    if (has_ip(who) && has_mac(who) && is_sender && !is_shared && !is_all)
        return host_of_pair(inv, segment, s, who, is_arp);
    if (has_ip(who) && !is_all) {
        struct asset *a = assets_by_ip(t, segment, &who->ip, &who->mac);
        if (a || is_network_broadcast(who))
            return a;
        struct endpoint ip_only = {.ip = who->ip};
        a = inventory_asset_new(inv, segment, s, &ip_only);
        asset_ip_add(t, a, &who->ip, false);
        return a;
    }
    if (!has_mac(who))
        return NULL;
    struct asset *m = assets_by_mac(t, segment, &who->mac);
    return m ? m : mac_new(inv, segment, s, &who->mac);
}

struct asset *inventory_host_find(const struct inventory *inv, uint32_t segment,
                                  const struct endpoint *host)
{
    if (has_ip(host))
        return assets_by_ip(&inv->assets, segment, &host->ip, &host->mac);
    return has_mac(host) ? assets_by_mac(&inv->assets, segment, &host->mac) : NULL;
}

struct scan_habit *inventory_habit_of(void *context, uint32_t segment,
                                      const struct endpoint *source)
{
    const struct inventory *inv = context;
    uint32_t at = inventory_segment_find(inv, segment);
    struct asset *a = at == INDEX_NONE ? NULL : inventory_host_find(inv, at, source);
    if (!a)
        return NULL;
    a->is_dirty = true;
    return &a->habit;
}
