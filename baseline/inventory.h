/* inventory.h: which devices exist, what they say they are, what they do; and the detectors that
 * look at a host as a whole (new devices, address conflicts, scans). Lives in the core thread; fed
 * with sightings. */
#pragma once

#include "sensor/base/config.h"
#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/place.h"
#include "sensor/base/store.h"

struct inventory;
struct oui;
struct geo;

struct inventory_options {
    enum baseline_mode mode;
    int64_t settle_min_ns;
    size_t assets_max;
    const char *sensor;
    place_find *place; /* zones and the like; may be NULL */
    void *place_context;
    /* names of segments for the store; may be NULL */
    const char *(*segment_name)(void *context, uint32_t segment);
    void *context;
    /* who made and who owns what; may be NULL; live longer than the inventory */
    const struct oui *oui;
    const struct geo *geo;
};

struct inventory *inventory_create(const struct inventory_options *options,
                                   const struct finding_sink *sink);
void inventory_destroy(struct inventory *inv);

void inventory_sighting(struct inventory *inv, const struct sighting *sighting);
/* Once per second of packet time, and once at the end. */
void inventory_tick(struct inventory *inv, int64_t time_ns, bool is_last);

/* What the tables hold, and how often they were full. */
struct inventory_counts {
    uint64_t assets, assets_evicted, bindings_evicted, scan_sources_evicted, infrastructure_evicted,
        services_full, facts_full;
};
void inventory_counts(const struct inventory *inv, struct inventory_counts *counts);

bool inventory_load(struct inventory *inv, struct store *store, struct error *err) NODISCARD;
/* The segments that the store knew, and their numbers, after inventory_load. */
void inventory_each_segment(const struct inventory *inv,
                            void (*take)(void *context, uint32_t number, const char *name),
                            void *context);
/* Posts every asset that changed since the last call. */
void inventory_save(struct inventory *inv, struct store_queue *queue);

/* What alerts need to know of a host. */
struct asset_brief {
    char id[40];    /* asset id; "" when unknown */
    char name[96];  /* best display name; "" when it has only addresses */
    char model[64]; /* "S7-300 CPU 315-2 PN/DP"; "" unknown */
    char vendor[64];
    char role[24]; /* "plc", "engineering", "hmi", "unknown" */
    int64_t first_seen_ns;
    bool is_new; /* first seen in this run, after learning */
    bool is_controller;
    struct site_place
        place; /* what the site policy says, also of hosts that are not in the inventory */
};
/* False when nothing is known of the host (yet). */
bool inventory_describe(const struct inventory *inv, uint32_t segment, const struct endpoint *host,
                        struct asset_brief *brief);

/* The host uses this address on the sensor's own network: it has told so by ARP. */
bool inventory_is_local(const struct inventory *inv, uint32_t segment, const struct endpoint *host);
/* The plant's protocol that is spoken at this service; NULL: none that is known. */
const char *inventory_served(const struct inventory *inv, uint32_t segment,
                             const struct endpoint *server, uint8_t transport);
/* Another site policy holds: every asset is placed anew at the next save. */
void inventory_places(struct inventory *inv);

extern const struct store_schema inventory_schema;
