/* document.c: builds the alert's JSON. Everything is built with jansson but for "ot", which the
 * event writer has made already: it is checked and put in as it is, so that numbers are spelled as
 * in the event lines. */
#include "document.h"

#include "advice.h"
#include "cause.h"
#include "severity.h"

#include "sensor/base/json_writer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 2048, NUMBER_MAX_BITS = 53 };

/* Keys with nothing to say stay away. Text that is not UTF-8 is escaped, never refused. */
static void put_text(json_t *object, const char *key, const char *value)
{
    char safe[TEXT_MAX];
    if (!value || !value[0])
        return;
    text_copy(safe, sizeof safe, text_of(value));
    json_object_set_new(object, key, json_string(safe));
}

static void put_number(json_t *object, const char *key, uint64_t value)
{
    char text[24];
    if (value <= UINT64_C(1) << NUMBER_MAX_BITS) {
        json_object_set_new(object, key, json_integer((json_int_t)value));
        return;
    }
    snprintf(text, sizeof text, "%" PRIu64, value);
    json_object_set_new(object, key, json_string(text));
}

static void put_time(json_t *object, const char *key, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    put_text(object, key, time_print(text, time_ns));
}

/* Gives the object away; an empty one is dropped. */
static void put_object(json_t *object, const char *key, json_t *value)
{
    if (json_object_size(value) > 0)
        json_object_set_new(object, key, value);
    else
        json_decref(value);
}

static void put_array(json_t *object, const char *key, json_t *value)
{
    if (json_array_size(value) > 0)
        json_object_set_new(object, key, value);
    else
        json_decref(value);
}

/* ECS event.category by domain of the type (ECS 8.11, allowed values). */
static json_t *categories(enum detection detection)
{
    static const struct {
        const char *prefix, *first, *second;
    } rows[] = {
        {"plc.auth",       "intrusion_detection", "authentication"},
        {"plc.credential", "intrusion_detection", "iam"           },
        {"plc.",           "intrusion_detection", "configuration" },
        {"rw.",            "intrusion_detection", "network"       },
        {"asset.",         "intrusion_detection", "host"          },
        {"ops.",           "host",                NULL            },
        {"sensor.",        "host",                NULL            },
        {"audit.",         "configuration",       NULL            },
        {"",               "intrusion_detection", "network"       },
    };
    const char *id = detection_kind(detection)->id;
    size_t i = 0;
    while (strncmp(id, rows[i].prefix, strlen(rows[i].prefix)) != 0)
        i++;
    json_t *list = json_array();
    json_array_append_new(list, json_string(rows[i].first));
    if (rows[i].second)
        json_array_append_new(list, json_string(rows[i].second));
    return list;
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

static json_t *event_of(const struct alert *a, const struct document_context *context, int severity)
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

    json_t *event = json_object();
    put_text(event, "kind", "alert");
    put_array(event, "category", categories(f->detection));
    put_text(event, "action",
             f->operation != OP_UNKNOWN && !a->is_storm ? operation_name(f->operation) : kind->id);
    if (outcome(a->flags))
        put_text(event, "outcome",
                 strcmp(outcome(a->flags), "refused") == 0 ? "failure" : "success");
    put_number(event, "severity", (uint64_t)severity);
    put_text(event, "id", a->id);
    put_text(event, "dataset", "sightglass.alert");
    put_text(event, "reason", reason);
    if (context->created_ns)
        put_time(event, "created", context->created_ns);
    return event;
}

static void add_once(json_t *list, const char *text, size_t size)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *have = json_array_get(list, i);
        if (json_string_length(have) == size && memcmp(json_string_value(have), text, size) == 0)
            return;
    }
    json_array_append_new(list, json_stringn(text, size));
}

/* Calls add for every piece of text between the separators. */
static void split(const char *text, const char *separators,
                  void (*add)(void *context, const char *piece, size_t size), void *context)
{
    for (;;) {
        text += strspn(text, separators);
        size_t size = strcspn(text, separators);
        if (size == 0)
            return;
        add(context, text, size);
        text += size;
    }
}

struct threat {
    json_t *ids, *names, *tactics;
};

static void add_tactic(void *context, const char *tactic, size_t size)
{
    struct threat *t = context;
    add_once(t->tactics, tactic, size);
}

static void add_technique(void *context, const char *piece, size_t size)
{
    struct threat *t = context;
    char id[16];
    text_copy(id, sizeof id, (struct text){piece, size});
    const struct technique *technique = technique_find(id);
    if (!technique)
        return;
    add_once(t->ids, technique->id, strlen(technique->id));
    add_once(t->names, technique->name, strlen(technique->name));
    split(technique->tactics, ", ", add_tactic, t);
}

