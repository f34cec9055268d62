/* test_pccc.c: PCCC in CIP. Expected values: Rockwell 1770-6.5.16, and a public capture of a
 * MicroLogix 1400. */
#include "dissectors/pccc_functions.h"
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_pccc, dissector_cip;

#define WHO "07 4d00 e0312b3d " /* requestor id */

struct row {
    const char *hex; /* command, status, transaction, function, data */
    const char *code, *operation;
};

/* clang-format off: one row per line */
static const struct row rows[] = {
    {"00 00 0100 0000 01 ff",                       "cmd=0x00",          "write"           },
    {"01 00 0100 0000 01",                          "cmd=0x01",          "read"            },
    {"02 00 0100 0000 01 ff",                       "cmd=0x02",          "control"         },
    {"04 00 0100 0000 01",                          "cmd=0x04",          "read"            },
    {"05 00 0100 0000 01 ff",                       "cmd=0x05",          "control"         },
    {"08 00 0100 0000 01 ff",                       "cmd=0x08",          "write"           },
    {"06 00 0100 00 11",                            "cmd=0x06,fnc=0x00", "diagnostics"     },
    {"06 00 0100 01",                               "cmd=0x06,fnc=0x01", "diagnostics"     },
    {"06 00 0100 02",                               "cmd=0x06,fnc=0x02", "config_change"   },
    {"06 00 0100 03",                               "cmd=0x06,fnc=0x03", "identify"        },
    {"06 00 0100 04",                               "cmd=0x06,fnc=0x04", "config_change"   },
    {"06 00 0100 05",                               "cmd=0x06,fnc=0x05", "config_change"   },
    {"06 00 0100 06",                               "cmd=0x06,fnc=0x06", "config_change"   },
    {"06 00 0100 07",                               "cmd=0x06,fnc=0x07", "config_change"   },
    {"06 00 0100 08",                               "cmd=0x06,fnc=0x08", "config_change"   },
    {"06 00 0100 09",                               "cmd=0x06,fnc=0x09", "diagnostics"     },
    {"06 00 0100 0a",                               "cmd=0x06,fnc=0x0a", "config_change"   },
    {"07 00 0100 00",                               "cmd=0x07,fnc=0x00", "control"         },
    {"07 00 0100 01",                               "cmd=0x07,fnc=0x01", "control"         },
    {"07 00 0100 03",                               "cmd=0x07,fnc=0x03", "start"           },
    {"07 00 0100 04",                               "cmd=0x07,fnc=0x04", "mode_change"     },
    {"07 00 0100 05",                               "cmd=0x07,fnc=0x05", "mode_change"     },
    {"07 00 0100 06",                               "cmd=0x07,fnc=0x06", "mode_change"     },
    {"0f 00 0100 00",                               "cmd=0x0f,fnc=0x00", "write"           },
    {"0f 00 0100 01",                               "cmd=0x0f,fnc=0x01", "read"            },
    {"0f 00 0100 02",                               "cmd=0x0f,fnc=0x02", "control"         },
    {"0f 00 0100 03",                               "cmd=0x0f,fnc=0x03", "write"           },
    {"0f 00 0100 04",                               "cmd=0x0f,fnc=0x04", "read"            },
    {"0f 00 0100 05",                               "cmd=0x0f,fnc=0x05", "program_download"},
    {"0f 00 0100 06",                               "cmd=0x0f,fnc=0x06", "program_upload"  },
    {"0f 00 0100 07",                               "cmd=0x0f,fnc=0x07", "stop"            },
    {"0f 00 0100 08",                               "cmd=0x0f,fnc=0x08", "program_download"},
    {"0f 00 0100 09",                               "cmd=0x0f,fnc=0x09", "program_upload"  },
    {"0f 00 0100 0a",                               "cmd=0x0f,fnc=0x0a", "restart"         },
    {"0f 00 0100 11",                               "cmd=0x0f,fnc=0x11", "lock"            },
    {"0f 00 0100 12",                               "cmd=0x0f,fnc=0x12", "lock"            },
    {"0f 00 0100 17",                               "cmd=0x0f,fnc=0x17", "program_upload"  },
    {"0f 00 0100 18",                               "cmd=0x0f,fnc=0x18", "program_download"},
    {"0f 00 0100 26",                               "cmd=0x0f,fnc=0x26", "write"           },
    {"0f 00 0100 29",                               "cmd=0x0f,fnc=0x29", "browse"          },
    {"0f 00 0100 3a 01",                            "cmd=0x0f,fnc=0x3a", "stop"            },
    {"0f 00 0100 3a 02",                            "cmd=0x0f,fnc=0x3a", "start"           },
    {"0f 00 0100 3a 05",                            "cmd=0x0f,fnc=0x3a", "mode_change"     },
    {"0f 00 0100 41",                               "cmd=0x0f,fnc=0x41", "force"           },
    {"0f 00 0100 50",                               "cmd=0x0f,fnc=0x50", "program_download"},
    {"0f 00 0100 52",                               "cmd=0x0f,fnc=0x52", "program_download"},
    {"0f 00 0100 53",                               "cmd=0x0f,fnc=0x53", "program_upload"  },
    {"0f 00 0100 55",                               "cmd=0x0f,fnc=0x55", "program_upload"  },
    {"0f 00 0100 57",                               "cmd=0x0f,fnc=0x57", "program_delete"  },
    {"0f 00 0100 5e",                               "cmd=0x0f,fnc=0x5e", "config_change"   },
    {"0f 00 0100 67",                               "cmd=0x0f,fnc=0x67", "write"           },
    {"0f 00 0100 68",                               "cmd=0x0f,fnc=0x68", "read"            },
    {"0f 00 0100 79",                               "cmd=0x0f,fnc=0x79", "write"           },
    {"0f 00 0100 80 01",                            "cmd=0x0f,fnc=0x80", "stop"            },
    {"0f 00 0100 80 06",                            "cmd=0x0f,fnc=0x80", "start"           },
    {"0f 00 0100 80 07",                            "cmd=0x0f,fnc=0x80", "mode_change"     },
    {"0f 00 0100 80 08",                            "cmd=0x0f,fnc=0x80", "mode_change"     },
    {"0f 00 0100 80 09",                            "cmd=0x0f,fnc=0x80", "mode_change"     },
    {"0f 00 0100 81",                               "cmd=0x0f,fnc=0x81", "file_read"       },
    {"0f 00 0100 82",                               "cmd=0x0f,fnc=0x82", "file_read"       },
    {"0f 00 0100 88 02 06 03 03 0f 80 06",          "cmd=0x0f,fnc=0x88", "mode_change"     },
    {"0f 00 0100 8f",                               "cmd=0x0f,fnc=0x8f", "config_change"   },
    {"0f 00 0100 a1 02 07 89 00",                   "cmd=0x0f,fnc=0xa1", "read"            },
    {"0f 00 0100 a2 02 07 89 00 00",                "cmd=0x0f,fnc=0xa2", "read"            },
    {"0f 00 0100 a3",                               "cmd=0x0f,fnc=0xa3", "read"            },
    {"0f 00 0100 a7 02 07 89 00",                   "cmd=0x0f,fnc=0xa7", "file_read"       },
    {"0f 00 0100 a7 02 02 22 00",                   "cmd=0x0f,fnc=0xa7", "program_upload"  },
    {"0f 00 0100 a9 02 07 89 00 0100",              "cmd=0x0f,fnc=0xa9", "write"           },
    {"0f 00 0100 aa 02 07 89 00 00 0100",           "cmd=0x0f,fnc=0xaa", "write"           },
    {"0f 00 0100 aa 02 02 22 00 00 0100",           "cmd=0x0f,fnc=0xaa", "program_download"},
    {"0f 00 0100 ab 02 03 85 00 00 0100 0100",      "cmd=0x0f,fnc=0xab", "write"           },
    {"0f 00 0100 ab 04 01 a2 00 00 2000 2000 2000", "cmd=0x0f,fnc=0xab", "force"           },
    {"0f 00 0100 af 02 07 89 00 0100",              "cmd=0x0f,fnc=0xaf", "file_write"      },
    {"0f 00 0100 af 02 02 22 00 0100",              "cmd=0x0f,fnc=0xaf", "program_download"},
    {"0f 00 0100 ee",                               "cmd=0x0f,fnc=0xee", "unknown"         },
    {"0c 00 0100",                                  "cmd=0x0c",          "unknown"         },
};
/* clang-format on */

