/* alert_sums.c: see alert_sums.h. */
#include "alert_sums.h"

#include "names.h"
#include "request.h"
#include "sensor/base/finding.h"
#include "sensor/base/json_writer.h"

#include <stdlib.h>
#include <string.h>

enum {
    SEVERITY_MOST = 10,
    HIGH = 7, /* from which on somebody should decide */
    RULES_MAX = 30,
    HOSTS_MAX = 10,
    DAYS_LISTED_MAX = 400,
    DATE_SIZE = 10, /* "2026-01-31" */
};

static const int64_t DAY_NS = 24 * 3600 * INT64_C(1000000000);

struct sum {
    int64_t alerts, open;
    int severity; /* the greatest */
};

struct day {
    int64_t number, alerts, high;
};

struct sums {
    struct sum severities[SEVERITY_MOST + 1];
    struct names *rules, *actors, *targets; /* -> struct sum */
    struct day day;                         /* the one that is added up; alerts 0: none */
    json_t *days;
    bool is_out_of_memory;
};

/* What one alert adds. */
struct one {
    int severity;
    bool is_open;
};

static void sum_add(struct sum *sum, const struct one *alert)
{
    sum->alerts++;
    sum->open += alert->is_open;
    if (alert->severity > sum->severity)
        sum->severity = alert->severity;
}

static void add_to(struct sums *s, struct names *names, const char *name, const struct one *alert)
{
    struct sum *sum = names_add(names, name);
    if (sum)
        sum_add(sum, alert);
    else
        s->is_out_of_memory = true;
}

static void day_end(struct sums *s)
{
    char text[TIME_TEXT_SIZE];
    if (s->day.alerts == 0 || json_array_size(s->days) == DAYS_LISTED_MAX)
        return;
    time_print(text, s->day.number * DAY_NS);
    text[DATE_SIZE] = '\0';
    json_array_append_new(s->days,
                          json_pack("{s:s, s:I, s:I}", "day", text, "alerts",
                                    (json_int_t)s->day.alerts, "high", (json_int_t)s->day.high));
}

/* They come in the order of time. */
static void day_add(struct sums *s, int64_t time_ns, const struct one *alert)
{
    int64_t number = time_ns / DAY_NS;
    if (number != s->day.number) {
        day_end(s);
        s->day = (struct day){.number = number};
    }
    s->day.alerts++;
    s->day.high += alert->severity >= HIGH;
}

static void add_alert(struct sums *s, sqlite3_stmt *row)
{
    struct one alert = {sqlite3_column_int(row, 1), sqlite3_column_int(row, 2) != 0};
    const char *actor = column_text(row, 4), *target = column_text(row, 5);
    day_add(s, sqlite3_column_int64(row, 0), &alert);
    if (alert.severity >= 0 && alert.severity <= SEVERITY_MOST)
        sum_add(&s->severities[alert.severity], &alert);
    add_to(s, s->rules, column_text(row, 3), &alert);
    if (actor[0] != '\0')
        add_to(s, s->actors, actor, &alert);
    if (target[0] != '\0')
        add_to(s, s->targets, target, &alert);
}

static bool read_alerts(struct sums *s, struct store *store, int64_t from_ns, int64_t to_ns)
{
    sqlite3_stmt *row = store_statement(
        store,
        "SELECT first_ns, severity, triage <> 'closed', rule, actor, target FROM alerts"
        " INDEXED BY alerts_by_begin WHERE first_ns >= ?1 AND first_ns < ?2 ORDER BY first_ns",
        NULL);
    if (!row)
        return false;
    sqlite3_bind_int64(row, 1, from_ns);
    sqlite3_bind_int64(row, 2, to_ns);
    while (sqlite3_step(row) == SQLITE_ROW)
        add_alert(s, row);
    sqlite3_reset(row);
    day_end(s);
    return !s->is_out_of_memory;
}

/* --- the lists --- */

struct named_sum {
    const char *name;
    struct sum sum;
};

static int by_alerts(const void *a, const void *b)
{
    const struct named_sum *x = a, *y = b;
    if (x->sum.alerts != y->sum.alerts)
        return x->sum.alerts > y->sum.alerts ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_severity(const void *a, const void *b)
{
    const struct named_sum *x = a, *y = b;
    if (x->sum.severity != y->sum.severity)
        return y->sum.severity - x->sum.severity;
    return by_alerts(a, b);
}

static json_t *rule_of(const struct named_sum *s)
{
    enum detection detection;
    const char *title =
        detection_parse(&detection, s->name) ? detection_kind(detection)->title : s->name;
    return json_pack("{s:o, s:o, s:I, s:I, s:I}", "rule", json_text_of(s->name), "name",
                     json_text_of(title), "alerts", (json_int_t)s->sum.alerts, "severity",
                     (json_int_t)s->sum.severity, "open", (json_int_t)s->sum.open);
}

static json_t *host_of(const struct named_sum *s)
{
    return json_pack("{s:o, s:I, s:I}", "host", json_text_of(s->name), "alerts",
                     (json_int_t)s->sum.alerts, "severity", (json_int_t)s->sum.severity);
}

/* The first `most` of them in this order. */
static json_t *first_of(struct sums *s, const struct names *names, size_t most,
                        int (*order)(const void *a, const void *b),
                        json_t *(*element)(const struct named_sum *s))
{
    json_t *list = json_array();
    size_t count = names_count(names);
    struct named_sum *all = malloc((count + 1) * sizeof *all);
    if (!all) {
        s->is_out_of_memory = true;
        return list;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sum *sum = names_record(names, i);
        all[i] = (struct named_sum){names_text(names, i), *sum};
    }
    qsort(all, count, sizeof *all, order);
    for (size_t i = 0; i < count && i < most; i++)
        json_array_append_new(list, element(&all[i]));
    free(all);
    return list;
}

static json_t *severities_of(const struct sums *s)
{
    json_t *list = json_array();
    for (int i = SEVERITY_MOST; i >= 0; i--)
        if (s->severities[i].alerts > 0)
            json_array_append_new(list, json_pack("{s:i, s:I, s:I}", "severity", i, "alerts",
                                                  (json_int_t)s->severities[i].alerts, "open",
                                                  (json_int_t)s->severities[i].open));
    return list;
}

bool alert_sums_add(json_t *object, struct store *store, int64_t from_ns, int64_t to_ns)
{
    struct sums s = {.rules = names_create(sizeof(struct sum)),
                     .actors = names_create(sizeof(struct sum)),
                     .targets = names_create(sizeof(struct sum)),
                     .days = json_array()};
    bool ok = s.rules && s.actors && s.targets && s.days;
    if (ok) {
        ok = read_alerts(&s, store, from_ns, to_ns);
        json_object_set_new(object, "severities", severities_of(&s));
        json_object_set_new(object, "rules",
                            first_of(&s, s.rules, RULES_MAX, by_severity, rule_of));
        json_object_set_new(object, "actors",
                            first_of(&s, s.actors, HOSTS_MAX, by_alerts, host_of));
        json_object_set_new(object, "targets",
                            first_of(&s, s.targets, HOSTS_MAX, by_alerts, host_of));
        json_object_set(object, "days", s.days);
    }
    names_destroy(s.rules);
    names_destroy(s.actors);
    names_destroy(s.targets);
    json_decref(s.days);
    return ok && !s.is_out_of_memory;
}
