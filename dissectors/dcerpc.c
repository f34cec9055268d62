/* dcerpc.c: remote procedure calls over TCP and over named pipes of SMB: which interface is bound,
 * which operation is called.
 *
 * Spec: [C706] DCE 1.1 RPC 12.6 connection-oriented PDUs, [RPCE] MS-RPCE extensions
 *
 *   | version 5, 0 | type 1 | flags 1 | representation 4 | size 2 | authentication 2 | call 4 |
 *   request:  | allocation 4 | context 2 | operation 2 | [object 16] | stub |
 *   response: | allocation 4 | context 2 | cancels 1 | 0 1 | stub |; fault: the same, status 4
 *   bind:     | sizes 4 | group 4 | count 1 | 0 3 | context 2 | count 1 | 0 1 | interface 16,
 *             version 4 | transfer syntaxes, 20 each |...
 *   bind ack: | sizes 4 | group 4 | size 2, port text | to 4 | count 1 | 0 3 | result 2 ... |
 *
 * in the byte order of the representation. What is bound is kept for each context of a flow (or of
 * a pipe in it): requests name the context only. */
#include "ascii.h"
#include "dcerpc_interfaces.h"
#include "ntlm.h"
#include "sensor/base/hash.h"
#include "utf16.h"

enum {
    VERSION = 5,
    MINOR_MAX = 1,
    HEADER_SIZE = 16,
    SIZE_MAX_SEEN = 65535,
    REQUEST = 0,
    RESPONSE = 2,
    FAULT = 3,
    BIND = 11,
    BIND_ACK = 12,
    BIND_NAK = 13,
    ALTER = 14,
    ALTER_ACK = 15,
    AUTH3 = 16,
    TYPE_LAST = 19,
    FLAG_FIRST = 0x01,
    FLAG_OBJECT = 0x80,
    LITTLE = 0x10,
    CONTEXTS_MAX = 32,
    TRAILER_SIZE = 8,
    LEVEL_PRIVACY = 6, /* [RPCE] 2.2.1.1.8 */
    ACCESS_DENIED = 5,
    HANDLE_SIZE = 20,
    SERVICE_SIZE = 48,
    CONTROL_STOP = 1, /* MS-SCMR 3.1.4.2 */
};

struct pdu {
    struct dissect *d;
    struct reader whole; /* the PDU, as much as is there */
    uint8_t type, flags;
    bool is_little;
    uint16_t size, authentication;
    uint32_t call;
    struct ot_event event;
    struct ot_item item;
    struct ntlm ntlm;
};

/* What a context of a flow is bound to; what a call asked for. */
struct bound {
    uint8_t interface; /* place in the table and 1 */
};
struct asked {
    uint8_t interface, operation;
    uint16_t number;
};

static uint16_t u16(struct reader *r, bool is_little)
{
    return is_little ? reader_u16le(r) : reader_u16be(r);
}

static uint32_t u32(struct reader *r, bool is_little)
{
    return is_little ? reader_u32le(r) : reader_u32be(r);
}

/* False: not a header (r not short), or too few bytes (r short). */
static bool read_header(struct reader *r, struct pdu *p)
{
    p->whole = *r;
    uint8_t version = reader_u8(r), minor = reader_u8(r);
    p->type = reader_u8(r);
    p->flags = reader_u8(r);
    uint8_t order = reader_u8(r), floats = reader_u8(r);
    uint16_t reserved = reader_u16be(r);
    p->is_little = order & LITTLE;
    p->size = u16(r, p->is_little);
    p->authentication = u16(r, p->is_little);
    p->call = u32(r, p->is_little);
    return reader_ok(r) && version == VERSION && minor <= MINOR_MAX && p->type <= TYPE_LAST &&
           (order == 0 || order == LITTLE) && floats == 0 && reserved == 0 &&
           p->size >= HEADER_SIZE && p->authentication < p->size;
}

