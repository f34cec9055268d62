/* vnc.c: remote framebuffer: version, how one logs in, whether it is let in, name of the desktop.
 *
 * Spec: [6143] RFC 6143 The Remote Framebuffer Protocol
 *
 *   both: "RFB 003.008\n"; server: | count 1 | security types | (3.3: | type 4 |)
 *   client: | type 1 |; VNC authentication: challenge 16, answer 16; server: | result 4 |
 *   client: | shared 1 |; server: | width 2 | height 2 | pixel format 16 | size 4 | name |
 *
 * What follows is screen, keys and mouse: passed over. After the versions only the step tells how
 * long a message is, so what a segment begins is held until the rest has come. */
#include "ascii.h"

#include <string.h>

enum {
    BANNER_SIZE = 12, /* [6143] 7.1.1 */
    PDU_MAX = 1024,
    NONE = 1,
    VNC = 2,
    CHALLENGE_SIZE = 16,
    INIT_SIZE = 24,
    NAME_MAX = 120,
    HELD_MAX = 1 + 255, /* the most of all: a list of types */
};

enum code { VERSION, SECURITY, LOGIN, RESULT, INIT };
static const char *const names[] = {"version", "security", "login", "login_result", "server_init"};

enum step {
    STEP_VERSION,
    STEP_TYPES,
    STEP_CHOICE,
    STEP_CHALLENGE,
    STEP_ANSWER,
    STEP_RESULT,
    STEP_INIT,
    STEP_DONE
};

/* What one side has said of a message. */
struct held {
    uint16_t size;
    uint8_t bytes[HELD_MAX];
};

struct state {
    uint8_t step, minor, type;
    struct held held[2]; /* by is_from_client */
};
_Static_assert(INIT_SIZE + NAME_MAX <= HELD_MAX, "a greeting with its name can be held");

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%s", names[code[0]]);
}

static struct ot_event event_as(const struct dissect *d, enum code code)
{
    struct ot_event e = event_of(d);
    e.spell = spell;
    e.code[0] = e.function = code;
    e.name = names[code];
    e.operation = code == LOGIN || code == RESULT ? OP_AUTH : OP_SESSION;
    return e;
}

static enum claim vnc_recognise(struct reader r)
{
    static const char pattern[] = "RFB ddd.ddd\n"; /* d: a digit */
    size_t given = reader_left(&r) < BANNER_SIZE ? reader_left(&r) : BANNER_SIZE;
    for (size_t i = 0; i < given; i++) {
        uint8_t c = reader_u8(&r);
        if (pattern[i] == 'd' ? c < '0' || c > '9' : c != (uint8_t)pattern[i])
            return CLAIM_NO;
    }
    return given < BANNER_SIZE ? CLAIM_MORE : CLAIM_YES;
}

static struct frame vnc_frame(struct reader r)
{
    size_t left = reader_left(&r);
    enum claim claim = vnc_recognise(r);
    if (claim == CLAIM_MORE)
        return frame_need(BANNER_SIZE);
    if (claim == CLAIM_YES)
        return frame_of(BANNER_SIZE);
    return frame_of(left < PDU_MAX ? left : PDU_MAX);
}

static void version(struct dissect *d, struct state *s, struct reader r)
{
    enum { MINOR_AT = 8, MINOR_MAX = 255 };
    uint64_t minor = 0;
    struct ot_event e = event_as(d, VERSION);
    e.detail = ascii_trim(ascii_of(r));
    reader_skip(&r, MINOR_AT);
    (void)ascii_number(ascii_of(r), &minor);
    s->minor = (uint8_t)(minor < MINOR_MAX ? minor : MINOR_MAX);
    if (d->is_from_client)
        s->step = STEP_TYPES;
    else
        dissect_sender_is_client(d, false);
    emit_event(d, &e);
}

static const char *type_name(uint8_t type)
{
    switch (type) {
    case 0:
        return "refused";
    case NONE:
        return "no password";
    case VNC:
        return "VNC password";
    case 16:
        return "Tight";
    case 18:
        return "TLS";
    case 19:
        return "VeNCrypt";
    default:
        return "another security type";
    }
}

static void security(struct dissect *d, struct state *s, uint8_t type)
{
    struct ot_event e = event_as(d, SECURITY);
    s->type = type;
    e.code[1] = type;
    e.detail = text_of(type_name(type));
    if (type == 0)
        e.status = (struct ot_status){OT_RESULT_ERROR, 0, "refused"};
    emit_event(d, &e);
    s->step = type == VNC ? STEP_CHALLENGE : STEP_RESULT;
    if (type == NONE && s->minor < 8)
        s->step = STEP_INIT; /* [6143] A: no result before 3.8 */
    if (type != NONE && type != VNC)
        s->step = STEP_DONE;
}

