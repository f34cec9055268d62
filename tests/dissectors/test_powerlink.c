/* test_powerlink.c: Ethernet POWERLINK, held against PROTOCOLS 29. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_powerlink, dissector_powerlink_udp;

static const struct row {
    const char *what, *hex, *code, *name, *operation;
} rows[] = {
    {"start of cycle",       "01 ff f0 00 00 00 0000000000000000 0000000000000000", "mtyp=1",
     "start_of_cycle",                                                                                                             "publish"    },
    {"poll request",         "03 01 f0 00 00 00 00 00 0200 0102",                   "mtyp=3",           "poll_request",            "publish"    },
    {"poll response",        "04 ff 01 fd 00 00 00 00 0200 0102",                   "mtyp=4",           "poll_response",           "publish"    },
    {"start of async",       "05 ff f0 fd 00 00 00 00 20",                          "mtyp=5,svid=0",    "start_of_async",          "publish"    },
    {"asks who it is",       "05 ff f0 fd 00 00 01 05 20",                          "mtyp=5,svid=1",    "start_of_async",          "identify"   },
    {"asks for the state",   "05 ff f0 fd 00 00 02 05 20",                          "mtyp=5,svid=2",    "start_of_async",
     "diagnostics"                                                                                                                              },
    {"active managing node", "07 ff f0 00",                                         "mtyp=7",           "active_managing_node",    "netmgmt"    },
    {"asynchronous invite",  "0d ff f0 00",                                         "mtyp=13",          "async_invite",            "publish"    },
    {"status",               "06 f0 01 02 00 00 fd",                                "mtyp=6,svid=0x02", "status_response",         "diagnostics"},
    {"synchronised",         "06 f0 01 06 00 00",                                   "mtyp=6,svid=0x06", "sync_response",           "publish"    },
    {"NMT request",          "06 f0 01 03 21 05",                                   "mtyp=6,svid=0x03", "start_node",              "start"      },
    {"start",                "06 05 f0 04 21 00",                                   "mtyp=6,svid=0x04", "start_node",              "start"      },
    {"stop",                 "06 05 f0 04 22 00",                                   "mtyp=6,svid=0x04", "stop_node",               "stop"       },
    {"pre-operational",      "06 05 f0 04 23 00",                                   "mtyp=6,svid=0x04", "enter_pre_operational_2",
     "mode_change"                                                                                                                              },
    {"enable ready",         "06 05 f0 04 24 00",                                   "mtyp=6,svid=0x04", "enable_ready_to_operate",
     "mode_change"                                                                                                                              },
    {"reset node",           "06 05 f0 04 28 00",                                   "mtyp=6,svid=0x04", "reset_node",              "restart"    },
    {"reset communication",  "06 05 f0 04 29 00",                                   "mtyp=6,svid=0x04", "reset_communication",
     "restart"                                                                                                                                  },
    {"reset configuration",  "06 05 f0 04 2a 00",                                   "mtyp=6,svid=0x04", "reset_configuration",
     "restart"                                                                                                                                  },
    {"software reset",       "06 05 f0 04 2b 00",                                   "mtyp=6,svid=0x04", "software_reset",          "restart"    },
    {"no answer",            "06 05 f0 04 2d 00",                                   "mtyp=6,svid=0x04", "do_not_answer",           "session"    },
    {"start many",           "06 05 f0 04 41 00",                                   "mtyp=6,svid=0x04", "start_nodes",             "start"      },
    {"stop many",            "06 05 f0 04 42 00",                                   "mtyp=6,svid=0x04", "stop_nodes",              "stop"       },
    {"SDO without command",  "06 00 00 05 00 01 0000",                              "mtyp=6,svid=0x05", "sdo",                     "session"    },
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_powerlink, true, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "powerlink");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: %s", row->what, e->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->what, e->operation);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

#define SDO(flags, command, size)                                                                  \
    "06 00 00 05 02 06 0000 00 07 " flags " " command " " size " 0000 "

static const struct sdo_row {
    const char *what, *request, *response, *operation, *items, *facts, *status;
} sdo_rows[] = {
    {"device type of a public capture", SDO("00", "02", "0400") "0010 00 00",
     SDO("80",                                                                                   "02", "0400") "91010f00", "identify", "0x1000:00=983441", "",                    "ok"                       },
    {"name",                            SDO("00", "02", "0400") "0810 00 00",          SDO("80", "02", "0300") "414243",   "identify",
     "0x1008:00=414243",                                                                                                                                   "product=ABC",         "ok"                       },
    {"vendor",                          SDO("00", "02", "0400") "1810 01 00",          SDO("80", "02", "0400") "01000000", "identify",
     "0x1018:01=1",                                                                                                                                        "vendor=0x00000001",   "ok"                       },
    {"serial number",                   SDO("00", "02", "0400") "1810 04 00",          SDO("80", "02", "0400") "39300000",
     "identify",                                                                                                                       "0x1018:04=12345",  "serial_number=12345", "ok"                       },
    {"application object",              SDO("00", "02", "0400") "0061 00 00",          SDO("c0", "02", "0400") "00000008",
     "read",                                                                                                                           "0x6100:00",        "",                    "error 134217728 sdo_abort"},
    {"cycle time written",              SDO("00", "01", "0800") "0610 00 00 10270000", SDO("80", "01", "0000"),
     "config_change",                                                                                                                  "0x1006:00",        "",                    "ok"                       },
    {"store",                           SDO("00", "01", "0800") "1010 01 00 73617665", SDO("80", "01", "0000"),
     "config_change",                                                                                                                  "0x1010:01",        "",                    "ok"                       },
    {"program",                         SDO("00", "01", "0800") "501f 01 00 01020304", SDO("80", "01", "0000"),
     "program_download",                                                                                                               "0x1f50:01",        "",                    "ok"                       },
    {"application object written",      SDO("00", "01", "0500") "0060 01 00 01",       SDO("80", "01", "0000"),
     "write",                                                                                                                          "0x6000:01",        "",                    "ok"                       },
};
enum { SDO_ROWS = sizeof sdo_rows / sizeof *sdo_rows };

START_TEST(objects)
{
    const struct sdo_row *row = &sdo_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_powerlink, true, row->request);
    probe_hex(p, &dissector_powerlink, false, row->response);
    probe_hex(p, &dissector_powerlink, false, row->response);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(probe_event(p, 0)->operation, row->operation);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->what, e->items);
    ck_assert_str_eq(e->facts, row->facts);
    ck_assert_str_eq(e->status, row->status);
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(ident_response)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_powerlink, false,
              "06 f0 05 01 00 00 fd 00 20 00 00000000 dc05 0000 0000 00000000 0000 9101 0000 "
              "02000000 0a000000 01000100 39300000 0000000000000000 0000000000000000 "
              "0000000000000000 0564a8c0 00ffffff fe64a8c0 "
              "706c6331 00000000000000000000000000000000000000000000000000000000");
    ck_assert_str_eq(probe_event(p, 0)->operation, "identify");
    ck_assert_str_eq(probe_event(p, 0)->unit, "5");
    ck_assert_str_eq(probe_event(p, 0)->facts,
                     "vendor=0x00000002; product=0x0000000a; hardware_version=0x00010001; "
                     "serial_number=12345; host_name=plc1; ip=192.168.100.5; mode=operational");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_state_is_told_when_it_changes)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_powerlink, true, "04 ff 01 fd 00 00 00 00 0000");
    probe_hex(p, &dissector_powerlink, true, "04 ff 01 fd 00 00 00 00 0000");
    probe_hex(p, &dissector_powerlink, true, "04 ff 01 4d 00 00 00 00 0000");
    ck_assert_str_eq(probe_event(p, 0)->facts, "mode=operational");
    ck_assert_str_eq(probe_event(p, 1)->facts, "");
    ck_assert_str_eq(probe_event(p, 2)->facts, "mode=stopped");
    probe_destroy(p);
}
END_TEST

static const struct bad {
    const char *what, *hex, *why;
} bads[] = {
    {"header cut",                         "01 ff",                             "POWERLINK frame is not whole"      },
    {"data cut",                           "04 ff 01 fd 00 00 00 00 0300 0102", "process data longer than its frame"},
    {"no size",                            "04 ff 01 fd 00 00",                 "process data longer than its frame"},
    {"unknown type",                       "02 ff f0",                          "unknown POWERLINK message type"    },
    {"unknown service",                    "06 ff f0 77 00",                    "unknown POWERLINK service"         },
    {"ident cut",                          "06 f0 01 01 0000",                  "ident response is not whole"       },
    {"SDO segment cut",                    SDO("00",                            "02",                                 "0500") "0010 00 00", "SDO segment longer than its frame"},
    {"SDO without object", SDO("00",                                    "02",                                                     "0200") "0010", "SDO without its object"},
    {"other node's cycle",                                "01 ff 05 00",                  "cycle started by another than the managing node"},
};
enum { BADS = sizeof bads / sizeof *bads };

START_TEST(malformed)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_powerlink, true, bads[_i].hex);
    ck_assert_msg(p->violation_count == 1, "%s: %zu", bads[_i].what, p->violation_count);
    ck_assert_str_eq(probe_violation(p, 0)->why, bads[_i].why);
    probe_destroy(p);
}
END_TEST

START_TEST(recognition)
{
    uint8_t zeros[32] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_powerlink_udp, zeros, sizeof zeros), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_powerlink_udp, "\x06\0\0\5\0\1\0", 7), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_powerlink_udp, "\x06\0\0\5\0\1\0\0", 8),
                     CLAIM_WEAK);
    ck_assert_int_eq(probe_recognise(&dissector_powerlink_udp, "\x06\0\0\4\0\1\0\0", 8), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("powerlink");
    TCase *c = tcase_create("powerlink");
    tcase_add_loop_test(c, messages, 0, ROWS);
    tcase_add_loop_test(c, objects, 0, SDO_ROWS);
    tcase_add_test(c, ident_response);
    tcase_add_test(c, a_state_is_told_when_it_changes);
    tcase_add_loop_test(c, malformed, 0, BADS);
    tcase_add_test(c, recognition);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
