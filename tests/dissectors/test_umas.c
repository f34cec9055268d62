/* test_umas.c: UMAS over Modbus function 90, held against PROTOCOLS 5.1. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_modbus, dissector_umas;

enum { ADU_ROOM = 2100 };

/* UMAS bytes (from the session key on) in Modbus function 90 of unit 0. */
static void feed(struct probe *p, bool is_from_client, uint8_t transaction, const char *umas)
{
    uint8_t adu[ADU_ROOM] = {0, transaction, 0, 0, 0, 0, 0, 0x5a};
    size_t size = 8 + hex_bytes(adu + 8, ADU_ROOM - 8, umas);
    adu[4] = (uint8_t)((size - 6) >> 8);
    adu[5] = (uint8_t)(size - 6);
    ck_assert_int_eq(probe_stream(p, &dissector_modbus, is_from_client, adu, size), FRAME_COMPLETE);
}

/* The UMAS event of the i-th PDU: each has a modbus line before it. */
static const struct probe_event *umas_event(const struct probe *p, size_t i)
{
    const struct probe_event *carrier = probe_event(p, 2 * i);
    ck_assert_str_eq(carrier->protocol, "modbus");
    ck_assert_str_eq(carrier->code, "90");
    const struct probe_event *e = probe_event(p, 2 * i + 1);
    ck_assert_str_eq(e->protocol, "umas");
    ck_assert_str_eq(e->direction, carrier->direction);
    ck_assert_uint_eq(e->transaction, carrier->transaction);
    return e;
}

static const struct row {
    const char *code, *name, *operation;
} rows[] = {
    {"01", "init_communication",        "session"         },
    {"02", "read_plc_id",               "identify"        },
    {"03", "read_project_info",         "identify"        },
    {"04", "read_plc_info",             "diagnostics"     },
    {"05", "read_loader_info",          "identify"        },
    {"06", "read_memory_card_info",     "identify"        },
    {"07", "read_block_info",           "browse"          },
    {"0a", "repeat",                    "session"         },
    {"10", "take_reservation",          "lock"            },
    {"11", "release_reservation",       "lock"            },
    {"12", "keep_alive",                "session"         },
    {"20", "read_memory_block",         "read"            },
    {"21", "write_memory_block",        "write"           },
    {"22", "read_variables",            "read"            },
    {"23", "write_variables",           "write"           },
    {"24", "read_coils_registers",      "read"            },
    {"25", "write_coils_registers",     "write"           },
    {"26", "data_dictionary",           "browse"          },
    {"27", "data_dictionary_preload",   "browse"          },
    {"28", "read_physical_address",     "read"            },
    {"29", "write_physical_address",    "write"           },
    {"2a", "browse_events",             "diagnostics"     },
    {"30", "initialize_download",       "program_download"},
    {"31", "download_block",            "program_download"},
    {"32", "end_download",              "program_download"},
    {"33", "initialize_upload",         "program_upload"  },
    {"34", "upload_block",              "program_upload"  },
    {"35", "end_upload",                "program_upload"  },
    {"36", "backup",                    "program_upload"  },
    {"37", "preload_blocks",            "program_download"},
    {"39", "read_ethernet_master_data", "identify"        },
    {"40", "start_plc",                 "start"           },
    {"41", "stop_plc",                  "stop"            },
    {"42", "init_plc",                  "restart"         },
    {"43", "swap_blocks",               "program_modify"  },
    {"50", "monitor_variables",         "subscribe"       },
    {"51", "get_auto_modification",     "diagnostics"     },
    {"52", "get_forced_bits",           "diagnostics"     },
    {"53", "get_selected_blocks",       "diagnostics"     },
    {"58", "check_plc",                 "diagnostics"     },
    {"60", "set_breakpoint",            "program_modify"  },
    {"61", "delete_breakpoint",         "program_modify"  },
    {"62", "step_over",                 "program_modify"  },
    {"63", "step_in",                   "program_modify"  },
    {"64", "step_out",                  "program_modify"  },
    {"65", "get_call_stack",            "diagnostics"     },
    {"66", "check_debug_allowed",       "diagnostics"     },
    {"6c", "process_message",           "unknown"         },
    {"6d", "private_message",           "unknown"         },
    {"6e", "reservation_nonces",        "auth"            },
    {"70", "read_io_object",            "read"            },
    {"71", "write_io_object",           "write"           },
    {"72", "read_rack",                 "identify"        },
    {"73", "read_module_status",        "identify"        },
    {"74", "read_device_data",          "identify"        },
    {"00", "",                          "unknown"         },
    {"44", "",                          "unknown"         },
    {"75", "",                          "unknown"         },
    {"f0", "",                          "unknown"         },
};
enum { ROWS = sizeof rows / sizeof *rows };

