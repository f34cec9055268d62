/* made.h: events made by hand, one struct a PDU, played into a policy; what it raises is kept as
 * text. */
#pragma once

#include "rules/policy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum made_direction { ASK, REPLY, PUSH, SERVER_ASKS, CLIENT_REPLIES, BREACH };

/* One PDU (or violation, or time that passes). Zero is the common case everywhere. */
struct made {
    enum made_direction direction;
    enum operation operation;
    uint32_t function;
    const char *name, *detail, *object, *unit;
    enum ot_result result;
    uint32_t status;
    uint32_t flags;
    enum transfer_step step;
    const char *bytes;
    const char *mode;          /* a fact */
    enum violation_kind kind;  /* of BREACH */
    int64_t after_ms;          /* before it; 0: one */
    unsigned times;            /* 0: once */
    unsigned functions, units; /* each repetition counts up: function + i, unit i */
    bool is_new_flow;          /* each repetition is on a connection of its own */
};

enum made_flow { /* or-ed */
                 FLOW_MIDDLE = 1,
                 FLOW_GAP = 2,
                 FLOW_ONE_SIDED = 4,
                 FLOW_STRANGER = 8,
                 FLOW_UNSEEN = 16,
                 FLOW_DATAGRAMS = 32
};

enum { MADE_FINDINGS = 256 };

struct made_run {
    struct policy *policy;
    struct ot_flow flow;
    const char *protocol;
    int64_t now_ns;
    uint64_t transaction;
    struct finding *findings;
    size_t count;
    enum detection approved; /* DETECTION_COUNT: none */
    bool is_engineering, is_new, is_usual;
};

static inline void made_keep(void *context, const struct finding *f)
{
    struct made_run *run = context;
    if (run->count < MADE_FINDINGS)
        run->findings[run->count] = *f;
    run->count++;
}

static inline bool made_approved(void *context, enum detection detection, const struct ot_event *e)
{
    (void)e;
    return ((struct made_run *)context)->approved == detection;
}

static inline bool made_engineering(void *context, uint32_t segment, const struct endpoint *host)
{
    (void)segment;
    (void)host;
    return ((struct made_run *)context)->is_engineering;
}

static inline bool made_new(void *context, const struct ot_event *e)
{
    (void)e;
    return ((struct made_run *)context)->is_new;
}

static inline bool made_usual(void *context, const struct ot_event *e)
{
    (void)e;
    return ((struct made_run *)context)->is_usual;
}

static inline void made_start(struct made_run *run, const char *protocol, unsigned flow)
{
    *run = (struct made_run){.protocol = protocol, .now_ns = INT64_C(1500000000000000000)};
    run->approved = DETECTION_COUNT;
    run->is_new = (flow & FLOW_STRANGER) != 0;
    run->findings = calloc(MADE_FINDINGS, sizeof *run->findings);
    run->flow = (struct ot_flow){.id = 7,
                                 .transport = flow & FLOW_DATAGRAMS ? TRANSPORT_UDP : TRANSPORT_TCP,
                                 .is_role_known = true,
                                 .is_start_seen = !(flow & FLOW_MIDDLE),
                                 .is_two_sided = !(flow & FLOW_ONE_SIDED),
                                 .has_gap = (flow & FLOW_GAP) != 0,
                                 .has_unseen = (flow & FLOW_UNSEEN) != 0,
                                 .first_ns = run->now_ns};
    address_parse(&run->flow.client.ip, "10.0.0.5");
    address_parse(&run->flow.server.ip, "10.0.0.10");
    run->flow.server.port = 102;
    struct policy_options options = {.is_approved = made_approved,
                                     .is_engineering_station = made_engineering,
                                     .is_actor_new = made_new,
                                     .is_usual = made_usual,
                                     .context = run};
    static struct finding_sink sink;
    sink = (struct finding_sink){.context = run, .finding = made_keep};
    run->policy = policy_create(&options, &sink);
    ck_assert_ptr_nonnull(run->policy);
}

