/* worker.c: the wiring of one worker. */
#include "worker_internal.h"

#include "sensor/base/log.h"
#include "sensor/base/pair.h"

#include <assert.h>
#include <stdlib.h>

enum {
    EVIDENCE_BYTES = 2 << 20,
    TOLD_MAX = 16384, /* roles and facts told lately */
    CLAIMED_MAX = 16384,
    POLICY_PAIRS_MAX = 4096,
};

/* --- to the core --- */

static void take_finding(void *context, const struct finding *f)
{
    struct worker *w = context;
    struct finding out = *f;
    analyser_counters(w->analyser)->findings++;
    if (f->has_target && site_judge_is_safety(w->judge, &f->target, f->time_ns))
        out.flags |= FINDING_SAFETY_ASSET; /* by what it speaks; what is declared the core knows */
    if (w->packet)
        evidence_finding(w->evidence, &out, w->pair);
    if (out.evidence_id)
        out.evidence_id |= (uint64_t)w->options.index << 48; /* unique over all workers */
    w->options.core.finding(w->options.core.context, &out);
}

void worker_sighting(struct worker *w, const struct sighting *s)
{
    w->options.core.sighting(w->options.core.context, s);
}

static void take_evidence(void *context, const struct evidence_packet *e)
{
    struct worker *w = context;
    struct evidence_packet out = *e;
    out.evidence_id |= (uint64_t)w->options.index << 48;
    w->options.core.evidence(w->options.core.context, &out);
}

static void take_sighting(void *context, const struct sighting *s)
{
    worker_sighting(context, s);
}

/* --- questions that policy and baseline ask --- */

static bool is_engineering_station(void *context, uint32_t segment, const struct endpoint *host)
{
    const struct worker *w = context;
    (void)segment; /* the policy names addresses of the whole site */
    return site_is_engineering(site_judge_site(w->judge), host);
}

static bool is_approved(void *context, enum detection detection, const struct ot_event *event)
{
    const struct worker *w = context;
    return baseline_is_approved(w->baseline, detection, event);
}

static bool is_usual(void *context, const struct ot_event *event)
{
    const struct worker *w = context;
    return baseline_is_usual(w->baseline, event);
}

static bool is_actor_new(void *context, const struct ot_event *event)
{
    const struct worker *w = context;
    return baseline_is_actor_new(w->baseline, event);
}

static bool is_known(void *context, const struct ot_flow *flow, const char *protocol)
{
    const struct worker *w = context;
    return baseline_is_known(w->baseline, flow, protocol);
}

/* --- rules --- */

static void take_hit(void *context, const struct sigma_hit *hit)
{
    struct worker *w = context;
    w->options.hit(w->options.core.context, hit);
}

static void take_history(void *context, const struct history_row *row)
{
    struct worker *w = context;
    w->options.history(w->options.core.context, row);
}

static bool create_history(struct worker *w)
{
    if (!w->options.history)
        return true;
    w->history = history_create(w->options.config->sensor, take_history, w);
    return w->history != NULL;
}

/* Takes over the rules that were set last. Allocates, but only then. */
static bool take_rules(struct worker *w)
{
    const struct sigma_rules *next = atomic_load_explicit(&w->next_rules, memory_order_acquire);
    if (next == w->rules)
        return true;
    if (w->sigma)
        sigma_tick(w->sigma, w->last_ns, true);
    sigma_destroy(w->sigma);
    w->sigma = NULL;
    w->rules = next;
    if (next) {
        struct sigma_sink sink = {w, take_finding, take_hit};
        w->sigma = sigma_create(next, &sink);
    }
    return !next || w->sigma;
}

void worker_rules(struct worker *w, const struct sigma_rules *rules)
{
    atomic_store_explicit(&w->next_rules, rules, memory_order_release);
}

/* --- life --- */

