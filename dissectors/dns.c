/* dns.c: names asked for and answered: DNS, mDNS, LLMNR and the NetBIOS name service.
 *
 * Spec: [1035] RFC 1035 4 Messages, [6762] RFC 6762 mDNS, [6763] RFC 6763 service discovery
 *       [4795] RFC 4795 LLMNR, [1002] RFC 1002 4.2 NetBIOS name service
 *
 *   | id 2 | flags 2 | questions 2 | answers 2 | authorities 2 | additional 2 |, big endian
 *   question: | name | type 2 | class 2 |; record: the same | ttl 4 | size 2 | data |
 *   name: labels | size 1 | bytes |, ends with 0 or a pointer | 0xc0 and offset 2 |
 *
 * A host tells its own name where it answers with the address that it sends from, or registers it.
 */
#include "ascii.h"
#include "decimal.h"
#include "netbios.h"

enum {
    NAME_SIZE = 255, /* [1035] 2.3.4 */
    LABEL_MAX = 63,
    POINTER = 0xc0,
    JUMPS_MAX = 8, /* writers use one; more only burn time */
    PORT_NETBIOS = 137,
    PORT_MDNS = 5353,
    PORT_LLMNR = 5355,
    IS_ANSWER = 0x8000,
    RESERVED = 0x0040,
    CODE_BITS = 15,
    NO_SUCH_NAME = 3,
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_PTR = 12,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_NETBIOS = 32, /* of NetBIOS alone; elsewhere 33 is SRV */
    TYPE_SRV = 33,
    TYPE_TRANSFER = 252,
    OPCODE_REGISTER = 5, /* of NetBIOS */
    OPCODE_MAX = 9,
    OPCODE_REGISTER_HOMES = 15,
    RECORDS_MAX = 32,
    ITEMS_MAX = 8,
    FACTS_MAX = 8,
};

enum family { DNS, MDNS, LLMNR, NETBIOS };
static const char *const families[] = {"dns", "mdns", "llmnr", "nbns"};

struct header {
    uint16_t id, flags;
    uint16_t questions, answers;
    uint32_t others; /* authorities and additional */
    uint8_t opcode;
};

/* What is made of one message. */
struct names {
    struct dissect *d;
    struct reader message;
    struct header header;
    enum family family;
    struct ot_event event;
    struct ot_item *items;
    uint32_t room;
    struct ot_fact facts[FACTS_MAX];
};

struct record {
    struct text name;
    uint16_t type;
    struct reader data;
};

static struct header read_header(struct reader *r)
{
    struct header h;
    h.id = reader_u16be(r);
    h.flags = reader_u16be(r);
    h.questions = reader_u16be(r);
    h.answers = reader_u16be(r);
    h.others = reader_u16be(r);
    h.others += reader_u16be(r);
    h.opcode = h.flags >> 11 & 15;
    return h;
}

/* Reads a name of the message into out (NAME_SIZE bytes), which may be NULL. False when it is none.
 * Each turn takes a label into the 255 bytes, or is one of few jumps. */
static bool read_name(struct reader *r, struct reader message, char *out, size_t *size)
{
    struct reader at = *r;
    bool has_jumped = false;
    size_t used = 0;
    for (int jumps = 0; jumps < JUMPS_MAX;) {
        uint8_t length = reader_u8(&at);
        if (length >= POINTER) {
            size_t offset = (size_t)(length & ~POINTER) << 8 | reader_u8(&at);
            if (!reader_ok(&at))
                return false;
            if (!has_jumped)
                *r = at;
            has_jumped = true;
            jumps++;
            at = message;
            reader_skip(&at, offset);
            continue;
        }
        const uint8_t *label = reader_bytes(&at, length);
        if (length > LABEL_MAX || !label || !reader_ok(&at) || used + length + 1 > NAME_SIZE)
            return false;
        if (length == 0) {
            if (!has_jumped)
                *r = at;
            *size = used ? used - 1 : 0; /* without the last dot */
            return true;
        }
        if (out) {
            memcpy(out + used, label, length);
            out[used + length] = '.';
        }
        used += length + 1u;
    }
    return false;
}

/* The name in packet memory; empty when it is none, is not printable or there is no room. */
static struct text name_text(struct dissect *d, struct reader *r, struct reader message, bool *ok)
{
    size_t size = 0;
    char *name = arena_take(d->arena, NAME_SIZE);
    *ok = read_name(r, message, name, &size);
    struct text t = {name, size};
    return *ok && name && ascii_is_printable(t) ? t : (struct text){NULL, 0};
}

static bool is_class(uint16_t class)
{
    class &= 0x7fff; /* mDNS: unicast answer wanted, or cache flush */
    return class == 1 || class == 3 || class == 254 || class == 255;
}

