/* pn_dcp.c: PROFINET DCP: finding, naming, addressing and resetting stations.
 *
 * Spec: [PN] IEC 61158-6-10, DCP; PROTOCOLS 13
 *
 *   | service 1 | type 1 | xid 4 | delay or 0 2 | length 2 | length bytes of blocks |
 *   block            | option 1 | suboption 1 | length 2 | length bytes | to an even size |
 *   of set           length bytes: | qualifier 2 | value |
 *   of responses     length bytes: | block info 2 | value |; of 5/4 | option | suboption | error |
 *   of a get request | option 1 | suboption 1 |
 *
 * big endian. A request to find stations goes to a multicast address, so its answers belong to
 * other flows and are not matched; get and set are. */
#include "pn_dcp_options.h"
#include "pn_rt.h"
#include "pn_vendor.h"

enum {
    BLOCKS_MAX = 64, /* shown of a PDU; real ones have a dozen */
    ASKED_MAX = 20,
    NAME_MAX = 240, /* [PN]: name of station */
    FACTS_MAX = 8,
    IP_SIZE = 4,
    IP_PARAMETER_SIZE = 12,
    BLOCK_INFO_CONFLICT = 0x80, /* of an address */
    BLOCK_INFO_SET = 0x7f,
};

enum service {
    SERVICE_MAKER = 1,
    SERVICE_MAKER_2,
    SERVICE_GET,
    SERVICE_SET,
    SERVICE_IDENTIFY,
    SERVICE_HELLO
};
enum type { TYPE_REQUEST = 0, TYPE_SUCCESS = 1, TYPE_NOT_SUPPORTED = 5 };

static const struct service_row {
    const char *name;
    enum operation operation;
    uint16_t request_id, response_id; /* frame ids */
} services[] = {
    [SERVICE_GET] = {"get",      OP_IDENTIFY,      FRAME_DCP_GET_SET,          FRAME_DCP_GET_SET},
    [SERVICE_SET] = {"set",      OP_CONFIG_CHANGE, FRAME_DCP_GET_SET,          FRAME_DCP_GET_SET},
    [SERVICE_IDENTIFY] = {"identify", OP_DISCOVER,      FRAME_DCP_IDENTIFY_REQUEST,
                     FRAME_DCP_IDENTIFY_RESPONSE                                                },
    [SERVICE_HELLO] = {"hello",    OP_DISCOVER,      FRAME_DCP_HELLO,            FRAME_DCP_HELLO  },
};

struct block {
    uint8_t option, suboption;
    uint16_t info; /* qualifier or block info */
    bool has_info;
    const struct dcp_option *known; /* NULL: unknown */
    struct reader value;
};

/* What is kept of a get or set. */
struct asked {
    uint8_t service, count, name_size;
    bool has_ip;
    enum operation operation;
    struct {
        uint8_t option, suboption;
    } blocks[ASKED_MAX];
    uint8_t ip[IP_PARAMETER_SIZE];
    char name[NAME_MAX];
};

struct pdu {
    struct dissect *d;
    struct ot_event event;
    uint8_t service;
    bool is_request;
    struct ot_item *items;
    uint32_t room;
    struct ot_fact facts[FACTS_MAX];
    struct asked *keep;        /* of a get or set request */
    const struct asked *asked; /* of its response */
};

static const struct dissector pn_dcp = {.name = "pn_dcp", .spec = "IEC 61158-6-10 (DCP)"};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "service=%u,type=%u", code[0], code[1]);
}

/* --- values --- */

static struct text trimmed(struct reader r)
{
    size_t size = reader_left(&r);
    while (size && r.at[size - 1] == 0)
        size--;
    return size ? (struct text){(const char *)r.at, size} : (struct text){NULL, 0};
}

