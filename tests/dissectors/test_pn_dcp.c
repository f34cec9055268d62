/* test_pn_dcp.c: PROFINET DCP, held against PROTOCOLS 13. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_pn_rt;

enum { ROOM = 1600 };

#define SET      "fefd 04 00 01000001 0000 "
#define SET_OK   "fefd 04 01 01000001 0000 "
#define IDENTIFY "fefe 05 00 01000001 0001 "
#define FOUND    "feff 05 01 01000001 0000 "

static struct probe *layer2(void)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    p->flow.is_start_seen = p->flow.is_role_known = false;
    p->flow.client.port = p->flow.server.port = 0;
    return p;
}

/* One set of one block without a value or with one, and its answer. */
static const struct row {
    const char *what, *block, *operation, *item, *detail, *answer;
} rows[] = {
    {"MAC address",              "0101 0008 0001 000102030405",               "config_change",
     "mac_address{config_change}=00:01:02:03:04:05",                                                                                       "mac_address = 00:01:02:03:04:05 (permanent)",
     "0101"                                                                                                                                                                                                                        },
    {"IP parameter",             "0102 000e 0001 c0a8000a ffffff00 c0a80001", "config_change",
     "ip_parameter{config_change}=192.168.0.10 mask 255.255.255.0 gateway 192.168.0.1",                                                    "ip_parameter = 192.168.0.10 mask 255.255.255.0 gateway 192.168.0.1 (permanent)", "0102"},
    {"temporary IP",             "0102 000e 0000 00000000 00000000 00000000", "config_change",
     "ip_parameter{config_change}=0.0.0.0 mask 0.0.0.0 gateway 0.0.0.0",                                                                   "ip_parameter = 0.0.0.0 mask 0.0.0.0 gateway 0.0.0.0 (temporary)",                "0102"},
    {"name of station",          "0202 0009 0001 6d616c6c6f7279 00",          "config_change",
     "name_of_station{config_change}=mallory",                                                                                             "name_of_station = mallory (permanent)",                                          "0202"},
    {"type of station",          "0201 0005 0001 494e43 00",                  "config_change",
     "type_of_station{config_change}=INC",                                                                                                 "type_of_station = INC (permanent)",                                              "0201"},
    {"device id",                "0203 0006 0000 002a 0a01",                  "config_change",
     "device_id{config_change}=vendor 0x002a device 0x0a01",                                                                               "device_id = vendor 0x002a device 0x0a01 (temporary)",                            "0203"},
    {"role",                     "0204 0004 0000 0200",                       "config_change", "device_role{config_change}=io_controller",
     "device_role = io_controller (temporary)",                                                                                                                                                                              "0204"},
    {"alias",                    "0206 0004 0000 6161",                       "config_change", "alias_name{config_change}=aa",
     "alias_name = aa (temporary)",                                                                                                                                                                                          "0206"},
    {"instance",                 "0207 0004 0000 0102",                       "config_change", "device_instance{config_change}=258",       "",
     "0207"                                                                                                                                                                                                                        },
    {"OEM id",                   "0208 0006 0000 0001 0002",                  "config_change",
     "oem_device_id{config_change}=vendor 0x0001 device 0x0002",                                                                           "oem_device_id = vendor 0x0001 device 0x0002 (temporary)",                        "0208"},
    {"DHCP client id",           "033d 0004 0000 0102",                       "config_change",
     "dhcp_client_identifier{config_change}=0102",                                                                                         "",                                                                               "033d"},
    {"start transaction",        "0501 0002 0000",                            "session",       "start_transaction{session}",               "",                                                                               "0501"},
    {"end transaction",          "0502 0002 0000",                            "session",       "end_transaction{session}",                 "",                                                                               "0502"},
    {"LED",                      "0503 0004 0000 0100",                       "config_change", "signal{config_change}=256",                "",                                                                               "0503"},
    {"factory reset",            "0505 0002 0000",                            "restart",       "reset_factory{restart}",                   "reset to factory",
     "0505"                                                                                                                                                                                                                        },
    {"reset of the application", "0506 0002 0002",                            "restart",       "reset_to_factory{restart}",
     "reset to factory: application data",                                                                                                                                                                                   "0506"},
    {"reset of communication",   "0506 0002 0004",                            "restart",       "reset_to_factory{restart}",
     "reset to factory: communication parameters",                                                                                                                                                                           "0506"},
    {"reset of engineering",     "0506 0002 0006",                            "restart",       "reset_to_factory{restart}",
     "reset to factory: engineering parameters",                                                                                                                                                                             "0506"},
    {"reset of stored data",     "0506 0002 0008",                            "restart",       "reset_to_factory{restart}",
     "reset to factory: all stored data",                                                                                                                                                                                    "0506"},
    {"reset of the device",      "0506 0002 0010",                            "restart",       "reset_to_factory{restart}",
     "reset to factory: device to factory values",                                                                                                                                                                           "0506"},
    {"reset and restore",        "0506 0002 0012",                            "restart",       "reset_to_factory{restart}",
     "reset to factory: reset and restore",                                                                                                                                                                                  "0506"},
    {"unknown reset",            "0506 0002 0020",                            "restart",       "reset_to_factory{restart}",
     "reset to factory: unknown mode",                                                                                                                                                                                       "0506"},
    {"device initiative",        "0601 0004 0000 0001",                       "config_change",
     "device_initiative{config_change}=1",                                                                                                 "",                                                                               "0601"},
    {"TSN domain",               "0701 0008 0000 646f6d61696e",               "config_change",
     "tsn_domain_name{config_change}=domain",                                                                                              "tsn_domain_name = domain (temporary)",                                           "0701"},
    {"vendor specific",          "8001 0004 0000 abcd",                       "config_change", "option 128/1{config_change}=abcd",
     "",                                                                                                                                                                                                                     "8001"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void feed_blocks(struct probe *p, bool is_from_client, const char *head, const char *blocks)
{
    uint8_t body[ROOM];
    char hex[2 * ROOM];
    size_t size = hex_bytes(body, sizeof body, blocks);
    snprintf(hex, sizeof hex, "%s %04x %s", head, (unsigned)size, blocks);
    probe_hex(p, &dissector_pn_rt, is_from_client, hex);
}

START_TEST(each_option_can_be_set)
{
    const struct row *row = &rows[_i];
    struct probe *p = layer2();
    char answer[64];
    feed_blocks(p, true, SET, row->block);
    snprintf(answer, sizeof answer, "0504 0003 %s 00 00", row->answer);
    feed_blocks(p, false, SET_OK, answer);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "pn_dcp");
    ck_assert_str_eq(e->code, "service=4,type=0");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->name, "set");
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->what, e->operation);
    ck_assert_msg(strcmp(e->items, row->item) == 0, "%s: %s", row->what, e->items);
    ck_assert_msg(strcmp(e->detail, row->detail) == 0, "%s: %s", row->what, e->detail);
    const struct probe_event *done = probe_event(p, 1);
    ck_assert_str_eq(done->code, "service=4,type=1");
    ck_assert_str_eq(done->direction, "response");
    ck_assert_msg(strcmp(done->operation, row->operation) == 0, "%s: %s", row->what,
                  done->operation);
    ck_assert_str_eq(done->status, "ok");
    ck_assert_uint_eq(done->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_accepted_set_tells_the_new_identity)
{
    struct probe *p = layer2();
    feed_blocks(p, true, SET,
                "0202 0009 0001 6d616c6c6f7279 00 0102 000e 0001 c0a8000a ffffff00 c0a80001");
    feed_blocks(p, false, SET_OK, "0504 0003 0202 00 00 0504 0003 0102 00 00");
    ck_assert_str_eq(probe_event(p, 0)->facts, "");
    ck_assert_str_eq(probe_event(p, 1)->facts, "name=mallory; ip=192.168.0.10");
    probe_destroy(p);
}
END_TEST

