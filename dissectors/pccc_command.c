/* pccc_command.c: PCCC commands and replies.
 *
 * Spec: [DF1] Rockwell 1770-6.5.16: DF1 Protocol and Command Set, chapters 7, 8, 10 (diagnostic
 * status), 13 (addressing)
 *
 *   command | CMD 1 | STS 1 | TNS 2, little endian | FNC 1, of 06, 07 and 0f | data |
 *   reply   | CMD 1 with 0x40 | STS 1 | TNS 2 | EXT STS 1, when STS is f0 | data | */
#include "pccc_command.h"

#include "pccc_functions.h"
#include "sensor/base/hash.h"

enum {
    REPLY_BIT = 0x40,
    STATUS_EXTENDED = 0xf0,
    FIELD_LONG = 0xff, /* [DF1] 13: two more bytes hold the number */
    SUB_MAX = 16,      /* commands in an execute_multiple that are looked at */
    NAME_KEPT = 48,

    CATALOGUE_AT = 5, /* in a diagnostic status of SLC and MicroLogix */
    CATALOGUE_SIZE = 11,
    MODE_AT = 18,
    TYPE_EXTENDED = 0xee,

    KEY_DOWNLOAD = 1,
    KEY_UPLOAD = 2,
};

/* What is kept of a command until its reply. */
struct asked {
    const struct pccc_function *function;
    uint16_t function_code;
    enum operation operation;
    uint8_t command, name_size, file_type;
    uint8_t element_size;
    char name[NAME_KEPT];
};

enum { /* types outside the data table */
       TYPE_LADDER_FIRST = 0x20,
       TYPE_LADDER_LAST = 0x2f,
       TYPE_FORCE_OUTPUT = 0xa1, /* file 0; masked writes of two words, seen in captures */
       TYPE_FORCE_INPUT = 0xa2,  /* file 1 */
};

/* File types of the data table: letter and size of an element's word. [DF1] 13, SLC addressing */
struct file_type {
    uint8_t type;
    const char *letter;
    enum ot_encoding encoding;
    uint8_t size;
};

static const struct file_type file_types[] = {
    {0x84,              "S",       VALUES_U16LE, 2},
    {0x85,              "B",       VALUES_U16LE, 2},
    {0x86,              "T",       VALUES_I16LE, 2},
    {0x87,              "C",       VALUES_I16LE, 2},
    {0x88,              "R",       VALUES_I16LE, 2},
    {0x89,              "N",       VALUES_I16LE, 2},
    {0x8a,              "F",       VALUES_F32LE, 4},
    {0x8b,              "O",       VALUES_U16LE, 2},
    {0x8c,              "I",       VALUES_U16LE, 2},
    {0x8d,              "ST",      VALUES_BYTES, 0},
    {0x8e,              "A",       VALUES_U16LE, 2},
    {0x91,              "L",       VALUES_I32LE, 4},
    {TYPE_FORCE_OUTPUT, "force O", VALUES_U16LE, 2},
    {TYPE_FORCE_INPUT,  "force I", VALUES_U16LE, 2},
};

static const struct file_type *file_type_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof file_types / sizeof *file_types; i++)
        if (file_types[i].type == type)
            return &file_types[i];
    return NULL;
}

static bool is_program_type(uint8_t type)
{
    return type >= TYPE_LADDER_FIRST && type <= TYPE_LADDER_LAST;
}

static bool is_force_type(uint8_t type)
{
    return type == TYPE_FORCE_OUTPUT || type == TYPE_FORCE_INPUT;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[1] == PCCC_NO_FUNCTION)
        text_format(out, OT_CODE_SIZE, "cmd=0x%02x", code[0]);
    else
        text_format(out, OT_CODE_SIZE, "cmd=0x%02x,fnc=0x%02x", code[0], code[1]);
}

/* --- addresses --- */

struct data_address {
    uint8_t size, type; /* bytes asked for, file type */
    uint16_t file, element, sub;
    bool has_sub;
    struct reader data; /* behind it */
};

static uint16_t field_read(struct reader *r)
{
    uint8_t value = reader_u8(r);
    return value == FIELD_LONG ? reader_u16le(r) : value;
}

