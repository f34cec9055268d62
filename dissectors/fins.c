/* fins.c: Omron FINS over UDP and over TCP.
 *
 * Spec: [W342] CS/CJ Communications Commands Reference Manual, section 5
 *       [W421] CS/CJ Ethernet Units, Construction of Applications, section 7 (FINS/TCP)
 *
 *   UDP  | ICF 1 | RSV 1 | GCT 1 | DNA DA1 DA2 3 | SNA SA1 SA2 3 | SID 1 | command 2 |
 *        | of a response: end code 2 | data |
 *   TCP  | "FINS" 4 | length 4, from the next field on | command 4 | error 4 | FINS or nodes |
 *
 * all big endian. */
#include "decimal.h"
#include "fins_commands.h"
#include "sensor/base/hash.h"

enum {
    TCP_HEADER = 16,
    TCP_PREFIX = 8,        /* what the length does not count */
    TCP_FIXED = 8,         /* what the length counts besides the frame */
    TCP_LENGTH_MAX = 2064, /* a FINS frame holds at most 2012 bytes of data; PROTOCOLS 15: 2 KiB */
    FINS_HEADER = 12,
    GATEWAYS_MAX = 7,
    ICF_RESPONSE = 0x40,
    ICF_NO_ANSWER = 0x01,
    ICF_FIXED = 0x3e, /* bits that are 0 */
    ICF_USE = 0x80,
    NODE_BROADCAST = 0xff,

    TCP_FRAME = 2,
    TCP_COMMAND_MAX = 6,
    TCP_CODE = 0x10000, /* marks code[0] as one of FINS/TCP */

    ITEMS_MAX = 48, /* kept of one request */
    MODEL_SIZE = 20,
    FILE_NAME_SIZE = 12,
};

#define MAGIC UINT32_C(0x46494e53) /* "FINS" */

struct asked_item {
    uint8_t area, bit;
    uint16_t address, count;
};

/* The item of what is no memory: a parameter area, a program, a file. */
struct asked_one {
    const char *area, *type; /* area: NULL without an item */
    uint32_t number;
    uint16_t start, count;
    bool has_number, has_start;
    uint8_t name_size;
    char name[FILE_NAME_SIZE];
};

/* What is kept of a request. */
struct asked {
    uint16_t item_count, items_total;
    uint8_t operation;
    struct asked_one one;
    struct asked_item items[ITEMS_MAX];
};

_Static_assert(sizeof(struct asked) <= REMEMBER_MAX, "what is kept of a request");

struct message {
    struct dissect *d;
    struct ot_event event;
    struct reader pdu;
    struct asked asked;
    struct ot_item *items;
    struct ot_fact facts[4];
    struct ot_item one; /* item of what is no memory */
    uint16_t code;
    bool is_response, is_matched;
};

static void fins_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] & TCP_CODE)
        text_format(out, OT_CODE_SIZE, "tcp=%u", code[0] & 0xffffu);
    else
        text_format(out, OT_CODE_SIZE, "0x%04x", code[0]);
}

static void complain(struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    while (value.size && (value.at[value.size - 1] == ' ' || value.at[value.size - 1] == 0))
        value.size--;
    for (size_t i = 0; i < value.size; i++)
        if (value.at[i] < 0x20 || value.at[i] > 0x7e)
            return;
    if (value.size == 0 || m->event.fact_count == sizeof m->facts / sizeof *m->facts)
        return;
    m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->facts;
}

static struct text read_text(struct reader *r, size_t size)
{
    const uint8_t *at = reader_bytes(r, size);
    return at ? (struct text){(const char *)at, size} : (struct text){NULL, 0};
}

/* --- memory --- */

static struct ot_item memory_item(const struct asked_item *a)
{
    const struct fins_area *area = fins_area_of(a->area);
    struct ot_item item = {
        .area = area ? area->name : "memory",
        .number = a->area,
        .has_number = !area,
        .has_start = true,
        .start = a->address,
        .bit = a->bit,
        .has_bit = area && area->is_bit,
        .count = a->count,
        .type = area ? area->type : NULL,
    };
    if (a->count && area) {
        item.low = area->is_bit ? (uint64_t)a->address * 16 + a->bit : a->address;
        item.high = item.low + a->count - 1;
        item.has_range = true;
    }
    return item;
}

