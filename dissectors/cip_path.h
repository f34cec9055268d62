/* cip_path.h: a CIP path (EPATH): what a message is for, and the way to it. */
#pragma once

#include "dissector.h"
#include "reader.h"

enum {
    CIP_CLASS_NONE =
        0x20000, /* beside the 16 and 32 bits of a wire class: the path names no class */
    CIP_CLASS_SYMBOL = 0x10000, /* the path is a tag name */
    CIP_POINTS_MAX = 3,         /* connection points: configuration, O->T, T->O */
};

struct cip_path {
    uint32_t class_id;     /* the first; CIP_CLASS_SYMBOL for tag paths, CIP_CLASS_NONE without */
    uint32_t target_class; /* the innermost: what the service is done to */
    uint32_t instance;     /* of target_class */
    uint32_t attribute;
    bool has_instance, has_attribute;
    bool is_plain; /* a class, its instance, its attribute, or less of them, and no more */
    uint8_t class_count, symbol_count, index_count;
    uint8_t point_count;
    uint32_t points[CIP_POINTS_MAX]; /* connection points; a class 4 instance before them is the
                                        configuration */
    struct text symbol;              /* the first symbolic segment */
    struct reader route;             /* the port segments at the path's start; empty: none */
    struct reader bytes;             /* the whole path */
};

/* Reads a path. Returns NULL, or why it is not one (static); what was read until then stays in
 * path. */
const char *cip_path_read(struct reader r, struct cip_path *path);

/* The object as people say it: tag "Program:Main.Speed[3]", else "0x8b/1/6" (class, instance,
 * attribute). Borrowed from the packet when it stands there as it is, else from the packet's arena.
 */
struct text cip_path_name(struct dissect *d, const struct cip_path *path);

/* "class/instance/attribute" of the path's target with another attribute. */
struct text cip_attribute_name(struct dissect *d, uint32_t class_id, uint32_t instance,
                               uint32_t attribute);

/* Port segments as "1/0" or "2/10.0.0.7/1/3": port, link, port, link. Empty for an empty or wrong
 * route. */
struct text cip_route_text(struct dissect *d, struct reader route);
