/* document.c: writes the alert's JSON, key by key in the order of the schema. "ot" has been made by
 * the event writer already: it is put in as it is, so that numbers are spelled as in the event
 * lines. */
#include "document.h"

#include "advice.h"
#include "cause.h"
#include "severity.h"
#include "story.h"

#include "sensor/base/json_writer.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Text that is not UTF-8 is escaped, never refused. */
static const char *shown(char safe[DOCUMENT_TEXT], const char *value)
{
    return text_copy(safe, DOCUMENT_TEXT, text_of(value));
}

/* Keys with nothing to say stay away. */
static void put_text(struct json_writer *w, const char *key, const char *value)
{
    char safe[DOCUMENT_TEXT];
    if (!value || !value[0])
        return;
    size_t size = strlen(value);
    if (size < sizeof safe && text_plain_run(value, size) == size) { /* nearly all */
        json_text(w, key, (struct text){value, size});
        return;
    }
    json_string_of(w, key, shown(safe, value));
}

/* The writer as it was before an object or array, to end_object or end_array with: an empty one is
 * not written. */
static struct json_writer begin_object(struct json_writer *w, const char *key)
{
    struct json_writer before = *w;
    json_object_begin(w, key);
    return before;
}

static struct json_writer begin_array(struct json_writer *w, const char *key)
{
    struct json_writer before = *w;
    json_array_begin(w, key);
    return before;
}

static void end_object(struct json_writer *w, struct json_writer before)
{
    if (w->needs_comma)
        json_object_end(w);
    else
        *w = before;
}

static void end_array(struct json_writer *w, struct json_writer before)
{
    if (w->needs_comma)
        json_array_end(w);
    else
        *w = before;
}

/* ECS event.category by domain of the type (ECS 8.11, allowed values). */
static void put_categories(struct json_writer *w, enum detection detection)
{
    static const struct {
        const char *prefix, *first, *second;
    } rows[] = {
        {"plc.auth",       "intrusion_detection", "authentication"},
        {"plc.credential", "intrusion_detection", "iam"           },
        {"plc.",           "intrusion_detection", "configuration" },
        {"rw.",            "intrusion_detection", "network"       },
        {"asset.",         "intrusion_detection", "host"          },
        {"change.",        "configuration",       NULL            },
        {"ops.",           "host",                NULL            },
        {"sensor.",        "host",                NULL            },
        {"audit.",         "configuration",       NULL            },
        {"",               "intrusion_detection", "network"       },
    };
    const char *id = detection_kind(detection)->id;
    size_t i = 0;
    while (strncmp(id, rows[i].prefix, strlen(rows[i].prefix)) != 0)
        i++;
    json_array_begin(w, "category");
    put_text(w, NULL, rows[i].first);
    put_text(w, NULL, rows[i].second);
    json_array_end(w);
}

/* confirmed, refused or completed; NULL: nobody knows yet */
static const char *outcome(uint32_t flags)
{
    if (flags & FINDING_COMPLETED)
        return "completed";
    if (flags & FINDING_CONFIRMED)
        return "confirmed";
    return flags & FINDING_REFUSED ? "refused" : NULL;
}

static void put_event(struct json_writer *w, const struct alert *a,
                      const struct document_context *context, int severity)
{
    const struct finding *f = &a->finding;
    const struct detection_kind *kind = detection_kind(f->detection);
    char reason[2 * FINDING_TEXT + 32] = "";
    if (f->seen[0] && f->expected[0])
        text_format(reason, sizeof reason, "Seen: %s. Expected: %s.", f->seen, f->expected);
    else if (f->seen[0])
        text_format(reason, sizeof reason, "Seen: %s.", f->seen);
    else
        text_format(reason, sizeof reason, "%s.", f->expected[0] ? f->expected : kind->title);

    json_object_begin(w, "event");
    put_text(w, "kind", "alert");
    put_categories(w, f->detection);
    put_text(w, "action",
             f->operation != OP_UNKNOWN && !a->is_storm ? operation_name(f->operation) : kind->id);
    if (outcome(a->flags))
        put_text(w, "outcome", strcmp(outcome(a->flags), "refused") == 0 ? "failure" : "success");
    json_signed(w, "severity", severity);
    put_text(w, "id", a->id);
    put_text(w, "dataset", "sightglass.alert");
    put_text(w, "reason", reason);
    if (context->created_ns)
        json_time(w, "created", context->created_ns);
    json_object_end(w);
}

