/* ge_srtp.c: the Service Request Transfer Protocol of GE controllers.
 *
 * No public specification; after public research and captures (PROTOCOLS 20).
 *
 *   | type 1 | 0 | sequence 1 | 0 | text size 2 LE | ... | 26: time 3 | 0 | 30: sequence 1 |
 *   | 31: message 1 | 32: source 4 | 36: destination 4 | 40: packet 1, of 1 | 42: service 14 | text
 * | type:    0 opens a session (all zero), 1 its answer, 2 request, 3 reply message: c0 request, 80
 * request with text, d4 reply, 94 reply with text, d1 error service: | code 1 | segment 1 | offset
 * 2 LE | count 2 LE | data 6, + 2 | with text: | size 2 | mailbox 4 | packet 1, of 1 | code 1 |
 * segment 1 | offset 2 | count 2 | reply:   | status 1, minor 1 | data 6 | program 1 | privilege 1
 * | sweep 2 | PLC status 2 |
 */
#include "dissector.h"

#include "sensor/base/text.h"

#include <stddef.h>

enum {
    HEADER_SIZE = 56,
    SERVICE_AT = 42,
    TEXT_MAX = 8192,
    SHORT_DATA = 6,
    TYPE_OPEN = 0,
    TYPE_OPENED = 1,
    TYPE_REQUEST = 2,
    TYPE_REPLY = 3,
    TYPE_LAST = 9, /* 8 and 9 begin sessions of newer controllers */
    MESSAGE_REQUEST = 0xc0,
    MESSAGE_REQUEST_TEXT = 0x80,
    MESSAGE_REPLY = 0xd4,
    MESSAGE_REPLY_TEXT = 0x94,
    MESSAGE_ERROR = 0xd1,
    SERVICE_SET_STATE = 0x23,
    SERVICE_PRIVILEGE = 0x21,
    SERVICE_NAMES = 0x03,
    SERVICE_IDENTITY = 0x43,
    NAME_MIN = 3,
    FACTS_MAX = 3, /* mode, level, a name */
};

enum data { DATA_NONE, DATA_SEGMENT_READ, DATA_SEGMENT_WRITE };

static const struct service {
    uint8_t code;
    enum data data;
    enum operation operation;
    const char *name;
} services[] = {
    {0x00, DATA_NONE,          OP_DIAGNOSTICS,      "short_status"         },
    {0x03, DATA_NONE,          OP_IDENTIFY,         "control_program_names"},
    {0x04, DATA_SEGMENT_READ,  OP_READ,             "read_system_memory"   },
    {0x05, DATA_SEGMENT_READ,  OP_READ,             "read_task_memory"     },
    {0x06, DATA_SEGMENT_READ,  OP_PROGRAM_UPLOAD,   "read_program_memory"  },
    {0x07, DATA_SEGMENT_WRITE, OP_WRITE,            "write_system_memory"  },
    {0x08, DATA_SEGMENT_WRITE, OP_WRITE,            "write_task_memory"    },
    {0x09, DATA_SEGMENT_WRITE, OP_PROGRAM_DOWNLOAD, "write_program_memory" },
    {0x20, DATA_NONE,          OP_AUTH,             "programmer_logon"     },
    {0x21, DATA_NONE,          OP_AUTH,             "change_privilege"     },
    {0x22, DATA_NONE,          OP_CONFIG_CHANGE,    "set_control_id"       },
    {0x23, DATA_NONE,          OP_MODE_CHANGE,      "set_run_stop"         },
    {0x24, DATA_NONE,          OP_TIME_SET,         "set_time"             },
    {0x25, DATA_NONE,          OP_DIAGNOSTICS,      "return_time"          },
    {0x38, DATA_NONE,          OP_DIAGNOSTICS,      "return_fault_table"   },
    {0x39, DATA_NONE,          OP_CONFIG_CHANGE,    "clear_fault_table"    },
    {0x3f, DATA_NONE,          OP_PROGRAM_UPLOAD,   "program_store"        },
    {0x40, DATA_NONE,          OP_PROGRAM_DOWNLOAD, "program_load"         },
    {0x43, DATA_NONE,          OP_IDENTIFY,         "controller_type_id"   },
    {0x44, DATA_NONE,          OP_FORCE,            "toggle_force"         },
};

