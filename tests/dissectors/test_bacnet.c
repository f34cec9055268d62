/* test_bacnet.c: BACnet over UDP and Ethernet, held against [135] ANSI/ASHRAE 135-2020. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_bacnet;

enum { DATAGRAM_MAX = 1600 };

/* A network PDU in hex behind a virtual link header. */
static size_t datagram_of(uint8_t *out, uint8_t function, const char *npdu)
{
    size_t size = hex_bytes(out + 4, DATAGRAM_MAX - 4, npdu) + 4;
    const uint8_t header[4] = {0x81, function, (uint8_t)(size >> 8), (uint8_t)size};
    memcpy(out, header, sizeof header);
    return size;
}

static void feed(struct probe *p, bool is_from_client, const char *npdu)
{
    uint8_t datagram[DATAGRAM_MAX];
    size_t size = datagram_of(datagram, 0x0a, npdu);
    ck_assert_int_eq(probe_recognise(&dissector_bacnet, datagram, size), CLAIM_YES);
    probe_feed(p, &dissector_bacnet, is_from_client, datagram, size);
}

static struct probe *udp_probe(void)
{
    return probe_create(TRANSPORT_UDP);
}

/* --- confirmed services, asked and answered --- */

static const struct exchange {
    const char *shows, *request, *response; /* response NULL: none */
    const char *code, *operation, *name, *asked, *answered, *status;
} exchanges[] = {
    {"readProperty, annex F.3.5",                         "0104 0005 010c 0c00000005 1955",
     "0100 30 01 0c 0c00000005 1955 3e 44 4290999a 3f",                                                                                                                    "type=0,service=12", "read",
     "read_property",                                                                                                                                                                                                                                "analog-input,5 present-value",     "analog-input,5 present-value=72.3",                                                            "ok"},
    {"readProperty of an array's element",                "0104 0005 020c 0c02000001 194c 2903",
     "0100 30 02 0c 0c02000001 194c 2903 3e c4 00c00001 3f",                                                                                                               "type=0,service=12", "read",
     "read_property",                                                                                                                                                                                                                                "device,1 object-list[3]",          "device,1 object-list[3]=binary-input,1",                                                       "ok"},
    {"an error",                                          "0104 0005 030c 0c00000005 1955",                         "0100 50 03 0c 9101 911f",                             "type=0,service=12",
     "read",                                                                                                                                                                                                      "read_property",                   "analog-input,5 present-value",     "analog-input,5 present-value",
     "error 31 unknown-object"                                                                                                                                                                                                                                                                                                                                                               },
    {"a reject",                                          "0104 0005 040c 0c00000005 1955",                         "0100 60 04 09",                                       "type=0,service=12", "read",
     "read_property",                                                                                                                                                                                                                                "analog-input,5 present-value",     "analog-input,5 present-value",
     "error 9 unrecognized-service"                                                                                                                                                                                                                                                                                                                                                          },
    {"an abort",                                          "0104 0005 050c 0c00000005 1955",                         "0100 71 05 04",                                       "type=0,service=12", "read",
     "read_property",                                                                                                                                                                                                                                "analog-input,5 present-value",     "analog-input,5 present-value",
     "error 4 segmentation-not-supported"                                                                                                                                                                                                                                                                                                                                                    },
    {"readPropertyMultiple, one property refused",        "0104 0005 060e 0c00000010 1e 0955 0967 1f",
     "0100 30 06 0e 0c00000010 1e 2955 4e 44 42280000 4f 2967 5e 9102 9120 5f 1f",                                                                                         "type=0,service=14", "read",           "read_property_multiple",
     "analog-input,16 present-value; analog-input,16 reliability",                                                                                                                                                                                                                       "analog-input,16 present-value=42; analog-input,16 reliability!error 32 unknown-property",
     "ok"                                                                                                                                                                                                                                                                                                                                                                                    },
    {"readRange",                                         "0104 0005 071a 0c05000001 1983",
     "0100 30 07 1a 0c05000001 1983 3a05c0 4902 5e 2101 2102 5f",                                                                                                          "type=0,service=26", "read",
     "read_range",                                                                                                                                                                                                                                   "trend-log,1 log-buffer",           "trend-log,1 log-buffer=1|2",                                                                   "ok"},
    {"writeProperty without priority",                    "0104 0005 080f 0c00800001 1955 3e 44 43340000 3f",
     "0100 20 08 0f",                                                                                                                                                      "type=0,service=15", "write",          "write_property",
     "analog-value,1 present-value=180",                                                                                                                                                                                                                                                 "analog-value,1 present-value",                                                                 "ok"},
    {"writeProperty, priority 8",                         "0104 0005 090f 0c00800001 1955 3e 44 43340000 3f 4908",
     "0100 20 09 0f",                                                                                                                                                      "type=0,service=15", "write",          "write_property",
     "analog-value,1 present-value=180",                                                                                                                                                                                                                                                 "analog-value,1 present-value",                                                                 "ok"},
    {"writeProperty, priority 5 is the program's",
     "0104 0005 080f 0c00800001 1955 3e 44 43340000 3f 4905",                                                       NULL,                                                  "type=0,service=15", "write",
     "write_property",                                                                                                                                                                                                                               "analog-value,1 present-value=180", NULL,                                                                                           NULL},
    {"writeProperty, priority 4 overrides",               "0104 0005 080f 0c00800001 1955 3e 44 43340000 3f 4904",
     NULL,                                                                                                                                                                 "type=0,service=15", "force",          "write_property",                  "analog-value,1 present-value=180", NULL,
     NULL                                                                                                                                                                                                                                                                                                                                                                                    },
    {"releasing an override",                             "0104 0005 080f 0c01000001 1955 3e 00 3f 4901",           NULL,
     "type=0,service=15",                                                                                                                                                                       "force",          "write_property",                  "binary-output,1 present-value",    NULL,                                                                                           NULL},
    {"taking out of service forces",                      "0104 0005 0a0f 0c00000001 1951 3e 11 3f",                NULL,
     "type=0,service=15",                                                                                                                                                                       "force",          "write_property",                  "analog-input,1 out-of-service=1",  NULL,                                                                                           NULL},
    {"renaming is configuration",                         "0104 0005 0b0f 0c00000001 194d 3e 73 004142 3f",         NULL,
     "type=0,service=15",                                                                                                                                                                       "config_change",  "write_property",                  "analog-input,1 object-name=AB",    NULL,
     NULL                                                                                                                                                                                                                                                                                                                                                                                    },
    {"a limit is configuration",                          "0104 0005 0b0f 0c00000001 192d 3e 44 42c80000 3f",       NULL,
     "type=0,service=15",                                                                                                                                                                       "config_change",  "write_property",                  "analog-input,1 high-limit=100",    NULL,
     NULL                                                                                                                                                                                                                                                                                                                                                                                    },
    {"what a device has is configuration",                "0104 0005 0b0f 0c02000001 190b 3e 2203e8 3f",            NULL,
     "type=0,service=15",                                                                                                                                                                       "config_change",  "write_property",                  "device,1 apdu-timeout=1000",       NULL,
     NULL                                                                                                                                                                                                                                                                                                                                                                                    },
    {"a program is loaded",                               "0104 0005 0b0f 0c04000001 195a 3e 9101 3f",              NULL,                                                  "type=0,service=15",
     "program_download",                                                                                                                                                                                          "write_property",                  "program,1 program-change=1",       NULL,                                                                                           NULL},
    {"a program is halted",                               "0104 0005 0b0f 0c04000001 195a 3e 9103 3f",              NULL,                                                  "type=0,service=15",
     "stop",                                                                                                                                                                                                      "write_property",                  "program,1 program-change=3",       NULL,                                                                                           NULL},
    {"writePropertyMultiple: the gravest counts",
     "0104 0005 0c10 0c00800001 1e 0955 2e 2105 2f 0951 2e 11 2f 1f",                                               "0100 20 0c 10",
     "type=0,service=16",                                                                                                                                                                       "force",          "write_property_multiple",
     "analog-value,1 present-value{write}=5; analog-value,1 out-of-service{force}=1",                                                                                                                                                                                                    "analog-value,1 present-value; analog-value,1 out-of-service",                                  "ok"},
    {"writePropertyMultiple refused, the error enclosed",
     "0104 0005 0d10 0c00800001 1e 0955 2e 2105 2f 1f",                                                             "0100 50 0d 10 0e 9102 9128 0f 1e 0c00800001 1955 1f", "type=0,service=16", "write",
     "write_property_multiple",                                                                                                                                                                                                                      "analog-value,1 present-value=5",   "analog-value,1 present-value",
     "error 40 write-access-denied"                                                                                                                                                                                                                                                                                                                                                          },
    {"acknowledgeAlarm",                                  "0104 0005 0e00 0901 1c00000002 2903 3e 1910 3f 4c00 4d", NULL,
     "type=0,service=0",                                                                                                                                                                        "alarm",          "acknowledge_alarm",               NULL,                               NULL,                                                                                           NULL},
    {"subscribeCOV",                                      "0104 0005 0f05 0912 1c0000000a 2901 3900",               "0100 20 0f 05",
     "type=0,service=5",                                                                                                                                                                        "subscribe",      "subscribe_cov",                   "analog-input,10",                  "analog-input,10",                                                                              "ok"},
    {"properties of several objects are subscribed",
     "0104 0005 111e 0912 1901 293c 3905 4e 0c0000000a 1e 0e 0955 0f 1c3f800000 2901 0e 0967 0f "
     "2900 1f 0c00400008 1e 0e 0955 1903 0f 1f 4f",                                                                 "0100 20 11 1e",                                       "type=0,service=30", "subscribe",      "subscribe_cov_property_multiple",
     "analog-input,10 present-value; analog-input,10 reliability; analog-output,8 present-value[3]",                                                                                                                                                                                     "analog-input,10 present-value; analog-input,10 reliability; analog-output,8 present-value[3]",
     "ok"                                                                                                                                                                                                                                                                                                                                                                                    },
    {"a change of value is published",
     "0104 0005 1001 0912 1c02000004 2c0000000a 3900 4e 0955 2e 44 42820000 2f 096f 2e 820400 2f "
     "4f",                                                                                                          "0100 20 10 01",                                       "type=0,service=1",  "publish",        "confirmed_cov_notification",
     "analog-input,10 present-value=65; analog-input,10 status-flags=0000",                                                                                                                                                                                                              "analog-input,10 present-value; analog-input,10 status-flags",                                  "ok"},
    {"an element is added to a list",                     "0104 0005 1108 0c03c00001 1966 3e 2105 3f",              "0100 20 11 08",
     "type=0,service=8",                                                                                                                                                                        "config_change",  "add_list_element",
     "notification-class,1 recipient-list=5",                                                                                                                                                                                                                                            "notification-class,1 recipient-list",                                                          "ok"},
    {"an object is created",                              "0104 0005 120a 0e 1c00800007 0f",                        "0100 30 12 0a c400800007",
     "type=0,service=10",                                                                                                                                                                       "program_modify", "create_object",                   "analog-value,7",                   "analog-value,7",
     "ok"                                                                                                                                                                                                                                                                                                                                                                                    },
    {"an object is deleted",                              "0104 0005 130b c400800007",                              "0100 20 13 0b",                                       "type=0,service=11",
     "program_delete",                                                                                                                                                                                            "delete_object",                   "analog-value,7",                   "analog-value,7",                                                                               "ok"},
    {"cold start without password",                       "0104 0005 1414 0900",                                    "0100 20 14 14",                                       "type=0,service=20",
     "restart",                                                                                                                                                                                                   "reinitialize_device",             "",                                 "",                                                                                             "ok"},
    {"a restore begins",                                  "0104 0005 1414 0904",                                    NULL,                                                  "type=0,service=20", "config_change",
     "reinitialize_device",                                                                                                                                                                                                                          "",                                 NULL,                                                                                           NULL},
    {"communication is disabled",                         "0104 0005 1511 0905 1901",                               "0100 20 15 11",                                       "type=0,service=17",
     "mode_change",                                                                                                                                                                                               "device_communication_control",    "",                                 "",                                                                                             "ok"},
    {"a siren is silenced",                               "0104 0005 161b 0912 1c004d444c 2901 3c05400001",         "0100 20 16 1b",
     "type=0,service=27",                                                                                                                                                                       "control",        "life_safety_operation",           NULL,                               NULL,                                                                                           "ok"},
    {"a terminal",                                        "0104 0005 1715 9100 2105",                               NULL,                                                  "type=0,service=21", "control",        "vt_open",                         "",
     NULL,                                                                                                                                                                                                                                                                                                                                                                               NULL},
    {"a private transfer",                                "0104 0005 1812 0907 1901",                               NULL,                                                  "type=0,service=18", "unknown",
     "confirmed_private_transfer",                                                                                                                                                                                                                   "",                                 NULL,                                                                                           NULL},
    {"authentication of old",                             "0104 0005 1918 0907",                                    NULL,                                                  "type=0,service=24", "auth",
     "authenticate",                                                                                                                                                                                                                                 "",                                 NULL,                                                                                           NULL},
};

