/* test_opcua.c: OPC UA over TCP, held against OPC 10000-4, 10000-6 and PROTOCOLS 12. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_opcua;

enum { ROOM = 1 << 16 };

#define REQUEST_HEADER  "0000 0000000000000000 01000000 00000000 ffffffff 00000000 000000"
#define RESPONSE_HEADER "0000000000000000 01000000 00000000 00 ffffffff 000000"
#define REFUSED(status) "0000000000000000 01000000 " status " 00 ffffffff 000000"
#define HELLO                                                                                      \
    "48454c46 3a000000 00000000 00000100 00000100 00000000 00000000 1a000000 "                     \
    "6f70632e7463703a2f2f706c632d6f70633a343834302f5541"                                           \
    "2f"
#define ACKNOWLEDGE "41434b46 1c000000 00000000 00200000 00200000 00000000 00000000"
#define POLICY_NONE                                                                                \
    "2f000000 "                                                                                    \
    "687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379"         \
    "234e6f6e65 ffffffff ffffffff "

static void put32(uint8_t *out, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(n >> 8 * i);
}

/* A conversation that counts its sequence numbers. */
struct talk {
    struct probe *p;
    uint32_t sequence[2];
    uint32_t token;
};

static struct talk talk(void)
{
    return (struct talk){
        probe_create(TRANSPORT_TCP), {0, 0},
         1
    };
}

/* A chunk of MSG, CLO (after the token) or OPN (after the policy). Returns its size. */
static size_t chunk(struct talk *t, uint8_t *out, bool is_from_client, const char *type,
                    uint32_t request, const char *body)
{
    memcpy(out, type, 4);
    put32(out + 8, 7);
    size_t size = 12;
    if (memcmp(type, "OPN", 3) == 0) {
        size += hex_bytes(out + size, ROOM - size, POLICY_NONE);
    } else {
        put32(out + size, t->token);
        size += 4;
    }
    put32(out + size, ++t->sequence[is_from_client]);
    put32(out + size + 4, request);
    size += 8;
    size += hex_bytes(out + size, ROOM - size, body);
    put32(out + 4, (uint32_t)size);
    return size;
}

static void say(struct talk *t, bool is_from_client, const char *type, uint32_t request,
                const char *body)
{
    static uint8_t bytes[ROOM];
    size_t size = chunk(t, bytes, is_from_client, type, request, body);
    ck_assert_int_eq(probe_stream(t->p, &dissector_opcua, is_from_client, bytes, size),
                     FRAME_COMPLETE);
}

static void say_hex(struct talk *t, bool is_from_client, const char *hex)
{
    uint8_t bytes[1024];
    size_t size = hex_bytes(bytes, sizeof bytes, hex);
    ck_assert_int_eq(probe_stream(t->p, &dissector_opcua, is_from_client, bytes, size),
                     FRAME_COMPLETE);
}

/* HEL, ACK and OPN with policy None; forgets what they gave. */
static struct talk open_channel(void)
{
    struct talk t = talk();
    say_hex(&t, true, HELLO);
    say_hex(&t, false, ACKNOWLEDGE);
    say(&t, true, "OPNF", 1,
        "0100be01 " REQUEST_HEADER " 00000000 00000000 01000000 ffffffff 80ee3600");
    say(&t, false, "OPNF", 1,
        "0100c101 " RESPONSE_HEADER
        " 00000000 07000000 01000000 0000000000000000 80ee3600 ffffffff");
    ck_assert_uint_eq(t.p->violation_count, 0);
    ck_assert_uint_eq(t.p->event_count, 4);
    return t;
}

static struct talk clear_channel(void)
{
    struct talk t = open_channel();
    probe_clear(t.p);
    return t;
}

static void service(struct talk *t, bool is_from_client, unsigned id, const char *header,
                    const char *fields)
{
    char body[8192];
    snprintf(body, sizeof body, "0100%02x%02x %s %s", id & 0xff, id >> 8, header, fields);
    say(t, is_from_client, id == 452 ? "CLOF" : "MSGF", 9, body);
}

static void request(struct talk *t, unsigned id, const char *fields)
{
    service(t, true, id, REQUEST_HEADER, fields);
}

static void response(struct talk *t, unsigned id, const char *fields)
{
    service(t, false, id, RESPONSE_HEADER, fields);
}

/* --- connection and channel --- */