static const struct segment {
    uint8_t selector;
    bool is_bits;  /* of a discrete memory */
    bool is_bytes; /* and counted in bytes */
    const char *area;
} segments[] = {
    {0x08, false, false, "%R" },
    {0x0a, false, false, "%AI"},
    {0x0c, false, false, "%AQ"},
    {0x10, true,  true,  "%I" },
    {0x46, true,  false, "%I" },
    {0x12, true,  true,  "%Q" },
    {0x48, true,  false, "%Q" },
    {0x14, true,  true,  "%T" },
    {0x4a, true,  false, "%T" },
    {0x16, true,  true,  "%M" },
    {0x4c, true,  false, "%M" },
    {0x18, true,  true,  "%SA"},
    {0x4e, true,  false, "%SA"},
    {0x1a, true,  true,  "%SB"},
    {0x50, true,  false, "%SB"},
    {0x1c, true,  true,  "%SC"},
    {0x52, true,  false, "%SC"},
    {0x1e, true,  true,  "%S" },
    {0x54, true,  false, "%S" },
    {0x38, true,  true,  "%G" },
    {0x56, true,  false, "%G" },
};

/* %Q, by bytes and by bits: PROTOCOLS 20 */
static bool is_output(uint8_t selector)
{
    return selector == 0x12 || selector == 0x48;
}

struct asked {
    uint8_t service, segment;
    uint8_t operation;
    uint16_t offset, count;
};

struct state {
    uint8_t mode, level; /* last told + 1 */
};

struct header {
    uint8_t type, sequence, message;
    uint8_t packet, packets;
    uint16_t text_size;
    struct reader service; /* 14 bytes */
    bool is_usual;         /* has the marks that all known packets have */
};

/* r is short afterwards when the header is not there. */
static struct header header_read(struct reader *r)
{
    struct header h;
    h.type = reader_u8(r);
    uint8_t zero = reader_u8(r);
    h.sequence = reader_u8(r);
    reader_skip(r, 1);
    h.text_size = reader_u16le(r);
    reader_skip(r, 3);
    uint8_t mark = reader_u8(r);
    reader_skip(r, 7);
    uint8_t second_mark = reader_u8(r);
    reader_skip(r, 13);
    h.message = reader_u8(r);
    reader_skip(r, 8);
    h.packet = reader_u8(r);
    h.packets = reader_u8(r);
    h.service = reader_take(r, HEADER_SIZE - SERVICE_AT);
    h.is_usual = zero == 0 && mark == 1 && second_mark == 1;
    return h;
}

static const struct service *service_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i].code == code)
            return &services[i];
    return NULL;
}

static const struct segment *segment_of(uint8_t selector)
{
    for (size_t i = 0; i < sizeof segments / sizeof *segments; i++)
        if (segments[i].selector == selector)
            return &segments[i];
    return NULL;
}

static bool message_fits(const struct header *h)
{
    switch (h->message) {
    case MESSAGE_REQUEST:
        return h->type == TYPE_REQUEST && h->text_size == 0;
    case MESSAGE_REQUEST_TEXT:
        return h->type == TYPE_REQUEST && h->text_size > 0;
    case MESSAGE_REPLY:
    case MESSAGE_ERROR:
        return h->type == TYPE_REPLY && h->text_size == 0;
    case MESSAGE_REPLY_TEXT:
        return h->type == TYPE_REPLY && h->text_size > 0;
    default:
        return false;
    }
}

/* A session begins with zeros, which say nothing: what follows does. */
static enum claim srtp_recognise(struct reader r)
{
    struct reader opening = r;
    size_t zeros = 0;
    while (zeros < HEADER_SIZE && reader_left(&opening) && reader_u8(&opening) == 0)
        zeros++;
    if (zeros == HEADER_SIZE)
        r = opening;
    else if (zeros == reader_left(&r))
        return CLAIM_MORE;
    if (!reader_left(&r))
        return CLAIM_MORE;
    uint8_t type = reader_peek(&r);
    if (type != TYPE_REQUEST && type != TYPE_REPLY)
        return CLAIM_NO;
    struct header h = header_read(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (!message_fits(&h) || h.text_size > TEXT_MAX)
        return CLAIM_NO;
    return h.is_usual ? CLAIM_YES : CLAIM_WEAK;
}

static struct frame srtp_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given && reader_peek(&r) > TYPE_LAST)
        return frame_broken_as(VIOLATION_ENCODING, "packet type is not defined");
    struct header h = header_read(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (h.text_size > TEXT_MAX)
        return frame_broken("text is too long");
    size_t size = (size_t)HEADER_SIZE + h.text_size;
    return given < size ? frame_need(size) : frame_of(size);
}

