/* modbus_exchange.h: one Modbus PDU while it is dissected; shared by the files that know its parts,
 * and by nobody else.
 *
 *   modbus_pdu.c       who asks, the event, what holds for every function
 *   modbus_match.c     requests remembered, responses matched
 *   modbus_data.c      the data of the functions: items, values, limits
 *   modbus_identity.c  the functions that tell who a device is
 */
#pragma once

#include "modbus_functions.h"
#include "modbus_pdu.h"

enum { MODBUS_RECORDS_MAX = 35 }; /* sub-requests that fit into functions 20 and 21, [MB] 6.14 */

/* What is kept of a request, to tell its response apart and to name what the response carries. */
struct asked {
    uint8_t function;
    uint8_t record_count;
    uint16_t sub;          /* sub-function of 8, MEI type of 43 */
    uint16_t start, count; /* what is read, or written by the functions that only write */
    uint16_t write_start, write_count; /* of function 23 */
    uint16_t value, other;             /* what has to come back: value written, masks */
    struct record {
        uint16_t file, start, count;
    } records[MODBUS_RECORDS_MAX]; /* the first record_count are kept */
};

/* One PDU being dissected. */
struct exchange {
    struct dissect *d;
    const struct modbus_adu *adu;
    const struct modbus_function *function;
    struct ot_event event;
    struct asked asked; /* of the request: being filled in; of a matched response: recalled */
    bool is_matched;
    const uint8_t *pdu;
    size_t pdu_size;
    struct ot_item items[2];
    struct ot_fact facts[2];
};

void exchange_breaks(struct exchange *x, enum violation_kind kind, const char *why);
/* A response that does not repeat what it has to repeat. */
void exchange_echo_differs(struct exchange *x);

/* The next item of at most two; addresses are those of the PDU, from 0. */
struct ot_item *exchange_item(struct exchange *x, unsigned start, unsigned count);
/* An item of what has no address, or whose address was not seen. */
struct ot_item *exchange_unplaced(struct exchange *x);

/* What a byte count announces, or what is there of it. */
struct reader exchange_counted(struct exchange *x, struct reader *r, size_t size);

static inline struct reader exchange_rest(struct reader *r)
{
    return reader_take(r, reader_left(r));
}

/* The data behind the function code, by x->event.direction. r stops where the layout ends. */
void exchange_parse(struct exchange *x, struct reader *r);
/* The exception code, and what it refuses. */
void exchange_exception(struct exchange *x, struct reader *r);
void exchange_server_id(struct exchange *x, struct reader *r);
void exchange_encapsulated(struct exchange *x, struct reader *r);

/* Keeps x->asked for the response. */
void exchange_remember(struct exchange *x);
/* Finds what a response answers: x->asked and x->is_matched. */
void exchange_recall(struct exchange *x, uint8_t function, bool is_exception, struct reader data);
