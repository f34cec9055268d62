/* dhcpv6.c: the same for IPv6: who asks, which server gives which address.
 *
 * Spec: [8415] RFC 8415 8, 9, 21, [4704] RFC 4704 (names); PROTOCOLS 31
 *
 *   | type 1 | transaction 3 | options: code 2, length 2, ... |
 *   | relayed 12, 13 | hops 1 | link 16 | peer 16 | options, 9 has the message |
 *
 * big endian */
#include "facts.h"

enum {
    ADVERTISE = 2,
    REPLY = 7,
    RECONFIGURE = 10,
    RELAY_FORWARD = 12,
    RELAY_REPLY = 13,
    RELAY_SKIP = 33,
    OPTION_CLIENT = 1,
    OPTION_ADDRESSES = 3,
    OPTION_TEMPORARY = 4,
    OPTION_ADDRESS = 5,
    OPTION_RELAYED = 9,
    OPTION_STATUS = 13,
    OPTION_VENDOR_CLASS = 16,
    OPTION_NAME = 39,
    RELAYS_MAX = 8,
    DUID_TIME = 1,
    DUID_ADDRESS = 3,
    HARDWARE_ETHERNET = 1,
    MICROSOFT = 311, /* IANA's enterprise number */
};

static const char *const types[] = {NULL,
                                    "solicit",
                                    "advertise",
                                    "request",
                                    "confirm",
                                    "renew",
                                    "rebind",
                                    "reply",
                                    "release",
                                    "decline",
                                    "reconfigure",
                                    "information_request",
                                    "relay_forward",
                                    "relay_reply"};
static const char *const statuses[] = {"success",    "unspecified", "no_addresses",
                                       "no_binding", "not_on_link", "use_multicast"};

struct message {
    struct dissect *d;
    uint8_t type;
    uint32_t transaction;
    struct facts facts;
    struct endpoint client;
    struct text address;
    struct ot_status status;
};

static bool is_server(uint8_t type)
{
    return type == ADVERTISE || type == REPLY || type == RECONFIGURE || type == RELAY_REPLY;
}

/* [8415] 11: | type 2 | hardware 2 | time 4, of type 1 | address | */
static void client(struct message *m, struct reader r)
{
    uint16_t type = reader_u16be(&r), hardware = reader_u16be(&r);
    if (type == DUID_TIME)
        reader_skip(&r, 4);
    const uint8_t *mac = reader_bytes(&r, sizeof m->client.mac.bytes);
    if (mac && hardware == HARDWARE_ETHERNET && (type == DUID_TIME || type == DUID_ADDRESS))
        memcpy(m->client.mac.bytes, mac, sizeof m->client.mac.bytes);
}

/* [8415] 21.4, 21.5: | id 4 | times 8, not of temporary ones | options, 5 has the address | */
static void addresses(struct message *m, uint16_t code, struct reader r)
{
    reader_skip(&r, code == OPTION_ADDRESSES ? 12 : 4);
    while (reader_left(&r)) {
        uint16_t inner = reader_u16be(&r);
        struct reader value = reader_take(&r, reader_u16be(&r));
        if (inner == OPTION_ADDRESS && m->address.size == 0)
            m->address = facts_ip(m->d, reader_take(&value, 16));
    }
}

/* [4704] 4: | flags 1 | labels |, the last one may be missing */
static void name(struct message *m, struct reader r)
{
    enum { NAME_MAX = 255 };
    char line[NAME_MAX];
    size_t used = 0;
    reader_skip(&r, 1);
    while (reader_left(&r)) {
        uint8_t size = reader_u8(&r);
        const uint8_t *label = reader_bytes(&r, size);
        if (!label || size == 0 || used + size + 1 > sizeof line)
            break;
        if (used)
            line[used++] = '.';
        memcpy(line + used, label, size);
        used += size;
    }
    if (ascii_is_printable((struct text){line, used}))
        facts_add(&m->facts, FACT_HOST_NAME, dissect_text(m->d, "%.*s", (int)used, line));
}

/* [8415] 21.16: | enterprise 4 | size 2 | class |... */
static void vendor_class(struct message *m, struct reader r)
{
    uint32_t enterprise = reader_u32be(&r);
    struct text class = ascii_of(reader_take(&r, reader_u16be(&r)));
    if (reader_ok(&r) && enterprise == MICROSOFT)
        facts_add(&m->facts, FACT_OS, TEXT("Windows"));
    if (ascii_is_printable(class))
        facts_add(&m->facts, FACT_COMMENT, class);
}

