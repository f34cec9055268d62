/* ftp.c: the control connection of file transfer: log-in in clear, file names, answers.
 *
 * Spec: [959] RFC 959 File Transfer Protocol, [1123] RFC 1123 4.1.3 (X..., Telnet)
 *       [2228] security extensions (AUTH)
 *
 *   client: verb [ " " argument ] CR LF
 *   server: code 3 digits, " " or "-" (more lines follow), text CR LF */
#include "default_logins.h"

enum {
    LINE_MAX = 1024,
    USER_SIZE = 48,
    NAME_SIZE = 120,
    REPLY_READY = 220, /* [959] 4.2 */
    REPLY_SECURED = 234,
    REPLY_ERROR = 400, /* from here on */
    REPLY_NOT_LOGGED_IN = 530,
    TLS_HANDSHAKE = 22,
    TELNET = 255, /* its commands begin so; no record of TLS does */
};

static const struct verb {
    char text[5];
    enum operation operation;
    bool has_file;
    const char *name;
} verbs[] = {
    {"abor", OP_SESSION,       false, "abort"                },
    {"acct", OP_AUTH,          false, "account"              },
    {"allo", OP_SESSION,       false, "allocate"             },
    {"appe", OP_FILE_WRITE,    true,  "append"               },
    {"auth", OP_SESSION,       false, "security"             },
    {"ccc",  OP_SESSION,       false, "clear_channel"        },
    {"cdup", OP_SESSION,       false, "directory_up"         },
    {"clnt", OP_SESSION,       false, "client_name"          },
    {"cwd",  OP_SESSION,       true,  "change_directory"     },
    {"dele", OP_FILE_DELETE,   true,  "delete"               },
    {"eprt", OP_SESSION,       false, "port"                 },
    {"epsv", OP_SESSION,       false, "passive"              },
    {"feat", OP_IDENTIFY,      false, "features"             },
    {"help", OP_IDENTIFY,      false, "help"                 },
    {"lang", OP_SESSION,       false, "language"             },
    {"list", OP_FILE_READ,     true,  "list"                 },
    {"mdtm", OP_FILE_READ,     true,  "modification_time"    },
    {"mfmt", OP_FILE_WRITE,    true,  "set_modification_time"},
    {"mkd",  OP_FILE_WRITE,    true,  "make_directory"       },
    {"mlsd", OP_FILE_READ,     true,  "list"                 },
    {"mlst", OP_FILE_READ,     true,  "list"                 },
    {"mode", OP_SESSION,       false, "mode"                 },
    {"nlst", OP_FILE_READ,     true,  "name_list"            },
    {"noop", OP_SESSION,       false, "no_operation"         },
    {"opts", OP_SESSION,       false, "options"              },
    {"pass", OP_AUTH,          false, "password"             },
    {"pasv", OP_SESSION,       false, "passive"              },
    {"pbsz", OP_SESSION,       false, "protection_size"      },
    {"port", OP_SESSION,       false, "port"                 },
    {"prot", OP_SESSION,       false, "protection"           },
    {"pwd",  OP_SESSION,       false, "print_directory"      },
    {"quit", OP_SESSION,       false, "quit"                 },
    {"rein", OP_SESSION,       false, "reinitialise"         },
    {"rest", OP_SESSION,       false, "restart_at"           },
    {"retr", OP_FILE_READ,     true,  "retrieve"             },
    {"rmd",  OP_FILE_DELETE,   true,  "remove_directory"     },
    {"rnfr", OP_FILE_WRITE,    true,  "rename_from"          },
    {"rnto", OP_FILE_WRITE,    true,  "rename_to"            },
    {"site", OP_CONFIG_CHANGE, false, "site"                 },
    {"size", OP_FILE_READ,     true,  "size"                 },
    {"smnt", OP_SESSION,       true,  "structure_mount"      },
    {"stat", OP_DIAGNOSTICS,   false, "status"               },
    {"stor", OP_FILE_WRITE,    true,  "store"                },
    {"stou", OP_FILE_WRITE,    true,  "store_unique"         },
    {"stru", OP_SESSION,       false, "structure"            },
    {"syst", OP_IDENTIFY,      false, "system"               },
    {"type", OP_SESSION,       false, "type"                 },
    {"user", OP_AUTH,          false, "user"                 },
    {"xcup", OP_SESSION,       false, "directory_up"         },
    {"xcwd", OP_SESSION,       true,  "change_directory"     },
    {"xmkd", OP_FILE_WRITE,    true,  "make_directory"       },
    {"xpwd", OP_SESSION,       false, "print_directory"      },
    {"xrmd", OP_FILE_DELETE,   true,  "remove_directory"     },
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs, CODE_REPLY = 1, CODE_VERB = 0 };

