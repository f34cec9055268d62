/* pnio_blocks.c: the blocks of PROFINET IO connect, release, read, write and control.
 *
 * Spec: [PN] IEC 61158-6-10, IODConnect, IODRead, IODWrite, IODControl; PROTOCOLS 13
 *
 *   | type 2 | length 2 | version 2 | length - 2 bytes |, big endian whatever the RPC says
 *
 * A record header is followed by its record. In a multiple write the record is a row of headers and
 * records, each but the last padded to 4. */
#include "pn_status.h"
#include "pn_vendor.h"
#include "pnio_cm.h"

enum block_type {
    BLOCK_WRITE_REQUEST = 0x0008,
    BLOCK_READ_REQUEST = 0x0009,
    BLOCK_EXPECTED_IDENTIFICATION = 0x0012,
    BLOCK_REAL_IDENTIFICATION = 0x0013,
    BLOCK_AR_REQUEST = 0x0101,
    BLOCK_IOCR_REQUEST = 0x0102,
    BLOCK_EXPECTED_SUBMODULE = 0x0104,
    BLOCK_CONTROL_FIRST = 0x0110,
    BLOCK_CONTROL_LAST = 0x011c,
    BLOCK_PORT = 0x020f,
    BLOCK_MULTIPLE = 0x0400,
    BLOCK_WRITE_RESPONSE = 0x8008,
    BLOCK_READ_RESPONSE = 0x8009,
    BLOCK_AR_RESPONSE = 0x8101,
    BLOCK_IOCR_RESPONSE = 0x8102,
    BLOCK_MODULE_DIFFERENCE = 0x8104,
    RESPONSE_BIT = 0x8000,
};

enum {
    BLOCK_HEADER_SIZE = 4,
    VERSION_SIZE = 2,
    UUID_SIZE = 16,
    INDEX_MULTIPLE_WRITE = 0xe040,
    RECORD_HEADER_SIZE = 64,
    NESTED_MAX = 2, /* blocks in multiple blocks in a record */
    NAME_MAX = 240,
    AR_SUPERVISOR = 6,
    AR_DEVICE_ACCESS = 1 << 8, /* of the properties: reads and writes records, takes no outputs */
};

static void blocks(struct pnio *p, struct reader r, unsigned depth);

/* --- connect --- */

static const char *ar_type_name(uint16_t type)
{
    switch (type) {
    case 0x0001:
        return "io controller";
    case 0x0003:
        return "io controller, legacy start-up";
    case AR_SUPERVISOR:
        return "io supervisor";
    case 0x0010:
        return "io controller, RT class 3";
    case 0x0020:
        return "io controller, system redundancy";
    default:
        return NULL;
    }
}

/* The last bytes of an object's UUID: | instance 2 | device 2 | vendor 2 | */
static void vendor_fact(struct pnio *p, const uint8_t *uuid)
{
    static const uint8_t pnio[] = {0x6c, 0x97, 0x11, 0xd1, 0x82, 0x71};
    if (uuid && memcmp(uuid + 4, pnio, sizeof pnio) == 0 && (uuid[14] | uuid[15]))
        pnio_add_fact(p, FACT_VENDOR, pn_vendor_name(p->d, (uint16_t)(uuid[14] << 8 | uuid[15])));
}

static void ar_request(struct pnio *p, struct reader r)
{
    uint16_t type = reader_u16be(&r);
    reader_skip(&r, UUID_SIZE + 2 + 6); /* AR, session key, MAC */
    const uint8_t *object = reader_bytes(&r, UUID_SIZE);
    uint32_t properties = reader_u32be(&r);
    reader_skip(&r, 2 + 2); /* timeout, port */
    uint16_t size = reader_u16be(&r);
    struct reader name = reader_take(&r, size);
    if (!reader_ok(&r)) {
        emit_violation(p->d, VIOLATION_LENGTH, "AR block is not whole", NULL, 0);
        return;
    }
    if (size > NAME_MAX)
        emit_violation(p->d, VIOLATION_LENGTH, "station name longer than 240", name.at, size);
    const char *known = ar_type_name(type);
    bool is_access = properties & AR_DEVICE_ACCESS;
    struct text station = pnio_trimmed(name);
    pnio_add_fact(p, FACT_NAME, station);
    vendor_fact(p, object);
    if (type == AR_SUPERVISOR && !is_access)
        p->event.operation = OP_LOCK; /* PROTOCOLS 32: a supervisor takes the outputs */
    p->event.detail =
        dissect_text(p->d, "%s %.*s%s", known ? known : "unknown AR type", (int)station.size,
                     station.size ? station.at : "", is_access ? ", device access" : "");
    if (!known)
        emit_violation(p->d, VIOLATION_FUNCTION, "unknown AR type", NULL, 0);
}

