/* smb2.c: messages of SMB 2 and 3: dialect, log-in, shares, files and pipes by name.
 *
 * Spec: [SMB2] MS-SMB2 2.2
 *
 *   | 0xfe "SMB" | 64 2 | 2 | status 4 | command 2 | credits 2 | flags 4 | next 4 | message 8 |
 *   | process 4 | tree 4 | session 8 | signature 16 |, little endian, then the command's body
 *   flags: 1 answer, 2 asynchronous; next: offset of the next message in the same packet */
#include "sensor/base/hash.h"
#include "smb.h"
#include "utf16.h"

enum command {
    NEGOTIATE,
    SESSION_SETUP,
    LOGOFF,
    TREE_CONNECT,
    TREE_DISCONNECT,
    CREATE,
    CLOSE,
    FLUSH,
    READ,
    WRITE,
    LOCK,
    IOCTL,
    CANCEL,
    ECHO,
    QUERY_DIRECTORY,
    CHANGE_NOTIFY,
    QUERY_INFO,
    SET_INFO,
    OPLOCK_BREAK,
    COMMAND_COUNT
};

static const struct {
    const char *name;
    enum operation operation;
} commands[COMMAND_COUNT] = {
    {"negotiate",       OP_SESSION   },
    {"session_setup",   OP_AUTH      },
    {"logoff",          OP_SESSION   },
    {"tree_connect",    OP_SESSION   },
    {"tree_disconnect", OP_SESSION   },
    {"create",          OP_SESSION   },
    {"close",           OP_SESSION   },
    {"flush",           OP_SESSION   },
    {"read",            OP_FILE_READ },
    {"write",           OP_FILE_WRITE},
    {"lock",            OP_SESSION   },
    {"ioctl",           OP_SESSION   },
    {"cancel",          OP_SESSION   },
    {"echo",            OP_SESSION   },
    {"query_directory", OP_FILE_READ },
    {"change_notify",   OP_SESSION   },
    {"query_info",      OP_SESSION   },
    {"set_info",        OP_SESSION   },
    {"oplock_break",    OP_SESSION   },
};

enum {
    FLAG_ANSWER = 1,
    MESSAGES_MAX = 16, /* in one packet */
    SHARE_PIPE = 2,    /* [SMB2] 2.2.10 */
    PIPE_TRANSCEIVE = 0x0011c017,
    DELETE_ON_CLOSE = 0x1000,
    INFO_FILE = 1,
    CLASS_RENAME = 10,
    CLASS_DISPOSITION = 13,
    GUEST = 1,
    ANONYMOUS = 2,
};

struct header {
    uint32_t status, flags, next, tree;
    uint16_t command;
    uint64_t id, session;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%u", code[0]);
}

static struct header read_header(struct reader *r)
{
    struct header h;
    reader_skip(r, 4 + 2 + 2);
    h.status = reader_u32le(r);
    h.command = reader_u16le(r);
    reader_skip(r, 2);
    h.flags = reader_u32le(r);
    h.next = reader_u32le(r);
    h.id = reader_u64le(r);
    reader_skip(r, 4);
    h.tree = reader_u32le(r);
    h.session = reader_u64le(r);
    reader_skip(r, 16);
    return h;
}

/* The bytes at an offset that counts from the header on; as much as is there. */
static struct reader part(const struct smb *m, uint32_t offset, uint32_t size)
{
    struct reader r = m->message;
    reader_skip(&r, offset);
    size_t left = reader_left(&r);
    return reader_take(&r, size < left ? size : left);
}

static uint64_t file_id(struct reader *r)
{
    uint64_t persistent = reader_u64le(r);
    return hash_mix(persistent, reader_u64le(r));
}

static uint64_t tree_key(const struct smb *m, const struct header *h)
{
    return hash_mix(hash_mix(m->d->flow->id, h->session), h->tree);
}

static const char *dialect_name(uint16_t dialect)
{
    switch (dialect) {
    case 0x0202:
        return "SMB 2.0.2";
    case 0x0210:
        return "SMB 2.1";
    case 0x0300:
        return "SMB 3.0";
    case 0x0302:
        return "SMB 3.0.2";
    case 0x0311:
        return "SMB 3.1.1";
    case 0x02ff:
        return "SMB 2";
    default:
        return "unknown dialect";
    }
}

/* --- requests --- */

static void ask_negotiate(struct smb *m, struct reader r)
{
    enum { DIALECTS_MAX = 16 };
    uint16_t count = reader_u16le(&r), best = 0;
    reader_skip(&r, 2 + 2 + 4 + 16 + 8);
    for (int i = 0; i < count && i < DIALECTS_MAX && reader_left(&r) >= 2; i++) {
        uint16_t dialect = reader_u16le(&r);
        best = dialect > best ? dialect : best;
    }
    m->event.detail = text_of(dialect_name(best));
}

