/* opcua.c: OPC UA over TCP: connections, secure channels and the messages in them.
 *
 * Spec: [6] OPC 10000-6 Mappings: 6.7 secure conversation, 7.1 connection protocol
 *       [4] OPC 10000-4 Services
 *
 *   | message type 3 | chunk F, C or A 1 | size of all 4 | ... |, little endian
 *   HEL, ACK, ERR, RHE: | fields |
 *   OPN: | channel 4 | policy | sender's certificate | thumbprint | sequence 4 | request 4 | body |
 *   MSG, CLO: | channel 4 | token 4 | sequence 4 | request 4 | body |
 *   body: | type id | request or response header | fields of the service |
 *
 * With a policy other than None the body may be signed only, or also encrypted. It is taken as
 * clear when a service that we know can be read in it. A message in several chunks is one PDU as
 * long as it is not greater than JOIN_MAX; of a greater one the first part is read. */
#include "opcua_message.h"
#include "opcua_monitored.h"
#include "x509.h"

#include <stdio.h>

enum {
    HEADER_SIZE = 8,
    SECURE_HEADER_SIZE = 24, /* to the body of MSG and CLO */
    HELLO_MIN = 28,          /* [6] 7.1.2.3, with a null URL 32; ACK: 28 */
    CONNECT_MAX = 8192 + 64, /* HEL, RHE: texts of at most 4096 bytes each */
    CHUNK_MAX = 1 << 17,     /* greatest that the stream holds; usual are 8 to 64 KiB */
    JOIN_MAX = 1 << 16,      /* of several chunks */
    TOKENS = 4,              /* an old one stays valid after the renewal: [6] 6.7.5 */
    RENEWALS_MAX = 10,       /* in RENEWAL_WINDOW_NS; usual is one an hour */
    SEQUENCE_WRAP = 1024,    /* [6] 6.7.2.4: after 4294966271 it may begin again below 1024 */
};
static const int64_t RENEWAL_WINDOW_NS = 1000000000;

enum message_kind { HEL, ACK, ERR, RHE, OPN, MSG, CLO, KIND_COUNT };

static const struct kind {
    char text[4];
    const char *name; /* of those without a service */
    enum operation operation;
    enum ot_direction direction; /* of those without a service */
} kinds[KIND_COUNT] = {
    [HEL] = {"HEL", "hello",                OP_SESSION, OT_REQUEST },
    [ACK] = {"ACK", "acknowledge",          OP_SESSION, OT_RESPONSE},
    [ERR] = {"ERR", "error",                OP_ERROR,   OT_RESPONSE},
    [RHE] = {"RHE", "reverse_hello",        OP_SESSION, OT_REQUEST },
    [OPN] = {"OPN", "open_secure_channel",  OP_SESSION, OT_ONEWAY  },
    [MSG] = {"MSG", NULL,                   OP_SESSION, OT_ONEWAY  },
    [CLO] = {"CLO", "close_secure_channel", OP_SESSION, OT_ONEWAY  },
};

enum security { SECURITY_UNKNOWN, SECURITY_NONE, SECURITY_POLICY };

struct half {
    uint32_t sequence; /* the last */
    uint32_t open_request;
    uint32_t chunk_max; /* negotiated; 0: not seen */
    bool has_sequence;
    bool is_open; /* of open_request more chunks follow */
};

struct state {
    struct half halves[2]; /* 1: from the client */
    enum security security;
    bool is_greeted, is_channel_open;
    bool is_session_new; /* created on this connection, and without a subscription since */
    uint8_t token_count; /* issued, as far as kept */
    uint8_t token_next;
    uint8_t renewals;
    uint32_t tokens[TOKENS];
    int64_t renewals_since_ns;
};

_Static_assert(sizeof(struct state) <= UA_MONITORED_OFFSET, "the table of items lies behind it");

struct chunk {
    enum message_kind kind;
    uint8_t part; /* 'F', 'C', 'A' */
    uint32_t size;
};

