/* cclink_ie.c: CC-Link IE: frames of the Field and Control networks, and Field Basic over UDP.
 *
 * Spec: PROTOCOLS 29; Field Basic uses the frames of SLMP (CLPA BAP-C2006)
 *
 *   ethertype 890F   | frame type 1 | ... |, recorded, not read
 *   request    | 50 00 | network 1 | station FF | module FF 03 | 00 | length 2 | timer 2 | command
 * 2 | | subcommand 2 | data | response   | D0 00 | network 1 | station FF | module FF 03 | 00 |
 * length 2 | end code 2 | data |
 *
 * little endian */
#include "dissector.h"

enum {
    SUBHEADER_REQUEST = 0x5000,
    SUBHEADER_RESPONSE = 0xd000,
    MODULE_OWN = 0x03ff,
    AFTER_LENGTH = 9,
    COMMAND_CYCLIC = 0x0e70,
    COMMAND_SEARCH = 0x0e30,
    COMMAND_SET_ADDRESS = 0x0e31,
};

struct cclink_state {
    uint16_t command; /* last asked for on this flow */
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
    case 0xcfe0:
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
    uint16_t command = is_request ? s.command : state->command;
    const struct command_row *row = row_of(command);
    struct ot_event e = event_of(d);
    e.direction = is_request ? OT_REQUEST : OT_RESPONSE;
    e.protocol = "cclink_ie";
    e.operation = row ? row->operation : OP_UNKNOWN;
    e.code[0] = e.function = command;
    e.code[1] = 1;
    e.spell = spell;
    e.name = row ? row->name : NULL;
    if (!is_request) {
        e.status = (struct ot_status){s.value ? OT_RESULT_ERROR : OT_RESULT_OK, s.value,
                                      end_name(s.value)};
        if (!command)
            e.flags |= OT_NO_REQUEST;
    }
    struct ot_item item = {
        .area = "data",
        .count = (uint32_t)reader_left(&s.data),
        .type = "byte",
        .values = {VALUES_BYTES, 1, s.data.at, reader_left(&s.data)}
    };
    if (reader_left(&s.data)) {
        e.items = &item;
        e.item_count = e.items_total = 1;
    }
    emit_event(d, &e);
    if (is_request && !row)
        emit_violation(d, VIOLATION_FUNCTION, "unknown CC-Link IE Field Basic command",
                       r.at + AFTER_LENGTH + 2, 2);
}

/* SLMP has many commands; ours are few, and a response does not tell. */
static enum claim cclink_recognise(struct reader r)
{
    struct slmp s;
    if (reader_left(&r) < 2)
        return CLAIM_MORE;
    if (!read_slmp(r, &s))
        return CLAIM_NO;
    return s.subheader == SUBHEADER_REQUEST && row_of(s.command) ? CLAIM_YES : CLAIM_NO;
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
