/* incidents.c: a small table of stories. A new alert looks through all of them: alerts are few, and
 * their number in an hour is capped. */
#include "incidents.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { INCIDENTS_MAX = 256, GRAVE = 7 };

static_assert(STAGE_COUNT <= 64, "a bit for each stage");

#define SECOND_NS INT64_C(1000000000)
/* Between two tellings of a story: where people watch for each of its alerts (the longer it is, the
 * less one more tells), at most for what only goes on; where nobody does. */
#define PAUSE_NS     (SECOND_NS / 4)
#define WATCHED_NS   (5 * SECOND_NS)
#define UNWATCHED_NS (600 * SECOND_NS)

static const char *const names[] = {
#define STAGE(tag, name, past, infinitive, object, known) name,
#include "stages.def"
#undef STAGE
};

static const struct {
    const char *prefix;
    enum stage stage;
} stages_of[] = {
#define STAGE_OF(prefix, tag) {prefix, STAGE_##tag},
#include "stages.def"
#undef STAGE_OF
};

struct incidents {
    size_t count; /* places that were ever used; a story that is over keeps its own */
    struct incident all[INCIDENTS_MAX];
};

enum stage stage_of(enum detection detection)
{
    const char *id = detection_kind(detection)->id;
    size_t i = 0;
    while (strncmp(id, stages_of[i].prefix, strlen(stages_of[i].prefix)) != 0)
        i++; /* the last row fits all */
    return stages_of[i].stage;
}

const char *stage_name(enum stage stage)
{
    return names[stage];
}

struct incidents *incidents_create(void)
{
    return calloc(1, sizeof(struct incidents));
}

void incidents_destroy(struct incidents *incidents)
{
    free(incidents);
}

/* --- hosts --- */

/* Somebody, and not a group of hosts. */
static bool is_somebody(const struct endpoint *host)
{
    if (host->ip.kind != ADDRESS_NONE)
        return !address_is_group(&host->ip) && !mac_is_group(&host->mac);
    return !mac_is_zero(&host->mac) && !mac_is_group(&host->mac);
}

static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
    if (a->ip.kind != ADDRESS_NONE && b->ip.kind != ADDRESS_NONE)
        return address_equal(&a->ip, &b->ip);
    return mac_equal(&a->mac, &b->mac) && !mac_is_zero(&a->mac); /* ARP knows the MAC alone */
}

static struct incident_host *host_find(struct incident *incident, const struct endpoint *host)
{
    for (uint32_t i = 0; i < incident->host_count; i++)
        if (is_same_host(&incident->hosts[i].at, host))
            return &incident->hosts[i];
    return NULL;
}

static void host_add(struct incident *incident, const struct endpoint *host, bool is_actor)
{
    if (!is_somebody(host))
        return;
    struct incident_host *known = host_find(incident, host);
    if (!known && incident->host_count < INCIDENT_HOSTS_MAX) {
        known = &incident->hosts[incident->host_count++];
        known->at = *host;
        known->at.port = 0;
        known->is_actor = false;
    }
    if (known)
        known->is_actor |= is_actor;
}

/* --- which story --- */

static bool goes_on(const struct incident *incident, int64_t at_ns)
{
    return incident->id[0] && at_ns <= time_add(incident->grown_ns, INCIDENT_QUIET_S * SECOND_NS) &&
           at_ns <= time_add(incident->begun_ns, INCIDENT_LONGEST_S * SECOND_NS) &&
           at_ns >= time_add(incident->begun_ns, -INCIDENT_QUIET_S * SECOND_NS);
}

enum kinship { KIN_NONE, KIN_TARGET, KIN_ACTOR_IS_TARGET, KIN_ACTOR };

static enum kinship kinship(struct incident *incident, const struct finding *f)
{
    if (is_somebody(&f->actor)) {
        const struct incident_host *actor = host_find(incident, &f->actor);
        if (actor)
            return actor->is_actor ? KIN_ACTOR : KIN_ACTOR_IS_TARGET;
    }
    if (f->has_target && is_somebody(&f->target) && host_find(incident, &f->target))
        return KIN_TARGET;
    return KIN_NONE;
}

