/* codesys_v2.c: the runtime protocol of CODESYS V2 (3S).
 *
 * Not published; the layout is what public decoders agree on (PROTOCOLS 23.1).
 *
 *   | BB BB 2 | length 4, little endian, of what follows | service 1 | data |
 *   routed       | CC CC 01 00 4 | length 2, little endian, of what follows | ... 23 10 00 00 |
 *                service 1 | data |
 *   acknowledged | 66 66 2 | ... | */
#include "dissector.h"

#include <strings.h>

enum {
    HEADER_SIZE = 6,
    LENGTH_MAX = 16384,
    ACKNOWLEDGE_MAX = 64,

    IDENTIFY = 0x01,
    WRITE_START = 0x2f,
    WRITE_BLOCK = 0x30,
    READ_START = 0x31,
    READ_NEXT = 0x32,
    SETUP = 0x51,
    SHELL = 0x92,
};

static const struct service {
    uint8_t code;
    enum operation operation;
    const char *name;
} services[] = {
    {IDENTIFY,    OP_IDENTIFY,   "login"           },
    {WRITE_START, OP_FILE_WRITE, "file_write_start"},
    {WRITE_BLOCK, OP_FILE_WRITE, "file_write_block"},
    {READ_START,  OP_FILE_READ,  "file_read_start" },
    {READ_NEXT,   OP_FILE_READ,  "file_read_next"  },
    {SETUP,       OP_SESSION,    "setup"           },
    {SHELL,       OP_CONTROL,    "shell_command"   },
};

/* One request at a time; the file that is open goes on over many. */
struct state {
    uint8_t service;
    bool is_asked, is_program;
};

struct message {
    struct dissect *d;
    struct ot_event event;
    struct ot_item item;
    struct ot_fact facts[3];
};

static void v2_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%02x", code[0]);
}

static const struct service *service_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i].code == code)
            return &services[i];
    return NULL;
}

/* A big endian controller answers with a big endian length: PROTOCOLS 23.1. */
static uint32_t read_length(struct reader *r)
{
    uint32_t length = reader_u32le(r);
    return length > LENGTH_MAX ? __builtin_bswap32(length) : length;
}

static struct text text_at(struct reader r, size_t at)
{
    enum { TEXT_MAX = 64 };
    reader_skip(&r, at);
    struct text t = {(const char *)r.at, 0};
    size_t left = reader_left(&r);
    while (t.size < left && t.size < TEXT_MAX && t.at[t.size] >= 0x20 && t.at[t.size] < 0x7f)
        t.size++;
    return t.size ? t : (struct text){NULL, 0};
}

/* The first name in the data: letters, digits and what paths hold, at least four, with a dot. */
static struct text file_name(struct reader r)
{
    const char *at = (const char *)r.at;
    size_t size = reader_left(&r), from = 0;
    bool has_dot = false;
    for (size_t i = 0; i <= size; i++) {
        bool is_name = i < size && at[i] > 0x20 && at[i] < 0x7f;
        has_dot = has_dot || (is_name && at[i] == '.');
        if (is_name)
            continue;
        if (has_dot && i - from >= 4)
            return (struct text){at + from, i - from};
        from = i + 1;
        has_dot = false;
    }
    return (struct text){NULL, 0};
}

/* The boot project and its checksum: "DEFAULT.PRG", "DEFAULT.CHK". */
static bool is_boot_project(struct text name)
{
    static const char *const ends[] = {".prg", ".chk", ".sdb"};
    for (size_t i = 0; name.size >= 4 && i < sizeof ends / sizeof *ends; i++)
        if (strncasecmp(name.at + name.size - 4, ends[i], 4) == 0)
            return true;
    return false;
}

static void put_transfer(struct message *m, enum transfer_step step, struct text name)
{
    m->event.transfer =
        (struct ot_transfer){.step = step, .operation = m->event.operation, .key = 1, .name = name};
}

static void file_request(struct message *m, uint8_t service, struct reader r)
{
    struct state *s = m->d->state;
    bool is_start = service == WRITE_START || service == READ_START;
    bool is_write = service == WRITE_START || service == WRITE_BLOCK;
    struct text name = {NULL, 0};
    if (is_start) {
        name = file_name(r);
        s->is_program = is_boot_project(name);
        m->item = (struct ot_item){.area = "file", .name = name};
        m->event.items = &m->item;
        m->event.item_count = m->event.items_total = name.size ? 1 : 0;
    }
    if (s->is_program)
        m->event.operation = is_write ? OP_PROGRAM_DOWNLOAD : OP_PROGRAM_UPLOAD;
    put_transfer(m, is_start ? TRANSFER_BEGIN : TRANSFER_BLOCK, name);
    if (service != WRITE_BLOCK)
        return;
    bool is_more = reader_u8(&r) != 0;
    m->event.transfer.bytes = r.at;
    m->event.transfer.size = reader_left(&r);
    if (!is_more)
        m->event.transfer.step = TRANSFER_END;
}

