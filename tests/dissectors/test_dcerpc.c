/* test_dcerpc.c: binds and calls of remote procedures, held against C706 (DCE 1.1 RPC) 12.6,
 * MS-SCMR, MS-TSCH, MS-RRP, MS-WMI, MS-DCOM, and whole through pipes of SMB. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_dcerpc;
extern const struct dissector dissector_smb;

enum { BYTES_MAX = 4096, BIND = 11, REQUEST = 0, RESPONSE = 2, FAULT = 3 };

#define NDR "045d888aeb1cc9119fe808002b104860 02000000"

struct made {
    uint8_t bytes[BYTES_MAX];
    size_t size;
};

static void add(struct made *m, const char *hex)
{
    m->size += hex_bytes(m->bytes + m->size, sizeof m->bytes - m->size, hex);
}

/* C706 12.6.3.1: little endian, whole; its size is set by close_call. */
static void begin(struct made *m, uint8_t type, uint8_t call)
{
    m->size = 0;
    add(m, "05 00 00 03 10000000 0000 0000 00000000");
    m->bytes[2] = type;
    m->bytes[12] = call;
}

static void close_call(struct made *m)
{
    m->bytes[8] = (uint8_t)m->size;
    m->bytes[9] = (uint8_t)(m->size >> 8);
}

static void feed(struct probe *p, struct made *m, bool is_from_client)
{
    close_call(m);
    probe_stream(p, &dissector_dcerpc, is_from_client, m->bytes, m->size);
}

static void make_bind(struct made *m, const char *uuid)
{
    begin(m, BIND, 1);
    add(m, "d016 d016 00000000 01 000000 0000 01 00");
    add(m, uuid);
    add(m, "02000000" NDR);
}

static void make_request(struct made *m, uint16_t number, const char *stub)
{
    begin(m, REQUEST, 2);
    add(m, "00000000 0000");
    m->bytes[m->size++] = (uint8_t)number;
    m->bytes[m->size++] = (uint8_t)(number >> 8);
    add(m, stub);
}

static const struct probe_event *last(const struct probe *p)
{
    ck_assert_uint_gt(p->event_count, 0);
    return probe_event(p, p->event_count - 1);
}

#define COM "0000 0000 c000000000000046"
#define OPC "1e01 d011 9675 0020afd8adb3"

/* interface in wire form, its name, a number, operation, class */
static const struct call_row {
    const char *uuid, *interface;
    uint16_t number;
    const char *name, *operation;
} call_rows[] = {
    {"81bb7a36 4498 f135 ad32 98f038001003", "svcctl",                       12, "create_service",         "config_change"},
    {"81bb7a36 4498 f135 ad32 98f038001003", "svcctl",                       19, "start_service",          "start"        },
    {"81bb7a36 4498 f135 ad32 98f038001003", "svcctl",                       15, "open_sc_manager",        "session"      },
    {"8206f71f 510a e830 076d 740be8cee98b", "atsvc",                        0,  "job_add",                "config_change"},
    {"4959d386 c983 4440 b424 db363231fd0c", "ITaskSchedulerService",        1,  "register_task",
     "config_change"                                                                                                      },
    {"4959d386 c983 4440 b424 db363231fd0c", "ITaskSchedulerService",        12, "run_task",               "start"        },
    {"01d08c33 4422 f131 aaaa 900038001003", "winreg",                       22, "set_value",              "config_change"},
    {"01d08c33 4422 f131 aaaa 900038001003", "winreg",                       17, "query_value",            "read"         },
    {"c84f324b 7016 d301 1278 5a47bf6ee188", "srvsvc",                       15, "share_enum",             "browse"       },
    {"98d0ff6b 12a1 1036 9833 46c3f87e345a", "wkssvc",                       0,  "workstation_info",       "identify"     },
    {"78573412 3412 cdab ef00 0123456789ac", "samr",                         50, "create_user",            "config_change"},
    {"78563412 3412 cdab ef00 01234567cffb", "netlogon",                     26, "authenticate3",          "auth"         },
    {"78563412 3412 cdab ef00 0123456789ab", "spoolss",                      89, "add_driver",             "config_change"},
    {"354251e3 064b d111 ab04 00c04fc2dcd2", "drsuapi",                      3,  "get_changes",            "read"         },
    {"0883afe1 1f5d c911 91a4 08002b14a0fa", "epmapper",                     3,  "map",                    "session"      },
    {"a0010000 " COM,                        "ISystemActivator",             4,  "remote_create_instance", "session"      },
    {"18ad09f3 6ad8 d011 a075 00c04fb68820", "IWbemLevel1Login",             6,  "ntlm_login",             "auth"         },
    {"99dc5695 8c82 cf11 a37e 00aa003240c7", "IWbemServices",                24, "exec_method",            "start"        },
    {"99dc5695 8c82 cf11 a37e 00aa003240c7", "IWbemServices",                20, "exec_query",             "read"         },
    {"523ac139 " OPC,                        "IOPCSyncIO",                   4,  "write",                  "write"        },
    {"523ac139 " OPC,                        "IOPCSyncIO",                   3,  "read",                   "read"         },
    {"713ac139 " OPC,                        "IOPCAsyncIO2",                 4,  "write",                  "write"        },
    {"4f3ac139 " OPC,                        "IOPCBrowseServerAddressSpace", 5,  "browse_item_ids",        "browse"       },
    {"506d4813 2148 d211 a494 3cb306c10000", "IOPCServerList",               3,  "enum_classes",           "browse"       },
    {"6cb5d09d 9ead ee43 8305 487f3188bf7a", "IOPCServerList2",              4,  "class_details",          "identify"     },
    {"c84f324b 7016 d301 1278 5a47bf6ee188", "srvsvc",                       31, "path_canonicalize",      "session"      },
    {"81bb7a36 4498 f135 ad32 98f038001003", "svcctl",                       99, "request",                "session"      },
};

