/* pnio_cm.c: PROFINET IO context management: connecting, parameters and records over DCE/RPC.
 *
 * Spec: [PN]  IEC 61158-6-10 (PROFINET IO), [RPC] C706 DCE 1.1 RPC, connectionless; PROTOCOLS 13
 *
 *   | version 1, =4 | type 1 | flags 2 | representation 3 | serial 1 | object 16 | interface 16 |
 *   | activity 16 | boot time 4 | interface version 4 | sequence 4 | operation 2 | hints 4 |
 *   | length 2 | fragment 2 | authentication 1 | serial 1 | length bytes |
 *
 *   request    | greatest size 4 | size 4 | array: 4, 0 4, size 4 | blocks |
 *   response   | status 4 | size 4 | array: 4, 0 4, size 4 | blocks |
 *
 * in the byte order of the representation, but for the blocks. Devices answer from another port, so
 * an answer belongs to another flow: requests are kept by pair of hosts and activity. */
#include "pnio_cm.h"

#include "pn_status.h"
#include "pn_vendor.h"
#include "sensor/base/hash.h"

enum {
    RPC_VERSION = 4,
    HEADER_SIZE = 80,
    INTERFACE_END = 40,
    ARGUMENTS_SIZE = 20,
    FLAG_FRAGMENT = 0x04,
    FLAG_LAST = 0x02,
    LITTLE_ENDIAN_BIT = 0x10,
    WHOLE_MAX = 32768, /* bytes of a call in fragments; the largest seen have 4 KiB */
    TYPE_REQUEST = 0,
    TYPE_RESPONSE = 2,
    TYPE_FAULT = 3,
    TYPE_REJECT = 6,
    TYPE_LAST = 10,
    INTERFACE_MAPPER = 0, /* beside 1 to 4 */
    INTERFACE_NONE = -1,
    MAPPER_LOOKUP = 2,
};

struct uuid {
    uint32_t low;
    uint16_t middle, high;
    const uint8_t *rest; /* 8 */
};

struct rpc {
    uint8_t type, flags;
    bool is_little;
    int interface; /* 1 device, 2 controller, 3 supervisor, 4 parameter server, or see above */
    uint64_t activity;
    const uint8_t *object; /* as on the wire */
    uint32_t sequence;
    uint16_t operation, length, fragment;
    uint8_t authentication;
};

/* A call that comes in fragments. */
struct cm_state {
    uint64_t activity;
    uint32_t sequence;
    uint32_t used;
    uint16_t next; /* fragment */
    uint8_t type;
    bool is_open;
    uint8_t bytes[]; /* WHOLE_MAX once grown */
};

/* What is kept of a request, by pair of hosts. */
struct asked {
    uint32_t sequence;
    uint8_t operation; /* enum operation */
    bool is_waiting;
};

static const struct operation_row {
    const char *name;
    enum operation operation;
} operations[PNIO_OPERATIONS] = {
    [PNIO_CONNECT] = {"connect",       OP_SESSION},
    [PNIO_RELEASE] = {"release",       OP_SESSION},
    [PNIO_READ] = {"read",          OP_UNKNOWN}, /* by the record */
    [PNIO_WRITE] = {"write",         OP_UNKNOWN},
    [PNIO_CONTROL] = {"control",       OP_SESSION},
    [PNIO_READ_IMPLICIT] = {"read_implicit", OP_UNKNOWN},
};

/* --- helpers for the other files --- */

struct ot_item *pnio_next_item(struct pnio *p)
{
    p->event.items_total++;
    if (!p->items) {
        p->room = PNIO_ITEMS_MAX;
        p->items = dissect_items_unset(p->d, &p->room);
        p->event.items = p->items;
    }
    if (p->event.item_count >= p->room)
        return NULL;
    struct ot_item *item = &p->items[p->event.item_count++];
    *item = (struct ot_item){.operation = OP_UNKNOWN};
    return item;
}

