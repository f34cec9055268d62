/* umas.c: UMAS, the engineering protocol of Modicon controllers (M340, M580, Quantum, Premium), as
 * Modbus function 90.
 *
 * Not published; the layouts are those that public captures and decoders agree on (PROTOCOLS 5.1).
 * Numbers are little endian. The program of the controller is called the strategy.
 *
 *   request   | 5A 1 | session key 1, 0: no reservation | function 1 | data |
 *   response  | 5A 1 | session key 1 | FE ok or FD error 1 | data |
 *   signed    | 5A 1 | session key 1 | 38 1 | magic 1 | signature 32 | a request or response as
 * above |
 */
#include "dissector.h"

#include <stdio.h>

enum {
    UMAS_CODE = 0x5a,
    ANSWER_OK = 0xfe,
    ANSWER_ERROR = 0xfd,
    SIGNATURE_SIZE = 33, /* magic and signature */
    VARIABLES_MAX = 32,  /* kept of one request; a frame of 1 KiB holds about 140 */
    NAME_MIN = 3,
    NAME_MAX = 64,
};

enum function_code {
    INIT_COMMUNICATION = 0x01,
    READ_ID = 0x02,
    READ_PROJECT_INFO = 0x03,
    TAKE_RESERVATION = 0x10,
    RELEASE_RESERVATION = 0x11,
    READ_MEMORY_BLOCK = 0x20,
    WRITE_MEMORY_BLOCK = 0x21,
    READ_VARIABLES = 0x22,
    WRITE_VARIABLES = 0x23,
    INITIALIZE_DOWNLOAD = 0x30,
    DOWNLOAD_BLOCK = 0x31,
    END_DOWNLOAD = 0x32,
    INITIALIZE_UPLOAD = 0x33,
    UPLOAD_BLOCK = 0x34,
    END_UPLOAD = 0x35,
    SIGNED = 0x38,
};

