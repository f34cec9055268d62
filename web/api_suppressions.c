/* api_suppressions.c: what people do not want to be told for a while ("muted" on the page): made
 * from an alert, listed, lifted. The sensor takes it over within a second, and tells that it did.
 */
#include "alerts/suppress.h"
#include "api.h"
#include "baseline/baseline.h"
#include "baseline/rows.h"
#include "routes.h"
#include "sensor/base/json_writer.h"

#include <stdlib.h>
#include <string.h>

enum {
    LISTED_MAX = 500,
    SENSOR_SIZE = 128,
    HOURS_MAX = SUPPRESS_DAYS_MAX * 24,
};

static const int64_t HOUR_NS = 3600 * INT64_C(1000000000);

static int64_t now_ns(void)
{
    return now_ms() * 1000000;
}

int64_t api_muted_count(struct store *store)
{
    sqlite3_stmt *s = store_statement(
        store, "SELECT count(*) FROM suppressions WHERE lifted_ns IS NULL AND until_ns > ?", NULL);
    if (!s)
        return 0;
    sqlite3_bind_int64(s, 1, now_ns());
    int64_t count = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return count;
}

/* --- the list --- */

static json_t *suppression_json(sqlite3_stmt *row)
{
    bool is_lifted = sqlite3_column_type(row, 9) != SQLITE_NULL;
    int64_t until_ns = sqlite3_column_int64(row, 5);
    json_t *json =
        json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I}", "sensor",
                  json_text_of(column_text(row, 0)), "id", sqlite3_column_int64(row, 1), "rule",
                  json_text_of(column_text(row, 2)), "actor", json_text_of(column_text(row, 3)),
                  "target", json_text_of(column_text(row, 4)), "until", json_time_of(until_ns),
                  "by", json_text_of(column_text(row, 6)), "why", json_text_of(column_text(row, 7)),
                  "made", json_time_of(sqlite3_column_int64(row, 8)), "state",
                  is_lifted              ? "lifted"
                  : until_ns <= now_ns() ? "ended"
                                         : "in force",
                  "held_back", sqlite3_column_int64(row, 10));
    if (sqlite3_column_type(row, 11) != SQLITE_NULL)
        json_object_set_new(json, "last_seen", json_time_of(sqlite3_column_int64(row, 11)));
    return json;
}

enum MHD_Result api_suppressions(struct request *r)
{
    struct error err = {""};
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT s.sensor, s.id, s.rule, s.actor, s.target, s.until_ns, s.by, s.reason, s.made_ns,"
        " s.lifted_ns, coalesce(h.count, 0), h.last_ns FROM suppressions s"
        " LEFT JOIN suppression_hits h ON h.sensor = s.sensor AND h.id = s.id"
        " ORDER BY s.lifted_ns IS NOT NULL, s.made_ns DESC LIMIT ?",
        &err);
    if (!s)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    sqlite3_bind_int(s, 1, LISTED_MAX);
    json_t *list = json_array();
    while (sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, suppression_json(s));
    sqlite3_reset(s);
    return reply_json(r, MHD_HTTP_OK, json_pack("{s:o}", "suppressions", list));
}

/* --- a new one --- */

struct muting {
    char sensor[SENSOR_SIZE], actor[SUPPRESS_HOST_TEXT],
        target[SUPPRESS_HOST_TEXT]; /* of the alert */
    struct suppression s;
};

static bool add(struct store *store, void *context, struct error *err)
{
    struct muting *m = context;
    char text[256], what[300];
    if (!suppression_check(&m->s, err) || !suppression_add(store, m->sensor, &m->s, err))
        return false;
    text_format(what, sizeof what, "suppressed %s", suppression_print(&m->s, text, sizeof text));
    return baseline_audit(store, m->sensor, m->s.by, what, m->s.reason, err);
}

static bool find_alert(struct request *r, struct muting *m)
{
    sqlite3_stmt *s = store_statement(
        r->store, "SELECT sensor, rule, actor, target FROM alerts WHERE id = ? LIMIT 1", NULL);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, r->parameter, -1, SQLITE_STATIC);
    bool is_found = sqlite3_step(s) == SQLITE_ROW;
    if (is_found) {
        text_copy(m->sensor, sizeof m->sensor, text_of(column_text(s, 0)));
        text_copy(m->s.rule, sizeof m->s.rule, text_of(column_text(s, 1)));
        text_copy(m->actor, sizeof m->actor, text_of(column_text(s, 2)));
        text_copy(m->target, sizeof m->target, text_of(column_text(s, 3)));
    }
    sqlite3_reset(s);
    return is_found;
}