static void check_function(const struct row *row, const char *before)
{
    char request[128], code[8];
    snprintf(request, sizeof request, "%s%s 0000000000000000", before, row->code);
    snprintf(code, sizeof code, "0x%s", row->code);
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = false;
    feed(p, true, 1, request);
    feed(p, false, 1, "00 fe");
    feed(p, true, 2, request);
    feed(p, false, 2, "00 fd 81");
    const struct probe_event *asked = umas_event(p, 0), *done = umas_event(p, 1),
                             *refused = umas_event(p, 3);
    ck_assert_str_eq(asked->direction, "request");
    ck_assert_str_eq(asked->code, code);
    ck_assert_str_eq(asked->status, "");
    ck_assert_str_eq(done->direction, "response");
    ck_assert_str_eq(done->code, "0xfe");
    ck_assert_str_eq(done->status, "ok");
    ck_assert_str_eq(refused->code, "0xfd");
    ck_assert_str_eq(refused->status, "error 129");
    for (size_t i = 0; i < 4; i++) {
        const struct probe_event *e = umas_event(p, i);
        ck_assert_str_eq(e->name, row->name);
        ck_assert_str_eq(e->operation, row->operation);
        ck_assert_uint_eq(e->flags, 0);
        ck_assert_str_eq(e->unit, "0");
    }
    probe_destroy(p);
}

START_TEST(a_response_has_the_name_of_what_was_asked)
{
    check_function(&rows[_i], "00 ");
}
END_TEST

START_TEST(a_signed_request_is_what_it_wraps)
{
    check_function(
        &rows[_i],
        "00 38 01 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 5a 01 ");
}
END_TEST

START_TEST(a_signed_response_is_what_it_wraps)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, "01 41 ff00");
    feed(p, false, 1,
         "01 38 01 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 5a 01 fe");
    ck_assert_str_eq(umas_event(p, 1)->code, "0xfe");
    ck_assert_str_eq(umas_event(p, 1)->name, "stop_plc");
    probe_destroy(p);
}
END_TEST

