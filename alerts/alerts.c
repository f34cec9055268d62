/* alerts.c: merges findings into alerts, decides when they are published and when they close. */
#include "alerts.h"

#include "advice.h"
#include "cause.h"
#include "document.h"
#include "incidents.h"
#include "noise.h"
#include "open_alerts.h"
#include "packets.h"
#include "rows.h"
#include "severity.h"
#include "story.h"
#include "suppress.h"

#include "sensor/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
#define HOUR_NS   (3600 * SECOND_NS)
#define LOOK_NS   (SECOND_NS / 100) /* between two walks over the open alerts, for each of them */

enum {
    RETENTION_S = 600,
    ALERT_ROWS_MAX = 200000,  /* some 1 GB of documents */
    OUTBOX_ROWS_MAX = 100000, /* some 400 MB */
    WATCH_SETS = 1024,        /* evidence ids whose packets may still come */
    WATCH_WAYS = 4,
    LOADED_INCIDENTS_MAX = 128,
    UNWRITTEN_MAX = ALERTS_OPEN_MAX,
    STORIES_AT_HAND = 64,
    WRITE_MORE_S = 10,       /* that an alert merely goes on waits so long */
    STATE_MAX_S = 24 * 3600, /* longest quiet time of a type */
};

/* Packets of this evidence belong to this alert. */
struct watch {
    uint64_t evidence_id; /* 0: free */
    uint8_t cause[CAUSE_SIZE];
};

/* Alerts whose newest revision waits to be written. */
struct unwritten {
    struct waiting {
        struct alert *alert;
        int64_t since_ns;
    } all[UNWRITTEN_MAX];
    uint32_t count;
};

/* The story of an incident, told in this walk. */
struct told {
    const struct incident *incident; /* NULL: none */
    uint64_t walk;
    struct story story;
};

/* New alerts of one type in the running hour. */
struct rate {
    int64_t hour;
    uint32_t created;
};

struct alerts {
    struct alerts_options options;
    struct open_alerts *open;
    struct incidents *incidents;
    struct packets *packets;
    struct noise *noise;
    bool is_told_singly; /* somebody reads every revision */
    bool has_outputs;
    struct unwritten unwritten;
    struct document document; /* the one that is being written */
    struct told told[STORIES_AT_HAND];
    uint64_t walk; /* in which no incident changes; 0: outside of one */
    uint64_t walks;
    struct suppression suppressions[SUPPRESSIONS_MAX];
    struct suppression_hit hits[SUPPRESSIONS_MAX]; /* not posted yet */
    size_t suppression_count;
    struct alerts_state state;
    struct rate rates[DETECTION_COUNT];
    struct watch watches[WATCH_SETS][WATCH_WAYS];
    uint8_t watch_next[WATCH_SETS];
    int64_t now_ns;       /* packet time of the ticks; small steps back are none */
    int64_t due_ns;       /* no alert closes before */
    int64_t retention_ns; /* next time old rows are removed */
};

struct alerts *alerts_create(const struct alerts_options *options)
{
    struct alerts *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->options = *options;
    if (a->options.open_max == 0)
        a->options.open_max = ALERTS_OPEN_MAX;
    if (a->options.storm_cap == 0)
        a->options.storm_cap = ALERTS_STORM_CAP;
    a->due_ns = INT64_MAX;
    a->has_outputs = delivery_is_configured(options->config);
    a->is_told_singly = a->has_outputs || options->lines;
    a->open = open_alerts_create(a->options.open_max);
    a->incidents = incidents_create();
    a->packets = packets_create(a->options.queue, a->options.config);
    a->noise = noise_create(a->options.queue, a->options.config->sensor);
    if (!a->open || !a->incidents || !a->packets || !a->noise) {
        alerts_destroy(a);
        return NULL;
    }
    return a;
}

void alerts_destroy(struct alerts *a)
{
    if (!a)
        return;
    open_alerts_destroy(a->open);
    incidents_destroy(a->incidents);
    packets_destroy(a->packets);
    noise_destroy(a->noise);
    free(a);
}

