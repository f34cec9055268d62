/* test_csp.c: CSPv4 and the PCCC commands in it. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_csp;

/* session, status, context, options, zero */
#define REST          "00000011 00000000 0004000500000000 00000000 00000000 "
#define READ_N7       "0107 000e " REST "0100 0000 0f 00 3412 a2 02 07 89 00 00"
#define READ_N7_REPLY "0207 000a " REST "0001 0000 4f 00 3412 2c01"

START_TEST(connecting_is_a_session)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_csp, true, "0101 0000 " REST);
    probe_hex(p, &dissector_csp, false, "0201 0000 " REST);
    ck_assert_str_eq(probe_event(p, 0)->protocol, "csp");
    ck_assert_str_eq(probe_event(p, 0)->code, "0x0101");
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 0)->direction, "request");
    ck_assert_str_eq(probe_event(p, 1)->code, "0x0201");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(refused_connection)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_csp, false,
              "0201 0000 00000000 00000005 0004000500000000 00000000 00000000");
    ck_assert_str_eq(probe_event(p, 0)->status, "error 5");
    probe_destroy(p);
}
END_TEST

START_TEST(commands_are_pccc)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_csp, true, READ_N7);
    probe_hex(p, &dissector_csp, false, READ_N7_REPLY);
    ck_assert_str_eq(probe_event(p, 0)->protocol, "pccc");
    ck_assert_str_eq(probe_event(p, 0)->code, "cmd=0x0f,fnc=0xa2");
    ck_assert_str_eq(probe_event(p, 0)->items, "N7:0");
    ck_assert_str_eq(probe_event(p, 1)->items, "N7:0=300");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(sender_of_a_request_is_client)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    probe_hex(p, &dissector_csp, false, READ_N7);
    ck_assert(probe_event(p, 0)->is_from_client);
    probe_destroy(p);
}
END_TEST

struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
};

static const struct wrong wrongs[] = {
    {"header cut",               "0107 0000 00000000",                                       VIOLATION_LENGTH},
    {"length is not the data's", "0107 000f " REST "0100 0000 0f 00 3412 a2 02 07 89 00 00",
     VIOLATION_LENGTH                                                                                        },
    {"no command",               "0107 0004 " REST "01000000",                               VIOLATION_LENGTH},
    {"command cut",              "0107 0006 " REST "01000000 0f00",                          VIOLATION_LENGTH},
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_csp, true, wrongs[_i].hex);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: not told", wrongs[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, READ_N7);
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_csp, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_ne(probe_recognise(&dissector_csp, bytes, n), CLAIM_NO);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_csp, true, bytes, n);
        probe_stream(p, &dissector_csp, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    size = hex_bytes(bytes, sizeof bytes, "0101 0200 " REST);
    ck_assert_int_eq(probe_frame(&dissector_csp, bytes, size).verdict, FRAME_NEED);
    size = hex_bytes(bytes, sizeof bytes, "0101 0201 " REST);
    ck_assert_int_eq(probe_frame(&dissector_csp, bytes, size).verdict, FRAME_BROKEN);
    size = hex_bytes(bytes, sizeof bytes, "0102 0000 " REST);
    ck_assert_int_eq(probe_frame(&dissector_csp, bytes, size).verdict, FRAME_BROKEN);
    ck_assert_int_eq(probe_recognise(&dissector_csp, bytes, size), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csp");
    TCase *tc = tcase_create("csp");
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tc, connecting_is_a_session);
    tcase_add_test(tc, refused_connection);
    tcase_add_test(tc, commands_are_pccc);
    tcase_add_test(tc, sender_of_a_request_is_client);
    tcase_add_test(tc, framing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
