/* test_names.c: whose name an answer of a name server tells. */
#include "baseline/inventory.h"
#include "baseline/names.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t six[16] = {0x20, 1, 0x0d, 0xb8, [15] = 7};

static const struct {
    const char *shows, *protocol, *area, *name;
    const void *bytes;
    size_t size;
    const char *address, *told; /* NULL: nothing */
} rows[] = {
    {"an A record",                     "dns",    "a",    "plc7.plant.example", "10.0.0.7",   8,  "10.0.0.7",
     "plc7.plant.example"                                                                                              },
    {"an AAAA record",                  "dns",    "aaaa", "plc7",               six,          16, "2001:db8::7", "plc7"},
    {"a short AAAA record",             "dns",    "aaaa", "plc7",               six,          15, NULL,          NULL  },
    {"mDNS of another, without .local", "mdns",   "a",    "plc7.local",         "10.0.0.7",   8,  "10.0.0.7",
     "plc7"                                                                                                            },
    {"mDNS of itself is its own fact",  "mdns",   "a",    "server.local",       "10.0.0.5",   8,  NULL,          NULL  },
    {"LLMNR of another",                "llmnr",  "a",    "plc7",               "10.0.0.7",   8,  "10.0.0.7",    "plc7"},
    {"a DNS server has a name, too",    "dns",    "a",    "ns1",                "10.0.0.5",   8,  "10.0.0.5",    "ns1" },
    {"another protocol",                "modbus", "a",    "plc7",               "10.0.0.7",   8,  NULL,          NULL  },
    {"another record",                  "dns",    "ptr",  "plc7",               "10.0.0.7",   8,  NULL,          NULL  },
    {"no address",                      "dns",    "a",    "plc7",               "10.0.0.700", 10, NULL,          NULL  },
    {"too long for one",                "dns",    "a",    "plc7",
     "10.0.0.7 10.0.0.7 10.0.0.7 10.0.0.7 10.0.0.7 10.0.0.7",                                 53, NULL,          NULL  },
    {"a group",                         "dns",    "a",    "all",                "224.0.0.1",  9,  NULL,          NULL  },
    {"a service",                       "mdns",   "a",    "_http._tcp",         "10.0.0.7",   8,  NULL,          NULL  },
    {"markup",                          "dns",    "a",    "<b>plc</b>",         "10.0.0.7",   8,  NULL,          NULL  },
    {"nothing",                         "dns",    "a",    "",                   "10.0.0.7",   8,  NULL,          NULL  },
};

START_TEST(an_answer_names)
{
    struct ot_flow flow = {.id = 1};
    struct endpoint who;
    struct text name;
    char address[ADDRESS_TEXT_SIZE];
    ck_assert(address_parse(&flow.client.ip, "10.0.0.66"));
    ck_assert(address_parse(&flow.server.ip, "10.0.0.5"));
    struct ot_item item = {
        .area = rows[_i].area,
        .name = text_of(rows[_i].name),
        .values = {VALUES_TEXT, 1, rows[_i].bytes, rows[_i].size}
    };
    struct ot_event e = {.flow = &flow, .protocol = rows[_i].protocol, .direction = OT_RESPONSE};
    bool is_told = names_answer(&e, &item, &who, &name);
    ck_assert_msg(is_told == (rows[_i].told != NULL), "%s", rows[_i].shows);
    if (!is_told)
        return;
    ck_assert_str_eq(address_print(address, &who.ip), rows[_i].address);
    ck_assert_msg(text_equal(name, text_of(rows[_i].told)), "%s", rows[_i].shows);
}
END_TEST

START_TEST(hearsay_is_known_by_its_source)
{
    char source[NAMES_SOURCE];
    ck_assert(names_is_hearsay(names_source(source, "llmnr")));
    ck_assert(!names_is_hearsay("dns"));
    ck_assert(!names_is_hearsay(" answer"));
    ck_assert(!names_is_hearsay(""));
}
END_TEST

static void no_finding(void *context, const struct finding *f)
{
    (void)context;
    ck_abort_msg("%s", f->seen);
}

/* Who is only named is no device, and is not heard. */
START_TEST(hearsay_makes_no_device)
{
    static const struct finding_sink sink = {.finding = no_finding};
    struct inventory_options options = {.mode = MODE_DETECT, .assets_max = 64, .sensor = "s"};
    struct inventory_counts counts;
    struct inventory *inv = inventory_create(&options, &sink);
    struct sighting s = {.kind = SIGHTING_FACT, .time_ns = 1, .vlan = VLAN_NONE};
    ck_assert(address_parse(&s.who.ip, "10.0.0.7"));
    s.fact = FACT_HOST_NAME;
    text_format(s.protocol, sizeof s.protocol, "dns answer");
    text_format(s.text, sizeof s.text, "plc7");
    inventory_sighting(inv, &s);
    inventory_counts(inv, &counts);
    ck_assert_uint_eq(counts.assets, 0);
    inventory_destroy(inv);
}
END_TEST

static void see(struct inventory *inv, const char *ip, char name[64])
{
    struct asset_brief brief;
    struct sighting s = {.kind = SIGHTING_HOST, .time_ns = 2, .vlan = VLAN_NONE};
    ck_assert(address_parse(&s.who.ip, ip));
    s.who.mac = (struct mac){
        {2, 0, 0, 0, 0, s.who.ip.bytes[3]}
    };
    inventory_sighting(inv, &s);
    ck_assert(inventory_describe(inv, 0, &s.who, &brief));
    text_format(name, 64, "%.63s", brief.name);
}

/* Names are asked for before anybody speaks: they wait, the newest of them. */
START_TEST(a_name_waits_for_its_device)
{
    static const struct finding_sink sink = {.finding = no_finding};
    struct inventory_options options = {.mode = MODE_LEARN, .assets_max = 512, .sensor = "s"};
    struct inventory *inv = inventory_create(&options, &sink);
    struct sighting s = {.kind = SIGHTING_FACT, .time_ns = 1, .vlan = VLAN_NONE};
    char ip[32], name[64];
    s.fact = FACT_HOST_NAME;
    text_format(s.protocol, sizeof s.protocol, "dns answer");
    for (int i = 1; i <= 200; i++) {
        text_format(ip, sizeof ip, "10.0.0.%d", i);
        ck_assert(address_parse(&s.who.ip, ip));
        text_format(s.text, sizeof s.text, "host-%d", i);
        inventory_sighting(inv, &s);
    }
    see(inv, "10.0.0.200", name);
    ck_assert_str_eq(name, "host-200");
    see(inv, "10.0.0.1", name); /* too many came after it */
    ck_assert_str_eq(name, "");
    inventory_destroy(inv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *c = tcase_create("names");
    tcase_add_loop_test(c, an_answer_names, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(c, hearsay_is_known_by_its_source);
    tcase_add_test(c, hearsay_makes_no_device);
    tcase_add_test(c, a_name_waits_for_its_device);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
