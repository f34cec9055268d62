/* test_declared.c: the plant's own list: what is read of it, which asset a row is, what differs. */
#include "baseline/asset_forms.h"
#include "baseline/declared.h"
#include "baseline/declared_compare.h"
#include "baseline/declared_match.h"
#include "baseline/inventory.h"
#include "support/runner.h"

#include <stdio.h>
#include <string.h>

static const int64_t START = 1700000000ll * 1000000000ll;

/* --- reading --- */

/* what it shows, list, column, value in the first row; "!" in front: the reason why it is refused
 */
static const struct {
    const char *shows, *list;
    enum asset_column column;
    const char *value;
} readings[] = {
    {"our own heading",                         "ip,firmware_version\n10.0.0.1,2.8",       ASSET_COLUMN_firmware_version, "2.8"                                     },
    {"as NetBox calls it",                      "Name,Device type\nA,X200",                ASSET_COLUMN_model,            "X200"                                    },
    {"as people write it",                      "IP address,S/N\n10.0.0.1,77",             ASSET_COLUMN_serial_number,    "77"                                      },
    {"an address with its mask",                "ip\n10.0.0.1/24",                         ASSET_COLUMN_ip,               "10.0.0.1"                                },
    {"several addresses",                       "ip\n\"10.0.0.1, 10.0.0.2\"",              ASSET_COLUMN_ip,               "10.0.0.1;10.0.0.2"                       },
    {"IPv6 in our spelling",                    "ip\nFE80:0::1",                           ASSET_COLUMN_ip,               "fe80::1"                                 },
    {"a MAC of Windows",                        "mac\n00-00-5E-00-53-AF",                  ASSET_COLUMN_mac,              "00:00:5e:00:53:af"                       },
    {"a MAC of Cisco",                          "mac\n0000.5e00.53af",                     ASSET_COLUMN_mac,              "00:00:5e:00:53:af"                       },
    {"a MAC in one",                            "mac\n00005E0053AF",                       ASSET_COLUMN_mac,              "00:00:5e:00:53:af"                       },
    {"a level in words",                        "name,level\nA,Level 3.5",                 ASSET_COLUMN_purdue_level,     "3.5"                                     },
    {"a guess of our export is none",           "ip,vendor\n10.0.0.1,Acme (guess by MAC)",
     ASSET_COLUMN_vendor,                                                                                                 "Acme"                                    },
    {"words for nothing",                       "ip,model\n10.0.0.1,n/a",                  ASSET_COLUMN_model,            ""                                        },
    {"an address by DHCP is none",              "name,ip\nA,DHCP",                         ASSET_COLUMN_ip,               ""                                        },
    {"a tag that is our id finds",              "name,asset tag\nA,a-0123456789abcdef",    ASSET_COLUMN_asset_id,
     "a-0123456789abcdef"                                                                                                                                           },
    {"another tag is the CMDB's",               "name,asset tag\nA,INV-7",                 ASSET_COLUMN_cmdb_id,          "INV-7"                                   },
    {"empty rows are passed over",              "name\n\n,\n\nA",                          ASSET_COLUMN_name,             "A"                                       },
    {"unknown headings are passed over",        "colour,name\nred,A",                      ASSET_COLUMN_name,             "A"                                       },
    {"cells behind the last heading too",       "name\nA,B,C",                             ASSET_COLUMN_name,             "A"                                       },
    {"no IP",                                   "name,ip\nA,10.0.0.1\nB,10.0.0.256",       ASSET_COLUMN_ip,
     "!line 3, column 2: no IP address: 10.0.0.256"                                                                                                                 },
    {"no MAC",                                  "mac,name\n00:11:22:33:44,A",              ASSET_COLUMN_mac,
     "!line 2, column 1: no MAC address: 00:11:22:33:44"                                                                                                            },
    {"no level",                                "name,level\nA,7",                         ASSET_COLUMN_purdue_level,
     "!line 2, column 2: no Purdue level (0 to 5, 3.5): 7"                                                                                                          },
    {"the first of two columns of one meaning", "ip,name,Tag\n10.0.0.1,A,B",               ASSET_COLUMN_name,
     "A"                                                                                                                                                            },
    {"nothing identifies the rows",             "vendor,model\nAcme,X",                    ASSET_COLUMN_name,
     "!line 1: no column identifies a device: name one ip, mac, serial_number, name or asset_id"                                                                    },
    {"nothing identifies a row",                "name,vendor\nA,Acme\n,Acme",              ASSET_COLUMN_name,
     "!line 3: nothing identifies a device: no address, name, serial number"                                                                                        },
    {"too many addresses",
     "ip\n1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 1.1.1.9",        ASSET_COLUMN_ip,
     "!line 2, column 1: more than 8 addresses of one device: 1.1.1.9"                                                                                              },
    {"a broken table",                          "name\n\"A",                               ASSET_COLUMN_name,             "!line 2, column 1: a quote is not closed"},
    {"nothing",                                 "",                                        ASSET_COLUMN_name,
     "!line 1: no column identifies a device: name one ip, mac, serial_number, name or asset_id"                                                                    },
};

