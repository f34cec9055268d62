/* codesys_v3.c: the runtime protocol of CODESYS V3, over TCP and UDP.
 *
 * Not published; the layout is what public research agrees on (PROTOCOLS 23.2). Little endian.
 *
 *   TCP      | 00 01 17 E8 4 | length with these eight bytes 4 | datagram |
 *   datagram | C5 1 | hops 5 bits, words of this header 3 | ? 1 | service 1 | message 1 | words of
 *            the addresses 1 | ... | addresses | filled up to four bytes | channel or name service
 * | channel  | type 1 | flags 1 | channel 2 | block 4 | acknowledged 4 | of a first block:
 * remaining size 4, checksum 4 | services | services | CD55 clear or 7557 secure 2 | header size 2
 * | group 1, high bit: response | ? 1 | service 2 | session 4 | content size 4 | customer 2 | 0 2 |
 * content |
 *
 * The header's size counts from the group on; groups of other customers than 0 are their own
 * ([PLC] library Plc Services of CODESYS, structure PlcServiceHeader). */
#include "dissector.h"

enum {
    BLOCK_HEADER = 8,
    LENGTH_MAX = 65536,
    DATAGRAM = 0xc5,
    DATAGRAM_FIXED = 6,
    HEADER_WORDS = 7,
    CHANNEL_HEADER = 12,
    FIRST_BLOCK_HEADER = 20,
    SERVICE_CLEAR = 0xcd55,
    SERVICE_SECURE = 0x7557,
    RESPONSE = 0x80,

    NAME_SERVER = 3,
    NAME_CLIENT = 4,
    CHANNEL = 64,

    GROUP_DEVICE = 1,
    LOGIN = 2,
    NAMES_MAX = 3,
    FACTS_MAX = 6,
    NAME_MAX = 64,
};

#define BLOCK_MAGIC UINT32_C(0x000117e8)

static const struct group {
    uint8_t code;
    enum operation operation;
    const char *name;
} groups[] = {
    {0x01, OP_SESSION,        "device"       },
    {0x02, OP_UNKNOWN,        "application"  },
    {0x04, OP_READ,           "visualisation"},
    {0x05, OP_DIAGNOSTICS,    "log"          },
    {0x06, OP_CONFIG_CHANGE,  "settings"     },
    {0x07, OP_DIAGNOSTICS,    "ethernet"     },
    {0x08, OP_FILE_READ,      "file"         },
    {0x09, OP_READ,           "variable"     },
    {0x0b, OP_DIAGNOSTICS,    "io_manager"   },
    {0x0c, OP_CONFIG_CHANGE,  "user_manager" },
    {0x0f, OP_DIAGNOSTICS,    "trace"        },
    {0x11, OP_CONTROL,        "shell"        },
    {0x12, OP_PROGRAM_MODIFY, "breakpoint"   },
    {0x13, OP_FORCE,          "force"        },
    {0x18, OP_ALARM,          "alarm"        },
    {0x1b, OP_READ,           "monitor"      },
    {0x1d, OP_DIAGNOSTICS,    "codemeter"    },
    {0x1f, OP_PROGRAM_UPLOAD, "core_dump"    },
    {0x22, OP_CONFIG_CHANGE,  "openssl"      },
};

