/* inventory_hosts.c: which address belongs to which device.
 *
 *   - a MAC without IP, and an IP without MAC, are devices of their own until a packet joins them;
 *   - a device owns an IP when it says so by ARP, or when it is the only IP ever seen with its MAC;
 *   - other IPs behind a MAC are devices of their own: they may be routed. Addresses of several
 * other subnets make the MAC a router's. */
#include "asset_join.h"
#include "inventory_state.h"

#include <string.h>

enum {
    FOREIGN_MAX = 2, /* addresses of other subnets behind one MAC: a router */
    PROXY_MAX = 5,   /* addresses claimed by ARP by one MAC: proxy ARP */
};

static struct asset *asset_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
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

static bool is_link_local(const struct address *ip)
{
    return ip->kind == ADDRESS_IP6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/* The netmask is not known: /24 and /64 are what plants use. */
static bool is_same_subnet(const struct address *a, const struct address *b)
{
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, a->kind == ADDRESS_IP4 ? 3 : 8) == 0;
}

/* The first address of a kind (link-local ones aside) that is seen with a MAC is its device's, and
 * so are all of an IPv6 subnet. Another IPv4 address may be routed: then only ARP tells. */
static bool is_own(const struct asset *m, const struct address *ip)
{
    if (is_link_local(ip))
        return true;
    for (size_t i = 0; i < m->ip_count; i++)
        if (m->ips[i].kind == ip->kind && !is_link_local(&m->ips[i]))
            return ip->kind == ADDRESS_IP6 && is_same_subnet(&m->ips[i], ip);
    return true;
}

static bool shares_subnet(const struct asset *m, const struct address *ip)
{
    for (size_t i = 0; i < m->ip_count; i++)
        if (is_same_subnet(&m->ips[i], ip))
            return true;
    return false;
}

static void became_router(struct inventory *inv, struct asset *m)
{
    m->flags |= ASSET_ROUTER;
    m->is_dirty = true;
    for (size_t i = 0; i < m->mac_count; i++)
        bindings_forget_routed(inv->bindings, m->segment, &m->macs[i]);
}

static void foreign_seen(struct inventory *inv, struct asset *m, const struct address *ip)
{
    if (m->ip_count == 0 || shares_subnet(m, ip))
        return;
    m->foreign_count++;
    if (m->foreign_count >= FOREIGN_MAX && !(m->flags & ASSET_ROUTER))
        became_router(inv, m);
}

static struct asset *proxy_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
                               const struct endpoint *who)
{
    struct endpoint ip_only = {.ip = who->ip};
    struct asset *a = asset_new(inv, segment, s, &ip_only);
    asset_ip_add(&inv->assets, a, &who->ip, false);
    a->flags |= ASSET_PROXY;
    return a;
}

/* All that was seen with m's MAC before lies in another subnet than ip, which says by ARP that the
 * MAC is its own: it was routed. */
static bool was_routed(const struct asset *m, const struct address *ip)
{
    bool has_others = false;
    for (size_t i = 0; i < m->ip_count; i++) {
        if (m->ips[i].kind != ip->kind || is_link_local(&m->ips[i]))
            continue;
        if (m->is_ip_confirmed[i] || is_same_subnet(&m->ips[i], ip))
            return false;
        has_others = true;
    }
    return has_others;
}

static void take_mac(struct inventory *inv, struct asset *router, struct asset *m,
                     const struct endpoint *who)
{
    asset_mac_remove(&inv->assets, m, &who->mac);
    for (size_t i = m->ip_count; i-- > 0;) { /* a link-local address is never routed */
        struct address ip = m->ips[i];
        if (!is_link_local(&ip))
            continue;
        asset_ip_remove(&inv->assets, m, &ip);
        asset_ip_add(&inv->assets, router, &ip, false);
    }
    m->flags |= ASSET_PROXY;
    router->flags &= ~(uint32_t)ASSET_PROXY;
    router->foreign_count = (uint8_t)(m->foreign_count + 1);
    asset_mac_add(&inv->assets, router, &who->mac);
    asset_ip_add(&inv->assets, router, &who->ip, true);
    if (router->foreign_count >= FOREIGN_MAX && !(router->flags & ASSET_ROUTER))
        became_router(inv, router);
}

/* mac says by ARP that it holds ip, which no device had. */
static struct asset *ip_announced(struct inventory *inv, struct asset *m, const struct sighting *s,
                                  const struct endpoint *who)
{
    struct assets *t = &inv->assets;
    if (was_routed(m, &who->ip)) {
        struct asset *router = asset_new(inv, m->segment, s, who);
        take_mac(inv, router, m, who);
        return router;
    }
    if (m->ip_count >= PROXY_MAX && !(m->flags & ASSET_ROUTER))
        became_router(inv, m);
    if ((m->flags & ASSET_ROUTER) && m->ip_count >= PROXY_MAX)
        return proxy_new(inv, m->segment, s, who);
    return asset_ip_add(t, m, &who->ip, true) ? m : proxy_new(inv, m->segment, s, who);
}

