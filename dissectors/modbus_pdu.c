/* modbus_pdu.c: Modbus PDUs into events: items, values, limits, and what a response has to repeat.
 *
 * Spec: [MB]  MODBUS Application Protocol Specification V1.1b3
 *       [TCP] MODBUS Messaging on TCP/IP Implementation Guide V1.0b
 *
 *   request   | function 1 | data |
 *   response  | function 1 | data |      exception  | function + 0x80 1 | exception code 1 |
 */
#include "modbus_pdu.h"

#include "modbus_functions.h"

enum {
    RECORDS_MAX = 35, /* sub-requests that fit into functions 20 and 21, [MB] 6.14 */
    FILE_READ_MIN = 7,
    FILE_READ_MAX = 245,
    FILE_WRITE_MIN = 9,
    FILE_WRITE_MAX = 251,
    FILE_RECORD_MAX = 9999,
    FILE_REFERENCE = 6,
    IN_ORDER_MAX = 16, /* requests in flight of a client that never changes its transaction */
    TEXT_MIN = 3,      /* a shorter printable run is no name */
};

/* What is kept of a request, to tell its response apart and to name what the response carries. */
struct asked {
    uint8_t function;
    uint8_t record_count;
    uint16_t sub;          /* sub-function of 8, MEI type of 43 */
    uint16_t start, count; /* what is read, or written by the functions that only write */
    uint16_t write_start, write_count; /* of function 23 */
    uint16_t value, other;             /* what has to come back: value written, masks */
    struct record {
        uint16_t file, start, count;
    } records[RECORDS_MAX]; /* the first record_count are kept */
};

/* One PDU being dissected. */
struct exchange {
    struct dissect *d;
    const struct modbus_adu *adu;
    const struct modbus_function *function;
    struct ot_event event;
    struct asked asked; /* of the request: being filled in; of a matched response: recalled */
    bool is_matched;
    const uint8_t *pdu;
    size_t pdu_size;
    struct ot_item items[2];
    struct ot_fact facts[2];
};

/* clang-format off: a hundred lines less */
static const char units[256][4] = {
    "0",   "1",   "2",   "3",   "4",   "5",   "6",   "7",   "8",   "9",   "10",  "11",  "12",
    "13",  "14",  "15",  "16",  "17",  "18",  "19",  "20",  "21",  "22",  "23",  "24",  "25",
    "26",  "27",  "28",  "29",  "30",  "31",  "32",  "33",  "34",  "35",  "36",  "37",  "38",
    "39",  "40",  "41",  "42",  "43",  "44",  "45",  "46",  "47",  "48",  "49",  "50",  "51",
    "52",  "53",  "54",  "55",  "56",  "57",  "58",  "59",  "60",  "61",  "62",  "63",  "64",
    "65",  "66",  "67",  "68",  "69",  "70",  "71",  "72",  "73",  "74",  "75",  "76",  "77",
    "78",  "79",  "80",  "81",  "82",  "83",  "84",  "85",  "86",  "87",  "88",  "89",  "90",
    "91",  "92",  "93",  "94",  "95",  "96",  "97",  "98",  "99",  "100", "101", "102", "103",
    "104", "105", "106", "107", "108", "109", "110", "111", "112", "113", "114", "115", "116",
    "117", "118", "119", "120", "121", "122", "123", "124", "125", "126", "127", "128", "129",
    "130", "131", "132", "133", "134", "135", "136", "137", "138", "139", "140", "141", "142",
    "143", "144", "145", "146", "147", "148", "149", "150", "151", "152", "153", "154", "155",
    "156", "157", "158", "159", "160", "161", "162", "163", "164", "165", "166", "167", "168",
    "169", "170", "171", "172", "173", "174", "175", "176", "177", "178", "179", "180", "181",
    "182", "183", "184", "185", "186", "187", "188", "189", "190", "191", "192", "193", "194",
    "195", "196", "197", "198", "199", "200", "201", "202", "203", "204", "205", "206", "207",
    "208", "209", "210", "211", "212", "213", "214", "215", "216", "217", "218", "219", "220",
    "221", "222", "223", "224", "225", "226", "227", "228", "229", "230", "231", "232", "233",
    "234", "235", "236", "237", "238", "239", "240", "241", "242", "243", "244", "245", "246",
    "247", "248", "249", "250", "251", "252", "253", "254", "255",
};
/* clang-format on */

