/* sigma.h: rules that users write in Sigma YAML, over events, flows and findings.
 *
 * A struct sigma_rules is made once: files are added, then sealed (correlations find the rules they
 * refer to, the index is built). Sealed it is constant, and any number of evaluators on any threads
 * use it. A struct sigma is one evaluator, owned by one thread; it allocates nothing after
 * sigma_create (a regular expression may grow its work space until the longest text was seen).
 *
 * Every field name is a row of sigma_fields.def: the names of event lines and alerts. What a rule
 * looks at is told by its logsource:
 *   service: event, category: ot or ics         events of plant protocols
 *   service: flow, category: network_connection or firewall   connections
 *   service: finding, category: alert           what the detectors found
 *   product: zeek, service: conn                connections; any other service: events of that
 *                                               protocol
 *   anything else that names sightglass, zeek or network: told by the fields that the rule uses
 *
 * Texts are compared without regard to ASCII case, as Sigma says. A map that looks into ot.items
 * wants one item that satisfies all of it. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"

#include <stddef.h>

struct sigma_rules;

enum {
    SIGMA_RULES_MAX = 2000,
    SIGMA_FILE_MAX = 1024 * 1024, /* bytes: the greatest public collections are one rule a file */
    SIGMA_TITLE = 96,
    SIGMA_ID = 64,
};

/* NULL when there is no memory. */
struct sigma_rules *sigma_rules_create(void);
void sigma_rules_destroy(struct sigma_rules *rules);

/* Adds the rules of a file, or of all *.yml and *.yaml files of a folder and its folders in order
 * of their names. A rule with the id of an earlier one takes its place. Errors name file, line and
 * key. After an error the rules are good for sigma_rules_destroy only. */
bool sigma_rules_add(struct sigma_rules *rules, const char *path, struct error *err) NODISCARD;
/* The same from memory; name stands for the path. */
bool sigma_rules_parse(struct sigma_rules *rules, const char *text, size_t size, const char *name,
                       struct error *err) NODISCARD;
/* Switches the rule with this id, name or title off. False: there is none. */
bool sigma_rules_disable(struct sigma_rules *rules, const char *id);
/* Call once, after the last rule. */
bool sigma_rules_seal(struct sigma_rules *rules, struct error *err) NODISCARD;

enum sigma_kind { SIGMA_EVENT, SIGMA_FLOW, SIGMA_FINDING };

/* A rule, for lists. All texts live as long as the rules. */
struct sigma_summary {
    const char *id, *title, *file, *level, *techniques;
    size_t line;
    uint64_t fingerprint; /* of its text, with comments */
    enum sigma_kind kind;
    bool is_correlation, is_off, is_part; /* part: only counted by a correlation */
    size_t tests;
};
size_t sigma_rules_count(const struct sigma_rules *rules);
void sigma_rules_summary(const struct sigma_rules *rules, size_t i, struct sigma_summary *summary);

/* Runs the samples that stand in the rules' own `tests:`. Calls failed for each that does not come
 * out as it says; returns how many were run. */
size_t sigma_rules_test(const struct sigma_rules *rules,
                        void (*failed)(void *context, const struct sigma_summary *rule, size_t line,
                                       const char *shows, bool is_matching),
                        void *context);

/* A match that a correlation counts. Plain data, so that it can be copied through a ring. */
struct sigma_hit {
    const struct sigma_rules *rules; /* of which the correlation is; another one's are ignored */
    uint32_t correlation;
    uint16_t part; /* which of the rules that it counts */
    bool has_value, has_actor, has_target;
    uint64_t group, value; /* hashes of the group-by fields and of the counted field */
    uint64_t count;
    int64_t time_ns;
    uint32_t segment;
    struct endpoint actor, target;
    uint8_t transport;
    char protocol[24];
    enum operation operation;
    uint64_t packet_number;
    uint32_t source_index;
};

/* --- evaluator --- */

struct sigma;

struct sigma_sink {
    void *context;
    void (*finding)(void *context, const struct finding *f); /* rule.match */
    void (*hit)(void *context, const struct sigma_hit *hit);
};

/* NULL when there is no memory. The rules outlive the evaluator. */
struct sigma *sigma_create(const struct sigma_rules *rules, const struct sigma_sink *sink);
void sigma_destroy(struct sigma *s);

void sigma_event(struct sigma *s, const struct ot_event *e);
/* The same in three steps, so that what is remembered of such messages and what the rules want of
 * them can be fetched meanwhile: where it is remembered; what the message leaves of the rules
 * (program NULL: no rule wants it); the rules. */
struct sigma_expected {
    const struct sigma_program *program;
    uint64_t steps;
};
size_t sigma_look(struct sigma *s, const struct ot_event *e);
struct sigma_expected sigma_expect(struct sigma *s, const struct ot_event *e, size_t place);
void sigma_event_expected(struct sigma *s, const struct ot_event *e, struct sigma_expected x);
/* times: how often it happened, for histories. */
void sigma_event_times(struct sigma *s, const struct ot_event *e, uint64_t times);

/* When a flow is looked at. A rule that names neither event.action nor network.protocol sees every
 * flow once, at its start. */
enum sigma_moment {
    SIGMA_STARTED,    /* event.action: connection_attempted */
    SIGMA_ANSWERED,   /* connection_established */
    SIGMA_REFUSED,    /* connection_refused */
    SIGMA_RECOGNISED, /* protocol_recognised: network.protocol is known */
    SIGMA_MOMENTS
};
/* protocol: NULL unless RECOGNISED. packet may be NULL. */
void sigma_flow(struct sigma *s, const struct ot_flow *flow, enum sigma_moment moment,
                const char *protocol, const struct packet *packet, int64_t time_ns);
/* times: how often it happened, for histories. */
void sigma_flow_times(struct sigma *s, const struct ot_flow *flow, enum sigma_moment moment,
                      const char *protocol, int64_t time_ns, uint64_t times);
/* severity: event.severity, 1 to 10. Findings of rules are not looked at. */
void sigma_finding(struct sigma *s, const struct finding *f, int severity);
/* Once per second of packet time and once at the end: tells the rest of floods. */
void sigma_tick(struct sigma *s, int64_t time_ns, bool is_last);

/* --- correlations: one for all evaluators, owned by one thread --- */

struct sigma_correlator;

/* Counts hits by group in bounded tables: at most SIGMA_GROUPS_BYTES for each correlation; the
 * group not seen for longest makes room. gt and gte are told as soon as they are true within a
 * sliding window; lt, lte, eq and ranges when the window that began with a group's first hit is
 * over. What never happened at all is not counted. NULL when there is no memory. */
enum { SIGMA_GROUPS_BYTES = 4 << 20, SIGMA_GROUPS_MAX = 4096 };
struct sigma_correlator *sigma_correlator_create(const struct sigma_rules *rules,
                                                 const struct sigma_sink *sink);
void sigma_correlator_destroy(struct sigma_correlator *c);
void sigma_correlator_hit(struct sigma_correlator *c, const struct sigma_hit *hit);
/* Once per second of packet time. A window that is still open when a run ends is not judged. */
void sigma_correlator_tick(struct sigma_correlator *c, int64_t time_ns);
