/* site_acts.c: who acts on safety systems, and who touches data that the policy guards. */
#include "rules/site_judge_parts.h"

#include "sensor/base/hash.h"

#include <fnmatch.h>
#include <string.h>

/* --- safety systems --- */

static uint64_t host_key(const struct endpoint *host)
{
    return (host->ip.kind == ADDRESS_NONE ? hash_bytes(&host->mac, sizeof host->mac)
                                          : hash_bytes(&host->ip, sizeof host->ip)) |
           1;
}

static uint64_t mac_key(const struct endpoint *host)
{
    return host_key(&(struct endpoint){.mac = host->mac});
}

bool site_judge_is_safety(struct site_judge *j, const struct endpoint *host, int64_t now_ns)
{
    return j->safety_count > 0 && slots_find(&j->safety, host_key(host), now_ns) != NULL;
}

/* Protocols and services that only safety systems have. */
bool site_speaks_safety(const struct ot_event *e)
{
    if (e->flags & OT_SAFETY || ot_event_is(e, "tristation"))
        return true;
    return e->name && ot_event_is(e, "cip") && strncmp(e->name, "safety_", 7) == 0;
}

static void remember(struct site_judge *j, uint64_t key, const struct ot_event *e)
{
    bool is_new;
    struct safety_host *host = slots_take(&j->safety, key, e->time_ns, &is_new);
    j->safety_count += is_new;
    if (!host->controller && e->flags & OT_SAFETY)
        host->controller = host_key(&e->flow->client);
}

void site_remember_safety(struct site_judge *j, const struct ot_event *e)
{
    remember(j, host_key(&e->flow->server), e);
    /* what sets safe stations up is their neighbour: a name or an address is set by the MAC */
    if (e->flags & OT_SAFETY && e->flow->server.ip.kind != ADDRESS_NONE)
        remember(j, mac_key(&e->flow->server), e);
}

/* The controller that sets a safe station up does so with every start of it. */
static bool is_set_up(struct site_judge *j, const struct ot_event *e)
{
    const struct safety_host *host =
        j->safety_count ? slots_find(&j->safety, host_key(&e->flow->server), e->time_ns) : NULL;
    return host && host->controller == host_key(&e->flow->client) && ot_event_is(e, "pnio_cm");
}

bool site_is_act(enum operation op)
{
    return operation_is_change(op) || op == OP_PROGRAM_UPLOAD;
}

void site_judge_safety(struct site_judge *j, const struct ot_event *e, const struct verdict *v)
{
    bool is_declared = v && v->is_safety;
    if (!site_is_act(e->operation) || (is_declared && v->is_master))
        return;
    bool has_masters = is_declared && v->has_masters;
    if (!has_masters && (is_set_up(j, e) || j->options.is_usual(j->options.context, e)))
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
    site_tell_event(j, e, &t, object, NULL, FINDING_SAFETY_ASSET);
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

bool site_data_applies(const struct site *s, const struct site_data *d, const struct ot_flow *flow,
                       const char *protocol, const struct site_host *server)
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
    site_tell_event(j, e, &t, object, expected, is_write ? FINDING_IS_WRITE : 0);
}

void site_judge_data(struct site_judge *j, const struct ot_event *e)
{
    const struct site *s = j->site;
    bool is_write = operation_is_change(e->operation);
    if (!is_write && e->operation != OP_READ && e->operation != OP_PROGRAM_UPLOAD &&
        e->operation != OP_FILE_READ && e->operation != OP_SUBSCRIBE)
        return;
    uint16_t vlan = site_vlan_of(e->packet);
    struct site_host client = site_host(s, &e->flow->client, vlan);
    struct site_host server = site_host(s, &e->flow->server, vlan);
    for (uint32_t i = 0; i < s->data_count; i++) {
        const struct site_data *d = &s->data[i];
        const struct site_hosts *who = is_write ? &d->writers : &d->readers;
        const struct ot_item *item;
        if (who->is_given && site_data_applies(s, d, e->flow, e->protocol, &server) &&
            !site_hosts_have(s, who, &client) && event_matches(s, d, e, &item))
            tell_data(j, e, d, item, is_write);
    }
}
