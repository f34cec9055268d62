/* asset_load.c: the inventory as it comes back from the store. */
#include "inventory_state.h"

#include <stdlib.h>
#include <string.h>

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
    const struct infrastructure_names names = inventory_names(inv);
    return infrastructure_load(inv->infrastructure, store, &names, err) &&
           floods_load(inv->floods, store, inv->options.sensor, err);
}
