/* pn_rt.c: PROFINET real-time frames: cyclic data here, alarms, DCP and PTCP in files of their own.
 *
 * Spec: [PN] IEC 61158-6-10 (PROFINET IO), RT and RTA; PROTOCOLS 13
 *
 *   cyclic    | frame id 2 | data | cycle counter 2 | data status 1 | transfer status 1 |
 *   fragment  | frame id 2 | length 1 | more 1 bit, 0 1 bit, number 6 bits | length bytes |
 *
 * big endian. A cycle counter counts 31.25 us, so it must keep pace with the clock. */
#include "pn_rt.h"

enum {
    FRAME_ID_SIZE = 2,
    TRAILER_SIZE = 4,
    CYCLE_NS = 31250,
    RELATIONS_MAX = 8,      /* cyclic frame ids of a pair of stations; two are usual */
    JUMP_CYCLES = 0x0800,   /* 64 ms: capture jitter and lost frames stay below */
    STUCK_FRAMES = 3,       /* equal counters in a row: one is a frame captured twice */
    FRAGMENT_NUMBER = 0x3f, /* bits of the fragment's status */
    FRAGMENT_RESERVED = 0x40,
};
static const int64_t PACE_NS = 1000000000; /* the counter wraps after 2 s */

enum data_status {
    STATUS_PRIMARY = 0x01,
    STATUS_VALID = 0x04,
    STATUS_RUN = 0x10,
    STATUS_OK = 0x20,
    STATUS_RESERVED = 0x48,
    STATUS_IGNORE = 0x80,
};

/* One cyclic frame id of one sender. */
struct relation {
    int64_t seen_ns; /* 0: free */
    uint16_t frame_id, counter;
    uint8_t status, equal;
    bool is_from_client;
};

struct rt_state {
    struct relation relations[RELATIONS_MAX];
    uint8_t next; /* to reuse */
};

enum part {
    PART_RESERVED,
    PART_CYCLIC,
    PART_PTCP,
    PART_ALARM,
    PART_DCP,
    PART_FRAGMENT,
    PART_OTHER
};

/* From `first` on, up to the next row. */
static const struct range {
    uint16_t first;
    enum part part;
    const char *name;
} ranges[] = {
    {0x0000,                      PART_RESERVED, NULL                  },
    {0x0020,                      PART_PTCP,     "rtsync_follow_up"    },
    {0x0022,                      PART_RESERVED, NULL                  },
    {0x0080,                      PART_PTCP,     "rtsync"              },
    {0x0082,                      PART_RESERVED, NULL                  },
    {0x0100,                      PART_CYCLIC,   "rt_class_3"          },
    {0x1000,                      PART_RESERVED, NULL                  },
    {0x8000,                      PART_CYCLIC,   "rt_class_2"          },
    {0xbc00,                      PART_CYCLIC,   "rt_class_2_multicast"},
    {0xc000,                      PART_CYCLIC,   "rt_class_1"          },
    {0xf800,                      PART_CYCLIC,   "rt_class_1_multicast"},
    {0xfc00,                      PART_RESERVED, NULL                  },
    {FRAME_ALARM_HIGH,            PART_ALARM,    "alarm_high"          },
    {0xfc02,                      PART_RESERVED, NULL                  },
    {FRAME_ALARM_LOW,             PART_ALARM,    "alarm_low"           },
    {FRAME_RSI,                   PART_OTHER,    "remote_service"      },
    {0xfe03,                      PART_RESERVED, NULL                  },
    {FRAME_DCP_HELLO,             PART_DCP,      "hello"               },
    {FRAME_DCP_GET_SET,           PART_DCP,      "get_set"             },
    {FRAME_DCP_IDENTIFY_REQUEST,  PART_DCP,      "identify_request"    },
    {FRAME_DCP_IDENTIFY_RESPONSE, PART_DCP,      "identify_response"   },
    {0xff00,                      PART_PTCP,     "announce"            },
    {0xff02,                      PART_RESERVED, NULL                  },
    {0xff20,                      PART_PTCP,     "follow_up"           },
    {0xff23,                      PART_RESERVED, NULL                  },
    {0xff40,                      PART_PTCP,     "delay_request"       },
    {0xff41,                      PART_PTCP,     "delay_response"      },
    {0xff42,                      PART_PTCP,     "delay_follow_up"     },
    {0xff43,                      PART_PTCP,     "delay_response"      },
    {0xff44,                      PART_RESERVED, NULL                  },
    {0xff80,                      PART_FRAGMENT, "fragment"            },
    {0xff90,                      PART_RESERVED, NULL                  },
};

