/* api_reports.c: what happened in a span of time, for people who were not there: a summary, and
 * what was done in maintenance windows. The inventory report is the list of assets. */
#include "api.h"

#include "alert_sums.h"
#include "asset_names.h"
#include "routes.h"
#include "sensor/base/json_writer.h"

#include <stdio.h>
#include <string.h>

enum {
    WORKERS_MAX = 10,
    ASSETS_MAX = 100,
    STORIES_MAX = 20,
    ACTIONS_MAX = 5000,
};

static const int64_t WEEK_NS = 7 * 24 * 3600 * INT64_C(1000000000);

struct span {
    int64_t from_ns, to_ns; /* to is the first moment behind it */
};

/* One row as JSON. */
typedef json_t *row_json(sqlite3_stmt *row);

/* ?1 and ?2 of the statement are the span, ?3 the greatest number of rows. */
static json_t *rows_of(struct store *store, const char *sql, const struct span *span, int limit,
                       row_json *element)
{
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(store, sql, NULL);
    if (!s) /* a table that came later than this store */
        return list;
    sqlite3_bind_int64(s, 1, span->from_ns);
    sqlite3_bind_int64(s, 2, span->to_ns);
    sqlite3_bind_int(s, 3, limit);
    while (sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, element(s));
    sqlite3_reset(s);
    return list;
}

static json_t *story_of(sqlite3_stmt *row)
{
    return json_pack(
        "{s:o, s:I, s:I, s:o, s:o}", "id", json_text_of(column_text(row, 0)), "severity",
        sqlite3_column_int64(row, 1), "alerts", sqlite3_column_int64(row, 2), "first_seen",
        json_time_of(sqlite3_column_int64(row, 3)), "title", json_text_of(column_text(row, 4)));
}

static json_t *asset_of(sqlite3_stmt *row)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", json_text_of(column_text(row, 0)), "name",
                     json_text_of(column_text(row, 1)), "class", json_text_of(column_text(row, 2)),
                     "address", json_text_of(column_text(row, 3)), "first_seen",
                     json_time_of(sqlite3_column_int64(row, 4)));
}

static json_t *worker_of(sqlite3_stmt *row)
{
    return json_pack("{s:o, s:I, s:I}", "by", json_text_of(column_text(row, 0)), "acknowledged",
                     sqlite3_column_int64(row, 1), "closed", sqlite3_column_int64(row, 2));
}

static const struct {
    const char *name, *sql;
    int limit;
    row_json *element;
} parts[] = {
    {"stories",
     "SELECT id, severity, alerts, first_ns, title FROM incidents WHERE first_ns >= ?1 AND"
     " first_ns < ?2 ORDER BY severity DESC, first_ns LIMIT ?3", STORIES_MAX, story_of },
    {"new_assets",
     "SELECT a.id, a.name, a.class, coalesce((SELECT value FROM asset_aliases l WHERE l.sensor ="
     " a.sensor AND l.asset = a.id AND l.kind IN ('ip', 'mac') ORDER BY l.kind, l.position LIMIT"
     " 1), ''), a.first_ns FROM assets a WHERE a.first_ns >= ?1 AND a.first_ns < ?2"
     " ORDER BY a.first_ns, a.id LIMIT ?3",                      ASSETS_MAX,  asset_of },
    {"work",
     "SELECT by, sum(state = 'acknowledged'), sum(state = 'closed') FROM web_triage"
     " WHERE at_ms >= ?1 / 1000000 AND at_ms < ?2 / 1000000 GROUP BY by ORDER BY 3 DESC, 1"
     " LIMIT ?3",                                                WORKERS_MAX, worker_of},
};

/* Without: the seven days up to now, or to where the store ends. */
static bool read_span(const struct request *r, struct span *span)
{
    const char *from = request_text(r, "from"), *to = request_text(r, "to");
    if (to[0] == '\0')
        span->to_ns = api_end_ns(r->store);
    else if (!time_parse(&span->to_ns, to))
        return false;
    if (from[0] == '\0')
        span->from_ns = span->to_ns > WEEK_NS ? span->to_ns - WEEK_NS : 0;
    else if (!time_parse(&span->from_ns, from))
        return false;
    return span->from_ns < span->to_ns;
}

static enum MHD_Result reply_no_span(struct request *r)
{
    return reply_error(r, MHD_HTTP_BAD_REQUEST,
                       "from and to are times like 2026-01-31T18:00:00Z, from before to");
}

static int64_t count_in(struct store *store, const char *sql, const struct span *span)
{
    sqlite3_stmt *s = store_statement(store, sql, NULL);
    if (!s)
        return 0;
    sqlite3_bind_int64(s, 1, span->from_ns);
    sqlite3_bind_int64(s, 2, span->to_ns);
    int64_t count = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return count;
}

