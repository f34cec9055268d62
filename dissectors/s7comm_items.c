/* s7comm_items.c: addresses of variables and the values read from or written to them.
 *
 *   address: | 0x12 | size of the rest 1 | syntax 1 | ... |
 *   S7ANY:   | transport 1 | count 2 | data block 2 | area 1 | byte and bit 3, or number |
 *   data:    | return code 1 | transport 1 | size 2, bits or bytes | bytes, padded to even but the
 * last |
 *
 * PROTOCOLS 6 "Items" and "Data items". */
#include "s7comm_items.h"

#include "s7comm_errors.h"
#include "s7comm_times.h"

enum {
    ADDRESS_MARK = 0x12,
    ADDRESS_ANY = 10, /* size of S7ANY behind the head */
    DB_READ_PART = 5,
    SYMBOL_AREA_DB = 0x8a0e,
    RETURN_OK = 0xff,
    TABLE_ADDRESS = 6,
};

enum syntax {
    SYNTAX_ANY = 0x10,
    SYNTAX_PBC = 0x13,
    SYNTAX_ALARM_LOCK = 0x15,
    SYNTAX_ALARM_IND = 0x16,
    SYNTAX_ALARM_ACK = 0x19,
    SYNTAX_ALARM_QUERY = 0x1a,
    SYNTAX_NOTIFY = 0x1c,
    SYNTAX_NCK = 0x82,
    SYNTAX_NCK_METRIC = 0x83,
    SYNTAX_NCK_INCH = 0x84,
    SYNTAX_DRIVE = 0xa2,
    SYNTAX_DB_READ = 0xb0,
    SYNTAX_SYMBOL = 0xb2,
};

struct area {
    const char *name;
    bool is_block;   /* the number of a data block belongs to it */
    bool is_counted; /* its address is a number, not byte and bit */
    bool is_output;  /* writing there switches equipment */
};

static const struct area areas[] = {
    [0x01] = {.name = "data_record"  },
    [0x03] = {.name = "system_info"  }, /* S7-200 */
    [0x05] = {.name = "system_flags" }, /* S7-200 */
    [0x06] = {.name = "analog_input" }, /* S7-200 */
    [0x07] = {.name = "analog_output", .is_output = true},
    [0x1c] = {.name = "c",                       .is_counted = true},
    [0x1d] = {.name = "t",.is_counted = true},
    [0x1e] = {.name = "iec_counter",             .is_counted = true}, /* S7-200 */
    [0x1f] = {.name = "iec_timer",                       .is_counted = true}, /* S7-200 */
    [0x80] = {.name = "p",.is_output = true},
    [0x81] = {.name = "i"    },
    [0x82] = {.name = "q",                       .is_output = true},
    [0x83] = {.name = "m"             },
    [0x84] = {.name = "db",             .is_block = true},
    [0x85] = {.name = "di",             .is_block = true},
    [0x86] = {.name = "l"                      },
    [0x87] = {.name = "v"         },
};

static const struct area *area_of(uint8_t code)
{
    return code < sizeof areas / sizeof *areas && areas[code].name ? &areas[code] : NULL;
}

/* The transport size of an address: what was asked for. */
struct value_type {
    const char *name;
    uint8_t bits; /* 0: not fixed */
    enum ot_encoding encoding;
    bool is_time; /* that is told as one */
};