static void put_values(struct ot_item *item, uint8_t area_code, struct reader bytes)
{
    const struct fins_area *area = fins_area_of(area_code);
    size_t size = reader_left(&bytes);
    if (size == 0)
        return;
    if (!area || area->size > 2 || size != (size_t)area->size * item->count)
        item->values = (struct ot_values){VALUES_BYTES, 1, bytes.at, size};
    else
        item->values = (struct ot_values){area->size == 1 ? VALUES_U8 : VALUES_U16BE, item->count,
                                          bytes.at, size};
}

static void put_items(struct message *m)
{
    uint32_t count = m->asked.item_count;
    m->items = dissect_items(m->d, &count);
    for (uint32_t i = 0; i < count; i++)
        m->items[i] = memory_item(&m->asked.items[i]);
    m->event.items = m->items;
    m->event.item_count = count;
    m->event.items_total = m->asked.items_total;
}

/* An item without values; what the answer to its request is about. */
static void put_one(struct message *m, const struct asked_one *one)
{
    m->asked.one = *one;
    m->one = (struct ot_item){
        .area = one->area,
        .number = one->number,
        .has_number = one->has_number,
        .name = {m->asked.one.name, one->name_size},
        .has_start = one->has_start,
        .start = one->start,
        .count = one->count,
        .type = one->type,
        .low = one->start,
        .high = (uint64_t)one->start + one->count - (one->count > 0),
        .has_range = one->count > 0,
    };
    m->event.items = &m->one;
    m->event.item_count = m->event.items_total = 1;
}

static void check_item(struct message *m, const struct asked_item *a)
{
    const struct fins_area *area = fins_area_of(a->area);
    if (area && area->is_bit && a->bit > 15)
        complain(m, VIOLATION_RANGE, "bit number above 15");
    if (a->count > 0 &&
        (uint32_t)a->address + (area && area->is_bit ? a->count / 16 : a->count) > 0x10000)
        complain(m, VIOLATION_RANGE, "memory range runs past the end of its area");
}

/* | area 1 | address 2 | bit 1 | and, unless it is one of many, | count 2 | */
static struct asked_item *read_item(struct message *m, struct reader *r, bool has_count)
{
    struct asked_item a;
    a.area = reader_u8(r);
    a.address = reader_u16be(r);
    a.bit = reader_u8(r);
    a.count = has_count ? reader_u16be(r) : 1;
    if (!reader_ok(r))
        return NULL;
    check_item(m, &a);
    struct asked *asked = &m->asked;
    asked->items_total++;
    if (asked->item_count == ITEMS_MAX)
        return NULL;
    asked->items[asked->item_count] = a;
    return &asked->items[asked->item_count++];
}

static size_t declared_size(const struct asked_item *a)
{
    const struct fins_area *area = fins_area_of(a->area);
    return area ? (size_t)area->size * a->count : 0;
}

static void check_data(struct message *m, size_t given)
{
    if (fins_area_of(m->asked.items[0].area) && given != declared_size(&m->asked.items[0]))
        complain(m, VIOLATION_COUNT, "data is not as long as the count says");
}

static void memory_request(struct message *m, struct reader *r)
{
    if (!read_item(m, r, true))
        return;
    put_items(m);
    if (m->code == FINS_MEMORY_READ)
        return;
    if (m->code == FINS_MEMORY_WRITE)
        check_data(m, reader_left(r));
    if (m->event.item_count && m->code == FINS_MEMORY_WRITE)
        put_values(&m->items[0], m->asked.items[0].area, *r);
    if (m->event.item_count && m->code == FINS_MEMORY_FILL && reader_left(r) >= 2)
        m->items[0].values = (struct ot_values){VALUES_U16BE, 1, r->at, 2};
    reader_skip(r, reader_left(r));
}

