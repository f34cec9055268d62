/* core.h: what one thread does with all that the workers found: inventory, alerts, health, the
 * store. Reading files, the only thread calls it directly; live, it is fed from the workers' rings.
 */
#pragma once

#include "alerts/alerts.h"
#include "baseline/baseline.h"
#include "baseline/rows.h"
#include "rules/history.h"
#include "rules/indicators.h"
#include "rules/sigma.h"
#include "rules/site.h"
#include "sensor/base/config.h"
#include "sensor/base/counters.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

#include <stdio.h>

struct core;

struct core_options {
    const struct config *config;
    struct site *site; /* the policy at the start */
    const char *store_path;
    FILE *alert_lines;                   /* --alerts; NULL: none */
    const struct sigma_rules *rules;     /* NULL: none; outlive the core */
    const struct indicators *indicators; /* NULL: none; for the audit record */
    const char *config_text;             /* config_print of the file; NULL: there is none */
    /* Every finding, before it becomes part of an alert. NULL: nobody asks. */
    void (*found)(void *context, const struct finding *f);
    void *found_context;
    bool is_live; /* writer thread, delivery, wall clock; otherwise deterministic */
    const char *(*source_name)(void *context, uint32_t source_index);
    const char *(*segment_name)(void *context, uint32_t segment);
    void *context;
};

bool core_create(struct core **core, const struct core_options *options,
                 struct error *err) NODISCARD;
/* Writes what is left, delivers what waits (for a while), closes the store. False: something could
 * not be written. */
bool core_close(struct core *core, struct error *err);

struct store *core_store(struct core *core);
/* The callbacks for a worker; context is the core. */
struct finding_sink core_sink(struct core *core);
void core_row(void *context, const struct baseline_row *row);
void core_history(void *context, const struct history_row *row);
/* The segments of earlier runs, for decoder_restore_segment. */
void core_each_segment(const struct core *core,
                       void (*take)(void *context, uint32_t number, const char *name),
                       void *context);
/* Is there a store on disk, and may it keep a history? */
bool core_keeps_history(const struct core *core);
void core_hit(void *context, const struct sigma_hit *hit);
/* Other rules from the next tick on; from any thread. They outlive the core, and so do the ones
 * before. */
void core_rules(struct core *core, const struct sigma_rules *rules);

/* What the wiring measured in the last second. */
struct core_measure {
    struct counters totals; /* of the run so far */
    const struct source_measure {
        const char *name;
        uint64_t packets, dropped; /* of the run so far */
    } * sources;                   /* live: interfaces; NULL when reading files */
    size_t source_count;
};

/* Another site policy from the next tick on; takes a reference. From any thread. */
void core_site(struct core *core, struct site *site);

/* Once per second of packet time. */
void core_tick(struct core *core, int64_t time_ns, const struct core_measure *measure);
/* Decisions about the baseline that people made since the last call: all before the first packet,
 * then, live, once a second. put: false when it has no room; it is given that one again. */
void core_decisions(struct core *core,
                    bool (*put)(void *context, const struct baseline_decision *d), void *context);
/* Suppressions and changes that people made since the last call. */
void core_wishes(struct core *core);
/* Posts changed assets; commits. */
void core_save(struct core *core);
/* Alerts raised in this run. */
uint64_t core_alerts(const struct core *core);
/* The last packet was seen: timers end, alerts close. */
void core_finish(struct core *core, int64_t time_ns, const struct core_measure *measure);
