/* json_writer.c: JSON (RFC 8259) into a fixed buffer. */
#include "json_writer.h"

#include "utf8.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* Integers above this are not exact in every JSON reader (RFC 8259 6). */
#define EXACT_MAX ((uint64_t)1 << 53)

void json_begin(struct json_writer *w, char *buffer, size_t capacity)
{
    *w = (struct json_writer){buffer, buffer, buffer + capacity, false, false};
}

static void put(struct json_writer *w, const char *bytes, size_t size)
{
    if (w->is_cut || size > (size_t)(w->end - w->at)) {
        w->is_cut = true;
        return;
    }
    memcpy(w->at, bytes, size);
    w->at += size;
}

static void put_char(struct json_writer *w, char c)
{
    put(w, &c, 1);
}

/* How many bytes from at on are printable ASCII that needs no escape. */
static size_t unescaped_run(const char *at, size_t size)
{
    size_t n = text_plain_run(at, size);
    const char *quote = n ? memchr(at, '"', n) : NULL;
    if (quote)
        n = (size_t)(quote - at);
    const char *backslash = n ? memchr(at, '\\', n) : NULL;
    return backslash ? (size_t)(backslash - at) : n;
}

static void put_escaped(struct json_writer *w, struct text value)
{
    put_char(w, '"');
    for (size_t i = 0; i < value.size;) {
        size_t plain = unescaped_run(value.at + i, value.size - i);
        put(w, value.at + i, plain); /* nearly all */
        if ((i += plain) == value.size)
            break;
        char c = value.at[i];
        if (c == '"' || c == '\\') {
            char escaped[2] = {'\\', c};
            put(w, escaped, 2);
            i++;
            continue;
        }
        size_t n = utf8_sequence(value.at + i, value.size - i);
        if (n > 0) {
            put(w, value.at + i, n);
            i += n;
            continue;
        }
        char escaped[8];
        snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)(uint8_t)c);
        put(w, escaped, 6);
        i++;
    }
    put_char(w, '"');
}

static void start(struct json_writer *w, const char *key)
{
    if (w->needs_comma)
        put_char(w, ',');
    w->needs_comma = true;
    if (key) {
        put_char(w, '"');
        put(w, key, strlen(key)); /* keys are ours: nothing to escape */
        put(w, "\":", 2);
    }
}

void json_object_begin(struct json_writer *w, const char *key)
{
    start(w, key);
    put_char(w, '{');
    w->needs_comma = false;
}

void json_object_end(struct json_writer *w)
{
    put_char(w, '}');
    w->needs_comma = true;
}

void json_array_begin(struct json_writer *w, const char *key)
{
    start(w, key);
    put_char(w, '[');
    w->needs_comma = false;
}

void json_array_end(struct json_writer *w)
{
    put_char(w, ']');
    w->needs_comma = true;
}

void json_text(struct json_writer *w, const char *key, struct text value)
{
    start(w, key);
    put_escaped(w, value);
}

void json_string_of(struct json_writer *w, const char *key, const char *value)
{
    json_text(w, key, text_of(value));
}

static void put_number(struct json_writer *w, const char *key, uint64_t magnitude, bool is_negative)
{
    char text[24];
    char *const end = text + sizeof text;
    char *at = end;
    uint64_t rest = magnitude;
    if (magnitude > EXACT_MAX)
        *--at = '"';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (is_negative)
        *--at = '-';
    if (magnitude > EXACT_MAX)
        *--at = '"';
    start(w, key);
    put(w, at, (size_t)(end - at));
}

void json_unsigned(struct json_writer *w, const char *key, uint64_t value)
{
    put_number(w, key, value, false);
}