START_TEST(calls)
{
    const struct call_row *row = &call_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    struct made m;
    make_bind(&m, row->uuid);
    ck_assert_int_eq((close_call(&m), probe_recognise(&dissector_dcerpc, m.bytes, m.size)),
                     CLAIM_YES);
    feed(p, &m, true);
    ck_assert_str_eq(last(p)->name, "bind");
    ck_assert_str_eq(last(p)->code, "pkt_type=11");
    ck_assert_str_eq(last(p)->detail, row->interface);
    make_request(&m, row->number, "");
    feed(p, &m, true);
    ck_assert_str_eq(last(p)->name, row->name);
    ck_assert_str_eq(last(p)->operation, row->operation);
    ck_assert_str_eq(last(p)->detail, row->interface);
    ck_assert_uint_eq(last(p)->function, row->number);
    begin(&m, RESPONSE, 2);
    add(&m, "00000000 0000 00 00 00000000");
    feed(p, &m, false);
    ck_assert_str_eq(last(p)->direction, "response");
    ck_assert_str_eq(last(p)->operation, row->operation);
    ck_assert_str_eq(last(p)->status, "ok");
    ck_assert_uint_eq(last(p)->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

#define HANDLE "0000000000000000000000000000000000000001"
#define TOOL   "05000000 00000000 05000000 74006f006f006c000000"
#define UUID   "81bb7a36 4498 f135 ad32 98f038001003"

static const struct argument_row {
    const char *shows;
    uint16_t number;
    const char *stub, *operation, *items;
} argument_rows[] = {
    {"the name of a new service",      12, HANDLE TOOL,                              "config_change", "tool"},
    {"a name longer than the call",    12, HANDLE "05000000 00000000 05000000 7400", "config_change",
     ""                                                                                                     },
    {"a name that claims to be huge",  12, HANDLE "ffffffff 00000000 ffffffff 7400", "config_change",
     ""                                                                                                     },
    {"only a stop stops",              1,  HANDLE "01000000",                        "stop",          ""    },
    {"asking how it is stops nothing", 1,  HANDLE "04000000",                        "diagnostics",   ""    },
};

START_TEST(arguments)
{
    const struct argument_row *row = &argument_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    struct made m;
    make_bind(&m, UUID);
    feed(p, &m, true);
    make_request(&m, row->number, row->stub);
    feed(p, &m, true);
    ck_assert_msg(strcmp(last(p)->operation, row->operation) == 0, "%s", row->shows);
    ck_assert_msg(strcmp(last(p)->items, row->items) == 0, "%s", row->shows);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(what_follows_belongs_to_the_opened_service)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    struct made m;
    make_bind(&m, UUID);
    feed(p, &m, true);
    make_request(&m, 16, HANDLE TOOL);
    feed(p, &m, true);
    make_request(&m, 19, HANDLE "00000000 00000000");
    feed(p, &m, true);
    ck_assert_str_eq(last(p)->operation, "start");
    ck_assert_str_eq(last(p)->items, "tool");
    probe_destroy(p);
}
END_TEST

START_TEST(refusals)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    struct made m;
    make_bind(&m, UUID);
    feed(p, &m, true);
    make_request(&m, 12, HANDLE TOOL);
    feed(p, &m, true);
    begin(&m, RESPONSE, 2); /* MS-SCMR: ERROR_ACCESS_DENIED as the last word */
    add(&m, "00000000 0000 00 00" HANDLE "05000000");
    feed(p, &m, false);
    ck_assert_str_eq(last(p)->status, "error 5 access_denied");
    make_request(&m, 12, HANDLE TOOL);
    feed(p, &m, true);
    begin(&m, FAULT, 2);
    add(&m, "00000000 0000 00 00 f706001c");
    feed(p, &m, false);
    ck_assert_str_eq(last(p)->status, "error 469763831 rpc_fault");
    feed(p, &m, false); /* once more */
    ck_assert_uint_eq(last(p)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

START_TEST(privacy_hides_the_arguments_only)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    struct made m;
    make_bind(&m, UUID);
    feed(p, &m, true);
    make_request(&m, 12,
                 HANDLE TOOL "0000"
                             "0a 06 00 00 00000000 01000000000000000000000000000000");
    m.bytes[10] = 16; /* MS-RPCE 2.2.2.11: the last 16 bytes prove it, 8 before them say how */
    feed(p, &m, true);
    ck_assert_str_eq(last(p)->name, "create_service");
    ck_assert_str_eq(last(p)->items, "");
    ck_assert_uint_eq(last(p)->flags, OT_ENCRYPTED);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
    enum frame_verdict verdict;
} claim_rows[] = {
    {"a request",                "05 00 00 03 10000000 1800 0000 01000000 00000000 0000 0000", CLAIM_WEAK,
     FRAME_COMPLETE                                                                                                      },
    {"big endian",               "05 00 00 03 00000000 0018 0000 00000001 00000000 0000 0000", CLAIM_WEAK,
     FRAME_COMPLETE                                                                                                      },
    {"nothing",                  "",                                                           CLAIM_MORE, FRAME_NEED    },
    {"its first byte",           "05",                                                         CLAIM_MORE, FRAME_NEED    },
    {"15 bytes",                 "05 00 00 03 10000000 1800 0000 010000",                      CLAIM_MORE, FRAME_NEED    },
    {"another version",          "04 00 00 03 10000000 1800 0000 01000000",                    CLAIM_NO,   FRAME_BROKEN  },
    {"another minor version",    "05 02 00 03 10000000 1800 0000 01000000",                    CLAIM_NO,   FRAME_BROKEN  },
    {"the last type",            "05 00 13 03 10000000 1000 0000 01000000",                    CLAIM_WEAK, FRAME_COMPLETE},
    {"one more",                 "05 00 14 03 10000000 1000 0000 01000000",                    CLAIM_NO,   FRAME_BROKEN  },
    {"no representation",        "05 00 00 03 20000000 1000 0000 01000000",                    CLAIM_NO,   FRAME_BROKEN  },
    {"shorter than its header",  "05 00 00 03 10000000 0f00 0000 01000000",                    CLAIM_NO,   FRAME_BROKEN  },
    {"all of it authentication", "05 00 00 03 10000000 1000 1000 01000000",                    CLAIM_NO,   FRAME_BROKEN  },
};

START_TEST(recognised_and_framed)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_dcerpc, bytes, size) == row->claim, "%s", row->shows);
    ck_assert_msg(probe_frame(&dissector_dcerpc, bytes, size).verdict == row->verdict, "%s",
                  row->shows);
}
END_TEST