static bool address_read(struct reader r, bool has_sub, struct data_address *a)
{
    a->size = reader_u8(&r);
    a->file = field_read(&r);
    a->type = reader_u8(&r);
    a->element = field_read(&r);
    a->has_sub = has_sub;
    a->sub = has_sub ? field_read(&r) : 0;
    a->data = r;
    return reader_ok(&r);
}

static void put_number(struct text *t, char *at, uint32_t value)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n)
        at[t->size++] = digits[--n];
}

/* "N7:0", with a sub-element "T4:2.1"; files outside the data table as "type 162 file 1:0". */
static struct text address_name(struct dissect *d, const struct data_address *a)
{
    const struct file_type *type = file_type_of(a->type);
    char *at = arena_take(d->arena, NAME_KEPT);
    struct text t = {at, 0};
    if (!at)
        return (struct text){NULL, 0};
    const char *letter = type ? type->letter : "type ";
    for (; *letter; letter++)
        at[t.size++] = *letter;
    if (!type) {
        put_number(&t, at, a->type);
        memcpy(at + t.size, " file ", 6);
        t.size += 6;
    }
    put_number(&t, at, a->file);
    at[t.size++] = ':';
    put_number(&t, at, a->element);
    if (a->has_sub && a->sub) {
        at[t.size++] = '.';
        put_number(&t, at, a->sub);
    }
    return t;
}

static struct ot_values typed_values(uint8_t file_type, struct reader r)
{
    const struct file_type *type = file_type_of(file_type);
    size_t left = reader_left(&r);
    if (left == 0)
        return (struct ot_values){.encoding = VALUES_NONE};
    if (!type || type->size == 0 || left < type->size)
        return (struct ot_values){VALUES_BYTES, 1, r.at, left};
    uint32_t count = (uint32_t)(left / type->size);
    return (struct ot_values){type->encoding, count, r.at, (size_t)count * type->size};
}

/* --- modes --- */

struct mode {
    uint8_t code;
    enum operation operation;
    const char *name;
};

/* [DF1] 7: change mode (SLC, MicroLogix) */
static const struct mode modes[] = {
    {1, OP_STOP,        "remote program"          },
    {6, OP_START,       "remote run"              },
    {7, OP_MODE_CHANGE, "remote test, continuous" },
    {8, OP_MODE_CHANGE, "remote test, single scan"},
    {9, OP_MODE_CHANGE, "remote test, debug"      },
};

/* [DF1] 7: set CPU mode (PLC-5) */
static const struct mode cpu_modes[] = {
    {1, OP_STOP,  "program"},
    {2, OP_START, "run"    },
};

static const struct mode *mode_find(const struct mode *list, size_t count, uint8_t code)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].code == code)
            return &list[i];
    return NULL;
}

/* --- commands --- */

struct command {
    uint8_t code, status;
    uint16_t transaction, function;
    const uint8_t *at;
    size_t head_size;
    struct reader data;
};

static void set_item(struct dissect *d, struct ot_event *e, const struct data_address *a,
                     struct reader values)
{
    uint32_t room = 1;
    struct ot_item *item = dissect_items_unset(d, &room);
    e->items_total = 1;
    e->item_count = room;
    e->items = item;
    if (room == 0)
        return;
    const struct file_type *type = file_type_of(a->type);
    *item = (struct ot_item){
        .area = "tag",
        .name = address_name(d, a),
        .count = type && type->size ? (uint32_t)(a->size / type->size) : 1,
        .values = typed_values(a->type, values),
    };
}

static void logical(struct dissect *d, const struct command *c, struct ot_event *e, bool has_sub,
                    bool is_write, struct asked *asked)
{
    struct data_address a;
    if (!address_read(c->data, has_sub, &a)) {
        emit_violation(d, VIOLATION_LENGTH, "address runs past the end of the command", c->at,
                       c->head_size);
        return;
    }
    struct reader values = a.data;
    if (is_write && e->operation == OP_WRITE && c->function == 0xab)
        reader_skip(&values, 2); /* mask */
    if (is_write && a.size > reader_left(&values))
        emit_violation(d, VIOLATION_COUNT, "write carries less than it says", c->at, c->head_size);
    if (!is_write)
        values = reader_of(values.at, 0);
    if (is_write && is_program_type(a.type))
        e->operation = OP_PROGRAM_DOWNLOAD;
    else if (is_write && is_force_type(a.type))
        e->operation = OP_FORCE;
    set_item(d, e, &a, values);
    asked->file_type = a.type;
    if (e->item_count && e->items[0].name.size) {
        asked->name_size = (uint8_t)e->items[0].name.size;
        memcpy(asked->name, e->items[0].name.at, asked->name_size);
    }
}

