/* test_modbus.c: Modbus over MBAP, held against [MB] MODBUS Application Protocol Specification
 * V1.1b3. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_modbus;

enum { ADU_MAX = 4096, UNIT = 17 };

/* A PDU in hex behind an MBAP header. */
static size_t adu_of(uint8_t *adu, uint16_t transaction, uint8_t unit, const char *pdu)
{
    size_t size = hex_bytes(adu + 7, ADU_MAX - 7, pdu) + 1;
    const uint8_t header[7] = {
        (uint8_t)(transaction >> 8), (uint8_t)transaction, 0,    0,
        (uint8_t)(size >> 8),        (uint8_t)size,        unit,
    };
    memcpy(adu, header, sizeof header);
    return size + 6;
}

static void feed(struct probe *p, bool is_from_client, uint16_t transaction, uint8_t unit,
                 const char *pdu)
{
    uint8_t adu[ADU_MAX];
    size_t size = adu_of(adu, transaction, unit, pdu);
    ck_assert_int_eq(probe_stream(p, &dissector_modbus, is_from_client, adu, size), FRAME_COMPLETE);
}

/* --- every function, [MB] 6, asked and answered as it should be --- */

static const struct exchange {
    const char *shows, *request, *response;
    const char *code, *operation, *name, *asked, *answered;
} exchanges[] = {
    {"1 reads coils, least significant bit first",  "01 0013 0013",                              "01 03 cd6b05",                    "1",   "read",
     "read_coils",                                                                                                                                                                              "coil 19-37",                     "coil 19-37=1,0,1,1,0,0,1,1,1,1,0,1,0,1,1,0,1,0,1"                             },
    {"2 reads discrete inputs",                     "02 00c4 0016",                              "02 03 acdb35",                    "2",   "read",             "read_discrete_inputs",
     "discrete_input 196-217",                                                                                                                                                                                                    "discrete_input 196-217=0,0,1,1,0,1,0,1,1,1,0,1,1,0,1,1,1,0,1,0,1,1"           },
    {"3 reads holding registers",                   "03 006b 0003",                              "03 06 022b 0000 0064",            "3",   "read",
     "read_holding_registers",                                                                                                                                                                  "holding_register 107-109",       "holding_register 107-109=555,0,100"                                           },
    {"4 reads input registers",                     "04 0008 0001",                              "04 02 000a",                      "4",   "read",             "read_input_registers",
     "input_register 8",                                                                                                                                                                                                          "input_register 8=10"                                                          },
    {"5 switches a coil on",                        "05 00ac ff00",                              "05 00ac ff00",                    "5",   "control",          "write_single_coil",
     "coil 172=1",                                                                                                                                                                                                                "coil 172=1"                                                                   },
    {"5 switches a coil off",                       "05 00ac 0000",                              "05 00ac 0000",                    "5",   "control",          "write_single_coil",
     "coil 172=0",                                                                                                                                                                                                                "coil 172=0"                                                                   },
    {"6 writes a register",                         "06 0001 0003",                              "06 0001 0003",                    "6",   "write",            "write_single_register",
     "holding_register 1=3",                                                                                                                                                                                                      "holding_register 1=3"                                                         },
    {"7 reads the exception status",                "07",                                        "07 6d",                           "7",   "diagnostics",      "read_exception_status",         "",
     "exception_status=1,0,1,1,0,1,1,0"                                                                                                                                                                                                                                                                          },
    {"11 gets the event counter",                   "0b",                                        "0b ffff 0108",                    "11",  "diagnostics",
     "get_comm_event_counter",                                                                                                                                                                  "",                               "comm_event_counter=65535,264"                                                 },
    {"12 gets the event log",                       "0c",                                        "0c 08 0000 0108 0121 2000",       "12",  "diagnostics",
     "get_comm_event_log",                                                                                                                                                                      "",                               "comm_event_log=0000010801212000"                                              },
    {"15 switches coils",                           "0f 0013 000a 02 cd01",                      "0f 0013 000a",                    "15",  "control",
     "write_multiple_coils",                                                                                                                                                                    "coil 19-28=1,0,1,1,0,0,1,1,1,0", "coil 19-28"                                                                   },
    {"16 writes registers",                         "10 0001 0002 04 000a 0102",                 "10 0001 0002",                    "16",  "write",
     "write_multiple_registers",                                                                                                                                                                "holding_register 1-2=10,258",    "holding_register 1-2"                                                         },
    {"17 asks for the server's id",                 "11",                                        "11 08 b4 ff 4c4d42332e31",        "17",  "identify",
     "report_server_id",                                                                                                                                                                        "",                               ""                                                                             },
    {"20 reads file records",                       "14 0e 06 0004 0001 0002 06 0003 0009 0002",
     "14 0c 05 06 0dfe 0020 05 06 33cd 0040",                                                                                       "20",  "file_read",        "read_file_record",
     "file 4 1-2; file 3 9-10",                                                                                                                                                                                                   "file 4 1-2=3582,32; file 3 9-10=13261,64"                                     },
    {"21 writes file records",                      "15 0d 06 0004 0007 0003 06af 04be 100d",
     "15 0d 06 0004 0007 0003 06af 04be 100d",                                                                                      "21",  "file_write",       "write_file_record",
     "file 4 7-9=1711,1214,4109",                                                                                                                                                                                                 "file 4 7-9=1711,1214,4109"                                                    },
    {"22 masks a register",                         "16 0004 00f2 0025",                         "16 0004 00f2 0025",               "22",  "write",
     "mask_write_register",                                                                                                                                                                     "holding_register 4",             "holding_register 4"                                                           },
    {"22 with an empty AND mask sets the register", "16 0004 0000 0025",                         "16 0004 0000 0025",               "22",
     "write",                                                                                                                                                  "mask_write_register",           "holding_register 4=37",          "holding_register 4=37"                                                        },
    {"23 reads and writes registers",               "17 0003 0006 000e 0003 06 00ff 00ff 00ff",
     "17 0c 00fe 0acd 0001 0003 000d 00ff",                                                                                         "23",  "write",            "read_write_multiple_registers",
     "holding_register 3-8{read}; holding_register 14-16{write}=255,255,255",                                                                                                                                                     "holding_register 3-8{read}=254,2765,1,3,13,255; holding_register 14-16{write}"},
    {"24 reads a FIFO",                             "18 04de",                                   "18 0006 0002 01b8 1284",          "24",  "read",             "read_fifo_queue",
     "fifo_queue 1246",                                                                                                                                                                                                           "fifo_queue 1246=440,4740"                                                     },
    {"43/13 is CANopen",                            "2b 0d 0001",                                "2b 0d 0001",                      "43",  "write",            "canopen_general_reference",     "",
     ""                                                                                                                                                                                                                                                                                                          },
    {"43/14 asks for the identity",                 "2b 0e 01 00",                               "2b 0e 01 01 00 00 01 00 02 4142", "43",
     "identify",                                                                                                                                               "read_device_identification",    "device_identification 0",        ""                                                                             },
    {"9 is reserved for programming",               "09 00",                                     "09 00",                           "9",   "program_download", "program_484",                   "",
     ""                                                                                                                                                                                                                                                                                                          },
    {"10 is reserved for programming",              "0a",                                        "0a",                              "10",  "program_download", "poll_484",                      "",                               ""                                                                             },
    {"13 is reserved for programming",              "0d 00",                                     "0d 00",                           "13",  "program_download",
     "program_controller",                                                                                                                                                                      "",                               ""                                                                             },
    {"14 is reserved for programming",              "0e",                                        "0e",                              "14",  "program_download", "poll_controller",               "",
     ""                                                                                                                                                                                                                                                                                                          },
    {"18 is reserved for programming",              "12 00",                                     "12 00",                           "18",  "program_download",
     "program_884_m84",                                                                                                                                                                         "",                               ""                                                                             },
    {"19 resets the link",                          "13",                                        "13",                              "19",  "restart",          "reset_comm_link",               "",                               ""                                                                             },
    {"40 is reserved for programming",              "28 00",                                     "28 00",                           "40",  "program_download",
     "program_concept",                                                                                                                                                                         "",                               ""                                                                             },
    {"41 is reserved",                              "29",                                        "29",                              "41",  "unknown",          "reserved",                      "",                               ""                                                                             },
    {"42 is reserved",                              "2a",                                        "2a",                              "42",  "unknown",          "reserved",                      "",                               ""                                                                             },
    {"65 is user-defined",                          "41 01",                                     "41 01",                           "65",  "unknown",          "user_defined",                  "",                               ""                                                                             },
    {"72 is user-defined",                          "48 01",                                     "48 01",                           "72",  "unknown",          "user_defined",                  "",                               ""                                                                             },
    {"91 is reserved",                              "5b",                                        "5b",                              "91",  "unknown",          "reserved",                      "",                               ""                                                                             },
    {"100 is user-defined",                         "64 01",                                     "64 01",                           "100", "unknown",          "user_defined",                  "",                               ""                                                                             },
    {"110 is user-defined",                         "6e 01",                                     "6e 01",                           "110", "unknown",          "user_defined",                  "",                               ""                                                                             },
    {"125 is reserved",                             "7d",                                        "7d",                              "125", "unknown",          "reserved",                      "",                               ""                                                                             },
    {"126 is reserved",                             "7e",                                        "7e",                              "126", "unknown",          "reserved",                      "",                               ""                                                                             },
    {"127 is reserved",                             "7f",                                        "7f",                              "127", "unknown",          "reserved",                      "",                               ""                                                                             },
 /* function 8, [MB] 6.8.1 */
    {"8/0 is a loopback",                           "08 0000 a537",                              "08 0000 a537",                    "8",   "diagnostics",      "return_query_data",
     "diagnostic 0=42295",                                                                                                                                                                                                        "diagnostic 0=42295"                                                           },
    {"8/1 restarts",                                "08 0001 0000",                              "08 0001 0000",                    "8",   "restart",
     "restart_communications_option",                                                                                                                                                           "diagnostic 1=0",                 "diagnostic 1=0"                                                               },
    {"8/1 restarts and clears the log",             "08 0001 ff00",                              "08 0001 ff00",                    "8",   "restart",
     "restart_communications_option",                                                                                                                                                           "diagnostic 1=65280",             "diagnostic 1=65280"                                                           },
    {"8/2 reads the register",                      "08 0002 0000",                              "08 0002 1234",                    "8",   "diagnostics",
     "return_diagnostic_register",                                                                                                                                                              "diagnostic 2=0",                 "diagnostic 2=4660"                                                            },
    {"8/3 changes the delimiter",                   "08 0003 0d00",                              "08 0003 0d00",                    "8",   "config_change",
     "change_ascii_input_delimiter",                                                                                                                                                            "diagnostic 3=3328",              "diagnostic 3=3328"                                                            },
    {"8/4 silences the device",                     "08 0004 0000",                              "08 0004 0000",                    "8",   "stop",
     "force_listen_only_mode",                                                                                                                                                                  "diagnostic 4=0",                 "diagnostic 4=0"                                                               },
    {"8/10 clears counters",                        "08 000a 0000",                              "08 000a 0000",                    "8",   "diagnostics",
     "clear_counters_and_diagnostic_register",                                                                                                                                                  "diagnostic 10=0",                "diagnostic 10=0"                                                              },
    {"8/11 counts messages",                        "08 000b 0000",                              "08 000b 0007",                    "8",   "diagnostics",
     "return_bus_message_count",                                                                                                                                                                "diagnostic 11=0",                "diagnostic 11=7"                                                              },
    {"8/12 counts errors",                          "08 000c 0000",                              "08 000c 0007",                    "8",   "diagnostics",
     "return_bus_communication_error_count",                                                                                                                                                    "diagnostic 12=0",                "diagnostic 12=7"                                                              },
    {"8/13 counts exceptions",                      "08 000d 0000",                              "08 000d 0007",                    "8",   "diagnostics",
     "return_bus_exception_error_count",                                                                                                                                                        "diagnostic 13=0",                "diagnostic 13=7"                                                              },
    {"8/14 counts the server's messages",           "08 000e 0000",                              "08 000e 0007",                    "8",   "diagnostics",
     "return_server_message_count",                                                                                                                                                             "diagnostic 14=0",                "diagnostic 14=7"                                                              },
    {"8/15 counts silence",                         "08 000f 0000",                              "08 000f 0007",                    "8",   "diagnostics",
     "return_server_no_response_count",                                                                                                                                                         "diagnostic 15=0",                "diagnostic 15=7"                                                              },
    {"8/16 counts NAKs",                            "08 0010 0000",                              "08 0010 0007",                    "8",   "diagnostics",
     "return_server_nak_count",                                                                                                                                                                 "diagnostic 16=0",                "diagnostic 16=7"                                                              },
    {"8/17 counts busy",                            "08 0011 0000",                              "08 0011 0007",                    "8",   "diagnostics",
     "return_server_busy_count",                                                                                                                                                                "diagnostic 17=0",                "diagnostic 17=7"                                                              },
    {"8/18 counts overruns",                        "08 0012 0000",                              "08 0012 0007",                    "8",   "diagnostics",
     "return_bus_character_overrun_count",                                                                                                                                                      "diagnostic 18=0",                "diagnostic 18=7"                                                              },
    {"8/20 clears overruns",                        "08 0014 0000",                              "08 0014 0000",                    "8",   "diagnostics",
     "clear_overrun_counter_and_flag",                                                                                                                                                          "diagnostic 20=0",                "diagnostic 20=0"                                                              },
};
enum { EXCHANGES = sizeof exchanges / sizeof *exchanges };

