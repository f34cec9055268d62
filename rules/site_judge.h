/* site_judge.h: holds what happens between hosts against the site's policy: zones and conduits,
 * levels, the internet, remote access, safety systems, who may read or write what.
 *
 * Without a policy only what everybody agrees on is told, and only when it was not learned: a first
 * contact with the internet, a first remote access, acts on a safety system.
 *
 * One per worker; bounded; no allocation after its creation. What a flow may do is found once and
 * kept: an event costs one look into a small table, and nothing at all where no rule asks for
 * events. */
#pragma once

#include "rules/site.h"
#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"

struct site_judge;

struct site_judge_options {
    /* These two are learned to talk (in this protocol; "": at all), or would be learned now without
     * a word. */
    bool (*is_known)(void *context, const struct ot_flow *flow, const char *protocol);
    /* Acts of this class by this client on this server are learned. */
    bool (*is_usual)(void *context, const struct ot_event *event);
    void *context;
};

/* Takes a reference of the site. NULL when there is no memory. The sink outlives the judge. */
struct site_judge *site_judge_create(const struct site_judge_options *options, struct site *site,
                                     const struct finding_sink *sink);
void site_judge_destroy(struct site_judge *j);

/* Another policy from now on; takes a reference. */
void site_judge_take(struct site_judge *j, struct site *site);
const struct site *site_judge_site(const struct site_judge *j);

/* Before the baseline hears of the same: it would know it already. */
void site_judge_started(struct site_judge *j, const struct ot_flow *flow,
                        const struct packet *packet);
void site_judge_answered(struct site_judge *j, const struct ot_flow *flow,
                         const struct packet *packet);
void site_judge_refused(struct site_judge *j, const struct ot_flow *flow,
                        const struct packet *packet);
/* protocol NULL: what the flow carries is known to nobody. */
void site_judge_protocol(struct site_judge *j, const struct ot_flow *flow, const char *protocol,
                         const struct packet *packet);
void site_judge_event(struct site_judge *j, const struct ot_event *event);
/* Once per second of packet time, and once at the end. */
void site_judge_tick(struct site_judge *j, int64_t time_ns, bool is_last);

/* The host was recognised as part of a safety system by what it speaks. */
bool site_judge_is_safety(struct site_judge *j, const struct endpoint *host, int64_t now_ns);
