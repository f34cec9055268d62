/* iec104.c: the APCI of IEC 60870-5-104: framing, start and stop of data transfer, sequence.
 *
 * Spec: [104] IEC 60870-5-104, 5
 *
 *   | start 1, =0x68 | length of what follows 1, 4 to 253 | control 4 | ASDU, I frames only |
 *   control:  I  | N(S) << 1, 2 LE | N(R) << 1, 2 LE |
 *             S  | 1 | 0 | N(R) << 1, 2 LE |
 *             U  | function | 0 | 0 | 0 |
 */
#include "iec104_asdu.h"

#include "sensor/base/text.h"

enum {
    START = 0x68,
    LENGTH_MIN = 4,
    LENGTH_MAX = 253,
    HEADER_SIZE = 6,
    RECOGNISED_BY = 9, /* start to cause of transmission */
    SEQUENCE_MASK = 0x7fff,
    SEQUENCE_HALF = 0x4000,
    TEST_STORM = 20, /* TESTFR act within a second: t3 is 20 s by default ([104] 9.6) */
};

enum u_function {
    STARTDT_ACT = 0x07,
    STARTDT_CON = 0x0b,
    STOPDT_ACT = 0x13,
    STOPDT_CON = 0x23,
    TESTFR_ACT = 0x43,
    TESTFR_CON = 0x83,
};

static const struct function {
    uint8_t code;
    bool is_answer; /* of the function that asks */
    bool is_by_controlling;
    const char *name;
    enum operation operation;
} functions[] = {
    {STARTDT_ACT, false, true,  "startdt_act", OP_SESSION    },
    {STARTDT_CON, true,  false, "startdt_con", OP_SESSION    },
    {STOPDT_ACT,  false, true,  "stopdt_act",  OP_SUBSCRIBE  }, /* no more reports from now on */
    {STOPDT_CON,  true,  false, "stopdt_con",  OP_SUBSCRIBE  },
    {TESTFR_ACT,  false, false, "testfr_act",  OP_DIAGNOSTICS},
    {TESTFR_CON,  true,  false, "testfr_con",  OP_DIAGNOSTICS},
};

/* What one side has sent. */
struct side {
    uint16_t next; /* N(S) of its next I frame */
    bool is_known;
    bool is_acknowledged_beyond; /* the other side says it has more than we saw */
};

struct state {
    struct iec104_asdu_state asdu;
    struct side sides[2]; /* 1: the client */
    bool is_asked, is_started;
    bool is_unstarted_told; /* once a flow */
    bool is_beginning_seen;
    int64_t test_window_ns;
    uint16_t tests;
};

static const struct function *function_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (functions[i].code == code)
            return &functions[i];
    return NULL;
}

static enum claim recognise_i(struct reader r, size_t length)
{
    size_t given = reader_left(&r);
    reader_skip(&r, HEADER_SIZE);
    struct reader asdu = reader_take(&r, length - LENGTH_MIN);
    if (given < HEADER_SIZE + length - LENGTH_MIN)
        return CLAIM_MORE;
    if (iec104_asdu_fits(asdu))
        return CLAIM_YES;
    uint8_t type = reader_u8(&asdu);
    uint8_t qualifier = reader_u8(&asdu);
    uint8_t cause = reader_u8(&asdu);
    return reader_ok(&asdu) && iec104_type_of(type) && (qualifier || cause) ? CLAIM_WEAK : CLAIM_NO;
}

