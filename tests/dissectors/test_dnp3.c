/* test_dnp3.c: link, transport and application layers of DNP3. Expected values from IEEE 1815. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_dnp3;

/* Bit by bit, unlike the dissector's. */
static void put_crc(uint8_t *bytes, size_t size)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa6bc : crc >> 1);
    }
    bytes[size] = (uint8_t)~crc;
    bytes[size + 1] = (uint8_t)(~crc >> 8);
}

enum { MASTER = 3, OUTSTATION = 4, FRAME_MAX = 292 };

/* A link frame; data with its transport octet. */
static size_t build(uint8_t out[FRAME_MAX], uint8_t control, unsigned destination, unsigned source,
                    const uint8_t *data, size_t size)
{
    uint8_t header[] = {0x05,
                        0x64,
                        (uint8_t)(size + 5),
                        control,
                        (uint8_t)destination,
                        (uint8_t)(destination >> 8),
                        (uint8_t)source,
                        (uint8_t)(source >> 8)};
    memcpy(out, header, sizeof header);
    put_crc(out, sizeof header);
    size_t used = sizeof header + 2;
    for (size_t at = 0; at < size; at += 16) {
        size_t n = size - at < 16 ? size - at : 16;
        memcpy(out + used, data + at, n);
        put_crc(out + used, n);
        used += n + 2;
    }
    return used;
}

static void feed_to(struct probe *p, bool is_master, unsigned outstation, const char *hex)
{
    uint8_t data[250], frame[FRAME_MAX];
    data[0] = 0xc0;
    size_t size = hex_bytes(data + 1, sizeof data - 1, hex) + 1;
    size = is_master ? build(frame, 0xc4, outstation, MASTER, data, size)
                     : build(frame, 0x44, MASTER, outstation, data, size);
    probe_feed(p, &dissector_dnp3, is_master, frame, size);
}

/* A fragment in one frame. */
static void feed(struct probe *p, bool is_master, const char *hex)
{
    feed_to(p, is_master, OUTSTATION, hex);
}

struct function_row {
    const char *code, *name, *operation;
};

static const struct function_row functions[] = {
    {"0",  "confirm",                 "session"      },
    {"1",  "read",                    "read"         },
    {"2",  "write",                   "write"        },
    {"3",  "select",                  "control"      },
    {"4",  "operate",                 "control"      },
    {"5",  "direct_operate",          "control"      },
    {"6",  "direct_operate_no_ack",   "control"      },
    {"7",  "immediate_freeze",        "control"      },
    {"8",  "immediate_freeze_no_ack", "control"      },
    {"9",  "freeze_clear",            "control"      },
    {"10", "freeze_clear_no_ack",     "control"      },
    {"11", "freeze_at_time",          "control"      },
    {"12", "freeze_at_time_no_ack",   "control"      },
    {"13", "cold_restart",            "restart"      },
    {"14", "warm_restart",            "restart"      },
    {"15", "initialize_data",         "restart"      },
    {"16", "initialize_application",  "restart"      },
    {"17", "start_application",       "start"        },
    {"18", "stop_application",        "stop"         },
    {"19", "save_configuration",      "config_change"},
    {"20", "enable_unsolicited",      "subscribe"    },
    {"21", "disable_unsolicited",     "subscribe"    },
    {"22", "assign_class",            "config_change"},
    {"23", "delay_measurement",       "diagnostics"  },
    {"24", "record_current_time",     "time_set"     },
    {"25", "open_file",               "file_read"    },
    {"26", "close_file",              "file_read"    },
    {"27", "delete_file",             "file_delete"  },
    {"28", "get_file_information",    "file_read"    },
    {"29", "authenticate_file",       "auth"         },
    {"30", "abort_file",              "file_write"   },
    {"31", "activate_configuration",  "config_change"},
    {"32", "authentication_request",  "auth"         },
    {"33", "authentication_error",    "auth"         },
};

START_TEST(function_codes)
{
    char hex[8];
    snprintf(hex, sizeof hex, "c1%02x", _i);
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "dnp3");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->code, functions[_i].code);
    ck_assert_str_eq(e->name, functions[_i].name);
    ck_assert_str_eq(e->operation, functions[_i].operation);
    ck_assert_str_eq(e->unit, "3>4");
    ck_assert_uint_eq(e->transaction, 1);
    probe_destroy(p);
}
END_TEST

struct row {
    const char *shows;
    bool is_master;
    const char *hex, *operation, *items, *detail;
};

#define RESPONSE "c1 81 0000 "

