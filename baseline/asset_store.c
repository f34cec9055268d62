/* asset_store.c: the inventory's tables in the store: what is written when, and how it comes back.
 */
#include "asset_override.h"
#include "geo.h"
#include "inventory_state.h"
#include "oui.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SENSOR_NAME_SIZE = 64 };

static const char *const migrations[] = {
    /* 0 -> 1 */
    "CREATE TABLE segments (sensor TEXT NOT NULL, name TEXT NOT NULL, first_ns INTEGER NOT NULL,"
    " observed_ns INTEGER NOT NULL, quiet_ns INTEGER NOT NULL, is_settled INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, name)) WITHOUT ROWID;"
    "CREATE TABLE assets (sensor TEXT NOT NULL, id TEXT NOT NULL, segment TEXT NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, operations INTEGER NOT NULL, suffered INTEGER NOT NULL,"
    " packets INTEGER NOT NULL, bytes INTEGER NOT NULL, foreign_count INTEGER NOT NULL,"
    " most_hosts INTEGER NOT NULL, most_ports INTEGER NOT NULL, most_arp INTEGER NOT NULL,"
    " class TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, vlans TEXT NOT NULL,"
    " PRIMARY KEY (sensor, id)) WITHOUT ROWID;"
    "CREATE INDEX assets_by_last ON assets (sensor, last_ns);"
    "CREATE TABLE asset_aliases (sensor TEXT NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL,"
    " value TEXT NOT NULL, position INTEGER NOT NULL, is_confirmed INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, kind, value)) WITHOUT ROWID;"
    "CREATE INDEX asset_aliases_by_value ON asset_aliases (sensor, kind, value);"
    "CREATE TABLE asset_protocols (sensor TEXT NOT NULL, asset TEXT NOT NULL, name TEXT NOT NULL,"
    " position INTEGER NOT NULL, is_served INTEGER NOT NULL, is_used INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, name)) WITHOUT ROWID;"
    "CREATE TABLE services (sensor TEXT NOT NULL, asset TEXT NOT NULL, transport INTEGER NOT NULL,"
    " port INTEGER NOT NULL, protocol TEXT NOT NULL, flags INTEGER NOT NULL, first_ns INTEGER NOT "
    "NULL,"
    " last_ns INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, transport, port)) WITHOUT ROWID;"
    "CREATE TABLE facts (sensor TEXT NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL,"
    " unit TEXT NOT NULL, protocol TEXT NOT NULL, value TEXT NOT NULL, is_current INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, kind, unit, protocol, value)) WITHOUT ROWID;"
    "CREATE TABLE bindings (sensor TEXT NOT NULL, segment TEXT NOT NULL, ip TEXT NOT NULL,"
    " mac TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, count INTEGER NOT "
    "NULL,"
    " is_learned INTEGER NOT NULL, is_arp INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, segment, ip, mac)) WITHOUT ROWID;",
    /* 1 -> 2: where the site policy says that an asset stands */
    "CREATE TABLE asset_places (sensor TEXT NOT NULL, asset TEXT NOT NULL, zone TEXT NOT NULL,"
    " level TEXT NOT NULL, is_safety INTEGER NOT NULL, is_critical INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset)) WITHOUT ROWID;",
    /* 2 -> 3: who holds the roles of a network */
    "CREATE TABLE infrastructure (sensor TEXT NOT NULL, segment TEXT NOT NULL, role TEXT NOT NULL,"
    " identity TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
    " count INTEGER NOT NULL, is_learned INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, segment, role, identity)) WITHOUT ROWID;",
    /* the rhythm of its presence */
    "ALTER TABLE assets ADD COLUMN longest_pause_ns INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE assets ADD COLUMN present_ns INTEGER NOT NULL DEFAULT 0;",
    /* what people said of an asset: asset_override.h */
    "CREATE TABLE asset_overrides (sensor TEXT NOT NULL, asset TEXT NOT NULL, field TEXT NOT NULL,"
    " value TEXT NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, field)) WITHOUT ROWID;",
    /* why it is taken for what it is; what it does with the plant's protocols, and is there for */
    "ALTER TABLE assets ADD COLUMN class_why TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN class_confidence INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE assets ADD COLUMN level TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN plant INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE assets ADD COLUMN usual INTEGER NOT NULL DEFAULT 0;"
    "UPDATE assets SET plant = operations, usual = operations;",
    /* guesses: who made its network part; where its public address is, and whose */
    "ALTER TABLE assets ADD COLUMN maker TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN geo_place TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN geo_owner TEXT NOT NULL DEFAULT '';",
    /* the number by which the baseline knows it; -1: not known */
    "ALTER TABLE segments ADD COLUMN number INTEGER NOT NULL DEFAULT -1;",
    /* the plant's own list of its devices: declared.h; value in the spelling of the other tables */
    "CREATE TABLE declared_list (name TEXT NOT NULL, rows INTEGER NOT NULL, by TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL);"
    "CREATE TABLE declared (line INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (line, field)) WITHOUT ROWID;"
    "CREATE TABLE declared_keys (kind TEXT NOT NULL, value TEXT NOT NULL COLLATE NOCASE,"
    " line INTEGER NOT NULL, PRIMARY KEY (kind, value, line)) WITHOUT ROWID;"
    "CREATE INDEX assets_by_name ON assets (name COLLATE NOCASE) WHERE name <> '';"
    "CREATE INDEX facts_by_host_name ON facts (value COLLATE NOCASE) WHERE kind = 'host_name';"
    "CREATE INDEX facts_by_ip ON facts (value) WHERE kind = 'ip';"
    "CREATE INDEX facts_by_serial ON facts (value COLLATE NOCASE) WHERE kind = 'serial_number';",
    /* services so busy that more is usual there: flood.h */
    "CREATE TABLE floods (sensor TEXT NOT NULL, segment INTEGER NOT NULL, kind TEXT NOT NULL,"
    " transport INTEGER NOT NULL, ip TEXT NOT NULL, mac TEXT NOT NULL, port INTEGER NOT NULL,"
    " usual INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, segment, kind, transport, ip, mac, port)) WITHOUT ROWID;",
    NULL,
};

