/* ads.c: Beckhoff ADS in AMS frames over TCP, and without the first six bytes over UDP and in the
 * mailboxes of EtherCAT slaves (AoE).
 *
 * Spec: [ADS] Beckhoff TwinCAT ADS/AMS specification (information system, TE1000)
 *
 *   | 0, 2 | length 4 | target NetId 6, port 2 | source NetId 6, port 2 | command 2 | flags 2 |
 *   | data length 4 | error 4 | invoke id 4 | data |
 *
 * all little endian. */
#include "ads_sums.h"
#include "ads_words.h"
#include "decimal.h"
#include "sensor/base/hash.h"

#include <strings.h>

enum {
    TCP_HEADER = 6,
    AMS_HEADER = 32,
    NET_ID = 6,
    PDU_MAX = 65536, /* file and symbol transfers use blocks well below */

    FLAG_RESPONSE = 0x0001,
    FLAG_ADS = 0x0004,
    FLAG_KNOWN = 0x0047, /* response, no return, ADS command, UDP */

    PORT_SYSTEM = 10000,
    NOTIFIED_MAX = 64, /* samples kept of one notification */
    KEPT_NAME = 62,    /* of a symbol or file: an entry of a pair of hosts holds 64 bytes */

    OPEN_WRITE = 0x06, /* write or append, in the mode of fopen */
};

/* What is kept of a request. */
struct asked {
    uint16_t command;
    uint8_t name_size; /* of the name that it asks a handle for */
    uint32_t group, offset, length;
    uint64_t name_hash;
    char name[KEPT_NAME];
};

/* What a handle means, kept for the pair of hosts. */
struct handle {
    uint8_t operation; /* of a file */
    uint8_t size;
    char name[KEPT_NAME];
};

struct message {
    struct dissect *d;
    struct ot_event event;
    struct reader pdu;
    const struct ads_group *group;
    struct asked asked;
    struct ot_item item;
    struct ot_fact facts[2];
    struct reader parts;    /* of a sum command: the data of its request */
    uint16_t command, port; /* port of the ADS server */
    bool is_response;
};