static void feed(struct probe *p, bool is_from_client, const char *hex)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", WHO, hex);
    probe_hex(p, &dissector_pccc, is_from_client, whole);
}

START_TEST(function)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, row->hex);
    ck_assert_msg(p->event_count == 1, "%s: %zu events", row->hex, p->event_count);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->hex,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(strcmp(e->code, row->code) == 0, "%s: code %s", row->hex, e->code);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->hex, e->operation);
    ck_assert_str_eq(e->protocol, "pccc");

    char reply[32];
    snprintf(reply, sizeof reply, "4%c 10 0100", row->hex[1]);
    feed(p, false, reply);
    e = probe_event(p, 1);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s replied: %s", row->hex,
                  e->operation);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->status, "error 16 illegal_command_or_format");
    probe_destroy(p);
}
END_TEST

START_TEST(table_is_sorted)
{
    for (size_t i = 1; i < pccc_function_count; i++) {
        const struct pccc_function *a = &pccc_functions[i - 1], *b = &pccc_functions[i];
        ck_assert_msg(a->command < b->command ||
                          (a->command == b->command && a->function < b->function),
                      "row %zu", i);
    }
}
END_TEST

struct address_row {
    const char *shows, *hex, *items, *reply, *answered;
};

static const struct address_row addresses[] = {
    {"an integer",            "a2 02 07 89 00 00",           "N7:0",              "2c01",     "N7:0=300"              },
    {"two integers",          "a2 04 07 89 0a 00",           "N7:10",             "01000200", "N7:10=1,2"             },
    {"a float",               "a2 04 08 8a 05 00",           "F8:5",              "00004843", "F8:5=200"              },
    {"a timer's word",        "a2 02 04 86 02 01",           "T4:2.1",            "0a00",     "T4:2.1=10"             },
    {"a status word",         "a2 02 02 84 01 00",           "S2:1",              "0100",     "S2:1=1"                },
    {"a bit word",            "a2 02 03 85 00 00",           "B3:0",              "0080",     "B3:0=32768"            },
    {"an output",             "a2 02 00 8b 00 00",           "O0:0",              "0100",     "O0:0=1"                },
    {"an input",              "a2 02 01 8c 00 00",           "I1:0",              "0100",     "I1:0=1"                },
    {"a counter",             "a2 02 05 87 00 02",           "C5:0.2",            "0100",     "C5:0.2=1"              },
    {"a control",             "a2 02 06 88 00 01",           "R6:0.1",            "0100",     "R6:0.1=1"              },
    {"ASCII",                 "a2 02 09 8e 00 00",           "A9:0",              "4142",     "A9:0=16961"            },
    {"a long",                "a2 04 0a 91 00 00",           "L10:0",             "ffffffff", "L10:0=-1"              },
    {"a string",              "a2 54 0b 8d 00 00",           "ST11:0",            "02004142", "ST11:0=02004142"       },
    {"numbers of 16 bits",    "a2 02 ff2c01 89 ff0001 00",   "N300:256",          "0100",     "N300:256=1"            },
    {"two fields",            "a1 02 07 89 03",              "N7:3",              "0100",     "N7:3=1"                },
    {"another type",          "a2 02 01 b2 00 00",           "type 178 file 1:0", "0100",     "type 178 file 1:0=0100"},
    {"a force file",          "a2 02 01 a2 00 00",           "force I1:0",        "0100",     "force I1:0=1"          },
    {"a write",               "aa 02 07 89 00 00 2c01",      "N7:0=300",          "",         "N7:0"                  },
    {"a write of two fields", "a9 04 08 8a 05 00004843",     "F8:5=200",          "",         "F8:5"                  },
    {"a masked write",        "ab 02 03 85 00 00 0100 0100", "B3:0=1",            "",         "B3:0"                  },
};

