/* test_knxip.c: KNXnet/IP and cEMI, held against KNX 3/8 (ISO 22510), 3/6/3 and 3/3/7. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_knxip;

enum { MESSAGE_MAX = 256 };

#define ENDPOINT "0801 c0a80102 0e57 "
#define GROUP    "29 00 bc e0 1101 0a03 " /* L_Data.ind from 1.1.1 to group 1/2/3 */
#define DEVICE   "11 00 b0 60 0000 1205 " /* L_Data.req to device 1.2.5 */

static const struct row {
    const char *shows, *hex, *code, *operation, *name, *items, *detail;
} rows[] = {
    {"search",                           "0610 0201 000e " ENDPOINT,                                       "0x0201", "discover",      "search_request",           "",                              ""                          },
    {"description",                      "0610 0203 000e " ENDPOINT,                                       "0x0203", "identify",      "description_request",      "",
     ""                                                                                                                                                                                                                        },
    {"extended search",                  "0610 020b 000e " ENDPOINT,                                       "0x020b", "discover",      "extended_search_request",
     "",                                                                                                                                                                                           ""                          },
    {"connect for tunnelling",           "0610 0205 001a " ENDPOINT ENDPOINT "04 04 02 00",                "0x0205",
     "session",                                                                                                                       "connect_request",          "",                              "tunnelling"                },
    {"connect for management",           "0610 0205 0018 " ENDPOINT ENDPOINT "02 03",                      "0x0205", "session",
     "connect_request",                                                                                                                                           "",                              "device management"         },
    {"connected",                        "0610 0206 0014 15 00 " ENDPOINT "04 04 1101",                    "0x0206", "session",
     "connect_response",                                                                                                                                          "",                              "channel 21"                },
    {"state",                            "0610 0207 0010 15 00 " ENDPOINT,                                 "0x0207", "session",       "connection_state_request", "",
     ""                                                                                                                                                                                                                        },
    {"disconnect",                       "0610 0209 0010 15 00 " ENDPOINT,                                 "0x0209", "session",       "disconnect_request",       "",
     ""                                                                                                                                                                                                                        },
    {"a group is read",                  "0610 0530 0011 " GROUP "01 00 00",                               "0x0530", "read",          "group_value_read",
     "1/2/3",                                                                                                                                                                                      ""                          },
    {"a group answers",                  "0610 0530 0011 " GROUP "01 00 41",                               "0x0530", "publish",
     "group_value_response",                                                                                                                                      "1/2/3=1",                       ""                          },
    {"a group is written, small",        "0610 0530 0011 " GROUP "01 00 81",                               "0x0530", "control",
     "group_value_write",                                                                                                                                         "1/2/3=1",                       ""                          },
    {"a group is written, one byte",     "0610 0530 0012 " GROUP "02 00 80 7f",                            "0x0530", "control",
     "group_value_write",                                                                                                                                         "1/2/3=127",                     ""                          },
    {"a group is written, two bytes",    "0610 0530 0013 " GROUP "03 00 80 0c1a",                          "0x0530", "control",
     "group_value_write",                                                                                                                                         "1/2/3=0c1a",                    ""                          },
    {"through a tunnel",                 "0610 0420 0015 04 15 00 00 " GROUP "01 00 81",                   "0x0420", "control",
     "group_value_write",                                                                                                                                         "1/2/3=1",                       ""                          },
    {"a tunnel acknowledges",            "0610 0421 000a 04 15 00 00",                                     "0x0421", "session",       "tunnelling_ack",
     "",                                                                                                                                                                                           ""                          },
    {"an address is written",            "0610 0420 0017 04 15 00 00 11 00 b0 e0 0000 0000 03 00 c0 1205",
     "0x0420",                                                                                                       "config_change", "individual_address_write", "0/0/0",                         ""                          },
    {"addresses are looked for",         "0610 0420 0015 04 15 00 00 11 00 b0 e0 0000 0000 01 01 00",
     "0x0420",                                                                                                       "discover",      "individual_address_read",  "0/0/0",                         ""                          },
    {"memory is read",                   "0610 0420 0017 04 15 00 00 " DEVICE "03 42 01 0060",             "0x0420",
     "program_upload",                                                                                                                "memory_read",              "1.2.5",                         ""                          },
    {"memory is written",                "0610 0420 0018 04 15 00 00 " DEVICE "04 42 81 0060 ff",          "0x0420",
     "program_download",                                                                                                              "memory_write",             "1.2.5=ff",                      ""                          },
    {"a descriptor is read",             "0610 0420 0015 04 15 00 00 " DEVICE "01 03 00",                  "0x0420", "identify",
     "device_descriptor_read",                                                                                                                                    "1.2.5",                         ""                          },
    {"a restart",                        "0610 0420 0015 04 15 00 00 " DEVICE "01 03 80",                  "0x0420", "restart",       "restart",
     "1.2.5",                                                                                                                                                                                      "basic restart"             },
    {"a master reset",                   "0610 0420 0017 04 15 00 00 " DEVICE "03 03 81 0200",             "0x0420", "restart",
     "restart",                                                                                                                                                   "1.2.5",                         "master reset, erase code 2"},
    {"a property is read",               "0610 0420 0019 04 15 00 00 " DEVICE "05 03 d5 000b1001",         "0x0420",
     "read",                                                                                                                          "property_value_read",      "1.2.5 object 0 property 11",    ""                          },
    {"a property is written",            "0610 0420 001a 04 15 00 00 " DEVICE "06 03 d7 000b1001 ff",      "0x0420",
     "config_change",                                                                                                                 "property_value_write",     "1.2.5 object 0 property 11=ff", ""                          },
    {"a transport connection",           "0610 0420 0014 04 15 00 00 " DEVICE "00 80",                     "0x0420", "session",
     "transport_connect",                                                                                                                                         "1.2.5",                         ""                          },
    {"a management property is written", "0610 0310 0012 04 15 00 00 f6 000b 01 34 1001 01",
     "0x0310",                                                                                                       "config_change", "m_property_write_request", "object 11.1 property 52=01",    ""                          },
    {"a management property is read",    "0610 0310 0011 04 15 00 00 fc 000b 01 34 1001",                  "0x0310",
     "read",                                                                                                                          "m_property_read_request",  "object 11.1 property 52",       ""                          },
    {"a reset",                          "0610 0310 000b 04 15 00 00 f1",                                  "0x0310", "restart",       "m_reset_request",          "",                              ""                          },
    {"messages are lost",                "0610 0531 000a 04 00 0005",                                      "0x0531", "diagnostics",
     "routing_lost_message",                                                                                                                                      "",                              ""                          },
    {"a secure session",                 "0610 0951 000e " ENDPOINT,                                       "0x0951", "session",       "session_request",          "",
     ""                                                                                                                                                                                                                        },
    {"a secure login",                   "0610 0953 0008 0001",                                            "0x0953", "auth",          "session_authenticate",     "",                              ""                          },
    {"a feature of a tunnel",            "0610 0423 000e 04 01 00 02 06 00 1087",                          "0x0423", "diagnostics",
     "tunnelling_feature_response",                                                                                                                               "",                              ""                          },
};

