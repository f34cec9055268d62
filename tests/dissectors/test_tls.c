/* test_tls.c: the clear part of TLS, held against RFC 8446, RFC 5246, RFC 6066 and RFC 5280. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_tls;

#define RANDOM "00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f"
#define CLIENT "0303" RANDOM "00 0002 1301 01 00" /* 41 bytes, [5246] 7.4.1.2 */
#define NAME   "0000 0010 000e 00 000b 706c632e6578616d706c65"
#define HELLO  "16 0301 004a 01 000046" CLIENT "001b" NAME "002b 0003 02 0304"

enum { BYTES_MAX = 512 };

static const struct hello_row {
    const char *shows, *hex, *name, *detail, *facts;
} hello_rows[] = {
    {"a name and TLS 1.3 offered",       HELLO,                                                                 "client_hello", "TLS 1.3, name plc.example",
     "~host_name=plc.example"                                                                                                                                                     },
    {"no extensions",                    "16 0301 002d 01 000029" CLIENT,                                       "client_hello", "TLS 1.2",                                      ""},
    {"an offered version that is none",
     "16 0301 0038 01 000034" CLIENT "0009 002b 0005 04 7a7a 0303",                                             "client_hello", "TLS 1.2",                                      ""},
    {"a name of no bytes",               "16 0301 0038 01 000034" CLIENT "0009 0000 0005 0003 00 0000",
     "client_hello",                                                                                                            "TLS 1.2",                                      ""},
    {"a name longer than its extension",
     "16 0301 0038 01 000034" CLIENT "0009 0000 0005 0003 00 0009",                                             "client_hello", "TLS 1.2",                                      ""},
    {"an answer of TLS 1.2",             "16 0303 002a 02 000026 0303" RANDOM "00 c02f 00",                     "server_hello",
     "TLS 1.2, cipher suite 0xc02f",                                                                                                                                            ""},
    {"an answer of TLS 1.3",             "16 0303 0032 02 00002e 0303" RANDOM "00 1301 00 0006 002b 0002 0304",
     "server_hello",                                                                                                            "TLS 1.3, cipher suite 0x1301",                 ""},
    {"a certificate",
     "16 0303 0058 0b 000054 000051 00004e 304c 304a a003020102 020101 3000"
     "300e310c300a06035504030c03636131 301e 170d3230303130313030303030305a"
     "170d3330303130313030303030305a 300e310c300a06035504030c03706c63",                                         "certificate",  "subject plc, issuer ca1, until 300101000000Z",
     "host_name=plc; certificate=subject plc, issuer ca1, until 300101000000Z"                                                                                                    },
};

START_TEST(first_messages_are_told)
{
    const struct hello_row *row = &hello_rows[_i];
    uint8_t bytes[BYTES_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_stream(p, &dissector_tls, !strcmp(row->name, "client_hello"), bytes, size);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s: %zu events", row->shows,
                  p->event_count);
    ck_assert_str_eq(probe_event(p, 0)->name, row->name);
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 0)->detail, row->detail);
    ck_assert_str_eq(probe_event(p, 0)->facts, row->facts);
    probe_destroy(p);
    for (size_t i = 0; i < size; i++)
        ck_assert_msg(probe_frame(&dissector_tls, bytes, i).verdict == FRAME_NEED, "%s: %zu bytes",
                      row->shows, i);
    ck_assert_uint_eq(probe_frame(&dissector_tls, bytes, size).size, size);
}
END_TEST

static const struct ja3_row {
    const char *shows, *hex, *items;
} ja3_rows[] = {
    {"names and versions offered",                HELLO,                                                                 "56c6570d0a7ba0fe6e87bebfd10931de"},
    {"no extensions",                             "16 0301 002d 01 000029" CLIENT,                                       "ea1e247991e541e39bf918cb7cfa5139"},
    {"groups and point formats, GREASE left out",
     "16 0301 0053 01 00004f 0303" RANDOM
     "00 0004 2a2a c02f 01 00 0022 3a3a 0000 000a 0008 0006 1a1a 001d 0017 000b 0002 01 00 0017 "
     "0000 0023 0000 4a4a 0000",                                                                                         "2c3a546827483b396e675c677b5548ec"},
    {"an answer of TLS 1.3",                      "16 0303 0032 02 00002e 0303" RANDOM "00 1301 00 0006 002b 0002 0304",
     "cce84e7a8b742462e40afb585a3e3ccc"                                                                                                                    },
    {"an answer without extensions",              "16 0303 002a 02 000026 0303" RANDOM "00 c02f 00",
     "174e7e4992a63f6d419626d97363adb8"                                                                                                                    },
    {"an extension longer than the list",         "16 0301 0033 01 00002f" CLIENT "0004 0000 0100",                      ""                                },
};

