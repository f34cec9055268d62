/* test_snmp.c: SNMP 1, 2 and 3, held against RFC 1157, RFC 3416, RFC 3412, RFC 3414, RFC 1213 3.5
 * and RFC 6933; messages made by hand after X.690. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_snmp;

static const struct row {
    const char *shows, *hex, *code, *name, *direction, *operation, *items, *facts, *detail;
    size_t secret;
} rows[] = {
    {"get",                          "30240201010403616263a01a02020007020100020100300e300c06082b060102010103000500",     "0",
     "get",                                                                                                                                        "request", "read",          "1.3.6.1.2.1.1.3.0",                    "",                  "",          3},
    {"get, version 1",
     "30240201000403616263a01a02020007020100020100300e300c06082b060102010103000500",                                     "0",         "get",
     "request",                                                                                                                                               "read",          "1.3.6.1.2.1.1.3.0",                    "",                  "",          3},
    {"two variables",
     "30320201010403616263a02802020007020100020100301c300c06082b060102010103000500300c06082b"
     "060102010105000500",                                                                                               "0",         "get",       "request", "read",          "1.3.6.1.2.1.1.3.0; 1.3.6.1.2.1.1.5.0", "",                  "",          3},
    {"the next one: a walk",
     "30220201010403616263a11802020007020100020100300c300a06062b06010201010500",                                         "1",         "get_next",
     "request",                                                                                                                                               "browse",        "1.3.6.1.2.1.1",                        "",                  "",          3},
    {"many next ones",               "30220201010403616263a5180202000702010002010a300c300a06062b06010201010500",
     "5",                                                                                                                             "get_bulk",  "request", "browse",        "1.3.6.1.2.1.1",                        "",                  "",          3},
    {"set",                          "30250201010403616263a31b02020007020100020100300f300d06082b06010201010500040178",   "3",
     "set",                                                                                                                                        "request", "config_change", "1.3.6.1.2.1.1.5.0=x",                  "",                  "",          3},
    {"inform",                       "30260201010403616263a61c020200070201000201003010300e06082b0601020101030043020102",
     "6",                                                                                                                             "inform",    "request", "alarm",         "1.3.6.1.2.1.1.3.0=258",                "",                  "",          3},
    {"trap of version 2",
     "30250201010403616263a71b02020007020100020100300f300d06082b06010201010300430105",                                   "7",         "trap2",
     "oneway",                                                                                                                                                "alarm",         "1.3.6.1.2.1.1.3.0=5",                  "",                  "",          3},
    {"trap of version 1: link down",
     "30370201000403616263a42d06092b0601040181780e0a40040a0000010201020201004301013011300f06"
     "0a2b060102010202010103020103",                                                                                     "4",         "trap",      "oneway",  "alarm",         "1.3.6.1.2.1.2.2.1.1.3=3",              "vendor=Hirschmann", "link_down",
     3                                                                                                                                                                                                                                                    },
    {"values of every type",
     "306b0201010403616263a361020200070201000201003055300706022b010201fe300b06022b02410500ff"
     "ffffff300706022b03420180300b06022b0446050100000000300a06022b0540040a000001300906022b06"
     "06032b0601300806022b0704020001300606022b080500",                                                                   "3",         "set",       "request", "config_change",
     "1.3.1=-2; 1.3.2=4294967295; 1.3.3=128; 1.3.4=4294967296; 1.3.5=10.0.0.1; 1.3.6=1.3.6.1"
     "; 1.3.7=0001; 1.3.8",                                                                                                                                                                                            "",                  "",          3},
    {"a great object id",
     "30230201010403616263a01902020007020100020100300d300b060788378fffffff7f0500",                                       "0",         "get",
     "request",                                                                                                                                               "read",          "2.999.4294967295",                     "",                  "",          3},
    {"version 3 in clear",
     "3060020103300e02020009020205c0040104020103041e301c040b800010e9030200000000070201010201"
     "020403626f6204000400302b040b800010e9030200000000070400a01a02020007020100020100300e300c"
     "06082b060102010101000500",                                                                                         "0",         "get",       "request", "read",          "1.3.6.1.2.1.1.1.0",                    "user_name=bob",     "",          0},
    {"version 3 encrypted",
     "3039020103300e02020009020205c0040107020103041e301c040b800010e9030200000000070201010201"
     "020403626f6204000400040401020304",                                                                                 "encrypted", "encrypted", "request", "unknown",       "",                                     "user_name=bob",     "",          0},
    {"an empty community",           "30210201010400a01a02020007020100020100300e300c06082b060102010103000500",
     "0",                                                                                                                             "get",       "request", "read",          "1.3.6.1.2.1.1.3.0",                    "",                  "",          0},
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t bytes[512];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_snmp, bytes, size) == CLAIM_YES, "%s", row->shows);
    probe_feed(p, &dissector_snmp, true, bytes, size);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->direction, row->direction);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    ck_assert_str_eq(e->detail, row->detail);
    ck_assert_msg(e->secret_size == row->secret, "%s: %zu", row->shows, e->secret_size);
    ck_assert((e->flags & OT_HAS_CREDENTIAL) == (row->secret ? OT_HAS_CREDENTIAL : 0));
    ck_assert((e->flags & OT_ENCRYPTED) == (row->name[0] == 'e' ? OT_ENCRYPTED : 0));
    probe_destroy(p);
}
END_TEST

static const struct answer_row {
    const char *shows, *request, *response, *operation, *items, *facts, *status;
} answer_rows[] = {
    {"a value",                               "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",
     "301f0201010403616263a215020200070201000201003009300706022b01020105",                                                                                                                          "read",          "1.3.1=5",                                     "",
     "ok"                                                                                                                                                                                                                                                                                                                  },
    {"of a walk",                             "30240201010403616263a11a02020007020100020100300e300c06082b060102010101000500",
     "301f0201010403616263a215020200070201000201003009300706022b01020105",                                                                                                                          "browse",        "1.3.1=5",                                     "",
     "ok"                                                                                                                                                                                                                                                                                                                  },
    {"of a set",                              "30240201010403616263a31a02020007020100020100300e300c06082b060102010101000500",
     "301f0201010403616263a215020200070201000201003009300706022b01020105",                                                                                                                          "config_change",
     "1.3.1=5",                                                                                                                                                                                                                                                     "",                             "ok"                   },
    {"a set refused",
     "30240201010403616263a31a02020007020100020100300e300c06082b060102010101000500",                                          "301f0201010403616263a215020200070201110201003009300706022b01020105", "config_change",
     "1.3.1=5",                                                                                                                                                                                                                                                     "",                             "error 17 not_writable"},
    {"no such name",                          "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",
     "301e0201010403616263a214020200070201020201003008300606022b010500",                                                                                                                            "read",          "1.3.1",                                       "",
     "error 2 no_such_name"                                                                                                                                                                                                                                                                                                },
    {"an error of no name",
     "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",                                          "301e0201010403616263a214020200070201130201003008300606022b010500",   "read",          "1.3.1",                                       "",
     "error 19"                                                                                                                                                                                                                                                                                                            },
    {"no such object, nor instance; the end",
     "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",                                          "302e0201010403616263a224020200070201000201003018300606022b018000300606022b028100300606"
     "022b038200",                                                                                              "read",
     "1.3.1!error 128 no_such_object; 1.3.2!error 129 no_such_instance; 1.3.3!error 130 "
     "end_of_view",                                                                                                                                                                                                                                                 "",                             "ok"                   },
    {"who it says it is",
     "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",                                          "3081ac0201010403616263a281a102020007020100020100308194305606082b06010201010100044a5369"
     "656d656e732c2053494d41544943204e45542c205343414c414e434520583230382c2036474b3520323038"
     "2d30424131302d324141332c2048573a20342c2046573a2056342e3033301506082b060102010102000609"
     "2b06010401a1690601300f06082b060102010105000403737737301206082b06010201010600040668616c"
     "6c2032",                                                                                                  "read",
     "1.3.6.1.2.1.1.1.0=Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: 4, FW:"
     " V4.03; 1.3.6.1.2.1.1.2.0=1.3.6.1.4.1.4329.6.1; 1.3.6.1.2.1.1.5.0=sw7; 1.3.6.1.2.1.1.6"
     ".0=hall 2",                                                                                                                                                                                                                                                   "vendor=Siemens; order_number=6GK5 208-0BA10-2AA3; product=SCALANCE X208; hardware_vers"
     "ion=4; firmware_version=V4.03; comment=Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0"
     "BA10-2AA3, HW: 4, FW: V4.03; host_name=sw7; location=hall 2",                                                                                                                                                                                                                "ok"                   },
    {"Linux by its agent",
     "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",                                          "302e0201010403616263a224020200070201000201003018301606082b06010201010200060a2b06010401"
     "bf0803020a",                                                                                              "read",          "1.3.6.1.2.1.1.2.0=1.3.6.1.4.1.8072.3.2.10",   "os=Linux",                     "ok"                   },
    {"Windows by its agent",
     "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",                                          "30300201010403616263a22602020007020100020100301a301806082b06010201010200060c2b06010401"
     "82370101030102",                                                                                          "read",          "1.3.6.1.2.1.1.2.0=1.3.6.1.4.1.311.1.1.3.1.2", "vendor=Microsoft; os=Windows", "ok"                   },
    {"its chassis",                           "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",
     "3081900201010403616263a281850202000702010002010030793013060c2b060102012f010101010b0104"
     "03534e313012060c2b060102012f010101010d0104024d313012060c2b060102012f010101010801040248"
     "313012060c2b060102012f010101010901040246313012060c2b060102012f010101010a01040253313012"
     "060c2b060102012f010101010c0104025631",                                                                                                                                                        "read",
     "1.3.6.1.2.1.47.1.1.1.1.11.1=SN1; 1.3.6.1.2.1.47.1.1.1.1.13.1=M1; 1.3.6.1.2.1.47.1.1.1."
     "1.8.1=H1; 1.3.6.1.2.1.47.1.1.1.1.9.1=F1; 1.3.6.1.2.1.47.1.1.1.1.10.1=S1; 1.3.6.1.2.1.4"
     "7.1.1.1.1.12.1=V1",                                                                                                                                                                                                                                           "serial_number=SN1; product=M1; hardware_version=H1; firmware_version=F1; software_vers"
     "ion=S1; vendor=V1",                                                                                                                                                                                                                                                  "ok"                   },
    {"a module is not the device",
     "30240201010403616263a01a02020007020100020100300e300c06082b060102010101000500",                                          "302b0201010403616263a2210202000702010002010030153013060c2b060102012f010101010b07040353"
     "4e37",                                                                                                    "read",          "1.3.6.1.2.1.47.1.1.1.1.11.7=SN7",             "",                             "ok"                   },
};

START_TEST(answers)
{
    const struct answer_row *row = &answer_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_snmp, true, row->request);
    probe_hex(p, &dissector_snmp, false, row->response);
    ck_assert_msg(p->event_count == 2 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->name, "response");
    ck_assert_str_eq(e->direction, "response");
    ck_assert_uint_eq(e->transaction, 7);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: %s", row->shows, e->status);
    ck_assert_uint_eq(e->flags & OT_NO_REQUEST, 0);
    probe_destroy(p);
}
END_TEST

static const struct community_row {
    const char *shows, *hex;
    uint32_t flags;
} community_rows[] = {
    {"public",                              "301a 020101 0406 7075626c6963 a00d 020107 020100 020100 3002 3000",
     OT_DEFAULT_CREDENTIAL                                                                                          },
    {"private",                             "301b 020101 0407 70726976617465 a00d 020107 020100 020100 3002 3000",
     OT_DEFAULT_CREDENTIAL                                                                                          },
    {"Public",                              "301a 020101 0406 5075626c6963 a00d 020107 020100 020100 3002 3000",   0},
    {"publi",                               "3019 020101 0405 7075626c69 a00d 020107 020100 020100 3002 3000",     0},
    {"a trap's own community asks nothing",
     "301a 020101 0406 7075626c6963 a70d 020107 020100 020100 3002 3000",                                          0},
};

START_TEST(communities_as_delivered)
{
    const struct community_row *row = &community_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_snmp, true, row->hex);
    ck_assert_msg((probe_event(p, 0)->flags & OT_DEFAULT_CREDENTIAL) == row->flags, "%s",
                  row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(nobody_asked)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_snmp, false, answer_rows[0].response);
    ck_assert_uint_eq(probe_event(p, 0)->flags & OT_NO_REQUEST, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

/* A manager that asks again before the answer came gets two. */
START_TEST(asked_twice)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    for (int i = 0; i < 2; i++)
        probe_hex(p, &dissector_snmp, true, answer_rows[0].request);
    for (int i = 0; i < 2; i++)
        probe_hex(p, &dissector_snmp, false, answer_rows[0].response);
    ck_assert_uint_eq(probe_event(p, 2)->flags & (OT_NO_REQUEST | OT_RETRANSMIT), 0);
    ck_assert_uint_eq(probe_event(p, 3)->flags & (OT_NO_REQUEST | OT_RETRANSMIT), OT_RETRANSMIT);
    probe_destroy(p);
}
END_TEST

