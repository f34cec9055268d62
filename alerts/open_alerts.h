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
void open_alerts_remove(struct open_alerts *table, struct alert *alert);

size_t open_alerts_count(const struct open_alerts *table);
/* The one that has not grown for longest, and the one after it; NULL at the end. */
struct alert *open_alerts_oldest(struct open_alerts *table);
struct alert *open_alerts_next(struct open_alerts *table, const struct alert *alert);
