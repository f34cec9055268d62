/* bacnet_devices.c: BACnet's services about files and devices.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020, clauses 14 and 16
 *
 * Numbers in the calls below are the context tags of clause 21. */
#include "bacnet_message.h"

enum {
    DEVICE = 8, /* object types, [135] 21 */
    FILE_STREAM = 0,
    FILE_RECORDS = 1,
};

/* --- files --- */

static void file_step(struct bacnet_message *m, enum operation operation, enum transfer_step step,
                      struct reader bytes)
{
    uint32_t object = m->asked.count ? m->asked.properties[0].object : 0;
    struct bacnet_property p = bacnet_property_of(object, BACNET_NO_INDEX);
    m->event.transfer = (struct ot_transfer){
        .step = step,
        .operation = operation,
        .key = object,
        .name = bacnet_property_text(m->d, &p),
        .bytes = bytes.at,
        .size = reader_left(&bytes),
    };
}

/* The data of a stream access, behind its start; of record access the first record. */
static bool file_access(struct reader *r, uint32_t *start, struct reader *bytes)
{
    struct reader inner, content;
    uint32_t count;
    uint8_t method = bacnet_enclosed(r, FILE_STREAM, &inner) ? FILE_STREAM : FILE_RECORDS;
    if (method == FILE_RECORDS && !bacnet_enclosed(r, FILE_RECORDS, &inner))
        return false;
    if (!bacnet_application(&inner, BACNET_SIGNED, &content))
        return false;
    *start = bacnet_unsigned(content);
    if (method == FILE_RECORDS && !bacnet_application_number(&inner, BACNET_UNSIGNED, &count))
        return false;
    return bacnet_application(&inner, BACNET_OCTETS, bytes);
}

/* | file | 0 { start | count } or 1 { start | count } | */
void bacnet_file_read_request(struct bacnet_message *m, struct reader *r)
{
    bacnet_object_request(m, r);
}

/* | is at the end | 0 { start | data } or 1 { start | count | records } | */
void bacnet_file_read_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_tag tag;
    uint32_t start;
    struct reader bytes;
    if (!bacnet_tag_read(r, &tag) || tag.is_context || tag.number != BACNET_BOOLEAN ||
        !file_access(r, &start, &bytes)) {
        reader_fail(r);
        return;
    }
    if (m->is_asked)
        file_step(m, OP_FILE_READ,
                  start == 0    ? TRANSFER_BEGIN
                  : tag.boolean ? TRANSFER_END
                                : TRANSFER_BLOCK,
                  bytes);
}

/* | file | 0 { start | data } or 1 { start | count | records } |; a start of -1 appends */
void bacnet_file_write_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t start;
    struct reader bytes;
    bacnet_object_request(m, r);
    if (!reader_ok(r) || !file_access(r, &start, &bytes))
        reader_fail(r);
    else
        file_step(m, OP_FILE_WRITE, start == 0 ? TRANSFER_BEGIN : TRANSFER_BLOCK, bytes);
}

/* --- devices --- */

void bacnet_secret_note(struct bacnet_message *m, struct reader content)
{
    reader_skip(&content, 1); /* character set */
    if (!reader_left(&content))
        return;
    m->event.flags |= OT_HAS_CREDENTIAL;
    m->event.secret = content.at;
    m->event.secret_size = reader_left(&content);
}

/* | minutes 0, or not | state 1 | password 2, or not | */
void bacnet_communication_request(struct bacnet_message *m, struct reader *r)
{
    static const char *const states[] = {"enable", "disable", "disable initiation"};
    uint32_t minutes = 0, state;
    struct reader password;
    bool is_limited = bacnet_context_number(r, 0, &minutes);
    if (!bacnet_context_number(r, 1, &state)) {
        reader_fail(r);
        return;
    }
    if (state >= sizeof states / sizeof *states)
        bacnet_wrong(m, VIOLATION_RANGE, "BACnet communication state is not defined");
    else if (is_limited && state)
        m->event.detail = dissect_text(m->d, "%s for %u min", states[state], minutes);
    else
        m->event.detail = text_of(states[state]);
    if (bacnet_context(r, 2, &password))
        bacnet_secret_note(m, password);
}

