/* ethercat_mailbox.c: messages to and from one EtherCAT slave: objects (CoE), files (FoE), drives
 * (SoE), Ethernet (EoE), ADS (AoE).
 *
 * Spec: [EC] IEC 61158-6-12 (ETG.1000.6), [301] CiA 301 for SDO; PROTOCOLS 18
 *
 *   | length 2 | address 2 | channel 6 bits, priority 2 bits | type 4 bits, counter 3 bits, 0 1 bit
 * | | length bytes | CoE   | number 9 bits, 0 3 bits, service 4 bits | SDO: command 1 | index 2 |
 * subindex 1 | data 4.. | FoE   | code 1 | 0 1 | password, packet, error or done 4 | name, data or
 * text | SoE   | code 3 bits, incomplete, error, drive 3 bits | elements 1 | IDN 2 | data |
 *
 * little endian */
#include "ethercat.h"

enum mailbox_type { AOE = 1, EOE, COE, FOE, SOE, VOE = 15 };

enum {
    MAILBOX_HEADER_SIZE = 6,
    COE_EMERGENCY = 1,
    COE_SDO_REQUEST = 2,
    COE_SDO_RESPONSE = 3,
    COE_SDO_INFORMATION = 8,
    FOE_READ = 1,
    FOE_WRITE = 2,
    FOE_DATA = 3,
    FOE_ACK = 4,
    FOE_ERROR = 5,
    FOE_BUSY = 6,
    INDEX_NAME = 0x1008,
    INDEX_HARDWARE = 0x1009,
    INDEX_SOFTWARE = 0x100a,
    INDEX_STORE = 0x1010,
    INDEX_RESTORE = 0x1011,
    INDEX_IDENTITY = 0x1018,
    INDEX_PROGRAM = 0x1f50,
    INDEX_PROGRAM_CONTROL = 0x1f51,
};

struct message {
    struct dissect *d;
    struct ot_event event;
    struct ot_item item;
    struct ot_fact fact;
    uint16_t slave;
    bool is_to_slave;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%u", code[0]);
}

static void put_item(struct message *m)
{
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = 1;
}

static void put_bytes(struct message *m, struct reader r)
{
    static const enum ot_encoding encodings[] = {
        [1] = VALUES_U8, [2] = VALUES_U16LE, [4] = VALUES_U32LE};
    size_t size = reader_left(&r);
    if (size == 0)
        return;
    enum ot_encoding encoding = size < 5 && encodings[size] ? encodings[size] : VALUES_BYTES;
    m->item.values = (struct ot_values){encoding, 1, r.at, size};
}

/* --- CoE --- */

static enum operation download_operation(uint16_t index, struct reader data)
{
    if (index == INDEX_STORE || index == INDEX_RESTORE)
        return OP_CONFIG_CHANGE;
    if (index == INDEX_PROGRAM)
        return OP_PROGRAM_DOWNLOAD;
    if (index != INDEX_PROGRAM_CONTROL)
        return OP_WRITE;
    switch (reader_u8(&data)) { /* [301] program control */
    case 0:
        return OP_STOP;
    case 1:
        return OP_START;
    case 2:
        return OP_RESTART;
    case 3:
        return OP_PROGRAM_DELETE;
    default:
        return OP_PROGRAM_MODIFY;
    }
}

static bool is_string(uint16_t index)
{
    return index >= INDEX_NAME && index <= INDEX_SOFTWARE;
}

static bool is_identity(uint16_t index)
{
    return is_string(index) || index == INDEX_IDENTITY || index == 0x1000;
}

static struct text trimmed(struct reader r)
{
    size_t size = reader_left(&r);
    while (size && (r.at[size - 1] == 0 || r.at[size - 1] == ' '))
        size--;
    return size ? (struct text){(const char *)r.at, size} : (struct text){NULL, 0};
}

