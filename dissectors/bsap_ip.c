/* bsap_ip.c: BSAP over UDP, of Bristol's and Emerson's remote units (PROTOCOLS 25); frames of the
 * serial line in datagrams, too.
 *
 * Spec: [BSAP] Emerson D301401X012; the header of UDP is what public decoders agree on.
 *
 *   | header size 2: 0e or 16 | messages 2 | function 2 | sequence 4 | acknowledged 4 | 8 if 16 |
 *   message: | size 4, of all of it | 0c | sequence 4 | ...
 *   request:  | application 1 | node status 1 | function 1 or 2 | ...
 *     read:   | fields 1: which of four follow | field selectors | [by address: version 2]
 *             | security 1 | count 1 | name, 0 or address 2 |...
 *     write:  | [by address: version 2] | security 1 | count 1 | { name or address | what 1 | value
 * } response: | status 1 | count 1 | { type 1 | value 1 or 4 | address 2 | version 2 }... as
 * selected
 *
 * all little endian. */
#include "bsap_serial.h"
#include "decimal.h"
#include "hex_code.h"

enum {
    HEADER_SHORT = 0x0e,
    HEADER_LONG = 0x16,
    MESSAGES_MAX = 16, /* looked into */
    MESSAGE_HEADER = 0x0c,
    MESSAGE_MIN = 9,
    NAME_MAX = 64, /* [BSAP] base, extension and attribute are 20 characters */

    FUNCTION_POLL = 0,
    FUNCTION_COUNT = 1,
    FUNCTION_RESPONSE = 5,
    FUNCTION_REQUEST = 6,
    FUNCTION_REQUEST_84 = 0x84,
    FUNCTION_REQUEST_86 = 0x86,

    APPLICATION_RDB = 0xa0,
    APPLICATION_RDB_EXTENSION = 0xa1,

    BY_NAME = 1,
    BY_ADDRESS = 2,

    FIELD_TYPE = 0x80, /* of the first selector */
    FIELD_VALUE = 0x40,
    FIELD_ADDRESS = 0x10,
    FIELD_VERSION = 0x01, /* of the second */

    TYPE_MASK = 3,
    TYPE_LOGICAL = 0,
    TYPE_ANALOG = 2,

    WRITE_LOGICAL_ON = 9, /* the lowest bit of 9 and 10 is the value */
    WRITE_LOGICAL_OFF = 10,
    WRITE_ANALOG = 11,

    KEPT_MAX = REMEMBER_MAX - 16,
};

struct code {
    uint16_t number;
    uint8_t operation, form;
    const char *name;
};

static const struct code applications[] = {
    {0x03, OP_READ,             0, "pei_pc"                   },
    {0x48, OP_DIAGNOSTICS,      0, "diagnostics"              },
    {0x68, OP_PROGRAM_DOWNLOAD, 0, "flash_download"           },
    {0x6a, OP_CONFIG_CHANGE,    0, "flash_configuration"      },
    {0x78, OP_PROGRAM_DOWNLOAD, 0, "download"                 },
    {0x88, OP_PUBLISH,          0, "time_and_routing"         },
    {0x89, OP_SESSION,          0, "time_and_routing_request" },
    {0xa2, OP_PUBLISH,          0, "report_by_exception"      },
    {0xa3, OP_SUBSCRIBE,        0, "report_by_exception_setup"},
    {0xa8, OP_ALARM,            0, "alarm_acknowledge"        },
    {0xa9, OP_ALARM,            0, "alarm_initialise"         },
    {0xaa, OP_ALARM,            0, "alarm_report"             },
};

static const struct code rdb_functions[] = {
    {0x00, OP_READ,   BY_ADDRESS, "read_signal_by_address"       },
    {0x02, OP_READ,   0,          "read_logical_by_address"      },
    {0x04, OP_READ,   BY_NAME,    "read_signal_by_name"          },
    {0x06, OP_READ,   0,          "read_logical_by_name"         },
    {0x0c, OP_BROWSE, 0,          "read_signal_by_list"          },
    {0x0d, OP_BROWSE, 0,          "read_signal_by_list_continue" },
    {0x0e, OP_BROWSE, 0,          "read_logical_by_list"         },
    {0x0f, OP_BROWSE, 0,          "read_logical_by_list_continue"},
    {0x80, OP_WRITE,  BY_ADDRESS, "write_signal_by_address"      },
    {0x84, OP_WRITE,  BY_NAME,    "write_signal_by_name"         },
    {0x8c, OP_WRITE,  0,          "write_signal_by_list"         },
    {0x8d, OP_WRITE,  0,          "write_signal_by_list_continue"},
};

