/* names.h: a name that two devices claim (asset.name-conflict), or one device in two segments
 * (asset.multi-homed). */
#pragma once

#include "asset.h"
#include "sensor/base/ot_event.h"

/* Who else has the name that `a` tells for the first time; NULL: nobody, or the name need not be
 * anybody's alone. Looks at all devices: for new names only. */
const struct asset *names_other(const struct assets *t, const struct asset *a,
                                const struct sighting *s, enum detection *detection);

/* An answer of DNS, mDNS or LLMNR may say whose name an address is: `who` has the address, `name`
 * lies in the packet. False: the item does not, or says it of its sender, whose own fact that is.
 */
bool names_answer(const struct ot_event *e, const struct ot_item *item, struct endpoint *who,
                  struct text *name);
/* Of facts that such an answer gives ("dns answer"): others say it, what a device tells of itself
 * comes first. */
enum { NAMES_SOURCE = 24 };
char *names_source(char out[NAMES_SOURCE], const char *protocol);
bool names_is_hearsay(const char *source);
