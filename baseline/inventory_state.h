/* inventory_state.h: the inside of the inventory, shared by inventory.c and asset_store.c only. */
#pragma once

#include "asset.h"
#include "binding.h"
#include "flood.h"
#include "infrastructure.h"
#include "inventory.h"
#include "masters.h"
#include "scan.h"

enum {
    SEGMENTS_MAX = 1024,
    SEGMENT_NAME_SIZE = 64,
    PENDING_MAX = 4096, /* assets first seen in the last two seconds */
    SAID_MAX = 64,
    RECENT_MAX = 64, /* half-known services */
    DESCRIBED = 64,  /* a power of two */
};

struct inventory_segment {
    char name[SEGMENT_NAME_SIZE];
    uint32_t number; /* the decoder's; the same in every run */
    bool has_number, is_settled, is_dirty;
    int64_t first_ns;
    int64_t observed_ns; /* time with traffic to learn from, over all runs */
    int64_t quiet_ns;    /* of that, since something new was learned */
    int64_t seen_ns;     /* last sighting; 0: none in this run */
};

/* A service of which one half is known: its protocol was recognised before it answered, or it
 * answered on a port of those that come and go (protocol 0). */
struct recent_service {
    uint32_t segment;
    uint8_t transport;
    bool is_used;
    uint16_t protocol;
    struct endpoint server;
};

/* What was told of a device last, kept while the inventory stays as it was: alerts come in bursts
 * and name the same few devices several times each. */
struct described {
    const struct asset *asset; /* NULL: nothing */
    uint64_t at;               /* changes of the inventory then */
    struct asset_brief brief;  /* without its place */
};

struct inventory {
    struct inventory_options options;
    const struct finding_sink *sink;
    struct assets assets;
    struct bindings *bindings;
    struct scans *scans;
    struct floods *floods;
    struct infrastructure *infrastructure;
    struct masters *masters;
    int64_t looked_ns; /* for lost devices */
    struct inventory_segment segments[SEGMENTS_MAX];
    size_t segment_count;
    int64_t now_ns, ticked_ns;
    /* assets whose finding waits for what they turn out to be: a ring in order of first sight */
    uint32_t pending[PENDING_MAX];
    size_t pending_head, pending_count;
    struct recent_service recent[RECENT_MAX]; /* a ring */
    size_t recent_at;
    struct sighting said[SAID_MAX]; /* a ring: names of addresses that nobody has used yet */
    size_t said_next;
    bool is_said;            /* there was one */
    uint64_t said_ips_added; /* when the names were last looked at */
    uint64_t changes;        /* odd while something is changing */
    struct described *described;
};

/* The segment's place by its stored name, made when unknown. The last place takes all that do not
 * fit. */
uint32_t inventory_segment_named(struct inventory *inv, const char *name);

/* What the site policy says of the host; false and empty: nothing. */
bool inventory_place(const struct inventory *inv, const struct endpoint *host, uint16_t vlan,
                     struct site_place *place);
