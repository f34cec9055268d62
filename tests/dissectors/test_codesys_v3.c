/* test_codesys_v3.c: CODESYS V3, held against PROTOCOLS 23.2. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_codesys_v3;

/* datagram of a channel with two addresses of a word, and a first block */
#define CHANNEL "c5 6b 40 40 00 11 0001 0002 0000 "
#define BLOCK   "01 81 0100 01000000 00000000 10000000 00000000 "

static const struct row {
    const char *group_service, *code, *name, *operation;
} rows[] = {
    {"01 00 0200", "0x0102", "login",                     "auth"            },
    {"01 00 0100", "0x0101", "device",                    "session"         },
    {"02 00 0100", "0x0201", "login_application",         "session"         },
    {"02 00 0200", "0x0202", "logout_application",        "session"         },
    {"02 00 0300", "0x0203", "create_application",        "program_download"},
    {"02 00 0400", "0x0204", "delete_application",        "program_delete"  },
    {"02 00 0500", "0x0205", "download",                  "program_download"},
    {"02 00 0600", "0x0206", "online_change",             "program_download"},
    {"02 00 0700", "0x0207", "device_download",           "program_download"},
    {"02 00 1000", "0x0210", "start",                     "start"           },
    {"02 00 1100", "0x0211", "stop",                      "stop"            },
    {"02 00 1200", "0x0212", "reset",                     "restart"         },
    {"02 00 1300", "0x0213", "set_breakpoint",            "program_modify"  },
    {"02 00 1400", "0x0214", "read_status",               "diagnostics"     },
    {"02 00 1500", "0x0215", "delete_breakpoint",         "program_modify"  },
    {"02 00 1800", "0x0218", "read_application_list",     "browse"          },
    {"02 00 1900", "0x0219", "set_next_statement",        "program_modify"  },
    {"02 00 2000", "0x0220", "release_force_list",        "force"           },
    {"02 00 2200", "0x0222", "single_cycle",              "mode_change"     },
    {"02 00 2300", "0x0223", "create_boot_project",       "program_download"},
    {"02 00 2700", "0x0227", "register_boot_application", "program_download"},
    {"02 00 3000", "0x0230", "download_compact",          "program_download"},
    {"02 00 3400", "0x0234", "download_encrypted",        "program_download"},
    {"02 00 3500", "0x0235", "read_application_content",  "program_upload"  },
    {"02 00 0800", "0x0208", "create_device_application", "program_download"},
    {"02 00 1600", "0x0216", "read_call_stack",           "diagnostics"     },
    {"02 00 1700", "0x0217", "get_area_offset",           "diagnostics"     },
    {"02 00 2100", "0x0221", "upload_force_list",         "read"            },
    {"02 00 2400", "0x0224", "reinitialise",              "restart"         },
    {"02 00 2500", "0x0225", "read_state_list",           "diagnostics"     },
    {"02 00 2600", "0x0226", "load_boot_application",     "program_download"},
    {"02 00 2800", "0x0228", "check_file_consistency",    "diagnostics"     },
    {"02 00 2900", "0x0229", "read_application_info",     "identify"        },
    {"02 00 3100", "0x0231", "read_project_info",         "identify"        },
    {"02 00 3200", "0x0232", "define_flow",               "diagnostics"     },
    {"02 00 3300", "0x0233", "read_flow_values",          "diagnostics"     },
    {"02 00 3600", "0x0236", "save_retains",              "file_write"      },
    {"02 00 3700", "0x0237", "restore_retains",           "write"           },
    {"02 00 3800", "0x0238", "get_area_address",          "diagnostics"     },
    {"02 00 3900", "0x0239", "leave_execution_points",    "program_modify"  },
    {"02 00 4000", "0x0240", "claim_execution_points",    "program_modify"  },
    {"04 00 0100", "0x0401", "visualisation",             "read"            },
    {"05 00 0100", "0x0501", "log",                       "diagnostics"     },
    {"07 00 0100", "0x0701", "ethernet",                  "diagnostics"     },
    {"08 00 0700", "0x0807", "read_file_next",            "file_read"       },
    {"08 00 0800", "0x0808", "close_file",                "file_read"       },
    {"0b 00 0100", "0x0b01", "io_manager",                "diagnostics"     },
    {"0f 00 0100", "0x0f01", "trace",                     "diagnostics"     },
    {"1d 00 0100", "0x1d01", "codemeter",                 "diagnostics"     },
    {"06 00 0100", "0x0601", "settings",                  "config_change"   },
    {"08 00 0500", "0x0805", "read_file_start",           "file_read"       },
    {"08 00 0c00", "0x080c", "list_directory",            "file_read"       },
    {"09 00 0100", "0x0901", "variable",                  "read"            },
    {"0c 00 0100", "0x0c01", "user_manager",              "config_change"   },
    {"11 00 0100", "0x1101", "shell",                     "control"         },
    {"12 00 0100", "0x1201", "breakpoint",                "program_modify"  },
    {"13 00 0100", "0x1301", "force",                     "force"           },
    {"18 00 0100", "0x1801", "alarm",                     "alarm"           },
    {"1b 00 0100", "0x1b01", "monitor",                   "read"            },
    {"1f 00 0100", "0x1f01", "core_dump",                 "program_upload"  },
    {"22 00 0100", "0x2201", "openssl",                   "config_change"   },
};

