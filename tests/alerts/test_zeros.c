/* test_zeros.c: bytes without their runs of zeros come back as they were. */
#include "alerts/zeros.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 1000 };

/* A piece of the bytes that is not zero. */
static const struct row {
    const char *shows;
    size_t from, to, packed_max;
} rows[] = {
    {"nothing but zeros",            0,   0,    4       },
    {"no zero",                      0,   SIZE, SIZE + 4},
    {"zeros at the end",             0,   100,  100 + 4 },
    {"zeros at the beginning",       900, SIZE, 100 + 8 },
    {"zeros on both sides",          400, 500,  100 + 8 },
    {"a few zeros are not left out", 10,  SIZE, SIZE + 4},
    {"the last byte alone",          999, SIZE, 1 + 8   },
};

START_TEST(come_back)
{
    const struct row *row = &rows[_i];
    uint8_t bytes[SIZE] = {0}, packed[ZEROS_PACKED_MAX(SIZE)], back[SIZE];
    memset(bytes + row->from, 0x5a, row->to - row->from);
    size_t size = zeros_pack(packed, bytes, SIZE);
    ck_assert_msg(size <= row->packed_max, "%s: %zu", row->shows, size);
    memset(back, 0xff, sizeof back);
    ck_assert_msg(zeros_unpack(back, SIZE, packed, size), "%s", row->shows);
    ck_assert_mem_eq(back, bytes, SIZE);
    ck_assert(!zeros_unpack(back, SIZE - 1, packed, size));
    for (size_t cut = 0; cut < size; cut++)
        ck_assert(!zeros_unpack(back, SIZE, packed, cut));
}
END_TEST

/* Runs of every length, so that the bound of the packed size is met. */
START_TEST(any_mixture_fits)
{
    uint8_t bytes[SIZE], packed[ZEROS_PACKED_MAX(SIZE)], back[SIZE];
    unsigned seed = 1;
    for (int turn = 0; turn < 200; turn++) {
        for (size_t i = 0; i < SIZE;) {
            size_t told = (size_t)rand_r(&seed) % 40, zeros = (size_t)rand_r(&seed) % 40;
            for (; told && i < SIZE; told--)
                bytes[i++] = 1;
            for (; zeros && i < SIZE; zeros--)
                bytes[i++] = 0;
        }
        size_t size = zeros_pack(packed, bytes, SIZE);
        ck_assert_uint_le(size, sizeof packed);
        ck_assert(zeros_unpack(back, SIZE, packed, size));
        ck_assert_mem_eq(back, bytes, SIZE);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zeros");
    TCase *tcase = tcase_create("zeros");
    tcase_add_loop_test(tcase, come_back, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, any_mixture_fits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