/* Services with a meaning of their own. */
static const struct service {
    uint8_t group, code;
    enum operation operation;
    const char *name;
} services[] = {
    {0x01, 0x02, OP_AUTH,             "login"                    },
    {0x02, 0x01, OP_SESSION,          "login_application"        },
    {0x02, 0x02, OP_SESSION,          "logout_application"       },
    {0x02, 0x03, OP_PROGRAM_DOWNLOAD, "create_application"       },
    {0x02, 0x04, OP_PROGRAM_DELETE,   "delete_application"       },
    {0x02, 0x05, OP_PROGRAM_DOWNLOAD, "download"                 },
    {0x02, 0x06, OP_PROGRAM_DOWNLOAD, "online_change"            },
    {0x02, 0x07, OP_PROGRAM_DOWNLOAD, "device_download"          },
    {0x02, 0x08, OP_PROGRAM_DOWNLOAD, "create_device_application"},
    {0x02, 0x10, OP_START,            "start"                    },
    {0x02, 0x11, OP_STOP,             "stop"                     },
    {0x02, 0x12, OP_RESTART,          "reset"                    },
    {0x02, 0x13, OP_PROGRAM_MODIFY,   "set_breakpoint"           },
    {0x02, 0x14, OP_DIAGNOSTICS,      "read_status"              },
    {0x02, 0x15, OP_PROGRAM_MODIFY,   "delete_breakpoint"        },
    {0x02, 0x16, OP_DIAGNOSTICS,      "read_call_stack"          },
    {0x02, 0x17, OP_DIAGNOSTICS,      "get_area_offset"          },
    {0x02, 0x18, OP_BROWSE,           "read_application_list"    },
    {0x02, 0x19, OP_PROGRAM_MODIFY,   "set_next_statement"       },
    {0x02, 0x20, OP_FORCE,            "release_force_list"       },
    {0x02, 0x21, OP_READ,             "upload_force_list"        },
    {0x02, 0x22, OP_MODE_CHANGE,      "single_cycle"             },
    {0x02, 0x23, OP_PROGRAM_DOWNLOAD, "create_boot_project"      },
    {0x02, 0x24, OP_RESTART,          "reinitialise"             },
    {0x02, 0x25, OP_DIAGNOSTICS,      "read_state_list"          },
    {0x02, 0x26, OP_PROGRAM_DOWNLOAD, "load_boot_application"    },
    {0x02, 0x27, OP_PROGRAM_DOWNLOAD, "register_boot_application"},
    {0x02, 0x28, OP_DIAGNOSTICS,      "check_file_consistency"   },
    {0x02, 0x29, OP_IDENTIFY,         "read_application_info"    },
    {0x02, 0x30, OP_PROGRAM_DOWNLOAD, "download_compact"         },
    {0x02, 0x31, OP_IDENTIFY,         "read_project_info"        },
    {0x02, 0x32, OP_DIAGNOSTICS,      "define_flow"              },
    {0x02, 0x33, OP_DIAGNOSTICS,      "read_flow_values"         },
    {0x02, 0x34, OP_PROGRAM_DOWNLOAD, "download_encrypted"       },
    {0x02, 0x35, OP_PROGRAM_UPLOAD,   "read_application_content" },
    {0x02, 0x36, OP_FILE_WRITE,       "save_retains"             },
    {0x02, 0x37, OP_WRITE,            "restore_retains"          },
    {0x02, 0x38, OP_DIAGNOSTICS,      "get_area_address"         },
    {0x02, 0x39, OP_PROGRAM_MODIFY,   "leave_execution_points"   },
    {0x02, 0x40, OP_PROGRAM_MODIFY,   "claim_execution_points"   },
    {0x08, 0x05, OP_FILE_READ,        "read_file_start"          },
    {0x08, 0x07, OP_FILE_READ,        "read_file_next"           },
    {0x08, 0x08, OP_FILE_READ,        "close_file"               },
    {0x08, 0x0c, OP_FILE_READ,        "list_directory"           },
};

/* A message that carries a program, of which more blocks are to come. */
struct upcoming {
    uint32_t left; /* bytes; 0: none */
    uint16_t channel;
    uint16_t code;
};

struct state {
    struct upcoming upcoming[2]; /* 1: of the client */
    bool is_opened;              /* a channel; or told that none was */
};

struct message {
    struct dissect *d;
    uint16_t channel;
    struct ot_event event;
    struct reader pdu;
    struct ot_fact facts[FACTS_MAX];
};

static void v3_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, code[0] > 0xff ? "0x%04x" : "0x%02x", code[0]);
}

static void complain(struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

/* UTF-16 of so many letters and a zero. */
static struct text read_name(struct message *m, struct reader *r, size_t letters)
{
    struct reader name = reader_take(r, letters * 2);
    reader_skip(r, 2);
    char *out = reader_ok(r) && letters ? arena_take(m->d->arena, letters) : NULL;
    for (size_t i = 0; out && i < letters; i++) {
        uint16_t c = reader_u16le(&name);
        out[i] = c < 0x20 || c > 0x7e ? '?' : (char)c;
    }
    return (struct text){out, out ? letters : 0};
}

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    if (value.size && value.size <= NAME_MAX && m->event.fact_count < FACTS_MAX)
        m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->facts;
}

/* Version 4: | channels 2 | byte order 1 | difference 1 | sizes: parent 2 | letters of node name 2,
 * of device name 2, of vendor 2 | target type 4 | target id 4 | version 4 | flags 4 | sizes: serial
 * 1, maker's data 1 | driver 1 | 0, 9 | parent | the names as UTF-16, each with a zero | serial |
 */
