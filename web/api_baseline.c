/* api_baseline.c: what is normal in this plant, dimension by dimension, and how far learning has
 * come. */
#include "api.h"

#include "baseline/rows.h"
#include "routes.h"
#include "sensor/base/json_writer.h"

#include <stdio.h>
#include <string.h>

#define PROGRAMS                                                                                   \
    "('program_upload', 'program_modify', 'program_delete', 'program_download',"                   \
    " 'firmware_update', 'mode_change', 'start', 'stop', 'restart', 'force')"

enum { ENTRIES_DEFAULT = 100, ENTRIES_MAX = 500, DETAIL_TEXT = 512 };

const char *api_sensor(const struct request *r)
{
    const char *sensor = request_text(r, "sensor");
    return sensor[0] ? sensor : r->web->config->sensor;
}

json_t *api_entry_id(int64_t id)
{
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
    return json_string(text);
}

bool api_entry_id_parse(int64_t *id, const char *text)
{
    unsigned long long value;
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    sscanf(text, "%16llx", &value);
    *id = (int64_t)value;
    return value != 0;
}

bool api_time(const struct request *r, const char *key, int64_t fallback, int64_t *time_ns)
{
    const char *text = request_text(r, key);
    *time_ns = fallback;
    return text[0] == '\0' || time_parse(time_ns, text);
}

/* --- what each dimension is made of --- */

/* ?1 sensor, ?2 state, ?3 host, ?4 protocol, ?5 first seen from, ?6 words, ?7 limit, ?8 offset.
 * Columns: id, state, first, last, count, actor, target, protocol, known, settled, unit, then those
 * of the kind. */
#define HEAD "SELECT e.id, e.state, e.first_seen, e.last_seen, e.count, "
#define HOSTS                                                                                      \
    "CASE e.side WHEN 0 THEN p.host_a ELSE p.host_b END, CASE e.side WHEN 0 THEN p.host_b"         \
    " ELSE p.host_a END, c.protocol, "
#define NEWEST " ORDER BY 3 DESC, 1 LIMIT ?7 OFFSET ?8"

/* The entries lie as they are shown, newest first. */
#define ENTRIES(table)                                                                             \
    " FROM " table " e CROSS JOIN baseline_conversations c ON c.sensor = e.sensor AND c.id ="      \
    " e.conversation CROSS JOIN baseline_pairs p ON p.sensor = c.sensor AND p.id = c.pair WHERE"   \
    " e.sensor = ?1 AND (?2 = '' OR e.state = ?2) AND e.first_seen >= ?5 AND (?3 = '' OR"          \
    " e.conversation IN (" API_HOST_CONVERSATIONS("?3") ")) AND (?4 = '' OR c.protocol = ?4) AND "
#define HAS_WORDS(of) "(?6 = '' OR instr(lower(" of "), lower(?6)) > 0)"

#define OPERATION "c.operations_known, c.operations_settled, e.unit, e.operation, e.name, e.code"
#define PLACE                                                                                      \
    "c.objects_known, c.objects_settled, e.unit, e.is_write, e.area, e.has_number, e.number, "
#define PLACE_WORDS HAS_WORDS("e.name || ' ' || e.area || ' ' || e.unit")

static const char conversations_sql[] =
    "SELECT c.id, c.state, c.first_seen, c.last_seen, c.count, CASE c.client WHEN 0 THEN p.host_a"
    " ELSE p.host_b END, CASE c.client WHEN 0 THEN p.host_b ELSE p.host_a END, c.protocol,"
    " min(c.operations_known, c.objects_known), c.operations_settled AND c.objects_settled, '',"
    " c.operations_draws, c.operations_singles, c.operations_observed, c.operations_quiet,"
    " c.operations_longest_gap, c.objects_draws, c.objects_singles, c.objects_observed,"
    " c.objects_quiet, c.objects_longest_gap, c.writes_max FROM baseline_conversations c"
    " CROSS JOIN baseline_pairs p ON p.sensor = c.sensor AND p.id = c.pair WHERE c.sensor = ?1"
    " AND (?2 = '' OR c.state = ?2) AND (?3 = '' OR p.host_a = ?3 OR p.host_b = ?3)"
    " AND (?4 = '' OR c.protocol = ?4) AND c.first_seen >= ?5"
    " AND (?6 = '' OR instr(lower(p.host_a || ' ' || p.host_b || ' ' || c.protocol), lower(?6)) > "
    "0)" NEWEST;

static const char operations_sql[] = HEAD HOSTS OPERATION ENTRIES("baseline_operations")
    HAS_WORDS("e.name || ' ' || e.operation || ' ' || e.unit") NEWEST;

