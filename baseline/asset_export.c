/* asset_export.c: from the inventory's tables to rows for people and other programs. */
#include "asset_export.h"

#include "asset.h"
#include "asset_children.h"
#include "asset_links.h"
#include "asset_override.h"
#include "declared_match.h"
#include "names.h"
#include "sensor/base/json_writer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SCHEMA_VERSION = 1 };

static const int64_t ACTIVE_NS =
    3600 * 1000000000ll; /* heard within the last hour of what the sensor saw */
static const int64_t TOGETHER_NS = 300 * 1000000000ll; /* hosts are sighted once a minute */

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

/* --- collecting --- */

struct key {
    char sensor[64], id[ASSET_ID_SIZE], segment[64];
    struct address ip;
};

struct export
{
    struct store *store;
    struct error *err;
    int64_t newest_ns;
    struct asset_cells *row;
    /* of the asset in hand, see unit_row */
    char maker[ASSET_FACT_TEXT], geo_place[ASSET_FACT_TEXT], geo_owner[ASSET_FACT_TEXT];
    char unit[ASSET_UNIT_TEXT], unit_kind[32], unit_value[ASSET_FACT_TEXT];
    int64_t unit_ns;
    bool is_mixed, has_own;     /* has_own: the asset tells facts of no unit, too */
    char type[ASSET_FACT_TEXT]; /* a code that stands for its model */
    bool is_own_known;          /* as in struct asset_parent */
    bool is_name_hearsay;       /* only a name server says how it is called */
    size_t alike;               /* units that tell the same product as the one before */
    size_t line_units;          /* units of a line that answered: Modbus */
};

static void set(struct export *x, enum asset_column column, const char *value)
{
    text_format(x->row->cells[column], ASSET_CELL_SIZE, "%s", value);
}

/* Adds to a list, once; a list that is full says so. */
static void add(struct export *x, enum asset_column column, const char *value)
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

