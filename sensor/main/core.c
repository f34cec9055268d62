/* core.c: the wiring of the core thread. */
#include "core.h"

#include "alerts/severity.h"
#include "audit.h"
#include "baseline/geo.h"
#include "baseline/health.h"
#include "baseline/oui.h"
#include "dissectors/dissector.h"
#include "rules/conformance.h"
#include "rules/flooded.h"
#include "rules/spread.h"
#include "rules/windows.h"
#include "schemas.h"
#include "sensor/base/log.h"
#include "sole_writer.h"
#include "vitals.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

enum { DELIVERY_PATIENCE_MS = 5000 };
#define SECOND_NS INT64_C(1000000000)
#define PACK_NS   (5 * SECOND_NS)   /* a crash costs so much of the history */
#define LIMIT_NS  (600 * SECOND_NS) /* between two looks at the size of the history */
#define USERS_NS  (10 * SECOND_NS)  /* between two looks at the users of the console */
#define SAVE_NS   (10 * SECOND_NS)  /* what a kill -9 can cost of the learned state */

struct core {
    struct core_options options;
    struct finding_sink sink; /* of the inventory */
    struct store *store;
    int writer; /* of the store: sole_writer.h */
    struct store_queue *queue;
    struct inventory *inventory;
    struct oui *oui; /* NULL: the lists are not installed */
    struct geo *geo; /* NULL: none configured */
    struct alerts *alerts;
    struct delivery *delivery;
    struct health *health;
    struct site *site;
    _Atomic(struct site *) next_site; /* waits for the next tick; NULL: none */
    bool is_site_new, are_rules_new;  /* not yet compared with what the store remembers */
    bool is_started;
    int64_t users_ns; /* the console's users were compared */
    struct windows *windows;
    struct spread *spread;
    struct flooded *flooded;
    struct sigma *sigma; /* over findings; NULL: no rules */
    struct sigma_correlator *correlator;
    const struct sigma_rules *rules; /* that both use */
    _Atomic(const struct sigma_rules *) next_rules;
    int64_t saved_ns;
    int64_t last_decision, last_change;
    int64_t limited_ns; /* the history was cut back */
    struct history_packer *packer;
    int64_t packed_ns; /* its block was ended */
};

/* What a device is declared to be weighs on all that happens to it. */
static uint32_t place_flags(const struct core *c, const struct finding *f)
{
    struct site_place place;
    if (!site_place(c->site, f->has_target ? &f->target : &f->actor, VLAN_NONE, &place))
        return 0;
    return (place.is_safety ? FINDING_SAFETY_ASSET : 0u) |
           (place.is_critical ? FINDING_CRITICAL_ASSET : 0u);
}

/* Plants that use public addresses inside have them on their own MACs: that is no internet. */
static bool is_home(const struct core *c, const struct finding *f)
{
    bool is_out = f->detection == DETECTION_SEG_INTERNET_EGRESS;
    return (is_out || f->detection == DETECTION_SEG_INTERNET_INGRESS) &&
           inventory_is_local(c->inventory, f->segment, is_out ? &f->target : &f->actor);
}

/* The fingerprint of a transferred program is a fact about the device, by the name of the piece: an
 * upload that gives another one without a download is told by the inventory. */
static void keep_fingerprint(struct core *c, const struct finding *f)
{
    enum { FINGERPRINT_SHOWN = 16 };
    bool is_program = f->operation == OP_PROGRAM_DOWNLOAD || f->operation == OP_PROGRAM_UPLOAD ||
                      f->operation == OP_FIRMWARE_UPDATE;
    if (!is_program || !f->sha256[0] || !f->has_target || !f->object[0])
        return;
    struct sighting s = {.kind = SIGHTING_FACT,
                         .time_ns = f->time_ns,
                         .segment = f->segment,
                         .who = f->target,
                         .other = f->actor,
                         .transport = f->transport,
                         .vlan = VLAN_NONE,
                         .operation = f->operation,
                         .fact = FACT_PROGRAM,
                         .packet_number = f->packet_number,
                         .source_index = f->source_index};
    text_copy(s.protocol, sizeof s.protocol, text_of(f->protocol));
    text_copy(s.unit, sizeof s.unit, text_of(f->object));
    text_format(s.text, sizeof s.text, "SHA-256 %.*s", (int)FINGERPRINT_SHOWN, f->sha256);
    inventory_sighting(c->inventory, &s);
}