const struct store_schema inventory_schema = {.name = "inventory", .migrations = migrations};

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

static struct infrastructure_names names_of(struct inventory *inv)
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
    const struct infrastructure_names names = names_of(inv);
    infrastructure_save(inv->infrastructure, queue, &names);
    floods_save(inv->floods, queue, inv->options.sensor);
}

/* --- reading --- */

static const char *column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

/* Calls row for each result row of a query about this sensor. */
static bool each_row(struct store *store, const char *sql, struct inventory *inv,
                     void (*row)(struct inventory *inv, sqlite3_stmt *statement), struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, sql, err);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, inv->options.sensor, -1, SQLITE_TRANSIENT);
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        row(inv, statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ||
           error_set(err, "cannot read the inventory in %s: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}

/* The baseline's keys have the number: a segment keeps it, unless the store is of a version that
 * gave one number twice. */
static void restore_number(struct inventory *inv, struct inventory_segment *s, int64_t number)
{
    bool is_default = strcmp(s->name, "default") == 0;
    if (number < 0 || number >= SEGMENTS_MAX || is_default != (number == 0))
        return;
    for (size_t i = 0; i < inv->segment_count; i++)
        if (inv->segments[i].has_number && inv->segments[i].number == number)
            return;
    s->number = (uint32_t)number;
    s->has_number = true;
}

static void segment_row(struct inventory *inv, sqlite3_stmt *statement)
{
    struct inventory_segment *s =
        &inv->segments[inventory_segment_named(inv, column_text(statement, 0))];
    restore_number(inv, s, sqlite3_column_int64(statement, 5));
    s->first_ns = sqlite3_column_int64(statement, 1);
    s->observed_ns = sqlite3_column_int64(statement, 2);
    s->quiet_ns = sqlite3_column_int64(statement, 3);
    s->is_settled = sqlite3_column_int(statement, 4) != 0;
    s->is_dirty = false;
}

static void vlans_parse(struct asset *a, const char *text)
{
    while (*text != '\0' && a->vlan_count < ASSET_VLANS_MAX) {
        char *end;
        a->vlans[a->vlan_count++] = (uint16_t)strtoul(text, &end, 10);
        text = *end == ';' ? end + 1 : "";
    }
}

static void asset_row(struct inventory *inv, sqlite3_stmt *statement)
{
    const char *id = column_text(statement, 0);
    if (strlen(id) >= ASSET_ID_SIZE || assets_by_id(&inv->assets, id))
        return;
    struct asset *a =
        assets_restore(&inv->assets, id, inventory_segment_named(inv, column_text(statement, 1)));
    if (!a) /* a smaller table than last time: the most recent ones are here */
        return;
    a->first_ns = sqlite3_column_int64(statement, 2);
    a->last_ns = sqlite3_column_int64(statement, 3);
    a->changed_ns = sqlite3_column_int64(statement, 4);
    a->flags = (uint32_t)sqlite3_column_int64(statement, 5);
    a->operations = (uint64_t)sqlite3_column_int64(statement, 6);
    a->suffered = (uint64_t)sqlite3_column_int64(statement, 7);
    a->packets = (uint64_t)sqlite3_column_int64(statement, 8);
    a->bytes = (uint64_t)sqlite3_column_int64(statement, 9);
    a->foreign_count = (uint8_t)sqlite3_column_int64(statement, 10);
    for (int i = 0; i < SCAN_KIND_COUNT; i++)
        a->habit.most[i] = (uint16_t)sqlite3_column_int64(statement, 11 + i);
    vlans_parse(a, column_text(statement, 14));
    a->longest_pause_ns = sqlite3_column_int64(statement, 15);
    a->present_ns = sqlite3_column_int64(statement, 16);
    a->plant = (uint64_t)sqlite3_column_int64(statement, 17);
    a->usual = (uint64_t)sqlite3_column_int64(statement, 18);
}

static void alias_row(struct inventory *inv, sqlite3_stmt *statement)
{
    struct asset *a = assets_by_id(&inv->assets, column_text(statement, 0));
    const char *kind = column_text(statement, 1), *value = column_text(statement, 2);
    struct address ip;
    struct mac mac;
    if (!a)
        return;
    if (strcmp(kind, "ip") == 0 && address_parse(&ip, value))
        asset_ip_add(&inv->assets, a, &ip, sqlite3_column_int(statement, 3) != 0);
    else if (strcmp(kind, "mac") == 0 && mac_parse(&mac, value))
        asset_mac_add(&inv->assets, a, &mac);
    else if (strcmp(kind, "former") == 0 && a->former_count < ASSET_FORMER_MAX)
        text_copy(a->former[a->former_count++], ASSET_ID_SIZE, text_of(value));
}

static void protocol_row(struct inventory *inv, sqlite3_stmt *statement)
{
    struct asset *a = assets_by_id(&inv->assets, column_text(statement, 0));
    if (!a)
        return;
    uint16_t name = assets_protocol(&inv->assets, column_text(statement, 1));
    uint32_t flags = a->flags;
    if (sqlite3_column_int(statement, 2))
        asset_protocol_add(&inv->assets, a, name, true);
    if (sqlite3_column_int(statement, 3))
        asset_protocol_add(&inv->assets, a, name, false);
    a->flags = flags;
}

static void service_row(struct inventory *inv, sqlite3_stmt *statement)
{
    struct asset *a = assets_by_id(&inv->assets, column_text(statement, 0));
    bool is_new;
    struct asset_service *s =
        a ? asset_service(&inv->assets, a, (uint8_t)sqlite3_column_int(statement, 1),
                          (uint16_t)sqlite3_column_int(statement, 2),
                          sqlite3_column_int64(statement, 5), &is_new)
          : NULL;
    if (!s)
        return;
    s->protocol = assets_protocol(&inv->assets, column_text(statement, 3));
    s->flags = (uint8_t)sqlite3_column_int(statement, 4);
    s->last_ns = sqlite3_column_int64(statement, 6);
    s->count = (uint64_t)sqlite3_column_int64(statement, 7);
    s->is_dirty = false;
}

static void fact_row(struct inventory *inv, sqlite3_stmt *statement)
{
    struct asset *a = assets_by_id(&inv->assets, column_text(statement, 0));
    const char *kind = column_text(statement, 1), *unit = column_text(statement, 2),
               *text = column_text(statement, 4);
    unsigned k = 0;
    while (k < FACT_COUNT && strcmp(fact_name((enum fact_kind)k), kind) != 0)
        k++;
    if (!a || k == FACT_COUNT)
        return;
    bool is_new;
    struct asset_fact *f = asset_fact(&inv->assets, a, (enum fact_kind)k,
                                      assets_protocol(&inv->assets, column_text(statement, 3)),
                                      unit, text, sqlite3_column_int64(statement, 6), &is_new);
    if (!f)
        return;
    f->is_current = sqlite3_column_int(statement, 5) != 0;
    f->last_ns = sqlite3_column_int64(statement, 7);
    f->count = (uint64_t)sqlite3_column_int64(statement, 8);
    f->is_dirty = false;
}

static void binding_row(struct inventory *inv, sqlite3_stmt *statement)
{
    struct address ip;
    struct binding pair = {.first_ns = sqlite3_column_int64(statement, 3),
                           .last_ns = sqlite3_column_int64(statement, 4),
                           .count = (uint64_t)sqlite3_column_int64(statement, 5),
                           .is_learned = sqlite3_column_int(statement, 6) != 0,
                           .is_arp = sqlite3_column_int(statement, 7) != 0};
    if (address_parse(&ip, column_text(statement, 1)) &&
        mac_parse(&pair.mac, column_text(statement, 2)))
        bindings_restore(inv->bindings, inventory_segment_named(inv, column_text(statement, 0)),
                         &ip, &pair);
}

bool inventory_load(struct inventory *inv, struct store *store, struct error *err)
{
    inv->changes += 2;
    static const struct {
        const char *sql;
        void (*row)(struct inventory *inv, sqlite3_stmt *statement);
    } tables[] = {
        {"SELECT name, first_ns, observed_ns, quiet_ns, is_settled, number FROM segments"
         " WHERE sensor = ? ORDER BY name",                                         segment_row },
        {"SELECT id, segment, first_ns, last_ns, changed_ns, flags, operations, suffered, packets,"
         " bytes, foreign_count, most_hosts, most_ports, most_arp, vlans, longest_pause_ns, "
         "present_ns, plant, usual FROM "
         "assets"
         " WHERE sensor = ? ORDER BY last_ns DESC, id",                             asset_row   },
        {"SELECT asset, kind, value, is_confirmed FROM asset_aliases WHERE sensor = ?"
         " ORDER BY asset, kind, position",                                         alias_row   },
        {"SELECT asset, name, is_served, is_used FROM asset_protocols WHERE sensor = ?"
         " ORDER BY asset, position",                                               protocol_row},
        {"SELECT asset, transport, port, protocol, flags, first_ns, last_ns, count FROM services"
         " WHERE sensor = ? ORDER BY asset, first_ns, transport, port",             service_row },
        {"SELECT asset, kind, unit, protocol, value, is_current, first_ns, last_ns, count FROM "
         "facts"
         " WHERE sensor = ? ORDER BY asset, first_ns, kind, unit, protocol, value", fact_row    },
        {"SELECT segment, ip, mac, first_ns, last_ns, count, is_learned, is_arp FROM bindings"
         " WHERE sensor = ? ORDER BY segment, ip, first_ns, mac",                   binding_row },
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!each_row(store, tables[i].sql, inv, tables[i].row, err))
            return false;
    for (size_t i = 0; i < inv->assets.count; i++)
        inv->assets.list[i].is_dirty = false;
    const struct infrastructure_names names = names_of(inv);
    return infrastructure_load(inv->infrastructure, store, &names, err) &&
           floods_load(inv->floods, store, inv->options.sensor, err);
}
