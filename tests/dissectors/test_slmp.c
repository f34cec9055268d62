/* test_slmp.c: MC protocol frames 1E, 3E and 4E, held against PROTOCOLS 16 and the manuals. */
#include "support/check_pdu.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_slmp;

#define ROUTE "00 ff ff03 00 "

/* A binary 3E frame: request data from the command on, response data from the end code on. */
static size_t frame_3e(uint8_t *out, size_t room, bool is_response, const char *data)
{
    size_t size =
        hex_bytes(out, room, is_response ? "d000 " ROUTE "0000" : "5000 " ROUTE "0000 1000");
    size += hex_bytes(out + size, room - size, data);
    out[7] = (uint8_t)(size - 9);
    out[8] = (uint8_t)((size - 9) >> 8);
    return size;
}

static void feed(struct probe *p, bool is_response, const char *data)
{
    uint8_t out[256];
    size_t size = frame_3e(out, sizeof out, is_response, data);
    ck_assert_int_eq(probe_stream(p, &dissector_slmp, !is_response, out, size), FRAME_COMPLETE);
}

static void feed_text(struct probe *p, bool is_from_client, const char *text)
{
    ck_assert_int_eq(probe_stream(p, &dissector_slmp, is_from_client, text, strlen(text)),
                     FRAME_COMPLETE);
}

static const struct command {
    const char *wire, *code, *name, *operation;
} commands[] = {
    {"0101", "0x0101", "read_type_name",            "identify"        },
    {"0102", "0x0201", "read_file_info",            "file_read"       },
    {"0202", "0x0202", "read_file_info_titled",     "file_read"       },
    {"0302", "0x0203", "search_file",               "file_read"       },
    {"0402", "0x0204", "read_drive_info",           "file_read"       },
    {"0602", "0x0206", "read_file_data",            "program_upload"  },
    {"1a04", "0x041a", "label_array_read",          "read"            },
    {"1c04", "0x041c", "label_read_random",         "read"            },
    {"1906", "0x0619", "self_test",                 "diagnostics"     },
    {"0208", "0x0802", "execute_monitor",           "read"            },
    {"0808", "0x0808", "lock_file",                 "file_read"       },
    {"280e", "0x0e28", "device_identification",     "identify"        },
    {"290e", "0x0e29", "node_data_monitor",         "identify"        },
    {"300e", "0x0e30", "node_search",               "discover"        },
    {"310e", "0x0e31", "ip_address_set",            "config_change"   },
    {"320e", "0x0e32", "device_info_compare",       "diagnostics"     },
    {"330e", "0x0e33", "parameter_get",             "read"            },
    {"340e", "0x0e34", "parameter_set",             "config_change"   },
    {"350e", "0x0e35", "parameter_set_start",       "config_change"   },
    {"360e", "0x0e36", "parameter_set_end",         "config_change"   },
    {"3a0e", "0x0e3a", "parameter_set_cancel",      "config_change"   },
    {"440e", "0x0e44", "status_read",               "diagnostics"     },
    {"450e", "0x0e45", "communication_setting_get", "diagnostics"     },
    {"530e", "0x0e53", "status_read_2",             "diagnostics"     },
    {"700e", "0x0e70", "cyclic_data",               "publish"         },
    {"900e", "0x0e90", "network_config",            "config_change"   },
    {"910e", "0x0e91", "master_config",             "config_change"   },
    {"0210", "0x1002", "remote_stop",               "stop"            },
    {"0510", "0x1005", "remote_latch_clear",        "program_delete"  },
    {"0610", "0x1006", "remote_reset",              "restart"         },
    {"0212", "0x1202", "new_file_registration",     "file_write"      },
    {"0312", "0x1203", "write_file_data",           "program_download"},
    {"0412", "0x1204", "change_file_info",          "file_write"      },
    {"0512", "0x1205", "delete_file",               "file_delete"     },
    {"0612", "0x1206", "copy_file",                 "file_write"      },
    {"0712", "0x1207", "defragment_drive",          "config_change"   },
    {"1a14", "0x141a", "label_array_write",         "write"           },
    {"1b14", "0x141b", "label_write_random",        "write"           },
    {"1716", "0x1617", "clear_error",               "diagnostics"     },
    {"1018", "0x1810", "read_directory",            "file_read"       },
    {"1118", "0x1811", "search_directory",          "file_read"       },
    {"2018", "0x1820", "create_file",               "file_write"      },
    {"2218", "0x1822", "delete_file",               "file_delete"     },
    {"2418", "0x1824", "copy_file",                 "file_write"      },
    {"2518", "0x1825", "change_file_state",         "file_write"      },
    {"2618", "0x1826", "change_file_date",          "file_write"      },
    {"2718", "0x1827", "open_file",                 "file_read"       },
    {"0121", "0x2101", "on_demand",                 "publish"         },
};

