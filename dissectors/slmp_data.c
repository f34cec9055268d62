/* slmp_data.c: what MC protocol requests touch and responses tell.
 *
 * Spec: [MC] SH-080008, [SLMP] SH-080956
 *
 *   device, binary  | number 3 | code 1 |, long form | number 4 | code 2 |, frames 1E | number 4 |
 *                   letters 2 |
 *   device, ASCII   | letters 2 | number 6 |, long form | 4 | 8 |, frames 1E | letters in hex 4 |
 *                   number 8 | */
#include "slmp_message.h"

enum {
    SUB_BIT = 0x0001,
    SUB_LONG = 0x0002,
    SUB_EXTENDED = 0x0080,
    POINTS_OF_WORD = 16,
    POINTS_1E_MAX = 256, /* said as 0 */
};

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint32_t slmp_number(const struct slmp_message *m, struct reader *r, size_t size)
{
    const uint8_t *at = reader_bytes(r, m->is_ascii ? 2 * size : size);
    uint32_t value = 0;
    for (size_t i = 0; at && m->is_ascii && i < 2 * size; i++)
        value = value << 4 | (uint32_t)(hex_digit(at[i]) & 15);
    for (size_t i = 0; at && !m->is_ascii && i < size; i++)
        value |= (uint32_t)at[i] << 8 * i;
    return value;
}