/* a and b turned out to be one device. */
static struct asset *joined(struct inventory *inv, struct asset *a, struct asset *b)
{
    bool is_a_older = a->first_ns <= b->first_ns;
    struct asset *older = is_a_older ? a : b, *younger = is_a_older ? b : a;
    assets_merge(&inv->assets, older, younger);
    older->is_told |= younger->is_told;
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
        return asset_join_has_room(a, other) ? joined(inv, a, other) : a;
    if (!other && s->kind == SIGHTING_FACT)
        asset_mac_add(&inv->assets, a, &mac);
    return a;
}

/* Both addresses are known, of two devices. Returns whose sighting this is. */
static struct asset *two_devices(struct inventory *inv, struct asset *a, struct asset *m,
                                 const struct endpoint *who, bool is_arp)
{
    bool is_join = m->ip_count == 0 || (is_arp && a->mac_count == 0);
    if (!is_join)
        return a;
    if (is_arp && was_routed(m, &who->ip)) {
        take_mac(inv, a, m, who);
        return a;
    }
    struct asset *older = joined(inv, a, m);
    older->flags &= ~(uint32_t)ASSET_PROXY;
    asset_ip_add(&inv->assets, older, &who->ip, is_arp);
    return older;
}

/* An address pair of a packet (is_arp: of an ARP sender), both there. */
static struct asset *host_of_pair(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who, bool is_arp)
{
    struct assets *t = &inv->assets;
    struct asset *a = assets_by_ip(t, segment, &who->ip);
    struct asset *m = assets_by_mac(t, segment, &who->mac);
    bool is_routed =
        m && m != a && !is_arp &&
        ((m->flags & ASSET_ROUTER) || (!shares_subnet(m, &who->ip) && !is_own(m, &who->ip)));
    if (!is_routed) {
        enum binding_verdict verdict =
            bindings_see(inv->bindings, segment, s, who, is_arp, inventory_is_silent(inv, segment));
        if (verdict == BINDING_CONTESTED && (m || a))
            return m ? m : a;
        if (verdict == BINDING_REFUTED) {
            if (!m) {
                struct endpoint mac_only = {.mac = who->mac};
                m = asset_new(inv, segment, s, &mac_only);
                asset_mac_add(t, m, &who->mac);
                m->is_told = true; /* as the one that claims another's address */
            }
            return m;
        }
    }
    if (a && a == m) {
        asset_ip_add(t, a, &who->ip, is_arp);
        return a;
    }
    if (a && m)
        return two_devices(inv, a, m, who, is_arp);
    if (a) {
        if (!is_routed) {
            asset_mac_add(t, a, &who->mac);
            asset_ip_add(t, a, &who->ip, is_arp);
        }
        return a;
    }
    if (m && is_arp && who->ip.kind == ADDRESS_IP4) /* of IPv6 every host has several */
        return ip_announced(inv, m, s, who);
    if (m && !(m->flags & ASSET_ROUTER) && is_own(m, &who->ip) &&
        asset_ip_add(t, m, &who->ip, false))
        return m;
    if (m) {
        foreign_seen(inv, m, &who->ip);
        return proxy_new(inv, segment, s, who);
    }
    a = asset_new(inv, segment, s, who);
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
    return !m || assets_by_ip(&inv->assets, segment, &who->ip) || shares_subnet(m, &who->ip);
}

/* All hosts of a network; in a larger one than /24 a host may have such an address, and is known as
 * soon as it sends. */
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
    if (has_ip(who) && has_mac(who) && is_sender && !is_shared)
        return host_of_pair(inv, segment, s, who, is_arp);
    if (has_ip(who)) {
        struct asset *a = assets_by_ip(t, segment, &who->ip);
        if (a || is_network_broadcast(who))
            return a;
        struct endpoint ip_only = {.ip = who->ip};
        a = asset_new(inv, segment, s, &ip_only);
        asset_ip_add(t, a, &who->ip, false);
        return a;
    }
    if (!has_mac(who))
        return NULL;
    struct asset *m = assets_by_mac(t, segment, &who->mac);
    if (m)
        return m;
    struct endpoint mac_only = {.mac = who->mac};
    m = asset_new(inv, segment, s, &mac_only);
    asset_mac_add(t, m, &who->mac);
    return m;
}

struct asset *inventory_host_find(const struct inventory *inv, uint32_t segment,
                                  const struct endpoint *host)
{
    if (has_ip(host))
        return assets_by_ip(&inv->assets, segment, &host->ip);
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

void inventory_ip_moved(void *context, uint32_t segment, const struct address *ip,
                        const struct mac *mac)
{
    struct inventory *inv = context;
    struct asset *a = assets_by_ip(&inv->assets, segment, ip);
    struct asset *m = assets_by_mac(&inv->assets, segment, mac);
    if (!a || a == m)
        return;
    if (m) { /* a known device took the address */
        asset_ip_remove(&inv->assets, a, ip);
        asset_ip_add(&inv->assets, m, ip, true);
        return;
    }
    asset_mac_add(&inv->assets, a, mac); /* exchanged hardware */
    a->changed_ns = inv->now_ns;
}