static const char *segment_name(const struct alerts *a, uint32_t segment)
{
    const char *name =
        a->options.segment_name ? a->options.segment_name(a->options.context, segment) : NULL;
    return name ? name : segment == 0 ? "default" : "unknown";
}

/* --- publishing --- */

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void write_line(struct alerts *a, const char *json, size_t size)
{
    FILE *lines = a->options.lines;
    if (lines && (fwrite(json, 1, size, lines) != size || fputc('\n', lines) == EOF))
        a->state.lines_failed++;
}

static void post_alert(struct alerts *a, const struct alert *alert, bool is_resumable)
{
    const struct document *d = &a->document;
    struct severity_sum sum;
    severity_sum(&sum, alert->finding.detection, alert->flags);
    struct alert_row row = {
        .severity = sum.severity,
        .alert = *alert,
        .is_resumable = is_resumable,
        .has_outputs = a->has_outputs,
        .json_size = d->json_size,
        .message_size = strlen(d->message),
        .name_size = strlen(d->rule_name),
    };
    text_copy(row.sensor, sizeof row.sensor, text_of(a->options.config->sensor));
    store_post_alert(a->options.queue, rows_alert_apply,
                     (struct store_piece[]){
                         {&row,         sizeof row      },
                         {d->json,      row.json_size   },
                         {d->message,   row.message_size},
                         {d->rule_name, row.name_size   }
    },
                     4);
}

static struct document_context context_of(const struct alerts *a, uint32_t segment)
{
    return (struct document_context){
        .sensor = a->options.config->sensor,
        .segment = segment_name(a, segment),
        .describe = a->options.inventory ? inventory_describe : NULL,
        .inventory = a->options.inventory,
        .created_ns = a->options.is_deterministic ? 0 : wall_ns(),
        .storm_cap = a->options.storm_cap,
    };
}

/* The story of what the alert belongs to; NULL: it stands alone. Many alerts of one incident end at
 * the same time. */
static const struct story *story_of(struct alerts *a, const struct incident *incident,
                                    const struct document_context *context)
{
    if (!incident || !incident_is_told(incident))
        return NULL;
    struct told *told = &a->told[(uintptr_t)incident / sizeof *incident % STORIES_AT_HAND];
    if (a->walk == 0 || told->walk != a->walk || told->incident != incident) {
        told->incident = incident;
        told->walk = a->walk;
        story_tell(&told->story, incident, context);
    }
    return &told->story;
}

static void post_incident(void *context, struct incident *incident, bool is_resumable)
{
    struct alerts *a = context;
    if (!a->options.queue)
        return;
    struct document_context words = context_of(a, incident->segment);
    struct story story;
    struct incident_row row = {.incident = *incident, .is_resumable = is_resumable};
    text_copy(row.sensor, sizeof row.sensor, text_of(a->options.config->sensor));
    story_tell(&story, incident, &words);
    row.title_size = strlen(story.title);
    char *json = story_document(incident, &story, &words, &row.json_size);
    if (json)
        store_post_alert(
            a->options.queue, rows_incident_apply,
            (struct store_piece[]){
                {&row,        sizeof row    },
                {story.title, row.title_size},
                {json,        row.json_size }
        },
            3);
    free(json);
}

static void take_unwritten(struct unwritten *u, struct alert *alert)
{
    if (alert->unwritten == 0)
        return;
    struct waiting last = u->all[--u->count];
    u->all[alert->unwritten - 1] = last;
    last.alert->unwritten = alert->unwritten;
    alert->unwritten = 0;
}