static enum claim dcerpc_recognise(struct reader r)
{
    struct pdu p;
    struct reader first = r;
    if (reader_left(&r) == 0)
        return CLAIM_MORE;
    if (reader_u8(&first) != VERSION || (reader_left(&first) && reader_u8(&first) > MINOR_MAX))
        return CLAIM_NO;
    bool is_header = read_header(&r, &p);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (!is_header)
        return CLAIM_NO;
    bool is_bind = p.type == BIND || p.type == BIND_ACK || p.type == ALTER || p.type == ALTER_ACK;
    return is_bind && p.is_little && (p.flags & FLAG_FIRST) && p.size > 2 * HEADER_SIZE
               ? CLAIM_YES
               : CLAIM_WEAK;
}

static struct frame dcerpc_frame(struct reader r)
{
    struct pdu p;
    size_t left = reader_left(&r);
    bool is_header = read_header(&r, &p);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (!is_header)
        return frame_broken("not a DCE/RPC header");
    return p.size > left ? frame_need(p.size) : frame_of(p.size);
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "pkt_type=%u", code[0]);
}

/* --- what is bound --- */

static uint64_t context_key(const struct dissect *d, uint16_t context)
{
    static const char what[] = "dcerpc";
    uint64_t key = hash_mix(hash_bytes(what, sizeof what), d->flow->id);
    return hash_mix(hash_mix(key, d->carrier.key), context);
}

static const struct dcerpc_interface *bound_to(struct dissect *d, uint16_t context)
{
    struct bound *b = dissect_pair(d, context_key(d, context), sizeof *b, false);
    return b && b->interface ? dcerpc_interface_at(b->interface - 1u) : NULL;
}

/* Of a long call through a pipe only the head is there. */
static bool is_whole(const struct pdu *p)
{
    return reader_left(&p->whole) >= p->size;
}

/* The interfaces that a bind asks for; the first known one is told, all are kept. */
static void bind(struct pdu *p, struct reader r)
{
    reader_skip(&r, 4 + 4);
    uint8_t count = reader_u8(&r);
    reader_skip(&r, 3);
    for (int i = 0; i < count && i < CONTEXTS_MAX && reader_ok(&r); i++) {
        uint16_t context = u16(&r, p->is_little);
        uint8_t syntaxes = reader_u8(&r);
        reader_skip(&r, 1);
        uint32_t low = u32(&r, p->is_little);
        uint16_t middle = u16(&r, p->is_little), high = u16(&r, p->is_little);
        const uint8_t *rest = reader_bytes(&r, 8);
        reader_skip(&r, 4 + (size_t)syntaxes * 20);
        if (!rest)
            break;
        const struct dcerpc_interface *known = dcerpc_interface(low, middle, high, rest);
        struct bound *b = dissect_pair(p->d, context_key(p->d, context), sizeof *b, true);
        b->interface = known ? (uint8_t)(dcerpc_interface_index(known) + 1) : 0;
        if (known && p->event.detail.size == 0) {
            p->event.detail = text_of(known->name);
            p->event.code[1] = b->interface;
        }
    }
    if (!reader_ok(&r) && is_whole(p))
        emit_violation(p->d, VIOLATION_LENGTH, "RPC bind shorter than its contexts", NULL, 0);
}

/* --- calls --- */

/* The service that this pipe opened last: what follows names it by a handle only. */
struct service {
    uint8_t size;
    char name[SERVICE_SIZE];
};

static struct service *service_of(struct dissect *d, bool create)
{
    static const char what[] = "dcerpc service";
    uint64_t key = hash_mix(hash_bytes(what, sizeof what), d->flow->id);
    return dissect_pair(d, hash_mix(key, d->carrier.key), sizeof(struct service), create);
}

static void tell_thing(struct pdu *p, const char *area, struct text name)
{
    if (name.size == 0)
        return;
    p->item = (struct ot_item){.area = area, .name = name, .count = 1};
    p->event.items = &p->item;
    p->event.item_count = p->event.items_total = 1;
}

