/* asset_row.c: what the store has of one asset, as the cells of its row. */
#include "asset_row.h"

#include "asset_links.h"
#include "asset_override.h"
#include "declared_match.h"
#include "sensor/base/json_writer.h"

#include <string.h>

enum { SCHEMA_VERSION = 1 };

static const int64_t ACTIVE_NS =
    3600 * 1000000000ll; /* heard within the last hour of what the sensor saw */
static const int64_t TOGETHER_NS = 300 * 1000000000ll; /* hosts are sighted once a minute */

void asset_row_set(struct asset_filling *x, enum asset_column column, const char *value)
{
    text_format(x->row->cells[column], ASSET_CELL_SIZE, "%s", value);
}

void asset_row_add(struct asset_filling *x, enum asset_column column, const char *value)
{
    char *cell = x->row->cells[column];
    size_t used = strlen(cell), size = strlen(value);
    for (const char *at = cell; *at != '\0';) {
        size_t length = strcspn(at, ";");
        if (length == size && memcmp(at, value, size) == 0)
            return;
        at += length + (at[length] == ';');
    }
    if (used + size + sizeof ";..." < ASSET_CELL_SIZE)
        text_format(cell + used, ASSET_CELL_SIZE - used, "%s%s", used ? ";" : "", value);
    else if (used > 3 && strcmp(cell + used - 3, "...") != 0)
        text_format(cell + used, ASSET_CELL_SIZE - used, ";...");
}

char *asset_row_no_separator(char *out, size_t capacity, const char *value)
{
    text_format(out, capacity, "%s", value);
    for (char *at = out; *at != '\0'; at++)
        if (*at == ';')
            *at = ',';
    return out;
}

const char *asset_row_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

/* Runs a query about one asset and gives each row to `row`. */
static bool about_asset(struct asset_filling *x, const struct asset_row_key *key, const char *sql,
                        void (*row)(struct asset_filling *x, sqlite3_stmt *statement))
{
    sqlite3_stmt *statement = store_statement(x->store, sql, x->err);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, key->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, key->id, -1, SQLITE_STATIC);
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        row(x, statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ||
           error_set(x->err, "cannot read the inventory in %s: %s", store_path(x->store),
                     sqlite3_errmsg(store_handle(x->store)));
}

static void time_cell(struct asset_filling *x, enum asset_column column, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    if (time_ns != 0)
        asset_row_set(x, column, time_print(text, time_ns));
}

/* What is no more than likely says so among the sources. */
static void inferred(struct asset_filling *x, sqlite3_stmt *s)
{
    char text[ASSET_CELL_SIZE], why[128];
    asset_row_no_separator(why, sizeof why, asset_row_text(s, 8));
    if (why[0] == '\0')
        return;
    asset_row_add(x, ASSET_COLUMN_sources,
                  text_format(text, sizeof text, "asset_class: inferred, %s", why));
    text_format(text, sizeof text, "class %d", sqlite3_column_int(s, 9));
    asset_row_set(x, ASSET_COLUMN_confidence, text);
    asset_row_set(x, ASSET_COLUMN_purdue_level, asset_row_text(s, 10));
}

static void asset_row(struct asset_filling *x, sqlite3_stmt *s)
{
    int64_t last_ns = sqlite3_column_int64(s, 1);
    uint32_t flags = (uint32_t)sqlite3_column_int64(s, 3);
    time_cell(x, ASSET_COLUMN_first_seen, sqlite3_column_int64(s, 0));
    time_cell(x, ASSET_COLUMN_last_seen, last_ns);
    time_cell(x, ASSET_COLUMN_last_changed, sqlite3_column_int64(s, 2));
    asset_row_set(x, ASSET_COLUMN_asset_class, asset_row_text(s, 4));
    asset_row_set(x, ASSET_COLUMN_role, asset_row_text(s, 5));
    asset_row_set(x, ASSET_COLUMN_name, asset_row_text(s, 6));
    asset_row_set(x, ASSET_COLUMN_vlan, asset_row_text(s, 7));
    asset_row_set(x, ASSET_COLUMN_internet, flags & ASSET_PUBLIC ? "yes" : "");
    inferred(x, s);
    text_format(x->maker, sizeof x->maker, "%s", asset_row_text(s, 11));
    text_format(x->geo_place, sizeof x->geo_place, "%s", asset_row_text(s, 12));
    text_format(x->geo_owner, sizeof x->geo_owner, "%s", asset_row_text(s, 13));
    bool is_transient = !(flags & ASSET_TALKED) && x->row->cells[ASSET_COLUMN_role][0] == '\0';
    asset_row_set(x, ASSET_COLUMN_status,
                  x->newest_ns - last_ns > ACTIVE_NS ? "silent"
                  : is_transient                     ? "transient"
                                                     : "active");
}

