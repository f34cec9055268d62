/* asset_store.c: what the inventory writes into its tables, and when. inventory_schema.c has the
 * tables, asset_load.c is the way back. */
#include "asset_override.h"
#include "geo.h"
#include "inventory_state.h"
#include "oui.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SENSOR_NAME_SIZE = 64 };

/* --- rows, as they are posted --- */

struct owner {
    char sensor[SENSOR_NAME_SIZE], segment[SEGMENT_NAME_SIZE];
};

struct segment_row {
    struct owner owner;
    struct inventory_segment segment;
};

struct asset_row {
    struct owner owner;
    struct asset asset;
    struct site_place place;
    struct asset_guess guess;
    char maker[ASSET_FACT_TEXT];
    struct geo_place geo;
    char role[128], name[ASSET_FACT_TEXT], serial[ASSET_FACT_TEXT];
    char protocols[ASSET_PROTOCOLS_MAX][PROTOCOL_NAME_SIZE];
};

struct service_row {
    struct owner owner;
    char asset[ASSET_ID_SIZE], protocol[PROTOCOL_NAME_SIZE];
    struct asset_service service;
};

struct fact_row {
    struct owner owner;
    char asset[ASSET_ID_SIZE], protocol[PROTOCOL_NAME_SIZE];
    struct asset_fact fact;
};

struct binding_row {
    struct owner owner;
    struct binding_entry entry;
};

/* --- writing --- */

/* Binds parameters one after the other. */
struct binder {
    sqlite3_stmt *statement;
    int at;
};

static void bind_text(struct binder *b, const char *text)
{
    sqlite3_bind_text(b->statement, ++b->at, text, -1, SQLITE_TRANSIENT);
}

static void bind_integer(struct binder *b, int64_t value)
{
    sqlite3_bind_int64(b->statement, ++b->at, value);
}

static bool segment_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    assert(size == sizeof(struct segment_row));
    const struct segment_row *row = data;
    struct binder b = {store_statement(store,
                                       "INSERT OR REPLACE INTO segments (sensor, name, first_ns,"
                                       " observed_ns, quiet_ns, is_settled, number) VALUES"
                                       " (?,?,?,?,?,?,?)",
                                       err),
                       0};
    if (!b.statement)
        return false;
    bind_text(&b, row->owner.sensor);
    bind_text(&b, row->segment.name);
    bind_integer(&b, row->segment.first_ns);
    bind_integer(&b, row->segment.observed_ns);
    bind_integer(&b, row->segment.quiet_ns);
    bind_integer(&b, row->segment.is_settled);
    bind_integer(&b, row->segment.has_number ? (int64_t)row->segment.number : -1);
    return store_step(store, b.statement, err);
}

static bool alias_write(struct store *store, const struct asset_row *row, const char *kind,
                        const char *value, int position, bool is_confirmed, struct error *err)
{
    struct binder b = {store_statement(store,
                                       "INSERT OR REPLACE INTO asset_aliases (sensor, asset, kind,"
                                       " value, position, is_confirmed) VALUES (?,?,?,?,?,?)",
                                       err),
                       0};
    if (!b.statement)
        return false;
    bind_text(&b, row->owner.sensor);
    bind_text(&b, row->asset.id);
    bind_text(&b, kind);
    bind_text(&b, value);
    bind_integer(&b, position);
    bind_integer(&b, is_confirmed);
    return store_step(store, b.statement, err);
}

