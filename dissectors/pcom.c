/* pcom.c: PCOM of Unitronics' controllers, over TCP and as the serial line's bytes on TCP
 * (PROTOCOLS 24).
 *
 *   over TCP: | transaction 2 LE | 65 ASCII, 66 binary | 0 | size of the rest 2 LE | message |
 *   ASCII:    | / | [A in answers] | unit, 2 hex | command, 2 or 3 letters
 *             | [address, 4 hex | count, 2 hex | values of 1, 4 or 8 hex each] | check, 2 hex | CR
 * | binary:   | /_OPLC | id 1 | fe | 4 | command 1 | 0 | details 6 | size of data 2 LE | check 2 LE
 *             | data | check 2 LE | \ |
 *
 * The ASCII check is the sum of what is between / or A and itself; the binary ones make the sum of
 * header or data 0. */
#include "decimal.h"
#include "hex_code.h"

enum {
    TCP_HEADER = 6,
    MODE_ASCII = 101,
    MODE_BINARY = 102,
    MESSAGE_MAX = 4096,

    ASCII_MIN = 8, /* | / | unit | command | check | CR | */
    ADDRESS_DIGITS = 4,
    COUNT_DIGITS = 2,

    BINARY_HEADER = 24,
    BINARY_TAIL = 3,
    BINARY_MARK = 0xfe,
    COMMAND_AT = 12,
    DATA_SIZE_AT = 20,
    HEADER_CHECK_AT = 22,
    RESPONSE_BIT = 0x80,
    COMMAND_NAME = 0x0c,

    SERIAL_KEY = 1 << 24, /* the serial line has no transactions */
};

static const char binary_start[] = "/_OPLC";

/* digits: of one value; 0: the command touches nothing. */
struct command {
    char letters[4];
    uint8_t operation, digits, encoding;
    const char *area, *name;
};

/* Longer ones before their beginnings. */
static const struct command commands[] = {
    {"CCR", OP_START,          0, VALUES_NONE,  NULL,             "start"                },
    {"CCS", OP_STOP,           0, VALUES_NONE,  NULL,             "stop"                 },
    {"CCE", OP_RESTART,        0, VALUES_NONE,  NULL,             "reset"                },
    {"CCI", OP_PROGRAM_DELETE, 0, VALUES_NONE,  NULL,             "initialise"           },
    {"ID",  OP_IDENTIFY,       0, VALUES_NONE,  NULL,             "identify"             },
    {"UG",  OP_DIAGNOSTICS,    0, VALUES_NONE,  NULL,             "get_unit_id"          },
    {"US",  OP_CONFIG_CHANGE,  0, VALUES_NONE,  NULL,             "set_unit_id"          },
    {"RC",  OP_DIAGNOSTICS,    0, VALUES_NONE,  NULL,             "get_clock"            },
    {"SC",  OP_TIME_SET,       0, VALUES_NONE,  NULL,             "set_clock"            },
    {"RE",  OP_READ,           1, VALUES_BITS,  "input",          "read_inputs"          },
    {"RA",  OP_READ,           1, VALUES_BITS,  "output",         "read_outputs"         },
    {"GS",  OP_READ,           1, VALUES_BITS,  "system_bit",     "read_system_bits"     },
    {"GF",  OP_READ,           4, VALUES_I16BE, "system_integer", "read_system_integers" },
    {"RNH", OP_READ,           8, VALUES_I32BE, "system_long",    "read_system_longs"    },
    {"RNJ", OP_READ,           8, VALUES_U32BE, "system_double",  "read_system_doubles"  },
    {"RB",  OP_READ,           1, VALUES_BITS,  "memory_bit",     "read_memory_bits"     },
    {"RW",  OP_READ,           4, VALUES_I16BE, "memory_integer", "read_memory_integers" },
    {"RNL", OP_READ,           8, VALUES_I32BE, "memory_long",    "read_memory_longs"    },
    {"RND", OP_READ,           8, VALUES_U32BE, "memory_double",  "read_memory_doubles"  },
    {"RN",  OP_READ,           0, VALUES_NONE,  NULL,             "read_memory"          },
    {"SA",  OP_CONTROL,        1, VALUES_BITS,  "output",         "write_outputs"        },
    {"SS",  OP_WRITE,          1, VALUES_BITS,  "system_bit",     "write_system_bits"    },
    {"SF",  OP_WRITE,          4, VALUES_I16BE, "system_integer", "write_system_integers"},
    {"SNH", OP_WRITE,          8, VALUES_I32BE, "system_long",    "write_system_longs"   },
    {"SNJ", OP_WRITE,          8, VALUES_U32BE, "system_double",  "write_system_doubles" },
    {"SB",  OP_WRITE,          1, VALUES_BITS,  "memory_bit",     "write_memory_bits"    },
    {"SW",  OP_WRITE,          4, VALUES_I16BE, "memory_integer", "write_memory_integers"},
    {"SNL", OP_WRITE,          8, VALUES_I32BE, "memory_long",    "write_memory_longs"   },
    {"SND", OP_WRITE,          8, VALUES_U32BE, "memory_double",  "write_memory_doubles" },
    {"SN",  OP_WRITE,          0, VALUES_NONE,  NULL,             "write_memory"         },
    {"CC",  OP_UNKNOWN,        0, VALUES_NONE,  NULL,             "control"              },
};

