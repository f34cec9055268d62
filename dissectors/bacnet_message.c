/* bacnet_message.c: what the readers of BACnet's services share: items, objects and properties,
 * facts.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020 */
#include "bacnet_message.h"

#include "bacnet_names.h"
#include "bacnet_values.h"

enum {
    ITEMS_MAX = 512, /* an APDU of 1476 bytes holds fewer; a segmented one may hold more */
    DEVICE = 8,      /* object types, [135] 21 */
    OBJECT_NAME = 77,
    SYSTEM_STATUS = 112,
    VENDOR_IDENTIFIER = 120,
    VENDOR_NAME = 121,
};

/* --- the message --- */

void bacnet_message_begin(struct bacnet_message *m, struct dissect *d, struct reader pdu)
{
    m->d = d;
    event_start(&m->event, d);
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

void bacnet_wrong(struct bacnet_message *m, enum violation_kind kind, const char *why)
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

struct ot_item *bacnet_add(struct bacnet_message *m, const struct bacnet_property *p)
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

void bacnet_ask(struct bacnet_message *m, const struct bacnet_property *p)
{
    struct bacnet_asked *a = &m->asked;
    if (a->count < BACNET_ASKED_MAX)
        a->properties[a->count++] = *p;
    if (a->total < UINT16_MAX)
        a->total++;
}

struct ot_item *bacnet_add_asked(struct bacnet_message *m, const struct bacnet_property *p)
{
    bacnet_ask(m, p);
    return bacnet_add(m, p);
}

void bacnet_put_asked(struct bacnet_message *m)
{
    if (m->items_total > 0)
        return;
    for (uint32_t i = 0; i < m->asked.count; i++)
        bacnet_add(m, &m->asked.properties[i]);
    if (m->asked.total > m->items_total)
        m->items_total = m->asked.total;
}

void bacnet_graver(struct bacnet_message *m, enum operation operation)
{
    if (operation > m->event.operation)
        m->event.operation = operation;
}

void bacnet_fact(struct bacnet_message *m, enum fact_kind kind, struct text value)
{
    if (value.size && m->fact_count < BACNET_FACTS_MAX)
        m->facts[m->fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* --- objects and properties --- */

struct bacnet_property bacnet_property_of(uint32_t object, uint32_t property)
{
    return (struct bacnet_property){object, property, BACNET_NO_INDEX};
}

bool bacnet_object_at(struct reader *r, uint8_t number, struct bacnet_property *p)
{
    uint32_t object;
    if (!bacnet_context_number(r, number, &object))
        return false;
    *p = bacnet_property_of(object, BACNET_NO_INDEX);
    return true;
}

bool bacnet_property_at(struct reader *r, uint8_t number, struct bacnet_property *p)
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

void bacnet_vendor_note(struct bacnet_message *m, uint32_t vendor)
{
    const char *name = bacnet_vendor_name(vendor);
    bacnet_fact(m, FACT_VENDOR, name ? text_of(name) : dissect_text(m->d, "vendor %u", vendor));
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
        bacnet_vendor_note(m, vendor);
        return;
    }
    if (p->property == SYSTEM_STATUS &&
        bacnet_application_number(&content, BACNET_ENUMERATED, &state)) {
        if (state < sizeof system_states / sizeof *system_states)
            bacnet_fact(m, FACT_MODE, text_of(system_states[state]));
        return;
    }
    if (!bacnet_application(&content, BACNET_STRING, &string))
        return;
    for (size_t i = 0; i < sizeof identities / sizeof *identities; i++)
        if (identities[i].property == p->property)
            bacnet_fact(m, (enum fact_kind)identities[i].kind, bacnet_string(m->d, string));
}

void bacnet_add_value(struct bacnet_message *m, const struct bacnet_property *p,
                      struct reader content)
{
    struct ot_item *item = bacnet_add(m, p);
    if (item)
        bacnet_put_values(m->d, content, item);
    identity_note(m, p, content);
}
