/* test_live_clock.c: the time of a live run while somebody sets the clock. */
#include "sensor/main/live_clock.h"
#include "support/runner.h"

#define S     INT64_C(1000000000)
#define START (1700000000 * S)
#define HOUR  (3600 * S)

/* Three looks a second apart; what the wall clock is put forward by before the second and before
 * the third, and how far ahead of it the run then is. */
static const struct row {
    const char *shows;
    int64_t steps_s[2];
    int64_t ahead_s;
    unsigned steps;
} rows[] = {
    {"a clock that goes on",                   {0, 0},        0,    0},
    {"an hour back",                           {-3600, 0},    3600, 1},
    {"twice back",                             {-3600, -60},  3660, 2},
    {"back, then put right",                   {-3600, 3600}, 0,    1},
    {"back, then further forward",             {-60, 3600},   0,    1},
    {"back, then half of it",                  {-3600, 1800}, 1800, 1},
    {"forward is where the time is",           {3600, 0},     0,    0},
    {"forward and back again, as it was told", {3600, -3600}, 3600, 1},
    {"a second is no step",                    {-1, 1},       0,    0},
};

START_TEST(the_time_of_the_run_never_goes_back)
{
    const struct row *row = &rows[_i];
    struct live_clock c = {0};
    int64_t wall = START, steady = 5 * S, before = live_clock_take(&c, wall, steady);
    ck_assert_int_eq(before, START);
    for (int i = 0; i < 2; i++) {
        wall += S + row->steps_s[i] * S;
        steady += S;
        int64_t now = live_clock_take(&c, wall, steady);
        ck_assert_msg(now >= before, "%s: goes back at step %d", row->shows, i);
        before = now;
    }
    ck_assert_msg(before == wall + row->ahead_s * S, "%s: %lld s ahead", row->shows,
                  (long long)((before - wall) / S));
    ck_assert_msg(c.steps == row->steps, "%s: %llu steps", row->shows, (unsigned long long)c.steps);
}
END_TEST

START_TEST(packets_around_a_step)
{
    struct live_clock c = {0};
    live_clock_take(&c, START, 0);
    ck_assert_int_eq(live_clock_of(&c, START - S / 10), START - S / 10);
    live_clock_take(&c, START + S - HOUR, S);
    /* in the buffer since before */
    ck_assert_int_eq(live_clock_of(&c, START + S / 2), START + S / 2);
    /* since then: it goes on */
    ck_assert_int_eq(live_clock_of(&c, START + 2 * S - HOUR), START + 2 * S);
}
END_TEST

START_TEST(a_stamp_of_now_is_now)
{
    struct live_clock c = {0};
    int64_t now = live_clock_look(&c);
    ck_assert_int_eq(live_clock_packet(&c, now), now);
    ck_assert_int_eq(live_clock_packet(&c, now - 5 * S), now - 5 * S); /* late, no step */
    ck_assert_uint_eq(c.steps, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("live_clock");
    TCase *t = tcase_create("live_clock");
    tcase_add_loop_test(t, the_time_of_the_run_never_goes_back, 0, sizeof rows / sizeof *rows);
    tcase_add_test(t, packets_around_a_step);
    tcase_add_test(t, a_stamp_of_now_is_now);
    suite_add_tcase(s, t);
    return run_suite(s);
}