static void put_iocr(struct pnio *p, uint16_t type, uint16_t frame_id, uint32_t size)
{
    static const char *const names[] = {NULL, "input", "output", "multicast provider",
                                        "multicast consumer"};
    struct ot_item *item = pnio_next_item(p);
    if (!item)
        return;
    const char *name = type < sizeof names / sizeof *names ? names[type] : NULL;
    *item = (struct ot_item){
        .name =
            dissect_text(p->d, "%s relation, frame id 0x%04x", name ? name : "unknown", frame_id),
        .area = "iocr",
        .number = frame_id,
        .has_number = true,
        .count = size,
        .type = "byte",
    };
}

static void iocr_request(struct pnio *p, struct reader r)
{
    uint16_t type = reader_u16be(&r);
    reader_skip(&r, 2 + 2 + 4); /* reference, ethertype, properties */
    uint16_t size = reader_u16be(&r);
    uint16_t frame_id = reader_u16be(&r);
    reader_skip(&r, 24); /* clock to multicast address */
    if (reader_ok(&r))
        put_iocr(p, type, frame_id, size);
    else
        emit_violation(p->d, VIOLATION_LENGTH, "IOCR block is not whole", NULL, 0);
}

static void iocr_response(struct pnio *p, struct reader r)
{
    uint16_t type = reader_u16be(&r);
    reader_skip(&r, 2);
    uint16_t frame_id = reader_u16be(&r);
    if (reader_ok(&r))
        put_iocr(p, type, frame_id, 0);
    else
        emit_violation(p->d, VIOLATION_LENGTH, "IOCR block is not whole", NULL, 0);
}

/* ident: 4 bytes of the packet */
static struct ot_item *put_module(struct pnio *p, uint16_t slot, const uint16_t *subslot,
                                  const uint8_t *ident)
{
    struct ot_item *item = pnio_next_item(p);
    if (!item)
        return NULL;
    *item = (struct ot_item){
        .name = subslot ? dissect_text(p->d, "slot %u subslot 0x%04x", slot, *subslot)
                        : dissect_text(p->d, "slot %u", slot),
        .area = subslot ? "submodule" : "module",
        .number = slot,
        .has_number = true,
        .values = {VALUES_U32BE, 1, ident, 4},
    };
    if (subslot) {
        item->start = *subslot;
        item->has_start = true;
    }
    return item;
}

/* For the inventory. module, submodule: 4 bytes of the packet each. */
static void tell_part(struct pnio *p, uint16_t slot, uint16_t subslot, const uint8_t *module,
                      const uint8_t *submodule)
{
    struct reader m = reader_of(module, 4), s = reader_of(submodule, 4);
    uint32_t number = reader_u32be(&m);
    pnio_add_part(p, slot, subslot, number, reader_u32be(&s));
}

static void expected_submodules(struct pnio *p, struct reader r)
{
    uint16_t apis = reader_u16be(&r);
    for (; apis && reader_ok(&r); apis--) {
        reader_skip(&r, 4); /* API */
        uint16_t slot = reader_u16be(&r);
        const uint8_t *module = reader_bytes(&r, 4);
        reader_skip(&r, 2); /* properties */
        uint16_t count = reader_u16be(&r);
        if (module && reader_ok(&r))
            put_module(p, slot, NULL, module);
        for (; count && reader_ok(&r); count--) {
            uint16_t subslot = reader_u16be(&r);
            const uint8_t *ident = reader_bytes(&r, 4);
            uint16_t properties = reader_u16be(&r);
            reader_skip(&r, (properties & 3) == 3 ? 12 : 6); /* input and output, or one of them */
            if (!reader_ok(&r))
                break;
            put_module(p, slot, &subslot, ident);
            tell_part(p, slot, subslot, module, ident);
        }
    }
    if (!reader_ok(&r))
        emit_violation(p->d, VIOLATION_LENGTH, "expected submodules are not whole", NULL, 0);
}

/* [PN] SubmoduleState: by its upper bit what is plugged stands in bits 11 to 14, or in all. */
static bool is_plugged(uint16_t state)
{
    return state & 0x8000 ? (state >> 11 & 15) != 3 : state != 0;
}

