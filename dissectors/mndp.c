/* mndp.c: MikroTik's neighbour discovery: what routers tell of themselves by broadcast.
 *
 * Not published; the layout is what public decoders agree on (PROTOCOLS 31).
 *
 *   | ? 2 | sequence 2 | TLVs: type 2, length 2, value |     a question is four zeros
 *
 * big endian */
#include "facts.h"

enum {
    HEAD = 4,
    MAC = 1,
    IDENTITY = 5,
    VERSION = 7,
    PLATFORM = 8,
    BOARD = 12,
    INTERFACE = 16,
    IP4 = 17,
    TLVS_MIN = 2,
    MAC_SIZE = 6,
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "announcement", sizeof "announcement");
}

static bool next_tlv(struct reader *r, uint16_t *type, struct reader *value)
{
    if (!reader_left(r))
        return false;
    *type = reader_u16be(r);
    *value = reader_take(r, reader_u16be(r));
    return reader_ok(r);
}

static void take_tlv(struct dissect *d, struct facts *f, uint16_t type, struct reader value)
{
    struct text text = ascii_of(value);
    switch (type) {
    case MAC:
        if (reader_left(&value) == MAC_SIZE)
            facts_add(f, FACT_MAC, facts_mac(d, value.at));
        break;
    case IDENTITY:
        facts_add(f, FACT_HOST_NAME, text);
        break;
    case VERSION:
        facts_add(f, FACT_FIRMWARE, text);
        break;
    case PLATFORM:
        facts_add(f, FACT_VENDOR, text);
        break;
    case BOARD:
        facts_add(f, FACT_PRODUCT, text);
        break;
    case INTERFACE:
        facts_add(f, FACT_SWITCH_PORT, text);
        break;
    case IP4:
        facts_add(f, FACT_IP, facts_ip(d, value));
        break;
    default:
        break;
    }
}

static void mndp_dissect(struct dissect *d, struct reader r)
{
    struct reader whole = r, value;
    struct facts f = {.count = 0};
    uint16_t type;
    struct ot_event e = event_of(d);
    reader_skip(&r, 2);
    e.transaction = reader_u16be(&r);
    e.has_transaction = true;
    e.direction = OT_ONEWAY;
    e.operation = OP_NETMGMT;
    e.spell = spell;
    e.name = reader_left(&r) ? "announcement" : "question";
    while (next_tlv(&r, &type, &value))
        take_tlv(d, &f, type, value);
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_LENGTH, "MNDP TLV is longer than its datagram", whole.at,
                       reader_left(&whole));
    facts_give(&e, &f);
    emit_event(d, &e);
}

/* Announcements begin with the MAC, and their TLVs end where the datagram does. */
static enum claim mndp_recognise(struct reader r)
{
    struct reader value;
    uint16_t type = 0;
    unsigned count = 0;
    reader_skip(&r, HEAD);
    for (; next_tlv(&r, &type, &value); count++)
        if (count == 0 && (type != MAC || reader_left(&value) != MAC_SIZE))
            return CLAIM_NO;
    return reader_ok(&r) && count >= TLVS_MIN ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_mndp = {
    .name = "mndp",
    .spec = "MikroTik neighbour discovery (not published)",
    .over = OVER_UDP,
    .ports = {5678},
    .is_bound_to_ports = true,
    .recognise = mndp_recognise,
    .dissect = mndp_dissect,
};