static const struct {
    uint8_t number, operation;
    const char *name;
} binary_commands[] = {
    {0x04, OP_READ,     "read_data_table" },
    {0x0c, OP_IDENTIFY, "get_name"        },
    {0x44, OP_WRITE,    "write_data_table"},
    {0x4d, OP_READ,     "read_operands"   },
};

/* What is kept of a request. */
struct asked {
    const struct command *command; /* NULL: binary, or not known */
    uint32_t code;
    uint16_t address;
    uint8_t count;
    bool has_range;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    hex_code(out, code[0], code[0] > 0xffff ? 6 : code[0] > 0xff ? 4 : 2);
}

/* --- hex --- */

/* 16: it is no digit. */
static uint8_t digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0');
    if (c >= 'A' && c <= 'F')
        return (uint8_t)(c - 'A' + 10);
    return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 16;
}

/* Short, when one of them is no digit. */
static uint32_t read_hex(struct reader *r, size_t digits)
{
    const uint8_t *at = reader_bytes(r, digits);
    uint32_t value = 0;
    for (size_t i = 0; at && i < digits; i++) {
        uint8_t digit = digit_of(at[i]);
        if (digit > 15)
            reader_fail(r);
        value = value << 4 | (digit & 15);
    }
    return reader_ok(r) ? value : 0;
}

static struct text unit_text(struct dissect *d, uint8_t unit)
{
    char *out = arena_take(d->arena, DECIMAL_MAX);
    return out ? (struct text){out, decimal_put(out, unit)} : (struct text){NULL, 0};
}

/* --- ASCII --- */

static bool is_answer(struct reader message)
{
    return reader_left(&message) > 1 && message.at[1] == 'A';
}

/* What stands between / or A and the check; short when it does not look like a message. */
static struct reader ascii_body(struct reader message, bool *is_check_right)
{
    size_t size = reader_left(&message), start = is_answer(message) ? 2 : 1;
    *is_check_right = false;
    if (size < start + ASCII_MIN - 1 || message.at[0] != '/' || message.at[size - 1] != '\r') {
        reader_fail(&message);
        return message;
    }
    struct reader check = reader_of(message.at + size - 3, 2);
    uint32_t told = read_hex(&check, 2);
    uint8_t sum = 0;
    for (size_t i = start; i < size - 3; i++)
        sum = (uint8_t)(sum + message.at[i]);
    *is_check_right = reader_ok(&check) && told == sum;
    return reader_of(message.at + start, size - 3 - start);
}

static const struct command *command_find(struct reader letters)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        size_t size = commands[i].letters[2] ? 3 : 2;
        if (reader_left(&letters) >= size && !memcmp(letters.at, commands[i].letters, size))
            return &commands[i];
    }
    return NULL;
}

static uint32_t code_of(const char *letters, size_t size)
{
    uint32_t code = 0;
    for (size_t i = 0; i < size; i++)
        code = code << 8 | (uint8_t)letters[i];
    return code;
}

/* Digits become bytes in the packet's memory. */
static struct ot_values read_values(struct dissect *d, const struct command *c, uint32_t count,
                                    struct reader r)
{
    struct ot_values none = {0};
    size_t bytes = c->digits == 1 ? (count + 7U) / 8 : (size_t)count * c->digits / 2;
    uint8_t *out = arena_take(d->arena, bytes);
    if (!out)
        return none;
    for (size_t i = 0; i < (size_t)count * c->digits; i++) {
        uint32_t digit = read_hex(&r, 1);
        if (c->digits == 1)
            out[i / 8] = (uint8_t)(out[i / 8] | (digit & 1) << i % 8);
        else
            out[i / 2] = (uint8_t)((unsigned)out[i / 2] << 4 | digit);
    }
    if (!reader_ok(&r))
        return none;
    return (struct ot_values){(enum ot_encoding)c->encoding, count, out, bytes};
}

