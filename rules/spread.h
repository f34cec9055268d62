/* spread.h: one who crosses into a zone towards many devices at once does one thing, not one per
 * device: what is told of the devices after the first becomes part of the first.
 *
 * Owned by the core; bounded; no allocation after spread_create. */
#pragma once

#include "sensor/base/finding.h"

struct spread;

/* NULL when there is no memory. */
struct spread *spread_create(void);
void spread_destroy(struct spread *s);

/* Crossings of zones where nothing leads: when the same actor went for another device over the same
 * border within SPREAD_NS, the finding gets that one as its target, and says how many there are. A
 * safety or critical device is told by itself after one that is none.
 * Everything else stays as it is. */
void spread_fold(struct spread *s, struct finding *f);