static const struct row rows[] = {
    {"class poll",                      true,  "c1 01 3c0206 3c0306 3c0406 3c0106",                 "read",
     "class 1; class 2; class 3; class 0",                                                                                                                 ""                           },
    {"a range of inputs",               true,  "c1 01 010100 0005",                                 "read",          "binary_input 0-5",                   ""                           },
    {"all of a group",                  true,  "c1 01 1e0006",                                      "read",          "analog_input",                       ""                           },
    {"16-bit range",                    true,  "c1 01 1e0201 0001 0201",                            "read",          "analog_input 256-258",               ""                           },
    {"32-bit range",                    true,  "c1 01 1e0202 00000100 01000100",                    "read",          "analog_input 65536-65537",
     ""                                                                                                                                                                                 },
    {"indexes of one byte",             true,  "c1 01 1e0217 02 05 07",                             "read",          "analog_input 5; analog_input 7",
     ""                                                                                                                                                                                 },
    {"indexes of two bytes",            true,  "c1 01 1e0228 0100 0501",                            "read",          "analog_input 261",                   ""                           },
    {"identity is asked for",           true,  "c1 01 00fe00 0000",                                 "identify",      "device_attribute 254",               ""                           },
    {"unknown group",                   true,  "c1 01 fe0106",                                      "read",          "object 254",                         ""                           },
    {"latch on",                        true,  "c1 05 0c0117 01 07 03 01 64000000 64000000 00",     "control",
     "binary_output 7=3",                                                                                                                                  "latch on"                   },
    {"trip",                            true,  "c1 05 0c0128 0100 0701 81 01 64000000 64000000 00", "control",
     "binary_output 263=129",                                                                                                                              "pulse on trip"              },
    {"close",                           true,  "c1 05 0c0117 01 07 41 01 64000000 64000000 00",     "control",
     "binary_output 7=65",                                                                                                                                 "pulse on close"             },
    {"set point of 32 bits",            true,  "c1 05 290117 01 02 feffffff 00",                    "control",
     "analog_output 2=-2",                                                                                                                                 ""                           },
    {"set point of 16 bits",            true,  "c1 05 290217 01 02 ff7f 00",                        "control",       "analog_output 2=32767",
     ""                                                                                                                                                                                 },
    {"set point, float",                true,  "c1 05 290317 01 02 0000c03f 00",                    "control",       "analog_output 2=1.5",
     ""                                                                                                                                                                                 },
    {"set point, double",               true,  "c1 05 290417 01 02 000000000000f83f 00",            "control",
     "analog_output 2=1.5",                                                                                                                                ""                           },
    {"two commands",                    true,  "c1 05 290217 02 02 0100 00 03 0200 00",             "control",
     "analog_output 2=1; analog_output 3=2",                                                                                                               ""                           },
    {"clock",                           true,  "c1 02 320107 01 010000000000",                      "time_set",      "time=1970-01-01T00:00:00.001000Z",
     "1970-01-01T00:00:00.001000Z"                                                                                                                                                      },
    {"dead band",                       true,  "c1 02 220117 01 04 0500",                           "config_change", "analog_input_deadband 4=5",
     ""                                                                                                                                                                                 },
    {"restart bit is cleared",          true,  "c1 02 500100 0707 00",                              "write",         "internal_indication 7=0",
     ""                                                                                                                                                                                 },
    {"unsolicited off",                 true,  "c1 15 3c0206 3c0306",                               "subscribe",     "class 1; class 2",                   ""                           },
    {"freeze counters",                 true,  "c1 07 140006",                                      "control",       "counter",                            ""                           },
    {"freeze at a time",                true,  "c1 0b 320207 01 010000000000 00000000 140006",      "control",
     "time=1970-01-01T00:00:00.001000Z; counter",                                                                                                          ""                           },
    {"session key status is asked for", true,  "c1 20 780407 01 0100",                              "auth",          "authentication=0100",
     ""                                                                                                                                                                                 },
    {"packed inputs",                   false, RESPONSE "010100 0009 0503",                         "read",
     "binary_input 0-9=1,0,1,0,0,0,0,0,1,1",                                                                                                               ""                           },
    {"input with flags",                false, RESPONSE "010200 0001 81 01",                        "read",
     "binary_input 0=1; binary_input 1=0",                                                                                                                 ""                           },
    {"offline",                         false, RESPONSE "010200 0000 80",                           "read",          "binary_input 0=1!error 128 offline", ""                           },
    {"input event",                     false, RESPONSE "020217 01 04 81 010000000000",             "read",          "binary_input 4=1",                   ""                           },
    {"double-bit inputs",               false, RESPONSE "030100 0002 26",                           "read",          "double_bit_input 0-2=2,1,2",
     ""                                                                                                                                                                                 },
    {"double-bit with flags",           false, RESPONSE "030200 0000 81",                           "read",          "double_bit_input 0=2",               ""                           },
    {"outputs",                         false, RESPONSE "0a0200 0000 81",                           "read",          "binary_output 0=1",                  ""                           },
    {"counter",                         false, RESPONSE "140100 0000 01 05000000",                  "read",          "counter 0=5",                        ""                           },
    {"counter without flags",           false, RESPONSE "140500 0000 05000000",                     "read",          "counter 0=5",                        ""                           },
    {"counter of 16 bits",              false, RESPONSE "140200 0000 01 0500",                      "read",          "counter 0=5",                        ""                           },
    {"frozen counter with time",        false, RESPONSE "150500 0000 01 05000000 010000000000",     "read",
     "frozen_counter 0=5",                                                                                                                                 ""                           },
    {"counter event",                   false, RESPONSE "160217 01 04 01 0500",                     "read",          "counter 4=5",                        ""                           },
    {"analog of 32 bits",               false, RESPONSE "1e0100 0000 01 feffffff",                  "read",          "analog_input 0=-2",
     ""                                                                                                                                                                                 },
    {"analog of 16 bits without flags", false, RESPONSE "1e0400 0001 feff 0100",                    "read",
     "analog_input 0=-2; analog_input 1=1",                                                                                                                ""                           },
    {"analog, float",                   false, RESPONSE "1e0500 0000 01 0000c03f",                  "read",          "analog_input 0=1.5",                 ""                           },
    {"analog, double",                  false, RESPONSE "1e0600 0000 01 000000000000f83f",          "read",
     "analog_input 0=1.5",                                                                                                                                 ""                           },
    {"forced",                          false, RESPONSE "1e0200 0000 11 0100",                      "read",
     "analog_input 0=1!error 17 local_forced",                                                                                                             ""                           },
    {"analog event with time",          false, RESPONSE "200428 0100 0401 01 0500 010000000000",    "read",
     "analog_input 260=5",                                                                                                                                 ""                           },
    {"output status",                   false, RESPONSE "280200 0000 01 0500",                      "read",          "analog_output 0=5",                  ""                           },
    {"octet string",                    false, RESPONSE "6e0300 0000 414243",                       "read",          "octet_string 0=ABC",                 ""                           },
    {"device restart",                  false, "c1 81 8000",                                        "read",          "",                                   "device restart"             },
    {"a clock of the year 2026",        true,  "c1 02 320107 01 00787dc79e01",                      "time_set",
     "time=2026-06-14T18:55:49.248000Z",                                                                                                                   "2026-06-14T18:55:49.248000Z"},
    {"a clock beyond all calendars",    true,  "c1 02 320107 01 ffffffffffff",                      "time_set",
     "time=281474976710655",                                                                                                                               ""                           },
    {"an octet string is a text",       false, RESPONSE "6e0400 0505 41424300",                     "read",
     "octet_string 5=ABC",                                                                                                                                 ""                           },
    {"or other bytes",                  false, RESPONSE "6e0400 0505 41ff4300",                     "read",          "octet_string 5=41ff4300",
     ""                                                                                                                                                                                 },
    {"broadcast received",              false, "c1 81 0100",                                        "read",          "",                                   "broadcast received"         },
    {"class 1 events",                  false, "c1 81 0200",                                        "read",          "",                                   "class 1 events"             },
    {"class 2 events",                  false, "c1 81 0400",                                        "read",          "",                                   "class 2 events"             },
    {"class 3 events",                  false, "c1 81 0800",                                        "read",          "",                                   "class 3 events"             },
    {"events of all classes",           false, "c1 81 0e00",                                        "read",          "",                                   "class 1, 2, 3 events"       },
    {"device trouble",                  false, "c1 81 4000",                                        "read",          "",                                   "device trouble"             },
    {"local control",                   false, "c1 81 2000",                                        "read",          "",                                   "local control"              },
    {"event buffer overflow",           false, "c1 81 0008",                                        "read",          "",                                   "event buffer overflow"      },
    {"configuration corrupt",           false, "c1 81 0020",                                        "read",          "",                                   "configuration corrupt"      },
    {"everything at once",              false, "c1 81 ff28",                                        "read",          "",
     "device restart, device trouble, configuration corrupt, event buffer overflow, local control, "
     "need time, broadcast received, class 1, 2, 3 events"                                                                                                                              },
    {"need time",                       false, "c1 81 1000",                                        "read",          "",                                   "need time"                  },
    {"event buffer overflow",           false, "c1 81 0008",                                        "read",          "",                                   "event buffer overflow"      },
    {"delay",                           false, RESPONSE "340207 01 0500",                           "read",          "time_delay=5",                       ""                           },
    {"unsolicited",                     false, "f1 82 0000 020117 01 04 81",                        "publish",       "binary_input 4=1",                   ""                           },
    {"challenge",                       false, "c1 83 0000 78015b 01 0400 01020304",                "auth",          "authentication",                     ""                           },
};

