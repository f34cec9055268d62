/* pn_mrp.c: MRP, the ring redundancy of PROFINET and other networks.
 *
 * Spec: [MRP] IEC 62439-2; PROTOCOLS 13
 *
 *   | version 2, =1 | TLVs: type 1 | length 1 | length bytes |
 *   test (2)                 | priority 2 | manager 6 | port role 2 | ring state 2 | transition 2 |
 *                            | time 4 |
 *   topology change (3)      | priority 2 | manager 6 | interval 2 |
 *   link down, up (4, 5)     | client 6 | port role 2 | interval 2 | blocked 2 |
 *   common (1)               | sequence 2 | domain 16 |
 *
 * big endian */
#include "dissector.h"

enum {
    MRP_VERSION = 1,
    TLV_END = 0,
    TLV_COMMON = 1,
    TLV_TEST = 2,
    TLV_TOPOLOGY_CHANGE = 3,
    TLV_LINK_DOWN = 4,
    TLV_LINK_UP = 5,
    TLV_OPTION = 0x7f,
    RING_OPEN = 0,
    RING_CLOSED = 1,
    MAC_SIZE = 6,
};

static const struct tlv_row {
    uint8_t size; /* of a whole one */
    const char *name;
} rows[] = {
    [TLV_END] = {0,  "end"                             },
    [TLV_COMMON] = {18, "common"                          },
    [TLV_TEST] = {18, "test"                            },
    [TLV_TOPOLOGY_CHANGE] = {10, "topology_change"                 },
    [TLV_LINK_DOWN] = {12, "link_down"                       },
    [TLV_LINK_UP] = {12, "link_up"                         },
    [0x06] = {12, "interconnection_test"            },
    [0x07] = {10, "interconnection_topology_change" },
    [0x08] = {12, "interconnection_link_down"       },
    [0x09] = {12, "interconnection_link_up"         },
    [0x0a] = {10, "interconnection_link_status_poll"},
};

struct mrp_state {
    uint8_t ring; /* last ring state + 1; 0: not seen */
    struct mac manager;
    bool has_manager;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "frame", sizeof "frame");
}

static struct text mac_text(struct dissect *d, const uint8_t *b)
{
    return b ? dissect_text(d, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5])
             : (struct text){NULL, 0};
}

struct frame_of_mrp {
    struct dissect *d;
    struct ot_event event;
    struct ot_item item;
};

static void put_item(struct frame_of_mrp *f, const char *area, const uint8_t *at)
{
    f->item = (struct ot_item){
        .area = area, .values = {VALUES_U16BE, 1, at, 2}
    };
    f->event.items = &f->item;
    f->event.item_count = f->event.items_total = 1;
}

/* Status and text only when something changed: test frames come every 20 ms. */
static void test(struct frame_of_mrp *f, struct reader r)
{
    struct mrp_state *s = f->d->state;
    reader_skip(&r, 2);
    const uint8_t *manager = reader_bytes(&r, MAC_SIZE);
    reader_skip(&r, 2);
    const uint8_t *at = r.at;
    uint16_t ring = reader_u16be(&r);
    if (!reader_ok(&r))
        return;
    put_item(f, "ring_state", at);
    if (ring > RING_CLOSED) {
        emit_violation(f->d, VIOLATION_RANGE, "MRP ring state is neither open nor closed", at, 2);
        return;
    }
    if (s->ring != ring + 1) {
        f->event.status = ring == RING_OPEN ? (struct ot_status){OT_RESULT_ERROR, ring, "ring_open"}
                                            : (struct ot_status){OT_RESULT_OK, ring, "ring_closed"};
        if (s->ring)
            f->event.detail = ring == RING_OPEN ? TEXT("ring opened") : TEXT("ring closed");
    }
    s->ring = (uint8_t)(ring + 1);
    if (s->has_manager && memcmp(s->manager.bytes, manager, MAC_SIZE) != 0) {
        struct text name = mac_text(f->d, manager);
        f->event.detail = dissect_text(f->d, "other ring manager: %.*s", (int)name.size, name.at);
    }
    memcpy(s->manager.bytes, manager, MAC_SIZE);
    s->has_manager = true;
}

