/* stats.c: see stats.h. */
#include "stats.h"
#include "lines.h"

#include "sensor/base/log.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *protocols_of(const struct stats *s)
{
    json_t *all = json_object();
    for (size_t i = 0; i < dissector_count; i++) {
        const struct protocol_stats *p = &s->protocols[i];
        if (p->pdus == 0 && p->violations == 0)
            continue;
        json_object_set_new(all, dissectors[i]->name,
                            json_pack("{s:I, s:I, s:I, s:I}", "pdus", (json_int_t)p->pdus, "events",
                                      (json_int_t)p->events, "violations",
                                      (json_int_t)p->violations, "flows", (json_int_t)p->flows));
    }
    return all;
}

bool stats_write(const struct stats *s, const char *path, struct error *err)
{
    json_t *counters = json_object();
    for (size_t i = 0; i < counter_kind_count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&s->counters + counter_kinds[i].offset, sizeof value);
        json_object_set_new(counters, counter_kinds[i].name, json_integer((json_int_t)value));
    }
    json_t *document =
        json_pack("{s:o, s:o, s:I, s:I, s:f, s:f, s:I}", "counters", counters, "protocols",
                  protocols_of(s), "flows_open", (json_int_t)s->flows_open, "alerts",
                  (json_int_t)s->alerts, "seconds", s->seconds, "cpu_seconds", s->cpu_seconds,
                  "peak_memory_kib", (json_int_t)s->peak_memory_kib);
    FILE *file = lines_open(path, err);
    if (!file) {
        json_decref(document);
        return false;
    }
    bool ok = json_dumpf(document, file, JSON_INDENT(2) | JSON_SORT_KEYS) == 0 &&
              fputc('\n', file) != EOF;
    json_decref(document);
    return lines_end(file, path, err) &&
           (ok || error_set(err, "%s was not written: out of memory", path));
}

void stats_print(const struct stats *s)
{
    log_info("%" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64 " duplicates dropped, %" PRIu64
             " flows",
             s->counters.packets, s->counters.bytes, s->counters.duplicates, s->counters.flows);
    for (size_t i = 0; i < dissector_count; i++) {
        const struct protocol_stats *p = &s->protocols[i];
        if (p->pdus || p->violations)
            log_info("  %-12s %" PRIu64 " PDUs, %" PRIu64 " events, %" PRIu64 " violations",
                     dissectors[i]->name, p->pdus, p->events, p->violations);
    }
    log_info("%" PRIu64 " alert%s in %.2f seconds, %.2f of processor time, peak memory %ld MiB",
             s->alerts, s->alerts == 1 ? "" : "s", s->seconds, s->cpu_seconds,
             s->peak_memory_kib / 1024);
}
