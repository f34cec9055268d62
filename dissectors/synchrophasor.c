/* synchrophasor.c: phasor measurements of IEEE C37.118, on TCP and UDP.
 *
 * Spec: [C37] IEEE C37.118.2-2011, 6 (frames), annex B (CRC)
 *
 *   | 0xaa 1 | type: bits 6-4, version: bits 3-0 | size 2 | id 2 | seconds 4 | fraction 4 | data |
 *   | CRC 2 |  big endian; size is that of the whole frame
 *   types: 0 data, 1 header, 2 configuration 1, 3 configuration 2, 4 command, 5 configuration 3
 */
#include "crc.h"
#include "decimal.h"
#include "synchrophasor_configuration.h"

enum {
    SYNC = 0xaa,
    HEADER_SIZE = 14,
    CRC_SIZE = 2,
    COMMAND_SIZE = 18,     /* the smallest frame that says something */
    STATUS_ERROR = 0xc000, /* of STAT, [C37] 6.3 */
    STATUS_UNSYNCHRONISED = 0x2000,
    STATUS_TRIGGER = 0x0800,
    STATUS_CHANGED = 0x0400,
    VERSION_MAX = 3,
    JUMP_S = 60, /* data comes many times a second */

    TYPE_DATA = 0,
    TYPE_HEADER = 1,
    TYPE_CONFIGURATION_1 = 2,
    TYPE_CONFIGURATION_2 = 3,
    TYPE_COMMAND = 4,
    TYPE_CONFIGURATION_3 = 5,
};

/* Of one stream: an id in one direction of a flow. */
struct stream {
    uint16_t id;
    bool is_used, has_configuration, is_missing_told;
    uint32_t seconds, fraction;
    bool has_time, has_settings;
    uint16_t rate;    /* as the last configuration told */
    uint32_t changes; /* likewise */
    struct synchrophasor_layout layout;
};

enum { STREAMS = 4 };

struct state {
    struct stream streams[STREAMS];
    uint8_t next;
};

struct header {
    uint8_t type, version;
    uint16_t size, id;
    uint32_t seconds, fraction;
};

/* r is short afterwards when the header is not there. */
static struct header header_read(struct reader *r)
{
    struct header h;
    reader_skip(r, 1);
    uint8_t type = reader_u8(r);
    h.type = type >> 4;
    h.version = type & 15;
    h.size = reader_u16be(r);
    h.id = reader_u16be(r);
    h.seconds = reader_u32be(r);
    h.fraction = reader_u32be(r) & 0xffffff;
    return h;
}

static bool size_is_legal(const struct header *h)
{
    size_t least = h->type == TYPE_COMMAND ? COMMAND_SIZE : HEADER_SIZE + CRC_SIZE;
    return h->size >= least;
}

static bool crc_is_right(struct reader r, size_t size)
{
    const uint8_t *bytes = reader_bytes(&r, size - CRC_SIZE);
    uint16_t crc = reader_u16be(&r);
    return reader_ok(&r) && crc == crc16_ccitt(CRC16_CCITT_START, bytes, size - CRC_SIZE);
}

/* The CRC over the whole frame is the signature; without one (some send 0) the header is weak. */
static enum claim synchrophasor_recognise(struct reader r)
{
    struct reader whole = r;
    if (!reader_left(&r))
        return CLAIM_MORE;
    if (reader_peek(&r) != SYNC)
        return CLAIM_NO;
    size_t given = reader_left(&r);
    struct header h = header_read(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (h.type > TYPE_CONFIGURATION_3 || h.version == 0 || h.version > VERSION_MAX ||
        !size_is_legal(&h))
        return CLAIM_NO;
    if (given < h.size)
        return CLAIM_MORE;
    return crc_is_right(whole, h.size) ? CLAIM_YES : CLAIM_WEAK;
}

static struct frame synchrophasor_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given && reader_peek(&r) != SYNC)
        return frame_broken_as(VIOLATION_ENCODING, "frame does not begin with aa");
    struct header h = header_read(&r);
    if (given < HEADER_SIZE)
        return frame_need(HEADER_SIZE);
    if (h.type > TYPE_CONFIGURATION_3)
        return frame_broken_as(VIOLATION_FUNCTION, "frame type is not defined");
    if (!size_is_legal(&h))
        return frame_broken("frame size is too small");
    return given < h.size ? frame_need(h.size) : frame_of(h.size);
}

/* --- streams --- */

