/* tftp.c: trivial file transfer: names, direction, and the file's bytes as a transfer.
 *
 * Spec: [1350] RFC 1350 The TFTP Protocol, [2347] RFC 2347 Option Extension
 *       [2348] RFC 2348 Blocksize Option
 *
 *   | 1 read or 2 write | file name | 0 | mode | 0 | options |; | 3 data | block 2 | bytes |
 *   | 4 acknowledge | block 2 |; | 5 error | code 2 | text | 0 |; | 6 options accepted | ... |
 *
 * The server answers from another port, so the data is another flow: what was asked for is kept for
 * the two hosts. Data that nobody was seen to ask for gives no event. */
#include "ascii.h"
#include "sensor/base/hash.h"

enum {
    READ = 1,
    WRITE = 2,
    DATA = 3,
    ACKNOWLEDGE = 4,
    ERROR = 5,
    OPTIONS = 6,
    ERROR_MAX = 8, /* [2347] */
    NAME_MAX = 56,
    BLOCK_SIZE = 512, /* [1350] 2, unless an option says otherwise */
};

static const struct {
    const char *name;
    enum operation operation;
} codes[] = {
    [READ] = {"read",        OP_FILE_READ },
      [WRITE] = {"write",       OP_FILE_WRITE},
    [DATA] = {"data",        OP_FILE_READ },
      [ACKNOWLEDGE] = {"acknowledge", OP_SESSION   },
    [ERROR] = {"error",       OP_ERROR     },
      [OPTIONS] = {"options",     OP_SESSION   },
};

static const char *const errors[] = {"undefined",   "file_not_found",    "access_violation",
                                     "disk_full",   "illegal_operation", "unknown_transfer",
                                     "file_exists", "no_such_user",      "bad_option"};

/* Of the pair of hosts: what was asked for last. */
struct asked {
    uint16_t block_size;
    uint8_t operation; /* enum operation; 0: nothing open */
    uint8_t name_size;
    char name[NAME_MAX];
};

struct state {
    uint16_t block; /* the last one seen */
    bool is_begun, is_ended;
};

static uint64_t pair_key(void)
{
    return hash_mix(0, UINT64_C(0x74667470)); /* "tftp" */
}

/* A text with its zero; false when there is none. */
static bool read_text(struct reader *r, struct text *t)
{
    struct text rest = ascii_of(*r);
    const char *end = rest.size ? memchr(rest.at, 0, rest.size) : NULL;
    *t = (struct text){rest.at, end ? (size_t)(end - rest.at) : 0};
    reader_skip(r, t->size + 1);
    return end && reader_ok(r) && ascii_is_printable(*t);
}

static bool is_mode(struct text mode)
{
    return ascii_is(mode, "octet") || ascii_is(mode, "netascii") || ascii_is(mode, "mail");
}

static enum claim tftp_recognise(struct reader r)
{
    struct text name, mode;
    uint16_t code = reader_u16be(&r);
    size_t size = reader_left(&r);
    if (!reader_ok(&r))
        return CLAIM_NO;
    if (code == READ || code == WRITE)
        return read_text(&r, &name) && read_text(&r, &mode) && is_mode(mode) ? CLAIM_YES : CLAIM_NO;
    if (code == OPTIONS) {
        while (reader_left(&r))
            if (!read_text(&r, &name) || !read_text(&r, &mode))
                return CLAIM_NO;
        return size > 0 ? CLAIM_WEAK : CLAIM_NO;
    }
    uint16_t block = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_NO;
    if (code == ERROR)
        return block <= ERROR_MAX && read_text(&r, &name) && reader_left(&r) == 0 ? CLAIM_WEAK
                                                                                  : CLAIM_NO;
    if (code == DATA && block == 1 && reader_left(&r) >= 1 && reader_left(&r) <= BLOCK_SIZE)
        return CLAIM_WEAK;
    if (code == ACKNOWLEDGE && block <= 1 && reader_left(&r) == 0)
        return CLAIM_WEAK;
    return CLAIM_NO;
}

static enum operation write_of(struct text name)
{
    return ascii_names_firmware(name) ? OP_FIRMWARE_UPDATE : OP_FILE_WRITE;
}

static struct ot_event event_as(const struct dissect *d, uint16_t code)
{
    struct ot_event e = event_of(d);
    e.code[0] = e.function = code;
    e.name = codes[code].name;
    e.operation = codes[code].operation;
    return e;
}

static void emit_named(struct dissect *d, struct ot_event *e, struct text name)
{
    struct ot_item item = {.area = "file", .name = name, .count = 1};
    e->items = &item;
    e->item_count = e->items_total = name.size ? 1 : 0;
    emit_event(d, e);
}