static const struct code extension_functions[] = {
    {0x0101, OP_RESTART,       0, "reset_system"       },
    {0x0102, OP_CONFIG_CHANGE, 0, "reset_diagnostics"  },
    {0x0201, OP_DIAGNOSTICS,   0, "read_date_and_time" },
    {0x0202, OP_DIAGNOSTICS,   0, "read_date"          },
    {0x0203, OP_DIAGNOSTICS,   0, "read_time"          },
    {0x0281, OP_TIME_SET,      0, "write_date_and_time"},
    {0x0400, OP_CONFIG_CHANGE, 0, "change_node_address"},
};

#define CODE_FIND(table, number) code_find(table, sizeof table / sizeof *table, number)

static const struct code *code_find(const struct code *table, size_t count, uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number)
            return &table[i];
    return NULL;
}

/* Of a request: what its answer is read with. */
struct request {
    const struct code *code;
    uint16_t size; /* of elements */
    uint8_t first_fields, second_fields, count;
    bool has_other_fields;
    uint8_t elements[]; /* at most KEPT_MAX bytes */
};

_Static_assert(sizeof(struct request) + KEPT_MAX <= REMEMBER_MAX, "what is kept of a request");

/* One message of a datagram. */
struct message {
    uint32_t sequence;
    const struct code *code; /* NULL: not known */
    uint8_t first_fields, second_fields;
    bool has_other_fields;
    uint8_t count; /* of elements */
    struct reader elements;
    const struct request *request; /* of a response */
    uint8_t status;                /* of a response */
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    memcpy(out, "msgs=", 5);
    size_t size = 5 + decimal_put(out + 5, code[0]);
    memcpy(out + size, ",func=", 6);
    size += 6;
    out[size + decimal_put(out + size, code[1])] = '\0';
}

static const char *function_name(uint16_t function)
{
    switch (function) {
    case FUNCTION_POLL:
        return "poll";
    case FUNCTION_COUNT:
    case FUNCTION_RESPONSE:
        return "response";
    case FUNCTION_REQUEST:
    case FUNCTION_REQUEST_84:
    case FUNCTION_REQUEST_86:
        return "request";
    default:
        return NULL;
    }
}

static bool is_response(uint16_t function)
{
    return function == FUNCTION_RESPONSE || function == FUNCTION_COUNT;
}

/* --- requests --- */

/* Up to the elements. A selector that is not among those below changes what an answer holds. */
static void rdb_request(struct message *m, struct reader r)
{
    bool is_write = m->code->operation == OP_WRITE;
    if (!m->code->form)
        return;
    if (!is_write) {
        uint8_t which = reader_u8(&r);
        if (which & 1)
            m->first_fields = reader_u8(&r);
        if (which & 2)
            m->second_fields = reader_u8(&r);
        m->has_other_fields = (which & ~3) != 0 || (m->second_fields & ~FIELD_VERSION) != 0 ||
                              (m->first_fields & ~(FIELD_TYPE | FIELD_VALUE | FIELD_ADDRESS)) != 0;
        for (unsigned more = which >> 2; more; more >>= 1)
            reader_skip(&r, more & 1);
    }
    if (m->code->form == BY_ADDRESS)
        reader_skip(&r, 2); /* version of the signals' table */
    reader_skip(&r, 1);     /* security level */
    m->count = reader_u8(&r);
    m->elements = r;
    if (!reader_ok(&r))
        m->count = 0;
}

static void read_request(struct dissect *d, struct message *m, struct reader r)
{
    const uint8_t *at = r.at;
    uint8_t application = reader_u8(&r);
    reader_skip(&r, 1); /* node status */
    if (application == APPLICATION_RDB)
        m->code = CODE_FIND(rdb_functions, reader_u8(&r));
    else if (application == APPLICATION_RDB_EXTENSION)
        m->code = CODE_FIND(extension_functions, reader_u16le(&r));
    else
        m->code = CODE_FIND(applications, application);
    if (!reader_ok(&r)) {
        m->code = NULL;
        emit_violation(d, VIOLATION_TRUNCATED, "BSAP request is cut off", at, (size_t)(r.at - at));
        return;
    }
    if (!m->code)
        emit_violation(d, VIOLATION_FUNCTION, "BSAP function is not defined", at,
                       (size_t)(r.at - at));
    else if (application == APPLICATION_RDB)
        rdb_request(m, r);
}