/* --- events --- */

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == TYPE_REQUEST)
        text_format(out, OT_CODE_SIZE, "type=%u,service=0x%02x", code[0], code[1]);
    else if (code[0] == TYPE_REPLY)
        text_format(out, OT_CODE_SIZE, "type=%u,mbox=0x%02x", code[0], code[1]);
    else
        text_format(out, OT_CODE_SIZE, "type=%u", code[0]);
}

struct exchange {
    struct dissect *d;
    const struct header *h;
    const struct service *service;
    struct asked asked;
    struct reader whole, text;
    struct ot_fact *facts;
    struct ot_event event;
};

/* Bits come in the bytes of the memory that they stand in: the first is seldom the lowest. */
static void put_shifted(struct exchange *x, struct ot_values *v, const uint8_t *bytes,
                        uint32_t count)
{
    size_t size = (count + 7u) / 8;
    uint8_t *bits = arena_take(x->d->arena, size);
    if (!bits)
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = x->asked.offset % 8 + i;
        bits[i / 8] = (uint8_t)(bits[i / 8] | (bytes[from / 8] >> from % 8 & 1) << i % 8);
    }
    *v = (struct ot_values){VALUES_BITS, count, bits, size};
}

static void put_item(struct exchange *x, struct reader data)
{
    const struct segment *s = segment_of(x->asked.segment);
    uint32_t room = 1;
    struct ot_item *item = dissect_items(x->d, &room);
    if (!item)
        return;
    uint32_t unit = s && s->is_bytes ? 8 : 1;
    uint32_t start = (uint32_t)x->asked.offset * unit + 1, count = x->asked.count * unit;
    *item = (struct ot_item){.area = s ? s->area : "segment",
                             .number = x->asked.segment,
                             .has_number = !s,
                             .has_start = true,
                             .start = start,
                             .count = count,
                             .low = start,
                             .high = start + (count ? count - 1 : 0),
                             .has_range = count > 0};
    x->event.items = item;
    x->event.item_count = x->event.items_total = 1;
    size_t size = !s || s->is_bytes ? x->asked.count
                  : s->is_bits      ? (x->asked.offset % 8 + (size_t)x->asked.count + 7) / 8
                                    : (size_t)x->asked.count * 2;
    if (size == 0 || size > reader_left(&data))
        return;
    struct ot_values *v = &item->values;
    if (!s)
        *v = (struct ot_values){VALUES_BYTES, 1, data.at, size};
    else if (s->is_bits && !s->is_bytes && x->asked.offset % 8)
        put_shifted(x, v, reader_bytes(&data, size), count);
    else if (s->is_bits)
        *v = (struct ot_values){VALUES_BITS, count, data.at, size};
    else
        *v = (struct ot_values){VALUES_U16LE, count, data.at, size};
}

/* Blocks of a program: packet n of several, or all of it in one. */
static void put_transfer(struct exchange *x)
{
    enum operation op = x->event.operation;
    size_t size = reader_left(&x->text);
    bool is_program = op == OP_PROGRAM_DOWNLOAD || op == OP_PROGRAM_UPLOAD;
    bool is_alone = x->h->packets < 2;
    bool is_content = (op == OP_PROGRAM_DOWNLOAD) == (x->h->type == TYPE_REQUEST);
    if (!is_program || (is_alone && !(size && is_content)))
        return;
    x->event.transfer.step = is_alone || (x->h->packet > 1 && x->h->packet >= x->h->packets)
                                 ? TRANSFER_END
                             : x->h->packet <= 1 ? TRANSFER_BEGIN
                                                 : TRANSFER_BLOCK;
    x->event.transfer.operation = op;
    if (size) {
        x->event.transfer.bytes = x->text.at;
        x->event.transfer.size = size;
    }
}

static enum operation state_operation(uint8_t wanted)
{
    enum { RUN = 1, STOP = 2 };
    return wanted == RUN ? OP_START : wanted == STOP ? OP_STOP : OP_MODE_CHANGE;
}

/* Level and password stand where others have segment and offset. */
static void privilege(struct exchange *x, struct reader r)
{
    bool has_password = false;
    const uint8_t *at = r.at;
    size_t size = reader_left(&r);
    while (reader_left(&r))
        has_password |= reader_u8(&r) != 0;
    if (!has_password)
        return;
    x->event.flags |= OT_HAS_CREDENTIAL;
    x->event.secret = at;
    x->event.secret_size = size;
}

