/* test_bsap_ip.c: BSAP over UDP, held against PROTOCOLS 25 and the layouts of its public
 * description. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_bsap_ip;

/* | header | size | 0c | sequence | body |: one message of a datagram */
#define REQUEST(size, body)  "0e00 0100 0600 01000000 02000000 " size "000000 0c 01000000 " body
#define RESPONSE(size, body) "0e00 0100 0500 02000000 01000000 " size "000000 0c 01000000 " body

/* types, values, addresses and versions of "@GV.A" and "@GV.B" */
#define READ_NAMES "a000 04 03 d0 01 0f 02 4047562e4100 4047562e4200"

struct row {
    const char *size, *body, *operation, *name;
};

/* by their names in the specification */
static const struct row rows[] = {
    {"17", "a000 00 03 d0 01 2477 0f 02 1100 1200",  "read",             "read_signal_by_address"       },
    {"0c", "a000 02",                                "read",             "read_logical_by_address"      },
    {"1d", READ_NAMES,                               "read",             "read_signal_by_name"          },
    {"0c", "a000 06",                                "read",             "read_logical_by_name"         },
    {"0c", "a000 0c",                                "browse",           "read_signal_by_list"          },
    {"0c", "a000 0d",                                "browse",           "read_signal_by_list_continue" },
    {"0c", "a000 0e",                                "browse",           "read_logical_by_list"         },
    {"0c", "a000 0f",                                "browse",           "read_logical_by_list_continue"},
    {"13", "a000 80 2477 0f 01 1100 0a",             "write",            "write_signal_by_address"      },
    {"19", "a000 84 0f 01 4047562e4100 0b 0000a042", "write",            "write_signal_by_name"         },
    {"0c", "a000 8c",                                "write",            "write_signal_by_list"         },
    {"0c", "a000 8d",                                "write",            "write_signal_by_list_continue"},
    {"0d", "a100 0101",                              "restart",          "reset_system"                 },
    {"0d", "a100 0201",                              "config_change",    "reset_diagnostics"            },
    {"0d", "a100 0102",                              "diagnostics",      "read_date_and_time"           },
    {"0d", "a100 0202",                              "diagnostics",      "read_date"                    },
    {"0d", "a100 0302",                              "diagnostics",      "read_time"                    },
    {"0d", "a100 8102",                              "time_set",         "write_date_and_time"          },
    {"0d", "a100 0004",                              "config_change",    "change_node_address"          },
    {"0b", "0300",                                   "read",             "pei_pc"                       },
    {"0b", "7800",                                   "program_download", "download"                     },
};

struct signal_row {
    const char *shows, *size, *body, *items;
};

static const struct signal_row signal_rows[] = {
    {"names",           "1d", READ_NAMES,                               "@GV.A; @GV.B"        },
    {"addresses",       "17", "a000 00 03 d0 01 2477 0f 02 1100 1200",  "signal 17; signal 18"},
    {"10 is off",       "13", "a000 80 2477 0f 01 1100 0a",             "signal 17=0"         },
    {"9 is on",         "13", "a000 80 2477 0f 01 1100 09",             "signal 17=1"         },
    {"11 is a number",  "19", "a000 84 0f 01 4047562e4100 0b 0000a042", "@GV.A=80"            },
    {"12 is not known", "16", "a000 80 2477 0f 02 1100 0c 1200 09",     "signal 17"           },
};

static size_t request(uint8_t *out, size_t capacity, const char *size, const char *body)
{
    char hex[256];
    snprintf(hex, sizeof hex, "0e00 0100 0600 01000000 02000000 %s000000 0c 01000000 %s", size,
             body);
    return hex_bytes(out, capacity, hex);
}

