/* cclink_ie.c: CC-Link IE: frames of the Field and Control networks, and Field Basic over UDP.
 *
 * Spec: PROTOCOLS 29; Field Basic uses the frames of SLMP (CLPA BAP-C2006)
 *
 *   ethertype 890F   | frame type 1 | ... |, recorded, not read
 *   request    | 50 00 | network 1 | station FF | module FF 03 | 00 | length 2 | timer 2 | command
 * 2 | | subcommand 2 | data | response   | D0 00 | network 1 | station FF | module FF 03 | 00 |
 * length 2 | end code 2 | data |
 *
 *   cyclic data of a request  | version 2 | 0, 2 | offset of * 2, from the command on | 0, 14 |
 *     master: unit 2, 0, 2, time 8 | ... | * master id 4 | group 1 | 0 1 | sequence 2 | timeout 2 |
 *     repeats 2 | parameters 2 | stations 2 | states 2 | 0, 2 | slave ids 4 each | RWw 64 each | RY
 * 8 each | of a response | version 2 | end code 2 | offset 2, =28 | 0, 14 | vendor 2 | 0, 2 | model
 * 4 | machine version 2 | 0, 2 | unit 2 | error 2 | data of the unit 4 | slave id 4 | group 1 | 0 1
 * | sequence 2 | RWr 64 each | RX 8 each |
 *
 * little endian; an id is an IPv4 address. Requests are broadcast: the answers are flows of their
 * own. */
#include "decimal.h"
#include "dissector.h"

enum {
    SUBHEADER_REQUEST = 0x5000,
    SUBHEADER_RESPONSE = 0xd000,
    MODULE_OWN = 0x03ff,
    AFTER_LENGTH = 9,
    COMMAND_CYCLIC = 0x0e70,
    COMMAND_SEARCH = 0x0e30,
    COMMAND_SET_ADDRESS = 0x0e31,
    CYCLIC_AT = 0x28,     /* of a response */
    CYCLIC_RESERVED = 14, /* zeros behind the offset */
    COMMAND_SIZE = 4,     /* the offset of a request counts them, too */
    ID_SIZE = 4,
    REGISTERS_SIZE = 64, /* of a station */
    BITS_SIZE = 8,
    STATIONS_MAX = 16, /* of a group */
    DUPLICATE_MASTER = 0xcfe0,
    FACTS_MAX = 3,
};

struct cclink_state {
    uint16_t command;   /* last asked for on this flow */
    bool is_identified; /* the slave's facts were told */
};

static const struct command_row {
    uint16_t command;
    enum operation operation;
    const char *name;
} commands[] = {
    {COMMAND_CYCLIC,      OP_PUBLISH,       "cyclic_data"   },
    {COMMAND_SEARCH,      OP_DISCOVER,      "node_search"   },
    {COMMAND_SET_ADDRESS, OP_CONFIG_CHANGE, "set_ip_address"},
};

static const struct command_row *row_of(uint16_t command)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].command == command)
            return &commands[i];
    return NULL;
}

static const char *end_name(uint16_t code)
{
    switch (code) {
    case 0:
        return "ok";
    case DUPLICATE_MASTER:
        return "duplicate_master";
    case 0xcfe1:
        return "occupied_stations_differ";
    case 0xcff0:
        return "slave_error";
    case 0xcfff:
        return "disconnected";
    default:
        return NULL;
    }
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, code[1] ? "0x%04x" : "0x%02x", code[0]);
}

static void field_frame(struct dissect *d, struct reader r)
{
    uint8_t type = reader_u8(&r);
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.protocol = "cclink_ie";
    e.operation = OP_PUBLISH;
    e.code[0] = e.function = type;
    e.spell = spell;
    e.name = "ring_frame";
    emit_event(d, &e);
}

struct slmp {
    uint16_t subheader, length, value; /* value: timer of a request, end code of a response */
    uint16_t command;
    struct reader data;
};

static bool read_slmp(struct reader r, struct slmp *s)
{
    *s = (struct slmp){.subheader = reader_u16be(&r)};
    reader_skip(&r, 1);
    uint8_t station = reader_u8(&r);
    uint16_t module = reader_u16le(&r);
    uint8_t extension = reader_u8(&r);
    s->length = reader_u16le(&r);
    size_t left = reader_left(&r);
    s->value = reader_u16le(&r);
    bool is_request = s->subheader == SUBHEADER_REQUEST;
    if (!is_request && s->subheader != SUBHEADER_RESPONSE)
        return false;
    if (is_request) {
        s->command = reader_u16le(&r);
        reader_skip(&r, 2);
    }
    if (!reader_ok(&r) || station != 0xff || module != MODULE_OWN || extension != 0 ||
        s->length != left)
        return false;
    s->data = r;
    return true;
}

