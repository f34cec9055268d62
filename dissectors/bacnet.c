/* bacnet.c: BACnet over UDP and over Ethernet: virtual link, network layer, application layer.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020: annex J (BACnet/IP), clauses 6 (network layer), 7 (Ethernet),
 *       20.1 (APDUs), 5.2 (segmentation)
 *
 *   virtual link  | 81 1 | function 1 | length of all 2 | of a forwarded NPDU: address 4, port 2 |
 *   Ethernet      | DSAP 82 1 | SSAP 82 1 | control 03 1 |
 *   network       | version 01 1 | control 1 | network 2, length 1, address | the same of the
 * source | hops 1 | message 1, of network messages | application   | type 4 bits, flags 4 | by type
 * |
 */
#include "bacnet_names.h"
#include "bacnet_services.h"
#include "sensor/base/hash.h"

enum {
    BVLC_TYPE = 0x81,
    BVLC_SIZE = 4,
    BVLC_RESULT = 0,
    BVLC_WRITE_TABLE = 1,
    BVLC_FORWARDED = 4,
    BVLC_REGISTER = 5,
    BVLC_DISTRIBUTE = 9,
    BVLC_UNICAST = 10,
    BVLC_BROADCAST = 11,
    BVLC_SECURED = 12,
    FORWARDED_SIZE = 6,
    TABLE_ENTRY_SIZE = 10, /* address 4, port 2, mask 4 or two times 2 */

    LLC_SAP = 0x82,
    LLC_UI = 0x03, /* unnumbered information */
    /* Linux cooked frames do not say how long what follows is: the shortest Ethernet frames may be
     * padded (www.tcpdump.org/linktypes.html; [135] 7) */
    LINKTYPE_LINUX_SLL = 113,
    LINKTYPE_LINUX_SLL2 = 276,
    ETHERNET_PAYLOAD_MIN = 46,

    NPDU_VERSION = 1,
    CONTROL_MESSAGE = 0x80,
    CONTROL_RESERVED = 0x50,
    CONTROL_DESTINATION = 0x20,
    CONTROL_SOURCE = 0x08,
    NETWORK_ALL = 0xffff,
    NETWORK_SECURITY = 0x0b, /* security payload */
    NETWORK_PROPRIETARY = 0x80,

    CONFIRMED = 0,
    UNCONFIRMED = 1,
    SIMPLE_ACK = 2,
    COMPLEX_ACK = 3,
    SEGMENT_ACK = 4,
    ERROR_PDU = 5,
    REJECT = 6,
    ABORT = 7,
    FLAG_SEGMENTED = 8,
    FLAG_MORE = 4,
    FLAG_NAK = 2,
    FLAG_SERVER = 1,
    WINDOW_MAX = 127, /* [135] 20.1.2.8 */

    WHOLE_MAX = 32768, /* of an APDU put together; the longest object list seen has 6 KiB */
    ADDRESS_TEXT_MAX = 32,
    KEY_BVLC = 1,
    KEY_APDU = 2,
};

/* An APDU that comes in segments, one for each direction. */
struct whole {
    uint64_t key;
    bool is_open;
    uint8_t type, next;
    uint32_t used;
};

struct bacnet_state {
    struct whole whole[2]; /* [1] from the client */
};

/* dissect_grow makes the state this when the first segment comes. */
struct bacnet_grown {
    struct bacnet_state state;
    uint8_t bytes[2][WHOLE_MAX];
};

/* --- network layer --- */

struct station {
    uint16_t network; /* 0: none */
    struct reader mac;
};

struct route {
    struct station destination, source;
    struct reader forwarded; /* BACnet/IP address of the first sender, empty when not forwarded */
    bool is_broadcast, is_message;
    bool may_be_padded; /* the frame may end in zeros that are not the message's */
    uint8_t message;
};