START_TEST(fragments)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, row->is_master, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->direction, row->is_master ? "request" : "response");
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: items %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->detail, row->detail) == 0, "%s: detail %s", row->shows, e->detail);
    bool is_unknown = strstr(row->shows, "unknown") != NULL;
    ck_assert_msg(p->violation_count == is_unknown, "%s: %s", row->shows,
                  p->violation_count ? p->violations[0].why : "no violation");
    probe_destroy(p);
}
END_TEST

/* [1815] 11.3.3: absolute time behind the value of an event */
START_TEST(events_have_their_times)
{
#define AT   "00787dc79e01"
#define TIME "2026-06-14T18:55:49.248Z"
    static const struct {
        const char *fragment, *time;
    } times[] = {
        {RESPONSE "020217 01 04 81 " AT,                  TIME},
        {RESPONSE "040217 01 04 81 " AT,                  TIME},
        {RESPONSE "150500 0000 01 05000000 " AT,          TIME},
        {RESPONSE "160517 01 04 01 05000000 " AT,         TIME},
        {RESPONSE "200317 01 04 01 05000000 " AT,         TIME},
        {RESPONSE "200717 01 04 01 0000c03f " AT,         TIME},
        {RESPONSE "200817 01 04 01 000000000000f83f " AT, TIME},
        {RESPONSE "0d0217 01 04 81 " AT,                  TIME},
        {RESPONSE "020217 01 04 81 000000000000",         ""  },
        {RESPONSE "020317 01 04 81 0100",                 ""  },
        {RESPONSE "1e0600 0000 01 000000000000f83f",      ""  },
        {RESPONSE "200117 01 04 01 05000000",             ""  },
    };
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, times[_i].fragment);
    ck_assert_str_eq(probe_event(p, 0)->time, times[_i].time);
    probe_destroy(p);
}
END_TEST

