/* smb1.c: messages of SMB version 1: dialect, log-in, shares, files and pipes by name.
 *
 * Spec: [CIFS] MS-CIFS 2.2.3 and 2.2.4, [SMB] MS-SMB 2.2.4
 *
 *   | 0xff "SMB" | command 1 | status 4 | flags 1 | flags2 2 | process 2 | signature 8 | 0 2 |
 *   | tree 2 | process 2 | user 2 | multiplex 2 |, little endian, then
 *   | count of words 1 | words, 2 each | count of bytes 2 | bytes |
 *
 * Version 1 has no protection that holds and is flagged weak where it is agreed on. */
#include "sensor/base/hash.h"
#include "smb.h"
#include "utf16.h"

enum command {
    CLOSE = 0x04,
    DELETE = 0x06,
    RENAME = 0x07,
    TRANSACTION = 0x25,
    ECHO = 0x2b,
    OPEN = 0x2d,
    READ = 0x2e,
    WRITE = 0x2f,
    TRANSACTION2 = 0x32,
    TREE_DISCONNECT = 0x71,
    NEGOTIATE = 0x72,
    SESSION_SETUP = 0x73,
    LOGOFF = 0x74,
    TREE_CONNECT = 0x75,
    NT_TRANSACTION = 0xa0,
    NT_CREATE = 0xa2,
    NT_CANCEL = 0xa4,
};

static const struct row {
    uint8_t code;
    uint8_t operation; /* enum operation */
    const char *name;
} commands[] = {
    {0x00,            OP_FILE_WRITE,  "create_directory"      },
    {0x01,            OP_FILE_DELETE, "delete_directory"      },
    {CLOSE,           OP_SESSION,     "close"                 },
    {0x05,            OP_SESSION,     "flush"                 },
    {DELETE,          OP_FILE_DELETE, "delete"                },
    {RENAME,          OP_FILE_WRITE,  "rename"                },
    {0x08,            OP_SESSION,     "query_information"     },
    {0x09,            OP_SESSION,     "set_information"       },
    {0x0a,            OP_FILE_READ,   "read"                  },
    {0x0b,            OP_FILE_WRITE,  "write"                 },
    {0x10,            OP_SESSION,     "check_directory"       },
    {0x23,            OP_SESSION,     "query_information2"    },
    {0x24,            OP_SESSION,     "lock"                  },
    {TRANSACTION,     OP_SESSION,     "transaction"           },
    {ECHO,            OP_SESSION,     "echo"                  },
    {OPEN,            OP_SESSION,     "open"                  },
    {READ,            OP_FILE_READ,   "read"                  },
    {WRITE,           OP_FILE_WRITE,  "write"                 },
    {TRANSACTION2,    OP_SESSION,     "transaction2"          },
    {0x33,            OP_SESSION,     "transaction2_secondary"},
    {0x34,            OP_SESSION,     "find_close"            },
    {0x70,            OP_SESSION,     "tree_connect"          },
    {TREE_DISCONNECT, OP_SESSION,     "tree_disconnect"       },
    {NEGOTIATE,       OP_SESSION,     "negotiate"             },
    {SESSION_SETUP,   OP_AUTH,        "session_setup"         },
    {LOGOFF,          OP_SESSION,     "logoff"                },
    {TREE_CONNECT,    OP_SESSION,     "tree_connect"          },
    {0x80,            OP_SESSION,     "query_disk"            },
    {NT_TRANSACTION,  OP_SESSION,     "nt_transaction"        },
    {0xa1,            OP_SESSION,     "nt_secondary"          },
    {NT_CREATE,       OP_SESSION,     "nt_create"             },
    {NT_CANCEL,       OP_SESSION,     "nt_cancel"             },
    {0xc0,            OP_SESSION,     "open_print"            },
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

enum {
    ANSWER = 0x80,
    UNICODE = 0x8000,
    NT_STATUS = 0x4000,
    ANDX_SIZE = 4,
    WORDS_EXTENDED = 12, /* of a log-in request with a security blob; 13: with passwords */
    WORDS_PASSWORDS = 13,
    WORDS_BLOB = 4, /* of its answer */
    PIPE_TRANSACT = 0x26,
    NO_DIALECT = 0xffff,
    DELETE_ON_CLOSE = 0x1000,
};

struct header {
    uint8_t command, flags;
    uint32_t status;
    uint16_t flags2, tree, process, user, multiplex;
    uint8_t word_count;
    struct reader words, bytes;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%02x", code[0]);
}

static bool read_header(struct reader r, struct header *h)
{
    reader_skip(&r, 4);
    h->command = reader_u8(&r);
    h->status = reader_u32le(&r);
    h->flags = reader_u8(&r);
    h->flags2 = reader_u16le(&r);
    reader_skip(&r, 2 + 8 + 2);
    h->tree = reader_u16le(&r);
    h->process = reader_u16le(&r);
    h->user = reader_u16le(&r);
    h->multiplex = reader_u16le(&r);
    h->word_count = reader_u8(&r);
    h->words = reader_take(&r, (size_t)h->word_count * 2);
    uint16_t count = reader_u16le(&r);
    if (!reader_ok(&r))
        return false;
    size_t left = reader_left(&r);
    h->bytes = reader_take(&r, count < left ? count : left);
    return true;
}

static const struct row *row_of(uint8_t command)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].code == command)
            return &commands[i];
    return NULL;
}

