/* tristation.c: TriStation, the engineering protocol of Triconex safety controllers, over UDP.
 *
 * Not published; the layout is what public decoders and a capture of the TRITON attack agree on
 * (PROTOCOLS 22).
 *
 *   | type 2 | length of the payload 2 | payload | CRC 2 |, little endian, payload of type 5:
 *   | direction 1, 1: reply | channel 1 | command 1 | count 1 | ? 2 | checksum 2 | size 2 | data |
 *
 * The checksum is the sum of the payload's bytes without its own, plus the size once more. */
#include "crc.h"
#include "dissector.h"

enum {
    FRAME_FIXED = 6, /* type, length, CRC */
    HEADER_SIZE = 10,
    TYPE_MAX = 11,
    TYPE_COMMAND = 5,
    NAME_SIZE = 10,

    START_DOWNLOAD_ALL = 0,
    START_DOWNLOAD_CHANGE = 1,
    END_DOWNLOAD_ALL = 10,
    END_DOWNLOAD_CHANGE = 11,
    CANCEL_DOWNLOAD = 12,
    CP_STATUS = 19,
    MP_STATUS = 29,
    ALLOCATE_PROGRAM = 55,
    ALLOCATE_FUNCTION = 56,
    START_TS2_DOWNLOAD = 59,
    UPLOAD_PROGRAM = 65,
    UPLOAD_FUNCTION = 66,
    COMMAND_MAX = 83,

    REJECTED = 100,
    CP_STATUS_REPLY = 108,
    IMPLANT_REPLY = 150, /* that of the system variables */
    REPLY_MAX = 170,
};

static const struct type {
    const char *name;
    enum operation operation;
    bool is_reply;
} types[TYPE_MAX + 1] = {
    [1] = {"connect",                  OP_SESSION,  false},
    [2] = {"connect_reply",            OP_SESSION,  true },
    [3] = {"disconnect_reply",         OP_SESSION,  true },
    [4] = {"disconnect",               OP_SESSION,  false},
    [5] = {"command",                  OP_UNKNOWN,  false},
    [6] = {"ping",                     OP_DISCOVER, false},
    [7] = {"connection_limit_reached", OP_ERROR,    true },
    [8] = {"not_connected",            OP_ERROR,    true },
    [9] = {"processors_dead",          OP_ERROR,    true },
    [10] = {"access_denied",            OP_ERROR,    true },
    [11] = {"connection_failed",        OP_ERROR,    true },
};

