/* stream.c: server-sent events (WHATWG HTML 9.2) that tell pages how the store has changed:
 * "alerts" (a list of changed alerts' summaries, with the sequence number as id), "stories" (the
 * newest ones, when one of them changed: a story is committed after its alert), "status" (numbers
 * of alerts and assets, when they changed), "problem" (why the store cannot be read; a status
 * follows when it can). One watcher per connection, in the connection's own thread: looks once a
 * second whether the store's outbox has moved on, which costs a few small queries. */

#include "api.h"
#include "routes.h"
#include "sensor/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHANGES_MAX = 100,   /* alerts in one event; more follow in the next */
    STORIES_WATCHED = 8, /* that grew last; an older one that changes becomes one of them */
    HEARTBEAT_S = 10,    /* keeps proxies and time-outs away */
    STEP_MS = 100,       /* how soon a stop is noticed */
    BLOCK_SIZE = 4096,
};

struct stream {
    struct web *web;
    int64_t next;           /* sequence number of the outbox to look at */
    int64_t alerts, assets; /* as told */
    uint64_t stories;       /* the newest ones and their revisions, as told */
    int idle_s;
    struct credential credential; /* of who watches: looked at again every second */
    bool is_broken;               /* the store could not be read, and that was told */
    char *waiting;                /* text on its way */
    size_t waiting_size, waiting_at;
};

static int64_t outbox_next(struct store *store)
{
    return store_number(store, "SELECT max(outbox_next) FROM alert_totals");
}

/* Adds an event to the text on its way; takes over json. */
static void event(struct stream *st, const char *name, int64_t id, json_t *json)
{
    char *data = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!data)
        return;
    size_t capacity = st->waiting_size + strlen(data) + 128;
    char *text = realloc(st->waiting, capacity);
    if (text) {
        st->waiting = text;
        int size = snprintf(text + st->waiting_size, capacity - st->waiting_size,
                            "event: %s\nid: %lld\ndata: %s\n\n", name, (long long)id, data);
        st->waiting_size += (size_t)size;
    }
    free(data);
}

/* The alerts behind the outbox's new messages, once each. */
static void look_for_alerts(struct stream *st, struct store *store)
{
    int64_t next = outbox_next(store);
    if (next <= st->next) {
        st->next = next; /* another store took this one's place */
        return;
    }
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT " API_ALERT_COLUMNS ", o.newest FROM (SELECT sensor, id, max(seq) AS newest"
        " FROM outbox WHERE seq >= ? AND stream = 'alerts' GROUP BY sensor, id ORDER BY newest"
        " LIMIT ?) o JOIN alerts a ON a.sensor = o.sensor AND a.id = o.id"
        " LEFT JOIN alert_triage t ON t.sensor = a.sensor AND t.id = a.id ORDER BY o.newest",
        NULL);
    if (!s)
        return;
    sqlite3_bind_int64(s, 1, st->next);
    sqlite3_bind_int64(s, 2, CHANGES_MAX);
    json_t *list = json_array();
    int64_t last = next - 1;
    while (sqlite3_step(s) == SQLITE_ROW) {
        json_array_append_new(list, api_alert_summary(s));
        if (json_array_size(list) == CHANGES_MAX)
            last = sqlite3_column_int64(s, API_ALERT_COLUMN_COUNT);
    }
    sqlite3_reset(s);
    st->next = last + 1;
    if (json_array_size(list) > 0)
        event(st, "alerts", last, list);
    else
        json_decref(list);
}

static void look_for_numbers(struct stream *st, struct store *store)
{
    int64_t alerts = store_number(store, API_ALERTS_TOTAL);
    int64_t assets = store_number(store, "SELECT count(*) FROM assets");
    if (alerts == st->alerts && assets == st->assets)
        return;
    st->alerts = alerts;
    st->assets = assets;
    event(st, "status", st->next - 1, json_pack("{s:I, s:I}", "alerts", alerts, "assets", assets));
}