/* | state 0 | password 1, or not | */
void bacnet_reinitialize_request(struct bacnet_message *m, struct reader *r)
{
    static const struct {
        const char *name;
        uint8_t operation; /* enum operation */
    } states[] = {
        {"cold start",       OP_RESTART      },
        {"warm start",       OP_RESTART      },
        {"start backup",     OP_CONFIG_CHANGE},
        {"end backup",       OP_CONFIG_CHANGE},
        {"start restore",    OP_CONFIG_CHANGE},
        {"end restore",      OP_CONFIG_CHANGE},
        {"abort restore",    OP_CONFIG_CHANGE},
        {"activate changes", OP_CONFIG_CHANGE},
    };
    uint32_t state;
    struct reader password;
    if (!bacnet_context_number(r, 0, &state)) {
        reader_fail(r);
        return;
    }
    if (state < sizeof states / sizeof *states) {
        m->event.detail = text_of(states[state].name);
        m->event.operation = (enum operation)states[state].operation;
    } else {
        bacnet_wrong(m, VIOLATION_RANGE, "BACnet restart state is not defined");
    }
    if (bacnet_context(r, 1, &password))
        bacnet_secret_note(m, password);
}

enum { INSTANCE_NONE = 0x3fffff }; /* [135] 12.11.1: not configured */

/* A device's number is unique on all networks. What stands behind a router is told apart from the
 * router by the network address that is the event's unit already. */
static void device_note(struct bacnet_message *m, uint32_t object)
{
    if (bacnet_object_instance(object) == INSTANCE_NONE)
        return;
    struct bacnet_property self = bacnet_property_of(object, BACNET_NO_INDEX);
    bacnet_fact(m, FACT_MODULE_NAME, bacnet_property_text(m->d, &self));
}

/* | device | maximum APDU | segmentation | vendor | */
void bacnet_i_am_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t object, vendor, ignored;
    if (!bacnet_application_number(r, BACNET_OBJECT, &object) ||
        !bacnet_application_number(r, BACNET_UNSIGNED, &ignored) ||
        !bacnet_application_number(r, BACNET_ENUMERATED, &ignored) ||
        !bacnet_application_number(r, BACNET_UNSIGNED, &vendor)) {
        reader_fail(r);
        return;
    }
    struct bacnet_property p = bacnet_property_of(object, BACNET_NO_INDEX);
    bacnet_add(m, &p);
    device_note(m, object);
    bacnet_vendor_note(m, vendor);
}

/* | device | object | name of the object | */
void bacnet_i_have_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t device, object;
    struct reader content;
    if (!bacnet_application_number(r, BACNET_OBJECT, &device) ||
        !bacnet_application_number(r, BACNET_OBJECT, &object) ||
        !bacnet_application(r, BACNET_STRING, &content)) {
        reader_fail(r);
        return;
    }
    struct bacnet_property p = bacnet_property_of(object, BACNET_NO_INDEX);
    m->event.detail = bacnet_string(m->d, content);
    bacnet_add(m, &p);
    device_note(m, device);
    if (bacnet_object_type(object) == DEVICE && bacnet_object_instance(device) != INSTANCE_NONE)
        bacnet_fact(m, FACT_NAME, m->event.detail);
}

/* | low 0 | high 1 |, or nothing */
void bacnet_who_is_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t low, high;
    if (bacnet_context_number(r, 0, &low) && bacnet_context_number(r, 1, &high))
        m->event.detail = dissect_text(m->d, "device %u to %u", low, high);
}

/* | low 0 | high 1 |, or not, | object 2 or name 3 | */
void bacnet_who_has_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    bacnet_who_is_request(m, r);
    if (bacnet_object_at(r, 2, &p))
        bacnet_add(m, &p);
    else if (bacnet_context(r, 3, &content))
        m->event.detail = bacnet_string(m->d, content);
    else
        reader_fail(r);
}
