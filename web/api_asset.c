/* api_asset.c: one asset: all that the store has about it, and what people say of it. */
#include "answers.h"
#include "api.h"
#include "asset_list.h"
#include "asset_names.h"
#include "baseline/asset.h"
#include "baseline/asset_override.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 500, SENSOR_SIZE = 64 };

/* Parameters of every query here: ?1 the sensor, ?2 the asset. */
#define MINE                                                                                       \
    "(SELECT value FROM asset_aliases WHERE sensor = ?1 AND asset = ?2 AND kind IN ('ip', 'mac'))"
/* The asset that has an address, and how it is called. */
#define ASSET_OF(host)                                                                             \
    "(SELECT asset FROM asset_aliases i INDEXED BY asset_aliases_by_value WHERE i.sensor = ?1 "    \
    "AND i.kind IN ('ip', 'mac')"                                                                  \
    " AND i.value = " host " LIMIT 1)"
#define NAME_OF(asset)                                                                             \
    "coalesce((SELECT value FROM asset_overrides o WHERE o.sensor = ?1 AND o.asset = " asset       \
    " AND o.field = 'name'), (SELECT name FROM assets n WHERE n.sensor = ?1 AND n.id = " asset     \
    "), '')"
/* Without statistics SQLite takes a primary key that begins with the sensor for as good as the
 * index that fits: the index is named. Operations that change something: */
#define CHANGES                                                                                    \
    "('write', 'control', 'lock', 'time_set', 'file_write', 'file_delete', 'config_change',"       \
    " 'mode_change', 'start', 'restart', 'stop', 'force', 'program_modify', 'program_delete',"     \
    " 'program_download', 'firmware_update')"

static bool is_id(const char *id)
{
    return id[0] != '\0' && strlen(id) < ASSET_ID_SIZE &&
           id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz-")] == '\0';
}

/* --- from rows to JSON --- */

enum form { TEXT, NUMBER, TIME, FLAG };

struct field {
    const char *name;
    enum form form;
};

/* A query about an asset; its columns are the fields, in order. */
struct part {
    const char *name, *sql;
    struct field fields[12]; /* ends with a NULL name */
};

static json_t *value_of(sqlite3_stmt *row, int column, enum form form)
{
    int64_t number = sqlite3_column_int64(row, column);
    switch (form) {
    case TEXT:
        return json_text_of(column_text(row, column));
    case NUMBER:
        return json_integer(number);
    case TIME:
        return number != 0 ? json_time_of(number) : json_null();
    case FLAG:
        return json_boolean(number != 0);
    }
    return NULL;
}

static json_t *rows_of(struct store *store, const char *sensor, const char *id,
                       const struct part *part)
{
    json_t *list = json_array();
    /* a store of an older sensor lacks a table: nothing is known of that */
    sqlite3_stmt *s = store_statement(store, part->sql, NULL);
    if (!s)
        return list;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
    while (sqlite3_step(s) == SQLITE_ROW) {
        json_t *row = json_object();
        for (int i = 0; part->fields[i].name; i++)
            json_object_set_new(row, part->fields[i].name, value_of(s, i, part->fields[i].form));
        json_array_append_new(list, row);
    }
    sqlite3_reset(s);
    return list;
}

/* --- what there is --- */