START_TEST(services)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_knxip, true, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(!strcmp(e->code, row->code), "%s: %s", row->shows, e->code);
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_msg(!strcmp(e->operation, row->operation), "%s: %s", row->shows, e->operation);
    ck_assert_msg(!strcmp(e->name, row->name), "%s: %s", row->shows, e->name);
    ck_assert_msg(!strcmp(e->items, row->items), "%s: %s", row->shows, e->items);
    ck_assert_msg(!strcmp(e->detail, row->detail), "%s: %s", row->shows, e->detail);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(
        p, &dissector_knxip, false,
        "0610 0204 0044 36 01 02 00 1101 0000 00c50100d8e2 e000170c 000c290a0b0c "
        "47617465776179 0000000000000000000000000000000000000000000000 08 02 02 01 03 01 04 01");
    ck_assert_str_eq(probe_event(p, 0)->facts,
                     "name=Gateway; serial_number=00c5:0100d8e2; mac=00:0c:29:0a:0b:0c; "
                     "module_name=1.1.1; mode=normal");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* What a device on the bus tells when it is asked: unit, facts. */
static const struct told_row {
    const char *shows, *hex, *facts;
} told_rows[] = {
    {"its mask",                        "0610 0420 0017 04 15 00 00 29 00 b0 60 1205 1101 03 43 40 07b0",
     "device_type=mask 0x07b0"                                                                                                                  },
    {"its manufacturer",                "0610 0420 001b 04 15 00 00 29 00 b0 60 1205 1101 07 43 d6 000c1001 0083",
     "vendor=KNX manufacturer 131"                                                                                                              },
    {"its serial number",
     "0610 0420 001f 04 15 00 00 29 00 b0 60 1205 1101 0b 43 d6 000b1001 00c50100d8e2",                            "serial_number=00c5:0100d8e2"},
    {"of another object",               "0610 0420 001b 04 15 00 00 29 00 b0 60 1205 1101 07 43 d6 010c1001 0083",
     ""                                                                                                                                         },
    {"what is asked for",               "0610 0420 0019 04 15 00 00 11 00 b0 60 0000 1205 05 43 d5 000c1001",      ""                           },
    {"an interface's own manufacturer", "0610 0310 0013 04 15 00 00 fb 0000 01 0c 1001 0083",
     "vendor=KNX manufacturer 131"                                                                                                              },
};