static uint64_t station_hash(const struct station *a)
{
    if (a->network == 0)
        return 0;
    return hash_mix(a->network, hash_bytes(a->mac.at, reader_left(&a->mac)));
}

static char *put_decimal(char *at, uint32_t value)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n)
        *at++ = digits[--n];
    return at;
}

/* "2:5", "2:c0a8000abac0", "2:*" for all of network 2 */
static struct text address_text(struct dissect *d, const struct station *a)
{
    static const char hex[] = "0123456789abcdef";
    enum { MAC_SHOWN = 8 };
    if (a->network == 0 || a->network == NETWORK_ALL)
        return (struct text){NULL, 0};
    char *begin = arena_take_unset(d->arena, ADDRESS_TEXT_MAX), *at = begin;
    if (!begin)
        return (struct text){NULL, 0};
    struct reader mac = a->mac;
    size_t size = reader_left(&mac);
    at = put_decimal(at, a->network);
    *at++ = ':';
    if (size == 0)
        *at++ = '*';
    else if (size == 1)
        at = put_decimal(at, reader_u8(&mac));
    else
        for (size_t i = 0; i < size && i < MAC_SHOWN; i++) {
            uint8_t byte = reader_u8(&mac);
            *at++ = hex[byte >> 4];
            *at++ = hex[byte & 15];
        }
    return (struct text){begin, (size_t)(at - begin)};
}

/* "192.168.0.5:47808" */
static struct text forwarded_text(struct dissect *d, struct reader r)
{
    char *begin = arena_take_unset(d->arena, ADDRESS_TEXT_MAX), *at = begin;
    if (!begin)
        return (struct text){NULL, 0};
    for (int i = 0; i < 4; i++) {
        at = put_decimal(at, reader_u8(&r));
        *at++ = i < 3 ? '.' : ':';
    }
    at = put_decimal(at, reader_u16be(&r));
    return (struct text){begin, (size_t)(at - begin)};
}

static struct station read_address(struct reader *r)
{
    struct station a;
    a.network = reader_u16be(r);
    a.mac = reader_take(r, reader_u8(r));
    return a;
}

/* False: not a network PDU; told. */
static bool read_route(struct dissect *d, struct reader *r, struct route *route)
{
    struct reader pdu = *r;
    uint8_t version = reader_u8(r);
    uint8_t control = reader_u8(r), hops = 1;
    if (reader_ok(r) && version != NPDU_VERSION) {
        emit_violation(d, VIOLATION_RESERVED, "BACnet network version is not 1", pdu.at,
                       reader_left(&pdu));
        return false;
    }
    if (control & CONTROL_DESTINATION)
        route->destination = read_address(r);
    if (control & CONTROL_SOURCE)
        route->source = read_address(r);
    if (control & CONTROL_DESTINATION)
        hops = reader_u8(r);
    route->is_message = control & CONTROL_MESSAGE;
    if (route->is_message)
        route->message = reader_u8(r);
    if (!reader_ok(r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "BACnet network header is cut off", pdu.at,
                       reader_left(&pdu));
        return false;
    }
    if (route->destination.network && reader_left(&route->destination.mac) == 0)
        route->is_broadcast = true;
    if (control & CONTROL_RESERVED)
        emit_violation(d, VIOLATION_RESERVED, "BACnet network control has reserved bits", pdu.at,
                       2);
    if (hops == 0)
        emit_violation(d, VIOLATION_RANGE, "BACnet hop count is 0", pdu.at, reader_left(&pdu));
    /* [135] 6.2.2.2: no message comes from all of a network */
    if ((control & CONTROL_SOURCE) &&
        (route->source.network == 0 || route->source.network == NETWORK_ALL ||
         reader_left(&route->source.mac) == 0))
        emit_violation(d, VIOLATION_RANGE, "BACnet source address is none or a broadcast", pdu.at,
                       reader_left(&pdu));
    return true;
}

struct named {
    const char *name;
    enum operation operation;
};

