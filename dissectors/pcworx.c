/* pcworx.c: the service port of Phoenix Contact's inline controllers (PROTOCOLS 30).
 *
 *   | direction 1: 01 request, 81 response | message 1 | size of all 2 BE |...
 *
 * Not published; known is the exchange that asks a controller what it is: 1 opens, 5 announces, 6
 * asks. The answer to 6 has type, firmware, date and time of the firmware, and order number at
 * fixed places. */
#include "hex_code.h"
#include "places.h"

enum {
    HEADER_SIZE = 4,
    REQUEST = 0x01,
    RESPONSE = 0x81,
    MESSAGE_OPEN = 1,
    MESSAGE_ANNOUNCE = 5,
    MESSAGE_IDENTIFY = 6,
    PDU_MAX = 4096,

    TYPE_AT = 30,
    FIRMWARE_AT = 66,
    DATE_AT = 79,
    TIME_AT = 91,
    ORDER_AT = 152,
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    hex_code(out, code[0], 4);
}

static const struct place places[] = {
    {TYPE_AT,     FACT_PRODUCT     },
    {FIRMWARE_AT, FACT_FIRMWARE    },
    {ORDER_AT,    FACT_ORDER_NUMBER},
};
enum { PLACES = sizeof places / sizeof *places };

static void pcworx_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    uint8_t way = reader_u8(&r);
    uint8_t message = reader_u8(&r);
    uint16_t size = reader_u16be(&r);
    if (!reader_ok(&r) || size != reader_left(&pdu)) {
        emit_violation(d, VIOLATION_LENGTH, "PC WORX length is not the message's", pdu.at,
                       reader_left(&pdu));
        return;
    }
    bool is_response = way == RESPONSE;
    dissect_sender_is_client(d, !is_response);
    if (d->is_from_client == is_response)
        emit_violation(d, VIOLATION_DIRECTION, "PC WORX message of the other direction", pdu.at, 1);
    struct ot_event e = event_of(d);
    struct ot_fact facts[PLACES + 1];
    e.direction = is_response ? OT_RESPONSE : OT_REQUEST;
    e.code[0] = (uint32_t)way << 8 | message;
    e.spell = spell;
    e.function = message;
    switch (message) {
    case MESSAGE_OPEN:
        e.name = "open";
        e.operation = OP_SESSION;
        break;
    case MESSAGE_ANNOUNCE:
        e.name = "announce";
        e.operation = OP_SESSION;
        break;
    case MESSAGE_IDENTIFY:
        e.name = "identify";
        e.operation = OP_IDENTIFY;
        break;
    default:
        break;
    }
    if (is_response) {
        size_t kept;
        e.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
        if (!dissect_recall(d, message, &kept))
            e.flags |= OT_NO_REQUEST;
    } else {
        *(uint8_t *)dissect_remember(d, message, 1, NULL) = message;
    }
    if (is_response && message == MESSAGE_IDENTIFY) {
        e.fact_count = place_facts(facts, pdu, places, PLACES);
        facts[e.fact_count++] = (struct ot_fact){
            .kind = FACT_VENDOR, .value = {.at = "Phoenix Contact", .size = 15}
        };
        e.facts = facts;
        struct text date = place_text(pdu, DATE_AT), time = place_text(pdu, TIME_AT);
        if (date.size && time.size)
            e.detail = dissect_text(d, "firmware of %.*s %.*s", (int)date.size, date.at,
                                    (int)time.size, time.at);
    }
    emit_event(d, &e);
}

static struct frame pcworx_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t way = reader_u8(&r);
    reader_skip(&r, 1);
    uint16_t size = reader_u16be(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (way != REQUEST && way != RESPONSE)
        return frame_broken_as(VIOLATION_FUNCTION, "PC WORX message is neither way");
    if (size < HEADER_SIZE || size > PDU_MAX)
        return frame_broken("PC WORX length out of range");
    return size <= given ? frame_of(size) : frame_need(size);
}

static enum claim pcworx_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t way = reader_u8(&r);
    uint8_t message = reader_u8(&r);
    uint16_t size = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    bool is_known =
        message == MESSAGE_OPEN || message == MESSAGE_ANNOUNCE || message == MESSAGE_IDENTIFY;
    if ((way != REQUEST && way != RESPONSE) || !is_known || size < 8 || size > PDU_MAX)
        return CLAIM_NO;
    static const char name[] = "IBETH";
    if (way == REQUEST && message == MESSAGE_OPEN && given >= 0x1a)
        return size == 0x1a && !memcmp(r.at + 10, name, 5) ? CLAIM_YES : CLAIM_NO;
    return given == size ? CLAIM_WEAK : given < size ? CLAIM_MORE : CLAIM_NO;
}

const struct dissector dissector_pcworx = {
    .name = "pcworx",
    .spec = "public captures",
    .over = OVER_TCP,
    .ports = {1962},
    .is_bound_to_ports = true,
    .pdu_max = PDU_MAX,
    .recognise = pcworx_recognise,
    .frame = pcworx_frame,
    .dissect = pcworx_dissect,
};
