/* api_policy.c: the site's policy: what it says, another one checked and tried on the history, and
 * saved where the configuration has it in a file of its own. */
#include "api.h"

#include "routes.h"
#include "rules/history.h"
#include "rules/site.h"
#include "rules/site_judge.h"
#include "rules/windows.h"
#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    POLICY_TEXT_MAX = BODY_MAX, /* what a page can send back */
    LINES_MAX = 10000,
    EXAMPLES_MAX = 50, /* of one type */
    TRIAL_ROWS_MAX = 300000,
    TMP_PATH = 560,
};

/* --- what it says --- */

/* One line for each thing: its first word is the kind. */
static json_t *lines_of(const struct site *site)
{
    json_t *list = json_array();
    char *text = NULL, *rest;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return list;
    site_print(site, out);
    if (fclose(out) == 0) {
        for (char *line = strtok_r(text, "\n", &rest); line && json_array_size(list) < LINES_MAX;
             line = strtok_r(NULL, "\n", &rest)) {
            size_t kind = strcspn(line, " :");
            size_t skip = kind + strspn(line + kind, " :");
            json_t *pair = json_pack("{s:s%, s:s}", "kind", line, kind, "text", line + skip);
            if (pair)
                json_array_append_new(list, pair);
        }
    }
    free(text);
    return list;
}

static json_t *site_json(const struct site *site)
{
    char summary[256];
    return json_pack("{s:b, s:o, s:o}", "is_well_formed", 1, "summary",
                     json_text_of(site_summary(site, summary, sizeof summary)), "lines",
                     lines_of(site));
}

static json_t *mistake_json(const struct error *err)
{
    return json_pack("{s:b, s:o}", "is_well_formed", 0, "error", json_text_of(err->text));
}

static void print_hash(char out[17], const char *text, size_t size)
{
    snprintf(out, 17, "%016llx", (unsigned long long)hash_stable(text, size));
}

/* With a NUL behind; the caller frees it. NULL: it cannot be read, or is too long for a page. */
static char *file_text(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(POLICY_TEXT_MAX + 1);
    *size = file && text ? fread(text, 1, POLICY_TEXT_MAX + 1, file) : 0;
    bool ok = file && text && !ferror(file) && *size <= POLICY_TEXT_MAX;
    if (file)
        fclose(file);
    if (!ok) {
        free(text);
        return NULL;
    }
    text[*size < POLICY_TEXT_MAX ? *size : POLICY_TEXT_MAX] = '\0';
    return text;
}

/* A policy inside the configuration is not shown as text: passwords are in there. */
static void add_text(const struct request *r, json_t *json)
{
    const char *path = r->web->config->policy_path;
    size_t size;
    char hash[17];
    char *text = path[0] && r->account.role >= ROLE_ENGINEER ? file_text(path, &size) : NULL;
    if (!text)
        return;
    print_hash(hash, text, size);
    json_object_set_new(json, "text", json_text_of(text));
    json_object_set_new(json, "hash", json_string(hash));
    json_object_set_new(json, "is_writable", json_boolean(access(path, W_OK) == 0));
    free(text);
}

enum MHD_Result api_policy(struct request *r)
{
    const struct config *config = r->web->config;
    struct error err = {""};
    struct site *site = site_create(config, &err);
    json_t *json = site ? site_json(site) : mistake_json(&err);
    bool is_declared = !site || site_is_declared(site);
    json_object_set_new(json, "is_declared", json_boolean(is_declared));
    json_object_set_new(json, "path",
                        json_text_of(config->policy_path[0] ? config->policy_path
                                     : config->policy_text  ? config->policy_name
                                                            : ""));
    json_object_set_new(json, "is_own_file", json_boolean(config->policy_path[0] != '\0'));
    add_text(r, json);
    site_release(site);
    return reply_json(r, MHD_HTTP_OK, json);
}

/* --- another one --- */

/* The policy of the body; NULL: *json says what is wrong with it. */
static struct site *site_of(const struct request *r, const json_t *body, json_t **json)
{
    struct error err = {""};
    const char *text = json_string_value(json_object_get(body, "text"));
    struct site *site = site_parse(text, strlen(text), "policy", r->web->config->timezone, &err);
    *json = site ? site_json(site) : mistake_json(&err);
    return site;
}

static bool has_text(const json_t *body)
{
    return json_string_length(json_object_get(body, "text")) > 0;
}