enum { THREATS_MAX = 16 };

/* Pieces of static tables, each once. */
struct pieces {
    struct text at[THREATS_MAX];
    size_t count;
};

static void add_once(struct pieces *pieces, struct text piece)
{
    for (size_t i = 0; i < pieces->count; i++)
        if (text_equal(pieces->at[i], piece))
            return;
    assert(pieces->count < THREATS_MAX);
    pieces->at[pieces->count++] = piece;
}

static void put_pieces(struct json_writer *w, const char *key, const struct pieces *pieces)
{
    struct json_writer before = begin_array(w, key);
    for (size_t i = 0; i < pieces->count; i++)
        json_text(w, NULL, pieces->at[i]);
    end_array(w, before);
}

/* Calls add for every piece of text between the separators. */
static void split(const char *text, const char *separators,
                  void (*add)(void *context, struct text piece), void *context)
{
    for (;;) {
        text += strspn(text, separators);
        size_t size = strcspn(text, separators);
        if (size == 0)
            return;
        add(context, (struct text){text, size});
        text += size;
    }
}

struct threat {
    struct pieces ids, names, tactics;
};

static void add_tactic(void *context, struct text tactic)
{
    struct threat *t = context;
    add_once(&t->tactics, tactic);
}

static void add_technique(void *context, struct text piece)
{
    struct threat *t = context;
    char id[16];
    text_copy(id, sizeof id, piece);
    const struct technique *technique = technique_find(id);
    if (!technique)
        return;
    add_once(&t->ids, text_of(technique->id));
    add_once(&t->names, text_of(technique->name));
    split(technique->tactics, ", ", add_tactic, t);
}

/* Where a type says only that something is new or open, what was done with it is a technique of its
 * own: a switched output, a login. */
static bool has_technique_of_operation(const struct finding *f)
{
    const char *id = detection_kind(f->detection)->id;
    return strncmp(id, "rw.", 3) == 0 || strncmp(id, "access.", 7) == 0 ||
           strncmp(id, "seg.", 4) == 0;
}

static void put_threat(struct json_writer *w, const struct finding *f)
{
    struct threat t;
    t.ids.count = t.names.count = t.tactics.count = 0;
    bool is_rule = f->detection == DETECTION_RULE_MATCH; /* a storm of rules has no techniques */
    split(is_rule ? f->rule_techniques : detection_kind(f->detection)->techniques, " ",
          add_technique, &t);
    if (has_technique_of_operation(f))
        split(operation_technique(f->operation), " ", add_technique, &t);
    if (t.ids.count == 0)
        return;
    json_object_begin(w, "threat");
    put_text(w, "framework", "MITRE ATT&CK for ICS");
    struct json_writer before = begin_object(w, "tactic");
    put_pieces(w, "name", &t.tactics);
    end_object(w, before);
    json_object_begin(w, "technique");
    put_pieces(w, "id", &t.ids);
    put_pieces(w, "name", &t.names);
    json_object_end(w);
    json_object_end(w);
}

static void put_endpoint(struct json_writer *w, const char *key, const struct endpoint *e)
{
    char text[ADDRESS_TEXT_SIZE];
    struct json_writer before = begin_object(w, key);
    if (e->ip.kind != ADDRESS_NONE)
        put_text(w, "ip", address_print(text, &e->ip));
    if (!mac_is_zero(&e->mac))
        put_text(w, "mac", mac_print(text, &e->mac));
    if (e->port)
        json_unsigned(w, "port", e->port);
    end_object(w, before);
}

static void put_network(struct json_writer *w, const struct finding *f)
{
    struct json_writer before = begin_object(w, "network");
    put_text(w, "protocol", f->protocol);
    if (f->transport == TRANSPORT_TCP || f->transport == TRANSPORT_UDP)
        put_text(w, "transport", f->transport == TRANSPORT_TCP ? "tcp" : "udp");
    end_object(w, before);
}

