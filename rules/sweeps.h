/* sweeps.h: what only shows in the sum of many PDUs between two hosts: sweeps over units and over
 * functions, bursts of error replies, refused passwords, a function that this pair never used.
 *
 * Owned by one worker; bounded; no allocation after sweeps_create. Called for every event, so it
 * costs tens of nanoseconds: hashes and bit sets, no text. */
#pragma once

#include "sensor/base/ot_event.h"

enum sweep {
    SWEEP_UNITS = 1,         /* many sub-addresses, most of them not there */
    SWEEP_FUNCTIONS = 2,     /* many functions, or many refused ones */
    SWEEP_EXCEPTIONS = 4,    /* error replies far above what this pair had */
    SWEEP_PASSWORDS = 8,     /* passwords or privileges refused again and again */
    SWEEP_UNDOCUMENTED = 16, /* an unknown function, first used late, and the device obeyed */
    SWEEP_ADDRESSES = 32,    /* reads one address after another, each where the last one ended */
    SWEEP_UNANSWERED = 64,   /* a device that answered nearly all requests answers none */
    SWEEP_UNITS_THERE = 128, /* many sub-addresses, and all of them answer: a gateway's master does
                                so, or a stranger at a device that does not care */
    SWEEP_UNITS_SLOW = 256,  /* the units are those of an hour; with one of the others */
};

struct sweep_report {
    unsigned found; /* enum sweep, or-ed */
    uint32_t units, units_answered;
    uint32_t functions, functions_refused;
    uint32_t errors, replies;
    uint32_t refusals;
    uint64_t walk_start; /* first address of the walk */
    uint32_t walk;       /* reads in a row */
    uint32_t unanswered; /* requests in a row */
};

struct sweeps;

/* NULL when there is no memory. */
struct sweeps *sweeps_create(size_t pairs_max);
void sweeps_destroy(struct sweeps *s);

/* Events of the flow may come soon: what they will touch is fetched into the cache, first where it
 * is known, a moment later itself. */
void sweeps_look(const struct sweeps *s, const struct ot_flow *flow);
void sweeps_look_on(const struct sweeps *s, const struct ot_flow *flow);
/* Takes the event in. report->found tells what has just become true; each at most once a window. */
void sweeps_event(struct sweeps *s, const struct ot_event *e, struct sweep_report *report);

/* How many requests the event's pair has made in this protocol before this event. */
uint32_t sweeps_requests(struct sweeps *s, const struct ot_event *e);

/* The status says that a password or a privilege was refused. */
bool sweeps_is_refusal(const struct ot_event *e);
