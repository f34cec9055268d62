/* test_assets.c: the export of a store's inventory, and the table of devices by itself. */
#include "baseline/asset.h"
#include "baseline/asset_forms.h"
#include "baseline/inventory.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const int64_t START = 1700000000ll * 1000000000ll;

static void ignore(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
}

static void fact(struct inventory *inv, struct sighting s, enum fact_kind kind,
                 const char *protocol, const char *unit, const char *text)
{
    s.kind = SIGHTING_FACT;
    s.fact = kind;
    text_format(s.protocol, sizeof s.protocol, "%s", protocol);
    text_format(s.unit, sizeof s.unit, "%s", unit);
    text_format(s.text, sizeof s.text, "%s", text);
    inventory_sighting(inv, &s);
}

/* A PLC with hostile and conflicting facts, a module, a service and a second address. */
static void fill(struct inventory *inv)
{
    struct sighting s = {.kind = SIGHTING_HOST, .time_ns = START, .vlan = 12};
    s.who = (struct endpoint){
        .ip = {ADDRESS_IP4, {10, 0, 0, 10}},
          .mac = {{2, 0, 0, 0, 0, 0x10}          }
    };
    inventory_sighting(inv, &s);
    fact(inv, s, FACT_NAME, "s7comm", "", "=HYPERLINK(\"http://x\",\"y\")");
    fact(inv, s, FACT_VENDOR, "s7comm", "", "Acme, Inc.");
    fact(inv, s, FACT_VENDOR, "snmp", "", "Acme Ltd");
    fact(inv, s, FACT_PRODUCT, "s7comm", "2", "I/O; 16 x 24 V");
    fact(inv, s, FACT_MODE, "s7comm", "", "run");
    s.kind = SIGHTING_ANSWER;
    s.transport = TRANSPORT_TCP;
    s.who.port = 102;
    s.other = (struct endpoint){
        .ip = {ADDRESS_IP4, {8, 8, 8, 8}},
          .port = 4000
    };
    inventory_sighting(inv, &s);
    s.kind = SIGHTING_ARP;
    s.detail = 1;
    s.who.ip.bytes[3] = 11;
    inventory_sighting(inv, &s);
    s = (struct sighting){.kind = SIGHTING_HOST, .time_ns = START + 7200ll * 1000000000};
    s.vlan = VLAN_NONE;
    s.who = (struct endpoint){
        .ip = {ADDRESS_IP4, {10, 0, 0, 9}}
    };
    inventory_sighting(inv, &s);
}

typedef void filling(struct inventory *inv);

static struct store *store_filled(filling *fill_with)
{
    static const struct store_schema *const schemas[] = {&inventory_schema, NULL};
    struct store *store;
    struct store_queue *queue;
    struct error err = {""};
    struct finding_sink sink = {.finding = ignore};
    struct inventory_options options = {.mode = MODE_LEARN, .assets_max = 64, .sensor = "s1"};
    struct inventory *inv = inventory_create(&options, &sink);
    fill_with(inv);
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_queue_create(&queue, store, false, &err), "%s", err.text);
    inventory_save(inv, queue);
    ck_assert_msg(store_queue_close(queue, &err), "%s", err.text);
    inventory_destroy(inv);
    return store;
}

struct exported {
    struct asset_cells rows[4];
    size_t count;
};

static bool keep(void *context, const struct asset_cells *asset)
{
    struct exported *e = context;
    ck_assert_uint_lt(e->count, 4);
    e->rows[e->count++] = *asset;
    return true;
}

static void export_all(struct exported *e, filling *fill_with)
{
    struct store *store = store_filled(fill_with);
    struct error err = {""};
    e->count = 0;
    ck_assert_msg(assets_export(store, keep, e, &err), "%s", err.text);
    store_close(store);
}

/* column, value of the PLC */
static const struct {
    enum asset_column column;
    const char *value;
} cells[] = {
    {ASSET_COLUMN_name,           "=HYPERLINK(\"http://x\",\"y\")"},
    {ASSET_COLUMN_vendor,         "Acme, Inc."                    },
    {ASSET_COLUMN_model,          "I/O; 16 x 24 V"                },
    {ASSET_COLUMN_ip,             "10.0.0.10"                     },
    {ASSET_COLUMN_ip_other,       "10.0.0.11"                     },
    {ASSET_COLUMN_mac,            "02:00:00:00:00:10"             },
    {ASSET_COLUMN_vlan,           "12"                            },
    {ASSET_COLUMN_modules,        "unit 2: I/O, 16 x 24 V"        },
    {ASSET_COLUMN_operating_mode, "run"                           },
    {ASSET_COLUMN_ports_open,     "tcp/102"                       },
    {ASSET_COLUMN_internet,       "yes"                           },
    {ASSET_COLUMN_status,         "silent"                        },
    {ASSET_COLUMN_segment,        "default"                       },
    {ASSET_COLUMN_sensor,         "s1"                            },
    {ASSET_COLUMN_first_seen,     "2023-11-14T22:13:20.000000Z"   },
    {ASSET_COLUMN_conflicts,      "vendor: Acme Ltd (snmp)"       },
    {ASSET_COLUMN_criticality,    ""                              },
    {ASSET_COLUMN_schema,         "1"                             },
};

START_TEST(fills_columns)
{
    struct exported *e = malloc(sizeof *e);
    export_all(e, fill);
    ck_assert_uint_eq(e->count, 2); /* by address: 10.0.0.9 first */
    ck_assert_str_eq(e->rows[0].cells[ASSET_COLUMN_ip], "10.0.0.9");
    ck_assert_str_eq(e->rows[0].cells[ASSET_COLUMN_status], "transient");
    const char *value = e->rows[1].cells[cells[_i].column];
    ck_assert_msg(strcmp(value, cells[_i].value) == 0, "%s is \"%s\", not \"%s\"",
                  asset_column_name(cells[_i].column), value, cells[_i].value);
    free(e);
}
END_TEST