START_TEST(an_exchange_gives_two_events)
{
    const struct exchange *row = &exchanges[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 7, UNIT, row->request);
    feed(p, false, 7, UNIT, row->response);
    ck_assert_msg(p->event_count == 2, "%s: %zu events", row->shows, p->event_count);
    const struct probe_event *asked = probe_event(p, 0), *answered = probe_event(p, 1);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows,
                  p->violation_count ? p->violations[0].why : "");
    ck_assert_str_eq(asked->protocol, "modbus");
    ck_assert_str_eq(asked->direction, "request");
    ck_assert_str_eq(answered->direction, "response");
    for (size_t i = 0; i < 2; i++) {
        const struct probe_event *e = probe_event(p, i);
        ck_assert_msg(strcmp(e->code, row->code) == 0, "%s: code %s", row->shows, e->code);
        ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows,
                      e->operation);
        ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: %s", row->shows, e->name);
        ck_assert_str_eq(e->unit, "17");
        ck_assert_uint_eq(e->function, strtoul(row->code, NULL, 10));
        ck_assert_uint_eq(e->transaction, 7);
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_str_eq(asked->status, "");
    ck_assert_str_eq(answered->status, "ok");
    ck_assert_msg(strcmp(asked->items, row->asked) == 0, "%s: asked %s", row->shows, asked->items);
    ck_assert_msg(strcmp(answered->items, row->answered) == 0, "%s: answered %s", row->shows,
                  answered->items);
    probe_destroy(p);
}
END_TEST

