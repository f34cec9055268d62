/* cip.c: Common Industrial Protocol messages.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, 2-4: message router request and response, 3-5:
 * Connection Manager [DATA] Rockwell 1756-PM020: Logix5000 Data Access
 *
 *   request  | service 1 | path words 1 | path | data |
 *   response | service 1 with bit 7 | 0 | status 1 | extended words 1 | extended status | data |
 *
 * A message may hold others: Multiple_Service_Packet (0a) several, Unconnected_Send (52) one with a
 * route. */
#include "cip_connection.h"
#include "cip_identity.h"
#include "cip_objects.h"
#include "cip_path.h"
#include "cip_services.h"
#include "cip_status.h"
#include "cip_transfer.h"
#include "cip_types.h"

enum {
    RESPONSE_BIT = 0x80,
    NESTING_MAX = 3,    /* Unconnected_Send over two routes, Multiple_Service_Packet */
    SERVICES_MAX = 256, /* in one packet; a large connection of 4002 bytes holds fewer of use */
    ATTRIBUTES_KEPT = 16,
    ATTRIBUTES_SHOWN = 64,
    ENVELOPE_SIZE = 8, /* before the message that service 37 wraps */
    EDIT_STEP_ANNOUNCE = 6,
    REQUESTOR_SIZE = 7, /* of a PCCC body: length, vendor, serial number */

    CLASS_ASSEMBLY = 0x04,
    CLASS_CONNECTION_MANAGER = 0x06,
    CLASS_DATA = 0x6a,
    CLASS_SYMBOL = 0x6b,
    CLASS_IDENTITY = 0x01,
    SERVICE_UNCONNECTED_SEND = 0x52,
    SERVICE_PCCC = 0x4b,
};

struct state {
    struct cip_transfers transfers;
};

/* Where a message stands. */
struct place {
    uint64_t key;
    bool is_keyed;
    bool is_in_multiple;
    unsigned nesting;
    uint64_t transaction;
    struct text unit;
};

struct request {
    uint8_t service;
    const uint8_t *at;
    size_t head_size; /* service and path */
    struct cip_path path;
    struct reader data;
    const struct cip_service *row;
    enum operation operation;
    uint16_t elements;
    uint16_t attributes[ATTRIBUTES_KEPT];
    uint8_t attribute_count;
    struct text name;
    struct cip_forward_open open;
};

/* What is kept of a request until its response. */
struct asked {
    const struct cip_service *row;
    uint32_t target_class, instance, attribute;
    uint32_t ot_point, to_point, originator_serial;
    enum operation operation;
    uint16_t elements, originator_vendor;
    uint16_t attributes[ATTRIBUTES_KEPT];
    uint8_t service, attribute_count, transport_class;
    uint8_t unit_size, name_size;
    bool is_tag, ot_is_variable, to_is_variable;
    char text[]; /* unit, then name */
};

enum { ASKED_TEXT_MAX = REMEMBER_MAX - sizeof(struct asked), UNIT_KEPT = 64 };

static void message(struct dissect *d, struct reader r, const struct place *place);

static void spell_request(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[1] == CIP_CLASS_SYMBOL)
        text_format(out, OT_CODE_SIZE, "service=0x%02x,class=symbol", code[0]);
    else if (code[1] == CIP_CLASS_NONE)
        text_format(out, OT_CODE_SIZE, "service=0x%02x,class=none", code[0]);
    else
        text_format(out, OT_CODE_SIZE, "service=0x%02x,class=0x%02x", code[0], code[1]);
}

static void spell_response(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "service=0x%02x", code[0]);
}

static enum cip_body body_of(const struct cip_service *row)
{
    return row ? row->body : BODY_NONE;
}

static bool is_connection(enum cip_body body)
{
    return body == BODY_FORWARD_OPEN || body == BODY_LARGE_FORWARD_OPEN ||
           body == BODY_FORWARD_CLOSE;
}

static bool is_tag(uint32_t class_id, const struct cip_service *row)
{
    if (class_id == CIP_CLASS_SYMBOL)
        return true;
    return (class_id == CLASS_SYMBOL || class_id == CLASS_DATA) && row &&
           row->body >= BODY_READ_TAG && row->body <= BODY_MODIFY_TAG;
}

static void event_at(struct ot_event *e, const struct dissect *d, const struct place *place)
{
    event_start(e, d);
    e->transaction = place->transaction;
    e->has_transaction = place->is_keyed;
    e->unit = place->unit;
}

/* --- values --- */

