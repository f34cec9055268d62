/* dhcp.c: who asks for an address, which server gives which one: DHCP and BOOTP.
 *
 * Spec: [2131] RFC 2131 2 and 3, [2132] RFC 2132 (options), [3046] RFC 3046 (relay, option 82)
 *       [4702] RFC 4702 (option 81); PROTOCOLS 31
 *
 *   | op 1 | hardware 1 | size 1 | hops 1 | transaction 4 | seconds 2 | flags 2 | client IP 4 |
 *   | your IP 4 | next server 4 | relay 4 | hardware address 16 | server name 64 | file 128 |
 *   | 63 82 53 63 | options: code 1, length 1, ...; 0 pads, 255 ends |
 *
 * big endian */
#include "decimal.h"
#include "facts.h"

enum {
    HEADER_SIZE = 236,
    BOOTP_SIZE = 300, /* RFC 951 3: such datagrams have no other size */
    REQUEST = 1,
    REPLY = 2,
    HARDWARE_ETHERNET = 1,
    HARDWARE_SIZE_MAX = 16,
    HOPS_MAX = 16, /* RFC 1542 4.1.1 */
    COOKIE = 0x63825363,
    MAC_SIZE = 6,
    SERVER_NAME_SIZE = 64,
    FILE_SIZE = 128,
    OPTION_PAD = 0,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_HOST_NAME = 12,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_VENDOR_CLASS = 60,
    OPTION_CLIENT = 61,
    OPTION_FQDN = 81,
    OPTION_RELAY = 82,
    OPTION_END = 255,
    OVERLOAD_FILE = 1,
    OVERLOAD_NAME = 2,
    TYPE_ACK = 5,
    TYPE_NAK = 6,
    BOOTP = 256, /* no message type */
};

static const char *const types[] = {"bootp",   "discover",    "offer",     "request",
                                    "decline", "ack",         "nak",       "release",
                                    "inform",  "force_renew", "leasequery"};

/* How a vendor class begins, and the system that it means. */
static const struct {
    const char *begin; /* in lower case */
    const char *os;
} systems[] = {
    {"msft",         "Windows"  },
    {"android-dhcp", "Android"  },
    {"udhcp",        "Linux"    },
    {"dhcpcd",       "Linux"    },
    {"anaconda",     "Linux"    },
    {"ciscopnp",     "Cisco IOS"},
    {"vxworks",      "VxWorks"  },
};

struct message {
    struct dissect *d;
    uint8_t op;
    uint32_t type; /* BOOTP: none */
    const uint8_t *type_at;
    uint8_t overload;
    struct facts facts;
    struct text vendor_class, circuit, remote;
    struct reader parameters, client_id; /* at: NULL when not told */
    struct address server, router, dns, offered;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == BOOTP)
        memcpy(out, "bootp", sizeof "bootp");
    else
        text_format(out, OT_CODE_SIZE, "%u", code[0]);
}

static struct text printable(struct reader r)
{
    struct text t = ascii_trim(ascii_of(r));
    return ascii_is_printable(t) ? t : (struct text){NULL, 0};
}

/* [4702] 2.1 | flags 1 | two codes of old | name: letters, or labels when the flag 4 says so | */
static void fully_qualified(struct message *m, struct reader r)
{
    enum { IS_LABELS = 4, NAME_MAX = 255 };
    char name[NAME_MAX];
    size_t used = 0;
    bool is_labels = reader_u8(&r) & IS_LABELS;
    reader_skip(&r, 2);
    if (!is_labels) {
        facts_add(&m->facts, FACT_HOST_NAME, printable(r));
        return;
    }
    while (reader_left(&r)) {
        uint8_t size = reader_u8(&r);
        const uint8_t *label = reader_bytes(&r, size);
        if (!label || size == 0 || used + size + 1 > sizeof name)
            break;
        if (used)
            name[used++] = '.';
        memcpy(name + used, label, size);
        used += size;
    }
    struct text text = {name, used};
    if (ascii_is_printable(text))
        facts_add(&m->facts, FACT_HOST_NAME, dissect_text(m->d, "%.*s", (int)used, name));
}

/* [3046] 2.0 | code 1: 1 circuit, 2 remote | length 1 | ... | */
static void relay(struct message *m, struct reader r)
{
    while (reader_left(&r)) {
        uint8_t code = reader_u8(&r);
        struct reader value = reader_take(&r, reader_u8(&r));
        if (!reader_ok(&r))
            return;
        if (code == 1)
            m->circuit = ascii_of(value);
        else if (code == 2)
            m->remote = ascii_of(value);
    }
}

/* The first of a list of addresses. */
static struct address first_address(struct reader r)
{
    return facts_address(reader_take(&r, 4));
}

