/* enip.c: EtherNet/IP encapsulation, the carrier of CIP messages.
 *
 * Spec: [CIP2] EtherNet/IP Adaptation of CIP, Volume 2, chapter 2
 *
 *   | command 2 | length 2 | session 4 | status 4 | sender context 8 | options 4, =0 | data, length
 * |
 *
 * SendRRData and SendUnitData carry items (2-6, common packet format):
 *   | interface 4, =0 | timeout 2 | count 2 | type 2, length 2, data | ... |
 * an address item (none, or the connection) and a data item with the CIP message. All little
 * endian. */
#include "cip_connection.h"
#include "cip_identity.h"

enum {
    HEADER_SIZE = 24,
    LENGTH_MAX = 65511, /* [CIP2] 2-3.3: 65535 with the header */
    REGISTER_SIZE = 4,
    VERSION = 1,
    ITEMS_MAX = 16, /* two to four are used */
    SOCKET_SIZE = 16,
    SERVICE_NAME_SIZE = 16,

    COMMAND_NOP = 0x00,
    COMMAND_LIST_TARGETS = 0x01, /* of the first edition; old scanners still send it */
    COMMAND_LIST_SERVICES = 0x04,
    COMMAND_LIST_IDENTITY = 0x63,
    COMMAND_LIST_INTERFACES = 0x64,
    COMMAND_REGISTER = 0x65,
    COMMAND_UNREGISTER = 0x66,
    COMMAND_SEND_RR = 0x6f,
    COMMAND_SEND_UNIT = 0x70,
    COMMAND_INDICATE_STATUS = 0x72,
    COMMAND_CANCEL = 0x73,

    ITEM_IDENTITY = 0x000c,
    ITEM_CONNECTED_ADDRESS = 0x00a1,
    ITEM_CONNECTED_DATA = 0x00b1,
    ITEM_UNCONNECTED_DATA = 0x00b2,
    ITEM_LIST_SERVICES = 0x0100,

    CONNECTIONS_MAX = 48, /* message connections of one TCP connection whose ids are paired */
};

struct command {
    uint16_t code;
    enum operation operation;
    const char *name;
};

/* [CIP2] 2-4 */
static const struct command commands[] = {
    {COMMAND_SEND_RR,         OP_SESSION,  "send_rr_data"      },
    {COMMAND_SEND_UNIT,       OP_SESSION,  "send_unit_data"    },
    {COMMAND_NOP,             OP_SESSION,  "nop"               },
    {COMMAND_LIST_TARGETS,    OP_DISCOVER, "list_targets"      },
    {COMMAND_LIST_SERVICES,   OP_DISCOVER, "list_services"     },
    {COMMAND_LIST_IDENTITY,   OP_IDENTIFY, "list_identity"     },
    {COMMAND_LIST_INTERFACES, OP_DISCOVER, "list_interfaces"   },
    {COMMAND_REGISTER,        OP_SESSION,  "register_session"  },
    {COMMAND_UNREGISTER,      OP_SESSION,  "unregister_session"},
    {COMMAND_INDICATE_STATUS, OP_SESSION,  "indicate_status"   },
    {COMMAND_CANCEL,          OP_SESSION,  "cancel"            },
};

struct status {
    uint32_t code;
    const char *name;
};

/* [CIP2] 2-3.5 */
static const struct status statuses[] = {
    {0x00, "ok"                          },
    {0x01, "unsupported_command"         },
    {0x02, "out_of_memory"               },
    {0x03, "malformed_data"              },
    {0x64, "invalid_session"             },
    {0x65, "invalid_length"              },
    {0x69, "unsupported_protocol_version"},
    {0x6a, "service_not_allowed"         },
};

struct header {
    uint16_t command, length;
    uint32_t session, status, options;
    uint64_t context;
    const uint8_t *at;
};

/* What a flow's connected messages taught: the ids of the two directions that belong together. */
struct pairing {
    uint32_t request_id, response_id; /* response_id 0: not seen yet */
    uint16_t sequence;                /* of the last request */
};

struct state {
    struct pairing pairings[CONNECTIONS_MAX];
    uint8_t count, oldest, last; /* last: where the last request was */
};

static const struct command *command_of(uint16_t code)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}

static const struct status *status_of(uint32_t code)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].code == code)
            return &statuses[i];
    return NULL;
}

