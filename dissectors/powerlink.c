/* powerlink.c: Ethernet POWERLINK: the cycle, node management and object access.
 *
 * Spec: [EPSG] EPSG DS 301 V1.3.0; PROTOCOLS 29
 *
 *   | message type 1 | destination 1 | source 1 | by type |
 *   start of cycle (1)    | 0 1 | flags 1 | 0 1 | net time 8 | relative time 8 |
 *   poll request (3)      | 0 1 | flags 2 | PDO version 1 | 0 1 | size 2 | size bytes |
 *   poll response (4)     | state 1 | flags 2 | PDO version 1 | 0 1 | size 2 | size bytes |
 *   start of async. (5)   | state 1 | flags 1 | 0 1 | service 1 | target 1 | version 1 |
 *   asynchronous (6)      | service 1 | by service |
 *   SDO (service 5)       | received 1 | sent 1 | 0 2 | 0 1 | transaction 1 | flags 1 | command 1 |
 *                         | size 2 | 0 2 | index 2 | subindex 1 | 0 1 | data |
 *
 * little endian. SDO also over UDP. */
#include "dissector.h"

enum message_type { SOC = 1, PREQ = 3, PRES = 4, SOA = 5, ASND = 6, AMNI = 7, AINV = 13 };
enum service { IDENT = 1, STATUS = 2, NMT_REQUEST = 3, NMT_COMMAND = 4, SDO = 5, SYNC = 6 };

enum {
    TYPE_MASK = 0x7f,
    MANAGING_NODE = 240,
    SDO_RESPONSE = 0x80,
    SDO_ABORT = 0x40,
    SDO_SEGMENT = 0x30,
    SDO_INITIATE = 0x10,
    WRITE_BY_INDEX = 0x01,
    READ_BY_INDEX = 0x02,
    INDEX_IDENTITY = 0x1018,
    HOST_NAME_SIZE = 32,
    NODES = 256,
    FACTS_MAX = 8,
};

struct epl_state {
    uint8_t states[NODES]; /* last told NMT state of a node; 0: not told */
};

/* What is kept of an SDO request. */
struct asked {
    uint16_t index;
    uint8_t sub, command;
    enum operation operation;
};

struct frame_of_epl {
    struct dissect *d;
    struct ot_event event;
    struct ot_item item;
    struct ot_fact facts[FACTS_MAX];
    uint8_t source;
};

static const struct nmt_row {
    uint8_t code;
    enum operation operation;
    const char *name;
} nmt_commands[] = {
    {0x20, OP_MODE_CHANGE,   "nmt_request_self"           },
    {0x21, OP_START,         "start_node"                 },
    {0x22, OP_STOP,          "stop_node"                  },
    {0x23, OP_MODE_CHANGE,   "enter_pre_operational_2"    },
    {0x24, OP_MODE_CHANGE,   "enable_ready_to_operate"    },
    {0x28, OP_RESTART,       "reset_node"                 },
    {0x29, OP_RESTART,       "reset_communication"        },
    {0x2a, OP_RESTART,       "reset_configuration"        },
    {0x2b, OP_RESTART,       "software_reset"             },
    {0x2d, OP_SESSION,       "do_not_answer"              },
    {0x41, OP_START,         "start_nodes"                },
    {0x42, OP_STOP,          "stop_nodes"                 },
    {0x43, OP_MODE_CHANGE,   "enter_pre_operational_2_all"},
    {0x44, OP_MODE_CHANGE,   "enable_ready_to_operate_all"},
    {0x48, OP_RESTART,       "reset_nodes"                },
    {0x49, OP_RESTART,       "reset_communications"       },
    {0x4a, OP_RESTART,       "reset_configurations"       },
    {0x4b, OP_RESTART,       "software_resets"            },
    {0x62, OP_CONFIG_CHANGE, "set_host_name"              },
    {0x63, OP_NETMGMT,       "flush_arp_entry"            },
    {0x80, OP_PUBLISH,       "publish_configured_nodes"   },
    {0x90, OP_PUBLISH,       "publish_active_nodes"       },
    {0xa0, OP_PUBLISH,       "publish_emergency_new"      },
    {0xb0, OP_PUBLISH,       "publish_time"               },
};

