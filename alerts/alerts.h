/* alerts.h: findings of one cause become one alert, which explains itself, is kept, and is
 * published with revisions.
 *
 * One cause is one detection, segment, actor host, target host, protocol and key. An alert is
 * published at once, when its count doubles, when its outcome is known, and when it closes: after a
 * quiet time of its type (advice.def) or at the end of the run. Where nobody but the store is told
 * (no output, no lines), of several revisions only the newest is written: within a second what
 * tells something new, within ten what only counts on, and of files, whose writes nobody sees
 * before they are committed in large batches, when the alert closes. "growing" and "settled" say
 * whether it may still change; what people decided is triage, not status. */
#pragma once

#include "baseline/inventory.h"
#include "sensor/base/config.h"
#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

#include <stdio.h>

struct alerts;

enum { ALERTS_OPEN_MAX = 4096, ALERTS_STORM_CAP = 256 };

struct alerts_options {
    const struct config *config;
    const struct inventory *inventory;
    struct store_queue *queue; /* NULL: nothing is kept or delivered */
    FILE *lines;               /* --alerts: every published revision as a JSON line; NULL: none */
    bool is_deterministic;     /* reading files: no wall clock anywhere */
    const char *(*source_name)(void *context,
                               uint32_t source_index); /* file or interface for evidence */
    const char *(*segment_name)(void *context, uint32_t segment);
    void *context;
    uint32_t open_max;  /* alerts that may grow at the same time; 0: ALERTS_OPEN_MAX */
    uint32_t storm_cap; /* new alerts of one type in an hour before the rest is told in one; 0:
                           ALERTS_STORM_CAP */
};

/* NULL: out of memory. One thread (core) uses it. */
struct alerts *alerts_create(const struct alerts_options *options);
void alerts_destroy(struct alerts *alerts);
/* Alerts of the store that may still grow (a run that ended or was killed a short while ago). Call
 * before the first finding. */
bool alerts_load(struct alerts *alerts, struct store *store, struct error *err) NODISCARD;

/* Takes over what people suppressed and lifted since the last call. Once a second when live. */
bool alerts_suppressions(struct alerts *alerts, struct store *store, struct error *err) NODISCARD;

void alerts_finding(struct alerts *alerts, const struct finding *finding);
/* A packet of a finding that was given before. */
void alerts_evidence(struct alerts *alerts, const struct evidence_packet *packet);
/* Once per second of packet time, and once at the end: alerts that have not grown for long close.
 */
void alerts_tick(struct alerts *alerts, int64_t time_ns, bool is_last);

struct alerts_state {
    uint64_t findings, created, published;
    uint64_t evicted;      /* closed early because too many were open */
    uint64_t suppressed;   /* findings that people do not want to be told */
    uint64_t folded;       /* findings told only in a storm's alert */
    uint64_t lines_failed; /* revisions that could not be written to options.lines */
    size_t open;
};
void alerts_state(const struct alerts *alerts, struct alerts_state *state);

/* Puts a document that is not an alert on its way to the outputs: stream is "assets", "links" or
 * "health"; (id, revision) is its key. Health documents are also kept in the table `health`. */
void alerts_message(struct store_queue *queue, const char *sensor, const char *stream,
                    const char *id, uint32_t revision, const char *json, size_t json_size);

extern const struct store_schema alerts_schema;

/* Writes an alert's evidence as a pcap file (nanoseconds; of mixed link types only that of the
 * oldest packet). packets: how many. False: the store or the file failed. */
bool alerts_evidence_pcap(struct store *store, const char *sensor, const char *alert_id, FILE *file,
                          size_t *packets, struct error *err) NODISCARD;

/* --- delivery: takes messages from the store's outbox to Redis and JSON lines files --- */
struct delivery;
/* Whether the configuration names any output. */
bool delivery_is_configured(const struct config *config);
/* Starts the output thread with its own connection to the store, which must exist and not be
 * ":memory:". config must outlive it. */
bool delivery_start(struct delivery **delivery, const struct config *config, const char *store_path,
                    struct error *err) NODISCARD;
/* Tries to deliver what waits until `patience_ms` have passed, then stops. The store's queue must
 * be committed before: what is not in the store yet does not wait. What is left is delivered by the
 * next run. NULL is harmless. */
void delivery_stop(struct delivery *delivery, int patience_ms);

struct delivery_state {
    uint64_t waiting, delivered, retries;
    uint64_t resent; /* sent again because an output had lost its memory */
    uint64_t lost;   /* went out of the outbox (age, number) before every output had them */
    bool is_failing;
    int64_t failing_since_ns; /* monotonic clock */
    char last_error[256];
};
void delivery_state(struct delivery *delivery, struct delivery_state *state);
