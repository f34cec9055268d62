/* test_s7comm.c: every function, service, address and answer of S7comm; rows from PROTOCOLS 6 and
 * from what S7-300 controllers were seen to say.
 *
 * A script is a list of PDUs: ">" from the client or "<" from the server, ROSCTR, for answers "."
 * and an error,
 * ":" parameter, ":" data. The header around them is made here. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_s7comm;

enum { PDU_MAX = 4096 };

/* One PDU of a script with its header; returns its size. */
static size_t compose(const char *text, size_t length, uint8_t *out)
{
    char copy[2 * PDU_MAX], *rest = copy;
    ck_assert(length < sizeof copy);
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *head = strsep(&rest, ":");
    char *parameter = strsep(&rest, ":");
    char *data = rest;
    uint8_t rosctr = (uint8_t)(head[0] - '0');
    size_t header_size = rosctr == 2 || rosctr == 3 ? 12 : 10;
    size_t parameter_size = parameter ? hex_bytes(out + header_size, 2048, parameter) : 0;
    size_t data_size = data ? hex_bytes(out + header_size + parameter_size, 2048, data) : 0;
    const uint8_t header[10] = {0x32,
                                rosctr,
                                0,
                                0,
                                0,
                                7,
                                (uint8_t)(parameter_size >> 8),
                                (uint8_t)parameter_size,
                                (uint8_t)(data_size >> 8),
                                (uint8_t)data_size};
    memcpy(out, header, sizeof header);
    if (header_size == 12) {
        out[10] = out[11] = 0;
        const char *error = strchr(head, '.');
        if (error)
            hex_bytes(out + 10, 2, error + 1);
    }
    return header_size + parameter_size + data_size;
}

static void feed(struct probe *p, const char *script)
{
    uint8_t pdu[PDU_MAX];
    while (*script) {
        if (*script == ' ') {
            script++;
            continue;
        }
        bool is_from_client = *script++ == '>';
        size_t length = strcspn(script, "<>");
        size_t size = compose(script, length, pdu);
        probe_feed(p, &dissector_s7comm, is_from_client, pdu, size);
        script += length;
    }
}

static struct probe *flow(bool is_start_seen)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = is_start_seen;
    p->carrier.unit = TEXT("rack 0 slot 2");
    return p;
}

/* What the last PDU of a script says. NULL: not looked at. */
struct row {
    const char *shows, *script;
    const char *code, *direction, *operation, *name;
    const char *items, *status, *detail;
};

static void check(const char *shows, const char *what, const char *want, const char *got)
{
    ck_assert_msg(!want || strcmp(want, got) == 0, "%s: %s is '%s', not '%s'", shows, what, got,
                  want);
}

