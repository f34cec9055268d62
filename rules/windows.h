/* windows.h: maintenance windows of the site's policy. What a window permits becomes a
 * change.maintenance-record instead of an alert; what was done is kept in the store, and told in a
 * sentence when the window ends.
 *
 * Owned by the core thread; few and rare: it may allocate. Bounded. */
#pragma once

#include "rules/site.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

struct windows;

/* queue may be NULL: nothing is kept. NULL: out of memory. */
struct windows *windows_create(const char *sensor, struct store_queue *queue);
void windows_destroy(struct windows *w);

/* Changes a finding that a window permits into its record; false: none does. */
bool windows_permit(struct windows *w, const struct site *site, struct finding *f);
/* Once per second of packet time: windows that have ended are reported to the sink, those without
 * any action in silence. */
void windows_tick(struct windows *w, int64_t time_ns, const struct finding_sink *sink);

extern const struct store_schema windows_schema;

/* What was done in windows, oldest first, for `policy report`. */
struct window_action {
    const char *window, *ticket;
    int64_t start_ns, end_ns;
    bool has_ended;
    /* of the action; actor NULL: nothing was done in this window */
    const char *actor, *target, *rule, *operation, *object, *outcome, *sha256;
    int64_t count, size, first_ns, last_ns;
};
bool windows_report(struct store *store, const char *sensor, const char *window,
                    void (*put)(void *context, const struct window_action *action), void *context,
                    struct error *err) NODISCARD;