static void write_revision(struct alerts *a, struct alert *alert, bool is_resumable)
{
    take_unwritten(&a->unwritten, alert);
    alert->has_news = false;
    if (!a->options.lines && !a->options.queue)
        return;
    struct document_context context = context_of(a, alert->finding.segment);
    const struct incident *incident = alert->is_storm ? NULL : incidents_find(a->incidents, alert);
    context.story = story_of(a, incident, &context);
    context.alerts = incident ? incident->alerts : 0;
    document_write(&a->document, alert, &context);
    write_line(a, a->document.json, a->document.json_size);
    if (a->options.queue)
        post_alert(a, alert, is_resumable);
}

static bool is_due(const struct waiting *w, int64_t now_ns)
{
    return w->alert->has_news || now_ns < w->since_ns ||
           now_ns >= time_add(w->since_ns, WRITE_MORE_S * SECOND_NS);
}

/* Of files, whose writes nobody sees before they are committed in large batches, only what is there
 * at the end of an alert matters. */
static void write_due(struct alerts *a)
{
    struct unwritten *u = &a->unwritten;
    uint32_t count = u->count;
    u->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct waiting w = u->all[i];
        w.alert->unwritten = 0;
        if (is_due(&w, a->now_ns)) {
            write_revision(a, w.alert, true);
        } else {
            u->all[u->count++] = w;
            w.alert->unwritten = u->count;
        }
    }
}

/* What only the store is told can wait: of several revisions the newest is enough. */
static void write_later(struct alerts *a, struct alert *alert)
{
    struct unwritten *u = &a->unwritten;
    if (alert->unwritten)
        return;
    if (u->count == UNWRITTEN_MAX)
        write_revision(a, u->all[0].alert, true);
    u->all[u->count++] = (struct waiting){alert, a->now_ns};
    alert->unwritten = u->count;
}

static void publish(struct alerts *a, struct alert *alert, bool is_resumable, bool is_news)
{
    alert->revision++;
    alert->has_news |= is_news;
    while (alert->publish_at <= alert->count && alert->publish_at <= UINT64_MAX / 2)
        alert->publish_at *= 2;
    a->state.published++;
    noise_count(a->noise, alert->finding.detection, NOISE_REVISIONS, 1, alert->last_ns);
    if (a->is_told_singly || alert->is_settled)
        write_revision(a, alert, is_resumable);
    else
        write_later(a, alert);
}

/* --- closing --- */

enum closing { CLOSED_BY_QUIET, CLOSED_BY_END };

/* The last revision says that the alert is settled. One that ended with the run may go on in the
 * next. */
static void close_alert(struct alerts *a, struct alert *alert, enum closing why)
{
    if (!alert->is_settled) {
        alert->is_settled = true;
        publish(a, alert, why == CLOSED_BY_END, true);
    }
    assert(!alert->unwritten); /* what can still grow is not settled */
    open_alerts_remove(a->open, alert);
}

static int64_t due(const struct alert *alert)
{
    return time_add(alert->last_ns, advice_of(alert->finding.detection)->quiet_ns);
}

static void close_all(struct alerts *a)
{
    a->due_ns = INT64_MAX;
    for (struct alert *alert = open_alerts_oldest(a->open), *next; alert; alert = next) {
        next = open_alerts_next(a->open, alert);
        close_alert(a, alert, due(alert) < a->now_ns ? CLOSED_BY_QUIET : CLOSED_BY_END);
    }
}

static void close_quiet(struct alerts *a)
{
    size_t count;
    struct alert *const *quiet = open_alerts_over(a->open, a->now_ns, &count, &a->due_ns);
    for (size_t i = 0; i < count; i++)
        close_alert(a, quiet[i], CLOSED_BY_QUIET);
    /* many open alerts are looked through less often than few */
    int64_t rest = time_add(a->now_ns, (int64_t)open_alerts_count(a->open) * LOOK_NS);
    if (a->due_ns < rest)
        a->due_ns = rest;
}

