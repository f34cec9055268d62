/* melsoft.c: MELSOFT, the engineering protocol of Mitsubishi controllers (GX Works), over TCP and
 * UDP.
 *
 * Not published; the layout is what public captures agree on (PROTOCOLS 16.1).
 *
 *   | 57 request, D7 response 1 | ? 4 | 11 11 2 | ? 12 | length 2, little endian | ? 3 | size n of
 *   an extension 1 | extension n | result 2, of a response | command 2, big endian | sequence 4 |
 *   data |
 *   greeting | 5A 00 00 kind 4 |, answer | DA 00 00 kind 4 | addresses 10 or 24 | */
#include "dissector.h"
#include "sensor/base/hash.h"

enum {
    REQUEST = 0x57,
    RESPONSE = 0xd7,
    GREETING = 0x5a,
    GREETED = 0xda,
    FRAME_FIXED = 21, /* what the length does not count */
    HEADER_SIZE = 25, /* up to the extension */
    COMMAND_SIZE = 6, /* command and sequence */
    EXTENSION_MAX = 64,
    LENGTH_MAX = 8192,
    GREETING_SIZE = 4,
    GREETED_SIZE = 14,
    GREETED_LONG_SIZE = 28,
    GREETED_LONG = 0xff,
    NAME_MAX = 64,
    MODEL_SIZE = 16,

    READ_TYPE_NAME = 0x0101,
    READ_CPU_MODEL = 0x0121,
    REMOTE_RUN = 0x1001,
    REMOTE_STOP = 0x1002,
    OPEN_FILE = 0x1867,
    READ_FILE = 0x1868,
    WRITE_FILE = 0x1869,
    CLOSE_FILE = 0x186a,
    RENAME_FILE = 0x187e,
};

/* The numbers of the MC protocol where both have them; the others by what surrounds them in
 * captures. */
static const struct command {
    uint16_t code;
    enum operation operation;
    const char *name;
} commands[] = {
    {0x0101, OP_IDENTIFY,         "read_type_name"    },
    {0x0121, OP_IDENTIFY,         "read_cpu_model"    },
    {0x01a0, OP_SESSION,          "authenticate"      },
    {0x0410, OP_READ,             "read"              },
    {0x0411, OP_READ,             "read_monitor"      },
    {0x0413, OP_READ,             "read_monitor_2"    },
    {0x0701, OP_SESSION,          "session"           },
    {0x0b2a, OP_DIAGNOSTICS,      "module_status"     },
    {0x0b2b, OP_DIAGNOSTICS,      "module_status_2"   },
    {0x1001, OP_START,            "remote_run"        },
    {0x1002, OP_STOP,             "remote_stop"       },
    {0x1003, OP_STOP,             "remote_pause"      },
    {0x1005, OP_PROGRAM_DELETE,   "remote_latch_clear"},
    {0x1006, OP_RESTART,          "remote_reset"      },
    {0x1410, OP_WRITE,            "write"             },
    {0x1859, OP_FILE_READ,        "list_files"        },
    {0x185f, OP_FILE_READ,        "file_info"         },
    {0x1867, OP_FILE_READ,        "open_file"         },
    {0x1868, OP_FILE_READ,        "read_file"         },
    {0x1869, OP_PROGRAM_DOWNLOAD, "write_file"        },
    {0x186a, OP_FILE_READ,        "close_file"        },
    {0x187e, OP_FILE_WRITE,       "exchange_files"    },
    {0x18a0, OP_SESSION,          "drive_info"        },
};

struct state {
    uint16_t written; /* file that blocks were written to */
    bool is_writing;
};

/* What is kept of a request, and of the pair of hosts. */
struct asked {
    uint16_t file;
    uint8_t operation;
};
struct stopped {
    bool is_stopped;
};

struct message {
    struct dissect *d;
    struct ot_event event;
    struct ot_item item;
    struct ot_fact facts[2];
    uint16_t command;
    bool is_response;
};

static void melsoft_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%02x", code[0]);
}

static const struct command *command_of(uint16_t code)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}

