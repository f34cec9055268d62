/* test_melsoft.c: MELSOFT, held against PROTOCOLS 16.1. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_melsoft;

enum { ROOM = 256 };

/* A frame with an extension of 8 bytes; data from the command on. */
static size_t frame_of_data(uint8_t out[ROOM], bool is_response, const char *data)
{
    size_t size =
        hex_bytes(out, ROOM,
                  is_response ? "d7 00000001 1111 070000 00e40300 ffff0300 00 0000 9c000c 08"
                                "0000000000000000"
                              : "57 00000000 1111 070000 ffff0300 00fe0300 00 0000 1c080a 08"
                                "0000000000000000");
    size += hex_bytes(out + size, ROOM - size, data);
    out[19] = (uint8_t)(size - 21);
    return size;
}

static void feed(struct probe *p, bool is_response, const char *data)
{
    uint8_t out[ROOM];
    size_t size = frame_of_data(out, is_response, data);
    ck_assert_int_eq(probe_stream(p, &dissector_melsoft, !is_response, out, size), FRAME_COMPLETE);
}

static const struct command {
    const char *code;
    unsigned function;
    const char *name, *operation;
} commands[] = {
    {"0101", 0x0101, "read_type_name",     "identify"        },
    {"0121", 0x0121, "read_cpu_model",     "identify"        },
    {"01a0", 0x01a0, "authenticate",       "session"         },
    {"0410", 0x0410, "read",               "read"            },
    {"0411", 0x0411, "read_monitor",       "read"            },
    {"0413", 0x0413, "read_monitor_2",     "read"            },
    {"0701", 0x0701, "session",            "session"         },
    {"0b2a", 0x0b2a, "module_status",      "diagnostics"     },
    {"0b2b", 0x0b2b, "module_status_2",    "diagnostics"     },
    {"1001", 0x1001, "remote_run",         "start"           },
    {"1002", 0x1002, "remote_stop",        "stop"            },
    {"1003", 0x1003, "remote_pause",       "stop"            },
    {"1005", 0x1005, "remote_latch_clear", "program_delete"  },
    {"1006", 0x1006, "remote_reset",       "restart"         },
    {"1410", 0x1410, "write",              "write"           },
    {"1859", 0x1859, "list_files",         "file_read"       },
    {"185f", 0x185f, "file_info",          "file_read"       },
    {"1867", 0x1867, "open_file",          "file_read"       },
    {"1868", 0x1868, "read_file",          "file_read"       },
    {"1869", 0x1869, "write_file",         "program_download"},
    {"186a", 0x186a, "close_file",         "file_read"       },
    {"187e", 0x187e, "exchange_files",     "file_write"      },
    {"18a0", 0x18a0, "drive_info",         "session"         },
    {"1730", 0x1730, "",                   "unknown"         },
};

START_TEST(commands_have_their_class)
{
    const struct command *row = &commands[_i];
    char ask[96], answer[96];
    snprintf(ask, sizeof ask, "%s 05000000 0100 00000000 0200 0102", row->code);
    snprintf(answer, sizeof answer, "0100 %s 05000000", row->code);
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, ask);
    feed(p, true, answer);
    for (size_t i = 0; i < 2; i++) {
        const struct probe_event *e = probe_event(p, i);
        ck_assert_str_eq(e->code, i ? "0xd7" : "0x57");
        ck_assert_uint_eq(e->function, row->function);
        ck_assert_str_eq(e->name, row->name);
        ck_assert_str_eq(e->operation, row->operation);
        ck_assert_str_eq(e->direction, i ? "response" : "request");
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_str_eq(probe_event(p, 1)->status, "error 1");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, false, "0101 01000000 01");
    feed(p, true, "0000 0101 01000000 51303355444543505520202020202020 6802");
    ck_assert_str_eq(probe_event(p, 1)->facts, "vendor=Mitsubishi Electric; product=Q03UDECPU");
    feed(p, false, "0121 01000000 01");
    feed(p, true, "0000 0121 01000000 465835552d33324d542f455300000000 294a");
    ck_assert_str_eq(probe_event(p, 3)->facts, "vendor=Mitsubishi Electric; product=FX5U-32MT/ES");
    ck_assert_str_eq(probe_event(p, 3)->status, "ok");
    probe_destroy(p);
}
END_TEST

