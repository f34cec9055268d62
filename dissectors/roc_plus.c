/* roc_plus.c: ROC Plus of Emerson's flow computers and remote units (PROTOCOLS 25).
 *
 *   | destination unit 1, group 1 | source unit 1, group 1 | opcode 1 | length 1 | data | CRC 2 LE
 * |
 */
#include "crc.h"
#include "decimal.h"
#include "dissector.h"

#include <math.h>

enum {
    HEADER_SIZE = 6,
    CRC_SIZE = 2,
    LENGTH_AT = 5,
    OPCODE_AT = 4,

    OPCODE_SYSTEM = 6,
    OPCODE_LOGIN = 17,
    OPCODE_SET_PARAMETERS = 166,
    OPCODE_GET_PARAMETERS = 167,
    OPCODE_GET_POINTS = 180,
    OPCODE_SET_POINTS = 181,
    OPCODE_FILE = 203,
    OPCODE_REPORT = 224,
    OPCODE_ERROR = 255,
};

struct opcode {
    uint8_t number;
    uint8_t operation;
    const char *name;
};

static const struct opcode opcodes[] = {
    {6,   OP_IDENTIFY,    "system_configuration"           },
    {7,   OP_DIAGNOSTICS, "read_clock"                     },
    {8,   OP_TIME_SET,    "set_clock"                      },
    {10,  OP_READ,        "read_configurable_points"       },
    {11,  OP_WRITE,       "write_configurable_points"      },
    {17,  OP_AUTH,        "login"                          },
    {24,  OP_UNKNOWN,     "store_and_forward"              },
    {50,  OP_BROWSE,      "io_point_position"              },
    {100, OP_WRITE,       "access_user_defined_information"},
    {105, OP_READ,        "history_min_max"                },
    {108, OP_READ,        "history_tag_and_values"         },
    {118, OP_ALARM,       "alarm_data"                     },
    {119, OP_ALARM,       "event_data"                     },
    {135, OP_READ,        "single_history_point"           },
    {136, OP_READ,        "multiple_history_points"        },
    {137, OP_READ,        "history_index"                  },
    {138, OP_READ,        "daily_and_monthly_history"      },
    {139, OP_READ,        "history_information"            },
    {166, OP_WRITE,       "set_single_point_parameters"    },
    {167, OP_READ,        "get_single_point_parameters"    },
    {180, OP_READ,        "get_parameters"                 },
    {181, OP_WRITE,       "set_parameters"                 },
    {203, OP_FILE_READ,   "file_transfer"                  },
    {205, OP_WRITE,       "peer_to_peer"                   },
    {206, OP_READ,        "transaction_history"            },
    {224, OP_PUBLISH,     "report_by_exception"            },
    {225, OP_ALARM,       "report_by_exception_acknowledge"},
    {255, OP_ERROR,       "error_indicator"                },
};

static const struct opcode *opcode_find(uint8_t number)
{
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++)
        if (opcodes[i].number == number)
            return &opcodes[i];
    return NULL;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    memcpy(out, "opcode=", 7);
    out[7 + decimal_put(out + 7, code[0])] = '\0';
}

/* The polynomial is sure; start values of 0 and of all ones are both met. */
static bool is_crc_right(const uint8_t *pdu, size_t size)
{
    uint16_t told = (uint16_t)(pdu[size - 1] << 8 | pdu[size - 2]);
    return crc16(CRC16_MODBUS_START, pdu, size - CRC_SIZE) == told ||
           crc16(0, pdu, size - CRC_SIZE) == told;
}

static struct text unit_text(struct dissect *d, uint8_t unit, uint8_t group)
{
    char *out = arena_take(d->arena, 8);
    if (!out)
        return (struct text){NULL, 0};
    size_t size = decimal_put(out, unit);
    out[size++] = '.';
    size += decimal_put(out + size, group);
    return (struct text){out, size};
}

static struct text text_in(struct reader r)
{
    size_t size = 0, left = reader_left(&r);
    while (size < left && r.at[size] > 0x20 && r.at[size] < 0x7f)
        size++;
    return size ? (struct text){(const char *)r.at, size} : (struct text){NULL, 0};
}

static void add_fact(struct ot_fact *facts, struct ot_event *e, enum fact_kind kind,
                     const char *value)
{
    facts[e->fact_count++] = (struct ot_fact){
        .kind = kind, .value = {.at = value, .size = strlen(value)}
    };
    e->facts = facts;
}

/* | mode 1 | ports and rights 3 | compatibility 1 | opcode revision 1 | subtype 1 | reserved 11 |
 * type 1 | points of each type... */