/* Attributes do not say their type: small ones are shown as numbers, CIP being little endian. */
static struct ot_values attribute_values(uint32_t class_id, struct reader r)
{
    size_t size = reader_left(&r);
    struct ot_values v = {VALUES_BYTES, size ? 1 : 0, r.at, size};
    if (size == 0)
        return (struct ot_values){.encoding = VALUES_NONE};
    if (class_id == CLASS_ASSEMBLY)
        return v;
    if (size == 1)
        v.encoding = VALUES_U8;
    else if (size == 2)
        v.encoding = VALUES_U16LE;
    else if (size == 4)
        v.encoding = VALUES_U32LE;
    else if (size == 8)
        v.encoding = VALUES_U64LE;
    return v;
}

static struct ot_values opaque_values(struct reader r)
{
    size_t size = reader_left(&r);
    return (struct ot_values){size ? VALUES_BYTES : VALUES_NONE, size ? 1 : 0, r.at, size};
}

/* --- bodies of requests: each fills in the item --- */

static void check_elements(struct dissect *d, const struct cip_type *type, uint32_t count,
                           const struct reader *r)
{
    if (type->size && (uint64_t)count * type->size > reader_left(r))
        emit_violation(d, VIOLATION_COUNT, "tag data is shorter than its element count", r->at,
                       reader_left(r));
    else if (count == 0)
        emit_violation(d, VIOLATION_COUNT, "write of no elements", r->at, reader_left(r));
}

/* [DATA] type 2, structure handle 2, elements 2, offset 4 when in fragments, values */
static void write_tag(struct dissect *d, struct request *q, struct ot_item *item, bool is_fragment)
{
    struct reader r = q->data;
    struct cip_type type = cip_type_read(&r);
    q->elements = reader_u16le(&r);
    if (is_fragment)
        reader_skip(&r, 4);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "tag write is too short", q->at, q->head_size);
        return;
    }
    if (!is_fragment)
        check_elements(d, &type, q->elements, &r);
    if (type.size && (uint64_t)q->elements * type.size < reader_left(&r))
        r = reader_take(&r, (size_t)q->elements * type.size);
    item->type = type.name;
    item->count = q->elements;
    item->values = cip_values(&type, r);
}

static void read_tag(struct dissect *d, struct request *q, struct ot_item *item, bool is_fragment)
{
    struct reader r = q->data;
    q->elements = reader_u16le(&r);
    if (is_fragment)
        reader_skip(&r, 4);
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_LENGTH, "tag read is too short", q->at, q->head_size);
    item->count = q->elements;
}

/* [DATA] mask size 2, OR mask, AND mask */
static void modify_tag(struct dissect *d, struct request *q, struct ot_item *item)
{
    struct reader r = q->data;
    size_t size = reader_u16le(&r);
    struct reader masks = reader_take(&r, size * 2);
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_LENGTH, "masks run past the end of the message", q->at,
                       q->head_size);
    else
        item->values = opaque_values(masks);
    item->count = 1;
}

static const char *reset_words(struct reader r)
{
    if (reader_left(&r) == 0)
        return "power cycle"; /* [CIP1] 5-2.2.1: type 0 when left out */
    switch (reader_u8(&r)) {
    case 0:
        return "power cycle";
    case 1:
        return "factory defaults";
    case 2:
        return "factory defaults, keeping communication parameters";
    default:
        return "vendor specific reset";
    }
}

/* Items for a list of attributes: the same object, one attribute each. */
static void attribute_items(struct dissect *d, const struct ot_item *base, uint32_t class_id,
                            uint32_t instance, const uint16_t *attributes, uint32_t count,
                            struct ot_event *e)
{
    uint32_t room = count < ATTRIBUTES_SHOWN ? count : ATTRIBUTES_SHOWN;
    struct ot_item *items = dissect_items_unset(d, &room);
    for (uint32_t i = 0; i < room; i++) {
        items[i] = *base;
        items[i].name = cip_attribute_name(d, class_id, instance, attributes[i]);
        items[i].count = 1;
    }
    e->items = items;
    e->item_count = room;
}

/* count 2, then attributes of 2 */
static bool get_list(struct dissect *d, struct request *q, const struct ot_item *base,
                     struct ot_event *e)
{
    struct reader r = q->data;
    uint32_t count = reader_u16le(&r);
    if (!reader_ok(&r) || (size_t)count * 2 > reader_left(&r)) {
        emit_violation(d, VIOLATION_COUNT, "attribute list is shorter than its count", q->at,
                       q->head_size);
        return false;
    }
    for (uint32_t i = 0; i < count && i < ATTRIBUTES_KEPT; i++)
        q->attributes[q->attribute_count++] = reader_u16le(&r);
    if (count == 0)
        return false;
    attribute_items(d, base, q->path.target_class, q->path.instance, q->attributes,
                    q->attribute_count, e);
    e->items_total = count;
    return true;
}