START_TEST(address)
{
    const struct address_row *row = &addresses[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    char hex[128];
    snprintf(hex, sizeof hex, "0f 00 0500 %s", row->hex);
    feed(p, true, hex);
    ck_assert_msg(strcmp(probe_event(p, 0)->items, row->items) == 0, "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    snprintf(hex, sizeof hex, "4f 00 0500 %s", row->reply);
    feed(p, false, hex);
    ck_assert_msg(strcmp(probe_event(p, 1)->items, row->answered) == 0, "%s: %s", row->shows,
                  probe_event(p, 1)->items);
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

struct status_row {
    const char *hex, *status;
};

static const struct status_row statuses[] = {
    {"10",    "error 16 illegal_command_or_format"        },
    {"20",    "error 32 host_will_not_communicate"        },
    {"30",    "error 48 remote_node_missing"              },
    {"40",    "error 64 hardware_fault"                   },
    {"50",    "error 80 addressing_problem_or_protected"  },
    {"60",    "error 96 function_disallowed_by_protection"},
    {"70",    "error 112 processor_in_program_mode"       },
    {"80",    "error 128 compatibility_file_missing"      },
    {"90",    "error 144 remote_node_cannot_buffer"       },
    {"f0 0b", "error 3056 access_denied"                  },
    {"f0 7f", "error 32752 extended_status"               },
};

START_TEST(status)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    char hex[32];
    unsigned sts, ext = 0;
    bool has_ext = sscanf(statuses[_i].hex, "%x %x", &sts, &ext) == 2;
    feed(p, true, "0f 00 0500 50");
    if (has_ext)
        snprintf(hex, sizeof hex, "4f %02x 0500 %02x", sts, ext);
    else
        snprintf(hex, sizeof hex, "4f %02x 0500", sts);
    feed(p, false, hex);
    ck_assert_str_eq(probe_event(p, 1)->status, statuses[_i].status);
    probe_destroy(p);
}
END_TEST

START_TEST(identity_becomes_facts)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "06 00 63c5 03");
    feed(p, false, "46 00 63c5 00ee4a9f23 313736362d4c4543202020 0000 26 0036829efc01");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "order_number=1766-LEC; hardware_version=series B revision D; "
                     "vendor=Rockwell Automation/Allen-Bradley; mode=run");
    feed(p, true, "06 00 64c5 03");
    feed(p, false, "46 00 64c5 00ee4a9f23 313736362d4c4543202020 0000 21 0036829efc01");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->facts, "mode=program"));
    probe_destroy(p);
}
END_TEST