/* The nearest story, the one that grew last among equals. */
static struct incident *nearest(struct incidents *incidents, const struct alert *alert)
{
    struct incident *best = NULL;
    enum kinship best_kin = KIN_NONE;
    for (size_t i = 0; i < incidents->count; i++) {
        struct incident *incident = &incidents->all[i];
        if (incident->segment != alert->finding.segment || !goes_on(incident, alert->first_ns))
            continue;
        enum kinship kin = kinship(incident, &alert->finding);
        if (kin > best_kin || (kin == best_kin && best && incident->grown_ns > best->grown_ns)) {
            best = incident;
            best_kin = kin;
        }
    }
    return best;
}

static struct incident *place(struct incidents *incidents)
{
    if (incidents->count < INCIDENTS_MAX)
        return &incidents->all[incidents->count++];
    struct incident *oldest = &incidents->all[0];
    for (size_t i = 1; i < incidents->count; i++)
        if (incidents->all[i].grown_ns < oldest->grown_ns)
            oldest = &incidents->all[i];
    return oldest;
}

/* --- what it tells --- */

static struct incident_step *step_of(struct incident *incident, enum stage stage,
                                     const struct finding *f)
{
    for (uint32_t i = 0; i < incident->step_count; i++)
        if (incident->steps[i].stage == stage && is_same_host(&incident->steps[i].actor, &f->actor))
            return &incident->steps[i];
    if (incident->step_count == INCIDENT_STEPS_MAX)
        return NULL;
    struct incident_step *step = &incident->steps[incident->step_count++];
    memset(step, 0, sizeof *step);
    step->stage = stage;
    step->detection = f->detection;
    step->actor = f->actor;
    step->has_target = f->has_target;
    if (f->has_target)
        step->target = f->target;
    return step;
}

static void tell(struct incident *incident, const struct alert *alert, int severity, bool is_new)
{
    const struct finding *f = &alert->finding;
    struct incident_step *step = step_of(incident, stage_of(f->detection), f);
    if (!step)
        return;
    if (step->alerts == 0 || alert->first_ns < step->first_ns)
        step->first_ns = alert->first_ns;
    if (step->alerts == 0 || alert->last_ns > step->last_ns)
        step->last_ns = alert->last_ns;
    if (severity > step->severity) {
        incident->is_changed = true;
        step->severity = severity;
        step->detection = f->detection;
    }
    bool is_other =
        f->has_target && (!step->has_target || !is_same_host(&f->target, &step->target));
    step->has_more_targets |= is_other;
    bool is_refused = (alert->flags & FINDING_REFUSED) && !(alert->flags & FINDING_CONFIRMED);
    incident->is_changed |= is_new || (!is_refused && !step->is_done);
    step->is_done |= !is_refused;
    step->alerts += is_new;
}

static void take_in(struct incident *incident, struct alert *alert, int severity, bool is_new)
{
    tell(incident, alert, severity, is_new);
    incident->is_changed |= is_new; /* its step may have no place */
    if (is_new) {
        if (incident->alerts < INCIDENT_ALERTS_MAX)
            memcpy(incident->alert_ids[incident->alerts], alert->id, ALERT_ID_TEXT);
        incident->alerts++;
        host_add(incident, &alert->finding.actor, true);
        if (alert->finding.has_target)
            host_add(incident, &alert->finding.target, false);
    }
    if (alert->first_ns < incident->first_ns)
        incident->first_ns = alert->first_ns;
    if (alert->last_ns > incident->last_ns)
        incident->last_ns = alert->last_ns;
    if (alert->last_ns > incident->grown_ns)
        incident->grown_ns = alert->last_ns;
    if (severity > incident->severity)
        incident->severity = severity;
    incident->is_changed |= incident->is_settled;
    incident->is_settled = false;
    incident->is_grown = true;
}

void incidents_join(struct incidents *incidents, struct alert *alert, int severity)
{
    const struct finding *f = &alert->finding;
    memcpy(alert->incident, alert->id, sizeof alert->incident);
    bool has_hosts = is_somebody(&f->actor) || (f->has_target && is_somebody(&f->target));
    if (!has_hosts || alert->is_storm)
        return;
    struct incident *incident = nearest(incidents, alert);
    if (!incident) {
        incident = place(incidents);
        memset(incident, 0, sizeof *incident);
        memcpy(incident->id, alert->id, sizeof incident->id);
        incident->segment = f->segment;
        incident->first_ns = incident->last_ns = alert->first_ns;
        incident->begun_ns = incident->grown_ns = alert->first_ns;
    }
    memcpy(alert->incident, incident->id, sizeof alert->incident);
    alert->incident_place = (uint32_t)(incident - incidents->all);
    take_in(incident, alert, severity, true);
}

