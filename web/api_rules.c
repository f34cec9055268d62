/* api_rules.c: the Sigma rules that the configuration names, how often they and the built-in types
 * have something to say, and new rules checked and tried on the history. */
#include "api.h"

#include "api_trial.h"
#include "routes.h"
#include "rules/rules_load.h"
#include "rules/rules_trial.h"
#include "rules/sigma.h"
#include "sensor/base/finding.h"
#include "sensor/base/json_writer.h"

#include <stdlib.h>
#include <string.h>

enum { NOISE_DAYS = 7, NOISE_DAYS_MAX = 365, FAILURES_MAX = 100 };

#define SEND_RULES "send the Sigma rules as text"

/* --- the list --- */

static json_t *rule_json(const struct sigma_summary *s)
{
    static const char *const kinds[] = {"event", "flow", "finding"};
    json_t *json = json_object();
    json_object_set_new(json, "id", json_text_of(s->id));
    json_object_set_new(json, "title", json_text_of(s->title));
    json_object_set_new(json, "level", json_text_of(s->level));
    json_object_set_new(json, "techniques", json_text_of(s->techniques ? s->techniques : ""));
    json_object_set_new(json, "file", json_text_of(s->file));
    json_object_set_new(json, "line", json_integer((json_int_t)s->line));
    json_object_set_new(json, "on",
                        json_string(s->is_correlation ? "correlation" : kinds[s->kind]));
    json_object_set_new(json, "state", json_string(s->is_off ? "off" : s->is_part ? "part" : "on"));
    json_object_set_new(json, "tests", json_integer((json_int_t)s->tests));
    return json;
}

struct hits {
    char rule[FINDING_RULE_ID];
    json_int_t alerts, hits, last_ns;
};

static void add_hits(json_t *json, const struct hits *h)
{
    if (h->alerts > 0)
        json_object_set_new(json, h->rule,
                            json_pack("{s:I, s:I, s:o}", "alerts", h->alerts, "hits", h->hits,
                                      "last_seen", json_time_of(h->last_ns)));
}

/* By the id of a rule: alerts, how often they say that it matched, and when last. All of it is in
 * the index; SQLite would look into the table for what it groups by. */
static json_t *hits_by_rule(struct request *r)
{
    struct hits h = {.alerts = 0};
    json_t *json = json_object();
    sqlite3_stmt *s =
        store_statement(r->store,
                        "SELECT rule_uuid, count, last_ns FROM alerts INDEXED BY alerts_of_rules"
                        " WHERE sensor = ? AND rule = 'rule.match' ORDER BY rule_uuid",
                        NULL);
    if (!s)
        return json;
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    while (sqlite3_step(s) == SQLITE_ROW) {
        json_int_t last_ns = sqlite3_column_int64(s, 2);
        if (strncmp(h.rule, column_text(s, 0), sizeof h.rule - 1) != 0) {
            add_hits(json, &h);
            h = (struct hits){.last_ns = last_ns};
            text_copy(h.rule, sizeof h.rule, text_of(column_text(s, 0)));
        }
        h.alerts++;
        h.hits += sqlite3_column_int64(s, 1);
        h.last_ns = last_ns > h.last_ns ? last_ns : h.last_ns;
    }
    add_hits(json, &h);
    sqlite3_reset(s);
    return json;
}

static json_t *rules_json(struct request *r, const struct sigma_rules *rules)
{
    json_t *list = json_array(), *hits = hits_by_rule(r);
    json_t *none = json_pack("{s:i, s:i, s:n}", "alerts", 0, "hits", 0, "last_seen");
    for (size_t i = 0; rules && i < sigma_rules_count(rules); i++) {
        struct sigma_summary s;
        sigma_rules_summary(rules, i, &s);
        json_t *json = rule_json(&s);
        json_t *own = json_object_get(hits, s.id);
        json_object_update(json, own ? own : none);
        json_array_append_new(list, json);
    }
    json_decref(none);
    json_decref(hits);
    return list;
}

