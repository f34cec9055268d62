/* names.h: a name that two devices claim (asset.name-conflict), or one device in two segments
 * (asset.multi-homed). */
#pragma once

#include "asset.h"

/* Who else has the name that `a` tells for the first time; NULL: nobody, or the name need not be
 * anybody's alone. Looks at all devices: for new names only. */
const struct asset *names_other(const struct assets *t, const struct asset *a,
                                const struct sighting *s, enum detection *detection);