static void set_mode(struct ot_event *e, const struct mode *list, size_t count, struct reader r)
{
    uint8_t code = reader_u8(&r);
    const struct mode *mode = reader_ok(&r) ? mode_find(list, count, code) : NULL;
    if (!mode)
        return;
    e->operation = mode->operation;
    e->detail = text_of(mode->name);
}

static void set_transfer(struct ot_event *e, enum transfer_step step, enum operation operation,
                         const struct reader *data)
{
    e->transfer = (struct ot_transfer){
        .step = step,
        .operation = operation,
        .key = operation == OP_PROGRAM_UPLOAD ? KEY_UPLOAD : KEY_DOWNLOAD,
        .name = TEXT("processor memory"),
    };
    if (data && reader_left(data)) {
        e->transfer.bytes = data->at;
        e->transfer.size = reader_left(data);
    }
}

/* File reads and writes are program transfers when the file is a program. */
static void file_access(struct dissect *d, const struct command *c, struct ot_event *e,
                        struct asked *asked)
{
    struct data_address a;
    bool is_write = c->function == 0xaf;
    if (!address_read(c->data, false, &a)) {
        emit_violation(d, VIOLATION_LENGTH, "address runs past the end of the command", c->at,
                       c->head_size);
        return;
    }
    set_item(d, e, &a, is_write ? a.data : reader_of(a.data.at, 0));
    asked->file_type = a.type;
    if (!is_program_type(a.type))
        return;
    e->operation = is_write ? OP_PROGRAM_DOWNLOAD : OP_PROGRAM_UPLOAD;
    if (is_write)
        set_transfer(e, TRANSFER_BLOCK, e->operation, &a.data);
}

/* [DF1] 7: | size 1 | CMD, FNC and data of one command | ... : the gravest decides. */
static void multiple(const struct command *c, struct ot_event *e)
{
    struct reader r = c->data;
    for (int i = 0; i < SUB_MAX && reader_left(&r); i++) {
        struct reader sub = reader_take(&r, reader_u8(&r));
        uint8_t command = reader_u8(&sub);
        uint16_t function = pccc_has_function(command) ? reader_u8(&sub) : PCCC_NO_FUNCTION;
        if (!reader_ok(&sub))
            return;
        const struct pccc_function *f = pccc_function_find(command, function);
        if (f && f->operation > e->operation)
            e->operation = f->operation;
    }
}

static void command_body(struct dissect *d, const struct command *c, const struct pccc_function *f,
                         struct ot_event *e, struct asked *asked)
{
    switch (f ? f->body : PCCC_NONE) {
    case PCCC_LOGICAL_READ_2:
    case PCCC_LOGICAL_READ_3:
        logical(d, c, e, f->body == PCCC_LOGICAL_READ_3, false, asked);
        break;
    case PCCC_LOGICAL_WRITE_2:
    case PCCC_LOGICAL_WRITE_3:
    case PCCC_MASKED_WRITE_3:
        logical(d, c, e, f->body != PCCC_LOGICAL_WRITE_2, true, asked);
        break;
    case PCCC_MODE:
        set_mode(e, modes, sizeof modes / sizeof *modes, c->data);
        break;
    case PCCC_CPU_MODE:
        set_mode(e, cpu_modes, sizeof cpu_modes / sizeof *cpu_modes, c->data);
        break;
    case PCCC_MULTIPLE:
        multiple(c, e);
        break;
    case PCCC_DOWNLOAD_BEGIN:
        set_transfer(e, TRANSFER_BEGIN, OP_PROGRAM_DOWNLOAD, NULL);
        break;
    case PCCC_DOWNLOAD_END:
        set_transfer(e, TRANSFER_END, OP_PROGRAM_DOWNLOAD, NULL);
        break;
    case PCCC_UPLOAD_BEGIN:
        set_transfer(e, TRANSFER_BEGIN, OP_PROGRAM_UPLOAD, NULL);
        break;
    case PCCC_UPLOAD_END:
        set_transfer(e, TRANSFER_END, OP_PROGRAM_UPLOAD, NULL);
        break;
    case PCCC_DOWNLOAD_BLOCK:
        if (f->function == 0xaf)
            file_access(d, c, e, asked);
        else
            set_transfer(e, TRANSFER_BLOCK, OP_PROGRAM_DOWNLOAD, &c->data);
        break;
    case PCCC_UPLOAD_BLOCK:
        if (f->function == 0xa7)
            file_access(d, c, e, asked);
        break;
    default:
        break;
    }
}

