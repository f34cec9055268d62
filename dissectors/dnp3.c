/* dnp3.c: link and transport layers of DNP3, on TCP, UDP and whatever carries a serial line.
 *
 * Spec: [1815] IEEE 1815-2012, 8 (transport), 9 (data link), annex E (CRC)
 *
 *   | start 0x05 0x64 | length 1 | control 1 | destination 2 LE | source 2 LE | CRC 2 LE |
 *   then blocks of up to 16 bytes, each with a CRC 2 LE: length - 5 bytes in all
 *   control: DIR 80 (from the master), PRM 40, FCB 20, FCV or DFC 10, function 0f
 *   the first byte of the data: FIN 80, FIR 40, sequence 3f
 */
#include "dnp3.h"

#include "crc.h"
#include "decimal.h"

enum {
    HEADER_SIZE = 10,
    HEADER_CHECKED = 8, /* under the CRC of the header */
    LENGTH_MIN = 5,     /* control, destination, source */
    BLOCK_SIZE = 16,
    CRC_SIZE = 2,
    DATA_MAX = 250,
    FRAME_MAX = HEADER_SIZE + DATA_MAX + 16 * CRC_SIZE,

    DIRECTION = 0x80,
    PRIMARY = 0x40,
    COUNT_BIT = 0x20,
    COUNT_VALID = 0x10, /* of a primary frame; DFC of a secondary one */
    FUNCTION_BITS = 0x0f,
    CONFIRMED_DATA = 3,
    UNCONFIRMED_DATA = 4,

    TRANSPORT_FINAL = 0x80,
    TRANSPORT_FIRST = 0x40,
    TRANSPORT_SEQUENCE = 0x3f,

    SELF_ADDRESS = 0xfffc,

    /* Fragments in pieces, two at a time: 2048 is the greatest that all implementations take
     * ([1815] 4.2.1), the other one has what is left of a flow's state. */
    LARGE_SIZE = 2048,
    SMALL_SIZE = 1792,
};

/* A fragment that arrives in several frames. */
struct pieces {
    uint16_t source, destination;
    uint16_t size;
    uint8_t sequence; /* of the next one */
    bool is_busy;
};

struct state {
    struct dnp3_application application;
    struct pieces pieces[2];
    bool has_begun;        /* a first piece was seen */
    bool has_count_bit[2]; /* 1: of frames from the master */
    uint8_t count_bit[2];
    uint8_t large[LARGE_SIZE];
    uint8_t small[SMALL_SIZE];
};
_Static_assert(sizeof(struct state) <= DISSECTOR_STATE_MAX, "fits in a flow's state");

/* The next size bytes and their CRC; NULL: they are not there, or the CRC is wrong (then r goes
 * on). */
static const uint8_t *checked_bytes(struct reader *r, size_t size)
{
    const uint8_t *bytes = reader_bytes(r, size);
    unsigned crc = 0xffffu - reader_u16le(r);
    return reader_ok(r) && crc == crc16_dnp(0, bytes, size) ? bytes : NULL;
}

static size_t frame_size(uint8_t length)
{
    size_t data = length - (size_t)LENGTH_MIN;
    return HEADER_SIZE + data + (data + BLOCK_SIZE - 1) / BLOCK_SIZE * CRC_SIZE;
}

static enum claim dnp3_recognise(struct reader r)
{
    static const uint8_t start[] = {0x05, 0x64};
    struct reader header = r;
    for (size_t i = 0; i < sizeof start; i++) {
        if (!reader_left(&r))
            return CLAIM_MORE;
        if (reader_u8(&r) != start[i])
            return CLAIM_NO;
    }
    uint8_t length = reader_u8(&r);
    if (reader_ok(&r) && length < LENGTH_MIN)
        return CLAIM_NO;
    if (reader_left(&header) < HEADER_SIZE)
        return CLAIM_MORE;
    return checked_bytes(&header, HEADER_CHECKED) ? CLAIM_YES : CLAIM_WEAK;
}

static struct frame dnp3_frame(struct reader r)
{
    struct reader header = r;
    size_t given = reader_left(&r);
    uint8_t first = reader_u8(&r), second = reader_u8(&r), length = reader_u8(&r);
    if ((given > 0 && first != 0x05) || (given > 1 && second != 0x64))
        return frame_broken_as(VIOLATION_ENCODING, "link frame does not begin with 05 64");
    if (given > 2 && length < LENGTH_MIN)
        return frame_broken("link length below 5");
    if (given < HEADER_SIZE)
        return frame_need(HEADER_SIZE);
    if (!checked_bytes(&header, HEADER_CHECKED))
        return frame_broken_as(VIOLATION_CHECKSUM, "CRC of the link header is wrong");
    size_t size = frame_size(length);
    return given < size ? frame_need(size) : frame_of(size);
}

/* --- transport --- */

static uint8_t *bytes_of(struct state *s, const struct pieces *p)
{
    return p == &s->pieces[0] ? s->large : s->small;
}

