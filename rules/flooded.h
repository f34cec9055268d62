/* flooded.h: what is found of single datagrams in a flood is part of the flood: protocols that do
 * not belong on the port, first contacts, answers that look like contacts the other way round.
 *
 * Owned by the core; bounded; no allocation after flooded_create. */
#pragma once

#include "sensor/base/finding.h"

struct flooded;

/* NULL when there is no memory. */
struct flooded *flooded_create(void);
void flooded_destroy(struct flooded *x);

/* Takes every finding in the order in which they are told. True: it says no more than a flood that
 * was told of the same two hosts, or of the same service, within FLOODED_S seconds. */
enum { FLOODED_S = 60 };
bool flooded_covers(struct flooded *x, const struct finding *f);