START_TEST(has_sixty_columns)
{
    ck_assert_int_eq(ASSET_COLUMN_COUNT, 60);
    ck_assert_str_eq(asset_column_name((enum asset_column)0), "asset_id");
    ck_assert_str_eq(asset_column_name((enum asset_column)12), "ip");
    ck_assert_str_eq(asset_column_name((enum asset_column)59), "schema");
}
END_TEST

static const struct {
    const char *shows, *cell, *csv;
} csv_rows[] = {
    {"plain",                  "Acme",      "Acme"             },
    {"a comma is quoted",      "a,b",       "\"a,b\""          },
    {"quotes are doubled",     "say \"x\"", "\"say \"\"x\"\"\""},
    {"a line break is quoted", "a\nb",      "\"a\nb\""         },
    {"a formula is text",      "=1+1",      "\"'=1+1\""        },
    {"plus",                   "+1",        "\"'+1\""          },
    {"minus",                  "-1",        "\"'-1\""          },
    {"at",                     "@SUM",      "\"'@SUM\""        },
    {"a tab",                  "\t=1",      "\"'\t=1\""        },
    {"inside it is harmless",  "a=1",       "a=1"              },
};

START_TEST(guards_csv)
{
    struct asset_cells *asset = calloc(1, sizeof *asset);
    text_format(asset->cells[0], ASSET_CELL_SIZE, "%s", csv_rows[_i].cell);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    struct asset_choice all;
    asset_choice_all(&all);
    asset_csv_row(file, &all, asset);
    fclose(file);
    size_t expected = strlen(csv_rows[_i].csv);
    ck_assert_msg(strncmp(text, csv_rows[_i].csv, expected) == 0 && text[expected] == ',', "%s: %s",
                  csv_rows[_i].shows, text);
    ck_assert_msg(strcmp(text + size - 2, "\r\n") == 0, "%s: ends a record", csv_rows[_i].shows);
    free(text);
    free(asset);
}
END_TEST

START_TEST(json_has_known_columns_only)
{
    struct exported *e = malloc(sizeof *e);
    export_all(e, fill);
    json_t *object = asset_cells_json(&e->rows[1]);
    ck_assert_str_eq(json_string_value(json_object_get(object, "vendor")), "Acme, Inc.");
    ck_assert_uint_eq(json_array_size(json_object_get(object, "ip_other")), 1);
    ck_assert_ptr_null(json_object_get(object, "criticality"));
    json_decref(object);
    free(e);
}
END_TEST

/* A thousand random additions and removals keep the index exact. */
START_TEST(index_finds_all)
{
    struct asset_index index;
    bool is_in[256] = {false};
    ck_assert(asset_index_create(&index, 256));
    uint32_t random = 12345;
    for (int turn = 0; turn < 20000; turn++) {
        random = random * 1664525u + 1013904223u;
        uint32_t slot = (random >> 16) % 256;
        uint64_t hash = slot % 37; /* many collisions */
        if (is_in[slot])
            asset_index_remove(&index, hash, slot);
        else
            ck_assert(asset_index_add(&index, hash, slot));
        is_in[slot] = !is_in[slot];
        uint32_t probe = (random >> 8) % 256;
        bool is_found = false;
        size_t at = 0;
        for (uint32_t s; (s = asset_index_next(&index, probe % 37, &at)) != INDEX_NONE;)
            is_found |= s == probe;
        ck_assert_int_eq(is_found, is_in[probe]);
    }
    asset_index_destroy(&index);
}
END_TEST

#define NOWHERE                                                                                    \
    {                                                                                              \
        .level = LEVEL_UNKNOWN                                                                     \
    }

enum {
    READS = 1 << OP_READ,
    WRITES = 1 << OP_READ | 1 << OP_WRITE,
    SEARCHES = 1 << OP_DISCOVER,
};