static void login_result(struct dissect *d, struct state *s, struct reader r)
{
    uint32_t result = reader_u32be(&r);
    struct ot_event e = event_as(d, RESULT);
    e.status = result ? (struct ot_status){OT_RESULT_ERROR, result, "login_failed"}
                      : (struct ot_status){.result = OT_RESULT_OK};
    s->step = result ? STEP_DONE : STEP_INIT;
    emit_event(d, &e);
}

static void server_init(struct dissect *d, struct state *s, struct reader r)
{
    uint16_t width = reader_u16be(&r), height = reader_u16be(&r);
    reader_skip(&r, INIT_SIZE - 8);
    uint32_t size = reader_u32be(&r);
    s->step = STEP_DONE;
    if (size > PDU_MAX)
        return;
    struct ot_fact fact = {.kind = FACT_HOST_NAME, .value = ascii_of(r)};
    struct ot_event e = event_as(d, INIT);
    e.detail = dissect_text(d, "screen of %u x %u", width, height);
    e.facts = &fact;
    e.fact_count = size <= NAME_MAX && ascii_is_printable(fact.value) ? 1 : 0;
    emit_event(d, &e);
}

/* Of a message whose first bytes are held; 0: this side has nothing to say now. */
static size_t wanted(const struct state *s, bool is_from_client, const struct held *h)
{
    struct reader r = reader_of(h->bytes, h->size);
    if (is_from_client)
        return s->step == STEP_CHOICE ? 1 : s->step == STEP_ANSWER ? CHALLENGE_SIZE : 0;
    switch (s->step) {
    case STEP_TYPES: /* [6143] 7.1.2; before 3.7 the server decides */
        return s->minor < 7 ? 4 : (size_t)1 + reader_u8(&r);
    case STEP_CHALLENGE:
        return CHALLENGE_SIZE;
    case STEP_RESULT:
        return 4;
    case STEP_INIT:
        reader_skip(&r, INIT_SIZE - 4);
        uint32_t name = reader_u32be(&r);
        return INIT_SIZE + (name <= NAME_MAX ? name : 0);
    default:
        return 0;
    }
}

static void server_says(struct dissect *d, struct state *s, struct reader r)
{
    if (s->step == STEP_TYPES && s->minor < 7) {
        uint32_t type = reader_u32be(&r);
        security(d, s, type > 255 ? 255 : (uint8_t)type);
    } else if (s->step == STEP_TYPES) {
        s->step = STEP_CHOICE;
        if (reader_u8(&r) == 0)
            security(d, s, 0);
    } else if (s->step == STEP_CHALLENGE) {
        s->step = STEP_ANSWER;
    } else if (s->step == STEP_RESULT) {
        login_result(d, s, r);
    } else {
        server_init(d, s, r);
    }
}

static void client_says(struct dissect *d, struct state *s, struct reader r)
{
    if (s->step == STEP_CHOICE) {
        security(d, s, reader_u8(&r));
    } else {
        struct ot_event e = event_as(d, LOGIN);
        e.detail = text_of(type_name(s->type));
        s->step = STEP_RESULT;
        emit_event(d, &e);
    }
}

static void says(struct dissect *d, struct state *s, struct reader r)
{
    bool is_from_client = d->is_from_client;
    struct held *h = &s->held[is_from_client];
    if (is_from_client && s->step == STEP_TYPES && s->held[false].size) {
        s->step = STEP_CHOICE; /* it has seen all of the list */
        s->held[false].size = 0;
    }
    while (reader_left(&r)) {
        size_t size = wanted(s, is_from_client, h);
        if (size == 0) {
            h->size = 0;
            return;
        }
        size_t left = reader_left(&r), more = size - h->size < left ? size - h->size : left;
        memcpy(h->bytes + h->size, reader_bytes(&r, more), more);
        h->size = (uint16_t)(h->size + more);
        if (h->size < wanted(s, is_from_client, h))
            continue;
        struct reader whole = reader_of(h->bytes, h->size);
        h->size = 0;
        if (is_from_client)
            client_says(d, s, whole);
        else
            server_says(d, s, whole);
    }
}

static void vnc_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    if (vnc_recognise(r) == CLAIM_YES && s->step == STEP_VERSION)
        version(d, s, r);
    else if (s->step == STEP_DONE || s->step == STEP_VERSION)
        dissect_skip(d, UINT64_MAX);
    else
        says(d, s, r);
}

const struct dissector dissector_vnc = {
    .name = "vnc",
    .spec = "RFC 6143",
    .over = OVER_TCP,
    .ports = {5900, 5901, 5902, 5903},
    .state_size = sizeof(struct state),
    .pdu_max = PDU_MAX,
    .begins_segments = true,
    .recognise = vnc_recognise,
    .frame = vnc_frame,
    .dissect = vnc_dissect,
};
