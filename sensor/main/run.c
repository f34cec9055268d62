/* run.c: `sightglass run`: opens what was asked for and drives the packets through. Reading files
 * is done here, in one thread and deterministically; live capture in live.c. */
#include "run.h"
#include "commands.h"
#include "core.h"
#include "lines.h"
#include "live.h"
#include "options.h"
#include "privileges.h"
#include "rules/indicators.h"
#include "rules/rules_load.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/capture.h"
#include "sensor/decode.h"
#include "sensor/duplicates.h"
#include "stats.h"
#include "stop.h"
#include "trial.h"
#include "worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

enum { LINE_BUFFER = 1 << 18 };

/* What a run of files needs; each created in turn, destroyed in reverse. */
struct file_run {
    const struct run_options *options;
    const struct trial *trial; /* NULL: an ordinary run */
    struct capture *capture;
    struct decoder *decoder;
    struct duplicates *duplicates;
    struct core *core;
    struct indicators *indicators;
    struct worker *worker;
    struct sigma_rules *rules;
    struct counters counters; /* of reading and decoding */
    int64_t last_ns, next_tick_ns;
    struct packet packets[WORKER_BATCH]; /* looked at together, and what is compared of them */
    struct print prints[WORKER_BATCH];
    bool is_damaged;
};

static const char *source_name(void *context, uint32_t source_index)
{
    const struct file_run *r = context;
    return capture_source_name(r->capture, source_index);
}

static const char *segment_name(void *context, uint32_t segment)
{
    const struct file_run *r = context;
    return decoder_segment_name(r->decoder, segment);
}

static FILE *open_lines(const char *path, struct error *err)
{
    FILE *file = lines_open(path, err);
    if (file)
        setvbuf(file, NULL, _IOFBF, LINE_BUFFER);
    return file;
}

static void restore_segment(void *decoder, uint32_t number, const char *name)
{
    decoder_restore_segment(decoder, number, name);
}

static bool create_file_run(struct file_run *r, FILE *events, FILE *alerts, struct error *err)
{
    const struct config *config = &r->options->config;
    struct decode_options decode = {
        .is_segment_by_interface = config->segment_by_interface,
        .is_segment_by_vlan = config->segment_by_vlan,
        .is_segment_by_tunnel = config->segment_by_tunnel,
        .source_names = r->options->files,
        .source_count = (uint32_t)r->options->file_count,
    };
    r->capture = capture_files(r->options->files, r->options->file_count);
    r->decoder = decoder_create(&decode);
    r->duplicates = duplicates_create();
    if (!r->capture || !r->decoder || !r->duplicates)
        return error_set(err, "out of memory");

    if (config->indicators.count && !(r->indicators = indicators_load(&config->indicators, err)))
        return false;
    if (!r->trial && !rules_load(&r->rules, config, err))
        return false;
    const struct sigma_rules *rules = r->trial ? r->trial->rules : r->rules;
    struct core_options core = {
        .config = config,
        .site = r->options->site,
        .rules = rules,
        .indicators = r->indicators,
        .config_text = r->options->config_text,
        .store_path = r->options->store,
        .alert_lines = alerts,
        .found = r->trial ? r->trial->found : NULL,
        .found_context = r->trial ? r->trial->context : NULL,
        .source_name = source_name,
        .segment_name = segment_name,
        .context = r,
    };
    if (!core_create(&r->core, &core, err))
        return false;
    core_each_segment(r->core, restore_segment, r->decoder);
    struct worker_options worker = {
        .config = config,
        .site = r->options->site,
        .index = 0,
        .count = 1,
        .events = events,
        .core = core_sink(r->core),
        .row = core_row,
        .indicators = r->indicators,
        .hit = core_hit,
        .history = core_keeps_history(r->core) ? core_history : NULL,
        .rules = rules,
    };
    r->worker = worker_create(&worker, err);
    return r->worker && worker_load(r->worker, core_store(r->core), err) &&
           privileges_restrict(err);
}

static bool destroy_file_run(struct file_run *r, struct error *err)
{
    worker_destroy(r->worker);
    indicators_destroy(r->indicators);
    bool ok = core_close(r->core, err);
    sigma_rules_destroy(r->rules);
    duplicates_destroy(r->duplicates);
    decoder_destroy(r->decoder);
    capture_close(r->capture);
    return ok;
}

static struct core_measure measure_of(struct file_run *r)
{
    struct core_measure m = {.totals = r->counters};
    counters_add(&m.totals, worker_counters(r->worker));
    return m;
}

static bool pass_decision(void *context, const struct baseline_decision *d)
{
    worker_decide(context, d);
    return true;
}

static void tick(struct file_run *r, int64_t now_ns)
{
    r->next_tick_ns = now_ns - now_ns % SECOND_NS + SECOND_NS;
    struct core_measure m = measure_of(r);
    core_tick(r->core, now_ns, &m);
}

/* False: a copy that does not count. */
static bool is_wanted(struct file_run *r, struct packet *p, const struct print *print)
{
    if (duplicates_seen_print(r->duplicates, p, print)) {
        if (!r->options->keep_duplicates) {
            r->counters.duplicates++;
            return false;
        }
        r->counters.duplicates_kept++;
    }
    if (p->time_ns < r->last_ns) { /* DESIGN: a backward step is clamped and counted */
        r->counters.time_backwards += r->last_ns - p->time_ns > SECOND_NS;
        p->time_ns = r->last_ns;
    }
    r->last_ns = p->time_ns;
    return true;
}

/* Decodes what may be looked at together: up to the next tick, which sees all the counters of what
 * came before it, and up to a reassembled datagram, whose bytes the next one may use. Returns how
 * many were read. */