START_TEST(every_prefix_asks_for_more)
{
    struct made m;
    make_bind(&m, UUID);
    close_call(&m);
    for (size_t i = 0; i < m.size; i++)
        ck_assert_int_eq(probe_frame(&dissector_dcerpc, m.bytes, i).verdict, FRAME_NEED);
    for (size_t i = 1; i < m.size; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_dcerpc, true, m.bytes, i);
        ck_assert_uint_eq(p->event_count, 0);
        probe_stream(p, &dissector_dcerpc, true, m.bytes + i, m.size - i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(short_calls)
{
    static const struct {
        uint8_t type;
        const char *hex;
    } bad[] = {
        {REQUEST,  "00000000 0000"                           },
        {RESPONSE, "00000000 0000"                           },
        {BIND,     "d016 d016 00000000 02 000000"
               "0000 01 00" UUID "02000000" NDR},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        struct made m;
        begin(&m, bad[i].type, 1);
        add(&m, bad[i].hex);
        feed(p, &m, bad[i].type != RESPONSE);
        ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "row %zu", i);
        probe_destroy(p);
    }
}
END_TEST

/* --- through a pipe --- */

static void packet(struct probe *p, bool is_from_client, const uint8_t *head, size_t head_size,
                   const uint8_t *data, size_t size)
{
    uint8_t bytes[BYTES_MAX] = {0, 0, (uint8_t)((head_size + size) >> 8),
                                (uint8_t)(head_size + size)};
    memcpy(bytes + 4, head, head_size);
    memcpy(bytes + 4 + head_size, data, size);
    probe_stream(p, &dissector_smb, is_from_client, bytes, 4 + head_size + size);
}

/* MS-SMB2 2.2.21: a write to a pipe that was open before. */
static void write_pipe(struct probe *p, uint8_t id, const uint8_t *data, size_t size)
{
    struct made m = {.size = 0};
    add(&m, "fe534d42 4000 0000 00000000 0900 0100 00000000 00000000 0000000000000000 00000000"
            "05000000 0100000000000000 00000000000000000000000000000000"
            "3100 7000 00000000 0000000000000000 1111111111111111 2222222222222222"
            "00000000 00000000 0000 0000 00000000");
    m.bytes[24] = id;
    m.bytes[68] = (uint8_t)size;
    m.bytes[69] = (uint8_t)(size >> 8);
    packet(p, true, m.bytes, m.size, data, size);
}

static size_t calls_seen(const struct probe *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->event_count; i++)
        n += strcmp(probe_event(p, i)->protocol, "dcerpc") == 0;
    return n;
}

