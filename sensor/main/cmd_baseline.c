/* cmd_baseline.c: sightglass baseline show|export|import|diff|test|approve|reject: review what is
 * normal. */
#include "baseline/review.h"
#include "baseline/rows.h"
#include "commands.h"
#include "options.h"
#include "schemas.h"
#include "sensor/base/config.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/store.h"
#include "what_if.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sightglass baseline show    [-s STORE] [-c CONFIG] [--dimension "
    "conversations|operations|objects|values|timing]\n"
    "       sightglass baseline export  [-s STORE] [-c CONFIG]             YAML to stdout\n"
    "       sightglass baseline import  [-s STORE] [-c CONFIG] FILE        - is stdin; while no "
    "sensor runs\n"
    "       sightglass baseline diff    [-s STORE] [-c CONFIG] A.yaml [B.yaml]   what B (or the "
    "store) says otherwise\n"
    "       sightglass baseline test    [-s STORE] [-c CONFIG] [FILE.yaml]   what it, or the "
    "store's, "
    "would have\n"
    "                                   raised over the event history of the store, with counts\n"
    "       sightglass baseline approve [-s STORE] [-c CONFIG] ID | [--detection D] [--actor A] "
    "[--target T]\n"
    "                                   [--until TIME] [--by WHO] [--why TEXT]\n"
    "       sightglass baseline reject  ...                               the same\n"
    "  ID is an entry's (show --dimension operations, export); A and T are IP or MAC addresses; "
    "TIME is\n"
    "  2026-01-31T18:00:00Z\n";

enum {
    OPTION_DIMENSION = 256,
    OPTION_DETECTION,
    OPTION_ACTOR,
    OPTION_TARGET,
    OPTION_UNTIL,
    OPTION_BY,
    OPTION_WHY
};

static const struct option long_options[] = {
    {"store",     required_argument, NULL, 's'             },
    {"config",    required_argument, NULL, 'c'             },
    {"dimension", required_argument, NULL, OPTION_DIMENSION},
    {"detection", required_argument, NULL, OPTION_DETECTION},
    {"actor",     required_argument, NULL, OPTION_ACTOR    },
    {"target",    required_argument, NULL, OPTION_TARGET   },
    {"until",     required_argument, NULL, OPTION_UNTIL    },
    {"by",        required_argument, NULL, OPTION_BY       },
    {"why",       required_argument, NULL, OPTION_WHY      },
    {"help",      no_argument,       NULL, 'h'             },
    {NULL,        0,                 NULL, 0               },
};

enum { ARGUMENTS_MAX = 2 };
struct call {
    struct config config;
    char store[512];
    enum review_dimension dimension;
    struct baseline_decision decision;
    const char *argument, *second;
    bool is_help;
};

static bool set_dimension(struct call *call, const char *name, struct error *err)
{
    for (int i = 0; i < REVIEW_DIMENSIONS; i++) {
        if (strcmp(name, review_dimension_name((enum review_dimension)i)) == 0) {
            call->dimension = (enum review_dimension)i;
            return true;
        }
    }
    return error_set(err, "--dimension %s: is conversations, operations, objects, values or timing",
                     name);
}

