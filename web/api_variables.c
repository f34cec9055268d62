/* api_variables.c: the variables that somebody writes: what is learned of them, and the values that
 * the event history remembers. */
#include "api.h"

#include "baseline/rows.h"
#include "routes.h"
#include "rules/history.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VARIABLES_DEFAULT = 100,
    VARIABLES_MAX = 500,
    VALUES_MAX = 2000,         /* that a chart shows: it has fewer points across */
    HISTORY_ROWS_MAX = 100000, /* looked through for one chart */
    WHAT_TEXT = 256,
};

#define COLUMNS                                                                                    \
    "SELECT e.id, e.state, e.first_seen, e.last_seen, CASE e.side WHEN 0 THEN p.host_a ELSE"       \
    " p.host_b END, CASE e.side WHEN 0 THEN p.host_b ELSE p.host_a END, c.protocol, e.unit,"       \
    " e.area, e.has_number, e.number, e.name, e.address, e.is_bit, e.bit, e.low, e.high, "         \
    "e.states,"                                                                                    \
    " e.observations, e.unit_hash, e.name_hash"
#define WITH_HOSTS                                                                                 \
    " CROSS JOIN baseline_conversations c ON c.sensor = e.sensor AND c.id = e.conversation CROSS " \
    "JOIN"                                                                                         \
    " baseline_pairs p ON p.sensor = c.sensor AND p.id = c.pair WHERE e.sensor = ?1"

/* They lie as they are shown, newest first. */
static const char list_sql[] =
    COLUMNS " FROM baseline_points e" WITH_HOSTS
            " AND (?2 = '' OR e.conversation IN (" API_HOST_CONVERSATIONS(
                "?2") ")) AND (?3 = '' OR c.protocol = ?3)"
                      " AND (?4 = '' OR instr(lower(e.area || ' ' || e.name || ' ' || e.address), "
                      "lower(?4)) > 0)"
                      " ORDER BY e.first_seen DESC, e.id LIMIT ?5 OFFSET ?6";

/* --- what is learned --- */

static json_t *states_of(const char *text)
{
    json_t *list = json_array();
    while (*text) {
        char *end;
        double value = strtod(text, &end);
        if (end == text || *end != '*')
            break;
        json_array_append_new(list, json_pack("{s:f, s:I}", "value", value, "count",
                                              (json_int_t)strtoll(end + 1, &end, 10)));
        text = *end == ' ' ? end + 1 : end;
    }
    return list;
}

static json_t *variable_json(sqlite3_stmt *s)
{
    char what[WHAT_TEXT], normal[WHAT_TEXT];
    int64_t observations = sqlite3_column_int64(s, 18);
    double low = sqlite3_column_double(s, 15), high = sqlite3_column_double(s, 16);
    json_t *json = json_object();
    api_point_print(s, 8, what, sizeof what);
    api_states_print(column_text(s, 17), low, high, observations, normal, sizeof normal);
    json_object_set_new(json, "id", api_entry_id(sqlite3_column_int64(s, 0)));
    json_object_set_new(json, "state", json_text_of(column_text(s, 1)));
    json_object_set_new(json, "first_seen", json_time_of(sqlite3_column_int64(s, 2)));
    json_object_set_new(json, "last_seen", json_time_of(sqlite3_column_int64(s, 3)));
    json_object_set_new(json, "writer", json_text_of(column_text(s, 4)));
    json_object_set_new(json, "target", json_text_of(column_text(s, 5)));
    json_object_set_new(json, "protocol", json_text_of(column_text(s, 6)));
    json_object_set_new(json, "unit", json_text_of(column_text(s, 7)));
    json_object_set_new(json, "what", json_text_of(what));
    json_object_set_new(json, "normal", json_text_of(normal));
    json_object_set_new(json, "low", observations ? json_real(low) : json_null());
    json_object_set_new(json, "high", observations ? json_real(high) : json_null());
    json_object_set_new(json, "states", states_of(column_text(s, 17)));
    json_object_set_new(json, "observations", json_integer(observations));
    return json;
}