static const struct part parts[] = {
    {"addresses",
     "SELECT kind, value, is_confirmed FROM asset_aliases WHERE sensor = ?1 AND asset = ?2"
     " ORDER BY kind, position",                                                                   {{"kind", TEXT}, {"value", TEXT}, {"is_confirmed", FLAG}}                      },
    {"facts",
     "SELECT kind, unit, protocol, value, is_current, first_ns, last_ns, count,"
     " (SELECT count(DISTINCT o.value) FROM facts o WHERE o.sensor = f.sensor AND o.asset = f.asset"
     " AND o.kind = f.kind AND o.unit = f.unit AND o.is_current) > 1 AND is_current FROM facts f"
     " WHERE sensor = ?1 AND asset = ?2 ORDER BY kind, unit, is_current DESC, first_ns LIMIT 500", {{"kind", TEXT},
      {"unit", TEXT},
      {"protocol", TEXT},
      {"value", TEXT},
      {"is_current", FLAG},
      {"first_seen", TIME},
      {"last_seen", TIME},
      {"count", NUMBER},
      {"is_disputed", FLAG}}                                                    },
    {"services",
     "SELECT CASE transport WHEN 1 THEN 'tcp' WHEN 2 THEN 'udp' ELSE 'other' END, port, protocol,"
     " flags & 1, first_ns, last_ns, count FROM services WHERE sensor = ?1 AND asset = ?2"
     " ORDER BY transport, port",                                                                  {{"transport", TEXT},
      {"port", NUMBER},
      {"protocol", TEXT},
      {"has_answered", FLAG},
      {"first_seen", TIME},
      {"last_seen", TIME},
      {"count", NUMBER}}                                                                                                                         },
    {"protocols",
     "SELECT name, is_served, is_used FROM asset_protocols WHERE sensor = ?1 AND asset = ?2"
     " ORDER BY position",                                                                         {{"name", TEXT}, {"is_served", FLAG}, {"is_used", FLAG}}                       },
 /* one row per conversation; a pair without one has an empty protocol */
    {"peers",
     "SELECT p.peer, " ASSET_OF("p.peer") " AS peer_asset, " NAME_OF(ASSET_OF(
         "p.peer")) ","
                    " coalesce(c.protocol, ''), c.is_role_known AND c.client = p.side,"
                    " c.is_role_known AND c.client <> p.side, coalesce(c.state, p.state),"
                    " coalesce(c.count, p.count), coalesce(c.first_seen, p.first_seen),"
                    " coalesce(c.last_seen, p.last_seen) FROM ("
                    " SELECT sensor, id, state, count, first_seen, last_seen, host_b AS peer, 0 AS "
                    "side"
                    " FROM baseline_pairs WHERE +sensor = ?1 AND host_a IN " MINE " UNION ALL"
                    " SELECT sensor, id, state, count, first_seen, last_seen, host_a, 1"
                    " FROM baseline_pairs WHERE +sensor = ?1 AND host_b IN " MINE ") p"
                    " LEFT JOIN baseline_conversations c INDEXED BY baseline_conversations_by_pair "
                    "ON c.sensor = p.sensor AND c.pair = p.id"
                    " ORDER BY p.last_seen DESC, p.peer, c.protocol LIMIT 500",                    {{"host", TEXT},
      {"asset", TEXT},
      {"name", TEXT},
      {"protocol", TEXT},
      {"is_client", FLAG}, /* this asset asks */
      {"is_server", FLAG},
      {"state", TEXT},
      {"count", NUMBER},
      {"first_seen", TIME},
      {"last_seen", TIME}}                                                                         },
    {"changes",
     "SELECT p.peer, " ASSET_OF("p.peer") ", " NAME_OF(ASSET_OF(
         "p.peer")) ", c.protocol,"
                    " o.operation, group_concat(DISTINCT o.name), o.side = p.side, max(o.state),"
                    " sum(o.count), min(o.first_seen), max(o.last_seen) FROM ("
                    " SELECT sensor, id, host_b AS peer, 0 AS side FROM baseline_pairs WHERE "
                    "+sensor = ?1"
                    " AND host_a IN " MINE
                    " UNION ALL SELECT sensor, id, host_a, 1 FROM baseline_pairs"
                    " WHERE +sensor = ?1 AND host_b IN " MINE ") p"
                    " CROSS JOIN baseline_conversations c INDEXED BY "
                    "baseline_conversations_by_pair ON "
                    "c.sensor = p.sensor AND c.pair = p.id"
                    " CROSS JOIN baseline_operations o INDEXED BY "
                    "baseline_operations_by_conversation ON "
                    "o.sensor = c.sensor AND o.conversation = c.id"
                    " WHERE o.operation IN " CHANGES
                    " GROUP BY p.peer, c.protocol, o.operation, o.side = p.side"
                    " ORDER BY o.side = p.side, max(o.last_seen) DESC LIMIT 300",                  {{"host", TEXT},
      {"asset", TEXT},
      {"name", TEXT},
      {"protocol", TEXT},
      {"operation", TEXT},
      {"functions", TEXT},
      {"is_actor", FLAG}, /* this asset changes the other */
      {"state", TEXT},
      {"count", NUMBER},
      {"first_seen", TIME},
      {"last_seen", TIME}}                                                                       },
    {"transfers",
     "SELECT last_ns, rule, id, actor, json_extract(document, '$.sightglass.transfer.name'),"
     " json_extract(document, '$.sightglass.transfer.size'),"
     " json_extract(document, '$.sightglass.transfer.sha256'),"
     " json_extract(document, '$.sightglass.transfer.outcome') FROM alerts WHERE +sensor = ?1"
     " AND target IN " MINE " AND substr(rule, 1, 4) = 'plc.' ORDER BY last_ns DESC LIMIT 100",
     {{"time", TIME},
      {"rule", TEXT},
      {"alert", TEXT},
      {"actor", TEXT},
      {"name", TEXT},
      {"size", NUMBER},
      {"sha256", TEXT},
      {"outcome", TEXT}}                                                                                                                                                          },
    {"maintenance",
     "SELECT last_ns, name, actor, rule, object, operation, count, outcome, size, sha256"
     " FROM maintenance_actions WHERE sensor = ?1 AND target IN " MINE
     " ORDER BY last_ns DESC LIMIT 100",                                                           {{"time", TIME},
      {"window", TEXT},
      {"actor", TEXT},
      {"rule", TEXT},
      {"object", TEXT},
      {"operation", TEXT},
      {"count", NUMBER},
      {"outcome", TEXT},
      {"size", NUMBER},
      {"sha256", TEXT}}                                                                                                                   },
    {"overrides",
     "SELECT field, value, by, why, at_ms * 1000000 FROM asset_overrides"
     " WHERE sensor = ?1 AND asset = ?2 ORDER BY field",                                           {{"field", TEXT}, {"value", TEXT}, {"by", TEXT}, {"why", TEXT}, {"time", TIME}}},
};

