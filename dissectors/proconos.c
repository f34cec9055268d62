/* proconos.c: the ProConOS runtime of KW-Software and Phoenix Contact, on its old port and through
 * its services (PROTOCOLS 2 and 30).
 *
 * Not published; the layout is what public captures show.
 *
 *   old:      | cc | 01 | 00 0b | command 2 | ... ; an answer to 40 02 has texts at fixed places
 *   services: | 01 00 | kind 2 | 0 2 | size of data 2 | handle 2 | method 2 | 0 2 | check 2 | data
 * |
 *
 * little endian; check is the complement of the sum of the header's words, or 0. A client asks for
 * a service by its name and gets a handle (0: there is none); then it calls methods of that handle.
 */
#include "hex_code.h"
#include "places.h"

enum {
    OLD_MARK = 0xcc,
    OLD_HEADER = 6,
    OLD_MAX = 4096,
    OLD_IDENTIFY = 0x4002,
    RUNTIME_AT = 12,
    TYPE_AT = 44,
    PROJECT_AT = 77,

    HEADER_SIZE = 16,
    HEADER_WORDS = 8,
    MARK = 1,
    HANDLES = 64,

    METHOD_START = 6, /* of the control service: the capture of a stop and a start */
    METHOD_STOP = 7,
};

enum kind { KIND_FIND, KIND_FOUND, KIND_CALL, KIND_RESULT, KIND_COUNT };

enum service {
    SERVICE_UNKNOWN,
    SERVICE_SECURITY,
    SERVICE_DEVICE,
    SERVICE_CONTROL,
    SERVICE_FILE,
    SERVICE_DATA,
};

static const char services_at[] = "Ade.Remoting.Services.";

/* Names end with a version number, or with none. */
static const struct {
    const char *begin;
    uint8_t service, operation;
    const char *name;
} services[] = {
    {"ISecurityService",         SERVICE_SECURITY, OP_AUTH,        "security"   },
    {"IDeviceInfoService",       SERVICE_DEVICE,   OP_DIAGNOSTICS, "device_info"},
    {"IProConOSControlService",  SERVICE_CONTROL,  OP_UNKNOWN,     "control"    },
    {"ISimpleFileAccessService", SERVICE_FILE,     OP_UNKNOWN,     "file_access"},
    {"IDataAccessService",       SERVICE_DATA,     OP_UNKNOWN,     "data_access"},
};

struct state {
    uint8_t asked; /* the service that was asked for last */
    uint8_t services[HANDLES];
};

struct header {
    uint16_t kind, size, handle, method;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    hex_code(out, code[0], 4);
}

/* --- the old port --- */

static const struct place places[] = {
    {RUNTIME_AT, FACT_SOFTWARE},
    {TYPE_AT,    FACT_PRODUCT },
    {PROJECT_AT, FACT_PROGRAM },
};
enum { PLACES = sizeof places / sizeof *places };

static void old_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    reader_skip(&r, 4);
    uint16_t command = reader_u16be(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "ProConOS message is cut off", pdu.at,
                       reader_left(&pdu));
        return;
    }
    struct ot_event e = event_of(d);
    struct ot_fact facts[PLACES];
    e.direction = d->is_from_client ? OT_REQUEST : OT_RESPONSE;
    e.code[0] = e.function = command;
    e.spell = spell;
    if (!d->is_from_client) {
        e.fact_count = place_facts(facts, pdu, places, PLACES);
        e.facts = facts;
        e.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    }
    if (command == OLD_IDENTIFY || e.fact_count) {
        e.name = "identify";
        e.operation = OP_IDENTIFY;
    }
    emit_event(d, &e);
}

/* --- services --- */

static struct header read_header(struct reader *r)
{
    struct header h;
    reader_skip(r, 2);
    h.kind = reader_u16le(r);
    reader_skip(r, 2);
    h.size = reader_u16le(r);
    h.handle = reader_u16le(r);
    h.method = reader_u16le(r);
    reader_skip(r, 4);
    return h;
}

/* The sum of all words with the check is all ones; a check of 0 is none. */
static bool is_check_right(struct reader r)
{
    uint32_t sum = 0;
    uint16_t word = 0;
    for (int i = 0; i < HEADER_WORDS; i++)
        sum += word = reader_u16le(&r);
    return word == 0 || (uint16_t)sum == 0xffff;
}

static bool is_header(struct reader r)
{
    if (reader_u8(&r) != MARK || reader_u8(&r) != 0 || reader_u16le(&r) >= KIND_COUNT ||
        reader_u16le(&r) != 0)
        return false;
    reader_skip(&r, 6);
    return reader_u16le(&r) == 0 && reader_ok(&r);
}

/* What follows the words that all names begin with; empty: it is none of them. */
static struct text service_name(struct reader data)
{
    size_t size = reader_left(&data), prefix = sizeof services_at - 1;
    if (size <= prefix || memcmp(data.at, services_at, prefix) != 0)
        return (struct text){NULL, 0};
    const char *at = (const char *)data.at + prefix;
    const char *end = memchr(at, 0, size - prefix);
    return (struct text){at, end ? (size_t)(end - at) : size - prefix};
}

static void find(struct state *s, struct ot_event *e, struct reader data)
{
    struct text name = service_name(data);
    e->name = "find_service";
    e->operation = OP_SESSION;
    e->detail = name;
    s->asked = SERVICE_UNKNOWN;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        size_t size = strlen(services[i].begin);
        if (name.size >= size && !memcmp(name.at, services[i].begin, size))
            s->asked = services[i].service;
    }
}