START_TEST(commands_have_their_class)
{
    const struct command *row = &commands[_i];
    char ask[32];
    snprintf(ask, sizeof ask, "%s 0000", row->wire);
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, ask);
    feed(p, true, "59c0");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(probe_event(p, i)->code, row->code);
        ck_assert_str_eq(probe_event(p, i)->name, row->name);
        ck_assert_str_eq(probe_event(p, i)->operation, row->operation);
        ck_assert_str_eq(probe_event(p, i)->unit, "0/255/03ff/0");
        ck_assert_str_eq(probe_event(p, i)->direction, i ? "response" : "request");
    }
    ck_assert_str_eq(probe_event(p, 1)->status, "error 49241 command_not_supported");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct row {
    const char *shows, *ask, *asked, *answer, *answered, *operation;
} rows[] = {
    {"words of D",            "0104 0000 640000 a8 0200",                      "D 100-101",                "0000 3412 0100",     "D 100-101=4660,1",
     "read"                                                                                                                                                            },
    {"bits of M",             "0104 0100 640000 90 0300",                      "M 100-102",                "0000 10 10",         "M 100-102=1,0,1",         "read"     },
    {"bits of M as a word",   "0104 0000 000000 90 0100",                      "M 0-15",                   "0000 0300",          "M 0-15=3",                "read"     },
    {"long form",             "0104 0200 64000000 a800 0100",                  "D 100",                    "0000 0700",          "D 100=7",                 "read"     },
    {"a write",               "0114 0000 640000 a8 0100 2a00",                 "D 100=42",                 "0000",               "D 100",                   "write"    },
    {"an output switched on", "0114 0100 000000 9d 0100 10",                   "Y 0{control}=1",           "0000",
     "Y 0{control}",                                                                                                                                        "control"  },
    {"a direct output",       "0114 0100 000000 a3 0200 10",                   "DY 0-1{control}=1,0",      "0000",
     "DY 0-1{control}",                                                                                                                                     "control"  },
    {"random read",           "0304 0000 01 01 640000 a8 c80000 a8",           "D 100; D 200-201",         "0000 0100 02000000",
     "D 100=1; D 200-201=2",                                                                                                                                "read"     },
    {"random write of words", "0214 0000 01 00 640000 a8 0500",                "D 100=5",                  "0000",               "D 100",
     "write"                                                                                                                                                           },
    {"random write of bits",  "0214 0100 02 640000 90 01 650000 90 00",        "M 100=1; M 101=0",         "0000",
     "M 100; M 101",                                                                                                                                        "write"    },
    {"blocks",                "0604 0000 01 01 640000 a8 0200 000000 90 0100", "D 100-101; M 0-15",
     "0000 0100 0200 0300",                                                                                                      "D 100-101=1,2; M 0-15=3", "read"     },
    {"blocks written",        "0614 0000 01 00 640000 a8 0200 0100 0200",      "D 100-101=1,2",            "0000",
     "D 100-101",                                                                                                                                           "write"    },
    {"monitor entry",         "0108 0000 01 00 640000 a8",                     "D 100",                    "0000",               "D 100",                   "subscribe"},
    {"extended devices",      "0104 8000 0000 640000 a8 0000 0000 f8 0100",    "",                         "0000 0100",          "",                        "read"     },
    {"memory of a unit",      "0116 0000 10000000 0200 0300 3412",             "unit_memory 3 16-17=3412", "0000",
     "",                                                                                                                                                    "write"    },
    {"memory",                "1306 0000 10000000 0200",                       "memory 16-17",             "0000 34120000",      "",                        "read"     },
};