START_TEST(confirmed_services)
{
    const struct exchange *x = &exchanges[_i];
    struct probe *p = udp_probe();
    feed(p, true, x->request);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "bacnet");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_msg(!strcmp(e->code, x->code), "%s: %s", x->shows, e->code);
    ck_assert_msg(!strcmp(e->operation, x->operation), "%s: %s", x->shows, e->operation);
    ck_assert_msg(!strcmp(e->name, x->name), "%s: %s", x->shows, e->name);
    ck_assert_msg(!x->asked || !strcmp(e->items, x->asked), "%s: %s", x->shows, e->items);
    if (x->response) {
        feed(p, false, x->response);
        e = probe_event(p, 1);
        ck_assert_str_eq(e->direction, "response");
        ck_assert_msg(!strcmp(e->operation, x->operation), "%s: %s", x->shows, e->operation);
        ck_assert_msg(!strcmp(e->name, x->name), "%s: %s", x->shows, e->name);
        ck_assert_msg(!x->answered || !strcmp(e->items, x->answered), "%s: %s", x->shows, e->items);
        ck_assert_msg(!strcmp(e->status, x->status), "%s: %s", x->shows, e->status);
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_msg(p->violation_count == (_i == 20), "%s: %s", x->shows,
                  p->violation_count ? probe_violation(p, 0)->why : "no violation");
    probe_destroy(p);
}
END_TEST