static size_t room_of(const struct state *s, const struct pieces *p)
{
    return p == &s->pieces[0] ? LARGE_SIZE : SMALL_SIZE;
}

static struct pieces *pieces_of(struct state *s, const struct dnp3_link *link)
{
    for (size_t i = 0; i < 2; i++)
        if (s->pieces[i].is_busy && s->pieces[i].source == link->source &&
            s->pieces[i].destination == link->destination)
            return &s->pieces[i];
    return NULL;
}

static struct pieces *pieces_begin(struct state *s, const struct dnp3_link *link, uint8_t sequence)
{
    struct pieces *p = pieces_of(s, link);
    s->has_begun = true;
    if (!p)
        p = s->pieces[0].is_busy ? &s->pieces[1] : &s->pieces[0];
    *p = (struct pieces){.source = link->source,
                         .destination = link->destination,
                         .sequence = sequence,
                         .is_busy = true};
    return p;
}

/* One piece of a fragment that has several; the whole of it goes on when it is the last. */
static void piece(struct dissect *d, struct state *s, const struct dnp3_link *link, uint8_t control,
                  struct reader data)
{
    size_t size = reader_left(&data);
    uint8_t sequence = control & TRANSPORT_SEQUENCE;
    struct pieces *p =
        control & TRANSPORT_FIRST ? pieces_begin(s, link, sequence) : pieces_of(s, link);
    if (!p) {
        if (s->has_begun || d->flow->is_start_seen) /* else it was sent before we listened */
            emit_violation(d, VIOLATION_SEQUENCE, "transport segment without a first one",
                           link->frame.at, reader_left(&link->frame));
        return;
    }
    if (p->sequence != sequence) {
        emit_violation(d, VIOLATION_SEQUENCE, "transport sequence number jumps", link->frame.at,
                       reader_left(&link->frame));
        p->is_busy = false;
        return;
    }
    if (size > room_of(s, p) - p->size) {
        emit_violation(d, VIOLATION_LENGTH, "application fragment is too long", link->frame.at,
                       reader_left(&link->frame));
        p->is_busy = false;
        return;
    }
    uint8_t *bytes = bytes_of(s, p);
    if (size)
        memcpy(bytes + p->size, data.at, size);
    p->size = (uint16_t)(p->size + size);
    p->sequence = (p->sequence + 1) & TRANSPORT_SEQUENCE;
    if (!(control & TRANSPORT_FINAL))
        return;
    p->is_busy = false;
    dnp3_application_dissect(d, &s->application, link, reader_of(bytes, p->size));
}

static void transport(struct dissect *d, struct state *s, const struct dnp3_link *link,
                      struct reader data)
{
    uint8_t control = reader_u8(&data);
    if (!reader_ok(&data))
        return;
    if ((control & TRANSPORT_FINAL) && (control & TRANSPORT_FIRST))
        dnp3_application_dissect(d, &s->application, link, data);
    else
        piece(d, s, link, control, data);
}

/* --- link --- */

static const struct link_function {
    bool is_primary;
    uint8_t code;
    const char *name;
    enum operation operation;
} link_functions[] = {
  /* [1815] 9.2.4.1.3 */
    {true,  0,  "reset_link_states",   OP_SESSION    },
    {true,  1,  "reset_user_process",  OP_RESTART    },
    {true,  2,  "test_link_states",    OP_DIAGNOSTICS},
    {true,  3,  "confirmed_data",      OP_SESSION    },
    {true,  4,  "unconfirmed_data",    OP_SESSION    },
    {true,  9,  "request_link_status", OP_DIAGNOSTICS},
    {false, 0,  "ack",                 OP_SESSION    },
    {false, 1,  "nack",                OP_SESSION    },
    {false, 11, "link_status",         OP_DIAGNOSTICS},
    {false, 14, "not_functioning",     OP_ERROR      },
    {false, 15, "not_used",            OP_ERROR      },
};

static void spell_link(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%s=%u", code[1] ? "pri" : "sec", code[0]);
}

static struct text unit_text(struct dissect *d, const struct dnp3_link *link)
{
    uint16_t master = link->is_from_master ? link->source : link->destination;
    uint16_t outstation = link->is_from_master ? link->destination : link->source;
    char *out = arena_take_unset(d->arena, 2 * DECIMAL_MAX + 1);
    if (!out)
        return (struct text){NULL, 0};
    size_t size = decimal_put(out, master);
    out[size++] = '>';
    size += decimal_put(out + size, outstation);
    return (struct text){out, size};
}

