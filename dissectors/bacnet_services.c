/* bacnet_services.c: what BACnet's services say, from their first parameter on.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020, clauses 13 to 17 (services), 21 (their ASN.1)
 *
 * Numbers in the calls below are the context tags of clause 21. */
#include "bacnet_services.h"

#include "bacnet_names.h"
#include "bacnet_values.h"

enum {
    ITEMS_MAX = 512, /* an APDU of 1476 bytes holds fewer; a segmented one may hold more */
    DEVICE = 8,      /* object types, [135] 21 */
    PROGRAM = 16,
    NETWORK_PORT = 56,
    PRESENT_VALUE = 85, /* properties */
    OUT_OF_SERVICE = 81,
    PROGRAM_CHANGE = 90,
    OBJECT_NAME = 77,
    SYSTEM_STATUS = 112,
    VENDOR_IDENTIFIER = 120,
    VENDOR_NAME = 121,
    PRIORITY_MAX = 16,     /* [135] 19.2.1 */
    PRIORITY_OVERRIDE = 4, /* 1 and 2 life safety, 3 critical equipment, 4 reserved for the same */
    PRIORITY_NONE = 0,
    FILE_STREAM = 0,
    FILE_RECORDS = 1,
};

/* --- the message --- */

void bacnet_message_begin(struct bacnet_message *m, struct dissect *d, struct reader pdu)
{
    m->d = d;
    m->event = event_of(d);
    m->is_confirmed = m->is_asked = false;
    m->pdu = pdu;
    m->asked.service = 0;
    m->asked.operation = OP_UNKNOWN;
    m->asked.total = 0;
    m->asked.count = 0;
    m->items = m->few;
    m->item_count = m->items_total = m->fact_count = 0;
    m->item_capacity = BACNET_ITEMS_INLINE;
}

void bacnet_message_end(struct bacnet_message *m)
{
    m->event.items = m->items;
    m->event.item_count = m->item_count;
    m->event.items_total = m->items_total;
    m->event.facts = m->facts;
    m->event.fact_count = m->fact_count;
}