struct wrong {
    const char *shows;
    bool is_master;
    const char *hex;
    enum violation_kind kind;
};

static const struct wrong wrongs[] = {
    {"no function",              true,  "c1",                                            VIOLATION_TRUNCATED},
    {"no indications",           false, "c1 81 00",                                      VIOLATION_TRUNCATED},
    {"undefined function",       true,  "c1 22",                                         VIOLATION_FUNCTION },
    {"undefined response",       false, "c1 84 0000",                                    VIOLATION_FUNCTION },
    {"object header cut",        true,  "c1 01 0102",                                    VIOLATION_TRUNCATED},
    {"qualifier bit 7",          true,  "c1 01 010286",                                  VIOLATION_RESERVED },
    {"range code 3",             true,  "c1 01 010203 0000",                             VIOLATION_RESERVED },
    {"range code 10",            true,  "c1 01 01020a",                                  VIOLATION_RESERVED },
    {"prefix 7",                 true,  "c1 01 010277 01",                               VIOLATION_RESERVED },
    {"stop before start",        true,  "c1 01 010200 0504",                             VIOLATION_RANGE    },
    {"fewer points",             false, RESPONSE "1e0100 0001 01 00000000",              VIOLATION_COUNT    },
    {"fewer packed points",      false, RESPONSE "010100 0008 01",                       VIOLATION_COUNT    },
    {"fewer indexes",            true,  "c1 01 010217 02 00",                            VIOLATION_COUNT    },
    {"object beyond the end",    true,  "c1 19 46035b 01 ff00 00",                       VIOLATION_LENGTH   },
    {"request with UNS",         true,  "d1 01",                                         VIOLATION_RESERVED },
    {"response with UNS",        false, "d1 81 0000",                                    VIOLATION_RESERVED },
    {"reserved indications",     false, "c1 81 0040",                                    VIOLATION_RESERVED },
    {"undefined control",        true,  "c1 05 0c0117 01 07 05 01 00000000 00000000 00", VIOLATION_RANGE    },
    {"operate without a select", true,  "c1 04 0c0117 01 07 03 01 00000000 00000000 00",
     VIOLATION_STATE                                                                                        },
    {"master's response",        true,  "c1 81 0000",                                    VIOLATION_DIRECTION},
    {"outstation's request",     false, "c1 01",                                         VIOLATION_DIRECTION},
    {"all 2^32 points",          false, RESPONSE "1e0102 00000000 ffffffff 01",          VIOLATION_COUNT    },
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, wrongs[_i].is_master, wrongs[_i].hex);
    if (!probe_has_violation(p, wrongs[_i].kind)) {
        probe_print(p, stdout);
        ck_abort_msg("%s: not told", wrongs[_i].shows);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(responses_are_matched)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c5 0d");
    feed(p, false, "c5 81 0000 340207 01 0500");
    ck_assert_str_eq(probe_event(p, 1)->operation, "restart");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    feed(p, true, "c6 15 3c0206");
    feed(p, false, "c6 81 0001");
    ck_assert_str_eq(probe_event(p, 3)->items, "class 1"); /* as asked */
    ck_assert_str_eq(probe_event(p, 3)->status, "error 1 function_not_supported");
    feed(p, false, "c7 81 0000");
    ck_assert_uint_eq(probe_event(p, 4)->flags, OT_NO_REQUEST);
    feed(p, false, "f7 82 0000");
    ck_assert_uint_eq(probe_event(p, 5)->flags, OT_UNSOLICITED);
    probe_destroy(p);
}
END_TEST

