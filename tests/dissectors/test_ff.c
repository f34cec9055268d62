/* test_ff.c: Foundation Fieldbus HSE, held against FF-588, FF-589 and FF-870. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_ff;

enum { MESSAGE_MAX = 256, HEADER = 12, REQUEST = 0, RESPONSE = 1, REFUSAL = 2 };

/* A message with an invoke id in its trailer. */
static size_t message_of(uint8_t *out, uint8_t protocol, uint8_t type, uint8_t service,
                         const char *body)
{
    static const uint8_t invoke[4] = {0, 0, 0, 9};
    size_t size = hex_bytes(out + HEADER, MESSAGE_MAX - HEADER, body) + HEADER;
    memcpy(out + size, invoke, sizeof invoke);
    size += sizeof invoke;
    const uint8_t header[HEADER] = {1,
                                    0x40,
                                    (uint8_t)(protocol << 2 | type),
                                    service,
                                    0,
                                    0,
                                    0,
                                    7,
                                    0,
                                    0,
                                    (uint8_t)(size >> 8),
                                    (uint8_t)size};
    memcpy(out, header, sizeof header);
    return size;
}

static void feed(struct probe *p, uint8_t protocol, uint8_t type, uint8_t service, const char *body)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t size = message_of(bytes, protocol, type, service, body);
    ck_assert_int_eq(probe_recognise(&dissector_ff, bytes, size), CLAIM_WEAK);
    ck_assert_int_eq(probe_stream(p, &dissector_ff, type == REQUEST, bytes, size), FRAME_COMPLETE);
}

static const struct row {
    uint8_t protocol, service;
    const char *code, *operation, *name;
} rows[] = {
    {1, 0x81, "proto=1,conf=1,service=1",   "session",          "open_session"                              },
    {1, 0x83, "proto=1,conf=1,service=3",   "session",          "idle"                                      },
    {2, 0x01, "proto=2,conf=0,service=1",   "discover",         "find_tag_query"                            },
    {2, 0x02, "proto=2,conf=0,service=2",   "discover",         "find_tag_reply"                            },
    {2, 0x10, "proto=2,conf=0,service=16",  "discover",         "device_annunciation"                       },
    {2, 0x83, "proto=2,conf=1,service=3",   "identify",         "sm_identify"                               },
    {2, 0x8c, "proto=2,conf=1,service=12",  "config_change",    "clear_address"                             },
    {2, 0x8e, "proto=2,conf=1,service=14",  "config_change",    "set_assignment_info"                       },
    {2, 0x8f, "proto=2,conf=1,service=15",  "config_change",    "clear_assignment_info"                     },
    {3, 0x00, "proto=3,conf=0,service=0",   "publish",          "information_report"                        },
    {3, 0x02, "proto=3,conf=0,service=2",   "alarm",            "event_notification"                        },
    {3, 0x10, "proto=3,conf=0,service=16",  "publish",          "information_report_with_subindex"          },
    {3, 0x11, "proto=3,conf=0,service=17",  "publish",          "information_report_on_change"              },
    {3, 0x12, "proto=3,conf=0,service=18",  "publish",          "information_report_on_change_with_subindex"},
    {3, 0x70, "proto=3,conf=0,service=112", "session",          "abort"                                     },
    {3, 0x80, "proto=3,conf=1,service=0",   "diagnostics",      "status"                                    },
    {3, 0x81, "proto=3,conf=1,service=1",   "identify",         "identify"                                  },
    {3, 0x82, "proto=3,conf=1,service=2",   "read",             "read"                                      },
    {3, 0x83, "proto=3,conf=1,service=3",   "write",            "write"                                     },
    {3, 0x84, "proto=3,conf=1,service=4",   "browse",           "get_object_dictionary"                     },
    {3, 0x89, "proto=3,conf=1,service=9",   "program_download", "initiate_download_sequence"                },
    {3, 0x8a, "proto=3,conf=1,service=10",  "program_download", "download_segment"                          },
    {3, 0x8b, "proto=3,conf=1,service=11",  "program_download", "terminate_download_sequence"               },
    {3, 0x8c, "proto=3,conf=1,service=12",  "program_upload",   "initiate_upload_sequence"                  },
    {3, 0x8d, "proto=3,conf=1,service=13",  "program_upload",   "upload_segment"                            },
    {3, 0x8e, "proto=3,conf=1,service=14",  "program_upload",   "terminate_upload_sequence"                 },
    {3, 0x8f, "proto=3,conf=1,service=15",  "program_download", "request_domain_download"                   },
    {3, 0x90, "proto=3,conf=1,service=16",  "program_upload",   "request_domain_upload"                     },
    {3, 0x91, "proto=3,conf=1,service=17",  "program_modify",   "create_program_invocation"                 },
    {3, 0x92, "proto=3,conf=1,service=18",  "program_delete",   "delete_program_invocation"                 },
    {3, 0x93, "proto=3,conf=1,service=19",  "start",            "start"                                     },
    {3, 0x94, "proto=3,conf=1,service=20",  "stop",             "stop"                                      },
    {3, 0x95, "proto=3,conf=1,service=21",  "start",            "resume"                                    },
    {3, 0x96, "proto=3,conf=1,service=22",  "restart",          "reset"                                     },
    {3, 0x97, "proto=3,conf=1,service=23",  "stop",             "kill"                                      },
    {3, 0x98, "proto=3,conf=1,service=24",  "alarm",            "alter_event_condition_monitoring"          },
    {3, 0x9c, "proto=3,conf=1,service=28",  "config_change",    "initiate_put_object_dictionary"            },
    {3, 0x9f, "proto=3,conf=1,service=31",  "program_download",
     "generic_initiate_download_sequence"                                                                   },
    {3, 0xa0, "proto=3,conf=1,service=32",  "program_download", "generic_download_segment"                  },
    {3, 0xa1, "proto=3,conf=1,service=33",  "program_download",
     "generic_terminate_download_sequence"                                                                  },
    {3, 0xd2, "proto=3,conf=1,service=82",  "read",             "read_with_subindex"                        },
    {3, 0xd3, "proto=3,conf=1,service=83",  "write",            "write_with_subindex"                       },
    {3, 0xe0, "proto=3,conf=1,service=96",  "session",          "initiate"                                  },
    {4, 0x01, "proto=4,conf=0,service=1",   "netmgmt",          "redundancy_diagnostic"                     },
    {4, 0x82, "proto=4,conf=1,service=2",   "config_change",    "redundancy_put_information"                },
};

