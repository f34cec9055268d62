/* api_decisions.c: what people decided about the baseline, what changed since a date, and who
 * writes to whom. */
#include "api.h"

#include "asset_names.h"
#include "baseline/rows.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DECISIONS_MAX = 500,
    WRITERS_MAX = 5000,
    PAIRS_DEFAULT = 50,
    PAIRS_MAX = 2000,
    ENTRIES_AT_ONCE = 200,
    WHY_MAX = 160,
    DECISION_DAYS_MAX = 3650,
};

/* --- the list --- */

static json_t *decision_json(sqlite3_stmt *s)
{
    int64_t until_ns = sqlite3_column_int64(s, 2), entry = sqlite3_column_int64(s, 4);
    json_t *json = json_object();
    json_object_set_new(json, "id", json_integer(sqlite3_column_int64(s, 0)));
    json_object_set_new(json, "made", json_time_of(sqlite3_column_int64(s, 1)));
    json_object_set_new(json, "until", until_ns ? json_time_of(until_ns) : json_null());
    json_object_set_new(json, "verdict", json_text_of(column_text(s, 3)));
    json_object_set_new(json, "entry", entry ? api_entry_id(entry) : json_string(""));
    json_object_set_new(json, "detection", json_text_of(column_text(s, 5)));
    json_object_set_new(json, "actor", json_text_of(column_text(s, 6)));
    json_object_set_new(json, "target", json_text_of(column_text(s, 7)));
    json_object_set_new(json, "by", json_text_of(column_text(s, 8)));
    json_object_set_new(json, "why", json_text_of(column_text(s, 9)));
    return json;
}

static json_t *decisions_since(struct request *r, int64_t since_ns)
{
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT id, made, until, verdict, entry, detection, actor, target, by, why FROM"
        " baseline_decisions WHERE sensor = ? AND made >= ? ORDER BY id DESC LIMIT ?",
        NULL);
    if (!s)
        return list;
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, since_ns);
    sqlite3_bind_int(s, 3, DECISIONS_MAX);
    while (sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, decision_json(s));
    sqlite3_reset(s);
    return list;
}

enum MHD_Result api_decisions(struct request *r)
{
    int64_t since_ns;
    if (!api_time(r, "since", INT64_MIN, &since_ns))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "since is a time like 2026-01-31T18:00:00Z");
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o}", "decisions", decisions_since(r, since_ns)));
}

/* --- a new one --- */

struct deciding {
    const char *sensor;
    const json_t *entries; /* NULL: the decision names no entry */
    struct baseline_decision decision;
};

struct wanted_entry {
    const char *text;
    int64_t id;
    bool exists;
};

/* All at once: most tables are not in the order of their ids. */
static bool entries_find(struct store *store, const char *sensor, struct wanted_entry *wanted,
                         size_t count, struct error *err)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(ids, json_integer(wanted[i].id));
    char *list = json_dumps(ids, JSON_COMPACT);
    json_decref(ids);
    sqlite3_stmt *s = store_statement(
        store,
        "WITH wanted(id) AS (SELECT value FROM json_each(?2))"
        " SELECT id FROM baseline_pairs WHERE sensor = ?1 AND id IN wanted"
        " UNION ALL SELECT id FROM baseline_conversations WHERE sensor = ?1 AND id IN wanted"
        " UNION ALL SELECT id FROM baseline_operations WHERE sensor = ?1 AND id IN wanted"
        " UNION ALL SELECT id FROM baseline_ranges WHERE sensor = ?1 AND id IN wanted"
        " UNION ALL SELECT id FROM baseline_tags WHERE sensor = ?1 AND id IN wanted"
        " UNION ALL SELECT id FROM baseline_points WHERE sensor = ?1 AND id IN wanted"
        " UNION ALL SELECT id FROM baseline_blocks WHERE sensor = ?1 AND id IN wanted"
        " UNION ALL SELECT id FROM baseline_polled WHERE sensor = ?1 AND id IN wanted",
        err);
    int code = SQLITE_NOMEM;
    if (s && list) {
        sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, list, -1, SQLITE_STATIC);
        while ((code = sqlite3_step(s)) == SQLITE_ROW)
            for (size_t i = 0; i < count; i++)
                if (wanted[i].id == sqlite3_column_int64(s, 0))
                    wanted[i].exists = true;
        sqlite3_reset(s);
    }
    free(list);
    return s && (code == SQLITE_DONE ||
                 error_set(err, "cannot look for the entries: %s", sqlite3_errstr(code)));
}

