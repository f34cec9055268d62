/* s7comm_szl.h: system status lists (SZL): what a controller says about itself. */
#pragma once

#include "s7comm.h"

/* The class of reading this list: identify for what the module is, diagnostics for its state. */
enum operation s7comm_szl_operation(uint16_t id);

/* Sets the event's item and class to a list, as asked for. */
void s7comm_szl_item(struct dissect *d, struct ot_event *event, uint16_t id, uint16_t index);

/* A whole list as answered: | id 2 | index 2 | entry size 2 | entries 2 | entries |. Sets the item
 * and the identity facts in it. */
void s7comm_szl_list(struct dissect *d, struct ot_event *event, struct reader list);