void json_signed(struct json_writer *w, const char *key, int64_t value)
{
    put_number(w, key, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void json_double(struct json_writer *w, const char *key, double value)
{
    char digits[40];
    int n;
    if (isnan(value))
        n = snprintf(digits, sizeof digits, "\"NaN\"");
    else if (isinf(value))
        n = snprintf(digits, sizeof digits, value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    else
        n = snprintf(digits, sizeof digits, "%.9g", value);
    start(w, key);
    put(w, digits, (size_t)n);
}

void json_bool(struct json_writer *w, const char *key, bool value)
{
    start(w, key);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

void json_hex(struct json_writer *w, const char *key, const void *bytes, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    start(w, key);
    put_char(w, '"');
    for (size_t i = 0; i < size; i++) {
        char digits[2] = {hex[p[i] >> 4], hex[p[i] & 15]};
        put(w, digits, 2);
    }
    put_char(w, '"');
}

void json_time(struct json_writer *w, const char *key, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    json_string_of(w, key, time_print(text, time_ns));
}

void json_raw(struct json_writer *w, const char *key, struct text value)
{
    start(w, key);
    put(w, value.at, value.size);
}

/* Two digits. Returns the end. */
static char *put_pair(char *out, unsigned value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return out + 2;
}

struct date {
    unsigned year, month, day;
};

/* The Gregorian date `days` after 1970-01-01. Years are counted from 1 March, so that a leap day is
 * the last of its year, in turns of 400 years, all of which are alike. */
static struct date date_of(int64_t days)
{
    enum { TURN = 146097, CENTURY = 36524, FOUR_YEARS = 1461, YEAR = 365, TO_MARCH_0 = 719468 };
    int64_t since = days + TO_MARCH_0; /* positive: 64 bits of nanoseconds begin in 1677 */
    unsigned day = (unsigned)(since % TURN);
    unsigned century = day / CENTURY - day / (TURN - 1); /* the last one is a day longer */
    day -= century * CENTURY;
    unsigned four = day / FOUR_YEARS;
    day -= four * FOUR_YEARS;
    unsigned single = day / YEAR - day / (FOUR_YEARS - 1); /* so is every fourth year */
    day -= single * YEAR;
    unsigned month =
        (5 * day + 2) / 153; /* five months from March, or from August, have 153 days */
    struct date date = {.day = day - (153 * month + 2) / 5 + 1};
    date.month = month < 10 ? month + 3 : month - 9;
    date.year = (unsigned)(since / TURN) * 400 + century * 100 + four * 4 + single + (month >= 10);
    return date;
}

char *time_print(char out[TIME_TEXT_SIZE], int64_t time_ns)
{
    enum { DAY_S = 86400 };
    int64_t seconds = time_ns / 1000000000;
    int64_t rest = time_ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    int64_t days = seconds / DAY_S - (seconds % DAY_S < 0);
    unsigned second = (unsigned)(seconds - days * DAY_S);
    struct date date = date_of(days);
    char *at = put_pair(put_pair(out, date.year / 100), date.year % 100);
    *at++ = '-';
    at = put_pair(at, date.month);
    *at++ = '-';
    at = put_pair(at, date.day);
    *at++ = 'T';
    at = put_pair(at, second / 3600);
    *at++ = ':';
    at = put_pair(at, second / 60 % 60);
    *at++ = ':';
    at = put_pair(at, second % 60);
    *at++ = '.';
    unsigned micros = (unsigned)(rest / 1000);
    at = put_pair(at, micros / 10000);
    at = put_pair(at, micros / 100 % 100);
    at = put_pair(at, micros % 100);
    *at++ = 'Z';
    *at = '\0';
    return out;
}

bool time_parse(int64_t *time_ns, const char *text)
{
    struct tm tm = {0};
    int used = 0;
    if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6 ||
        used == 0)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int64_t fraction = 0;
    const char *p = text + used;
    if (*p == '.') {
        int64_t unit = 100000000;
        for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
            fraction += (*p - '0') * unit;
    }
    if (*p == 'Z')
        p++;
    if (*p != '\0')
        return false;
    const int64_t seconds_max = INT64_MAX / 1000000000 - 1; /* until the year 2262 */
    int64_t seconds = timegm(&tm);
    if (seconds < -seconds_max || seconds > seconds_max)
        return false;
    *time_ns = seconds * 1000000000 + fraction;
    return true;
}