static void identity_fact(struct message *m, uint16_t index, uint8_t sub, struct reader data)
{
    static const enum fact_kind kinds[] = {FACT_COUNT, FACT_VENDOR, FACT_PRODUCT, FACT_HARDWARE,
                                           FACT_SERIAL};
    struct ot_fact *f = &m->fact;
    *f = (struct ot_fact){.kind = FACT_COUNT};
    if (index == INDEX_NAME)
        *f = (struct ot_fact){.kind = FACT_PRODUCT, .value = trimmed(data)};
    else if (index == INDEX_HARDWARE)
        *f = (struct ot_fact){.kind = FACT_HARDWARE, .value = trimmed(data)};
    else if (index == INDEX_SOFTWARE)
        *f = (struct ot_fact){.kind = FACT_SOFTWARE, .value = trimmed(data)};
    else if (index == INDEX_IDENTITY && sub >= 1 && sub <= 4 && reader_left(&data) >= 4) {
        uint32_t value = reader_u32le(&data);
        f->kind = kinds[sub];
        f->value = sub == 1 && value == 2 ? TEXT("Beckhoff")
                   : sub == 4             ? dissect_text(m->d, "%u", value)
                                          : dissect_text(m->d, "0x%08x", value);
    }
    if (f->kind != FACT_COUNT && f->value.size) {
        m->event.facts = f;
        m->event.fact_count = 1;
    }
}

/* The data of an initiated transfer: in the command, or after its size. */
static struct reader initiated_data(uint8_t command, struct reader *r)
{
    bool is_expedited = command & 0x02, has_size = command & 0x01;
    size_t left = reader_left(r);
    if (is_expedited) {
        size_t size = has_size ? 4u - (command >> 2 & 3u) : 4;
        return reader_take(r, size < left ? size : left);
    }
    (void)reader_u32le(r);
    return reader_take(r, reader_left(r));
}

/* [301] 7.2.4.3.3: a program is longer than a message, it goes on in segments. */
static void program_begins(struct message *m, uint16_t index, uint8_t command, struct reader data)
{
    enum { EXPEDITED = 0x02 };
    struct ecat_state *s = m->d->state;
    bool is_long = index == INDEX_PROGRAM && !(command & EXPEDITED);
    s->slaves[ecat_slave(s, m->slave)].is_program_open = is_long;
    if (!is_long)
        return;
    m->event.transfer = (struct ot_transfer){
        .step = TRANSFER_BEGIN,
        .operation = OP_PROGRAM_DOWNLOAD,
        .key = m->slave,
        .name = m->item.name,
        .bytes = data.at,
        .size = reader_left(&data),
    };
}

/* [301] 7.2.4.3.4: | 0 3 bits, toggle, unused 3 bits, last 1 bit | at least 7 bytes | */
static void program_segment(struct message *m, uint8_t command, struct reader r)
{
    enum { LAST = 0x01, LEAST = 7 };
    struct ecat_state *s = m->d->state;
    size_t i = ecat_slave(s, m->slave), size = reader_left(&r), unused = command >> 1 & 7;
    if (!s->slaves[i].is_program_open)
        return;
    if (size == LEAST && unused < LEAST)
        size -= unused;
    m->event.operation = OP_PROGRAM_DOWNLOAD;
    m->event.transfer = (struct ot_transfer){
        .step = command & LAST ? TRANSFER_END : TRANSFER_BLOCK,
        .operation = OP_PROGRAM_DOWNLOAD,
        .key = m->slave,
        .bytes = r.at,
        .size = size,
    };
    s->slaves[i].is_program_open = !(command & LAST);
}

