/* test_crimson.c: Red Lion Crimson, held against PROTOCOLS 30. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_crimson;

#define ASK_MANUFACTURER "0004 012b 1b00"
#define MANUFACTURER     "0016 012b 0300 526564204c696f6e20436f6e74726f6c7300"
#define ASK_MODEL        "0004 012a 1a00"
#define MODEL            "000a 012a 0300 473330366100"

static const struct {
    const char *ask, *answer, *code, *name, *facts;
} rows[] = {
    {ASK_MANUFACTURER, MANUFACTURER, "0x012b", "read_manufacturer", "vendor=Red Lion Controls"},
    {ASK_MODEL,        MODEL,        "0x012a", "read_model",        "product=G306a"           },
};

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t pdu[64];
    for (int turn = 0; turn < 2; turn++) {
        size_t size = hex_bytes(pdu, sizeof pdu, turn ? rows[_i].answer : rows[_i].ask);
        ck_assert_int_eq(probe_recognise(&dissector_crimson, pdu, size), CLAIM_YES);
        probe_feed(p, &dissector_crimson, turn == 0, pdu, size);
        const struct probe_event *e = probe_event(p, (size_t)turn);
        ck_assert_str_eq(e->code, rows[_i].code);
        ck_assert_str_eq(e->name, rows[_i].name);
        ck_assert_str_eq(e->operation, "identify");
        ck_assert_str_eq(e->direction, turn ? "response" : "request");
        ck_assert_str_eq(e->facts, turn ? rows[_i].facts : "");
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(long_requests_carry_a_configuration)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_crimson, true,
              "0015 0200 0000 0001020304050607 08090a0b0c0d0e0f 10"); /* 17 bytes */
    ck_assert_str_eq(probe_event(p, 0)->operation, "program_download");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "block program_download key=1 bytes=17");
    probe_hex(p, &dissector_crimson, true, "0014 0200 0000 0001020304050607 08090a0b0c0d0e0f");
    ck_assert_str_eq(probe_event(p, 1)->operation, "unknown");
    probe_hex(p, &dissector_crimson, false, "0014 0200 0000 0001020304050607 08090a0b0c0d0e0f");
    ck_assert_str_eq(probe_event(p, 2)->operation, "unknown");
    ck_assert_uint_eq(probe_event(p, 2)->flags, 0);
    probe_hex(p, &dissector_crimson, false, MODEL);
    ck_assert_uint_eq(probe_event(p, 3)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

START_TEST(bounds)
{
    static const uint8_t least[] = {0, 4, 2, 0, 0, 0}, less[] = {0, 3, 2, 0, 0}, zeros[32];
    static const uint8_t most[] = {0x20, 0, 2, 0, 0, 0}, more[] = {0x20, 1, 2, 0, 0, 0};
    ck_assert_int_eq(probe_frame(&dissector_crimson, least, 6).verdict, FRAME_COMPLETE);
    ck_assert_int_eq(probe_frame(&dissector_crimson, less, 5).verdict, FRAME_BROKEN);
    ck_assert_int_eq(probe_frame(&dissector_crimson, most, 6).verdict, FRAME_NEED);
    ck_assert_int_eq(probe_frame(&dissector_crimson, more, 6).verdict, FRAME_BROKEN);
    ck_assert_int_eq(probe_recognise(&dissector_crimson, zeros, sizeof zeros), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_crimson, more, 2), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_crimson, least, 6), CLAIM_WEAK);
}
END_TEST

START_TEST(every_prefix)
{
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, MANUFACTURER);
    for (size_t i = 0; i < size; i++) {
        ck_assert_int_eq(probe_frame(&dissector_crimson, pdu, i).verdict, FRAME_NEED);
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_crimson, true, pdu, i);
        probe_stream(p, &dissector_crimson, true, pdu + i, size - i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
        p = probe_create(TRANSPORT_TCP);
        probe_feed(p, &dissector_crimson, true, pdu, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crimson");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, identity, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, long_requests_carry_a_configuration);
    tcase_add_test(tcase, bounds);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