/* A value inside a list must not split it. */
static char *no_separator(char *out, size_t capacity, const char *value)
{
    text_format(out, capacity, "%s", value);
    for (char *at = out; *at != '\0'; at++)
        if (*at == ';')
            *at = ',';
    return out;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

/* Runs a query about one asset and gives each row to `row`. */
static bool about_asset(struct export *x, const struct key *key, const char *sql,
                        void (*row)(struct export *x, sqlite3_stmt *statement))
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

static void time_cell(struct export *x, enum asset_column column, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    if (time_ns != 0)
        set(x, column, time_print(text, time_ns));
}

/* What is no more than likely says so among the sources. */
static void inferred(struct export *x, sqlite3_stmt *s)
{
    char text[ASSET_CELL_SIZE], why[128];
    no_separator(why, sizeof why, column_text(s, 8));
    if (why[0] == '\0')
        return;
    add(x, ASSET_COLUMN_sources, text_format(text, sizeof text, "asset_class: inferred, %s", why));
    text_format(text, sizeof text, "class %d", sqlite3_column_int(s, 9));
    set(x, ASSET_COLUMN_confidence, text);
    set(x, ASSET_COLUMN_purdue_level, column_text(s, 10));
}

static void asset_row(struct export *x, sqlite3_stmt *s)
{
    int64_t last_ns = sqlite3_column_int64(s, 1);
    uint32_t flags = (uint32_t)sqlite3_column_int64(s, 3);
    time_cell(x, ASSET_COLUMN_first_seen, sqlite3_column_int64(s, 0));
    time_cell(x, ASSET_COLUMN_last_seen, last_ns);
    time_cell(x, ASSET_COLUMN_last_changed, sqlite3_column_int64(s, 2));
    set(x, ASSET_COLUMN_asset_class, column_text(s, 4));
    set(x, ASSET_COLUMN_role, column_text(s, 5));
    set(x, ASSET_COLUMN_name, column_text(s, 6));
    set(x, ASSET_COLUMN_vlan, column_text(s, 7));
    set(x, ASSET_COLUMN_internet, flags & ASSET_PUBLIC ? "yes" : "");
    inferred(x, s);
    text_format(x->maker, sizeof x->maker, "%s", column_text(s, 11));
    text_format(x->geo_place, sizeof x->geo_place, "%s", column_text(s, 12));
    text_format(x->geo_owner, sizeof x->geo_owner, "%s", column_text(s, 13));
    bool is_transient = !(flags & ASSET_TALKED) && x->row->cells[ASSET_COLUMN_role][0] == '\0';
    set(x, ASSET_COLUMN_status,
        x->newest_ns - last_ns > ACTIVE_NS ? "silent"
        : is_transient                     ? "transient"
                                           : "active");
}

static void place_row(struct export *x, sqlite3_stmt *s)
{
    bool is_placed = column_text(s, 1)[0] != '\0';
    set(x, ASSET_COLUMN_zone, column_text(s, 0));
    if (is_placed)
        set(x, ASSET_COLUMN_purdue_level, column_text(s, 1));
    if (x->row->cells[ASSET_COLUMN_purdue_level][0] != '\0')
        add(x, ASSET_COLUMN_sources,
            is_placed ? "purdue_level: site policy" : "purdue_level: inferred from its class");
    set(x, ASSET_COLUMN_safety, sqlite3_column_int(s, 2) ? "yes" : "");
    set(x, ASSET_COLUMN_criticality, sqlite3_column_int(s, 3) ? "critical" : "");
}

static void alias_row(struct export *x, sqlite3_stmt *s)
{
    const char *kind = column_text(s, 0), *value = column_text(s, 1);
    bool is_first = sqlite3_column_int(s, 2) == 0;
    if (strcmp(kind, "ip") == 0 && is_first)
        set(x, ASSET_COLUMN_ip, value);
    else if (strcmp(kind, "ip") == 0)
        add(x, ASSET_COLUMN_ip_other, value);
    else if (strcmp(kind, "mac") == 0 && is_first)
        set(x, ASSET_COLUMN_mac, value);
    else if (strcmp(kind, "mac") == 0)
        add(x, ASSET_COLUMN_mac_other, value);
}

/* Two devices of one address: one replaced the other, or both use it. */
static void shared_row(struct export *x, sqlite3_stmt *s)
{
    char text[ASSET_CELL_SIZE];
    const char *ip = column_text(s, 0), *other = column_text(s, 1);
    int64_t later_ns = sqlite3_column_int64(s, 2);
    const char *how = later_ns > TOGETHER_NS    ? "is now used by"
                      : later_ns < -TOGETHER_NS ? "was used before by"
                                                : "is also used by";
    add(x, ASSET_COLUMN_conflicts, text_format(text, sizeof text, "ip: %s %s %s", ip, how, other));
}

static void protocol_row(struct export *x, sqlite3_stmt *s)
{
    if (sqlite3_column_int(s, 1))
        add(x, ASSET_COLUMN_protocols_served, column_text(s, 0));
    if (sqlite3_column_int(s, 1) && strcmp(column_text(s, 0), "tristation") == 0)
        set(x, ASSET_COLUMN_safety, "yes"); /* only safety controllers answer it */
    if (sqlite3_column_int(s, 2))
        add(x, ASSET_COLUMN_protocols_used, column_text(s, 0));
}

static void service_row(struct export *x, sqlite3_stmt *s)
{
    char text[64];
    int transport = sqlite3_column_int(s, 0);
    if (!(sqlite3_column_int(s, 3) & SERVICE_ANSWERED))
        return;
    text_format(text, sizeof text, "%s/%d%s%s",
                transport == TRANSPORT_TCP   ? "tcp"
                : transport == TRANSPORT_UDP ? "udp"
                                             : "other",
                sqlite3_column_int(s, 1), column_text(s, 2)[0] ? " " : "", column_text(s, 2));
    add(x, ASSET_COLUMN_ports_open, text);
}

/* The column that a kind of fact fills. */
static const struct {
    enum fact_kind kind;
    enum asset_column column;
} fact_columns[] = {
    {FACT_VENDOR,       ASSET_COLUMN_vendor          },
    {FACT_PRODUCT,      ASSET_COLUMN_model           },
    {FACT_ORDER_NUMBER, ASSET_COLUMN_order_number    },
    {FACT_SERIAL,       ASSET_COLUMN_serial_number   },
    {FACT_HARDWARE,     ASSET_COLUMN_hardware_version},
    {FACT_FIRMWARE,     ASSET_COLUMN_firmware_version},
    {FACT_SOFTWARE,     ASSET_COLUMN_software_version},
    {FACT_HOST_NAME,    ASSET_COLUMN_hostname        },
    {FACT_MODE,         ASSET_COLUMN_operating_mode  },
    {FACT_KEY_SWITCH,   ASSET_COLUMN_key_switch      },
    {FACT_PROTECTION,   ASSET_COLUMN_protection      },
    {FACT_PROGRAM,      ASSET_COLUMN_program_id      },
    {FACT_LOCATION,     ASSET_COLUMN_location        },
    {FACT_COMMENT,      ASSET_COLUMN_description     },
    {FACT_CERTIFICATE,  ASSET_COLUMN_description     },
    {FACT_OS,           ASSET_COLUMN_os              },
    {FACT_SWITCH_PORT,  ASSET_COLUMN_switch_port     },
};

bool asset_column_of_fact(const char *kind, enum asset_column *column)
{
    for (size_t i = 0; i < sizeof fact_columns / sizeof *fact_columns; i++)
        if (strcmp(kind, fact_name(fact_columns[i].kind)) == 0) {
            *column = fact_columns[i].column;
            return true;
        }
    return false;
}

/* What units tell of themselves, by kind and age. When they contradict each other they are several
 * devices behind one address, and the asset's columns hold those of the oldest only. */
static void unit_row(struct export *x, sqlite3_stmt *s)
{
    const char *kind = column_text(s, 0), *unit = column_text(s, 1), *value = column_text(s, 3);
    const char *protocol = column_text(s, 2);
    int64_t first_ns = sqlite3_column_int64(s, 4);
    if (strcmp(kind, fact_name(FACT_UNIT)) == 0) {
        x->line_units += strcmp(protocol, "modbus") == 0 && asset_unit_is_behind(protocol, unit);
        return;
    }
    if (asset_unit_is_other(protocol))
        return;
    x->alike += strcmp(kind, fact_name(FACT_PRODUCT)) == 0 && strcmp(x->unit_kind, kind) == 0 &&
                strcmp(x->unit_value, value) == 0;
    if (x->unit[0] == '\0' || first_ns < x->unit_ns) {
        text_format(x->unit, sizeof x->unit, "%s", unit);
        x->unit_ns = first_ns;
    }
    x->is_mixed |= strcmp(x->unit_kind, kind) == 0 && strcmp(x->unit_value, value) != 0;
    text_format(x->unit_kind, sizeof x->unit_kind, "%s", kind);
    text_format(x->unit_value, sizeof x->unit_value, "%s", value);
}

/* Several units answer on the line behind a gateway, and they are not one device that answers for
 * every number. */
static bool is_line(const struct export *x)
{
    return x->line_units > 1 && (x->is_mixed || x->alike == 0);
}

/* Whether this fact is about the asset itself and not about a device behind it. */
static bool is_of_itself(const struct export *x, const char *kind, const char *unit,
                         const char *protocol)
{
    static const enum fact_kind telling[] = {FACT_PRODUCT, FACT_ORDER_NUMBER, FACT_SERIAL,
                                             FACT_HARDWARE, FACT_FIRMWARE};
    if (unit[0] == '\0')
        return true;
    if (asset_unit_is_other(protocol) ||
        (is_line(x) && strcmp(protocol, "modbus") == 0 && asset_unit_is_behind(protocol, unit)))
        return false;
    for (size_t i = 0; x->is_mixed && i < sizeof telling / sizeof *telling; i++)
        if (strcmp(kind, fact_name(telling[i])) == 0)
            return strcmp(unit, x->unit) == 0;
    return true;
}

/* A CPU that is reached in its rack stands there. */
static void own_place(struct export *x, const char *protocol, const char *unit)
{
    char rack[ASSET_PLACE_SIZE], slot[ASSET_PLACE_SIZE];
    asset_unit_place(protocol, unit, rack, slot);
    if (slot[0] == '\0' || x->row->cells[ASSET_COLUMN_slot][0] != '\0')
        return;
    set(x, ASSET_COLUMN_rack, rack);
    set(x, ASSET_COLUMN_slot, slot);
}

/* Told of a unit behind it where nothing told more. */
static void unit_stands(struct export *x, const char *unit, const char *what)
{
    char text[ASSET_CELL_SIZE];
    text_format(text, sizeof text, "unit %s:", unit);
    if (!strstr(x->row->cells[ASSET_COLUMN_modules], text))
        add(x, ASSET_COLUMN_modules, text_format(text, sizeof text, "unit %s: %s", unit, what));
}

/* By which addresses a device is spoken to, and what stands behind it. */
static void unit_answered(struct export *x, const char *protocol, const char *unit, bool is_own)
{
    char text[PROTOCOL_NAME_SIZE + 16], name[ASSET_UNIT_NAME];
    if (!asset_unit_is_other(protocol))
        add(x, ASSET_COLUMN_protocol_names, asset_unit_name(name, protocol, unit));
    if (is_own)
        own_place(x, protocol, unit);
    else
        unit_stands(x, unit, text_format(text, sizeof text, "answers %s", protocol));
}

/* Makers give each of their models a number there. */
static void type_told(struct export *x, const char *protocol, const char *value)
{
    if (strcmp(protocol, "c1222") == 0)
        text_format(x->type, sizeof x->type, "C12.22 device class %s", value);
    else if (strcmp(protocol, "hart_ip") == 0)
        text_format(x->type, sizeof x->type, "%s", value);
}

/* Nobody spoke with it: it is told on layer 2 only, or for management. */
static void told_address(struct export *x, const char *ip)
{
    if (x->row->cells[ASSET_COLUMN_ip][0] == '\0')
        set(x, ASSET_COLUMN_ip, ip);
    else if (strcmp(x->row->cells[ASSET_COLUMN_ip], ip) != 0 &&
             !strstr(x->row->cells[ASSET_COLUMN_ip_other], ip))
        add(x, ASSET_COLUMN_ip_other, ip);
}

/* The same host: in other letters, with its domain, or cut off as NetBIOS does. */
static bool is_same_host(const char *a, const char *b)
{
    enum { NETBIOS_MAX = 15 };
    size_t size = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    const char *rest = strlen(a) < strlen(b) ? b + size : a + size;
    return strncasecmp(a, b, size) == 0 &&
           (rest[0] == '\0' || rest[0] == '.' || size == NETBIOS_MAX);
}

/* A sentence, a port by its number and by its name, an address beside a product: none denies the
 * other. Nor does the number of a Windows that browsing and DHCP tell deny its name. */
static bool is_contradiction(enum fact_kind kind, const char *protocol, const char *a,
                             const char *b)
{
    static const char *const numbers[] = {"nbdgm", "dhcp", "dhcpv6"};
    if (kind == FACT_COMMENT || kind == FACT_CERTIFICATE || kind == FACT_SWITCH_PORT ||
        names_is_hearsay(protocol))
        return false;
    for (size_t i = 0; kind == FACT_OS && i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(protocol, numbers[i]) == 0)
            return false;
    return kind == FACT_HOST_NAME ? !is_same_host(a, b) : strcmp(a, b) != 0;
}

/* Facts come with those of the asset itself first, then by unit and age: the first one fills the
 * column. */
static void fact_row(struct export *x, sqlite3_stmt *s)
{
    const char *kind = column_text(s, 0), *unit = column_text(s, 1), *protocol = column_text(s, 2),
               *value = column_text(s, 3);
    char text[ASSET_CELL_SIZE], clean[ASSET_FACT_TEXT * 2], time[TIME_TEXT_SIZE];
    bool is_name = strcmp(kind, fact_name(FACT_NAME)) == 0 ||
                   strcmp(kind, fact_name(FACT_MODULE_NAME)) == 0 ||
                   strcmp(kind, fact_name(FACT_PLANT)) == 0 ||
                   (strcmp(kind, fact_name(FACT_URL)) == 0 && strncmp(protocol, "opcua", 5) == 0);
    no_separator(clean, sizeof clean, value);
    bool is_own_product = unit[0] == '\0' && strcmp(kind, fact_name(FACT_PRODUCT)) == 0;
    x->has_own |= is_own_product;
    x->is_own_known |=
        is_own_product && (strcmp(protocol, "enip") == 0 || strcmp(protocol, "cip") == 0);
    bool is_own = is_of_itself(x, kind, unit, protocol);
    if (strcmp(kind, fact_name(FACT_PART)) == 0) {
        unit_stands(x, unit, clean);
        return;
    }
    if (strcmp(kind, fact_name(FACT_UNIT)) == 0) {
        unit_answered(x, protocol, unit, is_own);
        return;
    }
    if (is_name && is_own)
        add(x, ASSET_COLUMN_protocol_names, clean);
    bool is_module = strcmp(kind, fact_name(FACT_PRODUCT)) == 0 ||
                     strcmp(kind, fact_name(FACT_ORDER_NUMBER)) == 0 || (is_name && !is_own);
    if (unit[0] != '\0' && is_module)
        add(x, ASSET_COLUMN_modules, text_format(text, sizeof text, "unit %s: %s", unit, clean));
    if (!is_own)
        return;
    own_place(x, protocol, unit);
    if (strcmp(kind, fact_name(FACT_IP)) == 0 && !sqlite3_column_int(s, 5))
        told_address(x, value);
    if (strcmp(kind, fact_name(FACT_DEVICE_TYPE)) == 0)
        type_told(x, protocol, value);
    for (size_t i = 0; i < sizeof fact_columns / sizeof *fact_columns; i++) {
        enum asset_column column = fact_columns[i].column;
        if (strcmp(kind, fact_name(fact_columns[i].kind)) != 0)
            continue;
        if (x->row->cells[column][0] == '\0') {
            set(x, column, value);
            x->is_name_hearsay |= names_is_hearsay(protocol);
            text_format(text, sizeof text, "%s: %s %s", columns[column].name, protocol,
                        time_print(time, sqlite3_column_int64(s, 4)));
            add(x, ASSET_COLUMN_sources, text);
        } else if (unit[0] == '\0' &&
                   is_contradiction(fact_columns[i].kind, protocol, x->row->cells[column], value)) {
            text_format(text, sizeof text, "%s: %s (%s)", columns[column].name, clean, protocol);
            add(x, ASSET_COLUMN_conflicts, text);
        }
    }
}

/* A cell that is still empty, from a list that knows addresses and not devices. */
static void guessed(struct export *x, enum asset_column column, const char *value, const char *mark,
                    const char *source)
{
    char text[ASSET_CELL_SIZE];
    if (x->row->cells[column][0] != '\0' || value[0] == '\0')
        return;
    text_format(x->row->cells[column], ASSET_CELL_SIZE, "%s%s", value, mark);
    add(x, ASSET_COLUMN_sources,
        text_format(text, sizeof text, "%s: guess, %s", columns[column].name, source));
}

/* How sure vendor and model are: told by a device of itself, or guessed. */
static bool guesses(struct export *x)
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

static bool risk(struct export *x)
{
    asset_risk_fill(x->row, x->newest_ns);
    return true;
}

static bool export_asset(struct export *x, const struct key *key)
{
    memset(x->row, 0, sizeof *x->row);
    x->unit[0] = x->unit_kind[0] = x->type[0] = '\0';
    x->is_mixed = x->has_own = x->is_own_known = x->is_name_hearsay = false;
    x->alike = x->line_units = 0;
    set(x, ASSET_COLUMN_asset_id, key->id);
    set(x, ASSET_COLUMN_segment, key->segment);
    set(x, ASSET_COLUMN_sensor, key->sensor);
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
                       unit_row) &&
           about_asset(x, key,
                       "SELECT kind, unit, protocol, value, last_ns, EXISTS (SELECT 1 FROM"
                       " asset_aliases i WHERE i.sensor = facts.sensor AND i.kind = 'ip'"
                       " AND i.value = facts.value) FROM facts"
                       " WHERE sensor = ? AND asset = ? AND is_current"
                       " ORDER BY kind = 'certificate', kind,"
                       " kind = 'os' AND protocol IN ('nbdgm', 'dhcp', 'dhcpv6'), unit <> '',"
                       " protocol LIKE '% answer', protocol = '" ASSET_OPCUA_CLIENT "',"
                       " first_ns, unit, protocol",
                       fact_row) &&
           guesses(x) && asset_links_fill(x->store, key->sensor, key->id, x->row, x->err) &&
           asset_overrides_apply(x->store, key->sensor, key->id, x->row, x->err) &&
           declared_apply(x->store, x->row, x->err) && risk(x);
}

