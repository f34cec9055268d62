/* api_policy.c: the site's policy: what it says, another one checked and tried on the history, and
 * saved where the configuration has it in a file of its own. */
#include "api.h"

#include "api_trial.h"
#include "routes.h"
#include "rules/site.h"
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
    TMP_PATH = 560,
};

#define SEND_POLICY "send the policy as text"

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

static bool answer_check(struct request *r, const json_t *body, json_t **json, struct error *err)
{
    (void)err;
    site_release(site_of(r, body, json));
    return true;
}

enum MHD_Result api_policy_check(struct request *r)
{
    return api_check(r, SEND_POLICY, answer_check);
}

/* --- tried on the history --- */

static bool try_policy(struct request *r, struct site *site, json_t *json, struct error *err)
{
    struct history_span span = {0};
    struct web_trial trial = {.config = r->web->config,
                              .sensor = api_sensor(r),
                              .site = site,
                              .history = r->store,
                              .rows_max = TRIAL_ROWS_MAX,
                              .span = &span};
    json_t *findings = r->web->try_policy ? r->web->try_policy(&trial, err) : NULL;
    if (!r->web->try_policy)
        return error_set(err, "this console cannot try policies");
    if (!findings)
        return false;
    json_object_set_new(json, "history", api_span_json(&span));
    json_object_set_new(json, "findings", findings);
    return true;
}

static bool answer_test(struct request *r, const json_t *body, json_t **json, struct error *err)
{
    struct site *site = site_of(r, body, json);
    bool ok = !site || try_policy(r, site, *json, err);
    site_release(site);
    return ok;
}

enum MHD_Result api_policy_test(struct request *r)
{
    return api_try(r, SEND_POLICY, answer_test);
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
    else if (!api_has_text(body) || !s.text || !s.hash || !why || !why[0])
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
