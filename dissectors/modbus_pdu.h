/* modbus_pdu.h: what Modbus functions mean, whatever carries them (MBAP over TCP and UDP, RTU
 * frames in TCP or UDP).
 *
 * A PDU is the function code and its data. The framings know transaction and unit; here are the
 * functions, their items, values and limits, and the match of a response with its request. */
#pragma once

#include "dissector.h"

enum { MODBUS_PDU_MAX = 253 }; /* [MB] 4.1 */

/* What the framing knows of one PDU. */
struct modbus_adu {
    uint8_t unit;
    bool has_transaction; /* RTU has none: requests and responses alternate */
    uint16_t transaction;
    bool is_serial; /* unit 0 is broadcast; with MBAP it is the device itself */
};

/* State of one flow, for both framings. */
enum { MODBUS_ASKED_RECENTLY = 8 };
enum modbus_roles {
    ROLES_UNDECIDED,
    ROLES_AS_OPENED, /* who opened the connection asks */
    ROLES_REVERSED,  /* who opened it answers: a device that dials in */
};
struct modbus_state {
    enum modbus_roles roles;
    bool has_request;
    uint16_t last_transaction;
    uint16_t first, next; /* a client that never changes its transaction: responses come in order */
    struct modbus_asked_key {
        uint16_t transaction, order;
        uint8_t unit, function;
        bool is_used;
    } recent[MODBUS_ASKED_RECENTLY]; /* to tell a wrong answer from an unasked one */
    uint8_t recent_next;
};

/* Emits the PDU's event and violations. d->state is a struct modbus_state. */
void modbus_pdu_dissect(struct dissect *d, const struct modbus_adu *adu, struct reader pdu);

/* "0" ... "255". */
struct text modbus_unit_text(uint8_t unit);