static void wrong(struct bacnet_message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

static bool grow(struct bacnet_message *m)
{
    uint32_t more = m->item_capacity * 4;
    if (more > ITEMS_MAX)
        return false;
    struct ot_item *items = dissect_items(m->d, &more);
    if (!items || more <= m->item_capacity)
        return false;
    memcpy(items, m->items, m->item_count * sizeof *items);
    m->items = items;
    m->item_capacity = more;
    return true;
}

/* NULL: no room; it is counted all the same. */
static struct ot_item *add(struct bacnet_message *m, const struct bacnet_property *p)
{
    m->items_total++;
    if (m->item_count == m->item_capacity && !grow(m))
        return NULL;
    struct ot_item *item = &m->items[m->item_count++];
    *item = (struct ot_item){
        .area = p->property == BACNET_NO_INDEX ? "object" : "property",
        .name = bacnet_property_text(m->d, p),
        .count = 1,
    };
    return item;
}

static void ask(struct bacnet_message *m, const struct bacnet_property *p)
{
    struct bacnet_asked *a = &m->asked;
    if (a->count < BACNET_ASKED_MAX)
        a->properties[a->count++] = *p;
    if (a->total < UINT16_MAX)
        a->total++;
}

static struct ot_item *add_asked(struct bacnet_message *m, const struct bacnet_property *p)
{
    ask(m, p);
    return add(m, p);
}

void bacnet_put_asked(struct bacnet_message *m)
{
    if (m->items_total > 0)
        return;
    for (uint32_t i = 0; i < m->asked.count; i++)
        add(m, &m->asked.properties[i]);
    if (m->asked.total > m->items_total)
        m->items_total = m->asked.total;
}

static void graver(struct bacnet_message *m, enum operation operation)
{
    if (operation > m->event.operation)
        m->event.operation = operation;
}

static void fact(struct bacnet_message *m, enum fact_kind kind, struct text value)
{
    if (value.size && m->fact_count < BACNET_FACTS_MAX)
        m->facts[m->fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* --- objects and properties --- */

static struct bacnet_property property_of(uint32_t object, uint32_t property)
{
    return (struct bacnet_property){object, property, BACNET_NO_INDEX};
}

/* The object under context tag `number` alone. */
static bool object_at(struct reader *r, uint8_t number, struct bacnet_property *p)
{
    uint32_t object;
    if (!bacnet_context_number(r, number, &object))
        return false;
    *p = property_of(object, BACNET_NO_INDEX);
    return true;
}

/* The property, and the index when there is one, under context tags `number` and the next. */
static bool property_at(struct reader *r, uint8_t number, struct bacnet_property *p)
{
    p->index = BACNET_NO_INDEX;
    if (!bacnet_context_number(r, number, &p->property))
        return false;
    bacnet_context_number(r, (uint8_t)(number + 1), &p->index);
    return true;
}

static const struct identity {
    uint16_t property;
    uint8_t kind; /* enum fact_kind */
} identities[] = {
    {OBJECT_NAME, FACT_NAME    }, /* [135] 12.11, properties of the Device object */
    {28,          FACT_COMMENT }, /* description */
    {VENDOR_NAME, FACT_VENDOR  },
    {70,          FACT_PRODUCT }, /* model-name */
    {44,          FACT_FIRMWARE},
    {12,          FACT_SOFTWARE}, /* application-software-version */
    {58,          FACT_LOCATION},
    {372,         FACT_SERIAL  }, /* serial-number */
};

static const char *const system_states[] = {/* [135] 21, BACnetDeviceStatus */
                                            "operational",       "operational-read-only",
                                            "download-required", "download-in-progress",
                                            "non-operational",   "backup-in-progress"};

static void vendor_note(struct bacnet_message *m, uint32_t vendor)
{
    const char *name = bacnet_vendor_name(vendor);
    fact(m, FACT_VENDOR, name ? text_of(name) : dissect_text(m->d, "vendor %u", vendor));
}

/* What a device tells about itself. */
static void identity_note(struct bacnet_message *m, const struct bacnet_property *p,
                          struct reader content)
{
    if (bacnet_object_type(p->object) != DEVICE)
        return;
    uint32_t state, vendor;
    struct reader string;
    if (p->property == VENDOR_IDENTIFIER &&
        bacnet_application_number(&content, BACNET_UNSIGNED, &vendor)) {
        vendor_note(m, vendor);
        return;
    }
    if (p->property == SYSTEM_STATUS &&
        bacnet_application_number(&content, BACNET_ENUMERATED, &state)) {
        if (state < sizeof system_states / sizeof *system_states)
            fact(m, FACT_MODE, text_of(system_states[state]));
        return;
    }
    if (!bacnet_application(&content, BACNET_STRING, &string))
        return;
    for (size_t i = 0; i < sizeof identities / sizeof *identities; i++)
        if (identities[i].property == p->property)
            fact(m, (enum fact_kind)identities[i].kind, bacnet_string(m->d, string));
}

/* A property of an acknowledgement with its value. */
static void add_value(struct bacnet_message *m, const struct bacnet_property *p,
                      struct reader content)
{
    struct ot_item *item = add(m, p);
    if (item)
        bacnet_put_values(m->d, content, item);
    identity_note(m, p, content);
}

/* --- reading --- */

/* | object 0 | property 1 | index 2, or not |, also readRange and the first part of others */
static void read_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    if (object_at(r, 0, &p) && property_at(r, 1, &p))
        add_asked(m, &p);
    else
        r->is_short = true;
}

/* | object 0 | property 1 | index 2, or not | value 3 | */
static void read_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    if (!object_at(r, 0, &p) || !property_at(r, 1, &p) || !bacnet_enclosed(r, 3, &content)) {
        r->is_short = true;
        return;
    }
    add_value(m, &p, content);
    if (m->is_asked && m->asked.count && memcmp(&p, &m->asked.properties[0], sizeof p) != 0)
        m->event.flags |= OT_ECHO_DIFFERS;
}

/* | object 0 | 1 { property 0 | index 1, or not }... |... */
static void read_multiple_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    while (reader_left(r)) {
        if (!object_at(r, 0, &p) || !bacnet_opening(r, 1)) {
            r->is_short = true;
            return;
        }
        while (property_at(r, 0, &p))
            add_asked(m, &p);
        if (!bacnet_closing(r, 1))
            r->is_short = true;
    }
}

/* | error class | error code | as an item's status */
static void item_refused(struct ot_item *item, struct reader r)
{
    uint32_t class, code = 0;
    if (bacnet_application_number(&r, BACNET_ENUMERATED, &class) &&
        bacnet_application_number(&r, BACNET_ENUMERATED, &code))
        item->status = (struct ot_status){OT_RESULT_ERROR, code, bacnet_error_name(code)};
}

/* | object 0 | 1 { property 2 | index 3, or not | value 4 or error 5 }... |... */
static void read_multiple_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    while (reader_left(r)) {
        if (!object_at(r, 0, &p) || !bacnet_opening(r, 1)) {
            r->is_short = true;
            return;
        }
        while (property_at(r, 2, &p)) {
            if (bacnet_enclosed(r, 4, &content)) {
                add_value(m, &p, content);
            } else if (bacnet_enclosed(r, 5, &content)) {
                struct ot_item *item = add(m, &p);
                if (item)
                    item_refused(item, content);
            } else {
                r->is_short = true;
            }
        }
        if (!bacnet_closing(r, 1))
            r->is_short = true;
    }
}

