/* opcua_types.h: the built-in types of OPC UA in their binary encoding. */
#pragma once

#include "dissector.h"

/* Reads one message body. What is wrong with it is kept, the reader is short from then on. */
struct ua {
    struct dissect *d;
    struct reader r;
    const char *wrong; /* NULL: nothing, or the body simply ended too early */
    enum violation_kind wrong_kind;
    unsigned depth; /* of variants inside variants */
};

enum ua_id_kind { UA_ID_NUMERIC, UA_ID_STRING, UA_ID_GUID, UA_ID_OPAQUE };

struct ua_node_id {
    enum ua_id_kind kind;
    uint16_t space; /* namespace */
    uint32_t number;
    struct text bytes; /* of the other kinds */
};

/* The type id of an extension object and its body. */
struct ua_object {
    struct ua_node_id type;
    struct reader body;
};

/* Notes what is wrong; the first fault stays. */
void ua_fail(struct ua *u, enum violation_kind kind, const char *why);

/* The count of an array whose elements take at least `least` bytes each; 0 for a null array. */
uint32_t ua_count(struct ua *u, size_t least);
/* A String or ByteString; empty when null. */
struct text ua_string(struct ua *u);
struct text ua_localized_text(struct ua *u);
struct text ua_qualified_name(struct ua *u);
struct ua_node_id ua_node_id(struct ua *u);
struct ua_node_id ua_expanded_node_id(struct ua *u);
struct ua_object ua_extension_object(struct ua *u);
void ua_diagnostic_info(struct ua *u);
/* Values, type and count into the item; object receives an extension object (may be NULL). */
void ua_variant(struct ua *u, struct ot_item *item, struct ua_object *object);
/* The same with the status of the item. */
void ua_data_value(struct ua *u, struct ot_item *item, struct ua_object *object);

/* Whether it is this number of namespace 0. */
bool ua_is_standard(const struct ua_node_id *id, uint32_t number);
/* "ns=2;s=Tank.Level", "ns=0;i=2258", with "[range]" behind it when there is one. */
struct text ua_node_text(struct ua *u, const struct ua_node_id *id, struct text range);
/* "bad_user_access_denied"; NULL: not known. */
const char *ua_status_name(uint32_t code);
/* A status as result: what is not bad is ok. */
struct ot_status ua_status(uint32_t code);
