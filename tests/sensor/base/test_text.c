/* test_text.c: what comes from the wire is shown safely. */
#include "sensor/base/json_writer.h"
#include "sensor/base/text.h"
#include "support/runner.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

static const struct row {
    const char *shows;
    const char *bytes;
    size_t size;
    const char *as_string; /* text_copy */
    const char *as_json;   /* between the quotes */
} rows[] = {
    {"plain text stays",                "Motor 1",          7, "Motor 1",              "Motor 1"              },
    {"UTF-8 stays",                     "caf\xc3\xa9",      5, "caf\xc3\xa9",          "caf\xc3\xa9"          },
    {"quotes and backslashes",          "a\"b\\c",          5, "a\"b\\c",              "a\\\"b\\\\c"          },
    {"control characters",              "a\x01\nb",         4, "a\\x01\\x0ab",         "a\\u0001\\u000ab"     },
    {"a NUL inside",                    "a\0b",             3, "a\\x00b",              "a\\u0000b"            },
    {"DEL",                             "\x7f",             1, "\\x7f",                "\\u007f"              },
    {"a lone continuation byte",        "\x80",             1, "\\x80",                "\\u0080"              },
    {"an overlong slash",               "\xc0\xaf",         2, "\\xc0\\xaf",           "\\u00c0\\u00af"       },
    {"an overlong three-byte form",     "\xe0\x80\xaf",     3, "\\xe0\\x80\\xaf",      "\\u00e0\\u0080\\u00af"},
    {"a surrogate",                     "\xed\xa0\x80",     3, "\\xed\\xa0\\x80",      "\\u00ed\\u00a0\\u0080"},
    {"above U+10FFFF",                  "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80",
     "\\u00f4\\u0090\\u0080\\u0080"                                                                           },
    {"cut in the middle of a sequence", "\xe2\x82",         2, "\\xe2\\x82",           "\\u00e2\\u0082"       },
    {"C1 control U+0085",               "\xc2\x85",         2, "\\xc2\\x85",           "\\u00c2\\u0085"       },
    {"right-to-left override U+202E",   "\xe2\x80\xae",     3, "\\xe2\\x80\\xae",
     "\\u00e2\\u0080\\u00ae"                                                                                  },
    {"four bytes",                      "\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80",     "\xf0\x9f\x98\x80"     },
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(shown_safely)
{
    const struct row *r = &rows[_i];
    char out[64], buffer[128], expected[96];
    text_copy(out, sizeof out, (struct text){r->bytes, r->size});
    ck_assert_msg(strcmp(out, r->as_string) == 0, "%s: got %s", r->shows, out);

    struct json_writer w;
    json_begin(&w, buffer, sizeof buffer - 1);
    json_text(&w, NULL, (struct text){r->bytes, r->size});
    *w.at = '\0';
    snprintf(expected, sizeof expected, "\"%s\"", r->as_json);
    ck_assert_msg(strcmp(buffer, expected) == 0, "%s: got %s", r->shows, buffer);
}
END_TEST

/* Runs are looked through eight bytes at a time: what ends one may be any of them. */
START_TEST(a_byte_that_is_not_plain_is_seen_everywhere)
{
    static const struct {
        char byte;
        const char *as_string, *as_json;
    } odd[] = {
        {0x1f,       "\\x1f", "\\u001f"},
        {0x7f,       "\\x7f", "\\u007f"},
        {(char)0x80, "\\x80", "\\u0080"},
        {(char)0xff, "\\xff", "\\u00ff"},
        {0,          "\\x00", "\\u0000"},
        {'"',        "\"",    "\\\""   },
        {'\\',       "\\",    "\\\\"   },
        {' ',        " ",     " "      },
        {'~',        "~",     "~"      }
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char text[20], out[64], expected[64], buffer[64];
        memset(text, 'a', sizeof text);
        text[_i] = odd[i].byte;
        const struct text whole = {text, sizeof text};
        const int after = (int)sizeof text - _i - 1;
        snprintf(expected, sizeof expected, "%.*s%s%.*s", _i, text, odd[i].as_string, after,
                 text + _i + 1);
        ck_assert_str_eq(text_copy(out, sizeof out, whole), expected);
        struct json_writer w;
        json_begin(&w, buffer, sizeof buffer - 1);
        json_text(&w, NULL, whole);
        *w.at = '\0';
        snprintf(expected, sizeof expected, "\"%.*s%s%.*s\"", _i, text, odd[i].as_json, after,
                 text + _i + 1);
        ck_assert_str_eq(buffer, expected);
    }
}
END_TEST

/* What printf writes is expected, at every length of the buffer. */
#define FORMATTED(...)                                                                             \
    do {                                                                                           \
        char expected[96], got[96];                                                                \
        for (size_t capacity = 1; capacity <= 64; capacity++) {                                    \
            memset(got, '!', sizeof got);                                                          \
            snprintf(expected, capacity, __VA_ARGS__);                                             \
            ck_assert_ptr_eq(text_format(got, capacity, __VA_ARGS__), got);                        \
            ck_assert_str_eq(got, expected);                                                       \
            ck_assert_int_eq(got[capacity], '!');                                                  \
        }                                                                                          \
        got[0] = '!';                                                                              \
        text_format(got, 0, __VA_ARGS__);                                                          \
        ck_assert_int_eq(got[0], '!');                                                             \
    } while (0)

START_TEST(formatted_as_printf_does)
{
    const char *empty = "", *word = "word", ends[3] = {'a', 'b', 'c'};
    FORMATTED("plain");
    FORMATTED("%s", empty);
    FORMATTED("%s and %s%s", word, word, empty);
    FORMATTED("100 %% of %s", word);
    FORMATTED("%.2s|%.0s|%.60s", word, word, word);
    FORMATTED("%.*s|%.*s|%.*s", 3, word, -1, word, 0, word);
    FORMATTED("%.3s", ends);
    FORMATTED("%u %u", 0u, UINT_MAX);
    FORMATTED("%d %d %d", 0, INT_MIN, INT_MAX);
    FORMATTED("%lu %llu %zu", ULONG_MAX, ULLONG_MAX, SIZE_MAX);
    FORMATTED("%ld %lld", LONG_MIN, LLONG_MIN);
    FORMATTED("%x %llx %02x %04x", 0xbeefu, 0x1234567890abcdefull, 7u, 0xfffffu);
    FORMATTED("%016llx", 0xabcull);
    FORMATTED("%02d:%02d %03d", 5, 17, -5);
    /* the C library's */
    FORMATTED("%s %.10g %s", word, 0.1, word);
    FORMATTED("%s %c %5u|%-6s|%6s", word, 'x', 12u, word, word);
    FORMATTED("%u %hhu %hu %i %X %o", 1u, (unsigned char)200, (unsigned short)60000, -3, 255u, 8u);
    FORMATTED("%s %.4u %+d %#x", word, 7u, 7, 7u);
    FORMATTED("%zd %025u", (ssize_t)-1, 1u);
}
END_TEST

START_TEST(joined_strings_are_cut_and_terminated)
{
    char out[6];
    ck_assert_str_eq(text_join(out, sizeof out, "12", "", "345", NULL), "12345");
    ck_assert_str_eq(text_join(out, sizeof out, "12", "3456", "7", NULL), "12345");
    ck_assert_str_eq(text_join(out, 1, "12", NULL), "");
    ck_assert_str_eq(text_join(out, sizeof out, NULL), "");
}
END_TEST

START_TEST(copies_are_cut_and_terminated)
{
    char out[6];
    ck_assert_str_eq(text_copy(out, sizeof out, TEXT("123456789")), "12345");
    ck_assert_str_eq(text_copy(out, sizeof out, TEXT("123\xe2\x82\xac")),
                     "123"); /* no half character */
    ck_assert_str_eq(text_copy(out, sizeof out, (struct text){NULL, 0}), "");
}
END_TEST

static const struct time_row {
    int64_t ns;
    const char *text;
} times[] = {
    {0,                   "1970-01-01T00:00:00.000000Z"},
    {1445412480123456789, "2015-10-21T07:28:00.123456Z"},
    {-1000,               "1969-12-31T23:59:59.999999Z"},
    {951782400000000000,  "2000-02-29T00:00:00.000000Z"},
};
enum { TIMES = sizeof times / sizeof *times };

START_TEST(times_are_rfc3339)
{
    char out[TIME_TEXT_SIZE];
    ck_assert_str_eq(time_print(out, times[_i].ns), times[_i].text);
    int64_t back;
    ck_assert(time_parse(&back, out));
    ck_assert_int_eq(back / 1000, times[_i].ns / 1000);
    /* nanoseconds in 64 bits reach from 1678 to 2261 */
    ck_assert(time_parse(&back, "2261-12-31T00:00:00Z"));
    ck_assert(!time_parse(&back, "2263-01-01T00:00:00Z"));
    ck_assert(!time_parse(&back, "0026-01-31T08:00:00Z"));
}
END_TEST

/* Every day that nanoseconds in 64 bits reach, against the C library's calendar. */
START_TEST(dates_are_those_of_the_calendar)
{
    for (int64_t day = -106751; day <= 106751; day++) {
        const time_t noon = (time_t)(day * 86400 + 43200);
        char out[TIME_TEXT_SIZE], expected[TIME_TEXT_SIZE];
        struct tm tm;
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000000Z", gmtime_r(&noon, &tm));
        if (strcmp(time_print(out, (int64_t)noon * 1000000000), expected) != 0)
            ck_abort_msg("%s is printed as %s", expected, out);
    }
}
END_TEST

START_TEST(a_full_json_buffer_is_marked)
{
    char small[12];
    struct json_writer w;
    json_begin(&w, small, sizeof small);
    json_object_begin(&w, NULL);
    json_string_of(&w, "name", "too long for this");
    json_object_end(&w);
    ck_assert(w.is_cut);
    ck_assert_uint_le(json_size(&w), sizeof small);
}
END_TEST

START_TEST(large_and_odd_numbers_are_strings)
{
    char buffer[256];
    struct json_writer w;
    json_begin(&w, buffer, sizeof buffer - 1);
    json_array_begin(&w, NULL);
    json_unsigned(&w, NULL, (uint64_t)1 << 53);
    json_unsigned(&w, NULL, ((uint64_t)1 << 53) + 1);
    json_signed(&w, NULL, INT64_MIN);
    json_double(&w, NULL, 0.5);
    json_double(&w, NULL, 0.0 / 0.0);
    json_double(&w, NULL, -1.0 / 0.0);
    json_array_end(&w);
    *w.at = '\0';
    ck_assert_str_eq(buffer, "[9007199254740992,\"9007199254740993\",\"-9223372036854775808\",0.5,"
                             "\"NaN\",\"-Infinity\"]");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("text");
    TCase *c = tcase_create("text");
    tcase_add_loop_test(c, shown_safely, 0, ROWS);
    tcase_add_loop_test(c, a_byte_that_is_not_plain_is_seen_everywhere, 0, 20);
    tcase_add_test(c, copies_are_cut_and_terminated);
    tcase_add_test(c, joined_strings_are_cut_and_terminated);
    tcase_add_test(c, formatted_as_printf_does);
    tcase_add_loop_test(c, times_are_rfc3339, 0, TIMES);
    tcase_add_test(c, dates_are_those_of_the_calendar);
    tcase_add_test(c, a_full_json_buffer_is_marked);
    tcase_add_test(c, large_and_odd_numbers_are_strings);
    suite_add_tcase(s, c);
    return run_suite(s);
}
