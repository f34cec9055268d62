/* local_time.c: zone files (RFC 8536, TZif version 2 and up) and their footers (POSIX TZ).
 *
 *   | "TZif" 4 | version 1 | reserved 15 | six counts, 4 each | data with 4-byte times |
 *   | the same header again | data with 8-byte times | \n POSIX TZ \n |
 */
#include "rules/local_time.h"

#include "sensor/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"

enum {
    FILE_SIZE_MAX = 65536, /* the largest zone file has 4 KB */
    HEADER_SIZE = 44,
    TRANSITIONS_MAX = 4096,
    TYPES_MAX = 256,
    NAME_SIZE = 64,
    OFFSET_MAX = 26 * 3600, /* RFC 8536 3.2: from -25 to +26 hours */
    DAY_S = 86400,
};

/* A day of the year and a time when the clock is set: POSIX "M3.5.0/2", "J60", "59". */
struct edge {
    char form; /* M, J or 0: counted with leap days from 0 */
    int month, week, day;
    int32_t time_s;
};

struct local_time {
    char zone[NAME_SIZE];
    size_t count; /* of transitions */
    int64_t *at;
    int32_t *offset; /* after each transition */
    int32_t first;   /* before the first */
    /* after the last transition */
    bool has_rule, has_summer;
    int32_t standard, summer;
    struct edge begin, end;
};

/* --- the calendar (proleptic Gregorian) --- */

int64_t local_time_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2; /* years that begin in March: the leap day is the last */
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