static inline void made_end(struct made_run *run)
{
    policy_destroy(run->policy);
    free(run->findings);
}

static inline void made_violation(struct made_run *run, const struct made *m)
{
    struct violation v = {.kind = m->kind,
                          .why = m->detail ? m->detail : "length out of range",
                          .protocol = run->protocol,
                          .time_ns = run->now_ns,
                          .flow = &run->flow,
                          .is_from_client = true};
    policy_violation(run->policy, &v);
}

static inline void made_event(struct made_run *run, const struct made *m, unsigned i)
{
    char unit[16];
    run->flow.id += m->is_new_flow;
    struct ot_item item = {.area = "block", .name = text_of(m->object)};
    struct ot_fact fact = {.kind = FACT_MODE, .value = text_of(m->mode)};
    struct ot_event e = {.time_ns = run->now_ns,
                         .flow = &run->flow,
                         .protocol = run->protocol,
                         .operation = m->operation,
                         .function = m->function + (m->functions ? i % m->functions : 0),
                         .name = m->name,
                         .detail = text_of(m->detail),
                         .unit = text_of(m->unit),
                         .has_transaction = true,
                         .items = &item,
                         .item_count = m->object ? 1 : 0,
                         .facts = &fact,
                         .fact_count = m->mode ? 1 : 0,
                         .flags = m->flags};
    e.is_from_client = m->direction == ASK || m->direction == CLIENT_REPLIES;
    e.direction = m->direction == PUSH                                      ? OT_ONEWAY
                  : m->direction == REPLY || m->direction == CLIENT_REPLIES ? OT_RESPONSE
                                                                            : OT_REQUEST;
    if (e.direction == OT_REQUEST)
        run->transaction++;
    e.transaction = run->transaction;
    e.code[0] = e.function;
    e.status = (struct ot_status){m->result, m->status, m->status ? "error of the device" : NULL};
    if (m->units)
        e.unit = text_of((snprintf(unit, sizeof unit, "%u", i % m->units + 1), unit));
    e.transfer = (struct ot_transfer){
        .step = m->step,
        .operation = m->operation,
        .name = m->step == TRANSFER_BLOCK ? (struct text){NULL, 0}
               : text_of(m->object),
        .bytes = (const uint8_t *)m->bytes,
        .size = m->bytes ? strlen(m->bytes) : 0
    };
    policy_event(run->policy, &e);
}

/* Plays PDUs until one is all zero; ticks whenever a second has passed, as the sensor does. */
static inline void made_play(struct made_run *run, const struct made *pdus)
{
    static const struct made end;
    for (const struct made *m = pdus; memcmp(m, &end, sizeof end) != 0; m++) {
        for (unsigned i = 0; i < (m->times ? m->times : 1); i++) {
            int64_t after_ns = (m->after_ms ? m->after_ms : 1) * INT64_C(1000000);
            run->now_ns += after_ns;
            if (after_ns >= INT64_C(1000000000))
                policy_tick(run->policy, run->now_ns, false);
            if (m->direction == BREACH)
                made_violation(run, m);
            else
                made_event(run, m, i);
        }
    }
    policy_tick(run->policy, run->now_ns, true);
}

/* All findings as "plc.stop plc.stop+confirmed". Returns out. */
static inline char *made_told(const struct made_run *run, char *out, size_t capacity)
{
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < run->count && i < MADE_FINDINGS; i++) {
        const struct finding *f = &run->findings[i];
        size += (size_t)snprintf(out + size, capacity - size, "%s%s%s%s%s%s%s", i ? " " : "",
                                 detection_kind(f->detection)->id,
                                 f->flags & FINDING_CONFIRMED ? "+confirmed" : "",
                                 f->flags & FINDING_REFUSED ? "+refused" : "",
                                 f->flags & FINDING_COMPLETED ? "+completed" : "",
                                 f->flags & FINDING_ACTOR_NEW ? "+new" : "",
                                 f->flags & FINDING_ENGINEERING_STATION ? "+engineering" : "");
        ck_assert_uint_lt(size, capacity);
    }
    return out;
}
