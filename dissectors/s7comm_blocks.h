/* s7comm_blocks.h: jobs that move, insert, delete or run program blocks. */
#pragma once

#include "s7comm.h"

/* The functions 0x1a-0x1f, 0x28 and 0x29. Parameter and data stand behind the function code. */
void s7comm_blocks_request(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event);

/* Their answers; request is NULL when it was not seen. */
void s7comm_blocks_response(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event,
                            const struct s7comm_request *request);

/* "OB1" of a name's type and number as in "0800001" (7 characters or more); the name itself when it
 * is not one of a block. */
struct text s7comm_block_name(struct dissect *d, struct text name);
/* "OB", "SDB"; NULL for an unknown type. */
const char *s7comm_block_type(uint8_t type);

/* Sets the event's one item to a block or file. Returns it, NULL when the arena is full. */
struct ot_item *s7comm_block_item(struct dissect *d, struct ot_event *event, struct text name);
