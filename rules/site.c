/* site.c: looks hosts, protocols and times up in a compiled policy. */
#include "rules/site.h"

#include "rules/site_model.h"
#include "sensor/base/packet.h"
#include "sensor/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECOND_NS INT64_C(1000000000)

enum { DAY_S = 86400 };

struct site *site_new(struct error *err)
{
    struct site *site = calloc(1, sizeof *site);
    if (site)
        atomic_init(&site->references, 1);
    else
        error_set(err, "out of memory for the site policy");
    return site;
}

struct site *site_retain(struct site *site)
{
    atomic_fetch_add(&site->references, 1);
    return site;
}

void site_release(struct site *site)
{
    if (!site || atomic_fetch_sub(&site->references, 1) > 1)
        return;
    for (uint32_t i = 0; i < site->clock_count; i++)
        local_time_destroy(site->clocks[i]);
    free(site);
}

bool site_is_declared(const struct site *site)
{
    return site->is_declared;
}

uint64_t site_fingerprint(const struct site *site)
{
    return site->fingerprint;
}

/* --- the index --- */

static int net_order(const void *a, const void *b)
{
    const struct site_net *x = a, *y = b;
    if (x->base.kind != y->base.kind)
        return x->base.kind < y->base.kind ? -1 : 1;
    if (x->bits != y->bits)
        return x->bits > y->bits ? -1 : 1;
    return memcmp(x->base.bytes, y->base.bytes, sizeof x->base.bytes);
}

static int mac_order(const void *a, const void *b)
{
    const struct site_mac *x = a, *y = b;
    return memcmp(&x->mac, &y->mac, sizeof x->mac);
}

static bool fail_overlap(const struct site *site, const char *file, const char *what, uint32_t line,
                         int16_t zone, int16_t other, uint32_t other_line, struct error *err)
{
    uint32_t later = line > other_line ? line : other_line;
    uint32_t earlier = line > other_line ? other_line : line;
    return error_set(err, "%s:%u: policy key `zones`: %s is in zone %s and in zone %s (line %u)",
                     file, later, what, site->zones[line > other_line ? zone : other].name,
                     site->zones[line > other_line ? other : zone].name, earlier);
}

static bool check_overlaps(const struct site *site, const char *file, struct error *err)
{
    char text[ADDRESS_TEXT_SIZE + 8], address[ADDRESS_TEXT_SIZE];
    for (uint32_t i = 1; i < site->net_count; i++) {
        const struct site_net *a = &site->nets[i - 1], *b = &site->nets[i];
        if (net_order(a, b) != 0 || a->zone == b->zone)
            continue;
        text_format(text, sizeof text, "%s/%u", address_print(address, &a->base), a->bits);
        return fail_overlap(site, file, text, a->line, a->zone, b->zone, b->line, err);
    }
    for (uint32_t i = 1; i < site->mac_count; i++) {
        const struct site_mac *a = &site->macs[i - 1], *b = &site->macs[i];
        if (!mac_equal(&a->mac, &b->mac) || a->zone == b->zone)
            continue;
        return fail_overlap(site, file, mac_print(text, &a->mac), a->line, a->zone, b->zone,
                            b->line, err);
    }
    return true;
}

bool site_index(struct site *site, const char *file, struct error *err)
{
    qsort(site->nets, site->net_count, sizeof *site->nets, net_order);
    qsort(site->macs, site->mac_count, sizeof *site->macs, mac_order);
    for (uint32_t i = 0; i < site->net_count; i++) {
        const struct site_net *net = &site->nets[i];
        uint8_t *lengths = net->base.kind == ADDRESS_IP4 ? site->lengths4 : site->lengths6;
        if (lengths[0] == 0 || lengths[lengths[0]] != net->bits)
            lengths[++lengths[0]] = net->bits;
    }
    return check_overlaps(site, file, err);
}

/* --- hosts --- */

static struct address masked(const struct address *a, unsigned bits)
{
    struct address m = *a;
    for (unsigned i = 0; i < sizeof m.bytes; i++) {
        if (bits >= 8)
            bits -= 8;
        else {
            m.bytes[i] &= (uint8_t)(0xff00u >> bits);
            bits = 0;
        }
    }
    return m;
}

static const struct site_net *net_of(const struct site *site, const struct address *ip)
{
    const uint8_t *lengths = ip->kind == ADDRESS_IP4 ? site->lengths4 : site->lengths6;
    for (unsigned i = 1; ip->kind != ADDRESS_NONE && i <= lengths[0]; i++) {
        struct site_net key = {.base = masked(ip, lengths[i]), .bits = lengths[i]};
        const struct site_net *net =
            bsearch(&key, site->nets, site->net_count, sizeof key, net_order);
        if (net)
            return net;
    }
    return NULL;
}

static const struct site_mac *mac_of(const struct site *site, const struct mac *mac)
{
    if (site->mac_count == 0 || mac_is_zero(mac))
        return NULL;
    struct site_mac key = {.mac = *mac};
    return bsearch(&key, site->macs, site->mac_count, sizeof key, mac_order);
}

struct site_host site_host(const struct site *site, const struct endpoint *endpoint, uint16_t vlan)
{
    struct site_host h = {.endpoint = endpoint, .zone = NO_ZONE};
    const struct site_net *net = net_of(site, &endpoint->ip);
    /* the whole internet as a zone stays the internet */
    bool is_public = address_is_public(&endpoint->ip);
    h.is_internet = is_public && (!net || net->bits == 0);
    if (net) {
        h.zone = net->zone;
        return h;
    }
    if (is_public) /* behind a router: the MAC and the VLAN are the router's */
        return h;
    const struct site_mac *mac = mac_of(site, &endpoint->mac);
    if (mac)
        h.zone = mac->zone;
    else if (vlan < SITE_VLANS)
        h.zone = (int16_t)(site->vlans[vlan] - 1);
    return h;
}

