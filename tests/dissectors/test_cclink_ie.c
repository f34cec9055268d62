/* test_cclink_ie.c: CC-Link IE, held against PROTOCOLS 29. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_cclink_ie, dissector_cclink_ie_field;

#define REQUEST(command) "5000 00 ff ff03 00 0800 0000 " command " 0000 0102"
#define RESPONSE(end)    "d000 00 ff ff03 00 0200 " end

static const struct row {
    const char *command, *code, *name, *operation;
} rows[] = {
    {"300e", "0x0e30", "node_search",    "discover"     },
    {"310e", "0x0e31", "set_ip_address", "config_change"},
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(commands)
{
    char hex[64];
    uint8_t bytes[64];
    snprintf(hex, sizeof hex, "5000 00 ff ff03 00 0800 0000 %s 0000 0102", rows[_i].command);
    size_t size = hex_bytes(bytes, sizeof bytes, hex);
    ck_assert_int_eq(probe_recognise(&dissector_cclink_ie, bytes, size), CLAIM_YES);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_cclink_ie, true, hex);
    probe_hex(p, &dissector_cclink_ie, false, RESPONSE("0000"));
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(probe_event(p, i)->protocol, "cclink_ie");
        ck_assert_str_eq(probe_event(p, i)->code, rows[_i].code);
        ck_assert_str_eq(probe_event(p, i)->name, rows[_i].name);
        ck_assert_str_eq(probe_event(p, i)->operation, rows[_i].operation);
    }
    ck_assert_str_eq(probe_event(p, 0)->direction, "request");
    ck_assert_str_eq(probe_event(p, 0)->items, "data=0102");
    ck_assert_str_eq(probe_event(p, 1)->direction, "response");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct end_row {
    const char *end, *status;
} end_rows[] = {
    {"e0cf", "error 53216 duplicate_master"        },
    {"e1cf", "error 53217 occupied_stations_differ"},
    {"f0cf", "error 53232 slave_error"             },
    {"ffcf", "error 53247 disconnected"            },
    {"0100", "error 1"                             },
};
enum { END_ROWS = sizeof end_rows / sizeof *end_rows };

START_TEST(end_codes)
{
    char hex[64];
    struct probe *p = probe_create(TRANSPORT_UDP);
    snprintf(hex, sizeof hex, "d000 00 ff ff03 00 0200 %s", end_rows[_i].end);
    probe_hex(p, &dissector_cclink_ie, false, hex);
    ck_assert_str_eq(probe_event(p, 0)->status, end_rows[_i].status);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

/* CLPA BAP-C2006: a group of one station; 64 bytes of registers, 8 of bits */
#define ZEROS_8  "0000000000000000 "
#define ZEROS_60 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 "00000000 "
#define STATION  "34120100 " ZEROS_60 "0100000000000080 "
#define MASTER   "0100 0000 2400 0000000000000000000000000000 0100 0000 0011223344556677 "
#define REQUEST_1                                                                                  \
    "5000 00 ff ff03 00 8600 0000 700e 0000 " MASTER                                               \
    "0103a8c0 01 00 0700 f401 0300 0100 0100 0100 "                                                \
    "0000 0203a8c0 " STATION
#define SLAVE(end, error)                                                                          \
    "0100 " end " 2800 0000000000000000000000000000 8813 0000 78563412 0300 0000 0100 " error      \
    " 00000000 0203a8c0 01 00 0700 " STATION
#define RESPONSE_1(end, error) "d000 00 ff ff03 00 7a00 0000 " SLAVE(end, error)

START_TEST(cyclic_data)
{
    uint8_t pdu[256];
    struct probe *p = probe_create(TRANSPORT_UDP);
    size_t size = hex_bytes(pdu, sizeof pdu, REQUEST_1);
    ck_assert_int_eq(probe_recognise(&dissector_cclink_ie, pdu, size), CLAIM_YES);
    probe_feed(p, &dissector_cclink_ie, true, pdu, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "0x0e70");
    ck_assert_str_eq(e->operation, "publish");
    ck_assert_str_eq(e->unit, "192.168.3.1");
    ck_assert_uint_eq(e->item_count, 2);
    ck_assert_msg(!strncmp(e->items, "rww 0-31=4660,1,0,", 18), "%s", e->items);
    ck_assert_ptr_nonnull(strstr(e->items, "; ry 0-63=1,0,"));
    ck_assert_uint_eq(p->violation_count, 0);
    for (size_t n = 20; n < size; n++) { /* lengths that agree, data that ends before its fields */
        uint8_t cut[256];
        memcpy(cut, pdu, n);
        cut[7] = (uint8_t)(n - 9);
        probe_clear(p);
        probe_feed(p, &dissector_cclink_ie, true, cut, n);
        ck_assert_msg(p->violation_count == 1, "%zu bytes", n);
    }
    probe_destroy(p);
}
END_TEST

