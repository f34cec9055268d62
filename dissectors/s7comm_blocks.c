/* s7comm_blocks.c: download, upload and program invocation services.
 *
 *   name:      | '_' 1 | type 2 ASCII | number 5 ASCII | file system 1: P passive, A active, B both
 * | 0x1a:      | status 1 | ? 2 | id 4 | size 1, name | size 1, =13, '1', load memory 6, code 6 |
 *   0x1b:      | status 1 | ? 2 | id 4 | size 1, name |     sent by the controller
 *   0x1c:      | status 1 | error 2 | id 4 | size 1, name | sent by the controller
 *   0x1d:      | status 1 | ? 2 | id 4 | size 1, name |, answer: | status 1 | ? 2 | id 4 | size 1,
 * length | 0x1e:      | status 1 | ? 2 | id 4 |     0x1f: | status 1 | error 2 | id 4 | blocks: |
 * size 2 | 0x00fb 2 | bytes | in the data of the answers to 0x1b and 0x1e 0x28:      | ? 7 | size
 * 2, argument | size 1, name of the service | 0x29:      | ? 5 | size 1, name of the service |
 *
 * PROTOCOLS 6 "Block file name", "PI services". */
#include "s7comm_blocks.h"

#include "sensor/base/hash.h"

enum {
    NAME_SIZE = 9,       /* '_', type, number, file system */
    PI_BLOCK_SIZE = 8,   /* the same without '_' */
    SIZES_SIZE = 13,     /* '1', two numbers of 6 digits */
    STATUS_ERROR = 0x02, /* of a function status */
    ARGUMENT_SHOWN = 80, /* characters of a PI service's argument in the detail */
};

#define KEY_UPLOAD ((uint64_t)1 << 40) /* upload ids stand apart from names */

/* --- names --- */

const char *s7comm_block_type(uint8_t type)
{
    switch (type) {
    case '8':
        return "OB";
    case '9':
        return "CMOD";
    case 'A':
        return "DB";
    case 'B':
        return "SDB";
    case 'C':
        return "FC";
    case 'D':
        return "SFC";
    case 'E':
        return "FB";
    case 'F':
        return "SFB";
    default:
        return NULL;
    }
}

/* Decimal digits; false when there is another character or none. */
static bool parse_digits(struct text text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || i == 15)
            return false;
        *number = *number * 10 + (uint64_t)(text.at[i] - '0');
    }
    return text.size > 0;
}

static struct text text_part(struct text text, size_t from, size_t size)
{
    return (struct text){text.at + from, size};
}

static const char *parse_block(struct text name, uint64_t *number)
{
    if (name.size < PI_BLOCK_SIZE - 1 || name.at[0] != '0' ||
        !parse_digits(text_part(name, 2, 5), number))
        return NULL;
    return s7comm_block_type((uint8_t)name.at[1]);
}

struct text s7comm_block_name(struct dissect *d, struct text name)
{
    uint64_t number;
    if (name.size == NAME_SIZE && (name.at[0] == '_' || name.at[0] == '$'))
        name = text_part(name, 1, NAME_SIZE - 1);
    const char *type = parse_block(name, &number);
    if (!type)
        return name;
    return dissect_text(d, "%s%u", type, (unsigned)number);
}

struct ot_item *s7comm_block_item(struct dissect *d, struct ot_event *event, struct text name)
{
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    if (!item)
        return NULL;
    item->area = "block";
    item->name = name;
    item->count = 1;
    event->items = item;
    event->item_count = event->items_total = 1;
    return item;
}

/* | size 1 | name | */
static struct text read_name(struct reader *r)
{
    uint8_t size = reader_u8(r);
    struct reader name = reader_take(r, size);
    return (struct text){(const char *)name.at, reader_left(&name)};
}

static bool is_system_data(struct text name)
{
    return name.size >= 3 && memcmp(name.at, "SDB", 3) == 0;
}

static bool is_printable(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] < ' ' || text.at[i] > '~')
            return false;
    return true;
}

/* --- download and upload --- */

static void too_short(struct dissect *d, const struct s7comm_pdu *pdu)
{
    emit_violation(d, VIOLATION_LENGTH, "parameter of a block function is too short",
                   pdu->parameter.at, reader_left(&pdu->parameter));
}

static void set_transfer(struct ot_event *event, enum transfer_step step, uint64_t key,
                         struct text name)
{
    event->transfer.step = step;
    event->transfer.operation = event->operation;
    event->transfer.key = key;
    event->transfer.name = name;
}