START_TEST(a_signature_cut_off_wraps_nothing)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, "01 38 01 0001020304");
    ck_assert_str_eq(umas_event(p, 0)->code, "0x38");
    ck_assert_str_eq(umas_event(p, 0)->name, "signed");
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, "00 02");
    feed(p, false, 1,
         "00 fe 10ff 5a010100 0000 7002 0000 2700 0900 08000000 0000 0e 424d5820503334203230323020 "
         "20 01");
    feed(p, true, 2, "00 03 00");
    feed(p, false, 2, "00 fe 02050000 020c3b0c0e01de07 08000000 06 506c616e7400 00");
    feed(p, true, 3, "00 01 00");
    feed(p, false, 3, "00 fe fd00 0104 00003200 00000000 04 43505531");
    ck_assert_str_eq(umas_event(p, 1)->facts, "vendor=Schneider Electric; product=BMX P34 2020; "
                                              "firmware_version=2.70; hardware_version=9");
    ck_assert_str_eq(umas_event(p, 3)->facts, "program=Plant");
    ck_assert_str_eq(umas_event(p, 5)->facts, "name=CPU1");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_reservation_tells_who_takes_it)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, "00 10 434c0000 05 454e473031");
    ck_assert_str_eq(umas_event(p, 0)->facts, "host_name=ENG01");
    ck_assert_str_eq(umas_event(p, 0)->detail, "ENG01");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(memory_blocks)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, "00 20 00 1300 6400 0000 0300");
    feed(p, false, 1, "00 fe 00 0300 010203");
    feed(p, true, 2, "01 21 00 1400 0001 0000 0200 aabb");
    feed(p, false, 2, "01 fe");
    ck_assert_str_eq(umas_event(p, 0)->items, "memory_block 19 100-102");
    ck_assert_str_eq(umas_event(p, 1)->items, "memory_block 19 100-102=010203");
    ck_assert_str_eq(umas_event(p, 2)->items, "memory_block 20 256-257=aabb");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(variables)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    /* a byte, a word, a double word and an array of two words */
    feed(p, true, 1,
         "00 22 11223344 04  01 5200 01 0000 05  02 5200 01 0100 06  03 5300 01 0000 08  12 5400 "
         "01 0000 00 0200");
    feed(p, false, 1, "00 fe 07 0102 01020304 0a000b00");
    feed(p, true, 2,
         "01 23 11223344 02  02 5200 01 0000 06 3412  12 5400 01 0000 00 0200 0a000b00");
    feed(p, false, 2, "01 fe");
    ck_assert_str_eq(umas_event(p, 0)->items,
                     "variable 82 5; variable 82 262; variable 83 8; variable 84 0-1");
    ck_assert_str_eq(
        umas_event(p, 1)->items,
        "variable 82 5=7; variable 82 262=513; variable 83 8=67305985; variable 84 0-1=10,11");
    ck_assert_str_eq(umas_event(p, 2)->items, "variable 82 6=4660; variable 84 0-1=10,11");
    ck_assert_str_eq(umas_event(p, 3)->items, "variable 82 6; variable 84 0-1");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(variables_beyond_those_kept_are_counted)
{
    uint8_t adu[ADU_ROOM] = {0, 1, 0, 0, 0, 0, 0, 0x5a, 0, 0x22, 0, 0, 0, 0, 100};
    static const uint8_t record[] = {0x02, 0x52, 0, 1, 0, 0, 6};
    size_t size = 15;
    for (int i = 0; i < 100; i++, size += sizeof record)
        memcpy(adu + size, record, sizeof record);
    adu[4] = (uint8_t)((size - 6) >> 8);
    adu[5] = (uint8_t)(size - 6);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_stream(p, &dissector_modbus, true, adu, size);
    ck_assert_uint_eq(umas_event(p, 0)->items_total, 100);
    ck_assert_uint_eq(umas_event(p, 0)->item_count, 32);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_download_is_a_transfer)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, "00 10 434c0000 05 454e473031");
    feed(p, false, 1, "00 fe 01");
    feed(p, true, 2, "01 30 0001");
    feed(p, false, 2, "01 fe 0001 fb00");
    feed(p, true, 3, "01 31 0001 0100 0300 010203");
    feed(p, true, 4, "01 31 0001 0100 0300 010203"); /* sent again */
    feed(p, true, 5, "01 31 0001 0200 0200 0405");
    feed(p, true, 6, "01 32 0001 0200");
    ck_assert_str_eq(umas_event(p, 2)->transfer, "begin program_download key=0 name=strategy");
    ck_assert_str_eq(umas_event(p, 4)->transfer,
                     "block program_download key=0 name=strategy bytes=3");
    ck_assert_str_eq(umas_event(p, 5)->transfer, "");
    ck_assert_str_eq(umas_event(p, 6)->transfer,
                     "block program_download key=0 name=strategy bytes=2");
    ck_assert_str_eq(umas_event(p, 7)->transfer, "end program_download key=0 name=strategy");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_upload_is_a_transfer_in_the_responses)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, "01 33 0001 fb00");
    feed(p, false, 1, "01 fe 0001 05000000");
    feed(p, true, 2, "01 34 0001 0100");
    feed(p, false, 2, "01 fe 00 00 0300 010203");
    feed(p, true, 3, "01 34 0001 0200");
    feed(p, false, 3, "01 fe 01 00 0200 0405");
    feed(p, true, 4, "01 35 0001 0200");
    ck_assert_str_eq(umas_event(p, 0)->transfer, "begin program_upload key=0 name=strategy");
    ck_assert_str_eq(umas_event(p, 1)->transfer,
                     "begin program_upload key=0 name=strategy declared=5");
    ck_assert_str_eq(umas_event(p, 2)->transfer, "");
    ck_assert_str_eq(umas_event(p, 3)->transfer,
                     "block program_upload key=0 name=strategy bytes=3");
    ck_assert_str_eq(umas_event(p, 5)->transfer,
                     "block program_upload key=0 name=strategy bytes=2");
    ck_assert_str_eq(umas_event(p, 6)->transfer, "end program_upload key=0 name=strategy");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct malformed {
    const char *shows;
    bool is_from_client;
    const char *umas;
    enum violation_kind kind;
} malformed[] = {
    {"a memory read shorter than its header",   true,  "00 20 00 1300",                        VIOLATION_TRUNCATED},
    {"a memory write shorter than it says",     true,  "00 21 00 1300 0000 0000 0500 01",
     VIOLATION_TRUNCATED                                                                                          },
    {"more variables than are there",           true,  "00 22 11223344 02 01 5200 01 0000 05",
     VIOLATION_TRUNCATED                                                                                          },
    {"a block longer than the frame",           true,  "00 31 0001 0100 0500 01",              VIOLATION_TRUNCATED},
    {"a host name longer than the frame",       true,  "00 10 434c0000 50 41",                 VIOLATION_TRUNCATED},
    {"a download nobody reserved for",          true,  "00 30 0001",                           VIOLATION_STATE    },
    {"a response that is neither ok nor error", false, "00 41",                                VIOLATION_FUNCTION },
};

