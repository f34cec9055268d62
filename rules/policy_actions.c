/* policy_actions.c: a request that asks for an engineering action is told at once; it waits in
 * `pending` for its answer, which tells the same cause again as confirmed or refused. */
#include "rules/policy_parts.h"

#include "sensor/base/hash.h"

#include <string.h>

enum {
    MODBUS_PORT = 502,
    COMPANY_MIN = 4, /* requests that make a conversation on another port credible */
};

static const int64_t ANSWER_WAIT_NS = 30 * INT64_C(1000000000);

static uint64_t pending_key(const struct ot_event *e, bool is_requester_client)
{
    uint64_t key = hash_mix(e->flow->id, hash_bytes(e->protocol, strlen(e->protocol)));
    key = hash_mix(key, e->has_transaction ? e->transaction : e->function);
    if (ot_event_is(e, "cip")) /* services of one packet share its transaction */
        key = hash_mix(key, e->function);
    return hash_mix(key, is_requester_client) | 1;
}

static uint64_t *pending_word(struct policy *p, uint64_t flow_id)
{
    return &p->pending_flows[flow_id / 64 % (PENDING_FLOWS / 64)];
}

static uint64_t pending_bit(uint64_t flow_id)
{
    return UINT64_C(1) << flow_id % 64;
}

struct pending *policy_pending_add(struct policy *p, const struct ot_event *e,
                                   const struct action *action, const char *key, const char *object)
{
    bool is_new;
    uint64_t evicted = p->pending.evicted;
    struct pending *pending =
        slots_take(&p->pending, pending_key(e, e->is_from_client), e->time_ns, &is_new);
    if (is_new && evicted == p->pending.evicted)
        p->pending_count++;
    *pending_word(p, e->flow->id) |= pending_bit(e->flow->id);
    pending->flow_id = e->flow->id;
    pending->action = action;
    pending->operation = e->operation;
    pending->step = e->transfer.step;
    pending->size = 0;
    pending->name[0] = pending->sha256[0] = '\0';
    text_copy(pending->key, sizeof pending->key, text_of(key));
    text_copy(pending->object, sizeof pending->object, text_of(object));
    return pending;
}

/* Activation of a block that was just downloaded is the end of that story: same cause, same
 * content. */
static bool activation_tell(struct policy *p, const struct ot_event *e, const struct action *action,
                            const char *object)
{
    if (e->operation != OP_PROGRAM_MODIFY || e->item_count == 0 || e->items_total > 1)
        return false;
    const struct fingerprint *known = transfers_known_name(p->transfers, e, e->items[0].name);
    if (!known || action->detection == DETECTION_PLC_ONLINE_EDIT)
        return false;
    char key[FINDING_KEY], sha256[FINDING_SHA256_TEXT], note[FINDING_TEXT];
    policy_key_of_transfer(key, action, e->unit, object);
    struct cause_of of =
        policy_cause_of_action(action, e, "downloaded and activated block %O in %T", key, object);
    digest_print(sha256, known->digest);
    text_format(note, sizeof note, "%s activated after its download (%llu bytes)", object,
                (unsigned long long)known->size);
    struct content content = {object, known->size, sha256, note};
    policy_raise(p, e, &of, FINDING_OUTCOME | FINDING_COMPLETED, &content);
    return true;
}

/* The program functions of Modbus are reserved codes with free content: two PDUs of another
 * protocol can look like one. Elsewhere than on Modbus's own port they need company. */
static bool is_credible(struct policy *p, const struct ot_event *e)
{
    return e->operation != OP_PROGRAM_DOWNLOAD || strcmp(e->protocol, "modbus") != 0 ||
           e->flow->server.port == MODBUS_PORT || e->flow->client.port == MODBUS_PORT ||
           sweeps_requests(p->sweeps, e) >= COMPANY_MIN;
}