/* The addresses that it has now replace those it had. */
static bool aliases_write(struct store *store, const struct asset_row *row, struct error *err)
{
    const struct asset *a = &row->asset;
    struct binder b = {
        store_statement(store, "DELETE FROM asset_aliases WHERE sensor = ? AND asset = ?", err), 0};
    if (!b.statement)
        return false;
    bind_text(&b, row->owner.sensor);
    bind_text(&b, a->id);
    bool ok = store_step(store, b.statement, err);
    char text[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE];
    for (int i = 0; ok && i < a->ip_count; i++)
        ok = alias_write(store, row, "ip", address_print(text, &a->ips[i]), i,
                         a->is_ip_confirmed[i], err);
    for (int i = 0; ok && i < a->mac_count; i++)
        ok = alias_write(store, row, "mac", mac_print(mac, &a->macs[i]), i, true, err);
    for (int i = 0; ok && i < a->former_count; i++)
        ok = alias_write(store, row, "former", a->former[i], i, true, err);
    if (ok && row->serial[0] != '\0')
        ok = alias_write(store, row, "serial", row->serial, 0, true, err);
    return ok;
}

static bool protocols_write(struct store *store, const struct asset_row *row, struct error *err)
{
    for (int i = 0; i < row->asset.protocol_count; i++) {
        struct binder b = {
            store_statement(store,
                            "INSERT OR REPLACE INTO asset_protocols (sensor, asset, name, position,"
                            " is_served, is_used) VALUES (?,?,?,?,?,?)",
                            err),
            0};
        if (!b.statement)
            return false;
        bind_text(&b, row->owner.sensor);
        bind_text(&b, row->asset.id);
        bind_text(&b, row->protocols[i]);
        bind_integer(&b, i);
        bind_integer(&b, row->asset.protocols[i].is_served);
        bind_integer(&b, row->asset.protocols[i].is_used);
        if (!store_step(store, b.statement, err))
            return false;
    }
    return true;
}

static bool place_write(struct store *store, const struct asset_row *row, struct error *err)
{
    char level[4];
    struct binder b = {store_statement(store,
                                       "INSERT OR REPLACE INTO asset_places (sensor, asset, zone,"
                                       " level, is_safety, is_critical) VALUES (?,?,?,?,?,?)",
                                       err),
                       0};
    if (!b.statement)
        return false;
    bind_text(&b, row->owner.sensor);
    bind_text(&b, row->asset.id);
    bind_text(&b, row->place.zone);
    bind_text(&b, level_print(level, row->place.level));
    bind_integer(&b, row->place.is_safety);
    bind_integer(&b, row->place.is_critical);
    return store_step(store, b.statement, err);
}

/* An asset that turned out to be another one leaves only its id, as a former id of the other. */
static bool former_remove(struct store *store, const struct asset_row *row, struct error *err)
{
    static const char *const tables[] = {
        "DELETE FROM assets WHERE sensor = ? AND id = ?",
        "DELETE FROM asset_aliases WHERE sensor = ? AND asset = ?",
        "DELETE FROM asset_protocols WHERE sensor = ? AND asset = ?",
        "DELETE FROM asset_places WHERE sensor = ? AND asset = ?",
        "DELETE FROM services WHERE sensor = ? AND asset = ?",
        "DELETE FROM facts WHERE sensor = ? AND asset = ?",
    };
    for (int i = 0; i < row->asset.former_count; i++) {
        if (!asset_overrides_move(store, row->owner.sensor, row->asset.former[i], row->asset.id,
                                  err))
            return false;
        for (size_t j = 0; j < sizeof tables / sizeof *tables; j++) {
            struct binder b = {store_statement(store, tables[j], err), 0};
            if (!b.statement)
                return false;
            bind_text(&b, row->owner.sensor);
            bind_text(&b, row->asset.former[i]);
            if (!store_step(store, b.statement, err))
                return false;
        }
    }
    return true;
}

