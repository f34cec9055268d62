/* advice.h: per alert type what to check next, and how long without a repeat an alert stays open
 * (advice.def). */
#pragma once

#include "sensor/base/finding.h"

struct advice {
    const char *soc, *plant; /* one sentence each */
    int64_t quiet_ns;        /* an alert that has not grown for this long closes */
};

const struct advice *advice_of(enum detection detection);
