/* modbus_data.c: the data of Modbus functions into items: addresses, values, limits, and what a
 * response has to repeat.
 *
 * Spec: [MB] MODBUS Application Protocol Specification V1.1b3, section 6
 */
#include "modbus_exchange.h"

enum {
    FILE_READ_MIN = 7,
    FILE_READ_MAX = 245,
    FILE_WRITE_MIN = 9,
    FILE_WRITE_MAX = 251,
    FILE_RECORD_MAX = 9999,
    FILE_REFERENCE = 6,
};

void exchange_breaks(struct exchange *x, enum violation_kind kind, const char *why)
{
    emit_violation(x->d, kind, why, x->pdu, x->pdu_size);
}

struct ot_item *exchange_item(struct exchange *x, unsigned start, unsigned count)
{
    struct ot_item *item = &x->items[x->event.item_count++];
    *item = (struct ot_item){
        .area = x->function->area,
        .has_start = true,
        .start = start,
        .count = count,
        .low = start,
        .high = start + count - 1 < 0x10000 ? start + count - 1 : 0xffff,
        .has_range = count > 0,
    };
    x->event.items = x->items;
    x->event.items_total = x->event.item_count;
    return item;
}

struct ot_item *exchange_unplaced(struct exchange *x)
{
    struct ot_item *item = &x->items[x->event.item_count++];
    *item = (struct ot_item){.area = x->function->area};
    x->event.items = x->items;
    x->event.items_total = x->event.item_count;
    return item;
}

static void put_values(struct ot_item *item, enum ot_encoding encoding, unsigned count,
                       struct reader bytes)
{
    if (reader_left(&bytes))
        item->values = (struct ot_values){encoding, count, bytes.at, reader_left(&bytes)};
}

static void put_registers(struct ot_item *item, struct reader bytes)
{
    put_values(item, VALUES_U16BE, (unsigned)(reader_left(&bytes) / 2), bytes);
}

static void put_bits(struct ot_item *item, unsigned count, struct reader bytes)
{
    size_t most = reader_left(&bytes) * 8;
    put_values(item, VALUES_BITS, count < most ? count : (unsigned)most, bytes);
}

struct reader exchange_counted(struct exchange *x, struct reader *r, size_t size)
{
    if (reader_left(r) < size) {
        exchange_breaks(x, VIOLATION_TRUNCATED, "fewer bytes than the byte count says");
        return exchange_rest(r);
    }
    return reader_take(r, size);
}

static void check_count(struct exchange *x, unsigned start, unsigned count, unsigned most)
{
    if (count == 0 || count > most)
        exchange_breaks(x, VIOLATION_RANGE, "count out of range");
    else if (start + count > 0x10000)
        exchange_breaks(x, VIOLATION_RANGE, "address and count go beyond 65535");
}

void exchange_echo_differs(struct exchange *x)
{
    x->event.flags |= OT_ECHO_DIFFERS;
    exchange_breaks(x, VIOLATION_SEQUENCE,
                    "response repeats another address or value than was asked");
}

/* --- functions --- */

static void read_request(struct exchange *x, struct reader *r)
{
    x->asked.start = reader_u16be(r);
    x->asked.count = reader_u16be(r);
    if (!reader_ok(r))
        return;
    check_count(x, x->asked.start, x->asked.count, x->function->count_max);
    exchange_item(x, x->asked.start, x->asked.count);
}

static void put_coil(struct exchange *x, struct ot_item *item, struct reader value)
{
    struct reader r = value;
    uint16_t word = reader_u16be(&r);
    if (word != 0xff00 && word != 0) /* [MB] 6.5 */
        exchange_breaks(x, VIOLATION_RANGE, "coil value is neither FF00 nor 0000");
    put_bits(item, 1, value);
}

/* Functions 5 and 6: request and response are alike. */
static void write_single(struct exchange *x, struct reader *r)
{
    uint16_t start = reader_u16be(r);
    struct reader bytes = reader_take(r, 2);
    struct reader copy = bytes;
    uint16_t value = reader_u16be(&copy);
    if (!reader_ok(r))
        return;
    struct ot_item *item = exchange_item(x, start, 1);
    if (x->function->layout == LAYOUT_WRITE_COIL)
        put_coil(x, item, bytes);
    else
        put_registers(item, bytes);
    if (x->event.direction == OT_REQUEST) {
        x->asked.start = start;
        x->asked.value = value;
    } else if (x->is_matched && (start != x->asked.start || value != x->asked.value)) {
        exchange_echo_differs(x);
    }
}