START_TEST(services_have_their_class)
{
    char ask[256];
    snprintf(ask, sizeof ask, CHANNEL BLOCK "55cd 1000 %s 11000000 00000000 00000000",
             rows[_i].group_service);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_codesys_v3, true, ask);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, rows[_i].code);
    ck_assert_str_eq(e->name, rows[_i].name);
    ck_assert_str_eq(e->operation, rows[_i].operation);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_uint_eq(e->transaction, 17);
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(responses_encryption_and_credentials)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_codesys_v3, false,
              CHANNEL BLOCK "55cd 1000 82 00 1100 11000000 00000000 00000000");
    probe_hex(p, &dissector_codesys_v3, true,
              CHANNEL BLOCK "5775 1000 40 00 1100 11000000 00000000 00000000");
    probe_hex(p, &dissector_codesys_v3, true,
              CHANNEL BLOCK "55cd 1000 01 00 0200 11000000 04000000 00000000 31323334");
    ck_assert_str_eq(probe_event(p, 0)->direction, "response");
    ck_assert_str_eq(probe_event(p, 0)->operation, "stop");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_ENCRYPTED);
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(probe_event(p, 2)->secret_size, 4);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(answers_are_matched_by_channel)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_codesys_v3, true,
              CHANNEL BLOCK "55cd 1000 02 00 1100 11000000 00000000 00000000");
    probe_hex(p, &dissector_codesys_v3, false,
              CHANNEL BLOCK "55cd 1000 82 00 1100 11000000 00000000 00000000");
    probe_hex(p, &dissector_codesys_v3, false,
              CHANNEL BLOCK "55cd 1000 82 00 1100 11000000 00000000 00000000");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_str_eq(probe_event(p, 1)->operation, "stop");
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

START_TEST(a_download_is_a_transfer)
{
    static const char *const transfers[] = {"begin program_download key=66053 declared=7 bytes=3",
                                            "block program_download key=66053 bytes=2",
                                            "end program_download key=66053 bytes=2"};
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_codesys_v3, true,
              CHANNEL BLOCK "55cd 1000 02 00 0500 11000000 07000000 00000000 aabbcc");
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL "01 80 0100 02000000 00000000 ddee");
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL "01 80 0200 02000000 00000000 dead");
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL "01 80 0100 03000000 00000000 ff00 00");
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL "01 80 0100 04000000 00000000 0101");
    ck_assert_uint_eq(p->event_count, 3); /* what another channel says is none of it */
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(probe_event(p, i)->code, "0x0205");
        ck_assert_str_eq(probe_event(p, i)->transfer, transfers[i]);
    }
    probe_clear(p);
    probe_hex(p, &dissector_codesys_v3, false,
              CHANNEL BLOCK "55cd 1000 82 00 3500 11000000 03000000 00000000 aabbcc");
    ck_assert_str_eq(probe_event(p, 0)->transfer,
                     "end program_upload key=66101 declared=3 bytes=3");
    probe_destroy(p);
}
END_TEST

START_TEST(channels_and_names)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL "c3 00 0000");
    probe_hex(p, &dissector_codesys_v3, false, CHANNEL "83 00 0000");
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL "02 00 0100 01000000");
    probe_hex(p, &dissector_codesys_v3, false,
              "c5 6b 40 04 00 11 0001 0002 0000 80c2 0301 01000000 00000000"
              "50004c0043004100 0000 430058003500 0000 41004300 4d004500 0000");
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 0)->name, "open_channel");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_str_eq(probe_event(p, 2)->facts, "name=PLCA; product=CX5; vendor=ACME");
    ck_assert_str_eq(probe_event(p, 2)->code, "0xc280");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* letters of the names, sizes; what follows the fixed part */
#define DEVICE(node, device, vendor, serial)                                                       \
    "c5 6b 40 04 00 11 0001 0002 0000 80c2 0004 01000000 0400 01 00 0200 " node device vendor      \
    "00100000 34120000 1e0c0503 00000000 " serial "00 05 00 00000000 00000000 0001 "

