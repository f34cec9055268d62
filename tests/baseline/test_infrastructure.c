/* test_infrastructure.c: who gives a network its addresses, names, time and shape, and who is new
 * at that. */
#include "baseline/infrastructure.h"
#include "baseline/inventory.h"
#include "support/runner.h"

#include <string.h>

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)
#define START  (1700000000 * SECOND)

static const uint8_t bridge_1[] = {0x80, 0x01, 2, 0, 0, 0, 0, 1};
static const uint8_t bridge_1_first[] = {0x10, 0x00, 2, 0, 0, 0, 0, 1};
static const uint8_t bridge_2[] = {0x80, 0x01, 2, 0, 0, 0, 0, 2};
static const uint8_t clock_1[] = {2, 0, 0, 0xff, 0xfe, 0, 0, 1};

static struct ot_event event_of_claim(const char *protocol, const char *name, struct ot_item *item,
                                      const char *area, const uint8_t *id)
{
    *item = (struct ot_item){
        .area = area, .values = {VALUES_BYTES, 1, id, 8}
    };
    return (struct ot_event){.protocol = protocol,
                             .name = name,
                             .direction = OT_RESPONSE,
                             .items = item,
                             .item_count = area ? 1 : 0};
}

static const struct role_row {
    const char *shows, *protocol, *name, *area;
    const uint8_t *id;
    bool is_claim;
    enum infrastructure_role role;
    const char *identity;
} role_rows[] = {
    {"an offered address",           "dhcp",    "offer",     NULL,           NULL,     true,  ROLE_DHCP,        ""                 },
    {"an acknowledged one",          "dhcp",    "ack",       NULL,           NULL,     true,  ROLE_DHCP,        ""                 },
    {"a refusal gives nothing",      "dhcp",    "nak",       NULL,           NULL,     false, ROLE_DHCP,        ""                 },
    {"BOOTP",                        "dhcp",    "bootp",     NULL,           NULL,     true,  ROLE_DHCP,        ""                 },
    {"for IPv6",                     "dhcpv6",  "advertise", NULL,           NULL,     true,  ROLE_DHCP,        ""                 },
    {"for IPv6, at once",            "dhcpv6",  "reply",     NULL,           NULL,     true,  ROLE_DHCP,        ""                 },
    {"a name",                       "dns",     "answer",    NULL,           NULL,     true,  ROLE_DNS,         ""                 },
    {"the time",                     "ntp",     "server",    NULL,           NULL,     true,  ROLE_TIME,        ""                 },
    {"the time, to all",             "ntp",     "broadcast", NULL,           NULL,     true,  ROLE_TIME,        ""                 },
    {"an answer about the server",   "ntp",     "control",   NULL,           NULL,     false, ROLE_TIME,        ""                 },
    {"a grandmaster",                "ptp",     "announce",  "grandmaster",  clock_1,  true,  ROLE_GRANDMASTER,
     "02:00:00:ff:fe:00:00:01"                                                                                                     },
    {"synchronisation names none",   "ptp",     "sync",      NULL,           NULL,     false, ROLE_GRANDMASTER, ""                 },
    {"PROFINET's clock",             "pn_ptcp", "sync",      "clock_master", clock_1,  true,  ROLE_GRANDMASTER,
     "02:00:00:ff:fe:00:00:01"                                                                                                     },
    {"line delay names none",        "pn_ptcp", "delay",     NULL,           NULL,     false, ROLE_GRANDMASTER, ""                 },
    {"a root, without its priority", "stp",     "rapid",     "root_bridge",  bridge_1, true,
     ROLE_ROOT_BRIDGE,                                                                                          "02:00:00:00:00:01"},
    {"a notification names none",    "stp",     "x",         NULL,           NULL,     false, ROLE_ROOT_BRIDGE, ""                 },
    {"a ring's manager",             "pn_mrp",  "test",      NULL,           NULL,     true,  ROLE_RING,        ""                 },
    {"a ring's client",              "pn_mrp",  "link_down", NULL,           NULL,     false, ROLE_RING,        ""                 },
    {"a name asked of all",          "llmnr",   "answer",    NULL,           NULL,     true,  ROLE_RESPONDER,   ""                 },
    {"the same of NetBIOS",          "nbns",    "answer",    NULL,           NULL,     true,  ROLE_RESPONDER,   ""                 },
    {"mDNS",                         "mdns",    "answer",    NULL,           NULL,     true,  ROLE_ANNOUNCER,   ""                 },
    {"another protocol",             "modbus",  "answer",    NULL,           NULL,     false, ROLE_DNS,         ""                 },
};

START_TEST(roles)
{
    const struct role_row *row = &role_rows[_i];
    struct ot_item item;
    struct ot_event e = event_of_claim(row->protocol, row->name, &item, row->area, row->id);
    enum infrastructure_role role;
    struct text id;
    char identity[INFRASTRUCTURE_IDENTITY];
    ck_assert_msg(infrastructure_role_of(&e, &role, &id) == row->is_claim, "%s", row->shows);
    if (!row->is_claim)
        return;
    ck_assert_msg(role == row->role, "%s", row->shows);
    ck_assert_str_eq(infrastructure_identity(identity, role, id), row->identity);
}
END_TEST

