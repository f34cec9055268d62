/* api.h: the JSON API: what the store holds, read-only. */
#pragma once

#include "request.h"

/* Answers a path that begins with /api/v1/ (or is /healthz). */
enum MHD_Result api_answer(struct request *r);

/* The alert as a line of the list; the caller owns it. */
json_t *api_alert_summary(sqlite3_stmt *row);
/* The columns that api_alert_summary reads. */
#define API_ALERT_COLUMNS                                                                          \
    "a.sensor, a.id, a.revision, a.rule, a.severity, a.first_ns, a.last_ns, a.count, a.status,"    \
    " a.protocol, a.actor, a.target, json_extract(a.document, '$.message'),"                       \
    " json_extract(a.document, '$.rule.name')"
