/* test_iec104.c: APCI and ASDUs of IEC 60870-5-104. Expected values from the companion standard. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_iec104;

/* The ASDU of the next I frame of a side, N(R) 0. Each test is a process of its own. */
static void feed_asdu(struct probe *p, bool is_from_client, const char *hex)
{
    static uint8_t sent[2];
    uint8_t bytes[260] = {0x68, 0, (uint8_t)(sent[is_from_client]++ << 1), 0, 0, 0};
    size_t size = hex_bytes(bytes + 6, sizeof bytes - 6, hex);
    bytes[1] = (uint8_t)(size + 4);
    probe_feed(p, &dissector_iec104, is_from_client, bytes, size + 6);
}

static struct probe *picked_up(void)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = false;
    return p;
}

struct asdu_row {
    const char *shows;
    bool is_from_client;
    const char *hex; /* type, VSQ, cause, originator, common address, objects */
    const char *code, *name, *operation, *items, *status, *detail;
};

#define T    "cd9b 19 0d 02 0b 13" /* 2019-11-02T13:25:39.885 */
#define TIME "2019-11-02T13:25:39.885"

static const struct asdu_row asdus[] = {
    {"single point",                       false, "01 01 0300 0100 640000 01",                 "type=1,cot=3",    "M_SP_NA_1", "publish",
     "single_point 100=1",                                                                                                                                                                                  "", ""                           },
    {"single point, invalid",              false, "01 01 0300 0100 640000 81",                 "type=1,cot=3",    "M_SP_NA_1",
     "publish",                                                                                                                               "single_point 100=1!error 128 invalid",                       "", ""                           },
    {"asked for",                          false, "01 01 1400 0100 640000 00",                 "type=1,cot=20",   "M_SP_NA_1", "read",
     "single_point 100=0",                                                                                                                                                                                  "", ""                           },
    {"CP24 time",                          false, "02 01 0300 0100 640000 01 cd9b19",          "type=2,cot=3",    "M_SP_TA_1", "publish",
     "single_point 100=1",                                                                                                                                                                                  "", ""                           },
    {"a sequence has one address",         false, "03 83 1400 0100 640000 02 01 13",           "type=3,cot=20",
     "M_DP_NA_1",                                                                                                              "read",
     "double_point 100=2; double_point 101=1; double_point 102=3!error 16 blocked",                                                                                                                         "", ""                           },
    {"double point with CP24",             false, "04 01 0300 0100 640000 02 cd9b19",          "type=4,cot=3",
     "M_DP_TA_1",                                                                                                              "publish",     "double_point 100=2",                                         "", ""                           },
    {"step position is signed",            false, "05 01 0300 0100 640000 7f 00",              "type=5,cot=3",    "M_ST_NA_1",
     "publish",                                                                                                                               "step_position 100=-1",                                       "", ""                           },
    {"step with CP24",                     false, "06 01 0300 0100 640000 05 00 cd9b19",       "type=6,cot=3",    "M_ST_TA_1",
     "publish",                                                                                                                               "step_position 100=5",                                        "", ""                           },
    {"transient bit is not the value",     false, "05 01 0300 0100 640000 85 00",              "type=5,cot=3",
     "M_ST_NA_1",                                                                                                              "publish",     "step_position 100=5",                                        "", ""                           },
    {"bitstring",                          false, "07 01 0300 0100 640000 01020304 00",        "type=7,cot=3",    "M_BO_NA_1",
     "publish",                                                                                                                               "bitstring 100=67305985",                                     "", ""                           },
    {"bitstring with CP24",                false, "08 01 0300 0100 640000 01000000 00 cd9b19", "type=8,cot=3",
     "M_BO_TA_1",                                                                                                              "publish",     "bitstring 100=1",                                            "", ""                           },
    {"normalised",                         false, "09 01 0300 0100 640000 00c0 00",            "type=9,cot=3",    "M_ME_NA_1", "publish",
     "measured_normalised 100=-0.5",                                                                                                                                                                        "", ""                           },
    {"normalised with CP24",               false, "0a 01 0300 0100 640000 0040 00 cd9b19",     "type=10,cot=3",
     "M_ME_TA_1",                                                                                                              "publish",     "measured_normalised 100=0.5",                                "", ""                           },
    {"scaled, overflow",                   false, "0b 01 0300 0100 640000 ff7f 01",            "type=11,cot=3",   "M_ME_NB_1",
     "publish",                                                                                                                               "measured_scaled 100=32767!error 1 overflow",                 "", ""                           },
    {"scaled with CP24",                   false, "0c 01 0300 0100 640000 0100 00 cd9b19",     "type=12,cot=3",
     "M_ME_TB_1",                                                                                                              "publish",     "measured_scaled 100=1",                                      "", ""                           },
    {"float, not topical",                 false, "0d 01 0100 0100 640000 0000c03f 40",        "type=13,cot=1",
     "M_ME_NC_1",                                                                                                              "publish",     "measured_float 100=1.5!error 64 not_topical",                "", ""                           },
    {"float with CP24",                    false, "0e 01 0300 0100 640000 0000c03f 00 cd9b19", "type=14,cot=3",
     "M_ME_TC_1",                                                                                                              "publish",     "measured_float 100=1.5",                                     "", ""                           },
    {"counter; 25 is its sequence number", false, "0f 01 2500 0100 640000 feffffff 19",
     "type=15,cot=37",                                                                                            "M_IT_NA_1", "read",        "integrated_total 100=-2",                                    "", ""                           },
    {"counter with CP24",                  false, "10 01 0300 0100 640000 05000000 00 cd9b19", "type=16,cot=3",
     "M_IT_TA_1",                                                                                                              "publish",     "integrated_total 100=5",                                     "", ""                           },
    {"protection event",                   false, "11 01 0300 0100 640000 02 0a00 cd9b19",     "type=17,cot=3",
     "M_EP_TA_1",                                                                                                              "publish",     "protection_event 100=2",                                     "", ""                           },
    {"protection start",                   false, "12 01 0300 0100 640000 05 00 0a00 cd9b19",  "type=18,cot=3",
     "M_EP_TB_1",                                                                                                              "publish",     "protection_start 100=5",                                     "", ""                           },
    {"protection circuit",                 false, "13 01 0300 0100 640000 03 00 0a00 cd9b19",  "type=19,cot=3",
     "M_EP_TC_1",                                                                                                              "publish",     "protection_circuit 100=3",                                   "", ""                           },
    {"packed points",                      false, "14 01 0300 0100 640000 05000000 00",        "type=20,cot=3",   "M_PS_NA_1",
     "publish",                                                                                                                               "packed_single_points 100=1,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0",   "", ""                           },
    {"no quality",                         false, "15 82 0300 0100 640000 0040 00e0",          "type=21,cot=3",   "M_ME_ND_1",
     "publish",                                                                                                                               "measured_normalised 100=0.5; measured_normalised 101=-0.25", "", ""                           },
    {"time tag",                           false, "1e 01 0300 0100 640000 01 " T,              "type=30,cot=3",   "M_SP_TB_1", "publish",
     "single_point 100=1",                                                                                                                                                                                  "", TIME                         },
    {"31",                                 false, "1f 01 0300 0100 640000 02 " T,              "type=31,cot=3",   "M_DP_TB_1", "publish",
     "double_point 100=2",                                                                                                                                                                                  "", TIME                         },
    {"32",                                 false, "20 01 0300 0100 640000 02 00 " T,           "type=32,cot=3",   "M_ST_TB_1", "publish",
     "step_position 100=2",                                                                                                                                                                                 "", TIME                         },
    {"33",                                 false, "21 01 0300 0100 640000 02000000 00 " T,     "type=33,cot=3",   "M_BO_TB_1", "publish",
     "bitstring 100=2",                                                                                                                                                                                     "", TIME                         },
    {"34",                                 false, "22 01 0300 0100 640000 0060 00 " T,         "type=34,cot=3",   "M_ME_TD_1", "publish",
     "measured_normalised 100=0.75",                                                                                                                                                                        "", TIME                         },
    {"35",                                 false, "23 01 0300 0100 640000 0200 20 " T,         "type=35,cot=3",   "M_ME_TE_1", "publish",
     "measured_scaled 100=2!error 32 substituted",                                                                                                                                                          "", TIME                         },
    {"36",                                 false, "24 01 0300 0100 640000 00000040 00 " T,     "type=36,cot=3",   "M_ME_TF_1", "publish",
     "measured_float 100=2",                                                                                                                                                                                "", TIME                         },
    {"37",                                 false, "25 01 0300 0100 640000 02000000 80 " T,     "type=37,cot=3",   "M_IT_TB_1", "publish",
     "integrated_total 100=2!error 128 invalid",                                                                                                                                                            "", TIME                         },
    {"38",                                 false, "26 01 0300 0100 640000 01 0a00 " T,         "type=38,cot=3",   "M_EP_TD_1", "publish",
     "protection_event 100=1",                                                                                                                                                                              "", TIME                         },
    {"39",                                 false, "27 01 0300 0100 640000 01 00 0a00 " T,      "type=39,cot=3",   "M_EP_TE_1", "publish",
     "protection_start 100=1",                                                                                                                                                                              "", TIME                         },
    {"40",                                 false, "28 01 0300 0100 640000 01 00 0a00 " T,      "type=40,cot=3",   "M_EP_TF_1", "publish",
     "protection_circuit 100=1",                                                                                                                                                                            "", TIME                         },
    {"single command",                     true,  "2d 01 0600 0100 640000 01",                 "type=45,cot=6",   "C_SC_NA_1", "control",
     "single_command 100=1",                                                                                                                                                                                "", "execute"                    },
    {"select",                             true,  "2d 01 0600 0100 640000 80",                 "type=45,cot=6",   "C_SC_NA_1", "control",
     "single_command 100=0",                                                                                                                                                                                "", "select"                     },
    {"qualifier is not the value",         true,  "2d 01 0600 0100 640000 05",                 "type=45,cot=6",   "C_SC_NA_1",
     "control",                                                                                                                               "single_command 100=1",                                       "", "execute"                    },
    {"double command",                     true,  "2e 01 0600 0100 640000 02",                 "type=46,cot=6",   "C_DC_NA_1", "control",
     "double_command 100=2",                                                                                                                                                                                "", "execute"                    },
    {"step command",                       true,  "2f 01 0600 0100 640000 01",                 "type=47,cot=6",   "C_RC_NA_1", "control",
     "regulating_step 100=1",                                                                                                                                                                               "", "execute"                    },
    {"set point, normalised",              true,  "30 01 0600 0100 640000 0040 00",            "type=48,cot=6",   "C_SE_NA_1",
     "write",                                                                                                                                 "setpoint_normalised 100=0.5",                                "", "execute"                    },
    {"set point, scaled",                  true,  "31 01 0600 0100 640000 ffff 80",            "type=49,cot=6",   "C_SE_NB_1",
     "write",                                                                                                                                 "setpoint_scaled 100=-1",                                     "", "select"                     },
    {"set point, float",                   true,  "32 01 0600 0100 640000 0000c03f 00",        "type=50,cot=6",   "C_SE_NC_1",
     "write",                                                                                                                                 "setpoint_float 100=1.5",                                     "", "execute"                    },
    {"bitstring command",                  true,  "33 01 0600 0100 640000 01000080",           "type=51,cot=6",   "C_BO_NA_1",
     "write",                                                                                                                                 "bitstring_command 100=2147483649",                           "", ""                           },
    {"58",                                 true,  "3a 01 0600 0100 640000 01 " T,              "type=58,cot=6",   "C_SC_TA_1", "control",
     "single_command 100=1",                                                                                                                                                                                "", "execute " TIME              },
    {"59",                                 true,  "3b 01 0600 0100 640000 81 " T,              "type=59,cot=6",   "C_DC_TA_1", "control",
     "double_command 100=1",                                                                                                                                                                                "", "select " TIME               },
    {"60",                                 true,  "3c 01 0600 0100 640000 01 " T,              "type=60,cot=6",   "C_RC_TA_1", "control",
     "regulating_step 100=1",                                                                                                                                                                               "", "execute " TIME              },
    {"61",                                 true,  "3d 01 0600 0100 640000 0080 00 " T,         "type=61,cot=6",   "C_SE_TA_1", "write",
     "setpoint_normalised 100=-1",                                                                                                                                                                          "", "execute " TIME              },
    {"62",                                 true,  "3e 01 0600 0100 640000 0100 00 " T,         "type=62,cot=6",   "C_SE_TB_1", "write",
     "setpoint_scaled 100=1",                                                                                                                                                                               "", "execute " TIME              },
    {"63",                                 true,  "3f 01 0600 0100 640000 0000803f 00 " T,     "type=63,cot=6",   "C_SE_TC_1", "write",
     "setpoint_float 100=1",                                                                                                                                                                                "", "execute " TIME              },
    {"64",                                 true,  "40 01 0600 0100 640000 01000000 " T,        "type=64,cot=6",   "C_BO_TA_1", "write",
     "bitstring_command 100=1",                                                                                                                                                                             "", TIME                         },
    {"end of initialisation",              false, "46 01 0400 0100 000000 02",                 "type=70,cot=4",   "M_EI_NA_1",
     "publish",                                                                                                                               "end_of_initialisation 0=2",                                  "", "remote reset"               },
    {"authentication",                     false, "51 01 0e00 0100 000000 0001 02",            "type=81,cot=14",  "S_CH_NA_1",
     "auth",                                                                                                                                  "",                                                           "", ""                           },
    {"user status",                        true,  "5a 01 1000 0100 00",                        "type=90,cot=16",  "S_US_NA_1", "auth",        "",                                                           "", ""                           },
    {"interrogation",                      true,  "64 01 0600 0100 000000 14",                 "type=100,cot=6",  "C_IC_NA_1", "read",
     "interrogation 0=20",                                                                                                                                                                                  "", ""                           },
    {"counters, read only",                true,  "65 01 0600 0100 000000 05",                 "type=101,cot=6",  "C_CI_NA_1",
     "read",                                                                                                                                  "counter_interrogation 0=5",                                  "", ""                           },
    {"counters, frozen",                   true,  "65 01 0600 0100 000000 45",                 "type=101,cot=6",  "C_CI_NA_1",
     "control",                                                                                                                               "counter_interrogation 0=69",                                 "", "freeze or reset of counters"},
    {"read",                               true,  "66 01 0500 0100 640000",                    "type=102,cot=5",  "C_RD_NA_1", "read",        "read 100",                                                   "",
     ""                                                                                                                                                                                                                                      },
    {"clock",                              true,  "67 01 0600 0100 000000 " T,                 "type=103,cot=6",  "C_CS_NA_1", "time_set",
     "clock 0",                                                                                                                                                                                             "", TIME                         },
    {"test",                               true,  "68 01 0600 0100 000000 aa55",               "type=104,cot=6",  "C_TS_NA_1", "diagnostics",
     "test 0=21930",                                                                                                                                                                                        "", ""                           },
    {"reset process",                      true,  "69 01 0600 0100 000000 01",                 "type=105,cot=6",  "C_RP_NA_1", "restart",
     "reset_process 0=1",                                                                                                                                                                                   "", "general reset"              },
    {"reset of events",                    true,  "69 01 0600 0100 000000 02",                 "type=105,cot=6",  "C_RP_NA_1", "restart",
     "reset_process 0=2",                                                                                                                                                                                   "", "reset of pending events"    },
    {"delay",                              true,  "6a 01 0600 0100 000000 0100",               "type=106,cot=6",  "C_CD_NA_1", "diagnostics",
     "delay 0=1",                                                                                                                                                                                           "", ""                           },
    {"test with time",                     true,  "6b 01 0600 0100 000000 0100 " T,            "type=107,cot=6",  "C_TS_TA_1",
     "diagnostics",                                                                                                                           "test 0=1",                                                   "", TIME                         },
    {"parameter, normalised",              true,  "6e 01 0600 0100 640000 0020 01",            "type=110,cot=6",  "P_ME_NA_1",
     "config_change",                                                                                                                         "parameter_normalised 100=0.25",                              "", ""                           },
    {"parameter, scaled",                  true,  "6f 01 0600 0100 640000 0100 01",            "type=111,cot=6",  "P_ME_NB_1",
     "config_change",                                                                                                                         "parameter_scaled 100=1",                                     "", ""                           },
    {"parameter, float",                   true,  "70 01 0600 0100 640000 0000803f 01",        "type=112,cot=6",  "P_ME_NC_1",
     "config_change",                                                                                                                         "parameter_float 100=1",                                      "", ""                           },
    {"parameter activation",               true,  "71 01 0600 0100 640000 01",                 "type=113,cot=6",  "P_AC_NA_1",
     "config_change",                                                                                                                         "parameter_activation 100=1",                                 "", ""                           },
    {"directory",                          false, "7e 81 0500 0100 640000 0700 000400 20 " T,  "type=126,cot=5",  "F_DR_TA_1",
     "file_read",                                                                                                                             "file 7",                                                     "", ""                           },
    {"query log",                          true,  "7f 01 0500 0100 640000 0700 " T T,          "type=127,cot=5",  "F_SC_NB_1",
     "file_read",                                                                                                                             "file 7",                                                     "", ""                           },
    {"delete file",                        true,  "7a 01 0d00 0100 640000 0700 00 04",         "type=122,cot=13", "F_SC_NA_1",
     "file_delete",                                                                                                                           "file 7",                                                     "", "delete file"                },
    {"directory is asked for",             true,  "7a 01 0500 0100 640000 0000 00 00",         "type=122,cot=5",
     "F_SC_NA_1",                                                                                                              "file_read",   "file 0",                                                     "", "list directory"             },
    {"private type",                       false, "c8 01 0300 0100 640000 01",                 "type=200,cot=3",  "",          "unknown",     "",                                                           "",
     ""                                                                                                                                                                                                                                      },
};