static void module_difference(struct pnio *p, struct reader r)
{
    static const char *const states[] = {"no_module", "wrong_module", "proper_module",
                                         "substitute_module"};
    uint16_t apis = reader_u16be(&r);
    for (; apis && reader_ok(&r); apis--) {
        reader_skip(&r, 4);
        uint16_t modules = reader_u16be(&r);
        for (; modules && reader_ok(&r); modules--) {
            uint16_t slot = reader_u16be(&r);
            const uint8_t *module = reader_bytes(&r, 4);
            uint16_t state = reader_u16be(&r);
            uint16_t count = reader_u16be(&r);
            struct ot_item *item = reader_ok(&r) ? put_module(p, slot, NULL, module) : NULL;
            if (item)
                item->status = (struct ot_status){state < 2 ? OT_RESULT_ERROR : OT_RESULT_OK, state,
                                                  state < 4 ? states[state] : NULL};
            for (; count && reader_ok(&r); count--) {
                uint16_t subslot = reader_u16be(&r);
                const uint8_t *ident = reader_bytes(&r, 4);
                uint16_t fault = reader_u16be(&r);
                if (reader_ok(&r) && state != 0 && is_plugged(fault))
                    tell_part(p, slot, subslot, module, ident);
                item = reader_ok(&r) ? put_module(p, slot, &subslot, ident) : NULL;
                if (item) /* [PN]: bits 11 to 14 what is plugged, bit 6 a fault */
                    item->status =
                        (struct ot_status){fault & 0x7840 ? OT_RESULT_ERROR : OT_RESULT_OK, fault,
                                           fault & 0x7800 ? "other_submodule"
                                           : fault & 0x40 ? "fault"
                                                          : "ok"};
            }
        }
    }
    if (!reader_ok(&r))
        emit_violation(p->d, VIOLATION_LENGTH, "module difference is not whole", NULL, 0);
}

/* [PN]: from version 1.1 on with APIs */
static void identification(struct pnio *p, struct reader r, bool has_apis)
{
    uint16_t apis = has_apis ? reader_u16be(&r) : 1;
    for (; apis && reader_ok(&r); apis--) {
        if (has_apis)
            reader_skip(&r, 4);
        uint16_t slots = reader_u16be(&r);
        for (; slots && reader_ok(&r); slots--) {
            uint16_t slot = reader_u16be(&r);
            const uint8_t *module = reader_bytes(&r, 4);
            uint16_t count = reader_u16be(&r);
            if (reader_ok(&r))
                put_module(p, slot, NULL, module);
            for (; count && reader_ok(&r); count--) {
                uint16_t subslot = reader_u16be(&r);
                const uint8_t *ident = reader_bytes(&r, 4);
                if (!reader_ok(&r))
                    break;
                put_module(p, slot, &subslot, ident);
                tell_part(p, slot, subslot, module, ident);
            }
        }
    }
}

/* PDPortDataReal: | 0 2 | slot 2 | subslot 2 | size 1 | own port | peers 1 | padding to 4 |
 *   { size 1 | peer's port | size 1 | its chassis | padding | [delay 4] | MAC 6 | padding }... |
 * The padding counts the block's header and version. Of several peers the first is told. */
static void port(struct pnio *p, struct reader r)
{
    enum { BEFORE = BLOCK_HEADER_SIZE + VERSION_SIZE, ALIGNMENT = 4 };
    const uint8_t *begin = r.at;
    reader_skip(&r, 2);
    uint16_t slot = reader_u16be(&r), subslot = reader_u16be(&r);
    struct reader own = reader_take(&r, reader_u8(&r));
    uint8_t peers = reader_u8(&r);
    if (!reader_ok(&r))
        return;
    struct ot_item *item = pnio_next_item(p);
    if (!item)
        return;
    struct text name = pnio_trimmed(own);
    *item = (struct ot_item){
        .area = "port",
        .number = slot,
        .has_number = true,
        .start = subslot,
        .has_start = true,
        .name = dissect_text(p->d, "slot %u subslot 0x%04x %.*s", slot, subslot, (int)name.size,
                             name.size ? name.at : ""),
    };
    size_t used = BEFORE + (size_t)(r.at - begin);
    reader_skip(&r, (ALIGNMENT - used % ALIGNMENT) % ALIGNMENT);
    struct reader peer = reader_take(&r, reader_u8(&r));
    struct reader chassis = reader_take(&r, reader_u8(&r));
    if (peers == 0 || !reader_ok(&r))
        return;
    struct text port = pnio_trimmed(peer), station = pnio_trimmed(chassis);
    struct text both =
        dissect_text(p->d, "%.*s%s%.*s", (int)port.size, port.size ? port.at : "",
                     station.size ? "." : "", (int)station.size, station.size ? station.at : "");
    if (both.size)
        item->values = (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)both.at, both.size};
}

