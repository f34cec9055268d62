/* rules_load.h: the rules that the configuration names. */
#pragma once

#include "rules/sigma.h"
#include "sensor/base/config.h"

/* Reads rules.files, switches rules.disabled off and seals. *rules is NULL when the configuration
 * names none; otherwise the caller destroys them. */
bool rules_load(struct sigma_rules **rules, const struct config *config,
                struct error *err) NODISCARD;