/* Download is towards the controller, whatever the vendor's names say. */
static const struct function {
    const char *name; /* NULL: unknown */
    enum operation operation;
} functions[] = {
    [INIT_COMMUNICATION] = {"init_communication",        OP_SESSION         },
    [READ_ID] = {"read_plc_id",               OP_IDENTIFY        },
    [READ_PROJECT_INFO] = {"read_project_info",         OP_IDENTIFY        },
    [0x04] = {"read_plc_info",             OP_DIAGNOSTICS     },
    [0x05] = {"read_loader_info",          OP_IDENTIFY        },
    [0x06] = {"read_memory_card_info",     OP_IDENTIFY        },
    [0x07] = {"read_block_info",           OP_BROWSE          },
    [0x0a] = {"repeat",                    OP_SESSION         },
    [TAKE_RESERVATION] = {"take_reservation",          OP_LOCK            },
    [RELEASE_RESERVATION] = {"release_reservation",       OP_LOCK            },
    [0x12] = {"keep_alive",                OP_SESSION         },
    [READ_MEMORY_BLOCK] = {"read_memory_block",         OP_READ            },
    [WRITE_MEMORY_BLOCK] = {"write_memory_block",        OP_WRITE           },
    [READ_VARIABLES] = {"read_variables",            OP_READ            },
    [WRITE_VARIABLES] = {"write_variables",           OP_WRITE           },
    [0x24] = {"read_coils_registers",      OP_READ            },
    [0x25] = {"write_coils_registers",     OP_WRITE           },
    [0x26] = {"data_dictionary",           OP_BROWSE          },
    [0x27] = {"data_dictionary_preload",   OP_BROWSE          },
    [0x28] = {"read_physical_address",     OP_READ            },
    [0x29] = {"write_physical_address",    OP_WRITE           },
    [0x2a] = {"browse_events",             OP_DIAGNOSTICS     },
    [INITIALIZE_DOWNLOAD] = {"initialize_download",       OP_PROGRAM_DOWNLOAD},
    [DOWNLOAD_BLOCK] = {"download_block",            OP_PROGRAM_DOWNLOAD},
    [END_DOWNLOAD] = {"end_download",              OP_PROGRAM_DOWNLOAD},
    [INITIALIZE_UPLOAD] = {"initialize_upload",         OP_PROGRAM_UPLOAD  },
    [UPLOAD_BLOCK] = {"upload_block",              OP_PROGRAM_UPLOAD  },
    [END_UPLOAD] = {"end_upload",                OP_PROGRAM_UPLOAD  },
    [0x36] = {"backup",
                            OP_PROGRAM_UPLOAD                               }, /* program to the memory card; its sub-operations are not known */
    [0x37] = {"preload_blocks",            OP_PROGRAM_DOWNLOAD},
    [SIGNED] = {"signed",                    OP_UNKNOWN         }, /* only when what it wraps cannot be read */
    [0x39] = {"read_ethernet_master_data", OP_IDENTIFY        },
    [0x40] = {"start_plc",                 OP_START           },
    [0x41] = {"stop_plc",                  OP_STOP            },
    [0x42] = {"init_plc",                  OP_RESTART         },
    [0x43] = {"swap_blocks",               OP_PROGRAM_MODIFY  },
    [0x50] = {"monitor_variables",         OP_SUBSCRIBE       },
    [0x51] = {"get_auto_modification",     OP_DIAGNOSTICS     },
    [0x52] = {"get_forced_bits",           OP_DIAGNOSTICS     },
    [0x53] = {"get_selected_blocks",       OP_DIAGNOSTICS     },
    [0x58] = {"check_plc",                 OP_DIAGNOSTICS     },
    [0x60] = {"set_breakpoint",            OP_PROGRAM_MODIFY  },
    [0x61] = {"delete_breakpoint",         OP_PROGRAM_MODIFY  },
    [0x62] = {"step_over",                 OP_PROGRAM_MODIFY  },
    [0x63] = {"step_in",                   OP_PROGRAM_MODIFY  },
    [0x64] = {"step_out",                  OP_PROGRAM_MODIFY  },
    [0x65] = {"get_call_stack",            OP_DIAGNOSTICS     },
    [0x66] = {"check_debug_allowed",       OP_DIAGNOSTICS     },
    [0x6c] = {"process_message",           OP_UNKNOWN         },
    [0x6d] = {"private_message",           OP_UNKNOWN         },
    [0x6e] = {"reservation_nonces",        OP_AUTH            },
    [0x70] = {"read_io_object",            OP_READ            },
    [0x71] = {"write_io_object",           OP_WRITE           },
    [0x72] = {"read_rack",                 OP_IDENTIFY        },
    [0x73] = {"read_module_status",        OP_IDENTIFY        },
    [0x74] = {"read_device_data",          OP_IDENTIFY        },
};

/* A variable by memory block and byte offset. */
struct variable {
    uint16_t block;
    uint16_t length; /* elements */
    uint32_t start;
    uint8_t size; /* bytes of an element */
};

/* What is kept of a request. */
struct asked {
    uint8_t function;
    uint8_t sub;             /* first byte of the data of some functions */
    uint8_t variable_count;  /* of variables */
    uint8_t variables_total; /* of the request */
    uint16_t block, size;    /* memory block and bytes, or number of a transfer's block */
    uint32_t start;
    struct variable variables[VARIABLES_MAX];
};

struct umas_state {
    bool is_reserved; /* a reservation was asked for on this flow */
    bool has_block;   /* last_block counts: a block sent again is not content */
    uint16_t last_block;
};

struct message {
    struct dissect *d;
    struct ot_event event;
    uint8_t code; /* function, or ok and error of a response */
    struct asked asked;
    bool is_matched;
    struct ot_item item;
    struct ot_fact facts[4];
};

static void umas_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    snprintf(out, OT_CODE_SIZE, "0x%02x", code[0] & 0xff);
}

static struct function function_of(uint8_t code)
{
    return code < sizeof functions / sizeof *functions ? functions[code]
                                                       : (struct function){NULL, OP_UNKNOWN};
}

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    if (value.size == 0)
        return;
    m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->facts;
}

