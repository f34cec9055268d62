/* site_outside.c: contacts with the internet, and remote access from anywhere. */
#include "rules/site_judge_parts.h"

#include <string.h>

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
    if (site_is_local_only(&c->flow->client) || site_is_local_only(&c->flow->server))
        return INTERNET_NONE;
    if (c->server.is_internet && !c->client.is_internet && site_is_plant(s, &c->client))
        return INTERNET_OUT;
    if (c->client.is_internet && !c->server.is_internet && site_is_plant(s, &c->server))
        return INTERNET_IN;
    return INTERNET_NONE;
}

static void tell_internet(struct site_judge *j, const struct crossing *c, enum internet direction,
                          const char *protocol)
{
    char seen[FINDING_TEXT], service[LIST_SIZE];
    site_print_service(c->flow, protocol, service);
    text_format(seen, sizeof seen, "%s", service);
    bool is_out = direction == INTERNET_OUT;
    struct telling t = {
        .detection = is_out ? DETECTION_SEG_INTERNET_EGRESS : DETECTION_SEG_INTERNET_INGRESS,
        .key = "internet",
        .phrase = is_out ? "talks to %T, a public address (%O)"
                         : "opens a session from the internet to %T (%O)",
        .expected = j->site->has_internet ? "only what the policy allows with the internet"
                                          : "no contact with this public address was learned"};
    site_tell_flow(j, c, &t, service, seen, NULL);
}

static bool conduit_to_internet(const struct site *s, const struct crossing *c,
                                const char *protocol)
{
    uint32_t operations;
    return site_conduits_permit(s, c, protocol, &operations) == PERMISSION_ALL;
}

/* With a policy about it every attempt counts; without, contacts that were not learned. */
void site_judge_internet(struct site_judge *j, const struct crossing *c, const char *protocol,
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

void site_judge_remote(struct site_judge *j, const struct crossing *c, const char *protocol)
{
    const struct site *s = j->site;
    bool is_brokered;
    if (!is_remote_access(protocol, &is_brokered) || site_is_local_only(&c->flow->server))
        return;
    if (!site_is_plant(s, &c->server) && !(is_brokered && site_is_plant(s, &c->client)))
        return;
    bool is_allowed = s->has_remote ? access_allows(s, s->remote, s->remote_count, c, protocol)
                                    : j->options.is_known(j->options.context, c->flow, protocol);
    if (is_allowed)
        return;
    char seen[FINDING_TEXT], from[LIST_SIZE];
    text_format(seen, sizeof seen, "%s on port %u, from %s", protocol, c->flow->server.port,
                site_print_zone(s, &c->client, from));
    struct telling t = {
        .detection = DETECTION_SEG_REMOTE_ACCESS,
        .protocol = protocol,
        .key = "remote",
        .phrase = "opens a remote access session to %T (%O)",
        .expected = s->has_remote ? "only the remote access that the policy allows at this time"
                                  : "no remote access between these two was learned"};
    site_tell_flow(j, c, &t, protocol, seen, NULL);
}
