/* hart_ip.c: HART-IP: sessions, and HART commands to a device or to what lies behind it.
 *
 * Spec: [IP]  FieldComm HCF_SPEC-085 Network Management Specification, HART-IP
 *       [TDL] HCF_SPEC-081 Token-Passing Data Link Layer
 *       [UNI] HCF_SPEC-127, [COM] HCF_SPEC-151: the commands (hart_commands.c)
 *
 *   | version 1 | type 1 | id 1 | status 1 | sequence 2 | length of all 2 | body |
 *   token-passing  | delimiter 1 | address 1 or 5 | expansion 0..3 | command 1 | count 1 |
 *                  | response code 1, device status 1, of responses | data | XOR of all 1 |
 *   direct         | device status 1 | extended status 1 | { command 2 | count 1 |
 *                  | response code 1, of responses | data }... |
 */
#include "hart_commands.h"

enum {
    HEADER_SIZE = 8,
    LENGTH_MAX = 4096, /* an audit log of 58 records has 1016 */
    VERSION_MAX = 2,

    TYPE_REQUEST = 0,
    TYPE_RESPONSE = 1,
    TYPE_PUBLISH = 2,
    TYPE_NAK = 15,

    ID_INITIATE = 0,
    ID_CLOSE = 1,
    ID_KEEP_ALIVE = 2,
    ID_TOKEN_PASSING = 3,
    ID_DIRECT = 4,
    ID_AUDIT_LOG = 5,
    ID_MAX = ID_AUDIT_LOG,
    INITIATE_SIZE = 13,

    DELIMITER_LONG = 0x80,
    FRAME_BURST = 1,
    FRAME_REQUEST = 2,
    FRAME_ACKNOWLEDGE = 6,
    ADDRESS_LONG_SIZE = 5,
    ADDRESS_MASK = 0x3f, /* without the bits of master and burst mode */
    COMMAND_EXTENDED = 31,
    COMMAND_IDENTITY = 0,
    COMMAND_SUB_DEVICE = 77,
    COMMAND_AGGREGATED = 78,
    COMMUNICATION_ERROR = 0x80,

    STATUS_MALFUNCTION = 0x80, /* of the field device, [TDL] table 3 */
    STATUS_CHANGED = 0x40,
    STATUS_COLD_START = 0x20,
    STATUS_FIXED_CURRENT = 0x08,

    FACTS_MAX = 10,
    ITEMS_MAX = 8,  /* slots of command 9 */
    ASKED_MAX = 96, /* a token-passing frame; long ones write no parameter */
    NAME_MAX = 40,
};

struct hart_state {
    bool is_initiated;
};

struct message {
    struct dissect *d;
    uint8_t type, id, status;
    uint16_t sequence, length;
    bool is_response; /* its commands carry response codes */
    bool is_asked;
    struct reader asked; /* the token-passing frame of the request, or what was kept of it */
    struct reader pdu;
};

/* What is kept of a request. */
struct asked {
    uint8_t id, size;
    uint8_t frame[ASKED_MAX];
};

/* A command, wherever it was found. */
struct order {
    uint16_t number;
    uint8_t spelled; /* the number on the wire: 31 for those of 16 bits */
    bool is_response, has_code, has_device_status;
    uint8_t code, device_status;
    struct text unit;
    struct reader data;
};

/* --- spelling --- */

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[2])
        text_format(out, OT_CODE_SIZE, "type=%u,id=%u,cmd=%u", code[0], code[1], code[3]);
    else
        text_format(out, OT_CODE_SIZE, "type=%u,id=%u", code[0], code[1]);
}

static struct ot_event event_begin(const struct message *m)
{
    struct ot_event e = event_of(m->d);
    e.direction = m->type == TYPE_REQUEST   ? OT_REQUEST
                  : m->type == TYPE_PUBLISH ? OT_ONEWAY
                                            : OT_RESPONSE;
    e.code[0] = m->type;
    e.code[1] = m->id;
    e.function = m->id;
    e.spell = spell;
    e.transaction = m->sequence;
    e.has_transaction = m->type != TYPE_PUBLISH;
    e.telling = m->pdu.at;
    e.telling_size = reader_left(&m->pdu);
    if (m->type == TYPE_PUBLISH)
        e.flags |= OT_UNSOLICITED;
    /* [IP]: over UDP a session is answered from a port of its own */
    bool is_moved = m->id == ID_INITIATE && m->d->flow->transport == TRANSPORT_UDP;
    if (e.direction == OT_RESPONSE && !m->is_asked && !is_moved)
        e.flags |= OT_NO_REQUEST;
    return e;
}