static void found(struct state *s, struct ot_event *e, uint16_t handle)
{
    e->name = "find_service";
    e->operation = OP_SESSION;
    e->status = handle ? (struct ot_status){OT_RESULT_OK, 0, "ok"}
                       : (struct ot_status){OT_RESULT_ERROR, 0, "no_such_service"};
    if (handle < HANDLES)
        s->services[handle] = s->asked;
}

static void call(const struct state *s, struct ot_event *e, const struct header *h)
{
    uint8_t service = h->handle < HANDLES ? s->services[h->handle] : SERVICE_UNKNOWN;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i].service == service) {
            e->name = services[i].name;
            e->operation = (enum operation)services[i].operation;
        }
    if (service == SERVICE_CONTROL && h->method == METHOD_START) {
        e->name = "start";
        e->operation = OP_START;
    } else if (service == SERVICE_CONTROL && h->method == METHOD_STOP) {
        e->name = "stop";
        e->operation = OP_STOP;
    }
}

static void match(struct dissect *d, struct ot_event *e, const struct header *h)
{
    uint64_t key = (uint64_t)h->handle << 16 | h->method;
    size_t size;
    if (h->kind == KIND_CALL) {
        *(uint8_t *)dissect_remember(d, key, 1, NULL) = 1;
    } else if (h->kind == KIND_RESULT) {
        e->status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
        if (!dissect_recall(d, key, &size))
            e->flags |= OT_NO_REQUEST;
    }
}

static void services_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    struct state *s = d->state;
    struct header h = read_header(&r);
    if (!reader_ok(&r) || reader_left(&r) != h.size) {
        emit_violation(d, VIOLATION_LENGTH, "ProConOS length is not the message's", pdu.at,
                       reader_left(&pdu));
        return;
    }
    if (!is_header(pdu)) {
        emit_violation(d, VIOLATION_RESERVED, "ProConOS header is not as defined", pdu.at,
                       HEADER_SIZE);
        return;
    }
    if (!is_check_right(pdu))
        emit_violation(d, VIOLATION_CHECKSUM, "ProConOS check does not match", pdu.at, HEADER_SIZE);
    bool is_request = h.kind == KIND_FIND || h.kind == KIND_CALL;
    dissect_sender_is_client(d, is_request);
    if (d->is_from_client != is_request)
        emit_violation(d, VIOLATION_DIRECTION, "ProConOS message of the other direction", pdu.at,
                       HEADER_SIZE);
    struct ot_event e = event_of(d);
    e.direction = is_request ? OT_REQUEST : OT_RESPONSE;
    e.code[0] = (uint32_t)(h.kind << 8 | (h.method & 0xff));
    e.function = h.method;
    e.spell = spell;
    if (h.kind == KIND_FIND)
        find(s, &e, r);
    else if (h.kind == KIND_FOUND)
        found(s, &e, h.handle);
    else
        call(s, &e, &h);
    match(d, &e, &h);
    emit_event(d, &e);
}

/* --- both --- */

static void proconos_dissect(struct dissect *d, struct reader r)
{
    if (reader_peek(&r) == OLD_MARK)
        old_dissect(d, r);
    else
        services_dissect(d, r);
}

/* The old port's lengths are not known: what a segment brings is a message. */
static struct frame proconos_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given && *r.at == OLD_MARK)
        return given < OLD_HEADER ? frame_need(OLD_HEADER)
                                  : frame_of(given < OLD_MAX ? given : OLD_MAX);
    if (given < HEADER_SIZE)
        return frame_need(HEADER_SIZE);
    if (!is_header(r))
        return frame_broken_as(VIOLATION_RESERVED, "ProConOS header is not as defined");
    size_t size = (size_t)HEADER_SIZE + read_header(&r).size;
    return size <= given ? frame_of(size) : frame_need(size);
}

static enum claim recognise_old(struct reader r)
{
    static const uint8_t identify[] = {OLD_MARK, 0x01, 0x00, 0x0b, 0x40, 0x02};
    size_t given = reader_left(&r);
    if (given >= sizeof identify && !memcmp(r.at, identify, sizeof identify))
        return CLAIM_YES;
    if (place_text(r, RUNTIME_AT).size && place_text(r, TYPE_AT).size)
        return CLAIM_WEAK;
    return given < OLD_HEADER ? CLAIM_MORE : CLAIM_NO;
}

static enum claim proconos_recognise(struct reader r)
{
    if (reader_peek(&r) == OLD_MARK)
        return recognise_old(r);
    if (reader_peek(&r) != MARK)
        return reader_left(&r) ? CLAIM_NO : CLAIM_MORE;
    static const uint8_t zeros[] = {1, 3, 4, 5}; /* of the header's first bytes */
    size_t given = reader_left(&r);
    for (size_t i = 0; i < sizeof zeros; i++)
        if (zeros[i] < given && r.at[zeros[i]] != 0)
            return CLAIM_NO;
    if (given < HEADER_SIZE)
        return CLAIM_MORE;
    if (!is_header(r) || !is_check_right(r))
        return CLAIM_NO;
    struct header h = read_header(&r);
    if (h.kind == KIND_FIND && reader_left(&r) >= sizeof services_at - 1)
        return service_name(r).size ? CLAIM_YES : reader_left(&r) < h.size ? CLAIM_MORE : CLAIM_NO;
    if (h.handle >= HANDLES)
        return CLAIM_NO;
    return reader_left(&r) < h.size ? CLAIM_MORE : CLAIM_WEAK;
}

const struct dissector dissector_proconos = {
    .name = "proconos",
    .spec = "public captures",
    .over = OVER_TCP,
    .ports = {20547, 41100},
    .is_bound_to_ports = true,
    .state_size = sizeof(struct state),
    .pdu_max = HEADER_SIZE + UINT16_MAX,
    .begins_segments = true,
    .recognise = proconos_recognise,
    .frame = proconos_frame,
    .dissect = proconos_dissect,
};