/* | object 0 | property 1 | index 2, or not | flags 3 | count 4 | data 5 | */
static void read_range_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    if (!object_at(r, 0, &p) || !property_at(r, 1, &p))
        return;
    struct ot_item *item = add(m, &p);
    bacnet_context(r, 3, &content);
    uint32_t count = 0;
    bacnet_context_number(r, 4, &count);
    if (!item)
        return;
    item->count = count;
    if (bacnet_enclosed(r, 5, &content))
        bacnet_put_values(m->d, content, item);
}

/* --- writing --- */

/* Properties whose change is more than a value. [135] 12 */
static const struct gravity {
    uint16_t property;
    uint8_t operation; /* enum operation */
} gravities[] = {
    {OUT_OF_SERVICE, OP_FORCE        }, /* cuts the value from the input or output behind it */
    {OBJECT_NAME,    OP_CONFIG_CHANGE},
    {17,             OP_CONFIG_CHANGE}, /* notification-class */
    {22,             OP_CONFIG_CHANGE}, /* cov-increment */
    {25,             OP_CONFIG_CHANGE}, /* deadband */
    {28,             OP_CONFIG_CHANGE}, /* description */
    {35,             OP_CONFIG_CHANGE}, /* event-enable */
    {45,             OP_CONFIG_CHANGE}, /* high-limit */
    {52,             OP_CONFIG_CHANGE}, /* limit-enable */
    {59,             OP_CONFIG_CHANGE}, /* low-limit */
    {65,             OP_CONFIG_CHANGE}, /* max-pres-value */
    {69,             OP_CONFIG_CHANGE}, /* min-pres-value */
    {72,             OP_CONFIG_CHANGE}, /* notify-type */
    {102,            OP_CONFIG_CHANGE}, /* recipient-list */
    {113,            OP_CONFIG_CHANGE}, /* time-delay */
    {117,            OP_CONFIG_CHANGE}, /* units */
};

/* [135] 12.22.7, Program_Change: ready, load, run, halt, restart, unload */
static const uint8_t program_changes[] = {OP_WRITE, OP_PROGRAM_DOWNLOAD, OP_START,
                                          OP_STOP,  OP_RESTART,          OP_PROGRAM_DELETE};

static enum operation write_operation(const struct bacnet_property *p, struct reader content,
                                      uint32_t priority)
{
    uint32_t type = bacnet_object_type(p->object), change;
    if (p->property == PROGRAM_CHANGE && type == PROGRAM &&
        bacnet_application_number(&content, BACNET_ENUMERATED, &change) &&
        change < sizeof program_changes / sizeof *program_changes)
        return (enum operation)program_changes[change];
    for (size_t i = 0; i < sizeof gravities / sizeof *gravities; i++)
        if (gravities[i].property == p->property)
            return (enum operation)gravities[i].operation;
    if (type == DEVICE || type == NETWORK_PORT)
        return OP_CONFIG_CHANGE;
    if (priority != PRIORITY_NONE && priority <= PRIORITY_OVERRIDE)
        return OP_FORCE; /* the control program cannot win against it */
    return OP_WRITE;
}

/* | property n | index n + 1, or not | value n + 2 | priority n + 3, or not | */
static bool write_one(struct bacnet_message *m, struct reader *r, uint8_t number,
                      struct bacnet_property *p)
{
    struct reader content;
    uint32_t priority = PRIORITY_NONE;
    if (!property_at(r, number, p) || !bacnet_enclosed(r, (uint8_t)(number + 2), &content))
        return false;
    if (bacnet_context_number(r, (uint8_t)(number + 3), &priority)) {
        if (priority == 0 || priority > PRIORITY_MAX)
            wrong(m, VIOLATION_RANGE, "BACnet priority is not 1 to 16");
        else
            m->event.detail = dissect_text(m->d, "priority %u", priority);
    }
    enum operation operation = write_operation(p, content, priority);
    struct ot_item *item = add_asked(m, p);
    if (item) {
        item->operation = operation == OP_WRITE ? OP_UNKNOWN : operation;
        bacnet_put_values(m->d, content, item);
    }
    graver(m, operation);
    return true;
}

static void write_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    if (!object_at(r, 0, &p) || !write_one(m, r, 1, &p))
        r->is_short = true;
    if (m->item_count == 1)
        m->items[0].operation = OP_UNKNOWN; /* the event's */
}