/* [IP] status of the header */
static void header_status(const struct message *m, struct ot_event *e)
{
    static const char *const names[] = {
        [0] = "success",
        [2] = "invalid_selection",
        [5] = "too_few_bytes",
        [6] = "device_specific_error",
        [8] = "nearest_value",
        [9] = "security_not_initialized",
        [14] = "version_not_supported",
        [15] = "all_sessions_in_use",
        [16] = "access_restricted",
        [30] = "insecure_session_exists",
    };
    if (e->direction != OT_RESPONSE)
        return;
    bool is_warning = m->status == 8 || m->status == 14 || m->status == 30;
    const char *name = m->status < sizeof names / sizeof *names ? names[m->status] : NULL;
    e->status = (struct ot_status){
        (m->status && !is_warning) || m->type == TYPE_NAK ? OT_RESULT_ERROR : OT_RESULT_OK,
        m->status, name};
}

static void wrong(const struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

/* --- the data of a command --- */

/* [UNI] 5: 6 bits a character, those below 0x20 stand for capitals. */
static struct text unpack(struct dissect *d, struct reader r)
{
    char *out = arena_take(d->arena, NAME_MAX);
    size_t size = 0;
    if (!out)
        return (struct text){NULL, 0};
    while (reader_left(&r) >= 3 && size + 4 <= NAME_MAX) {
        uint32_t bits = reader_u24be(&r);
        for (int shift = 18; shift >= 0; shift -= 6) {
            uint8_t c = bits >> shift & 0x3f;
            out[size++] = (char)(c < 0x20 ? c + 0x40 : c);
        }
    }
    while (size && (out[size - 1] == ' ' || out[size - 1] == '@')) /* '@': never written */
        size--;
    return (struct text){out, size};
}

static struct text latin(struct reader r)
{
    size_t size = reader_left(&r);
    const char *at = (const char *)reader_bytes(&r, size);
    size = at ? strnlen(at, size) : 0;
    while (size && at[size - 1] == ' ')
        size--;
    return (struct text){size ? at : NULL, size};
}

static struct text field_text(struct dissect *d, const struct hart_field *f, struct reader r)
{
    return f->kind == HART_PACKED ? unpack(d, r) : latin(r);
}

static struct ot_values field_values(struct dissect *d, const struct hart_field *f, struct reader r)
{
    static const enum ot_encoding encodings[] = {
        [HART_U8] = VALUES_U8, [HART_U16] = VALUES_U16BE, [HART_F32] = VALUES_F32BE};
    if (f->kind == HART_U24) {
        uint8_t *wide = arena_take(d->arena, 4);
        if (!wide)
            return (struct ot_values){.encoding = VALUES_NONE};
        memcpy(wide + 1, r.at, 3);
        return (struct ot_values){VALUES_U32BE, 1, wide, 4};
    }
    if (f->kind == HART_LATIN || f->kind == HART_PACKED) {
        struct text t = field_text(d, f, r);
        return (struct ot_values){VALUES_TEXT, t.size > 0, (const uint8_t *)t.at, t.size};
    }
    return (struct ot_values){encodings[f->kind], 1, r.at, reader_left(&r)};
}

/* Which device variable or channel the data begins with, as people count them. */
static bool has_index(uint16_t command)
{
    return command == 79 || command == 53 || command == 55 || command == 82 ||
           (command >= 60 && command <= 69 && command != 61);
}

/* [UNI] 6.9, [COM] 33 and 62: a request lists codes, the answer has a slot for each. */
static const struct slots {
    uint8_t command, before, size, value_at;
    const char *name;
} slots_of[] = {
    {9,  1, 8, 3, "device_variable"}, /* code, class, units, value, status */
    {33, 0, 6, 2, "device_variable"}, /* code, units, value */
    {62, 0, 6, 2, "analog_channel" },
};

static uint32_t put_slots(struct dissect *d, const struct slots *s, const struct order *o,
                          struct ot_item *items)
{
    enum { VALUE_SIZE = 4 };
    struct reader r = o->data;
    size_t size = o->is_response ? s->size : 1;
    uint32_t count = 0;
    if (o->is_response)
        reader_skip(&r, s->before);
    while (reader_left(&r) >= size && count < ITEMS_MAX) {
        struct reader slot = reader_take(&r, size);
        struct ot_item *item = &items[count++];
        *item = (struct ot_item){
            .area = "parameter",
            .name = dissect_text(d, "%s %u", s->name, reader_peek(&slot)),
            .count = 1,
        };
        reader_skip(&slot, s->value_at);
        const uint8_t *value = o->is_response ? reader_bytes(&slot, VALUE_SIZE) : NULL;
        if (value)
            item->values = (struct ot_values){VALUES_F32BE, 1, value, VALUE_SIZE};
    }
    return count;
}

static uint32_t put_fields(struct dissect *d, const struct order *o, struct ot_item *items)
{
    for (size_t i = 0; i < sizeof slots_of / sizeof *slots_of; i++)
        if (slots_of[i].command == o->number)
            return put_slots(d, &slots_of[i], o, items);
    size_t fields;
    const struct hart_field *f = hart_fields(o->number, &fields);
    uint32_t count = 0;
    uint8_t index = reader_peek(&o->data);
    for (size_t i = 0; i < fields && count < ITEMS_MAX; i++) {
        struct reader r = o->data;
        reader_skip(&r, f[i].at);
        r = reader_take(&r, f[i].size);
        if (!reader_ok(&r))
            break;
        items[count++] = (struct ot_item){
            .area = "parameter",
            .name = has_index(o->number) ? dissect_text(d, "%s %u", f[i].name, index)
                                         : text_of(f[i].name),
            .count = 1,
            .values = field_values(d, &f[i], r),
        };
    }
    return count;
}

static void add_fact(struct ot_event *e, struct ot_fact *facts, enum fact_kind kind,
                     struct text value)
{
    if (value.size && e->fact_count < FACTS_MAX)
        facts[e->fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* HCF_SPEC-183 Common Table 57 */
static const struct {
    uint8_t number;
    const char *name;
} profiles[] = {
    {1,   "HART process automation device"          },
    {2,   "HART discrete device"                    },
    {3,   "HART process and discrete device"        },
    {4,   "HART I/O system"                         },
    {65,  "HART-IP process automation device"       },
    {129, "WirelessHART process automation device"  },
    {130, "WirelessHART discrete device"            },
    {131, "WirelessHART process and discrete device"},
    {132, "WirelessHART gateway"                    },
    {141, "WirelessHART process adapter"            },
    {142, "WirelessHART discrete adapter"           },
    {144, "WirelessHART handheld"                   },
};

static struct text profile_name(uint8_t number)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (profiles[i].number == number)
            return text_of(profiles[i].name);
    return (struct text){NULL, 0};
}

/* [UNI] 6.1: | 254 1 | expanded device type 2 | preambles 1 | universal revision 1 | device
 * revision 1 | software revision 1 | hardware revision 5 bits, signaling 3 | flags 1 | device id 3
 * | preambles 1 | variables 1 | changes 2 | extended status 1 | manufacturer 2 | distributor 2 |
 * profile 1 | */
static void put_identity(struct dissect *d, struct ot_event *e, struct ot_fact *facts,
                         struct reader r)
{
    enum { EXPANDED = 254, HAS_MANUFACTURER = 7 };
    if (reader_u8(&r) != EXPANDED)
        return;
    uint16_t type = reader_u16be(&r);
    reader_skip(&r, 1);
    uint8_t universal = reader_u8(&r);
    uint8_t device = reader_u8(&r);
    uint8_t software = reader_u8(&r);
    uint8_t hardware = reader_u8(&r) >> 3;
    reader_skip(&r, 1);
    uint32_t id = reader_u24be(&r);
    if (!reader_ok(&r))
        return;
    reader_skip(&r, 5);
    uint16_t manufacturer = reader_u16be(&r);
    bool has_manufacturer = universal >= HAS_MANUFACTURER && reader_ok(&r);
    reader_skip(&r, 2);
    uint8_t profile = reader_u8(&r); /* 0, which is none, where it is cut off */
    if (has_manufacturer)
        add_fact(e, facts, FACT_PRODUCT, profile_name(profile));
    else
        manufacturer = type >> 8; /* before revision 7 the type began with it */
    const char *name = hart_manufacturer(manufacturer);
    add_fact(e, facts, FACT_VENDOR,
             name ? text_of(name) : dissect_text(d, "manufacturer %u", manufacturer));
    add_fact(e, facts, FACT_DEVICE_TYPE, dissect_text(d, "HART 0x%04x", type));
    add_fact(e, facts, FACT_SERIAL, dissect_text(d, "%06x", id));
    add_fact(e, facts, FACT_FIRMWARE, dissect_text(d, "%u", device));
    add_fact(e, facts, FACT_SOFTWARE, dissect_text(d, "%u", software));
    add_fact(e, facts, FACT_HARDWARE, dissect_text(d, "%u", hardware));
}

/* Names that a field device tells in answers. */
static void put_names(struct dissect *d, struct ot_event *e, struct ot_fact *facts,
                      const struct order *o)
{
    static const struct {
        uint8_t command, at; /* a row of hart_commands.c */
        uint8_t kind;        /* enum fact_kind */
    } names[] = {
        {13, 0, FACT_MODULE_NAME},
        {13, 6, FACT_COMMENT    },
        {20, 0, FACT_NAME       },
    };
    size_t fields;
    const struct hart_field *f = hart_fields(o->number, &fields);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < fields; k++) {
            if (names[i].command != o->number || names[i].at != f[k].at)
                continue;
            struct reader r = o->data;
            reader_skip(&r, f[k].at);
            r = reader_take(&r, f[k].size);
            if (reader_ok(&r))
                add_fact(e, facts, (enum fact_kind)names[i].kind, field_text(d, &f[k], r));
        }
}

/* What the device says of itself beside the answer. */
static const char *device_words(uint8_t status)
{
    if (status & STATUS_MALFUNCTION)
        return "device malfunction";
    if (status & STATUS_COLD_START)
        return "cold start";
    if (status & STATUS_FIXED_CURRENT)
        return "loop current fixed";
    if (status & STATUS_CHANGED)
        return "configuration changed";
    return NULL;
}

static void order_status(const struct order *o, struct ot_event *e)
{
    if (!o->has_code || e->status.result == OT_RESULT_ERROR)
        return;
    if (o->code & COMMUNICATION_ERROR) { /* [TDL]: the other bits tell parity, framing, checksum */
        e->status = (struct ot_status){OT_RESULT_ERROR, o->code, "communication_error"};
        return;
    }
    bool is_warning;
    const char *name = hart_response_name(o->code, &is_warning);
    e->status =
        (struct ot_status){o->code && !is_warning ? OT_RESULT_ERROR : OT_RESULT_OK, o->code, name};
}

static bool read_order(struct dissect *d, struct reader *r, struct order *o);

/* A refusal has no data: what was asked for is in the request. */
static uint32_t put_asked(const struct message *m, const struct order *o, struct ot_item *items)
{
    struct reader r = m->asked;
    struct order asked = {0};
    if (!reader_left(&r) || !read_order(m->d, &r, &asked) || asked.number != o->number)
        return 0;
    uint32_t count = put_fields(m->d, &asked, items);
    for (uint32_t i = 0; i < count; i++)
        items[i].values = (struct ot_values){.encoding = VALUES_NONE};
    return count;
}

static void embedded(const struct message *m, const struct order *o);

static void emit_order(const struct message *m, const struct order *o, bool is_inner)
{
    struct dissect *d = m->d;
    struct ot_fact facts[FACTS_MAX];
    struct ot_item items[ITEMS_MAX];
    const struct hart_command *command = hart_command_find(o->number);
    struct ot_event e = event_begin(m);
    e.code[2] = 1;
    e.code[3] = o->spelled;
    e.function = o->number;
    e.unit = o->unit;
    e.facts = facts;
    e.items = items;
    if (command) {
        e.name = command->name;
        e.operation = (enum operation)command->operation;
    }
    if (m->type == TYPE_PUBLISH)
        e.operation = OP_PUBLISH;
    header_status(m, &e);
    order_status(o, &e);
    bool is_failed = e.status.result == OT_RESULT_ERROR;
    bool is_identity = o->number == COMMAND_IDENTITY || o->number == 11 || o->number == 21 ||
                       o->number == 73 || o->number == 75; /* answered as 0 is */
    if (!is_failed && !(is_identity && o->is_response))
        e.item_count = e.items_total = put_fields(d, o, items);
    if (o->is_response && reader_left(&o->data) == 0 && !is_inner)
        e.item_count = e.items_total = put_asked(m, o, items);
    if (o->is_response && !is_failed) {
        if (is_identity)
            put_identity(d, &e, facts, o->data);
        put_names(d, &e, facts, o);
    }
    if (o->has_device_status && !(o->code & COMMUNICATION_ERROR)) {
        const char *words = device_words(o->device_status);
        if (words)
            e.detail = text_of(words);
    }
    emit_event(d, &e);
    if (!is_inner && !is_failed)
        embedded(m, o);
}

/* --- frames --- */

static struct text address_text(struct dissect *d, const uint8_t *address, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_take(d->arena, 2 * ADDRESS_LONG_SIZE);
    if (!out)
        return (struct text){NULL, 0};
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = i ? address[i] : address[i] & ADDRESS_MASK;
        out[2 * i] = hex[byte >> 4];
        out[2 * i + 1] = hex[byte & 15];
    }
    return (struct text){out, 2 * size};
}