static const struct range *range_of(uint16_t frame_id)
{
    size_t low = 0, high = sizeof ranges / sizeof *ranges;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (ranges[middle].first <= frame_id)
            low = middle;
        else
            high = middle;
    }
    return &ranges[low];
}

static void spell_cyclic(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "cyclic", sizeof "cyclic");
}

void pn_spell_frame_id(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%04x", code[0]);
}

/* --- cyclic data --- */

static struct relation *relation_of(struct dissect *d, uint16_t frame_id)
{
    struct rt_state *s = d->state;
    for (size_t i = 0; i < RELATIONS_MAX; i++) {
        struct relation *r = &s->relations[i];
        if (r->frame_id == frame_id && r->is_from_client == d->is_from_client && r->seen_ns)
            return r;
    }
    struct relation *r = &s->relations[s->next++ % RELATIONS_MAX];
    *r = (struct relation){.frame_id = frame_id, .is_from_client = d->is_from_client};
    return r;
}

/* The counter must move, and by as much as time has passed. */
static void check_counter(struct dissect *d, struct relation *relation, uint16_t counter,
                          const uint8_t *at)
{
    int64_t passed = d->time_ns - relation->seen_ns;
    if (relation->seen_ns == 0 || passed < 0 || passed > PACE_NS) {
        relation->equal = 0;
        return;
    }
    uint16_t moved = (uint16_t)(counter - relation->counter);
    if (moved == 0) {
        if (relation->equal < UINT8_MAX && ++relation->equal == STUCK_FRAMES - 1)
            emit_violation(d, VIOLATION_SEQUENCE, "cycle counter does not move", at, 2);
        return;
    }
    relation->equal = 0;
    int16_t off = (int16_t)(uint16_t)(moved - (uint16_t)(passed / CYCLE_NS));
    if (off > JUMP_CYCLES || off < -JUMP_CYCLES)
        emit_violation(d, VIOLATION_SEQUENCE, "cycle counter jumps", at, 2);
}

static const char *trouble_of(uint8_t status)
{
    if (!(status & STATUS_VALID))
        return "data_invalid";
    if (!(status & STATUS_RUN))
        return "provider_stopped";
    return status & STATUS_OK ? NULL : "station_problem";
}

/* Once when first seen, and at each change. */
static void tell_status(struct ot_event *e, struct ot_fact *fact, const struct relation *relation,
                        uint8_t status)
{
    const char *trouble = trouble_of(status);
    if (trouble)
        e->status = (struct ot_status){OT_RESULT_ERROR, status, trouble};
    else if (relation->seen_ns)
        e->status = (struct ot_status){OT_RESULT_OK, status, "ok"};
    if (relation->seen_ns)
        e->detail = trouble ? text_of(trouble) : TEXT("data status good again");
    if (!(status & STATUS_PRIMARY) || !(status & STATUS_VALID))
        return; /* of a redundant pair only the one in charge tells the mode */
    *fact = (struct ot_fact){FACT_MODE, status & STATUS_RUN ? TEXT("run") : TEXT("stop"), false};
    e->facts = fact;
    e->fact_count = 1;
}