static json_t *alerts_of(struct store *store, const char *sensor, const char *id)
{
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT " API_ALERT_COLUMNS " FROM alerts a WHERE +a.sensor = ?1"
        " AND (a.actor IN " MINE " OR a.target IN " MINE ") ORDER BY a.last_ns DESC, a.id LIMIT 50",
        NULL);
    if (!s)
        return list;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
    while (sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, api_alert_summary(s));
    sqlite3_reset(s);
    return list;
}

/* What a person may say, for the page's form. */
static json_t *settable(void)
{
    size_t count;
    const struct asset_override_field *fields = asset_override_fields(&count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *choices = json_array();
        for (const char *at = fields[i].choices; *at != '\0';) {
            size_t size = strcspn(at, ";");
            json_array_append_new(choices, json_stringn(at, size));
            at += size + (at[size] == ';');
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:o}", "field", asset_column_name(fields[i].column),
                                        "choices", choices));
    }
    return list;
}

/* --- one asset --- */

/* The id of an asset that was merged into another leads to that. */
static bool id_of(struct request *r, char id[ASSET_ID_SIZE], char sensor[SENSOR_SIZE])
{
    sqlite3_stmt *s =
        store_statement(r->store,
                        "SELECT id, sensor, 0 FROM assets WHERE sensor IN " API_SENSORS(
                            "assets") " AND id = ?1 UNION ALL SELECT asset, sensor, 1 FROM"
                                      " asset_aliases WHERE kind = 'former' AND value = ?1 AND "
                                      "sensor IN " API_SENSORS("assets") " ORDER BY 3, 2 LIMIT 1",
                        NULL);
    bool is_there = false;
    if (!s || !is_id(r->parameter))
        return false;
    sqlite3_bind_text(s, 1, r->parameter, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW) {
        snprintf(id, ASSET_ID_SIZE, "%s", column_text(s, 0));
        snprintf(sensor, SENSOR_SIZE, "%s", column_text(s, 1));
        is_there = true;
    }
    sqlite3_reset(s);
    return is_there;
}

enum MHD_Result api_asset(struct request *r)
{
    char id[ASSET_ID_SIZE], sensor[SENSOR_SIZE];
    struct error err = {""};
    if (!id_of(r, id, sensor))
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such asset");
    struct asset_cells *cells = malloc(sizeof *cells);
    if (!cells || !asset_export(r->store, id, cells, &err)) {
        free(cells);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    }
    json_t *answer = json_pack("{s:o}", "asset", asset_cells_json(cells));
    free(cells);
    for (size_t i = 0; answer && i < sizeof parts / sizeof *parts; i++) {
        json_t *rows = rows_of(r->store, sensor, id, &parts[i]);
        asset_names_set(r, rows, "asset");
        json_object_set_new(answer, parts[i].name, rows);
    }
    if (answer) {
        json_object_set_new(answer, "alerts", alerts_of(r->store, sensor, id));
        json_object_set_new(answer, "settable", settable());
    }
    return reply_json(r, MHD_HTTP_OK, answer);
}

/* --- what a person says --- */

struct saying {
    const char *sensor, *asset, *by, *why;
    const json_t *set;
};

static bool say(struct store *store, void *context, struct error *err)
{
    const struct saying *saying = context;
    const char *field;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)saying->set, field, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return error_set(err, "%s: a text, or null to lift what was said", field);
        const struct asset_override o = {.sensor = saying->sensor,
                                         .asset = saying->asset,
                                         .field = field,
                                         .value = json_string_value(value),
                                         .by = saying->by,
                                         .why = saying->why,
                                         .at_ms = now_ms()};
        if (!asset_override_set(store, &o, err))
            return false;
    }
    return true;
}

static enum MHD_Result change_asset(struct request *r, const json_t *body)
{
    char id[ASSET_ID_SIZE], sensor[SENSOR_SIZE], what[200];
    const json_t *set = json_object_get(body, "set");
    const char *why = object_text(body, "why", "");
    enum MHD_Result result;
    if (!id_of(r, id, sensor))
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such asset");
    if (!json_is_object(set) || json_object_size(set) == 0 || !why || strlen(why) > WHY_MAX)
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "send set, an object of columns with texts (null: lifted), and why");
    struct saying saying = {sensor, id, r->account.name, why, set};
    size_t used = (size_t)snprintf(what, sizeof what, "%s", id);
    const char *field;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)set, field, value)
    {
        if (used + 16 < sizeof what)
            used += (size_t)snprintf(what + used, sizeof what - used, " %.14s", field);
    }
    if (!request_change(r, say, &saying, "asset.override", what, why, &result))
        return result;
    asset_list_renew(r->web->assets, r->store, id);
    answers_forget(r->web->answers); /* what was made of the list meanwhile */
    return api_asset(r);
}

enum MHD_Result api_asset_change(struct request *r)
{
    json_t *body = request_object(r);
    enum MHD_Result result = change_asset(r, body);
    json_decref(body);
    return result;
}
