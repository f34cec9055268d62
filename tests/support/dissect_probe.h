/* dissect_probe.h: a stand-in for the sensor, so that a dissector can be tested and fuzzed alone.
 *
 * It implements all that dissector.h lists under "what the sensor offers" for one flow between two
 * hosts, and keeps what the dissector emits in printable form. It also checks, with assertions,
 * what must always be true: frame_need asks for more than was given, a complete frame lies within
 * what was given, values, telling and secret bytes lie within the input or memory that the probe
 * lent, operations are in range, codes spell, violations have a reason. Input and lent memory are
 * blocks of their exact size, so that the address sanitizer sees a read outside. */
#pragma once

#include "dissectors/dissector.h"
#include "sensor/base/packet.h"

#include <stdio.h>

enum { PROBE_EVENTS_MAX = 256, PROBE_VIOLATIONS_MAX = 256 };

/* An ot_event in words; "" where there is nothing to say. */
struct probe_event {
    const char *protocol, *direction, *operation;
    char code[OT_CODE_SIZE];
    char name[64];
    char unit[64];
    char items[4096]; /* one after another, "; " between: ot_item_print, then "{operation}" when it
                       * has its own,
                       * "=" and values separated by "," (bytes as hex), "!" and status name or code
                       */
    char status[64];  /* "ok", "error 2 illegal_data_address" */
    char facts[2048]; /* "vendor=Acme; serial=12"; "~" before a fact about the receiver */
    char parts[2048]; /* "1.1=module 0x00000001, submodule 0x00000002" */
    char transfer[256]; /* "begin program_download key=1 name=OB1 declared=412", "block ...
                           bytes=12", "end", "abort" */
    char detail[256];
    enum operation op;
    uint32_t function;
    uint64_t transaction;
    bool has_transaction;
    uint32_t flags; /* enum ot_flag */
    uint32_t item_count, items_total, fact_count, part_count;
    bool has_range; /* of the first item, as is its range */
    uint64_t low, high;
    unsigned manner;              /* of the first item */
    char time[OT_TIME_TEXT_SIZE]; /* of the first item, as told; empty: none */
    bool is_boolean; /* the first value of the first item is true or false, no number */
    bool is_from_client;
    size_t telling_size, secret_size;
};

struct probe_violation {
    enum violation_kind kind;
    char why[128];
    size_t telling_size; /* 0: the whole packet */
    bool is_from_client;
};

struct probe_lent; /* memory handed to the dissector */

struct probe {
    /* may be set before feeding */
    struct ot_flow flow;    /* TCP, 10.0.0.1:49152 -> 10.0.0.2:502, start seen */
    struct carrier carrier; /* given to a dissector that is fed directly */
    int64_t time_ns;        /* of the next PDU; moves by 1 ms with each */
    uint16_t link_type;     /* of the packets: LINKTYPE_*, 0 unless set */
    bool is_out_of_memory;  /* dissect_grow fails */
    bool is_terse;          /* what comes out is checked, read and counted, not put into words */

    /* what came out */
    struct probe_event *events;
    size_t event_count, events_lost; /* lost: more than PROBE_EVENTS_MAX */
    struct probe_violation *violations;
    size_t violation_count, violations_lost;
    size_t pdu_count; /* cut by frame in probe_stream */
    uint64_t sum;     /* of all that was read when is_terse */

    struct probe_lent *lent;
};

/* One flow; ends are swapped by dissect_sender_is_client only when flow.is_start_seen and
 * flow.is_role_known are false. */
struct probe *probe_create(enum transport transport);
void probe_destroy(struct probe *p);
/* As new, with another transport; cheaper than a new one. */
void probe_reset(struct probe *p, enum transport transport);
/* Forgets events and violations, keeps the flow's state. */
void probe_clear(struct probe *p);
/* Makes the packet arena so small that it runs full. */
void probe_set_arena(struct probe *p, size_t size);
/* From now on what is fed ends before a page that faults: finds reads outside the input without
 * the address sanitizer. */
void probe_set_brink(struct probe *p);

/* One whole PDU to dissector->dissect. */
void probe_feed(struct probe *p, const struct dissector *dissector, bool is_from_client,
                const void *bytes, size_t size);
/* The same, as hex. */
void probe_hex(struct probe *p, const struct dissector *dissector, bool is_from_client,
               const char *hex);
/* The next bytes of a direction: cut by dissector->frame, dissected when whole. Broken framing is
 * kept as a violation and the direction's buffer is dropped. Returns the last verdict. */
enum frame_verdict probe_stream(struct probe *p, const struct dissector *dissector,
                                bool is_from_client, const void *bytes, size_t size);
/* What recognise and frame say to exactly these bytes, with the checks above. */
enum claim probe_recognise(const struct dissector *dissector, const void *bytes, size_t size);
/* The same within a probe, so that its brink counts. */
enum claim probe_ask(const struct probe *p, const struct dissector *dissector, const void *bytes,
                     size_t size);
struct frame probe_frame(const struct dissector *dissector, const void *bytes, size_t size);

/* Reads "0001 00ff:12" (spaces and colons ignored); asserts that it is hex and fits. Returns the
 * count of bytes. */
size_t hex_bytes(void *out, size_t capacity, const char *hex);

/* The i-th event or violation; asserts that there is one. Valid until the next bytes are fed. */
const struct probe_event *probe_event(const struct probe *p, size_t i);
const struct probe_violation *probe_violation(const struct probe *p, size_t i);
/* Whether a violation of this kind was seen. */
bool probe_has_violation(const struct probe *p, enum violation_kind kind);
/* Everything that came out, for people. */
void probe_print(const struct probe *p, FILE *out);