static bool take(struct call *call, int option, struct error *err)
{
    struct baseline_decision *d = &call->decision;
    switch (option) {
    case 's':
        return option_text(call->store, sizeof call->store, "--store", optarg, err);
    case 'c':
        return config_read(&call->config, optarg, err);
    case OPTION_DIMENSION:
        return set_dimension(call, optarg, err);
    case OPTION_DETECTION:
        d->has_detection = detection_parse(&d->detection, optarg);
        return d->has_detection ||
               error_set(err, "--detection %s: there is no such detection", optarg);
    case OPTION_ACTOR:
        d->has_actor = host_parse(&d->actor, optarg);
        return d->has_actor ||
               error_set(err, "--actor %s: is neither an IP nor a MAC address", optarg);
    case OPTION_TARGET:
        d->has_target = host_parse(&d->target, optarg);
        return d->has_target ||
               error_set(err, "--target %s: is neither an IP nor a MAC address", optarg);
    case OPTION_UNTIL:
        return time_parse(&d->until_ns, optarg) ||
               error_set(err, "--until %s: is no time such as 2026-01-31T18:00:00Z", optarg);
    case OPTION_BY:
        return option_text(d->by, sizeof d->by, "--by", optarg, err);
    case OPTION_WHY:
        return option_text(d->why, sizeof d->why, "--why", optarg, err);
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
    while ((option = getopt_long(argc, argv, ":s:c:h", long_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return error_set(err, "%s: %s", argv[optind - 1],
                             option == '?' ? "unknown option" : "its value is missing");
        if (!take(call, option, err))
            return false;
    }
    if (argc - optind > ARGUMENTS_MAX)
        return error_set(err, "%s: one argument too many", argv[optind + ARGUMENTS_MAX]);
    call->argument = optind < argc ? argv[optind] : NULL;
    call->second = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (!*call->store)
        text_format(call->store, sizeof call->store, "%s/sightglass.db", call->config.state_dir);
    return true;
}

static bool show(const struct call *call, struct store *store, struct error *err)
{
    struct review *d;
    if (!review_read_store(&d, store, call->config.sensor, err))
        return false;
    review_show(d, call->dimension, (int64_t)call->config.settle_minutes * 60 * 1000000000, stdout);
    review_destroy(d);
    return true;
}

static bool export(const struct call *call, struct store *store, struct error *err)
{
    struct review *d;
    if (!review_read_store(&d, store, call->config.sensor, err))
        return false;
    bool ok = review_write_yaml(d, stdout, err);
    review_destroy(d);
    return ok;
}

static bool import(const struct call *call, struct store *store, struct error *err)
{
    struct review *known, *d = NULL;
    bool is_stdin = strcmp(call->argument, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(call->argument, "rb");
    if (!file)
        return error_set(err, "cannot open %s: %s", call->argument, strerror(errno));
    bool ok = review_read_store(&known, store, call->config.sensor, err);
    if (ok) {
        ok = review_read_yaml(&d, file, is_stdin ? "stdin" : call->argument, known,
                              call->config.sensor, err) &&
             review_write_store(d, store, err) &&
             baseline_audit_change(store, call->config.sensor,
                                   *call->decision.by ? call->decision.by : "command line",
                                   "imported a baseline document", call->decision.why, err);
        review_destroy(d);
        review_destroy(known);
    }
    if (!is_stdin)
        fclose(file);
    return ok;
}

static bool read_document(struct review **d, const char *path, const struct review *known,
                          const char *sensor, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    bool ok = review_read_yaml(d, file, path, known, sensor, err);
    fclose(file);
    return ok;
}

/* Two documents, or a document and what the store has now. */
static bool diff(const struct call *call, struct store *store, size_t *differences,
                 struct error *err)
{
    struct review *stored = NULL, *before = NULL, *after = NULL;
    const char *sensor = call->config.sensor;
    bool ok = (!store || review_read_store(&stored, store, sensor, err)) &&
              read_document(&before, call->argument, stored, sensor, err) &&
              (!call->second || read_document(&after, call->second, stored, sensor, err)) &&
              review_diff(before, after ? after : stored, stdout, differences, err);
    review_destroy(stored);
    review_destroy(before);
    review_destroy(after);
    return ok;
}

/* A document is tried in a store of its own, as import would leave it. */
static bool test_document(const struct call *call, struct site *site, struct store *store,
                          struct error *err)
{
    const char *sensor = call->config.sensor;
    struct review *known = NULL, *document = NULL;
    struct store *tried = NULL;
    bool ok = review_read_store(&known, store, sensor, err) &&
              read_document(&document, call->argument, known, sensor, err) &&
              store_open(&tried, ":memory:", STORE_READ_WRITE, store_schemas, err) &&
              review_write_store(document, tried, err) &&
              what_if_history(WHAT_IF_BASELINE, site, &call->config, store, tried, stdout, err);
    store_close(tried);
    review_destroy(document);
    review_destroy(known);
    return ok;
}

static bool test(const struct call *call, struct store *store, struct error *err)
{
    struct site *site = site_create(&call->config, err);
    bool ok = site && (call->argument ? test_document(call, site, store, err)
                                      : what_if_history(WHAT_IF_BASELINE, site, &call->config,
                                                        store, store, stdout, err));
    site_release(site);
    return ok;
}

static bool decide(const struct call *call, struct store *store, bool is_approval,
                   struct error *err)
{
    struct baseline_decision d = call->decision;
    char what[240];
    d.is_approval = is_approval;
    if (call->argument) {
        char *end;
        d.entry = strtoull(call->argument, &end, 16);
        if (*end || d.entry == 0 || strlen(call->argument) != 16)
            return error_set(err, "%s: an entry's id has 16 hexadecimal digits", call->argument);
        if (d.has_detection || d.has_actor || d.has_target)
            return error_set(err, "either an entry's id, or a detection, actor and target");
    }
    if (!*d.by)
        text_copy(d.by, sizeof d.by, text_of("command line"));
    if (!baseline_decision_add(store, call->config.sensor, &d, err))
        return false;
    baseline_decision_print(&d, what, sizeof what);
    printf("%s\n", what);
    return true;
}

int cmd_baseline(int argc, char **argv)
{
    static const char *const verbs[] = {"show",   "export",  "diff",  "test",
                                        "import", "approve", "reject"};
    enum { SHOW, EXPORT, DIFF, TEST, IMPORT, APPROVE, REJECT, VERBS };
    size_t differences = 0;
    struct error err = {""};
    struct call call = {0};
    int verb = 0;
    while (argc > 1 && verb < VERBS && strcmp(argv[1], verbs[verb]) != 0)
        verb++;
    bool is_help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (argc < 2 || verb == VERBS) {
        fputs(usage, is_help ? stdout : stderr);
        return is_help ? 0 : 2;
    }
    bool ok = call_read(&call, argc - 1, argv + 1, &err);
    if (ok && call.argument && (verb == SHOW || verb == EXPORT))
        ok = error_set(&err, "%s: one argument too many", call.argument);
    if (ok && call.second && verb != DIFF)
        ok = error_set(&err, "%s: one argument too many", call.second);
    if (ok && !call.argument && (verb == IMPORT || verb == DIFF))
        ok = error_set(&err, "%s needs a file", verbs[verb]);
    if (!ok || call.is_help) {
        if (!ok)
            fprintf(stderr, "sightglass baseline %s: %s\n", verbs[verb], err.text);
        fputs(usage, ok ? stdout : stderr);
        config_release(&call.config);
        return ok ? 0 : 2;
    }
    struct store *store = NULL;
    bool needs_store = verb != DIFF || !call.second;
    ok = !needs_store ||
         store_open(&store, call.store, verb <= TEST ? STORE_READ_ONLY : STORE_READ_WRITE,
                    store_schemas, &err);
    if (ok && verb == SHOW)
        ok = show(&call, store, &err);
    else if (ok && verb == EXPORT)
        ok = export(&call, store, &err);
    else if (ok && verb == DIFF)
        ok = diff(&call, store, &differences, &err);
    else if (ok && verb == TEST)
        ok = test(&call, store, &err);
    else if (ok && verb == IMPORT)
        ok = import(&call, store, &err);
    else if (ok)
        ok = decide(&call, store, verb == APPROVE, &err);
    store_close(store);
    config_release(&call.config);
    if (!ok)
        fprintf(stderr, "sightglass baseline %s: %s\n", verbs[verb], err.text);
    if (verb == DIFF) /* as diff(1): 1 when they differ, 2 when they could not be compared */
        return !ok ? 2 : differences > 0;
    return ok ? 0 : 1;
}
