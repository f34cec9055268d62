/* lldp.c: what a device tells its neighbour at the other end of the cable: who it is, which port.
 *
 * Spec: [AB] IEEE 802.1AB-2016 8 and 9, [PN] IEC 61158-6-10 (PROFINET's TLVs), [MED] ANSI/TIA-1057
 *       (TIA's inventory), [MUD] RFC 8520 11; PROTOCOLS 31
 *
 *   TLV            | type 7 bits | length 9 bits | length bytes |: chassis 1, port 2, time to live
 * 3 come first and in this order, end 0 comes last chassis, port  | subtype 1 | id | management 8
 * | size 1 | family 1 | address | interface subtype 1 | number 4 | OID size 1 | organisation's |
 * 127 | OUI 3 | subtype 1 | ... |
 *
 * big endian */
#include "facts.h"
#include "self_description.h"

enum {
    END = 0,
    CHASSIS = 1,
    PORT = 2,
    TIME_TO_LIVE = 3,
    PORT_DESCRIPTION = 4,
    SYSTEM_NAME = 5,
    SYSTEM_DESCRIPTION = 6,
    CAPABILITIES = 7,
    MANAGEMENT_ADDRESS = 8,
    ORGANISATION = 127,
    ID_MAX = 256, /* [AB] 8.5.2.1: with its subtype */
    MAC_SIZE = 6,
    SUBTYPE_LOCAL = 7,
    CHASSIS_MAC = 4,
    CHASSIS_ADDRESS = 5,
    PORT_MAC = 3,
    PORT_ADDRESS = 4,
    OUI_PROFINET = 0x000ecf,
    PROFINET_CHASSIS_MAC = 5, /* [PN] LLDP_PNIO_CHASSIS_MAC: ports have their own */
    OUI_TIA = 0x0012bb,
    OUI_802_1 = 0x0080c2,
    OUI_802_3 = 0x00120f,
    OUI_IANA = 0x00005e,
};

/* [AB] 8.5.8.1, the bit's number; what it is called in an inventory */
static const char *const capabilities[] = {"other",        "repeater", "bridge",
                                           "access point", "router",   "phone",
                                           "cable device", "station",  "VLAN bridge"};

/* [MED] 10.2.6: the inventory */
static const struct {
    uint8_t subtype;
    enum fact_kind kind;
} inventory[] = {
    {5,  FACT_HARDWARE},
    {6,  FACT_FIRMWARE},
    {7,  FACT_SOFTWARE},
    {8,  FACT_SERIAL  },
    {9,  FACT_VENDOR  },
    {10, FACT_PRODUCT },
    {11, FACT_COMMENT },
};

struct frame_of_lldp {
    struct dissect *d;
    struct facts facts;
    struct text chassis, port, port_description;
    bool is_chassis_local, is_profinet;
    uint16_t vlan, link; /* of the port; 0: not told */
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "frame", sizeof "frame");
}

static struct text printable(struct reader r)
{
    struct text t = ascii_trim(ascii_of(r));
    return ascii_is_printable(t) ? t : (struct text){NULL, 0};
}

/* [AB] 8.5.2.3 | family 1 (IANA's) | address | */
static struct text network_address(struct dissect *d, struct reader r)
{
    reader_skip(&r, 1);
    return reader_ok(&r) ? facts_ip(d, r) : (struct text){NULL, 0};
}

static void chassis(struct frame_of_lldp *f, struct reader r)
{
    uint8_t subtype = reader_u8(&r);
    struct reader id = r;
    if (subtype == CHASSIS_MAC && reader_left(&id) == MAC_SIZE) {
        const uint8_t *mac = reader_bytes(&id, MAC_SIZE);
        f->chassis = facts_mac(f->d, mac);
        if (memcmp(mac, f->d->packet->source_mac.bytes, MAC_SIZE) != 0)
            facts_add(&f->facts, FACT_MAC, f->chassis);
    } else if (subtype == CHASSIS_ADDRESS) {
        f->chassis = network_address(f->d, id);
        facts_add(&f->facts, FACT_IP, f->chassis);
    } else {
        f->chassis = printable(id);
        f->is_chassis_local = subtype == SUBTYPE_LOCAL;
    }
}

