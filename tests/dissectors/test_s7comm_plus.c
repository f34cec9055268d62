/* test_s7comm_plus.c: framing, functions and identity of S7comm-plus; rows from PROTOCOLS 7 and
 * from what public captures show. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_s7comm_plus;

#define DIGEST "20 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
#define END1   " 72010000"
#define END2   " 72020000"
#define END3   " 72030000"
/* of session 0x394, sequence 5, to be followed by a body */
#define ASK(function)    "31 0000 " function " 0000 0005 00000394 34 "
#define ANSWER(function) "32 0000 " function " 0000 0005 34 "
#define AFTER            " 00000000" /* what stands behind every body */

/* A PDU of version 2 around a message. */
static void feed2(struct probe *p, bool is_from_client, const char *message)
{
    uint8_t pdu[4096];
    size_t size = hex_bytes(pdu + 4, sizeof pdu - 8, message);
    pdu[0] = 0x72;
    pdu[1] = 2;
    pdu[2] = (uint8_t)(size >> 8);
    pdu[3] = (uint8_t)size;
    hex_bytes(pdu + 4 + size, 4, "72020000");
    probe_feed(p, &dissector_s7comm_plus, is_from_client, pdu, size + 8);
}

/* --- recognition --- */

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claims[] = {
    {"a message with its trailer", "7202 0011 32 0000 0542 0000 0002 34 00 00000000 0000" END2,
     CLAIM_YES                                                                                            },
    {"a part without trailer",     "7202 0003 31 0000",                                         CLAIM_YES },
    {"a system event",             "72fe 0010 0000000000 0416a6 0000000000000000",              CLAIM_YES },
    {"another length",             "7202 0009 31 0000",                                         CLAIM_WEAK},
    {"an unknown version",         "7204 0003 31 0000",                                         CLAIM_WEAK},
    {"length 0",                   "7202 0000",                                                 CLAIM_WEAK},
    {"S7comm",                     "3201 0000 0001 0008 0000",                                  CLAIM_NO  },
    {"a header that is cut off",   "7202 00",                                                   CLAIM_NO  },
    {"nothing",                    "",                                                          CLAIM_NO  },
    {"zeros",                      "0000000000000000",                                          CLAIM_NO  },
    {"TLS inside of COTP",         "16 0301 0005 0100000100",                                   CLAIM_WEAK},
    {"not a record of TLS",        "16 0401 0005 0100000100",                                   CLAIM_NO  },
};

START_TEST(recognises)
{
    const struct claim_row *row = &claims[_i];
    uint8_t bytes[256];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    enum claim claim = probe_recognise(&dissector_s7comm_plus, bytes, size);
    ck_assert_msg(claim == row->claim, "%s: %d", row->shows, claim);
}
END_TEST

/* --- requests --- */

