/* policy_devices.c: operating modes, faults and restarts that devices tell about themselves. */
#include "rules/policy_parts.h"

#include "sensor/base/json_writer.h"

void policy_modes_event(struct policy *p, const struct ot_event *e)
{
    struct mode_change change;
    if (!modes_note(p->modes, e, &change) || policy_is_approved(p, DETECTION_PLC_MODE_CHANGE, e))
        return;
    char object[FINDING_KEY], key[FINDING_KEY];
    text_format(object, sizeof object, "from %s to %s", change.before, change.now);
    policy_key_of_event(key, e);
    bool is_fault = !change.has_commander && condition_is_fault(change.now);
    struct cause_of of = {.detection =
                              is_fault ? DETECTION_OPS_DEVICE_FAULT : DETECTION_PLC_MODE_CHANGE,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = is_fault               ? "reports a fault: it went %O"
                                    : change.has_commander ? "changed the operating mode of %T %O"
                                                           : "changed its operating mode %O",
                          .thing = "",
                          .object = object,
                          .expected = "the operating mode stays as it is"};
    uint32_t flags = 0;
    uint64_t count;
    if (!causes_admit(p->causes, e->flow, e->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of.detection, e);
    causes_fill(&f, &of, 0, count);
    /* whoever asked for the mode has not changed it */
    f.actor = change.has_commander ? change.commander : *ot_event_source(e);
    f.target = *ot_event_source(e);
    f.has_target = change.has_commander;
    text_format(f.seen, sizeof f.seen, "replies of the device: %s before, %s now", change.before,
                change.now);
    causes_tell(p->causes, &f);
}

void policy_modes_look(struct policy *p, int64_t now_ns)
{
    struct mode_stay stay;
    while (modes_stay(p->modes, now_ns, &stay)) {
        struct ot_flow flow = {
            .segment = stay.segment, .client = stay.device, .server = stay.device};
        struct violation last = {
            .flow = &flow, .protocol = stay.protocol, .time_ns = now_ns, .is_from_client = true};
        char since[TIME_TEXT_SIZE];
        struct finding f;
        finding_of_violation(&f, DETECTION_PLC_MODE_INSECURE, &last);
        f.has_target = false;
        f.count = 1;
        text_copy(f.key, sizeof f.key, text_of(stay.mode));
        text_format(f.what, sizeof f.what, "has been in mode %s for half an hour", stay.mode);
        text_copy(
            f.expected, sizeof f.expected,
            TEXT("a controller runs; it is stopped or open for programming for minutes only"));
        text_format(f.seen, sizeof f.seen, "mode %s since %s", stay.mode,
                    time_print(since, stay.since_ns));
        causes_tell(p->causes, &f);
    }
}

/* --- what devices tell about themselves --- */

static void condition_tell(struct policy *p, const struct ot_event *e,
                           const struct condition *condition)
{
    char key[FINDING_KEY];
    text_format(key, sizeof key, "%.*s %.60s", (int)(e->unit.size < 32 ? e->unit.size : 32),
                e->unit.size ? e->unit.at : "", condition->key);
    struct cause_of of = {.detection = condition->detection,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = condition->phrase,
                          .thing = "",
                          .object = condition->object,
                          .expected = condition->expected,
                          .is_actor_server = !condition->is_actor_client && !e->is_from_client,
                          .is_alone = !condition->has_target};
    uint32_t flags = 0;
    uint64_t count;
    if (policy_is_approved(p, condition->detection, e) ||
        !causes_admit(p->causes, e->flow, e->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of.detection, e);
    causes_fill(&f, &of, condition->is_actor_client ? FINDING_REFUSED : 0, count);
    f.actor = condition->is_actor_client ? e->flow->client : *ot_event_source(e);
    f.target = condition->is_actor_client ? e->flow->server : *ot_event_destination(e);
    f.has_target = condition->has_target;
    policy_seen_of_event(&f, e);
    causes_tell(p->causes, &f);
}

void policy_conditions_look(struct policy *p, const struct ot_event *e)
{
    struct condition found[CONDITIONS_MAX];
    unsigned count = conditions_event(p->conditions, e, found);
    for (unsigned i = 0; i < count; i++)
        condition_tell(p, e, &found[i]);
}

/* Lost cycles. True: the breach is one of cyclic data and no one else's business. */
bool policy_cycles_violation(struct policy *p, const struct violation *v)
{
    struct condition found;
    bool is_cyclic;
    if (conditions_violation(p->conditions, v, &is_cyclic, &found)) {
        struct ot_event e = {.time_ns = v->time_ns,
                             .flow = v->flow,
                             .packet = v->packet,
                             .is_from_client = v->is_from_client,
                             .direction = OT_ONEWAY,
                             .protocol = v->protocol,
                             .operation = OP_PUBLISH,
                             .name = v->why};
        condition_tell(p, &e, &found);
    }
    return is_cyclic;
}
