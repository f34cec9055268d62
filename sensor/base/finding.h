/* finding.h: something not normal, as a detector saw it, before findings of one cause become an
 * alert.
 *
 * Detectors that look at a pair of hosts run in the workers and hand findings (and sightings, for
 * the inventory and the host-level detectors) to the core through a struct finding_sink. Both
 * structs are plain and self-contained, so that they can be copied through a ring. */
#pragma once

#include "address.h"
#include "ot_event.h"
#include "packet.h"

#include <stdbool.h>
#include <stdint.h>

enum detection {
#define DETECTION(tag, id, title, severity, engine, techniques) DETECTION_##tag,
#include "detections.def"
#undef DETECTION
    DETECTION_COUNT,
};

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
enum engine { ENGINE_POLICY, ENGINE_PROTOCOL, ENGINE_ANOMALY, ENGINE_OPERATIONAL, ENGINE_MALWARE };

struct detection_kind {
    const char *id; /* "plc.stop" */
    const char *title;
    enum severity severity; /* default */
    enum engine engine;
    const char *techniques; /* ids, separated by a space; "" when none fits */
};
const struct detection_kind *detection_kind(enum detection d);
bool detection_parse(enum detection *d, const char *id);
const char *severity_name(enum severity s); /* "critical" */
const char *engine_name(enum engine e);     /* "policy" */

struct technique {
    const char *id, *name, *tactics;
};
const struct technique *technique_find(const char *id); /* NULL: unknown */

enum finding_flag {                        /* severity modifiers and notes (DETECTIONS 1) */
                    FINDING_ACTOR_NEW = 1, /* unknown or new actor: +1 */
                    FINDING_CONFIRMED = 2, /* success confirmed by the reply: +1 */
                    FINDING_REFUSED = 4,   /* refused by the device: -1 */
                    FINDING_STILL_LEARNING =
                        8, /* the dimension has not settled: lower severity, not silence */
                    FINDING_ENGINEERING_STATION =
                        16, /* actor is an approved engineering station: -1 */
                    FINDING_IS_WRITE =
                        32, /* rw.new-function and rw.new-address of a write are high */
                    FINDING_COMPLETED =
                        64, /* the transfer has ended: final size and fingerprint are known */
                    FINDING_OUTCOME =
                        128, /* tells how something already told went on: count does not grow */
                    FINDING_SAFETY_ASSET = 256,   /* target is part of a safety system: +2 */
                    FINDING_CRITICAL_ASSET = 512, /* target was declared critical: +1 */
                    FINDING_REPORTED = 1024,      /* a device tells it, nobody commanded it: -2 */
                    FINDING_SINGLE = 2048, /* a lost packet would look like it: -4 until another */
};

/* These are true of an alert while they are of all its findings. */
enum { FINDING_WHILE_ALL = FINDING_STILL_LEARNING | FINDING_SINGLE };

/* A user's rule has a severity of its own: 1 + enum severity in the top bits of the flags; 0: the
 * type's. */
enum { FINDING_LEVEL_SHIFT = 28 };
static inline uint32_t finding_level_flag(enum severity level)
{
    return ((uint32_t)level + 1) << FINDING_LEVEL_SHIFT;
}

enum {
    FINDING_TEXT = 240,
    FINDING_KEY = 96,
    FINDING_OT_JSON = 1536,
    FINDING_SHA256_TEXT = 65,
    FINDING_WINDOW = 64,
    FINDING_TITLE = 96,
    FINDING_RULE_ID = 64,
    FINDING_TECHNIQUES = 48
};

struct finding {
    enum detection detection;
    uint32_t flags; /* enum finding_flag */
    int64_t time_ns;
    uint32_t segment;
    struct endpoint actor, target; /* who did it, to whom; target.ip.kind and mac zero: none */
    bool has_target;
    uint8_t transport;
    char protocol[24]; /* "modbus"; "" when none */
    enum operation operation;
    char key[FINDING_KEY]; /* beside detection, segment, actor, target and protocol: what makes the
                              cause */
    char what[FINDING_TEXT];     /* a phrase after the actor's name, with %T where the target's name
                                  * belongs:     "is downloading block OB1 (412 bytes) to %T" */
    char expected[FINDING_TEXT]; /* what was learned, and since when: "reads of registers 100-139
                                    since ..." */
    char seen[FINDING_TEXT];     /* what was seen instead */
    char fact[FINDING_KEY];      /* id of the learned fact that it contradicts; "" when none */
    char object[FINDING_KEY];    /* "OB1", "holding_register 260" */
    char sha256[FINDING_SHA256_TEXT]; /* of a completed transfer; "" when none */
    uint64_t size;                    /* bytes of a transfer; 0 when none */
    uint64_t count;                   /* how many times at once; 0 means 1 */
    /* of rule.match only: what the user's rule says of itself */
    char rule_title[FINDING_TITLE], rule_id[FINDING_RULE_ID];
    char rule_techniques[FINDING_TECHNIQUES]; /* "T0855 T0836" */
    /* of a change.maintenance-record only: the window that permits it, and what it would have been
     */
    char window[FINDING_WINDOW], ticket[FINDING_WINDOW];
    enum detection permitted;
    /* evidence */
    uint64_t evidence_id;   /* joins evidence packets that follow; 0: none (set by the worker) */
    uint64_t packet_number; /* 0: no single packet */
    uint32_t source_index;
    uint32_t byte_offset, byte_size; /* in the frame; size 0: the whole packet */
    uint16_t ot_json_size;
    char ot_json[FINDING_OT_JSON]; /* the event's "ot" object as in an event line; "" when none */
};