static void keep_request(struct dissect *d, const struct message *m, uint64_t key)
{
    size_t size = reader_left(&m->elements);
    if (size > KEPT_MAX)
        size = KEPT_MAX;
    struct request *kept = dissect_remember(d, key, sizeof *kept + size, NULL);
    kept->code = m->code;
    kept->first_fields = m->first_fields;
    kept->second_fields = m->second_fields;
    kept->count = m->count;
    kept->has_other_fields = m->has_other_fields;
    kept->size = (uint16_t)size;
    if (size)
        memcpy(kept->elements, m->elements.at, size);
}

/* --- items --- */

/* Reads which signal it is; false when it is cut off. The name is borrowed. */
static bool read_signal(struct ot_item *item, uint8_t form, struct reader *r)
{
    *item = (struct ot_item){.area = "signal", .count = 1};
    if (form == BY_ADDRESS) {
        uint16_t address = reader_u16le(r);
        item->has_start = item->has_range = true;
        item->start = item->low = item->high = address;
        return reader_ok(r);
    }
    size_t left = reader_left(r);
    const uint8_t *end = left ? memchr(r->at, 0, left) : NULL;
    if (!end)
        return false;
    size_t size = (size_t)(end - r->at);
    item->name = (struct text){(const char *)r->at, size < NAME_MAX ? size : NAME_MAX};
    reader_skip(r, size + 1);
    return true;
}

/* | what 1 | value |; false when nobody knows where it ends. */
static bool read_written(struct ot_item *item, struct reader *r)
{
    const uint8_t *what = reader_bytes(r, 1);
    if (!what)
        return false;
    if (*what == WRITE_LOGICAL_ON || *what == WRITE_LOGICAL_OFF) {
        item->values = (struct ot_values){VALUES_BITS, 1, what, 1};
    } else if (*what == WRITE_ANALOG) {
        const uint8_t *value = reader_bytes(r, 4);
        if (value)
            item->values = (struct ot_values){VALUES_F32LE, 1, value, 4};
    }
    return reader_ok(r) && *what && *what <= WRITE_ANALOG;
}

/* As selected by the request; false when nobody knows where it ends. */
static bool read_answered(struct ot_item *item, const struct request *q, struct reader *r)
{
    if (q->has_other_fields || !(q->first_fields & FIELD_TYPE))
        return false;
    uint8_t type = reader_u8(r) & TYPE_MASK;
    if (q->first_fields & FIELD_VALUE) {
        if (type != TYPE_LOGICAL && type != TYPE_ANALOG)
            return false;
        size_t size = type == TYPE_LOGICAL ? 1 : 4;
        const uint8_t *value = reader_bytes(r, size);
        if (!value)
            return false;
        item->type = type == TYPE_LOGICAL ? "logical" : "analog";
        item->values =
            (struct ot_values){type == TYPE_LOGICAL ? VALUES_U8 : VALUES_F32LE, 1, value, size};
    }
    if (q->first_fields & FIELD_ADDRESS)
        reader_skip(r, 2);
    if (q->second_fields & FIELD_VERSION)
        reader_skip(r, 2);
    return reader_ok(r);
}

static uint32_t request_items(const struct message *m, struct ot_item *items, uint32_t room)
{
    struct reader r = m->elements;
    bool is_write = m->code->operation == OP_WRITE;
    uint32_t n = 0;
    while (n < m->count && n < room && read_signal(&items[n], m->code->form, &r)) {
        n++;
        if (is_write && !read_written(&items[n - 1], &r))
            break;
    }
    return n;
}

static uint32_t response_items(const struct message *m, struct ot_item *items, uint32_t room)
{
    const struct request *q = m->request;
    struct reader asked = reader_of(q->elements, q->size), r = m->elements;
    bool is_known = !m->status;
    uint32_t n = 0;
    while (n < m->count && n < room && read_signal(&items[n], q->code->form, &asked)) {
        is_known = is_known && read_answered(&items[n], q, &r);
        n++;
    }
    return n;
}

