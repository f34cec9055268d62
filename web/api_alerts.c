/* api_alerts.c: alerts: the list, one with its packets, what people did with them, and "this is
 * normal". */
#include "api.h"

#include "alerts/alerts.h"
#include "baseline/baseline.h"
#include "baseline/rows.h"
#include "routes.h"
#include "sensor/base/json_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALERTS_DEFAULT = 100,
    ALERTS_MAX = 500,
    ALERT_ID_SIZE = 65,
    IDS_MAX = 500, /* alerts that are worked on at once */
    NOTE_MAX = 2000,
    PACKETS_MAX = 64,
    HEX_BYTES_MAX = 2048, /* of one packet */
    DAYS_MAX = 3650,
};

/* --- the list --- */

json_t *api_alert_summary(sqlite3_stmt *row)
{
    json_t *json = json_object();
    json_object_set_new(json, "sensor", json_text_of(column_text(row, 0)));
    json_object_set_new(json, "id", json_text_of(column_text(row, 1)));
    json_object_set_new(json, "revision", json_integer(sqlite3_column_int64(row, 2)));
    json_object_set_new(json, "rule", json_text_of(column_text(row, 3)));
    json_object_set_new(json, "rule_name", json_text_of(column_text(row, 13)));
    json_object_set_new(json, "severity", json_integer(sqlite3_column_int64(row, 4)));
    json_object_set_new(json, "first_seen", json_time_of(sqlite3_column_int64(row, 5)));
    json_object_set_new(json, "last_seen", json_time_of(sqlite3_column_int64(row, 6)));
    json_object_set_new(json, "count", json_integer(sqlite3_column_int64(row, 7)));
    json_object_set_new(json, "status", json_text_of(column_text(row, 8)));
    json_object_set_new(json, "protocol", json_text_of(column_text(row, 9)));
    json_object_set_new(json, "source", json_text_of(column_text(row, 10)));
    json_object_set_new(json, "destination", json_text_of(column_text(row, 11)));
    json_object_set_new(json, "message", json_text_of(column_text(row, 12)));
    json_object_set_new(json, "incident", json_text_of(column_text(row, 14)));
    const char *triage = column_text(row, 15);
    json_object_set_new(json, "triage", json_text_of(triage[0] ? triage : "new"));
    json_object_set_new(json, "assignee", json_text_of(column_text(row, 16)));
    return json;
}

/* A time of the query; false: it is none. */
static bool time_parameter(const struct request *r, const char *key, int64_t fallback,
                           int64_t *time_ns)
{
    const char *text = request_text(r, key);
    *time_ns = fallback;
    return text[0] == '\0' || time_parse(time_ns, text);
}

/* Which alerts: all are looked through in the order of the list, in one index that has what is
 * asked of each; those of one host, incident or person are found by an index of their own. */
#define LIST_BEGIN                                                                                 \
    "SELECT " API_ALERT_COLUMNS " FROM alerts a WHERE a.rowid IN (SELECT l.rowid "                 \
    "FROM "
#define LIST_END                                                                                   \
    " WHERE l.severity >= ?3 AND l.last_ns >= ?9 AND l.last_ns <= ?10"                             \
    " AND (?4 = '' OR l.rule = ?4 OR substr(l.rule, 1, length(?4) + 1) = ?4 || '.')"               \
    " AND (?5 = '' OR l.protocol = ?5)"                                                            \
    " AND (?7 = '' OR l.triage = ?7 OR (?7 = 'open' AND l.triage <> 'closed'))"                    \
    " AND (?12 = '' OR instr(lower(l.message), lower(?12)) > 0)"
#define LIST_FEW                                                                                   \
    " AND (?6 = '' OR l.actor = ?6 OR l.target = ?6) AND (?8 = '' OR l.incident = ?8)"             \
    " AND (?11 = '' OR l.assignee = ?11)"
#define LIST_ORDER                                                                                 \
    " ORDER BY l.last_ns DESC, l.id LIMIT ?1 OFFSET ?2) ORDER BY a.last_ns DESC, a.id"
#define LIST_OF(which)                                                                             \
    LIST_BEGIN "(" which                                                                           \
               ") few CROSS JOIN alerts l ON l.rowid = few.rowid" LIST_END LIST_FEW LIST_ORDER

static const char all_sql[] = LIST_BEGIN "alerts l INDEXED BY alerts_list" LIST_END LIST_ORDER;
static const char of_incident_sql[] =
    LIST_OF("SELECT rowid FROM alerts INDEXED BY alerts_of_incident WHERE incident = ?8");
static const char of_host_sql[] =
    LIST_OF("SELECT rowid FROM alerts INDEXED BY alerts_by_actor WHERE actor = ?6 UNION"
            " SELECT rowid FROM alerts INDEXED BY alerts_by_target WHERE target = ?6");