static uint64_t name_key(struct text name)
{
    return hash_bytes(name.at, name.size) | KEY_UPLOAD << 1;
}

/* 0x1a, 0x1b, 0x1c. The raw name of a request is kept: the controller repeats it in its own jobs.
 */
static void request_download(struct dissect *d, const struct s7comm_pdu *pdu,
                             struct ot_event *event)
{
    struct s7comm_state *s = d->state;
    struct reader r = pdu->parameter;
    reader_skip(&r, 1); /* status */
    uint16_t error = reader_u16be(&r);
    reader_skip(&r, 4);
    struct text raw = read_name(&r);
    if (!reader_ok(&r)) {
        too_short(d, pdu);
        return;
    }
    struct text name = s7comm_block_name(d, raw);
    (void)s7comm_block_item(d, event, name);
    const char *what = is_system_data(name) ? ": system data (hardware configuration)" : "";
    switch (event->function) {
    case S7COMM_REQUEST_DOWNLOAD: {
        uint64_t load = 0, code = 0;
        struct text sizes = read_name(&r);
        set_transfer(event, TRANSFER_BEGIN, name_key(raw), name);
        if (sizes.size == SIZES_SIZE && parse_digits(text_part(sizes, 1, 6), &load) &&
            parse_digits(text_part(sizes, 7, 6), &code)) {
            event->transfer.declared_size = load;
            event->detail =
                dissect_text(d, "%.*s%s, %u bytes of load memory, %u bytes of code", (int)name.size,
                             name.at, what, (unsigned)load, (unsigned)code);
        }
        s->is_downloading = true;
        s->download_size = raw.size < S7COMM_NAME_MAX ? (uint8_t)raw.size : S7COMM_NAME_MAX;
        if (raw.size)
            memcpy(s->download, raw.at, s->download_size);
        break;
    }
    case S7COMM_DOWNLOAD_ENDED:
        set_transfer(event, error ? TRANSFER_ABORT : TRANSFER_END, name_key(raw), name);
        if (error)
            event->detail =
                dissect_text(d, "%.*s ended with error 0x%04x", (int)name.size, name.at, error);
        break;
    default:
        break;
    }
    if (!event->detail.size && *what)
        event->detail = dissect_text(d, "%.*s%s", (int)name.size, name.at, what);
}

/* The controller asks for each block of a download; a job like that from the client is a mistake or
 * a forgery. */
static void check_download_role(struct dissect *d, const struct ot_event *event)
{
    struct s7comm_state *s = d->state;
    if (d->is_from_client && d->flow->is_role_known)
        emit_violation(d, VIOLATION_DIRECTION, "the client sent a download job of the controller",
                       event->telling, event->telling_size);
    if (!s->is_downloading && d->flow->is_start_seen)
        emit_violation(d, VIOLATION_STATE, "download job without a requested download",
                       event->telling, event->telling_size);
    if (event->function == S7COMM_DOWNLOAD_ENDED)
        s->is_downloading = false;
}

static void request_upload(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event)
{
    struct reader r = pdu->parameter;
    reader_skip(&r, 1); /* status */
    uint16_t error = reader_u16be(&r);
    uint32_t id = reader_u32be(&r);
    if (event->function == S7COMM_START_UPLOAD) {
        struct text raw = read_name(&r);
        struct text name = s7comm_block_name(d, raw);
        (void)s7comm_block_item(d, event, name); /* the transfer begins with the answer's id */
    } else if (event->function == S7COMM_END_UPLOAD && reader_ok(&r)) {
        set_transfer(event, error ? TRANSFER_ABORT : TRANSFER_END, KEY_UPLOAD | id, TEXT(""));
    }
    if (!reader_ok(&r))
        too_short(d, pdu);
}

/* --- program invocation --- */

enum argument {
    ARGUMENT_TEXT,   /* one text */
    ARGUMENT_BLOCKS, /* | count 1 | 0 | names, 8 each | */
    ARGUMENT_LIST,   /* texts with their sizes (Sinumerik) */
    ARGUMENT_SECRET, /* the same, with a password */
};