struct text modbus_unit_text(uint8_t unit)
{
    return (struct text){units[unit], unit < 10 ? 1 : unit < 100 ? 2 : 3};
}

static void breaks(struct exchange *x, enum violation_kind kind, const char *why)
{
    emit_violation(x->d, kind, why, x->pdu, x->pdu_size);
}

/* The next item of at most two; addresses are those of the PDU, from 0. */
static struct ot_item *add_item(struct exchange *x, unsigned start, unsigned count)
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

/* An item of what has no address, or whose address was not seen. */
static struct ot_item *add_unplaced(struct exchange *x)
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

static struct reader rest(struct reader *r)
{
    return reader_take(r, reader_left(r));
}

/* What a byte count announces, or what is there of it. */
static struct reader counted(struct exchange *x, struct reader *r, size_t size)
{
    if (reader_left(r) < size) {
        breaks(x, VIOLATION_TRUNCATED, "fewer bytes than the byte count says");
        return rest(r);
    }
    return reader_take(r, size);
}

static void check_count(struct exchange *x, unsigned start, unsigned count, unsigned most)
{
    if (count == 0 || count > most)
        breaks(x, VIOLATION_RANGE, "count out of range");
    else if (start + count > 0x10000)
        breaks(x, VIOLATION_RANGE, "address and count go beyond 65535");
}

static void echo_differs(struct exchange *x)
{
    x->event.flags |= OT_ECHO_DIFFERS;
    breaks(x, VIOLATION_SEQUENCE, "response repeats another address or value than was asked");
}

/* --- requests --- */

static void read_request(struct exchange *x, struct reader *r)
{
    x->asked.start = reader_u16be(r);
    x->asked.count = reader_u16be(r);
    if (!reader_ok(r))
        return;
    check_count(x, x->asked.start, x->asked.count, x->function->count_max);
    add_item(x, x->asked.start, x->asked.count);
}

