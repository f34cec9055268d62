/* vitals.c: see vitals.h. */
#include "vitals.h"

#include "sensor/base/json_writer.h"

#include <string.h>
#include <time.h>

enum { SENSOR_SIZE = 64, DOCUMENT_SIZE = 8192, SOURCES_SHOWN = 32 };

struct row {
    char sensor[SENSOR_SIZE];
    char document[DOCUMENT_SIZE]; /* posted up to its end only */
};

static bool row_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct row *row = data;
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT INTO health(sensor, id, rev, document) VALUES(?, 'counters', 1, ?) ON"
        " CONFLICT(sensor, id) DO UPDATE SET rev = rev + 1, document = excluded.document",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, row->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, row->document, (int)(size - offsetof(struct row, document)),
                      SQLITE_STATIC);
    return store_step(store, s, err);
}

static int64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put_sources(struct json_writer *w, const struct core_measure *measure)
{
    json_array_begin(w, "sources");
    for (size_t i = 0; i < measure->source_count && i < SOURCES_SHOWN; i++) {
        const struct source_measure *source = &measure->sources[i];
        json_object_begin(w, NULL);
        json_string_of(w, "name", source->name);
        json_unsigned(w, "packets", source->packets);
        json_unsigned(w, "dropped", source->dropped);
        json_object_end(w);
    }
    json_array_end(w);
}

void vitals_post(struct store_queue *queue, const char *sensor, int64_t time_ns, bool is_live,
                 const struct core_measure *measure)
{
    struct row row;
    struct json_writer w;
    text_format(row.sensor, sizeof row.sensor, "%s", sensor);
    json_begin(&w, row.document, sizeof row.document);
    json_object_begin(&w, NULL);
    json_time(&w, "at", time_ns);
    json_bool(&w, "is_live", is_live);
    if (is_live)
        json_signed(&w, "lag_ms", (wall_clock_ns() - time_ns) / 1000000);
    json_object_begin(&w, "counters");
    for (size_t i = 0; i < counter_kind_count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&measure->totals + counter_kinds[i].offset, sizeof value);
        json_unsigned(&w, counter_kinds[i].name, value);
    }
    json_object_end(&w);
    put_sources(&w, measure);
    json_object_end(&w);
    if (!w.is_cut) /* more interfaces than anyone has: the last figures stay */
        store_post(queue, row_apply, &row, offsetof(struct row, document) + json_size(&w));
}