/* Those that change something have an index of their own. */
static const char programs_sql[] = HEAD HOSTS OPERATION
    " FROM baseline_operations e INDEXED BY baseline_operations_changing CROSS JOIN"
    " baseline_conversations c ON c.sensor = e.sensor AND c.id = e.conversation CROSS JOIN"
    " baseline_pairs p ON p.sensor = c.sensor AND p.id = c.pair WHERE e.sensor = ?1"
    " AND " BASELINE_CHANGING " AND e.operation IN " PROGRAMS
    " AND (?2 = '' OR e.state = ?2) AND (?3 = '' OR p.host_a = ?3 OR p.host_b = ?3)"
    " AND (?4 = '' OR c.protocol = ?4) AND e.first_seen >= ?5 AND " HAS_WORDS(
        "e.name || ' ' || e.operation || ' ' || e.unit") NEWEST;

static const char objects_sql[] =
    HEAD HOSTS PLACE "e.ranges" ENTRIES("baseline_ranges") "e.ranges <> '' AND " HAS_WORDS(
        "e.area || ' ' || e.unit") " UNION ALL " HEAD HOSTS PLACE "e.name" ENTRIES("baseline_tags")
        PLACE_WORDS NEWEST;

static const char values_sql[] =
    HEAD HOSTS PLACE "e.name, e.address, e.is_bit, e.bit, e.low, e.high, e.states, e.observations,"
                     " NULL, 0, 0" ENTRIES("baseline_points") PLACE_WORDS
    " UNION ALL " HEAD HOSTS PLACE "e.name, e.address, 0, 0, 0, 0, '', 0, e.variables, e.page,"
    " e.size" ENTRIES("baseline_polled") PLACE_WORDS NEWEST;

static const char timing_sql[] = HEAD HOSTS PLACE
    "e.name, e.address, e.size, e.period_low, e.period_high, e.periods" ENTRIES("baseline_blocks")
        PLACE_WORDS NEWEST;

enum { OWN_COLUMN = 11 }; /* the first of the kind */

/* --- a row in words --- */

static void text_add(char *out, size_t capacity, const char *more)
{
    size_t used = strlen(out);
    text_format(out + used, capacity - used, "%s", more);
}

void api_place_print(sqlite3_stmt *s, int area, const char *name, char *out, size_t capacity)
{
    char number[16] = "";
    if (sqlite3_column_int(s, area + 1))
        snprintf(number, sizeof number, " %u", (unsigned)sqlite3_column_int64(s, area + 2));
    text_format(out, capacity, "%s%s%s%s", column_text(s, area), number, *name ? " " : "", name);
}

void api_point_print(sqlite3_stmt *s, int area, char *out, size_t capacity)
{
    char address[32];
    const char *name = column_text(s, area + 3);
    snprintf(address, sizeof address, "%llu",
             (unsigned long long)sqlite3_column_int64(s, area + 4));
    api_place_print(s, area, *name ? name : address, out, capacity);
    if (sqlite3_column_int(s, area + 5)) {
        snprintf(address, sizeof address, ".%d", sqlite3_column_int(s, area + 6));
        text_add(out, capacity, address);
    }
}

void api_states_print(const char *states, double low, double high, int64_t observations, char *out,
                      size_t capacity)
{
    out[0] = '\0';
    if (observations == 0) {
        text_format(out, capacity, "not learned");
    } else if (strcmp(states, "many") == 0 || !strchr(states, '*')) {
        text_format(out, capacity, "%.10g to %.10g", low, high);
    } else {
        for (const char *at = states; *at;) {
            size_t size = strcspn(at, "*");
            size_t used = strlen(out);
            text_format(out + used, capacity - used, "%s%.*s", used ? ", " : "", (int)size, at);
            at += strcspn(at, " ");
            at += strspn(at, " ");
        }
    }
}

static void print_block(sqlite3_stmt *s, uint32_t size, char *out, size_t capacity)
{
    char where[48];
    const char *name = column_text(s, OWN_COLUMN + 4);
    snprintf(where, sizeof where, "%llu+%u",
             (unsigned long long)sqlite3_column_int64(s, OWN_COLUMN + 5), size);
    api_place_print(s, OWN_COLUMN + 1, *name ? name : where, out, capacity);
}

