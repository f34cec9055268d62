/* ptp.c: precision time: which clock is the grandmaster of a domain, and who manages clocks.
 *
 * Spec: [1588] IEEE 1588-2019 13 and 15, annexes C (UDP) and E (Ethernet); PROTOCOLS 31
 *
 *   | sdo 4 bits, type 4 bits | minor 4 bits, version 4 bits | length 2 | domain 1 | sdo 1 |
 *   | flags 2 | correction 8 | specific 4 | clock 8, port 2 | sequence 2 | control 1 | interval 1 |
 *   announce (11): | time 10 | UTC offset 2 | reserved 1 | priority 1 | class 1 | accuracy 1 |
 *                  | variance 2 | priority 1 | grandmaster 8 | steps 2 | source 1 |
 *   management (13): | target 10 | hops 1, 1 | action, low 4 bits | reserved 1 | TLV 1: length 2,
 *                  | id 2 | ...
 *
 * big endian */
#include "facts.h"

enum {
    HEADER_SIZE = 34,
    VERSION = 2,
    ANNOUNCE = 11,
    MANAGEMENT = 13,
    ID_SIZE = 8,
    ACTION_SET = 1,
    ACTION_RESPONSE = 2,
    ACTION_COMMAND = 3,
    ACTION_ACKNOWLEDGE = 4,
    TLV_MANAGEMENT = 1,
    ID_TIME = 0x200f, /* [1588] table 59: TIME */
};

static const struct {
    const char *name;
    uint8_t size; /* of the least */
} types[16] = {
    [0] = {"sync",                  44},
    [1] = {"delay_req",             44},
    [2] = {"pdelay_req",            54},
    [3] = {"pdelay_resp",           54},
    [8] = {"follow_up",             44},
    [9] = {"delay_resp",            54},
    [10] = {"pdelay_resp_follow_up", 54},
    [ANNOUNCE] = {"announce",              64},
    [12] = {"signaling",             44},
    [MANAGEMENT] = {"management",            48},
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "message", sizeof "message");
}

/* The number of the domain in packet memory, without formatting: up to 128 messages a second. */
static struct text domain_text(struct dissect *d, uint8_t domain)
{
    char *digits = arena_take(d->arena, 3);
    size_t size = domain >= 100 ? 3 : domain >= 10 ? 2 : 1;
    for (size_t i = size; digits && i > 0; domain /= 10)
        digits[--i] = (char)('0' + domain % 10);
    return (struct text){digits, digits ? size : 0};
}

/* r: behind the header. True when the event was emitted. */
static bool announce(struct dissect *d, struct ot_event *e, struct reader r)
{
    reader_skip(&r, 13);
    reader_skip(&r, 1);
    const uint8_t *class = reader_bytes(&r, 1);
    reader_skip(&r, 4);
    const uint8_t *grandmaster = reader_bytes(&r, ID_SIZE);
    if (!reader_ok(&r))
        return false;
    struct ot_item items[] = {
        {.area = "grandmaster", .values = {VALUES_BYTES, 1, grandmaster, ID_SIZE}},
        {.area = "clock_class", .values = {VALUES_U8, 1, class, 1}               },
    };
    e->items = items;
    e->item_count = e->items_total = 2;
    emit_event(d, e);
    return true;
}

static void manage(struct ot_event *e, struct reader r)
{
    reader_skip(&r, 12);
    uint8_t action = reader_u8(&r) & 15;
    reader_skip(&r, 1);
    uint16_t tlv = reader_u16be(&r);
    reader_skip(&r, 2);
    uint16_t id = reader_u16be(&r);
    bool is_change = action == ACTION_SET || action == ACTION_COMMAND;
    e->operation = is_change ? OP_CONFIG_CHANGE : OP_DIAGNOSTICS;
    if (is_change && reader_ok(&r) && tlv == TLV_MANAGEMENT && id == ID_TIME)
        e->operation = OP_TIME_SET;
    bool is_answer = action == ACTION_RESPONSE || action == ACTION_ACKNOWLEDGE;
    if (is_answer)
        e->status.result = OT_RESULT_OK;
}

static void ptp_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    size_t given = reader_left(&r);
    uint8_t type = reader_u8(&r) & 15, version = reader_u8(&r) & 15;
    uint16_t size = reader_u16be(&r);
    uint8_t domain = reader_u8(&r);
    reader_skip(&r, 25);
    uint16_t sequence = reader_u16be(&r);
    reader_skip(&r, 2);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "PTP message shorter than its header", NULL, 0);
        return;
    }
    if (version != VERSION)
        emit_violation(d, VIOLATION_RESERVED, "PTP version is not 2", at + 1, 1);
    if (!types[type].name)
        emit_violation(d, VIOLATION_FUNCTION, "unknown PTP message type", at, 1);
    if (size > given || size < types[type].size)
        emit_violation(d, VIOLATION_LENGTH, "PTP length is not that of its message", at + 2, 2);
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_NETMGMT;
    e.spell = spell;
    e.function = type;
    e.name = types[type].name;
    e.unit = domain_text(d, domain);
    e.transaction = sequence;
    e.has_transaction = true;
    if (type == ANNOUNCE && announce(d, &e, r))
        return;
    if (type == MANAGEMENT)
        manage(&e, r);
    emit_event(d, &e);
}

/* Enough for its ethertype and ports; elsewhere too little. */
static enum claim ptp_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t type = reader_u8(&r) & 15, version = reader_u8(&r) & 15;
    uint16_t size = reader_u16be(&r);
    bool fits = size <= given && size >= HEADER_SIZE;
    return fits && version == VERSION && types[type].name ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_ptp = {
    .name = "ptp",
    .spec = "IEEE 1588-2019",
    .over = OVER_ETHERTYPE | OVER_UDP,
    .ports = {319, 320},
    .is_bound_to_ports = true,
    .ethertypes = {0x88f7  },
    .recognise = ptp_recognise,
    .dissect = ptp_dissect,
};