static const struct value_type value_types[] = {
    [1] = {"bit",         1,  VALUES_BITS,  false},
      [2] = {"byte",        8,  VALUES_U8,    false},
    [3] = {"char",        8,  VALUES_TEXT,  false},
      [4] = {"word",        16, VALUES_U16BE, false},
    [5] = {"int",         16, VALUES_I16BE, false},
      [6] = {"dword",       32, VALUES_U32BE, false},
    [7] = {"dint",        32, VALUES_I32BE, false},
      [8] = {"real",        32, VALUES_F32BE, false},
    [9] = {"date",        16, VALUES_U16BE, true },
      [10] = {"tod",         32, VALUES_U32BE, true },
    [11] = {"time",        32, VALUES_I32BE, false},
      [12] = {"s5time",      16, VALUES_U16BE, false},
    [15] = {"dt",          64, VALUES_BYTES, true },
      [28] = {"counter",     16, VALUES_U16BE, false},
    [29] = {"timer",       16, VALUES_U16BE, false},
      [30] = {"iec_counter", 0,  VALUES_BYTES, false},
    [31] = {"iec_timer",   0,  VALUES_BYTES, false},
      [32] = {"hs_counter",  0,  VALUES_BYTES, false},
};

static const struct value_type *type_of(uint8_t code)
{
    return code < sizeof value_types / sizeof *value_types && value_types[code].name
               ? &value_types[code]
               : NULL;
}

/* --- values --- */

/* The transport of a data item says in what its size is counted. */
static const struct data_kind {
    const char *name;
    enum ot_encoding encoding;
    uint8_t bytes; /* of one */
    bool is_bits;
} data_kinds[] = {
    [0] = {NULL,    VALUES_NONE,  0, false},
      [3] = {"bit",   VALUES_BITS,  1, true },
    [4] = {"byte",  VALUES_U8,    1, true },
      [5] = {"int",   VALUES_I16BE, 2, true },
    [6] = {"dint",  VALUES_I32BE, 4, false},
      [7] = {"real",  VALUES_F32BE, 4, false},
    [9] = {"octet", VALUES_BYTES, 1, false},
};

/* As the request's type says where size and count agree with it, else as the data item's own. */
static struct ot_values values_of(const struct ot_item *item, const struct value_type *asked,
                                  const struct data_kind *kind, struct reader bytes)
{
    struct ot_values v = {.bytes = bytes.at, .size = reader_left(&bytes)};
    if (v.size == 0)
        return (struct ot_values){VALUES_NONE, 0, NULL, 0};
    uint64_t asked_bits = asked ? (uint64_t)asked->bits * item->count : 0;
    if (asked && asked_bits && (asked_bits + 7) / 8 == v.size) {
        v.encoding = asked->encoding;
        v.count = v.encoding == VALUES_TEXT || v.encoding == VALUES_BYTES ? 1 : item->count;
    } else if (kind && kind->bytes && v.size % kind->bytes == 0 && kind->encoding != VALUES_BITS) {
        v.encoding = kind->encoding;
        v.count = v.encoding == VALUES_BYTES ? 1 : (uint32_t)(v.size / kind->bytes);
    } else {
        v.encoding = VALUES_BYTES;
        v.count = 1;
    }
    return v;
}

/* One data item. is_last: it is not padded. */
static struct reader read_data(struct dissect *d, struct reader *data, uint8_t *code,
                               const struct data_kind **kind, bool is_answer, bool is_last)
{
    const uint8_t *at = data->at;
    *code = reader_u8(data);
    uint8_t transport = reader_u8(data);
    uint16_t declared = reader_u16be(data);
    *kind = transport < sizeof data_kinds / sizeof *data_kinds ? &data_kinds[transport] : NULL;
    size_t size = *kind && (*kind)->is_bits ? (declared + 7u) / 8 : declared;
    if (!reader_ok(data)) {
        emit_violation(d, VIOLATION_COUNT, "fewer data items than addresses", NULL, 0);
        return reader_of(NULL, 0);
    }
    if (is_answer && *code != RETURN_OK)
        size = 0; /* a refusal has no value, whatever its size says (snap7 says 4) */
    if (size > reader_left(data)) {
        emit_violation(d, VIOLATION_LENGTH, "data item is longer than the PDU", at, 4);
        size = reader_left(data);
    }
    struct reader bytes = reader_take(data, size);
    if (size % 2 && !is_last && reader_left(data))
        reader_skip(data, 1); /* padded to even but the last */
    return bytes;
}

