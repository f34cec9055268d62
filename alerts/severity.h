/* severity.h: how grave an alert is, 1 to 10, and the sum that leads there (DETECTIONS 1). */
#pragma once

#include "alert.h"

enum { SEVERITY_REASONS_MAX = 10 }; /* the type and every modifier */

struct severity_reason {
    const char *reason; /* static */
    int points;
};

struct severity_sum {
    int severity; /* 1..10 */
    struct severity_reason reasons[SEVERITY_REASONS_MAX];
    int count;
};

void severity_sum(struct severity_sum *sum, enum detection detection, uint32_t flags);