static const struct {
    const char *shows, *served, *used;
    enum operation did;
    uint64_t usual;
    uint32_t flags;
    const char *told;
    struct site_place place;
    const char *class;
    int level;
} classes[] = {
    {"a PLC",                                       "modbus", "",              OP_UNKNOWN,          0,                 ASSET_CONTROLLER,  NULL,              NOWHERE, "plc",         10           },
    {"an RTU",                                      "dnp3",   "",              OP_UNKNOWN,          0,                 ASSET_CONTROLLER,  NULL,              NOWHERE, "rtu",         10           },
    {"an IED",                                      "mms",    "",              OP_UNKNOWN,          0,                 ASSET_CONTROLLER,  NULL,              NOWHERE, "ied",         10           },
    {"a PLC that is a client, too",                 "modbus", "modbus",        OP_WRITE,            WRITES,            ASSET_CONTROLLER,  NULL,
     NOWHERE,                                                                                                                                                         "plc",         10           },
    {"it says what it is",                          "enip",   "",              OP_UNKNOWN,          0,                 ASSET_CONTROLLER,  "AC drive",        NOWHERE,
     "drive",                                                                                                                                                                        10           },
    {"an OPC UA server",                            "opcua",  "",              OP_UNKNOWN,          0,                 0,                 NULL,              NOWHERE, "server",      20           },
    {"a web server",                                "http",   "",              OP_UNKNOWN,          0,                 0,                 NULL,              NOWHERE, "server",      30           },
    {"a server of the office",                      "http",   "",              OP_UNKNOWN,          0,                 ASSET_PROXY,       NULL,              NOWHERE, "server",      40           },
    {"it is managed only",                          "snmp",   "",              OP_UNKNOWN,          0,                 0,                 NULL,              NOWHERE, "switch",      10           },
    {"a printer",                                   "ipp",    "",              OP_UNKNOWN,          0,                 0,                 NULL,              NOWHERE, "printer",     30           },
    {"it only reads, from several",                 "",       "modbus",        OP_READ,             READS,             ASSET_COLLECTS,    NULL,              NOWHERE,
     "historian",                                                                                                                                                                    30           },
    {"it only reads, from one",                     "",       "modbus",        OP_READ,             READS,             0,                 NULL,              NOWHERE, "hmi",         20           },
    {"it takes what is sent to a broker",           "",       "mqtt",          OP_SUBSCRIBE,        1 << OP_SUBSCRIBE,
     ASSET_COLLECTS,                                                                                                                      NULL,              NOWHERE, "historian",   30           },
    {"it sends to a broker",                        "",       "mqtt",          OP_PUBLISH,          1 << OP_PUBLISH,   0,                 NULL,              NOWHERE, "gateway",
     10                                                                                                                                                                                           },
    {"it sends events",                             "",       "goose",         OP_PUBLISH,          1 << OP_PUBLISH,   0,                 NULL,              NOWHERE, "ied",         10           },
    {"the master of a bus configures its slaves",   "",       "ethercat",      OP_CONFIG_CHANGE,
     1 << OP_CONFIG_CHANGE,                                                                                            0,                 NULL,              NOWHERE, "plc",         10           },
    {"a server that collects from controllers",     "opcua",  "modbus",        OP_READ,             READS,             ASSET_COLLECTS,
     NULL,                                                                                                                                                   NOWHERE, "server",      20           },
    {"a switch says so in LLDP",                    "",       "lldp",          OP_UNKNOWN,          0,                 0,                 "bridge, router",  NOWHERE, "switch",
     10                                                                                                                                                                                           },
    {"a station with a switch in it",               "",       "lldp",          OP_UNKNOWN,          0,                 0,                 "bridge, station", NOWHERE,
     "unknown",                                                                                                                                                                      LEVEL_UNKNOWN},
    {"the role of a PROFINET device",               "pn_dcp", "",              OP_UNKNOWN,          0,                 ASSET_CONTROLLER,  "io_device",
     NOWHERE,                                                                                                                                                         "io-device",   10           },
    {"it writes",                                   "",       "modbus",        OP_WRITE,            WRITES,            0,                 NULL,              NOWHERE, "hmi",         20           },
    {"a reader that wrote once after learning",     "",       "modbus",        OP_WRITE,            READS,             ASSET_COLLECTS,    NULL,
     NOWHERE,                                                                                                                                                         "historian",   30           },
    {"a panel from which somebody programs",        "",       "s7comm",        OP_PROGRAM_DOWNLOAD, WRITES,
     ASSET_ENGINEERING,                                                                                                                   NULL,              NOWHERE, "hmi",         20           },
    {"it programs",                                 "",       "s7comm",        OP_PROGRAM_DOWNLOAD, 0,                 ASSET_ENGINEERING, NULL,              NOWHERE,
     "engineering",                                                                                                                                                                  20           },
    {"it stops controllers and does nothing else",  "",       "s7comm",        OP_STOP,             0,                 ASSET_ENGINEERING,
     NULL,                                                                                                                                                   NOWHERE, "engineering", 20           },
    {"it had searched only, then it programs",      "",       "s7comm",        OP_PROGRAM_DOWNLOAD, SEARCHES,
     ASSET_ENGINEERING,                                                                                                                   NULL,              NOWHERE, "engineering", 20           },
    {"a computer that reads a controller for once", "",       "modbus",        OP_READ,             0,                 0,                 NULL,              NOWHERE,
     "pc",                                                                                                                                                                           LEVEL_UNKNOWN},
    {"it stops controllers, and was learned so",    "",       "s7comm",        OP_STOP,             1 << OP_STOP,
     ASSET_ENGINEERING,                                                                                                                   NULL,              NOWHERE, "engineering", 20           },
    {"a panel that also stops what it reads",       "",       "s7comm",        OP_STOP,
     (uint64_t)WRITES | 1 << OP_STOP,                                                                                  ASSET_ENGINEERING, NULL,              NOWHERE, "hmi",         20           },
    {"a control centre collects from stations",     "",       "iec104",        OP_READ,             READS,             ASSET_COLLECTS,    NULL,
     NOWHERE,                                                                                                                                                         "hmi",         20           },
    {"it collects what PMUs measure",               "",       "synchrophasor", OP_SUBSCRIBE,        1 << OP_SUBSCRIBE, 0,                 NULL,
     NOWHERE,                                                                                                                                                         "server",      30           },
    {"it asks for an address only",                 "",       "dhcp",          OP_UNKNOWN,          0,                 0,                 NULL,              NOWHERE, "unknown",
     LEVEL_UNKNOWN                                                                                                                                                                                },
    {"a computer",                                  "",       "http",          OP_UNKNOWN,          0,                 0,                 NULL,              NOWHERE, "pc",          LEVEL_UNKNOWN},
    {"a computer behind the router",                "",       "http",          OP_UNKNOWN,          0,                 ASSET_PROXY,       NULL,              NOWHERE, "pc",
     40                                                                                                                                                                                           },
    {"a router",                                    "",       "",              OP_UNKNOWN,          0,                 ASSET_ROUTER,      NULL,              NOWHERE, "router",      35           },
    {"the site policy knows better",
     "",                                                      "http",
     OP_UNKNOWN,                                                                                    0,
     0,                                                                                                                                   NULL,
     {.is_engineering = true},
     "engineering",                                                                                                                                                                  20           },
    {"nothing is known",                            "",       "",              OP_UNKNOWN,          0,                 0,                 NULL,              NOWHERE, "unknown",     LEVEL_UNKNOWN},
};

START_TEST(guesses_classes)
{
    struct assets t;
    struct asset_guess g;
    bool is_new;
    ck_assert(assets_create(&t, 16));
    struct endpoint who = {.mac = {{2, 0, 0, 0, 0, 1}}};
    struct asset *a = assets_make(&t, 0, "default", &who, START);
    asset_protocol_add(&t, a, assets_protocol(&t, classes[_i].served), true);
    asset_protocol_add(&t, a, assets_protocol(&t, classes[_i].used), false);
    a->flags = classes[_i].flags;
    a->plant = (uint64_t)1 << classes[_i].did;
    a->usual = classes[_i].usual;
    if (classes[_i].told)
        asset_fact(&t, a, FACT_DEVICE_TYPE, 1, "", classes[_i].told, START, &is_new)->is_current =
            true;
    asset_guess(&t, a, &classes[_i].place, &g);
    ck_assert_msg(strcmp(g.class, classes[_i].class) == 0 && g.level == classes[_i].level,
                  "%s: %s, %d", classes[_i].shows, g.class, g.level);
    ck_assert_msg((strcmp(g.class, "unknown") != 0) == (g.why[0] != '\0') && g.confidence <= 100,
                  "%s: says why: %s", classes[_i].shows, g.why);
    assets_destroy(&t);
}
END_TEST