/* count 2, then attribute 2 and a value whose size only the object knows: the first is told */
/* [CIP8] Volume 8, EtherNet/IP Security: pre-shared keys are never shown. */
enum { CLASS_ETHERNET_SECURITY = 0x5e, PRE_SHARED_KEYS = 5 };

static bool is_key(uint32_t class_id, uint32_t attribute)
{
    return class_id == CLASS_ETHERNET_SECURITY && attribute == PRE_SHARED_KEYS;
}

static void hide(struct ot_event *e, struct ot_item *item, struct reader secret)
{
    item->values = (struct ot_values){.encoding = VALUES_NONE};
    e->flags |= OT_HAS_CREDENTIAL;
    e->secret_size = reader_left(&secret);
    e->secret = e->secret_size ? secret.at : NULL;
}

static void set_list(struct dissect *d, struct request *q, struct ot_item *item, struct ot_event *e)
{
    struct reader r = q->data;
    uint32_t count = reader_u16le(&r);
    if (reader_ok(&r) && count == 0)
        return; /* seen in program downloads */
    uint16_t attribute = reader_u16le(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_COUNT, "attribute list is shorter than its count", q->at,
                       q->head_size);
        return;
    }
    q->attributes[q->attribute_count++] = attribute;
    item->name = cip_attribute_name(d, q->path.target_class, q->path.instance, attribute);
    item->values = count == 1 ? attribute_values(q->path.target_class, r) : opaque_values(r);
    e->items_total = count;
    e->operation = cip_set_operation(q->path.target_class, attribute, e->operation);
    e->detail = cip_object_setting(d, q->path.target_class, attribute, r);
    /* of several attributes the further ones are not told apart */
    if (is_key(q->path.target_class, count > 1 ? PRE_SHARED_KEYS : attribute))
        hide(e, item, r);
}

static void set_single(struct dissect *d, struct request *q, struct ot_item *item,
                       struct ot_event *e)
{
    item->values = attribute_values(q->path.target_class, q->data);
    if (!q->path.has_attribute)
        return;
    e->operation = cip_set_operation(q->path.target_class, q->path.attribute, e->operation);
    e->detail = cip_object_setting(d, q->path.target_class, q->path.attribute, q->data);
    if (is_key(q->path.target_class, q->path.attribute))
        hide(e, item, q->data);
}

static void forward_open(struct dissect *d, struct request *q, struct ot_item *item,
                         struct ot_event *e, bool is_large)
{
    struct reader r = q->data;
    struct cip_path path;
    if (!cip_forward_open_read(&r, is_large, &q->open)) {
        emit_violation(d, VIOLATION_LENGTH, "Forward_Open is too short", q->at, q->head_size);
        return;
    }
    const char *why = cip_path_read(q->open.path, &path);
    if (why)
        emit_violation(d, VIOLATION_ENCODING, why, q->open.path.at, reader_left(&q->open.path));
    e->unit = cip_route_text(d, path.route);
    bool is_cyclic = cip_forward_open_is_cyclic(&q->open);
    if (is_cyclic)
        e->operation = OP_SUBSCRIBE;
    item->area = "connection";
    item->name = cip_path_name(d, &path);
    e->detail = dissect_text(d, "%s connection every %u.%03u ms, originator %04x:%08x",
                             is_cyclic ? "I/O" : "message", q->open.ot_interval_us / 1000,
                             q->open.ot_interval_us % 1000, q->open.originator_vendor,
                             q->open.originator_serial);
}

static void forward_close(struct dissect *d, struct request *q, struct ot_item *item,
                          struct ot_event *e)
{
    struct reader r = q->data;
    struct cip_path path;
    if (!cip_forward_close_read(&r, &q->open)) {
        emit_violation(d, VIOLATION_LENGTH, "Forward_Close is too short", q->at, q->head_size);
        return;
    }
    (void)cip_path_read(q->open.path, &path);
    e->unit = cip_route_text(d, path.route);
    item->area = "connection";
    item->name = cip_path_name(d, &path);
}

/* --- requests --- */