static const struct refusal {
    const char *what, *code, *status;
} refusals[] = {
    {"option",       "01", "error 1 option_unsupported"           },
    {"suboption",    "02", "error 2 suboption_unsupported"        },
    {"not set",      "03", "error 3 suboption_not_set"            },
    {"resource",     "04", "error 4 resource_error"               },
    {"locally",      "05", "error 5 set_not_possible_locally"     },
    {"in operation", "06", "error 6 set_not_possible_in_operation"},
    {"unknown",      "07", "error 7"                              },
};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

START_TEST(a_refusal_tells_nothing_of_the_identity)
{
    struct probe *p = layer2();
    char answer[64];
    feed_blocks(p, true, SET, "0202 0009 0001 6d616c6c6f7279 00");
    snprintf(answer, sizeof answer, "0504 0003 0202 %s 00", refusals[_i].code);
    feed_blocks(p, false, SET_OK, answer);
    ck_assert_str_eq(probe_event(p, 1)->status, refusals[_i].status);
    ck_assert_str_eq(probe_event(p, 1)->facts, "");
    probe_destroy(p);
}
END_TEST

START_TEST(not_supported)
{
    struct probe *p = layer2();
    feed_blocks(p, true, SET, "0202 0009 0001 6d616c6c6f7279 00");
    feed_blocks(p, false, "fefd 04 05 01000001 0000", "");
    ck_assert_str_eq(probe_event(p, 1)->code, "service=4,type=5");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 5 not_supported");
    ck_assert_str_eq(probe_event(p, 1)->items, "name_of_station");
    probe_destroy(p);
}
END_TEST