/* --- records --- */

struct record {
    uint16_t sequence, slot, subslot, index;
    uint32_t size;
    struct ot_status status;
};

static bool read_record(struct reader r, uint16_t type, struct record *record)
{
    *record = (struct record){.sequence = reader_u16be(&r)};
    reader_skip(&r, UUID_SIZE + 4);
    record->slot = reader_u16be(&r);
    record->subslot = reader_u16be(&r);
    reader_skip(&r, 2);
    record->index = reader_u16be(&r);
    record->size = reader_u32be(&r);
    if (type == BLOCK_WRITE_RESPONSE) {
        reader_skip(&r, 4);
        record->status = pn_status_of(reader_u32be(&r));
    }
    return reader_ok(&r);
}

/* What a safe submodule is given before it starts, under an index that its description file names.
 * [PROFIsafe] IEC 61784-3-3, 8.1:
 *
 *   | flags 1 | flags 1 | source 2 | destination 2 | watchdog 2 | second watchdog 2, block kinds 2,
 * 3 | | CRC of the device's own parameters 4, block kinds 1, 3 | CRC 2, never 0 | */
static bool is_safe_parameters(const struct record *record, struct reader r)
{
    static const uint8_t sizes[] = {10, 14, 12, 16}; /* by block kind */
    enum { INDEX_OF_USERS = 0x8000, CRC_SIZE = 2, PROFINET_MODE = 1 };
    size_t size = reader_left(&r);
    uint8_t first = reader_u8(&r), second = reader_u8(&r);
    uint16_t source = reader_u16be(&r), destination = reader_u16be(&r);
    uint16_t watchdog = reader_u16be(&r);
    uint8_t kind = second >> 3 & 7, crc_length = first >> 4 & 3;
    if (!reader_ok(&r) || record->index >= INDEX_OF_USERS || kind >= sizeof sizes ||
        size != sizes[kind])
        return false;
    reader_skip(&r, reader_left(&r) - CRC_SIZE);
    return !(first & 0x80) && !(second & 0x06) && !(crc_length & 1) &&
           second >> 6 == PROFINET_MODE && source && destination && source != destination &&
           watchdog && reader_u16be(&r);
}

static void put_record(struct pnio *p, const struct record *record, bool is_write,
                       struct reader data)
{
    const char *name = pnio_record_name(record->index);
    bool is_safe = is_write && is_safe_parameters(record, data);
    if (is_safe) {
        name = "profisafe";
        p->event.flags |= OT_SAFETY;
    }
    enum operation operation = pnio_record_operation(record->index, is_write);
    if (operation > p->event.operation)
        p->event.operation = operation;
    struct ot_item *item = pnio_next_item(p);
    if (!item)
        return;
    *item = (struct ot_item){
        .operation = operation,
        .name = name ? dissect_text(p->d, "slot %u subslot 0x%04x %s", record->slot,
                                    record->subslot, name)
                     : dissect_text(p->d, "slot %u subslot 0x%04x record 0x%04x", record->slot,
                                    record->subslot, record->index),
        .area = "record",
        .number = record->index,
        .has_number = true,
        .count = record->size,
        .type = "byte",
        .status = record->status,
    };
    if (reader_left(&data) && !pnio_identity_values(p, item, data))
        item->values = (struct ot_values){VALUES_BYTES, 1, data.at, reader_left(&data)};
    if (record->status.result == OT_RESULT_ERROR && p->event.status.result != OT_RESULT_ERROR)
        p->event.status = record->status;
    if (record->slot && p->event.unit.size == 0)
        p->event.unit = dissect_text(p->d, "%u.%u", record->slot, record->subslot);
}

/* Each: | header 64 | record |, padded to 4 but for the last; answers have headers alone. */
static void multiple(struct pnio *p, struct reader r)
{
    while (reader_left(&r) >= RECORD_HEADER_SIZE) {
        uint16_t type = reader_u16be(&r);
        reader_skip(&r, 2 + VERSION_SIZE);
        struct reader header = reader_take(&r, RECORD_HEADER_SIZE - 6);
        struct record record;
        bool is_answer = type == BLOCK_WRITE_RESPONSE;
        if ((!is_answer && type != BLOCK_WRITE_REQUEST) || !read_record(header, type, &record)) {
            emit_violation(p->d, VIOLATION_FUNCTION, "multiple write of something else", header.at,
                           2);
            return;
        }
        size_t size = is_answer ? 0 : record.size;
        if (size > reader_left(&r)) {
            emit_violation(p->d, VIOLATION_LENGTH, "record longer than its PDU", header.at, 2);
            return;
        }
        put_record(p, &record, true, reader_take(&r, size));
        size_t padding = (4 - size % 4) % 4;
        reader_skip(&r, padding < reader_left(&r) ? padding : reader_left(&r));
    }
}

