/* live.c: the threads of live capture. */
#include "live.h"

#include "core.h"
#include "inbox.h"
#include "live_clock.h"
#include "packet_record.h"
#include "privileges.h"
#include "ring.h"
#include "rules/indicators.h"
#include "rules/rules_load.h"
#include "sensor/base/log.h"
#include "sensor/base/pair.h"
#include "sensor/capture.h"
#include "sensor/decode.h"
#include "sensor/duplicates.h"
#include "stats.h"
#include "stop.h"
#include "worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

enum {
    WORKERS_MAX = 16,
    PACKET_RING = 16 << 20, /* per worker: a burst of 100,000 small packets */
    RECORD_RING = 8 << 20,  /* per worker */
    WAIT_US = 2000,
    PATIENCE_US =
        100000, /* how long a worker waits to hand a finding on before it is dropped and counted */
};

enum packet_record { RECORD_PACKET, RECORD_TICK, RECORD_STOP };
enum core_record {
    RECORD_FINDING,
    RECORD_SIGHTING,
    RECORD_EVIDENCE,
    RECORD_ROW,
    RECORD_HIT,
    RECORD_HISTORY,
    RECORD_MEASURE,
    RECORD_DONE
};

struct worker_thread {
    struct live *live;
    struct worker *worker;
    struct ring *packets, *records;
    pthread_t thread;
    int64_t next_second_ns, next_save_ns;
    struct counters counters; /* owned by the core thread: the last ones that came */
    bool is_done;             /* owned by the core thread */
    struct inbox *decisions;  /* of people */
};

/* Rules that SIGHUP brought; kept until the end: the other threads take them over when they come to
 * it. */
struct reloaded {
    struct sigma_rules *rules;
    struct reloaded *next;
};

/* What the reader counts, published once a second. */
struct reader_measure {
    struct counters counters;
    uint64_t packets[CONFIG_LIST_MAX], dropped[CONFIG_LIST_MAX];
};

struct live {
    const struct run_options *options;
    struct capture *capture;
    struct decoder *decoder;
    struct duplicates *duplicates;
    struct core *core;
    struct indicators *indicators;
    pthread_t core_thread;
    bool is_core_running;
    struct worker_thread workers[WORKERS_MAX];
    uint32_t worker_count, started;
    struct counters counters; /* of the reader */
    uint64_t source_packets[CONFIG_LIST_MAX];
    pthread_mutex_t lock; /* of published */
    struct reader_measure published;
    struct live_clock clock;
    _Atomic int64_t now_ns; /* of the run, for the core thread */
    int64_t last_ns, next_tick_ns;
    struct reloaded *reloaded; /* newest first */
    struct sigma_rules *rules; /* that the run began with */
};

/* --- reader -> worker --- */

static void send_packet(struct live *l, struct worker_thread *w, const struct packet *p)
{
    void *data = ring_reserve(w->packets, RECORD_PACKET, packet_record_size(p));
    if (!data) {
        l->counters.ring_full++;
        return;
    }
    packet_record_write(data, p);
    ring_commit(w->packets);
}

/* --- worker -> core --- */

static void *reserve_record(struct worker_thread *w, enum core_record kind, size_t size,
                            unsigned patience_us)
{
    void *data = ring_reserve(w->records, kind, size);
    for (unsigned waited = 0; !data && waited < patience_us; waited += 1000) {
        struct timespec t = {0, 1000000};
        nanosleep(&t, NULL);
        data = ring_reserve(w->records, kind, size);
    }
    if (!data)
        worker_counters(w->worker)->core_ring_full++;
    return data;
}

static void send_record(struct worker_thread *w, enum core_record kind, const void *record,
                        size_t size, unsigned patience_us)
{
    void *data = reserve_record(w, kind, size, patience_us);
    if (data) {
        memcpy(data, record, size);
        ring_commit(w->records);
    }
}

static void send_finding(void *context, const struct finding *f)
{
    send_record(context, RECORD_FINDING, f, sizeof *f, PATIENCE_US);
}

static void send_sighting(void *context, const struct sighting *s)
{
    send_record(context, RECORD_SIGHTING, s, sizeof *s, 0);
}

static void send_evidence(void *context, const struct evidence_packet *e)
{
    struct worker_thread *w = context;
    struct evidence_packet *data = reserve_record(w, RECORD_EVIDENCE, sizeof *e + e->size, 0);
    if (data) {
        *data = *e;
        memcpy(data + 1, e->bytes, e->size);
        ring_commit(w->records);
    }
}