static const struct answer_row {
    const char *shows, *hex, *status, *why;
} answer_rows[] = {
    {"good",               RESPONSE_1("0000", "0000"), "ok",                                   NULL},
    {"another master",     RESPONSE_1("e0cf", "0000"), "error 53216 duplicate_master",
     "CC-Link IE slave has another master already"                                                 },
    {"stations",           RESPONSE_1("e1cf", "0000"), "error 53217 occupied_stations_differ", NULL},
    {"slave",              RESPONSE_1("f0cf", "0000"), "error 53232 slave_error",              NULL},
    {"leaves",             RESPONSE_1("ffcf", "0000"), "error 53247 disconnected",             NULL},
    {"a fault of its own", RESPONSE_1("0000", "0500"), "error 5 unit_error",                   NULL},
};

START_TEST(slaves_answer_on_a_flow_of_their_own)
{
    const struct answer_row *row = &answer_rows[_i];
    uint8_t pdu[256];
    struct probe *p = probe_create(TRANSPORT_UDP);
    size_t size = hex_bytes(pdu, sizeof pdu, row->hex);
    ck_assert_int_eq(probe_recognise(&dissector_cclink_ie, pdu, size), CLAIM_YES);
    probe_feed(p, &dissector_cclink_ie, false, pdu, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "0x0e70");
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->unit, "192.168.3.2");
    ck_assert_msg(!strcmp(e->status, row->status), "%s: %s", row->shows, e->status);
    ck_assert_str_eq(e->facts,
                     "vendor=CC-Link vendor 0x1388; product=0x12345678; firmware_version=3");
    ck_assert_msg(!strncmp(e->items, "rwr 0-31=4660,1,0,", 18), "%s", e->items);
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(p->violation_count, row->why != NULL);
    if (row->why)
        ck_assert_str_eq(probe_violation(p, 0)->why, row->why);
    probe_feed(p, &dissector_cclink_ie, false, pdu, size);
    ck_assert_str_eq(probe_event(p, 1)->facts, ""); /* told once */
    pdu[17] = 1;                                    /* one of the reserved bytes */
    ck_assert_int_eq(probe_recognise(&dissector_cclink_ie, pdu, size), CLAIM_NO);
    probe_destroy(p);
}
END_TEST

START_TEST(malformed)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_cclink_ie, true, "5000 00 ff ff03 00 0900 0000 700e 0000 0102");
    ck_assert_str_eq(probe_violation(p, 0)->why, "CC-Link IE Field Basic frame is not whole");
    probe_hex(p, &dissector_cclink_ie, true, REQUEST("0104"));
    ck_assert_str_eq(probe_violation(p, 1)->why, "unknown CC-Link IE Field Basic command");
    ck_assert_uint_eq(p->event_count, 1);
    probe_destroy(p);
}
END_TEST

START_TEST(ring_frames_are_recorded)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_cclink_ie_field, true, "1a 0102");
    ck_assert_str_eq(probe_event(p, 0)->protocol, "cclink_ie");
    ck_assert_str_eq(probe_event(p, 0)->code, "0x1a");
    ck_assert_str_eq(probe_event(p, 0)->operation, "publish");
    probe_destroy(p);
}
END_TEST

START_TEST(recognition)
{
    uint8_t bytes[64] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_cclink_ie, bytes, sizeof bytes), CLAIM_NO);
    size_t size = hex_bytes(bytes, sizeof bytes, REQUEST("0104"));
    ck_assert_int_eq(probe_recognise(&dissector_cclink_ie, bytes, size), CLAIM_NO); /* SLMP */
    size = hex_bytes(bytes, sizeof bytes, RESPONSE("0000"));
    ck_assert_int_eq(probe_recognise(&dissector_cclink_ie, bytes, size), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cclink_ie");
    TCase *c = tcase_create("cclink_ie");
    tcase_add_loop_test(c, commands, 0, ROWS);
    tcase_add_loop_test(c, end_codes, 0, END_ROWS);
    tcase_add_test(c, cyclic_data);
    tcase_add_loop_test(c, slaves_answer_on_a_flow_of_their_own, 0,
                        sizeof answer_rows / sizeof *answer_rows);
    tcase_add_test(c, malformed);
    tcase_add_test(c, ring_frames_are_recorded);
    tcase_add_test(c, recognition);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