static void write_multiple_request(struct exchange *x, struct reader *r)
{
    bool is_bits = x->function->layout == LAYOUT_WRITE_BITS;
    x->asked.start = reader_u16be(r);
    x->asked.count = reader_u16be(r);
    if (!reader_ok(r))
        return;
    check_count(x, x->asked.start, x->asked.count, x->function->count_max);
    struct ot_item *item = exchange_item(x, x->asked.start, x->asked.count);
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    size_t wanted = is_bits ? modbus_bits_size(x->asked.count) : 2u * x->asked.count;
    if (size != wanted)
        exchange_breaks(x, VIOLATION_COUNT, "byte count does not fit the quantity");
    struct reader bytes = exchange_counted(x, r, size);
    if (is_bits)
        put_bits(item, x->asked.count, bytes);
    else
        put_registers(item, bytes);
}

static void write_multiple_response(struct exchange *x, struct reader *r)
{
    uint16_t start = reader_u16be(r);
    uint16_t count = reader_u16be(r);
    if (!reader_ok(r))
        return;
    check_count(x, start, count, x->function->count_max);
    exchange_item(x, start, count);
    if (x->is_matched && (start != x->asked.start || count != x->asked.count))
        exchange_echo_differs(x);
}

static void read_response(struct exchange *x, struct reader *r)
{
    bool is_bits = x->function->layout == LAYOUT_READ_BITS;
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    unsigned count = x->is_matched ? x->asked.count : is_bits ? size * 8u : size / 2u;
    size_t wanted = is_bits ? modbus_bits_size(count) : 2u * count;
    if (size != wanted || size == 0)
        exchange_breaks(x, VIOLATION_COUNT,
                        x->is_matched ? "byte count does not fit the quantity that was asked"
                                      : "byte count is odd or 0");
    struct reader bytes = exchange_counted(x, r, size);
    struct ot_item *item =
        x->is_matched ? exchange_item(x, x->asked.start, count) : exchange_unplaced(x);
    item->count = count;
    if (is_bits)
        put_bits(item, count, bytes);
    else
        put_registers(item, bytes);
}

/* Functions 7, 11 and 12: state without an address. */
static void status_response(struct exchange *x, struct reader *r)
{
    struct ot_item *item = exchange_unplaced(x);
    switch (x->function->layout) {
    case LAYOUT_EXCEPTION_STATUS:
        put_bits(item, 8, reader_take(r, 1));
        break;
    case LAYOUT_EVENT_COUNTER:
        put_registers(item, reader_take(r, 4)); /* status, event count */
        break;
    default: { /* event log: status, event count, message count, events */
        uint8_t size = reader_u8(r);
        put_values(item, VALUES_BYTES, 1, exchange_counted(x, r, size));
        break;
    }
    }
}

/* The data that a sub-function of 8 must have in a request, [MB] 6.8.1. */
static void check_diagnostic_data(struct exchange *x, uint16_t sub, uint16_t data)
{
    if (sub == 1 && data != 0 && data != 0xff00)
        exchange_breaks(x, VIOLATION_RANGE, "restart option is neither FF00 nor 0000");
    else if (sub != 0 && sub != 1 && sub != 3 && data != 0)
        exchange_breaks(x, VIOLATION_RESERVED, "diagnostic data is not 0");
}

static void diagnostics(struct exchange *x, struct reader *r)
{
    uint16_t sub = reader_u16be(r);
    if (!reader_ok(r))
        return;
    if (!modbus_diagnostic(sub, &x->event.name, &x->event.operation))
        exchange_breaks(x, VIOLATION_FUNCTION, "diagnostic sub-function is not defined");
    x->event.code[1] = sub;
    struct reader data = exchange_rest(r);
    struct reader copy = data;
    uint16_t first = reader_u16be(&copy);
    if (reader_left(&data) < 2)
        exchange_breaks(x, VIOLATION_TRUNCATED, "diagnostic data is missing");
    put_registers(exchange_item(x, sub, 1), data);
    if (x->event.direction == OT_REQUEST) {
        check_diagnostic_data(x, sub, first);
        x->asked.sub = sub;
        x->asked.value = first;
    } else if (x->is_matched && (sub != x->asked.sub || (sub == 0 && first != x->asked.value))) {
        exchange_echo_differs(x);
    }
}

