/* health.c: what the sensor cannot see, said as findings. */
#include "health.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_S = 60,          /* loss is judged over a minute */
    ONE_SIDED_FLOWS = 20,   /* fewer flows prove nothing */
    ONE_SIDED_PERCENT = 60, /* scans and dead hosts leave some one-sided flows on a sound mirror */
    LOSS_BYTES_MIN = 65536, /* less than this in a minute proves nothing */
    LOSS_PACKETS_MIN = 100,
};

static const int64_t SECOND = 1000000000;
static const int64_t REPEAT_NS = 600 * 1000000000ll;
static const int64_t OUTPUT_NS = 30 * 1000000000ll;

/* What loss makes unreliable; what looks at single packets or at addresses goes on. */
static const char degraded[] = "unreliable until then: rw.*, plc.program-*, proto.*, comm.silent";

struct trouble {
    bool is_on;
    int64_t told_ns;
};

struct source_state {
    uint64_t packets;
    int64_t changed_ns; /* when packets last grew */
    struct trouble silent;
};

struct window {
    int64_t start_ns;
    uint64_t good, bad;
};

struct health {
    struct health_options options;
    bool is_started;
    struct source_state sources[HEALTH_SOURCES_MAX];
    struct window drops, gaps, flows;
    struct trouble dropping, gapping, one_sided, output;
};

struct health *health_create(const struct health_options *options)
{
    struct health *h = calloc(1, sizeof *h);
    if (h)
        h->options = *options;
    return h;
}

void health_destroy(struct health *h)
{
    free(h);
}

static void tell(const struct health_input *in, const struct finding_sink *sink, struct finding *f,
                 enum detection detection)
{
    f->detection = detection;
    f->time_ns = in->time_ns;
    sink->finding(sink->context, f);
}

/* Is it time to tell: when it begins, and again while it lasts. */
static bool is_due(struct trouble *t, bool is_on, int64_t now)
{
    bool is_due = is_on && (!t->is_on || now - t->told_ns >= REPEAT_NS);
    t->is_on = is_on;
    if (is_due)
        t->told_ns = now;
    return is_due;
}

static void judge_silence(struct health *h, const struct health_input *in,
                          const struct finding_sink *sink)
{
    for (size_t i = 0; i < in->source_count && i < HEALTH_SOURCES_MAX; i++) {
        struct source_state *s = &h->sources[i];
        const struct health_source *source = &in->sources[i];
        if (!h->is_started || source->packets != s->packets)
            s->changed_ns = in->time_ns;
        s->packets = source->packets;
        int64_t silent_ns = in->time_ns - s->changed_ns;
        bool is_silent = source->packets > 0 && silent_ns >= h->options.no_traffic_seconds * SECOND;
        if (!is_due(&s->silent, is_silent, in->time_ns))
            continue;
        struct finding f = {0};
        text_format(f.what, sizeof f.what, "receives no traffic on %s: mirror port, cable or TAP?",
                    source->name);
        text_format(f.expected, sizeof f.expected, "traffic, as before (%llu packets so far)",
                    (unsigned long long)source->packets);
        text_format(f.seen, sizeof f.seen, "no packet on %s for %lld s", source->name,
                    (long long)(silent_ns / SECOND));
        text_copy(f.key, sizeof f.key, text_of(source->name));
        tell(in, sink, &f, DETECTION_SENSOR_NO_TRAFFIC);
    }
}

/* A window is judged when it is full; then the next one begins. */
static bool window_full(struct window *w, const struct health_input *in, uint64_t good,
                        uint64_t bad, uint64_t *new_good, uint64_t *new_bad)
{
    if (w->start_ns != 0 && in->time_ns - w->start_ns < WINDOW_S * SECOND)
        return false;
    bool is_full = w->start_ns != 0;
    *new_good = good - w->good;
    *new_bad = bad - w->bad;
    *w = (struct window){in->time_ns, good, bad};
    return is_full;
}

static double percent(uint64_t bad, uint64_t all)
{
    return all == 0 ? 0.0 : 100.0 * (double)bad / (double)all;
}

