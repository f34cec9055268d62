/* test_telnet.c: log-ins and commands of Telnet, held against RFC 854 and PROTOCOLS 31. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_telnet;

static void say(struct probe *p, bool is_from_client, const char *text)
{
    probe_stream(p, &dissector_telnet, is_from_client, text, strlen(text));
}

static const struct row {
    const char *shows, *verdict, *status;
} rows[] = {
    {"a prompt of commands is success", "\r\nplc> ",               "ok"                  },
    {"asking once more is refusal",     "\r\nPassword: ",          "error 1 login_failed"},
    {"words of refusal",                "\r\nLogin incorrect\r\n", "error 1 login_failed"},
    {"asking for the user is refusal",  "\r\nlogin: ",             "error 1 login_failed"},
};

START_TEST(login_has_user_credential_and_result)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, false, "login: ");
    for (const char *c = "admin\r\n"; *c; c++) /* a byte at a time, as terminals do */
        probe_stream(p, &dissector_telnet, true, c, 1);
    say(p, false, "admin\r\nPassword: ");
    say(p, true, "bottle1\r\n");
    say(p, false, row->verdict);
    ck_assert_msg(p->event_count == 3, "%s: %zu events", row->shows, p->event_count);
    ck_assert_str_eq(probe_event(p, 0)->code, "login");
    ck_assert_str_eq(probe_event(p, 0)->facts, "user_name=admin");
    ck_assert_uint_eq(probe_event(p, 0)->flags, 0);
    ck_assert_str_eq(probe_event(p, 1)->code, "password");
    ck_assert_str_eq(probe_event(p, 1)->operation, "auth");
    ck_assert_str_eq(probe_event(p, 1)->facts, "user_name=admin");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(probe_event(p, 1)->secret_size, 7);
    ck_assert_str_eq(probe_event(p, 1)->detail, "");
    ck_assert_msg(!strcmp(probe_event(p, 2)->status, row->status), "%s: %s", row->shows,
                  probe_event(p, 2)->status);
    probe_destroy(p);
}
END_TEST

static const struct password_row {
    const char *user, *password;
    bool is_as_delivered;
} password_rows[] = {
    {"admin", "admin",   true },
    {"Admin", "admin",   true },
    {"admin", "Admin",   false},
    {"admin", "adminx",  false},
    {"admin", "bottle1", false},
    {"other", "admin",   false},
    {"root",  "public",  false}, /* of SNMP only */
};

/* Typed byte by byte and sent as a line. */
START_TEST(a_password_as_delivered_is_told)
{
    const struct password_row *row = &password_rows[_i / 2];
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, false, "login: ");
    say(p, true, row->user);
    say(p, true, "\r\n");
    say(p, false, "Password: ");
    if (_i % 2)
        say(p, true, row->password);
    for (const char *c = row->password; *c && _i % 2 == 0; c++)
        probe_stream(p, &dissector_telnet, true, c, 1);
    say(p, true, "\r\n");
    ck_assert_str_eq(probe_event(p, 1)->code, "password");
    ck_assert_msg(((probe_event(p, 1)->flags & OT_DEFAULT_CREDENTIAL) != 0) == row->is_as_delivered,
                  "%s/%s", row->user, row->password);
    probe_destroy(p);
}
END_TEST

START_TEST(a_command_is_told_only_after_its_prompt)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "secret\r\n");
    ck_assert_str_eq(probe_event(p, 0)->detail, "");
    say(p, false, "plc# ");
    say(p, true, "reload\r\n");
    ck_assert_str_eq(probe_event(p, 1)->code, "command");
    ck_assert_str_eq(probe_event(p, 1)->detail, "reload");
    probe_destroy(p);
}
END_TEST

START_TEST(recognised)
{
    ck_assert_int_eq(probe_recognise(&dissector_telnet, "\xff\xfd\x18\xff\xfd\x20", 6), CLAIM_YES);
    ck_assert_int_eq(probe_recognise(&dissector_telnet, "\xff\xfd\x18", 3), CLAIM_WEAK);
    ck_assert_int_eq(probe_recognise(&dissector_telnet, "\xff\xfd\x32\xff", 4), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_telnet, "login: ", 7), CLAIM_WEAK);
    ck_assert_int_eq(probe_recognise(&dissector_telnet, "220 ready\r\n", 11), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_telnet, "\0\0\0\0", 4), CLAIM_NO);
}
END_TEST

/* [854]: a command is IAC, a verb and an option; a character 255 is IAC twice. */
static const struct piece {
    const char *shows, *hex;
    enum frame_verdict verdict;
    size_t size;
} pieces[] = {
    {"a command begins",                  "ff",       FRAME_NEED,     2},
    {"its verb, not yet its option",      "fffd",     FRAME_NEED,     3},
    {"a whole command",                   "fffd03",   FRAME_COMPLETE, 3},
    {"text before a command that begins", "4142ff",   FRAME_COMPLETE, 2},
    {"text before half of a command",     "4142fffb", FRAME_COMPLETE, 2},
    {"a character 255",                   "41ffff",   FRAME_COMPLETE, 3},
    {"a character 255 and a command",     "ffffff",   FRAME_COMPLETE, 2},
    {"a verb after a character 255",      "fffffd",   FRAME_COMPLETE, 3},
};

START_TEST(a_command_in_two_segments)
{
    uint8_t bytes[8];
    size_t size = hex_bytes(bytes, sizeof bytes, pieces[_i].hex);
    struct frame frame = probe_frame(&dissector_telnet, bytes, size);
    ck_assert_msg(frame.verdict == pieces[_i].verdict && frame.size == pieces[_i].size,
                  "%s: %u bytes", pieces[_i].shows, frame.size);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("telnet");
    TCase *tc = tcase_create("telnet");
    tcase_add_loop_test(tc, a_command_in_two_segments, 0, sizeof pieces / sizeof *pieces);
    tcase_add_loop_test(tc, login_has_user_credential_and_result, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, a_password_as_delivered_is_told, 0,
                        2 * sizeof password_rows / sizeof *password_rows);
    tcase_add_test(tc, a_command_is_told_only_after_its_prompt);
    tcase_add_test(tc, recognised);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
