/* site_judge.c: see site_judge.h. */
#include "rules/site_judge_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    CAUSES_MAX = 1024,
    SAFETY_MAX = 256, /* hosts recognised by what they speak */
};

/* Acts that a conduit never forbids: they come before and beside every other one. */
#define ALWAYS_ALLOWED                                                                             \
    (1u << OP_UNKNOWN | 1u << OP_ERROR | 1u << OP_SESSION | 1u << OP_NETMGMT | 1u << OP_PUBLISH |  \
     1u << OP_SUBSCRIBE)

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

/* --- flows --- */

static void judge_crossing(struct site_judge *j, const struct crossing *c, const char *protocol,
                           bool is_final)
{
    const struct site *s = j->site;
    uint32_t operations;
    if (!site_is_crossing(s, c))
        return;
    enum permission permission = site_conduits_permit(s, c, protocol, &operations);
    /* where nothing leads has been told when the flow began; a protocol has to be seen first */
    if (permission == PERMISSION_ALL || is_final == (permission == PERMISSION_NONE))
        return;
    if (!s->has_conduits && !site_skips_level(s, c))
        return;
    site_tell_crossing(j, c, protocol, permission);
}

void site_judge_started(struct site_judge *j, const struct ot_flow *flow,
                        const struct packet *packet)
{
    if (!j->site->is_declared)
        return;
    struct crossing c = site_crossing_of(j, flow, packet);
    if (site_judge_diode(j, &c))
        return;
    judge_crossing(j, &c, NULL, false);
    if (j->site->has_internet)
        site_judge_internet(j, &c, NULL, false);
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
    struct crossing c = site_crossing_of(j, flow, packet);
    if (j->site->is_declared && !site_judge_diode(j, &c) && usual_protocol(flow))
        judge_crossing(j, &c, usual_protocol(flow), true);
    if (!j->site->has_internet)
        site_judge_internet(j, &c, NULL, true);
}

void site_judge_refused(struct site_judge *j, const struct ot_flow *flow,
                        const struct packet *packet)
{
    struct crossing c = site_crossing_of(j, flow, packet);
    if (j->site->is_declared && !site_judge_diode(j, &c))
        judge_crossing(j, &c, usual_protocol(flow), true);
    if (!j->site->has_internet)
        site_judge_internet(j, &c, NULL, true);
}

void site_judge_protocol(struct site_judge *j, const struct ot_flow *flow, const char *protocol,
                         const struct packet *packet)
{
    struct crossing c = site_crossing_of(j, flow, packet);
    if (protocol)
        site_judge_remote(j, &c, protocol);
    /* what a datagram said has been said, whether or not somebody answers */
    if (!j->site->has_internet && protocol && flow->transport == TRANSPORT_UDP)
        site_judge_internet(j, &c, protocol, true);
    if (!j->site->is_declared)
        return;
    judge_crossing(j, &c, protocol, true);
    if (j->site->has_internet)
        site_judge_internet(j, &c, protocol, true);
}

/* --- events --- */

static void judge_verdict(struct site_judge *j, const struct ot_event *e, struct verdict *v)
{
    const struct site *s = j->site;
    struct crossing c = site_crossing_of(j, e->flow, e->packet);
    *v = (struct verdict){.flow_id = e->flow->id, .protocol = e->protocol, .allowed = UINT32_MAX};
    uint32_t operations;
    if (site_is_crossing(s, &c) &&
        site_conduits_permit(s, &c, e->protocol, &operations) == PERMISSION_ALL)
        v->allowed = operations | ALWAYS_ALLOWED;
    if (e->flow->first_ns < j->taken_ns) {
        judge_crossing(j, &c, NULL, false);
        judge_crossing(j, &c, e->protocol, true);
    }
    for (uint32_t i = 0; i < s->data_count; i++) {
        const struct site_data *d = &s->data[i];
        bool may_all = (!d->readers.is_given || site_hosts_have(s, &d->readers, &c.client)) &&
                       (!d->writers.is_given || site_hosts_have(s, &d->writers, &c.client));
        if (!may_all && site_data_applies(s, d, e->flow, e->protocol, &c.server))
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
    site_tell_event(j, e, &t, object, expected, 0);
}

void site_judge_event(struct site_judge *j, const struct ot_event *e)
{
    bool is_asked = e->direction == OT_ONEWAY ? e->is_from_client : e->direction == OT_REQUEST;
    bool is_change = site_is_act(e->operation);
    if (is_change && site_speaks_safety(e))
        site_remember_safety(j, e);
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
            site_judge_data(j, e);
    }
    if (is_change && ((v && v->is_safety) || site_judge_is_safety(j, &e->flow->server, e->time_ns)))
        site_judge_safety(j, e, v);
}
