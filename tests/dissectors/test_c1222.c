/* test_c1222.c: ANSI C12.22, held against ANSI C12.22-2012 5.3 and C12.19-2012 9. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_c1222;

enum { MESSAGE_MAX = 512 };

#define TITLES_ASKING    "a205 06032b0602 a605 06032b0603 a803 020107 "
#define TITLES_ANSWERING "a205 06032b0603 a605 06032b0602 a403 020107 "

/* EPSEM behind titles, each length counted. */
static size_t message_of(uint8_t *out, const char *titles, const char *epsem)
{
    uint8_t inner[MESSAGE_MAX];
    size_t size = hex_bytes(inner, sizeof inner, epsem);
    size_t at = 2 + hex_bytes(out + 2, MESSAGE_MAX - 2, titles);
    const uint8_t headers[6] = {0xbe, (uint8_t)(size + 4), 0x28, (uint8_t)(size + 2),
                                0x81, (uint8_t)size};
    memcpy(out + at, headers, sizeof headers);
    memcpy(out + at + sizeof headers, inner, size);
    out[0] = 0x60;
    out[1] = (uint8_t)(at + sizeof headers + size - 2);
    return at + sizeof headers + size;
}

static void feed(struct probe *p, bool is_request, const char *epsem)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t size = message_of(bytes, is_request ? TITLES_ASKING : TITLES_ANSWERING, epsem);
    ck_assert_int_eq(probe_recognise(&dissector_c1222, bytes, size), CLAIM_YES);
    ck_assert_int_eq(probe_stream(p, &dissector_c1222, is_request, bytes, size), FRAME_COMPLETE);
}

static const struct exchange {
    const char *shows, *request, *response, *code, *operation, *name, *asked, *answered, *status;
} exchanges[] = {
    {"ident",                           "80 01 20",                                          "80 0a 00 03 01 00 04 06 02 2b06 00", "0x20", "identify",      "ident",              "",                 "",
     "ok"                                                                                                                                                                                                                                                    },
    {"terminate",                       "80 01 21",                                          "80 01 00",                           "0x21", "session",       "terminate",          "",                 "",                 "ok"                               },
    {"disconnect",                      "80 01 22",                                          "80 01 00",                           "0x22", "session",       "disconnect",         "",                 "",                 "ok"                               },
    {"deregister",                      "80 03 24 0600",                                     "80 01 00",                           "0x24", "session",       "deregister",         "",                 "",                 "ok"                               },
    {"resolve",                         "80 03 25 0600",                                     "80 01 0c",                           "0x25", "discover",      "resolve",            "",                 "",
     "error 12 unknown_application_title"                                                                                                                                                                                                                    },
    {"trace",                           "80 03 26 0600",                                     "80 01 00",                           "0x26", "discover",      "trace",              "",                 "",                 "ok"                               },
    {"register",                        "80 03 27 0600",                                     "80 01 00",                           "0x27", "config_change", "register",           "",                 "",                 "ok"                               },
    {"full read",                       "80 03 30 0017",                                     "80 06 00 0002 1234 ba",              "0x30", "read",          "full_read",
     "table 23 0",                                                                                                                                                                                    "table 23 0=1234",  "ok"                               },
    {"partial read, index",             "80 07 31 0017 0004 0001",                           "80 05 00 0001 12 ee",                "0x31", "read",
     "partial_read_index",                                                                                                                                                        "table 23 4",       "table 23 4=12",    "ok"                               },
    {"partial read, five indices",      "80 0f 35 0017 0004 0001 0002 0003 0004 0001",       "80 01 03",
     "0x35",                                                                                                                               "read",          "partial_read_index", "table 23 4",       "table 23 4",
     "error 3 insufficient_security_clearance"                                                                                                                                                                                                               },
    {"default read",                    "80 01 3e",                                          "80 01 05",                           "0x3e", "read",          "default_read",       "",                 "",
     "error 5 inappropriate_action"                                                                                                                                                                                                                          },
    {"partial read, offset",            "80 08 3f 0017 000010 0002",                         "80 06 00 0002 1234 ba",              "0x3f", "read",
     "partial_read_offset",                                                                                                                                                       "table 23 16",      "table 23 16=1234", "ok"                               },
    {"metering is written",             "80 07 40 0017 0001 05 fb",                          "80 01 00",                           "0x40", "write",         "full_write",
     "table 23 0=05",                                                                                                                                                                                 "table 23 0",       "ok"                               },
    {"configuration is written",        "80 07 40 0006 0001 05 fb",                          "80 01 08",                           "0x40", "config_change",
     "full_write",                                                                                                                                                                "table 6 0=05",     "table 6 0",        "error 8 data_locked"              },
    {"security is written",             "80 07 40 002a 0001 05 fb",                          "80 01 00",                           "0x40", "config_change",
     "full_write",                                                                                                                                                                "table 42 0",       "table 42 0",       "ok"                               },
    {"the clock is written",            "80 07 40 0034 0001 05 fb",                          "80 01 00",                           "0x40", "time_set",
     "full_write",                                                                                                                                                                "table 52 0=05",    "table 52 0",       "ok"                               },
    {"a cold start",                    "80 09 40 0007 0003 000001 ff",                      "80 01 00",                           "0x40", "restart",       "full_write",
     "table 7 0=000001",                                                                                                                                                                              "table 7 0",        "ok"                               },
    {"another procedure",               "80 09 40 0007 0003 030001 fc",                      "80 01 00",                           "0x40", "control",
     "full_write",                                                                                                                                                                "table 7 0=030001", "table 7 0",        "ok"                               },
    {"a procedure of the manufacturer", "80 09 40 0007 0003 000801 f7",                      "80 01 00",                           "0x40",
     "control",                                                                                                                                             "full_write",         "table 7 0=000801", "table 7 0",        "ok"                               },
    {"partial write, index",            "80 09 41 0017 0004 0001 05 fb",                     "80 01 00",                           "0x41", "write",
     "partial_write_index",                                                                                                                                                       "table 23 4=05",    "table 23 4",       "ok"                               },
    {"partial write, offset",           "80 0a 4f 0017 000010 0001 05 fb",                   "80 01 00",                           "0x4f", "write",
     "partial_write_offset",                                                                                                                                                      "table 23 16=05",   "table 23 16",      "ok"                               },
    {"logon",                           "80 0f 50 0002 7461726f20202020 2020 003c",          "80 03 00 003c",                      "0x50", "auth",          "logon",
     "",                                                                                                                                                                                              "",                 "ok"                               },
    {"security",                        "80 15 51 7365637265740000000000000000000000000000", "80 01 0b",                           "0x51", "auth",
     "security",                                                                                                                                                                  "",                 "",                 "error 11 security_mechanism_error"},
    {"logoff",                          "80 01 52",                                          "80 01 00",                           "0x52", "session",       "logoff",             "",                 "",                 "ok"                               },
    {"wait",                            "80 02 70 3c",                                       "80 01 00",                           "0x70", "session",       "wait",               "",                 "",                 "ok"                               },
    {"a class goes before",             "90 01020304 01 20",                                 "80 01 01",                           "0x20", "identify",      "ident",              "",                 "",
     "error 1 error"                                                                                                                                                                                                                                         },
};