START_TEST(any_outstation_answers_a_broadcast)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed_to(p, true, 0xffff, "c5 0e");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_BROADCAST);
    ck_assert_str_eq(probe_event(p, 0)->unit, "3>65535");
    feed(p, false, "c5 81 0100");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_str_eq(probe_event(p, 1)->operation, "restart");
    probe_destroy(p);
}
END_TEST

#define COMMAND(status) "0c0117 01 07 03 01 64000000 64000000 " status

START_TEST(select_before_operate)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c1 03 " COMMAND("00"));
    feed(p, false, "c1 81 0000 " COMMAND("00"));
    feed(p, true, "c2 04 " COMMAND("00"));
    feed(p, false, "c2 81 0000 " COMMAND("00"));
    ck_assert_uint_eq(p->violation_count, 0);
    ck_assert_str_eq(probe_event(p, 3)->items, "binary_output 7=3!ok");
    ck_assert_uint_eq(probe_event(p, 0)->manner, MANNER_SELECT);
    ck_assert_uint_eq(probe_event(p, 2)->manner, MANNER_EXECUTE);
    feed(p, true, "c3 03 " COMMAND("00"));
    feed(p, true, "c4 04 0c0117 01 08 03 01 64000000 64000000 00");
    ck_assert(probe_has_violation(p, VIOLATION_STATE));
    probe_clear(p);
    feed(p, true, "c5 03 " COMMAND("00"));
    p->time_ns += INT64_C(31000000000);
    feed(p, true, "c6 04 " COMMAND("00"));
    ck_assert(probe_has_violation(p, VIOLATION_STATE));
    probe_destroy(p);
}
END_TEST

static const struct echo {
    const char *shows, *request, *response;
    bool differs;
} echoes[] = {
    {"as asked",           "c1 05 " COMMAND("00"),       "c1 81 0000 " COMMAND("00"),                          false},
    {"refused",            "c1 05 " COMMAND("00"),       "c1 81 0000 " COMMAND("04"),                          false},
    {"without its object", "c1 05 " COMMAND("00"),       "c1 81 0001",                                         false},
    {"another point",      "c1 05 " COMMAND("00"),       "c1 81 0000 0c0117 01 08 03 01 64000000 64000000 00",
     true                                                                                                           },
    {"another operation",  "c1 05 " COMMAND("00"),
     "c1 81 0000 0c0117 01 07 04 01 64000000 64000000 00",                                                     true },
    {"another count",      "c1 05 " COMMAND("00"),       "c1 81 0000 0c0117 01 07 03 02 64000000 64000000 00",
     true                                                                                                           },
    {"another time",       "c1 05 " COMMAND("00"),       "c1 81 0000 0c0117 01 07 03 01 64000000 65000000 00",
     true                                                                                                           },
    {"the same output",    "c1 05 290217 01 05 0a00 00", "c1 81 0000 290217 01 05 0a00 00",                    false},
    {"another output",     "c1 05 290217 01 05 0a00 00", "c1 81 0000 290217 01 05 0b00 00",                    true },
    {"a read",             "c1 01 3c0206",               "c1 81 0000 1e0200 0505 01 0a00",                     false},
};

START_TEST(commands_are_repeated)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, echoes[_i].request);
    feed(p, false, echoes[_i].response);
    bool differs = probe_event(p, 1)->flags & OT_ECHO_DIFFERS;
    bool is_command = probe_event(p, 0)->op == OP_CONTROL;
    ck_assert_uint_eq(probe_event(p, 0)->manner, is_command ? MANNER_DIRECT : MANNER_NONE);
    ck_assert_msg(differs == echoes[_i].differs, "%s", echoes[_i].shows);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(refused_command)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c1 04 " COMMAND("00"));
    feed(p, false, "c1 81 0000 " COMMAND("02"));
    ck_assert_str_eq(probe_event(p, 1)->status, "error 2 no_select");
    ck_assert_str_eq(probe_event(p, 1)->items, "binary_output 7=3!error 2 no_select");
    probe_destroy(p);
}
END_TEST