/* Name of the operating system at byte 64 of the frame, its version at 96, product at 128. */
static void identify_reply(struct message *m, struct reader frame)
{
    struct text system = text_at(frame, 64), version = text_at(frame, 96);
    struct text product = text_at(frame, 128);
    uint32_t n = 0;
    if (product.size)
        m->facts[n++] = (struct ot_fact){.kind = FACT_PRODUCT, .value = product};
    if (system.size)
        m->facts[n++] = (struct ot_fact){.kind = FACT_OS,
                                         .value = dissect_text(m->d, "%.*s %.*s", (int)system.size,
                                                               system.at, (int)version.size,
                                                               version.at ? version.at : "")};
    m->event.facts = m->facts;
    m->event.fact_count = n;
}

static void v2_dissect(struct dissect *d, struct reader r)
{
    struct message m;
    struct reader frame = r;
    struct state *s = d->state;
    m.d = d;
    uint16_t magic = reader_u16be(&r);
    if (magic == 0x6666)
        return; /* says nothing but that bytes came */
    if (magic == 0xcccc) {
        reader_skip(&r, 4);
        static const uint8_t mark[] = {0x23, 0x10, 0, 0};
        const uint8_t *at =
            reader_left(&r) ? memmem(r.at, reader_left(&r), mark, sizeof mark) : NULL;
        reader_skip(&r, at ? (size_t)(at - r.at) + sizeof mark : reader_left(&r) + 1);
    } else {
        uint32_t length = read_length(&r);
        if (reader_ok(&r) && length != reader_left(&r))
            emit_violation(d, VIOLATION_LENGTH, "length is not the frame's", frame.at,
                           reader_left(&frame));
    }
    uint8_t service = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "frame without a service", frame.at,
                       reader_left(&frame));
        return;
    }
    event_start(&m.event, d);
    m.event.spell = v2_spell;
    bool is_response = !d->is_from_client;
    if (is_response) {
        service = s->is_asked ? s->service : service;
        m.event.flags |= s->is_asked ? 0 : OT_NO_REQUEST;
        s->is_asked = false;
    } else {
        s->service = service;
        s->is_asked = true;
    }
    const struct service *known = service_of(service);
    m.event.code[0] = m.event.function = service;
    m.event.operation = known ? known->operation : OP_UNKNOWN;
    m.event.name = known ? known->name : NULL;
    bool is_file = service >= WRITE_START && service <= READ_NEXT;
    if (is_file && !is_response)
        file_request(&m, service, r);
    else if (is_file && s->is_program)
        m.event.operation = service <= WRITE_BLOCK ? OP_PROGRAM_DOWNLOAD : OP_PROGRAM_UPLOAD;
    if (is_response)
        m.event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (is_response && service == IDENTIFY)
        identify_reply(&m, frame);
    emit_event(d, &m.event);
}

static struct frame v2_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint16_t magic = reader_u16be(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (magic == 0x6666) /* of unknown length: what came together */
        return given <= ACKNOWLEDGE_MAX ? frame_of(given)
                                        : frame_broken("acknowledgement too long");
    if (magic != 0xbbbb && magic != 0xcccc)
        return frame_broken_as(VIOLATION_FUNCTION, "no CODESYS V2 frame");
    uint32_t length = 0;
    if (magic == 0xbbbb) {
        length = read_length(&r);
    } else {
        reader_skip(&r, 2);
        length = reader_u16le(&r);
    }
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (length == 0 || length > LENGTH_MAX)
        return frame_broken("CODESYS V2 length out of range");
    size_t size = (size_t)HEADER_SIZE + length;
    return given < size ? frame_need(size) : frame_of(size);
}

static enum claim v2_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t first = reader_peek(&r);
    if (given == 1 && (first == 0xbb || first == 0xcc))
        return CLAIM_MORE;
    uint16_t magic = reader_u16be(&r);
    if (!reader_ok(&r) || (magic != 0xbbbb && magic != 0xcccc))
        return CLAIM_NO;
    uint32_t length = 0;
    if (magic == 0xbbbb) {
        length = read_length(&r);
    } else if (reader_u16be(&r) == 0x0100) {
        length = reader_u16le(&r);
    }
    if (given < HEADER_SIZE)
        return CLAIM_MORE;
    return length && length <= LENGTH_MAX && given <= HEADER_SIZE + length ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_codesys_v2 = {
    .name = "codesys_v2",
    .spec = "not published; PROTOCOLS 23.1",
    .over = OVER_TCP,
    .ports = {1200, 2455},
    .state_size = sizeof(struct state),
    .pdu_max = HEADER_SIZE + LENGTH_MAX,
    .recognise = v2_recognise,
    .frame = v2_frame,
    .dissect = v2_dissect,
};
