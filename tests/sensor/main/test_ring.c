/* test_ring.c: records arrive whole and in order, also around the end and between threads. */
#include "sensor/main/ring.h"
#include "support/runner.h"

#include <pthread.h>
#include <string.h>

START_TEST(a_full_ring_says_so)
{
    struct ring *r = ring_create(4096);
    int written = 0;
    void *data;
    while ((data = ring_reserve(r, 1, 100))) {
        memset(data, written, 100);
        ring_commit(r);
        written++;
    }
    ck_assert_int_eq(written, 4096 / 128); /* 16 bytes of header, rounded up to 16 */
    uint32_t kind;
    size_t size;
    for (int i = 0; i < written; i++) {
        uint8_t *record = ring_peek(r, &kind, &size);
        ck_assert_ptr_nonnull(record);
        ck_assert_uint_eq(record[99], (uint8_t)i);
        ring_release(r);
    }
    ck_assert_ptr_null(ring_peek(r, &kind, &size));
    ck_assert_ptr_null(ring_reserve(r, 1, 4000)); /* would never fit beside another */
    ring_destroy(r);
}
END_TEST

START_TEST(what_is_not_committed_is_not_there)
{
    struct ring *r = ring_create(4096);
    uint32_t kind;
    size_t size;
    ck_assert_ptr_nonnull(ring_reserve(r, 7, 10));
    ck_assert_ptr_null(ring_peek(r, &kind, &size));
    ring_commit(r);
    ck_assert_ptr_nonnull(ring_peek(r, &kind, &size));
    ck_assert_uint_eq(kind, 7);
    ck_assert_uint_eq(size, 10);
    ring_destroy(r);
}
END_TEST

enum { RECORDS = 200000 };

static size_t size_of(uint32_t i)
{
    return i * 7919u % 300;
}

static void *produce(void *context)
{
    struct ring *r = context;
    for (uint32_t i = 0; i < RECORDS;) {
        uint8_t *data = ring_reserve(r, i, size_of(i));
        if (!data)
            continue;
        memset(data, (int)i, size_of(i));
        ring_commit(r);
        i++;
    }
    return NULL;
}

START_TEST(two_threads)
{
    struct ring *r = ring_create(16384);
    pthread_t producer;
    ck_assert_int_eq(pthread_create(&producer, NULL, produce, r), 0);
    for (uint32_t i = 0; i < RECORDS;) {
        uint32_t kind;
        size_t size;
        uint8_t *data = ring_peek(r, &kind, &size);
        if (!data) {
            ring_wait(r, 1000);
            continue;
        }
        ck_assert_uint_eq(kind, i);
        ck_assert_uint_eq(size, size_of(i));
        if (size)
            ck_assert(data[0] == (uint8_t)i && data[size - 1] == (uint8_t)i);
        ring_release(r);
        i++;
    }
    pthread_join(producer, NULL);
    ring_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ring");
    TCase *c = tcase_create("ring");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_full_ring_says_so);
    tcase_add_test(c, what_is_not_committed_is_not_there);
    tcase_add_test(c, two_threads);
    suite_add_tcase(s, c);
    return run_suite(s);
}
