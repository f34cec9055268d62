/* alerts_views.c: tables of the alert store for people and for programs. */
#include "alerts_views.h"
#include "lines.h"

#include "baseline/rows.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

enum { TIME_TO_SECONDS = sizeof "2015-10-21T07:28:00" - 1 };

static void print_time(int64_t time_ns)
{
    char time[TIME_TEXT_SIZE];
    time_print(time, time_ns);
    time[TIME_TO_SECONDS] = '\0';
    printf("%sZ", time);
}

static const char *column(sqlite3_stmt *s, int i, char *out, size_t capacity)
{
    return text_copy(out, capacity, text_of((const char *)sqlite3_column_text(s, i)));
}

static bool ended(struct store *store, sqlite3_stmt *s, int code, struct error *err)
{
    sqlite3_reset(s);
    if (code != SQLITE_DONE)
        return error_set(err, "store %s: cannot read: %s", store_path(store),
                         sqlite3_errmsg(store_handle(store)));
    return lines_end(stdout, "the list", err);
}

/* --- incidents --- */

static void print_stages(const char *document)
{
    json_t *incident = json_loads(document, 0, NULL);
    json_t *stages = json_object_get(incident, "stages");
    size_t i;
    json_t *stage;
    json_array_foreach(stages, i, stage)
    {
        char time[64], rule[64], text[600], actor[64];
        text_copy(time, sizeof time,
                  text_of(json_string_value(json_object_get(stage, "first_seen"))));
        text_copy(rule, sizeof rule, text_of(json_string_value(json_object_get(stage, "rule"))));
        text_copy(actor, sizeof actor, text_of(json_string_value(json_object_get(stage, "actor"))));
        text_copy(text, sizeof text, text_of(json_string_value(json_object_get(stage, "text"))));
        char tactic[64];
        text_copy(tactic, sizeof tactic,
                  text_of(json_string_value(json_object_get(stage, "tactic"))));
        /* what has no words of a deed comes with the title of its kind */
        const char *between = isupper((unsigned char)text[0]) ? ": " : " ";
        printf("    %.19sZ %2lld  %-28s %-26s %s%s%s\n", time,
               json_integer_value(json_object_get(stage, "severity")), rule, tactic, actor, between,
               text);
    }
    json_decref(incident);
}

bool view_incidents(struct store *store, int64_t since_ns, bool is_json, struct error *err)
{
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT document, first_ns, severity, alerts, status, title"
                                      " FROM incidents WHERE last_ns >= ?"
                                      " ORDER BY first_ns, sensor, id",
                                      err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, since_ns);
    if (!is_json)
        printf("%-20s %8s %7s  %-8s  %s\n", "first seen", "severity", "alerts", "status",
               "what happened");
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        const char *document = (const char *)sqlite3_column_text(s, 0);
        char status[16], title[2048];
        if (!document)
            continue;
        if (is_json) {
            puts(document);
            continue;
        }
        print_time(sqlite3_column_int64(s, 1));
        printf(" %8d %7lld  %-8s  %s\n", sqlite3_column_int(s, 2),
               (long long)sqlite3_column_int64(s, 3), column(s, 4, status, sizeof status),
               column(s, 5, title, sizeof title));
        print_stages(document);
    }
    return ended(store, s, code, err);
}

/* --- noise --- */

