/* stats.h: the final counters as one JSON document (--stats) and in words. */
#pragma once

#include "dissectors/dissector.h"
#include "sensor/analyser.h"
#include "sensor/base/counters.h"
#include "sensor/base/error.h"

enum { STATS_PROTOCOLS_MAX = 128 };

struct stats {
    struct counters counters;
    struct protocol_stats protocols[STATS_PROTOCOLS_MAX]; /* like dissectors[], of all workers */
    uint32_t flows_open;
    double seconds, cpu_seconds; /* wall clock and processor time of the run */
    long peak_memory_kib;
    uint64_t alerts;
};

bool stats_write(const struct stats *s, const char *path, struct error *err) NODISCARD;
/* A few lines for people on stderr. */
void stats_print(const struct stats *s);