/* Reads service and path, all else being empty. False: the path is not there; told. */
static bool head_read(struct dissect *d, struct reader *r, struct request *q)
{
    size_t size = reader_left(r);
    q->at = r->at;
    q->elements = 0;
    q->attribute_count = 0;
    q->name = (struct text){NULL, 0};
    q->open = (struct cip_forward_open){0};
    q->service = reader_u8(r);
    size_t words = reader_u8(r);
    struct reader path = reader_take(r, words * 2);
    if (!reader_ok(r)) {
        emit_violation(d, VIOLATION_LENGTH, "path runs past the end of the message", q->at, size);
        return false;
    }
    q->head_size = (size_t)(r->at - q->at);
    const char *why = cip_path_read(path, &q->path);
    if (why)
        emit_violation(d, VIOLATION_ENCODING, why, path.at, words * 2);
    q->data = *r;
    q->row = cip_service_find(q->path.target_class, q->service);
    q->operation = q->row ? q->row->operation : OP_UNKNOWN;
    return true;
}

/* The Logix wrappers 36, 37 and 3a: the operation and the object are those of the message inside.
 */
static void unwrap(struct dissect *d, struct request *q, bool is_signed)
{
    struct request inner;
    struct reader r = q->data;
    if (is_signed)
        reader_skip(&r, ENVELOPE_SIZE);
    if (reader_left(&r) == 0 || !head_read(d, &r, &inner))
        return;
    enum cip_body body = body_of(inner.row);
    if (body == BODY_WRAPPED || body == BODY_WRAPPED_SIGNED)
        return;
    q->path.is_plain = false; /* its bytes still spell the wrapper */
    q->path.target_class = inner.path.target_class;
    q->path.instance = inner.path.instance;
    q->path.attribute = inner.path.attribute;
    q->path.has_attribute = inner.path.has_attribute;
    q->operation = inner.operation;
    q->name = cip_path_name(d, &inner.path);
}

static void remember(struct dissect *d, const struct request *q, const struct ot_event *e,
                     const struct place *place)
{
    if (!place->is_keyed)
        return;
    size_t unit = e->unit.size < UNIT_KEPT ? e->unit.size : UNIT_KEPT;
    size_t room = ASKED_TEXT_MAX - unit;
    if (room > UINT8_MAX)
        room = UINT8_MAX;
    size_t name = q->name.size < room ? q->name.size : room;
    struct asked *a = dissect_remember(d, place->key, sizeof *a + unit + name, NULL);
    a->row = q->row;
    a->target_class = q->path.target_class;
    a->instance = q->path.instance;
    a->attribute = q->path.has_attribute ? q->path.attribute : 0;
    a->operation = e->operation;
    a->elements = q->elements;
    memcpy(a->attributes, q->attributes, q->attribute_count * sizeof *a->attributes);
    a->service = q->service;
    a->attribute_count = q->attribute_count;
    a->transport_class = q->open.transport_class;
    a->originator_serial = q->open.originator_serial;
    a->originator_vendor = q->open.originator_vendor;
    a->ot_is_variable = q->open.ot_is_variable;
    a->to_is_variable = q->open.to_is_variable;
    if (reader_left(&q->open.path))
        cip_forward_open_points(&q->open, &a->ot_point, &a->to_point);
    a->is_tag = is_tag(q->path.target_class, q->row);
    a->unit_size = (uint8_t)unit;
    a->name_size = (uint8_t)name;
    if (unit)
        memcpy(a->text, e->unit.at, unit);
    if (name)
        memcpy(a->text + unit, q->name.at, name);
}

/* Several services in one message: count 2, offsets of 2 counted from the count. */
static void multiple(struct dissect *d, const struct request *q, const struct place *place)
{
    struct reader table = q->data;
    size_t size = reader_left(&q->data);
    uint32_t count = reader_u16le(&table);
    size_t head = 2 + (size_t)count * 2;
    if (place->is_in_multiple) {
        emit_violation(d, VIOLATION_STATE, "multiple service packet inside another", q->at,
                       q->head_size);
        return;
    }
    if (!reader_ok(&table) || count == 0 || head > size) {
        emit_violation(d, VIOLATION_COUNT, "service count is not that of the packet", q->at,
                       q->head_size);
        return;
    }
    if (count > SERVICES_MAX)
        emit_violation(d, VIOLATION_COUNT, "more services than a packet can use", q->at,
                       q->head_size);
    size_t offset = reader_u16le(&table);
    struct place inner = *place;
    inner.is_in_multiple = true;
    inner.nesting++;
    for (uint32_t i = 0; i < count && i < SERVICES_MAX; i++) {
        size_t next = i + 1 < count ? reader_u16le(&table) : size;
        if (offset < head || offset >= next || next > size) {
            emit_violation(d, VIOLATION_RANGE, "service offsets do not rise inside the packet",
                           q->data.at, head);
            return;
        }
        inner.key = hash_mix(place->key, i + 1);
        message(d, reader_of(q->data.at + offset, next - offset), &inner);
        offset = next;
    }
}

