/* conformance.h: breaches of a protocol's specification and single odd events, as detections with
 * their words. */
#pragma once

#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"

struct conformance_finding {
    enum detection detection;
    const char *phrase; /* %T the other side, %O what or why */
    const char *thing;  /* for %O when the event names nothing */
    const char *expected;
    bool is_actor_server;
};

/* Events without any of these flags need no look. */
enum {
    CONFORMANCE_FLAGS = OT_NO_REQUEST | OT_BROADCAST | OT_ECHO_DIFFERS | OT_HAS_CREDENTIAL | OT_WEAK
};

/* False: nothing to tell, or the sensor may have missed what explains it. */
bool conformance_of_event(const struct ot_event *e, struct conformance_finding *f);
bool conformance_of_violation(const struct violation *v, struct conformance_finding *f);

/* Whether something that nobody recognises was sent to a port where it does not belong. is_guess:
 * no dissector has named it, and what a few datagrams look like is not sure. */
bool conformance_is_unknown(const struct finding *f, bool is_guess);
/* To a service that speaks `served` that is a broken message, whatever else it may have been. */
void conformance_of_unknown(struct finding *f, const char *served);