static void topology_change(struct frame_of_mrp *f, struct reader r)
{
    reader_skip(&r, 2);
    struct text manager = mac_text(f->d, reader_bytes(&r, MAC_SIZE));
    const uint8_t *at = r.at;
    uint16_t interval = reader_u16be(&r);
    if (!reader_ok(&r))
        return;
    put_item(f, "interval", at);
    f->event.detail = dissect_text(f->d, "topology change in %u ms, manager %.*s", interval,
                                   (int)manager.size, manager.at);
}

static void link(struct frame_of_mrp *f, uint8_t type, struct reader r)
{
    struct text client = mac_text(f->d, reader_bytes(&r, MAC_SIZE));
    const uint8_t *at = r.at;
    uint16_t role = reader_u16be(&r);
    if (!reader_ok(&r))
        return;
    put_item(f, "port_role", at);
    f->event.detail =
        dissect_text(f->d, "%s ring port of %.*s is %s", role ? "secondary" : "primary",
                     (int)client.size, client.at, type == TLV_LINK_DOWN ? "down" : "up");
}

static void take_tlv(struct frame_of_mrp *f, uint8_t type, struct reader value)
{
    if (type == TLV_COMMON) {
        f->event.transaction = reader_u16be(&value);
        f->event.has_transaction = reader_ok(&value);
        return;
    }
    f->event.function = type;
    f->event.name = rows[type].name;
    if (type == TLV_TEST)
        test(f, value);
    else if (type == TLV_TOPOLOGY_CHANGE)
        topology_change(f, value);
    else if (type == TLV_LINK_DOWN || type == TLV_LINK_UP)
        link(f, type, value);
}

static void mrp_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    struct frame_of_mrp f = {.d = d, .event = event_of(d)};
    f.event.direction = OT_ONEWAY;
    f.event.operation = OP_NETMGMT;
    f.event.protocol = "pn_mrp";
    f.event.spell = spell;
    uint16_t version = reader_u16be(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "MRP frame without a version", NULL, 0);
        return;
    }
    if (version != MRP_VERSION)
        emit_violation(d, VIOLATION_RESERVED, "MRP version is not 1", at, 2);
    bool is_ended = false;
    while (!is_ended && reader_left(&r)) {
        at = r.at;
        uint8_t type = reader_u8(&r);
        is_ended = type == TLV_END;
        uint8_t length = is_ended && reader_left(&r) == 0 ? 0 : reader_u8(&r);
        struct reader value = reader_take(&r, length);
        if (!reader_ok(&r)) {
            emit_violation(d, VIOLATION_LENGTH, "MRP TLV longer than its frame", at, 1);
            break;
        }
        if (type == TLV_OPTION || is_ended)
            continue;
        if (type >= sizeof rows / sizeof *rows)
            emit_violation(d, VIOLATION_FUNCTION, "unknown MRP TLV", at, 1);
        else if (length < rows[type].size)
            emit_violation(d, VIOLATION_LENGTH, "MRP TLV shorter than its type", at, 2);
        else
            take_tlv(&f, type, value);
    }
    if (!is_ended)
        emit_violation(d, VIOLATION_TRUNCATED, "MRP frame without an end", NULL, 0);
    emit_event(d, &f.event);
}

/* The ethertype decides. */
static enum claim mrp_recognise(struct reader r)
{
    return reader_left(&r) < 2 ? CLAIM_MORE : CLAIM_YES;
}

const struct dissector dissector_pn_mrp = {
    .name = "pn_mrp",
    .spec = "IEC 62439-2 (MRP)",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x88e3},
    .state_size = sizeof(struct mrp_state),
    .recognise = mrp_recognise,
    .dissect = mrp_dissect,
};
