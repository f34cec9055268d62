/* declared.c: see declared.h. */
#include "declared.h"

#include "sensor/base/address.h"
#include "sensor/base/csv.h"
#include "sensor/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADING_SIZE = 48, VALUES_MAX = 8 };

/* --- headings --- */

/* Letters and digits of the heading, in lower case; the first of a column is its own name. */
static const struct heading {
    enum asset_column column;
    enum declared_use use;
    const char *words;
} headings[] = {
    {ASSET_COLUMN_asset_id,         DECLARED_NOTED,    "assetid sightglassid"                             },
    {ASSET_COLUMN_cmdb_id,          DECLARED_FILLS,
     "cmdbid id ciid sysid assettag inventorynumber assetnumber"                                          },
    {ASSET_COLUMN_name,             DECLARED_COMPARED,
     "name devicename device assetname tag tagname stationname ciname"                                    },
    {ASSET_COLUMN_hostname,         DECLARED_COMPARED, "hostname dnsname fqdn computername"               },
    {ASSET_COLUMN_asset_class,      DECLARED_COMPARED, "assetclass class type category"                   },
    {ASSET_COLUMN_role,             DECLARED_COMPARED, "role devicerole function"                         },
    {ASSET_COLUMN_vendor,           DECLARED_COMPARED, "vendor manufacturer make brand oem"               },
    {ASSET_COLUMN_model,            DECLARED_COMPARED,
     "model devicetype product productname modelid modelname typename"                                    },
    {ASSET_COLUMN_order_number,     DECLARED_COMPARED,
     "ordernumber orderno mlfb catalognumber catalogno partnumber partno articlenumber sku"               },
    {ASSET_COLUMN_serial_number,    DECLARED_COMPARED, "serialnumber serial serialno sn"                  },
    {ASSET_COLUMN_hardware_version, DECLARED_COMPARED, "hardwareversion hardware hw hwversion"            },
    {ASSET_COLUMN_firmware_version, DECLARED_COMPARED, "firmwareversion firmware fw fwversion"            },
    {ASSET_COLUMN_software_version, DECLARED_COMPARED, "softwareversion software sw swversion"            },
    {ASSET_COLUMN_os,               DECLARED_COMPARED, "os operatingsystem"                               },
    {ASSET_COLUMN_ip,               DECLARED_COMPARED,
     "ip ipaddress ipv4 ipv4address ipv6 ipv6address address primaryip primaryip4 managementip"           },
    {ASSET_COLUMN_mac,              DECLARED_COMPARED,
     "mac macaddress physicaladdress ethernetaddress hardwareaddress"                                     },
    {ASSET_COLUMN_vlan,             DECLARED_COMPARED, "vlan vlanid"                                      },
    {ASSET_COLUMN_rack,             DECLARED_COMPARED, "rack chassis"                                     },
    {ASSET_COLUMN_slot,             DECLARED_COMPARED, "slot"                                             },
    {ASSET_COLUMN_site,             DECLARED_COMPARED, "site plant"                                       },
    {ASSET_COLUMN_zone,             DECLARED_COMPARED, "zone cell area securityzone"                      },
    {ASSET_COLUMN_purdue_level,     DECLARED_COMPARED, "purduelevel purdue level"                         },
    {ASSET_COLUMN_segment,          DECLARED_COMPARED, "segment"                                          },
    {ASSET_COLUMN_criticality,      DECLARED_FILLS,    "criticality priority"                             },
    {ASSET_COLUMN_safety,           DECLARED_FILLS,    "safety safetyrelated"                             },
    {ASSET_COLUMN_location,         DECLARED_FILLS,    "location place building room"                     },
    {ASSET_COLUMN_owner,            DECLARED_FILLS,    "owner responsible managedby team tenant"          },
    {ASSET_COLUMN_description,      DECLARED_FILLS,    "description comment comments notes remark remarks"},
    {ASSET_COLUMN_tags,             DECLARED_FILLS,    "tags labels"                                      },
};

enum { HEADINGS = sizeof headings / sizeof *headings };

bool declared_column(enum asset_column column, enum declared_use *use)
{
    for (size_t i = 0; i < HEADINGS; i++)
        if (headings[i].column == column) {
            *use = headings[i].use;
            return true;
        }
    return false;
}

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        if (length == size && memcmp(words, word, size) == 0)
            return true;
        words += length + (words[length] == ' ');
    }
    return false;
}

/* NULL: nobody knows it. */
static const struct heading *heading_of(const char *text)
{
    char word[HEADING_SIZE];
    size_t used = 0;
    for (; *text != '\0' && used + 1 < sizeof word; text++)
        if (isalnum((unsigned char)*text))
            word[used++] = (char)tolower((unsigned char)*text);
    word[used] = '\0';
    for (size_t i = 0; used > 0 && i < HEADINGS; i++)
        if (has_word(headings[i].words, word))
            return &headings[i];
    return NULL;
}

/* --- the list --- */

struct declared_row {
    size_t line;
    char *cells[HEADINGS]; /* NULL: empty */
};

