/* api_stories.c: stories: alerts that belong together, as a list and one with its alerts. */
#include "api.h"

#include "routes.h"
#include "sensor/base/json_writer.h"

#include <string.h>

enum {
    STORIES_DEFAULT = 50,
    STORIES_MAX = 200,
    STORY_ALERTS_MAX = 300,
};

#define STORY_COLUMNS                                                                              \
    "i.sensor, i.id, i.severity, i.first_ns, i.last_ns, i.alerts, i.status, i.title,"              \
    " json_extract(i.document, '$.tactics'), json_extract(i.document, '$.actors'),"                \
    " json_extract(i.document, '$.targets')"

/* An alert of it that nobody has closed. */
#define STORY_IS_OPEN                                                                              \
    "EXISTS (SELECT 1 FROM alerts a INDEXED BY alerts_of_incident WHERE a.sensor = i.sensor AND "  \
    "a.incident = i.id"                                                                            \
    " AND a.triage <> 'closed')"

/* A list inside of a document. */
static json_t *json_list_of(const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    if (json_is_array(list))
        return list;
    json_decref(list);
    return json_array();
}

static json_t *story_of(sqlite3_stmt *row)
{
    return json_pack(
        "{s:o, s:o, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "sensor",
        json_text_of(column_text(row, 0)), "id", json_text_of(column_text(row, 1)), "severity",
        sqlite3_column_int64(row, 2), "first_seen", json_time_of(sqlite3_column_int64(row, 3)),
        "last_seen", json_time_of(sqlite3_column_int64(row, 4)), "alerts",
        sqlite3_column_int64(row, 5), "status", json_text_of(column_text(row, 6)), "title",
        json_text_of(column_text(row, 7)), "tactics", json_list_of(column_text(row, 8)), "actors",
        json_list_of(column_text(row, 9)), "targets", json_list_of(column_text(row, 10)));
}

json_t *api_open_stories(struct store *store, int limit)
{
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT " STORY_COLUMNS " FROM incidents i"
                                      " WHERE " STORY_IS_OPEN " ORDER BY i.last_ns DESC LIMIT ?",
                                      NULL);
    if (s)
        sqlite3_bind_int(s, 1, limit);
    while (s && sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, story_of(s));
    if (s)
        sqlite3_reset(s);
    return list;
}

static bool is_state(const char *state)
{
    return strcmp(state, "open") == 0 || strcmp(state, "all") == 0;
}

/* Newest first. */
enum MHD_Result api_stories(struct request *r)
{
    struct error err = {""};
    int64_t limit, skip, severity;
    const char *state = request_text(r, "state");
    if (!request_number(r, "limit", 1, STORIES_MAX, STORIES_DEFAULT, &limit) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &skip) ||
        !request_number(r, "severity", 1, 10, 1, &severity) || (state[0] && !is_state(state)))
        return reply_error(
            r, MHD_HTTP_BAD_REQUEST,
            "limit is 1 to 200, skip 0 or more, severity 1 to 10, state open or all");
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT " STORY_COLUMNS ", " STORY_IS_OPEN " FROM incidents i WHERE i.severity >= ?3"
        " AND (?4 <> 'open' OR " STORY_IS_OPEN ") AND (?5 = '' OR instr(lower(i.title), lower(?5))"
        " > 0) ORDER BY i.last_ns DESC, i.id LIMIT ?1 OFFSET ?2",
        &err);
    if (!s)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    sqlite3_bind_int64(s, 1, limit + 1);
    sqlite3_bind_int64(s, 2, skip);
    sqlite3_bind_int64(s, 3, severity);
    sqlite3_bind_text(s, 4, state, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 5, request_text(r, "q"), -1, SQLITE_STATIC);
    json_t *list = json_array();
    bool has_more = false;
    while (!has_more && sqlite3_step(s) == SQLITE_ROW) {
        has_more = json_array_size(list) == (size_t)limit;
        if (has_more)
            continue;
        json_t *story = story_of(s);
        json_object_set_new(story, "is_open", json_boolean(sqlite3_column_int(s, 11)));
        json_array_append_new(list, story);
    }
    sqlite3_reset(s);
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:b, s:I}", "stories", list, "has_more", has_more, "total",
                                store_number(r->store, "SELECT count(*) FROM incidents")));
}

/* In order of time; each says which tactics of ATT&CK it shows. */
static json_t *story_alerts(struct request *r, const char *sensor)
{
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT " API_ALERT_COLUMNS ", json_extract(a.document, '$.threat.tactic.name'),"
        " json_extract(a.document, '$.threat.technique.id') FROM alerts a INDEXED BY"
        " alerts_of_incident WHERE a.sensor = ? AND a.incident = ? ORDER BY a.first_ns, a.id LIMIT "
        "?",
        NULL);
    if (!s)
        return list;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, r->parameter, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 3, STORY_ALERTS_MAX);
    while (sqlite3_step(s) == SQLITE_ROW) {
        json_t *alert = api_alert_summary(s);
        json_object_set_new(alert, "tactics", json_list_of(column_text(s, API_ALERT_COLUMN_COUNT)));
        json_object_set_new(alert, "techniques",
                            json_list_of(column_text(s, API_ALERT_COLUMN_COUNT + 1)));
        json_array_append_new(list, alert);
    }
    sqlite3_reset(s);
    return list;
}

enum MHD_Result api_story(struct request *r)
{
    sqlite3_stmt *s =
        store_statement(r->store,
                        "SELECT document, sensor FROM incidents WHERE sensor IN " API_SENSORS(
                            "incidents") " AND id = ? LIMIT 1",
                        NULL);
    json_t *document = NULL;
    char sensor[128] = "";
    if (s) {
        sqlite3_bind_text(s, 1, r->parameter, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW) {
            document = json_loads(column_text(s, 0), JSON_REJECT_DUPLICATES, NULL);
            text_copy(sensor, sizeof sensor, text_of(column_text(s, 1)));
        }
        sqlite3_reset(s);
    }
    if (!document)
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such story");
    return reply_json(
        r, MHD_HTTP_OK,
        json_pack("{s:o, s:o}", "story", document, "alerts", story_alerts(r, sensor)));
}
