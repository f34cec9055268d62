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

/* A device that has stayed in a mode in which it does not control, or may be programmed, for long.
 */
struct mode_stay {
    char mode[MODE_SIZE];
    const char *protocol;
    uint32_t segment;
    struct endpoint device;
    int64_t since_ns;
};

struct modes;

/* NULL when there is no memory. */
struct modes *modes_create(size_t devices_max);
void modes_destroy(struct modes *m);

/* A command that may change the mode of the event's server. Other events are ignored. */
void modes_command(struct modes *m, const struct ot_event *e);
/* Takes in the mode that the sender tells about itself; true when it differs from the last one. */
bool modes_note(struct modes *m, const struct ot_event *e, struct mode_change *change);
/* Once per second: one device after another that has stayed in such a mode for half an hour, each
 * told once. False: no more. */
bool modes_stay(struct modes *m, int64_t now_ns, struct mode_stay *stay);
