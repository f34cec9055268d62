/* api.h: what several files of the API share. The functions that answer are in routes.def. */
#pragma once

#include "request.h"

/* The alert as a line of the list; the caller owns it. */
json_t *api_alert_summary(sqlite3_stmt *row);
/* The columns that api_alert_summary reads, and the tables that they are in. */
#define API_ALERT_COLUMNS                                                                          \
    "a.sensor, a.id, a.revision, a.rule, a.severity, a.first_ns, a.last_ns, a.count, a.status,"    \
    " a.protocol, a.actor, a.target, a.message, a.rule_name, a.incident, a.triage, a.assignee"
#define API_ALERT_TABLES "alerts a LEFT JOIN alert_triage t ON t.sensor = a.sensor AND t.id = a.id"
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
