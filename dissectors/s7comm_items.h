/* s7comm_items.h: the variables that a PDU names, and the values beside them. */
#pragma once

#include "s7comm.h"

/* What stands in the data part for each address of the parameter. */
enum s7comm_values {
    S7COMM_VALUES_NONE,     /* nothing: a read request */
    S7COMM_VALUES_TO_WRITE, /* a data item: a write request */
    S7COMM_VALUES_READ,     /* a data item whose first byte is a return code: a read response */
    S7COMM_VALUES_RESULTS,  /* a return code: a write response */
};

/* Reads `count` addresses from list and what belongs to them from data, into event->items. Sets the
 * status of a response to that of its first refused item, and the operation of writes. Emits
 * violations. */
void s7comm_items(struct dissect *d, struct ot_event *event, struct reader list, unsigned count,
                  struct reader data, enum s7comm_values values);

/* The same for an answer whose request was not seen: values without addresses. */
void s7comm_items_unasked(struct dissect *d, struct ot_event *event, unsigned count,
                          struct reader data, enum s7comm_values values);

/* Items of a variable table (userdata group 1): list: | count 2 | addresses, 6 each |, of values to
 * write the data items behind them; data: of other values, from the first on. */
void s7comm_items_table(struct dissect *d, struct ot_event *event, struct reader list,
                        struct reader data, enum s7comm_values values);