START_TEST(services)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, row->protocol, REQUEST, row->service, "00000005 00000001 00");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(!strcmp(e->code, row->code), "%s: %s", row->name, e->code);
    ck_assert_msg(!strcmp(e->operation, row->operation), "%s: %s", row->name, e->operation);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->unit, "00000007");
    ck_assert_uint_eq(p->violation_count, 0);
    if (row->service & 0x80) {
        feed(p, row->protocol, REFUSAL, row->service, "06 02 0000");
        e = probe_event(p, 1);
        ck_assert_str_eq(e->direction, "response");
        ck_assert_str_eq(e->status, "error 1538 access");
        ck_assert_str_eq(e->operation, row->operation);
        ck_assert_uint_eq(e->flags, 0);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(objects_and_values)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, 3, REQUEST, 0x82, "00000190");
    feed(p, 3, RESPONSE, 0x82, "42280000");
    ck_assert_str_eq(probe_event(p, 0)->items, "object 400");
    ck_assert_str_eq(probe_event(p, 1)->items, "object 400=42280000");
    feed(p, 3, REQUEST, 0xd3, "00000190 00000002 42280000");
    feed(p, 3, RESPONSE, 0xd3, "");
    ck_assert_str_eq(probe_event(p, 2)->items, "object 400.2=42280000");
    ck_assert_str_eq(probe_event(p, 3)->items, "object 400.2");
    ck_assert_str_eq(probe_event(p, 3)->status, "ok");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(transfers)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, 3, REQUEST, 0x9f, "00000004");
    feed(p, 3, REQUEST, 0xa0, "00000004 01 414243");
    feed(p, 3, REQUEST, 0xa1, "00000004");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "begin program_download key=4 name=domain 4");
    ck_assert_str_eq(probe_event(p, 1)->transfer,
                     "block program_download key=4 name=domain 4 bytes=3");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "end program_download key=4 name=domain 4");
    probe_clear(p);
    feed(p, 3, REQUEST, 0x8c, "00000005");
    feed(p, 3, REQUEST, 0x8d, "00000005");
    feed(p, 3, RESPONSE, 0x8d, "00 4142");
    feed(p, 3, REQUEST, 0x8e, "00000005");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "begin program_upload key=5 name=domain 5");
    ck_assert_str_eq(probe_event(p, 2)->transfer,
                     "block program_upload key=5 name=domain 5 bytes=2");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "end program_upload key=5 name=domain 5");
    probe_destroy(p);
}
END_TEST