static struct header header_read(struct reader *r)
{
    struct header h = {.at = r->at};
    if (!reader_bytes(r, HEADER_SIZE))
        return h;
    struct reader fields = reader_of(h.at, HEADER_SIZE);
    h.command = reader_u16le(&fields);
    h.length = reader_u16le(&fields);
    h.session = reader_u32le(&fields);
    h.status = reader_u32le(&fields);
    h.context = reader_u64le(&fields);
    h.options = reader_u32le(&fields);
    return h;
}

/* --- recognise, frame --- */

static bool is_length_sound(uint16_t command, uint16_t length)
{
    switch (command) {
    case COMMAND_REGISTER:
        return length == REGISTER_SIZE;
    case COMMAND_UNREGISTER:
        return length == 0;
    case COMMAND_SEND_RR:
    case COMMAND_SEND_UNIT: /* refused ones come back empty */
        return length == 0 || length >= 8;
    default:
        return length <= LENGTH_MAX;
    }
}

/* The data of a listing: none in a request, items of a known kind in a reply. */
static enum claim recognise_list(const struct header *h, struct reader r)
{
    if (h->session != 0)
        return CLAIM_NO;
    if (h->length == 0)
        return reader_left(&r) == 0 && h->command != COMMAND_LIST_TARGETS ? CLAIM_YES : CLAIM_WEAK;
    if (reader_left(&r) < 2)
        return CLAIM_MORE;
    uint16_t count = reader_u16le(&r);
    if (count == 0)
        return h->length == 2 ? CLAIM_WEAK : CLAIM_NO;
    if (reader_left(&r) < 4)
        return CLAIM_MORE;
    uint16_t type = reader_u16le(&r);
    uint16_t size = reader_u16le(&r);
    bool is_listed = type == ITEM_IDENTITY || type == ITEM_LIST_SERVICES;
    bool fits = (size_t)size + 6 <= h->length;
    return is_listed && fits && count <= ITEMS_MAX ? CLAIM_YES : CLAIM_NO;
}

static enum claim recognise_send(const struct header *h, struct reader r, bool is_sound)
{
    if (h->length == 0)
        return is_sound && h->status != 0 ? CLAIM_WEAK : CLAIM_NO;
    if (reader_left(&r) < 8)
        return CLAIM_MORE;
    uint32_t interface = reader_u32le(&r);
    reader_skip(&r, 2); /* timeout */
    uint16_t count = reader_u16le(&r);
    if (interface != 0)
        return CLAIM_NO;
    return is_sound && h->session && count && count <= 4 ? CLAIM_YES : CLAIM_WEAK;
}

static enum claim recognise_header(const struct header *h, struct reader r)
{
    bool is_sound = h->options == 0 && status_of(h->status);
    switch (h->command) {
    case COMMAND_SEND_RR:
    case COMMAND_SEND_UNIT:
        return recognise_send(h, r, is_sound);
    case COMMAND_REGISTER:
        return is_sound ? CLAIM_YES : CLAIM_WEAK;
    case COMMAND_LIST_TARGETS:
    case COMMAND_LIST_SERVICES:
    case COMMAND_LIST_IDENTITY:
    case COMMAND_LIST_INTERFACES:
        return is_sound ? recognise_list(h, r) : CLAIM_NO;
    default:
        return is_sound && h->session ? CLAIM_WEAK : CLAIM_NO;
    }
}