static uint8_t xor_of(struct reader r)
{
    uint8_t sum = 0;
    while (reader_left(&r))
        sum ^= reader_u8(&r);
    return sum;
}

/* Command 31: the number has 16 bits and leads the data. */
static void extend(struct order *o)
{
    o->spelled = (uint8_t)o->number;
    if (o->number != COMMAND_EXTENDED)
        return;
    uint16_t number = reader_u16be(&o->data);
    if (reader_ok(&o->data))
        o->number = number;
}

/* From the delimiter on; without checksum. False: cut off. */
static bool read_order(struct dissect *d, struct reader *r, struct order *o)
{
    uint8_t delimiter = reader_u8(r);
    size_t size = delimiter & DELIMITER_LONG ? ADDRESS_LONG_SIZE : 1;
    const uint8_t *address = reader_bytes(r, size);
    reader_skip(r, delimiter >> 5 & 3);
    o->number = reader_u8(r);
    uint8_t count = reader_u8(r);
    if (!reader_ok(r))
        return false;
    o->unit = address_text(d, address, size);
    o->is_response = (delimiter & 7) == FRAME_ACKNOWLEDGE || (delimiter & 7) == FRAME_BURST;
    o->data = reader_take(r, count);
    if (o->is_response && count >= 2) {
        o->has_code = o->has_device_status = true;
        o->code = reader_u8(&o->data);
        o->device_status = reader_u8(&o->data);
    }
    extend(o);
    return reader_ok(r);
}