static enum claim dns_recognise(struct reader r)
{
    enum { QUESTIONS_MAX = 64, COUNT_MAX = 512 };
    struct reader message = r;
    size_t size;
    struct header h = read_header(&r);
    bool is_opcode = h.opcode <= OPCODE_MAX || h.opcode == OPCODE_REGISTER_HOMES;
    if (!reader_ok(&r) || (h.flags & RESERVED) || !is_opcode || h.questions > QUESTIONS_MAX ||
        h.answers > COUNT_MAX || h.others > COUNT_MAX || h.questions + h.answers + h.others == 0)
        return CLAIM_NO;
    if (!read_name(&r, message, NULL, &size))
        return CLAIM_NO;
    uint16_t type = reader_u16be(&r), class = reader_u16be(&r);
    if (!reader_ok(&r) || type == 0 || !is_class(class))
        return CLAIM_NO;
    return CLAIM_WEAK;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "opcode=%u", (unsigned)code[0]);
}

static bool is_at(const struct ot_flow *f, uint16_t port)
{
    return f->server.port == port || f->client.port == port;
}

static enum family family_of(const struct ot_flow *f)
{
    return is_at(f, PORT_MDNS)      ? MDNS
           : is_at(f, PORT_LLMNR)   ? LLMNR
           : is_at(f, PORT_NETBIOS) ? NETBIOS
                                    : DNS;
}

/* --- what records tell --- */