void pnio_add_fact(struct pnio *p, enum fact_kind kind, struct text value)
{
    if (value.size == 0 || p->event.fact_count == PNIO_FACTS_MAX)
        return;
    p->facts[p->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    p->event.facts = p->facts;
}

void pnio_add_part(struct pnio *p, uint16_t slot, uint16_t subslot, uint32_t module,
                   uint32_t submodule)
{
    if (slot == 0)
        return;
    if (!p->parts) {
        p->part_room = PNIO_PARTS_MAX;
        p->parts = dissect_parts(p->d, &p->part_room);
        p->event.parts = p->parts;
    }
    if (p->event.part_count == p->part_room)
        return;
    p->parts[p->event.part_count++] = (struct ot_part){
        .unit = dissect_text(p->d, "%u.%u", slot, subslot),
        .numbers = dissect_text(p->d, "module 0x%08x, submodule 0x%08x", module, submodule),
    };
}

struct text pnio_trimmed(struct reader r)
{
    size_t size = reader_left(&r);
    while (size && (r.at[size - 1] == 0 || r.at[size - 1] == ' '))
        size--;
    return size ? (struct text){(const char *)r.at, size} : (struct text){NULL, 0};
}

/* --- RPC --- */

static uint16_t u16(struct reader *r, bool is_little)
{
    return is_little ? reader_u16le(r) : reader_u16be(r);
}

static uint32_t u32(struct reader *r, bool is_little)
{
    return is_little ? reader_u32le(r) : reader_u32be(r);
}

static struct uuid read_uuid(struct reader *r, bool is_little)
{
    struct uuid u = {.low = u32(r, is_little), .middle = u16(r, is_little)};
    u.high = u16(r, is_little);
    u.rest = reader_bytes(r, 8);
    return u;
}

static int interface_of(const struct uuid *u)
{
    static const uint8_t pnio[8] = {0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d};
    static const uint8_t mapper[8] = {0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa};
    if (!u->rest)
        return INTERFACE_NONE;
    if (u->low >= 0xdea00001 && u->low <= 0xdea00004 && u->middle == 0x6c97 && u->high == 0x11d1 &&
        memcmp(u->rest, pnio, sizeof pnio) == 0)
        return (int)(u->low - 0xdea00000);
    if (u->low == 0xe1af8308 && u->middle == 0x5d1f && u->high == 0x11c9 &&
        memcmp(u->rest, mapper, sizeof mapper) == 0)
        return INTERFACE_MAPPER;
    return INTERFACE_NONE;
}

/* Up to and with the interface; more when there is more. */
static bool read_header(struct reader *r, struct rpc *h)
{
    *h = (struct rpc){.interface = INTERFACE_NONE};
    uint8_t version = reader_u8(r);
    h->type = reader_u8(r);
    h->flags = reader_u8(r);
    reader_skip(r, 1);
    uint8_t order = reader_u8(r);
    reader_skip(r, 3);
    h->is_little = order & LITTLE_ENDIAN_BIT;
    h->object = reader_bytes(r, 16);
    struct uuid interface = read_uuid(r, h->is_little);
    if (!reader_ok(r) || version != RPC_VERSION || h->type > TYPE_LAST || (order & 0xef) != 0)
        return false;
    h->interface = interface_of(&interface);
    struct uuid activity = read_uuid(r, h->is_little);
    reader_skip(r, 8);
    h->sequence = u32(r, h->is_little);
    h->operation = u16(r, h->is_little);
    reader_skip(r, 4);
    h->length = u16(r, h->is_little);
    h->fragment = u16(r, h->is_little);
    h->authentication = reader_u8(r);
    reader_skip(r, 1);
    if (reader_ok(r)) {
        struct reader rest = reader_of(activity.rest, 8);
        uint64_t first =
            (uint64_t)activity.low << 32 | (uint32_t)activity.middle << 16 | activity.high;
        h->activity = hash_mix(first, reader_u64be(&rest));
    }
    return h->interface != INTERFACE_NONE;
}

static enum claim cm_recognise(struct reader r)
{
    if (reader_left(&r) < INTERFACE_END)
        return reader_peek(&r) == RPC_VERSION ? CLAIM_MORE : CLAIM_NO;
    struct rpc h;
    if (!read_header(&r, &h))
        return CLAIM_NO;
    return h.interface == INTERFACE_MAPPER ? CLAIM_WEAK : CLAIM_YES;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "if=%u,op=%u", code[0], code[1]);
}

/* --- matching --- */

static struct asked *asked_of(struct dissect *d, const struct rpc *h, bool create)
{
    static const char what[] = "pnio_cm";
    uint64_t key = hash_mix(hash_bytes(what, sizeof what), h->activity);
    return dissect_pair(d, key, sizeof(struct asked), create);
}

