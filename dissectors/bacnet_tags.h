/* bacnet_tags.h: BACnet's tagged encoding ([135] 20.2): tags, values, objects and properties. */
#pragma once

#include "dissector.h"

#define BACNET_NO_INDEX UINT32_MAX

enum bacnet_type { /* [135] 20.2.1.4: application tags */
                   BACNET_NULL,
                   BACNET_BOOLEAN,
                   BACNET_UNSIGNED,
                   BACNET_SIGNED,
                   BACNET_REAL,
                   BACNET_DOUBLE,
                   BACNET_OCTETS,
                   BACNET_STRING,
                   BACNET_BITS,
                   BACNET_ENUMERATED,
                   BACNET_DATE,
                   BACNET_TIME,
                   BACNET_OBJECT,
};

struct bacnet_tag {
    uint8_t number;
    bool is_context, is_opening, is_closing;
    uint8_t boolean;       /* of an application tag BOOLEAN, which has no content */
    struct reader content; /* empty for opening and closing tags */
};

/* Reads a tag and its content. False (and the reader short) when it is cut off or no tag. */
bool bacnet_tag_read(struct reader *r, struct bacnet_tag *tag);
/* What the next tag is, without moving. False when there is none. */
bool bacnet_tag_peek(const struct reader *r, struct bacnet_tag *tag);

/* The next element when it is a context tag `number` with primitive content; else false, and
 * nothing moves. */
bool bacnet_context(struct reader *r, uint8_t number, struct reader *content);
bool bacnet_context_number(struct reader *r, uint8_t number, uint32_t *value);
bool bacnet_application(struct reader *r, enum bacnet_type type, struct reader *content);
bool bacnet_application_number(struct reader *r, enum bacnet_type type, uint32_t *value);
/* The next element when it is the opening (closing) tag `number`. */
bool bacnet_opening(struct reader *r, uint8_t number);
bool bacnet_closing(struct reader *r, uint8_t number);
/* Everything between the opening tag `number` and its closing tag; false when the next element is
 * no such opening tag. A missing closing tag makes the reader short. */
bool bacnet_enclosed(struct reader *r, uint8_t number, struct reader *content);
/* Whether tags nest, match and end where the reader ends. */
bool bacnet_is_balanced(struct reader r);
/* Without the zeros that fill a short Ethernet frame: those behind the last tag that is in no
 * other. For frames whose length was not recorded. */
struct reader bacnet_without_padding(struct reader r);

/* An unsigned number of 1 to 4 bytes. */
uint32_t bacnet_unsigned(struct reader content);
/* The text of a character string as UTF-8: of that set borrowed, of UCS-2, UCS-4 and ISO 8859-1 in
 * packet memory; empty for other character sets. */
struct text bacnet_string(struct dissect *d, struct reader content);

/* A property of an object, as requests name it. */
struct bacnet_property {
    uint32_t object;   /* type 10 bits, instance 22 bits */
    uint32_t property; /* BACNET_NO_INDEX: only the object */
    uint32_t index;    /* of an array; BACNET_NO_INDEX: none */
};

static inline uint32_t bacnet_object_type(uint32_t object)
{
    return object >> 22;
}
static inline uint32_t bacnet_object_instance(uint32_t object)
{
    return object & 0x3fffff;
}

/* "analog-value,1 present-value[8]" of packet lifetime; empty when the arena is full. */
struct text bacnet_property_text(struct dissect *d, const struct bacnet_property *p);
