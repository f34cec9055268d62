/* fox.c: Niagara Fox, between stations (building controllers) and Workbench.
 *
 * Not published; what public captures and scanners agree on (PROTOCOLS 30). Text in lines:
 *
 *   fox <type 1> <sequence> <reply> <channel> <command>\n
 *   {\n
 *   <name>=<type 1>:<value>\n ...
 *   };;\n
 *
 *   message type: s request, a without a reply, r reply, n empty reply, e error, k keep alive, c
 * close value type:   s text, i, f, t, z as text; m a message in braces b | length [ bytes ] |, o |
 * encoding length [ bytes ] |
 *
 * There are no numbers for commands: the code is the row of the table below, 0xff for others. */
#include "dissector.h"

#include <stdio.h>

enum {
    HEADER_MAX = 256, /* to the end of the first line; usual are 20 to 60 */
    MESSAGE_MAX = 1 << 17,
    DEPTH_MAX = 8,
    FACTS_MAX = 10,
    FACT_TEXT_MAX = 100,
    COMMAND_OTHER = 0xff,
};

static const struct command {
    uint8_t code;
    enum operation operation;
    const char *text, *name;
} commands[] = {
    {0x01, OP_SESSION, "hello",                   "hello"                     },
    {0x02, OP_SESSION, "keepalive",               "keep_alive"                },
    {0x03, OP_SESSION, "close",                   "close"                     },
    {0x04, OP_SESSION, "redirect",                "redirect"                  },
    {0x05, OP_SESSION, "busy",                    "busy"                      },
    {0x10, OP_AUTH,    "login",                   "login"                     },
    {0x11, OP_AUTH,    "challenge",               "challenge"                 },
    {0x12, OP_AUTH,    "kerberos",                "kerberos"                  },
    {0x13, OP_AUTH,    "username",                "user_name"                 },
    {0x14, OP_AUTH,    "clientKeyExchangeMethod", "client_key_exchange_method"},
    {0x15, OP_AUTH,    "authMessage1",            "auth_message_1"            },
    {0x16, OP_AUTH,    "authMessage2",            "auth_message_2"            },
    {0x17, OP_AUTH,    "welcome",                 "welcome"                   },
    {0x18, OP_AUTH,    "retry",                   "retry"                     },
    {0x19, OP_AUTH,    "rejected",                "rejected"                  },
    {0x20, OP_CONTROL, "invoke",                  "invoke"                    },
    {0x21, OP_CONTROL, "tunnel",                  "tunnel"                    },
    {0x22, OP_WRITE,   "set",                     "set"                       },
    {0x23, OP_WRITE,   "add",                     "add"                       },
    {0x24, OP_WRITE,   "remove",                  "remove"                    },
};

struct state {
    uint32_t sequence[2]; /* the last; 1: of the client */
    bool has_sequence[2];
};

struct header {
    char type;
    uint32_t sequence;
    bool has_sequence, has_reply;
    uint32_t reply;
    struct text channel, command;
};

static bool is_message_type(uint8_t c)
{
    return c != 0 && strchr("sarenkc", c) != NULL;
}

static enum claim fox_recognise(struct reader r)
{
    static const char magic[] = "fox ";
    enum { MAGIC_SIZE = sizeof magic - 1, SIZE = MAGIC_SIZE + 3 };
    size_t given = reader_left(&r);
    if (given == 0)
        return CLAIM_MORE;
    if (memcmp(r.at, magic, given < MAGIC_SIZE ? given : MAGIC_SIZE) != 0)
        return CLAIM_NO;
    if (given < SIZE)
        return CLAIM_MORE;
    reader_skip(&r, MAGIC_SIZE);
    uint8_t type = reader_u8(&r), space = reader_u8(&r), digit = reader_u8(&r);
    bool is_number = digit == '-' || (digit >= '0' && digit <= '9');
    return is_message_type(type) && space == ' ' && is_number ? CLAIM_YES : CLAIM_NO;
}

