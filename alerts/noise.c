/* noise.c: counters of the running day, and the rows that add them to the store. */
#include "noise.h"

#include "alert.h"

#include "sensor/base/json_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define DAY_NS    (86400 * SECOND_NS)
#define POST_NS   (60 * SECOND_NS)

struct noise {
    struct store_queue *queue;
    const char *sensor;
    int64_t day, posted_ns;
    bool has_counts;
    uint64_t counts[DETECTION_COUNT][NOISE_KINDS];
};

struct noise_row {
    char sensor[64];
    char day[TIME_TEXT_SIZE]; /* "2015-10-21" */
    enum detection detection;
    uint64_t counts[NOISE_KINDS];
};

struct noise *noise_create(struct store_queue *queue, const char *sensor)
{
    struct noise *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->queue = queue;
    n->sensor = sensor;
    return n;
}

void noise_destroy(struct noise *n)
{
    free(n);
}

static void post(struct noise *n)
{
    struct noise_row row = {0};
    enum { DATE_SIZE = 10 };
    if (!n->has_counts || !n->queue)
        return;
    text_copy(row.sensor, sizeof row.sensor, text_of(n->sensor));
    time_print(row.day, n->day * DAY_NS);
    row.day[DATE_SIZE] = '\0';
    for (int i = 0; i < DETECTION_COUNT; i++) {
        uint64_t any = 0;
        for (int k = 0; k < NOISE_KINDS; k++)
            any |= n->counts[i][k];
        if (!any)
            continue;
        row.detection = (enum detection)i;
        memcpy(row.counts, n->counts[i], sizeof row.counts);
        store_post(n->queue, noise_row_apply, &row, sizeof row);
    }
    memset(n->counts, 0, sizeof n->counts);
    n->has_counts = false;
}

static int64_t day_of(int64_t time_ns)
{
    return time_ns / DAY_NS - (time_ns % DAY_NS < 0);
}

void noise_count(struct noise *n, enum detection detection, enum noise_kind kind, uint64_t times,
                 int64_t time_ns)
{
    if (day_of(time_ns) != n->day) {
        post(n);
        n->day = day_of(time_ns);
    }
    n->counts[detection][kind] += times;
    n->has_counts = true;
}

void noise_tick(struct noise *n, int64_t time_ns, bool is_last)
{
    bool is_due = time_ns < n->posted_ns || time_ns >= time_add(n->posted_ns, POST_NS);
    if (!is_last && !is_due)
        return;
    n->posted_ns = time_ns;
    post(n);
}

bool noise_row_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct noise_row *row = data;
    assert(size == sizeof *row);
    sqlite3_stmt *q = store_statement(
        store,
        "INSERT INTO alert_noise(sensor, day, rule, findings, alerts, revisions, suppressed, "
        "folded)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(sensor, day, rule) DO UPDATE SET"
        " findings = findings + ?4, alerts = alerts + ?5, revisions = revisions + ?6,"
        " suppressed = suppressed + ?7, folded = folded + ?8",
        err);
    if (!q)
        return false;
    sqlite3_bind_text(q, 1, row->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, row->day, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, detection_kind(row->detection)->id, -1, SQLITE_STATIC);
    for (int k = 0; k < NOISE_KINDS; k++)
        sqlite3_bind_int64(q, 4 + k, (int64_t)row->counts[k]);
    return store_step(store, q, err);
}