struct declared_list {
    struct declared_row *rows;
    size_t count, capacity;
    int at[CSV_COLUMNS_MAX]; /* heading of each column of the file; -1: none */
    struct declared_counts counts;
};

void declared_destroy(struct declared_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < HEADINGS; j++)
            free(list->rows[i].cells[j]);
    free(list->rows);
    free(list);
}

void declared_counts(const struct declared_list *list, struct declared_counts *counts)
{
    *counts = list->counts;
    counts->rows = list->count;
}

static size_t heading_index(enum asset_column column)
{
    size_t i = 0;
    while (i < HEADINGS && headings[i].column != column)
        i++;
    return i;
}

const char *declared_cell(const struct declared_list *list, size_t row, enum asset_column column)
{
    size_t i = heading_index(column);
    const char *cell = i < HEADINGS ? list->rows[row].cells[i] : NULL;
    return cell ? cell : "";
}

size_t declared_line(const struct declared_list *list, size_t row)
{
    return list->rows[row].line;
}

/* --- cells --- */

static bool refuse(const struct csv *csv, struct error *err, const char *why, const char *cell)
{
    return error_set(err, "line %zu, column %zu: %s: %.60s", csv->line, csv->column, why, cell);
}

/* 0000.5e00.5301, 00-00-5e-00-53-01, 00005e005301 are MACs, too. */
static bool mac_read(struct mac *mac, const char *text)
{
    char digits[13];
    size_t used = 0;
    for (; *text != '\0'; text++) {
        if (strchr(":-. ", *text))
            continue;
        if (!isxdigit((unsigned char)*text) || used == 12)
            return false;
        digits[used++] = *text;
    }
    digits[used] = '\0';
    if (used != 12)
        return false;
    for (size_t i = 0; i < 6; i++) {
        const char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        mac->bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

/* An address may have a mask behind it. */
static bool address_read(char out[ADDRESS_TEXT_SIZE], const char *text)
{
    char host[ADDRESS_TEXT_SIZE];
    struct address ip;
    size_t size = strcspn(text, "/");
    if (size >= sizeof host)
        return false;
    memcpy(host, text, size);
    host[size] = '\0';
    if (!address_parse(&ip, host))
        return false;
    address_print(out, &ip);
    return true;
}

/* One of several values of a cell, as the inventory writes it. */
static bool value_read(enum asset_column column, char *out, const char *text)
{
    struct mac mac;
    if (column == ASSET_COLUMN_ip)
        return address_read(out, text);
    if (!mac_read(&mac, text))
        return false;
    mac_print(out, &mac);
    return true;
}

/* Addresses in the inventory's spelling, several joined by ';'. */
static bool addresses_read(const struct csv *csv, enum asset_column column, char *cell,
                           struct error *err)
{
    char all[ASSET_CELL_SIZE] = "", one[ADDRESS_TEXT_SIZE], *rest = NULL;
    size_t count = 0;
    const char *between = column == ASSET_COLUMN_ip ? ";, \t" : ";,\t";
    for (char *part = strtok_r(cell, between, &rest); part; part = strtok_r(NULL, between, &rest)) {
        size_t used = strlen(all);
        if (++count > VALUES_MAX)
            return refuse(csv, err, "more than 8 addresses of one device", part);
        if (!value_read(column, one, part))
            return refuse(csv, err, column == ASSET_COLUMN_ip ? "no IP address" : "no MAC address",
                          part);
        text_format(all + used, sizeof all - used, "%s%s", used ? ";" : "", one);
    }
    memcpy(cell, all, strlen(all) + 1);
    return true;
}

/* "Level 3.5" */
static bool level_read(const struct csv *csv, char *cell, struct error *err)
{
    static const char *const levels[] = {"0", "1", "2", "3", "3.5", "4", "5"};
    const char *at = cell;
    while (*at != '\0' && !isdigit((unsigned char)*at))
        at++;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(at, levels[i]) == 0) {
            memmove(cell, at, strlen(at) + 1);
            return true;
        }
    return refuse(csv, err, "no Purdue level (0 to 5, 3.5)", cell);
}

/* What people write where they know nothing. */
static bool is_nothing(const char *cell)
{
    static const char *const words[] = {"-",    "--",   "?",       "n/a", "na",
                                        "none", "null", "unknown", "tbd", "dhcp"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(cell, words[i]) == 0)
            return true;
    return false;
}

/* Brings a cell into the inventory's spelling. */
static bool cell_read(const struct csv *csv, enum asset_column column, char *cell,
                      struct error *err)
{
    char *mark;
    if (strlen(cell) >= ASSET_CELL_SIZE)
        return refuse(csv, err, "more than 639 bytes", cell);
    switch (column) {
    case ASSET_COLUMN_ip:
    case ASSET_COLUMN_mac:
        return addresses_read(csv, column, cell, err);
    case ASSET_COLUMN_purdue_level:
        return level_read(csv, cell, err);
    case ASSET_COLUMN_vendor:
        mark = strstr(cell, ASSET_GUESS_MARK); /* of our own export */
        if (mark)
            *mark = '\0';
        return true;
    default:
        return true;
    }
}

/* --- rows --- */

static bool headings_read(struct declared_list *list, struct csv *csv, char *cell,
                          struct error *err)
{
    enum csv_step step;
    bool is_there[HEADINGS] = {false};
    char *ignored = list->counts.ignored_headings;
    while ((step = csv_next(csv, cell, err)) == CSV_CELL) {
        const struct heading *heading = heading_of(cell);
        size_t used = strlen(ignored), column = csv->column - 1;
        if (heading && is_there[heading - headings])
            heading = NULL; /* the first of those that mean the same counts */
        list->at[column] = heading ? (int)(heading - headings) : -1;
        if (heading)
            is_there[heading - headings] = true;
        list->counts.columns += heading != NULL;
        list->counts.ignored += !heading;
        if (!heading && cell[0] != '\0')
            text_format(ignored + used, sizeof list->counts.ignored_headings - used, "%s%.40s",
                        used ? ", " : "", cell);
    }
    if (step == CSV_BROKEN)
        return false;
    static const enum asset_column finding[] = {ASSET_COLUMN_asset_id,      ASSET_COLUMN_mac,
                                                ASSET_COLUMN_serial_number, ASSET_COLUMN_ip,
                                                ASSET_COLUMN_name,          ASSET_COLUMN_hostname};
    for (size_t i = 0; i < sizeof finding / sizeof *finding; i++)
        if (is_there[heading_index(finding[i])])
            return true;
    return error_set(err, "line 1: no column identifies a device: name one ip, mac, serial_number, "
                          "name or asset_id");
}

/* NetBox gives the asset's id back as its tag. */
static void take_tag(struct declared_row *row)
{
    size_t tag = heading_index(ASSET_COLUMN_cmdb_id), id = heading_index(ASSET_COLUMN_asset_id);
    const char *text = row->cells[tag];
    if (!text || row->cells[id] || strncmp(text, "a-", 2) != 0 || strlen(text) < 18 ||
        strspn(text + 2, "0123456789abcdef") < 16)
        return;
    row->cells[id] = row->cells[tag];
    row->cells[tag] = NULL;
}

static bool is_found(const struct declared_row *row)
{
    return row->cells[heading_index(ASSET_COLUMN_asset_id)] ||
           row->cells[heading_index(ASSET_COLUMN_mac)] ||
           row->cells[heading_index(ASSET_COLUMN_serial_number)] ||
           row->cells[heading_index(ASSET_COLUMN_ip)] ||
           row->cells[heading_index(ASSET_COLUMN_name)] ||
           row->cells[heading_index(ASSET_COLUMN_hostname)];
}

static struct declared_row *row_add(struct declared_list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct declared_row *more = realloc(list->rows, capacity * sizeof *more);
        if (!more)
            return NULL;
        list->rows = more;
        list->capacity = capacity;
    }
    struct declared_row *row = &list->rows[list->count++];
    memset(row, 0, sizeof *row);
    return row;
}

