/* bacnet_alarms.c: BACnet's alarms, changes of value, times and the rest.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020, clauses 13, 16 and 17
 *
 * Numbers in the calls below are the context tags of clause 21. */
#include "bacnet_message.h"

#include "bacnet_names.h"
#include "bacnet_values.h"

/* --- alarms, changes of value, the rest --- */

/* | process 0 | object 1 |... */
void bacnet_second_object(struct bacnet_message *m, struct reader *r)
{
    struct reader process;
    struct bacnet_property p;
    if (bacnet_context(r, 0, &process) && bacnet_object_at(r, 1, &p))
        bacnet_add_asked(m, &p);
    else
        reader_fail(r);
}

/* | process 0 | device 1 | object 2 |... */
void bacnet_event_request(struct bacnet_message *m, struct reader *r)
{
    struct reader process, device;
    struct bacnet_property p;
    if (bacnet_context(r, 0, &process) && bacnet_context(r, 1, &device) &&
        bacnet_object_at(r, 2, &p))
        bacnet_add_asked(m, &p);
    else
        reader_fail(r);
}

/* | process 0 | confirmed 1 | lifetime 2 | delay 3 | 4 { object 0 | 1 { 0 { property 0 | index 1 }
 * | increment 1 | with times 2 }... }... | */
void bacnet_subscribe_request(struct bacnet_message *m, struct reader *r)
{
    struct reader part, reference;
    struct bacnet_property p;
    for (uint8_t i = 0; i < 4; i++)
        (void)bacnet_context(r, i, &part); /* [135] 13.16.1: but the first they may be left out */
    if (!bacnet_opening(r, 4))
        reader_fail(r);
    while (bacnet_object_at(r, 0, &p)) {
        if (!bacnet_opening(r, 1))
            reader_fail(r);
        while (bacnet_enclosed(r, 0, &reference)) {
            if (bacnet_property_at(&reference, 0, &p))
                bacnet_add_asked(m, &p);
            else
                reader_fail(r);
            (void)bacnet_context(r, 1, &part);
            (void)bacnet_context(r, 2, &part);
        }
        if (!bacnet_closing(r, 1))
            reader_fail(r);
    }
    if (!bacnet_closing(r, 4))
        reader_fail(r);
}

/* | property 0 | index 1, or not | value 2 |: false when there is none. */
static bool change_at(struct bacnet_message *m, struct reader *r, struct bacnet_property *p)
{
    struct reader content;
    if (!bacnet_property_at(r, 0, p))
        return false;
    if (!bacnet_enclosed(r, 2, &content)) {
        reader_fail(r);
        return false;
    }
    bacnet_ask(m, p);
    struct ot_item *item = bacnet_add(m, p);
    if (item)
        bacnet_put_values(m->d, content, item);
    return true;
}

/* | process 0 | device 1 | object 2 | time left 3 | 4 { property 0 | index 1 | value 2 | priority 3
 * }... | */
void bacnet_change_request(struct bacnet_message *m, struct reader *r)
{
    struct reader process, device, left;
    struct bacnet_property p;
    if (!bacnet_context(r, 0, &process) || !bacnet_context(r, 1, &device) ||
        !bacnet_object_at(r, 2, &p) || !bacnet_context(r, 3, &left) || !bacnet_opening(r, 4)) {
        reader_fail(r);
        return;
    }
    while (change_at(m, r, &p)) {
        uint32_t priority;
        bacnet_context_number(r, 3, &priority);
    }
    if (!bacnet_closing(r, 4))
        reader_fail(r);
}

/* | date | time | */
void bacnet_time_request(struct bacnet_message *m, struct reader *r)
{
    struct text time = bacnet_date_time(m->d, r);
    uint32_t count = 1;
    if (!time.size) {
        reader_fail(r);
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
void bacnet_changes_request(struct bacnet_message *m, struct reader *r)
{
    struct reader part;
    struct bacnet_property p;
    if (!bacnet_context(r, 0, &part) || !bacnet_context(r, 1, &part) ||
        !bacnet_context(r, 2, &part)) {
        reader_fail(r);
        return;
    }
    (void)bacnet_enclosed(r, 3, &part);
    if (!bacnet_opening(r, 4))
        reader_fail(r);
    while (bacnet_object_at(r, 0, &p)) {
        if (!bacnet_opening(r, 1))
            reader_fail(r);
        while (change_at(m, r, &p))
            bacnet_context(r, 3, &part);
        if (!bacnet_closing(r, 1))
            reader_fail(r);
    }
    if (!bacnet_closing(r, 4))
        reader_fail(r);
}

/* | process 0 | source 1 | operation 2 | object 3, or not | */
void bacnet_life_safety_request(struct bacnet_message *m, struct reader *r)
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
        reader_fail(r);
        return;
    }
    if (operation < sizeof operations / sizeof *operations)
        m->event.detail = text_of(operations[operation]);
    if (bacnet_object_at(r, 3, &p))
        bacnet_add_asked(m, &p);
}

/* | vendor 0 | number 1 |... */
void bacnet_private_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t vendor, number;
    if (!bacnet_context_number(r, 0, &vendor) || !bacnet_context_number(r, 1, &number)) {
        reader_fail(r);
        return;
    }
    const char *name = bacnet_vendor_name(vendor);
    m->event.detail = dissect_text(m->d, "vendor %u%s%s, service %u", vendor, name ? " " : "",
                                   name ? name : "", number);
}

/* | device 0 | class 1, or not | priority 2 | message 3 | */
void bacnet_message_request(struct bacnet_message *m, struct reader *r)
{
    struct reader content;
    if (!bacnet_context(r, 0, &content)) {
        reader_fail(r);
        return;
    }
    bacnet_enclosed(r, 1, &content);
    bacnet_context(r, 2, &content);
    if (bacnet_context(r, 3, &content))
        m->event.detail = bacnet_string(m->d, content);
}

/* | number 0 | expected id 1, or not | operator 2, or not | password 3, or not |... [135-2004] 24
 */
void bacnet_authenticate_request(struct bacnet_message *m, struct reader *r)
{
    struct reader content;
    bacnet_context(r, 0, &content);
    bacnet_context(r, 1, &content);
    if (bacnet_context(r, 2, &content))
        bacnet_fact(m, FACT_USER_NAME, bacnet_string(m->d, content));
    if (bacnet_context(r, 3, &content))
        bacnet_secret_note(m, content);
}

/* | group 0 | priority 1 |... */
void bacnet_group_request(struct bacnet_message *m, struct reader *r)
{
    uint32_t group, priority;
    if (bacnet_context_number(r, 0, &group) && bacnet_context_number(r, 1, &priority))
        m->event.detail = dissect_text(m->d, "group %u, priority %u", group, priority);
    else
        reader_fail(r);
}