static const struct row {
    const char *shows, *message, *operation, *code, *name, *items;
} rows[] = {
    {"stop is 1 in attribute 2167 of object 52",         ASK("04f2") "00000034 01 9077 00 08 01" AFTER,
     "stop",                                                                                                                                          "op=0x31,func=0x04f2", "set_variable",        "object 52.2167=1"         },
    {"run is 3",                                         ASK("04f2") "00000034 01 9077 00 08 03" AFTER,                           "start",            "op=0x31,func=0x04f2",
     "set_variable",                                                                                                                                                                                "object 52.2167=3"         },
    {"other states are another mode",                    ASK("04f2") "00000034 01 9077 00 08 02" AFTER,                           "mode_change",
     "op=0x31,func=0x04f2",                                                                                                                                                  "set_variable",        "object 52.2167=2"         },
    {"another attribute of 52 is a write",               ASK("04f2") "00000034 01 9078 00 08 01" AFTER,                           "write",
     "op=0x31,func=0x04f2",                                                                                                                                                  "set_variable",        "object 52.2168=1"         },
    {"the firmware object is written",                   ASK("04f2") "00000010 01 9078 00 02 01" AFTER,
     "firmware_update",                                                                                                                               "op=0x31,func=0x04f2", "set_variable",        "object 16.2168=1"         },
    {"credits of a subscription",                        ASK("04f2") "70400005 01 881d 00 07 0019" AFTER,                         "subscribe",
     "op=0x31,func=0x04f2",                                                                                                                                                  "set_variable",        "object 1883242501.1053=25"},
    {"a data block by symbol",                           ASK("054c") "00000000 01 05 8bacecaf5e 8a8ab8 8005 02 9376 71" AFTER,
     "read",                                                                                                                                          "op=0x31,func=0x054c", "get_multi_variables", NULL                       },
    {"an attribute of an object",                        ASK("0586") "00000034 2004 02 913d 9b1e" AFTER,                          "read",
     "op=0x31,func=0x0586",                                                                                                                                                  "get_var_substreamed", "object 52.2237"           },
    {"the body of a block",                              ASK("0586") "8a320000 2004 01 9316" AFTER,                               "program_upload",
     "op=0x31,func=0x0586",                                                                                                                                                  "get_var_substreamed", "object 2318532608.2454"   },
    {"only the name of a block",                         ASK("0586") "8a320000 2004 01 8169" AFTER,                               "read",
     "op=0x31,func=0x0586",                                                                                                                                                  "get_var_substreamed", "object 2318532608.233"    },
    {"explore",                                          ASK("04bb") "00000003 00010001 00 00" AFTER,                             "browse",           "op=0x31,func=0x04bb",
     "explore",                                                                                                                                                                                     "object 3"                 },
    {"get link",                                         ASK("0524") "00000031 00" AFTER,                                         "browse",           "op=0x31,func=0x0524", "get_link",
     "object 49"                                                                                                                                                                                                               },
    {"add link",                                         ASK("0506") "00000031 00" AFTER,                                         "program_modify",   "op=0x31,func=0x0506",
     "add_link",                                                                                                                                                                                    "object 49"                },
    {"remove link",                                      ASK("051a") "00000031 00" AFTER,                                         "program_modify",   "op=0x31,func=0x051a",
     "remove_link",                                                                                                                                                                                 "object 49"                },
    {"get variable",                                     ASK("04fc") "00000031 01 9d29" AFTER,                                    "read",             "op=0x31,func=0x04fc",
     "get_variable",                                                                                                                                                                                "object 49"                },
    {"variables' addresses",                             ASK("0590") "00000031 00" AFTER,                                         "browse",           "op=0x31,func=0x0590",
     "get_variables_address",                                                                                                                                                                       "object 49"                },
    {"invoke",                                           ASK("056b") "00000031 00" AFTER,                                         "control",          "op=0x31,func=0x056b", "invoke",
     "object 49"                                                                                                                                                                                                               },
    {"begin of a sequence",                              ASK("0556") "00 0120000003" AFTER,                                       "program_download",
     "op=0x31,func=0x0556",                                                                                                                                                  "begin_sequence",      ""                         },
    {"end of a sequence",                                ASK("0560") "00" AFTER,                                                  "program_download", "op=0x31,func=0x0560",
     "end_sequence",                                                                                                                                                                                ""                         },
    {"abort",                                            ASK("059a") "00" AFTER,                                                  "session",          "op=0x31,func=0x059a", "abort",               ""                         },
    {"error",                                            ASK("04b1") "00" AFTER,                                                  "error",            "op=0x31,func=0x04b1", "error",               ""                         },
    {"another error",                                    ASK("05a9") "00" AFTER,                                                  "error",            "op=0x31,func=0x05a9", "error2",              ""                         },
    {"TLS begins",                                       ASK("05b3") "00" AFTER,                                                  "session",          "op=0x31,func=0x05b3", "init_ssl",            ""                         },
    {"an own object is deleted",                         ASK("04d4") "7040000e 00" AFTER,                                         "subscribe",
     "op=0x31,func=0x04d4",                                                                                                                                                  "delete_object",       "object 1883242510"        },
    {"what was never created is deleted",                ASK("04d4") "000000d3 00" AFTER,                                         "subscribe",
     "op=0x31,func=0x04d4",                                                                                                                                                  "delete_object",       "object 211"               },
    {"a block is deleted",                               ASK("04d4") "8a320000 00" AFTER,                                         "program_delete",   "op=0x31,func=0x04d4",
     "delete_object",                                                                                                                                                                               "object 2318532608"        },
    {"the session is deleted",                           ASK("04d4") "00000394 00" AFTER,                                         "session",          "op=0x31,func=0x04d4",
     "delete_object",                                                                                                                                                                               "object 916"               },
    {"a block is made below the program",
     ASK("04ca") "00000003 0004 00 00000000 a1 8a320000 9457 20 00 a3 8169 00 15 04 4d61696e "
                 "a2" AFTER,
     "program_download",                                                                                                                              "op=0x31,func=0x04ca", "create_object",       "Main"                     },
    {"a number may stand before the object (version 3)",
     ASK("04ca") "00000003 0004 00 00000000 0b a1 8a320000 9457 20 00 a3 8169 00 15 04 4d61696e "
                 "a2" AFTER,
     "program_download",                                                                                                                              "op=0x31,func=0x04ca", "create_object",       "Main"                     },
    {"a subscription is made",
     ASK("04ca") "00000395 0004 00 00000000 a1 7fffc00d 8769 00 00 a3 8169 00 15 01 53 a2" AFTER,
     "subscribe",                                                                                                                                     "op=0x31,func=0x04ca", "create_object",       "S"                        },
    {"an object of the session is made",
     ASK("04ca") "00000394 0004 00 00000000 a1 7fffc00c 9515 00 00 a3 8169 00 15 01 4a a2" AFTER,
     "subscribe",                                                                                                                                     "op=0x31,func=0x04ca", "create_object",       "J"                        },
    {"firmware is made",                                 ASK("04ca") "00000010 0004 00 00000000 a1 7fffc00c 9515 00 00 a2" AFTER,
     "firmware_update",                                                                                                                               "op=0x31,func=0x04ca", "create_object",       NULL                       },
    {"values by symbol are written",
     ASK("0542") "00000000 02 08 8bacecaf5e 50 02 9376 71 00 52 01 03 01 00 01 01 02 00 0e "
                 "3f800000 00" AFTER,
     "write",                                                                                                                                         "op=0x31,func=0x0542", "set_multi_variables", NULL                       },
    {"values of the session are set",                    ASK("0542") "00000394 01 01 8232 01 00 02 05 00" AFTER,
     "session",                                                                                                                                       "op=0x31,func=0x0542", "set_multi_variables", "object 916.306=5"         },
};

