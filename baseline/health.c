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
    SESSIONS_MIN = 20, /* fewer sessions prove nothing */
    SHARE_RISE = 30,   /* points: one new encrypted client is none */
    CLOCK_OFF_S = 60,  /* a capture's buffers delay by less */
};

static const int64_t SECOND = 1000000000;
static const int64_t REPEAT_NS = 600 * 1000000000ll;
static const int64_t OUTPUT_NS = 30 * 1000000000ll;

static const uint64_t DISK_FREE_MIN = 200u << 20; /* some hours of evidence */

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
    struct window drops, gaps, flows, sessions;
    struct trouble dropping, gapping, one_sided, output, blind;
    struct trouble stepping, slow, storing, disk, clock;
    uint64_t time_backwards, records_dropped, writes_dropped; /* of the last look */
    double encrypted_share; /* the greatest so far; negative: not known */
};

struct health *health_create(const struct health_options *options)
{
    struct health *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->options = *options;
    h->encrypted_share = -1;
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

static void tell_resource(const struct health_input *in, const struct finding_sink *sink,
                          struct trouble *trouble, bool is_on, const char *key, struct finding *f)
{
    if (!is_due(trouble, is_on, in->time_ns))
        return;
    text_copy(f->key, sizeof f->key, text_of(key));
    tell(in, sink, f, DETECTION_SENSOR_RESOURCE);
}

static void judge_time(struct health *h, const struct health_input *in,
                       const struct finding_sink *sink)
{
    uint64_t steps = in->time_backwards - h->time_backwards;
    struct finding f = {0};
    text_format(f.what, sizeof f.what,
                "gets packets whose time goes back: clocks were set, or captures are mixed");
    text_format(f.expected, sizeof f.expected, "the time of packets goes on");
    text_format(f.seen, sizeof f.seen, "%llu packet%s more than a second before the one before",
                (unsigned long long)steps, steps == 1 ? "" : "s");
    h->time_backwards = in->time_backwards;
    tell_resource(in, sink, &h->stepping, steps > 0, "time", &f);
}

/* Speed, disk and clock of the machine: only where it watches live. */
static void judge_machine(struct health *h, const struct health_input *in,
                          const struct finding_sink *sink)
{
    uint64_t dropped = in->records_dropped - h->records_dropped;
    h->records_dropped = in->records_dropped;
    struct finding slow = {0}, store = {0}, disk = {0}, clock = {0};
    text_format(slow.what, sizeof slow.what,
                "is too slow for its traffic: its threads do not keep up");
    text_format(slow.expected, sizeof slow.expected, "nothing waits for long between threads");
    text_format(slow.seen, sizeof slow.seen, "%llu records dropped in the last second; %s",
                (unsigned long long)dropped, degraded);
    tell_resource(in, sink, &h->slow, dropped > 0, "speed", &slow);

    text_format(store.what, sizeof store.what, "cannot write its store: %.120s",
                in->store_error ? in->store_error : "writes fail");
    text_format(store.expected, sizeof store.expected, "alerts and what was learned are kept");
    if (in->writes_dropped > 0)
        text_format(store.seen, sizeof store.seen,
                    "writes do not work; memory for those that wait is full, %llu are lost",
                    (unsigned long long)in->writes_dropped);
    else
        text_format(store.seen, sizeof store.seen,
                    "the last writes did not work; they wait in memory");
    bool is_losing = in->writes_dropped > h->writes_dropped;
    h->writes_dropped = in->writes_dropped;
    tell_resource(in, sink, &h->storing, in->is_store_failing || is_losing, "store", &store);

    text_format(disk.what, sizeof disk.what, "has only %llu MB of disk left for its store",
                (unsigned long long)(in->disk_free_bytes >> 20));
    text_format(disk.expected, sizeof disk.expected, "at least %llu MB",
                (unsigned long long)(DISK_FREE_MIN >> 20));
    text_format(disk.seen, sizeof disk.seen, "%llu MB free",
                (unsigned long long)(in->disk_free_bytes >> 20));
    tell_resource(in, sink, &h->disk, in->disk_free_bytes < DISK_FREE_MIN, "disk", &disk);

    int64_t off_s = in->clock_off_ns / SECOND;
    text_format(clock.what, sizeof clock.what,
                "has another time than its packets: one of the clocks is wrong");
    text_format(clock.expected, sizeof clock.expected, "less than %d s between them", CLOCK_OFF_S);
    text_format(clock.seen, sizeof clock.seen, "packets are %lld s %s of the wall clock",
                (long long)(off_s < 0 ? -off_s : off_s), off_s < 0 ? "behind" : "ahead");
    tell_resource(in, sink, &h->clock, off_s > CLOCK_OFF_S || off_s < -CLOCK_OFF_S, "clock",
                  &clock);
}

/* A plant has the share of closed sessions that it has; what counts is that it rises. */
static void judge_encryption(struct health *h, const struct health_input *in,
                             const struct finding_sink *sink)
{
    uint64_t all = in->ot_flows - h->sessions.good;
    uint64_t closed = in->ot_flows_encrypted - h->sessions.bad;
    if (all < SESSIONS_MIN)
        return;
    h->sessions.good = in->ot_flows;
    h->sessions.bad = in->ot_flows_encrypted;
    double share = percent(closed < all ? closed : all, all), before = h->encrypted_share;
    if (share > h->encrypted_share)
        h->encrypted_share = share;
    if (before < 0 || !is_due(&h->blind, share >= before + SHARE_RISE, in->time_ns))
        return;
    struct finding f = {0};
    text_format(
        f.what, sizeof f.what,
        "can no longer look into %.0f %% of the sessions with controllers: they are encrypted",
        share);
    text_format(f.expected, sizeof f.expected, "at most %.0f %%, as so far", before);
    text_format(f.seen, sizeof f.seen, "%llu of the last %llu sessions", (unsigned long long)closed,
                (unsigned long long)all);
    tell(in, sink, &f, DETECTION_SENSOR_BLIND_ENCRYPTED);
}

void health_tick(struct health *h, const struct health_input *in, const struct finding_sink *sink)
{
    if (in->is_live)
        judge_silence(h, in, sink);
    judge_loss(h, in, sink);
    judge_sides(h, in, sink);
    judge_encryption(h, in, sink);
    judge_time(h, in, sink);
    if (in->is_live)
        judge_machine(h, in, sink);
    if (in->is_live)
        judge_output(h, in, sink);
    h->is_started = true;
}
