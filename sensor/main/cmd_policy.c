/* cmd_policy.c: sightglass policy check|show|test|report: what the site's policy says, what it
 * would raise, and what was done in its maintenance windows. */
#include "commands.h"
#include "options.h"
#include "rules/site.h"
#include "rules/windows.h"
#include "schemas.h"
#include "sensor/base/config.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/log.h"
#include "what_if.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sightglass policy check  FILE                       a policy, or a configuration with "
    "one\n"
    "       sightglass policy show   [FILE | -c CONFIG]         what it says, a line for each "
    "thing\n"
    "       sightglass policy test   FILE -r CAPTURE... | -s STORE   what it would have raised, "
    "with counts,\n"
    "                                                           on captures or on the event "
    "history of a store\n"
    "       sightglass policy report [-s STORE] [-c CONFIG] [--window NAME] [--format table|json]\n"
    "                                                           what was done in maintenance "
    "windows\n";

enum { OPTION_WINDOW = 256, OPTION_FORMAT };

static const struct option long_options[] = {
    {"read",   required_argument, NULL, 'r'          },
    {"store",  required_argument, NULL, 's'          },
    {"config", required_argument, NULL, 'c'          },
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"help",   no_argument,       NULL, 'h'          },
    {NULL,     0,                 NULL, 0            },
};

struct call {
    struct config config;
    bool has_config, has_store, is_json, is_help;
    char store[512];
    const char *window;
    const char *file; /* NULL: none */
    const char *captures[WHAT_IF_CAPTURES_MAX];
    size_t capture_count;
};

static bool take(struct call *call, int option, struct error *err)
{
    switch (option) {
    case 'r':
        if (call->capture_count == WHAT_IF_CAPTURES_MAX)
            return error_set(err, "more than %d captures", WHAT_IF_CAPTURES_MAX);
        call->captures[call->capture_count++] = optarg;
        return true;
    case 's':
        call->has_store = true;
        return option_text(call->store, sizeof call->store, "--store", optarg, err);
    case 'c':
        call->has_config = true;
        return config_read(&call->config, optarg, err);
    case OPTION_WINDOW:
        call->window = optarg;
        return true;
    case OPTION_FORMAT:
        call->is_json = strcmp(optarg, "json") == 0;
        return call->is_json || strcmp(optarg, "table") == 0 ||
               error_set(err, "--format %s: is table or json", optarg);
    case 'h':
        call->is_help = true;
        return true;
    default:
        return error_set(err, "unknown option");
    }
}