static size_t decode_some(struct file_run *r, const struct raw_packet *raw, size_t raw_count,
                          size_t *count)
{
    size_t i = 0;
    *count = 0;
    for (bool is_last = false; i < raw_count && !is_last; i++) {
        struct packet *p = &r->packets[*count];
        if (!decode(r->decoder, &raw[i], p, &r->counters))
            continue;
        r->prints[*count] = duplicates_print(r->duplicates, p);
        is_last = p->is_reassembled || p->time_ns >= r->next_tick_ns;
        ++*count;
    }
    return i;
}

static void take_packets(struct file_run *r, const struct raw_packet *raw, size_t raw_count)
{
    while (raw_count > 0) {
        const struct packet *wanted[WORKER_BATCH];
        size_t count, wanted_count = 0;
        size_t used = decode_some(r, raw, raw_count, &count);
        for (size_t i = 0; i < count; i++)
            if (is_wanted(r, &r->packets[i], &r->prints[i]))
                wanted[wanted_count++] = &r->packets[i];
        worker_packets(r->worker, wanted, wanted_count);
        if (wanted_count > 0 && r->last_ns >= r->next_tick_ns)
            tick(r, r->last_ns);
        raw += used;
        raw_count -= used;
    }
}

static void read_packets(struct file_run *r)
{
    struct raw_packet raw[WORKER_BATCH];
    struct error err;
    for (;;) {
        enum capture_result after;
        size_t count = capture_batch(r->capture, raw, WORKER_BATCH, &after, &err);
        take_packets(r, raw, count);
        switch (after) {
        case CAPTURE_PACKET:
            break;
        case CAPTURE_DAMAGED:
            log_error("%s", err.text);
            r->is_damaged = true;
            break;
        case CAPTURE_IDLE:
            break;
        case CAPTURE_END:
            return;
        }
        if (stop_requested())
            return;
    }
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void fill_stats(struct stats *s, struct file_run *r, const struct timespec *start)
{
    struct timespec now;
    struct rusage usage;
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &usage);
    *s = (struct stats){
        .counters = measure_of(r).totals,
        .flows_open = analyser_flows(worker_analyser(r->worker)),
        .seconds =
            (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9,
        .cpu_seconds = seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime),
        .peak_memory_kib = usage.ru_maxrss,
        .alerts = core_alerts(r->core),
    };
    assert(dissector_count <= STATS_PROTOCOLS_MAX);
    memcpy(s->protocols, analyser_protocols(worker_analyser(r->worker)),
           dissector_count * sizeof *s->protocols);
}

bool run_trial(const struct run_options *o, const struct trial *trial, struct error *err)
{
    struct file_run r = {.options = o, .trial = trial};
    bool ok = create_file_run(&r, NULL, NULL, err);
    if (ok) {
        read_packets(&r);
        worker_finish(r.worker);
        struct core_measure m = measure_of(&r);
        core_finish(r.core, r.last_ns, &m);
    }
    struct error close_err = {""};
    if (!destroy_file_run(&r, &close_err) && ok)
        ok = error_set(err, "%s", close_err.text);
    return ok && (!r.is_damaged || error_set(err, "a capture could not be read to its end"));
}

int run_files(const struct run_options *o, FILE *events, FILE *alerts)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct file_run r = {.options = o};
    struct error err = {""};
    bool ok = create_file_run(&r, events, alerts, &err);
    if (ok) {
        core_decisions(r.core, pass_decision, r.worker);
        core_wishes(r.core);
        read_packets(&r);
        worker_finish(r.worker);
        struct core_measure m = measure_of(&r);
        core_finish(r.core, r.last_ns, &m);
        struct stats stats;
        fill_stats(&stats, &r, &start);
        stats_print(&stats);
        ok = !o->stats || stats_write(&stats, o->stats, &err);
    }
    if (!ok)
        log_error("%s", err.text);
    struct error close_err = {""};
    if (!destroy_file_run(&r, &close_err)) {
        log_error("%s", close_err.text);
        ok = false;
    }
    return ok && !r.is_damaged ? 0 : 1;
}

static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    FILE *random = fopen("/dev/urandom", "rb");
    if (random) {
        if (fread(&seed, sizeof seed, 1, random) != 1)
            seed = 0;
        fclose(random);
    }
    return seed;
}

static int run(struct run_options *o)
{
    struct error err = {""};
    FILE *events = NULL, *alerts = NULL;
    if ((o->events && !(events = open_lines(o->events, &err))) ||
        (o->alerts && !(alerts = open_lines(o->alerts, &err)))) {
        log_error("%s", err.text);
        return 1;
    }
    int status;
    if (o->file_count > 0) {
        status = run_files(o, events, alerts);
    } else {
        hash_seed(random_seed());
        status = run_live(o, events, alerts);
    }
    if (events && !lines_end(events, o->events, &err)) {
        log_error("%s", err.text);
        status = 1;
    }
    if (alerts && !lines_end(alerts, o->alerts, &err)) {
        log_error("%s", err.text);
        status = 1;
    }
    return status;
}

int cmd_run(int argc, char **argv)
{
    struct run_options *o = calloc(1, sizeof *o);
    struct error err = {""};
    bool is_help;
    int status;
    if (!o) {
        log_error("out of memory");
        return 1;
    }
    stop_install();
    if (!options_read(o, argc, argv, &is_help, &err)) {
        log_error("%s (sightglass run --help lists the options)", err.text);
        status = 2;
    } else if (is_help) {
        fputs(run_usage, stdout);
        status = 0;
    } else {
        status = run(o);
    }
    options_release(o);
    free(o);
    return status;
}