static enum claim iec104_recognise(struct reader r)
{
    struct reader whole = r;
    uint8_t start = reader_u8(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (start != START)
        return CLAIM_NO;
    uint8_t length = reader_u8(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (length < LENGTH_MIN || length > LENGTH_MAX)
        return CLAIM_NO;
    uint8_t first = reader_u8(&r), second = reader_u8(&r);
    uint8_t third = reader_u8(&r), fourth = reader_u8(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    switch (first & 3) {
    case 3:
        if (second || third || fourth)
            return CLAIM_NO;
        return length == LENGTH_MIN && function_of(first) ? CLAIM_YES : CLAIM_WEAK;
    case 1:
        return first == 1 && second == 0 && !(third & 1) ? CLAIM_WEAK : CLAIM_NO;
    default:
        return third & 1 ? CLAIM_NO : recognise_i(whole, length);
    }
}

static struct frame iec104_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given && reader_peek(&r) != START)
        return frame_broken_as(VIOLATION_ENCODING, "APCI does not begin with 68");
    reader_skip(&r, 1);
    uint8_t length = reader_u8(&r);
    if (!reader_ok(&r))
        return frame_need(2);
    if (length < LENGTH_MIN || length > LENGTH_MAX)
        return frame_broken("APCI length out of range");
    size_t size = 2u + length;
    return given < size ? frame_need(size) : frame_of(size);
}

/* --- state of the connection --- */

/* Nobody has to have seen the beginning: what was not seen is taken as it comes. */
static void look_at_beginning(struct dissect *d, struct state *s)
{
    if (s->is_beginning_seen || !d->flow->is_start_seen)
        return;
    s->is_beginning_seen = true;
    s->sides[0].is_known = s->sides[1].is_known = true;
}

/* [104] 5.1: the other side has received all before N(R), so that it must have been sent. A capture
 * may have lost it: the next I frame tells. */
static void look_at_acknowledged(struct dissect *d, struct state *s, uint16_t receive)
{
    struct side *other = &s->sides[!d->is_from_client];
    uint16_t beyond = (receive - other->next) & SEQUENCE_MASK;
    if (other->is_known && d->flow->is_two_sided && beyond > 0 && beyond < SEQUENCE_HALF)
        other->is_acknowledged_beyond = true;
}

static void check_sent(struct dissect *d, struct state *s, uint16_t send, struct reader pdu)
{
    struct side *side = &s->sides[d->is_from_client];
    if (side->is_known && side->next != send)
        emit_violation(d, VIOLATION_SEQUENCE, "send sequence number jumps", pdu.at,
                       reader_left(&pdu));
    else if (side->is_acknowledged_beyond)
        emit_violation(d, VIOLATION_SEQUENCE, "was acknowledged before it was sent", pdu.at,
                       reader_left(&pdu));
    side->next = (send + 1) & SEQUENCE_MASK;
    side->is_known = true;
    side->is_acknowledged_beyond = false;
}

static void check_started(struct dissect *d, struct state *s, struct reader pdu)
{
    bool is_started = s->is_started || (s->is_asked && !d->flow->is_two_sided);
    if (is_started || !s->is_beginning_seen || s->is_unstarted_told)
        return;
    s->is_unstarted_told = true;
    emit_violation(d, VIOLATION_STATE, "I frame before data transfer was started", pdu.at,
                   reader_left(&pdu));
}

static void check_tests(struct dissect *d, struct state *s, struct reader pdu)
{
    static const int64_t second_ns = 1000000000;
    if (d->time_ns - s->test_window_ns >= second_ns || d->time_ns < s->test_window_ns) {
        s->test_window_ns = d->time_ns;
        s->tests = 0;
    }
    if (s->tests < TEST_STORM && ++s->tests == TEST_STORM)
        emit_violation(d, VIOLATION_STATE, "TESTFR storm", pdu.at, reader_left(&pdu));
}

static void transfer_state(struct dissect *d, struct state *s, uint8_t function, struct reader pdu)
{
    switch (function) {
    case STARTDT_ACT:
        s->is_asked = true;
        break;
    case STARTDT_CON:
        s->is_started = true;
        break;
    case STOPDT_ACT:
        s->is_asked = false;
        break;
    case STOPDT_CON:
        s->is_started = s->is_unstarted_told = false;
        break;
    case TESTFR_ACT:
        check_tests(d, s, pdu);
        break;
    default:
        break;
    }
}

/* --- frames --- */

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0])
        text_format(out, OT_CODE_SIZE, "U:0x%08x", code[0] >> 2);
    else
        text_copy(out, OT_CODE_SIZE, TEXT("S"));
}

