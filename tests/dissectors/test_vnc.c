/* test_vnc.c: log-in and desktop of VNC, held against RFC 6143. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_vnc;

#define CHALLENGE "00010203 04050607 08090a0b 0c0d0e0f"
#define SCREEN    "0400 0300 20180001 00ff00ff 00ff1008 00000000" /* 1024 x 768, [6143] 7.3.2 */

static void versions(struct probe *p, const char *version)
{
    probe_stream(p, &dissector_vnc, false, version, strlen(version));
    probe_stream(p, &dissector_vnc, true, version, strlen(version));
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 1)->code, "version");
    probe_clear(p);
}

static void say(struct probe *p, bool is_from_client, const char *hex)
{
    uint8_t bytes[256];
    probe_stream(p, &dissector_vnc, is_from_client, bytes, hex_bytes(bytes, sizeof bytes, hex));
}

static const struct login_row {
    const char *shows, *result, *status;
} login_rows[] = {
    {"let in",            "00000000",               "ok"                  },
    {"refused",           "00000001 00000002 6e6f", "error 1 login_failed"}, /* with a reason, 7.1.3 */
    {"too many attempts", "00000002",               "error 2 login_failed"},
};

START_TEST(login_has_type_and_result)
{
    const struct login_row *row = &login_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    versions(p, "RFB 003.008\n");
    say(p, false, "02 01 02");
    say(p, true, "02");
    say(p, false, CHALLENGE);
    say(p, true, CHALLENGE);
    say(p, false, row->result);
    ck_assert_msg(p->event_count == 3, "%s: %zu events", row->shows, p->event_count);
    ck_assert_str_eq(probe_event(p, 0)->code, "security");
    ck_assert_str_eq(probe_event(p, 0)->detail, "VNC password");
    ck_assert_str_eq(probe_event(p, 1)->code, "login");
    ck_assert_str_eq(probe_event(p, 1)->operation, "auth");
    ck_assert_str_eq(probe_event(p, 2)->code, "login_result");
    ck_assert_str_eq(probe_event(p, 2)->status, row->status);
    probe_destroy(p);
}
END_TEST

static const struct open_row {
    const char *shows, *version, *types, *choice, *result, *detail;
} open_rows[] = {
  /* [6143] 7.1.2, 7.1.3, appendix A */
    {"3.3: the server decides", "RFB 003.003\n", "00000001", NULL, NULL,       "no password"},
    {"3.5 is as 3.3",           "RFB 003.005\n", "00000001", NULL, NULL,       "no password"},
    {"3.7: no result",          "RFB 003.007\n", "01 01",    "01", NULL,       "no password"},
    {"3.8: a result",           "RFB 003.008\n", "01 01",    "01", "00000000", "no password"},
    {"types in two pieces",     "RFB 003.008\n", "01",       "01", "00000000", "no password"},
};

START_TEST(without_password_the_desktop_is_told)
{
    const struct open_row *row = &open_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    versions(p, row->version);
    say(p, false, row->types);
    if (row->choice)
        say(p, true, row->choice);
    if (row->result)
        say(p, false, row->result);
    say(p, true, "01");
    say(p, false, SCREEN "00000003 686d69");
    size_t wanted = row->result ? 3 : 2;
    ck_assert_msg(p->event_count == wanted && p->violation_count == 0, "%s: %zu events", row->shows,
                  p->event_count);
    ck_assert_str_eq(probe_event(p, 0)->detail, row->detail);
    ck_assert_str_eq(probe_event(p, wanted - 1)->code, "server_init");
    ck_assert_str_eq(probe_event(p, wanted - 1)->detail, "screen of 1024 x 768");
    ck_assert_str_eq(probe_event(p, wanted - 1)->facts, "host_name=hmi");
    say(p, false, "00000001 00000000"); /* screen */
    say(p, true, "0400 0000 00000061"); /* a key */
    ck_assert_uint_eq(p->event_count, wanted);
    probe_destroy(p);
}
END_TEST

static const struct init_row {
    const char *shows, *hex;
    size_t events;
    const char *facts;
} init_rows[] = {
    {"a name",                           SCREEN "00000003 686d69", 1, "host_name=hmi"},
    {"no name",                          SCREEN "00000000",        1, ""             },
    {"a name of control characters",     SCREEN "00000002 0102",   1, ""             },
    {"a name longer than what is there", SCREEN "00000004 686d69", 0, NULL           },
    {"a name of the greatest length",    SCREEN "ffffffff 686d69", 0, NULL           },
    {"cut",                              "0400 0300",              0, NULL           },
};

START_TEST(names_of_desktops)
{
    const struct init_row *row = &init_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    versions(p, "RFB 003.003\n");
    say(p, false, "00000001");
    probe_clear(p);
    say(p, false, row->hex);
    ck_assert_msg(p->event_count == row->events, "%s: %zu events", row->shows, p->event_count);
    if (row->events)
        ck_assert_str_eq(probe_event(p, 0)->facts, row->facts);
    probe_destroy(p);
}
END_TEST

static const struct refused_row {
    const char *shows, *version, *types;
} refused_rows[] = {
    {"3.3", "RFB 003.003\n", "00000000 00000002 6e6f"},
    {"3.8", "RFB 003.008\n", "00 00000002 6e6f"      },
};

START_TEST(refusal_is_an_error)
{
    const struct refused_row *row = &refused_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    versions(p, row->version);
    say(p, false, row->types);
    ck_assert_msg(p->event_count == 1, "%s", row->shows);
    ck_assert_str_eq(probe_event(p, 0)->status, "error 0 refused");
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *text;
    enum claim claim;
} claim_rows[] = {
    {"3.8",         "RFB 003.008\n",   CLAIM_YES},
    {"3.889",       "RFB 003.889\n",   CLAIM_YES},
    {"with more",   "RFB 003.008\n\1", CLAIM_YES},
    {"no digit",    "RFB 003.00a\n",   CLAIM_NO },
    {"lower case",  "rfb 003.008\n",   CLAIM_NO },
    {"another end", "RFB 003.008\r",   CLAIM_NO },
    {"another",     "SSH-2.0-x\r\n",   CLAIM_NO },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    ck_assert_msg(probe_recognise(&dissector_vnc, row->text, strlen(row->text)) == row->claim, "%s",
                  row->shows);
}
END_TEST

START_TEST(every_prefix_asks_for_more)
{
    static const char version[] = "RFB 003.008\n";
    for (size_t i = 0; i < sizeof version - 1; i++) {
        ck_assert_int_eq(probe_recognise(&dissector_vnc, version, i), CLAIM_MORE);
        ck_assert_int_eq(probe_frame(&dissector_vnc, version, i).verdict, FRAME_NEED);
    }
    ck_assert_uint_eq(probe_frame(&dissector_vnc, version, sizeof version - 1).size, 12);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vnc");
    TCase *tc = tcase_create("vnc");
    tcase_add_loop_test(tc, login_has_type_and_result, 0, sizeof login_rows / sizeof *login_rows);
    tcase_add_loop_test(tc, without_password_the_desktop_is_told, 0,
                        sizeof open_rows / sizeof *open_rows);
    tcase_add_loop_test(tc, names_of_desktops, 0, sizeof init_rows / sizeof *init_rows);
    tcase_add_loop_test(tc, refusal_is_an_error, 0, sizeof refused_rows / sizeof *refused_rows);
    tcase_add_loop_test(tc, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(tc, every_prefix_asks_for_more);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