/* priority 1, ticks 1, size 2, message, pad to even, route words 1, reserved 1, route */
static bool unconnected_read(struct request *q, struct reader *inner, struct reader *route)
{
    struct reader r = q->data;
    reader_skip(&r, 2);
    size_t size = reader_u16le(&r);
    *inner = reader_take(&r, size);
    if (!reader_ok(&r))
        return false;
    if (size % 2 != 0)
        reader_skip(&r, 1);
    size_t words = reader_u8(&r);
    reader_skip(&r, 1);
    *route = reader_take(&r, words * 2);
    if (!reader_ok(&r)) /* some clients leave the route out */
        *route = reader_of(r.at, 0);
    return true;
}

/* What lies behind a route has a longer one. */
static struct text route_beyond(struct dissect *d, struct text so_far, struct reader route)
{
    struct text next = cip_route_text(d, route);
    if (!so_far.size || !next.size)
        return next.size ? next : so_far;
    return dissect_text(d, "%.*s/%.*s", (int)so_far.size, so_far.at, (int)next.size, next.at);
}

static void unconnected_send(struct dissect *d, struct request *q, const struct place *place,
                             struct ot_event *e)
{
    struct reader inner, route;
    struct place inside = *place;
    if (!unconnected_read(q, &inner, &route)) {
        emit_event(d, e);
        emit_violation(d, VIOLATION_LENGTH, "embedded message runs past the end of the message",
                       q->at, q->head_size);
        return;
    }
    e->unit = inside.unit = route_beyond(d, place->unit, route);
    if (reader_left(&inner))
        e->flags |= OT_CARRIER;
    emit_event(d, e);
    inside.nesting++;
    if (inside.nesting > NESTING_MAX || place->is_in_multiple)
        emit_violation(d, VIOLATION_STATE, "messages nested too deep", q->at, q->head_size);
    if (inside.nesting <= NESTING_MAX && reader_left(&inner))
        message(d, inner, &inside);
}

/* Step 6 comes before every change of mode and every lock and edits nothing; between stop and start
 * of a download the steps belong to it. Seen in captures of a ControlLogix. */
static enum operation edit_step_operation(const struct state *state, struct reader r,
                                          enum operation otherwise)
{
    uint16_t step = reader_u16le(&r);
    if (reader_ok(&r) && step == EDIT_STEP_ANNOUNCE)
        return OP_SESSION;
    return cip_transfer_is_download(&state->transfers) ? OP_PROGRAM_DOWNLOAD : otherwise;
}

static void request_body(struct dissect *d, struct request *q, struct ot_item *item,
                         struct ot_event *e)
{
    switch (body_of(q->row)) {
    case BODY_READ_TAG:
        read_tag(d, q, item, false);
        break;
    case BODY_READ_TAG_FRAGMENTED:
        read_tag(d, q, item, true);
        break;
    case BODY_WRITE_TAG:
        write_tag(d, q, item, false);
        break;
    case BODY_WRITE_TAG_FRAGMENTED:
        write_tag(d, q, item, true);
        break;
    case BODY_MODIFY_TAG:
        modify_tag(d, q, item);
        break;
    case BODY_SET_SINGLE:
        set_single(d, q, item, e);
        break;
    case BODY_SET_LIST:
        set_list(d, q, item, e);
        break;
    case BODY_BYTES:
        item->values = opaque_values(q->data);
        break;
    case BODY_RESET:
        if (q->path.target_class == CLASS_IDENTITY)
            e->detail = text_of(reset_words(q->data));
        break;
    case BODY_EDIT_STEP:
        item->values = opaque_values(q->data);
        e->operation = edit_step_operation(d->state, q->data, e->operation);
        break;
    case BODY_CREDENTIAL:
        e->flags |= OT_HAS_CREDENTIAL;
        e->secret_size = reader_left(&q->data);
        e->secret = e->secret_size ? q->data.at : NULL;
        break;
    case BODY_FORWARD_OPEN:
    case BODY_LARGE_FORWARD_OPEN:
        forward_open(d, q, item, e, q->row->body == BODY_LARGE_FORWARD_OPEN);
        break;
    case BODY_FORWARD_CLOSE:
        forward_close(d, q, item, e);
        break;
    default:
        break;
    }
}