void slmp_complain(struct slmp_message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

/* --- spans and their values --- */

static struct ot_item item_of(const struct slmp_message *m, const struct slmp_span *s)
{
    const struct slmp_device *device = slmp_device_of(s->device);
    bool is_words_of_bits = device && device->is_bit && s->size;
    uint64_t points = (uint64_t)s->count * (is_words_of_bits ? POINTS_OF_WORD * s->size / 2u
                                            : s->size == 4   ? 2u
                                                             : 1u);
    struct ot_item item = {
        .area = device ? device->name : "device",
        .number = s->device,
        .has_number = !device,
        .has_start = true,
        .start = s->start,
        .count = (uint32_t)points,
        .type = s->size == 0   ? "bit"
                : s->size == 2 ? "word"
                               : "dword",
        .low = s->start,
        .high = s->start + points - (points > 0),
        .has_range = points > 0,
    };
    if (device && device->is_output && m->event.operation == OP_WRITE)
        item.operation = OP_CONTROL;
    return item;
}

/* Y and DY are outputs: who writes them operates something. */
static void note_outputs(struct slmp_message *m)
{
    for (uint16_t i = 0; m->event.operation == OP_WRITE && i < m->asked.span_count; i++) {
        const struct slmp_device *device = slmp_device_of(m->asked.spans[i].device);
        if (device && device->is_output)
            m->event.operation = OP_CONTROL;
    }
}

void slmp_put_items(struct slmp_message *m)
{
    uint32_t count = m->asked.span_count;
    m->items = dissect_items(m->d, &count);
    for (uint32_t i = 0; i < count; i++)
        m->items[i] = item_of(m, &m->asked.spans[i]);
    note_outputs(m);
    m->event.items = m->items;
    m->event.item_count = count;
    m->event.items_total = m->asked.spans_total;
}

/* Bytes of a span's values on the wire. */
static size_t wire_size(const struct slmp_message *m, const struct slmp_span *s)
{
    if (s->size == 0)
        return m->is_ascii ? s->count : (s->count + 1u) / 2;
    return (size_t)s->count * s->size * (m->is_ascii ? 2 : 1);
}

/* Points of four bits each, the first in the high half; of ASCII a digit each. */
static void put_bits(struct slmp_message *m, struct ot_item *item, uint16_t count,
                     const uint8_t *at)
{
    size_t size = (count + 7u) / 8;
    uint8_t *bits = arena_take(m->d->arena, size);
    if (!bits)
        return;
    for (uint16_t i = 0; i < count; i++) {
        bool is_on = m->is_ascii ? at[i] == '1' : (at[i / 2] >> (i & 1 ? 0 : 4) & 1) != 0;
        bits[i / 8] |= (uint8_t)(is_on << (i & 7));
    }
    item->values = (struct ot_values){VALUES_BITS, count, bits, size};
}

/* Cuts the values of a span out of the data; ASCII words are turned into bytes. */
static void put_values(struct slmp_message *m, uint32_t i, struct reader *r)
{
    const struct slmp_span *s = &m->asked.spans[i];
    const uint8_t *at = reader_bytes(r, wire_size(m, s));
    if (!at || s->count == 0 || i >= m->event.item_count)
        return;
    struct ot_item *item = &m->items[i];
    if (s->size == 0) {
        put_bits(m, item, s->count, at);
        return;
    }
    size_t size = (size_t)s->count * s->size;
    enum ot_encoding encoding = s->size == 2 ? VALUES_U16LE : VALUES_U32LE;
    if (m->is_ascii) {
        struct reader digits = reader_of(at, size * 2);
        uint8_t *bytes = arena_take(m->d->arena, size);
        for (size_t k = 0; bytes && k < size; k += s->size) {
            uint32_t value = slmp_number(m, &digits, s->size);
            for (size_t b = 0; b < s->size; b++)
                bytes[k + b] = (uint8_t)(value >> 8 * b);
        }
        at = bytes;
    }
    if (at)
        item->values = (struct ot_values){encoding, s->count, at, size};
}

static struct slmp_span *add_span(struct slmp_message *m, struct slmp_span span)
{
    struct slmp_asked *a = &m->asked;
    a->spans_total++;
    if (a->span_count == SLMP_ITEMS_MAX)
        return NULL;
    a->spans[a->span_count] = span;
    return &a->spans[a->span_count++];
}

static uint32_t decimal_or_hex(struct reader *r, size_t digits, bool is_hex)
{
    const uint8_t *at = reader_bytes(r, digits);
    uint32_t value = 0;
    for (size_t i = 0; at && i < digits; i++)
        value = value * (is_hex ? 16 : 10) + (uint32_t)(hex_digit(at[i]) & 15);
    return value;
}

/* Numbered in hex: [SLMP] 5.2 */
static bool is_numbered_in_hex(const struct slmp_device *device)
{
    static const char *const names[] = {"X", "Y", "B", "W", "SB", "SW", "DX", "DY"};
    for (size_t i = 0; device && i < sizeof names / sizeof *names; i++)
        if (strcmp(device->name, names[i]) == 0)
            return true;
    return false;
}

static struct slmp_span read_device(struct slmp_message *m, struct reader *r)
{
    bool is_long = m->asked.subcommand & SUB_LONG;
    struct slmp_span s = {.count = 1, .size = 2};
    if (!m->is_ascii) {
        s.start = slmp_number(m, r, is_long ? 4 : 3);
        s.device = (uint8_t)slmp_number(m, r, is_long ? 2 : 1);
        return s;
    }
    const uint8_t *letters = reader_bytes(r, is_long ? 4 : 2);
    const struct slmp_device *device =
        letters ? slmp_device_named((char)letters[0], (char)letters[1]) : NULL;
    s.start = decimal_or_hex(r, is_long ? 8 : 6, is_numbered_in_hex(device));
    s.device = device ? device->code : 0;
    return s;
}

/* --- commands of frames 3E and 4E --- */

static void check_known(struct slmp_message *m)
{
    for (uint16_t i = 0; i < m->asked.span_count; i++)
        if (!slmp_device_of(m->asked.spans[i].device)) {
            slmp_complain(m, VIOLATION_RANGE, "no such device code");
            return;
        }
}

/* | device | points 2 | data of a write | */
static void batch_request(struct slmp_message *m, struct reader *r)
{
    enum { WORDS_MAX = 960, BITS_MAX = 7168 }; /* [SLMP] 5.2: the greatest of all modules */
    struct slmp_span s = read_device(m, r);
    s.count = (uint16_t)slmp_number(m, r, 2);
    s.size = m->asked.subcommand & SUB_BIT ? 0 : 2;
    if (!reader_ok(r))
        return;
    add_span(m, s);
    slmp_put_items(m);
    if (s.count == 0 || s.count > (s.size ? WORDS_MAX : BITS_MAX))
        slmp_complain(m, VIOLATION_RANGE, "number of points out of range");
    if (m->asked.command == SLMP_WRITE) {
        if (reader_left(r) != wire_size(m, &s))
            slmp_complain(m, VIOLATION_COUNT, "data is not as long as the points need");
        put_values(m, 0, r);
    }
}

static void values_of_all(struct slmp_message *m, struct reader *r)
{
    slmp_put_items(m);
    for (uint32_t i = 0; i < m->asked.span_count && reader_ok(r); i++)
        put_values(m, i, r);
}

static void read_response(struct slmp_message *m, struct reader *r)
{
    size_t wanted = 0;
    for (uint16_t i = 0; i < m->asked.span_count; i++)
        wanted += wire_size(m, &m->asked.spans[i]);
    bool is_all = m->asked.span_count == m->asked.spans_total;
    bool is_padded = m->asked.is_1e && m->is_ascii && reader_left(r) == wanted + wanted % 2;
    if (is_all && reader_left(r) != wanted && !is_padded)
        slmp_complain(m, VIOLATION_COUNT, "data is not as long as the points need");
    if (reader_left(r) >= wanted)
        values_of_all(m, r);
    else
        slmp_put_items(m);
    reader_skip(r, reader_left(r));
}

/* | words 1 | double words 1 | devices, of a write each followed by its value | */
static void random_request(struct slmp_message *m, struct reader *r)
{
    bool is_write = m->asked.command == SLMP_WRITE_RANDOM;
    bool is_bits = is_write && (m->asked.subcommand & SUB_BIT);
    uint32_t words = slmp_number(m, r, 1);
    uint32_t doubles = is_bits ? 0 : slmp_number(m, r, 1);
    struct reader values[SLMP_ITEMS_MAX];
    for (uint32_t i = 0; i < words + doubles && reader_ok(r); i++) {
        struct slmp_span s = read_device(m, r);
        s.size = is_bits ? 0 : i < words ? 2 : 4;
        size_t size = is_bits && !(m->asked.subcommand & SUB_LONG) ? 1 : is_bits ? 2 : s.size;
        struct reader value = reader_take(r, is_write ? size * (m->is_ascii ? 2 : 1) : 0);
        if (reader_ok(r) && add_span(m, s))
            values[m->asked.span_count - 1] = value;
    }
    slmp_put_items(m);
    for (uint32_t i = 0; is_write && i < m->event.item_count; i++) {
        if (m->asked.spans[i].size) {
            put_values(m, i, &values[i]);
            continue;
        }
        uint8_t *bit = arena_take(m->d->arena, 1);
        if (bit) {
            *bit = slmp_number(m, &values[i], 1) & 1;
            m->items[i].values = (struct ot_values){VALUES_BITS, 1, bit, 1};
        }
    }
}

/* | word blocks 1 | bit blocks 1 | each: device, points 2, data of a write | */
static void block_request(struct slmp_message *m, struct reader *r)
{
    uint32_t blocks = slmp_number(m, r, 1);
    blocks += slmp_number(m, r, 1);
    struct reader values[SLMP_ITEMS_MAX];
    bool is_write = m->asked.command == SLMP_WRITE_BLOCK;
    for (uint32_t i = 0; i < blocks && reader_ok(r); i++) {
        struct slmp_span s = read_device(m, r);
        s.count = (uint16_t)slmp_number(m, r, 2);
        struct reader value = reader_take(r, is_write ? wire_size(m, &s) : 0);
        if (reader_ok(r) && add_span(m, s))
            values[m->asked.span_count - 1] = value;
    }
    slmp_put_items(m);
    for (uint32_t i = 0; is_write && i < m->event.item_count; i++)
        put_values(m, i, &values[i]);
}

static void put_one(struct slmp_message *m, struct ot_item item)
{
    m->one = item;
    m->event.items = &m->one;
    m->event.item_count = m->event.items_total = 1;
}

/* | address 4 | bytes or words 2 | of a unit: its number 2 | data of a write | */
static void memory_request(struct slmp_message *m, struct reader *r)
{
    bool is_unit = m->asked.command == SLMP_UNIT_READ || m->asked.command == SLMP_UNIT_WRITE;
    uint32_t start = slmp_number(m, r, 4);
    uint32_t count = slmp_number(m, r, 2);
    uint32_t unit = is_unit ? slmp_number(m, r, 2) : 0;
    if (!reader_ok(r))
        return;
    put_one(m, (struct ot_item){
                   .area = is_unit ? "unit_memory" : "memory",
                   .number = unit,
                   .has_number = is_unit,
                   .has_start = true,
                   .start = start,
                   .count = count,
                   .type = is_unit ? "byte" : "word",
                   .low = start,
                   .high = (uint64_t)start + count - (count > 0),
                   .has_range = count > 0,
               });
    if (reader_left(r))
        m->one.values = (struct ot_values){VALUES_BYTES, 1, r->at, reader_left(r)};
    reader_skip(r, reader_left(r));
}

/* | mode 2 | clear 1 | 0, 1 | */
static void mode_request(struct slmp_message *m, struct reader *r)
{
    uint32_t mode = slmp_number(m, r, 2);
    if (reader_ok(r))
        m->event.detail = mode == 3 ? TEXT("force") : TEXT("no force");
    if (m->asked.command == SLMP_RUN && reader_left(r)) {
        uint32_t clear = slmp_number(m, r, 1);
        if (reader_ok(r) && clear == 2)
            m->event.detail = TEXT("clear all devices");
        else if (reader_ok(r) && clear == 1)
            m->event.detail = TEXT("clear devices");
    }
    reader_skip(r, reader_left(r));
}

/* | size 2 | password | */
static void password_request(struct slmp_message *m, struct reader *r)
{
    size_t size = slmp_number(m, r, 2);
    m->event.secret = reader_bytes(r, size);
    m->event.secret_size = m->event.secret ? size : 0;
    if (m->event.secret_size)
        m->event.flags |= OT_HAS_CREDENTIAL;
    else
        m->event.secret = NULL;
}

static void put_file(struct slmp_message *m)
{
    put_one(m, (struct ot_item){.area = "file", .number = m->asked.file, .has_number = true});
}

static void put_block(struct slmp_message *m, struct reader bytes)
{
    put_file(m);
    m->event.transfer = (struct ot_transfer){
        .step = TRANSFER_BLOCK,
        .operation = m->event.operation,
        .key = m->asked.file,
        .bytes = bytes.at,
        .size = reader_left(&bytes),
    };
}

/* | file 2 | offset 4 | bytes 2 | data of a write | */
static void file_request(struct slmp_message *m, struct reader *r)
{
    m->asked.file = slmp_number(m, r, 2);
    if (!reader_ok(r))
        return;
    put_file(m);
    if (m->asked.command == SLMP_FILE_CLOSE) {
        reader_skip(r, reader_left(r));
        return;
    }
    (void)slmp_number(m, r, 4);
    size_t size = slmp_number(m, r, 2);
    if (m->asked.command != SLMP_FILE_WRITE || !reader_ok(r))
        return;
    put_block(m, *r);
    if (reader_left(r) != size)
        slmp_complain(m, VIOLATION_COUNT, "data is not as long as the file block says");
    reader_skip(r, reader_left(r));
}

/* | bytes 2 | data | */
static void file_read_response(struct slmp_message *m, struct reader *r)
{
    (void)slmp_number(m, r, 2);
    if (reader_ok(r))
        put_block(m, *r);
    reader_skip(r, reader_left(r));
}

/* | model 16 | type code 2 | */
static void type_name_response(struct slmp_message *m, struct reader *r)
{
    enum { MODEL_SIZE = 16 };
    const uint8_t *at = reader_bytes(r, MODEL_SIZE);
    reader_skip(r, reader_left(r));
    struct text model = {(const char *)at, at ? MODEL_SIZE : 0};
    while (model.size && (model.at[model.size - 1] == ' ' || model.at[model.size - 1] == 0))
        model.size--;
    for (size_t i = 0; i < model.size; i++)
        if (model.at[i] < 0x20 || model.at[i] > 0x7e)
            return;
    if (model.size == 0)
        return;
    m->facts[0] = (struct ot_fact){.kind = FACT_VENDOR, .value = TEXT("Mitsubishi Electric")};
    m->facts[1] = (struct ot_fact){.kind = FACT_PRODUCT, .value = model};
    m->event.facts = m->facts;
    m->event.fact_count = 2;
}

static const struct parser {
    enum slmp_code code;
    void (*request)(struct slmp_message *m, struct reader *r);
    void (*response)(struct slmp_message *m, struct reader *r);
} parsers[] = {
    {SLMP_READ,            batch_request,    read_response     },
    {SLMP_WRITE,           batch_request,    NULL              },
    {SLMP_READ_RANDOM,     random_request,   read_response     },
    {SLMP_WRITE_RANDOM,    random_request,   NULL              },
    {SLMP_READ_BLOCK,      block_request,    read_response     },
    {SLMP_WRITE_BLOCK,     block_request,    NULL              },
    {SLMP_MONITOR_ENTRY,   random_request,   NULL              },
    {SLMP_UNIT_READ,       memory_request,   NULL              },
    {SLMP_UNIT_WRITE,      memory_request,   NULL              },
    {SLMP_MEMORY_READ,     memory_request,   NULL              },
    {SLMP_MEMORY_WRITE,    memory_request,   NULL              },
    {SLMP_TYPE_NAME,       NULL,             type_name_response},
    {SLMP_RUN,             mode_request,     NULL              },
    {SLMP_PAUSE,           mode_request,     NULL              },
    {SLMP_PASSWORD_UNLOCK, password_request, NULL              },
    {SLMP_PASSWORD_LOCK,   password_request, NULL              },
    {SLMP_FILE_READ,       file_request,     file_read_response},
    {SLMP_FILE_WRITE,      file_request,     NULL              },
    {SLMP_FILE_CLOSE,      file_request,     NULL              },
};

static const struct parser *parser_of(uint16_t code)
{
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        if ((uint16_t)parsers[i].code == code)
            return &parsers[i];
    return NULL;
}

void slmp_request_data(struct slmp_message *m, struct reader *r)
{
    const struct parser *p = parser_of(m->asked.command);
    if (!p || !p->request || (m->asked.subcommand & SUB_EXTENDED))
        return; /* extended devices name modules and index registers: not told */
    p->request(m, r);
    check_known(m);
    if (!reader_ok(r))
        slmp_complain(m, VIOLATION_TRUNCATED, "request ends before its fields do");
}

void slmp_response_data(struct slmp_message *m, struct reader *r)
{
    const struct parser *p = parser_of(m->asked.command);
    if (p && p->response && !(m->asked.subcommand & SUB_EXTENDED))
        p->response(m, r);
    else
        slmp_put_items(m);
}

/* --- frames 1E --- */

static struct slmp_span read_device_1e(struct slmp_message *m, struct reader *r)
{
    struct slmp_span s = {.count = 1};
    uint32_t letters = m->is_ascii ? slmp_number(m, r, 2) : 0;
    s.start = slmp_number(m, r, 4);
    if (!m->is_ascii)
        letters = slmp_number(m, r, 2);
    const struct slmp_device *device =
        slmp_device_named((char)(letters >> 8 & 0x7f), (char)(letters & 0x7f));
    s.device = device ? device->code : 0;
    if (!device && reader_ok(r))
        slmp_complain(m, VIOLATION_RANGE, "no such device code");
    return s;
}

/* | device 6 | points 1, 0: 256 | 0, 1 | data of a write |; of random access | points 1 | 0, 1 |
 * each: device 6, value of a write | */
void slmp_1e_request_data(struct slmp_message *m, struct reader *r)
{
    enum { WRITE_BITS = 2, WRITE_WORDS = 3, RANDOM_BITS = 4, MONITOR_WORDS = 7 };
    uint16_t code = m->asked.command;
    uint8_t size = code & 1 ? 2 : 0;
    if (code <= WRITE_WORDS) {
        struct slmp_span s = read_device_1e(m, r);
        uint32_t points = slmp_number(m, r, 1);
        reader_skip(r, m->is_ascii ? 2 : 1);
        s.count = points ? (uint16_t)points : POINTS_1E_MAX;
        s.size = size;
        if (reader_ok(r))
            add_span(m, s);
        slmp_put_items(m);
        if (code >= WRITE_BITS && m->asked.span_count) {
            put_values(m, 0, r);
        }
    } else if (code <= MONITOR_WORDS) {
        uint32_t points = slmp_number(m, r, 1);
        reader_skip(r, m->is_ascii ? 2 : 1);
        for (uint32_t i = 0; i < points && reader_ok(r); i++) {
            struct slmp_span s = read_device_1e(m, r);
            s.size = size;
            if (code < RANDOM_BITS + 2)
                reader_skip(r, (size ? 2u : 1u) * (m->is_ascii ? 2 : 1));
            if (reader_ok(r))
                add_span(m, s);
        }
        slmp_put_items(m);
    }
    if (!reader_ok(r))
        slmp_complain(m, VIOLATION_TRUNCATED, "request ends before its fields do");
}

void slmp_1e_response_data(struct slmp_message *m, struct reader *r)
{
    enum { READ_WORDS = 1 };
    if (m->asked.command <= READ_WORDS)
        read_response(m, r);
    else
        slmp_put_items(m);
}
