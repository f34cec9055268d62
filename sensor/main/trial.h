/* trial.h: what would be raised: a capture through the whole sensor, without alerts for anybody. */
#pragma once

#include "options.h"
#include "rules/sigma.h"

struct trial {
    const struct sigma_rules *rules; /* instead of the configuration's; NULL: none */
    void (*found)(void *context, const struct finding *f);
    void *context;
};

/* options: files, store (":memory:" keeps nothing) and configuration. */
bool run_trial(const struct run_options *options, const struct trial *trial,
               struct error *err) NODISCARD;