static bool asset_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    assert(size == sizeof(struct asset_row));
    const struct asset_row *row = data;
    const struct asset *a = &row->asset;
    char vlans[ASSET_VLANS_MAX * 6 + 1] = "", level[4];
    for (size_t i = 0; i < a->vlan_count; i++) {
        size_t used = strlen(vlans);
        text_format(vlans + used, sizeof vlans - used, "%s%u", used ? ";" : "", a->vlans[i]);
    }
    if (!former_remove(store, row, err))
        return false;
    /* an asset that was forgotten for want of room and came back has been known since its first
     * sight */
    struct binder b = {
        store_statement(
            store,
            "INSERT INTO assets (sensor, id, segment, first_ns, last_ns, changed_ns, flags, "
            "operations,"
            " suffered, packets, bytes, foreign_count, most_hosts, most_ports, most_arp, class, "
            "role,"
            " name, vlans, longest_pause_ns, present_ns, class_why, class_confidence, level, plant,"
            " usual, maker, geo_place, geo_owner) VALUES "
            "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
            " ON CONFLICT (sensor, id) DO UPDATE SET first_ns = min(first_ns, excluded.first_ns),"
            " last_ns = excluded.last_ns, changed_ns = excluded.changed_ns, flags = excluded.flags,"
            " operations = excluded.operations, suffered = excluded.suffered,"
            " packets = excluded.packets, bytes = excluded.bytes,"
            " foreign_count = excluded.foreign_count, most_hosts = excluded.most_hosts,"
            " most_ports = excluded.most_ports, most_arp = excluded.most_arp, class = "
            "excluded.class,"
            " role = excluded.role, name = excluded.name, vlans = excluded.vlans,"
            " longest_pause_ns = excluded.longest_pause_ns, present_ns = excluded.present_ns,"
            " class_why = excluded.class_why, class_confidence = excluded.class_confidence,"
            " level = excluded.level, plant = excluded.plant, usual = excluded.usual,"
            " maker = excluded.maker, geo_place = excluded.geo_place, geo_owner = "
            "excluded.geo_owner",
            err),
        0};
    if (!b.statement)
        return false;
    bind_text(&b, row->owner.sensor);
    bind_text(&b, a->id);
    bind_text(&b, row->owner.segment);
    bind_integer(&b, a->first_ns);
    bind_integer(&b, a->last_ns);
    bind_integer(&b, a->changed_ns);
    bind_integer(&b, a->flags);
    bind_integer(&b, (int64_t)a->operations);
    bind_integer(&b, (int64_t)a->suffered);
    bind_integer(&b, (int64_t)a->packets);
    bind_integer(&b, (int64_t)a->bytes);
    bind_integer(&b, a->foreign_count);
    for (size_t i = 0; i < SCAN_KIND_COUNT; i++)
        bind_integer(&b, a->habit.most[i]);
    bind_text(&b, row->guess.class);
    bind_text(&b, row->role);
    bind_text(&b, row->name);
    bind_text(&b, vlans);
    bind_integer(&b, a->longest_pause_ns);
    bind_integer(&b, a->present_ns);
    bind_text(&b, row->guess.why);
    bind_integer(&b, row->guess.confidence);
    bind_text(&b, level_print(level, row->guess.level));
    bind_integer(&b, (int64_t)a->plant);
    bind_integer(&b, (int64_t)a->usual);
    bind_text(&b, row->maker);
    bind_text(&b, row->geo.place);
    bind_text(&b, row->geo.owner);
    return store_step(store, b.statement, err) && aliases_write(store, row, err) &&
           protocols_write(store, row, err) && place_write(store, row, err);
}

static bool service_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    assert(size == sizeof(struct service_row));
    const struct service_row *row = data;
    struct binder b = {
        store_statement(store,
                        "INSERT OR REPLACE INTO services (sensor, asset, transport, port, protocol,"
                        " flags, first_ns, last_ns, count) VALUES (?,?,?,?,?,?,?,?,?)",
                        err),
        0};
    if (!b.statement)
        return false;
    bind_text(&b, row->owner.sensor);
    bind_text(&b, row->asset);
    bind_integer(&b, row->service.transport);
    bind_integer(&b, row->service.port);
    bind_text(&b, row->protocol);
    bind_integer(&b, row->service.flags);
    bind_integer(&b, row->service.first_ns);
    bind_integer(&b, row->service.last_ns);
    bind_integer(&b, (int64_t)row->service.count);
    return store_step(store, b.statement, err);
}

