/* modbus_rtu.c: Modbus RTU frames in TCP or UDP, as serial device servers forward them.
 *
 * Spec: [MB]  MODBUS Application Protocol Specification V1.1b3
 *       [RTU] MODBUS over Serial Line Specification V1.02, 2.5.1
 *
 *   | unit 1 | function 1 | data | CRC 2, low byte first |
 *
 * The frame has no length: the function gives one for a request and one for a response, and the CRC
 * tells which it is.
 */
#include "crc.h"
#include "modbus_functions.h"
#include "modbus_pdu.h"

enum {
    FRAME_MIN = 4,
    FRAME_MAX = 256, /* [RTU] 2.5.1.1 */
    AROUND_PDU = 3,  /* unit and CRC */
};

static bool crc_is_right(struct reader r, size_t size)
{
    const uint8_t *bytes = reader_bytes(&r, size);
    return bytes && size >= FRAME_MIN && crc16(CRC16_MODBUS_START, bytes, size) == 0;
}

/* The frame's size as a request or response; more than given when it is not all there; 0: the
 * function does not tell. */
static size_t size_as(struct reader r, bool is_response)
{
    struct reader pdu = r;
    reader_skip(&pdu, 1);
    size_t size = modbus_pdu_size(pdu, is_response);
    return size ? size + AROUND_PDU : 0;
}

/* No layout: the first length whose CRC is right. */
static struct frame frame_by_crc(struct reader r)
{
    size_t given = reader_left(&r);
    const uint8_t *bytes = r.at;
    uint16_t crc = crc16(CRC16_MODBUS_START, bytes, FRAME_MIN - 1);
    for (size_t size = FRAME_MIN; size <= given && size <= FRAME_MAX; size++) {
        crc = crc16(crc, bytes + size - 1, 1);
        if (crc == 0)
            return frame_of(size);
    }
    return given < FRAME_MAX ? frame_need(given + 1)
                             : frame_broken_as(VIOLATION_CHECKSUM, "no length has a right CRC");
}

static struct frame rtu_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given < FRAME_MIN)
        return frame_need(FRAME_MIN);
    size_t need = 0;
    bool is_open = false;
    for (int is_response = 0; is_response <= 1; is_response++) {
        size_t size = size_as(r, is_response);
        if (size == 0)
            is_open = true;
        else if (size <= given && crc_is_right(r, size))
            return frame_of(size);
        else if (size > given && size <= FRAME_MAX && (need == 0 || size < need))
            need = size;
    }
    if (is_open)
        return frame_by_crc(r);
    return need ? frame_need(need) : frame_broken_as(VIOLATION_CHECKSUM, "CRC is wrong");
}

/* Weak, although the CRC is right: other serial protocols have the same CRC, and a ROC Plus message
 * without data looks like a request for discrete inputs. */
static enum claim rtu_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    struct reader pdu = r;
    reader_skip(&pdu, 1);
    uint8_t function = reader_u8(&pdu);
    if (!reader_ok(&pdu))
        return CLAIM_MORE;
    enum modbus_layout layout = modbus_function_of(function)->layout;
    if (layout == LAYOUT_UNDEFINED)
        return CLAIM_NO;
    bool is_open = size_as(r, false) == 0;
    if (is_open)
        return crc_is_right(r, given) ? CLAIM_WEAK : given < FRAME_MAX ? CLAIM_HOME : CLAIM_NO;
    struct frame frame = rtu_frame(r);
    if (frame.verdict == FRAME_NEED)
        return CLAIM_MORE;
    return frame.verdict == FRAME_BROKEN ? CLAIM_NO : CLAIM_WEAK;
}

static void rtu_dissect(struct dissect *d, struct reader r)
{
    size_t size = reader_left(&r);
    if (size < FRAME_MIN) {
        emit_violation(d, VIOLATION_TRUNCATED, "RTU frame is cut off", NULL, 0);
        return;
    }
    struct modbus_adu adu = {.unit = reader_u8(&r), .is_serial = true};
    modbus_pdu_dissect(d, &adu, reader_take(&r, size - AROUND_PDU));
}

const struct dissector dissector_modbus_rtu = {
    .name = "modbus_rtu",
    .spec = "MODBUS over Serial Line Specification V1.02",
    .over = OVER_TCP | OVER_UDP,
    .ports = {4001, 10001, 2101},
    .state_size = sizeof(struct modbus_state),
    .pdu_max = FRAME_MAX,
    .recognise = rtu_recognise,
    .frame = rtu_frame,
    .dissect = rtu_dissect,
};