static int by_place(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = strcmp(x->sensor, y->sensor);
    if (order == 0)
        order = strcmp(x->segment, y->segment);
    if (order == 0)
        order = memcmp(&x->ip, &y->ip, sizeof x->ip);
    return order ? order : strcmp(x->id, y->id);
}

/* The keys of all assets, in the order of the export. */
static bool keys_read(struct export *x, struct key **keys, size_t *count)
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
            struct key *more = realloc(*keys, capacity * sizeof **keys);
            if (!more) {
                sqlite3_reset(s);
                return error_set(x->err, "not enough memory for the inventory of %s",
                                 store_path(x->store));
            }
            *keys = more;
        }
        struct key *key = &(*keys)[(*count)++];
        memset(key, 0, sizeof *key);
        text_format(key->sensor, sizeof key->sensor, "%s", column_text(s, 0));
        text_format(key->id, sizeof key->id, "%s", column_text(s, 1));
        text_format(key->segment, sizeof key->segment, "%s", column_text(s, 2));
        if (sqlite3_column_int64(s, 3) > x->newest_ns)
            x->newest_ns = sqlite3_column_int64(s, 3);
        address_parse(&key->ip, column_text(s, 4));
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
    struct export x = {.store = store, .err = err, .row = malloc(sizeof *x.row)};
    struct key *keys = NULL;
    size_t count = 0;
    if (!x.row)
        return error_set(err, "not enough memory for the inventory of %s", store_path(store));
    bool ok = keys_read(&x, &keys, &count);
    for (size_t i = 0; ok && i < count; i++) {
        ok = export_asset(&x, &keys[i]);
        bool is_more = ok && row(context, x.row);
        struct asset_parent parent = {.sensor = keys[i].sensor,
                                      .id = keys[i].id,
                                      .cells = x.row,
                                      .own_unit = x.has_own || is_line(&x) ? "" : x.unit,
                                      .is_mixed = x.is_mixed || is_line(&x),
                                      .is_own_known = x.is_own_known,
                                      .is_one = x.line_units > 1 && !is_line(&x)};
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
    struct export x = {.store = store, .err = err, .row = asset};
    struct key key = {.id = ""};
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
        text_format(key.sensor, sizeof key.sensor, "%s", column_text(s, 0));
        text_format(key.id, sizeof key.id, "%s", column_text(s, 1));
        text_format(key.segment, sizeof key.segment, "%s", column_text(s, 2));
        x.newest_ns = sqlite3_column_int64(s, 3);
    }
    sqlite3_reset(s);
    return key.id[0] != '\0' ? export_asset(&x, &key) : error_set(err, "no such asset: %s", id);
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