static bool decide_each(struct store *store, struct deciding *d, struct error *err)
{
    struct wanted_entry wanted[ENTRIES_AT_ONCE] = {0};
    size_t count = json_array_size(d->entries);
    for (size_t i = 0; i < count; i++) {
        wanted[i].text = json_string_value(json_array_get(d->entries, i));
        if (!wanted[i].text || !api_entry_id_parse(&wanted[i].id, wanted[i].text))
            return error_set(err, "an entry's id has 16 hexadecimal digits");
    }
    if (!entries_find(store, d->sensor, wanted, count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!wanted[i].exists)
            return error_set(err, "there is no entry %s (any more)", wanted[i].text);
        d->decision.entry = (uint64_t)wanted[i].id;
        if (!baseline_decision_add(store, d->sensor, &d->decision, err))
            return false;
    }
    return true;
}

static bool decide(struct store *store, void *context, struct error *err)
{
    struct deciding *d = context;
    return d->entries ? decide_each(store, d, err)
                      : baseline_decision_add(store, d->sensor, &d->decision, err);
}

/* Of a kind of detection by an actor on a target: "" or absent stands for any. */
static bool read_scope(struct baseline_decision *d, const json_t *body, struct error *err)
{
    const char *detection = object_text(body, "detection", ""),
               *actor = object_text(body, "actor", ""), *target = object_text(body, "target", "");
    if (!detection || !actor || !target)
        return error_set(err, "detection, actor and target are texts");
    d->has_detection = detection[0] != '\0';
    d->has_actor = actor[0] != '\0';
    d->has_target = target[0] != '\0';
    if (d->has_detection && !detection_parse(&d->detection, detection))
        return error_set(err, "there is no type of alert %.64s", detection);
    if (d->has_actor && !host_parse(&d->actor, actor))
        return error_set(err, "the actor is neither an IP nor a MAC address");
    if (d->has_target && !host_parse(&d->target, target))
        return error_set(err, "the target is neither an IP nor a MAC address");
    return d->has_actor || d->has_target ||
           error_set(err, "name entries, or an actor or a target: a decision must not allow "
                          "everything to everyone");
}

static bool read_decision(struct deciding *d, const struct request *r, const json_t *body,
                          struct error *err)
{
    const char *verdict = object_text(body, "verdict", ""), *why = object_text(body, "why", "");
    const json_t *days_given = json_object_get(body, "days");
    json_int_t days = json_integer_value(days_given);
    d->entries = json_object_get(body, "entries");
    if (!verdict || (strcmp(verdict, "approve") != 0 && strcmp(verdict, "reject") != 0))
        return error_set(err, "verdict is approve or reject");
    if (!why || !why[0] || strlen(why) >= WHY_MAX)
        return error_set(err, "say why, in up to %d bytes", WHY_MAX - 1);
    if ((days_given && !json_is_integer(days_given)) || days < 0 || days > DECISION_DAYS_MAX)
        return error_set(err, "days is 0 (for ever) to %d", DECISION_DAYS_MAX);
    if (d->entries && days > 0)
        return error_set(err, "a decision about an entry has no end: it becomes part of the "
                              "baseline");
    size_t count = json_array_size(d->entries);
    if (d->entries && (count == 0 || count > ENTRIES_AT_ONCE))
        return error_set(err, "entries is a list of 1 to %d ids", ENTRIES_AT_ONCE);
    d->decision.is_approval = verdict[0] == 'a';
    snprintf(d->decision.by, sizeof d->decision.by, "%s", r->account.name);
    text_copy(d->decision.why, sizeof d->decision.why, text_of(why));
    if (days > 0)
        d->decision.until_ns = (now_ms() + days * INT64_C(86400000)) * 1000000;
    return d->entries || read_scope(&d->decision, body, err);
}