static void place_row(struct asset_filling *x, sqlite3_stmt *s)
{
    bool is_placed = asset_row_text(s, 1)[0] != '\0';
    asset_row_set(x, ASSET_COLUMN_zone, asset_row_text(s, 0));
    if (is_placed)
        asset_row_set(x, ASSET_COLUMN_purdue_level, asset_row_text(s, 1));
    if (x->row->cells[ASSET_COLUMN_purdue_level][0] != '\0')
        asset_row_add(x, ASSET_COLUMN_sources,
                      is_placed ? "purdue_level: site policy"
                                : "purdue_level: inferred from its class");
    asset_row_set(x, ASSET_COLUMN_safety, sqlite3_column_int(s, 2) ? "yes" : "");
    asset_row_set(x, ASSET_COLUMN_criticality, sqlite3_column_int(s, 3) ? "critical" : "");
}

static void alias_row(struct asset_filling *x, sqlite3_stmt *s)
{
    const char *kind = asset_row_text(s, 0), *value = asset_row_text(s, 1);
    bool is_first = sqlite3_column_int(s, 2) == 0;
    if (strcmp(kind, "ip") == 0 && is_first)
        asset_row_set(x, ASSET_COLUMN_ip, value);
    else if (strcmp(kind, "ip") == 0)
        asset_row_add(x, ASSET_COLUMN_ip_other, value);
    else if (strcmp(kind, "mac") == 0 && is_first)
        asset_row_set(x, ASSET_COLUMN_mac, value);
    else if (strcmp(kind, "mac") == 0)
        asset_row_add(x, ASSET_COLUMN_mac_other, value);
}

/* Two devices of one address: one replaced the other, or both use it. */
static void shared_row(struct asset_filling *x, sqlite3_stmt *s)
{
    char text[ASSET_CELL_SIZE];
    const char *ip = asset_row_text(s, 0), *other = asset_row_text(s, 1);
    int64_t later_ns = sqlite3_column_int64(s, 2);
    const char *how = later_ns > TOGETHER_NS    ? "is now used by"
                      : later_ns < -TOGETHER_NS ? "was used before by"
                                                : "is also used by";
    asset_row_add(x, ASSET_COLUMN_conflicts,
                  text_format(text, sizeof text, "ip: %s %s %s", ip, how, other));
}

static void protocol_row(struct asset_filling *x, sqlite3_stmt *s)
{
    if (sqlite3_column_int(s, 1))
        asset_row_add(x, ASSET_COLUMN_protocols_served, asset_row_text(s, 0));
    bool is_safe = strcmp(asset_row_text(s, 0), "tristation") == 0 ||
                   strcmp(asset_row_text(s, 0), "profisafe") == 0;
    if (sqlite3_column_int(s, 1) && is_safe) /* only safety systems answer these */
        asset_row_set(x, ASSET_COLUMN_safety, "yes");
    if (sqlite3_column_int(s, 2))
        asset_row_add(x, ASSET_COLUMN_protocols_used, asset_row_text(s, 0));
}

static void service_row(struct asset_filling *x, sqlite3_stmt *s)
{
    char text[64];
    int transport = sqlite3_column_int(s, 0);
    if (!(sqlite3_column_int(s, 3) & SERVICE_ANSWERED))
        return;
    text_format(text, sizeof text, "%s/%d%s%s",
                transport == TRANSPORT_TCP   ? "tcp"
                : transport == TRANSPORT_UDP ? "udp"
                                             : "other",
                sqlite3_column_int(s, 1), asset_row_text(s, 2)[0] ? " " : "", asset_row_text(s, 2));
    asset_row_add(x, ASSET_COLUMN_ports_open, text);
}

/* A cell that is still empty, from a list that knows addresses and not devices. */
static void guessed(struct asset_filling *x, enum asset_column column, const char *value,
                    const char *mark, const char *source)
{
    char text[ASSET_CELL_SIZE];
    if (x->row->cells[column][0] != '\0' || value[0] == '\0')
        return;
    text_format(x->row->cells[column], ASSET_CELL_SIZE, "%s%s", value, mark);
    asset_row_add(
        x, ASSET_COLUMN_sources,
        text_format(text, sizeof text, "%s: guess, %s", asset_column_name(column), source));
}

