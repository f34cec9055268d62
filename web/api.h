/* api.h: what several files of the API share. The functions that answer are in routes.def. */
#pragma once

#include "request.h"

/* The alert as a line of the list; the caller owns it. */
json_t *api_alert_summary(sqlite3_stmt *row);
/* The columns of `alerts a` that api_alert_summary reads. */
#define API_ALERT_COLUMNS                                                                          \
    "a.sensor, a.id, a.revision, a.rule, a.severity, a.first_ns, a.last_ns, a.count, a.status,"    \
    " a.protocol, a.actor, a.target, a.message, a.rule_name, a.incident, a.triage, a.assignee"
enum { API_ALERT_COLUMN_COUNT = 17 };

/* The newest stories that have an open alert; the caller owns the list. */
json_t *api_open_stories(struct store *store, int limit);
/* Suppressions in force. */
int64_t api_muted_count(struct store *store);
/* Where "lately" ends: with this hour when the sensor runs; with the last packet when the store was
 * filled from captures, or its sensor has been off for a day. */
int64_t api_end_ns(struct store *store);

/* How many there are, from what the store adds up. */
#define API_ALERTS_TOTAL "SELECT coalesce(sum(count), 0) FROM alert_counts"

/* The sensor that is asked about: the query's, else the configuration's. */
const char *api_sensor(const struct request *r);
/* A time of the query; false: it is none. */
bool api_time(const struct request *r, const char *key, int64_t fallback, int64_t *time_ns);

/* The sensors of a table whose primary key begins with them: a look for each, not at every row. */
#define API_SENSORS(table)                                                                         \
    "(WITH RECURSIVE s(x) AS (SELECT min(sensor) FROM " table                                      \
    " UNION ALL SELECT (SELECT min(sensor) FROM " table                                            \
    " WHERE sensor > x) FROM s WHERE x IS NOT NULL) SELECT x FROM s WHERE x IS NOT NULL)"
/* When the newest asset was seen last; nothing: there is none. */
#define API_NEWEST_ASSET                                                                           \
    "SELECT max((SELECT max(last_ns) FROM assets WHERE sensor = x)) FROM " API_SENSORS("assets")

/* The conversations of a host, which is a parameter ("?3"). */
#define API_HOST_CONVERSATIONS(host)                                                               \
    "SELECT x.id FROM baseline_pairs y INDEXED BY baseline_pairs_by_a CROSS JOIN"                  \
    " baseline_conversations x INDEXED BY baseline_conversations_by_pair ON x.sensor = y.sensor"   \
    " AND x.pair = y.id WHERE y.host_a = " host                                                    \
    " UNION SELECT x.id FROM baseline_pairs y INDEXED BY"                                          \
    " baseline_pairs_by_b CROSS JOIN baseline_conversations x INDEXED BY"                          \
    " baseline_conversations_by_pair ON x.sensor = y.sensor AND x.pair = y.id WHERE y.host_b "     \
    "= " host

/* Ids of rows of the baseline: 16 hexadecimal digits. */
json_t *api_entry_id(int64_t id);
bool api_entry_id_parse(int64_t *id, const char *text);
/* Where something is, in words: columns area, has_number, number from `area` on. */
void api_place_print(sqlite3_stmt *s, int area, const char *name, char *out, size_t capacity);
/* A variable: the same, then name, address, is_bit, bit. */
void api_point_print(sqlite3_stmt *s, int area, char *out, size_t capacity);
/* The values that are normal: "1*10 0*12" as in the store becomes "1, 0"; "many" a range. */
void api_states_print(const char *states, double low, double high, int64_t observations, char *out,
                      size_t capacity);