static void complain(struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

/* Printable text up to the first zero; empty when there are other bytes. */
static struct text read_name(struct reader *r, size_t size)
{
    const uint8_t *at = reader_bytes(r, size);
    size_t n = 0;
    while (at && n < size && at[n]) {
        if (at[n] < 0x20)
            return (struct text){NULL, 0};
        n++;
    }
    return n ? (struct text){(const char *)at, n} : (struct text){NULL, 0};
}

/* --- handles --- */

static uint64_t key_of_handle(uint16_t port, uint32_t group, uint32_t handle)
{
    return hash_mix(hash_mix(0x616473 /* "ads" */, (uint64_t)group << 16 | port), handle);
}

static uint64_t handle_key(const struct message *m, uint32_t group, uint32_t handle)
{
    return key_of_handle(m->port, group, handle);
}

static void keep_name(struct handle *h, struct text name)
{
    h->size = (uint8_t)(name.size < KEPT_NAME ? name.size : KEPT_NAME);
    if (h->size)
        memcpy(h->name, name.at, h->size);
}

static void keep_handle(struct message *m, uint32_t group, uint32_t value, enum operation operation)
{
    struct handle *h = dissect_pair(m->d, handle_key(m, group, value), sizeof *h, true);
    if (!h)
        return;
    h->operation = (uint8_t)operation;
    keep_name(h, (struct text){m->asked.name, m->asked.name_size});
}

void ads_keep_symbol(struct dissect *d, uint16_t port, uint32_t handle, struct text name)
{
    struct handle *h =
        dissect_pair(d, key_of_handle(port, ADS_HANDLE_BY_NAME, handle), sizeof *h, true);
    if (!h)
        return;
    h->operation = OP_UNKNOWN;
    keep_name(h, name);
}

/* The name of an entry, copied for the packet. */
static struct text copy_name(struct dissect *d, const struct handle *h)
{
    char *copy = h && h->size <= KEPT_NAME ? arena_take(d->arena, KEPT_NAME) : NULL;
    if (!copy)
        return (struct text){NULL, 0};
    memcpy(copy, h->name, h->size);
    return (struct text){copy, h->size};
}

static struct text name_of_handle(struct message *m, uint32_t group, uint32_t value,
                                  enum operation *operation)
{
    const struct handle *h = dissect_pair(m->d, handle_key(m, group, value), sizeof *h, false);
    if (h && operation)
        *operation = (enum operation)h->operation;
    return copy_name(m->d, h);
}

struct text ads_symbol(struct dissect *d, uint16_t port, uint32_t handle)
{
    return copy_name(d, dissect_pair(d, key_of_handle(port, ADS_HANDLE_BY_NAME, handle),
                                     sizeof(struct handle), false));
}

/* --- files of the system service (port 10000) --- */

/* A program that starts with the controller lies in the boot folder. */
static bool is_boot_project(struct text name)
{
    for (size_t i = 0; i + 4 <= name.size; i++)
        if (strncasecmp(name.at + i, "boot", 4) == 0)
            return true;
    return false;
}

static enum operation operation_of_open(struct text name, uint32_t mode)
{
    if (mode & OPEN_WRITE)
        return is_boot_project(name) ? OP_PROGRAM_DOWNLOAD : OP_FILE_WRITE;
    return is_boot_project(name) ? OP_PROGRAM_UPLOAD : OP_FILE_READ;
}

static void put_transfer(struct message *m, enum transfer_step step, uint64_t key, struct text name)
{
    m->event.transfer = (struct ot_transfer){
        .step = step, .operation = m->event.operation, .key = key, .name = name};
}

static bool is_file_group(const struct message *m)
{
    return m->group && m->group->is_system && m->group->code >= ADS_FILE_OPEN &&
           m->group->code <= ADS_FILE_REMOVE_DIRECTORY;
}

/* The transfer of an open file is keyed by its handle; its BEGIN is the answer that gives it. */
static void file_data(struct message *m, struct reader bytes)
{
    enum operation operation = OP_UNKNOWN;
    struct text name = name_of_handle(m, ADS_FILE_OPEN, m->asked.offset, &operation);
    if (operation != OP_UNKNOWN)
        m->event.operation = operation;
    m->item.name = name;
    bool has_data = m->group->code == ADS_FILE_WRITE
                        ? !m->is_response
                        : m->group->code == ADS_FILE_READ && m->is_response;
    if (m->group->code == ADS_FILE_CLOSE && !m->is_response)
        put_transfer(m, TRANSFER_END, m->asked.offset, name);
    if (!has_data || reader_left(&bytes) == 0)
        return;
    put_transfer(m, TRANSFER_BLOCK, m->asked.offset, name);
    m->event.transfer.bytes = bytes.at;
    m->event.transfer.size = reader_left(&bytes);
}

/* --- items --- */

static enum operation operation_of_group(const struct message *m)
{
    if (!m->group)
        return OP_UNKNOWN;
    if (m->command == ADS_READ)
        return m->group->read;
    if (m->command == ADS_WRITE)
        return m->group->write;
    return m->command == ADS_READ_WRITE ? m->group->read_write : OP_UNKNOWN;
}

void ads_put_values(struct ot_item *item, struct reader bytes)
{
    static const enum ot_encoding encodings[] = {
        [1] = VALUES_U8, [2] = VALUES_U16LE, [4] = VALUES_U32LE};
    size_t size = reader_left(&bytes);
    if (size == 0)
        return;
    bool is_number = size == 1 || size == 2 || size == 4;
    item->values =
        (struct ot_values){is_number ? encodings[size] : VALUES_BYTES, 1, bytes.at, size};
}

/* What a group and an offset name: a symbol when its handle was seen, else the address. */
static void put_item(struct message *m)
{
    const struct asked *a = &m->asked;
    m->group = ads_group_of(a->group, m->port);
    m->item = (struct ot_item){
        .area = m->group ? m->group->name : "index_group",
        .number = a->group,
        .has_number = !m->group,
        .has_start = true,
        .start = a->offset,
        .count = 1,
    };
    if (a->length &&
        (!m->group || a->group < ADS_HANDLE_BY_NAME || a->group > ADS_INFO_BY_NAME_EX)) {
        m->item.count = a->length;
        m->item.low = a->offset;
        m->item.high = (uint64_t)a->offset + a->length - 1;
        m->item.has_range = true;
    }
    if (a->group == ADS_VALUE_BY_HANDLE) {
        m->item.name = name_of_handle(m, ADS_HANDLE_BY_NAME, a->offset, NULL);
        if (!m->item.name.size)
            m->item.count = 1;
    }
    enum operation operation = operation_of_group(m);
    if (operation != OP_UNKNOWN)
        m->event.operation = operation;
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = 1;
}

static bool takes_name(const struct message *m)
{
    uint32_t code = m->group ? m->group->code : 0;
    return code == ADS_HANDLE_BY_NAME || code == ADS_VALUE_BY_NAME || code == ADS_INFO_BY_NAME ||
           code == ADS_INFO_BY_NAME_EX || code == ADS_REGISTRY ||
           (is_file_group(m) && (code == ADS_FILE_OPEN || code >= ADS_FILE_DELETE));
}

static void named_request(struct message *m, struct reader *r, uint32_t size)
{
    struct text name = read_name(r, size);
    m->item.name = name;
    m->item.has_range = false;
    m->asked.name_hash = hash_bytes(name.at, name.size);
    m->asked.name_size = (uint8_t)(name.size < KEPT_NAME ? name.size : KEPT_NAME);
    if (m->asked.name_size)
        memcpy(m->asked.name, name.at, m->asked.name_size);
    if (m->group->code == ADS_FILE_OPEN) {
        m->event.operation = operation_of_open(name, m->asked.offset);
        m->event.detail = m->asked.offset & OPEN_WRITE ? TEXT("to write") : TEXT("to read");
    }
}

/* --- requests --- */

/* | group 4 | offset 4 | length 4 | */
static void read_request(struct message *m, struct reader *r)
{
    m->asked.group = reader_u32le(r);
    m->asked.offset = reader_u32le(r);
    m->asked.length = reader_u32le(r);
    if (!reader_ok(r))
        return;
    put_item(m);
    if (is_file_group(m))
        file_data(m, reader_of(NULL, 0));
}

/* | group 4 | offset 4 | length 4 | data | */
static void write_request(struct message *m, struct reader *r)
{
    m->asked.group = reader_u32le(r);
    m->asked.offset = reader_u32le(r);
    m->asked.length = reader_u32le(r);
    struct reader data = reader_take(r, m->asked.length);
    if (!reader_ok(r))
        return;
    put_item(m);
    ads_put_values(&m->item, data);
    if (is_file_group(m))
        file_data(m, data);
    else if (m->event.operation == OP_PROGRAM_DOWNLOAD) {
        put_transfer(m, TRANSFER_BLOCK, m->asked.group, TEXT("download"));
        m->event.transfer.bytes = data.at;
        m->event.transfer.size = reader_left(&data);
    }
}

/* | group 4 | offset 4 | length to read 4 | length 4 | data | */
static void read_write_request(struct message *m, struct reader *r)
{
    m->asked.group = reader_u32le(r);
    m->asked.offset = reader_u32le(r);
    uint32_t read = reader_u32le(r);
    uint32_t size = reader_u32le(r);
    struct reader data = reader_take(r, size);
    if (!reader_ok(r))
        return;
    m->asked.length = size ? size : read;
    put_item(m);
    if (ads_is_sum(m->asked.group)) {
        m->parts = data;
        ads_sum_request(m->d, &m->event, m->port, m->asked.group, m->asked.offset, data);
        return;
    }
    if (takes_name(m)) {
        named_request(m, &data, size);
        return;
    }
    ads_put_values(&m->item, data);
    if (is_file_group(m))
        file_data(m, data);
}

/* | ADS state 2 | device state 2 | length 4 | data | */
static void control_request(struct message *m, struct reader *r)
{
    uint16_t state = reader_u16le(r);
    reader_skip(r, 2);
    uint32_t size = reader_u32le(r);
    reader_skip(r, size);
    if (!reader_ok(r))
        return;
    const struct ads_state *s = ads_state_of(state);
    m->asked.offset = state;
    if (!s) {
        complain(m, VIOLATION_RANGE, "no such ADS state");
        return;
    }
    m->event.operation = s->operation;
    m->event.detail = text_of(s->name);
}

/* | group 4 | offset 4 | length 4 | mode 4 | delay 4 | cycle 4 | 0, 16 | */
static void subscribe_request(struct message *m, struct reader *r)
{
    read_request(m, r);
    reader_skip(r, 28);
    m->event.operation = OP_SUBSCRIBE;
}

static void unsubscribe_request(struct message *m, struct reader *r)
{
    uint32_t handle = reader_u32le(r);
    if (!reader_ok(r))
        return;
    m->item = (struct ot_item){.area = "notification", .number = handle, .has_number = true};
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = 1;
}

/* | length 4 | stamps 4 | each: time 8, samples 4, each: handle 4, size 4, value | */
static void notification(struct message *m, struct reader *r)
{
    uint32_t length = reader_u32le(r);
    struct reader body = reader_take(r, length);
    uint32_t stamps = reader_u32le(&body);
    uint32_t count = NOTIFIED_MAX, used = 0, total = 0;
    if (!reader_ok(r)) {
        complain(m, VIOLATION_LENGTH, "notification is longer than its frame");
        return;
    }
    struct ot_item *items = dissect_items(m->d, &count);
    for (uint32_t i = 0; i < stamps && reader_ok(&body); i++) {
        reader_skip(&body, 8);
        uint32_t samples = reader_u32le(&body);
        for (uint32_t k = 0; k < samples && reader_ok(&body); k++) {
            uint32_t handle = reader_u32le(&body);
            uint32_t size = reader_u32le(&body);
            struct reader value = reader_take(&body, size);
            if (!reader_ok(&body))
                break;
            total++;
            if (used == count)
                continue;
            items[used] =
                (struct ot_item){.area = "notification",
                                 .number = handle,
                                 .has_number = true,
                                 .name = name_of_handle(m, ADS_NOTIFICATIONS, handle, NULL)};
            ads_put_values(&items[used++], value);
        }
    }
    m->event.items = items;
    m->event.item_count = used;
    m->event.items_total = total;
    m->event.flags |= OT_UNSOLICITED;
    if (!reader_ok(&body))
        complain(m, VIOLATION_COUNT, "notification sample runs past its end");
}

/* --- responses, from behind the result --- */

/* | major 1 | minor 1 | build 2 | name 16 | */
static void info_response(struct message *m, struct reader *r)
{
    enum { NAME_SIZE = 16 };
    uint8_t major = reader_u8(r);
    uint8_t minor = reader_u8(r);
    uint16_t build = reader_u16le(r);
    struct text name = read_name(r, NAME_SIZE);
    if (!reader_ok(r))
        return;
    m->facts[0] = (struct ot_fact){.kind = FACT_VENDOR, .value = TEXT("Beckhoff")};
    m->facts[1] =
        (struct ot_fact){.kind = FACT_MODULE_NAME,
                         .value = dissect_text(m->d, "%.*s %u.%u.%u", (int)name.size,
                                               name.at ? name.at : "", major, minor, build)};
    m->event.facts = m->facts;
    m->event.fact_count = name.size ? 2 : 1;
}

/* The system service describes its target: "<TcTargetDesc><TargetType>CX1020-CE</TargetType>..." */
static void target_description(struct message *m, struct reader data)
{
    static const char open[] = "<TargetType>";
    enum { OPEN_SIZE = sizeof open - 1 };
    const char *at = memmem(data.at, reader_left(&data), open, OPEN_SIZE);
    if (!at)
        return;
    struct text type = {at + OPEN_SIZE, 0};
    while (type.at + type.size < (const char *)data.end && type.at[type.size] != '<')
        type.size++;
    m->facts[0] = (struct ot_fact){.kind = FACT_PRODUCT, .value = type};
    m->event.facts = m->facts;
    m->event.fact_count = type.size ? 1 : 0;
}

/* | length 4 | data | */
static void read_response(struct message *m, struct reader *r)
{
    uint32_t size = reader_u32le(r);
    struct reader data = reader_take(r, size);
    if (!reader_ok(r))
        return;
    if (ads_is_sum(m->asked.group) && m->command == ADS_READ_WRITE) {
        ads_sum_response(m->d, &m->event, m->port, m->asked.group, m->asked.offset, m->parts, data);
        return;
    }
    struct reader handle = data;
    if (m->group && (m->group->code == ADS_HANDLE_BY_NAME || m->group->code == ADS_FILE_OPEN)) {
        uint32_t value = reader_u32le(&handle);
        if (!reader_ok(&handle))
            return;
        keep_handle(m, m->group->code, value, m->event.operation);
        if (m->group->code == ADS_FILE_OPEN)
            put_transfer(m, TRANSFER_BEGIN, value, m->item.name);
        return;
    }
    ads_put_values(&m->item, data);
    if (is_file_group(m) && !takes_name(m))
        file_data(m, data);
    if (m->asked.group == ADS_TARGET_DESCRIPTION && m->port == PORT_SYSTEM)
        target_description(m, data);
}

/* | ADS state 2 | device state 2 | */
static void state_response(struct message *m, struct reader *r)
{
    const struct ads_state *s = ads_state_of(reader_u16le(r));
    reader_skip(r, 2);
    if (!reader_ok(r) || !s)
        return;
    m->event.detail = text_of(s->name);
    if (m->port != PORT_SYSTEM)
        return; /* others tell the state of one program */
    m->facts[0] = (struct ot_fact){.kind = FACT_MODE, .value = text_of(s->name)};
    m->event.facts = m->facts;
    m->event.fact_count = 1;
}

/* | handle 4 | */
static void subscribe_response(struct message *m, struct reader *r)
{
    uint32_t handle = reader_u32le(r);
    m->event.detail = dissect_text(m->d, "notification %u", handle);
    m->event.operation = OP_SUBSCRIBE;
    struct handle *h =
        reader_ok(r) && m->item.area
            ? dissect_pair(m->d, handle_key(m, ADS_NOTIFICATIONS, handle), sizeof *h, true)
            : NULL;
    if (h) /* what comes under this number from now on */
        keep_name(h, m->item.name.size ? m->item.name
                                       : dissect_text(m->d, "%s %llu", m->item.area,
                                                      (unsigned long long)m->item.start));
}

static const struct parser {
    void (*request)(struct message *m, struct reader *r);
    void (*response)(struct message *m, struct reader *r);
} parsers[ADS_COMMAND_MAX + 1] = {
    [ADS_DEVICE_INFO] = {NULL,                info_response     },
    [ADS_READ] = {read_request,        read_response     },
    [ADS_WRITE] = {write_request,       NULL              },
    [ADS_READ_STATE] = {NULL,                state_response    },
    [ADS_WRITE_CONTROL] = {control_request,     NULL              },
    [ADS_ADD_NOTIFICATION] = {subscribe_request,   subscribe_response},
    [ADS_DELETE_NOTIFICATION] = {unsubscribe_request, NULL              },
    [ADS_NOTIFICATION] = {notification,        NULL              },
    [ADS_READ_WRITE] = {read_write_request,  read_response     },
};

/* --- one AMS frame --- */

/* What the request said, once more for its answer. */
static void repeat_request(struct message *m)
{
    struct asked *a = &m->asked;
    const struct ads_state *s;
    switch (m->command) {
    case ADS_READ:
    case ADS_WRITE:
    case ADS_READ_WRITE:
    case ADS_ADD_NOTIFICATION:
        put_item(m);
        if (a->name_size && takes_name(m)) {
            m->item.name = (struct text){a->name, a->name_size};
            m->item.has_range = false;
        }
        if (is_file_group(m) && m->group->code == ADS_FILE_OPEN)
            m->event.operation = operation_of_open(m->item.name, a->offset);
        if (m->command == ADS_ADD_NOTIFICATION)
            m->event.operation = OP_SUBSCRIBE;
        break;
    case ADS_WRITE_CONTROL:
        s = ads_state_of((uint16_t)a->offset);
        if (s) {
            m->event.operation = s->operation;
            m->event.detail = text_of(s->name);
        }
        break;
    default:
        break;
    }
}

static void answer(struct message *m, uint64_t key, uint32_t error, struct reader *r)
{
    size_t size;
    const struct asked *kept = dissect_recall(m->d, key, &size);
    bool is_matched = kept && kept->command == m->command;
    if (is_matched) {
        size_t head = offsetof(struct asked, name);
        memcpy(&m->asked, kept, size < sizeof m->asked ? size : sizeof m->asked);
        uint8_t *parts =
            ads_is_sum(m->asked.group) && size > head ? arena_take(m->d->arena, size - head) : NULL;
        if (parts) {
            memcpy(parts, (const uint8_t *)kept + head, size - head);
            m->parts = reader_of(parts, size - head);
        }
        /* the name is borrowed by the event: it lies in memory of the packet */
        repeat_request(m);
    } else if (m->d->depth == 0) { /* frames come back from the ring on a flow of their own */
        m->event.flags |= OT_NO_REQUEST;
    }
    if (reader_left(r) || !error) {
        uint32_t result = reader_u32le(r);
        error = error ? error : result;
    }
    if (!reader_ok(r))
        return;
    m->event.status =
        (struct ot_status){error ? OT_RESULT_ERROR : OT_RESULT_OK, error, ads_error(error)};
    bool is_about_item = m->command == ADS_READ || m->command == ADS_READ_WRITE;
    if (!error && parsers[m->command].response && (is_matched || !is_about_item))
        parsers[m->command].response(m, r);
    reader_skip(r, reader_left(r));
}

static void ask(struct message *m, uint64_t key, struct reader *r)
{
    if (parsers[m->command].request)
        parsers[m->command].request(m, r);
    if (m->command == ADS_NOTIFICATION)
        return;
    m->asked.command = m->command;
    enum { HEAD = offsetof(struct asked, name) };
    size_t parts = reader_left(&m->parts);
    parts = parts < REMEMBER_MAX - HEAD ? parts : REMEMBER_MAX - HEAD;
    size_t size = HEAD + (parts ? parts : m->asked.name_size);
    uint8_t *kept = dissect_remember(m->d, key, size, NULL);
    memcpy(kept, &m->asked, HEAD + m->asked.name_size);
    if (parts)
        memcpy(kept + HEAD, m->parts.at, parts);
}

static struct text unit_of(struct dissect *d, const uint8_t *net, uint16_t port)
{
    enum { UNIT_MAX = NET_ID * 4 + DECIMAL_MAX };
    char *text = arena_take_unset(d->arena, UNIT_MAX);
    size_t size = 0;
    if (!text)
        return (struct text){NULL, 0};
    for (int i = 0; i < NET_ID; i++) {
        size += decimal_put(text + size, net[i]);
        text[size++] = i + 1 < NET_ID ? '.' : ':';
    }
    size += decimal_put(text + size, port);
    return (struct text){text, size};
}

static void ads_dissect(struct dissect *d, struct reader r)
{
    struct message m;
    m.d = d;
    m.pdu = r;
    m.group = NULL;
    m.parts = reader_of(NULL, 0);
    m.item = (struct ot_item){0};
    memset(&m.asked, 0, offsetof(struct asked, name));
    struct reader peek = r;
    if (reader_u16le(&peek) == 0) {
        uint32_t length = reader_u32le(&peek);
        if (reader_ok(&peek) && length != reader_left(&peek))
            complain(&m, VIOLATION_LENGTH, "AMS/TCP length is not the data's");
        r = peek;
    }
    const uint8_t *target = reader_bytes(&r, NET_ID);
    uint16_t target_port = reader_u16le(&r);
    const uint8_t *source = reader_bytes(&r, NET_ID);
    uint16_t source_port = reader_u16le(&r);
    m.command = reader_u16le(&r);
    uint16_t flags = reader_u16le(&r);
    uint32_t length = reader_u32le(&r);
    uint32_t error = reader_u32le(&r);
    uint32_t invoke = reader_u32le(&r);
    if (!reader_ok(&r)) {
        complain(&m, VIOLATION_TRUNCATED, "AMS header is cut off");
        return;
    }
    if (length != reader_left(&r))
        complain(&m, VIOLATION_LENGTH, "AMS data length is not the data's");
    if (flags & ~FLAG_KNOWN)
        complain(&m, VIOLATION_RESERVED, "unknown AMS state flags");
    m.is_response = flags & FLAG_RESPONSE;
    bool is_from_server = m.is_response || m.command == ADS_NOTIFICATION;
    if (!d->flow->is_role_known && d->depth == 0)
        dissect_sender_is_client(d, !is_from_server);
    const struct ads_command *command = ads_command_of(m.command);
    m.port = is_from_server ? source_port : target_port;
    uint16_t client_port = is_from_server ? target_port : source_port;
    event_start(&m.event, d);
    m.event.direction = m.is_response ? OT_RESPONSE : OT_REQUEST;
    m.event.code[0] = m.event.function = m.command;
    m.event.operation = command ? command->operation : OP_UNKNOWN;
    m.event.name = command ? command->name : NULL;
    m.event.unit = unit_of(d, is_from_server ? source : target, m.port);
    m.event.transaction = invoke;
    m.event.has_transaction = true;
    uint64_t key = (uint64_t)client_port << 32 | invoke;
    if (!command)
        complain(&m, VIOLATION_FUNCTION, "command is not defined");
    else if (m.is_response)
        answer(&m, key, error, &r);
    else
        ask(&m, key, &r);
    if (!reader_ok(&r))
        complain(&m, VIOLATION_TRUNCATED, "ADS data ends before its fields do");
    emit_event(d, &m.event);
}

/* --- framing --- */

/* Whether an AMS header with as much data as it says begins here; short: cannot tell. */
static bool is_ams(struct reader *r, uint32_t size)
{
    reader_skip(r, 16);
    uint16_t command = reader_u16le(r);
    uint16_t flags = reader_u16le(r);
    uint32_t length = reader_u32le(r);
    return command >= 1 && command <= ADS_COMMAND_MAX && (flags & FLAG_ADS) &&
           (flags & ~FLAG_KNOWN) == 0 && size >= AMS_HEADER && length == size - AMS_HEADER;
}

static enum claim ads_recognise(struct reader r)
{
    struct reader raw = r;
    size_t given = reader_left(&r);
    if (reader_u16le(&r) != 0) /* over UDP, in a mailbox: what is given is one frame */
        return is_ams(&raw, given > UINT16_MAX ? 0 : (uint32_t)given) ? CLAIM_WEAK : CLAIM_NO;
    uint32_t length = reader_u32le(&r);
    if (given < TCP_HEADER)
        return given ? CLAIM_MORE : CLAIM_NO;
    if (length < AMS_HEADER || length > PDU_MAX - TCP_HEADER)
        return CLAIM_NO;
    bool is_ours = is_ams(&r, length);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    return is_ours ? CLAIM_YES : CLAIM_NO;
}

static struct frame ads_frame(struct reader r)
{
    size_t given = reader_left(&r);
    struct reader raw = r;
    uint16_t zero = reader_u16le(&r);
    if (!reader_ok(&r))
        return frame_need(TCP_HEADER + AMS_HEADER);
    if (zero != 0)
        return given <= UINT16_MAX && is_ams(&raw, (uint32_t)given)
                   ? frame_of(given)
                   : frame_broken_as(VIOLATION_RESERVED, "AMS/TCP header does not begin with 0");
    uint32_t length = reader_u32le(&r);
    if (!reader_ok(&r))
        return frame_need(TCP_HEADER + AMS_HEADER);
    if (length < AMS_HEADER || length > PDU_MAX - TCP_HEADER)
        return frame_broken("AMS/TCP length out of range");
    size_t size = (size_t)TCP_HEADER + length;
    return given < size ? frame_need(size) : frame_of(size);
}

const struct dissector dissector_ads = {
    .name = "ads",
    .spec = "Beckhoff TwinCAT ADS/AMS specification",
    .over = OVER_TCP | OVER_UDP | OVER_MAILBOX,
    .ports = {48898, 48899},
    .pdu_max = PDU_MAX,
    .recognise = ads_recognise,
    .frame = ads_frame,
    .dissect = ads_dissect,
};