static bool create_analyser(struct worker *w)
{
    const struct config *c = w->options.config;
    struct analyser_options options = {
        .flows_max = c->flows_max / w->options.count + 1,
        .stream_bytes_max = ((size_t)c->memory_megabytes << 20) / w->options.count,
        .is_classifying = true,
    };
    struct analyser_sink sink = worker_listener(w);
    w->analyser = analyser_create(&options, &sink);
    return w->analyser != NULL;
}

static bool create_judges(struct worker *w)
{
    const struct config *c = w->options.config;
    w->sink = (struct finding_sink){w, take_finding, take_sighting, take_evidence};
    struct baseline_options baseline = {
        .mode = c->mode,
        .settle_min_ns = (int64_t)c->settle_minutes * 60 * SECOND_NS,
        .conversations_max = c->conversations_max / w->options.count + 1,
        .sensor = c->sensor,
        .worker = w->options.index,
        .is_engineering_station = is_engineering_station,
        .context = w,
    };
    struct policy_options policy = {
        .pairs_max = POLICY_PAIRS_MAX,
        .is_approved = is_approved,
        .is_engineering_station = is_engineering_station,
        .is_actor_new = is_actor_new,
        .is_usual = is_usual,
        .indicators = w->options.indicators,
        .context = w,
    };
    struct site_judge_options judge = {.is_known = is_known, .is_usual = is_usual, .context = w};
    w->judge = site_judge_create(&judge, w->options.site, &w->sink);
    w->baseline = baseline_create(&baseline, &w->sink);
    w->policy = policy_create(&policy, &w->sink);
    w->evidence = evidence_create(EVIDENCE_BYTES / w->options.count, &w->sink);
    return w->judge && w->baseline && w->policy && w->evidence;
}

struct worker *worker_create(const struct worker_options *options, struct error *err)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w) {
        error_set(err, "out of memory");
        return NULL;
    }
    w->options = *options;
    atomic_init(&w->next_site, NULL);
    worker_rules(w, options->rules);
    w->hosts = worker_hosts_create();
    w->told = recent_create(TOLD_MAX);
    w->claimed = recent_create(CLAIMED_MAX);
    if (!w->hosts || !w->told || !w->claimed || !create_analyser(w) || !create_judges(w) ||
        !take_rules(w) || !create_history(w)) {
        error_set(err, "out of memory for a worker's tables");
        worker_destroy(w);
        return NULL;
    }
    return w;
}

void worker_destroy(struct worker *w)
{
    if (!w)
        return;
    analyser_destroy(w->analyser);
    history_destroy(w->history);
    sigma_destroy(w->sigma);
    policy_destroy(w->policy);
    site_judge_destroy(w->judge);
    site_release(atomic_load(&w->next_site));
    baseline_destroy(w->baseline);
    evidence_destroy(w->evidence);
    memory_destroy(w->hosts);
    recent_destroy(w->told);
    recent_destroy(w->claimed);
    free(w);
}

bool worker_load(struct worker *w, struct store *store, struct error *err)
{
    return baseline_load(w->baseline, store, w->options.index, w->options.count, err);
}

/* --- packets --- */

/* What is known of a packet before its turn. */
struct ahead {
    uint64_t pair, host;
    bool has_host;
    struct analyser_place flow;
};

static void take_site(struct worker *w)
{
    struct site *site = atomic_load(&w->next_site) ? atomic_exchange(&w->next_site, NULL) : NULL;
    if (site)
        site_judge_take(w->judge, site);
    site_release(site);
}

void worker_tick(struct worker *w, int64_t time_ns)
{
    if (time_ns < w->next_tick_ns)
        return;
    w->last_ns = time_ns;
    w->next_tick_ns = time_ns - time_ns % SECOND_NS + SECOND_NS;
    analyser_tick(w->analyser, time_ns);
    take_site(w);
    policy_tick(w->policy, time_ns, false);
    site_judge_tick(w->judge, time_ns, false);
    baseline_tick(w->baseline, time_ns, false);
    if (!take_rules(w))
        log_error("out of memory: rules are off");
    if (w->sigma)
        sigma_tick(w->sigma, time_ns, false);
    if (w->history)
        history_tick(w->history, time_ns, false);
}