static const char *const message_names[] = {
    [SOC] = "start_of_cycle", [PREQ] = "poll_request",      [PRES] = "poll_response",
    [SOA] = "start_of_async", [ASND] = "asynchronous_send", [AMNI] = "active_managing_node",
    [AINV] = "async_invite",
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == SOA)
        text_format(out, OT_CODE_SIZE, "mtyp=5,svid=%u", code[1]);
    else if (code[0] == ASND)
        text_format(out, OT_CODE_SIZE, "mtyp=6,svid=0x%02x", code[1]);
    else
        text_format(out, OT_CODE_SIZE, "mtyp=%u", code[0]);
}

static const char *state_name(uint8_t state)
{
    switch (state) {
    case 0x19:
        return "initialising";
    case 0x1c:
        return "not_active";
    case 0x1d:
        return "pre-operational-1";
    case 0x1e:
        return "basic_ethernet";
    case 0x29:
        return "reset_application";
    case 0x39:
        return "reset_communication";
    case 0x4d:
        return "stopped";
    case 0x5d:
        return "pre-operational-2";
    case 0x6d:
        return "ready_to_operate";
    case 0x79:
        return "reset_configuration";
    case 0xfd:
        return "operational";
    default:
        return NULL;
    }
}

static void add_fact(struct frame_of_epl *f, enum fact_kind kind, struct text value)
{
    if (value.size == 0 || f->event.fact_count == FACTS_MAX)
        return;
    f->facts[f->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    f->event.facts = f->facts;
}

static void put_item(struct frame_of_epl *f)
{
    f->event.items = &f->item;
    f->event.item_count = f->event.items_total = 1;
}

static struct text trimmed(struct reader r)
{
    size_t size = 0;
    while (size < reader_left(&r) && r.at[size])
        size++;
    return size ? (struct text){(const char *)r.at, size} : (struct text){NULL, 0};
}

/* A node's state, in words only when it is news. */
static void node_state(struct frame_of_epl *f, uint8_t state)
{
    struct epl_state *s = f->d->state;
    if (s->states[f->source] == state)
        return;
    s->states[f->source] = state;
    const char *name = state_name(state);
    if (!name)
        return;
    f->event.unit = dissect_text(f->d, "%u", f->source);
    f->event.detail = text_of(name);
    add_fact(f, FACT_MODE, text_of(name));
}

/* --- cycle --- */

static void process_data(struct frame_of_epl *f, uint8_t node, struct reader r)
{
    reader_skip(&r, 4); /* flags, PDO version, reserved */
    const uint8_t *at = r.at;
    uint16_t size = reader_u16le(&r);
    if (!reader_ok(&r) || size > reader_left(&r)) {
        emit_violation(f->d, VIOLATION_LENGTH, "process data longer than its frame",
                       reader_ok(&r) ? at : NULL, reader_ok(&r) ? 2 : 0);
        return;
    }
    f->item = (struct ot_item){
        .area = "process_data",
        .number = node,
        .has_number = true,
        .count = size,
        .type = "byte",
    };
    if (size)
        f->item.values = (struct ot_values){VALUES_BYTES, 1, r.at, size};
    put_item(f);
}

static void start_of_async(struct frame_of_epl *f, struct reader r)
{
    uint8_t state = reader_u8(&r);
    reader_skip(&r, 2);
    uint8_t service = reader_u8(&r);
    uint8_t target = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(f->d, VIOLATION_LENGTH, "POWERLINK frame is not whole", NULL, 0);
        return;
    }
    f->event.code[1] = service;
    if (service == IDENT)
        f->event.operation = OP_IDENTIFY;
    else if (service == STATUS)
        f->event.operation = OP_DIAGNOSTICS;
    f->item = (struct ot_item){.area = "node", .number = target, .has_number = true};
    put_item(f);
    node_state(f, state);
}

/* --- asynchronous --- */