/* [135] 6.2.4 */
static const struct named network_messages[] = {
    {"who_is_router_to_network",     OP_DISCOVER     },
    {"i_am_router_to_network",       OP_NETMGMT      },
    {"i_could_be_router_to_network", OP_NETMGMT      },
    {"reject_message_to_network",    OP_ERROR        },
    {"router_busy_to_network",       OP_NETMGMT      },
    {"router_available_to_network",  OP_NETMGMT      },
    {"initialize_routing_table",     OP_CONFIG_CHANGE},
    {"initialize_routing_table_ack", OP_NETMGMT      },
    {"establish_connection",         OP_NETMGMT      },
    {"disconnect_connection",        OP_NETMGMT      },
    {"challenge_request",            OP_AUTH         },
    {"security_payload",             OP_UNKNOWN      },
    {"security_response",            OP_AUTH         },
    {"request_key_update",           OP_AUTH         },
    {"update_key_set",               OP_AUTH         },
    {"update_distribution_key",      OP_AUTH         },
    {"request_master_key",           OP_AUTH         },
    {"set_master_key",               OP_AUTH         },
    {"what_is_network_number",       OP_DISCOVER     },
    {"network_number_is",            OP_NETMGMT      },
};

static void spell_hex(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%02x", code[0]);
}

enum {
    MESSAGE_I_AM_ROUTER = 1,
    MESSAGE_REJECT = 3,
    MESSAGE_AVAILABLE = 5,
    MESSAGE_INITIALIZE = 6,
    MESSAGE_INITIALIZE_ACK = 7,
    MESSAGE_NETWORK_NUMBER = 0x13,
};

static uint32_t count_networks(struct reader r, bool may_be_padded)
{
    uint32_t all = (uint32_t)(reader_left(&r) / 2), count = 0;
    while (may_be_padded && count < all && reader_u16be(&r) != 0) /* there is no network 0 */
        count++;
    return may_be_padded ? count : all;
}

/* The networks that a router says it reaches, or not. */
static void put_networks(struct dissect *d, struct ot_event *e, struct reader r, bool may_be_padded)
{
    uint32_t count = count_networks(r, may_be_padded);
    e->items_total = count;
    struct ot_item *items = dissect_items(d, &count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct ot_item){
            .area = "network", .number = reader_u16be(&r), .has_number = true, .count = 1};
    e->items = items;
    e->item_count = count;
}

static void network_message(struct dissect *d, const struct route *route, struct reader r)
{
    struct ot_event e = event_of(d);
    uint8_t message = route->message;
    e.protocol = "bacnet_npdu";
    e.code[0] = e.function = message;
    e.spell = spell_hex;
    e.telling = r.at - 1;
    e.telling_size = reader_left(&r) + 1;
    bool is_answer = message == MESSAGE_REJECT || message == MESSAGE_INITIALIZE_ACK ||
                     message == MESSAGE_I_AM_ROUTER || message == MESSAGE_NETWORK_NUMBER;
    e.direction = is_answer ? OT_RESPONSE : OT_REQUEST;
    if (route->is_broadcast)
        e.flags |= OT_BROADCAST;
    if (message < sizeof network_messages / sizeof *network_messages) {
        e.name = network_messages[message].name;
        e.operation = network_messages[message].operation;
    } else if (message < NETWORK_PROPRIETARY) {
        emit_violation(d, VIOLATION_FUNCTION, "BACnet network message is reserved", e.telling,
                       e.telling_size);
    }
    if (message == NETWORK_SECURITY)
        e.flags |= OT_ENCRYPTED;
    if (message == MESSAGE_REJECT)
        e.status = (struct ot_status){OT_RESULT_ERROR, reader_peek(&r), NULL};
    /* [135] 6.4.7: with no ports it only asks for the table */
    if (message == MESSAGE_INITIALIZE && reader_peek(&r) == 0)
        e.operation = OP_BROWSE;
    if (message == 0 || message == MESSAGE_I_AM_ROUTER ||
        (message > MESSAGE_REJECT && message <= MESSAGE_AVAILABLE))
        put_networks(d, &e, r, route->may_be_padded);
    emit_event(d, &e);
}

