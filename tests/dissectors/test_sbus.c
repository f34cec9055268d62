/* test_sbus.c: Ether-S-Bus; commands and layouts as public decoders list them. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_sbus;

static uint16_t ccitt(const uint8_t *bytes, size_t size)
{
    unsigned crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return (uint16_t)crc;
}

/* | length 4 | version | kind | sequence 2 | attribute | body | CRC |; returns its size. */
static size_t telegram(uint8_t out[128], uint8_t attribute, const char *body)
{
    size_t size = 9 + hex_bytes(out + 9, 100, body) + 2;
    memcpy(out, (const uint8_t[]){0, 0, 0, (uint8_t)size, 1, 0, 0, 1, attribute}, 9);
    uint16_t crc = ccitt(out, size - 2);
    out[size - 2] = (uint8_t)(crc >> 8);
    out[size - 1] = (uint8_t)crc;
    return size;
}

static void feed(struct probe *p, bool is_from_client, uint8_t attribute, const char *body)
{
    uint8_t pdu[128];
    size_t size = telegram(pdu, attribute, body);
    probe_feed(p, &dissector_sbus, is_from_client, pdu, size);
}

struct command {
    int number;
    const char *body, *operation, *name;
};

static const struct command commands[] = {
    {0,   "000021",         "read",            "read_counters"            },
    {1,   "",               "read",            "read_display_register"    },
    {2,   "000021",         "read",            "read_flags"               },
    {3,   "000021",         "read",            "read_inputs"              },
    {4,   "",               "diagnostics",     "read_clock"               },
    {5,   "000021",         "read",            "read_outputs"             },
    {6,   "000021",         "read",            "read_registers"           },
    {7,   "000021",         "read",            "read_timers"              },
    {10,  "050021000004d2", "write",           "write_counters"           },
    {11,  "03000507ff",     "write",           "write_flags"              },
    {12,  "",               "time_set",        "write_clock"              },
    {13,  "03000507ff",     "control",         "write_outputs"            },
    {14,  "050021000004d2", "write",           "write_registers"          },
    {15,  "050021000004d2", "write",           "write_timers"             },
    {19,  "",               "write",           "read_write_several"       },
    {20,  "",               "diagnostics",     "read_status_of_cpu_0"     },
    {21,  "",               "diagnostics",     "read_status_of_cpu_1"     },
    {22,  "",               "diagnostics",     "read_status_of_cpu_2"     },
    {23,  "",               "diagnostics",     "read_status_of_cpu_3"     },
    {24,  "",               "diagnostics",     "read_status_of_cpu_4"     },
    {25,  "",               "diagnostics",     "read_status_of_cpu_5"     },
    {26,  "",               "diagnostics",     "read_status_of_cpu_6"     },
    {27,  "",               "diagnostics",     "read_own_status"          },
    {29,  "",               "identify",        "read_station_number"      },
    {30,  "00000021",       "read",            "read_user_memory"         },
    {31,  "00000021",       "program_upload",  "read_program_line"        },
    {32,  "",               "identify",        "read_firmware_version"    },
    {33,  "",               "read",            "read_text"                },
    {34,  "",               "diagnostics",     "read_active_transition"   },
    {35,  "05000021aa",     "program_modify",  "write_user_memory"        },
    {36,  "05000021aa",     "program_modify",  "write_program_line"       },
    {37,  "",               "write",           "write_text"               },
    {40,  "",               "start",           "run_cpu_0"                },
    {41,  "",               "start",           "run_cpu_1"                },
    {42,  "",               "start",           "run_cpu_2"                },
    {43,  "",               "start",           "run_cpu_3"                },
    {44,  "",               "start",           "run_cpu_4"                },
    {45,  "",               "start",           "run_cpu_5"                },
    {46,  "",               "start",           "run_cpu_6"                },
    {47,  "",               "start",           "run_own_cpu"              },
    {48,  "",               "start",           "run_all_cpus"             },
    {50,  "",               "restart",         "restart_cold_cpu_1"       },
    {51,  "",               "restart",         "restart_cold_cpu_2"       },
    {52,  "",               "restart",         "restart_cold_cpu_3"       },
    {53,  "",               "restart",         "restart_cold_cpu_4"       },
    {54,  "",               "restart",         "restart_cold_cpu_5"       },
    {55,  "",               "restart",         "restart_cold_cpu_6"       },
    {56,  "",               "restart",         "restart_cold_own_cpu"     },
    {57,  "",               "restart",         "restart_cold_all_cpus"    },
    {60,  "",               "stop",            "stop_cpu_0"               },
    {61,  "",               "stop",            "stop_cpu_1"               },
    {62,  "",               "stop",            "stop_cpu_2"               },
    {63,  "",               "stop",            "stop_cpu_3"               },
    {64,  "",               "stop",            "stop_cpu_4"               },
    {65,  "",               "stop",            "stop_cpu_5"               },
    {66,  "",               "stop",            "stop_cpu_6"               },
    {67,  "",               "stop",            "stop_own_cpu"             },
    {68,  "",               "stop",            "stop_all_cpus"            },
    {70,  "",               "diagnostics",     "read_accumulator"         },
    {71,  "00000021",       "read",            "read_bytes"               },
    {72,  "",               "diagnostics",     "read_halt_failure"        },
    {73,  "",               "diagnostics",     "read_index_register"      },
    {74,  "",               "diagnostics",     "read_instruction_pointer" },
    {75,  "",               "diagnostics",     "find_history"             },
    {80,  "",               "write",           "write_accumulator"        },
    {81,  "05000021aa",     "write",           "write_bytes"              },
    {82,  "",               "write",           "write_index_register"     },
    {83,  "",               "mode_change",     "write_instruction_pointer"},
    {90,  "",               "control",         "clear_all"                },
    {91,  "",               "write",           "clear_flags"              },
    {92,  "",               "control",         "clear_outputs"            },
    {93,  "",               "write",           "clear_registers"          },
    {94,  "",               "write",           "clear_timers"             },
    {100, "",               "restart",         "restart_warm_cpu_1"       },
    {101, "",               "restart",         "restart_warm_cpu_2"       },
    {102, "",               "restart",         "restart_warm_cpu_3"       },
    {103, "",               "restart",         "restart_warm_cpu_4"       },
    {104, "",               "restart",         "restart_warm_cpu_5"       },
    {105, "",               "restart",         "restart_warm_cpu_6"       },
    {106, "",               "restart",         "restart_warm_own_cpu"     },
    {107, "",               "restart",         "restart_warm_all_cpus"    },
    {110, "",               "program_modify",  "change_block"             },
    {111, "",               "config_change",   "clear_history"            },
    {112, "",               "program_delete",  "delete_program_line"      },
    {113, "",               "mode_change",     "go_conditional"           },
    {114, "",               "program_modify",  "insert_program_line"      },
    {115, "",               "mode_change",     "local_cycles"             },
    {116, "",               "mode_change",     "all_cycles"               },
    {117, "",               "program_modify",  "make_text"                },
    {118, "",               "control",         "execute_instruction"      },
    {119, "",               "mode_change",     "single_step"              },
    {130, "",               "control",         "interrupt_xob_17"         },
    {131, "",               "control",         "interrupt_xob_18"         },
    {132, "",               "control",         "interrupt_xob_19"         },
    {145, "",               "diagnostics",     "read_hangup_timeout"      },
    {150, "",               "read",            "read_data_block"          },
    {151, "",               "write",           "write_data_block"         },
    {152, "",               "program_modify",  "make_data_block"          },
    {153, "",               "program_delete",  "clear_data_block"         },
    {154, "",               "program_delete",  "clear_text"               },
    {155, "",               "browse",          "read_block_address"       },
    {156, "",               "browse",          "read_block_sizes"         },
    {157, "",               "diagnostics",     "read_current_block"       },
    {158, "",               "diagnostics",     "read_call_stack"          },
    {159, "",               "read",            "read_dbx"                 },
    {161, "",               "read",            "read_eeprom_register"     },
    {163, "",               "config_change",   "write_eeprom_register"    },
    {165, "",               "program_delete",  "erase_flash"              },
    {166, "",               "restart",         "restart_cold_flag"        },
    {167, "",               "config_change",   "write_system_buffer"      },
    {168, "",               "diagnostics",     "read_system_buffer"       },
    {169, "",               "browse",          "block_data"               },
    {170, "",               "diagnostics",     "get_diagnostic"           },
    {171, "",               "identify",        "read_system_information"  },
    {172, "",               "program_modify",  "change_blocks_in_run"     },
    {173, "",               "file_write",      "flash_card"               },
    {174, "",               "firmware_update", "download_firmware"        },
    {175, "",               "session",         "web_server"               },
};

