/* tpkt.c: ISO transport on TCP, the carrier of S7comm and MMS.
 *
 * Spec: [1006] RFC 1006, ISO Transport Service on top of the TCP
 *       [X224] ITU-T X.224 (ISO 8073), class 0
 *
 *   | version 1, =3 | reserved 1, =0 | length 2, with these four | COTP |
 *   COTP: | length of the header behind this byte 1 | type and credit 1 | ... | user data |
 *   DT:   | 2 | 0xf0 | end of TSDU: bit 7, number: bits 6-0 | user data |
 *   CR:   | n | 0xe0 | destination 2 | source 2 | class 1 | parameters: code 1, size 1, value |
 *
 * A carrier gives no events. What it says of itself is the sub-address (unit) of the connection,
 * from the TSAPs of CR and CC, and violations. */
#include "dissector.h"

enum {
    TPKT_SIZE = 4,
    TPKT_VERSION = 3,
    TPKT_LENGTH_MIN = 7, /* [1006] 6: with the smallest TPDU */
    TPKT_LENGTH_MAX = 65535,
    CONNECT_SIZE_MIN = 6, /* [X224] 13.3: type, two references, class */
    DATA_SIZE = 2,        /* [X224] 13.7: type, end of TSDU */
    END_OF_TSDU = 0x80,
    PARAMETER_CALLED_TSAP = 0xc2, /* [X224] 13.3.4 */
    TSAP_RACK_SLOT_SIZE = 2,
    TSAP_KIND_MAX = 3, /* PG, OP, other */
    UNIT_SIZE = 40,
};

/* State of a flow that sends TSDUs in pieces: enough for S7 at first, at last for the 64 KiB of an
 * MMS PDU in both directions. */
static const size_t state_sizes[] = {4096, 16384, DISSECT_GROWN_MAX};

enum cotp { /* [X224] 13.1, high nibble of the type */
            COTP_ED = 1,
            COTP_EA = 2,
            COTP_RJ = 5,
            COTP_AK = 6,
            COTP_ER = 7,
            COTP_DR = 8,
            COTP_DC = 12,
            COTP_CC = 13,
            COTP_CR = 14,
            COTP_DT = 15,
};

/* A TSDU that arrives in several DT. */
struct pieces {
    size_t size;
    bool is_lost; /* it became too long: nothing is handed on until its end */
};

struct state {
    struct pieces pieces[2]; /* 1: from the client */
    bool is_open;            /* a CC or data was seen */
    uint8_t unit_size;
    char unit[UNIT_SIZE];
    size_t room;     /* for the pieces of a direction; 0 until some come */
    uint8_t bytes[]; /* twice room, as pieces */
};

static bool is_parameter(uint8_t code)
{
    /* [X224] 13.3.4: TPDU size, TSAPs, checksum, version, protection, class, timers, error rates */
    return (code >= 0xc0 && code <= 0xc7) || (code >= 0x85 && code <= 0x8b) || code == 0xf0;
}

/* A CR or CC has TSAPs here. Without any it may be another user of TPKT (remote desktop puts a
 * cookie there). */
static enum claim recognise_connect(struct reader header)
{
    bool has_tsap = false;
    reader_skip(&header, CONNECT_SIZE_MIN);
    if (!reader_ok(&header))
        return CLAIM_NO;
    while (reader_left(&header)) {
        uint8_t code = reader_u8(&header);
        uint8_t size = reader_u8(&header);
        reader_skip(&header, size);
        if (!reader_ok(&header) || !is_parameter(code))
            return CLAIM_NO;
        has_tsap |= code == 0xc1 || code == PARAMETER_CALLED_TSAP;
    }
    return has_tsap ? CLAIM_YES : CLAIM_WEAK;
}

/* First bytes of what is known to travel over COTP, and of T.125 (remote desktop), which is not
 * ours. */
static enum claim recognise_user_data(struct reader r)
{
    if (!reader_left(&r))
        return CLAIM_WEAK; /* an empty DT: S7 CPUs and their tools acknowledge with it */
    switch (reader_u8(&r)) {
    case 0x32: /* S7comm */
    case 0x72: /* S7comm-plus */
    case 0x0d: /* session connect */
    case 0x0e: /* session accept */
    case 0x01: /* session data */
        return CLAIM_YES;
    case 0x64: /* T.125 send data request */
    case 0x68: /* T.125 send data indication */
    case 0x7f: /* T.125 connect */
        return CLAIM_NO;
    default:
        return CLAIM_WEAK;
    }
}

static enum claim tpkt_recognise(struct reader r)
{
    uint8_t first[TPKT_SIZE + 2] = {TPKT_VERSION, 0, 0, 0, 0, 0};
    size_t given = reader_left(&r) < sizeof first ? reader_left(&r) : sizeof first;
    struct reader peek = r;
    for (size_t i = 0; i < given; i++)
        first[i] = reader_u8(&peek);
    if (first[0] != TPKT_VERSION || first[1] != 0)
        return CLAIM_NO;
    if (given < sizeof first)
        return CLAIM_MORE;