static void send_row(void *context, const struct baseline_row *row)
{
    send_record(context, RECORD_ROW, row, sizeof *row, PATIENCE_US);
}

static void send_history(void *context, const struct history_row *row)
{
    send_record(context, RECORD_HISTORY, row, history_row_size(row), 0);
}

static void send_hit(void *context, const struct sigma_hit *hit)
{
    send_record(context, RECORD_HIT, hit, sizeof *hit, 0);
}

/* --- worker --- */

static void decide(void *context, const struct baseline_decision *d)
{
    worker_decide(context, d);
}

static void each_second(struct worker_thread *w, int64_t now_ns)
{
    if (now_ns < w->next_second_ns)
        return;
    w->next_second_ns = now_ns + SECOND_NS;
    inbox_take(w->decisions, decide, w->worker);
    struct counters m = *worker_counters(w->worker);
    send_record(w, RECORD_MEASURE, &m, sizeof m, 0);
    if (now_ns >= w->next_save_ns) {
        w->next_save_ns = now_ns + 10 * SECOND_NS;
        worker_save(w->worker);
    }
}

static void *worker_main(void *context)
{
    struct worker_thread *w = context;
    uint32_t kind = RECORD_TICK;
    while (kind != RECORD_STOP) {
        size_t size;
        void *data = ring_peek(w->packets, &kind, &size);
        if (!data) {
            kind = RECORD_TICK;
            ring_wait(w->packets, WAIT_US);
            continue;
        }
        if (kind == RECORD_PACKET) {
            const struct packet *p = packet_record_read(data);
            worker_packet(w->worker, p);
            each_second(w, p->time_ns);
        } else if (kind == RECORD_TICK) {
            int64_t now_ns;
            memcpy(&now_ns, data, sizeof now_ns);
            worker_tick(w->worker, now_ns);
            each_second(w, now_ns);
        }
        ring_release(w->packets);
    }
    worker_finish(w->worker);
    struct counters m = *worker_counters(w->worker);
    send_record(w, RECORD_MEASURE, &m, sizeof m, PATIENCE_US);
    while (
        !ring_reserve(w->records, RECORD_DONE, 0)) { /* the core is still reading: room will come */
        struct timespec t = {0, 1000000};
        nanosleep(&t, NULL);
    }
    ring_commit(w->records);
    return NULL;
}

/* --- core --- */

static void take_record(struct live *l, struct worker_thread *w, uint32_t kind, void *data)
{
    struct finding_sink core = core_sink(l->core);
    switch ((enum core_record)kind) {
    case RECORD_FINDING:
        core.finding(core.context, data);
        break;
    case RECORD_SIGHTING:
        core.sighting(core.context, data);
        break;
    case RECORD_EVIDENCE: {
        struct evidence_packet *e = data;
        e->bytes = (const uint8_t *)(e + 1);
        core.evidence(core.context, e);
        break;
    }
    case RECORD_ROW:
        core_row(l->core, data);
        break;
    case RECORD_HISTORY:
        core_history(l->core, data);
        break;
    case RECORD_HIT:
        core_hit(l->core, data);
        break;
    case RECORD_MEASURE:
        memcpy(&w->counters, data, sizeof w->counters);
        break;
    case RECORD_DONE:
        w->is_done = true;
        break;
    }
}

static bool drain(struct live *l, struct worker_thread *w)
{
    enum { TURN = 4096 }; /* then the others' turn */
    bool any = false;
    for (int i = 0; i < TURN; i++) {
        uint32_t kind;
        size_t size;
        void *data = ring_peek(w->records, &kind, &size);
        if (!data)
            break;
        take_record(l, w, kind, data);
        ring_release(w->records);
        any = true;
    }
    return any;
}

/* To all workers or, when one is behind with the last ones, to none. */
static bool pass_decision(void *context, const struct baseline_decision *d)
{
    struct live *l = context;
    for (uint32_t i = 0; i < l->worker_count; i++)
        if (inbox_is_full(l->workers[i].decisions))
            return false;
    for (uint32_t i = 0; i < l->worker_count; i++)
        inbox_put(l->workers[i].decisions, d);
    return true;
}