/* Text of `size` bytes; empty unless all of it is printable. Zeros at the end do not count. */
static struct text read_name(struct reader *r, size_t size)
{
    struct reader bytes = reader_take(r, size);
    const char *at = (const char *)bytes.at;
    size_t length = reader_left(&bytes);
    while (length && at[length - 1] == 0)
        length--;
    for (size_t i = 0; i < length; i++)
        if (at[i] < 0x20 || at[i] > 0x7e)
            return (struct text){NULL, 0};
    return length ? (struct text){at, length} : (struct text){NULL, 0};
}

static uint64_t unit_number(struct text unit)
{
    uint64_t number = 0;
    for (size_t i = 0; i < unit.size; i++)
        number = number * 10 + (uint64_t)(uint8_t)(unit.at[i] - '0');
    return number;
}

static void transfer(struct message *m, enum transfer_step step)
{
    m->event.transfer = (struct ot_transfer){
        .step = step,
        .operation = m->event.operation,
        .key = unit_number(m->event.unit),
        .name = TEXT("strategy"),
    };
}

/* --- memory and variables --- */

static struct ot_item memory_item(const struct asked *a)
{
    return (struct ot_item){
        .area = "memory_block",
        .number = a->block,
        .has_number = true,
        .has_start = true,
        .start = a->start,
        .count = a->size,
        .type = "byte",
        .low = a->start,
        .high = (uint64_t)a->start + a->size - (a->size > 0),
        .has_range = a->size > 0,
    };
}

static void put_item(struct message *m, struct ot_item item, struct reader bytes)
{
    m->item = item;
    if (reader_left(&bytes))
        m->item.values = (struct ot_values){VALUES_BYTES, 1, bytes.at, reader_left(&bytes)};
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = 1;
}

/* | range 1 | block 2 | offset 2 | ? 2 | size 2 | data of a write | */
static void memory_request(struct message *m, struct reader *r)
{
    struct asked *a = &m->asked;
    reader_skip(r, 1);
    a->block = reader_u16le(r);
    a->start = reader_u16le(r);
    reader_skip(r, 2);
    a->size = reader_u16le(r);
    if (!reader_ok(r))
        return;
    struct reader none = reader_of(NULL, 0);
    bool is_write = m->code == WRITE_MEMORY_BLOCK;
    put_item(m, memory_item(a), is_write ? reader_take(r, a->size) : none);
}

/* | range 1 | size 2 | data | */
static void memory_read_response(struct message *m, struct reader *r)
{
    reader_skip(r, 1);
    uint16_t size = reader_u16le(r);
    struct reader bytes = reader_take(r, size);
    put_item(m, memory_item(&m->asked), bytes);
}

static struct ot_item variable_item(const struct variable *v)
{
    static const char *const types[] = {[1] = "byte", [2] = "word", [4] = "dword"};
    return (struct ot_item){
        .area = "variable",
        .number = v->block,
        .has_number = true,
        .has_start = true,
        .start = v->start,
        .count = v->length,
        .type = types[v->size],
        .low = v->start,
        .high = (uint64_t)v->start + (uint64_t)v->size * v->length - (v->length > 0),
        .has_range = v->length > 0,
    };
}

/* | array flag and size code 1 | block 2 | 01 1 | base 2 | offset 1 | elements 2, of an array | */
static bool read_variable(struct reader *r, struct variable *v)
{
    static const uint8_t sizes[16] = {[1] = 1, [2] = 2, [3] = 4};
    uint8_t kind = reader_u8(r);
    v->size = sizes[kind & 15];
    v->block = reader_u16le(r);
    reader_skip(r, 1);
    uint32_t base = reader_u16le(r);
    v->start = base << 8 | reader_u8(r);
    v->length = kind >> 4 ? reader_u16le(r) : 1;
    return reader_ok(r) && v->size;
}