/* The polled variables of a page that have shown what they do. */
static void print_variables(sqlite3_stmt *s, char *out, size_t capacity)
{
    struct page_facts f = {0};
    uint32_t page = (uint32_t)sqlite3_column_int64(s, OWN_COLUMN + 13);
    baseline_variables_parse(&f, column_text(s, OWN_COLUMN + 12));
    out[0] = '\0';
    for (uint32_t i = 0; i < PAGE_VARIABLES; i++) {
        char normal[VARIABLE_TEXT];
        size_t used = strlen(out);
        if (variable_is_judged(&f.variables[i]))
            text_format(out + used, capacity - used, "%svalue %u: %s", used ? "; " : "",
                        page * PAGE_VARIABLES + i + 1,
                        variable_print(&f.variables[i], normal, sizeof normal));
    }
    if (!out[0])
        text_format(out, capacity, "no value has shown its range yet");
}

static void tell_conversation(const struct request *r, sqlite3_stmt *s, json_t *json)
{
    static const char *const names[] = {"operations", "objects"};
    int64_t minimum_ns = (int64_t)r->web->config->settle_minutes * 60 * 1000000000;
    char normal[64];
    for (int i = 0; i < 2; i++) {
        int at = OWN_COLUMN + 5 * i;
        struct settle settle = {.draws = (uint32_t)sqlite3_column_int64(s, at),
                                .singles = (uint32_t)sqlite3_column_int64(s, at + 1),
                                .observed_ns = sqlite3_column_int64(s, at + 2),
                                .quiet_ns = sqlite3_column_int64(s, at + 3),
                                .longest_gap_ns = sqlite3_column_int64(s, at + 4)};
        char why[SETTLE_TEXT];
        json_object_set_new(json, names[i],
                            json_text_of(settle_print(&settle, minimum_ns, why, sizeof why)));
    }
    int64_t writes = sqlite3_column_int64(s, OWN_COLUMN + 10);
    snprintf(normal, sizeof normal, "at most %lld write%s in 10 s", (long long)writes,
             writes == 1 ? "" : "s");
    json_object_set_new(json, "what", json_text_of(column_text(s, 7)));
    json_object_set_new(json, "normal", json_string(normal));
}

static void tell_operation(const struct request *r, sqlite3_stmt *s, json_t *json)
{
    (void)r;
    json_object_set_new(json, "access", json_text_of(column_text(s, OWN_COLUMN)));
    json_object_set_new(json, "what", json_text_of(column_text(s, OWN_COLUMN + 1)));
    json_object_set_new(json, "normal", json_text_of(column_text(s, OWN_COLUMN + 2)));
}

static void tell_place(sqlite3_stmt *s, json_t *json, const char *what, const char *normal)
{
    bool is_write = sqlite3_column_int(s, OWN_COLUMN) != 0;
    json_object_set_new(json, "access", json_string(is_write ? "write" : "read"));
    json_object_set_new(json, "what", json_text_of(what));
    json_object_set_new(json, "normal", json_text_of(normal));
}

static void tell_object(const struct request *r, sqlite3_stmt *s, json_t *json)
{
    char what[DETAIL_TEXT];
    (void)r;
    api_place_print(s, OWN_COLUMN + 1, column_text(s, OWN_COLUMN + 4), what, sizeof what);
    tell_place(s, json, what, "");
}

static void tell_value(const struct request *r, sqlite3_stmt *s, json_t *json)
{
    char what[DETAIL_TEXT], normal[DETAIL_TEXT];
    bool is_polled = sqlite3_column_type(s, OWN_COLUMN + 12) != SQLITE_NULL;
    (void)r;
    if (is_polled) {
        print_block(s, (uint32_t)sqlite3_column_int64(s, OWN_COLUMN + 14), what, sizeof what);
        print_variables(s, normal, sizeof normal);
    } else {
        api_point_print(s, OWN_COLUMN + 1, what, sizeof what);
        api_states_print(column_text(s, OWN_COLUMN + 10), sqlite3_column_double(s, OWN_COLUMN + 8),
                         sqlite3_column_double(s, OWN_COLUMN + 9),
                         sqlite3_column_int64(s, OWN_COLUMN + 11), normal, sizeof normal);
    }
    tell_place(s, json, what, normal);
    json_object_set_new(json, "is_variable", json_boolean(!is_polled));
}

static void tell_timing(const struct request *r, sqlite3_stmt *s, json_t *json)
{
    char what[DETAIL_TEXT], normal[64] = "too rare for a period";
    (void)r;
    print_block(s, (uint32_t)sqlite3_column_int64(s, OWN_COLUMN + 6), what, sizeof what);
    if (sqlite3_column_int64(s, OWN_COLUMN + 9) > 0)
        snprintf(normal, sizeof normal, "every %.3g to %.3g s",
                 sqlite3_column_double(s, OWN_COLUMN + 7),
                 sqlite3_column_double(s, OWN_COLUMN + 8));
    tell_place(s, json, what, normal);
}

