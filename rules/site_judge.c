/* site_judge.c: see site_judge.h. */
#include "rules/site_judge.h"

#include "rules/causes.h"
#include "rules/site_model.h"
#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAUSES_MAX = 1024,
    VERDICTS_MAX = 4096, /* flows whose verdict is at hand: 160 KB */
    SAFETY_MAX = 256,    /* hosts recognised by what they speak */
    OBJECT_SIZE = 96,
    LIST_SIZE = 160,
};

/* Acts that a conduit never forbids: they come before and beside every other one. */
#define ALWAYS_ALLOWED                                                                             \
    (1u << OP_UNKNOWN | 1u << OP_ERROR | 1u << OP_SESSION | 1u << OP_NETMGMT | 1u << OP_PUBLISH |  \
     1u << OP_SUBSCRIBE)

/* What matters of the events of one flow in one protocol. */
struct verdict {
    uint64_t flow_id; /* 0: empty */
    const char *protocol;
    uint32_t allowed;    /* operations, by conduits */
    bool has_data_rules; /* of its server, that do not allow this client everything */
    bool is_safety;      /* its server is declared part of a safety system */
    bool is_master;      /* and the client is its master */
    bool has_masters;
};

struct safety_host {
    struct slot slot;
};

struct site_judge {
    struct site_judge_options options;
    struct site *site;
    struct causes *causes;
    struct slots safety;
    bool wants_events; /* the policy has rules about them */
    int64_t now_ns;    /* of the last tick */
    int64_t taken_ns;  /* when the policy came; 0: at the start */
    size_t safety_count;
    struct verdict verdicts[VERDICTS_MAX];
};

static bool has_event_rules(const struct site *site)
{
    bool any = site->data_count > 0 || site->safety_count > 0;
    for (uint32_t i = 0; i < site->conduit_count; i++)
        any |= site->conduits[i].operations != UINT32_MAX;
    return any;
}

struct site_judge *site_judge_create(const struct site_judge_options *options, struct site *site,
                                     const struct finding_sink *sink)
{
    struct site_judge *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->options = *options;
    j->site = site_retain(site);
    j->wants_events = has_event_rules(site);
    j->causes = causes_create(CAUSES_MAX, sink);
    if (!j->causes || !slots_create(&j->safety, SAFETY_MAX, sizeof(struct safety_host))) {
        site_judge_destroy(j);
        return NULL;
    }
    return j;
}

void site_judge_destroy(struct site_judge *j)
{
    if (!j)
        return;
    slots_destroy(&j->safety);
    causes_destroy(j->causes);
    site_release(j->site);
    free(j);
}

void site_judge_take(struct site_judge *j, struct site *site)
{
    struct site *old = j->site;
    j->site = site_retain(site);
    j->wants_events = true; /* flows that began under the old policy are judged by their events */
    j->taken_ns = j->now_ns;
    memset(j->verdicts, 0, sizeof j->verdicts);
    site_release(old);
}

const struct site *site_judge_site(const struct site_judge *j)
{
    return j->site;
}

void site_judge_tick(struct site_judge *j, int64_t time_ns, bool is_last)
{
    j->now_ns = time_ns;
    causes_tick(j->causes, time_ns, is_last);
}

/* --- the two hosts of a flow --- */

struct crossing {
    const struct ot_flow *flow;
    const struct packet *packet;
    struct site_host client, server;
    int64_t time_ns;
    uint16_t vlan;
};

static uint16_t vlan_of(const struct packet *p)
{
    return p && p->vlan_count ? p->vlans[0] : VLAN_NONE;
}

static struct crossing crossing_of(const struct site_judge *j, const struct ot_flow *flow,
                                   const struct packet *packet)
{
    uint16_t vlan = vlan_of(packet);
    return (struct crossing){.flow = flow,
                             .packet = packet,
                             .client = site_host(j->site, &flow->client, vlan),
                             .server = site_host(j->site, &flow->server, vlan),
                             .time_ns = packet ? packet->time_ns : flow->last_ns,
                             .vlan = vlan};
}