static void add_fact(struct names *n, enum fact_kind kind, struct text value)
{
    if (n->event.fact_count == FACTS_MAX || !ascii_is_printable(value))
        return;
    for (uint32_t i = 0; i < n->event.fact_count; i++)
        if (n->facts[i].kind == kind)
            return;
    n->facts[n->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

static void add_item(struct names *n, const char *area, struct text name, enum ot_encoding as,
                     uint32_t count, struct text bytes)
{
    n->event.items_total++;
    if (n->event.item_count == n->room)
        return;
    n->items[n->event.item_count++] = (struct ot_item){
        .area = area,
        .name = name,
        .count = 1,
        .values = {as, count, (const uint8_t *)bytes.at, bytes.size},
    };
}

/* "10.0.0.5" */
static struct text dotted(struct dissect *d, struct reader r)
{
    enum { DOTTED_MAX = 15 };
    char *out = arena_take(d->arena, DOTTED_MAX);
    size_t used = 0;
    for (int i = 0; out && i < 4; i++) {
        if (i)
            out[used++] = '.';
        used += decimal_put(out + used, reader_u8(&r));
    }
    return (struct text){out, used};
}

/* The record's address is the one that this message comes from. */
static bool is_sender(const struct dissect *d, enum address_kind kind, struct reader data)
{
    const struct endpoint *sender = d->is_from_client ? &d->flow->client : &d->flow->server;
    size_t size = kind == ADDRESS_IP4 ? 4 : 16;
    const uint8_t *bytes = reader_bytes(&data, size);
    return bytes && sender->ip.kind == kind && memcmp(sender->ip.bytes, bytes, size) == 0;
}

static void address_record(struct names *n, const struct record *record)
{
    bool is_four = record->type == TYPE_A;
    size_t size = reader_left(&record->data);
    if (size != (is_four ? 4 : 16)) {
        emit_violation(n->d, VIOLATION_LENGTH, "address of a DNS record has another size",
                       record->data.at, size);
        return;
    }
    if (is_four)
        add_item(n, "a", record->name, VALUES_TEXT, 1, dotted(n->d, record->data));
    else
        add_item(n, "aaaa", record->name, VALUES_BYTES, 1, ascii_of(record->data));
    if ((n->family == MDNS || n->family == LLMNR) &&
        is_sender(n->d, is_four ? ADDRESS_IP4 : ADDRESS_IP6, record->data)) {
        struct text host = record->name;
        if (ascii_ends(host, ".local"))
            host.size -= sizeof ".local" - 1;
        add_fact(n, FACT_HOST_NAME, host);
    }
}

/* [6763] 6.4 keys that devices identify themselves with. */
static const struct txt_key {
    const char *key;
    enum fact_kind kind;
} txt_keys[] = {
    {"model",        FACT_PRODUCT     },
    {"md",           FACT_PRODUCT     },
    {"ty",           FACT_PRODUCT     },
    {"usb_mdl",      FACT_PRODUCT     },
    {"product",      FACT_PRODUCT     },
    {"manufacturer", FACT_VENDOR      },
    {"vendor",       FACT_VENDOR      },
    {"usb_mfg",      FACT_VENDOR      },
    {"serial",       FACT_SERIAL      },
    {"serialnumber", FACT_SERIAL      },
    {"sn",           FACT_SERIAL      },
    {"fw",           FACT_FIRMWARE    },
    {"fwversion",    FACT_FIRMWARE    },
    {"firmware",     FACT_FIRMWARE    },
    {"fn",           FACT_NAME        },
    {"note",         FACT_LOCATION    },
    {"mac",          FACT_MAC         },
    {"macaddress",   FACT_MAC         },
    {"orderno",      FACT_ORDER_NUMBER},
    {"ordernumber",  FACT_ORDER_NUMBER},
};

static void txt_record(struct names *n, const struct record *record)
{
    enum { STRINGS_MAX = 32 };
    struct reader r = record->data;
    struct text first = {NULL, 0};
    for (int i = 0; i < STRINGS_MAX && reader_left(&r); i++) {
        uint8_t size = reader_u8(&r);
        struct reader string = reader_take(&r, size);
        struct text value = ascii_of(string);
        if (i == 0)
            first = value;
        struct text key = ascii_until(&value, '=');
        for (size_t k = 0; n->family == MDNS && k < sizeof txt_keys / sizeof *txt_keys; k++)
            if (ascii_is(key, txt_keys[k].key))
                add_fact(n, txt_keys[k].kind, ascii_trim(value));
    }
    if (!reader_ok(&r))
        emit_violation(n->d, VIOLATION_LENGTH, "text of a DNS record longer than the record",
                       record->data.at, reader_left(&record->data));
    if (ascii_is_printable(first))
        add_item(n, "txt", record->name, VALUES_TEXT, 1, first);
}

static void name_record(struct names *n, const struct record *record)
{
    bool ok;
    struct reader r = record->data;
    if (record->type == TYPE_SRV)
        reader_skip(&r, 6); /* priority, weight, port */
    struct text name = name_text(n->d, &r, n->message, &ok);
    if (!ok)
        emit_violation(n->d, VIOLATION_ENCODING, "malformed name in a DNS record", record->data.at,
                       reader_left(&record->data));
    const char *area = record->type == TYPE_PTR   ? "ptr"
                       : record->type == TYPE_SRV ? "srv"
                                                  : "cname";
    if (name.size)
        add_item(n, area, record->name, VALUES_TEXT, 1, name);
}

/* [1002] 4.2.1.3: | flags 2 | address 4 |... */
static void netbios_record(struct names *n, const struct record *record)
{
    enum { GROUP = 0x8000 };
    struct netbios_name name;
    struct reader r = record->data;
    if (!netbios_decode(record->name, &name))
        return;
    bool is_group = reader_u16be(&r) & GROUP;
    struct reader address = r;
    if (reader_left(&r) < 4)
        return; /* a refusal has none */
    struct text text = netbios_text(n->d, &name);
    add_item(n, "name", text, VALUES_TEXT, 1, dotted(n->d, address));
    bool is_host = name.kind == NETBIOS_WORKSTATION || name.kind == NETBIOS_SERVER;
    if (is_host && !is_group && is_sender(n->d, ADDRESS_IP4, address))
        add_fact(n, FACT_HOST_NAME, text);
}

/* [1002] 4.2.18: | count 1 | | name 15 | kind 1 | flags 2 |... | MAC 6 | ... | */
static void netbios_status(struct names *n, struct reader r)
{
    enum { GROUP = 0x8000, NAMES_MAX = 32 };
    uint8_t count = reader_u8(&r);
    for (int i = 0; i < count && i < NAMES_MAX && reader_ok(&r); i++) {
        struct reader bytes = reader_take(&r, NETBIOS_SIZE);
        uint8_t kind = reader_u8(&r);
        bool is_group = reader_u16be(&r) & GROUP;
        struct text name = ascii_trim(ascii_of(bytes));
        if (!reader_ok(&r) || kind != NETBIOS_WORKSTATION || !ascii_is_printable(name))
            continue;
        add_item(n, is_group ? "group" : "name", name, VALUES_NONE, 0, (struct text){NULL, 0});
        if (!is_group)
            add_fact(n, FACT_HOST_NAME, name);
    }
    const uint8_t *mac = reader_bytes(&r, 6);
    if (mac && memcmp(mac, "\0\0\0\0\0\0", 6) != 0)
        add_fact(n, FACT_MAC,
                 dissect_text(n->d, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                              mac[4], mac[5]));
    if (!reader_ok(&r))
        emit_violation(n->d, VIOLATION_LENGTH, "NetBIOS status shorter than its names", NULL, 0);
}

static void take_record(struct names *n, const struct record *record)
{
    if (n->family == NETBIOS) {
        if (record->type == TYPE_NETBIOS)
            netbios_record(n, record);
        else if (record->type == TYPE_SRV)
            netbios_status(n, record->data);
        return;
    }
    switch (record->type) {
    case TYPE_A:
    case TYPE_AAAA:
        address_record(n, record);
        break;
    case TYPE_TXT:
        txt_record(n, record);
        break;
    case TYPE_PTR:
    case TYPE_CNAME:
    case TYPE_SRV:
        name_record(n, record);
        break;
    default:
        break;
    }
}

static void records(struct names *n, struct reader r)
{
    uint32_t count = n->header.answers + n->header.others;
    if (count > RECORDS_MAX)
        count = RECORDS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        struct record record;
        bool ok;
        record.name = name_text(n->d, &r, n->message, &ok);
        record.type = reader_u16be(&r);
        reader_skip(&r, 2 + 4);
        uint16_t size = reader_u16be(&r);
        record.data = reader_take(&r, size);
        if (!ok || !reader_ok(&r)) {
            if (!(n->header.flags & 0x0200)) /* cut, and says so */
                emit_violation(n->d, VIOLATION_LENGTH, "DNS record does not fit into its message",
                               NULL, 0);
            return;
        }
        take_record(n, &record);
    }
}

/* --- the message --- */

/* Computers ask around in mDNS and LLMNR all the time: that is no search for devices. */
static enum operation operation_of(const struct names *n, uint16_t type)
{
    if (n->family == DNS)
        return type == TYPE_TRANSFER ? OP_BROWSE : OP_SESSION;
    if (n->family == NETBIOS)
        return type == TYPE_SRV ? OP_IDENTIFY : OP_SESSION;
    return OP_SESSION;
}

/* The first question; none in an answer of mDNS: the first record's name then. */
static bool question(struct names *n, struct reader *r, uint16_t *type)
{
    bool ok;
    struct reader at = *r;
    struct text name = name_text(n->d, &at, n->message, &ok);
    *type = reader_u16be(&at);
    reader_skip(&at, 2);
    if (!ok || !reader_ok(&at))
        return false;
    struct netbios_name netbios;
    n->event.detail = n->family == NETBIOS && netbios_decode(name, &netbios)
                          ? netbios_text(n->d, &netbios)
                          : name;
    for (uint16_t i = 0; i < n->header.questions; i++) {
        size_t size;
        if (!read_name(r, n->message, NULL, &size))
            return false;
        reader_skip(r, 4);
    }
    return reader_ok(r);
}

static const char *message_name(const struct names *n, bool is_answer)
{
    static const char *const requests[16] = {
        [0] = "query", [1] = "inverse_query", [2] = "status", [4] = "notify", [5] = "update"};
    static const char *const netbios[16] = {
        [0] = "query",   [5] = "registration", [6] = "release",      [7] = "wait",
        [8] = "refresh", [9] = "refresh",      [15] = "registration"};
    const char *name = (n->family == NETBIOS ? netbios : requests)[n->header.opcode];
    return is_answer && n->header.opcode == 0 ? "answer" : name;
}

static void dns_dissect(struct dissect *d, struct reader r)
{
    struct names n = {.d = d, .message = r, .family = family_of(d->flow), .room = ITEMS_MAX};
    uint16_t type = 0;
    n.header = read_header(&r);
    bool is_answer = n.header.flags & IS_ANSWER;
    uint32_t code = n.header.flags & CODE_BITS;
    if (n.family == DNS || n.family == NETBIOS)
        dissect_sender_is_client(d, !is_answer);
    event_start(&n.event, d);
    if (!reader_ok(&r) || (reader_left(&r) && !question(&n, &r, &type))) {
        emit_violation(d, VIOLATION_ENCODING, "malformed name in a DNS message", NULL, 0);
        return;
    }
    n.event.protocol = families[n.family];
    n.event.direction = is_answer ? OT_RESPONSE : OT_REQUEST;
    n.event.spell = spell;
    n.event.code[0] = n.header.opcode;
    n.event.function = type;
    n.event.name = message_name(&n, is_answer);
    n.event.operation = operation_of(&n, type);
    n.event.transaction = n.header.id;
    n.event.has_transaction = n.family != MDNS;
    if (is_answer) /* that there is no such name is an answer like others */
        n.event.status =
            (struct ot_status){code && code != NO_SUCH_NAME ? OT_RESULT_ERROR : OT_RESULT_OK, code,
                               code == NO_SUCH_NAME ? "no_such_name" : NULL};
    bool is_registration = n.family == NETBIOS && (n.header.opcode == OPCODE_REGISTER ||
                                                   n.header.opcode == OPCODE_REGISTER_HOMES);
    if (is_answer || is_registration) {
        n.items = dissect_items(d, &n.room);
        records(&n, r);
        n.event.items = n.items;
        n.event.facts = n.facts;
    }
    emit_event(d, &n.event);
}

const struct dissector dissector_dns = {
    .name = "dns",
    .spec = "RFC 1035, RFC 6762, RFC 4795, RFC 1002",
    .over = OVER_UDP,
    .ports = {53, PORT_MDNS, PORT_LLMNR, PORT_NETBIOS},
    .is_bound_to_ports = true,
    .recognise = dns_recognise,
    .dissect = dns_dissect,
};