/* The number is the place in the list; reply: the one that is expected, 0: not known. */
static const struct command {
    const char *name; /* NULL: unknown */
    enum operation operation;
    uint8_t reply;
} commands[COMMAND_MAX + 1] = {
    [0] = {"start_download_all",          OP_PROGRAM_DOWNLOAD, 101},
    [1] = {"start_download_change",       OP_PROGRAM_DOWNLOAD, 102},
    [2] = {"update_configuration",        OP_CONFIG_CHANGE,    0  },
    [3] = {"upload_configuration",        OP_PROGRAM_UPLOAD,   0  },
    [4] = {"set_io_addresses",            OP_CONFIG_CHANGE,    0  },
    [5] = {"allocate_network",            OP_CONFIG_CHANGE,    0  },
    [6] = {"load_vector_table",           OP_PROGRAM_DOWNLOAD, 0  },
    [7] = {"set_calendar",                OP_TIME_SET,         0  },
    [8] = {"get_calendar",                OP_DIAGNOSTICS,      0  },
    [9] = {"set_scan_time",               OP_CONFIG_CHANGE,    0  },
    [10] = {"end_download_all",            OP_PROGRAM_DOWNLOAD, 0  },
    [11] = {"end_download_change",         OP_PROGRAM_DOWNLOAD, 103},
    [12] = {"cancel_download_change",      OP_PROGRAM_DOWNLOAD, 104},
    [13] = {"attach_tricon",               OP_SESSION,          106},
    [14] = {"set_io_limits",               OP_CONFIG_CHANGE,    0  },
    [15] = {"configure_module",            OP_CONFIG_CHANGE,    0  },
    [16] = {"set_multiple_points",         OP_WRITE,            0  },
    [17] = {"enable_all_points",           OP_FORCE,            0  },
    [18] = {"upload_vector_table",         OP_PROGRAM_UPLOAD,   0  },
    [19] = {"get_cp_status",               OP_DIAGNOSTICS,      108},
    [20] = {"run_program",                 OP_START,            109},
    [21] = {"halt_program",                OP_STOP,             110},
    [22] = {"pause_program",               OP_STOP,             111},
    [23] = {"do_single_scan",              OP_MODE_CHANGE,      0  },
    [24] = {"get_chassis_state",           OP_DIAGNOSTICS,      0  },
    [25] = {"get_minor_status",            OP_DIAGNOSTICS,      0  },
    [26] = {"set_node_number",             OP_CONFIG_CHANGE,    0  },
    [27] = {"set_io_point_values",         OP_WRITE,            0  },
    [28] = {"get_io_point_values",         OP_READ,             0  },
    [29] = {"get_mp_status",               OP_DIAGNOSTICS,      127},
    [30] = {"set_retentive_values",        OP_WRITE,            0  },
    [31] = {"adjust_clock",                OP_TIME_SET,         0  },
    [32] = {"clear_module_alarms",         OP_ALARM,            0  },
    [33] = {"get_event_log",               OP_DIAGNOSTICS,      0  },
    [34] = {"set_soe_block",               OP_CONFIG_CHANGE,    0  },
    [35] = {"record_event_log",            OP_DIAGNOSTICS,      0  },
    [36] = {"get_soe_data",                OP_READ,             0  },
    [37] = {"enable_ovd",                  OP_CONFIG_CHANGE,    0  },
    [38] = {"disable_ovd",                 OP_CONFIG_CHANGE,    0  },
    [39] = {"enable_all_ovds",             OP_CONFIG_CHANGE,    0  },
    [40] = {"disable_all_ovds",            OP_CONFIG_CHANGE,    0  },
    [41] = {"process_modbus",              OP_WRITE,            0  },
    [42] = {"upload_network",              OP_PROGRAM_UPLOAD,   0  },
    [43] = {"set_label",                   OP_CONFIG_CHANGE,    0  },
    [44] = {"configure_system_variables",  OP_CONFIG_CHANGE,    150},
    [45] = {"deconfigure_module",          OP_CONFIG_CHANGE,    0  },
    [46] = {"get_system_variables",        OP_READ,             0  },
    [47] = {"get_module_types",            OP_IDENTIFY,         0  },
    [48] = {"begin_conversion_table",      OP_PROGRAM_DOWNLOAD, 0  },
    [49] = {"continue_conversion_table",   OP_PROGRAM_DOWNLOAD, 0  },
    [50] = {"end_conversion_table",        OP_PROGRAM_DOWNLOAD, 0  },
    [51] = {"get_conversion_table",        OP_READ,             0  },
    [52] = {"set_icm_status",              OP_CONFIG_CHANGE,    0  },
    [53] = {"broadcast_soe_data",          OP_READ,             0  },
    [54] = {"get_module_versions",         OP_IDENTIFY,         151},
    [55] = {"allocate_program",            OP_PROGRAM_DOWNLOAD, 153},
    [56] = {"allocate_function",           OP_PROGRAM_DOWNLOAD, 154},
    [57] = {"clear_retentives",            OP_WRITE,            0  },
    [58] = {"set_initial_values",          OP_WRITE,            0  },
    [59] = {"start_ts2_download",          OP_PROGRAM_DOWNLOAD, 0  },
    [60] = {"set_ts2_data_area",           OP_CONFIG_CHANGE,    0  },
    [61] = {"get_ts2_data",                OP_READ,             0  },
    [62] = {"set_ts2_data",                OP_WRITE,            0  },
    [63] = {"set_program_info",            OP_CONFIG_CHANGE,    0  },
    [64] = {"get_program_info",            OP_IDENTIFY,         0  },
    [65] = {"upload_program",              OP_PROGRAM_UPLOAD,   162},
    [66] = {"upload_function",             OP_PROGRAM_UPLOAD,   163},
    [67] = {"get_point_groups",            OP_READ,             0  },
    [68] = {"allocate_symbol_table",       OP_PROGRAM_DOWNLOAD, 0  },
    [69] = {"get_io_address",              OP_READ,             0  },
    [70] = {"resend_io_address",           OP_CONFIG_CHANGE,    0  },
    [71] = {"get_program_timing",          OP_DIAGNOSTICS,      0  },
    [72] = {"allocate_multiple_functions", OP_PROGRAM_DOWNLOAD, 0  },
    [73] = {"get_node_number",             OP_IDENTIFY,         0  },
    [74] = {"get_symbol_table",            OP_READ,             0  },
    [80] = {"go_to_download_mode",         OP_PROGRAM_DOWNLOAD, 0  },
};

