/* flow.h: the bounded table of conversations by segment, transport and both ends.
 * Flows come from slabs and are recycled; when the table is full the least recently used goes.
 * Owned by one worker. */
#pragma once

#include "dissectors/dissector.h"
#include "memory.h"
#include "stream.h"

enum flow_state {
    FLOW_UNDECIDED, /* dissectors are being asked */
    FLOW_CLAIMED,   /* a dissector of ours has it */
    FLOW_OTHER,     /* none of ours: nDPI is being asked */
    FLOW_DONE,      /* nothing more to find out */
};

/* A dissector that works on a flow: the first one on the transport, others on what it carries. */
struct layer {
    const struct dissector *dissector;
    size_t index;  /* of dissector in dissectors[] */
    unsigned over; /* the carrier it sits on */
    void *state;
    size_t state_size; /* more than the dissector's after dissect_grow */
};

enum {
    FLOW_LAYERS = 6,
    FLOW_NAMES = 4, /* protocols, one inside the other, that are told once */
    FLOW_LINE = 64, /* of a processor's cache */
};

/* One direction: A is the sender of the first packet seen. */
struct half {
    struct stream stream;
    uint8_t *buffer; /* bytes of an unfinished PDU, or not yet recognised ones */
    uint32_t used, capacity;
    uint64_t skip;  /* bytes to pass over before the next PDU */
    bool is_lost;   /* framing must be found again */
    bool is_unsure; /* no good PDU since it was lost: broken framing may be our own mistake */
    bool is_weak;   /* undecided: `candidate` could be right */
    bool is_finished;
};

/* The first bytes of a direction whose beginning was not seen, while they make no sense: what
 * belongs before them may have been overtaken by them. */
struct overtaking {
    uint8_t *bytes;
    uint32_t size;
    uint8_t age; /* deliveries since */
};

/* What every packet looks at lies together, in the order it is looked at; what few need comes last.
 */
struct flow {
    _Alignas(FLOW_LINE) struct ot_flow view;
    struct flow *next_in_bucket;
    uint64_t hash;
    uint64_t pair;     /* pair_hash of its ends */
    int64_t listed_ns; /* when it went to the end of the list by last use */
    struct endpoint a;
    bool is_a_client;
    uint8_t state; /* enum flow_state */
    uint8_t payload_packets;
    uint8_t ndpi_packets;
    uint8_t packets;    /* up to SIDES_JUDGED_AT */
    bool is_seen[2];    /* a packet came from A, from B */
    uint8_t broken;     /* framing errors in a row */
    uint8_t first_half; /* that had payload */
    bool has_answered, is_refused;
    bool has_good; /* a PDU was framed: the claim is right, whatever comes */
    bool is_closed;
    uint8_t strange; /* datagrams that no dissector took, since they were reported */
    uint16_t ethertype;
    const char *protocol_name;          /* reported last */
    struct memory_near request;         /* in flight, the last */
    struct memory_answer pair_known[2]; /* what was asked of its pair last; by is_from_client */
    struct half halves[2];              /* [0] from A, [1] from B */
    struct layer layers[FLOW_LAYERS];
    const char *names[FLOW_NAMES]; /* reported */
    uint8_t name_at;               /* of names: where the next one goes */
    struct flow *older, *newer;
    void *ndpi; /* of the classifier */
    const struct dissector *candidate;
    struct overtaking overtaking[2]; /* like halves */
    int64_t reset_ns[2];             /* like halves: when it reset the connection; 0: not */
};

struct flow_table;

/* release: called before a flow is reused, to give its memory back. */
struct flow_table *flow_table_create(uint32_t capacity,
                                     void (*release)(void *context, struct flow *flow),
                                     void *context, struct counters *counters);
void flow_table_destroy(struct flow_table *t);

/* The hash by which the flow of a packet is found. */
uint64_t flow_look(const struct flow_table *t, const struct packet *p);
/* The three look functions ask for memory that flow_find and those after it will need, so that
 * several packets wait for theirs together: the hash's bucket, the flow that most likely is meant
 * (NULL: none), what it points to. Nothing is changed; flows may come and go before flow_find. */
const struct flow *flow_look_on(const struct flow_table *t, uint64_t hash);
void flow_look_in(const struct flow *f);

/* The flow of this packet, whose hash flow_look gave, or NULL when there is none and create is
 * false (or memory is out). *is_new tells; a new flow has only its ends, times and id filled, with
 * A as client. */
struct flow *flow_find(struct flow_table *t, const struct packet *p, uint64_t hash, bool create,
                       bool *is_new);
/* Releases flows that have been silent for long; looks every ten seconds of packet time. */
void flow_expire(struct flow_table *t, int64_t now_ns);
/* Releases one flow at once. */
void flow_close(struct flow_table *t, struct flow *f);
void flow_each(struct flow_table *t, void (*visit)(void *context, struct flow *flow),
               void *context);
uint32_t flow_count(const struct flow_table *t);