static struct ot_item *file_items(struct exchange *x, uint32_t count)
{
    uint32_t room = count;
    struct ot_item *items = dissect_items(x->d, &room);
    x->event.items = items;
    x->event.item_count = room;
    x->event.items_total = count;
    return items;
}

static struct ot_item file_item(struct record record)
{
    return (struct ot_item){
        .area = "file",
        .number = record.file,
        .has_number = true,
        .has_start = true,
        .start = record.start,
        .count = record.count,
        .low = record.start,
        .high = (uint64_t)record.start + record.count - (record.count > 0),
        .has_range = record.count > 0,
    };
}

static struct record read_record(struct exchange *x, struct reader *r)
{
    uint8_t reference = reader_u8(r);
    struct record record;
    record.file = reader_u16be(r);
    record.start = reader_u16be(r);
    record.count = reader_u16be(r);
    if (!reader_ok(r))
        return record;
    if (reference != FILE_REFERENCE)
        exchange_breaks(x, VIOLATION_RANGE, "file reference type is not 6");
    if (record.file == 0 || record.start > FILE_RECORD_MAX) /* [MB] 6.14 */
        exchange_breaks(x, VIOLATION_RANGE, "file or record number out of range");
    return record;
}

static bool record_equal(struct record a, struct record b)
{
    return a.file == b.file && a.start == b.start && a.count == b.count;
}

static void file_read_request(struct exchange *x, struct reader *r)
{
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (size < FILE_READ_MIN || size > FILE_READ_MAX || size % MODBUS_FILE_READ_GROUP != 0)
        exchange_breaks(x, VIOLATION_COUNT, "byte count of the file request out of range");
    struct reader groups = exchange_counted(x, r, size);
    while (reader_left(&groups) >= MODBUS_FILE_READ_GROUP &&
           x->asked.record_count < MODBUS_RECORDS_MAX)
        x->asked.records[x->asked.record_count++] = read_record(x, &groups);
    struct ot_item *items = file_items(x, x->asked.record_count);
    for (uint32_t i = 0; i < x->event.item_count; i++)
        items[i] = file_item(x->asked.records[i]);
}

/* | length 1 | reference 1 | data, length - 1 | for each of what was asked */
static void file_read_response(struct exchange *x, struct reader *r)
{
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    struct reader groups = exchange_counted(x, r, size);
    uint32_t asked = x->is_matched ? x->asked.record_count : 0;
    struct ot_item *items = asked ? file_items(x, asked) : NULL;
    uint32_t seen = 0;
    for (; reader_left(&groups) && seen < MODBUS_RECORDS_MAX; seen++) {
        uint8_t length = reader_u8(&groups);
        struct reader group = reader_take(&groups, length);
        reader_skip(&group, 1);
        if (!reader_ok(&group)) {
            exchange_breaks(x, VIOLATION_TRUNCATED, "file record is cut off");
            break;
        }
        if (seen < asked && reader_left(&group) != 2u * x->asked.records[seen].count)
            exchange_breaks(x, VIOLATION_COUNT, "file record has another length than was asked");
        if (seen < x->event.item_count)
            put_registers(&items[seen], group);
    }
    for (uint32_t i = 0; i < x->event.item_count; i++) {
        struct ot_values values = items[i].values;
        items[i] = file_item(x->asked.records[i]);
        items[i].values = values;
    }
    if (x->is_matched && seen != asked)
        exchange_breaks(x, VIOLATION_COUNT,
                        "response has another number of file records than was asked");
}