START_TEST(requests)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, row->message);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "s7comm_plus");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_msg(strcmp(e->code, row->code) == 0, "%s: %s", row->shows, e->code);
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: %s", row->shows, e->name);
    ck_assert_msg(!row->items || strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    probe_destroy(p);
}
END_TEST

/* --- values --- */

static const struct value_row {
    const char *shows, *value, *items;
} values[] = {
    {"bool",                       "00 01 01",                     "object 3.1=1"         },
    {"usint",                      "00 02 ff",                     "object 3.1=255"       },
    {"uint",                       "00 03 0102",                   "object 3.1=258"       },
    {"udint, one byte",            "00 04 7f",                     "object 3.1=127"       },
    {"udint, two bytes",           "00 04 8100",                   "object 3.1=128"       },
    {"udint, five bytes",          "00 04 8fffffff7f",             "object 3.1=4294967295"},
    {"ulint, nine bytes",          "00 05 80808080808080 80ff",    "object 3.1=255"       },
    {"sint",                       "00 06 ff",                     "object 3.1=-1"        },
    {"int",                        "00 07 fffe",                   "object 3.1=-2"        },
    {"dint below zero",            "00 08 7f",                     "object 3.1=-1"        },
    {"dint, greatest of one byte", "00 08 3f",                     "object 3.1=63"        },
    {"dint, two bytes",            "00 08 8040",                   "object 3.1=64"        },
    {"byte",                       "00 0a 10",                     "object 3.1=16"        },
    {"word",                       "00 0b 0010",                   "object 3.1=16"        },
    {"dword",                      "00 0c 00000010",               "object 3.1=16"        },
    {"lword",                      "00 0d 0000000000000010",       "object 3.1=16"        },
    {"real",                       "00 0e 3f800000",               "object 3.1=1"         },
    {"lreal",                      "00 0f 3ff0000000000000",       "object 3.1=1"         },
    {"rid",                        "00 12 00000011",               "object 3.1=17"        },
    {"text",                       "00 15 02 4f4b",                "object 3.1=OK"        },
    {"array of uint",              "10 03 02 0001 0002",           "object 3.1=1,2"       },
    {"null",                       "00 00",                        "object 3.1"           },
    {"struct",                     "00 17 00000101 01 0002 05 00", "object 3.1"           },
};

