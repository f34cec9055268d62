/* policy_tell.c: single events that are odd by themselves, and what shows only in the sum of many.
 */
#include "rules/policy_parts.h"

#include "rules/conformance.h"

#include <string.h>

static struct text user_of_event(const struct ot_event *e)
{
    for (uint32_t i = 0; i < e->fact_count; i++)
        if (e->facts[i].kind == FACT_USER_NAME)
            return e->facts[i].value;
    return (struct text){NULL, 0};
}

/* That a mirror has lost a datagram shows nowhere, so a single answer without its request need not
 * be forged. TCP tells its losses. */
static bool is_maybe_lost(struct policy *p, const struct ot_event *e)
{
    static const int64_t again_ns = 60 * INT64_C(1000000000);
    if (!(e->flags & OT_NO_REQUEST) || e->flags & OT_ECHO_DIFFERS ||
        e->flow->transport == TRANSPORT_TCP)
        return false;
    struct unasked *u = &p->unasked[e->flow->id % UNASKED_FLOWS];
    bool is_again = u->flow_id == e->flow->id && u->last_ns != 0 && e->time_ns >= u->last_ns &&
                    e->time_ns - u->last_ns <= again_ns;
    *u = (struct unasked){e->flow->id, e->time_ns};
    return !is_again;
}

void policy_flags_event(struct policy *p, const struct ot_event *e)
{
    char object[FINDING_KEY], key[FINDING_KEY];
    struct conformance_finding odd;
    if (!conformance_of_event(e, &odd) || policy_is_approved(p, odd.detection, e))
        return;
    bool is_single = odd.detection == DETECTION_RW_UNSOLICITED_RESPONSE && is_maybe_lost(p, e);
    action_object(e, object, sizeof object);
    bool is_login = odd.detection == DETECTION_ACCESS_DEFAULT_CREDENTIALS ||
                    strcmp(e->protocol, "snmp") == 0; /* not what was asked for by it */
    if (is_login)
        text_copy(object, sizeof object, user_of_event(e));
    else if (e->flags & OT_WEAK && e->detail.size)
        text_copy(object, sizeof object, e->detail);
    else if (!object[0] && e->name && strcmp(e->name, "password") != 0) /* says nothing more */
        text_copy(object, sizeof object, text_of(e->name));
    policy_key_of_event(key, e);
    struct cause_of of = {.detection = odd.detection,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = odd.phrase,
                          .thing = odd.thing,
                          .object = object,
                          .expected = odd.expected,
                          .is_actor_server = odd.is_actor_server};
    policy_raise(p, e, &of, is_single ? FINDING_SINGLE : 0, NULL);
}

/* --- what shows only in the sum --- */

static void sweep_tell(struct policy *p, const struct ot_event *e, enum detection detection,
                       const char *phrase, const char *object, const char *expected)
{
    if (policy_is_approved(p, detection, e))
        return;
    struct cause_of of = {.detection = detection,
                          .protocol = e->protocol,
                          .key = "",
                          .phrase = phrase,
                          .thing = "",
                          .object = object,
                          .expected = expected,
                          .is_amount = detection != DETECTION_PLC_UNDOCUMENTED_SERVICE};
    policy_raise(p, e, &of, 0, NULL);
}

void policy_sweeps_tell(struct policy *p, const struct ot_event *e, const struct sweep_report *r)
{
    char object[FINDING_KEY];
    bool is_new = p->options.is_actor_new && p->options.is_actor_new(p->options.context, e);
    if (r->found & SWEEP_UNITS || (r->found & SWEEP_UNITS_THERE && is_new)) {
        text_format(object, sizeof object, "%u units, of which %u answered", r->units,
                    r->units_answered);
        sweep_tell(p, e, DETECTION_RECON_UNIT_SCAN, "tried sub-addresses of %T: %O", object,
                   "a client asks the units that exist");
    }
    if (r->found & SWEEP_FUNCTIONS) {
        uint32_t tried = r->functions > r->functions_refused ? r->functions : r->functions_refused;
        text_format(object, sizeof object, "%u, of which %u were refused", tried,
                    r->functions_refused);
        sweep_tell(p, e, DETECTION_RECON_FUNCTION_SCAN, "tried many functions on %T: %O", object,
                   "a client uses the few functions that it needs");
    }
    /* of a client that is known here the baseline knows what it reads */
    if (r->found & SWEEP_ADDRESSES && is_new) {
        text_format(object, sizeof object, "%u in a row from %llu on", r->walk,
                    (unsigned long long)r->walk_start);
        sweep_tell(p, e, DETECTION_RW_READ_SWEEP, "reads one address after another of %T: %O",
                   object, "a client reads the values that it needs");
    }
    if (r->found & SWEEP_UNANSWERED) {
        text_format(object, sizeof object, "%u requests in a row", r->unanswered);
        sweep_tell(p, e, DETECTION_OPS_UNRESPONSIVE, "gets no answers from %T any more: %O", object,
                   "this device answers nearly all requests");
    }
    if (r->found & SWEEP_EXCEPTIONS) {
        text_format(object, sizeof object, "%u of %u replies", r->errors, r->replies);
        sweep_tell(p, e, DETECTION_PROTO_EXCEPTION_BURST,
                   "gets error replies from %T within seconds: %O", object,
                   "error replies are rare, or as many as ever");
    }
    if (r->found & SWEEP_PASSWORDS) {
        text_format(object, sizeof object, "%u times", r->refusals);
        sweep_tell(p, e, DETECTION_PLC_AUTH_FAILED, "was refused a password or privilege by %T, %O",
                   object, "passwords are right at the first or second attempt");
    }
    if (r->found & SWEEP_UNDOCUMENTED) {
        text_format(object, sizeof object, "function %u", e->function);
        sweep_tell(p, e, DETECTION_PLC_UNDOCUMENTED_SERVICE,
                   "used an unknown function on %T, which carried it out: %O", object,
                   "this client has never used an unknown function here");
    }
}