START_TEST(functions)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t pdu[256];
    size_t size = request(pdu, sizeof pdu, row->size, row->body);
    probe_feed(p, &dissector_bsap_ip, true, pdu, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(p->violation_count == 0, "%s: violation", row->name);
    ck_assert_msg(!strcmp(e->operation, row->operation), "%s: %s", row->name, e->operation);
    ck_assert_msg(!strcmp(e->name, row->name), "%s: %s", row->name, e->name);
    ck_assert_str_eq(e->code, "msgs=1,func=6");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_uint_eq(e->transaction, 1);
    ck_assert_int_eq(probe_recognise(&dissector_bsap_ip, pdu, size), CLAIM_YES);
    probe_destroy(p);
}
END_TEST

START_TEST(signals)
{
    const struct signal_row *row = &signal_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t pdu[256];
    size_t size = request(pdu, sizeof pdu, row->size, row->body);
    probe_feed(p, &dissector_bsap_ip, true, pdu, size);
    ck_assert_msg(!strcmp(probe_event(p, 0)->items, row->items), "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(answers_carry_names_and_values)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true, REQUEST("1d", READ_NAMES));
    probe_hex(p, &dissector_bsap_ip, false,
              RESPONSE("1a", "00 02 00 01 1100 2477 02 0000a042 0000 2477"));
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->code, "msgs=1,func=5");
    ck_assert_str_eq(e->operation, "read");
    ck_assert_str_eq(e->items, "@GV.A=1; @GV.B=80");
    ck_assert_str_eq(e->status, "ok");
    ck_assert_uint_eq(e->flags, 0);
    /* the same answer again has no question any more */
    probe_hex(p, &dissector_bsap_ip, false,
              RESPONSE("1a", "00 02 00 01 1100 2477 02 0000a042 0000 2477"));
    e = probe_event(p, 2);
    ck_assert_str_eq(e->operation, "publish");
    ck_assert_uint_eq(e->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(answers_that_are_errors_have_no_values)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true, REQUEST("1d", READ_NAMES));
    probe_hex(p, &dissector_bsap_ip, false, RESPONSE("0b", "84 02"));
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->status, "error 132");
    ck_assert_str_eq(e->items, "@GV.A; @GV.B");
    probe_destroy(p);
}
END_TEST

START_TEST(a_side_does_not_answer_itself)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true, REQUEST("1d", READ_NAMES));
    probe_hex(p, &dissector_bsap_ip, true, RESPONSE("0b", "00 00"));
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

START_TEST(several_messages)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true,
              "1600 0200 0600 01000000 02000000 0000000000000000"
              "1d000000 0c 01000000 " READ_NAMES "13000000 0c 02000000 a000 80 2477 0f 01 1100 09");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "msgs=2,func=6");
    ck_assert_str_eq(e->operation, "write");
    ck_assert_str_eq(e->items, "@GV.A; @GV.B; signal 17=1");
    ck_assert_uint_eq(e->items_total, 3);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_unknown_message_between_known_ones)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true,
              "0e00 0200 0600 01000000 02000000"
              "0c000000 0c 01000000 a000 05 13000000 0c 02000000 a000 80 2477 0f 01 1100 09");
    ck_assert_str_eq(probe_event(p, 0)->items, "signal 17=1");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_destroy(p);
}
END_TEST

START_TEST(polls)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t pdu[16];
    size_t size = hex_bytes(pdu, sizeof pdu, "0e00 0000 0000 00000000 754b0000");
    probe_feed(p, &dissector_bsap_ip, true, pdu, size);
    ck_assert_str_eq(probe_event(p, 0)->code, "msgs=0,func=0");
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_uint_eq(p->violation_count, 0);
    ck_assert_int_eq(probe_recognise(&dissector_bsap_ip, pdu, size), CLAIM_WEAK);
    probe_destroy(p);
}
END_TEST

struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
};

