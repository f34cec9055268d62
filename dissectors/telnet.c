/* telnet.c: terminal sessions in clear: who logs in, whether it is let in, and what is typed.
 *
 * Spec: [854] RFC 854 Telnet Protocol Specification, [855] RFC 855 Option Specifications
 *
 *   text, and between it: | IAC 0xff | WILL..DONT 0xfb-0xfe | option 1 |
 *                         | IAC | SB 0xfa | option 1 | ... | IAC | SE 0xf0 |
 *
 * What the server asks last (its prompt) tells what the next line of the client is. A password is
 * never kept, nor what is typed where no prompt of a command line was seen. */
#include "default_logins.h"

enum {
    PDU_MAX = 4096,
    IAC = 255, /* [854] */
    DONT = 254,
    WILL = 251,
    SB = 250,
    SE = 240,
    OPTION_MAX = 49, /* assigned one after another up to here (IANA) */
    LINE_SIZE = 96,
    USER_SIZE = 48,
    TAIL_SIZE = 16,
    PROMPT_WINDOW = 128,  /* a prompt is at the end of what the server sends */
    VERDICT_WINDOW = 256, /* and what it says to a password at the beginning */
};

enum code { OPTIONS, LOGIN, PASSWORD, RESULT, COMMAND };
static const char *const names[] = {"options", "login", "password", "login_result", "command"};

enum phase { PHASE_OPEN, PHASE_USER, PHASE_PASSWORD, PHASE_VERDICT };
enum escape { ESCAPE_NONE, ESCAPE_IAC, ESCAPE_OPTION, ESCAPE_SUB, ESCAPE_SUB_IAC };

struct state {
    uint8_t escape[2]; /* enum escape; 1: from the client */
    bool has_options[2];
    uint8_t phase;
    bool is_prompted;  /* the server waits for a command */
    bool is_line_ours; /* it did when this line began */
    bool was_return;
    uint8_t line_size, user_size, tail_size;
    uint64_t digest; /* of the password while it is typed */
    char line[LINE_SIZE], user[USER_SIZE], tail[TAIL_SIZE];
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%s", names[code[0]]);
}

static struct ot_event event_as(const struct dissect *d, enum code code)
{
    struct ot_event e = event_of(d);
    e.code[0] = e.function = code;
    e.spell = spell;
    e.name = names[code];
    e.operation = code == OPTIONS || code == COMMAND ? OP_SESSION : OP_AUTH;
    return e;
}

/* One byte of a direction: true when it is text. */
static bool is_text(uint8_t *escape, uint8_t byte)
{
    switch (*escape) {
    case ESCAPE_IAC:
        *escape = byte == SB ? ESCAPE_SUB : byte >= WILL && byte <= DONT ? ESCAPE_OPTION : 0;
        return false;
    case ESCAPE_SUB:
        if (byte == IAC)
            *escape = ESCAPE_SUB_IAC;
        return false;
    case ESCAPE_SUB_IAC:
        *escape = byte == SE ? ESCAPE_NONE : ESCAPE_SUB;
        return false;
    case ESCAPE_OPTION:
        *escape = ESCAPE_NONE;
        return false;
    default:
        if (byte == IAC)
            *escape = ESCAPE_IAC;
        return byte != IAC;
    }
}

static void emit_user(struct dissect *d, struct ot_event *e, const struct state *s)
{
    struct ot_fact fact = {
        .kind = FACT_USER_NAME, .value = {s->user, s->user_size}
    };
    if (ascii_is_printable(fact.value)) {
        e->facts = &fact;
        e->fact_count = 1;
    }
    emit_event(d, e);
}

/* --- what the client types --- */

static void line_ends(struct dissect *d, struct state *s, const uint8_t *from, const uint8_t *to)
{
    struct text line = ascii_trim((struct text){s->line, s->line_size});
    struct ot_event e = event_as(d, COMMAND);
    e.telling = from;
    e.telling_size = (size_t)(to - from);
    if (s->phase == PHASE_PASSWORD) {
        e = event_as(d, PASSWORD);
        e.flags |= OT_HAS_CREDENTIAL;
        if (default_logins_has_digest("telnet", (struct text){s->user, s->user_size}, s->digest))
            e.flags |= OT_DEFAULT_CREDENTIAL;
        e.secret = e.telling = from;
        e.secret_size = e.telling_size = (size_t)(to - from);
        s->phase = PHASE_VERDICT;
        emit_user(d, &e, s);
    } else if (s->phase == PHASE_USER) {
        s->user_size = (uint8_t)ascii_keep(s->user, USER_SIZE, line).size;
        s->phase = PHASE_OPEN;
        e.code[0] = e.function = LOGIN;
        e.name = names[LOGIN];
        e.operation = OP_AUTH;
        emit_user(d, &e, s);
    } else if (line.size) {
        if (s->is_line_ours && ascii_is_printable(line))
            e.detail = line;
        emit_event(d, &e);
    }
    memset(s->line, 0, sizeof s->line);
    s->line_size = s->tail_size = 0; /* the prompt is answered */
    s->digest = 0;
}

static void type(struct state *s, uint8_t byte)
{
    enum { BACKSPACE = 8, DELETE = 127 };
    if (s->line_size == 0)
        s->is_line_ours = s->is_prompted;
    if ((byte == BACKSPACE || byte == DELETE) && s->line_size)
        s->line_size--;
    else if (s->phase == PHASE_PASSWORD)
        s->digest = default_logins_add(s->digest, byte);
    else if (s->line_size < LINE_SIZE)
        s->line[s->line_size++] = (char)byte;
}

