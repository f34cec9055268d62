/* asset_join.h: two MAC addresses of one device, as it says itself. */
#pragma once

#include "asset.h"

/* Whether s shows that another MAC is of the same device as a, which it is a sighting of. */
bool asset_join_mac(const struct asset *a, const struct sighting *s, struct mac *mac);
/* Whether one asset can have the addresses of both. */
bool asset_join_has_room(const struct asset *a, const struct asset *b);