static const char of_assignee_sql[] =
    LIST_OF("SELECT rowid FROM alerts WHERE assignee = ?11 AND assignee <> ''");

static const char *list_sql(const struct request *r)
{
    if (request_text(r, "incident")[0])
        return of_incident_sql;
    if (request_text(r, "host")[0])
        return of_host_sql;
    return request_text(r, "assignee")[0] ? of_assignee_sql : all_sql;
}

/* Newest first: by when an alert grew last. One more than asked for tells whether there are more.
 */
enum MHD_Result api_alerts(struct request *r)
{
    static const char *const texts[] = {"rule", "protocol", "host", "triage", "incident"};
    int64_t limit, skip, severity, from_ns, to_ns;
    if (!request_number(r, "limit", 1, ALERTS_MAX, ALERTS_DEFAULT, &limit) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &skip) ||
        !request_number(r, "severity", 1, 10, 1, &severity))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "limit is 1 to 500, skip 0 or more, severity 1 to 10");
    if (!time_parameter(r, "from", INT64_MIN, &from_ns) ||
        !time_parameter(r, "to", INT64_MAX, &to_ns))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "from and to are times like 2026-01-31T18:00:00Z");
    struct error err = {""};
    sqlite3_stmt *s = store_statement(r->store, list_sql(r), &err);
    if (!s)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    sqlite3_bind_int64(s, 1, limit + 1);
    sqlite3_bind_int64(s, 2, skip);
    sqlite3_bind_int64(s, 3, severity);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        sqlite3_bind_text(s, 4 + (int)i, request_text(r, texts[i]), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 9, from_ns);
    sqlite3_bind_int64(s, 10, to_ns);
    sqlite3_bind_text(s, 11, request_text(r, "assignee"), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 12, request_text(r, "q"), -1, SQLITE_STATIC);
    json_t *list = json_array();
    bool has_more = false;
    while (!has_more && sqlite3_step(s) == SQLITE_ROW) {
        has_more = json_array_size(list) == (size_t)limit;
        if (!has_more)
            json_array_append_new(list, api_alert_summary(s));
    }
    sqlite3_reset(s);
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:b, s:I}", "alerts", list, "has_more", has_more, "total",
                                store_number(r->store, API_ALERTS_TOTAL)));
}

/* --- one alert --- */

struct found {
    char *document; /* for the caller to free; NULL: no such alert */
    char sensor[128], rule[64], actor[64], target[64];
    bool has_story; /* one alert alone makes none */
};

static bool is_id(const char *id)
{
    size_t size = strspn(id, "0123456789abcdef");
    return size > 0 && size < ALERT_ID_SIZE && id[size] == '\0';
}

static bool find_alert(struct request *r, struct found *f, enum MHD_Result *result)
{
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT document, sensor, rule, actor, target, EXISTS (SELECT 1 FROM incidents i WHERE"
        " i.sensor = alerts.sensor AND i.id = alerts.incident) FROM alerts WHERE id = ? LIMIT 1",
        NULL);
    *f = (struct found){.document = NULL};
    if (s && is_id(r->parameter)) {
        sqlite3_bind_text(s, 1, r->parameter, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW) {
            f->document = strdup(column_text(s, 0));
            snprintf(f->sensor, sizeof f->sensor, "%s", column_text(s, 1));
            snprintf(f->rule, sizeof f->rule, "%s", column_text(s, 2));
            snprintf(f->actor, sizeof f->actor, "%s", column_text(s, 3));
            snprintf(f->target, sizeof f->target, "%s", column_text(s, 4));
            f->has_story = sqlite3_column_int(s, 5) != 0;
        }
        sqlite3_reset(s);
    }
    if (!f->document)
        *result = reply_error(r, MHD_HTTP_NOT_FOUND, "no such alert");
    return f->document != NULL;
}

/* What people did with it, oldest first. */
static json_t *history_of(struct request *r)
{
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(r->store,
                                      "SELECT at_ms, by, state, assignee, note FROM web_triage"
                                      " WHERE alert = ? ORDER BY id",
                                      NULL);
    if (!s)
        return list;
    sqlite3_bind_text(s, 1, r->parameter, -1, SQLITE_STATIC);
    while (sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "time",
                                              json_time_of(sqlite3_column_int64(s, 0) * 1000000),
                                              "by", json_text_of(column_text(s, 1)), "state",
                                              json_text_of(column_text(s, 2)), "assignee",
                                              json_text_of(column_text(s, 3)), "note",
                                              json_text_of(column_text(s, 4))));
    sqlite3_reset(s);
    return list;
}