START_TEST(malformed_is_told)
{
    const struct malformed *row = &malformed[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, row->is_from_client, 1, row->umas);
    ck_assert_msg(probe_has_violation(p, row->kind), "%s", row->shows);
    ck_assert_str_eq(umas_event(p, 0)->protocol, "umas");
    probe_destroy(p);
}
END_TEST

START_TEST(a_response_nobody_asked_for_has_no_name)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 1, "00 fe 00");
    ck_assert_uint_eq(umas_event(p, 0)->flags, OT_NO_REQUEST);
    ck_assert_str_eq(umas_event(p, 0)->name, "");
    probe_destroy(p);
}
END_TEST

/* Every prefix of every request and response that has a layout, as a PDU of its own. */
START_TEST(every_prefix_is_an_event)
{
    static const char *const exchanges[][2] = {
        {"00 02",                                              "00 fe 10ff5a0101000000700200002700090008000000000004424d5820"},
        {"00 03 00",                                           "00 fe 0205000006506c616e7400"                                },
        {"00 10 434c0000 05 454e473031",                       "00 fe 01"                                                    },
        {"00 20 00 1300 6400 0000 0300",                       "00 fe 00 0300 010203"                                        },
        {"01 23 11223344 01 12 5400 01 0000 00 0200 0a000b00", "01 fe"                                                       },
        {"00 22 11223344 01 02 5400 01 0000 00",               "00 fe 0a00"                                                  },
        {"01 31 0001 0100 0300 010203",                        "01 fe"                                                       },
        {"01 34 0001 0100",                                    "01 fe 00 00 0300 010203"                                     },
    };
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        for (size_t cut = 0; cut < 40; cut++) {
            struct probe *p = probe_create(TRANSPORT_TCP);
            p->carrier.is_keyed = true;
            for (int is_response = 0; is_response <= 1; is_response++) {
                uint8_t pdu[256] = {0x5a};
                size_t size = 1 + hex_bytes(pdu + 1, sizeof pdu - 1, exchanges[i][is_response]);
                size = size > cut + 3 ? size - cut : size < 3 ? size : 3;
                p->carrier.is_response = is_response;
                probe_feed(p, &dissector_umas, !is_response, pdu, size);
            }
            ck_assert_uint_eq(p->event_count, 2);
            probe_destroy(p);
        }
    }
}
END_TEST

static Suite *umas_suite(void)
{
    Suite *suite = suite_create("umas");
    TCase *tests = tcase_create("umas");
    tcase_add_loop_test(tests, a_response_has_the_name_of_what_was_asked, 0, ROWS);
    tcase_add_loop_test(tests, a_signed_request_is_what_it_wraps, 0, ROWS);
    tcase_add_test(tests, a_signed_response_is_what_it_wraps);
    tcase_add_test(tests, a_signature_cut_off_wraps_nothing);
    tcase_add_test(tests, identity);
    tcase_add_test(tests, a_reservation_tells_who_takes_it);
    tcase_add_test(tests, memory_blocks);
    tcase_add_test(tests, variables);
    tcase_add_test(tests, variables_beyond_those_kept_are_counted);
    tcase_add_test(tests, a_download_is_a_transfer);
    tcase_add_test(tests, an_upload_is_a_transfer_in_the_responses);
    tcase_add_loop_test(tests, malformed_is_told, 0, (int)(sizeof malformed / sizeof *malformed));
    tcase_add_test(tests, a_response_nobody_asked_for_has_no_name);
    tcase_add_test(tests, every_prefix_is_an_event);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(umas_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
