/* test_genisys.c: headers, escapes and the order of controls, held against PROTOCOLS 26. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_genisys;

static const struct {
    bool is_from_client;
    const char *hex, *code, *name, *operation, *items;
} rows[] = {
    {false, "f101f6",     "0xf1", "acknowledge_client", "publish", ""},
    {true,  "fb018340f6", "0xfb", "poll",               "read",    ""},
    {true,  "fb01f6",     "0xfb", "poll",               "read",    ""},
    {true,  "fd0180e0f6", "0xfd", "recall",             "read",    ""},
};

START_TEST(headers)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_genisys, rows[_i].is_from_client, rows[_i].hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, rows[_i].code);
    ck_assert_str_eq(e->name, rows[_i].name);
    ck_assert_str_eq(e->operation, rows[_i].operation);
    ck_assert_str_eq(e->direction, rows[_i].is_from_client ? "request" : "response");
    ck_assert_str_eq(e->unit, "1");
    ck_assert_str_eq(e->items, rows[_i].items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(indications)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_genisys, false, "f20101051d061e052c04cdf5f6");
    ck_assert_uint_eq(probe_event(p, 0)->item_count, 4);
    probe_clear(p);
    probe_hex(p, &dissector_genisys, false, "f20101051d061e053c49f6");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_uint_eq(e->item_count, 3);
    ck_assert_str_eq(e->items, "indication 1=5; indication 29=6; indication 30=5");
    probe_destroy(p);
}
END_TEST

START_TEST(executing_without_checkback)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_genisys, true, "fe01c010f6");
    ck_assert_str_eq(probe_event(p, 0)->operation, "control");
    ck_assert(probe_has_violation(p, VIOLATION_STATE));
    probe_destroy(p);
}
END_TEST

/* controls chosen, told back, executed; the checksums: PROTOCOLS 3.4, bit by bit */
static size_t build(uint8_t *out, const uint8_t *bytes, size_t size)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
    }
    const uint8_t check[] = {(uint8_t)crc, (uint8_t)(crc >> 8)};
    size_t n = 0;
    for (size_t i = 0; i < size + sizeof check; i++) {
        uint8_t byte = i < size ? bytes[i] : check[i - size];
        if (i > 0 && byte >= 0xf0) {
            out[n++] = 0xf0;
            byte &= 15;
        }
        out[n++] = byte;
    }
    out[n++] = 0xf6;
    return n;
}

static const struct {
    const char *shows;
    uint8_t server, value; /* of the checkback */
    bool has_control, has_checkback;
    const char *why;
} control_rows[] = {
    {"as it should be",        1, 2, true,  true,  NULL                                             },
    {"another value",          1, 3, true,  true,  "Genisys checkback differs from the control data"},
    {"another server",         9, 2, true,  true,  "Genisys checkback differs from the control data"},
    {"a checkback of nothing", 1, 2, false, true,  "Genisys checkback without control data"         },
    {"no checkback",           1, 2, true,  false, "Genisys execution of controls not checked back" },
};

START_TEST(controls_are_told_back_before_they_are_executed)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t out[32];
    const uint8_t control[] = {0xfc, 1, 7, 2}, execute[] = {0xfe, 1};
    const uint8_t back[] = {0xf3, control_rows[_i].server, 7, control_rows[_i].value};
    if (control_rows[_i].has_control)
        probe_feed(p, &dissector_genisys, true, out, build(out, control, sizeof control));
    if (control_rows[_i].has_checkback)
        probe_feed(p, &dissector_genisys, false, out, build(out, back, sizeof back));
    probe_feed(p, &dissector_genisys, true, out, build(out, execute, sizeof execute));
    if (control_rows[_i].why)
        ck_assert_str_eq(probe_violation(p, 0)->why, control_rows[_i].why);
    else
        ck_assert_msg(p->violation_count == 0, "%s", control_rows[_i].shows);
    probe_destroy(p);
}
END_TEST

static const struct {
    bool is_from_client;
    const char *hex;
    enum violation_kind kind;
} wrong[] = {
    {true,  "fb018341f6", VIOLATION_CHECKSUM },
    {true,  "fb01f010f6", VIOLATION_ENCODING },
    {true,  "fd01f6",     VIOLATION_TRUNCATED},
    {true,  "fd018340",   VIOLATION_TRUNCATED},
    {true,  "f101f6",     VIOLATION_DIRECTION},
    {false, "f1010203f6", VIOLATION_COUNT    },
};

START_TEST(malformed)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_genisys, wrong[_i].is_from_client, wrong[_i].hex);
    ck_assert(probe_has_violation(p, wrong[_i].kind));
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    static const uint8_t pdu[] = {0xf2, 1, 1, 5, 0x1d, 6, 0x1e, 5, 0x3c, 0x49, 0xf6};
    for (size_t i = 0; i < sizeof pdu; i++) {
        ck_assert_int_eq(probe_frame(&dissector_genisys, pdu, i).verdict, FRAME_NEED);
        ck_assert_int_eq(probe_recognise(&dissector_genisys, pdu, i), CLAIM_MORE);
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_genisys, false, pdu, i);
        probe_stream(p, &dissector_genisys, false, pdu + i, sizeof pdu - i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
        p = probe_create(TRANSPORT_TCP);
        probe_feed(p, &dissector_genisys, false, pdu, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_uint_eq(p->violation_count, 1);
        probe_destroy(p);
    }
    ck_assert_int_eq(probe_recognise(&dissector_genisys, pdu, sizeof pdu), CLAIM_WEAK);
    static const uint8_t zeros[32];
    ck_assert_int_eq(probe_recognise(&dissector_genisys, zeros, sizeof zeros), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("genisys");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, headers, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, indications);
    tcase_add_test(tcase, executing_without_checkback);
    tcase_add_loop_test(tcase, controls_are_told_back_before_they_are_executed, 0,
                        sizeof control_rows / sizeof *control_rows);
    tcase_add_loop_test(tcase, malformed, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