static uint8_t service_code(const struct header *h, struct reader *fields)
{
    enum { WITH_TEXT_AT = 8 };
    *fields = h->service;
    if (h->message == MESSAGE_REQUEST_TEXT) {
        struct reader later = *fields;
        reader_skip(&later, WITH_TEXT_AT);
        if (service_of(reader_peek(&later)))
            *fields = later;
    }
    return reader_u8(fields);
}

static void request(struct exchange *x)
{
    struct reader fields;
    uint8_t code = service_code(x->h, &fields);
    struct reader after_code = fields;
    x->asked.service = code;
    x->asked.segment = reader_u8(&fields);
    struct reader password = fields;
    x->asked.offset = reader_u16le(&fields);
    x->asked.count = reader_u16le(&fields);
    x->service = service_of(code);
    x->event.code[1] = x->event.function = code;
    if (!x->service) {
        emit_violation(x->d, VIOLATION_FUNCTION, "service is not defined", x->whole.at,
                       HEADER_SIZE);
    } else {
        x->event.name = x->service->name;
        x->event.operation = x->service->operation;
        if (code == SERVICE_SET_STATE)
            x->event.operation = state_operation(reader_u8(&after_code));
        if (code == SERVICE_PRIVILEGE)
            privilege(x, x->h->message == MESSAGE_REQUEST_TEXT ? x->text : password);
        bool is_short = x->h->message == MESSAGE_REQUEST;
        if (x->service->data == DATA_SEGMENT_READ)
            put_item(x, reader_of(NULL, 0));
        else if (x->service->data == DATA_SEGMENT_WRITE && is_output(x->asked.segment) &&
                 x->event.operation == OP_WRITE)
            x->event.operation = OP_CONTROL;
        if (x->service->data == DATA_SEGMENT_WRITE)
            put_item(x, is_short ? reader_take(&fields, SHORT_DATA) : x->text);
        put_transfer(x);
    }
    x->asked.operation = (uint8_t)x->event.operation;
    struct asked *asked = dissect_remember(x->d, x->h->sequence, sizeof *asked, NULL);
    *asked = x->asked;
}

/* --- replies --- */

