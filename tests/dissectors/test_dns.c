/* test_dns.c: names of DNS, mDNS, LLMNR and NetBIOS, held against RFC 1035, 6762, 6763, 4795, 1002.
 */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_dns;

#define PLC  "03706c63 05706c616e74 00" /* plc.plant */
#define PLCL "03706c63 056c6f63616c 00" /* plc.local */
#define IN_A "0001 0001"
#define ASK  "1234 0100 0001 0000 0000 0000" PLC IN_A
/* "PLC", 12 blanks and the kind 0x20: [1001] 14.1 */
#define NB_NAME                                                                                    \
    "20"                                                                                           \
    "4641454d454443414341434143414341"                                                             \
    "43414341434143414341434143414341"                                                             \
    "00"

enum { BYTES_MAX = 512 };

static void use_port(struct probe *p, uint16_t port)
{
    p->flow.server.port = port;
}

static const struct row {
    const char *shows;
    uint16_t port;
    bool is_from_client;
    const char *hex;
    const char *protocol, *direction, *operation, *name, *detail, *items, *status, *facts;
} rows[] = {
    {"a question",                                      53,   true,  ASK,                                                 "dns",  "request",  "session",  "query",        "plc.plant",        "",                                      "",        ""             },
    {"its answer, the name by a pointer",               53,   false,
     "1234 8180 0001 0001 0000 0000" PLC IN_A "c00c" IN_A "0000003c 0004 0a000005",                                       "dns",
     "response",                                                                                                                              "session",  "answer",       "plc.plant",        "plc.plant=10.0.0.5",                    "ok",      ""             },
    {"there is no such name",                           53,   false, "1234 8183 0001 0000 0000 0000" PLC IN_A,            "dns",
     "response",                                                                                                                              "session",  "answer",       "plc.plant",        "",                                      "ok",      ""             },
    {"the server refuses",                              53,   false, "1234 8185 0001 0000 0000 0000" PLC IN_A,            "dns",  "response",
     "session",                                                                                                                                           "answer",       "plc.plant",        "",                                      "error 5", ""             },
    {"an alias and its address",                        53,   false,
     "1234 8180 0001 0002 0000 0000" PLC IN_A "c00c 0005 0001 0000003c 0005 0263 31 c010"
     "c027 0001 0001 0000003c 0004 0a000006",                                                                             "dns",  "response", "session",  "answer",       "plc.plant",        "plc.plant=c1.plant; c1.plant=10.0.0.6",
     "ok",                                                                                                                                                                                                                                        ""             },
    {"a whole zone is asked for",                       53,   true,  "1234 0000 0001 0000 0000 0000" PLC "00fc 0001",     "dns",
     "request",                                                                                                                               "browse",   "query",        "plc.plant",        "",                                      "",        ""             },
    {"who offers a service, mDNS",                      5353, true,
     "0000 0000 0001 0000 0000 0000 055f68747470 045f746370 056c6f63616c 00 000c 8001",                                   "mdns",
     "request",                                                                                                                               "session",  "query",        "_http._tcp.local", "",                                      "",        ""             },
    {"a host tells its address, mDNS",                  5353, false,
     "0000 8400 0000 0001 0000 0000" PLCL "0001 8001 00000078 0004 0a000002",                                             "mdns", "response",
     "session",                                                                                                                                           "answer",       "plc.local",        "plc.local=10.0.0.2",                    "ok",      "host_name=plc"},
    {"the address of another is no name of the sender", 5353, false,
     "0000 8400 0000 0001 0000 0000" PLCL "0001 8001 00000078 0004 0a000009",                                             "mdns", "response",
     "session",                                                                                                                                           "answer",       "plc.local",        "plc.local=10.0.0.9",                    "ok",      ""             },
    {"a device describes itself, mDNS",                 5353, false,
     "0000 8400 0000 0001 0000 0000" PLCL "0010 8001 00000078 0015"
     "08 6d6f64656c3d4d35 0b 66773d312e322e332d6232",                                                                     "mdns", "response", "session",  "answer",       "plc.local",        "plc.local=model=M5",                    "ok",
     "product=M5; firmware_version=1.2.3-b2"                                                                                                                                                                                                                     },
    {"an answer of LLMNR",                              5355, false,
     "0102 8000 0001 0001 0000 0000 03706c63 00" IN_A "03706c63 00" IN_A "0000001e 0004 0a000002",
     "llmnr",                                                                                                                     "response", "session",  "answer",       "plc",              "plc=10.0.0.2",                          "ok",      "host_name=plc"},
    {"a NetBIOS name is asked for",                     137,  true,  "0002 0110 0001 0000 0000 0000" NB_NAME "0020 0001",
     "nbns",                                                                                                                      "request",  "session",  "query",        "PLC",              "",                                      "",        ""             },
    {"its owner answers",                               137,  false,
     "0002 8500 0000 0001 0000 0000" NB_NAME "0020 0001 00000e10 0006 0000 0a000002",                                     "nbns",
     "response",                                                                                                                              "session",  "answer",       "PLC",              "PLC=10.0.0.2",                          "ok",      "host_name=PLC"},
    {"a group is no host",                              137,  false,
     "0002 8500 0000 0001 0000 0000" NB_NAME "0020 0001 00000e10 0006 8000 0a000002",                                     "nbns",
     "response",                                                                                                                              "session",  "answer",       "PLC",              "PLC=10.0.0.2",                          "ok",      ""             },
    {"a host registers its name",                       137,  true,
     "0003 2910 0001 0000 0000 0001" NB_NAME "0020 0001 c00c 0020 0001 00000e10 0006 0000 0a000001",
     "nbns",                                                                                                                      "request",  "session",  "registration", "PLC",              "PLC=10.0.0.1",                          "",        "host_name=PLC"},
    {"all names of a host are asked for",               137,  true,
     "0004 0000 0001 0000 0000 0000" NB_NAME "0021 0001",                                                                 "nbns", "request",  "identify", "query",
     "PLC",                                                                                                                                                                                   "",                                      "",        ""             },
    {"and told, with the MAC",                          137,  false,
     "0004 8400 0000 0001 0000 0000" NB_NAME "0021 0001 00000000 002b 02"
     "504c4331202020202020202020 2020 00 0400"
     "504c414e54202020202020202020 20 00 8400 00000a0b0c0d",                                                              "nbns", "response", "identify", "answer",       "PLC",              "PLC1; PLANT",                           "ok",
     "host_name=PLC1; mac=00:00:0a:0b:0c:0d"                                                                                                                                                                                                                     },
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    use_port(p, row->port);
    probe_hex(p, &dissector_dns, row->is_from_client, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s: %zu events, %zu violations",
                  row->shows, p->event_count, p->violation_count);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, row->protocol);
    ck_assert_str_eq(e->direction, row->direction);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->detail, row->detail);
    ck_assert_str_eq(e->items, row->items);
    if (row->status[0] == 'o')
        ck_assert_int_eq(strncmp(e->status, "ok", 2), 0);
    else
        ck_assert_str_eq(e->status, row->status);
    ck_assert_str_eq(e->facts, row->facts);
    probe_destroy(p);
}
END_TEST

