/* s7comm_groups.h: what the payload of each userdata group says. */
#pragma once

#include "s7comm.h"

enum s7comm_group {
    S7COMM_GROUP_MODE = 0,
    S7COMM_GROUP_PROGRAMMER = 1,
    S7COMM_GROUP_CYCLIC = 2,
    S7COMM_GROUP_BLOCK = 3,
    S7COMM_GROUP_CPU = 4,
    S7COMM_GROUP_SECURITY = 5,
    S7COMM_GROUP_PBC = 6,
    S7COMM_GROUP_TIME = 7,
    S7COMM_GROUP_NC = 15,
    S7COMM_GROUPS = 16,
};

enum s7comm_type {
    S7COMM_TYPE_PUSH,
    S7COMM_TYPE_NC_PUSH = 3,
    S7COMM_TYPE_REQUEST,
    S7COMM_TYPE_NC_REQUEST = 7,
    S7COMM_TYPE_RESPONSE,
    S7COMM_TYPE_NC_RESPONSE = 11
};

enum {
    S7COMM_ASKED_MAX = REMEMBER_MAX - 4, /* bytes of a request's payload kept for its answer */
    S7COMM_ASKED_FEW = 16,               /* where no addresses are in it */
};

struct s7comm_userdata {
    uint8_t type, group, sub;
    uint8_t sequence;  /* of an answer: the job's number */
    uint8_t unit;      /* of data that comes in several PDUs; 0: all is here */
    bool is_continued; /* more follow */
    struct reader payload;
};

/* What an answer may need of its request. */
struct s7comm_asked {
    uint8_t operation; /* enum operation, as found out from the request */
    uint16_t size;     /* of what is kept of the payload */
    uint8_t payload[S7COMM_ASKED_MAX];
};

/* Of it with its payload. */
static inline size_t s7comm_asked_size(const struct s7comm_asked *asked)
{
    return offsetof(struct s7comm_asked, payload) + asked->size;
}

static inline bool s7comm_is_request(const struct s7comm_userdata *u)
{
    return u->type == S7COMM_TYPE_REQUEST || u->type == S7COMM_TYPE_NC_REQUEST;
}

static inline bool s7comm_is_response(const struct s7comm_userdata *u)
{
    return u->type == S7COMM_TYPE_RESPONSE || u->type == S7COMM_TYPE_NC_RESPONSE;
}

/* The name of a sub-function and its class; NULL: unknown. */
struct s7comm_service {
    const char *name;
    enum operation operation;
};
const struct s7comm_service *s7comm_service_of(uint8_t group, uint8_t sub);

/* Sets what the payload says: items, facts, transfer, detail, secret, and a graver class where it
 * shows one. asked: of an answer whose request was seen, else NULL. */
void s7comm_groups_dissect(struct dissect *d, struct ot_event *event,
                           const struct s7comm_userdata *u, const struct s7comm_asked *asked);
