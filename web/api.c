/* api.c: /api/v1/{status,alerts,alerts/ID,alerts/ID/evidence.pcap,assets,stream} and /healthz. */
#include "api.h"

#include "alerts/alerts.h"
#include "baseline/asset_export.h"
#include "sensor/base/json_writer.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALERTS_DEFAULT = 100,
    ALERTS_MAX = 500,
    ASSETS_DEFAULT = 1000,
    ASSETS_MAX = 5000,
    ALERT_ID_SIZE = 65,
};

static const char *column_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}

/* A string of the store; what is not UTF-8 (it never should be) becomes a mark instead of no
 * answer. */
static json_t *string_of(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("(unreadable)");
}

static json_t *time_of(int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    return json_string(time_print(text, time_ns));
}

/* --- status --- */

static int64_t number(struct store *store, const char *sql)
{
    sqlite3_stmt *s = store_statement(store, sql, NULL);
    int64_t value = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    if (s)
        sqlite3_reset(s);
    return value;
}

static json_t *severities(struct store *store)
{
    json_t *counts = json_object();
    sqlite3_stmt *s = store_statement(
        store, "SELECT severity, count(*) FROM alerts GROUP BY severity ORDER BY severity", NULL);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        char key[16];
        snprintf(key, sizeof key, "%d", sqlite3_column_int(s, 0));
        json_object_set_new(counts, key, json_integer(sqlite3_column_int64(s, 1)));
    }
    if (s)
        sqlite3_reset(s);
    return counts;
}

static enum MHD_Result status(struct request *r, struct store *store)
{
    int64_t newest_ns = number(store, "SELECT max(last_ns) FROM assets");
    json_t *json = json_pack("{s:s, s:I, s:I, s:o}", "version", SIGHTGLASS_VERSION, "alerts",
                             number(store, "SELECT count(*) FROM alerts"), "assets",
                             number(store, "SELECT count(*) FROM assets"), "alerts_by_severity",
                             severities(store));
    if (json && newest_ns != 0)
        json_object_set_new(json, "last_seen", time_of(newest_ns));
    return reply_json(r, MHD_HTTP_OK, json);
}

/* --- alerts --- */

json_t *api_alert_summary(sqlite3_stmt *row)
{
    json_t *json = json_object();
    json_object_set_new(json, "sensor", string_of(column_text(row, 0)));
    json_object_set_new(json, "id", string_of(column_text(row, 1)));
    json_object_set_new(json, "revision", json_integer(sqlite3_column_int64(row, 2)));
    json_object_set_new(json, "rule", string_of(column_text(row, 3)));
    json_object_set_new(json, "rule_name", string_of(column_text(row, 13)));
    json_object_set_new(json, "severity", json_integer(sqlite3_column_int64(row, 4)));
    json_object_set_new(json, "first_seen", time_of(sqlite3_column_int64(row, 5)));
    json_object_set_new(json, "last_seen", time_of(sqlite3_column_int64(row, 6)));
    json_object_set_new(json, "count", json_integer(sqlite3_column_int64(row, 7)));
    json_object_set_new(json, "status", string_of(column_text(row, 8)));
    json_object_set_new(json, "protocol", string_of(column_text(row, 9)));
    json_object_set_new(json, "source", string_of(column_text(row, 10)));
    json_object_set_new(json, "destination", string_of(column_text(row, 11)));
    json_object_set_new(json, "message", string_of(column_text(row, 12)));
    return json;
}

/* Newest first: by when an alert grew last. */
static enum MHD_Result alerts(struct request *r, struct store *store)
{
    int64_t limit, skip, severity;
    if (!request_number(r, "limit", 1, ALERTS_MAX, ALERTS_DEFAULT, &limit) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &skip) ||
        !request_number(r, "severity", 1, 10, 1, &severity))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "limit is 1 to 500, skip 0 or more, severity 1 to 10");
    /* the rows are chosen by an index first: a year of documents must not be read for a page of
     * them */
    struct error err = {""};
    sqlite3_stmt *s = store_statement(
        store,
        severity > 1
            ? "SELECT " API_ALERT_COLUMNS " FROM alerts a WHERE a.rowid IN (SELECT rowid FROM"
              " alerts WHERE severity >= ?3 ORDER BY last_ns DESC, rowid LIMIT ?1 OFFSET ?2)"
              " ORDER BY a.last_ns DESC, a.id"
            : "SELECT " API_ALERT_COLUMNS " FROM alerts a WHERE a.rowid IN (SELECT rowid FROM"
              " alerts ORDER BY last_ns DESC, rowid LIMIT ?1 OFFSET ?2)"
              " ORDER BY a.last_ns DESC, a.id",
        &err);
    if (!s)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    sqlite3_bind_int64(s, 1, limit);
    sqlite3_bind_int64(s, 2, skip);
    if (severity > 1)
        sqlite3_bind_int64(s, 3, severity);
    json_t *list = json_array();
    while (sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, api_alert_summary(s));
    sqlite3_reset(s);
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:I}", "alerts", list, "total",
                                number(store, "SELECT count(*) FROM alerts")));
}

