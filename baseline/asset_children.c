/* asset_children.c: see asset_children.h. */
#include "asset_children.h"

#include "asset.h"
#include "declared_match.h"
#include "sensor/base/json_writer.h"

#include <stdlib.h>
#include <string.h>

enum { PROTOCOLS_COUNTED = 8 };

/* How many units answered in a protocol. */
struct answering {
    char protocol[PROTOCOL_NAME_SIZE];
    size_t units;
};

struct child {
    struct store *store;
    struct error *err;
    const struct asset_parent *parent;
    struct asset_cells *cells;
    char unit[ASSET_UNIT_TEXT], protocol[PROTOCOL_NAME_SIZE];
    int64_t first_ns, last_ns;
    bool is_device;             /* something says that it is one */
    char part[ASSET_FACT_TEXT]; /* its identification numbers, for want of a model */
    char likely[32], why[128];  /* its class */
    int confidence;
    struct answering answering[PROTOCOLS_COUNTED];
};

static void set(struct child *c, enum asset_column column, const char *value)
{
    if (c->cells->cells[column][0] == '\0')
        text_format(c->cells->cells[column], ASSET_CELL_SIZE, "%s", value);
}

static void child_begin(struct child *c, const char *protocol, const char *unit)
{
    static const enum asset_column shared[] = {ASSET_COLUMN_site,    ASSET_COLUMN_zone,
                                               ASSET_COLUMN_segment, ASSET_COLUMN_sensor,
                                               ASSET_COLUMN_status,  ASSET_COLUMN_schema};
    char id[ASSET_CELL_SIZE];
    memset(c->cells, 0, sizeof *c->cells);
    text_format(c->unit, sizeof c->unit, "%s", unit);
    text_format(c->protocol, sizeof c->protocol, "%s", protocol);
    c->is_device = false;
    c->likely[0] = c->why[0] = c->part[0] = '\0';
    c->confidence = 0;
    c->first_ns = INT64_MAX;
    c->last_ns = 0;
    set(c, ASSET_COLUMN_asset_id, text_format(id, sizeof id, "%s/%s", c->parent->id, unit));
    set(c, ASSET_COLUMN_parent_asset_id, c->parent->id);
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        set(c, shared[i], c->parent->cells->cells[shared[i]]);
    char rack[ASSET_PLACE_SIZE], slot[ASSET_PLACE_SIZE];
    asset_unit_place(protocol, c->unit, rack, slot);
    set(c, ASSET_COLUMN_rack, rack);
    set(c, ASSET_COLUMN_slot, slot);
}

static bool is_kind(const char *kind, enum fact_kind wanted)
{
    return strcmp(kind, fact_name(wanted)) == 0;
}

static void source_add(struct child *c, const char *text)
{
    char *sources = c->cells->cells[ASSET_COLUMN_sources];
    size_t used = strlen(sources);
    if (used + strlen(text) + 2 < ASSET_CELL_SIZE)
        text_format(sources + used, ASSET_CELL_SIZE - used, "%s%s", used ? ";" : "", text);
}

/* NULL: it tells none. The surest comes first, or replaces a less sure one. */
static void child_class(struct child *c, const char *class, int confidence, const char *words,
                        const char *detail)
{
    if (!class || confidence <= c->confidence)
        return;
    c->confidence = confidence;
    text_format(c->likely, sizeof c->likely, "%s", class);
    text_format(c->why, sizeof c->why, "%s: %.60s", words, detail);
}

/* A unit that answered, and was not the only one: what it is by its protocol. */
static void child_answers(struct child *c, const char *protocol)
{
    char text[ASSET_CELL_SIZE];
    const struct asset_protocol_kind *kind = asset_protocol_kind(protocol);
    for (size_t i = 0; i < PROTOCOLS_COUNTED; i++)
        if (strcmp(c->answering[i].protocol, protocol) == 0)
            c->is_device |= c->answering[i].units > 1 && !c->parent->is_one;
    c->is_device |= asset_unit_is_other(protocol);
    set(c, ASSET_COLUMN_protocol_names, asset_unit_name(text, protocol, c->unit));
    set(c, ASSET_COLUMN_protocols_served, protocol);
    if (kind)
        child_class(c, kind->server_class, 40, "answers behind another device", protocol);
}

/* Others than the asset, also when what they tell is the same: modules in other slots than the one
 * that has the address, CPUs in other racks (in their own they answer for slots in which they do
 * not stand). */