static void system_configuration(struct ot_event *e, struct ot_fact *facts, struct reader r)
{
    static const char *const types[] = {
        [1] = "ROCPAC ROC300", [2] = "FloBoss 407", [3] = "FlashPAC ROC300", [4] = "FloBoss 503",
        [5] = "FloBoss 504",   [6] = "ROC800",      [11] = "DL8000",
    };
    enum { ROC800 = 6 };
    uint8_t mode = reader_u8(&r);
    reader_skip(&r, 5);
    uint8_t subtype = reader_u8(&r);
    reader_skip(&r, 11);
    uint8_t type = reader_u8(&r);
    if (!reader_ok(&r))
        return;
    add_fact(facts, e, FACT_MODE, mode ? "run" : "firmware_update");
    if (type < sizeof types / sizeof *types && types[type])
        add_fact(facts, e, FACT_PRODUCT, types[type]);
    if (type == ROC800 && subtype <= 1)
        add_fact(facts, e, FACT_HARDWARE, subtype ? "Series 2" : "Series 1");
}

/* The standard form is a name of 3 and a number of 2, the enhanced one a name of 30 and a password
 * of 40. */
static void login(struct ot_event *e, struct ot_fact *facts, struct reader r)
{
    enum { SHORT_NAME = 3, SHORT_SECRET = 2, LONG_NAME = 30, LONG_SECRET = 40 };
    size_t left = reader_left(&r);
    bool is_long = left >= LONG_NAME + LONG_SECRET;
    static const char key[] = "SESSIONKEY";
    if (left >= sizeof key - 1 && !memcmp(r.at, key, sizeof key - 1)) {
        e->name = "session_key";
        return;
    }
    if (left < SHORT_NAME + SHORT_SECRET)
        return;
    struct text name = text_in(reader_take(&r, is_long ? LONG_NAME : SHORT_NAME));
    if (name.size) {
        facts[0] = (struct ot_fact){.kind = FACT_USER_NAME, .value = name};
        e->facts = facts;
        e->fact_count = 1;
    }
    e->secret_size = is_long ? LONG_SECRET : SHORT_SECRET;
    e->secret = reader_bytes(&r, e->secret_size);
    e->flags |= OT_HAS_CREDENTIAL;
    static const char out[] = "LOGOUT";
    if (reader_left(&r) >= sizeof out - 1 && !memcmp(r.at, out, sizeof out - 1))
        e->name = "logout";
}

/* | option 1 | ... ; 1: mode 1, path; 3: file 4 | size 4 | offset 4 | count 1 | bytes */
static void file_transfer(struct ot_event *e, struct reader r)
{
    static const struct opcode options[] = {
        {1, OP_FILE_READ,   "file_open"        },
        {2, OP_FILE_READ,   "file_read"        },
        {3, OP_FILE_WRITE,  "file_write"       },
        {4, OP_SESSION,     "file_close"       },
        {5, OP_FILE_DELETE, "file_delete"      },
        {6, OP_FILE_READ,   "read_directory"   },
        {7, OP_FILE_READ,   "read_directory_64"},
    };
    uint8_t option = reader_u8(&r);
    if (!reader_ok(&r) || option == 0 || option > sizeof options / sizeof *options)
        return;
    e->name = options[option - 1].name;
    e->operation = options[option - 1].operation;
    if (e->direction != OT_REQUEST)
        return;
    if (option == 1)
        reader_skip(&r, 1);
    if (option == 1 || option == 5 || option == 6)
        e->detail = text_in(r);
    if (option == 3) {
        reader_skip(&r, 12);
        uint8_t count = reader_u8(&r);
        const uint8_t *bytes = reader_bytes(&r, count);
        if (bytes)
            e->transfer = (struct ot_transfer){
                .step = TRANSFER_BLOCK, .operation = OP_FILE_WRITE, .bytes = bytes, .size = count};
    } else if (option == 4) {
        e->transfer = (struct ot_transfer){.step = TRANSFER_END, .operation = OP_FILE_WRITE};
    }
}

static void point(struct ot_item *item, uint8_t type, uint8_t logical, uint8_t parameter,
                  uint8_t count)
{
    uint64_t first = (uint64_t)logical << 8 | parameter;
    *item = (struct ot_item){
        .area = "point",
        .number = type,
        .has_number = true,
        .has_start = true,
        .start = first,
        .count = count,
        .has_range = count > 0,
        .low = first,
        .high = count ? first + count - 1 : first,
    };
}

/* Points that are settings of the unit itself: ports, log-ins, programs, networks, history. */
static bool is_setting(uint8_t type)
{
    static const uint8_t types[] = {91,  92,  93,  94,  95,  96,  99,  117, 118,
                                    119, 120, 121, 122, 123, 124, 125, 137};
    return memchr(types, type, sizeof types) != NULL;
}

