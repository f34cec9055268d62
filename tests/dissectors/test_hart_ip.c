/* test_hart_ip.c: HART-IP sessions and commands, held against HCF_SPEC-085, -081, -127 and -151. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_hart_ip;

enum { MESSAGE_MAX = 512, HEADER = 8 };

static size_t message_of(uint8_t *out, uint8_t type, uint8_t id, uint16_t sequence,
                         const char *body)
{
    size_t size = hex_bytes(out + HEADER, MESSAGE_MAX - HEADER, body) + HEADER;
    const uint8_t header[HEADER] = {1,
                                    type,
                                    id,
                                    0,
                                    (uint8_t)(sequence >> 8),
                                    (uint8_t)sequence,
                                    (uint8_t)(size >> 8),
                                    (uint8_t)size};
    memcpy(out, header, sizeof header);
    return size;
}

/* A token-passing frame without its checksum, which is put behind it. */
static size_t frame_of_hart(uint8_t *out, uint8_t type, uint16_t sequence, const char *frame)
{
    size_t size = message_of(out, type, 3, sequence, frame);
    uint8_t sum = 0;
    for (size_t i = HEADER; i < size; i++)
        sum ^= out[i];
    out[size++] = sum;
    out[7] = (uint8_t)size;
    return size;
}

static void feed(struct probe *p, bool is_request, const char *frame)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t size = frame_of_hart(bytes, is_request ? 0 : 1, 7, frame);
    ck_assert_int_eq(probe_recognise(&dissector_hart_ip, bytes, size), CLAIM_YES);
    ck_assert_int_eq(probe_stream(p, &dissector_hart_ip, is_request, bytes, size), FRAME_COMPLETE);
}

static struct probe *session_probe(void)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t bytes[MESSAGE_MAX];
    size_t size = message_of(bytes, 0, 0, 1, "01 0000ea60");
    probe_stream(p, &dissector_hart_ip, true, bytes, size);
    ck_assert_str_eq(probe_event(p, 0)->code, "type=0,id=0");
    ck_assert_str_eq(probe_event(p, 0)->detail, "primary master, closes after 60000 ms");
    probe_clear(p);
    return p;
}

#define LONG_REQUEST  "82 a64e0000d2 "
#define LONG_RESPONSE "86 a64e0000d2 "