/* | object 0 | 1 { property 0 | index 1, or not | value 2 | priority 3, or not }... |... */
static void write_multiple_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    while (reader_left(r)) {
        if (!object_at(r, 0, &p) || !bacnet_opening(r, 1)) {
            r->is_short = true;
            return;
        }
        while (write_one(m, r, 0, &p)) {
        }
        if (!bacnet_closing(r, 1))
            r->is_short = true;
    }
    for (uint32_t i = 0; i < m->item_count; i++)
        if (m->items[i].operation == OP_UNKNOWN && m->event.operation != OP_WRITE)
            m->items[i].operation = OP_WRITE; /* beside graver ones */
}

/* | object 0 | property 1 | index 2, or not | elements 3 | */
static void list_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    if (!object_at(r, 0, &p) || !property_at(r, 1, &p) || !bacnet_enclosed(r, 3, &content)) {
        r->is_short = true;
        return;
    }
    struct ot_item *item = add_asked(m, &p);
    if (item)
        bacnet_put_values(m->d, content, item);
}

/* | 0 { object type 0, or object 1 } | initial values 1 { property 0 ... }, or not | */
static void create_request(struct bacnet_message *m, struct reader *r)
{
    struct reader inner, type;
    uint32_t object;
    if (!bacnet_enclosed(r, 0, &inner)) {
        r->is_short = true;
    } else if (bacnet_context_number(&inner, 1, &object)) {
        struct bacnet_property p = property_of(object, BACNET_NO_INDEX);
        add_asked(m, &p);
    } else if (bacnet_context(&inner, 0, &type)) {
        const char *name = bacnet_object_type_name(bacnet_unsigned(type));
        m->event.detail = text_of(name ? name : "unknown object type");
    }
}

/* | object, as an application tag | */
static void object_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t object;
    if (!bacnet_application_number(r, BACNET_OBJECT, &object)) {
        r->is_short = true;
        return;
    }
    struct bacnet_property p = property_of(object, BACNET_NO_INDEX);
    add_asked(m, &p);
}

static void create_acknowledged(struct bacnet_message *m, struct reader *r)
{
    uint32_t object;
    if (!bacnet_application_number(r, BACNET_OBJECT, &object))
        return;
    struct bacnet_property p = property_of(object, BACNET_NO_INDEX);
    add(m, &p);
}

/* --- files --- */

static void file_step(struct bacnet_message *m, enum operation operation, enum transfer_step step,
                      struct reader bytes)
{
    uint32_t object = m->asked.count ? m->asked.properties[0].object : 0;
    struct bacnet_property p = property_of(object, BACNET_NO_INDEX);
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
static void file_read_request(struct bacnet_message *m, struct reader *r)
{
    object_request(m, r);
}

/* | is at the end | 0 { start | data } or 1 { start | count | records } | */
static void file_read_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_tag tag;
    uint32_t start;
    struct reader bytes;
    if (!bacnet_tag_read(r, &tag) || tag.is_context || tag.number != BACNET_BOOLEAN ||
        !file_access(r, &start, &bytes)) {
        r->is_short = true;
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
static void file_write_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t start;
    struct reader bytes;
    object_request(m, r);
    if (!reader_ok(r) || !file_access(r, &start, &bytes))
        r->is_short = true;
    else
        file_step(m, OP_FILE_WRITE, start == 0 ? TRANSFER_BEGIN : TRANSFER_BLOCK, bytes);
}

/* --- devices --- */

/* A password: its bytes are masked and kept nowhere. */
static void secret_note(struct bacnet_message *m, struct reader content)
{
    reader_skip(&content, 1); /* character set */
    if (!reader_left(&content))
        return;
    m->event.flags |= OT_HAS_CREDENTIAL;
    m->event.secret = content.at;
    m->event.secret_size = reader_left(&content);
}

/* | minutes 0, or not | state 1 | password 2, or not | */
static void communication_request(struct bacnet_message *m, struct reader *r)
{
    static const char *const states[] = {"enable", "disable", "disable initiation"};
    uint32_t minutes = 0, state;
    struct reader password;
    bool is_limited = bacnet_context_number(r, 0, &minutes);
    if (!bacnet_context_number(r, 1, &state)) {
        r->is_short = true;
        return;
    }
    if (state >= sizeof states / sizeof *states)
        wrong(m, VIOLATION_RANGE, "BACnet communication state is not defined");
    else if (is_limited && state)
        m->event.detail = dissect_text(m->d, "%s for %u min", states[state], minutes);
    else
        m->event.detail = text_of(states[state]);
    if (bacnet_context(r, 2, &password))
        secret_note(m, password);
}

/* | state 0 | password 1, or not | */
static void reinitialize_request(struct bacnet_message *m, struct reader *r)
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
        r->is_short = true;
        return;
    }
    if (state < sizeof states / sizeof *states) {
        m->event.detail = text_of(states[state].name);
        m->event.operation = (enum operation)states[state].operation;
    } else {
        wrong(m, VIOLATION_RANGE, "BACnet restart state is not defined");
    }
    if (bacnet_context(r, 1, &password))
        secret_note(m, password);
}

