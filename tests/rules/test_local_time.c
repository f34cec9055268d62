/* test_local_time.c: zone files and their rules, against dates that are known. */
#include "rules/local_time.h"
#include "support/runner.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A zone file of version 2 (RFC 8536 3): empty first block, one transition, a footer. */
static size_t make(uint8_t *out, const char *footer)
{
    static const uint8_t header[44] = {'T', 'Z', 'i', 'f', '2'};
    size_t size = 0;
    memcpy(out, header, 44);
    out[39] = 1; /* a type: the first block must have one */
    out[43] = 1; /* a character */
    size += 44 + 6 + 1;
    memset(out + 44, 0, 7);
    memcpy(out + size, header, 44);
    out[size + 35] = 1; /* transitions */
    out[size + 39] = 2; /* types */
    out[size + 43] = 4;
    size += 44;
    static const uint8_t data[] = {0,   0,   0,    0,    0x32, 0x00, 0, 0, /* 1996-08-01 or so */
                                   1,                                      /* type after it */
                                   0,   0,   0,    0,    0,    0,          /* type 0: UTC */
                                   0,   0,   0x0e, 0x10, 0,    0,          /* type 1: +1 h */
                                   'A', 'B', 'C',  0};
    memcpy(out + size, data, sizeof data);
    size += sizeof data;
    out[size++] = '\n';
    memcpy(out + size, footer, strlen(footer));
    size += strlen(footer);
    out[size++] = '\n';
    return size;
}

