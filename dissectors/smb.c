/* smb.c: file sharing of Windows in its session service: framing, names, log-ins, open files.
 *
 * Spec: [CIFS] MS-CIFS and [SMB] MS-SMB for version 1 (smb1.c), [SMB2] MS-SMB2 (smb2.c)
 *       [1002] RFC 1002 4.3 session service
 *
 *   | type 1 | length 3 | then: | 0xff "SMB" ... | version 1; 0xfe: 2 and 3, 0xfd: encrypted,
 *                               0xfc: compressed
 *   type 0x81: session request with two NetBIOS names, 0x82-0x84 its answers, 0x85 keep-alive
 *
 * Of a long message (the content of a file) only the head is looked at, the rest is passed over. */
#include "smb.h"

#include "netbios.h"
#include "sensor/base/hash.h"

enum {
    SESSION_HEADER = 4,
    LENGTH_MAX = 0xffffff,
    WHOLE_MAX = 4096, /* a longer message carries content; RPC over pipes stays near 4,280 */
    HEAD_SIZE = 1024,
    SESSION_MESSAGE = 0x00,
    SESSION_REQUEST = 0x81,
    SESSION_ACCEPTED = 0x82,
    SESSION_RETARGET = 0x84,
    SESSION_KEEP_ALIVE = 0x85,
    REQUEST_LENGTH = 68,
    MAGIC_1 = 0xff,
    MAGIC_2 = 0xfe,
    MAGIC_ENCRYPTED = 0xfd,
    MAGIC_COMPRESSED = 0xfc,
    CODE_SESSION = 0x10000, /* beside the commands of the two versions */
};

static bool is_smb(struct reader r)
{
    const uint8_t *magic = reader_bytes(&r, 4);
    return magic && magic[0] >= MAGIC_COMPRESSED && memcmp(magic + 1, "SMB", 3) == 0;
}

/* RFC 1002 4.3.3 to 4.3.5: accepted, refused with a reason, to be asked elsewhere. Where the mirror
 * has one side only, the server's begins with one. */
static enum claim recognise_answer(uint8_t type, uint32_t length, size_t left)
{
    static const uint8_t lengths[] = {0, 1, 6};
    if (left < SESSION_HEADER)
        return CLAIM_HOME;
    return length == lengths[type - SESSION_ACCEPTED] ? CLAIM_WEAK : CLAIM_NO;
}

static enum claim smb_recognise(struct reader r)
{
    size_t left = reader_left(&r);
    uint8_t type = reader_u8(&r);
    if (left == 0)
        return CLAIM_MORE;
    uint32_t length = reader_u24be(&r);
    if (type == SESSION_REQUEST)
        return left < SESSION_HEADER + 1u                            ? CLAIM_MORE
               : length == REQUEST_LENGTH && reader_peek(&r) == 0x20 ? CLAIM_YES
                                                                     : CLAIM_NO;
    if (type >= SESSION_ACCEPTED && type <= SESSION_RETARGET)
        return recognise_answer(type, length, left);
    if (type != SESSION_MESSAGE)
        return CLAIM_NO;
    if (left < 2 * SESSION_HEADER) {
        static const char smb[] = "SMB";
        if (left <= SESSION_HEADER)
            return CLAIM_MORE;
        uint8_t magic = reader_u8(&r);
        return magic >= MAGIC_COMPRESSED && memcmp(r.at, smb, reader_left(&r)) == 0 ? CLAIM_MORE
                                                                                    : CLAIM_NO;
    }
    return is_smb(r) && length >= SMB1_HEADER ? CLAIM_YES : CLAIM_NO;
}

static struct frame smb_frame(struct reader r)
{
    size_t left = reader_left(&r);
    uint8_t type = reader_u8(&r);
    uint32_t length = reader_u24be(&r);
    if (!reader_ok(&r))
        return frame_need(SESSION_HEADER);
    if (type != SESSION_MESSAGE && (type < SESSION_REQUEST || type > SESSION_KEEP_ALIVE))
        return frame_broken("unknown type of session packet");
    if (type != SESSION_MESSAGE && length > WHOLE_MAX)
        return frame_broken("session packet too long for its type");
    size_t size = SESSION_HEADER + (length > WHOLE_MAX ? HEAD_SIZE : (size_t)length);
    if (left < size)
        return frame_need(size);
    if (type == SESSION_MESSAGE && length && !is_smb(r))
        return frame_broken_as(VIOLATION_ENCODING, "session message is not SMB");
    return frame_of(size);
}

/* --- for both versions --- */

void smb_item(struct smb *m, const char *area, struct text name)
{
    m->item.area = area;
    m->item.name = name;
    m->item.count = 1;
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = name.size ? 1 : 0;
}