/* The next line without its end; short when the end is not there. */
static struct text read_line(struct reader *r)
{
    size_t left = reader_left(r);
    const uint8_t *end = left ? memchr(r->at, '\n', left) : NULL;
    if (!end) {
        reader_fail(r);
        return (struct text){NULL, 0};
    }
    struct text line = {(const char *)r->at, (size_t)(end - r->at)};
    reader_skip(r, line.size + 1);
    return line;
}

struct field {
    struct text name;
    char type; /* 0: not a field */
    struct text value;
};

static struct field field_of(struct text line)
{
    struct field f = {.name = line};
    const char *equals = line.size ? memchr(line.at, '=', line.size) : NULL;
    if (!equals)
        return f;
    f.name.size = (size_t)(equals - line.at);
    size_t rest = line.size - f.name.size;
    if (rest < 3 || equals[2] != ':')
        return f;
    f.type = equals[1];
    f.value = (struct text){equals + 3, rest - 3};
    return f;
}

/* The length before the bracket of bytes; false: no bracket in this line. */
static bool bytes_length(struct text value, size_t *length, size_t *before)
{
    size_t i = 0;
    *length = 0;
    for (; i < value.size && value.at[i] != '['; i++) {
        char c = value.at[i];
        if (c >= '0' && c <= '9' && *length < MESSAGE_MAX)
            *length = *length * 10 + (size_t)(c - '0');
        else if (c == ' ')
            *length = 0;
    }
    *before = i + 1;
    return i < value.size;
}

enum step { STEP_FIELD, STEP_DEEPER, STEP_BACK, STEP_END, STEP_MORE, STEP_BROKEN };

/* One field of the body, over its bytes if it has any. */
static enum step read_field(struct reader *r, struct field *f)
{
    struct reader before = *r;
    struct text line = read_line(r);
    if (!reader_ok(r))
        return STEP_MORE;
    *f = field_of(line);
    if (text_equal(line, TEXT("};;")) || text_equal(line, TEXT(";;")))
        return STEP_END;
    if (text_equal(line, TEXT("{")))
        return STEP_DEEPER;
    if (text_equal(line, TEXT("}")))
        return STEP_BACK;
    if (f->type == 'm')
        return text_equal(f->value, TEXT("{")) ? STEP_DEEPER : STEP_FIELD;
    if (f->type != 'b' && f->type != 'o')
        return STEP_FIELD;
    size_t length, bracket, begin = f->name.size + 3;
    if (!bytes_length(f->value, &length, &bracket))
        return STEP_BROKEN;
    *r = before; /* the bytes may hold ends of lines */
    reader_skip(r, begin + bracket + length);
    line = read_line(r);
    if (!reader_ok(r))
        return STEP_MORE;
    return text_equal(line, TEXT("]")) ? STEP_FIELD : STEP_BROKEN;
}

static struct frame fox_frame(struct reader r)
{
    size_t given = reader_left(&r);
    const uint8_t *begin = r.at;
    enum claim claim = fox_recognise(r);
    if (claim == CLAIM_NO)
        return frame_broken_as(VIOLATION_ENCODING, "message does not begin with fox");
    struct reader first = r;
    struct text line = read_line(&first);
    if (!reader_ok(&first) && given < HEADER_MAX)
        return frame_need(given + 1);
    if (!reader_ok(&first) || line.size >= HEADER_MAX)
        return frame_broken("header line does not end");
    r = first;
    for (unsigned depth = 0;;) {
        struct field f;
        switch (read_field(&r, &f)) {
        case STEP_DEEPER:
            if (++depth > DEPTH_MAX)
                return frame_broken_as(VIOLATION_RANGE, "messages are nested too deeply");
            break;
        case STEP_BACK:
            if (depth-- == 0)
                return frame_broken_as(VIOLATION_ENCODING, "brace closes nothing");
            break;
        case STEP_END:
            return frame_of((size_t)(r.at - begin));
        case STEP_MORE:
            if (given >= MESSAGE_MAX)
                return frame_broken("message does not end");
            return frame_need(given + 1);
        case STEP_BROKEN:
            return frame_broken_as(VIOLATION_ENCODING, "bytes do not end where they should");
        case STEP_FIELD:
            break;
        }
    }
}