/* What an agent of version 3 tells by its engine's id, RFC 3411 5. */
START_TEST(engines_tell_their_vendor)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(
        p, &dissector_snmp, false,
        "3060020103300e02020009020205c0040100020103041b3019040b800010e9030200000000070201010201"
        "02040004000400302e040b800010e9030200000000070400a81d020200070201000201003011300f060a2b"
        "060106030f01010400410101");
    ck_assert_str_eq(probe_event(p, 0)->name, "report");
    ck_assert_str_eq(probe_event(p, 0)->direction, "response");
    ck_assert_str_eq(probe_event(p, 0)->facts, "vendor=Siemens; mac=02:00:00:00:00:07");
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
    enum violation_kind kind;
} bad_rows[] = {
    {"no sequence",                     "3103020101",                                                         VIOLATION_LENGTH  },
    {"version 2 is none of ours",       "30160201020403616263a00c020200070201000201003000",
     VIOLATION_RESERVED                                                                                                         },
    {"an unknown operation",            "300d0201010403616263a903020101",                                     VIOLATION_FUNCTION},
    {"bytes behind the operation",      "30180201010403616263a00c0202000702010002010030000500",
     VIOLATION_TRAILING                                                                                                         },
    {"an operation without its error",  "300d0201010403616263a003020107",                                     VIOLATION_LENGTH  },
    {"a variable without a value",      "301b0201010403616263a0110201070201000201003006300406022b01",
     VIOLATION_LENGTH                                                                                                           },
    {"a variable longer than its list", "301a0201010403616263a01002010702010002010030053020060101",
     VIOLATION_LENGTH                                                                                                           },
    {"a name that is no object id",     "301c0201010403616263a012020107020100020100300730050201010500",
     VIOLATION_LENGTH                                                                                                           },
    {"a trap of no such kind",          "301f0201000403616263a41506022b0140040a0000010201070201004301013000",
     VIOLATION_RANGE                                                                                                            },
    {"a trap cut short",                "300e0201000403616263a40406022b01",                                   VIOLATION_LENGTH  },
    {"version 3 without its users",     "30080201033003020109",                                               VIOLATION_LENGTH  },
};