/* The document as outputs get it, and beside it what people did. */
enum MHD_Result api_alert(struct request *r)
{
    struct found f;
    enum MHD_Result result;
    if (!find_alert(r, &f, &result))
        return result;
    json_t *document = json_loads(f.document, JSON_REJECT_DUPLICATES, NULL);
    free(f.document);
    if (!document)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "the stored alert is damaged");
    json_t *history = history_of(r);
    const json_t *last = json_array_get(history, json_array_size(history) - 1);
    const char *state = json_string_value(json_object_get(last, "state"));
    const char *assignee = json_string_value(json_object_get(last, "assignee"));
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:s, s:s, s:o, s:b}", "alert", document, "triage",
                                state ? state : "new", "assignee", assignee ? assignee : "",
                                "history", history, "has_story", f.has_story));
}

/* --- its packets --- */

static bool read_evidence(struct request *r, const struct found *f, char **bytes, size_t *size,
                          enum MHD_Result *result)
{
    struct error err = {""};
    size_t packets = 0;
    *bytes = NULL;
    FILE *file = open_memstream(bytes, size);
    bool ok = file && alerts_evidence_pcap(r->store, f->sensor, r->parameter, file, &packets, &err);
    ok = file && fclose(file) == 0 && ok;
    if (ok && packets > 0)
        return true;
    free(*bytes);
    *bytes = NULL;
    *result = ok ? reply_error(r, MHD_HTTP_NOT_FOUND, "no packets were kept for this alert")
                 : reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    return false;
}

enum MHD_Result api_evidence(struct request *r)
{
    struct found f;
    char *bytes, name[ALERT_ID_SIZE + 32];
    size_t size = 0;
    enum MHD_Result result;
    if (!find_alert(r, &f, &result))
        return result;
    free(f.document);
    if (!read_evidence(r, &f, &bytes, &size, &result))
        return result;
    text_format(name, sizeof name, "sightglass-%s.pcap", r->parameter);
    return reply_file(r, "application/vnd.tcpdump.pcap", name, bytes, size);
}

static json_t *hex_of(const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * HEX_BYTES_MAX + 1];
    size = size < HEX_BYTES_MAX ? size : HEX_BYTES_MAX;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
    return json_string(text);
}

/* The packets of the pcap that alerts_evidence_pcap wrote: nanoseconds, this machine's byte order.
 */
static json_t *packets_of(const char *bytes, size_t size)
{
    enum { FILE_HEADER = 24, RECORD_HEADER = 16 };
    json_t *list = json_array();
    size_t at = FILE_HEADER;
    while (at + RECORD_HEADER <= size && json_array_size(list) < PACKETS_MAX) {
        uint32_t head[4]; /* seconds, nanoseconds, captured, on the wire */
        memcpy(head, bytes + at, sizeof head);
        at += RECORD_HEADER;
        if (head[2] > size - at)
            break;
        int64_t time_ns = (int64_t)head[0] * 1000000000 + head[1];
        json_array_append_new(list, json_pack("{s:o, s:I, s:I, s:o}", "time", json_time_of(time_ns),
                                              "captured", (json_int_t)head[2], "size",
                                              (json_int_t)head[3], "hex",
                                              hex_of((const uint8_t *)bytes + at, head[2])));
        at += head[2];
    }
    return list;
}

enum MHD_Result api_packets(struct request *r)
{
    struct found f;
    char *bytes;
    size_t size = 0;
    enum MHD_Result result;
    if (!find_alert(r, &f, &result))
        return result;
    free(f.document);
    if (!read_evidence(r, &f, &bytes, &size, &result))
        return result;
    json_t *packets = packets_of(bytes, size);
    free(bytes);
    return reply_json(r, MHD_HTTP_OK, json_pack("{s:o}", "packets", packets));
}

/* --- what people do with alerts --- */

struct triage {
    const json_t *ids;
    const char *state, *assignee, *note; /* state, assignee NULL: as they are */
    const char *by;
};

static bool triage_one(struct store *store, const struct triage *t, const char *id,
                       struct error *err)
{
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT INTO alert_triage(sensor, id, state, assignee, note, by, at_ms)"
        " SELECT sensor, id, coalesce(?2, 'new'), coalesce(?3, ''), ?4, ?5, ?6 FROM alerts"
        " WHERE id = ?1 ON CONFLICT(sensor, id) DO UPDATE SET state = coalesce(?2, state),"
        " assignee = coalesce(?3, assignee), note = ?4, by = ?5, at_ms = ?6",
        err);
    if (!s)
        return false;
    int64_t now = now_ms();
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, t->state, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, t->assignee, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, t->note, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 5, t->by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 6, now);
    if (!store_step(store, s, err))
        return false;
    if (sqlite3_changes(store_handle(store)) == 0)
        return error_set(err, "no such alert: %s", id);
    s = store_statement(store,
                        "INSERT INTO web_triage(sensor, alert, at_ms, by, state, assignee, note)"
                        " SELECT sensor, id, at_ms, by, state, assignee, note FROM alert_triage"
                        " WHERE id = ?",
                        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    return store_step(store, s, err);
}

