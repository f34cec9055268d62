/* test_interval_set.c: sets of address ranges against a plain list of addresses. */
#include "baseline/interval_set.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *shows;
    uint64_t add[4][2];
    const char *set;
} rows[] = {
    {"one address",                   {{5, 5}},                              "5"         },
    {"a range",                       {{0, 9}},                              "0-9"       },
    {"neighbours join",               {{0, 9}, {10, 19}},                    "0-19"      },
    {"neighbours join backwards",     {{10, 19}, {0, 9}},                    "0-19"      },
    {"overlaps join",                 {{0, 9}, {5, 30}},                     "0-30"      },
    {"what lies inside adds nothing", {{0, 9}, {3, 4}},                      "0-9"       },
    {"a gap of one stays",            {{0, 9}, {11, 19}},                    "0-9, 11-19"},
    {"a bridge joins both sides",     {{0, 9}, {20, 29}, {10, 19}},          "0-29"      },
    {"a wide range swallows all",     {{5, 6}, {20, 29}, {40, 41}, {0, 99}}, "0-99"      },
    {"the greatest addresses",
     {{UINT64_MAX - 1, UINT64_MAX}, {0, 0}},
     "0, 18446744073709551614-18446744073709551615"                                      },
};

START_TEST(test_add)
{
    const struct row *row = &rows[_i];
    struct interval_set set = {0}, back;
    char text[INTERVALS_TEXT];
    for (int i = 0; i < 4 && (i == 0 || row->add[i][1] != 0 || row->add[i][0] != 0); i++)
        interval_set_add(&set, row->add[i][0], row->add[i][1]);
    if (strncmp(row->shows, "the greatest", 12) == 0)
        interval_set_add(&set, 0, 0);
    interval_set_print(&set, text, sizeof text);
    ck_assert_msg(strcmp(text, row->set) == 0, "%s: %s instead of %s", row->shows, text, row->set);
    ck_assert_msg(interval_set_parse(&back, text), "%s: cannot be read back", row->shows);
    ck_assert_msg(back.count == set.count &&
                      memcmp(back.at, set.at, set.count * sizeof set.at[0]) == 0,
                  "%s: read back differently", row->shows);
}
END_TEST

static const char *const wrong[] = {"x", "1-", "-1", "5-4", "1,,2", "1 2", "1,", "0x10"};

START_TEST(test_parse_refuses)
{
    struct interval_set set;
    ck_assert_msg(!interval_set_parse(&set, wrong[_i]), "%s was taken", wrong[_i]);
}
END_TEST

/* Few enough ranges: the set is exactly what was added. Many: it holds at least that, never more
 * than 16 ranges, and says that it joined some. */
START_TEST(test_against_a_list)
{
    enum { SPACE = 4000 };
    static bool list[SPACE];
    struct interval_set set = {0};
    unsigned rising = (unsigned)_i * 7919 + 1;
    memset(list, 0, sizeof list);
    for (int step = 0; step < 60; step++) {
        rising = rising * 1103515245 + 12345;
        unsigned low = (rising >> 8) % (SPACE - 40), high = low + (rising >> 3) % 40;
        interval_set_add(&set, low, high);
        memset(list + low, true, high - low + 1);
        ck_assert_uint_le(set.count, INTERVALS_MAX);
        for (unsigned i = 0; i < set.count; i++) {
            ck_assert_uint_le(set.at[i].low, set.at[i].high);
            if (i > 0)
                ck_assert_uint_gt(set.at[i].low, set.at[i - 1].high + 1);
        }
        unsigned lost = 0, invented = 0;
        for (unsigned a = 0; a < SPACE; a++) {
            bool covered = interval_set_covers(&set, a, a);
            lost += !covered && list[a];
            invented += covered && !list[a];
        }
        ck_assert_uint_eq(lost, 0);
        ck_assert(invented == 0 || set.joined > 0);
    }
    ck_assert_uint_gt(set.joined, 0);
}
END_TEST

START_TEST(test_print_is_cut)
{
    struct interval_set set = {0};
    char text[24];
    for (uint64_t i = 0; i < INTERVALS_MAX; i++)
        interval_set_add(&set, i * 1000, i * 1000 + 5);
    interval_set_print(&set, text, sizeof text);
    ck_assert_uint_lt(strlen(text), sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "..."));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interval_set");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, test_add, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_loop_test(all, test_parse_refuses, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_loop_test(all, test_against_a_list, 0, 8);
    tcase_add_test(all, test_print_is_cut);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
