/* dtls.c: TLS in datagrams, as CIP Security uses it: version and handshake, then it is encrypted.
 *
 * Spec: [6347] RFC 6347 DTLS 1.2
 *
 *   record:    | type 1 | version 2 | epoch 2 | sequence 6 | length 2 | ... |, big endian
 *   handshake: | message 1 | length 3 | number 2 | fragment's offset 3 | its length 3 | ... |
 *
 * A datagram has one record or several. What an epoch above 0 says is encrypted. */
#include "dissector.h"
#include "tls_inside.h"

enum {
    RECORD_HEADER = 13,
    RECORD_MAX = 16384 + 2048, /* [6347] 4.1 */
    HELLO_VERIFY = 3,
    HANDSHAKE_HEADER = 12,
    DTLS_1_0 = 0xfeff,
    DTLS_1_2 = 0xfefd,
    ALERT_SIZE = 2,
};

struct state {
    bool is_told;
};

struct record {
    uint8_t type;
    uint16_t version, epoch;
    struct reader body;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    const char *part = code[0] == TLS_HANDSHAKE ? ",handshake="
                       : code[0] == TLS_ALERT   ? ",desc="
                                                : NULL;
    if (part)
        text_format(out, OT_CODE_SIZE, "type=%u%s%u", (unsigned)code[0], part, (unsigned)code[1]);
    else
        text_format(out, OT_CODE_SIZE, "type=%u", (unsigned)code[0]);
}

/* False: no record, or one that goes beyond the datagram. */
static bool read_record(struct reader *r, struct record *record)
{
    record->type = reader_u8(r);
    record->version = reader_u16be(r);
    record->epoch = reader_u16be(r);
    reader_skip(r, 6); /* sequence number */
    uint16_t length = reader_u16be(r);
    record->body = reader_take(r, length);
    return reader_ok(r) && record->type >= TLS_CHANGE_CIPHER && record->type <= TLS_APPLICATION &&
           (record->version == DTLS_1_0 || record->version == DTLS_1_2) && length > 0 &&
           length <= RECORD_MAX;
}

static const char *message_name(uint8_t message)
{
    switch (message) {
    case TLS_CLIENT_HELLO:
        return "client_hello";
    case TLS_SERVER_HELLO:
        return "server_hello";
    case HELLO_VERIFY:
        return "hello_verify_request";
    default:
        return NULL;
    }
}

static enum claim dtls_recognise(struct reader r)
{
    struct record record;
    if (!read_record(&r, &record))
        return CLAIM_NO;
    bool is_hello = record.type == TLS_HANDSHAKE && record.epoch == 0 &&
                    reader_left(&record.body) > HANDSHAKE_HEADER &&
                    message_name(reader_peek(&record.body));
    return is_hello ? CLAIM_YES : CLAIM_WEAK;
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

static void handshake(struct dissect *d, const struct record *record)
{
    struct reader body = record->body;
    uint8_t message = reader_u8(&body);
    reader_skip(&body, 5); /* length, number */
    uint32_t offset = reader_u24be(&body);
    const char *name = message_name(message);
    if (!reader_ok(&body) || offset != 0 || !name)
        return; /* a later fragment, or what only the two understand */
    dissect_sender_is_client(d, message == TLS_CLIENT_HELLO);
    struct ot_event e = event_as(d, TLS_HANDSHAKE, message);
    e.name = name;
    e.detail = record->version == DTLS_1_0 ? TEXT("DTLS 1.0") : TEXT("DTLS 1.2");
    emit_event(d, &e);
}

static void alert(struct dissect *d, const struct record *record)
{
    struct reader body = record->body;
    uint8_t level = reader_u8(&body), description = reader_u8(&body);
    struct ot_event e = event_as(d, TLS_ALERT, description);
    e.name = "alert";
    if (level == TLS_ALERT_FATAL) {
        e.operation = OP_ERROR;
        e.status = (struct ot_status){OT_RESULT_ERROR, description, NULL};
    }
    emit_event(d, &e);
}

static void encrypted(struct dissect *d)
{
    struct state *s = d->state;
    if (s->is_told)
        return;
    s->is_told = true;
    struct ot_event e = event_as(d, TLS_APPLICATION, 0);
    e.name = "application_data";
    e.direction = OT_ONEWAY;
    e.flags |= OT_ENCRYPTED;
    e.detail = tls_inside(d->flow->server.port);
    emit_event(d, &e);
}

static void dtls_dissect(struct dissect *d, struct reader r)
{
    while (reader_left(&r)) {
        struct record record;
        struct reader whole = r;
        if (!read_record(&r, &record)) {
            emit_violation(d, VIOLATION_LENGTH,
                           "not a DTLS record, or one longer than its datagram", whole.at,
                           reader_left(&whole));
            return;
        }
        if (record.epoch > 0 && record.type == TLS_APPLICATION)
            encrypted(d);
        else if (record.epoch == 0 && record.type == TLS_HANDSHAKE)
            handshake(d, &record);
        else if (record.epoch == 0 && record.type == TLS_ALERT &&
                 reader_left(&record.body) == ALERT_SIZE)
            alert(d, &record);
    }
}

const struct dissector dissector_dtls = {
    .name = "dtls",
    .spec = "RFC 6347",
    .over = OVER_UDP,
    .ports = {2221},
    .state_size = sizeof(struct state),
    .recognise = dtls_recognise,
    .dissect = dtls_dissect,
};