static json_t *threat_of(enum detection detection)
{
    struct threat t = {json_array(), json_array(), json_array()};
    split(detection_kind(detection)->techniques, " ", add_technique, &t);

    json_t *threat = json_object(), *technique = json_object(), *tactic = json_object();
    if (json_array_size(t.ids) > 0)
        put_text(threat, "framework", "MITRE ATT&CK for ICS");
    put_array(tactic, "name", t.tactics);
    put_object(threat, "tactic", tactic);
    put_array(technique, "id", t.ids);
    put_array(technique, "name", t.names);
    put_object(threat, "technique", technique);
    return threat;
}

static json_t *endpoint_of(const struct endpoint *e)
{
    char text[ADDRESS_TEXT_SIZE];
    json_t *object = json_object();
    if (e->ip.kind != ADDRESS_NONE)
        put_text(object, "ip", address_print(text, &e->ip));
    if (!mac_is_zero(&e->mac))
        put_text(object, "mac", mac_print(text, &e->mac));
    if (e->port)
        put_number(object, "port", e->port);
    return object;
}

static json_t *network_of(const struct finding *f)
{
    json_t *network = json_object();
    put_text(network, "protocol", f->protocol);
    if (f->transport == TRANSPORT_TCP || f->transport == TRANSPORT_UDP)
        put_text(network, "transport", f->transport == TRANSPORT_TCP ? "tcp" : "udp");
    return network;
}

static json_t *observer_of(const struct document_context *context)
{
    json_t *observer = json_object();
    put_text(observer, "name", context->sensor);
    put_text(observer, "vendor", "Sightglass");
    put_text(observer, "type", "ids");
    put_text(observer, "version", SIGHTGLASS_VERSION);
    return observer;
}

static json_t *reasons_of(const struct severity_sum *sum)
{
    json_t *list = json_array();
    for (int i = 0; i < sum->count; i++) {
        json_t *reason = json_object();
        put_text(reason, "reason", sum->reasons[i].reason);
        json_object_set_new(reason, "points", json_integer(sum->reasons[i].points));
        json_array_append_new(list, reason);
    }
    return list;
}

static json_t *asset_of(const struct document_context *context, uint32_t segment,
                        const struct endpoint *host)
{
    struct asset_brief brief;
    json_t *asset = json_object();
    if (!document_describe(&brief, context, segment, host))
        return asset;
    put_text(asset, "asset", brief.id);
    put_text(asset, "name", brief.name);
    put_text(asset, "role", brief.role);
    put_text(asset, "vendor", brief.vendor);
    put_text(asset, "model", brief.model);
    if (brief.first_seen_ns)
        put_time(asset, "first_seen", brief.first_seen_ns);
    return asset;
}

static json_t *evidence_of(const struct alert *a)
{
    const struct finding *f = &a->finding;
    json_t *evidence = json_object();
    if (a->is_storm || (f->packet_number == 0 && a->packets_kept == 0))
        return evidence;
    if (f->packet_number) {
        put_number(evidence, "packet", f->packet_number);
        put_time(evidence, "time", f->time_ns);
        put_text(evidence, "source", a->source);
    }
    if (f->byte_size) {
        put_number(evidence, "byte_offset", f->byte_offset);
        put_number(evidence, "byte_size", f->byte_size);
    }
    put_number(evidence, "packets_kept", a->packets_kept);
    return evidence;
}

static json_t *transfer_of(const struct alert *a)
{
    const struct finding *f = &a->finding;
    json_t *transfer = json_object();
    if (f->size == 0 && !f->sha256[0])
        return transfer;
    put_text(transfer, "name", f->object);
    if (f->size)
        put_number(transfer, "size", f->size);
    put_text(transfer, "sha256", f->sha256);
    put_text(transfer, "outcome", outcome(a->flags) ? outcome(a->flags) : "running");
    return transfer;
}

static json_t *checks_of(enum detection detection)
{
    json_t *checks = json_object();
    put_text(checks, "soc", advice_of(detection)->soc);
    put_text(checks, "plant", advice_of(detection)->plant);
    return checks;
}

static json_t *storm_of(const struct alert *a, const struct document_context *context)
{
    json_t *storm = json_object();
    if (!a->is_storm)
        return storm;
    put_number(storm, "cap", context->storm_cap);
    put_number(storm, "folded", a->count);
    return storm;
}

