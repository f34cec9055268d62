/* test_fins.c: FINS over UDP and TCP, held against PROTOCOLS 15 and the manuals. */
#include "support/check_pdu.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_fins;

#define ASK    "80 00 02 00 0a 00 00 05 00 17 "
#define ANSWER "c0 00 02 00 05 00 00 0a 00 17 "

static const struct command {
    const char *code, *name, *operation;
} commands[] = {
    {"0101", "memory_area_read",            "read"            },
    {"0102", "memory_area_write",           "write"           },
    {"0103", "memory_area_fill",            "write"           },
    {"0104", "multiple_memory_area_read",   "read"            },
    {"0105", "memory_area_transfer",        "write"           },
    {"0201", "parameter_area_read",         "read"            },
    {"0202", "parameter_area_write",        "config_change"   },
    {"0203", "parameter_area_clear",        "config_change"   },
    {"0220", "data_link_table_read",        "read"            },
    {"0221", "data_link_table_write",       "config_change"   },
    {"0304", "program_area_protect",        "lock"            },
    {"0305", "program_area_protect_clear",  "lock"            },
    {"0306", "program_area_read",           "program_upload"  },
    {"0307", "program_area_write",          "program_download"},
    {"0308", "program_area_clear",          "program_delete"  },
    {"0401", "run",                         "start"           },
    {"0402", "stop",                        "stop"            },
    {"0403", "reset",                       "restart"         },
    {"0501", "controller_data_read",        "identify"        },
    {"0502", "connection_data_read",        "identify"        },
    {"0601", "controller_status_read",      "diagnostics"     },
    {"0602", "network_status_read",         "diagnostics"     },
    {"0603", "data_link_status_read",       "diagnostics"     },
    {"0620", "cycle_time_read",             "diagnostics"     },
    {"0701", "clock_read",                  "diagnostics"     },
    {"0702", "clock_write",                 "time_set"        },
    {"0801", "loopback_test",               "diagnostics"     },
    {"0802", "broadcast_test_results_read", "diagnostics"     },
    {"0803", "broadcast_test_data_send",    "diagnostics"     },
    {"0920", "message_read",                "diagnostics"     },
    {"0c01", "access_right_acquire",        "lock"            },
    {"0c02", "access_right_forced_acquire", "lock"            },
    {"0c03", "access_right_release",        "lock"            },
    {"2101", "error_clear",                 "diagnostics"     },
    {"2102", "error_log_read",              "diagnostics"     },
    {"2103", "error_log_clear",             "config_change"   },
    {"2201", "file_name_read",              "file_read"       },
    {"2202", "single_file_read",            "file_read"       },
    {"2203", "single_file_write",           "file_write"      },
    {"2204", "memory_card_format",          "program_delete"  },
    {"2205", "file_delete",                 "file_delete"     },
    {"2206", "volume_label_create_delete",  "file_write"      },
    {"2207", "file_copy",                   "file_write"      },
    {"2208", "file_name_change",            "file_write"      },
    {"2209", "file_data_check",             "file_write"      },
    {"220f", "file_memory_index_read",      "file_read"       },
    {"2210", "file_memory_read",            "file_read"       },
    {"2211", "file_memory_write",           "file_write"      },
    {"2301", "forced_set_reset",            "force"           },
    {"2302", "forced_set_reset_cancel",     "force"           },
    {"230a", "multiple_forced_status_read", "diagnostics"     },
    {"2601", "name_set",                    "config_change"   },
    {"2602", "name_delete",                 "config_change"   },
    {"2603", "name_read",                   "identify"        },
};

START_TEST(commands_have_their_class)
{
    const struct command *row = &commands[_i];
    char ask[96], refuse[96], code[8];
    snprintf(ask, sizeof ask, ASK "%s", row->code);
    snprintf(refuse, sizeof refuse, ANSWER "%s 2102", row->code);
    snprintf(code, sizeof code, "0x%s", row->code);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, ask);
    probe_hex(p, &dissector_fins, false, refuse);
    for (size_t i = 0; i < 2; i++) {
        const struct probe_event *e = probe_event(p, i);
        ck_assert_str_eq(e->code, code);
        ck_assert_str_eq(e->name, row->name);
        ck_assert_str_eq(e->operation, row->operation);
        ck_assert_str_eq(e->unit, "0.10.0");
        ck_assert_uint_eq(e->flags, 0);
        ck_assert_uint_eq(e->transaction, 0x17);
    }
    ck_assert_str_eq(probe_event(p, 0)->direction, "request");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 8450 protected");
    probe_destroy(p);
}
END_TEST