/* Multicast and broadcast stay on their segment; so do link-local addresses. */
static bool is_local_only(const struct endpoint *e)
{
    if (e->ip.kind == ADDRESS_NONE || address_is_group(&e->ip) || mac_is_group(&e->mac))
        return true;
    if (e->ip.kind == ADDRESS_IP4)
        return (e->ip.bytes[0] == 169 && e->ip.bytes[1] == 254) || e->ip.bytes[0] == 127 ||
               e->ip.bytes[0] == 0;
    return e->ip.bytes[0] == 0xfe && (e->ip.bytes[1] & 0xc0) == 0x80;
}

static const char *zone_name(const struct site *s, const struct site_host *h)
{
    return h->zone != NO_ZONE ? s->zones[h->zone].name
           : h->is_internet   ? "the internet"
                              : "no zone";
}

static int level_of(const struct site *s, const struct site_host *h)
{
    return h->zone != NO_ZONE ? s->zones[h->zone].level : LEVEL_UNKNOWN;
}

/* Office computers are not what is protected here. */
static bool is_plant(const struct site *s, const struct site_host *h)
{
    return !h->is_internet && level_of(s, h) < 40;
}

static char *print_zone(const struct site *s, const struct site_host *h, char out[LIST_SIZE])
{
    char level[4];
    level_print(level, level_of(s, h));
    return text_format(out, LIST_SIZE, "%s%s%s%s%s", h->zone == NO_ZONE ? "" : "zone ",
                       zone_name(s, h), level[0] ? " (level " : "", level, level[0] ? ")" : "");
}

static char *print_service(const struct ot_flow *flow, const char *protocol, char out[LIST_SIZE])
{
    const char *transport = flow->transport == TRANSPORT_TCP   ? "TCP"
                            : flow->transport == TRANSPORT_UDP ? "UDP"
                                                               : "";
    if (protocol && *protocol)
        return text_format(out, LIST_SIZE, "%s", protocol);
    if (flow->server.port)
        return text_format(out, LIST_SIZE, "%s port %u", transport, flow->server.port);
    return text_format(out, LIST_SIZE, "IP without ports");
}

/* --- raising --- */

struct telling {
    enum detection detection;
    const char *protocol, *key;
    const char *phrase; /* %T the target, %O the object */
    const char *expected;
    const char *what; /* better words than the phrase's, for now only; NULL: none */
    bool is_actor_server;
};

/* Raises a finding about a flow. The texts behind it are not kept: they may lie on the stack. */
static void tell_flow(struct site_judge *j, const struct crossing *c, const struct telling *t,
                      const char *object, const char *seen, const char *expected)
{
    struct cause_of of = {.detection = t->detection,
                          .protocol = t->protocol ? t->protocol : "",
                          .key = t->key,
                          .phrase = t->phrase,
                          .thing = "",
                          .object = object,
                          .expected = t->expected,
                          .is_actor_server = t->is_actor_server};
    uint32_t flags = 0;
    uint64_t count;
    if (!causes_admit(j->causes, c->flow, c->time_ns, &of, &flags, &count))
        return;
    struct violation at = {.flow = c->flow,
                           .packet = c->packet,
                           .protocol = of.protocol,
                           .is_from_client = true,
                           .time_ns = c->time_ns};
    struct finding f;
    finding_of_violation(&f, of.detection, &at);
    causes_fill(&f, &of, flags, count);
    if (expected)
        text_copy(f.expected, sizeof f.expected, text_of(expected));
    text_copy(f.seen, sizeof f.seen, text_of(seen));
    causes_tell(j->causes, &f);
}

