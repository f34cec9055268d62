/* overtaking.h: the first bytes of a direction that was picked up without its beginning, kept for a
 * while: when the segment before them comes after them, the PDU that lies in both is whole. */
#pragma once

#include "flow.h"

enum { OVERTAKING_MAX = 4096 };

/* Keeps bytes that continue what is kept, or are the first. All is dropped when it gets too long.
 */
void overtaking_append(struct overtaking *o, struct pool *pool, const uint8_t *bytes, size_t size);
/* Puts bytes before what is kept. False: no room; nothing is kept then. */
bool overtaking_prepend(struct overtaking *o, struct pool *pool, const uint8_t *bytes, size_t size);
/* Other bytes were delivered; what is kept goes after a few. */
void overtaking_ages(struct overtaking *o, struct pool *pool);
void overtaking_drop(struct overtaking *o, struct pool *pool);