static void measure_live(struct live *l, struct core_measure *m,
                         struct source_measure sources[CONFIG_LIST_MAX])
{
    *m = (struct core_measure){.sources = sources, .source_count = l->options->interface_count};
    pthread_mutex_lock(&l->lock);
    m->totals = l->published.counters;
    for (size_t i = 0; i < m->source_count; i++)
        sources[i] = (struct source_measure){l->options->interfaces[i], l->published.packets[i],
                                             l->published.dropped[i]};
    pthread_mutex_unlock(&l->lock);
    for (uint32_t i = 0; i < l->worker_count; i++)
        counters_add(&m->totals, &l->workers[i].counters);
}

static void *core_main(void *context)
{
    struct live *l = context;
    struct source_measure sources[CONFIG_LIST_MAX];
    struct core_measure m;
    int64_t next_ns = 0;
    uint32_t done = 0;
    while (done < l->worker_count) {
        bool any = false;
        done = 0;
        for (uint32_t i = 0; i < l->worker_count; i++) {
            any |= drain(l, &l->workers[i]);
            done += l->workers[i].is_done;
        }
        int64_t now_ns = atomic_load(&l->now_ns);
        if (now_ns >= next_ns) {
            next_ns = now_ns + SECOND_NS;
            measure_live(l, &m, sources);
            core_tick(l->core, now_ns, &m);
            core_decisions(l->core, pass_decision, l);
            core_wishes(l->core);
        }
        if (!any)
            ring_wait(l->workers[0].records, WAIT_US);
    }
    measure_live(l, &m, sources);
    core_finish(l->core, atomic_load(&l->now_ns), &m);
    return NULL;
}

/* --- reader --- */

static void publish(struct live *l)
{
    struct reader_measure m = {.counters = l->counters};
    for (size_t i = 0; i < l->options->interface_count; i++) {
        struct capture_drops drops;
        capture_drops(l->capture, (uint32_t)i, &drops);
        m.packets[i] = l->source_packets[i];
        m.dropped[i] = drops.dropped_kernel + drops.dropped_interface;
        m.counters.packets_dropped += m.dropped[i];
    }
    m.counters.time_backwards += l->clock.steps;
    pthread_mutex_lock(&l->lock);
    l->published = m;
    pthread_mutex_unlock(&l->lock);
}

static void tick(struct live *l, int64_t now_ns)
{
    if (now_ns < l->next_tick_ns)
        return;
    atomic_store(&l->now_ns, now_ns);
    l->next_tick_ns = now_ns + SECOND_NS;
    for (uint32_t i = 0; i < l->worker_count; i++) {
        int64_t *data = ring_reserve(l->workers[i].packets, RECORD_TICK, sizeof *data);
        if (!data)
            continue; /* it has packets enough to tell the time */
        memcpy(data, &now_ns, sizeof now_ns);
        ring_commit(l->workers[i].packets);
    }
    publish(l);
}

static void take_packet(struct live *l, const struct raw_packet *raw)
{
    struct packet p;
    l->source_packets[raw->source_index]++;
    if (!decode(l->decoder, raw, &p, &l->counters))
        return;
    p.time_ns = live_clock_packet(&l->clock, p.time_ns);
    if (duplicates_seen(l->duplicates, &p)) {
        if (!l->options->keep_duplicates) {
            l->counters.duplicates++;
            return;
        }
        l->counters.duplicates_kept++;
    }
    if (p.time_ns < l->last_ns) {
        l->counters.time_backwards += l->last_ns - p.time_ns > SECOND_NS;
        p.time_ns = l->last_ns;
    }
    l->last_ns = p.time_ns;
    struct endpoint source = {p.source, p.source_mac, 0};
    struct endpoint destination = {p.destination, p.destination_mac, 0};
    uint64_t pair = pair_hash(p.segment, &source, &destination);
    send_packet(l, &l->workers[pair_worker(pair, l->worker_count)], &p);
}

/* A new site policy takes the place of the old one between two packets; whoever still looks at the
 * old one keeps it until then. */
static void reload(struct live *l)
{
    struct error err = {""};
    struct config fresh;
    if (!l->options->config_path)
        return;
    struct reloaded *brought = calloc(1, sizeof *brought);
    if (!brought)
        return;
    config_defaults(&fresh);
    bool ok = config_read(&fresh, l->options->config_path, &err) &&
              rules_load(&brought->rules, &fresh, &err);
    struct site *site = ok ? site_create(&fresh, &err) : NULL;
    config_release(&fresh);
    brought->next = l->reloaded;
    l->reloaded = brought;
    if (!site) {
        log_error("%s; the old configuration stays", err.text);
        return;
    }
    for (uint32_t i = 0; i < l->worker_count; i++) {
        worker_site(l->workers[i].worker, site);
        worker_rules(l->workers[i].worker, brought->rules);
    }
    core_site(l->core, site);
    core_rules(l->core, brought->rules);
    char summary[128];
    log_info("%s: site policy (%s) and rules taken over; other keys take effect at the next start",
             l->options->config_path, site_summary(site, summary, sizeof summary));
    site_release(site);
}

