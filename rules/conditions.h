/* conditions.h: what devices tell about their own health: faults, restarts, degraded cyclic data,
 * changed modules, refused commands.
 *
 * Most of it is told again and again while it lasts, and much of it for years: what counts is the
 * change. A state that a device had when it was first seen is its normal one. Owned by one worker;
 * bounded; no allocation after conditions_create. */
#pragma once

#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"

struct condition {
    enum detection detection;
    const char *phrase;       /* after the device's name; %O the object, %T the other side */
    const char *expected;     /* static */
    char object[FINDING_KEY]; /* what exactly */
    const char *key;          /* static: tells causes of one device apart */
    bool is_actor_client;     /* a client did it to the device: a refused command */
    bool has_target;
};

enum { CONDITIONS_MAX = 4 }; /* one event can tell several */

struct conditions;

/* NULL when there is no memory. */
struct conditions *conditions_create(size_t devices_max);
void conditions_destroy(struct conditions *c);

/* Takes the event in. Returns how many of `found` have just become true. */
unsigned conditions_event(struct conditions *c, const struct ot_event *e,
                          struct condition found[CONDITIONS_MAX]);
/* A break in the numbers of cyclic data: several in a row mean lost cycles. True: told as such now.
 * *is_cyclic: the protocol's numbers are those of cycles, so that the break is no breach. */
bool conditions_violation(struct conditions *c, const struct violation *v, bool *is_cyclic,
                          struct condition *found);

/* Words for a fault among the operating modes that a device tells. */
bool condition_is_fault(const char *mode);