/* Starts a finding with all that the event tells (actor and target by role: actor is the client,
 * unless the event is oneway). The detector adds key, what, expected, seen. */
void finding_of_event(struct finding *f, enum detection detection, const struct ot_event *e);
void finding_of_violation(struct finding *f, enum detection detection, const struct violation *v);

enum sighting_kind {
    SIGHTING_HOST, /* who exists: first packet, then once a minute; detail: HOST_NEARBY when it was
                      sent to a group that no router passes on */
    SIGHTING_FLOW, /* who opened a flow to other; once per flow, when it starts (TCP: at SYN or
                      pick-up) */
    SIGHTING_ANSWER,   /* who (the server) answered on other's flow: handshake done or payload came
                          back; once per flow */
    SIGHTING_REFUSED,  /* who (the server) refused: RST to a SYN, ICMP unreachable */
    SIGHTING_ARP,      /* who sent an ARP packet; other: the target; detail 1 request, 2 reply */
    SIGHTING_PROTOCOL, /* a protocol was recognised between who (client) and other (server); once
                          per flow and name */
    SIGHTING_ROLE, /* who performed `operation` of `protocol` on other, or on its `unit`; detail:
                      enum role_detail; once per pair, operation and unit, then once a minute */
    SIGHTING_FACT, /* who told a fact about itself; once per new value, then once a minute */
    SIGHTING_NEW_CLIENT, /* who opened a page or file service of other, and the baseline does not
                            know that these two speak this protocol; once per flow */
    SIGHTING_INFRASTRUCTURE, /* who claims a role of the network (detail, infrastructure.h), for the
                                id in text or for itself; once per pair and claim, then once a
                                minute */
    SIGHTING_WRITE, /* who wrote the object `text` of other; detail 1: a learned writer of it; at
                       most once in ten seconds per writer and object */
    SIGHTING_ECHO,  /* who sent `packets` more ICMP echo requests, most of them to other; once in a
                       hundred */
    SIGHTING_DATAGRAMS, /* `packets` more datagrams that no dissector knows, on one flow; who sent
                           the last of them to other, and these two were not learned to speak so */
};

/* Of a SIGHTING_ROLE: what told it was other's answer, and that did not refuse. */
enum role_detail { ROLE_ANSWERED = 1, ROLE_GRANTED = 2 };

enum { HOST_NEARBY = 1 };

struct sighting {
    enum sighting_kind kind;
    int64_t time_ns;
    uint32_t segment;
    struct endpoint who, other;
    uint8_t transport;
    uint16_t vlan; /* VLAN_NONE: untagged */
    uint16_t detail;
    char protocol[24];
    char unit[48];
    enum operation operation;
    enum fact_kind fact;
    char text[128];          /* of a fact, or an object */
    uint64_t packets, bytes; /* since the last sighting of this kind, where it makes sense */
    uint64_t packet_number;
    uint32_t source_index;
    bool is_start_seen; /* FLOW: a SYN was seen */
};

/* A packet kept for a finding: those of the pair before it, the one that decided, some after it. */
enum { EVIDENCE_SNAP = 2048 };
struct evidence_packet {
    uint64_t evidence_id;
    int64_t time_ns;
    uint64_t packet_number;
    uint32_t source_index;
    uint16_t link_type;
    uint32_t wire_size, size; /* size bytes are there, at most EVIDENCE_SNAP, passwords masked */
    const uint8_t *bytes;
};

struct finding_sink {
    void *context;
    void (*finding)(void *context, const struct finding *f);
    void (*sighting)(void *context, const struct sighting *s);
    void (*evidence)(void *context, const struct evidence_packet *e);
};