enum { INSTANCE_NONE = 0x3fffff }; /* [135] 12.11.1: not configured */

/* A device's number is unique on all networks. What stands behind a router is told apart from the
 * router by the network address that is the event's unit already. */
static void device_note(struct bacnet_message *m, uint32_t object)
{
    if (bacnet_object_instance(object) == INSTANCE_NONE)
        return;
    struct bacnet_property self = property_of(object, BACNET_NO_INDEX);
    fact(m, FACT_MODULE_NAME, bacnet_property_text(m->d, &self));
}

/* | device | maximum APDU | segmentation | vendor | */
static void i_am_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t object, vendor, ignored;
    if (!bacnet_application_number(r, BACNET_OBJECT, &object) ||
        !bacnet_application_number(r, BACNET_UNSIGNED, &ignored) ||
        !bacnet_application_number(r, BACNET_ENUMERATED, &ignored) ||
        !bacnet_application_number(r, BACNET_UNSIGNED, &vendor)) {
        r->is_short = true;
        return;
    }
    struct bacnet_property p = property_of(object, BACNET_NO_INDEX);
    add(m, &p);
    device_note(m, object);
    vendor_note(m, vendor);
}

/* | device | object | name of the object | */
static void i_have_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t device, object;
    struct reader content;
    if (!bacnet_application_number(r, BACNET_OBJECT, &device) ||
        !bacnet_application_number(r, BACNET_OBJECT, &object) ||
        !bacnet_application(r, BACNET_STRING, &content)) {
        r->is_short = true;
        return;
    }
    struct bacnet_property p = property_of(object, BACNET_NO_INDEX);
    m->event.detail = bacnet_string(m->d, content);
    add(m, &p);
    device_note(m, device);
    if (bacnet_object_type(object) == DEVICE && bacnet_object_instance(device) != INSTANCE_NONE)
        fact(m, FACT_NAME, m->event.detail);
}

/* | low 0 | high 1 |, or nothing */
static void who_is_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t low, high;
    if (bacnet_context_number(r, 0, &low) && bacnet_context_number(r, 1, &high))
        m->event.detail = dissect_text(m->d, "device %u to %u", low, high);
}

/* | low 0 | high 1 |, or not, | object 2 or name 3 | */
static void who_has_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    who_is_request(m, r);
    if (object_at(r, 2, &p))
        add(m, &p);
    else if (bacnet_context(r, 3, &content))
        m->event.detail = bacnet_string(m->d, content);
    else
        r->is_short = true;
}

/* --- alarms, changes of value, the rest --- */

/* | process 0 | object 1 |... */
static void second_object(struct bacnet_message *m, struct reader *r)
{
    struct reader process;
    struct bacnet_property p;
    if (bacnet_context(r, 0, &process) && object_at(r, 1, &p))
        add_asked(m, &p);
    else
        r->is_short = true;
}

/* | process 0 | device 1 | object 2 |... */
static void event_request(struct bacnet_message *m, struct reader *r)
{
    struct reader process, device;
    struct bacnet_property p;
    if (bacnet_context(r, 0, &process) && bacnet_context(r, 1, &device) && object_at(r, 2, &p))
        add_asked(m, &p);
    else
        r->is_short = true;
}

/* | process 0 | confirmed 1 | lifetime 2 | delay 3 | 4 { object 0 | 1 { 0 { property 0 | index 1 }
 * | increment 1 | with times 2 }... }... | */
static void subscribe_request(struct bacnet_message *m, struct reader *r)
{
    struct reader part, reference;
    struct bacnet_property p;
    for (uint8_t i = 0; i < 4; i++)
        (void)bacnet_context(r, i, &part); /* [135] 13.16.1: but the first they may be left out */
    if (!bacnet_opening(r, 4))
        r->is_short = true;
    while (object_at(r, 0, &p)) {
        if (!bacnet_opening(r, 1))
            r->is_short = true;
        while (bacnet_enclosed(r, 0, &reference)) {
            if (property_at(&reference, 0, &p))
                add_asked(m, &p);
            else
                r->is_short = true;
            (void)bacnet_context(r, 1, &part);
            (void)bacnet_context(r, 2, &part);
        }
        if (!bacnet_closing(r, 1))
            r->is_short = true;
    }
    if (!bacnet_closing(r, 4))
        r->is_short = true;
}

