/* what_if.c: see what_if.h. */
#include "what_if.h"

#include "replay.h"
#include "run.h"
#include "sensor/base/json_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 50 }; /* of one type */

/* The last revision of each alert is the alert. */
static bool read_lines(FILE *lines, json_t *alerts, struct error *err)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    bool ok = true;
    while (ok && (size = getline(&line, &capacity, lines)) > 0) {
        json_t *alert = json_loadb(line, (size_t)size, 0, NULL);
        const char *id = json_string_value(json_object_get(json_object_get(alert, "event"), "id"));
        ok = id && json_object_set(alerts, id, alert) == 0;
        json_decref(alert);
    }
    free(line);
    return ok || error_set(err, "an alert of the test could not be read back");
}

static const char *rule_of(const json_t *alert)
{
    const char *id = json_string_value(json_object_get(json_object_get(alert, "rule"), "id"));
    return id ? id : "";
}

static const char *text_at(const json_t *alert, const char *section, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(alert, section), key));
    return text ? text : "";
}

static bool has_prefix(const char *text, const char *const *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* Of this policy's or baseline's making; what is told whatever they say is only counted. */
static bool is_of(enum what_if subject, const json_t *alert)
{
    static const char *const policy[] = {"seg.", "plc.safety-access", "change."};
    static const char *const baseline[] = {
        "rw.new-",       "rw.value-",         "rw.read-sweep",       "rw.alarm-limit",
        "comm.new-link", "comm.new-protocol", "comm.encryption-lost"};
    if (subject == WHAT_IF_BASELINE)
        return has_prefix(rule_of(alert), baseline, sizeof baseline / sizeof *baseline);
    return has_prefix(rule_of(alert), policy, sizeof policy / sizeof *policy) ||
           strncmp(text_at(alert, "sightglass", "expected"), "the policy", 10) == 0;
}

static json_int_t times_of(const json_t *alert)
{
    const json_t *n = json_object_get(json_object_get(alert, "sightglass"), "count");
    return json_is_integer(n) ? json_integer_value(n) : 1;
}

static void print_type(enum what_if subject, const json_t *alerts, const char *rule,
                       bool with_alerts, FILE *out)
{
    const char *id;
    const json_t *alert;
    json_t *all = json_incref((json_t *)(uintptr_t)alerts); /* jansson iterates over non-const */
    size_t count = 0, shown = 0;
    json_int_t times = 0;
    json_object_foreach(all, id, alert)
    {
        if (strcmp(rule_of(alert), rule) != 0 || is_of(subject, alert) != with_alerts)
            continue;
        count++;
        times += times_of(alert);
    }
    if (count)
        fprintf(out, "%s: %zu alert%s, %" JSON_INTEGER_FORMAT " times\n", rule, count,
                count == 1 ? "" : "s", times);
    json_object_foreach(all, id, alert)
    {
        if (!with_alerts || strcmp(rule_of(alert), rule) != 0 || !is_of(subject, alert))
            continue;
        const char *message = json_string_value(json_object_get(alert, "message"));
        if (shown++ < SHOWN_MAX)
            fprintf(out, "  %s (%s)\n", message ? message : "", text_at(alert, "event", "reason"));
    }
    if (shown > SHOWN_MAX)
        fprintf(out, "  ... and %zu more\n", shown - SHOWN_MAX);
    json_decref(all);
}

/* lines are alerts as JSON lines, of a capture or of a history. */
static bool print(enum what_if subject, FILE *lines, FILE *out, struct error *err)
{
    const char *name = subject == WHAT_IF_POLICY ? "policy" : "baseline";
    json_t *alerts = json_object();
    bool ok = alerts && read_lines(lines, alerts, err);
    size_t own = 0;
    const char *id;
    const json_t *alert;
    if (ok) {
        json_object_foreach(alerts, id, alert) own += is_of(subject, alert);
        fprintf(out, "the %s would have raised %zu alert%s\n", name, own, own == 1 ? "" : "s");
        for (int d = 0; d < DETECTION_COUNT; d++)
            print_type(subject, alerts, detection_kind((enum detection)d)->id, true, out);
        if (json_object_size(alerts) > own)
            fprintf(out, "besides, whatever the %s says:\n", name);
        for (int d = 0; d < DETECTION_COUNT; d++)
            print_type(subject, alerts, detection_kind((enum detection)d)->id, false, out);
    }
    json_decref(alerts);
    return ok;
}

bool what_if_captures(struct site *site, const struct config *config, const char *const *captures,
                      size_t count, FILE *out, struct error *err)
{
    struct run_options *o = calloc(1, sizeof *o);
    FILE *lines = tmpfile();
    bool ok = o && lines;
    if (!ok) {
        error_set(err, "no room for the test: %s", strerror(errno));
    } else {
        o->config = *config; /* borrowed: only its limits are used */
        o->config.mode = MODE_LEARN;
        o->config.redis_host[0] = o->config.redis_socket[0] = o->config.jsonl_path[0] = '\0';
        o->site = site;
        memcpy(o->store, ":memory:", sizeof ":memory:");
        for (size_t i = 0; i < count; i++)
            o->files[o->file_count++] = captures[i];
        ok = run_files(o, NULL, lines) == 0 ||
             error_set(err, "the captures could not be read to their end");
        rewind(lines);
        ok = print(WHAT_IF_POLICY, lines, out, ok ? err : NULL) && ok;
    }
    if (lines)
        fclose(lines);
    free(o);
    return ok;
}

bool what_if_history(enum what_if subject, struct site *site, const struct config *config,
                     struct store *history, struct store *baseline, FILE *out, struct error *err)
{
    struct replay_options options = {config, site, history, baseline, 0};
    struct history_span span;
    char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
    FILE *lines = tmpfile();
    if (!lines)
        return error_set(err, "no room for the test: %s", strerror(errno));
    bool ok = replay(&options, lines, &span, err);
    if (ok && span.rows > 0)
        fprintf(out, "%" PRIu64 " events in %" PRIu64 " rows of history, %s to %s\n", span.events,
                span.rows, time_print(first, span.first_ns), time_print(last, span.last_ns));
    else if (ok)
        fputs("the store has no history\n", out);
    rewind(lines);
    ok = ok && (span.rows == 0 || print(subject, lines, out, err));
    fclose(lines);
    return ok;
}

/* --- for the console --- */

/* By IP when there is one, else by MAC. */
static const char *host_at(const json_t *alert, const char *side)
{
    const char *ip = text_at(alert, side, "ip");
    return ip[0] ? ip : text_at(alert, side, "mac");
}

static json_t *example_of(const json_t *alert)
{
    return json_pack("{s:O, s:s, s:s, s:s, s:s, s:s}", "time", json_object_get(alert, "@timestamp"),
                     "actor", host_at(alert, "source"), "target", host_at(alert, "destination"),
                     "protocol", text_at(alert, "network", "protocol"), "seen",
                     text_at(alert, "sightglass", "seen"), "expected",
                     text_at(alert, "sightglass", "expected"));
}

/* What the policy raised of one type; NULL: nothing. */
static json_t *type_of(json_t *alerts, const struct detection_kind *kind)
{
    const char *id;
    const json_t *alert;
    json_int_t count = 0, times = 0;
    json_t *examples = json_array();
    json_object_foreach(alerts, id, alert)
    {
        if (strcmp(rule_of(alert), kind->id) != 0 || !is_of(WHAT_IF_POLICY, alert))
            continue;
        count++;
        times += times_of(alert);
        if (json_array_size(examples) < SHOWN_MAX)
            json_array_append_new(examples, example_of(alert));
    }
    if (count > 0)
        return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "rule", kind->id, "title", kind->title,
                         "severity", severity_name(kind->severity), "alerts", count, "count", times,
                         "examples", examples);
    json_decref(examples);
    return NULL;
}