static void read_packets(struct live *l, bool *is_damaged)
{
    struct raw_packet raw;
    struct error err;
    while (!stop_requested()) {
        switch (capture_next(l->capture, &raw, &err)) {
        case CAPTURE_PACKET:
            take_packet(l, &raw);
            tick(l, live_clock_of(&l->clock, raw.time_ns));
            break;
        case CAPTURE_IDLE:
            tick(l, live_clock_look(&l->clock));
            break;
        case CAPTURE_DAMAGED:
            log_error("%s", err.text);
            *is_damaged = true;
            break;
        case CAPTURE_END:
            return;
        }
        if (reload_requested())
            reload(l);
    }
}

/* --- life --- */

static const char *source_name(void *context, uint32_t source_index)
{
    const struct live *l = context;
    return source_index < l->options->interface_count ? l->options->interfaces[source_index] : "";
}

/* Segments are named by the reader's decoder; the table only grows. */
static const char *segment_name(void *context, uint32_t segment)
{
    const struct live *l = context;
    return decoder_segment_name(l->decoder, segment);
}

static bool create_worker(struct live *l, struct worker_thread *w, uint32_t index, FILE *events,
                          struct error *err)
{
    w->live = l;
    w->packets = ring_create(PACKET_RING);
    w->records = ring_create(RECORD_RING);
    w->decisions = inbox_create();
    if (!w->packets || !w->records || !w->decisions)
        return error_set(err, "out of memory for a worker's rings");
    struct worker_options options = {
        .config = &l->options->config,
        .site = l->options->site,
        .index = index,
        .count = l->worker_count,
        .events = events,
        .core = {w, send_finding, send_sighting, send_evidence},
        .row = send_row,
        .indicators = l->indicators,
        .hit = send_hit,
        .history = core_keeps_history(l->core) ? send_history : NULL,
        .rules = l->rules,
    };
    w->worker = worker_create(&options, err);
    return w->worker && worker_load(w->worker, core_store(l->core), err);
}

/* Before its thread runs. */
static bool decide_at_start(void *context, const struct baseline_decision *d)
{
    struct live *l = context;
    for (uint32_t i = 0; i < l->worker_count; i++)
        worker_decide(l->workers[i].worker, d);
    return true;
}

static bool open_capture(struct live *l, struct error *err)
{
    const struct config *c = &l->options->config;
    struct capture_live_options options = {
        .interfaces = l->options->interfaces,
        .interface_count = l->options->interface_count,
        .filter = c->filter[0] ? c->filter : NULL,
        .snaplen = c->snaplen,
        .ring_size = c->ring_megabytes << 20,
        .is_promiscuous = true,
    };
    struct decode_options decode = {
        .is_segment_by_interface = c->segment_by_interface,
        .is_segment_by_vlan = c->segment_by_vlan,
        .is_segment_by_tunnel = c->segment_by_tunnel,
        .source_names = l->options->interfaces,
        .source_count = (uint32_t)l->options->interface_count,
    };
    if (!capture_live(&l->capture, &options, err))
        return false;
    l->decoder = decoder_create(&decode);
    l->duplicates = duplicates_create();
    return (l->decoder && l->duplicates) || error_set(err, "out of memory");
}

static bool start_threads(struct live *l, struct error *err)
{
    for (; l->started < l->worker_count; l->started++)
        if (pthread_create(&l->workers[l->started].thread, NULL, worker_main,
                           &l->workers[l->started]) != 0)
            return error_set(err, "cannot start a worker thread");
    l->is_core_running = pthread_create(&l->core_thread, NULL, core_main, l) == 0;
    return l->is_core_running || error_set(err, "cannot start the core thread");
}

static void restore_segment(void *decoder, uint32_t number, const char *name)
{
    decoder_restore_segment(decoder, number, name);
}

