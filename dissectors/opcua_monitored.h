/* opcua_monitored.h: which node a monitored item of a subscription is. Notifications only have the
 * number that the client gave it. */
#pragma once

#include "dissector.h"

enum {
    UA_MONITORED_OFFSET = 160,  /* in the state of a flow, behind what opcua.c has there */
    UA_MONITORED_HEAD_SIZE = 8, /* of it in a flow without subscriptions */
};

/* Keeps the name under subscription and handle; the latest counts. The state of the flow moves. */
void ua_monitored_learn(struct dissect *d, uint32_t subscription, uint32_t handle,
                        struct text name);
/* The name as text of packet lifetime; empty: not known. */
struct text ua_monitored_name(struct dissect *d, uint32_t subscription, uint32_t handle);
/* A new connection has none. */
void ua_monitored_forget(struct dissect *d);