/* --- header --- */

static struct text next_word(struct text *line)
{
    struct text word = {line->at, 0};
    while (word.size < line->size && word.at[word.size] != ' ')
        word.size++;
    size_t used = word.size + (word.size < line->size);
    line->at += used;
    line->size -= used;
    return word;
}

/* False: -1 or no number. */
static bool number_of(struct text word, uint32_t *number)
{
    uint64_t n = 0;
    if (word.size == 0 || word.size > 10)
        return false;
    for (size_t i = 0; i < word.size; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(word.at[i] - '0');
    }
    *number = (uint32_t)n;
    return n <= UINT32_MAX;
}

static struct header header_of(struct text line)
{
    struct header h = {0};
    next_word(&line);
    struct text type = next_word(&line);
    h.type = type.size == 1 ? type.at[0] : 0;
    h.has_sequence = number_of(next_word(&line), &h.sequence);
    h.has_reply = number_of(next_word(&line), &h.reply);
    h.channel = next_word(&line);
    h.command = next_word(&line);
    return h;
}

static const struct command *command_of(struct text text)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (text_equal(text_of(commands[i].text), text))
            return &commands[i];
    return NULL;
}

static void fox_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    snprintf(out, OT_CODE_SIZE, "0x%02x", (unsigned)code[0]);
}

/* --- what it says --- */

struct message {
    struct dissect *d;
    struct ot_event event;
    struct ot_fact facts[FACTS_MAX];
    struct text os, os_version, vm, vm_version;
};

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    if (value.size == 0 || value.size > FACT_TEXT_MAX || m->event.fact_count == FACTS_MAX)
        return;
    m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->facts;
}

static void add_versioned(struct message *m, enum fact_kind kind, struct text name,
                          struct text version)
{
    if (name.size && name.size + version.size < FACT_TEXT_MAX)
        add_fact(m, kind,
                 dissect_text(m->d, "%.*s %.*s", (int)name.size, name.at, (int)version.size,
                              version.size ? version.at : ""));
}

/* What a hello tells. A host may run a station and Workbench: only the server's say is its product.
 */
