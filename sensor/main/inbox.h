/* inbox.h: what people decided about the baseline, on its way from the core thread to a worker
 * thread. Any two threads. */
#pragma once

#include "baseline/rows.h"

#include <stdbool.h>

struct inbox;

struct inbox *inbox_create(void); /* NULL: out of memory */
void inbox_destroy(struct inbox *inbox);

/* Is there no room for another one? Only inbox_put takes room. */
bool inbox_is_full(struct inbox *inbox);
/* Copies it. Not when the inbox is full. */
void inbox_put(struct inbox *inbox, const struct baseline_decision *decision);

/* Takes all out, oldest first. Costs one look when there is nothing. */
void inbox_take(struct inbox *inbox,
                void (*take)(void *context, const struct baseline_decision *decision),
                void *context);
