/* incidents.h: alerts of one story: what an actor does to its targets, and what they show of it,
 * without a long pause.
 *
 * An alert joins the story that its actor acts in; else the one that its actor is a target of (a
 * controller that restarts, a host that goes on from where it was broken into); else the one that
 * its target has a part in. Group addresses join nothing, nor do alerts of the sensor itself. One
 * without hosts is its own story. Bounded: the story that is silent longest is forgotten. */
#pragma once

#include "alert.h"

enum {
    INCIDENT_QUIET_S = 30 * 60, /* a pause this long ends a story */
    INCIDENT_LONGEST_S =
        24 * 3600, /* so that an actor that is never quiet does not tell one story for ever */
    INCIDENT_HOSTS_MAX = 16, /* of a scan the first few are enough to join what follows */
    INCIDENT_STEPS_MAX = 24,
    INCIDENT_ALERTS_MAX = 48, /* whose ids are listed; all are counted */
};

enum stage {
#define STAGE(tag, name, past, infinitive, object, known) STAGE_##tag,
#include "stages.def"
#undef STAGE
    STAGE_COUNT,
};
enum stage stage_of(enum detection detection);
const char *stage_name(enum stage stage);

struct incident_host {
    struct endpoint at; /* an IP, or a MAC where there is none */
    bool is_actor;
};

/* What one actor did of one kind. */
struct incident_step {
    enum stage stage;
    enum detection detection; /* of the gravest alert */
    struct endpoint actor, target;
    bool has_target, has_more_targets;
    bool is_done; /* not all of it was refused */
    int severity; /* of the gravest alert */
    uint32_t alerts;
    int64_t first_ns, last_ns;
};

/* Plain data: also kept in the store, so that a restart goes on with it. */
struct incident {
    char id[ALERT_ID_TEXT]; /* event.id of its first alert; "": free */
    uint32_t segment, revision;
    int64_t first_ns, last_ns; /* of what its alerts tell */
    int64_t grown_ns;          /* when it last got an alert: for joining */
    int64_t begun_ns;
    uint32_t alerts;
    int severity;
    int64_t told_ns; /* when the store was told last */
    bool is_changed, is_grown, is_settled;
    uint32_t host_count, step_count;
    struct incident_host hosts[INCIDENT_HOSTS_MAX];
    struct incident_step steps[INCIDENT_STEPS_MAX];
    char alert_ids[INCIDENT_ALERTS_MAX][ALERT_ID_TEXT];
};

struct incidents;

/* NULL: out of memory. */
struct incidents *incidents_create(void);
void incidents_destroy(struct incidents *incidents);

/* A new alert finds its story: writes the story's id into alert->incident, its own when it begins
 * one. severity is the alert's. */
void incidents_join(struct incidents *incidents, struct alert *alert, int severity);
/* The alert, which belongs to its story already, has grown: so has the story. */
void incidents_continue(struct incidents *incidents, struct alert *alert, int severity);
/* The story of an alert; NULL when it is forgotten. */
struct incident *incidents_find(struct incidents *incidents, struct alert *alert);
/* One that a run before has left. */
void incidents_restore(struct incidents *incidents, const struct incident *incident);
/* Whether it is worth telling as one: of more than one kind of step, and more than a new device
 * that makes a new contact. */
bool incident_is_told(const struct incident *incident);
/* Calls put for every such story that has changed since the last call, or that
 * has ended (is_settled); is_last: all end. is_watched: people see the store while it grows, so
 * none waits for more than a few seconds. is_resumable: the next run may go on with it. */
void incidents_flush(struct incidents *incidents, int64_t now_ns, bool is_last, bool is_watched,
                     void (*put)(void *context, struct incident *incident, bool is_resumable),
                     void *context);