START_TEST(asdu)
{
    const struct asdu_row *row = &asdus[_i];
    struct probe *p = picked_up();
    feed_asdu(p, row->is_from_client, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "iec104");
    ck_assert_str_eq(e->direction, row->is_from_client ? "request" : "response");
    ck_assert_msg(strcmp(e->code, row->code) == 0, "%s: code %s", row->shows, e->code);
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: name %s", row->shows, e->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: items %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: status %s", row->shows, e->status);
    ck_assert_msg(strcmp(e->detail, row->detail) == 0, "%s: detail %s", row->shows, e->detail);
    ck_assert_str_eq(e->unit, "1");
    if (p->violation_count)
        probe_print(p, stdout);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows, p->violations[0].why);
    probe_destroy(p);
}
END_TEST

/* [101] 7.2.6.18, 7.2.6.20; the bit 0x80 of the minute: not valid */
START_TEST(points_have_their_times)
{
    static const struct {
        const char *asdu, *time;
    } rows[] = {
        {"1e 01 0300 0100 640000 01 " T,                  TIME       },
        {"24 01 0300 0100 640000 0000c03f 00 " T,         TIME       },
        {"02 01 0300 0100 640000 01 cd9b19",              "25:39.885"},
        {"1e 01 0300 0100 640000 01 cd9b 99 0d 02 0b 13", ""         },
        {"1e 01 0300 0100 640000 01 cd9b 19 0d 00 0b 13", ""         },
        {"01 01 0300 0100 640000 01",                     ""         },
    };
    struct probe *p = picked_up();
    feed_asdu(p, false, rows[_i].asdu);
    ck_assert_str_eq(probe_event(p, 0)->time, rows[_i].time);
    probe_destroy(p);
}
END_TEST

