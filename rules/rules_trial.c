/* rules_trial.c: see rules_trial.h. */
#include "rules_trial.h"

#define SECOND_NS INT64_C(1000000000)

struct trial {
    void (*found)(void *context, const struct finding *f);
    void *context;
    struct sigma *sigma;
    struct sigma_correlator *correlator;
    int64_t now_ns;
};

static void on_finding(void *context, const struct finding *f)
{
    struct trial *t = context;
    t->found(t->context, f);
}

static void on_hit(void *context, const struct sigma_hit *hit)
{
    struct trial *t = context;
    sigma_correlator_hit(t->correlator, hit);
}

static void pass_time(struct trial *t, int64_t time_ns)
{
    if (time_ns - t->now_ns < SECOND_NS)
        return;
    t->now_ns = time_ns;
    sigma_tick(t->sigma, time_ns, false);
    sigma_correlator_tick(t->correlator, time_ns);
}

static void on_event(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns)
{
    struct trial *t = context;
    (void)last_ns;
    pass_time(t, e->time_ns);
    sigma_event_times(t->sigma, e, count);
}

static void on_flow(void *context, const struct ot_flow *flow, enum sigma_moment moment,
                    const char *protocol, int64_t time_ns, uint64_t count)
{
    struct trial *t = context;
    pass_time(t, time_ns);
    sigma_flow_times(t->sigma, flow, moment, protocol, time_ns, count);
}

static void on_end(void *context, const struct history_span *span)
{
    struct trial *t = context;
    sigma_tick(t->sigma, span->last_ns, true);
    sigma_correlator_tick(t->correlator, span->last_ns);
}

bool rules_trial(const struct sigma_rules *rules, struct store *store, const char *sensor,
                 const struct history_range *range,
                 void (*found)(void *context, const struct finding *f), void *context,
                 struct history_span *span, struct error *err)
{
    struct trial t = {.found = found, .context = context};
    const struct sigma_sink sink = {&t, on_finding, on_hit};
    const struct history_player player = {&t, on_event, on_flow, on_end};
    *span = (struct history_span){0};
    t.sigma = sigma_create(rules, &sink);
    t.correlator = sigma_correlator_create(rules, &sink);
    bool ok = (t.sigma && t.correlator) || error_set(err, "out of memory");
    ok = ok && (range ? history_replay_range(store, sensor, range, &player, span, err)
                      : history_replay(store, sensor, &player, span, err));
    sigma_correlator_destroy(t.correlator);
    sigma_destroy(t.sigma);
    return ok;
}