static const struct service {
    const char *name;
    enum operation operation;
    enum argument argument;
    const char *words;
} services[] = {
    {"_INSE",     OP_PROGRAM_MODIFY, ARGUMENT_BLOCKS, "activates"                       },
    {"_INS2",     OP_PROGRAM_MODIFY, ARGUMENT_BLOCKS, "activates"                       },
    {"_DELE",     OP_PROGRAM_DELETE, ARGUMENT_BLOCKS, "deletes"                         },
    {"P_PROGRAM", OP_START,          ARGUMENT_TEXT,   "starts the program"              },
    {"_MODU",     OP_PROGRAM_MODIFY, ARGUMENT_TEXT,   "copies RAM to ROM"               },
    {"_GARB",     OP_PROGRAM_MODIFY, ARGUMENT_TEXT,   "compresses the memory"           },
    {"_N_LOGIN_", OP_AUTH,           ARGUMENT_SECRET, "logs in"                         },
    {"_N_LOGOUT", OP_AUTH,           ARGUMENT_LIST,   "logs out"                        },
    {"_N_NEWPWD", OP_CONFIG_CHANGE,  ARGUMENT_SECRET, "sets a password"                 },
    {"_N_F_DELE", OP_FILE_DELETE,    ARGUMENT_LIST,   "deletes a file"                  },
    {"_N_F_DELR", OP_FILE_DELETE,    ARGUMENT_LIST,   "deletes a file"                  },
    {"_N_DELVAR", OP_FILE_DELETE,    ARGUMENT_LIST,   "deletes a variable"              },
    {"_N_F_OPEN", OP_FILE_READ,      ARGUMENT_LIST,   "opens a file for reading"        },
    {"_N_F_OPER", OP_FILE_READ,      ARGUMENT_LIST,   "opens a file for reading"        },
    {"_N_F_CLOS", OP_FILE_READ,      ARGUMENT_LIST,   "closes a file"                   },
    {"_N_F_SEEK", OP_FILE_READ,      ARGUMENT_LIST,   "searches a file"                 },
    {"_N_F_XFER", OP_FILE_WRITE,     ARGUMENT_LIST,   "transfers a file"                },
    {"_N_F_COPY", OP_FILE_WRITE,     ARGUMENT_LIST,   "copies a file"                   },
    {"_N_F_RENA", OP_FILE_WRITE,     ARGUMENT_LIST,   "renames a file"                  },
    {"_N_F_PROT", OP_CONFIG_CHANGE,  ARGUMENT_LIST,   "changes the protection of a file"},
    {"_N_SELECT", OP_PROGRAM_MODIFY, ARGUMENT_LIST,   "selects a program"               },
    {"_N_EXTERN", OP_PROGRAM_MODIFY, ARGUMENT_LIST,   "selects an external program"     },
    {"_N_EXTMOD", OP_PROGRAM_MODIFY, ARGUMENT_LIST,   "selects an external program"     },
    {"_N_ASUP__", OP_PROGRAM_MODIFY, ARGUMENT_LIST,   "assigns an interrupt program"    },
    {"_N_STRTLK", OP_MODE_CHANGE,    ARGUMENT_LIST,   "sets the start lock"             },
    {"_N_STRTUL", OP_MODE_CHANGE,    ARGUMENT_LIST,   "resets the start lock"           },
    {"_N_NCKMOD", OP_MODE_CHANGE,    ARGUMENT_LIST,   "changes the mode of the NC"      },
    {"_N_IBN_SS", OP_MODE_CHANGE,    ARGUMENT_LIST,   "sets the set-up switch"          },
    {"_N_CONFIG", OP_CONFIG_CHANGE,  ARGUMENT_LIST,   "activates machine data"          },
    {"_N_SCALE_", OP_CONFIG_CHANGE,  ARGUMENT_LIST,   "changes the unit of measure"     },
    {"_N_SETUFR", OP_CONFIG_CHANGE,  ARGUMENT_LIST,   "activates a frame"               },
    {"_N_",       OP_CONFIG_CHANGE,  ARGUMENT_LIST,   "changes tool or NC data"         }, /* the rest */
};

static const struct service *service_of(struct text name)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        size_t size = strlen(services[i].name);
        bool is_rest = i + 1 == sizeof services / sizeof *services;
        if ((is_rest ? name.size >= size : name.size == size) &&
            memcmp(name.at, services[i].name, size) == 0)
            return &services[i];
    }
    return NULL;
}

/* The argument for people: what is not printable becomes a space. */
static struct text printable(struct dissect *d, struct reader r)
{
    size_t size = reader_left(&r) < ARGUMENT_SHOWN ? reader_left(&r) : ARGUMENT_SHOWN;
    char *out = size ? arena_take(d->arena, size) : NULL;
    if (!out)
        return TEXT("");
    for (size_t i = 0; i < size; i++) {
        uint8_t c = reader_u8(&r);
        out[i] = c >= ' ' && c <= '~' ? (char)c : ' ';
    }
    return (struct text){out, size};
}