static const struct exchange {
    const char *shows, *request, *response, *code, *operation, *name, *asked, *answered, *status;
} exchanges[] = {
    {"0 identifies",                   LONG_REQUEST "00 00",
     LONG_RESPONSE "00 18 0000 fe264e050704010e0c0000d2 05 02 0002 00 0026 0026 84",
     "type=0,id=3,cmd=0",                                                                                                                                              "identify",      "read_unique_identifier",                 "",                                                           "",                     "ok"                                },
    {"1 reads",                        LONG_REQUEST "01 00",                                 LONG_RESPONSE "01 07 0000 20 42280000",             "type=0,id=3,cmd=1",
     "read",                                                                                                                                                                            "read_primary_variable",                  "",                                                           "primary_variable=42",  "ok"                                },
    {"2 reads",                        LONG_REQUEST "02 00",                                 LONG_RESPONSE "02 0a 0000 41400000 42480000",
     "type=0,id=3,cmd=2",                                                                                                                                              "read",          "read_loop_current_and_percent_of_range", "",
     "loop_current=12; percent_of_range=50",                                                                                                                                                                                                                                                                            "ok"                                },
    {"6 is configuration",             LONG_REQUEST "06 01 05",                              LONG_RESPONSE "06 03 0000 05",
     "type=0,id=3,cmd=6",                                                                                                                                              "config_change", "write_polling_address",                  "polling_address=5",
     "polling_address=5",                                                                                                                                                                                                                                                                                               "ok"                                },
    {"9 reads device variables",       LONG_REQUEST "09 02 00 f6",
     LONG_RESPONSE "09 13 0000 00 00 40 20 42280000 c0 f6 00 39 3f800000 c0",                                                                    "type=0,id=3,cmd=9",
     "read",                                                                                                                                                                            "read_device_variables_with_status",      "device_variable 0; device_variable 246",
     "device_variable 0=42; device_variable 246=1",                                                                                                                                                                                                                                                                     "ok"                                },
    {"33 reads device variables",      LONG_REQUEST "21 02 00 01",
     LONG_RESPONSE "21 0e 0000 00 20 42280000 01 39 3f800000",                                                                                   "type=0,id=3,cmd=33", "read",
     "read_device_variables",                                                                                                                                                                                                     "device_variable 0; device_variable 1",
     "device_variable 0=42; device_variable 1=1",                                                                                                                                                                                                                                                                       "ok"                                },
    {"62 reads channels",              LONG_REQUEST "3e 01 02",                              LONG_RESPONSE "3e 08 0000 02 27 41400000",
     "type=0,id=3,cmd=62",                                                                                                                                             "read",          "read_analog_channels",                   "analog_channel 2",
     "analog_channel 2=12",                                                                                                                                                                                                                                                                                             "ok"                                },
    {"110 reads all",                  LONG_REQUEST "6e 00",                                 LONG_RESPONSE "6e 0c 0000 20 42280000 39 3f800000",
     "type=0,id=3,cmd=110",                                                                                                                                            "read",          "read_all_dynamic_variables",             "",
     "primary_variable=42; secondary_variable=1",                                                                                                                                                                                                                                                                       "ok"                                },
    {"61 reads the channel, too",      LONG_REQUEST "3d 00",
     LONG_RESPONSE "3d 0c 0000 27 41400000 20 42280000",                                                                                         "type=0,id=3,cmd=61", "read",
     "read_dynamic_variables_and_primary_analog_channel",                                                                                                                                                                         "",
     "primary_analog_channel=12; primary_variable=42",                                                                                                                                                                                                                                                                  "ok"                                },
    {"55 damps a device variable",     LONG_REQUEST "37 05 01 3f800000",
     LONG_RESPONSE "37 07 0000 01 3f800000",                                                                                                     "type=0,id=3,cmd=55", "config_change",
     "write_device_variable_damping",                                                                                                                                                                                             "damping 1=1",                                                "damping 1=1",          "ok"                                },
    {"82 trims a device variable",     LONG_REQUEST "52 07 01 02 20 41a00000",
     LONG_RESPONSE "52 09 0000 01 02 20 41a00000",                                                                                               "type=0,id=3,cmd=82", "config_change",
     "write_device_variable_trim_point",                                                                                                                                                                                          "trim_point 1=20",                                            "trim_point 1=20",      "ok"                                },
    {"12 reads packed text",           LONG_REQUEST "0c 00",
     LONG_RESPONSE "0c 1a 0000 0420c3 820820 820820 820820 820820 820820 820820 820820",
     "type=0,id=3,cmd=12",                                                                                                                                             "diagnostics",   "read_message",                           "",                                                           NULL,                   "ok"                                },
    {"22 renames",
     LONG_REQUEST "16 20 54314130310000000000000000000000000000000000000000000000000000 00",
     LONG_RESPONSE "16 02 0000",                                                                                                                 "type=0,id=3,cmd=22", "config_change", "write_long_tag",
     "long_tag=T1A01",                                                                                                                                                                                                                                                                          "long_tag",             "ok"                                },
    {"35 writes a range",              LONG_REQUEST "23 09 20 42c80000 00000000",
     LONG_RESPONSE "23 0b 0040 20 42c80000 00000000",                                                                                            "type=0,id=3,cmd=35", "config_change",
     "write_primary_variable_range_values",                                                                                                                                                                                       "range_units=32; upper_range_value=100; lower_range_value=0",
     "range_units=32; upper_range_value=100; lower_range_value=0",                                                                                                                                                                                                                                                      "ok"                                },
    {"38 resets a flag",               LONG_REQUEST "26 00",                                 LONG_RESPONSE "26 02 0000",                         "type=0,id=3,cmd=38",
     "config_change",                                                                                                                                                                   "reset_configuration_changed_flag",       "",                                                           "",                     "ok"                                },
    {"40 fixes the current",           LONG_REQUEST "28 04 40800000",                        LONG_RESPONSE "28 06 0008 40800000",
     "type=0,id=3,cmd=40",                                                                                                                                             "force",         "enter_exit_fixed_current_mode",          "fixed_current=4",
     "fixed_current=4",                                                                                                                                                                                                                                                                                                 "ok"                                },
    {"42 resets",                      LONG_REQUEST "2a 00",                                 LONG_RESPONSE "2a 02 0000",                         "type=0,id=3,cmd=42", "restart",
     "perform_device_reset",                                                                                                                                                                                                      "",                                                           "",                     "ok"                                },
    {"43 sets zero",                   LONG_REQUEST "2b 00",                                 LONG_RESPONSE "2b 02 0900",                         "type=0,id=3,cmd=43",
     "config_change",                                                                                                                                                                   "set_primary_variable_zero",              "",                                                           "",                     "error 9 lower_range_value_too_high"},
    {"66 fixes a channel",             LONG_REQUEST "42 06 01 20 41200000",                  LONG_RESPONSE "42 02 1000",
     "type=0,id=3,cmd=66",                                                                                                                                             "force",         "enter_exit_fixed_analog_channel_mode",   "fixed_level 1=10",
     "fixed_level 1",                                                                                                                                                                                                                                                                                                   "error 16 access_restricted"        },
    {"71 locks",                       LONG_REQUEST "47 01 01",                              LONG_RESPONSE "47 03 0000 01",                      "type=0,id=3,cmd=71",
     "lock",                                                                                                                                                                            "lock_device",                            "lock_code=1",                                                "lock_code=1",          "ok"                                },
    {"72 squawks",                     LONG_REQUEST "48 00",                                 LONG_RESPONSE "48 02 4000",                         "type=0,id=3,cmd=72",
     "identify",                                                                                                                                                                        "squawk",                                 "",                                                           "",                     "error 64 command_not_implemented"  },
    {"79 writes a device variable",    LONG_REQUEST "4f 08 00 01 20 41a00000 00",
     LONG_RESPONSE "4f 0a 0000 00 01 20 41a00000 00",                                                                                            "type=0,id=3,cmd=79", "force",
     "write_device_variable",                                                                                                                                                                                                     "device_variable 0=20",                                       "device_variable 0=20", "ok"                                },
    {"89 sets the clock",              LONG_REQUEST "59 01 00",                              LONG_RESPONSE "59 02 0700",                         "type=0,id=3,cmd=89",
     "time_set",                                                                                                                                                                        "set_real_time_clock",                    "",                                                           "",                     "error 7 in_write_protect_mode"     },
    {"a communication error",          LONG_REQUEST "01 00",                                 LONG_RESPONSE "01 02 8800",                         "type=0,id=3,cmd=1",
     "read",                                                                                                                                                                            "read_primary_variable",                  "",                                                           "",                     "error 136 communication_error"     },
    {"a warning is no error",          LONG_REQUEST "22 04 3f800000",                        LONG_RESPONSE "22 06 0800 3f800000",
     "type=0,id=3,cmd=34",                                                                                                                                             "config_change", "write_primary_variable_damping",         "damping=1",
     "damping=1",                                                                                                                                                                                                                                                                                                       "ok"                                },
    {"31 leads to numbers of 16 bits", LONG_REQUEST "1f 02 0201",                            LONG_RESPONSE "1f 04 0000 0201",
     "type=0,id=3,cmd=31",                                                                                                                                             "config_change", "write_country_code",                     "",                                                           "",                     "ok"                                },
    {"a command of the device's own",  LONG_REQUEST "80 01 00",                              LONG_RESPONSE "80 02 0000",
     "type=0,id=3,cmd=128",                                                                                                                                            "unknown",       "",                                       "",                                                           "",                     "ok"                                },
    {"a short address",                "02 80 00 00",                                        "06 80 00 02 0000",                                 "type=0,id=3,cmd=0",  "identify",
     "read_unique_identifier",                                                                                                                                                                                                    "",                                                           "",                     "ok"                                },
};