static bool item_has(const struct site_item *item, const struct site_host *host)
{
    switch ((enum item_kind)item->kind) {
    case ITEM_ANY:
        return true;
    case ITEM_INTERNET:
        return host->is_internet;
    case ITEM_ZONE:
        return host->zone == (int16_t)item->zone;
    case ITEM_MAC:
        return mac_equal(&item->mac, &host->endpoint->mac);
    case ITEM_SUBNET: {
        if (host->endpoint->ip.kind != item->base.kind)
            return false;
        struct address base = masked(&host->endpoint->ip, item->bits);
        return address_equal(&base, &item->base);
    }
    }
    return false;
}

bool site_hosts_have(const struct site *site, const struct site_hosts *hosts,
                     const struct site_host *host)
{
    for (uint32_t i = 0; i < hosts->count; i++)
        if (item_has(&site->items[hosts->first + i], host))
            return true;
    return false;
}

bool site_is_engineering(const struct site *site, const struct endpoint *endpoint)
{
    if (site->engineering.count == 0)
        return false;
    struct site_host host = site_host(site, endpoint, VLAN_NONE);
    return site_hosts_have(site, &site->engineering, &host);
}

bool site_place(const struct site *site, const struct endpoint *endpoint, uint16_t vlan,
                struct site_place *place)
{
    memset(place, 0, sizeof *place);
    place->level = LEVEL_UNKNOWN;
    struct site_host host = site_host(site, endpoint, vlan);
    if (host.zone != NO_ZONE) {
        text_copy(place->zone, sizeof place->zone, text_of(site->zones[host.zone].name));
        place->level = site->zones[host.zone].level;
    }
    place->is_engineering = site_hosts_have(site, &site->engineering, &host);
    place->is_critical = site_hosts_have(site, &site->critical, &host);
    for (uint32_t i = 0; i < site->safety_count && !place->is_safety; i++)
        place->is_safety = site_hosts_have(site, &site->safety[i].hosts, &host);
    return host.zone != NO_ZONE || place->is_engineering || place->is_critical || place->is_safety;
}

/* Protocols that are spoken inside another one: allowing either allows the other to carry it. */
static const struct {
    const char *inner, *carrier;
} carried[] = {
    {"cip",   "enip"  },
    {"cipio", "enip"  },
    {"pccc",  "cip"   },
    {"pccc",  "csp"   },
    {"umas",  "modbus"},
};

static bool is_inside(const char *inner, const char *carrier, int depth)
{
    if (strcasecmp(inner, carrier) == 0)
        return true;
    for (size_t i = 0; depth > 0 && i < sizeof carried / sizeof *carried; i++)
        if (strcasecmp(carried[i].inner, inner) == 0 &&
            is_inside(carried[i].carrier, carrier, depth - 1))
            return true;
    return false;
}

bool site_protocols_have(const struct site *site, const struct site_protocols *protocols,
                         const char *name, uint8_t transport, uint16_t port)
{
    if (protocols->count == 0)
        return true;
    for (uint32_t i = 0; i < protocols->count; i++) {
        const struct site_protocol *p = &site->protocols[protocols->first + i];
        if (p->name[0] ? name && (is_inside(name, p->name, 2) || is_inside(p->name, name, 2))
                       : p->transport == transport && p->port == port)
            return true;
    }
    return false;
}

/* --- times --- */

/* The occurrence that began on this local day, if the time lies in it. */
static bool occurrence(const struct site_schedule *s, const struct local_time *clock, int64_t day,
                       int64_t local_s, int64_t *start_ns, int64_t *end_ns)
{
    if (!(s->days >> local_time_weekday(day) & 1))
        return false;
    int64_t start = day * DAY_S + s->begin_s;
    int64_t end = day * DAY_S + s->stop_s + (s->stop_s <= s->begin_s ? DAY_S : 0);
    if (local_s < start || local_s >= end)
        return false;
    *start_ns = local_time_to_utc(clock, start) * SECOND_NS;
    *end_ns = local_time_to_utc(clock, end) * SECOND_NS;
    return true;
}

bool site_schedule_holds(const struct site *site, const struct site_schedule *s, int64_t time_ns,
                         int64_t *start_ns, int64_t *end_ns)
{
    int64_t start = INT64_MIN, end = INT64_MAX;
    if (s->clock != NO_CLOCK) {
        if (time_ns < s->start_ns || (s->end_ns && time_ns >= s->end_ns))
            return false;
        start = s->start_ns;
        end = s->end_ns ? s->end_ns : INT64_MAX;
    }
    if (s->clock != NO_CLOCK && s->days) {
        const struct local_time *clock = site->clocks[s->clock];
        int64_t utc_s = time_ns / SECOND_NS - (time_ns % SECOND_NS < 0);
        int64_t local_s = local_time_of(clock, utc_s);
        int64_t day = local_s / DAY_S - (local_s % DAY_S < 0);
        int64_t from, to;
        if (!occurrence(s, clock, day, local_s, &from, &to) &&
            !occurrence(s, clock, day - 1, local_s, &from, &to)) /* past midnight */
            return false;
        start = from > start ? from : start;
        end = to < end ? to : end;
    }
    if (start_ns)
        *start_ns = start;
    if (end_ns)
        *end_ns = end;
    return true;
}
