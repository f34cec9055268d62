/* test_slots.c: the bounded table finds what was put in, and gives up the least recently used. */
#include "rules/slots.h"

#include <check.h>
#include <stdlib.h>

struct entry {
    struct slot slot;
    uint64_t value;
};

START_TEST(test_find_what_was_put_in)
{
    struct slots s;
    bool is_new;
    ck_assert(slots_create(&s, 64, sizeof(struct entry)));
    for (uint64_t key = 1; key <= 8; key++) {
        struct entry *e = slots_take(&s, key, (int64_t)key, &is_new);
        ck_assert(is_new);
        ck_assert_uint_eq(e->value, 0);
        e->value = key * 10;
    }
    for (uint64_t key = 1; key <= 8; key++) {
        struct entry *e = slots_find(&s, key, 100);
        ck_assert_ptr_nonnull(e);
        ck_assert_uint_eq(e->value, key * 10);
    }
    ck_assert_ptr_null(slots_find(&s, 9, 100));
    ck_assert_ptr_null(slots_find(&s, 0, 100));
    slots_destroy(&s);
}
END_TEST

/* Keys that differ only in their low bits fall into one set of SLOTS_WAYS entries. */
START_TEST(test_least_recently_used_goes)
{
    struct slots s;
    bool is_new;
    ck_assert(slots_create(&s, 64, sizeof(struct entry)));
    for (uint64_t key = 1; key <= SLOTS_WAYS; key++)
        slots_take(&s, key, (int64_t)key, &is_new);
    ck_assert_uint_eq(s.evicted, 0);
    (void)slots_find(&s, 1, 50); /* now the second is the oldest */
    slots_take(&s, 99, 51, &is_new);
    ck_assert(is_new);
    ck_assert_uint_eq(s.evicted, 1);
    ck_assert_ptr_nonnull(slots_find(&s, 1, 52));
    ck_assert_ptr_null(slots_find(&s, 2, 52));
    ck_assert_ptr_nonnull(slots_find(&s, 3, 52));
    slots_destroy(&s);
}
END_TEST

START_TEST(test_dropped_is_gone)
{
    struct slots s;
    bool is_new;
    ck_assert(slots_create(&s, 8, sizeof(struct entry)));
    struct entry *e = slots_take(&s, 5, 1, &is_new);
    e->value = 7;
    slots_drop(e);
    ck_assert_ptr_null(slots_find(&s, 5, 2));
    e = slots_take(&s, 5, 3, &is_new);
    ck_assert(is_new);
    ck_assert_uint_eq(e->value, 0);
    slots_destroy(&s);
}
END_TEST

START_TEST(test_never_more_than_capacity)
{
    struct slots s;
    bool is_new;
    ck_assert(slots_create(&s, 100, sizeof(struct entry)));
    ck_assert_uint_eq(s.capacity, 128);
    uint64_t taken = 0;
    for (uint64_t i = 1; i <= 100000; i++) {
        slots_take(&s, i * UINT64_C(0x9e3779b97f4a7c15), (int64_t)i, &is_new);
        taken += is_new;
    }
    ck_assert_uint_eq(taken, 100000);
    ck_assert_uint_eq(s.evicted, 100000 - 128);
    slots_destroy(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slots");
    TCase *tcase = tcase_create("slots");
    tcase_add_test(tcase, test_find_what_was_put_in);
    tcase_add_test(tcase, test_least_recently_used_goes);
    tcase_add_test(tcase, test_dropped_is_gone);
    tcase_add_test(tcase, test_never_more_than_capacity);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