static void cyclic(struct dissect *d, uint16_t frame_id, const char *name, struct reader r)
{
    if (reader_left(&r) < TRAILER_SIZE) {
        emit_violation(d, VIOLATION_LENGTH, "cyclic frame without its status", NULL, 0);
        return;
    }
    size_t size = reader_left(&r) - TRAILER_SIZE;
    const uint8_t *data = reader_bytes(&r, size);
    const uint8_t *trailer = r.at;
    uint16_t counter = reader_u16be(&r);
    uint8_t status = reader_u8(&r);
    uint8_t transfer = reader_u8(&r);

    struct ot_item item = {
        .area = "frame",
        .number = frame_id,
        .has_number = true,
        .count = (uint32_t)size,
        .type = "byte",
        .values = {VALUES_BYTES, 1, data, size},
    };
    struct ot_fact fact;
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_PUBLISH;
    e.function = frame_id;
    e.spell = spell_cyclic;
    e.name = name;
    e.items = &item;
    e.item_count = e.items_total = 1;
    e.transaction = counter;
    e.has_transaction = true;

    struct relation *relation = relation_of(d, frame_id);
    check_counter(d, relation, counter, trailer);
    if (!(status & STATUS_IGNORE) && (relation->seen_ns == 0 || relation->status != status))
        tell_status(&e, &fact, relation, status);
    relation->seen_ns = d->time_ns ? d->time_ns : 1;
    relation->counter = counter;
    relation->status = status;

    emit_event(d, &e);
    if (status & STATUS_RESERVED)
        emit_violation(d, VIOLATION_RESERVED, "reserved bits of the data status are set",
                       trailer + 2, 1);
    if (transfer != 0 && frame_id >= 0x8000) /* [PN]: errors are told in RT_CLASS_3 only */
        emit_violation(d, VIOLATION_RESERVED, "transfer status is not 0", trailer + 3, 1);
}

/* --- the others --- */

static struct ot_event frame_event(struct dissect *d, uint16_t frame_id, const char *name)
{
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.code[0] = e.function = frame_id;
    e.spell = pn_spell_frame_id;
    e.name = name;
    return e;
}

static void fragment(struct dissect *d, uint16_t frame_id, const char *name, struct reader r)
{
    const uint8_t *at = r.at;
    uint8_t length = reader_u8(&r);
    uint8_t status = reader_u8(&r);
    struct reader data = reader_take(&r, length);
    struct ot_event e = frame_event(d, frame_id, name);
    e.operation = OP_PUBLISH;
    struct ot_item item = {
        .area = "fragment",
        .number = status & FRAGMENT_NUMBER,
        .has_number = true,
        .count = length,
        .values = {VALUES_BYTES, 1, data.at, reader_left(&data)},
    };
    if (reader_left(&data)) {
        e.items = &item;
        e.item_count = e.items_total = 1;
    }
    emit_event(d, &e);
    if (!reader_ok(&data))
        emit_violation(d, VIOLATION_LENGTH, "fragment longer than its frame", NULL, 0);
    else if (status & FRAGMENT_RESERVED)
        emit_violation(d, VIOLATION_RESERVED, "reserved bit of the fragment status is set", at + 1,
                       1);
}

static void other(struct dissect *d, uint16_t frame_id, const char *name, const uint8_t *at)
{
    struct ot_event e = frame_event(d, frame_id, name);
    emit_event(d, &e);
    if (!name)
        emit_violation(d, VIOLATION_RANGE, "frame id is reserved", at, FRAME_ID_SIZE);
}

static void pn_rt_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    uint16_t frame_id = reader_u16be(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "frame without a frame id", NULL, 0);
        return;
    }
    const struct range *range = range_of(frame_id);
    switch (range->part) {
    case PART_CYCLIC:
        cyclic(d, frame_id, range->name, r);
        break;
    case PART_PTCP:
        pn_ptcp_dissect(d, frame_id, range->name, r);
        break;
    case PART_ALARM:
        pn_alarm_dissect(d, frame_id, r);
        break;
    case PART_DCP:
        pn_dcp_dissect(d, frame_id, r);
        break;
    case PART_FRAGMENT:
        fragment(d, frame_id, range->name, r);
        break;
    case PART_RESERVED:
    case PART_OTHER:
        other(d, frame_id, range->name, at);
        break;
    }
}

/* The ethertype decides. */
static enum claim pn_rt_recognise(struct reader r)
{
    return reader_left(&r) < FRAME_ID_SIZE ? CLAIM_MORE : CLAIM_YES;
}

const struct dissector dissector_pn_rt = {
    .name = "pn_rt",
    .spec = "IEC 61158-6-10 (PROFINET IO)",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x8892},
    .state_size = sizeof(struct rt_state),
    .recognise = pn_rt_recognise,
    .dissect = pn_rt_dissect,
};