/* --- application layer --- */

static void spell_apdu(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[2])
        text_format(out, OT_CODE_SIZE, "type=%u,service=%u", code[0], code[1]);
    else
        text_format(out, OT_CODE_SIZE, "type=%u", code[0]);
}

struct apdu {
    uint8_t type, flags, invoke, service, sequence, window;
    bool has_service;
    bool is_request, is_from_requester;
    struct reader body;
};

static bool read_apdu(struct reader *r, struct apdu *a)
{
    uint8_t first = reader_u8(r);
    a->type = first >> 4;
    a->flags = first & 15;
    a->is_request = a->type <= UNCONFIRMED;
    a->is_from_requester = a->is_request;
    a->has_service = a->type != SEGMENT_ACK && a->type != REJECT && a->type != ABORT;
    if (a->type == CONFIRMED)
        reader_skip(r, 1); /* how long and of how many segments the answer may be */
    if (a->type != UNCONFIRMED)
        a->invoke = reader_u8(r);
    bool is_segmented =
        (a->type == CONFIRMED || a->type == COMPLEX_ACK) && (a->flags & FLAG_SEGMENTED);
    if (is_segmented || a->type == SEGMENT_ACK) {
        a->sequence = reader_u8(r);
        a->window = reader_u8(r);
    }
    if (!is_segmented && a->type != SEGMENT_ACK)
        a->flags &= FLAG_SERVER;
    if (a->type == SEGMENT_ACK || a->type == ABORT)
        a->is_from_requester = !(a->flags & FLAG_SERVER);
    if (a->has_service)
        a->service = reader_u8(r);
    a->body = *r;
    return reader_ok(r);
}

static uint64_t exchange_key(const struct bacnet_message *m, const struct route *route,
                             const struct apdu *a)
{
    bool is_client = m->d->is_from_client == a->is_from_requester;
    uint64_t key = KEY_APDU << 16 | (uint64_t)is_client << 8 | a->invoke;
    uint64_t here = station_hash(&route->source), there = station_hash(&route->destination);
    if (!a->is_from_requester) {
        uint64_t swapped = here;
        here = there;
        there = swapped;
    }
    return here | there ? hash_mix(hash_mix(here, there), key) : key;
}

/* The APDU that this segment completes; false: not yet, or a segment is missing. A segment that
 * came before marks the event. */
static bool put_together(struct bacnet_message *m, const struct apdu *a, uint64_t key,
                         struct reader *body)
{
    struct dissect *d = m->d;
    if (!dissect_grow(d, sizeof(struct bacnet_grown)))
        return false;
    struct bacnet_grown *grown = d->state;
    struct whole *w = &grown->state.whole[d->is_from_client];
    uint8_t *bytes = grown->bytes[d->is_from_client];
    size_t size = reader_left(&a->body);
    if (a->sequence == 0 && !(w->is_open && w->key == key && w->type == a->type && w->next == 1))
        *w = (struct whole){.key = key, .is_open = true, .type = a->type};
    if (!w->is_open || w->key != key || w->type != a->type)
        return false;
    if (a->sequence != w->next) {
        if ((uint8_t)(a->sequence + 1) == w->next)
            m->event.flags |= OT_RETRANSMIT;
        else
            w->is_open = false;
        return false;
    }
    if (size > WHOLE_MAX - w->used) {
        w->is_open = false;
        return false;
    }
    struct reader from = a->body;
    memcpy(bytes + w->used, reader_bytes(&from, size), size);
    w->used += (uint32_t)size;
    w->next++;
    if (a->flags & FLAG_MORE)
        return false;
    w->is_open = false;
    *body = reader_of(bytes, w->used);
    return true;
}