static void put_item(struct dissect *d, struct ot_event *e, const struct asked *a, bool has_values,
                     struct reader r)
{
    uint32_t one = 1;
    struct ot_item *item = dissect_items(d, &one);
    e->items_total = 1;
    if (!one)
        return;
    *item = (struct ot_item){
        .area = a->command->area,
        .has_start = true,
        .start = a->address,
        .count = a->count,
        .has_range = true,
        .low = a->address,
        .high = (uint64_t)a->address + a->count - 1,
    };
    e->items = item;
    e->item_count = 1;
    if (has_values && reader_left(&r) == (size_t)a->count * a->command->digits)
        item->values = read_values(d, a->command, a->count, r);
    else if (has_values)
        emit_violation(d, VIOLATION_COUNT, "PCOM values are not as many as counted", r.at,
                       reader_left(&r));
}

static void ascii_request(struct dissect *d, struct ot_event *e, uint64_t key, struct reader r)
{
    struct asked a = {.command = command_find(r)};
    size_t size = a.command && !a.command->letters[2] ? 2 : 3;
    struct reader letters = reader_take(&r, size < reader_left(&r) ? size : reader_left(&r));
    a.code = code_of((const char *)letters.at, reader_left(&letters));
    e->code[0] = e->function = a.code;
    if (a.command) {
        e->name = a.command->name;
        e->operation = (enum operation)a.command->operation;
    }
    if (a.command && a.command->digits) {
        struct reader fields = r;
        a.address = (uint16_t)read_hex(&fields, ADDRESS_DIGITS);
        a.count = (uint8_t)read_hex(&fields, COUNT_DIGITS);
        a.has_range = reader_ok(&fields) && a.count;
        if (!reader_ok(&fields))
            emit_violation(d, VIOLATION_TRUNCATED, "PCOM command is cut off", letters.at, size);
        else if (a.has_range)
            put_item(d, e, &a, a.command->operation != OP_READ, fields);
        else
            emit_violation(d, VIOLATION_RANGE, "PCOM count is 0", letters.at, size);
    }
    memcpy(dissect_remember(d, key, sizeof a, NULL), &a, sizeof a);
}

static void add_fact(struct ot_event *e, struct ot_fact *facts, enum fact_kind kind,
                     struct text value)
{
    if (!value.size)
        return;
    facts[e->fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    e->facts = facts;
}

/* | model 6, spaces behind it | hardware 1 | version 3 . 3 | build 2 | */
static void identity(struct dissect *d, struct ot_event *e, struct ot_fact *facts, struct reader r)
{
    enum { MODEL = 6, HARDWARE = 1, NUMBER = 3, BUILD = 2 };
    const uint8_t *at = reader_bytes(&r, MODEL + HARDWARE + 2 * NUMBER + BUILD);
    if (!at)
        return;
    size_t size = MODEL;
    while (size && at[size - 1] == ' ')
        size--;
    int version[2] = {0, 0};
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < NUMBER; n++) {
            uint8_t digit = digit_of(at[MODEL + HARDWARE + i * NUMBER + n]);
            if (digit > 9)
                return;
            version[i] = version[i] * 10 + digit;
        }
    const char *build = (const char *)at + MODEL + HARDWARE + 2 * NUMBER;
    add_fact(e, facts, FACT_VENDOR, (struct text){"Unitronics", 10});
    add_fact(e, facts, FACT_PRODUCT, (struct text){(const char *)at, size});
    add_fact(e, facts, FACT_HARDWARE, (struct text){(const char *)at + MODEL, HARDWARE});
    add_fact(e, facts, FACT_FIRMWARE,
             dissect_text(d, "%d.%d.%.*s", version[0], version[1], BUILD, build));
}

/* Answers repeat two letters: which memory was read, only the request tells. */
static void ascii_response(struct dissect *d, struct ot_event *e, struct ot_fact *facts,
                           uint64_t key, struct reader r)
{
    size_t size;
    const struct asked *a = dissect_recall(d, key, &size);
    const struct command *c = command_find(r);
    struct reader letters = reader_take(&r, reader_left(&r) < 2 ? reader_left(&r) : 2);
    bool is_same = a && a->command && !memcmp(a->command->letters, letters.at, 2);
    e->status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (is_same)
        c = a->command;
    else
        e->flags |= OT_NO_REQUEST;
    e->code[0] = e->function =
        is_same ? a->code : code_of((const char *)letters.at, reader_left(&letters));
    if (!c)
        return;
    e->name = c->name;
    e->operation = (enum operation)c->operation;
    if (c->operation == OP_IDENTIFY)
        identity(d, e, facts, r);
    if (is_same && a->has_range)
        put_item(d, e, a, c->operation == OP_READ, r);
}