static void record_block(struct pnio *p, uint16_t type, struct reader body, struct reader *rest,
                         unsigned depth)
{
    struct record record;
    if (!read_record(body, type, &record)) {
        emit_violation(p->d, VIOLATION_LENGTH, "record header is not whole", NULL, 0);
        return;
    }
    bool is_write = type == BLOCK_WRITE_REQUEST || type == BLOCK_WRITE_RESPONSE;
    bool has_data = type == BLOCK_WRITE_REQUEST || type == BLOCK_READ_RESPONSE;
    p->event.transaction = record.sequence;
    p->event.has_transaction = true;
    if (is_write && record.index == INDEX_MULTIPLE_WRITE) {
        p->event.operation = OP_CONFIG_CHANGE;
        multiple(p, reader_take(rest, reader_left(rest)));
        return;
    }
    if (has_data && record.size > reader_left(rest)) {
        emit_violation(p->d, VIOLATION_LENGTH, "record longer than its PDU", body.at, 2);
        record.size = (uint32_t)reader_left(rest);
    }
    struct reader data = reader_take(rest, has_data ? record.size : 0);
    put_record(p, &record, is_write, data);
    if (type == BLOCK_READ_RESPONSE && record.index >= 0x8000 && record.index != 0xb02e &&
        record.index != 0xb02f)
        blocks(p, data, depth + 1);
}

/* --- control and release --- */

static void control(struct pnio *p, struct reader r)
{
    static const char *const commands[] = {
        "parameter end",       "application ready",    "release",        "done",
        "ready for companion", "ready for RT class 3", "parameter begin"};
    reader_skip(&r, 2 + UUID_SIZE + 2 + 2);
    uint16_t command = reader_u16be(&r);
    reader_skip(&r, 2);
    if (!reader_ok(&r)) {
        emit_violation(p->d, VIOLATION_LENGTH, "control block is not whole", NULL, 0);
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (command >> i & 1) {
            p->event.detail = text_of(commands[i]);
            return;
        }
}

/* --- all --- */

static void one_block(struct pnio *p, uint16_t type, uint16_t version, struct reader body,
                      struct reader *rest, unsigned depth)
{
    uint16_t kind = type & (uint16_t)~RESPONSE_BIT;
    if (type == BLOCK_WRITE_REQUEST || type == BLOCK_READ_REQUEST || type == BLOCK_WRITE_RESPONSE ||
        type == BLOCK_READ_RESPONSE)
        record_block(p, type, body, rest, depth);
    else if (type == BLOCK_AR_REQUEST)
        ar_request(p, body);
    else if (type == BLOCK_IOCR_REQUEST)
        iocr_request(p, body);
    else if (type == BLOCK_IOCR_RESPONSE)
        iocr_response(p, body);
    else if (type == BLOCK_EXPECTED_SUBMODULE)
        expected_submodules(p, body);
    else if (type == BLOCK_MODULE_DIFFERENCE)
        module_difference(p, body);
    else if (type == BLOCK_PORT)
        port(p, body);
    else if (type == BLOCK_REAL_IDENTIFICATION || type == BLOCK_EXPECTED_IDENTIFICATION)
        identification(p, body, version > 0x0100);
    else if (kind >= BLOCK_CONTROL_FIRST && kind <= BLOCK_CONTROL_LAST)
        control(p, body);
    else if (type == BLOCK_MULTIPLE && depth < NESTED_MAX) {
        reader_skip(&body, 2 + 4 + 2 + 2);
        blocks(p, body, depth + 1);
    } else if (p->event.direction == OT_RESPONSE)
        (void)pnio_identity(p, type, body);
}

static void blocks(struct pnio *p, struct reader r, unsigned depth)
{
    while (reader_left(&r) >= BLOCK_HEADER_SIZE + VERSION_SIZE && depth <= NESTED_MAX) {
        const uint8_t *at = r.at;
        uint16_t type = reader_u16be(&r);
        uint16_t length = reader_u16be(&r);
        struct reader body = reader_take(&r, length);
        uint16_t version = reader_u16be(&body);
        if (!reader_ok(&body)) {
            emit_violation(p->d, VIOLATION_LENGTH, "block longer than its PDU", at, 4);
            return;
        }
        one_block(p, type, version, body, &r, depth);
    }
}

void pnio_blocks(struct pnio *p, struct reader r)
{
    blocks(p, r, 0);
}
