/* bacnet_values.h: the value of a property, or the values where it is a list or an array. */
#pragma once

#include "bacnet_tags.h"

/* Sets type and values of the item from what stands between an opening and a closing tag. Of a list
 * of simple values (object lists, priority arrays, date with time) the first is the item's and the
 * others are further ones; of constructed values the bytes are shown. */
void bacnet_put_values(struct dissect *d, struct reader content, struct ot_item *item);

/* "2026-11-23T08:15:00.00" of a date and a time (both application tags); "*" stands where any would
 * do. Empty when they are not there or the arena is full. */
struct text bacnet_date_time(struct dissect *d, struct reader *r);