static void client_says(struct dissect *d, struct state *s, struct reader r)
{
    const uint8_t *from = r.at;
    while (reader_left(&r)) {
        const uint8_t *at = r.at;
        uint8_t byte = reader_u8(&r);
        if (!is_text(&s->escape[1], byte))
            continue;
        bool is_end = byte == '\r' || byte == '\n';
        bool is_rest = s->was_return && (byte == '\n' || byte == 0); /* [854]: CR LF or CR NUL */
        s->was_return = byte == '\r';
        if (is_rest)
            from = r.at;
        else if (is_end) {
            line_ends(d, s, from, at);
            from = r.at;
        } else {
            type(s, byte);
        }
    }
}

/* --- what the server shows --- */

static void keep_tail(struct state *s, struct reader r)
{
    size_t left = reader_left(&r);
    if (left > PROMPT_WINDOW)
        reader_skip(&r, left - PROMPT_WINDOW);
    while (reader_left(&r)) {
        uint8_t byte = reader_u8(&r);
        if (!is_text(&s->escape[0], byte) || byte == 0)
            continue;
        if (s->tail_size == TAIL_SIZE)
            memmove(s->tail, s->tail + 1, --s->tail_size);
        s->tail[s->tail_size++] = (char)byte;
    }
}

static enum phase phase_asked(struct text tail)
{
    if (ascii_ends(tail, "password:") || ascii_ends(tail, "passcode:"))
        return PHASE_PASSWORD;
    if (ascii_ends(tail, "login:") || ascii_ends(tail, "username:") || ascii_ends(tail, "user:") ||
        ascii_ends(tail, "user name:") || ascii_ends(tail, "logon:"))
        return PHASE_USER;
    return PHASE_OPEN;
}

static bool is_refusal(struct text t)
{
    static const char *const words[] = {"incorrect", "fail",     "denied",
                                        "invalid",   "bad pass", "wrong"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ascii_contains(t, words[i]))
            return true;
    return false;
}

static void give_verdict(struct dissect *d, struct state *s, struct text shown, enum phase asked)
{
    if (shown.size > VERDICT_WINDOW)
        shown.size = VERDICT_WINDOW;
    bool is_refused = asked != PHASE_OPEN || is_refusal(shown);
    if (ascii_trim(shown).size == 0)
        return; /* the echo of the return key */
    struct ot_event e = event_as(d, RESULT);
    e.status = is_refused ? (struct ot_status){OT_RESULT_ERROR, 1, "login_failed"}
                          : (struct ot_status){.result = OT_RESULT_OK};
    s->phase = PHASE_OPEN;
    emit_event(d, &e);
}

static void server_says(struct dissect *d, struct state *s, struct reader r)
{
    keep_tail(s, r);
    struct text tail = ascii_trim((struct text){s->tail, s->tail_size});
    enum phase asked = phase_asked(tail);
    if (s->phase == PHASE_VERDICT)
        give_verdict(d, s, ascii_of(r), asked);
    if (asked != PHASE_OPEN)
        s->phase = (uint8_t)asked;
    s->is_prompted = tail.size && memchr(">#$%", tail.at[tail.size - 1], 4) != NULL;
}

/* --- */

static bool is_option(struct reader *r)
{
    uint8_t iac = reader_u8(r), verb = reader_u8(r), option = reader_u8(r);
    return reader_ok(r) && iac == IAC && verb >= WILL && verb <= DONT && option <= OPTION_MAX;
}

static enum claim telnet_recognise(struct reader r)
{
    struct text shown = ascii_of(r);
    if (reader_peek(&r) == IAC) {
        if (reader_left(&r) < 3)
            return CLAIM_MORE;
        if (!is_option(&r))
            return CLAIM_NO;
        return is_option(&r) ? CLAIM_YES : CLAIM_WEAK;
    }
    if (shown.size > PROMPT_WINDOW) {
        shown.at += shown.size - PROMPT_WINDOW;
        shown.size = PROMPT_WINDOW;
    }
    return phase_asked(ascii_trim(shown)) != PHASE_OPEN ? CLAIM_WEAK : CLAIM_NO;
}

/* What has come, but a command that has only begun: IAC, or IAC and its verb. IAC twice is a
 * character. */
static struct frame telnet_frame(struct reader r)
{
    size_t left = reader_left(&r);
    if (left == 0)
        return frame_need(1);
    if (left > PDU_MAX)
        return frame_of(PDU_MAX);
    bool is_verb = left > 1 && r.at[left - 1] >= WILL && r.at[left - 1] <= DONT;
    size_t end = is_verb ? left - 1 : left, run = 0;
    while (run < end && r.at[end - 1 - run] == IAC)
        run++;
    if (run % 2 == 0)
        return frame_of(left);
    return end > 1 ? frame_of(end - 1) : frame_need(left + 1);
}

static void telnet_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    struct reader peek = r;
    if (!s->has_options[d->is_from_client] && is_option(&peek)) {
        s->has_options[d->is_from_client] = true;
        struct ot_event e = event_as(d, OPTIONS);
        emit_event(d, &e);
    }
    if (d->is_from_client)
        client_says(d, s, r);
    else
        server_says(d, s, r);
}

const struct dissector dissector_telnet = {
    .name = "telnet",
    .spec = "RFC 854, RFC 855",
    .over = OVER_TCP,
    .ports = {23},
    .state_size = sizeof(struct state),
    .pdu_max = PDU_MAX,
    .begins_segments = true,
    .recognise = telnet_recognise,
    .frame = telnet_frame,
    .dissect = telnet_dissect,
};
