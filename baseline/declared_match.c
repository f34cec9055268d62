/* declared_match.c: see declared_match.h. */
#include "declared_match.h"

#include "declared.h"
#include "declared_compare.h"
#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { SENSOR_SIZE = 64, CANDIDATES_MAX = 64 };

#define SENSORS "(SELECT DISTINCT sensor FROM segments)"

static const char *text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

static bool unreadable(struct store *store, struct error *err)
{
    return error_set(err, "cannot read the declared list in %s: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}

/* --- the list --- */

void declared_head(struct store *store, struct declared_head *head)
{
    *head = (struct declared_head){.rows = 0};
    /* a store of before has no such table */
    sqlite3_stmt *s =
        store_statement(store, "SELECT name, rows, by, at_ms FROM declared_list LIMIT 1", NULL);
    if (s && sqlite3_step(s) == SQLITE_ROW) {
        text_format(head->name, sizeof head->name, "%s", text_at(s, 0));
        head->rows = (size_t)sqlite3_column_int64(s, 1);
        text_format(head->by, sizeof head->by, "%s", text_at(s, 2));
        head->at_ms = sqlite3_column_int64(s, 3);
    }
    if (s)
        sqlite3_reset(s);
}

static bool is_there(struct store *store)
{
    sqlite3_stmt *s = store_statement(store, "SELECT 1 FROM declared_list LIMIT 1", NULL);
    bool is_so = s && sqlite3_step(s) == SQLITE_ROW;
    if (s)
        sqlite3_reset(s);
    return is_so;
}

static bool row_load(struct store *store, int64_t line, struct asset_cells *row, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store, "SELECT field, value FROM declared WHERE line = ?", err);
    memset(row, 0, sizeof *row);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, line);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW)
        for (int i = 0; i < ASSET_COLUMN_COUNT; i++)
            if (strcmp(asset_column_name((enum asset_column)i), text_at(s, 0)) == 0)
                text_format(row->cells[i], ASSET_CELL_SIZE, "%s", text_at(s, 1));
    sqlite3_reset(s);
    return result == SQLITE_DONE || unreadable(store, err);
}

/* --- whose row it is --- */

struct owner {
    char sensor[SENSOR_SIZE], asset[ASSET_CELL_SIZE]; /* "": nobody's */
    bool is_ambiguous;
};

/* How a row finds its asset, best first. Parameters: ?1 a value, ?2 the segment ("": any), ?3 the
 * row's addresses. The last column tells whether the asset has one of these, too. */
#define HAS_IP(sensor, asset)                                                                      \
    "EXISTS (SELECT 1 FROM asset_aliases n WHERE n.sensor = " sensor " AND n.asset = " asset       \
    " AND n.kind = 'ip' AND instr(';' || ?3 || ';', ';' || n.value || ';') > 0)"
static const struct way {
    enum asset_column column;
    bool is_one_of; /* of several that have it any will do */
    const char *sql;
} ways[] = {
    {ASSET_COLUMN_asset_id,                                true,
     "SELECT sensor, ?1, 1 FROM assets WHERE sensor IN " SENSORS
     " AND id = substr(?1, 1, instr(?1 || '/', '/') - 1) UNION SELECT sensor, asset, 0"
     " FROM asset_aliases WHERE sensor IN " SENSORS " AND kind = 'former' AND value = ?1" },
    {ASSET_COLUMN_mac,                                     true,
     "SELECT sensor, asset, " HAS_IP("i.sensor",
     "i.asset") " FROM asset_aliases i INDEXED BY"
                                                " asset_aliases_by_value WHERE sensor IN " SENSORS
                                                " AND kind = 'mac' AND value = ?1"},
    {ASSET_COLUMN_serial_number,                                                    true,
     "SELECT sensor, CASE WHEN unit = '' OR EXISTS (SELECT 1 FROM asset_aliases i WHERE"
     " i.sensor = f.sensor AND i.asset = f.asset AND i.kind = 'serial' AND i.value = f.value)"
     " THEN asset ELSE asset || '/' || unit END, " HAS_IP(
         "f.sensor", "f.asset") " FROM facts f"
                    " INDEXED BY facts_by_serial WHERE kind = 'serial_number' AND is_current"
                    " AND value = ?1 COLLATE NOCASE"},
    {ASSET_COLUMN_ip, false,
     "SELECT i.sensor, i.asset, 1 FROM asset_aliases i INDEXED BY asset_aliases_by_value"
     " JOIN assets a ON a.sensor = i.sensor AND a.id = i.asset WHERE i.sensor IN " SENSORS
     " AND i.kind = 'ip' AND i.value = ?1 AND (?2 = '' OR a.segment = ?2)"
     " UNION SELECT f.sensor, f.asset, 1 FROM facts f INDEXED BY facts_by_ip"
     " JOIN assets a ON a.sensor = f.sensor AND a.id = f.asset WHERE f.kind = 'ip'"
     " AND f.unit = '' AND f.is_current AND f.value = ?1 AND (?2 = '' OR a.segment = ?2)"
     " AND NOT EXISTS (SELECT 1 FROM asset_aliases i WHERE i.sensor = f.sensor AND i.kind = 'ip'"
     " AND i.value = f.value)"               },
    {ASSET_COLUMN_name,                            false,
     "SELECT sensor, id, 1 FROM assets INDEXED BY assets_by_name WHERE name <> ''"
     " AND name = ?1 COLLATE NOCASE UNION SELECT sensor, asset, 1 FROM facts"
     " INDEXED BY facts_by_host_name WHERE kind = 'host_name' AND unit = '' AND is_current"
     " AND value = ?1 COLLATE NOCASE UNION SELECT sensor, asset, 1 FROM asset_overrides"
     " WHERE field = 'name' AND value = ?1 COLLATE NOCASE"                         },
};

