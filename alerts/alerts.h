/* alerts.h: findings of one cause become one alert, which explains itself, is kept, and is
 * published with revisions. */
#pragma once

#include "baseline/inventory.h"
#include "sensor/base/config.h"
#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

#include <stdio.h>

struct alerts;

struct alerts_options {
    const struct config *config;
    const struct inventory *inventory;
    struct store_queue *queue;
    FILE *lines;           /* --alerts: every published revision as a JSON line; NULL: none */
    bool is_deterministic; /* reading files: no wall clock anywhere */
    const char *(*source_name)(void *context,
                               uint32_t source_index); /* file or interface for evidence */
    const char *(*segment_name)(void *context, uint32_t segment);
    void *context;
};

struct alerts *alerts_create(const struct alerts_options *options);
void alerts_destroy(struct alerts *alerts);
/* Known alerts of the store that still grow (open, recent). */
bool alerts_load(struct alerts *alerts, struct store *store, struct error *err) NODISCARD;

void alerts_finding(struct alerts *alerts, const struct finding *finding);
void alerts_evidence(struct alerts *alerts, const struct evidence_packet *packet);
/* Once per second of packet time, and once at the end: alerts that have not grown for long close.
 */
void alerts_tick(struct alerts *alerts, int64_t time_ns, bool is_last);

extern const struct store_schema alerts_schema;

/* --- delivery: takes messages from the store's outbox to Redis and JSON lines files --- */
struct delivery;
/* Starts the output thread with its own connection to the store. */
bool delivery_start(struct delivery **delivery, const struct config *config, const char *store_path,
                    struct error *err) NODISCARD;
/* Tries to deliver what waits until `patience_ms` have passed, then stops. */
void delivery_stop(struct delivery *delivery, int patience_ms);

struct delivery_state {
    uint64_t waiting, delivered, retries;
    bool is_failing;
    int64_t failing_since_ns; /* wall clock */
    char last_error[256];
};
void delivery_state(struct delivery *delivery, struct delivery_state *state);