static const struct dimension {
    const char *name, *sql, *counts;
    void (*tell)(const struct request *r, sqlite3_stmt *s, json_t *json);
} dimensions[] = {
#define COUNTS(from)                                                                               \
    "SELECT sum(state = 'learned'), sum(state = 'pending'), sum(state = 'rejected') FROM " from
#define OF(table) table " WHERE sensor = ?1"

#define EACH(from)                                                                                 \
    "(SELECT coalesce(sum(state = 'learned'), 0) learned, coalesce(sum(state = 'pending'), 0)"     \
    " pending, coalesce(sum(state = 'rejected'), 0) rejected FROM " from ")"
  /* Each by itself: rows of a union are copied one by one. */
#define BOTH(a, b)                                                                                 \
    "SELECT a.learned + b.learned, a.pending + b.pending, a.rejected + b.rejected FROM " EACH(     \
        a) " a, " EACH(b) " b"
    {"conversations", conversations_sql, COUNTS("baseline_conversations WHERE sensor = ?1"),
                          tell_conversation                                                                                           },
    {"operations",    operations_sql,    COUNTS(OF("baseline_operations")),                  tell_operation      },
    {"objects",       objects_sql,
                          BOTH("baseline_ranges WHERE sensor = ?1 AND ranges <> ''",                              OF("baseline_tags")), tell_object},
    {"values",               values_sql,                         BOTH(OF("baseline_points"),                                                   OF("baseline_polled")),                     tell_value},
    {"timing",     timing_sql,                      COUNTS(OF("baseline_blocks")),                                                                 tell_timing                                                  },
    {"programs",    programs_sql,
                          COUNTS("baseline_operations INDEXED BY baseline_operations_changing WHERE sensor = ?1"
            " AND " BASELINE_CHANGING " AND operation IN " PROGRAMS),
                          tell_operation},
};
enum { DIMENSIONS = sizeof dimensions / sizeof *dimensions };

/* --- one dimension --- */

/* What people decided about the row last; "": nothing. */
static json_t *verdict_of(struct request *r, int64_t id)
{
    sqlite3_stmt *s = store_statement(r->store,
                                      "SELECT verdict FROM baseline_decisions WHERE sensor = ? AND"
                                      " entry = ? ORDER BY id DESC LIMIT 1",
                                      NULL);
    json_t *verdict = NULL;
    if (!s)
        return json_string("");
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, id);
    if (sqlite3_step(s) == SQLITE_ROW)
        verdict = json_text_of(column_text(s, 0));
    sqlite3_reset(s);
    return verdict ? verdict : json_string("");
}

static json_t *entry_of(struct request *r, const struct dimension *d, sqlite3_stmt *s)
{
    json_t *json = json_object();
    json_object_set_new(json, "id", api_entry_id(sqlite3_column_int64(s, 0)));
    json_object_set_new(json, "state", json_text_of(column_text(s, 1)));
    json_object_set_new(json, "first_seen", json_time_of(sqlite3_column_int64(s, 2)));
    json_object_set_new(json, "last_seen", json_time_of(sqlite3_column_int64(s, 3)));
    json_object_set_new(json, "count", json_integer(sqlite3_column_int64(s, 4)));
    json_object_set_new(json, "actor", json_text_of(column_text(s, 5)));
    json_object_set_new(json, "target", json_text_of(column_text(s, 6)));
    json_object_set_new(json, "protocol", json_text_of(column_text(s, 7)));
    json_object_set_new(json, "known", json_integer(sqlite3_column_int64(s, 8)));
    json_object_set_new(json, "is_settled", json_boolean(sqlite3_column_int(s, 9)));
    json_object_set_new(json, "unit", json_text_of(column_text(s, 10)));
    json_object_set_new(json, "verdict", verdict_of(r, sqlite3_column_int64(s, 0)));
    d->tell(r, s, json);
    return json;
}

static const struct dimension *dimension_of(const char *name)
{
    for (size_t i = 0; i < DIMENSIONS; i++)
        if (strcmp(dimensions[i].name, name) == 0)
            return &dimensions[i];
    return NULL;
}

