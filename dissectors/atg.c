/* atg.c: automatic tank gauges, the serial commands of Veeder-Root's consoles over TCP (PROTOCOLS
 * 30).
 *
 *   request: | 01 | I inquires or S sets; small: for computers | function 3 | tank 2 | [data] | LF
 * | answer:  | 01 | [CR LF] | the same 6 characters | text | 03 | ; 9999FF1B: not understood
 *
 * all ASCII. */
#include "ascii.h"
#include "decimal.h"

enum {
    START = 0x01,
    END = 0x03,
    COMMAND_SIZE = 6,
    PDU_MAX = 8192,

    FUNCTION_TIME = 501,
    FUNCTION_REVISION = 902,
    TANK_DIGITS = 2,
};

struct command {
    bool is_setting;
    uint32_t function;
    uint8_t tank; /* 0: all */
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    out[0] = code[0] ? 'S' : 'I';
    decimal_padded(out + 1, code[1], COMMAND_SIZE - 1);
    out[COMMAND_SIZE] = '\0';
}

static bool read_command(struct reader *r, struct command *c)
{
    uint8_t letter = ascii_lower((char)reader_u8(r));
    uint32_t number = 0;
    for (int i = 1; i < COMMAND_SIZE; i++) {
        uint8_t digit = (uint8_t)(reader_u8(r) - '0');
        if (digit > 9)
            return false;
        number = number * 10 + digit;
    }
    *c = (struct command){letter == 's', number / 100, (uint8_t)(number % 100)};
    return reader_ok(r) && (letter == 's' || letter == 'i');
}

/* An answer may begin on a line of its own. */
static void skip_line_end(struct reader *r)
{
    while (reader_peek(r) == '\r' || reader_peek(r) == '\n')
        reader_skip(r, 1);
}

static enum operation operation_of(const struct command *c)
{
    if (c->is_setting)
        return c->function == FUNCTION_TIME ? OP_TIME_SET : OP_CONFIG_CHANGE;
    return c->function == FUNCTION_REVISION ? OP_IDENTIFY : OP_READ;
}

static void put_tank(struct dissect *d, struct ot_event *e, const struct command *c)
{
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    if (!count)
        return;
    *item = (struct ot_item){
        .area = "tank", .has_start = true, .start = c->tank, .count = 1, .low = c->tank};
    item->high = c->tank;
    item->has_range = true;
    e->items = item;
    e->item_count = e->items_total = 1;
}

static void atg_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    size_t size = reader_left(&r);
    struct command c;
    reader_skip(&r, 1);
    skip_line_end(&r);
    struct ot_event e = event_of(d);
    e.direction = d->is_from_client ? OT_REQUEST : OT_RESPONSE;
    e.spell = spell;
    bool is_refused = ascii_begins(ascii_of(r), "9999ff1b");
    if (!is_refused && !read_command(&r, &c)) {
        emit_violation(d, VIOLATION_FUNCTION, "tank gauge command is not defined", at, size);
        return;
    }
    size_t kept;
    const struct command *asked =
        d->is_from_client ? NULL : dissect_recall(d, 0, &kept); /* one at a time */
    if (is_refused)
        c = asked ? *asked : (struct command){0};
    e.code[0] = c.is_setting;
    e.code[1] = e.function = c.function * 100 + c.tank;
    e.name = c.is_setting ? "set" : "inquire";
    e.operation = operation_of(&c);
    if (d->is_from_client) {
        memcpy(dissect_remember(d, 0, sizeof c, NULL), &c, sizeof c);
    } else {
        e.flags |= asked ? 0 : OT_NO_REQUEST;
        e.status = is_refused ? (struct ot_status){OT_RESULT_ERROR, 0, "not_understood"}
                              : (struct ot_status){OT_RESULT_OK, 0, "ok"};
    }
    put_tank(d, &e, &c);
    emit_event(d, &e);
}

/* A line, or up to the end mark: an answer that begins with a line end has more of them inside. */
static struct frame atg_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given && reader_u8(&r) != START)
        return frame_broken_as(VIOLATION_FUNCTION, "tank gauge message does not begin");
    bool has_lines = reader_peek(&r) == '\r' || reader_peek(&r) == '\n';
    while (reader_left(&r)) {
        uint8_t byte = reader_u8(&r);
        if (byte == END || (byte == '\n' && !has_lines))
            return frame_of(given - reader_left(&r));
    }
    return given < PDU_MAX ? frame_need(given + 1)
                           : frame_broken("tank gauge message does not end");
}

static enum claim atg_recognise(struct reader r)
{
    struct command c;
    size_t given = reader_left(&r);
    if (given && reader_u8(&r) != START)
        return CLAIM_NO;
    skip_line_end(&r);
    if (reader_left(&r) < COMMAND_SIZE)
        return given <= COMMAND_SIZE + 2 ? CLAIM_MORE : CLAIM_NO;
    return read_command(&r, &c) ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_atg = {
    .name = "atg",
    .spec = "Veeder-Root serial interface, as public scanners use it",
    .over = OVER_TCP,
    .ports = {10001},
    .pdu_max = PDU_MAX,
    .recognise = atg_recognise,
    .frame = atg_frame,
    .dissect = atg_dissect,
};