START_TEST(what_is_touched)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, row->ask);
    feed(p, true, row->answer);
    for (size_t i = 0; i < 2; i++) {
        check_items(p, i, row->shows, i ? row->answered : row->asked, row->operation);
        ck_assert_uint_eq(probe_event(p, i)->flags, 0);
    }
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_msg(p->violation_count == 0, "%s", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(modes)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, "0110 0000 0300 02 00");
    feed(p, false, "0110 0000 0100 01 00");
    feed(p, false, "0110 0000 0100 00 00");
    feed(p, false, "0310 0000 0300");
    ck_assert_str_eq(probe_event(p, 0)->operation, "start");
    ck_assert_str_eq(probe_event(p, 0)->detail, "clear all devices");
    ck_assert_str_eq(probe_event(p, 1)->detail, "clear devices");
    ck_assert_str_eq(probe_event(p, 2)->detail, "no force");
    ck_assert_str_eq(probe_event(p, 3)->operation, "stop");
    ck_assert_str_eq(probe_event(p, 3)->detail, "force");
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, "0101 0000");
    feed(p, true, "0000 51303355444543505520202020202020 6802");
    ck_assert_str_eq(probe_event(p, 1)->facts, "vendor=Mitsubishi Electric; product=Q03UDECPU");
    probe_destroy(p);
}
END_TEST

START_TEST(a_password_is_never_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, "3016 0000 0400 31323334");
    feed(p, false, "3116 0000 0400 31323334");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(probe_event(p, i)->operation, "auth");
        ck_assert_uint_eq(probe_event(p, i)->flags, OT_HAS_CREDENTIAL);
        ck_assert_uint_eq(probe_event(p, i)->secret_size, 4);
    }
    ck_assert_str_eq(probe_event(p, 0)->name, "remote_password_unlock");
    ck_assert_str_eq(probe_event(p, 1)->name, "remote_password_lock");
    probe_destroy(p);
}
END_TEST

START_TEST(files_are_transfers)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, "2918 0000 0500 00000000 0200 0102");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "block program_download key=5 bytes=2");
    ck_assert_str_eq(probe_event(p, 0)->items, "file 5");
    feed(p, true, "0000 0200");
    probe_clear(p);
    feed(p, false, "2818 0000 0500 00000000 0200");
    feed(p, true, "0000 0200 0102");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "block program_upload key=5 bytes=2");
    probe_clear(p);
    feed(p, false, "2a18 0000 0500 0000");
    ck_assert_str_eq(probe_event(p, 0)->name, "close_file");
    ck_assert_str_eq(probe_event(p, 0)->items, "file 5");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(serial_numbers_match_answers)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_slmp, true,
              "5400 0100 0000 " ROUTE "0c00 1000 0104 0000 640000 a8 0100");
    probe_hex(p, &dissector_slmp, true,
              "5400 0200 0000 " ROUTE "0c00 1000 0104 0000 c80000 a8 0100");
    probe_hex(p, &dissector_slmp, false, "d400 0200 0000 " ROUTE "0400 0000 0900");
    probe_hex(p, &dissector_slmp, false, "d400 0100 0000 " ROUTE "0400 0000 0800");
    ck_assert_str_eq(probe_event(p, 2)->items, "D 200=9");
    ck_assert_str_eq(probe_event(p, 3)->items, "D 100=8");
    ck_assert_uint_eq(probe_event(p, 3)->transaction, 1);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

#define READ_3E(address, count) "0104 0000 " address " a8 " count

START_TEST(requests_3e_in_a_row_are_answered_in_order)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, READ_3E("640000", "0200"));
    feed(p, false, READ_3E("c80000", "0100"));
    feed(p, true, "0000 0800 0700");
    feed(p, true, "0000 0900");
    ck_assert_str_eq(probe_event(p, 2)->items, "D 100-101=8,7");
    ck_assert_str_eq(probe_event(p, 3)->items, "D 200=9");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(requests_1e_in_a_row_are_answered_in_order)
{
    static const char *const asked[] = {"01 ff 0a00 64000000 2044 01 00",
                                        "03 ff 0a00 c8000000 2044 01 00 0700"};
    static const char *const answers[] = {"81 00 0900", "83 00"};
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < 2; i++)
        probe_hex(p, &dissector_slmp, true, asked[i]);
    for (size_t i = 0; i < 2; i++) {
        probe_hex(p, &dissector_slmp, false, answers[i]);
        ck_assert_uint_eq(probe_event(p, 2 + i)->flags, 0);
    }
    ck_assert_str_eq(probe_event(p, 2)->items, "D 100=9");
    probe_destroy(p);
}
END_TEST

