/* inventory.c: from sightings to devices, and what is new about them.
 *
 * Which address belongs to which device:
 *   - a MAC without IP, and an IP without MAC, are devices of their own until a packet joins them;
 *   - a device owns an IP when it says so by ARP, or when it is the only IP ever seen with its MAC;
 *   - other IPs behind a MAC are devices of their own: they may be routed. Addresses of several
 * other subnets make the MAC a router's. */
#include "asset_join.h"
#include "inventory_state.h"
#include "names.h"
#include "presence.h"

#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FOREIGN_MAX = 2,           /* addresses of other subnets behind one MAC: a router */
    PROXY_MAX = 5,             /* addresses claimed by ARP by one MAC: proxy ARP */
    EPHEMERAL_PORT = 32768,    /* Linux's first; IANA's is 49152 (RFC 6335) */
    OLD_EPHEMERAL_PORT = 1024, /* of old Windows: up to 5000 */
    OLD_EPHEMERAL_LAST = 5000,
    PORT_FTP_DATA = 20,
    PORT_FTP = 21,
    PORT_TFTP = 69,
    PORT_RPC = 135,
};

static const int64_t PENDING_NS =
    2 * 1000000000ll; /* long enough for a handshake and a first answer */
static const int64_t SERVICES_NS =
    600 * 1000000000ll; /* a new device's services belong to its newness */
static const int64_t FACT_BURST_NS =
    2 * 1000000000ll; /* one reply may tell several values of a kind */
static const int64_t PROGRAMMING_NS =
    86400 * 1000000000ll; /* after a download that was seen, another program is what it did */
static const int64_t UNIT_AGAIN_NS = 60 * 1000000000ll;
static const int64_t LOOK_NS = 60 * 1000000000ll;     /* for lost devices */
static const int64_t PRESENT_NS = 90 * 1000000000ll;  /* hosts are sighted once a minute */
static const int64_t TICK_MAX_NS = 60 * 1000000000ll; /* a longer gap was not observed */

/* --- life --- */

static struct scan_habit *habit_of(void *context, uint32_t segment, const struct endpoint *source);

struct inventory *inventory_create(const struct inventory_options *options,
                                   const struct finding_sink *sink)
{
    struct inventory *inv = calloc(1, sizeof *inv);
    if (!inv)
        return NULL;
    inv->options = *options;
    inv->sink = sink;
    struct scan_options scan = {
        .habit = habit_of, .is_learning = options->mode == MODE_LEARN, .context = inv};
    inv->scans = scans_create(&scan, sink);
    inv->floods = floods_create(sink);
    inv->infrastructure = infrastructure_create(sink);
    inv->masters = masters_create(sink);
    inv->described = calloc(DESCRIBED, sizeof *inv->described);
    inv->bindings = bindings_create(options->assets_max, sink);
    if (!inv->scans || !inv->floods || !inv->infrastructure || !inv->masters || !inv->bindings ||
        !inv->described || !assets_create(&inv->assets, options->assets_max)) {
        inventory_destroy(inv);
        return NULL;
    }
    return inv;
}

void inventory_destroy(struct inventory *inv)
{
    if (!inv)
        return;
    scans_destroy(inv->scans);
    floods_destroy(inv->floods);
    infrastructure_destroy(inv->infrastructure);
    masters_destroy(inv->masters);
    bindings_destroy(inv->bindings);
    assets_destroy(&inv->assets);
    free(inv->described);
    free(inv);
}

void inventory_counts(const struct inventory *inv, struct inventory_counts *counts)
{
    *counts = (struct inventory_counts){
        .assets = inv->assets.live,
        .assets_evicted = inv->assets.evicted,
        .bindings_evicted = bindings_evicted(inv->bindings),
        .scan_sources_evicted = scans_evicted(inv->scans),
        .infrastructure_evicted = infrastructure_evicted(inv->infrastructure),
        .services_full = inv->assets.services_full,
        .facts_full = inv->assets.facts_full,
    };
}

/* --- segments --- */

uint32_t inventory_segment_named(struct inventory *inv, const char *name)
{
    for (size_t i = 0; i < inv->segment_count; i++)
        if (strcmp(inv->segments[i].name, name) == 0)
            return (uint32_t)i;
    if (inv->segment_count == SEGMENTS_MAX)
        return SEGMENTS_MAX - 1;
    struct inventory_segment *segment = &inv->segments[inv->segment_count];
    *segment = (struct inventory_segment){.is_dirty = true};
    text_copy(segment->name, sizeof segment->name, text_of(name));
    return (uint32_t)inv->segment_count++;
}

void inventory_each_segment(const struct inventory *inv,
                            void (*take)(void *context, uint32_t number, const char *name),
                            void *context)
{
    for (size_t i = 0; i < inv->segment_count; i++)
        if (inv->segments[i].has_number)
            take(context, inv->segments[i].number, inv->segments[i].name);
}

static uint32_t segment_find(const struct inventory *inv, uint32_t number)
{
    for (size_t i = 0; i < inv->segment_count; i++)
        if (inv->segments[i].has_number && inv->segments[i].number == number)
            return (uint32_t)i;
    return INDEX_NONE;
}

static uint32_t segment_of(struct inventory *inv, uint32_t number)
{
    uint32_t at = segment_find(inv, number);
    if (at != INDEX_NONE)
        return at;
    char made[SEGMENT_NAME_SIZE];
    const char *name =
        inv->options.segment_name ? inv->options.segment_name(inv->options.context, number) : NULL;
    if (!name && number == 0)
        name = "default";
    else if (!name)
        name = text_format(made, sizeof made, "segment %u", number);
    at = inventory_segment_named(inv, name);
    inv->segments[at].number = number;
    inv->segments[at].has_number = true;
    inv->segments[at].is_dirty = true;
    return at;
}

/* Nothing new is told: it is learned. */
static bool is_silent(const struct inventory *inv, uint32_t segment)
{
    if (inv->options.mode == MODE_AUTO)
        return !inv->segments[segment].is_settled;
    return inv->options.mode == MODE_LEARN;
}

static void something_new(struct inventory *inv, uint32_t segment)
{
    inv->segments[segment].quiet_ns = 0;
    inv->segments[segment].is_dirty = true;
}