static enum message_kind kind_of(const uint8_t *p)
{
    int kind = 0;
    while (kind < KIND_COUNT && memcmp(kinds[kind].text, p, 3) != 0)
        kind++;
    return (enum message_kind)kind;
}

/* The header of a chunk; false: it does not fit or is none. */
static bool read_chunk(struct reader *r, struct chunk *c)
{
    const uint8_t *type = reader_bytes(r, 3);
    c->part = reader_u8(r);
    c->size = reader_u32le(r);
    if (!reader_ok(r))
        return false;
    c->kind = kind_of(type);
    return c->kind != KIND_COUNT;
}

static uint32_t size_min(enum message_kind kind)
{
    static const uint8_t sizes[KIND_COUNT] = {
        [HEL] = HELLO_MIN,          [ACK] = HELLO_MIN,         [ERR] = 16, [RHE] = 16, [OPN] = 32,
        [MSG] = SECURE_HEADER_SIZE, [CLO] = SECURE_HEADER_SIZE};
    return sizes[kind];
}

static uint32_t size_max(enum message_kind kind)
{
    return kind <= RHE ? CONNECT_MAX : CHUNK_MAX;
}

static bool is_part(const struct chunk *c)
{
    return c->part == 'F' || ((c->part == 'C' || c->part == 'A') && c->kind >= OPN);
}

static enum claim opcua_recognise(struct reader r)
{
    static const char letters[] = "FCA";
    uint8_t first[HEADER_SIZE];
    size_t given = reader_left(&r) < HEADER_SIZE ? reader_left(&r) : HEADER_SIZE;
    if (given)
        memcpy(first, reader_bytes(&r, given), given);
    bool is_possible = false;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        is_possible |= memcmp(kinds[kind].text, first, given < 3 ? given : 3) == 0;
    if (!is_possible || (given > 3 && !memchr(letters, first[3], 3)))
        return CLAIM_NO;
    if (given < HEADER_SIZE)
        return CLAIM_MORE;
    struct chunk c;
    struct reader header = reader_of(first, HEADER_SIZE);
    if (!read_chunk(&header, &c) || !is_part(&c) || c.size < size_min(c.kind) ||
        c.size > size_max(c.kind))
        return CLAIM_NO;
    return CLAIM_YES;
}

static struct frame opcua_frame(struct reader r)
{
    size_t given = reader_left(&r), total = 0;
    enum message_kind first = KIND_COUNT;
    for (;;) {
        struct chunk c;
        if (given - total < HEADER_SIZE)
            return frame_need(total + HEADER_SIZE);
        struct reader header = reader_take(&r, HEADER_SIZE);
        bool is_known = read_chunk(&header, &c);
        if (total > 0 && (!is_known || total + c.size > JOIN_MAX || c.kind != first))
            return frame_of(total); /* what comes is cut by itself */
        if (!is_known)
            return frame_broken_as(VIOLATION_FUNCTION, "message type is unknown");
        if (!is_part(&c))
            return frame_broken_as(VIOLATION_FUNCTION, "chunk type is unknown");
        if (c.size < size_min(c.kind))
            return frame_broken("message is smaller than its header");
        if (c.size > size_max(c.kind))
            return frame_broken("message is greater than is allowed");
        if (c.size > given - total)
            return frame_need(total + c.size);
        total += c.size;
        first = c.kind;
        if (c.part != 'C')
            return frame_of(total);
        reader_skip(&r, c.size - HEADER_SIZE);
    }
}

static void opcua_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[2])
        snprintf(out, OT_CODE_SIZE, "%s:%u", kinds[code[0]].text, (unsigned)code[1]);
    else
        snprintf(out, OT_CODE_SIZE, "%s", kinds[code[0]].text);
}