/* --- unconfirmed services --- */

static const struct one {
    const char *shows, *npdu, *code, *operation, *name, *unit, *items, *facts, *detail;
} ones[] = {
    {"I-Am, annex F.4.8",                             "0100 10 00 c402000001 2201e0 9103 2163",            "type=1,service=0",  "discover",
     "i_am",                                                                                                                                                                         "",     "device,1",                         NULL,                                  ""                      },
    {"I-Am tells its vendor",                         "0100 10 00 c402000001 2201e0 9103 2100",            "type=1,service=0",
     "discover",                                                                                                                            "i_am",                                  "",     "device,1",                         "module_name=device,1; vendor=ASHRAE", ""                      },
    {"I-Am of a device without a number",             "0100 10 00 c4023fffff 2201e0 9103 2100",
     "type=1,service=0",                                                                                                        "discover", "i_am",                                  "",     "device,4194303",                   "vendor=ASHRAE",                       ""                      },
    {"I-Have",                                        "0100 10 01 c402000008 c402000008 74 004f4154",      "type=1,service=1",  "discover",
     "i_have",                                                                                                                                                                       "",     "device,8",                         "module_name=device,8; name=OAT",      "OAT"                   },
    {"I-Am from behind a router",                     "0108 000d 01 05 10 00 c402000001 2201e0 9103 2100",
     "type=1,service=0",                                                                                                        "discover", "i_am",                                  "13:5", "device,1",
     "module_name=device,1; vendor=ASHRAE",                                                                                                                                                                                                                             ""                      },
    {"a time is set",                                 "0120 ffff 00 ff 10 06 a45c0b1102 b416132d46",       "type=1,service=6",  "time_set",
     "time_synchronization",                                                                                                                                                         "",     "clock=1992-11-17T22:19:45.70",     "",                                    "1992-11-17T22:19:45.70"},
    {"a time is set, UTC",                            "0120 ffff 00 ff 10 09 a45c0b1102 b416132d46",       "type=1,service=9",
     "time_set",                                                                                                                            "utc_time_synchronization",              "",     "clock=1992-11-17T22:19:45.70",     "",
     "1992-11-17T22:19:45.70"                                                                                                                                                                                                                                                                   },
    {"changes of several objects, one with its time",
     "0100 10 0b 0912 1c02000004 2905 3e a45c0b1102 b416132d46 3f 4e 0c0000000a 1e 0955 2e 44 "
     "42820000 2f 096f 2e 820400 2f 1f 0c00c0000f 1e 0955 2e 9101 2f 3c16132d46 1f 4f",                    "type=1,service=11", "publish",  "unconfirmed_cov_notification_multiple", "",
     "analog-input,10 present-value=65; analog-input,10 status-flags=0000; binary-input,15 "
     "present-value=1",                                                                                                                                                                                                          "",                                    ""                      },
    {"Who-Has a name",                                "0100 10 07 3d 04 004f4154",                         "type=1,service=7",  "discover", "who_has",                               "",
     "",                                                                                                                                                                                                                         "",                                    "OAT"                   },
    {"Who-Is",                                        "0120 ffff 00 ff 10 08",                             "type=1,service=8",  "discover", "who_is",                                "",     "",                                 "",                                    ""                      },
    {"Who-Is of a range",                             "0100 10 08 0903 1905",                              "type=1,service=8",  "discover", "who_is",                                "",     "",
     "",                                                                                                                                                                                                                                                                "device 3 to 5"         },
    {"an unconfirmed change of value",
     "0100 10 02 0912 1c02000004 2c0000000a 3900 4e 0955 2e 44 42820000 2f 4f",                            "type=1,service=2",
     "publish",                                                                                                                             "unconfirmed_cov_notification",          "",     "analog-input,10 present-value=65", "",                                    ""                      },
    {"writeGroup",                                    "0100 10 0a 0917 1908 2e 0c 00000001 2e 2105 2f 2f", "type=1,service=10",
     "write",                                                                                                                               "write_group",                           "",     "",                                 "",                                    "group 23, priority 8"  },
};

