/* flooded.h: what is found of single datagrams in a flood is part of the flood: protocols that do
 * not belong on the port, first contacts, answers that look like contacts the other way round. So
 * are connections to one service from ever other addresses: who floods makes them up.
 *
 * Owned by the core; bounded; no allocation after flooded_create. */
#pragma once

#include "sensor/base/finding.h"

struct flooded;

/* sink: who is told of a flood from addresses that are made up. NULL when there is no memory. */
struct flooded *flooded_create(const struct finding_sink *sink);
void flooded_destroy(struct flooded *x);

/* Takes every finding in the order in which they are told. True: it says no more than a flood that
 * was told of the same two hosts, or of the same service, within FLOODED_S seconds; or than one
 * from made-up addresses that goes on. */
enum { FLOODED_S = 60 };
bool flooded_covers(struct flooded *x, const struct finding *f);