static void ask(struct dissect *d, uint16_t code, struct reader r)
{
    struct text name, mode;
    if (!read_text(&r, &name) || !read_text(&r, &mode) || !is_mode(mode)) {
        emit_violation(d, VIOLATION_ENCODING, "TFTP request without file name and mode", NULL, 0);
        return;
    }
    struct asked *a = dissect_pair(d, pair_key(), sizeof *a, true);
    a->operation = (uint8_t)(code == READ ? OP_FILE_READ : write_of(name));
    a->name_size = (uint8_t)ascii_keep(a->name, NAME_MAX, name).size;
    a->block_size = BLOCK_SIZE;
    dissect_sender_is_client(d, true);
    struct ot_event e = event_as(d, code);
    e.operation = (enum operation)a->operation;
    emit_named(d, &e, name);
}

/* An option counts when the server grants it, [2347]; it may make blocks smaller, [2348]. */
static void grant(struct asked *a, struct reader r)
{
    enum { OPTIONS_MAX = 16 };
    struct text option, value;
    for (int i = 0; i < OPTIONS_MAX && read_text(&r, &option) && read_text(&r, &value); i++) {
        uint64_t number;
        if (ascii_is(option, "blksize") && ascii_number(value, &number) && number >= 8 &&
            number <= 65464) /* [2348] */
            a->block_size = (uint16_t)number;
    }
}

static void begin(struct dissect *d, struct state *s, const struct asked *a)
{
    if (s->is_begun)
        return;
    s->is_begun = true;
    struct ot_event e = event_as(d, OPTIONS);
    e.name = "transfer";
    e.direction = OT_ONEWAY;
    e.operation = (enum operation)a->operation;
    e.transfer = (struct ot_transfer){
        .step = TRANSFER_BEGIN,
        .operation = (enum operation)a->operation,
        .name = {a->name, a->name_size}
    };
    emit_named(d, &e, (struct text){a->name, a->name_size});
}

static void data(struct dissect *d, struct state *s, struct asked *a, struct reader r)
{
    uint16_t block = reader_u16be(&r);
    if (!reader_ok(&r) || s->is_ended || (s->is_begun && block == s->block))
        return; /* sent once more */
    begin(d, s, a);
    s->block = block;
    struct ot_event e = event_as(d, DATA);
    e.direction = a->operation == OP_FILE_READ ? OT_RESPONSE : OT_REQUEST;
    e.operation = (enum operation)a->operation;
    e.transfer = (struct ot_transfer){.step = TRANSFER_BLOCK,
                                      .operation = (enum operation)a->operation,
                                      .bytes = r.at,
                                      .size = reader_left(&r)};
    struct text name = {a->name, a->name_size};
    emit_named(d, &e, name);
    if (reader_left(&r) >= a->block_size)
        return;
    s->is_ended = true;
    e.name = "end";
    e.transfer =
        (struct ot_transfer){.step = TRANSFER_END, .operation = (enum operation)a->operation};
    emit_named(d, &e, name);
}

static void refuse(struct dissect *d, struct state *s, struct asked *a, struct reader r)
{
    uint16_t code = reader_u16be(&r);
    if (!reader_ok(&r))
        return;
    struct ot_event e = event_as(d, ERROR);
    e.status = (struct ot_status){OT_RESULT_ERROR, code, code <= ERROR_MAX ? errors[code] : NULL};
    e.operation = (enum operation)a->operation;
    e.direction = OT_RESPONSE;
    if (s->is_begun)
        e.transfer =
            (struct ot_transfer){.step = TRANSFER_ABORT, .operation = (enum operation)a->operation};
    emit_named(d, &e, (struct text){a->name, a->name_size});
    s->is_ended = true;
}

static void tftp_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    uint16_t code = reader_u16be(&r);
    if (!reader_ok(&r))
        return;
    if (code == READ || code == WRITE) {
        *s = (struct state){0};
        ask(d, code, r);
        return;
    }
    struct asked *a = dissect_pair(d, pair_key(), sizeof *a, false);
    if (!a || a->operation == OP_UNKNOWN)
        return;
    bool is_read = a->operation == OP_FILE_READ;
    if (code == DATA || code == ACKNOWLEDGE || code == OPTIONS) /* the server begins this flow */
        dissect_sender_is_client(d, code != OPTIONS && is_read == (code == ACKNOWLEDGE));
    if (code == DATA)
        data(d, s, a, r);
    else if (code == ERROR)
        refuse(d, s, a, r);
    else if (code == OPTIONS)
        grant(a, r);
    else if (code > OPTIONS || code == 0)
        emit_violation(d, VIOLATION_FUNCTION, "unknown TFTP operation", NULL, 0);
}

const struct dissector dissector_tftp = {
    .name = "tftp",
    .spec = "RFC 1350, RFC 2347",
    .over = OVER_UDP,
    .ports = {69},
    .has_data_on_any_port = true,
    .state_size = sizeof(struct state),
    .recognise = tftp_recognise,
    .dissect = tftp_dissect,
};