static void memory_response(struct message *m, struct reader *r)
{
    put_items(m);
    if (m->code != FINS_MEMORY_READ || m->asked.item_count == 0)
        return;
    check_data(m, reader_left(r));
    if (m->event.item_count)
        put_values(&m->items[0], m->asked.items[0].area, *r);
    reader_skip(r, reader_left(r));
}

static void multiple_request(struct message *m, struct reader *r)
{
    while (reader_left(r) && reader_ok(r))
        (void)read_item(m, r, false);
    put_items(m);
}

/* One after another: | area 1 | value | */
static void multiple_response(struct message *m, struct reader *r)
{
    put_items(m);
    for (uint32_t i = 0; i < m->asked.item_count && reader_left(r); i++) {
        const struct asked_item *a = &m->asked.items[i];
        if (reader_u8(r) != a->area) {
            complain(m, VIOLATION_COUNT, "answer is about another area than was asked");
            break;
        }
        struct reader value = reader_take(r, declared_size(a));
        if (i < m->event.item_count)
            put_values(&m->items[i], a->area, value);
    }
}

/* | source: area 1, address 2, bit 1 | destination alike | count 2 |; the destination is written */
static void transfer_request(struct message *m, struct reader *r)
{
    struct asked_item *from = read_item(m, r, false);
    struct asked_item *to = from ? read_item(m, r, false) : NULL;
    uint16_t count = reader_u16be(r);
    if (!to || !reader_ok(r))
        return;
    from->count = to->count = count;
    check_item(m, from);
    check_item(m, to);
    put_items(m);
    if (m->event.item_count)
        m->items[0].operation = OP_READ;
}

static void items_response(struct message *m, struct reader *r)
{
    (void)r;
    put_items(m);
}

/* | count 2 | each: what 2 | area 1 | address 2 | bit 1 | [W342] 5-3-36 */
static void force_request(struct message *m, struct reader *r)
{
    uint16_t count = reader_u16be(r);
    uint16_t what = 0;
    for (uint16_t i = 0; i < count && reader_ok(r); i++) {
        what = reader_u16be(r);
        (void)read_item(m, r, false);
    }
    put_items(m);
    if (m->asked.item_count)
        m->event.detail = what == 0x0000   ? TEXT("force off")
                          : what == 0x0001 ? TEXT("force on")
                          : what == 0x8000 ? TEXT("release and off")
                          : what == 0x8001 ? TEXT("release and on")
                          : what == 0xffff ? TEXT("release")
                                           : TEXT("unknown specification");
    if (reader_ok(r) && reader_left(r))
        complain(m, VIOLATION_COUNT, "more forced bits than the count says");
}

/* --- parameters, programs, modes --- */

/* | area 2 | first word 2 | count 2, high bit: last | data | [W342] 5-3-7 */
static void parameter(struct message *m, struct reader *r)
{
    enum { LAST = 0x8000 };
    uint16_t area = reader_u16be(r);
    uint16_t start = reader_u16be(r);
    uint16_t count = reader_u16be(r) & (uint16_t)~LAST;
    if (!reader_ok(r))
        return;
    const char *name = fins_parameter_area(area);
    put_one(m, &(struct asked_one){
                   .area = name ? name : "parameter_area",
                   .number = area,
                   .has_number = !name,
                   .has_start = true,
                   .start = start,
                   .count = count,
                   .type = "word",
               });
    bool has_data = m->code != FINS_PARAMETER_CLEAR && reader_left(r);
    if (has_data && reader_left(r) == (size_t)count * 2)
        m->one.values = (struct ot_values){VALUES_U16BE, count, r->at, reader_left(r)};
    else if (has_data)
        m->one.values = (struct ot_values){VALUES_BYTES, 1, r->at, reader_left(r)};
    if (has_data && reader_left(r) != (size_t)count * 2)
        complain(m, VIOLATION_COUNT, "data is not as long as the count says");
    reader_skip(r, reader_left(r));
}

static void put_program(struct message *m, uint16_t program)
{
    put_one(m, &(struct asked_one){.area = "program", .number = program, .has_number = true});
}

