/* audit.h: the store remembers what was in force last: the configuration, the site policy, the
 * rules, the indicators, the users of the console. What differs is told as audit.policy-changed,
 * with what was added and removed. */
#pragma once

#include "rules/indicators.h"
#include "rules/sigma.h"
#include "rules/site.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

struct audit {
    struct store *store; /* read */
    struct store_queue *queue;
    const struct finding_sink *sink;
    int64_t time_ns;
};

/* Each compares, tells when it is another one, and posts it to be remembered: then true. The first
 * of a store is no change to tell. */
bool audit_site(const struct audit *audit, const struct site *site);
/* text: config_print's. */
bool audit_config(const struct audit *audit, const char *text);
/* NULL: none. */
bool audit_rules(const struct audit *audit, const struct sigma_rules *rules);
bool audit_indicators(const struct audit *audit, const struct indicators *indicators);
/* Users and tokens that the console keeps in the store. */
bool audit_users(const struct audit *audit);
