/* mms_iccp.c: ICCP, or TASE.2, the protocol between control centres: MMS with names of its own.
 *
 * Spec: IEC 60870-6-503 (objects), 60870-6-802 (names); PROTOCOLS 11
 *
 * An association speaks it from the first of these names on. */
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

/* What an answer to a read tells about the control centre. */
static void identity(struct dissect *d, struct ot_event *event)
{
    for (uint32_t i = 0; i < event->item_count && !event->fact_count; i++) {
        struct text item = behind_domain(event->items[i].name);
        struct ot_value value = ot_value_at(&event->items[i].values, 0);
        struct ot_fact of = {.kind = FACT_COUNT};
        if (begins(item, "Bilateral_Table_ID") && value.kind == OT_VALUE_TEXT)
            of = (struct ot_fact){FACT_PROGRAM, value.text, false};
        else if (begins(item, "TASE2_Version") && value.kind == OT_VALUE_SIGNED)
            of = (struct ot_fact){FACT_SOFTWARE, dissect_text(d, "TASE.2 %d", (int)value.i), false};
        uint32_t count = 1;
        struct ot_fact *fact = of.value.size ? dissect_facts(d, &count) : NULL;
        if (!fact || !count)
            continue;
        *fact = of;
        event->facts = fact;
        event->fact_count = 1;
    }
}

void mms_iccp(struct dissect *d, struct ot_event *event)
{
    struct mms_state *s = d->state;
    bool has_names = event->direction == OT_REQUEST; /* answers repeat them, reports are frequent */
    for (uint32_t i = 0; has_names && i < event->item_count && !s->is_iccp; i++)
        s->is_iccp = is_iccp_name(event->items[i].name);
    if (!s->is_iccp)
        return;
    event->protocol = "iccp";
    event->spell = spell;
    event->code[0] = event->function;
    if (event->direction == OT_RESPONSE && event->function == MMS_READ)
        identity(d, event);
}