static void post_retention(struct alerts *a)
{
    const struct config *config = a->options.config;
    struct retention_row row = {
        .alerts_before_ns =
            INT64_MIN, /* files: their times say nothing about how old the alert is */
        .states_before_ns = time_add(a->now_ns, -STATE_MAX_S * SECOND_NS),
        .outbox_hours = config->outbox_hours,
        .alerts_max = ALERT_ROWS_MAX,
        .outbox_max = OUTBOX_ROWS_MAX,
    };
    if (!a->options.is_deterministic)
        row.alerts_before_ns = time_add(a->now_ns, -(int64_t)config->alert_days * 24 * HOUR_NS);
    text_copy(row.sensor, sizeof row.sensor, text_of(config->sensor));
    store_post(a->options.queue, rows_retention_apply, &row, sizeof row);
    a->retention_ns = time_add(a->now_ns, RETENTION_S * SECOND_NS);
}

static void post_hits(struct alerts *a)
{
    for (size_t i = 0; i < a->suppression_count; i++) {
        struct suppression_hit *hit = &a->hits[i];
        if (hit->count == 0)
            continue;
        if (a->options.queue)
            store_post(a->options.queue, suppression_hit_apply, hit, sizeof *hit);
        hit->count = 0;
    }
}

void alerts_tick(struct alerts *a, int64_t time_ns, bool is_last)
{
    bool is_back =
        time_ns < time_add(a->now_ns, -HOUR_NS); /* one packet had a time from the future */
    if (time_ns > a->now_ns || is_back)
        a->now_ns = time_ns;
    if (is_back)
        a->retention_ns = time_ns;
    a->walk = ++a->walks;
    if (is_last)
        close_all(a);
    else if (a->now_ns > a->due_ns)
        close_quiet(a);
    if (!a->options.is_deterministic)
        write_due(a);
    a->walk = 0;
    incidents_flush(a->incidents, a->now_ns, is_last, !a->options.is_deterministic, post_incident,
                    a);
    if (is_last || !a->options.is_deterministic)
        packets_flush(a->packets);
    post_hits(a);
    noise_tick(a->noise, a->now_ns, is_last);
    if (a->options.queue && (is_last || a->now_ns >= a->retention_ns))
        post_retention(a);
    if (is_last && a->options.lines && fflush(a->options.lines) != 0)
        a->state.lines_failed++;
}

/* --- merging --- */

/* A clean copy: findings are made without clearing what lies behind their strings' ends. */
static void copy_finding(struct finding *to, const struct finding *f)
{
    to->detection = f->detection;
    to->flags = f->flags;
    to->time_ns = f->time_ns;
    to->segment = f->segment;
    to->actor = f->actor;
    to->has_target = f->has_target;
    if (f->has_target)
        to->target = f->target;
    to->transport = f->transport;
    to->operation = f->operation;
    to->size = f->size;
    to->packet_number = f->packet_number;
    to->source_index = f->source_index;
    to->byte_offset = f->byte_offset;
    to->byte_size = f->byte_size;
    text_copy(to->protocol, sizeof to->protocol, text_of(f->protocol));
    text_copy(to->key, sizeof to->key, text_of(f->key));
    text_copy(to->what, sizeof to->what, text_of(f->what));
    text_copy(to->expected, sizeof to->expected, text_of(f->expected));
    text_copy(to->seen, sizeof to->seen, text_of(f->seen));
    text_copy(to->fact, sizeof to->fact, text_of(f->fact));
    text_copy(to->object, sizeof to->object, text_of(f->object));
    text_copy(to->sha256, sizeof to->sha256, text_of(f->sha256));
    if (f->detection == DETECTION_RULE_MATCH) {
        text_copy(to->rule_title, sizeof to->rule_title, text_of(f->rule_title));
        text_copy(to->rule_id, sizeof to->rule_id, text_of(f->rule_id));
        text_copy(to->rule_techniques, sizeof to->rule_techniques, text_of(f->rule_techniques));
    }
    to->permitted = f->detection;
    if (f->detection == DETECTION_CHANGE_MAINTENANCE_RECORD) {
        text_copy(to->window, sizeof to->window, text_of(f->window));
        text_copy(to->ticket, sizeof to->ticket, text_of(f->ticket));
        to->permitted = f->permitted;
    }
    if (f->ot_json_size <= sizeof to->ot_json) {
        to->ot_json_size = f->ot_json_size;
        memcpy(to->ot_json, f->ot_json, f->ot_json_size);
    }
}