static void event_for(struct ot_event *e, const struct dissect *d, const struct command *c,
                      bool is_reply)
{
    event_start(e, d);
    e->protocol = "pccc";
    e->direction = is_reply ? OT_RESPONSE : OT_REQUEST;
    e->spell = spell;
    e->transaction = c->transaction;
    e->has_transaction = true;
    e->unit = d->carrier.unit;
    e->telling = c->at;
    e->telling_size = c->head_size;
}

static void command_dissect(struct dissect *d, struct command *c, uint64_t key)
{
    c->function = PCCC_NO_FUNCTION;
    if (pccc_has_function(c->code)) {
        c->function = reader_u8(&c->data);
        if (!reader_ok(&c->data)) {
            emit_violation(d, VIOLATION_LENGTH, "command without its function", c->at,
                           c->head_size);
            return;
        }
        c->head_size++;
    }
    const struct pccc_function *f = pccc_function_find(c->code, c->function);
    struct ot_event e;
    event_for(&e, d, c, false);
    e.code[0] = c->code;
    e.code[1] = c->function;
    e.function = c->function == PCCC_NO_FUNCTION ? c->code : c->function;
    e.name = f ? f->name : NULL;
    e.operation = f ? f->operation : OP_UNKNOWN;
    if (c->status != 0)
        emit_violation(d, VIOLATION_RESERVED, "status of a command is not 0", c->at + 1, 1);
    struct asked *asked = dissect_remember(d, key, sizeof *asked, NULL);
    asked->function = f;
    asked->function_code = c->function;
    asked->command = c->code;
    command_body(d, c, f, &e, asked);
    asked->operation = e.operation;
    emit_event(d, &e);
}

/* --- replies --- */

static const char *running_mode(uint8_t mode)
{
    switch (mode & 0x1f) { /* [DF1] 10: processor mode of SLC and MicroLogix */
    case 0x01:
    case 0x11:
        return "program";
    case 0x06:
    case 0x1e:
        return "run";
    case 0x07:
    case 0x08:
    case 0x09:
        return "test";
    default:
        return NULL;
    }
}

/* "series A revision F", without a format: scanners poll it. */
static struct text series_text(struct dissect *d, uint8_t series)
{
    static const char words[] = "series A revision A";
    enum { SERIES_AT = 7, REVISION_AT = sizeof words - 2, LETTERS = 26 };
    char *at = arena_take_unset(d->arena, sizeof words - 1);
    if (!at)
        return (struct text){NULL, 0};
    memcpy(at, words, sizeof words - 1);
    at[SERIES_AT] = (char)('A' + (series >> 5));
    at[REVISION_AT] = (char)('A' + (series & 0x1f) % LETTERS);
    return (struct text){at, sizeof words - 1};
}

/* [DF1] 10: | status 1 | type ee | interface 1 | processor 1 | series 1 | catalogue number 11 |
 * fault 2 | mode 1 | */
