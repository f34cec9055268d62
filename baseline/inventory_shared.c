/* inventory_shared.c: addresses that several devices have: one replaced the other, cells that are
 * not told apart reuse them, or somebody poses as others. Devices are never joined for an address
 * that both have. */
#include "inventory_hosts.h"

#include <string.h>

static const int64_t IN_USE_NS = 300 * 1000000000ll; /* hosts are sighted once a minute */
static const int64_t EXCHANGE_NS =
    60 * 1000000000ll; /* who came later than that was not put in the other's place */
static const int64_t UNUSED_NS = 900 * 1000000000ll;

/* When a used the address last, from a MAC of its own; INT64_MIN: never. */
static int64_t last_used(const struct inventory *inv, const struct asset *a,
                         const struct address *ip)
{
    const struct binding_entry *e = bindings_find(inv->bindings, a->segment, ip);
    int64_t last_ns = INT64_MIN;
    for (size_t i = 0; e && i < e->count; i++)
        if (asset_has_mac(a, &e->macs[i].mac) && e->macs[i].last_ns > last_ns)
            last_ns = e->macs[i].last_ns;
    return last_ns;
}

static bool is_in_use(const struct inventory *inv, const struct asset *a, const struct address *ip,
                      int64_t time_ns)
{
    return last_used(inv, a, ip) > time_ns - IN_USE_NS;
}

bool inventory_is_abandoned(const struct inventory *inv, const struct asset *a,
                            const struct address *ip, int64_t time_ns)
{
    int64_t last_ns = last_used(inv, a, ip);
    return last_ns != INT64_MIN && last_ns <= time_ns - IN_USE_NS;
}

/* Addresses of a's, in ip's subnet or anywhere. */
static size_t alike(const struct asset *a, const struct address *ip, bool is_anywhere)
{
    size_t count = 0;
    for (size_t i = 0; i < a->ip_count; i++)
        count += a->ips[i].kind == ip->kind && !inventory_is_link_local(&a->ips[i]) &&
                 (is_anywhere || inventory_is_same_subnet(&a->ips[i], ip));
    return count;
}

/* Of two that use an address it is that one's which has no other; one of a pair of servers has one
 * of its own, too. */
static bool is_others(const struct asset *m, const struct asset *other, const struct address *ip)
{
    if (other->flags & ASSET_POSES)
        return false;
    for (int is_anywhere = 0; is_anywhere < 2; is_anywhere++)
        if (alike(other, ip, is_anywhere) == 1 &&
            (alike(m, ip, is_anywhere) > 1 || (m->flags & ASSET_POSES)))
            return true;
    return false;
}

void inventory_give_back(struct inventory *inv, struct asset *m, int64_t time_ns)
{
    for (size_t i = m->ip_count; i-- > 0;) {
        struct address ip = m->ips[i];
        const struct asset *other = assets_sharing_ip(&inv->assets, m, &ip);
        if (!other || other->mac_count == 0 || !is_in_use(inv, other, &ip, time_ns) ||
            !is_others(m, other, &ip))
            continue;
        asset_ip_remove(&inv->assets, m, &ip);
        m->flags |= ASSET_POSES;
    }
}

struct asset *inventory_ip_claimed(struct inventory *inv, struct asset *a, struct asset *m,
                                   const struct endpoint *who, int64_t time_ns)
{
    if ((m->flags & ASSET_POSES) && is_in_use(inv, a, &who->ip, time_ns))
        return m;
    inventory_make_room(inv, m, &who->ip);
    if (!asset_ip_add(&inv->assets, m, &who->ip, true))
        return m;
    inventory_give_back(inv, m, time_ns);
    inventory_give_back(inv, a, time_ns);
    return m;
}

/* The MAC of another device that uses an address of a's; NULL: none does. */
static const struct mac *other_user(const struct inventory *inv, const struct asset *a,
                                    const struct address *ip, int64_t time_ns)
{
    const struct binding_entry *e = bindings_find(inv->bindings, a->segment, ip);
    for (size_t i = 0; e && i < e->count; i++)
        if (!asset_has_mac(a, &e->macs[i].mac) && e->macs[i].last_ns > time_ns - IN_USE_NS)
            return &e->macs[i].mac;
    return NULL;
}