struct state {
    uint8_t last; /* verb and 1; 0: none */
    uint8_t user_size, name_size;
    bool is_secured, is_told;
    uint8_t operation; /* of the last verb */
    char user[USER_SIZE], name[NAME_SIZE];
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == CODE_REPLY) {
        text_format(out, OT_CODE_SIZE, "%u", code[1]);
        return;
    }
    size_t i = 0;
    for (; verbs[code[1]].text[i]; i++)
        out[i] = (char)(verbs[code[1]].text[i] - 'a' + 'A');
    out[i] = '\0';
}

static const struct verb *verb_of(struct text word)
{
    if (word.size < 3 || word.size > 4)
        return NULL;
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (ascii_is(word, verbs[i].text))
            return &verbs[i];
    return NULL;
}

/* The code of a reply line, or 0. */
static uint16_t reply_of(struct text line)
{
    if (line.size < 3 || (line.size > 3 && line.at[3] != ' ' && line.at[3] != '-'))
        return 0;
    uint16_t code = 0;
    for (size_t i = 0; i < 3; i++) {
        if (line.at[i] < '0' || line.at[i] > '9')
            return 0;
        code = (uint16_t)(code * 10 + line.at[i] - '0');
    }
    return code >= 100 && code < 600 ? code : 0;
}

/* Size of the Telnet command that r begins with, [1123] 4.1.2.12; 0: none, or not known yet. */
static size_t telnet_size(struct reader r)
{
    enum { WILL = 251, DONT = 254 };
    if (reader_left(&r) < 2 || reader_u8(&r) != TELNET)
        return 0;
    uint8_t command = reader_u8(&r);
    return command >= WILL && command <= DONT ? 3 : 2;
}

static enum claim ftp_recognise(struct reader r)
{
    size_t line_size = ascii_line(r);
    if (line_size == 0) {
        struct text all = ascii_of(r), rest = all;
        if (all.size < 5)
            return all.size == 0 || ascii_is_printable(all) ? CLAIM_MORE : CLAIM_NO;
        return all.size < LINE_MAX &&
                       (reply_of(all) == REPLY_READY || verb_of(ascii_until(&rest, ' ')))
                   ? CLAIM_MORE
                   : CLAIM_NO;
    }
    struct text line = {(const char *)r.at, line_size};
    if (line_size > LINE_MAX || line_size < 5 || line.at[line_size - 2] != '\r')
        return CLAIM_NO;
    line = ascii_trim(line);
    if (reply_of(line) == REPLY_READY)
        return ascii_contains(line, "smtp") ? CLAIM_NO : CLAIM_WEAK;
    return verb_of(ascii_until(&line, ' ')) ? CLAIM_WEAK : CLAIM_NO;
}

static struct frame ftp_frame(struct reader r)
{
    size_t left = reader_left(&r);
    if (left == 0)
        return frame_need(1);
    uint8_t first = reader_peek(&r);
    size_t line = ascii_line(r);
    if (first == TELNET) {
        size_t size = telnet_size(r);
        return size == 0 ? frame_need(2) : size > left ? frame_need(size) : frame_of(size);
    }
    if (first < '\n' || (first > '\r' && first < ' ') || first > '~') /* TLS after AUTH */
        return frame_of(left < LINE_MAX ? left : LINE_MAX);
    if (line > LINE_MAX || (line == 0 && left >= LINE_MAX))
        return frame_broken("line is too long");
    return line ? frame_of(line) : frame_need(left + 1);
}

static struct ot_event event_with(const struct dissect *d, const struct state *s)
{
    struct ot_event e = event_of(d);
    e.spell = spell;
    e.operation = s->last ? (enum operation)s->operation : OP_SESSION;
    return e;
}

static void emit_with(struct dissect *d, struct ot_event *e, const struct state *s, bool is_login)
{
    struct ot_item item = {
        .area = "file", .name = {s->name, s->name_size},
             .count = 1
    };
    struct ot_fact fact = {
        .kind = FACT_USER_NAME, .value = {s->user, s->user_size}
    };
    if (s->name_size && s->last && verbs[s->last - 1].has_file) {
        e->items = &item;
        e->item_count = e->items_total = 1;
    }
    if (is_login && e->fact_count == 0 && ascii_is_printable(fact.value)) {
        e->facts = &fact;
        e->fact_count = 1;
    }
    emit_event(d, e);
}