/* [135] 19.2.1, 15.9.1.1.5: without a priority the lowest is meant; null gives one back */
static const struct prioritised {
    const char *value;
    unsigned manner;
} prioritised[] = {
    {"44 43340000 3f",      MANNER_PRIORITY_MAX},
    {"44 43340000 3f 4908", 8                  },
    {"44 43340000 3f 4910", 16                 },
    {"44 43340000 3f 4911", MANNER_PRIORITY_MAX},
    {"00 3f 4908",          MANNER_RELINQUISH  },
};

START_TEST(priorities)
{
    struct probe *p = udp_probe();
    char npdu[128];
    snprintf(npdu, sizeof npdu, "0104 0005 090f 0c00800001 1955 3e %s", prioritised[_i].value);
    feed(p, true, npdu);
    ck_assert_uint_eq(probe_event(p, 0)->manner, prioritised[_i].manner);
    probe_destroy(p);
}
END_TEST

START_TEST(unconfirmed_services)
{
    const struct one *o = &ones[_i];
    struct probe *p = udp_probe();
    feed(p, true, o->npdu);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_msg(!strcmp(e->code, o->code), "%s: %s", o->shows, e->code);
    ck_assert_msg(!strcmp(e->operation, o->operation), "%s: %s", o->shows, e->operation);
    ck_assert_msg(!strcmp(e->name, o->name), "%s: %s", o->shows, e->name);
    ck_assert_msg(!strcmp(e->unit, o->unit), "%s: %s", o->shows, e->unit);
    ck_assert_msg(!strcmp(e->items, o->items), "%s: %s", o->shows, e->items);
    ck_assert_msg(!o->facts || !strcmp(e->facts, o->facts), "%s: %s", o->shows, e->facts);
    ck_assert_msg(!strcmp(e->detail, o->detail), "%s: %s", o->shows, e->detail);
    probe_destroy(p);
}
END_TEST

/* --- values, [135] 20.2 --- */

static const struct value {
    const char *shows, *tag, *printed;
} values[] = {
    {"null",                      "00",                         ""                         },
    {"true",                      "11",                         "=1"                       },
    {"false",                     "10",                         "=0"                       },
    {"unsigned, 1 byte",          "2148",                       "=72"                      },
    {"unsigned, 2 bytes",         "220102",                     "=258"                     },
    {"unsigned, 3 bytes",         "23010000",                   "=65536"                   },
    {"unsigned, 4 bytes",         "24ffffffff",                 "=4294967295"              },
    {"signed, 1 byte",            "31ff",                       "=-1"                      },
    {"signed, 3 bytes",           "33fffffe",                   "=-2"                      },
    {"real",                      "4442900000",                 "=72"                      },
    {"double",                    "55 08 4052000000000000",     "=72"                      },
    {"octets",                    "63 1234ff",                  "=1234ff"                  },
    {"characters",                "75 06 00 48656c6c6f",        "=Hello"                   },
    {"characters of UCS-2",       "73 04 0041",                 "=A"                       },
    {"characters of another set", "73 02 2422",                 "=022422"                  },
    {"bits",                      "82 0480",                    "=1000"                    },
    {"bits of two bytes",         "83 05fa 60",                 "=11111010011"             },
    {"no bits at all",            "81 00",                      "=00"                      },
    {"more unused bits than are", "82 0880",                    "=0880"                    },
    {"more bits than are shown",  "85 0a 00ffffffffffffffffff", "=00ffffffffffffffffff"    },
    {"enumerated",                "9103",                       "=3"                       },
    {"date",                      "a45b011805",                 "=1991-01-24"              },
    {"any day of a month",        "a4ff01ffff",                 "=*-01-*"                  },
    {"a date of the wrong size",  "a35b0118",                   "=5b0118"                  },
    {"time",                      "b411232d11",                 "=17:35:45.17"             },
    {"any time of an hour",       "b411ffffff",                 "=17:*:*.*"                },
    {"a time of the wrong size",  "b311232d",                   "=11232d"                  },
    {"object",                    "c400c0000f",                 "=binary-input,15"         },
    {"a list",                    "2101 2102",                  "=1|2"                     },
    {"a list of several kinds",   "00 444290999a 00",           "=null|72.3|null"          },
    {"objects",                   "c402000001 c400c0000f",      "=device,1|binary-input,15"},
    {"a date with a time",        "a45b011805 b411232d11",      "=1991-01-24|17:35:45.17"  },
    {"what is constructed",       "0901 19ff",                  "=090119ff"                },
};