START_TEST(commands)
{
    const struct exchange *x = &exchanges[_i];
    struct probe *p = session_probe();
    feed(p, true, x->request);
    feed(p, false, x->response);
    const struct probe_event *e = probe_event(p, 0), *r = probe_event(p, 1);
    ck_assert_msg(!strcmp(e->code, x->code), "%s: %s", x->shows, e->code);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(r->direction, "response");
    ck_assert_msg(!strcmp(e->operation, x->operation), "%s: %s", x->shows, e->operation);
    ck_assert_msg(!strcmp(e->name, x->name), "%s: %s", x->shows, e->name);
    ck_assert_msg(!strcmp(e->items, x->asked), "%s: %s", x->shows, e->items);
    ck_assert_msg(!x->answered || !strcmp(r->items, x->answered), "%s: %s", x->shows, r->items);
    ck_assert_msg(!strncmp(r->status, x->status, strlen(x->status)), "%s: %s", x->shows, r->status);
    ck_assert_str_eq(e->unit, r->unit);
    ck_assert_uint_eq(r->flags, 0);
    ck_assert_msg(p->violation_count == 0, "%s: %s", x->shows,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = session_probe();
    feed(p, true, exchanges[0].request);
    feed(p, false, exchanges[0].response);
    ck_assert_str_eq(probe_event(p, 1)->unit, "264e0000d2");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "product=WirelessHART gateway; vendor=Rosemount; device_type=HART 0x264e; "
                     "serial_number=0000d2; "
                     "firmware_version=4; software_version=1; hardware_version=1");
    feed(p, true, LONG_REQUEST "14 00");
    feed(p, false,
         LONG_RESPONSE
         "14 22 0000 5749484152544757 000000000000000000000000000000000000000000000000");
    ck_assert_str_eq(probe_event(p, 3)->facts, "name=WIHARTGW");
    probe_destroy(p);
}
END_TEST

