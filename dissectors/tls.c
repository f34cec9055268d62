/* tls.c: the clear part of TLS: version, name asked for, certificate; then it is encrypted.
 *
 * Spec: [8446] RFC 8446 TLS 1.3, [5246] RFC 5246 TLS 1.2, [6066] RFC 6066 server name
 *
 *   | type 1 | version 2 | length 2 | ... |, big endian
 *   handshake: | message 1 | length 3 | ... |; alert: | level 1 | description 1 | */
#include "ascii.h"
#include "tls_inside.h"
#include "tls_ja3.h"
#include "x509.h"

enum {
    RECORD_HEADER = 5,
    RECORD_MAX = 16384 + 2048, /* [5246] 6.2.3 */
    CERTIFICATE = 11,
    RANDOM_SIZE = 32,
    EXTENSION_NAME = 0,
    EXTENSION_VERSIONS = 43,
    MESSAGES_MAX = 16,
    EXTENSIONS_MAX = 64,
    NAME_MAX = 120,
};

struct state {
    bool is_encrypted[2]; /* 1: from the client */
    bool is_told;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == TLS_ALERT)
        text_format(out, OT_CODE_SIZE, "type=%u,desc=%u", (unsigned)code[0], (unsigned)code[1]);
    else if (code[0] == TLS_HANDSHAKE)
        text_format(out, OT_CODE_SIZE, "type=%u,handshake=%u", (unsigned)code[0],
                    (unsigned)code[1]);
    else
        text_format(out, OT_CODE_SIZE, "type=%u", (unsigned)code[0]);
}

static const char *version_name(uint16_t version)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    return version >= 0x300 && version <= 0x304 ? names[version - 0x300] : "unknown version";
}

static struct ot_event event_as(const struct dissect *d, uint8_t type, uint8_t part)
{
    struct ot_event e = event_of(d);
    e.spell = spell;
    e.code[0] = type;
    e.code[1] = e.function = part;
    e.operation = OP_SESSION;
    return e;
}

struct record {
    uint8_t type;
    uint16_t length;
};

/* False: not a record (r not short), or too few bytes (r short). */
static bool read_record(struct reader *r, struct record *record)
{
    record->type = reader_u8(r);
    uint16_t version = reader_u16be(r);
    record->length = reader_u16be(r);
    return reader_ok(r) && record->type >= TLS_CHANGE_CIPHER && record->type <= TLS_APPLICATION &&
           version >= 0x300 && version <= 0x304 && record->length > 0 &&
           record->length <= RECORD_MAX;
}

static enum claim tls_recognise(struct reader r)
{
    struct record record;
    uint8_t first = reader_peek(&r);
    if (reader_left(&r) == 0)
        return CLAIM_MORE;
    if (first < TLS_CHANGE_CIPHER || first > TLS_APPLICATION)
        return CLAIM_NO;
    bool is_record = read_record(&r, &record);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (!is_record)
        return CLAIM_NO;
    if (record.type == TLS_APPLICATION)
        return record.length > 16 ? CLAIM_WEAK : CLAIM_NO; /* at least a tag */
    if (record.type != TLS_HANDSHAKE || record.length < 4)
        return CLAIM_NO;
    uint8_t message = reader_u8(&r);
    uint32_t size = reader_u24be(&r);
    uint16_t version = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    bool is_hello = message == TLS_CLIENT_HELLO || message == TLS_SERVER_HELLO;
    return is_hello && size >= 38 && size < RECORD_MAX && version >= 0x300 && version <= 0x303
               ? CLAIM_YES
               : CLAIM_NO;
}

static struct frame tls_frame(struct reader r)
{
    struct record record;
    size_t left = reader_left(&r);
    bool is_record = read_record(&r, &record);
    if (!reader_ok(&r))
        return frame_need(RECORD_HEADER);
    if (!is_record)
        return frame_broken("not a TLS record");
    if (record.type == TLS_APPLICATION)
        return frame_of(RECORD_HEADER); /* dissect passes over the rest */
    size_t size = RECORD_HEADER + (size_t)record.length;
    return size > left ? frame_need(size) : frame_of(size);
}

/* --- hello --- */

static struct text server_name(struct reader extension)
{
    reader_skip(&extension, 2);
    uint8_t type = reader_u8(&extension);
    uint16_t size = reader_u16be(&extension);
    struct reader name = reader_take(&extension, size);
    struct text t = ascii_of(name);
    return reader_ok(&extension) && type == 0 && t.size <= NAME_MAX && ascii_is_printable(t)
               ? t
               : (struct text){NULL, 0};
}