/* A frame that the link layers exchange among themselves. */
static void link_event(struct dissect *d, const struct dnp3_link *link, uint8_t control)
{
    bool is_primary = control & PRIMARY;
    struct ot_event e = event_of(d);
    e.protocol = "dnp3_link";
    e.direction = link->is_from_master ? OT_REQUEST : OT_RESPONSE;
    e.code[0] = e.function = control & FUNCTION_BITS;
    e.code[1] = is_primary;
    e.spell = spell_link;
    e.unit = unit_text(d, link);
    e.telling = link->frame.at;
    e.telling_size = reader_left(&link->frame);
    for (size_t i = 0; i < sizeof link_functions / sizeof *link_functions; i++) {
        const struct link_function *f = &link_functions[i];
        if (f->is_primary != is_primary || f->code != e.code[0])
            continue;
        e.name = f->name;
        e.operation = f->operation;
    }
    if (!e.name)
        emit_violation(d, VIOLATION_FUNCTION, "link function is not defined", link->frame.at,
                       HEADER_SIZE);
    if (link->destination == SELF_ADDRESS) {
        e.operation = OP_DISCOVER;
        e.detail = TEXT("self-address");
    }
    if (link->is_broadcast)
        e.flags |= OT_BROADCAST;
    emit_event(d, &e);
}

static void check_link(struct dissect *d, struct state *s, const struct dnp3_link *link,
                       uint8_t control)
{
    bool is_primary = control & PRIMARY;
    if (!is_primary && (control & COUNT_VALID))
        emit_violation(d, VIOLATION_STATE, "link buffer of the sender is full (DFC)",
                       link->frame.at, HEADER_SIZE);
    if (link->source >= SELF_ADDRESS)
        emit_violation(d, VIOLATION_RANGE, "source address is a reserved one", link->frame.at,
                       HEADER_SIZE);
    if (!is_primary)
        return;
    bool *has = &s->has_count_bit[link->is_from_master];
    uint8_t *last = &s->count_bit[link->is_from_master];
    if (control & COUNT_VALID) {
        if (*has && *last == (control & COUNT_BIT))
            emit_violation(d, VIOLATION_DUPLICATE, "frame count bit is repeated", link->frame.at,
                           HEADER_SIZE);
        *has = true;
        *last = control & COUNT_BIT;
    } else if ((control & FUNCTION_BITS) == 0) {
        *has = false; /* reset: the next one has FCB 1 */
    }
}

/* The data without the CRCs of its blocks, in memory of the packet; empty when it is damaged. */
static struct reader data_of(struct dissect *d, const struct dnp3_link *link, struct reader blocks,
                             size_t size)
{
    uint8_t *data = arena_take_unset(d->arena, size);
    size_t used = 0;
    while (data && used < size) {
        size_t n = size - used < BLOCK_SIZE ? size - used : BLOCK_SIZE;
        const uint8_t *block = checked_bytes(&blocks, n);
        if (!block) {
            emit_violation(d, reader_ok(&blocks) ? VIOLATION_CHECKSUM : VIOLATION_TRUNCATED,
                           reader_ok(&blocks) ? "CRC of a data block is wrong"
                                              : "link frame is cut off",
                           link->frame.at, reader_left(&link->frame));
            return reader_of(NULL, 0);
        }
        memcpy(data + used, block, n);
        used += n;
    }
    return reader_of(data, data ? size : 0);
}

static void dnp3_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    struct dnp3_link link = {.frame = r};
    struct reader header = r;
    const uint8_t *checked = checked_bytes(&header, HEADER_CHECKED);
    reader_skip(&r, 2);
    uint8_t length = reader_u8(&r);
    uint8_t control = reader_u8(&r);
    link.destination = reader_u16le(&r);
    link.source = reader_u16le(&r);
    reader_skip(&r, CRC_SIZE);
    if (!reader_ok(&r) || length < LENGTH_MIN) {
        emit_violation(d, VIOLATION_TRUNCATED, "link header is cut off", NULL, 0);
        return;
    }
    if (!checked) {
        emit_violation(d, VIOLATION_CHECKSUM, "CRC of the link header is wrong", NULL, 0);
        return;
    }
    link.is_from_master = control & DIRECTION;
    link.is_broadcast = link.destination >= DNP3_BROADCAST_FIRST;
    if (!d->flow->is_role_known && (control & PRIMARY))
        dissect_sender_is_client(d, link.is_from_master);
    check_link(d, s, &link, control);

    uint8_t function = control & FUNCTION_BITS;
    bool is_data =
        (control & PRIMARY) && (function == CONFIRMED_DATA || function == UNCONFIRMED_DATA);
    if (length == LENGTH_MIN || !is_data) {
        if (length > LENGTH_MIN)
            emit_violation(d, VIOLATION_LENGTH, "link control frame with data", link.frame.at,
                           HEADER_SIZE);
        link_event(d, &link, control);
        return;
    }
    transport(d, s, &link, data_of(d, &link, r, length - (size_t)LENGTH_MIN));
}

const struct dissector dissector_dnp3 = {
    .name = "dnp3",
    .spec = "IEEE 1815-2012 (DNP3)",
    .over = OVER_TCP | OVER_UDP,
    .ports = {20000},
    .state_size = sizeof(struct state),
    .pdu_max = FRAME_MAX,
    .recognise = dnp3_recognise,
    .frame = dnp3_frame,
    .dissect = dnp3_dissect,
};