static void token_passing(const struct message *m, struct reader r)
{
    struct reader frame = r;
    struct order o = {0};
    bool is_whole = read_order(m->d, &r, &o) && reader_left(&r) == 1;
    if (!is_whole)
        wrong(m, VIOLATION_COUNT, "HART byte count is not what the frame holds");
    else if (xor_of(frame) != 0) /* the checksum makes the sum of all 0 */
        wrong(m, VIOLATION_CHECKSUM, "HART checksum does not match");
    if (is_whole && o.is_response != m->is_response)
        wrong(m, VIOLATION_DIRECTION, "HART frame of the other direction");
    if (!reader_ok(&r))
        return;
    emit_order(m, &o, false);
}

/* | command 2 | count 1 | response code 1, of responses | data | */
static bool read_direct(const struct message *m, struct reader *r, struct order *o)
{
    o->number = reader_u16be(r);
    o->spelled = o->number > 0xff ? COMMAND_EXTENDED : (uint8_t)o->number;
    o->is_response = m->is_response;
    o->data = reader_take(r, reader_u8(r));
    if (o->is_response && reader_left(&o->data)) {
        o->has_code = true;
        o->code = reader_u8(&o->data);
    }
    return reader_ok(r);
}

static void direct(const struct message *m, struct reader r)
{
    uint8_t device_status = reader_u8(&r);
    reader_skip(&r, 1);
    if (!reader_left(&r))
        wrong(m, VIOLATION_COUNT, "HART-IP direct PDU without a command");
    while (reader_left(&r)) {
        struct order o = {.device_status = device_status, .has_device_status = m->is_response};
        if (!read_direct(m, &r, &o)) {
            wrong(m, VIOLATION_COUNT, "HART byte count is not what the direct PDU holds");
            return;
        }
        emit_order(m, &o, false);
    }
}