static void segment_tick(struct inventory *inv, struct inventory_segment *segment, int64_t time_ns,
                         int64_t passed_ns)
{
    if (segment->seen_ns == 0 || time_ns - segment->seen_ns > PRESENT_NS)
        return;
    segment->observed_ns += passed_ns;
    segment->quiet_ns += passed_ns;
    segment->is_dirty = true;
    if (inv->options.mode == MODE_AUTO && segment->observed_ns >= inv->options.settle_min_ns &&
        segment->quiet_ns >= inv->options.settle_min_ns / 2)
        segment->is_settled = true;
}

/* --- findings --- */

static const char *when(char out[TIME_TEXT_SIZE], int64_t time_ns)
{
    time_print(out, time_ns);
    out[16] = 'Z'; /* minutes are enough for people */
    out[17] = '\0';
    return out;
}

static struct endpoint endpoint_of(const struct asset *a)
{
    struct endpoint e = {0};
    if (a->ip_count > 0)
        e.ip = a->ips[0];
    if (a->mac_count > 0)
        e.mac = a->macs[0];
    return e;
}

static void finding_start(const struct inventory *inv, struct finding *f, enum detection detection,
                          const struct asset *a, const struct sighting *s)
{
    memset(f, 0, sizeof *f);
    f->detection = detection;
    f->time_ns = s ? s->time_ns : a->first_ns;
    f->segment = inv->segments[a->segment].number;
    f->actor = endpoint_of(a);
    if (!s)
        return;
    f->packet_number = s->packet_number;
    f->source_index = s->source_index;
    memcpy(f->protocol, s->protocol, sizeof f->protocol);
    f->protocol[sizeof f->protocol - 1] = '\0';
    f->transport = s->transport;
    f->operation = s->operation;
}

static void print_addresses(const struct asset *a, char *out, size_t capacity)
{
    char ip[ADDRESS_TEXT_SIZE] = "", mac[MAC_TEXT_SIZE] = "";
    if (a->ip_count > 0)
        address_print(ip, &a->ips[0]);
    if (a->mac_count > 0)
        mac_print(mac, &a->macs[0]);
    text_format(out, capacity, "%s%s%s", ip, ip[0] && mac[0] ? " at " : "", mac);
}

/* "modbus, enip" */
static void print_served(const struct assets *t, const struct asset *a, bool only_plant, char *out,
                         size_t capacity)
{
    out[0] = '\0';
    for (size_t i = 0; i < a->protocol_count; i++) {
        const char *name = assets_protocol_name(t, a->protocols[i].name);
        size_t used = strlen(out);
        if (a->protocols[i].is_served && (!only_plant || asset_protocol_kind(name)))
            text_format(out + used, capacity - used, "%s%s", used ? ", " : "", name);
    }
}

/* A host of the internet, reached through a router: in no monitored zone. (Plants that use public
 * addresses inside have them on their own MACs.) */
static bool is_far_away(const struct asset *a)
{
    return a->ip_count > 0 && (a->flags & ASSET_PROXY) && address_is_public(&a->ips[0]);
}

/* A new device, as it is known by now. */
static void tell_new(struct inventory *inv, struct asset *a)
{
    bool is_controller = (a->flags & ASSET_CONTROLLER) != 0;
    if (is_far_away(a) && !is_controller) {
        a->is_told = true;
        return;
    }
    struct finding f;
    finding_start(inv, &f, is_controller ? DETECTION_ASSET_NEW_CONTROLLER : DETECTION_ASSET_NEW, a,
                  NULL);
    f.packet_number = a->first_packet;
    f.source_index = a->first_source;
    char served[80], addresses[96];
    print_served(&inv->assets, a, true, served, sizeof served);
    print_addresses(a, addresses, sizeof addresses);
    if (is_controller)
        text_format(f.what, sizeof f.what, "is a new controller or I/O device: it answers %s",
                    served);
    else
        text_format(f.what, sizeof f.what, "has appeared on the network for the first time");
    text_format(f.expected, sizeof f.expected, "only devices that were seen while learning");
    text_format(f.seen, sizeof f.seen, "%s%s%s", addresses, served[0] ? ", serves " : "", served);
    inv->sink->finding(inv->sink->context, &f);
    a->is_told = true;
}

static void tell_engineering(struct inventory *inv, struct asset *a, const struct sighting *s)
{
    struct finding f;
    finding_start(inv, &f, DETECTION_ASSET_NEW_ENGINEERING_ACTOR, a, s);
    f.has_target = true;
    f.target = s->other;
    f.flags = a->is_new ? FINDING_ACTOR_NEW : 0;
    char since[TIME_TEXT_SIZE];
    text_format(f.what, sizeof f.what,
                "acts as an engineering station for the first time: it %s %%T",
                operation_words(s->operation));
    if (a->is_new)
        text_format(f.expected, sizeof f.expected, "a device that was not known before now");
    else
        text_format(f.expected, sizeof f.expected,
                    "no engineering action by this device, known since %s",
                    when(since, a->first_ns));
    text_format(f.seen, sizeof f.seen, "%s", operation_name(s->operation));
    inv->sink->finding(inv->sink->context, &f);
    a->is_told = true;
}

static const char *transport_name(uint8_t transport)
{
    return transport == TRANSPORT_TCP ? "TCP" : transport == TRANSPORT_UDP ? "UDP" : "protocol";
}

static void tell_service(struct inventory *inv, struct asset *a,
                         const struct asset_service *service, const struct sighting *s,
                         const struct endpoint *client)
{
    struct finding f;
    finding_start(inv, &f, DETECTION_COMM_NEW_SERVICE, a, s);
    f.actor.port = service->port;
    char user[ADDRESS_TEXT_SIZE], since[TIME_TEXT_SIZE];
    address_print(user, &client->ip);
    const char *transport = transport_name(service->transport);
    text_format(f.what, sizeof f.what, "offers a new service on %s port %u, first used by %s",
                transport, service->port, user);
    text_format(f.seen, sizeof f.seen, "%s port %u answers", transport, service->port);
    when(since, a->first_ns);
    size_t used = strlen(text_format(f.expected, sizeof f.expected, "since %s only", since));
    size_t known = 0;
    for (uint32_t i = a->first_service; i != INDEX_NONE; i = inv->assets.services[i].next) {
        const struct asset_service *other = &inv->assets.services[i];
        if (other == service || !(other->flags & SERVICE_ANSWERED))
            continue;
        if (known++ < 12)
            used += strlen(text_format(f.expected + used, sizeof f.expected - used, "%s %s %u",
                                       known > 1 ? "," : "", transport_name(other->transport),
                                       other->port));
    }
    if (known == 0)
        text_format(f.expected, sizeof f.expected, "no service of this device since %s", since);
    text_format(f.key, sizeof f.key, "%s %u", transport, service->port);
    inv->sink->finding(inv->sink->context, &f);
}