START_TEST(what_the_device_says_of_itself)
{
    struct probe *p = session_probe();
    feed(p, true, LONG_REQUEST "26 00");
    feed(p, false, LONG_RESPONSE "26 02 0040");
    ck_assert_str_eq(probe_event(p, 1)->detail, "configuration changed");
    probe_destroy(p);
}
END_TEST

START_TEST(direct_commands)
{
    struct probe *p = session_probe();
    uint8_t bytes[MESSAGE_MAX];
    size_t size = message_of(bytes, 0, 4, 9, "0000 0001 00 0006 01 03");
    probe_stream(p, &dissector_hart_ip, true, bytes, size);
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 0)->code, "type=0,id=4,cmd=1");
    ck_assert_str_eq(probe_event(p, 1)->items, "polling_address=3");
    size = message_of(bytes, 1, 4, 9, "0000 0001 06 00 20 42280000 0006 01 07");
    probe_stream(p, &dissector_hart_ip, false, bytes, size);
    ck_assert_str_eq(probe_event(p, 2)->items, "primary_variable=42");
    ck_assert_str_eq(probe_event(p, 3)->status, "error 7 in_write_protect_mode");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(commands_in_commands)
{
    struct probe *p = session_probe();
    feed(p, true, LONG_REQUEST "4d 0b 01 02 05 82 a64e000001 2a 00");
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 0)->name, "send_command_to_sub_device");
    ck_assert_str_eq(probe_event(p, 1)->operation, "restart");
    ck_assert_str_eq(probe_event(p, 1)->unit, "1.2 264e000001");
    probe_clear(p);
    feed(p, true, LONG_REQUEST "4e 07 02 0001 00 0002 00");
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 2)->name, "read_loop_current_and_percent_of_range");
    probe_destroy(p);
}
END_TEST

START_TEST(bursts_are_published)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t bytes[MESSAGE_MAX];
    size_t size = frame_of_hart(bytes, 2, 1, "81 a64e0000d2 01 07 0000 20 42280000");
    probe_stream(p, &dissector_hart_ip, false, bytes, size);
    ck_assert_str_eq(probe_event(p, 0)->code, "type=2,id=3,cmd=1");
    ck_assert_str_eq(probe_event(p, 0)->operation, "publish");
    ck_assert_str_eq(probe_event(p, 0)->direction, "oneway");
    probe_destroy(p);
}
END_TEST