static const struct device_row {
    const char *shows, *hex, *facts;
} device_rows[] = {
    {"all of it",
     DEVICE("0400 ", "0300 ", "0200 ",
     "05 ") "50004c0043004100 0000 430058003500 0000 41004200 0000 "
                   "3132333435 00",                                                 "name=PLCA; product=CX5; vendor=AB; serial_number=12345; firmware_version=3.5.12.30; "
     "device_type=target 0x00001234 of type 4096"    },
    {"no serial number",
     DEVICE("0400 ", "0000 ", "0000 ", "00 ") "50004c0043004100 0000 0000 0000 00",
     "name=PLCA; firmware_version=3.5.12.30; device_type=target 0x00001234 of type 4096"},
    {"letters that are none of ours",
     DEVICE("0200 ", "0000 ", "0000 ", "00 ") "e4000100 0000 0000 0000 00",
     "name=??; firmware_version=3.5.12.30; device_type=target 0x00001234 of type 4096"  },
};

START_TEST(devices_tell_what_they_are)
{
    const struct device_row *row = &device_rows[_i];
    uint8_t pdu[256];
    struct probe *p = probe_create(TRANSPORT_UDP);
    size_t size = hex_bytes(pdu, sizeof pdu, row->hex);
    probe_feed(p, &dissector_codesys_v3, false, pdu, size);
    ck_assert_msg(!strcmp(probe_event(p, 0)->facts, row->facts), "%s: %s", row->shows,
                  probe_event(p, 0)->facts);
    ck_assert_str_eq(probe_event(p, 0)->operation, "discover");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_clear(p);
    probe_feed(p, &dissector_codesys_v3, false, pdu, 60); /* inside the fixed part or the names */
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_destroy(p);
}
END_TEST

START_TEST(the_header_of_broadcasts_is_longer)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_codesys_v3, true,
              "c5 7c 40 03 00 10 abcd 0001 0000 02c2 0004 69692004");
    ck_assert_str_eq(probe_event(p, 0)->code, "0xc202");
    ck_assert_str_eq(probe_event(p, 0)->direction, "request");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_service_wants_a_channel)
{
    static const char block[] = CHANNEL BLOCK "55cd 1000 02 00 1400 11000000 00000000 00000000";
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_codesys_v3, true, block);
    ck_assert_str_eq(probe_violation(p, 0)->why, "service before a channel is open");
    probe_hex(p, &dissector_codesys_v3, true, block);
    ck_assert_uint_eq(p->violation_count, 1); /* told once */
    probe_destroy(p);
    p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL "c3 00 0000");
    probe_hex(p, &dissector_codesys_v3, true, block);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
    p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = false; /* it may have been opened before */
    probe_hex(p, &dissector_codesys_v3, true, block);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_codesys_v3, true,
              CHANNEL BLOCK "55cd 1000 7e 00 1100 11000000 00000000 00000000");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_clear(p);
    probe_hex(p, &dissector_codesys_v3, true, CHANNEL BLOCK "55cd 1000 02 00");
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_clear(p);
    probe_hex(p, &dissector_codesys_v3, true, "c5 03 40 40 00 11 0001 0002 0000 c3 00 0000");
    ck_assert(probe_has_violation(p, VIOLATION_RANGE));
    probe_clear(p);
    probe_hex(p, &dissector_codesys_v3, true, "c5 6b 40 40 00 ff 0001");
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[64] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_codesys_v3, bytes, 32), CLAIM_NO);
    size_t size = hex_bytes(bytes, sizeof bytes, "000117e8 18000000 " CHANNEL "c3 00 0000");
    ck_assert_uint_eq(size, 24);
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_codesys_v3, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_codesys_v3, true, bytes, n);
        probe_stream(p, &dissector_codesys_v3, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    ck_assert_int_eq(probe_recognise(&dissector_codesys_v3, bytes, 3), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_codesys_v3, bytes, size), CLAIM_YES);
    ck_assert_int_eq(probe_recognise(&dissector_codesys_v3, bytes + 8, size - 8), CLAIM_WEAK);
    bytes[4] = 13;
    ck_assert_int_eq(probe_frame(&dissector_codesys_v3, bytes, size).verdict, FRAME_BROKEN);
    bytes[4] = 0, bytes[6] = 1;
    ck_assert_int_eq(probe_frame(&dissector_codesys_v3, bytes, size).verdict, FRAME_NEED);
    bytes[4] = 1;
    ck_assert_int_eq(probe_frame(&dissector_codesys_v3, bytes, size).verdict, FRAME_BROKEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codesys_v3");
    TCase *tc = tcase_create("codesys_v3");
    tcase_add_loop_test(tc, services_have_their_class, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, responses_encryption_and_credentials);
    tcase_add_test(tc, answers_are_matched_by_channel);
    tcase_add_test(tc, a_download_is_a_transfer);
    tcase_add_test(tc, channels_and_names);
    tcase_add_loop_test(tc, devices_tell_what_they_are, 0,
                        sizeof device_rows / sizeof *device_rows);
    tcase_add_test(tc, the_header_of_broadcasts_is_longer);
    tcase_add_test(tc, a_service_wants_a_channel);
    tcase_add_test(tc, violations);
    tcase_add_test(tc, framing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