struct frame_row {
    const char *shows;
    bool is_from_client;
    const char *hex, *code, *name, *operation;
};

static const struct frame_row frames[] = {
    {"STARTDT act", true,  "680407000000", "U:0x00000001", "startdt_act", "session"    },
    {"STARTDT con", false, "68040b000000", "U:0x00000002", "startdt_con", "session"    },
    {"STOPDT act",  true,  "680413000000", "U:0x00000004", "stopdt_act",  "subscribe"  },
    {"STOPDT con",  false, "680423000000", "U:0x00000008", "stopdt_con",  "subscribe"  },
    {"TESTFR act",  false, "680443000000", "U:0x00000010", "testfr_act",  "diagnostics"},
    {"TESTFR con",  true,  "680483000000", "U:0x00000020", "testfr_con",  "diagnostics"},
    {"S",           true,  "680401000200", "S",            "acknowledge", "session"    },
};

START_TEST(unnumbered)
{
    const struct frame_row *row = &frames[_i];
    struct probe *p = picked_up();
    probe_hex(p, &dissector_iec104, row->is_from_client, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "iec104_apci");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

struct wrong {
    const char *shows;
    bool is_from_client;
    const char *hex; /* whole frame */
    enum violation_kind kind;
};

static const struct wrong wrongs[] = {
    {"cut in the header",                      true,  "6804",                                                     VIOLATION_TRUNCATED},
    {"cut in the ASDU header",                 true,  "6807 00000000 640106",                                     VIOLATION_TRUNCATED},
    {"length is not the frame's",              true,  "6805 07000000",                                            VIOLATION_LENGTH   },
    {"U with payload",                         true,  "6805 07000000 00",                                         VIOLATION_LENGTH   },
    {"S with payload",                         true,  "6805 01000000 00",                                         VIOLATION_LENGTH   },
    {"undefined U",                            true,  "6804 17000000",                                            VIOLATION_FUNCTION },
    {"U with reserved bits",                   true,  "6804 07010000",                                            VIOLATION_RESERVED },
    {"S with reserved bits",                   true,  "6804 05000000",                                            VIOLATION_RESERVED },
    {"N(R) bit 0",                             true,  "680e 0000 0100 64 01 0600 0100 000000 14",                 VIOLATION_RESERVED },
    {"reserved type",                          false, "680e 00000000 16 01 0300 0100 640000 01",                  VIOLATION_FUNCTION },
    {"reserved cause",                         false, "680e 00000000 01 01 2f00 0100 640000 01",                  VIOLATION_COUNT_OF },
    {"reserved cause 43",                      false, "680e 00000000 01 01 2b00 0100 640000 01",                  VIOLATION_RANGE    },
    {"cause 0",                                false, "680e 00000000 01 01 0000 0100 640000 01",                  VIOLATION_RANGE    },
    {"no objects",                             false, "680a 00000000 01 00 0300 0100",                            VIOLATION_COUNT    },
    {"fewer objects",                          false, "680e 00000000 01 02 0300 0100 640000 01",                  VIOLATION_COUNT    },
    {"trailing bytes",                         false, "6810 00000000 01 01 0300 0100 640000 01 0000",             VIOLATION_TRAILING },
    {"process data to the station",            true,  "680e 00000000 01 01 0300 0100 640000 01",
     VIOLATION_DIRECTION                                                                                                             },
    {"command from the station",               false, "680e 00000000 2d 01 0600 0100 640000 01",
     VIOLATION_DIRECTION                                                                                                             },
    {"command with cause 3",                   true,  "680e 00000000 2d 01 0300 0100 640000 01",                  VIOLATION_RANGE    },
    {"command as a sequence",                  true,  "680e 00000000 2d 81 0600 0100 640000 01",                  VIOLATION_RESERVED },
    {"command to address 0",                   true,  "680e 00000000 2d 01 0600 0000 640000 01",                  VIOLATION_RANGE    },
    {"command to all",                         true,  "680e 00000000 2d 01 0600 ffff 640000 01",                  VIOLATION_RANGE    },
    {"interrogation of all stations is legal", true,  "680e 00000000 64 01 0600 ffff 000000 14",
     VIOLATION_COUNT_OF                                                                                                              },
    {"interrogation of nothing",               true,  "680e 00000000 64 01 0600 0100 000000 00",                  VIOLATION_RANGE    },
    {"spontaneous test",                       false, "680e 00000000 01 01 8300 0100 640000 01",                  VIOLATION_RANGE    },
    {"clock to no time",                       true,  "6814 00000000 67 01 0600 0100 000000 ffff 19 0d 02 0b 13",
     VIOLATION_RANGE                                                                                                                 },
    {"STARTDT by the station",                 false, "6804 07000000",                                            VIOLATION_DIRECTION},
    {"before STARTDT",                         true,  "680e 00000000 64 01 0600 0100 000000 14",                  VIOLATION_STATE    },
    {"segment cut",                            false, "6810 00000000 7d 01 0d00 0100 640000 0700 01 05 aa",
     VIOLATION_TRUNCATED                                                                                                             },
};

START_TEST(violations)
{
    const struct wrong *row = &wrongs[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    bool needs_start = row->kind == VIOLATION_STATE || row->kind == VIOLATION_DIRECTION;
    p->flow.is_start_seen = needs_start;
    p->flow.is_role_known = true;
    p->flow.is_two_sided = true;
    probe_hex(p, &dissector_iec104, row->is_from_client, row->hex);
    if (row->kind == VIOLATION_COUNT_OF) {
        ck_assert_msg(p->violation_count == 0, "%s: told", row->shows);
    } else if (!probe_has_violation(p, row->kind)) {
        probe_print(p, stdout);
        ck_abort_msg("%s: not told", row->shows);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(a_command_is_confirmed_and_terminated)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "2d 01 0600 0100 640000 01");
    feed_asdu(p, false, "2d 01 0700 0100 640000 01");
    feed_asdu(p, false, "2d 01 0a00 0100 640000 01");
    ck_assert_str_eq(probe_event(p, 1)->code, "type=45,cot=7");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_uint_eq(probe_event(p, 2)->flags, 0);
    feed_asdu(p, false, "2d 01 0700 0100 640000 01");
    ck_assert_uint_eq(probe_event(p, 3)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

/* [101] 7.2.6.26: bit 8 of the qualifier */
START_TEST(commands_are_selected_or_direct)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed_asdu(p, true, "2d 01 0600 0100 640000 81");
    feed_asdu(p, true, "2e 01 0600 0100 650000 82");
    feed_asdu(p, true, "2d 01 0600 0100 640000 01");
    feed_asdu(p, true, "2d 01 0600 0100 640000 01"); /* once only */
    feed_asdu(p, true, "2e 01 0800 0100 650000 82"); /* given up */
    feed_asdu(p, true, "2e 01 0600 0100 650000 02");
    feed_asdu(p, true, "33 01 0600 0100 660000 81000000"); /* has no qualifier */
    static const unsigned manners[] = {MANNER_SELECT, MANNER_SELECT, MANNER_EXECUTE, MANNER_DIRECT,
                                       MANNER_NONE,   MANNER_DIRECT, MANNER_NONE};
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++)
        ck_assert_uint_eq(probe_event(p, i)->manner, manners[i]);
    probe_destroy(p);
}
END_TEST

START_TEST(what_was_selected_before_the_capture_is_unknown)
{
    struct probe *p = picked_up();
    p->flow.first_ns = p->time_ns;
    feed_asdu(p, true, "2d 01 0600 0100 640000 01");
    ck_assert_uint_eq(probe_event(p, 0)->manner, MANNER_NONE);
    p->time_ns += INT64_C(10000000000);
    feed_asdu(p, true, "2d 01 0600 0100 640000 01");
    ck_assert_uint_eq(probe_event(p, 1)->manner, MANNER_DIRECT);
    p->flow.has_gap = true;
    feed_asdu(p, true, "2d 01 0600 0100 640000 01");
    ck_assert_uint_eq(probe_event(p, 2)->manner, MANNER_NONE);
    probe_destroy(p);
}
END_TEST

/* [101] 7.2.6.26: what is selected is executed or cancelled, or the station gives it up. */
static const struct selecting {
    const char *shows;
    bool is_from_client;
    const char *then; /* three seconds after the select; NULL: nothing */
    int later_s;      /* the next frame of the master */
    bool is_told;
} selectings[] = {
    {"executed",            true,  "2d 01 0600 0100 640000 01", 60, false},
    {"cancelled",           true,  "2d 01 0800 0100 640000 81", 60, false},
    {"refused",             false, "2d 01 4700 0100 640000 81", 60, false},
    {"confirmed, no more",  false, "2d 01 0700 0100 640000 81", 60, true },
    {"another is executed", true,  "2d 01 0600 0100 650000 01", 60, true },
    {"selected once more",  true,  "2d 01 0600 0100 640000 81", 29, false},
    {"still time for it",   false, NULL,                        26, false},
    {"nothing follows",     false, NULL,                        27, true },
};

START_TEST(a_select_is_followed_by_its_execute)
{
    static const int64_t second_ns = INT64_C(1000000000);
    const struct selecting *row = &selectings[_i];
    struct probe *p = picked_up();
    feed_asdu(p, true, "2d 01 0600 0100 640000 81");
    p->time_ns += 3 * second_ns;
    if (row->then)
        feed_asdu(p, row->is_from_client, row->then);
    probe_clear(p);
    p->time_ns += row->later_s * second_ns;
    probe_hex(p, &dissector_iec104, false, "680443000000"); /* the station does not tell it */
    probe_hex(p, &dissector_iec104, true, "680483000000");
    probe_hex(p, &dissector_iec104, true, "680443000000");
    ck_assert_msg(p->violation_count == row->is_told, "%s", row->shows);
    ck_assert_msg(probe_has_violation(p, VIOLATION_SEQUENCE) == row->is_told, "%s", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(refusals)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "2d 01 0600 0100 640000 01");
    feed_asdu(p, false, "2d 01 4700 0100 640000 01");
    ck_assert_str_eq(probe_event(p, 1)->code, "type=45,cot=7,neg");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 7 negative");
    feed_asdu(p, true, "2d 01 0600 0100 650000 01");
    feed_asdu(p, false, "2d 01 6f00 0100 650000 01");
    ck_assert_str_eq(probe_event(p, 3)->code, "type=45,cot=47,neg");
    ck_assert_str_eq(probe_event(p, 3)->status, "error 47 unknown_object_address");
    ck_assert_uint_eq(probe_event(p, 3)->flags, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_read_of_an_unknown_object_was_asked_for)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "66 01 0500 0100 640000");
    feed_asdu(p, false, "66 01 2f00 0100 640000");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 47 unknown_object_address");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    feed_asdu(p, false, "66 01 2f00 0100 640000");
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

START_TEST(another_value_is_confirmed)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "2d 01 0600 0100 640000 01");
    feed_asdu(p, false, "2d 01 0700 0100 640000 00");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_ECHO_DIFFERS);
    probe_destroy(p);
}
END_TEST