static struct ot_status status_of(uint8_t code)
{
    if (code == RETURN_OK)
        return (struct ot_status){OT_RESULT_OK, 0, NULL};
    return (struct ot_status){OT_RESULT_ERROR, code, s7comm_item_error_name(code)};
}

/* --- addresses --- */

static void set_range(struct ot_item *item, uint64_t low, uint64_t size)
{
    item->low = low;
    item->high = low + (size ? size - 1 : 0);
    item->has_range = true;
}

static void parse_any(struct ot_item *item, struct reader *r, const struct value_type **asked,
                      bool *is_output)
{
    const uint8_t *at = reader_bytes(r, ADDRESS_ANY - 1);
    if (!at) {
        item->area = "unknown";
        return;
    }
    const struct value_type *type = type_of(at[0]);
    const struct area *area = area_of(at[5]);
    uint32_t count = (uint32_t)at[1] << 8 | at[2];
    uint32_t address = (uint32_t)at[6] << 16 | (uint32_t)at[7] << 8 | at[8];
    *asked = type;
    item->type = type ? type->name : NULL;
    item->count = count;
    item->has_start = true;
    if (!area) {
        item->area = "unknown";
        item->start = address;
        return;
    }
    item->area = area->name;
    item->number = (uint32_t)at[3] << 8 | at[4];
    item->has_number = area->is_block;
    *is_output = area->is_output;
    if (area->is_counted) {
        item->start = address;
        set_range(item, address, count);
        return;
    }
    item->start = address >> 3;
    item->bit = address & 7;
    unsigned bits = type && type->bits ? type->bits : 8;
    item->has_bit = bits == 1;
    set_range(item, address, (uint64_t)count * bits);
}

/* | parts 1 | then each: bytes 1, data block 2, start 2 |: one item for each part. */
static void parse_db_read(struct ot_item *items, uint32_t count, struct reader *r)
{
    reader_skip(r, 1);
    for (uint32_t i = 0; i < count; i++) {
        struct ot_item *item = &items[i];
        item->area = "db";
        item->type = "byte";
        item->count = reader_u8(r);
        item->number = reader_u16be(r);
        item->start = reader_u16be(r);
        item->has_number = item->has_start = true;
        set_range(item, item->start * 8, (uint64_t)item->count * 8);
    }
}

/* | area and unit 1 | column 2 | line 2 | module 1 | lines 1 | (Sinumerik) */
static void parse_nck(struct ot_item *item, struct reader *r)
{
    static const char *const nck_areas[8] = {
        "nck",      "nck_mode_group", "nck_channel",    "nck_axis",
        "nck_tool", "nck_feed_drive", "nck_main_drive", "nck_mmc",
    };
    uint8_t area_unit = reader_u8(r);
    uint16_t column = reader_u16be(r);
    uint16_t line = reader_u16be(r);
    uint8_t module = reader_u8(r);
    item->area = nck_areas[area_unit >> 5];
    item->number = module;
    item->has_number = true;
    item->start = column;
    item->has_start = true;
    item->count = reader_u8(r);
    set_range(item, (uint64_t)(area_unit & 0x1f) << 32 | (uint64_t)column << 16 | line,
              item->count);
}

/* | ? 5 | parameter 2 | index 2 |: a drive parameter through routing (?) */
static void parse_drive(struct ot_item *item, struct reader *r)
{
    reader_skip(r, 5);
    item->area = "drive_parameter";
    item->number = reader_u16be(r);
    item->start = reader_u16be(r);
    item->has_number = item->has_start = true;
    item->count = 1;
    set_range(item, item->start, 1);
}