/* [EPSG] 7.3.3.2.1 */
static void ident(struct frame_of_epl *f, struct reader r)
{
    f->event.operation = OP_IDENTIFY;
    reader_skip(&r, 2); /* flags */
    uint8_t state = reader_u8(&r);
    reader_skip(&r, 19); /* to the response time and reserved */
    uint16_t profile = reader_u16le(&r);
    reader_skip(&r, 2);
    uint32_t vendor = reader_u32le(&r);
    uint32_t product = reader_u32le(&r);
    uint32_t revision = reader_u32le(&r);
    uint32_t serial = reader_u32le(&r);
    reader_skip(&r, 8 + 8 + 8); /* vendor specific, configuration and software dates */
    const uint8_t *ip = reader_bytes(&r, 4);
    reader_skip(&r, 8);
    struct reader host = reader_take(&r, HOST_NAME_SIZE);
    if (!reader_ok(&r)) {
        emit_violation(f->d, VIOLATION_LENGTH, "ident response is not whole", NULL, 0);
        return;
    }
    f->event.unit = dissect_text(f->d, "%u", f->source);
    add_fact(f, FACT_VENDOR, dissect_text(f->d, "0x%08x", vendor));
    add_fact(f, FACT_PRODUCT, dissect_text(f->d, "0x%08x", product));
    add_fact(f, FACT_HARDWARE, dissect_text(f->d, "0x%08x", revision));
    if (serial)
        add_fact(f, FACT_SERIAL, dissect_text(f->d, "%u", serial));
    add_fact(f, FACT_HOST_NAME, trimmed(host));
    if (ip[3] | ip[2] | ip[1] | ip[0])
        add_fact(f, FACT_IP, dissect_text(f->d, "%u.%u.%u.%u", ip[3], ip[2], ip[1], ip[0]));
    f->event.detail = dissect_text(f->d, "profile %u", profile);
    struct epl_state *s = f->d->state;
    s->states[f->source] = state;
    if (state_name(state))
        add_fact(f, FACT_MODE, text_of(state_name(state)));
}

static void nmt(struct frame_of_epl *f, struct reader r, uint8_t target, bool is_request)
{
    uint8_t code = reader_u8(&r);
    uint8_t asked_of = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(f->d, VIOLATION_LENGTH, "POWERLINK frame is not whole", NULL, 0);
        return;
    }
    const struct nmt_row *row = NULL;
    for (size_t i = 0; i < sizeof nmt_commands / sizeof *nmt_commands; i++)
        if (nmt_commands[i].code == code)
            row = &nmt_commands[i];
    f->event.function = (uint32_t)f->event.code[1] << 8 | code;
    f->event.operation = row ? row->operation : OP_UNKNOWN;
    f->event.name = row ? row->name : NULL;
    f->item = (struct ot_item){
        .area = "node", .number = is_request ? asked_of : target, .has_number = true};
    put_item(f);
    f->event.detail = dissect_text(f->d, "%s node %u", row ? row->name : "unknown command",
                                   is_request ? asked_of : target);
}

static enum operation object_operation(uint16_t index, bool is_write)
{
    if (index >= 0x1f50 && index <= 0x1f51)
        return is_write ? OP_PROGRAM_DOWNLOAD : OP_READ; /* PROTOCOLS 32 */
    if (!is_write)
        return index == 0x1000 || (index >= 0x1008 && index <= 0x100a) || index == INDEX_IDENTITY
                   ? OP_IDENTIFY
                   : OP_READ;
    /* [EPSG] communication profile up to 0x1fff; what is above belongs to the application */
    return index < 0x2000 ? OP_CONFIG_CHANGE : OP_WRITE;
}

static void put_object(struct frame_of_epl *f, uint16_t index, uint8_t sub, struct reader data)
{
    static const enum ot_encoding encodings[] = {
        [1] = VALUES_U8, [2] = VALUES_U16LE, [4] = VALUES_U32LE};
    size_t size = reader_left(&data);
    f->item = (struct ot_item){
        .area = "object",
        .number = index,
        .has_number = true,
        .start = sub,
        .has_start = true,
        .name = dissect_text(f->d, "0x%04x:%02x", index, sub),
    };
    if (size)
        f->item.values = (struct ot_values){
            size < 5 && encodings[size] ? encodings[size] : VALUES_BYTES, 1, data.at, size};
    put_item(f);
}

static void object_facts(struct frame_of_epl *f, const struct asked *a, struct reader data)
{
    static const enum fact_kind names[] = {FACT_PRODUCT, FACT_HARDWARE, FACT_SOFTWARE};
    static const enum fact_kind numbers[] = {FACT_COUNT, FACT_VENDOR, FACT_PRODUCT, FACT_HARDWARE,
                                             FACT_SERIAL};
    if (a->index >= 0x1008 && a->index <= 0x100a) {
        add_fact(f, names[a->index - 0x1008], trimmed(data));
    } else if (a->index == INDEX_IDENTITY && a->sub >= 1 && a->sub <= 4) {
        uint32_t value = reader_u32le(&data);
        if (reader_ok(&data))
            add_fact(f, numbers[a->sub], dissect_text(f->d, a->sub == 4 ? "%u" : "0x%08x", value));
    }
}