static void remember(struct bacnet_message *m, uint64_t key)
{
    m->asked.operation = (uint8_t)m->event.operation;
    size_t size =
        offsetof(struct bacnet_asked, properties) + m->asked.count * sizeof(struct bacnet_property);
    void *kept = dissect_remember(m->d, key, size, NULL);
    memcpy(kept, &m->asked, size);
}

/* What was asked gives the answer its name, its operation and what it touches. */
static void recall(struct bacnet_message *m, const struct apdu *a, uint64_t key)
{
    size_t size;
    const struct bacnet_asked *kept = dissect_recall(m->d, key, &size);
    if (!kept || (a->has_service && kept->service != a->service)) {
        if (a->is_from_requester)
            return; /* it gives up a request that we did not see */
        m->event.flags |= OT_NO_REQUEST;
        return;
    }
    memcpy(&m->asked, kept, size);
    m->is_asked = true;
    bacnet_service_find(m, m->asked.service);
    m->event.operation = (enum operation)m->asked.operation;
}

static void answer(struct bacnet_message *m, const struct apdu *a, struct reader body)
{
    m->event.status.result = OT_RESULT_OK;
    switch (a->type) {
    case COMPLEX_ACK:
        bacnet_acknowledged(m, a->service, body);
        return;
    case ERROR_PDU:
        bacnet_refused(m, body);
        break;
    case REJECT: {
        uint8_t reason = reader_u8(&body);
        m->event.status = (struct ot_status){OT_RESULT_ERROR, reason, bacnet_reject_name(reason)};
        break;
    }
    case ABORT: {
        uint8_t reason = reader_u8(&body);
        m->event.status = (struct ot_status){OT_RESULT_ERROR, reason, bacnet_abort_name(reason)};
        break;
    }
    default:
        break;
    }
    if (!reader_ok(&body))
        emit_violation(m->d, VIOLATION_TRUNCATED, "BACnet reason is cut off", m->pdu.at,
                       reader_left(&m->pdu));
    bacnet_put_asked(m);
}

/* True when the event may be given its content; segments before the last one have none. */
static bool complete(struct bacnet_message *m, const struct apdu *a, uint64_t key,
                     struct reader *body)
{
    *body = a->body;
    if (!(a->flags & FLAG_SEGMENTED) || a->type == SEGMENT_ACK)
        return true;
    if (a->window == 0 || a->window > WINDOW_MAX)
        emit_violation(m->d, VIOLATION_RANGE, "BACnet window is not 1 to 127", m->pdu.at,
                       reader_left(&m->pdu));
    if (put_together(m, a, key, body))
        return true;
    m->event.detail =
        dissect_text(m->d, "segment %u%s", a->sequence, a->flags & FLAG_MORE ? "" : ", the last");
    return false;
}

static void content(struct bacnet_message *m, const struct route *route, const struct apdu *a)
{
    uint64_t key = exchange_key(m, route, a);
    struct reader body;
    if (a->type == UNCONFIRMED) {
        bacnet_request(m, a->service, a->body);
        return;
    }
    if (a->type == SEGMENT_ACK) {
        m->event.name = a->flags & FLAG_NAK ? "segment_nak" : "segment_ack";
        m->event.operation = OP_SESSION;
        return;
    }
    if (!complete(m, a, key, &body))
        return;
    if (a->type == CONFIRMED) {
        m->asked.service = a->service;
        bacnet_request(m, a->service, body);
        remember(m, key);
    } else {
        recall(m, a, key);
        answer(m, a, body);
    }
}

/* Who asks is the client, who answers the server; of what nobody asked for this tells nothing. */
static void tell_roles(struct dissect *d, const struct apdu *a, const struct route *route)
{
    if (a->type != UNCONFIRMED && !route->is_broadcast)
        dissect_sender_is_client(d, a->is_from_requester);
}

