/* rules_load.c: see rules_load.h. */
#include "rules_load.h"

#include "sensor/base/log.h"

bool rules_load(struct sigma_rules **rules, const struct config *config, struct error *err)
{
    *rules = NULL;
    if (config->rule_files.count == 0)
        return true;
    struct sigma_rules *r = sigma_rules_create();
    bool ok = r != NULL || error_set(err, "out of memory for rules");
    for (size_t i = 0; ok && i < config->rule_files.count; i++)
        ok = sigma_rules_add(r, config->rule_files.items[i], err);
    for (size_t i = 0; ok && i < config->rules_disabled.count; i++)
        if (!sigma_rules_disable(r, config->rules_disabled.items[i]))
            log_warning("rules.disabled: there is no rule %s", config->rules_disabled.items[i]);
    ok = ok && sigma_rules_seal(r, err);
    if (ok)
        *rules = r;
    else
        sigma_rules_destroy(r);
    return ok;
}