/* --- log-ins and files --- */

void policy_logins_tell(struct policy *p, const struct ot_event *e, const struct login_report *r)
{
    char object[FINDING_KEY];
    if (policy_is_approved(p, DETECTION_ACCESS_LOGIN_BRUTEFORCE, e))
        return;
    if (r->failures)
        text_format(object, sizeof object, "%u times within %u s%s%.48s", r->failures, r->seconds,
                    r->user[0] ? ", last as " : "", r->user);
    else
        text_format(object, sizeof object, "%u sessions within %u s", r->sessions, r->seconds);
    const char *phrase = r->is_let_in  ? "logged in to %T after it had failed: %O"
                         : r->failures ? "failed to log in to %T %O"
                                       : "opens sessions with %T as if it tried passwords: %O";
    struct cause_of of = {.detection = DETECTION_ACCESS_LOGIN_BRUTEFORCE,
                          .protocol = e->protocol,
                          .key = "",
                          .phrase = phrase,
                          .thing = "",
                          .object = object,
                          .expected = "log-ins work at the first or second attempt",
                          .is_amount = true};
    policy_raise(p, e, &of, r->is_let_in ? FINDING_OUTCOME | FINDING_CONFIRMED : 0, NULL);
}

void policy_file_tell(struct policy *p, const struct ot_event *e, const struct file_move *move)
{
    char object[FINDING_KEY];
    if (policy_is_approved(p, DETECTION_ACCESS_FILE_TRANSFER, e))
        return;
    const char *name = move->name;
    text_format(object, sizeof object, "%s%s%s%s", move->kind, *name ? " (" : "", name,
                *name ? ")" : "");
    struct cause_of of = {.detection = DETECTION_ACCESS_FILE_TRANSFER,
                          .protocol = e->protocol,
                          .key = object,
                          .phrase = move->is_to_server ? "copies %O to %T" : "fetches %O from %T",
                          .thing = "",
                          .object = object,
                          .expected = "programs and projects do not move between these two"};
    policy_raise(p, e, &of, 0, NULL);
}

/* Modbus' file records, PCCC's data files: numbered memory, read like registers. */
static bool is_numbered_memory(const struct ot_event *e)
{
    bool has_name = e->transfer.name.size > 0;
    for (uint32_t i = 0; i < e->item_count; i++)
        has_name = has_name || e->items[i].name.size > 0;
    return e->operation == OP_FILE_READ && e->item_count > 0 && !has_name;
}

/* Files of a controller are its configuration: who is no engineering station has no business
 * there. File transfer protocols of offices are told by others. */
void policy_config_read_event(struct policy *p, const struct ot_event *e)
{
    static const char *const office[] = {"ftp", "tftp", "http", "smb", "ssh"};
    const struct policy_options *o = &p->options;
    for (size_t i = 0; i < sizeof office / sizeof *office; i++)
        if (strncmp(e->protocol, office[i], strlen(office[i])) == 0)
            return;
    bool is_more = e->transfer.step == TRANSFER_BLOCK || e->transfer.step == TRANSFER_END;
    if (e->direction != OT_REQUEST || is_more || is_numbered_memory(e) ||
        policy_is_approved(p, DETECTION_PLC_CONFIG_READ, e) ||
        (o->is_usual && o->is_usual(o->context, e)) ||
        (o->is_engineering_station &&
         o->is_engineering_station(o->context, e->flow->segment, &e->flow->client)))
        return;
    char object[FINDING_KEY], key[FINDING_KEY];
    action_object(e, object, sizeof object);
    policy_key_of_event(key, e);
    struct cause_of of = {.detection = DETECTION_PLC_CONFIG_READ,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = "is reading %O of %T",
                          .thing = "files or settings",
                          .object = object,
                          .expected = "only engineering stations read files and settings"};
    policy_raise(p, e, &of, 0, NULL);
}

/* --- known attackers --- */

void policy_threats_look(struct policy *p, const struct ot_event *e)
{
    const struct policy_options *o = &p->options;
    if (o->indicators)
        threats_event(p->threats, e);
    if (e->direction != OT_RESPONSE && threats_is_candidate(e) && o->is_actor_new &&
        o->is_actor_new(o->context, e) && !policy_is_approved(p, DETECTION_MAL_KNOWN_PATTERN, e))
        threats_stranger(p->threats, e);
}