static const struct row {
    const char *shows, *ask, *asked, *answer, *answered, *operation, *detail;
} rows[] = {
    {"words of DM",                 "0101 82 0064 00 0002",                                            "dm 100-101",            "0101 0000 0102 fffe",
     "dm 100-101=258,65534",                                                                                                                                                 "read",             ""              },
    {"a bit of CIO",                "0101 30 000a 03 0002",                                            "cio_bit 10-11",         "0101 0000 01 00",
     "cio_bit 10-11=1,0",                                                                                                                                                    "read",             ""              },
    {"a bank of EM",                "0101 a3 0001 00 0001",                                            "em3 1",                 "0101 0000 0007",            "em3 1=7",      "read",             ""              },
    {"a bank of EM, old code",      "0101 91 0001 00 0001",                                            "em1 1",                 "0101 0000 0007",            "em1 1=7",      "read",
     ""                                                                                                                                                                                                          },
    {"an area that nobody knows",   "0101 ee 0001 00 0001",                                            "memory 238 1",          "0101 0000 0007",
     "memory 238 1=0007",                                                                                                                                                    "read",             ""              },
    {"a write",                     "0102 b1 0005 00 0001 1234",                                       "work 5=4660",           "0102 0000",                 "work 5",       "write",            ""              },
    {"a fill",                      "0103 82 0005 00 0010 00ff",                                       "dm 5-20=255",           "0103 0000",                 "dm 5-20",      "write",            ""              },
    {"many areas",                  "0104 82 0001 00 b2 0002 00",                                      "dm 1; holding 2",       "0104 0000 82 0009 b2 000a",
     "dm 1=9; holding 2=10",                                                                                                                                                 "read",             ""              },
    {"a copy inside",               "0105 82 0001 00 b0 0002 00 0003",                                 "dm 1-3{read}; cio 2-4", "0105 0000",
     "dm 1-3; cio 2-4",                                                                                                                                                      "write",            ""              },
    {"a parameter area",            "0202 8012 0000 8001 abcd",                                        "io_table 0=43981",      "0202 0000",                 "io_table 0",
     "config_change",                                                                                                                                                                            ""              },
    {"run mode",                    "0401 ffff 04",                                                    "",                      "0401 0000",                 "",             "start",            "run mode"      },
    {"monitor mode",                "0401 ffff 02",                                                    "",                      "0401 0000",                 "",             "start",            "monitor mode"  },
    {"run without a mode",          "0401",                                                            "",                      "0401 0000",                 "",             "start",            "monitor mode"  },
    {"a mode that nobody knows",    "0401 ffff 09",                                                    "",                      "0401 0000",                 "",             "mode_change",
     "unknown mode"                                                                                                                                                                                              },
    {"forcing on",                  "2301 0001 0001 30 0001 05",                                       "cio_bit 1",             "2301 0000",                 "cio_bit 1",    "force",
     "force on"                                                                                                                                                                                                  },
    {"forcing off",                 "2301 0001 0000 30 0001 05",                                       "cio_bit 1",             "2301 0000",                 "cio_bit 1",    "force",
     "force off"                                                                                                                                                                                                 },
    {"releasing",                   "2301 0001 ffff 30 0001 05",                                       "cio_bit 1",             "2301 0000",                 "cio_bit 1",    "force",
     "release"                                                                                                                                                                                                   },
    {"deleting a file",             "2205 0000 0001 50524f4720202020 2e4f424a",                        "PROG    .OBJ",
     "2205 0000 0001",                                                                                                                                       "PROG    .OBJ", "file_delete",      ""              },
    {"program from a file",         "220c 0001 0000 00000000 00000100 0000 50524f4731202020 2e4f424a",
     "PROG1   .OBJ",                                                                                                            "220c 0000",                 "PROG1   .OBJ", "program_download", "file to memory"},
    {"program to a file",           "220c 0000 0000 00000000 00000100 0000 50524f4731202020 2e4f424a",
     "PROG1   .OBJ",                                                                                                            "220c 0000",                 "PROG1   .OBJ", "program_upload",   "memory to file"},
    {"parameters from a file",      "220b 0001 8010 0000 0010 0000 50524f4731202020 2e4f424a",
     "PROG1   .OBJ",                                                                                                            "220b 0000",                 "PROG1   .OBJ", "file_write",       "file to memory"},
    {"memory compared with a file", "220a 0002 b000 0000 0010 0000 50524f4731202020 2e4f424a",
     "PROG1   .OBJ",                                                                                                            "220a 0000",                 "PROG1   .OBJ", "file_read",        "compare"       },
};

