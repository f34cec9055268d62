/* json_writer.c: JSON (RFC 8259) into a fixed buffer. */
#include "json_writer.h"

#include "utf8.h"

#include <inttypes.h>
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
static size_t plain_run(const char *at, size_t size)
{
    size_t n = 0;
    while (n < size && at[n] >= 0x20 && at[n] < 0x7f && at[n] != '"' && at[n] != '\\')
        n++;
    return n;
}

static void put_escaped(struct json_writer *w, struct text value)
{
    put_char(w, '"');
    for (size_t i = 0; i < value.size;) {
        size_t plain = plain_run(value.at + i, value.size - i);
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

void json_unsigned(struct json_writer *w, const char *key, uint64_t value)
{
    char digits[24];
    int n =
        snprintf(digits, sizeof digits, value > EXACT_MAX ? "\"%" PRIu64 "\"" : "%" PRIu64, value);
    start(w, key);
    put(w, digits, (size_t)n);
}

void json_signed(struct json_writer *w, const char *key, int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[24];
    int n = snprintf(digits, sizeof digits, magnitude > EXACT_MAX ? "\"%" PRId64 "\"" : "%" PRId64,
                     value);
    start(w, key);
    put(w, digits, (size_t)n);
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

char *time_print(char out[TIME_TEXT_SIZE], int64_t time_ns)
{
    int64_t seconds = time_ns / 1000000000;
    int64_t rest = time_ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    int year = tm.tm_year + 1900;
    if (year < 0 || year > 9999) /* RFC 3339 has four digits */
        year = 9999;
    char date[24];
    tm.tm_year = year - 1900;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, TIME_TEXT_SIZE, "%.19s.%06uZ", date, (unsigned)(rest / 1000) % 1000000);
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