static void put_items(struct dissect *d, struct ot_event *e, const struct message *messages,
                      size_t count)
{
    uint32_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += messages[i].count;
    if (!total)
        return;
    uint32_t room = total, used = 0;
    struct ot_item *items = dissect_items(d, &room);
    for (size_t i = 0; items && i < count; i++) {
        const struct message *m = &messages[i];
        if (m->count == 0)
            continue;
        if (m->request)
            used += response_items(m, items + used, room - used);
        else
            used += request_items(m, items + used, room - used);
    }
    e->items = items;
    e->item_count = used;
    e->items_total = total;
}

/* --- a datagram --- */

/* | status 1 | count 1 | elements |. Of an answer whose question was not seen nothing is known. */
static void read_response(struct dissect *d, struct ot_event *e, struct message *m, struct reader r,
                          uint64_t key)
{
    size_t size;
    m->status = reader_u8(&r);
    uint8_t count = reader_u8(&r);
    if (m->status)
        e->status = (struct ot_status){OT_RESULT_ERROR, m->status, NULL};
    else if (e->status.result != OT_RESULT_ERROR)
        e->status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    const struct request *q = dissect_recall(d, key, &size);
    if (!q) {
        e->flags |= OT_NO_REQUEST;
        return;
    }
    m->code = q->code;
    bool is_read = q->code && q->code->operation == OP_READ && q->code->form;
    if (!is_read || !reader_ok(&r))
        return;
    m->request = q;
    m->count = count < q->count ? count : q->count;
    m->elements = r;
    if (count != q->count)
        emit_violation(d, VIOLATION_COUNT, "BSAP answer has another count than was asked for",
                       m->elements.at - 1, 1);
}

/* False when it does not fit. */
static bool read_message(struct dissect *d, struct ot_event *e, struct message *m, struct reader *r)
{
    const uint8_t *at = r->at;
    size_t left = reader_left(r);
    *m = (struct message){0};
    uint32_t size = reader_u32le(r);
    if (!reader_ok(r) || size < MESSAGE_MIN || size > left) {
        emit_violation(d, VIOLATION_LENGTH, "BSAP message does not fit", at, left);
        return false;
    }
    struct reader body = reader_take(r, size - 4);
    reader_skip(&body, 1);
    m->sequence = reader_u32le(&body);
    uint64_t key = (uint64_t)m->sequence << 1;
    if (is_response((uint16_t)e->function)) {
        read_response(d, e, m, body, key | !d->is_from_client);
    } else {
        read_request(d, m, body);
        keep_request(d, m, key | d->is_from_client);
    }
    return true;
}

static void read_messages(struct dissect *d, struct ot_event *e, uint32_t count, struct reader r)
{
    struct message messages[MESSAGES_MAX];
    size_t n = 0;
    while (n < count && n < MESSAGES_MAX && read_message(d, e, &messages[n], &r)) {
        const struct code *code = messages[n].code;
        if (code && (enum operation)code->operation >= e->operation) {
            e->operation = (enum operation)code->operation;
            e->name = code->name;
        }
        n++;
    }
    if (n == count && reader_left(&r))
        emit_violation(d, VIOLATION_TRAILING, "bytes behind the BSAP messages", r.at,
                       reader_left(&r));
    if (!n)
        return;
    e->transaction = messages[0].sequence;
    e->has_transaction = true;
    put_items(d, e, messages, n);
}

/* --- a frame of the serial line --- */

enum { FUNCTION_PEI = 0x03 };

static void spell_serial(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    hex_code(out, code[0], 2);
}

/* Answers go to the asking program (PEI), and tell which function answers. */
static bool is_serial_response(const struct bsap_serial *s)
{
    return s->function == FUNCTION_PEI &&
           (s->source == APPLICATION_RDB || s->source == APPLICATION_RDB_EXTENSION);
}