START_TEST(a_bridge_is_its_address)
{
    char a[INFRASTRUCTURE_IDENTITY], b[INFRASTRUCTURE_IDENTITY];
    infrastructure_identity(a, ROLE_ROOT_BRIDGE, (struct text){(const char *)bridge_1, 8});
    infrastructure_identity(b, ROLE_ROOT_BRIDGE, (struct text){(const char *)bridge_1_first, 8});
    ck_assert_str_eq(a, b);
    infrastructure_identity(b, ROLE_ROOT_BRIDGE, (struct text){(const char *)bridge_2, 8});
    ck_assert_str_ne(a, b);
}
END_TEST

struct told {
    unsigned count;
    struct finding last;
};

static void on_finding(void *context, const struct finding *f)
{
    struct told *t = context;
    t->count++;
    t->last = *f;
}

static struct sighting claim_of(enum infrastructure_role role, const char *ip, const char *id)
{
    struct sighting s = {.kind = SIGHTING_INFRASTRUCTURE,
                         .time_ns = START,
                         .detail = (uint16_t)role,
                         .protocol = "dhcp"};
    s.who.mac = (struct mac){
        {2, 0, 0, 0, 0, 0x66}
    };
    ck_assert(address_parse(&s.who.ip, ip));
    text_copy(s.text, sizeof s.text, text_of(id));
    return s;
}

/* 10.0.0.1 was learned in this role (with the id, where the role has one). */
static const struct row {
    const char *shows;
    enum infrastructure_role role;
    const char *learned_id, *ip, *id;
    uint32_t segment;
    bool is_new_host, is_told;
} rows[] = {
    {"the known DHCP server",                   ROLE_DHCP,        "",                  "10.0.0.1",  "",                  0, false, false},
    {"another DHCP server",                     ROLE_DHCP,        "",                  "10.0.0.66", "",                  0, false, true },
    {"on a new device",                         ROLE_DHCP,        "",                  "10.0.0.66", "",                  0, true,  true },
    {"the known one in another segment",        ROLE_DHCP,        "",                  "10.0.0.1",  "",                  1, false, true },
    {"another DNS server",                      ROLE_DNS,         "",                  "10.0.0.66", "",                  0, false, true },
    {"a DNS server of the internet",            ROLE_DNS,         "",                  "8.8.8.8",   "",                  0, false, false},
    {"another NTP server",                      ROLE_TIME,        "",                  "10.0.0.66", "",                  0, false, true },
    {"an NTP server of the internet",           ROLE_TIME,        "",                  "8.8.8.8",   "",                  0, false, false},
    {"another DHCP server with public address", ROLE_DHCP,        "",                  "8.8.8.8",   "",                  0, false, true },
    {"the known grandmaster, another sender",   ROLE_GRANDMASTER, "00:01",             "10.0.0.66", "00:01",             0,
     false,                                                                                                                        false},
    {"another grandmaster, the same sender",    ROLE_GRANDMASTER, "00:01",             "10.0.0.1",  "00:02",             0,
     false,                                                                                                                        true },
    {"another router",                          ROLE_ROUTER,      "",                  "fe80::66",  "",                  0, false, true },
    {"the known root, told by another switch",  ROLE_ROOT_BRIDGE, "02:00:00:00:00:01", "10.0.0.66",
     "02:00:00:00:00:01",                                                                                                0, false, false},
    {"another root",                            ROLE_ROOT_BRIDGE, "02:00:00:00:00:01", "10.0.0.1",  "02:00:00:00:00:02", 0,
     false,                                                                                                                        true },
    {"another ring manager",                    ROLE_RING,        "",                  "10.0.0.66", "",                  0, false, true },
    {"another responder",                       ROLE_RESPONDER,   "",                  "10.0.0.66", "",                  0, false, true },
    {"the way by the known gateway",            ROLE_REDIRECT,    "10.0.0.1",          "10.0.0.66", "10.0.0.1",          0, false,
     false                                                                                                                              },
    {"the way by another gateway",              ROLE_REDIRECT,    "10.0.0.1",          "10.0.0.1",  "10.0.0.66",         0, false,
     true                                                                                                                               },
    {"the known member of a virtual router",    ROLE_STANDBY,     "",                  "10.0.0.1",  "",                  0, false, false},
    {"its backup that takes over",              ROLE_STANDBY,     "",                  "10.0.0.66", "",                  0, false, false},
    {"a new device in a virtual router",        ROLE_STANDBY,     "",                  "10.0.0.66", "",                  0, true,  true },
    {"a known device speaks for itself",        ROLE_ANNOUNCER,   "",                  "10.0.0.66", "",                  0, false, false},
    {"a new device speaks for itself",          ROLE_ANNOUNCER,   "",                  "10.0.0.66", "",                  0, true,  true },
};