static void identity_facts(struct dissect *d, struct reader r, struct ot_event *e)
{
    struct reader start = r;
    reader_skip(&r, 1);
    uint8_t type = reader_u8(&r);
    reader_skip(&r, 2);
    uint8_t series = reader_u8(&r);
    const char *name = (const char *)reader_bytes(&r, CATALOGUE_SIZE);
    if (!name || type != TYPE_EXTENDED)
        return;
    size_t size = CATALOGUE_SIZE;
    while (size && (name[size - 1] == ' ' || name[size - 1] == 0))
        size--;
    uint32_t room = 4;
    struct ot_fact *facts = dissect_facts(d, &room);
    uint32_t n = 0;
    if (n < room && size)
        facts[n++] = (struct ot_fact){
            FACT_ORDER_NUMBER, {name, size},
             false
        };
    if (n < room)
        facts[n++] = (struct ot_fact){FACT_HARDWARE, series_text(d, series), false};
    if (n < room)
        facts[n++] =
            (struct ot_fact){FACT_VENDOR, TEXT("Rockwell Automation/Allen-Bradley"), false};
    reader_skip(&start, MODE_AT);
    uint8_t mode = reader_u8(&start);
    const char *words = reader_ok(&start) ? running_mode(mode) : NULL;
    if (n < room && words)
        facts[n++] = (struct ot_fact){FACT_MODE, text_of(words), false};
    e->facts = facts;
    e->fact_count = n;
}

static void reply_item(struct dissect *d, const struct asked *a, const struct command *c,
                       bool is_ok, struct ot_event *e)
{
    if (!a->name_size)
        return;
    uint32_t room = 1;
    struct ot_item *item = dissect_items_unset(d, &room);
    e->items = item;
    e->item_count = room;
    e->items_total = 1;
    if (room == 0)
        return;
    *item = (struct ot_item){
        .area = "tag",
        .name = {a->name, a->name_size},
    };
    enum pccc_body body = a->function ? a->function->body : PCCC_NONE;
    if (is_ok && (body == PCCC_LOGICAL_READ_2 || body == PCCC_LOGICAL_READ_3))
        item->values = typed_values(a->file_type, c->data);
    item->count = item->values.count ? item->values.count : 1;
}

static void reply_dissect(struct dissect *d, struct command *c, uint64_t key)
{
    size_t size;
    const struct asked *a = dissect_recall(d, key, &size);
    uint8_t code = c->code & (uint8_t)~REPLY_BIT;
    uint8_t extended = c->status == STATUS_EXTENDED ? reader_u8(&c->data) : 0;
    if (a && a->command != code)
        a = NULL;
    const struct pccc_function *f = a ? a->function : NULL;
    if (!a && !pccc_has_function(code))
        f = pccc_function_find(code, PCCC_NO_FUNCTION);
    bool is_ok = c->status == 0;
    struct ot_event e;
    event_for(&e, d, c, true);
    e.code[0] = code;
    e.code[1] = a ? a->function_code : PCCC_NO_FUNCTION;
    e.function = e.code[1] == PCCC_NO_FUNCTION ? code : e.code[1];
    e.name = f ? f->name : NULL;
    e.operation = a ? a->operation : f ? f->operation : OP_UNKNOWN;
    e.status = (struct ot_status){is_ok ? OT_RESULT_OK : OT_RESULT_ERROR,
                                  (uint32_t)c->status | (uint32_t)extended << 8,
                                  pccc_status_name(c->status, extended)};
    if (!a)
        e.flags |= OT_NO_REQUEST;
    else
        reply_item(d, a, c, is_ok, &e);
    if (is_ok && f && f->body == PCCC_IDENTITY)
        identity_facts(d, c->data, &e);
    if (is_ok && f && f->body == PCCC_UPLOAD_BLOCK && e.operation == OP_PROGRAM_UPLOAD)
        set_transfer(&e, TRANSFER_BLOCK, OP_PROGRAM_UPLOAD, &c->data);
    emit_event(d, &e);
}

void pccc_command_dissect(struct dissect *d, struct reader r, uint64_t requestor)
{
    struct command c = {.at = r.at, .head_size = 4};
    c.code = reader_u8(&r);
    c.status = reader_u8(&r);
    c.transaction = reader_u16le(&r);
    c.data = r;
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "command is shorter than its header", NULL, 0);
        return;
    }
    uint64_t key = hash_mix(requestor, c.transaction);
    if (c.code & REPLY_BIT)
        reply_dissect(d, &c, key);
    else
        command_dissect(d, &c, key);
}