struct incident *incidents_find(struct incidents *incidents, struct alert *alert)
{
    if (alert->incident_place < INCIDENTS_MAX) {
        struct incident *incident = &incidents->all[alert->incident_place];
        if (strcmp(incident->id, alert->incident) == 0)
            return incident;
    }
    for (uint32_t i = 0; i < incidents->count; i++) {
        if (strcmp(incidents->all[i].id, alert->incident) == 0) {
            alert->incident_place = i;
            return &incidents->all[i];
        }
    }
    alert->incident_place = INCIDENTS_MAX; /* not looked for again */
    return NULL;
}

void incidents_continue(struct incidents *incidents, struct alert *alert, int severity)
{
    if (alert->incident_place == INCIDENTS_MAX)
        return;
    struct incident *incident = incidents_find(incidents, alert);
    if (incident)
        take_in(incident, alert, severity, false);
}

/* --- keeping --- */

static bool is_sound(const struct incident *incident)
{
    if (!incident->id[0] || incident->id[ALERT_ID_TEXT - 1] != '\0' ||
        incident->host_count > INCIDENT_HOSTS_MAX || incident->step_count > INCIDENT_STEPS_MAX)
        return false;
    for (uint32_t i = 0; i < INCIDENT_ALERTS_MAX; i++)
        if (incident->alert_ids[i][ALERT_ID_TEXT - 1] != '\0')
            return false;
    for (uint32_t i = 0; i < incident->step_count; i++)
        if ((unsigned)incident->steps[i].stage >= STAGE_COUNT ||
            (unsigned)incident->steps[i].detection >= DETECTION_COUNT)
            return false;
    return true;
}

void incidents_restore(struct incidents *incidents, const struct incident *incident)
{
    if (!is_sound(incident))
        return;
    struct incident *to = place(incidents);
    *to = *incident;
    to->is_changed = to->is_grown = false;
}

bool incident_is_told(const struct incident *incident)
{
    uint64_t stages = 0;
    bool is_grave = incident->severity >= GRAVE;
    for (uint32_t i = 0; i < incident->step_count; i++) {
        enum stage stage = incident->steps[i].stage;
        stages |= UINT64_C(1) << stage;
        is_grave |= stage != STAGE_APPEARANCE && stage != STAGE_CONTACT &&
                    stage != STAGE_PROTOCOL && stage != STAGE_USE && stage != STAGE_EFFECT &&
                    stage != STAGE_OTHER;
    }
    return is_grave && (stages & (stages - 1)) != 0;
}

static int64_t pause_of(const struct incident *incident, bool is_watched)
{
    int64_t longest = is_watched ? WATCHED_NS : UNWATCHED_NS;
    if (!incident->is_changed || !is_watched)
        return longest;
    int64_t pause = incident->alerts > 4 ? incident->alerts * PAUSE_NS : 0;
    return pause < longest ? pause : longest;
}

void incidents_flush(struct incidents *incidents, int64_t now_ns, bool is_last, bool is_watched,
                     void (*put)(void *context, struct incident *incident, bool is_resumable),
                     void *context)
{
    for (size_t i = 0; i < incidents->count; i++) {
        struct incident *incident = &incidents->all[i];
        bool is_quiet = !goes_on(incident, now_ns);
        bool is_over = is_last || is_quiet;
        bool is_due = now_ns >= time_add(incident->told_ns, pause_of(incident, is_watched));
        bool has_news = incident->is_changed || incident->is_grown;
        if (!(has_news && is_due) && !(is_over && !incident->is_settled))
            continue;
        if (!incident_is_told(incident)) /* asked last: it looks through all steps */
            continue;
        incident->is_settled = is_over;
        incident->is_changed = incident->is_grown = false;
        incident->told_ns = now_ns;
        incident->revision++;
        put(context, incident, !is_quiet);
    }
}
