/* test_names.c: records by name: many of them, of any length, in the order in which they came. */
#include "web/names.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 5000 }; /* the table grows several times */

static void print_name(char name[600], size_t i)
{
    snprintf(name, 600, "%0*zu", i % 7 == 0 ? 500 : 1, i);
}

START_TEST(each_name_has_a_record)
{
    char name[600];
    struct names *n = names_create(sizeof(size_t));
    ck_assert_ptr_nonnull(n);
    for (size_t turn = 1; turn <= 2; turn++)
        for (size_t i = 0; i < MANY; i++) {
            print_name(name, i);
            size_t *record = names_add(n, name);
            ck_assert_ptr_nonnull(record);
            ck_assert_uint_eq(*record, turn == 1 ? 0 : i + 1);
            *record = i + 1;
        }
    ck_assert_uint_eq(names_count(n), MANY);
    for (size_t i = 0; i < MANY; i++) {
        print_name(name, i);
        ck_assert_str_eq(names_text(n, i), name);
        ck_assert_ptr_eq(names_find(n, name), names_record(n, i));
        ck_assert_uint_eq(*(size_t *)names_record(n, i), i + 1);
    }
    names_destroy(n);
}
END_TEST

START_TEST(what_was_not_added_is_not_found)
{
    struct names *n = names_create(1);
    ck_assert_ptr_null(names_find(n, ""));
    ck_assert_ptr_nonnull(names_add(n, ""));
    ck_assert_ptr_nonnull(names_find(n, ""));
    ck_assert_ptr_nonnull(names_add(n, "plc"));
    ck_assert_ptr_null(names_find(n, "pl"));
    ck_assert_ptr_null(names_find(n, "plc "));
    ck_assert_uint_eq(names_count(n), 2);
    names_destroy(n);
    names_destroy(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *names = tcase_create("names");
    tcase_add_test(names, each_name_has_a_record);
    tcase_add_test(names, what_was_not_added_is_not_found);
    suite_add_tcase(suite, names);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
