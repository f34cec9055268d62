/* asset_export.c: from the inventory's tables to rows for people and other programs. */
#include "asset_children.h"
#include "asset_row.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    bool is_list;
} columns[] = {
#define COLUMN(name, is_list) {#name, is_list},
#include "asset_columns.def"
#undef COLUMN
};

const char *asset_column_name(enum asset_column column)
{
    return columns[column].name;
}

static int by_place(const void *a, const void *b)
{
    const struct asset_row_key *x = a, *y = b;
    int order = strcmp(x->sensor, y->sensor);
    if (order == 0)
        order = strcmp(x->segment, y->segment);
    if (order == 0)
        order = memcmp(&x->ip, &y->ip, sizeof x->ip);
    return order ? order : strcmp(x->id, y->id);
}

/* The keys of all assets, in the order of the export. */
static bool keys_read(struct asset_filling *x, struct asset_row_key **keys, size_t *count)
{
    size_t capacity = 0;
    *keys = NULL;
    *count = 0;
    sqlite3_stmt *s = store_statement(
        x->store,
        "SELECT a.sensor, a.id, a.segment, a.last_ns, i.value FROM assets a LEFT JOIN "
        "asset_aliases i"
        " ON i.sensor = a.sensor AND i.asset = a.id AND i.kind = 'ip' AND i.position = 0",
        x->err);
    if (!s)
        return false;
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW) {
        if (*count == capacity) {
            capacity = capacity ? capacity * 2 : 256;
            struct asset_row_key *more = realloc(*keys, capacity * sizeof **keys);
            if (!more) {
                sqlite3_reset(s);
                return error_set(x->err, "not enough memory for the inventory of %s",
                                 store_path(x->store));
            }
            *keys = more;
        }
        struct asset_row_key *key = &(*keys)[(*count)++];
        memset(key, 0, sizeof *key);
        text_format(key->sensor, sizeof key->sensor, "%s", asset_row_text(s, 0));
        text_format(key->id, sizeof key->id, "%s", asset_row_text(s, 1));
        text_format(key->segment, sizeof key->segment, "%s", asset_row_text(s, 2));
        if (sqlite3_column_int64(s, 3) > x->newest_ns)
            x->newest_ns = sqlite3_column_int64(s, 3);
        address_parse(&key->ip, asset_row_text(s, 4));
    }
    sqlite3_reset(s);
    if (result != SQLITE_DONE)
        return error_set(x->err, "cannot read the inventory in %s: %s", store_path(x->store),
                         sqlite3_errmsg(store_handle(x->store)));
    if (*count > 0)
        qsort(*keys, *count, sizeof **keys, by_place);
    return true;
}

static bool has_part(const char *cell, const char *part)
{
    return !part || part[0] == '\0' || strcasestr(cell, part);
}

static bool is_same(const char *cell, const char *wanted)
{
    return !wanted || wanted[0] == '\0' || strcasecmp(cell, wanted) == 0;
}

bool asset_column_names_others(enum asset_column column)
{
    return column == ASSET_COLUMN_peers || column == ASSET_COLUMN_writers ||
           column == ASSET_COLUMN_last_program_change;
}

bool asset_query_matches(const struct asset_query *q, const struct asset_cells *asset)
{
    if (!is_same(asset->cells[ASSET_COLUMN_asset_class], q->asset_class) ||
        !is_same(asset->cells[ASSET_COLUMN_zone], q->zone) ||
        !has_part(asset->cells[ASSET_COLUMN_vendor], q->vendor) ||
        (q->declared && strncmp(asset->cells[ASSET_COLUMN_declared_match], q->declared,
                                strlen(q->declared)) != 0) ||
        (q->is_host_only && asset->cells[ASSET_COLUMN_parent_asset_id][0] != '\0'))
        return false;
    bool is_found = has_part("", q->find);
    for (size_t i = 0; !is_found && i < ASSET_COLUMN_COUNT; i++)
        is_found =
            !asset_column_names_others((enum asset_column)i) && has_part(asset->cells[i], q->find);
    return is_found;
}

