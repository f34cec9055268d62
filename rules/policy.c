/* policy.c: hands events, violations and ticks to the parts that judge them. */
#include "rules/policy_parts.h"

#include "rules/conformance.h"

#include <stdlib.h>

enum {
    PAIRS_MAX = 4096, /* of sweeps: 1.6 MB */
    CAUSES_MAX = 2048,
    PENDING_MAX = 256,
    TRANSFERS_MAX = 256,
    FINGERPRINTS_MAX = 1024,
    DEVICES_MAX = 1024,
    CONDITION_DEVICES_MAX = 4096, /* 300 KB */
    LOGIN_PAIRS_MAX = 2048,       /* 256 KB */
};
/* A block of a slow download is on its way for seconds; a minute of silence means that no one goes
 * on. */
static const int64_t TRANSFER_WAIT_NS = 60 * INT64_C(1000000000);

struct policy *policy_create(const struct policy_options *options, const struct finding_sink *sink)
{
    struct policy *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = *options;
    size_t pairs = options->pairs_max ? options->pairs_max : PAIRS_MAX;
    p->causes = causes_create(CAUSES_MAX, sink);
    p->sweeps = sweeps_create(pairs < PAIRS_MAX ? pairs : PAIRS_MAX);
    p->logins = logins_create(LOGIN_PAIRS_MAX);
    p->transfers = transfers_create(TRANSFERS_MAX, FINGERPRINTS_MAX);
    p->modes = modes_create(DEVICES_MAX);
    p->conditions = conditions_create(CONDITION_DEVICES_MAX);
    p->threats = p->causes ? threats_create(options->indicators, p->causes) : NULL;
    bool ok = slots_create(&p->pending, PENDING_MAX, sizeof(struct pending));
    if (!ok || !p->causes || !p->sweeps || !p->logins || !p->transfers || !p->modes ||
        !p->conditions || !p->threats) {
        policy_destroy(p);
        return NULL;
    }
    return p;
}

void policy_destroy(struct policy *p)
{
    if (!p)
        return;
    slots_destroy(&p->pending);
    threats_destroy(p->threats);
    conditions_destroy(p->conditions);
    modes_destroy(p->modes);
    transfers_destroy(p->transfers);
    sweeps_destroy(p->sweeps);
    logins_destroy(p->logins);
    causes_destroy(p->causes);
    free(p);
}
/* --- the contract --- */

void policy_flow(struct policy *p, const struct ot_flow *flow, const struct packet *packet)
{
    threats_flow(p->threats, flow, packet);
}

void policy_look(const struct policy *p, const struct ot_flow *flow)
{
    sweeps_look(p->sweeps, flow);
}

void policy_look_on(const struct policy *p, const struct ot_flow *flow)
{
    sweeps_look_on(p->sweeps, flow);
}

void policy_event(struct policy *p, const struct ot_event *event)
{
    if (event->flags & CONFORMANCE_FLAGS)
        policy_flags_event(p, event);
    if (event->transfer.step != TRANSFER_NONE)
        policy_transfer_event(p, event);
    if (p->pending_count || action_is_candidate(event->operation))
        policy_action_event(p, event);
    if (event->fact_count)
        policy_modes_event(p, event);
    if (event->operation == OP_FILE_READ)
        policy_config_read_event(p, event);
    policy_conditions_look(p, event);
    policy_threats_look(p, event);
    struct file_move move;
    if (files_is_program(event, &move))
        policy_file_tell(p, event, &move);
    struct login_report login;
    logins_event(p->logins, event, &login);
    if (login.is_found)
        policy_logins_tell(p, event, &login);
    struct sweep_report report;
    sweeps_event(p->sweeps, event, &report);
    if (report.found)
        policy_sweeps_tell(p, event, &report);
}

void policy_violation(struct policy *p, const struct violation *violation)
{
    struct conformance_finding breach;
    if (policy_cycles_violation(p, violation))
        return;
    if (!conformance_of_violation(violation, &breach))
        return;
    struct cause_of of = {.detection = breach.detection,
                          .protocol = violation->protocol,
                          .key = violation->why,
                          .phrase = breach.phrase,
                          .thing = "",
                          .object = violation->why,
                          .expected = breach.expected,
                          .is_actor_server = !violation->is_from_client};
    uint32_t flags = 0;
    uint64_t count;
    if (!causes_admit(p->causes, violation->flow, violation->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_violation(&f, of.detection, violation);
    f.actor = violation->flow->client;
    f.target = violation->flow->server;
    causes_fill(&f, &of, 0, count);
    text_format(f.seen, sizeof f.seen, "%s: %s (%s)", violation->protocol, violation->why,
                violation_name(violation->kind));
    f.object[0] = '\0';
    causes_tell(p->causes, &f);
}

void policy_odd_port(struct policy *p, const struct ot_flow *flow, const char *protocol,
                     const char *expected, const struct packet *packet)
{
    char key[FINDING_KEY], object[FINDING_KEY];
    const char *found = protocol ? protocol : "something unknown";
    text_format(key, sizeof key, "%u", flow->server.port);
    text_format(object, sizeof object, "%s on port %u", found, flow->server.port);
    struct cause_of of = {.detection = DETECTION_COMM_PROTOCOL_ON_ODD_PORT,
                          .protocol = protocol ? protocol : "",
                          .key = key,
                          .phrase = "talks to %T with a protocol that does not belong there: %O",
                          .thing = "",
                          .object = object,
                          .expected = ""};
    struct violation at = {
        .flow = flow, .packet = packet, .protocol = of.protocol, .is_from_client = true};
    at.time_ns = packet ? packet->time_ns : flow->last_ns;
    uint64_t count;
    uint32_t flags = 0;
    if (!causes_admit(p->causes, flow, at.time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_violation(&f, of.detection, &at);
    causes_fill(&f, &of, flags, count);
    if (expected)
        text_format(f.expected, sizeof f.expected, "%s on port %u", expected, flow->server.port);
    else
        text_format(f.expected, sizeof f.expected, "%s on its own port", found);
    text_format(f.seen, sizeof f.seen, "%s on port %u", found, flow->server.port);
    causes_tell(p->causes, &f);
}

void policy_tick(struct policy *p, int64_t time_ns, bool is_last)
{
    int64_t before_ns = is_last ? INT64_MAX : time_ns - TRANSFER_WAIT_NS;
    for (const struct transfer *t; (t = transfers_take_stale(p->transfers, before_ns));)
        policy_transfer_tell_late(p, t);
    policy_pending_expire(p, time_ns);
    policy_modes_look(p, time_ns);
    causes_tick(p->causes, time_ns, is_last);
}