static bool call_read(struct call *call, int argc, char **argv, struct error *err)
{
    config_defaults(&call->config);
    optind = 1;
    opterr = 0;
    int option;
    while ((option = getopt_long(argc, argv, ":r:s:c:h", long_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return error_set(err, "%s: %s", argv[optind - 1],
                             option == '?' ? "unknown option" : "its value is missing");
        if (!take(call, option, err))
            return false;
    }
    if (argc - optind > 1)
        return error_set(err, "%s: one argument too many", argv[optind + 1]);
    call->file = optind < argc ? argv[optind] : NULL;
    if (!*call->store)
        text_format(call->store, sizeof call->store, "%s/sightglass.db", call->config.state_dir);
    return true;
}

/* A policy file, or a configuration that holds or names one: that is seen by its other sections. */
static struct site *read_file(struct call *call, const char *path, struct error *err)
{
    struct config config;
    struct error as_config = {""};
    config_defaults(&config);
    bool is_config =
        config_read(&config, path, &as_config) && (config.policy_text || config.policy_path[0]);
    struct site *site =
        is_config ? site_create(&config, err) : site_read(path, call->config.timezone, err);
    config_release(&config);
    return site;
}

static struct site *read_policy(struct call *call, struct error *err)
{
    if (call->file)
        return read_file(call, call->file, err);
    if (call->has_config)
        return site_create(&call->config, err);
    error_set(err, "name a policy file, or a configuration with -c");
    return NULL;
}

static bool check(struct call *call, struct error *err)
{
    char summary[256];
    struct site *site = read_policy(call, err);
    if (site)
        printf("%s: well-formed: %s\n", call->file ? call->file : "the configuration",
               site_summary(site, summary, sizeof summary));
    site_release(site);
    return site != NULL;
}

static bool show(struct call *call, struct error *err)
{
    struct site *site = read_policy(call, err);
    if (site)
        site_print(site, stdout);
    site_release(site);
    return site != NULL;
}

static bool test_history(struct call *call, struct site *site, struct error *err)
{
    struct store *store = NULL;
    bool ok = store_open(&store, call->store, STORE_READ_ONLY, store_schemas, err) &&
              what_if_history(WHAT_IF_POLICY, site, &call->config, store, NULL, stdout, err);
    store_close(store);
    return ok;
}

static bool test(struct call *call, struct error *err)
{
    if ((call->capture_count == 0) == !call->has_store)
        return error_set(err, "name a capture to try the policy on with -r, or a store with -s");
    struct site *site = read_policy(call, err);
    bool ok = site && (call->has_store ? test_history(call, site, err)
                                       : what_if_captures(site, &call->config, call->captures,
                                                          call->capture_count, stdout, err));
    site_release(site);
    return ok;
}

/* --- report --- */

struct report {
    bool is_json;
    size_t actions;
    char window[FINDING_WINDOW]; /* of the last line */
    int64_t start_ns;
};

static void put_json(const struct window_action *a)
{
    char line[2048];
    struct json_writer w;
    json_begin(&w, line, sizeof line - 1);
    json_object_begin(&w, NULL);
    json_string_of(&w, "window", a->window);
    if (*a->ticket)
        json_string_of(&w, "ticket", a->ticket);
    json_time(&w, "start", a->start_ns);
    json_time(&w, "end", a->end_ns);
    json_bool(&w, "ended", a->has_ended);
    if (a->actor) {
        const char *const names[] = {"actor",  "target",  "rule",  "operation",
                                     "object", "outcome", "sha256"};
        const char *const values[] = {a->actor,  a->target,  a->rule,  a->operation,
                                      a->object, a->outcome, a->sha256};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (*values[i])
                json_string_of(&w, names[i], values[i]);
        json_signed(&w, "count", a->count);
        if (a->size)
            json_signed(&w, "size", a->size);
        json_time(&w, "first_seen", a->first_ns);
        json_time(&w, "last_seen", a->last_ns);
    }
    json_object_end(&w);
    printf("%.*s\n", (int)json_size(&w), line);
}

static void put_window(struct report *r, const struct window_action *a)
{
    char start[TIME_TEXT_SIZE], end[TIME_TEXT_SIZE];
    bool is_same =
        r->actions > 0 && r->start_ns == a->start_ns && strcmp(r->window, a->window) == 0;
    if (is_same)
        return;
    printf("%s%s%s%s, %s to %s%s\n", r->actions ? "\n" : "", a->window,
           *a->ticket ? ", ticket " : "", a->ticket, time_print(start, a->start_ns),
           time_print(end, a->end_ns), a->has_ended ? "" : " (not over yet)");
    text_format(r->window, sizeof r->window, "%s", a->window);
    r->start_ns = a->start_ns;
}

static void put_action(void *context, const struct window_action *a)
{
    struct report *r = context;
    char first[TIME_TEXT_SIZE], size[40] = "";
    if (r->is_json) {
        put_json(a);
        r->actions++;
        return;
    }
    put_window(r, a);
    r->actions++;
    if (!a->actor) {
        puts("  nothing was done");
        return;
    }
    if (a->size)
        text_format(size, sizeof size, ", %lld bytes", (long long)a->size);
    printf("  %s  %s -> %s  %s%s%s%s%s%s  %lld times%s%s\n", time_print(first, a->first_ns),
           a->actor, *a->target ? a->target : "-", a->rule, *a->object ? " " : "", a->object, size,
           *a->outcome ? ", " : "", a->outcome, (long long)a->count, *a->sha256 ? ", sha256 " : "",
           a->sha256);
}

static bool report(const struct call *call, struct error *err)
{
    struct report r = {.is_json = call->is_json};
    struct store *store = NULL;
    bool ok = store_open(&store, call->store, STORE_READ_ONLY, store_schemas, err) &&
              windows_report(store, call->config.sensor, call->window, put_action, &r, err);
    if (ok && r.actions == 0 && !r.is_json)
        puts("no maintenance window has seen any action");
    store_close(store);
    return ok;
}

int cmd_policy(int argc, char **argv)
{
    static const char *const verbs[] = {"check", "show", "test", "report"};
    enum { CHECK, SHOW, TEST, REPORT, VERBS };
    struct error err = {""};
    struct call *call = calloc(1, sizeof *call);
    int verb = 0;
    if (!call)
        return 1;
    while (argc > 1 && verb < VERBS && strcmp(argv[1], verbs[verb]) != 0)
        verb++;
    bool is_help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    int status = is_help ? 0 : 2;
    if (argc < 2 || verb == VERBS) {
        fputs(usage, is_help ? stdout : stderr);
        goto out;
    }
    bool is_read = call_read(call, argc - 1, argv + 1, &err);
    if (!is_read || call->is_help) {
        if (!is_read)
            fprintf(stderr, "sightglass policy %s: %s\n", verbs[verb], err.text);
        fputs(usage, is_read ? stdout : stderr);
        status = is_read ? 0 : 2;
        goto out;
    }
    bool ok = verb == CHECK  ? check(call, &err)
              : verb == SHOW ? show(call, &err)
              : verb == TEST ? test(call, &err)
                             : report(call, &err);
    if (!ok)
        fprintf(stderr, "sightglass policy %s: %s\n", verbs[verb], err.text);
    status = ok ? 0 : 1;
out:
    config_release(&call->config);
    free(call);
    return status;
}