/* A state fact (mode, key switch...) changes in place: its old value goes. */
static bool fact_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    assert(size == sizeof(struct fact_row));
    const struct fact_row *row = data;
    const struct asset_fact *f = &row->fact;
    if (!asset_fact_is_identity((enum fact_kind)f->kind) &&
        !asset_fact_is_list((enum fact_kind)f->kind)) {
        struct binder d = {store_statement(store,
                                           "DELETE FROM facts WHERE sensor = ? AND asset = ? AND"
                                           " kind = ? AND unit = ? AND protocol = ?",
                                           err),
                           0};
        if (!d.statement)
            return false;
        bind_text(&d, row->owner.sensor);
        bind_text(&d, row->asset);
        bind_text(&d, fact_name((enum fact_kind)f->kind));
        bind_text(&d, f->unit);
        bind_text(&d, row->protocol);
        if (!store_step(store, d.statement, err))
            return false;
    }
    struct binder b = {
        store_statement(store,
                        "INSERT OR REPLACE INTO facts (sensor, asset, kind, unit, protocol, value,"
                        " is_current, first_ns, last_ns, count) VALUES (?,?,?,?,?,?,?,?,?,?)",
                        err),
        0};
    if (!b.statement)
        return false;
    bind_text(&b, row->owner.sensor);
    bind_text(&b, row->asset);
    bind_text(&b, fact_name((enum fact_kind)f->kind));
    bind_text(&b, f->unit);
    bind_text(&b, row->protocol);
    bind_text(&b, f->text);
    bind_integer(&b, f->is_current);
    bind_integer(&b, f->first_ns);
    bind_integer(&b, f->last_ns);
    bind_integer(&b, (int64_t)f->count);
    return store_step(store, b.statement, err);
}

static bool binding_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    assert(size == sizeof(struct binding_row));
    const struct binding_row *row = data;
    char ip[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE];
    address_print(ip, &row->entry.ip);
    struct binder d = {
        store_statement(store, "DELETE FROM bindings WHERE sensor = ? AND segment = ? AND ip = ?",
                        err),
        0};
    if (!d.statement)
        return false;
    bind_text(&d, row->owner.sensor);
    bind_text(&d, row->owner.segment);
    bind_text(&d, ip);
    if (!store_step(store, d.statement, err))
        return false;
    for (size_t i = 0; i < row->entry.count; i++) {
        const struct binding *pair = &row->entry.macs[i];
        struct binder b = {
            store_statement(store,
                            "INSERT INTO bindings (sensor, segment, ip, mac, first_ns, last_ns,"
                            " count, is_learned, is_arp) VALUES (?,?,?,?,?,?,?,?,?)",
                            err),
            0};
        if (!b.statement)
            return false;
        bind_text(&b, row->owner.sensor);
        bind_text(&b, row->owner.segment);
        bind_text(&b, ip);
        bind_text(&b, mac_print(mac, &pair->mac));
        bind_integer(&b, pair->first_ns);
        bind_integer(&b, pair->last_ns);
        bind_integer(&b, (int64_t)pair->count);
        bind_integer(&b, pair->is_learned);
        bind_integer(&b, pair->is_arp);
        if (!store_step(store, b.statement, err))
            return false;
    }
    return true;
}

static struct owner owner_of(const struct inventory *inv, uint32_t segment)
{
    struct owner owner;
    text_copy(owner.sensor, sizeof owner.sensor, text_of(inv->options.sensor));
    memcpy(owner.segment, inv->segments[segment].name, sizeof owner.segment);
    return owner;
}

/* What lists of others say of its addresses. */
static void look_up(const struct inventory *inv, const struct asset *a, struct asset_row *row)
{
    const char *maker = a->mac_count > 0 && !(a->flags & ASSET_PROXY)
                            ? oui_find(inv->options.oui, &a->macs[0])
                            : NULL;
    text_copy(row->maker, sizeof row->maker, text_of(maker));
    if (a->ip_count > 0 && address_is_public(&a->ips[0]))
        geo_find(inv->options.geo, &a->ips[0], &row->geo);
}