static void serial_dissect(struct dissect *d, struct reader r)
{
    struct bsap_serial s;
    struct message m = {0};
    const char *why = bsap_serial_read(d->arena, r, &s);
    if (why) {
        emit_violation(d, VIOLATION_ENCODING, why, r.at, reader_left(&r));
        return;
    }
    struct ot_event e = event_of(d);
    bool is_answer = is_serial_response(&s);
    uint64_t key = (uint64_t)s.sequence << 1;
    m.sequence = s.sequence;
    e.protocol = "bsap_serial";
    e.direction = OT_ONEWAY;
    e.spell = spell_serial;
    e.code[0] = e.function = s.function;
    e.transaction = s.sequence;
    e.has_transaction = true;
    e.unit = s.is_global ? dissect_text(d, "%u.%u", s.address, is_answer ? s.from : s.to)
                         : dissect_text(d, "%u", s.address);
    if (is_answer) {
        reader_skip(&s.body, 2);
        read_response(d, &e, &m, s.body, key | !d->is_from_client);
    } else {
        read_request(d, &m, s.body);
        keep_request(d, &m, key | d->is_from_client);
    }
    e.operation = m.code ? (enum operation)m.code->operation : OP_UNKNOWN;
    e.name = m.code ? m.code->name : is_answer ? "response" : "request";
    put_items(d, &e, &m, 1);
    emit_event(d, &e);
}

/* The functions that a frame is for, so that not any text between marks is one. */
static enum claim serial_recognise(struct reader r)
{
    enum { LOCAL_AT = 4, GLOBAL_AT = 9, GLOBAL_BIT = 0x80 };
    if (!bsap_serial_is_whole(r))
        return CLAIM_NO;
    struct reader function = r;
    reader_skip(&function, r.at[2] & GLOBAL_BIT ? GLOBAL_AT : LOCAL_AT);
    uint8_t number = reader_u8(&function);
    bool is_known = number == APPLICATION_RDB || number == APPLICATION_RDB_EXTENSION ||
                    CODE_FIND(applications, number) != NULL;
    return reader_ok(&function) && is_known ? CLAIM_WEAK : CLAIM_NO;
}

/* --- both --- */

static void bsap_ip_dissect(struct dissect *d, struct reader r)
{
    if (bsap_serial_begins(r)) {
        serial_dissect(d, r);
        return;
    }
    struct reader pdu = r;
    uint16_t header = reader_u16le(&r);
    uint16_t messages = reader_u16le(&r);
    uint16_t function = reader_u16le(&r);
    struct reader data = pdu;
    reader_skip(&data, header);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "BSAP header is cut off", pdu.at, reader_left(&pdu));
        return;
    }
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.code[0] = messages;
    e.code[1] = e.function = function;
    e.spell = spell;
    e.name = function_name(function);
    e.operation = is_response(function) ? OP_PUBLISH : OP_UNKNOWN; /* until the question is known */
    if (!e.name)
        emit_violation(d, VIOLATION_FUNCTION, "BSAP message function is not defined", pdu.at + 4,
                       2);
    if ((header != HEADER_SHORT && header != HEADER_LONG) || !reader_ok(&data))
        emit_violation(d, VIOLATION_LENGTH, "BSAP header size is not the message's", pdu.at, 2);
    else if (function == FUNCTION_POLL)
        e.operation = OP_SESSION;
    else if (e.name)
        read_messages(d, &e, messages, data);
    emit_event(d, &e);
}

/* Messages that fill the datagram are a signature; a poll is none. */
static enum claim bsap_ip_recognise(struct reader r)
{
    if (bsap_serial_begins(r))
        return serial_recognise(r);
    size_t given = reader_left(&r);
    uint16_t header = reader_u16le(&r);
    uint16_t messages = reader_u16le(&r);
    uint16_t function = reader_u16le(&r);
    reader_skip(&r, (size_t)header - 6);
    if ((header != HEADER_SHORT && header != HEADER_LONG) || !reader_ok(&r) ||
        !function_name(function))
        return CLAIM_NO;
    if (!messages)
        return given == header && function == FUNCTION_POLL ? CLAIM_WEAK : CLAIM_NO;
    for (unsigned i = 0; i < messages; i++) {
        uint32_t size = reader_u32le(&r);
        struct reader body = reader_take(&r, size > 4 ? size - 4 : 0);
        if (size < MESSAGE_MIN || !reader_ok(&r) || reader_u8(&body) != MESSAGE_HEADER)
            return CLAIM_NO;
    }
    return reader_left(&r) ? CLAIM_NO : CLAIM_YES;
}

const struct dissector dissector_bsap_ip = {
    .name = "bsap_ip",
    .spec = "Emerson BSAP, D301401X012",
    .over = OVER_UDP,
    .ports = {1234, 1235},
    .recognise = bsap_ip_recognise,
    .dissect = bsap_ip_dissect,
};
