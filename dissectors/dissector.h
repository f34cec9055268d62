/* dissector.h: what a protocol answers, and what the sensor offers it.
 *
 * A protocol is one .c file that ends with a constant `struct dissector dissector_<name>`, and one
 * line in dissectors.def. It recognises its PDUs, frames them, and dissects them into events and
 * violations. It has no counters, no logging, no allocation and no state but what the sensor lends
 * it through struct dissect. */
#pragma once

#include "reader.h"
#include "sensor/base/arena.h"
#include "sensor/base/ot_event.h"

/* What a dissector sits on; one may sit on several. */
enum over {
    OVER_TCP = 1 << 0,
    OVER_UDP = 1 << 1,
    OVER_ETHERTYPE = 1 << 2,
    OVER_COTP = 1 << 3,   /* user data of a COTP DT, reassembled */
    OVER_MODBUS = 1 << 4, /* Modbus PDU from the function code on */
    OVER_ENIP = 1 << 5,   /* CIP message in an EtherNet/IP item */
    OVER_DCERPC =
        1 << 7,         /* stub data of a DCE/RPC PDU; carrier.key tells interface and operation */
    OVER_CIP = 1 << 6,  /* body of Execute PCCC: from the requestor id on */
    OVER_PIPE = 1 << 8, /* what goes through a named pipe of SMB; carrier.key tells pipes apart */
    OVER_WEBSOCKET = 1 << 9, /* payload of a binary frame: PDUs and parts of them, one frame after
                                another; an empty one: some were passed over */
    OVER_MAILBOX = 1 << 10,  /* an AMS frame in the mailbox of an EtherCAT slave */
};

enum claim {
    CLAIM_NO,   /* not ours */
    CLAIM_MORE, /* too few bytes to tell */
    CLAIM_HOME, /* too few bytes for a claim that would be weak at best: worth waiting for on our
                   own port, elsewhere not ours */
    CLAIM_WEAK, /* could be ours: enough on our own port, elsewhere a second consistent PDU is
                   wanted */
    CLAIM_YES,  /* ours: a signature that others do not have */
};

enum frame_verdict { FRAME_COMPLETE, FRAME_NEED, FRAME_BROKEN };

/* Two words, so that it is given back in registers. */
struct frame {
    const char *why; /* of FRAME_BROKEN */
    /* of the PDU; for FRAME_NEED the bytes wanted in all, always more than were given. As much as
     * fits: what is declared beyond it is more than any protocol allows. */
    uint32_t size;
    uint8_t verdict; /* enum frame_verdict */
    uint8_t kind;    /* enum violation_kind of FRAME_BROKEN; VIOLATION_LENGTH unless said */
};

static inline struct frame frame_sized(enum frame_verdict verdict, size_t size)
{
    return (struct frame){NULL, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, (uint8_t)verdict,
                          VIOLATION_LENGTH};
}
static inline struct frame frame_of(size_t size)
{
    return frame_sized(FRAME_COMPLETE, size);
}
static inline struct frame frame_need(size_t size)
{
    return frame_sized(FRAME_NEED, size);
}
static inline struct frame frame_broken_as(enum violation_kind kind, const char *why)
{
    return (struct frame){why, 0, FRAME_BROKEN, (uint8_t)kind};
}
static inline struct frame frame_broken(const char *why)
{
    return frame_broken_as(VIOLATION_LENGTH, why);
}

/* What a carrier tells the protocol above it about one PDU. */
struct carrier {
    uint64_t key; /* matches a response to its request (transaction, session and context, ...) */
    struct text unit;     /* sub-address so far: Modbus unit, TSAPs, route */
    bool is_response;     /* what the carrier knows of the direction */
    bool is_keyed;        /* key is meaningful */
    uint64_t transaction; /* for display */
};

struct dissector;
struct dissect_host; /* the sensor's side, opaque to dissectors */

/* One call of dissect: the PDU's surroundings and what the sensor lends. */
struct dissect {
    const struct dissector *dissector;
    const struct packet *packet; /* the one that completed the PDU */
    const struct ot_flow *flow;
    bool is_from_client; /* sender of this PDU opened the conversation (see flow->is_role_known) */
    int64_t time_ns;
    void *state; /* state_size bytes of this dissector and flow, zeroed at first; both directions */
    struct arena *arena;    /* packet lifetime */
    struct carrier carrier; /* filled for OVER_COTP and what else is carried */
    unsigned depth;         /* of carriers below */
    struct dissect_host *host;
};

enum {
    DISSECTOR_PORTS_MAX = 16,
    DISSECTOR_ETHERTYPES_MAX = 4,
    DISSECTOR_STATE_MAX = 4096, /* per flow and dissector */
    DISSECT_GROWN_MAX = 131072, /* the same after dissect_grow */
    REMEMBER_MAX = 448,         /* bytes kept of a request */
    DISSECT_DEPTH_MAX = 6,      /* carriers in carriers: TCP, TPKT/COTP, session... */
};

