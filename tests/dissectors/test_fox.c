/* test_fox.c: Niagara Fox, held against PROTOCOLS 30 and what scanners and public captures show. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_fox;

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))
#define HELLO        "fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\n};;\n"

static void say(struct probe *p, bool is_from_client, const char *text)
{
    ck_assert_int_eq(probe_stream(p, &dissector_fox, is_from_client, text, strlen(text)),
                     FRAME_COMPLETE);
}

START_TEST(a_station_tells_who_it_is)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true,
        "fox a 1 -1 fox hello\n{\nhostName=s:eng1\napp.name=s:Workbench\nhostId=s:Win-1\n};;\n");
    say(p, false,
        "fox a 0 -1 fox "
        "hello\n{\nfox.version=s:1.0\nid=i:2\nhostName=s:jace\nhostAddress=s:10.0.0.2\n"
        "app.name=s:Station\napp.version=s:3.5.41\nos.name=s:QNX\nos.version=s:6.3.2\n"
        "vm.name=s:Java HotSpot\nvm.version=s:1.5\n"
        "station.name=s:HQ\nhostId=s:Qnx-2\nbrandId=s:vykon\nsysInfo=o:bog 7[<a>\n}\n]]\n};;\n");
    const struct probe_event *asked = probe_event(p, 0), *told = probe_event(p, 1);
    ck_assert_str_eq(asked->protocol, "fox");
    ck_assert_str_eq(asked->direction, "request");
    ck_assert_str_eq(asked->code, "0x01");
    ck_assert_str_eq(asked->name, "hello");
    ck_assert_str_eq(asked->operation, "session");
    ck_assert_str_eq(asked->facts, "host_name=eng1; serial_number=Win-1");
    ck_assert_str_eq(told->direction, "response");
    ck_assert_str_eq(
        told->facts,
        "host_name=jace; ip=10.0.0.2; product=Station; software_version=3.5.41; name=HQ; "
        "serial_number=Qnx-2; vendor=vykon; os=QNX 6.3.2; comment=Java HotSpot 1.5");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct row {
    const char *header, *code, *name, *operation, *status, *unit, *detail;
} rows[] = {
    {"fox k -1 -1 fox keepalive",   "0x02", "keep_alive",     "session", "",                  "",        ""        },
    {"fox c 2 -1 fox close",        "0x03", "close",          "session", "",                  "",        ""        },
    {"fox a 2 -1 fox redirect",     "0x04", "redirect",       "session", "",                  "",        ""        },
    {"fox e 2 -1 fox busy",         "0x05", "busy",           "session", "error 101 error",   "",        ""        },
    {"fox a 2 -1 fox login",        "0x10", "login",          "auth",    "",                  "",        ""        },
    {"fox a 2 -1 fox challenge",    "0x11", "challenge",      "auth",    "",                  "",        ""        },
    {"fox a 2 -1 fox kerberos",     "0x12", "kerberos",       "auth",    "",                  "",        ""        },
    {"fox a 2 -1 fox username",     "0x13", "user_name",      "auth",    "",                  "",        ""        },
    {"fox a 2 -1 fox authMessage1", "0x15", "auth_message_1", "auth",    "",                  "",        ""        },
    {"fox a 2 -1 fox authMessage2", "0x16", "auth_message_2", "auth",    "",                  "",        ""        },
    {"fox a 2 -1 fox welcome",      "0x17", "welcome",        "auth",    "ok",                "",        ""        },
    {"fox a 2 -1 fox retry",        "0x18", "retry",          "auth",    "error 24 rejected", "",        ""        },
    {"fox a 2 -1 fox rejected",     "0x19", "rejected",       "auth",    "error 25 rejected", "",        ""        },
    {"fox s 2 5 station invoke",    "0x20", "invoke",         "control", "",                  "station", ""        },
    {"fox s 2 5 station tunnel",    "0x21", "tunnel",         "control", "",                  "station", ""        },
    {"fox s 2 5 station set",       "0x22", "set",            "write",   "",                  "station", ""        },
    {"fox s 2 5 station add",       "0x23", "add",            "write",   "",                  "station", ""        },
    {"fox s 2 5 station remove",    "0x24", "remove",         "write",   "",                  "station", ""        },
    {"fox r 2 5 station set",       "0x22", "set",            "write",   "ok",                "station", ""        },
    {"fox n 2 5 station set",       "0x22", "set",            "write",   "ok",                "station", ""        },
    {"fox e 2 5 station set",       "0x22", "set",            "write",   "error 101 error",   "station", ""        },
    {"fox s 2 5 sys whatever",      "0xff", "",               "unknown", "",                  "sys",     "whatever"},
};

START_TEST(commands)
{
    const struct row *row = &rows[_i];
    char text[128];
    snprintf(text, sizeof text, "%s\n{\n};;\n", row->header);
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, text);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->status, row->status);
    ck_assert_str_eq(e->unit, row->unit);
    ck_assert_str_eq(e->detail, row->detail);
    ck_assert(e->has_transaction == (strstr(row->header, " 5 ") != NULL));
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(who_logs_in)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "fox a 2 -1 fox username\n{\nusername=s:bob\n};;\n");
    say(p, true, "fox a 3 -1 fox login\n{\nusername=s:bob\npassword=s:s3cret\n};;\n");
    ck_assert_str_eq(probe_event(p, 0)->facts, "user_name=bob");
    ck_assert_uint_eq(probe_event(p, 0)->flags, 0);
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(probe_event(p, 1)->secret_size, 6);
    ck_assert_ptr_null(strstr(probe_event(p, 1)->facts, "s3cret"));
    probe_destroy(p);
}
END_TEST

START_TEST(sequence_numbers)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "fox a 1 -1 fox hello\n{\n};;\n");
    say(p, false, "fox a 0 -1 fox hello\n{\n};;\n");
    say(p, true, "fox k -1 -1 fox keepalive\n{\n};;\n");
    say(p, true, "fox a 2 -1 fox username\n{\n};;\n");
    say(p, false, "fox a 1 -1 fox challenge\n{\n};;\n");
    ck_assert_uint_eq(p->violation_count, 0);
    say(p, true, "fox a 4 -1 fox login\n{\n};;\n");
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert_int_eq(probe_violation(p, 0)->kind, VIOLATION_SEQUENCE);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix_asks_for_more)
{
    static const char text[] =
        "fox a 1 -1 fox "
        "challenge\n{\nmethod=s:digest\ninner=m:{\na=i:1\n}\nnonce=b:5[a\n};;]\n};;\n";
    size_t size = sizeof text - 1;
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_fox, text, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_fox, text, n), n < 7 ? CLAIM_MORE : CLAIM_YES);
    }
    ck_assert_uint_eq(probe_frame(&dissector_fox, text, size).size, size);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_fox, false, text, n);
        probe_stream(p, &dissector_fox, false, text + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
}
END_TEST

static const struct wrong {
    const char *shows, *text;
    enum violation_kind kind;
} wrongs[] = {
    {"another word",                "foy a 1 -1 fox hello\n{\n};;\n",                    VIOLATION_ENCODING},
    {"no message type",             "fox q 1 -1 fox hello\n{\n};;\n",                    VIOLATION_ENCODING},
    {"a brace that closes nothing", "fox a 1 -1 fox hello\n}\n;;\n",                     VIOLATION_ENCODING},
    {"bytes without a bracket",     "fox a 1 -1 fox hello\n{\nn=b:44\n};;\n",            VIOLATION_ENCODING},
    {"bytes that do not end",       "fox a 1 -1 fox hello\n{\nn=b:1[abc]\n};;\n",        VIOLATION_ENCODING},
    {"nested 9 times",              "fox a 1 -1 fox hello\n{\n{\n{\n{\n{\n{\n{\n{\n{\n", VIOLATION_RANGE   },
};

START_TEST(framing_breaks)
{
    struct frame f = probe_frame(&dissector_fox, wrongs[_i].text, strlen(wrongs[_i].text));
    ck_assert_msg(f.verdict == FRAME_BROKEN && f.kind == wrongs[_i].kind, "%s", wrongs[_i].shows);
}
END_TEST

START_TEST(a_header_ends)
{
    char text[300] = "fox a 1 -1 fox ";
    memset(text + 15, 'x', 240);
    ck_assert_int_eq(probe_frame(&dissector_fox, text, 255).verdict, FRAME_NEED);
    memset(text + 255, 'x', 10);
    ck_assert_int_eq(probe_frame(&dissector_fox, text, 256).verdict, FRAME_BROKEN);
}
END_TEST

START_TEST(others_are_not_recognised)
{
    static const char *const others[] = {"fox hunt", "fox a b", "foxa 1 -1", "FOX a 1",
                                         "GET / HTTP"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_int_eq(probe_recognise(&dissector_fox, others[i], strlen(others[i])), CLAIM_NO);
    static const uint8_t zeros[8];
    ck_assert_int_eq(probe_recognise(&dissector_fox, zeros, sizeof zeros), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_fox, HELLO, strlen(HELLO)), CLAIM_YES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fox");
    TCase *tc = tcase_create("fox");
    tcase_add_test(tc, a_station_tells_who_it_is);
    tcase_add_loop_test(tc, commands, 0, COUNT(rows));
    tcase_add_test(tc, who_logs_in);
    tcase_add_test(tc, sequence_numbers);
    tcase_add_test(tc, every_prefix_asks_for_more);
    tcase_add_loop_test(tc, framing_breaks, 0, COUNT(wrongs));
    tcase_add_test(tc, a_header_ends);
    tcase_add_test(tc, others_are_not_recognised);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