static void port(struct frame_of_lldp *f, struct reader r)
{
    uint8_t subtype = reader_u8(&r);
    if (subtype == PORT_MAC && reader_left(&r) == MAC_SIZE)
        f->port = facts_mac(f->d, reader_bytes(&r, MAC_SIZE));
    else if (subtype == PORT_ADDRESS)
        f->port = network_address(f->d, r);
    else
        f->port = printable(r);
}

static void describe_capabilities(struct frame_of_lldp *f, struct reader r)
{
    char line[96] = "";
    uint16_t can = reader_u16be(&r);
    if (!reader_ok(&r))
        return;
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        size_t used = strlen(line);
        if (can >> i & 1)
            text_format(line + used, sizeof line - used, "%s%s", used ? ", " : "", capabilities[i]);
    }
    facts_add(&f->facts, FACT_DEVICE_TYPE, dissect_text(f->d, "%s", line));
}

static void management_address(struct frame_of_lldp *f, struct reader r)
{
    uint8_t size = reader_u8(&r);
    struct reader address = reader_take(&r, size);
    if (!reader_ok(&r) || size == 0) {
        emit_violation(f->d, VIOLATION_LENGTH, "LLDP management address longer than its TLV", r.at,
                       0);
        return;
    }
    facts_add(&f->facts, FACT_IP, network_address(f->d, address));
}

static void organisation(struct frame_of_lldp *f, struct reader r)
{
    uint32_t oui = reader_u24be(&r);
    uint8_t subtype = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(f->d, VIOLATION_LENGTH, "LLDP organisation's TLV below 4 bytes", r.at, 0);
        return;
    }
    if (oui == OUI_PROFINET)
        f->is_profinet = true;
    if (oui == OUI_PROFINET && subtype == PROFINET_CHASSIS_MAC) {
        const uint8_t *mac = reader_bytes(&r, MAC_SIZE);
        if (mac && memcmp(mac, f->d->packet->source_mac.bytes, MAC_SIZE) != 0)
            facts_add(&f->facts, FACT_MAC, facts_mac(f->d, mac));
    }
    if (oui == OUI_802_1 && subtype == 1) /* [AB] E.2: | VLAN of the port 2 | */
        f->vlan = reader_u16be(&r);
    if (oui == OUI_802_3 && subtype == 1) { /* [802.3] 79.3.1: | status 1 | can 2 | is 2 | */
        reader_skip(&r, 3);
        f->link = reader_u16be(&r);
    }
    if (oui == OUI_IANA && subtype == 1) /* [MUD] */
        facts_add(&f->facts, FACT_URL, printable(r));
    for (size_t i = 0; oui == OUI_TIA && i < sizeof inventory / sizeof *inventory; i++)
        if (inventory[i].subtype == subtype)
            facts_add(&f->facts, inventory[i].kind, printable(r));
}

static void take_tlv(struct frame_of_lldp *f, uint8_t type, struct reader value)
{
    switch (type) {
    case CHASSIS:
        chassis(f, value);
        break;
    case PORT:
        port(f, value);
        break;
    case PORT_DESCRIPTION:
        f->port_description = printable(value);
        break;
    case SYSTEM_NAME:
        facts_add(&f->facts, FACT_HOST_NAME, printable(value));
        break;
    case SYSTEM_DESCRIPTION:
        self_description_facts(&f->facts, ascii_of(value));
        break;
    case CAPABILITIES:
        describe_capabilities(f, value);
        break;
    case MANAGEMENT_ADDRESS:
        management_address(f, value);
        break;
    case ORGANISATION:
        organisation(f, value);
        break;
    default:
        break;
    }
}

/* [AB] 8.2: chassis, port and time to live, once each and first. */
static bool is_in_order(unsigned index, uint8_t type)
{
    bool is_mandatory = type >= CHASSIS && type <= TIME_TO_LIVE;
    return index < TIME_TO_LIVE ? type == index + 1 : !is_mandatory;
}