/* Paths are UTF-16 and begin with the drive of the project: "$MELPRJ$\MAIN.PRG". */
static struct text path_in(struct dissect *d, struct reader r)
{
    static const uint8_t drive[] = {'$', 0, 'M', 0, 'E', 0, 'L', 0};
    const uint8_t *at = memmem(r.at, reader_left(&r), drive, sizeof drive);
    char *out = at ? arena_take(d->arena, NAME_MAX) : NULL;
    struct text path = {out, 0};
    if (!out)
        return (struct text){NULL, 0};
    r.at = at;
    while (path.size < NAME_MAX && reader_left(&r) >= 2) {
        uint16_t c = reader_u16le(&r);
        if (c == 0)
            break;
        out[path.size++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    return path;
}

static bool is_file_command(uint16_t code)
{
    return code >> 8 == 0x18 && code != 0x18a0;
}

/* PROTOCOLS 16.1: what opens, writes and closes files of a stopped controller is a download. */
static void file_operation(struct message *m)
{
    const struct stopped *s =
        dissect_pair(m->d, hash_bytes("melsoft", 7), sizeof(struct stopped), false);
    bool is_change = m->command == OPEN_FILE || m->command == CLOSE_FILE ||
                     m->command == RENAME_FILE || m->event.operation == OP_UNKNOWN;
    if (s && s->is_stopped && is_change)
        m->event.operation = OP_PROGRAM_DOWNLOAD;
}

static void note_mode(struct message *m)
{
    struct stopped *s = dissect_pair(m->d, hash_bytes("melsoft", 7), sizeof *s, true);
    if (s)
        s->is_stopped = m->command == REMOTE_STOP;
}

/* | file 2 | offset 4 | bytes 2 | data of a write | */
static void file_request(struct message *m, struct reader *r, struct asked *asked)
{
    if (m->command != READ_FILE && m->command != WRITE_FILE && m->command != CLOSE_FILE) {
        m->item = (struct ot_item){.area = "file", .name = path_in(m->d, *r)};
        if (!m->item.name.size) {
            m->item.number = m->command;
            m->item.has_number = true;
            m->item.area = "command";
        }
        return;
    }
    struct state *s = m->d->state;
    asked->file = reader_u16le(r);
    m->item = (struct ot_item){.area = "file", .number = asked->file, .has_number = true};
    bool is_tcp = m->d->flow->transport == TRANSPORT_TCP; /* over UDP each exchange is a flow */
    if (m->command == CLOSE_FILE && is_tcp && s->is_writing && s->written == asked->file) {
        s->is_writing = false;
        m->event.operation = OP_PROGRAM_DOWNLOAD;
        m->event.transfer = (struct ot_transfer){
            .step = TRANSFER_END, .operation = OP_PROGRAM_DOWNLOAD, .key = asked->file};
    }
    if (m->command != WRITE_FILE)
        return;
    reader_skip(r, 4);
    uint16_t size = reader_u16le(r);
    struct reader data = reader_take(r, size);
    if (!reader_ok(r) || !is_tcp)
        return;
    s->is_writing = true;
    s->written = asked->file;
    m->event.transfer = (struct ot_transfer){
        .step = TRANSFER_BLOCK,
        .operation = OP_PROGRAM_DOWNLOAD,
        .key = asked->file,
        .bytes = data.at,
        .size = size,
    };
}

/* | model 16, padded | type code 2 | ... | */
static void model_response(struct message *m, struct reader *r)
{
    const char *at = (const char *)reader_bytes(r, MODEL_SIZE);
    struct text model = {at, 0};
    while (at && model.size < MODEL_SIZE && at[model.size] >= 0x20 && at[model.size] < 0x7f)
        model.size++;
    while (model.size && at[model.size - 1] == ' ')
        model.size--;
    if (!model.size)
        return;
    m->facts[0] = (struct ot_fact){.kind = FACT_VENDOR, .value = TEXT("Mitsubishi Electric")};
    m->facts[1] = (struct ot_fact){.kind = FACT_PRODUCT, .value = model};
    m->event.facts = m->facts;
    m->event.fact_count = 2;
}

static void ask(struct message *m, uint64_t key, struct reader *r)
{
    struct asked asked = {0};
    m->item = (struct ot_item){.area = "command", .number = m->command, .has_number = true};
    if (is_file_command(m->command)) {
        file_operation(m);
        file_request(m, r, &asked);
    }
    if (m->command == REMOTE_STOP || m->command == REMOTE_RUN)
        note_mode(m);
    asked.operation = (uint8_t)m->event.operation;
    struct asked *kept = dissect_remember(m->d, key, sizeof asked, NULL);
    *kept = asked;
}

static void answer(struct message *m, uint64_t key, uint16_t result, struct reader *r)
{
    size_t size;
    const struct asked *kept = dissect_recall(m->d, key, &size);
    m->item = (struct ot_item){.area = "command", .number = m->command, .has_number = true};
    if (kept)
        m->event.operation = (enum operation)kept->operation;
    else
        m->event.flags |= OT_NO_REQUEST;
    m->event.status =
        (struct ot_status){result ? OT_RESULT_ERROR : OT_RESULT_OK, result, result ? NULL : "ok"};
    if (result == 0 && (m->command == READ_TYPE_NAME || m->command == READ_CPU_MODEL))
        model_response(m, r);
}

static void command_dissect(struct message *m, struct reader r)
{
    struct dissect *d = m->d;
    const uint8_t *at = r.at;
    size_t given = reader_left(&r);
    reader_skip(&r, 5);
    uint16_t fixed = reader_u16be(&r);
    reader_skip(&r, 12);
    uint16_t length = reader_u16le(&r);
    reader_skip(&r, 3);
    uint8_t extension = reader_u8(&r);
    reader_skip(&r, extension);
    uint16_t result = m->is_response ? reader_u16le(&r) : 0;
    m->command = reader_u16be(&r);
    uint32_t sequence = reader_u32le(&r);
    if (fixed != 0x1111)
        emit_violation(d, VIOLATION_RESERVED, "bytes 5 and 6 are not 11 11", at, given);
    if (reader_ok(&r) && length + (size_t)FRAME_FIXED != given)
        emit_violation(d, VIOLATION_LENGTH, "length is not the frame's", at, given);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "frame without a command", at, given);
        return;
    }
    const struct command *c = command_of(m->command);
    m->event.code[1] = m->event.function = m->command;
    m->event.operation = c ? c->operation : OP_UNKNOWN;
    m->event.name = c ? c->name : NULL;
    m->event.transaction = sequence;
    m->event.has_transaction = true;
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = 1;
    uint64_t key = (uint64_t)m->command << 32 | sequence;
    if (m->is_response)
        answer(m, key, result, &r);
    else
        ask(m, key, &r);
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_TRUNCATED, "data ends before its fields do", at, given);
}

