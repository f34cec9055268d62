/* incidents.h: alerts of one story: what one actor does without a long pause. An alert without an
 * actor belongs to the story of its target; one without both is its own. Bounded: the story that is
 * silent longest is forgotten. */
#pragma once

#include "alert.h"

enum {
    INCIDENT_QUIET_S = 30 * 60, /* a pause this long ends a story */
    INCIDENT_LONGEST_S =
        24 * 3600, /* so that an actor that is never quiet does not tell one story for ever */
};

struct incidents;

/* NULL: out of memory. */
struct incidents *incidents_create(void);
void incidents_destroy(struct incidents *incidents);

/* Writes the id of the alert's story into alert->incident: that of its first alert, or its own id.
 */
void incidents_join(struct incidents *incidents, struct alert *alert);
/* The alert, which belongs to its story already, has grown or was loaded: the story goes on. */
void incidents_continue(struct incidents *incidents, const struct alert *alert);
