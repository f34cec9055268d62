/* test_ge_srtp.c: GE SRTP requests and replies. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_ge_srtp;

enum { PACKET_MAX = 512 };

/* A packet: type, sequence, message, 14 bytes of service, text. */
static size_t build(uint8_t out[PACKET_MAX], unsigned type, unsigned sequence, unsigned message,
                    const char *packets, const char *service, const char *text)
{
    memset(out, 0, PACKET_MAX);
    size_t text_size = hex_bytes(out + 56, PACKET_MAX - 56, text);
    out[0] = (uint8_t)type;
    out[2] = (uint8_t)sequence;
    out[4] = (uint8_t)text_size;
    out[9] = out[17] = 1;
    out[30] = (uint8_t)sequence;
    out[31] = (uint8_t)message;
    out[36] = 0x10;
    out[37] = 0x0e;
    hex_bytes(out + 40, 2, packets);
    hex_bytes(out + 42, 14, service);
    return 56 + text_size;
}

static void request(struct probe *p, unsigned sequence, const char *service)
{
    uint8_t packet[PACKET_MAX];
    size_t size = build(packet, 2, sequence, 0xc0, "0101", service, "");
    probe_feed(p, &dissector_ge_srtp, true, packet, size);
}

static void reply(struct probe *p, unsigned sequence, unsigned message, const char *service,
                  const char *text)
{
    uint8_t packet[PACKET_MAX];
    size_t size = build(packet, 3, sequence, message, "0101", service, text);
    probe_feed(p, &dissector_ge_srtp, false, packet, size);
}

struct service_row {
    const char *service, *code, *name, *operation, *items;
};

