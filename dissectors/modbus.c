/* modbus.c: the MBAP header, which carries Modbus over TCP and UDP.
 *
 * Spec: [MB]  MODBUS Application Protocol Specification V1.1b3
 *       [TCP] MODBUS Messaging on TCP/IP Implementation Guide V1.0b
 *
 *   | transaction 2 | protocol 2, =0 | length 2 | unit 1 | function 1 | data, length - 2 |
 */
#include "crc.h"
#include "modbus_functions.h"
#include "modbus_pdu.h"

enum {
    MBAP_SIZE = 6,          /* up to and with the length */
    LENGTH_MIN = 2,         /* unit and function */
    LENGTH_MAX = 254,       /* [TCP] 3.1.3: 260 bytes in all */
    LENGTH_MAX_UMAS = 2048, /* UMAS negotiates its own frame size, about 1 KiB (PROTOCOLS 5) */
    RTU_MIN = 4,
};

struct mbap {
    uint16_t transaction, protocol, length;
    uint8_t unit, function;
};

/* r is short afterwards when unit or function are not there. */
static struct mbap mbap_read(struct reader *r)
{
    struct mbap h = {0};
    const uint8_t *bytes = reader_bytes(r, MBAP_SIZE);
    if (!bytes)
        return h;
    struct reader fields = reader_of(bytes, MBAP_SIZE);
    h.transaction = reader_u16be(&fields);
    h.protocol = reader_u16be(&fields);
    h.length = reader_u16be(&fields);
    h.unit = reader_u8(r);
    h.function = reader_peek(r);
    if (reader_left(r) == 0)
        reader_skip(r, 1);
    return h;
}

static bool length_is_legal(const struct mbap *h)
{
    return h->length >= LENGTH_MIN &&
           h->length <= (h->function == MODBUS_UMAS ? LENGTH_MAX_UMAS : LENGTH_MAX);
}

/* An RTU frame that reads registers at a low address looks like the beginning of a long MBAP. */
static bool is_rtu(struct reader r)
{
    size_t size = reader_left(&r);
    return size >= RTU_MIN && crc16(CRC16_MODBUS_START, r.at, size) == 0;
}

static enum claim claim_header_only(struct reader r)
{
    size_t given = reader_left(&r);
    reader_skip(&r, 2);
    uint16_t protocol = reader_u16be(&r);
    if (given < 4)
        return CLAIM_MORE;
    if (protocol != 0)
        return CLAIM_NO;
    uint16_t length = reader_u16be(&r);
    if (given < MBAP_SIZE)
        return CLAIM_MORE;
    if (length < LENGTH_MIN) /* a header that announces nothing: broken, but meant to be ours */
        return CLAIM_WEAK;
    return length <= LENGTH_MAX_UMAS ? CLAIM_MORE : CLAIM_NO;
}

/* What is behind a PDU: another header, its beginning, or something else. */
static enum claim claim_behind(struct reader r)
{
    struct reader rest = r;
    struct mbap h = mbap_read(&r);
    if (!reader_ok(&r))
        return claim_header_only(rest) == CLAIM_MORE ? CLAIM_MORE : CLAIM_NO;
    return h.protocol == 0 && length_is_legal(&h) ? CLAIM_WEAK : CLAIM_NO;
}

/* Weak at best: two zero bytes and a length. A PDU that exactly fills what is there, or has another
 * behind it, is taken even when its content is illegal, so that the violation can be told;
 * otherwise its quantities have to be legal. */
static enum claim modbus_recognise(struct reader r)
{
    struct reader whole = r;
    size_t given = reader_left(&r);
    struct mbap h = mbap_read(&r);
    if (!reader_ok(&r))
        return claim_header_only(whole);
    size_t size = (size_t)MBAP_SIZE + h.length;
    if (!length_is_legal(&h))
        return CLAIM_NO;
    if (given < size)
        return h.protocol == 0 && !is_rtu(whole) ? CLAIM_MORE : CLAIM_NO;

    struct reader pdu = reader_take(&r, h.length - 1u);
    bool has_layout = modbus_function_of(h.function)->layout > LAYOUT_OPEN;
    bool fits = has_layout && (modbus_pdu_fits(pdu, false) || modbus_pdu_fits(pdu, true));
    if (h.protocol != 0)
        return fits && given == size ? CLAIM_WEAK : CLAIM_NO;
    return fits || given == size ? CLAIM_WEAK : claim_behind(r);
}

static struct frame modbus_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given < MBAP_SIZE)
        return frame_need(MBAP_SIZE);
    struct mbap h = mbap_read(&r);
    if (h.protocol != 0)
        return frame_broken_as(VIOLATION_RESERVED, "MBAP protocol is not 0");
    if (h.length < LENGTH_MIN || h.length > LENGTH_MAX_UMAS)
        return frame_broken("MBAP length out of range");
    if (!reader_ok(&r))
        return frame_need(MBAP_SIZE + LENGTH_MIN);
    if (!length_is_legal(&h))
        return frame_broken("MBAP length out of range");
    size_t size = (size_t)MBAP_SIZE + h.length;
    return given < size ? frame_need(size) : frame_of(size);
}

static void modbus_dissect(struct dissect *d, struct reader r)
{
    struct mbap h = mbap_read(&r);
    if (!reader_ok(&r) || h.length < LENGTH_MIN) {
        emit_violation(d, VIOLATION_TRUNCATED, "MBAP header is cut off", NULL, 0);
        return;
    }
    size_t left = reader_left(&r);
    size_t size = h.length - 1u;
    if (size > left) {
        emit_violation(d, VIOLATION_TRUNCATED, "fewer bytes than the MBAP length says", NULL, 0);
        size = left;
    }
    struct modbus_adu adu = {.unit = h.unit, .has_transaction = true, .transaction = h.transaction};
    modbus_pdu_dissect(d, &adu, reader_take(&r, size));
}

const struct dissector dissector_modbus = {
    .name = "modbus",
    .spec = "MODBUS Application Protocol Specification V1.1b3",
    .over = OVER_TCP | OVER_UDP,
    .ports = {502},
    .state_size = sizeof(struct modbus_state),
    .pdu_max = MBAP_SIZE + LENGTH_MAX_UMAS,
    .recognise = modbus_recognise,
    .frame = modbus_frame,
    .dissect = modbus_dissect,
};