static void message_event(struct ot_event *e, const struct dissect *d, enum message_kind kind,
                          struct reader pdu)
{
    event_start(e, d);
    e->code[0] = kind;
    e->spell = opcua_spell;
    e->operation = kinds[kind].operation;
    e->direction = kinds[kind].direction;
    e->name = kinds[kind].name;
    e->telling = pdu.at;
    e->telling_size = reader_left(&pdu);
}

/* --- HEL, ACK, ERR, RHE --- */

/* The host of opc.tcp://host:port/path, when it is a name. */
static struct text host_of(struct text url)
{
    static const char scheme[] = "opc.tcp://";
    enum { SCHEME_SIZE = sizeof scheme - 1, NAME_MAX = 120 };
    struct text none = {NULL, 0};
    if (url.size <= SCHEME_SIZE || memcmp(url.at, scheme, SCHEME_SIZE) != 0)
        return none;
    struct text host = {url.at + SCHEME_SIZE, 0};
    bool has_letter = false;
    for (size_t i = SCHEME_SIZE; i < url.size && url.at[i] != ':' && url.at[i] != '/'; i++) {
        char c = (char)(url.at[i] | 0x20);
        has_letter |= c >= 'a' && c <= 'z';
        host.size++;
    }
    bool is_name = has_letter && host.at[0] != '[' && host.size <= NAME_MAX;
    return is_name && !text_equal(host, TEXT("localhost")) ? host : none;
}

static void dissect_connect(struct dissect *d, enum message_kind kind, struct reader body,
                            struct reader pdu)
{
    struct state *s = d->state;
    struct ua u = {.d = d, .r = body};
    struct ot_fact fact = {.kind = FACT_HOST_NAME, .is_about_receiver = true};
    if (kind != RHE)
        dissect_sender_is_client(d, kind == HEL);
    struct ot_event e;
    message_event(&e, d, kind, pdu);
    if (kind == HEL || kind == ACK) {
        reader_skip(&u.r, 4); /* version */
        uint32_t receive = reader_u32le(&u.r), send = reader_u32le(&u.r);
        reader_skip(&u.r, 8);
        if (kind == ACK && reader_ok(&u.r)) { /* [6] 7.1.2.4: what the server takes and sends */
            s->halves[!d->is_from_client].chunk_max = receive;
            s->halves[d->is_from_client].chunk_max = send;
        }
    }
    if (kind == HEL) {
        if (s->is_channel_open)
            emit_violation(d, VIOLATION_STATE, "hello on an open connection", pdu.at,
                           reader_left(&pdu));
        *s = (struct state){.is_greeted = true};
        ua_monitored_forget(d);
        struct text url = ua_string(&u);
        fact.value = host_of(url);
        e.detail = url;
    } else if (kind == RHE) {
        ua_string(&u);
        e.detail = ua_string(&u);
    } else if (kind == ERR) {
        e.status = ua_status(reader_u32le(&u.r));
        e.status.result = OT_RESULT_ERROR;
        e.detail = ua_string(&u);
    }
    if (fact.value.size) {
        e.facts = &fact;
        e.fact_count = 1;
    }
    if (!reader_ok(&u.r))
        emit_violation(d, u.wrong ? u.wrong_kind : VIOLATION_TRUNCATED,
                       u.wrong ? u.wrong : "message ends before its fields do", pdu.at,
                       reader_left(&pdu));
    emit_event(d, &e);
}

/* --- sequence, tokens, chunks --- */

static void judge_sequence(struct dissect *d, uint32_t sequence, struct reader pdu)
{
    struct state *s = d->state;
    struct half *h = &s->halves[d->is_from_client];
    bool is_next = sequence == h->sequence + 1 && sequence != 0;
    bool is_wrapped = h->sequence >= UINT32_MAX - SEQUENCE_WRAP && sequence < SEQUENCE_WRAP;
    if (h->has_sequence && !is_next && !is_wrapped)
        emit_violation(d, VIOLATION_SEQUENCE,
                       sequence == h->sequence ? "sequence number is used again"
                                               : "sequence number does not follow the last",
                       pdu.at, reader_left(&pdu));
    h->has_sequence = true;
    h->sequence = sequence;
}