static void look_for_stories(struct stream *st, struct store *store)
{
    sqlite3_stmt *s = store_statement(
        store, "SELECT id, revision FROM incidents ORDER BY last_ns DESC, id LIMIT ?", NULL);
    if (!s)
        return;
    sqlite3_bind_int(s, 1, STORIES_WATCHED);
    json_t *newest = json_array();
    uint64_t mark = 0;
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *id = column_text(s, 0);
        mark = hash_mix(mark, hash_bytes(id, strlen(id)));
        mark = hash_mix(mark, (uint64_t)sqlite3_column_int64(s, 1));
        json_array_append_new(newest, json_text_of(id));
    }
    sqlite3_reset(s);
    if (mark == st->stories) {
        json_decref(newest);
        return;
    }
    st->stories = mark;
    event(st, "stories", st->next - 1, json_pack("{s:o}", "newest", newest));
}

/* A store that cannot be read is told once, and is looked for again every second. False: who
 * watches may not any more. */
static bool look(struct stream *st)
{
    struct error err = {""};
    struct store *store = readers_take(st->web->readers, &err);
    if (!store) {
        if (!st->is_broken)
            event(st, "problem", st->next - 1, json_pack("{s:s}", "error", err.text));
        st->is_broken = true;
        return true;
    }
    if (st->is_broken)
        st->alerts = -1; /* say the numbers again: it is well */
    st->is_broken = false;
    struct account account;
    bool may_watch = credential_find(&st->credential, st->web, store, &account);
    if (may_watch) {
        look_for_alerts(st, store);
        look_for_stories(st, store);
        look_for_numbers(st, store);
    }
    readers_give(st->web->readers, store);
    return may_watch;
}

/* Waits a second; false when the server stops. */
static bool wait_second(const struct stream *st)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000l};
    for (int ms = 0; ms < 1000 && !web_is_stopped(st->web); ms += STEP_MS)
        nanosleep(&step, NULL);
    return !web_is_stopped(st->web);
}

static ssize_t give(struct stream *st, char *out, size_t capacity)
{
    size_t size = st->waiting_size - st->waiting_at;
    if (size > capacity)
        size = capacity;
    memcpy(out, st->waiting + st->waiting_at, size);
    st->waiting_at += size;
    if (st->waiting_at == st->waiting_size) {
        free(st->waiting);
        st->waiting = NULL;
        st->waiting_size = st->waiting_at = 0;
    }
    return (ssize_t)size;
}

static ssize_t stream_read(void *context, uint64_t position, char *out, size_t capacity)
{
    struct stream *st = context;
    static const char heartbeat[] = ": still here\n\n";
    (void)position;
    while (st->waiting_size == 0) {
        if (!wait_second(st))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (!look(st))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (st->waiting_size == 0 && ++st->idle_s >= HEARTBEAT_S && capacity >= sizeof heartbeat) {
            st->idle_s = 0;
            memcpy(out, heartbeat, sizeof heartbeat - 1);
            return sizeof heartbeat - 1;
        }
    }
    st->idle_s = 0;
    return give(st, out, capacity);
}

static void stream_free(void *context)
{
    struct stream *st = context;
    atomic_fetch_sub(&st->web->streams, 1);
    free(st->waiting);
    free(st);
}

/* Where a page that lost its connection goes on; new pages begin now. */
static int64_t first_of(const struct request *r, struct store *store)
{
    int64_t next = outbox_next(store);
    const char *last = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Last-Event-ID");
    char *end;
    long long id = last ? strtoll(last, &end, 10) : 0;
    bool is_good = last && end != last && *end == '\0' && id >= 0 && id < next;
    return is_good ? id + 1 : next;
}

enum MHD_Result api_stream(struct request *r)
{
    if (atomic_fetch_add(&r->web->streams, 1) >= STREAMS_MAX) {
        atomic_fetch_sub(&r->web->streams, 1);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                           "too many pages watch at the same time");
    }
    struct stream *st = calloc(1, sizeof *st);
    if (!st) {
        atomic_fetch_sub(&r->web->streams, 1);
        return MHD_NO;
    }
    *st = (struct stream){
        .web = r->web, .next = first_of(r, r->store), .alerts = -1, .credential = credential_of(r)};
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE,
                                                                      stream_read, st, stream_free);
    if (!response) {
        stream_free(st);
        return MHD_NO;
    }
    reply_headers(r, response, "text/event-stream");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(r->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}