START_TEST(reset_of_all_stations_is_a_broadcast)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "69 01 0600 ffff 000000 01");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_BROADCAST);
    ck_assert_str_eq(probe_event(p, 0)->unit, "65535");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(learners_get_the_address)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "2d 01 0600 0700 4c1d00 01");
    ck_assert(probe_event(p, 0)->has_range);
    ck_assert_uint_eq(probe_event(p, 0)->low, 7500);
    ck_assert_uint_eq(probe_event(p, 0)->high, 7500);
    ck_assert_str_eq(probe_event(p, 0)->unit, "7");
    probe_destroy(p);
}
END_TEST

struct variant {
    const char *shows, *hex, *items;
};

static const struct variant variants[] = {
    {"1, 1, 2", "64 01 06 07 0000 14",            "interrogation 0=20"    },
    {"1, 2, 2", "2d 01 06 0700 6400 01",          "single_command 100=1"  },
    {"1, 1, 3", "32 01 06 07 640000 0000c03f 00", "setpoint_float 100=1.5"},
    {"2, 1, 2", "32 01 0600 07 6400 0000c03f 00", "setpoint_float 100=1.5"},
};

START_TEST(layouts_of_101)
{
    const struct variant *row = &variants[_i];
    struct probe *p = picked_up();
    feed_asdu(p, true, row->hex);
    ck_assert_msg(strcmp(probe_event(p, 0)->items, row->items) == 0, "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(sequence_numbers)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_two_sided = true;
    probe_hex(p, &dissector_iec104, true, "680407000000");
    probe_hex(p, &dissector_iec104, false, "68040b000000");
    probe_hex(p, &dissector_iec104, true, "680e 0000 0000 64 01 0600 0100 000000 14");
    probe_hex(p, &dissector_iec104, false, "680e 0000 0200 64 01 0700 0100 000000 14");
    probe_hex(p, &dissector_iec104, true, "6804 0100 0200");
    ck_assert_uint_eq(p->violation_count, 0);
    /* 3 acknowledged, 1 was sent; the next one is the second */
    probe_hex(p, &dissector_iec104, true, "6804 0100 0600");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_hex(p, &dissector_iec104, false, "680e 0200 0200 64 01 0a00 0100 000000 14");
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_clear(p);
    probe_hex(p, &dissector_iec104, false, "680e 0800 0200 01 01 0300 0100 640000 01");
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_destroy(p);
}
END_TEST

START_TEST(test_storm)
{
    struct probe *p = picked_up();
    for (int i = 0; i < 19; i++)
        probe_hex(p, &dissector_iec104, true, "680443000000");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_hex(p, &dissector_iec104, true, "680443000000");
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

START_TEST(a_file_is_read)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "7a 01 0d00 0100 640000 0700 00 01");
    ck_assert_str_eq(probe_event(p, 0)->detail, "select file");
    feed_asdu(p, false, "78 01 0d00 0100 640000 0700 030000 00");
    ck_assert_str_eq(probe_event(p, 1)->operation, "file_read");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "begin file_read"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "declared=3"));
    feed_asdu(p, false, "79 01 0d00 0100 640000 0700 01 030000 00");
    feed_asdu(p, false, "7d 01 0d00 0100 640000 0700 01 03 aabbcc");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->transfer, "bytes=3"));
    feed_asdu(p, false, "7b 01 0d00 0100 640000 0700 01 03 31");
    ck_assert_str_eq(probe_event(p, 4)->transfer, "");
    feed_asdu(p, false, "7b 01 0d00 0100 640000 0700 00 01 31");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 5)->transfer, "end"));
    feed_asdu(p, true, "7c 01 0d00 0100 640000 0700 00 01");
    ck_assert_str_eq(probe_event(p, 6)->operation, "file_read");
    if (p->violation_count)
        probe_print(p, stdout);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_file_is_written)
{
    struct probe *p = picked_up();
    feed_asdu(p, true, "78 01 0d00 0100 640000 0700 030000 00");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 0)->transfer, "begin file_write"));
    feed_asdu(p, false, "7a 01 0d00 0100 640000 0700 00 02");
    ck_assert_str_eq(probe_event(p, 1)->operation, "file_write");
    feed_asdu(p, true, "7d 01 0d00 0100 640000 0700 01 03 aabbcc");
    ck_assert_str_eq(probe_event(p, 2)->operation, "file_write");
    feed_asdu(p, false, "7c 01 0d00 0100 640000 0700 00 02");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->transfer, "abort"));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[64];
    size_t size =
        hex_bytes(bytes, sizeof bytes, "6812 0200 0a00 0d 01 0300 0700 bc0200 0000c03f 00");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_iec104, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_iec104, bytes, n), CLAIM_MORE);
    }
    ck_assert_int_eq(probe_recognise(&dissector_iec104, bytes, size), CLAIM_YES);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = picked_up();
        probe_stream(p, &dissector_iec104, false, bytes, n);
        probe_stream(p, &dissector_iec104, false, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
}
END_TEST

