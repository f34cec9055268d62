/* test_tables.c: the pool and the memory: bounded, recycled, zeroed. */
#include "sensor/base/pages.h"
#include "sensor/memory.h"
#include "sensor/pool.h"
#include "support/runner.h"

#include <string.h>

START_TEST(the_pool_gives_zeroed_blocks_up_to_its_cap)
{
    struct pool *p = pool_create(1 << 20);
    void *blocks[300];
    int given = 0;
    while (given < 300 && (blocks[given] = pool_take(p, 4096)))
        memset(blocks[given++], 0xff, 4096);
    ck_assert_int_eq(given, 256); /* 1 MiB of 4 KiB */
    ck_assert_ptr_null(pool_take(p, 1));
    for (int i = 0; i < given; i++)
        pool_give(p, blocks[i], 4096);
    ck_assert_uint_eq(pool_used(p), 0);
    uint8_t *again = pool_take(p, 4096);
    for (int i = 0; i < 4096; i++)
        ck_assert_uint_eq(again[i], 0);
    ck_assert_ptr_null(pool_take(p, POOL_BLOCK_MAX + 1));
    pool_destroy(p);
}
END_TEST

START_TEST(block_sizes)
{
    ck_assert_uint_eq(pool_block_size(1), 64);
    ck_assert_uint_eq(pool_block_size(64), 64);
    ck_assert_uint_eq(pool_block_size(65), 128);
    ck_assert_uint_eq(pool_block_size(POOL_BLOCK_MAX), POOL_BLOCK_MAX);
}
END_TEST

/* On either side of what gets great pages, and of whole ones. */
START_TEST(pages_are_zeroed_and_aligned)
{
    static const size_t sizes[] = {1, 100, 128, (1 << 20) - 1, 1 << 20, 2 << 20, (2 << 20) + 1};
    size_t size = sizes[_i];
    uint8_t *first = pages_take(size);
    ck_assert_uint_eq((uintptr_t)first % 128, 0);
    memset(first, 0xff, size);
    uint8_t *second = pages_take(size);
    ck_assert(second >= first + size || first >= second + size);
    pages_give(first, size);
    first = pages_take(size);
    size_t dirty = 0;
    for (size_t i = 0; i < size; i++)
        dirty += first[i] != 0 || second[i] != 0;
    ck_assert_uint_eq(dirty, 0);
    pages_give(first, size);
    pages_give(second, size);
    pages_give(NULL, size);
}
END_TEST

START_TEST(the_oldest_entry_goes_first)
{
    struct memory *m = memory_create(100, 16);
    bool existed, evicted;
    for (uint64_t key = 1; key <= 250; key++) {
        uint64_t *value = memory_put(m, key, sizeof *value, &existed, &evicted);
        ck_assert_uint_eq(*value, 0);
        *value = key;
        ck_assert(!existed);
        ck_assert_int_eq(evicted, key > 100);
    }
    for (uint64_t key = 1; key <= 250; key++) {
        uint64_t *value = memory_get(m, key, NULL);
        ck_assert_msg((value != NULL) == (key > 150), "key %d", (int)key);
        if (value)
            ck_assert_uint_eq(*value, key);
    }
    memory_destroy(m);
}
END_TEST

START_TEST(put_again_and_forget)
{
    struct memory *m = memory_create(8, 16);
    bool existed, evicted;
    size_t size;
    memcpy(memory_put(m, 42, 5, &existed, &evicted), "abcde", 5);
    ck_assert_ptr_nonnull(memory_get(m, 42, &size));
    ck_assert_uint_eq(size, 5);
    memory_put(m, 42, 3, &existed, &evicted);
    ck_assert(existed);
    ck_assert_int_eq(memcmp(memory_get(m, 42, &size), "\0\0\0", 3), 0);
    ck_assert_uint_eq(size, 3);
    struct memory_answer answer = {0};
    ck_assert_ptr_eq(memory_get_again(m, &answer, 42), memory_get(m, 42, NULL));
    ck_assert_ptr_eq(memory_get_again(m, &answer, 42), memory_get(m, 42, NULL));
    memory_forget(m, 42);
    ck_assert_ptr_null(memory_get(m, 42, NULL));
    ck_assert_ptr_null(memory_get_again(m, &answer, 42));
    ck_assert_ptr_null(memory_get_again(m, &answer, 42));
    memory_put(m, 42, 3, &existed, &evicted);
    ck_assert_ptr_nonnull(memory_get_again(m, &answer, 42));
    memory_forget(m, 42);
    memory_forget(m, 42); /* harmless */
    for (uint64_t key = 0; key < 100; key++) {
        memory_put(m, key, 8, &existed, &evicted);
        memory_forget(m, key);
        ck_assert(!evicted); /* what was taken is no loss */
    }
    memory_destroy(m);
}
END_TEST