START_TEST(an_answer_3e_that_was_lost_shifts_nothing)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, READ_3E("640000", "0200"));
    p->time_ns += 2000000000; /* asked again */
    feed(p, false, READ_3E("c80000", "0100"));
    feed(p, true, "0000 0900");
    ck_assert_str_eq(probe_event(p, 2)->items, "D 200=9");
    p->flow.has_gap = true;
    feed(p, false, READ_3E("640000", "0200"));
    feed(p, false, READ_3E("c80000", "0100"));
    feed(p, true, "0000 0900");
    ck_assert_str_eq(probe_event(p, 5)->items, "D 200=9");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(ascii_frames)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed_text(p, true, "500000FF03FF000018001004010000D*0001000002");
    feed_text(p, false, "D00000FF03FF00000C0000123400FF");
    feed_text(p, true, "500000FF03FF00001C001014010001M*00006400031010");
    feed_text(p, true, "500000FF03FF000018001004010001X*00001F0001");
    ck_assert_str_eq(probe_event(p, 0)->items, "D 100-101");
    ck_assert_str_eq(probe_event(p, 1)->items, "D 100-101=4660,255");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 2)->items, "M 64-66=1,0,1");
    ck_assert_str_eq(probe_event(p, 3)->items, "X 31");
    probe_destroy(p);
}
END_TEST

static const struct row rows_1e[] = {
    {"words",         "01 ff 0a00 64000000 2044 02 00",                     "D 100-101",          "81 00 3412 0100", "D 100-101=4660,1",
     "read"                                                                                                                                           },
    {"bits",          "00 ff 0a00 64000000 204d 03 00",                     "M 100-102",          "80 00 10 10",     "M 100-102=1,0,1",
     "read"                                                                                                                                           },
    {"words written", "03 ff 0a00 64000000 2044 01 00 2a00",                "D 100=42",           "83 00",           "D 100",            "write"      },
    {"outputs",       "02 ff 0a00 00000000 2059 02 00 01",                  "Y 0-1{control}=0,1", "82 00",
     "Y 0-1{control}",                                                                                                                   "control"    },
    {"random bits",   "04 ff 0a00 02 00 64000000 204d 01 65000000 204d 00", "M 100; M 101",       "84 00",
     "M 100; M 101",                                                                                                                     "write"      },
    {"timer values",  "01 ff 0a00 00000000 4e54 01 00",                     "TN 0",               "81 00 0500",      "TN 0=5",           "read"       },
    {"run",           "13 ff 0a00",                                         "",                   "93 00",           "",                 "start"      },
    {"stop",          "14 ff 0a00",                                         "",                   "94 00",           "",                 "stop"       },
    {"PC type",       "15 ff 0a00",                                         "",                   "95 00 a1",        "",                 "identify"   },
    {"loopback",      "16 ff 0a00 01 41",                                   "",                   "96 00 01 41",     "",                 "diagnostics"},
};