/* The object that is meant, and what is done to it. */
static void request_item(struct dissect *d, struct request *q, struct ot_event *e)
{
    uint32_t room = 1;
    struct ot_item *item = dissect_items_unset(d, &room), none;
    if (room == 0)
        item = &none;
    if (!q->name.size)
        q->name = cip_path_name(d, &q->path);
    *item = (struct ot_item){
        .area = is_tag(q->path.target_class, q->row) ? "tag" : "attribute",
        .name = q->name,
        .count = 1,
    };
    bool has_items = false;
    if (body_of(q->row) == BODY_GET_LIST)
        has_items = get_list(d, q, item, e);
    else
        request_body(d, q, item, e);
    if (is_connection(body_of(q->row))) /* the connection's path, not the Connection Manager's */
        q->name = item->name;
    if (!has_items && room && item->name.size) {
        e->items = item;
        e->item_count = 1;
        if (e->items_total == 0)
            e->items_total = 1;
    }
}

static void request(struct dissect *d, struct reader r, const struct place *place)
{
    struct state *state = d->state;
    struct request q;
    if (!head_read(d, &r, &q))
        return;
    enum cip_body body = body_of(q.row);
    if (body == BODY_WRAPPED || body == BODY_WRAPPED_SIGNED)
        unwrap(d, &q, body == BODY_WRAPPED_SIGNED);
    struct ot_event e;
    event_at(&e, d, place);
    e.direction = OT_REQUEST;
    e.operation = q.operation;
    e.code[0] = e.function = q.service;
    e.code[1] = q.path.class_id;
    e.spell = spell_request;
    e.name = q.row ? q.row->name : NULL;
    e.telling = q.at;
    e.telling_size = q.head_size;
    if (body == BODY_UNCONNECTED_SEND) { /* its answer is that of the message inside */
        unconnected_send(d, &q, place, &e);
        return;
    }

    bool is_container = body == BODY_MULTIPLE || body == BODY_PCCC;
    if (!is_container)
        request_item(d, &q, &e);
    e.transfer =
        cip_transfer_request(&state->transfers, q.path.target_class, q.service, q.row, q.data);
    if (e.operation >= OP_WRITE && e.detail.size == 0 && q.path.class_count)
        e.detail = text_of(cip_class_name(q.path.target_class));
    if (is_container && reader_left(&q.data))
        e.flags |= OT_CARRIER;
    remember(d, &q, &e, place);
    emit_event(d, &e);

    if (body == BODY_MULTIPLE)
        multiple(d, &q, place);
    else if (body == BODY_PCCC && reader_left(&q.data)) {
        struct carrier carrier = {place->key, e.unit, false, place->is_keyed, place->transaction};
        (void)dissect_over(d, OVER_CIP, q.data, &carrier);
    }
}

/* --- responses --- */

struct response {
    uint8_t service, status;
    uint16_t extended;
    struct reader data;
    const uint8_t *at;
};

static bool response_read(struct dissect *d, struct reader *r, struct response *p)
{
    *p = (struct response){.at = r->at};
    size_t size = reader_left(r);
    p->service = reader_u8(r) & (uint8_t)~RESPONSE_BIT;
    uint8_t reserved = reader_u8(r);
    p->status = reader_u8(r);
    size_t words = reader_u8(r);
    struct reader extended = reader_take(r, words * 2);
    if (!reader_ok(r)) {
        emit_violation(d, VIOLATION_LENGTH, "response is shorter than its status", p->at, size);
        return false;
    }
    if (reserved != 0)
        emit_violation(d, VIOLATION_RESERVED, "reserved byte of the response is not 0", p->at + 1,
                       1);
    p->extended = reader_left(&extended) ? reader_u16le(&extended) : 0;
    p->data = *r;
    return true;
}

static void connection_opened(struct dissect *d, const struct asked *a, struct reader r)
{
    struct cip_connection ot = {.originator_serial = a->originator_serial,
                                .originator_vendor = a->originator_vendor,
                                .transport_class = a->transport_class};
    ot.id = reader_u32le(&r);
    uint32_t to_id = reader_u32le(&r);
    reader_skip(&r, 8); /* serial numbers */
    ot.interval_us = reader_u32le(&r);
    uint32_t to_interval = reader_u32le(&r);
    if (!reader_ok(&r))
        return;
    ot.route_size = a->unit_size < CIP_ROUTE_KEPT ? a->unit_size : CIP_ROUTE_KEPT;
    memcpy(ot.route, a->text, ot.route_size);
    struct cip_connection to = ot;
    ot.is_to_target = true;
    ot.other_id = to_id;
    to.other_id = ot.id;
    ot.point = a->ot_point;
    ot.is_variable = a->ot_is_variable;
    to.id = to_id;
    to.interval_us = to_interval;
    to.point = a->to_point;
    to.is_variable = a->to_is_variable;
    cip_connection_learn(d, &ot);
    cip_connection_learn(d, &to);
}