/* | program 2 | protect 1 | first word 4 | last word 4 | password 4 | [W342] 5-3-10 */
static void protect_request(struct message *m, struct reader *r)
{
    enum { PASSWORD_SIZE = 4 };
    uint16_t program = reader_u16be(r);
    reader_skip(r, 9);
    const uint8_t *password = reader_bytes(r, PASSWORD_SIZE);
    if (!password)
        return;
    put_program(m, program);
    m->event.secret = password;
    m->event.secret_size = PASSWORD_SIZE;
    m->event.flags |= OT_HAS_CREDENTIAL;
}

/* | program 2 | first byte 4 | size 2, high bit: last | data of a write, or of the answer to a read
 * | [W342] 5-3-12 */
static void program(struct message *m, struct reader *r)
{
    enum { LAST = 0x8000 };
    uint16_t number = reader_u16be(r);
    uint32_t word = reader_u32be(r);
    uint16_t size = reader_u16be(r);
    if (!reader_ok(r))
        return;
    put_program(m, number);
    bool has_data = m->code == FINS_PROGRAM_WRITE ? !m->is_response : m->is_response;
    m->event.transfer = (struct ot_transfer){
        .step = word == 0 && !has_data ? TRANSFER_BEGIN : TRANSFER_BLOCK,
        .operation = m->event.operation,
        .key = number,
    };
    if (!has_data)
        return;
    struct reader data = reader_take(r, reader_left(r));
    if (size & LAST)
        m->event.transfer.step = TRANSFER_END;
    m->event.transfer.bytes = data.at;
    m->event.transfer.size = reader_left(&data);
    size &= (uint16_t)~LAST;
    if (size != reader_left(&data))
        complain(m, VIOLATION_COUNT, "data is not as long as the count says");
}

static void program_write_response(struct message *m, struct reader *r)
{
    uint16_t number = reader_u16be(r);
    if (reader_ok(r))
        put_program(m, number);
    reader_skip(r, reader_left(r));
}

static void program_number_request(struct message *m, struct reader *r)
{
    uint16_t number = reader_u16be(r);
    if (reader_ok(r))
        put_program(m, number);
    reader_skip(r, reader_left(r));
}

/* | program 2 | mode 1 |, both may be left out: monitor mode; [W342] 5-3-15 */
static void run_request(struct message *m, struct reader *r)
{
    enum { MODE_MONITOR = 2, MODE_RUN = 4 };
    if (reader_left(r) < 3) {
        m->event.detail = TEXT("monitor mode");
        return;
    }
    reader_skip(r, 2);
    uint8_t mode = reader_u8(r);
    m->event.detail = mode == MODE_RUN       ? TEXT("run mode")
                      : mode == MODE_MONITOR ? TEXT("monitor mode")
                                             : TEXT("unknown mode");
    if (mode != MODE_RUN && mode != MODE_MONITOR)
        m->event.operation = OP_MODE_CHANGE;
}

/* --- identity and state --- */

/* | model 20 | version 20 | system 40 | area data 12 | ... | [W342] 5-3-17 */
static void controller_data_response(struct message *m, struct reader *r)
{
    struct text model = read_text(r, MODEL_SIZE);
    struct text version = read_text(r, MODEL_SIZE);
    if (!reader_ok(r))
        return;
    add_fact(m, FACT_VENDOR, TEXT("Omron")); /* FINS is spoken by no other */
    add_fact(m, FACT_PRODUCT, model);
    add_fact(m, FACT_FIRMWARE, version);
}

/* | count 1, high bit: last | each: unit 1, model 20 | [W342] 5-3-18 */
static void connection_data_response(struct message *m, struct reader *r)
{
    uint8_t count = reader_u8(r) & 0x7f;
    for (uint8_t i = 0; i < count && reader_left(r) > MODEL_SIZE; i++) {
        reader_skip(r, 1);
        add_fact(m, FACT_MODULE_NAME, read_text(r, MODEL_SIZE));
    }
}