/* --- exceptions, [MB] 7 --- */

static const struct exception {
    const char *response, *status;
    bool is_defined;
} exceptions[] = {
    {"83 01", "error 1 illegal_function",                  true },
    {"83 02", "error 2 illegal_data_address",              true },
    {"83 03", "error 3 illegal_data_value",                true },
    {"83 04", "error 4 server_device_failure",             true },
    {"83 05", "error 5 acknowledge",                       true },
    {"83 06", "error 6 server_device_busy",                true },
    {"83 07", "error 7",                                   false},
    {"83 08", "error 8 memory_parity_error",               true },
    {"83 09", "error 9",                                   false},
    {"83 0a", "error 10 gateway_path_unavailable",         true },
    {"83 0b", "error 11 gateway_target_failed_to_respond", true },
    {"83 0c", "error 12",                                  false},
    {"83 00", "error 0",                                   false},
};
enum { EXCEPTIONS = sizeof exceptions / sizeof *exceptions };

START_TEST(an_exception_is_the_same_code_with_a_status)
{
    const struct exception *row = &exceptions[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, UNIT, "03 0100 0002");
    feed(p, false, 1, UNIT, row->response);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->code, "3");
    ck_assert_str_eq(e->operation, "read");
    ck_assert_str_eq(e->status, row->status);
    ck_assert_str_eq(e->items, "holding_register 256-257");
    ck_assert_int_eq(probe_has_violation(p, VIOLATION_RANGE), !row->is_defined);
    probe_destroy(p);
}
END_TEST