START_TEST(typed_values)
{
    char message[256];
    snprintf(message, sizeof message, "%s 00000003 01 01 %s %s", ASK("04f2"), values[_i].value,
             AFTER);
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, message);
    ck_assert_msg(strcmp(probe_event(p, 0)->items, values[_i].items) == 0, "%s: %s",
                  values[_i].shows, probe_event(p, 0)->items);
    ck_assert_msg(p->violation_count == 0, "%s", values[_i].shows);
    probe_destroy(p);
}
END_TEST

/* --- responses --- */

START_TEST(read_is_answered)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, ASK("054c") "00000034 02 02 913d 9c68" AFTER);
    feed2(p, false, ANSWER("054c") "00 01 00 17 00000d99 9b1e 00 08 08 00 02 00 08 05 00 00" AFTER);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->operation, "read");
    ck_assert_str_eq(e->code, "op=0x32,func=0x054c");
    ck_assert_str_eq(e->items, "object 52.2237; object 52.3688=5");
    ck_assert_str_eq(e->facts, "mode=run");
    ck_assert_str_eq(e->status, "ok");
    ck_assert_uint_eq(e->flags & OT_NO_REQUEST, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_item_may_fail)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, ASK("054c") "00000034 02 02 913d 9c68" AFTER);
    feed2(p, false, ANSWER("054c") "00 02 00 08 05 00 01 8074 00" AFTER);
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->items, "object 52.2237!"));
    probe_destroy(p);
}
END_TEST

START_TEST(a_refused_stop_is_an_error)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, ASK("04f2") "00000034 01 9077 00 08 01" AFTER);
    feed2(p, false, ANSWER("04f2") "d381b2c080a5dbff95 06" AFTER); /* -107 */
    ck_assert_str_eq(probe_event(p, 1)->operation, "stop");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 65429");
    probe_destroy(p);
}
END_TEST

START_TEST(an_answer_without_request)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, false, ANSWER("04f2") "00" AFTER);
    ck_assert(probe_event(p, 0)->flags & OT_NO_REQUEST);
    ck_assert_str_eq(probe_event(p, 0)->operation, "write");
    probe_destroy(p);
}
END_TEST

/* --- sessions and identity --- */

#define SESSION                                                                                    \
    "31 0000 04ca 0000 0001 00000120 36 0000011d 0004 00 00000000 a1 000000d3 821f 00 00 "         \
    "a3 8169 00 15 01 53 a3 8229 00 15 03 484d49 a3 822a 00 15 07 50432d315f3939 a2" AFTER
#define SESSION_OPEN                                                                               \
    "32 0000 04ca 0000 0001 36 00 02 8714 8715 a1 00000120 821f 00 00 a3 8232 00 17 0000013a "     \
    "823b 00 04 8400 823f 00 15 1b 313b36455337203231352d31414734302d30584230203b56342e33 "        \
    "8241 00 03 0003 00 a2" AFTER

START_TEST(session_tells_who)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, SESSION);
    feed2(p, false, SESSION_OPEN);
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 0)->facts, "host_name=PC-1; software_version=HMI");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "order_number=6ES7 215-1AG40-0XB0; firmware_version=V4.3");
    feed2(p, true, ASK("059a") "00" AFTER);
    ck_assert_uint_eq(p->violation_count, 0);
    feed2(p, true, "31 0000 059a 0000 0006 00000399 34 00" AFTER);
    ck_assert_str_eq(probe_violation(p, 0)->why, "session id is unknown");
    probe_destroy(p);
}
END_TEST

START_TEST(maintenance_record_and_protection)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, ASK("0586") "00000031 2004 01 9d29" AFTER);
    feed2(p, false,
          ANSWER("0586") "00 00 0014 00 3c 0020 0038 0100 002a "
                         "36455337203231352d31414734302d3058423020 "
                         "5320562d4c4f424d3134333220202020 000a 56040300 "
                         "00000000 01010101 00000000" AFTER);
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "order_number=6ES7 215-1AG40-0XB0; serial_number=S V-LOBM1432; "
                     "hardware_version=10; firmware_version=V4.3.0");
    feed2(p, true, ASK("0586") "00000394 2004 01 8e32" AFTER);
    feed2(p, false, ANSWER("0586") "00 00 00 04 03 0a" AFTER);
    ck_assert_str_eq(probe_event(p, 3)->facts, "protection=level 3");
    probe_destroy(p);
}
END_TEST