START_TEST(wrong_messages_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_snmp, true, row->hex);
    ck_assert_msg(probe_has_violation(p, row->kind), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"a message",                  "30240201010403616263a01a02020007020100020100300e300c06082b060102010103000500",
     CLAIM_YES                                                                                                             },
    {"a byte behind it",
     "30240201010403616263a01a02020007020100020100300e300c06082b06010201010300050000",                             CLAIM_NO},
    {"version 2",                  "30160201020403616263a00c020200070201000201003000",                             CLAIM_NO},
    {"no community",               "3014020101020101a00c020200070201000201003000",                                 CLAIM_NO},
    {"another tag as operation",   "300d0201010403616263a903020101",                                               CLAIM_NO},
    {"version 3 without its head", "3006020103040161",                                                             CLAIM_NO},
    {"a length without an end",    "30800201010400a000",                                                           CLAIM_NO},
    {"zeros",                      "0000000000000000",                                                             CLAIM_NO},
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_snmp, bytes, size) == row->claim, "%s", row->shows);
}
END_TEST

START_TEST(no_prefix_is_a_message)
{
    uint8_t bytes[512];
    size_t size = hex_bytes(bytes, sizeof bytes, answer_rows[7].response);
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        ck_assert_msg(probe_recognise(&dissector_snmp, bytes, i) == CLAIM_NO, "%zu bytes", i);
        probe_feed(p, &dissector_snmp, true, bytes, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "%zu bytes", i);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("snmp");
    TCase *c = tcase_create("snmp");
    tcase_add_loop_test(c, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, answers, 0, sizeof answer_rows / sizeof *answer_rows);
    tcase_add_loop_test(c, communities_as_delivered, 0,
                        sizeof community_rows / sizeof *community_rows);
    tcase_add_test(c, nobody_asked);
    tcase_add_test(c, asked_twice);
    tcase_add_test(c, engines_tell_their_vendor);
    tcase_add_loop_test(c, wrong_messages_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_loop_test(c, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(c, no_prefix_is_a_message);
    suite_add_tcase(s, c);
    return run_suite(s);
}
