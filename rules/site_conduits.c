/* site_conduits.c: may this cross from zone to zone, and from level to level? */
#include "rules/site_judge_parts.h"

#include <string.h>

static bool leads(const struct site *s, const struct site_conduit *c, const struct site_host *from,
                  const struct site_host *to)
{
    return (site_hosts_have(s, &c->from, from) && site_hosts_have(s, &c->to, to)) ||
           (c->is_both && site_hosts_have(s, &c->from, to) && site_hosts_have(s, &c->to, from));
}

/* What conduits say of a flow; *operations are those that all of them together allow. */
enum permission site_conduits_permit(const struct site *s, const struct crossing *c,
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

bool site_skips_level(const struct site *s, const struct crossing *c)
{
    int a = site_level_of(s, &c->client), b = site_level_of(s, &c->server);
    if (a == LEVEL_UNKNOWN || b == LEVEL_UNKNOWN)
        return false;
    int distance = rung(s, a) - rung(s, b);
    return distance > 1 || distance < -1;
}

/* Both ends are of the plant or of its neighbours, in different zones. */
bool site_is_crossing(const struct site *s, const struct crossing *c)
{
    if (s->zone_count == 0 || site_is_local_only(&c->flow->client) ||
        site_is_local_only(&c->flow->server))
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

void site_tell_crossing(struct site_judge *j, const struct crossing *c, const char *protocol,
                        enum permission permission)
{
    const struct site *s = j->site;
    char from[LIST_SIZE], to[LIST_SIZE], allowed[LIST_SIZE], service[LIST_SIZE];
    char seen[FINDING_TEXT], expected[FINDING_TEXT], object[OBJECT_SIZE];
    bool is_skip = site_skips_level(s, c);
    bool is_other = permission == PERMISSION_OTHER;
    site_print_service(c->flow, protocol, service);
    site_print_zone(s, &c->client, from);
    site_print_zone(s, &c->server, to);
    text_format(object, sizeof object, "%.40s to %.40s", site_zone_name(s, &c->client),
                site_zone_name(s, &c->server));
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
    site_tell_flow(j, c, &t, object, seen, expected);
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
bool site_judge_diode(struct site_judge *j, const struct crossing *c)
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
                site_print_service(c->flow, "", service), site_print_zone(s, from, a),
                site_print_zone(s, to, b));
    text_format(expected, sizeof expected, "nothing ever comes back: one-way conduit of line %u",
                conduit->line);
    struct telling t = {.detection = DETECTION_SEG_DIODE_VIOLATION,
                        .key = "diode",
                        .phrase = "sent a packet to %T against a one-way conduit",
                        .expected = "nothing ever comes back through a one-way conduit",
                        .is_actor_server = is_from_server};
    site_tell_flow(j, c, &t, "", seen, expected);
    return true;
}
