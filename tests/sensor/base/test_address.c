/* test_address.c: addresses, their classes and the pair that decides the worker. */
#include "sensor/base/address.h"
#include "sensor/base/pair.h"
#include "support/runner.h"

static const struct row {
    const char *text;
    bool is_group, is_public;
} rows[] = {
    {"10.1.2.3",        false, false},
    {"172.16.0.1",      false, false},
    {"172.31.255.255",  false, false},
    {"172.32.0.0",      false, true },
    {"192.168.1.1",     false, false},
    {"192.169.0.1",     false, true },
    {"100.64.0.1",      false, false},
    {"100.128.0.1",     false, true },
    {"127.0.0.1",       false, false},
    {"169.254.9.9",     false, false},
    {"8.8.8.8",         false, true },
    {"203.0.113.9",     false, true },
    {"198.51.100.9",    false, true },
    {"192.0.2.1",       false, true },
    {"198.18.0.1",      false, false},
    {"224.0.0.1",       true,  false},
    {"239.255.0.1",     true,  false},
    {"255.255.255.255", true,  false},
    {"0.0.0.0",         true,  false},
    {"2001:db8::1",     false, false},
    {"2a00:1450::1",    false, true },
    {"fe80::1",         false, false},
    {"fd00::1",         false, false},
    {"ff02::1",         true,  false},
    {"::",              true,  false},
    {"2002:808:808::1", false, false},
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(classes)
{
    const struct row *r = &rows[_i];
    struct address a;
    char text[ADDRESS_TEXT_SIZE];
    ck_assert_msg(address_parse(&a, r->text), "%s", r->text);
    ck_assert_str_eq(address_print(text, &a), r->text);
    ck_assert_msg(address_is_group(&a) == r->is_group, "%s: group", r->text);
    ck_assert_msg(address_is_public(&a) == r->is_public, "%s: public", r->text);
}
END_TEST

START_TEST(what_is_no_address)
{
    struct address a;
    struct mac m;
    ck_assert(!address_parse(&a, "10.1.2"));
    ck_assert(!address_parse(&a, ""));
    ck_assert(!address_parse(&a, "plc1"));
    ck_assert(!mac_parse(&m, "00:11:22:33:44"));
    ck_assert(!mac_parse(&m, "00:11:22:33:44:55:66"));
    ck_assert(mac_parse(&m, "00:1b:1b:aa:BB:0c"));
    char text[MAC_TEXT_SIZE];
    ck_assert_str_eq(mac_print(text, &m), "00:1b:1b:aa:bb:0c");
}
END_TEST

static struct endpoint end_of(const char *ip, uint16_t port, uint8_t mac)
{
    struct endpoint e = {.port = port, .mac = {{2, 0, 0, 0, 0, mac}}};
    if (ip)
        address_parse(&e.ip, ip);
    return e;
}

static const struct shared_row {
    const char *mac;
    bool is_shared;
} shared_rows[] = {
    {"00:00:5e:00:01:07", true }, /* RFC 5798 7.3 */
    {"00:00:5e:00:02:07", true },
    {"00:00:5e:00:03:07", false},
    {"00:00:5e:01:01:07", false},
    {"00:00:0c:07:ac:00", true }, /* RFC 2281 5 */
    {"00:00:0c:07:ad:00", false},
    {"00:00:0c:9f:f0:01", true }, /* a group of 12 bits */
    {"00:00:0c:9f:ff:ff", true },
    {"00:00:0c:9f:ef:ff", false},
    {"00:05:73:a0:0f:ff", true },
    {"00:05:73:a0:10:00", false},
    {"02:00:5e:00:01:07", false},
};

START_TEST(routers_share_a_mac)
{
    const struct shared_row *row = &shared_rows[_i];
    struct mac mac;
    ck_assert(mac_parse(&mac, row->mac));
    ck_assert_msg(mac_is_virtual_router(&mac) == row->is_shared, "%s", row->mac);
}
END_TEST

START_TEST(every_mac_is_another_number)
{
    struct mac all =
                   {
                       {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
    },
               none = {{0}};
    ck_assert_uint_eq(mac_number(&none), 0);
    ck_assert_uint_eq(mac_number(&all), (UINT64_C(1) << 48) - 1);
    uint64_t bits = 0;
    for (size_t i = 0; i < 48; i++) {
        struct mac one = none;
        one.bytes[i / 8] = (uint8_t)(1 << i % 8);
        ck_assert_uint_eq(bits & mac_number(&one), 0);
        bits |= mac_number(&one);
    }
    ck_assert_uint_eq(bits, mac_number(&all));
}
END_TEST

START_TEST(a_pair_is_symmetric_and_ignores_ports)
{
    struct endpoint a = end_of("10.0.0.1", 1000, 1), b = end_of("10.0.0.2", 502, 2);
    struct endpoint other_ports = end_of("10.0.0.1", 2000, 9), c = end_of("10.0.0.3", 502, 3);
    ck_assert_uint_eq(pair_hash(0, &a, &b), pair_hash(0, &b, &a));
    ck_assert_uint_eq(pair_hash(0, &a, &b), pair_hash(0, &other_ports, &b));
    ck_assert_uint_ne(pair_hash(0, &a, &b), pair_hash(1, &a, &b));
    ck_assert_uint_ne(pair_hash(0, &a, &b), pair_hash(0, &a, &c));
    struct endpoint layer2 = end_of(NULL, 0, 1), layer2_b = end_of(NULL, 0, 2);
    ck_assert_uint_eq(pair_hash(0, &layer2, &layer2_b), pair_hash(0, &layer2_b, &layer2));
}
END_TEST

START_TEST(pairs_spread_over_workers)
{
    unsigned counts[4] = {0};
    for (unsigned i = 0; i < 4000; i++) {
        struct endpoint a = end_of("10.0.0.1", 0, 1), b = a;
        b.ip.bytes[2] = (uint8_t)(i >> 8);
        b.ip.bytes[3] = (uint8_t)i;
        counts[pair_worker(pair_hash(0, &a, &b), 4)]++;
    }
    for (int i = 0; i < 4; i++)
        ck_assert_uint_gt(counts[i], 800); /* of 1,000 expected */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("address");
    TCase *c = tcase_create("address");
    tcase_add_loop_test(c, classes, 0, ROWS);
    tcase_add_test(c, what_is_no_address);
    tcase_add_loop_test(c, routers_share_a_mac, 0, sizeof shared_rows / sizeof *shared_rows);
    tcase_add_test(c, every_mac_is_another_number);
    tcase_add_test(c, a_pair_is_symmetric_and_ignores_ports);
    tcase_add_test(c, pairs_spread_over_workers);
    suite_add_tcase(s, c);
    return run_suite(s);
}
