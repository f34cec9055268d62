/* test_ptp.c: messages of IEEE 1588-2019, held against its tables 35 to 37 and 56 to 59. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <stdio.h>
#include <string.h>

extern const struct dissector dissector_ptp;

/* type, length; domain 0, flags, correction, specific, clock and port, sequence 7, control,
 * interval */
#define HEAD(type, length, domain)                                                                 \
    type "02 " length domain " 00 0200 0000000000000000 00000000 0200000000000001 0001 0007 05 "   \
         "00 "
#define TIME "00000000000000000000 "
#define PORT "ffffffffffffffff ffff "

static const struct row {
    const char *shows, *hex, *name, *operation, *unit, *items;
} rows[] = {
    {"sync",                        HEAD("00", "002c", "00") TIME,                                                   "sync",                  "netmgmt",       "0",   ""                                           },
    {"a transport's own bit",       HEAD("10", "002c", "00") TIME,                                                   "sync",                  "netmgmt",       "0",   ""                                           },
    {"delay request",               HEAD("01", "002c", "00") TIME,                                                   "delay_req",             "netmgmt",       "0",   ""                                           },
    {"peer delay request",          HEAD("02", "0036", "00") TIME TIME,                                              "pdelay_req",            "netmgmt",       "0",   ""                                           },
    {"peer delay response",         HEAD("03", "0036", "00") TIME PORT,                                              "pdelay_resp",           "netmgmt",       "0",   ""                                           },
    {"follow up",                   HEAD("08", "002c", "0c") TIME,                                                   "follow_up",             "netmgmt",       "12",  ""                                           },
    {"delay response",              HEAD("09", "0036", "ff") TIME PORT,                                              "delay_resp",            "netmgmt",       "255", ""                                           },
    {"peer follow up",              HEAD("0a", "0036", "00") TIME PORT,                                              "pdelay_resp_follow_up", "netmgmt",       "0",
     ""                                                                                                                                                                                                            },
    {"announce",
     HEAD("0b",                                "0040", "00") TIME "0025 00 80 06 21 4e5d 80 "
                                   "0200000000000009 0000 20", "announce",              "netmgmt",       "0",   "grandmaster=0200000000000009; clock_class=6"},
    {"signaling",                   HEAD("0c", "002c", "00") PORT,                                                   "signaling",             "netmgmt",       "0",   ""                                           },
    {"management: get",             HEAD("0d", "0036", "00") PORT "01 01 00 00 0001 0002 2000",                      "management",
     "diagnostics",                                                                                                                                            "0",   ""                                           },
    {"management: set",             HEAD("0d", "0036", "00") PORT "01 01 01 00 0001 0002 2005",                      "management",
     "config_change",                                                                                                                                          "0",   ""                                           },
    {"management: the time is set", HEAD("0d", "0036", "00") PORT "01 01 01 00 0001 0002 200f",
     "management",                                                                                                                            "time_set",      "0",   ""                                           },
    {"management: a command",       HEAD("0d", "0036", "00") PORT "01 01 03 00 0001 0002 2000",
     "management",                                                                                                                            "config_change", "0",   ""                                           },
    {"management: answered",        HEAD("0d", "0036", "00") PORT "01 01 02 00 0001 0002 200f",
     "management",                                                                                                                            "diagnostics",   "0",   ""                                           },
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_ptp, true, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "message");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->name, row->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_str_eq(e->unit, row->unit);
    ck_assert_uint_eq(e->transaction, 7);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
    enum violation_kind kind;
} bad_rows[] = {
    {"a header cut short",      "00 02 002c 00",             VIOLATION_LENGTH},
    {"longer than its frame",   HEAD("00",                   "002d",           "00") TIME, VIOLATION_LENGTH},
    {"shorter than its type",         HEAD("0b",                                    "002c",                              "00") TIME, VIOLATION_LENGTH},
    {"a type that is reserved",                   HEAD("0e", "002c","00") TIME, VIOLATION_FUNCTION},
    {"version 1",
     "00 01 002c 00 00 0200 0000000000000000 00000000 0200000000000001 0001 0007 05 00" TIME,
     VIOLATION_RESERVED          },
};

START_TEST(wrong_messages_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_ptp, true, row->hex);
    ck_assert_msg(probe_has_violation(p, row->kind), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"a message",                HEAD("00",                    "002c",                  "00") TIME, CLAIM_WEAK},
    {"with two bytes of padding",                HEAD("00",                                            "002c",                                         "00") TIME "0000", CLAIM_WEAK},
    {"longer than its datagram",                    HEAD("00","002d","00") TIME, CLAIM_NO},
    {"a type that is reserved", HEAD("0e", "002c",                               "00") TIME, CLAIM_NO},
    {"a length below the header",                  HEAD("00",                                              "0021",                                             "00") TIME, CLAIM_NO},
    {"zeros",                    "0000 0000 0000 0000",                                      CLAIM_NO                      },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_ptp, bytes, size) == row->claim, "%s", row->shows);
}
END_TEST

START_TEST(every_prefix_is_told)
{
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, rows[8].hex);
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_NONE);
        probe_feed(p, &dissector_ptp, true, bytes, i);
        ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "%zu bytes", i);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ptp");
    TCase *c = tcase_create("ptp");
    tcase_add_loop_test(c, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, wrong_messages_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_loop_test(c, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(c, every_prefix_is_told);
    suite_add_tcase(s, c);
    return run_suite(s);
}