static enum MHD_Result reply_no_text(struct request *r)
{
    return reply_error(r, MHD_HTTP_BAD_REQUEST, "send the policy as text");
}

enum MHD_Result api_policy_check(struct request *r)
{
    json_t *body = request_object(r), *json = NULL;
    enum MHD_Result result;
    if (has_text(body)) {
        site_release(site_of(r, body, &json));
        result = reply_json(r, MHD_HTTP_OK, json);
    } else {
        result = reply_no_text(r);
    }
    json_decref(body);
    return result;
}

/* --- tried on the history --- */

struct policy_trial {
    const struct site *site;
    struct site_judge *judge;
    struct windows *windows;
    int64_t now_ns;
    uint64_t times; /* how often the row being played happened */
    uint64_t counts[DETECTION_COUNT];
    json_t *examples[DETECTION_COUNT];
};

/* As in a plant that is learned: only what the policy itself says is told. */
static bool is_learned(void *context, const struct ot_flow *flow, const char *protocol)
{
    (void)context;
    (void)flow;
    (void)protocol;
    return true;
}

static bool is_habit(void *context, const struct ot_event *event)
{
    (void)context;
    (void)event;
    return true;
}

static void on_finding(void *context, const struct finding *found)
{
    struct policy_trial *t = context;
    struct finding f = *found;
    char actor[ADDRESS_TEXT_SIZE] = "", target[ADDRESS_TEXT_SIZE] = "";
    windows_permit(t->windows, t->site, &f);
    t->counts[f.detection] += (f.count ? f.count : 1) * t->times;
    if (!t->examples[f.detection])
        t->examples[f.detection] = json_array();
    if (json_array_size(t->examples[f.detection]) == EXAMPLES_MAX)
        return;
    api_host_print(actor, &f.actor);
    if (f.has_target)
        api_host_print(target, &f.target);
    json_array_append_new(t->examples[f.detection],
                          json_pack("{s:o, s:s, s:s, s:o, s:o, s:o}", "time",
                                    json_time_of(f.time_ns), "actor", actor, "target", target,
                                    "protocol", json_text_of(f.protocol), "seen",
                                    json_text_of(f.seen), "expected", json_text_of(f.expected)));
}

static void pass_time(struct policy_trial *t, int64_t time_ns)
{
    if (time_ns - t->now_ns < INT64_C(1000000000))
        return;
    t->now_ns = time_ns;
    t->times = 1;
    site_judge_tick(t->judge, time_ns, false);
}

static void on_event(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns)
{
    struct policy_trial *t = context;
    (void)last_ns;
    pass_time(t, e->time_ns);
    t->times = count;
    site_judge_event(t->judge, e);
}

static void on_flow(void *context, const struct ot_flow *flow, enum sigma_moment moment,
                    const char *protocol, int64_t time_ns, uint64_t count)
{
    struct policy_trial *t = context;
    pass_time(t, time_ns);
    t->times = count;
    if (moment == SIGMA_STARTED)
        site_judge_started(t->judge, flow, NULL);
    else if (moment == SIGMA_ANSWERED)
        site_judge_answered(t->judge, flow, NULL);
    else if (moment == SIGMA_REFUSED)
        site_judge_refused(t->judge, flow, NULL);
    else
        site_judge_protocol(t->judge, flow, protocol, NULL);
}

static void on_end(void *context, const struct history_span *span)
{
    struct policy_trial *t = context;
    t->times = 1;
    site_judge_tick(t->judge, span->last_ns, true);
}

static json_t *findings_json(struct policy_trial *t)
{
    json_t *list = json_array();
    for (int d = 0; d < DETECTION_COUNT; d++) {
        const struct detection_kind *kind = detection_kind((enum detection)d);
        if (t->counts[d])
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:I, s:o}", "rule", kind->id, "title", kind->title,
                                "severity", severity_name(kind->severity), "count",
                                (json_int_t)t->counts[d], "examples", t->examples[d]));
    }
    return list;
}

json_t *api_span_json(const struct history_span *span)
{
    return json_pack("{s:I, s:I, s:b, s:o, s:o}", "rows", (json_int_t)span->rows, "events",
                     (json_int_t)span->events, "is_cut", span->is_cut, "from",
                     span->rows ? json_time_of(span->first_ns) : json_null(), "to",
                     span->rows ? json_time_of(span->last_ns) : json_null());
}