/* Small numbers in the first bytes are common on networks: a header alone proves little. */
static enum claim enip_recognise(struct reader r)
{
    struct reader start = r;
    uint16_t command = reader_u16le(&start);
    uint16_t length = reader_u16le(&start);
    if (!reader_ok(&start))
        return CLAIM_MORE;
    if (!command_of(command) || !is_length_sound(command, length))
        return CLAIM_NO;
    struct header h = header_read(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (command != COMMAND_NOP)
        return recognise_header(&h, r);
    if (h.options != 0 || h.status != 0)
        return CLAIM_NO;
    reader_skip(&r, length); /* says nothing: what follows must */
    if (reader_left(&r) < HEADER_SIZE)
        return CLAIM_MORE;
    h = header_read(&r);
    bool is_known = command_of(h.command) && h.command != COMMAND_NOP;
    return is_known && is_length_sound(h.command, h.length) ? recognise_header(&h, r) : CLAIM_NO;
}

static struct frame enip_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint16_t command = reader_u16le(&r);
    uint16_t length = reader_u16le(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (!command_of(command))
        return frame_broken_as(VIOLATION_FUNCTION, "unknown encapsulation command");
    if (length > LENGTH_MAX)
        return frame_broken("encapsulation length out of range");
    size_t size = (size_t)HEADER_SIZE + length;
    return given < size ? frame_need(size) : frame_of(size);
}

/* --- events --- */

static void spell_command(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%04x", code[0]);
}

static struct ot_event enip_event(struct dissect *d, const struct header *h,
                                  const struct command *command)
{
    struct ot_event e = event_of(d);
    e.operation = command->operation;
    e.code[0] = e.function = h->command;
    e.spell = spell_command;
    e.name = command->name;
    e.transaction = h->context;
    e.has_transaction = true;
    e.telling = h->at;
    e.telling_size = HEADER_SIZE;
    if (e.direction == OT_RESPONSE) {
        const struct status *status = status_of(h->status);
        e.status.result = h->status ? OT_RESULT_ERROR : OT_RESULT_OK;
        e.status.code = h->status;
        e.status.name = status ? status->name : NULL;
    }
    return e;
}

/* [CIP1] 5-2.3: attribute 8; 255: the device does not say. NULL: none of these. */
static const char *state_words(uint8_t state)
{
    static const char *const states[] = {
        "state nonexistent", "state self-testing", "state standby",
        "state operational", "state major fault",  "state major fault, not recoverable",
    };
    return state < sizeof states / sizeof *states ? states[state] : NULL;
}

/* [CIP2] 2-4.3.3: | version 2 | socket address 16 | identity attributes 1 to 7 | state 1 | */
static void identity_item(struct dissect *d, struct reader r, struct ot_event *e)
{
    struct cip_identity identity = {0};
    reader_skip(&r, 2);
    reader_skip(&r, SOCKET_SIZE);
    bool is_whole = cip_identity_read_all(&r, &identity);
    if (!is_whole)
        emit_violation(d, VIOLATION_LENGTH, "identity item is too short", NULL, 0);
    cip_identity_facts(d, &identity, e);
    uint8_t state = reader_u8(&r);
    if (reader_ok(&r))
        e->detail = text_of(state_words(state));
}

/* [CIP2] 2-4.6.3: | version 2 | capability flags 2 | name 16 | */
static void services_item(struct reader r, struct ot_event *e)
{
    reader_skip(&r, 4);
    const char *name = (const char *)reader_bytes(&r, SERVICE_NAME_SIZE);
    if (name)
        e->detail = (struct text){name, strnlen(name, SERVICE_NAME_SIZE)};
}

static void list_reply(struct dissect *d, struct reader r, struct ot_event *e)
{
    uint16_t count = reader_u16le(&r);
    for (unsigned i = 0; i < count && i < ITEMS_MAX; i++) {
        uint16_t type = reader_u16le(&r);
        struct reader item = reader_take(&r, reader_u16le(&r));
        if (!reader_ok(&r)) {
            emit_violation(d, VIOLATION_LENGTH, "item runs past the end of the message", NULL, 0);
            return;
        }
        if (type == ITEM_IDENTITY && e->fact_count == 0)
            identity_item(d, item, e);
        else if (type == ITEM_LIST_SERVICES)
            services_item(item, e);
    }
}

static void enip_register(struct dissect *d, struct reader r, const struct header *h)
{
    uint16_t version = reader_u16le(&r);
    uint16_t options = reader_u16le(&r);
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_LENGTH, "RegisterSession is too short", h->at, HEADER_SIZE);
    else if (version != VERSION && h->status == 0)
        emit_violation(d, VIOLATION_RESERVED, "protocol version is not 1", h->at + HEADER_SIZE, 2);
    else if (options != 0)
        emit_violation(d, VIOLATION_RESERVED, "RegisterSession options are not 0",
                       h->at + HEADER_SIZE + 2, 2);
    if (reader_left(&r))
        emit_violation(d, VIOLATION_TRAILING, "RegisterSession is too long", r.at, reader_left(&r));
}

static bool is_broadcast(const struct dissect *d)
{
    return address_is_group(&d->flow->server.ip) || mac_is_group(&d->packet->destination_mac);
}

/* --- CIP messages --- */

