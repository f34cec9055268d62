/* s7comm_times.h: dates and times among the values of variables. */
#pragma once

#include "dissector.h"

/* Makes the value of a "date", "tod" or "dt" (by the item's type) a text, as "2026-11-23". Arrays
 * of them, and what is no time, stay as they are. */
void s7comm_time_value(struct dissect *d, struct ot_item *item);