static bool try_policy(struct request *r, struct site *site, json_t *json, struct error *err)
{
    struct policy_trial *t = calloc(1, sizeof *t);
    struct site_judge_options options = {.is_known = is_learned, .is_usual = is_habit};
    struct finding_sink sink = {.context = t, .finding = on_finding};
    struct history_player player = {t, on_event, on_flow, on_end};
    struct history_range range = {INT64_MIN, INT64_MAX, TRIAL_ROWS_MAX};
    struct history_span span = {0};
    if (!t)
        return error_set(err, "out of memory");
    t->site = site;
    t->judge = site_judge_create(&options, site, &sink);
    t->windows = windows_create(api_sensor(r), NULL);
    bool ok = (t->judge && t->windows) || error_set(err, "out of memory");
    ok = ok && history_replay_range(r->store, api_sensor(r), &range, &player, &span, err);
    if (ok) {
        json_object_set_new(json, "history", api_span_json(&span));
        json_object_set_new(json, "findings", findings_json(t));
    }
    for (int d = 0; d < DETECTION_COUNT && !ok; d++)
        json_decref(t->examples[d]);
    windows_destroy(t->windows);
    site_judge_destroy(t->judge);
    free(t);
    return ok;
}

/* One at a time: it reads a lot. */
enum MHD_Result api_policy_test(struct request *r)
{
    json_t *body = request_object(r), *json = NULL;
    struct error err = {""};
    enum MHD_Result result;
    if (!has_text(body)) {
        result = reply_no_text(r);
    } else if (pthread_mutex_trylock(&r->web->trying) != 0) {
        result = api_reply_busy(r);
    } else {
        struct site *site = site_of(r, body, &json);
        bool ok = !site || try_policy(r, site, json, &err);
        site_release(site);
        pthread_mutex_unlock(&r->web->trying);
        if (!ok)
            json_decref(json);
        result = ok ? reply_json(r, MHD_HTTP_OK, json)
                    : reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    }
    json_decref(body);
    return result;
}

/* --- saved --- */

struct saving {
    const char *path, *text, *hash;
};

static bool write_text(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0)
            return false;
        text += n;
        size -= (size_t)n;
    }
    return fsync(fd) == 0;
}

/* Beside it first, then in its place, with its rights: nobody ever reads half a policy. */
static bool replace_file(const char *path, const char *text, struct error *err)
{
    char beside[TMP_PATH];
    struct stat now;
    text_format(beside, sizeof beside, "%s.new", path);
    if (stat(path, &now) != 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && fchmod(fd, now.st_mode & 0777) == 0 && write_text(fd, text, strlen(text));
    ok = (fd < 0 || close(fd) == 0) && ok && rename(beside, path) == 0;
    if (!ok) {
        error_set(err, "%s: %s: save the text yourself", path, strerror(errno));
        if (fd >= 0)
            unlink(beside);
    }
    return ok;
}

static bool save(struct store *store, void *context, struct error *err)
{
    struct saving *s = context;
    char hash[17];
    size_t size;
    char *now = file_text(s->path, &size);
    (void)store;
    if (!now)
        return error_set(err, "%s cannot be read", s->path);
    print_hash(hash, now, size);
    free(now);
    if (strcmp(hash, s->hash) != 0)
        return error_set(err,
                         "%s has been changed by somebody since you loaded it: load the page "
                         "again",
                         s->path);
    return replace_file(s->path, s->text, err);
}

enum MHD_Result api_policy_save(struct request *r)
{
    json_t *body = request_object(r), *json = NULL;
    struct saving s = {r->web->config->policy_path, object_text(body, "text", ""),
                       object_text(body, "hash", "")};
    const char *why = object_text(body, "why", "");
    enum MHD_Result result;
    struct site *site = NULL;
    if (!s.path[0])
        result = reply_error(r, MHD_HTTP_BAD_REQUEST,
                             "the configuration names no policy file of its own (policy: FILE)");
    else if (!has_text(body) || !s.text || !s.hash || !why || !why[0])
        result = reply_error(r, MHD_HTTP_BAD_REQUEST,
                             "send the policy as text, the hash of the one that it replaces, and "
                             "why");
    else if (!(site = site_of(r, body, &json)))
        result =
            reply_error(r, MHD_HTTP_BAD_REQUEST, json_string_value(json_object_get(json, "error")));
    else if (request_change(r, save, &s, "policy.save", s.path, why, &result))
        result = reply_json(r, MHD_HTTP_OK, json_incref(json));
    site_release(site);
    json_decref(json);
    json_decref(body);
    return result;
}