static const struct wrong wrong_rows[] = {
    {"header cut off",            "0e00 0100 06",                                                     VIOLATION_TRUNCATED},
    {"header size unknown",       "0f00 0000 0000 00000000 00000000 00",                              VIOLATION_LENGTH   },
    {"header longer than it all", "1600 0000 0000 00000000 00000000",                                 VIOLATION_LENGTH   },
    {"message function unknown",  "0e00 0000 0700 00000000 00000000",                                 VIOLATION_FUNCTION },
    {"size below 9",              "0e00 0100 0600 01000000 02000000 08000000 0c 01000000 a000 04",
     VIOLATION_LENGTH                                                                                                    },
    {"size beyond the datagram",  "0e00 0100 0600 01000000 02000000 0d000000 0c 01000000 a000 04",
     VIOLATION_LENGTH                                                                                                    },
    {"bytes behind",              "0e00 0100 0600 01000000 02000000 0c000000 0c 01000000 a000 0c 00",
     VIOLATION_TRAILING                                                                                                  },
    {"request cut off",           "0e00 0100 0600 01000000 02000000 0b000000 0c 01000000 a000",
     VIOLATION_TRUNCATED                                                                                                 },
    {"function unknown",          "0e00 0100 0600 01000000 02000000 0c000000 0c 01000000 a000 05",
     VIOLATION_FUNCTION                                                                                                  },
    {"extension unknown",         "0e00 0100 0600 01000000 02000000 0d000000 0c 01000000 a100 0301",
     VIOLATION_FUNCTION                                                                                                  },
    {"application unknown",       "0e00 0100 0600 01000000 02000000 0b000000 0c 01000000 1200",
     VIOLATION_FUNCTION                                                                                                  },
};

START_TEST(wrong)
{
    const struct wrong *row = &wrong_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true, row->hex);
    ck_assert_msg(probe_has_violation(p, row->kind), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(other_count_than_asked)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true, REQUEST("1d", READ_NAMES));
    probe_hex(p, &dissector_bsap_ip, false, RESPONSE("11", "00 01 00 01 1100 2477"));
    ck_assert(probe_has_violation(p, VIOLATION_COUNT));
    ck_assert_str_eq(probe_event(p, 1)->items, "@GV.A=1");
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, REQUEST("1d", READ_NAMES));
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        probe_feed(p, &dissector_bsap_ip, true, pdu, i);
        ck_assert_uint_ge(p->violation_count, 1);
        ck_assert_int_eq(probe_recognise(&dissector_bsap_ip, pdu, i), CLAIM_NO);
        probe_destroy(p);
    }
    static const uint8_t zeros[32];
    ck_assert_int_eq(probe_recognise(&dissector_bsap_ip, zeros, sizeof zeros), CLAIM_NO);
}
END_TEST

/* D301401X012: | 10 02 | local address 5 | serial 1 | function | sequence 7 | source | status | ...
 * | 10 03 | CRC |; a global message has to, from and control behind the serial number */
#define LOCAL  "1002 05 01 "
#define GLOBAL "1002 85 01 0102 0304 00 "
#define ASKS   " 0700 03 00 "
#define TELLS  " 0700 a0 00 "
#define END    " 1003 abcd"

static const struct serial_row {
    const char *shows, *hex, *code, *name, *operation, *unit, *items;
} serial_rows[] = {
    {"reading by name",     LOCAL "a0" ASKS "04 03 d0 01 0f 01 4047562e4100" END,    "0xa0",
     "read_signal_by_name",                                                                                         "read",             "5",     "@GV.A"      },
    {"writing by name",     LOCAL "a0" ASKS "84 0f 01 4047562e4100 0b 0000a042" END, "0xa0",
     "write_signal_by_name",                                                                                        "write",            "5",     "@GV.A=80"   },
    {"an escaped 10",       LOCAL "a0" ASKS "80 2477 0f 01 101000 0a" END,           "0xa0",
     "write_signal_by_address",                                                                                     "write",            "5",     "signal 16=0"},
    {"through the network", GLOBAL "a1" ASKS "0101" END,                             "0xa1", "reset_system",        "restart",          "5.513",
     ""                                                                                                                                                       },
    {"another address",     GLOBAL "a1" ASKS "0004" END,                             "0xa1", "change_node_address", "config_change",
     "5.513",                                                                                                                                    ""           },
    {"a download",          LOCAL "78" ASKS "" END,                                  "0x78", "download",            "program_download", "5",     ""           },
};