static void tell_event(struct site_judge *j, const struct ot_event *e, const struct telling *t,
                       const char *object, const char *expected, uint32_t flags)
{
    struct cause_of of = {.detection = t->detection,
                          .protocol = e->protocol,
                          .key = t->key,
                          .phrase = t->phrase,
                          .thing = "",
                          .object = object,
                          .expected = t->expected};
    uint64_t count;
    if (!causes_admit(j->causes, e->flow, e->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of.detection, e);
    f.actor = e->flow->client;
    f.target = e->flow->server;
    f.has_target = true;
    causes_fill(&f, &of, flags, count);
    if (expected)
        text_copy(f.expected, sizeof f.expected, text_of(expected));
    if (t->what)
        text_copy(f.what, sizeof f.what, text_of(t->what));
    char code[OT_CODE_SIZE];
    text_format(f.seen, sizeof f.seen, "%s %s (%s)", e->protocol, ot_event_code(e, code),
                e->name ? e->name : "unknown function");
    causes_tell(j->causes, &f);
}

/* --- zones, conduits, levels --- */

enum permission {
    PERMISSION_NONE,  /* no conduit leads there */
    PERMISSION_OTHER, /* one does, for other protocols */
    PERMISSION_ALL,   /* this protocol may pass */
};

static bool leads(const struct site *s, const struct site_conduit *c, const struct site_host *from,
                  const struct site_host *to)
{
    return (site_hosts_have(s, &c->from, from) && site_hosts_have(s, &c->to, to)) ||
           (c->is_both && site_hosts_have(s, &c->from, to) && site_hosts_have(s, &c->to, from));
}

/* What conduits say of a flow; *operations are those that all of them together allow. */
static enum permission conduits_permit(const struct site *s, const struct crossing *c,
                                       const char *protocol, uint32_t *operations)
{
    enum permission found = PERMISSION_NONE;
    *operations = 0;
    for (uint32_t i = 0; i < s->conduit_count; i++) {
        const struct site_conduit *conduit = &s->conduits[i];
        bool leads_there = leads(s, conduit, &c->client, &c->server) ||
                           /* picked up in its middle: who opened it is a guess */
                           (!c->flow->is_role_known && leads(s, conduit, &c->server, &c->client));
        if (!leads_there)
            continue;
        if (found == PERMISSION_NONE)
            found = PERMISSION_OTHER;
        if (!site_protocols_have(s, &conduit->protocols, protocol, c->flow->transport,
                                 c->flow->server.port))
            continue;
        found = PERMISSION_ALL;
        *operations |= conduit->operations;
    }
    return found;
}

/* Rungs of the ladder; 3.5 is one only where somebody has built it. */
static int rung(const struct site *s, int level)
{
    int at = level / 10 + (level > 35 && s->has_dmz) + (level == 35);
    return at;
}

static bool skips_level(const struct site *s, const struct crossing *c)
{
    int a = level_of(s, &c->client), b = level_of(s, &c->server);
    if (a == LEVEL_UNKNOWN || b == LEVEL_UNKNOWN)
        return false;
    int distance = rung(s, a) - rung(s, b);
    return distance > 1 || distance < -1;
}

/* Both ends are of the plant or of its neighbours, in different zones. */
static bool is_crossing(const struct site *s, const struct crossing *c)
{
    if (s->zone_count == 0 || is_local_only(&c->flow->client) || is_local_only(&c->flow->server))
        return false;
    bool is_same = c->client.zone == c->server.zone; /* or both in none */
    bool is_outside = c->client.is_internet || c->server.is_internet;
    return !is_same && !is_outside;
}

/* "line 12, line 40" of the policy */
static char *print_allowed(const struct site *s, const struct site_host *from, char out[LIST_SIZE])
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < s->conduit_count && used < LIST_SIZE - 1; i++) {
        const struct site_conduit *c = &s->conduits[i];
        if (!site_hosts_have(s, &c->from, from))
            continue;
        text_format(out + used, LIST_SIZE - used, "%sline %u", used ? ", " : "", c->line);
        used = strlen(out);
    }
    return out;
}

static void tell_crossing(struct site_judge *j, const struct crossing *c, const char *protocol,
                          enum permission permission)
{
    const struct site *s = j->site;
    char from[LIST_SIZE], to[LIST_SIZE], allowed[LIST_SIZE], service[LIST_SIZE];
    char seen[FINDING_TEXT], expected[FINDING_TEXT], object[OBJECT_SIZE];
    bool is_skip = skips_level(s, c);
    bool is_other = permission == PERMISSION_OTHER;
    print_service(c->flow, protocol, service);
    print_zone(s, &c->client, from);
    print_zone(s, &c->server, to);
    text_format(object, sizeof object, "%.40s to %.40s", zone_name(s, &c->client),
                zone_name(s, &c->server));
    text_format(seen, sizeof seen, "%s from %s to %s", service, from, to);
    print_allowed(s, &c->client, allowed);
    if (!s->has_conduits)
        text_format(expected, sizeof expected, "sessions go from a level to the next one");
    else if (allowed[0])
        text_format(expected, sizeof expected, "the policy's conduits from %s: %s", from, allowed);
    else
        text_format(expected, sizeof expected, "the policy has no conduit from %s", from);
    struct telling t = {
        .detection = is_skip && !is_other ? DETECTION_SEG_LEVEL_SKIP : DETECTION_SEG_ZONE_VIOLATION,
        .protocol = is_other ? protocol : "",
        .key = is_other ? "protocol" : "zones",
        .phrase = is_skip && !is_other ? "reaches %T directly, over levels in between: from %O"
                  : is_other           ? "uses a protocol with %T that no conduit allows: from %O"
                                       : "talks to %T where no conduit leads: from %O",
        .expected = "only what the policy's conduits allow"};
    tell_flow(j, c, &t, object, seen, expected);
}

