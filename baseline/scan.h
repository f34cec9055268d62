/* scan.h: sources that try many addresses or ports: who tried what in the last minutes and the
 * last hour, and how much of it was never answered. Bounded: the least recently active source of a
 * bucket is forgotten. */
#pragma once

#include "sensor/base/finding.h"

struct scans;

enum scan_kind { SCAN_HOSTS, SCAN_PORTS, SCAN_ARP, SCAN_KIND_COUNT };

/* The most that a source did without being a scan: learned, kept with the asset. */
struct scan_habit {
    uint16_t most[SCAN_KIND_COUNT]; /* distinct unanswered targets in a window */
};

struct scan_options {
    /* The learned habit of a source, or NULL; written to while is_learning. Both may be NULL. */
    struct scan_habit *(*habit)(void *context, uint32_t segment, const struct endpoint *source);
    bool is_learning;
    void *context;
};

struct scans *scans_create(const struct scan_options *options, const struct finding_sink *sink);
void scans_destroy(struct scans *scans);

/* FLOW, ANSWER, REFUSED and ARP sightings; others are ignored. */
void scans_sighting(struct scans *scans, const struct sighting *sighting);
/* Judges every source that was active since the last call; once per second of packet time. */
void scans_tick(struct scans *scans, int64_t time_ns);

/* Sources forgotten because their bucket was full. */
uint64_t scans_evicted(const struct scans *scans);
