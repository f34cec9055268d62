/* edp.c: the discovery protocol of Extreme Networks' switches: name, software and port of a
 * neighbour.
 *
 * Not published; the layout is what public decoders agree on (PROTOCOLS 31).
 *
 *   SNAP 00-e0-2b, 00bb: | aa aa 03 | 00 e0 2b | 00 bb | version 1, 1 | 0, 1 | length of all 2 |
 *        checksum 2 | sequence 2 | kind of id 2, 0 | MAC 6 | TLVs |
 *   TLV       | 99, 1 | type 1 | length 2, with these four | ... |
 *   display 1 | name, ended by 0 |
 *   info 2    | slot 2 | port 2 | chassis 2 | 0, 6 | version 4 | connections 16 |
 *   VLAN 5    | flags 1 | 0, 1 | id 2 | 0, 4 | address 4 | name, ended by 0 |
 *
 * big endian */
#include "facts.h"

enum {
    SNAP_SIZE = 8,
    HEAD_SIZE = 16,
    TLV_HEAD = 4,
    MARK = 0x99,
    VERSION_1 = 1,
    KIND_MAC = 0,
    MAC_SIZE = 6,
    TLV_END = 0,
    TLV_DISPLAY = 1,
    TLV_INFO = 2,
    TLV_VLAN = 5,
    DSAP_SNAP = 0xaa,
};

struct frame_of_edp {
    struct dissect *d;
    struct facts facts;
    struct text name, port;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "frame", sizeof "frame");
}

/* Up to the zero that ends it. */
static struct text text_in(struct reader r)
{
    struct text all = ascii_of(r);
    struct text text = ascii_trim(ascii_until(&all, '\0'));
    return ascii_is_printable(text) ? text : (struct text){NULL, 0};
}

/* Ports and slots are counted from 0 here and from 1 on the switch. */
static void info(struct frame_of_edp *f, struct reader r)
{
    uint16_t slot = reader_u16be(&r);
    uint16_t port = reader_u16be(&r);
    reader_skip(&r, 8);
    const uint8_t *version = reader_bytes(&r, 4);
    if (!version) {
        emit_violation(f->d, VIOLATION_LENGTH, "EDP info is not whole", r.at, 0);
        return;
    }
    f->port = dissect_text(f->d, "%u:%u", slot + 1u, port + 1u);
    facts_add(&f->facts, FACT_FIRMWARE,
              dissect_text(f->d, "%u.%u.%u.%u", version[0], version[1], version[2], version[3]));
}

static void take_tlv(struct frame_of_edp *f, uint8_t type, struct reader value)
{
    switch (type) {
    case TLV_DISPLAY:
        f->name = text_in(value);
        break;
    case TLV_INFO:
        info(f, value);
        break;
    case TLV_VLAN:
        reader_skip(&value, 8);
        facts_add(&f->facts, FACT_IP, facts_ip(f->d, reader_take(&value, 4)));
        break;
    default:
        break;
    }
}

static void take_tlvs(struct frame_of_edp *f, struct reader r)
{
    while (reader_left(&r)) {
        const uint8_t *at = r.at;
        uint8_t mark = reader_u8(&r);
        uint8_t type = reader_u8(&r);
        uint16_t length = reader_u16be(&r);
        struct reader value = reader_take(&r, length < TLV_HEAD ? 0 : length - TLV_HEAD);
        if (!reader_ok(&r) || mark != MARK || length < TLV_HEAD) {
            emit_violation(f->d, VIOLATION_LENGTH, "EDP TLV is not whole", at, 1);
            return;
        }
        if (type == TLV_END)
            return;
        take_tlv(f, type, value);
    }
}

static void edp_dissect(struct dissect *d, struct reader r)
{
    struct frame_of_edp f = {.d = d};
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_NETMGMT;
    e.spell = spell;
    e.name = "advertisement";
    reader_skip(&r, SNAP_SIZE);
    const uint8_t *at = r.at;
    uint8_t version = reader_u8(&r);
    reader_skip(&r, 1);
    uint16_t length = reader_u16be(&r);
    reader_skip(&r, 2);
    e.transaction = reader_u16be(&r);
    e.has_transaction = true;
    uint16_t kind = reader_u16be(&r);
    const uint8_t *mac = reader_bytes(&r, MAC_SIZE);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "EDP header is not whole", NULL, 0);
        return;
    }
    if (version != VERSION_1)
        emit_violation(d, VIOLATION_RESERVED, "EDP version is not 1", at, 1);
    if (length < HEAD_SIZE || length > HEAD_SIZE + reader_left(&r))
        emit_violation(d, VIOLATION_LENGTH, "EDP length is not the frame's", at + 2, 2);
    else
        r = reader_take(&r, length - (size_t)HEAD_SIZE); /* behind it the frame is filled up */
    facts_add(&f.facts, FACT_VENDOR, TEXT("Extreme Networks"));
    if (kind == KIND_MAC)
        facts_add(&f.facts, FACT_MAC, facts_mac(d, mac));
    take_tlvs(&f, r);
    facts_add(&f.facts, FACT_HOST_NAME, f.name);
    facts_add(&f.facts, FACT_SWITCH_PORT, f.port);
    struct ot_item items[] = {
        {.area = "device", .name = f.name},
        {.area = "port",   .name = f.port},
    };
    if (f.name.size) {
        e.items = items;
        e.item_count = e.items_total = f.port.size ? 2 : 1;
    }
    facts_give(&e, &f.facts);
    emit_event(d, &e);
}

/* What SNAP says decides. */
static enum claim edp_recognise(struct reader r)
{
    static const uint8_t snap[SNAP_SIZE] = {DSAP_SNAP, DSAP_SNAP, 0x03, 0x00,
                                            0xe0,      0x2b,      0x00, 0xbb};
    const uint8_t *at = reader_bytes(&r, SNAP_SIZE);
    return at && memcmp(at, snap, sizeof snap) == 0 ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_edp = {
    .name = "edp",
    .spec = "Extreme Discovery Protocol (not published)",
    .over = OVER_ETHERTYPE,
    .ethertypes = {DSAP_SNAP},
    .recognise = edp_recognise,
    .dissect = edp_dissect,
};