static void sdo(struct message *m, struct reader r, bool is_request)
{
    static const char *const requests[] = {"sdo_download_segment", "sdo_download", "sdo_upload",
                                           "sdo_upload_segment", "sdo_abort"};
    static const char *const responses[] = {"sdo_upload_segment", "sdo_download_segment",
                                            "sdo_upload", "sdo_download", "sdo_abort"};
    uint8_t command = reader_u8(&r);
    uint8_t kind = command >> 5;
    struct reader segment = r;
    uint16_t index = reader_u16le(&r);
    uint8_t sub = reader_u8(&r);
    if (!reader_ok(&r) || kind > 4) {
        emit_violation(m->d, VIOLATION_LENGTH, "SDO is not whole or unknown", NULL, 0);
        return;
    }
    m->event.name = is_request ? requests[kind] : responses[kind];
    bool is_download = is_request ? kind <= 1 : kind == 1 || kind == 3;
    bool is_segment = is_request ? kind == 0 || kind == 3 : kind <= 1;
    m->event.operation = is_download ? OP_WRITE : OP_READ;
    if (is_segment) {
        if (is_request && is_download)
            program_segment(m, command, segment);
        return;
    }
    m->item = (struct ot_item){
        .area = "object",
        .number = index,
        .has_number = true,
        .start = sub,
        .has_start = true,
        .name = dissect_text(m->d, "0x%04x:%02x", index, sub),
    };
    put_item(m);
    if (kind == 4) {
        uint32_t code = reader_u32le(&r);
        m->event.operation = OP_ERROR;
        m->event.status = (struct ot_status){OT_RESULT_ERROR, code, "sdo_abort"};
        return;
    }
    bool has_data = is_request ? kind == 1 : kind == 2;
    struct reader data = has_data ? initiated_data(command, &r) : reader_of(NULL, 0);
    if (is_string(index) && reader_left(&data))
        m->item.values = (struct ot_values){VALUES_TEXT, 1, data.at, trimmed(data).size};
    else
        put_bytes(m, data);
    if (!is_download)
        m->event.operation = is_identity(index) ? OP_IDENTIFY : OP_READ;
    else if (is_request)
        m->event.operation = download_operation(index, data);
    if (is_download && is_request)
        program_begins(m, index, command, data);
    if (!is_request) {
        m->event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
        if (kind == 2)
            identity_fact(m, index, sub, data);
    }
}

static void coe(struct message *m, struct reader r)
{
    static const char *const names[] = {
        NULL,         "coe_emergency",     "coe_sdo_request",   "coe_sdo_response", "coe_tx_pdo",
        "coe_rx_pdo", "coe_tx_pdo_remote", "coe_rx_pdo_remote", "coe_sdo_info"};
    uint16_t head = reader_u16le(&r);
    uint8_t service = (uint8_t)(head >> 12);
    m->event.function = (uint32_t)COE << 8 | service;
    m->event.name = service < sizeof names / sizeof *names ? names[service] : NULL;
    if (service == COE_SDO_REQUEST || service == COE_SDO_RESPONSE) {
        sdo(m, r, service == COE_SDO_REQUEST);
    } else if (service == COE_SDO_INFORMATION) {
        m->event.operation = OP_BROWSE;
    } else if (service == COE_EMERGENCY) {
        uint16_t code = reader_u16le(&r);
        m->event.operation = OP_ALARM;
        m->event.detail = code ? dissect_text(m->d, "emergency 0x%04x", code)
                               : TEXT("error reset"); /* [301] 7.2.7.1: what was is over */
    } else if (m->event.name) {
        m->event.operation = OP_PUBLISH;
    }
}

/* --- FoE --- */

static void file_begins(struct message *m, uint8_t code, struct reader name)
{
    struct ecat_state *s = m->d->state;
    size_t i = ecat_slave(s, m->slave);
    bool is_boot = s->slaves[i].al_state == AL_BOOT;
    struct text file = trimmed(name);
    bool is_write = code == FOE_WRITE;
    /* PROTOCOLS 18 and 32 */
    m->event.operation = !is_write ? OP_PROGRAM_UPLOAD
                         : is_boot ? OP_FIRMWARE_UPDATE
                                   : OP_PROGRAM_DOWNLOAD;
    m->event.detail = file;
    m->event.transfer = (struct ot_transfer){
        .step = TRANSFER_BEGIN, .operation = m->event.operation, .key = m->slave, .name = file};
    s->slaves[i].is_open = true;
    s->slaves[i].is_upload = !is_write;
    s->slaves[i].block_size = 0;
}

