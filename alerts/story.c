/* story.c: who did what, in order of time. The title follows the actor of the gravest step through
 * what it did; whatever else belongs to the story is in the document. */
#include "story.h"

#include "cause.h"

#include "sensor/base/json_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    STORY_MAX = 65536, /* every text is bounded: all of them together take half of it */
    PHRASES_MAX = 7,   /* more than one can listen to; the least grave stay away */
    PHRASE_SIZE = 512,
};

#define SECOND_NS INT64_C(1000000000)

static const struct words {
    const char *past, *infinitive, *object, *known;
} words[] = {
#define STAGE(tag, name, past, infinitive, object, known) {past, infinitive, object, known},
#include "stages.def"
#undef STAGE
};

/* --- order --- */

static int by_time(const void *a, const void *b)
{
    const struct incident_step *x = *(const struct incident_step *const *)a;
    const struct incident_step *y = *(const struct incident_step *const *)b;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return (x->stage > y->stage) - (x->stage < y->stage);
}

static uint32_t in_order(const struct incident *incident,
                         const struct incident_step *out[INCIDENT_STEPS_MAX])
{
    for (uint32_t i = 0; i < incident->step_count; i++)
        out[i] = &incident->steps[i];
    qsort(out, incident->step_count, sizeof *out, by_time);
    return incident->step_count;
}

static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
    if (a->ip.kind != ADDRESS_NONE || b->ip.kind != ADDRESS_NONE)
        return address_equal(&a->ip, &b->ip);
    return mac_equal(&a->mac, &b->mac);
}

/* --- title --- */

/* The step whose actor the story is about: the gravest that is done to somebody. */
static const struct incident_step *gravest(const struct incident_step *const *steps, uint32_t count)
{
    const struct incident_step *best = steps[0];
    for (uint32_t i = 1; i < count; i++) {
        bool is_deed = words[steps[i]->stage].past[0] && steps[i]->has_target;
        bool best_is_deed = words[best->stage].past[0] && best->has_target;
        if (is_deed != best_is_deed ? is_deed : steps[i]->severity > best->severity)
            best = steps[i];
    }
    return best;
}

/* The deeds of the actor that are told, in order. */
static size_t deeds(const struct incident_step *const *steps, uint32_t count,
                    const struct endpoint *actor, const struct incident_step *out[PHRASES_MAX])
{
    size_t told = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!words[steps[i]->stage].past[0] || !is_same_host(&steps[i]->actor, actor))
            continue;
        if (told == PHRASES_MAX) { /* makes room: the least grave, the latest among equals */
            size_t least = 0;
            for (size_t j = 1; j < told; j++)
                if (out[j]->severity <= out[least]->severity)
                    least = j;
            if (steps[i]->severity <= out[least]->severity)
                continue;
            memmove(&out[least], &out[least + 1], (told - least - 1) * sizeof *out);
            told--;
        }
        out[told++] = steps[i];
    }
    return told;
}

/* "downloaded a program to it". last: whom the phrase before named; NULL: nobody. */
static void phrase(char out[PHRASE_SIZE], const struct incident_step *step,
                   const struct incident_step *last, const struct document_context *context,
                   uint32_t segment)
{
    const struct words *w = &words[step->stage];
    bool is_known = last && last->has_target && step->has_target && !step->has_more_targets &&
                    !last->has_more_targets && is_same_host(&last->target, &step->target);
    char target[HOST_NAME_SIZE] = "the network";
    if (step->has_more_targets)
        text_format(target, sizeof target, "several devices");
    else if (step->has_target)
        document_host(target, context, segment, &step->target, true);
    const char *object = is_known ? w->known : w->object;
    const char *place = strstr(object, "%T");
    char before[PHRASE_SIZE];
    text_copy(before, sizeof before,
              (struct text){object, place ? (size_t)(place - object) : strlen(object)});
    text_join(out, PHRASE_SIZE, step->is_done ? "" : "tried to ",
              step->is_done ? w->past : w->infinitive, before, place ? target : "",
              place ? place + 2 : "", NULL);
}

static void put_duration(char *out, size_t capacity, int64_t ns)
{
    int64_t s = ns / SECOND_NS;
    if (s < 1)
        text_format(out, capacity, "within a second");
    else if (s < 120)
        text_format(out, capacity, "within %lld s", (long long)s + 1);
    else if (s < 7200)
        text_format(out, capacity, "within %lld min", (long long)(s / 60 + 1));
    else
        text_format(out, capacity, "within %lld h", (long long)(s / 3600 + 1));
}

