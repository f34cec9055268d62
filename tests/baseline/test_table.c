/* Tests of the table of learned entries. */
#include "baseline/table.h"

#include <check.h>

struct thing {
    struct entry e;
    uint64_t number;
};

enum { CAPACITY = 64 };

static struct table table;

static void setup(void)
{
    ck_assert(table_create(&table, sizeof(struct thing), CAPACITY));
}

static void teardown(void)
{
    table_destroy(&table);
}

static void add(uint64_t key)
{
    struct thing *t = table_add(&table, key, ENTRY_LEARNED, (int64_t)key);
    t->number = key * 10;
}

/* What a flow asks for, one key after the other; 0 ends. Keys up to 8 are there. */
static const struct row {
    const char *name;
    uint64_t keys[20];
} rows[] = {
    {"a cycle, twice",                {1, 2, 3, 1, 2, 3, 1, 2, 3}            },
    {"the same again and again",      {4, 4, 4, 5, 4, 4, 4, 5, 4, 4}         },
    {"a cycle that turns round",      {1, 2, 3, 4, 1, 2, 3, 4, 4, 3, 2, 1, 2}},
    {"another one within the cycle",  {1, 2, 3, 1, 7, 2, 3, 1, 2, 3}         },
    {"what is not there, in between", {1, 9, 2, 9, 1, 9, 9, 2, 1}            },
    {"what is not there, at first",   {9, 9, 1, 2, 9}                        },
};

START_TEST(test_follow)
{
    const struct row *row = &rows[_i];
    struct trail trail = {0};
    for (uint64_t key = 1; key <= 8; key++)
        add(key);
    for (const uint64_t *key = row->keys; *key; key++) {
        const struct thing *t = table_follow(&table, &trail, *key);
        ck_assert_msg(t == table_find(&table, *key), "%s: another than by a search", row->name);
        ck_assert_msg(*key > 8 ? t == NULL : t && t->number == *key * 10, "%s: key %d", row->name,
                      (int)*key);
    }
}
END_TEST

START_TEST(test_follow_without_search)
{
    struct trail trail = {0};
    for (uint64_t key = 1; key <= 3; key++)
        add(key);
    for (int turn = 0; turn < 2; turn++)
        for (uint64_t key = 1; key <= 3; key++)
            ck_assert_ptr_nonnull(table_follow(&table, &trail, key));
    for (uint32_t i = 0; i <= table.bucket_mask; i++)
        table.buckets[i] = ENTRY_NONE; /* a search would find nothing */
    for (uint64_t key = 1; key <= 3; key++)
        ck_assert_ptr_nonnull(table_follow(&table, &trail, key));
}
END_TEST

START_TEST(test_follow_after_eviction)
{
    struct trail trail = {0};
    for (uint64_t key = 1; key <= CAPACITY; key++)
        add(key);
    for (int turn = 0; turn < 2; turn++)
        for (uint64_t key = 1; key <= CAPACITY; key++)
            ck_assert_ptr_nonnull(table_follow(&table, &trail, key));
    for (uint64_t key = 101; key <= 100 + CAPACITY; key++)
        add(key);
    for (uint64_t key = 1; key <= 100 + CAPACITY; key++)
        ck_assert_ptr_eq(table_follow(&table, &trail, key), table_find(&table, key));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *t = tcase_create("table");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_follow, 0, sizeof rows / sizeof *rows);
    tcase_add_test(t, test_follow_without_search);
    tcase_add_test(t, test_follow_after_eviction);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
