/* test_roc_plus.c: opcodes, points, log-in and files, held against PROTOCOLS 25. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_roc_plus;

static const struct {
    bool is_from_client;
    const char *hex, *code, *name, *operation;
} rows[] = {
    {true,  "0102030406003a2f",               "opcode=6",   "system_configuration", "identify"   },
    {true,  "0102030407003bbf",               "opcode=7",   "read_clock",           "diagnostics"},
    {true,  "0102030408071e2d0c0f0307e8890d", "opcode=8",   "set_clock",            "time_set"   },
    {true,  "01020304cb0504 0000000abd8f",    "opcode=203", "file_close",           "session"    },
    {false, "01020304ff0206064182",           "opcode=255", "error_indicator",      "error"      },
};

START_TEST(opcodes)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, rows[_i].is_from_client, rows[_i].hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, rows[_i].code);
    ck_assert_str_eq(e->name, rows[_i].name);
    ck_assert_str_eq(e->operation, rows[_i].operation);
    ck_assert_str_eq(e->direction, rows[_i].is_from_client ? "request" : "response");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* Of the answer to opcode 6: the operating mode is its first byte, the type its 19th. */
START_TEST(what_the_controller_is)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t pdu[6 + 20 + 2] = {1, 2, 3, 4, 6, 20, [6] = 1, [12] = 1, [6 + 18] = 6};
    probe_feed(p, &dissector_roc_plus, false, pdu, sizeof pdu);
    ck_assert_str_eq(probe_event(p, 0)->facts, "mode=run; product=ROC800");
    pdu[6] = 0;
    pdu[6 + 18] = 12;
    probe_feed(p, &dissector_roc_plus, false, pdu, sizeof pdu);
    ck_assert_str_eq(probe_event(p, 1)->facts, "mode=firmware_update");
    probe_destroy(p);
}
END_TEST

START_TEST(writing_a_point)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "01020304a6050101010001dcb2");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "write");
    ck_assert_uint_eq(e->item_count, 1);
    ck_assert_uint_eq(e->low, 256);
    ck_assert_uint_eq(e->high, 256);
    probe_destroy(p);
}
END_TEST

START_TEST(answers_name_what_was_asked)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "01020304a6050101010001dcb2");
    probe_hex(p, &dissector_roc_plus, false, "03040102a6002a6f");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 1)->items, "point 1 256");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    probe_hex(p, &dissector_roc_plus, true, "01020304a6050101010001dcb2");
    probe_hex(p, &dissector_roc_plus, false, "03040102ff0306a6008bd0");
    ck_assert_str_eq(probe_event(p, 3)->status, "error 6");
    ck_assert_str_eq(probe_event(p, 3)->detail, "set_single_point_parameters");
    ck_assert_str_eq(probe_event(p, 3)->items, "point 1 256");
    ck_assert_uint_eq(probe_event(p, 3)->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(the_password_is_kept_apart)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "0102030411064f503112340141bc");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "auth");
    ck_assert_str_eq(e->facts, "user_name=OP1");
    ck_assert_uint_eq(e->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 2);
    probe_clear(p);
    probe_hex(p, &dissector_roc_plus, true, "01020304110b4f503112344c4f474f5554b593");
    ck_assert_str_eq(probe_event(p, 0)->name, "logout");
    probe_destroy(p);
}
END_TEST

START_TEST(a_wrong_checksum)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "0102030406003a2e");
    ck_assert(probe_has_violation(p, VIOLATION_CHECKSUM));
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    static const uint8_t pdu[] = {1, 2, 3, 4, 8, 7, 0x1e, 0x2d, 0x0c, 0x0f, 3, 7, 0xe8, 0x89, 0x0d};
    for (size_t i = 0; i < sizeof pdu; i++) {
        ck_assert_int_eq(probe_frame(&dissector_roc_plus, pdu, i).verdict, FRAME_NEED);
        ck_assert_int_eq(probe_recognise(&dissector_roc_plus, pdu, i), CLAIM_MORE);
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_roc_plus, true, pdu, i);
        probe_stream(p, &dissector_roc_plus, true, pdu + i, sizeof pdu - i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
        p = probe_create(TRANSPORT_UDP);
        probe_feed(p, &dissector_roc_plus, true, pdu, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_uint_eq(p->violation_count, 1);
        probe_destroy(p);
    }
    ck_assert_uint_eq(probe_frame(&dissector_roc_plus, pdu, sizeof pdu).size, sizeof pdu);
    ck_assert_int_eq(probe_recognise(&dissector_roc_plus, pdu, sizeof pdu), CLAIM_WEAK);
    static const uint8_t zeros[32];
    ck_assert_int_eq(probe_recognise(&dissector_roc_plus, zeros, sizeof zeros), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roc_plus");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, opcodes, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, what_the_controller_is);
    tcase_add_test(tcase, writing_a_point);
    tcase_add_test(tcase, answers_name_what_was_asked);
    tcase_add_test(tcase, the_password_is_kept_apart);
    tcase_add_test(tcase, a_wrong_checksum);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