/* A packet from the side of a one-way conduit that must stay silent. */
static const struct site_conduit *diode_of(const struct site *s, const struct site_host *from,
                                           const struct site_host *to)
{
    for (uint32_t i = 0; i < s->conduit_count; i++) {
        const struct site_conduit *c = &s->conduits[i];
        if (c->is_one_way && site_hosts_have(s, &c->from, to) && site_hosts_have(s, &c->to, from))
            return c;
    }
    return NULL;
}

/* Another conduit, which is no diode, leads from here to there. */
static bool has_other_way(const struct site *s, const struct site_host *from,
                          const struct site_host *to)
{
    for (uint32_t i = 0; i < s->conduit_count; i++)
        if (!s->conduits[i].is_one_way && leads(s, &s->conduits[i], from, to))
            return true;
    return false;
}

/* Whose packet it is: the side that a diode may forbid. */
static bool judge_diode(struct site_judge *j, const struct crossing *c)
{
    const struct site *s = j->site;
    if (!c->packet || c->client.zone == c->server.zone)
        return false;
    bool is_from_server = address_equal(&c->packet->source, &c->flow->server.ip) &&
                          c->packet->source_port == c->flow->server.port;
    const struct site_host *from = is_from_server ? &c->server : &c->client;
    const struct site_host *to = is_from_server ? &c->client : &c->server;
    const struct site_conduit *conduit = diode_of(s, from, to);
    if (!conduit || has_other_way(s, from, to) || has_other_way(s, to, from))
        return false;
    char seen[FINDING_TEXT], service[LIST_SIZE], a[LIST_SIZE], b[LIST_SIZE], expected[FINDING_TEXT];
    text_format(seen, sizeof seen, "a packet of %s from %s to %s",
                print_service(c->flow, "", service), print_zone(s, from, a), print_zone(s, to, b));
    text_format(expected, sizeof expected, "nothing ever comes back: one-way conduit of line %u",
                conduit->line);
    struct telling t = {.detection = DETECTION_SEG_DIODE_VIOLATION,
                        .key = "diode",
                        .phrase = "sent a packet to %T against a one-way conduit",
                        .expected = "nothing ever comes back through a one-way conduit",
                        .is_actor_server = is_from_server};
    tell_flow(j, c, &t, "", seen, expected);
    return true;
}

/* --- the internet --- */

static bool access_allows(const struct site *s, const struct site_access *list, uint32_t count,
                          const struct crossing *c, const char *protocol)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct site_access *a = &list[i];
        if ((!a->from.is_given || site_hosts_have(s, &a->from, &c->client)) &&
            (!a->to.is_given || site_hosts_have(s, &a->to, &c->server)) &&
            site_protocols_have(s, &a->protocols, protocol, c->flow->transport,
                                c->flow->server.port) &&
            site_schedule_holds(s, &a->schedule, c->time_ns, NULL, NULL))
            return true;
    }
    return false;
}

/* Only entries with protocols could still allow it, once the protocol is known. */
static bool access_may_allow(const struct site *s, const struct site_access *list, uint32_t count,
                             const struct crossing *c)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct site_access *a = &list[i];
        if (a->protocols.count > 0 &&
            (!a->from.is_given || site_hosts_have(s, &a->from, &c->client)) &&
            (!a->to.is_given || site_hosts_have(s, &a->to, &c->server)))
            return true;
    }
    return false;
}

enum internet { INTERNET_NONE, INTERNET_OUT, INTERNET_IN };