static const struct service_row services[] = {
    {"00 00",                    "type=2,service=0x00", "short_status",          "diagnostics",      ""             },
    {"03 00",                    "type=2,service=0x03", "control_program_names", "identify",         ""             },
    {"04 08 0900 0200",          "type=2,service=0x04", "read_system_memory",    "read",             "%R 10-11"     },
    {"04 0a 0000 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "%AI 1"        },
    {"04 0c 0000 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "%AQ 1"        },
    {"04 10 0100 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "%I 9-16"      },
    {"04 46 0100 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "%I 2"         },
    {"04 12 0000 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "%Q 1-8"       },
    {"04 48 0000 0300",          "type=2,service=0x04", "read_system_memory",    "read",             "%Q 1-3"       },
    {"04 16 0000 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "%M 1-8"       },
    {"04 56 0000 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "%G 1"         },
    {"04 99 0000 0100",          "type=2,service=0x04", "read_system_memory",    "read",             "segment 153 1"},
    {"05 08 0000 0100",          "type=2,service=0x05", "read_task_memory",      "read",             "%R 1"         },
    {"06 08 0000 0100",          "type=2,service=0x06", "read_program_memory",   "program_upload",   "%R 1"         },
    {"07 08 0900 0200 01000200", "type=2,service=0x07", "write_system_memory",   "write",
     "%R 10-11=1,2"                                                                                                 },
    {"07 4c 0800 0100 01",       "type=2,service=0x07", "write_system_memory",   "write",            "%M 9=1"       },
    {"07 48 0800 0100 01",       "type=2,service=0x07", "write_system_memory",   "control",          "%Q 9=1"       },
    {"07 12 0100 0100 81",       "type=2,service=0x07", "write_system_memory",   "control",
     "%Q 9-16=1,0,0,0,0,0,0,1"                                                                                      },
    {"07 48 0900 0300 0a",       "type=2,service=0x07", "write_system_memory",   "control",
     "%Q 10-12=1,0,1"                                                                                               },
    {"07 48 0700 0200 8001",     "type=2,service=0x07", "write_system_memory",   "control",          "%Q 8-9=1,1"   },
    {"07 46 0800 0100 01",       "type=2,service=0x07", "write_system_memory",   "write",            "%I 9=1"       },
    {"08 08 0000 0100 0500",     "type=2,service=0x08", "write_task_memory",     "write",            "%R 1=5"       },
    {"09 08 0000 0100 0500",     "type=2,service=0x09", "write_program_memory",  "program_download",
     "%R 1=5"                                                                                                       },
    {"20 00",                    "type=2,service=0x20", "programmer_logon",      "auth",             ""             },
    {"21 00",                    "type=2,service=0x21", "change_privilege",      "auth",             ""             },
    {"22 00",                    "type=2,service=0x22", "set_control_id",        "config_change",    ""             },
    {"23 01",                    "type=2,service=0x23", "set_run_stop",          "start",            ""             },
    {"23 02",                    "type=2,service=0x23", "set_run_stop",          "stop",             ""             },
    {"23 07",                    "type=2,service=0x23", "set_run_stop",          "mode_change",      ""             },
    {"24 00",                    "type=2,service=0x24", "set_time",              "time_set",         ""             },
    {"25 00",                    "type=2,service=0x25", "return_time",           "diagnostics",      ""             },
    {"38 00",                    "type=2,service=0x38", "return_fault_table",    "diagnostics",      ""             },
    {"39 00",                    "type=2,service=0x39", "clear_fault_table",     "config_change",    ""             },
    {"3f 00",                    "type=2,service=0x3f", "program_store",         "program_upload",   ""             },
    {"40 00",                    "type=2,service=0x40", "program_load",          "program_download", ""             },
    {"43 00",                    "type=2,service=0x43", "controller_type_id",    "identify",         ""             },
    {"44 00",                    "type=2,service=0x44", "toggle_force",          "force",            ""             },
};

START_TEST(requests)
{
    const struct service_row *row = &services[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    request(p, 5, row->service);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "ge_srtp");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->items, row->items);
    ck_assert_uint_eq(e->transaction, 5);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(replies_carry_values)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    request(p, 5, "04 08 0900 0200");
    reply(p, 5, 0xd4, "0000 010002000000 ff 02 3300 0000", "");
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->code, "type=3,mbox=0xd4");
    ck_assert_str_eq(e->operation, "read");
    ck_assert_str_eq(e->items, "%R 10-11=1,2");
    ck_assert_str_eq(e->status, "ok");
    ck_assert_str_eq(e->facts, "mode=run; protection=level 2");
    ck_assert_uint_eq(e->flags, 0);
    request(p, 6, "04 08 0000 0400");
    reply(p, 6, 0x94, "0800 c0810c00 0101 ff 02 3300 0020", "0100020003000400");
    e = probe_event(p, 3);
    ck_assert_str_eq(e->items, "%R 1-4=1,2,3,4");
    ck_assert_str_eq(e->facts, "mode=stop"); /* what changed */
    reply(p, 7, 0xd4, "0000 000000000000 ff 02 3300 0020", "");
    ck_assert_uint_eq(probe_event(p, 4)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

struct error_row {
    const char *service, *status;
};

static const struct error_row errors[] = {
    {"0100", "error 256 illegal_service"       },
    {"0200", "error 512 insufficient_privilege"},
    {"0400", "error 1024 sequence_error"       },
    {"0600", "error 1536 illegal_mailbox"      },
    {"0700", "error 1792 queue_full"           },
    {"05f5", "error 1525 invalid_password"     },
    {"05fe", "error 1534 no_privilege"         },
    {"05f1", "error 1521 programmer_only"      },
    {"05f0", "error 1520 stop_mode_only"       },
    {"05ef", "error 1519 already_attached"     },
    {"05e9", "error 1513 invalid_selector"     },
    {"05ca", "error 1482 write_protected"      },
};

START_TEST(refusals)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    request(p, 5, "23 02");
    reply(p, 5, 0xd1, errors[_i].service, "");
    ck_assert_str_eq(probe_event(p, 1)->status, errors[_i].status);
    ck_assert_str_eq(probe_event(p, 1)->operation, "stop");
    ck_assert_str_eq(probe_event(p, 1)->facts, "");
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    request(p, 5, "43 00");
    reply(p, 5, 0x94, "0c00 c0810c00 0101 ff 02 3300 0000", "0000 504c43415f31 00000000");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->facts, "name=PLCA_1"));
    request(p, 6, "03 00");
    reply(p, 6, 0x94, "0800 c0810c00 0101 ff 02 3300 0000", "4d41494e00000000");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->facts, "program=MAIN"));
    probe_destroy(p);
}
END_TEST

START_TEST(a_password_is_nowhere)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    request(p, 5, "21 04 7365637265740000");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_gt(probe_event(p, 0)->secret_size, 0);
    ck_assert_str_eq(probe_event(p, 0)->items, "");
    probe_destroy(p);
}
END_TEST

START_TEST(a_program_is_loaded_in_packets)
{
    static const char *const steps[] = {"begin", "block", "end"};
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t packet[PACKET_MAX];
        char packets[8];
        snprintf(packets, sizeof packets, "%02x03", i + 1);
        size_t size =
            build(packet, 2, i, 0x80, packets, "0300 10000e00 0103 40 00 0000 0000", "aabbcc");
        probe_feed(p, &dissector_ge_srtp, true, packet, size);
        const struct probe_event *e = probe_event(p, i);
        ck_assert_str_eq(e->code, "type=2,service=0x40");
        ck_assert_str_eq(e->operation, "program_download");
        ck_assert_msg(strstr(e->transfer, steps[i]) != NULL, "%u: %s", i, e->transfer);
    }
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_program_in_one_packet)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t packet[PACKET_MAX];
    size_t size = build(packet, 2, 1, 0x80, "0101", "0300 10000e00 0101 40 00 0000 0000", "aabbcc");
    probe_feed(p, &dissector_ge_srtp, true, packet, size);
    ck_assert_str_eq(probe_event(p, 0)->transfer, "end program_download key=0 bytes=3");
    probe_destroy(p);
}
END_TEST