/* Products and names, and the class they mean; NULL: none. */
static const struct {
    const char *shows, *text;
    const char *(*meaning)(const char *text);
    const char *class;
} words[] = {
    {"a CPU",                       "CPU 315-2 PN/DP",         asset_class_of_product,    "plc"            },
    {"in the middle",               "140 CPU 311 10",          asset_class_of_product,    "plc"            },
    {"by its order number",         "6ES7 315-2EH14-0AB0",     asset_class_of_product,    "plc"            },
    {"an order number of I/O",      "6ES7 155-6AU00-0BN0",     asset_class_of_product,    "io-device"      },
    {"digits are needed",           "CXX",                     asset_class_of_product,    NULL             },
    {"a panel",                     "KTP700 Basic",            asset_class_of_product,    "hmi"            },
    {"a firewall",                  "SCALANCE S615",           asset_class_of_product,    "router"         },
    {"a switch of the same family", "SCALANCE XB208",          asset_class_of_product,    "switch"         },
    {"a drive",                     "PowerFlex 525",           asset_class_of_product,    "drive"          },
    {"a word inside another",       "OneDrive",                asset_class_of_product,    NULL             },
    {"a word with more letters",    "Switchboard",             asset_class_of_product,    NULL             },
    {"I/O behind an adapter",       "1734-AENT/B",             asset_class_of_product,    "io-device"      },
    {"no product",                  "",                        asset_class_of_product,    NULL             },
    {"a profile of CIP",            "AC drive",                asset_class_of_words,      "drive"          },
    {"words between",               "managed Ethernet switch", asset_class_of_words,      "switch"         },
    {"a sensor that is no switch",  "limit switch",            asset_class_of_words,      "sensor-actuator"},
    {"a role of PROFINET",          "io_device+io_controller", asset_class_of_words,      "plc"            },
    {"a router alone",              "router",                  asset_class_of_weak_words, "router"         },
    {"a phone with a bridge",       "bridge, phone",           asset_class_of_weak_words, NULL             },
    {"a name with a number",        "HIST01",                  asset_class_of_name,       "historian"      },
    {"a name with letters after",   "HISTOLOGY",               asset_class_of_name,       NULL             },
    {"a name of several words",     "plant-scada-pc",          asset_class_of_name,       "hmi"            },
    {"a short word must end",       "english",                 asset_class_of_name,       NULL             },
};

START_TEST(words_mean_classes)
{
    const char *class = words[_i].meaning(words[_i].text);
    bool is_same = words[_i].class ? class && strcmp(class, words[_i].class) == 0 : !class;
    ck_assert_msg(is_same, "%s: %s is %s", words[_i].shows, words[_i].text, class ? class : "none");
}
END_TEST