START_TEST(values_of_every_type)
{
    struct probe *p = udp_probe();
    char npdu[256];
    snprintf(npdu, sizeof npdu, "0100 30 01 0c 0c00000005 1955 3e %s 3f", values[_i].tag);
    feed(p, false, npdu);
    const char *items = probe_event(p, 0)->items;
    ck_assert_msg(!strncmp(items, "analog-input,5 present-value", 28) &&
                      !strcmp(items + 28, values[_i].printed),
                  "%s: %s", values[_i].shows, items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* --- identity --- */

static const struct identity {
    const char *property, *value, *fact;
} identities[] = {
    {"194d",   "75 04 00 414243",                     "name=ABC"                  },
    {"191c",   "75 04 00 414243",                     "comment=ABC"               },
    {"1978",   "2100",                                "vendor=ASHRAE"             },
    {"1978",   "220fff",                              "vendor=vendor 4095"        },
    {"1979",   "75 04 00 414243",                     "vendor=ABC"                },
    {"1946",   "75 04 00 414243",                     "product=ABC"               },
    {"192c",   "75 04 00 414243",                     "firmware_version=ABC"      },
    {"190c",   "75 04 00 414243",                     "software_version=ABC"      },
    {"193a",   "75 04 00 414243",                     "location=ABC"              },
    {"1a0174", "75 04 00 414243",                     "serial_number=ABC"         },
    {"1970",   "9104",                                "mode=non-operational"      },
 /* [135] 20.2.9: UCS-2, UCS-4, ISO 8859-1 */
    {"194d",   "75 0d 04 004b00420052004e00410045",   "name=KBRNAE"               },
    {"194d",   "75 07 04 00e4 20ac d800",             "name=\xc3\xa4\xe2\x82\xac?"},
    {"194d",   "75 0d 03 00000041 000000e4 0001f600", "name=A\xc3\xa4?"           },
    {"194d",   "75 04 05 41e442",
     "name=A\xc3\xa4"
     "B"                                                                          },
    {"194d",   "75 05 01 0352 4142",                  ""                          },
};

START_TEST(a_device_tells_who_it_is)
{
    struct probe *p = udp_probe();
    char npdu[256];
    snprintf(npdu, sizeof npdu, "0100 30 01 0c 0c02000007 %s 3e %s 3f", identities[_i].property,
             identities[_i].value);
    feed(p, false, npdu);
    ck_assert_str_eq(probe_event(p, 0)->facts, identities[_i].fact);
    /* the same of an object that is no device says nothing of the device */
    probe_clear(p);
    snprintf(npdu, sizeof npdu, "0100 30 01 0c 0c00000007 %s 3e %s 3f", identities[_i].property,
             identities[_i].value);
    feed(p, false, npdu);
    ck_assert_str_eq(probe_event(p, 0)->facts, "");
    probe_destroy(p);
}
END_TEST

START_TEST(passwords_are_marked_and_not_shown)
{
    static const char *const requests[] = {
        "0104 0005 0114 0900 1d 05 00 61626364", /* reinitializeDevice */
        "0104 0005 0111 1901 2d 05 00 61626364", /* deviceCommunicationControl */
        "0104 0005 0111 0903 1901 2d 05 00 61626364",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct probe *p = udp_probe();
        feed(p, true, requests[i]);
        const struct probe_event *e = probe_event(p, 0);
        ck_assert_uint_eq(e->flags, OT_HAS_CREDENTIAL);
        ck_assert_uint_eq(e->secret_size, 4);
        ck_assert_ptr_null(strstr(e->detail, "abcd"));
        probe_destroy(p);
    }
}
END_TEST

START_TEST(files_are_transfers)
{
    struct probe *p = udp_probe();
    feed(p, true, "0104 0005 0107 c402800002 0e 3100 63 414243 0f");
    ck_assert_str_eq(probe_event(p, 0)->operation, "file_write");
    ck_assert_str_eq(probe_event(p, 0)->transfer,
                     "begin file_write key=41943042 name=file,2 bytes=3");
    feed(p, false, "0100 30 01 07 0900");
    feed(p, true, "0104 0005 0207 c402800002 0e 3103 62 4445 0f");
    ck_assert_str_eq(probe_event(p, 2)->transfer,
                     "block file_write key=41943042 name=file,2 bytes=2");
    feed(p, true, "0104 0005 0306 c402800002 0e 3103 2102 0f");
    feed(p, false, "0100 30 03 06 11 0e 3103 62 4445 0f");
    ck_assert_str_eq(probe_event(p, 4)->operation, "file_read");
    ck_assert_str_eq(probe_event(p, 4)->transfer, "end file_read key=41943042 name=file,2 bytes=2");
    probe_destroy(p);
}
END_TEST

/* --- segments, [135] 5.2 --- */

START_TEST(segments_are_put_together)
{
    struct probe *p = udp_probe();
    feed(p, true, "0104 0275 010c 0c02000001 194c");
    feed(p, false, "0100 3c 01 00 04 0c 0c02000001 194c 3e c4 0200");
    feed(p, true, "0100 40 01 00 04");
    feed(p, false, "0100 3c 01 01 04 0c 0001 c4 00");
    feed(p, false, "0100 3c 01 01 04 0c 0001 c4 00"); /* once more */
    feed(p, false, "0100 38 01 02 04 0c 000001 3f");
    ck_assert_uint_eq(p->event_count, 6);
    ck_assert_str_eq(probe_event(p, 1)->code, "type=3,service=12");
    ck_assert_str_eq(probe_event(p, 1)->items, "");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_str_eq(probe_event(p, 2)->code, "type=4");
    ck_assert_str_eq(probe_event(p, 2)->direction, "response");
    ck_assert_uint_eq(probe_event(p, 4)->flags, OT_RETRANSMIT);
    ck_assert_str_eq(probe_event(p, 5)->items, "device,1 object-list=device,1|analog-input,1");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_missing_segment_leaves_the_rest_without_content)
{
    struct probe *p = udp_probe();
    feed(p, true, "0104 0275 010c 0c02000001 194c");
    feed(p, false, "0100 3c 01 00 04 0c 0c02000001 194c 3e c4 0200");
    feed(p, false, "0100 38 01 02 04 0c 000001 3f");
    ck_assert_str_eq(probe_event(p, 2)->items, "");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(no_memory_for_segments)
{
    struct probe *p = udp_probe();
    p->is_out_of_memory = true;
    feed(p, false, "0100 3c 01 00 04 0c 0c02000001 194c 3e c4 0200");
    feed(p, false, "0100 38 01 01 04 0c 0001 3f");
    ck_assert_uint_eq(p->event_count, 2);
    probe_destroy(p);
}
END_TEST

/* --- routes --- */

START_TEST(units_are_stations_behind_routers)
{
    struct probe *p = udp_probe();
    feed(p, true, "0124 0003 01 6c ff 0005 010c 0c00000005 1955");
    ck_assert_str_eq(probe_event(p, 0)->unit, "3:108");
    feed(p, false, "0108 0003 01 6c 30 01 0c 0c00000005 1955 3e 2105 3f");
    ck_assert_str_eq(probe_event(p, 1)->unit, "3:108");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    feed(p, true, "0124 0003 06 c0a80005bac0 ff 0005 020c 0c00000005 1955");
    ck_assert_str_eq(probe_event(p, 2)->unit, "3:c0a80005bac0");
    /* the answer of another station */
    feed(p, false, "0108 0003 01 6d 30 02 0c 0c00000005 1955 3e 2105 3f");
    ck_assert_uint_eq(probe_event(p, 3)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

START_TEST(forwarded_messages_tell_who_sent_them)
{
    struct probe *p = udp_probe();
    probe_hex(p, &dissector_bacnet, true, "8104 001b c0a80007bac0 0100 10 02 0912 1c02000004 2c00");
    probe_clear(p);
    probe_hex(p, &dissector_bacnet, true, "8104 0015 c0a80007bac0 0120 ffff 00 ff 10 01 0000");
    probe_clear(p);
    probe_hex(p, &dissector_bacnet, true, "8104 0018 c0a80007bac0 0100 1003 0901 1c02000001 2c00");
    ck_assert_str_eq(probe_event(p, 0)->unit, "192.168.0.7:47808");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_UNSOLICITED | OT_BROADCAST);
    probe_destroy(p);
}
END_TEST

START_TEST(ethernet_frames)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_bacnet, true, "828203 0104 0005 010c 0c00000005 1955");
    ck_assert_str_eq(probe_event(p, 0)->items, "analog-input,5 present-value");
    probe_hex(p, &dissector_bacnet, true, "8282bf 0104");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_destroy(p);
}
END_TEST

/* Linux cooked frames do not say how long an LLC frame is: a short one ends in the zeros that fill
 * it to 46 bytes. */
static const struct padded {
    const char *shows, *frame, *items;
    uint16_t link_type;
    size_t size;
    bool is_violation;
} padded[] = {
    {"a read of several properties",      "828203 0104 0005 010e 0c00000005 1e 0955 1f",
     "analog-input,5 present-value",                                                                                         113, 46, false},
    {"the same, newer header",            "828203 0104 0005 010e 0c00000005 1e 0955 1f",
     "analog-input,5 present-value",                                                                                         276, 46, false},
    {"of Ethernet the length is known",   "828203 0104 0005 010e 0c00000005 1e 0955 1f",
     "analog-input,5 present-value",                                                                                         1,   46, true },
    {"longer frames are not filled",      "828203 0104 0005 010e 0c00000005 1e 0955 1f",
     "analog-input,5 present-value",                                                                                         113, 47, true },
    {"zeros inside of a value stay",      "828203 0104 0005 010f 0c00800001 1955 3e 44 00000000 3f",
     "analog-value,1 present-value=0",                                                                                       113, 46, false},
    {"a null that is written stays",      "828203 0104 0005 010f 0c00800001 1955 3e 00 3f 4908",
     "analog-value,1 present-value",                                                                                         113, 46, false},
    {"what lacks a closing tag is told",  "828203 0104 0005 010f 0c00800001 1955 3e 44 00000000",    "",
     113,                                                                                                                         46, true },
    {"networks end where there are none", "828203 0180 01 0003 0004",                                "network 3; network 4", 113,
     46,                                                                                                                              false},
    {"who-is-router for all networks",    "828203 0180 00",                                          "",                     113, 46, false},
};

START_TEST(padding_of_short_frames)
{
    const struct padded *row = &padded[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    uint8_t frame[64] = {0};
    hex_bytes(frame, sizeof frame, row->frame);
    p->link_type = row->link_type;
    probe_feed(p, &dissector_bacnet, true, frame, row->size);
    ck_assert_msg((p->violation_count > 0) == row->is_violation, "%s", row->shows);
    if (!row->is_violation)
        ck_assert_msg(!strcmp(probe_event(p, 0)->items, row->items), "%s: %s", row->shows,
                      probe_event(p, 0)->items);
    probe_destroy(p);
}
END_TEST

/* --- virtual link and network layer --- */

static const struct link {
    const char *shows, *hex, *protocol, *code, *operation, *direction, *name;
} links[] = {
    {"a broadcast table is written",   "8101 000e c0a80001bac0ffffffff",       "bvlc",        "0x01",
     "config_change",                                                                                                  "request",  "write_broadcast_distribution_table"},
    {"a broadcast table is read",      "8102 0004",                            "bvlc",        "0x02", "browse",        "request",
     "read_broadcast_distribution_table"                                                                                                                               },
    {"a broadcast table",              "8103 0004",                            "bvlc",        "0x03", "browse",        "response",
     "broadcast_distribution_table"                                                                                                                                    },
    {"a foreign device registers",     "8105 0006 003c",                       "bvlc",        "0x05", "session",       "request",
     "register_foreign_device"                                                                                                                                         },
    {"a foreign device table is read", "8106 0004",                            "bvlc",        "0x06", "browse",        "request",
     "read_foreign_device_table"                                                                                                                                       },
    {"a foreign device table",         "8107 000e c0a80001bac0003c0020",       "bvlc",        "0x07", "browse",
     "response",                                                                                                                   "foreign_device_table"              },
    {"a foreign device is deleted",    "8108 000a c0a80001bac0",               "bvlc",        "0x08", "config_change",
     "request",                                                                                                                    "delete_foreign_device_table_entry" },
    {"a result",                       "8100 0006 0030",                       "bvlc",        "0x00", "session",       "response", "result"                            },
    {"secured",                        "810c 0008 01020304",                   "bvlc",        "0x0c", "unknown",       "request",  "secured_bvll"                      },
    {"who is router",                  "810b 0007 0180 00",                    "bacnet_npdu", "0x00", "discover",      "request",
     "who_is_router_to_network"                                                                                                                                        },
    {"a router is",                    "810b 0009 0180 01 0003",               "bacnet_npdu", "0x01", "netmgmt",       "response",
     "i_am_router_to_network"                                                                                                                                          },
    {"a routing table is written",     "810a 000e 0180 06 01 0003 01 00 0000", "bacnet_npdu", "0x06",
     "config_change",                                                                                                  "request",  "initialize_routing_table"          },
    {"a routing table is asked for",   "810a 0008 0180 06 00",                 "bacnet_npdu", "0x06", "browse",
     "request",                                                                                                                    "initialize_routing_table"          },
    {"a secured payload",              "810a 0009 0180 0b 0102",               "bacnet_npdu", "0x0b", "unknown",       "request",
     "security_payload"                                                                                                                                                },
};

START_TEST(link_and_network_messages)
{
    const struct link *l = &links[_i];
    struct probe *p = udp_probe();
    probe_hex(p, &dissector_bacnet, true, l->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(!strcmp(e->protocol, l->protocol), "%s: %s", l->shows, e->protocol);
    ck_assert_msg(!strcmp(e->code, l->code), "%s: %s", l->shows, e->code);
    ck_assert_msg(!strcmp(e->operation, l->operation), "%s: %s", l->shows, e->operation);
    ck_assert_msg(!strcmp(e->direction, l->direction), "%s: %s", l->shows, e->direction);
    ck_assert_msg(!strcmp(e->name, l->name), "%s: %s", l->shows, e->name);
    probe_destroy(p);
}
END_TEST

START_TEST(a_result_answers)
{
    struct probe *p = udp_probe();
    probe_hex(p, &dissector_bacnet, true, "8105 0006 003c");
    probe_hex(p, &dissector_bacnet, false, "8100 0006 0030");
    ck_assert_str_eq(probe_event(p, 1)->name, "register_foreign_device");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 48 register_foreign_device_refused");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    probe_destroy(p);
}
END_TEST

/* --- what is forbidden --- */

static const struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
} wrongs[] = {
    {"longer than the datagram",          "810a 0010 0104 0005 010c 0c00000005 1955 00",               VIOLATION_LENGTH   },
    {"shorter than the datagram",         "810a 0012 0104 0005 010c 0c00000005 1955",                  VIOLATION_LENGTH   },
    {"link header cut",                   "810a 00",                                                   VIOLATION_TRUNCATED},
    {"a function that is not",            "810d 0004",                                                 VIOLATION_FUNCTION },
    {"a table of a size that is not",     "8101 0009 c0a80001ba",                                      VIOLATION_LENGTH   },
    {"registration for no time",          "8105 0006 0000",                                            VIOLATION_RANGE    },
    {"network version 2",                 "810a 0008 0200 1008",                                       VIOLATION_RESERVED },
    {"reserved control bits",             "810a 0008 0140 1008",                                       VIOLATION_RESERVED },
    {"no hops left",                      "810a 000c 0120 0003 00 00 1008",                            VIOLATION_RANGE    },
    {"an address beyond the end",         "810a 000a 0120 0003 06 00",                                 VIOLATION_TRUNCATED},
    {"from all of a network",             "810a 000b 0108 0003 00 1008",                               VIOLATION_RANGE    },
    {"a reserved network message",        "810a 0007 0180 14",                                         VIOLATION_FUNCTION },
    {"an APDU type that is not",          "810a 000a 0100 80000000",                                   VIOLATION_FUNCTION },
    {"an APDU header cut",                "810a 0008 0100 0005",                                       VIOLATION_TRUNCATED},
    {"a service that is not",             "810a 000a 0100 0005 0130",                                  VIOLATION_FUNCTION },
    {"a confirmed request to all",        "810b 0011 0104 0005 010c 0c00000005 1955",                  VIOLATION_DIRECTION},
    {"a tag longer than the APDU",        "810a 0011 0104 0005 010c 0c00000005 1d09",                  VIOLATION_ENCODING },
    {"a service without its parameters",  "810a 000a 0104 0005 010c",                                  VIOLATION_ENCODING },
    {"tags that do not close",            "810a 0017 0104 0005 010f 0c00800001 1955 3e 4443340000",
     VIOLATION_ENCODING                                                                                                   },
    {"tags that close wrongly",           "810a 0018 0104 0005 010f 0c00800001 1955 3e 4443340000 4f",
     VIOLATION_ENCODING                                                                                                   },
    {"priority 0",                        "810a 0017 0104 0005 010f 0c00800001 1955 3e 2105 3f 4900",  VIOLATION_RANGE    },
    {"priority 17",                       "810a 0017 0104 0005 010f 0c00800001 1955 3e 2105 3f 4911",  VIOLATION_RANGE    },
    {"a window of 0",                     "810a 0016 0100 3c 01 00 00 0c 0c02000001 194c 3e c4 0200",  VIOLATION_RANGE    },
    {"a clock without its time",          "810b 000d 0100 1006 a45c0b1102",                            VIOLATION_ENCODING },
    {"a clock with a time of 3 bytes",    "810b 0011 0100 1006 a45c0b1102 b316132d",
     VIOLATION_ENCODING                                                                                                   },
    {"changes without a list",            "810b 0011 0100 100b 0912 1c02000004 2905",                  VIOLATION_ENCODING },
    {"a changed object without values",   "810b 0018 0100 100b 0912 1c02000004 2905 4e 0c0000000a 4f",
     VIOLATION_ENCODING                                                                                                   },
    {"a changed property without value",
     "810b 001c 0100 100b 0912 1c02000004 2905 4e 0c0000000a 1e 0955 1f 4f",                           VIOLATION_ENCODING },
    {"subscriptions without a list",      "810b 0012 0100 0005 111e 0912 1901 293c 3905",
     VIOLATION_ENCODING                                                                                                   },
    {"a subscription to no property",
     "810b 0019 0100 0005 111e 0912 1901 4e 0c0000000a 1e 0e 0f 1f 4f",                                VIOLATION_ENCODING },
    {"a restart that is not",             "810a 000c 0104 0005 0114 0908",                             VIOLATION_RANGE    },
    {"a communication state that is not", "810a 000c 0104 0005 0111 1903",                             VIOLATION_RANGE    },
};

START_TEST(violations)
{
    struct probe *p = udp_probe();
    probe_hex(p, &dissector_bacnet, true, wrongs[_i].hex);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: not told (%s)", wrongs[_i].shows,
                  p->violation_count ? probe_violation(p, 0)->why : "nothing");
    probe_destroy(p);
}
END_TEST

START_TEST(the_bounds_are_allowed)
{
    static const char *const right[] = {
        "810a 0017 0104 0005 010f 0c00800001 1955 3e 2105 3f 4901",
        "810a 0017 0104 0005 010f 0c00800001 1955 3e 2105 3f 4910",
        "810a 000c 0104 0005 0114 0907",
        "810a 000c 0104 0005 0111 1902",
        "810a 000c 0120 0003 00 01 1008",
        "8105 0006 0001",
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct probe *p = udp_probe();
        probe_hex(p, &dissector_bacnet, true, right[i]);
        ck_assert_msg(p->violation_count == 0, "%s: %s", right[i],
                      p->violation_count ? probe_violation(p, 0)->why : "");
        probe_destroy(p);
    }
}
END_TEST

/* --- recognition and roles --- */

static const struct claimed {
    const char *shows, *hex;
    enum claim claim;
} claims[] = {
    {"a request",                    "810a 0011 0104 0005 010c 0c00000005 1955", CLAIM_YES },
    {"of a wrong length",            "810a 0010 0104 0005 010c 0c00000005 1955", CLAIM_WEAK},
    {"of another network version",   "810a 0011 0204 0005 010c 0c00000005 1955", CLAIM_WEAK},
    {"both",                         "810a 0010 0204 0005 010c 0c00000005 1955", CLAIM_NO  },
    {"management is short",          "8102 0004",                                CLAIM_WEAK},
    {"management of a wrong length", "8102 0005 00",                             CLAIM_NO  },
    {"a function that is not",       "810d 0004",                                CLAIM_NO  },
    {"zeros",                        "00000000 00000000",                        CLAIM_NO  },
    {"an Ethernet frame",            "828203 0120 ffff00ff 1008",                CLAIM_WEAK},
    {"another LLC frame",            "424203 0000",                              CLAIM_NO  },
    {"three bytes",                  "810a00",                                   CLAIM_NO  },
};

START_TEST(recognition)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, claims[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_bacnet, bytes, size) == claims[_i].claim, "%s",
                  claims[_i].shows);
}
END_TEST