/* | property 0 | index 1, or not | value 2 |: false when there is none. */
static bool change_at(struct bacnet_message *m, struct reader *r, struct bacnet_property *p)
{
    struct reader content;
    if (!property_at(r, 0, p))
        return false;
    if (!bacnet_enclosed(r, 2, &content)) {
        r->is_short = true;
        return false;
    }
    ask(m, p);
    struct ot_item *item = add(m, p);
    if (item)
        bacnet_put_values(m->d, content, item);
    return true;
}

/* | process 0 | device 1 | object 2 | time left 3 | 4 { property 0 | index 1 | value 2 | priority 3
 * }... | */
static void change_request(struct bacnet_message *m, struct reader *r)
{
    struct reader process, device, left;
    struct bacnet_property p;
    if (!bacnet_context(r, 0, &process) || !bacnet_context(r, 1, &device) || !object_at(r, 2, &p) ||
        !bacnet_context(r, 3, &left) || !bacnet_opening(r, 4)) {
        r->is_short = true;
        return;
    }
    while (change_at(m, r, &p)) {
        uint32_t priority;
        bacnet_context_number(r, 3, &priority);
    }
    if (!bacnet_closing(r, 4))
        r->is_short = true;
}

/* | date | time | */
static void time_request(struct bacnet_message *m, struct reader *r)
{
    struct text time = bacnet_date_time(m->d, r);
    uint32_t count = 1;
    if (!time.size) {
        r->is_short = true;
        return;
    }
    m->event.detail = time;
    struct ot_item *item = dissect_items(m->d, &count);
    if (count == 0)
        return;
    *item = (struct ot_item){
        .area = "clock",
        .count = 1,
        .values = {VALUES_TEXT, 1, (const uint8_t *)time.at, time.size},
    };
    m->items = item;
    m->item_count = m->item_capacity = m->items_total = 1;
}

/* | process 0 | device 1 | time left 2 | time 3, or not | 4 { object 0 | 1 { property 0 | index 1 |
 * value 2 | time 3, or not }... }... | */
static void changes_request(struct bacnet_message *m, struct reader *r)
{
    struct reader part;
    struct bacnet_property p;
    if (!bacnet_context(r, 0, &part) || !bacnet_context(r, 1, &part) ||
        !bacnet_context(r, 2, &part)) {
        r->is_short = true;
        return;
    }
    (void)bacnet_enclosed(r, 3, &part);
    if (!bacnet_opening(r, 4))
        r->is_short = true;
    while (object_at(r, 0, &p)) {
        if (!bacnet_opening(r, 1))
            r->is_short = true;
        while (change_at(m, r, &p))
            bacnet_context(r, 3, &part);
        if (!bacnet_closing(r, 1))
            r->is_short = true;
    }
    if (!bacnet_closing(r, 4))
        r->is_short = true;
}

/* | process 0 | source 1 | operation 2 | object 3, or not | */
static void life_safety_request(struct bacnet_message *m, struct reader *r)
{
    static const char *const operations[] = {
        /* [135] 21, BACnetLifeSafetyOperation */
        "none",        "silence",     "silence audible", "silence visual",    "reset",
        "reset alarm", "reset fault", "unsilence",       "unsilence audible", "unsilence visual"};
    struct reader process, source;
    struct bacnet_property p;
    uint32_t operation;
    if (!bacnet_context(r, 0, &process) || !bacnet_context(r, 1, &source) ||
        !bacnet_context_number(r, 2, &operation)) {
        r->is_short = true;
        return;
    }
    if (operation < sizeof operations / sizeof *operations)
        m->event.detail = text_of(operations[operation]);
    if (object_at(r, 3, &p))
        add_asked(m, &p);
}

/* | vendor 0 | number 1 |... */
static void private_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t vendor, number;
    if (!bacnet_context_number(r, 0, &vendor) || !bacnet_context_number(r, 1, &number)) {
        r->is_short = true;
        return;
    }
    const char *name = bacnet_vendor_name(vendor);
    m->event.detail = dissect_text(m->d, "vendor %u%s%s, service %u", vendor, name ? " " : "",
                                   name ? name : "", number);
}

/* | device 0 | class 1, or not | priority 2 | message 3 | */
static void message_request(struct bacnet_message *m, struct reader *r)
{
    struct reader content;
    if (!bacnet_context(r, 0, &content)) {
        r->is_short = true;
        return;
    }
    bacnet_enclosed(r, 1, &content);
    bacnet_context(r, 2, &content);
    if (bacnet_context(r, 3, &content))
        m->event.detail = bacnet_string(m->d, content);
}

/* | number 0 | expected id 1, or not | operator 2, or not | password 3, or not |... [135-2004] 24
 */