/* As a list would have it in which what is made is last and what is forgotten is missing. */
START_TEST(age_is_the_order_of_making)
{
    enum { CAPACITY = 8, KEYS = 24, STEPS = 5000 };
    struct memory *m = memory_create(CAPACITY, 8);
    uint64_t made[CAPACITY];
    size_t count = 0;
    uint32_t random = (uint32_t)_i + 1, evictions = 0;
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;
        uint64_t key = 1 + (random >> 16) % KEYS;
        size_t at = 0;
        while (at < count && made[at] != key)
            at++;
        bool is_known = at < count, existed, evicted;
        if ((random >> 28) % 4 == 0) {
            memory_forget(m, key);
            if (is_known)
                memmove(&made[at], &made[at + 1], (--count - at) * sizeof *made);
        } else {
            memory_put(m, key, 8, &existed, &evicted);
            ck_assert_int_eq(existed, is_known);
            ck_assert_int_eq(evicted, !is_known && count == CAPACITY);
            evictions += evicted;
            if (evicted)
                memmove(&made[0], &made[1], --count * sizeof *made);
            if (!is_known)
                made[count++] = key;
        }
        size_t found = 0;
        for (key = 1; key <= KEYS; key++)
            found += memory_get(m, key, NULL) != NULL;
        ck_assert_uint_eq(found, count);
        for (at = 0; at < count; at++)
            ck_assert_ptr_nonnull(memory_get(m, made[at], NULL));
    }
    ck_assert_uint_gt(evictions, 100);
    memory_destroy(m);
}
END_TEST

/* What a holder puts is found as without a holder, whatever is evicted meanwhile. */
START_TEST(near_entries_are_the_same)
{
    enum { HOLDERS = 7, KEYS = 9, STEPS = 20000 };
    struct memory *plain = memory_create(12, 8), *m = memory_create(12, 8);
    struct memory_near near[HOLDERS];
    memset(near, 0, sizeof near);
    uint32_t random = (uint32_t)_i + 1, evictions = 0;
    for (uint64_t step = 1; step <= STEPS; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t holder = (random >> 8) % HOLDERS;
        uint64_t key = (uint64_t)holder * 1000 + (random >> 16) % KEYS;
        bool existed[2], evicted[2];
        size_t size[2] = {0, 0};
        if (random >> 31) {
            uint64_t *a = memory_put(plain, key, sizeof *a, &existed[0], &evicted[0]);
            uint64_t *b =
                memory_put_near(m, &near[holder], key, sizeof *b, &existed[1], &evicted[1]);
            ck_assert_int_eq(existed[0], existed[1]);
            ck_assert_int_eq(evicted[0], evicted[1]);
            ck_assert_uint_eq(*b, 0);
            *a = *b = step;
            evictions += evicted[0];
            continue;
        }
        const uint64_t *a = memory_get(plain, key, &size[0]);
        const uint64_t *b = memory_take_near(m, &near[holder], key, &size[1]);
        ck_assert_int_eq(a != NULL, b != NULL);
        ck_assert_uint_eq(size[0], size[1]);
        if (a)
            ck_assert_uint_eq(*a, *b);
        memory_forget(plain, key);
    }
    ck_assert_uint_gt(evictions, 100);
    memory_destroy(plain);
    memory_destroy(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tables");
    TCase *c = tcase_create("tables");
    tcase_add_test(c, the_pool_gives_zeroed_blocks_up_to_its_cap);
    tcase_add_test(c, block_sizes);
    tcase_add_loop_test(c, pages_are_zeroed_and_aligned, 0, 7);
    tcase_add_test(c, the_oldest_entry_goes_first);
    tcase_add_test(c, put_again_and_forget);
    tcase_add_loop_test(c, age_is_the_order_of_making, 0, 4);
    tcase_add_loop_test(c, near_entries_are_the_same, 0, 4);
    suite_add_tcase(s, c);
    return run_suite(s);
}