static bool ascii(struct dissect *d, struct ot_event *e, struct ot_fact *facts, uint64_t key,
                  struct reader message)
{
    bool is_check_right;
    struct reader body = ascii_body(message, &is_check_right);
    uint8_t unit = (uint8_t)read_hex(&body, 2);
    if (!reader_ok(&body)) {
        emit_violation(d, VIOLATION_TRUNCATED, "PCOM message is cut off", message.at,
                       reader_left(&message));
        return false;
    }
    if (!is_check_right)
        emit_violation(d, VIOLATION_CHECKSUM, "PCOM checksum does not match", message.end - 3, 2);
    e->unit = unit_text(d, unit);
    e->direction = is_answer(message) ? OT_RESPONSE : OT_REQUEST;
    if (e->direction == OT_RESPONSE)
        ascii_response(d, e, facts, key, body);
    else
        ascii_request(d, e, key, body);
    return true;
}

/* --- binary --- */

/* With the check the sum is 0. */
static bool is_sum_right(const uint8_t *bytes, size_t size, const uint8_t *check)
{
    uint16_t sum = (uint16_t)(check[0] | check[1] << 8);
    for (size_t i = 0; i < size; i++)
        sum = (uint16_t)(sum + bytes[i]);
    return sum == 0;
}

static size_t binary_size(const uint8_t *header)
{
    return (size_t)BINARY_HEADER + BINARY_TAIL + header[DATA_SIZE_AT] +
           ((size_t)header[DATA_SIZE_AT + 1] << 8);
}

static bool is_whole(struct reader message)
{
    size_t size = reader_left(&message);
    return size >= BINARY_HEADER + BINARY_TAIL && size == binary_size(message.at);
}

static bool is_binary(struct reader r)
{
    size_t size = sizeof binary_start - 1;
    return reader_left(&r) >= size && !memcmp(r.at, binary_start, size);
}

static void binary_command(struct dissect *d, struct ot_event *e, struct ot_fact *facts,
                           uint64_t key, struct reader data)
{
    size_t size;
    uint8_t command = (uint8_t)(e->function & ~(uint32_t)RESPONSE_BIT);
    for (size_t i = 0; i < sizeof binary_commands / sizeof *binary_commands; i++)
        if (binary_commands[i].number == command) {
            e->name = binary_commands[i].name;
            e->operation = (enum operation)binary_commands[i].operation;
        }
    if (e->direction == OT_REQUEST) {
        struct asked *a = dissect_remember(d, key, sizeof *a, NULL);
        a->code = command;
        return;
    }
    const struct asked *a = dissect_recall(d, key, &size);
    e->status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (!a || a->command || a->code != command)
        e->flags |= OT_NO_REQUEST;
    if (command != COMMAND_NAME)
        return;
    struct text name = {(const char *)data.at, 0};
    while (name.size < reader_left(&data) && name.at[name.size] >= 0x20 &&
           name.at[name.size] < 0x7f)
        name.size++;
    add_fact(e, facts, FACT_NAME, name);
}

static bool binary(struct dissect *d, struct ot_event *e, struct ot_fact *facts, uint64_t key,
                   struct reader message)
{
    size_t size = reader_left(&message);
    const uint8_t *at = message.at;
    if (!is_whole(message)) {
        emit_violation(d, VIOLATION_LENGTH, "PCOM length is not the message's", at, size);
        return false;
    }
    const uint8_t *tail = at + size - BINARY_TAIL;
    size_t data_size = size - BINARY_HEADER - BINARY_TAIL;
    bool is_right = is_sum_right(at, HEADER_CHECK_AT, at + HEADER_CHECK_AT) &&
                    is_sum_right(at + BINARY_HEADER, data_size, tail);
    if (!is_right)
        emit_violation(d, VIOLATION_CHECKSUM, "PCOM checksum does not match", at, size);
    if (tail[2] != '\\' || (at[6] != BINARY_MARK && at[7] != BINARY_MARK))
        emit_violation(d, VIOLATION_RESERVED, "PCOM frame is not as defined", at, size);
    e->code[0] = e->function = at[COMMAND_AT];
    e->direction = at[COMMAND_AT] & RESPONSE_BIT ? OT_RESPONSE : OT_REQUEST;
    e->unit = unit_text(d, at[6] == BINARY_MARK ? at[7] : at[6]);
    binary_command(d, e, facts, key, reader_of(at + BINARY_HEADER, data_size));
    return true;
}