void smb_magic(struct smb *m, struct reader data)
{
    size_t size = reader_left(&data);
    size = size < SMB_MAGIC_SIZE ? size : SMB_MAGIC_SIZE;
    if (size && m->event.item_count)
        m->item.values = (struct ot_values){VALUES_BYTES, 1, data.at, size};
}

struct smb_file *smb_file(struct smb *m, uint64_t file, bool create)
{
    static const char what[] = "smb file";
    uint64_t key = hash_mix(hash_bytes(what, sizeof what), file);
    return dissect_pair(m->d, key, sizeof(struct smb_file), create);
}

void smb_use(struct smb *m, uint64_t file, enum operation operation, struct reader data)
{
    struct smb_file *f = smb_file(m, file, false);
    m->event.operation = operation;
    if (!f && smb_is_call(data)) { /* it was open before the sensor looked */
        smb_opened(m, file, SMB_PIPE, (struct text){NULL, 0});
        f = smb_file(m, file, false);
    }
    if (!f)
        return;
    bool is_pipe = f->kind == SMB_PIPE;
    smb_item(m, is_pipe ? "pipe" : "file", (struct text){f->name, f->name_size});
    if (!is_pipe)
        return;
    m->event.operation = OP_SESSION;
    m->pipe_file = file | 1;
    m->pipe = data;
}

/* The end of a name, where the file is. */
static struct text tail_of(struct text name, size_t size)
{
    if (name.size > size) {
        name.at += name.size - size;
        name.size = size;
    }
    return name;
}

void smb_opened(struct smb *m, uint64_t file, enum smb_kind kind, struct text name)
{
    struct smb_file *f = smb_file(m, file, true);
    f->kind = (uint8_t)kind;
    f->name_size =
        (uint8_t)ascii_keep(f->name, SMB_FILE_NAME_MAX, tail_of(name, SMB_FILE_NAME_MAX)).size;
}

void smb_ask_name(struct smb *m, struct text name)
{
    m->asked.name_size =
        (uint8_t)ascii_keep(m->asked.name, SMB_NAME_MAX, tail_of(name, SMB_NAME_MAX)).size;
}

/* [ERREF] MS-ERREF 2.3.1: what log-ins and files are refused with. */
static const struct status_name {
    uint32_t code;
    bool is_error; /* false: everyday answers, although their severity says otherwise */
    const char *name;
} statuses[] = {
    {0xc0000016, false, "more_processing_required"},
    {0xc0000034, false, "object_name_not_found"   },
    {0xc000003a, false, "object_path_not_found"   },
    {0xc000000f, false, "no_such_file"            },
    {0xc0000011, false, "end_of_file"             },
    {0xc0000120, false, "cancelled"               },
    {0xc0000022, true,  "access_denied"           },
    {0xc000006a, true,  "wrong_password"          },
    {0xc000006d, true,  "logon_failure"           },
    {0xc000006e, true,  "account_restriction"     },
    {0xc0000064, true,  "no_such_user"            },
    {0xc0000071, true,  "password_expired"        },
    {0xc0000072, true,  "account_disabled"        },
    {0xc000015b, true,  "logon_type_not_granted"  },
    {0xc0000193, true,  "account_expired"         },
    {0xc0000234, true,  "account_locked_out"      },
    {0xc00000cc, true,  "bad_network_name"        },
    {0xc0000205, true,  "insufficient_resources"  },
};

void smb_status(struct smb *m, uint32_t status)
{
    enum { SEVERITY_BITS = 30, SEVERITY_ERROR = 3 };
    bool is_error = status >> SEVERITY_BITS == SEVERITY_ERROR;
    m->event.status.code = status;
    for (size_t i = 0; is_error && i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].code == status) {
            m->event.status.name = statuses[i].name;
            is_error = statuses[i].is_error;
            break;
        }
    m->event.status.result = is_error ? OT_RESULT_ERROR : OT_RESULT_OK;
}

void smb_login(struct smb *m, struct reader r)
{
    if (!ntlm_find(m->d, r, &m->ntlm))
        return;
    m->event.facts = m->ntlm.facts;
    m->event.fact_count = m->ntlm.fact_count;
    m->event.unit = TEXT("ntlm"); /* its version is of the system, not of a program */
    if (m->ntlm.message == NTLM_AUTHENTICATE) {
        m->event.detail = m->ntlm.user.size ? m->ntlm.user : TEXT("anonymous");
        m->asked.user_size = (uint8_t)ascii_keep(m->asked.user, SMB_NAME_MAX, m->event.detail).size;
    } else if (m->ntlm.message == NTLM_CHALLENGE) {
        m->event.detail = m->ntlm.domain;
    }
}

/* The last part of a path. */
static struct text last_part(struct text path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.at[i - 1] == '\\')
            return (struct text){path.at + i, path.size - i};
    return path;
}