static bool is_dissected(const char *protocol)
{
    for (size_t i = 0; i < dissector_count; i++)
        if (strcmp(dissectors[i]->name, protocol) == 0)
            return true;
    return false;
}

/* Bytes that nobody knows are told for what they are at the service that they were sent to. */
static void judge_unknown(const struct core *c, struct finding *f)
{
    if (f->detection != DETECTION_COMM_PROTOCOL_ON_ODD_PORT ||
        !conformance_is_unknown(f, !is_dissected(f->protocol)))
        return;
    const char *served = inventory_served(c->inventory, f->segment, &f->target, f->transport);
    if (served)
        conformance_of_unknown(f, served);
}

static void on_finding(void *context, const struct finding *f)
{
    struct core *c = context;
    if (is_home(c, f) || flooded_covers(c->flooded, f))
        return;
    keep_fingerprint(c, f);
    struct finding out = *f;
    judge_unknown(c, &out);
    out.flags |= place_flags(c, f);
    windows_permit(c->windows, c->site, &out);
    spread_fold(c->spread, &out);
    if (c->options.found)
        c->options.found(c->options.found_context, &out);
    alerts_finding(c->alerts, &out);
    if (c->sigma && out.detection != DETECTION_RULE_MATCH) {
        struct severity_sum sum;
        severity_sum(&sum, out.detection, out.flags);
        sigma_finding(c->sigma, &out, sum.severity);
    }
}

static bool find_place(void *context, const struct endpoint *host, uint16_t vlan,
                       struct site_place *place)
{
    const struct core *c = context;
    return site_place(c->site, host, vlan, place);
}

static void on_sighting(void *context, const struct sighting *s)
{
    struct core *c = context;
    inventory_sighting(c->inventory, s);
}

static void on_evidence(void *context, const struct evidence_packet *e)
{
    struct core *c = context;
    alerts_evidence(c->alerts, e);
}

struct finding_sink core_sink(struct core *c)
{
    return (struct finding_sink){c, on_finding, on_sighting, on_evidence};
}

void core_row(void *context, const struct baseline_row *row)
{
    struct core *c = context;
    store_post_together(c->queue, baseline_rows_apply, row, baseline_row_size(row));
}

void core_history(void *context, const struct history_row *row)
{
    struct core *c = context;
    history_pack(c->packer, row);
}

void core_each_segment(const struct core *c,
                       void (*take)(void *context, uint32_t number, const char *name),
                       void *context)
{
    inventory_each_segment(c->inventory, take, context);
}

bool core_keeps_history(const struct core *c)
{
    return c->options.config->history_megabytes > 0 &&
           strcmp(c->options.store_path, ":memory:") != 0;
}

/* By age only where time is now: files have their own times. */
static void limit_history(struct core *c, int64_t time_ns)
{
    const struct config *config = c->options.config;
    if (!core_keeps_history(c))
        return;
    struct history_limits limits = {.before_ns = INT64_MIN,
                                    .bytes_max = (uint64_t)config->history_megabytes << 20};
    if (c->options.is_live)
        limits.before_ns = time_ns - (int64_t)config->history_days * 86400 * SECOND_NS;
    text_copy(limits.sensor, sizeof limits.sensor, text_of(config->sensor));
    store_post(c->queue, history_limits_apply, &limits, sizeof limits);
}

void core_hit(void *context, const struct sigma_hit *hit)
{
    struct core *c = context;
    if (c->correlator)
        sigma_correlator_hit(c->correlator, hit);
}

/* Takes over the rules that were set last. */
static bool take_rules(struct core *c)
{
    const struct sigma_rules *next = atomic_load_explicit(&c->next_rules, memory_order_acquire);
    if (next == c->rules)
        return true;
    sigma_destroy(c->sigma);
    sigma_correlator_destroy(c->correlator);
    c->sigma = NULL;
    c->correlator = NULL;
    c->rules = next;
    c->are_rules_new = true;
    if (next) {
        struct sigma_sink sink = {c, on_finding, core_hit};
        c->sigma = sigma_create(next, &sink);
        c->correlator = sigma_correlator_create(next, &sink);
    }
    return !next || (c->sigma && c->correlator);
}

void core_rules(struct core *c, const struct sigma_rules *rules)
{
    atomic_store_explicit(&c->next_rules, rules, memory_order_release);
}