/* [COM] 7.45: | card 1 | channel 1 | preambles 1 | delimiter 1 | address 1 or 5 |... */
static void sub_device(const struct message *m, const struct order *outer)
{
    struct order o = {0};
    struct reader r = outer->data;
    uint8_t card = reader_u8(&r);
    uint8_t channel = reader_u8(&r);
    if (!outer->is_response)
        reader_skip(&r, 1);
    if (!read_order(m->d, &r, &o))
        return;
    o.is_response = outer->is_response;
    o.unit = dissect_text(m->d, "%u.%u %.*s", card, channel, (int)o.unit.size, o.unit.at);
    emit_order(m, &o, true);
}

/* [COM] 7.46: | status 1, of responses | count 1 | { command 2 | count 1 | response code 1 | data
 * }... | */
static void aggregated(const struct message *m, const struct order *outer)
{
    struct reader r = outer->data;
    if (outer->is_response)
        reader_skip(&r, 1);
    uint8_t count = reader_u8(&r);
    for (uint8_t i = 0; i < count && reader_left(&r); i++) {
        struct order o = {.unit = outer->unit};
        if (!read_direct(m, &r, &o))
            return;
        emit_order(m, &o, true);
    }
}

static void embedded(const struct message *m, const struct order *o)
{
    if (o->number == COMMAND_SUB_DEVICE)
        sub_device(m, o);
    else if (o->number == COMMAND_AGGREGATED)
        aggregated(m, o);
}

