/* presence.h: which devices are there, each by its own rhythm, and which have fallen silent
 * (asset.lost).
 *
 * A device that was heard again and again, and never paused for long, is missed when its silence
 * is longer than several of its longest pauses. A controller is missed after an hour of presence;
 * what may be a laptop only after a day without a longer pause. What was not observed counts for
 * nobody: timers begin anew in each run, and stand still while nothing at all is heard. */
#pragma once

#include "asset.h"

#include <stdbool.h>

/* It was heard. learns: longer pauses are normal from now on. */
void presence_heard(struct asset *a, int64_t time_ns, bool learns);
/* True when it has just become lost. Asked about once a minute. */
bool presence_is_lost(struct asset *a, int64_t time_ns);
/* Nothing was heard of anybody until now. */
void presence_blind(struct asset *a, int64_t time_ns);
/* Writes the finding's words; actor, time and kind are the caller's. */
void presence_words(const struct asset *a, int64_t time_ns, struct finding *f);