static json_t *ours_of(const struct alert *a, const struct document_context *context,
                       const struct severity_sum *sum)
{
    const struct finding *f = &a->finding;
    json_t *ours = json_object();
    put_number(ours, "schema", DOCUMENT_SCHEMA);
    put_text(ours, "engine", engine_name(detection_kind(f->detection)->engine));
    put_array(ours, "severity_reasons", reasons_of(sum));
    put_text(ours, "expected", f->expected);
    put_text(ours, "seen", f->seen);
    put_text(ours, "object", f->object);
    put_text(ours, "fact", f->fact);
    put_number(ours, "count", a->count);
    put_time(ours, "first_seen", a->first_ns);
    put_time(ours, "last_seen", a->last_ns);
    put_text(ours, "outcome", outcome(a->flags));
    put_text(ours, "incident", a->incident);
    put_text(ours, "segment", context->segment);
    if (!a->is_storm) {
        put_object(ours, "actor", asset_of(context, f->segment, &f->actor));
        if (f->has_target)
            put_object(ours, "target", asset_of(context, f->segment, &f->target));
    }
    put_object(ours, "transfer", transfer_of(a));
    put_object(ours, "evidence", evidence_of(a));
    put_object(ours, "storm", storm_of(a, context));
    put_object(ours, "checks", checks_of(f->detection));
    put_number(ours, "revision", a->revision);
    put_text(ours, "status", a->is_settled ? "settled" : "growing");
    return ours;
}

/* What comes before "ot". */
static json_t *head_of(const struct alert *a, const struct document_context *context,
                       const struct severity_sum *sum)
{
    const struct finding *f = &a->finding;
    const struct detection_kind *kind = detection_kind(f->detection);
    json_t *head = json_object(), *rule = json_object();
    put_time(head, "@timestamp", a->first_ns);
    put_object(head, "event", event_of(a, context, sum->severity));
    put_text(rule, "id", kind->id);
    put_text(rule, "name", kind->title);
    put_object(head, "rule", rule);
    put_object(head, "threat", threat_of(f->detection));
    if (!a->is_storm) {
        put_object(head, "source", endpoint_of(&f->actor));
        if (f->has_target)
            put_object(head, "destination", endpoint_of(&f->target));
        put_object(head, "network", network_of(f));
    }
    return head;
}

static json_t *tail_of(const struct alert *a, const struct document_context *context,
                       const struct severity_sum *sum)
{
    char message[MESSAGE_SIZE];
    json_t *tail = json_object();
    put_object(tail, "observer", observer_of(context));
    put_text(tail, "message", document_message(message, a, context));
    put_object(tail, "sightglass", ours_of(a, context, sum));
    return tail;
}

static bool has_ot(const struct alert *a)
{
    const struct finding *f = &a->finding;
    if (a->is_storm || f->ot_json_size == 0 || f->ot_json_size > sizeof f->ot_json)
        return false;
    json_t *ot = json_loadb(f->ot_json, f->ot_json_size, JSON_REJECT_DUPLICATES, NULL);
    bool is_object = json_is_object(ot);
    json_decref(ot);
    return is_object;
}

/* {head} + ot + {tail} as one object. */
static char *splice(const char *head, const char *tail, const struct finding *ot, size_t *size)
{
    static const char key[] = ",\"ot\":";
    size_t head_size = strlen(head) - 1, tail_size = strlen(tail) - 1; /* without } and { */
    size_t ot_size = ot ? ot->ot_json_size : 0, key_size = ot ? sizeof key - 1 : 0;
    *size = head_size + key_size + ot_size + 1 + tail_size;
    char *out = malloc(*size + 1), *p = out;
    if (!out)
        return NULL;
    memcpy(p, head, head_size);
    p += head_size;
    if (ot) {
        memcpy(p, key, key_size);
        memcpy(p + key_size, ot->ot_json, ot_size);
        p += key_size + ot_size;
    }
    *p++ = ',';
    memcpy(p, tail + 1, tail_size + 1); /* with its terminator */
    return out;
}

char *document_create(const struct alert *alert, const struct document_context *context,
                      size_t *size)
{
    struct severity_sum sum;
    severity_sum(&sum, alert->finding.detection, alert->flags);
    json_t *head = head_of(alert, context, &sum), *tail = tail_of(alert, context, &sum);
    char *head_text = json_dumps(head, JSON_COMPACT | JSON_PRESERVE_ORDER);
    char *tail_text = json_dumps(tail, JSON_COMPACT | JSON_PRESERVE_ORDER);
    char *out = NULL;
    if (head_text && tail_text)
        out = splice(head_text, tail_text, has_ot(alert) ? &alert->finding : NULL, size);
    free(head_text);
    free(tail_text);
    json_decref(head);
    json_decref(tail);
    return out;
}