START_TEST(passwords_stay_out)
{
    static const char *const messages[] = {
        ASK("04f2") "00000394 01 8e36 00 15 06 736563726574" AFTER,
        ASK("057c") "00000394 2004 01 82bb50 00 14 00 06 736563726574" AFTER,
        ASK("0542") "00000394 01 01 8230 01 00 14 00 06 736563726574 00" AFTER,
    };
    for (size_t i = 0; i < 3; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        feed2(p, true, messages[i]);
        const struct probe_event *e = probe_event(p, 0);
        ck_assert_msg(strcmp(e->operation, "auth") == 0, "%zu: %s", i, e->operation);
        ck_assert(e->flags & OT_HAS_CREDENTIAL);
        ck_assert_uint_ge(e->secret_size, 6);
        ck_assert_ptr_null(strstr(e->items, "secret"));
        ck_assert_ptr_null(strstr(e->items, "736563726574"));
        probe_destroy(p);
    }
}
END_TEST

/* --- transfers --- */

START_TEST(download_by_sequence)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, ASK("0556") "00" AFTER);
    feed2(p, true,
          ASK("04ca") "00000003 0004 00 00000000 a1 8a320000 9457 20 00 a3 8169 00 15 04 4d61696e "
                      "a2" AFTER);
    feed2(p, true, ASK("0560") "00" AFTER);
    ck_assert_ptr_nonnull(strstr(probe_event(p, 0)->transfer, "begin program_download"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "block program_download"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "Main"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 2)->transfer, "end program_download"));
    probe_destroy(p);
}
END_TEST

START_TEST(download_ends_with_the_session)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, ASK("04ca") "00000003 0004 00 00000000 a1 8a320000 9457 20 00 a2" AFTER);
    feed2(p, true, ASK("04d4") "00000394 00" AFTER);
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "end program_download"));
    feed2(p, true, ASK("04d4") "00000394 00" AFTER);
    ck_assert_str_eq(probe_event(p, 2)->transfer, "");
    probe_destroy(p);
}
END_TEST

START_TEST(upload_of_a_block)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, ASK("0586") "8a320000 2004 01 9316" AFTER);
    feed2(p, false, ANSWER("0586") "00 00 00 14 00 04 01020304" AFTER);
    ck_assert_str_eq(probe_event(p, 1)->operation, "program_upload");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "block program_upload"));
    probe_destroy(p);
}
END_TEST

/* --- parts --- */

/* A message of this size in parts of 900 bytes; returns what its transfer says. */
static const char *feed_parts(struct probe *p, size_t total, uint8_t last)
{
    static uint8_t message[400000];
    memset(message, 0x55, total);
    hex_bytes(message, 64, ASK("04ca") "00000003 0004 00 00000000 a1 8a320000 9457 20 00");
    message[total - 1] = last;
    for (size_t at = 0; at < total;) {
        uint8_t pdu[4 + 900 + 4] = {0x72, 2};
        size_t size = total - at < 900 ? total - at : 900;
        pdu[2] = (uint8_t)(size >> 8);
        pdu[3] = (uint8_t)size;
        memcpy(pdu + 4, message + at, size);
        at += size;
        if (at == total)
            hex_bytes(pdu + 4 + size, 4, "72020000");
        probe_feed(p, &dissector_s7comm_plus, true, pdu, size + (at == total ? 8 : 4));
    }
    return probe_event(p, p->event_count - 1)->transfer;
}