static void look(const struct worker *w, const struct packet *p, struct ahead *ahead)
{
    ahead->pair = pair_hash_ends(p->segment, (struct pair_end){&p->source, &p->source_mac},
                                 (struct pair_end){&p->destination, &p->destination_mac});
    evidence_look(w->evidence, ahead->pair);
    ahead->has_host = worker_has_host(p);
    if (ahead->has_host) {
        ahead->host = worker_host_hash(p);
        memory_look(w->hosts, ahead->host);
    }
    analyser_look(w->analyser, p, &ahead->flow);
}

static void look_on(const struct worker *w, struct ahead *ahead)
{
    if (ahead->has_host)
        memory_look_on(w->hosts, ahead->host);
    analyser_look_flow(w->analyser, &ahead->flow);
}

static void take_packet(struct worker *w, const struct packet *p, const struct ahead *ahead)
{
    if (p->time_ns >= w->next_tick_ns)
        worker_tick(w, p->time_ns);
    if (atomic_load_explicit(&w->next_site, memory_order_relaxed))
        take_site(w); /* from the next packet on, as was said in the log */
    if (p->time_ns > w->last_ns)
        w->last_ns = p->time_ns;

    w->pair = ahead->pair;
    w->packet = p;
    evidence_packet(w->evidence, p, w->pair);
    worker_host(w, p, ahead->host, ahead->pair);
    analyser_packet_at(w->analyser, p, &ahead->flow);
    evidence_flush(w->evidence);
    w->packet = NULL;
}

void worker_packet(struct worker *w, const struct packet *p)
{
    struct ahead ahead;
    look(w, p, &ahead);
    take_packet(w, p, &ahead);
}

void worker_packets(struct worker *w, const struct packet *const packets[], size_t count)
{
    struct ahead aheads[WORKER_BATCH];
    assert(count <= WORKER_BATCH);
    if (count == 1) {
        worker_packet(w, packets[0]);
        return;
    }
    for (size_t i = 0; i < count; i++)
        look(w, packets[i], &aheads[i]);
    for (size_t i = 0; i < count; i++)
        look_on(w, &aheads[i]);
    for (size_t i = 0; i < count; i++)
        analyser_look_state(w->analyser, &aheads[i].flow);
    for (size_t i = 0; i < count; i++)
        analyser_look_learned(w->analyser, &aheads[i].flow);
    for (size_t i = 0; i < count; i++)
        take_packet(w, packets[i], &aheads[i]);
}

static void pass_row(void *context, const struct baseline_row *row)
{
    struct worker *w = context;
    w->options.row(w->options.core.context, row);
}

void worker_save(struct worker *w)
{
    baseline_changes(w->baseline, pass_row, w);
}

void worker_finish(struct worker *w)
{
    analyser_finish(w->analyser);
    policy_tick(w->policy, w->last_ns, true);
    site_judge_tick(w->judge, w->last_ns, true);
    baseline_tick(w->baseline, w->last_ns, true);
    if (w->sigma)
        sigma_tick(w->sigma, w->last_ns, true);
    if (w->history)
        history_tick(w->history, w->last_ns, true);
    worker_save(w);
}

void worker_decide(struct worker *w, const struct baseline_decision *decision)
{
    baseline_decide(w->baseline, decision);
}

void worker_site(struct worker *w, struct site *site)
{
    site_release(atomic_exchange(&w->next_site, site_retain(site)));
}

const struct analyser *worker_analyser(const struct worker *w)
{
    return w->analyser;
}

struct counters *worker_counters(struct worker *w)
{
    return analyser_counters(w->analyser);
}