static const struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
} wrongs[] = {
    {"version 0",                          "00000200 0001 0008",                       VIOLATION_RESERVED },
    {"version 3",                          "03000200 0001 0008",                       VIOLATION_RESERVED },
    {"a type that is not",                 "01050200 0001 0008",                       VIOLATION_FUNCTION },
    {"an id that is not",                  "01000600 0001 0008",                       VIOLATION_FUNCTION },
    {"a length that is not the message's", "01000200 0001 0009",                       VIOLATION_LENGTH   },
    {"a header cut",                       "01000200 00",                              VIOLATION_TRUNCATED},
    {"a checksum that is wrong",           "01000300 0001 0011 82a64e0000d2 00 00 00", VIOLATION_CHECKSUM },
    {"a count beyond the frame",           "01000300 0001 0011 82a64e0000d2 00 05 00", VIOLATION_COUNT    },
    {"a response in a request",            "01000300 0001 000f 06 80 00 02 0000 84",   VIOLATION_DIRECTION},
    {"a direct PDU without command",       "01000400 0001 000a 0000",                  VIOLATION_COUNT    },
    {"a direct PDU cut",                   "01000400 0001 000d 0000 0006 05",          VIOLATION_COUNT    },
    {"a command before a session",         "01000400 0001 000d 0000 0006 00",          VIOLATION_STATE    },
    {"an initiation cut",                  "01000000 0001 000a 0100",                  VIOLATION_LENGTH   },
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_hart_ip, true, wrongs[_i].hex);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: %s", wrongs[_i].shows,
                  p->violation_count ? probe_violation(p, 0)->why : "nothing");
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t size = frame_of_hart(bytes, 0, 7, exchanges[6].request);
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_hart_ip, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_ne(probe_recognise(&dissector_hart_ip, bytes, n), CLAIM_NO);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = session_probe();
        probe_stream(p, &dissector_hart_ip, true, bytes, n);
        probe_stream(p, &dissector_hart_ip, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "split at %zu", n);
        probe_destroy(p);
    }
    bytes[7] = 7;
    ck_assert_int_eq(probe_frame(&dissector_hart_ip, bytes, size).verdict, FRAME_BROKEN);
    bytes[7] = 8;
    ck_assert_int_eq(probe_frame(&dissector_hart_ip, bytes, size).verdict, FRAME_COMPLETE);
    bytes[6] = 0x10, bytes[7] = 0;
    ck_assert_int_eq(probe_frame(&dissector_hart_ip, bytes, size).verdict, FRAME_NEED);
    bytes[7] = 1;
    ck_assert_int_eq(probe_frame(&dissector_hart_ip, bytes, size).verdict, FRAME_BROKEN);
}
END_TEST

START_TEST(what_is_not_ours)
{
    static const char *const others[] = {
        "00000000 0000 0000 00000000", "01000000 0001 000e 01 0000ea60 00",
        "01000300 0001 0010 93 80 00 00 13000000", "01000700 0001 0008", "01030000 0001 0008"};
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t size = hex_bytes(bytes, sizeof bytes, others[i]);
        ck_assert_msg(probe_recognise(&dissector_hart_ip, bytes, size) == CLAIM_NO, "%s",
                      others[i]);
    }
}
END_TEST

START_TEST(picked_up_in_the_middle)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    uint8_t bytes[MESSAGE_MAX];
    size_t size = frame_of_hart(bytes, 1, 7, LONG_RESPONSE "01 07 0000 20 42280000");
    probe_stream(p, &dissector_hart_ip, true, bytes, size); /* the server took the client's place */
    ck_assert(!probe_event(p, 0)->is_from_client);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hart_ip");
    TCase *tc = tcase_create("hart_ip");
    tcase_add_loop_test(tc, commands, 0, sizeof exchanges / sizeof *exchanges);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, what_the_device_says_of_itself);
    tcase_add_test(tc, direct_commands);
    tcase_add_test(tc, commands_in_commands);
    tcase_add_test(tc, bursts_are_published);
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