START_TEST(what_is_touched)
{
    const struct row *row = &rows[_i];
    char ask[256], answer[256];
    snprintf(ask, sizeof ask, ASK "%s", row->ask);
    snprintf(answer, sizeof answer, ANSWER "%s", row->answer);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, ask);
    probe_hex(p, &dissector_fins, false, answer);
    check_items(p, 0, row->shows, row->asked, row->operation);
    check_items(p, 1, row->shows, row->answered, row->operation);
    ck_assert_str_eq(probe_event(p, 0)->detail, row->detail);
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_msg(p->violation_count == 0, "%s", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(ranges_are_words_or_bits)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, ASK "0101 82 0064 00 0002");
    probe_hex(p, &dissector_fins, true, ASK "0101 30 0002 03 0002");
    ck_assert(probe_event(p, 0)->has_range);
    ck_assert_uint_eq(probe_event(p, 0)->low, 100);
    ck_assert_uint_eq(probe_event(p, 0)->high, 101);
    ck_assert_uint_eq(probe_event(p, 1)->low, 35);
    ck_assert_uint_eq(probe_event(p, 1)->high, 36);
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    /* CJ2M-CPU33, 02.01 */
    probe_hex(p, &dissector_fins, true, ASK "0501");
    probe_hex(p, &dissector_fins, false,
              ANSWER "0501 0000 434a324d2d4350553333202020202020 20202020"
                     "30322e3031000000000000000000000000000000");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "vendor=Omron; product=CJ2M-CPU33; firmware_version=02.01");
    probe_hex(p, &dissector_fins, true, ASK "0601");
    probe_hex(p, &dissector_fins, false, ANSWER "0601 0000 01 04 0000 0000 0000 0000");
    ck_assert_str_eq(probe_event(p, 3)->facts, "mode=run");
    ck_assert_str_eq(probe_event(p, 3)->detail, "running");
    probe_hex(p, &dissector_fins, true, ASK "0601");
    probe_hex(p, &dissector_fins, false, ANSWER "0601 0000 00 00 0000 0000 0000 0000");
    ck_assert_str_eq(probe_event(p, 5)->facts, "mode=program");
    ck_assert_str_eq(probe_event(p, 5)->detail, "stopped");
    probe_hex(p, &dissector_fins, true, ASK "2601 504c4341");
    ck_assert_str_eq(probe_event(p, 6)->facts, "~name=PLCA");
    probe_destroy(p);
}
END_TEST

START_TEST(a_password_is_never_told)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, ASK "0305 0000 00 00000000 ffffffff 50415353");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_uint_eq(e->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 4);
    ck_assert_str_eq(e->items, "program 0");
    ck_assert_str_eq(e->detail, "");
    probe_destroy(p);
}
END_TEST