START_TEST(new_holders_are_told)
{
    const struct row *row = &rows[_i];
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct infrastructure *f = infrastructure_create(&sink);
    struct sighting learned = claim_of(row->role, "10.0.0.1", row->learned_id);
    struct sighting s = claim_of(row->role, row->ip, row->id);
    infrastructure_sighting(f, 0, &learned, true, false);
    ck_assert_uint_eq(told.count, 0);
    for (int minute = 0; minute < 3; minute++) {
        s.time_ns = START + HOUR + minute * 60 * SECOND;
        infrastructure_sighting(f, row->segment, &s, false, row->is_new_host);
    }
    ck_assert_msg(told.count == row->is_told, "%s: %u findings", row->shows, told.count);
    if (row->is_told) {
        ck_assert_str_eq(detection_kind(told.last.detection)->id, "net.rogue-infrastructure");
        ck_assert(address_equal(&told.last.actor.ip, &s.who.ip));
        ck_assert_msg(((told.last.flags & FINDING_ACTOR_NEW) != 0) == row->is_new_host, "%s",
                      row->shows);
        const char *known = row->learned_id[0] ? row->learned_id : "10.0.0.1";
        const char *seen = row->id[0] ? row->id : row->ip;
        ck_assert_msg(strstr(told.last.seen, seen) != NULL, "%s", told.last.seen);
        ck_assert_msg(row->segment || strstr(told.last.expected, known), "%s", told.last.expected);
        ck_assert_msg(!strchr(told.last.what, '%'), "%s", told.last.what);
    }
    infrastructure_destroy(f);
}
END_TEST

START_TEST(a_claim_that_goes_on_is_told_once_an_hour)
{
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct infrastructure *f = infrastructure_create(&sink);
    struct sighting s = claim_of(ROLE_DHCP, "10.0.0.66", "");
    for (int minute = 0; minute <= 60; minute++, s.time_ns += 60 * SECOND)
        infrastructure_sighting(f, 0, &s, false, false);
    ck_assert_uint_eq(told.count, 2);
    ck_assert_uint_eq(told.last.count, 60);
    infrastructure_destroy(f);
}
END_TEST

/* What is learned stays when many others claim. */
START_TEST(the_table_is_bounded)
{
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct infrastructure *f = infrastructure_create(&sink);
    struct sighting s = claim_of(ROLE_DHCP, "10.0.0.1", "");
    infrastructure_sighting(f, 0, &s, true, false);
    for (unsigned i = 0; i < 1000; i++) {
        struct sighting other = claim_of(ROLE_DHCP, "10.1.0.0", "");
        other.who.ip.bytes[2] = (uint8_t)(i >> 8);
        other.who.ip.bytes[3] = (uint8_t)i;
        other.time_ns += (i + 1) * SECOND;
        infrastructure_sighting(f, 0, &other, false, false);
    }
    ck_assert_uint_eq(infrastructure_evicted(f), 1000 + 1 - 512);
    unsigned before = told.count;
    s.time_ns += HOUR;
    ck_assert(!infrastructure_sighting(f, 0, &s, false, false));
    ck_assert_uint_eq(told.count, before);
    infrastructure_destroy(f);
}
END_TEST

static void play(struct inventory *inv, const char *ip)
{
    struct sighting s = claim_of(ROLE_DHCP, ip, "");
    inventory_sighting(inv, &s);
}

/* Learned in one run, kept in the store, judged in the next. */
START_TEST(claims_outlive_a_run)
{
    static const struct store_schema *const schemas[] = {&inventory_schema, NULL};
    struct error err = {""};
    struct store *store;
    struct store_queue *queue;
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_queue_create(&queue, store, false, &err), "%s", err.text);
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct inventory_options options = {.mode = MODE_LEARN, .assets_max = 64, .sensor = "s"};
    struct inventory *inv = inventory_create(&options, &sink);
    play(inv, "10.0.0.1");
    inventory_save(inv, queue);
    ck_assert_msg(store_queue_close(queue, &err), "%s", err.text);
    inventory_destroy(inv);

    options.mode = MODE_DETECT;
    inv = inventory_create(&options, &sink);
    ck_assert_msg(inventory_load(inv, store, &err), "%s", err.text);
    play(inv, "10.0.0.1");
    inventory_tick(inv, START + HOUR, true);
    for (unsigned i = 0; i < told.count; i++)
        ck_assert_int_ne(told.last.detection, DETECTION_NET_ROGUE_INFRASTRUCTURE);
    play(inv, "10.0.0.66");
    ck_assert_int_eq(told.last.detection, DETECTION_NET_ROGUE_INFRASTRUCTURE);
    inventory_destroy(inv);
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("infrastructure");
    TCase *c = tcase_create("infrastructure");
    tcase_add_loop_test(c, roles, 0, sizeof role_rows / sizeof *role_rows);
    tcase_add_test(c, a_bridge_is_its_address);
    tcase_add_loop_test(c, new_holders_are_told, 0, sizeof rows / sizeof *rows);
    tcase_add_test(c, a_claim_that_goes_on_is_told_once_an_hour);
    tcase_add_test(c, the_table_is_bounded);
    tcase_add_test(c, claims_outlive_a_run);
    suite_add_tcase(s, c);
    return run_suite(s);
}