static void hello(struct dissect *d, uint8_t message, struct reader r)
{
    struct ot_fact fact = {.kind = FACT_HOST_NAME, .is_about_receiver = true};
    struct ot_event e = event_as(d, TLS_HANDSHAKE, message);
    bool is_client = message == TLS_CLIENT_HELLO;
    struct ot_item item = {
        .area = is_client ? "ja3" : "ja3s", .name = tls_ja3(d, is_client, r), .count = 1};
    uint16_t version = reader_u16be(&r);
    reader_skip(&r, RANDOM_SIZE);
    uint8_t session = reader_u8(&r);
    reader_skip(&r, session);
    uint16_t cipher = reader_u16be(&r); /* of the client: size of the list */
    if (message == TLS_CLIENT_HELLO) {
        reader_skip(&r, cipher);
        uint8_t compressions = reader_u8(&r);
        reader_skip(&r, compressions);
    } else {
        reader_skip(&r, 1);
    }
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "TLS hello shorter than its fields", NULL, 0);
        return;
    }
    struct reader list = {0};
    if (reader_left(&r)) {
        uint16_t all = reader_u16be(&r);
        list = reader_take(&r, all);
    }
    for (int i = 0; i < EXTENSIONS_MAX && reader_left(&list); i++) {
        uint16_t type = reader_u16be(&list);
        uint16_t size = reader_u16be(&list);
        struct reader extension = reader_take(&list, size);
        if (type == EXTENSION_NAME && message == TLS_CLIENT_HELLO)
            fact.value = server_name(extension);
        else if (type == EXTENSION_VERSIONS && message == TLS_SERVER_HELLO)
            version = reader_u16be(&extension);
        else if (type == EXTENSION_VERSIONS && reader_u8(&extension) > 0)
            while (reader_left(&extension) >= 2) {
                uint16_t offered = reader_u16be(&extension);
                version = offered <= 0x304 && offered > version ? offered : version;
            }
    }
    if (!reader_ok(&list))
        emit_violation(d, VIOLATION_LENGTH, "TLS extension longer than its hello", NULL, 0);
    e.name = message == TLS_CLIENT_HELLO ? "client_hello" : "server_hello";
    if (message == TLS_SERVER_HELLO)
        e.detail = dissect_text(d, "%s, cipher suite 0x%04x", version_name(version), cipher);
    else if (fact.value.size)
        e.detail = dissect_text(d, "%s, name %.*s", version_name(version), (int)fact.value.size,
                                fact.value.at);
    else
        e.detail = text_of(version_name(version));
    e.items = &item;
    e.item_count = e.items_total = item.name.size ? 1 : 0;
    e.facts = &fact;
    e.fact_count = fact.value.size ? 1 : 0;
    emit_event(d, &e);
}

/* --- certificate --- */

static void certificate(struct dissect *d, struct reader r)
{
    struct x509 c;
    reader_skip(&r, 3);
    uint32_t size = reader_u24be(&r);
    if (!x509_read(&c, reader_take(&r, size)))
        return; /* TLS 1.3 never shows one; what is cut is told by the record */
    struct ot_fact facts[2] = {
        {.kind = FACT_HOST_NAME, .value = c.name}
    };
    struct ot_event e = event_as(d, TLS_HANDSHAKE, CERTIFICATE);
    e.name = "certificate";
    e.detail = x509_text(d, &c);
    e.facts = facts;
    e.fact_count = c.name.size ? 1 : 0;
    if (e.detail.size) /* who vouches for whom, and how long */
        facts[e.fact_count++] = (struct ot_fact){.kind = FACT_CERTIFICATE, .value = e.detail};
    e.unit = dissect_text(d, "tls:%u", d->flow->server.port); /* a host may have many */
    emit_event(d, &e);
}

/* --- records --- */

static void handshake(struct dissect *d, struct reader r)
{
    for (int i = 0; i < MESSAGES_MAX && reader_left(&r); i++) {
        uint8_t message = reader_u8(&r);
        uint32_t size = reader_u24be(&r);
        struct reader body = reader_take(&r, size);
        if (!reader_ok(&r))
            return; /* goes on in the next record, or is encrypted */
        if (message == TLS_CLIENT_HELLO || message == TLS_SERVER_HELLO) {
            dissect_sender_is_client(d, message == TLS_CLIENT_HELLO);
            hello(d, message, body);
        } else if (message == CERTIFICATE) {
            certificate(d, body);
        }
    }
}

static void alert(struct dissect *d, struct reader r)
{
    uint8_t level = reader_u8(&r), description = reader_u8(&r);
    if (!reader_ok(&r) || reader_left(&r))
        return;
    struct ot_event e = event_as(d, TLS_ALERT, description);
    e.name = "alert";
    e.operation = level == TLS_ALERT_FATAL ? OP_ERROR : OP_SESSION;
    if (level == TLS_ALERT_FATAL)
        e.status = (struct ot_status){OT_RESULT_ERROR, description, NULL};
    emit_event(d, &e);
}

static void tls_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    struct record record;
    if (!read_record(&r, &record))
        return;
    bool *is_encrypted = &s->is_encrypted[d->is_from_client];
    if (record.type == TLS_APPLICATION) {
        if (!s->is_told) {
            struct ot_event e = event_as(d, TLS_APPLICATION, 0);
            e.name = "application_data";
            e.direction = OT_ONEWAY;
            e.flags |= OT_ENCRYPTED;
            e.detail = tls_inside(d->flow->server.port);
            emit_event(d, &e);
        }
        s->is_told = *is_encrypted = true;
        dissect_skip(d, record.length);
    } else if (record.type == TLS_CHANGE_CIPHER) {
        *is_encrypted = true;
    } else if (!*is_encrypted && record.type == TLS_HANDSHAKE) {
        handshake(d, r);
    } else if (!*is_encrypted) {
        alert(d, r);
    }
}

const struct dissector dissector_tls = {
    .name = "tls",
    .spec = "RFC 8446, RFC 5246, RFC 6066",
    .over = OVER_TCP, /* no ports: it is found at any */
    .state_size = sizeof(struct state),
    .pdu_max = RECORD_HEADER + RECORD_MAX,
    .begins_segments = true,
    .recognise = tls_recognise,
    .frame = tls_frame,
    .dissect = tls_dissect,
};