static const char *sdo_name(uint8_t command)
{
    switch (command) {
    case WRITE_BY_INDEX:
        return "sdo_write_by_index";
    case READ_BY_INDEX:
        return "sdo_read_by_index";
    case 0x03:
        return "sdo_write_all_by_index";
    case 0x04:
        return "sdo_read_all_by_index";
    case 0x05:
        return "sdo_write_by_name";
    case 0x06:
        return "sdo_read_by_name";
    case 0x20:
        return "sdo_file_write";
    case 0x21:
        return "sdo_file_read";
    case 0x31:
        return "sdo_write_multiple";
    case 0x32:
        return "sdo_read_multiple";
    case 0x70:
        return "sdo_maximum_segment_size";
    default:
        return NULL;
    }
}

static enum operation sdo_operation(uint8_t command)
{
    switch (command) {
    case WRITE_BY_INDEX:
    case 0x03:
    case 0x05:
    case 0x31:
        return OP_WRITE;
    case READ_BY_INDEX:
    case 0x04:
    case 0x06:
    case 0x32:
        return OP_READ;
    case 0x20:
        return OP_FILE_WRITE;
    case 0x21:
        return OP_FILE_READ;
    default:
        return OP_SESSION;
    }
}

static void sdo_response(struct frame_of_epl *f, uint64_t key, uint8_t flags, struct reader data)
{
    const struct asked *a = dissect_recall(f->d, key, NULL);
    if (a) {
        f->event.operation = a->operation;
        bool is_read = a->command == READ_BY_INDEX && !(flags & SDO_ABORT);
        put_object(f, a->index, a->sub, is_read ? data : reader_of(NULL, 0));
        if (is_read)
            object_facts(f, a, data);
    } else {
        f->event.flags |= OT_NO_REQUEST;
    }
    f->event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (flags & SDO_ABORT)
        f->event.status = (struct ot_status){OT_RESULT_ERROR, reader_u32le(&data), "sdo_abort"};
}

static void sdo(struct frame_of_epl *f, struct reader r)
{
    f->event.operation = OP_SESSION;
    f->event.name = "sdo";
    reader_skip(&r, 4);
    if (reader_left(&r) < 8)
        return; /* sequence layer alone */
    reader_skip(&r, 1);
    uint8_t transaction = reader_u8(&r);
    uint8_t flags = reader_u8(&r);
    uint8_t command = reader_u8(&r);
    const uint8_t *at = r.at;
    uint16_t size = reader_u16le(&r);
    reader_skip(&r, 2);
    if (command == 0 && size == 0)
        return; /* nothing asked */
    f->event.name = sdo_name(command);
    f->event.operation = sdo_operation(command);
    f->event.transaction = transaction;
    f->event.has_transaction = true;
    f->event.function = (uint32_t)SDO << 8 | command;
    if (size > reader_left(&r)) {
        emit_violation(f->d, VIOLATION_LENGTH, "SDO segment longer than its frame", at, 2);
        return;
    }
    struct reader data = reader_take(&r, size);
    if ((flags & SDO_SEGMENT) > SDO_INITIATE)
        return; /* in the middle of a long one */
    if ((flags & SDO_SEGMENT) == SDO_INITIATE)
        reader_skip(&data, 4); /* whole size */
    uint64_t key = (uint64_t)transaction << 1 | (f->d->is_from_client == !(flags & SDO_RESPONSE));
    if (flags & SDO_RESPONSE) {
        sdo_response(f, key, flags, data);
        return;
    }
    if (command != WRITE_BY_INDEX && command != READ_BY_INDEX)
        return;
    uint16_t index = reader_u16le(&data);
    uint8_t sub = reader_u8(&data);
    reader_skip(&data, 1);
    if (!reader_ok(&data)) {
        emit_violation(f->d, VIOLATION_LENGTH, "SDO without its object", at, 2);
        return;
    }
    f->event.operation = object_operation(index, command == WRITE_BY_INDEX);
    put_object(f, index, sub, data);
    struct asked *a = dissect_remember(f->d, key, sizeof *a, NULL);
    *a = (struct asked){index, sub, command, f->event.operation};
}