static void identity(struct message *m, struct reader r)
{
    reader_skip(&r, 4);
    uint16_t parent = reader_u16le(&r);
    uint16_t node = reader_u16le(&r);
    uint16_t device = reader_u16le(&r);
    uint16_t vendor = reader_u16le(&r);
    uint32_t type = reader_u32le(&r);
    uint32_t target = reader_u32le(&r);
    uint32_t version = reader_u32le(&r);
    reader_skip(&r, 4);
    uint8_t serial_size = reader_u8(&r);
    reader_skip(&r, 11);
    reader_skip(&r, parent);
    add_fact(m, FACT_NAME, read_name(m, &r, node));
    add_fact(m, FACT_PRODUCT, read_name(m, &r, device));
    add_fact(m, FACT_VENDOR, read_name(m, &r, vendor));
    const char *serial = (const char *)reader_bytes(&r, serial_size);
    if (!reader_ok(&r)) {
        complain(m, VIOLATION_TRUNCATED, "device information is cut off");
        return;
    }
    add_fact(m, FACT_SERIAL, (struct text){serial, serial_size});
    if (version)
        add_fact(m, FACT_FIRMWARE,
                 dissect_text(m->d, "%u.%u.%u.%u", version >> 24, version >> 16 & 0xff,
                              version >> 8 & 0xff, version & 0xff));
    if (target)
        add_fact(m, FACT_DEVICE_TYPE, dissect_text(m->d, "target 0x%08x of type %u", target, type));
}

/* Of other versions: the first three texts of at least three letters, behind a header of another
 * length in each. */
static void names(struct message *m, struct reader r)
{
    static const enum fact_kind kinds[NAMES_MAX] = {FACT_NAME, FACT_PRODUCT, FACT_VENDOR};
    enum { LETTERS_MIN = 3 };
    uint32_t n = 0;
    while (n < NAMES_MAX && reader_left(&r) >= 2 * LETTERS_MIN) {
        struct reader name = r;
        size_t letters = 0;
        while (letters < NAME_MAX) {
            uint16_t c = reader_u16le(&name);
            if (c < 0x20 || c > 0x7e)
                break;
            letters++;
        }
        if (letters < LETTERS_MIN) {
            reader_skip(&r, 1);
            continue;
        }
        add_fact(m, kinds[n++], read_name(m, &r, letters));
    }
}

static bool name_service(struct message *m, uint8_t service, struct reader r)
{
    enum { DEVICE_INFO = 0xc280, VERSION_4 = 0x0400 };
    uint16_t sub = reader_u16le(&r);
    m->event.code[0] = m->event.function = reader_ok(&r) ? sub : service;
    m->event.operation = OP_DISCOVER;
    m->event.name = service == NAME_SERVER ? "name_server" : "name_client";
    m->event.direction = service == NAME_CLIENT ? OT_RESPONSE : OT_REQUEST;
    if (service != NAME_CLIENT || sub != DEVICE_INFO)
        return true;
    uint16_t version = reader_u16le(&r);
    reader_skip(&r, 4); /* number of the question */
    if (version == VERSION_4)
        identity(m, r);
    else
        names(m, r);
    return true;
}

static void login(struct message *m, struct reader content)
{
    if (reader_left(&content) == 0)
        return;
    m->event.secret = content.at;
    m->event.secret_size = reader_left(&content);
    m->event.flags |= OT_HAS_CREDENTIAL;
}

static const struct service *service_find(uint8_t group, uint16_t code)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i].group == group && services[i].code == code)
            return &services[i];
    return NULL;
}

/* A download's content goes with its request, an upload's with the answer. */
static bool carries_program(enum operation operation, bool is_response)
{
    return operation == (is_response ? OP_PROGRAM_UPLOAD : OP_PROGRAM_DOWNLOAD);
}

static void put_block(struct message *m, enum transfer_step step, struct reader content)
{
    m->event.transfer = (struct ot_transfer){
        .step = step,
        .operation = m->event.operation,
        .key = (uint64_t)m->channel << 16 | m->event.code[0],
        .bytes = content.at,
        .size = reader_left(&content),
    };
}

/* The first block of a message: its content may go on in others. */
static void program_begins(struct message *m, uint32_t size, struct reader content)
{
    struct state *s = m->d->state;
    size_t given = reader_left(&content);
    bool is_whole = given >= size;
    if (size == 0)
        return;
    put_block(m, is_whole ? TRANSFER_END : TRANSFER_BEGIN,
              reader_take(&content, is_whole ? size : given));
    m->event.transfer.declared_size = size;
    s->upcoming[m->d->is_from_client] = (struct upcoming){is_whole ? 0 : size - (uint32_t)given,
                                                          m->channel, (uint16_t)m->event.code[0]};
}