START_TEST(devices_tell_what_they_are)
{
    const struct told_row *row = &told_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_knxip, false, row->hex);
    ck_assert_msg(!strcmp(probe_event(p, 0)->facts, row->facts), "%s: %s", row->shows,
                  probe_event(p, 0)->facts);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* Loading a device: a connection, its memory in pieces, the end of the connection. */
START_TEST(what_is_loaded_is_a_transfer)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_knxip, true, "0610 0420 0014 04 15 00 00 " DEVICE "00 80");
    probe_hex(p, &dissector_knxip, true, "0610 0420 0019 04 15 01 00 " DEVICE "05 42 82 4000 0102");
    probe_hex(p, &dissector_knxip, false,
              "0610 0420 0019 04 15 00 00 2e 00 b0 60 1101 1205 05 42 82 4000 0102");
    probe_hex(p, &dissector_knxip, true, "0610 0420 0014 04 15 02 00 " DEVICE "00 81");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "");
    ck_assert_str_eq(probe_event(p, 1)->transfer,
                     "block program_download key=4613 name=1.2.5 bytes=2");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "end program_download key=4613");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(keys_are_marked_and_not_shown)
{
    static const char *const requests[] = {
        "0610 0420 001a 04 15 00 00 " DEVICE "06 03 d1 00 12345678",
        "0610 0420 001a 04 15 00 00 " DEVICE "06 03 d3 01 12345678"};
    static const char *const operations[] = {"auth", "config_change"};
    for (size_t i = 0; i < 2; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        probe_hex(p, &dissector_knxip, true, requests[i]);
        ck_assert_str_eq(probe_event(p, 0)->operation, operations[i]);
        ck_assert_uint_eq(probe_event(p, 0)->flags, OT_HAS_CREDENTIAL);
        ck_assert_uint_eq(probe_event(p, 0)->secret_size, 4);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(encrypted_is_not_malformed)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_knxip, true, "0610 0950 0010 0001 000000000001 a0b1");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_ENCRYPTED);
    probe_hex(p, &dissector_knxip, true, "0610 0530 0013 " GROUP "03 03 f1 1122");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_ENCRYPTED);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(refusals)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_knxip, false, "0610 0206 0008 00 24");
    ck_assert_str_eq(probe_event(p, 0)->status, "error 36 no_more_connections");
    probe_hex(p, &dissector_knxip, false, "0610 0208 0008 15 21");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 33 connection_id");
    probe_destroy(p);
}
END_TEST

START_TEST(sequence_numbers)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_knxip, true, "0610 0420 0015 04 15 05 00 " GROUP "01 00 81");
    probe_hex(p, &dissector_knxip, true, "0610 0420 0015 04 15 06 00 " GROUP "01 00 81");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_hex(p, &dissector_knxip, true, "0610 0420 0015 04 15 06 00 " GROUP "01 00 81");
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_RETRANSMIT);
    probe_hex(p, &dissector_knxip, true, "0610 0420 0015 04 15 08 00 " GROUP "01 00 81");
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_destroy(p);
}
END_TEST