/* --- cyclic data --- */

/* Everything that is made of one message. */
struct message {
    struct dissect *d;
    struct ot_event event;
    struct ot_item items[2];
    struct ot_fact facts[FACTS_MAX];
};

static struct text id_text(struct dissect *d, const uint8_t *id)
{
    char *out = id ? arena_take(d->arena, 4 * DECIMAL_MAX) : NULL;
    size_t size = 0;
    for (size_t i = ID_SIZE; i-- > 0 && out;) {
        size += decimal_put(out + size, id[i]);
        if (i)
            out[size++] = '.';
    }
    return (struct text){out, size};
}

static void put_item(struct message *m, const char *area, enum ot_encoding encoding,
                     struct reader values)
{
    size_t size = reader_left(&values);
    uint32_t count = (uint32_t)(encoding == VALUES_BITS ? size * 8 : size / 2);
    if (count == 0)
        return;
    m->items[m->event.item_count++] = (struct ot_item){
        .area = area,
        .has_start = true,
        .count = count,
        .has_range = true,
        .high = count - 1,
        .values = {encoding, count, values.at, size},
    };
    m->event.items = m->items;
    m->event.items_total = m->event.item_count;
}

/* | registers 64 each | bits 8 each | */
static void put_process_data(struct message *m, const char *registers, const char *bits,
                             size_t stations, struct reader r)
{
    struct reader first = reader_take(&r, stations * REGISTERS_SIZE);
    struct reader second = reader_take(&r, stations * BITS_SIZE);
    if (!reader_ok(&r) || stations > STATIONS_MAX) {
        emit_violation(m->d, VIOLATION_COUNT,
                       "CC-Link IE cyclic data is not what its stations have", NULL, 0);
        return;
    }
    put_item(m, registers, VALUES_U16LE, first);
    put_item(m, bits, VALUES_BITS, second);
}

static void cyclic_request(struct message *m, struct reader r)
{
    enum { TO_STATIONS = 1 + 1 + 2 + 2 + 2 + 2 };
    reader_skip(&r, 4);
    struct reader from_command = r;
    uint16_t offset = reader_u16le(&from_command);
    reader_skip(&r, offset < COMMAND_SIZE + 4 ? 0 : offset - COMMAND_SIZE - 4u);
    const uint8_t *master = reader_bytes(&r, ID_SIZE);
    reader_skip(&r, TO_STATIONS);
    uint16_t stations = reader_u16le(&r);
    reader_skip(&r, 4 + (size_t)stations * ID_SIZE);
    if (!reader_ok(&r)) {
        emit_violation(m->d, VIOLATION_TRUNCATED, "CC-Link IE cyclic data is cut off", NULL, 0);
        return;
    }
    m->event.unit = id_text(m->d, master);
    put_process_data(m, "rww", "ry", stations, r);
}

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->facts;
}

static void cyclic_response(struct message *m, struct reader r)
{
    struct cclink_state *state = m->d->state;
    reader_skip(&r, 2);
    uint16_t end = reader_u16le(&r);
    reader_skip(&r, 2 + CYCLIC_RESERVED);
    uint16_t vendor = reader_u16le(&r);
    reader_skip(&r, 2);
    uint32_t model = reader_u32le(&r);
    uint16_t version = reader_u16le(&r);
    reader_skip(&r, 4);
    uint16_t error = reader_u16le(&r);
    reader_skip(&r, 4);
    const uint8_t *slave = reader_bytes(&r, ID_SIZE);
    reader_skip(&r, 4);
    if (!reader_ok(&r)) {
        emit_violation(m->d, VIOLATION_TRUNCATED, "CC-Link IE cyclic data is cut off", NULL, 0);
        return;
    }
    m->event.unit = id_text(m->d, slave);
    if (end)
        m->event.status = (struct ot_status){OT_RESULT_ERROR, end, end_name(end)};
    else if (error && m->event.status.result == OT_RESULT_OK)
        m->event.status = (struct ot_status){OT_RESULT_ERROR, error, "unit_error"};
    if (end == DUPLICATE_MASTER)
        emit_violation(m->d, VIOLATION_STATE, "CC-Link IE slave has another master already", NULL,
                       0);
    if (!state->is_identified) {
        state->is_identified = true;
        add_fact(m, FACT_VENDOR, dissect_text(m->d, "CC-Link vendor 0x%04x", vendor));
        add_fact(m, FACT_PRODUCT, dissect_text(m->d, "0x%08x", model));
        add_fact(m, FACT_FIRMWARE, dissect_text(m->d, "%u", version));
    }
    put_process_data(m, "rwr", "rx", reader_left(&r) / (REGISTERS_SIZE + BITS_SIZE), r);
}