START_TEST(messages_in_parts)
{
    static const size_t sizes[] = {901, 1800, 8000, 8200, 60000, 70000, 300000};
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char declared[32];
        snprintf(declared, sizeof declared, "declared=%zu", sizes[i]);
        const char *transfer = feed_parts(p, sizes[i], 1);
        ck_assert_msg(p->event_count == i + 1, "%zu bytes: %zu events", sizes[i], p->event_count);
        ck_assert_msg(strstr(transfer, declared) != NULL, "%zu bytes: %s", sizes[i], transfer);
    }
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(no_memory_for_parts)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->is_out_of_memory = true;
    uint8_t part[] = {0x72, 2, 0, 3, 0x31, 0, 0};
    probe_feed(p, &dissector_s7comm_plus, true, part, sizeof part);
    uint8_t last[] = {0x72, 2, 0, 3, 0x04, 0xca, 0, 0x72, 2, 0, 0};
    probe_feed(p, &dissector_s7comm_plus, true, last, sizeof last);
    ck_assert_uint_eq(p->event_count, 0);
    ck_assert_str_eq(probe_violation(p, 0)->why, "message in parts is too long to follow");
    probe_destroy(p);
}
END_TEST

/* --- whole PDUs --- */

static const struct pdu_row {
    const char *shows, *hex, *code, *name, *why;
} pdus[] = {
    {"version 1",                   "7201 0013 31 0000 059a 0000 0005 00000394 34 00 00000000" END1,
     "op=0x31,func=0x059a",                                                                                                 "abort",        ""                                        },
    {"version 3 has a digest",
     "7203 0034" DIGEST "31 0000 059a 0000 0005 00000394 34 00 00000000" END3,
     "op=0x31,func=0x059a",                                                                                                 "abort",        ""                                        },
    {"a digest of another size",
     "7203 0015 01 aa 31 0000 059a 0000 0005 00000394 34 00 00000000" END3,                          "op=0x31,func=0x059a",
     "abort",                                                                                                                               "digest is not 32 bytes long"             },
    {"a notification",
     "7202 0019 33 70400008 0400 0000 0000 00 05 01 92 00000004 0008 04 00 0000" END2,               "op=0x33",
     "notification",                                                                                                                        ""                                        },
    {"a system event",              "72fe 0010 00000000000416a60000000000000000",                    "ver=0xfe",            "system_event",
     ""                                                                                                                                                                               },
    {"a keep-alive",                "72ff 0002 0000",                                                "ver=0xff",            "keep_alive",   ""                                        },
    {"TLS",                         "16 0301 0005 0100000100",                                       "ver=0x16",            "encrypted",    ""                                        },
    {"the trailer is of version 1", "7202 0013 31 0000 059a 0000 0005 00000394 34 00 00000000" END1,
     "op=0x31,func=0x059a",                                                                                                 "abort",        "trailer is not of this version"          },
    {"reserved is not 0",           "7202 0013 31 0001 059a 0000 0005 00000394 34 00 00000000" END2,
     "op=0x31,func=0x059a",                                                                                                 "abort",        "reserved field is not 0"                 },
    {"an unknown function",         "7202 0013 31 0000 0777 0000 0005 00000394 34 00 00000000" END2,
     "op=0x31,func=0x0777",                                                                                                 "",             "function is unknown"                     },
    {"an unknown opcode",           "7202 0013 30 0000 059a 0000 0005 00000394 34 00 00000000" END2, NULL,
     NULL,                                                                                                                                  "opcode is unknown"                       },
    {"version 4",                   "7204 0003 310000" END2,                                         NULL,                  NULL,           "version is unknown"                      },
    {"data length 0",               "7202 0000",                                                     NULL,                  NULL,           "data length is 0"                        },
    {"data past the PDU",           "7202 0100 31 0000",                                             NULL,                  NULL,           "data is longer than the PDU"             },
    {"a message of one byte",       "7202 0001 31" END2,                                             NULL,                  NULL,           "message is cut off"                      },
    {"a header that is cut off",    "7202",                                                          NULL,                  NULL,           "header is cut off"                       },
    {"a value of an unknown type",
     "7202 001b 31 0000 04f2 0000 0005 00000394 34 00000003 01 01 00 1f 00 00000000" END2,
     "op=0x31,func=0x04f2",                                                                                                 "set_variable", "value is malformed or of an unknown type"},
};

