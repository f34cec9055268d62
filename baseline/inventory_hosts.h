/* inventory_hosts.h: shared by the files that decide whose an address is: inventory_hosts.c,
 * inventory_routers.c, inventory_shared.c. */
#pragma once

#include "inventory_state.h"

/* A new device, which waits to be told; still without addresses. */
struct asset *inventory_asset_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who);

/* a and b turned out to be one device. */
struct asset *inventory_joined(struct inventory *inv, struct asset *a, struct asset *b);

/* --- inventory_routers.c: what is carried for others --- */

/* fe80::/10: never routed. */
bool inventory_is_link_local(const struct address *ip);
/* The netmask is not known: /24 and /64 are what plants use. */
bool inventory_is_same_subnet(const struct address *a, const struct address *b);
bool inventory_shares_subnet(const struct asset *m, const struct address *ip);
/* All that was seen with m's MAC before lies in another subnet than ip, which says by ARP that the
 * MAC is its own: it was routed. */
bool inventory_was_routed(const struct asset *m, const struct address *ip);
/* m's MAC is its router's, not its own. */
void inventory_give_mac(struct inventory *inv, struct asset *router, struct asset *m,
                        const struct mac *mac);
void inventory_became_router(struct inventory *inv, struct asset *m);
/* One more device is known to be behind m's MAC. */
void inventory_one_foreign(struct inventory *inv, struct asset *m);
/* m's MAC carries ip, which nobody had and which is not its own: a device behind it. */
struct asset *inventory_proxy_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who, struct asset *m);
/* ip, which was taken for one behind m's MAC, is m's own. */
void inventory_not_foreign(struct asset *m);

/* --- inventory_shared.c: addresses that several devices have --- */

/* m claims an address that a, which has another MAC, has: both have it from now on, but for who
 * only poses as others. Returns whose sighting this is. */
struct asset *inventory_ip_claimed(struct inventory *inv, struct asset *a, struct asset *m,
                                   const struct endpoint *who, int64_t time_ns);
/* A packet with a's address came from another MAC: is that a claim, although nobody said so by ARP?
 * It is when a has not used the address itself for long. */
bool inventory_is_abandoned(const struct inventory *inv, const struct asset *a,
                            const struct address *ip, int64_t time_ns);
/* Several addresses of a's are used by others, each by another: a only poses as them, and they get
 * their addresses. */
bool inventory_is_unmasked(struct inventory *inv, struct asset *a, int64_t time_ns);
/* m has another address. What it had of others, who go on using it, is theirs. */
void inventory_give_back(struct inventory *inv, struct asset *m, int64_t time_ns);
/* Makes room for ip among m's addresses where hosts change them by design: those of IPv6. */
void inventory_make_room(struct inventory *inv, struct asset *m, const struct address *ip);
