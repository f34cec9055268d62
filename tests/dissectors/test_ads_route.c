/* test_ads_route.c: discovery and routes of TwinCAT, held against PROTOCOLS 17. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_ads_route;

#define ADDRESS "010101010101 1027 "
#define ASKED   "03661471 05000000 06000000 " ADDRESS
#define ROUTE                                                                                      \
    ASKED "05000000 0c00 0300 504300 0700 0600 c0a801630101 0d00 0600 41646d696e00"                \
          "0200 0200 3100 0500 0300 504300"

START_TEST(adding_a_route)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_ads_route, true, ROUTE);
    probe_hex(p, &dissector_ads_route, false,
              "03661471 05000000 06000080 " ADDRESS "01000000 0100 0400 00000000");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "ads_route");
    ck_assert_str_eq(e->code, "6");
    ck_assert_str_eq(e->name, "add_route");
    ck_assert_str_eq(e->operation, "config_change");
    ck_assert_str_eq(e->detail, "route PC to 192.168.1.99.1.1 as Admin");
    ck_assert_str_eq(e->facts, "host_name=PC; user_name=Admin");
    ck_assert_uint_eq(e->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 2);
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_route_refused)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_ads_route, false,
              "03661471 05000000 06000080 " ADDRESS "01000000 0100 0400 04070000");
    ck_assert_str_eq(probe_event(p, 0)->status, "error 1796");
    probe_destroy(p);
}
END_TEST

START_TEST(discovery_tells_who_it_is)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    probe_hex(p, &dissector_ads_route, true,
              "03661471 00000000 01000080 " ADDRESS "03000000 0500 0600 43582d303100"
              "0400 1400 14010000 06000000 00000000 00000000 03000000 0300 0400 020bb408");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "discover");
    ck_assert_str_eq(e->facts, "host_name=CX-01; os=Windows CE 6.0.0; "
                               "firmware_version=TwinCAT 2.11.2228");
    ck_assert(!e->is_from_client);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(deleting_a_route)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_ads_route, true,
              "03661471 00000000 07000000 " ADDRESS "01000000 0c00 0300 504300");
    ck_assert_str_eq(probe_event(p, 0)->name, "delete_route");
    ck_assert_str_eq(probe_event(p, 0)->operation, "config_change");
    ck_assert_uint_eq(probe_event(p, 0)->flags, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_ads_route, true, ASKED "01000000 0c00 0400 504300");
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_clear(p);
    probe_hex(p, &dissector_ads_route, true, "03661471 05000000 02000000 " ADDRESS "00000000");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    ck_assert_str_eq(probe_event(p, 0)->operation, "unknown");
    probe_clear(p);
    probe_hex(p, &dissector_ads_route, true, "03661471 05000000 02000000 " ADDRESS "0000");
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_destroy(p);
}
END_TEST

START_TEST(recognition)
{
    uint8_t bytes[128] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_ads_route, bytes, 64), CLAIM_NO);
    size_t size = hex_bytes(bytes, sizeof bytes, ROUTE);
    ck_assert_int_eq(probe_recognise(&dissector_ads_route, bytes, size), CLAIM_YES);
    for (size_t n = 0; n < 12; n++)
        ck_assert_int_eq(probe_recognise(&dissector_ads_route, bytes, n), CLAIM_NO);
    bytes[0] ^= 1;
    ck_assert_int_eq(probe_recognise(&dissector_ads_route, bytes, size), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ads_route");
    TCase *tc = tcase_create("ads_route");
    tcase_add_test(tc, adding_a_route);
    tcase_add_test(tc, a_route_refused);
    tcase_add_test(tc, discovery_tells_who_it_is);
    tcase_add_test(tc, deleting_a_route);
    tcase_add_test(tc, violations);
    tcase_add_test(tc, recognition);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