static void put_observer(struct json_writer *w, const struct document_context *context)
{
    json_object_begin(w, "observer");
    put_text(w, "name", context->sensor);
    put_text(w, "vendor", "Sightglass");
    put_text(w, "type", "ids");
    put_text(w, "version", SIGHTGLASS_VERSION);
    json_object_end(w);
}

static void put_reasons(struct json_writer *w, const struct severity_sum *sum)
{
    struct json_writer before = begin_array(w, "severity_reasons");
    for (int i = 0; i < sum->count; i++) {
        json_object_begin(w, NULL);
        put_text(w, "reason", sum->reasons[i].reason);
        json_signed(w, "points", sum->reasons[i].points);
        json_object_end(w);
    }
    end_array(w, before);
}

static void put_place(struct json_writer *w, const struct site_place *place)
{
    char level[4];
    put_text(w, "zone", place->zone);
    if (place->level >= 0)
        json_raw(w, "level", text_of(level_print(level, place->level)));
    if (place->is_safety)
        json_bool(w, "safety", true);
    if (place->is_critical)
        json_bool(w, "critical", true);
}

static void put_asset(struct json_writer *w, const char *key,
                      const struct document_context *context, uint32_t segment,
                      const struct endpoint *host)
{
    struct asset_brief brief;
    if (!document_describe(&brief, context, segment, host))
        return;
    struct json_writer before = begin_object(w, key);
    put_text(w, "asset", brief.id);
    put_text(w, "name", brief.name);
    put_text(w, "role", brief.role);
    put_text(w, "vendor", brief.vendor);
    put_text(w, "model", brief.model);
    put_place(w, &brief.place);
    if (brief.first_seen_ns)
        json_time(w, "first_seen", brief.first_seen_ns);
    end_object(w, before);
}

static void put_evidence(struct json_writer *w, const struct alert *a)
{
    const struct finding *f = &a->finding;
    if (a->is_storm || (f->packet_number == 0 && a->packets_kept == 0))
        return;
    json_object_begin(w, "evidence");
    if (f->packet_number) {
        json_unsigned(w, "packet", f->packet_number);
        json_time(w, "time", f->time_ns);
        put_text(w, "source", a->source);
    }
    if (f->byte_size) {
        json_unsigned(w, "byte_offset", f->byte_offset);
        json_unsigned(w, "byte_size", f->byte_size);
    }
    json_unsigned(w, "packets_kept", a->packets_kept);
    json_object_end(w);
}

static void put_transfer(struct json_writer *w, const struct alert *a)
{
    const struct finding *f = &a->finding;
    if (f->size == 0 && !f->sha256[0])
        return;
    json_object_begin(w, "transfer");
    put_text(w, "name", f->object);
    if (f->size)
        json_unsigned(w, "size", f->size);
    put_text(w, "sha256", f->sha256);
    put_text(w, "outcome", outcome(a->flags) ? outcome(a->flags) : "running");
    json_object_end(w);
}

static void put_window(struct json_writer *w, const struct finding *f)
{
    if (f->detection != DETECTION_CHANGE_MAINTENANCE_RECORD || !f->window[0])
        return;
    json_object_begin(w, "window");
    put_text(w, "name", f->window);
    put_text(w, "ticket", f->ticket);
    if (f->permitted != f->detection)
        put_text(w, "permitted", detection_kind(f->permitted)->id);
    json_object_end(w);
}

static void put_checks(struct json_writer *w, enum detection detection)
{
    struct json_writer before = begin_object(w, "checks");
    put_text(w, "soc", advice_of(detection)->soc);
    put_text(w, "plant", advice_of(detection)->plant);
    end_object(w, before);
}

static void put_storm(struct json_writer *w, const struct alert *a,
                      const struct document_context *context)
{
    if (!a->is_storm)
        return;
    json_object_begin(w, "storm");
    json_unsigned(w, "cap", context->storm_cap);
    json_unsigned(w, "folded", a->count);
    json_object_end(w);
}