static bool cell_keep(struct declared_list *list, struct declared_row *row, const struct csv *csv,
                      char *cell, struct error *err)
{
    size_t column = csv->column - 1;
    int at = list->at[column];
    if (at < 0 || cell[0] == '\0' || is_nothing(cell))
        return true;
    if (!cell_read(csv, headings[at].column, cell, err))
        return false;
    row->cells[at] = cell[0] != '\0' ? strdup(cell) : NULL;
    return cell[0] == '\0' || row->cells[at] || error_set(err, "not enough memory for the list");
}

/* Rows without anything in them are passed over. */
static bool row_read(struct declared_list *list, struct csv *csv, char *cell, bool *is_over,
                     struct error *err)
{
    struct declared_row *row = row_add(list);
    enum csv_step step;
    bool is_blank = true;
    size_t line = csv->next_line;
    if (!row)
        return error_set(err, "not enough memory for the list");
    while ((step = csv_next(csv, cell, err)) == CSV_CELL) {
        is_blank &= cell[0] == '\0';
        if (!cell_keep(list, row, csv, cell, err))
            return false;
    }
    *is_over = step == CSV_END;
    row->line = line;
    take_tag(row);
    if (step == CSV_BROKEN)
        return false;
    if (is_blank)
        list->count--;
    else if (!is_found(row))
        return error_set(
            err, "line %zu: nothing identifies a device: no address, name, serial number", line);
    return true;
}

bool declared_parse(struct declared_list **list, const char *text, size_t size, struct error *err)
{
    struct csv csv;
    char cell[CSV_CELL_SIZE];
    bool is_over = false;
    *list = calloc(1, sizeof **list);
    if (!*list)
        return error_set(err, "not enough memory for the list");
    for (size_t i = 0; i < CSV_COLUMNS_MAX; i++)
        (*list)->at[i] = -1;
    bool ok = csv_begin(&csv, text, size, err) && headings_read(*list, &csv, cell, err);
    while (ok && !is_over)
        ok = row_read(*list, &csv, cell, &is_over, err);
    if (ok)
        return true;
    declared_destroy(*list);
    *list = NULL;
    return false;
}
