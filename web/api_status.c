/* api_status.c: how things are: for people, for probes, for Prometheus. */
#include "api.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum MHD_Result api_healthz(struct request *r)
{
    return reply_json(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"));
}

enum MHD_Result api_openapi(struct request *r)
{
    struct page page;
    if (!page_find(&page, "/openapi.json"))
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such path");
    return reply_static(r, &page);
}

static json_t *severities(struct store *store)
{
    json_t *counts = json_object();
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT severity, sum(count) FROM alert_counts GROUP BY severity HAVING sum(count) > 0"
        " ORDER BY severity",
        NULL);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        char key[16];
        snprintf(key, sizeof key, "%d", sqlite3_column_int(s, 0));
        json_object_set_new(counts, key, json_integer(sqlite3_column_int64(s, 1)));
    }
    if (s)
        sqlite3_reset(s);
    return counts;
}

enum MHD_Result api_status(struct request *r)
{
    int64_t newest_ns = store_number(r->store, API_NEWEST_ASSET);
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:o}", "version", SIGHTGLASS_VERSION, "alerts",
                             store_number(r->store, API_ALERTS_TOTAL), "alerts_open",
                             store_number(r->store, API_ALERTS_TOTAL " WHERE triage <> 'closed'"),
                             "assets", store_number(r->store, "SELECT count(*) FROM assets"),
                             "alerts_by_severity", severities(r->store));
    if (json && newest_ns != 0)
        json_object_set_new(json, "last_seen", json_time_of(newest_ns));
    return reply_json(r, MHD_HTTP_OK, json);
}

/* --- Prometheus text format 0.0.4 --- */

static const struct metric {
    const char *name, *type, *help, *sql;
} metrics[] = {
    {"sightglass_alerts",            "gauge",   "Alerts in the store.",                             API_ALERTS_TOTAL             },
    {"sightglass_alerts_critical",   "gauge",   "Alerts of severity 9 and above.",
     API_ALERTS_TOTAL " WHERE severity >= 9"                                                                                     },
    {"sightglass_assets",            "gauge",   "Assets in the store.",                             "SELECT count(*) FROM assets"},
    {"sightglass_outbox_messages",   "gauge",   "Messages kept for outputs.",
     "SELECT coalesce(sum(outbox_rows), 0) FROM alert_totals"                                                                    },
    {"sightglass_outbox_lost_total", "counter", "Messages that left before every output had them.",
     "SELECT coalesce(sum(outbox_lost), 0) FROM alert_totals"                                                                    },
    {"sightglass_evidence_bytes",    "gauge",   "Packets kept as evidence.",
     "SELECT coalesce(sum(evidence_bytes), 0) FROM alert_totals"                                                                 },
};

static void put_metric(FILE *out, const char *name, const char *type, const char *help,
                       long long value)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, value);
}

enum MHD_Result api_metrics(struct request *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return MHD_NO;
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        put_metric(out, metrics[i].name, metrics[i].type, metrics[i].help,
                   store_number(r->store, metrics[i].sql));
    put_metric(out, "sightglass_console_requests_total", "counter", "Requests to the console.",
               (long long)atomic_load(&r->web->requests));
    put_metric(out, "sightglass_console_logins_failed_total", "counter", "Wrong passwords.",
               (long long)atomic_load(&r->web->logins_failed));
    put_metric(out, "sightglass_console_streams", "gauge", "Pages that watch.",
               (long long)atomic_load(&r->web->streams));
    if (fclose(out) != 0) {
        free(text);
        return MHD_NO;
    }
    return reply_bytes(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, size);
}