START_TEST(a_challenged_command_is_answered_later)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c6 05 " COMMAND("00"));
    feed(p, false, "c6 83 0000 78015b 01 0400 01020304");
    feed(p, true, "c6 20 78025b 01 0400 01020304");
    feed(p, false, "c6 81 0000 " COMMAND("00"));
    ck_assert_str_eq(probe_event(p, 1)->code, "131");
    ck_assert_str_eq(probe_event(p, 3)->operation, "control");
    ck_assert_uint_eq(probe_event(p, 3)->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* g70v3: name at 26, its size 5, ..., mode, block size, request, "a.txt" */
#define OPEN(mode)                                                                                 \
    "46035b 01 1f00 1a00 0500 000000000000 0000 00000000 00000000 " mode " 0004 0100 612e747874"
/* g70v4: handle 7, size, block size, request, status */
#define STATUS(size, code) "46045b 01 0d00 07000000 " size " 0004 0100 " code

START_TEST(a_file_is_read)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c1 19 " OPEN("0100"));
    ck_assert_str_eq(probe_event(p, 0)->operation, "file_read");
    ck_assert_str_eq(probe_event(p, 0)->items, "a.txt");
    feed(p, false, "c1 81 0000 " STATUS("03000000", "00"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "begin file_read"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "name=a.txt declared=3"));
    feed(p, true, "c2 01 46055b 01 0800 07000000 00000000");
    ck_assert_str_eq(probe_event(p, 2)->operation, "file_read");
    feed(p, false, "c2 81 0000 46055b 01 0b00 07000000 00000080 aabbcc");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->transfer, "bytes=3"));
    feed(p, true, "c3 1a " STATUS("00000000", "00"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 4)->transfer, "end"));
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_file_is_written_and_activated)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c1 19 " OPEN("0200"));
    feed(p, false, "c1 81 0000 " STATUS("ffffffff", "00"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "begin file_write"));
    feed(p, true, "c2 02 46055b 01 0b00 07000000 00000080 aabbcc");
    ck_assert_str_eq(probe_event(p, 2)->operation, "file_write");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 2)->transfer, "bytes=3"));
    feed(p, true, "c3 1a " STATUS("00000000", "00"));
    ck_assert_str_eq(probe_event(p, 3)->operation, "file_write");
    feed(p, true, "c4 1f 46085b 01 0500 612e747874");
    ck_assert_str_eq(probe_event(p, 4)->operation, "program_download");
    ck_assert_str_eq(probe_event(p, 4)->items, "a.txt");
    probe_destroy(p);
}
END_TEST

START_TEST(file_errors)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c1 19 " OPEN("0100"));
    feed(p, false, "c1 81 0000 " STATUS("00000000", "03"));
    ck_assert_str_eq(probe_event(p, 1)->status, "error 3 not_found");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "");
    feed(p, true, "c2 1b " OPEN("0000"));
    ck_assert_str_eq(probe_event(p, 2)->operation, "file_delete");
    ck_assert_str_eq(probe_event(p, 2)->items, "a.txt");
    probe_destroy(p);
}
END_TEST

START_TEST(a_password_is_nowhere)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    /* user "op" at 12, password "pw" at 14 */
    feed(p, true, "c1 1d 46025b 01 1000 0c00 0200 0e00 0200 00000000 6f70 7077");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "auth");
    ck_assert_uint_eq(e->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 2);
    ck_assert_str_eq(e->items, "op");
    probe_destroy(p);
}
END_TEST

START_TEST(device_attributes_are_facts)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "c1 01 00fe00 0000");
    feed(p, false,
         "c1 81 0000 00fc00 0000 01 04 41636d65 00fa00 0000 01 02 5231"
         "00f800 0000 01 03 313233 00f200 0000 01 03 312e30");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "vendor=Acme; product=R1; serial_number=123; software_version=1.0");
    ck_assert_str_eq(probe_event(p, 1)->operation, "identify");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* --- link and transport --- */

struct link_row {
    const char *shows;
    uint8_t control;
    unsigned destination;
    const char *code, *name, *operation;
};