/* | status 1 | mode 1 | fatal 2 | non-fatal 2 | message 2 | error code 2 | text 16 | */
static void status_response(struct message *m, struct reader *r)
{
    uint8_t status = reader_u8(r);
    uint8_t mode = reader_u8(r);
    if (!reader_ok(r))
        return;
    m->event.detail = status == 0x80      ? TEXT("standby")
                      : (status & 1) == 0 ? TEXT("stopped")
                                          : TEXT("running");
    if (mode == 0)
        add_fact(m, FACT_MODE, TEXT("program"));
    else if (mode == 2)
        add_fact(m, FACT_MODE, TEXT("monitor"));
    else if (mode == 4)
        add_fact(m, FACT_MODE, TEXT("run"));
}

static void name_set_request(struct message *m, struct reader *r)
{
    add_fact(m, FACT_NAME, read_text(r, reader_left(r)));
    if (m->event.fact_count)
        m->facts[0].is_about_receiver = true;
}

static void name_read_response(struct message *m, struct reader *r)
{
    add_fact(m, FACT_NAME, read_text(r, reader_left(r)));
}

/* --- files --- */

static void put_file(struct message *m, struct text name)
{
    while (name.size && (name.at[name.size - 1] == ' ' || name.at[name.size - 1] == 0))
        name.size--;
    struct asked_one one = {.area = "file", .name_size = (uint8_t)name.size};
    if (name.size)
        memcpy(one.name, name.at, name.size);
    put_one(m, &one);
}

/* | disk 2 | name 12 | position 4 | size 2 | of a write: parameter 2 before the name, data behind |
 */
static void file_request(struct message *m, struct reader *r)
{
    reader_skip(r, m->code == FINS_FILE_READ ? 2 : 4);
    struct text name = read_text(r, FILE_NAME_SIZE);
    if (!reader_ok(r))
        return;
    put_file(m, name);
    if (m->code == FINS_FILE_DELETE)
        return;
    uint32_t position = reader_u32be(r);
    uint16_t size = reader_u16be(r);
    if (!reader_ok(r))
        return;
    m->event.transfer = (struct ot_transfer){
        .step = position == 0 ? TRANSFER_BEGIN : TRANSFER_BLOCK,
        .operation = m->event.operation,
        .key = hash_bytes(m->one.name.at, m->one.name.size),
        .name = m->one.name,
    };
    if (m->code == FINS_FILE_READ)
        return;
    m->event.transfer.bytes = r->at;
    m->event.transfer.size = reader_left(r);
    if (size != reader_left(r))
        complain(m, VIOLATION_COUNT, "data is not as long as the count says");
    reader_skip(r, reader_left(r));
}

/* | capacity 4 | position 4 | size 2 | data | [W342] 5-3-28 */
static void file_read_response(struct message *m, struct reader *r)
{
    uint32_t capacity = reader_u32be(r);
    uint32_t position = reader_u32be(r);
    uint16_t size = reader_u16be(r);
    struct reader data = reader_take(r, reader_left(r));
    if (!reader_ok(r) || !m->is_matched)
        return;
    m->event.transfer = (struct ot_transfer){
        .step = (uint64_t)position + size >= capacity ? TRANSFER_END : TRANSFER_BLOCK,
        .operation = m->event.operation,
        .key = hash_bytes(m->asked.one.name, m->asked.one.name_size),
        .name = {m->asked.one.name, m->asked.one.name_size},
        .declared_size = capacity,
        .bytes = data.at,
        .size = reader_left(&data),
    };
    if (size != reader_left(&data))
        complain(m, VIOLATION_COUNT, "data is not as long as the count says");
}

/* | direction 2: 0 memory to file, 1 file to memory, 2 compare | what 4 | words 2 | disk 2 | name
 * 12
 * |, of a program: what is its number 2 and first word 4, words 4 */