static void issue_token(struct state *s, uint32_t token)
{
    s->tokens[s->token_next] = token;
    s->token_next = (uint8_t)((s->token_next + 1) % TOKENS);
    if (s->token_count < TOKENS)
        s->token_count++;
}

static void judge_token(struct dissect *d, uint32_t token, struct reader pdu)
{
    const struct state *s = d->state;
    bool is_issued = s->token_count == 0;
    for (uint8_t i = 0; i < s->token_count; i++)
        is_issued |= s->tokens[i] == token;
    if (!is_issued && s->security == SECURITY_NONE)
        emit_violation(d, VIOLATION_STATE, "security token was never issued", pdu.at,
                       reader_left(&pdu));
    if (!s->is_channel_open && s->is_greeted)
        emit_violation(d, VIOLATION_STATE, "message before a channel was opened", pdu.at,
                       reader_left(&pdu));
}

static void judge_chunk_size(struct dissect *d, uint32_t size, struct reader pdu)
{
    const struct state *s = d->state;
    uint32_t most = s->halves[d->is_from_client].chunk_max;
    if (most && size > most)
        emit_violation(d, VIOLATION_LENGTH, "chunk is greater than was negotiated", pdu.at,
                       HEADER_SIZE);
}

static void judge_renewals(struct dissect *d, struct reader pdu)
{
    struct state *s = d->state;
    if (d->time_ns - s->renewals_since_ns > RENEWAL_WINDOW_NS ||
        d->time_ns < s->renewals_since_ns) {
        s->renewals_since_ns = d->time_ns;
        s->renewals = 0;
    }
    if (s->renewals < RENEWALS_MAX && ++s->renewals == RENEWALS_MAX)
        emit_violation(d, VIOLATION_STATE, "security token is renewed again and again", pdu.at,
                       reader_left(&pdu));
}

/* One message of a channel: its chunks put together. */
struct secure {
    enum message_kind kind;
    uint8_t part; /* of the last chunk */
    uint32_t request;
    bool is_continued;               /* the chunks before were another PDU */
    struct text policy, certificate; /* of the sender; OPN only */
    struct reader body;
};

/* The header behind channel or token; false: it does not fit. */
static bool read_security(struct dissect *d, struct reader *r, struct secure *m, struct reader pdu)
{
    struct state *s = d->state;
    reader_skip(r, 4); /* channel */
    if (m->kind == OPN) {
        struct ua u = {.d = d, .r = *r};
        m->policy = ua_string(&u);
        m->certificate = ua_string(&u);
        ua_string(&u);
        *r = u.r;
    } else {
        judge_token(d, reader_u32le(r), pdu);
    }
    struct reader header = *r;
    uint32_t sequence = reader_u32le(&header);
    m->request = reader_u32le(&header);
    if (!reader_ok(&header))
        return false;
    *r = header;
    if (m->kind == OPN) {
        bool is_none =
            m->policy.size == 0 ||
            (m->policy.size >= 5 && memcmp(m->policy.at + m->policy.size - 5, "#None", 5) == 0);
        s->security = is_none ? SECURITY_NONE : SECURITY_POLICY;
    }
    if (s->security == SECURITY_NONE)
        judge_sequence(d, sequence, pdu);
    return true;
}

