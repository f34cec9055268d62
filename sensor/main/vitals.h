/* vitals.h: what the sensor counted, in its store: so that whoever looks at the store (the console)
 * tells from figures and not from silence whether the sensor sees. */
#pragma once

#include "core.h"
#include "sensor/base/store.h"

/* Replaces the sensor's row `counters` of the table `health`. time_ns: of the newest packet;
 * is_live: the distance of that to the wall clock is told as its lag. */
void vitals_post(struct store_queue *queue, const char *sensor, int64_t time_ns, bool is_live,
                 const struct core_measure *measure);