static void ask_tree(struct smb *m, struct reader r)
{
    reader_skip(&r, 2);
    uint16_t offset = reader_u16le(&r), size = reader_u16le(&r);
    struct text path = utf16_text(m->d, part(m, offset, size));
    smb_item(m, "share", path);
    smb_ask_name(m, path);
}

static void ask_create(struct smb *m, const struct header *h, struct reader r)
{
    reader_skip(&r, 1 + 1 + 4 + 8 + 8 + 4 + 4 + 4 + 4);
    uint32_t options = reader_u32le(&r);
    uint16_t offset = reader_u16le(&r), size = reader_u16le(&r);
    struct text name = utf16_text(m->d, part(m, offset, size));
    const struct smb_file *tree = smb_file(m, tree_key(m, h), false);
    bool is_pipe = tree ? tree->kind == SMB_PIPE : smb_is_pipe_name(name);
    m->asked.kind = is_pipe ? SMB_PIPE : SMB_FILE;
    smb_item(m, is_pipe ? "pipe" : "file", name);
    smb_ask_name(m, name);
    if (is_pipe && smb_is_tool_pipe(name))
        m->event.operation = OP_START;
    else if (!is_pipe && options & DELETE_ON_CLOSE)
        m->event.operation = OP_FILE_DELETE;
}

static void ask_read(struct smb *m, struct reader r)
{
    reader_skip(&r, 1 + 1 + 4);
    m->asked.is_at_start = reader_u64le(&r) == 0;
    m->asked.file = file_id(&r);
    smb_use(m, m->asked.file, OP_FILE_READ, (struct reader){0});
    smb_ask_name(m, m->item.name);
}

static void ask_write(struct smb *m, struct reader r)
{
    uint16_t offset = reader_u16le(&r);
    uint32_t size = reader_u32le(&r);
    uint64_t at = reader_u64le(&r);
    m->asked.file = file_id(&r);
    if (!reader_ok(&r))
        return;
    struct reader data = part(m, offset, size);
    smb_use(m, m->asked.file, OP_FILE_WRITE, data);
    if (at == 0 && !m->pipe_file)
        smb_magic(m, data);
}

static void ask_ioctl(struct smb *m, struct reader r)
{
    reader_skip(&r, 2);
    uint32_t code = reader_u32le(&r);
    m->asked.file = file_id(&r);
    uint32_t offset = reader_u32le(&r), size = reader_u32le(&r);
    m->asked.kind = code == PIPE_TRANSCEIVE ? SMB_PIPE : SMB_UNKNOWN;
    if (code == PIPE_TRANSCEIVE && reader_ok(&r))
        smb_use(m, m->asked.file, OP_SESSION, part(m, offset, size));
}

static void ask_set_info(struct smb *m, struct reader r)
{
    uint8_t type = reader_u8(&r), class = reader_u8(&r);
    reader_skip(&r, 4 + 2 + 2 + 4);
    m->asked.file = file_id(&r);
    if (type != INFO_FILE || (class != CLASS_RENAME && class != CLASS_DISPOSITION))
        return;
    smb_use(m, m->asked.file, class == CLASS_RENAME ? OP_FILE_WRITE : OP_FILE_DELETE,
            (struct reader){0});
    m->event.name = class == CLASS_RENAME ? "rename" : "delete";
}

static void request(struct smb *m, const struct header *h, struct reader r)
{
    switch (h->command) {
    case NEGOTIATE:
        ask_negotiate(m, r);
        break;
    case SESSION_SETUP:
        smb_login(m, r);
        break;
    case TREE_CONNECT:
        ask_tree(m, r);
        break;
    case CREATE:
        ask_create(m, h, r);
        break;
    case READ:
        ask_read(m, r);
        break;
    case WRITE:
        ask_write(m, r);
        break;
    case IOCTL:
        ask_ioctl(m, r);
        break;
    case SET_INFO:
        ask_set_info(m, r);
        break;
    default:
        break;
    }
}

/* --- answers --- */

static void answer_setup(struct smb *m, const struct header *h, struct reader r)
{
    uint16_t flags = reader_u16le(&r);
    if (h->status == (uint32_t)SMB_STATUS_MORE) {
        m->event.operation = OP_SESSION; /* half way: neither let in nor refused */
        smb_login(m, r);
        return;
    }
    m->event.detail = h->status == 0 && flags & GUEST ? TEXT("guest")
                      : h->status == 0 && flags & ANONYMOUS
                          ? TEXT("anonymous")
                          : (struct text){m->asked.user, m->asked.user_size};
    if (ascii_is_printable(m->event.detail) && m->asked.user_size) {
        m->fact = (struct ot_fact){
            .kind = FACT_USER_NAME,
            .value = {m->asked.user, m->asked.user_size},
            .is_about_receiver = true
        };
        m->event.facts = &m->fact;
        m->event.fact_count = 1;
    }
}

