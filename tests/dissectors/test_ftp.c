/* test_ftp.c: commands, log-ins and replies of FTP, held against RFC 959. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_ftp;

enum { LINE_MAX = 1024 };

static void say(struct probe *p, bool is_from_client, const char *text)
{
    probe_stream(p, &dissector_ftp, is_from_client, text, strlen(text));
}

static const struct command_row {
    const char *shows, *line, *code, *operation, *items;
} command_rows[] = {
    {"retrieving",                   "RETR a b.txt\r\n",  "RETR", "file_read",       "a b.txt" },
    {"storing",                      "STOR /x/y.txt\r\n", "STOR", "file_write",      "/x/y.txt"},
    {"storing firmware",             "STOR plc.HEX\r\n",  "STOR", "firmware_update", "plc.HEX" },
    {"retrieving firmware",          "RETR plc.hex\r\n",  "RETR", "file_read",       "plc.hex" },
    {"deleting",                     "dele a\r\n",        "DELE", "file_delete",     "a"       },
    {"renaming",                     "RNFR a\r\n",        "RNFR", "file_write",      "a"       },
    {"no name",                      "LIST\r\n",          "LIST", "file_read",       ""        },
    {"a name of control characters", "RETR a\x01\r\n",    "RETR", "file_read",       ""        },
    {"a verb of three",              "PWD\r\n",           "PWD",  "session",         ""        },
    {"a line feed alone",            "QUIT\n",            "QUIT", "session",         ""        },
    {"no byte but a verb",           "NOOP \r\n",         "NOOP", "session",         ""        },
};

START_TEST(commands)
{
    const struct command_row *row = &command_rows[_i];
    size_t size = strlen(row->line);
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < size; i++)
        probe_stream(p, &dissector_ftp, true, row->line + i, 1);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s: %zu events", row->shows,
                  p->event_count);
    ck_assert_str_eq(probe_event(p, 0)->code, row->code);
    ck_assert_msg(!strcmp(probe_event(p, 0)->operation, row->operation), "%s: %s", row->shows,
                  probe_event(p, 0)->operation);
    ck_assert_msg(!strcmp(probe_event(p, 0)->items, row->items), "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    probe_destroy(p);
    for (size_t i = 0; i < size; i++)
        ck_assert_int_eq(probe_frame(&dissector_ftp, row->line, i).verdict, FRAME_NEED);
    ck_assert_uint_eq(probe_frame(&dissector_ftp, row->line, size).size, size);
}
END_TEST

static const struct login_row {
    const char *shows, *reply, *status;
} login_rows[] = {
    {"let in",                "230 Logged in\r\n",                      "ok"                     },
    {"let in, in many lines", "230-Hello\r\n you\r\n230 Logged in\r\n", "ok"                     },
    {"refused",               "530 Not logged in\r\n",                  "error 530 not_logged_in"},
    {"closed",                "421 Too many\r\n",                       "error 421"              },
    {"the code alone",        "230\r\n",                                "ok"                     },
};

START_TEST(login_has_user_credential_and_result)
{
    const struct login_row *row = &login_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, false, "220 plc FTP 1.2\r\n");
    say(p, true, "USER admin\r\n");
    say(p, false, "331 Need password\r\n");
    say(p, true, "PASS bottle1\r\n");
    say(p, false, row->reply);
    ck_assert_msg(p->event_count == 5, "%s: %zu events", row->shows, p->event_count);
    ck_assert_str_eq(probe_event(p, 0)->facts, "software_version=plc FTP 1.2");
    ck_assert_str_eq(probe_event(p, 1)->facts, "user_name=admin");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_str_eq(probe_event(p, 3)->code, "PASS");
    ck_assert_str_eq(probe_event(p, 3)->operation, "auth");
    ck_assert_str_eq(probe_event(p, 3)->facts, "user_name=admin");
    ck_assert_uint_eq(probe_event(p, 3)->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(probe_event(p, 3)->secret_size, 7);
    ck_assert_str_eq(probe_event(p, 3)->detail, "");
    ck_assert_str_eq(probe_event(p, 4)->operation, "auth");
    ck_assert_msg(!strcmp(probe_event(p, 4)->status, row->status), "%s: %s", row->shows,
                  probe_event(p, 4)->status);
    probe_destroy(p);
}
END_TEST

START_TEST(a_password_as_delivered_is_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "USER loader\r\nPASS fwdownload\r\nUSER other\r\nPASS fwdownload\r\n");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_HAS_CREDENTIAL | OT_DEFAULT_CREDENTIAL);
    ck_assert_uint_eq(probe_event(p, 3)->flags, OT_HAS_CREDENTIAL);
    probe_destroy(p);
}
END_TEST

/* [959] 5.3.1, and [1123] 4.1.3.1 */
static const char *const verbs[] = {"USER", "PASS", "ACCT", "CWD",  "CDUP", "SMNT", "QUIT", "REIN",
                                    "PORT", "PASV", "TYPE", "STRU", "MODE", "RETR", "STOR", "STOU",
                                    "APPE", "ALLO", "REST", "RNFR", "RNTO", "ABOR", "DELE", "RMD",
                                    "MKD",  "PWD",  "LIST", "NLST", "SITE", "SYST", "STAT", "HELP",
                                    "NOOP", "XMKD", "XRMD", "XPWD", "XCUP", "XCWD"};