static void action_request(struct policy *p, const struct ot_event *e)
{
    const struct action *action = action_of(e, e->operation);
    if (!action || !is_credible(p, e) || policy_is_approved(p, action->detection, e))
        return;
    char key[FINDING_KEY], object[FINDING_KEY];
    action_object(e, object, sizeof object);
    if (activation_tell(p, e, action, object) ||
        transfers_is_under_way(p->transfers, e->flow->id, e->operation, e->time_ns))
        return;
    if (e->operation == OP_PROGRAM_UPLOAD && object[0])
        policy_key_of_name(key, e->unit, object); /* the transfer that follows is the same story */
    else if (e->operation == OP_FIRMWARE_UPDATE)
        policy_key_of_name(key, e->unit, action->thing);
    else
        policy_key_of_event(key, e);
    bool is_answer = e->status.result != OT_RESULT_NONE;
    bool is_refused = e->status.result == OT_RESULT_ERROR;
    const char *phrase = !is_answer ? action->ordered : is_refused ? action->refused : action->done;
    struct cause_of of = policy_cause_of_action(action, e, phrase, key, object);
    uint32_t flags = !is_answer ? 0 : is_refused ? FINDING_REFUSED : FINDING_CONFIRMED;
    policy_raise(p, e, &of, flags, NULL);
    modes_command(p->modes, e);
    if (e->direction == OT_REQUEST)
        policy_pending_add(p, e, action, key, object);
}

static void pending_answered(struct policy *p, const struct ot_event *e, struct pending *pending)
{
    const struct action *action = pending->action;
    bool is_refused = e->status.result == OT_RESULT_ERROR;
    if (!is_refused && pending->step == TRANSFER_BEGIN)
        return; /* it goes on; its end is told */
    if (is_refused && pending->step == TRANSFER_BEGIN)
        transfers_refuse(p->transfers, e->flow->id, pending->operation);
    struct cause_of of = policy_cause_of_action(
        action, e, is_refused ? action->refused : action->done, pending->key, pending->object);
    uint32_t flags = FINDING_OUTCOME | (is_refused ? FINDING_REFUSED : FINDING_CONFIRMED);
    if (!is_refused && pending->step == TRANSFER_END)
        flags |= FINDING_COMPLETED;
    char note[FINDING_TEXT];
    text_format(note, sizeof note, "%llu bytes, and the device agreed",
                (unsigned long long)pending->size);
    struct content content = {pending->name, pending->size, pending->sha256, note};
    policy_raise(p, e, &of, flags, pending->sha256[0] && !is_refused ? &content : NULL);
}

/* True when the event is the answer to a pending action. */
static bool answer(struct policy *p, const struct ot_event *e)
{
    if (p->pending_count == 0 || !(*pending_word(p, e->flow->id) & pending_bit(e->flow->id)))
        return false;
    struct pending *pending =
        slots_find(&p->pending, pending_key(e, !e->is_from_client), e->time_ns);
    if (!pending)
        return false;
    struct pending copy = *pending;
    slots_drop(pending);
    p->pending_count--;
    if (e->transfer.step == TRANSFER_NONE || e->status.result == OT_RESULT_ERROR)
        pending_answered(p, e, &copy); /* otherwise the transfer tells */
    return true;
}

void policy_action_event(struct policy *p, const struct ot_event *e)
{
    if (e->direction == OT_RESPONSE) {
        if (answer(p, e) || !action_is_candidate(e->operation) || !(e->flags & OT_NO_REQUEST))
            return;
    } else if (!action_is_candidate(e->operation)) {
        return;
    }
    if (e->transfer.step != TRANSFER_NONE && e->operation == e->transfer.operation)
        return; /* told by the transfer */
    action_request(p, e);
}

void policy_pending_expire(struct policy *p, int64_t now_ns)
{
    if (p->pending_count == 0)
        return;
    size_t left = 0;
    memset(p->pending_flows, 0, sizeof p->pending_flows);
    for (size_t i = 0; i < p->pending.capacity; i++) {
        struct pending *pending = slots_at(&p->pending, i);
        if (pending->slot.key == 0)
            continue;
        if (now_ns - pending->slot.used_ns > ANSWER_WAIT_NS) {
            slots_drop(pending);
            continue;
        }
        *pending_word(p, pending->flow_id) |= pending_bit(pending->flow_id);
        left++;
    }
    p->pending_count = left;
}