struct dissector {
    const char *name;                    /* as it appears in events, rules and counters */
    const char *spec;                    /* the document that it follows */
    unsigned over;                       /* enum over, or-ed */
    uint16_t ports[DISSECTOR_PORTS_MAX]; /* sets the order of asking; proves nothing */
    bool is_bound_to_ports;    /* a weak claim counts on its own ports only: too much looks like it
                                  elsewhere */
    bool has_data_on_any_port; /* both ends choose ports for what was asked for: there a weak claim
                                  is nothing odd */
    bool is_from_any_port;     /* who answers a multicast chooses the port that he answers from */
    uint16_t ethertypes[DISSECTOR_ETHERTYPES_MAX]; /* decides for OVER_ETHERTYPE; LLC: the DSAP
                                                      (below 0x100) */
    size_t state_size;                             /* at most DISSECTOR_STATE_MAX */
    size_t pdu_max;       /* greatest PDU that frame returns; caps the stream's buffer */
    bool begins_segments; /* after a loss its next PDU is looked for only where a segment begins:
                             for protocols with long bodies, which are not worth a search */
    enum claim (*recognise)(struct reader r); /* r: the first bytes of one direction */
    struct frame (*frame)(struct reader r);   /* NULL: one PDU per datagram or carrier payload */
    /* asked instead where the state of the flow (never NULL) tells how long an answer is; may be
     * NULL, and frame must be there, too: for what has no flow yet */
    struct frame (*frame_in)(struct reader r, const void *state, bool is_from_client);
    void (*dissect)(struct dissect *d, struct reader r); /* r: one whole PDU */
};

/* --- what the sensor offers (implemented in sensor/dissect.c, for tests in tests/dissect_probe.c)
 * --- */

/* An event with time, flow, direction of roles, packet and protocol filled in; operation unknown.
 */
void event_start(struct ot_event *event, const struct dissect *d);
/* The same for one that stands by itself; what is part of something else is not copied into it. */
static inline struct ot_event event_of(const struct dissect *d)
{
    struct ot_event event;
    event_start(&event, d);
    return event;
}
/* Hands the event on. Pointers are needed only during the call. */
void emit_event(struct dissect *d, const struct ot_event *event);
/* at/size: the bytes that decide; NULL for the whole packet. why is a static string. Cold: what
 * leads there is kept out of the way of what is read in order. */
__attribute__((cold)) void emit_violation(struct dissect *d, enum violation_kind kind,
                                          const char *why, const void *at, size_t size);

/* Remembers a request under a key of this flow and dissector: `size` zeroed bytes (at most
 * REMEMBER_MAX) to fill, valid during the call and for recall. A key already in flight is replaced;
 * *was_in_flight (may be NULL) says so. Never NULL: the oldest of all requests is forgotten when
 * the table is full. */
void *dissect_remember(struct dissect *d, uint64_t key, size_t size, bool *was_in_flight);
/* The remembered bytes and forgets them; NULL when there is no such request. Valid during the call.
 */
const void *dissect_recall(struct dissect *d, uint64_t key, size_t *size);

/* Makes d->state at least size bytes (at most DISSECT_GROWN_MAX): the old content first, then
 * zeros. False, with the state as it was, when no memory is left for it. Pointers into the old
 * state are dead afterwards. For the few flows that have more to keep than state_size. */
bool dissect_grow(struct dissect *d, size_t size);

/* The next size bytes that the sender of this PDU puts on its TCP stream are passed over without
 * being looked at or kept: the body of a file transfer. Adds to what is still to be passed over. A
 * loss in the stream ends it. */
void dissect_skip(struct dissect *d, uint64_t size);

/* A small bounded table for each pair of hosts, shared by all their flows and by every dissector
 * (so that a CIP connection opened on TCP is known on UDP; keys are hashes that begin with what the
 * entry is). At most 64 bytes an entry. create: makes a zeroed one when missing (the pair's oldest
 * may go), else NULL when missing. */
void *dissect_pair(struct dissect *d, uint64_t key, size_t size, bool create);

/* Whether what the sender prepared before must have been seen: the connection was watched from its
 * start or for long enough, and nothing of it is missing. */
static inline bool dissect_is_watched(const struct dissect *d)
{
    static const int64_t watched_ns = 10 * INT64_C(1000000000);
    const struct ot_flow *flow = d->flow;
    return !flow->has_gap && !flow->has_unseen &&
           (flow->is_start_seen || d->time_ns - flow->first_ns >= watched_ns);
}

/* Hands payload to the dissectors that sit over this carrier; the first that recognises it keeps
 * the flow's layer. Returns false when nobody does. */
bool dissect_over(struct dissect *d, enum over over, struct reader payload,
                  const struct carrier *carrier);

/* The protocol itself shows who is client: true when the sender of this PDU is. Ignored after a
 * seen SYN. Changes d->is_from_client. */
void dissect_sender_is_client(struct dissect *d, bool is_client);

/* Zeroed packet-lifetime arrays; fewer than asked (*count is lowered) when the arena is full. */
struct ot_item *dissect_items(struct dissect *d, uint32_t *count);
/* The same, not zeroed, for many of which few may be used: the caller assigns each one whole. */
struct ot_item *dissect_items_unset(struct dissect *d, uint32_t *count);
struct ot_fact *dissect_facts(struct dissect *d, uint32_t *count);
struct ot_part *dissect_parts(struct dissect *d, uint32_t *count);
/* Packet-lifetime formatted text; empty when the arena is full. */
struct text dissect_text(struct dissect *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The registry, from dissectors.def. */
extern const struct dissector *const dissectors[];
extern const size_t dissector_count;