/* The digests are MD5 of "771,4865,0-43,," and so on, by another program. */
START_TEST(fingerprints)
{
    const struct ja3_row *row = &ja3_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_tls, true, row->hex);
    ck_assert_msg(strcmp(probe_event(p, 0)->items, row->items) == 0, "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
} bad_rows[] = {
    {"session longer than the hello",     "16 0301 002d 01 000029 0303" RANDOM "ff 0002 1301 01 00"},
    {"ciphers longer than the hello",     "16 0301 002d 01 000029 0303" RANDOM "00 ffff 1301 01 00"},
    {"a hello of nothing",                "16 0301 0004 01 000000"                                 },
    {"extensions longer than the hello",  "16 0301 002f 01 00002b" CLIENT "00ff"                   },
    {"an extension longer than the list", "16 0301 0033 01 00002f" CLIENT "0004 0000 0100"         },
    {"an extension cut in its head",      "16 0301 0032 01 00002e" CLIENT "0003 0000 01"           },
};

START_TEST(wrong_lengths_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_tls, true, row->hex);
    ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
    enum frame_verdict verdict;
} claim_rows[] = {
    {"a hello",                          HELLO,                         CLAIM_YES,  FRAME_COMPLETE},
    {"its first 10 bytes",               "16 0301 004a 01 000046 03",   CLAIM_MORE, FRAME_NEED    },
    {"nothing",                          "",                            CLAIM_MORE, FRAME_NEED    },
    {"application data",                 "17 0303 0020",                CLAIM_WEAK, FRAME_COMPLETE},
    {"application data without a tag",   "17 0303 0010",                CLAIM_NO,   FRAME_COMPLETE},
    {"no length",                        "16 0303 0000 01 000026 0303", CLAIM_NO,   FRAME_BROKEN  },
    {"the greatest length",              "16 0303 4800 01 000046 0303", CLAIM_YES,  FRAME_NEED    },
    {"one more",                         "16 0303 4801 01 000046 0303", CLAIM_NO,   FRAME_BROKEN  },
    {"another version",                  "16 0400 004a 01 000046 0303", CLAIM_NO,   FRAME_BROKEN  },
    {"another type",                     "18 0303 004a 01 000046 0303", CLAIM_NO,   FRAME_BROKEN  },
    {"a hello too short for its random", "16 0303 0029 01 000025 0303", CLAIM_NO,   FRAME_NEED    },
    {"an alert",                         "15 0303 0002 02 28",          CLAIM_NO,   FRAME_COMPLETE},
};

START_TEST(recognised_and_framed)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[BYTES_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_tls, bytes, size) == row->claim, "%s", row->shows);
    ck_assert_msg(probe_frame(&dissector_tls, bytes, size).verdict == row->verdict, "%s",
                  row->shows);
}
END_TEST

START_TEST(alerts_by_their_level)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_tls, false, "15 0303 0002 01 00");
    probe_hex(p, &dissector_tls, false, "15 0303 0002 02 28"); /* [5246] 7.2: handshake_failure */
    probe_hex(p, &dissector_tls, false, "14 0303 0001 01");
    probe_hex(p, &dissector_tls, false, "15 0303 0002 02 28"); /* now encrypted */
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 0)->status, "");
    ck_assert_str_eq(probe_event(p, 1)->code, "type=21,desc=40");
    ck_assert_str_eq(probe_event(p, 1)->operation, "error");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 40");
    probe_destroy(p);
}
END_TEST

START_TEST(encryption_is_told_once)
{
    static const uint8_t records[] = "\x17\x03\x03\x00\x03"
                                     "abc\x17\x03\x03\x00\x02"
                                     "de";
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.server.port = _i ? 8883 : 443;
    probe_stream(p, &dissector_tls, true, records, sizeof records - 1);
    ck_assert_uint_eq(p->pdu_count, 2);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_ENCRYPTED);
    ck_assert_str_eq(probe_event(p, 0)->detail, _i ? "mqtt by its port" : "");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tc = tcase_create("tls");
    tcase_add_loop_test(tc, first_messages_are_told, 0, sizeof hello_rows / sizeof *hello_rows);
    tcase_add_loop_test(tc, fingerprints, 0, sizeof ja3_rows / sizeof *ja3_rows);
    tcase_add_loop_test(tc, wrong_lengths_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_loop_test(tc, recognised_and_framed, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(tc, alerts_by_their_level);
    tcase_add_loop_test(tc, encryption_is_told_once, 0, 2);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