static enum internet internet_of(const struct site *s, const struct crossing *c)
{
    if (is_local_only(&c->flow->client) || is_local_only(&c->flow->server))
        return INTERNET_NONE;
    if (c->server.is_internet && !c->client.is_internet && is_plant(s, &c->client))
        return INTERNET_OUT;
    if (c->client.is_internet && !c->server.is_internet && is_plant(s, &c->server))
        return INTERNET_IN;
    return INTERNET_NONE;
}

static void tell_internet(struct site_judge *j, const struct crossing *c, enum internet direction,
                          const char *protocol)
{
    char seen[FINDING_TEXT], service[LIST_SIZE];
    print_service(c->flow, protocol, service);
    text_format(seen, sizeof seen, "%s", service);
    bool is_out = direction == INTERNET_OUT;
    struct telling t = {
        .detection = is_out ? DETECTION_SEG_INTERNET_EGRESS : DETECTION_SEG_INTERNET_INGRESS,
        .key = "internet",
        .phrase = is_out ? "talks to %T, a public address (%O)"
                         : "opens a session from the internet to %T (%O)",
        .expected = j->site->has_internet ? "only what the policy allows with the internet"
                                          : "no contact with this public address was learned"};
    tell_flow(j, c, &t, service, seen, NULL);
}

static bool conduit_to_internet(const struct site *s, const struct crossing *c,
                                const char *protocol)
{
    uint32_t operations;
    return conduits_permit(s, c, protocol, &operations) == PERMISSION_ALL;
}

/* With a policy about it every attempt counts; without, contacts that were not learned. */
static void judge_internet(struct site_judge *j, const struct crossing *c, const char *protocol,
                           bool is_contact)
{
    const struct site *s = j->site;
    enum internet direction = internet_of(s, c);
    if (direction == INTERNET_NONE)
        return;
    if (!s->has_internet) {
        if (is_contact && !conduit_to_internet(s, c, protocol) &&
            !j->options.is_known(j->options.context, c->flow, ""))
            tell_internet(j, c, direction, protocol);
        return;
    }
    const struct site_access *list = direction == INTERNET_OUT ? s->egress : s->ingress;
    uint32_t count = direction == INTERNET_OUT ? s->egress_count : s->ingress_count;
    bool is_open = protocol == NULL && !is_contact; /* the protocol may still come */
    if (access_allows(s, list, count, c, protocol) || conduit_to_internet(s, c, protocol) ||
        (is_open && access_may_allow(s, list, count, c)))
        return;
    tell_internet(j, c, direction, protocol);
}

/* --- flows --- */

static void judge_crossing(struct site_judge *j, const struct crossing *c, const char *protocol,
                           bool is_final)
{
    const struct site *s = j->site;
    uint32_t operations;
    if (!is_crossing(s, c))
        return;
    enum permission permission = conduits_permit(s, c, protocol, &operations);
    /* where nothing leads has been told when the flow began; a protocol has to be seen first */
    if (permission == PERMISSION_ALL || is_final == (permission == PERMISSION_NONE))
        return;
    if (!s->has_conduits && !skips_level(s, c))
        return;
    tell_crossing(j, c, protocol, permission);
}

void site_judge_started(struct site_judge *j, const struct ot_flow *flow,
                        const struct packet *packet)
{
    if (!j->site->is_declared)
        return;
    struct crossing c = crossing_of(j, flow, packet);
    if (judge_diode(j, &c))
        return;
    judge_crossing(j, &c, NULL, false);
    if (j->site->has_internet)
        judge_internet(j, &c, NULL, false);
}

/* The port's usual protocol, before or without a word. */
static const char *usual_protocol(const struct ot_flow *flow)
{
    static const struct {
        uint16_t port;
        const char *name;
    } rows[] = {
        {21,    "ftp"   },
        {22,    "ssh"   },
        {23,    "telnet"},
        {80,    "http"  },
        {102,   "s7comm"},
        {443,   "tls"   },
        {445,   "smb"   },
        {502,   "modbus"},
        {1883,  "mqtt"  },
        {2404,  "iec104"},
        {3389,  "rdp"   },
        {4840,  "opcua" },
        {5900,  "vnc"   },
        {20000, "dnp3"  },
        {44818, "enip"  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].port == flow->server.port)
            return rows[i].name;
    return NULL;
}