START_TEST(files_of_a_stopped_controller_are_its_program)
{
    static const char open[] =
        "1867 06000000 00000400 1400 24004d0045004c00500052004a0024005c0041000000";
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, open);
    ck_assert_str_eq(probe_event(p, 0)->operation, "file_read");
    ck_assert_str_eq(probe_event(p, 0)->items, "$MELPRJ$\\A");
    feed(p, false, "1002 07000000 0100");
    feed(p, false, open);
    ck_assert_str_eq(probe_event(p, 2)->operation, "program_download");
    feed(p, false, "1001 08000000 0100");
    feed(p, false, open);
    ck_assert_str_eq(probe_event(p, 4)->operation, "file_read");
    probe_destroy(p);
}
END_TEST

START_TEST(blocks_are_a_transfer)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, "1869 05000000 0300 00000000 0200 0102");
    feed(p, false, "186a 06000000 0300 0000");
    feed(p, false, "186a 07000000 0300 0000");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "block program_download key=3 bytes=2");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "end program_download key=3");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "");
    probe_destroy(p);
}
END_TEST

START_TEST(greetings)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_melsoft, true, "5a0000ff");
    probe_hex(p, &dissector_melsoft, false,
              "da0000ff294a0c000000000000100200f0a832a34d79872800001003");
    ck_assert_str_eq(probe_event(p, 0)->code, "0x5a");
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 1)->code, "0xda");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_response_alone)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    uint8_t out[ROOM];
    size_t size = frame_of_data(out, true, "0000 0410 05000000");
    probe_stream(p, &dissector_melsoft, true, out, size);
    ck_assert(!probe_event(p, 0)->is_from_client);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

START_TEST(violations)
{
    uint8_t out[ROOM];
    struct probe *p = probe_create(TRANSPORT_UDP);
    size_t size = frame_of_data(out, false, "0410 05000000");
    out[5] = 0x12;
    probe_feed(p, &dissector_melsoft, true, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_RESERVED));
    probe_clear(p);
    size = frame_of_data(out, false, "0410 05000000");
    out[19]++;
    probe_feed(p, &dissector_melsoft, true, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_clear(p);
    size = frame_of_data(out, true, "0000");
    probe_feed(p, &dissector_melsoft, false, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_clear(p);
    size = frame_of_data(out, false, "1869 05000000 0300 00000000 0300 0102");
    probe_feed(p, &dissector_melsoft, true, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t out[ROOM];
    size_t size = frame_of_data(out, false, "0410 05000000");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_melsoft, out, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_melsoft, true, out, n);
        probe_stream(p, &dissector_melsoft, true, out + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    out[19] = 0x00, out[20] = 0x20;
    ck_assert_int_eq(probe_frame(&dissector_melsoft, out, size).verdict, FRAME_NEED);
    out[19] = 0x01;
    ck_assert_int_eq(probe_frame(&dissector_melsoft, out, size).verdict, FRAME_BROKEN);
    out[0] = 0x58;
    ck_assert_int_eq(probe_frame(&dissector_melsoft, out, size).verdict, FRAME_BROKEN);
}
END_TEST

START_TEST(recognition)
{
    uint8_t out[ROOM] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_melsoft, out, 64), CLAIM_NO);
    size_t size = frame_of_data(out, false, "0410 05000000");
    ck_assert_int_eq(probe_recognise(&dissector_melsoft, out, 0), CLAIM_NO);
    for (size_t n = 1; n <= size; n++)
        ck_assert_int_eq(probe_recognise(&dissector_melsoft, out, n),
                         n < 25 ? CLAIM_MORE : CLAIM_YES);
    out[6] = 0x12;
    ck_assert_int_eq(probe_recognise(&dissector_melsoft, out, size), CLAIM_NO);
    size = hex_bytes(out, ROOM, "5a0000ff");
    ck_assert_int_eq(probe_recognise(&dissector_melsoft, out, size), CLAIM_WEAK);
    ck_assert_int_eq(probe_recognise(&dissector_melsoft, out, size + 1), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("melsoft");
    TCase *tc = tcase_create("melsoft");
    tcase_add_loop_test(tc, commands_have_their_class, 0, sizeof commands / sizeof *commands);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, files_of_a_stopped_controller_are_its_program);
    tcase_add_test(tc, blocks_are_a_transfer);
    tcase_add_test(tc, greetings);
    tcase_add_test(tc, a_response_alone);
    tcase_add_test(tc, violations);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, recognition);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