/* Per type of alert, of the last days that the store has. */
static json_t *noise_json(struct request *r, int64_t days)
{
    json_t *list = json_array();
    sqlite3_stmt *s = store_statement(
        r->store,
        "SELECT rule, sum(findings), sum(alerts), sum(revisions), sum(suppressed), sum(folded),"
        " max(day) FROM alert_noise WHERE sensor = ?1 AND day > date((SELECT max(day) FROM"
        " alert_noise WHERE sensor = ?1), '-' || ?2 || ' days') GROUP BY rule"
        " ORDER BY sum(findings) DESC, rule",
        NULL);
    if (!s)
        return list;
    sqlite3_bind_text(s, 1, api_sensor(r), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, days);
    while (sqlite3_step(s) == SQLITE_ROW) {
        enum detection d;
        bool is_known = detection_parse(&d, column_text(s, 0));
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "rule",
                                        json_text_of(column_text(s, 0)), "title",
                                        is_known ? detection_kind(d)->title : "", "severity",
                                        is_known ? severity_name(detection_kind(d)->severity) : "",
                                        "findings", (json_int_t)sqlite3_column_int64(s, 1),
                                        "alerts", (json_int_t)sqlite3_column_int64(s, 2),
                                        "revisions", (json_int_t)sqlite3_column_int64(s, 3),
                                        "suppressed", (json_int_t)sqlite3_column_int64(s, 4),
                                        "folded", (json_int_t)sqlite3_column_int64(s, 5),
                                        "last_day", json_text_of(column_text(s, 6))));
    }
    sqlite3_reset(s);
    return list;
}

enum MHD_Result api_rules(struct request *r)
{
    const struct config_list *files = &r->web->config->rule_files;
    struct sigma_rules *rules = NULL;
    struct error err = {""};
    int64_t days;
    if (!request_number(r, "days", 1, NOISE_DAYS_MAX, NOISE_DAYS, &days))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "days is 1 to 365");
    bool ok = rules_load(&rules, r->web->config, &err);
    json_t *paths = json_array();
    for (size_t i = 0; i < files->count; i++)
        json_array_append_new(paths, json_text_of(files->items[i]));
    json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:I}", "rules", rules_json(r, rules), "files",
                             paths, "problem", json_text_of(ok ? "" : err.text), "noise",
                             noise_json(r, days), "days", (json_int_t)days);
    sigma_rules_destroy(rules);
    return reply_json(r, MHD_HTTP_OK, json);
}

/* --- new ones --- */

static void note_failure(void *context, const struct sigma_summary *rule, size_t line,
                         const char *shows, bool is_matching)
{
    json_t *list = context;
    if (json_array_size(list) < FAILURES_MAX)
        json_array_append_new(
            list, json_pack("{s:o, s:I, s:o, s:s}", "title", json_text_of(rule->title), "line",
                            (json_int_t)line, "shows", json_text_of(shows), "problem",
                            is_matching ? "should match and does not" : "matches and should not"));
}

/* The rules of the body, sealed; NULL: *json says what is wrong with them. */
static struct sigma_rules *rules_of(const json_t *body, json_t **json)
{
    struct error err = {""};
    const json_t *text = json_object_get(body, "text");
    struct sigma_rules *rules = sigma_rules_create();
    bool ok = rules || error_set(&err, "out of memory");
    ok =
        ok &&
        sigma_rules_parse(rules, json_string_value(text), json_string_length(text), "rule", &err) &&
        sigma_rules_seal(rules, &err);
    if (ok && sigma_rules_count(rules) == 0)
        ok = error_set(&err, "there is no rule in this text");
    if (!ok) {
        sigma_rules_destroy(rules);
        *json = json_pack("{s:b, s:o}", "is_well_formed", 0, "error", json_text_of(err.text));
        return NULL;
    }
    json_t *list = json_array(), *failures = json_array();
    for (size_t i = 0; i < sigma_rules_count(rules); i++) {
        struct sigma_summary s;
        sigma_rules_summary(rules, i, &s);
        json_array_append_new(list, rule_json(&s));
    }
    size_t run = sigma_rules_test(rules, note_failure, failures);
    *json = json_pack("{s:b, s:o, s:I, s:o}", "is_well_formed", 1, "rules", list, "tests",
                      (json_int_t)run, "failures", failures);
    return rules;
}