struct bound {
    const char *shows, *hex;
    enum frame_verdict verdict;
    enum claim claim;
};

static const struct bound bounds[] = {
    {"length 3",                         "6803 07000000",                           FRAME_BROKEN,   CLAIM_NO  },
    {"length 4",                         "6804 07000000",                           FRAME_COMPLETE, CLAIM_YES },
    {"length 253",                       "68fd 00000000 0101",                      FRAME_NEED,     CLAIM_MORE},
    {"length 254",                       "68fe 00000000",                           FRAME_BROKEN,   CLAIM_NO  },
    {"another start",                    "6904 07000000",                           FRAME_BROKEN,   CLAIM_NO  },
    {"S is weak",                        "6804 01000200",                           FRAME_COMPLETE, CLAIM_WEAK},
    {"U with other bytes",               "6804 07000100",                           FRAME_COMPLETE, CLAIM_NO  },
    {"zeros",                            "000000000000",                            FRAME_BROKEN,   CLAIM_NO  },
    {"a size that does not fit is weak", "680e 00000000 01 02 0300 0100 640000 01", FRAME_COMPLETE,
     CLAIM_WEAK                                                                                               },
    {"unknown type",                     "680e 00000000 fe 01 0300 0100 640000 01", FRAME_COMPLETE, CLAIM_NO  },
};