static void file_transfer_request(struct message *m, struct reader *r)
{
    bool is_program = m->code == FINS_PROGRAM_FILE_TRANSFER;
    uint16_t direction = reader_u16be(r);
    reader_skip(r, is_program ? 12 : 8); /* what, words and disk */
    struct text name = read_text(r, FILE_NAME_SIZE);
    m->event.detail = direction == 0   ? TEXT("memory to file")
                      : direction == 1 ? TEXT("file to memory")
                                       : TEXT("compare");
    if (direction == 2)
        m->event.operation = OP_FILE_READ;
    else if (direction == 0 && is_program)
        m->event.operation = OP_PROGRAM_UPLOAD;
    else if (direction == 0)
        m->event.operation = OP_FILE_WRITE;
    if (reader_ok(r))
        put_file(m, name);
}

static const struct parser {
    enum fins_code code;
    void (*request)(struct message *m, struct reader *r);
    void (*response)(struct message *m, struct reader *r); /* of ok */
} parsers[] = {
    {FINS_MEMORY_READ,             memory_request,         memory_response         },
    {FINS_MEMORY_WRITE,            memory_request,         memory_response         },
    {FINS_MEMORY_FILL,             memory_request,         memory_response         },
    {FINS_MEMORY_READ_MULTIPLE,    multiple_request,       multiple_response       },
    {FINS_MEMORY_TRANSFER,         transfer_request,       items_response          },
    {FINS_PARAMETER_READ,          parameter,              parameter               },
    {FINS_PARAMETER_WRITE,         parameter,              NULL                    },
    {FINS_PARAMETER_CLEAR,         parameter,              NULL                    },
    {FINS_PROTECT,                 protect_request,        NULL                    },
    {FINS_PROTECT_CLEAR,           protect_request,        NULL                    },
    {FINS_PROGRAM_READ,            program,                program                 },
    {FINS_PROGRAM_WRITE,           program,                program_write_response  },
    {FINS_PROGRAM_CLEAR,           program_number_request, NULL                    },
    {FINS_RUN,                     run_request,            NULL                    },
    {FINS_CONTROLLER_DATA,         NULL,                   controller_data_response},
    {FINS_CONNECTION_DATA,         NULL,                   connection_data_response},
    {FINS_CONTROLLER_STATUS,       NULL,                   status_response         },
    {FINS_FILE_READ,               file_request,           file_read_response      },
    {FINS_FILE_WRITE,              file_request,           NULL                    },
    {FINS_FILE_DELETE,             file_request,           NULL                    },
    {FINS_MEMORY_FILE_TRANSFER,    file_transfer_request,  NULL                    },
    {FINS_PARAMETER_FILE_TRANSFER, file_transfer_request,  NULL                    },
    {FINS_PROGRAM_FILE_TRANSFER,   file_transfer_request,  NULL                    },
    {FINS_FORCE,                   force_request,          items_response          },
    {FINS_NAME_SET,                name_set_request,       NULL                    },
    {FINS_NAME_READ,               NULL,                   name_read_response      },
};

static void parse(struct message *m, struct reader *r)
{
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        if ((uint16_t)parsers[i].code != m->code)
            continue;
        if (m->is_response && parsers[i].response)
            parsers[i].response(m, r);
        if (!m->is_response && parsers[i].request)
            parsers[i].request(m, r);
        return;
    }
}

/* --- one FINS frame --- */

static bool is_fins_header(struct reader r)
{
    uint8_t icf = reader_u8(&r);
    uint8_t rsv = reader_u8(&r);
    uint8_t gateways = reader_u8(&r);
    reader_skip(&r, 7);
    uint16_t code = reader_u16be(&r);
    return reader_ok(&r) && (icf & (ICF_USE | ICF_FIXED)) == ICF_USE && rsv == 0 &&
           gateways <= GATEWAYS_MAX && fins_command_of(code) != NULL;
}

static uint64_t key_of(uint8_t sid, uint16_t code)
{
    return (uint64_t)sid << 16 | code;
}

