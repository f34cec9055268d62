/* policy_parts.h: what the files of the policy share. All of it is owned by the thread of policy.h.
 */
#pragma once

#include "rules/actions.h"
#include "rules/causes.h"
#include "rules/conditions.h"
#include "rules/files.h"
#include "rules/logins.h"
#include "rules/modes.h"
#include "rules/policy.h"
#include "rules/sweeps.h"
#include "rules/threats.h"
#include "rules/transfers.h"

enum { PENDING_FLOWS = 1024 }; /* bits */

/* An action that was asked for and not yet answered. */
struct pending {
    struct slot slot;
    const struct action *action;
    uint64_t flow_id;
    enum operation operation;
    enum transfer_step step;
    char key[FINDING_KEY];
    char object[FINDING_KEY];
    char name[TRANSFER_NAME_SIZE]; /* of a transfer */
    uint64_t size;
    char sha256[FINDING_SHA256_TEXT];
};
/* Replies that nobody asked for, of conversations without acknowledgements. */
enum { UNASKED_FLOWS = 64 };
struct unasked {
    uint64_t flow_id;
    int64_t last_ns;
};

struct policy {
    struct policy_options options;
    struct causes *causes;
    struct sweeps *sweeps;
    struct logins *logins;
    struct transfers *transfers;
    struct modes *modes;
    struct conditions *conditions;
    struct threats *threats;
    struct slots pending;
    size_t pending_count;                       /* about how many wait: 0 spares the look */
    uint64_t pending_flows[PENDING_FLOWS / 64]; /* where they wait, by the flow's id; or did */
    struct unasked unasked[UNASKED_FLOWS];
};
/* --- policy_raise.c: what all findings about events have --- */

/* What a transfer adds to a finding. */
struct content {
    const char *name; /* the object, without the size that the phrase tells */
    uint64_t size;
    const char *sha256;
    const char *note; /* after what was seen: "same content as ..." */
};

/* By the baseline, or by an approval. */
bool policy_is_approved(const struct policy *p, enum detection detection, const struct ot_event *e);
/* "rosctr=1,func=0x29 (plc_stop), P_PROGRAM: refused (protection level)" */
void policy_seen_of_event(struct finding *f, const struct ot_event *e);
/* Tells it, unless its cause has been told. content may be NULL. */
void policy_raise(struct policy *p, const struct ot_event *e, const struct cause_of *of,
                  uint32_t flags, const struct content *content);
struct cause_of policy_cause_of_action(const struct action *action, const struct ot_event *e,
                                       const char *phrase, const char *key, const char *object);
/* The cause of an action is its kind and the unit; what is transferred by name has a cause of its
 * own; the hardware configuration comes in many system data blocks: all are one cause. */
void policy_key_of_event(char key[FINDING_KEY], const struct ot_event *e);
void policy_key_of_name(char key[FINDING_KEY], struct text unit, const char *name);
void policy_key_of_transfer(char key[FINDING_KEY], const struct action *action, struct text unit,
                            const char *name);

/* --- policy_actions.c: single commands and their answers --- */

void policy_action_event(struct policy *p, const struct ot_event *e);
/* Waits for the answer to what the event asks for. The result is good until the next call. */
struct pending *policy_pending_add(struct policy *p, const struct ot_event *e,
                                   const struct action *action, const char *key,
                                   const char *object);
/* Gives up what is not answered any more. */
void policy_pending_expire(struct policy *p, int64_t now_ns);

/* --- policy_transfers.c --- */

void policy_transfer_event(struct policy *p, const struct ot_event *e);
/* Tells about a transfer without an event: it was given up for another, or nobody went on. */
void policy_transfer_tell_late(struct policy *p, const struct transfer *t);

/* --- policy_tell.c: single events that are odd, and what shows only in the sum --- */

void policy_flags_event(struct policy *p, const struct ot_event *e);
void policy_sweeps_tell(struct policy *p, const struct ot_event *e, const struct sweep_report *r);
void policy_logins_tell(struct policy *p, const struct ot_event *e, const struct login_report *r);
void policy_file_tell(struct policy *p, const struct ot_event *e, const struct file_move *move);
void policy_config_read_event(struct policy *p, const struct ot_event *e);
void policy_threats_look(struct policy *p, const struct ot_event *e);

/* --- policy_devices.c: what devices tell about themselves --- */

void policy_modes_event(struct policy *p, const struct ot_event *e);
/* Controllers that stay where they should not. */
void policy_modes_look(struct policy *p, int64_t now_ns);
void policy_conditions_look(struct policy *p, const struct ot_event *e);
/* Lost cycles. True: the breach is one of cyclic data and no one else's business. */
bool policy_cycles_violation(struct policy *p, const struct violation *v);
