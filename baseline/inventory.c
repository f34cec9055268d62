/* inventory.c: from sightings to devices, and what is new about them.
 *
 * The parts: inventory_segments.c (networks), inventory_hosts.c, inventory_routers.c and
 * inventory_shared.c (whose an address is), inventory_services.c, inventory_roles.c and
 * inventory_facts.c (what a sighting tells of a device), inventory_findings.c (what is told of it).
 */
#include "inventory_state.h"
#include "names.h"
#include "presence.h"

#include <stdlib.h>
#include <string.h>

static const int64_t LOOK_NS = 60 * 1000000000ll;     /* for lost devices */
static const int64_t TICK_MAX_NS = 60 * 1000000000ll; /* a longer gap was not observed */

struct inventory *inventory_create(const struct inventory_options *options,
                                   const struct finding_sink *sink)
{
    struct inventory *inv = calloc(1, sizeof *inv);
    if (!inv)
        return NULL;
    inv->options = *options;
    inv->sink = sink;
    struct scan_options scan = {
        .habit = inventory_habit_of, .is_learning = options->mode == MODE_LEARN, .context = inv};
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

static void take_sighting(struct inventory *inv, const struct sighting *s)
{
    uint32_t segment = inventory_segment_of(inv, s->segment);
    inv->segments[segment].seen_ns = s->time_ns;
    if (inv->segments[segment].first_ns == 0)
        inv->segments[segment].first_ns = s->time_ns;
    if (s->time_ns > inv->now_ns)
        inv->now_ns = s->time_ns;
    inventory_pending_flush(inv, s->time_ns, false);

    if (s->kind == SIGHTING_FACT && names_is_hearsay(s->protocol)) {
        inventory_on_hearsay(inv, segment, s);
        return;
    }
    bool is_answer = s->kind == SIGHTING_ROLE && (s->detail & ROLE_ANSWERED);
    if (is_answer) /* to a broadcast, too */
        inventory_on_answered_role(inv, segment, s);
    /* who is answered need not be there */
    struct asset *a = is_answer
                          ? inventory_host_find(inv, segment, &s->who)
                          : inventory_host_of(inv, segment, s, &s->who, s->kind == SIGHTING_ARP);
    scans_sighting(inv->scans, s);
    floods_sighting(inv->floods, s, inventory_is_silent(inv, segment));
    if (!a)
        return;
    if (s->time_ns > a->last_ns)
        a->last_ns = s->time_ns;
    presence_heard(a, s->time_ns, inv->options.mode != MODE_DETECT);
    if (inv->is_said)
        inventory_hearsay_recall(inv);
    a->is_dirty = true;
    vlan_add(a, s->vlan);
    switch (s->kind) {
    case SIGHTING_HOST:
        a->packets += s->packets;
        a->bytes += s->bytes;
        break;
    case SIGHTING_ANSWER:
        inventory_on_answer(inv, segment, a, s);
        break;
    case SIGHTING_PROTOCOL:
        inventory_on_protocol(inv, segment, inventory_take_own_mac(inv, segment, a, s), s);
        break;
    case SIGHTING_ROLE:
        inventory_on_role(inv, segment, a, s);
        break;
    case SIGHTING_FACT:
        a = inventory_on_fact(inv, segment, a, s);
        inventory_take_own_mac(inv, segment, a, s);
        break;
    case SIGHTING_NEW_CLIENT:
        inventory_on_new_client(inv, segment, a, s);
        break;
    case SIGHTING_INFRASTRUCTURE:
        if (infrastructure_sighting(inv->infrastructure, segment, s,
                                    inventory_is_silent(inv, segment), a->is_new))
            inventory_something_new(inv, segment);
        break;
    case SIGHTING_WRITE:
        masters_sighting(inv->masters, s, inventory_is_silent(inv, segment));
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
        inventory_addresses_age(inv, a, time_ns);
        if (was_away || time_ns - inv->segments[a->segment].seen_ns > PRESENT_NS)
            presence_blind(a, time_ns);
        else if (!inventory_is_silent(inv, a->segment) && !inventory_is_far_away(a) &&
                 presence_is_lost(a, time_ns))
            inventory_tell_lost(inv, a, time_ns);
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
            inventory_segment_tick(inv, &inv->segments[i], time_ns, passed_ns);
    inventory_pending_flush(inv, time_ns, is_last);
    bindings_tick(inv->bindings, time_ns, is_last, inventory_ip_moved, inv);
    look_for_lost(inv, time_ns);
    scans_tick(inv->scans, is_last ? time_ns + PENDING_NS : time_ns);
    floods_tick(inv->floods, time_ns);
    inv->changes++;
}

bool inventory_is_local(const struct inventory *inv, uint32_t segment, const struct endpoint *host)
{
    uint32_t at = inventory_segment_find(inv, segment);
    const struct asset *a = at == INDEX_NONE ? NULL : inventory_host_find(inv, at, host);
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
    uint32_t at = inventory_segment_find(inv, segment);
    const struct asset *a = at == INDEX_NONE ? NULL : inventory_host_find(inv, at, host);
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