static void fins_answer(struct message *m, uint64_t key, struct reader *r)
{
    /* bit 15: a relay failed; bits 7 and 6: the unit has errors; [W342] 5-1-3 */
    uint16_t code = reader_u16be(r) & 0x7f3f;
    size_t size;
    const void *kept = dissect_recall(m->d, key, &size);
    if (kept) {
        memcpy(&m->asked, kept, size);
        m->is_matched = true;
        m->event.operation = (enum operation)m->asked.operation; /* its parameters decide */
        if (m->asked.one.area) {
            struct asked_one one = m->asked.one;
            put_one(m, &one);
        }
    } else {
        m->event.flags |= OT_NO_REQUEST;
    }
    if (!reader_ok(r))
        return;
    m->event.status =
        (struct ot_status){code ? OT_RESULT_ERROR : OT_RESULT_OK, code, fins_end_code(code)};
    if (code == 0)
        parse(m, r);
    else if (m->asked.items_total)
        put_items(m);
    reader_skip(r, reader_left(r));
}

static void fins_ask(struct message *m, uint64_t key, uint8_t icf, struct reader *r)
{
    parse(m, r);
    m->asked.operation = (uint8_t)m->event.operation;
    if (icf & ICF_NO_ANSWER)
        return;
    size_t size = offsetof(struct asked, items) + m->asked.item_count * sizeof(struct asked_item);
    memcpy(dissect_remember(m->d, key, size, NULL), &m->asked, size);
}

static void check_header(struct message *m, uint8_t icf, uint8_t rsv, uint8_t gateways)
{
    if ((icf & ICF_FIXED) || rsv)
        complain(m, VIOLATION_RESERVED, "reserved bits of the FINS header are set");
    if (gateways == 0 || gateways > GATEWAYS_MAX)
        complain(m, VIOLATION_RANGE, "gateway count out of range");
}

/* | network | node | unit | */
static struct text unit_of(struct dissect *d, const uint8_t *address)
{
    enum { PARTS = 3, UNIT_MAX = PARTS * 4 };
    char *text = arena_take_unset(d->arena, UNIT_MAX);
    size_t size = 0;
    for (int i = 0; text && i < PARTS; i++) {
        if (i)
            text[size++] = '.';
        size += decimal_put(text + size, address[i]);
    }
    return (struct text){text, size};
}

static void fins_frame_dissect(struct dissect *d, struct reader r)
{
    struct message m;
    m.d = d;
    m.pdu = r;
    m.is_matched = false;
    m.asked.item_count = m.asked.items_total = 0;
    m.asked.one.area = NULL;
    uint8_t icf = reader_u8(&r);
    uint8_t rsv = reader_u8(&r);
    uint8_t gateways = reader_u8(&r);
    const uint8_t *to = reader_bytes(&r, 3);
    const uint8_t *from = reader_bytes(&r, 3);
    uint8_t sid = reader_u8(&r);
    m.code = reader_u16be(&r);
    if (!reader_ok(&r)) {
        complain(&m, VIOLATION_TRUNCATED, "FINS header is cut off");
        return;
    }
    m.is_response = icf & ICF_RESPONSE;
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, !m.is_response);
    const struct fins_command *command = fins_command_of(m.code);
    event_start(&m.event, d);
    m.event.direction = m.is_response ? OT_RESPONSE : OT_REQUEST;
    m.event.spell = fins_spell;
    m.event.code[0] = m.event.function = m.code;
    m.event.operation = command ? command->operation : OP_UNKNOWN;
    m.event.name = command ? command->name : NULL;
    m.event.transaction = sid;
    m.event.has_transaction = true;
    const uint8_t *unit = m.is_response ? from : to;
    m.event.unit = unit_of(d, unit);
    if (to[1] == NODE_BROADCAST)
        m.event.flags |= OT_BROADCAST;
    check_header(&m, icf, rsv, gateways);
    if (!command)
        complain(&m, VIOLATION_FUNCTION, "command code is not defined");
    if (m.is_response)
        fins_answer(&m, key_of(sid, m.code), &r);
    else
        fins_ask(&m, key_of(sid, m.code), icf, &r);
    if (!reader_ok(&r))
        complain(&m, VIOLATION_TRUNCATED, "FINS data ends before its fields do");
    emit_event(d, &m.event);
}