/* Request and response are alike. */
static void file_write(struct exchange *x, struct reader *r)
{
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (size < FILE_WRITE_MIN || size > FILE_WRITE_MAX)
        exchange_breaks(x, VIOLATION_COUNT, "byte count of the file request out of range");
    struct reader groups = exchange_counted(x, r, size);
    struct reader data[MODBUS_RECORDS_MAX];
    struct record records[MODBUS_RECORDS_MAX];
    uint8_t count = 0;
    while (reader_left(&groups) && count < MODBUS_RECORDS_MAX) {
        records[count] = read_record(x, &groups);
        if (!reader_ok(&groups)) {
            exchange_breaks(x, VIOLATION_TRUNCATED, "file record is cut off");
            break;
        }
        data[count] = exchange_counted(x, &groups, 2u * records[count].count);
        count++;
    }
    struct ot_item *items = file_items(x, count);
    for (uint32_t i = 0; i < x->event.item_count; i++) {
        items[i] = file_item(records[i]);
        put_registers(&items[i], data[i]);
    }
    if (x->event.direction == OT_REQUEST) {
        memcpy(x->asked.records, records, count * sizeof *records);
        x->asked.record_count = count;
        return;
    }
    bool is_same = count == x->asked.record_count;
    for (uint8_t i = 0; i < count && is_same; i++)
        is_same = record_equal(records[i], x->asked.records[i]);
    if (x->is_matched && !is_same)
        exchange_echo_differs(x);
}

/* Request and response are alike: | address | AND mask | OR mask | */
static void mask_write(struct exchange *x, struct reader *r)
{
    uint16_t start = reader_u16be(r);
    struct reader masks = *r;
    uint16_t and_mask = reader_u16be(r);
    uint16_t or_mask = reader_u16be(r);
    if (!reader_ok(r))
        return;
    struct ot_item *item = exchange_item(x, start, 1);
    x->event.detail = dissect_text(x->d, "AND %04x OR %04x", and_mask, or_mask);
    if (and_mask == 0) { /* then the register becomes the OR mask whatever it was, [MB] 6.16 */
        reader_skip(&masks, 2);
        put_registers(item, reader_take(&masks, 2));
    }
    if (x->event.direction == OT_REQUEST) {
        x->asked.start = start;
        x->asked.value = and_mask;
        x->asked.other = or_mask;
    } else if (x->is_matched && (start != x->asked.start || and_mask != x->asked.value ||
                                 or_mask != x->asked.other)) {
        exchange_echo_differs(x);
    }
}

static void read_write_request(struct exchange *x, struct reader *r)
{
    struct asked *a = &x->asked;
    a->start = reader_u16be(r);
    a->count = reader_u16be(r);
    a->write_start = reader_u16be(r);
    a->write_count = reader_u16be(r);
    if (!reader_ok(r))
        return;
    check_count(x, a->start, a->count, x->function->count_max);
    check_count(x, a->write_start, a->write_count, MODBUS_READ_WRITE_MAX);
    exchange_item(x, a->start, a->count)->operation = OP_READ;
    struct ot_item *written = exchange_item(x, a->write_start, a->write_count);
    written->operation = OP_WRITE;
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (size != 2u * a->write_count)
        exchange_breaks(x, VIOLATION_COUNT, "byte count does not fit the quantity");
    put_registers(written, exchange_counted(x, r, size));
}

static void read_write_response(struct exchange *x, struct reader *r)
{
    read_response(x, r);
    if (!reader_ok(r))
        return;
    x->items[0].operation = OP_READ;
    if (x->is_matched)
        exchange_item(x, x->asked.write_start, x->asked.write_count)->operation = OP_WRITE;
}

static void fifo_request(struct exchange *x, struct reader *r)
{
    x->asked.start = reader_u16be(r);
    if (reader_ok(r))
        exchange_item(x, x->asked.start, 1);
}

static void fifo_response(struct exchange *x, struct reader *r)
{
    uint16_t size = reader_u16be(r);
    uint16_t count = reader_u16be(r);
    if (!reader_ok(r))
        return;
    if (count > MODBUS_FIFO_MAX)
        exchange_breaks(x, VIOLATION_RANGE, "more than 31 registers in a FIFO");
    else if (size != 2u + 2u * count)
        exchange_breaks(x, VIOLATION_COUNT, "byte count does not fit the FIFO count");
    struct ot_item *item =
        x->is_matched ? exchange_item(x, x->asked.start, 1) : exchange_unplaced(x);
    put_registers(item, exchange_counted(x, r, 2u * count));
}

