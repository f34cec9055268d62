/* dnp3_objects.h: the objects of a DNP3 fragment into items. */
#pragma once

#include "dnp3.h"
#include "dnp3_groups.h"

/* A walk over the object headers of a fragment. First it only counts, so that the items can be
 * taken in one piece. */
struct dnp3_walk {
    struct dissect *d;
    struct reader frame; /* what tells of a violation */
    uint8_t function;
    bool is_response;
    bool is_counting;
    struct ot_item *items;
    uint32_t room, count, total;
    enum operation operation; /* the gravest meaning of what is read or written */
    uint64_t command_hash;    /* of the commands; 0: none */
    uint64_t echo_hash;       /* of their points without the status, which a response repeats */
    struct ot_status status;  /* of the first command that failed */
    uint8_t control_code;     /* of the first control relay output block */
    bool has_control_code;
    /* free-format objects, the first of each */
    uint8_t file_variation;
    struct reader file;
    bool has_file;
    struct ot_fact *facts;
    uint32_t fact_room, fact_count;
    uint8_t *states; /* the values that two bits have, which the items point to; NULL: none yet */
};

/* objects: what follows the application header. Fills items, operation and the rest. */
void dnp3_objects(struct dnp3_walk *w, struct reader objects);
