/* pn_ptcp.c: PROFINET PTCP: clock synchronisation and line delay.
 *
 * Spec: [PN] IEC 61158-6-10, PTCP; PROTOCOLS 13
 *
 *   announce          | 0 12 | sequence 2 | 0 2 | TLVs |
 *   sync              | 0 8 | delay 4 | sequence 2 | delay 1 | 0 1 | TLVs |
 *   follow-up, delay  | 0 12 | sequence 2 | 0 2 | delay 4 | TLVs |
 *   TLV               | type 7 bits, length 9 bits | length bytes |, 0000 ends
 *
 * big endian. */
#include "pn_rt.h"

enum {
    TLV_END = 0,
    TLV_SUBDOMAIN = 1,
    TLV_TIME = 2,
    TLV_TIME_EXTENSION = 3,
    TLV_MASTER = 4,
    TLV_PORT_PARAMETER = 5,
    TLV_DELAY_PARAMETER = 6,
    TLV_PORT_TIME = 7,
    TLV_OPTION = 0x7f,
    HEADER_PADDING = 12,
    SEQUENCE_PADDING = 2,
    DELAY_SIZE = 4,
};

static const struct dissector pn_ptcp = {.name = "pn_ptcp", .spec = "IEC 61158-6-10 (PTCP)"};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "frame", sizeof "frame");
}

struct found {
    const uint8_t *port, *master; /* MAC addresses */
};

static void tlvs(struct dissect *d, struct reader r, struct found *found)
{
    while (reader_left(&r)) {
        const uint8_t *at = r.at;
        uint16_t head = reader_u16be(&r);
        uint8_t type = (uint8_t)(head >> 9);
        struct reader value = reader_take(&r, head & 0x1ff);
        if (!reader_ok(&r)) {
            emit_violation(d, VIOLATION_LENGTH, "PTCP TLV longer than its frame", at, 1);
            return;
        }
        switch (type) {
        case TLV_END:
            return;
        case TLV_SUBDOMAIN: {
            const uint8_t *master = reader_bytes(&value, 6);
            found->master = master ? master : found->master;
            break;
        }
        case TLV_DELAY_PARAMETER: {
            const uint8_t *port = reader_bytes(&value, 6);
            found->port = port ? port : found->port;
            break;
        }
        case TLV_TIME:
        case TLV_TIME_EXTENSION:
        case TLV_MASTER:
        case TLV_PORT_PARAMETER:
        case TLV_PORT_TIME:
        case TLV_OPTION:
            break;
        default:
            emit_violation(d, VIOLATION_FUNCTION, "unknown PTCP TLV", at, 2);
            break;
        }
    }
}

static void frame(struct dissect *d, uint16_t frame_id, const char *name, struct reader r)
{
    bool has_delay =
        (frame_id >= 0xff40 && frame_id <= 0xff43) || (frame_id >= 0xff20 && frame_id <= 0xff22);
    reader_skip(&r, HEADER_PADDING);
    uint16_t sequence = reader_u16be(&r);
    reader_skip(&r, SEQUENCE_PADDING + (has_delay ? DELAY_SIZE : 0));
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_PUBLISH;
    e.protocol = "pn_ptcp";
    e.function = frame_id;
    e.spell = spell;
    e.name = name;
    e.transaction = sequence;
    e.has_transaction = true;
    if (!reader_ok(&r)) {
        emit_event(d, &e);
        emit_violation(d, VIOLATION_LENGTH, "PTCP header is not whole", NULL, 0);
        return;
    }
    struct found found = {NULL, NULL};
    tlvs(d, r, &found);
    struct ot_item item = {
        .area = "clock_master", .values = {VALUES_BYTES, 1, found.master, 6}
    };
    if (found.master) {
        e.items = &item;
        e.item_count = e.items_total = 1;
    }
    struct ot_fact fact = {.kind = FACT_MAC};
    struct mac port = d->packet->source_mac;
    char text[MAC_TEXT_SIZE];
    if (found.port)
        memcpy(port.bytes, found.port, sizeof port.bytes);
    if (!mac_equal(&d->packet->source_mac, &port)) {
        fact.value = text_of(mac_print(text, &port));
        e.facts = &fact;
        e.fact_count = 1;
    }
    emit_event(d, &e);
}

void pn_ptcp_dissect(struct dissect *d, uint16_t frame_id, const char *name, struct reader r)
{
    struct dissect inner = *d; /* violations are PTCP's */
    inner.dissector = &pn_ptcp;
    frame(&inner, frame_id, name, r);
}