START_TEST(reads)
{
    struct declared_list *list;
    struct error err = {""};
    const char *shows = readings[_i].shows, *value = readings[_i].value;
    bool ok = declared_parse(&list, readings[_i].list, strlen(readings[_i].list), &err);
    ck_assert_msg(ok == (value[0] != '!'), "%s: %s", shows, err.text);
    const char *found = ok ? declared_cell(list, 0, readings[_i].column) : err.text;
    ck_assert_msg(strcmp(found, value + !ok) == 0, "%s: %s", shows, found);
    if (ok)
        declared_destroy(list);
}
END_TEST

START_TEST(counts_what_it_passes_over)
{
    static const char text[] = "colour,name,Taste\nred,A,sour\n\ngreen,B,sweet\n";
    struct declared_list *list;
    struct error err = {""};
    struct declared_counts counts;
    ck_assert(declared_parse(&list, text, strlen(text), &err));
    declared_counts(list, &counts);
    ck_assert_uint_eq(counts.rows, 2);
    ck_assert_uint_eq(counts.columns, 1);
    ck_assert_uint_eq(counts.ignored, 2);
    ck_assert_str_eq(counts.ignored_headings, "colour, Taste");
    ck_assert_uint_eq(declared_line(list, 0), 2);
    ck_assert_uint_eq(declared_line(list, 1), 4);
    declared_destroy(list);
}
END_TEST

/* --- comparing --- */

/* what it shows, column, declared, seen, the same? */
static const struct {
    const char *shows;
    enum asset_column column;
    const char *declared, *seen;
    bool is_same;
} pairs[] = {
    {"nobody knows it",                      ASSET_COLUMN_model,            "X",                   "",                     true },
    {"case, blanks and dashes",              ASSET_COLUMN_order_number,     "6ES7 315-2EH14-0AB0",
     "6es7315-2eh14-0ab0",                                                                                                 true },
    {"another order number",                 ASSET_COLUMN_order_number,     "6ES7 315-2EH14-0AB0",
     "6ES7 315-2EH13-0AB0",                                                                                                false},
    {"more behind",                          ASSET_COLUMN_model,            "S7-1500",             "S7-1500 CPU",          false},
    {"a vendor and its form of company",     ASSET_COLUMN_vendor,           "Siemens",             "Siemens AG",           true },
    {"the other way round",                  ASSET_COLUMN_vendor,           "Siemens AG",          "Siemens",              true },
    {"the beginning of another word",        ASSET_COLUMN_vendor,           "ABB",                 "ABBOTT",               false},
    {"a guess of the vendor",                ASSET_COLUMN_vendor,           "Siemens",             "Intel (guess by MAC)", true },
    {"a version with v",                     ASSET_COLUMN_firmware_version, "2.8.3",               "V2.8.3",               true },
    {"points of a version count",            ASSET_COLUMN_firmware_version, "2.83",                "2.8.3",                false},
    {"a later version",                      ASSET_COLUMN_firmware_version, "2.8",                 "2.9",                  false},
    {"a host without its domain",            ASSET_COLUMN_hostname,         "hmi-a",               "HMI-A.plant.example",  true },
    {"another domain",                       ASSET_COLUMN_hostname,         "hmi-a.office",        "hmi-a.plant",          false},
    {"another host",                         ASSET_COLUMN_hostname,         "hmi-a",               "hmi-ab",               false},
    {"one of the addresses",                 ASSET_COLUMN_ip,               "10.0.0.2;10.0.0.1",   "10.0.0.1",             true },
    {"the beginning of an address",          ASSET_COLUMN_ip,               "10.0.0.1",            "10.0.0.10",            false},
    {"one of the VLANs",                     ASSET_COLUMN_vlan,             "20",                  "10;20",                true },
    {"none of the VLANs",                    ASSET_COLUMN_vlan,             "2",                   "10;20",                false},
    {"a class in other words",               ASSET_COLUMN_asset_class,      "I/O module",          "io-device",            true },
    {"a class in other words, not this one", ASSET_COLUMN_asset_class,      "Frequency drive",     "plc",
     false                                                                                                                      },
    {"a class that we do not have",          ASSET_COLUMN_asset_class,      "Kettle",              "plc",                  true },
    {"the class is not known",               ASSET_COLUMN_asset_class,      "plc",                 "unknown",              true },
    {"a role",                               ASSET_COLUMN_role,             "operator",            "controller;operator",  true },
    {"another role",                         ASSET_COLUMN_role,             "operator",            "controller",           false},
    {"levels",                               ASSET_COLUMN_purdue_level,     "2",                   "3",                    false},
};