static bool triage_all(struct store *store, void *context, struct error *err)
{
    const struct triage *t = context;
    size_t i;
    json_t *id;
    json_array_foreach(t->ids, i, id)
    {
        const char *text = json_string_value(id);
        if (!text || !is_id(text))
            return error_set(err, "ids are those of alerts");
        if (!triage_one(store, t, text, err))
            return false;
    }
    return true;
}

static bool is_triage(const struct triage *t, const json_t *body)
{
    size_t count = json_array_size(t->ids);
    bool is_state = !t->state || strcmp(t->state, "new") == 0 ||
                    strcmp(t->state, "acknowledged") == 0 || strcmp(t->state, "closed") == 0;
    bool is_text = (!json_object_get(body, "state") || t->state) &&
                   (!json_object_get(body, "assignee") || t->assignee) && t->note;
    return count > 0 && count <= IDS_MAX && is_state && is_text && strlen(t->note) <= NOTE_MAX &&
           (!t->assignee || strlen(t->assignee) < ACCOUNT_NAME_SIZE);
}

enum MHD_Result api_triage(struct request *r)
{
    json_t *body = request_object(r);
    enum MHD_Result result;
    char about[64];
    struct triage t = {json_object_get(body, "ids"), object_text(body, "state", NULL),
                       object_text(body, "assignee", NULL), object_text(body, "note", ""),
                       r->account.name};
    if (!is_triage(&t, body)) {
        result = reply_error(r, MHD_HTTP_BAD_REQUEST,
                             "send ids (1 to 500) with a state (new, acknowledged, closed), an "
                             "assignee, or a note of up to 2000 bytes");
    } else {
        const char *first = json_string_value(json_array_get(t.ids, 0));
        snprintf(about, sizeof about, "%.40s%s", first ? first : "",
                 json_array_size(t.ids) > 1 ? " and more" : "");
        if (request_change(r, triage_all, &t, "alert.triage", about, t.state ? t.state : "",
                           &result))
            result = reply_json(r, MHD_HTTP_OK,
                                json_pack("{s:I}", "changed", (json_int_t)json_array_size(t.ids)));
    }
    json_decref(body);
    return result;
}

/* --- this is normal --- */

struct approval {
    const char *sensor;
    struct baseline_decision decision;
};

static bool approve(struct store *store, void *context, struct error *err)
{
    struct approval *a = context;
    return baseline_decision_add(store, a->sensor, &a->decision, err);
}

/* Of the alert's actor and target, unless the scope is wider. */
static bool fill_decision(struct baseline_decision *d, const struct found *f, const char *scope,
                          struct error *err)
{
    bool is_any_actor = strcmp(scope, "target") == 0, is_any_target = strcmp(scope, "actor") == 0;
    if (!is_any_actor && !is_any_target && strcmp(scope, "pair") != 0)
        return error_set(err, "scope is pair, actor (with any target) or target (by any actor)");
    d->is_approval = true;
    d->has_detection = detection_parse(&d->detection, f->rule);
    d->has_actor = !is_any_actor && f->actor[0] && host_parse(&d->actor, f->actor);
    d->has_target = !is_any_target && f->target[0] && host_parse(&d->target, f->target);
    if (!d->has_detection || (!d->has_actor && !d->has_target))
        return error_set(err, "an alert about no device cannot be approved");
    return true;
}

static enum MHD_Result approve_alert(struct request *r, const json_t *body, const struct found *f)
{
    struct approval a = {.sensor = f->sensor};
    struct error err = {""};
    enum MHD_Result result;
    char what[240];
    const char *why = object_text(body, "why", NULL), *scope = object_text(body, "scope", "pair");
    json_int_t days = json_integer_value(json_object_get(body, "days"));
    if (!why || !why[0] || !scope || days < 0 || days > DAYS_MAX)
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "send why, a scope (pair, actor, target) and days (0: for ever)");
    if (!fill_decision(&a.decision, f, scope, &err))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, err.text);
    snprintf(a.decision.by, sizeof a.decision.by, "%s", r->account.name);
    text_copy(a.decision.why, sizeof a.decision.why, text_of(why));
    if (days > 0)
        a.decision.until_ns = (now_ms() + days * INT64_C(86400000)) * 1000000;
    if (!request_change(r, approve, &a, "baseline.approve", f->rule, why, &result))
        return result;
    baseline_decision_print(&a.decision, what, sizeof what);
    return reply_json(r, MHD_HTTP_OK, json_pack("{s:s}", "decision", what));
}

enum MHD_Result api_approve(struct request *r)
{
    struct found f;
    enum MHD_Result result;
    if (!find_alert(r, &f, &result))
        return result;
    free(f.document);
    json_t *body = request_object(r);
    result = approve_alert(r, body, &f);
    json_decref(body);
    return result;
}