START_TEST(frames_of_the_serial_line)
{
    const struct serial_row *row = &serial_rows[_i];
    uint8_t pdu[128];
    size_t size = hex_bytes(pdu, sizeof pdu, row->hex);
    ck_assert_int_eq(probe_recognise(&dissector_bsap_ip, pdu, size), CLAIM_WEAK);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_bsap_ip, true, pdu, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "bsap_serial");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->unit, row->unit);
    ck_assert_msg(!strcmp(e->items, row->items), "%s: %s", row->shows, e->items);
    ck_assert_uint_eq(e->transaction, 7);
    ck_assert_uint_eq(p->violation_count, 0);
    for (size_t n = 0; n < size; n++) {
        probe_clear(p);
        ck_assert_int_eq(probe_recognise(&dissector_bsap_ip, pdu, n), CLAIM_NO);
        probe_feed(p, &dissector_bsap_ip, true, pdu, n);
        ck_assert_msg(p->violation_count > 0, "%s: %zu bytes", row->shows, n);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(a_serial_answer_has_what_was_asked)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true, LOCAL "a0" ASKS "04 03 c0 00 0f 01 4047562e4100" END);
    probe_hex(p, &dissector_bsap_ip, false, LOCAL "03" TELLS "00 01 02 0000a042" END);
    ck_assert_str_eq(probe_event(p, 1)->items, "@GV.A=80");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 1)->name, "read_signal_by_name");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    probe_hex(p, &dissector_bsap_ip, false, LOCAL "03" TELLS "00 01 02 0000a042" END);
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *shows, *hex, *why;
} serial_wrong[] = {
    {"an escape of something else", "1002 05 01 a0 0700 03 00 1041 1003 abcd",
     "serial BSAP escape is not defined"                                                                       },
    {"no end",                      "1002 05 01 a0 0700 03 00 00 1004 abcd",   "serial BSAP frame is not whole"},
    {"a global header cut off",     "1002 85 01 0102 0304 00 a0 1003 abcd",
     "serial BSAP header is cut off"                                                                           },
    {"a function that is none",     LOCAL "a0" ASKS "77" END,                  "BSAP function is not defined"  },
};

START_TEST(serial_violations)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_bsap_ip, true, serial_wrong[_i].hex);
    ck_assert_msg(!strcmp(probe_violation(p, 0)->why, serial_wrong[_i].why), "%s: %s",
                  serial_wrong[_i].shows, probe_violation(p, 0)->why);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bsap_ip");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, frames_of_the_serial_line, 0,
                        sizeof serial_rows / sizeof *serial_rows);
    tcase_add_test(tcase, a_serial_answer_has_what_was_asked);
    tcase_add_loop_test(tcase, serial_violations, 0, sizeof serial_wrong / sizeof *serial_wrong);
    tcase_add_loop_test(tcase, functions, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, signals, 0, sizeof signal_rows / sizeof *signal_rows);
    tcase_add_loop_test(tcase, wrong, 0, sizeof wrong_rows / sizeof *wrong_rows);
    tcase_add_test(tcase, answers_carry_names_and_values);
    tcase_add_test(tcase, answers_that_are_errors_have_no_values);
    tcase_add_test(tcase, a_side_does_not_answer_itself);
    tcase_add_test(tcase, several_messages);
    tcase_add_test(tcase, an_unknown_message_between_known_ones);
    tcase_add_test(tcase, polls);
    tcase_add_test(tcase, other_count_than_asked);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