START_TEST(frames_1e)
{
    const struct row *row = &rows_1e[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->ask);
    ck_assert_int_eq(probe_stream(p, &dissector_slmp, true, bytes, size), FRAME_COMPLETE);
    size = hex_bytes(bytes, sizeof bytes, row->answer);
    ck_assert_int_eq(probe_stream(p, &dissector_slmp, false, bytes, size), FRAME_COMPLETE);
    for (size_t i = 0; i < 2; i++) {
        const struct probe_event *e = probe_event(p, i);
        ck_assert_msg(!strcmp(e->items, i ? row->answered : row->asked), "%s: %s", row->shows,
                      e->items);
        ck_assert_str_eq(e->operation, row->operation);
        ck_assert_str_eq(e->unit, "255");
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* [MC] 18: how long an answer is, what was asked tells. */
static const struct answer_row {
    const char *shows, *ask, *answer;
    size_t size; /* of the answer; less than it has: more follows it */
} answer_rows[] = {
    {"256 words are said as 0",      "01 ff 0a00 64000000 2044 00 00",               "81 00",       514},
    {"256 bits are said as 0",       "00 ff 0a00 64000000 204d 00 00",               "80 00",       130},
    {"three bits take two bytes",    "00 ff 0a00 64000000 204d 03 00",               "80 00 10 10", 4  },
    {"a write is only acknowledged", "03 ff 0a00 64000000 2044 01 00 2a00",          "83 00",       2  },
    {"a random write, too",          "05 ff 0a00 01 00 64000000 2044 2a00",          "85 00",       2  },
    {"a registration, too",          "07 ff 0a00 02 00 64000000 2044 65000000 2044", "87 00",       2  },
    {"a refusal has its own length", "01 ff 0a00 64000000 2044 02 00",               "81 5b 10 00", 4  },
    {"another refusal has no code",  "01 ff 0a00 64000000 2044 02 00",               "81 51",       2  },
};

START_TEST(answers_1e)
{
    const struct answer_row *row = &answer_rows[_i];
    uint8_t bytes[1024] = {0};
    struct probe *p = probe_create(TRANSPORT_TCP);
    size_t size = hex_bytes(bytes, sizeof bytes, row->ask);
    ck_assert_int_eq(probe_stream(p, &dissector_slmp, true, bytes, size), FRAME_COMPLETE);
    memset(bytes, 0, sizeof bytes);
    (void)hex_bytes(bytes, sizeof bytes, row->answer);
    for (size_t at = 0; at + 1 < row->size; at++)
        ck_assert_msg(probe_stream(p, &dissector_slmp, false, bytes + at, 1) == FRAME_NEED,
                      "%s: whole after %zu", row->shows, at + 1);
    ck_assert_int_eq(probe_stream(p, &dissector_slmp, false, bytes + row->size - 1, 1),
                     FRAME_COMPLETE);
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* What 06 and 07 register is what 08 and 09 answer. */
START_TEST(a_monitor_answers_what_was_registered)
{
    static const struct {
        bool is_from_client;
        const char *bytes;
    } talk[] = {
        {true,  "07 ff 0a00 02 00 64000000 2044 65000000 2044"},
        {false, "87 00"                                       },
        {true,  "09 ff 0a00"                                  },
        {false, "89 00 0100"                                  },
        {false, "0200"                                        },
    };
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < sizeof talk / sizeof *talk; i++) {
        uint8_t bytes[64];
        size_t size = hex_bytes(bytes, sizeof bytes, talk[i].bytes);
        enum frame_verdict verdict =
            probe_stream(p, &dissector_slmp, talk[i].is_from_client, bytes, size);
        ck_assert_int_eq(verdict, i == 3 ? FRAME_NEED : FRAME_COMPLETE);
    }
    ck_assert_uint_eq(p->event_count, 4);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(frames_1e_in_ascii_and_refused)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed_text(p, true, "01FF000A4420000000640200");
    feed_text(p, false, "810012340001");
    ck_assert_str_eq(probe_event(p, 0)->items, "D 100-101");
    ck_assert_str_eq(probe_event(p, 0)->code, "0x01");
    ck_assert_str_eq(probe_event(p, 1)->items, "D 100-101=4660,1");
    probe_clear(p);
    probe_hex(p, &dissector_slmp, true, "01 ff 0a00 64000000 2044 02 00");
    probe_hex(p, &dissector_slmp, false, "81 5b 10 00");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 16");
    probe_hex(p, &dissector_slmp, true, "01 ff 0a00 64000000 2044 02 00");
    probe_hex(p, &dissector_slmp, false, "81 56");
    ck_assert_str_eq(probe_event(p, 3)->status, "error 86 device_out_of_range");
    probe_destroy(p);
}
END_TEST

START_TEST(a_response_alone)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    probe_hex(p, &dissector_slmp, true, "d000 " ROUTE "0400 0000 0900");
    ck_assert(!probe_event(p, 0)->is_from_client);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    ck_assert_str_eq(probe_event(p, 0)->code, "none");
    probe_destroy(p);
}
END_TEST

static const struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
} wrongs[] = {
    {"unknown command",       "5000 " ROUTE "0600 1000 9999 0000",                     VIOLATION_FUNCTION },
    {"module address",        "5000 00 ff 0002 00 0600 1000 0101 0000",                VIOLATION_RANGE    },
    {"length of another",     "5000 " ROUTE "0700 1000 0101 0000",                     VIOLATION_LENGTH   },
    {"no command",            "5000 " ROUTE "0300 1000 01",                            VIOLATION_TRUNCATED},
    {"header cut",            "5000 00 ff ff03",                                       VIOLATION_TRUNCATED},
    {"no such device",        "5000 " ROUTE "0c00 1000 0104 0000 640000 01 0100",      VIOLATION_RANGE    },
    {"no points",             "5000 " ROUTE "0c00 1000 0104 0000 640000 a8 0000",      VIOLATION_RANGE    },
    {"961 words",             "5000 " ROUTE "0c00 1000 0104 0000 640000 a8 c103",      VIOLATION_RANGE    },
    {"less data than points", "5000 " ROUTE "0e00 1000 0114 0000 640000 a8 0200 0100",
     VIOLATION_COUNT                                                                                      },
    {"request cut",           "5000 " ROUTE "0a00 1000 0104 0000 640000 a8",           VIOLATION_TRUNCATED},
    {"1E without a device",   "01 ff 0a00 64000000 2051 02 00",                        VIOLATION_RANGE    },
    {"1E cut",                "01 ff 0a00 6400",                                       VIOLATION_TRUNCATED},
    {"another subheader",     "77 77 77 77",                                           VIOLATION_FUNCTION },
};