START_TEST(download_is_one_transfer)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "0f 00 0100 50");
    feed(p, true, "0f 00 0200 18 00000000 0102");
    feed(p, true, "0f 00 0300 af 02 02 22 00 aabb");
    feed(p, true, "0f 00 0400 52");
    ck_assert_str_eq(probe_event(p, 0)->transfer,
                     "begin program_download key=1 name=processor memory");
    ck_assert_str_eq(probe_event(p, 1)->transfer,
                     "block program_download key=1 name=processor memory bytes=6");
    ck_assert_str_eq(probe_event(p, 2)->transfer,
                     "block program_download key=1 name=processor memory bytes=2");
    ck_assert_str_eq(probe_event(p, 3)->transfer,
                     "end program_download key=1 name=processor memory");
    probe_destroy(p);
}
END_TEST

START_TEST(upload_is_one_transfer)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "0f 00 0100 53");
    feed(p, true, "0f 00 0200 17 00000000 04");
    feed(p, false, "4f 00 0200 01020304");
    feed(p, true, "0f 00 0300 55");
    ck_assert_str_eq(probe_event(p, 0)->transfer,
                     "begin program_upload key=2 name=processor memory");
    ck_assert_str_eq(probe_event(p, 2)->transfer,
                     "block program_upload key=2 name=processor memory bytes=4");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "end program_upload key=2 name=processor memory");
    probe_destroy(p);
}
END_TEST

struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
};

static const struct wrong wrongs[] = {
    {"requestor past the end",     "08 4d00 e0312b3d",                      VIOLATION_LENGTH  },
    {"requestor of nothing",       "00",                                    VIOLATION_LENGTH  },
    {"command cut",                WHO "0f 00 01",                          VIOLATION_LENGTH  },
    {"function missing",           WHO "0f 00 0100",                        VIOLATION_LENGTH  },
    {"address cut",                WHO "0f 00 0100 a2 02 07 89 00",         VIOLATION_LENGTH  },
    {"file address cut",           WHO "0f 00 0100 af 02 07 89",            VIOLATION_LENGTH  },
    {"write shorter than it says", WHO "0f 00 0100 aa 04 07 89 00 00 0100", VIOLATION_COUNT   },
    {"status in a command",        WHO "06 10 0100 03",                     VIOLATION_RESERVED},
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_pccc, true, wrongs[_i].hex);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: not told", wrongs[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(reply_without_command_is_marked)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, "4f 00 0900");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    ck_assert_str_eq(probe_event(p, 0)->code, "cmd=0x0f");
    probe_destroy(p);
}
END_TEST

START_TEST(cip_carries_it)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->carrier = (struct carrier){.key = 1, .is_keyed = true, .transaction = 1};
    probe_hex(p, &dissector_cip, true, "4b 02 2067 2401 " WHO "0f 00 c562 a2 02 07 89 00 00");
    probe_hex(p, &dissector_cip, false, "cb000000 " WHO "4f 00 c562 0500");
    ck_assert_uint_eq(p->event_count, 4);
    ck_assert_str_eq(probe_event(p, 0)->code, "service=0x4b,class=0x67");
    ck_assert_str_eq(probe_event(p, 1)->protocol, "pccc");
    ck_assert_str_eq(probe_event(p, 1)->items, "N7:0");
    ck_assert_str_eq(probe_event(p, 3)->items, "N7:0=5");
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(probe_event(p, i)->flags, i % 2 == 0 ? OT_CARRIER : 0);
    probe_destroy(p);
}
END_TEST

START_TEST(cut_anywhere_it_is_safe)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, WHO "0f 00 0100 ab 02 03 85 00 00 0100 0100");
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_set_arena(p, n % 2 ? 32 : 4096);
        probe_feed(p, &dissector_pccc, true, bytes, n);
        ck_assert_msg(p->event_count + p->violation_count > 0, "prefix of %zu", n);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pccc");
    TCase *tc = tcase_create("pccc");
    tcase_add_loop_test(tc, function, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, address, 0, sizeof addresses / sizeof *addresses);
    tcase_add_loop_test(tc, status, 0, sizeof statuses / sizeof *statuses);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tc, table_is_sorted);
    tcase_add_test(tc, identity_becomes_facts);
    tcase_add_test(tc, download_is_one_transfer);
    tcase_add_test(tc, upload_is_one_transfer);
    tcase_add_test(tc, reply_without_command_is_marked);
    tcase_add_test(tc, cip_carries_it);
    tcase_add_test(tc, cut_anywhere_it_is_safe);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