static void take_option(struct message *m, uint8_t code, struct reader value)
{
    switch (code) {
    case OPTION_TYPE:
        m->type_at = value.at;
        m->type = reader_u8(&value);
        break;
    case OPTION_HOST_NAME:
        facts_add(&m->facts, FACT_HOST_NAME, printable(value));
        break;
    case OPTION_FQDN:
        fully_qualified(m, value);
        break;
    case OPTION_VENDOR_CLASS:
        if (m->op == REQUEST) /* some servers send it back */
            m->vendor_class = printable(value);
        break;
    case OPTION_PARAMETERS:
        m->parameters = value;
        break;
    case OPTION_CLIENT:
        m->client_id = value;
        break;
    case OPTION_OVERLOAD:
        m->overload = reader_u8(&value);
        break;
    case OPTION_SERVER:
        m->server = first_address(value);
        break;
    case OPTION_ROUTER:
        m->router = first_address(value);
        break;
    case OPTION_DNS:
        m->dns = first_address(value);
        break;
    case OPTION_RELAY:
        relay(m, value);
        break;
    default:
        break;
    }
}

static void take_options(struct message *m, struct reader r)
{
    while (reader_left(&r)) {
        const uint8_t *at = r.at;
        uint8_t code = reader_u8(&r);
        if (code == OPTION_PAD)
            continue;
        if (code == OPTION_END)
            return;
        struct reader value = reader_take(&r, reader_u8(&r));
        if (!reader_ok(&r)) {
            emit_violation(m->d, VIOLATION_LENGTH, "DHCP option longer than its datagram", at, 1);
            return;
        }
        if (code == OPTION_TYPE && reader_left(&value) == 0) { /* RFC 2132 9.6: one byte */
            emit_violation(m->d, VIOLATION_LENGTH, "DHCP message type is empty", at, 1);
            continue;
        }
        take_option(m, code, value);
    }
}

static void guess_system(struct message *m)
{
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        if (ascii_begins(m->vendor_class, systems[i].begin))
            facts_add(&m->facts, FACT_OS, text_of(systems[i].os));
    if (ascii_contains(m->vendor_class, "linux"))
        facts_add(&m->facts, FACT_OS, TEXT("Linux"));
    facts_add(&m->facts, FACT_COMMENT, m->vendor_class);
}

/* Where the relay has the client: its ids are free bytes, and text most of the time. */
static void locate(struct message *m)
{
    bool has_remote = ascii_is_printable(m->remote), has_circuit = ascii_is_printable(m->circuit);
    if (!has_circuit && !has_remote)
        return;
    facts_add(&m->facts, FACT_SWITCH_PORT,
              dissect_text(m->d, "%.*s%s%.*s", has_remote ? (int)m->remote.size : 0,
                           has_remote ? m->remote.at : "", has_remote && has_circuit ? " " : "",
                           has_circuit ? (int)m->circuit.size : 0,
                           has_circuit ? m->circuit.at : ""));
}

/* "offers 10.0.0.9, server 10.0.0.1, router 10.0.0.1, DNS 10.0.0.1": of each what was told. */
static struct text server_words(const struct message *m)
{
    char line[256] = "", ip[ADDRESS_TEXT_SIZE];
    const struct {
        const char *word;
        const struct address *address;
    } parts[] = {
        {"address", &m->offered},
        {"server",  &m->server },
        {"router",  &m->router },
        {"DNS",     &m->dns    },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t used = strlen(line);
        if (parts[i].address->kind != ADDRESS_NONE)
            text_format(line + used, sizeof line - used, "%s%s %s", used ? ", " : "", parts[i].word,
                        address_print(ip, parts[i].address));
    }
    return dissect_text(m->d, "%s", line);
}

/* [2132] 9.14: | type 1: that of a hardware address, or 0 | id |. One that repeats the client's own
 * address says nothing. */
static struct text client_words(struct message *m, const uint8_t *hardware)
{
    static const char digits[] = "0123456789abcdef";
    enum { SHOWN_MAX = 32 };
    struct reader id = m->client_id;
    uint8_t type = reader_u8(&id);
    size_t size = reader_left(&id);
    if (!size || (type == HARDWARE_ETHERNET && hardware && size == MAC_SIZE &&
                  memcmp(id.at, hardware, MAC_SIZE) == 0))
        return (struct text){NULL, 0};
    struct text text = ascii_of(id);
    if (type == 0 && ascii_is_printable(text))
        return text;
    char hex[2 * SHOWN_MAX];
    size_t used = 0;
    for (struct reader all = m->client_id; reader_left(&all) && used < sizeof hex;) {
        uint8_t byte = reader_u8(&all);
        hex[used++] = digits[byte >> 4];
        hex[used++] = digits[byte & 15];
    }
    return dissect_text(m->d, "%.*s", (int)used, hex);
}

/* "client ff01, asks for 1,3,6": the order of what it asks for tells systems apart. */
static struct text asker_words(struct message *m, const uint8_t *hardware)
{
    enum { LIST_MAX = 255 * 4 };
    char list[LIST_MAX];
    size_t used = 0;
    while (reader_left(&m->parameters)) {
        if (used)
            list[used++] = ',';
        used += decimal_put(list + used, reader_u8(&m->parameters));
    }
    struct text client = client_words(m, hardware);
    if (!client.size && !used)
        return (struct text){NULL, 0};
    return dissect_text(m->d, "%s%.*s%s%s%.*s", client.size ? "client " : "", (int)client.size,
                        client.size ? client.at : "", client.size && used ? ", " : "",
                        used ? "asks for " : "", (int)used, list);
}