START_TEST(a_program_is_a_transfer)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, ASK "0307 0000 00000000 0004 01020304");
    probe_hex(p, &dissector_fins, true, ASK "0307 0000 00000004 8002 0506");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "block program_download key=0 bytes=4");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "end program_download key=0 bytes=2");
    probe_hex(p, &dissector_fins, true, ASK "0306 0000 00000000 0004");
    probe_hex(p, &dissector_fins, false, ANSWER "0306 0000 0000 00000000 8004 01020304");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "begin program_upload key=0");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "end program_upload key=0 bytes=4");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_file_that_is_read_is_a_transfer)
{
    static const char *const asks[] = {
        "2202 0000 50524f4731202020 2e4f424a 00000000 0004",
        "2202 0000 50524f4731202020 2e4f424a 00000004 0004",
    };
    struct probe *p = probe_create(TRANSPORT_UDP);
    char ask[160];
    snprintf(ask, sizeof ask, ASK "%s", asks[0]);
    probe_hex(p, &dissector_fins, true, ask);
    probe_hex(p, &dissector_fins, false, ANSWER "2202 0000 00000006 00000000 0004 01020304");
    snprintf(ask, sizeof ask, ASK "%s", asks[1]);
    probe_hex(p, &dissector_fins, true, ask);
    probe_hex(p, &dissector_fins, false, ANSWER "2202 0000 00000006 00000004 0002 0506");
    static const char *const steps[] = {"begin", "block", "block", "end"};
    const char *key = strstr(probe_event(p, 0)->transfer, "key=");
    for (size_t i = 0; i < 4; i++) {
        const struct probe_event *e = probe_event(p, i);
        ck_assert_str_eq(e->items, "PROG1   .OBJ");
        ck_assert_msg(strncmp(e->transfer, steps[i], strlen(steps[i])) == 0, "%s", e->transfer);
        ck_assert(key && strncmp(strstr(e->transfer, "key="), key, strlen(key)) == 0);
    }
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "declared=6 bytes=4"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->transfer, "declared=6 bytes=2"));
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(what_was_refused_is_named)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, ASK "0308 0007 00");
    probe_hex(p, &dissector_fins, false, ANSWER "0308 2102");
    ck_assert_str_eq(probe_event(p, 1)->items, "program 7");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 8450 protected");
    probe_destroy(p);
}
END_TEST

START_TEST(an_answer_alone)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    probe_hex(p, &dissector_fins, true, ANSWER "0101 0000 0001");
    ck_assert(!probe_event(p, 0)->is_from_client);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    ck_assert_str_eq(probe_event(p, 0)->direction, "response");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_broadcast_wants_no_answer)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, "81 00 02 00 ff 00 00 05 00 17 0402");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_BROADCAST);
    probe_destroy(p);
}
END_TEST

START_TEST(node_addresses_over_tcp)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_fins, true, "46494e53 0000000c 00000000 00000000 00000000");
    probe_hex(p, &dissector_fins, false, "46494e53 00000010 00000001 00000000 00000005 0000000a");
    probe_hex(p, &dissector_fins, false, "46494e53 00000008 00000003 00000021");
    ck_assert_str_eq(probe_event(p, 0)->code, "tcp=0");
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 1)->detail, "client node 5, server node 10");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 2)->operation, "error");
    ck_assert_str_eq(probe_event(p, 2)->status, "error 33");
    ck_assert(probe_has_violation(p, VIOLATION_STATE));
    probe_destroy(p);
}
END_TEST

static const struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
} wrongs[] = {
    {"reserved byte",           "80 01 02 00 0a 00 00 05 00 17 0402",  VIOLATION_RESERVED },
    {"reserved bit of ICF",     "82 00 02 00 0a 00 00 05 00 17 0402",  VIOLATION_RESERVED },
    {"no gateway",              "80 00 00 00 0a 00 00 05 00 17 0402",  VIOLATION_RANGE    },
    {"8 gateways",              "80 00 08 00 0a 00 00 05 00 17 0402",  VIOLATION_RANGE    },
    {"unknown command",         ASK "0199",                            VIOLATION_FUNCTION },
    {"less data than words",    ASK "0102 82 0000 00 0002 0001",       VIOLATION_COUNT    },
    {"more data than words",    ASK "0102 82 0000 00 0001 0001 0002",  VIOLATION_COUNT    },
    {"bit 16",                  ASK "0101 30 0000 10 0001",            VIOLATION_RANGE    },
    {"past the end",            ASK "0101 82 ffff 00 0002",            VIOLATION_RANGE    },
    {"cut inside an address",   ASK "0101 82 00",                      VIOLATION_TRUNCATED},
    {"cut inside the header",   "80 00 02 00 0a",                      VIOLATION_TRUNCATED},
    {"answer without end code", ANSWER "0101 00",                      VIOLATION_TRUNCATED},
    {"forced bits do not fit",  ASK "2301 0001 0001 30 0001 05 30",    VIOLATION_COUNT    },
    {"unknown TCP command",     "46494e53 00000008 00000009 00000000", VIOLATION_FUNCTION },
    {"TCP length of another",   "46494e53 00000009 00000006 00000000", VIOLATION_LENGTH   },
};