START_TEST(every_command)
{
    const struct command *c = &commands[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    char body[64], code[8];
    snprintf(body, sizeof body, "0a%02x%s", c->number, c->body);
    snprintf(code, sizeof code, "0x%02x", c->number);
    feed(p, true, 0, body);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(p->violation_count == 0, "%s: violation", c->name);
    ck_assert_msg(!strcmp(e->operation, c->operation), "%s: %s", c->name, e->operation);
    ck_assert_str_eq(e->name, c->name);
    ck_assert_str_eq(e->code, code);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->unit, "10");
    feed(p, false, 2, "0000");
    e = probe_event(p, 1);
    ck_assert_str_eq(e->code, code);
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->status, "ok");
    ck_assert_uint_eq(e->flags, 0);
    probe_destroy(p);
}
END_TEST

struct touched {
    const char *shows, *request, *response, *request_items, *response_items;
};

static const struct touched touched_rows[] = {
    {"registers",         "0a06030021",   "00000001000000020000000300000004", "register 33-36",
     "register 33-36=1,2,3,4"                                                                                                     },
    {"too few registers", "0a06030021",   "000000010000000200000003",         "register 33-36",
     "register 33-36"                                                                                                             },
    {"timers",            "0a07000021",   "0000000a",                         "timer 33",             "timer 33=10"               },
    {"counters",          "0a00000021",   "0000000a",                         "counter 33",           "counter 33=10"             },
    {"flags",             "0a02070021",   "05",                               "flag 33-40",           "flag 33-40=1,0,1,0,0,0,0,0"},
    {"inputs",            "0a03000000",   "01",                               "input 0",              "input 0=1"                 },
    {"outputs",           "0a05010010",   "02",                               "output 16-17",         "output 16-17=0,1"          },
    {"bytes",             "0a4701100020", "02cc",                             "byte 1048608-1048609", "byte 1048608-1048609=02cc" },
    {"lines of memory",   "0a1e00000000", "4d6f6465",                         "memory 0",             "memory 0=1299145829"       },
};

