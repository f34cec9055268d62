/* value_list.h: several values of different kinds that one item has: a list, the fields of a
 * structure, the arguments of a call. */
#pragma once

#include "dissector.h"

enum { VALUE_LIST_MAX = 64 }; /* kept; of more the item's count tells */

/* Begin with count 0; the array need not be cleared. */
struct value_list {
    uint32_t count;
    struct ot_values values[VALUE_LIST_MAX];
};

/* Of an array the first value; what has no value or is longer than 65535 bytes is left out. */
void value_list_add(struct value_list *list, const struct ot_values *values);
/* All values of an item, those of an array one by one; of bits the first. */
void value_list_add_each(struct value_list *list, const struct ot_item *item);
/* Without a copy: the place of the next value, empty, or NULL when there is none left; and that
 * what was put there is the next value. */
struct ot_values *value_list_next(struct value_list *list);
void value_list_keep(struct value_list *list);

/* Makes them the item's: the first its values, unless it has some already, the others further ones,
 * copied into packet memory. When that is full there are no further ones. */
void value_list_put(struct dissect *d, const struct value_list *list, struct ot_item *item);
