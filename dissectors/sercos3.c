/* sercos3.c: SERCOS III telegrams of master (MDT) and drives (AT).
 *
 * Spec: [S3] IEC 61158-6-19; PROTOCOLS 29
 *
 *   | secondary 1 bit, AT 1 bit, cycle count valid 1 bit, 0 1 bit, number 4 bits |
 *   | phase change 1 bit, 0 3 bits, phase 4 bits | CRC 4 | fields |
 *   service channel of a drive, phases 1 and 2, 128 in a row:
 *     | 0 2 bits, element 3 bits, last 1 bit, write 1 bit, handshake 1 bit | 0 1 | value 4 |
 *
 * little endian. From phase 3 on the places of the fields are configured and not known to us. */
#include "dissector.h"

enum {
    HEADER_SIZE = 6,
    TYPE_AT = 0x40,
    TYPE_NUMBER = 0x0f,
    TYPE_RESERVED = 0x10,
    PHASE_CHANGE = 0x80,
    PHASE_MASK = 0x0f,
    PHASE_LAST = 4,
    CHANNEL_SIZE = 6,
    DRIVES = 128, /* of a telegram */
    CHANNEL_HANDSHAKE = 0x01,
    CHANNEL_WRITE = 0x02,
    ELEMENT_IDN = 1,
    ELEMENT_DATA = 7,
};

struct sercos_state {
    uint8_t phase; /* + 1; 0: not seen */
    struct {
        uint8_t control;
        uint16_t idn;
    } channels[DRIVES]; /* of MDT 0 */
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%02x", code[0]);
}

/* A new step of one drive's service channel. */
static void channel(struct dissect *d, struct ot_event e, uint8_t drive, uint8_t control,
                    struct reader value)
{
    struct sercos_state *s = d->state;
    uint8_t element = control >> 3 & 7;
    struct reader number = value;
    if (element == ELEMENT_IDN)
        s->channels[drive].idn = reader_u16le(&number);
    uint16_t idn = s->channels[drive].idn;
    bool is_write = (control & CHANNEL_WRITE) && element == ELEMENT_DATA;
    e.operation = is_write ? OP_WRITE : OP_READ;
    e.name = is_write ? "service_channel_write" : "service_channel_read";
    e.unit = dissect_text(d, "%u", drive);
    struct ot_item item = {
        .area = "idn",
        .number = idn,
        .has_number = true,
        .start = element,
        .has_start = true,
        .name = dissect_text(d, "drive %u %c-%u-%04u", drive, idn & 0x8000 ? 'P' : 'S',
                             idn >> 12 & 7, idn & 0x0fff),
    };
    if (is_write)
        item.values = (struct ot_values){VALUES_U32LE, 1, value.at, 4};
    e.items = &item;
    e.item_count = e.items_total = 1;
    emit_event(d, &e);
}

static void channels(struct dissect *d, const struct ot_event *e, struct reader r)
{
    struct sercos_state *s = d->state;
    for (uint8_t i = 0; i < DRIVES && reader_left(&r) >= CHANNEL_SIZE; i++) {
        uint8_t control = reader_u8(&r);
        reader_skip(&r, 1);
        struct reader value = reader_take(&r, 4);
        uint8_t changed = control ^ s->channels[i].control;
        s->channels[i].control = control;
        if ((changed & CHANNEL_HANDSHAKE) && (control >> 3 & 7))
            channel(d, *e, i, control, value);
    }
}

static void sercos_dissect(struct dissect *d, struct reader r)
{
    struct sercos_state *s = d->state;
    const uint8_t *at = r.at;
    uint8_t type = reader_u8(&r);
    uint8_t second = reader_u8(&r);
    reader_skip(&r, 4);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "SERCOS telegram without its header", NULL, 0);
        return;
    }
    uint8_t phase = second & PHASE_MASK;
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.protocol = "sercos3";
    e.operation = OP_PUBLISH;
    e.code[0] = e.function = type & (TYPE_AT | TYPE_NUMBER);
    e.spell = spell;
    e.name = type & TYPE_AT ? "drive_telegram" : "master_telegram";
    struct ot_item item = {
        .area = "phase", .values = {VALUES_U8, 1, at + 1, 1}
    };
    e.items = &item;
    e.item_count = e.items_total = 1;
    bool is_new = s->phase && s->phase != phase + 1;
    if (is_new && !(type & TYPE_AT)) {
        e.operation = OP_MODE_CHANGE;
        e.detail = dissect_text(d, "phase %d to %u", s->phase - 1, phase);
    }
    if (!(type & TYPE_AT))
        s->phase = (uint8_t)(phase + 1);
    emit_event(d, &e);
    if (phase > PHASE_LAST)
        emit_violation(d, VIOLATION_RANGE, "SERCOS phase above 4", at + 1, 1);
    if (type & TYPE_RESERVED)
        emit_violation(d, VIOLATION_RESERVED, "reserved bit of the SERCOS type is set", at, 1);
    bool is_first_master = !(type & TYPE_AT) && (type & TYPE_NUMBER) == 0;
    if (is_first_master && (phase == 1 || phase == 2)) {
        e.detail = (struct text){NULL, 0};
        channels(d, &e, r);
    }
}

/* The ethertype decides. */
static enum claim sercos_recognise(struct reader r)
{
    return reader_left(&r) < HEADER_SIZE ? CLAIM_MORE : CLAIM_YES;
}

const struct dissector dissector_sercos3 = {
    .name = "sercos3",
    .spec = "IEC 61158-6-19 (SERCOS III)",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x88cd},
    .state_size = sizeof(struct sercos_state),
    .recognise = sercos_recognise,
    .dissect = sercos_dissect,
};
