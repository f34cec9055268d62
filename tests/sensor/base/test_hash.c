/* test_hash.c: what tables rely on of the hashes that are not XXH3's own. */
#include "sensor/base/hash.h"
#include "support/runner.h"

enum { SIDE = 256 };

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void assert_all_differ(uint64_t *hashes, size_t count, const char *name)
{
    qsort(hashes, count, sizeof *hashes, by_value);
    for (size_t i = 1; i < count; i++)
        ck_assert_msg(hashes[i] != hashes[i - 1], "%s: two of %zu meet", name, count);
}

/* Addresses, ports, counts: small numbers, zero among them, in either place. */
START_TEST(small_numbers)
{
    static uint64_t hashes[SIDE * SIDE];
    size_t n = 0;
    for (uint64_t a = 0; a < SIDE; a++)
        for (uint64_t b = 0; b < SIDE; b++)
            hashes[n++] = hash_mix(a, b);
    assert_all_differ(hashes, n, "small numbers");
}
END_TEST

/* Tables take the low bits. */
START_TEST(low_bits)
{
    enum { BUCKETS = 256, EACH_MAX = 2 * SIDE };
    unsigned counts[BUCKETS] = {0};
    for (uint64_t a = 0; a < SIDE; a++)
        for (uint64_t b = 0; b < SIDE; b++)
            counts[hash_mix(a << 32, b << 48) % BUCKETS]++;
    for (size_t i = 0; i < BUCKETS; i++)
        ck_assert_msg(counts[i] < EACH_MAX, "%u in bucket %zu", counts[i], i);
}
END_TEST

/* Another seed, other places: nobody on the wire can choose what meets. What is stored does not
 * change with it. */
START_TEST(seeds)
{
    const uint64_t number = UINT64_C(0x0123456789abcdef);
    hash_seed(1);
    uint64_t mixed = hash_mix(number, 1), hashed = hash_bytes(&number, sizeof number);
    uint64_t stable = hash_stable(&number, sizeof number), kept = hash_mix_stable(number, 1);
    hash_seed(2);
    ck_assert_uint_ne(mixed, hash_mix(number, 1));
    ck_assert_uint_ne(hashed, hash_bytes(&number, sizeof number));
    ck_assert_uint_eq(stable, hash_stable(&number, sizeof number));
    ck_assert_uint_eq(kept, hash_mix_stable(number, 1));
    hash_seed(1);
    ck_assert_uint_eq(mixed, hash_mix(number, 1));
}
END_TEST

/* Units of one size: all of up to two bytes, each bit of longer ones. */
START_TEST(short_ones)
{
    static uint64_t hashes[(1 << 16) + 1];
    const size_t size = (size_t)_i;
    size_t n = 0;
    if (size <= 2) {
        for (uint32_t value = 0; value < UINT32_C(1) << 8 * size; value++) {
            const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
            hashes[n++] = hash_short(bytes, size);
        }
    } else {
        uint8_t bytes[16] = {0};
        hashes[n++] = hash_short(bytes, size);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] = (uint8_t)(1u << bit % 8);
            hashes[n++] = hash_short(bytes, size);
            bytes[bit / 8] = 0;
        }
    }
    assert_all_differ(hashes, n, "short");
}
END_TEST

/* Payloads of one size: each bit of each byte; and every size of zeros. */
START_TEST(payloads)
{
    enum { SIZE_MAX_TESTED = 80 };
    static uint64_t hashes[8 * SIZE_MAX_TESTED + SIZE_MAX_TESTED + 2];
    const size_t size = (size_t)_i;
    uint8_t bytes[SIZE_MAX_TESTED] = {0};
    size_t n = 0;
    for (size_t zeros = 0; zeros <= SIZE_MAX_TESTED; zeros++)
        hashes[n++] = hash_mix_bytes(7, bytes, zeros);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] = (uint8_t)(1u << bit % 8);
        hashes[n++] = hash_mix_bytes(7, bytes, size);
        bytes[bit / 8] = 0;
    }
    assert_all_differ(hashes, n, "payload");
    ck_assert_uint_ne(hash_mix_bytes(7, bytes, size), hash_mix_bytes(8, bytes, size));
}
END_TEST

int main(void)
{
    enum { SHORT_MAX = 12, PAYLOAD_MAX = 80 };
    Suite *suite = suite_create("hash");
    TCase *tcase = tcase_create("hash");
    tcase_add_test(tcase, small_numbers);
    tcase_add_test(tcase, low_bits);
    tcase_add_test(tcase, seeds);
    tcase_add_loop_test(tcase, short_ones, 1, SHORT_MAX + 1);
    tcase_add_loop_test(tcase, payloads, 0, PAYLOAD_MAX + 1);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