static void application(struct dissect *d, const struct route *route, struct reader r)
{
    static const char *const type_names[] = {
        [REJECT] = "reject",
        [ABORT] = "abort",
    };
    struct reader pdu = r;
    struct apdu a = {0};
    if (!read_apdu(&r, &a)) {
        emit_violation(d, VIOLATION_TRUNCATED, "BACnet APDU header is cut off", pdu.at,
                       reader_left(&pdu));
        return;
    }
    if (a.type > ABORT) {
        emit_violation(d, VIOLATION_FUNCTION, "BACnet APDU type is reserved", pdu.at,
                       reader_left(&pdu));
        return;
    }
    if (route->may_be_padded)
        a.body = bacnet_without_padding(a.body);
    tell_roles(d, &a, route);
    struct bacnet_message m;
    bacnet_message_begin(&m, d, pdu);
    struct ot_event *e = &m.event;
    e->direction = a.is_request ? OT_REQUEST : OT_RESPONSE;
    e->code[0] = a.type;
    e->code[1] = a.service;
    e->code[2] = a.has_service;
    e->function = a.has_service ? a.service : a.type;
    e->spell = spell_apdu;
    e->telling = pdu.at;
    e->telling_size = reader_left(&pdu);
    e->transaction = a.invoke;
    e->has_transaction = a.type != UNCONFIRMED;
    if (a.type == REJECT || a.type == ABORT) {
        e->name = type_names[a.type];
        e->operation = OP_ERROR;
    }
    if (route->is_broadcast)
        e->flags |= OT_BROADCAST;
    m.is_confirmed = a.type != UNCONFIRMED;
    if (a.has_service && !bacnet_service_find(&m, a.service))
        emit_violation(d, VIOLATION_FUNCTION, "BACnet service is not defined", pdu.at,
                       reader_left(&pdu));
    /* the device that answers or tells, or the one that is asked */
    bool is_answer = !a.is_from_requester || e->flags & OT_UNSOLICITED;
    e->unit = address_text(d, is_answer ? &route->source : &route->destination);
    if (is_answer && e->unit.size == 0 && reader_left(&route->forwarded))
        e->unit = forwarded_text(d, route->forwarded);
    /* [135] 5.4: who is asked to confirm is one device */
    if (a.type == CONFIRMED && route->is_broadcast)
        emit_violation(d, VIOLATION_DIRECTION, "confirmed BACnet request to many devices", pdu.at,
                       reader_left(&pdu));
    content(&m, route, &a);
    bacnet_message_end(&m);
    emit_event(d, e);
}

static void network(struct dissect *d, struct route *route, struct reader r)
{
    if (!read_route(d, &r, route))
        return;
    if (route->is_message)
        network_message(d, route, r);
    else
        application(d, route, r);
}

/* --- virtual link --- */