/* | ? 1 | 0x8a0e 2, data block 2, or 0 2, area 2 | checksum of the symbol 4 | path |: S7-1200 */
static void parse_symbol(struct dissect *d, struct ot_item *item, struct reader *r, bool *is_output)
{
    static const char hex[] = "0123456789abcdef";
    reader_skip(r, 1);
    uint16_t kind = reader_u16be(r);
    uint16_t number = reader_u16be(r);
    uint32_t checksum = reader_u32be(r);
    static const char *const symbol_areas[] = {"i", "q", "m", "c", "t"}; /* 0x50..0x54 */
    item->count = 1;
    if (kind == SYMBOL_AREA_DB) {
        item->area = "db";
        item->number = number;
        item->has_number = true;
    } else if (kind == 0 && number >= 0x50 && number <= 0x54) {
        item->area = symbol_areas[number - 0x50];
        *is_output = number == 0x51;
    } else {
        item->area = "symbol";
    }
    char *name = arena_take(d->arena, 12);
    if (!name)
        return;
    static const char prefix[4] = {'s', 'y', 'm', ':'};
    memcpy(name, prefix, sizeof prefix);
    for (int i = 0; i < 8; i++)
        name[4 + i] = hex[checksum >> (28 - 4 * i) & 15];
    item->name = (struct text){name, 12};
}

static void parse_id(struct ot_item *item, struct reader *r, const char *area)
{
    item->area = area;
    item->start = reader_u32be(r);
    item->has_start = true;
    item->count = 1;
    set_range(item, item->start, 1);
}

/* The body of one address behind its size; `count` items are there for it. */
static void parse_address(struct dissect *d, struct ot_item *item, uint32_t count, struct reader *r,
                          const struct value_type **asked, bool *is_output)
{
    switch (reader_u8(r)) {
    case SYNTAX_ANY:
        parse_any(item, r, asked, is_output);
        break;
    case SYNTAX_NCK:
    case SYNTAX_NCK_METRIC:
    case SYNTAX_NCK_INCH:
        parse_nck(item, r);
        break;
    case SYNTAX_DRIVE:
        parse_drive(item, r);
        break;
    case SYNTAX_DB_READ:
        parse_db_read(item, count, r);
        break;
    case SYNTAX_SYMBOL:
        parse_symbol(d, item, r, is_output);
        break;
    case SYNTAX_PBC:
        parse_id(item, r, "r_id");
        break;
    case SYNTAX_ALARM_LOCK:
    case SYNTAX_ALARM_IND:
    case SYNTAX_ALARM_ACK:
    case SYNTAX_ALARM_QUERY:
    case SYNTAX_NOTIFY:
        item->area = "alarm";
        break;
    default:
        item->area = "unknown";
        break;
    }
}

/* How many items an address makes: one, or as many as a DB read has parts. */
static uint32_t parts_of(struct reader body)
{
    if (reader_peek(&body) != SYNTAX_DB_READ)
        return 1;
    reader_skip(&body, 1);
    uint32_t parts = reader_u8(&body);
    uint32_t fit = (uint32_t)(reader_left(&body) / DB_READ_PART);
    if (parts > fit)
        parts = fit;
    return parts ? parts : 1;
}

/* The next address; false at the end or when there is none. Addresses begin at even offsets: those
 * of odd size are padded. */
static inline bool next_address(struct reader *list, struct reader *body, bool *is_marked)
{
    if (!reader_left(list))
        return false;
    *is_marked = reader_peek(list) == ADDRESS_MARK;
    const uint8_t *head = reader_bytes(list, 2);
    if (!head || !*is_marked)
        return false;
    uint8_t size = head[1];
    *body = reader_take(list, size);
    if (!reader_ok(body))
        return false;
    if (size % 2 && reader_left(list))
        reader_skip(list, 1);
    return true;
}

static uint32_t count_items(struct reader list, unsigned count)
{
    uint32_t total = 0;
    struct reader body;
    bool is_marked;
    for (unsigned i = 0; i < count && next_address(&list, &body, &is_marked); i++)
        total += parts_of(body);
    return total;
}