START_TEST(an_exception_tells_what_was_refused)
{
    static const struct {
        const char *request, *response, *name, *operation, *items;
    } rows[] = {
        {"08 0001 0000",              "88 01", "restart_communications_option", "restart",  "diagnostic 1"      },
        {"2b 0e 01 00",               "ab 01", "read_device_identification",    "identify", ""                  },
        {"05 0003 ff00",              "85 02", "write_single_coil",             "control",  "coil 3"            },
        {"06 0003 0001",              "86 02", "write_single_register",         "write",    "holding_register 3"},
        {"10 0003 0002 04 0001 0002", "90 02", "write_multiple_registers",      "write",
         "holding_register 3-4"                                                                                 },
        {"18 0003",                   "98 03", "read_fifo_queue",               "read",     "fifo_queue 3"      },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        feed(p, true, 1, UNIT, rows[i].request);
        feed(p, false, 1, UNIT, rows[i].response);
        const struct probe_event *e = probe_event(p, 1);
        ck_assert_str_eq(e->name, rows[i].name);
        ck_assert_str_eq(e->operation, rows[i].operation);
        ck_assert_str_eq(e->items, rows[i].items);
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
}
END_TEST

/* --- both sides of every bound, and what else a PDU may not say --- */

enum { NO_VIOLATION = VIOLATION_COUNT_OF };

static const struct bound {
    const char *shows;
    bool is_from_client;
    const char *pdu;
    int violation;     /* enum violation_kind, or NO_VIOLATION */
    const char *items; /* NULL: whatever */
} bounds[] = {
    {"no coil is too few",                             true,  "01 0000 0000",                   VIOLATION_RANGE,     "coil 0"                },
    {"2000 coils are the most",                        true,  "01 0000 07d0",                   NO_VIOLATION,        "coil 0-1999"           },
    {"2001 coils are too many",                        true,  "01 0000 07d1",                   VIOLATION_RANGE,     "coil 0-2000"           },
    {"2000 inputs are the most",                       true,  "02 0000 07d0",                   NO_VIOLATION,        NULL                    },
    {"2001 inputs are too many",                       true,  "02 0000 07d1",                   VIOLATION_RANGE,     NULL                    },
    {"no register is too few",                         true,  "03 0000 0000",                   VIOLATION_RANGE,     NULL                    },
    {"125 registers are the most",                     true,  "03 0000 007d",                   NO_VIOLATION,        "holding_register 0-124"},
    {"126 registers are too many",                     true,  "03 0000 007e",                   VIOLATION_RANGE,     "holding_register 0-125"},
    {"125 input registers are the most",               true,  "04 0000 007d",                   NO_VIOLATION,        NULL                    },
    {"126 input registers are too many",               true,  "04 0000 007e",                   VIOLATION_RANGE,     NULL                    },
    {"the last register",                              true,  "03 ffff 0001",                   NO_VIOLATION,        "holding_register 65535"},
    {"beyond the last register",                       true,  "03 ffff 0002",                   VIOLATION_RANGE,     NULL                    },
    {"a coil is FF00",                                 true,  "05 0000 ff00",                   NO_VIOLATION,        "coil 0=1"              },
    {"a coil is not 0001",                             true,  "05 0000 0001",                   VIOLATION_RANGE,     "coil 0=0"              },
    {"a coil is not FF01",                             true,  "05 0000 ff01",                   VIOLATION_RANGE,     "coil 0=1"              },
    {"no coil to write is too few",                    true,  "0f 0000 0000 00",                VIOLATION_RANGE,     NULL                    },
    {"8 coils are one byte",                           true,  "0f 0000 0008 01 ff",             NO_VIOLATION,        NULL                    },
    {"9 coils are two bytes",                          true,  "0f 0000 0009 01 ff",             VIOLATION_COUNT,     NULL                    },
    {"1969 coils are too many",                        true,  "0f 0000 07b1 01 ff",             VIOLATION_RANGE,     NULL                    },
    {"124 registers are too many to write",            true,  "10 0000 007c 02 0000",           VIOLATION_RANGE,     NULL                    },
    {"byte count of a write is twice the count",       true,  "10 0000 0002 03 000000",         VIOLATION_COUNT,
     NULL                                                                                                                                    },
    {"a write without its values",                     true,  "10 00c8 0002",                   VIOLATION_TRUNCATED,
     "holding_register 200-201"                                                                                                              },
    {"a write with too few values",                    true,  "10 0000 0002 04 0001",           VIOLATION_TRUNCATED,
     "holding_register 0-1=1"                                                                                                                },
    {"a read without a count",                         true,  "03 0000",                        VIOLATION_TRUNCATED, ""                      },
    {"a read with more behind",                        true,  "03 0000 0001 00",                VIOLATION_TRAILING,  NULL                    },
    {"8/5 is not defined",                             true,  "08 0005 0000",                   VIOLATION_FUNCTION,  NULL                    },
    {"8/19 is not defined",                            true,  "08 0013 0000",                   VIOLATION_FUNCTION,  NULL                    },
    {"8/21 is not defined",                            true,  "08 0015 0000",                   VIOLATION_FUNCTION,  NULL                    },
    {"a restart with another option",                  true,  "08 0001 0001",                   VIOLATION_RANGE,     NULL                    },
    {"listen only has no data",                        true,  "08 0004 0001",                   VIOLATION_RESERVED,  NULL                    },
    {"a loopback has any data",                        true,  "08 0000 0001 0002",              NO_VIOLATION,        "diagnostic 0=1,2"      },
    {"diagnostics without data",                       true,  "08 0002",                        VIOLATION_TRUNCATED, NULL                    },
    {"6 bytes are no file request",                    true,  "14 06 06 0004 0001 00",          VIOLATION_COUNT,     NULL                    },
    {"7 bytes are a file request",                     true,  "14 07 06 0004 0001 0001",        NO_VIOLATION,        "file 4 1"              },
    {"reference type 5",                               true,  "14 07 05 0004 0001 0001",        VIOLATION_RANGE,     NULL                    },
    {"file 0",                                         true,  "14 07 06 0000 0001 0001",        VIOLATION_RANGE,     NULL                    },
    {"record 9999 is the last",                        true,  "14 07 06 0001 270f 0001",        NO_VIOLATION,        "file 1 9999"           },
    {"record 10000",                                   true,  "14 07 06 0001 2710 0001",        VIOLATION_RANGE,     NULL                    },
    {"a file write cut off",                           true,  "15 09 06 0004 0007 0002 06af",   VIOLATION_TRUNCATED, NULL                    },
    {"121 registers are the most for 23",              true,  "17 0000 0001 0000 0079 f2 00",   VIOLATION_TRUNCATED,
     NULL                                                                                                                                    },
    {"122 registers are too many for 23",              true,  "17 0000 0001 0000 007a f4 00",   VIOLATION_RANGE,
     NULL                                                                                                                                    },
    {"126 registers are too many for 23 to read",      true,  "17 0000 007e 0000 0001 02 0000",
     VIOLATION_RANGE,                                                                                                NULL                    },
    {"identification code 0",                          true,  "2b 0e 00 00",                    VIOLATION_RANGE,     NULL                    },
    {"identification code 4 asks for one object",      true,  "2b 0e 04 80",                    NO_VIOLATION,
     "device_identification 128"                                                                                                             },
    {"identification code 5",                          true,  "2b 0e 05 00",                    VIOLATION_RANGE,     NULL                    },
    {"MEI type 12",                                    true,  "2b 0c 00",                       VIOLATION_FUNCTION,  NULL                    },
    {"function 0",                                     true,  "00 00",                          VIOLATION_FUNCTION,  ""                      },
    {"function 25",                                    true,  "19",                             VIOLATION_FUNCTION,  ""                      },
    {"function 64",                                    true,  "40",                             VIOLATION_FUNCTION,  ""                      },
    {"function 73",                                    true,  "49",                             VIOLATION_FUNCTION,  ""                      },
    {"function 111",                                   true,  "6f",                             VIOLATION_FUNCTION,  ""                      },
    {"an exception from the client",                   true,  "ab 01",                          VIOLATION_DIRECTION, ""                      },
    {"a response from the client",                     true,  "03 02 0001",                     VIOLATION_DIRECTION, NULL                    },
    {"a request from the server",                      false, "03 0000 0001",                   VIOLATION_DIRECTION, NULL                    },
    {"an exception without its code",                  false, "83",                             VIOLATION_TRUNCATED, ""                      },
    {"an exception padded with zeros",                 false, "83 02 00 00",                    NO_VIOLATION,        ""                      },
    {"an exception with the MEI type before its code", false, "ab 0e 01",                       NO_VIOLATION,        ""                      },
    {"an exception with more behind",                  false, "83 02 01",                       VIOLATION_TRAILING,  ""                      },
    {"registers of odd size",                          false, "03 03 000102",                   VIOLATION_COUNT,     NULL                    },
    {"no registers",                                   false, "03 00",                          VIOLATION_COUNT,     NULL                    },
    {"fewer registers than said",                      false, "03 04 0001",                     VIOLATION_TRUNCATED, "holding_register=1"    },
    {"31 registers are the most of a FIFO",            false,
     "18 0040 001f "
     "00000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000",                          NO_VIOLATION,        NULL                    },
    {"32 registers are too many for a FIFO",           false, "18 0042 0020 0000",              VIOLATION_RANGE,     NULL                    },
    {"a FIFO whose byte count is wrong",               false, "18 0005 0001 0000",              VIOLATION_COUNT,     NULL                    },
    {"conformity 4",                                   false, "2b 0e 01 04 00 00 00",           VIOLATION_RANGE,     NULL                    },
    {"conformity 83",                                  false, "2b 0e 01 83 00 00 00",           NO_VIOLATION,        NULL                    },
    {"an object longer than the PDU",                  false, "2b 0e 01 01 00 00 01 00 05 41",  VIOLATION_TRUNCATED,
     NULL                                                                                                                                    },
    {"a file record longer than the PDU",              false, "14 04 05 06 0001",               VIOLATION_TRUNCATED, NULL                    },
};
enum { BOUNDS = sizeof bounds / sizeof *bounds };

START_TEST(a_bound_has_two_sides)
{
    const struct bound *row = &bounds[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, row->is_from_client, 1, UNIT, row->pdu);
    ck_assert_msg(p->event_count == 1, "%s: every readable function has an event", row->shows);
    if (row->items)
        ck_assert_msg(strcmp(p->events[0].items, row->items) == 0, "%s: %s", row->shows,
                      p->events[0].items);
    if (row->violation == NO_VIOLATION)
        ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows,
                      p->violation_count ? p->violations[0].why : "");
    else
        ck_assert_msg(probe_has_violation(p, (enum violation_kind)row->violation),
                      "%s: no such violation", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(the_most_of_a_write_is_legal)
{
    static const struct {
        uint8_t function, count_high, count_low, size;
    } rows[] = {
        {0x0f, 0x07, 0xb0, 246}, /* 1968 coils */
        {0x10, 0x00, 0x7b, 246}, /* 123 registers */
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t adu[7 + 6 + 246] = {0,
                                    1,
                                    0,
                                    0,
                                    0,
                                    253,
                                    UNIT,
                                    rows[i].function,
                                    0,
                                    0,
                                    rows[i].count_high,
                                    rows[i].count_low,
                                    rows[i].size};
        struct probe *p = probe_create(TRANSPORT_TCP);
        ck_assert_int_eq(probe_stream(p, &dissector_modbus, true, adu, sizeof adu), FRAME_COMPLETE);
        ck_assert_uint_eq(p->event_count, 1);
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
}
END_TEST

/* --- identity --- */

START_TEST(device_identification_becomes_facts)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, UNIT, "2b 0e 03 00");
    feed(p, false, 1, UNIT,
         "2b 0e 03 83 00 00 08 00 04 41636d65 01 02 5031 02 03 322e37 03 01 75 04 03 504c43 05 02 "
         "4d31 06 03 617070 80 01 78");
    ck_assert_str_eq(
        probe_event(p, 1)->facts,
        "vendor=Acme; order_number=P1; firmware_version=2.7; url=u; product=PLC; device_type=M1; "
        "software_version=app");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(server_id_becomes_name_and_mode)
{
    static const struct {
        const char *response, *facts;
    } rows[] = {
        {"11 08 b4 ff 4c4d42332e31", "product=LMB3.1; mode=run" },
        {"11 08 b4 00 4c4d42332e31", "product=LMB3.1; mode=stop"},
        {"11 07 504c43372e31 ff",    "product=PLC7.1; mode=run" },
        {"11 02 01 ff",              "mode=run"                 },
        {"11 03 01 02 03",           ""                         },
        {"11 00",                    ""                         },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        feed(p, true, 1, UNIT, "11");
        feed(p, false, 1, UNIT, rows[i].response);
        ck_assert_str_eq(probe_event(p, 1)->facts, rows[i].facts);
        probe_destroy(p);
    }
}
END_TEST

/* --- requests and their responses --- */

START_TEST(an_echo_that_differs_is_told)
{
    static const struct {
        const char *request, *response;
    } rows[] = {
        {"05 0001 ff00",                 "05 0002 ff00"                },
        {"05 0001 ff00",                 "05 0001 0000"                },
        {"06 0001 0003",                 "06 0001 0004"                },
        {"0f 0001 0002 01 03",           "0f 0002 0002"                },
        {"10 0001 0001 02 0003",         "10 0001 0002"                },
        {"16 0001 00f2 0025",            "16 0001 00f2 0026"           },
        {"08 0000 a537",                 "08 0000 a538"                },
        {"15 09 06 0004 0007 0001 06af", "15 09 06 0004 0008 0001 06af"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        feed(p, true, 1, UNIT, rows[i].request);
        feed(p, false, 1, UNIT, rows[i].response);
        ck_assert_msg(probe_event(p, 1)->flags == OT_ECHO_DIFFERS, "%s", rows[i].response);
        ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
        probe_destroy(p);
    }
}
END_TEST

START_TEST(a_response_has_the_size_that_was_asked)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, UNIT, "03 0000 0002");
    feed(p, false, 1, UNIT, "03 02 0001");
    ck_assert(probe_has_violation(p, VIOLATION_COUNT));
    ck_assert_str_eq(probe_event(p, 1)->items, "holding_register 0-1=1");
    probe_destroy(p);
}
END_TEST

START_TEST(pipelined_requests_find_their_responses)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, UNIT, "03 0000 0001");
    feed(p, true, 2, UNIT, "03 0064 0001");
    feed(p, true, 3, UNIT, "04 0000 0001");
    feed(p, false, 2, UNIT, "03 02 0002");
    feed(p, false, 3, UNIT, "04 02 0003");
    feed(p, false, 1, UNIT, "03 02 0001");
    ck_assert_str_eq(probe_event(p, 3)->items, "holding_register 100=2");
    ck_assert_str_eq(probe_event(p, 4)->items, "input_register 0=3");
    ck_assert_str_eq(probe_event(p, 5)->items, "holding_register 0=1");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(one_transaction_for_all_is_matched_in_order)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (int round = 0; round < 40; round++) { /* more than are kept in order */
        probe_clear(p);
        feed(p, true, 0, UNIT, "03 0000 0001");
        feed(p, true, 0, UNIT, "03 0064 0001");
        feed(p, false, 0, UNIT, "03 02 0001");
        feed(p, false, 0, UNIT, "03 02 0002");
        ck_assert_str_eq(probe_event(p, 2)->items, "holding_register 0=1");
        ck_assert_str_eq(probe_event(p, 3)->items, "holding_register 100=2");
        ck_assert_uint_eq(p->violation_count, 0);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(one_transaction_for_all_skips_what_was_never_answered)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 0, UNIT, "03 0000 0001");
    feed(p, true, 0, UNIT, "03 0064 0002");
    feed(p, false, 0, UNIT, "03 04 0001 0002");
    ck_assert_str_eq(probe_event(p, 2)->items, "holding_register 100-101=1,2");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_response_nobody_asked_for_is_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, UNIT, "03 0000 0001");
    feed(p, false, 1, UNIT, "03 02 0001");
    feed(p, false, 1, UNIT, "03 02 0001");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    ck_assert_str_eq(probe_event(p, 2)->items, "holding_register=1");
    ck_assert(probe_has_violation(p, VIOLATION_DIRECTION));
    probe_destroy(p);
}
END_TEST

