/* alerts_views.h: what `sightglass alerts` can show and change beside the alerts themselves:
 * incidents, noise, suppressions. */
#pragma once

#include "alerts/suppress.h"
#include "sensor/base/error.h"
#include "sensor/base/store.h"

#include <stdbool.h>

/* Each prints a table for people, or a JSON document per line. */
bool view_incidents(struct store *store, int64_t since_ns, bool is_json, struct error *err);
bool view_noise(struct store *store, int64_t since_ns, bool is_json, struct error *err);
bool view_suppressions(struct store *store, const char *sensor, bool is_json, struct error *err);

/* Adds or lifts one, with its audit record, and says so. */
bool suppress_add(struct store *store, const char *sensor, struct suppression *s,
                  struct error *err);
bool suppress_lift(struct store *store, const char *sensor, int64_t id, const char *by,
                   const char *why, struct error *err);
/* "8h", "7d", "30m" from now; false: none of these. */
bool suppress_for(int64_t *until_ns, const char *text);
int64_t suppress_now_ns(void);