static bool answer_check(struct request *r, const json_t *body, json_t **json, struct error *err)
{
    (void)r;
    (void)err;
    sigma_rules_destroy(rules_of(body, json));
    return true;
}

enum MHD_Result api_rules_check(struct request *r)
{
    return api_check(r, SEND_RULES, answer_check);
}

/* --- tried on the history --- */

struct tally {
    uint64_t count;
    json_t *first; /* the first match */
};

struct rule_trial {
    const struct sigma_rules *rules;
    struct tally *tallies; /* one for each rule */
};

/* By IP when there is one, else by MAC. */
static void print_host(char out[ADDRESS_TEXT_SIZE], const struct endpoint *host)
{
    if (host->ip.kind == ADDRESS_NONE && !mac_is_zero(&host->mac))
        mac_print(out, &host->mac);
    else
        address_print(out, &host->ip);
}

static json_t *match_json(const struct finding *f)
{
    char actor[ADDRESS_TEXT_SIZE] = "", target[ADDRESS_TEXT_SIZE] = "";
    print_host(actor, &f->actor);
    if (f->has_target)
        print_host(target, &f->target);
    return json_pack("{s:o, s:s, s:s, s:o, s:o}", "time", json_time_of(f->time_ns), "actor", actor,
                     "target", target, "seen", json_text_of(f->seen), "object",
                     json_text_of(f->object));
}

static void on_finding(void *context, const struct finding *f)
{
    struct rule_trial *t = context;
    for (size_t i = 0; i < sigma_rules_count(t->rules); i++) {
        struct sigma_summary s;
        sigma_rules_summary(t->rules, i, &s);
        if (f->detection != DETECTION_RULE_MATCH || strcmp(s.id, f->rule_id) != 0)
            continue;
        if (t->tallies[i].count == 0)
            t->tallies[i].first = match_json(f);
        t->tallies[i].count += f->count ? f->count : 1;
    }
}

static json_t *matches_json(struct rule_trial *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sigma_rules_count(t->rules); i++) {
        struct sigma_summary s;
        sigma_rules_summary(t->rules, i, &s);
        json_t *json = json_pack("{s:o, s:o, s:I}", "title", json_text_of(s.title), "level",
                                 json_text_of(s.level), "count", (json_int_t)t->tallies[i].count);
        json_object_set(json, "first", t->tallies[i].count ? t->tallies[i].first : json_null());
        if (!s.is_part || t->tallies[i].count)
            json_array_append(list, json);
        json_decref(json);
    }
    return list;
}

static bool try_rules(struct request *r, const struct sigma_rules *rules, json_t *json,
                      struct error *err)
{
    struct rule_trial t = {rules, calloc(sigma_rules_count(rules), sizeof *t.tallies)};
    const struct history_range range = {INT64_MIN, INT64_MAX, TRIAL_ROWS_MAX};
    struct history_span span;
    bool ok = (t.tallies || error_set(err, "out of memory")) &&
              rules_trial(rules, r->store, api_sensor(r), &range, on_finding, &t, &span, err);
    if (ok) {
        json_object_set_new(json, "history", api_span_json(&span));
        json_object_set_new(json, "matches", matches_json(&t));
    }
    for (size_t i = 0; t.tallies && i < sigma_rules_count(rules); i++)
        json_decref(t.tallies[i].first);
    free(t.tallies);
    return ok;
}

static bool answer_test(struct request *r, const json_t *body, json_t **json, struct error *err)
{
    struct sigma_rules *rules = rules_of(body, json);
    bool ok = !rules || try_rules(r, rules, *json, err);
    sigma_rules_destroy(rules);
    return ok;
}

enum MHD_Result api_rules_test(struct request *r)
{
    return api_try(r, SEND_RULES, answer_test);
}