static void frame_event(struct ot_event *e, const struct dissect *d, struct reader pdu)
{
    event_start(e, d);
    e->protocol = "iec104_apci";
    e->spell = spell;
    e->operation = OP_SESSION;
    e->telling = pdu.at;
    e->telling_size = reader_left(&pdu);
}

static void dissect_u(struct dissect *d, struct state *s, uint8_t first, struct reader pdu)
{
    const struct function *f = function_of(first);
    if (f && (f->is_by_controlling || f->code == STARTDT_CON || f->code == STOPDT_CON))
        dissect_sender_is_client(d, f->is_by_controlling);
    struct ot_event e;
    frame_event(&e, d, pdu);
    e.code[0] = e.function = first;
    if (f) {
        e.name = f->name;
        e.operation = f->operation;
        if (f->is_answer)
            e.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
        transfer_state(d, s, first, pdu);
        if (d->is_from_client ? f->code == STARTDT_CON || f->code == STOPDT_CON
                              : f->is_by_controlling)
            emit_violation(d, VIOLATION_DIRECTION, "sent by the wrong station", pdu.at,
                           reader_left(&pdu));
    } else {
        e.operation = OP_UNKNOWN;
        emit_violation(d, VIOLATION_FUNCTION, "U frame of an undefined function", pdu.at,
                       reader_left(&pdu));
    }
    emit_event(d, &e);
}

static void dissect_s(struct dissect *d, struct state *s, uint16_t receive, struct reader pdu)
{
    look_at_acknowledged(d, s, receive);
    struct ot_event e;
    frame_event(&e, d, pdu);
    e.name = "acknowledge";
    emit_event(d, &e);
}

static void iec104_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    struct reader pdu = r;
    reader_skip(&r, 1);
    uint8_t length = reader_u8(&r);
    uint16_t send = reader_u16le(&r), receive = reader_u16le(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "APCI is cut off", NULL, 0);
        return;
    }
    if (length != reader_left(&r) + LENGTH_MIN)
        emit_violation(d, VIOLATION_LENGTH, "APCI length is not the frame's", pdu.at,
                       reader_left(&pdu));
    look_at_beginning(d, s);
    iec104_selects_look(d, &s->asdu);
    if (!(send & 1)) {
        if (receive & 1)
            emit_violation(d, VIOLATION_RESERVED, "lowest bit of N(R) is not 0", pdu.at,
                           HEADER_SIZE);
        check_started(d, s, pdu);
        look_at_acknowledged(d, s, receive >> 1);
        check_sent(d, s, send >> 1, pdu);
        iec104_asdu_dissect(d, &s->asdu, r);
        return;
    }
    if (reader_left(&r))
        emit_violation(d, VIOLATION_LENGTH, "S or U frame with a payload", pdu.at,
                       reader_left(&pdu));
    if (send & 2) {
        if (send >> 8 || receive)
            emit_violation(d, VIOLATION_RESERVED, "reserved octets of a U frame are not 0", pdu.at,
                           HEADER_SIZE);
        dissect_u(d, s, (uint8_t)send, pdu);
    } else {
        if (send != 1 || (receive & 1))
            emit_violation(d, VIOLATION_RESERVED, "reserved bits of an S frame are not 0", pdu.at,
                           HEADER_SIZE);
        dissect_s(d, s, receive >> 1, pdu);
    }
}

const struct dissector dissector_iec104 = {
    .name = "iec104",
    .spec = "IEC 60870-5-104",
    .over = OVER_TCP,
    .ports = {2404},
    .state_size = sizeof(struct state),
    .pdu_max = 2 + LENGTH_MAX,
    .recognise = iec104_recognise,
    .frame = iec104_frame,
    .dissect = iec104_dissect,
};
