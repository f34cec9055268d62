/* test_dtls.c: TLS in datagrams, held against RFC 6347. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_dtls;

/* [6347] 4.1, 4.2.2, 4.2.1: records and hellos; a hello's body is of no interest here */
#define HELLO  "16 feff 0000 000000000000 0010 01 000004 0000 000000 000004 fefd0000"
#define VERIFY "16 feff 0000 000000000000 000f 03 000003 0000 000000 000003 feff00"
#define ANSWER "16 fefd 0000 000000000001 0010 02 000004 0001 000000 000004 fefd0000"
#define LATER  "16 fefd 0000 000000000001 0010 02 000008 0001 000004 000004 fefd0000"
#define CIPHER "14 fefd 0000 000000000002 0001 01"
#define DATA   "17 fefd 0001 000000000001 0018 000102030405060708090a0b0c0d0e0f1011121314151617"

static const struct row {
    const char *shows, *hex;
    bool is_from_client;
    const char *code, *name, *operation, *detail; /* code "": no event */
    const char *why;
} rows[] = {
    {"a client begins",              HELLO,                                 true,  "type=22,handshake=1", "client_hello",         "session", "DTLS 1.0",
     ""                                                                                                                                                    },
    {"a cookie is asked for",        VERIFY,                                false, "type=22,handshake=3", "hello_verify_request",
     "session",                                                                                                                              "DTLS 1.0", ""},
    {"a server answers",             ANSWER,                                false, "type=22,handshake=2", "server_hello",         "session",
     "DTLS 1.2",                                                                                                                                         ""},
    {"a later fragment of it",       LATER,                                 false, "",                    "",                     "",        "",         ""},
    {"the cipher changes",           CIPHER,                                true,  "",                    "",                     "",        "",         ""},
    {"what is encrypted",            DATA,                                  true,  "type=23",             "application_data",     "session",
     "enip (CIP Security) by its port",                                                                                                                  ""},
    {"two records in a datagram",    CIPHER DATA,                           true,  "type=23",             "application_data",     "session",
     "enip (CIP Security) by its port",                                                                                                                  ""},
    {"a fatal alert",                "15 fefd 0000 000000000000 0002 0228", false, "type=21,desc=40",     "alert",
     "error",                                                                                                                                "",         ""},
    {"a warning",                    "15 fefd 0000 000000000000 0002 0100", false, "type=21,desc=0",      "alert",
     "session",                                                                                                                              "",         ""},
    {"a record beyond its datagram", "17 fefd 0001 000000000001 0019 00",   true,  "",                    "",                     "",        "",
     "not a DTLS record, or one longer than its datagram"                                                                                                  },
    {"a version that is none",       "17 0303 0001 000000000001 0001 00",   true,  "",                    "",                     "",        "",
     "not a DTLS record, or one longer than its datagram"                                                                                                  },
};

START_TEST(records)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.server.port = 2221;
    probe_hex(p, &dissector_dtls, row->is_from_client, row->hex);
    ck_assert_msg(p->event_count == (row->code[0] ? 1 : 0), "%s: %zu events", row->shows,
                  p->event_count);
    if (row->code[0]) {
        const struct probe_event *e = probe_event(p, 0);
        ck_assert_msg(!strcmp(e->code, row->code), "%s: %s", row->shows, e->code);
        ck_assert_str_eq(e->name, row->name);
        ck_assert_str_eq(e->operation, row->operation);
        ck_assert_str_eq(e->detail, row->detail);
        ck_assert_uint_eq(e->flags, strcmp(row->code, "type=23") ? 0 : OT_ENCRYPTED);
    }
    ck_assert_str_eq(p->violation_count ? probe_violation(p, 0)->why : "", row->why);
    probe_destroy(p);
}
END_TEST

START_TEST(encryption_is_told_once)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_dtls, true, DATA);
    probe_hex(p, &dissector_dtls, false, DATA DATA);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_str_eq(probe_event(p, 0)->detail, ""); /* on a port that tells nothing */
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"a hello",                   HELLO,                                                            CLAIM_YES },
    {"a cookie",                  VERIFY,                                                           CLAIM_YES },
    {"data, picked up",           DATA,                                                             CLAIM_WEAK},
    {"a hello that is encrypted",
     "16 fefd 0001 000000000001 0010 01 000004 0000 000000 000004 fefd0000",                        CLAIM_WEAK},
    {"another message",           "16 fefd 0000 000000000000 000d 0b 000001 0000 000000 000001 00",
     CLAIM_WEAK                                                                                               },
    {"cut off",                   "16 feff 0000 000000000000 0010 01",                              CLAIM_NO  },
    {"TLS of a stream",           "16 0303 0004 01 000000 0000 0000 0000",                          CLAIM_NO  },
    {"another type",              "18 fefd 0000 000000000000 0001 00",                              CLAIM_NO  },
    {"no content",                "17 fefd 0001 000000000000 0000",                                 CLAIM_NO  },
    {"zeros",                     "00 0000 0000 000000000000 0000",                                 CLAIM_NO  },
    {"nothing",                   "",                                                               CLAIM_NO  },
};

START_TEST(recognised)
{
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, claim_rows[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_dtls, bytes, size) == claim_rows[_i].claim, "%s",
                  claim_rows[_i].shows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dtls");
    TCase *tc = tcase_create("dtls");
    tcase_add_loop_test(tc, records, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, encryption_is_told_once);
    tcase_add_loop_test(tc, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
