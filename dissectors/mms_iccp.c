/* mms_iccp.c: ICCP, or TASE.2, the protocol between control centres: MMS with names of its own.
 *
 * Spec: IEC 60870-6-503 (objects), 60870-6-802 (names); PROTOCOLS 11
 *
 * What is said stays MMS, with the operations of these names (mms_variables.c); at the first of
 * them an association gets the name of ICCP, once, by an event of its own. */
#include "mms.h"

/* Of a variable behind its domain, or of the domain: what MMS of substations does not have. */
static const struct {
    const char *text;
    bool is_beginning; /* of the domain; otherwise of the variable */
} names[] = {
    {"Bilateral_",          true },
    {"VCC/",                true },
    {"TASE2_Version",       false},
    {"Bilateral_Table_ID",  false},
    {"Supported_Features",  false},
    {"Next_DSTransfer_Set", false},
    {"Next_TSTransfer_Set", false},
    {"Transfer_Set_",       false},
    {"Transfer_Report_",    false},
    {"DSConditions_",       false},
    {"DSTransfer_Set",      false},
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    memcpy(out, "0x", 2);
    out[2] = hex[code[0] >> 4 & 15];
    out[3] = hex[code[0] & 15];
    out[4] = '\0';
}

static bool begins(struct text t, const char *word)
{
    size_t size = strlen(word);
    return t.size >= size && memcmp(t.at, word, size) == 0;
}

static struct text behind_domain(struct text name)
{
    const char *slash = name.size ? memchr(name.at, '/', name.size) : NULL;
    if (!slash)
        return name;
    return (struct text){slash + 1, name.size - (size_t)(slash + 1 - name.at)};
}

static bool is_iccp_name(struct text name)
{
    struct text item = behind_domain(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(names[i].is_beginning ? name : item, names[i].text))
            return true;
    return false;
}

static struct ot_fact fact_of(struct dissect *d, const struct ot_item *item)
{
    struct text name = behind_domain(item->name);
    struct ot_value value = ot_value_at(&item->values, 0);
    if (begins(name, "Bilateral_Table_ID") && value.kind == OT_VALUE_TEXT)
        return (struct ot_fact){FACT_PROGRAM, value.text, false};
    if (begins(name, "TASE2_Version") && value.kind == OT_VALUE_SIGNED)
        return (struct ot_fact){FACT_SOFTWARE, dissect_text(d, "TASE.2 %d", (int)value.i), false};
    return (struct ot_fact){0};
}

/* What an answer to a read tells about the control centre. */
static void identity(struct dissect *d, struct ot_event *event)
{
    enum { FACTS_MAX = 2 };
    uint32_t room = FACTS_MAX;
    struct ot_fact *facts = NULL;
    if (event->fact_count)
        return;
    for (uint32_t i = 0; i < event->item_count && event->fact_count < room; i++) {
        struct ot_fact fact = fact_of(d, &event->items[i]);
        if (fact.value.size == 0)
            continue;
        if (!facts)
            facts = dissect_facts(d, &room);
        if (event->fact_count < room)
            facts[event->fact_count++] = fact;
        event->facts = facts;
    }
}

void mms_iccp_tell(struct dissect *d, const struct ot_event *of)
{
    struct ot_event event = event_of(d);
    event.protocol = "iccp";
    event.direction = of->direction;
    event.operation = OP_SESSION;
    event.name = "associate";
    event.code[0] = event.function = of->function;
    event.spell = spell;
    event.unit = of->unit;
    event.telling = of->telling;
    event.telling_size = of->telling_size;
    emit_event(d, &event);
}

bool mms_iccp(struct dissect *d, struct ot_event *event)
{
    struct mms_state *s = d->state;
    bool was_iccp = s->is_iccp;
    bool has_names = event->direction == OT_REQUEST; /* answers repeat them, reports are frequent */
    for (uint32_t i = 0; has_names && i < event->item_count && !s->is_iccp; i++)
        s->is_iccp = is_iccp_name(event->items[i].name);
    if (s->is_iccp && event->direction == OT_RESPONSE && event->function == MMS_READ)
        identity(d, event);
    return s->is_iccp && !was_iccp;
}
