/* test_mqtt.c: MQTT 3.1, 3.1.1 and 5.0 and Sparkplug B, held against their specifications and
 * PROTOCOLS 30. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_mqtt;

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))
#define CONNECT_311  "10 0e 00044d515454 04 02 003c 0002 6331"
#define CONNECT_31   "10 10 00064d5149736470 03 02 003c 0002 6331"
#define CONNECT_5    "10 0f 00044d515454 05 02 003c 00 0002 6331"

static void say(struct probe *p, bool is_from_client, const char *hex)
{
    uint8_t bytes[2048];
    size_t size = hex_bytes(bytes, sizeof bytes, hex);
    ck_assert_int_eq(probe_stream(p, &dissector_mqtt, is_from_client, bytes, size), FRAME_COMPLETE);
}

static struct probe *connected(const char *connect)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, connect);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_clear(p);
    return p;
}

/* A message of this topic and payload, QoS 0. */
static size_t message(uint8_t *out, const char *topic, const void *payload, size_t size)
{
    size_t topic_size = strlen(topic), length = 2 + topic_size + size;
    out[0] = 0x30;
    out[1] = (uint8_t)(length | 0x80);
    out[2] = (uint8_t)(length >> 7);
    out[3] = 0;
    out[4] = (uint8_t)topic_size;
    memcpy(out + 5, topic, topic_size);
    if (size)
        memcpy(out + 5 + topic_size, payload, size);
    return 3 + length;
}

static void publish(struct probe *p, bool is_from_client, const char *topic, const char *payload)
{
    uint8_t bytes[2048];
    size_t size = message(bytes, topic, payload, strlen(payload));
    ck_assert_int_eq(probe_stream(p, &dissector_mqtt, is_from_client, bytes, size), FRAME_COMPLETE);
}

static void publish_hex(struct probe *p, bool is_from_client, const char *topic, const char *hex)
{
    uint8_t bytes[2048], payload[1024];
    size_t size = hex_bytes(payload, sizeof payload, hex);
    size = message(bytes, topic, payload, size);
    ck_assert_int_eq(probe_stream(p, &dissector_mqtt, is_from_client, bytes, size), FRAME_COMPLETE);
}

/* --- packets --- */

static const struct packet_row {
    const char *shows;
    bool is_from_client;
    const char *packet, *code, *name, *direction, *operation, *status;
} packets[] = {
    {"connack",              false, "20 02 00 00",           "2",  "connack",     "response", "session",   "ok"},
    {"session present",      false, "20 02 01 00",           "2",  "connack",     "response", "session",   "ok"},
    {"server unavailable",   false, "20 02 00 03",           "2",  "connack",     "response", "session",
     "error 3 server_unavailable"                                                                              },
    {"bad password",         false, "20 02 00 04",           "2",  "connack",     "response", "auth",
     "error 4 bad_user_name_or_password"                                                                       },
    {"not authorized",       false, "20 02 00 05",           "2",  "connack",     "response", "auth",
     "error 5 not_authorized"                                                                                  },
    {"not authorized, 5",    false, "20 03 00 87 00",        "2",  "connack",     "response", "auth",
     "error 135 not_authorized"                                                                                },
    {"publish",              true,  "30 05 0001 61 6869",    "3",  "publish",     "oneway",   "publish",   ""  },
    {"puback",               false, "40 02 0007",            "4",  "puback",      "oneway",   "session",   "ok"},
    {"puback refused",       false, "40 03 0007 87",         "4",  "puback",      "oneway",   "publish",
     "error 135 not_authorized"                                                                                },
    {"nobody listens",       false, "40 03 0007 10",         "4",  "puback",      "oneway",   "session",   "ok"},
    {"pubrec",               false, "50 02 0007",            "5",  "pubrec",      "oneway",   "session",   "ok"},
    {"pubrel",               true,  "62 02 0007",            "6",  "pubrel",      "oneway",   "session",   "ok"},
    {"pubcomp",              false, "70 02 0007",            "7",  "pubcomp",     "oneway",   "session",   "ok"},
    {"subscribe",            true,  "82 06 0001 0001 61 00", "8",  "subscribe",   "request",  "subscribe", ""  },
    {"unsubscribe",          true,  "a2 05 0001 0001 61",    "10", "unsubscribe", "request",  "subscribe", ""  },
    {"pingreq",              true,  "c0 00",                 "12", "pingreq",     "request",  "session",   ""  },
    {"pingresp",             false, "d0 00",                 "13", "pingresp",    "response", "session",   ""  },
    {"disconnect",           true,  "e0 00",                 "14", "disconnect",  "oneway",   "session",   ""  },
    {"disconnect by server", false, "e0 01 8e",              "14", "disconnect",  "oneway",   "session",
     "error 142 session_taken_over"                                                                            },
    {"auth",                 true,  "f0 00",                 "15", "auth",        "oneway",   "auth",      ""  },
};

