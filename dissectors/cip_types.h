/* cip_types.h: CIP elementary data types and how their values stand on the wire. */
#pragma once

#include "reader.h"
#include "sensor/base/ot_event.h"

/* The type at the start of tag data: 16 bits, and a structure's handle behind 0x02a0. */
struct cip_type {
    uint16_t code;
    uint16_t handle;  /* of a structure */
    const char *name; /* "real"; NULL: unknown */
    enum ot_encoding encoding;
    uint8_t size; /* of one element; 0: not fixed */
};

/* Moves r behind the type. Short r: no type. */
struct cip_type cip_type_read(struct reader *r);

/* The elements in the rest of r: of a number type as many as fit, otherwise one text or one run of
 * bytes. */
struct ot_values cip_values(const struct cip_type *type, struct reader r);
