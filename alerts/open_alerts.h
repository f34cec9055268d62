/* open_alerts.h: the alerts that may still grow, found by cause. Bounded; in the order in which
 * they last grew. */
#pragma once

#include "alert.h"

#include <stddef.h>

struct open_alerts;

/* NULL: out of memory. */
struct open_alerts *open_alerts_create(size_t max);
void open_alerts_destroy(struct open_alerts *table);

struct alert *open_alerts_find(struct open_alerts *table, const uint8_t cause[CAUSE_SIZE]);
/* A zeroed alert with this cause, as the one that grew last. NULL when the table is full or memory
 * is. */
struct alert *open_alerts_add(struct open_alerts *table, const uint8_t cause[CAUSE_SIZE]);
/* The alert has grown. */
void open_alerts_touch(struct open_alerts *table, struct alert *alert);
/* When its time is over unless it grows; an alert that was added has no end yet. */
void open_alerts_due(struct open_alerts *table, const struct alert *alert, int64_t due_ns);
void open_alerts_remove(struct open_alerts *table, struct alert *alert);

size_t open_alerts_count(const struct open_alerts *table);
/* The one that has not grown for longest, and the one after it; NULL at the end. */
struct alert *open_alerts_oldest(struct open_alerts *table);
struct alert *open_alerts_next(struct open_alerts *table, const struct alert *alert);
/* Those whose time was over before now_ns, in this order too, in a list that lasts until the next
 * call; next_ns: when the time of the next one is, INT64_MAX when there is none. */
struct alert *const *open_alerts_over(struct open_alerts *table, int64_t now_ns, size_t *count,
                                      int64_t *next_ns);