static void take_text(char *to, size_t capacity, const char *from)
{
    if (from[0])
        text_copy(to, capacity, text_of(from));
}

/* Mostly the newest finding does: the transfer has ended, the number has grown. */
static bool knows_better(const struct finding *to, const struct finding *f)
{
    if (to->detection == DETECTION_RW_NEW_WRITER) /* what came first is what was new */
        return !f->object[0] || strcmp(f->object, to->object) == 0;
    if (to->detection == DETECTION_PLC_SAFETY_ACCESS) /* a start does not hide the stop before it */
        return f->operation >= to->operation;
    return true;
}

/* What the newest finding knows better: its words, and what it adds about a transfer. */
static void update_words(struct finding *to, const struct finding *f)
{
    if (!knows_better(to, f))
        return;
    if (to->detection == DETECTION_PLC_SAFETY_ACCESS && f->operation > to->operation) {
        to->operation = f->operation;
        to->ot_json_size = 0;
    }
    take_text(to->what, sizeof to->what, f->what);
    take_text(to->expected, sizeof to->expected, f->expected);
    take_text(to->seen, sizeof to->seen, f->seen);
    if (f->object[0] && strcmp(f->object, to->object) != 0) {
        to->size = 0; /* another transfer: size and fingerprint of the last one are not its own */
        to->sha256[0] = '\0';
    }
    take_text(to->object, sizeof to->object, f->object);
    take_text(to->sha256, sizeof to->sha256, f->sha256);
    if (f->size > to->size)
        to->size = f->size;
    if (to->ot_json_size == 0 && f->ot_json_size <= sizeof to->ot_json) {
        to->ot_json_size = f->ot_json_size;
        memcpy(to->ot_json, f->ot_json, f->ot_json_size);
    }
}

static void watch_evidence(struct alerts *a, const struct alert *alert, uint64_t evidence_id)
{
    if (evidence_id == 0)
        return;
    size_t set = evidence_id % WATCH_SETS;
    struct watch *w = &a->watches[set][a->watch_next[set]++ % WATCH_WAYS];
    w->evidence_id = evidence_id;
    memcpy(w->cause, alert->cause, CAUSE_SIZE);
}

/* The file's or interface's name; where a file lay is not the alert's business. */
static void name_source(const struct alerts *a, uint32_t source_index, char out[ALERT_SOURCE_TEXT])
{
    const char *name =
        a->options.source_name ? a->options.source_name(a->options.context, source_index) : NULL;
    const char *slash = name ? strrchr(name, '/') : NULL;
    text_copy(out, ALERT_SOURCE_TEXT, text_of(slash ? slash + 1 : name));
}

static uint64_t times(const struct finding *f)
{
    return f->count ? f->count : 1;
}

/* Makes room: the alert that has not grown for longest is closed early. */
static struct alert *add_alert(struct alerts *a, const uint8_t cause[CAUSE_SIZE])
{
    if (open_alerts_count(a->open) >= a->options.open_max) {
        close_alert(a, open_alerts_oldest(a->open), CLOSED_BY_QUIET);
        a->state.evicted++;
    }
    struct alert *alert = open_alerts_add(a->open, cause);
    if (alert)
        a->state.created++;
    return alert;
}

static void note_due(struct alerts *a, const struct alert *alert)
{
    int64_t due_ns = due(alert);
    open_alerts_due(a->open, alert, due_ns);
    if (due_ns < a->due_ns)
        a->due_ns = due_ns;
}

static int severity_of(const struct alert *alert)
{
    struct severity_sum sum;
    severity_sum(&sum, alert->finding.detection, alert->flags);
    return sum.severity;
}