static bool is_elsewhere(const struct child *c, const char *protocol)
{
    const char *rack = c->cells->cells[ASSET_COLUMN_rack];
    const char *own_rack = c->parent->cells->cells[ASSET_COLUMN_rack];
    if (strcmp(protocol, "cip") == 0)
        return c->parent->is_own_known && c->cells->cells[ASSET_COLUMN_slot][0] != '\0';
    return strcmp(protocol, "s7comm") == 0 && rack[0] != '\0' && own_rack[0] != '\0' &&
           strcmp(rack, own_rack) != 0;
}

/* Somebody listed what stands there. */
static void child_part(struct child *c, const char *protocol, const char *value)
{
    const struct asset_protocol_kind *kind = asset_protocol_kind(protocol);
    c->is_device = true;
    text_format(c->part, sizeof c->part, "%s", value);
    if (kind && asset_unit_is_other(protocol))
        child_class(c, kind->server_class, 40, "stands in a slot", protocol);
}

static void child_fact(struct child *c, const char *kind, const char *protocol, const char *value)
{
    char text[ASSET_CELL_SIZE], time[TIME_TEXT_SIZE];
    enum asset_column column;
    bool is_name = is_kind(kind, FACT_NAME) || is_kind(kind, FACT_MODULE_NAME);
    bool is_other = asset_unit_is_other(protocol);
    bool is_telling = is_kind(kind, FACT_PRODUCT) || is_kind(kind, FACT_ORDER_NUMBER) ||
                      is_kind(kind, FACT_SERIAL) || (is_other && is_name);
    c->is_device |= is_telling && (is_other || c->parent->is_mixed || is_elsewhere(c, protocol));
    if (is_kind(kind, FACT_NAME)) /* more than a number, which is the name of a module */
        text_format(c->cells->cells[ASSET_COLUMN_name], ASSET_CELL_SIZE, "%s", value);
    else if (is_name)
        set(c, ASSET_COLUMN_name, value);
    const struct asset_protocol_kind *by = asset_protocol_kind(protocol);
    if (is_other && by)
        child_class(c, by->server_class, 35, "tells of itself behind another device", protocol);
    if (is_kind(kind, FACT_PART))
        child_part(c, protocol, value);
    if (is_kind(kind, FACT_UNIT) && asset_unit_is_behind(protocol, c->unit))
        child_answers(c, protocol);
    if (is_kind(kind, FACT_DEVICE_TYPE))
        child_class(c, asset_class_of_words(value), 95, "says that it is", value);
    else if (is_kind(kind, FACT_PRODUCT))
        child_class(c, asset_class_of_product(value), 90, "says what product it is", value);
    if (!asset_column_of_fact(kind, &column) || c->cells->cells[column][0] != '\0')
        return;
    set(c, column, value);
    source_add(c, text_format(text, sizeof text, "%s: %s %s", asset_column_name(column), protocol,
                              time_print(time, c->last_ns)));
}

/* The parent itself can be reached by its slot, too. */
static bool is_parent(const struct child *c)
{
    const char *serial = c->cells->cells[ASSET_COLUMN_serial_number];
    const struct asset_cells *own = c->parent->cells;
    bool is_own_place =
        c->part[0] != '\0' && c->cells->cells[ASSET_COLUMN_rack][0] != '\0' &&
        strcmp(c->cells->cells[ASSET_COLUMN_rack], own->cells[ASSET_COLUMN_rack]) == 0 &&
        strcmp(c->cells->cells[ASSET_COLUMN_slot], own->cells[ASSET_COLUMN_slot]) == 0;
    return is_own_place || strcmp(c->unit, c->parent->own_unit) == 0 ||
           (serial[0] != '\0' &&
            strcmp(serial, c->parent->cells->cells[ASSET_COLUMN_serial_number]) == 0);
}

static void class_print(struct child *c)
{
    char text[ASSET_CELL_SIZE];
    set(c, ASSET_COLUMN_asset_class, c->likely[0] ? c->likely : "unknown");
    if (c->likely[0] == '\0')
        return;
    for (char *at = c->why; *at != '\0'; at++)
        *at = *at == ';' ? ',' : *at;
    source_add(c, text_format(text, sizeof text, "asset_class: inferred, %s", c->why));
    set(c, ASSET_COLUMN_confidence, text_format(text, sizeof text, "class %d", c->confidence));
    char level[4];
    set(c, ASSET_COLUMN_purdue_level, level_print(level, asset_level_of_class(c->likely)));
    if (c->cells->cells[ASSET_COLUMN_purdue_level][0] != '\0')
        source_add(c, "purdue_level: inferred from its class");
}

/* Forwarded by a BACnet broadcast device (BBMD), "192.168.0.24:47808": a host of an IP network.
 * *is_known: it is an asset itself. False on error. */