static void no_data(struct exchange *x, struct reader *r)
{
    (void)x;
    (void)r;
}

static void open_data(struct exchange *x, struct reader *r)
{
    (void)x;
    (void)exchange_rest(r);
}

static const struct parser {
    void (*request)(struct exchange *x, struct reader *r);
    void (*response)(struct exchange *x, struct reader *r);
} parsers[LAYOUT_COUNT_OF] = {
    [LAYOUT_UNDEFINED] = {open_data,              open_data              },
    [LAYOUT_OPEN] = {open_data,              open_data              },
    [LAYOUT_READ_BITS] = {read_request,           read_response          },
    [LAYOUT_READ_REGISTERS] = {read_request,           read_response          },
    [LAYOUT_WRITE_COIL] = {write_single,           write_single           },
    [LAYOUT_WRITE_REGISTER] = {write_single,           write_single           },
    [LAYOUT_WRITE_BITS] = {write_multiple_request, write_multiple_response},
    [LAYOUT_WRITE_REGISTERS] = {write_multiple_request, write_multiple_response},
    [LAYOUT_EXCEPTION_STATUS] = {no_data,                status_response        },
    [LAYOUT_DIAGNOSTICS] = {diagnostics,            diagnostics            },
    [LAYOUT_EVENT_COUNTER] = {no_data,                status_response        },
    [LAYOUT_EVENT_LOG] = {no_data,                status_response        },
    [LAYOUT_SERVER_ID] = {no_data,                exchange_server_id     },
    [LAYOUT_FILE_READ] = {file_read_request,      file_read_response     },
    [LAYOUT_FILE_WRITE] = {file_write,             file_write             },
    [LAYOUT_MASK_WRITE] = {mask_write,             mask_write             },
    [LAYOUT_READ_WRITE] = {read_write_request,     read_write_response    },
    [LAYOUT_FIFO] = {fifo_request,           fifo_response          },
    [LAYOUT_ENCAPSULATED] = {exchange_encapsulated,  exchange_encapsulated  },
    [LAYOUT_UMAS] = {open_data,              open_data              },
};

void exchange_parse(struct exchange *x, struct reader *r)
{
    const struct parser *parser = &parsers[x->function->layout];
    if (x->event.direction == OT_RESPONSE)
        parser->response(x, r);
    else
        parser->request(x, r);
}

/* Some servers (jsmodbus) repeat the MEI type before the code of an exception to 43. */
static void skip_mei_type(const struct exchange *x, struct reader *r)
{
    uint8_t first = reader_peek(r);
    if (x->function->layout == LAYOUT_ENCAPSULATED && reader_left(r) == 2 &&
        (first == MODBUS_MEI_IDENTIFICATION || first == MODBUS_MEI_CANOPEN))
        reader_skip(r, 1);
}

void exchange_exception(struct exchange *x, struct reader *r)
{
    skip_mei_type(x, r);
    uint8_t code = reader_u8(r);
    if (!reader_ok(r))
        return;
    const char *name = modbus_exception_name(code);
    x->event.status = (struct ot_status){OT_RESULT_ERROR, code, name};
    if (!name)
        exchange_breaks(x, VIOLATION_RANGE, "exception code is not defined");
    if (!x->is_matched)
        return;
    /* what was refused: the request told it */
    if (x->function->layout == LAYOUT_DIAGNOSTICS) {
        (void)modbus_diagnostic(x->asked.sub, &x->event.name, &x->event.operation);
        x->event.code[1] = x->asked.sub;
        exchange_item(x, x->asked.sub, 1);
    } else if (x->function->layout == LAYOUT_ENCAPSULATED &&
               x->asked.sub == MODBUS_MEI_IDENTIFICATION) {
        x->event.name = "read_device_identification";
        x->event.operation = OP_IDENTIFY;
    } else if (x->function->area && x->asked.count) {
        exchange_item(x, x->asked.start, x->asked.count);
    } else if (x->function->layout == LAYOUT_WRITE_COIL ||
               x->function->layout == LAYOUT_WRITE_REGISTER ||
               x->function->layout == LAYOUT_MASK_WRITE || x->function->layout == LAYOUT_FIFO) {
        exchange_item(x, x->asked.start, 1);
    }
}