static void tick_rules(struct core *c, int64_t time_ns, bool is_last)
{
    if (!take_rules(c))
        log_error("out of memory: rules over findings are off");
    if (c->sigma)
        sigma_tick(c->sigma, time_ns, is_last);
    if (c->correlator)
        sigma_correlator_tick(c->correlator, time_ns);
}

static bool create_parts(struct core *c, struct error *err)
{
    const struct config *config = c->options.config;
    c->sink = core_sink(c);
    c->oui = oui_open(OUI_FOLDER);
    if (!geo_open(&c->geo, &config->geoip, err))
        return false;
    struct inventory_options inventory = {
        .mode = config->mode,
        .settle_min_ns = (int64_t)config->settle_minutes * 60 * SECOND_NS,
        .assets_max = config->assets_max,
        .sensor = config->sensor,
        .place = find_place,
        .place_context = c,
        .segment_name = c->options.segment_name,
        .context = c->options.context,
        .oui = c->oui,
        .geo = c->geo,
    };
    c->inventory = inventory_create(&inventory, &c->sink);
    struct alerts_options alerts = {
        .config = config,
        .inventory = c->inventory,
        .queue = c->queue,
        .lines = c->options.alert_lines,
        .is_deterministic = !c->options.is_live,
        .source_name = c->options.source_name,
        .segment_name = c->options.segment_name,
        .context = c->options.context,
    };
    c->alerts = c->inventory ? alerts_create(&alerts) : NULL;
    struct health_options health = {config->no_traffic_seconds, config->loss_percent};
    c->health = health_create(&health);
    c->windows = windows_create(config->sensor, c->queue);
    c->spread = spread_create();
    c->flooded = flooded_create(&c->sink);
    c->packer = history_packer_create(config->sensor, c->queue);
    if (!c->alerts || !c->health || !c->windows || !c->spread || !c->flooded || !c->packer)
        return error_set(err, "out of memory for the inventory and the alerts");
    return inventory_load(c->inventory, c->store, err) && alerts_load(c->alerts, c->store, err);
}

static bool start_delivery(struct core *c, struct error *err)
{
    if (!delivery_is_configured(c->options.config))
        return true;
    if (strcmp(c->options.store_path, ":memory:") == 0)
        return error_set(err, "outputs need a store on disk: name one with -s");
    return delivery_start(&c->delivery, c->options.config, c->options.store_path, err);
}

bool core_create(struct core **core, const struct core_options *options, struct error *err)
{
    struct core *c = calloc(1, sizeof *c);
    *core = c;
    if (!c)
        return error_set(err, "out of memory");
    c->options = *options;
    c->writer = SOLE_WRITER_NONE;
    c->last_change = -1; /* not read yet */
    core_rules(c, options->rules);
    c->site = site_retain(options->site);
    c->is_site_new = c->are_rules_new = true;
    bool ok =
        store_open(&c->store, options->store_path, STORE_READ_WRITE, store_schemas, err) &&
        sole_writer_begin(&c->writer, options->store_path, err) &&
        store_setting_set(c->store, "site", options->config->site, err) &&
        store_queue_create(&c->queue, c->store, options->is_live, err) && create_parts(c, err) &&
        (take_rules(c) || error_set(err, "out of memory for rules")) && start_delivery(c, err);
    if (!ok) {
        core_close(c, NULL);
        *core = NULL;
    }
    return ok;
}

bool core_close(struct core *c, struct error *err)
{
    if (!c)
        return true;
    windows_destroy(c->windows);
    flooded_destroy(c->flooded);
    spread_destroy(c->spread);
    health_destroy(c->health);
    sigma_destroy(c->sigma);
    sigma_correlator_destroy(c->correlator);
    history_packer_destroy(c->packer);
    alerts_destroy(c->alerts);
    inventory_destroy(c->inventory);
    geo_close(c->geo);
    oui_close(c->oui);
    bool ok = store_queue_close(c->queue, err);
    delivery_stop(c->delivery, DELIVERY_PATIENCE_MS);
    store_close(c->store);
    sole_writer_end(c->writer);
    site_release(c->site);
    site_release(atomic_load(&c->next_site));
    free(c);
    return ok;
}

struct store *core_store(struct core *c)
{
    return c->store;
}

