/* opcua_message.h: one service message of OPC UA while it is read. */
#pragma once

#include "opcua_services.h"

enum {
    UA_FACTS_MAX = 8,
    UA_ITEMS_MAX = 512, /* of one message; greater ones count the rest */
};

struct ua_message {
    struct dissect *d;
    struct ua ua; /* at the body behind the header */
    struct ot_event event;
    const struct ua_service *service;
    bool is_response;
    uint32_t request_id;
    uint32_t subscription; /* of a request for monitored items, and of its response */
    struct ot_item *items; /* of the event; in a response those of its request, when it was seen */
    struct ot_fact facts[UA_FACTS_MAX];
};

/* Room for the items of an array of `total` elements. */
void ua_items(struct ua_message *m, uint32_t total);
/* Adds a fact about the sender; an empty value is none. */
void ua_fact(struct ua_message *m, enum fact_kind kind, struct text value);

/* Keeps service and items of a request for its response. */
void ua_remember(struct ua_message *m);
/* Gives them to the response: items with names, and operation and status by them. The service that
 * was asked; NULL: the request was not seen. */
const struct ua_service *ua_recall(struct ua_message *m);

/* Body behind the request or response header, as far as the service has something to tell. */
void ua_service_items(struct ua_message *m);    /* nodes, values, methods: opcua_items.c */
void ua_service_identity(struct ua_message *m); /* who speaks, and who logs in: opcua_identity.c */
/* What a value that was read of a standard node tells about the server. */
void ua_identity_of_value(struct ua_message *m, const struct ot_item *item,
                          const struct ua_object *object);