static void command(struct dissect *d, struct state *s, struct text line)
{
    struct text argument = line;
    struct text word = ascii_until(&argument, ' ');
    const struct verb *verb = verb_of(word);
    s->last = 0;
    if (!verb) {
        emit_violation(d, VIOLATION_FUNCTION, "unknown FTP command", word.at, word.size);
        return;
    }
    size_t index = (size_t)(verb - verbs);
    bool is_user = !strcmp(verb->text, "user");
    bool is_password = !strcmp(verb->text, "pass") || !strcmp(verb->text, "acct");
    s->last = (uint8_t)(index + 1);
    s->operation = (uint8_t)verb->operation;
    s->name_size = 0;
    if (is_user)
        s->user_size = (uint8_t)ascii_keep(s->user, USER_SIZE, argument).size;
    if (verb->has_file && ascii_is_printable(argument))
        s->name_size = (uint8_t)ascii_keep(s->name, NAME_SIZE, argument).size;
    if (verb->operation == OP_FILE_WRITE && ascii_names_firmware(argument))
        s->operation = OP_FIRMWARE_UPDATE;

    struct ot_event e = event_with(d, s);
    e.code[0] = CODE_VERB;
    e.code[1] = e.function = (uint32_t)index;
    e.name = verb->name;
    if (is_password && argument.size) {
        e.flags |= OT_HAS_CREDENTIAL;
        if (default_logins_has("ftp", (struct text){s->user, s->user_size}, argument))
            e.flags |= OT_DEFAULT_CREDENTIAL;
        e.secret = (const uint8_t *)argument.at;
        e.secret_size = argument.size;
    }
    emit_with(d, &e, s, is_user || is_password);
}

static void reply(struct dissect *d, struct state *s, struct text line)
{
    uint16_t code = reply_of(line);
    if (code == 0 || (line.size > 3 && line.at[3] == '-'))
        return; /* a line of many: the last one has the code once more */
    struct text words = line;
    ascii_until(&words, ' ');
    words = ascii_trim(words);
    struct ot_fact fact = {.kind = FACT_SOFTWARE, .value = words};
    struct ot_event e = event_with(d, s);
    e.code[0] = CODE_REPLY;
    e.code[1] = e.function = code;
    e.name = s->last ? verbs[s->last - 1].name : code == REPLY_READY ? "ready" : "reply";
    if (s->last == 0 && code == REPLY_READY && ascii_is_printable(words)) {
        e.unit = TEXT("ftp"); /* another server of the host has other software */
        e.facts = &fact;
        e.fact_count = 1;
    }
    e.status.result = code < REPLY_ERROR ? OT_RESULT_OK : OT_RESULT_ERROR;
    e.status.code = code;
    if (code == REPLY_NOT_LOGGED_IN)
        e.status.name = "not_logged_in";
    s->is_secured |= code == REPLY_SECURED;
    emit_with(d, &e, s, s->last && s->operation == OP_AUTH);
}

static void ftp_dissect(struct dissect *d, struct reader r)
{
    struct state *s = d->state;
    uint8_t first = reader_peek(&r);
    if (first == TELNET)
        return;
    if (first == TLS_HANDSHAKE && s->last && !strcmp(verbs[s->last - 1].text, "auth"))
        s->is_secured = true; /* the server's agreement was not heard */
    if (s->is_secured && (first < '\n' || first > '~' || (first > '\r' && first < ' '))) {
        struct ot_event e = event_with(d, s);
        e.code[0] = CODE_REPLY;
        e.code[1] = e.function = REPLY_SECURED;
        e.name = "encrypted";
        e.direction = OT_ONEWAY;
        e.operation = OP_SESSION;
        e.flags |= OT_ENCRYPTED;
        if (!s->is_told)
            emit_event(d, &e);
        s->is_told = true;
        dissect_skip(d, UINT64_MAX);
        return;
    }
    struct text line = ascii_trim(ascii_of(r));
    if (line.size == 0)
        return;
    if (d->is_from_client)
        command(d, s, line);
    else
        reply(d, s, line);
}

const struct dissector dissector_ftp = {
    .name = "ftp",
    .spec = "RFC 959",
    .over = OVER_TCP,
    .ports = {21},
    .state_size = sizeof(struct state),
    .pdu_max = LINE_MAX,
    .begins_segments = true,
    .recognise = ftp_recognise,
    .frame = ftp_frame,
    .dissect = ftp_dissect,
};