START_TEST(whole_pdus)
{
    const struct pdu_row *row = &pdus[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_s7comm_plus, true, row->hex);
    const char *why = p->violation_count ? probe_violation(p, 0)->why : "";
    ck_assert_msg(strcmp(why, row->why) == 0, "%s: '%s'", row->shows, why);
    ck_assert_msg(p->event_count == (row->code != NULL), "%s: %zu events", row->shows,
                  p->event_count);
    if (row->code) {
        ck_assert_msg(strcmp(probe_event(p, 0)->code, row->code) == 0, "%s: %s", row->shows,
                      probe_event(p, 0)->code);
        ck_assert_msg(strcmp(probe_event(p, 0)->name, row->name) == 0, "%s: %s", row->shows,
                      probe_event(p, 0)->name);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(tls_is_told_once_as_encrypted)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (int i = 0; i < 3; i++)
        probe_hex(p, &dissector_s7comm_plus, i % 2, "17 0303 0003 010203");
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert(probe_event(p, 0)->flags & OT_ENCRYPTED);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(downgrade_is_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_s7comm_plus, true,
              "7203 0034" DIGEST "31 0000 059a 0000 0005 00000394 34 00 00000000" END3);
    feed2(p, true, SESSION); /* sessions are always opened with a lower one */
    ck_assert_uint_eq(p->violation_count, 0);
    feed2(p, true, ASK("059a") "00" AFTER);
    ck_assert_str_eq(probe_violation(p, 0)->why, "protocol version is lower than before");
    probe_destroy(p);
}
END_TEST

START_TEST(sequence_jump)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed2(p, true, "31 0000 059a 0000 0005 00000394 34 00" AFTER);
    feed2(p, true, "31 0000 059a 0000 0045 00000394 34 00" AFTER); /* 64 on: some were missed */
    ck_assert_uint_eq(p->violation_count, 0);
    feed2(p, true, "31 0000 059a 0000 0086 00000394 34 00" AFTER); /* 65 on */
    ck_assert_str_eq(probe_violation(p, 0)->why, "sequence number jumps");
    probe_destroy(p);
}
END_TEST

START_TEST(request_tells_the_client)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = p->flow.is_role_known = false;
    feed2(p, false, ASK("059a") "00" AFTER);
    ck_assert(p->flow.is_role_known);
    ck_assert(probe_event(p, 0)->is_from_client);
    probe_destroy(p);
}
END_TEST

/* Cut anywhere, a message is told or found wrong, and never read past. */
START_TEST(every_prefix_is_safe)
{
    uint8_t whole[512];
    size_t size = hex_bytes(whole, sizeof whole, SESSION_OPEN);
    for (size_t n = 1; n <= size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        feed2(p, true, SESSION);
        uint8_t pdu[520] = {0x72, 2, (uint8_t)(n >> 8), (uint8_t)n};
        memcpy(pdu + 4, whole, n);
        hex_bytes(pdu + 4 + n, 4, "72020000");
        probe_feed(p, &dissector_s7comm_plus, false, pdu, n + 8);
        ck_assert_uint_eq(p->event_count + p->violation_count, 2);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("s7comm_plus");
    TCase *tcase = tcase_create("s7comm_plus");
    tcase_add_loop_test(tcase, recognises, 0, sizeof claims / sizeof *claims);
    tcase_add_loop_test(tcase, requests, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, typed_values, 0, sizeof values / sizeof *values);
    tcase_add_loop_test(tcase, whole_pdus, 0, sizeof pdus / sizeof *pdus);
    tcase_add_test(tcase, read_is_answered);
    tcase_add_test(tcase, an_item_may_fail);
    tcase_add_test(tcase, a_refused_stop_is_an_error);
    tcase_add_test(tcase, an_answer_without_request);
    tcase_add_test(tcase, session_tells_who);
    tcase_add_test(tcase, maintenance_record_and_protection);
    tcase_add_test(tcase, passwords_stay_out);
    tcase_add_test(tcase, download_by_sequence);
    tcase_add_test(tcase, download_ends_with_the_session);
    tcase_add_test(tcase, upload_of_a_block);
    tcase_add_test(tcase, messages_in_parts);
    tcase_add_test(tcase, no_memory_for_parts);
    tcase_add_test(tcase, tls_is_told_once_as_encrypted);
    tcase_add_test(tcase, downgrade_is_told);
    tcase_add_test(tcase, sequence_jump);
    tcase_add_test(tcase, request_tells_the_client);
    tcase_add_test(tcase, every_prefix_is_safe);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
