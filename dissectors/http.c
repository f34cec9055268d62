/* http.c: requests and answers of HTTP/1: who asks for what, with which software and user.
 *
 * Spec: [9110] RFC 9110 HTTP Semantics, [9112] RFC 9112 HTTP/1.1, [7617] RFC 7617 Basic,
 *       [6455] RFC 6455 The WebSocket Protocol
 *
 *   request: method " " target " HTTP/1." digit CR LF; answer: "HTTP/1." digit " " status " "
 * reason then lines: name ":" value CR LF; an empty line; the body
 *
 * Bodies are passed over by their length, or chunk by chunk; of a page only the title is looked
 * for, in its first bytes. What is no header and was not announced is taken as body, too.
 *
 * A connection that becomes a WebSocket has frames from then on, [6455] 5.2; binary ones carry:
 *   | end: bit 7, opcode: bits 3-0 1 | masked: bit 7, size: 7 bits 1 | size 2 or 8, if 126 or 127 |
 *   | mask 4 | payload | */
#include "default_logins.h"

enum {
    HEADER_MAX = 8192, /* usual limit of servers */
    CHUNK_MAX = 2048,  /* of a body whose end is not known, at a time */
    CHUNK_DIGITS_MAX = 8,
    TITLE_MAX = 80,
    USER_MAX = 48,
    LINES_MAX = 64,
    STATUS_UNAUTHORIZED = 401,
    STATUS_SWITCHING = 101,
    STATUS_NO_CONTENT = 204,
    STATUS_NOT_MODIFIED = 304,
};

static const struct method {
    const char *text, *name;
    enum operation operation;
} methods[] = {
    {"GET ",      "get",      OP_READ       },
    {"HEAD ",     "head",     OP_READ       },
    {"POST ",     "post",     OP_WRITE      },
    {"PUT ",      "put",      OP_FILE_WRITE },
    {"DELETE ",   "delete",   OP_FILE_DELETE},
    {"OPTIONS ",  "options",  OP_IDENTIFY   },
    {"PATCH ",    "patch",    OP_WRITE      },
    {"TRACE ",    "trace",    OP_DIAGNOSTICS},
    {"CONNECT ",  "connect",  OP_SESSION    },
    {"PROPFIND ", "propfind", OP_FILE_READ  },
};
enum {
    METHOD_COUNT = sizeof methods / sizeof *methods,
    METHOD_HEAD = 1,
    METHOD_POST = 2,
    METHOD_PUT = 3,
    METHOD_CONNECT = 8
};

enum body { BODY_NONE, BODY_CHUNKED, BODY_PAGE };

struct half {
    uint8_t body;
    uint64_t page_left; /* of a page whose title is looked for */
};

struct state {
    struct half halves[2]; /* 1: from the client */
    uint8_t method;        /* of the last request, and 1 */
    bool is_opaque, is_software_told;
    bool has_login;   /* of the last request */
    bool is_firmware; /* was sent with it */
    bool is_websocket;
};

struct header {
    struct text host, agent, server, realm, type, authorization, upgrade;
    uint64_t length;
    bool has_length, is_chunked;
};

static void spell_method(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%.*s", (int)strlen(methods[code[0]].text) - 1,
                methods[code[0]].text);
}

/* The method that these bytes begin with; METHOD_COUNT: none. *is_part: they could become one. */
static size_t method_of(const uint8_t *at, size_t given, bool *is_part)
{
    *is_part = given == 0;
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        size_t size = strlen(methods[i].text);
        if (given == 0 || at[0] != (uint8_t)methods[i].text[0] ||
            memcmp(at, methods[i].text, given < size ? given : size) != 0)
            continue;
        if (given >= size)
            return i;
        *is_part = true;
    }
    return METHOD_COUNT;
}