/* Pairs the ids of the two directions and returns what both share: the request's id. */
static uint32_t pairing_request(struct state *s, uint32_t id, uint16_t sequence)
{
    if (s->last < s->count && s->pairings[s->last].request_id == id) {
        s->pairings[s->last].sequence = sequence;
        return id;
    }
    for (uint8_t i = 0; i < s->count; i++) {
        if (s->pairings[i].request_id == id) {
            s->pairings[i].sequence = sequence;
            s->last = i;
            return id;
        }
    }
    uint8_t i = s->count;
    if (s->count < CONNECTIONS_MAX) {
        s->count++;
    } else {
        i = s->oldest;
        s->oldest = (uint8_t)((s->oldest + 1) % CONNECTIONS_MAX);
    }
    s->pairings[i] = (struct pairing){.request_id = id, .sequence = sequence};
    s->last = i;
    return id;
}

/* The request's id for a response on this id; 0 when it cannot be told. */
static uint32_t pairing_response(struct dissect *d, struct state *s, uint32_t id, uint16_t sequence)
{
    struct pairing *only = NULL;
    unsigned candidates = 0;
    if (s->last < s->count && s->pairings[s->last].response_id == id)
        return s->pairings[s->last].request_id;
    const struct cip_connection *known = cip_connection_find(d, id);
    for (uint8_t i = 0; i < s->count; i++) {
        struct pairing *p = &s->pairings[i];
        if (p->response_id == id)
            return p->request_id;
        if (known && p->request_id == known->other_id)
            p->response_id = id;
        if (p->response_id == 0 && p->sequence == sequence) {
            only = p;
            candidates++;
        }
    }
    if (known)
        return known->other_id;
    if (candidates != 1)
        return 0;
    only->response_id = id;
    return only->request_id;
}

/* Bit 7 of a CIP service: a response. */
static bool is_cip_response(const struct reader *r)
{
    return (reader_peek(r) & 0x80) != 0;
}

struct items {
    uint32_t connection_id;
    bool has_connection, has_data, is_connected;
    struct reader data;
    const uint8_t *at; /* of the data item */
};

/* Reads the items. False: what follows cannot be trusted; the violation has been told. */
static bool items_read(struct dissect *d, struct reader *r, struct items *items)
{
    const uint8_t *start = r->at;
    size_t start_size = reader_left(r) < 2 ? reader_left(r) : 2;
    uint16_t count = reader_u16le(r);
    *items = (struct items){0};
    if (reader_ok(r) && count == 0) {
        emit_violation(d, VIOLATION_COUNT, "message without items", start, 2);
        return false;
    }
    for (unsigned i = 0; i < count && i < ITEMS_MAX && reader_ok(r); i++) {
        const uint8_t *at = r->at;
        uint16_t type = reader_u16le(r);
        struct reader item = reader_take(r, reader_u16le(r));
        if (!reader_ok(r))
            break;
        if (type == ITEM_CONNECTED_ADDRESS) {
            items->connection_id = reader_u32le(&item);
            items->has_connection = reader_ok(&item);
            if (!items->has_connection)
                emit_violation(d, VIOLATION_LENGTH, "connected address item is too short", at, 4);
        } else if ((type == ITEM_CONNECTED_DATA || type == ITEM_UNCONNECTED_DATA) &&
                   !items->has_data) {
            items->has_data = true;
            items->is_connected = type == ITEM_CONNECTED_DATA;
            items->data = item;
            items->at = at;
        }
    }
    if (!reader_ok(r)) {
        emit_violation(d, VIOLATION_LENGTH, "item runs past the end of the message", start,
                       start_size);
        return false;
    }
    if (count > ITEMS_MAX) {
        emit_violation(d, VIOLATION_COUNT, "more items than any message has", start, 2);
        return false;
    }
    return true;
}

static void connected_message(struct dissect *d, struct items *items, struct carrier *carrier)
{
    struct state *s = d->state;
    uint16_t sequence = reader_u16le(&items->data);
    if (!reader_ok(&items->data)) {
        emit_violation(d, VIOLATION_LENGTH, "connected data without a sequence count", items->at,
                       4);
        return;
    }
    carrier->is_response = is_cip_response(&items->data);
    carrier->transaction = sequence;
    uint32_t id = items->connection_id;
    uint32_t shared = carrier->is_response ? pairing_response(d, s, id, sequence)
                                           : pairing_request(s, id, sequence);
    carrier->is_keyed = true;
    carrier->key = hash_mix(shared, sequence);
    const struct cip_connection *connection = cip_connection_find(d, id);
    if (connection && connection->route_size) {
        char *route = arena_take(d->arena, connection->route_size);
        if (route) {
            memcpy(route, connection->route, connection->route_size);
            carrier->unit = (struct text){route, connection->route_size};
        }
    }
}