void core_save(struct core *c)
{
    inventory_save(c->inventory, c->queue);
    if (!c->options.is_live)
        store_queue_commit(c->queue, NULL);
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void judge_outputs(struct core *c, struct health_input *input, struct delivery_state *state)
{
    delivery_state(c->delivery, state);
    input->is_output_failing = state->is_failing;
    input->output_failing_ns =
        state->is_failing ? clock_ns(CLOCK_MONOTONIC) - state->failing_since_ns : 0;
    input->output_waiting = state->waiting;
    input->output_error = state->last_error;
}

static void judge_machine(struct core *c, struct health_input *input,
                          const struct core_measure *measure, struct store_queue_state *writes)
{
    struct statvfs disk;
    store_queue_state(c->queue, writes);
    input->records_dropped = measure->totals.ring_full + measure->totals.core_ring_full;
    input->is_store_failing = writes->is_failing;
    input->store_error = writes->last_error;
    input->writes_dropped = writes->dropped;
    if (statvfs(c->options.store_path, &disk) == 0)
        input->disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    input->clock_off_ns = input->time_ns - clock_ns(CLOCK_REALTIME);
}

static void judge_health(struct core *c, int64_t time_ns, const struct core_measure *measure)
{
    struct health_input input = {
        .time_ns = time_ns,
        .is_live = c->options.is_live,
        .tcp_bytes = measure->totals.tcp_bytes,
        .tcp_gap_bytes = measure->totals.tcp_gap_bytes,
        .tcp_flows = measure->totals.tcp_flows_judged,
        .tcp_flows_one_sided = measure->totals.tcp_flows_one_sided,
        .time_backwards = measure->totals.time_backwards,
        .ot_flows = measure->totals.ot_flows,
        .ot_flows_encrypted = measure->totals.ot_flows_encrypted,
        .disk_free_bytes = UINT64_MAX,
    };
    struct store_queue_state writes;
    if (c->options.is_live)
        judge_machine(c, &input, measure, &writes);
    for (; input.source_count < measure->source_count && input.source_count < HEALTH_SOURCES_MAX;
         input.source_count++) {
        const struct source_measure *s = &measure->sources[input.source_count];
        input.sources[input.source_count] = (struct health_source){s->name, s->packets, s->dropped};
    }
    struct delivery_state outputs;
    if (c->options.is_live && c->delivery)
        judge_outputs(c, &input, &outputs);
    health_tick(c->health, &input, &c->sink);
}

void core_site(struct core *c, struct site *site)
{
    site_release(atomic_exchange(&c->next_site, site_retain(site)));
}

static void take_site(struct core *c, int64_t time_ns)
{
    struct site *site = atomic_load(&c->next_site) ? atomic_exchange(&c->next_site, NULL) : NULL;
    if (site) {
        site_release(c->site);
        c->site = site;
        c->is_site_new = true;
    }
    struct audit audit = {c->store, c->queue, &c->sink, time_ns};
    if (c->is_site_new && audit_site(&audit, c->site))
        inventory_places(c->inventory);
    c->is_site_new = false;
}

/* What people changed beside the policy. */
static void audit_rest(struct core *c, int64_t time_ns)
{
    struct audit audit = {c->store, c->queue, &c->sink, time_ns};
    if (!c->is_started) {
        if (c->options.config_text)
            audit_config(&audit, c->options.config_text);
        audit_indicators(&audit, c->options.indicators);
    }
    if (c->are_rules_new)
        audit_rules(&audit, c->rules);
    if (!c->is_started || time_ns - c->users_ns >= USERS_NS || time_ns < c->users_ns) {
        c->users_ns = time_ns;
        audit_users(&audit);
    }
    c->is_started = true;
    c->are_rules_new = false;
}

void core_tick(struct core *c, int64_t time_ns, const struct core_measure *measure)
{
    take_site(c, time_ns);
    windows_tick(c->windows, time_ns, &c->sink);
    judge_health(c, time_ns, measure);
    inventory_tick(c->inventory, time_ns, false);
    tick_rules(c, time_ns, false);
    if (!c->is_started || c->are_rules_new || c->options.is_live)
        audit_rest(c, time_ns);
    if (time_ns - c->limited_ns >= LIMIT_NS || time_ns < c->limited_ns) {
        c->limited_ns = time_ns;
        limit_history(c, time_ns);
    }
    alerts_tick(c->alerts, time_ns, false);
    if (!c->options.is_live)
        return; /* a file can be read again: once at the end is enough */
    if (time_ns - c->packed_ns >= PACK_NS || time_ns < c->packed_ns) {
        c->packed_ns = time_ns;
        history_pack_end(c->packer);
    }
    if (c->saved_ns == 0 || time_ns < c->saved_ns)
        c->saved_ns = time_ns;
    if (time_ns - c->saved_ns >= SAVE_NS) {
        c->saved_ns = time_ns;
        vitals_post(c->queue, c->options.config->sensor, time_ns, c->options.is_live, measure);
        core_save(c);
    }
}

struct decisions {
    struct core *core;
    bool (*put)(void *context, const struct baseline_decision *d);
    void *context;
};

static void tell_decision(struct core *c, const struct baseline_decision *d)
{
    struct finding f;
    memset(&f, 0, sizeof f);
    f.detection = DETECTION_AUDIT_POLICY_CHANGED;
    f.time_ns = d->made_ns;
    f.count = 1;
    text_format(f.key, sizeof f.key, "decision %lld", (long long)d->id);
    text_format(f.what, sizeof f.what, "%s %s%s", d->by[0] ? d->by : "Someone",
                d->is_approval ? "approved a change of the baseline"
                               : "rejected an entry of the baseline",
                d->has_detection ? " for a kind of alert" : "");
    text_format(f.seen, sizeof f.seen, "%s", d->why);
    alerts_finding(c->alerts, &f);
}

static bool take_decision(void *context, const struct baseline_decision *d)
{
    struct decisions *to = context;
    if (!to->put(to->context, d))
        return false;
    to->core->last_decision = d->id;
    tell_decision(to->core, d);
    return true;
}

static void tell_change(void *context, const struct baseline_change *change)
{
    struct core *c = context;
    struct finding f;
    c->last_change = change->id;
    memset(&f, 0, sizeof f);
    f.detection = DETECTION_AUDIT_POLICY_CHANGED;
    f.time_ns = change->made_ns;
    f.count = 1;
    text_format(f.key, sizeof f.key, "change %lld", (long long)change->id);
    text_format(f.what, sizeof f.what, "%s %s", change->by[0] ? change->by : "Someone",
                change->what);
    text_format(f.seen, sizeof f.seen, "%s", change->why);
    alerts_finding(c->alerts, &f);
}

static const char told_key[] = "last audit record told";

static bool told_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    char text[24];
    int64_t id;
    if (size != sizeof id)
        return error_set(err, "a row of another size");
    memcpy(&id, data, sizeof id);
    text_format(text, sizeof text, "%lld", (long long)id);
    return store_setting_set(store, told_key, text, err);
}

