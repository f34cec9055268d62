/* test_pn_rt.c: PROFINET cyclic frames, alarms, fragments and PTCP, held against PROTOCOLS 13. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_pn_rt;

static struct probe *layer2(void)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    p->flow.is_start_seen = p->flow.is_role_known = false;
    return p;
}

static const struct row {
    const char *frame_id, *protocol, *code, *name, *operation, *why;
} rows[] = {
    {"0000", "pn_rt",   "0x0000", "",                     "unknown", "frame id is reserved"},
    {"001f", "pn_rt",   "0x001f", "",                     "unknown", "frame id is reserved"},
    {"0020", "pn_ptcp", "frame",  "rtsync_follow_up",     "publish", ""                    },
    {"0021", "pn_ptcp", "frame",  "rtsync_follow_up",     "publish", ""                    },
    {"0022", "pn_rt",   "0x0022", "",                     "unknown", "frame id is reserved"},
    {"0080", "pn_ptcp", "frame",  "rtsync",               "publish", ""                    },
    {"0081", "pn_ptcp", "frame",  "rtsync",               "publish", ""                    },
    {"0100", "pn_rt",   "cyclic", "rt_class_3",           "publish", ""                    },
    {"06ff", "pn_rt",   "cyclic", "rt_class_3",           "publish", ""                    },
    {"7fff", "pn_rt",   "0x7fff", "",                     "unknown", "frame id is reserved"},
    {"8000", "pn_rt",   "cyclic", "rt_class_2",           "publish", ""                    },
    {"bbff", "pn_rt",   "cyclic", "rt_class_2",           "publish", ""                    },
    {"bc00", "pn_rt",   "cyclic", "rt_class_2_multicast", "publish", ""                    },
    {"c000", "pn_rt",   "cyclic", "rt_class_1",           "publish", ""                    },
    {"f7ff", "pn_rt",   "cyclic", "rt_class_1",           "publish", ""                    },
    {"f800", "pn_rt",   "cyclic", "rt_class_1_multicast", "publish", ""                    },
    {"fbff", "pn_rt",   "cyclic", "rt_class_1_multicast", "publish", ""                    },
    {"fc00", "pn_rt",   "0xfc00", "",                     "unknown", "frame id is reserved"},
    {"fe02", "pn_rt",   "0xfe02", "remote_service",       "unknown", ""                    },
    {"ff00", "pn_ptcp", "frame",  "announce",             "publish", ""                    },
    {"ff01", "pn_ptcp", "frame",  "announce",             "publish", ""                    },
    {"ff02", "pn_rt",   "0xff02", "",                     "unknown", "frame id is reserved"},
    {"ff20", "pn_ptcp", "frame",  "follow_up",            "publish", ""                    },
    {"ff22", "pn_ptcp", "frame",  "follow_up",            "publish", ""                    },
    {"ff40", "pn_ptcp", "frame",  "delay_request",        "publish", ""                    },
    {"ff41", "pn_ptcp", "frame",  "delay_response",       "publish", ""                    },
    {"ff42", "pn_ptcp", "frame",  "delay_follow_up",      "publish", ""                    },
    {"ff43", "pn_ptcp", "frame",  "delay_response",       "publish", ""                    },
    {"ff44", "pn_rt",   "0xff44", "",                     "unknown", "frame id is reserved"},
    {"ff80", "pn_rt",   "0xff80", "fragment",             "publish", ""                    },
    {"ff8f", "pn_rt",   "0xff8f", "fragment",             "publish", ""                    },
    {"ff90", "pn_rt",   "0xff90", "",                     "unknown", "frame id is reserved"},
    {"ffff", "pn_rt",   "0xffff", "",                     "unknown", "frame id is reserved"},
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(each_frame_id)
{
    const struct row *row = &rows[_i];
    struct probe *p = layer2();
    char hex[256];
    snprintf(hex, sizeof hex, "%s 0000000000000000000000000000000000000000 00003500",
             row->frame_id);
    probe_hex(p, &dissector_pn_rt, true, hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, row->protocol);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_uint_eq(p->violation_count, row->why[0] != 0);
    if (row->why[0])
        ck_assert_str_eq(probe_violation(p, 0)->why, row->why);
    probe_destroy(p);
}
END_TEST

static const struct status_row {
    const char *what, *status, *said, *mode;
} status_rows[] = {
    {"all is well",      "35", "",                          "mode=run" },
    {"station problem",  "15", "error 21 station_problem",  "mode=run" },
    {"provider stopped", "25", "error 37 provider_stopped", "mode=stop"},
    {"data invalid",     "31", "error 49 data_invalid",     ""         },
    {"backup of a pair", "34", "",                          ""         },
    {"to be ignored",    "95", "",                          ""         },
};
enum { STATUS_ROWS = sizeof status_rows / sizeof *status_rows };

START_TEST(data_status)
{
    const struct status_row *row = &status_rows[_i];
    struct probe *p = layer2();
    char hex[64];
    snprintf(hex, sizeof hex, "c000 01020304 0100 %s 00", row->status);
    probe_hex(p, &dissector_pn_rt, true, hex);
    ck_assert_msg(strcmp(probe_event(p, 0)->status, row->said) == 0, "%s: %s", row->what,
                  probe_event(p, 0)->status);
    ck_assert_str_eq(probe_event(p, 0)->facts, row->mode);
    ck_assert_str_eq(probe_event(p, 0)->detail, "");
    ck_assert_str_eq(probe_event(p, 0)->items, "frame 49152=01020304");
    ck_assert_uint_eq(probe_event(p, 0)->transaction, 256);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* 1 ms is 32 cycles; the probe's clock moves so. */