/* Newest first. */
enum MHD_Result api_variables(struct request *r)
{
    int64_t limit, skip;
    struct error err = {""};
    if (!request_number(r, "limit", 1, VARIABLES_MAX, VARIABLES_DEFAULT, &limit) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &skip))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "limit is 1 to 500, skip 0 or more");
    sqlite3_stmt *s = store_statement(r->store, list_sql, &err);
    if (!s)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, request_text(r, "host"), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, request_text(r, "protocol"), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, request_text(r, "q"), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 5, limit + 1);
    sqlite3_bind_int64(s, 6, skip);
    json_t *list = json_array();
    bool has_more = false;
    while (!has_more && sqlite3_step(s) == SQLITE_ROW) {
        has_more = json_array_size(list) == (size_t)limit;
        if (!has_more)
            json_array_append_new(list, variable_json(s));
    }
    sqlite3_reset(s);
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:b}", "variables", list, "has_more", has_more));
}

/* --- its values --- */

/* One value stands for all that were the same within ten minutes. */
struct value {
    int64_t time_ns, last_ns;
    uint64_t count;
    double number;
};

/* Which values of which events are those of the variable. */
struct wanted {
    struct host writer, target;
    char protocol[LEARNED_TEXT], area[LEARNED_TEXT];
    bool has_number, is_bit;
    uint32_t number;
    int bit;
    uint64_t unit, name, address;
    struct history_writes writes;
    struct value *values; /* the newest VALUES_MAX, the newest first */
    size_t taken;         /* also those that found no place */
};

static bool is_full(void *context)
{
    const struct wanted *w = context;
    return w->taken > VALUES_MAX;
}

static struct address address_of(const struct host *host)
{
    struct address a = {.kind = host->kind};
    memcpy(a.bytes, host->bytes, sizeof a.bytes);
    return a;
}

static void wanted_read(struct wanted *w, sqlite3_stmt *s)
{
    *w = (struct wanted){.has_number = sqlite3_column_int(s, 9) != 0,
                         .number = (uint32_t)sqlite3_column_int64(s, 10),
                         .address = (uint64_t)sqlite3_column_int64(s, 12),
                         .is_bit = sqlite3_column_int(s, 13) != 0,
                         .bit = sqlite3_column_int(s, 14),
                         .unit = (uint64_t)sqlite3_column_int64(s, 19),
                         .name = (uint64_t)sqlite3_column_int64(s, 20)};
    host_parse(&w->writer, column_text(s, 4));
    host_parse(&w->target, column_text(s, 5));
    text_copy(w->protocol, sizeof w->protocol, text_of(column_text(s, 6)));
    text_copy(w->area, sizeof w->area, text_of(column_text(s, 8)));
    w->writes = (struct history_writes){
        .writer = address_of(&w->writer),
        .target = address_of(&w->target),
        .which = history_which(w->area, w->has_number ? &w->number : NULL, w->name),
        .is_enough = is_full};
    text_copy(w->writes.protocol, sizeof w->writes.protocol, text_of(w->protocol));
}

static uint64_t hash_of(struct text t)
{
    return t.size ? hash_stable(t.at, t.size) : 0;
}

static bool is_between(const struct wanted *w, const struct ot_event *e)
{
    bool is_server = e->direction == OT_ONEWAY && !e->is_from_client;
    struct host client = host_of(&e->flow->client), server = host_of(&e->flow->server);
    return memcmp(is_server ? &server : &client, &w->writer, sizeof client) == 0 &&
           memcmp(is_server ? &client : &server, &w->target, sizeof client) == 0;
}