static void put_variable_values(struct ot_item *item, const struct variable *v, struct reader bytes)
{
    static const enum ot_encoding encodings[] = {
        [1] = VALUES_U8, [2] = VALUES_U16LE, [4] = VALUES_U32LE};
    if (reader_left(&bytes))
        item->values =
            (struct ot_values){encodings[v->size], v->length, bytes.at, reader_left(&bytes)};
}

/* Items for the variables kept, values from `data` when there is any; for a write each record's own
 * data. */
static void put_variables(struct message *m, const struct reader data[])
{
    uint32_t count = m->asked.variable_count;
    struct ot_item *items = dissect_items(m->d, &count);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = variable_item(&m->asked.variables[i]);
        put_variable_values(&items[i], &m->asked.variables[i], data[i]);
    }
    m->event.items = items;
    m->event.item_count = count;
    m->event.items_total = m->asked.variables_total;
}

/* | CRC of the project 4 | count 1 | variables, of a write each followed by its data | */
static void variables_request(struct message *m, struct reader *r)
{
    struct asked *a = &m->asked;
    struct reader data[VARIABLES_MAX];
    reader_skip(r, 4);
    a->variables_total = reader_u8(r);
    while (reader_ok(r) && a->variable_count < a->variables_total &&
           a->variable_count < VARIABLES_MAX) {
        struct variable *v = &a->variables[a->variable_count];
        if (!read_variable(r, v))
            break;
        size_t size = m->code == WRITE_VARIABLES ? (size_t)v->size * v->length : 0;
        data[a->variable_count] = reader_take(r, size);
        if (!reader_ok(r))
            break;
        a->variable_count++;
    }
    put_variables(m, data);
}

/* The values one after another. */
static void variables_response(struct message *m, struct reader *r)
{
    const struct asked *a = &m->asked;
    struct reader data[VARIABLES_MAX];
    for (uint8_t i = 0; i < a->variable_count; i++) {
        size_t size = m->asked.function == READ_VARIABLES
                          ? (size_t)a->variables[i].size * a->variables[i].length
                          : 0;
        data[i] = reader_take(r, size);
    }
    put_variables(m, data);
}

/* --- transfers --- */

static bool is_sent_again(struct message *m, uint16_t block)
{
    struct umas_state *s = m->d->state;
    bool is_again = s->has_block && s->last_block == block;
    s->has_block = true;
    s->last_block = block;
    return is_again;
}

static void transfer_begin(struct message *m, struct reader *r)
{
    (void)r;
    struct umas_state *s = m->d->state;
    s->has_block = false;
    transfer(m, TRANSFER_BEGIN);
}

/* | ? 2 | size of the program 4 | */
static void upload_begin_response(struct message *m, struct reader *r)
{
    reader_skip(r, 2);
    uint32_t size = reader_u32le(r);
    transfer(m, TRANSFER_BEGIN);
    m->event.transfer.declared_size = size;
}

static void transfer_block(struct message *m, struct reader bytes)
{
    if (reader_left(&bytes) == 0 || is_sent_again(m, m->asked.block))
        return;
    transfer(m, TRANSFER_BLOCK);
    m->event.transfer.bytes = bytes.at;
    m->event.transfer.size = reader_left(&bytes);
}

/* | ? 2 | number of the block 2 | size 2 | content | */
static void download_block_request(struct message *m, struct reader *r)
{
    reader_skip(r, 2);
    m->asked.block = reader_u16le(r);
    uint16_t size = reader_u16le(r);
    transfer_block(m, reader_take(r, size));
}

static void upload_block_request(struct message *m, struct reader *r)
{
    reader_skip(r, 2);
    m->asked.block = reader_u16le(r);
}

/* | last 1 | ? 1 | size 2 | content | */
static void upload_block_response(struct message *m, struct reader *r)
{
    reader_skip(r, 2);
    uint16_t size = reader_u16le(r);
    transfer_block(m, reader_take(r, size));
}

static void transfer_end(struct message *m, struct reader *r)
{
    (void)r;
    transfer(m, TRANSFER_END);
}

/* --- identity --- */

