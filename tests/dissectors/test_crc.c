/* test_crc.c: the checksums against published check values, and against the polynomial bit by bit.
 */
#include "dissectors/crc.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

typedef uint16_t function(uint16_t crc, const void *bytes, size_t size);

/* Check values of "123456789" as catalogues of CRCs give them; DNP's is of the complement. */
static const struct {
    function *of;
    uint16_t start, inverted, check;
} known[] = {
    {crc16,       CRC16_MODBUS_START, 0,      0x4b37},
    {crc16,       0,                  0,      0xbb3d},
    {crc16_dnp,   0,                  0xffff, 0xea82},
    {crc16_ccitt, CRC16_CCITT_START,  0,      0x29b1},
    {crc16_ccitt, 0,                  0,      0x31c3},
};

START_TEST(check_value_is_right)
{
    uint16_t crc = known[_i].of(known[_i].start, "123456789", 9);
    ck_assert_uint_eq(crc ^ known[_i].inverted, known[_i].check);
}
END_TEST

static const struct {
    function *of;
    uint16_t polynomial;
    bool is_reflected;
} polynomials[] = {
    {crc16,       0xa001, true },
    {crc16_dnp,   0xa6bc, true },
    {crc16_ccitt, 0x1021, false},
};

static uint16_t bit_by_bit(uint16_t crc, uint16_t polynomial, bool is_reflected,
                           const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc = (uint16_t)(crc ^ (is_reflected ? bytes[i] : bytes[i] << 8));
        for (int bit = 0; bit < 8; bit++) {
            bool is_set = crc & (is_reflected ? 1 : 0x8000);
            crc = (uint16_t)(is_reflected ? crc >> 1 : crc << 1);
            crc = (uint16_t)(is_set ? crc ^ polynomial : crc);
        }
    }
    return crc;
}

enum { SIZES = 40 };

START_TEST(every_size_and_start_gives_what_its_polynomial_gives)
{
    uint8_t bytes[SIZES];
    srand(1);
    for (size_t size = 0; size <= SIZES; size++) {
        uint16_t start = (uint16_t)rand();
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)rand();
        uint16_t expected = bit_by_bit(start, polynomials[_i].polynomial,
                                       polynomials[_i].is_reflected, bytes, size);
        ck_assert_uint_eq(polynomials[_i].of(start, bytes, size), expected);
        uint16_t half = polynomials[_i].of(start, bytes, size / 2);
        ck_assert_uint_eq(polynomials[_i].of(half, bytes + size / 2, size - size / 2), expected);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crc");
    TCase *tests = tcase_create("crc");
    tcase_add_loop_test(tests, check_value_is_right, 0, sizeof known / sizeof *known);
    tcase_add_loop_test(tests, every_size_and_start_gives_what_its_polynomial_gives, 0,
                        sizeof polynomials / sizeof *polynomials);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
