/* pn_alarm.c: PROFINET alarms between an IO device and its controller.
 *
 * Spec: [PN] IEC 61158-6-10, RTA-PDU and AlarmNotification-PDU; PROTOCOLS 13
 *
 *   | destination 2 | source 2 | version 4 bits, type 4 bits | flags 1 | send sequence 2 |
 *   | acknowledged sequence 2 | length 2 | length bytes |
 *
 * data     | block type 2 | block length 2 | version 2 | alarm type 2 | API 4 | slot 2 | subslot 2
 * | | notification: module 4 | submodule 4 | specifier 2 | items | | acknowledgement: specifier 2 |
 * status 4 | error    | status 4 |
 */
#include "pn_rt.h"
#include "pn_status.h"

enum { RTA_VERSION = 1, BLOCK_HEADER_SIZE = 4 };
enum { ALARM_MAKERS = 0x20, ALARM_PROFILES = 0x80, ALARM_LAST = 0xff };

enum rta_type { RTA_DATA = 1, RTA_NACK, RTA_ACK, RTA_ERROR };

enum block_type {
    ALARM_HIGH = 0x0001,
    ALARM_LOW = 0x0002,
    ALARM_ACK_HIGH = 0x8001,
    ALARM_ACK_LOW = 0x8002,
};

static const char *const alarm_names[] = {
    [0x01] = "diagnosis",
    [0x02] = "process",
    [0x03] = "pull",
    [0x04] = "plug",
    [0x05] = "status",
    [0x06] = "update",
    [0x07] = "media_redundancy",
    [0x08] = "controlled_by_supervisor",
    [0x09] = "released",
    [0x0a] = "plug_wrong_submodule",
    [0x0b] = "return_of_submodule",
    [0x0c] = "diagnosis_disappears",
    [0x0d] = "multicast_mismatch",
    [0x0e] = "port_data_change",
    [0x0f] = "sync_data_change",
    [0x10] = "isochronous_mode_problem",
    [0x11] = "network_component_problem",
    [0x12] = "time_data_change",
    [0x13] = "dynamic_frame_packing_problem",
    [0x1e] = "upload_and_retrieval",
    [0x1f] = "pull_module",
};

/* [PN] coding of the alarm type: some belong to makers of devices, some to profiles. */
static const char *alarm_name(uint16_t type)
{
    if (type >= ALARM_MAKERS && type <= ALARM_LAST)
        return type < ALARM_PROFILES ? "alarm_of_the_maker" : "alarm_of_a_profile";
    return type < sizeof alarm_names / sizeof *alarm_names ? alarm_names[type] : NULL;
}

static void notification(struct dissect *d, struct ot_event *e, struct ot_item *item,
                         struct reader r)
{
    const uint8_t *at = r.at;
    uint16_t block = reader_u16be(&r);
    uint16_t length = reader_u16be(&r);
    struct reader body = reader_take(&r, length);
    reader_skip(&body, 2);
    uint16_t type = reader_u16be(&body);
    reader_skip(&body, 4); /* API */
    uint16_t slot = reader_u16be(&body);
    uint16_t subslot = reader_u16be(&body);
    bool is_ack = block == ALARM_ACK_HIGH || block == ALARM_ACK_LOW;
    uint32_t module = is_ack ? 0 : reader_u32be(&body);
    uint32_t submodule = is_ack ? 0 : reader_u32be(&body);
    reader_skip(&body, 2); /* specifier */
    uint32_t status = is_ack ? reader_u32be(&body) : 0;
    if (!reader_ok(&body)) {
        emit_violation(d, VIOLATION_LENGTH, "alarm block is not whole", NULL, 0);
        return;
    }
    if (!is_ack && block != ALARM_HIGH && block != ALARM_LOW) {
        emit_violation(d, VIOLATION_FUNCTION, "unknown alarm block", at, 2);
        return;
    }
    const char *name = alarm_name(type);
    *item = (struct ot_item){
        .name = dissect_text(d, "slot %u subslot 0x%04x", slot, subslot),
        .area = "submodule",
        .number = slot,
        .has_number = true,
        .start = subslot,
        .has_start = true,
    };
    if (reader_left(&body))
        item->values = (struct ot_values){VALUES_BYTES, 1, body.at, reader_left(&body)};
    e->items = item;
    e->item_count = e->items_total = 1;
    e->unit = dissect_text(d, "%u.%u", slot, subslot);
    struct text what = name && type < ALARM_MAKERS
                           ? text_of(name)
                           : dissect_text(d, "%s 0x%04x", name ? name : "alarm type", type);
    e->detail = is_ack ? dissect_text(d, "acknowledged %.*s", (int)what.size, what.at)
                       : dissect_text(d, "%.*s, module 0x%08x, submodule 0x%08x", (int)what.size,
                                      what.at, module, submodule);
    e->name = is_ack ? "alarm_ack" : name ? name : "alarm";
    if (is_ack)
        e->status = pn_status_of(status);
    if (!name)
        emit_violation(d, VIOLATION_FUNCTION, "unknown alarm type", at + BLOCK_HEADER_SIZE + 2, 2);
}

static void rta_error(struct dissect *d, struct ot_event *e, struct reader r)
{
    uint32_t status = reader_u32be(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "alarm error without a status", NULL, 0);
        return;
    }
    e->name = "error";
    e->operation = OP_ERROR;
    e->status = pn_status_of(status);
    e->detail = dissect_text(d, "connection aborted, reason %u", status & 0xff);
}

void pn_alarm_dissect(struct dissect *d, uint16_t frame_id, struct reader r)
{
    reader_skip(&r, 4); /* end points */
    const uint8_t *at = r.at;
    uint8_t kind = reader_u8(&r);
    reader_skip(&r, 1);
    uint16_t sequence = reader_u16be(&r);
    reader_skip(&r, 2);
    uint16_t length = reader_u16be(&r);
    struct reader data = reader_take(&r, length);
    if (!reader_ok(&data)) {
        emit_violation(d, VIOLATION_LENGTH, "alarm longer than its frame", NULL, 0);
        return;
    }
    struct ot_item item;
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_ALARM;
    e.code[0] = e.function = frame_id;
    e.spell = pn_spell_frame_id;
    e.name = frame_id == FRAME_ALARM_HIGH ? "alarm_high" : "alarm_low";
    e.transaction = sequence;
    e.has_transaction = true;
    switch (kind & 0x0f) {
    case RTA_DATA:
        notification(d, &e, &item, data);
        break;
    case RTA_NACK:
        e.name = "nack";
        break;
    case RTA_ACK:
        e.name = "ack";
        break;
    case RTA_ERROR:
        rta_error(d, &e, data);
        break;
    default:
        emit_violation(d, VIOLATION_FUNCTION, "unknown alarm PDU type", at, 1);
        break;
    }
    if (kind >> 4 != RTA_VERSION)
        emit_violation(d, VIOLATION_RESERVED, "alarm version is not 1", at, 1);
    emit_event(d, &e);
}