START_TEST(compares)
{
    static struct asset_cells cells;
    memset(&cells, 0, sizeof cells);
    text_format(cells.cells[pairs[_i].column], ASSET_CELL_SIZE, "%s", pairs[_i].seen);
    ck_assert_msg(declared_is_same(pairs[_i].column, pairs[_i].declared, &cells) ==
                      pairs[_i].is_same,
                  "%s", pairs[_i].shows);
}
END_TEST

START_TEST(guesses_are_no_difference)
{
    static struct asset_cells cells;
    memset(&cells, 0, sizeof cells);
    strcpy(cells.cells[ASSET_COLUMN_asset_class], "pc");
    strcpy(cells.cells[ASSET_COLUMN_confidence], "class 50, vendor 30");
    ck_assert(declared_is_same(ASSET_COLUMN_asset_class, "hmi", &cells));
    strcpy(cells.cells[ASSET_COLUMN_confidence], "class 85");
    ck_assert(!declared_is_same(ASSET_COLUMN_asset_class, "hmi", &cells));
    strcpy(cells.cells[ASSET_COLUMN_purdue_level], "1");
    strcpy(cells.cells[ASSET_COLUMN_sources], "purdue_level: inferred from its class");
    ck_assert(declared_is_same(ASSET_COLUMN_purdue_level, "2", &cells));
    strcpy(cells.cells[ASSET_COLUMN_sources], "purdue_level: site policy");
    ck_assert(!declared_is_same(ASSET_COLUMN_purdue_level, "2", &cells));
}
END_TEST

/* --- which asset a row is --- */

static void ignore(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
}

static void host(struct inventory *inv, uint32_t segment, uint8_t ip, uint8_t mac)
{
    struct sighting s = {
        .kind = SIGHTING_HOST, .time_ns = START, .segment = segment, .vlan = VLAN_NONE};
    s.who.ip = (struct address){
        ADDRESS_IP4, {10, 0, 0, ip}
    };
    s.who.mac = (struct mac){
        {2, 0, 0, 0, (uint8_t)segment, mac}
    };
    inventory_sighting(inv, &s);
}

static void fact(struct inventory *inv, uint8_t ip, enum fact_kind kind, const char *unit,
                 const char *text)
{
    struct sighting s = {.kind = SIGHTING_FACT, .time_ns = START, .fact = kind, .vlan = VLAN_NONE};
    s.who.ip = (struct address){
        ADDRESS_IP4, {10, 0, 0, ip}
    };
    strcpy(s.protocol, "modbus");
    text_format(s.unit, sizeof s.unit, "%s", unit);
    text_format(s.text, sizeof s.text, "%s", text);
    inventory_sighting(inv, &s);
}

/* 10.0.0.1 with a serial number and firmware, .2 with a name, .3 in two segments, .4 in front of a
 * unit, .5 and .6 of one name. */