static void asset_save(struct inventory *inv, struct asset *a, struct store_queue *queue)
{
    const struct assets *t = &inv->assets;
    struct asset_row row = {.owner = owner_of(inv, a->segment), .asset = *a};
    asset_role(t, a, row.role, sizeof row.role);
    text_copy(row.name, sizeof row.name, text_of(asset_name(t, a)));
    text_copy(row.serial, sizeof row.serial, text_of(asset_serial(t, a)));
    struct endpoint host = {0};
    if (a->ip_count)
        host.ip = a->ips[0];
    if (a->mac_count && !(a->flags & ASSET_PROXY))
        host.mac = a->macs[0];
    inventory_place(inv, &host, a->vlan_count ? a->vlans[0] : VLAN_NONE, &row.place);
    asset_guess(t, a, &row.place, &row.guess);
    look_up(inv, a, &row);
    for (size_t i = 0; i < a->protocol_count; i++)
        memcpy(row.protocols[i], assets_protocol_name(t, a->protocols[i].name), PROTOCOL_NAME_SIZE);
    store_post(queue, asset_apply, &row, sizeof row);

    for (uint32_t i = a->first_service; i != INDEX_NONE; i = t->services[i].next) {
        struct asset_service *s = &t->services[i];
        if (!s->is_dirty)
            continue;
        s->is_dirty = false;
        struct service_row service = {.owner = row.owner, .service = *s};
        memcpy(service.asset, a->id, sizeof service.asset);
        memcpy(service.protocol, assets_protocol_name(t, s->protocol), PROTOCOL_NAME_SIZE);
        store_post(queue, service_apply, &service, sizeof service);
    }
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        struct asset_fact *f = &t->facts[i];
        if (!f->is_dirty)
            continue;
        f->is_dirty = false;
        struct fact_row fact = {.owner = row.owner, .fact = *f};
        memcpy(fact.asset, a->id, sizeof fact.asset);
        memcpy(fact.protocol, assets_protocol_name(t, f->protocol), PROTOCOL_NAME_SIZE);
        store_post(queue, fact_apply, &fact, sizeof fact);
    }
}

struct saving {
    struct inventory *inv;
    struct store_queue *queue;
};

static void binding_save(void *context, const struct binding_entry *entry)
{
    const struct saving *saving = context;
    struct binding_row row = {.owner = owner_of(saving->inv, entry->segment), .entry = *entry};
    store_post(saving->queue, binding_apply, &row, sizeof row);
}

static const char *name_of_segment(void *context, uint32_t segment)
{
    const struct inventory *inv = context;
    return inv->segments[segment].name;
}

static uint32_t segment_named(void *context, const char *name)
{
    return inventory_segment_named(context, name);
}

struct infrastructure_names inventory_names(struct inventory *inv)
{
    return (struct infrastructure_names){inv->options.sensor, name_of_segment, segment_named, inv};
}

void inventory_save(struct inventory *inv, struct store_queue *queue)
{
    for (size_t i = 0; i < inv->segment_count; i++) {
        if (!inv->segments[i].is_dirty)
            continue;
        inv->segments[i].is_dirty = false;
        struct segment_row row = {.owner = owner_of(inv, (uint32_t)i), .segment = inv->segments[i]};
        store_post(queue, segment_apply, &row, sizeof row);
    }
    for (size_t i = 0; i < inv->assets.count; i++) {
        struct asset *a = &inv->assets.list[i];
        if (!a->is_used || !a->is_dirty)
            continue;
        a->is_dirty = false;
        asset_save(inv, a, queue);
    }
    struct saving saving = {inv, queue};
    bindings_changed(inv->bindings, binding_save, &saving);
    const struct infrastructure_names names = inventory_names(inv);
    infrastructure_save(inv->infrastructure, queue, &names);
    floods_save(inv->floods, queue, inv->options.sensor);
}