/* Whatever a message is cut to, nothing but a violation or an event with less comes of it. */
START_TEST(prefixes)
{
    const struct row *row = &rows[_i];
    uint8_t bytes[BYTES_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_dns, bytes, size) == CLAIM_WEAK, "%s", row->shows);
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        use_port(p, row->port);
        if (i < 12)
            ck_assert_int_eq(probe_recognise(&dissector_dns, bytes, i), CLAIM_NO);
        probe_feed(p, &dissector_dns, row->is_from_client, bytes, i);
        ck_assert_uint_le(p->event_count, 1);
        ck_assert_msg(i == 12 || p->violation_count > 0 || p->event_count == 0 ||
                          row->is_from_client,
                      "%s: %zu bytes", row->shows, i);
        probe_destroy(p);
    }
}
END_TEST

#define HEAD "1234 0100 0001 0000 0000 0000"
#define L63  "3f" SIXTY "616161"
#define SIXTY                                                                                      \
    "616161616161616161616161616161616161616161616161616161616161"                                 \
    "616161616161616161616161616161616161616161616161616161616161"

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"a question",                   ASK,                                            CLAIM_WEAK},
    {"no records at all",            "1234 0100 0000 0000 0000 0000" PLC IN_A,       CLAIM_NO  },
    {"a reserved flag",              "1234 0140 0001 0000 0000 0000" PLC IN_A,       CLAIM_NO  },
    {"an opcode that is none",       "1234 5000 0001 0000 0000 0000" PLC IN_A,       CLAIM_NO  },
    {"64 questions",                 "1234 0100 0040 0000 0000 0000" PLC IN_A,       CLAIM_WEAK},
    {"one more",                     "1234 0100 0041 0000 0000 0000" PLC IN_A,       CLAIM_NO  },
    {"no type",                      HEAD PLC "0000 0001",                           CLAIM_NO  },
    {"no class",                     HEAD PLC "0001 0000",                           CLAIM_NO  },
    {"a name that points to itself", HEAD "c00c" IN_A,                               CLAIM_NO  },
    {"a pointer outside",            HEAD "c0ff" IN_A,                               CLAIM_NO  },
    {"half a pointer",               HEAD "c0",                                      CLAIM_NO  },
    {"a label of 63 bytes",          HEAD L63 "00" IN_A,                             CLAIM_WEAK},
    {"a label of 64 bytes",
     HEAD "40" SIXTY "61616161"
          "00" IN_A,
     CLAIM_NO                                                                                  },
    {"a name of 255 bytes",
     HEAD L63 L63 L63 "3d" SIXTY "61"
                      "00" IN_A,
     CLAIM_WEAK                                                                                },
    {"one more",                     HEAD L63 L63 L63 L63 "00" IN_A,                 CLAIM_NO  },
    {"only zeros",                   "0000 0000 0000 0000 0000 0000 0000 0000 0000", CLAIM_NO  },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[BYTES_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_dns, bytes, size) == row->claim, "%s", row->shows);
}
END_TEST

