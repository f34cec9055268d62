/* test_ntp.c: NTP messages, held against RFC 5905 7.3 and RFC 9327. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_ntp;

#define TIMES "0000000000000000 0000000000000000 0000000000000000 0000000000000000"
#define REST  "06 ec 00000000 00000000 "

static const struct row {
    const char *shows, *hex, *code, *name, *direction, *operation, *items;
} rows[] = {
    {"a client",                         "23 00 " REST "00000000" TIMES,   "3", "client",    "request",  "netmgmt",     ""                             },
    {"a server of stratum 2",            "24 02 " REST "0a000001" TIMES,   "4", "server",    "response", "netmgmt",
     "stratum=2; reference=0a000001"                                                                                                                   },
    {"a primary server names its clock", "24 01 " REST "47505300" TIMES,   "4", "server",    "response",
     "netmgmt",                                                                                                         "stratum=1; reference=GPS"     },
    {"a kiss of death",                  "24 00 " REST "52415445" TIMES,   "4", "server",    "response", "netmgmt",
     "stratum=0; reference=RATE"                                                                                                                       },
    {"a broadcast, version 3",           "1d 03 " REST "0a000001" TIMES,   "5", "broadcast", "oneway",
     "netmgmt",                                                                                                         "stratum=3; reference=0a000001"},
    {"peers",                            "21 02 " REST "0a000001" TIMES,   "1", "symmetric", "request",  "netmgmt",
     "stratum=2; reference=0a000001"                                                                                                                   },
    {"peers, the passive one",           "22 02 " REST "0a000001" TIMES,   "2", "passive",   "response",
     "netmgmt",                                                                                                         "stratum=2; reference=0a000001"},
    {"reading variables",                "16 02 0001 0000 0000 0000 0000", "6", "control",   "request",
     "diagnostics",                                                                                                     ""                             },
    {"writing variables",                "16 03 0001 0000 0000 0000 0000", "6", "control",   "request",
     "config_change",                                                                                                   ""                             },
    {"configuration at run time",        "16 08 0001 0000 0000 0000 0000", "6", "control",   "request",
     "config_change",                                                                                                   ""                             },
    {"an answer to it",                  "16 82 0001 0000 0000 0000 0000", "6", "control",   "response", "diagnostics",
     ""                                                                                                                                                },
    {"a list of clients asked for",      "17 00 03 2a 00000000",           "7", "monlist",   "request",
     "diagnostics",                                                                                                     ""                             },
    {"and answered",                     "97 00 03 2a 00000000",           "7", "monlist",   "response", "diagnostics", ""                             },
    {"another private request",          "17 00 03 01 00000000",           "7", "private",   "request",  "diagnostics",
     ""                                                                                                                                                },
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    bool is_from_client = strcmp(row->direction, "response") != 0;
    probe_hex(p, &dissector_ntp, is_from_client, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: %s", row->shows, e->name);
    ck_assert_msg(strcmp(e->direction, row->direction) == 0, "%s", row->shows);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    probe_destroy(p);
}
END_TEST

/* Both ends use port 123: the mode tells who asks. */
START_TEST(the_mode_tells_the_client)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    probe_hex(p, &dissector_ntp, true, rows[1].hex);
    ck_assert(!probe_event(p, 0)->is_from_client);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"a message",                   "23 00 " REST "00000000" TIMES, CLAIM_WEAK},
    {"version 1",                   "0b 00 " REST "00000000" TIMES, CLAIM_WEAK},
    {"version 0",                   "03 00 " REST "00000000" TIMES, CLAIM_NO  },
    {"version 5",                   "2b 00 " REST "00000000" TIMES, CLAIM_NO  },
    {"mode 0",                      "20 00 " REST "00000000" TIMES, CLAIM_NO  },
    {"stratum 16: not in step",     "24 10 " REST "00000000" TIMES, CLAIM_WEAK},
    {"stratum 17",                  "24 11 " REST "00000000" TIMES, CLAIM_NO  },
    {"zeros",
     "00 00 "
     "00000000 00000000 00000000 00000000" TIMES,
     CLAIM_NO                                                                 },
    {"a time message cut short",    "23 00 " REST "00000000",       CLAIM_NO  },
    {"a control message cut short", "16 02 0001 0000 0000 0000 00", CLAIM_NO  },
    {"nothing",                     "",                             CLAIM_NO  },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_ntp, bytes, size) == row->claim, "%s", row->shows);
}
END_TEST

START_TEST(wrong_messages_are_told)
{
    static const struct {
        const char *hex;
        enum violation_kind kind;
    } bad[] = {
        {"24 11 " REST "00000000" TIMES, VIOLATION_RESERVED},
        {"20 00 " REST "00000000" TIMES, VIOLATION_RESERVED},
        {"23 00 00",                     VIOLATION_LENGTH  },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        probe_hex(p, &dissector_ntp, true, bad[i].hex);
        ck_assert_msg(probe_has_violation(p, bad[i].kind), "%s", bad[i].hex);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ntp");
    TCase *c = tcase_create("ntp");
    tcase_add_loop_test(c, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_test(c, the_mode_tells_the_client);
    tcase_add_loop_test(c, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(c, wrong_messages_are_told);
    suite_add_tcase(s, c);
    return run_suite(s);
}