START_TEST(a_packet_of_each_type)
{
    const struct packet_row *row = &packets[_i];
    struct probe *p = connected(CONNECT_311);
    say(p, row->is_from_client, row->packet);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "mqtt");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->direction, row->direction);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: %s", row->shows, e->status);
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct connect_row {
    const char *shows, *packet, *operation, *detail, *facts, *items;
    size_t secret_size;
} connects[] = {
    {"3.1.1",                 CONNECT_311,                                                                  "session", "c1", "comment=c1",                "",   0},
    {"3.1",                   CONNECT_31,                                                                   "session", "c1", "comment=c1",                "",   0},
    {"5.0",                   CONNECT_5,                                                                    "session", "c1", "comment=c1",                "",   0},
    {"no client id",          "10 0c 00044d515454 04 02 003c 0000",                                         "session", "",   "",                          "",   0},
    {"user and password",     "10 18 00044d515454 04 c2 003c 0002 6331 0003 626f62 0003 707764",            "auth",
     "c1",                                                                                                                   "comment=c1; user_name=bob", "",   3},
    {"user only",             "10 13 00044d515454 04 82 003c 0002 6331 0003 626f62",                        "auth",    "c1",
     "comment=c1; user_name=bob",                                                                                                                         "",   0},
    {"password only, in 5.0", "10 14 00044d515454 05 42 003c 00 0002 6331 0003 707764",                     "auth",
     "c1",                                                                                                                   "comment=c1",                "",   3},
    {"will",                  "10 15 00044d515454 04 06 003c 0002 6331 0002 772f 0001 78",                  "session", "c1",
     "comment=c1",                                                                                                                                        "w/", 0},
    {"will of 5.0",           "10 1c 00044d515454 05 06 003c 00 0002 6331 05 1800000005 0002 772f 0001 78",
     "session",                                                                                                        "c1", "comment=c1",                "w/", 0},
    {"authentication data",
     "10 1b 00044d515454 05 02 003c 0c 150003 4b4552 160003 010203 0002 6331",                              "auth",    "c1",
     "comment=c1",                                                                                                                                        "",   3},
};