static const struct bad_row {
    const char *shows;
    uint16_t port;
    const char *hex;
    enum violation_kind kind;
} bad_rows[] = {
    {"a name that points to itself",     53,   "1234 8180 0001 0000 0000 0000 c00c" IN_A,
     VIOLATION_ENCODING                                                                                   },
    {"fewer records than announced",     53,   "1234 8180 0001 0001 0000 0000" PLC IN_A,
     VIOLATION_LENGTH                                                                                     },
    {"an address of 5 bytes",            53,
     "1234 8180 0001 0001 0000 0000" PLC IN_A "c00c" IN_A "0000003c 0005 0a00000500",
     VIOLATION_LENGTH                                                                                     },
    {"a record longer than the message", 53,
     "1234 8180 0001 0001 0000 0000" PLC IN_A "c00c" IN_A "0000003c 0005 0a000005",
     VIOLATION_LENGTH                                                                                     },
    {"an alias without a name",          53,
     "1234 8180 0001 0001 0000 0000" PLC IN_A "c00c 0005 0001 0000003c 0001 05",
     VIOLATION_ENCODING                                                                                   },
    {"a text longer than its record",    5353,
     "0000 8400 0000 0001 0000 0000" PLCL "0010 8001 00000078 0003 08 6d6f",              VIOLATION_LENGTH},
    {"more NetBIOS names than bytes",    137,
     "0004 8400 0000 0001 0000 0000" NB_NAME "0021 0001 00000000 0003 02 504c",           VIOLATION_LENGTH},
};

START_TEST(malformed)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    use_port(p, row->port);
    probe_hex(p, &dissector_dns, false, row->hex);
    ck_assert_msg(probe_has_violation(p, row->kind), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(a_cut_answer_that_says_so_is_well_formed)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    use_port(p, 53);
    probe_hex(p, &dissector_dns, false, "1234 8380 0001 0001 0000 0000" PLC IN_A);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dns");
    TCase *tc = tcase_create("dns");
    tcase_add_loop_test(tc, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, prefixes, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_loop_test(tc, malformed, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(tc, a_cut_answer_that_says_so_is_well_formed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
