/* s7comm_plus.h: what the parts of the S7comm-plus dissector share.
 *
 * The parts: s7comm_plus.c (framing, fragments, headers), s7comm_plus_functions.c (what requests
 * and responses say), s7comm_plus_value.c (numbers of variable length, typed values, objects).
 * Sections are those of PROTOCOLS 7; there is no public specification by the vendor. */
#pragma once

#include "dissector.h"

enum s7plus_opcode {
    S7PLUS_REQUEST = 0x31,
    S7PLUS_RESPONSE = 0x32,
    S7PLUS_RESPONSE2 = 0x02,
    S7PLUS_NOTIFICATION = 0x33,
};

enum s7plus_function {
    S7PLUS_ERROR = 0x04b1,
    S7PLUS_EXPLORE = 0x04bb,
    S7PLUS_CREATE_OBJECT = 0x04ca,
    S7PLUS_DELETE_OBJECT = 0x04d4,
    S7PLUS_SET_VARIABLE = 0x04f2,
    S7PLUS_GET_VARIABLE = 0x04fc,
    S7PLUS_ADD_LINK = 0x0506,
    S7PLUS_REMOVE_LINK = 0x051a,
    S7PLUS_GET_LINK = 0x0524,
    S7PLUS_SET_MULTI = 0x0542,
    S7PLUS_GET_MULTI = 0x054c,
    S7PLUS_BEGIN_SEQUENCE = 0x0556,
    S7PLUS_END_SEQUENCE = 0x0560,
    S7PLUS_INVOKE = 0x056b,
    S7PLUS_SET_STREAMED = 0x057c,
    S7PLUS_GET_STREAMED = 0x0586,
    S7PLUS_GET_ADDRESSES = 0x0590,
    S7PLUS_ABORT = 0x059a,
    S7PLUS_ERROR2 = 0x05a9,
    S7PLUS_INIT_SSL = 0x05b3,
};

/* Objects, classes and attributes by number (PROTOCOLS 7). */
enum s7plus_id {
    S7PLUS_ID_FIRMWARE = 16,
    S7PLUS_ID_CPU_EXECUNIT = 52,
    S7PLUS_ID_NEW = 211, /* in place of the number that the server will give */
    S7PLUS_ID_NAME = 233,
    S7PLUS_ID_SESSION_NULL = 288, /* what a session is asked for with */
    S7PLUS_ID_SESSION = 287,
    S7PLUS_ID_CLIENT_APPLICATION = 297,
    S7PLUS_ID_CLIENT_HOST = 298,
    S7PLUS_ID_CHALLENGE = 303,
    S7PLUS_ID_CHALLENGE_RESPONSE = 304,
    S7PLUS_ID_VERSION_STRING = 319,
    S7PLUS_ID_PROTECTION = 1842,
    S7PLUS_ID_LEGITIMATE = 1846,
    S7PLUS_ID_SUBSCRIPTION_CONTAINER = 255,
    S7PLUS_ID_SUBSCRIPTION = 1001,
    S7PLUS_ID_OPERATING_STATE_REQUEST = 2167,
    S7PLUS_ID_OPERATING_STATE = 3486,
    S7PLUS_ID_LEGITIMATION_FIRST = 40400,
    S7PLUS_ID_LEGITIMATION_LAST = 40403,
};

enum { S7PLUS_SESSIONS = 4, S7PLUS_SET_UP_REQUESTS = 4 };

/* A message that arrives in several PDUs. */
struct s7plus_fragments {
    bool is_open;
    bool is_lost;    /* no memory for it: its end gives no event */
    uint8_t version; /* of its first PDU */
    size_t size;     /* kept */
    size_t total;    /* seen */
    uint64_t rest;   /* hash over what was not kept */
};

/* Of a flow. */
struct s7plus_state {
    uint32_t sessions[S7PLUS_SESSIONS]; /* opened here, the last one over the first */
    uint8_t session_count, session_next;
    bool is_encrypted; /* TLS was seen */
    bool is_downloading, is_uploading, is_sequence, has_sequence_number;
    uint16_t sequence_number;             /* of the last request */
    struct s7plus_fragments fragments[2]; /* 1: from the client */
    size_t room;                          /* for fragments of a direction; 0 until some come */
    uint8_t bytes[];                      /* twice room */
};

/* Of a request, for its response. */
struct s7plus_request {
    uint16_t function;
    uint8_t operation; /* enum operation */
    bool is_session;   /* it opens or closes the session */
    uint32_t object, attribute;
    uint16_t size; /* of its items' addresses */
    uint8_t body[REMEMBER_MAX - 20];
};

/* One message, without header and digest. */
struct s7plus_message {
    uint8_t version, opcode;
    uint16_t function, sequence;
    uint32_t session;
    struct reader body;
    struct reader whole; /* all of it, for transfers */
    size_t total;        /* its size on the wire; more than whole holds when it was too long */
};

/* --- values --- */

enum { S7PLUS_TAG_OBJECT = 0xa1 }; /* begins an object */

/* Numbers of variable length: 7 bits a byte, highest first; the ninth byte of a long one has 8. */
uint32_t s7plus_number(struct reader *r);
uint64_t s7plus_long(struct reader *r);

/* What is looked for while values and objects are read. */
struct s7plus_found {
    struct text name;    /* first attribute 233 */
    struct text version; /* 319: order number and firmware */
    struct text host, application;
    struct reader blob;   /* the first one */
    size_t blob_greatest; /* bytes */
    uint32_t class_first; /* of the first object */
    uint32_t operating_state;
    bool has_operating_state;
};

/* One value: | flags 1 | type 1 | content |. item may be NULL. False when it is malformed or of an
 * unknown type: what is behind it cannot be read. */
bool s7plus_value(struct dissect *d, struct reader *r, struct ot_item *item,
                  struct s7plus_found *found, unsigned depth);
/* Objects with their attributes, one after another, as far as they can be read. */
void s7plus_objects(struct dissect *d, struct reader *r, struct s7plus_found *found);

/* --- functions --- */

const char *s7plus_function_name(uint16_t function); /* NULL: unknown */
void s7plus_request_said(struct dissect *d, struct ot_event *event, struct s7plus_message *m);
void s7plus_response_said(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                          const struct s7plus_request *request);
void s7plus_notification_said(struct dissect *d, struct ot_event *event, struct s7plus_message *m);