static void check_row(const struct row *row)
{
    struct probe *p = flow(false);
    feed(p, row->script);
    ck_assert_msg(p->violation_count == 0, "%s: violation %s", row->shows,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    const struct probe_event *e = probe_event(p, p->event_count - 1);
    check(row->shows, "protocol", "s7comm", e->protocol);
    check(row->shows, "unit", "rack 0 slot 2", e->unit);
    check(row->shows, "code", row->code, e->code);
    check(row->shows, "direction", row->direction, e->direction);
    check(row->shows, "operation", row->operation, e->operation);
    check(row->shows, "name", row->name, e->name);
    check(row->shows, "items", row->items, e->items);
    check(row->shows, "status", row->status, e->status);
    check(row->shows, "detail", row->detail, e->detail);
    ck_assert_msg(e->has_transaction && e->transaction == 7, "%s: transaction", row->shows);
    probe_destroy(p);
}

#define DB1              "5f30413030303031 50" /* _0A00001P */
#define M0_BYTE          "120a10020001000083000000"
#define REQUEST(service) ">7:0001120411" service "00:"
#define ANSWER(service)  "<7:0001120812" service "0100000000:"
#define READ_M0          ">1:0401" M0_BYTE

static const struct row jobs[] = {
    {"setup asks for a PDU size",              ">1:f0000001000101e0",                                              "rosctr=1,func=0xf0", "request",  "session",
     "setup_communication",                                                                                                                                                                     "",                              "",                                    "PDU size 480"},
    {"and is answered with one",               ">1:f0000001000101e0 <3:f0000001000100f0",                          "rosctr=3,func=0xf0",
     "response",                                                                                                                                     "session",          "setup_communication", "",                              "ok",                                  "PDU size 240"},
    {"CPU services",                           ">1:00",                                                            "rosctr=1,func=0x00", "request",  "diagnostics",      "cpu_services",        "",
     "",                                                                                                                                                                                                                                                                ""            },
    {"a read",                                 READ_M0,                                                            "rosctr=1,func=0x04", "request",  "read",             "read_var",            "MB0",                           "",                                    ""            },
    {"its answer names what was asked",        READ_M0 "<3:0401:ff040008 2a",                                      "rosctr=3,func=0x04",
     "response",                                                                                                                                     "read",             "read_var",            "MB0=42!ok",                     "ok",                                  ""            },
    {"a write carries the value",              ">1:0501" M0_BYTE ":00040008 2a",                                   "rosctr=1,func=0x05", "request",
     "write",                                                                                                                                                            "write_var",           "MB0{write}=42",                 "",                                    ""            },
    {"its answer the result",                  ">1:0501" M0_BYTE ":00040008 2a <3:0501:ff",                        "rosctr=3,func=0x05",
     "response",                                                                                                                                     "write",            "write_var",           "MB0{write}!ok",                 "ok",                                  ""            },
    {"a write to outputs is control",          ">1:0501120a10010001000082000009:00030001 01",
     "rosctr=1,func=0x05",                                                                                                               "request",  "control",          "write_var",           "Q1.1{control}=1",               "",                                    ""            },
    {"as is one to the periphery",             ">1:0501120a10020001000080000000:00040008 01",
     "rosctr=1,func=0x05",                                                                                                               "request",  "control",          "write_var",           "PB0{control}=1",                "",                                    ""            },
    {"of several items the gravest counts",
     ">1:0502" M0_BYTE "120a10020001000082000000:00040008 0100 00040008 02",                                       "rosctr=1,func=0x05",
     "request",                                                                                                                                      "control",          "write_var",           "MB0{write}=1; QB0{control}=2",  "",                                    ""            },
    {"a download begins",
     ">1:1a00010000000000 09 5f30413030303031 50 0d 31303030323136303030303838",                                   "rosctr=1,func=0x1a", "request",  "program_download", "request_download",    "DB1",                           "",
     "DB1, 216 bytes of load memory, 88 bytes of code"                                                                                                                                                                                                                                },
    {"its answer",                             ">1:1a00010000000000 09" DB1 "0d 31303030323136303030303838 <3:1a",
     "rosctr=3,func=0x1a",                                                                                                               "response", "program_download", "request_download",    "DB1",                           "ok",                                  ""            },
    {"the controller asks for blocks",         "<1:1b00000000000000 09" DB1,                                       "rosctr=1,func=0x1b",
     "request",                                                                                                                                      "program_download", "download_block",      "DB1",                           "",                                    ""            },
    {"the station sends them",                 "<1:1b00000000000000 09" DB1 ">3:1b00:0003 00fb 010203",
     "rosctr=3,func=0x1b",                                                                                                               "response", "program_download", "download_block",      "DB1",                           "ok",                                  ""            },
    {"the controller ends",                    "<1:1c00000000000000 09" DB1,                                       "rosctr=1,func=0x1c", "request",
     "program_download",                                                                                                                                                 "download_ended",      "DB1",                           "",                                    ""            },
    {"the station agrees",                     "<1:1c00000000000000 09" DB1 ">3:1c",                               "rosctr=3,func=0x1c", "response",
     "program_download",                                                                                                                                                 "download_ended",      "DB1",                           "ok",                                  ""            },
    {"system data are named",                  "<1:1b00000000000000 09 5f30423030303037 50",                       "rosctr=1,func=0x1b",
     "request",                                                                                                                                      "program_download", "download_block",      "SDB7",                          "",
     "SDB7: system data (hardware configuration)"                                                                                                                                                                                                                                     },
    {"an upload starts",                       ">1:1d00000000000000 09 5f30383030303031 41",                       "rosctr=1,func=0x1d",
     "request",                                                                                                                                      "program_upload",   "start_upload",        "OB1",                           "",                                    ""            },
    {"its answer has id and length",
     ">1:1d00000000000000 09 5f30383030303031 41 <3:1d00010000000007 07 30303030323136",                           "rosctr=3,func=0x1d", "response", "program_upload",   "start_upload",        "OB1",                           "ok",                                  ""            },
    {"an upload goes on",                      ">1:1e00000000000007",                                              "rosctr=1,func=0x1e", "request",  "program_upload",
     "upload",                                                                                                                                                                                  "",                              "",                                    ""            },
    {"the controller sends the block",         ">1:1e00000000000007 <3:1e00:0002 00fb 0102",
     "rosctr=3,func=0x1e",                                                                                                               "response", "program_upload",   "upload",              "",                              "ok",                                  ""            },
    {"an upload ends",                         ">1:1f00000000000007",                                              "rosctr=1,func=0x1f", "request",  "program_upload",
     "end_upload",                                                                                                                                                                              "",                              "",                                    ""            },
    {"and is confirmed",                       ">1:1f00000000000007 <3:1f",                                        "rosctr=3,func=0x1f", "response",
     "program_upload",                                                                                                                                                   "end_upload",          "",                              "ok",                                  ""            },
    {"a stop",                                 ">1:290000000000 09 505f50524f4752414d",                            "rosctr=1,func=0x29", "request",  "stop",
     "plc_stop",                                                                                                                                                                                "",                              "",                                    "P_PROGRAM"   },
    {"a stop is confirmed",                    ">1:290000000000 09 505f50524f4752414d <3:29",                      "rosctr=3,func=0x29",
     "response",                                                                                                                                     "stop",             "plc_stop",            "",                              "ok",                                  "P_PROGRAM"   },
    {"a bare acknowledgement has no function", ">1:290000000000 09 505f50524f4752414d <2.8104",
     "rosctr=2",                                                                                                                         "response", "stop",             "plc_stop",            "",                              "error 33028 service_not_implemented",
     "P_PROGRAM"                                                                                                                                                                                                                                                                      },
    {"also where its job was not seen",        "<2",                                                               "rosctr=2",           "response", "unknown",          "ack",                 "",                              "ok",
     ""                                                                                                                                                                                                                                                                               },
    {"an answer to a read that was not seen",  "<3:0401:ff040010 0102",                                            "rosctr=3,func=0x04",
     "response",                                                                                                                                     "read",             "read_var",            "=1,2!ok",                       "ok",                                  ""            },
    {"an answer to a write that was not seen", "<3:0502:ff05",                                                     "rosctr=3,func=0x05", "response",
     "write",                                                                                                                                                            "write_var",           "!ok; !error 5 invalid_address", "error 5 invalid_address",             ""            },
    {"a refused job",                          READ_M0 "<3.8500:0400",                                             "rosctr=3,func=0x04", "response", "read",             "read_var",
     "",                                                                                                                                                                                                                         "error 34048 wrong_frames",            ""            },
    {"a download that is refused",
     ">1:1a00010000000000 09" DB1 "0d 31303030323136303030303838 <3.d241:1a",                                      "rosctr=3,func=0x1a",
     "response",                                                                                                                                     "program_download", "request_download",    "DB1",
     "error 53825 not_permitted_at_protection_level",                                                                                                                                                                                                                   ""            },
};

START_TEST(test_jobs)
{
    check_row(&jobs[_i]);
}
END_TEST

/* Areas: code, what a byte at 1 is called, the same written. */
static const struct area_row {
    const char *area, *items, *operation;
} area_rows[] = {
    {"01", "data_record 1-2",   "write"  },
    {"03", "system_info 1-2",   "write"  },
    {"05", "system_flags 1-2",  "write"  },
    {"06", "analog_input 1-2",  "write"  },
    {"07", "analog_output 1-2", "control"},
    {"80", "PB1 (2 byte)",      "control"},
    {"81", "IB1 (2 byte)",      "write"  },
    {"82", "QB1 (2 byte)",      "control"},
    {"83", "MB1 (2 byte)",      "write"  },
    {"84", "DB5.DBB1 (2 byte)", "write"  },
    {"85", "di 5 1-2",          "write"  },
    {"86", "l 1-2",             "write"  },
    {"87", "v 1-2",             "write"  },
    {"1c", "c 8-9",             "write"  },
    {"1d", "t 8-9",             "write"  },
    {"1e", "iec_counter 8-9",   "write"  },
    {"1f", "iec_timer 8-9",     "write"  },
    {"7f", "unknown 8-9",       "write"  },
};

START_TEST(test_areas)
{
    const struct area_row *row = &area_rows[_i];
    struct probe *p = flow(false);
    char script[256];
    snprintf(script, sizeof script, ">1:0401120a1002000200 05 %s 000008", row->area);
    feed(p, script);
    check(row->area, "items", row->items, probe_event(p, 0)->items);
    probe_clear(p);
    snprintf(script, sizeof script, ">1:0501120a1002000200 05 %s 000008:000400100102", row->area);
    feed(p, script);
    check(row->area, "operation", row->operation, probe_event(p, 0)->operation);
    ck_assert_msg(p->violation_count == 0, "%s: violation", row->area);
    probe_destroy(p);
}
END_TEST

/* Transport sizes: what is asked for, the data item of the answer, how its value reads. */
static const struct type_row {
    const char *shows, *asked, *answer, *items;
} types[] = {
    {"BIT",                             "01 0001 0000 83 000051", "ff030001 01",               "M10.1=1!ok"                     },
    {"BYTE",                            "02 0002 0000 83 000050", "ff040010 01ff",             "MB10 (2 byte)=1,255!ok"         },
    {"CHAR",                            "03 0002 0000 83 000050", "ff090002 4142",             "MB10 (2 char)=AB!ok"            },
    {"WORD",                            "04 0001 0000 83 000050", "ff040010 ff38",             "MB10=65336!ok"                  },
    {"INT",                             "05 0001 0000 83 000050", "ff050010 ff38",             "MB10=-200!ok"                   },
    {"DWORD",                           "06 0001 0000 83 000050", "ff040020 ffffffff",         "MB10=4294967295!ok"             },
    {"DINT",                            "07 0001 0000 83 000050", "ff060004 fffffffe",         "MB10=-2!ok"                     },
    {"REAL",                            "08 0001 0000 83 000050", "ff070004 42280000",         "MB10=42!ok"                     },
    {"DATE",                            "09 0001 0000 83 000050", "ff040010 0100",             "MB10=1990-09-14!ok"             },
    {"two dates",                       "09 0002 0000 83 000050", "ff040020 01000101",         "MB10 (2 date)=256,257!ok"       },
    {"TOD",                             "0a 0001 0000 83 000050", "ff040020 00000100",         "MB10=00:00:00.256!ok"           },
    {"TOD, the last of a day",          "0a 0001 0000 83 000050", "ff040020 05265bff",
     "MB10=23:59:59.999!ok"                                                                                                     },
    {"TOD beyond a day",                "0a 0001 0000 83 000050", "ff040020 05265c00",         "MB10=86400000!ok"               },
    {"TIME",                            "0b 0001 0000 83 000050", "ff060004 ffffff9c",         "MB10=-100!ok"                   },
    {"S5TIME",                          "0c 0001 0000 83 000050", "ff040010 2127",             "MB10=8487!ok"                   },
    {"DT",                              "0f 0001 0000 83 000050", "ff090008 1602082308100002",
     "MB10=2016-02-08T23:08:10.000!ok"                                                                                          },
    {"DT of the last century",          "0f 0001 0000 83 000050", "ff090008 9012312359599996",
     "MB10=1990-12-31T23:59:59.999!ok"                                                                                          },
    {"DT that is not BCD",              "0f 0001 0000 83 000050", "ff090008 1a02082308100002",
     "MB10=1a02082308100002!ok"                                                                                                 },
    {"counter",                         "1c 0001 0000 1c 000003", "ff090002 0017",             "c 3=23!ok"                      },
    {"timer",                           "1d 0001 0000 1d 000003", "ff090002 0017",             "t 3=23!ok"                      },
    {"IEC counter",                     "1e 0001 0000 1e 000003", "ff090003 000017",           "iec_counter 3=000017!ok"        },
    {"IEC timer",                       "1f 0001 0000 1f 000003", "ff090005 0000000017",       "iec_timer 3=0000000017!ok"      },
    {"HS counter",                      "20 0001 0000 1e 000003", "ff090004 00000017",         "iec_counter 3=00000017!ok"      },
    {"an unknown type: the data's own", "63 0001 0000 83 000050", "ff050010 ffff",             "MB10=-1!ok"                     },
    {"another size: the data's own",    "04 0001 0000 83 000050", "ff040018 010203",           "MB10=1,2,3!ok"                  },
    {"an odd bit string: as bytes",     "04 0001 0000 83 000050", "ff030009 0101",             "MB10=257!ok"                    },
    {"no data",                         "02 0001 0000 83 000050", "ff000000",                  "MB10!ok"                        },
    {"hardware fault",                  "02 0001 0000 83 000050", "01000000",                  "MB10!error 1 hardware_fault"    },
    {"access not allowed",              "02 0001 0000 83 000050", "03000000",                  "MB10!error 3 access_not_allowed"},
    {"invalid address",                 "02 0001 0000 83 000050", "05000000",                  "MB10!error 5 invalid_address"   },
    {"type not supported",              "02 0001 0000 83 000050", "06000000",                  "MB10!error 6 type_not_supported"},
    {"type inconsistent",               "02 0001 0000 83 000050", "07000000",                  "MB10!error 7 type_inconsistent" },
    {"object does not exist",           "02 0001 0000 83 000050", "0a000004",
     "MB10!error 10 object_does_not_exist"                                                                                      },
    {"an unknown refusal",              "02 0001 0000 83 000050", "42000000",                  "MB10!error 66"                  },
};

START_TEST(test_types)
{
    const struct type_row *row = &types[_i];
    struct probe *p = flow(false);
    char script[256];
    snprintf(script, sizeof script, ">1:0401120a10%s <3:0401:%s", row->asked, row->answer);
    feed(p, script);
    check(row->shows, "items", row->items, probe_event(p, 1)->items);
    ck_assert_msg(p->violation_count == 0, "%s: violation", row->shows);
    bool is_refused = strstr(row->items, "error") != NULL;
    ck_assert_msg((strncmp(probe_event(p, 1)->status, "error", 5) == 0) == is_refused, "%s: %s",
                  row->shows, probe_event(p, 1)->status);
    probe_destroy(p);
}
END_TEST

static const struct row addresses[] = {
    {"an odd value is padded before the next",
     ">1:0402" M0_BYTE M0_BYTE "<3:0402:ff040008 0100 ff040008 02",                                                NULL, NULL, NULL,      NULL,
     "MB0=1!ok; MB0=2!ok",                                                                                                                                                                      "ok",                             NULL},
    {"an even one is not",
     ">1:0402120a10040001000083000000" M0_BYTE "<3:0402:ff040010 0001 ff040008 02",                                NULL, NULL,
     NULL,                                                                                                                                NULL, "MB0=1!ok; MB0=2!ok",                           "ok",                             NULL},
    {"one refused of two",                          ">1:0402" M0_BYTE M0_BYTE "<3:0402:0a000000 ff040008 02",      NULL, NULL,
     NULL,                                                                                                                                NULL, "MB0!error 10 object_does_not_exist; MB0=2!ok", "error 10 object_does_not_exist",
     NULL                                                                                                                                                                                                                             },
    {"NCK variable",                                ">1:0401 1208 82 41 0002 0003 7f 01",                          NULL, NULL, NULL,      NULL,
     "nck_channel 127 2",                                                                                                                                                                       NULL,                             NULL},
    {"NCK variable, metric",                        ">1:0401 1208 83 01 0002 0003 7f 01",                          NULL, NULL, NULL,      NULL,
     "nck 127 2",                                                                                                                                                                               NULL,                             NULL},
    {"NCK variable, inch",                          ">1:0401 1208 84 61 0002 0003 7f 01",                          NULL, NULL, NULL,      NULL,
     "nck_axis 127 2",                                                                                                                                                                          NULL,                             NULL},
    {"drive parameter",                             ">1:0401 120a a2 0000000000 0011 0002",                        NULL, NULL, NULL,      NULL,
     "drive_parameter 17 2",                                                                                                                                                                    NULL,                             NULL},
    {"DB read of two parts",                        ">1:0401 120c b0 02 04 0005 000a 02 0006 0014",                NULL, NULL, NULL,      NULL,
     "DB5.DBB10 (4 byte); DB6.DBB20 (2 byte)",                                                                                                                                                  NULL,                             NULL},
    {"S7-1200 symbol in a data block",              ">1:0401 120e b2 ff 8a0e 0001 12345678 8000000a",              NULL, NULL,
     NULL,                                                                                                                                NULL, "sym:12345678",                                 NULL,                             NULL},
    {"S7-1200 symbol in an area",                   ">1:0501 120e b2 ff 0000 0051 12345678 8000000a :00030001 01",
     NULL,                                                                                                               NULL, "control", NULL, "sym:12345678{control}=01",                     NULL,                             NULL},
    {"PBC request id",                              ">1:0401 1206 13 00000001 00",                                 NULL, NULL, NULL,      NULL, "r_id 1",                                       NULL,                             NULL},
    {"alarm lock",                                  ">1:0401 1208 15 00000000000000",                              NULL, NULL, NULL,      NULL, "alarm",                                        NULL,                             NULL},
    {"alarm indication",                            ">1:0401 1208 16 00000000000000",                              NULL, NULL, NULL,      NULL, "alarm",                                        NULL,
     NULL                                                                                                                                                                                                                             },
    {"alarm acknowledgement",                       ">1:0401 1208 19 00000000000000",                              NULL, NULL, NULL,      NULL, "alarm",
     NULL,                                                                                                                                                                                                                        NULL},
    {"alarm query",                                 ">1:0401 1208 1a 00000000000000",                              NULL, NULL, NULL,      NULL, "alarm",                                        NULL,                             NULL},
    {"notification",                                ">1:0401 1208 1c 00000000000000",                              NULL, NULL, NULL,      NULL, "alarm",                                        NULL,                             NULL},
    {"an unknown syntax",                           ">1:0401 1204 77 000000",                                      NULL, NULL, NULL,      NULL, "unknown",                                      NULL,                             NULL},
    {"the second job in flight with one reference",
     ">1:0402" M0_BYTE M0_BYTE READ_M0 "<3:0402:ff040008 0100 ff040008 02 <3:0401:ff040008 03",
     NULL,                                                                                                               NULL, NULL,      NULL, "MB0=3!ok",                                     "ok",                             NULL},
};

START_TEST(test_addresses)
{
    check_row(&addresses[_i]);
}
END_TEST

/* The range that learners see: in bits; timers, counters and parameters by number. */
static const struct range_row {
    const char *shows, *script;
    uint64_t low, high;
} ranges[] = {
    {"three words at byte 10",       ">1:0401 120a10 04 0003 0005 84 000050", 80,       127     },
    {"a bit",                        ">1:0401 120a10 01 0001 0000 83 000051", 81,       81      },
    {"eight bits",                   ">1:0401 120a10 01 0008 0000 83 000051", 81,       88      },
    {"a real",                       ">1:0401 120a10 08 0001 0000 83 000000", 0,        31      },
    {"the last byte",                ">1:0401 120a10 02 0001 0000 83 7ffff8", 0x7ffff8, 0x7fffff},
    {"a count past the last byte",   ">1:0401 120a10 02 ffff 0000 83 fffff8", 0xfffff8,
     0xfffff8 + 65535 * 8 - 1                                                                   },
    {"no bytes at all",              ">1:0401 120a10 02 0000 0000 83 000050", 80,       80      },
    {"an unknown type counts bytes", ">1:0401 120a10 63 0002 0000 83 000050", 80,       95      },
    {"two timers",                   ">1:0401 120a10 1d 0002 0000 1d 000003", 3,        4       },
    {"a DB read",                    ">1:0401 1207 b0 01 04 0005 000a",       80,       111     },
    {"a drive parameter",            ">1:0401 120a a2 0000000000 0011 0002",  2,        2       },
    {"a watched word",
     REQUEST("4102") "ff090020 0014 0008 0000 0001 0001 0006 0001 0001 0001 0001 0001 0200 0001 "
                     "0201 0000 000a",                                        80,       95      },
    {"a watched bit",
     REQUEST("4102") "ff090020 0014 0008 0000 0001 0001 0006 0001 0001 0001 0001 0001 0200 0001 "
                     "1003 0000 000a",                                        83,       83      },
};

START_TEST(test_ranges)
{
    struct probe *p = flow(false);
    feed(p, ranges[_i].script);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(e->has_range && e->low == ranges[_i].low && e->high == ranges[_i].high,
                  "%s: %llu to %llu", ranges[_i].shows, (unsigned long long)e->low,
                  (unsigned long long)e->high);
    ck_assert_msg(p->violation_count == 0, "%s: violation", ranges[_i].shows);
    probe_destroy(p);
}
END_TEST

static const struct pi_row {
    const char *service, *argument, *operation, *items, *detail;
} pi_rows[] = {
    {"_INSE",     "0100 3041303030303150",                  "program_modify", "DB1",        "_INSE activates DB1"        },
    {"_INS2",     "0100 3041303030303150",                  "program_modify", "DB1",        "_INS2 activates DB1"        },
    {"_DELE",     "0200 3038303030333542 3042303030303742", "program_delete", "OB35; SDB7",
     "_DELE deletes OB35 and others"                                                                                     },
    {"_DELE",     "0100 3042303030303742",                  "program_delete", "SDB7",
     "_DELE deletes SDB7: system data (hardware configuration)"                                                          },
    {"P_PROGRAM", "",                                       "start",          "",           "P_PROGRAM warm start"       },
    {"P_PROGRAM", "4320",                                   "start",          "",           "P_PROGRAM cold start"       },
    {"_MODU",     "4550",                                   "program_modify", "",           "_MODU copies RAM to ROM: EP"},
    {"_GARB",     "",                                       "program_modify", "",           "_GARB compresses the memory"},
    {"_N_LOGIN_", "03303130 06736563726574",                "auth",           "",           "_N_LOGIN_ logs in"          },
    {"_N_LOGOUT", "03303130",                               "auth",           "",           NULL                         },
    {"_N_NEWPWD", "03303130 06736563726574",                "config_change",  "",           "_N_NEWPWD sets a password"  },
    {"_N_F_DELE", "03303130",                               "file_delete",    "",           NULL                         },
    {"_N_F_DELR", "",                                       "file_delete",    "",           NULL                         },
    {"_N_DELVAR", "",                                       "file_delete",    "",           NULL                         },
    {"_N_F_OPEN", "",                                       "file_read",      "",           NULL                         },
    {"_N_F_OPER", "",                                       "file_read",      "",           NULL                         },
    {"_N_F_CLOS", "",                                       "file_read",      "",           NULL                         },
    {"_N_F_SEEK", "",                                       "file_read",      "",           NULL                         },
    {"_N_F_XFER", "",                                       "file_write",     "",           NULL                         },
    {"_N_F_COPY", "",                                       "file_write",     "",           NULL                         },
    {"_N_F_RENA", "",                                       "file_write",     "",           NULL                         },
    {"_N_F_PROT", "",                                       "config_change",  "",           NULL                         },
    {"_N_SELECT", "0841424344454647 48",                    "program_modify", "",
     "_N_SELECT selects a program:  ABCDEFGH"                                                                            },
    {"_N_EXTERN", "",                                       "program_modify", "",           NULL                         },
    {"_N_EXTMOD", "",                                       "program_modify", "",           NULL                         },
    {"_N_ASUP__", "",                                       "program_modify", "",           NULL                         },
    {"_N_STRTLK", "",                                       "mode_change",    "",           NULL                         },
    {"_N_STRTUL", "",                                       "mode_change",    "",           NULL                         },
    {"_N_NCKMOD", "",                                       "mode_change",    "",           NULL                         },
    {"_N_IBN_SS", "",                                       "mode_change",    "",           NULL                         },
    {"_N_CONFIG", "",                                       "config_change",  "",           NULL                         },
    {"_N_SCALE_", "",                                       "config_change",  "",           NULL                         },
    {"_N_SETUFR", "",                                       "config_change",  "",           NULL                         },
    {"_N_TMRASS", "",                                       "config_change",  "",           NULL                         },
    {"_XYZ",      "",                                       "unknown",        "",           "PI service _XYZ"            },
};

START_TEST(test_pi_services)
{
    const struct pi_row *row = &pi_rows[_i];
    uint8_t argument[256];
    size_t argument_size = hex_bytes(argument, sizeof argument, row->argument);
    char script[1024];
    int n = snprintf(script, sizeof script, ">1:28000000000000fd %04zx %s %02zx ", argument_size,
                     row->argument, strlen(row->service));
    for (const char *c = row->service; *c; c++)
        n += snprintf(script + n, sizeof script - (size_t)n, "%02x", (unsigned char)*c);
    snprintf(script + n, sizeof script - (size_t)n, " <3:28");
    struct probe *p = flow(false);
    feed(p, script);
    ck_assert_msg(p->violation_count == 0, "%s: violation", row->service);
    const struct probe_event *e = probe_event(p, 0);
    check(row->service, "code", "rosctr=1,func=0x28", e->code);
    check(row->service, "operation", row->operation, e->operation);
    check(row->service, "items", row->items, e->items);
    check(row->service, "detail", row->detail, e->detail);
    check(row->service, "operation of the answer", row->operation, probe_event(p, 1)->operation);
    bool is_secret = strstr(row->argument, "736563726574") != NULL;
    ck_assert_msg(!!(e->flags & OT_HAS_CREDENTIAL) == is_secret, "%s: credential", row->service);
    ck_assert_msg(e->secret_size == (is_secret ? argument_size : 0), "%s: secret", row->service);
    ck_assert_msg(!strstr(e->detail, "secret"), "%s: told", row->service);
    probe_destroy(p);
}
END_TEST

/* Every sub-function of every group, as request, response and push. */
static const struct service_row {
    unsigned group, sub;
    const char *name, *operation;
} services[] = {
    {1,  0x01, "block_status",                 "program_upload"  },
    {1,  0x02, "variable_status",              "read"            },
    {1,  0x03, "read_istack",                  "diagnostics"     },
    {1,  0x04, "read_bstack",                  "diagnostics"     },
    {1,  0x05, "read_lstack",                  "diagnostics"     },
    {1,  0x06, "time_measurement",             "diagnostics"     },
    {1,  0x07, "force_selection",              "force"           },
    {1,  0x08, "modify_variable",              "write"           },
    {1,  0x09, "force",                        "force"           },
    {1,  0x0a, "breakpoint",                   "program_modify"  },
    {1,  0x0b, "exit_hold",                    "start"           },
    {1,  0x0c, "memory_reset",                 "program_delete"  },
    {1,  0x0d, "disable_job",                  "diagnostics"     },
    {1,  0x0e, "enable_job",                   "diagnostics"     },
    {1,  0x0f, "delete_job",                   "diagnostics"     },
    {1,  0x10, "read_job_list",                "diagnostics"     },
    {1,  0x11, "read_job",                     "diagnostics"     },
    {1,  0x12, "replace_job",                  "diagnostics"     },
    {1,  0x13, "block_status_2",               "program_upload"  },
    {1,  0x16, "flash_led",                    "identify"        },
    {2,  0x01, "cyclic_transfer",              "subscribe"       },
    {2,  0x04, "cyclic_unsubscribe",           "subscribe"       },
    {2,  0x05, "change_driven_transfer",       "subscribe"       },
    {2,  0x07, "change_driven_modify",         "subscribe"       },
    {2,  0x08, "read_record",                  "subscribe"       },
    {3,  0x01, "list_blocks",                  "browse"          },
    {3,  0x02, "list_blocks_of_type",          "browse"          },
    {3,  0x03, "block_info",                   "browse"          },
    {4,  0x01, "read_szl",                     "diagnostics"     },
    {4,  0x02, "message_service",              "subscribe"       },
    {4,  0x03, "diagnostic_message",           "diagnostics"     },
    {4,  0x04, "alarm_8",                      "alarm"           },
    {4,  0x05, "alarm_8_indication",           "alarm"           },
    {4,  0x06, "notify_indication",            "alarm"           },
    {4,  0x07, "alarm_8_lock",                 "alarm"           },
    {4,  0x08, "alarm_8_unlock",               "alarm"           },
    {4,  0x09, "scan_indication",              "alarm"           },
    {4,  0x0b, "alarm_acknowledge",            "alarm"           },
    {4,  0x0c, "alarm_acknowledge_indication", "alarm"           },
    {4,  0x0d, "alarm_lock_indication",        "alarm"           },
    {4,  0x0e, "alarm_unlock_indication",      "alarm"           },
    {4,  0x11, "alarm_sq_indication",          "alarm"           },
    {4,  0x12, "alarm_s_indication",           "alarm"           },
    {4,  0x13, "alarm_query",                  "alarm"           },
    {4,  0x16, "notify_8_indication",          "alarm"           },
    {5,  0x01, "password",                     "auth"            },
    {6,  0x01, "bsend",                        "write"           },
    {7,  0x01, "read_clock",                   "diagnostics"     },
    {7,  0x02, "set_clock",                    "time_set"        },
    {7,  0x03, "read_clock_following",         "diagnostics"     },
    {7,  0x04, "set_clock",                    "time_set"        },
    {15, 0x01, "nc_request_download",          "program_download"},
    {15, 0x02, "nc_download_block",            "program_download"},
    {15, 0x03, "nc_continue_download",         "program_download"},
    {15, 0x04, "nc_download_ended",            "program_download"},
    {15, 0x06, "nc_start_upload",              "program_upload"  },
    {15, 0x07, "nc_upload",                    "program_upload"  },
    {15, 0x08, "nc_continue_upload",           "program_upload"  },
};

START_TEST(test_services)
{
    const struct service_row *row = &services[_i];
    struct probe *p = flow(true);
    char script[512], code[64];
    snprintf(script, sizeof script,
             ">7:00011204114%x%02x00:0a000000 <7:00011208128%x%02x0000000000:0a000000"
             "<7:00011208120%x%02x0000000000:0a000000",
             row->group, row->sub, row->group, row->sub, row->group, row->sub);
    feed(p, script);
    ck_assert_msg(p->violation_count == 0, "%s: violation", row->name);
    ck_assert_uint_eq(p->event_count, 3);
    static const char *const directions[] = {"request", "response", "oneway"};
    snprintf(code, sizeof code, "rosctr=7,group=%u,sub=%u", row->group, row->sub);
    for (size_t i = 0; i < 3; i++) {
        const struct probe_event *e = probe_event(p, i);
        check(row->name, "code", code, e->code);
        check(row->name, "name", row->name, e->name);
        check(row->name, "direction", directions[i], e->direction);
        bool is_yield = i == 2 && (row->group == 1 || row->group == 2);
        check(row->name, "operation", is_yield ? "publish" : row->operation, e->operation);
        ck_assert_msg(!!(e->flags & OT_UNSOLICITED) == (i == 2), "%s: unsolicited", row->name);
        ck_assert_msg(!(e->flags & OT_NO_REQUEST), "%s: request", row->name);
        ck_assert_uint_eq(e->function, row->group << 8 | row->sub);
    }
    probe_destroy(p);
}
END_TEST

static const struct row userdata[] = {
    {"a block's description is asked for", REQUEST("4303") "ff090008 3041303030343941",
     "rosctr=7,group=3,sub=3",                                                                                                                   "request",  "browse",           "block_info",          "DB49",                          "",                                    ""                        },
    {"and told with its checksum",
     REQUEST("4303") "ff090008 3041303030343941" ANSWER(
         "8303") "ff09004e 0100004a 2200 7070 01 21 1d 0a 0031 00000bbc 00000003 023954df2d70 "
                 "0330d48e2d62 03d6 0000 0000 079e 53494d4154494300 5253454449414700 "
                 "5253450000000000 10 00 b743 00000000 00000000",                                                     "rosctr=7,group=3,sub=3",  "response", "browse",           "block_info",          "DB49=46915",                    "ok",
     "version 1.0, 3004 bytes of load memory, author SIMATIC, family RSEDIAG, name RSE, know-how "
     "protected"                                                                                                                                                                                                                                                                                          },
    {"a block that is not there",
     REQUEST("4303") "ff090008 3041303030303041 <7:0001120812830300 0000d209:0a000000",                               NULL,
     "response",                                                                                                                                             "browse",           NULL,                  "DB0",                           "error 53769 block_not_found",         ""                        },
    {"blocks of a type",                   REQUEST("4302") "ff090002 3038",                                           NULL,                      NULL,       "browse",           NULL,                  "",                              NULL,
     "OB"                                                                                                                                                                                                                                                                                                 },
    {"identification is asked for",        REQUEST("4401") "ff090004 0011 0000",                                      NULL,                      "request",
     "identify",                                                                                                                                                                 "read_szl",            "SZL 0x0011 index 0",            "",                                    "module identification"   },
    {"other lists are diagnostics",        REQUEST("4401") "ff090004 0131 0003",                                      NULL,                      "request",
     "diagnostics",                                                                                                                                                              "read_szl",            "SZL 0x0131 index 3",            "",                                    "communication capability"},
    {"a refused list keeps its class",
     REQUEST("4401") "ff090004 001c 0000 <7:0001120812840100 0000d401:0a000000",                                      NULL,                      "response",
     "identify",                                                                                                                                                                 "read_szl",            "SZL 0x001c index 0",            "error 54273 information_unavailable",
     "component identification"                                                                                                                                                                                                                                                                           },
    {"a panel subscribes",                 REQUEST("4402") "ff09000a 81 00 486d6952746d2020",                         NULL,                      NULL,
     "subscribe",                                                                                                                                                                NULL,                  "",                              NULL,                                  "user HmiRtm, mode alarms"},
    {"the reason of a stop",
     "<7:0001120411040300:ff090014 4304ff8400000000000000009401092153421521",                                         NULL,                      "oneway",
     "diagnostics",                                                                                                                                                              "diagnostic_message",  "",                              "",
     "event 0x4304: stop by a programming device or SFB 20"                                                                                                                                                                                                                                               },
    {"a password that is wrong",
     REQUEST("4501") "ff090008 213a1b1d6e681b1d <7:0001120812850100 0000d602:0a000000",                               NULL,
     "response",                                                                                                                                             "auth",             "password",            "",                              "error 54786 wrong_password",          ""                        },
    {"no password set",
     REQUEST("4501") "ff090008 213a1b1d6e681b1d <7:0001120812850100 0000d605:0a000000",                               NULL,
     "response",                                                                                                                                             "auth",             "password",            "",                              "error 54789 no_password_set",         ""                        },
    {"the clock is set",                   REQUEST("4702") "ff09000a 00191602082308100002",                           NULL,                      "request",
     "time_set",                                                                                                                                                                 "set_clock",           "clock=2016-02-08T23:08:10.000", "",                                    NULL                      },
    {"its answer repeats the time",
     REQUEST("4702") "ff09000a 00191602082308100002" ANSWER("8702") "0a000000",                                       NULL,                      "response",
     "time_set",                                                                                                                                                                 "set_clock",           "clock=2016-02-08T23:08:10.000", "ok",                                  NULL                      },
    {"the clock is read",                  REQUEST("4701") "0a000000" ANSWER("8701") "ff09000a 00199502081451379162",
     NULL,                                                                                                                                       "response", "diagnostics",      "read_clock",          "clock=1995-02-08T14:51:37.916", "ok",                                  NULL                      },
    {"variables are modified once",
     REQUEST("4108") "ff090040 0014 0028 0000 0001 0001 0006 0001 0001 0001 0001 0001 0200 0003 "
                     "0301 0000 0000 0201 0000 0004 1001 0000 0008 00090004 4133851f 00090002 dead "
                     "00090001 0100",                                                                                 "rosctr=7,group=1,sub=8",  "request",  "write",            "modify_variable",
     "MB0=1093895455; MB4=57005; I8.1=1",                                                                                                                                                                                                "",                                    ""                        },
    {"outputs are control",
     REQUEST("4108") "ff090025 0014 000d 0000 0001 0001 0006 0001 0001 0001 0001 0001 0200 0001 "
                     "2101 0000 0000 00090001 01",                                                                    NULL,                      "request",  "control",          "modify_variable",     "QB0{control}=1",                "",                                    ""                        },
    {"and held for good",
     REQUEST("4108") "ff090025 0014 000d 0000 0002 0001 0006 0001 0001 0001 0001 0001 0200 0001 "
                     "7101 0005 0000 00090001 01",                                                                    NULL,                      "request",  "force",            "modify_variable",     "DB5.DBB0=1",                    "",                                    "held against the program"},
    {"the table is watched",
     REQUEST("4102") "ff090026 0014 000e 0000 0001 0001 0006 0001 0001 0001 0001 0001 0200 0002 "
                     "5401 0000 0003 6402 0000 0004",                                                                 NULL,                      "request",  "read",             "variable_status",     "t 3; c 4-5",                    "",                                    ""                        },
    {"a modification is put in force",
     REQUEST("410e") "ff09001a 0014 0002 0000 0000 0001 0000 0000 0001 0001 0001 0001 0000 08 02",
     NULL,                                                                                                                                       "request",  "write",            "enable_job",          "",                              "",                                    "modify_variable"         },
    {"and so is its answer",
     REQUEST("410e") "ff09001a 0014 0002 0000 0000 0001 0000 0000 0001 0001 0001 0001 0000 08 "
                     "02" ANSWER("810e") "0a000000",
     NULL,                                                                                                                                       "response", "write",            "enable_job",          "",                              "ok",                                  ""                        },
    {"forced values are removed",
     REQUEST("410f") "ff09001a 0014 0002 0000 0000 0001 0000 0000 0001 0001 0001 0001 0000 09 02",
     NULL,                                                                                                                                       "request",  "force",            "delete_job",          "",                              "",                                    "force"                   },
    {"values are asked for in a cycle",
     REQUEST("4201") "ff090010 0001 01 05 120a10020001000083000000",                                                  NULL,                      "request",  "subscribe",
     "cyclic_transfer",                                                                                                                                                                                 "MB0",                           "",                                    ""                        },
    {"BSEND says its request id",          REQUEST("4600") "ff090008 1206130000002a00",
     "rosctr=7,group=6,sub=0",                                                                                                                   "request",  "write",            "bsend",               "r_id 42{write}",                "",                                    ""                        },
    {"an NC program is announced",         ">7:0001120411 7f 0100:ff090005 04 2f4d5046",
     "rosctr=7,group=15,sub=1",                                                                                                                  "request",  "program_download", "nc_request_download", "/MPF",                          "",
     ""                                                                                                                                                                                                                                                                                                   },
    {"an NC push is one way",              "<7:0001120811 3f 0200 00000000:ff090003 010203",
     "rosctr=7,group=15,sub=2",                                                                                                                  "oneway",   "program_download", "nc_download_block",   "",                              "",                                    ""                        },
    {"an NC response",
     ">7:0001120411 7f 0100:ff090005 04 2f4d5046 <7:0001120812 bf 0100 00000000:ff000000",                            "rosctr=7,group=15,sub=1", "response", "program_download", "nc_request_download", NULL,                            "ok",
     ""                                                                                                                                                                                                                                                                                                   },
};

START_TEST(test_userdata)
{
    check_row(&userdata[_i]);
}
END_TEST

static const struct mode_row {
    const char *sub, *name, *mode;
} modes[] = {
    {"00", "mode_stop",         "mode=stop"   },
    {"01", "mode_warm_restart", "mode=startup"},
    {"02", "mode_run",          "mode=run"    },
    {"03", "mode_hot_restart",  "mode=startup"},
    {"04", "mode_hold",         "mode=hold"   },
    {"06", "mode_cold_restart", "mode=startup"},
    {"09", "mode_run_r",        "mode=run"    },
    {"0b", "mode_link_up",      "mode=link_up"},
    {"0c", "mode_update",       "mode=update" },
};

START_TEST(test_modes)
{
    struct probe *p = flow(true);
    char script[128];
    snprintf(script, sizeof script, "<7:00010010 10 00 %s 00", modes[_i].sub);
    feed(p, script);
    const struct probe_event *e = probe_event(p, 0);
    check(modes[_i].name, "name", modes[_i].name, e->name);
    check(modes[_i].name, "direction", "oneway", e->direction);
    check(modes[_i].name, "operation", "diagnostics", e->operation);
    check(modes[_i].name, "facts", modes[_i].mode, e->facts);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

#define ORDER_315 "36455337203331352d32454831342d3041423020" /* 6ES7 315-2EH14-0AB0 */
#define NO_ORDER  "2020202020202020202020202020202020202020"
#define MODULE_LIST                                                                                \
    "0011 0000 001c 0003 0001" ORDER_315 "00c0 0003 0001 0006" ORDER_315                           \
    "00c0 0003 0001 0007" NO_ORDER "00c0 5603 0207"
#define ZEROS_8  "0000000000000000"
#define ZEROS_24 ZEROS_8 ZEROS_8 ZEROS_8
#define PAD_24   "202020202020202020202020202020202020202020202020"
#define COMPONENTS_1                                                                               \
    "001c 0000 0022 0009 0001 53374231"                                                            \
    "00000000" ZEROS_24 "0002 504c435f31000000" ZEROS_24
#define COMPONENTS_2                                                                               \
    "0003 504c414e54000000" ZEROS_24 "0004 4f726967696e616c" ZEROS_24 "0005 532043203132330a"      \
    "0000000000000000" ZEROS_8 ZEROS_8 "0007 4350552033313520" PAD_24                              \
    "0008 4d4d432031202020" PAD_24 "0009 002a f600 0001 0000" ZEROS_24                             \
    "000b 48616c6c20330000" ZEROS_24

static const struct szl_row {
    const char *shows, *script, *facts;
} szl_rows[] = {
    {"module identification",                      ANSWER("8401") "ff09005c" MODULE_LIST,
     "order_number=6ES7 315-2EH14-0AB0; hardware_version=3; firmware_version=V3.2.7"                                                          },
    {"all components",                             ANSWER("8401") "ff09013a" COMPONENTS_1 COMPONENTS_2,
     "name=S7B1; module_name=PLC_1; plant=PLANT; serial_number=S C 123\\x0a; product=CPU 315; "
     "card_serial_number=MMC 1; vendor=Siemens; location=Hall 3"                                                                              },
    {"in two data units",
     "<7:0001120812840102 d5010000:ff09004c" COMPONENTS_1
     ">7:0001120812440102 00000000:0a000000 <7:0001120812840102 d5000000:ff0900ee" COMPONENTS_2,
     "name=S7B1; module_name=PLC_1; plant=PLANT; serial_number=S C 123\\x0a; product=CPU 315; "
     "card_serial_number=MMC 1; vendor=Siemens; location=Hall 3"                                                                              },
    {"the first data unit alone says nothing yet",
     "<7:0001120812840102 d5010000:ff09004c" COMPONENTS_1,                                              ""                                    },
    {"running",
     ANSWER("8401") "ff09001c 0424 0000 0014 0001 5140 ff 08 00000000 00000000 9401290236309557",
     "mode=run"                                                                                                                               },
    {"stopped",
     ANSWER("8401") "ff09001c 0424 0000 0014 0001 5140 ff 84 00000000 00000000 9401290236309557",
     "mode=stop"                                                                                                                              },
    {"on hold, one entry of many",
     ANSWER("8401") "ff09001c 0124 0000 0014 0001 5140 ff 0a 00000000 00000000 9401290236309557",
     "mode=hold"                                                                                                                              },
    {"protection and switch",
     ANSWER("8401") "ff090030 0132 0004 0028 0001 0004 0001 0003 0003 0002 0000 " ZEROS_24
                    "00000000",                                                                         "protection=level 3; key_switch=run_p"},
    {"another index of the list",
     ANSWER("8401") "ff090030 0132 0005 0028 0001 0005 0001 0003 0003 0002 0000 " ZEROS_24
                    "00000000",                                                                         ""                                    },
    {"entries beyond the data",
     ANSWER("8401") "ff090024 0011 0000 001c 0009 0001" ORDER_315 "00c0 0003 0001",
     "order_number=6ES7 315-2EH14-0AB0"                                                                                                       },
    {"entries of size 0",                          ANSWER("8401") "ff090008 0011 0000 0000 ffff",       ""                                    },
};

START_TEST(test_szl)
{
    const struct szl_row *row = &szl_rows[_i];
    struct probe *p = flow(false);
    feed(p, row->script);
    check(row->shows, "facts", row->facts, probe_event(p, p->event_count - 1)->facts);
    probe_destroy(p);
}
END_TEST

#define MODULE_STATUS(where, slot, type, state)                                                    \
    where " " slot " 07ff 00c0 " type " 0000 " state " 0011 "

/* SZL xy91 in the modules' handbook: rack, DP and PROFINET addresses; bit 1 of the state: plugged
 */
static const struct szl_row part_rows[] = {
    {"the modules of a rack, but for the CPU itself",
     ANSWER("8401") "ff090028 0d91 0000 0010 0002" MODULE_STATUS("0000", "0200",                       "00c0", "b402")
         MODULE_STATUS("0000", "0400", "9fc1", "b402"),
     "rack 0 slot 4=module type 0x9fc1"},
    {"a part of a module is no module",
     ANSWER("8401") "ff090018 0591 0000 0010 0001" MODULE_STATUS("0000",                              "0201",                                                    "c4c0", "b402"),
     ""},
    {"nothing is plugged there",
     ANSWER("8401") "ff090018 0d91 0000 0010 0001" MODULE_STATUS("0000",                               "0500",                           "9fc1", "b404"),
     ""},
    {"on a DP line",
     ANSWER("8401") "ff090018 0d91 0000 0010 0001" MODULE_STATUS("0105",                       "0400","9fc1", "b402"),
     "DP 1 station 5 slot 4=module type 0x9fc1"},
    {"on PROFINET",
     ANSWER("8401") "ff090018 0d91 0000 0010 0001" MODULE_STATUS("8803",                                       "0002",                               "9fc1", "b402"),
     "PN 101 station 3 slot 2=module type 0x9fc1"},
    {"entries beyond the data",
     ANSWER("8401") "ff090018 0d91 0000 0010 00ff" MODULE_STATUS("0000",                                                   "0400",                                                                                               "9fc1", "b402"),
     "rack 0 slot 4=module type 0x9fc1"},
    {"entries too short",                                  ANSWER("8401") "ff09000c 0d91 0000 0004 0001 0000 0400", ""},
};

START_TEST(test_parts)
{
    const struct szl_row *row = &part_rows[_i];
    struct probe *p = flow(false);
    feed(p, row->script);
    check(row->shows, "parts", row->facts, probe_event(p, p->event_count - 1)->parts);
    probe_destroy(p);
}
END_TEST

/* Steps of a transfer, key and all, over a whole download and upload. */
START_TEST(test_transfers)
{
    struct probe *p = flow(false);
    feed(p, ">1:1a00010000000000 09" DB1 "0d 31303030323136303030303838 <3:1a"
            "<1:1b00000000000000 09" DB1 ">3:1b01:0003 00fb 010203"
            "<1:1b00000000000000 09" DB1 ">3:1b00:0001 00fb 04"
            "<1:1c00000000000000 09" DB1 ">3:1c");
    static const char *const steps[] = {"begin program_download", "", "",
                                        "block program_download", "", "block program_download",
                                        "end program_download",   ""};
    ck_assert_uint_eq(p->event_count, 8);
    const char *key = strstr(probe_event(p, 0)->transfer, "key=");
    size_t key_size = strcspn(key, " ");
    for (size_t i = 0; i < 8; i++) {
        const char *got = probe_event(p, i)->transfer;
        ck_assert_msg(strncmp(got, steps[i], strlen(steps[i])) == 0 && !*got == !*steps[i],
                      "step %zu: %s", i, got);
        ck_assert_msg(!*got || strncmp(strstr(got, "key="), key, key_size) == 0, "key: %s", got);
        ck_assert_msg(!*got || strstr(got, "name=DB1"), "name: %s", got);
    }
    ck_assert(strstr(probe_event(p, 0)->transfer, "declared=216"));
    ck_assert(strstr(probe_event(p, 3)->transfer, "bytes=3"));
    ck_assert(strstr(probe_event(p, 5)->transfer, "bytes=1"));
    probe_clear(p);

    feed(p, ">1:1d00000000000000 09 5f30383030303031 41 <3:1d00010000000007 07 30303030323136"
            ">1:1e00000000000007 <3:1e00:0002 00fb 0102 >1:1f00000000000007 <3:1f");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "");
    ck_assert_str_eq(probe_event(p, 1)->transfer,
                     "begin program_upload key=1099511627783 name=OB1 declared=216");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "block program_upload key=1099511627783 bytes=2");
    ck_assert_str_eq(probe_event(p, 4)->transfer, "end program_upload key=1099511627783");
    probe_clear(p);

    feed(p, ">1:1a00010000000000 09" DB1 "0d 31303030323136303030303838 <3.d241:1a");
    ck_assert(strncmp(probe_event(p, 1)->transfer, "abort", 5) == 0);
    probe_clear(p);
    feed(p, "<1:1c00d21b00000000 09" DB1);
    ck_assert(strncmp(probe_event(p, 0)->transfer, "abort", 5) == 0);
    probe_clear(p);
    feed(p, ">1:1e00000000000007 <3.d401:1e");
    ck_assert(strncmp(probe_event(p, 1)->transfer, "abort", 5) == 0);
    probe_clear(p);

    feed(p, ">7:0001120411 7f 0100:ff090005 04 2f4d5046 <7:0001120811 3f 0200 "
            "00000000:ff090003 010203 >7:0001120411 7f 0400:0a000000");
    ck_assert(strstr(probe_event(p, 0)->transfer, "begin program_download"));
    ck_assert(strstr(probe_event(p, 1)->transfer, "block program_download"));
    ck_assert(strstr(probe_event(p, 2)->transfer, "end program_download"));
    probe_destroy(p);
}
END_TEST