/* The result or value that belongs to an address. is_last: of the data items. */
static void read_value(struct dissect *d, struct ot_event *event, struct ot_item *item,
                       const struct value_type *asked, struct reader *data,
                       enum s7comm_values values, bool is_last)
{
    const struct data_kind *kind = NULL;
    uint8_t code = RETURN_OK;
    if (values == S7COMM_VALUES_NONE)
        return;
    if (values == S7COMM_VALUES_RESULTS) {
        code = reader_u8(data);
        if (!reader_ok(data)) {
            emit_violation(d, VIOLATION_COUNT, "fewer results than items", NULL, 0);
            return;
        }
    } else {
        struct reader bytes =
            read_data(d, data, &code, &kind, values == S7COMM_VALUES_READ, is_last);
        if (!reader_ok(data))
            return;
        if (item) {
            item->values = values_of(item, asked, kind, bytes);
            item->is_memory = item->values.encoding == VALUES_U8;
            if (asked && asked->is_time)
                s7comm_time_value(d, item);
        }
        if (item && !item->type && kind)
            item->type = kind->name;
    }
    if (values == S7COMM_VALUES_TO_WRITE)
        return;
    struct ot_status status = status_of(code);
    if (item)
        item->status = status;
    if (status.result == OT_RESULT_ERROR && event->status.result != OT_RESULT_ERROR)
        event->status = status;
}

/* Checks and reads an address; `count` empty items are there for it. True: it is an output. */
static bool read_address(struct dissect *d, struct ot_item *item, uint32_t count,
                         struct reader body, const struct value_type **asked, bool is_answer)
{
    struct reader bytes = body;
    bool is_output = false;
    if (!is_answer && reader_peek(&body) == SYNTAX_ANY && reader_left(&body) != ADDRESS_ANY)
        emit_violation(d, VIOLATION_LENGTH, "address of a variable has the wrong size", bytes.at,
                       reader_left(&bytes));
    parse_address(d, item, count, &body, asked, &is_output);
    if (!is_answer && !reader_ok(&body))
        emit_violation(d, VIOLATION_LENGTH, "address of a variable is too short", bytes.at,
                       reader_left(&bytes));
    return is_output;
}

/* The items begin empty. */
static struct ot_item *clear(struct ot_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct ot_item){0};
    return items;
}

void s7comm_items(struct dissect *d, struct ot_event *event, struct reader list, unsigned count,
                  struct reader data, enum s7comm_values values)
{
    uint32_t total = count_items(list, count), room = total, used = 0;
    struct ot_item *items = dissect_items_unset(d, &room), spare;
    bool is_write = event->operation == OP_WRITE;
    /* an answer's addresses were judged in its request, and may be cut at what is remembered */
    bool is_answer = values == S7COMM_VALUES_READ || values == S7COMM_VALUES_RESULTS;
    struct reader body;
    bool is_marked = true;
    unsigned i = 0;
    for (; i < count && reader_ok(&data) && next_address(&list, &body, &is_marked); i++) {
        uint32_t parts = parts_of(body);
        bool has_room = parts <= room - used;
        struct ot_item *item = has_room ? clear(&items[used], parts) : clear(&spare, 1);
        const struct value_type *asked = NULL;
        bool is_output = read_address(d, item, has_room ? parts : 1, body, &asked, is_answer);
        if (is_write && is_output)
            event->operation = OP_CONTROL; /* the gravest of the items */
        if (is_write)
            item->operation = is_output ? OP_CONTROL : OP_WRITE;
        read_value(d, event, parts == 1 ? item : NULL, asked, &data, values, i + 1 == count);
        used += has_room ? parts : 0;
    }
    event->items = items;
    event->item_count = used;
    event->items_total = total > count ? total : count;
    if (is_answer && i < count)
        return;
    if (!is_marked)
        emit_violation(d, VIOLATION_ENCODING, "address of a variable does not begin with 0x12",
                       NULL, 0);
    else if (i < count && reader_ok(&data))
        emit_violation(d, VIOLATION_COUNT, "fewer addresses than the item count", NULL, 0);
    else if ((!is_answer && reader_left(&list)) || reader_left(&data) > 1)
        emit_violation(d, VIOLATION_TRAILING, "bytes behind the last item", NULL, 0);
}