/* The program of a controller is another one, and nobody was seen to change it. */
static void tell_program(struct inventory *inv, const struct asset *a, const struct sighting *s,
                         const struct asset_fact *old)
{
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_PLC_PROGRAM_CHANGE_OBSERVED, a, s);
    text_format(f.what, sizeof f.what,
                "runs another program than before%s%.40s: %.60s, and no download was seen",
                s->unit[0] ? " in " : "", s->unit, s->text);
    text_format(f.expected, sizeof f.expected, "%.100s, since %s, told %llu time%s", old->text,
                when(since, old->first_ns), (unsigned long long)old->count,
                old->count == 1 ? "" : "s");
    text_format(f.seen, sizeof f.seen, "%s", s->text);
    text_format(f.key, sizeof f.key, "program %s", s->unit);
    text_format(f.object, sizeof f.object, "%s", s->unit[0] ? s->unit : "program");
    inv->sink->finding(inv->sink->context, &f);
}

static bool is_program(unsigned fact)
{
    return fact == FACT_PROGRAM || fact == FACT_PROGRAM_VERSION;
}

/* A module in a slot of the rack that the device stands in: the last step of a CIP route through
 * the backplane, which is port 1. The device itself can be reached so, too. */
static bool is_module(const struct inventory *inv, const struct asset *a, const struct sighting *s,
                      const struct asset_fact *old)
{
    const char *slash = strrchr(s->unit, '/');
    if (strcmp(s->protocol, "cip") != 0 || !slash || slash == s->unit || slash[-1] != '1' ||
        (slash - s->unit > 1 && slash[-2] != '/'))
        return false;
    const struct asset_fact *own = asset_fact_best(&inv->assets, a, s->fact);
    return !own || own->unit[0] != '\0' ||
           (strcmp(own->text, old->text) != 0 && strcmp(own->text, s->text) != 0);
}

static void tell_module(struct inventory *inv, const struct asset *a, const struct sighting *s,
                        const struct asset_fact *old)
{
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_ASSET_MODULE_CHANGED, a, s);
    text_format(f.what, sizeof f.what, "has another module at %.40s: %s %.60s, before %.60s",
                s->unit, fact_name(s->fact), s->text, old->text);
    text_format(f.expected, sizeof f.expected, "%s \"%s\", since %s, told %llu time%s",
                fact_name(s->fact), old->text, when(since, old->first_ns),
                (unsigned long long)old->count, old->count == 1 ? "" : "s");
    text_format(f.seen, sizeof f.seen, "%s \"%s\"", fact_name(s->fact), s->text);
    text_format(f.key, sizeof f.key, "module %s", s->unit);
    text_format(f.object, sizeof f.object, "%s", s->unit);
    inv->sink->finding(inv->sink->context, &f);
}

static void tell_fact(struct inventory *inv, const struct asset *a, const struct sighting *s,
                      const struct asset_fact *old)
{
    if (is_program(s->fact)) {
        bool is_ordered = a->program_ns && s->time_ns - a->program_ns < PROGRAMMING_NS;
        if (!is_ordered)
            tell_program(inv, a, s, old);
        return;
    }
    bool is_firmware = s->fact == FACT_FIRMWARE || s->fact == FACT_SOFTWARE;
    if (!is_firmware && is_module(inv, a, s, old)) {
        tell_module(inv, a, s, old);
        return;
    }
    enum detection detection =
        is_firmware ? DETECTION_ASSET_FIRMWARE_CHANGED : DETECTION_ASSET_IDENTITY_CHANGED;
    struct finding f;
    finding_start(inv, &f, detection, a, s);
    char since[TIME_TEXT_SIZE], unit[ASSET_UNIT_TEXT + 8] = "";
    if (s->unit[0] != '\0')
        text_format(unit, sizeof unit, " (unit %s)", s->unit);
    if (is_firmware)
        text_format(f.what, sizeof f.what, "tells another %s%s than before: %.60s, not %.60s",
                    fact_name(s->fact), unit, s->text, old->text);
    else
        text_format(f.what, sizeof f.what,
                    "says that it is another device%s: %s %.60s, before %.60s", unit,
                    fact_name(s->fact), s->text, old->text);
    text_format(f.expected, sizeof f.expected, "%s \"%s\", since %s, told %llu time%s",
                fact_name(s->fact), old->text, when(since, old->first_ns),
                (unsigned long long)old->count, old->count == 1 ? "" : "s");
    text_format(f.seen, sizeof f.seen, "%s \"%s\"", fact_name(s->fact), s->text);
    text_format(f.key, sizeof f.key, "unit %s", s->unit);
    text_format(f.object, sizeof f.object, "%s", fact_name(s->fact));
    inv->sink->finding(inv->sink->context, &f);
}

/* A name that is another's already. */
static void tell_name(struct inventory *inv, const struct asset *a, const struct sighting *s)
{
    enum detection detection;
    const struct asset *other = names_other(&inv->assets, a, s, &detection);
    if (!other)
        return;
    struct finding f;
    char addresses[96], since[TIME_TEXT_SIZE];
    finding_start(inv, &f, detection, a, s);
    f.has_target = true;
    f.target = endpoint_of(other);
    print_addresses(other, addresses, sizeof addresses);
    if (detection == DETECTION_ASSET_MULTI_HOMED)
        text_format(f.what, sizeof f.what, "has the name of %%T in another segment: %.60s",
                    s->text);
    else
        text_format(f.what, sizeof f.what, "uses the name of %%T: %.60s", s->text);
    text_format(f.expected, sizeof f.expected, "\"%.60s\" is the name of %s, known since %s",
                s->text, addresses, when(since, other->first_ns));
    text_format(f.seen, sizeof f.seen, "%s \"%.60s\" told by %s", fact_name(s->fact), s->text,
                s->protocol);
    text_format(f.key, sizeof f.key, "%.80s", s->text);
    inv->sink->finding(inv->sink->context, &f);
}

/* --- devices --- */

