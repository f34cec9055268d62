/* site_audit.h: the store remembers the site policy that was in force last; another one is told as
 * audit.policy-changed, with what was added and removed. */
#pragma once

#include "rules/site.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

/* Compares, tells the sink when it is another one, and posts it to be remembered: then true. The
 * first policy of a store is no change to tell. */
bool site_audit(const struct site *site, struct store *store, struct store_queue *queue,
                int64_t time_ns, const struct finding_sink *sink);