/* A block whose job was lost belongs to the download that runs. */
START_TEST(test_block_without_its_job)
{
    struct probe *p = flow(false);
    feed(p, ">1:1a00010000000000 09" DB1 "0d 31303030323136303030303838 >3:1b00:0001 00fb 04");
    ck_assert(strstr(probe_event(p, 1)->transfer, "name=DB1 bytes=1"));
    ck_assert(probe_event(p, 1)->flags & OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

/* What jobs of a variable table and subscriptions yield, by the addresses of their request; values
 * of a table: as tshark shows them in a capture of STEP 7 with an S7-300. */
#define TABLE_REQUEST                                                                              \
    ">7:000112 04 11 41 02 00:ff09 0026 0014 000e 0000 0000 0001 0012 0001 0001 0001 0001 0001 "   \
    "0000 0002 0106 0000 0000 1101 0000 0008 "
#define TABLE_ANSWER(job) "<7:000112 08 12 81 02 " job " 00 00 0000:0a000000 "
#define TABLE_YIELD(job)                                                                           \
    "<7:000112 08 12 01 02 " job " 00 00 0000:ff09 001a 0004 0012 0100 0001 0002 "                 \
    "ff09 0006 4133851fdead ff09 0001 02 00 "
#define CYCLIC_REQUEST(sub)                                                                        \
    ">7:000112 04 11 42 " sub " 00:ff09 001c 0002 01 0a 120a10 04 0001 0001 84 000050 "            \
    "120a10 08 0001 0000 83 000020 "
#define CYCLIC_VALUES "0002 ff04 0010 0102 ff07 0004 3fc00000 "
#define CYCLIC_ANSWER(sub, job)                                                                    \
    "<7:000112 08 12 82 " sub " " job " 00 00 0000:ff09 0010 " CYCLIC_VALUES
#define CYCLIC_YIELD(sub, job)                                                                     \
    "<7:000112 08 12 02 " sub " " job " 00 00 0000:ff09 0010 " CYCLIC_VALUES

static const struct yield {
    const char *shows, *script, *items;
    uint32_t flags;
} yields[] = {
    {"a variable table yields values",         TABLE_REQUEST TABLE_ANSWER("02") TABLE_YIELD("02"),
     "MB0 (6 byte)=65,51,133,31,222,173!ok; IB8=2!ok",                                                                                                               OT_UNSOLICITED},
    {"and again",                              TABLE_REQUEST TABLE_ANSWER("02") TABLE_YIELD("02") TABLE_YIELD("02"),
     "MB0 (6 byte)=65,51,133,31,222,173!ok; IB8=2!ok",                                                                                                               OT_UNSOLICITED},
    {"a table that was asked for earlier",     TABLE_YIELD("02"),                                                    "=4133851fdead!ok; =02!ok",
     OT_UNSOLICITED                                                                                                                                                                },
    {"a table of another job",                 TABLE_REQUEST TABLE_ANSWER("03") TABLE_YIELD("02"),
     "=4133851fdead!ok; =02!ok",                                                                                                                                     OT_UNSOLICITED},
    {"modified variables have results",
     ">7:000112 04 11 41 08 00:ff09 0040 0014 0028 0000 0001 0001 0006 0001 0001 0001 0001 0001 "
     "0200 "
     "0003 0301 0000 0000 0201 0000 0004 1001 0000 0008 0009 0004 4133851f 0009 0002 dead "
     "0009 "
     "0001 01 00 <7:000112 08 12 81 08 02 00 00 0000:0a000000 "
     "<7:000112 08 12 01 08 02 00 00 0000:ff09 000e 0004 0006 0100 0002 0003 ff 05 ff 00",                           "MB0!ok; MB4!error 5 invalid_address; I8.1!ok", OT_UNSOLICITED},
    {"a subscription brings its first values", CYCLIC_REQUEST("01") CYCLIC_ANSWER("01",                              "05"),
     "DB1.DBB10=258!ok; MB4=1.5!ok",                                                                                                                                                 0},
    {"a subscription yields values",
     CYCLIC_REQUEST("01") CYCLIC_ANSWER("01",                                                                               "05") CYCLIC_YIELD("01",                                                                                                                        "05"),
     "DB1.DBB10=258!ok; MB4=1.5!ok", OT_UNSOLICITED},
    {"and again",
     CYCLIC_REQUEST("01") CYCLIC_ANSWER("01",                                                                 "05") CYCLIC_YIELD("01",                                                                                                               "05")
         CYCLIC_YIELD("01",                                                                                                                   "05"),
     "DB1.DBB10=258!ok; MB4=1.5!ok", OT_UNSOLICITED},
    {"one of changes yields what has changed",
     CYCLIC_REQUEST("05") CYCLIC_ANSWER(
         "05","06") "<7:000112 08 12 02 05 06 00 00 0000:ff09 000e 0002 0a00 0000 ff07 0004 3fc00000",
     "DB1.DBB10!error 10 object_does_not_exist; MB4=1.5!ok",                                                                                                                                                 OT_UNSOLICITED},
    {"a subscription that was made earlier",                                        CYCLIC_YIELD("01",                                                                     "05"),                                                                                                                                                       "=1,2!ok; =1.5!ok",
     OT_UNSOLICITED},
    {"a subscription that was refused yields nothing by address",
     CYCLIC_REQUEST("01") "<7:000112 08 12 82 01 05 00 00 d801:0a000000 " CYCLIC_YIELD("01",                                                                                              "05"),
     "=1,2!ok; =1.5!ok",OT_UNSOLICITED},
    {"more values than were asked for",
     CYCLIC_REQUEST("01")
         CYCLIC_ANSWER("01",                                                                                                 "05") "<7:000112 08 12 02 01 05 00 00 0000:ff09 0002 0009",
     "DB1.DBB10",                                                                                                   OT_UNSOLICITED},
    {"nothing in it",
     CYCLIC_REQUEST("01") CYCLIC_ANSWER("01",                                                                                             "05") "<7:000112 08 12 02 01 05 00 00 0000:0a000000",
     "",                                                                                                                                                                                                                               OT_UNSOLICITED},
    {"a parameter that is longer than all",
     TABLE_REQUEST TABLE_ANSWER(
         "02") "<7:000112 08 12 01 02 02 00 00 0000:ff09 0008 0404 0012 0100 0001",
     "",                                                                                                                                                    OT_UNSOLICITED                                                 },
};

START_TEST(test_job_yields)
{
    const struct yield *row = &yields[_i];
    struct probe *p = flow(false);
    feed(p, row->script);
    const struct probe_event *e = probe_event(p, p->event_count - 1);
    check(row->shows, "items", row->items, e->items);
    ck_assert_msg(e->flags == row->flags, "%s: flags %x", row->shows, (unsigned)e->flags);
    probe_destroy(p);
}
END_TEST

START_TEST(test_password_is_a_secret)
{
    struct probe *p = flow(false);
    feed(p, REQUEST("4501") "ff090008 213a1b1d6e681b1d");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert(e->flags & OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 8);
    ck_assert_str_eq(e->items, "");
    ck_assert_str_eq(e->detail, "password of the controller");
    probe_destroy(p);
}
END_TEST

START_TEST(test_names_of_errors)
{
    static const struct {
        const char *error, *status;
    } errors[] = {
        {"0119", "error 281 wrong_password"                     },
        {"8104", "error 33028 service_not_implemented"          },
        {"8402", "error 33794 object_state_forbids_service"     },
        {"8500", "error 34048 wrong_frames"                     },
        {"8701", "error 34561 invalid_object_address"           },
        {"8702", "error 34562 service_not_supported"            },
        {"8703", "error 34563 object_access_refused"            },
        {"8177", "error 33143 application_relationship"         },
        {"8277", "error 33399 object_definition"                },
        {"8377", "error 33655 no_resources"                     },
        {"8477", "error 33911 service_processing"               },
        {"8577", "error 34167 supplies"                         },
        {"8777", "error 34679 access"                           },
        {"d0a1", "error 53409 not_permitted_at_protection_level"},
        {"d201", "error 53761 block_name_syntax"                },
        {"d209", "error 53769 block_not_found"                  },
        {"d241", "error 53825 not_permitted_at_protection_level"},
        {"d602", "error 54786 wrong_password"                   },
        {"d605", "error 54789 no_password_set"                  },
        {"ef02", "error 61186 protocol_error_resources"         },
        {"0110", "error 272 invalid_block_number"               },
        {"7777", "error 30583"                                  },
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct probe *p = flow(false);
        char script[32];
        snprintf(script, sizeof script, "<2.%s", errors[i].error);
        feed(p, script);
        check(errors[i].error, "status", errors[i].status, probe_event(p, 0)->status);
        probe_destroy(p);
    }
}
END_TEST

/* What is forbidden, and that what stands beside it is not. is_start_seen: the flow's beginning was
 * observed. */
static const struct violation_row {
    const char *shows, *script;
    bool is_start_seen;
    const char *why; /* of the last violation; "" none */
} violations[] = {
    {"a job before setup",                        READ_M0,                                                           true,  "job before setup communication"                  },
    {"but not when the beginning was missed",     READ_M0,                                                           false, ""                                                },
    {"nor after setup",                           ">1:f0000001000101e0 <3:f0000001000101e0" READ_M0,                 true,  ""                                                },
    {"userdata needs no setup",                   REQUEST("4401") "ff090004 00110000",                               true,  ""                                                },
    {"an unknown function",                       ">1:77",                                                           false, "function is unknown"                             },
    {"in an answer",                              "<3:77",                                                           false, "function is unknown"                             },
    {"a job without function",                    ">1",                                                              false, "job without a function"                          },
    {"setup of six bytes",                        ">1:f00001e001e0",                                                 false, "setup communication has the wrong size"          },
    {"setup of nine",                             ">1:f0000001000101e000",                                           false, "setup communication has the wrong size"          },
    {"a read without count",                      ">1:04",                                                           false, "item count is missing"                           },
    {"fewer addresses than the count",            ">1:0402" M0_BYTE,                                                 false,
     "fewer addresses than the item count"                                                                                                                                    },
    {"more addresses than the count",             ">1:0401" M0_BYTE M0_BYTE,                                         false,
     "bytes behind the last item"                                                                                                                                             },
    {"an address of 9 bytes",                     ">1:0401 1209 10020001000083 0000",                                false,
     "address of a variable is too short"                                                                                                                                     },
    {"an address of 11 bytes",                    ">1:0401 120b 1002000100008300000000",                             false,
     "address of a variable has the wrong size"                                                                                                                               },
    {"an address without its mark",               ">1:0401 130a10020001000083000000",                                false,
     "address of a variable does not begin with 0x12"                                                                                                                         },
    {"an address past the PDU",                   ">1:0401 120a1002",                                                false, "fewer addresses than the item count"             },
    {"a DB read without its parts",               ">1:0401 1203 b0 02 04",                                           false,
     "address of a variable is too short"                                                                                                                                     },
    {"fewer values than addresses",               ">1:0502" M0_BYTE M0_BYTE ":00040008 01",                          false,
     "fewer data items than addresses"                                                                                                                                        },
    {"a value longer than the PDU",               ">1:0501" M0_BYTE ":00040018 01",                                  false,
     "data item is longer than the PDU"                                                                                                                                       },
    {"bytes behind the values",                   ">1:0501" M0_BYTE ":00040008 01 0000",                             false,
     "bytes behind the last item"                                                                                                                                             },
    {"one byte of padding is let be",             ">1:0501" M0_BYTE ":00040008 01 00",                               false, ""                                                },
    {"fewer results than items",                  ">1:0502" M0_BYTE M0_BYTE ":00040008 0100 00040008 01 <3:0502:ff",
     false,                                                                                                                 "fewer results than items"                        },
    {"an answer to fewer items",                  ">1:0402" M0_BYTE M0_BYTE "<3:0401:ff040008 01",                   false,
     "answer has another item count than its request"                                                                                                                         },
    {"an answer without count",                   READ_M0 "<3:04:ff040008 01",                                       false, "item count is missing"                           },
    {"a refused job needs none",                  READ_M0 "<3.8104:04",                                              false, ""                                                },
    {"a PDU larger than negotiated",              ">1:f0000001000100f0 <3:f00000010001000e >1:0401" M0_BYTE,
     false,                                                                                                                 "PDU is larger than negotiated"                   },
    {"one that just fits",                        ">1:f0000001000100f0 <3:f000000100010018 >1:0401" M0_BYTE,         false, ""                                                },
    {"the client asks for a block of a download", ">1:1b00000000000000 09" DB1,                                      true,
     "download job without a requested download"                                                                                                                              },
    {"the client asks during a download",
     "<3:f0000001000101e0 >1:1a00010000000000 09" DB1
     "0d 31303030323136303030303838 >1:1b00000000000000 09" DB1,
     true,                                                                                                                  "the client sent a download job of the controller"},
    {"a block without a download",                "<3:f0000001000101e0 <1:1b00000000000000 09" DB1,                  true,
     "download job without a requested download"                                                                                                                              },
    {"an end without a download",                 "<3:f0000001000101e0 <1:1c00000000000000 09" DB1,                  true,
     "download job without a requested download"                                                                                                                              },
    {"a download that began before us",           "<1:1b00000000000000 09" DB1,                                      false, ""                                                },
    {"a block longer than the PDU",               "<1:1b00000000000000 09" DB1 ">3:1b00:0004 00fb 010203",           false,
     "block is longer than the PDU"                                                                                                                                           },
    {"a download without name",                   ">1:1a0001000000",                                                 false,
     "parameter of a block function is too short"                                                                                                                             },
    {"an upload without id",                      ">1:1e0000",                                                       false, "parameter of a block function is too short"      },
    {"an upload's answer without length",
     ">1:1d00000000000000 09 5f30383030303031 41 <3:1d00010000000007",                                               false,
     "parameter of a block function is too short"                                                                                                                             },
    {"a stop without name",                       ">1:2900",                                                         false, "parameter of a block function is too short"      },
    {"a stop that is not ASCII",                  ">1:290000000000 02 50ff",                                         false, "PI service is not ASCII"                         },
    {"a PI service without argument",             ">1:28000000000000fd 0004 41",                                     false,
     "parameter of a block function is too short"                                                                                                                             },
    {"a PI service that is not ASCII",            ">1:28000000000000fd 0000 02 c3bc",                                false,
     "PI service is not ASCII"                                                                                                                                                },
    {"an argument that is not ASCII",             ">1:28000000000000fd 0002 4501 05 5f4d4f4455",                     false,
     "PI service is not ASCII"                                                                                                                                                },
    {"a block list of another count",
     ">1:28000000000000fd 000a 0200 3041303030303150 05 5f494e5345",                                                 false,
     "block list of a PI service does not fit its count"                                                                                                                      },
    {"an unknown sub-function",                   REQUEST("4177") "0a000000",                                        false,
     "userdata sub-function is unknown"                                                                                                                                       },
    {"an unknown group",                          REQUEST("4801") "0a000000",                                        false, "userdata sub-function is unknown"                },
    {"a userdata parameter of 7 bytes",           ">7:00011204114401",                                               false,
     "userdata parameter is too short"                                                                                                                                        },
    {"whose size does not fit",                   ">7:0001120511440100",                                             false,
     "userdata parameter does not fit its size"                                                                                                                               },
    {"userdata past the PDU",                     REQUEST("4401") "ff090008 00110000",                               false,
     "userdata is longer than the PDU"                                                                                                                                        },
    {"userdata with half a head",                 REQUEST("4401") "ff09",                                            false, "userdata is longer than the PDU"                 },
    {"a job past its payload",                    REQUEST("4108") "ff090004 0014 0028",                              false,
     "job is longer than the PDU"                                                                                                                                             },
    {"a table with too great a count",
     REQUEST("4102") "ff09001a 0014 0002 0000 0001 0001 0006 0001 0001 0001 0001 0001 0200 0002",
     false,                                                                                                                 "fewer addresses than the item count"             },
    {"a time that is not BCD",                    REQUEST("4702") "ff09000a 0019160208230a100002",                   false,
     "time is not BCD"                                                                                                                                                        },
};

START_TEST(test_violations)
{
    const struct violation_row *row = &violations[_i];
    struct probe *p = flow(row->is_start_seen);
    feed(p, row->script);
    const char *why = p->violation_count ? probe_violation(p, p->violation_count - 1)->why : "";
    check(row->shows, "violation", row->why, why);
    ck_assert_msg(p->event_count > 0, "%s: the event is still told", row->shows);
    probe_destroy(p);
}
END_TEST

/* An address cut short has no area, and no place that zeros would give. */
static const struct cut_row {
    const char *shows, *script;
} cuts[] = {
    {"before the count",   ">1:0401 1202 1002"                  },
    {"before the area",    ">1:0401 1206 1002 0001 0001"        },
    {"before the address", ">1:0401 1207 1002 0001 0001 84"     },
    {"in the address",     ">1:0401 1209 1002 0001 0001 84 0000"},
};

START_TEST(test_cut_addresses)
{
    const struct cut_row *row = &cuts[_i];
    struct probe *p = flow(false);
    feed(p, row->script);
    check(row->shows, "items", "unknown", probe_event(p, 0)->items);
    ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

/* Headers that feed cannot make: whole PDUs as they are. */
static const struct header_row {
    const char *shows, *hex;
    enum claim claim;
    size_t events;
    const char *why;
} headers[] = {
    {"a sound one",                   "32010000 0001 0001 0000 00",    CLAIM_YES,  1, ""                       },
    {"another protocol",              "72010000 0001 0001 0000 00",    CLAIM_NO,   0, "protocol id is not 0x32"},
    {"reserved is not 0",             "32010001 0001 0001 0000 00",    CLAIM_WEAK, 1, "reserved field is not 0"},
    {"ROSCTR 4",                      "32040000 0001 0001 0000 00",    CLAIM_WEAK, 0, "ROSCTR is unknown"      },
    {"parameter longer than the PDU", "32010000 0001 0002 0000 00",    CLAIM_WEAK, 1,
     "parameter and data are longer than the PDU"                                                              },
    {"data longer than the PDU",      "32010000 0001 0001 ffff 00",    CLAIM_WEAK, 1,
     "parameter and data are longer than the PDU"                                                              },
    {"bytes behind the data",         "32010000 0001 0001 0000 00 00", CLAIM_WEAK, 1,
     "bytes behind the data"                                                                                   },
    {"a cut header",                  "32010000 0001 0001 00",         CLAIM_WEAK, 0, "S7 header is cut off"   },
    {"an answer without error",       "32030000 0001 0000 0000",       CLAIM_WEAK, 0, "S7 header is cut off"   },
    {"an answer with one",            "32020000 0001 0000 0000 0000",  CLAIM_YES,  1, ""                       },
    {"one byte",                      "32",                            CLAIM_NO,   0, "S7 header is cut off"   },
};

START_TEST(test_headers)
{
    const struct header_row *row = &headers[_i];
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_s7comm, bytes, size) == row->claim, "%s: claim",
                  row->shows);
    struct probe *p = flow(false);
    probe_feed(p, &dissector_s7comm, true, bytes, size);
    check(row->shows, "violation", row->why, p->violation_count ? probe_violation(p, 0)->why : "");
    ck_assert_msg(p->event_count == row->events, "%s: %zu events", row->shows, p->event_count);
    probe_destroy(p);
}
END_TEST

/* Every prefix of a PDU, as a PDU of its own, is judged and nothing outside it is read. */
static void check_prefixes(const char *script)
{
    uint8_t pdu[PDU_MAX];
    size_t size = compose(script + 1, strlen(script) - 1, pdu);
    for (size_t n = 0; n < size; n++) {
        struct probe *p = flow(false);
        probe_feed(p, &dissector_s7comm, *script == '>', pdu, n);
        ck_assert_msg(p->violation_count > 0, "%.40s: prefix of %zu", script, n);
        ck_assert_uint_le(p->event_count, 1);
        probe_destroy(p);
    }
}

START_TEST(test_prefixes)
{
    check_prefixes(">1:0502" M0_BYTE "120a10020001000082000000:00040008 0100 00040008 02");
    check_prefixes("<3:0402:ff040008 0100 ff040010 0203");
    check_prefixes(">1:1a00010000000000 09" DB1 "0d 31303030323136303030303838");
    check_prefixes(">1:28000000000000fd 000a 0100 3041303030303150 05 5f494e5345");
    check_prefixes(ANSWER("8401") "ff09005c" MODULE_LIST);
    check_prefixes(REQUEST("4108") "ff090025 0014 000d 0000 0001 0001 0006 0001 0001 0001 0001 "
                                   "0001 0200 0001 2101 0000 0000 00090001 01");
}
END_TEST

/* Roles are learned from what only a client says, and from nothing else. */
START_TEST(test_roles)
{
    static const struct {
        const char *shows, *script;
        bool is_known;
    } roles[] = {
        {"setup",              "<1:f0000001000101e0",        true },
        {"a userdata request",
         "<"
         "7:0001120411440100:0a000000",                      true },
        {"a push",
         "<"
         "7:0001001010000000",                               false},
        {"a download job",     "<1:1b00000000000000 09" DB1, false},
        {"an answer",          "<3:0401:ff040008 01",        false},
    };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        struct probe *p = flow(false);
        p->flow.is_role_known = false;
        feed(p, roles[i].script);
        ck_assert_msg(p->flow.is_role_known == roles[i].is_known, "%s", roles[i].shows);
        ck_assert_msg(probe_event(p, 0)->is_from_client == roles[i].is_known, "%s: sender",
                      roles[i].shows);
        probe_destroy(p);
    }
}
END_TEST