static struct store *store_filled(void)
{
    static const struct store_schema *const schemas[] = {&inventory_schema, NULL};
    struct store *store;
    struct store_queue *queue;
    struct error err = {""};
    struct finding_sink sink = {.finding = ignore};
    struct inventory_options options = {.mode = MODE_LEARN, .assets_max = 64, .sensor = "s1"};
    struct inventory *inv = inventory_create(&options, &sink);
    for (uint8_t i = 1; i <= 6; i++)
        host(inv, 0, i, i);
    host(inv, 1, 3, 3);
    fact(inv, 1, FACT_SERIAL, "", "SN-100");
    fact(inv, 1, FACT_FIRMWARE, "", "2.8");
    fact(inv, 2, FACT_NAME, "", "Filler");
    fact(inv, 4, FACT_PRODUCT, "1", "Gate");
    fact(inv, 4, FACT_PRODUCT, "7", "Meter");
    fact(inv, 4, FACT_SERIAL, "7", "M-7");
    fact(inv, 5, FACT_HOST_NAME, "", "twin");
    fact(inv, 6, FACT_HOST_NAME, "", "twin");
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_queue_create(&queue, store, false, &err), "%s", err.text);
    inventory_save(inv, queue);
    ck_assert_msg(store_queue_close(queue, &err), "%s", err.text);
    inventory_destroy(inv);
    return store;
}

static void declare(struct store *store, const char *text)
{
    struct declared_list *list;
    struct error err = {""};
    ck_assert_msg(declared_parse(&list, text, strlen(text), &err), "%s", err.text);
    ck_assert_msg(declared_save(store, list, "list.csv", "anna", 1000, &err), "%s", err.text);
    declared_destroy(list);
}

static bool add_match(void *context, const struct asset_cells *asset)
{
    char *out = context;
    const char *match = asset->cells[ASSET_COLUMN_declared_match];
    size_t used = strlen(out);
    const char *unit = strchr(asset->cells[ASSET_COLUMN_asset_id], '/');
    text_format(out + used, 1024 - used, "%s%s=%s", used ? "|" : "",
                unit ? unit : asset->cells[ASSET_COLUMN_ip] + 7, match);
    return true;
}

static bool add_missing(void *context, size_t line, const struct asset_cells *declared,
                        const char *why)
{
    char *out = context;
    size_t used = strlen(out);
    (void)declared;
    text_format(out + used, 1024 - used, "%s%zu %s", used ? ", " : "", line, why);
    return true;
}

static bool pass_different(void *context, size_t line, const struct asset_cells *asset,
                           enum asset_column column, const char *declared, const char *seen)
{
    (void)context, (void)line, (void)asset, (void)column, (void)declared, (void)seen;
    return true;
}

static bool pass_extra(void *context, const struct asset_cells *asset)
{
    (void)context, (void)asset;
    return true;
}

/* what it shows, list, declared_match of those that are not "no", lines that are missing and why */
static const struct {
    const char *shows, *list, *matches, *missing;
} lists[] = {
    {"by MAC",                               "mac\n02:00:00:00:00:02",                  "2=yes",          ""                          },
    {"by IP",                                "ip\n10.0.0.2",                            "2=yes",          ""                          },
    {"by serial number, in any case",        "serial\nsn-100",                          "1=yes",          ""                          },
    {"by name, in any case",                 "name\nFILLER",                            "2=yes",          ""                          },
    {"by host name, but two have it",        "hostname\ntwin",                          "",               "2 several assets have this"},
    {"the MAC stands above the IP",          "mac,ip\n02:00:00:00:00:02,10.0.0.1",      "2=differs (ip)", ""                          },
    {"an IP alone, when nobody has the MAC", "mac,ip\n02:00:00:00:00:99,10.0.0.1",
     "1=differs (mac)",                                                                                   ""                          },
    {"the IP of two segments",               "ip\n10.0.0.3",                            "",               "2 several assets have this"},
    {"with its segment it is one",           "ip,segment\n10.0.0.3,segment 1",          "3=yes",          ""                          },
    {"a unit by its serial number",          "serial\nM-7",                             "/7=yes",         ""                          },
    {"what differs, column by column",       "ip,serial,firmware\n10.0.0.1,SN-101,2.9",
     "1=differs (serial_number, firmware_version)",                                                       ""                          },
    {"nobody saw it",                        "ip,name\n10.0.0.77,Ghost",                "",               "2 "                        },
    {"two lines are one asset",              "ip\n10.0.0.2\n10.0.0.2",                  "2=yes",
     "3 another line is the same asset"                                                                                               },
    {"in the order of the list",             "ip\n10.0.0.88\n10.0.0.2\n10.0.0.77",      "2=yes",          "2 , 4 "                    },
};