void s7comm_items_unasked(struct dissect *d, struct ot_event *event, unsigned count,
                          struct reader data, enum s7comm_values values)
{
    uint32_t room = count;
    if (room > reader_left(&data))
        room = (uint32_t)reader_left(&data); /* a hostile count takes no memory */
    uint32_t total = room;
    struct ot_item *items = dissect_items(d, &room);
    struct ot_item spare = {0};
    uint32_t used = 0;
    for (unsigned i = 0; i < count && reader_ok(&data); i++) {
        struct ot_item *item = used < room ? &items[used] : &spare;
        read_value(d, event, item, NULL, &data, values, i + 1 == count);
        used += used < room && reader_ok(&data);
    }
    event->items = items;
    event->item_count = used;
    event->items_total = total;
}

/* | area: high nibble, width: low 1 | repetition, or bit 1 | data block 2 | byte 2 | */
static bool parse_table_address(struct ot_item *item, struct reader *r,
                                const struct value_type **asked)
{
    static const char *const table_areas[16] = {
        [0] = "m", [1] = "i", [2] = "q", [3] = "p", [5] = "t", [6] = "c", [7] = "db"};
    static const uint8_t widths[4] = {1, 2, 4, 6}; /* bit, byte, word, dword */
    uint8_t code = reader_u8(r);
    uint8_t repetition = reader_u8(r);
    uint16_t block = reader_u16be(r);
    uint16_t start = reader_u16be(r);
    uint8_t area = code >> 4;
    bool is_counted = area == 5 || area == 6;
    *asked = is_counted        ? type_of(area == 5 ? 29 : 28)
             : (code & 15) < 4 ? type_of(widths[code & 15])
                               : NULL;
    item->area = table_areas[area] ? table_areas[area] : "unknown";
    item->type = *asked ? (*asked)->name : NULL;
    item->number = block;
    item->has_number = area == 7;
    item->start = start;
    item->has_start = true;
    item->has_bit = *asked && (*asked)->bits == 1;
    item->bit = item->has_bit ? repetition & 7 : 0;
    item->count = item->has_bit ? 1 : repetition;
    if (is_counted)
        set_range(item, start, item->count);
    else
        set_range(item, (uint64_t)start * 8 + item->bit,
                  (uint64_t)item->count * (*asked ? (*asked)->bits : 8));
    return area == 2 || area == 3;
}

void s7comm_items_table(struct dissect *d, struct ot_event *event, struct reader list,
                        struct reader data, enum s7comm_values values)
{
    bool is_answer = values == S7COMM_VALUES_READ || values == S7COMM_VALUES_RESULTS;
    uint32_t count = reader_u16be(&list);
    if (count > reader_left(&list) / TABLE_ADDRESS) {
        if (!is_answer) /* of what was kept of the request the end may be missing */
            emit_violation(d, VIOLATION_COUNT, "fewer addresses than the item count", NULL, 0);
        count = (uint32_t)(reader_left(&list) / TABLE_ADDRESS);
    }
    struct reader addresses = reader_take(&list, (size_t)count * TABLE_ADDRESS);
    if (values == S7COMM_VALUES_TO_WRITE)
        data = list;
    uint32_t room = count;
    struct ot_item *items = dissect_items(d, &room);
    for (uint32_t i = 0; i < room; i++) {
        const struct value_type *asked = NULL;
        bool is_output = parse_table_address(&items[i], &addresses, &asked);
        if (event->operation == OP_WRITE && is_output)
            event->operation = OP_CONTROL;
        if (values == S7COMM_VALUES_NONE || !reader_ok(&data))
            continue;
        items[i].operation = is_output && event->operation == OP_CONTROL ? OP_CONTROL : OP_UNKNOWN;
        read_value(d, event, &items[i], asked, &data, values, i + 1 == count);
    }
    event->items = items;
    event->item_count = room;
    event->items_total = count;
}