    size_t length = (size_t)first[2] << 8 | first[3];
    size_t header_size = first[4];
    if (length < TPKT_LENGTH_MIN || header_size < DATA_SIZE || TPKT_SIZE + 1 + header_size > length)
        return CLAIM_NO;
    bool is_whole = reader_left(&r) >= length;
    reader_skip(&r, TPKT_SIZE + 1);
    if (header_size > reader_left(&r))
        return CLAIM_MORE;
    struct reader header = reader_take(&r, header_size);
    switch (first[5] >> 4) {
    case COTP_CR:
    case COTP_CC:
        return recognise_connect(header);
    case COTP_DT:
        if (header_size != DATA_SIZE || first[5] != 0xf0)
            return CLAIM_NO;
        if (!reader_left(&r) && !is_whole)
            return CLAIM_MORE;
        return recognise_user_data(r);
    case COTP_DR:
    case COTP_DC:
    case COTP_ER:
        return CLAIM_WEAK;
    default:
        return CLAIM_NO;
    }
}

static struct frame tpkt_frame(struct reader r)
{
    if (reader_left(&r) > 0 && reader_peek(&r) != TPKT_VERSION)
        return frame_broken_as(VIOLATION_ENCODING, "TPKT version is not 3");
    reader_skip(&r, 2);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return frame_need(TPKT_SIZE);
    if (length < TPKT_LENGTH_MIN)
        return frame_broken("TPKT length below 7");
    if (length - (size_t)TPKT_SIZE > reader_left(&r))
        return frame_need(length);
    return frame_of(length);
}

/* --- the connection's sub-address --- */

static void unit_add(struct state *s, const char *text, size_t size)
{
    for (size_t i = 0; i < size && s->unit_size < UNIT_SIZE; i++)
        s->unit[s->unit_size++] = text[i];
}

static void unit_add_number(struct state *s, unsigned n)
{
    if (n >= 10)
        unit_add(s, (const char[]){(char)('0' + n / 10)}, 1);
    unit_add(s, (const char[]){(char)('0' + n % 10)}, 1);
}

/* S7: | kind 1: PG, OP, other | rack: bits 7-5, slot: bits 4-0 |; other TSAPs as text or hex. */
static void set_unit(struct state *s, struct reader tsap)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *bytes = tsap.at;
    size_t size = reader_left(&tsap);
    bool is_text = size > TSAP_RACK_SLOT_SIZE;
    for (size_t i = 0; i < size; i++)
        is_text &= bytes[i] > ' ' && bytes[i] < 0x7f;

    s->unit_size = 0;
    if (size == TSAP_RACK_SLOT_SIZE && bytes[0] >= 1 && bytes[0] <= TSAP_KIND_MAX) {
        unit_add(s, "rack ", 5);
        unit_add_number(s, bytes[1] >> 5);
        unit_add(s, " slot ", 6);
        unit_add_number(s, bytes[1] & 0x1f);
        return;
    }
    if (size)
        unit_add(s, "tsap ", 5);
    for (size_t i = 0; i < size; i++) {
        if (is_text)
            unit_add(s, (const char *)&bytes[i], 1);
        else
            unit_add(s, (const char[]){hex[bytes[i] >> 4], hex[bytes[i] & 15]}, 2);
    }
}

/* CR and CC: whose TSAP is called is the same in both. */
static void dissect_connect(struct dissect *d, struct reader header)
{
    struct state *s = d->state;
    struct reader whole = header;
    reader_skip(&header, CONNECT_SIZE_MIN);
    while (reader_left(&header)) {
        uint8_t code = reader_u8(&header);
        uint8_t size = reader_u8(&header);
        struct reader value = reader_take(&header, size);
        if (reader_ok(&value) && code == PARAMETER_CALLED_TSAP)
            set_unit(s, value);
    }
    if (!reader_ok(&header))
        emit_violation(d, VIOLATION_LENGTH, "COTP parameter past the end of its header", whole.at,
                       reader_left(&whole));
}

static void connection_begins(struct state *s)
{
    s->is_open = false;
    for (int i = 0; i < 2; i++) {
        s->pieces[i].size = 0;
        s->pieces[i].is_lost = false;
    }
}

/* --- data --- */

static void hand_on(struct dissect *d, struct reader user_data)
{
    const struct state *s = d->state;
    struct carrier carrier = {
        .unit = {s->unit, s->unit_size},
          .is_response = !d->is_from_client
    };
    dissect_over(d, OVER_COTP, user_data, &carrier);
}