START_TEST(matches)
{
    struct store *store = store_filled();
    struct error err = {""};
    char all[1024] = "", found[1024] = "", missing[1024] = "";
    declare(store, lists[_i].list);
    ck_assert_msg(assets_export(store, add_match, all, &err), "%s", err.text);
    for (char *rest, *one = strtok_r(all, "|", &rest); one; one = strtok_r(NULL, "|", &rest)) {
        size_t used = strlen(found);
        const char *match = strchr(one, '=') + 1;
        if (strcmp(match, "no") != 0 && match[0] != '\0')
            text_format(found + used, sizeof found - used, "%s%s", used ? "|" : "", one);
    }
    ck_assert_msg(strcmp(found, lists[_i].matches) == 0, "%s: %s", lists[_i].shows, found);
    const struct declared_sink sink = {missing, pass_different, pass_extra, add_missing};
    ck_assert_msg(declared_diff(store, &sink, &err), "%s", err.text);
    ck_assert_msg(strcmp(missing, lists[_i].missing) == 0, "%s: %s", lists[_i].shows, missing);
    store_close(store);
}
END_TEST

static bool keep_first(void *context, const struct asset_cells *asset)
{
    struct asset_cells *first = context;
    if (strcmp(asset->cells[ASSET_COLUMN_ip], "10.0.0.1") == 0)
        *first = *asset;
    return true;
}

/* What nobody else knows comes from the list, and says so; what is known does not. */
START_TEST(fills)
{
    static struct asset_cells asset;
    struct store *store = store_filled();
    struct error err = {""};
    declare(store, "ip,name,owner,cmdb id,serial\n10.0.0.1,Pump,Ops,C-1,SN-100");
    ck_assert(assets_export(store, keep_first, &asset, &err));
    ck_assert_str_eq(asset.cells[ASSET_COLUMN_name], "Pump");
    ck_assert_str_eq(asset.cells[ASSET_COLUMN_owner], "Ops");
    ck_assert_str_eq(asset.cells[ASSET_COLUMN_cmdb_id], "C-1");
    ck_assert_str_eq(asset.cells[ASSET_COLUMN_declared_match], "yes");
    ck_assert_ptr_nonnull(
        strstr(asset.cells[ASSET_COLUMN_sources], "owner: declared list, line 2"));
    ck_assert(declared_remove(store, &err));
    ck_assert(assets_export(store, keep_first, &asset, &err));
    ck_assert_str_eq(asset.cells[ASSET_COLUMN_owner], "");
    ck_assert_str_eq(asset.cells[ASSET_COLUMN_declared_match], "");
    store_close(store);
}
END_TEST

/* A new list takes the place of the one before. */
START_TEST(replaces)
{
    struct store *store = store_filled();
    struct declared_head head;
    char missing[1024] = "";
    struct error err = {""};
    const struct declared_sink sink = {missing, pass_different, pass_extra, add_missing};
    ck_assert(!declared_diff(store, &sink, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "there is no declared list"));
    declare(store, "ip\n10.0.0.77\n10.0.0.78\n10.0.0.79");
    declare(store, "ip\n10.0.0.1");
    declared_head(store, &head);
    ck_assert_uint_eq(head.rows, 1);
    ck_assert_str_eq(head.name, "list.csv");
    ck_assert_str_eq(head.by, "anna");
    ck_assert(declared_diff(store, &sink, &err));
    ck_assert_str_eq(missing, "");
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("declared");
    TCase *list = tcase_create("list"), *match = tcase_create("match");
    tcase_add_loop_test(list, reads, 0, sizeof readings / sizeof *readings);
    tcase_add_test(list, counts_what_it_passes_over);
    tcase_add_loop_test(list, compares, 0, sizeof pairs / sizeof *pairs);
    tcase_add_test(list, guesses_are_no_difference);
    tcase_add_loop_test(match, matches, 0, sizeof lists / sizeof *lists);
    tcase_add_test(match, fills);
    tcase_add_test(match, replaces);
    tcase_set_timeout(match, 60);
    suite_add_tcase(suite, list);
    suite_add_tcase(suite, match);
    return run_suite(suite);
}