static void begin(struct alerts *a, struct alert *alert, const struct finding *f)
{
    alert->first_ns = alert->last_ns = f->time_ns;
    alert->count = times(f);
    alert->publish_at = 2;
    alert->flags = f->flags;
    cause_alert_id(alert->id, a->options.config->sensor, f->detection, alert->cause, f->time_ns);
    if (!alert->is_storm) {
        copy_finding(&alert->finding, f);
        name_source(a, f->source_index, alert->source);
        watch_evidence(a, alert, f->evidence_id);
    } else {
        alert->finding.detection = f->detection;
        alert->finding.time_ns = f->time_ns;
    }
    noise_count(a->noise, f->detection, NOISE_ALERTS, 1, f->time_ns);
    incidents_join(a->incidents, alert, severity_of(alert));
    note_due(a, alert);
    publish(a, alert, true, true);
}

static void grow(struct alerts *a, struct alert *alert, const struct finding *f)
{
    bool is_news = (f->flags & ALERT_OUTCOME & ~alert->flags) != 0 || alert->is_settled;
    uint32_t of_all = alert->flags & f->flags & FINDING_WHILE_ALL;
    alert->flags = ((alert->flags | f->flags) & ~(uint32_t)FINDING_WHILE_ALL) | of_all;
    alert->is_settled = false;
    if (!(f->flags & FINDING_OUTCOME)) /* how an attempt went on is not one more */
        alert->count += times(f);
    if (f->time_ns > alert->last_ns)
        alert->last_ns = f->time_ns;
    if (!alert->is_storm) {
        update_words(&alert->finding, f);
        incidents_continue(a->incidents, alert, severity_of(alert));
    }
    open_alerts_touch(a->open, alert);
    note_due(a, alert);
    if (is_news && !alert->is_storm)
        watch_evidence(a, alert, f->evidence_id);
    if (is_news || alert->count >= alert->publish_at)
        publish(a, alert, true, is_news);
}

/* The alert's time is over, also where no tick came in between; or the finding is from before it:
 * an older capture, or the same capture read again into the same store. */
static bool is_over(const struct alert *alert, const struct finding *f)
{
    return f->time_ns > due(alert) || (alert->is_settled && f->time_ns <= alert->last_ns) ||
           f->time_ns < time_add(alert->first_ns, -advice_of(f->detection)->quiet_ns);
}

static bool is_storm(struct alerts *a, const struct finding *f)
{
    struct rate *rate = &a->rates[f->detection];
    int64_t hour = f->time_ns / HOUR_NS;
    if (rate->hour != hour)
        *rate = (struct rate){.hour = hour};
    return ++rate->created > a->options.storm_cap;
}

/* Told only as one more in the alert of its type's storm. */
static void fold(struct alerts *a, const struct finding *f)
{
    uint8_t cause[CAUSE_SIZE];
    cause_of_storm(cause, f->detection, a->rates[f->detection].hour);
    struct finding bare = {.detection = f->detection,
                           .time_ns = f->time_ns,
                           .count = f->count,
                           .flags = f->flags & FINDING_WHILE_ALL};
    a->state.folded += times(f);
    struct alert *alert = open_alerts_find(a->open, cause);
    noise_count(a->noise, f->detection, NOISE_FOLDED, times(f), f->time_ns);
    if (alert) {
        grow(a, alert, &bare);
    } else if ((alert = add_alert(a, cause))) {
        alert->is_storm = true;
        begin(a, alert, &bare);
    }
}

/* --- suppression --- */

static bool is_suppressed(struct alerts *a, const struct finding *f)
{
    for (size_t i = 0; i < a->suppression_count; i++) {
        if (!suppression_matches(&a->suppressions[i], f))
            continue;
        struct suppression_hit *hit = &a->hits[i];
        hit->count += times(f);
        hit->last_ns = f->time_ns;
        a->state.suppressed += times(f);
        noise_count(a->noise, f->detection, NOISE_SUPPRESSED, times(f), f->time_ns);
        return true;
    }
    return false;
}

