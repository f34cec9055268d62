/* asset_override.c: see asset_override.h. */
#include "asset_override.h"

#include "sensor/base/json_writer.h"

#include <string.h>

/* In the words of the columns (DETECTIONS 2). */
static const struct asset_override_field fields[] = {
    {ASSET_COLUMN_name,         ""                        },
    {ASSET_COLUMN_asset_class,
     "plc;rtu;ied;io-device;drive;hmi;engineering;historian;server;switch;router;gateway;"
     "sensor-actuator;camera;printer;pc;unknown"          },
    {ASSET_COLUMN_role,         ""                        },
    {ASSET_COLUMN_purdue_level, "0;1;2;3;3.5;4;5"         },
    {ASSET_COLUMN_zone,         ""                        },
    {ASSET_COLUMN_criticality,  "low;medium;high;critical"},
    {ASSET_COLUMN_safety,       "yes;no"                  },
    {ASSET_COLUMN_authorised,   "yes;no;undecided"        },
    {ASSET_COLUMN_location,     ""                        },
    {ASSET_COLUMN_owner,        ""                        },
    {ASSET_COLUMN_description,  ""                        },
    {ASSET_COLUMN_tags,         ""                        },
};

enum { FIELD_COUNT = sizeof fields / sizeof *fields };

const struct asset_override_field *asset_override_fields(size_t *count)
{
    *count = FIELD_COUNT;
    return fields;
}

static const struct asset_override_field *field_named(const char *name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(asset_column_name(fields[i].column), name) == 0)
            return &fields[i];
    return NULL;
}

static bool is_in_list(const char *list, const char *value)
{
    size_t size = strlen(value);
    while (*list != '\0') {
        size_t length = strcspn(list, ";");
        if (length == size && memcmp(list, value, size) == 0)
            return true;
        list += length + (list[length] == ';');
    }
    return false;
}

/* --- saying --- */

static bool is_asset(struct store *store, const struct asset_override *o, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store, "SELECT 1 FROM assets WHERE sensor = ? AND id = ?", err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, o->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, o->asset, -1, SQLITE_STATIC);
    bool is_there = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_reset(s);
    return is_there || error_set(err, "no such asset: %s", o->asset);
}

static bool may_say(const struct asset_override *o, struct error *err)
{
    const struct asset_override_field *field = field_named(o->field);
    if (!field)
        return error_set(err, "%s cannot be set by hand", o->field);
    if (!o->value)
        return true;
    if (strlen(o->value) >= ASSET_OVERRIDE_SIZE)
        return error_set(err, "%s: at most %d bytes", o->field, ASSET_OVERRIDE_SIZE - 1);
    for (const char *at = o->value; *at != '\0'; at++)
        if ((unsigned char)*at < ' ')
            return error_set(err, "%s: one line of text", o->field);
    if (o->value[0] != '\0' && field->choices[0] != '\0' && !is_in_list(field->choices, o->value))
        return error_set(err, "%s is one of %s", o->field, field->choices);
    return true;
}

bool asset_override_set(struct store *store, const struct asset_override *o, struct error *err)
{
    if (!may_say(o, err) || !is_asset(store, o, err))
        return false;
    bool is_lifted = !o->value || o->value[0] == '\0';
    sqlite3_stmt *s = store_statement(
        store,
        is_lifted ? "DELETE FROM asset_overrides WHERE sensor = ? AND asset = ? AND field = ?"
                  : "INSERT OR REPLACE INTO asset_overrides (sensor, asset, field, value, by, why,"
                    " at_ms) VALUES (?,?,?,?,?,?,?)",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, o->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, o->asset, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, o->field, -1, SQLITE_STATIC);
    if (!is_lifted) {
        sqlite3_bind_text(s, 4, o->value, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 5, o->by ? o->by : "", -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 6, o->why ? o->why : "", -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 7, o->at_ms);
    }
    return store_step(store, s, err);
}

bool asset_overrides_move(struct store *store, const char *sensor, const char *former,
                          const char *asset, struct error *err)
{
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT INTO asset_overrides (sensor, asset, field, value, by, why, at_ms)"
        " SELECT sensor, ?3, field, value, by, why, at_ms FROM asset_overrides"
        " WHERE sensor = ?1 AND asset = ?2 ON CONFLICT (sensor, asset, field) DO UPDATE SET"
        " value = excluded.value, by = excluded.by, why = excluded.why, at_ms = excluded.at_ms"
        " WHERE excluded.at_ms > at_ms",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, former, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, asset, -1, SQLITE_STATIC);
    if (!store_step(store, s, err))
        return false;
    s = store_statement(store, "DELETE FROM asset_overrides WHERE sensor = ? AND asset = ?", err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, former, -1, SQLITE_STATIC);
    return store_step(store, s, err);
}

/* --- showing --- */

/* "name: user anna 2026-01-31T18:00:00Z" takes the place of where the value came from before. */
static void put_source(char *sources, const char *column, const char *by, int64_t at_ms)
{
    char before[ASSET_CELL_SIZE], time[TIME_TEXT_SIZE];
    size_t size = strlen(column);
    text_format(before, sizeof before, "%s", sources);
    text_format(sources, ASSET_CELL_SIZE, "%s: user %s %s", column, by,
                time_print(time, at_ms * 1000000));
    for (const char *at = before; *at != '\0';) {
        size_t length = strcspn(at, ";"), used = strlen(sources);
        bool is_same = length > size && memcmp(at, column, size) == 0 && at[size] == ':';
        if (!is_same && used + length + 2 <= ASSET_CELL_SIZE)
            text_format(sources + used, ASSET_CELL_SIZE - used, ";%.*s", (int)length, at);
        at += length + (at[length] == ';');
    }
}

bool asset_overrides_apply(struct store *store, const char *sensor, const char *asset,
                           struct asset_cells *cells, struct error *err)
{
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT field, value, by, at_ms FROM asset_overrides"
                                      " WHERE sensor = ? AND asset = ? ORDER BY field",
                                      err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, asset, -1, SQLITE_STATIC);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW) {
        const struct asset_override_field *field =
            field_named((const char *)sqlite3_column_text(s, 0));
        if (!field)
            continue; /* of a newer program */
        text_format(cells->cells[field->column], ASSET_CELL_SIZE, "%s",
                    (const char *)sqlite3_column_text(s, 1));
        put_source(cells->cells[ASSET_COLUMN_sources], asset_column_name(field->column),
                   (const char *)sqlite3_column_text(s, 2), sqlite3_column_int64(s, 3));
    }
    sqlite3_reset(s);
    return result == SQLITE_DONE ||
           error_set(err, "cannot read the inventory in %s: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}