static void asynchronous(struct frame_of_epl *f, uint8_t target, struct reader r)
{
    const uint8_t *at = r.at;
    uint8_t service = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(f->d, VIOLATION_LENGTH, "POWERLINK frame is not whole", NULL, 0);
        return;
    }
    f->event.code[1] = service;
    f->event.function = (uint32_t)service << 8;
    switch (service) {
    case IDENT:
        f->event.name = "ident_response";
        ident(f, r);
        break;
    case STATUS:
        f->event.name = "status_response";
        f->event.operation = OP_DIAGNOSTICS;
        reader_skip(&r, 2);
        node_state(f, reader_u8(&r));
        break;
    case NMT_REQUEST:
    case NMT_COMMAND:
        nmt(f, r, target, service == NMT_REQUEST);
        break;
    case SDO:
        sdo(f, r);
        break;
    case SYNC:
        f->event.name = "sync_response";
        f->event.operation = OP_PUBLISH;
        break;
    default:
        f->event.name = service >= 0xa0 && service < 0xff ? "manufacturer_specific" : NULL;
        f->event.operation = OP_UNKNOWN;
        if (!f->event.name)
            emit_violation(f->d, VIOLATION_FUNCTION, "unknown POWERLINK service", at, 1);
        break;
    }
}

static void epl_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    uint8_t type = reader_u8(&r) & TYPE_MASK;
    uint8_t target = reader_u8(&r);
    uint8_t source = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "POWERLINK frame is not whole", NULL, 0);
        return;
    }
    struct frame_of_epl f;
    f.d = d;
    f.source = source;
    event_start(&f.event, d);
    f.event.direction = OT_ONEWAY;
    f.event.protocol = "powerlink";
    f.event.operation = OP_PUBLISH;
    f.event.code[0] = f.event.function = type;
    f.event.spell = spell;
    f.event.name = type < sizeof message_names / sizeof *message_names ? message_names[type] : NULL;
    switch (type) {
    case SOC:
    case AINV:
        break;
    case AMNI:
        f.event.operation = OP_NETMGMT;
        break;
    case PREQ:
        reader_skip(&r, 1);
        process_data(&f, target, r);
        break;
    case PRES: {
        uint8_t state = reader_u8(&r);
        process_data(&f, source, r);
        node_state(&f, state);
        break;
    }
    case SOA:
        start_of_async(&f, r);
        break;
    case ASND:
        asynchronous(&f, target, r);
        break;
    default:
        f.event.operation = OP_UNKNOWN;
        emit_violation(d, VIOLATION_FUNCTION, "unknown POWERLINK message type", at, 1);
        break;
    }
    if ((type == SOC || type == SOA) && source != MANAGING_NODE)
        emit_violation(d, VIOLATION_DIRECTION, "cycle started by another than the managing node",
                       at + 2, 1);
    emit_event(d, &f.event);
}

/* The ethertype decides. */
static enum claim epl_recognise(struct reader r)
{
    return reader_left(&r) < 3 ? CLAIM_MORE : CLAIM_YES;
}

/* Over UDP only SDO, with both node numbers 0: the sequence layer alone, or with a command. */
static enum claim epl_udp_recognise(struct reader r)
{
    uint32_t head = reader_u32be(&r);
    reader_skip(&r, 2);
    uint16_t zero = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (head != ((uint32_t)ASND << 24 | SDO) || zero != 0)
        return CLAIM_NO;
    return reader_peek(&r) == 0 ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_powerlink = {
    .name = "powerlink",
    .spec = "EPSG DS 301 V1.3.0",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x88ab},
    .state_size = sizeof(struct epl_state),
    .recognise = epl_recognise,
    .dissect = epl_dissect,
};

const struct dissector dissector_powerlink_udp = {
    .name = "powerlink",
    .spec = "EPSG DS 301 V1.3.0",
    .over = OVER_UDP,
    .ports = {3819},
    .is_bound_to_ports = true,
    .state_size = sizeof(struct epl_state),
    .recognise = epl_udp_recognise,
    .dissect = epl_dissect,
};