static void match_request(struct pnio *p, const struct rpc *h)
{
    struct asked *a = asked_of(p->d, h, true);
    if (a->is_waiting && a->sequence == h->sequence)
        p->event.flags |= OT_RETRANSMIT;
    *a = (struct asked){h->sequence, (uint8_t)p->event.operation, true};
}

static void match_response(struct pnio *p, const struct rpc *h)
{
    struct asked *a = asked_of(p->d, h, false);
    if (!a || a->sequence != h->sequence) {
        p->event.flags |= OT_NO_REQUEST;
        return;
    }
    if (!a->is_waiting)
        p->event.flags |= OT_RETRANSMIT;
    a->is_waiting = false;
    if (a->operation > p->event.operation)
        p->event.operation = (enum operation)a->operation;
}

/* --- the call --- */

static void arguments(struct pnio *p, const struct rpc *h, struct reader r)
{
    const uint8_t *at = r.at;
    uint32_t first = u32(&r, h->is_little); /* greatest size, or status */
    uint32_t size = u32(&r, h->is_little);
    reader_skip(&r, 8);
    uint32_t actual = u32(&r, h->is_little);
    if (!reader_ok(&r)) {
        emit_violation(p->d, VIOLATION_LENGTH, "RPC arguments are not whole", NULL, 0);
        return;
    }
    if (!p->is_request)
        p->event.status = pn_status_of(first);
    if (size > reader_left(&r) || actual != size)
        emit_violation(p->d, VIOLATION_LENGTH, "RPC argument size is not the data's", at + 4, 4);
    pnio_blocks(p, reader_take(&r, size < reader_left(&r) ? size : reader_left(&r)));
}

/* [RPC] the first entry of ept_lookup's answer:
 * | handle 20 | entries 4 | array 12 | object 16 | reference 4 | 0 4 | size 4 | annotation | */
static void mapper_answer(struct pnio *p, const struct rpc *h, struct reader r)
{
    reader_skip(&r, 20 + 4 + 12);
    reader_skip(&r, 16 + 4 + 4);
    uint32_t size = u32(&r, h->is_little);
    if (size == 0 || size > 64)
        return;
    struct text annotation = pnio_trimmed(reader_take(&r, size));
    if (annotation.size)
        pnio_annotation(p, annotation);
    p->event.detail = annotation;
}

static void body(struct pnio *p, const struct rpc *h, struct reader r)
{
    if (h->type == TYPE_FAULT || h->type == TYPE_REJECT) {
        uint32_t status = u32(&r, h->is_little);
        p->event.operation = OP_ERROR;
        p->event.status = (struct ot_status){OT_RESULT_ERROR, status,
                                             h->type == TYPE_FAULT ? "rpc_fault" : "rpc_reject"};
        return;
    }
    if (h->interface == INTERFACE_MAPPER) {
        if (!p->is_request && h->operation == MAPPER_LOOKUP)
            mapper_answer(p, h, r);
        return;
    }
    arguments(p, h, r);
}

static void call(struct dissect *d, const struct rpc *h, struct reader r, bool is_whole)
{
    struct pnio p = {.d = d};
    p.is_request = h->type == TYPE_REQUEST;
    event_start(&p.event, d);
    p.event.direction = p.is_request ? OT_REQUEST : OT_RESPONSE;
    p.event.code[0] = (uint32_t)h->interface;
    p.event.code[1] = p.event.function = h->operation;
    p.event.spell = spell;
    p.event.transaction = h->sequence;
    p.event.has_transaction = true;
    bool is_mapper = h->interface == INTERFACE_MAPPER;
    bool is_known = !is_mapper && h->operation < PNIO_OPERATIONS;
    if (is_mapper) {
        p.event.name = h->operation == MAPPER_LOOKUP ? "lookup" : "end_point_mapper";
        p.event.operation = OP_DISCOVER;
    } else if (is_known) {
        p.event.name = operations[h->operation].name;
        p.event.operation = operations[h->operation].operation;
    }
    if (is_whole) {
        if (is_known || is_mapper)
            body(&p, h, r);
    } else {
        p.event.detail = TEXT("fragment");
        if (h->operation == PNIO_WRITE)
            p.event.operation = OP_CONFIG_CHANGE;
        else if (h->operation == PNIO_READ)
            p.event.operation = OP_READ;
    }
    if (is_known && p.event.operation == OP_UNKNOWN) /* no record told more */
        p.event.operation = h->operation == PNIO_WRITE ? OP_CONFIG_CHANGE : OP_READ;
    if (p.is_request)
        match_request(&p, h);
    else
        match_response(&p, h);
    if (!p.is_request && h->interface == 1 && h->operation == PNIO_CONNECT) {
        uint16_t vendor = (uint16_t)(h->object[14] << 8 | h->object[15]);
        if (vendor)
            pnio_add_fact(&p, FACT_VENDOR, pn_vendor_name(d, vendor));
    }
    emit_event(d, &p.event);
    if (!is_known && !is_mapper)
        emit_violation(d, VIOLATION_FUNCTION, "unknown PROFINET IO operation", NULL, 0);
}