enum MHD_Result api_decide(struct request *r)
{
    struct deciding d = {.sensor = api_sensor(r)};
    struct error err = {""};
    char what[240];
    enum MHD_Result result;
    json_t *body = request_object(r);
    if (!body || !read_decision(&d, r, body, &err)) {
        result = reply_error(r, MHD_HTTP_BAD_REQUEST,
                             body ? err.text
                                  : "send verdict, why, and entries or a detection, "
                                    "actor, target and days");
    } else if (request_change(r, decide, &d,
                              d.decision.is_approval ? "baseline.approve" : "baseline.reject",
                              d.entries ? json_string_value(json_array_get(d.entries, 0))
                                        : object_text(body, "detection", ""),
                              d.decision.why, &result)) {
        baseline_decision_print(&d.decision, what, sizeof what);
        result = reply_json(r, MHD_HTTP_OK,
                            json_pack("{s:I, s:o}", "decided",
                                      (json_int_t)(d.entries ? json_array_size(d.entries) : 1),
                                      "decision", json_text_of(what)));
    }
    json_decref(body);
    return result;
}

/* --- what changed --- */

static int64_t count_since(struct request *r, const char *sql, int64_t since_ns)
{
    sqlite3_stmt *s = store_statement(r->store, sql, NULL);
    if (!s)
        return 0;
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, since_ns);
    int64_t count = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return count;
}

static json_t *audit_since(struct request *r, int64_t since_ns)
{
    json_t *list = json_array();
    sqlite3_stmt *s =
        store_statement(r->store,
                        "SELECT made, by, what, why FROM baseline_audit WHERE sensor = ? AND"
                        " made >= ? ORDER BY id DESC LIMIT ?",
                        NULL);
    if (!s)
        return list;
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, since_ns);
    sqlite3_bind_int(s, 3, DECISIONS_MAX);
    while (sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "time",
                                              json_time_of(sqlite3_column_int64(s, 0)), "by",
                                              json_text_of(column_text(s, 1)), "what",
                                              json_text_of(column_text(s, 2)), "why",
                                              json_text_of(column_text(s, 3))));
    sqlite3_reset(s);
    return list;
}

/* How much is new since then, by dimension, and what people changed. */
enum MHD_Result api_baseline_changes(struct request *r)
{
#define SINCE(table) "SELECT count(*) FROM " table " WHERE sensor = ? AND first_seen >= ?"
    static const struct {
        const char *name, *sql;
    } rows[] = {
        {"conversations", SINCE("baseline_conversations")                                },
        {"operations",    SINCE("baseline_operations")                                   },
        {"objects",
         "SELECT (SELECT count(*) FROM baseline_ranges WHERE sensor = ?1 AND first_seen >= ?2 AND"
         " ranges <> '') + (SELECT count(*) FROM baseline_tags WHERE sensor = ?1 AND"
         " first_seen >= ?2)"                                                            },
        {"values",
         "SELECT (SELECT count(*) FROM baseline_points WHERE sensor = ?1 AND first_seen >= ?2) +"
         " (SELECT count(*) FROM baseline_polled WHERE sensor = ?1 AND first_seen >= ?2)"},
        {"timing",        SINCE("baseline_blocks")                                       },
    };
    int64_t since_ns;
    if (request_text(r, "since")[0] == '\0' || !api_time(r, "since", 0, &since_ns))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "since is a time like 2026-01-31T18:00:00Z");
    json_t *counts = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_object_set_new(counts, rows[i].name,
                            json_integer(count_since(r, rows[i].sql, since_ns)));
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:o, s:o}", "since", json_time_of(since_ns), "new", counts,
                                "changes", audit_since(r, since_ns)));
}

/* --- who writes to whom --- */

/* The asset behind an address of a pair, for links; "": none. */
static json_t *asset_of(struct request *r, const char *host)
{
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT a.id, a.name FROM asset_aliases x INDEXED BY asset_aliases_by_value CROSS JOIN"
        " assets a ON a.sensor = x.sensor AND"
        " a.id = x.asset WHERE x.sensor = ?1 AND x.kind = ?2 AND x.value = ?3"
        " ORDER BY a.last_ns DESC LIMIT 1",
        NULL);
    json_t *json = NULL;
    if (!s)
        return json_object();
    bool is_mac = strlen(host) == 17 && host[2] == ':' && host[5] == ':';
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, is_mac ? "mac" : "ip", -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, host, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW)
        json = json_pack("{s:o, s:o}", "asset", json_text_of(column_text(s, 0)), "name",
                         json_text_of(column_text(s, 1)));
    sqlite3_reset(s);
    return json ? json : json_object();
}

