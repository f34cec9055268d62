/* rules_trial.h: Sigma rules over what a store remembers: what they would have matched. */
#pragma once

#include "history.h"
#include "sigma.h"

/* range NULL: all of the sensor's history. found is called for every match, in order of time. */
bool rules_trial(const struct sigma_rules *rules, struct store *store, const char *sensor,
                 const struct history_range *range,
                 void (*found)(void *context, const struct finding *f), void *context,
                 struct history_span *span, struct error *err) NODISCARD;