static void tell_suppression(struct alerts *a, const struct suppression *s, bool is_lifted)
{
    char what[FINDING_TEXT / 2];
    struct finding f;
    memset(&f, 0, sizeof f);
    f.detection = DETECTION_AUDIT_POLICY_CHANGED;
    f.time_ns = is_lifted ? s->lifted_ns : s->made_ns;
    f.count = 1;
    text_format(f.key, sizeof f.key, "suppression %lld%s", (long long)s->id,
                is_lifted ? " lifted" : "");
    text_format(f.what, sizeof f.what, "%s %s alerts: %s",
                is_lifted || !s->by[0] ? "someone" : s->by,
                is_lifted ? "wants to be told again of" : "suppressed",
                suppression_print(s, what, sizeof what));
    text_copy(f.seen, sizeof f.seen, text_of(s->reason));
    alerts_finding(a, &f);
}

static void take_suppression(void *context, const struct suppression *s, uint64_t hits)
{
    struct alerts *a = context;
    (void)hits;
    for (size_t i = 0; i < a->suppression_count; i++) {
        if (a->suppressions[i].id != s->id)
            continue;
        bool is_lifted = s->lifted_ns != 0 && a->suppressions[i].lifted_ns == 0;
        a->suppressions[i].lifted_ns = s->lifted_ns;
        if (is_lifted)
            tell_suppression(a, s, true);
        return;
    }
    if (s->lifted_ns != 0 || s->until_ns < a->now_ns)
        return;
    size_t place = 0;
    while (place < a->suppression_count && a->suppressions[place].lifted_ns == 0 &&
           a->suppressions[place].until_ns >= a->now_ns)
        place++; /* one that has ended makes room */
    if (place == SUPPRESSIONS_MAX)
        return; /* the command refuses more */
    post_hits(a);
    if (place == a->suppression_count)
        a->suppression_count++;
    a->suppressions[place] = *s;
    a->hits[place] = (struct suppression_hit){.id = s->id};
    text_copy(a->hits[place].sensor, sizeof a->hits[place].sensor,
              text_of(a->options.config->sensor));
    tell_suppression(a, s, false);
}

bool alerts_suppressions(struct alerts *a, struct store *store, struct error *err)
{
    return suppressions_read(store, a->options.config->sensor, take_suppression, a, err);
}

void alerts_finding(struct alerts *a, const struct finding *f)
{
    uint8_t cause[CAUSE_SIZE];
    a->state.findings++;
    noise_count(a->noise, f->detection, NOISE_FINDINGS, times(f), f->time_ns);
    if (is_suppressed(a, f))
        return;
    cause_of(cause, f, segment_name(a, f->segment));
    struct alert *alert = open_alerts_find(a->open, cause);
    if (alert && is_over(alert, f)) {
        close_alert(a, alert, CLOSED_BY_QUIET);
        alert = NULL;
    }
    if (alert)
        grow(a, alert, f);
    else if (is_storm(a, f))
        fold(a, f);
    else if ((alert = add_alert(a, cause)))
        begin(a, alert, f);
}

/* --- evidence --- */

static void keep_packet(struct alerts *a, struct alert *alert, const struct evidence_packet *p)
{
    bool is_kept_already = alert->packets_kept > 0 && p->source_index == alert->last_source &&
                           p->packet_number <= alert->last_packet;
    if (is_kept_already || alert->packets_kept >= ALERT_PACKETS_MAX || p->size > EVIDENCE_SNAP)
        return;
    char source[ALERT_SOURCE_TEXT];
    name_source(a, p->source_index, source);
    packets_add(a->packets, alert, source, p);
    alert->packets_kept++;
    alert->last_packet = p->packet_number;
}