/* | count 1 | 0 1 | names | */
static void service_blocks(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event,
                           struct reader r, const struct service *service)
{
    uint32_t count = reader_u8(&r);
    reader_skip(&r, 1);
    if (!reader_ok(&r) || reader_left(&r) != (size_t)count * PI_BLOCK_SIZE)
        emit_violation(d, VIOLATION_COUNT, "block list of a PI service does not fit its count",
                       pdu->parameter.at, reader_left(&pdu->parameter));
    if (count > reader_left(&r) / PI_BLOCK_SIZE)
        count = (uint32_t)(reader_left(&r) / PI_BLOCK_SIZE);
    uint32_t room = count;
    struct ot_item *items = dissect_items(d, &room);
    for (uint32_t i = 0; i < room; i++) {
        struct reader name = reader_take(&r, PI_BLOCK_SIZE);
        items[i].area = "block";
        items[i].count = 1;
        items[i].name = s7comm_block_name(d, (struct text){(const char *)name.at, PI_BLOCK_SIZE});
    }
    event->items = items;
    event->item_count = room;
    event->items_total = count;
    if (room) {
        struct text first = items[0].name;
        event->detail =
            dissect_text(d, "%s %s %.*s%s%s", service->name, service->words, (int)first.size,
                         first.at, count > 1 ? " and others" : "",
                         is_system_data(first) ? ": system data (hardware configuration)" : "");
    }
}

static void pi_service(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event)
{
    struct reader r = pdu->parameter;
    reader_skip(&r, 7);
    uint16_t size = reader_u16be(&r);
    struct reader argument = reader_take(&r, size);
    struct text name = read_name(&r);
    if (!reader_ok(&r)) {
        too_short(d, pdu);
        return;
    }
    const struct service *service = service_of(name);
    bool is_text = is_printable(name);
    struct text shown = printable(d, argument);
    event->operation = service ? service->operation : OP_UNKNOWN;
    event->detail = name;
    if (!service) {
        if (name.size && is_text)
            event->detail = dissect_text(d, "PI service %.*s", (int)name.size, name.at);
    } else if (service->argument == ARGUMENT_BLOCKS) {
        service_blocks(d, pdu, event, argument, service);
    } else if (service->argument == ARGUMENT_SECRET) {
        event->flags |= OT_HAS_CREDENTIAL;
        event->secret = argument.at;
        event->secret_size = size;
        event->detail = dissect_text(d, "%.*s %s", (int)name.size, name.at, service->words);
    } else {
        const char *words = service->words;
        if (service->operation == OP_START) { /* P_PROGRAM */
            words = size == 2 && argument.at[0] == 'C' ? "cold start" : "warm start";
            shown = TEXT("");
        }
        is_text &= service->argument != ARGUMENT_TEXT ||
                   is_printable((struct text){(const char *)argument.at, size});
        event->detail = dissect_text(d, "%.*s %s%s%.*s", (int)name.size, name.at, words,
                                     shown.size ? ": " : "", (int)shown.size, shown.at);
    }
    if (!is_text)
        emit_violation(d, VIOLATION_ENCODING, "PI service is not ASCII", pdu->parameter.at,
                       reader_left(&pdu->parameter));
}

static void plc_stop(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event)
{
    struct reader r = pdu->parameter;
    reader_skip(&r, 5);
    event->detail = read_name(&r);
    if (!reader_ok(&r))
        too_short(d, pdu);
    else if (!is_printable(event->detail))
        emit_violation(d, VIOLATION_ENCODING, "PI service is not ASCII", pdu->parameter.at,
                       reader_left(&pdu->parameter));
}

/* --- both ways --- */

void s7comm_blocks_request(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event)
{
    switch (event->function) {
    case S7COMM_DOWNLOAD_BLOCK:
    case S7COMM_DOWNLOAD_ENDED:
        request_download(d, pdu, event);
        check_download_role(d, event);
        break;
    case S7COMM_REQUEST_DOWNLOAD:
        request_download(d, pdu, event);
        break;
    case S7COMM_PI_SERVICE:
        pi_service(d, pdu, event);
        break;
    case S7COMM_PLC_STOP:
        plc_stop(d, pdu, event);
        break;
    default:
        request_upload(d, pdu, event);
        break;
    }
}