static void append(char out[TITLE_SIZE], const char *text)
{
    size_t used = strlen(out);
    text_join(out + used, TITLE_SIZE - used, text, NULL);
}

/* What another has a part in it: the gravest of its deeds, which is returned; NULL: none. */
static const struct incident_step *append_helper(char out[TITLE_SIZE],
                                                 const struct incident_step *const *steps,
                                                 uint32_t count, const struct endpoint *hero,
                                                 const struct incident *incident,
                                                 const struct document_context *context)
{
    const struct incident_step *best = NULL;
    char actor[HOST_NAME_SIZE], text[PHRASE_SIZE];
    for (uint32_t i = 0; i < count; i++)
        if (words[steps[i]->stage].past[0] && steps[i]->stage != STAGE_APPEARANCE &&
            !is_same_host(&steps[i]->actor, hero) && (!best || steps[i]->severity > best->severity))
            best = steps[i];
    if (!best)
        return NULL;
    append(out, "; ");
    append(out, document_host(actor, context, incident->segment, &best->actor, false));
    phrase(text, best, NULL, context, incident->segment);
    append(out, " ");
    append(out, text);
    return best;
}

/* How long all that was told took. */
static void append_duration(char out[TITLE_SIZE], const struct incident_step *const *told,
                            size_t count, const struct incident_step *helped)
{
    char text[PHRASE_SIZE];
    int64_t first = told[0]->first_ns, end = first;
    for (size_t i = 0; i <= count; i++) {
        const struct incident_step *step = i < count ? told[i] : helped;
        if (step && step->first_ns < first)
            first = step->first_ns;
        if (step && step->first_ns > end)
            end = step->first_ns;
    }
    put_duration(text, sizeof text, end - first);
    append(out, ", ");
    append(out, text);
}

static void tell_title(char out[TITLE_SIZE], const struct incident *incident,
                       const struct incident_step *const *steps, uint32_t count,
                       const struct document_context *context)
{
    const struct incident_step *told[PHRASES_MAX];
    char text[PHRASE_SIZE], actor[HOST_NAME_SIZE];
    out[0] = '\0';
    if (count == 0)
        return;
    const struct incident_step *hero = gravest(steps, count);
    size_t told_count = deeds(steps, count, &hero->actor, told);
    document_host(actor, context, incident->segment, &hero->actor, false);
    append(out, actor[0] ? actor : "An unknown device");
    struct asset_brief brief;
    if (document_describe(&brief, context, incident->segment, &hero->actor) && brief.is_new &&
        (told_count == 0 || told[0]->stage != STAGE_APPEARANCE))
        append(out, " (new device)");
    if (told_count == 0)
        append(out, " raised several alerts");
    const struct incident_step *last = NULL;
    for (size_t i = 0; i < told_count; i++) {
        phrase(text, told[i], last, context, incident->segment);
        append(out, i == 0 ? " " : i + 1 == told_count ? " and " : ", ");
        append(out, text);
        if (told[i]->has_target)
            last = told[i];
    }
    const struct incident_step *helped =
        append_helper(out, steps, count, &hero->actor, incident, context);
    if (told_count > 0 && (told_count > 1 || helped))
        append_duration(out, told, told_count, helped);
}

/* --- tactics --- */

/* The first technique of a type is what it is; its first tactic what it is for. */
static struct text tactic_of(enum detection detection)
{
    const char *techniques = detection_kind(detection)->techniques;
    char id[16];
    text_copy(id, sizeof id, (struct text){techniques, strcspn(techniques, " ")});
    const struct technique *technique = id[0] ? technique_find(id) : NULL;
    if (!technique)
        return (struct text){NULL, 0};
    return (struct text){technique->tactics, strcspn(technique->tactics, ",")};
}

static void tell_tactics(struct story *story, const struct incident_step *const *steps,
                         uint32_t count)
{
    story->tactic_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct text tactic = tactic_of(steps[i]->detection);
        bool is_new = tactic.size > 0;
        for (uint32_t j = 0; is_new && j < story->tactic_count; j++)
            is_new = !text_equal(tactic, story->tactics[j]);
        if (is_new)
            story->tactics[story->tactic_count++] = tactic;
    }
}