void alerts_evidence(struct alerts *a, const struct evidence_packet *packet)
{
    if (packet->evidence_id == 0 || !a->options.queue)
        return;
    const struct watch *set = a->watches[packet->evidence_id % WATCH_SETS];
    for (int i = 0; i < WATCH_WAYS; i++) {
        if (set[i].evidence_id != packet->evidence_id)
            continue;
        struct alert *alert = open_alerts_find(a->open, set[i].cause);
        if (alert)
            keep_packet(a, alert, packet);
    }
}

/* --- restart --- */

/* Strings that came from a file end, what must be JSON is. */
static void terminate(struct alert *alert)
{
    struct finding *f = &alert->finding;
    alert->id[sizeof alert->id - 1] = alert->incident[sizeof alert->incident - 1] = '\0';
    alert->source[sizeof alert->source - 1] = f->protocol[sizeof f->protocol - 1] = '\0';
    f->key[sizeof f->key - 1] = f->what[sizeof f->what - 1] = '\0';
    f->expected[sizeof f->expected - 1] = f->seen[sizeof f->seen - 1] = '\0';
    f->fact[sizeof f->fact - 1] = f->object[sizeof f->object - 1] = '\0';
    f->sha256[sizeof f->sha256 - 1] = '\0';
    f->window[sizeof f->window - 1] = f->ticket[sizeof f->ticket - 1] = '\0';
    f->rule_title[sizeof f->rule_title - 1] = f->rule_id[sizeof f->rule_id - 1] =
        f->rule_techniques[sizeof f->rule_techniques - 1] = '\0';
    if (f->ot_json_size > sizeof f->ot_json || !document_is_object(f->ot_json, f->ot_json_size))
        f->ot_json_size = 0;
    if ((unsigned)f->permitted >= DETECTION_COUNT)
        f->permitted = f->detection;
    if ((unsigned)f->operation >= OPERATION_COUNT)
        f->operation = OP_UNKNOWN;
}

struct loading {
    struct alerts *alerts;
    struct alert *newest_first;
    size_t count;
};

static void collect(void *context, const struct alert *alert)
{
    struct loading *loading = context;
    loading->newest_first[loading->count++] = *alert;
}

static void restore_incident(void *context, const struct incident *incident)
{
    struct alerts *a = context;
    incidents_restore(a->incidents, incident);
}

bool alerts_load(struct alerts *a, struct store *store, struct error *err)
{
    size_t max = a->options.open_max;
    struct loading loading = {.alerts = a, .newest_first = calloc(max, sizeof(struct alert))};
    if (!loading.newest_first)
        return error_set(err, "alerts: out of memory");
    bool ok = rows_incidents(store, a->options.config->sensor, LOADED_INCIDENTS_MAX,
                             restore_incident, a, err) &&
              rows_resumable(store, a->options.config->sensor, max, collect, &loading, err);
    for (size_t i = loading.count; ok && i-- > 0;) {
        struct alert *from = &loading.newest_first[i];
        terminate(from);
        struct alert *alert =
            open_alerts_find(a->open, from->cause) ? NULL : open_alerts_add(a->open, from->cause);
        if (!alert)
            continue;
        *alert = *from;
        alert->unwritten = 0;
        alert->has_news = false;
        note_due(a, alert);
    }
    free(loading.newest_first);
    return ok;
}

/* --- the rest --- */

void alerts_state(const struct alerts *a, struct alerts_state *state)
{
    *state = a->state;
    state->open = open_alerts_count(a->open);
}

void alerts_message(struct store_queue *queue, const char *sensor, const char *stream,
                    const char *id, uint32_t revision, const char *json, size_t json_size)
{
    struct message_row row = {.revision = revision, .json_size = json_size};
    text_copy(row.sensor, sizeof row.sensor, text_of(sensor));
    text_copy(row.stream, sizeof row.stream, text_of(stream));
    text_copy(row.id, sizeof row.id, text_of(id));
    store_post_alert(queue, rows_message_apply,
                     (struct store_piece[]){
                         {&row, sizeof row},
                         {json, json_size }
    },
                     2);
}