static const struct link_row links[] = {
    {"reset",           0xc0, 4,      "pri=0",  "reset_link_states",   "session"    },
    {"reset process",   0xc1, 4,      "pri=1",  "reset_user_process",  "restart"    },
    {"test",            0xf2, 4,      "pri=2",  "test_link_states",    "diagnostics"},
    {"request status",  0xc9, 4,      "pri=9",  "request_link_status", "diagnostics"},
    {"ack",             0x80, 4,      "sec=0",  "ack",                 "session"    },
    {"nack",            0x81, 4,      "sec=1",  "nack",                "session"    },
    {"status",          0x8b, 4,      "sec=11", "link_status",         "diagnostics"},
    {"not functioning", 0x8e, 4,      "sec=14", "not_functioning",     "error"      },
    {"not used",        0x8f, 4,      "sec=15", "not_used",            "error"      },
    {"self-address",    0xc9, 0xfffc, "pri=9",  "request_link_status", "discover"   },
};

START_TEST(link_frames)
{
    const struct link_row *row = &links[_i];
    uint8_t frame[FRAME_MAX];
    size_t size = build(frame, row->control, row->destination, MASTER, NULL, 0);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_dnp3, true, frame, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "dnp3_link");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

struct link_wrong {
    const char *shows;
    uint8_t control;
    unsigned source;
    bool has_data;
    enum violation_kind kind;
};

static const struct link_wrong link_wrongs[] = {
    {"undefined function", 0xc5, 3,      false, VIOLATION_FUNCTION},
    {"buffer full",        0x90, 3,      false, VIOLATION_STATE   },
    {"reserved source",    0xc9, 0xffff, false, VIOLATION_RANGE   },
    {"control with data",  0xc0, 3,      true,  VIOLATION_LENGTH  },
};

START_TEST(link_violations)
{
    const struct link_wrong *row = &link_wrongs[_i];
    uint8_t frame[FRAME_MAX];
    size_t size = build(frame, row->control, 4, row->source, (const uint8_t *)"\xc0\xc1\x0d",
                        row->has_data ? 3 : 0);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_dnp3, true, frame, size);
    ck_assert_msg(probe_has_violation(p, row->kind), "%s: not told", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(repeated_frame_count_bit)
{
    uint8_t frame[FRAME_MAX];
    struct probe *p = probe_create(TRANSPORT_TCP);
    size_t size = build(frame, 0xf3, 4, MASTER, (const uint8_t *)"\xc0\xc1\x17", 3);
    probe_feed(p, &dissector_dnp3, true, frame, size);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_feed(p, &dissector_dnp3, true, frame, size);
    ck_assert(probe_has_violation(p, VIOLATION_DUPLICATE));
    probe_destroy(p);
}
END_TEST

/* A response in frames of 5 bytes of data. */
static size_t pieces(uint8_t frames[8][FRAME_MAX], size_t sizes[8], const char *hex)
{
    uint8_t fragment[64];
    size_t size = hex_bytes(fragment, sizeof fragment, hex), count = 0;
    for (size_t at = 0; at < size; at += 5, count++) {
        uint8_t data[6];
        size_t n = size - at < 5 ? size - at : 5;
        data[0] = (uint8_t)((62 + count) % 64 | (at ? 0 : 0x40) | (at + n == size ? 0x80 : 0));
        memcpy(data + 1, fragment + at, n);
        sizes[count] = build(frames[count], 0x44, MASTER, OUTSTATION, data, n + 1);
    }
    return count;
}

#define LONG_RESPONSE "c1 81 0000 1e0200 0003 01 0100 01 0200 01 0300 01 0400"

START_TEST(fragments_in_pieces)
{
    uint8_t frames[8][FRAME_MAX];
    size_t sizes[8], count = pieces(frames, sizes, LONG_RESPONSE);
    ck_assert_uint_eq(count, 5);
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < count; i++)
        probe_feed(p, &dissector_dnp3, false, frames[i], sizes[i]);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_str_eq(probe_event(p, 0)->items,
                     "analog_input 0=1; analog_input 1=2; analog_input 2=3; analog_input 3=4");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_lost_piece)
{
    uint8_t frames[8][FRAME_MAX];
    size_t sizes[8], count = pieces(frames, sizes, LONG_RESPONSE);
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < count; i++)
        if (i != 2)
            probe_feed(p, &dissector_dnp3, false, frames[i], sizes[i]);
    ck_assert_uint_eq(p->event_count, 0);
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_destroy(p);
}
END_TEST

START_TEST(a_fragment_without_end)
{
    uint8_t data[250] = {0}, frame[FRAME_MAX];
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (unsigned i = 0; i < 9; i++) {
        data[0] = (uint8_t)(i | (i == 0 ? 0x40 : 0));
        size_t size = build(frame, 0x44, MASTER, OUTSTATION, data, sizeof data);
        probe_feed(p, &dissector_dnp3, false, frame, size);
        ck_assert_msg(p->violation_count == (i == 8), "after %u", i);
    }
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_destroy(p);
}
END_TEST

