/* opcua_services.h: what the services, methods and attributes of OPC UA mean. */
#pragma once

#include "opcua_types.h"

enum ua_service_id { /* request of a service, as its type id in namespace 0 */
                     UA_SERVICE_FAULT = 397,
                     UA_FIND_SERVERS = 422,
                     UA_GET_ENDPOINTS = 428,
                     UA_REGISTER_SERVER = 437,
                     UA_OPEN_SECURE_CHANNEL = 446,
                     UA_CLOSE_SECURE_CHANNEL = 452,
                     UA_CREATE_SESSION = 461,
                     UA_ACTIVATE_SESSION = 467,
                     UA_ADD_NODES = 488,
                     UA_ADD_REFERENCES = 494,
                     UA_DELETE_NODES = 500,
                     UA_DELETE_REFERENCES = 506,
                     UA_BROWSE = 527,
                     UA_TRANSLATE_BROWSE_PATHS = 554,
                     UA_REGISTER_NODES = 560,
                     UA_UNREGISTER_NODES = 566,
                     UA_READ = 631,
                     UA_HISTORY_READ = 664,
                     UA_WRITE = 673,
                     UA_HISTORY_UPDATE = 700,
                     UA_CALL = 712,
                     UA_CREATE_MONITORED_ITEMS = 751,
                     UA_CREATE_SUBSCRIPTION = 787,
                     UA_SET_PUBLISHING_MODE = 799,
                     UA_PUBLISH = 826,
                     UA_REPUBLISH = 832,
                     UA_TRANSFER_SUBSCRIPTIONS = 841,
                     UA_DELETE_SUBSCRIPTIONS = 847,
                     UA_REGISTER_SERVER_2 = 12211,
};

struct ua_service {
    uint16_t request, response; /* type ids */
    enum operation operation;
    const char *name;
};

/* The service of a request's or response's type id; NULL: not a service that we know. */
const struct ua_service *ua_service_of(uint32_t id);

/* What calling a method does. */
struct ua_method {
    uint16_t id;
    enum operation operation;
    const char *name;
};
/* NULL: not a standard method that we know. */
const struct ua_method *ua_method_of(const struct ua_node_id *id);

enum { UA_ATTRIBUTE_VALUE = 13 };
/* "value", "browse_name"; "attribute" when the number is unknown. */
const char *ua_attribute_name(uint32_t attribute);