/* What is told about units, and the columns of the device that spoke. */
static const struct scene {
    const char *shows;
    struct {
        enum fact_kind kind;
        const char *protocol, *unit, *text;
    } facts[6];
    enum asset_column column;
    const char *value;
} scenes[] = {
    {"one unit is the device",
     {{FACT_PRODUCT, "s7comm", "rack 0 slot 2", "CPU 315"},
      {FACT_SERIAL, "s7comm", "rack 0 slot 2", "S1"}},
     ASSET_COLUMN_serial_number,                                                                                                                   "S1"                                               },
    {"units that agree are one device",
     {{FACT_ORDER_NUMBER, "s7comm_plus", "tsap HMI", "6ES7 1"},
      {FACT_ORDER_NUMBER, "s7comm_plus", "tsap ES", "6ES7 1"},
      {FACT_SERIAL, "s7comm_plus", "tsap ES", "S1"}},
     ASSET_COLUMN_serial_number,                                                                                                                   "S1"                                               },
    {"of units that differ the oldest counts",
     {{FACT_PRODUCT, "cip", "1/0", "L61"},
      {FACT_PRODUCT, "cip", "1/2", "Scanner"},
      {FACT_SERIAL, "cip", "1/2", "S2"}},
     ASSET_COLUMN_serial_number,                                                                                                                   ""                                                 },
    {"units that differ are modules",
     {{FACT_PRODUCT, "cip", "1/0", "L61"}, {FACT_PRODUCT, "cip", "1/2", "Scanner"}},
     ASSET_COLUMN_modules,                                                                                                                         "unit 1/0: L61;unit 1/2: Scanner"                  },
    {"behind a BACnet router stands another device",
     {{FACT_PRODUCT, "bacnet", "3:29", "Thermostat"}},
     ASSET_COLUMN_model,                                                                                                                           ""                                                 },
    {"its name is a module's",
     {{FACT_MODULE_NAME, "bacnet", "3:29", "device,29"}},
     ASSET_COLUMN_modules,                                                                                                                         "unit 3:29: device,29"                             },
    {"and not the router's",
     {{FACT_MODULE_NAME, "bacnet", "3:29", "device,29"}},
     ASSET_COLUMN_protocol_names,                                                                                                                  ""                                                 },
    {"what the router says of itself is its own",
     {{FACT_PRODUCT, "bacnet", "", "Router"}, {FACT_PRODUCT, "bacnet", "3:29", "Thermostat"}},
     ASSET_COLUMN_model,                                                                                                                           "Router"                                           },
    {"modules told in one breath all stay",
     {{FACT_MODULE_NAME, "synchrophasor", "60", "PMU1"},
      {FACT_MODULE_NAME, "synchrophasor", "60", "PMU2"},
      {FACT_MODULE_NAME, "synchrophasor", "60", "PMU1"}},
     ASSET_COLUMN_protocol_names,                                                                                                                  "PMU1;PMU2"                                        },
    {"the first of them names the device",
     {{FACT_MODULE_NAME, "synchrophasor", "60", "PMU1"},
      {FACT_MODULE_NAME, "synchrophasor", "60", "PMU2"}},
     ASSET_COLUMN_name,                                                                                                                            "PMU1"                                             },
    {"an address told on layer 2",
     {{FACT_IP, "pn_dcp", "", "10.0.0.3"}},
     ASSET_COLUMN_ip,                                                                                                                              "10.0.0.3"                                         },
    {"a CPU stands where it was called",
     {{FACT_PRODUCT, "s7comm", "rack 0 slot 2", "CPU 315"}},
     ASSET_COLUMN_slot,                                                                                                                            "2"                                                },
    {"in its rack",                                                     {{FACT_PRODUCT, "s7comm", "rack 0 slot 2", "CPU 315"}}, ASSET_COLUMN_rack, "0"                                                },
    {"a route of CIP ends in a slot",
     {{FACT_PRODUCT, "cip", "1/3", "L61"}},
     ASSET_COLUMN_slot,                                                                                                                            "3"                                                },
    {"a longer route leads elsewhere",
     {{FACT_PRODUCT, "cip", "1/3/2", "L61"}},
     ASSET_COLUMN_slot,                                                                                                                            ""                                                 },
    {"units that answered are names",
     {{FACT_UNIT, "modbus", "1", "answers"}, {FACT_UNIT, "modbus", "7", "answers"}},
     ASSET_COLUMN_protocol_names,                                                                                                                  "Modbus unit 1;Modbus unit 7"                      },
    {"the only one that answered is the device",
     {{FACT_UNIT, "modbus", "7", "answers"}, {FACT_PRODUCT, "modbus", "7", "Meter"}},
     ASSET_COLUMN_model,                                                                                                                           "Meter"                                            },
    {"of two the one that tells is a device behind",
     {{FACT_UNIT, "modbus", "7", "answers"},
      {FACT_UNIT, "modbus", "8", "answers"},
      {FACT_PRODUCT, "modbus", "7", "Meter"}},
     ASSET_COLUMN_model,                                                                                                                           ""                                                 },
    {"one device answers for every number",
     {{FACT_UNIT, "modbus", "1", "answers"},
      {FACT_UNIT, "modbus", "2", "answers"},
      {FACT_PRODUCT, "modbus", "1", "M340"},
      {FACT_PRODUCT, "modbus", "2", "M340"}},
     ASSET_COLUMN_model,                                                                                                                           "M340"                                             },
    {"255 is the gateway itself",
     {{FACT_UNIT, "modbus", "255", "answers"},
      {FACT_UNIT, "modbus", "3", "answers"},
      {FACT_PRODUCT, "modbus", "255", "PLC"}},
     ASSET_COLUMN_model,                                                                                                                           "PLC"                                              },
    {"several units make a gateway",
     {{FACT_UNIT, "modbus", "1", "answers"}, {FACT_UNIT, "modbus", "7", "answers"}},
     ASSET_COLUMN_modules,                                                                                                                         "unit 1: answers modbus;unit 7: answers modbus"    },
    {"the number of a unit is no slot",
     {{FACT_PRODUCT, "modbus", "3", "Meter"}},
     ASSET_COLUMN_slot,                                                                                                                            ""                                                 },
    {"a module of PROFINET is not the device",
     {{FACT_NAME, "pn_dcp", "", "et200"},
      {FACT_ORDER_NUMBER, "pnio_cm", "", "6ES7 155"},
      {FACT_ORDER_NUMBER, "pnio_cm", "1.1", "6ES7 131"}},
     ASSET_COLUMN_order_number,                                                                                                                    "6ES7 155"                                         },
    {"two alike are two",
     {{FACT_ORDER_NUMBER, "pnio_cm", "", "6ES7 155"},
      {FACT_ORDER_NUMBER, "pnio_cm", "1.1", "6ES7 131"},
      {FACT_ORDER_NUMBER, "pnio_cm", "2.1", "6ES7 131"}},
     ASSET_COLUMN_order_number,                                                                                                                    "6ES7 155"                                         },
    {"a submodule that only answers",
     {{FACT_NAME, "pn_dcp", "", "et200"}, {FACT_UNIT, "pnio_cm", "4.1", "answers"}},
     ASSET_COLUMN_slot,                                                                                                                            ""                                                 },
    {"an adapter in a rack of the same modules",
     {{FACT_PRODUCT, "enip", "", "1756-EN2T"},
      {FACT_SERIAL, "enip", "", "0a"},
      {FACT_PRODUCT, "cip", "1/3", "1756-IB16"},
      {FACT_PRODUCT, "cip", "1/4", "1756-IB16"}},
     ASSET_COLUMN_model,                                                                                                                           "1756-EN2T"                                        },
    {"a controller that is reached by its slot, too",
     {{FACT_PRODUCT, "enip", "", "1769-L33"},
      {FACT_SERIAL, "enip", "", "0a"},
      {FACT_PRODUCT, "cip", "1/0", "1769-L33"},
      {FACT_SERIAL, "cip", "1/0", "0a"}},
     ASSET_COLUMN_model,                                                                                                                           "1769-L33"                                         },
    {"a CPU of the same kind in another rack",
     {{FACT_ORDER_NUMBER, "s7comm", "rack 0 slot 3", "6ES7 414"},
      {FACT_ORDER_NUMBER, "s7comm", "rack 1 slot 3", "6ES7 414"}},
     ASSET_COLUMN_rack,                                                                                                                            "0"                                                },
    {"a CPU that answers for another slot",
     {{FACT_ORDER_NUMBER, "s7comm", "rack 0 slot 1", "6ES7 1511"},
      {FACT_ORDER_NUMBER, "s7comm", "rack 0 slot 2", "6ES7 1511"}},
     ASSET_COLUMN_rack,                                                                                                                            "0"                                                },
    {"how a name server calls it",
     {{FACT_HOST_NAME, "dns answer", "", "plc7.plant.example"}},
     ASSET_COLUMN_hostname,                                                                                                                        "plc7.plant.example"                               },
    {"is little to rely on",
     {{FACT_HOST_NAME, "dns answer", "", "n7.example"}},
     ASSET_COLUMN_confidence,                                                                                                                      "hostname 40"                                      },
    {"the last name it has there",
     {{FACT_HOST_NAME, "dns answer", "", "old"}, {FACT_HOST_NAME, "dns answer", "", "new"}},
     ASSET_COLUMN_hostname,                                                                                                                        "new"                                              },
    {"what it says itself comes first",
     {{FACT_HOST_NAME, "dns answer", "", "plc7.plant.example"},
      {FACT_HOST_NAME, "dhcp", "", "PLC-7"}},
     ASSET_COLUMN_hostname,                                                                                                                        "PLC-7"                                            },
    {"as its name, too",
     {{FACT_HOST_NAME, "dns answer", "", "plc7.plant.example"},
      {FACT_HOST_NAME, "dhcp", "", "PLC-7"}},
     ASSET_COLUMN_name,                                                                                                                            "PLC-7"                                            },
    {"and is no contradiction",
     {{FACT_HOST_NAME, "dns answer", "", "plc7.plant.example"},
      {FACT_HOST_NAME, "dhcp", "", "PLC-7"}},
     ASSET_COLUMN_conflicts,                                                                                                                       ""                                                 },
    {"a module that a Connect expects",
     {{FACT_NAME, "pn_dcp", "", "et200"},
      {FACT_PART, "pnio_cm", "1.1", "module 0x00000020, submodule 0x00000001"},
      {FACT_PART, "pnio_cm", "1.1", "module 0x00000021, submodule 0x00000001"}},
     ASSET_COLUMN_modules,                                                                                                                         "unit 1.1: module 0x00000021, submodule 0x00000001"},
    {"a module of which more is known",
     {{FACT_NAME, "pn_dcp", "", "et200"},
      {FACT_PART, "pnio_cm", "1.1", "module 0x00000020, submodule 0x00000001"},
      {FACT_ORDER_NUMBER, "pnio_cm", "1.1", "6ES7 131"}},
     ASSET_COLUMN_modules,                                                                                                                         "unit 1.1: 6ES7 131"                               },
    {"modules in the rack of a CPU",
     {{FACT_UNIT, "s7comm", "rack 0 slot 3", "answers"},
      {FACT_PART, "s7comm", "rack 0 slot 4", "module type 0x9fc1"},
      {FACT_PART, "s7comm", "rack 0 slot 3", "module type 0x01c0"}},
     ASSET_COLUMN_slot,                                                                                                                            "3"                                                },
    {"a name that is an address is none",
     {{FACT_HOST_NAME, "ads_route", "", "192.168.1.99"}, {FACT_MODE, "ads", "", "run"}},
     ASSET_COLUMN_name,                                                                                                                            ""                                                 },
    {"a device is called by its host name, not by a program's",
     {{FACT_MODULE_NAME, "ads", "", "PLC Server 2.11"}, {FACT_HOST_NAME, "nbns", "", "CX-0D7560"}},
     ASSET_COLUMN_name,                                                                                                                            "CX-0D7560"                                        },
    {"nor by its number in BACnet",
     {{FACT_MODULE_NAME, "bacnet", "", "device,5130"}, {FACT_HOST_NAME, "dhcp", "", "AHU-3"}},
     ASSET_COLUMN_name,                                                                                                                            "AHU-3"                                            },
    {"where there is no other, that is better than none",
     {{FACT_MODULE_NAME, "bacnet", "", "device,5130"}},
     ASSET_COLUMN_name,                                                                                                                            "device,5130"                                      },
    {"server and client of OPC UA on one host: the server's",
     {{FACT_NAME, ASSET_OPCUA_CLIENT, "", "UaTool"},
      {FACT_NAME, "opcua", "", "Line server"},
      {FACT_NAME, ASSET_OPCUA_CLIENT, "", "UaTool"}},
     ASSET_COLUMN_name,                                                                                                                            "Line server"                                      },
    {"a station name of PROFINET before it",
     {{FACT_NAME, "opcua", "", "Line server"}, {FACT_NAME, "pn_dcp", "", "plc-1"}},
     ASSET_COLUMN_name,                                                                                                                            "plc-1"                                            },
    {"the URI of an OPC UA application is a name, too",
     {{FACT_NAME, "opcua", "", "Line server"}, {FACT_URL, "opcua", "", "urn:line:server"}},
     ASSET_COLUMN_protocol_names,                                                                                                                  "Line server;urn:line:server"                      },
    {"stations of a line behind one address",
     {{FACT_UNIT, "genisys", "1", "answers"}, {FACT_UNIT, "genisys", "2", "answers"}},
     ASSET_COLUMN_protocol_names,                                                                                                                  "Genisys station 1;Genisys station 2"              },
    {"sectors of one IEC 104 station",
     {{FACT_UNIT, "iec104", "1", "answers"}, {FACT_UNIT, "iec104", "2", "answers"}},
     ASSET_COLUMN_protocol_names,                                                                                                                  "IEC 104 address 1;IEC 104 address 2"              },
    {"nor are those of a ROC",
     {{FACT_UNIT, "roc_plus", "3.4", "answers"}, {FACT_PRODUCT, "roc_plus", "3.4", "ROC800"}},
     ASSET_COLUMN_slot,                                                                                                                            ""                                                 },
    {"an AP title whole",
     {{FACT_UNIT, "c1222", "1.3.6.1.4.1.33507.1919.12345678.0", "answers"}},
     ASSET_COLUMN_protocol_names,                                                                                                                  "C12.22 AP title 1.3.6.1.4.1.33507.1919.12345678.0"},
    {"an address for management beside the other",
     {{FACT_IP, "lldp", "", "10.0.0.3"}, {FACT_IP, "cdp", "", "10.0.0.4"}},
     ASSET_COLUMN_ip_other,                                                                                                                        "10.0.0.4"                                         },
    {"the numbers of a FINS node are no slot",
     {{FACT_PRODUCT, "fins", "0.10.0", "CJ2M"}},
     ASSET_COLUMN_slot,                                                                                                                            ""                                                 },
    {"a program that speaks OPC UA runs on many hosts: no name of one",
     {{FACT_NAME, ASSET_OPCUA_CLIENT, "", "UaTool"}},
     ASSET_COLUMN_name,                                                                                                                            ""                                                 },
    {"a host name with its domain is the same",
     {{FACT_HOST_NAME, "dhcp", "", "hmi-1.plant.local"}, {FACT_HOST_NAME, "nbns", "", "HMI-1"}},
     ASSET_COLUMN_conflicts,                                                                                                                       ""                                                 },
    {"cut off by NetBIOS, too",
     {{FACT_HOST_NAME, "dhcp", "", "engineering-laptop"},
      {FACT_HOST_NAME, "nbns", "", "ENGINEERING-LAP"}},
     ASSET_COLUMN_conflicts,                                                                                                                       ""                                                 },
    {"another host name is not",
     {{FACT_HOST_NAME, "dhcp", "", "hmi-1"}, {FACT_HOST_NAME, "nbns", "", "HMI-10"}},
     ASSET_COLUMN_conflicts,                                                                                                                       "hostname: HMI-10 (nbns)"                          },
};

