/* inventory_routers.c: what a MAC carries for others, and whose the MAC is then. */
#include "inventory_hosts.h"

#include <string.h>

enum { FOREIGN_MAX = 2 }; /* addresses of other subnets behind one MAC: a router */

bool inventory_is_link_local(const struct address *ip)
{
    return ip->kind == ADDRESS_IP6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool inventory_is_same_subnet(const struct address *a, const struct address *b)
{
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, a->kind == ADDRESS_IP4 ? 3 : 8) == 0;
}

bool inventory_shares_subnet(const struct asset *m, const struct address *ip)
{
    for (size_t i = 0; i < m->ip_count; i++)
        if (inventory_is_same_subnet(&m->ips[i], ip))
            return true;
    return false;
}

bool inventory_was_routed(const struct asset *m, const struct address *ip)
{
    bool has_others = false;
    for (size_t i = 0; i < m->ip_count; i++) {
        if (m->ips[i].kind != ip->kind || inventory_is_link_local(&m->ips[i]))
            continue;
        if (m->is_ip_confirmed[i] || inventory_is_same_subnet(&m->ips[i], ip))
            return false;
        has_others = true;
    }
    return has_others;
}

void inventory_became_router(struct inventory *inv, struct asset *m)
{
    m->flags |= ASSET_ROUTER;
    m->is_dirty = true;
    for (size_t i = 0; i < m->mac_count; i++)
        bindings_forget_routed(inv->bindings, m->segment, &m->macs[i]);
}

void inventory_give_mac(struct inventory *inv, struct asset *router, struct asset *m,
                        const struct mac *mac)
{
    asset_mac_remove(&inv->assets, m, mac);
    for (size_t i = m->ip_count; i-- > 0;) {
        struct address ip = m->ips[i];
        if (!inventory_is_link_local(&ip))
            continue;
        asset_ip_remove(&inv->assets, m, &ip);
        asset_ip_add(&inv->assets, router, &ip, false);
    }
    m->flags = (m->flags | ASSET_PROXY) & ~(uint32_t)ASSET_ROUTER;
    router->flags &= ~(uint32_t)ASSET_PROXY;
    router->foreign_count = m->foreign_count;
    m->foreign_count = 0;
    asset_mac_add(&inv->assets, router, mac);
}

/* m's first address came with its MAC and is in no network here: nobody with a MAC of his own has
 * an address beside it, and others have. (Of a single address behind the MAC only that of the
 * internet tells so much.) */
static bool is_first_routed(const struct inventory *inv, const struct asset *m)
{
    bool is_public = m->ip_count > 0, has_others = false;
    for (size_t i = 0; i < m->ip_count; i++) {
        if (m->is_ip_confirmed[i])
            return false;
        is_public &= address_is_public(&m->ips[i]);
    }
    if (m->mac_count == 0 || m->ip_count == 0 || (m->foreign_count < FOREIGN_MAX && !is_public))
        return false;
    for (size_t i = 0; i < inv->assets.count; i++) { /* once for a router, so rarely */
        const struct asset *b = &inv->assets.list[i];
        if (!b->is_used || b == m || b->segment != m->segment || b->mac_count == 0)
            continue;
        for (size_t j = 0; j < b->ip_count; j++) {
            if (inventory_shares_subnet(m, &b->ips[j]))
                return false;
            has_others |= !inventory_is_link_local(&b->ips[j]);
        }
    }
    return has_others;
}

void inventory_one_foreign(struct inventory *inv, struct asset *m)
{
    if (m->foreign_count < UINT8_MAX)
        m->foreign_count++;
    if (m->foreign_count >= FOREIGN_MAX && !(m->flags & ASSET_ROUTER))
        inventory_became_router(inv, m);
}

static void foreign_seen(struct inventory *inv, const struct sighting *s, struct asset *m,
                         const struct address *ip)
{
    if (m->ip_count == 0 || inventory_shares_subnet(m, ip))
        return;
    inventory_one_foreign(inv, m);
    if (!is_first_routed(inv, m))
        return;
    struct endpoint who = {.mac = m->macs[0]};
    struct asset *router = inventory_asset_new(inv, m->segment, s, &who);
    router->is_told = true; /* nothing new: it is known by what it carries */
    inventory_give_mac(inv, router, m, &who.mac);
    inventory_one_foreign(inv, router); /* m's */
}

struct asset *inventory_proxy_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who, struct asset *m)
{
    struct endpoint ip_only = {.ip = who->ip};
    foreign_seen(inv, s, m, &who->ip);
    struct asset *a = inventory_asset_new(inv, segment, s, &ip_only);
    asset_ip_add(&inv->assets, a, &who->ip, false);
    a->flags |= ASSET_PROXY;
    return a;
}

void inventory_not_foreign(struct asset *m)
{
    if (m->foreign_count > 0)
        m->foreign_count--;
    if (m->foreign_count < FOREIGN_MAX)
        m->flags &= ~(uint32_t)ASSET_ROUTER;
}