static bool take_tlvs(struct frame_of_lldp *f, struct reader r)
{
    bool is_told = false;
    for (unsigned i = 0; reader_left(&r); i++) {
        const uint8_t *at = r.at;
        uint16_t head = reader_u16be(&r);
        uint8_t type = (uint8_t)(head >> 9);
        struct reader value = reader_take(&r, head & 0x1ff);
        if (!reader_ok(&r)) {
            emit_violation(f->d, VIOLATION_LENGTH, "LLDP TLV longer than its frame", at, 1);
            return i > TIME_TO_LIVE;
        }
        if (!is_in_order(i, type) && !is_told) {
            is_told = true;
            emit_violation(f->d, VIOLATION_SEQUENCE,
                           "LLDP does not begin with one chassis, port and time to live", at, 2);
        }
        if (type == END)
            return i >= TIME_TO_LIVE;
        if ((type == CHASSIS || type == PORT) && (head & 0x1ff) > ID_MAX)
            emit_violation(f->d, VIOLATION_LENGTH, "LLDP id longer than 255 bytes", at, 2);
        take_tlv(f, type, value);
    }
    return !is_told;
}

/* PROFINET's station name: the chassis, or what follows the port's name ("port-001.name"); a newer
 * chassis id is a description with blanks in it. */
static void name_station(struct frame_of_lldp *f)
{
    struct text name = f->port, blank = f->chassis;
    ascii_until(&name, '.');
    if (ascii_begins(f->port, "port-") && name.size)
        facts_add(&f->facts, FACT_NAME, name);
    else if (f->is_chassis_local && ascii_until(&blank, ' ').size == f->chassis.size)
        facts_add(&f->facts, FACT_NAME, f->chassis);
}

/* RFC 4836, dot3MauType */
static const char *link_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } links[] = {
        {10, "10BASE-T half duplex"   },
        {11, "10BASE-T full duplex"   },
        {15, "100BASE-TX half duplex" },
        {16, "100BASE-TX full duplex" },
        {17, "100BASE-FX half duplex" },
        {18, "100BASE-FX full duplex" },
        {24, "1000BASE-SX full duplex"},
        {26, "1000BASE-LX full duplex"},
        {30, "1000BASE-T full duplex" },
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].type == type)
            return links[i].name;
    return NULL;
}

/* "VLAN 5, 100BASE-TX full duplex" */
static struct text port_words(const struct frame_of_lldp *f)
{
    const char *link = link_name(f->link);
    const char *between = f->vlan && link ? ", " : "";
    if (f->vlan)
        return dissect_text(f->d, "VLAN %u%s%s", f->vlan, between, link ? link : "");
    return link ? text_of(link) : (struct text){NULL, 0};
}

static void lldp_dissect(struct dissect *d, struct reader r)
{
    struct frame_of_lldp f = {.d = d};
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_NETMGMT;
    e.spell = spell;
    e.name = "advertisement";
    bool is_whole = take_tlvs(&f, r);
    if (f.is_profinet)
        name_station(&f);
    facts_add(&f.facts, FACT_SWITCH_PORT,
              f.port.size && f.port_description.size
                  ? dissect_text(d, "%.*s (%.*s)", (int)f.port.size, f.port.at,
                                 (int)f.port_description.size, f.port_description.at)
              : f.port.size ? f.port
                            : f.port_description);
    struct ot_item items[] = {
        {.area = "chassis", .name = f.chassis},
        {.area = "port",    .name = f.port   },
    };
    if (is_whole) {
        e.items = items;
        e.item_count = e.items_total = 2;
    }
    e.detail = port_words(&f);
    facts_give(&e, &f.facts);
    emit_event(d, &e);
}

/* The ethertype decides. */
static enum claim lldp_recognise(struct reader r)
{
    return reader_left(&r) < 2 ? CLAIM_MORE : CLAIM_YES;
}

const struct dissector dissector_lldp = {
    .name = "lldp",
    .spec = "IEEE 802.1AB-2016",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x88cc},
    .recognise = lldp_recognise,
    .dissect = lldp_dissect,
};