enum { POINT_SYSTEM = 91, POINT_CLOCK = 136, NAME_SIZE = 20 };

static void write_operation(struct ot_event *e, uint8_t type)
{
    if (type == POINT_CLOCK)
        e->operation = OP_TIME_SET;
    else if (is_setting(type))
        e->operation = OP_CONFIG_CHANGE;
}

/* The first parameter of the system's variables is the station's name, filled up with blanks. */
static void station_name(struct dissect *d, struct ot_event *e, const struct ot_item *item,
                         struct reader r)
{
    uint32_t count = 1;
    const char *at = (const char *)reader_bytes(&r, NAME_SIZE);
    if (!at || item->number != POINT_SYSTEM || item->start != 0)
        return;
    struct text name = {at, NAME_SIZE};
    while (name.size && (name.at[name.size - 1] == ' ' || name.at[name.size - 1] == 0))
        name.size--;
    for (size_t i = 0; i < name.size; i++)
        if (name.at[i] < 0x20 || name.at[i] > 0x7e)
            return;
    struct ot_fact *fact = name.size ? dissect_facts(d, &count) : NULL;
    if (!fact)
        return;
    *fact = (struct ot_fact){.kind = FACT_NAME, .value = name};
    e->facts = fact;
    e->fact_count = 1;
}

/* The message does not tell a parameter's type, but each has one, and types differ in size: four
 * bytes are a float where that is zero or of everyday size, or else a whole number (times,
 * counters). What is longer is text or a structure. */
static struct ot_values value_of(struct reader r)
{
    static const double real_min = 1e-4, real_max = 1e7;
    size_t size = reader_left(&r);
    const uint8_t *at = r.at;
    uint32_t bits = size == 4 ? reader_u32le(&r) : 0;
    float real;
    memcpy(&real, &bits, sizeof real);
    double much = fabs((double)real);
    bool is_real = bits == 0 || (much >= real_min && much <= real_max);
    enum ot_encoding encoding = size == 1   ? VALUES_U8
                                : size == 2 ? VALUES_I16LE
                                : size != 4 ? VALUES_BYTES
                                : is_real   ? VALUES_F32LE
                                            : VALUES_U32LE;
    return (struct ot_values){encoding, 1, at, size};
}

/* 166 and 167: | type 1 | logical number 1 | count 1 | first parameter 1 | values... ;
 * 180 and 181: | count 1 | { type 1 | logical number 1 | parameter 1 [ value ] }... */
static void parameters(struct dissect *d, struct ot_event *e, uint8_t opcode, struct reader r)
{
    bool is_single = opcode == OPCODE_SET_PARAMETERS || opcode == OPCODE_GET_PARAMETERS;
    uint8_t many = is_single ? 1 : reader_u8(&r);
    bool has_values = opcode == OPCODE_SET_POINTS || e->direction == OT_RESPONSE;
    uint32_t count = is_single || has_values ? 1 : many;
    if (!reader_left(&r) || !count)
        return;
    if (!is_single && !has_values && (size_t)many * 3 != reader_left(&r)) {
        emit_violation(d, VIOLATION_COUNT, "ROC count of parameters is not what follows", r.at,
                       reader_left(&r));
        return;
    }
    struct ot_item *items = dissect_items(d, &count);
    e->items_total = is_single ? 1 : many;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t type = reader_u8(&r);
        uint8_t logical = reader_u8(&r);
        uint8_t n = is_single ? reader_u8(&r) : 1;
        uint8_t parameter = reader_u8(&r);
        if (!reader_ok(&r))
            break;
        point(&items[i], type, logical, parameter, n);
        bool is_alone = is_single || (has_values && many == 1);
        if (is_alone && reader_left(&r))
            items[i].values =
                n == 1 ? value_of(r) : (struct ot_values){VALUES_BYTES, 1, r.at, reader_left(&r)};
        if (e->operation == OP_WRITE)
            write_operation(e, type);
        else if (e->direction == OT_RESPONSE)
            station_name(d, e, &items[i], r);
        e->item_count++;
    }
    e->items = items;
    if (e->items_total < e->item_count)
        e->items_total = e->item_count;
}

/* What is kept of a request: what it wanted, which refusals do not tell, and its first point, which
 * answers without data do not repeat. */
struct asked {
    uint8_t opcode, operation, type, logical, parameter, count;
    bool has_point;
};

static void remember(struct dissect *d, const struct ot_event *e, uint8_t opcode)
{
    struct asked *a = dissect_remember(d, opcode, sizeof *a, NULL);
    a->opcode = opcode;
    a->operation = (uint8_t)e->operation;
    if (!e->item_count)
        return;
    const struct ot_item *first = &e->items[0];
    a->has_point = true;
    a->type = (uint8_t)first->number;
    a->logical = (uint8_t)(first->start >> 8);
    a->parameter = (uint8_t)first->start;
    a->count = (uint8_t)first->count;
}