/* [C706] 14.3.4: | most 4 | offset 4 | actual 4 | UTF-16 | */
static struct text argument_text(struct pdu *p, struct reader r, enum dcerpc_argument where)
{
    enum { POINTER_SIZE = 4 };
    reader_skip(&r, where == ARGUMENT_POINTER ? POINTER_SIZE : HANDLE_SIZE);
    uint32_t most = u32(&r, p->is_little), offset = u32(&r, p->is_little);
    uint32_t actual = u32(&r, p->is_little);
    if (!reader_ok(&r) || offset != 0 || actual > most || actual > UTF16_MAX)
        return (struct text){NULL, 0};
    return utf16_text(p->d, reader_take(&r, (size_t)actual * 2));
}

/* The stub cannot be read when its protection level is privacy. */
static bool is_private(const struct pdu *p)
{
    struct reader r = p->whole;
    if (p->authentication == 0 || p->size < p->authentication + TRAILER_SIZE + HEADER_SIZE)
        return false;
    reader_skip(&r, (size_t)p->size - p->authentication - TRAILER_SIZE + 1);
    return reader_u8(&r) == LEVEL_PRIVACY;
}

static void tell_operation(struct pdu *p, const struct dcerpc_interface *interface, uint16_t number)
{
    p->event.code[1] = (uint32_t)dcerpc_interface_index(interface) + 1;
    p->event.code[2] = p->event.function = number;
    p->event.detail = text_of(interface->name);
    const struct dcerpc_operation *o = dcerpc_operation(interface, number);
    if (o) {
        p->event.name = o->name;
        p->event.operation = (enum operation)o->operation;
    }
}

static void arguments(struct pdu *p, const struct dcerpc_interface *interface,
                      const struct dcerpc_operation *o, struct reader r)
{
    if (o->argument == ARGUMENT_CONTROL) {
        struct reader control = r;
        reader_skip(&control, HANDLE_SIZE);
        if (u32(&control, p->is_little) != CONTROL_STOP)
            p->event.operation = OP_DIAGNOSTICS;
    }
    if (o->argument == ARGUMENT_AFTER_HANDLE || o->argument == ARGUMENT_POINTER) {
        struct text name = argument_text(p, r, (enum dcerpc_argument)o->argument);
        struct service *s = service_of(p->d, true);
        s->size = (uint8_t)ascii_keep(s->name, SERVICE_SIZE, name).size;
        tell_thing(p, interface->name, name);
    } else if (o->operation == OP_START || o->operation == OP_STOP ||
               o->operation == OP_CONFIG_CHANGE) {
        const struct service *s = service_of(p->d, false);
        tell_thing(p, interface->name,
                   s ? (struct text){s->name, s->size} : (struct text){NULL, 0});
    }
}

static void request(struct pdu *p, struct reader r)
{
    reader_skip(&r, 4);
    uint16_t context = u16(&r, p->is_little), number = u16(&r, p->is_little);
    if (p->flags & FLAG_OBJECT)
        reader_skip(&r, 16);
    if (!reader_ok(&r)) {
        emit_violation(p->d, VIOLATION_LENGTH, "RPC request is not whole", NULL, 0);
        return;
    }
    const struct dcerpc_interface *interface = bound_to(p->d, context);
    bool is_encrypted = is_private(p);
    if (is_encrypted)
        p->event.flags |= OT_ENCRYPTED;
    p->event.code[2] = p->event.function = number;
    struct asked *a = dissect_remember(p->d, hash_mix(p->d->carrier.key, p->call), sizeof *a, NULL);
    a->number = number;
    if (!interface)
        return;
    a->interface = (uint8_t)(dcerpc_interface_index(interface) + 1);
    tell_operation(p, interface, number);
    const struct dcerpc_operation *o = dcerpc_operation(interface, number);
    if (o && !is_encrypted && (p->flags & FLAG_FIRST))
        arguments(p, interface, o, r);
}

