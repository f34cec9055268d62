/* policy.h: what must be told whatever was learned: engineering actions on controllers (plc.*),
 * breaches of a protocol's specification (proto.*), answers that nobody asked for, writes to
 * everybody.
 *
 * One struct policy per worker, beside the baseline. Joins the steps of a program transfer into one
 * (transfers.h). */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"
#include "sensor/base/store.h"

struct policy;

struct policy_options {
    size_t pairs_max;
    /* Someone approved this kind of action for this pair (baseline approve): then it is not told.
     * May be NULL. */
    bool (*is_approved)(void *context, enum detection detection, const struct ot_event *event);
    /* The client of this event is an approved engineering station. May be NULL. */
    bool (*is_engineering_station)(void *context, uint32_t segment, const struct endpoint *host);
    /* The client has never before acted on this server in the learned baseline (FINDING_ACTOR_NEW).
     * May be NULL. */
    bool (*is_actor_new)(void *context, const struct ot_event *event);
    /* Acts of this class by this client on this server are learned: for what is abnormal only from
     * an unusual source, setting the clock (PROTOCOLS 1: time from the usual master is published).
     * May be NULL. */
    bool (*is_usual)(void *context, const struct ot_event *event);
    /* What lists of known attackers name; shared, only read. NULL: none. */
    const struct indicators *indicators;
    void *context;
};

struct policy *policy_create(const struct policy_options *options, const struct finding_sink *sink);
void policy_destroy(struct policy *p);

/* A flow has begun. */
void policy_flow(struct policy *p, const struct ot_flow *flow, const struct packet *packet);
/* Events of the flow may come soon: what they will touch is fetched into the cache, first where it
 * is known, a moment later itself. */
void policy_look(const struct policy *p, const struct ot_flow *flow);
void policy_look_on(const struct policy *p, const struct ot_flow *flow);
void policy_event(struct policy *p, const struct ot_event *event);
void policy_violation(struct policy *p, const struct violation *violation);
/* nDPI or a dissector found `protocol` on a port that belongs to `expected`. Either may be NULL:
 * nothing known was found there; the port belongs to nothing. Once per flow. */
void policy_odd_port(struct policy *p, const struct ot_flow *flow, const char *protocol,
                     const char *expected, const struct packet *packet);
/* Once per second of packet time, and once at the end: transfers that never ended, bursts that are
 * over. */
void policy_tick(struct policy *p, int64_t time_ns, bool is_last);