static bool is_unicode(const struct header *h)
{
    return h->flags2 & UNICODE;
}

/* UTF-16 begins at an even offset from the header, [CIFS] 2.2.1.1. */
static void align(const struct smb *m, const struct header *h, struct reader *r)
{
    struct reader before = m->message;
    size_t offset = reader_left(&before) - reader_left(r);
    struct reader whole = h->bytes;
    if (is_unicode(h) && reader_left(&whole) && offset % 2)
        reader_skip(r, 1);
}

/* The next text with its NUL. */
static struct text next_text(struct smb *m, const struct header *h, struct reader *r)
{
    if (is_unicode(h))
        return utf16_text(m->d, utf16_take(r));
    struct text rest = ascii_of(*r);
    struct text t = ascii_until(&rest, '\0');
    reader_skip(r, reader_left(r) - rest.size);
    return ascii_is_printable(t) ? t : (struct text){NULL, 0};
}

/* The user id of a log-in is given by its answer. */
static uint64_t key_of(const struct header *h)
{
    return (uint64_t)h->process << 16 | h->multiplex;
}

static uint64_t file_of(const struct smb *m, const struct header *h, uint16_t number)
{
    return hash_mix(hash_mix(m->d->flow->id, h->tree), number);
}

static struct reader part(const struct smb *m, uint32_t offset, uint32_t size)
{
    struct reader r = m->message;
    reader_skip(&r, offset);
    size_t left = reader_left(&r);
    return reader_take(&r, size < left ? size : left);
}

/* --- log-in --- */