/* Each packet but the last fills the mailbox. */
static void file_data(struct message *m, uint32_t packet, struct reader data)
{
    struct ecat_state *s = m->d->state;
    size_t i = ecat_slave(s, m->slave), size = reader_left(&data);
    bool is_upload = !m->is_to_slave;
    bool is_first = packet == 1;
    if (is_first)
        s->slaves[i].block_size = (uint16_t)size;
    bool is_boot = s->slaves[i].al_state == AL_BOOT;
    m->event.operation = is_upload ? OP_PROGRAM_UPLOAD
                         : is_boot ? OP_FIRMWARE_UPDATE
                                   : OP_PROGRAM_DOWNLOAD;
    m->event.transfer = (struct ot_transfer){
        .step = TRANSFER_BLOCK,
        .operation = m->event.operation,
        .key = m->slave,
        .bytes = data.at,
        .size = size,
    };
    if (!is_first && size < s->slaves[i].block_size && s->slaves[i].is_open) {
        m->event.transfer.step = TRANSFER_END;
        s->slaves[i].is_open = false;
    }
    m->item = (struct ot_item){
        .area = "packet", .number = packet, .has_number = true, .count = (uint32_t)size};
    put_item(m);
}

static void foe(struct message *m, struct reader r)
{
    static const char *const names[] = {NULL,      "foe_read",  "foe_write", "foe_data",
                                        "foe_ack", "foe_error", "foe_busy"};
    uint8_t code = reader_u8(&r);
    reader_skip(&r, 1);
    const uint8_t *at = r.at;
    uint32_t number = reader_u32le(&r);
    struct reader rest = reader_take(&r, reader_left(&r));
    m->event.function = (uint32_t)FOE << 8 | code;
    m->event.name = code < sizeof names / sizeof *names ? names[code] : NULL;
    switch (code) {
    case FOE_READ:
    case FOE_WRITE:
        if (number) {
            m->event.flags |= OT_HAS_CREDENTIAL;
            m->event.secret = at;
            m->event.secret_size = 4;
        }
        file_begins(m, code, rest);
        break;
    case FOE_DATA:
        file_data(m, number, rest);
        break;
    case FOE_ERROR:
        m->event.operation = OP_ERROR;
        m->event.status = (struct ot_status){OT_RESULT_ERROR, number, "foe_error"};
        m->event.detail = trimmed(rest);
        m->event.transfer = (struct ot_transfer){
            .step = TRANSFER_ABORT, .operation = OP_PROGRAM_DOWNLOAD, .key = m->slave};
        break;
    case FOE_ACK:
    case FOE_BUSY:
        m->event.operation = OP_SESSION;
        break;
    default:
        break;
    }
}

/* --- the others --- */

static void soe(struct message *m, struct reader r)
{
    static const struct {
        const char *name;
        enum operation operation;
    } codes[] = {
        {NULL,                 OP_UNKNOWN},
        {"soe_read_request",   OP_READ   },
        {"soe_read_response",  OP_READ   },
        {"soe_write_request",  OP_WRITE  },
        {"soe_write_response", OP_WRITE  },
        {"soe_notification",   OP_PUBLISH},
        {"soe_emergency",      OP_ALARM  },
        {NULL,                 OP_UNKNOWN},
    };
    uint8_t head = reader_u8(&r);
    uint8_t elements = reader_u8(&r);
    uint16_t idn = reader_u16le(&r);
    if (!reader_ok(&r)) {
        emit_violation(m->d, VIOLATION_LENGTH, "SoE header is not whole", NULL, 0);
        return;
    }
    m->event.function = (uint32_t)SOE << 8 | (head & 7u);
    m->event.name = codes[head & 7].name;
    m->event.operation = codes[head & 7].operation;
    if (m->event.operation == OP_ALARM)
        m->event.detail = TEXT("emergency");
    m->item = (struct ot_item){
        .area = "idn",
        .number = idn,
        .has_number = true,
        .start = elements,
        .has_start = true,
        .name = dissect_text(m->d, "drive %u %c-%u-%04u", head >> 5, idn & 0x8000 ? 'P' : 'S',
                             idn >> 12 & 7, idn & 0x0fff),
    };
    put_item(m);
    if (head & 0x10) {
        uint16_t code = reader_u16le(&r);
        m->event.status = (struct ot_status){OT_RESULT_ERROR, code, "soe_error"};
    } else {
        put_bytes(m, reader_take(&r, reader_left(&r)));
    }
}