/* False: a later block of nothing that matters. */
static bool program_goes_on(struct message *m, struct reader content)
{
    struct state *s = m->d->state;
    struct upcoming *u = &s->upcoming[m->d->is_from_client];
    size_t given = reader_left(&content);
    if (u->left == 0 || u->channel != m->channel || given == 0)
        return false;
    const struct service *service = service_find((uint8_t)(u->code >> 8), u->code & 0xff);
    m->event.code[0] = m->event.function = u->code;
    m->event.operation = service ? service->operation : OP_UNKNOWN;
    m->event.name = service ? service->name : NULL;
    m->event.direction = m->event.operation == OP_PROGRAM_UPLOAD ? OT_RESPONSE : OT_REQUEST;
    bool is_last = given >= u->left;
    put_block(m, is_last ? TRANSFER_END : TRANSFER_BLOCK,
              reader_take(&content, is_last ? u->left : given));
    u->left -= is_last ? u->left : (uint32_t)given;
    return true;
}

/* One request at a time on a channel. */
static void match(struct message *m, bool is_response)
{
    size_t size;
    if (!is_response) {
        *(uint32_t *)dissect_remember(m->d, m->channel, sizeof(uint32_t), NULL) = m->event.code[0];
        return;
    }
    const uint32_t *asked = dissect_recall(m->d, m->channel, &size);
    if (!asked || *asked != m->event.code[0])
        m->event.flags |= OT_NO_REQUEST;
}

static bool service_layer(struct message *m, struct reader r)
{
    uint16_t protocol = reader_u16le(&r);
    uint16_t header_size = reader_u16le(&r);
    struct reader header = reader_take(&r, header_size);
    uint8_t group = reader_u8(&header);
    reader_skip(&header, 1);
    uint16_t code = reader_u16le(&header);
    uint32_t session = reader_u32le(&header);
    uint32_t content_size = reader_u32le(&header);
    bool is_short = !reader_ok(&header); /* the rest may be left out */
    bool is_of_maker = reader_u16le(&header) == 0;
    if (is_short || !reader_ok(&r)) {
        complain(m, VIOLATION_TRUNCATED, "service header is cut off");
        return false;
    }
    m->event.transaction = session;
    m->event.has_transaction = true;
    bool is_response = group & RESPONSE;
    group &= (uint8_t)~RESPONSE;
    m->event.direction = is_response ? OT_RESPONSE : OT_REQUEST;
    if (is_response)
        m->event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    const struct group *g = NULL;
    for (size_t i = 0; is_of_maker && !g && i < sizeof groups / sizeof *groups; i++)
        g = groups[i].code == group ? &groups[i] : NULL;
    const struct service *s = is_of_maker ? service_find(group, code) : NULL;
    m->event.code[0] = m->event.function = (uint32_t)group << 8 | (code & 0xff);
    m->event.operation = s ? s->operation : g ? g->operation : OP_UNKNOWN;
    m->event.name = s ? s->name : g ? g->name : NULL;
    if (protocol == SERVICE_SECURE)
        m->event.flags |= OT_ENCRYPTED;
    else if (!g && is_of_maker)
        complain(m, VIOLATION_FUNCTION, "service group is not defined");
    else if (group == GROUP_DEVICE && code == LOGIN && !is_response)
        login(m, r);
    match(m, is_response);
    if (s && carries_program(s->operation, is_response))
        program_begins(m, content_size, r);
    return true;
}

/* False: nothing worth a line (acknowledgement, keep-alive, later blocks of a message). */
static bool channel_layer(struct message *m, struct reader r)
{
    enum {
        BLOCK = 1,
        ACKNOWLEDGE = 2,
        KEEP_ALIVE = 3,
        GET_INFO = 0xc2,
        OPEN = 0xc3,
        OPENED = 0x83,
        CLOSE = 0xc4
    };
    struct reader whole = r;
    uint8_t type = reader_u8(&r);
    reader_skip(&r, 1);
    m->channel = reader_u16le(&r);
    if (type == ACKNOWLEDGE || type == KEEP_ALIVE)
        return false;
    struct state *s = m->d->state;
    bool is_opening = type == OPEN || type == OPENED;
    if (type == BLOCK && !s->is_opened && m->d->flow->is_start_seen && !m->d->flow->has_gap &&
        m->d->flow->transport == TRANSPORT_TCP)
        complain(m, VIOLATION_STATE, "service before a channel is open");
    s->is_opened |= is_opening || type == BLOCK;
    if (type == BLOCK) {
        static const size_t places[] = {FIRST_BLOCK_HEADER, CHANNEL_HEADER};
        for (size_t i = 0; i < 2; i++) {
            struct reader services_at = whole;
            reader_skip(&services_at, places[i]);
            struct reader peek = services_at;
            uint16_t protocol = reader_u16le(&peek);
            if (reader_ok(&peek) && (protocol == SERVICE_CLEAR || protocol == SERVICE_SECURE))
                return service_layer(m, services_at);
        }
        reader_skip(&whole, CHANNEL_HEADER);
        return reader_ok(&whole) && program_goes_on(m, whole);
    }
    m->event.code[0] = m->event.function = type;
    m->event.operation = OP_SESSION;
    m->event.name = type == GET_INFO ? "get_info"
                    : type == OPEN   ? "open_channel"
                    : type == OPENED ? "channel_opened"
                    : type == CLOSE  ? "close_channel"
                                     : NULL;
    if (type == OPENED)
        m->event.direction = OT_RESPONSE;
    if (!m->event.name)
        complain(m, VIOLATION_FUNCTION, "channel packet of unknown type");
    return true;
}