/* Pipes of services that programs of administrators and intruders leave behind to run commands. */
bool smb_is_tool_pipe(struct text name)
{
    static const char *const begins[] = {"psexesvc", "paexec",    "remcom_communicaton",
                                         "csexec",   "winexesvc", "ahexec"};
    name = last_part(name);
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (ascii_begins(name, begins[i]))
            return true;
    return false;
}

/* Where the tree was opened before the sensor looked. */
bool smb_is_pipe_name(struct text name)
{
    static const char *const pipes[] = {"svcctl",   "atsvc",   "winreg",   "srvsvc",   "wkssvc",
                                        "lsarpc",   "lsass",   "samr",     "netlogon", "spoolss",
                                        "epmapper", "browser", "eventlog", "efsrpc"};
    name = last_part(name);
    for (size_t i = 0; i < sizeof pipes / sizeof *pipes; i++)
        if (ascii_is(name, pipes[i]))
            return true;
    return smb_is_tool_pipe(name);
}

void smb_remember(struct smb *m, uint64_t key)
{
    struct smb_asked *a = dissect_remember(m->d, key, sizeof *a, NULL);
    *a = m->asked;
}

void smb_recall(struct smb *m, uint64_t key)
{
    size_t size;
    const struct smb_asked *a = dissect_recall(m->d, key, &size);
    m->has_asked = a != NULL;
    if (a)
        m->asked = *a;
    else
        m->event.flags |= OT_NO_REQUEST;
}

void smb_emit(struct smb *m)
{
    emit_event(m->d, &m->event);
    if (m->pipe_file)
        smb_pipe(m);
}

/* --- session packets --- */

static void spell_session(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "session=0x%02x", (unsigned)(code[0] - CODE_SESSION));
}

/* [1002] 4.3.2: the name that is called, and the caller's own. */
static void session_request(struct dissect *d, struct reader r)
{
    struct netbios_name called, calling;
    uint8_t first = reader_u8(&r);
    struct reader to = reader_take(&r, NETBIOS_LETTERS);
    reader_skip(&r, 1);
    uint8_t second = reader_u8(&r);
    struct reader from = reader_take(&r, NETBIOS_LETTERS);
    if (!reader_ok(&r) || first != NETBIOS_LETTERS || second != NETBIOS_LETTERS ||
        !netbios_decode(ascii_of(to), &called) || !netbios_decode(ascii_of(from), &calling)) {
        emit_violation(d, VIOLATION_ENCODING, "malformed name in a session request", NULL, 0);
        return;
    }
    dissect_sender_is_client(d, true);
    struct ot_fact fact = {.kind = FACT_HOST_NAME, .value = netbios_text(d, &calling)};
    struct ot_event e = event_of(d);
    e.direction = OT_REQUEST;
    e.spell = spell_session;
    e.code[0] = e.function = CODE_SESSION + SESSION_REQUEST;
    e.name = "session_request";
    e.operation = OP_SESSION;
    e.detail = netbios_text(d, &called);
    e.facts = &fact;
    e.fact_count = fact.value.size ? 1 : 0;
    emit_event(d, &e);
}

static void encrypted(struct dissect *d)
{
    struct smb_state *s = d->state;
    if (s->is_encryption_told)
        return;
    s->is_encryption_told = true;
    struct ot_event e = event_of(d);
    e.protocol = "smb2";
    e.direction = OT_ONEWAY;
    e.spell = spell_session;
    e.code[0] = e.function = CODE_SESSION;
    e.name = "encrypted";
    e.operation = OP_SESSION;
    e.flags |= OT_ENCRYPTED;
    emit_event(d, &e);
}

static void smb_dissect(struct dissect *d, struct reader r)
{
    uint8_t type = reader_u8(&r);
    uint32_t length = reader_u24be(&r);
    if (!reader_ok(&r))
        return;
    if (length > reader_left(&r))
        dissect_skip(d, length - reader_left(&r));
    if (type == SESSION_REQUEST)
        session_request(d, r);
    if (type != SESSION_MESSAGE || !is_smb(r))
        return;
    uint8_t magic = reader_peek(&r);
    if (magic == MAGIC_ENCRYPTED) {
        encrypted(d);
        return;
    }
    struct smb m = {.d = d, .message = r};
    if (magic == MAGIC_1)
        smb1_message(&m);
    else if (magic == MAGIC_2)
        smb2_message(&m);
}

const struct dissector dissector_smb = {
    .name = "smb",
    .spec = "MS-CIFS, MS-SMB, MS-SMB2, RFC 1002",
    .over = OVER_TCP,
    .ports = {445, 139},
    .state_size = sizeof(struct smb_state),
    .pdu_max = SESSION_HEADER + WHOLE_MAX,
    .begins_segments = true,
    .recognise = smb_recognise,
    .frame = smb_frame,
    .dissect = smb_dissect,
};