static struct stream *stream_of(struct state *s, uint16_t id)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (s->streams[i].is_used && s->streams[i].id == id)
            return &s->streams[i];
    struct stream *stream = &s->streams[s->next++ % STREAMS];
    *stream = (struct stream){.id = id, .is_used = true};
    return stream;
}

/* Time stamps of data rise; a jump may be a spoofed frame or a clock that lost its source. */
static void check_time(struct dissect *d, struct stream *stream, const struct header *h,
                       struct reader whole)
{
    bool is_back = h->seconds < stream->seconds ||
                   (h->seconds == stream->seconds && h->fraction < stream->fraction);
    if (stream->has_time && is_back)
        emit_violation(d, VIOLATION_SEQUENCE, "time of the measurements goes back", whole.at,
                       reader_left(&whole));
    else if (stream->has_time && h->seconds - stream->seconds > JUMP_S)
        emit_violation(d, VIOLATION_SEQUENCE, "time of the measurements jumps", whole.at,
                       reader_left(&whole));
    stream->has_time = true;
    stream->seconds = h->seconds;
    stream->fraction = h->fraction;
}

/* --- frames --- */

static const struct command {
    uint16_t code;
    const char *name;
    enum operation operation;
} commands[] = {
    {1, "data_off",             OP_CONTROL },
    {2, "data_on",              OP_CONTROL },
    {3, "send_header",          OP_IDENTIFY},
    {4, "send_configuration_1", OP_IDENTIFY},
    {5, "send_configuration_2", OP_IDENTIFY},
    {6, "send_configuration_3", OP_IDENTIFY},
    {8, "extended_frame",       OP_WRITE   },
};

static const struct type {
    const char *name;
    enum operation operation;
} types[] = {
    [TYPE_DATA] = {"data",            OP_PUBLISH },
    [TYPE_HEADER] = {"header",          OP_IDENTIFY},
    [TYPE_CONFIGURATION_1] = {"configuration_1", OP_IDENTIFY},
    [TYPE_CONFIGURATION_2] = {"configuration_2", OP_IDENTIFY},
    [TYPE_COMMAND] = {"command",         OP_UNKNOWN },
    [TYPE_CONFIGURATION_3] = {"configuration_3", OP_IDENTIFY},
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == TYPE_COMMAND)
        text_format(out, OT_CODE_SIZE, "type=%u,cmd=0x%04x", code[0], code[1]);
    else
        text_format(out, OT_CODE_SIZE, "type=%u", code[0]);
}

static void command(struct dissect *d, struct ot_event *e, struct reader r, struct reader whole)
{
    uint16_t code = reader_u16be(&r);
    e->direction = OT_REQUEST;
    e->code[1] = code;
    e->operation = code >> 8 ? OP_WRITE : OP_UNKNOWN; /* from 0x0100 on: users' own */
    if (!d->flow->is_role_known) {
        dissect_sender_is_client(d, true);
        e->is_from_client = d->is_from_client;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].code != code)
            continue;
        e->name = commands[i].name;
        e->operation = commands[i].operation;
    }
    if (!e->name && code < 0x0100)
        emit_violation(d, VIOLATION_FUNCTION, "command is not defined", whole.at,
                       reader_left(&whole));
    if (reader_left(&r)) { /* of an extended frame */
        uint32_t count = 1;
        struct ot_item *item = dissect_items(d, &count);
        if (!item)
            return;
        *item = (struct ot_item){.area = "user_data", .count = 1};
        item->values = (struct ot_values){VALUES_BYTES, 1, r.at, reader_left(&r)};
        e->items = item;
        e->item_count = e->items_total = 1;
    }
}

/* STAT of the first unit stands before all else. */
static void data(struct dissect *d, struct ot_event *e, struct stream *stream,
                 const struct header *h, struct reader r, struct reader whole)
{
    struct reader first = r;
    uint16_t status = reader_u16be(&first);
    check_time(d, stream, h, whole);
    if (!stream->has_configuration && !stream->is_missing_told && d->flow->is_start_seen &&
        d->flow->transport == TRANSPORT_TCP) {
        stream->is_missing_told = true;
        emit_violation(d, VIOLATION_STATE, "data before a configuration", whole.at,
                       reader_left(&whole));
    }
    if (!reader_ok(&first)) {
        emit_violation(d, VIOLATION_TRUNCATED, "data without status", whole.at,
                       reader_left(&whole));
        return;
    }
    if (status & STATUS_ERROR)
        e->status = (struct ot_status){OT_RESULT_ERROR, status, "data_error"};
    else if (status & STATUS_UNSYNCHRONISED)
        e->status = (struct ot_status){OT_RESULT_ERROR, status, "not_synchronised"};
    if (status & STATUS_CHANGED)
        e->detail = TEXT("configuration changed");
    else if (status & STATUS_TRIGGER)
        e->detail = TEXT("trigger");
    synchrophasor_data(d, &stream->layout, r, e);
    if (stream->layout.size && stream->layout.size != reader_left(&r))
        emit_violation(d, VIOLATION_COUNT, "data does not have the size of its configuration",
                       whole.at, reader_left(&whole));
}

