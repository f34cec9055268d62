/* worker_internal.h: what the parts of a worker share: worker.c (life, packets), worker_events.c
 * (what the analyser found), worker_hosts.c (who sends). */
#pragma once

#include "evidence.h"
#include "recent.h"
#include "rules/site_judge.h"
#include "sensor/base/event_json.h"
#include "sensor/memory.h"
#include "worker.h"

#include <stdatomic.h>

#define SECOND_NS INT64_C(1000000000)
#define REPEAT_NS (60 * SECOND_NS) /* how often a known host, role or fact is told again */

enum { NAMES = 64 /* protocols whose marks are at hand */ };

/* What the name of a protocol tells. Names are literals: the same address is the same name. */
struct name_marks {
    const char *name; /* NULL: unused */
    uint64_t key;
    bool is_page_or_file;
    bool tells_roles; /* of the network's infrastructure */
};

struct worker {
    struct worker_options options;
    struct finding_sink sink; /* of baseline, policy and evidence */
    struct analyser *analyser;
    struct baseline *baseline;
    struct policy *policy;
    struct evidence *evidence;
    struct history *history;         /* NULL: none is kept */
    struct sigma *sigma;             /* NULL: no rules */
    const struct sigma_rules *rules; /* that sigma evaluates */
    _Atomic(const struct sigma_rules *) next_rules;
    struct memory *hosts;
    struct recent *told;
    struct recent *claimed; /* roles, by the flow: saves most looks into told */
    struct name_marks names[NAMES];
    struct site_judge *judge;
    _Atomic(struct site *) next_site; /* waits for the next tick; NULL: none */
    int64_t next_tick_ns, last_ns;
    uint64_t pair; /* of the packet being analysed */
    const struct packet *packet;
    char line[EVENT_LINE_MAX];
};

/* To the core. */
void worker_sighting(struct worker *w, const struct sighting *s);

/* Where the analyser tells what it found. */
struct analyser_sink worker_listener(struct worker *w);

/* Entries of worker.hosts, by the sender of a packet. */
struct memory *worker_hosts_create(void);
bool worker_has_host(const struct packet *p);
uint64_t worker_host_hash(const struct packet *p); /* of packets that have a sender */
/* Counts the packet for its sender and tells what is due of it: that it is there, whom it pings,
 * what its ARP and its router advertisements say. */
void worker_host(struct worker *w, const struct packet *p, uint64_t hash, uint64_t pair);