static void tell_loss(const struct health *h, const struct health_input *in,
                      const struct finding_sink *sink, const char *key, const char *of,
                      double share)
{
    struct finding f = {0};
    text_format(f.what, sizeof f.what, "loses %.1f %% of %s", share, of);
    text_format(f.expected, sizeof f.expected, "at most %.1f %%", h->options.loss_percent);
    text_format(f.seen, sizeof f.seen, "%.1f %% of %s lost in the last minute; %s", share, of,
                degraded);
    text_copy(f.key, sizeof f.key, text_of(key));
    tell(in, sink, &f, DETECTION_SENSOR_PACKET_LOSS);
}

static void judge_loss(struct health *h, const struct health_input *in,
                       const struct finding_sink *sink)
{
    uint64_t packets = 0, dropped = 0, good, bad;
    for (size_t i = 0; i < in->source_count && i < HEALTH_SOURCES_MAX; i++) {
        packets += in->sources[i].packets;
        dropped += in->sources[i].dropped;
    }
    if (in->is_live && window_full(&h->drops, in, packets, dropped, &good, &bad)) {
        double share = percent(bad, good + bad);
        bool is_lossy = good + bad >= LOSS_PACKETS_MIN && share > h->options.loss_percent;
        if (is_due(&h->dropping, is_lossy, in->time_ns))
            tell_loss(h, in, sink, "drops", "the packets, because this machine is too slow", share);
    }
    if (window_full(&h->gaps, in, in->tcp_bytes, in->tcp_gap_bytes, &good, &bad)) {
        double share = percent(bad, good + bad);
        bool is_lossy = good + bad >= LOSS_BYTES_MIN && share > h->options.loss_percent;
        if (is_due(&h->gapping, is_lossy, in->time_ns))
            tell_loss(h, in, sink, "gaps", "the TCP data, before it reaches this machine", share);
    }
}

static void judge_sides(struct health *h, const struct health_input *in,
                        const struct finding_sink *sink)
{
    uint64_t flows = in->tcp_flows - h->flows.good, one = in->tcp_flows_one_sided - h->flows.bad;
    if (flows < ONE_SIDED_FLOWS)
        return; /* the window is as long as enough flows take */
    h->flows.good = in->tcp_flows;
    h->flows.bad = in->tcp_flows_one_sided;
    if (!is_due(&h->one_sided, percent(one, flows) >= ONE_SIDED_PERCENT, in->time_ns))
        return;
    struct finding f = {0};
    text_format(f.what, sizeof f.what,
                "sees only one direction of %.0f %% of the connections: does the mirror copy both?",
                percent(one, flows));
    text_format(f.expected, sizeof f.expected, "both directions of nearly all connections");
    text_format(f.seen, sizeof f.seen, "%llu of the last %llu connections with one direction only",
                (unsigned long long)one, (unsigned long long)flows);
    tell(in, sink, &f, DETECTION_SENSOR_ONE_SIDED);
}

static void judge_output(struct health *h, const struct health_input *in,
                         const struct finding_sink *sink)
{
    bool is_failing = in->is_output_failing && in->output_failing_ns >= OUTPUT_NS;
    if (!is_due(&h->output, is_failing, in->time_ns))
        return;
    struct finding f = {0};
    text_format(f.what, sizeof f.what, "cannot deliver alerts: %.120s",
                in->output_error ? in->output_error : "the output does not answer");
    text_format(f.expected, sizeof f.expected, "alerts are delivered within seconds");
    text_format(f.seen, sizeof f.seen, "%llu messages wait for %lld s; none is lost",
                (unsigned long long)in->output_waiting,
                (long long)(in->output_failing_ns / SECOND));
    tell(in, sink, &f, DETECTION_SENSOR_OUTPUT_FAILING);
}

void health_tick(struct health *h, const struct health_input *in, const struct finding_sink *sink)
{
    if (in->is_live)
        judge_silence(h, in, sink);
    judge_loss(h, in, sink);
    judge_sides(h, in, sink);
    if (in->is_live)
        judge_output(h, in, sink);
    h->is_started = true;
}
