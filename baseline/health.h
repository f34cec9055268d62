/* health.h: can the sensor still see? Judges its own counters once a second: no traffic, lost
 * packets, one-sided mirrors, closed sessions, its own clock, disk and speed, outputs that do not
 * deliver. Nothing but counters in, findings out.
 */
#pragma once

#include "sensor/base/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEALTH_SOURCES_MAX = 16 };

/* All counters run from the start of the run and never go back. */
struct health_source {
    const char *name;          /* interface; borrowed for the call */
    uint64_t packets, dropped; /* given to us; lost by the kernel or the interface */
};

struct health_input {
    int64_t time_ns; /* packet time; live: never behind the wall clock by more than the capture's
                        delay */
    bool is_live; /* false: reading files; wall-clock matters (no traffic, drops, outputs) are not
                     judged */
    struct health_source sources[HEALTH_SOURCES_MAX];
    size_t source_count;
    uint64_t tcp_bytes, tcp_gap_bytes; /* payload seen, payload that must have been there */
    uint64_t tcp_flows,
        tcp_flows_one_sided; /* ended or idle TCP flows with payload; those with one direction */
    /* the sensor itself */
    uint64_t time_backwards;  /* packets whose time went back by more than a second */
    uint64_t records_dropped; /* live: what a full ring between threads cost */
    bool is_store_failing;    /* live: the last writes did not work */
    const char *store_error;  /* borrowed; may be NULL */
    uint64_t writes_dropped;  /* live: for which there was no memory to wait in */
    uint64_t disk_free_bytes; /* live: where the store lies; UINT64_MAX: not known */
    int64_t clock_off_ns;     /* live: packets are ahead (or behind, negative) of the wall clock */
    /* plant protocols */
    uint64_t ot_flows,
        ot_flows_encrypted; /* connections with events; those that are closed to us */
    bool is_output_failing;
    int64_t output_failing_ns; /* for how long */
    uint64_t output_waiting;
    const char *output_error; /* borrowed; may be NULL */
};

struct health_options {
    uint32_t no_traffic_seconds;
    double loss_percent;
};

struct health;

struct health *health_create(const struct health_options *options);
void health_destroy(struct health *h);

/* Once per second. A trouble is told when it begins and, while it lasts, again every ten minutes.
 */
void health_tick(struct health *h, const struct health_input *input,
                 const struct finding_sink *sink);
