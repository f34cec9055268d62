/* rdp.c: remote desktop: who connects, by which security; what follows is encrypted or screen.
 *
 * Spec: [RDP] MS-RDPBCGR 2.2.1.1, 2.2.1.2
 *
 *   | 3 | 0 | length 2 | LI 1 | CR 0xe0 or CC 0xd0 | references 4 | class 1 | cookie or token, CR
 * LF | negotiation: | type 1 | flags 1 | length 2, =8 | protocols 4 |, little endian */
#include "ascii.h"

enum {
    TPKT_SIZE = 4,
    CONNECT_SIZE = 11, /* TPKT and X.224 CR or CC */
    CONNECT_MAX = 512,
    PDU_MAX = 1024,
    CR = 0xe0,
    CC = 0xd0,
    NEGOTIATION_SIZE = 8,
    CORRELATION_SIZE = 36, /* [RDP] 2.2.1.1.2, after the negotiation of a client */
    ASK = 1,
    GRANT = 2,
    REFUSE = 3,
    USER_MAX = 64,
};

struct state {
    bool is_connected, is_told;
};

static const char cookie[] = "Cookie: mstshash=";

static const char *security_name(uint32_t protocols)
{
    return protocols & 2 ? "CredSSP" : protocols & 1 ? "TLS" : "standard RDP security";
}

struct connect {
    uint8_t type; /* CR or CC */
    uint8_t negotiation, flags;
    uint32_t protocols;
    struct text user;
    bool has_cookie;
};

/* False: no connect of remote desktop. r is short when too few bytes are there. */
static bool read_connect(struct reader *r, struct connect *c)
{
    uint16_t version = reader_u16be(r), length = reader_u16be(r);
    *c = (struct connect){0};
    if (!reader_ok(r) || version != 0x0300 || length < CONNECT_SIZE || length > CONNECT_MAX)
        return false;
    struct reader body = reader_take(r, length - TPKT_SIZE);
    if (!reader_ok(r))
        return false;
    uint8_t size = reader_u8(&body);
    c->type = reader_u8(&body);
    reader_skip(&body, 5);
    if (!reader_ok(&body) || size != length - TPKT_SIZE - 1 || (c->type != CR && c->type != CC))
        return false;
    size_t line = c->type == CR ? ascii_line(body) : 0;
    struct text text = {(const char *)body.at, line};
    if (ascii_begins(text, "cookie: ")) {
        c->has_cookie = true;
        if (line > sizeof cookie - 1 && memcmp(text.at, cookie, sizeof cookie - 1) == 0)
            c->user =
                ascii_trim((struct text){text.at + sizeof cookie - 1, line - (sizeof cookie - 1)});
        reader_skip(&body, line);
    }
    size_t left = reader_left(&body);
    if (left == NEGOTIATION_SIZE ||
        (c->type == CR && left == NEGOTIATION_SIZE + CORRELATION_SIZE)) {
        uint8_t type = reader_u8(&body);
        c->flags = reader_u8(&body);
        uint16_t fixed = reader_u16le(&body);
        c->protocols = reader_u32le(&body);
        bool fits = c->type == CR ? type == ASK : type == GRANT || type == REFUSE;
        c->negotiation = fits && fixed == NEGOTIATION_SIZE ? type : 0;
    }
    return c->has_cookie || c->negotiation;
}

static enum claim rdp_recognise(struct reader r)
{
    struct connect c;
    struct reader peek = r;
    if (reader_left(&r) < 2)
        return reader_left(&r) == 0 || reader_peek(&r) == 3 ? CLAIM_MORE : CLAIM_NO;
    if (reader_u16be(&peek) != 0x0300)
        return CLAIM_NO;
    uint16_t length = reader_u16be(&peek);
    reader_skip(&peek, 1);
    uint8_t type = reader_u8(&peek);
    if (reader_ok(&peek) && (length > CONNECT_MAX || (type != CR && type != CC)))
        return CLAIM_NO;
    if (read_connect(&r, &c))
        return CLAIM_YES;
    return reader_ok(&r) ? CLAIM_NO : CLAIM_MORE;
}

static struct frame rdp_frame(struct reader r)
{
    size_t left = reader_left(&r);
    enum claim claim = rdp_recognise(r);
    if (claim == CLAIM_MORE)
        return frame_need(left + 1);
    if (claim == CLAIM_YES) {
        reader_skip(&r, 2);
        return frame_of(reader_u16be(&r));
    }
    return left ? frame_of(left < PDU_MAX ? left : PDU_MAX) : frame_need(1);
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, code[0] ? "0x%02x" : "data", (unsigned)code[0]);
}

static void connect_event(struct dissect *d, struct state *s, const struct connect *c)
{
    struct ot_fact fact = {.kind = FACT_USER_NAME, .value = c->user};
    struct ot_event e = event_of(d);
    dissect_sender_is_client(d, c->type == CR);
    e.is_from_client = d->is_from_client;
    e.direction = c->type == CR ? OT_REQUEST : OT_RESPONSE;
    e.spell = spell;
    e.code[0] = e.function = c->type;
    e.name = c->type == CR ? "connect" : "connect_confirm";
    e.operation = OP_SESSION;
    if (c->negotiation == REFUSE)
        e.status = (struct ot_status){OT_RESULT_ERROR, c->protocols, "negotiation_failed"};
    else if (c->type == CC)
        e.status.result = OT_RESULT_OK;
    if (c->negotiation == ASK || c->negotiation == GRANT)
        e.detail = text_of(security_name(c->protocols));
    if (c->user.size <= USER_MAX && ascii_is_printable(c->user)) {
        e.facts = &fact;
        e.fact_count = 1;
    }
    s->is_connected |= c->type == CC && c->negotiation != REFUSE;
    emit_event(d, &e);
}

static void rdp_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    struct connect c;
    uint8_t first = reader_peek(&r);
    if (read_connect(&r, &c)) {
        connect_event(d, s, &c);
        return;
    }
    if (s->is_connected && !s->is_told) {
        struct ot_event e = event_of(d);
        e.spell = spell;
        e.direction = OT_ONEWAY;
        e.name = "data";
        e.operation = OP_SESSION;
        e.flags |= first == 22 ? OT_ENCRYPTED : 0; /* a TLS handshake */
        s->is_told = true;
        emit_event(d, &e);
    }
    dissect_skip(d, UINT64_MAX);
}

const struct dissector dissector_rdp = {
    .name = "rdp",
    .spec = "MS-RDPBCGR",
    .over = OVER_TCP,
    .ports = {3389},
    .state_size = sizeof(struct state),
    .pdu_max = PDU_MAX,
    .begins_segments = true,
    .recognise = rdp_recognise,
    .frame = rdp_frame,
    .dissect = rdp_dissect,
};