enum { WAYS = sizeof ways / sizeof *ways };

/* Looks for one value. The smallest id of those that fit best. */
static bool look(struct store *store, const struct way *way, const char *value,
                 const struct asset_cells *row, struct owner *o, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, way->sql, err);
    if (!s)
        return false;
    bool has_address = false;
    int result;
    sqlite3_bind_text(s, 1, value, -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(s) >= 2)
        sqlite3_bind_text(s, 2, row->cells[ASSET_COLUMN_segment], -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(s) >= 3)
        sqlite3_bind_text(s, 3, row->cells[ASSET_COLUMN_ip], -1, SQLITE_STATIC);
    while ((result = sqlite3_step(s)) == SQLITE_ROW) {
        bool is_first = o->asset[0] == '\0', has_its_address = sqlite3_column_int(s, 2) != 0;
        bool is_same =
            strcmp(o->sensor, text_at(s, 0)) == 0 && strcmp(o->asset, text_at(s, 1)) == 0;
        o->is_ambiguous |= !is_first && !is_same && !way->is_one_of;
        bool is_better =
            has_its_address != has_address ? has_its_address : strcmp(text_at(s, 1), o->asset) < 0;
        if (!is_first && !is_better)
            continue;
        has_address = has_its_address;
        text_format(o->sensor, sizeof o->sensor, "%s", text_at(s, 0));
        text_format(o->asset, sizeof o->asset, "%s", text_at(s, 1));
    }
    sqlite3_reset(s);
    return result == SQLITE_DONE || unreadable(store, err);
}

/* Looks for each of the values of a cell, until one is found. */
static bool look_each(struct store *store, const struct way *way, const char *cell,
                      const struct asset_cells *row, struct owner *o, struct error *err)
{
    bool is_list = way->column == ASSET_COLUMN_mac || way->column == ASSET_COLUMN_ip;
    while (*cell != '\0' && o->asset[0] == '\0') {
        char value[ASSET_CELL_SIZE];
        size_t size = is_list ? strcspn(cell, ";") : strlen(cell);
        text_format(value, sizeof value, "%.*s", (int)size, cell);
        if (!look(store, way, value, row, o, err))
            return false;
        cell += size + (cell[size] == ';' && is_list);
    }
    return true;
}

static bool owner_of(struct store *store, const struct asset_cells *row, struct owner *o,
                     struct error *err)
{
    *o = (struct owner){.is_ambiguous = false};
    for (size_t i = 0; i < WAYS && o->asset[0] == '\0'; i++)
        if (!look_each(store, &ways[i], row->cells[ways[i].column], row, o, err))
            return false;
    const char *host_name = row->cells[ASSET_COLUMN_hostname];
    return o->asset[0] != '\0' || look_each(store, &ways[WAYS - 1], host_name, row, o, err);
}

/* --- which row an asset has --- */