/* Which of them stand behind the device, as rows of their own: slot and model. */
static const struct {
    const char *shows, *slot, *model, *class;
    size_t scene, count;
} behind[] = {
    {"one unit is the device",                      "",  "",                                        "",          0,  0},
    {"units that agree are one device",             "",  "",                                        "",          1,  0},
    {"beside the oldest unit stands another",       "2", "Scanner",                                 "unknown",   2,  1},
    {"behind a BACnet router",                      "",  "Thermostat",                              "plc",       4,  1},
    {"two Modbus units",                            "",  "",                                        "plc",       15, 2},
    {"the only unit that answers",                  "",  "",                                        "",          16, 0},
    {"the unit that tells is the first",            "",  "Meter",                                   "plc",       17, 2},
    {"one device, whatever the number",             "",  "",                                        "",          18, 0},
    {"a unit and the gateway's own number",         "",  "",                                        "",          19, 0},
    {"a PROFINET module with its own order number", "1", "",                                        "io-device", 22, 1},
    {"two PROFINET modules alike",                  "1", "",                                        "io-device", 23, 2},
    {"a PROFINET submodule that answers",           "4", "",                                        "io-device", 24, 1},
    {"two CIP slots alike",                         "3", "1756-IB16",                               "unknown",   25, 2},
    {"the controller's own slot",                   "",  "",                                        "",          26, 0},
    {"a CPU alike in another rack",                 "3", "",                                        "unknown",   27, 1},
    {"a CPU that answers for another slot",         "",  "",                                        "",          28, 0},
    {"a PROFINET module that a Connect expects",    "1", "module 0x00000021, submodule 0x00000001",
     "io-device",                                                                                                35, 1},
    {"of which more is known",                      "1", "module 0x00000020, submodule 0x00000001", "io-device", 36, 1},
    {"two stations of a line",                      "",  "",                                        "rtu",       45, 2},
    {"two sectors of one station",                  "",  "",                                        "",          46, 0},
    {"a module in an S7 rack",                      "4", "module type 0x9fc1",                      "unknown",   37, 1},
};

