/* cdp.c: Cisco's discovery protocol: name, platform, software, addresses and port of a neighbour.
 *
 * Spec: [CDP] Cisco, "Understanding Cisco Discovery Protocol" (frame formats); PROTOCOLS 31
 *
 *   SNAP 00-00-0c, 2000: | version 1 | time to live 1 | checksum 2 | TLVs |
 *   TLV       | type 2 | length 2, with these four | ... |
 *   addresses | count 4 | addresses: protocol type 1, size 1, protocol | size 2 | address |
 *
 * big endian */
#include "facts.h"
#include "self_description.h"

enum {
    TLV_HEAD = 4,
    DEVICE_ID = 1,
    ADDRESSES = 2,
    PORT_ID = 3,
    SOFTWARE = 5,
    PLATFORM = 6,
    SYSTEM_NAME = 0x14,
    MANAGEMENT = 0x16,
    LOCATION = 0x17,
    ADDRESSES_MAX = 8, /* of a device; more would be many ports of a router */
    VERSION_MAX = 2,
};

struct frame_of_cdp {
    struct dissect *d;
    struct facts facts;
    struct text device, port;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "frame", sizeof "frame");
}

static void addresses(struct frame_of_cdp *f, struct reader r)
{
    uint32_t count = reader_u32be(&r);
    for (uint32_t i = 0; i < count && i < ADDRESSES_MAX && reader_left(&r); i++) {
        reader_skip(&r, 1);
        reader_skip(&r, reader_u8(&r));
        struct reader address = reader_take(&r, reader_u16be(&r));
        struct text ip = reader_ok(&r) ? facts_ip(f->d, address) : (struct text){NULL, 0};
        facts_add(&f->facts, FACT_IP, ip);
    }
    if (!reader_ok(&r))
        emit_violation(f->d, VIOLATION_LENGTH, "CDP address longer than its TLV", r.at, 0);
}

/* "cisco WS-C3560G-24PS": the vendor, then the model. */
static void platform(struct frame_of_cdp *f, struct text value)
{
    struct text model = value;
    if (ascii_begins(value, "cisco ")) {
        ascii_until(&model, ' ');
        facts_add(&f->facts, FACT_VENDOR, TEXT("Cisco"));
    }
    facts_add(&f->facts, FACT_PRODUCT, model);
}

static void take_tlv(struct frame_of_cdp *f, uint16_t type, struct reader value)
{
    struct text text = ascii_trim(ascii_of(value));
    switch (type) {
    case DEVICE_ID:
        if (ascii_is_printable(text))
            f->device = text;
        break;
    case ADDRESSES:
    case MANAGEMENT:
        addresses(f, value);
        break;
    case PORT_ID:
        f->port = text;
        break;
    case SOFTWARE:
        self_description_facts(&f->facts, text);
        break;
    case PLATFORM:
        platform(f, text);
        break;
    case SYSTEM_NAME:
        facts_add(&f->facts, FACT_NAME, text);
        break;
    case LOCATION:
        reader_skip(&value, 1);
        facts_add(&f->facts, FACT_LOCATION, ascii_of(value));
        break;
    default:
        break;
    }
}

static void take_tlvs(struct frame_of_cdp *f, struct reader r)
{
    while (reader_left(&r)) {
        const uint8_t *at = r.at;
        uint16_t type = reader_u16be(&r);
        uint16_t length = reader_u16be(&r);
        struct reader value = reader_take(&r, length < TLV_HEAD ? 0 : length - TLV_HEAD);
        if (!reader_ok(&r) || length < TLV_HEAD) {
            emit_violation(f->d, VIOLATION_LENGTH, "CDP TLV length is not that of its frame", at,
                           reader_ok(&r) ? 4 : 1);
            return;
        }
        take_tlv(f, type, value);
    }
}

static void cdp_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    uint8_t version = reader_u8(&r);
    reader_skip(&r, 3);
    struct frame_of_cdp f = {.d = d};
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_NETMGMT;
    e.spell = spell;
    e.name = "advertisement";
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_LENGTH, "CDP header is not whole", NULL, 0);
    else if (version == 0 || version > VERSION_MAX)
        emit_violation(d, VIOLATION_RESERVED, "CDP version is neither 1 nor 2", at, 1);
    take_tlvs(&f, r);
    facts_add(&f.facts, FACT_HOST_NAME, f.device);
    facts_add(&f.facts, FACT_SWITCH_PORT, f.port);
    struct ot_item items[] = {
        {.area = "device", .name = f.device},
        {.area = "port",   .name = f.port  },
    };
    if (f.device.size) {
        e.items = items;
        e.item_count = e.items_total = f.port.size ? 2 : 1;
    }
    facts_give(&e, &f.facts);
    emit_event(d, &e);
}

/* What SNAP says decides. */
static enum claim cdp_recognise(struct reader r)
{
    return reader_left(&r) < 2 ? CLAIM_MORE : CLAIM_YES;
}

const struct dissector dissector_cdp = {
    .name = "cdp",
    .spec = "Cisco Discovery Protocol",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x2000},
    .recognise = cdp_recognise,
    .dissect = cdp_dissect,
};