/* How sure vendor and model are: told by a device of itself, or guessed. */
static bool guesses(struct asset_filling *x)
{
    char *confidence = x->row->cells[ASSET_COLUMN_confidence];
    const char *vendor = x->row->cells[ASSET_COLUMN_vendor];
    enum { TOLD = 90, SAID = 40, GUESSED = 30 };
    bool is_told = vendor[0] != '\0';
    guessed(x, ASSET_COLUMN_model, x->type, "", "the number of its model");
    guessed(x, ASSET_COLUMN_vendor, x->maker, ASSET_GUESS_MARK, "block of its MAC address");
    guessed(x, ASSET_COLUMN_location, x->geo_place, "", "geoip database");
    guessed(x, ASSET_COLUMN_owner, x->geo_owner, "", "geoip database");
    size_t used = strlen(confidence);
    if (vendor[0] != '\0')
        text_format(confidence + used, ASSET_CELL_SIZE - used, "%svendor %d", used ? ", " : "",
                    is_told ? TOLD : GUESSED);
    used = strlen(confidence);
    if (x->row->cells[ASSET_COLUMN_model][0] != '\0')
        text_format(confidence + used, ASSET_CELL_SIZE - used, "%smodel %d", used ? ", " : "",
                    TOLD);
    used = strlen(confidence);
    if (x->is_name_hearsay)
        text_format(confidence + used, ASSET_CELL_SIZE - used, "%shostname %d", used ? ", " : "",
                    SAID);
    return true;
}

static bool risk(struct asset_filling *x)
{
    asset_risk_fill(x->row, x->newest_ns);
    return true;
}

bool asset_row_fill(struct asset_filling *x, const struct asset_row_key *key)
{
    memset(x->row, 0, sizeof *x->row);
    x->unit[0] = x->unit_kind[0] = x->type[0] = '\0';
    x->is_mixed = x->has_own = x->is_own_known = x->is_name_hearsay = false;
    x->alike = x->line_units = 0;
    asset_row_set(x, ASSET_COLUMN_asset_id, key->id);
    asset_row_set(x, ASSET_COLUMN_segment, key->segment);
    asset_row_set(x, ASSET_COLUMN_sensor, key->sensor);
    text_format(x->row->cells[ASSET_COLUMN_schema], ASSET_CELL_SIZE, "%d", SCHEMA_VERSION);
    store_setting_get(x->store, "site", x->row->cells[ASSET_COLUMN_site], ASSET_CELL_SIZE);
    return about_asset(x, key,
                       "SELECT first_ns, last_ns, changed_ns, flags, class, role, name, vlans,"
                       " class_why, class_confidence, level, maker, geo_place, geo_owner"
                       " FROM assets WHERE sensor = ? AND id = ?",
                       asset_row) &&
           about_asset(x, key,
                       "SELECT kind, value, position FROM asset_aliases"
                       " WHERE sensor = ? AND asset = ? ORDER BY kind, position",
                       alias_row) &&
           about_asset(x, key,
                       "SELECT i.value, o.asset, b.last_ns - a.last_ns FROM asset_aliases i"
                       " CROSS JOIN asset_aliases o INDEXED BY asset_aliases_by_value"
                       " ON o.sensor = i.sensor AND o.kind = 'ip' AND o.value = i.value"
                       " AND o.asset <> i.asset"
                       " CROSS JOIN assets a ON a.sensor = i.sensor AND a.id = i.asset"
                       " CROSS JOIN assets b ON b.sensor = o.sensor AND b.id = o.asset"
                       " WHERE i.sensor = ? AND i.asset = ? AND i.kind = 'ip'"
                       " AND b.segment = a.segment ORDER BY i.value, o.asset",
                       shared_row) &&
           about_asset(x, key,
                       "SELECT zone, level, is_safety, is_critical FROM asset_places"
                       " WHERE sensor = ? AND asset = ?",
                       place_row) &&
           about_asset(x, key,
                       "SELECT name, is_served, is_used FROM asset_protocols"
                       " WHERE sensor = ? AND asset = ? ORDER BY position",
                       protocol_row) &&
           about_asset(x, key,
                       "SELECT transport, port, protocol, flags FROM services"
                       " WHERE sensor = ? AND asset = ? ORDER BY transport, port",
                       service_row) &&
           about_asset(x, key,
                       "SELECT kind, unit, protocol, value, first_ns FROM facts"
                       " WHERE sensor = ? AND asset = ? AND is_current AND unit <> ''"
                       " AND kind IN ('product', 'order_number', 'serial_number', 'unit')"
                       " ORDER BY kind, first_ns, unit, protocol",
                       asset_row_unit) &&
           about_asset(x, key,
                       "SELECT kind, unit, protocol, value, last_ns, EXISTS (SELECT 1 FROM"
                       " asset_aliases i WHERE i.sensor = facts.sensor AND i.kind = 'ip'"
                       " AND i.value = facts.value) FROM facts"
                       " WHERE sensor = ? AND asset = ? AND is_current"
                       " ORDER BY kind = 'certificate', kind,"
                       " kind = 'os' AND protocol IN ('nbdgm', 'dhcp', 'dhcpv6'), unit <> '',"
                       " protocol LIKE '% answer', protocol = '" ASSET_OPCUA_CLIENT "',"
                       " first_ns, unit, protocol",
                       asset_row_fact) &&
           guesses(x) && asset_links_fill(x->store, key->sensor, key->id, x->row, x->err) &&
           asset_overrides_apply(x->store, key->sensor, key->id, x->row, x->err) &&
           declared_apply(x->store, x->row, x->err) && risk(x);
}