static void put_coil(struct exchange *x, struct ot_item *item, struct reader value)
{
    struct reader r = value;
    uint16_t word = reader_u16be(&r);
    if (word != 0xff00 && word != 0) /* [MB] 6.5 */
        breaks(x, VIOLATION_RANGE, "coil value is neither FF00 nor 0000");
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
    struct ot_item *item = add_item(x, start, 1);
    if (x->function->layout == LAYOUT_WRITE_COIL)
        put_coil(x, item, bytes);
    else
        put_registers(item, bytes);
    if (x->event.direction == OT_REQUEST) {
        x->asked.start = start;
        x->asked.value = value;
    } else if (x->is_matched && (start != x->asked.start || value != x->asked.value)) {
        echo_differs(x);
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
    struct ot_item *item = add_item(x, x->asked.start, x->asked.count);
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    size_t wanted = is_bits ? modbus_bits_size(x->asked.count) : 2u * x->asked.count;
    if (size != wanted)
        breaks(x, VIOLATION_COUNT, "byte count does not fit the quantity");
    struct reader bytes = counted(x, r, size);
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
    add_item(x, start, count);
    if (x->is_matched && (start != x->asked.start || count != x->asked.count))
        echo_differs(x);
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
        breaks(x, VIOLATION_COUNT,
               x->is_matched ? "byte count does not fit the quantity that was asked"
                             : "byte count is odd or 0");
    struct reader bytes = counted(x, r, size);
    struct ot_item *item = x->is_matched ? add_item(x, x->asked.start, count) : add_unplaced(x);
    item->count = count;
    if (is_bits)
        put_bits(item, count, bytes);
    else
        put_registers(item, bytes);
}

/* Functions 7, 11 and 12: state without an address. */
static void status_response(struct exchange *x, struct reader *r)
{
    struct ot_item *item = add_unplaced(x);
    switch (x->function->layout) {
    case LAYOUT_EXCEPTION_STATUS:
        put_bits(item, 8, reader_take(r, 1));
        break;
    case LAYOUT_EVENT_COUNTER:
        put_registers(item, reader_take(r, 4)); /* status, event count */
        break;
    default: { /* event log: status, event count, message count, events */
        uint8_t size = reader_u8(r);
        put_values(item, VALUES_BYTES, 1, counted(x, r, size));
        break;
    }
    }
}

/* The data that a sub-function of 8 must have in a request, [MB] 6.8.1. */
static void check_diagnostic_data(struct exchange *x, uint16_t sub, uint16_t data)
{
    if (sub == 1 && data != 0 && data != 0xff00)
        breaks(x, VIOLATION_RANGE, "restart option is neither FF00 nor 0000");
    else if (sub != 0 && sub != 1 && sub != 3 && data != 0)
        breaks(x, VIOLATION_RESERVED, "diagnostic data is not 0");
}

static void diagnostics(struct exchange *x, struct reader *r)
{
    uint16_t sub = reader_u16be(r);
    if (!reader_ok(r))
        return;
    if (!modbus_diagnostic(sub, &x->event.name, &x->event.operation))
        breaks(x, VIOLATION_FUNCTION, "diagnostic sub-function is not defined");
    x->event.code[1] = sub;
    struct reader data = rest(r);
    struct reader copy = data;
    uint16_t first = reader_u16be(&copy);
    if (reader_left(&data) < 2)
        breaks(x, VIOLATION_TRUNCATED, "diagnostic data is missing");
    put_registers(add_item(x, sub, 1), data);
    if (x->event.direction == OT_REQUEST) {
        check_diagnostic_data(x, sub, first);
        x->asked.sub = sub;
        x->asked.value = first;
    } else if (x->is_matched && (sub != x->asked.sub || (sub == 0 && first != x->asked.value))) {
        echo_differs(x);
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
        breaks(x, VIOLATION_RANGE, "file reference type is not 6");
    if (record.file == 0 || record.start > FILE_RECORD_MAX) /* [MB] 6.14 */
        breaks(x, VIOLATION_RANGE, "file or record number out of range");
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
        breaks(x, VIOLATION_COUNT, "byte count of the file request out of range");
    struct reader groups = counted(x, r, size);
    while (reader_left(&groups) >= MODBUS_FILE_READ_GROUP && x->asked.record_count < RECORDS_MAX)
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
    struct reader groups = counted(x, r, size);
    uint32_t asked = x->is_matched ? x->asked.record_count : 0;
    struct ot_item *items = asked ? file_items(x, asked) : NULL;
    uint32_t seen = 0;
    for (; reader_left(&groups) && seen < RECORDS_MAX; seen++) {
        uint8_t length = reader_u8(&groups);
        struct reader group = reader_take(&groups, length);
        reader_skip(&group, 1);
        if (!reader_ok(&group)) {
            breaks(x, VIOLATION_TRUNCATED, "file record is cut off");
            break;
        }
        if (seen < asked && reader_left(&group) != 2u * x->asked.records[seen].count)
            breaks(x, VIOLATION_COUNT, "file record has another length than was asked");
        if (seen < x->event.item_count)
            put_registers(&items[seen], group);
    }
    for (uint32_t i = 0; i < x->event.item_count; i++) {
        struct ot_values values = items[i].values;
        items[i] = file_item(x->asked.records[i]);
        items[i].values = values;
    }
    if (x->is_matched && seen != asked)
        breaks(x, VIOLATION_COUNT, "response has another number of file records than was asked");
}

/* Request and response are alike. */
static void file_write(struct exchange *x, struct reader *r)
{
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (size < FILE_WRITE_MIN || size > FILE_WRITE_MAX)
        breaks(x, VIOLATION_COUNT, "byte count of the file request out of range");
    struct reader groups = counted(x, r, size);
    struct reader data[RECORDS_MAX];
    struct record records[RECORDS_MAX];
    uint8_t count = 0;
    while (reader_left(&groups) && count < RECORDS_MAX) {
        records[count] = read_record(x, &groups);
        if (!reader_ok(&groups)) {
            breaks(x, VIOLATION_TRUNCATED, "file record is cut off");
            break;
        }
        data[count] = counted(x, &groups, 2u * records[count].count);
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
        echo_differs(x);
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
    struct ot_item *item = add_item(x, start, 1);
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
        echo_differs(x);
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
    add_item(x, a->start, a->count)->operation = OP_READ;
    struct ot_item *written = add_item(x, a->write_start, a->write_count);
    written->operation = OP_WRITE;
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (size != 2u * a->write_count)
        breaks(x, VIOLATION_COUNT, "byte count does not fit the quantity");
    put_registers(written, counted(x, r, size));
}

static void read_write_response(struct exchange *x, struct reader *r)
{
    read_response(x, r);
    if (!reader_ok(r))
        return;
    x->items[0].operation = OP_READ;
    if (x->is_matched)
        add_item(x, x->asked.write_start, x->asked.write_count)->operation = OP_WRITE;
}

static void fifo_request(struct exchange *x, struct reader *r)
{
    x->asked.start = reader_u16be(r);
    if (reader_ok(r))
        add_item(x, x->asked.start, 1);
}

static void fifo_response(struct exchange *x, struct reader *r)
{
    uint16_t size = reader_u16be(r);
    uint16_t count = reader_u16be(r);
    if (!reader_ok(r))
        return;
    if (count > MODBUS_FIFO_MAX)
        breaks(x, VIOLATION_RANGE, "more than 31 registers in a FIFO");
    else if (size != 2u + 2u * count)
        breaks(x, VIOLATION_COUNT, "byte count does not fit the FIFO count");
    struct ot_item *item = x->is_matched ? add_item(x, x->asked.start, 1) : add_unplaced(x);
    put_registers(item, counted(x, r, 2u * count));
}

/* --- identity --- */

static bool is_printable(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f;
}

/* The longest printable run of some bytes; empty when it is too short for a name. */
static struct text printable_run(struct reader bytes)
{
    struct text best = {NULL, 0};
    const uint8_t *begin = bytes.at;
    while (reader_left(&bytes)) {
        const uint8_t *at = bytes.at;
        if (!is_printable(reader_u8(&bytes)))
            begin = bytes.at;
        else if ((size_t)(at + 1 - begin) > best.size)
            best = (struct text){(const char *)begin, (size_t)(at + 1 - begin)};
    }
    while (best.size && best.at[best.size - 1] == ' ')
        best.size--;
    return best.size >= TEXT_MIN ? best : (struct text){NULL, 0};
}

static void add_fact(struct exchange *x, enum fact_kind kind, struct text value)
{
    x->facts[x->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    x->event.facts = x->facts;
}

/* | byte count 1 | server id, device specific | run indicator 1, 00 or FF | additional data |
 * The length of the id is not told. Most devices use one byte, then the indicator; others end with
 * it. */
static void server_id_response(struct exchange *x, struct reader *r)
{
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    struct reader bytes = counted(x, r, size);
    struct text name = printable_run(bytes);
    if (name.size)
        add_fact(x, FACT_PRODUCT, name);
    uint8_t second = 1, last = 1;
    for (size_t i = 0; reader_left(&bytes); i++) {
        last = reader_u8(&bytes);
        if (i == 1)
            second = last;
    }
    uint8_t indicator = second == 0 || second == 0xff ? second : last;
    if (indicator == 0 || indicator == 0xff)
        add_fact(x, FACT_MODE, indicator ? TEXT("run") : TEXT("stop"));
}

static const struct identity {
    enum fact_kind fact;
} identities[] = {
    /* [MB] 6.21: vendor name, product code, revision, URL, product name, model name, user
       application */
    {FACT_VENDOR},  {FACT_ORDER_NUMBER}, {FACT_FIRMWARE}, {FACT_URL},
    {FACT_PRODUCT}, {FACT_DEVICE_TYPE},  {FACT_SOFTWARE},
};
enum { IDENTITY_COUNT = sizeof identities / sizeof *identities };

static void identification_request(struct exchange *x, struct reader *r)
{
    uint8_t code = reader_u8(r);
    uint8_t object = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (code < 1 || code > 4)
        breaks(x, VIOLATION_RANGE, "read device id code is not 1 to 4");
    add_item(x, object, 1)->area = "device_identification";
}

static void identification_objects(struct exchange *x, struct reader *r, uint8_t count)
{
    uint32_t room = IDENTITY_COUNT;
    struct ot_fact *facts = dissect_facts(x->d, &room);
    x->event.facts = facts;
    for (unsigned i = 0; i < count; i++) {
        uint8_t id = reader_u8(r);
        uint8_t length = reader_u8(r);
        struct reader value = reader_take(r, length);
        if (!reader_ok(r)) {
            breaks(x, VIOLATION_TRUNCATED, "identification object is cut off");
            return;
        }
        if (id < IDENTITY_COUNT && length && x->event.fact_count < room)
            facts[x->event.fact_count++] = (struct ot_fact){
                .kind = identities[id].fact,
                .value = {(const char *)value.at, length},
            };
    }
}

/* | code 1 | conformity 1 | more follows 1 | next object 1 | count 1 | objects: id 1, length 1,
 * text | */
static void identification_response(struct exchange *x, struct reader *r)
{
    reader_skip(r, 1);
    uint8_t conformity = reader_u8(r);
    uint8_t more = reader_u8(r);
    reader_skip(r, 1);
    uint8_t count = reader_u8(r);
    if (!reader_ok(r))
        return;
    if ((conformity & 0x7f) < 1 || (conformity & 0x7f) > 3)
        breaks(x, VIOLATION_RANGE, "conformity level is not defined");
    if (more != 0 && more != 0xff)
        breaks(x, VIOLATION_RANGE, "more follows is neither 00 nor FF");
    identification_objects(x, r, count);
}

static void encapsulated(struct exchange *x, struct reader *r)
{
    uint8_t type = reader_u8(r);
    if (!reader_ok(r))
        return;
    x->event.code[1] = type;
    bool is_request = x->event.direction == OT_REQUEST;
    if (is_request)
        x->asked.sub = type;
    else if (x->is_matched && type != x->asked.sub)
        echo_differs(x);
    switch (type) {
    case MODBUS_MEI_IDENTIFICATION:
        x->event.name = "read_device_identification";
        x->event.operation = OP_IDENTIFY;
        if (is_request)
            identification_request(x, r);
        else
            identification_response(x, r);
        break;
    case MODBUS_MEI_CANOPEN:
        x->event.name = "canopen_general_reference";
        x->event.operation = OP_WRITE;
        (void)rest(r);
        break;
    default:
        breaks(x, VIOLATION_FUNCTION, "MEI type is not defined");
        (void)rest(r);
        break;
    }
}

static void no_data(struct exchange *x, struct reader *r)
{
    (void)x;
    (void)r;
}

static void open_data(struct exchange *x, struct reader *r)
{
    (void)x;
    (void)rest(r);
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
    [LAYOUT_SERVER_ID] = {no_data,                server_id_response     },
    [LAYOUT_FILE_READ] = {file_read_request,      file_read_response     },
    [LAYOUT_FILE_WRITE] = {file_write,             file_write             },
    [LAYOUT_MASK_WRITE] = {mask_write,             mask_write             },
    [LAYOUT_READ_WRITE] = {read_write_request,     read_write_response    },
    [LAYOUT_FIFO] = {fifo_request,           fifo_response          },
    [LAYOUT_ENCAPSULATED] = {encapsulated,           encapsulated           },
    [LAYOUT_UMAS] = {open_data,              open_data              },
};

/* --- requests and their responses --- */

/* [TCP] 4.2: a response repeats transaction, unit and function. order: see struct modbus_state. */
static uint64_t asked_key(uint16_t transaction, uint8_t unit, uint8_t function, uint16_t order)
{
    return (uint64_t)transaction | (uint64_t)unit << 16 | (uint64_t)function << 24 |
           (uint64_t)order << 32;
}

static void order_request(struct modbus_state *s, const struct modbus_adu *adu)
{
    bool is_repeated =
        adu->has_transaction && s->has_request && s->last_transaction == adu->transaction;
    if (is_repeated) {
        s->next++;
        if ((uint16_t)(s->next - s->first) >= IN_ORDER_MAX)
            s->first = (uint16_t)(s->next - IN_ORDER_MAX + 1);
    } else {
        s->first = s->next = 0;
    }
    s->has_request = true;
    s->last_transaction = adu->transaction;
}

static void remember_request(struct exchange *x)
{
    struct modbus_state *s = x->d->state;
    const struct modbus_adu *adu = x->adu;
    struct asked *a = &x->asked;
    order_request(s, adu);
    s->recent[s->recent_next++ % MODBUS_ASKED_RECENTLY] =
        (struct modbus_asked_key){adu->transaction, s->next, adu->unit, a->function, true};

    size_t size = offsetof(struct asked, records) + a->record_count * sizeof *a->records;
    bool was_in_flight = false;
    void *kept = dissect_remember(
        x->d, asked_key(adu->transaction, adu->unit, a->function, s->next), size, &was_in_flight);
    memcpy(kept, a, size);
    if (was_in_flight && adu->has_transaction && x->d->flow->is_two_sided && !x->d->flow->has_gap)
        breaks(x, VIOLATION_DUPLICATE, "transaction is used again before it was answered");
}

static bool recall_asked(struct exchange *x, uint64_t key)
{
    size_t size;
    const void *kept = dissect_recall(x->d, key, &size);
    if (!kept)
        return false;
    memcpy(&x->asked, kept, size);
    return true;
}

/* Whether a response can be the one to what was asked: enough to tell requests of one transaction
 * apart. */
static bool answers(const struct asked *a, const struct modbus_function *f, struct reader data)
{
    switch (f->layout) {
    case LAYOUT_READ_BITS:
        return reader_peek(&data) == modbus_bits_size(a->count);
    case LAYOUT_READ_REGISTERS:
    case LAYOUT_READ_WRITE:
        return reader_peek(&data) == 2u * a->count;
    case LAYOUT_WRITE_COIL:
    case LAYOUT_WRITE_REGISTER:
    case LAYOUT_WRITE_BITS:
    case LAYOUT_WRITE_REGISTERS:
    case LAYOUT_MASK_WRITE:
        return reader_u16be(&data) == a->start;
    default:
        return true;
    }
}

/* A response that fits no request: to another function, or from a unit that devices put in whatever
 * was asked. */
static void recall_odd(struct exchange *x, uint8_t function)
{
    struct modbus_state *s = x->d->state;
    const struct modbus_adu *adu = x->adu;
    bool is_any_unit = adu->unit == 0 || adu->unit == 255; /* PROTOCOLS 5, quirks */
    unsigned deep = adu->has_transaction ? MODBUS_ASKED_RECENTLY : 1;
    for (unsigned i = 1; i <= deep; i++) {
        const struct modbus_asked_key *k =
            &s->recent[(uint8_t)(s->recent_next - i) % MODBUS_ASKED_RECENTLY];
        if (!k->is_used || k->transaction != adu->transaction ||
            (k->unit != adu->unit && !is_any_unit))
            continue;
        if (!recall_asked(x, asked_key(k->transaction, k->unit, k->function, k->order)))
            continue;
        x->is_matched = k->function == function;
        if (!x->is_matched)
            breaks(x, VIOLATION_FUNCTION, "response has another function than the request");
        return;
    }
    x->event.flags |= OT_NO_REQUEST;
    const struct ot_flow *flow = x->d->flow;
    if (s->has_request && flow->is_start_seen && flow->is_two_sided && !flow->has_gap)
        breaks(x, VIOLATION_DIRECTION, "response without a request");
}

static void recall_request(struct exchange *x, uint8_t function, bool is_exception,
                           struct reader data)
{
    struct modbus_state *s = x->d->state;
    const struct modbus_adu *adu = x->adu;
    for (uint16_t order = s->first;; order++) {
        bool is_last = order == s->next;
        if (recall_asked(x, asked_key(adu->transaction, adu->unit, function, order)) &&
            (is_last || is_exception || answers(&x->asked, x->function, data))) {
            x->is_matched = true;
            s->first = is_last ? order : (uint16_t)(order + 1);
            return;
        }
        if (is_last)
            break;
    }
    recall_odd(x, function);
}

/* --- a PDU --- */

/* Some servers (jsmodbus) repeat the MEI type before the code of an exception to 43. */
static void skip_mei_type(const struct exchange *x, struct reader *r)
{
    uint8_t first = reader_peek(r);
    if (x->function->layout == LAYOUT_ENCAPSULATED && reader_left(r) == 2 &&
        (first == MODBUS_MEI_IDENTIFICATION || first == MODBUS_MEI_CANOPEN))
        reader_skip(r, 1);
}

static void exception(struct exchange *x, struct reader *r)
{
    skip_mei_type(x, r);
    uint8_t code = reader_u8(r);
    if (!reader_ok(r))
        return;
    const char *name = modbus_exception_name(code);
    x->event.status = (struct ot_status){OT_RESULT_ERROR, code, name};
    if (!name)
        breaks(x, VIOLATION_RANGE, "exception code is not defined");
    if (!x->is_matched)
        return;
    /* what was refused: the request told it */
    if (x->function->layout == LAYOUT_DIAGNOSTICS) {
        (void)modbus_diagnostic(x->asked.sub, &x->event.name, &x->event.operation);
        x->event.code[1] = x->asked.sub;
        add_item(x, x->asked.sub, 1);
    } else if (x->function->layout == LAYOUT_ENCAPSULATED &&
               x->asked.sub == MODBUS_MEI_IDENTIFICATION) {
        x->event.name = "read_device_identification";
        x->event.operation = OP_IDENTIFY;
    } else if (x->function->area && x->asked.count) {
        add_item(x, x->asked.start, x->asked.count);
    } else if (x->function->layout == LAYOUT_WRITE_COIL ||
               x->function->layout == LAYOUT_WRITE_REGISTER ||
               x->function->layout == LAYOUT_MASK_WRITE || x->function->layout == LAYOUT_FIFO) {
        add_item(x, x->asked.start, 1);
    }
}

/* Some devices pad their responses with zeros. */
static bool is_padding(struct reader r, bool is_response)
{
    while (reader_left(&r))
        if (!is_response || reader_u8(&r) != 0)
            return false;
    return true;
}

static void check_direction(struct exchange *x, struct reader pdu, bool is_response)
{
    if (modbus_pdu_fits(pdu, is_response) || !modbus_pdu_fits(pdu, !is_response))
        return;
    if (is_response)
        breaks(x, VIOLATION_DIRECTION, "request sent by the server");
    else
        breaks(x, VIOLATION_DIRECTION, "response sent by the client");
}

static void hand_to_umas(struct dissect *d, const struct modbus_adu *adu, struct reader pdu,
                         bool is_response)
{
    struct carrier carrier = {
        .key = (uint64_t)adu->unit << 16 | adu->transaction,
        .unit = modbus_unit_text(adu->unit),
        .is_response = is_response,
        .is_keyed = true,
        .transaction = adu->transaction,
    };
    (void)dissect_over(d, OVER_MODBUS, pdu, &carrier);
}

/* Who asks. Port 502 tells; elsewhere the first PDU that fits one direction only does. */
static void decide_roles(struct dissect *d, struct reader pdu)
{
    enum { PORT = 502 };
    struct modbus_state *s = d->state;
    if (d->flow->server.port == PORT) {
        s->roles = ROLES_AS_OPENED;
        return;
    }
    if (d->flow->client.port == PORT) {
        s->roles = ROLES_REVERSED;
        return;
    }
    bool is_request = modbus_pdu_fits(pdu, false);
    if (is_request == modbus_pdu_fits(pdu, true))
        return;
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, is_request);
    s->roles = is_request == d->is_from_client ? ROLES_AS_OPENED : ROLES_REVERSED;
}

static bool is_response_of(struct dissect *d, struct reader pdu)
{
    struct modbus_state *s = d->state;
    if (s->roles == ROLES_UNDECIDED)
        decide_roles(d, pdu);
    return d->is_from_client == (s->roles == ROLES_REVERSED);
}

static void describe(struct exchange *x, uint8_t code)
{
    const struct modbus_adu *adu = x->adu;
    struct ot_event *e = &x->event;
    *e = event_of(x->d);
    e->protocol = "modbus"; /* with every framing */
    e->code[0] = e->function = code & MODBUS_FUNCTION_BITS;
    e->name = x->function->name;
    e->operation = x->function->operation;
    e->unit = modbus_unit_text(adu->unit);
    e->transaction = adu->transaction;
    e->has_transaction = adu->has_transaction;
    e->telling = x->pdu;
    e->telling_size = x->pdu_size;
}

static void parse_response(struct exchange *x, uint8_t code, struct reader *r)
{
    bool is_exception = code & MODBUS_EXCEPTION_BIT;
    recall_request(x, code & MODBUS_FUNCTION_BITS, is_exception, *r);
    x->event.status.result = OT_RESULT_OK;
    if (is_exception)
        exception(x, r);
    else
        parsers[x->function->layout].response(x, r);
}

static void parse_request(struct exchange *x, uint8_t code, struct reader *r)
{
    if (x->adu->is_serial && x->adu->unit == 0)
        x->event.flags |= OT_BROADCAST;
    if (code & MODBUS_EXCEPTION_BIT) { /* refuses nothing; told by check_direction */
        exception(x, r);
        return;
    }
    if (x->function->layout == LAYOUT_UNDEFINED)
        breaks(x, VIOLATION_FUNCTION, "function code is not defined");
    x->asked.function = code;
    parsers[x->function->layout].request(x, r);
    remember_request(x);
}

void modbus_pdu_dissect(struct dissect *d, const struct modbus_adu *adu, struct reader pdu)
{
    struct reader r = pdu;
    uint8_t code = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "no function code", NULL, 0);
        return;
    }
    bool is_response = is_response_of(d, pdu);
    struct exchange x;
    x.d = d;
    x.adu = adu;
    x.function = modbus_function_of(code);
    x.is_matched = false;
    x.pdu = pdu.at;
    x.pdu_size = reader_left(&pdu);
    memset(&x.asked, 0, offsetof(struct asked, records));
    describe(&x, code);
    x.event.direction = is_response ? OT_RESPONSE : OT_REQUEST;
    check_direction(&x, pdu, is_response);
    if (is_response)
        parse_response(&x, code, &r);
    else
        parse_request(&x, code, &r);
    if (!reader_ok(&r))
        breaks(&x, VIOLATION_TRUNCATED, "PDU ends before its fields do");
    else if (!is_padding(r, is_response))
        breaks(&x, VIOLATION_TRAILING, "bytes after the end of the PDU");
    emit_event(d, &x.event);
    if (code == MODBUS_UMAS)
        hand_to_umas(d, adu, pdu, is_response);
}