/* The beginning of an Ethernet frame that is tunnelled: who speaks to whom behind the slave. */
static struct text tunnelled(struct dissect *d, struct reader r)
{
    enum { MACS_SIZE = 12, VLAN = 0x8100, IPV4 = 0x0800, TCP = 6, UDP = 17 };
    reader_skip(&r, MACS_SIZE);
    uint16_t type = reader_u16be(&r);
    if (type == VLAN) {
        reader_skip(&r, 2);
        type = reader_u16be(&r);
    }
    struct reader ip = r;
    uint8_t head = reader_u8(&ip);
    reader_skip(&ip, 8);
    uint8_t protocol = reader_u8(&ip);
    reader_skip(&ip, 2);
    const uint8_t *a = reader_bytes(&ip, 8);
    reader_skip(&ip, (head & 15u) > 5 ? ((head & 15u) - 5) * 4 : 0);
    uint16_t source = reader_u16be(&ip), destination = reader_u16be(&ip);
    if (!reader_ok(&r))
        return (struct text){NULL, 0};
    if (type != IPV4 || head >> 4 != 4 || !reader_ok(&ip))
        return dissect_text(d, "ethertype 0x%04x", type);
    if (protocol != TCP && protocol != UDP)
        return dissect_text(d, "%u.%u.%u.%u > %u.%u.%u.%u protocol %u", a[0], a[1], a[2], a[3],
                            a[4], a[5], a[6], a[7], protocol);
    return dissect_text(d, "%u.%u.%u.%u:%u > %u.%u.%u.%u:%u %s", a[0], a[1], a[2], a[3], source,
                        a[4], a[5], a[6], a[7], destination, protocol == TCP ? "tcp" : "udp");
}

/* | type 4 bits, port 4 bits | last and time 1 | fragment 6 bits, offset 6 bits, frame 4 bits | */
static void eoe(struct message *m, struct reader r)
{
    enum { FRAGMENT = 0, SET_ADDRESS = 2, SET_FILTER = 4, NUMBER_BITS = 0x3f };
    uint8_t kind = reader_u8(&r) & 0x0f;
    reader_skip(&r, 1);
    uint16_t fragment = reader_u16le(&r);
    m->event.function = (uint32_t)EOE << 8 | kind;
    m->event.name = kind == FRAGMENT ? "eoe_fragment" : kind == SET_ADDRESS ? "eoe_set_ip" : "eoe";
    m->event.operation = kind == SET_ADDRESS || kind == SET_FILTER ? OP_CONFIG_CHANGE : OP_PUBLISH;
    if (kind == FRAGMENT && reader_ok(&r) && (fragment & NUMBER_BITS) == 0)
        m->event.detail = tunnelled(m->d, r);
}

/* [EC] ETG.1020: an AMS frame without the header that it has over TCP. */
static bool aoe(struct message *m, struct reader r)
{
    struct carrier carrier = {.unit = m->event.unit};
    m->event.name = "aoe";
    m->event.operation = OP_UNKNOWN;
    return dissect_over(m->d, OVER_MAILBOX, r, &carrier);
}

bool ecat_mailbox(struct dissect *d, uint16_t slave, bool is_to_slave, struct reader r)
{
    uint16_t length = reader_u16le(&r);
    reader_skip(&r, 2);
    uint8_t channel = reader_u8(&r);
    uint8_t type = reader_u8(&r);
    struct reader body = reader_take(&r, length);
    uint8_t kind = type & 0x0f;
    if (!reader_ok(&body) || length < 2 || (channel & 0x3f) || (type & 0x80))
        return false;
    struct message m = {.d = d, .event = event_of(d), .slave = slave, .is_to_slave = is_to_slave};
    m.event.direction = OT_ONEWAY;
    m.event.protocol = "ethercat_mailbox";
    m.event.code[0] = kind;
    m.event.function = (uint32_t)kind << 8;
    m.event.spell = spell;
    m.event.unit = dissect_text(d, "%u", slave);
    switch (kind) {
    case AOE:
        if (aoe(&m, body))
            return true; /* told as ADS */
        break;
    case EOE:
        eoe(&m, body);
        break;
    case COE:
        coe(&m, body);
        break;
    case FOE:
        foe(&m, body);
        break;
    case SOE:
        soe(&m, body);
        break;
    default:
        return false;
    }
    if (!m.event.name)
        return false; /* process data that looked like a message */
    emit_event(d, &m.event);
    return true;
}