START_TEST(violations)
{
    check_violation(&dissector_fins, wrongs[_i].shows, wrongs[_i].hex, wrongs[_i].kind);
}
END_TEST

START_TEST(the_ends_of_what_is_allowed)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_fins, true, ASK "0101 82 fffe 00 0002");
    probe_hex(p, &dissector_fins, true, ASK "0101 30 0000 0f 0001");
    probe_hex(p, &dissector_fins, true, "80 00 07 00 0a 00 00 05 00 17 0402");
    probe_hex(p, &dissector_fins, true, "80 00 01 00 0a 00 00 05 00 17 0402");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

#define IN_TCP "46494e53 0000001a 00000002 00000000 " ASK "0101 82 0064 00 0002"

START_TEST(framing)
{
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, IN_TCP);
    for (size_t n = 0; n < size; n++) {
        ck_assert_int_eq(probe_recognise(&dissector_fins, bytes, n), n == 0  ? CLAIM_NO
                                                                     : n < 6 ? CLAIM_MORE
                                                                             : CLAIM_YES);
    }
    check_prefixes(&dissector_fins, bytes, size);
    hex_bytes(bytes, sizeof bytes, "46494e53 00000007");
    ck_assert_int_eq(probe_frame(&dissector_fins, bytes, 8).verdict, FRAME_BROKEN);
    hex_bytes(bytes, sizeof bytes, "46494e53 00000810");
    ck_assert_int_eq(probe_frame(&dissector_fins, bytes, 8).verdict, FRAME_NEED);
    hex_bytes(bytes, sizeof bytes, "46494e53 00000811");
    ck_assert_int_eq(probe_frame(&dissector_fins, bytes, 8).verdict, FRAME_BROKEN);
    hex_bytes(bytes, sizeof bytes, "46494e54 00000010");
    ck_assert_int_eq(probe_frame(&dissector_fins, bytes, 8).verdict, FRAME_BROKEN);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claims[] = {
    {"a datagram",       ASK "0402",                           CLAIM_WEAK},
    {"an answer",        ANSWER "0402 0000",                   CLAIM_WEAK},
    {"no answer wanted", "81 00 02 00 0a 00 00 05 00 17 0402", CLAIM_WEAK},
    {"reserved bits",    "a0 00 02 00 0a 00 00 05 00 17 0402", CLAIM_NO  },
    {"unknown command",  ASK "0502 00",                        CLAIM_WEAK},
    {"no such command",  ASK "0503",                           CLAIM_NO  },
    {"zeros",            "00000000000000000000000000000000",   CLAIM_NO  },
    {"too short",        "80 00 02 00 0a",                     CLAIM_NO  },
    {"another word",     "46494e45",                           CLAIM_NO  },
};

START_TEST(recognition)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, claims[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_fins, bytes, size) == claims[_i].claim, "%s",
                  claims[_i].shows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fins");
    TCase *tc = tcase_create("fins");
    tcase_add_loop_test(tc, commands_have_their_class, 0, sizeof commands / sizeof *commands);
    tcase_add_loop_test(tc, what_is_touched, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_loop_test(tc, recognition, 0, sizeof claims / sizeof *claims);
    tcase_add_test(tc, ranges_are_words_or_bits);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, a_password_is_never_told);
    tcase_add_test(tc, a_program_is_a_transfer);
    tcase_add_test(tc, an_answer_alone);
    tcase_add_test(tc, a_broadcast_wants_no_answer);
    tcase_add_test(tc, node_addresses_over_tcp);
    tcase_add_test(tc, the_ends_of_what_is_allowed);
    tcase_add_test(tc, a_file_that_is_read_is_a_transfer);
    tcase_add_test(tc, what_was_refused_is_named);
    tcase_add_test(tc, framing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