static void tell(struct message *m, struct ot_event *e, const uint8_t *hardware,
                 struct reader offered)
{
    struct endpoint client = {0};
    struct ot_item item = {.area = "address", .count = 1};
    struct text ip = facts_ip(m->d, offered);
    bool has_client = hardware != NULL;
    if (has_client)
        memcpy(client.mac.bytes, hardware, MAC_SIZE);
    guess_system(m);
    locate(m);
    if (m->type == TYPE_ACK)
        facts_add(&m->facts, FACT_IP, ip);
    if (m->op == REPLY && ip.size) {
        item.name = ip;
        e->items = &item;
        e->item_count = e->items_total = 1;
    }
    e->detail = m->op == REPLY ? server_words(m) : asker_words(m, hardware);
    if (has_client && !mac_is_zero(&client.mac)) {
        e->about = &client;
        facts_give(e, &m->facts);
    }
    emit_event(m->d, e);
}

static void finish(struct message *m, struct ot_event *e)
{
    bool is_known = m->type < sizeof types / sizeof *types && m->type > 0;
    if (m->type != BOOTP && !is_known)
        emit_violation(m->d, VIOLATION_FUNCTION, "unknown DHCP message type", m->type_at, 1);
    e->direction = m->op == REQUEST ? OT_REQUEST : OT_RESPONSE;
    e->operation = OP_NETMGMT;
    e->spell = spell;
    e->code[0] = e->function = m->type;
    e->name = m->type == BOOTP ? types[0] : is_known ? types[m->type] : NULL;
    if (m->type == TYPE_NAK)
        e->status = (struct ot_status){OT_RESULT_ERROR, TYPE_NAK, "refused"};
    else if (m->op == REPLY)
        e->status.result = OT_RESULT_OK;
}

static void dhcp_dissect(struct dissect *d, struct reader r)
{
    struct message m = {.d = d, .type = BOOTP};
    const uint8_t *at = r.at;
    m.op = reader_u8(&r);
    uint8_t type = reader_u8(&r), size = reader_u8(&r);
    reader_skip(&r, 1);
    uint32_t transaction = reader_u32be(&r);
    reader_skip(&r, 8);
    struct reader offered = reader_take(&r, 4);
    reader_skip(&r, 8);
    struct reader hardware = reader_take(&r, HARDWARE_SIZE_MAX);
    struct reader name = reader_take(&r, SERVER_NAME_SIZE);
    struct reader file = reader_take(&r, FILE_SIZE);
    if (!reader_ok(&r) || (m.op != REQUEST && m.op != REPLY)) {
        emit_violation(d, VIOLATION_LENGTH, "datagram is no DHCP message", at, 0);
        return;
    }
    if (size > HARDWARE_SIZE_MAX)
        emit_violation(d, VIOLATION_LENGTH, "DHCP hardware address longer than 16", at + 2, 1);
    /* a reply to all is the server's own doing: nobody owns the other end */
    dissect_sender_is_client(d, m.op == REQUEST || address_is_group(&d->packet->destination));
    struct ot_event e = event_of(d);
    e.transaction = transaction;
    e.has_transaction = true;
    m.offered = facts_address(offered);
    if (reader_u32be(&r) == COOKIE && reader_ok(&r))
        take_options(&m, r);
    if (m.overload & OVERLOAD_FILE)
        take_options(&m, file);
    if (m.overload & OVERLOAD_NAME)
        take_options(&m, name);
    finish(&m, &e);
    bool is_ethernet = type == HARDWARE_ETHERNET && size == MAC_SIZE;
    tell(&m, &e, is_ethernet ? hardware.at : NULL, offered);
}

static enum claim dhcp_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t op = reader_u8(&r);
    uint8_t type = reader_u8(&r), size = reader_u8(&r), hops = reader_u8(&r);
    reader_skip(&r, HEADER_SIZE - 4);
    if (!reader_ok(&r) || (op != REQUEST && op != REPLY) || size > HARDWARE_SIZE_MAX ||
        hops > HOPS_MAX)
        return CLAIM_NO;
    if (reader_u32be(&r) == COOKIE)
        return CLAIM_YES;
    return given == BOOTP_SIZE && type == HARDWARE_ETHERNET && size == MAC_SIZE ? CLAIM_WEAK
                                                                                : CLAIM_NO;
}

const struct dissector dissector_dhcp = {
    .name = "dhcp",
    .spec = "RFC 2131, RFC 2132",
    .over = OVER_UDP,
    .ports = {67, 68, 4011},
    .is_bound_to_ports = true,
    .recognise = dhcp_recognise,
    .dissect = dhcp_dissect,
};
