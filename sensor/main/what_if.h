/* what_if.h: what a site policy or a baseline would have raised, before anybody enforces it: on
 * captures, or on the event history of a store. */
#pragma once

#include "rules/site.h"
#include "sensor/base/config.h"
#include "sensor/base/store.h"
#include "web/web.h"

#include <stdio.h>

enum { WHAT_IF_CAPTURES_MAX = 64 };
enum what_if { WHAT_IF_POLICY, WHAT_IF_BASELINE };

/* Reads the captures with nothing kept and everything learned, and writes what the policy would
 * have raised: a line for each type with its count, then the alerts. */
bool what_if_captures(struct site *site, const struct config *config, const char *const *captures,
                      size_t count, FILE *out, struct error *err) NODISCARD;

/* The same over what the store remembers. With a baseline (a store, which may be the same one) its
 * learned state is enforced, otherwise the site policy. Says so when there is no history. */
bool what_if_history(enum what_if subject, struct site *site, const struct config *config,
                     struct store *history, struct store *baseline, FILE *out,
                     struct error *err) NODISCARD;

/* The same for the console: what the policy would have raised, with the counts that what_if_history
 * prints. */
json_t *what_if_trial(const struct web_trial *trial, struct error *err);
