/* crimson.c: Red Lion Crimson, the configuration port of operator panels and gateways (PROTOCOLS
 * 30).
 *
 *   | size of the rest 2 | property 2 | type 2 | data |
 *
 * big endian. An answer has the property again and a text that ends with 0; what is not an identity
 * belongs to the transfer of a configuration, and is told by its size. */
#include "hex_code.h"

enum {
    SIZE_SIZE = 2,
    HEADER_SIZE = 6,
    LENGTH_MIN = 4,
    LENGTH_MAX = 8192,

    PROPERTY_MODEL = 0x012a,
    PROPERTY_MANUFACTURER = 0x012b,
    TYPE_MODEL = 0x1a00,
    TYPE_MANUFACTURER = 0x1b00,
    TYPE_ANSWER = 0x0300,

    DATA_SMALL = 16, /* longer ones carry a part of a configuration */
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    hex_code(out, code[0], 4);
}

static bool is_identity(uint16_t property)
{
    return property == PROPERTY_MODEL || property == PROPERTY_MANUFACTURER;
}

static struct text text_in(struct reader r)
{
    size_t size = 0, left = reader_left(&r);
    while (size < left && r.at[size] >= 0x20 && r.at[size] < 0x7f)
        size++;
    return size && size < left && !r.at[size] ? (struct text){(const char *)r.at, size}
                                              : (struct text){NULL, 0};
}

/* A configuration has no begin of its own that is known: each part is a block. */
static void part(struct ot_event *e, struct reader data)
{
    size_t size = reader_left(&data);
    if (e->direction == OT_REQUEST && size > DATA_SMALL) {
        e->name = "configuration_part";
        e->operation = OP_PROGRAM_DOWNLOAD;
        e->transfer = (struct ot_transfer){.step = TRANSFER_BLOCK,
                                           .operation = OP_PROGRAM_DOWNLOAD,
                                           .key = 1,
                                           .bytes = data.at,
                                           .size = size};
    }
}

static void crimson_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    uint16_t size = reader_u16be(&r);
    uint16_t property = reader_u16be(&r);
    reader_skip(&r, 2); /* type */
    if (!reader_ok(&r) || size != reader_left(&pdu) - SIZE_SIZE) {
        emit_violation(d, VIOLATION_LENGTH, "Crimson length is not the message's", pdu.at,
                       reader_left(&pdu));
        return;
    }
    struct ot_event e = event_of(d);
    struct ot_fact fact;
    e.direction = d->is_from_client ? OT_REQUEST : OT_RESPONSE;
    e.code[0] = e.function = property;
    e.spell = spell;
    if (is_identity(property)) {
        e.name = property == PROPERTY_MODEL ? "read_model" : "read_manufacturer";
        e.operation = OP_IDENTIFY;
    } else {
        part(&e, r);
    }
    if (d->is_from_client) {
        *(uint8_t *)dissect_remember(d, property, 1, NULL) = 1;
    } else {
        size_t kept;
        e.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
        if (!dissect_recall(d, property, &kept))
            e.flags |= OT_NO_REQUEST;
        struct text value = is_identity(property) ? text_in(r) : (struct text){NULL, 0};
        if (value.size) {
            fact = (struct ot_fact){.kind = property == PROPERTY_MODEL ? FACT_PRODUCT : FACT_VENDOR,
                                    .value = value};
            e.facts = &fact;
            e.fact_count = 1;
        }
    }
    emit_event(d, &e);
}

static struct frame crimson_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint16_t size = reader_u16be(&r);
    if (!reader_ok(&r))
        return frame_need(SIZE_SIZE);
    if (size < LENGTH_MIN || size > LENGTH_MAX)
        return frame_broken("Crimson length out of range");
    return size + (size_t)SIZE_SIZE <= given ? frame_of(size + (size_t)SIZE_SIZE)
                                             : frame_need(size + (size_t)SIZE_SIZE);
}

/* Only what asks for an identity or tells one is a signature; nothing else is known. */
static enum claim crimson_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    uint16_t size = reader_u16be(&r);
    uint16_t property = reader_u16be(&r);
    uint16_t type = reader_u16be(&r);
    if (given >= SIZE_SIZE && (size < LENGTH_MIN || size > LENGTH_MAX))
        return CLAIM_NO;
    if (given < HEADER_SIZE)
        return CLAIM_MORE;
    if (size + (size_t)SIZE_SIZE < given)
        return CLAIM_NO;
    if (size + (size_t)SIZE_SIZE > given)
        return is_identity(property) ? CLAIM_MORE : CLAIM_HOME;
    if (!is_identity(property))
        return CLAIM_WEAK;
    bool is_question = type == (property == PROPERTY_MODEL ? TYPE_MODEL : TYPE_MANUFACTURER);
    if (size == LENGTH_MIN && is_question)
        return CLAIM_YES;
    return type == TYPE_ANSWER && text_in(r).size ? CLAIM_YES : CLAIM_WEAK;
}

const struct dissector dissector_crimson = {
    .name = "crimson",
    .spec = "public captures",
    .over = OVER_TCP,
    .ports = {789},
    .is_bound_to_ports = true,
    .pdu_max = LENGTH_MAX + SIZE_SIZE,
    .recognise = crimson_recognise,
    .frame = crimson_frame,
    .dissect = crimson_dissect,
};
