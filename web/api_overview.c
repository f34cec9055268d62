/* api_overview.c: what needs a decision now, on one page: open alerts and stories, how many alerts
 * come, what is spoken, whether the sensor sees, and how far it has learned. Learning and the
 * figures are of all sensors of the store together. */
#include "api.h"

#include "routes.h"
#include "sensor/base/counters.h"

#include <string.h>

enum {
    NEWEST_MAX = 8,
    STORIES_MAX = 5,
    RATE_HOURS = 48,
    PROTOCOLS_MAX = 12,
    HIGH = 7, /* severity from which on somebody should decide */
    CRITICAL = 9,
};

static const int64_t HOUR_NS = 3600 * INT64_C(1000000000);

int64_t api_end_ns(struct store *store)
{
    int64_t newest_ns = store_number(store, API_NEWEST_ASSET);
    int64_t now_ns = now_ms() * 1000000;
    bool is_live = now_ns > newest_ns && now_ns - newest_ns < 24 * HOUR_NS;
    return newest_ns == 0 || is_live ? now_ns / HOUR_NS * HOUR_NS + HOUR_NS : newest_ns + 1;
}

/* --- alerts --- */

static json_t *add_alerts(json_t *list, sqlite3_stmt *s)
{
    while (s && sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, api_alert_summary(s));
    if (s)
        sqlite3_reset(s);
    return list;
}

/* Critical ones first: newer ones that are less grave must not push them out. Troubles of the
 * sensor itself have a place of their own. */
static json_t *newest_alerts(struct store *store, json_int_t critical)
{
    static const int between[][2] = {
        {CRITICAL, 10          },
        {HIGH,     CRITICAL - 1},
    };
    json_t *list = json_array();
    for (size_t i = critical > 0 ? 0 : 1; i < 2; i++) {
        sqlite3_stmt *s = store_statement(
            store,
            "SELECT " API_ALERT_COLUMNS " FROM alerts a WHERE a.severity BETWEEN ?1 AND ?2 AND"
            " a.triage <> 'closed' AND a.rule NOT LIKE 'sensor.%' ORDER BY a.last_ns DESC LIMIT ?3",
            NULL);
        if (s) {
            sqlite3_bind_int(s, 1, between[i][0]);
            sqlite3_bind_int(s, 2, between[i][1]);
            sqlite3_bind_int(s, 3, NEWEST_MAX - (int)json_array_size(list));
        }
        add_alerts(list, s);
    }
    return list;
}

static json_t *open_alerts(struct store *store)
{
    return json_pack(
        "{s:I, s:I, s:I}", "critical",
        store_number(store, API_ALERTS_TOTAL " WHERE triage <> 'closed' AND severity >= 9"), "high",
        store_number(store,
                     API_ALERTS_TOTAL " WHERE triage <> 'closed' AND severity BETWEEN 7 AND 8"),
        "all", store_number(store, API_ALERTS_TOTAL " WHERE triage <> 'closed'"));
}

/* How many alerts began in each hour up to end_ns, and how many of them were grave. */
static json_t *rate_of(struct store *store, int64_t end_ns)
{
    int64_t counts[RATE_HOURS] = {0}, high[RATE_HOURS] = {0};
    int64_t first_ns = end_ns / HOUR_NS * HOUR_NS - (RATE_HOURS - 1) * HOUR_NS;
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT (first_ns - ?1) / 3600000000000, count(*), sum(severity >= ?2) FROM alerts"
        " WHERE first_ns >= ?1 GROUP BY 1",
        NULL);
    if (s) {
        sqlite3_bind_int64(s, 1, first_ns);
        sqlite3_bind_int(s, 2, HIGH);
    }
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        int64_t hour = sqlite3_column_int64(s, 0);
        if (hour >= RATE_HOURS) /* a clock that was ahead */
            continue;
        counts[hour] = sqlite3_column_int64(s, 1);
        high[hour] = sqlite3_column_int64(s, 2);
    }
    if (s)
        sqlite3_reset(s);
    json_t *all = json_array(), *grave = json_array();
    for (int i = 0; i < RATE_HOURS; i++) {
        json_array_append_new(all, json_integer(counts[i]));
        json_array_append_new(grave, json_integer(high[i]));
    }
    return json_pack("{s:o, s:o, s:o}", "from", json_time_of(first_ns), "all", all, "high", grave);
}