/* --- FINS/TCP --- */

/* [W421] 7-4: node addresses, errors, confirmation of the connection */
static void tcp_command(struct dissect *d, uint32_t command, uint32_t error, struct reader r)
{
    static const char *const names[] = {
        "client_node_address", "server_node_address", "frame_send", "frame_send_error", NULL, NULL,
        "connection_confirm"};
    struct ot_event e = event_of(d);
    e.spell = fins_spell;
    e.code[0] = TCP_CODE | command;
    e.function = command;
    e.name = names[command];
    e.operation = OP_SESSION;
    e.direction = command == 1 || command == 3 ? OT_RESPONSE : OT_REQUEST;
    if (command == 3)
        e.operation = OP_ERROR;
    if (error || command == 1 || command == 3)
        e.status =
            (struct ot_status){error ? OT_RESULT_ERROR : OT_RESULT_OK, error, error ? NULL : "ok"};
    uint32_t client = reader_u32be(&r);
    uint32_t server = reader_u32be(&r);
    if (command == 1 && reader_ok(&r))
        e.detail = dissect_text(d, "client node %u, server node %u", client, server);
    emit_event(d, &e);
}

static void fins_dissect(struct dissect *d, struct reader r)
{
    struct reader header = r;
    if (reader_u32be(&header) != MAGIC) {
        fins_frame_dissect(d, r);
        return;
    }
    const uint8_t *at = r.at;
    uint32_t length = reader_u32be(&header);
    uint32_t command = reader_u32be(&header);
    uint32_t error = reader_u32be(&header);
    if (!reader_ok(&header)) {
        emit_violation(d, VIOLATION_TRUNCATED, "FINS/TCP header is cut off", at, reader_left(&r));
        return;
    }
    if (length != reader_left(&header) + TCP_FIXED)
        emit_violation(d, VIOLATION_LENGTH, "FINS/TCP length is not the data's", at, TCP_HEADER);
    if (command > TCP_COMMAND_MAX || command == 4 || command == 5) {
        emit_violation(d, VIOLATION_FUNCTION, "unknown FINS/TCP command", at, TCP_HEADER);
        return;
    }
    if (error)
        emit_violation(d, VIOLATION_STATE, "FINS/TCP reports an error", at, TCP_HEADER);
    if (command == TCP_FRAME)
        fins_frame_dissect(d, header);
    else
        tcp_command(d, command, error, header);
}

static struct frame fins_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t first = reader_peek(&r);
    if (given && first != 'F') /* a datagram: the frame is all of it */
        return given < FINS_HEADER      ? frame_need(FINS_HEADER)
               : (first & ICF_USE) == 0 ? frame_broken("no FINS header")
                                        : frame_of(given);
    uint32_t magic = reader_u32be(&r);
    uint32_t length = reader_u32be(&r);
    if (!reader_ok(&r))
        return frame_need(TCP_HEADER);
    if (magic != MAGIC)
        return frame_broken("no FINS/TCP magic");
    if (length < TCP_FIXED || length > TCP_LENGTH_MAX)
        return frame_broken("FINS/TCP length out of range");
    size_t size = (size_t)TCP_PREFIX + length;
    return given < size ? frame_need(size) : frame_of(size);
}

static enum claim fins_recognise(struct reader r)
{
    static const uint8_t magic[] = {'F', 'I', 'N', 'S', 0, 0};
    size_t given = reader_left(&r);
    size_t compared = given < sizeof magic ? given : sizeof magic;
    if (given && memcmp(r.at, magic, compared) == 0)
        return given < sizeof magic ? CLAIM_MORE : CLAIM_YES;
    return is_fins_header(r) ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_fins = {
    .name = "fins",
    .spec = "Omron CS/CJ Communications Commands Reference Manual W342",
    .over = OVER_TCP | OVER_UDP,
    .ports = {9600},
    .pdu_max = TCP_PREFIX + TCP_LENGTH_MAX,
    .recognise = fins_recognise,
    .frame = fins_frame,
    .dissect = fins_dissect,
};