/* values as tshark prints them for the same bytes of a public capture */
START_TEST(a_found_station_tells_its_identity)
{
    struct probe *p = layer2();
    feed_blocks(p, false, FOUND,
                "0205 001c 0000 0101 0102 0201 0202 0203 0204 0205 033d 0501 0502 0503 0504 ffff "
                "0201 0005 0000 494e43 00 0202 000b 0000 583230382d424f5244 00 0203 0006 0000 002a "
                "0a01 0204 0004 0000 0100 0102 000e 0001 c0a80006 ffffff00 c0a80001");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "service=5,type=1");
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->operation, "discover");
    ck_assert_str_eq(e->facts, "product=INC; name=X208-BORD; vendor=Siemens; "
                               "device_type=io_device; ip=192.168.0.6");
    ck_assert_uint_eq(e->item_count, 6);
    ck_assert_uint_eq(e->flags & OT_NO_REQUEST, 0);
    ck_assert(!e->is_from_client);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct fact_row {
    const char *what, *block, *facts;
} fact_rows[] = {
    {"no address yet",     "0102 000e 0000 c0a80006 ffffff00 c0a80001",                                     ""                                   },
    {"address by DHCP",    "0102 000e 0002 c0a80006 ffffff00 c0a80001",                                     "ip=192.168.0.6"                     },
    {"all zero",           "0102 000e 0001 00000000 00000000 00000000",                                     ""                                   },
    {"full suite",         "0103 001e 0001 c0a80006 ffffff00 c0a80001 00000000 00000000 00000000 00000000",
     "ip=192.168.0.6"                                                                                                                            },
    {"MAC",                "0101 0008 0000 08000693cf32",                                                   "mac=08:00:06:93:cf:32"              },
    {"unknown vendor",     "0203 0006 0000 7777 0a01",                                                      "vendor=0x7777"                      },
    {"supervisor",         "0204 0004 0000 0800",                                                           "device_type=supervisor"             },
    {"several roles",      "0204 0004 0000 0300",                                                           "device_type=io_device+io_controller"},
    {"no role",            "0204 0004 0000 0000",                                                           ""                                   },
    {"host name",          "030c 0004 0000 6162",                                                           "host_name=ab"                       },
    {"name without value", "0202 0002 0000",                                                                ""                                   },
};
enum { FACT_ROWS = sizeof fact_rows / sizeof *fact_rows };

START_TEST(facts_of_one_block)
{
    struct probe *p = layer2();
    feed_blocks(p, false, FOUND, fact_rows[_i].block);
    ck_assert_msg(strcmp(probe_event(p, 0)->facts, fact_rows[_i].facts) == 0, "%s: %s",
                  fact_rows[_i].what, probe_event(p, 0)->facts);
    probe_destroy(p);
}
END_TEST

