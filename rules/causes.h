/* causes.h: raises findings, and keeps floods of one cause cheap: the first few are told at once,
 * then at doubling counts, and what is left when the flood is over.
 *
 * Owned by one worker; bounded; no allocation after causes_create. */
#pragma once

#include "sensor/base/finding.h"

/* What makes a cause, beside the two hosts. All pointers but key and object are static. */
struct cause_of {
    enum detection detection;
    const char *protocol;
    const char *key;
    const char *phrase; /* %T the target, %O the object */
    const char *thing;  /* for %O when object is "" */
    const char *object;
    const char *expected;
    bool is_actor_server; /* the called side did it */
    bool is_alone;        /* what it tells is about the actor only */
    bool is_amount;       /* object says how much, not what: it belongs into the words only */
};

struct causes;

/* NULL when there is no memory. The sink outlives the table. */
struct causes *causes_create(size_t capacity, const struct finding_sink *sink);
void causes_destroy(struct causes *c);

/* Counts one more. True: tell it now; *count says how many at once. FINDING_OUTCOME does not count,
 * and is taken from *flags when nothing was told before. */
bool causes_admit(struct causes *c, const struct ot_flow *flow, int64_t time_ns,
                  const struct cause_of *of, uint32_t *flags, uint64_t *count);
/* Writes key, texts, flags and count of an admitted cause into a finding begun with finding_of_*.
 */
void causes_fill(struct finding *f, const struct cause_of *of, uint32_t flags, uint64_t count);
void causes_tell(struct causes *c, const struct finding *f);
/* Tells the rest of the floods that are over (nothing for a minute, or is_last). */
void causes_tick(struct causes *c, int64_t now_ns, bool is_last);