static enum claim http_recognise(struct reader r)
{
    static const char answer[] = "HTTP/1.";
    enum { ANSWER_SIZE = sizeof answer - 1 };
    size_t given = reader_left(&r);
    const uint8_t *at = r.at;
    bool is_part;
    size_t method = method_of(at, given, &is_part);
    if (is_part)
        return CLAIM_MORE;
    if (method != METHOD_COUNT) {
        size_t size = strlen(methods[method].text);
        if (given == size)
            return CLAIM_MORE;
        bool is_target = at[size] == '/' || at[size] == '*' || at[size] == 'h' ||
                         (method == METHOD_CONNECT && at[size] > ' ' && at[size] <= 'z');
        return is_target ? CLAIM_YES : CLAIM_NO;
    }
    if (memcmp(at, answer, given < ANSWER_SIZE ? given : ANSWER_SIZE) != 0)
        return CLAIM_NO;
    if (given < ANSWER_SIZE + 2)
        return CLAIM_MORE;
    return (at[7] == '0' || at[7] == '1') && at[8] == ' ' ? CLAIM_YES : CLAIM_NO;
}

/* Size of the header with its empty line, or 0. */
static size_t header_size(struct reader r)
{
    size_t at = 0, line;
    while ((line = ascii_line(r)) != 0) {
        const uint8_t *begin = reader_bytes(&r, line);
        at += line;
        if (line == 1 || (line == 2 && begin[0] == '\r'))
            return at;
    }
    return 0;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'f');
}

/* The line before a chunk, [9112] 7.1: its size with the line feed, 0: not one. *is_part: it could
 * become one. */
static size_t chunk_line(struct reader r, bool *is_part)
{
    size_t left = reader_left(&r), digits = 0;
    const uint8_t *at = r.at;
    *is_part = false;
    if (left && *at == '\r') { /* the end of the chunk before */
        *is_part = left == 1;
        return left > 1 && at[1] == '\n' ? 2 : 0;
    }
    while (digits < left && digits < CHUNK_DIGITS_MAX && is_hex(at[digits]))
        digits++;
    *is_part = digits == left || (digits > 0 && left == digits + 1 && at[digits] == '\r');
    if (*is_part || digits == 0 || left < digits + 2)
        return 0;
    return at[digits] == '\r' && at[digits + 1] == '\n' ? digits + 2 : 0;
}

static struct frame http_frame(struct reader r)
{
    size_t left = reader_left(&r);
    enum claim claim = http_recognise(r);
    bool is_part;
    if (claim == CLAIM_MORE)
        return frame_need(left + 1);
    if (claim == CLAIM_YES) {
        size_t size = header_size(r);
        if (size > HEADER_MAX || (!size && left >= HEADER_MAX))
            return frame_of(HEADER_MAX); /* told as far as it goes; the rest passes as body */
        return size ? frame_of(size) : frame_need(left + 1);
    }
    size_t line = chunk_line(r, &is_part);
    if (is_part)
        return frame_need(left + 1);
    return frame_of(line ? line : left < CHUNK_MAX ? left : CHUNK_MAX);
}

/* --- frames of a WebSocket --- */

struct websocket {
    uint8_t opcode;
    bool is_masked;
    uint64_t size; /* of the payload */
    uint8_t mask[4];
};

/* False: cut off. The reader is left at the payload. */
static bool read_websocket(struct reader *r, struct websocket *w)
{
    enum { SIZE_2 = 126, SIZE_8 = 127 };
    w->opcode = reader_u8(r) & 0x0f;
    uint8_t size = reader_u8(r);
    w->is_masked = size & 0x80;
    w->size = size & 0x7f;
    if (w->size == SIZE_2)
        w->size = reader_u16be(r);
    else if (w->size == SIZE_8)
        w->size = reader_u64be(r);
    for (size_t i = 0; w->is_masked && i < sizeof w->mask; i++)
        w->mask[i] = reader_u8(r);
    return reader_ok(r);
}

static struct frame websocket_frame(struct reader r)
{
    struct websocket w;
    size_t given = reader_left(&r);
    if (!read_websocket(&r, &w))
        return frame_need(given + 1);
    size_t header = given - reader_left(&r);
    return frame_of(w.size > HEADER_MAX - header ? header : header + (size_t)w.size);
}