START_TEST(a_search_shows_what_is_looked_for)
{
    struct probe *p = layer2();
    feed_blocks(p, true, IDENTIFY, "0202 0007 65743230307370 00");
    feed_blocks(p, true, IDENTIFY, "ffff 0000");
    ck_assert_str_eq(probe_event(p, 0)->operation, "discover");
    ck_assert_str_eq(probe_event(p, 0)->items, "name_of_station=et200sp");
    ck_assert_str_eq(probe_event(p, 0)->detail, "name_of_station = et200sp");
    ck_assert_str_eq(probe_event(p, 1)->items, "all");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(get_and_its_answer)
{
    struct probe *p = layer2();
    feed_blocks(p, true, "fefd 03 00 00000007 0000", "0102 0202");
    feed_blocks(p, false, "fefd 03 01 00000007 0000",
                "0102 000e 0001 c0a80006 ffffff00 c0a80001 0202 0004 0000 6162");
    feed_blocks(p, false, "fefd 03 01 00000007 0000", "0202 0004 0000 6162");
    ck_assert_str_eq(probe_event(p, 0)->operation, "identify");
    ck_assert_str_eq(probe_event(p, 0)->items, "ip_parameter; name_of_station");
    ck_assert_str_eq(probe_event(p, 1)->facts, "ip=192.168.0.6; name=ab");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(hello_is_an_announcement)
{
    struct probe *p = layer2();
    feed_blocks(p, true, "fefc 06 00 00000009 0000", "0202 0004 0000 6162");
    ck_assert_str_eq(probe_event(p, 0)->operation, "discover");
    ck_assert_str_eq(probe_event(p, 0)->name, "hello");
    ck_assert_str_eq(probe_event(p, 0)->facts, "name=ab");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct bad {
    const char *what, *hex, *why;
} bads[] = {
    {"header cut",            "fefd 04 00 01000001 0000 00",                           "DCP header is not whole" },
    {"length over the frame", "fefd 04 00 01000001 0000 0008 0505 0002 0000",
     "DCP length larger than its frame"                                                                          },
    {"odd length",            "fefd 04 00 01000001 0000 0007 0505 0003 0000 00",       "DCP length is odd"       },
    {"block over the PDU",    "fefd 04 00 01000001 0000 0006 0505 0004 0000",
     "DCP block longer than its PDU"                                                                             },
    {"unknown option",        "fefd 04 00 01000001 0000 0006 0909 0002 0000",          "unknown DCP option"      },
    {"unknown service",       "fefd 09 00 01000001 0000 0000",                         "unknown DCP service"     },
    {"service 0",             "fefd 00 00 01000001 0000 0000",                         "unknown DCP service"     },
    {"unknown service type",  "fefd 04 02 01000001 0000 0000",                         "unknown DCP service type"},
    {"set in identify frame", "fefe 04 00 01000001 0000 0006 0505 0002 0000",
     "DCP service in a frame of another"                                                                         },
    {"answer to hello",       "fefc 06 01 01000001 0000 0000",                         "DCP hello has no answer" },
    {"name with a percent",   "fefd 04 00 01000001 0000 0008 0202 0004 0001 256e",
     "name of station with forbidden characters"                                                                 },
    {"name in capitals",      "fefd 04 00 01000001 0000 0008 0202 0004 0001 4142",
     "name of station with forbidden characters"                                                                 },
    {"address cut",           "fefd 04 00 01000001 0000 000a 0102 0006 0001 c0a80001", "DCP value too short"     },
    {"answer cut",            "fefd 04 01 01000001 0000 0006 0504 0002 0202",          "DCP value too short"     },
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

START_TEST(services_1_and_2_are_the_makers)
{
    static const char *const frames[] = {"fefd 01 00 01000001 0000 0002 0102",
                                         "fefd 02 01 01000001 0000 0000"};
    struct probe *p = layer2();
    probe_hex(p, &dissector_pn_rt, true, frames[_i]);
    ck_assert_str_eq(probe_event(p, 0)->name, "service_of_the_maker");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_name_may_have_240_characters)
{
    for (int length = 240; length <= 241; length++) {
        struct probe *p = layer2();
        uint8_t frame[ROOM] = {0xfe, 0xfd, 4, 0, 0, 0, 0, 1, 0, 0};
        size_t block = 2 + (size_t)length, whole = 4 + block + block % 2;
        frame[10] = (uint8_t)(whole >> 8), frame[11] = (uint8_t)whole;
        frame[12] = frame[13] = 2;
        frame[14] = (uint8_t)(block >> 8), frame[15] = (uint8_t)block;
        memset(frame + 18, 'a', (size_t)length);
        probe_feed(p, &dissector_pn_rt, true, frame, 12 + whole);
        ck_assert_uint_eq(p->violation_count, length > 240);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(every_prefix_is_survived)
{
    uint8_t frame[ROOM];
    size_t size = hex_bytes(frame, sizeof frame,
                            SET "0020 0202 0009 0001 6d616c6c6f7279 00 0102 000e 0001 c0a8000a "
                                "ffffff00 c0a80001");
    for (size_t n = 0; n < size; n++) {
        struct probe *p = layer2();
        probe_feed(p, &dissector_pn_rt, true, frame, n);
        ck_assert_msg(p->violation_count > 0, "%zu bytes", n);
        probe_destroy(p);
    }
    struct probe *p = layer2();
    probe_feed(p, &dissector_pn_rt, true, frame, size);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pn_dcp");
    TCase *c = tcase_create("pn_dcp");
    tcase_add_loop_test(c, each_option_can_be_set, 0, ROWS);
    tcase_add_test(c, an_accepted_set_tells_the_new_identity);
    tcase_add_loop_test(c, a_refusal_tells_nothing_of_the_identity, 0, REFUSALS);
    tcase_add_test(c, not_supported);
    tcase_add_test(c, a_found_station_tells_its_identity);
    tcase_add_loop_test(c, facts_of_one_block, 0, FACT_ROWS);
    tcase_add_test(c, a_search_shows_what_is_looked_for);
    tcase_add_test(c, get_and_its_answer);
    tcase_add_test(c, hello_is_an_announcement);
    tcase_add_loop_test(c, malformed, 0, BADS);
    tcase_add_test(c, a_name_may_have_240_characters);
    tcase_add_loop_test(c, services_1_and_2_are_the_makers, 0, 2);
    tcase_add_test(c, every_prefix_is_survived);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