static bool forwarded_host(struct child *c, bool *is_known)
{
    char ip[ASSET_UNIT_TEXT];
    struct address address;
    *is_known = false;
    size_t size = strcspn(c->unit, ":");
    text_format(ip, sizeof ip, "%.*s", (int)size, c->unit);
    if (c->unit[size] != ':' || !address_parse(&address, ip))
        return true;
    set(c, ASSET_COLUMN_ip, ip);
    sqlite3_stmt *s = store_statement(c->store,
                                      "SELECT 1 FROM asset_aliases WHERE sensor = ? AND kind = 'ip'"
                                      " AND value = ? LIMIT 1",
                                      c->err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, c->parent->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, ip, -1, SQLITE_STATIC);
    *is_known = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_reset(s);
    return true;
}

static bool child_end(struct child *c, bool (*row)(void *, const struct asset_cells *),
                      void *context, bool *is_more)
{
    char time[TIME_TEXT_SIZE], name[ASSET_UNIT_NAME];
    bool is_known;
    if (c->unit[0] == '\0' || !c->is_device || is_parent(c))
        return true;
    if (!forwarded_host(c, &is_known) || is_known)
        return is_known;
    class_print(c);
    set(c, ASSET_COLUMN_model, c->part);
    set(c, ASSET_COLUMN_protocol_names, asset_unit_name(name, c->protocol, c->unit));
    set(c, ASSET_COLUMN_first_seen, time_print(time, c->first_ns));
    set(c, ASSET_COLUMN_last_seen, time_print(time, c->last_ns));
    if (!declared_apply(c->store, c->cells, c->err))
        return false;
    *is_more = row(context, c->cells);
    return true;
}

static const char *text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

static void widen(struct child *c, sqlite3_stmt *s)
{
    int64_t first_ns = sqlite3_column_int64(s, 4), last_ns = sqlite3_column_int64(s, 5);
    c->first_ns = first_ns < c->first_ns ? first_ns : c->first_ns;
    c->last_ns = last_ns > c->last_ns ? last_ns : c->last_ns;
}

/* How many units answered, by protocol: those of a line are devices when there are several. */
static bool count_answering(struct child *c)
{
    sqlite3_stmt *s = store_statement(c->store,
                                      "SELECT protocol, unit FROM facts WHERE sensor = ? AND"
                                      " asset = ? AND is_current AND kind = 'unit'",
                                      c->err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, c->parent->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, c->parent->id, -1, SQLITE_STATIC);
    while (sqlite3_step(s) == SQLITE_ROW) {
        size_t i = 0;
        if (!asset_unit_is_behind(text_at(s, 0), text_at(s, 1)))
            continue;
        while (i < PROTOCOLS_COUNTED && c->answering[i].protocol[0] != '\0' &&
               strcmp(c->answering[i].protocol, text_at(s, 0)) != 0)
            i++;
        if (i == PROTOCOLS_COUNTED)
            continue;
        text_format(c->answering[i].protocol, PROTOCOL_NAME_SIZE, "%s", text_at(s, 0));
        c->answering[i].units++;
    }
    sqlite3_reset(s);
    return true;
}

bool asset_children(struct store *store, const struct asset_parent *parent,
                    bool (*row)(void *context, const struct asset_cells *asset), void *context,
                    bool *is_more, struct error *err)
{
    struct child c = {
        .store = store, .err = err, .parent = parent, .cells = malloc(sizeof *c.cells)};
    bool ok = true;
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT unit, kind, protocol, value, first_ns, last_ns"
                                      " FROM facts WHERE sensor = ? AND asset = ? AND is_current"
                                      " AND unit <> '' ORDER BY unit, kind, first_ns, protocol",
                                      err);
    if (!s || !c.cells) {
        free(c.cells);
        return s ? error_set(err, "not enough memory for the inventory of %s", store_path(store))
                 : false;
    }
    sqlite3_bind_text(s, 1, parent->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, parent->id, -1, SQLITE_STATIC);
    ok = count_answering(&c);
    while (ok && *is_more && sqlite3_step(s) == SQLITE_ROW) {
        if (strcmp(c.unit, text_at(s, 0)) != 0) {
            ok = child_end(&c, row, context, is_more);
            child_begin(&c, text_at(s, 2), text_at(s, 0));
        }
        widen(&c, s);
        child_fact(&c, text_at(s, 1), text_at(s, 2), text_at(s, 3));
    }
    sqlite3_reset(s);
    ok = ok && (!*is_more || child_end(&c, row, context, is_more));
    free(c.cells);
    return ok;
}
