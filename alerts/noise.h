/* noise.h: how much each type has to say: findings, alerts and what was held back, per type and day
 * of packet time, so that people see which one to tune. */
#pragma once

#include "sensor/base/finding.h"
#include "sensor/base/store.h"

enum noise_kind {
    NOISE_FINDINGS,
    NOISE_ALERTS,
    NOISE_REVISIONS,
    NOISE_SUPPRESSED,
    NOISE_FOLDED,
    NOISE_KINDS
};

struct noise;

/* NULL: out of memory. sensor must outlive it. queue may be NULL: then nothing is kept. */
struct noise *noise_create(struct store_queue *queue, const char *sensor);
void noise_destroy(struct noise *noise);
void noise_count(struct noise *noise, enum detection detection, enum noise_kind kind,
                 uint64_t times, int64_t time_ns);
/* Once a second of packet time, and at the end: posts what was counted, once a minute. */
void noise_tick(struct noise *noise, int64_t time_ns, bool is_last);

bool noise_row_apply(struct store *store, const void *data, size_t size, struct error *err);