static bool is_mine(const struct owner *o, const struct asset_cells *asset)
{
    return !o->is_ambiguous && strcmp(o->asset, asset->cells[ASSET_COLUMN_asset_id]) == 0 &&
           strcmp(o->sensor, asset->cells[ASSET_COLUMN_sensor]) == 0;
}

/* Lines that share something with the asset, in their order. */
static bool candidates(struct store *store, const struct asset_cells *asset,
                       int64_t lines[CANDIDATES_MAX], size_t *count, struct error *err)
{
    static const enum asset_column parameters[] = {
        ASSET_COLUMN_sensor, ASSET_COLUMN_asset_id, ASSET_COLUMN_serial_number,
        ASSET_COLUMN_ip,     ASSET_COLUMN_name,     ASSET_COLUMN_hostname};
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT line FROM declared_keys WHERE kind = 'asset_id' AND value = ?2"
        " UNION SELECT k.line FROM asset_aliases i CROSS JOIN declared_keys k ON k.kind ="
        " CASE i.kind WHEN 'former' THEN 'asset_id' ELSE i.kind END AND k.value = i.value"
        " WHERE i.sensor = ?1 AND i.asset = ?2"
        " UNION SELECT line FROM declared_keys WHERE kind = 'serial' AND value = ?3"
        " UNION SELECT line FROM declared_keys WHERE kind = 'ip' AND value = ?4"
        " UNION SELECT line FROM declared_keys WHERE kind = 'name' AND value IN (?5, ?6)"
        " ORDER BY line LIMIT 64",
        err);
    *count = 0;
    if (!s)
        return false;
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        sqlite3_bind_text(s, (int)i + 1, asset->cells[parameters[i]], -1, SQLITE_STATIC);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW && *count < CANDIDATES_MAX)
        lines[(*count)++] = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return result == SQLITE_DONE || result == SQLITE_ROW || unreadable(store, err);
}

/* The asset's row and its line; 0: none. */
static bool row_of(struct store *store, const struct asset_cells *asset, struct asset_cells *row,
                   int64_t *line, struct error *err)
{
    int64_t lines[CANDIDATES_MAX];
    size_t count;
    struct owner owner;
    *line = 0;
    if (!candidates(store, asset, lines, &count, err))
        return false;
    for (size_t i = 0; i < count && *line == 0; i++) {
        if (!row_load(store, lines[i], row, err) || !owner_of(store, row, &owner, err))
            return false;
        if (is_mine(&owner, asset))
            *line = lines[i];
    }
    return true;
}

/* --- filling --- */

static bool is_different(enum asset_column column, const struct asset_cells *row,
                         const struct asset_cells *asset)
{
    enum declared_use use;
    return declared_column(column, &use) && use == DECLARED_COMPARED &&
           !declared_is_same(column, row->cells[column], asset);
}

static void fill(struct asset_cells *asset, const struct asset_cells *row, int64_t line)
{
    char *sources = asset->cells[ASSET_COLUMN_sources];
    for (int i = 0; i < ASSET_COLUMN_COUNT; i++) {
        enum declared_use use;
        bool fills = i == ASSET_COLUMN_name ||
                     (declared_column((enum asset_column)i, &use) && use == DECLARED_FILLS);
        if (!fills || asset->cells[i][0] != '\0' || row->cells[i][0] == '\0')
            continue;
        char source[96];
        size_t used = strlen(sources);
        text_format(asset->cells[i], ASSET_CELL_SIZE, "%s", row->cells[i]);
        text_format(source, sizeof source, "%s%s: declared list, line %lld", used ? ";" : "",
                    asset_column_name((enum asset_column)i), (long long)line);
        if (used + strlen(source) < ASSET_CELL_SIZE)
            text_format(sources + used, ASSET_CELL_SIZE - used, "%s", source);
    }
}

static void match_print(struct asset_cells *asset, const struct asset_cells *row)
{
    char *cell = asset->cells[ASSET_COLUMN_declared_match];
    size_t used = 0;
    for (int i = 0; i < ASSET_COLUMN_COUNT; i++)
        if (is_different((enum asset_column)i, row, asset)) {
            text_format(cell + used, ASSET_CELL_SIZE - used, "%s%s", used ? ", " : "differs (",
                        asset_column_name((enum asset_column)i));
            used = strlen(cell);
        }
    text_format(cell + used, ASSET_CELL_SIZE - used, used ? ")" : "yes");
}