/* Newest first. One more than asked for tells whether there are more. */
enum MHD_Result api_baseline_entries(struct request *r)
{
    static const char *const texts[] = {"state", "host", "protocol"};
    int64_t limit, skip, since_ns;
    struct error err = {""};
    const struct dimension *d = dimension_of(r->parameter);
    if (!d)
        return reply_error(r, MHD_HTTP_NOT_FOUND,
                           "dimensions are conversations, operations, objects, values, timing and "
                           "programs");
    if (!request_number(r, "limit", 1, ENTRIES_MAX, ENTRIES_DEFAULT, &limit) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &skip) ||
        !api_time(r, "since", INT64_MIN, &since_ns))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "limit is 1 to 500, skip 0 or more, since a time like "
                           "2026-01-31T18:00:00Z");
    sqlite3_stmt *s = store_statement(r->store, d->sql, &err);
    if (!s)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        sqlite3_bind_text(s, 2 + (int)i, request_text(r, texts[i]), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 5, since_ns);
    sqlite3_bind_text(s, 6, request_text(r, "q"), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 7, limit + 1);
    sqlite3_bind_int64(s, 8, skip);
    json_t *list = json_array();
    bool has_more = false;
    while (!has_more && sqlite3_step(s) == SQLITE_ROW) {
        has_more = json_array_size(list) == (size_t)limit;
        if (!has_more)
            json_array_append_new(list, entry_of(r, d, s));
    }
    sqlite3_reset(s);
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:b}", "entries", list, "has_more", has_more));
}

/* --- all of them --- */

static json_t *counts_of(struct request *r, const struct dimension *d)
{
    int64_t counts[3] = {0};
    sqlite3_stmt *s = store_statement(r->store, d->counts, NULL);
    if (s) {
        sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
        bool is_there = sqlite3_step(s) == SQLITE_ROW;
        for (int i = 0; is_there && i < 3; i++)
            counts[i] = sqlite3_column_int64(s, i);
        sqlite3_reset(s);
    }
    return json_pack("{s:I, s:I, s:I}", "learned", (json_int_t)counts[0], "pending",
                     (json_int_t)counts[1], "rejected", (json_int_t)counts[2]);
}

/* How settled the set of pairs is, in words. */
static json_t *pairs_of(struct request *r)
{
    json_t *json = json_array();
    int64_t minimum_ns = (int64_t)r->web->config->settle_minutes * 60 * 1000000000;
    sqlite3_stmt *s =
        store_statement(r->store,
                        "SELECT draws, singles, observed, quiet, longest_gap, known,"
                        " is_settled FROM baseline_links WHERE sensor = ? ORDER BY id",
                        NULL);
    if (!s)
        return json;
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct settle settle = {.draws = (uint32_t)sqlite3_column_int64(s, 0),
                                .singles = (uint32_t)sqlite3_column_int64(s, 1),
                                .observed_ns = sqlite3_column_int64(s, 2),
                                .quiet_ns = sqlite3_column_int64(s, 3),
                                .longest_gap_ns = sqlite3_column_int64(s, 4)};
        char why[SETTLE_TEXT];
        json_array_append_new(
            json, json_pack("{s:o, s:I, s:b}", "why",
                            json_text_of(settle_print(&settle, minimum_ns, why, sizeof why)),
                            "known", (json_int_t)sqlite3_column_int64(s, 5), "is_settled",
                            sqlite3_column_int(s, 6)));
    }
    sqlite3_reset(s);
    return json;
}

/* Of the learned conversations: how many have settled, and what they know on average. */
static json_t *progress_of(struct request *r)
{
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT count(*), coalesce(sum(operations_settled), 0), coalesce(sum(objects_settled), 0),"
        " coalesce(avg(operations_known), 0), coalesce(avg(objects_known), 0)"
        " FROM baseline_conversations WHERE sensor = ? AND state = 'learned'",
        NULL);
    json_t *json = NULL;
    if (!s)
        return json_object();
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW)
        json = json_pack("{s:I, s:I, s:I, s:I, s:I}", "conversations",
                         (json_int_t)sqlite3_column_int64(s, 0), "operations_settled",
                         (json_int_t)sqlite3_column_int64(s, 1), "objects_settled",
                         (json_int_t)sqlite3_column_int64(s, 2), "operations_known",
                         (json_int_t)sqlite3_column_double(s, 3), "objects_known",
                         (json_int_t)sqlite3_column_double(s, 4));
    sqlite3_reset(s);
    return json ? json : json_object();
}

enum MHD_Result api_baseline(struct request *r)
{
    json_t *counts = json_object();
    for (size_t i = 0; i < DIMENSIONS; i++)
        json_object_set_new(counts, dimensions[i].name, counts_of(r, &dimensions[i]));
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:I, s:o, s:o, s:o}", "sensor", json_text_of(api_sensor(r)),
                                "settle_minutes", (json_int_t)r->web->config->settle_minutes,
                                "dimensions", counts, "pairs", pairs_of(r), "progress",
                                progress_of(r)));
}
