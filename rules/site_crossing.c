/* site_crossing.c: who the two ends of a flow are to the policy, and how findings about them are
 * worded. */
#include "rules/site_judge_parts.h"

uint16_t site_vlan_of(const struct packet *p)
{
    return p && p->vlan_count ? p->vlans[0] : VLAN_NONE;
}

struct crossing site_crossing_of(const struct site_judge *j, const struct ot_flow *flow,
                                 const struct packet *packet)
{
    uint16_t vlan = site_vlan_of(packet);
    return (struct crossing){.flow = flow,
                             .packet = packet,
                             .client = site_host(j->site, &flow->client, vlan),
                             .server = site_host(j->site, &flow->server, vlan),
                             .time_ns = packet ? packet->time_ns : flow->last_ns,
                             .vlan = vlan};
}

/* Multicast and broadcast stay on their segment; so do link-local addresses. */
bool site_is_local_only(const struct endpoint *e)
{
    if (e->ip.kind == ADDRESS_NONE || address_is_group(&e->ip) || mac_is_group(&e->mac))
        return true;
    if (e->ip.kind == ADDRESS_IP4)
        return (e->ip.bytes[0] == 169 && e->ip.bytes[1] == 254) || e->ip.bytes[0] == 127 ||
               e->ip.bytes[0] == 0;
    return e->ip.bytes[0] == 0xfe && (e->ip.bytes[1] & 0xc0) == 0x80;
}

const char *site_zone_name(const struct site *s, const struct site_host *h)
{
    return h->zone != NO_ZONE ? s->zones[h->zone].name
           : h->is_internet   ? "the internet"
                              : "no zone";
}

int site_level_of(const struct site *s, const struct site_host *h)
{
    return h->zone != NO_ZONE ? s->zones[h->zone].level : LEVEL_UNKNOWN;
}

/* Office computers are not what is protected here. */
bool site_is_plant(const struct site *s, const struct site_host *h)
{
    return !h->is_internet && site_level_of(s, h) < 40;
}

char *site_print_zone(const struct site *s, const struct site_host *h, char out[LIST_SIZE])
{
    char level[4];
    level_print(level, site_level_of(s, h));
    return text_format(out, LIST_SIZE, "%s%s%s%s%s", h->zone == NO_ZONE ? "" : "zone ",
                       site_zone_name(s, h), level[0] ? " (level " : "", level,
                       level[0] ? ")" : "");
}

char *site_print_service(const struct ot_flow *flow, const char *protocol, char out[LIST_SIZE])
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

/* Raises a finding about a flow. The texts behind it are not kept: they may lie on the stack. */
void site_tell_flow(struct site_judge *j, const struct crossing *c, const struct telling *t,
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

void site_tell_event(struct site_judge *j, const struct ot_event *e, const struct telling *t,
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
