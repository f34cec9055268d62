/* bacnet_access.c: BACnet's services that read, write, create and delete objects.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020, clause 15
 *
 * Numbers in the calls below are the context tags of clause 21. */
#include "bacnet_message.h"

#include "bacnet_names.h"
#include "bacnet_values.h"

enum {
    DEVICE = 8, /* object types, [135] 21 */
    PROGRAM = 16,
    NETWORK_PORT = 56,
    OUT_OF_SERVICE = 81,
    PROGRAM_CHANGE = 90,
    OBJECT_NAME = 77,
    PRIORITY_MAX = MANNER_PRIORITY_MAX, /* 16, [135] 19.2.1 */
    PRIORITY_OVERRIDE = 4, /* 1 and 2 life safety, 3 critical equipment, 4 reserved for the same */
    PRIORITY_NONE = 0,
};

/* --- reading --- */

/* | object 0 | property 1 | index 2, or not |, also readRange and the first part of others */
void bacnet_read_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    if (bacnet_object_at(r, 0, &p) && bacnet_property_at(r, 1, &p))
        bacnet_add_asked(m, &p);
    else
        reader_fail(r);
}

/* | object 0 | property 1 | index 2, or not | value 3 | */
void bacnet_read_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    if (!bacnet_object_at(r, 0, &p) || !bacnet_property_at(r, 1, &p) ||
        !bacnet_enclosed(r, 3, &content)) {
        reader_fail(r);
        return;
    }
    bacnet_add_value(m, &p, content);
    if (m->is_asked && m->asked.count && memcmp(&p, &m->asked.properties[0], sizeof p) != 0)
        m->event.flags |= OT_ECHO_DIFFERS;
}

/* | object 0 | 1 { property 0 | index 1, or not }... |... */
void bacnet_read_multiple_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    while (reader_left(r)) {
        if (!bacnet_object_at(r, 0, &p) || !bacnet_opening(r, 1)) {
            reader_fail(r);
            return;
        }
        while (bacnet_property_at(r, 0, &p))
            bacnet_add_asked(m, &p);
        if (!bacnet_closing(r, 1))
            reader_fail(r);
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
void bacnet_read_multiple_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    while (reader_left(r)) {
        if (!bacnet_object_at(r, 0, &p) || !bacnet_opening(r, 1)) {
            reader_fail(r);
            return;
        }
        while (bacnet_property_at(r, 2, &p)) {
            if (bacnet_enclosed(r, 4, &content)) {
                bacnet_add_value(m, &p, content);
            } else if (bacnet_enclosed(r, 5, &content)) {
                struct ot_item *item = bacnet_add(m, &p);
                if (item)
                    item_refused(item, content);
            } else {
                reader_fail(r);
            }
        }
        if (!bacnet_closing(r, 1))
            reader_fail(r);
    }
}

/* | object 0 | property 1 | index 2, or not | flags 3 | count 4 | data 5 | */
void bacnet_read_range_acknowledged(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    if (!bacnet_object_at(r, 0, &p) || !bacnet_property_at(r, 1, &p))
        return;
    struct ot_item *item = bacnet_add(m, &p);
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

/* [135] 19.2.1: null gives the priority back; none is the lowest. */
static uint8_t manner_of(struct reader content, uint32_t priority)
{
    struct bacnet_tag tag;
    if (bacnet_tag_read(&content, &tag) && !tag.is_context && tag.number == BACNET_NULL)
        return MANNER_RELINQUISH;
    return (uint8_t)(priority == PRIORITY_NONE ? PRIORITY_MAX : priority);
}

/* | property n | index n + 1, or not | value n + 2 | priority n + 3, or not | */
static bool write_one(struct bacnet_message *m, struct reader *r, uint8_t number,
                      struct bacnet_property *p)
{
    struct reader content;
    uint32_t priority = PRIORITY_NONE;
    if (!bacnet_property_at(r, number, p) || !bacnet_enclosed(r, (uint8_t)(number + 2), &content))
        return false;
    if (bacnet_context_number(r, (uint8_t)(number + 3), &priority)) {
        if (priority == 0 || priority > PRIORITY_MAX) {
            bacnet_wrong(m, VIOLATION_RANGE, "BACnet priority is not 1 to 16");
            priority = PRIORITY_NONE;
        } else {
            m->event.detail = dissect_text(m->d, "priority %u", priority);
        }
    }
    enum operation operation = write_operation(p, content, priority);
    struct ot_item *item = bacnet_add_asked(m, p);
    if (item) {
        item->operation = operation == OP_WRITE ? OP_UNKNOWN : operation;
        item->manner = manner_of(content, priority);
        bacnet_put_values(m->d, content, item);
    }
    bacnet_graver(m, operation);
    return true;
}

void bacnet_write_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    if (!bacnet_object_at(r, 0, &p) || !write_one(m, r, 1, &p))
        reader_fail(r);
    if (m->item_count == 1)
        m->items[0].operation = OP_UNKNOWN; /* the event's */
}

/* | object 0 | 1 { property 0 | index 1, or not | value 2 | priority 3, or not }... |... */
void bacnet_write_multiple_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    while (reader_left(r)) {
        if (!bacnet_object_at(r, 0, &p) || !bacnet_opening(r, 1)) {
            reader_fail(r);
            return;
        }
        while (write_one(m, r, 0, &p)) {
        }
        if (!bacnet_closing(r, 1))
            reader_fail(r);
    }
    for (uint32_t i = 0; i < m->item_count; i++)
        if (m->items[i].operation == OP_UNKNOWN && m->event.operation != OP_WRITE)
            m->items[i].operation = OP_WRITE; /* beside graver ones */
}

/* | object 0 | property 1 | index 2, or not | elements 3 | */
void bacnet_list_request(struct bacnet_message *m, struct reader *r)
{
    struct bacnet_property p;
    struct reader content;
    if (!bacnet_object_at(r, 0, &p) || !bacnet_property_at(r, 1, &p) ||
        !bacnet_enclosed(r, 3, &content)) {
        reader_fail(r);
        return;
    }
    struct ot_item *item = bacnet_add_asked(m, &p);
    if (item)
        bacnet_put_values(m->d, content, item);
}

/* | 0 { object type 0, or object 1 } | initial values 1 { property 0 ... }, or not | */
void bacnet_create_request(struct bacnet_message *m, struct reader *r)
{
    struct reader inner, type;
    uint32_t object;
    if (!bacnet_enclosed(r, 0, &inner)) {
        reader_fail(r);
    } else if (bacnet_context_number(&inner, 1, &object)) {
        struct bacnet_property p = bacnet_property_of(object, BACNET_NO_INDEX);
        bacnet_add_asked(m, &p);
    } else if (bacnet_context(&inner, 0, &type)) {
        const char *name = bacnet_object_type_name(bacnet_unsigned(type));
        m->event.detail = text_of(name ? name : "unknown object type");
    }
}

/* | object, as an application tag | */
void bacnet_object_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t object;
    if (!bacnet_application_number(r, BACNET_OBJECT, &object)) {
        reader_fail(r);
        return;
    }
    struct bacnet_property p = bacnet_property_of(object, BACNET_NO_INDEX);
    bacnet_add_asked(m, &p);
}

void bacnet_create_acknowledged(struct bacnet_message *m, struct reader *r)
{
    uint32_t object;
    if (!bacnet_application_number(r, BACNET_OBJECT, &object))
        return;
    struct bacnet_property p = bacnet_property_of(object, BACNET_NO_INDEX);
    bacnet_add(m, &p);
}