/* --- conversations --- */

/* What one look at all of them gives. */
struct conversations {
    int64_t count, messages, sealed, pending;
    json_t *protocols; /* those with most messages first */
};

static struct conversations conversations_of(struct store *store)
{
    struct conversations all = {.protocols = json_array()};
    sqlite3_stmt *s =
        store_statement(store,
                        "SELECT protocol, sum(count), count(*), sum(sealed > open),"
                        " sum(state = 'pending') FROM baseline_conversations GROUP BY protocol"
                        " ORDER BY 2 DESC, 1",
                        NULL);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        all.messages += sqlite3_column_int64(s, 1);
        all.count += sqlite3_column_int64(s, 2);
        all.sealed += sqlite3_column_int64(s, 3);
        all.pending += sqlite3_column_int64(s, 4);
        if (json_array_size(all.protocols) < PROTOCOLS_MAX)
            json_array_append_new(
                all.protocols, json_pack("{s:o, s:I, s:I}", "name", json_text_of(column_text(s, 0)),
                                         "messages", (json_int_t)sqlite3_column_int64(s, 1),
                                         "conversations", (json_int_t)sqlite3_column_int64(s, 2)));
    }
    if (s)
        sqlite3_reset(s);
    return all;
}

/* --- the sensor itself --- */

/* The newest alert of each kind of trouble, whether somebody has closed it or not. */
static json_t *troubles_of(struct store *store)
{
    return add_alerts(
        json_array(),
        store_statement(store,
                        "SELECT " API_ALERT_COLUMNS
                        " FROM (SELECT rowid AS row, max(last_ns) FROM alerts"
                        " WHERE rule >= 'sensor.' AND rule < 'sensor/' GROUP BY rule) newest"
                        " JOIN alerts a ON a.rowid = newest.row ORDER BY a.rule",
                        NULL));
}

/* Counters that say that something was given up, because it was too much or too old. */
static const char *const caps[] = {"flows_evicted",      "tcp_buffer_full", "fragments_dropped",
                                   "requests_forgotten", "ndpi_skipped",    "ring_full",
                                   "core_ring_full"};

static json_t *caps_of(const json_t *counters)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        json_int_t count = json_integer_value(json_object_get(counters, caps[i]));
        for (size_t k = 0; count > 0 && k < counter_kind_count; k++)
            if (strcmp(counter_kinds[k].name, caps[i]) == 0)
                json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "name", caps[i], "what",
                                                      counter_kinds[k].help, "count", count));
    }
    return list;
}

/* What each sensor counted in its run, see sensor/main/vitals.h. */
static json_t *vitals_of(struct store *store)
{
    static const char *const shown[] = {
        "packets",          "packets_dropped",    "tcp_bytes",        "tcp_gap_bytes",
        "ot_flows",         "ot_flows_encrypted", "tcp_flows_judged", "tcp_flows_one_sided",
        "packets_malformed"};
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(
        store, "SELECT sensor, document FROM health WHERE id = 'counters' ORDER BY sensor", NULL);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        json_t *document = json_loads(column_text(s, 1), JSON_REJECT_DUPLICATES, NULL);
        const json_t *counters = json_object_get(document, "counters");
        if (!counters) {
            json_decref(document);
            continue;
        }
        json_t *own =
            json_pack("{s:o, s:O*, s:b, s:O*, s:O*, s:o}", "sensor",
                      json_text_of(column_text(s, 0)), "at", json_object_get(document, "at"),
                      "is_live", json_is_true(json_object_get(document, "is_live")), "lag_ms",
                      json_object_get(document, "lag_ms"), "sources",
                      json_object_get(document, "sources"), "caps", caps_of(counters));
        for (size_t i = 0; own && i < sizeof shown / sizeof *shown; i++)
            json_object_set_new(
                own, shown[i],
                json_integer(json_integer_value(json_object_get(counters, shown[i]))));
        json_array_append_new(list, own);
        json_decref(document);
    }
    if (s)
        sqlite3_reset(s);
    return list;
}