START_TEST(violations)
{
    check_violation(&dissector_slmp, wrongs[_i].shows, wrongs[_i].hex, wrongs[_i].kind);
}
END_TEST

START_TEST(the_greatest_read)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_slmp, true, "5000 " ROUTE "0c00 1000 0104 0000 640000 a8 c003");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_hex(p, &dissector_slmp, true, "5000 " ROUTE "0c00 1000 0104 0000 640000 a8 0200");
    probe_hex(p, &dissector_slmp, false, "d000 " ROUTE "0400 0000 0900"); /* one word of two */
    ck_assert(probe_has_violation(p, VIOLATION_COUNT));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[128];
    size_t size =
        hex_bytes(bytes, sizeof bytes, "5000 " ROUTE "0c00 1000 0104 0000 640000 a8 0200");
    check_prefixes(&dissector_slmp, bytes, size);
    check_prefixes(&dissector_slmp, bytes,
                   hex_bytes(bytes, sizeof bytes,
                             "5400 0100 0000 " ROUTE "0c00 1000 0104 0000 640000 a8 0100"));
    check_prefixes(&dissector_slmp, bytes,
                   hex_bytes(bytes, sizeof bytes, "03 ff 0a00 64000000 2044 01 00 2a00"));
    static const char ascii[] = "500000FF03FF000018001004010000D*0001000002";
    check_prefixes(&dissector_slmp, ascii, sizeof ascii - 1);
    hex_bytes(bytes, sizeof bytes, "5000 " ROUTE "0110");
    ck_assert_int_eq(probe_frame(&dissector_slmp, bytes, 9).verdict, FRAME_BROKEN);
    hex_bytes(bytes, sizeof bytes, "5000 " ROUTE "0010");
    ck_assert_int_eq(probe_frame(&dissector_slmp, bytes, 9).verdict, FRAME_NEED);
    hex_bytes(bytes, sizeof bytes, "5000 " ROUTE "0100");
    ck_assert_int_eq(probe_frame(&dissector_slmp, bytes, 9).verdict, FRAME_BROKEN);
    hex_bytes(bytes, sizeof bytes, "7700 " ROUTE "0100");
    ck_assert_int_eq(probe_frame(&dissector_slmp, bytes, 9).verdict, FRAME_BROKEN);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claims[] = {
    {"a request",              "5000 " ROUTE "0c00 1000 0104 0000 640000 a8 0200", CLAIM_YES },
    {"a response",             "d000 " ROUTE "0400 0000 0900",                     CLAIM_WEAK},
    {"a response too long",    "d000 " ROUTE "0400 0000 0900 00",                  CLAIM_NO  },
    {"a header alone",         "5000 " ROUTE,                                      CLAIM_MORE},
    {"no such module",         "5000 00 ff 0002 00 0600 1000 0101 0000",           CLAIM_NO  },
    {"no such command",        "5000 " ROUTE "0600 1000 9999 0000",                CLAIM_NO  },
    {"zeros",                  "00000000000000000000000000000000",                 CLAIM_NO  },
    {"1E",                     "01 ff 0a00 64000000 2044 02 00",                   CLAIM_YES },
    {"1E and more",            "01 ff 0a00 64000000 2044 02 00 00",                CLAIM_NO  },
    {"1E of no device",        "01 ff 0a00 64000000 2051 02 00",                   CLAIM_NO  },
    {"1E that could be voice", "80 00 0001 0002",                                  CLAIM_MORE},
    {"1E stop alone",          "14 ff 0a00",                                       CLAIM_MORE},
    {"short",                  "5000",                                             CLAIM_MORE},
};