bool declared_apply(struct store *store, struct asset_cells *asset, struct error *err)
{
    int64_t line = 0;
    bool is_inside = asset->cells[ASSET_COLUMN_parent_asset_id][0] != '\0';
    if (!is_there(store))
        return true;
    struct asset_cells *row = malloc(sizeof *row);
    bool ok = row ? row_of(store, asset, row, &line, err)
                  : error_set(err, "not enough memory for the declared list");
    if (ok && line != 0) {
        match_print(asset, row);
        fill(asset, row, line);
    } else if (ok && !is_inside) {
        text_format(asset->cells[ASSET_COLUMN_declared_match], ASSET_CELL_SIZE, "no");
    }
    free(row);
    return ok;
}

/* --- the difference --- */

struct diff {
    struct store *store;
    struct error *err;
    const struct declared_sink *sink;
    struct asset_cells *row;
    int64_t *found; /* lines of assets that were seen */
    size_t count, capacity;
    bool is_failed, is_stopped;
};

static bool found_add(struct diff *d, int64_t line)
{
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 256;
        int64_t *more = realloc(d->found, capacity * sizeof *more);
        if (!more)
            return error_set(d->err, "not enough memory for the declared list");
        d->found = more;
        d->capacity = capacity;
    }
    d->found[d->count++] = line;
    return true;
}

static bool tell_different(struct diff *d, int64_t line, const struct asset_cells *asset)
{
    bool goes_on = true;
    for (int i = 0; goes_on && i < ASSET_COLUMN_COUNT; i++)
        if (is_different((enum asset_column)i, d->row, asset))
            goes_on = d->sink->different(d->sink->context, (size_t)line, asset,
                                         (enum asset_column)i, d->row->cells[i], asset->cells[i]);
    return goes_on;
}

static bool diff_asset(void *context, const struct asset_cells *asset)
{
    struct diff *d = context;
    int64_t line;
    const char *match = asset->cells[ASSET_COLUMN_declared_match];
    if (strcmp(match, "no") == 0) {
        d->is_stopped = !d->sink->extra(d->sink->context, asset);
        return !d->is_stopped;
    }
    if (match[0] == '\0')
        return true;
    d->is_failed = !row_of(d->store, asset, d->row, &line, d->err) || !found_add(d, line);
    d->is_stopped = !d->is_failed && !tell_different(d, line, asset);
    return !d->is_failed && !d->is_stopped;
}

static int by_line(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool diff_row(struct diff *d, int64_t line)
{
    struct owner owner;
    if (d->count > 0 && bsearch(&line, d->found, d->count, sizeof line, by_line))
        return true;
    if (!row_load(d->store, line, d->row, d->err) || !owner_of(d->store, d->row, &owner, d->err))
        return false;
    const char *why = owner.is_ambiguous       ? "several assets have this"
                      : owner.asset[0] != '\0' ? "another line is the same asset"
                                               : "";
    d->is_stopped = !d->sink->missing(d->sink->context, (size_t)line, d->row, why);
    return true;
}

static bool diff_rows(struct diff *d)
{
    int64_t line = 0;
    int result = SQLITE_ROW;
    if (d->count > 0)
        qsort(d->found, d->count, sizeof *d->found, by_line);
    while (result == SQLITE_ROW && !d->is_stopped) {
        sqlite3_stmt *s = store_statement(
            d->store, "SELECT line FROM declared WHERE line > ? ORDER BY line LIMIT 1", d->err);
        if (!s)
            return false;
        sqlite3_bind_int64(s, 1, line);
        result = sqlite3_step(s);
        line = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
        if (result == SQLITE_ROW && !diff_row(d, line))
            return false;
    }
    return d->is_stopped || result == SQLITE_DONE || unreadable(d->store, d->err);
}

bool declared_diff(struct store *store, const struct declared_sink *sink, struct error *err)
{
    if (!is_there(store))
        return error_set(err, "there is no declared list in %s: sightglass assets import FILE.csv",
                         store_path(store));
    struct diff d = {.store = store, .err = err, .sink = sink, .row = malloc(sizeof *d.row)};
    if (!d.row)
        return error_set(err, "not enough memory for the declared list");
    bool ok = assets_export(store, diff_asset, &d, err) && !d.is_failed &&
              (d.is_stopped || diff_rows(&d));
    free(d.found);
    free(d.row);
    return ok;
}