bool inventory_is_unmasked(struct inventory *inv, struct asset *a, int64_t time_ns)
{
    const struct mac *first = NULL;
    bool has_several = false;
    for (size_t i = 0; i < a->ip_count; i++) {
        const struct mac *mac = other_user(inv, a, &a->ips[i], time_ns);
        has_several |= first && mac && !mac_equal(first, mac);
        first = mac ? mac : first;
    }
    if (!has_several)
        return false;
    a->flags |= ASSET_POSES;
    for (size_t i = a->ip_count; i-- > 0;) {
        struct address ip = a->ips[i];
        const struct mac *mac = other_user(inv, a, &ip, time_ns);
        struct asset *owner = mac ? assets_by_mac(&inv->assets, a->segment, mac) : NULL;
        if (owner && asset_ip_add(&inv->assets, owner, &ip, false))
            asset_ip_remove(&inv->assets, a, &ip);
    }
    return true;
}

void inventory_make_room(struct inventory *inv, struct asset *m, const struct address *ip)
{
    if (m->ip_count < ASSET_IPS_MAX || ip->kind != ADDRESS_IP6)
        return;
    for (size_t i = 1; i < m->ip_count; i++) { /* the oldest but for the primary one */
        struct address old = m->ips[i];
        if (old.kind != ip->kind || inventory_is_link_local(&old))
            continue;
        asset_ip_remove(&inv->assets, m, &old);
        return;
    }
}

struct asset *inventory_ip_leased(struct inventory *inv, uint32_t segment, struct asset *a,
                                  const struct endpoint *client, int64_t time_ns)
{
    bindings_lease(inv->bindings, segment, client, time_ns);
    struct asset *m = assets_by_mac(&inv->assets, segment, &client->mac);
    if (!m)
        return a;
    struct asset *other = assets_by_ip(&inv->assets, segment, &client->ip, &client->mac);
    if (other && other != m && other->mac_count == 0) { /* known as whom somebody sent to */
        m = inventory_joined(inv, m, other);
        a = m;
    } else if (other && other != m && !is_in_use(inv, other, &client->ip, time_ns)) {
        asset_ip_remove(&inv->assets, other, &client->ip);
    }
    if (asset_ip_add(&inv->assets, m, &client->ip, false))
        asset_ip_prefer(m, &client->ip);
    return a;
}

void inventory_ip_moved(void *context, uint32_t segment, const struct address *ip,
                        const struct mac *mac)
{
    struct inventory *inv = context;
    struct asset *m = assets_by_mac(&inv->assets, segment, mac);
    if (!m)
        return; /* made room for others since */
    m->flags &= ~(uint32_t)ASSET_POSES;
    struct asset *a = assets_sharing_ip(&inv->assets, m, ip);
    const struct binding_entry *e = bindings_find(inv->bindings, segment, ip);
    int64_t claimed_ns = e ? e->contested_ns : inv->now_ns;
    if (a && claimed_ns - m->first_ns > EXCHANGE_NS) /* a known device took the address */
        asset_ip_remove(&inv->assets, a, ip);
    asset_ip_add(&inv->assets, m, ip, true);
}

void inventory_addresses_age(struct inventory *inv, struct asset *a, int64_t time_ns)
{
    if (a->ip_count < 2 || a->mac_count == 0 || a->ips[0].kind != ADDRESS_IP4 ||
        last_used(inv, a, &a->ips[0]) > time_ns - UNUSED_NS)
        return;
    for (size_t i = 1; i < a->ip_count; i++) {
        struct address ip = a->ips[i];
        if (inventory_is_same_subnet(&ip, &a->ips[0]) && is_in_use(inv, a, &ip, time_ns)) {
            asset_ip_prefer(a, &ip);
            return;
        }
    }
}