enum MHD_Result api_report_summary(struct request *r)
{
    struct span span;
    if (!read_span(r, &span))
        return reply_no_span(r);
    json_t *json = json_pack(
        "{s:o, s:o, s:I, s:I}", "from", json_time_of(span.from_ns), "to", json_time_of(span.to_ns),
        "assets", store_number(r->store, "SELECT count(*) FROM assets"), "new_assets_total",
        count_in(r->store, "SELECT count(*) FROM assets WHERE first_ns >= ?1 AND first_ns < ?2",
                 &span));
    if (!json || !alert_sums_add(json, r->store, span.from_ns, span.to_ns)) {
        json_decref(json);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "the alerts cannot be read");
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        json_object_set_new(
            json, parts[i].name,
            rows_of(r->store, parts[i].sql, &span, parts[i].limit, parts[i].element));
    asset_names_set(r, json_object_get(json, "new_assets"), "id");
    return reply_json(r, MHD_HTTP_OK, json);
}

/* --- maintenance windows --- */

static void set_text(json_t *json, const char *key, const char *text)
{
    if (text[0])
        json_object_set_new(json, key, json_text_of(text));
}

static json_t *window_of(sqlite3_stmt *row)
{
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:b, s:[]}", "name", json_text_of(column_text(row, 0)), "start",
                  json_time_of(sqlite3_column_int64(row, 2)), "end",
                  json_time_of(sqlite3_column_int64(row, 3)), "ended",
                  sqlite3_column_int(row, 4) != 0, "actions");
    set_text(json, "ticket", column_text(row, 1));
    return json;
}

static json_t *action_of(sqlite3_stmt *row)
{
    static const char *const names[] = {"actor",  "target",  "rule",  "operation",
                                        "object", "outcome", "sha256"};
    json_t *json = json_pack("{s:I, s:o, s:o}", "count", sqlite3_column_int64(row, 12),
                             "first_seen", json_time_of(sqlite3_column_int64(row, 14)), "last_seen",
                             json_time_of(sqlite3_column_int64(row, 15)));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        set_text(json, names[i], column_text(row, 5 + (int)i));
    if (sqlite3_column_int64(row, 13) > 0)
        json_object_set_new(json, "size", json_integer(sqlite3_column_int64(row, 13)));
    return json;
}

static const char windows_sql[] =
    "SELECT w.name, w.ticket, w.start_ns, w.end_ns, w.has_ended, a.actor, a.target, a.rule,"
    " a.operation, a.object, a.outcome, a.sha256, a.count, a.size, a.first_ns, a.last_ns, w.sensor"
    " FROM maintenance_windows w LEFT JOIN maintenance_actions a ON a.sensor = w.sensor"
    " AND a.name = w.name AND a.start_ns = w.start_ns WHERE w.start_ns < ?2 AND w.end_ns >= ?1"
    " ORDER BY w.start_ns, w.name, w.sensor, a.first_ns, a.target, a.rule, a.actor, a.object"
    " LIMIT ?3";

/* The rows of one window follow each other. */
static json_t *windows_of(struct store *store, const struct span *span)
{
    json_t *list = json_array(), *window = NULL;
    sqlite3_stmt *s = store_statement(store, windows_sql, NULL);
    char name[128] = "", sensor[128] = "";
    int64_t start_ns = 0;
    if (!s)
        return list;
    sqlite3_bind_int64(s, 1, span->from_ns);
    sqlite3_bind_int64(s, 2, span->to_ns);
    sqlite3_bind_int(s, 3, ACTIONS_MAX);
    while (sqlite3_step(s) == SQLITE_ROW) {
        bool is_same = window && start_ns == sqlite3_column_int64(s, 2) &&
                       strcmp(name, column_text(s, 0)) == 0 &&
                       strcmp(sensor, column_text(s, 16)) == 0;
        if (!is_same) {
            window = window_of(s);
            json_array_append_new(list, window);
            start_ns = sqlite3_column_int64(s, 2);
            snprintf(name, sizeof name, "%s", column_text(s, 0));
            snprintf(sensor, sizeof sensor, "%s", column_text(s, 16));
        }
        if (sqlite3_column_type(s, 5) != SQLITE_NULL)
            json_array_append_new(json_object_get(window, "actions"), action_of(s));
    }
    sqlite3_reset(s);
    return list;
}

enum MHD_Result api_report_maintenance(struct request *r)
{
    struct span span;
    if (!read_span(r, &span))
        return reply_no_span(r);
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:o, s:o}", "from", json_time_of(span.from_ns), "to",
                                json_time_of(span.to_ns), "windows", windows_of(r->store, &span)));
}