START_TEST(reads_are_matched)
{
    const struct touched *row = &touched_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, true, 0, row->request);
    feed(p, false, 1, row->response);
    ck_assert_msg(!strcmp(probe_event(p, 0)->items, row->request_items), "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    ck_assert_msg(!strcmp(probe_event(p, 1)->items, row->response_items), "%s: %s", row->shows,
                  probe_event(p, 1)->items);
    ck_assert_str_eq(probe_event(p, 1)->operation, "read");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *request, *items;
} written[] = {
    {"0a0e090021000004d2000004d3", "register 33-34=1234,1235"         },
    {"0a0f050021000004d2",         "timer 33=1234"                    },
    {"0a0d0400050a03ff",           "output 5-15=1,1,0,0,0,0,0,0,1,1,1"},
    {"0a2309001122aabbccdd",       "memory 4386=2864434397"           },
};

START_TEST(writes_have_values)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, true, 0, written[_i].request);
    ck_assert_str_eq(probe_event(p, 0)->items, written[_i].items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, "0000000d01000001000a205318");
    ck_assert_int_eq(probe_recognise(&dissector_sbus, pdu, size), CLAIM_YES);
    probe_feed(p, &dissector_sbus, true, pdu, size);
    size = hex_bytes(pdu, sizeof pdu, "00000014000000010144324d343830323000fac9");
    ck_assert_int_eq(probe_recognise(&dissector_sbus, pdu, size), CLAIM_YES);
    probe_feed(p, &dissector_sbus, false, pdu, size);
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "vendor=Saia-Burgess; product=D2M48; firmware_version=020");
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *status, *facts;
} modes[] = {
    {"52", "mode=run" },
    {"53", "mode=stop"},
    {"48", "mode=halt"},
    {"44", ""         },
};

START_TEST(status_tells_the_mode)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, true, 0, "0a1b");
    feed(p, false, 1, modes[_i].status);
    ck_assert_str_eq(probe_event(p, 1)->facts, modes[_i].facts);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *request, *operation, *transfer, *name;
} blocks[] = {
    {"0aa9090001000011000004d2", "program_download",
     "begin program_download key=29 name=COB17 declared=1234",                                "write_block_start"     },
    {"0aa9090102aabbcc",         "program_download", "block program_download key=29 bytes=3",
     "write_block_stream"                                                                                             },
    {"0aa9090203",               "program_download", "end program_download key=29",           "write_block_end"       },
    {"0aa9090703",               "program_download", "abort program_download key=29",         "write_block_abort"     },
    {"0aa90908000011",           "program_download", "",                                      "write_block"           },
    {"0aa909100107000500000010", "program_upload",
     "begin program_upload key=21 name=DB5 declared=16",                                      "read_block_start"      },
    {"0aa9091102",               "program_upload",   "block program_upload key=21",           "read_block_stream"     },
    {"0aa9091703",               "program_upload",   "abort program_upload key=21",           "read_block_abort"      },
    {"0aa90918000011",           "program_upload",   "",                                      "read_block"            },
    {"0aa90920000011",           "program_delete",   "",                                      "delete_block"          },
    {"0aa90921210011",           "browse",           "",                                      "get_block_size"        },
    {"0aa9092240",               "browse",           "",                                      "get_program_block_list"},
};

