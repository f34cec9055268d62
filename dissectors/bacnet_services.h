/* bacnet_services.h: what BACnet's services say, from their first parameter on. */
#pragma once

#include "bacnet_tags.h"

enum {
    BACNET_ASKED_MAX = 32, /* properties kept of a request; others are only counted */
    BACNET_FACTS_MAX = 16,
    BACNET_ITEMS_INLINE = 4,
};

/* What is kept of a confirmed request until its answer. */
struct bacnet_asked {
    uint8_t service;
    uint8_t operation; /* enum operation */
    uint16_t total;
    uint32_t count;
    struct bacnet_property properties[BACNET_ASKED_MAX];
};

/* One APDU on its way to an event. */
struct bacnet_message {
    struct dissect *d;
    struct ot_event event;
    bool is_confirmed; /* the service is a confirmed one */
    bool is_asked;     /* asked is known: it is this request, or the one that is answered */
    struct reader pdu; /* for violations */
    struct bacnet_asked asked;
    struct ot_item *items;
    uint32_t item_count, item_capacity, items_total;
    struct ot_item few[BACNET_ITEMS_INLINE];
    uint32_t fact_count;
    struct ot_fact facts[BACNET_FACTS_MAX];
};

/* Leaves big arrays as they are: only what counts says is in them. */
void bacnet_message_begin(struct bacnet_message *m, struct dissect *d, struct reader pdu);

/* Name and operation of a service; false: not defined. */
bool bacnet_service_find(struct bacnet_message *m, uint8_t service);
/* The parameters of a request (confirmed or not), and of the acknowledgement of a confirmed one. */
void bacnet_request(struct bacnet_message *m, uint8_t service, struct reader r);
void bacnet_acknowledged(struct bacnet_message *m, uint8_t service, struct reader r);
/* Error class and code, plain or enclosed. */
void bacnet_refused(struct bacnet_message *m, struct reader r);
/* The properties that were asked for, as the items of an answer that does not repeat them. */
void bacnet_put_asked(struct bacnet_message *m);
/* Items and facts become the event's. */
void bacnet_message_end(struct bacnet_message *m);
