/* classifier.h: nDPI's name for what none of our dissectors claims. The only place that knows its
 * API (nDPI 4.2). */
#pragma once

#include "flow.h"

struct classifier;

/* flows_max: how many undecided flows are followed at once. NULL when nDPI cannot be started. */
struct classifier *classifier_create(uint32_t flows_max);
void classifier_destroy(struct classifier *c);

/* Shows a packet of a flow to nDPI. Returns the protocol's name (static, lower case) once it is
 * known, else NULL. *is_finished: no more packets are wanted. */
const char *classifier_packet(struct classifier *c, struct flow *f, const struct packet *p,
                              struct counters *counters, bool *is_finished);
/* The flow ends: forgets what nDPI holds of it. */
void classifier_release(struct classifier *c, struct flow *f);