unsigned local_time_weekday(int64_t days)
{
    return (unsigned)(((days + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static int64_t floor_days(int64_t seconds)
{
    return (seconds >= 0 ? seconds : seconds - DAY_S + 1) / DAY_S;
}

static int64_t year_of(int64_t seconds)
{
    int64_t days = floor_days(seconds);
    int64_t year = 1970 + days / 366;
    while (local_time_days(year + 1, 1, 1) <= days)
        year++;
    while (local_time_days(year, 1, 1) > days)
        year--;
    return year;
}

/* --- the rule behind the last transition --- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* When the edge comes, in seconds of the clock that is valid before it. */
static int64_t edge_of(const struct edge *e, int64_t year)
{
    if (e->form == 'J') /* 1..365, February 29 is never counted */
        return (local_time_days(year, 1, 1) + e->day - 1 + (is_leap(year) && e->day >= 60)) *
                   DAY_S +
               e->time_s;
    if (e->form != 'M')
        return (local_time_days(year, 1, 1) + e->day) * DAY_S + e->time_s;
    int64_t first = local_time_days(year, (unsigned)e->month, 1);
    int64_t next = e->month == 12 ? local_time_days(year + 1, 1, 1)
                                  : local_time_days(year, (unsigned)e->month + 1, 1);
    unsigned sunday_first = (local_time_weekday(first) + 1) % 7; /* POSIX: Sunday is 0 */
    int64_t day = first + ((unsigned)e->day + 7 - sunday_first) % 7 + (e->week - 1) * 7;
    while (day >= next) /* week 5 is the last one */
        day -= 7;
    return day * DAY_S + e->time_s;
}

static int32_t rule_offset(const struct local_time *t, int64_t utc_s)
{
    if (!t->has_summer)
        return t->standard;
    int64_t year = year_of(utc_s + t->standard);
    int64_t begin = edge_of(&t->begin, year) - t->standard;
    int64_t end = edge_of(&t->end, year) - t->summer;
    bool is_summer = begin < end ? utc_s >= begin && utc_s < end : !(utc_s >= end && utc_s < begin);
    return is_summer ? t->summer : t->standard;
}

static bool take_number(const char **at, int64_t max, int64_t *number)
{
    if (**at < '0' || **at > '9')
        return false;
    *number = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        *number = *number * 10 + (**at - '0');
        if (*number > max)
            return false;
    }
    return true;
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_time(const char **at, int32_t *seconds)
{
    int64_t part, sum = 0;
    int sign = **at == '-' ? -1 : 1;
    if (**at == '-' || **at == '+')
        (*at)++;
    if (!take_number(at, 167, &part)) /* RFC 8536 3.3.1: a week */
        return false;
    sum = part * 3600;
    for (int unit = 60; unit >= 1 && **at == ':'; unit /= 60) {
        (*at)++;
        if (!take_number(at, 59, &part))
            return false;
        sum += part * unit;
    }
    *seconds = (int32_t)(sign * sum);
    return true;
}

static bool take_name(const char **at)
{
    const char *start = *at;
    if (**at == '<') {
        *at += strcspn(*at, ">");
        return *(*at)++ == '>';
    }
    while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z'))
        (*at)++;
    return *at > start;
}

static bool take_edge(const char **at, struct edge *e)
{
    int64_t month = 0, week = 0, day = 0;
    if (*(*at)++ != ',')
        return false;
    e->form = **at == 'M' || **at == 'J' ? *(*at)++ : '0';
    if (e->form == 'M') {
        if (!take_number(at, 12, &month) || *(*at)++ != '.' || !take_number(at, 5, &week) ||
            *(*at)++ != '.' || !take_number(at, 6, &day) || month == 0 || week == 0)
            return false;
    } else if (!take_number(at, 365, &day) || (e->form == 'J' && day == 0)) {
        return false;
    }
    e->month = (int)month;
    e->week = (int)week;
    e->day = (int)day;
    e->time_s = 2 * 3600;
    if (**at != '/')
        return true;
    (*at)++;
    return take_time(at, &e->time_s);
}

/* "CET-1CEST,M3.5.0,M10.5.0/3" */
static bool parse_rule(struct local_time *t, const char *at)
{
    int32_t west;
    if (!take_name(&at) || !take_time(&at, &west))
        return false;
    t->standard = -west;
    t->has_rule = true;
    if (*at == '\0')
        return true;
    if (!take_name(&at))
        return false;
    t->has_summer = true;
    t->summer = t->standard + 3600;
    if (*at != ',') {
        if (!take_time(&at, &west))
            return false;
        t->summer = -west;
    }
    return take_edge(&at, &t->begin) && take_edge(&at, &t->end) && *at == '\0';
}

/* --- the file --- */

struct counts {
    uint32_t is_ut, is_standard, leap, time, type, text;
};

static uint64_t number_at(const uint8_t *at, size_t size)
{
    uint64_t n = 0;
    for (size_t i = 0; i < size; i++)
        n = n << 8 | at[i];
    return n;
}

static bool read_header(const uint8_t *at, size_t size, struct counts *c)
{
    if (size < HEADER_SIZE || memcmp(at, "TZif", 4) != 0)
        return false;
    uint32_t *const to[] = {&c->is_ut, &c->is_standard, &c->leap, &c->time, &c->type, &c->text};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        *to[i] = (uint32_t)number_at(at + 20 + 4 * i, 4);
        if (*to[i] > TRANSITIONS_MAX)
            return false;
    }
    return c->type >= 1 && c->type <= TYPES_MAX;
}

static size_t data_size(const struct counts *c, size_t time_size)
{
    return c->time * time_size + c->time + c->type * (size_t)6 + c->text +
           c->leap * (time_size + 4) + c->is_standard + c->is_ut;
}

static bool read_data(struct local_time *t, const uint8_t *at, const struct counts *c)
{
    const uint8_t *types = at + c->time * (size_t)8, *records = types + c->time;
    t->at = calloc(c->time + 1, sizeof *t->at);
    t->offset = calloc(c->time + 1, sizeof *t->offset);
    if (!t->at || !t->offset)
        return false;
    t->first = (int32_t)number_at(records, 4);
    if (t->first < -OFFSET_MAX || t->first > OFFSET_MAX)
        return false;
    for (t->count = 0; t->count < c->time; t->count++) {
        size_t i = t->count;
        if (types[i] >= c->type)
            return false;
        t->at[i] = (int64_t)number_at(at + 8 * i, 8);
        t->offset[i] = (int32_t)number_at(records + 6 * (size_t)types[i], 4);
        bool is_ordered = i == 0 || t->at[i] > t->at[i - 1];
        if (!is_ordered || t->offset[i] < -OFFSET_MAX || t->offset[i] > OFFSET_MAX)
            return false;
    }
    return true;
}

static bool read_file(struct local_time *t, const uint8_t *bytes, size_t size)
{
    struct counts c;
    if (!read_header(bytes, size, &c) || bytes[4] < '2')
        return false;
    size_t skip = HEADER_SIZE + data_size(&c, 4);
    if (skip > size || !read_header(bytes + skip, size - skip, &c))
        return false;
    bytes += skip + HEADER_SIZE;
    size -= skip + HEADER_SIZE;
    size_t data = data_size(&c, 8);
    if (data > size || !read_data(t, bytes, &c))
        return false;
    char footer[128] = "";
    size_t left = size - data;
    const uint8_t *end = left > 1 ? memchr(bytes + data + 1, '\n', left - 1) : NULL;
    if (!end || bytes[data] != '\n')
        return false;
    text_copy(footer, sizeof footer,
              (struct text){(const char *)bytes + data + 1, (size_t)(end - bytes) - data - 1});
    return footer[0] == '\0' || parse_rule(t, footer);
}

static struct local_time *create(const char *zone, struct error *err)
{
    struct local_time *t = calloc(1, sizeof *t);
    if (t)
        text_copy(t->zone, sizeof t->zone, text_of(zone));
    else
        error_set(err, "out of memory for the time zone %s", zone);
    return t;
}

struct local_time *local_time_parse(const char *zone, const uint8_t *bytes, size_t size,
                                    struct error *err)
{
    struct local_time *t = create(zone, err);
    if (t && !read_file(t, bytes, size)) {
        error_set(err, "the file of the time zone %s is damaged", zone);
        local_time_destroy(t);
        return NULL;
    }
    return t;
}

static struct local_time *fixed(const char *zone, struct error *err)
{
    struct local_time *t = create(zone, err);
    const char *at = zone;
    if (!t)
        return NULL;
    t->has_rule = true;
    bool is_utc = strcmp(zone, "UTC") == 0 || strcmp(zone, "Z") == 0;
    bool ok = is_utc || (take_time(&at, &t->standard) && *at == '\0' &&
                         t->standard >= -OFFSET_MAX && t->standard <= OFFSET_MAX);
    if (!ok) {
        error_set(err, "%s is no time zone such as Europe/Berlin or +01:00", zone);
        local_time_destroy(t);
        return NULL;
    }
    return t;
}

static bool is_name(const char *zone)
{
    size_t size =
        strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
    return zone[0] && zone[0] != '/' && zone[size] == '\0' && size < NAME_SIZE;
}

struct local_time *local_time_create(const char *zone, struct error *err)
{
    char path[sizeof ZONE_FOLDER + NAME_SIZE];
    if (strcmp(zone, "UTC") == 0 || strcmp(zone, "Z") == 0 || zone[0] == '+' || zone[0] == '-')
        return fixed(zone, err);
    if (!is_name(zone)) {
        error_set(err, "%s is no time zone such as Europe/Berlin or +01:00", zone);
        return NULL;
    }
    text_format(path, sizeof path, ZONE_FOLDER "%s", zone);
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_SIZE_MAX);
    struct local_time *t = NULL;
    if (!file)
        error_set(err, "there is no time zone %s (%s: %s; the package tzdata has them)", zone, path,
                  strerror(errno));
    else if (!bytes)
        error_set(err, "out of memory for the time zone %s", zone);
    else
        t = local_time_parse(zone, bytes, fread(bytes, 1, FILE_SIZE_MAX, file), err);
    free(bytes);
    if (file)
        fclose(file);
    return t;
}

void local_time_destroy(struct local_time *t)
{
    if (!t)
        return;
    free(t->at);
    free(t->offset);
    free(t);
}

const char *local_time_zone(const struct local_time *t)
{
    return t->zone;
}

static int32_t offset_at(const struct local_time *t, int64_t utc_s)
{
    if (t->count == 0 || utc_s >= t->at[t->count - 1])
        return t->has_rule ? rule_offset(t, utc_s) : t->count ? t->offset[t->count - 1] : t->first;
    size_t low = 0, high = t->count; /* the first transition that is later */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->at[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? t->first : t->offset[low - 1];
}

int64_t local_time_of(const struct local_time *t, int64_t utc_s)
{
    return utc_s + offset_at(t, utc_s);
}

int64_t local_time_to_utc(const struct local_time *t, int64_t local_s)
{
    int64_t guess = local_s - offset_at(t, local_s);
    return local_s - offset_at(t, guess);
}