START_TEST(services)
{
    const struct exchange *x = &exchanges[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, x->request);
    feed(p, false, x->response);
    const struct probe_event *e = probe_event(p, 0), *r = probe_event(p, 1);
    ck_assert_msg(!strcmp(e->code, x->code), "%s: %s", x->shows, e->code);
    ck_assert_str_eq(r->code, "acse");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(r->direction, "response");
    ck_assert_msg(!strcmp(e->operation, x->operation), "%s: %s", x->shows, e->operation);
    ck_assert_msg(!strcmp(r->operation, x->operation), "%s: %s", x->shows, r->operation);
    ck_assert_msg(!strcmp(e->name, x->name), "%s: %s", x->shows, e->name);
    ck_assert_msg(!strcmp(e->items, x->asked), "%s: %s", x->shows, e->items);
    ck_assert_msg(!strcmp(r->items, x->answered), "%s: %s", x->shows, r->items);
    ck_assert_msg(!strncmp(r->status, x->status, strlen(x->status)), "%s: %s", x->shows, r->status);
    ck_assert_str_eq(e->unit, "1.3.6.2");
    ck_assert_str_eq(r->unit, "1.3.6.2");
    ck_assert_uint_eq(r->flags, 0);
    ck_assert_msg(p->violation_count == 0, "%s: %s", x->shows,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    probe_destroy(p);
}
END_TEST

START_TEST(passwords_and_users)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "80 15 51 7365637265740000000000000000000000000000");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(probe_event(p, 0)->secret_size, 20);
    feed(p, true, "80 0f 50 0002 7461726f20202020 2020 003c");
    ck_assert_str_eq(probe_event(p, 1)->facts, "user_name=taro");
    ck_assert_str_eq(probe_event(p, 1)->detail, "user 2");
    probe_destroy(p);
}
END_TEST

static const struct secret_row {
    const char *table;
    size_t size;
} secret_rows[] = {
    {"002a", 3},
    {"002d", 3},
    {"002e", 3},
    {"0029", 0},
    {"002b", 0},
    {"002c", 0},
    {"002f", 0},
};