static void note_host(struct request *r, json_t *hosts, const char *host)
{
    if (!json_object_get(hosts, host))
        json_object_set_new(hosts, host, asset_of(r, host));
}

/* ?1 sensor, ?2 how many pairs: those that did most first. The last column: how many there are. */
static const char writers_sql[] =
    "WITH sums AS MATERIALIZED (SELECT conversation, side, operation, state, sum(count) AS count,"
    " min(first_seen) AS first, max(last_seen) AS last FROM baseline_operations"
    " INDEXED BY baseline_operations_changing WHERE sensor = ?1 AND " BASELINE_CHANGING
    " GROUP BY conversation, side, operation, state), pairs AS MATERIALIZED (SELECT c.pair,"
    " s.side, sum(s.count) AS count FROM sums s CROSS JOIN baseline_conversations c ON"
    " c.sensor = ?1 AND c.id = s.conversation GROUP BY c.pair, s.side)"
    " SELECT CASE h.side WHEN 0 THEN p.host_a ELSE p.host_b END AS actor,"
    " CASE h.side WHEN 0 THEN p.host_b ELSE p.host_a END AS target, c.protocol, s.operation,"
    " s.state, sum(s.count), min(s.first), max(s.last), (SELECT count(*) FROM pairs) FROM"
    " (SELECT * FROM pairs ORDER BY count DESC, pair, side LIMIT ?2) h CROSS JOIN baseline_pairs p"
    " ON p.sensor = ?1 AND p.id = h.pair CROSS JOIN baseline_conversations c"
    " INDEXED BY baseline_conversations_by_pair ON c.sensor = ?1 AND c.pair = h.pair JOIN sums s"
    " ON s.conversation = c.id AND s.side = h.side"
    " GROUP BY h.count, h.pair, h.side, c.protocol, s.operation, s.state"
    " ORDER BY h.count DESC, h.pair, h.side, c.protocol, s.operation, s.state";

/* The operations that change something, for each actor and target. */
enum MHD_Result api_writers(struct request *r)
{
    int64_t limit, total = 0;
    struct error err = {""};
    if (!request_number(r, "limit", 1, PAIRS_MAX, PAIRS_DEFAULT, &limit))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "limit is 1 to 2000");
    sqlite3_stmt *s = store_statement(r->store, writers_sql, &err);
    if (!s)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    json_t *list = json_array(), *hosts = json_object();
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, limit);
    while (json_array_size(list) < WRITERS_MAX && sqlite3_step(s) == SQLITE_ROW) {
        enum operation op = OP_UNKNOWN;
        total = sqlite3_column_int64(s, 8);
        if (!operation_parse(&op, column_text(s, 3)) ||
            (!operation_is_change(op) && op != OP_PROGRAM_UPLOAD))
            continue;
        note_host(r, hosts, column_text(s, 0));
        note_host(r, hosts, column_text(s, 1));
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b}",
                                              "actor", json_text_of(column_text(s, 0)), "target",
                                              json_text_of(column_text(s, 1)), "protocol",
                                              json_text_of(column_text(s, 2)), "operation",
                                              json_text_of(column_text(s, 3)), "state",
                                              json_text_of(column_text(s, 4)), "count",
                                              (json_int_t)sqlite3_column_int64(s, 5), "first_seen",
                                              json_time_of(sqlite3_column_int64(s, 6)), "last_seen",
                                              json_time_of(sqlite3_column_int64(s, 7)),
                                              "is_engineering", operation_is_critical(op)));
    }
    sqlite3_reset(s);
    asset_names_set(r, hosts, "asset");
    return reply_json(
        r, MHD_HTTP_OK,
        json_pack("{s:o, s:o, s:I}", "writes", list, "hosts", hosts, "total", (json_int_t)total));
}