static void answer_file(struct smb *m, const struct header *h, struct reader r)
{
    struct text name = {m->asked.name, m->asked.name_size};
    uint32_t size, offset;
    switch (h->command) {
    case TREE_CONNECT:
        smb_item(m, "share", name);
        if (h->status == 0)
            smb_opened(m, tree_key(m, h), reader_u8(&r) == SHARE_PIPE ? SMB_PIPE : SMB_FILE, name);
        break;
    case CREATE:
        smb_item(m, m->asked.kind == SMB_PIPE ? "pipe" : "file", name);
        reader_skip(&r, 1 + 1 + 4 + 32 + 8 + 8 + 4 + 4);
        if (h->status == 0 && reader_left(&r) >= 16)
            smb_opened(m, file_id(&r), (enum smb_kind)m->asked.kind, name);
        break;
    case READ:
        offset = reader_u8(&r);
        reader_skip(&r, 1);
        size = reader_u32le(&r);
        smb_use(m, m->asked.file, OP_FILE_READ, part(m, offset, size));
        if (m->asked.is_at_start && !m->pipe_file)
            smb_magic(m, part(m, offset, size));
        break;
    case WRITE:
        smb_use(m, m->asked.file, OP_FILE_WRITE, (struct reader){0});
        break;
    case IOCTL:
        reader_skip(&r, 2 + 4 + 16 + 4 + 4);
        offset = reader_u32le(&r);
        size = reader_u32le(&r);
        if (m->asked.kind == SMB_PIPE)
            smb_use(m, m->asked.file, OP_SESSION, part(m, offset, size));
        break;
    default:
        break;
    }
}

static void answer(struct smb *m, const struct header *h, struct reader r)
{
    smb_status(m, h->status);
    if (h->status == SMB_STATUS_PENDING) {
        m->event.operation = OP_SESSION; /* the answer follows under the same id */
        return;
    }
    smb_recall(m, h->id);
    if (h->command == OPLOCK_BREAK) {
        m->event.flags &= ~(uint32_t)OT_NO_REQUEST; /* the server begins */
        m->event.flags |= OT_UNSOLICITED;
    }
    if (h->command == NEGOTIATE) {
        reader_skip(&r, 2);
        m->event.detail = text_of(dialect_name(reader_u16le(&r)));
        m->event.flags &= ~(uint32_t)OT_NO_REQUEST; /* the question may have been of version 1 */
    } else if (h->command == SESSION_SETUP) {
        answer_setup(m, h, r);
    } else if (m->has_asked) {
        if (m->asked.operation)
            m->event.operation = (enum operation)m->asked.operation;
        answer_file(m, h, r);
    }
}

static void message(struct smb *m, const struct header *h, struct reader r)
{
    bool is_answer = h->flags & FLAG_ANSWER;
    bool is_known = h->command < COMMAND_COUNT;
    event_start(&m->event, m->d);
    m->event.protocol = "smb2";
    m->event.spell = spell;
    m->event.code[0] = m->event.function = h->command;
    m->event.direction = is_answer ? OT_RESPONSE : OT_REQUEST;
    m->event.name = is_known ? commands[h->command].name : NULL;
    m->event.operation = is_known ? commands[h->command].operation : OP_UNKNOWN;
    m->event.transaction = h->id;
    m->event.has_transaction = true;
    reader_skip(&r, 2); /* size of the fixed part */
    if (is_answer) {
        answer(m, h, r);
    } else {
        m->asked.command = (uint8_t)h->command;
        request(m, h, r);
        m->asked.operation = (uint8_t)m->event.operation;
        if (h->command != CANCEL)
            smb_remember(m, h->id);
    }
    smb_emit(m);
    if (!is_known)
        emit_violation(m->d, VIOLATION_FUNCTION, "unknown command of SMB 2", NULL, 0);
}

void smb2_message(struct smb *m)
{
    struct reader rest = m->message;
    struct dissect *d = m->d;
    for (int i = 0; i < MESSAGES_MAX && reader_left(&rest); i++) {
        struct reader r = rest;
        struct header h = read_header(&r);
        if (!reader_ok(&r)) {
            if (i == 0)
                emit_violation(d, VIOLATION_LENGTH, "SMB header is not whole", NULL, 0);
            return;
        }
        dissect_sender_is_client(d, !(h.flags & FLAG_ANSWER));
        bool is_last = h.next < SMB2_HEADER || h.next % 8 || h.next > reader_left(&rest);
        *m = (struct smb){.d = d};
        m->message = reader_take(&rest, is_last ? reader_left(&rest) : h.next);
        r = m->message;
        reader_skip(&r, SMB2_HEADER);
        message(m, &h, r);
        if (is_last)
            return;
    }
}