START_TEST(connecting)
{
    const struct connect_row *row = &connects[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, row->packet);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "1");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s", row->shows);
    ck_assert_str_eq(e->detail, row->detail);
    ck_assert_str_eq(e->facts, row->facts);
    ck_assert_str_eq(e->items, row->items);
    ck_assert_uint_eq(e->secret_size, row->secret_size);
    ck_assert_uint_eq(e->flags, row->secret_size ? OT_HAS_CREDENTIAL : 0);
    ck_assert_ptr_null(strstr(e->facts, "pwd"));
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(subscriptions_are_answered)
{
    struct probe *p = connected(CONNECT_311);
    say(p, true, "82 0c 0005 0003 612f23 01 0001 62 00");
    say(p, false, "90 04 0005 01 80");
    say(p, true, "82 06 0006 0001 62 00");
    say(p, false, "90 03 0006 80");
    say(p, true, "a2 07 0007 0003 612f23");
    say(p, false, "b0 02 0007");
    say(p, false, "90 03 0008 00");
    ck_assert_str_eq(probe_event(p, 0)->items, "a/#; b");
    ck_assert_str_eq(probe_event(p, 1)->items, "a/#!ok; b!error 128 unspecified_error");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 3)->status, "error 128 unspecified_error");
    ck_assert_str_eq(probe_event(p, 5)->items, "a/#!ok");
    ck_assert_uint_eq(probe_event(p, 5)->transaction, 7);
    ck_assert_uint_eq(probe_event(p, 6)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(version_5_has_properties)
{
    struct probe *p = connected(CONNECT_5);
    say(p, true, "82 09 0005 02 0b07 0001 61 00");
    say(p, false, "90 04 0005 00 00");
    say(p, true, "32 0c 0001 61 0009 03 230004 393939"); /* alias 4 */
    say(p, true, "30 09 0000 03 230004 373737");
    say(p, true, "30 09 0000 03 230005 373737"); /* never given */
    ck_assert_str_eq(probe_event(p, 0)->items, "a");
    ck_assert_str_eq(probe_event(p, 1)->items, "a!ok");
    ck_assert_str_eq(probe_event(p, 2)->items, "a=999");
    ck_assert_uint_eq(probe_event(p, 2)->transaction, 9);
    ck_assert_str_eq(probe_event(p, 3)->items, "a=777");
    ck_assert_str_eq(probe_event(p, 4)->items, "alias 5=777");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(flags_of_a_message)
{
    struct probe *p = connected(CONNECT_311);
    say(p, true, "31 05 0001 61 6869");
    say(p, true, "31 0d 0009 6c312f7365742f7370 3731");
    say(p, true, "3a 07 0001 61 0009 6869");
    ck_assert_str_eq(probe_event(p, 0)->detail, "retained");
    ck_assert_str_eq(probe_event(p, 1)->detail, "retained command");
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_RETRANSMIT);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* [SP] 6.4.21: commands must not be retained; others may be */
START_TEST(commands_of_sparkplug_are_not_retained)
{
    struct probe *p = connected(CONNECT_311);
    say(p, true, "31 14 0010 73704276312e302f672f4e434d442f65 1801"); /* spBv1.0/g/NCMD/e */
    ck_assert_str_eq(probe_violation(p, 0)->why, "command of Sparkplug is retained");
    say(p, true, "30 14 0010 73704276312e302f672f4e434d442f65 1802");
    say(p, true, "31 17 0013 73704276312e302f53544154452f7363616461 3030"); /* .../STATE/scada */
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

/* --- commands and values --- */

static const struct topic_row {
    const char *topic;
    bool is_command;
} topics[] = {
    {"line/3/set/rate",               true },
    {"line/3/state",                  false},
    {"cmnd/pump/POWER",               true },
    {"stat/pump/POWER",               false},
    {"plant/valve/Command",           true },
    {"plant/temp_setpoint",           true },
    {"paint/booth1/sp",               true },
    {"plant/spare",                   false},
    {"homie/a/b/c/set",               true },
    {"$aws/things/x/shadow/desired",  true },
    {"$aws/things/x/shadow/reported", false},
    {"v1/devices/me/rpc/request/1",   true },
    {"v1/devices/me/rpc/response/1",  false},
    {"settings/offset",               false},
    {"asset/preset",                  false},
    {"spBv1.0/g/NCMD/e",              true },
    {"spBv1.0/g/DCMD/e/d",            true },
    {"spBv1.0/g/DDATA/e/set",         false},
    {"spBv1.0/STATE/scada",           false},
};

START_TEST(commands)
{
    struct probe *p = connected(CONNECT_311);
    publish(p, true, topics[_i].topic, "");
    publish(p, false, topics[_i].topic, ""); /* the broker hands it on */
    ck_assert_msg(
        strcmp(probe_event(p, 0)->operation, topics[_i].is_command ? "write" : "publish") == 0,
        "%s", topics[_i].topic);
    ck_assert_str_eq(probe_event(p, 1)->operation, "publish");
    ck_assert(!probe_event(p, 1)->is_from_client);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct value_row {
    const char *shows, *payload, *items;
} values[] = {
    {"a number",             "115",                                                       "x/set=115"                   },
    {"a fraction",           " -12.75\n",                                                 "x/set=-12.75"                },
    {"an exponent",          "1.5e3",                                                     "x/set=1500"                  },
    {"a small exponent",     "15E-1",                                                     "x/set=1.5"                   },
    {"a plus",               "+7",                                                        "x/set=7"                     },
    {"true",                 "true",                                                      "x/set=1"                     },
    {"false",                "false",                                                     "x/set=0"                     },
    {"a word",               "ON",                                                        "x/set=ON"                    },
    {"an empty message",     "",                                                          "x/set"                       },
    {"two numbers are text", "1 2",                                                       "x/set=1 2"                   },
    {"a point is text",      ".",                                                         "x/set=."                     },
    {"19 digits are text",   "1234567890123456789",                                       "x/set=1234567890123456789"   },
    {"a huge exponent",      "1e99",                                                      "x/set=1e99"                  },
    {"an object",            "{\"v\":187.98,\"on\":true}",                                "x/set.v=187.98; x/set.on=1"  },
    {"objects in objects",   "{ \"a\" : { \"b\" : [ 1 , \"t\" ] } }",                     "x/set.a.b.0=1; x/set.a.b.1=t"},
    {"stamps are no values", "{\"v\":5,\"ts\":17,\"at\":1795356089809,\"w\":1795356089}",
     "x/set.v=5; x/set.ts=17; x/set.at=1795356089809; x/set.w=1795356089"                                               },
    {"a number as text",     "{\"v\":\"5\"}",                                             "x/set.v=5"                   },
    {"null says nothing",    "{\"v\":null,\"w\":1}",                                      "x/set.w=1"                   },
    {"an array",             "[1,2]",                                                     "x/set.0=1; x/set.1=2"        },
    {"an escaped quote",     "{\"a\\\"b\":1}",                                            "x/set.a\\\"b=1"              },
    {"broken: no end",       "{\"v\":1",                                                  "x/set={\"v\":1"              },
    {"broken: no colon",     "{\"v\" 1}",                                                 "x/set={\"v\" 1}"             },
    {"broken: more behind",  "{\"v\":1} x",                                               "x/set={\"v\":1} x"           },
    {"an empty object",      "{}",                                                        "x/set={}"                    },
    {"too deep",             "[[[[[[[[[1]]]]]]]]]",                                       "x/set=[[[[[[[[[1]]]]]]]]]"   },
    {"deepest",              "[[[[[[[1]]]]]]]",                                           "x/set.0.0.0.0.0.0.0=1"       },
};

START_TEST(payloads)
{
    struct probe *p = connected(CONNECT_311);
    publish(p, true, "x/set", values[_i].payload);
    ck_assert_msg(strcmp(probe_event(p, 0)->items, values[_i].items) == 0, "%s: %s",
                  values[_i].shows, probe_event(p, 0)->items);
    probe_destroy(p);
}
END_TEST

START_TEST(telemetry_is_taken_apart_where_it_comes_from)
{
    struct probe *p = connected(CONNECT_311);
    publish(p, true, "line/3/state", "{\"v\":1,\"ts\":1795356089809}");
    publish(p, true, "line/3/level", "12.5");
    publish_hex(p, true, "line/3/raw", "00ff");
    publish(p, false, "line/3/state", "{\"v\":1}");
    ck_assert_str_eq(probe_event(p, 0)->items, "line/3/state.v=1; line/3/state.ts=1795356089809");
    ck_assert_str_eq(probe_event(p, 1)->items, "line/3/level=12.5");
    ck_assert_str_eq(probe_event(p, 2)->items, "line/3/raw=00ff");
    ck_assert_str_eq(probe_event(p, 3)->items, "line/3/state={\"v\":1}");
    ck_assert_str_eq(probe_event(p, 0)->operation, "publish");
    probe_destroy(p);
}
END_TEST

/* [3.3.2.1] a topic has at least one character; what it carries is read all the same. */
START_TEST(telemetry_without_a_topic)
{
    struct probe *p = connected(CONNECT_311);
    publish(p, true, "", "{\"v\":1}");
    ck_assert_str_eq(probe_event(p, 0)->items, ".v=1");
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

START_TEST(more_values_than_are_kept)
{
    char payload[512] = "[";
    for (int i = 0; i < 40; i++)
        strcat(payload, i ? ",1" : "1");
    strcat(payload, "]");
    struct probe *p = connected(CONNECT_311);
    publish(p, true, "x/set", payload);
    ck_assert_uint_eq(probe_event(p, 0)->item_count, 32);
    ck_assert_uint_eq(probe_event(p, 0)->items_total, 40);
    probe_destroy(p);
}
END_TEST

/* --- Sparkplug B --- */

static const struct metric_row {
    const char *shows, *metric, *items;
} metrics[] = {
    {"int8",     "0a0161 2001 50ff01",                 "spBv1.0/g/DCMD/e/d:a{write}=-1"     },
    {"int16",    "0a0161 2002 50ffff03",               "spBv1.0/g/DCMD/e/d:a{write}=-1"     },
    {"int32",    "0a0161 2003 50ffffffff0f",           "spBv1.0/g/DCMD/e/d:a{write}=-1"     },
    {"int64",    "0a0161 2004 58ffffffffffffffffff01", "spBv1.0/g/DCMD/e/d:a{write}=-1"     },
    {"uint8",    "0a0161 2005 50ff01",                 "spBv1.0/g/DCMD/e/d:a{write}=255"    },
    {"uint64",   "0a0161 2008 58ac02",                 "spBv1.0/g/DCMD/e/d:a{write}=300"    },
    {"float",    "0a0161 2009 6500002041",             "spBv1.0/g/DCMD/e/d:a{write}=10"     },
    {"double",   "0a0161 200a 690000000000005140",     "spBv1.0/g/DCMD/e/d:a{write}=68"     },
    {"boolean",  "0a0161 200b 7001",                   "spBv1.0/g/DCMD/e/d:a{write}=1"      },
    {"string",   "0a0161 200c 7a026869",               "spBv1.0/g/DCMD/e/d:a{write}=hi"     },
    {"bytes",    "0a0161 2011 820102cafe",             "spBv1.0/g/DCMD/e/d:a{write}=cafe"   },
    {"by alias", "1005 2005 5001",                     "spBv1.0/g/DCMD/e/d:alias 5{write}=1"},
    {"null",     "0a0161 2005 3801",                   "spBv1.0/g/DCMD/e/d:a{write}"        },
};

START_TEST(sparkplug_metrics)
{
    char payload[256], hex[128];
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, metrics[_i].metric);
    snprintf(hex, sizeof hex, "12 %02zx %s", size, metrics[_i].metric);
    snprintf(payload, sizeof payload, "08 8080808001 %s 1805", hex);
    struct probe *p = connected(CONNECT_311);
    publish_hex(p, true, "spBv1.0/g/DCMD/e/d", payload);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(strcmp(e->items, metrics[_i].items) == 0, "%s: %s", metrics[_i].shows, e->items);
    ck_assert_str_eq(e->operation, "write");
    ck_assert_str_eq(e->unit, "e/d");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* [SP] 6.4.7: a birth gives name, type and alias; data and commands have the alias only. */
START_TEST(sparkplug_aliases)
{
    struct probe *p = connected(CONNECT_311);
    publish_hex(p, true, "spBv1.0/g/NBIRTH/e", "12 0b 0a03616263 1005 2003 5001 1800");
    publish_hex(p, true, "spBv1.0/g/DBIRTH/e/d",
                "12 1a 0a12 4e6f646520436f6e74726f6c2f5265626f6f 1006 200b 7000 1801");
    publish_hex(p, true, "spBv1.0/g/NDATA/e", "12 08 1005 50feffffff0f 1802");
    publish_hex(p, true, "spBv1.0/g/NDATA/e", "12 04 1007 5001 1803");
    publish_hex(p, true, "spBv1.0/g/NDATA/other", "12 04 1005 5001 1800");
    publish_hex(p, false, "spBv1.0/g/NCMD/e", "12 04 1005 5009");
    ck_assert_str_eq(probe_event(p, 2)->items, "spBv1.0/g/NDATA/e:abc=-2");
    ck_assert_str_eq(probe_event(p, 3)->items, "spBv1.0/g/NDATA/e:alias 7=1");
    ck_assert_str_eq(probe_event(p, 4)->items, "spBv1.0/g/NDATA/other:alias 5=1");
    ck_assert_str_eq(probe_event(p, 5)->items, "spBv1.0/g/NCMD/e:abc=9");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(sparkplug_orders_to_the_node)
{
    static const struct {
        const char *name, *operation;
        size_t size;
    } rows[] = {
        {"4e6f646520436f6e74726f6c2f5265626f6f74",           "restart",       19},
        {"4e6f646520436f6e74726f6c2f4e65787420536572766572", "config_change", 24},
        {"4e6f646520436f6e74726f6c2f52656269727468",         "subscribe",     20},
        {"4e6f646520436f6e74726f6c2f536f6d657468696e6721",   "write",         23},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char payload[256];
        snprintf(payload, sizeof payload, "12 %02zx 0a %02zx %s 200b 7001", rows[i].size + 6,
                 rows[i].size, rows[i].name);
        struct probe *p = connected(CONNECT_311);
        publish_hex(p, true, "spBv1.0/g/NCMD/e", payload);
        ck_assert_str_eq(probe_event(p, 0)->operation, rows[i].operation);
        ck_assert_str_eq(probe_event(p, 0)->unit, "e");
        probe_destroy(p);
    }
}
END_TEST

#define MAKE  "12 22 0a18 50726f706572746965732f4861726477617265204d616b65 200c 7a04 41636d65 "
#define MODEL "12 23 0a19 50726f706572746965732f4861726477617265204d6f64656c 200c 7a04 58313030 "

START_TEST(sparkplug_births)
{
    struct probe *p = connected(CONNECT_311);
    publish_hex(p, true, "spBv1.0/g/NBIRTH/e", MAKE MODEL "1800");
    publish_hex(p, false, "spBv1.0/g/NBIRTH/e", MAKE "1800"); /* the broker is not Acme's */
    publish_hex(p, true, "spBv1.0/g/NDATA/e", MAKE "1801");   /* no birth */
    ck_assert_str_eq(probe_event(p, 0)->facts, "vendor=Acme; product=X100");
    ck_assert_str_eq(probe_event(p, 0)->operation, "publish");
    ck_assert_str_eq(probe_event(p, 1)->facts, "");
    ck_assert_str_eq(probe_event(p, 2)->facts, "");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(sparkplug_sequence)
{
    struct probe *p = connected(CONNECT_311);
    publish_hex(p, true, "spBv1.0/g/NBIRTH/e", "1800");
    publish_hex(p, true, "spBv1.0/g/DBIRTH/e/d", "1801");
    publish_hex(p, true, "spBv1.0/g/DDATA/e/d", "1802");
    publish_hex(p, true, "spBv1.0/g/NCMD/e", "1800"); /* a command is not counted */
    publish_hex(p, true, "spBv1.0/g/DDATA/e/d", "1803");
    ck_assert_uint_eq(p->violation_count, 0);
    publish_hex(p, true, "spBv1.0/g/DDATA/e/d", "1805");
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert_int_eq(probe_violation(p, 0)->kind, VIOLATION_SEQUENCE);
    publish_hex(p, true, "spBv1.0/g/NBIRTH/e", "1800");
    publish_hex(p, true, "spBv1.0/g/DDATA/f/d", "1864"); /* another node */
    publish_hex(p, true, "spBv1.0/g/NBIRTH/f", "18ff01");
    publish_hex(p, true, "spBv1.0/g/DDATA/f/d", "1800"); /* 255, then 0 */
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

/* --- recognising and framing --- */

static const struct claim_row {
    const char *shows, *bytes;
    enum claim claim;
} claims[] = {
    {"connect 3.1.1",             CONNECT_311,                     CLAIM_YES },
    {"connect 3.1",               CONNECT_31,                      CLAIM_YES },
    {"connect 5",                 CONNECT_5,                       CLAIM_YES },
    {"connect cut",               "10 0e 00044d51",                CLAIM_MORE},
    {"connect of another name",   "10 0e 00044d515455 04 02 003c", CLAIM_NO  },
    {"connect of level 6",        "10 0e 00044d515454 06 02 003c", CLAIM_NO  },
    {"connack",                   "20 02 00 00",                   CLAIM_WEAK},
    {"connack of flags 2",        "20 02 02 00",                   CLAIM_NO  },
    {"publish",                   "30 05 0001 61 6869",            CLAIM_WEAK},
    {"publish with a zero topic", "30 05 0001 00 6869",            CLAIM_NO  },
    {"publish without a topic",   "30 05 0000 61 6869",            CLAIM_NO  },
    {"publish of QoS 3",          "36 05 0001 61 6869",            CLAIM_NO  },
    {"subscribe",                 "82 06 0001 0001 61 00",         CLAIM_WEAK},
    {"subscribe with flags 0",    "80 06 0001 0001 61 00",         CLAIM_NO  },
    {"suback of QoS 2",           "90 03 0001 02",                 CLAIM_WEAK},
    {"suback of version 5",       "90 04 0001 00 87",              CLAIM_WEAK},
    {"suback of code 3",          "90 03 0001 03",                 CLAIM_NO  },
    {"suback of id 0",            "90 03 0000 00",                 CLAIM_NO  },
    {"one ping",                  "c0 00",                         CLAIM_MORE},
    {"two pings",                 "c0 00 c0 00",                   CLAIM_WEAK},
    {"a ping of length 1",        "c0 01 c0 00",                   CLAIM_NO  },
    {"type 0",                    "00 00 00 00",                   CLAIM_NO  },
    {"zeros",                     "00 00 00 00 00 00 00 00",       CLAIM_NO  },
    {"TLS",                       "16 03 01 00 50 01 00 00",       CLAIM_NO  },
    {"a TPKT",                    "03 00 00 16 11 e0 00 00",       CLAIM_NO  },
    {"HTTP",                      "47 45 54 20 2f 20 48 54",       CLAIM_NO  },
    {"a length of five bytes",    "30 ff ff ff ff 7f",             CLAIM_NO  },
};

START_TEST(claims_are_right)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, claims[_i].bytes);
    ck_assert_msg(probe_recognise(&dissector_mqtt, bytes, size) == claims[_i].claim, "%s",
                  claims[_i].shows);
}
END_TEST

START_TEST(every_prefix_asks_for_more)
{
    static const char *const good[] = {CONNECT_311, "82 0c 0005 0003 612f23 01 0001 62 00",
                                       "30 8501 0001 61"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint8_t bytes[256] = {0};
        size_t size = hex_bytes(bytes, sizeof bytes, good[i]);
        if (i == 2) { /* a length of two bytes */
            memset(bytes + size, 'x', 130);
            size += 130;
        }
        for (size_t n = 0; n < size; n++) {
            struct frame f = probe_frame(&dissector_mqtt, bytes, n);
            ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
            ck_assert_int_ne(probe_recognise(&dissector_mqtt, bytes, n), CLAIM_NO);
        }
        ck_assert_uint_eq(probe_frame(&dissector_mqtt, bytes, size).size, size);
        for (size_t n = 1; n < size; n++) {
            struct probe *p = probe_create(TRANSPORT_TCP);
            p->flow.is_start_seen = false;
            probe_stream(p, &dissector_mqtt, true, bytes, n);
            probe_stream(p, &dissector_mqtt, true, bytes + n, size - n);
            ck_assert_msg(p->event_count == 1, "split at %zu", n);
            ck_assert_uint_eq(p->violation_count, 0);
            probe_destroy(p);
        }
    }
}
END_TEST

static const struct broken_row {
    const char *shows, *bytes;
    enum frame_verdict verdict;
} broken[] = {
    {"type 0",                 "00 00",             FRAME_BROKEN},
    {"a length of five bytes", "30 80 80 80 80 01", FRAME_BROKEN},
    {"a connect of 11",        "10 0b",             FRAME_BROKEN},
    {"a connect of 12",        "10 0c",             FRAME_NEED  },
    {"a subscribe of 4",       "82 04",             FRAME_BROKEN},
    {"131072 with its header", "30 fcff07",         FRAME_NEED  },
    {"131073 with its header", "30 fdff07",         FRAME_BROKEN},
};

START_TEST(framing_at_the_bounds)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, broken[_i].bytes);
    ck_assert_msg(probe_frame(&dissector_mqtt, bytes, size).verdict == broken[_i].verdict, "%s",
                  broken[_i].shows);
}
END_TEST

static const struct wrong_row {
    const char *shows, *connect;
    bool is_from_client;
    const char *packet;
    enum violation_kind kind;
} wrongs[] = {
    {"a second connect",          CONNECT_311, true,  CONNECT_311,                                            VIOLATION_STATE    },
    {"the server connects",       NULL,        false, CONNECT_311,                                            VIOLATION_DIRECTION},
    {"the client acknowledges",   CONNECT_311, true,  "20 02 00 00",                                          VIOLATION_DIRECTION},
    {"reserved flag of connect",  NULL,        true,  "10 0e 00044d515454 04 03 003c 0002 6331",
     VIOLATION_RESERVED                                                                                                          },
    {"will of QoS 3",             NULL,        true,  "10 13 00044d515454 04 1e 003c 0002 6331 0001 77 0000",
     VIOLATION_ENCODING                                                                                                          },
    {"QoS without a will",        NULL,        true,  "10 0e 00044d515454 04 0a 003c 0002 6331",
     VIOLATION_ENCODING                                                                                                          },
    {"password without user",     NULL,        true,  "10 11 00044d515454 04 42 003c 0002 6331 0001 70",
     VIOLATION_ENCODING                                                                                                          },
    {"another name",              NULL,        true,  "10 0e 00044d515455 04 02 003c 0002 6331",              VIOLATION_ENCODING },
    {"client id past the end",    NULL,        true,  "10 0e 00044d515454 04 02 003c 0003 6331",
     VIOLATION_TRUNCATED                                                                                                         },
    {"nobody connected",          NULL,        true,  "30 05 0001 61 6869",                                   VIOLATION_STATE    },
    {"QoS 3",                     CONNECT_311, true,  "36 07 0001 61 0001 6869",                              VIOLATION_ENCODING },
    {"packet id 0",               CONNECT_311, true,  "32 07 0001 61 0000 6869",                              VIOLATION_RANGE    },
    {"a wildcard in a topic",     CONNECT_311, true,  "30 05 0001 23 6869",                                   VIOLATION_ENCODING },
    {"an empty topic",            CONNECT_311, true,  "30 04 0000 6869",                                      VIOLATION_ENCODING },
    {"a topic past the end",      CONNECT_311, true,  "30 04 0005 6869",                                      VIOLATION_TRUNCATED},
    {"reserved flags of pubrel",  CONNECT_311, true,  "60 02 0001",                                           VIOLATION_RESERVED },
    {"a subscription of nothing", CONNECT_5,   true,  "82 05 0001 02 0b07",                                   VIOLATION_COUNT    },
    {"an empty filter",           CONNECT_311, true,  "82 05 0001 0000 00",                                   VIOLATION_ENCODING },
    {"reserved options",          CONNECT_311, true,  "82 06 0001 0001 61 40",                                VIOLATION_RESERVED },
    {"a filter past the end",     CONNECT_311, true,  "82 06 0001 0004 61 00",                                VIOLATION_TRUNCATED},
    {"an unknown property",       CONNECT_5,   true,  "30 08 0001 61 02 7f00 6869",                           VIOLATION_ENCODING },
    {"properties past the end",   CONNECT_5,   true,  "30 06 0001 61 09 6869",                                VIOLATION_TRUNCATED},
    {"reserved flags of connack", CONNECT_311, false, "20 02 02 00",                                          VIOLATION_RESERVED },
};

START_TEST(wrong_packets)
{
    struct probe *p =
        wrongs[_i].connect ? connected(wrongs[_i].connect) : probe_create(TRANSPORT_TCP);
    say(p, wrongs[_i].is_from_client, wrongs[_i].packet);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s", wrongs[_i].shows);
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

START_TEST(picked_up_in_the_middle)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = false;
    p->flow.is_role_known = false;
    say(p, false, "82 06 0001 0001 61 00"); /* who subscribes is the client */
    publish(p, false, "x/set", "5");
    say(p, false, "30 09 0005 782f736574 00 36"); /* [5], no properties */
    ck_assert(probe_event(p, 0)->is_from_client);
    ck_assert_str_eq(probe_event(p, 1)->operation, "write");
    ck_assert_str_eq(probe_event(p, 1)->items, "x/set=5");
    ck_assert_str_eq(probe_event(p, 2)->items, "x/set=6");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mqtt");
    TCase *tc = tcase_create("mqtt");
    tcase_add_loop_test(tc, a_packet_of_each_type, 0, COUNT(packets));
    tcase_add_loop_test(tc, connecting, 0, COUNT(connects));
    tcase_add_test(tc, subscriptions_are_answered);
    tcase_add_test(tc, version_5_has_properties);
    tcase_add_test(tc, flags_of_a_message);
    tcase_add_test(tc, commands_of_sparkplug_are_not_retained);
    tcase_add_loop_test(tc, commands, 0, COUNT(topics));
    tcase_add_loop_test(tc, payloads, 0, COUNT(values));
    tcase_add_test(tc, telemetry_is_taken_apart_where_it_comes_from);
    tcase_add_test(tc, telemetry_without_a_topic);
    tcase_add_test(tc, more_values_than_are_kept);
    tcase_add_loop_test(tc, sparkplug_metrics, 0, COUNT(metrics));
    tcase_add_test(tc, sparkplug_aliases);
    tcase_add_test(tc, sparkplug_orders_to_the_node);
    tcase_add_test(tc, sparkplug_births);
    tcase_add_test(tc, sparkplug_sequence);
    tcase_add_loop_test(tc, claims_are_right, 0, COUNT(claims));
    tcase_add_test(tc, every_prefix_asks_for_more);
    tcase_add_loop_test(tc, framing_at_the_bounds, 0, COUNT(broken));
    tcase_add_loop_test(tc, wrong_packets, 0, COUNT(wrongs));
    tcase_add_test(tc, picked_up_in_the_middle);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