/* | client 4 | length 1 | name of the engineering host | */
static void reservation_request(struct message *m, struct reader *r)
{
    struct umas_state *s = m->d->state;
    s->is_reserved = true;
    reader_skip(r, 4);
    uint8_t length = reader_u8(r);
    struct text host = read_name(r, length);
    if (!reader_ok(r))
        return;
    add_fact(m, FACT_HOST_NAME, host);
    m->event.detail = host;
}

static void project_request(struct message *m, struct reader *r)
{
    m->asked.sub = reader_u8(r);
}

/* | frame size 2 | firmware 2 | ? 4 | code 4 | length 1 | name | */
static void init_response(struct message *m, struct reader *r)
{
    reader_skip(r, 12);
    uint8_t length = reader_u8(r);
    struct text name = read_name(r, length);
    if (reader_ok(r))
        add_fact(m, FACT_NAME, name);
}

/* | range 2 | hardware id 4 | model 2 | version 2 | patch 2 | internal version 2 | hardware version
 * 2 | crash code 4 | | ? 2 | length 1 | name | memory banks | */
static void id_response(struct message *m, struct reader *r)
{
    reader_skip(r, 8);
    uint16_t version = reader_u16le(r);
    reader_skip(r, 4);
    uint16_t hardware = reader_u16le(r);
    reader_skip(r, 6);
    uint8_t length = reader_u8(r);
    struct text name = read_name(r, length);
    if (!reader_ok(r))
        return;
    while (name.size && name.at[name.size - 1] == ' ')
        name.size--;
    add_fact(m, FACT_VENDOR, TEXT("Schneider Electric")); /* UMAS is spoken by no other */
    add_fact(m, FACT_PRODUCT, name);
    add_fact(m, FACT_FIRMWARE, dissect_text(m->d, "%x.%02x", version >> 8, version & 0xffu));
    add_fact(m, FACT_HARDWARE, dissect_text(m->d, "%u", hardware));
}

/* The name of the project stands behind dates and versions whose layout differs between families:
 * it is the first text that is as long as the byte before it says. */
static void project_response(struct message *m, struct reader *r)
{
    if (m->asked.sub != 0)
        return;
    while (reader_left(r)) {
        uint8_t length = reader_u8(r);
        struct reader ahead = *r;
        if (length < NAME_MIN || length > NAME_MAX || reader_left(&ahead) < length)
            continue;
        struct text name = read_name(&ahead, length);
        if (name.size >= NAME_MIN && name.size + 1 >= length) {
            add_fact(m, FACT_PROGRAM, name);
            return;
        }
    }
}

static const struct parser {
    enum function_code code;
    void (*request)(struct message *m, struct reader *r);
    void (*response)(struct message *m,
                     struct reader *r); /* of ok; NULL: nothing in it that we know */
} parsers[] = {
    {INIT_COMMUNICATION,  NULL,                   init_response        },
    {READ_ID,             NULL,                   id_response          },
    {READ_PROJECT_INFO,   project_request,        project_response     },
    {TAKE_RESERVATION,    reservation_request,    NULL                 },
    {READ_MEMORY_BLOCK,   memory_request,         memory_read_response },
    {WRITE_MEMORY_BLOCK,  memory_request,         NULL                 },
    {READ_VARIABLES,      variables_request,      variables_response   },
    {WRITE_VARIABLES,     variables_request,      variables_response   },
    {INITIALIZE_DOWNLOAD, transfer_begin,         NULL                 },
    {DOWNLOAD_BLOCK,      download_block_request, NULL                 },
    {END_DOWNLOAD,        transfer_end,           NULL                 },
    {INITIALIZE_UPLOAD,   transfer_begin,         upload_begin_response},
    {UPLOAD_BLOCK,        upload_block_request,   upload_block_response},
    {END_UPLOAD,          transfer_end,           NULL                 },
};

static void parse(struct message *m, uint8_t function, bool is_response, struct reader *r)
{
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        if ((uint8_t)parsers[i].code != function)
            continue;
        if (is_response && parsers[i].response)
            parsers[i].response(m, r);
        if (!is_response && parsers[i].request)
            parsers[i].request(m, r);
        return;
    }
}