/* All chunks of the PDU; false: a header does not fit. */
static bool read_message(struct dissect *d, struct reader pdu, struct secure *m)
{
    struct reader r = pdu;
    uint8_t *joined = NULL;
    size_t used = 0;
    while (reader_left(&r)) {
        struct chunk c;
        if (!read_chunk(&r, &c) || c.size < HEADER_SIZE)
            return false;
        struct reader one = reader_take(&r, c.size - HEADER_SIZE);
        if (!reader_ok(&r))
            return false;
        m->kind = c.kind;
        m->part = c.part;
        judge_chunk_size(d, c.size, pdu);
        if (c.kind < OPN || !read_security(d, &one, m, pdu))
            return false;
        size_t size = reader_left(&one);
        if (!joined && !reader_left(&r)) { /* the usual case: one chunk, nothing to copy */
            m->body = one;
            return true;
        }
        if (c.part == 'A') { /* the chunks before are void */
            m->body = one;
            return true;
        }
        if (!joined)
            joined = arena_take(d->arena, reader_left(&pdu));
        if (joined && size)
            memcpy(joined + used, one.at, size);
        used += joined ? size : 0;
    }
    m->body = reader_of(joined, used);
    return true;
}

/* Whether these chunks go on with a message whose first part was a PDU of its own. */
static bool is_continuation(struct state *s, bool is_from_client, const struct secure *m)
{
    struct half *h = &s->halves[is_from_client];
    bool goes_on = h->is_open && h->open_request == m->request && s->security == SECURITY_NONE;
    h->is_open = m->part == 'C';
    h->open_request = m->request;
    return goes_on;
}

/* --- services --- */

/* | token | time 8 | handle 4 | diagnostics 4 | audit | timeout 4 | additional | */
static void request_header(struct ua *u)
{
    ua_node_id(u);
    reader_skip(&u->r, 16);
    ua_string(u);
    reader_skip(&u->r, 4);
    ua_extension_object(u);
}

/* | time 8 | handle 4 | result 4 | diagnostics | strings[] | additional | */
static uint32_t response_header(struct ua *u)
{
    reader_skip(&u->r, 12);
    uint32_t result = reader_u32le(&u->r);
    ua_diagnostic_info(u);
    uint32_t strings = ua_count(u, 4);
    for (uint32_t i = 0; i < strings && reader_ok(&u->r); i++)
        ua_string(u);
    ua_extension_object(u);
    return result;
}

static struct text policy_name(struct text policy)
{
    for (size_t i = policy.size; i > 0; i--)
        if (policy.at[i - 1] == '#')
            return (struct text){policy.at + i, policy.size - i};
    return policy;
}

/* Request: | version 4 | issue or renew 4 | mode 4 | nonce | lifetime 4 |
 * Response: | version 4 | channel 4 | token 4 | created 8 | lifetime 4 | nonce | */
static void channel_fields(struct ua_message *m, const struct secure *secure, struct reader pdu)
{
    static const char *const modes[] = {"invalid", "none", "sign", "sign and encrypt"};
    struct state *s = m->d->state;
    struct ua *u = &m->ua;
    if (m->is_response) {
        reader_skip(&u->r, 8);
        uint32_t token = reader_u32le(&u->r);
        if (reader_ok(&u->r))
            issue_token(s, token);
        return;
    }
    reader_skip(&u->r, 8);
    uint32_t mode = reader_u32le(&u->r);
    if (!reader_ok(&u->r))
        return;
    if (mode == 0 || mode > 3) {
        emit_violation(m->d, VIOLATION_RANGE, "security mode is not defined", pdu.at,
                       reader_left(&pdu));
        mode = 0;
    }
    struct text policy = policy_name(secure->policy);
    m->event.detail = dissect_text(m->d, "policy %.*s, mode %s", (int)policy.size,
                                   policy.size ? policy.at : "", modes[mode]);
}

/* [4] 5.13.5: what is to be published is of a subscription, which only a session of an earlier
 * connection can have already. */
static void judge_publishing(struct ua_message *m, struct reader pdu)
{
    struct state *s = m->d->state;
    uint32_t service = m->service->request;
    if (service == UA_CREATE_SESSION)
        s->is_session_new = true;
    if (service == UA_CREATE_SUBSCRIPTION || service == UA_TRANSFER_SUBSCRIPTIONS)
        s->is_session_new = false;
    if (service == UA_PUBLISH && s->is_session_new) {
        s->is_session_new = false; /* told once */
        emit_violation(m->d, VIOLATION_STATE, "publish without a subscription", pdu.at,
                       reader_left(&pdu));
    }
}

