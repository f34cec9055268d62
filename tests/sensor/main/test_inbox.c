/* test_inbox.c: every decision arrives once and in order; a full inbox says so. */
#include "sensor/main/inbox.h"
#include "support/runner.h"

#include <pthread.h>
#include <sched.h>

enum { MANY = 5000 };

static void expect_next(void *context, const struct baseline_decision *d)
{
    int64_t *last = context;
    ck_assert_int_eq(d->id, *last + 1);
    *last = d->id;
}

START_TEST(a_full_inbox_says_so_and_has_room_when_it_was_emptied)
{
    struct inbox *b = inbox_create();
    struct baseline_decision d = {.id = 0};
    int64_t last = 0;
    inbox_take(b, expect_next, &last);
    ck_assert_int_eq(last, 0);
    while (!inbox_is_full(b)) {
        d.id++;
        inbox_put(b, &d);
    }
    ck_assert_int_gt(d.id, 1);
    inbox_take(b, expect_next, &last);
    ck_assert_int_eq(last, d.id);
    ck_assert(!inbox_is_full(b));
    inbox_take(b, expect_next, &last);
    ck_assert_int_eq(last, d.id);
    inbox_destroy(b);
}
END_TEST

static void *produce(void *context)
{
    struct inbox *b = context;
    for (struct baseline_decision d = {.id = 1}; d.id <= MANY; d.id++) {
        while (inbox_is_full(b))
            sched_yield();
        inbox_put(b, &d);
    }
    return NULL;
}

START_TEST(every_decision_goes_from_thread_to_thread)
{
    struct inbox *b = inbox_create();
    pthread_t thread;
    int64_t last = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, produce, b), 0);
    while (last < MANY) {
        inbox_take(b, expect_next, &last);
        sched_yield();
    }
    pthread_join(thread, NULL);
    inbox_destroy(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inbox");
    TCase *c = tcase_create("inbox");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_full_inbox_says_so_and_has_room_when_it_was_emptied);
    tcase_add_test(c, every_decision_goes_from_thread_to_thread);
    suite_add_tcase(s, c);
    return run_suite(s);
}