/* What the alert is a part of, as far as it has come. */
static void put_incident(struct json_writer *w, const struct document_context *context)
{
    const struct story *story = context->story;
    if (!story)
        return;
    json_object_begin(w, "story");
    put_text(w, "title", story->title);
    json_unsigned(w, "alerts", context->alerts);
    json_array_begin(w, "tactics");
    for (uint32_t i = 0; i < story->tactic_count; i++)
        json_text(w, NULL, story->tactics[i]);
    json_array_end(w);
    json_object_end(w);
}

static void put_ours(struct json_writer *w, const struct alert *a,
                     const struct document_context *context, const struct severity_sum *sum)
{
    const struct finding *f = &a->finding;
    json_object_begin(w, "sightglass");
    json_unsigned(w, "schema", DOCUMENT_SCHEMA);
    put_text(w, "engine", engine_name(detection_kind(f->detection)->engine));
    put_reasons(w, sum);
    put_text(w, "expected", f->expected);
    put_text(w, "seen", f->seen);
    put_text(w, "object", f->object);
    put_text(w, "fact", f->fact);
    json_unsigned(w, "count", a->count);
    json_time(w, "first_seen", a->first_ns);
    json_time(w, "last_seen", a->last_ns);
    put_text(w, "outcome", outcome(a->flags));
    put_text(w, "incident", a->incident);
    put_incident(w, context);
    put_text(w, "segment", context->segment);
    if (!a->is_storm) {
        put_asset(w, "actor", context, f->segment, &f->actor);
        if (f->has_target)
            put_asset(w, "target", context, f->segment, &f->target);
    }
    put_transfer(w, a);
    put_window(w, f);
    put_evidence(w, a);
    put_storm(w, a, context);
    put_checks(w, f->detection);
    json_unsigned(w, "revision", a->revision);
    put_text(w, "status", a->is_settled ? "settled" : "growing");
    json_object_end(w);
}

static bool is_users_rule(const struct finding *f)
{
    return f->detection == DETECTION_RULE_MATCH && f->rule_title[0];
}

static const char *rule_name(const struct finding *f)
{
    return is_users_rule(f) ? f->rule_title : detection_kind(f->detection)->title;
}

static void put_rule(struct json_writer *w, const struct finding *f)
{
    json_object_begin(w, "rule");
    put_text(w, "id", detection_kind(f->detection)->id);
    put_text(w, "name", rule_name(f));
    put_text(w, "uuid", is_users_rule(f) ? f->rule_id : "");
    json_object_end(w);
}

static void put_ends(struct json_writer *w, const struct finding *f)
{
    put_endpoint(w, "source", &f->actor);
    if (f->has_target)
        put_endpoint(w, "destination", &f->target);
    put_network(w, f);
}

bool document_is_object(const char *json, size_t size)
{
    json_t *value = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    bool is_object = json_is_object(value);
    json_decref(value);
    return is_object;
}

static void put_document(struct json_writer *w, const struct alert *a,
                         const struct document_context *context, const char *message)
{
    const struct finding *f = &a->finding;
    struct severity_sum sum;
    severity_sum(&sum, f->detection, a->flags);

    json_object_begin(w, NULL);
    json_time(w, "@timestamp", a->first_ns);
    put_event(w, a, context, sum.severity);
    put_rule(w, f);
    put_threat(w, f);
    if (!a->is_storm)
        put_ends(w, f);
    if (!a->is_storm && f->ot_json_size > 0)
        json_raw(w, "ot", (struct text){f->ot_json, f->ot_json_size});
    put_observer(w, context);
    put_text(w, "message", message);
    put_ours(w, a, context, &sum);
    json_object_end(w);
}

void document_write(struct document *document, const struct alert *alert,
                    const struct document_context *context)
{
    char message[MESSAGE_SIZE];
    struct json_writer w;
    document_message(message, alert, context);
    json_begin(&w, document->json, sizeof document->json - 1);
    put_document(&w, alert, context, message);
    assert(!w.is_cut); /* every text is bounded: all of them together take half of it */
    document->json_size = json_size(&w);
    document->json[document->json_size] = '\0';
    shown(document->message, message);
    shown(document->rule_name, rule_name(&alert->finding));
}