START_TEST(a_change_of_status_is_told_once)
{
    struct probe *p = layer2();
    probe_hex(p, &dissector_pn_rt, true, "c000 01 0000 35 00");
    probe_hex(p, &dissector_pn_rt, true, "c000 01 0020 35 00");
    probe_hex(p, &dissector_pn_rt, true, "c000 01 0040 25 00");
    probe_hex(p, &dissector_pn_rt, true, "c000 01 0060 25 00");
    probe_hex(p, &dissector_pn_rt, true, "c000 01 0080 35 00");
    ck_assert_str_eq(probe_event(p, 0)->facts, "mode=run");
    ck_assert_str_eq(probe_event(p, 1)->facts, "");
    ck_assert_str_eq(probe_event(p, 2)->facts, "mode=stop");
    ck_assert_str_eq(probe_event(p, 2)->detail, "provider_stopped");
    ck_assert_str_eq(probe_event(p, 3)->facts, "");
    ck_assert_str_eq(probe_event(p, 3)->status, "");
    ck_assert_str_eq(probe_event(p, 4)->status, "ok");
    ck_assert_str_eq(probe_event(p, 4)->detail, "data status good again");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(directions_and_frame_ids_count_apart)
{
    struct probe *p = layer2();
    probe_hex(p, &dissector_pn_rt, true, "c000 01 0000 35 00");
    probe_hex(p, &dissector_pn_rt, false, "c000 01 8000 35 00");
    probe_hex(p, &dissector_pn_rt, true, "c001 01 4000 35 00");
    probe_hex(p, &dissector_pn_rt, true, "c000 01 0060 35 00");
    probe_hex(p, &dissector_pn_rt, false, "c000 01 8060 35 00");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct counter_row {
    const char *what;
    const char *counters[4];
    int64_t step_ms;
    const char *why;
} counter_rows[] = {
    {"in step",                {"0000", "0020", "0040", "0060"}, 1,    ""                           },
    {"in step over the end",   {"ffe0", "0000", "0020", "0040"}, 1,    ""                           },
    {"one captured twice",     {"0000", "0020", "0020", "0060"}, 1,    ""                           },
    {"stuck",                  {"0000", "0020", "0020", "0020"}, 1,    "cycle counter does not move"},
    {"as far ahead as may be", {"0000", "0820", "0840", "0860"}, 1,    ""                           },
    {"ahead",                  {"0000", "0821", "0841", "0861"}, 1,    "cycle counter jumps"        },
    {"back",                   {"9000", "8000", "8020", "8040"}, 1,    "cycle counter jumps"        },
    {"after a silence",        {"0000", "9999", "1111", "7777"}, 1001, ""                           },
};
enum { COUNTER_ROWS = sizeof counter_rows / sizeof *counter_rows };

START_TEST(cycle_counter)
{
    const struct counter_row *row = &counter_rows[_i];
    struct probe *p = layer2();
    for (int i = 0; i < 4; i++) {
        char hex[64];
        snprintf(hex, sizeof hex, "8000 01 %s 35 00", row->counters[i]);
        probe_hex(p, &dissector_pn_rt, true, hex);
        p->time_ns += (row->step_ms - 1) * 1000000;
    }
    ck_assert_msg(p->violation_count == (row->why[0] != 0), "%s", row->what);
    if (row->why[0])
        ck_assert_str_eq(probe_violation(p, 0)->why, row->why);
    probe_destroy(p);
}
END_TEST

/* an alarm error of a public capture, as tshark reads it */
START_TEST(alarm_error)
{
    struct probe *p = layer2();
    probe_hex(p, &dissector_pn_rt, true, "fe01 8001 8001 14 01 ffff fffe 0004 cf81fd0f");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "0xfe01");
    ck_assert_str_eq(e->operation, "error");
    ck_assert_str_eq(e->name, "error");
    ck_assert_str_eq(e->status, "error 3481402639 rta_protocol_error");
    ck_assert_str_eq(e->detail, "connection aborted, reason 15");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct alarm_row {
    const char *type, *name, *what;
} alarm_rows[] = {
    {"0001", "diagnosis",                     "diagnosis"                    },
    {"0002", "process",                       "process"                      },
    {"0003", "pull",                          "pull"                         },
    {"0004", "plug",                          "plug"                         },
    {"0005", "status",                        "status"                       },
    {"0006", "update",                        "update"                       },
    {"0007", "media_redundancy",              "media_redundancy"             },
    {"0008", "controlled_by_supervisor",      "controlled_by_supervisor"     },
    {"0009", "released",                      "released"                     },
    {"000a", "plug_wrong_submodule",          "plug_wrong_submodule"         },
    {"000b", "return_of_submodule",           "return_of_submodule"          },
    {"000c", "diagnosis_disappears",          "diagnosis_disappears"         },
    {"000d", "multicast_mismatch",            "multicast_mismatch"           },
    {"000e", "port_data_change",              "port_data_change"             },
    {"000f", "sync_data_change",              "sync_data_change"             },
    {"0010", "isochronous_mode_problem",      "isochronous_mode_problem"     },
    {"0011", "network_component_problem",     "network_component_problem"    },
    {"001e", "upload_and_retrieval",          "upload_and_retrieval"         },
    {"001f", "pull_module",                   "pull_module"                  },
    {"0012", "time_data_change",              "time_data_change"             },
    {"0013", "dynamic_frame_packing_problem", "dynamic_frame_packing_problem"},
    {"0020", "alarm_of_the_maker",            "alarm_of_the_maker 0x0020"    },
    {"007f", "alarm_of_the_maker",            "alarm_of_the_maker 0x007f"    },
    {"0080", "alarm_of_a_profile",            "alarm_of_a_profile 0x0080"    },
    {"00ff", "alarm_of_a_profile",            "alarm_of_a_profile 0x00ff"    },
};
enum { ALARM_ROWS = sizeof alarm_rows / sizeof *alarm_rows };

START_TEST(each_alarm_and_its_acknowledgement)
{
    const struct alarm_row *row = &alarm_rows[_i];
    struct probe *p = layer2();
    char hex[256], detail[128];
    snprintf(hex, sizeof hex,
             "fc01 8001 8001 11 11 0001 ffff 001c 0001 0018 0100 %s 00000000 0001 8001 00000020 "
             "00000003 a800 8000",
             row->type);
    probe_hex(p, &dissector_pn_rt, false, hex);
    snprintf(hex, sizeof hex,
             "fc01 8001 8001 11 11 0001 ffff 0016 8001 0012 0100 %s 00000000 0001 8001 a800 "
             "00000000",
             row->type);
    probe_hex(p, &dissector_pn_rt, true, hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "alarm");
    ck_assert_str_eq(e->code, "0xfc01");
    ck_assert_str_eq(e->name, row->name);
    snprintf(detail, sizeof detail, "%s, module 0x00000020, submodule 0x00000003", row->what);
    ck_assert_str_eq(e->detail, detail);
    ck_assert_str_eq(e->items, "slot 1 subslot 0x8001=8000");
    ck_assert_str_eq(e->unit, "1.32769");
    ck_assert_str_eq(probe_event(p, 1)->name, "alarm_ack");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct bad {
    const char *what, *hex, *why;
} bads[] = {
    {"no frame id",                "c0",                                                      "frame without a frame id"                  },
    {"cyclic without status",      "c000 000000",                                             "cyclic frame without its status"           },
    {"reserved data status",       "c000 0000 3d 00",                                         "reserved bits of the data status are set"  },
    {"transfer status",            "c000 0000 35 01",                                         "transfer status is not 0"                  },
    {"alarm cut",                  "fc01 8001 8001 11 11 0001 ffff 0004 0000",                "alarm longer than its frame"               },
    {"alarm block cut",            "fc01 8001 8001 11 11 0001 ffff 0008 0001 0004 0100 0001",
     "alarm block is not whole"                                                                                                           },
    {"alarm PDU type",             "fc01 8001 8001 15 11 0001 ffff 0000",                     "unknown alarm PDU type"                    },
    {"alarm version",              "fc01 8001 8001 23 11 0001 ffff 0000",                     "alarm version is not 1"                    },
    {"alarm type",
     "fc01 8001 8001 11 11 0001 ffff 001a 0001 0016 0100 0014 00000000 0001 8001 00000020 00000003 "
     "a800",                                                                                  "unknown alarm type"                        },
    {"alarm type beyond profiles",
     "fc01 8001 8001 11 11 0001 ffff 001a 0001 0016 0100 0100 00000000 0001 8001 00000020 00000003 "
     "a800",                                                                                  "unknown alarm type"                        },
    {"alarm block type",
     "fc01 8001 8001 11 11 0001 ffff 001a 0003 0016 0100 0001 00000000 0001 8001 00000020 00000003 "
     "a800",                                                                                  "unknown alarm block"                       },
    {"alarm error cut",            "fc01 8001 8001 14 11 0001 ffff 0002 0000",                "alarm error without a status"              },
    {"fragment cut",               "ff80 04 80 0000",                                         "fragment longer than its frame"            },
    {"fragment reserved",          "ff80 02 40 0000",                                         "reserved bit of the fragment status is set"},
    {"PTCP header cut",            "ff40 000000000000",                                       "PTCP header is not whole"                  },
    {"PTCP TLV cut",               "ff00 000000000000000000000000 0001 0000 0c06 0009",
     "PTCP TLV longer than its frame"                                                                                                     },
    {"PTCP TLV unknown",           "ff00 000000000000000000000000 0001 0000 2000 0000",       "unknown PTCP TLV"                          },
};
enum { BADS = sizeof bads / sizeof *bads };

START_TEST(malformed)
{
    struct probe *p = layer2();
    probe_hex(p, &dissector_pn_rt, true, bads[_i].hex);
    ck_assert_msg(p->violation_count == 1, "%s: %zu", bads[_i].what, p->violation_count);
    ck_assert_str_eq(probe_violation(p, 0)->why, bads[_i].why);
    probe_destroy(p);
}
END_TEST

/* of a public capture */
START_TEST(delay_request_names_the_port)
{
    struct probe *p = layer2();
    probe_hex(p, &dissector_pn_rt, true,
              "ff40 000000000000000000000000 001c 0000 00000000 0c06 00099143e068 0000");
    ck_assert_str_eq(probe_event(p, 0)->protocol, "pn_ptcp");
    ck_assert_uint_eq(probe_event(p, 0)->transaction, 28);
    ck_assert_str_eq(probe_event(p, 0)->facts, "mac=00:09:91:43:e0:68");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix_is_survived)
{
    uint8_t frame[256];
    size_t size = hex_bytes(frame, sizeof frame,
                            "fc01 8001 8001 11 11 0001 ffff 001c 0001 0018 0100 0001 00000000 0001 "
                            "8001 00000020 00000003 a800 8000");
    for (size_t n = 0; n < size; n++) {
        struct probe *p = layer2();
        probe_feed(p, &dissector_pn_rt, true, frame, n);
        ck_assert_uint_ge(p->violation_count, 1);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(ethertype_decides)
{
    ck_assert_int_eq(probe_recognise(&dissector_pn_rt, "\x00", 1), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_pn_rt, "\x00\x00", 2), CLAIM_YES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pn_rt");
    TCase *c = tcase_create("pn_rt");
    tcase_add_loop_test(c, each_frame_id, 0, ROWS);
    tcase_add_loop_test(c, data_status, 0, STATUS_ROWS);
    tcase_add_test(c, a_change_of_status_is_told_once);
    tcase_add_test(c, directions_and_frame_ids_count_apart);
    tcase_add_loop_test(c, cycle_counter, 0, COUNTER_ROWS);
    tcase_add_test(c, alarm_error);
    tcase_add_loop_test(c, each_alarm_and_its_acknowledgement, 0, ALARM_ROWS);
    tcase_add_loop_test(c, malformed, 0, BADS);
    tcase_add_test(c, delay_request_names_the_port);
    tcase_add_test(c, every_prefix_is_survived);
    tcase_add_test(c, ethertype_decides);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
