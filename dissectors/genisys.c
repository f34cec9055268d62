/* genisys.c: Genisys, the code lines of railway signalling over TCP (PROTOCOLS 26).
 *
 *   | header 1: f1-fe | server 1 | { byte address 1, value 1 }... | CRC 2 LE | f6 |
 *
 * Between header and f6 a byte from f0 on is sent as f0 and its low half; not all senders do so in
 * the CRC. An acknowledgement (f1)
 * has no CRC and a poll (fb) need not have one. */
#include "crc.h"
#include "decimal.h"
#include "hex_code.h"
#include "sensor/base/hash.h"

enum {
    ESCAPE = 0xf0,
    TERMINATOR = 0xf6,
    ACKNOWLEDGE = 0xf1,
    INDICATION = 0xf2,
    CHECKBACK = 0xf3,
    COMMON_CONTROL = 0xf9,
    POLL = 0xfb,
    CONTROL = 0xfc,
    RECALL = 0xfd,
    EXECUTE = 0xfe,

    BODY_MAX = 2 + 2 * 256, /* decoded: server, one pair for each address, CRC */
    PDU_MAX = 2 * BODY_MAX + 2,
    CRC_SIZE = 2,
};

struct control_state {
    uint64_t selected; /* control data that was not executed yet, with its server; 0: none */
    bool is_checked;   /* and was told back */
};

static const struct {
    uint8_t operation;
    const char *name;
} headers[16] = {
    [ACKNOWLEDGE & 15] = {OP_PUBLISH, "acknowledge_client"         },
    [INDICATION & 15] = {OP_PUBLISH, "indication_data"            },
    [CHECKBACK & 15] = {OP_PUBLISH, "control_checkback"          },
    [COMMON_CONTROL & 15] = {OP_CONTROL, "common_control_data"        },
    [0xa] = {OP_READ,    "acknowledge_server_and_poll"},
    [POLL & 15] = {OP_READ,    "poll"                       },
    [CONTROL & 15] = {OP_CONTROL, "control_data"               },
    [RECALL & 15] = {OP_READ,    "recall"                     },
    [EXECUTE & 15] = {OP_CONTROL, "execute_controls"           },
};

static bool is_header(uint8_t byte)
{
    return byte >= ESCAPE && headers[byte & 15].name;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    hex_code(out, code[0], 2);
}

/* Both start values are met. */
static bool is_crc_right(const uint8_t *bytes, size_t size)
{
    uint16_t told = (uint16_t)(bytes[size - 1] << 8 | bytes[size - 2]);
    return crc16(CRC16_MODBUS_START, bytes, size - CRC_SIZE) == told ||
           crc16(0, bytes, size - CRC_SIZE) == told;
}

static bool has_crc(uint8_t header, size_t size)
{
    return header != ACKNOWLEDGE && !(header == POLL && size < 2 + CRC_SIZE);
}

/* Takes the escapes out; the last `plain` bytes have none. False: one is cut off, is none, or there
 * is too much. */
static bool decode_plain(struct reader r, size_t plain, uint8_t out[1 + BODY_MAX], size_t *size)
{
    *size = 0;
    out[(*size)++] = reader_u8(&r);
    while (reader_left(&r)) {
        bool is_plain = reader_left(&r) <= plain;
        uint8_t byte = reader_u8(&r);
        if (*size == 1 + BODY_MAX || (byte > ESCAPE && !is_plain))
            return false;
        if (byte == ESCAPE && !is_plain) {
            byte = reader_u8(&r);
            if (!reader_ok(&r) || byte > 15)
                return false;
            byte |= ESCAPE;
        }
        out[(*size)++] = byte;
    }
    return true;
}

/* Some senders do not escape the checksum: it decides. */
static bool decode(struct reader r, uint8_t out[1 + BODY_MAX], size_t *size)
{
    bool is_decoded = decode_plain(r, 0, out, size);
    if (is_decoded && (!has_crc(out[0], *size) || *size < 2 + CRC_SIZE || is_crc_right(out, *size)))
        return true;
    if (decode_plain(r, CRC_SIZE, out, size) && *size >= 2 + CRC_SIZE && is_crc_right(out, *size))
        return true;
    return is_decoded && decode_plain(r, 0, out, size);
}

static bool has_data(uint8_t header)
{
    return header == INDICATION || header == CHECKBACK || header == COMMON_CONTROL ||
           header == CONTROL;
}

/* bytes lie in the packet arena. */
static void pairs(struct dissect *d, struct ot_event *e, const uint8_t *bytes, size_t size)
{
    uint32_t count = (uint32_t)(size / 2);
    if (!count)
        return;
    e->items_total = count;
    struct ot_item *items = dissect_items(d, &count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct ot_item){
            .area = e->code[0] == INDICATION ? "indication" : "control",
            .has_start = true,
            .start = bytes[2 * i],
            .count = 1,
            .has_range = true,
            .low = bytes[2 * i],
            .high = bytes[2 * i],
            .values = {VALUES_U8, 1, bytes + 2 * i + 1, 1},
        };
    e->items = items;
    e->item_count = count;
}

