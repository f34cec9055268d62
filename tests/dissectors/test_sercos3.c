/* test_sercos3.c: SERCOS III telegrams, held against PROTOCOLS 29. */
#include "support/dissect_probe.h"
#include "support/runner.h"

extern const struct dissector dissector_sercos3;

START_TEST(telegrams_and_phases)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_sercos3, true, "20 03 00000000 0000");
    probe_hex(p, &dissector_sercos3, true, "60 03 00000000 0000");
    probe_hex(p, &dissector_sercos3, true, "20 04 00000000 0000");
    probe_hex(p, &dissector_sercos3, true, "21 04 00000000 0000");
    ck_assert_str_eq(probe_event(p, 0)->code, "0x00");
    ck_assert_str_eq(probe_event(p, 0)->operation, "publish");
    ck_assert_str_eq(probe_event(p, 0)->items, "phase=3");
    ck_assert_str_eq(probe_event(p, 1)->code, "0x40");
    ck_assert_str_eq(probe_event(p, 1)->name, "drive_telegram");
    ck_assert_str_eq(probe_event(p, 2)->operation, "mode_change");
    ck_assert_str_eq(probe_event(p, 2)->detail, "phase 3 to 4");
    ck_assert_str_eq(probe_event(p, 3)->code, "0x01");
    ck_assert_str_eq(probe_event(p, 3)->operation, "publish");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* element 1 (IDN), then element 7 (data) written, each with a turn of the handshake bit */
START_TEST(service_channel)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_sercos3, true, "00 02 00000000 0000 00000000 0900 2f800000");
    probe_hex(p, &dissector_sercos3, true, "00 02 00000000 0000 00000000 3a00 78563412");
    probe_hex(p, &dissector_sercos3, true, "00 02 00000000 0000 00000000 3a00 78563412");
    ck_assert_uint_eq(p->event_count, 5);
    ck_assert_str_eq(probe_event(p, 1)->name, "service_channel_read");
    ck_assert_str_eq(probe_event(p, 1)->items, "drive 1 P-0-0047");
    ck_assert_str_eq(probe_event(p, 3)->operation, "write");
    ck_assert_str_eq(probe_event(p, 3)->items, "drive 1 P-0-0047=305419896");
    ck_assert_str_eq(probe_event(p, 3)->unit, "1");
    probe_destroy(p);
}
END_TEST

static const struct bad {
    const char *what, *hex, *why;
} bads[] = {
    {"header cut",   "00 03 000000",   "SERCOS telegram without its header"    },
    {"phase 5",      "00 05 00000000", "SERCOS phase above 4"                  },
    {"reserved bit", "10 03 00000000", "reserved bit of the SERCOS type is set"},
};
enum { BADS = sizeof bads / sizeof *bads };

START_TEST(malformed)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_sercos3, true, bads[_i].hex);
    ck_assert_msg(p->violation_count == 1, "%s: %zu", bads[_i].what, p->violation_count);
    ck_assert_str_eq(probe_violation(p, 0)->why, bads[_i].why);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sercos3");
    TCase *c = tcase_create("sercos3");
    tcase_add_test(c, telegrams_and_phases);
    tcase_add_test(c, service_channel);
    tcase_add_loop_test(c, malformed, 0, BADS);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
