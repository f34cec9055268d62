/* test_recent.c: what was told lately, and what room it has. */
#include "sensor/main/recent.h"

#include <check.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

/* Told in this order, all of one set: the table below has one only. */
static const struct row {
    const char *shows;
    int64_t before_ns; /* key 2 is told then */
    int64_t now_ns;
    unsigned others; /* told in between */
    bool is_due;
} rows[] = {
    {"not again at once",                    100 * SECOND, 100 * SECOND,     0, false},
    {"not before the time is over",          100 * SECOND, 160 * SECOND - 1, 0, false},
    {"again when it is over",                100 * SECOND, 160 * SECOND,     0, true },
    {"again when time went back",            100 * SECOND, 99 * SECOND,      0, true },
    {"remembered beside seven others",       100 * SECOND, 101 * SECOND,     7, false},
    {"forgotten first where eight are full", 100 * SECOND, 101 * SECOND,     8, true },
};

START_TEST(due)
{
    const struct row *row = &rows[_i];
    struct recent *r = recent_create(8);
    ck_assert(recent_is_due(r, 2, row->before_ns, 60 * SECOND));
    for (unsigned i = 0; i < row->others; i++)
        ck_assert(recent_is_due(r, 4 + 2 * i, row->before_ns + 1, 60 * SECOND));
    ck_assert_msg(recent_is_due(r, 2, row->now_ns, 60 * SECOND) == row->is_due, "%s", row->shows);
    recent_destroy(r);
}
END_TEST

/* Of three keys at one place the second is made to wait for a pair that was told in between. */
START_TEST(waits)
{
    struct recent *pairs = recent_create(64), *flows = recent_create(64);
    for (uint64_t key = 2; key <= 6; key += 2)
        ck_assert(recent_is_due_at(flows, 7, key, 100 * SECOND, 60 * SECOND));
    ck_assert(recent_told_ns(pairs, 40) == 0);
    ck_assert(recent_is_due(pairs, 40, 130 * SECOND, 60 * SECOND));
    ck_assert(recent_told_ns(pairs, 40) == 130 * SECOND);
    recent_set_at(flows, 7, 4, recent_told_ns(pairs, 40));
    recent_set_at(flows, 7, 8, 500 * SECOND); /* which is not there */
    ck_assert(recent_is_due_at(flows, 7, 2, 160 * SECOND, 60 * SECOND));
    ck_assert(!recent_is_due_at(flows, 7, 4, 190 * SECOND - 1, 60 * SECOND));
    ck_assert(recent_is_due_at(flows, 7, 4, 190 * SECOND, 60 * SECOND));
    ck_assert(recent_is_due_at(flows, 7, 6, 160 * SECOND, 60 * SECOND));
    recent_destroy(pairs);
    recent_destroy(flows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recent");
    TCase *tcase = tcase_create("recent");
    tcase_add_loop_test(tcase, due, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, waits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