START_TEST(blocks_are_transferred)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, true, 0, blocks[_i].request);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, blocks[_i].operation);
    ck_assert_str_eq(e->name, blocks[_i].name);
    ck_assert_str_eq(e->transfer, blocks[_i].transfer);
    probe_destroy(p);
}
END_TEST

START_TEST(refusals)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, true, 0, "0a3c");
    feed(p, false, 2, "0002");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 2 password");
    ck_assert_str_eq(probe_event(p, 1)->operation, "stop");
    probe_destroy(p);
}
END_TEST

START_TEST(an_answer_alone_and_a_question_again)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, false, 1, "00000001");
    ck_assert_str_eq(probe_event(p, 0)->code, "none");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    feed(p, true, 0, "0a20");
    feed(p, true, 0, "0a20");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_RETRANSMIT);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *shows;
    int attribute;
    const char *body;
    enum violation_kind kind;
} wrong_rows[] = {
    {"command 8 is none",       0, "0a08",                 VIOLATION_FUNCTION },
    {"no command",              0, "0a",                   VIOLATION_TRUNCATED},
    {"write cut off",           0, "0a0f05",               VIOLATION_TRUNCATED},
    {"more bytes than values",  0, "0a0f050021000004d200", VIOLATION_COUNT    },
    {"fewer bytes than values", 0, "0a0f090021000004d2",   VIOLATION_COUNT    },
    {"fewer bits",              0, "0a0d0400050a03",       VIOLATION_COUNT    },
    {"attribute 3 is none",     3, "0a20",                 VIOLATION_FUNCTION },
};

START_TEST(wrong)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, true, (uint8_t)wrong_rows[_i].attribute, wrong_rows[_i].body);
    ck_assert_msg(probe_has_violation(p, wrong_rows[_i].kind), "%s", wrong_rows[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(checksum_version_and_direction)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_sbus, true, "0000000d01000001000a205319");
    ck_assert(probe_has_violation(p, VIOLATION_CHECKSUM));
    probe_clear(p);
    probe_hex(p, &dissector_sbus, true, "0000000d02000001000a205318");
    ck_assert(probe_has_violation(p, VIOLATION_RESERVED));
    probe_clear(p);
    feed(p, false, 0, "0a20");
    ck_assert(probe_has_violation(p, VIOLATION_DIRECTION));
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    uint8_t pdu[128];
    size_t size = telegram(pdu, 0, "0a0f050021000004d2");
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        probe_feed(p, &dissector_sbus, true, pdu, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_uint_eq(p->violation_count, 1);
        ck_assert_int_eq(probe_recognise(&dissector_sbus, pdu, i), CLAIM_NO);
        probe_destroy(p);
    }
    pdu[size - 1] ^= 1;
    ck_assert_int_eq(probe_recognise(&dissector_sbus, pdu, size), CLAIM_NO);
    static const uint8_t zeros[32];
    ck_assert_int_eq(probe_recognise(&dissector_sbus, zeros, sizeof zeros), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sbus");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, every_command, 0, sizeof commands / sizeof *commands);
    tcase_add_loop_test(tcase, reads_are_matched, 0, sizeof touched_rows / sizeof *touched_rows);
    tcase_add_loop_test(tcase, writes_have_values, 0, sizeof written / sizeof *written);
    tcase_add_loop_test(tcase, status_tells_the_mode, 0, sizeof modes / sizeof *modes);
    tcase_add_loop_test(tcase, blocks_are_transferred, 0, sizeof blocks / sizeof *blocks);
    tcase_add_loop_test(tcase, wrong, 0, sizeof wrong_rows / sizeof *wrong_rows);
    tcase_add_test(tcase, identity);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, an_answer_alone_and_a_question_again);
    tcase_add_test(tcase, checksum_version_and_direction);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