START_TEST(sessions)
{
    uint8_t packet[PACKET_MAX] = {0};
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_ge_srtp, true, packet, 56);
    ck_assert_str_eq(probe_event(p, 0)->code, "type=0");
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 0)->direction, "request");
    packet[0] = 1;
    probe_feed(p, &dissector_ge_srtp, false, packet, 56);
    ck_assert_str_eq(probe_event(p, 1)->code, "type=1");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    probe_destroy(p);
}
END_TEST

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t packet[PACKET_MAX];
    request(p, 5, "99 00");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    size_t size = build(packet, 2, 5, 0xd4, "0101", "00", "");
    probe_feed(p, &dissector_ge_srtp, true, packet, size);
    ck_assert(probe_has_violation(p, VIOLATION_ENCODING));
    probe_feed(p, &dissector_ge_srtp, true, packet, 55);
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    size = build(packet, 3, 5, 0x94, "0101", "00", "aabb");
    probe_feed(p, &dissector_ge_srtp, false, packet, size - 1);
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t packet[PACKET_MAX];
    size_t size = build(packet, 3, 5, 0x94, "0101", "0400 c0810c00 0101", "aabbccdd");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_ge_srtp, packet, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_ge_srtp, packet, n),
                         n < 56 ? CLAIM_MORE : CLAIM_YES);
    }
    ck_assert_uint_eq(probe_frame(&dissector_ge_srtp, packet, size).size, size);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_ge_srtp, false, packet, n);
        probe_stream(p, &dissector_ge_srtp, false, packet + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    packet[9] = 0;
    ck_assert_int_eq(probe_recognise(&dissector_ge_srtp, packet, size), CLAIM_WEAK);
    packet[5] = 0x20; /* 8192 of text and a bit */
    ck_assert_int_eq(probe_frame(&dissector_ge_srtp, packet, size).verdict, FRAME_BROKEN);
    ck_assert_int_eq(probe_recognise(&dissector_ge_srtp, packet, size), CLAIM_NO);
    packet[0] = 10;
    ck_assert_int_eq(probe_frame(&dissector_ge_srtp, packet, size).verdict, FRAME_BROKEN);
}
END_TEST

START_TEST(zeros_are_not_claimed)
{
    uint8_t packet[PACKET_MAX] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_ge_srtp, packet, 55), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_ge_srtp, packet, 56), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_ge_srtp, packet, 57), CLAIM_NO);
    uint8_t first[PACKET_MAX];
    memcpy(packet + 56, first, build(first, 2, 1, 0xc0, "0101", "00", ""));
    ck_assert_int_eq(probe_recognise(&dissector_ge_srtp, packet, 112), CLAIM_YES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ge_srtp");
    TCase *tc = tcase_create("ge_srtp");
    tcase_add_loop_test(tc, requests, 0, sizeof services / sizeof *services);
    tcase_add_loop_test(tc, refusals, 0, sizeof errors / sizeof *errors);
    tcase_add_test(tc, replies_carry_values);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, a_password_is_nowhere);
    tcase_add_test(tc, a_program_is_loaded_in_packets);
    tcase_add_test(tc, a_program_in_one_packet);
    tcase_add_test(tc, sessions);
    tcase_add_test(tc, violations);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, zeros_are_not_claimed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