/* The alert's document as it was published, for the caller to free; NULL: no such alert. */
static char *alert_read(struct store *store, const char *id, char *sensor, size_t capacity)
{
    sqlite3_stmt *s =
        store_statement(store, "SELECT document, sensor FROM alerts WHERE id = ? LIMIT 1", NULL);
    char *document = NULL;
    if (!s)
        return NULL;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW) {
        document = strdup(column_text(s, 0));
        snprintf(sensor, capacity, "%s", column_text(s, 1));
    }
    sqlite3_reset(s);
    return document;
}

static enum MHD_Result evidence(struct request *r, struct store *store, const char *sensor,
                                const char *id)
{
    char *bytes = NULL, disposition[ALERT_ID_SIZE + 64];
    size_t size = 0, packets = 0;
    struct error err = {""};
    FILE *file = open_memstream(&bytes, &size);
    if (!file)
        return MHD_NO;
    bool ok = alerts_evidence_pcap(store, sensor, id, file, &packets, &err);
    ok = fclose(file) == 0 && ok;
    if (!ok || packets == 0) {
        free(bytes);
        return ok ? reply_error(r, MHD_HTTP_NOT_FOUND, "no packets were kept for this alert")
                  : reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    reply_headers(response, "application/vnd.tcpdump.pcap");
    snprintf(disposition, sizeof disposition, "attachment; filename=\"sightglass-%s.pcap\"", id);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
    enum MHD_Result result = MHD_queue_response(r->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

/* rest: "ID" or "ID/evidence.pcap" */
static enum MHD_Result alert(struct request *r, struct store *store, const char *rest)
{
    char id[ALERT_ID_SIZE], sensor[128];
    size_t size = strspn(rest, "0123456789abcdef");
    bool is_evidence = strcmp(rest + size, "/evidence.pcap") == 0;
    if (size == 0 || size >= sizeof id || (rest[size] != '\0' && !is_evidence))
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such alert");
    memcpy(id, rest, size);
    id[size] = '\0';
    char *document = alert_read(store, id, sensor, sizeof sensor);
    if (!document)
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such alert");
    if (!is_evidence)
        return reply_bytes(r, MHD_HTTP_OK, "application/json", document, strlen(document));
    free(document);
    return evidence(r, store, sensor, id);
}

/* --- assets --- */

struct listing {
    json_t *list;
    int64_t skip, left;
};

static bool list_asset(void *context, const struct asset_cells *asset)
{
    struct listing *listing = context;
    if (listing->skip-- > 0)
        return true;
    json_array_append_new(listing->list, asset_cells_json(asset));
    return --listing->left > 0;
}

static enum MHD_Result assets(struct request *r, struct store *store)
{
    struct listing listing = {.list = json_array()};
    if (!request_number(r, "limit", 1, ASSETS_MAX, ASSETS_DEFAULT, &listing.left) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &listing.skip)) {
        json_decref(listing.list);
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "limit is 1 to 5000, skip 0 or more");
    }
    struct error err = {""};
    if (!assets_export(store, list_asset, &listing, &err)) {
        json_decref(listing.list);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    }
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:I}", "assets", listing.list, "total",
                                number(store, "SELECT count(*) FROM assets")));
}

static enum MHD_Result healthz(struct request *r, struct store *store)
{
    (void)store;
    return reply_json(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"));
}

/* --- paths --- */

static const struct {
    const char *path;
    enum MHD_Result (*answer)(struct request *r, struct store *store);
} paths[] = {
    {"/healthz",       healthz},
    {"/api/v1/status", status },
    {"/api/v1/alerts", alerts },
    {"/api/v1/assets", assets },
};

enum MHD_Result api_answer(struct request *r)
{
    static const char one_alert[] = "/api/v1/alerts/";
    if (strcmp(r->path, "/api/v1/stream") == 0)
        return stream_answer(r);
    enum MHD_Result (*answer)(struct request *, struct store *) = NULL;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strcmp(r->path, paths[i].path) == 0)
            answer = paths[i].answer;
    bool is_alert = strncmp(r->path, one_alert, strlen(one_alert)) == 0;
    if (!answer && !is_alert)
        return reply_error(r, MHD_HTTP_NOT_FOUND, "no such path");
    struct store *store;
    enum MHD_Result result;
    if (!request_store(r, &store, &result))
        return result;
    result = is_alert ? alert(r, store, r->path + strlen(one_alert)) : answer(r, store);
    store_close(store);
    return result;
}