/* --- messages --- */

static void session(const struct message *m, struct reader r)
{
    static const char *const names[] = {
        [ID_INITIATE] = "session_initiate",
        [ID_CLOSE] = "session_close",
        [ID_KEEP_ALIVE] = "keep_alive",
        [ID_AUDIT_LOG] = "read_audit_log",
    };
    struct ot_event e = event_begin(m);
    e.name = m->id <= ID_MAX ? names[m->id] : NULL;
    e.operation = m->id == ID_AUDIT_LOG ? OP_DIAGNOSTICS
                  : m->id <= ID_MAX     ? OP_SESSION
                                        : OP_UNKNOWN;
    header_status(m, &e);
    if (m->id == ID_INITIATE && m->type == TYPE_REQUEST) {
        uint8_t master = reader_u8(&r);
        uint32_t timer = reader_u32be(&r);
        if (reader_ok(&r))
            e.detail = dissect_text(m->d, "%s master, closes after %u ms",
                                    master == 1 ? "primary" : "secondary", timer);
        else
            wrong(m, VIOLATION_LENGTH, "HART-IP session initiation is cut off");
    }
    emit_event(m->d, &e);
}

static void state_check(const struct message *m)
{
    struct hart_state *s = m->d->state;
    if (m->id == ID_INITIATE) {
        s->is_initiated = true;
        return;
    }
    bool is_strange = m->id >= ID_TOKEN_PASSING && m->type == TYPE_REQUEST && !s->is_initiated;
    if (is_strange && m->d->flow->is_start_seen && m->d->flow->transport == TRANSPORT_TCP)
        wrong(m, VIOLATION_STATE, "HART-IP command before a session");
    s->is_initiated = true; /* told once */
}

static void match(struct message *m, struct reader body)
{
    size_t size = reader_left(&body);
    if (m->type == TYPE_REQUEST) {
        if (m->id != ID_TOKEN_PASSING || size > ASKED_MAX)
            size = 0;
        struct asked *a =
            dissect_remember(m->d, m->sequence, offsetof(struct asked, frame) + size, NULL);
        a->id = m->id;
        a->size = (uint8_t)size;
        if (size)
            memcpy(a->frame, body.at, size);
    } else if (m->type != TYPE_PUBLISH) {
        const struct asked *a = dissect_recall(m->d, m->sequence, &size);
        m->is_asked = a && a->id == m->id;
        if (m->is_asked)
            m->asked = reader_of(a->frame, a->size);
    }
}