void site_judge_answered(struct site_judge *j, const struct ot_flow *flow,
                         const struct packet *packet)
{
    struct crossing c = crossing_of(j, flow, packet);
    if (j->site->is_declared && !judge_diode(j, &c) && usual_protocol(flow))
        judge_crossing(j, &c, usual_protocol(flow), true);
    if (!j->site->has_internet)
        judge_internet(j, &c, NULL, true);
}

void site_judge_refused(struct site_judge *j, const struct ot_flow *flow,
                        const struct packet *packet)
{
    struct crossing c = crossing_of(j, flow, packet);
    if (j->site->is_declared && !judge_diode(j, &c))
        judge_crossing(j, &c, usual_protocol(flow), true);
    if (!j->site->has_internet)
        judge_internet(j, &c, NULL, true);
}

/* --- remote access --- */

static const struct {
    const char *name; /* as dissectors and nDPI call it; a prefix with * */
    bool is_brokered; /* the plant's host calls out, and lets itself be controlled */
} remote_protocols[] = {
    {"rdp",         false},
    {"vnc",         false},
    {"ssh",         false},
    {"telnet",      false},
    {"teamviewer",  true },
    {"anydesk",     true },
    {"openvpn",     true },
    {"wireguard",   true },
    {"ipsec",       true },
    {"pptp",        true },
    {"l2tp",        true },
    {"citrix",      false},
    {"radmin",      false},
    {"rsh",         false},
    {"x11",         false},
    {"tailscale",   true },
    {"softether",   true },
    {"cisco_vpn",   true },
    {"ciscovpn",    true },
    {"hamachi",     true },
    {"splashtop",   true },
    {"dcerpc_exec", false},
};

static bool is_remote_access(const char *protocol, bool *is_brokered)
{
    for (size_t i = 0; i < sizeof remote_protocols / sizeof *remote_protocols; i++) {
        if (strcmp(remote_protocols[i].name, protocol) == 0) {
            *is_brokered = remote_protocols[i].is_brokered;
            return true;
        }
    }
    return false;
}

static void judge_remote(struct site_judge *j, const struct crossing *c, const char *protocol)
{
    const struct site *s = j->site;
    bool is_brokered;
    if (!is_remote_access(protocol, &is_brokered) || is_local_only(&c->flow->server))
        return;
    if (!is_plant(s, &c->server) && !(is_brokered && is_plant(s, &c->client)))
        return;
    bool is_allowed = s->has_remote ? access_allows(s, s->remote, s->remote_count, c, protocol)
                                    : j->options.is_known(j->options.context, c->flow, protocol);
    if (is_allowed)
        return;
    char seen[FINDING_TEXT], from[LIST_SIZE];
    text_format(seen, sizeof seen, "%s on port %u, from %s", protocol, c->flow->server.port,
                print_zone(s, &c->client, from));
    struct telling t = {
        .detection = DETECTION_SEG_REMOTE_ACCESS,
        .protocol = protocol,
        .key = "remote",
        .phrase = "opens a remote access session to %T (%O)",
        .expected = s->has_remote ? "only the remote access that the policy allows at this time"
                                  : "no remote access between these two was learned"};
    tell_flow(j, c, &t, protocol, seen, NULL);
}

void site_judge_protocol(struct site_judge *j, const struct ot_flow *flow, const char *protocol,
                         const struct packet *packet)
{
    struct crossing c = crossing_of(j, flow, packet);
    if (protocol)
        judge_remote(j, &c, protocol);
    if (!j->site->is_declared)
        return;
    judge_crossing(j, &c, protocol, true);
    if (j->site->has_internet)
        judge_internet(j, &c, protocol, true);
}

/* --- safety systems --- */

static uint64_t host_key(const struct endpoint *host)
{
    return (host->ip.kind == ADDRESS_NONE ? hash_bytes(&host->mac, sizeof host->mac)
                                          : hash_bytes(&host->ip, sizeof host->ip)) |
           1;
}

bool site_judge_is_safety(struct site_judge *j, const struct endpoint *host, int64_t now_ns)
{
    return j->safety_count > 0 && slots_find(&j->safety, host_key(host), now_ns) != NULL;
}

/* Protocols and services that only safety systems have. */
static bool speaks_safety(const struct ot_event *e)
{
    if (ot_event_is(e, "tristation"))
        return true;
    return e->name && ot_event_is(e, "cip") && strncmp(e->name, "safety_", 7) == 0;
}