#define ZEROS_24 "000000000000000000000000000000000000000000000000"
#define ZEROS_28 "00000000000000000000000000000000000000000000000000000000"

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, 3, REQUEST, 0x81, "");
    feed(p, 3, RESPONSE, 0x81, "41434d45" ZEROS_28 "54543031" ZEROS_28 "312e3032" ZEROS_28);
    ck_assert_str_eq(probe_event(p, 1)->facts, "vendor=ACME; product=TT01; firmware_version=1.02");
    feed(p, 2, REQUEST, 0x10, ZEROS_24 "30303031" ZEROS_28 "54313031" ZEROS_28);
    ck_assert_str_eq(probe_event(p, 2)->facts, "serial_number=0001; name=T101");
    probe_destroy(p);
}
END_TEST

static const struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
} wrongs[] = {
    {"header cut",                         "01400c82 00000007",               VIOLATION_TRUNCATED},
    {"a version that is not",              "02000c80 00000007 0000000c",      VIOLATION_RESERVED },
    {"a length that is not the message's", "01000c80 00000007 0000000d",      VIOLATION_LENGTH   },
    {"type 3",                             "01000f80 00000007 0000000c",      VIOLATION_RESERVED },
    {"a service that is not",              "01000cff 00000007 0000000c",      VIOLATION_FUNCTION },
    {"a protocol that is not",             "01002080 00000007 0000000c",      VIOLATION_FUNCTION },
    {"a trailer beyond the message",       "01400c80 00000007 0000000e 0000", VIOLATION_LENGTH   },
    {"an index cut",                       "01000c82 00000007 0000000e 0000", VIOLATION_TRUNCATED},
    {"an error cut",                       "01000e82 00000007 0000000d 00",   VIOLATION_TRUNCATED},
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_ff, true, wrongs[_i].hex);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: %s", wrongs[_i].shows,
                  p->violation_count ? probe_violation(p, 0)->why : "nothing");
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t size = message_of(bytes, 3, REQUEST, 0x82, "00000190");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_ff, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_ne(probe_recognise(&dissector_ff, bytes, n), CLAIM_NO);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_ff, true, bytes, n);
        probe_stream(p, &dissector_ff, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "split at %zu", n);
        probe_destroy(p);
    }
    size = hex_bytes(bytes, sizeof bytes, "01400c82 00000007 0000000b");
    ck_assert_int_eq(probe_frame(&dissector_ff, bytes, size).verdict, FRAME_BROKEN);
    size = hex_bytes(bytes, sizeof bytes, "01400c82 00000007 0000000c");
    ck_assert_int_eq(probe_frame(&dissector_ff, bytes, size).verdict, FRAME_COMPLETE);
    size = hex_bytes(bytes, sizeof bytes, "01400c82 00000007 00010001");
    ck_assert_int_eq(probe_frame(&dissector_ff, bytes, size).verdict, FRAME_BROKEN);
}
END_TEST

START_TEST(what_is_not_ours)
{
    static const char *const others[] = {"00000000 00000000 0000000c", "02400c82 00000007 00000010",
                                         "01400cff 00000007 00000010",
                                         "01000c82 00000007 00000010"};
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t size = hex_bytes(bytes, sizeof bytes, others[i]);
        ck_assert_msg(probe_recognise(&dissector_ff, bytes, size) == CLAIM_NO, "%s", others[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ff");
    TCase *tc = tcase_create("ff");
    tcase_add_loop_test(tc, services, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, objects_and_values);
    tcase_add_test(tc, transfers);
    tcase_add_test(tc, identity);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, what_is_not_ours);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
