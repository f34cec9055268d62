/* alert_sums.h: the alerts of a span of time, added up by severity, rule, host and day: in one pass
 * over them, since there may be a hundred thousand. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Adds "severities", "rules", "actors", "targets" and "days" to the object: those that began at
 * from_ns or later and before to_ns. false: out of memory, or the store cannot be read. */
bool alert_sums_add(json_t *object, struct store *store, int64_t from_ns, int64_t to_ns) NODISCARD;