static const struct {
    uint8_t code;
    const char *name;
} reasons[] = {
    {201, "load_in_progress"     },
    {203, "not_halted"           },
    {204, "checksum"             },
    {206, "not_valid"            },
    {207, "not_loading"          },
    {212, "key_setting_prohibits"},
    {214, "sequence"             },
    {239, "write_protected"      },
    {241, "not_allowed"          },
    {244, "no_free_ports"        },
    {246, "invalid_1131_command" },
};

struct message {
    struct dissect *d;
    struct ot_event event;
    struct reader pdu;
    struct ot_item item;
    struct ot_fact facts[4];
    uint8_t command;
};

static void tristation_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == TYPE_COMMAND)
        text_format(out, OT_CODE_SIZE, "tcm=5,cmd=%u", code[1]);
    else
        text_format(out, OT_CODE_SIZE, "tcm=%u", code[0]);
}

static void complain(struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

static struct command command_of(uint8_t code)
{
    return code <= COMMAND_MAX ? commands[code] : (struct command){NULL, OP_UNKNOWN, 0};
}

static const char *reason_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == code)
            return reasons[i].name;
    return NULL;
}

static struct text read_name(struct reader *r)
{
    const char *at = (const char *)reader_bytes(r, NAME_SIZE);
    struct text name = {at, 0};
    while (at && name.size < NAME_SIZE && at[name.size] > 0x20 && at[name.size] < 0x7f)
        name.size++;
    return name.size ? name : (struct text){NULL, 0};
}

static void put_transfer(struct message *m, enum transfer_step step, struct reader bytes)
{
    m->event.transfer = (struct ot_transfer){
        .step = step, .operation = m->event.operation, .key = m->event.operation};
    if (step != TRANSFER_BLOCK || reader_left(&bytes) == 0)
        return;
    m->event.transfer.bytes = bytes.at;
    m->event.transfer.size = reader_left(&bytes);
}

/* Reading, writing and executing memory through MP status is what the implant of TRITON answers
 * to. */
static void implant_request(struct message *m, struct reader r)
{
    enum { READ_RAM = 23, WRITE_RAM = 65, EXECUTE = 249, MARK = 255 };
    uint8_t what = reader_u8(&r);
    if (reader_u8(&r) != MARK || !reader_ok(&r))
        return;
    if (what == READ_RAM) {
        m->event.operation = OP_PROGRAM_UPLOAD;
        m->event.detail = TEXT("implant: read memory");
    } else if (what == WRITE_RAM) {
        m->event.operation = OP_PROGRAM_DOWNLOAD;
        m->event.detail = TEXT("implant: write memory");
    } else if (what == EXECUTE) {
        m->event.operation = OP_PROGRAM_MODIFY;
        m->event.detail = TEXT("implant: execute");
    } else {
        return;
    }
    complain(m, VIOLATION_FUNCTION, "status request carries a command of the TRITON implant");
}

