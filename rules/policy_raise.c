/* policy_raise.c: words a finding about an event, and asks whether it is approved. */
#include "rules/policy_parts.h"

bool policy_is_approved(const struct policy *p, enum detection detection, const struct ot_event *e)
{
    const struct policy_options *o = &p->options;
    bool is_learnable = detection == DETECTION_PLC_TIME_SET ||
                        detection == DETECTION_ACCESS_WEAK_PROTECTION ||
                        detection == DETECTION_ACCESS_DEFAULT_CREDENTIALS ||
                        detection == DETECTION_ACCESS_FILE_TRANSFER;
    if (is_learnable && o->is_usual && o->is_usual(o->context, e))
        return true;
    return o->is_approved && o->is_approved(o->context, detection, e);
}

static uint32_t actor_flags(const struct policy *p, const struct ot_event *e)
{
    const struct policy_options *o = &p->options;
    uint32_t flags = 0;
    if (o->is_engineering_station &&
        o->is_engineering_station(o->context, e->flow->segment, &e->flow->client))
        flags |= FINDING_ENGINEERING_STATION;
    if (o->is_actor_new && o->is_actor_new(o->context, e))
        flags |= FINDING_ACTOR_NEW;
    return flags;
}

static const char *status_word(const struct ot_event *e)
{
    switch (e->status.result) {
    case OT_RESULT_OK:
        return "accepted";
    case OT_RESULT_ERROR:
        return "refused";
    default:
        return e->direction == OT_RESPONSE ? "answered" : "not yet answered";
    }
}

/* "rosctr=1,func=0x29 (plc_stop), P_PROGRAM: refused (protection level)" */
void policy_seen_of_event(struct finding *f, const struct ot_event *e)
{
    char code[OT_CODE_SIZE], detail[96], error[64] = "";
    ot_event_code(e, code);
    text_copy(detail, sizeof detail, e->detail);
    if (e->status.result == OT_RESULT_ERROR)
        text_format(error, sizeof error, " (%s, code 0x%x)",
                    e->status.name ? e->status.name : "unknown error", e->status.code);
    text_format(f->seen, sizeof f->seen, "%s %s (%s)%s%s: %s%s", e->protocol, code,
                e->name ? e->name : "unknown function", detail[0] ? ", " : "", detail,
                status_word(e), error);
}

void policy_raise(struct policy *p, const struct ot_event *e, const struct cause_of *of,
                  uint32_t flags, const struct content *content)
{
    uint64_t count;
    if (!causes_admit(p->causes, e->flow, e->time_ns, of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of->detection, e);
    if (e->direction == OT_ONEWAY && !e->is_from_client) { /* causes_fill wants the client first */
        f.actor = e->flow->client;
        f.target = e->flow->server;
    }
    causes_fill(&f, of, of->is_actor_server ? flags : flags | actor_flags(p, e), count);
    policy_seen_of_event(&f, e);
    if (content) {
        text_copy(f.object, sizeof f.object, text_of(content->name));
        f.size = content->size;
        text_copy(f.sha256, sizeof f.sha256, text_of(content->sha256));
        text_copy(f.seen, sizeof f.seen, text_of(content->note));
    }
    causes_tell(p->causes, &f);
}

struct cause_of policy_cause_of_action(const struct action *action, const struct ot_event *e,
                                       const char *phrase, const char *key, const char *object)
{
    return (struct cause_of){.detection = action->detection,
                             .protocol = e->protocol,
                             .key = key,
                             .phrase = phrase,
                             .thing = action->thing,
                             .object = object,
                             .expected = action->expected,
                             .is_actor_server = e->direction == OT_ONEWAY && !e->is_from_client};
}

/* The cause of an action is its kind and the unit; what is transferred by name has a cause of its
 * own. */
void policy_key_of_event(char key[FINDING_KEY], const struct ot_event *e)
{
    text_copy(key, FINDING_KEY, e->unit);
}

void policy_key_of_name(char key[FINDING_KEY], struct text unit, const char *name)
{
    char unit_text[TRANSFER_NAME_SIZE];
    text_format(key, FINDING_KEY, "%s %s", text_copy(unit_text, sizeof unit_text, unit), name);
}

/* The hardware configuration comes in many system data blocks: all are one cause. */
void policy_key_of_transfer(char key[FINDING_KEY], const struct action *action, struct text unit,
                            const char *name)
{
    bool is_configuration = action->detection == DETECTION_PLC_CONFIG_WRITE;
    policy_key_of_name(key, unit, is_configuration ? "system data" : name);
}