static int64_t utc(int year, unsigned month, unsigned day, int hour, int minute)
{
    return local_time_days(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

/* POSIX TZ strings (POSIX 8.3, RFC 8536 3.3); dates of changes as they are published. */
static const struct row {
    const char *shows, *footer;
    int year;
    unsigned month, day;
    int hour, minute;
    int32_t offset_s;
} rows[] = {
    {"Central Europe in winter",             "CET-1CEST,M3.5.0,M10.5.0/3",      2026, 1,  15, 12, 0,  3600  },
    {"in summer",                            "CET-1CEST,M3.5.0,M10.5.0/3",      2026, 7,  15, 12, 0,  7200  },
    {"the minute before 2026-03-29 02:00",   "CET-1CEST,M3.5.0,M10.5.0/3",      2026, 3,  29, 0,  59, 3600  },
    {"and after",                            "CET-1CEST,M3.5.0,M10.5.0/3",      2026, 3,  29, 1,  0,  7200  },
    {"the minute before 2026-10-25 03:00",   "CET-1CEST,M3.5.0,M10.5.0/3",      2026, 10, 25, 0,  59, 7200  },
    {"and the hour that comes twice",        "CET-1CEST,M3.5.0,M10.5.0/3",      2026, 10, 25, 1,  0,  3600  },
    {"eastern America, second Sunday",       "EST5EDT,M3.2.0,M11.1.0",          2026, 3,  8,  7,  0,  -14400},
    {"before it",                            "EST5EDT,M3.2.0,M11.1.0",          2026, 3,  8,  6,  59, -18000},
    {"the southern summer spans new year",   "AEST-10AEDT,M10.1.0,M4.1.0/3",    2026, 1,  15, 0,  0,
     39600                                                                                                  },
    {"the southern winter",                  "AEST-10AEDT,M10.1.0,M4.1.0/3",    2026, 7,  15, 0,  0,  36000 },
    {"no summer time, minutes",              "<+0530>-5:30",                    2026, 7,  15, 0,  0,  19800 },
    {"Julian days do not count February 29", "AAA0BBB,J60/0,J300/0",            2028, 3,  1,  0,  0,  3600  },
    {"the day before",                       "AAA0BBB,J60/0,J300/0",            2028, 2,  29, 23, 0,  0     },
    {"days from 0 count February 29",        "AAA0BBB,59/0,300/0",              2028, 2,  29, 0,  0,  3600  },
    {"a negative time (RFC 8536 3.3.1)",     "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, 3,  29, 0,  59,
     -7200                                                                                                  },
    {"after it",                             "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, 3,  29, 1,  0,  -3600 },
    {"a transition of the file",             "",                                2026, 1,  1,  0,  0,  3600  },
    {"before the first transition",          "",                                1990, 1,  1,  0,  0,  0     },
};

START_TEST(offset)
{
    const struct row *r = &rows[_i];
    uint8_t file[512];
    struct error err = {""};
    struct local_time *t = local_time_parse("test", file, make(file, r->footer), &err);
    ck_assert_msg(t != NULL, "%s: %s", r->shows, err.text);
    int64_t time = utc(r->year, r->month, r->day, r->hour, r->minute);
    int64_t local = local_time_of(t, time);
    ck_assert_msg(local - time == r->offset_s, "%s: %lld", r->shows, (long long)(local - time));
    local_time_destroy(t);
}
END_TEST

/* Every prefix is refused, no bit of it may hang or crash. */
START_TEST(damaged)
{
    uint8_t file[512], copy[512];
    size_t size = make(file, "CET-1CEST,M3.5.0,M10.5.0/3");
    for (size_t cut = 0; cut < size; cut++) {
        struct error err = {""};
        ck_assert_msg(!local_time_parse("test", file, cut, &err), "%zu bytes of it", cut);
    }
    for (size_t i = 0; i < 8 * size; i++) {
        memcpy(copy, file, size);
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
        struct local_time *t = local_time_parse("test", copy, size, NULL);
        if (t)
            local_time_of(t, utc(2026, 7, 1, 0, 0));
        local_time_destroy(t);
    }
}
END_TEST

static const char *const faults[] = {"",       "Mars/Olympus", "../etc/passwd", "/etc/passwd",
                                     "+25:61", "+1x",          "Europe/B\nx",   "-99"};

START_TEST(no_zone)
{
    struct error err = {""};
    ck_assert_msg(!local_time_create(faults[_i], &err), "%s", faults[_i]);
    ck_assert(err.text[0]);
}
END_TEST

START_TEST(fixed_zones)
{
    struct error err = {""};
    struct local_time *z = local_time_create("UTC", &err),
                      *east = local_time_create("+05:30", &err);
    ck_assert(z && east);
    ck_assert_int_eq(local_time_of(z, 1000), 1000);
    ck_assert_int_eq(local_time_of(east, 1000), 1000 + 19800);
    ck_assert_int_eq(local_time_to_utc(east, 1000 + 19800), 1000);
    local_time_destroy(z);
    local_time_destroy(east);
}
END_TEST

/* The system's own file for a zone with well-known dates. */
START_TEST(system_zone)
{
    struct error err = {""};
    struct local_time *t = local_time_create("Europe/Berlin", &err);
    if (!t) {
        printf("skipped: %s\n", err.text);
        return;
    }
    ck_assert_int_eq(local_time_of(t, utc(2026, 7, 1, 12, 0)), utc(2026, 7, 1, 14, 0));
    ck_assert_int_eq(local_time_of(t, utc(2050, 12, 1, 12, 0)), utc(2050, 12, 1, 13, 0));
    ck_assert_int_eq(local_time_of(t, utc(1985, 7, 1, 12, 0)), utc(1985, 7, 1, 14, 0));
    ck_assert_int_eq(local_time_to_utc(t, utc(2026, 7, 1, 14, 0)), utc(2026, 7, 1, 12, 0));
    local_time_destroy(t);
}
END_TEST

START_TEST(calendar)
{
    ck_assert_int_eq(local_time_days(1970, 1, 1), 0);
    ck_assert_int_eq(local_time_days(2000, 3, 1), 11017);
    ck_assert_int_eq(local_time_days(1969, 12, 31), -1);
    ck_assert_uint_eq(local_time_weekday(0), 3); /* Thursday */
    ck_assert_uint_eq(local_time_weekday(-1), 2);
    ck_assert_uint_eq(local_time_weekday(local_time_days(2026, 3, 2)), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("local time");
    TCase *tcase = tcase_create("zones");
    tcase_add_loop_test(tcase, offset, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, no_zone, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tcase, damaged);
    tcase_add_test(tcase, fixed_zones);
    tcase_add_test(tcase, system_zone);
    tcase_add_test(tcase, calendar);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