START_TEST(who_asks_is_client)
{
    struct probe *p = udp_probe();
    p->flow.is_role_known = p->flow.is_start_seen = false;
    feed(p, false, "0100 10 08"); /* tells nothing */
    ck_assert(!probe_event(p, 0)->is_from_client);
    feed(p, false, "0104 0005 010c 0c00000005 1955");
    ck_assert(probe_event(p, 1)->is_from_client);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix_is_survived)
{
    uint8_t bytes[DATAGRAM_MAX];
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        size_t size = datagram_of(bytes, 0x0a, exchanges[i].request);
        for (size_t n = 0; n < size; n++) {
            struct probe *p = udp_probe();
            probe_feed(p, &dissector_bacnet, true, bytes, n);
            ck_assert_msg(p->violation_count > 0, "%s: prefix of %zu", exchanges[i].shows, n);
            probe_destroy(p);
        }
    }
}
END_TEST

START_TEST(a_small_arena_loses_names_only)
{
    struct probe *p = udp_probe();
    probe_set_arena(p, 64);
    feed(p, true, "0104 0005 060e 0c00000010 1e 0955 0967 0955 0967 0955 0967 0955 1f");
    ck_assert_uint_eq(probe_event(p, 0)->items_total, 7);
    ck_assert_uint_eq(probe_event(p, 0)->item_count, 4);
    probe_destroy(p);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof *table)

