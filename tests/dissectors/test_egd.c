/* test_egd.c: Ethernet Global Data. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_egd;

/* producer 10.1.2.3, exchange 5, status 2 */
#define DATAGRAM(request, seconds)                                                                 \
    "0d01 " request " 0a010203 05000000 " seconds " 40420f00 02000000 00000000 00000000 aabb"

START_TEST(data_is_published)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_egd, true, DATAGRAM("0100", "64000000"));
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "egd");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->code, "13");
    ck_assert_str_eq(e->operation, "publish");
    ck_assert_str_eq(e->unit, "10.1.2.3");
    ck_assert_str_eq(e->items, "exchange 5=aabb!ok");
    ck_assert_uint_eq(e->transaction, 1);
    probe_hex(p, &dissector_egd, true, /* the producer's own data is too old */
              "0d01 0200 0a010203 05000000 65000000 40420f00 07000000 00000000 00000000 aabb");
    ck_assert_str_eq(probe_event(p, 1)->items,
                     "exchange 5=aabb!error 7 data_refresh_period_exceeded");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(numbers_rise)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_egd, true, DATAGRAM("ffff", "64000000"));
    probe_hex(p, &dissector_egd, true, DATAGRAM("0400", "65000000")); /* around */
    probe_hex(p, &dissector_egd, true, DATAGRAM("0300", "64000000")); /* overtaken */
    ck_assert_uint_eq(p->violation_count, 0);
    probe_hex(p, &dissector_egd, true, DATAGRAM("0300", "66000000"));
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_destroy(p);
}
END_TEST

struct wrong {
    const char *shows, *hex;
    enum violation_kind kind;
    enum claim claim;
};

static const struct wrong rows[] = {
    {"header cut",      "0d01 0100 0a010203 05000000 64000000 40420f00 02000000 00000000 000000",
     VIOLATION_TRUNCATED, CLAIM_NO  },
    {"other type",      "0c01 0100 0a010203 05000000 64000000 40420f00 02000000 00000000 00000000",
     VIOLATION_FUNCTION,  CLAIM_NO  },
    {"reserved",        "0d01 0100 0a010203 05000000 64000000 40420f00 02000000 00000000 01000000",
     VIOLATION_RESERVED,  CLAIM_NO  },
    {"no data is fine", "0d01 0100 0a010203 05000000 64000000 ffc99a3b 02000000 00000000 00000000",
     VIOLATION_COUNT_OF,  CLAIM_WEAK},
    {"a full second",   "0d01 0100 0a010203 05000000 64000000 00ca9a3b 02000000 00000000 00000000",
     VIOLATION_COUNT_OF,  CLAIM_NO  },
    {"no exchange",     "0d01 0100 0a010203 00000000 64000000 40420f00 02000000 00000000 00000000",
     VIOLATION_COUNT_OF,  CLAIM_NO  },
};

START_TEST(limits)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, rows[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_egd, bytes, size) == rows[_i].claim, "%s: claim",
                  rows[_i].shows);
    probe_feed(p, &dissector_egd, true, bytes, size);
    if (rows[_i].kind == VIOLATION_COUNT_OF)
        ck_assert_msg(p->violation_count == 0, "%s: told", rows[_i].shows);
    else
        ck_assert_msg(probe_has_violation(p, rows[_i].kind), "%s: not told", rows[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, DATAGRAM("0100", "64000000"));
    for (size_t n = 0; n <= size; n++)
        ck_assert_int_eq(probe_recognise(&dissector_egd, bytes, n), n < 32 ? CLAIM_NO : CLAIM_WEAK);
    memset(bytes, 0, sizeof bytes);
    ck_assert_int_eq(probe_recognise(&dissector_egd, bytes, sizeof bytes), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("egd");
    TCase *tc = tcase_create("egd");
    tcase_add_loop_test(tc, limits, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, data_is_published);
    tcase_add_test(tc, numbers_rise);
    tcase_add_test(tc, every_prefix);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