/* | error 1 | opcode that was refused 1 | offset 1 |... */
static void answer(struct dissect *d, struct ot_event *e, uint8_t opcode, struct reader data)
{
    bool is_refusal = opcode == OPCODE_ERROR;
    uint8_t code = is_refusal ? reader_u8(&data) : 0;
    size_t kept;
    const struct asked *a = dissect_recall(d, is_refusal ? reader_u8(&data) : opcode, &kept);
    e->status = is_refusal ? (struct ot_status){OT_RESULT_ERROR, code, NULL}
                           : (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (!a) {
        e->flags |= opcode == OPCODE_REPORT ? OT_UNSOLICITED : OT_NO_REQUEST;
        return;
    }
    const struct opcode *refused = is_refusal ? opcode_find(a->opcode) : NULL;
    if (refused) {
        e->detail = text_of(refused->name);
        e->operation = (enum operation)a->operation;
    }
    uint32_t count = 1;
    if (!a->has_point || (!is_refusal && reader_left(&data)))
        return;
    struct ot_item *item = dissect_items(d, &count);
    if (!item)
        return;
    point(item, a->type, a->logical, a->parameter, a->count);
    e->items = item;
    e->item_count = e->items_total = 1;
}

static void roc_plus_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    size_t size = reader_left(&r);
    const uint8_t *header = reader_bytes(&r, HEADER_SIZE);
    if (!header || size < HEADER_SIZE + CRC_SIZE ||
        (size_t)header[LENGTH_AT] + HEADER_SIZE + CRC_SIZE != size) {
        emit_violation(d, VIOLATION_LENGTH, "ROC length is not the message's", pdu.at, size);
        return;
    }
    if (!is_crc_right(pdu.at, size))
        emit_violation(d, VIOLATION_CHECKSUM, "ROC checksum does not match",
                       pdu.at + size - CRC_SIZE, CRC_SIZE);
    struct reader data = reader_take(&r, header[LENGTH_AT]);
    uint8_t number = header[OPCODE_AT];
    const struct opcode *opcode = opcode_find(number);
    if (!opcode)
        emit_violation(d, VIOLATION_FUNCTION, "ROC opcode is not defined", header + OPCODE_AT, 1);
    struct ot_event e = event_of(d);
    struct ot_fact facts[3];
    bool is_request = d->is_from_client;
    e.direction = is_request ? OT_REQUEST : OT_RESPONSE;
    e.code[0] = e.function = number;
    e.spell = spell;
    if (opcode) {
        e.name = opcode->name;
        e.operation = (enum operation)opcode->operation;
    }
    e.unit = is_request ? unit_text(d, header[0], header[1]) : unit_text(d, header[2], header[3]);
    if (!is_request)
        answer(d, &e, number, data);
    if (number == OPCODE_SYSTEM && !is_request)
        system_configuration(&e, facts, data);
    else if (number == OPCODE_LOGIN && is_request)
        login(&e, facts, data);
    else if (number == OPCODE_FILE)
        file_transfer(&e, data);
    else if (number == OPCODE_SET_PARAMETERS || number == OPCODE_GET_PARAMETERS ||
             number == OPCODE_GET_POINTS || number == OPCODE_SET_POINTS)
        parameters(d, &e, number, data);
    if (is_request)
        remember(d, &e, number);
    emit_event(d, &e);
}

static struct frame roc_plus_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given < HEADER_SIZE)
        return frame_need(HEADER_SIZE);
    size_t size = (size_t)r.at[LENGTH_AT] + HEADER_SIZE + CRC_SIZE;
    return size <= given ? frame_of(size) : frame_need(size);
}

/* Weak for all its checksum: Modbus RTU has the same one. */
static enum claim roc_plus_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    if (given < HEADER_SIZE)
        return CLAIM_MORE;
    if (!opcode_find(r.at[OPCODE_AT]))
        return CLAIM_NO;
    size_t size = (size_t)r.at[LENGTH_AT] + HEADER_SIZE + CRC_SIZE;
    if (given < size)
        return CLAIM_MORE;
    return is_crc_right(r.at, size) ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_roc_plus = {
    .name = "roc_plus",
    .spec = "Emerson ROC Plus Protocol",
    .over = OVER_TCP | OVER_UDP,
    .ports = {4000},
    .pdu_max = 255 + HEADER_SIZE + CRC_SIZE,
    .recognise = roc_plus_recognise,
    .frame = roc_plus_frame,
    .dissect = roc_plus_dissect,
};