/* [135] annex J.2; NULL: carries an NPDU */
static const struct function {
    const char *name;
    enum operation operation;
    uint16_t size, step; /* of the whole, and of what may follow many times */
    bool is_answer;
} functions[] = {
    {"result",                             OP_SESSION,       6,  0,                true },
    {"write_broadcast_distribution_table", OP_CONFIG_CHANGE, 4,  TABLE_ENTRY_SIZE, false},
    {"read_broadcast_distribution_table",  OP_BROWSE,        4,  0,                false},
    {"broadcast_distribution_table",       OP_BROWSE,        4,  TABLE_ENTRY_SIZE, true },
    {"forwarded_npdu",                     OP_UNKNOWN,       12, 1,                false},
    {"register_foreign_device",            OP_SESSION,       6,  0,                false},
    {"read_foreign_device_table",          OP_BROWSE,        4,  0,                false},
    {"foreign_device_table",               OP_BROWSE,        4,  TABLE_ENTRY_SIZE, true },
    {"delete_foreign_device_table_entry",  OP_CONFIG_CHANGE, 10, 0,                false},
    {"distribute_broadcast_to_network",    OP_UNKNOWN,       6,  1,                false},
    {"original_unicast_npdu",              OP_UNKNOWN,       6,  1,                false},
    {"original_broadcast_npdu",            OP_UNKNOWN,       6,  1,                false},
    {"secured_bvll",                       OP_UNKNOWN,       6,  1,                false},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static bool is_size_of(const struct function *f, size_t size)
{
    if (f->step == 0)
        return size == f->size;
    return size >= f->size && (size - f->size) % f->step == 0;
}

static bool is_carrier(uint8_t function)
{
    return function == BVLC_FORWARDED ||
           (function >= BVLC_DISTRIBUTE && function <= BVLC_BROADCAST);
}

static const char *result_name(uint16_t result)
{
    static const char *const names[] = {
        "ok", /* [135] annex J.2.1.1 */
        "write_broadcast_distribution_table_refused",
        "read_broadcast_distribution_table_refused",
        "register_foreign_device_refused",
        "read_foreign_device_table_refused",
        "delete_foreign_device_table_entry_refused",
        "distribute_broadcast_refused",
    };
    bool is_known = (result & 15) == 0 && (size_t)result >> 4 < sizeof names / sizeof *names;
    return is_known ? names[result >> 4] : NULL;
}

/* A result says only whether, so it takes over what it answers. */
static void result_note(struct ot_event *e, const uint8_t *asked, struct reader r)
{
    uint16_t result = reader_u16be(&r);
    e->status =
        (struct ot_status){result ? OT_RESULT_ERROR : OT_RESULT_OK, result, result_name(result)};
    if (asked) {
        e->name = functions[*asked].name;
        e->operation = functions[*asked].operation;
    }
}

static void management(struct dissect *d, uint8_t function, struct reader r, struct reader pdu)
{
    const struct function *f = &functions[function];
    dissect_sender_is_client(d, !f->is_answer);
    struct ot_event e = event_of(d);
    e.protocol = "bvlc";
    e.code[0] = e.function = function;
    e.spell = spell_hex;
    e.name = f->name;
    e.operation = f->operation;
    e.direction = f->is_answer ? OT_RESPONSE : OT_REQUEST;
    e.telling = pdu.at;
    e.telling_size = reader_left(&pdu);
    uint64_t key = KEY_BVLC << 16 | (d->is_from_client != f->is_answer);
    if (f->is_answer) {
        size_t size;
        const uint8_t *asked = dissect_recall(d, key, &size);
        if (!asked)
            e.flags |= OT_NO_REQUEST;
        if (function == BVLC_RESULT)
            result_note(&e, asked, r);
        else
            e.status.result = OT_RESULT_OK;
    } else if (function != BVLC_SECURED) {
        *(uint8_t *)dissect_remember(d, key, 1, NULL) = function;
    }
    if (function == BVLC_SECURED)
        e.flags |= OT_ENCRYPTED;
    if (function == BVLC_WRITE_TABLE)
        e.detail = dissect_text(d, "%zu entries", reader_left(&r) / TABLE_ENTRY_SIZE);
    if (function == BVLC_REGISTER) {
        uint16_t seconds = reader_u16be(&r);
        e.detail = dissect_text(d, "for %u s", seconds);
        if (seconds == 0)
            emit_violation(d, VIOLATION_RANGE, "foreign device registers for no time", pdu.at,
                           reader_left(&pdu));
    }
    emit_event(d, &e);
}

static void virtual_link(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    reader_skip(&r, 1);
    uint8_t function = reader_u8(&r);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "BACnet virtual link header is cut off", pdu.at,
                       reader_left(&pdu));
        return;
    }
    if (length != reader_left(&pdu))
        emit_violation(d, VIOLATION_LENGTH, "BACnet virtual link length is not the datagram's",
                       pdu.at, BVLC_SIZE);
    if (length >= BVLC_SIZE && length < reader_left(&pdu))
        r = reader_take(&r, (size_t)length - BVLC_SIZE);
    if (function >= FUNCTIONS) {
        emit_violation(d, VIOLATION_FUNCTION, "BACnet virtual link function is not defined", pdu.at,
                       BVLC_SIZE);
        return;
    }
    if (!is_carrier(function)) {
        if (!is_size_of(&functions[function], BVLC_SIZE + reader_left(&r)))
            emit_violation(d, VIOLATION_LENGTH, "BACnet virtual link message of a wrong length",
                           pdu.at, reader_left(&pdu));
        management(d, function, r, pdu);
        return;
    }
    struct route route = {.is_broadcast = function != BVLC_UNICAST};
    if (function == BVLC_FORWARDED)
        route.forwarded = reader_take(&r, FORWARDED_SIZE);
    network(d, &route, r);
}