START_TEST(a_channel_is_opened)
{
    struct talk t = open_channel();
    static const struct {
        const char *code, *direction, *name, *detail;
        uint32_t function;
    } rows[] = {
        {"HEL",     "request",  "hello",               "opc.tcp://plc-opc:4840/UA/", 0  },
        {"ACK",     "response", "acknowledge",         "",                           0  },
        {"OPN:446", "request",  "open_secure_channel", "policy None, mode none",     446},
        {"OPN:449", "response", "open_secure_channel", "",                           449},
    };
    for (size_t i = 0; i < 4; i++) {
        const struct probe_event *e = probe_event(t.p, i);
        ck_assert_str_eq(e->protocol, "opcua");
        ck_assert_str_eq(e->code, rows[i].code);
        ck_assert_str_eq(e->direction, rows[i].direction);
        ck_assert_str_eq(e->name, rows[i].name);
        ck_assert_str_eq(e->detail, rows[i].detail);
        ck_assert_uint_eq(e->function, rows[i].function);
        ck_assert_str_eq(e->operation, "session");
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_str_eq(probe_event(t.p, 0)->facts, "~host_name=plc-opc");
    ck_assert_str_eq(probe_event(t.p, 3)->status, "ok");
    probe_destroy(t.p);
}
END_TEST

static const struct url_row {
    const char *shows, *url, *facts;
} urls[] = {
    {"an address is no name",   "6f70632e7463703a2f2f31302e302e302e323a34383430", ""              },
    {"a name without port",     "6f70632e7463703a2f2f706c63",                     "~host_name=plc"},
    {"localhost is no name",    "6f70632e7463703a2f2f6c6f63616c686f73743a31",     ""              },
    {"an IPv6 address is none", "6f70632e7463703a2f2f5b666538303a3a615d",         ""              },
    {"another scheme",          "687474703a2f2f706c63",                           ""              },
};

START_TEST(host_names)
{
    char hex[256];
    size_t size = strlen(urls[_i].url) / 2;
    snprintf(hex, sizeof hex,
             "48454c46 %02zx000000 00000000 00000100 00000100 0000000000000000 %02zx000000 %s",
             size + 32, size, urls[_i].url);
    struct talk t = talk();
    say_hex(&t, true, hex);
    ck_assert_msg(strcmp(probe_event(t.p, 0)->facts, urls[_i].facts) == 0, "%s", urls[_i].shows);
    probe_destroy(t.p);
}
END_TEST

START_TEST(errors_and_reverse_hello)
{
    struct talk t = talk();
    say_hex(&t, false, "45525246 14000000 00007e80 04000000 6f6f7073");
    say_hex(&t, false, "52484546 1e000000 04000000 75726e3a 0a000000 6f70632e7463703a2f2f");
    const struct probe_event *e = probe_event(t.p, 0), *r = probe_event(t.p, 1);
    ck_assert_str_eq(e->code, "ERR");
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->operation, "error");
    ck_assert_str_eq(e->status, "error 2155741184 bad_tcp_message_type_invalid");
    ck_assert_str_eq(e->detail, "oops");
    ck_assert_str_eq(r->code, "RHE");
    ck_assert_str_eq(r->direction, "request");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* --- services --- */

static const struct service_row {
    unsigned request, response;
    const char *operation, *name;
} services[] = {
    {422,   425,   "discover",       "find_servers"                      },
    {12208, 12209, "discover",       "find_servers_on_network"           },
    {428,   431,   "discover",       "get_endpoints"                     },
    {437,   440,   "config_change",  "register_server"                   },
    {12211, 12212, "config_change",  "register_server_2"                 },
    {461,   464,   "session",        "create_session"                    },
    {467,   470,   "auth",           "activate_session"                  },
    {473,   476,   "session",        "close_session"                     },
    {479,   482,   "session",        "cancel"                            },
    {488,   491,   "program_modify", "add_nodes"                         },
    {494,   497,   "program_modify", "add_references"                    },
    {500,   503,   "program_delete", "delete_nodes"                      },
    {506,   509,   "program_delete", "delete_references"                 },
    {527,   530,   "browse",         "browse"                            },
    {533,   536,   "browse",         "browse_next"                       },
    {554,   557,   "browse",         "translate_browse_paths_to_node_ids"},
    {560,   563,   "browse",         "register_nodes"                    },
    {566,   569,   "browse",         "unregister_nodes"                  },
    {615,   618,   "browse",         "query_first"                       },
    {621,   624,   "browse",         "query_next"                        },
    {631,   634,   "read",           "read"                              },
    {664,   667,   "read",           "history_read"                      },
    {673,   676,   "write",          "write"                             },
    {700,   703,   "write",          "history_update"                    },
    {712,   715,   "control",        "call"                              },
    {751,   754,   "subscribe",      "create_monitored_items"            },
    {763,   766,   "subscribe",      "modify_monitored_items"            },
    {769,   772,   "subscribe",      "set_monitoring_mode"               },
    {775,   778,   "subscribe",      "set_triggering"                    },
    {781,   784,   "subscribe",      "delete_monitored_items"            },
    {787,   790,   "subscribe",      "create_subscription"               },
    {793,   796,   "subscribe",      "modify_subscription"               },
    {799,   802,   "subscribe",      "set_publishing_mode"               },
    {826,   829,   "publish",        "publish"                           },
    {832,   835,   "session",        "republish"                         },
    {841,   844,   "session",        "transfer_subscriptions"            },
    {847,   850,   "subscribe",      "delete_subscriptions"              },
    {410,   413,   "diagnostics",    "test_stack"                        },
    {416,   419,   "diagnostics",    "test_stack_ex"                     },
};

/* Zeros are a valid, empty body of every service: null strings and arrays of no elements. */
#define EMPTY                                                                                      \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"

START_TEST(a_service_and_its_answers)
{
    const struct service_row *row = &services[_i];
    struct talk t = clear_channel();
    char code[16];
    request(&t, row->request, EMPTY);
    response(&t, row->response, EMPTY);
    request(&t, row->request, EMPTY);
    service(&t, false, 397, REFUSED("00001f80"), "");
    for (size_t i = 0; i < 4; i++) {
        const struct probe_event *e = probe_event(t.p, i);
        unsigned id = i == 3 ? 397 : i == 1 ? row->response : row->request;
        snprintf(code, sizeof code, "MSG:%u", id);
        ck_assert_str_eq(e->code, code);
        ck_assert_uint_eq(e->function, id);
        ck_assert_str_eq(e->direction, i % 2 ? "response" : "request");
        ck_assert_str_eq(e->operation, row->operation);
        ck_assert_str_eq(e->name, i == 3 ? "service_fault" : row->name);
        ck_assert_str_eq(e->status, i == 3   ? "error 2149515264 bad_user_access_denied"
                                    : i == 1 ? "ok"
                                             : "");
        ck_assert_uint_eq(e->transaction, 9);
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(closing_needs_no_answer)
{
    struct talk t = clear_channel();
    request(&t, 452, "");
    ck_assert_str_eq(probe_event(t.p, 0)->code, "CLO:452");
    ck_assert_str_eq(probe_event(t.p, 0)->operation, "session");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(answers_without_request)
{
    struct talk t = clear_channel();
    response(&t, 634, "00000000");
    response(&t, 829, EMPTY);
    service(&t, false, 397, REFUSED("00007980"), "");
    ck_assert_uint_eq(probe_event(t.p, 0)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(probe_event(t.p, 1)->flags, 0); /* publish waits for hours */
    ck_assert_uint_eq(probe_event(t.p, 2)->flags, 0);
    ck_assert_str_eq(probe_event(t.p, 2)->operation, "error");
    ck_assert_str_eq(probe_event(t.p, 2)->status, "error 2155413504 bad_no_subscription");
    probe_destroy(t.p);
}
END_TEST

START_TEST(a_refused_answer_has_no_body)
{
    struct talk t = clear_channel();
    request(&t, 467, EMPTY);
    service(&t, false, 470, REFUSED("00002180"), "");
    const struct probe_event *e = probe_event(t.p, 1);
    ck_assert_str_eq(e->operation, "auth");
    ck_assert_str_eq(e->status, "error 2149646336 bad_identity_token_rejected");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* --- nodes and values --- */

static const struct node_row {
    const char *shows, *node, *name;
} nodes[] = {
    {"two bytes",             "00 54",                                    "ns=0;i=84"            },
    {"four bytes",            "01 02 e803",                               "ns=2;i=1000"          },
    {"numeric",               "02 0300 40e20100",                         "ns=3;i=123456"        },
    {"greatest numeric",      "02 ffff ffffffff",                         "ns=65535;i=4294967295"},
    {"string",                "03 0400 09000000 54616e6b2e54656d70",      "ns=4;s=Tank.Temp"     },
    {"empty string",          "03 0400 ffffffff",                         "ns=4;s="              },
    {"guid",                  "04 0100 7832fe29418dfbe8536bb9cec7dbc2dc",
     "ns=1;g=29fe3278-8d41-e8fb-536b-b9cec7dbc2dc"                                               },
    {"opaque, one byte left", "05 0000 04000000 4d2f7a01",                "ns=0;b=TS96AQ=="      },
    {"opaque, none left",     "05 0000 03000000 4d2f7a",                  "ns=0;b=TS96"          },
};

START_TEST(node_ids)
{
    char fields[256];
    struct talk t = clear_channel();
    snprintf(fields, sizeof fields,
             "0000000000000000 00000000 01000000 %s 0d000000 ffffffff 0000 ffffffff",
             nodes[_i].node);
    request(&t, 631, fields);
    ck_assert_msg(strcmp(probe_event(t.p, 0)->items, nodes[_i].name) == 0, "%s: %s",
                  nodes[_i].shows, probe_event(t.p, 0)->items);
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

static const struct value_row {
    const char *shows, *variant, *value;
} values[] = {
    {"null",                               "00",                                                                ""                                                                  },
    {"true",                               "01 01",                                                             "=1"                                                                },
    {"a boolean of 255",                   "01 ff",                                                             "=255"                                                              },
    {"sbyte",                              "02 ff",                                                             "=-1"                                                               },
    {"byte",                               "03 ff",                                                             "=255"                                                              },
    {"int16",                              "04 feff",                                                           "=-2"                                                               },
    {"uint16",                             "05 feff",                                                           "=65534"                                                            },
    {"int32",                              "06 feffffff",                                                       "=-2"                                                               },
    {"uint32",                             "07 feffffff",                                                       "=4294967294"                                                       },
    {"int64",                              "08 feffffffffffffff",                                               "=-2"                                                               },
    {"uint64",                             "09 feffffffffffffff",                                               "=18446744073709551614"                                             },
    {"float",                              "0a 00002041",                                                       "=10"                                                               },
    {"double",                             "0b 0000000000005140",                                               "=68"                                                               },
    {"string",                             "0c 03000000 616263",                                                "=abc"                                                              },
    {"null string",                        "0c ffffffff",                                                       ""                                                                  },
    {"time",                               "0d 00a0d1fe9575dc01",                                               "=2025-12-25T12:00:00.000000Z"                                      },
    {"time with a fraction",               "0d 92140e93a8f3d801",                                               "=2022-11-08T19:30:35.465845Z"                                      },
    {"time of nothing",                    "0d 0000000000000000",                                               ""                                                                  },
    {"guid",                               "0e 000102030405060708090a0b0c0d0e0f",                               "=000102030405060708090a0b0c0d0e0f"                                 },
    {"byte string",                        "0f 02000000 cafe",                                                  "=cafe"                                                             },
    {"xml",                                "10 01000000 3c",                                                    "=<"                                                                },
    {"node id",                            "11 01 02 e803",                                                     "=ns=2;i=1000"                                                      },
    {"expanded node id",                   "12 81 02 e803 01000000 75",                                         "=ns=2;i=1000"                                                      },
    {"server index",                       "12 40 55 03000000",                                                 "=ns=0;i=85"                                                        },
    {"status code",                        "13 00003480",                                                       "=2150891520"                                                       },
    {"qualified name",                     "14 0200 01000000 51",                                               "=Q"                                                                },
    {"localized text",                     "15 03 02000000 656e 02000000 4869",                                 "=Hi"                                                               },
    {"extension object",                   "16 01 01 0100 01 02000000 beef",                                    "=beef"                                                             },
    {"data value",                         "17 3f 03 07 00000080 0000000000000000 0000 0000000000000000 0000",  "=7"                                                                },
    {"diagnostic info",                    "19 7f 01000000 02000000 03000000 04000000 01000000 41 05000000 00", ""                                                                  },
    {"an array of int16",                  "84 03000000 0100 0200 ffff",                                        "=1,2,-1"                                                           },
    {"an array of booleans",               "81 02000000 01 00",                                                 "=1,0"                                                              },
    {"nine booleans",                      "81 09000000 01 00 00 00 00 00 00 01 01",                            "=1,0,0,0,0,0,0,1,1"                                                },
    {"booleans beyond 1",                  "81 02000000 01 ff",                                                 "=1,255"                                                            },
    {"an array of strings",                "8c 02000000 01000000 61 01000000 62",                               "=a|b"                                                              },
    {"a null array",                       "86 ffffffff",                                                       ""                                                                  },
    {"a matrix",                           "c3 02000000 07 08 02000000 01000000 02000000",                      "=7,8"                                                              },
    {"an array of variants",               "98 02000000 03 01 06 02000000",                                     "=1|2"                                                              },
    {"an array of variants with an array", "98 02000000 85 02000000 0100 0200 0c 01000000 61",
     "=1|2|a"                                                                                                                                                                       },
    {"an array of data values",            "97 02000000 01 0a 00002041 03 06 02000000 00000080",                "=10|2"                                                             },
    {"an array of times",                  "8d 02000000 00a0d1fe9575dc01 92140e93a8f3d801",
     "=2025-12-25T12:00:00.000000Z|2022-11-08T19:30:35.465845Z"                                                                                                                     },
    {"an array of guids",
     "8e 02000000 000102030405060708090a0b0c0d0e0f 100102030405060708090a0b0c0d0e0f",                           "=000102030405060708090a0b0c0d0e0f|100102030405060708090a0b0c0d0e0f"},
    {"a reserved type",                    "1a 01000000 ff",                                                    "=ff"                                                               },
};

START_TEST(variants)
{
    const struct value_row *row = &values[_i];
    char fields[512], wanted[128];
    struct talk t = clear_channel();
    snprintf(fields, sizeof fields,
             "02000000 01 02 e803 0d000000 ffffffff 01 %s 00 05 0d000000 ffffffff 01 03 63",
             row->variant);
    request(&t, 673, fields);
    snprintf(wanted, sizeof wanted, "ns=2;i=1000%s; ns=0;i=5=99", row->value);
    const struct probe_event *e = probe_event(t.p, 0);
    ck_assert_msg(strcmp(e->items, wanted) == 0, "%s: %s", row->shows, e->items);
    ck_assert_uint_eq(t.p->violation_count, 0);
    ck_assert_str_eq(e->operation, "write");
    probe_destroy(t.p);
}
END_TEST

/* [6] A.2 */
START_TEST(status_codes_have_names)
{
    static const struct {
        const char *code, *status;
    } rows[] = {
        {"00007380", "error 2155020288 bad_write_not_supported"},
        {"00006f80", "error 2154758144 bad_no_match"           },
        {"00008c80", "error 2156658688 bad_sensor_failure"     },
        {"0000ff8f", "error 2415853568"                        },
    };
    char answer[64];
    struct talk t = clear_channel();
    request(&t, 673, "01000000 01 02 e803 0d000000 ffffffff 01 01 01");
    snprintf(answer, sizeof answer, "01000000 %s 00000000", rows[_i].code);
    response(&t, 676, answer);
    ck_assert_str_eq(probe_event(t.p, 1)->items + strlen("ns=2;i=1000 "), rows[_i].status);
    probe_destroy(t.p);
}
END_TEST

/* [6] 5.2.2.1: one byte each, 0 and 1; in an array as alone. */
START_TEST(booleans_are_no_numbers)
{
    static const struct {
        const char *variant;
        bool is_boolean;
    } rows[] = {
        {"01 01",             true },
        {"01 ff",             false},
        {"81 02000000 00 01", true },
        {"81 02000000 00 02", false},
        {"83 02000000 00 01", false},
    };
    char fields[128];
    struct talk t = clear_channel();
    snprintf(fields, sizeof fields, "01000000 01 02 e803 0d000000 ffffffff 01 %s",
             rows[_i].variant);
    request(&t, 673, fields);
    ck_assert_int_eq(probe_event(t.p, 0)->is_boolean, rows[_i].is_boolean);
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(reads_are_answered_with_names_and_values)
{
    struct talk t = clear_channel();
    request(&t, 631,
            "0000000000000000 00000000 03000000 "
            "03 0100 05000000 4c6576656c 0d000000 ffffffff 0000 ffffffff "
            "01 02 e803 0d000000 03000000 303a32 0000 ffffffff "
            "01 02 e903 03000000 ffffffff 0000 ffffffff");
    response(&t, 634,
             "03000000 0d 0b 0000000000005140 0000000000000000 0000000000000000 "
             "02 00003480 01 0c 02000000 6869 00000000");
    const struct probe_event *asked = probe_event(t.p, 0), *told = probe_event(t.p, 1);
    ck_assert_str_eq(asked->items, "ns=1;s=Level; ns=2;i=1000[0:2]; ns=2;i=1001");
    ck_assert_str_eq(told->items,
                     "ns=1;s=Level=68!ok; ns=2;i=1000[0:2]!error 2150891520 bad_node_id_unknown; "
                     "ns=2;i=1001=hi!ok");
    ck_assert_str_eq(told->status, "ok");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* [5] 6.3.2: State and CurrentTime of the server; BuildInfo is something else. */
START_TEST(asking_whether_the_server_lives_keeps_the_session)
{
    static const char *const asked[] = {"d308", "d208", "d408"}; /* 2259, 2258, 2260 */
    static const char *const operations[] = {"session", "session", "read"};
    char body[128];
    struct talk t = clear_channel();
    for (size_t i = 0; i < 3; i++) {
        snprintf(body, sizeof body,
                 "0000000000000000 00000000 01000000 "
                 "01 00 %s 0d000000 ffffffff 0000 ffffffff",
                 asked[i]);
        request(&t, 631, body);
        response(&t, 634, "01000000 01 06 00000000 00000000");
        ck_assert_str_eq(probe_event(t.p, 2 * i)->operation, operations[i]);
        ck_assert_str_eq(probe_event(t.p, 2 * i + 1)->operation, operations[i]);
    }
    probe_destroy(t.p);
}
END_TEST

/* More names than one remembered piece holds. */
START_TEST(many_nodes_are_remembered)
{
    enum { NODES = 60 };
    static char fields[NODES * 100];
    struct talk t = clear_channel();
    size_t used =
        (size_t)snprintf(fields, sizeof fields, "0000000000000000 00000000 %02x000000 ", NODES);
    for (int i = 0; i < NODES; i++)
        used += (size_t)snprintf(fields + used, sizeof fields - used,
                                 "03 0100 05000000 4c6576%02x%02x 0d000000 ffffffff 0000 ffffffff ",
                                 '0' + i / 10, '0' + i % 10);
    request(&t, 631, fields);
    used = (size_t)snprintf(fields, sizeof fields, "%02x000000 ", NODES);
    for (int i = 0; i < NODES; i++)
        used += (size_t)snprintf(fields + used, sizeof fields - used, "01 03 %02x ", i);
    response(&t, 634, fields);
    const struct probe_event *e = probe_event(t.p, 1);
    ck_assert_uint_eq(e->item_count, NODES);
    ck_assert_uint_eq(e->items_total, NODES);
    ck_assert_ptr_nonnull(strstr(e->items, "ns=1;s=Lev00=0!ok; "));
    ck_assert_ptr_nonnull(strstr(e->items, "; ns=1;s=Lev59=59!ok"));
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(a_write_is_refused_when_all_of_it_is)
{
    static const char two[] =
        "02000000 00 05 0d000000 ffffffff 01 03 01 00 06 0d000000 ffffffff 01 03 02";
    struct talk t = clear_channel();
    request(&t, 673, two);
    response(&t, 676, "02000000 00003b80 00003c80 00000000");
    request(&t, 673, two);
    response(&t, 676, "02000000 00003b80 00000000 00000000");
    ck_assert_str_eq(probe_event(t.p, 0)->items, "ns=0;i=5=1; ns=0;i=6=2");
    ck_assert_str_eq(probe_event(t.p, 1)->status, "error 2151350272 bad_not_writable");
    ck_assert_str_eq(
        probe_event(t.p, 1)->items,
        "ns=0;i=5!error 2151350272 bad_not_writable; ns=0;i=6!error 2151415808 bad_out_of_range");
    ck_assert_str_eq(probe_event(t.p, 3)->status, "ok");
    probe_destroy(t.p);
}
END_TEST

static const struct items_row {
    unsigned id;
    const char *fields, *items;
} items[] = {
    {527,
     "00 00 0000000000000000 00000000 00000000 01000000 00 55 00000000 00 21 01 00000000 3f000000", "ns=0;i=85"                     },
    {554, "01000000 00 55 01000000 00 23 00 01 0100 01000000 41",                                   "ns=0;i=85"                     },
    {560, "02000000 00 01 00 02",                                                                   "ns=0;i=1; ns=0;i=2"            },
    {751,
     "01000000 00000000 01000000 01 02 e803 0d000000 ffffffff 0000 ffffffff 02000000 05000000 "
     "0000000000000000 000000 01000000 01",                                                         "ns=2;i=1000"                   },
    {488, "01000000 00 55 00 23 01 01 6500 0100 01000000 41 02000000 000000 00 3f",                 "ns=1;i=101"                    },
    {488, "01000000 00 55 00 23 00 00 0100 03000000 4e6577 02000000 000000 00 3f",                  "New"                           },
    {494, "01000000 01 01 6500 00 23 01 ffffffff 00 55 02000000",                                   "ns=1;i=101"                    },
    {500, "02000000 01 01 6500 01 01 01 6600 00",                                                   "ns=1;i=101; ns=1;i=102"        },
    {506, "01000000 01 01 6500 00 23 01 00 55 01",                                                  "ns=1;i=101"                    },
    {664, "01 00 8902 01 00000000 00000000 00 01000000 01 02 e803 ffffffff 0000 ffffffff ffffffff",
     "ns=2;i=1000"                                                                                                                  },
    {700, "01000000 01 00 aa02 01 04000000 01 02 e803",                                             "ns=2;i=1000"                   },
    {847, "02000000 05000000 06000000",                                                             "subscription 5; subscription 6"},
    {841, "01000000 05000000 01",                                                                   "subscription 5"                },
    {799, "00 01000000 05000000",                                                                   "subscription 5"                },
};

START_TEST(what_services_touch)
{
    struct talk t = clear_channel();
    request(&t, items[_i].id, items[_i].fields);
    ck_assert_str_eq(probe_event(t.p, 0)->items, items[_i].items);
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(results_of_nodes)
{
    struct talk t = clear_channel();
    request(&t, 527, items[0].fields);
    response(
        &t, 530,
        "01000000 00000000 ffffffff 01000000 00 23 01 01 01 6500 0100 01000000 41 02 01000000 41 "
        "01000000 00 3d ffffffff");
    request(&t, 488, items[4].fields);
    response(&t, 491, "01000000 00005e80 00 00 00000000");
    request(&t, 751, items[3].fields);
    response(&t, 754, "01000000 00003480 01000000 0000000000000000 00000000 000000 00000000");
    request(&t, 664, items[9].fields);
    response(&t, 667, "01000000 00000000 ffffffff 000000 00000000");
    request(&t, 700, items[10].fields);
    response(&t, 703, "01000000 00001f80 00000000 00000000 00000000");
    ck_assert_str_eq(probe_event(t.p, 1)->items, "ns=0;i=85=A!ok");
    ck_assert_str_eq(probe_event(t.p, 3)->items, "ns=1;i=101!error 2153644032 bad_node_id_exists");
    ck_assert_str_eq(probe_event(t.p, 3)->status, "error 2153644032 bad_node_id_exists");
    ck_assert_str_eq(probe_event(t.p, 5)->items,
                     "ns=2;i=1000!error 2150891520 bad_node_id_unknown");
    ck_assert_str_eq(probe_event(t.p, 7)->items, "ns=2;i=1000!ok");
    ck_assert_str_eq(probe_event(t.p, 9)->status, "error 2149515264 bad_user_access_denied");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(notifications)
{
    struct talk t = clear_channel();
    request(&t, 826, "00000000");
    response(&t, 829,
             "01000000 ffffffff 00 01000000 0000000000000000 01000000 "
             "01 00 2b03 01 1c000000 02000000 05000000 01 06 07000000 06000000 03 03 01 00003480 "
             "ffffffff "
             "00000000 00000000");
    response(&t, 829,
             "01000000 ffffffff 00 02000000 0000000000000000 01000000 "
             "01 00 9403 01 0e000000 01000000 08000000 01000000 03 05 00000000 00000000");
    ck_assert_str_eq(probe_event(t.p, 1)->items,
                     "monitored_item 5=7; monitored_item 6=1!error 2150891520 bad_node_id_unknown");
    ck_assert_str_eq(probe_event(t.p, 1)->operation, "publish");
    ck_assert_str_eq(probe_event(t.p, 2)->items, "event 8=5");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* --- monitored items --- */

/* A name of letters as "ns=3;s=...", monitored by a client's handle. */
static void monitor(struct talk *t, unsigned subscription, unsigned handle, const char *name,
                    const char *status)
{
    char fields[1024], hex[700] = "";
    for (size_t i = 0; name[i]; i++)
        snprintf(hex + 2 * i, sizeof hex - 2 * i, "%02x", (unsigned)name[i]);
    snprintf(fields, sizeof fields,
             "%02x000000 02000000 01000000 03 0300 %02zx000000 %s 0d000000 ffffffff 0000 ffffffff "
             "02000000 %02x%02x0000 0000000000000000 000000 01000000 01",
             subscription, strlen(name), hex, handle & 255, handle >> 8);
    request(t, 751, fields);
    snprintf(fields, sizeof fields,
             "01000000 %s 09000000 0000000000000000 01000000 000000 ffffffff", status);
    response(t, 754, fields);
}

/* A notification of one item; what it is called. */
static const char *published(struct talk *t, unsigned subscription, unsigned handle)
{
    char fields[512];
    request(t, 826, "00000000");
    snprintf(fields, sizeof fields,
             "%02x000000 ffffffff 00 01000000 0000000000000000 01000000 "
             "01 00 2b03 01 0f000000 01000000 %02x%02x0000 01 03 07 ffffffff 00000000 00000000",
             subscription, handle & 255, handle >> 8);
    response(t, 829, fields);
    return probe_event(t->p, t->p->event_count - 1)->items;
}

START_TEST(notifications_name_the_monitored_node)
{
    struct talk t = clear_channel();
    monitor(&t, 5, 77, "Tank", "00000000");
    ck_assert_str_eq(published(&t, 5, 77), "ns=3;s=Tank=7");
    ck_assert_str_eq(published(&t, 5, 78), "monitored_item 78=7"); /* never asked for */
    ck_assert_str_eq(published(&t, 6, 77), "monitored_item 77=7"); /* of another subscription */
    monitor(&t, 6, 77, "Pump", "00000000");
    ck_assert_str_eq(published(&t, 6, 77), "ns=3;s=Pump=7");
    ck_assert_str_eq(published(&t, 5, 77), "ns=3;s=Tank=7");
    monitor(&t, 5, 79, "No", "00003480"); /* refused */
    ck_assert_str_eq(published(&t, 5, 79), "monitored_item 79=7");
    monitor(&t, 5, 77, "Fan", "00000000"); /* the handle is used again */
    ck_assert_str_eq(published(&t, 5, 77), "ns=3;s=Fan=7");
    monitor(&t, 5, 77, "ALongerName", "00000000");
    ck_assert_str_eq(published(&t, 5, 77), "ns=3;s=ALongerName=7");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_clear(t.p);
    say_hex(&t, true, HELLO);
    response(&t, 829,
             "05000000 ffffffff 00 01000000 0000000000000000 01000000 "
             "01 00 2b03 01 0f000000 01000000 4d000000 01 03 07 ffffffff 00000000 00000000");
    ck_assert_str_eq(probe_event(t.p, 1)->items, "monitored_item 77=7");
    probe_destroy(t.p);
}
END_TEST

START_TEST(what_is_sent_again_has_names_too)
{
    struct talk t = clear_channel();
    monitor(&t, 5, 77, "Tank", "00000000");
    request(&t, 832, "05000000 01000000");
    response(&t, 835,
             "01000000 0000000000000000 01000000 "
             "01 00 2b03 01 0f000000 01000000 4d000000 01 03 07 ffffffff");
    ck_assert_str_eq(probe_event(t.p, 3)->items, "ns=3;s=Tank=7");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* 512 items are kept, and 24 KiB of names; further ones have their numbers. */
START_TEST(so_many_monitored_items_are_named)
{
    char name[180];
    struct talk t = clear_channel();
    for (unsigned i = 0; i < 513; i++) {
        snprintf(name, sizeof name, "V%u", i);
        monitor(&t, 5, i, name, "00000000");
        probe_clear(t.p);
    }
    ck_assert_str_eq(published(&t, 5, 511), "ns=3;s=V511=7");
    ck_assert_str_eq(published(&t, 5, 512), "monitored_item 512=7");
    probe_destroy(t.p);

    t = clear_channel();
    for (unsigned i = 0; i < 140; i++) { /* 176 bytes each with "ns=3;s=": room for 139 */
        memset(name, 'n', 169);
        name[169] = '\0';
        name[0] = (char)('A' + i % 26);
        monitor(&t, 5, i, name, "00000000");
        probe_clear(t.p);
    }
    ck_assert(strncmp(published(&t, 5, 138), "ns=3;s=", 7) == 0);
    ck_assert_str_eq(published(&t, 5, 139), "monitored_item 139=7");
    probe_destroy(t.p);

    t = clear_channel();
    t.p->is_out_of_memory = true;
    monitor(&t, 5, 1, "Tank", "00000000");
    ck_assert_str_eq(published(&t, 5, 1), "monitored_item 1=7");
    probe_destroy(t.p);
}
END_TEST

START_TEST(events_have_their_fields)
{
    struct talk t = clear_channel();
    request(&t, 826, "00000000");
    response(&t, 829,
             "01000000 ffffffff 00 02000000 0000000000000000 01000000 01 00 9403 01 "
             "23000000 01000000 08000000 04000000 0c 04000000 48696768 05 bc02 "
             "0d 00a0d1fe9575dc01 00 00000000 00000000 00000000");
    ck_assert_str_eq(probe_event(t.p, 1)->items, "event 8=High|700|2025-12-25T12:00:00.000000Z");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* --- methods --- */

static const struct method_row {
    unsigned id;
    const char *operation, *name;
} methods[] = {
    {2426,  "start",         "start"                      },
    {2427,  "stop",          "suspend"                    },
    {2428,  "start",         "resume"                     },
    {2429,  "stop",          "halt"                       },
    {2430,  "restart",       "reset"                      },
    {2947,  "alarm",         "unshelve"                   },
    {2948,  "alarm",         "one_shot_shelve"            },
    {2949,  "alarm",         "timed_shelve"               },
    {3875,  "alarm",         "condition_refresh"          },
    {9027,  "alarm",         "enable_condition"           },
    {9028,  "alarm",         "disable_condition"          },
    {9029,  "alarm",         "add_comment"                },
    {9069,  "alarm",         "respond"                    },
    {9111,  "alarm",         "acknowledge"                },
    {9113,  "alarm",         "confirm"                    },
    {11489, "diagnostics",   "get_monitored_items"        },
    {11492, "diagnostics",   "get_monitored_items"        },
    {11580, "file_read",     "file_open"                  },
    {11583, "file_read",     "file_close"                 },
    {11585, "file_read",     "file_read"                  },
    {11588, "file_write",    "file_write"                 },
    {11590, "file_read",     "file_get_position"          },
    {11593, "file_read",     "file_set_position"          },
    {12543, "file_read",     "open_with_masks"            },
    {12546, "config_change", "close_and_update"           },
    {12548, "config_change", "add_certificate"            },
    {12550, "config_change", "remove_certificate"         },
    {12616, "config_change", "update_certificate"         },
    {12731, "config_change", "create_signing_request"     },
    {12734, "config_change", "apply_changes"              },
    {12737, "config_change", "create_signing_request"     },
    {12740, "config_change", "apply_changes"              },
    {12746, "subscribe",     "set_subscription_durable"   },
    {12749, "subscribe",     "set_subscription_durable"   },
    {12775, "diagnostics",   "get_rejected_list"          },
    {12777, "diagnostics",   "get_rejected_list"          },
    {12871, "subscribe",     "resend_data"                },
    {12873, "subscribe",     "resend_data"                },
    {12883, "restart",       "request_server_state_change"},
    {12886, "restart",       "request_server_state_change"},
    {12912, "alarm",         "condition_refresh"          },
    {13387, "file_write",    "create_directory"           },
    {13390, "file_write",    "create_file"                },
    {13393, "file_delete",   "delete_file"                },
    {13395, "file_write",    "move_or_copy"               },
    {13737, "config_change", "update_certificate"         },
    {14645, "config_change", "enable_publishing"          },
    {14646, "config_change", "disable_publishing"         },
    {15215, "auth",          "get_security_keys"          },
    {15624, "config_change", "add_identity"               },
    {15626, "config_change", "remove_identity"            },
    {15997, "config_change", "add_role"                   },
    {16000, "config_change", "remove_role"                },
    {16176, "config_change", "add_application"            },
    {16178, "config_change", "remove_application"         },
    {16180, "config_change", "add_endpoint"               },
    {16182, "config_change", "remove_endpoint"            },
    {16301, "config_change", "add_role"                   },
    {16304, "config_change", "remove_role"                },
    {16348, "file_write",    "create_directory"           },
    {16351, "file_write",    "create_file"                },
    {16354, "file_delete",   "delete_file"                },
    {16356, "file_write",    "move_or_copy"               },
    {16402, "alarm",         "silence"                    },
    {16403, "alarm",         "suppress"                   },
    {17364, "auth",          "set_security_keys"          },
    {17366, "config_change", "add_connection"             },
    {17369, "config_change", "remove_connection"          },
    {17868, "alarm",         "unsuppress"                 },
    {17869, "alarm",         "remove_from_service"        },
    {17870, "alarm",         "place_in_service"           },
    {18199, "alarm",         "reset_alarm"                },
    {24269, "config_change", "add_user"                   },
    {24271, "config_change", "modify_user"                },
    {24273, "config_change", "remove_user"                },
    {24275, "config_change", "change_password"            },
    {24304, "config_change", "add_user"                   },
    {24306, "config_change", "modify_user"                },
    {24308, "config_change", "remove_user"                },
    {24310, "config_change", "change_password"            },
    {25698, "config_change", "cancel_changes"             },
    {25699, "config_change", "reset_to_server_defaults"   },
    {25708, "config_change", "cancel_changes"             },
    {25709, "config_change", "reset_to_server_defaults"   },
    {11491, "control",       ""                           },
};

START_TEST(standard_methods)
{
    char fields[128];
    struct talk t = clear_channel();
    snprintf(fields, sizeof fields, "01000000 01 00 cd08 01 00 %02x%02x 00000000",
             methods[_i].id & 0xff, methods[_i].id >> 8);
    request(&t, 712, fields);
    response(&t, 715, "01000000 00000000 ffffffff ffffffff ffffffff ffffffff");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(probe_event(t.p, i)->operation, methods[_i].operation);
        ck_assert_ptr_nonnull(strstr(probe_event(t.p, i)->items, "ns=0;i="));
    }
    ck_assert_str_eq(probe_event(t.p, 0)->detail, methods[_i].name);
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(a_method_of_the_vendor_is_control)
{
    struct talk t = clear_channel();
    request(&t, 712,
            "01000000 03 0200 04000000 50756d70 03 0200 05000000 5374617274 02000000 06 2a000000 "
            "03 01");
    response(&t, 715, "01000000 00007580 ffffffff ffffffff ffffffff ffffffff");
    ck_assert_str_eq(probe_event(t.p, 0)->items, "ns=2;s=Start{control}=42|1");
    ck_assert_str_eq(probe_event(t.p, 0)->operation, "control");
    ck_assert_str_eq(probe_event(t.p, 1)->status, "error 2155151360 bad_method_invalid");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* object ns=2;s=Pump and a method: what is called with, what comes back */
#define PUMP  "01000000 03 0200 04000000 50756d70 "
#define START "03 0200 05000000 5374617274 "
#define LOGIN "03 0200 09000000 557365724c6f67696e "

static const struct call_row {
    const char *shows, *called, *answer, *asked, *told;
    uint32_t flags;
    size_t secret_size;
} calls[] = {
    {"arguments and results of several kinds",
     PUMP START "03000000 06 2a000000 0c 02000000 6f6e 0a 0000c03f",
     "01000000 00000000 00000000 00000000 02000000 0b 000000000000f83f 01 01 ffffffff",                                                                                  "ns=2;s=Start{control}=42|on|1.5", "ns=2;s=Start{control}=1.5|1!ok", 0,                 0 },
    {"an array is one argument",               PUMP START "01000000 84 03000000 0100 0200 0300",
     "01000000 00000000 00000000 00000000 01000000 84 02000000 0100 0200 ffffffff",                                                                                      "ns=2;s=Start{control}=1,2,3",     "ns=2;s=Start{control}=1,2!ok",   0,                 0 },
    {"nothing",                                PUMP START "00000000",                                           "01000000 00000000 00000000 00000000 00000000 ffffffff",
     "ns=2;s=Start{control}",                                                                                                                                                                               "ns=2;s=Start{control}!ok",       0,                 0 },
    {"a password is not told",                 PUMP LOGIN "02000000 0c 03000000 626f62 0c 04000000 70617373",
     "01000000 00000000 00000000 00000000 01000000 0c 03000000 6b6579 ffffffff",                                                                                         "ns=2;s=UserLogin{control}",       "ns=2;s=UserLogin{control}!ok",   OT_HAS_CREDENTIAL, 17},
    {"a comment on an alarm",                  PUMP "01 00 4523 02000000 0f 02000000 cafe 15 02 02000000 6f6b",
     "01000000 00000000 00000000 00000000 00000000 ffffffff",                                                                                                            "ns=2;s=Pump{alarm}=cafe|ok",
     "ns=2;s=Pump{alarm}!ok",                                                                                                                                                                                                                 0,                 0 },
    {"the content of a file is not a value",
     PUMP "01 00 442d 02000000 07 2a000000 0f 03000000 010203",
     "01000000 00000000 00000000 00000000 00000000 ffffffff",                                                                                                            "ns=2;s=Pump{file_write}",
     "ns=2;s=Pump{file_write}!ok",                                                                                                                                                                                                            0,                 0 },
};

START_TEST(what_methods_are_called_with)
{
    const struct call_row *row = &calls[_i];
    struct talk t = clear_channel();
    request(&t, 712, row->called);
    response(&t, 715, row->answer);
    ck_assert_msg(!strcmp(probe_event(t.p, 0)->items, row->asked), "%s: %s", row->shows,
                  probe_event(t.p, 0)->items);
    ck_assert_msg(!strcmp(probe_event(t.p, 1)->items, row->told), "%s: %s", row->shows,
                  probe_event(t.p, 1)->items);
    ck_assert_uint_eq(probe_event(t.p, 0)->flags, row->flags);
    ck_assert_uint_eq(probe_event(t.p, 0)->secret_size, row->secret_size);
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(a_file_is_written)
{
    struct talk t = clear_channel();
    /* open for writing and erasing, write twice, close */
    request(&t, 712, "01000000 03 0200 03000000 466f6f 01 00 3c2d 01000000 03 06");
    response(&t, 715, "01000000 00000000 ffffffff ffffffff 01000000 07 2a000000 ffffffff");
    request(&t, 712,
            "01000000 03 0200 03000000 466f6f 01 00 442d 02000000 07 2a000000 0f 03000000 010203");
    response(&t, 715, "01000000 00000000 ffffffff ffffffff ffffffff ffffffff");
    request(&t, 712, "01000000 03 0200 03000000 466f6f 01 00 3f2d 01000000 07 2a000000");
    /* open for reading begins nothing */
    request(&t, 712, "01000000 03 0200 03000000 466f6f 01 00 3c2d 01000000 03 01");
    response(&t, 715, "01000000 00000000 ffffffff ffffffff 01000000 07 2b000000 ffffffff");
    ck_assert_str_eq(probe_event(t.p, 0)->operation, "file_write");
    ck_assert_str_eq(probe_event(t.p, 1)->transfer, "begin file_write key=42 name=ns=2;s=Foo");
    ck_assert_str_eq(probe_event(t.p, 2)->transfer,
                     "block file_write key=42 name=ns=2;s=Foo bytes=3");
    ck_assert_str_eq(probe_event(t.p, 2)->operation, "file_write");
    ck_assert_str_eq(probe_event(t.p, 4)->transfer, "end file_write key=42 name=ns=2;s=Foo");
    ck_assert_str_eq(probe_event(t.p, 5)->operation, "file_read");
    ck_assert_str_eq(probe_event(t.p, 6)->transfer, "");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* --- identity and log in --- */

#define SERVER                                                                                     \
    "05000000 75726e3a61 05000000 75726e3a70 02 04000000 4c696e65 00000000 ffffffff ffffffff "     \
    "ffffffff "
#define OTHER                                                                                      \
    "05000000 75726e3a62 05000000 75726e3a70 02 04000000 4c696e65 00000000 ffffffff ffffffff "     \
    "ffffffff "
#define ENDPOINT(application)                                                                      \
    "ffffffff " application "ffffffff 01000000 ffffffff ffffffff ffffffff 00 "
#define TELLS "name=Line; url=urn:a; comment=urn:p"

static const struct identity_row {
    const char *shows;
    unsigned request, response;
    const char *asked, *told;
    const char *facts_asked, *facts_told;
} identities[] = {
    {"endpoints",                    428, 431, "ffffffff ffffffff ffffffff",
     "02000000 " ENDPOINT(SERVER) ENDPOINT(SERVER),                                                                "",    TELLS},
    {"endpoints of two servers",     428, 431, "ffffffff ffffffff ffffffff",
     "02000000 " ENDPOINT(SERVER) ENDPOINT(OTHER),                                                                 "",    ""   },
    {"one server",                   422, 425, "ffffffff ffffffff ffffffff",             "01000000 " SERVER,       "",    TELLS},
    {"two servers",                  422, 425, "ffffffff ffffffff ffffffff",             "02000000 " SERVER OTHER, "",    ""   },
    {"a session: client and server", 461, 464,
     SERVER "ffffffff ffffffff 01000000 53 ffffffff ffffffff 0000000000000000 00000000",
     "0001 0002 0000000000000000 ffffffff ffffffff 01000000 " ENDPOINT(
         SERVER) "ffffffff ffffffff ffffffff 00000000",
     TELLS,                                                                                                               TELLS},
    {"a server registers",           437, 440,
     "05000000 75726e3a61 05000000 75726e3a70 01000000 02 04000000 4c696e65 00000000 ffffffff "
     "ffffffff ffffffff 01",                                                             "",                       TELLS, ""   },
};

START_TEST(applications)
{
    const struct identity_row *row = &identities[_i];
    struct talk t = clear_channel();
    request(&t, row->request, row->asked);
    response(&t, row->response, row->told);
    ck_assert_msg(strcmp(probe_event(t.p, 0)->facts, row->facts_asked) == 0, "%s: %s", row->shows,
                  probe_event(t.p, 0)->facts);
    ck_assert_msg(strcmp(probe_event(t.p, 1)->facts, row->facts_told) == 0, "%s: %s", row->shows,
                  probe_event(t.p, 1)->facts);
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

#define BUILD                                                                                      \
    "ffffffff 04000000 41636d65 03000000 506c63 03000000 322e31 02000000 3337 0000000000000000"

static const struct build_row {
    const char *shows;
    unsigned node;
    const char *value, *facts;
} builds[] = {
    {"vendor",        2263, "01 0c 04000000 41636d65",                                 "vendor=Acme"         },
    {"product",       2261, "01 0c 03000000 506c63",                                   "product=Plc"         },
    {"version",       2264, "01 0c 03000000 322e31",                                   "software_version=2.1"},
    {"build number",  2265, "01 0c 02000000 3337",                                     "firmware_version=37" },
    {"state",         2259, "01 06 00000000",                                          "mode=running"        },
    {"suspended",     2259, "01 06 03000000",                                          "mode=suspended"      },
    {"no such state", 2259, "01 06 08000000",                                          ""                    },
    {"build info",    2260, "01 16 01 00 5401 01 28000000 " BUILD,
     "vendor=Acme; product=Plc; software_version=2.1; firmware_version=37"                                   },
    {"server status", 2256,
     "01 16 01 00 6003 01 3c000000 0000000000000000 0000000000000000 00000000 " BUILD,
     "mode=running; vendor=Acme; product=Plc; software_version=2.1; firmware_version=37"                     },
    {"refused",       2263, "03 0c 04000000 41636d65 00003a80",                        ""                    },
    {"another node",  2262, "01 0c 04000000 41636d65",                                 ""                    },
};

START_TEST(build_info)
{
    const struct build_row *row = &builds[_i];
    char fields[256];
    struct talk t = clear_channel();
    snprintf(fields, sizeof fields,
             "0000000000000000 00000000 01000000 01 00 %02x%02x 0d000000 ffffffff 0000 ffffffff",
             row->node & 0xff, row->node >> 8);
    request(&t, 631, fields);
    snprintf(fields, sizeof fields, "01000000 %s 00000000", row->value);
    response(&t, 634, fields);
    ck_assert_msg(strcmp(probe_event(t.p, 1)->facts, row->facts) == 0, "%s: %s", row->shows,
                  probe_event(t.p, 1)->facts);
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

static const struct token_row {
    const char *shows, *token;
    const char *detail, *facts;
    size_t secret_size;
} tokens[] = {
    {"anonymous",             "01 00 4101 01 04000000 ffffffff",                                     "anonymous",   "",               0},
    {"password in clear",
     "01 00 4401 01 18000000 ffffffff 04000000 6a616e65 04000000 73337233 ffffffff",                 "jane",
     "user_name=jane",                                                                                                                4},
    {"password encrypted",
     "01 00 4401 01 1c000000 ffffffff 04000000 6a616e65 04000000 73337233 04000000 72736131",        "jane",        "user_name=jane", 0},
    {"no password",           "01 00 4401 01 14000000 ffffffff 04000000 6a616e65 ffffffff ffffffff", "jane",
     "user_name=jane",                                                                                                                0},
    {"certificate",           "01 00 4701 01 0a000000 ffffffff 02000000 3082",                       "certificate", "",               0},
    {"issued token in clear", "01 00 ac03 01 0e000000 ffffffff 02000000 6579 ffffffff",
     "issued token",                                                                                                "",               2},
};

START_TEST(identity_tokens)
{
    const struct token_row *row = &tokens[_i];
    char fields[512];
    struct talk t = clear_channel();
    snprintf(
        fields, sizeof fields,
        "ffffffff ffffffff 01000000 00000000 ffffffff 01000000 02000000 656e %s ffffffff ffffffff",
        row->token);
    request(&t, 467, fields);
    const struct probe_event *e = probe_event(t.p, 0);
    ck_assert_str_eq(e->operation, "auth");
    ck_assert_msg(strcmp(e->detail, row->detail) == 0, "%s: %s", row->shows, e->detail);
    ck_assert_str_eq(e->facts, row->facts);
    ck_assert_uint_eq(e->secret_size, row->secret_size);
    ck_assert_uint_eq(e->flags, row->secret_size ? OT_HAS_CREDENTIAL : 0);
    ck_assert_ptr_null(strstr(e->facts, "s3r3"));
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* --- encrypted --- */

START_TEST(what_cannot_be_read_is_encrypted)
{
    struct talk t = talk();
    say_hex(&t, true, HELLO);
    say_hex(&t, false, ACKNOWLEDGE);
    probe_clear(t.p);
    say_hex(&t, true,
            "4f504e46 34000000 00000000 06000000 782352736131 04000000 3082abcd ffffffff "
            "8f3a61c4 9912ab07 6655443322110099 8877");
    t.token = 5;
    say(&t, true, "MSGF", 0x9b1e33f2, "8f01c2d9 a1b2c3d4 e5f60718 29");
    say(&t, false, "MSGF", 0x9b1e33f2, "8f01c2d9 a1b2c3d4 e5f60718 29");
    say(&t, true, "CLOF", 0x9b1e33f2, "8f01c2d9 a1b2c3d4 e5f60718 29");
    static const char *const codes[] = {"OPN", "MSG", "MSG", "CLO"};
    for (size_t i = 0; i < 4; i++) {
        const struct probe_event *e = probe_event(t.p, i);
        ck_assert_str_eq(e->code, codes[i]);
        ck_assert_str_eq(e->direction, "oneway");
        ck_assert_str_eq(e->operation, "session");
        ck_assert_uint_eq(e->flags, OT_ENCRYPTED);
        ck_assert(!e->has_transaction);
    }
    ck_assert_str_eq(probe_event(t.p, 0)->detail, "Rsa1");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

#define CERTIFICATE                                                                                \
    "304c 304a a003020102 020101 3000 300e310c300a06035504030c03636131 301e "                      \
    "170d3230303130313030303030305a 170d3330303130313030303030305a "                               \
    "300e310c300a06035504030c03706c63"

START_TEST(a_hidden_channel_shows_its_certificate)
{
    struct talk t = talk();
    say_hex(&t, true, HELLO);
    probe_clear(t.p);
    say_hex(&t, true,
            "4f504e46 7e000000 00000000 06000000 782352736131 4e000000 " CERTIFICATE
            " ffffffff 8f3a61c4 9912ab07 6655443322110099 8877");
    const struct probe_event *e = probe_event(t.p, 0);
    ck_assert_str_eq(e->detail, "Rsa1, certificate: subject plc, issuer ca1, until 300101000000Z");
    ck_assert_str_eq(e->facts, "certificate=subject plc, issuer ca1, until 300101000000Z");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(signed_only_can_be_read)
{
    struct talk t = talk();
    say_hex(&t, true,
            "4f504e46 34000000 00000000 06000000 782352736131 04000000 3082abcd ffffffff "
            "8f3a61c4 9912ab07 6655443322110099 8877");
    probe_clear(t.p);
    request(&t, 473, "01 deadbeefdeadbeefdeadbeef");
    ck_assert_str_eq(probe_event(t.p, 0)->code, "MSG:473");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(without_the_opening)
{
    struct talk t = talk();
    t.p->flow.is_start_seen = false;
    t.p->flow.is_role_known = false;
    t.sequence[0] = 500;
    t.sequence[1] = 300;
    t.token = 77;
    response(&t, 676, "01000000 00000000 00000000");
    request(&t, 673, "01000000 00 05 0d000000 ffffffff 01 03 01");
    response(&t, 676, "01000000 00000000 00000000");
    ck_assert_str_eq(probe_event(t.p, 0)->direction, "response");
    ck_assert_uint_eq(probe_event(t.p, 0)->flags, OT_NO_REQUEST);
    ck_assert_str_eq(probe_event(t.p, 1)->items, "ns=0;i=5=1");
    ck_assert_str_eq(probe_event(t.p, 2)->items, "ns=0;i=5!ok");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(an_unknown_service_is_unknown)
{
    struct talk t = clear_channel();
    request(&t, 999, "");
    const struct probe_event *e = probe_event(t.p, 0);
    ck_assert_str_eq(e->code, "MSG:999");
    ck_assert_str_eq(e->operation, "unknown");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->name, "");
    ck_assert_uint_eq(e->flags, 0);
    probe_destroy(t.p);
}
END_TEST

/* --- chunks --- */

START_TEST(chunks_are_one_message)
{
    struct talk t = clear_channel();
    static uint8_t bytes[ROOM];
    size_t size =
        chunk(&t, bytes, true, "MSGC", 9, "0100a102 " REQUEST_HEADER " 01000000 00 05 0d00");
    size += chunk(&t, bytes + size, true, "MSGC", 9, "0000 ffffffff 01");
    size += chunk(&t, bytes + size, true, "MSGF", 9, "03 2a");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_opcua, bytes, n);
        ck_assert_int_eq(f.verdict, FRAME_NEED);
        ck_assert_uint_gt(f.size, n);
    }
    ck_assert_uint_eq(probe_frame(&dissector_opcua, bytes, size).size, size);
    ck_assert_int_eq(probe_stream(t.p, &dissector_opcua, true, bytes, size), FRAME_COMPLETE);
    ck_assert_uint_eq(t.p->event_count, 1);
    ck_assert_str_eq(probe_event(t.p, 0)->items, "ns=0;i=5=42");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(an_abort_ends_the_message)
{
    struct talk t = clear_channel();
    static uint8_t bytes[ROOM];
    size_t size = chunk(&t, bytes, false, "MSGC", 9, "01007a02 " RESPONSE_HEADER);
    size += chunk(&t, bytes + size, false, "MSGA", 9, "00008080 03000000 626967");
    ck_assert_int_eq(probe_stream(t.p, &dissector_opcua, false, bytes, size), FRAME_COMPLETE);
    const struct probe_event *e = probe_event(t.p, 0);
    ck_assert_uint_eq(t.p->event_count, 1);
    ck_assert_str_eq(e->code, "MSG");
    ck_assert_str_eq(e->operation, "error");
    ck_assert_str_eq(e->status, "error 2155872256 bad_tcp_message_too_large");
    ck_assert_str_eq(e->detail, "big");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

/* A message greater than what is joined: its first chunks tell it, the rest is passed over. */
START_TEST(a_great_message_is_told_once)
{
    enum { BIG = 30000, COUNT = 4 };
    struct talk t = clear_channel();
    t.p->flow.is_start_seen = true;
    static uint8_t bytes[COUNT * BIG];
    size_t size = 0;
    for (int i = 0; i < COUNT; i++) {
        static char body[2 * BIG];
        memset(body, '0', sizeof body);
        static const char begin[] =
            "0100a102 " REQUEST_HEADER " 01000000 00 05 0d000000 ffffffff 01 0f 00000200 ";
        if (i == 0)
            memcpy(body, begin, sizeof begin - 1);
        body[2 * BIG - 2000 + (i == 0)] = '\0';
        while (true) { /* an even count of digits */
            size_t digits = 0;
            for (const char *c = body; *c; c++)
                digits += *c != ' ';
            if (digits % 2 == 0)
                break;
            body[strlen(body) - 1] = '\0';
        }
        size += chunk(&t, bytes + size, true, i + 1 < COUNT ? "MSGC" : "MSGF", 9, body);
    }
    probe_stream(t.p, &dissector_opcua, true, bytes, size);
    ck_assert_uint_eq(t.p->pdu_count, 4 + 2);
    ck_assert_uint_eq(t.p->event_count, 1);
    ck_assert_str_eq(probe_event(t.p, 0)->code, "MSG:673");
    probe_destroy(t.p);
}
END_TEST

/* --- framing --- */

START_TEST(every_prefix_asks_for_more)
{
    uint8_t bytes[256];
    struct talk t = talk();
    size_t size = chunk(&t, bytes, true, "MSGF", 9, "0100d901 " REQUEST_HEADER " 00");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_opcua, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_opcua, bytes, n),
                         n < 8 ? CLAIM_MORE : CLAIM_YES);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_opcua, true, bytes, n);
        probe_stream(p, &dissector_opcua, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
    probe_destroy(t.p);
}
END_TEST

/* A request and its response that are cut short, as PDUs with right sizes. */
static void check_cuts(unsigned id, const char *fields, const char *asked)
{
    for (size_t cut = 0; cut < 120; cut++) {
        struct talk t = clear_channel();
        uint8_t bytes[512];
        char body[512];
        if (asked)
            request(&t, id - 3, asked);
        snprintf(body, sizeof body, "0100%02x%02x %s %s", id & 0xff, id >> 8,
                 asked ? RESPONSE_HEADER : REQUEST_HEADER, fields);
        size_t size = chunk(&t, bytes, !asked, "MSGF", 9, body);
        size = size > cut + 24 ? size - cut : 24;
        put32(bytes + 4, (uint32_t)size);
        ck_assert_int_eq(probe_stream(t.p, &dissector_opcua, !asked, bytes, size), FRAME_COMPLETE);
        ck_assert_uint_eq(t.p->event_count, asked ? 2 : 1);
        probe_destroy(t.p);
    }
}

START_TEST(every_prefix_of_a_body)
{
    static const char write[] =
        "02000000 01 02 e803 0d000000 ffffffff 01 84 02000000 01000200 00 05 0d000000 ffffffff 01 "
        "03 63";
    check_cuts(673, write, NULL);
    check_cuts(676, "02000000 00003b80 00003c80 00000000", write);
    check_cuts(
        712, "01000000 03 0200 03000000 466f6f 01 00 442d 02000000 07 2a000000 0f 03000000 010203",
        NULL);
    check_cuts(467,
               "ffffffff ffffffff 00000000 00000000 01 00 4401 01 18000000 ffffffff 04000000 "
               "6a616e65 04000000 73337233 ffffffff",
               NULL);
}
END_TEST

static const struct broken_row {
    const char *shows, *bytes;
    enum violation_kind kind;
} broken[] = {
    {"no message type",             "58585846 20000000", VIOLATION_FUNCTION},
    {"no chunk type",               "4d534758 20000000", VIOLATION_FUNCTION},
    {"a hello in chunks",           "48454c43 20000000", VIOLATION_FUNCTION},
    {"size 7",                      "4d534746 07000000", VIOLATION_LENGTH  },
    {"size 23 is below its header", "4d534746 17000000", VIOLATION_LENGTH  },
    {"131073 is too great",         "4d534746 01000200", VIOLATION_LENGTH  },
    {"a hello of 8257",             "48454c46 41200000", VIOLATION_LENGTH  },
};

START_TEST(framing_breaks)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, broken[_i].bytes);
    struct frame f = probe_frame(&dissector_opcua, bytes, size);
    ck_assert_msg(f.verdict == FRAME_BROKEN && f.kind == broken[_i].kind, "%s", broken[_i].shows);
    ck_assert_int_eq(probe_recognise(&dissector_opcua, bytes, size), CLAIM_NO);
}
END_TEST

static const struct bound_row {
    const char *bytes;
    size_t wants;
} bounds[] = {
    {"4d534746 18000000", 24    },
    {"4d534746 00000200", 131072},
    {"48454c46 40200000", 8256  },
    {"41434b46 1c000000", 28    },
    {"45525246 10000000", 16    },
};

START_TEST(framing_at_the_bounds)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, bounds[_i].bytes);
    struct frame f = probe_frame(&dissector_opcua, bytes, size);
    ck_assert_int_eq(f.verdict, FRAME_NEED);
    ck_assert_uint_eq(f.size, bounds[_i].wants);
    ck_assert_int_eq(probe_recognise(&dissector_opcua, bytes, size), CLAIM_YES);
}
END_TEST

START_TEST(others_are_not_recognised)
{
    static const char *const others[] = {"0000000000000000", "4d53472020202020", "4d534746ffffffff",
                                         "474554202f204854", "ffffffffffffffff", "41434b20"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        uint8_t bytes[16];
        size_t size = hex_bytes(bytes, sizeof bytes, others[i]);
        ck_assert_int_eq(probe_recognise(&dissector_opcua, bytes, size), CLAIM_NO);
    }
}
END_TEST

/* --- violations --- */

static const struct wrong_row {
    const char *shows;
    unsigned id;
    const char *fields;
    enum violation_kind kind;
} wrongs[] = {
    {"a string longer than the message",   560, "01000000 03 0100 ff000000 41",              VIOLATION_LENGTH   },
    {"an array of more than there is",     631, "0000000000000000 00000000 ffffff7f 00",
     VIOLATION_COUNT                                                                                            },
    {"a body that ends too early",         631, "0000000000000000 00",                       VIOLATION_TRUNCATED},
    {"a node id of no encoding",           560, "01000000 07 00 00",                         VIOLATION_ENCODING },
    {"a variant of no type",               673, "01000000 00 05 0d000000 ffffffff 01 20",    VIOLATION_ENCODING },
    {"a data value of unknown fields",     673, "01000000 00 05 0d000000 ffffffff 40",
     VIOLATION_ENCODING                                                                                         },
    {"a localized text of unknown fields", 673, "01000000 00 05 0d000000 ffffffff 01 15 04",
     VIOLATION_ENCODING                                                                                         },
    {"an extension object of no encoding", 700, "01000000 00 05 03",                         VIOLATION_ENCODING },
    {"variants nested 17 times",           673,
     "01000000 00 05 0d000000 ffffffff 01 "
     "98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 "
     "01000000 "
     "98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 "
     "01000000 "
     "03 01",                                                                                VIOLATION_RANGE    },
};

START_TEST(wrong_bodies)
{
    struct talk t = clear_channel();
    request(&t, wrongs[_i].id, wrongs[_i].fields);
    ck_assert_uint_eq(t.p->event_count, 1);
    ck_assert_uint_eq(t.p->violation_count, 1);
    ck_assert_msg(probe_violation(t.p, 0)->kind == wrongs[_i].kind, "%s: %s", wrongs[_i].shows,
                  probe_violation(t.p, 0)->why);
    probe_destroy(t.p);
}
END_TEST

START_TEST(variants_may_be_nested_15_times)
{
    struct talk t = clear_channel();
    request(&t, 673,
            "01000000 00 05 0d000000 ffffffff 01 "
            "98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 "
            "98 01000000 "
            "98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 98 01000000 "
            "03 01");
    ck_assert_uint_eq(t.p->violation_count, 0);
    probe_destroy(t.p);
}
END_TEST

START_TEST(sequence_numbers)
{
    static const struct {
        uint32_t last, next;
        bool is_wrong;
    } rows[] = {
        {10,         11,   false},
        {10,         10,   true }, /* again */
        {10,         12,   true }, /* a gap */
        {0xfffffc00, 1023, false}, /* wraps */
        {0xfffffc00, 1024, true },
        {0xfffffbfe, 0,    true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct talk t = open_channel();
        t.sequence[1] = rows[i].last - 1;
        request(&t, 473, "00");
        probe_clear(t.p);
        t.sequence[1] = rows[i].next - 1;
        request(&t, 473, "00");
        ck_assert_msg(probe_has_violation(t.p, VIOLATION_SEQUENCE) == rows[i].is_wrong, "row %zu",
                      i);
        probe_destroy(t.p);
    }
}
END_TEST

START_TEST(states)
{
    struct talk t = talk();
    say_hex(&t, true, HELLO);
    request(&t, 473, "00");
    ck_assert(probe_has_violation(t.p, VIOLATION_STATE)); /* no channel yet */
    probe_destroy(t.p);

    t = clear_channel();
    t.token = 2;
    request(&t, 473, "00");
    ck_assert_uint_eq(t.p->violation_count, 1);
    ck_assert_str_eq(probe_violation(t.p, 0)->why, "security token was never issued");
    probe_clear(t.p);
    t.token = 1;
    request(&t, 473, "00");
    ck_assert_uint_eq(t.p->violation_count, 0);
    say_hex(&t, true, HELLO);
    ck_assert_str_eq(probe_violation(t.p, 0)->why, "hello on an open connection");
    probe_destroy(t.p);
}
END_TEST

/* A session that another connection brought may have its subscriptions from there. */
static const struct publish_row {
    const char *shows;
    unsigned services[3];
    unsigned violations;
} publish_rows[] = {
    {"of a new session without any", {461, 467, 826}, 1},
    {"behind its subscription",      {461, 787, 826}, 0},
    {"of one taken over",            {461, 841, 826}, 0},
    {"of a session from before",     {467, 826, 826}, 0},
    {"is told once",                 {461, 826, 826}, 1},
};

START_TEST(publishing_needs_a_subscription)
{
    const struct publish_row *row = &publish_rows[_i];
    struct talk t = clear_channel();
    for (size_t i = 0; i < 3; i++)
        service(&t, true, row->services[i], REQUEST_HEADER, "00");
    unsigned told = 0;
    for (size_t i = 0; i < t.p->violation_count; i++)
        told += strcmp(probe_violation(t.p, i)->why, "publish without a subscription") == 0;
    ck_assert_msg(told == row->violations, "%s: %u", row->shows, told);
    probe_destroy(t.p);
}
END_TEST

START_TEST(renewal_storm)
{
    struct talk t = clear_channel();
    for (int i = 0; i < 9; i++) {
        ck_assert_uint_eq(t.p->violation_count, 0);
        say(&t, true, "OPNF", 1,
            "0100be01 " REQUEST_HEADER " 00000000 01000000 01000000 ffffffff 80ee3600");
    }
    ck_assert_uint_eq(t.p->violation_count, 1);
    ck_assert_int_eq(probe_violation(t.p, 0)->kind, VIOLATION_STATE);
    probe_destroy(t.p);
}
END_TEST

START_TEST(negotiated_sizes)
{
    static char body[2 * 8192 + 200];
    struct talk t = clear_channel();
    snprintf(body, sizeof body, "0100d901 " REQUEST_HEADER " 00");
    size_t used = strlen(body);
    memset(body + used, '0', 2 * (8192 - 24 - 36));
    say(&t, true, "MSGF", 9, body);
    ck_assert(!probe_has_violation(t.p, VIOLATION_LENGTH));
    memset(body + used, '0', 2 * 8192);
    say(&t, true, "MSGF", 9, body);
    ck_assert(probe_has_violation(t.p, VIOLATION_LENGTH));
    probe_destroy(t.p);
}
END_TEST

START_TEST(an_answer_to_another_service)
{
    struct talk t = clear_channel();
    request(&t, 631, "0000000000000000 00000000 00000000");
    response(&t, 676, "00000000 00000000");
    ck_assert(probe_has_violation(t.p, VIOLATION_DIRECTION));
    probe_destroy(t.p);
}
END_TEST

START_TEST(a_security_mode_that_is_none)
{
    struct talk t = talk();
    say(&t, true, "OPNF", 1,
        "0100be01 " REQUEST_HEADER " 00000000 00000000 04000000 ffffffff 80ee3600");
    ck_assert(probe_has_violation(t.p, VIOLATION_RANGE));
    probe_destroy(t.p);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))

int main(void)
{
    Suite *suite = suite_create("opcua");
    TCase *tc = tcase_create("opcua");
    tcase_add_test(tc, a_channel_is_opened);
    tcase_add_loop_test(tc, host_names, 0, COUNT(urls));
    tcase_add_test(tc, errors_and_reverse_hello);
    tcase_add_loop_test(tc, a_service_and_its_answers, 0, COUNT(services));
    tcase_add_test(tc, closing_needs_no_answer);
    tcase_add_test(tc, answers_without_request);
    tcase_add_test(tc, a_refused_answer_has_no_body);
    tcase_add_loop_test(tc, node_ids, 0, COUNT(nodes));
    tcase_add_loop_test(tc, variants, 0, COUNT(values));
    tcase_add_loop_test(tc, status_codes_have_names, 0, 4);
    tcase_add_loop_test(tc, booleans_are_no_numbers, 0, 5);
    tcase_add_test(tc, reads_are_answered_with_names_and_values);
    tcase_add_test(tc, asking_whether_the_server_lives_keeps_the_session);
    tcase_add_test(tc, many_nodes_are_remembered);
    tcase_add_test(tc, a_write_is_refused_when_all_of_it_is);
    tcase_add_loop_test(tc, what_services_touch, 0, COUNT(items));
    tcase_add_test(tc, results_of_nodes);
    tcase_add_test(tc, notifications);
    tcase_add_test(tc, notifications_name_the_monitored_node);
    tcase_add_test(tc, what_is_sent_again_has_names_too);
    tcase_add_test(tc, so_many_monitored_items_are_named);
    tcase_add_test(tc, events_have_their_fields);
    tcase_add_loop_test(tc, standard_methods, 0, COUNT(methods));
    tcase_add_loop_test(tc, what_methods_are_called_with, 0, COUNT(calls));
    tcase_add_test(tc, a_method_of_the_vendor_is_control);
    tcase_add_test(tc, a_file_is_written);
    tcase_add_loop_test(tc, applications, 0, COUNT(identities));
    tcase_add_loop_test(tc, build_info, 0, COUNT(builds));
    tcase_add_loop_test(tc, identity_tokens, 0, COUNT(tokens));
    tcase_add_test(tc, what_cannot_be_read_is_encrypted);
    tcase_add_test(tc, a_hidden_channel_shows_its_certificate);
    tcase_add_test(tc, signed_only_can_be_read);
    tcase_add_test(tc, without_the_opening);
    tcase_add_test(tc, an_unknown_service_is_unknown);
    tcase_add_test(tc, chunks_are_one_message);
    tcase_add_test(tc, an_abort_ends_the_message);
    tcase_add_test(tc, a_great_message_is_told_once);
    tcase_add_test(tc, every_prefix_asks_for_more);
    tcase_add_test(tc, every_prefix_of_a_body);
    tcase_add_loop_test(tc, framing_breaks, 0, COUNT(broken));
    tcase_add_loop_test(tc, framing_at_the_bounds, 0, COUNT(bounds));
    tcase_add_test(tc, others_are_not_recognised);
    tcase_add_loop_test(tc, wrong_bodies, 0, COUNT(wrongs));
    tcase_add_test(tc, variants_may_be_nested_15_times);
    tcase_add_test(tc, sequence_numbers);
    tcase_add_test(tc, states);
    tcase_add_loop_test(tc, publishing_needs_a_subscription, 0, COUNT(publish_rows));
    tcase_add_test(tc, renewal_storm);
    tcase_add_test(tc, negotiated_sizes);
    tcase_add_test(tc, an_answer_to_another_service);
    tcase_add_test(tc, a_security_mode_that_is_none);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