static void v3_dissect(struct dissect *d, struct reader r)
{
    struct message m;
    m.d = d;
    m.pdu = r;
    struct reader peek = r;
    if (reader_u32be(&peek) == BLOCK_MAGIC) {
        reader_skip(&peek, 4);
        r = peek;
    }
    uint8_t magic = reader_u8(&r);
    uint8_t hops = reader_u8(&r);
    reader_skip(&r, 1);
    uint8_t service = reader_u8(&r);
    reader_skip(&r, 1);
    uint8_t lengths = reader_u8(&r);
    size_t header = 2u * (hops & HEADER_WORDS); /* broadcasts have two bytes more */
    if (header < DATAGRAM_FIXED)
        header = DATAGRAM_FIXED;
    size_t addresses = 2u * ((lengths >> 4) + (lengths & 15u));
    reader_skip(&r, (header + addresses + 3) / 4 * 4 - DATAGRAM_FIXED);
    if (!reader_ok(&r) || magic != DATAGRAM) {
        complain(&m, VIOLATION_TRUNCATED, "datagram header is cut off");
        return;
    }
    if (hops >> 3 == 0)
        complain(&m, VIOLATION_RANGE, "hop count is used up");
    event_start(&m.event, d);
    m.event.spell = v3_spell;
    bool is_told = false;
    if (service == CHANNEL)
        is_told = channel_layer(&m, r);
    else if (service == NAME_SERVER || service == NAME_CLIENT)
        is_told = name_service(&m, service, r);
    if (is_told)
        emit_event(d, &m.event);
}

static struct frame v3_frame(struct reader r)
{
    size_t given = reader_left(&r);
    if (given && reader_peek(&r) == DATAGRAM) /* over UDP there is no block */
        return given < DATAGRAM_FIXED ? frame_need(DATAGRAM_FIXED) : frame_of(given);
    uint32_t magic = reader_u32be(&r);
    uint32_t length = reader_u32le(&r);
    if (!reader_ok(&r))
        return frame_need(BLOCK_HEADER);
    if (magic != BLOCK_MAGIC)
        return frame_broken("no CODESYS V3 block");
    if (length < BLOCK_HEADER + DATAGRAM_FIXED || length > LENGTH_MAX)
        return frame_broken("CODESYS V3 length out of range");
    return given < length ? frame_need(length) : frame_of(length);
}

static enum claim v3_recognise(struct reader r)
{
    static const uint8_t magic[] = {0x00, 0x01, 0x17, 0xe8};
    size_t given = reader_left(&r);
    if (given && memcmp(r.at, magic, given < sizeof magic ? given : sizeof magic) == 0)
        return given < sizeof magic ? CLAIM_MORE : CLAIM_YES;
    if (reader_u8(&r) != DATAGRAM)
        return CLAIM_NO;
    reader_skip(&r, 2);
    uint8_t service = reader_u8(&r);
    reader_skip(&r, 2);
    bool is_known = service == 1 || service == 2 || service == NAME_SERVER ||
                    service == NAME_CLIENT || service == CHANNEL;
    return reader_ok(&r) && given >= 12 && is_known ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_codesys_v3 = {
    .name = "codesys_v3",
    .spec = "not published; PROTOCOLS 23.2",
    .over = OVER_TCP | OVER_UDP,
    .ports = {11740, 11741, 11742, 11743, 1740, 1741, 1742, 1743, 1217},
    .state_size = sizeof(struct state),
    .pdu_max = LENGTH_MAX,
    .recognise = v3_recognise,
    .frame = v3_frame,
    .dissect = v3_dissect,
};