/* The hosts that it is held to; false: no such scope, or the alert has no such host. */
static bool set_scope(struct muting *m, const char *scope)
{
    bool is_pair = strcmp(scope, "pair") == 0;
    bool has_actor = is_pair || strcmp(scope, "actor") == 0;
    bool has_target = is_pair || strcmp(scope, "target") == 0;
    if (!has_actor && !has_target)
        return strcmp(scope, "all") == 0;
    if (has_actor)
        text_copy(m->s.actor, sizeof m->s.actor, text_of(m->actor));
    if (has_target)
        text_copy(m->s.target, sizeof m->s.target, text_of(m->target));
    return m->s.actor[0] || m->s.target[0];
}

static enum MHD_Result mute(struct request *r, const json_t *body, struct muting *m)
{
    enum MHD_Result result;
    char text[256];
    const char *why = object_text(body, "why", NULL), *scope = object_text(body, "scope", "pair");
    const json_t *hours = json_object_get(body, "hours");
    json_int_t count = json_integer_value(hours);
    if (!why || !why[0] || strlen(why) >= SUPPRESS_REASON_TEXT || !json_is_integer(hours) ||
        count < 1 || count > HOURS_MAX)
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "send why (up to 199 bytes), hours (1 to 9600) and a scope (pair, "
                           "actor, target, all)");
    if (!scope || !set_scope(m, scope))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "scope is pair, actor, target or all; without a device: all");
    m->s.made_ns = now_ns();
    m->s.until_ns = m->s.made_ns + count * HOUR_NS;
    text_copy(m->s.by, sizeof m->s.by, text_of(r->account.name));
    text_copy(m->s.reason, sizeof m->s.reason, text_of(why));
    if (!request_change(r, add, m, "alert.mute", m->s.rule, why, &result))
        return result;
    return reply_json(r, MHD_HTTP_CREATED,
                      json_pack("{s:I, s:o}", "id", (json_int_t)m->s.id, "muted",
                                json_text_of(suppression_print(&m->s, text, sizeof text))));
}

enum MHD_Result api_mute(struct request *r)
{
    struct muting m = {.sensor = ""};
    if (!find_alert(r, &m))
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such alert");
    json_t *body = request_object(r);
    enum MHD_Result result = mute(r, body, &m);
    json_decref(body);
    return result;
}

/* --- lifting one --- */

struct lifting {
    char sensor[SENSOR_SIZE];
    int64_t id;
    const char *by;
};

static bool lift(struct store *store, void *context, struct error *err)
{
    const struct lifting *l = context;
    char what[64];
    text_format(what, sizeof what, "lifted suppression %lld", (long long)l->id);
    return suppression_lift(store, l->sensor, l->id, now_ns(), err) &&
           baseline_audit(store, l->sensor, l->by, what, "", err);
}

/* Numbers are given per sensor: the query names it when the store is of several. */
static bool find_sensor(struct request *r, int64_t id, char *sensor)
{
    sqlite3_stmt *s = store_statement(
        r->store, "SELECT sensor FROM suppressions WHERE id = ?1 AND (?2 = '' OR sensor = ?2)",
        NULL);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_text(s, 2, request_text(r, "sensor"), -1, SQLITE_STATIC);
    bool is_found = sqlite3_step(s) == SQLITE_ROW;
    if (is_found)
        text_copy(sensor, SENSOR_SIZE, text_of(column_text(s, 0)));
    bool is_one = is_found && sqlite3_step(s) == SQLITE_DONE;
    sqlite3_reset(s);
    return is_one;
}

enum MHD_Result api_lift(struct request *r)
{
    enum MHD_Result result;
    char *end;
    struct lifting l = {.id = strtoll(r->parameter, &end, 10), .by = r->account.name};
    if (*end != '\0' || l.id <= 0 || !find_sensor(r, l.id, l.sensor))
        return reply_error(r, MHD_HTTP_NOT_FOUND,
                           "no such number (of several sensors one is named: ?sensor=)");
    return request_change(r, lift, &l, "alert.unmute", r->parameter, "", &result)
               ? reply_json(r, MHD_HTTP_OK, json_object())
               : result;
}