static void remember_safety(struct site_judge *j, const struct endpoint *host, int64_t now_ns)
{
    bool is_new;
    slots_take(&j->safety, host_key(host), now_ns, &is_new);
    j->safety_count += is_new;
}

static bool is_act(enum operation op)
{
    return operation_is_change(op) || op == OP_PROGRAM_UPLOAD;
}

static void judge_safety(struct site_judge *j, const struct ot_event *e, const struct verdict *v)
{
    bool is_declared = v && v->is_safety;
    if (!is_act(e->operation) || (is_declared && v->is_master))
        return;
    bool has_masters = is_declared && v->has_masters;
    if (!has_masters && j->options.is_usual(j->options.context, e))
        return;
    char what[FINDING_TEXT];
    text_format(what, sizeof what, "%s %%T, part of a safety system",
                operation_words(e->operation));
    struct telling t = {.detection = DETECTION_PLC_SAFETY_ACCESS,
                        .what = what,
                        .key = "safety",
                        .phrase = "acts on %T, part of a safety system: %O",
                        .expected = has_masters
                                        ? "only its declared masters act on this safety system"
                                        : "nobody acts on a safety system without approval"};
    char object[OBJECT_SIZE];
    text_copy(object, sizeof object, text_of(operation_name(e->operation)));
    for (char *at = object; (at = strchr(at, '_'));)
        *at = ' ';
    tell_event(j, e, &t, object, NULL, FINDING_SAFETY_ASSET);
}

/* --- data access --- */

static bool item_matches(const struct site *s, const struct site_data *d,
                         const struct ot_item *item)
{
    char text[OBJECT_SIZE] = "";
    for (uint32_t i = 0; i < d->object_count; i++) {
        const struct site_object *o = &s->objects[d->object_first + i];
        if (o->area[0]) {
            uint64_t low = item->has_range ? item->low : item->start;
            uint64_t high = item->has_range ? item->high : item->start;
            if (item->area && strcmp(item->area, o->area) == 0 &&
                (item->has_range || item->has_start) && low <= o->high && high >= o->low)
                return true;
            continue;
        }
        if (!text[0])
            ot_item_print(item, text, sizeof text);
        if (fnmatch(o->text, text, FNM_NOESCAPE) == 0)
            return true;
    }
    return d->object_count == 0;
}

static bool event_matches(const struct site *s, const struct site_data *d, const struct ot_event *e,
                          const struct ot_item **which)
{
    *which = e->item_count ? &e->items[0] : NULL;
    if (d->object_count == 0)
        return true;
    for (uint32_t i = 0; i < e->item_count; i++) {
        if (item_matches(s, d, &e->items[i])) {
            *which = &e->items[i];
            return true;
        }
    }
    return false;
}

static bool data_applies(const struct site *s, const struct site_data *d,
                         const struct ot_flow *flow, const char *protocol,
                         const struct site_host *server)
{
    return site_hosts_have(s, &d->targets, server) &&
           site_protocols_have(s, &d->protocols, protocol, flow->transport, flow->server.port);
}

static void tell_data(struct site_judge *j, const struct ot_event *e, const struct site_data *d,
                      const struct ot_item *item, bool is_write)
{
    char object[OBJECT_SIZE] = "", key[FINDING_KEY], expected[FINDING_TEXT];
    if (item)
        ot_item_print(item, object, sizeof object);
    if (!object[0])
        text_copy(object, sizeof object, text_of(e->name ? e->name : "its data"));
    text_format(key, sizeof key, "data rule %s", d->name);
    text_format(expected, sizeof expected, "the policy's rule %s (line %u) names who may %s this",
                d->name, d->line, is_write ? "write" : "read");
    struct telling t = {.detection = is_write ? DETECTION_RW_NEW_WRITER : DETECTION_RW_NEW_ADDRESS,
                        .key = key,
                        .phrase = is_write ? "writes %O of %T, which the policy does not allow"
                                           : "reads %O of %T, which the policy does not allow",
                        .expected = "the policy names who may touch this"};
    tell_event(j, e, &t, object, expected, is_write ? FINDING_IS_WRITE : 0);
}