/* Answers of several services: the layout of the request, a response in each place. */
static void multiple_response(struct dissect *d, const struct response *p,
                              const struct place *place)
{
    struct request q = {.at = p->at, .head_size = 4, .data = p->data};
    multiple(d, &q, place);
}

static void response_values(const struct asked *a, const struct response *p, struct ot_item *item)
{
    struct reader r = p->data;
    struct cip_type type;
    switch (body_of(a->row)) {
    case BODY_READ_TAG:
    case BODY_READ_TAG_FRAGMENTED:
        type = cip_type_read(&r);
        if (reader_ok(&r)) {
            item->type = type.name;
            item->values = cip_values(&type, r);
            if (item->values.count > a->elements && a->elements && type.size) {
                item->values.count = a->elements; /* 4-byte padding of some gateways */
                item->values.size = (size_t)a->elements * type.size;
            }
        }
        break;
    case BODY_GET_SINGLE:
        item->values = attribute_values(a->target_class, r);
        break;
    default:
        break;
    }
}

/* [CIP1]: count 2, then attribute 2, status 2, and the value when the status is 0 */
static void list_facts(struct dissect *d, const struct asked *a, struct reader r,
                       struct ot_event *e)
{
    struct cip_identity identity = {0};
    uint32_t count = reader_u16le(&r);
    for (uint32_t i = 0; i < count && reader_left(&r); i++) {
        uint16_t attribute = reader_u16le(&r);
        uint16_t status = reader_u16le(&r);
        if (a->target_class != CLASS_IDENTITY) { /* only the first value's place is known */
            if (reader_ok(&r) && status == 0 && count == 1)
                cip_object_facts(d, a->target_class, attribute, r, e);
            return;
        }
        if (!reader_ok(&r) || (status == 0 && !cip_identity_read(&r, attribute, &identity)))
            break;
    }
    cip_identity_facts(d, &identity, e);
}

/* The one attribute that was asked for: its value is the rest. */
static void list_value(const struct asked *a, struct reader r, struct ot_event *e,
                       struct ot_item *items)
{
    uint32_t count = reader_u16le(&r);
    reader_skip(&r, 2);
    uint16_t status = reader_u16le(&r);
    if (!reader_ok(&r) || count != 1 || e->item_count != 1)
        return;
    if (status == 0)
        items[0].values = attribute_values(a->target_class, r);
    else
        items[0].status =
            (struct ot_status){OT_RESULT_ERROR, status & 0xff, cip_status_name((uint8_t)status, 0)};
}

static void response_items(struct dissect *d, const struct asked *a, const struct response *p,
                           bool is_ok, struct ot_event *e)
{
    enum cip_body body = body_of(a->row);
    if (body == BODY_MULTIPLE || body == BODY_PCCC || !a->name_size)
        return;
    uint32_t room = body == BODY_GET_LIST && a->attribute_count ? a->attribute_count : 1;
    uint32_t wanted = room;
    struct ot_item *items = dissect_items_unset(d, &room);
    for (uint32_t i = 0; i < room; i++) {
        items[i] = (struct ot_item){
            .area = a->is_tag             ? "tag"
                    : is_connection(body) ? "connection"
                                          : "attribute",
            .count = a->elements ? a->elements : 1,
            .name = {a->text + a->unit_size, a->name_size},
        };
        if (a->attribute_count)
            items[i].name = cip_attribute_name(d, a->target_class, a->instance, a->attributes[i]);
    }
    e->items = items;
    e->item_count = room;
    e->items_total = wanted;
    if (!is_ok || room == 0)
        return;
    if (body == BODY_GET_LIST)
        list_value(a, p->data, e, items);
    else
        response_values(a, p, items);
}

static void response_facts(struct dissect *d, const struct asked *a, const struct response *p,
                           struct ot_event *e)
{
    if (a->service == 0x01)
        cip_object_facts(d, a->target_class, 0, p->data, e);
    else if (body_of(a->row) == BODY_GET_SINGLE && a->attribute)
        cip_object_facts(d, a->target_class, a->attribute, p->data, e);
    else if (body_of(a->row) == BODY_GET_LIST)
        list_facts(d, a, p->data, e);
}