static void authenticate_request(struct bacnet_message *m, struct reader *r)
{
    struct reader content;
    bacnet_context(r, 0, &content);
    bacnet_context(r, 1, &content);
    if (bacnet_context(r, 2, &content))
        fact(m, FACT_USER_NAME, bacnet_string(m->d, content));
    if (bacnet_context(r, 3, &content))
        secret_note(m, content);
}

/* | group 0 | priority 1 |... */
static void group_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t group, priority;
    if (bacnet_context_number(r, 0, &group) && bacnet_context_number(r, 1, &priority))
        m->event.detail = dissect_text(m->d, "group %u, priority %u", group, priority);
    else
        r->is_short = true;
}

/* --- the services --- */

typedef void parser(struct bacnet_message *m, struct reader *r);

struct service {
    const char *name; /* NULL: not defined */
    enum operation operation;
    parser *request; /* NULL: nothing to show */
    parser *acknowledged;
    bool is_pushed;  /* tells of its sender, unasked */
    bool is_foreign; /* what follows is the vendor's own, not always tagged */
};

/* [135] 21, BACnetConfirmedServiceChoice */
/* clang-format off: a row per line */
static const struct service confirmed[] = {
    [0] = {"acknowledge_alarm",                   OP_ALARM,          second_object,          NULL,                       false, false},
    [1] = {"confirmed_cov_notification",          OP_PUBLISH,        change_request,         NULL,                       true,  false},
    [2] = {"confirmed_event_notification",        OP_ALARM,          event_request,          NULL,                       true,  false},
    [3] = {"get_alarm_summary",                   OP_ALARM,          NULL,                   NULL,                       false, false},
    [4] = {"get_enrollment_summary",              OP_ALARM,          NULL,                   NULL,                       false, false},
    [5] = {"subscribe_cov",                       OP_SUBSCRIBE,      second_object,          NULL,                       false, false},
    [6] = {"atomic_read_file",                    OP_FILE_READ,      file_read_request,      file_read_acknowledged,     false,
           false                                                                                                                     },
    [7] = {"atomic_write_file",                   OP_FILE_WRITE,     file_write_request,     NULL,                       false, false},
    [8] = {"add_list_element",                    OP_CONFIG_CHANGE,  list_request,           NULL,                       false, false},
    [9] = {"remove_list_element",                 OP_CONFIG_CHANGE,  list_request,           NULL,                       false, false},
    [10] = {"create_object",                       OP_PROGRAM_MODIFY, create_request,         create_acknowledged,        false, false},
    [11] = {"delete_object",                       OP_PROGRAM_DELETE, object_request,         NULL,                       false, false},
    [12] = {"read_property",                       OP_READ,           read_request,           read_acknowledged,          false, false},
    [13] = {"read_property_conditional",           OP_READ,           NULL,                   NULL,                       false, false},
    [14] = {"read_property_multiple",              OP_READ,           read_multiple_request,  read_multiple_acknowledged,
           false,                                                                                                               false},
    [15] = {"write_property",                      OP_WRITE,          write_request,          NULL,                       false, false},
    [16] = {"write_property_multiple",             OP_WRITE,          write_multiple_request, NULL,                       false, false},
    [17] = {"device_communication_control",        OP_MODE_CHANGE,    communication_request,  NULL,                       false,
           false                                                                                                                     },
    [18] = {"confirmed_private_transfer",          OP_UNKNOWN,        private_request,        NULL,                       false, true },
    [19] = {"confirmed_text_message",              OP_ALARM,          message_request,        NULL,                       true,  false},
    [20] = {"reinitialize_device",                 OP_RESTART,        reinitialize_request,   NULL,                       false, false},
    [21] = {"vt_open",                             OP_CONTROL,        NULL,                   NULL,                       false, false},
    [22] = {"vt_close",                            OP_CONTROL,        NULL,                   NULL,                       false, false},
    [23] = {"vt_data",                             OP_CONTROL,        NULL,                   NULL,                       false, false},
    [24] = {"authenticate",                        OP_AUTH,           authenticate_request,   NULL,                       false, false},
    [25] = {"request_key",                         OP_AUTH,           NULL,                   NULL,                       false, false},
    [26] = {"read_range",                          OP_READ,           read_request,           read_range_acknowledged,    false, false},
    [27] = {"life_safety_operation",               OP_CONTROL,        life_safety_request,    NULL,                       false, false},
    [28] = {"subscribe_cov_property",              OP_SUBSCRIBE,      second_object,          NULL,                       false, false},
    [29] = {"get_event_information",               OP_ALARM,          NULL,                   NULL,                       false, false},
    [30] = {"subscribe_cov_property_multiple",     OP_SUBSCRIBE,      subscribe_request,      NULL,                       false, false},
    [31] = {"confirmed_cov_notification_multiple", OP_PUBLISH,        changes_request,        NULL,                       true,  false},
    [32] = {"confirmed_audit_notification",        OP_UNKNOWN,        NULL,                   NULL,                       true,  false},
    [33] = {"audit_log_query",                     OP_UNKNOWN,        NULL,                   NULL,                       false, false},
    [34] = {"auth_request",                        OP_AUTH,           NULL,                   NULL,                       false, false},
};
/* clang-format on */