static void add_fact(struct exchange *x, enum fact_kind kind, struct text value)
{
    uint32_t room = FACTS_MAX;
    if (!x->facts)
        x->facts = dissect_facts(x->d, &room);
    if (!x->facts || room < FACTS_MAX)
        return;
    x->facts[x->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    x->event.facts = x->facts;
}

static void status_facts(struct exchange *x, struct state *s, uint8_t level, uint16_t status)
{
    static const char *const modes[] = {"run",    "run",       "stop", "stop",
                                        "halted", "suspended", "stop"};
    static const char *const levels[] = {"level 0", "level 1", "level 2", "level 3", "level 4"};
    uint8_t mode = (uint8_t)(status >> 12);
    if (mode < sizeof modes / sizeof *modes && s->mode != mode + 1) {
        s->mode = mode + 1;
        add_fact(x, FACT_MODE, text_of(modes[mode]));
    }
    if (level < sizeof levels / sizeof *levels && s->level != level + 1) {
        s->level = level + 1;
        add_fact(x, FACT_PROTECTION, text_of(levels[level]));
    }
}

static const char *error_name(uint8_t major, uint8_t minor)
{
    static const char *const majors[] = {
        [1] = "illegal_service", [2] = "insufficient_privilege", [4] = "sequence_error",
        [5] = "service_error",   [6] = "illegal_mailbox",        [7] = "queue_full",
    };
    static const struct {
        uint8_t minor;
        const char *name;
    } minors[] = {
        {0xf5, "invalid_password"},
        {0xfe, "no_privilege"    },
        {0xf1, "programmer_only" },
        {0xf0, "stop_mode_only"  },
        {0xef, "already_attached"},
        {0xe9, "invalid_selector"},
        {0xca, "write_protected" },
    };
    for (size_t i = 0; i < sizeof minors / sizeof *minors; i++)
        if (minors[i].minor == minor)
            return minors[i].name;
    return major < sizeof majors / sizeof *majors ? majors[major] : NULL;
}

/* The longest printable run; empty when it is too short for a name. */
static struct text printable_run(struct reader r)
{
    struct text best = {NULL, 0};
    const uint8_t *begin = r.at;
    while (reader_left(&r)) {
        const uint8_t *at = r.at;
        uint8_t byte = reader_u8(&r);
        if (byte <= ' ' || byte >= 0x7f)
            begin = r.at;
        else if ((size_t)(at + 1 - begin) > best.size)
            best = (struct text){(const char *)begin, (size_t)(at + 1 - begin)};
    }
    return best.size >= NAME_MIN ? best : (struct text){NULL, 0};
}

static void matched(struct exchange *x, struct reader short_data)
{
    x->service = service_of(x->asked.service);
    x->event.operation = (enum operation)x->asked.operation;
    if (!x->service)
        return;
    x->event.name = x->service->name;
    bool has_text = x->h->message == MESSAGE_REPLY_TEXT;
    struct reader data = has_text ? x->text : short_data;
    bool is_error = x->event.status.result == OT_RESULT_ERROR;
    if (x->service->data == DATA_SEGMENT_READ)
        put_item(x, is_error ? reader_of(NULL, 0) : data);
    else if (x->service->data == DATA_SEGMENT_WRITE)
        put_item(x, reader_of(NULL, 0));
    if (is_error)
        return;
    if (x->event.operation == OP_PROGRAM_UPLOAD)
        put_transfer(x);
    struct text name = printable_run(data);
    if (name.size && x->asked.service == SERVICE_IDENTITY)
        add_fact(x, FACT_NAME, name);
    else if (name.size && x->asked.service == SERVICE_NAMES)
        add_fact(x, FACT_PROGRAM, name);
}

static void reply(struct exchange *x, struct state *s)
{
    struct reader fields = x->h->service;
    uint8_t major = reader_u8(&fields), minor = reader_u8(&fields);
    struct reader short_data = reader_take(&fields, SHORT_DATA);
    reader_skip(&fields, 1);
    uint8_t level = reader_u8(&fields);
    reader_skip(&fields, 2);
    uint16_t status = reader_u16le(&fields);
    x->event.code[1] = x->event.function = x->h->message;
    x->event.name = "reply";
    x->event.operation = OP_READ;
    bool is_error = x->h->message == MESSAGE_ERROR || (x->h->message == MESSAGE_REPLY && major);
    x->event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (is_error)
        x->event.status = (struct ot_status){OT_RESULT_ERROR, (uint32_t)major << 8 | minor,
                                             error_name(major, minor)};
    size_t size;
    const struct asked *asked = dissect_recall(x->d, x->h->sequence, &size);
    if (!asked || size != sizeof *asked) {
        x->event.flags |= OT_NO_REQUEST;
    } else {
        x->asked = *asked;
        matched(x, short_data);
    }
    if (!is_error)
        status_facts(x, s, level, status);
}

static void srtp_dissect(struct dissect *d, struct reader r)
{
    struct exchange x = {.d = d, .whole = r};
    struct header h = header_read(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "header is cut off", NULL, 0);
        return;
    }
    x.h = &h;
    if (h.text_size != reader_left(&r))
        emit_violation(d, VIOLATION_LENGTH, "text is not as long as the header says", x.whole.at,
                       HEADER_SIZE);
    x.text = r;
    bool is_request = h.type == TYPE_OPEN || h.type == TYPE_REQUEST || h.type == TYPE_LAST - 1;
    if (!d->flow->is_role_known && (h.type == TYPE_REQUEST || h.type == TYPE_REPLY))
        dissect_sender_is_client(d, is_request);
    event_start(&x.event, d);
    x.event.direction = is_request ? OT_REQUEST : OT_RESPONSE;
    x.event.code[0] = h.type;
    x.event.spell = spell;
    x.event.transaction = h.sequence;
    x.event.has_transaction = true;
    x.event.telling = x.whole.at;
    x.event.telling_size = reader_left(&x.whole);
    if (h.type == TYPE_REQUEST || h.type == TYPE_REPLY) {
        if (!message_fits(&h))
            emit_violation(d, VIOLATION_ENCODING, "message type does not fit", x.whole.at,
                           HEADER_SIZE);
        if (h.type == TYPE_REQUEST)
            request(&x);
        else
            reply(&x, d->state);
    } else {
        x.event.has_transaction = false;
        x.event.name = is_request ? "open_session" : "session_opened";
        x.event.operation = OP_SESSION;
    }
    emit_event(d, &x.event);
}

const struct dissector dissector_ge_srtp = {
    .name = "ge_srtp",
    .spec = "GE SRTP, after public research and captures",
    .over = OVER_TCP,
    .ports = {18245},
    .state_size = sizeof(struct state),
    .pdu_max = HEADER_SIZE + TEXT_MAX,
    .recognise = srtp_recognise,
    .frame = srtp_frame,
    .dissect = srtp_dissect,
};
