/* test_rdp.c: how remote desktop connects, held against MS-RDPBCGR 2.2.1.1 and 2.2.1.2. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_rdp;

#define COOKIE      "436f6f6b69653a206d737473686173683d6f700d0a" /* "Cookie: mstshash=op\r\n" */
#define TOKEN       "436f6f6b69653a206d7374733d31320d0a"         /* "Cookie: msts=12\r\n" */
#define ASK         "0300 0013 0e e0 0000 0000 00 01 00 0800 03000000"
#define CORRELATION "06 00 2400 0102030405060708090a0b0c0d0e0f10 00000000000000000000000000000000"

enum { BYTES_MAX = 1024 };

static const struct row {
    const char *shows;
    bool is_from_client;
    const char *hex, *code, *detail, *facts, *status;
} rows[] = {
    {"a cookie and what is offered", true,
     "0300 0028 23 e0 0000 0000 00" COOKIE "01 00 0800 03000000",                                           "0xe0", "CredSSP", "user_name=op",
     ""                                                                                                                                          },
    {"a cookie alone",               true,  "0300 0020 1b e0 0000 0000 00" COOKIE,                          "0xe0", "",        "user_name=op", ""},
    {"a routing token",              true,  "0300 0024 1f e0 0000 0000 00" TOKEN "01 00 0800 01000000",     "0xe0",
     "TLS",                                                                                                                    "",             ""},
    {"no cookie",                    true,  ASK,                                                            "0xe0", "CredSSP", "",             ""},
    {"with a correlation",           true,  "0300 0037 32 e0 0000 0000 00 01 08 0800 0b000000" CORRELATION,
     "0xe0",                                                                                                        "CredSSP", "",             ""},
    {"standard security",            true,  "0300 0013 0e e0 0000 0000 00 01 00 0800 00000000",             "0xe0",
     "standard RDP security",                                                                                                  "",             ""},
    {"granted",                      false, "0300 0013 0e d0 0000 1234 00 02 00 0800 02000000",             "0xd0", "CredSSP", "",
     "ok"                                                                                                                                        },
    {"refused",                      false, "0300 0013 0e d0 0000 1234 00 03 00 0800 05000000",             "0xd0", "",        "",
     "error 5 negotiation_failed"                                                                                                                },
};

START_TEST(connecting_is_told)
{
    const struct row *row = &rows[_i];
    uint8_t bytes[BYTES_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_rdp, bytes, size) == CLAIM_YES, "%s", row->shows);
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < size; i++)
        probe_stream(p, &dissector_rdp, row->is_from_client, bytes + i, 1);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s: %zu events", row->shows,
                  p->event_count);
    ck_assert_str_eq(probe_event(p, 0)->code, row->code);
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_msg(!strcmp(probe_event(p, 0)->detail, row->detail), "%s: %s", row->shows,
                  probe_event(p, 0)->detail);
    ck_assert_str_eq(probe_event(p, 0)->facts, row->facts);
    ck_assert_str_eq(probe_event(p, 0)->status, row->status);
    probe_destroy(p);
    for (size_t i = 0; i < size; i++)
        ck_assert_msg(probe_frame(&dissector_rdp, bytes, i).verdict == FRAME_NEED, "%s: %zu bytes",
                      row->shows, i);
    ck_assert_uint_eq(probe_frame(&dissector_rdp, bytes, size).size, size);
}
END_TEST

START_TEST(what_follows_is_told_once)
{
    static const struct {
        const char *hex;
        uint32_t flags;
    } follows[] = {
        {"16 0301 0004 01 000000",         OT_ENCRYPTED}, /* TLS */
        {"0300 000c 02 f0 80 7f65 000000", 0           }, /* MCS, 2.2.1.3 */
    };
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_rdp, true, ASK);
    probe_hex(p, &dissector_rdp, false, "0300 0013 0e d0 0000 1234 00 02 00 0800 02000000");
    for (int i = 0; i < 2; i++)
        probe_hex(p, &dissector_rdp, i == 0, follows[_i].hex);
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 2)->code, "data");
    ck_assert_uint_eq(probe_event(p, 2)->flags, follows[_i].flags);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"nothing",                            "",                                                             CLAIM_MORE},
    {"one byte",                           "03",                                                           CLAIM_MORE},
    {"cut",                                "0300 0013 0e e0 0000 0000 00 01 00",                           CLAIM_MORE},
    {"another version",                    "0400 0013 0e e0 0000 0000 00 01 00 0800 03000000",             CLAIM_NO  },
    {"no length",                          "0300 0000 0e e0 0000 0000 00 01 00 0800 03000000",             CLAIM_NO  },
    {"too long",                           "0300 0201 0e e0 0000 0000 00 01 00 0800 03000000",             CLAIM_NO  },
    {"a length indicator of another size", "0300 0013 0d e0 0000 0000 00 01 00 0800 03000000",
     CLAIM_NO                                                                                                        },
    {"a negotiation of another size",      "0300 0013 0e e0 0000 0000 00 01 00 0900 03000000",             CLAIM_NO  },
    {"a negotiation of no size",           "0300 0013 0e e0 0000 0000 00 01 00 0000 03000000",             CLAIM_NO  },
    {"a grant by the client",              "0300 0013 0e e0 0000 0000 00 02 00 0800 03000000",             CLAIM_NO  },
    {"a request by the server",            "0300 0013 0e d0 0000 0000 00 01 00 0800 03000000",             CLAIM_NO  },
    {"a cut correlation",                  "0300 0017 12 e0 0000 0000 00 01 08 0800 03000000 06002400",    CLAIM_NO  },
    {"a correlation by the server",        "0300 0037 32 d0 0000 0000 00 02 00 0800 0b000000" CORRELATION,
     CLAIM_NO                                                                                                        },
    {"TSAPs of another protocol",          "0300 0016 11 e0 0000 0001 00 c0010a c1020100 c2020102",
     CLAIM_NO                                                                                                        },
    {"data of another protocol",           "0300 0007 02 f0 80",                                           CLAIM_NO  },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[BYTES_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_rdp, bytes, size) == row->claim, "%s", row->shows);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_rdp, true, bytes, size);
    ck_assert_msg(p->event_count == 0, "%s", row->shows);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rdp");
    TCase *tc = tcase_create("rdp");
    tcase_add_loop_test(tc, connecting_is_told, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, what_follows_is_told_once, 0, 2);
    tcase_add_loop_test(tc, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