/* [135] 21, BACnetUnconfirmedServiceChoice */
/* clang-format off: a row per line */
static const struct service unconfirmed[] = {
    [0] = {"i_am",                                  OP_DISCOVER,      i_am_request,    NULL, true,  false},
    [1] = {"i_have",                                OP_DISCOVER,      i_have_request,  NULL, true,  false},
    [2] = {"unconfirmed_cov_notification",          OP_PUBLISH,       change_request,  NULL, true,  false},
    [3] = {"unconfirmed_event_notification",        OP_ALARM,         event_request,   NULL, true,  false},
    [4] = {"unconfirmed_private_transfer",          OP_UNKNOWN,       private_request, NULL, false, true },
    [5] = {"unconfirmed_text_message",              OP_ALARM,         message_request, NULL, true,  false},
    [6] = {"time_synchronization",                  OP_TIME_SET,      time_request,    NULL, false, false},
    [7] = {"who_has",                               OP_DISCOVER,      who_has_request, NULL, false, false},
    [8] = {"who_is",                                OP_DISCOVER,      who_is_request,  NULL, false, false},
    [9] = {"utc_time_synchronization",              OP_TIME_SET,      time_request,    NULL, false, false},
    [10] = {"write_group",                           OP_WRITE,         group_request,   NULL, false, false},
    [11] = {"unconfirmed_cov_notification_multiple", OP_PUBLISH,       changes_request, NULL, true,
           false                                                                                         },
    [12] = {"unconfirmed_audit_notification",        OP_UNKNOWN,       NULL,            NULL, true,  false},
    [13] = {"who_am_i",                              OP_DISCOVER,      NULL,            NULL, true,  false},
    [14] = {"you_are",                               OP_CONFIG_CHANGE, NULL,            NULL, false, false},
};
/* clang-format on */

static const struct service *service_of(const struct bacnet_message *m, uint8_t service)
{
    const struct service *table = m->is_confirmed ? confirmed : unconfirmed;
    size_t count = m->is_confirmed ? sizeof confirmed / sizeof *confirmed
                                   : sizeof unconfirmed / sizeof *unconfirmed;
    return service < count ? &table[service] : NULL;
}

bool bacnet_service_find(struct bacnet_message *m, uint8_t service)
{
    const struct service *s = service_of(m, service);
    if (!s)
        return false;
    m->event.name = s->name;
    m->event.operation = s->operation;
    if (s->is_pushed && m->event.direction == OT_REQUEST)
        m->event.flags |= OT_UNSOLICITED;
    return true;
}

static void parse(struct bacnet_message *m, parser *read, bool is_foreign, struct reader r)
{
    struct reader all = r;
    if (read)
        read(m, &r);
    /* the second look is for what the parser left, and for what it could not read */
    if (!is_foreign && !bacnet_is_balanced(all))
        wrong(m, VIOLATION_ENCODING, "BACnet tags do not nest or are cut off");
    else if (read && !reader_ok(&r))
        wrong(m, VIOLATION_ENCODING, "BACnet service lacks a parameter");
}

void bacnet_request(struct bacnet_message *m, uint8_t service, struct reader r)
{
    const struct service *s = service_of(m, service);
    if (s)
        parse(m, s->request, s->is_foreign, r);
}

void bacnet_acknowledged(struct bacnet_message *m, uint8_t service, struct reader r)
{
    const struct service *s = service_of(m, service);
    if (s)
        parse(m, s->acknowledged, s->is_foreign, r);
    bacnet_put_asked(m);
}

/* | class | code |; services that tell more enclose it in tag 0: [135] 21, BACnet-Error */
void bacnet_refused(struct bacnet_message *m, struct reader r)
{
    struct reader inner;
    uint32_t class, code = 0;
    if (bacnet_enclosed(&r, 0, &inner))
        r = inner;
    if (!bacnet_application_number(&r, BACNET_ENUMERATED, &class) ||
        !bacnet_application_number(&r, BACNET_ENUMERATED, &code))
        wrong(m, VIOLATION_ENCODING, "BACnet error lacks its class or code");
    m->event.status = (struct ot_status){OT_RESULT_ERROR, code, bacnet_error_name(code)};
}