static struct asset *asset_new(struct inventory *inv, uint32_t segment, const struct sighting *s,
                               const struct endpoint *who)
{
    struct asset *a =
        assets_make(&inv->assets, segment, inv->segments[segment].name, who, s->time_ns);
    a->first_packet = s->packet_number;
    a->first_source = s->source_index;
    something_new(inv, segment);
    if (is_silent(inv, segment))
        return a;
    a->is_new = true;
    if (inv->pending_count == PENDING_MAX) {
        tell_new(inv, a);
        return a;
    }
    a->is_pending = true;
    inv->pending[(inv->pending_head + inv->pending_count++) % PENDING_MAX] =
        (uint32_t)(a - inv->assets.list);
    return a;
}

static void pending_flush(struct inventory *inv, int64_t time_ns, bool is_last)
{
    while (inv->pending_count > 0) {
        struct asset *a = &inv->assets.list[inv->pending[inv->pending_head]];
        if (a->is_used && a->is_pending && !is_last && time_ns - a->first_ns < PENDING_NS &&
            time_ns >= a->first_ns)
            return;
        inv->pending_head = (inv->pending_head + 1) % PENDING_MAX;
        inv->pending_count--;
        if (a->is_used && a->is_pending && !a->is_told)
            tell_new(inv, a);
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

/* Another MAC turned out to be a's, too. Only while learning: later somebody could hide behind a
 * device so. Returns whose sighting this is. */
static struct asset *take_own_mac(struct inventory *inv, uint32_t segment, struct asset *a,
                                  const struct sighting *s)
{
    struct mac mac;
    if (!is_silent(inv, segment) || !asset_join_mac(a, s, &mac))
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
            bindings_see(inv->bindings, segment, s, who, is_arp, is_silent(inv, segment));
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

/* 127.0.0.0/8, ::1: never on a wire; captures of a machine's own traffic have it behind any MAC. */
static bool is_loopback(const struct address *ip)
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

/* The device behind an endpoint, made when unknown; NULL: no device has such addresses. Only a
 * packet that the host itself sent tells its MAC: the other end of a flow has the MAC that it is
 * reached by. */
static struct asset *host_of(struct inventory *inv, uint32_t segment, const struct sighting *s,
                             const struct endpoint *who, bool is_arp)
{
    struct assets *t = &inv->assets;
    bool is_sender =
        (s->kind == SIGHTING_HOST || s->kind == SIGHTING_ARP) && !is_loopback(&who->ip);
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

static struct asset *host_find(const struct inventory *inv, uint32_t segment,
                               const struct endpoint *host)
{
    if (has_ip(host))
        return assets_by_ip(&inv->assets, segment, &host->ip);
    return has_mac(host) ? assets_by_mac(&inv->assets, segment, &host->mac) : NULL;
}

static struct scan_habit *habit_of(void *context, uint32_t segment, const struct endpoint *source)
{
    const struct inventory *inv = context;
    uint32_t at = segment_find(inv, segment);
    struct asset *a = at == INDEX_NONE ? NULL : host_find(inv, at, source);
    if (!a)
        return NULL;
    a->is_dirty = true;
    return &a->habit;
}

static void ip_moved(void *context, uint32_t segment, const struct address *ip,
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

/* --- what a sighting tells of a device --- */

/* Ports that come and go by design: clients' own, FTP's and TFTP's data, dynamic RPC. */
static bool is_passing_port(const struct assets *t, const struct asset *a, uint8_t transport,
                            uint16_t port)
{
    if (port == 0 || port >= EPHEMERAL_PORT ||
        (transport == TRANSPORT_TCP && port == PORT_FTP_DATA))
        return true;
    if (port < OLD_EPHEMERAL_PORT)
        return false;
    return asset_service_find(t, a, TRANSPORT_TCP, PORT_FTP) ||
           asset_service_find(t, a, TRANSPORT_UDP, PORT_TFTP) ||
           (port <= OLD_EPHEMERAL_LAST && asset_service_find(t, a, TRANSPORT_TCP, PORT_RPC));
}

/* A service is served when its protocol was recognised and it answered, in whatever order. */
static void served(struct inventory *inv, struct asset *a, struct asset_service *service)
{
    if (!(service->flags & SERVICE_ANSWERED) || service->protocol == 0)
        return;
    bool was_controller = (a->flags & ASSET_CONTROLLER) != 0;
    asset_protocol_add(&inv->assets, a, service->protocol, true);
    bool is_controller = (a->flags & ASSET_CONTROLLER) != 0;
    if (is_controller && !was_controller && a->is_new && a->is_told)
        tell_new(inv, a);
}

static void recent_add(struct inventory *inv, uint32_t segment, uint8_t transport,
                       const struct endpoint *server, uint16_t protocol)
{
    inv->recent[inv->recent_at++ % RECENT_MAX] =
        (struct recent_service){segment, transport, true, protocol, *server};
}

/* The last one of this server that has a protocol, or (has_protocol false) that answered; NULL:
 * none. */
static const struct recent_service *recent_find(const struct inventory *inv, uint32_t segment,
                                                uint8_t transport, const struct endpoint *server,
                                                bool has_protocol)
{
    for (size_t i = 0; i < RECENT_MAX; i++) {
        const struct recent_service *r = &inv->recent[i];
        if (r->is_used && (r->protocol != 0) == has_protocol && r->segment == segment &&
            r->transport == transport && r->server.port == server->port &&
            address_equal(&r->server.ip, &server->ip))
            return r;
    }
    return NULL;
}

/* The service answered: for the first time? Then it is told, or learned. */
static void service_answered(struct inventory *inv, uint32_t segment, struct asset *a,
                             struct asset_service *service, const struct sighting *s,
                             const struct endpoint *client)
{
    bool is_new = !(service->flags & SERVICE_ANSWERED);
    service->flags |= SERVICE_ANSWERED;
    service->last_ns = s->time_ns;
    service->count++;
    service->is_dirty = true;
    if (!is_new)
        return;
    something_new(inv, segment);
    bool is_part_of_newness = a->is_new && s->time_ns - a->first_ns < SERVICES_NS;
    if (!is_silent(inv, segment) && !is_part_of_newness)
        tell_service(inv, a, service, s, client);
}

/* Where both ends have the same UDP port (cyclic I/O, NTP peers), it is chance who is seen to
 * begin: what one of them offers is what both do. */
static bool is_offered_by_both(const struct inventory *inv, const struct asset *client,
                               const struct sighting *s)
{
    if (s->transport != TRANSPORT_UDP || s->who.port != s->other.port || !client)
        return false;
    const struct asset_service *other =
        asset_service_find(&inv->assets, client, s->transport, s->other.port);
    return other && other->flags & SERVICE_ANSWERED;
}

static void on_answer(struct inventory *inv, uint32_t segment, struct asset *a,
                      const struct sighting *s)
{
    struct assets *t = &inv->assets;
    struct asset *client = host_find(inv, segment, &s->other);
    a->flags |= ASSET_TALKED | (address_is_public(&s->other.ip) ? ASSET_PUBLIC : 0u);
    if (client)
        client->flags |= ASSET_TALKED | (address_is_public(&s->who.ip) ? ASSET_PUBLIC : 0u);
    const struct recent_service *recent = recent_find(inv, segment, s->transport, &s->who, true);
    if (!recent && is_passing_port(t, a, s->transport, s->who.port) &&
        !asset_service_find(t, a, s->transport, s->who.port)) {
        recent_add(inv, segment, s->transport, &s->who, 0);
        return;
    }
    bool is_new;
    struct asset_service *service =
        asset_service(t, a, s->transport, s->who.port, s->time_ns, &is_new);
    if (!service)
        return;
    if (service->protocol == 0 && recent)
        service->protocol = recent->protocol;
    if (is_offered_by_both(inv, client, s))
        service->flags |= SERVICE_ANSWERED;
    service_answered(inv, segment, a, service, s, &s->other);
    served(inv, a, service);
}

/* A device that always answered in a plant protocol now asks in it. Only the first packets of a
 * TCP connection tell for sure who asks. */
static bool is_reversal(const struct inventory *inv, const struct asset *client,
                        const struct sighting *s, uint16_t name)
{
    if (!s->is_start_seen || s->transport != TRANSPORT_TCP || !s->detail || client->is_reversed ||
        client->is_new || is_silent(inv, client->segment) || !asset_protocol_kind(s->protocol))
        return false;
    for (size_t i = 0; i < client->protocol_count; i++)
        if (client->protocols[i].name == name)
            return client->protocols[i].is_served && !client->protocols[i].is_used;
    return false;
}

static void tell_reversed(struct inventory *inv, struct asset *a, const struct sighting *s)
{
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_COMM_ROLE_REVERSED, a, s);
    f.has_target = true;
    f.target = s->other;
    text_format(f.key, sizeof f.key, "reversed");
    text_format(f.what, sizeof f.what, "has always answered %s and now asks %%T in it",
                s->protocol);
    text_format(f.expected, sizeof f.expected, "a server of %s only, since %s", s->protocol,
                when(since, a->first_ns));
    text_format(f.seen, sizeof f.seen, "opens a connection as a client of %s", s->protocol);
    inv->sink->finding(inv->sink->context, &f);
    a->is_reversed = true;
}

static void on_protocol(struct inventory *inv, uint32_t segment, struct asset *client,
                        const struct sighting *s)
{
    struct assets *t = &inv->assets;
    uint16_t name = assets_protocol(t, s->protocol);
    if (is_reversal(inv, client, s, name))
        tell_reversed(inv, client, s);
    asset_protocol_add(t, client, name, false);
    if (address_is_group(&s->other.ip) || mac_is_group(&s->other.mac))
        return;
    struct asset *server = host_find(inv, segment, &s->other);
    if (!server) {
        recent_add(inv, segment, s->transport, &s->other, name);
        return;
    }
    if (s->other.port == 0) { /* straight on Ethernet */
        asset_protocol_add(t, server, name, true);
        return;
    }
    bool is_plant = asset_protocol_kind(s->protocol) != NULL, is_new = false;
    struct asset_service *service = asset_service_find(t, server, s->transport, s->other.port);
    if (!service && !is_plant && is_passing_port(t, server, s->transport, s->other.port))
        return;
    if (!service)
        service = asset_service(t, server, s->transport, s->other.port, s->time_ns, &is_new);
    if (!service)
        return;
    if (service->protocol == 0 || is_plant) {
        service->protocol = name;
        service->flags |= SERVICE_RECOGNISED;
        service->is_dirty = true;
    }
    if (is_new && recent_find(inv, segment, s->transport, &s->other, false))
        service_answered(inv, segment, server, service, s, &s->who);
    served(inv, server, service);
}

/* Commands to a controller's mode: people of the plant give them, too. */
static const uint64_t MODES = UINT64_C(1) << OP_MODE_CHANGE | UINT64_C(1) << OP_START |
                              UINT64_C(1) << OP_RESTART | UINT64_C(1) << OP_STOP;
/* What leaves another program behind. */
static const uint64_t PROGRAMMING =
    (uint64_t)1 << OP_PROGRAM_DOWNLOAD | (uint64_t)1 << OP_PROGRAM_MODIFY |
    (uint64_t)1 << OP_PROGRAM_DELETE | (uint64_t)1 << OP_FIRMWARE_UPDATE |
    (uint64_t)1 << OP_FILE_WRITE | (uint64_t)1 << OP_CONFIG_CHANGE;

/* What a device does with the plant's protocols, and what it is there for: what a known one does
 * for the first time after learning is news and not its duty. */
static void duty_seen(struct inventory *inv, uint32_t segment, struct asset *a, uint64_t bit)
{
    uint64_t usual = a->is_new || is_silent(inv, segment) ? bit : 0;
    if ((a->plant & bit) && (a->usual & usual) == usual)
        return;
    a->plant |= bit;
    a->usual |= usual;
    a->is_dirty = true;
}

/* A reader of several devices collects; so does a reader of servers, which collect themselves. */
static void reading_seen(struct asset *a, const struct asset *target, const struct sighting *s)
{
    const struct asset_protocol_kind *kind = asset_protocol_kind(s->protocol);
    bool is_reading = s->operation == OP_READ || s->operation == OP_SUBSCRIBE;
    if (!kind || !target || !is_reading || (a->flags & ASSET_COLLECTS))
        return;
    uint32_t hash = (uint32_t)hash_bytes(target->id, strlen(target->id)) | 1;
    bool is_other = a->reads_from != 0 && a->reads_from != hash;
    a->reads_from = hash;
    if (is_other || !kind->is_controller) {
        a->flags |= ASSET_COLLECTS;
        a->is_dirty = true;
    }
}

/* Of one device; it has other facts to tell, too. */
enum { UNITS_MAX = 40, PARTS_MAX = 40 };

/* One of its units answered. After learning only the second minute makes it one of the device's:
 * one that answers for every number would have all that somebody tried. */
static void unit_seen(struct inventory *inv, uint32_t segment, struct asset *a,
                      const struct sighting *s)
{
    struct assets *t = &inv->assets;
    uint16_t protocol = assets_protocol(t, s->protocol);
    bool is_new;
    struct asset_fact *unit = NULL;
    size_t count = 0;
    for (uint32_t i = a->first_fact; i != INDEX_NONE && !unit; i = t->facts[i].next) {
        struct asset_fact *f = &t->facts[i];
        count += f->kind == FACT_UNIT;
        if (f->kind == FACT_UNIT && f->protocol == protocol && strcmp(f->unit, s->unit) == 0)
            unit = f;
    }
    if (!unit && count < UNITS_MAX)
        unit = asset_fact(t, a, FACT_UNIT, protocol, s->unit, "answers", s->time_ns, &is_new);
    if (!unit)
        return;
    bool is_again = s->time_ns - unit->first_ns >= UNIT_AGAIN_NS;
    unit->is_current |= is_silent(inv, segment) || a->is_new || is_again;
    unit->last_ns = s->time_ns;
    unit->count++;
    unit->is_dirty = true;
    a->is_dirty = true;
}

/* Whoever answers serves the protocol, whichever side opened the conversation. */
static void answer_seen(struct inventory *inv, uint32_t segment, struct asset *a,
                        const struct sighting *s)
{
    const struct asset_protocol_kind *kind = asset_protocol_kind(s->protocol);
    if (kind && kind->is_controller)
        asset_protocol_add(&inv->assets, a, assets_protocol(&inv->assets, s->protocol), true);
    bool has_unit =
        s->unit[0] != '\0' && asset_has_units(s->protocol) && !is_loopback(&s->other.ip);
    if ((s->detail & ROLE_GRANTED) && has_unit)
        unit_seen(inv, segment, a, s);
}

static void on_answered_role(struct inventory *inv, uint32_t segment, const struct sighting *s)
{
    struct asset *server = host_find(inv, segment, &s->other);
    if (server)
        answer_seen(inv, segment, server, s);
}

static void on_role(struct inventory *inv, uint32_t segment, struct asset *a,
                    const struct sighting *s)
{
    uint64_t bit = (uint64_t)1 << s->operation;
    struct asset *target = host_find(inv, segment, &s->other);
    if (target && !(target->suffered & bit)) {
        target->suffered |= bit;
        target->is_dirty = true;
    }
    reading_seen(a, target, s);
    if (!(a->operations & bit)) {
        a->operations |= bit;
        a->is_dirty = true;
        something_new(inv, segment);
    }
    if (asset_protocol_kind(s->protocol))
        duty_seen(inv, segment, a, bit);
    if (target && (PROGRAMMING >> s->operation & 1))
        target->program_ns = s->time_ns;
    bool is_between_computers =
        strcmp(s->protocol, "smb2") == 0 || strcmp(s->protocol, "smb") == 0 ||
        strcmp(s->protocol, "dcerpc") == 0 || strcmp(s->protocol, "http") == 0;
    if (!operation_is_critical(s->operation) || (a->flags & ASSET_ENGINEERING) ||
        is_between_computers)
        return;
    if ((MODES >> s->operation & 1) && !a->is_new && !is_silent(inv, segment))
        return; /* told as a stop, a start: it engineers nothing */
    a->flags |= ASSET_ENGINEERING;
    if (!is_silent(inv, segment))
        tell_engineering(inv, a, s);
}

/* A page or a file service of a controller: who opens it now has never done so. */
static void on_new_client(struct inventory *inv, uint32_t segment, struct asset *a,
                          const struct sighting *s)
{
    const struct asset *target = host_find(inv, segment, &s->other);
    if (!target || !(target->flags & ASSET_CONTROLLER) || is_silent(inv, segment))
        return;
    bool is_page = strcmp(s->protocol, "http") == 0;
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_ACCESS_CONTROLLER_WEB, a, s);
    f.has_target = true;
    f.target = s->other;
    f.flags = a->is_new ? FINDING_ACTOR_NEW : 0;
    text_format(f.what, sizeof f.what, "opens the %s of the controller %%T for the first time",
                is_page ? "web page" : "file service");
    text_format(f.expected, sizeof f.expected, "no %s between these two, known since %s",
                s->protocol, when(since, a->first_ns));
    text_format(f.seen, sizeof f.seen, "%s, port %u", s->protocol, s->other.port);
    inv->sink->finding(inv->sink->context, &f);
}

/* The current fact of the same kind, unit and protocol; of a list only the same value. */
static struct asset_fact *fact_before(struct assets *t, struct asset *a, const struct sighting *s,
                                      uint16_t protocol)
{
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        struct asset_fact *f = &t->facts[i];
        if (f->kind == s->fact && f->is_current && f->protocol == protocol &&
            strcmp(f->unit, s->unit) == 0 &&
            (!asset_fact_is_list(s->fact) || strcmp(f->text, s->text) == 0))
            return f;
    }
    return NULL;
}

/* An address that a DHCP server has given away belongs to its client from now on. */
static void take_lease(struct inventory *inv, uint32_t segment, const struct sighting *s)
{
    struct endpoint who = {.mac = s->who.mac};
    if (s->fact == FACT_IP && strcmp(s->protocol, "dhcp") == 0 && !mac_is_zero(&who.mac) &&
        address_parse(&who.ip, s->text))
        bindings_lease(inv->bindings, segment, &who, s->time_ns);
}

static bool has_room_for_part(const struct assets *t, const struct asset *a)
{
    size_t count = 0;
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next)
        count += t->facts[i].kind == FACT_PART;
    return count < PARTS_MAX;
}

static void on_fact(struct inventory *inv, uint32_t segment, struct asset *a,
                    const struct sighting *s)
{
    struct address unnamed;
    bool is_name = s->fact == FACT_NAME || s->fact == FACT_HOST_NAME;
    if (s->text[0] == '\0' || s->fact >= FACT_COUNT ||
        (is_name && address_parse(&unnamed, s->text))) /* who has no name is called by address */
        return;
    take_lease(inv, segment, s);
    struct assets *t = &inv->assets;
    uint16_t protocol = assets_protocol(t, s->protocol);
    struct asset_fact *old = fact_before(t, a, s, protocol);
    bool is_new = false;
    struct asset_fact *fact = old;
    if (old && !asset_fact_is_identity(s->fact) && strcmp(old->text, s->text) != 0) {
        /* a state, not an identity: the last value counts */
        text_format(old->text, sizeof old->text, "%s", s->text);
        old->first_ns = s->time_ns;
        old->count = 0;
    } else if (!old && s->fact == FACT_PART && !has_room_for_part(t, a)) {
        t->facts_full++;
    } else if (!old || strcmp(old->text, s->text) != 0) {
        fact = asset_fact(t, a, s->fact, protocol, s->unit, s->text, s->time_ns, &is_new);
    }
    if (!fact)
        return;
    fact->last_ns = s->time_ns;
    fact->count++;
    fact->is_dirty = true;
    if (fact == old)
        return;
    fact->is_current = true;
    if (is_new && !is_silent(inv, segment))
        tell_name(inv, a, s);
    if (!old)
        return;
    bool is_same_reply = s->time_ns - old->last_ns < FACT_BURST_NS && is_new;
    if (is_same_reply) { /* several values of one kind: the first stands for it */
        fact->is_current = false;
        return;
    }
    old->is_current = false;
    old->is_dirty = true;
    a->changed_ns = s->time_ns;
    if (is_new)
        something_new(inv, segment);
    if (is_new && !is_silent(inv, segment))
        tell_fact(inv, a, s, old);
}

static void vlan_add(struct asset *a, uint16_t vlan)
{
    if (vlan == VLAN_NONE || vlan == 0)
        return;
    for (size_t i = 0; i < a->vlan_count; i++)
        if (a->vlans[i] == vlan)
            return;
    if (a->vlan_count < ASSET_VLANS_MAX)
        a->vlans[a->vlan_count++] = vlan;
}

/* DNP3 names both ends, "1>10": the unit is the outstation, whichever master asks. */
static bool has_two_ends(const struct sighting *s)
{
    return strcmp(s->protocol, "dnp3") == 0 && strchr(s->unit, '>') != NULL;
}

/* An address is asked for before anybody speaks with it: its name waits for it. */
static void hearsay_wait(struct inventory *inv, const struct sighting *s)
{
    for (size_t i = 0; i < SAID_MAX; i++)
        if (inv->said[i].segment == s->segment && strcmp(inv->said[i].protocol, s->protocol) == 0 &&
            address_equal(&inv->said[i].who.ip, &s->who.ip)) {
            inv->said[i] = *s;
            return;
        }
    inv->said[inv->said_next] = *s;
    inv->said_next = (inv->said_next + 1) % SAID_MAX;
    inv->is_said = true;
}

/* What others say of a device makes none, and it was not heard. One name of each source is kept,
 * the last. */
static void on_hearsay(struct inventory *inv, uint32_t segment, const struct sighting *s)
{
    struct assets *t = &inv->assets;
    struct asset *a = host_find(inv, segment, &s->who);
    bool is_new;
    if (s->fact != FACT_HOST_NAME)
        return;
    if (!a) {
        hearsay_wait(inv, s);
        return;
    }
    struct asset_fact *f = fact_before(t, a, s, assets_protocol(t, s->protocol));
    if (!f)
        f = asset_fact(t, a, s->fact, assets_protocol(t, s->protocol), s->unit, s->text, s->time_ns,
                       &is_new);
    if (!f)
        return;
    if (strcmp(f->text, s->text) != 0) {
        text_format(f->text, sizeof f->text, "%s", s->text);
        f->first_ns = s->time_ns;
        f->count = 0;
    }
    f->is_current = true;
    f->last_ns = s->time_ns;
    f->count++;
    f->is_dirty = true;
    a->is_dirty = true;
}

/* Names wait until their address has a device: that it has one now is seen by a new address. */
static void hearsay_recall(struct inventory *inv)
{
    if (inv->said_ips_added == inv->assets.ips_added)
        return;
    inv->said_ips_added = inv->assets.ips_added;
    for (size_t i = 0; i < SAID_MAX; i++) {
        struct sighting *s = &inv->said[i];
        uint32_t segment = s->text[0] ? segment_find(inv, s->segment) : INDEX_NONE;
        if (segment != INDEX_NONE && host_find(inv, segment, &s->who)) {
            on_hearsay(inv, segment, s);
            *s = (struct sighting){.segment = 0};
        }
    }
}

static void take_sighting(struct inventory *inv, const struct sighting *s)
{
    uint32_t segment = segment_of(inv, s->segment);
    inv->segments[segment].seen_ns = s->time_ns;
    if (inv->segments[segment].first_ns == 0)
        inv->segments[segment].first_ns = s->time_ns;
    if (s->time_ns > inv->now_ns)
        inv->now_ns = s->time_ns;
    pending_flush(inv, s->time_ns, false);

    if (s->kind == SIGHTING_FACT && names_is_hearsay(s->protocol)) {
        on_hearsay(inv, segment, s);
        return;
    }
    bool is_answer = s->kind == SIGHTING_ROLE && (s->detail & ROLE_ANSWERED);
    if (is_answer) /* to a broadcast, too */
        on_answered_role(inv, segment, s);
    /* who is answered need not be there */
    struct asset *a = is_answer ? host_find(inv, segment, &s->who)
                                : host_of(inv, segment, s, &s->who, s->kind == SIGHTING_ARP);
    scans_sighting(inv->scans, s);
    floods_sighting(inv->floods, s, is_silent(inv, segment));
    if (!a)
        return;
    if (s->time_ns > a->last_ns)
        a->last_ns = s->time_ns;
    presence_heard(a, s->time_ns, inv->options.mode != MODE_DETECT);
    if (inv->is_said)
        hearsay_recall(inv);
    a->is_dirty = true;
    vlan_add(a, s->vlan);
    switch (s->kind) {
    case SIGHTING_HOST:
        a->packets += s->packets;
        a->bytes += s->bytes;
        break;
    case SIGHTING_ANSWER:
        on_answer(inv, segment, a, s);
        break;
    case SIGHTING_PROTOCOL:
        on_protocol(inv, segment, take_own_mac(inv, segment, a, s), s);
        break;
    case SIGHTING_ROLE:
        on_role(inv, segment, a, s);
        break;
    case SIGHTING_FACT:
        on_fact(inv, segment, a, s);
        take_own_mac(inv, segment, a, s);
        break;
    case SIGHTING_NEW_CLIENT:
        on_new_client(inv, segment, a, s);
        break;
    case SIGHTING_INFRASTRUCTURE:
        if (infrastructure_sighting(inv->infrastructure, segment, s, is_silent(inv, segment),
                                    a->is_new))
            something_new(inv, segment);
        break;
    case SIGHTING_WRITE:
        masters_sighting(inv->masters, s, is_silent(inv, segment));
        break;
    case SIGHTING_FLOW:
    case SIGHTING_REFUSED:
    case SIGHTING_ARP:
    case SIGHTING_ECHO:
    case SIGHTING_DATAGRAMS:
        break;
    }
}

void inventory_sighting(struct inventory *inv, const struct sighting *s)
{
    inv->changes++;
    if (has_two_ends(s)) {
        struct sighting one = *s;
        text_format(one.unit, sizeof one.unit, "%s", strrchr(s->unit, '>') + 1);
        take_sighting(inv, &one);
    } else {
        take_sighting(inv, s);
    }
    inv->changes++;
}

static void tell_lost(struct inventory *inv, struct asset *a, int64_t time_ns)
{
    struct finding f;
    finding_start(inv, &f, DETECTION_ASSET_LOST, a, NULL);
    f.time_ns = time_ns;
    presence_words(a, time_ns, &f);
    inv->sink->finding(inv->sink->context, &f);
}

/* Who is silent for too long. A segment in which nobody is heard is the sensor's trouble. */
static void look_for_lost(struct inventory *inv, int64_t time_ns)
{
    if (inv->looked_ns && time_ns - inv->looked_ns < LOOK_NS && time_ns >= inv->looked_ns)
        return;
    bool was_away = inv->looked_ns == 0 || time_ns - inv->looked_ns > LOOK_NS + TICK_MAX_NS;
    inv->looked_ns = time_ns;
    for (size_t i = 0; i < inv->assets.count; i++) {
        struct asset *a = &inv->assets.list[i];
        if (!a->is_used || a->heard_ns == 0)
            continue;
        if (was_away || time_ns - inv->segments[a->segment].seen_ns > PRESENT_NS)
            presence_blind(a, time_ns);
        else if (!is_silent(inv, a->segment) && !is_far_away(a) && presence_is_lost(a, time_ns))
            tell_lost(inv, a, time_ns);
    }
}

void inventory_tick(struct inventory *inv, int64_t time_ns, bool is_last)
{
    inv->changes++;
    int64_t passed_ns = inv->ticked_ns == 0 ? 0 : time_ns - inv->ticked_ns;
    inv->ticked_ns = time_ns;
    if (time_ns > inv->now_ns)
        inv->now_ns = time_ns;
    if (passed_ns > 0 && passed_ns <= TICK_MAX_NS)
        for (size_t i = 0; i < inv->segment_count; i++)
            segment_tick(inv, &inv->segments[i], time_ns, passed_ns);
    pending_flush(inv, time_ns, is_last);
    bindings_tick(inv->bindings, time_ns, is_last, ip_moved, inv);
    look_for_lost(inv, time_ns);
    scans_tick(inv->scans, is_last ? time_ns + PENDING_NS : time_ns);
    floods_tick(inv->floods, time_ns);
    inv->changes++;
}

bool inventory_is_local(const struct inventory *inv, uint32_t segment, const struct endpoint *host)
{
    uint32_t at = segment_find(inv, segment);
    const struct asset *a = at == INDEX_NONE ? NULL : host_find(inv, at, host);
    for (size_t i = 0; a && i < a->ip_count; i++)
        if (a->is_ip_confirmed[i] && address_equal(&a->ips[i], &host->ip))
            return true;
    return false;
}

void inventory_places(struct inventory *inv)
{
    for (size_t i = 0; i < inv->assets.count; i++)
        if (inv->assets.list[i].is_used)
            inv->assets.list[i].is_dirty = true;
}

bool inventory_place(const struct inventory *inv, const struct endpoint *host, uint16_t vlan,
                     struct site_place *place)
{
    memset(place, 0, sizeof *place);
    place->level = LEVEL_UNKNOWN;
    return inv->options.place && inv->options.place(inv->options.place_context, host, vlan, place);
}

static void brief_of(struct asset_brief *brief, const struct assets *t, const struct asset *a)
{
    memset(brief, 0, sizeof *brief);
    const char *model = asset_fact_text(t, a, FACT_PRODUCT);
    if (model[0] == '\0')
        model = asset_fact_text(t, a, FACT_ORDER_NUMBER);
    text_copy(brief->id, sizeof brief->id, text_of(a->id));
    text_copy(brief->name, sizeof brief->name, text_of(asset_name(t, a)));
    text_copy(brief->model, sizeof brief->model, text_of(model));
    text_copy(brief->vendor, sizeof brief->vendor, text_of(asset_fact_text(t, a, FACT_VENDOR)));
    text_copy(brief->role, sizeof brief->role, text_of(asset_class(t, a)));
    brief->first_seen_ns = a->first_ns;
    brief->is_new = a->is_new;
    brief->is_controller = (a->flags & ASSET_CONTROLLER) != 0;
}

bool inventory_describe(const struct inventory *inv, uint32_t segment, const struct endpoint *host,
                        struct asset_brief *brief)
{
    uint32_t at = segment_find(inv, segment);
    const struct asset *a = at == INDEX_NONE ? NULL : host_find(inv, at, host);
    if (!a) {
        memset(brief, 0, sizeof *brief);
        return inventory_place(inv, host, VLAN_NONE, &brief->place);
    }
    struct described *d = &inv->described[(size_t)(a - inv->assets.list) % DESCRIBED];
    bool is_changing = inv->changes % 2 != 0;
    if (is_changing || d->asset != a || d->at != inv->changes) {
        brief_of(&d->brief, &inv->assets, a);
        d->asset = is_changing ? NULL : a;
        d->at = inv->changes;
    }
    *brief = d->brief;
    (void)inventory_place(inv, host, a->vlan_count ? a->vlans[0] : VLAN_NONE, &brief->place);
    return true;
}
