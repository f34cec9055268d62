/* s7comm_plus.c: the protocol of S7-1200 and S7-1500 with their engineering tools and panels.
 *
 * Spec: PROTOCOLS 7; there is no public specification by the vendor.
 *
 *   | 0x72 1 | version 1 | size 2 | data | [0x72 | version | 0 2] |    the trailer ends a message
 *   version 1, 2: data = message; 3: | digest size 1, =32 | digest | message |
 *   fe, ff: system events and keep-alives, without a trailer
 *   message: | opcode 1 | 0 2 | function 2 | 0 2 | sequence 2 | [session 4] | flags 1 | body |
 *   notification: | 33 | body |
 *
 * New tools and controllers say InitSSL and then TLS, all of it inside COTP. */
#include "s7comm_plus.h"

#include "sensor/base/hash.h"

enum {
    PROTOCOL_ID = 0x72,
    HEADER_SIZE = 4,
    VERSION_MIN = 1,
    VERSION_MAX = 3,
    VERSION_SYSTEM_EVENT = 0xfe,
    VERSION_KEEP_ALIVE = 0xff,
    DIGEST_SIZE = 32,
    PDU_SIZE_MAX = 65535,
    TLS_CHANGE_CIPHER = 0x14, /* RFC 8446 5.1: record types */
    TLS_DATA = 0x17,
    TLS_HEADER_SIZE = 5,
    SEQUENCE_JUMP = 64, /* what a capture may lose without a word */
    TAIL_SIZE = 8,      /* hash over the part of a message that was not kept */
};

/* Grown state of a flow whose messages come in several PDUs. */
static const size_t state_sizes[] = {16384, DISSECT_GROWN_MAX};

static enum claim recognise_tls(struct reader r)
{
    uint8_t type = reader_u8(&r), major = reader_u8(&r), minor = reader_u8(&r);
    uint16_t size = reader_u16be(&r);
    if (!reader_ok(&r) || type < TLS_CHANGE_CIPHER || type > TLS_DATA || major != 3 || minor > 4 ||
        size == 0)
        return CLAIM_NO;
    return CLAIM_WEAK;
}

static bool is_opcode(uint8_t opcode)
{
    return opcode == S7PLUS_REQUEST || opcode == S7PLUS_RESPONSE || opcode == S7PLUS_RESPONSE2 ||
           opcode == S7PLUS_NOTIFICATION;
}

static enum claim s7comm_plus_recognise(struct reader r)
{
    struct reader whole = r;
    if (reader_u8(&r) != PROTOCOL_ID)
        return recognise_tls(whole);
    uint8_t version = reader_u8(&r);
    uint16_t size = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_NO;
    size_t left = reader_left(&r);
    bool is_event = version >= VERSION_SYSTEM_EVENT;
    bool is_version = version >= VERSION_MIN && version <= VERSION_MAX;
    bool is_size = size > 0 && (size == left || size + (size_t)HEADER_SIZE == left);
    return (is_event || is_version) && is_size ? CLAIM_YES : CLAIM_WEAK;
}

/* --- the code as people spell it (PROTOCOLS 0.1) --- */

static char *put_hex(char *out, uint32_t n, int digits)
{
    static const char hex[] = "0123456789abcdef";
    *out++ = '0';
    *out++ = 'x';
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        *out++ = hex[n >> shift & 15];
    return out;
}

/* code: opcode (0: none), function, version */
static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == 0) {
        memcpy(out, "ver=", 4);
        *put_hex(out + 4, code[2], 2) = '\0';
        return;
    }
    memcpy(out, "op=", 3);
    out = put_hex(out + 3, code[0], 2);
    if (code[0] != S7PLUS_NOTIFICATION) {
        memcpy(out, ",func=", 6);
        out = put_hex(out + 6, code[1], 4);
    }
    *out = '\0';
}

static void plus_event(struct ot_event *event, const struct dissect *d, struct reader whole)
{
    event_start(event, d);
    event->spell = spell;
    event->unit = d->carrier.unit;
    event->telling = whole.at;
    event->telling_size = reader_left(&whole);
}

/* --- messages --- */

/* After its session is set up a pair speaks one version; a lower one later is a downgrade. */
static void check_version(struct dissect *d, const struct s7plus_message *m,
                          const struct ot_event *event)
{
    static const uint64_t key = 0x7337706c76657273; /* "s7plvers" */
    bool is_set_up = m->session == S7PLUS_ID_SESSION_NULL || m->function == S7PLUS_SET_MULTI ||
                     m->function == S7PLUS_CREATE_OBJECT || m->function == S7PLUS_DELETE_OBJECT ||
                     m->function == S7PLUS_INIT_SSL;
    if (m->opcode != S7PLUS_REQUEST || is_set_up)
        return;
    uint8_t *greatest = dissect_pair(d, key, 1, true);
    if (!greatest)
        return;
    if (m->version < *greatest)
        emit_violation(d, VIOLATION_STATE, "protocol version is lower than before", event->telling,
                       event->telling_size);
    else
        *greatest = m->version;
}