/* | size 2 | ? 2 | bytes | */
static void set_block_bytes(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event)
{
    struct reader r = pdu->data;
    size_t size = reader_u16be(&r);
    reader_skip(&r, 2);
    if (!reader_ok(&r) || size > reader_left(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "block is longer than the PDU", pdu->data.at,
                       reader_left(&pdu->data));
        size = reader_left(&r);
    }
    struct reader bytes = reader_take(&r, size);
    event->transfer.bytes = bytes.at;
    event->transfer.size = reader_left(&bytes);
}

/* What an answer repeats of its request: service, blocks and words, without judging them again. */
static void response_of_service(struct dissect *d, struct ot_event *event,
                                const struct s7comm_request *request)
{
    struct reader r = reader_of(request->parameter, request->size);
    if (request->function == S7COMM_PLC_STOP) {
        reader_skip(&r, 5);
        event->detail = read_name(&r);
        return;
    }
    reader_skip(&r, 7);
    uint16_t size = reader_u16be(&r);
    struct reader argument = reader_take(&r, size);
    struct text name = read_name(&r);
    const struct service *service = reader_ok(&r) ? service_of(name) : NULL;
    event->operation = service ? service->operation : OP_UNKNOWN;
    event->detail = name;
    if (service && service->argument == ARGUMENT_BLOCKS && size >= 2 + PI_BLOCK_SIZE) {
        reader_skip(&argument, 2);
        struct text first = {(const char *)argument.at, PI_BLOCK_SIZE};
        (void)s7comm_block_item(d, event, s7comm_block_name(d, first));
    }
}

static void response_of_transfer(struct dissect *d, const struct s7comm_pdu *pdu,
                                 struct ot_event *event, const struct s7comm_request *request)
{
    struct reader r = reader_of(request->parameter, request->size);
    bool is_error = event->status.result == OT_RESULT_ERROR;
    reader_skip(&r, 3); /* status, error */
    uint32_t id = reader_u32be(&r);
    struct text raw = read_name(&r);
    bool has_name = reader_ok(&r) && raw.size;
    struct text name = has_name ? s7comm_block_name(d, raw) : TEXT("");
    if (has_name)
        (void)s7comm_block_item(d, event, name);
    switch (event->function) {
    case S7COMM_REQUEST_DOWNLOAD:
        if (is_error)
            set_transfer(event, TRANSFER_ABORT, name_key(raw), name);
        break;
    case S7COMM_DOWNLOAD_BLOCK:
        set_transfer(event, is_error ? TRANSFER_ABORT : TRANSFER_BLOCK, name_key(raw), name);
        if (!is_error)
            set_block_bytes(d, pdu, event);
        break;
    case S7COMM_START_UPLOAD: {
        struct reader answer = pdu->parameter;
        reader_skip(&answer, 3);
        id = reader_u32be(&answer);
        uint64_t declared = 0;
        struct text length = read_name(&answer);
        if (is_error)
            break;
        if (!reader_ok(&answer) || !parse_digits(length, &declared))
            too_short(d, pdu);
        set_transfer(event, TRANSFER_BEGIN, KEY_UPLOAD | id, name);
        event->transfer.declared_size = declared;
        break;
    }
    case S7COMM_UPLOAD:
        set_transfer(event, is_error ? TRANSFER_ABORT : TRANSFER_BLOCK, KEY_UPLOAD | id, TEXT(""));
        if (!is_error)
            set_block_bytes(d, pdu, event);
        break;
    default:
        break;
    }
}

/* The bytes of a download whose job was lost still belong to the one that runs. */
static void response_unasked(struct dissect *d, const struct s7comm_pdu *pdu,
                             struct ot_event *event)
{
    const struct s7comm_state *s = d->state;
    if (event->function != S7COMM_DOWNLOAD_BLOCK || !s->is_downloading)
        return;
    struct text raw = {s->download, s->download_size};
    set_transfer(event, TRANSFER_BLOCK, name_key(raw), s7comm_block_name(d, raw));
    set_block_bytes(d, pdu, event);
}

void s7comm_blocks_response(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event,
                            const struct s7comm_request *request)
{
    struct reader status = pdu->parameter;
    bool is_transfer = event->function <= S7COMM_END_UPLOAD;
    if (is_transfer && pdu->rosctr == S7COMM_ACK_DATA && reader_u8(&status) & STATUS_ERROR &&
        event->status.result == OT_RESULT_OK)
        event->status = (struct ot_status){OT_RESULT_ERROR, 0, "function_status"};
    if (!request)
        response_unasked(d, pdu, event);
    else if (is_transfer)
        response_of_transfer(d, pdu, event, request);
    else
        response_of_service(d, event, request);
}