static size_t scene;

static void fill_scene(struct inventory *inv)
{
    struct sighting s = {.kind = SIGHTING_HOST, .time_ns = START, .vlan = VLAN_NONE};
    s.who = (struct endpoint){.mac = {{2, 0, 0, 0, 0, 0x10}}};
    inventory_sighting(inv, &s);
    for (size_t i = 0; i < 6 && scenes[scene].facts[i].text; i++) {
        s.time_ns += i == 0 || scenes[scene].facts[i].kind == FACT_MODULE_NAME ? 0 : 1000000000;
        fact(inv, s, scenes[scene].facts[i].kind, scenes[scene].facts[i].protocol,
             scenes[scene].facts[i].unit, scenes[scene].facts[i].text);
    }
}

START_TEST(units_and_the_device)
{
    struct exported *e = malloc(sizeof *e);
    scene = (size_t)_i;
    export_all(e, fill_scene);
    ck_assert_uint_ge(e->count, 1);
    const char *value = e->rows[0].cells[scenes[_i].column];
    ck_assert_msg(strcmp(value, scenes[_i].value) == 0, "%s: \"%s\", not \"%s\"", scenes[_i].shows,
                  value, scenes[_i].value);
    free(e);
}
END_TEST

START_TEST(devices_behind)
{
    struct exported *e = malloc(sizeof *e);
    scene = behind[_i].scene;
    export_all(e, fill_scene);
    ck_assert_msg(e->count == 1 + behind[_i].count, "%s: %zu rows", behind[_i].shows, e->count);
    if (behind[_i].count > 0) {
        const struct asset_cells *host = &e->rows[0], *child = &e->rows[1];
        ck_assert_str_eq(child->cells[ASSET_COLUMN_parent_asset_id],
                         host->cells[ASSET_COLUMN_asset_id]);
        ck_assert_str_eq(child->cells[ASSET_COLUMN_slot], behind[_i].slot);
        ck_assert_str_eq(child->cells[ASSET_COLUMN_model], behind[_i].model);
        ck_assert_str_eq(child->cells[ASSET_COLUMN_asset_class], behind[_i].class);
        ck_assert_str_eq(child->cells[ASSET_COLUMN_ip], "");
    }
    free(e);
}
END_TEST