/* Version, offset and zeros as every answer to cyclic data has them. */
static bool is_cyclic_response(struct reader data)
{
    uint16_t version = reader_u16le(&data);
    reader_skip(&data, 2);
    uint16_t offset = reader_u16le(&data);
    uint8_t any = 0;
    for (int i = 0; i < CYCLIC_RESERVED; i++)
        any |= reader_u8(&data);
    reader_skip(&data, CYCLIC_AT + 8 - 6 - CYCLIC_RESERVED);
    return reader_ok(&data) && version != 0 && offset == CYCLIC_AT && any == 0;
}

static void basic_frame(struct dissect *d, struct reader r)
{
    struct cclink_state *state = d->state;
    struct slmp s;
    if (!read_slmp(r, &s)) {
        emit_violation(d, VIOLATION_LENGTH, "CC-Link IE Field Basic frame is not whole", NULL, 0);
        return;
    }
    bool is_request = s.subheader == SUBHEADER_REQUEST;
    dissect_sender_is_client(d, is_request);
    if (is_request)
        state->command = s.command;
    uint16_t command = is_request                   ? s.command
                       : is_cyclic_response(s.data) ? COMMAND_CYCLIC
                                                    : state->command;
    const struct command_row *row = row_of(command);
    struct message m;
    m.d = d;
    event_start(&m.event, d);
    struct ot_event *e = &m.event;
    e->direction = is_request ? OT_REQUEST : OT_RESPONSE;
    e->protocol = "cclink_ie";
    e->operation = row ? row->operation : OP_UNKNOWN;
    e->code[0] = e->function = command;
    e->code[1] = 1;
    e->spell = spell;
    e->name = row ? row->name : NULL;
    if (!is_request) {
        e->status = (struct ot_status){s.value ? OT_RESULT_ERROR : OT_RESULT_OK, s.value,
                                       end_name(s.value)};
        if (!command)
            e->flags |= OT_NO_REQUEST;
    }
    if (command == COMMAND_CYCLIC && is_request)
        cyclic_request(&m, s.data);
    else if (command == COMMAND_CYCLIC && s.value == 0)
        cyclic_response(&m, s.data);
    else if (reader_left(&s.data)) {
        m.items[0] = (struct ot_item){
            .area = "data",
            .count = (uint32_t)reader_left(&s.data),
            .type = "byte",
            .values = {VALUES_BYTES, 1, s.data.at, reader_left(&s.data)}
        };
        e->items = m.items;
        e->item_count = e->items_total = 1;
    }
    emit_event(d, e);
    if (is_request && !row)
        emit_violation(d, VIOLATION_FUNCTION, "unknown CC-Link IE Field Basic command",
                       r.at + AFTER_LENGTH + 2, 2);
}

/* SLMP has many commands; ours are few, and of responses only that to cyclic data tells. */
static enum claim cclink_recognise(struct reader r)
{
    struct slmp s;
    if (reader_left(&r) < 2)
        return CLAIM_MORE;
    if (!read_slmp(r, &s))
        return CLAIM_NO;
    bool is_ours =
        s.subheader == SUBHEADER_REQUEST ? row_of(s.command) != NULL : is_cyclic_response(s.data);
    return is_ours ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_cclink_ie = {
    .name = "cclink_ie",
    .spec = "CLPA BAP-C2006 (CC-Link IE Field Basic)",
    .over = OVER_UDP,
    .ports = {61450, 61451},
    .state_size = sizeof(struct cclink_state),
    .recognise = cclink_recognise,
    .dissect = basic_frame,
};

/* The ethertype decides. */
static enum claim field_recognise(struct reader r)
{
    return reader_left(&r) ? CLAIM_YES : CLAIM_MORE;
}

const struct dissector dissector_cclink_ie_field = {
    .name = "cclink_ie",
    .spec = "PROTOCOLS 29: recorded only",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x890f},
    .recognise = field_recognise,
    .dissect = field_frame,
};