static void judge_data(struct site_judge *j, const struct ot_event *e)
{
    const struct site *s = j->site;
    bool is_write = operation_is_change(e->operation);
    if (!is_write && e->operation != OP_READ && e->operation != OP_PROGRAM_UPLOAD &&
        e->operation != OP_FILE_READ && e->operation != OP_SUBSCRIBE)
        return;
    uint16_t vlan = vlan_of(e->packet);
    struct site_host client = site_host(s, &e->flow->client, vlan);
    struct site_host server = site_host(s, &e->flow->server, vlan);
    for (uint32_t i = 0; i < s->data_count; i++) {
        const struct site_data *d = &s->data[i];
        const struct site_hosts *who = is_write ? &d->writers : &d->readers;
        const struct ot_item *item;
        if (who->is_given && data_applies(s, d, e->flow, e->protocol, &server) &&
            !site_hosts_have(s, who, &client) && event_matches(s, d, e, &item))
            tell_data(j, e, d, item, is_write);
    }
}

/* --- events --- */

static void judge_verdict(struct site_judge *j, const struct ot_event *e, struct verdict *v)
{
    const struct site *s = j->site;
    struct crossing c = crossing_of(j, e->flow, e->packet);
    *v = (struct verdict){.flow_id = e->flow->id, .protocol = e->protocol, .allowed = UINT32_MAX};
    uint32_t operations;
    if (is_crossing(s, &c) && conduits_permit(s, &c, e->protocol, &operations) == PERMISSION_ALL)
        v->allowed = operations | ALWAYS_ALLOWED;
    if (e->flow->first_ns < j->taken_ns) {
        judge_crossing(j, &c, NULL, false);
        judge_crossing(j, &c, e->protocol, true);
    }
    for (uint32_t i = 0; i < s->data_count; i++) {
        const struct site_data *d = &s->data[i];
        bool may_all = (!d->readers.is_given || site_hosts_have(s, &d->readers, &c.client)) &&
                       (!d->writers.is_given || site_hosts_have(s, &d->writers, &c.client));
        if (!may_all && data_applies(s, d, e->flow, e->protocol, &c.server))
            v->has_data_rules = true;
    }
    for (uint32_t i = 0; i < s->safety_count; i++) {
        const struct site_safety *safety = &s->safety[i];
        if (!site_hosts_have(s, &safety->hosts, &c.server))
            continue;
        v->is_safety = true;
        v->has_masters |= safety->masters.is_given;
        v->is_master |= site_hosts_have(s, &safety->masters, &c.client);
    }
}

static void tell_operation(struct site_judge *j, const struct ot_event *e)
{
    char object[OBJECT_SIZE], expected[FINDING_TEXT], key[FINDING_KEY], what[FINDING_TEXT];
    const char *op = operation_name(e->operation);
    text_format(object, sizeof object, "%s", op);
    text_format(key, sizeof key, "operation %s", op);
    text_format(expected, sizeof expected, "the policy's conduits allow other operations, not %s",
                op);
    text_format(what, sizeof what, "%s %%T, which no conduit between their zones allows",
                operation_words(e->operation));
    struct telling t = {.detection = DETECTION_SEG_ZONE_VIOLATION,
                        .key = key,
                        .what = what,
                        .phrase = "does to %T what no conduit allows between their zones: %O",
                        .expected = "only the operations that the policy's conduits allow"};
    tell_event(j, e, &t, object, expected, 0);
}

void site_judge_event(struct site_judge *j, const struct ot_event *e)
{
    bool is_asked = e->direction == OT_ONEWAY ? e->is_from_client : e->direction == OT_REQUEST;
    bool is_change = is_act(e->operation);
    if (is_change && speaks_safety(e))
        remember_safety(j, &e->flow->server, e->time_ns);
    if (!is_asked && !(e->flags & OT_NO_REQUEST))
        return;
    const struct verdict *v = NULL;
    if (j->wants_events) {
        struct verdict *at =
            &j->verdicts[(e->flow->id ^ (uintptr_t)e->protocol >> 4) % VERDICTS_MAX];
        if (at->flow_id != e->flow->id || at->protocol != e->protocol)
            judge_verdict(j, e, at);
        v = at;
        if (!(v->allowed >> e->operation & 1))
            tell_operation(j, e);
        if (v->has_data_rules)
            judge_data(j, e);
    }
    if (is_change && ((v && v->is_safety) || site_judge_is_safety(j, &e->flow->server, e->time_ns)))
        judge_safety(j, e, v);
}