START_TEST(a_call_through_a_pipe)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    struct made m;
    make_bind(&m, UUID);
    close_call(&m);
    write_pipe(p, 1, m.bytes, m.size);
    make_request(&m, 12, HANDLE TOOL);
    close_call(&m);
    write_pipe(p, 2, m.bytes, m.size);
    ck_assert_uint_eq(calls_seen(p), 2);
    ck_assert_str_eq(last(p)->name, "create_service");
    ck_assert_str_eq(last(p)->items, "tool");
    probe_destroy(p);
}
END_TEST

/* How exploits hide: a call in pieces of any size, once it has shown its header. */
START_TEST(a_call_in_pieces)
{
    struct made m;
    make_bind(&m, UUID);
    close_call(&m);
    for (size_t cut = 16; cut < m.size; cut++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        write_pipe(p, 1, m.bytes, cut);
        ck_assert_uint_eq(calls_seen(p), 0);
        write_pipe(p, 2, m.bytes + cut, m.size - cut);
        ck_assert_msg(calls_seen(p) == 1, "cut at %zu", cut);
        ck_assert_str_eq(last(p)->detail, "svcctl");
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dcerpc");
    TCase *tc = tcase_create("dcerpc");
    tcase_add_loop_test(tc, calls, 0, sizeof call_rows / sizeof *call_rows);
    tcase_add_loop_test(tc, arguments, 0, sizeof argument_rows / sizeof *argument_rows);
    tcase_add_test(tc, what_follows_belongs_to_the_opened_service);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, privacy_hides_the_arguments_only);
    tcase_add_loop_test(tc, recognised_and_framed, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(tc, every_prefix_asks_for_more);
    tcase_add_test(tc, short_calls);
    tcase_add_test(tc, a_call_through_a_pipe);
    tcase_add_test(tc, a_call_in_pieces);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
