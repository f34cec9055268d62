/* asset_row_facts.c: what a device and its units told, as cells of the device's row. */
#include "asset_row.h"
#include "names.h"
#include "sensor/base/json_writer.h"

#include <string.h>
#include <strings.h>

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

void asset_row_unit(struct asset_filling *x, sqlite3_stmt *s)
{
    const char *kind = asset_row_text(s, 0), *unit = asset_row_text(s, 1),
               *value = asset_row_text(s, 3);
    const char *protocol = asset_row_text(s, 2);
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

bool asset_row_is_line(const struct asset_filling *x)
{
    return x->line_units > 1 && (x->is_mixed || x->alike == 0);
}

/* Whether this fact is about the asset itself and not about a device behind it. */
static bool is_of_itself(const struct asset_filling *x, const char *kind, const char *unit,
                         const char *protocol)
{
    static const enum fact_kind telling[] = {FACT_PRODUCT, FACT_ORDER_NUMBER, FACT_SERIAL,
                                             FACT_HARDWARE, FACT_FIRMWARE};
    if (unit[0] == '\0')
        return true;
    if (asset_unit_is_other(protocol) || (asset_row_is_line(x) && strcmp(protocol, "modbus") == 0 &&
                                          asset_unit_is_behind(protocol, unit)))
        return false;
    for (size_t i = 0; x->is_mixed && i < sizeof telling / sizeof *telling; i++)
        if (strcmp(kind, fact_name(telling[i])) == 0)
            return strcmp(unit, x->unit) == 0;
    return true;
}

/* A CPU that is reached in its rack stands there. */
static void own_place(struct asset_filling *x, const char *protocol, const char *unit)
{
    char rack[ASSET_PLACE_SIZE], slot[ASSET_PLACE_SIZE];
    asset_unit_place(protocol, unit, rack, slot);
    if (slot[0] == '\0' || x->row->cells[ASSET_COLUMN_slot][0] != '\0')
        return;
    asset_row_set(x, ASSET_COLUMN_rack, rack);
    asset_row_set(x, ASSET_COLUMN_slot, slot);
}

/* Told of a unit behind it where nothing told more. */
static void unit_stands(struct asset_filling *x, const char *unit, const char *what)
{
    char text[ASSET_CELL_SIZE];
    text_format(text, sizeof text, "unit %s:", unit);
    if (!strstr(x->row->cells[ASSET_COLUMN_modules], text))
        asset_row_add(x, ASSET_COLUMN_modules,
                      text_format(text, sizeof text, "unit %s: %s", unit, what));
}

/* By which addresses a device is spoken to, and what stands behind it. */
static void unit_answered(struct asset_filling *x, const char *protocol, const char *unit,
                          bool is_own)
{
    char text[PROTOCOL_NAME_SIZE + 16], name[ASSET_UNIT_NAME];
    if (!asset_unit_is_other(protocol))
        asset_row_add(x, ASSET_COLUMN_protocol_names, asset_unit_name(name, protocol, unit));
    if (is_own)
        own_place(x, protocol, unit);
    else
        unit_stands(x, unit, text_format(text, sizeof text, "answers %s", protocol));
}

/* Makers give each of their models a number there. */
static void type_told(struct asset_filling *x, const char *protocol, const char *value)
{
    if (strcmp(protocol, "c1222") == 0)
        text_format(x->type, sizeof x->type, "C12.22 device class %s", value);
    else if (strcmp(protocol, "hart_ip") == 0)
        text_format(x->type, sizeof x->type, "%s", value);
}

/* Nobody spoke with it: it is told on layer 2 only, or for management. */
static void told_address(struct asset_filling *x, const char *ip)
{
    if (x->row->cells[ASSET_COLUMN_ip][0] == '\0')
        asset_row_set(x, ASSET_COLUMN_ip, ip);
    else if (strcmp(x->row->cells[ASSET_COLUMN_ip], ip) != 0 &&
             !strstr(x->row->cells[ASSET_COLUMN_ip_other], ip))
        asset_row_add(x, ASSET_COLUMN_ip_other, ip);
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

void asset_row_fact(struct asset_filling *x, sqlite3_stmt *s)
{
    const char *kind = asset_row_text(s, 0), *unit = asset_row_text(s, 1),
               *protocol = asset_row_text(s, 2), *value = asset_row_text(s, 3);
    char text[ASSET_CELL_SIZE], clean[ASSET_FACT_TEXT * 2], time[TIME_TEXT_SIZE];
    bool is_name = strcmp(kind, fact_name(FACT_NAME)) == 0 ||
                   strcmp(kind, fact_name(FACT_MODULE_NAME)) == 0 ||
                   strcmp(kind, fact_name(FACT_PLANT)) == 0 ||
                   (strcmp(kind, fact_name(FACT_URL)) == 0 && strncmp(protocol, "opcua", 5) == 0);
    asset_row_no_separator(clean, sizeof clean, value);
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
        asset_row_add(x, ASSET_COLUMN_protocol_names, clean);
    bool is_module = strcmp(kind, fact_name(FACT_PRODUCT)) == 0 ||
                     strcmp(kind, fact_name(FACT_ORDER_NUMBER)) == 0 || (is_name && !is_own);
    if (unit[0] != '\0' && is_module)
        asset_row_add(x, ASSET_COLUMN_modules,
                      text_format(text, sizeof text, "unit %s: %s", unit, clean));
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
            asset_row_set(x, column, value);
            x->is_name_hearsay |= names_is_hearsay(protocol);
            text_format(text, sizeof text, "%s: %s %s", asset_column_name(column), protocol,
                        time_print(time, sqlite3_column_int64(s, 4)));
            asset_row_add(x, ASSET_COLUMN_sources, text);
        } else if (unit[0] == '\0' &&
                   is_contradiction(fact_columns[i].kind, protocol, x->row->cells[column], value)) {
            text_format(text, sizeof text, "%s: %s (%s)", asset_column_name(column), clean,
                        protocol);
            asset_row_add(x, ASSET_COLUMN_conflicts, text);
        }
    }
}