static void request_data(struct message *m, struct reader r)
{
    switch (m->command) {
    case START_DOWNLOAD_ALL:
    case START_DOWNLOAD_CHANGE:
    case START_TS2_DOWNLOAD:
        put_transfer(m, TRANSFER_BEGIN, r);
        m->event.transfer.name = read_name(&r);
        break;
    case ALLOCATE_PROGRAM:
    case ALLOCATE_FUNCTION:
        m->item = (struct ot_item){.area = m->command == ALLOCATE_PROGRAM ? "program" : "function",
                                   .number = reader_u16le(&r),
                                   .has_number = true};
        m->event.items = &m->item;
        m->event.item_count = m->event.items_total = reader_ok(&r);
        put_transfer(m, TRANSFER_BLOCK, r);
        break;
    case END_DOWNLOAD_ALL:
    case END_DOWNLOAD_CHANGE:
        put_transfer(m, TRANSFER_END, r);
        break;
    case CANCEL_DOWNLOAD:
        put_transfer(m, TRANSFER_ABORT, r);
        break;
    case UPLOAD_PROGRAM:
    case UPLOAD_FUNCTION:
        m->item = (struct ot_item){.area = m->command == UPLOAD_PROGRAM ? "program" : "function",
                                   .number = reader_u16le(&r),
                                   .has_number = true};
        m->event.items = &m->item;
        m->event.item_count = m->event.items_total = reader_ok(&r);
        break;
    case MP_STATUS:
        implant_request(m, r);
        break;
    default:
        break;
    }
}

/* | ? 6 | valid 1 | key 1 | state 1 | ... | name of the program 10, from byte 66 on |; places as in
 * the public capture, where the key stands on PROGRAM and the program runs */
static void cp_status_reply(struct message *m, struct reader r)
{
    static const char *const keys[] = {"stop", "program", "run", "remote"};
    static const char *const states[] = {"running", "halted", "paused", "exception"};
    enum { PROGRAM_AT = 66, BEFORE_KEY = 7 };
    uint32_t n = 0;
    reader_skip(&r, BEFORE_KEY);
    uint8_t key = reader_u8(&r);
    uint8_t state = reader_u8(&r);
    reader_skip(&r, PROGRAM_AT - BEFORE_KEY - 2);
    struct text name = read_name(&r);
    if (!reader_ok(&r))
        return;
    m->facts[n++] = (struct ot_fact){.kind = FACT_VENDOR, .value = TEXT("Triconex")};
    if (key < sizeof keys / sizeof *keys)
        m->facts[n++] = (struct ot_fact){.kind = FACT_KEY_SWITCH, .value = text_of(keys[key])};
    if (state < sizeof states / sizeof *states)
        m->facts[n++] = (struct ot_fact){.kind = FACT_MODE, .value = text_of(states[state])};
    if (name.size)
        m->facts[n++] = (struct ot_fact){.kind = FACT_PROGRAM, .value = name};
    m->event.facts = m->facts;
    m->event.fact_count = n;
}

static void reply_data(struct message *m, uint8_t count, struct reader r)
{
    size_t size;
    const uint8_t *asked = dissect_recall(m->d, count, &size);
    uint8_t command = asked ? *asked : 0;
    struct command c = asked ? command_of(command) : (struct command){NULL, OP_UNKNOWN, 0};
    m->event.operation = c.operation;
    m->event.name = m->command == REJECTED ? "rejected" : c.name;
    if (!asked)
        m->event.flags |= OT_NO_REQUEST;
    if (m->command == REJECTED) {
        uint8_t reason = reader_u8(&r);
        m->event.status = (struct ot_status){OT_RESULT_ERROR, reason, reason_of(reason)};
        return;
    }
    m->event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (asked && command == MP_STATUS && m->command == IMPLANT_REPLY) {
        m->event.operation = OP_PROGRAM_MODIFY;
        m->event.detail = TEXT("implant: answer");
        complain(m, VIOLATION_FUNCTION, "status is answered as the TRITON implant does");
        return;
    }
    if (asked && c.reply && m->command != c.reply)
        complain(m, VIOLATION_STATE, "reply does not fit its command");
    if (m->command == CP_STATUS_REPLY)
        cp_status_reply(m, r);
    bool is_upload = command == UPLOAD_PROGRAM || command == UPLOAD_FUNCTION;
    if (asked && is_upload)
        put_transfer(m, TRANSFER_BLOCK, r);
}