/* Addresses in the order in which they were seen, and the one that people call the device by. */
static const struct {
    const char *shows, *ips[3], *primary, *others;
} addresses[] = {
    {"the first one",                        {"10.0.0.1", "10.0.0.2"},   "10.0.0.1", "10.0.0.2"        },
    {"not the one it gave itself in IPv6",
     {"fe80::1", "10.0.0.1", "10.0.0.2"},
     "10.0.0.1",                                                                     "fe80::1;10.0.0.2"},
    {"nor in IPv4, before it asked for one",
     {"169.254.3.4", "10.0.0.1"},
     "10.0.0.1",                                                                     "169.254.3.4"     },
    {"where there is no other, that one",    {"fe80::1", "169.254.3.4"}, "fe80::1",  "169.254.3.4"     },
};

START_TEST(primary_address)
{
    struct assets t;
    char text[ADDRESS_TEXT_SIZE], others[128] = "";
    ck_assert(assets_create(&t, 16));
    struct endpoint who = {.mac = {{2, 0, 0, 0, 0, 1}}};
    struct asset *a = assets_make(&t, 0, "default", &who, START);
    for (size_t i = 0; i < 3 && addresses[_i].ips[i]; i++) {
        struct address ip;
        ck_assert(address_parse(&ip, addresses[_i].ips[i]));
        ck_assert(asset_ip_add(&t, a, &ip, false));
        ck_assert_ptr_eq(assets_by_ip(&t, 0, &ip, NULL), a);
    }
    ck_assert_msg(strcmp(address_print(text, &a->ips[0]), addresses[_i].primary) == 0, "%s: %s",
                  addresses[_i].shows, text);
    for (size_t i = 1; i < a->ip_count; i++) {
        size_t used = strlen(others);
        text_format(others + used, sizeof others - used, "%s%s", used ? ";" : "",
                    address_print(text, &a->ips[i]));
    }
    ck_assert_str_eq(others, addresses[_i].others);
    assets_destroy(&t);
}
END_TEST

/* What a BACnet broadcast device forwards: of itself, of a host that is an asset, of one that is
 * not. */
static void fill_with_forwarder(struct inventory *inv)
{
    static const char *const units[] = {"10.0.0.1:47808", "10.0.0.2:47808", "10.9.0.3:47808"};
    struct sighting s = {.kind = SIGHTING_HOST, .time_ns = START, .vlan = VLAN_NONE};
    for (uint8_t host = 2; host >= 1; host--) {
        s.kind = SIGHTING_HOST;
        s.who = (struct endpoint){
            .ip = {ADDRESS_IP4, {10, 0, 0, host}},
              .mac = {{2, 0, 0, 0, 0, host}          }
        };
        inventory_sighting(inv, &s);
    }
    for (size_t i = 0; i < 3; i++)
        fact(inv, s, FACT_VENDOR, "bacnet", units[i], "Acme");
    for (size_t i = 0; i < 3; i++)
        fact(inv, s, FACT_PRODUCT, "bacnet", units[i], "Thermostat");
}

START_TEST(forwarded_hosts_are_told_once)
{
    struct exported *e = malloc(sizeof *e);
    export_all(e, fill_with_forwarder);
    ck_assert_uint_eq(e->count, 3);
    ck_assert_str_eq(e->rows[1].cells[ASSET_COLUMN_ip], "10.9.0.3");
    ck_assert_str_eq(e->rows[1].cells[ASSET_COLUMN_parent_asset_id],
                     e->rows[0].cells[ASSET_COLUMN_asset_id]);
    ck_assert_str_eq(e->rows[2].cells[ASSET_COLUMN_ip], "10.0.0.2");
    free(e);
}
END_TEST

static void fill_with_parts(struct inventory *inv)
{
    struct sighting s = {.kind = SIGHTING_HOST, .time_ns = START, .vlan = VLAN_NONE};
    s.who = (struct endpoint){.mac = {{2, 0, 0, 0, 0, 0x10}}};
    inventory_sighting(inv, &s);
    for (unsigned slot = 1; slot <= 1000; slot++) {
        char unit[16];
        fact(inv, s, FACT_PART, "pnio_cm", text_format(unit, sizeof unit, "%u.1", slot), "module");
    }
    fact(inv, s, FACT_NAME, "pn_dcp", "", "et200");
}

static bool count_row(void *context, const struct asset_cells *asset)
{
    size_t *count = context;
    if ((*count)++ == 0)
        ck_assert_str_eq(asset->cells[ASSET_COLUMN_name], "et200");
    return true;
}

/* Whoever connects can expect anything of a device: it still has room to tell its name. */
START_TEST(parts_are_bounded)
{
    struct store *store = store_filled(fill_with_parts);
    struct error err = {""};
    size_t count = 0;
    ck_assert_msg(assets_export(store, count_row, &count, &err), "%s", err.text);
    ck_assert_uint_eq(count, 1 + 40);
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("assets");
    TCase *tc = tcase_create("assets");
    tcase_add_loop_test(tc, fills_columns, 0, (int)(sizeof cells / sizeof *cells));
    tcase_add_loop_test(tc, units_and_the_device, 0, (int)(sizeof scenes / sizeof *scenes));
    tcase_add_loop_test(tc, devices_behind, 0, (int)(sizeof behind / sizeof *behind));
    tcase_add_test(tc, parts_are_bounded);
    tcase_add_test(tc, forwarded_hosts_are_told_once);
    tcase_add_loop_test(tc, primary_address, 0, (int)(sizeof addresses / sizeof *addresses));
    tcase_add_test(tc, has_sixty_columns);
    tcase_add_loop_test(tc, guards_csv, 0, (int)(sizeof csv_rows / sizeof *csv_rows));
    tcase_add_test(tc, json_has_known_columns_only);
    tcase_add_test(tc, index_finds_all);
    tcase_add_loop_test(tc, words_mean_classes, 0, (int)(sizeof words / sizeof *words));
    tcase_add_loop_test(tc, guesses_classes, 0, (int)(sizeof classes / sizeof *classes));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
