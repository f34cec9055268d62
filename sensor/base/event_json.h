/* event_json.h: an ot_event as a JSON line (DESIGN: the command-line contract). */
#pragma once

#include "ot_event.h"

#include <stddef.h>

enum { EVENT_LINE_MAX = 16384, EVENT_VALUES_MAX = 256, EVENT_ITEMS_MAX = 64 };

/* The whole line without the newline. Long item and value lists are shortened until it fits
 * (items_total tells). Returns the size written; 0 never happens with capacity >= 4096. */
size_t event_json(const struct ot_event *e, char *out, size_t capacity);

/* Only the "ot" object, for alerts; terminated as a string. Returns its size, 0 when even the
 * shortest form does not fit. */
size_t event_json_ot(const struct ot_event *e, char *out, size_t capacity);
