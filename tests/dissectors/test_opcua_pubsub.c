/* test_opcua_pubsub.c: UADP, held against OPC UA part 14, 7.2.4. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_opcua_pubsub;

static void feed(struct probe *p, const char *hex)
{
    probe_hex(p, &dissector_opcua_pubsub, true, hex);
}

static const struct {
    const char *shows, *hex, *code, *name, *operation, *unit, *items;
} rows[] = {
    {"publisher of 1 byte", "11 07 01",                                     "type=0", "data",                   "publish",  "7",          ""        },
    {"publisher of 2",      "91 01 0102 01",                                "type=0", "data",                   "publish",  "513",        ""        },
    {"publisher of 4",      "91 02 01000100 01",                            "type=0", "data",                   "publish",  "65537",      ""        },
    {"publisher of 8",      "91 03 0100000001000000 01",                    "type=0", "data",                   "publish",  "4294967297", ""        },
    {"publisher of text",   "91 04 03000000 414243 01",                     "type=0", "data",                   "publish",  "ABC",        ""        },
    {"writer group",        "31 07 01 0900 01",                             "type=0", "data",                   "publish",  "7.9",        ""        },
    {"all of a group",      "31 07 0f 0900 01000000 0100 0500 01",          "type=0", "data",                   "publish",  "7.9",
     ""                                                                                                                                             },
    {"two writers",         "51 07 02 0100 0200 0100 0100 01 01",           "type=0", "data",                   "publish",  "7",
     "writer 1; writer 2"                                                                                                                           },
    {"class",               "91 08 07 000102030405060708090a0b0c0d0e0f 01", "type=0", "data",                   "publish",  "7",          ""        },
    {"time",                "91 60 07 0001020304050607 0001 01",            "type=0", "data",                   "publish",  "7",          ""        },
    {"promoted fields",     "91 80 02 07 0300 aabbcc 01",                   "type=0", "data",                   "publish",  "7",          ""        },
    {"chunk",               "d1 80 01 07 0500 01",                          "type=0", "data",                   "publish",  "7",          "writer 5"},
    {"probe",               "91 80 04 07",                                  "type=1", "discovery_probe",        "discover", "7",          ""        },
    {"announcement",        "91 80 08 07 00",                               "type=2", "discovery_announcement", "publish",  "7",          ""        },
};

START_TEST(headers)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, rows[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_opcua_pubsub, pdu, size) == CLAIM_WEAK, "%s",
                  rows[_i].shows);
    probe_feed(p, &dissector_opcua_pubsub, true, pdu, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(p->violation_count == 0, "%s", rows[_i].shows);
    ck_assert_str_eq(e->code, rows[_i].code);
    ck_assert_str_eq(e->name, rows[_i].name);
    ck_assert_str_eq(e->operation, rows[_i].operation);
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_msg(!strcmp(e->unit, rows[_i].unit), "%s: %s", rows[_i].shows, e->unit);
    ck_assert_msg(!strcmp(e->items, rows[_i].items), "%s: %s", rows[_i].shows, e->items);
    probe_destroy(p);
    /* a header that is cut off */
    size_t payload = strchr(rows[_i].items, ';') ? 6 : 1; /* of two writers: sizes first */
    size_t header_size = rows[_i].code[5] == '1' ? size : size - payload;
    for (size_t i = 0; i < header_size; i++) {
        p = probe_create(TRANSPORT_UDP);
        probe_feed(p, &dissector_opcua_pubsub, true, pdu, i);
        ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "%s: %zu", rows[_i].shows, i);
        ck_assert_int_eq(probe_recognise(&dissector_opcua_pubsub, pdu, i), CLAIM_NO);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(sequences)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, "31 07 09 0900 ffff 00");
    feed(p, "31 07 09 0900 0000 00"); /* around */
    feed(p, "31 07 09 0900 0000 00"); /* a part of the same */
    feed(p, "31 07 09 0900 0001 00"); /* 256 on: lost ones */
    feed(p, "31 07 09 0a00 0050 00"); /* another group */
    feed(p, "31 08 09 0900 0060 00"); /* another publisher */
    ck_assert_uint_eq(p->violation_count, 0);
    ck_assert_uint_eq(probe_event(p, 3)->transaction, 256);
    feed(p, "31 07 09 0900 0102 00"); /* 257 on */
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_clear(p);
    feed(p, "31 07 09 0900 0002 00"); /* back */
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_destroy(p);
}
END_TEST

START_TEST(security)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, "91 10 07 03 01000000 02 aabb 1122"); /* signed, encrypted */
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_ENCRYPTED);
    feed(p, "91 10 07 05 01000000 00 0000 1122"); /* signed, with a footer */
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, "11 07 00");
    ck_assert(probe_has_violation(p, VIOLATION_STATE));
    probe_clear(p);
    feed(p, "11 07 00"); /* told once */
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const char *const wrong[] = {
    "02 07 00",             /* version 2 */
    "91 05 07 00",          /* publisher of an unknown type */
    "91 80 0c 07 00",       /* message type 3 */
    "91 04 ff000000 41 00", /* text overruns */
};

START_TEST(wrong_headers)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, wrong[_i]);
    ck_assert_int_eq(probe_recognise(&dissector_opcua_pubsub, pdu, size), CLAIM_NO);
    probe_feed(p, &dissector_opcua_pubsub, true, pdu, size);
    ck_assert_uint_eq(p->event_count, 0);
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_destroy(p);
}
END_TEST

static const char *const others[] = {
    "31 07 01 0900 00",                      /* no valid data set */
    "31 07 01 0900 07",                      /* encoding 3 is reserved */
    "31 07 01 0900 81 04",                   /* data set of type 4 */
    "31 07 01 0900 81 40",                   /* a reserved flag */
    "51 07 02 0100 0200 0100 0200 01 01",    /* sizes of more than there is */
    "51 07 02 0100 0200 0100 0100 01 01 00", /* and of less */
    /* queries of DNS (RFC 1035 4.1): plc.example A, with ids that look like flags */
    "1100 0100 0001 0000 0000 0000 03706c63 076578616d706c65 00 0001 0001",
    "3107 0100 0001 0000 0000 0000 03706c63 076578616d706c65 00 0001 0001",
    "5107 0100 0001 0000 0000 0000 03706c63 076578616d706c65 00 0001 0001",
    "9101 0100 0001 0000 0000 0000 03706c63 076578616d706c65 00 0001 0001",
    "2100 8180 00010001 00000000 03706c63 076578616d706c65 00 0001 0001 c00c",
};

START_TEST(what_others_send_is_not_ours)
{
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, others[_i]);
    ck_assert_msg(probe_recognise(&dissector_opcua_pubsub, pdu, size) == CLAIM_NO, "%s",
                  others[_i]);
}
END_TEST

START_TEST(nothing_told_is_not_ours)
{
    static const uint8_t zeros[16], bare[] = {0x01, 0, 0, 0};
    ck_assert_int_eq(probe_recognise(&dissector_opcua_pubsub, zeros, sizeof zeros), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_opcua_pubsub, bare, sizeof bare), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("opcua_pubsub");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, headers, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, wrong_headers, 0, sizeof wrong / sizeof *wrong);
    tcase_add_loop_test(c, what_others_send_is_not_ours, 0, sizeof others / sizeof *others);
    tcase_add_test(c, sequences);
    tcase_add_test(c, security);
    tcase_add_test(c, nothing_told_is_not_ours);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