static void check_sequence(struct dissect *d, const struct s7plus_message *m,
                           const struct ot_event *event)
{
    struct s7plus_state *s = d->state;
    uint16_t step = (uint16_t)(m->sequence - s->sequence_number);
    if (s->has_sequence_number && !d->flow->has_gap && step > SEQUENCE_JUMP &&
        (uint16_t)-step > SEQUENCE_JUMP && m->session != S7PLUS_ID_SESSION_NULL)
        emit_violation(d, VIOLATION_SEQUENCE, "sequence number jumps", event->telling,
                       event->telling_size);
    s->sequence_number = m->sequence;
    s->has_sequence_number = true;
}

static void dissect_notification(struct dissect *d, struct ot_event *event,
                                 struct s7plus_message *m, struct reader r)
{
    m->body = r;
    dissect_sender_is_client(d, false);
    event->is_from_client = d->is_from_client;
    event->direction = OT_ONEWAY;
    event->name = "notification";
    s7plus_notification_said(d, event, m);
    emit_event(d, event);
}

/* whole: the message without digest, as much as was kept of it. */
static void dissect_message(struct dissect *d, uint8_t version, struct reader whole, size_t total)
{
    struct ot_event event;
    plus_event(&event, d, whole);
    struct s7plus_message m = {.version = version, .whole = whole, .total = total};
    struct reader r = whole;
    m.opcode = reader_u8(&r);
    event.code[0] = m.opcode;
    event.code[2] = version;
    if (m.opcode == S7PLUS_NOTIFICATION) {
        dissect_notification(d, &event, &m, r);
        return;
    }
    uint16_t reserved = reader_u16be(&r);
    m.function = reader_u16be(&r);
    reserved |= reader_u16be(&r);
    m.sequence = reader_u16be(&r);
    if (m.opcode == S7PLUS_REQUEST)
        m.session = reader_u32be(&r);
    reader_skip(&r, 1); /* transport flags */
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "message is cut off", event.telling,
                       event.telling_size);
        return;
    }
    m.body = r;
    if (!is_opcode(m.opcode)) {
        emit_violation(d, VIOLATION_FUNCTION, "opcode is unknown", event.telling, 1);
        return;
    }
    if (reserved)
        emit_violation(d, VIOLATION_RESERVED, "reserved field is not 0", event.telling,
                       event.telling_size);
    event.code[1] = event.function = m.function;
    event.name = s7plus_function_name(m.function);
    event.transaction = m.sequence;
    event.has_transaction = true;
    if (!event.name)
        emit_violation(d, VIOLATION_FUNCTION, "function is unknown", event.telling,
                       event.telling_size);
    if (m.opcode == S7PLUS_REQUEST) {
        event.direction = OT_REQUEST;
        dissect_sender_is_client(d, true);
        event.is_from_client = d->is_from_client;
        check_sequence(d, &m, &event);
        check_version(d, &m, &event);
        s7plus_request_said(d, &event, &m);
    } else {
        event.direction = OT_RESPONSE;
        dissect_sender_is_client(d, false);
        event.is_from_client = d->is_from_client;
        const struct s7plus_request *request = dissect_recall(d, m.sequence, NULL);
        if (!request || request->function != m.function) {
            event.flags |= OT_NO_REQUEST;
            request = NULL;
        }
        s7plus_response_said(d, &event, &m, request);
    }
    emit_event(d, &event);
}

/* --- fragments --- */

static uint8_t *fragment_bytes(struct s7plus_state *s, bool is_from_client)
{
    return s->bytes + (is_from_client ? s->room : 0);
}

/* Makes place for so many bytes of a direction, or as many as there can be. Moves d->state. */
static void fragments_reserve(struct dissect *d, size_t size)
{
    for (size_t i = 0; i < sizeof state_sizes / sizeof *state_sizes; i++) {
        struct s7plus_state *s = d->state;
        size_t old_room = s->room, room = (state_sizes[i] - sizeof *s) / 2;
        if (size <= old_room)
            return;
        if (room <= old_room || (size > room && i + 1 < sizeof state_sizes / sizeof *state_sizes))
            continue;
        if (!dissect_grow(d, state_sizes[i]))
            return;
        s = d->state;
        memmove(s->bytes + room, s->bytes + old_room, s->fragments[1].size);
        s->room = room;
    }
}

/* Keeps the next part of a message; what does not fit is only hashed, so that two programs which
 * differ there still have different fingerprints. */
static void fragment_add(struct dissect *d, struct reader data)
{
    bool dir = d->is_from_client;
    struct s7plus_state *s = d->state;
    size_t size = reader_left(&data);
    fragments_reserve(d, s->fragments[dir].size + size + TAIL_SIZE);
    s = d->state;
    struct s7plus_fragments *f = &s->fragments[dir];
    size_t room = s->room > TAIL_SIZE ? s->room - TAIL_SIZE : 0;
    size_t kept = f->size < room ? room - f->size : 0;
    if (kept > size)
        kept = size;
    if (kept)
        memcpy(fragment_bytes(s, dir) + f->size, reader_bytes(&data, kept), kept);
    f->size += kept;
    f->total += size;
    if (reader_left(&data))
        f->rest = hash_mix_stable(f->rest, hash_stable(data.at, reader_left(&data)));
    if (f->size == 0)
        f->is_lost = true;
}

