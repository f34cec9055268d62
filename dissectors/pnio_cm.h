/* pnio_cm.h: parts of PROFINET IO context management: pnio_cm.c takes the RPC off, pnio_blocks.c
 * reads what is in it, pnio_identity.c what a device tells about itself. */
#pragma once

#include "dissector.h"

enum pnio_operation {
    PNIO_CONNECT,
    PNIO_RELEASE,
    PNIO_READ,
    PNIO_WRITE,
    PNIO_CONTROL,
    PNIO_READ_IMPLICIT,
    PNIO_OPERATIONS,
};

enum { PNIO_FACTS_MAX = 12, PNIO_PARTS_MAX = 48, PNIO_ITEMS_MAX = 64 };

/* One RPC call or answer under dissection. */
struct pnio {
    struct dissect *d;
    struct ot_event event;
    bool is_request;
    struct ot_item *items;
    uint32_t room;
    struct ot_fact facts[PNIO_FACTS_MAX];
    struct ot_part *parts; /* NULL: none yet */
    uint32_t part_room;
};

/* NULL: no room; counted all the same. */
struct ot_item *pnio_next_item(struct pnio *p);
/* Empty values are left out; the text must live as long as the call. */
void pnio_add_fact(struct pnio *p, enum fact_kind kind, struct text value);
/* What stands in a slot, by its identification numbers. Of slot 0, which is the device itself, and
 * of more than PNIO_PARTS_MAX nothing is told. */
void pnio_add_part(struct pnio *p, uint16_t slot, uint16_t subslot, uint32_t module,
                   uint32_t submodule);
/* Text without the blanks and zeros at its end. */
struct text pnio_trimmed(struct reader r);

/* The blocks of one call: items, facts, detail and the operation class of the event. */
void pnio_blocks(struct pnio *p, struct reader r);

/* A block that tells who the device is; false: it is none. `body` begins after the version. */
bool pnio_identity(struct pnio *p, uint16_t type, struct reader body);
/* The values of an item that is a whole I&M record 1, 2 or 3: its texts; false: something else. */
bool pnio_identity_values(struct pnio *p, struct ot_item *item, struct reader record);
/* The text that a device writes beside its end point. */
void pnio_annotation(struct pnio *p, struct text annotation);

/* Records by index. NULL: no name. */
const char *pnio_record_name(uint16_t index);
enum operation pnio_record_operation(uint16_t index, bool is_write);