/* --- both --- */

static bool has_tcp_header(const uint8_t *at)
{
    return (at[2] == MODE_ASCII || at[2] == MODE_BINARY) && at[3] == 0;
}

static void pcom_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    size_t size = reader_left(&r);
    uint64_t key = SERIAL_KEY;
    struct ot_event e = event_of(d);
    struct ot_fact facts[4];
    if (size < ASCII_MIN) {
        emit_violation(d, VIOLATION_TRUNCATED, "PCOM message is cut off", pdu.at, size);
        return;
    }
    if (has_tcp_header(r.at)) {
        uint16_t transaction = reader_u16le(&r);
        key = (uint64_t)reader_u8(&r) << 16 | transaction;
        reader_skip(&r, 1);
        if (reader_u16le(&r) != size - TCP_HEADER) {
            emit_violation(d, VIOLATION_LENGTH, "PCOM length is not the message's", pdu.at, size);
            return;
        }
        e.transaction = transaction;
        e.has_transaction = true;
    }
    e.spell = spell;
    bool is_read = is_binary(r) ? binary(d, &e, facts, key, r) : ascii(d, &e, facts, key, r);
    if (!is_read)
        return;
    dissect_sender_is_client(d, e.direction == OT_REQUEST);
    if (d->is_from_client != (e.direction == OT_REQUEST))
        emit_violation(d, VIOLATION_DIRECTION, "PCOM message of the other direction", pdu.at, size);
    e.is_from_client = d->is_from_client;
    emit_event(d, &e);
}

static struct frame frame_serial(struct reader r)
{
    size_t given = reader_left(&r);
    if (is_binary(r)) {
        if (given < BINARY_HEADER)
            return frame_need(BINARY_HEADER);
        size_t size = binary_size(r.at);
        if (size > MESSAGE_MAX)
            return frame_broken("PCOM length out of range");
        return size <= given ? frame_of(size) : frame_need(size);
    }
    const uint8_t *end = memchr(r.at, '\r', given < MESSAGE_MAX ? given : MESSAGE_MAX);
    if (end)
        return end - r.at + 1 < ASCII_MIN ? frame_broken("PCOM message is too short")
                                          : frame_of((size_t)(end - r.at) + 1);
    return given < MESSAGE_MAX ? frame_need(given + 1) : frame_broken("PCOM message does not end");
}

static struct frame pcom_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given < ASCII_MIN)
        return frame_need(ASCII_MIN);
    if (!has_tcp_header(r.at))
        return *r.at == '/' ? frame_serial(r)
                            : frame_broken_as(VIOLATION_RESERVED, "PCOM mode is not defined");
    reader_skip(&r, 4);
    size_t size = reader_u16le(&r);
    if (size < ASCII_MIN || size > MESSAGE_MAX)
        return frame_broken("PCOM length out of range");
    return size + TCP_HEADER <= given ? frame_of(size + TCP_HEADER) : frame_need(size + TCP_HEADER);
}

/* A whole message with its check is a signature. */
static enum claim pcom_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    if (given > 2 && *r.at != '/' && r.at[2] != MODE_ASCII && r.at[2] != MODE_BINARY)
        return CLAIM_NO;
    if (given < ASCII_MIN)
        return CLAIM_MORE;
    struct frame f = pcom_frame(r);
    const uint8_t *at = r.at + (has_tcp_header(r.at) ? TCP_HEADER : 0);
    if (f.verdict == FRAME_BROKEN || at[0] != '/' || (at[1] != '_' && digit_of(at[1]) > 15))
        return CLAIM_NO;
    if (f.verdict == FRAME_NEED)
        return CLAIM_MORE;
    struct reader message = reader_of(at, f.size - (size_t)(at - r.at));
    if (is_binary(message))
        return is_whole(message) && is_sum_right(at, HEADER_CHECK_AT, at + HEADER_CHECK_AT)
                   ? CLAIM_YES
                   : CLAIM_NO;
    bool is_check_right;
    struct reader body = ascii_body(message, &is_check_right);
    (void)read_hex(&body, 2);
    return reader_ok(&body) && is_check_right ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_pcom = {
    .name = "pcom",
    .spec = "Unitronics PCOM Protocol",
    .over = OVER_TCP,
    .ports = {20256},
    .pdu_max = MESSAGE_MAX + TCP_HEADER,
    .recognise = pcom_recognise,
    .frame = pcom_frame,
    .dissect = pcom_dissect,
};
