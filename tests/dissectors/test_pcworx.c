/* test_pcworx.c: the exchange that tells what a controller is, held against PROTOCOLS 30. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_pcworx;

#define OPEN "0101001a0000000078800003000c494245544830314e305f4d00"

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t answer[176] = {0x81, 6, 0, 176};
    memcpy(answer + 30, "ILC 131 ETH", 11);
    memcpy(answer + 66, "4.42", 4);
    memcpy(answer + 79, "11/26/15", 8);
    memcpy(answer + 91, "18:46:55", 8);
    memcpy(answer + 152, "2700973", 7);
    probe_hex(p, &dissector_pcworx, true, "0106000e000200000000004c0400");
    probe_feed(p, &dissector_pcworx, false, answer, sizeof answer);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "0x0106");
    ck_assert_str_eq(e->direction, "request");
    e = probe_event(p, 1);
    ck_assert_str_eq(e->code, "0x8106");
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->operation, "identify");
    ck_assert_str_eq(e->facts, "product=ILC 131 ETH; firmware_version=4.42; order_number=2700973; "
                               "vendor=Phoenix Contact");
    ck_assert_str_eq(e->detail, "firmware of 11/26/15 18:46:55");
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, OPEN);
    for (size_t i = 0; i < size; i++) {
        ck_assert_int_eq(probe_frame(&dissector_pcworx, pdu, i).verdict, FRAME_NEED);
        ck_assert_int_eq(probe_recognise(&dissector_pcworx, pdu, i), CLAIM_MORE);
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_pcworx, true, pdu, i);
        probe_stream(p, &dissector_pcworx, true, pdu + i, size - i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
        p = probe_create(TRANSPORT_TCP);
        probe_feed(p, &dissector_pcworx, true, pdu, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_uint_eq(p->violation_count, 1);
        probe_destroy(p);
    }
    ck_assert_int_eq(probe_recognise(&dissector_pcworx, pdu, size), CLAIM_YES);
    static const uint8_t zeros[32], short_one[4] = {1, 1, 0, 3}, other[4] = {2, 1, 0, 8};
    ck_assert_int_eq(probe_recognise(&dissector_pcworx, zeros, sizeof zeros), CLAIM_NO);
    ck_assert_int_eq(probe_frame(&dissector_pcworx, short_one, 4).verdict, FRAME_BROKEN);
    ck_assert_int_eq(probe_frame(&dissector_pcworx, other, 4).verdict, FRAME_BROKEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pcworx");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, identity);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