void story_tell(struct story *story, const struct incident *incident,
                const struct document_context *context)
{
    const struct incident_step *steps[INCIDENT_STEPS_MAX];
    uint32_t count = in_order(incident, steps);
    tell_title(story->title, incident, steps, count, context);
    tell_tactics(story, steps, count);
}

/* --- document --- */

static void put_host(struct json_writer *w, const char *key, const struct endpoint *host)
{
    char text[ADDRESS_TEXT_SIZE];
    if (cause_host(text, host)[0])
        json_string_of(w, key, text);
}

static void put_step(struct json_writer *w, const struct incident_step *step,
                     const struct document_context *context, uint32_t segment)
{
    char text[PHRASE_SIZE];
    struct text tactic = tactic_of(step->detection);
    json_object_begin(w, NULL);
    json_string_of(w, "stage", stage_name(step->stage));
    json_string_of(w, "rule", detection_kind(step->detection)->id);
    if (tactic.size)
        json_text(w, "tactic", tactic);
    put_host(w, "actor", &step->actor);
    if (step->has_target)
        put_host(w, "target", &step->target);
    if (step->has_more_targets)
        json_bool(w, "more_targets", true);
    if (words[step->stage].past[0]) {
        phrase(text, step, NULL, context, segment);
        json_string_of(w, "text", text);
    } else {
        json_string_of(w, "text", detection_kind(step->detection)->title);
    }
    json_unsigned(w, "alerts", step->alerts);
    json_signed(w, "severity", step->severity);
    json_time(w, "first_seen", step->first_ns);
    json_time(w, "last_seen", step->last_ns);
    json_object_end(w);
}

static void put_hosts(struct json_writer *w, const char *key, const struct incident *incident,
                      bool is_actor)
{
    json_array_begin(w, key);
    for (uint32_t i = 0; i < incident->host_count; i++)
        if (incident->hosts[i].is_actor == is_actor)
            put_host(w, NULL, &incident->hosts[i].at);
    json_array_end(w);
}

static void put_story(struct json_writer *w, const struct incident *incident,
                      const struct story *story, const struct document_context *context)
{
    const struct incident_step *steps[INCIDENT_STEPS_MAX];
    uint32_t count = in_order(incident, steps);
    uint32_t listed =
        incident->alerts < INCIDENT_ALERTS_MAX ? incident->alerts : INCIDENT_ALERTS_MAX;
    json_array_begin(w, "tactics");
    for (uint32_t i = 0; i < story->tactic_count; i++)
        json_text(w, NULL, story->tactics[i]);
    json_array_end(w);
    json_array_begin(w, "stages");
    for (uint32_t i = 0; i < count; i++)
        put_step(w, steps[i], context, incident->segment);
    json_array_end(w);
    put_hosts(w, "actors", incident, true);
    put_hosts(w, "targets", incident, false);
    json_array_begin(w, "alerts");
    for (uint32_t i = 0; i < listed; i++)
        json_string_of(w, NULL, incident->alert_ids[i]);
    json_array_end(w);
    json_unsigned(w, "alerts_total", incident->alerts);
}

char *story_document(const struct incident *incident, const struct story *story,
                     const struct document_context *context, size_t *size)
{
    char *buffer = malloc(STORY_MAX);
    char safe[2 * TITLE_SIZE];
    if (!buffer)
        return NULL;
    struct json_writer w;
    json_begin(&w, buffer, STORY_MAX - 1);
    json_object_begin(&w, NULL);
    json_unsigned(&w, "schema", DOCUMENT_SCHEMA);
    json_string_of(&w, "id", incident->id);
    json_unsigned(&w, "revision", incident->revision);
    json_string_of(&w, "sensor", context->sensor);
    json_string_of(&w, "segment", context->segment);
    json_string_of(&w, "title", text_copy(safe, sizeof safe, text_of(story->title)));
    json_signed(&w, "severity", incident->severity);
    json_time(&w, "first_seen", incident->first_ns);
    json_time(&w, "last_seen", incident->last_ns);
    put_story(&w, incident, story, context);
    json_string_of(&w, "status", incident->is_settled ? "settled" : "growing");
    json_object_end(&w);
    assert(!w.is_cut);
    *size = json_size(&w);
    buffer[*size] = '\0';
    return buffer;
}