/* | 0 2 | kind 1 | addresses | */
static void greeting_dissect(struct message *m, struct reader r)
{
    reader_skip(&r, 3);
    m->event.code[1] = m->event.function = reader_u8(&r);
    m->event.operation = OP_SESSION;
    m->event.name = "connect";
    if (m->is_response)
        m->event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
}

static void melsoft_dissect(struct dissect *d, struct reader r)
{
    struct message m;
    uint8_t first = reader_peek(&r);
    m.d = d;
    m.command = 0;
    m.is_response = first & 0x80;
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, !m.is_response);
    event_start(&m.event, d);
    m.event.direction = m.is_response ? OT_RESPONSE : OT_REQUEST;
    m.event.spell = melsoft_spell;
    m.event.code[0] = first;
    if ((first & 0x7f) == GREETING)
        greeting_dissect(&m, r);
    else
        command_dissect(&m, r);
    emit_event(d, &m.event);
}

static size_t greeting_size(const uint8_t at[4])
{
    return at[0] == GREETING       ? GREETING_SIZE
           : at[3] == GREETED_LONG ? GREETED_LONG_SIZE
                                   : GREETED_SIZE;
}

static enum claim melsoft_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    const uint8_t *at = r.at;
    uint8_t first = reader_u8(&r);
    if (!reader_ok(&r))
        return CLAIM_NO;
    if (first == GREETING || first == GREETED)
        return given >= GREETING_SIZE && at[1] == 0 && at[2] == 0 && given == greeting_size(at)
                   ? CLAIM_WEAK
                   : CLAIM_NO;
    if (first != REQUEST && first != RESPONSE)
        return CLAIM_NO;
    reader_skip(&r, 4);
    uint16_t fixed = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (fixed != 0x1111)
        return CLAIM_NO;
    reader_skip(&r, 12);
    uint16_t length = reader_u16le(&r);
    reader_skip(&r, 3);
    uint8_t extension = reader_u8(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    return length <= LENGTH_MAX && extension <= EXTENSION_MAX &&
                   length + FRAME_FIXED >= HEADER_SIZE + extension + COMMAND_SIZE
               ? CLAIM_YES
               : CLAIM_NO;
}

static struct frame melsoft_frame(struct reader r)
{
    size_t given = reader_left(&r);
    const uint8_t *at = r.at;
    uint8_t first = reader_u8(&r);
    if (given && (first == GREETING || first == GREETED)) {
        if (given < GREETING_SIZE)
            return frame_need(GREETING_SIZE);
        size_t size = greeting_size(at);
        return given < size ? frame_need(size) : frame_of(size);
    }
    if (given && first != REQUEST && first != RESPONSE)
        return frame_broken_as(VIOLATION_FUNCTION, "no MELSOFT frame");
    reader_skip(&r, FRAME_FIXED - 3);
    uint16_t length = reader_u16le(&r);
    if (!reader_ok(&r))
        return frame_need(FRAME_FIXED);
    if (length > LENGTH_MAX)
        return frame_broken("MELSOFT length out of range");
    size_t size = (size_t)FRAME_FIXED + length;
    return given < size ? frame_need(size) : frame_of(size);
}

const struct dissector dissector_melsoft = {
    .name = "melsoft",
    .spec = "not published; PROTOCOLS 16.1",
    .over = OVER_TCP | OVER_UDP,
    .ports = {5007, 5006, 5562, 5560, 5001},
    .state_size = sizeof(struct state),
    .pdu_max = FRAME_FIXED + LENGTH_MAX,
    .recognise = melsoft_recognise,
    .frame = melsoft_frame,
    .dissect = melsoft_dissect,
};