static const struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
} wrongs[] = {
    {"header cut",                         "0610 0201",                                     VIOLATION_TRUNCATED},
    {"header of 7 bytes",                  "0710 0201 000e " ENDPOINT,                      VIOLATION_LENGTH   },
    {"a version that is not",              "0630 0201 000e " ENDPOINT,                      VIOLATION_RESERVED },
    {"a length that is not the message's", "0610 0201 000f " ENDPOINT,                      VIOLATION_LENGTH   },
    {"a service that is not",              "0610 0299 0006",                                VIOLATION_FUNCTION },
    {"hops without limit",                 "0610 0530 0011 29 00 bc f0 1101 0a03 01 00 81", VIOLATION_RANGE    },
    {"a telegram cut",                     "0610 0530 000a 29 00 bc e0",                    VIOLATION_TRUNCATED},
    {"data beyond the telegram",           "0610 0530 0011 " GROUP "05 00 81",              VIOLATION_COUNT    },
    {"an application service that is not", "0610 0530 0011 " GROUP "01 03 ff",              VIOLATION_FUNCTION },
    {"a cEMI code that is not",            "0610 0530 0008 99 00",                          VIOLATION_FUNCTION },
    {"a connection header of 5 bytes",     "0610 0420 0015 05 15 00 00 " GROUP "01 00 81",
     VIOLATION_LENGTH                                                                                          },
    {"a description block without size",   "0610 0204 0008 00 01",                          VIOLATION_LENGTH   },
    {"a description block beyond the end", "0610 0204 0008 36 01",                          VIOLATION_LENGTH   },
    {"memory outside a connection",        "0610 0530 0014 " DEVICE "04 02 81 0060 ff",     VIOLATION_STATE    },
    {"a memory address cut",               "0610 0530 0012 " DEVICE "02 42 81 00",          VIOLATION_TRUNCATED},
    {"a property cut",                     "0610 0530 0013 " DEVICE "03 43 d7 0b10",        VIOLATION_TRUNCATED},
    {"a connect request cut",              "0610 0205 000e " ENDPOINT,                      VIOLATION_TRUNCATED},
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_knxip, true, wrongs[_i].hex);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: %s", wrongs[_i].shows,
                  p->violation_count ? probe_violation(p, 0)->why : "nothing");
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, "0610 0420 0015 04 15 00 00 " GROUP "01 00 81");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_knxip, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_ne(probe_recognise(&dissector_knxip, bytes, n), CLAIM_NO);
    }
    ck_assert_int_eq(probe_recognise(&dissector_knxip, bytes, size), CLAIM_YES);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_knxip, true, bytes, n);
        probe_stream(p, &dissector_knxip, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "split at %zu", n);
        probe_destroy(p);
    }
    static const char *const broken[] = {"0610 0201 0005", "0610 0201 0801", "0510 0201 000e",
                                         "0611 0201 000e", "0000 0000 0000"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        size = hex_bytes(bytes, sizeof bytes, broken[i]);
        ck_assert_msg(probe_frame(&dissector_knxip, bytes, size).verdict == FRAME_BROKEN, "%s",
                      broken[i]);
        ck_assert_msg(probe_recognise(&dissector_knxip, bytes, size) == CLAIM_NO, "%s", broken[i]);
    }
    size = hex_bytes(bytes, sizeof bytes, "0610 0201 0006");
    ck_assert_int_eq(probe_frame(&dissector_knxip, bytes, size).verdict, FRAME_COMPLETE);
}
END_TEST

START_TEST(who_searches_is_client)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    probe_hex(p, &dissector_knxip, true, "0610 0206 0008 15 00");
    ck_assert(!probe_event(p, 0)->is_from_client);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("knxip");
    TCase *tc = tcase_create("knxip");
    tcase_add_loop_test(tc, services, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, identity);
    tcase_add_loop_test(tc, devices_tell_what_they_are, 0, sizeof told_rows / sizeof *told_rows);
    tcase_add_test(tc, what_is_loaded_is_a_transfer);
    tcase_add_test(tc, keys_are_marked_and_not_shown);
    tcase_add_test(tc, encrypted_is_not_malformed);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, sequence_numbers);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, who_searches_is_client);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
