/* patterns.h: what known attack software does to controllers, as sequences of requests of one
 * client to one device. Table driven; every row says where the behaviour is documented.
 *
 * Tools of engineers can do the same: a pattern is only a match from a client that is not at home
 * here (policy asks the baseline), and the alert says "as ... does", never "is". Owned by one
 * worker; bounded; no allocation after patterns_create. */
#pragma once

#include "sensor/base/ot_event.h"

struct pattern_match {
    const char *id;     /* "industroyer-iec104" */
    const char *phrase; /* after the actor's name, %T the target */
    const char *source; /* where it is documented */
    uint32_t requests;  /* that made it */
};

struct patterns;

/* NULL when there is no memory. */
struct patterns *patterns_create(size_t pairs_max);
void patterns_destroy(struct patterns *p);

/* Requests that are part of no pattern need no call. */
bool patterns_is_candidate(const struct ot_event *e);
/* Takes a request in. True when it completes a pattern: each once an hour and pair. */
bool patterns_event(struct patterns *p, const struct ot_event *e, struct pattern_match *match);