START_TEST(limits)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, bounds[_i].hex);
    ck_assert_msg(probe_frame(&dissector_iec104, bytes, size).verdict == bounds[_i].verdict,
                  "%s: frame", bounds[_i].shows);
    ck_assert_msg(probe_recognise(&dissector_iec104, bytes, size) == bounds[_i].claim,
                  "%s: recognise", bounds[_i].shows);
}
END_TEST

START_TEST(starting_tells_who_is_client)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    probe_hex(p, &dissector_iec104, false, "680407000000");
    ck_assert(probe_event(p, 0)->is_from_client);
    ck_assert_str_eq(probe_event(p, 0)->direction, "request");
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iec104");
    TCase *tc = tcase_create("iec104");
    tcase_add_loop_test(tc, points_have_their_times, 0, 6);
    tcase_add_loop_test(tc, asdu, 0, sizeof asdus / sizeof *asdus);
    tcase_add_loop_test(tc, unnumbered, 0, sizeof frames / sizeof *frames);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_loop_test(tc, layouts_of_101, 0, sizeof variants / sizeof *variants);
    tcase_add_loop_test(tc, limits, 0, sizeof bounds / sizeof *bounds);
    tcase_add_test(tc, a_command_is_confirmed_and_terminated);
    tcase_add_test(tc, commands_are_selected_or_direct);
    tcase_add_test(tc, what_was_selected_before_the_capture_is_unknown);
    tcase_add_loop_test(tc, a_select_is_followed_by_its_execute, 0,
                        sizeof selectings / sizeof *selectings);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, a_read_of_an_unknown_object_was_asked_for);
    tcase_add_test(tc, another_value_is_confirmed);
    tcase_add_test(tc, reset_of_all_stations_is_a_broadcast);
    tcase_add_test(tc, learners_get_the_address);
    tcase_add_test(tc, sequence_numbers);
    tcase_add_test(tc, test_storm);
    tcase_add_test(tc, a_file_is_read);
    tcase_add_test(tc, a_file_is_written);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, starting_tells_who_is_client);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