START_TEST(a_response_after_a_gap_is_no_violation)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.has_gap = true;
    feed(p, true, 1, UNIT, "03 0000 0001");
    feed(p, false, 2, UNIT, "03 02 0001");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_response_to_another_function_is_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, UNIT, "03 0000 0001");
    feed(p, false, 1, UNIT, "04 02 0001");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_destroy(p);
}
END_TEST

START_TEST(some_devices_answer_with_another_unit)
{
    static const uint8_t units[] = {0, 255, 18};
    for (size_t i = 0; i < 3; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        feed(p, true, 1, UNIT, "03 0000 0001");
        feed(p, false, 1, units[i], "03 02 0001");
        bool is_accepted = units[i] == 0 || units[i] == 255;
        ck_assert_int_eq(probe_event(p, 1)->flags == 0, is_accepted);
        ck_assert_int_eq(p->violation_count == 0, is_accepted);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(a_transaction_in_flight_is_not_used_again)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, UNIT, "03 0000 0001");
    feed(p, true, 2, UNIT, "03 0000 0001");
    feed(p, true, 1, UNIT, "03 0000 0001");
    ck_assert(probe_has_violation(p, VIOLATION_DUPLICATE));
    probe_destroy(p);
}
END_TEST

START_TEST(unit_0_is_the_device_itself)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, 1, 0, "06 0001 0003");
    ck_assert_uint_eq(probe_event(p, 0)->flags, 0);
    ck_assert_str_eq(probe_event(p, 0)->unit, "0");
    probe_destroy(p);
}
END_TEST