static void status(struct message *m, struct reader r)
{
    uint16_t code = reader_u16be(&r);
    if (reader_ok(&r))
        m->status =
            (struct ot_status){code ? OT_RESULT_ERROR : OT_RESULT_OK, code,
                               code < sizeof statuses / sizeof *statuses ? statuses[code] : NULL};
}

static void take_option(struct message *m, uint16_t code, struct reader value)
{
    switch (code) {
    case OPTION_CLIENT:
        client(m, value);
        break;
    case OPTION_ADDRESSES:
    case OPTION_TEMPORARY:
        addresses(m, code, value);
        break;
    case OPTION_NAME:
        name(m, value);
        break;
    case OPTION_VENDOR_CLASS:
        vendor_class(m, value);
        break;
    case OPTION_STATUS:
        status(m, value);
        break;
    default:
        break;
    }
}

/* Options of a message; of a relayed one those inside it. False when they do not fit. */
static bool take_message(struct message *m, struct reader r, unsigned relays)
{
    m->type = reader_u8(&r);
    if (m->type == RELAY_FORWARD || m->type == RELAY_REPLY)
        reader_skip(&r, RELAY_SKIP);
    else
        m->transaction = reader_u24be(&r);
    bool is_relayed = m->type >= RELAY_FORWARD;
    while (reader_left(&r)) {
        uint16_t code = reader_u16be(&r);
        struct reader value = reader_take(&r, reader_u16be(&r));
        if (!reader_ok(&r))
            return false;
        if (is_relayed && code == OPTION_RELAYED && relays < RELAYS_MAX)
            return take_message(m, value, relays + 1);
        if (!is_relayed)
            take_option(m, code, value);
    }
    return reader_ok(&r);
}

static void dhcpv6_dissect(struct dissect *d, struct reader r)
{
    struct message m = {.d = d};
    uint8_t outer = reader_peek(&r);
    if (!take_message(&m, r, 0))
        emit_violation(d, VIOLATION_LENGTH, "DHCPv6 option longer than its message", NULL, 0);
    if (m.type == 0 || m.type >= sizeof types / sizeof *types) {
        emit_violation(d, VIOLATION_FUNCTION, "unknown DHCPv6 message type", NULL, 0);
        return;
    }
    dissect_sender_is_client(d, !is_server(outer));
    struct ot_event e = event_of(d);
    struct ot_item item = {.area = "address", .name = m.address, .count = 1};
    e.direction = is_server(outer) ? OT_RESPONSE : OT_REQUEST;
    e.operation = OP_NETMGMT;
    e.code[0] = e.function = m.type;
    e.name = types[m.type];
    e.transaction = m.transaction;
    e.has_transaction = m.type < RELAY_FORWARD;
    e.status = m.status;
    if (m.address.size && is_server(m.type)) {
        e.items = &item;
        e.item_count = e.items_total = 1;
    }
    if (m.type == REPLY)
        facts_add(&m.facts, FACT_IP, m.address);
    bool is_direct = outer < RELAY_FORWARD;
    for (uint32_t i = 0; is_direct && i < m.facts.count; i++)
        m.facts.list[i].is_about_receiver = is_server(m.type);
    if (is_direct) { /* the id may be made of another interface's address ([8415] 11) */
        facts_give(&e, &m.facts);
    } else if (!mac_is_zero(&m.client.mac) && !mac_is_group(&m.client.mac)) {
        e.about = &m.client;
        facts_give(&e, &m.facts);
    }
    emit_event(d, &e);
}

/* Nothing but the types and how exactly the options fit: its own ports are wanted, too. */
static enum claim dhcpv6_recognise(struct reader r)
{
    uint8_t type = reader_u8(&r);
    reader_skip(&r, type >= RELAY_FORWARD ? RELAY_SKIP : 3);
    if (!reader_ok(&r) || reader_left(&r) == 0 || type == 0 || type > RELAY_REPLY)
        return CLAIM_NO;
    while (reader_left(&r)) {
        reader_skip(&r, 2);
        reader_skip(&r, reader_u16be(&r));
    }
    return reader_ok(&r) ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_dhcpv6 = {
    .name = "dhcpv6",
    .spec = "RFC 8415",
    .over = OVER_UDP,
    .ports = {546, 547},
    .is_bound_to_ports = true,
    .recognise = dhcpv6_recognise,
    .dissect = dhcpv6_dissect,
};