static struct frame http_frame_in(struct reader r, const void *state, bool is_from_client)
{
    const struct state *s = state;
    (void)is_from_client;
    return s->is_websocket ? websocket_frame(r) : http_frame(r);
}

static void websocket(struct dissect *d, struct reader r)
{
    enum { CONTINUATION = 0, BINARY = 2 };
    struct websocket w;
    struct carrier carrier = {.is_response = !d->is_from_client};
    if (!read_websocket(&r, &w))
        return;
    size_t size = reader_left(&r);
    if (w.size > size) { /* too long to be told */
        dissect_skip(d, w.size - size);
        dissect_over(d, OVER_WEBSOCKET, reader_of(NULL, 0), &carrier);
        return;
    }
    if (size == 0 || (w.opcode != CONTINUATION && w.opcode != BINARY))
        return;
    uint8_t *plain = w.is_masked ? arena_take(d->arena, size) : NULL;
    if (w.is_masked && !plain)
        return;
    for (size_t i = 0; plain && i < size; i++)
        plain[i] = reader_u8(&r) ^ w.mask[i % sizeof w.mask];
    dissect_over(d, OVER_WEBSOCKET, plain ? reader_of(plain, size) : r, &carrier);
}

/* --- header --- */

static void take_line(struct header *h, struct text line)
{
    struct text value = line;
    struct text name = ascii_until(&value, ':');
    value = ascii_trim(value);
    uint64_t number;
    if (ascii_is(name, "host"))
        h->host = value;
    else if (ascii_is(name, "user-agent"))
        h->agent = value;
    else if (ascii_is(name, "server"))
        h->server = value;
    else if (ascii_is(name, "content-type"))
        h->type = value;
    else if (ascii_is(name, "upgrade"))
        h->upgrade = value;
    else if (ascii_is(name, "www-authenticate"))
        h->realm = value;
    else if (ascii_is(name, "authorization"))
        h->authorization = value;
    else if (ascii_is(name, "transfer-encoding"))
        h->is_chunked = ascii_contains(value, "chunked");
    else if (ascii_is(name, "content-length") && ascii_number(value, &number)) {
        h->length = number;
        h->has_length = true;
    }
}

static void read_header(struct header *h, struct text rest)
{
    for (size_t i = 0; i < LINES_MAX && rest.size; i++)
        take_line(h, ascii_trim(ascii_until(&rest, '\n')));
}

/* --- log-in --- */

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The user of "user:password" in base 64; the password is not decoded. */
static struct text user_of(struct dissect *d, struct text basic)
{
    char *user = arena_take(d->arena, USER_MAX);
    uint32_t bits = 0, count = 0;
    size_t size = 0;
    for (size_t i = 0; user && i < basic.size; i++) {
        int digit = digit64(basic.at[i]);
        if (digit < 0)
            break;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        char c = (char)(bits >> count & 0xff);
        if (c == ':')
            return (struct text){user, size};
        if (size == USER_MAX)
            break;
        user[size++] = c;
    }
    return (struct text){NULL, 0};
}