/* A length field that is not the data's must not hide who stops a controller. */
static const struct lie {
    const char *shows, *hex, *name, *operation;
} lies[] = {
    {"too long",          "5000 " ROUTE "4000 1000 0210 0000 0100",           "remote_stop",  "stop"   },
    {"far too long",      "5000 " ROUTE "ffff 1000 0210 0000 0100",           "remote_stop",  "stop"   },
    {"too short",         "5000 " ROUTE "0200 1000 0210 0000 0100",           "remote_stop",  "stop"   },
    {"nothing",           "5000 " ROUTE "0000 1000 0610 0000 0100",           "remote_reset", "restart"},
    {"a run",             "5000 " ROUTE "0d00 1000 0110 0000 0300 0000",      "remote_run",   "start"  },
    {"cut behind it all", "5000 " ROUTE "0a00 1000 0210 0000",                "remote_stop",  "stop"   },
    {"4E",                "5400 3412 0000 " ROUTE "4000 1000 0210 0000 0100", "remote_stop",  "stop"   },
};

START_TEST(lengths_that_lie)
{
    const struct lie *row = &lies[_i];
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    struct probe *p = probe_create(TRANSPORT_TCP);
    ck_assert_msg(probe_recognise(&dissector_slmp, bytes, size) == CLAIM_YES, "%s", row->shows);
    ck_assert_msg(probe_stream(p, &dissector_slmp, true, bytes, size) == FRAME_COMPLETE, "%s",
                  row->shows);
    ck_assert_str_eq(probe_event(p, 0)->name, row->name);
    ck_assert_str_eq(probe_event(p, 0)->operation, row->operation);
    ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "%s", row->shows);
    feed(p, false, "0104 0000 640000 a8 0100"); /* what follows is read as ever */
    ck_assert_str_eq(probe_event(p, 1)->name, "device_read");
    probe_destroy(p);
}
END_TEST

START_TEST(a_length_that_is_true_is_waited_for)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, "5000 " ROUTE "0800 1000 0210 0000 0100");
    for (size_t i = 9; i < size; i++)
        ck_assert_int_eq(probe_frame(&dissector_slmp, bytes, i).verdict, FRAME_NEED);
    ck_assert_uint_eq(probe_frame(&dissector_slmp, bytes, size).size, size);
    size = hex_bytes(bytes, sizeof bytes, "5000 " ROUTE "4000 1000 0114 0000 640000 a8 0100 2a00");
    ck_assert_int_eq(probe_frame(&dissector_slmp, bytes, size).verdict, FRAME_NEED);
}
END_TEST

START_TEST(recognition)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, claims[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_slmp, bytes, size) == claims[_i].claim, "%s",
                  claims[_i].shows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slmp");
    TCase *tc = tcase_create("slmp");
    tcase_add_loop_test(tc, commands_have_their_class, 0, sizeof commands / sizeof *commands);
    tcase_add_loop_test(tc, what_is_touched, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, frames_1e, 0, sizeof rows_1e / sizeof *rows_1e);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_loop_test(tc, recognition, 0, sizeof claims / sizeof *claims);
    tcase_add_test(tc, modes);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, a_password_is_never_told);
    tcase_add_test(tc, files_are_transfers);
    tcase_add_test(tc, serial_numbers_match_answers);
    tcase_add_test(tc, requests_3e_in_a_row_are_answered_in_order);
    tcase_add_test(tc, requests_1e_in_a_row_are_answered_in_order);
    tcase_add_test(tc, an_answer_3e_that_was_lost_shifts_nothing);
    tcase_add_test(tc, ascii_frames);
    tcase_add_loop_test(tc, answers_1e, 0, sizeof answer_rows / sizeof *answer_rows);
    tcase_add_test(tc, a_monitor_answers_what_was_registered);
    tcase_add_test(tc, frames_1e_in_ascii_and_refused);
    tcase_add_test(tc, a_response_alone);
    tcase_add_test(tc, the_greatest_read);
    tcase_add_test(tc, framing);
    tcase_add_loop_test(tc, lengths_that_lie, 0, sizeof lies / sizeof *lies);
    tcase_add_test(tc, a_length_that_is_true_is_waited_for);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