int main(void)
{
    Suite *suite = suite_create("bacnet");
    TCase *tc = tcase_create("bacnet");
    tcase_add_loop_test(tc, confirmed_services, 0, ROWS(exchanges));
    tcase_add_loop_test(tc, priorities, 0, sizeof prioritised / sizeof *prioritised);
    tcase_add_loop_test(tc, unconfirmed_services, 0, ROWS(ones));
    tcase_add_loop_test(tc, values_of_every_type, 0, ROWS(values));
    tcase_add_loop_test(tc, a_device_tells_who_it_is, 0, ROWS(identities));
    tcase_add_test(tc, passwords_are_marked_and_not_shown);
    tcase_add_test(tc, files_are_transfers);
    tcase_add_test(tc, segments_are_put_together);
    tcase_add_test(tc, a_missing_segment_leaves_the_rest_without_content);
    tcase_add_test(tc, no_memory_for_segments);
    tcase_add_test(tc, units_are_stations_behind_routers);
    tcase_add_test(tc, forwarded_messages_tell_who_sent_them);
    tcase_add_test(tc, ethernet_frames);
    tcase_add_loop_test(tc, padding_of_short_frames, 0, sizeof padded / sizeof *padded);
    tcase_add_loop_test(tc, link_and_network_messages, 0, ROWS(links));
    tcase_add_test(tc, a_result_answers);
    tcase_add_loop_test(tc, violations, 0, ROWS(wrongs));
    tcase_add_test(tc, the_bounds_are_allowed);
    tcase_add_loop_test(tc, recognition, 0, ROWS(claims));
    tcase_add_test(tc, who_asks_is_client);
    tcase_add_test(tc, every_prefix_is_survived);
    tcase_add_test(tc, a_small_arena_loses_names_only);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