START_TEST(units_are_spelled)
{
    for (unsigned unit = 0; unit < 256; unit++) {
        char text[8];
        snprintf(text, sizeof text, "%u", unit);
        struct probe *p = probe_create(TRANSPORT_TCP);
        feed(p, true, 1, (uint8_t)unit, "07");
        ck_assert_str_eq(probe_event(p, 0)->unit, text);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(roles_are_learned_from_what_fits)
{
    /* picked up in the middle on an odd port, with the ends the wrong way round: a response comes
     * "from the client" */
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    p->flow.server.port = 9000;
    feed(p, true, 1, UNIT, "03 06 022b 0000 0064");
    ck_assert_str_eq(probe_event(p, 0)->direction, "response");
    ck_assert_uint_eq(p->flow.client.port, 9000);
    feed(p, false, 2, UNIT, "03 006b 0003");
    ck_assert_str_eq(probe_event(p, 1)->direction, "request");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(datagrams_are_told_alike)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, true, 1, UNIT, "03 006b 0003");
    feed(p, false, 1, UNIT, "03 06 022b 0000 0064");
    ck_assert_str_eq(probe_event(p, 1)->items, "holding_register 107-109=555,0,100");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* A datagram that is not what its header says still reaches dissect. */
START_TEST(a_header_that_says_more_than_there_is_is_told)
{
    static const char *const rows[] = {"0001 0000 0006 11 03 006b", "0001 0000 0006 11", "0001 00",
                                       ""};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        probe_hex(p, &dissector_modbus, true, rows[i]);
        ck_assert_msg(probe_has_violation(p, VIOLATION_TRUNCATED), "%s", rows[i]);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(a_device_that_dials_in_answers)
{
    /* the connection is opened by the device, to an odd port or from port 502; a SYN was seen */
    static const uint16_t ports[][2] = {
        {40000, 9000 },
        {502,   40000},
    };
    for (size_t i = 0; i < 2; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        p->flow.client.port = ports[i][0];
        p->flow.server.port = ports[i][1];
        feed(p, false, 1, UNIT, "03 006b 0003");
        feed(p, true, 1, UNIT, "03 06 022b 0000 0064");
        ck_assert_str_eq(probe_event(p, 0)->direction, "request");
        ck_assert_str_eq(probe_event(p, 1)->direction, "response");
        ck_assert_str_eq(probe_event(p, 1)->items, "holding_register 107-109=555,0,100");
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
}
END_TEST

/* --- framing and recognition --- */

static const struct framing {
    const char *shows, *bytes;
    enum frame_verdict verdict;
    size_t size;
    const char *why;
} framings[] = {
    {"a whole PDU",        "0001 0000 0006 11 03 006b 0003",            FRAME_COMPLETE, 12,   ""                        },
    {"two PDUs",           "0001 0000 0002 11 07 0002 0000 0002 11 07", FRAME_COMPLETE, 8,    ""                        },
    {"nothing",            "",                                          FRAME_NEED,     6,    ""                        },
    {"protocol 1",         "0001 0001 0006 11 03 006b 0003",            FRAME_BROKEN,   0,    "MBAP protocol is not 0"  },
    {"length 0",           "0001 0000 0000",                            FRAME_BROKEN,   0,    "MBAP length out of range"},
    {"length 1",           "0001 0000 0001 11",                         FRAME_BROKEN,   0,    "MBAP length out of range"},
    {"length 2",           "0001 0000 0002 11 07",                      FRAME_COMPLETE, 8,    ""                        },
    {"length 254",         "0001 0000 00fe 11 03",                      FRAME_NEED,     260,  ""                        },
    {"length 255",         "0001 0000 00ff 11 03",                      FRAME_BROKEN,   0,    "MBAP length out of range"},
    {"UMAS may be longer", "0001 0000 00ff 11 5a",                      FRAME_NEED,     261,  ""                        },
    {"UMAS 2048",          "0001 0000 0800 11 5a",                      FRAME_NEED,     2054, ""                        },
    {"UMAS 2049",          "0001 0000 0801 11 5a",                      FRAME_BROKEN,   0,    "MBAP length out of range"},
};

START_TEST(framing)
{
    const struct framing *row = &framings[_i];
    uint8_t bytes[64];
    struct frame f =
        probe_frame(&dissector_modbus, bytes, hex_bytes(bytes, sizeof bytes, row->bytes));
    ck_assert_msg(f.verdict == row->verdict, "%s: %d", row->shows, f.verdict);
    ck_assert_msg(f.size == row->size, "%s: %u", row->shows, f.size);
    ck_assert_msg(strcmp(f.why ? f.why : "", row->why) == 0, "%s: %s", row->shows, f.why);
}
END_TEST

static const struct recognition {
    const char *shows, *bytes;
    enum claim claim;
} recognitions[] = {
    {"a request",                               "0001 0000 0006 11 03 006b 0003",                      CLAIM_WEAK},
    {"a response",                              "0001 0000 0005 11 03 02 0001",                        CLAIM_WEAK},
    {"an exception",                            "0001 0000 0003 11 83 02",                             CLAIM_WEAK},
    {"two requests",                            "0001 0000 0002 11 07 0002 0000 0002 11 07",           CLAIM_WEAK},
    {"an illegal quantity in a whole PDU",      "0001 0000 0006 11 03 006b ffff",                      CLAIM_WEAK},
    {"an illegal quantity and more behind",     "0001 0000 0006 11 03 006b ffff 11 22 33 44 55 66 77",
     CLAIM_NO                                                                                                    },
    {"an illegal quantity and a header begins", "0001 0000 0006 11 03 006b ffff 00 02 00",
     CLAIM_MORE                                                                                                  },
    {"an illegal quantity, no header begins",   "0001 0000 0006 11 03 006b ffff 00 02 33 44",
     CLAIM_NO                                                                                                    },
    {"an undefined function in a whole PDU",    "0001 0000 0006 11 00 0000 0000",                      CLAIM_WEAK},
    {"another protocol id with a good request", "0002 ffff 0006 03 03 00c8 000a",                      CLAIM_WEAK},
    {"another protocol id and more behind",     "0002 ffff 0006 03 03 00c8 000a 00",                   CLAIM_NO  },
    {"a padded exception and another behind",   "0001 0000 0004 0a 810600 0001 0000 0004 0a 810600",
     CLAIM_WEAK                                                                                                  },
    {"a reserved function and more behind",     "0100 0000 0002 000d 0100 0075 30",                    CLAIM_NO  },
    {"a length too great",                      "0001 0000 8804 05 07 08",                             CLAIM_NO  },
    {"a header that announces nothing",         "0001 0000 0000",                                      CLAIM_WEAK},
    {"a beginning",                             "0001 0000 0006 11",                                   CLAIM_MORE},
    {"one byte",                                "00",                                                  CLAIM_MORE},
    {"TPKT",                                    "0300 0016 11e0 0000 0001 00c1 0201 00",               CLAIM_NO  },
    {"HTTP",                                    "4745 5420 2f20 4854 5450",                            CLAIM_NO  },
    {"TLS",                                     "1603 0102 0001 0001 fc03 03",                         CLAIM_NO  },
    {"an RTU frame",                            "0103 0000 000a c5cd",                                 CLAIM_NO  },
};

START_TEST(recognition)
{
    const struct recognition *row = &recognitions[_i];
    uint8_t bytes[64];
    enum claim claim =
        probe_recognise(&dissector_modbus, bytes, hex_bytes(bytes, sizeof bytes, row->bytes));
    ck_assert_msg(claim == row->claim, "%s: %d", row->shows, claim);
}
END_TEST

START_TEST(every_prefix_waits_for_more)
{
    for (int is_response = 0; is_response <= 1; is_response++) {
        const struct exchange *row = &exchanges[_i];
        uint8_t adu[ADU_MAX];
        size_t size = adu_of(adu, 1, UNIT, is_response ? row->response : row->request);
        for (size_t n = 0; n < size; n++) {
            struct frame f = probe_frame(&dissector_modbus, adu, n);
            ck_assert_msg(f.verdict == FRAME_NEED && f.size <= size, "%s: %zu bytes", row->shows,
                          n);
            ck_assert_msg(probe_recognise(&dissector_modbus, adu, n) == CLAIM_MORE, "%s: %zu bytes",
                          row->shows, n);
        }
        ck_assert_uint_eq(probe_frame(&dissector_modbus, adu, size).size, size);
        ck_assert_int_eq(probe_recognise(&dissector_modbus, adu, size), CLAIM_WEAK);
    }
}
END_TEST

START_TEST(split_at_every_byte)
{
    const struct exchange *row = &exchanges[_i];
    uint8_t adu[ADU_MAX];
    size_t size = adu_of(adu, 1, UNIT, row->request);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        ck_assert_int_eq(probe_stream(p, &dissector_modbus, true, adu, n), FRAME_NEED);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_int_eq(probe_stream(p, &dissector_modbus, true, adu + n, size - n),
                         FRAME_COMPLETE);
        ck_assert_uint_eq(p->event_count, 1);
        ck_assert_str_eq(probe_event(p, 0)->items, row->asked);
        probe_destroy(p);
    }
}
END_TEST

/* A PDU cut short behind a length that fits: never more than an event and violations. */
START_TEST(every_pdu_cut_short_is_told)
{
    for (int is_response = 0; is_response <= 1; is_response++) {
        const struct exchange *row = &exchanges[_i];
        uint8_t adu[ADU_MAX];
        size_t size = adu_of(adu, 1, UNIT, is_response ? row->response : row->request);
        for (size_t n = 8; n < size; n++) {
            struct probe *p = probe_create(TRANSPORT_TCP);
            adu[4] = 0;
            adu[5] = (uint8_t)(n - 6);
            ck_assert_int_eq(probe_stream(p, &dissector_modbus, !is_response, adu, n),
                             FRAME_COMPLETE);
            ck_assert_msg(p->event_count == 1, "%s", row->shows);
            probe_destroy(p);
        }
    }
}
END_TEST

START_TEST(a_full_arena_loses_items_only)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_set_arena(p, 64);
    feed(p, true, 1, UNIT, "14 0e 06 0004 0001 0002 06 0003 0009 0002");
    feed(p, false, 1, UNIT, "14 0c 05 06 0dfe 0020 05 06 33cd 0040");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(probe_event(p, i)->item_count, 0);
        ck_assert_uint_eq(probe_event(p, i)->items_total, 2);
    }
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof *(rows)))

