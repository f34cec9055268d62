/* modes.h: the operating mode that each device tells about itself, and who last ordered a change.
 *
 * Owned by one worker; bounded; no allocation after modes_create. */
#pragma once

#include "sensor/base/ot_event.h"

enum { MODE_SIZE = 40 };

struct mode_change {
    char before[MODE_SIZE], now[MODE_SIZE];
    bool has_commander; /* somebody ordered it a short time before */
    struct endpoint commander;
};

struct modes;

/* NULL when there is no memory. */
struct modes *modes_create(size_t devices_max);
void modes_destroy(struct modes *m);

/* A command that may change the mode of the event's server. Other events are ignored. */
void modes_command(struct modes *m, const struct ot_event *e);
/* Takes in the mode that the sender tells about itself; true when it differs from the last one. */
bool modes_note(struct modes *m, const struct ot_event *e, struct mode_change *change);