static void answer(struct pdu *p, struct reader r)
{
    reader_skip(&r, 8);
    if (!reader_ok(&r)) {
        emit_violation(p->d, VIOLATION_LENGTH, "RPC response is not whole", NULL, 0);
        return;
    }
    p->event.status.result = OT_RESULT_OK;
    if (is_private(p))
        p->event.flags |= OT_ENCRYPTED;
    size_t size;
    const struct asked *a = dissect_recall(p->d, hash_mix(p->d->carrier.key, p->call), &size);
    if (!a && (p->flags & FLAG_FIRST))
        p->event.flags |= OT_NO_REQUEST;
    if (a && a->interface)
        tell_operation(p, dcerpc_interface_at(a->interface - 1u), a->number);
    if (p->type == FAULT) {
        uint32_t status = u32(&r, p->is_little);
        p->event.status = (struct ot_status){
            OT_RESULT_ERROR, status, status == ACCESS_DENIED ? "access_denied" : "rpc_fault"};
    } else if (reader_left(&r) >= 4 && !(p->event.flags & OT_ENCRYPTED) && a) {
        /* functions of Windows return their error as the last word: 0 is success */
        size_t tail = p->authentication ? (size_t)p->authentication + TRAILER_SIZE : 0;
        struct reader end = p->whole;
        if (reader_left(&end) == p->size && p->size >= HEADER_SIZE + 8 + 4 + tail) {
            reader_skip(&end, (size_t)p->size - tail - 4);
            if (u32(&end, p->is_little) == ACCESS_DENIED)
                p->event.status =
                    (struct ot_status){OT_RESULT_ERROR, ACCESS_DENIED, "access_denied"};
        }
    }
}

static void tell_login(struct pdu *p)
{
    if (p->authentication == 0 || !ntlm_find(p->d, p->whole, &p->ntlm))
        return;
    p->event.facts = p->ntlm.facts;
    p->event.fact_count = p->ntlm.fact_count;
    p->event.unit = TEXT("ntlm"); /* its versions are of the system, not of a program */
}

static void dcerpc_dissect(struct dissect *d, struct reader r)
{
    static const char *const names[TYPE_LAST + 1] = {
        [REQUEST] = "request", [RESPONSE] = "response",   [FAULT] = "fault",
        [BIND] = "bind",       [BIND_ACK] = "bind_ack",   [BIND_NAK] = "bind_nak",
        [ALTER] = "alter",     [ALTER_ACK] = "alter_ack", [AUTH3] = "auth3"};
    struct pdu p = {.d = d};
    if (!read_header(&r, &p))
        return;
    bool is_request = p.type == REQUEST || p.type == BIND || p.type == ALTER || p.type == AUTH3;
    bool is_bind = p.type >= BIND && p.type <= AUTH3;
    if (p.type <= AUTH3 && d->depth == 0)
        dissect_sender_is_client(d, is_request);
    event_start(&p.event, d);
    p.event.direction = is_request ? OT_REQUEST : OT_RESPONSE;
    p.event.spell = spell;
    p.event.code[0] = p.type;
    p.event.name = names[p.type] ? names[p.type] : "control";
    p.event.operation = OP_SESSION;
    p.event.transaction = p.call;
    p.event.has_transaction = true;
    p.event.unit = d->carrier.unit;
    if (p.type == REQUEST)
        request(&p, r);
    else if (p.type == RESPONSE || p.type == FAULT)
        answer(&p, r);
    else if (p.type == BIND || p.type == ALTER)
        bind(&p, r);
    else if (p.type == BIND_NAK)
        p.event.status = (struct ot_status){OT_RESULT_ERROR, 0, "refused"};
    if (is_bind)
        tell_login(&p);
    emit_event(d, &p.event);
}

const struct dissector dissector_dcerpc = {
    .name = "dcerpc",
    .spec = "DCE 1.1 RPC (C706), MS-RPCE",
    .over = OVER_TCP | OVER_PIPE, /* no ports: the mapper at 135 gives any */
    .pdu_max = SIZE_MAX_SEEN,
    .recognise = dcerpc_recognise,
    .frame = dcerpc_frame,
    .dissect = dcerpc_dissect,
};