static void add_fact(struct smb *m, enum fact_kind kind, struct text value)
{
    if (value.size && m->ntlm.fact_count < NTLM_FACTS_MAX)
        m->ntlm.facts[m->ntlm.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->ntlm.facts;
    m->event.fact_count = m->ntlm.fact_count;
}

enum { NATIVE_MIN = 4 }; /* "Unix"; exploits send one byte of padding */

/* Native operating system and LAN manager of the sender, [CIFS] 2.2.4.53. */
static void natives(struct smb *m, const struct header *h, struct reader *r)
{
    struct text system = next_text(m, h, r);
    next_text(m, h, r); /* LAN manager: the same words, or the program */
    if (system.size < NATIVE_MIN)
        return;
    bool is_known = false;
    for (uint32_t i = 0; i < m->ntlm.fact_count; i++)
        if (m->ntlm.facts[i].kind == FACT_OS) { /* of which NTLM told the number alone */
            m->ntlm.facts[i].value = system;
            is_known = true;
        }
    if (!is_known)
        add_fact(m, FACT_OS, system);
    /* one system calls itself by other words as client, as server and in NTLM */
    m->event.unit = m->event.direction == OT_REQUEST ? TEXT("smb client") : TEXT("smb server");
}

static void ask_setup(struct smb *m, const struct header *h)
{
    struct reader words = h->words, bytes = h->bytes;
    reader_skip(&words, ANDX_SIZE + 2 + 2 + 2 + 4);
    uint16_t first = reader_u16le(&words); /* of the blob, or of the first password */
    uint16_t second = h->word_count == WORDS_PASSWORDS ? reader_u16le(&words) : 0;
    if (h->word_count == WORDS_EXTENDED) {
        smb_login(m,
                  reader_take(&bytes, first < reader_left(&bytes) ? first : reader_left(&bytes)));
    } else if (h->word_count == WORDS_PASSWORDS) {
        reader_skip(&bytes, (size_t)first + second);
        align(m, h, &bytes);
        struct text user = next_text(m, h, &bytes);
        next_text(m, h, &bytes); /* domain */
        add_fact(m, FACT_USER_NAME, user);
        m->event.detail = user.size ? user : TEXT("anonymous");
        m->asked.user_size = (uint8_t)ascii_keep(m->asked.user, SMB_NAME_MAX, m->event.detail).size;
        natives(m, h, &bytes);
        return;
    }
    align(m, h, &bytes);
    natives(m, h, &bytes);
}

static void answer_setup(struct smb *m, const struct header *h)
{
    enum { GUEST = 1 };
    struct reader words = h->words, bytes = h->bytes;
    reader_skip(&words, ANDX_SIZE);
    bool is_guest = reader_u16le(&words) & GUEST;
    if (h->status == (uint32_t)SMB_STATUS_MORE)
        m->event.operation = OP_SESSION; /* half way: neither let in nor refused */
    m->event.detail = is_guest ? TEXT("guest") : (struct text){m->asked.user, m->asked.user_size};
    if (h->word_count == WORDS_BLOB) {
        uint16_t size = reader_u16le(&words);
        size_t left = reader_left(&bytes);
        smb_login(m, reader_take(&bytes, size < left ? size : left));
    }
    if (h->word_count < WORDS_BLOB - 1)
        return; /* refused */
    align(m, h, &bytes);
    natives(m, h, &bytes);
}

/* [CIFS] 2.2.4.52.2: | challenge | domain | server |, neither of them aligned; an answer with
 * extended security has no names. */
static void answer_negotiate(struct smb *m, const struct header *h)
{
    enum { WORDS_NT = 17, BEFORE_CAPABILITIES = 1 + 2 + 2 + 4 + 4 + 4, TIMES = 8 + 2 };
    struct reader words = h->words, bytes = h->bytes;
    if (reader_u16le(&words) == NO_DIALECT || !reader_ok(&words))
        return;
    m->event.flags |= OT_WEAK;
    m->event.detail = TEXT("SMB 1");
    reader_skip(&words, BEFORE_CAPABILITIES);
    bool is_extended = reader_u32le(&words) >> 31;
    reader_skip(&words, TIMES);
    reader_skip(&bytes, reader_u8(&words));
    if (h->word_count != WORDS_NT || is_extended || !reader_ok(&words) || !reader_ok(&bytes))
        return;
    next_text(m, h, &bytes);
    add_fact(m, FACT_HOST_NAME, next_text(m, h, &bytes));
}

/* --- requests --- */

static void ask_negotiate(struct smb *m, const struct header *h)
{
    enum { DIALECTS_MAX = 16, MARK = 2 };
    struct reader r = h->bytes;
    for (int i = 0; i < DIALECTS_MAX && reader_left(&r); i++) {
        if (reader_u8(&r) != MARK)
            return;
        struct text rest = ascii_of(r);
        struct text dialect = ascii_until(&rest, '\0');
        reader_skip(&r, reader_left(&r) - rest.size);
        if (ascii_is_printable(dialect))
            m->event.detail = dialect; /* the last is the best */
    }
}

static void ask_tree(struct smb *m, const struct header *h)
{
    struct reader words = h->words, bytes = h->bytes;
    reader_skip(&words, ANDX_SIZE + 2);
    uint16_t password = reader_u16le(&words);
    reader_skip(&bytes, password);
    align(m, h, &bytes);
    struct text path = next_text(m, h, &bytes);
    smb_item(m, "share", path);
    smb_ask_name(m, path);
    m->asked.kind = ascii_ends(path, "ipc$") ? SMB_PIPE : SMB_FILE;
}

static void ask_name(struct smb *m, const struct header *h, struct reader name)
{
    align(m, h, &name);
    struct text text = next_text(m, h, &name);
    const struct smb_file *tree =
        smb_file(m, hash_mix(m->d->flow->id, (uint64_t)h->tree << 32), false);
    bool is_pipe = tree ? tree->kind == SMB_PIPE : smb_is_pipe_name(text);
    m->asked.kind = is_pipe ? SMB_PIPE : SMB_FILE;
    smb_item(m, is_pipe ? "pipe" : "file", text);
    smb_ask_name(m, text);
    if (is_pipe && smb_is_tool_pipe(text))
        m->event.operation = OP_START;
}

static void ask_create(struct smb *m, const struct header *h)
{
    struct reader words = h->words;
    reader_skip(&words, ANDX_SIZE + 1 + 2 + 4 + 4 + 4 + 8 + 4 + 4 + 4);
    uint32_t options = reader_u32le(&words);
    ask_name(m, h, h->bytes);
    if (m->asked.kind == SMB_FILE && options & DELETE_ON_CLOSE)
        m->event.operation = OP_FILE_DELETE;
}

/* Delete and rename: | format 1, =4 | name | */
static void ask_path(struct smb *m, const struct header *h)
{
    struct reader bytes = h->bytes;
    reader_skip(&bytes, 1);
    ask_name(m, h, bytes);
}

static void ask_read(struct smb *m, const struct header *h)
{
    struct reader words = h->words;
    reader_skip(&words, ANDX_SIZE);
    m->asked.file = file_of(m, h, reader_u16le(&words));
    m->asked.is_at_start = reader_u32le(&words) == 0;
    smb_use(m, m->asked.file, OP_FILE_READ, (struct reader){0});
    smb_ask_name(m, m->item.name);
}

static void ask_write(struct smb *m, const struct header *h)
{
    struct reader words = h->words;
    reader_skip(&words, ANDX_SIZE);
    m->asked.file = file_of(m, h, reader_u16le(&words));
    uint32_t at = reader_u32le(&words);
    reader_skip(&words, 4 + 2 + 2);
    uint32_t size = (uint32_t)reader_u16le(&words) << 16;
    size |= reader_u16le(&words);
    uint16_t offset = reader_u16le(&words);
    if (!reader_ok(&words))
        return;
    struct reader data = part(m, offset, size);
    smb_use(m, m->asked.file, OP_FILE_WRITE, data);
    if (at == 0 && !m->pipe_file)
        smb_magic(m, data);
}

/* [CIFS] 2.2.5.6: a call through a pipe: | totals 4 | most 6+ | ... | size, offset | setup | */
static void ask_transaction(struct smb *m, const struct header *h)
{
    struct reader words = h->words;
    reader_skip(&words, 2 + 2 + 2 + 2 + 1 + 1 + 2 + 4 + 2 + 2 + 2);
    uint16_t size = reader_u16le(&words), offset = reader_u16le(&words);
    uint8_t setups = reader_u8(&words);
    reader_skip(&words, 1);
    uint16_t code = reader_u16le(&words), file = reader_u16le(&words);
    if (!reader_ok(&words) || setups < 2 || code != PIPE_TRANSACT)
        return;
    m->asked.kind = SMB_PIPE;
    m->asked.file = file_of(m, h, file);
    smb_use(m, m->asked.file, OP_SESSION, part(m, offset, size));
}

static void request(struct smb *m, const struct header *h)
{
    switch (h->command) {
    case NEGOTIATE:
        ask_negotiate(m, h);
        break;
    case SESSION_SETUP:
        ask_setup(m, h);
        break;
    case TREE_CONNECT:
        ask_tree(m, h);
        break;
    case NT_CREATE:
        ask_create(m, h);
        break;
    case OPEN:
        ask_name(m, h, h->bytes);
        break;
    case DELETE:
    case RENAME:
        ask_path(m, h);
        break;
    case READ:
        ask_read(m, h);
        break;
    case WRITE:
        ask_write(m, h);
        break;
    case TRANSACTION:
        ask_transaction(m, h);
        break;
    default:
        break;
    }
}

/* --- answers --- */

static void answer_read(struct smb *m, const struct header *h)
{
    struct reader words = h->words;
    reader_skip(&words, ANDX_SIZE + 2 + 2 + 2);
    uint16_t size = reader_u16le(&words), offset = reader_u16le(&words);
    struct reader data = reader_ok(&words) ? part(m, offset, size) : (struct reader){0};
    smb_use(m, m->asked.file, OP_FILE_READ, data);
    if (m->asked.is_at_start && !m->pipe_file)
        smb_magic(m, data);
}

static void answer_transaction(struct smb *m, const struct header *h)
{
    struct reader words = h->words;
    reader_skip(&words, 2 + 2 + 2 + 2 + 2 + 2);
    uint16_t size = reader_u16le(&words), offset = reader_u16le(&words);
    if (m->asked.kind == SMB_PIPE && reader_ok(&words))
        smb_use(m, m->asked.file, OP_SESSION, part(m, offset, size));
}

static void answer_open(struct smb *m, const struct header *h)
{
    struct reader words = h->words;
    struct text name = {m->asked.name, m->asked.name_size};
    smb_item(m, m->asked.kind == SMB_PIPE ? "pipe" : "file", name);
    reader_skip(&words, ANDX_SIZE + (h->command == NT_CREATE ? 1 : 0));
    uint16_t number = reader_u16le(&words);
    if (h->status == 0 && reader_ok(&words) && (h->command == NT_CREATE || h->command == OPEN))
        smb_opened(m, file_of(m, h, number), (enum smb_kind)m->asked.kind, name);
}

static void answer(struct smb *m, const struct header *h)
{
    if (h->flags2 & NT_STATUS)
        smb_status(m, h->status);
    else
        m->event.status =
            (struct ot_status){h->status ? OT_RESULT_ERROR : OT_RESULT_OK, h->status, NULL};
    smb_recall(m, key_of(h));
    if (h->command == ECHO || h->command == TRANSACTION || h->command == TRANSACTION2 ||
        h->command == NT_TRANSACTION) /* several answers to one request are usual */
        m->event.flags &= ~(uint32_t)OT_NO_REQUEST;
    if (m->has_asked && m->asked.operation)
        m->event.operation = (enum operation)m->asked.operation;
    switch (h->command) {
    case NEGOTIATE:
        answer_negotiate(m, h);
        break;
    case SESSION_SETUP:
        answer_setup(m, h);
        break;
    case TREE_CONNECT:
        smb_item(m, "share", (struct text){m->asked.name, m->asked.name_size});
        if (h->status == 0 && m->has_asked)
            smb_opened(m, hash_mix(m->d->flow->id, (uint64_t)h->tree << 32),
                       (enum smb_kind)m->asked.kind, m->item.name);
        break;
    case NT_CREATE:
    case OPEN:
    case DELETE:
    case RENAME:
        answer_open(m, h);
        break;
    case READ:
        answer_read(m, h);
        break;
    case WRITE:
        smb_use(m, m->asked.file, OP_FILE_WRITE, (struct reader){0});
        break;
    case TRANSACTION:
        answer_transaction(m, h);
        break;
    default:
        break;
    }
}

void smb1_message(struct smb *m)
{
    struct header h;
    struct dissect *d = m->d;
    if (!read_header(m->message, &h)) {
        emit_violation(d, VIOLATION_LENGTH, "SMB message shorter than its words", NULL, 0);
        return;
    }
    const struct row *row = row_of(h.command);
    bool is_answer = h.flags & ANSWER;
    dissect_sender_is_client(d, !is_answer);
    event_start(&m->event, d);
    m->event.protocol = "smb";
    m->event.spell = spell;
    m->event.code[0] = m->event.function = h.command;
    m->event.direction = is_answer ? OT_RESPONSE : OT_REQUEST;
    m->event.name = row ? row->name : NULL;
    m->event.operation = row ? (enum operation)row->operation : OP_UNKNOWN;
    m->event.transaction = h.multiplex;
    m->event.has_transaction = true;
    if (is_answer) {
        answer(m, &h);
    } else {
        m->asked.command = h.command;
        request(m, &h);
        m->asked.operation = (uint8_t)m->event.operation;
        if (h.command != NT_CANCEL)
            smb_remember(m, key_of(&h));
    }
    smb_emit(m);
}