/* Each change once, over all runs. */
static void tell_changes(struct core *c)
{
    struct error err = {""};
    if (c->last_change < 0) {
        char text[24];
        store_setting_get(c->store, told_key, text, sizeof text);
        c->last_change = strtoll(text, NULL, 10);
    }
    int64_t before = c->last_change;
    if (!baseline_changes_read(c->store, c->options.config->sensor, before, tell_change, c, &err))
        log_warning("%s", err.text);
    else if (c->last_change != before)
        store_post(c->queue, told_apply, &c->last_change, sizeof c->last_change);
}

void core_decisions(struct core *c, bool (*put)(void *context, const struct baseline_decision *d),
                    void *context)
{
    struct decisions to = {c, put, context};
    struct error err = {""};
    if (!baseline_decisions_read(c->store, c->options.config->sensor, c->last_decision,
                                 take_decision, &to, &err))
        log_warning("%s", err.text);
}

void core_wishes(struct core *c)
{
    struct error err = {""};
    if (!alerts_suppressions(c->alerts, c->store, &err))
        log_warning("%s", err.text);
    tell_changes(c);
}

void core_finish(struct core *c, int64_t time_ns, const struct core_measure *measure)
{
    windows_tick(c->windows, time_ns, &c->sink);
    judge_health(c, time_ns, measure);
    inventory_tick(c->inventory, time_ns, true);
    tick_rules(c, time_ns, true);
    history_pack_end(c->packer);
    limit_history(c, time_ns);
    alerts_tick(c->alerts, time_ns, true);
    vitals_post(c->queue, c->options.config->sensor, time_ns, c->options.is_live, measure);
    core_save(c);
}

uint64_t core_alerts(const struct core *c)
{
    struct alerts_state state;
    alerts_state(c->alerts, &state);
    return state.created;
}