static uint8_t *pieces_bytes(struct state *s, bool is_from_client)
{
    return s->bytes + (is_from_client ? s->room : 0);
}

/* Makes place for so many bytes of a direction. Moves d->state. */
static bool pieces_reserve(struct dissect *d, size_t size)
{
    for (size_t i = 0; i < sizeof state_sizes / sizeof *state_sizes; i++) {
        struct state *s = d->state;
        size_t old_room = s->room;
        if (size <= old_room)
            return true;
        size_t room = (state_sizes[i] - sizeof *s) / 2;
        if (size > room)
            continue;
        if (!dissect_grow(d, state_sizes[i]))
            return false;
        s = d->state;
        memmove(s->bytes + room, s->bytes + old_room, s->pieces[1].size);
        s->room = room;
        return true;
    }
    return false;
}

static void pieces_add(struct dissect *d, struct reader user_data)
{
    size_t size = reader_left(&user_data);
    struct pieces *p = &((struct state *)d->state)->pieces[d->is_from_client];
    if (p->is_lost || size == 0)
        return;
    if (!pieces_reserve(d, p->size + size)) {
        p->is_lost = true;
        emit_violation(d, VIOLATION_LENGTH, "COTP message in pieces is too long to follow",
                       user_data.at, size);
        return;
    }
    struct state *s = d->state;
    p = &s->pieces[d->is_from_client];
    memcpy(pieces_bytes(s, d->is_from_client) + p->size, user_data.at, size);
    p->size += size;
}

static void dissect_data(struct dissect *d, struct reader header, struct reader user_data)
{
    struct state *s = d->state;
    struct pieces *p = &s->pieces[d->is_from_client];
    reader_skip(&header, 1);
    bool is_end = reader_u8(&header) & END_OF_TSDU;
    if (!reader_ok(&header)) {
        emit_violation(d, VIOLATION_LENGTH, "COTP data header is too short", NULL, 0);
        return;
    }
    s->is_open = true;
    size_t size = reader_left(&user_data);
    if (is_end && p->size == 0 && !p->is_lost) { /* the usual case: one DT, nothing to copy */
        if (size)
            hand_on(d, user_data);
        return;
    }
    bool is_from_client = d->is_from_client;
    pieces_add(d, user_data);
    if (!is_end)
        return;
    s = d->state;
    p = &s->pieces[is_from_client];
    if (!p->is_lost && p->size)
        hand_on(d, reader_of(pieces_bytes(s, is_from_client), p->size));
    p->size = 0;
    p->is_lost = false;
}

static void tpkt_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    struct reader whole = r;
    reader_skip(&r, 1);
    if (reader_u8(&r) != 0)
        emit_violation(d, VIOLATION_RESERVED, "TPKT reserved byte is not 0", whole.at, 2);
    reader_skip(&r, 2); /* length: checked by frame */
    uint8_t header_size = reader_u8(&r);
    struct reader header = reader_take(&r, header_size);
    if (!reader_ok(&header) || header_size == 0) {
        emit_violation(d, VIOLATION_LENGTH, "COTP header length does not fit in the TPKT", whole.at,
                       reader_left(&whole));
        return;
    }
    switch (reader_peek(&header) >> 4) {
    case COTP_DT:
        dissect_data(d, header, r);
        break;
    case COTP_CR:
        if (s->is_open)
            emit_violation(d, VIOLATION_STATE, "COTP connection request on an open connection",
                           header.at, header_size);
        if (header_size < CONNECT_SIZE_MIN)
            emit_violation(d, VIOLATION_LENGTH, "COTP connection request is too short", header.at,
                           header_size);
        connection_begins(s);
        dissect_sender_is_client(d, true);
        dissect_connect(d, header);
        break;
    case COTP_CC:
        if (header_size < CONNECT_SIZE_MIN)
            emit_violation(d, VIOLATION_LENGTH, "COTP connection confirm is too short", header.at,
                           header_size);
        dissect_sender_is_client(d, false);
        dissect_connect(d, header);
        s->is_open = true;
        break;
    case COTP_DR:
    case COTP_DC:
    case COTP_ER:
        connection_begins(s);
        break;
    case COTP_ED: /* not in class 0; nothing of ours in them */
    case COTP_EA:
    case COTP_RJ:
    case COTP_AK:
        break;
    default:
        emit_violation(d, VIOLATION_FUNCTION, "COTP type is unknown", header.at, 1);
        break;
    }
}

const struct dissector dissector_tpkt = {
    .name = "tpkt",
    .spec = "RFC 1006; ITU-T X.224 class 0",
    .over = OVER_TCP,
    .ports = {102},
    .state_size = sizeof(struct state),
    .pdu_max = TPKT_LENGTH_MAX,
    .recognise = tpkt_recognise,
    .frame = tpkt_frame,
    .dissect = tpkt_dissect,
};