START_TEST(damaged_block)
{
    uint8_t data[40] = {0xc0, 0xc1, 0x0d}, frame[FRAME_MAX];
    size_t size = build(frame, 0xc4, OUTSTATION, MASTER, data, sizeof data);
    for (size_t at = 10; at < size; at++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        frame[at] ^= 0x10;
        probe_feed(p, &dissector_dnp3, true, frame, size);
        frame[at] ^= 0x10;
        ck_assert_msg(probe_has_violation(p, VIOLATION_CHECKSUM), "byte %zu", at);
        ck_assert_uint_eq(p->event_count, 0);
        probe_destroy(p);
    }
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_dnp3, true, frame, size - 1);
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t frame[FRAME_MAX], data[] = {0xc0, 0xc1, 0x0d};
    size_t size = build(frame, 0xc4, OUTSTATION, MASTER, data, sizeof data);
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_dnp3, frame, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_dnp3, frame, n),
                         n < 10 ? CLAIM_MORE : CLAIM_YES);
    }
    ck_assert_uint_eq(probe_frame(&dissector_dnp3, frame, size).size, size);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_dnp3, true, frame, n);
        probe_stream(p, &dissector_dnp3, true, frame + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    for (size_t at = 0; at < 10; at++) {
        frame[at] ^= 0x40;
        ck_assert_msg(probe_frame(&dissector_dnp3, frame, size).verdict == FRAME_BROKEN, "byte %zu",
                      at);
        ck_assert_int_ne(probe_recognise(&dissector_dnp3, frame, size), CLAIM_YES);
        frame[at] ^= 0x40;
    }
}
END_TEST

START_TEST(lengths)
{
    uint8_t data[250] = {0xc0, 0xc1, 0x0d}, frame[FRAME_MAX];
    static const size_t sizes[] = {0, 1, 15, 16, 17, 249, 250};
    static const size_t wanted[] = {10, 13, 27, 28, 31, 291, 292};
    size_t size = build(frame, 0xc4, OUTSTATION, MASTER, data, sizes[_i]);
    ck_assert_uint_eq(size, wanted[_i]);
    ck_assert_uint_eq(probe_frame(&dissector_dnp3, frame, size).size, size);
    frame[2] = 4;
    put_crc(frame, 8);
    ck_assert_int_eq(probe_frame(&dissector_dnp3, frame, size).verdict, FRAME_BROKEN);
    ck_assert_int_eq(probe_recognise(&dissector_dnp3, frame, size), CLAIM_NO);
}
END_TEST

START_TEST(the_direction_bit_tells_who_is_client)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    uint8_t frame[FRAME_MAX], data[] = {0xc0, 0xc1, 0x0d};
    size_t size = build(frame, 0xc4, OUTSTATION, MASTER, data, sizeof data);
    probe_feed(p, &dissector_dnp3, false, frame, size);
    ck_assert(probe_event(p, 0)->is_from_client);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dnp3");
    TCase *tc = tcase_create("dnp3");
    tcase_add_loop_test(tc, function_codes, 0, sizeof functions / sizeof *functions);
    tcase_add_loop_test(tc, events_have_their_times, 0, 12);
    tcase_add_loop_test(tc, fragments, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_loop_test(tc, link_frames, 0, sizeof links / sizeof *links);
    tcase_add_loop_test(tc, link_violations, 0, sizeof link_wrongs / sizeof *link_wrongs);
    tcase_add_loop_test(tc, lengths, 0, 7);
    tcase_add_test(tc, responses_are_matched);
    tcase_add_test(tc, any_outstation_answers_a_broadcast);
    tcase_add_test(tc, select_before_operate);
    tcase_add_loop_test(tc, commands_are_repeated, 0, sizeof echoes / sizeof *echoes);
    tcase_add_test(tc, refused_command);
    tcase_add_test(tc, a_challenged_command_is_answered_later);
    tcase_add_test(tc, a_file_is_read);
    tcase_add_test(tc, a_file_is_written_and_activated);
    tcase_add_test(tc, file_errors);
    tcase_add_test(tc, a_password_is_nowhere);
    tcase_add_test(tc, device_attributes_are_facts);
    tcase_add_test(tc, repeated_frame_count_bit);
    tcase_add_test(tc, fragments_in_pieces);
    tcase_add_test(tc, a_lost_piece);
    tcase_add_test(tc, a_fragment_without_end);
    tcase_add_test(tc, damaged_block);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, the_direction_bit_tells_who_is_client);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