static Suite *modbus_suite(void)
{
    Suite *suite = suite_create("modbus");
    TCase *functions = tcase_create("functions");
    tcase_add_loop_test(functions, an_exchange_gives_two_events, 0, EXCHANGES);
    tcase_add_loop_test(functions, an_exception_is_the_same_code_with_a_status, 0, EXCEPTIONS);
    tcase_add_test(functions, an_exception_tells_what_was_refused);
    tcase_add_loop_test(functions, a_bound_has_two_sides, 0, BOUNDS);
    tcase_add_test(functions, the_most_of_a_write_is_legal);
    tcase_add_test(functions, device_identification_becomes_facts);
    tcase_add_test(functions, server_id_becomes_name_and_mode);
    suite_add_tcase(suite, functions);

    TCase *matching = tcase_create("matching");
    tcase_add_test(matching, an_echo_that_differs_is_told);
    tcase_add_test(matching, a_response_has_the_size_that_was_asked);
    tcase_add_test(matching, pipelined_requests_find_their_responses);
    tcase_add_test(matching, one_transaction_for_all_is_matched_in_order);
    tcase_add_test(matching, one_transaction_for_all_skips_what_was_never_answered);
    tcase_add_test(matching, a_response_nobody_asked_for_is_told);
    tcase_add_test(matching, a_response_after_a_gap_is_no_violation);
    tcase_add_test(matching, a_response_to_another_function_is_told);
    tcase_add_test(matching, some_devices_answer_with_another_unit);
    tcase_add_test(matching, a_transaction_in_flight_is_not_used_again);
    tcase_add_test(matching, unit_0_is_the_device_itself);
    tcase_add_test(matching, units_are_spelled);
    tcase_add_test(matching, roles_are_learned_from_what_fits);
    tcase_add_test(matching, a_device_that_dials_in_answers);
    tcase_add_test(matching, datagrams_are_told_alike);
    tcase_add_test(matching, a_header_that_says_more_than_there_is_is_told);
    suite_add_tcase(suite, matching);

    TCase *framing_case = tcase_create("framing");
    tcase_add_loop_test(framing_case, framing, 0, COUNT(framings));
    tcase_add_loop_test(framing_case, recognition, 0, COUNT(recognitions));
    tcase_add_loop_test(framing_case, every_prefix_waits_for_more, 0, EXCHANGES);
    tcase_add_loop_test(framing_case, split_at_every_byte, 0, EXCHANGES);
    tcase_add_loop_test(framing_case, every_pdu_cut_short_is_told, 0, EXCHANGES);
    tcase_add_test(framing_case, a_full_arena_loses_items_only);
    suite_add_tcase(suite, framing_case);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(modbus_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