static uint16_t sum_of(struct reader payload, uint16_t size)
{
    uint32_t sum = size;
    const uint8_t *at = payload.at;
    for (size_t i = 0, n = reader_left(&payload); i < n; i++)
        sum += i == 6 || i == 7 ? 0u : at[i];
    return (uint16_t)sum;
}

static void command_dissect(struct message *m, struct reader payload)
{
    struct reader r = payload;
    uint8_t direction = reader_u8(&r);
    uint8_t channel = reader_u8(&r);
    m->command = reader_u8(&r);
    uint8_t count = reader_u8(&r);
    reader_skip(&r, 2);
    uint16_t checksum = reader_u16le(&r);
    uint16_t size = reader_u16le(&r);
    if (!reader_ok(&r)) {
        complain(m, VIOLATION_TRUNCATED, "command header is cut off");
        return;
    }
    if (size != reader_left(&payload))
        complain(m, VIOLATION_LENGTH, "total size is not the payload's");
    else if (checksum != sum_of(payload, size))
        complain(m, VIOLATION_CHECKSUM, "wrong checksum");
    m->event.code[1] = m->event.function = m->command;
    m->event.direction = direction ? OT_RESPONSE : OT_REQUEST;
    m->event.transaction = count;
    m->event.has_transaction = true;
    m->event.unit = channel ? dissect_text(m->d, "%u", channel) : TEXT("0");
    if (direction) {
        if (m->command < REJECTED || m->command > REPLY_MAX)
            complain(m, VIOLATION_DIRECTION, "reply with the number of a command");
        reply_data(m, count, r);
        return;
    }
    struct command c = command_of(m->command);
    m->event.operation = c.operation;
    m->event.name = c.name;
    if (!c.name)
        complain(m, VIOLATION_FUNCTION, "command is not defined");
    request_data(m, r);
    uint8_t *kept = dissect_remember(m->d, count, 1, NULL);
    *kept = m->command;
}

static void tristation_dissect(struct dissect *d, struct reader r)
{
    struct message m;
    m.d = d;
    m.pdu = r;
    size_t given = reader_left(&r);
    const uint8_t *at = r.at;
    uint16_t type = reader_u16le(&r);
    uint16_t length = reader_u16le(&r);
    struct reader payload = reader_take(&r, length);
    uint16_t crc = reader_u16le(&r);
    if (!reader_ok(&r) || type == 0 || type > TYPE_MAX) {
        complain(&m, VIOLATION_TRUNCATED, "datagram ends inside its frame");
        return;
    }
    if (reader_left(&r))
        complain(&m, VIOLATION_LENGTH, "length is not the payload's");
    else if (crc != crc16(0, at, given - 2))
        complain(&m, VIOLATION_CHECKSUM, "wrong CRC");
    bool is_command = type == TYPE_COMMAND;
    bool is_reply = is_command ? reader_peek(&payload) != 0 : types[type].is_reply;
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, !is_reply);
    event_start(&m.event, d);
    m.event.direction = is_reply ? OT_RESPONSE : OT_REQUEST;
    m.event.spell = tristation_spell;
    m.event.code[0] = m.event.function = type;
    m.event.operation = types[type].operation;
    m.event.name = types[type].name;
    if (types[type].operation == OP_ERROR)
        m.event.status = (struct ot_status){OT_RESULT_ERROR, type, types[type].name};
    if (is_command)
        command_dissect(&m, payload);
    emit_event(d, &m.event);
}

static enum claim tristation_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    const uint8_t *at = r.at;
    uint16_t type = reader_u16le(&r);
    uint16_t length = reader_u16le(&r);
    if (!reader_ok(&r) || type == 0 || type > TYPE_MAX || given != length + (size_t)FRAME_FIXED)
        return CLAIM_NO;
    if (crc16(0, at, given - 2) == (at[given - 1] << 8 | at[given - 2]))
        return CLAIM_YES;
    return type == TYPE_COMMAND && length >= HEADER_SIZE ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_tristation = {
    .name = "tristation",
    .spec = "not published; PROTOCOLS 22",
    .over = OVER_UDP,
    .ports = {1502},
    .recognise = tristation_recognise,
    .dissect = tristation_dissect,
};