static json_t *sensor_of(struct store *store, const struct conversations *all)
{
    return json_pack(
        "{s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "vitals", vitals_of(store), "troubles",
        troubles_of(store), "conversations", (json_int_t)all->count, "encrypted",
        (json_int_t)all->sealed, "outbox_messages",
        store_number(store, "SELECT coalesce(sum(outbox_rows), 0) FROM alert_totals"),
        "outbox_lost",
        store_number(store, "SELECT coalesce(sum(outbox_lost), 0) FROM alert_totals"),
        "evidence_bytes",
        store_number(store, "SELECT coalesce(sum(evidence_bytes), 0) FROM alert_totals"));
}

/* --- learning --- */

/* Of each dimension: scopes that have settled, of how many, and how much of what can come is known
 * (percent). */
static const struct {
    const char *name, *sql;
} dimensions[] = {
    {"hosts",
     "SELECT coalesce(sum(is_settled), 0), count(*), NULL, (SELECT count(*) FROM assets) FROM"
     " segments"                                                           },
    {"conversations",
     "SELECT coalesce(sum(is_settled), 0), count(*), avg(known), (SELECT count(*) FROM"
     " baseline_conversations WHERE state = 'learned') FROM baseline_links"},
    {"operations",
     "SELECT coalesce(sum(operations_settled), 0), count(*), avg(operations_known), (SELECT"
     " count(*) FROM baseline_operations WHERE state = 'learned') FROM baseline_conversations WHERE"
     " state = 'learned' AND operations_draws > 0"                         },
    {"objects",
     "SELECT coalesce(sum(objects_settled), 0), count(*), avg(objects_known), (SELECT count(*) FROM"
     " baseline_ranges) + (SELECT count(*) FROM baseline_tags) FROM baseline_conversations WHERE"
     " state = 'learned' AND objects_draws > 0"                            },
};

static json_t *learning_of(struct store *store, const struct conversations *all)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
        sqlite3_stmt *s = store_statement(store, dimensions[i].sql, NULL);
        if (!s || sqlite3_step(s) != SQLITE_ROW)
            continue;
        json_t *d = json_pack("{s:s, s:I, s:I, s:I}", "name", dimensions[i].name, "settled",
                              sqlite3_column_int64(s, 0), "scopes", sqlite3_column_int64(s, 1),
                              "entries", sqlite3_column_int64(s, 3));
        if (sqlite3_column_type(s, 2) != SQLITE_NULL)
            json_object_set_new(d, "known", json_integer(sqlite3_column_int64(s, 2)));
        json_array_append_new(list, d);
        sqlite3_reset(s);
    }
    return json_pack("{s:o, s:I}", "dimensions", list, "pending", (json_int_t)all->pending);
}

/* --- the page --- */

enum MHD_Result api_overview(struct request *r)
{
    struct store *store = r->store;
    int64_t newest_ns = store_number(store, API_NEWEST_ASSET);
    struct conversations all = conversations_of(store);
    json_t *open = open_alerts(store);
    json_int_t critical = json_integer_value(json_object_get(open, "critical"));
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:{s:o, s:I}, s:o, s:o, s:I, s:I}", "open", open, "newest",
        newest_alerts(store, critical), "stories", api_open_stories(store, STORIES_MAX), "rate",
        rate_of(store, api_end_ns(store) - 1), "protocols", "list", all.protocols, "messages",
        (json_int_t)all.messages, "sensor", sensor_of(store, &all), "learning",
        learning_of(store, &all), "assets", store_number(store, "SELECT count(*) FROM assets"),
        "muted", api_muted_count(store));
    if (json && newest_ns != 0)
        json_object_set_new(json, "last_seen", json_time_of(newest_ns));
    return reply_json(r, MHD_HTTP_OK, json);
}