/* --- fragments --- */

static bool begin_fragments(struct dissect *d, const struct rpc *h)
{
    if (!dissect_grow(d, sizeof(struct cm_state) + WHOLE_MAX))
        return false;
    struct cm_state *s = d->state;
    s->activity = h->activity;
    s->sequence = h->sequence;
    s->type = h->type;
    s->used = s->next = 0;
    s->is_open = true;
    return true;
}

/* Every fragment is an event; the last one has all that the call says. */
static void fragment(struct dissect *d, const struct rpc *h, struct reader r)
{
    struct cm_state *s = d->state;
    bool is_same = s->is_open && s->activity == h->activity && s->sequence == h->sequence &&
                   s->type == h->type;
    if (h->fragment == 0 && !begin_fragments(d, h)) {
        call(d, h, r, false);
        return;
    }
    s = d->state;
    size_t size = reader_left(&r);
    if (h->fragment != 0 && (!is_same || h->fragment != s->next)) {
        call(d, h, r, false);
        if (is_same && h->fragment < s->next)
            emit_violation(d, VIOLATION_SEQUENCE, "RPC fragment came before", NULL, 0);
        else
            s->is_open = false; /* one was lost */
        return;
    }
    if (size > WHOLE_MAX - s->used) {
        s->is_open = false;
        call(d, h, r, false);
        emit_violation(d, VIOLATION_LENGTH, "RPC call longer than 32 KiB", NULL, 0);
        return;
    }
    if (size)
        memcpy(s->bytes + s->used, r.at, size);
    s->used += (uint32_t)size;
    s->next++;
    bool is_last = h->flags & FLAG_LAST;
    if (is_last)
        s->is_open = false;
    call(d, h, is_last ? reader_of(s->bytes, s->used) : r, is_last);
}

static void cm_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    struct rpc h;
    bool is_ours = read_header(&r, &h);
    if (!reader_ok(&r) || !is_ours) {
        if (is_ours || reader_left(&r) == 0)
            emit_violation(d, VIOLATION_LENGTH, "RPC header is not whole", NULL, 0);
        return;
    }
    bool is_answer = h.type == TYPE_RESPONSE || h.type == TYPE_FAULT || h.type == TYPE_REJECT;
    if (h.type != TYPE_REQUEST && !is_answer)
        return; /* keeping the call alive */
    dissect_sender_is_client(d, h.type == TYPE_REQUEST);
    if (h.authentication)
        emit_violation(d, VIOLATION_RESERVED, "RPC authentication is not 0", at + 78, 1);
    if (h.length > reader_left(&r))
        emit_violation(d, VIOLATION_LENGTH, "RPC length larger than its datagram", at + 74, 2);
    struct reader data = reader_take(&r, h.length < reader_left(&r) ? h.length : reader_left(&r));
    if ((h.flags & FLAG_FRAGMENT) && !((h.flags & FLAG_LAST) && h.fragment == 0))
        fragment(d, &h, data);
    else
        call(d, &h, data, true);
}

const struct dissector dissector_pnio_cm = {
    .name = "pnio_cm",
    .spec = "IEC 61158-6-10 (PROFINET IO), C706 DCE 1.1 RPC",
    .over = OVER_UDP,
    .ports = {34964},
    .state_size = sizeof(struct cm_state),
    .recognise = cm_recognise,
    .dissect = cm_dissect,
};