/* SendRRData and SendUnitData: no line of their own, unless the carrier itself was refused. */
static void enip_send(struct dissect *d, struct reader r, const struct header *h,
                      const struct command *command)
{
    if (h->status != 0 && h->length == 0) {
        if (!d->is_from_client) {
            struct ot_event e = enip_event(d, h, command);
            e.operation = OP_ERROR;
            emit_event(d, &e);
        }
        return;
    }
    if (h->session == 0)
        emit_violation(d, VIOLATION_STATE, "message without a session", h->at + 4, 4);
    uint32_t interface = reader_u32le(&r);
    reader_skip(&r, 2); /* timeout */
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "message too short for its items", h->at, HEADER_SIZE);
        return;
    }
    if (interface != 0)
        emit_violation(d, VIOLATION_RESERVED, "interface handle is not 0", h->at + HEADER_SIZE, 4);
    struct items items;
    if (!items_read(d, &r, &items))
        return;
    if (reader_left(&r))
        emit_violation(d, VIOLATION_TRAILING, "bytes behind the last item", r.at, reader_left(&r));
    if (!items.has_data || reader_left(&items.data) == 0)
        return;
    struct carrier carrier = {.unit = d->carrier.unit};
    if (items.is_connected) {
        if (reader_left(&items.data) >= 3) {
            struct reader service = items.data;
            reader_skip(&service, 2);
            if (!d->flow->is_role_known)
                dissect_sender_is_client(d, !is_cip_response(&service));
        }
        connected_message(d, &items, &carrier);
    } else {
        carrier.is_response = is_cip_response(&items.data);
        carrier.transaction = h->context;
        carrier.is_keyed = true;
        carrier.key = hash_mix(hash_mix(h->session, h->context), 1);
        if (!d->flow->is_role_known)
            dissect_sender_is_client(d, !carrier.is_response);
    }
    if (reader_left(&items.data))
        (void)dissect_over(d, OVER_ENIP, items.data, &carrier);
}

/* Requests to list carry nothing, replies do; a session is 0 only in the request for one. */
static void learn_role(struct dissect *d, const struct header *h)
{
    if (d->flow->is_role_known)
        return;
    if (h->command == COMMAND_REGISTER)
        dissect_sender_is_client(d, h->session == 0);
    else if (h->command == COMMAND_UNREGISTER)
        dissect_sender_is_client(d, true);
    else if (h->command == COMMAND_LIST_IDENTITY || h->command == COMMAND_LIST_SERVICES ||
             h->command == COMMAND_LIST_INTERFACES)
        dissect_sender_is_client(d, h->length == 0);
}

static void enip_dissect(struct dissect *d, struct reader r)
{
    struct header h = header_read(&r);
    const struct command *command = command_of(h.command);
    if (!reader_ok(&r) || !command)
        return; /* a datagram: frame has told */
    if (h.options != 0)
        emit_violation(d, VIOLATION_RESERVED, "encapsulation options are not 0", h.at + 20, 4);
    if (h.length != reader_left(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "encapsulation length is not the data's", h.at + 2, 2);
        if (h.length > reader_left(&r))
            return;
    }
    struct reader data = reader_take(&r, h.length);
    if (h.command == COMMAND_SEND_RR || h.command == COMMAND_SEND_UNIT) {
        enip_send(d, data, &h, command);
        return;
    }
    learn_role(d, &h);
    struct ot_event e = enip_event(d, &h, command);
    if (d->is_from_client && h.status != 0)
        emit_violation(d, VIOLATION_RESERVED, "status of a request is not 0", h.at + 8, 4);
    if (h.command == COMMAND_REGISTER && h.status == 0)
        enip_register(d, data, &h);
    else if (e.direction == OT_RESPONSE && h.status == 0 && h.length)
        list_reply(d, data, &e);
    else if (h.command == COMMAND_LIST_IDENTITY && e.direction == OT_REQUEST && is_broadcast(d)) {
        e.operation = OP_DISCOVER;
        e.flags |= OT_BROADCAST;
    }
    emit_event(d, &e);
}

const struct dissector dissector_enip = {
    .name = "enip",
    .spec = "The CIP Networks Library, Volume 2: EtherNet/IP Adaptation of CIP",
    .over = OVER_TCP | OVER_UDP,
    .ports = {44818, 2222},
    .state_size = sizeof(struct state),
    .pdu_max = HEADER_SIZE + LENGTH_MAX,
    .recognise = enip_recognise,
    .frame = enip_frame,
    .dissect = enip_dissect,
};