static void request_fields(struct ua_message *m, const struct secure *secure, struct reader pdu)
{
    judge_publishing(m, pdu);
    request_header(&m->ua);
    if (m->service->request == UA_OPEN_SECURE_CHANNEL)
        channel_fields(m, secure, pdu);
    ua_service_items(m);
    ua_service_identity(m);
    if (secure->kind != CLO)
        ua_remember(m);
}

static void response_fields(struct ua_message *m, const struct secure *secure, struct reader pdu)
{
    const struct ua_service *asked = ua_recall(m);
    bool is_fault = m->service->request == UA_SERVICE_FAULT;
    if (!asked && !is_fault && m->service->request != UA_PUBLISH)
        m->event.flags |= OT_NO_REQUEST; /* publish requests wait for longer than we remember */
    if (asked && is_fault && m->event.operation == OP_ERROR)
        m->event.operation = asked->operation;
    if (asked && !is_fault && asked != m->service)
        emit_violation(m->d, VIOLATION_DIRECTION, "response is of another service than was asked",
                       pdu.at, reader_left(&pdu));
    uint32_t result = response_header(&m->ua);
    if (!reader_ok(&m->ua.r))
        return;
    m->event.status = ua_status(result);
    if (m->event.status.result == OT_RESULT_ERROR || is_fault)
        return;
    if (m->service->request == UA_OPEN_SECURE_CHANNEL)
        channel_fields(m, secure, pdu);
    ua_service_items(m);
    ua_service_identity(m);
}

/* The type id of the body; 0: not one of namespace 0. */
static uint32_t type_id(struct ua *u)
{
    struct ua_node_id id = ua_node_id(u);
    bool is_standard = reader_ok(&u->r) && id.kind == UA_ID_NUMERIC && id.space == 0;
    return is_standard ? id.number : 0;
}

/* Clients ask for the time or the state of a server that has been quiet, to see whether it is still
 * there. */
static bool is_keep_alive(const struct ua_message *m)
{
    if (m->service->request != UA_READ || m->event.item_count == 0)
        return false;
    for (uint32_t i = 0; i < m->event.item_count; i++)
        if (!text_equal(m->items[i].name, TEXT("ns=0;i=2258")) && /* [5] 6.3.2 CurrentTime */
            !text_equal(m->items[i].name, TEXT("ns=0;i=2259")))   /* State */
            return false;
    return true;
}

static void service_message(struct ua_message *m, const struct secure *secure, uint32_t type,
                            struct reader pdu)
{
    m->is_response = type == m->service->response;
    dissect_sender_is_client(m->d, !m->is_response);
    message_event(&m->event, m->d, secure->kind, pdu);
    m->event.code[1] = m->event.function = type;
    m->event.code[2] = true;
    m->event.direction = m->is_response ? OT_RESPONSE : OT_REQUEST;
    m->event.operation = m->service->operation;
    m->event.name = m->service->name;
    m->event.transaction = m->request_id = secure->request;
    m->event.has_transaction = true;
    if (m->is_response)
        response_fields(m, secure, pdu);
    else
        request_fields(m, secure, pdu);
    if (is_keep_alive(m))
        m->event.operation = OP_SESSION;
    if (!reader_ok(&m->ua.r) && secure->part == 'F')
        emit_violation(m->d, m->ua.wrong ? m->ua.wrong_kind : VIOLATION_TRUNCATED,
                       m->ua.wrong ? m->ua.wrong : "message ends before its fields do", pdu.at,
                       reader_left(&pdu));
    emit_event(m->d, &m->event);
}

