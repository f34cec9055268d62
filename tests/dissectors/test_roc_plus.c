/* test_roc_plus.c: opcodes, points, log-in and files, held against PROTOCOLS 25. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_roc_plus;

static const struct {
    bool is_from_client;
    const char *hex, *code, *name, *operation;
} rows[] = {
    {true,  "0102030406003a2f",               "opcode=6",   "system_configuration", "identify"   },
    {true,  "0102030407003bbf",               "opcode=7",   "read_clock",           "diagnostics"},
    {true,  "0102030408071e2d0c0f0307e8890d", "opcode=8",   "set_clock",            "time_set"   },
    {true,  "01020304cb0504 0000000abd8f",    "opcode=203", "file_close",           "session"    },
    {false, "01020304ff0206064182",           "opcode=255", "error_indicator",      "error"      },
};

START_TEST(opcodes)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, rows[_i].is_from_client, rows[_i].hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, rows[_i].code);
    ck_assert_str_eq(e->name, rows[_i].name);
    ck_assert_str_eq(e->operation, rows[_i].operation);
    ck_assert_str_eq(e->direction, rows[_i].is_from_client ? "request" : "response");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* Of the answer to opcode 6: the operating mode is its first byte, the series of a ROC800 its 7th,
 * the type its 19th. */
START_TEST(what_the_controller_is)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t pdu[6 + 20 + 2] = {1, 2, 3, 4, 6, 20, [6] = 1, [12] = 1, [6 + 18] = 6};
    probe_feed(p, &dissector_roc_plus, false, pdu, sizeof pdu);
    ck_assert_str_eq(probe_event(p, 0)->facts,
                     "mode=run; product=ROC800; hardware_version=Series 2");
    pdu[12] = 0;
    probe_feed(p, &dissector_roc_plus, false, pdu, sizeof pdu);
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "mode=run; product=ROC800; hardware_version=Series 1");
    pdu[6] = 0;
    pdu[6 + 18] = 12;
    probe_feed(p, &dissector_roc_plus, false, pdu, sizeof pdu);
    ck_assert_str_eq(probe_event(p, 2)->facts, "mode=firmware_update");
    probe_destroy(p);
}
END_TEST

START_TEST(writing_a_point)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "01020304a6050101010001dcb2");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "write");
    ck_assert_uint_eq(e->item_count, 1);
    ck_assert_uint_eq(e->low, 256);
    ck_assert_uint_eq(e->high, 256);
    probe_destroy(p);
}
END_TEST

/* Emerson D301180X012, point types: 91 to 95 and 137 are the unit's own settings, 136 its clock */
static const struct {
    const char *shows, *operation;
    uint8_t type;
} point_rows[] = {
    {"a digital output", "write",         102},
    {"a loop",           "write",         110},
    {"system variables", "config_change", 91 },
    {"log-ins",          "config_change", 92 },
    {"ports",            "config_change", 95 },
    {"security groups",  "config_change", 123},
    {"the network",      "config_change", 137},
    {"the clock",        "time_set",      136},
};

static size_t build(uint8_t *out, const uint8_t *bytes, size_t size)
{
    uint16_t crc = 0;
    memcpy(out, bytes, size);
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
    }
    out[size] = (uint8_t)crc;
    out[size + 1] = (uint8_t)(crc >> 8);
    return size + 2;
}

START_TEST(settings_are_configuration)
{
    uint8_t out[32];
    const uint8_t single[] = {1, 2, 3, 4, 166, 5, point_rows[_i].type, 0, 1, 3, 9};
    const uint8_t many[] = {1, 2, 3, 4, 181, 5, 1, point_rows[_i].type, 0, 3, 9};
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_roc_plus, true, out, build(out, single, sizeof single));
    probe_feed(p, &dissector_roc_plus, true, out, build(out, many, sizeof many));
    for (size_t i = 0; i < 2; i++)
        ck_assert_msg(!strcmp(probe_event(p, i)->operation, point_rows[_i].operation), "%s: %s",
                      point_rows[_i].shows, probe_event(p, i)->operation);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* Emerson D301180X012: a parameter is a whole number of one or two bytes, a float or whole number
 * of four, or a text; 0x41f00000 is 30 in IEEE 754. */