/* Decodes "user:password" for the comparison alone. */
static bool is_as_delivered(struct text basic)
{
    char pair[USER_MAX * 2];
    uint32_t bits = 0, count = 0;
    size_t size = 0;
    for (size_t i = 0; i < basic.size && digit64(basic.at[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)digit64(basic.at[i]);
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if (size == sizeof pair)
            return false;
        pair[size++] = (char)(bits >> count & 0xff);
    }
    struct text password = {pair, size};
    struct text user = ascii_until(&password, ':');
    bool is_known = default_logins_has("http", user, password);
    explicit_bzero(pair, sizeof pair);
    return is_known;
}

static void basic_login(struct dissect *d, struct ot_event *e, const struct header *h,
                        struct ot_fact *fact)
{
    struct text credential = h->authorization;
    struct text scheme = ascii_until(&credential, ' ');
    if (!ascii_is(scheme, "basic") || credential.size == 0)
        return; /* others prove a password and do not show it */
    e->flags |= OT_HAS_CREDENTIAL | (is_as_delivered(credential) ? OT_DEFAULT_CREDENTIAL : 0u);
    e->secret = (const uint8_t *)credential.at;
    e->secret_size = credential.size;
    *fact = (struct ot_fact){.kind = FACT_USER_NAME, .value = user_of(d, credential)};
    if (ascii_is_printable(fact->value))
        e->fact_count++;
}

/* --- messages --- */

static void body_follows(struct dissect *d, struct half *half, const struct header *h,
                         bool has_none)
{
    half->body = BODY_NONE;
    half->page_left = 0;
    if (has_none)
        return;
    if (h->is_chunked)
        half->body = BODY_CHUNKED;
    else if (h->has_length && !d->is_from_client && ascii_begins(h->type, "text/html")) {
        half->body = BODY_PAGE;
        half->page_left = h->length;
    } else if (h->has_length) {
        dissect_skip(d, h->length);
    }
}

/* The name that the client knows the server by; an address tells nothing new. */
static void named_host(struct ot_event *e, const struct header *h, struct ot_fact *fact)
{
    struct text rest = h->host;
    struct text host = ascii_until(&rest, ':');
    bool is_name = false;
    for (size_t i = 0; i < host.size; i++)
        is_name |=
            (host.at[i] >= 'g' && host.at[i] <= 'z') || (host.at[i] >= 'G' && host.at[i] <= 'Z');
    if (!is_name || host.at[0] == '[' || !ascii_is_printable(host))
        return;
    *fact = (struct ot_fact){.kind = FACT_HOST_NAME, .value = host, .is_about_receiver = true};
    e->fact_count++;
}

static void request(struct dissect *d, struct state *s, size_t method, struct text header)
{
    struct header h = {0};
    struct text line = ascii_trim(ascii_until(&header, '\n'));
    struct ot_fact facts[3];
    struct ot_event e = event_of(d);
    ascii_until(&line, ' ');
    struct text target = ascii_until(&line, ' ');
    read_header(&h, header);
    e.spell = spell_method;
    e.code[0] = e.function = (uint32_t)method;
    e.name = methods[method].name;
    e.operation = methods[method].operation;
    e.detail = (struct text){target.at, target.size < 200 ? target.size : 200};
    if (!ascii_is_printable(e.detail))
        e.detail.size = 0;
    e.facts = facts;
    basic_login(d, &e, &h, facts);
    named_host(&e, &h, &facts[e.fact_count]);
    if (e.secret)
        e.operation = e.operation > OP_AUTH ? e.operation : OP_AUTH;
    if (method == METHOD_POST && ascii_begins(target, "/wsman")) {
        e.operation = OP_START; /* MS-WSMV: remote management of Windows runs commands so */
        e.name = "winrm";
    }
    struct text path = target;
    bool is_sent = method == METHOD_POST || method == METHOD_PUT;
    s->is_firmware = is_sent && ascii_names_firmware(ascii_until(&path, '?'));
    if (s->is_firmware)
        e.operation = OP_FIRMWARE_UPDATE;
    s->method = (uint8_t)(method + 1);
    s->has_login =
        ascii_begins(h.authorization, "basic ") || ascii_begins(h.authorization, "digest ");
    body_follows(d, &s->halves[1], &h, false);
    emit_event(d, &e);
}

static void answer(struct dissect *d, struct state *s, struct text header)
{
    struct header h = {0};
    struct text line = ascii_trim(ascii_until(&header, '\n'));
    uint64_t status = 0;
    ascii_until(&line, ' ');
    if (!ascii_number(line, &status) || status < 100 || status > 999) {
        emit_violation(d, VIOLATION_RANGE, "HTTP status is not a number of three digits", line.at,
                       line.size);
        return;
    }
    read_header(&h, header);
    /* no FACT_SOFTWARE: behind one address and port several may answer in turns */
    struct ot_fact fact = {.kind = FACT_COMMENT, .value = h.server};
    struct ot_event e = event_of(d);
    e.code[0] = e.function = (uint32_t)status;
    e.name = s->method ? methods[s->method - 1].name : "answer";
    e.operation = s->method ? methods[s->method - 1].operation : OP_SESSION;
    if (s->is_firmware)
        e.operation = OP_FIRMWARE_UPDATE;
    e.status.result = status < 400 ? OT_RESULT_OK : OT_RESULT_ERROR;
    e.status.code = (uint32_t)status;
    e.detail = status == STATUS_UNAUTHORIZED ? h.realm : (struct text){NULL, 0};
    if (status == STATUS_UNAUTHORIZED) {
        e.status.name = "unauthorized";
        if (s->has_login) /* else it only asks for one */
            e.operation = OP_AUTH;
    }
    if (!s->is_software_told && ascii_is_printable(h.server)) {
        s->is_software_told = true;
        e.unit = dissect_text(d, "http:%u", d->flow->server.port); /* a host may have many */
        e.facts = &fact;
        e.fact_count = 1;
    }
    s->is_websocket = status == STATUS_SWITCHING && ascii_is(h.upgrade, "websocket");
    s->is_opaque |= (status == STATUS_SWITCHING && !s->is_websocket) ||
                    (status < 300 && status >= 200 && s->method == METHOD_CONNECT + 1);
    body_follows(d, &s->halves[0], &h,
                 s->method == METHOD_HEAD + 1 || status < 200 || status == STATUS_NO_CONTENT ||
                     status == STATUS_NOT_MODIFIED);
    emit_event(d, &e);
    if (s->is_opaque)
        dissect_skip(d, UINT64_MAX);
}

static void page(struct dissect *d, struct half *half, struct text body)
{
    half->body = BODY_NONE;
    if (half->page_left > body.size)
        dissect_skip(d, half->page_left - body.size);
    for (; body.size; ascii_until(&body, '<'))
        if (ascii_begins(body, "title>"))
            break;
    ascii_until(&body, '>');
    struct text title = ascii_trim(ascii_until(&body, '<'));
    if (title.size > TITLE_MAX || !ascii_is_printable(title))
        return;
    struct ot_event e = event_of(d);
    e.code[0] = e.function = 200;
    e.name = "page";
    e.operation = OP_READ;
    e.detail = title;
    emit_event(d, &e);
}

static void body(struct dissect *d, struct half *half, struct reader r)
{
    bool is_part;
    uint64_t size = 0;
    if (half->body == BODY_PAGE) {
        page(d, half, ascii_of(r));
        return;
    }
    size_t line = chunk_line(r, &is_part);
    if (half->body != BODY_CHUNKED || line <= 2)
        return;
    for (size_t i = 0; i < line - 2; i++) {
        uint8_t c = ascii_lower((char)reader_u8(&r));
        size = size << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (size == 0)
        half->body = BODY_NONE;
    else
        dissect_skip(d, size);
}

static void http_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    bool is_part;
    if (s->is_opaque) {
        dissect_skip(d, UINT64_MAX);
        return;
    }
    if (s->is_websocket) {
        websocket(d, r);
        return;
    }
    if (http_recognise(r) != CLAIM_YES) {
        body(d, &s->halves[d->is_from_client], r);
        return;
    }
    size_t method = method_of(r.at, reader_left(&r), &is_part);
    dissect_sender_is_client(d, method != METHOD_COUNT);
    if (method != METHOD_COUNT && d->is_from_client)
        request(d, s, method, ascii_of(r));
    else if (method == METHOD_COUNT && !d->is_from_client)
        answer(d, s, ascii_of(r));
}

const struct dissector dissector_http = {
    .name = "http",
    .spec = "RFC 9112, RFC 9110",
    .over = OVER_TCP, /* no ports: web servers of devices are at any */
    .state_size = sizeof(struct state),
    .pdu_max = HEADER_MAX,
    .begins_segments = true,
    .recognise = http_recognise,
    .frame = http_frame,
    .frame_in = http_frame_in,
    .dissect = http_dissect,
};