/* [6] 6.7.2.3: what a channel that hides the rest shows of itself. */
static void tell_policy(struct dissect *d, struct ot_event *e, const struct secure *secure,
                        struct ot_fact *fact)
{
    struct x509 certificate;
    struct text policy = policy_name(secure->policy);
    e->detail = policy;
    if (!x509_read(&certificate, reader_of(secure->certificate.at, secure->certificate.size)))
        return;
    struct text whose = x509_text(d, &certificate);
    e->detail =
        dissect_text(d, "%.*s, certificate: %.*s", (int)policy.size, policy.size ? policy.at : "",
                     (int)whose.size, whose.size ? whose.at : "");
    *fact = (struct ot_fact){.kind = FACT_CERTIFICATE, .value = whose};
    e->facts = fact;
    e->fact_count = whose.size ? 1 : 0;
}

/* A body in which no service that we know can be read. */
static void opaque_message(struct dissect *d, const struct secure *secure, uint32_t type,
                           struct reader pdu)
{
    const struct state *s = d->state;
    struct ot_event e;
    message_event(&e, d, secure->kind, pdu);
    struct ot_fact fact;
    if (secure->kind == OPN && secure->policy.size)
        tell_policy(d, &e, secure, &fact);
    if (s->security != SECURITY_NONE) {
        e.flags |= OT_ENCRYPTED;
    } else {
        e.operation = OP_UNKNOWN;
        e.code[1] = e.function = type;
        e.code[2] = type != 0;
        e.transaction = secure->request;
        e.has_transaction = true;
    }
    emit_event(d, &e);
}

/* [6] 6.7.3: the sender gives up: | error 4 | reason | */
static void abort_message(struct dissect *d, const struct secure *secure, struct reader pdu)
{
    struct ua u = {.d = d, .r = secure->body};
    struct ot_event e;
    message_event(&e, d, secure->kind, pdu);
    e.name = "abort";
    e.operation = OP_ERROR;
    e.status = ua_status(reader_u32le(&u.r));
    e.status.result = OT_RESULT_ERROR;
    e.detail = ua_string(&u);
    emit_event(d, &e);
}

static void dissect_secure(struct dissect *d, struct reader pdu)
{
    struct state *s = d->state;
    struct secure secure = {.kind = MSG};
    if (!read_message(d, pdu, &secure)) {
        emit_violation(d, VIOLATION_TRUNCATED, "header of a message is cut off", pdu.at,
                       reader_left(&pdu));
        return;
    }
    if (secure.kind == OPN) {
        s->is_channel_open = true;
        if (d->is_from_client)
            judge_renewals(d, pdu);
    }
    bool is_clear = s->security == SECURITY_NONE;
    if (is_continuation(s, d->is_from_client, &secure) && secure.part != 'A')
        return; /* its first part has told what it is */
    if (secure.part == 'A' && is_clear) {
        abort_message(d, &secure, pdu);
        return;
    }
    struct ua_message m = {
        .d = d, .ua = {.d = d, .r = secure.body}
    };
    uint32_t type = type_id(&m.ua);
    m.service = ua_service_of(type);
    if (m.service)
        service_message(&m, &secure, type, pdu);
    else
        opaque_message(d, &secure, type, pdu);
}

static void opcua_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    struct chunk c;
    if (!read_chunk(&r, &c)) {
        emit_violation(d, VIOLATION_FUNCTION, "message type is unknown", pdu.at, reader_left(&pdu));
        return;
    }
    if (c.kind < OPN)
        dissect_connect(d, c.kind, r, pdu);
    else
        dissect_secure(d, pdu);
}

const struct dissector dissector_opcua = {
    .name = "opcua",
    .spec = "OPC 10000-6 OPC Unified Architecture, Mappings 1.05",
    .over = OVER_TCP,
    .ports = {4840},
    .state_size = UA_MONITORED_OFFSET + UA_MONITORED_HEAD_SIZE,
    .pdu_max = CHUNK_MAX,
    .recognise = opcua_recognise,
    .frame = opcua_frame,
    .dissect = opcua_dissect,
};