static bool is_there(const struct wanted *w, const struct ot_item *item)
{
    return strncmp(item->area ? item->area : "", w->area, sizeof w->area - 1) == 0 &&
           item->has_number == w->has_number && (!w->has_number || item->number == w->number) &&
           item->has_bit == w->is_bit && (!w->is_bit || item->bit == w->bit) &&
           hash_of(item->name) == w->name;
}

static void take_value(struct wanted *w, const struct ot_event *e, const struct ot_item *item,
                       uint64_t count, int64_t last_ns)
{
    uint64_t first = item->has_start ? item->start : 0;
    double number;
    if (w->address < first || w->address - first >= item->values.count)
        return;
    struct ot_value value = ot_value_at(&item->values, (uint32_t)(w->address - first));
    if (!ot_value_number(&value, &number) || !isfinite(number))
        return;
    if (w->taken < VALUES_MAX)
        w->values[w->taken] = (struct value){e->time_ns, last_ns, count, number};
    w->taken++;
}

static json_t *values_json(const struct wanted *w)
{
    json_t *list = json_array();
    for (size_t i = w->taken < VALUES_MAX ? w->taken : VALUES_MAX; i > 0; i--) {
        const struct value *v = &w->values[i - 1];
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:f, s:I}", "time", json_time_of(v->time_ns),
                                        "last", json_time_of(v->last_ns), "value", v->number,
                                        "count", (json_int_t)v->count));
    }
    return list;
}

static void on_event(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns)
{
    struct wanted *w = context;
    if (e->direction == OT_RESPONSE || strcmp(e->protocol, w->protocol) != 0 ||
        hash_of(e->unit) != w->unit || !is_between(w, e))
        return;
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        enum operation op = item->operation == OP_UNKNOWN ? e->operation : item->operation;
        if ((op == OP_WRITE || op == OP_CONTROL) && is_there(w, item))
            take_value(w, e, item, count, last_ns);
    }
}

/* The variable; its statement is reset. NULL: answered. */
static json_t *find_variable(struct request *r, struct wanted *w, enum MHD_Result *result)
{
    int64_t id;
    json_t *json = NULL;
    sqlite3_stmt *s = store_statement(
        r->store,
        COLUMNS " FROM baseline_points e INDEXED BY baseline_points_by_id" WITH_HOSTS
                " AND e.id = ?2",
        NULL);
    if (s && api_entry_id_parse(&id, r->parameter)) {
        sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, id);
        if (sqlite3_step(s) == SQLITE_ROW) {
            json = variable_json(s);
            wanted_read(w, s);
        }
        sqlite3_reset(s);
    }
    if (!json)
        *result = reply_error(r, MHD_HTTP_NOT_FOUND, "no such variable");
    return json;
}

enum MHD_Result api_variable(struct request *r)
{
    struct wanted w;
    struct error err = {""};
    struct history_range range = {.rows_max = HISTORY_ROWS_MAX};
    struct history_player player = {&w, on_event, NULL, NULL};
    struct history_span span;
    enum MHD_Result result;
    if (!api_time(r, "from", INT64_MIN, &range.from_ns) ||
        !api_time(r, "to", INT64_MAX, &range.to_ns))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "from and to are times like 2026-01-31T18:00:00Z");
    json_t *json = find_variable(r, &w, &result);
    if (!json)
        return result;
    w.values = calloc(VALUES_MAX, sizeof *w.values);
    if (!w.values)
        error_set(&err, "out of memory");
    if (!w.values ||
        !history_replay_writes(r->store, api_sensor(r), &range, &w.writes, &player, &span, &err)) {
        json_decref(json);
        free(w.values);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    }
    json_t *values = values_json(&w);
    free(w.values);
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:o, s:b, s:o, s:o}", "variable", json, "values", values,
                                "is_cut", span.is_cut || w.taken > VALUES_MAX, "from",
                                span.rows ? json_time_of(span.first_ns) : json_null(), "to",
                                span.rows ? json_time_of(span.last_ns) : json_null()));
}