START_TEST(every_verb_is_known)
{
    char line[16];
    snprintf(line, sizeof line, "%s\r\n", verbs[_i]);
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, line);
    ck_assert_msg(p->violation_count == 0 && p->event_count == 1, "%s", verbs[_i]);
    ck_assert_str_eq(probe_event(p, 0)->code, verbs[_i]);
    probe_destroy(p);
}
END_TEST

START_TEST(an_answer_is_of_the_command_and_its_file)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "STOR a.bin\r\n");
    say(p, false, "150 Opening\r\n226 Done\r\n");
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 2)->code, "226");
    ck_assert_str_eq(probe_event(p, 2)->name, "store");
    ck_assert_str_eq(probe_event(p, 2)->operation, "firmware_update");
    ck_assert_str_eq(probe_event(p, 2)->items, "a.bin");
    probe_destroy(p);
}
END_TEST

START_TEST(an_empty_password_is_no_secret)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "PASS \r\nPASS\r\n");
    ck_assert_uint_eq(p->event_count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_uint_eq(probe_event(p, i)->flags, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(encryption_after_auth_is_told_once)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "AUTH TLS\r\n");
    say(p, false, "234 Go on\r\n");
    probe_hex(p, &dissector_ftp, true, "16 0301 0004 01 000000");
    probe_hex(p, &dissector_ftp, false, "16 0301 0004 02 000000");
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 2)->name, "encrypted");
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_ENCRYPTED);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(telnet_signals_before_a_command_are_passed_over) /* [959] 4.1.3: IP, then Synch */
{
    static const char abort_transfer[] = "\xff\xf4\xff\xf2"
                                         "ABOR\r\n";
    for (size_t step = 1; step < sizeof abort_transfer; step++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        for (size_t i = 0; i < sizeof abort_transfer - 1; i += step) {
            size_t left = sizeof abort_transfer - 1 - i;
            probe_stream(p, &dissector_ftp, true, abort_transfer + i, left < step ? left : step);
        }
        ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "in pieces of %zu", step);
        ck_assert_str_eq(probe_event(p, 0)->code, "ABOR");
        probe_destroy(p);
    }
}
END_TEST

static const struct bad_row {
    const char *shows, *line;
} bad_rows[] = {
    {"no command of FTP", "FROB x\r\n"    },
    {"a word too long",   "RETRIEVE x\r\n"},
    {"a word too short",  "RE x\r\n"      },
};

START_TEST(unknown_commands_are_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, bad_rows[_i].line);
    ck_assert_msg(p->event_count == 0 && probe_has_violation(p, VIOLATION_FUNCTION), "%s",
                  bad_rows[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(a_line_is_bounded)
{
    char line[LINE_MAX + 1];
    memset(line, 'x', sizeof line);
    ck_assert_int_eq(probe_frame(&dissector_ftp, line, LINE_MAX - 1).verdict, FRAME_NEED);
    ck_assert_int_eq(probe_frame(&dissector_ftp, line, LINE_MAX).verdict, FRAME_BROKEN);
    line[LINE_MAX - 1] = '\n';
    ck_assert_uint_eq(probe_frame(&dissector_ftp, line, sizeof line).size, LINE_MAX);
}
END_TEST

static const struct claim_row {
    const char *shows, *text;
    enum claim claim;
} claim_rows[] = {
    {"a greeting",                    "220 plc ready\r\n",        CLAIM_WEAK},
    {"a greeting of many lines",      "220-plc\r\n220 ready\r\n", CLAIM_WEAK},
    {"the code alone",                "220\r\n",                  CLAIM_WEAK},
    {"a greeting that is cut",        "220 plc re",               CLAIM_MORE},
    {"a command",                     "USER admin\r\n",           CLAIM_WEAK},
    {"a command that is cut",         "USER adm",                 CLAIM_MORE},
    {"nothing",                       "",                         CLAIM_MORE},
    {"mail",                          "220 plc ESMTP\r\n",        CLAIM_NO  },
    {"a command of mail",             "EHLO plc\r\n",             CLAIM_NO  },
    {"a command of mail that is cut", "EHLO plc",                 CLAIM_NO  },
    {"a request of HTTP",             "GET / HTTP/1.1\r\n",       CLAIM_NO  },
    {"a line feed alone",             "220 plc\n",                CLAIM_NO  },
    {"bytes",                         "\x03\x01\x02\x03\x04",     CLAIM_NO  },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    ck_assert_msg(probe_recognise(&dissector_ftp, row->text, strlen(row->text)) == row->claim, "%s",
                  row->shows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ftp");
    TCase *tc = tcase_create("ftp");
    tcase_add_loop_test(tc, commands, 0, sizeof command_rows / sizeof *command_rows);
    tcase_add_loop_test(tc, every_verb_is_known, 0, sizeof verbs / sizeof *verbs);
    tcase_add_loop_test(tc, login_has_user_credential_and_result, 0,
                        sizeof login_rows / sizeof *login_rows);
    tcase_add_test(tc, a_password_as_delivered_is_told);
    tcase_add_test(tc, an_answer_is_of_the_command_and_its_file);
    tcase_add_test(tc, an_empty_password_is_no_secret);
    tcase_add_test(tc, encryption_after_auth_is_told_once);
    tcase_add_test(tc, telnet_signals_before_a_command_are_passed_over);
    tcase_add_loop_test(tc, unknown_commands_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(tc, a_line_is_bounded);
    tcase_add_loop_test(tc, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