static struct text ip_text(struct dissect *d, const uint8_t *b)
{
    return dissect_text(d, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

static struct text mac_text(struct dissect *d, const uint8_t *b)
{
    return dissect_text(d, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

static void put_text(struct ot_item *item, struct text text)
{
    if (text.size)
        item->values = (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
}

static struct text ip_parameter_text(struct dissect *d, const uint8_t *b)
{
    struct text ip = ip_text(d, b), mask = ip_text(d, b + 4), gateway = ip_text(d, b + 8);
    return dissect_text(d, "%.*s mask %.*s gateway %.*s", (int)ip.size, ip.at, (int)mask.size,
                        mask.at, (int)gateway.size, gateway.at);
}

static void add_fact(struct pdu *p, enum fact_kind kind, struct text value)
{
    if (value.size == 0 || p->event.fact_count == FACTS_MAX)
        return;
    p->facts[p->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    p->event.facts = p->facts;
}

/* The value as people read it; empty when it is not whole. */
static struct text value_text(struct pdu *p, const struct block *b)
{
    struct reader r = b->value;
    switch (b->known->shape) {
    case SHAPE_MAC: {
        const uint8_t *mac = reader_bytes(&r, 6);
        return mac ? mac_text(p->d, mac) : (struct text){NULL, 0};
    }
    case SHAPE_IP:
    case SHAPE_IP_SUITE: {
        const uint8_t *ip = reader_bytes(&r, IP_PARAMETER_SIZE);
        return ip ? ip_parameter_text(p->d, ip) : (struct text){NULL, 0};
    }
    case SHAPE_DEVICE_ID: {
        uint16_t vendor = reader_u16be(&r), device = reader_u16be(&r);
        return reader_ok(&r) ? dissect_text(p->d, "vendor 0x%04x device 0x%04x", vendor, device)
                             : (struct text){NULL, 0};
    }
    case SHAPE_ROLE:
        return dcp_role(p->d, reader_u8(&r));
    case SHAPE_TEXT:
        return trimmed(r);
    case SHAPE_U16:
    case SHAPE_OPTIONS:
    case SHAPE_BYTES:
    case SHAPE_NONE:
        break;
    }
    return (struct text){NULL, 0};
}

static void put_value(struct pdu *p, struct ot_item *item, const struct block *b)
{
    size_t size = reader_left(&b->value);
    if (size == 0 || !b->known)
        return;
    if (b->known->shape == SHAPE_U16 && size >= 2) {
        item->values = (struct ot_values){VALUES_U16BE, 1, b->value.at, 2};
        return;
    }
    if (b->known->shape == SHAPE_BYTES || b->known->shape == SHAPE_OPTIONS) {
        item->values = (struct ot_values){VALUES_BYTES, 1, b->value.at, size};
        return;
    }
    put_text(item, value_text(p, b));
}

/* What a station tells about itself. */
static void tell_fact(struct pdu *p, const struct block *b)
{
    struct reader r = b->value;
    switch (b->known->fact) {
    case FACT_VENDOR: {
        uint16_t vendor = reader_u16be(&r);
        if (reader_ok(&r))
            add_fact(p, FACT_VENDOR, pn_vendor_name(p->d, vendor));
        break;
    }
    case FACT_IP: {
        const uint8_t *ip = reader_bytes(&r, IP_SIZE);
        if (ip && !is_zero(ip, IP_SIZE) && (b->info & BLOCK_INFO_SET))
            add_fact(p, FACT_IP, ip_text(p->d, ip));
        break;
    }
    case FACT_COUNT:
        break;
    default:
        add_fact(p, b->known->fact, value_text(p, b));
        break;
    }
}

/* --- checks --- */

/* [PN]: labels of a to z, 0 to 9 and -, parted by points. */
static bool is_station_name(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.at[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return true;
}

static void check_value(struct pdu *p, const struct block *b)
{
    static const size_t sizes[] = {[SHAPE_MAC] = 6,       [SHAPE_IP] = 12,  [SHAPE_IP_SUITE] = 28,
                                   [SHAPE_DEVICE_ID] = 4, [SHAPE_ROLE] = 1, [SHAPE_U16] = 2};
    size_t size = reader_left(&b->value);
    enum dcp_shape shape = b->known->shape;
    if (shape < sizeof sizes / sizeof *sizes && sizes[shape] && size < sizes[shape]) {
        emit_violation(p->d, VIOLATION_LENGTH, "DCP value too short", b->value.at, size);
        return;
    }
    if (b->known->fact != FACT_NAME)
        return;
    if (size > NAME_MAX)
        emit_violation(p->d, VIOLATION_LENGTH, "name of station longer than 240", b->value.at,
                       size);
    else if (p->service == SERVICE_SET && p->is_request && !is_station_name(trimmed(b->value)))
        emit_violation(p->d, VIOLATION_ENCODING, "name of station with forbidden characters",
                       b->value.at, size);
}

/* --- blocks --- */

static bool has_info(const struct pdu *p)
{
    return p->is_request ? p->service == SERVICE_SET || p->service == SERVICE_HELLO : true;
}

/* False: the blocks end. */
static bool read_block(struct pdu *p, struct reader *r, struct block *b)
{
    *b = (struct block){0};
    b->option = reader_u8(r);
    b->suboption = reader_u8(r);
    b->known = dcp_option_of(b->option, b->suboption);
    b->value = reader_of(NULL, 0);
    if (p->service == SERVICE_GET && p->is_request)
        return reader_ok(r);
    uint16_t length = reader_u16be(r);
    b->value = reader_take(r, length);
    if (!reader_ok(r))
        return false;
    if (length % 2 && reader_left(r))
        reader_skip(r, 1);
    bool is_answer = b->option == DCP_OPTION_CONTROL && b->suboption == DCP_CONTROL_RESPONSE;
    if (has_info(p) && !is_answer) {
        b->info = reader_u16be(&b->value);
        b->has_info = true;
    }
    return true;
}

static struct ot_item *next_item(struct pdu *p)
{
    p->event.items_total++;
    return p->event.item_count < p->room ? &p->items[p->event.item_count++] : NULL;
}

static struct ot_item item_of(struct dissect *d, uint8_t option, uint8_t suboption,
                              const struct dcp_option *known)
{
    return (struct ot_item){
        .area = "dcp_option",
        .number = (uint32_t)option << 8 | suboption,
        .has_number = true,
        .name = known && known->option == option
                    ? text_of(known->name)
                    : dissect_text(d, "option %u/%u", option, suboption),
    };
}

/* A refusal or consent to one block of a set, with what was asked. */
static void answer_block(struct pdu *p, const struct block *b)
{
    struct reader r = b->value;
    uint8_t option = reader_u8(&r);
    uint8_t suboption = reader_u8(&r);
    uint8_t error = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(p->d, VIOLATION_LENGTH, "DCP value too short", NULL, 0);
        return;
    }
    const struct dcp_option *known = dcp_option_of(option, suboption);
    const char *name = dcp_error_name(error);
    struct ot_status status = {error ? OT_RESULT_ERROR : OT_RESULT_OK, error, name};
    if (error && p->event.status.result != OT_RESULT_ERROR)
        p->event.status = status;
    struct ot_item *item = next_item(p);
    if (!item)
        return;
    *item = item_of(p->d, option, suboption, known);
    item->status = status;
    if (!p->asked || !known)
        return;
    item->operation = known->on_set;
    if (known->fact == FACT_NAME)
        put_text(item, (struct text){p->asked->name, p->asked->name_size});
    if (known->shape == SHAPE_IP && p->asked->has_ip)
        put_text(item, ip_parameter_text(p->d, p->asked->ip));
    if (error == 0 && known->fact == FACT_NAME)
        add_fact(p, FACT_NAME, (struct text){p->asked->name, p->asked->name_size});
    if (error == 0 && known->shape == SHAPE_IP && p->asked->has_ip &&
        !is_zero(p->asked->ip, IP_SIZE))
        add_fact(p, FACT_IP, ip_text(p->d, p->asked->ip));
}

static void keep_block(struct asked *k, const struct block *b)
{
    if (k->count < ASKED_MAX) {
        k->blocks[k->count].option = b->option;
        k->blocks[k->count++].suboption = b->suboption;
    }
    struct reader r = b->value;
    if (!b->known)
        return;
    struct text name = trimmed(r);
    if (b->known->fact == FACT_NAME && name.size <= NAME_MAX) {
        k->name_size = (uint8_t)name.size;
        if (name.size)
            memcpy(k->name, name.at, name.size);
    }
    const uint8_t *ip = b->known->shape == SHAPE_IP ? reader_bytes(&r, IP_PARAMETER_SIZE) : NULL;
    if (ip) {
        memcpy(k->ip, ip, IP_PARAMETER_SIZE);
        k->has_ip = true;
    }
}

/* What a set is about, in words. */
static void tell_set(struct pdu *p, const struct block *b, const struct ot_item *item)
{
    struct ot_event *e = &p->event;
    if (b->known->on_set > e->operation)
        e->operation = b->known->on_set;
    if (b->option == DCP_OPTION_CONTROL && b->suboption == DCP_CONTROL_RESET_TO_FACTORY) {
        const char *what = dcp_reset_name(b->info);
        e->detail = dissect_text(p->d, "reset to factory: %s", what ? what : "unknown mode");
    } else if (b->option == DCP_OPTION_CONTROL && b->suboption == DCP_CONTROL_RESET_FACTORY) {
        e->detail = TEXT("reset to factory");
    } else if (e->detail.size == 0 && item && item->values.encoding == VALUES_TEXT) {
        e->detail =
            dissect_text(p->d, "%s = %.*s (%s)", b->known->name, (int)item->values.size,
                         (const char *)item->values.bytes, b->info & 1 ? "permanent" : "temporary");
    }
}

static void take_block(struct pdu *p, const struct block *b, const uint8_t *at)
{
    if (!b->known)
        emit_violation(p->d, VIOLATION_FUNCTION, "unknown DCP option", at, 2);
    if (!p->is_request && b->option == DCP_OPTION_CONTROL && b->suboption == DCP_CONTROL_RESPONSE) {
        answer_block(p, b);
        return;
    }
    struct ot_item *item = next_item(p);
    if (item) {
        *item = item_of(p->d, b->option, b->suboption, b->known);
        put_value(p, item, b);
    }
    if (p->keep)
        keep_block(p->keep, b);
    if (!b->known)
        return;
    bool has_value = p->service != SERVICE_GET || !p->is_request;
    if (has_value && reader_left(&b->value))
        check_value(p, b);
    if (p->service == SERVICE_SET && p->is_request) {
        if (item)
            item->operation = b->known->on_set;
        tell_set(p, b, item);
    } else if (!p->is_request || p->service == SERVICE_HELLO) {
        tell_fact(p, b);
        if (b->known->fact == FACT_IP && (b->info & BLOCK_INFO_CONFLICT))
            p->event.detail = TEXT("address conflict");
    } else if (p->service == SERVICE_IDENTIFY && item && p->event.detail.size == 0) {
        p->event.detail =
            item->values.encoding == VALUES_TEXT
                ? dissect_text(p->d, "%s = %.*s", b->known->name, (int)item->values.size,
                               (const char *)item->values.bytes)
                : item->name;
    }
}

static void blocks(struct pdu *p, struct reader r)
{
    struct reader counted = r;
    struct block b;
    uint32_t count = 0;
    while (count < BLOCKS_MAX && reader_left(&counted) && read_block(p, &counted, &b))
        count++;
    p->room = count;
    p->items = dissect_items(p->d, &p->room);
    p->event.items = p->items;
    while (reader_left(&r)) {
        const uint8_t *at = r.at;
        size_t left = reader_left(&r);
        if (!read_block(p, &r, &b)) {
            emit_violation(p->d, VIOLATION_LENGTH, "DCP block longer than its PDU", at, left);
            return;
        }
        take_block(p, &b, at);
    }
}

/* --- the PDU --- */

static uint64_t key_of(uint8_t service, uint32_t xid)
{
    return (uint64_t)service << 32 | xid;
}

static void match(struct pdu *p, uint32_t xid)
{
    struct dissect *d = p->d;
    if (p->service != SERVICE_GET && p->service != SERVICE_SET)
        return;
    if (p->is_request) {
        p->keep = dissect_remember(d, key_of(p->service, xid), sizeof *p->keep, NULL);
        p->keep->service = p->service;
        return;
    }
    p->asked = dissect_recall(d, key_of(p->service, xid), NULL);
    if (!p->asked) {
        p->event.flags |= OT_NO_REQUEST;
        return;
    }
    p->event.operation = p->asked->operation;
}

static void check_service(struct pdu *p, uint16_t frame_id, uint8_t type, const uint8_t *at)
{
    const struct service_row *s = &services[p->service];
    if (type != TYPE_REQUEST && type != TYPE_SUCCESS && type != TYPE_NOT_SUPPORTED)
        emit_violation(p->d, VIOLATION_FUNCTION, "unknown DCP service type", at + 1, 1);
    if (frame_id != (p->is_request ? s->request_id : s->response_id))
        emit_violation(p->d, VIOLATION_STATE, "DCP service in a frame of another", at, 2);
    if (p->service == SERVICE_HELLO && !p->is_request)
        emit_violation(p->d, VIOLATION_DIRECTION, "DCP hello has no answer", at, 2);
}

static void set_status(struct pdu *p, uint8_t type)
{
    if (p->is_request || p->event.status.result == OT_RESULT_ERROR)
        return;
    p->event.status = type == TYPE_NOT_SUPPORTED
                          ? (struct ot_status){OT_RESULT_ERROR, type, "not_supported"}
                          : (struct ot_status){OT_RESULT_OK, 0, "ok"};
}

/* A response that names no blocks still tells what was asked. */
static void items_of_request(struct pdu *p)
{
    if (!p->asked || p->event.items_total)
        return;
    uint32_t count = p->asked->count;
    p->items = dissect_items(p->d, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t option = p->asked->blocks[i].option, suboption = p->asked->blocks[i].suboption;
        p->items[i] = item_of(p->d, option, suboption, dcp_option_of(option, suboption));
    }
    p->event.items = p->items;
    p->event.item_count = count;
    p->event.items_total = p->asked->count;
}

static void dcp_pdu(struct dissect *d, uint16_t frame_id, struct reader r)
{
    const uint8_t *at = r.at;
    struct pdu p = {.d = d, .service = reader_u8(&r)};
    uint8_t type = reader_u8(&r);
    uint32_t xid = reader_u32be(&r);
    reader_skip(&r, 2); /* response delay, or reserved */
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "DCP header is not whole", NULL, 0);
        return;
    }
    p.is_request = type == TYPE_REQUEST;
    dissect_sender_is_client(d, p.is_request && p.service != SERVICE_HELLO);
    bool is_known = p.service < sizeof services / sizeof *services && services[p.service].name;
    event_start(&p.event, d);
    p.event.direction = p.is_request ? OT_REQUEST : OT_RESPONSE;
    p.event.code[0] = p.event.function = p.service;
    p.event.code[1] = type;
    p.event.spell = spell;
    p.event.protocol = "pn_dcp";
    p.event.transaction = xid;
    p.event.has_transaction = true;
    if (d->packet->destination_mac.bytes[0] & 1)
        p.event.flags |= OT_BROADCAST;
    if (!is_known) {
        bool is_makers = p.service == SERVICE_MAKER || p.service == SERVICE_MAKER_2;
        p.event.name = is_makers ? "service_of_the_maker" : NULL;
        emit_event(d, &p.event);
        if (!is_makers)
            emit_violation(d, VIOLATION_FUNCTION, "unknown DCP service", at, 2);
        return;
    }
    p.event.name = services[p.service].name;
    bool is_set = p.service == SERVICE_SET && p.is_request;
    p.event.operation = is_set ? OP_SESSION : services[p.service].operation;
    check_service(&p, frame_id, type, at);
    match(&p, xid);
    if (length > reader_left(&r))
        emit_violation(d, VIOLATION_LENGTH, "DCP length larger than its frame", at + 8, 2);
    else if (length % 2)
        emit_violation(d, VIOLATION_LENGTH, "DCP length is odd", at + 8, 2);
    blocks(&p, reader_take(&r, length < reader_left(&r) ? length : reader_left(&r)));
    if (p.keep)
        p.keep->operation = p.event.operation;
    items_of_request(&p);
    set_status(&p, type);
    emit_event(d, &p.event);
}

void pn_dcp_dissect(struct dissect *d, uint16_t frame_id, struct reader r)
{
    struct dissect inner = *d; /* violations and remembered requests are DCP's */
    inner.dissector = &pn_dcp;
    dcp_pdu(&inner, frame_id, r);
    d->is_from_client = inner.is_from_client;
}