/* What was told before of the stream stays, or is changed by somebody. */
static void check_configuration(struct dissect *d, struct stream *stream,
                                const struct synchrophasor_layout *now, struct reader whole)
{
    if (stream->has_settings && now->changes != stream->changes)
        emit_violation(d, VIOLATION_STATE, "count of configuration changes is another", whole.at,
                       reader_left(&whole));
    if (stream->has_settings && now->rate != stream->rate)
        emit_violation(d, VIOLATION_STATE, "rate of the data is another", whole.at,
                       reader_left(&whole));
    stream->has_settings = true;
    stream->changes = now->changes;
    stream->rate = now->rate;
}

static void configuration(struct dissect *d, struct ot_event *e, struct stream *stream,
                          const struct header *h, struct reader r, struct reader whole)
{
    struct synchrophasor_layout layout = {0};
    bool is_read = h->type == TYPE_CONFIGURATION_3 ? synchrophasor_configuration_3(d, r, e, &layout)
                                                   : synchrophasor_configuration(d, r, e, &layout);
    if (!is_read) {
        emit_violation(d, VIOLATION_TRUNCATED, "configuration is cut off", whole.at,
                       reader_left(&whole));
        return;
    }
    stream->has_configuration = true;
    if (!layout.is_whole)
        return;
    check_configuration(d, stream, &layout, whole);
    if (h->type != TYPE_CONFIGURATION_1) /* 1 tells what is possible, the others what is sent */
        stream->layout = layout;
}

static struct text unit_text(struct dissect *d, uint16_t id)
{
    char *out = arena_take_unset(d->arena, DECIMAL_MAX);
    if (!out)
        return (struct text){NULL, 0};
    return (struct text){out, decimal_put(out, id)};
}

static void header_text(struct dissect *d, struct ot_event *e, struct reader r)
{
    uint32_t count = 1;
    struct ot_fact *fact = dissect_facts(d, &count);
    if (!fact || !reader_left(&r))
        return;
    *fact = (struct ot_fact){
        .kind = FACT_COMMENT, .value = {(const char *)r.at, reader_left(&r)}
    };
    e->facts = fact;
    e->fact_count = 1;
}

static void synchrophasor_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    struct reader whole = r;
    size_t size = reader_left(&r);
    struct header h = header_read(&r);
    if (!reader_ok(&r) || h.type > TYPE_CONFIGURATION_3 || !size_is_legal(&h) || h.size > size) {
        emit_violation(d, VIOLATION_LENGTH, "frame is not whole", NULL, 0);
        return;
    }
    if (!crc_is_right(whole, h.size)) {
        emit_violation(d, VIOLATION_CHECKSUM, "CRC is wrong", NULL, 0);
        return;
    }
    struct reader body = reader_take(&r, h.size - (size_t)HEADER_SIZE - CRC_SIZE);
    if (!d->flow->is_role_known && h.type != TYPE_COMMAND && d->flow->transport == TRANSPORT_TCP)
        dissect_sender_is_client(d, false);
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.code[0] = e.function = h.type;
    e.spell = spell;
    e.name = types[h.type].name;
    e.operation = types[h.type].operation;
    e.unit = unit_text(d, h.id);
    e.telling = whole.at;
    e.telling_size = size;
    if (h.type == TYPE_COMMAND) {
        e.name = NULL;
        command(d, &e, body, whole);
    } else if (h.type == TYPE_HEADER) {
        header_text(d, &e, body);
    } else {
        struct stream *stream = stream_of(s, h.id);
        if (h.type == TYPE_DATA)
            data(d, &e, stream, &h, body, whole);
        else
            configuration(d, &e, stream, &h, body, whole);
    }
    emit_event(d, &e);
}

const struct dissector dissector_synchrophasor = {
    .name = "synchrophasor",
    .spec = "IEEE C37.118.2-2011",
    .over = OVER_TCP | OVER_UDP,
    .ports = {4712, 4713},
    .state_size = sizeof(struct state),
    .pdu_max = 65535,
    .recognise = synchrophasor_recognise,
    .frame = synchrophasor_frame,
    .dissect = synchrophasor_dissect,
};