static json_t *types_of(json_t *alerts)
{
    json_t *list = json_array();
    for (int d = 0; d < DETECTION_COUNT; d++) {
        json_t *type = type_of(alerts, detection_kind((enum detection)d));
        if (type)
            json_array_append_new(list, type);
    }
    return list;
}

/* What the thread of a trial works on. */
struct trying {
    const struct web_trial *trial;
    struct error *err;
    json_t *types;
};

static void *try_it(void *context)
{
    struct trying *t = context;
    const struct web_trial *trial = t->trial;
    struct config *config = malloc(sizeof *config);
    FILE *lines = tmpfile();
    json_t *alerts = json_object();
    if (config && lines && alerts) {
        *config = *trial->config; /* borrowed: only its limits are used */
        text_format(config->sensor, sizeof config->sensor, "%s", trial->sensor);
        const struct replay_options options = {config, trial->site, trial->history, NULL,
                                               trial->rows_max};
        bool ok = replay(&options, lines, trial->span, t->err);
        rewind(lines);
        if (ok && read_lines(lines, alerts, t->err))
            t->types = types_of(alerts);
    } else {
        error_set(t->err, "no room for the test");
    }
    json_decref(alerts);
    if (lines)
        fclose(lines);
    free(config);
    return NULL;
}

/* In a thread with a stack of the usual size: a sensor needs more than a connection has. */
json_t *what_if_trial(const struct web_trial *trial, struct error *err)
{
    struct trying t = {trial, err, NULL};
    pthread_t thread;
    if (pthread_create(&thread, NULL, try_it, &t) != 0) {
        error_set(err, "no thread for the test");
        return NULL;
    }
    pthread_join(thread, NULL);
    return t.types;
}