bool view_noise(struct store *store, int64_t since_ns, bool is_json, struct error *err)
{
    static const char *const keys[] = {"days",      "findings",   "alerts",
                                       "revisions", "suppressed", "folded"};
    enum { FIGURES = sizeof keys / sizeof *keys };
    char since[TIME_TEXT_SIZE] = "", rule[64], last[32];
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT rule, count(DISTINCT day), sum(findings), sum(alerts), sum(revisions),"
        " sum(suppressed), sum(folded), max(day) FROM alert_noise WHERE day >= ?"
        " GROUP BY rule ORDER BY sum(alerts) DESC, sum(findings) DESC, rule",
        err);
    if (!s)
        return false;
    if (since_ns != INT64_MIN)
        time_print(since, since_ns)[sizeof "2015-10-21" - 1] = '\0';
    sqlite3_bind_text(s, 1, since, -1, SQLITE_TRANSIENT);
    if (!is_json)
        printf("%-28s %5s %10s %7s %10s %10s %7s %10s  %s\n", "type", "days", "findings", "alerts",
               "alerts/day", "revisions", "folded", "suppressed", "last day");
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        long long n[FIGURES];
        for (int i = 0; i < FIGURES; i++)
            n[i] = sqlite3_column_int64(s, i + 1);
        column(s, 0, rule, sizeof rule);
        column(s, FIGURES + 1, last, sizeof last);
        if (!is_json) {
            printf("%-28s %5lld %10lld %7lld %10.1f %10lld %7lld %10lld  %s\n", rule, n[0], n[1],
                   n[2], (double)n[2] / (double)(n[0] ? n[0] : 1), n[3], n[5], n[4], last);
            continue;
        }
        printf("{\"rule\":\"%s\"", rule);
        for (int i = 0; i < FIGURES; i++)
            printf(",\"%s\":%lld", keys[i], n[i]);
        printf(",\"last_day\":\"%s\"}\n", last);
    }
    return ended(store, s, code, err);
}

/* --- suppressions --- */

static void print_suppression(void *context, const struct suppression *s, uint64_t hits)
{
    const bool *is_json = context;
    char text[256], until[TIME_TEXT_SIZE], made[TIME_TEXT_SIZE];
    if (*is_json) {
        json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "id",
                              (json_int_t)s->id, "rule", s->rule, "actor", s->actor, "target",
                              s->target, "made", time_print(made, s->made_ns), "until",
                              time_print(until, s->until_ns), "by", s->by, "reason", s->reason,
                              "lifted", s->lifted_ns != 0, "hits", (json_int_t)hits);
        if (o)
            json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(o);
        return;
    }
    const char *state = s->lifted_ns                      ? "lifted"
                        : s->until_ns < suppress_now_ns() ? "ended"
                                                          : "in force";
    printf("%4lld  %-8s %10" PRIu64 "  %s (%s: %s)\n", (long long)s->id, state, hits,
           suppression_print(s, text, sizeof text), s->by, s->reason);
}

bool view_suppressions(struct store *store, const char *sensor, bool is_json, struct error *err)
{
    if (!is_json)
        printf("%4s  %-8s %10s  %s\n", "id", "state", "held back", "what, until when (who: why)");
    return suppressions_read(store, sensor, print_suppression, &is_json, err);
}

bool suppress_add(struct store *store, const char *sensor, struct suppression *s, struct error *err)
{
    char text[256], what[300];
    if (!suppression_check(s, err) || !suppression_add(store, sensor, s, err))
        return false;
    text_format(what, sizeof what, "suppressed %s", suppression_print(s, text, sizeof text));
    if (!baseline_audit(store, sensor, s->by, what, s->reason, err))
        return false;
    printf("suppression %lld: %s; lift it with: sightglass alerts lift %lld\n", (long long)s->id,
           text, (long long)s->id);
    return true;
}

bool suppress_lift(struct store *store, const char *sensor, int64_t id, const char *by,
                   const char *why, struct error *err)
{
    char what[64];
    text_format(what, sizeof what, "lifted suppression %lld", (long long)id);
    if (!suppression_lift(store, sensor, id, suppress_now_ns(), err) ||
        !baseline_audit(store, sensor, by, what, why, err))
        return false;
    puts(what);
    return true;
}

bool suppress_for(int64_t *until_ns, const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    int64_t unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;
    if (unit == 0 || end[1] != '\0' || n <= 0 || n > 100000)
        return false;
    *until_ns = suppress_now_ns() + n * unit * SECOND_NS;
    return true;
}

int64_t suppress_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}
