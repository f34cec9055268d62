/* worker.h: all that happens to the packets of some pairs of hosts: analysis, learning, policy,
 * evidence. One per worker thread (one in all when reading files). Hands findings, sightings,
 * evidence and changed baseline rows to the core. */
#pragma once

#include "baseline/baseline.h"
#include "baseline/rows.h"
#include "rules/history.h"
#include "rules/policy.h"
#include "rules/sigma.h"
#include "rules/site.h"
#include "sensor/analyser.h"
#include "sensor/base/config.h"
#include "sensor/base/finding.h"

#include <stdio.h>

struct worker;

struct worker_options {
    const struct config *config;
    struct site *site; /* the policy at the start */
    uint32_t index, count;
    FILE *events; /* --events; NULL: none. Shared by workers: stdio locks each line */
    struct finding_sink core;
    void (*row)(void *context, const struct baseline_row *row); /* with core.context */
    const struct indicators *indicators;                        /* shared by workers; NULL: none */
    void (*history)(void *context, const struct history_row *row); /* NULL: none is kept */
    void (*hit)(void *context, const struct sigma_hit *hit);       /* the same */
    const struct sigma_rules *rules; /* NULL: none; outlive the worker */
};

struct worker *worker_create(const struct worker_options *options, struct error *err);
void worker_destroy(struct worker *w);

bool worker_load(struct worker *w, struct store *store, struct error *err) NODISCARD;

void worker_packet(struct worker *w, const struct packet *p);
/* The same for several packets in their order: the memory that they need is fetched while others
 * are looked at. At most WORKER_BATCH. */
enum { WORKER_BATCH = 16 };
void worker_packets(struct worker *w, const struct packet *const packets[], size_t count);
/* One of an event history, instead of packets: judged, with no evidence. packet says when and from
 * whom to whom, no more. */
void worker_replay_event(struct worker *w, const struct ot_event *e);
void worker_replay_flow(struct worker *w, const struct ot_flow *flow, enum sigma_moment moment,
                        const char *protocol, const struct packet *packet);
/* Packet time goes on without packets (live, idle); also called by worker_packet once a second. */
void worker_tick(struct worker *w, int64_t time_ns);
/* Hands changed baseline rows on. */
void worker_save(struct worker *w);
/* No more packets. */
void worker_finish(struct worker *w);
void worker_decide(struct worker *w, const struct baseline_decision *decision);

/* Another site policy from the next tick on; takes a reference. From any thread. */
void worker_site(struct worker *w, struct site *site);

const struct analyser *worker_analyser(const struct worker *w);
struct counters *worker_counters(struct worker *w);
/* Other rules from the next second on; from any thread. NULL: none. They outlive the worker, and so
 * do the ones before. */
void worker_rules(struct worker *w, const struct sigma_rules *rules);