/* Controls are chosen, told back by the server, then executed. */
static void control_order(struct dissect *d, const uint8_t *bytes, size_t size, struct reader pdu)
{
    struct control_state *s = d->state;
    uint8_t header = bytes[0];
    uint64_t controls = hash_bytes(bytes + 1, size - 1) | 1;
    bool is_all_seen = d->flow->is_start_seen && !d->flow->has_gap;
    if (header == CONTROL) {
        *s = (struct control_state){.selected = controls};
    } else if (header == CHECKBACK) {
        if (!s->selected && is_all_seen)
            emit_violation(d, VIOLATION_STATE, "Genisys checkback without control data", pdu.at, 1);
        else if (s->selected && s->selected != controls && !d->flow->has_gap)
            emit_violation(d, VIOLATION_STATE, "Genisys checkback differs from the control data",
                           pdu.at, reader_left(&pdu));
        s->is_checked = true;
    } else if (header == EXECUTE) {
        if (!(s->selected && s->is_checked) && is_all_seen)
            emit_violation(d, VIOLATION_STATE, "Genisys execution of controls not checked back",
                           pdu.at, 1);
        *s = (struct control_state){0};
    }
}

static void genisys_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    size_t given = reader_left(&r);
    uint8_t *bytes = arena_take(d->arena, 1 + BODY_MAX);
    size_t size;
    if (given < 3 || !is_header(*r.at) || r.at[given - 1] != TERMINATOR) {
        emit_violation(d, VIOLATION_TRUNCATED, "Genisys message is cut off", pdu.at, given);
        return;
    }
    if (!bytes)
        return;
    struct reader body = reader_take(&r, given - 1);
    if (!decode(body, bytes, &size) || size < 2) {
        emit_violation(d, VIOLATION_ENCODING, "Genisys escape is not defined", pdu.at, given);
        return;
    }
    uint8_t header = bytes[0];
    bool is_response = header <= CHECKBACK;
    size_t end = size;
    if (has_crc(header, size)) {
        if (size < 2 + CRC_SIZE) {
            emit_violation(d, VIOLATION_TRUNCATED, "Genisys message without a checksum", pdu.at,
                           given);
            return;
        }
        if (!is_crc_right(bytes, size))
            emit_violation(d, VIOLATION_CHECKSUM, "Genisys checksum does not match", pdu.at, given);
        end -= CRC_SIZE;
    }
    bool is_odd = has_data(header) ? (end & 1) != 0 : end != 2;
    if (is_odd)
        emit_violation(d, VIOLATION_COUNT, "Genisys data is not made of pairs", pdu.at, given);
    dissect_sender_is_client(d, !is_response);
    if (d->is_from_client == is_response)
        emit_violation(d, VIOLATION_DIRECTION, "Genisys message of the other direction", pdu.at, 1);
    control_order(d, bytes, end, pdu);
    struct ot_event e = event_of(d);
    e.direction = is_response ? OT_RESPONSE : OT_REQUEST;
    e.code[0] = e.function = header;
    e.spell = spell;
    e.name = headers[header & 15].name;
    e.operation = (enum operation)headers[header & 15].operation;
    char *unit = arena_take(d->arena, 4);
    if (unit)
        e.unit = (struct text){unit, decimal_put(unit, bytes[1])};
    if (has_data(header))
        pairs(d, &e, bytes + 2, end - 2);
    emit_event(d, &e);
}

static struct frame genisys_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (!given)
        return frame_need(3);
    if (!is_header(*r.at))
        return frame_broken_as(VIOLATION_FUNCTION, "Genisys header is not defined");
    size_t most = given < PDU_MAX ? given : PDU_MAX;
    const uint8_t *end = memchr(r.at, TERMINATOR, most);
    if (end && end - r.at < 2)
        return frame_broken("Genisys message is too short");
    if (!end)
        return given >= PDU_MAX ? frame_broken("Genisys message does not end")
                                : frame_need(given + 1);
    /* the terminator's value may stand in a checksum that is not escaped */
    size_t first = (size_t)(end - r.at) + 1;
    for (size_t size = first; size <= most && size <= first + CRC_SIZE; size++) {
        uint8_t bytes[1 + BODY_MAX];
        size_t decoded;
        struct reader body = reader_of(r.at, size - 1);
        if (r.at[size - 1] == TERMINATOR && decode(body, bytes, &decoded) &&
            (!has_crc(bytes[0], decoded) ||
             (decoded >= 2 + CRC_SIZE && is_crc_right(bytes, decoded))))
            return frame_of(size);
    }
    return frame_of(first);
}

/* Acknowledgements and short polls are too short to prove anything. */
static enum claim genisys_recognise(struct reader r)
{
    uint8_t bytes[1 + BODY_MAX];
    size_t size;
    if (!reader_left(&r))
        return CLAIM_MORE;
    struct frame f = genisys_frame(r);
    if (f.verdict != FRAME_COMPLETE)
        return f.verdict == FRAME_NEED ? CLAIM_MORE : CLAIM_NO;
    if (!decode(reader_take(&r, f.size - 1), bytes, &size) || size < 2)
        return CLAIM_NO;
    if (!has_crc(bytes[0], size))
        return size == 2 ? CLAIM_WEAK : CLAIM_NO;
    return size >= 2 + CRC_SIZE && is_crc_right(bytes, size) ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_genisys = {
    .name = "genisys",
    .spec = "Union Switch & Signal Genisys",
    .over = OVER_TCP,
    .ports = {10001},
    .state_size = sizeof(struct control_state),
    .pdu_max = PDU_MAX,
    .recognise = genisys_recognise,
    .frame = genisys_frame,
    .dissect = genisys_dissect,
};