struct selection {
    const struct asset_query *query;
    bool (*row)(void *context, const struct asset_cells *asset);
    void *context;
};

static bool select_row(void *context, const struct asset_cells *asset)
{
    const struct selection *s = context;
    return !asset_query_matches(s->query, asset) || s->row(s->context, asset);
}

bool assets_select(struct store *store, const struct asset_query *query,
                   bool (*row)(void *context, const struct asset_cells *asset), void *context,
                   struct error *err)
{
    struct selection selection = {query, row, context};
    return query ? assets_export(store, select_row, &selection, err)
                 : assets_export(store, row, context, err);
}

bool assets_export(struct store *store, bool (*row)(void *context, const struct asset_cells *asset),
                   void *context, struct error *err)
{
    struct asset_filling x = {.store = store, .err = err, .row = malloc(sizeof *x.row)};
    struct asset_row_key *keys = NULL;
    size_t count = 0;
    if (!x.row)
        return error_set(err, "not enough memory for the inventory of %s", store_path(store));
    bool ok = keys_read(&x, &keys, &count);
    for (size_t i = 0; ok && i < count; i++) {
        ok = asset_row_fill(&x, &keys[i]);
        bool is_more = ok && row(context, x.row);
        struct asset_parent parent = {.sensor = keys[i].sensor,
                                      .id = keys[i].id,
                                      .cells = x.row,
                                      .own_unit = x.has_own || asset_row_is_line(&x) ? "" : x.unit,
                                      .is_mixed = x.is_mixed || asset_row_is_line(&x),
                                      .is_own_known = x.is_own_known,
                                      .is_one = x.line_units > 1 && !asset_row_is_line(&x)};
        ok = ok && asset_children(store, &parent, row, context, &is_more, err);
        if (!is_more)
            break;
    }
    free(keys);
    free(x.row);
    return ok;
}

/* All sensors: a look for each, not at every asset. */
#define SENSORS                                                                                    \
    "(WITH RECURSIVE s(x) AS (SELECT min(sensor) FROM assets UNION ALL SELECT (SELECT min(sensor)" \
    " FROM assets WHERE sensor > x) FROM s WHERE x IS NOT NULL) SELECT x FROM s WHERE x IS NOT "   \
    "NULL)"

bool asset_export(struct store *store, const char *id, struct asset_cells *asset, struct error *err)
{
    struct asset_filling x = {.store = store, .err = err, .row = asset};
    struct asset_row_key key = {.id = ""};
    sqlite3_stmt *s =
        store_statement(store,
                        "SELECT sensor, id, segment, (SELECT max((SELECT max(last_ns) FROM assets "
                        "WHERE sensor = x)) FROM " SENSORS ") FROM assets WHERE sensor IN " SENSORS
                        " AND id = ? ORDER BY sensor LIMIT 1",
                        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW) {
        text_format(key.sensor, sizeof key.sensor, "%s", asset_row_text(s, 0));
        text_format(key.id, sizeof key.id, "%s", asset_row_text(s, 1));
        text_format(key.segment, sizeof key.segment, "%s", asset_row_text(s, 2));
        x.newest_ns = sqlite3_column_int64(s, 3);
    }
    sqlite3_reset(s);
    return key.id[0] != '\0' ? asset_row_fill(&x, &key) : error_set(err, "no such asset: %s", id);
}

/* --- forms --- */

static json_t *list_json(const char *cell)
{
    json_t *list = json_array();
    while (list && *cell != '\0') {
        size_t size = strcspn(cell, ";");
        json_array_append_new(list, json_stringn(cell, size));
        cell += size + (cell[size] == ';');
    }
    return list;
}

json_t *asset_cell_json(const struct asset_cells *asset, enum asset_column column)
{
    const char *cell = asset->cells[column];
    return columns[column].is_list ? list_json(cell) : json_string(cell);
}

json_t *asset_cells_json(const struct asset_cells *asset)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < ASSET_COLUMN_COUNT; i++) {
        const char *cell = asset->cells[i];
        if (cell[0] != '\0')
            json_object_set_new(object, columns[i].name,
                                asset_cell_json(asset, (enum asset_column)i));
    }
    return object;
}