static bool create_live(struct live *l, FILE *events, FILE *alerts, struct error *err)
{
    const struct config *c = &l->options->config;
    l->worker_count = c->workers < 1 ? 1 : c->workers > WORKERS_MAX ? WORKERS_MAX : c->workers;
    pthread_mutex_init(&l->lock, NULL);
    if (c->indicators.count && !(l->indicators = indicators_load(&c->indicators, err)))
        return false;
    if (!open_capture(l, err) || !privileges_drop(c->user, err) || !privileges_restrict(err))
        return false;
    if (!rules_load(&l->rules, c, err))
        return false;
    struct core_options core = {
        .config = c,
        .site = l->options->site,
        .rules = l->rules,
        .indicators = l->indicators,
        .config_text = l->options->config_text,
        .store_path = l->options->store,
        .alert_lines = alerts,
        .is_live = true,
        .source_name = source_name,
        .segment_name = segment_name,
        .context = l,
    };
    if (!core_create(&l->core, &core, err))
        return false;
    core_each_segment(l->core, restore_segment, l->decoder);
    for (uint32_t i = 0; i < l->worker_count; i++)
        if (!create_worker(l, &l->workers[i], i, events, err))
            return false;
    core_decisions(l->core, decide_at_start, l);
    return start_threads(l, err);
}

static void stop_threads(struct live *l)
{
    for (uint32_t i = 0; i < l->started; i++) {
        struct worker_thread *w = &l->workers[i];
        while (!ring_reserve(w->packets, RECORD_STOP, 0)) {
            struct timespec t = {0, 1000000};
            nanosleep(&t, NULL);
        }
        ring_commit(w->packets);
    }
    if (l->is_core_running)
        pthread_join(l->core_thread, NULL);
    for (uint32_t i = 0; i < l->started; i++)
        pthread_join(l->workers[i].thread, NULL);
}

static void finish_stats(struct live *l, struct stats *s, const struct timespec *start)
{
    struct rusage usage;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &usage);
    publish(l);
    assert(dissector_count <= STATS_PROTOCOLS_MAX);
    *s = (struct stats){.counters = l->published.counters, .alerts = core_alerts(l->core)};
    for (uint32_t i = 0; i < l->worker_count; i++) {
        struct worker *w = l->workers[i].worker;
        counters_add(&s->counters, worker_counters(w));
        s->flows_open += analyser_flows(worker_analyser(w));
        const struct protocol_stats *p = analyser_protocols(worker_analyser(w));
        for (size_t d = 0; d < dissector_count; d++) {
            s->protocols[d].pdus += p[d].pdus;
            s->protocols[d].events += p[d].events;
            s->protocols[d].violations += p[d].violations;
            s->protocols[d].flows += p[d].flows;
        }
    }
    s->seconds =
        (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
    s->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    s->peak_memory_kib = usage.ru_maxrss;
}

static bool destroy_live(struct live *l, struct error *err)
{
    bool ok = core_close(l->core, err);
    for (uint32_t i = 0; i < l->worker_count; i++) {
        worker_destroy(l->workers[i].worker);
        ring_destroy(l->workers[i].packets);
        ring_destroy(l->workers[i].records);
        inbox_destroy(l->workers[i].decisions);
    }
    indicators_destroy(l->indicators);
    while (l->reloaded) {
        struct reloaded *next = l->reloaded->next;
        sigma_rules_destroy(l->reloaded->rules);
        free(l->reloaded);
        l->reloaded = next;
    }
    sigma_rules_destroy(l->rules);
    duplicates_destroy(l->duplicates);
    decoder_destroy(l->decoder);
    capture_close(l->capture);
    return ok;
}

int run_live(const struct run_options *o, FILE *events, FILE *alerts)
{
    struct live *l = calloc(1, sizeof *l);
    struct error err = {""};
    bool is_damaged = false;
    if (!l) {
        log_error("out of memory");
        return 1;
    }
    l->options = o;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    atomic_init(&l->now_ns, live_clock_look(&l->clock));
    bool ok = create_live(l, events, alerts, &err);
    if (ok) {
        log_info("listening on %zu interface%s, store %s", o->interface_count,
                 o->interface_count > 1 ? "s" : "", o->store);
        read_packets(l, &is_damaged);
        atomic_store(&l->now_ns, live_clock_look(&l->clock));
    } else {
        log_error("%s", err.text);
    }
    stop_threads(l);
    if (ok) {
        struct stats stats;
        finish_stats(l, &stats, &start);
        stats_print(&stats);
        if (o->stats && !stats_write(&stats, o->stats, &err)) {
            log_error("%s", err.text);
            ok = false;
        }
    }
    struct error close_err = {""};
    if (!destroy_live(l, &close_err)) {
        log_error("%s", close_err.text);
        ok = false;
    }
    free(l);
    return ok && !is_damaged ? 0 : 1;
}