START_TEST(tables_of_passwords_and_keys_are_not_shown)
{
    const struct secret_row *row = &secret_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    char read[64], write[64];
    snprintf(read, sizeof read, "80 03 30 %s", row->table);
    snprintf(write, sizeof write, "80 09 40 %s 0003 616263 da", row->table);
    feed(p, true, read);
    feed(p, false, "80 07 00 0003 616263 da");
    feed(p, true, write);
    for (size_t i = 1; i < 3; i++) {
        const struct probe_event *e = probe_event(p, i);
        ck_assert_msg(!(e->flags & OT_HAS_CREDENTIAL) == !row->size, "table %s", row->table);
        ck_assert_uint_eq(e->secret_size, row->size);
        ck_assert_msg(!strstr(e->items, "616263") == (row->size > 0), "table %s: %s", row->table,
                      e->items);
    }
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "80 03 30 0001");
    feed(p, false,
         "80 24 00 0020 41434d45 4d45544552202020 01020304 31323334353637382020202020202020 00");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "vendor=ACME; product=METER; hardware_version=1.2; firmware_version=3.4; "
                     "serial_number=12345678");
    feed(p, true, "80 01 20");
    feed(p, false, "80 0b 00 03 01 00 04 06 03 2b0602 00 00");
    ck_assert_str_eq(probe_event(p, 3)->detail, "ANSI C12.22, 1.0");
    probe_destroy(p);
}
END_TEST

START_TEST(several_services_in_a_message)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "80 01 20 03 30 0017");
    feed(p, false, "80 01 00 06 00 0002 1234 ba");
    ck_assert_uint_eq(p->event_count, 4);
    ck_assert_str_eq(probe_event(p, 2)->name, "ident");
    ck_assert_str_eq(probe_event(p, 3)->items, "table 23 0=1234");
    probe_destroy(p);
}
END_TEST

START_TEST(encrypted_is_not_malformed)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "88 a0b1c2d3e4f5");
    ck_assert_str_eq(probe_event(p, 0)->code, "acse");
    ck_assert_str_eq(probe_event(p, 0)->direction, "oneway");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_ENCRYPTED);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
} wrongs[] = {
    {"shorter than it says",           "6010 a20506032b0602",                           VIOLATION_LENGTH   },
    {"an element beyond the end",      "6007 a20606032b0602",                           VIOLATION_LENGTH   },
    {"user information without EPSEM", "600b a20506032b0602 be02 0500",                 VIOLATION_ENCODING },
    {"a service that is not",          "6010 a20506032b0602 be07 2805 8103 8001 23",    VIOLATION_FUNCTION },
    {"a result that is not",           "6010 a20506032b0602 be07 2805 8103 8001 1f",    VIOLATION_FUNCTION },
    {"a service beyond the message",   "6010 a20506032b0602 be07 2805 8103 8005 20",
     VIOLATION_TRUNCATED                                                                                   },
    {"a read without table",           "6010 a20506032b0602 be07 2805 8103 8001 30",    VIOLATION_TRUNCATED},
    {"a password cut",                 "6011 a20506032b0602 be08 2806 8104 8002 51 61", VIOLATION_TRUNCATED},
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_c1222, true, wrongs[_i].hex);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: %s", wrongs[_i].shows,
                  p->violation_count ? probe_violation(p, 0)->why : "nothing");
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t size = message_of(bytes, TITLES_ASKING, "80 03 30 0017");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_c1222, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_msg(probe_recognise(&dissector_c1222, bytes, n) != CLAIM_NO, "prefix of %zu", n);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_c1222, true, bytes, n);
        probe_stream(p, &dissector_c1222, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "split at %zu", n);
        probe_destroy(p);
    }
    static const char *const broken[] = {"3003 020100", "6080 0000", "6084 00000010 a2", "6000",
                                         "6083 008000 a2"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        size = hex_bytes(bytes, sizeof bytes, broken[i]);
        ck_assert_msg(probe_frame(&dissector_c1222, bytes, size).verdict == FRAME_BROKEN, "%s",
                      broken[i]);
        ck_assert_msg(probe_recognise(&dissector_c1222, bytes, size) != CLAIM_YES, "%s", broken[i]);
    }
}
END_TEST

START_TEST(what_is_not_ours)
{
    static const char *const others[] = {"0000 0000", "3082 0102 02", "600b 06092a864886f712010202",
                                         "6003 020100"};
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t size = hex_bytes(bytes, sizeof bytes, others[i]);
        ck_assert_msg(probe_recognise(&dissector_c1222, bytes, size) == CLAIM_NO, "%s", others[i]);
    }
}
END_TEST

START_TEST(picked_up_in_the_middle)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    uint8_t bytes[MESSAGE_MAX];
    size_t size = message_of(bytes, TITLES_ANSWERING, "80 01 00");
    probe_stream(p, &dissector_c1222, true, bytes, size);
    ck_assert(!probe_event(p, 0)->is_from_client);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("c1222");
    TCase *tc = tcase_create("c1222");
    tcase_add_loop_test(tc, services, 0, sizeof exchanges / sizeof *exchanges);
    tcase_add_test(tc, passwords_and_users);
    tcase_add_loop_test(tc, tables_of_passwords_and_keys_are_not_shown, 0,
                        sizeof secret_rows / sizeof *secret_rows);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, several_services_in_a_message);
    tcase_add_test(tc, encrypted_is_not_malformed);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, what_is_not_ours);
    tcase_add_test(tc, picked_up_in_the_middle);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
