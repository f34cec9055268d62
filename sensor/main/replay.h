/* replay.h: the event history of a store through the judges of a sensor, with nothing kept: what a
 * policy or a baseline would have raised.
 *
 * The history counts what is alike in ten minutes, so pace, silence, the order of commands and
 * connections per minute cannot be judged from it; breaches of protocols are no part of it. */
#pragma once

#include "rules/history.h"
#include "rules/site.h"
#include "sensor/base/config.h"

#include <stdio.h>

struct replay_options {
    const struct config *config; /* borrowed: the sensor's name, limits */
    struct site *site;
    struct store *history;  /* read only */
    struct store *baseline; /* judged by; its decisions are those of the history's store. NULL:
                               everything is learned */
    uint64_t rows_max;      /* of the history, the newest; 0: all */
};

/* Alerts go to `alerts` as JSON lines. */
bool replay(const struct replay_options *options, FILE *alerts, struct history_span *span,
            struct error *err) NODISCARD;