static bool is_pccc(const struct asked *a, const struct response *p)
{
    if (a)
        return body_of(a->row) == BODY_PCCC;
    return p->service == SERVICE_PCCC && reader_peek(&p->data) == REQUESTOR_SIZE;
}

static void response_of(struct dissect *d, const struct asked *a, const struct response *p,
                        bool is_ok, struct ot_event *e)
{
    struct state *state = d->state;
    e->operation = a->operation;
    if (a->unit_size)
        e->unit = (struct text){a->text, a->unit_size};
    response_items(d, a, p, is_ok, e);
    if (is_ok)
        response_facts(d, a, p, e);
    if (is_ok &&
        (body_of(a->row) == BODY_FORWARD_OPEN || body_of(a->row) == BODY_LARGE_FORWARD_OPEN))
        connection_opened(d, a, p->data);
    if (body_of(a->row) == BODY_CREDENTIAL && reader_left(&p->data)) {
        e->flags |= OT_HAS_CREDENTIAL;
        e->secret = p->data.at;
        e->secret_size = reader_left(&p->data);
    }
    e->transfer = cip_transfer_response(&state->transfers, a->row, !is_ok, p->data);
}

static void response(struct dissect *d, struct reader r, const struct place *place)
{
    struct response p;
    if (!response_read(d, &r, &p))
        return;
    size_t kept = 0;
    const struct asked *a = place->is_keyed ? dissect_recall(d, place->key, &kept) : NULL;
    bool is_route_error = p.service == SERVICE_UNCONNECTED_SEND && p.status != CIP_STATUS_OK;
    if (a && a->service != p.service && !is_route_error)
        a = NULL;
    bool is_ok = p.status == CIP_STATUS_OK || p.status == CIP_STATUS_PARTIAL;
    const struct cip_service *row = a && a->service == p.service ? a->row
                                    : is_route_error
                                        ? cip_service_find(CLASS_CONNECTION_MANAGER, p.service)
                                        : cip_service_find(CIP_CLASS_NONE, p.service);
    struct ot_event e;
    event_at(&e, d, place);
    e.direction = OT_RESPONSE;
    e.code[0] = e.function = p.service;
    e.spell = spell_response;
    e.name = row ? row->name : NULL;
    e.operation = row ? row->operation : OP_UNKNOWN;
    e.status.result = is_ok ? OT_RESULT_OK : OT_RESULT_ERROR;
    e.status.code = p.status;
    e.status.name = cip_status_name(p.status, p.extended);
    e.telling = p.at;
    e.telling_size = 4;
    if (a)
        response_of(d, a, &p, is_ok, &e);
    else if (place->is_keyed)
        e.flags |= OT_NO_REQUEST;
    bool is_multiple = a ? body_of(a->row) == BODY_MULTIPLE : row && row->body == BODY_MULTIPLE;
    bool carries_several =
        is_multiple && (is_ok || p.status == CIP_STATUS_EMBEDDED) && reader_left(&p.data);
    bool carries_pccc = is_pccc(a, &p) && reader_left(&p.data);
    if (carries_several || carries_pccc)
        e.flags |= OT_CARRIER;
    emit_event(d, &e);

    if (carries_several) {
        struct place inside = *place;
        inside.unit = e.unit;
        multiple_response(d, &p, &inside);
    } else if (carries_pccc) {
        struct carrier carrier = {place->key, e.unit, true, place->is_keyed, place->transaction};
        (void)dissect_over(d, OVER_CIP, p.data, &carrier);
    }
}

static void message(struct dissect *d, struct reader r, const struct place *place)
{
    if (reader_left(&r) == 0)
        return;
    if (reader_peek(&r) & RESPONSE_BIT)
        response(d, r, place);
    else
        request(d, r, place);
}

/* The data item of a message is CIP and nothing else; what is wrong with it is told, not passed on.
 */
static enum claim cip_recognise(struct reader r)
{
    return reader_left(&r) ? CLAIM_YES : CLAIM_MORE;
}

static void cip_dissect(struct dissect *d, struct reader r)
{
    struct place place = {
        .key = d->carrier.key,
        .is_keyed = d->carrier.is_keyed,
        .transaction = d->carrier.transaction,
        .unit = d->carrier.unit,
    };
    message(d, r, &place);
}

const struct dissector dissector_cip = {
    .name = "cip",
    .spec = "The CIP Networks Library, Volume 1: Common Industrial Protocol",
    .over = OVER_ENIP,
    .state_size = sizeof(struct state),
    .recognise = cip_recognise,
    .dissect = cip_dissect,
};