static const struct {
    const char *shows, *values;
    uint8_t size, value[4];
} value_rows[] = {
    {"one byte",                 "200",        1, {200}                   },
    {"two bytes, signed",        "-2",         2, {0xfe, 0xff}            },
    {"a float",                  "30",         4, {0, 0, 0xf0, 0x41}      },
    {"a negative float",         "-30",        4, {0, 0, 0xf0, 0xc1}      },
    {"zero",                     "0",          4, {0}                     },
    {"seconds since 1970",       "1798000000", 4, {0x80, 0x4d, 0x2b, 0x6b}},
    {"a small number of 4",      "7",          4, {7}                     },
    {"the parts of a parameter", "676e31",     3, {0x67, 0x6e, 0x31}      },
};

START_TEST(values_are_numbers)
{
    uint8_t out[32], single[16] = {1, 2, 3, 4, 166, 4, 40, 0, 1, 2},
                     many[16] = {1, 2, 3, 4, 181, 4, 1, 40, 0, 2};
    uint8_t size = value_rows[_i].size;
    single[5] = many[5] = (uint8_t)(4 + size);
    memcpy(single + 10, value_rows[_i].value, size);
    memcpy(many + 10, value_rows[_i].value, size);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_roc_plus, true, out, build(out, single, 10U + size));
    probe_feed(p, &dissector_roc_plus, true, out, build(out, many, 10U + size));
    char expected[64];
    snprintf(expected, sizeof expected, "point 40 2=%s", value_rows[_i].values);
    for (size_t i = 0; i < 2; i++)
        ck_assert_msg(!strcmp(probe_event(p, i)->items, expected), "%s: %s", value_rows[_i].shows,
                      probe_event(p, i)->items);
    probe_destroy(p);
}
END_TEST

/* Several parameters in one row: where one ends and the next begins is not told. */
START_TEST(values_of_several_are_not_guessed)
{
    uint8_t out[32];
    const uint8_t pdu[] = {1, 2, 3, 4, 166, 8, 40, 0, 2, 2, 0, 0, 0xf0, 0x41};
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_roc_plus, true, out, build(out, pdu, sizeof pdu));
    ck_assert_str_eq(probe_event(p, 0)->items, "point 40 2-3=0000f041");
    probe_destroy(p);
}
END_TEST

/* A refusal belongs to what was refused: log-ins that fail are counted, writes that fail are not
 * log-ins, and what nobody was seen to ask is an error only. */
START_TEST(what_was_refused)
{
    uint8_t out[32];
    const uint8_t login[] = {1, 2, 3, 4, 17, 5, 'O', 'P', '1', 0x34, 0x12};
    const uint8_t write[] = {1, 2, 3, 4, 181, 5, 1, 136, 0, 3, 9};
    uint8_t refused[] = {3, 4, 1, 2, 255, 3, 63, 17, 0};
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_roc_plus, false, out, build(out, refused, sizeof refused));
    ck_assert_str_eq(probe_event(p, 0)->operation, "error");
    probe_feed(p, &dissector_roc_plus, true, out, build(out, login, sizeof login));
    probe_feed(p, &dissector_roc_plus, false, out, build(out, refused, sizeof refused));
    ck_assert_str_eq(probe_event(p, 2)->operation, "auth");
    ck_assert_str_eq(probe_event(p, 2)->status, "error 63");
    refused[7] = 181;
    probe_feed(p, &dissector_roc_plus, true, out, build(out, write, sizeof write));
    probe_feed(p, &dissector_roc_plus, false, out, build(out, refused, sizeof refused));
    ck_assert_str_eq(probe_event(p, 4)->operation, "time_set");
    probe_destroy(p);
}
END_TEST