static void hart_ip_dissect(struct dissect *d, struct reader r)
{
    struct message m = {.d = d, .pdu = r};
    uint8_t version = reader_u8(&r);
    uint8_t type = reader_u8(&r);
    m.type = type & 15;
    m.id = reader_u8(&r);
    m.status = reader_u8(&r);
    m.sequence = reader_u16be(&r);
    m.length = reader_u16be(&r);
    if (!reader_ok(&r)) {
        wrong(&m, VIOLATION_TRUNCATED, "HART-IP header is cut off");
        return;
    }
    m.is_response = m.type != TYPE_REQUEST;
    if (version == 0 || version > VERSION_MAX)
        wrong(&m, VIOLATION_RESERVED, "HART-IP version is not 1 or 2");
    if (m.type > TYPE_PUBLISH && m.type != TYPE_NAK)
        wrong(&m, VIOLATION_FUNCTION, "HART-IP message type is not defined");
    if (m.id > ID_MAX)
        wrong(&m, VIOLATION_FUNCTION, "HART-IP message id is not defined");
    if (m.length != reader_left(&m.pdu))
        wrong(&m, VIOLATION_LENGTH, "HART-IP length is not the message's");
    if (m.type == TYPE_REQUEST || m.type == TYPE_RESPONSE || m.type == TYPE_NAK)
        dissect_sender_is_client(d, m.type == TYPE_REQUEST);
    state_check(&m);
    match(&m, r);
    bool has_body = reader_left(&r) > 0;
    if (m.id == ID_TOKEN_PASSING && has_body)
        token_passing(&m, r);
    else if (m.id == ID_DIRECT && has_body)
        direct(&m, r);
    else
        session(&m, r);
}

static struct frame hart_ip_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t version = reader_u8(&r);
    reader_skip(&r, 5);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (version == 0 || version > VERSION_MAX)
        return frame_broken_as(VIOLATION_RESERVED, "HART-IP version is not 1 or 2");
    if (length < HEADER_SIZE || length > LENGTH_MAX)
        return frame_broken("HART-IP length out of range");
    return length <= given ? frame_of(length) : frame_need(length);
}

/* A whole token-passing frame proves itself by its checksum; the rest are small numbers. */
static enum claim hart_ip_recognise(struct reader r)
{
    enum { FRAME_MIN = 5, LOW_BITS_RESERVED = 0x10 /* physical layers 2 and 3 are not defined */ };
    uint8_t version = reader_u8(&r);
    uint8_t type = reader_u8(&r);
    uint8_t id = reader_u8(&r);
    reader_skip(&r, 3);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (version == 0 || version > VERSION_MAX || (type > TYPE_PUBLISH && type != TYPE_NAK) ||
        id > ID_MAX || length < HEADER_SIZE || length > LENGTH_MAX)
        return CLAIM_NO;
    size_t body = (size_t)length - HEADER_SIZE;
    if (id <= ID_KEEP_ALIVE)
        return body == 0 || (id == ID_INITIATE && length == INITIATE_SIZE) ? CLAIM_WEAK : CLAIM_NO;
    if (id != ID_TOKEN_PASSING || reader_left(&r) < body)
        return CLAIM_WEAK;
    struct reader frame = reader_take(&r, body);
    uint8_t kind = reader_peek(&frame) & 7;
    bool is_frame = body >= FRAME_MIN && !(reader_peek(&frame) & LOW_BITS_RESERVED) &&
                    (kind == FRAME_BURST || kind == FRAME_REQUEST || kind == FRAME_ACKNOWLEDGE);
    if (!is_frame)
        return body == 0 ? CLAIM_WEAK : CLAIM_NO;
    return xor_of(frame) == 0 ? CLAIM_YES : CLAIM_WEAK;
}

const struct dissector dissector_hart_ip = {
    .name = "hart_ip",
    .spec = "FieldComm HCF_SPEC-085",
    .over = OVER_TCP | OVER_UDP,
    .ports = {5094},
    .state_size = sizeof(struct hart_state),
    .pdu_max = LENGTH_MAX,
    .recognise = hart_ip_recognise,
    .frame = hart_ip_frame,
    .dissect = hart_ip_dissect,
};