static void umas_request(struct message *m, struct reader *r, struct reader pdu)
{
    struct umas_state *s = m->d->state;
    m->asked.function = m->code;
    parse(m, m->code, false, r);
    if (m->code == INITIALIZE_DOWNLOAD && m->d->flow->is_start_seen && !s->is_reserved)
        emit_violation(m->d, VIOLATION_STATE, "program download without a reservation", pdu.at,
                       reader_left(&pdu));
    size_t size =
        offsetof(struct asked, variables) + m->asked.variable_count * sizeof(struct variable);
    memcpy(dissect_remember(m->d, m->d->carrier.key, size, NULL), &m->asked, size);
}

static void recall(struct message *m)
{
    size_t size;
    const void *kept = dissect_recall(m->d, m->d->carrier.key, &size);
    if (!kept) {
        m->event.flags |= OT_NO_REQUEST;
        return;
    }
    memcpy(&m->asked, kept, size);
    m->is_matched = true;
    struct function f = function_of(m->asked.function);
    m->event.name = f.name;
    m->event.operation = f.operation;
}

static void umas_response(struct message *m, struct reader *r, struct reader pdu)
{
    recall(m);
    if (m->code == ANSWER_ERROR) {
        m->event.status = (struct ot_status){OT_RESULT_ERROR, reader_peek(r), NULL};
        return;
    }
    if (m->code != ANSWER_OK) {
        emit_violation(m->d, VIOLATION_FUNCTION, "response is neither ok nor error", pdu.at,
                       reader_left(&pdu));
        return;
    }
    m->event.status.result = OT_RESULT_OK;
    if (m->is_matched)
        parse(m, m->asked.function, true, r);
}

/* Header, and behind a signature the header that was signed. False: cut off. */
static bool read_header(struct message *m, struct reader *r)
{
    reader_skip(r, 2);
    m->code = reader_u8(r);
    if (!reader_ok(r) || m->code != SIGNED)
        return reader_ok(r);
    struct reader inner = *r;
    reader_skip(&inner, SIGNATURE_SIZE);
    bool is_umas = reader_u8(&inner) == UMAS_CODE;
    reader_skip(&inner, 1);
    uint8_t code = reader_u8(&inner);
    if (reader_ok(&inner) && is_umas) {
        m->code = code;
        *r = inner;
    }
    return true;
}

static void umas_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    struct message m;
    m.d = d;
    m.is_matched = false;
    memset(&m.asked, 0, offsetof(struct asked, variables));
    if (!read_header(&m, &r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "UMAS header is cut off", pdu.at, reader_left(&pdu));
        return;
    }
    bool is_response = d->carrier.is_response;
    struct function f = function_of(m.code);
    event_start(&m.event, d);
    m.event.direction = is_response ? OT_RESPONSE : OT_REQUEST;
    m.event.code[0] = m.event.function = m.code;
    m.event.spell = umas_spell;
    m.event.name = f.name;
    m.event.operation = f.operation;
    m.event.unit = d->carrier.unit;
    m.event.transaction = d->carrier.transaction;
    m.event.has_transaction = d->carrier.is_keyed;
    m.event.telling = pdu.at;
    m.event.telling_size = reader_left(&pdu);
    if (is_response)
        umas_response(&m, &r, pdu);
    else
        umas_request(&m, &r, pdu);
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_TRUNCATED, "UMAS data ends before its fields do", pdu.at,
                       reader_left(&pdu));
    emit_event(d, &m.event);
}

static enum claim umas_recognise(struct reader r)
{
    enum { HEADER_SIZE = 3 };
    if (reader_left(&r) < HEADER_SIZE)
        return CLAIM_NO;
    return reader_u8(&r) == UMAS_CODE ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_umas = {
    .name = "umas",
    .spec = "not published; PROTOCOLS 5.1",
    .over = OVER_MODBUS,
    .state_size = sizeof(struct umas_state),
    .recognise = umas_recognise,
    .dissect = umas_dissect,
};