START_TEST(the_station_tells_its_name)
{
    uint8_t out[64], pdu[6 + 4 + 20] = {1, 2, 3, 4, 167, 24, 91, 0, 1, 0};
    memcpy(pdu + 10, "Well 7              ", 20);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_feed(p, &dissector_roc_plus, false, out, build(out, pdu, sizeof pdu));
    ck_assert_str_eq(probe_event(p, 0)->facts, "name=Well 7");
    const uint8_t head[] = {1, 2, 3, 4, 180, 24, 1, 91, 0, 0};
    memcpy(pdu, head, sizeof head);
    probe_feed(p, &dissector_roc_plus, false, out, build(out, pdu, sizeof pdu));
    ck_assert_str_eq(probe_event(p, 1)->facts, "name=Well 7");
    pdu[9] = 1; /* another parameter */
    probe_feed(p, &dissector_roc_plus, false, out, build(out, pdu, sizeof pdu));
    ck_assert_str_eq(probe_event(p, 2)->facts, "");
    pdu[9] = 0;
    pdu[12] = 1; /* no text */
    probe_feed(p, &dissector_roc_plus, false, out, build(out, pdu, sizeof pdu));
    ck_assert_str_eq(probe_event(p, 3)->facts, "");
    probe_destroy(p);
}
END_TEST

START_TEST(answers_name_what_was_asked)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "01020304a6050101010001dcb2");
    probe_hex(p, &dissector_roc_plus, false, "03040102a6002a6f");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 1)->items, "point 1 256");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    probe_hex(p, &dissector_roc_plus, true, "01020304a6050101010001dcb2");
    probe_hex(p, &dissector_roc_plus, false, "03040102ff0306a6008bd0");
    ck_assert_str_eq(probe_event(p, 3)->status, "error 6");
    ck_assert_str_eq(probe_event(p, 3)->detail, "set_single_point_parameters");
    ck_assert_str_eq(probe_event(p, 3)->items, "point 1 256");
    ck_assert_uint_eq(probe_event(p, 3)->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(the_password_is_kept_apart)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "0102030411064f503112340141bc");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "auth");
    ck_assert_str_eq(e->facts, "user_name=OP1");
    ck_assert_uint_eq(e->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 2);
    probe_clear(p);
    probe_hex(p, &dissector_roc_plus, true, "01020304110b4f503112344c4f474f5554b593");
    ck_assert_str_eq(probe_event(p, 0)->name, "logout");
    probe_destroy(p);
}
END_TEST

START_TEST(a_wrong_checksum)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_roc_plus, true, "0102030406003a2e");
    ck_assert(probe_has_violation(p, VIOLATION_CHECKSUM));
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    static const uint8_t pdu[] = {1, 2, 3, 4, 8, 7, 0x1e, 0x2d, 0x0c, 0x0f, 3, 7, 0xe8, 0x89, 0x0d};
    for (size_t i = 0; i < sizeof pdu; i++) {
        ck_assert_int_eq(probe_frame(&dissector_roc_plus, pdu, i).verdict, FRAME_NEED);
        ck_assert_int_eq(probe_recognise(&dissector_roc_plus, pdu, i), CLAIM_MORE);
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_roc_plus, true, pdu, i);
        probe_stream(p, &dissector_roc_plus, true, pdu + i, sizeof pdu - i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
        p = probe_create(TRANSPORT_UDP);
        probe_feed(p, &dissector_roc_plus, true, pdu, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_uint_eq(p->violation_count, 1);
        probe_destroy(p);
    }
    ck_assert_uint_eq(probe_frame(&dissector_roc_plus, pdu, sizeof pdu).size, sizeof pdu);
    ck_assert_int_eq(probe_recognise(&dissector_roc_plus, pdu, sizeof pdu), CLAIM_WEAK);
    static const uint8_t zeros[32];
    ck_assert_int_eq(probe_recognise(&dissector_roc_plus, zeros, sizeof zeros), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roc_plus");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, opcodes, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, what_the_controller_is);
    tcase_add_test(tcase, writing_a_point);
    tcase_add_loop_test(tcase, settings_are_configuration, 0,
                        sizeof point_rows / sizeof *point_rows);
    tcase_add_loop_test(tcase, values_are_numbers, 0, sizeof value_rows / sizeof *value_rows);
    tcase_add_test(tcase, values_of_several_are_not_guessed);
    tcase_add_test(tcase, what_was_refused);
    tcase_add_test(tcase, the_station_tells_its_name);
    tcase_add_test(tcase, answers_name_what_was_asked);
    tcase_add_test(tcase, the_password_is_kept_apart);
    tcase_add_test(tcase, a_wrong_checksum);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