/* Without room for items and texts the event is still told. */
START_TEST(test_full_arena)
{
    struct probe *p = flow(false);
    probe_set_arena(p, 16);
    feed(p, READ_M0 REQUEST("4401") "ff090004 00110000 >1:28000000000000fd 000a 0100 "
                                    "3041303030303150 05 5f494e5345" ANSWER(
                                        "8401") "ff09005c" MODULE_LIST);
    ck_assert_uint_eq(p->event_count, 4);
    ck_assert_uint_eq(probe_event(p, 0)->item_count, 0);
    ck_assert_uint_eq(probe_event(p, 0)->items_total, 1);
    probe_destroy(p);
}
END_TEST

#define LOOP(test, rows) tcase_add_loop_test(tcase, test, 0, sizeof rows / sizeof *rows)

int main(void)
{
    Suite *suite = suite_create("s7comm");
    TCase *tcase = tcase_create("s7comm");
    LOOP(test_jobs, jobs);
    LOOP(test_areas, area_rows);
    LOOP(test_types, types);
    LOOP(test_addresses, addresses);
    LOOP(test_ranges, ranges);
    LOOP(test_pi_services, pi_rows);
    LOOP(test_services, services);
    LOOP(test_userdata, userdata);
    LOOP(test_modes, modes);
    LOOP(test_szl, szl_rows);
    LOOP(test_parts, part_rows);
    tcase_add_test(tcase, test_transfers);
    tcase_add_test(tcase, test_block_without_its_job);
    tcase_add_loop_test(tcase, test_job_yields, 0, sizeof yields / sizeof *yields);
    tcase_add_test(tcase, test_password_is_a_secret);
    tcase_add_test(tcase, test_names_of_errors);
    LOOP(test_violations, violations);
    LOOP(test_cut_addresses, cuts);
    LOOP(test_headers, headers);
    tcase_add_test(tcase, test_prefixes);
    tcase_add_test(tcase, test_roles);
    tcase_add_test(tcase, test_full_arena);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