static void fragments_end(struct dissect *d)
{
    bool dir = d->is_from_client;
    struct s7plus_state *s = d->state;
    struct s7plus_fragments f = s->fragments[dir];
    s->fragments[dir] = (struct s7plus_fragments){0};
    if (f.is_lost) {
        emit_violation(d, VIOLATION_LENGTH, "message in parts is too long to follow", NULL, 0);
        return;
    }
    uint8_t *bytes = fragment_bytes(s, dir);
    if (f.total > f.size)
        for (int i = 0; i < TAIL_SIZE; i++)
            bytes[f.size++] = (uint8_t)(f.rest >> (8 * i));
    dissect_message(d, f.version, reader_of(bytes, f.size), f.total);
}

/* --- the PDU --- */

static void dissect_encrypted(struct dissect *d, struct reader r)
{
    struct s7plus_state *s = d->state;
    if (s->is_encrypted)
        return;
    s->is_encrypted = true;
    struct ot_event event;
    plus_event(&event, d, r);
    event.direction = OT_ONEWAY;
    event.operation = OP_SESSION;
    event.name = "encrypted";
    event.code[2] = reader_peek(&r);
    event.flags |= OT_ENCRYPTED;
    emit_event(d, &event);
}

static void dissect_system_event(struct dissect *d, struct reader whole, uint8_t version)
{
    struct ot_event event;
    plus_event(&event, d, whole);
    event.direction = OT_ONEWAY;
    event.operation = OP_SESSION;
    event.name = version == VERSION_KEEP_ALIVE ? "keep_alive" : "system_event";
    event.code[2] = event.function = version;
    event.flags |= OT_UNSOLICITED;
    emit_event(d, &event);
}

/* | digest size | digest |; version 3 has it always */
static void skip_digest(struct dissect *d, struct reader *data, struct reader whole)
{
    uint8_t size = reader_u8(data);
    if (size != DIGEST_SIZE)
        emit_violation(d, VIOLATION_LENGTH, "digest is not 32 bytes long", whole.at,
                       reader_left(&whole));
    reader_skip(data, size);
}

static bool is_trailer(struct dissect *d, struct reader r, uint8_t version)
{
    struct reader whole = r;
    if (!reader_left(&r))
        return false;
    bool is_good = reader_u8(&r) == PROTOCOL_ID && reader_u8(&r) == version &&
                   reader_u16be(&r) == 0 && reader_ok(&r) && !reader_left(&r);
    if (!is_good)
        emit_violation(d, VIOLATION_TRAILING, "trailer is not of this version", whole.at,
                       reader_left(&whole));
    return true;
}

static void s7comm_plus_dissect(struct dissect *d, struct reader r)
{
    struct reader whole = r;
    if (reader_u8(&r) != PROTOCOL_ID) {
        dissect_encrypted(d, whole);
        return;
    }
    uint8_t version = reader_u8(&r);
    uint16_t size = reader_u16be(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "header is cut off", whole.at, reader_left(&whole));
        return;
    }
    if (version >= VERSION_SYSTEM_EVENT) {
        dissect_system_event(d, whole, version);
        return;
    }
    if (version < VERSION_MIN || version > VERSION_MAX) {
        emit_violation(d, VIOLATION_RANGE, "version is unknown", whole.at, HEADER_SIZE);
        return;
    }
    if (size == 0 || size > reader_left(&r)) {
        emit_violation(d, VIOLATION_LENGTH,
                       size ? "data is longer than the PDU" : "data length is 0", whole.at,
                       HEADER_SIZE);
        return;
    }
    struct reader data = reader_take(&r, size);
    if (version == VERSION_MAX)
        skip_digest(d, &data, whole);
    if (!reader_ok(&data))
        return;
    bool is_end = is_trailer(d, r, version);
    struct s7plus_state *s = d->state;
    struct s7plus_fragments *f = &s->fragments[d->is_from_client];
    if (is_end && !f->is_open) { /* the usual case: nothing to copy */
        dissect_message(d, version, data, reader_left(&data));
        return;
    }
    if (!f->is_open) {
        *f = (struct s7plus_fragments){.is_open = true, .version = version};
    }
    fragment_add(d, data);
    if (is_end)
        fragments_end(d);
}

const struct dissector dissector_s7comm_plus = {
    .name = "s7comm_plus",
    .spec = "S7comm-plus (Siemens, not published)",
    .over = OVER_COTP,
    .ports = {102},
    .state_size = sizeof(struct s7plus_state),
    .pdu_max = PDU_SIZE_MAX,
    .recognise = s7comm_plus_recognise,
    .dissect = s7comm_plus_dissect,
};