static void ethernet(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    reader_skip(&r, 2);
    if (reader_u8(&r) != LLC_UI) {
        emit_violation(d, VIOLATION_FUNCTION, "BACnet frame is not unnumbered information", pdu.at,
                       reader_left(&pdu));
        return;
    }
    uint16_t link = d->packet->link_type;
    struct route route = {
        .is_broadcast = d->packet->destination_mac.bytes[0] & 1,
        .may_be_padded = (link == LINKTYPE_LINUX_SLL || link == LINKTYPE_LINUX_SLL2) &&
                         reader_left(&pdu) <= ETHERNET_PAYLOAD_MIN,
    };
    network(d, &route, r);
}

static void bacnet_dissect(struct dissect *d, struct reader r)
{
    if (reader_peek(&r) == LLC_SAP)
        ethernet(d, r);
    else
        virtual_link(d, r);
}

/* Version, control without reserved bits, and a type that exists behind addresses that fit. */
static bool is_network_pdu(struct reader r)
{
    uint8_t version = reader_u8(&r);
    uint8_t control = reader_u8(&r);
    if (version != NPDU_VERSION || control & CONTROL_RESERVED)
        return false;
    if (control & CONTROL_DESTINATION)
        read_address(&r);
    if (control & CONTROL_SOURCE)
        read_address(&r);
    if (control & CONTROL_DESTINATION)
        reader_skip(&r, 1);
    uint8_t first = reader_u8(&r);
    return reader_ok(&r) && (control & CONTROL_MESSAGE || first >> 4 <= ABORT);
}

static enum claim bacnet_recognise(struct reader r)
{
    size_t size = reader_left(&r);
    uint8_t type = reader_u8(&r);
    uint8_t function = reader_u8(&r);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_NO;
    if (type == LLC_SAP) /* its DSAP brought it here, on UDP it has no business */
        return function >> 1 == LLC_SAP >> 1 && length == (LLC_UI << 8 | NPDU_VERSION) ? CLAIM_WEAK
                                                                                       : CLAIM_NO;
    if (type != BVLC_TYPE || function >= FUNCTIONS)
        return CLAIM_NO;
    if (is_carrier(function)) {
        if (function == BVLC_FORWARDED)
            reader_skip(&r, FORWARDED_SIZE);
        if (!is_network_pdu(r))
            return length == size ? CLAIM_WEAK : CLAIM_NO;
        return length == size ? CLAIM_YES : CLAIM_WEAK;
    }
    return length == size && is_size_of(&functions[function], size) ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_bacnet = {
    .name = "bacnet",
    .spec = "ANSI/ASHRAE 135-2020",
    .over = OVER_UDP | OVER_ETHERTYPE,
    .ports = {47808,  47809, 47810, 47811, 47812, 47813, 47814, 47815, 47816, 47817, 47818, 47819,
              47820, 47821, 47822, 47823},
    .ethertypes = {LLC_SAP},
    .state_size = sizeof(struct bacnet_state),
    .recognise = bacnet_recognise,
    .dissect = bacnet_dissect,
};