static void tell(struct message *m, const struct field *f)
{
    static const struct {
        const char *name;
        enum fact_kind kind;
        bool is_of_server;
    } rows[] = {
        {"hostName",     FACT_HOST_NAME, false},
        {"hostAddress",  FACT_IP,        false},
        {"hostId",       FACT_SERIAL,    false},
        {"station.name", FACT_NAME,      false},
        {"brandId",      FACT_VENDOR,    true },
        {"app.name",     FACT_PRODUCT,   true },
        {"app.version",  FACT_SOFTWARE,  true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_equal(f->name, text_of(rows[i].name)) &&
            (!rows[i].is_of_server || !m->d->is_from_client))
            add_fact(m, rows[i].kind, f->value);
    if (text_equal(f->name, TEXT("os.name")))
        m->os = f->value;
    if (text_equal(f->name, TEXT("os.version")))
        m->os_version = f->value;
    if (text_equal(f->name, TEXT("vm.name")))
        m->vm = f->value;
    if (text_equal(f->name, TEXT("vm.version")))
        m->vm_version = f->value;
}

static void log_in(struct message *m, const struct field *f)
{
    if (text_equal(f->name, TEXT("username")) || text_equal(f->name, TEXT("user"))) {
        add_fact(m, FACT_USER_NAME, f->value);
    } else if (text_equal(f->name, TEXT("password")) && f->value.size) {
        m->event.flags |= OT_HAS_CREDENTIAL;
        m->event.secret = (const uint8_t *)f->value.at;
        m->event.secret_size = f->value.size;
    }
}

static void read_body(struct message *m, struct reader r, bool is_hello)
{
    for (;;) {
        struct field f;
        enum step step = read_field(&r, &f);
        if (step == STEP_END || step == STEP_MORE || step == STEP_BROKEN)
            break;
        if (step != STEP_FIELD || f.type != 's')
            continue;
        if (is_hello)
            tell(m, &f);
        else
            log_in(m, &f);
    }
    add_versioned(m, FACT_OS, m->os, m->os_version);
    add_versioned(m, FACT_COMMENT, m->vm, m->vm_version);
}

/* Each side counts its messages; keep alive and close have no number. */
static void judge_sequence(struct dissect *d, const struct header *h, struct reader pdu)
{
    struct state *s = d->state;
    bool from = d->is_from_client;
    if (!h->has_sequence || h->type == 'k' || h->type == 'c')
        return;
    bool is_wrapped = s->sequence[from] >= INT32_MAX - 1 && h->sequence <= 1;
    if (s->has_sequence[from] && h->sequence != s->sequence[from] + 1 && !is_wrapped)
        emit_violation(d, VIOLATION_SEQUENCE, "sequence number does not follow the last", pdu.at,
                       reader_left(&pdu));
    s->has_sequence[from] = true;
    s->sequence[from] = h->sequence;
}

static void set_status(struct ot_event *e, const struct header *h, uint8_t code)
{
    enum { RETRY = 0x18, REJECTED = 0x19, WELCOME = 0x17 };
    if (h->type == 'e')
        e->status = (struct ot_status){OT_RESULT_ERROR, 'e', "error"};
    else if (code == REJECTED || code == RETRY)
        e->status = (struct ot_status){OT_RESULT_ERROR, code, "rejected"};
    else if (h->type == 'r' || h->type == 'n' || code == WELCOME)
        e->status.result = OT_RESULT_OK;
}

static void fox_dissect(struct dissect *d, struct reader r)
{
    enum { HELLO = 0x01 };
    struct message m;
    struct reader pdu = r;
    struct text line = read_line(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "header line does not end", pdu.at,
                       reader_left(&pdu));
        return;
    }
    struct header h = header_of(line);
    const struct command *c = command_of(h.command);
    uint8_t code = c ? c->code : COMMAND_OTHER;
    m.d = d;
    m.os = m.os_version = m.vm = m.vm_version = (struct text){NULL, 0};
    event_start(&m.event, d);
    m.event.code[0] = m.event.function = code;
    m.event.spell = fox_spell;
    m.event.name = c ? c->name : NULL;
    m.event.operation = c ? c->operation : OP_UNKNOWN;
    m.event.unit = text_equal(h.channel, TEXT("fox")) ? (struct text){NULL, 0} : h.channel;
    m.event.detail = c ? (struct text){NULL, 0} : h.command;
    m.event.telling = pdu.at;
    m.event.telling_size = reader_left(&pdu);
    m.event.transaction = h.reply;
    m.event.has_transaction = h.has_reply;
    set_status(&m.event, &h, code);
    if (!is_message_type((uint8_t)h.type))
        emit_violation(d, VIOLATION_FUNCTION, "message type is unknown", pdu.at, reader_left(&pdu));
    judge_sequence(d, &h, pdu);
    read_body(&m, r, code == HELLO);
    emit_event(d, &m.event);
}

const struct dissector dissector_fox = {
    .name = "fox",
    .spec = "not published; PROTOCOLS 30",
    .over = OVER_TCP,
    .ports = {1911},
    .state_size = sizeof(struct state),
    .pdu_max = MESSAGE_MAX,
    .recognise = fox_recognise,
    .frame = fox_frame,
    .dissect = fox_dissect,
};
