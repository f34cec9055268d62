/* cmd_rules.c: sightglass rules check|list|test: rules before they are enforced. */
#include "commands.h"
#include "options.h"
#include "rules/rules_trial.h"
#include "rules/sigma.h"
#include "schemas.h"
#include "sensor/base/json_writer.h"
#include "trial.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sightglass rules check [-c CONFIG] FILE...    read rules and run the tests inside "
    "them\n"
    "       sightglass rules list  [-c CONFIG] [FILE...]  what they are\n"
    "       sightglass rules test  [-c CONFIG] FILE... -r CAPTURE [-r CAPTURE...] | -s STORE\n"
    "                                                     what they would have raised, with "
    "counts:\n"
    "                                                     over captures, or a store's history\n"
    "  FILE is a file or a folder of Sigma rules; without one: those of the configuration\n";

enum { FILES_MAX = 256 };

struct call {
    struct run_options run; /* configuration and captures */
    const char *files[FILES_MAX];
    size_t file_count;
    bool is_help;
};

static bool take_capture(struct call *call, const char *path, struct error *err)
{
    if (call->run.file_count == OPTION_FILES_MAX)
        return error_set(err, "more than %d captures", OPTION_FILES_MAX);
    call->run.files[call->run.file_count++] = path;
    return true;
}

static bool take(struct call *call, int option, struct error *err)
{
    switch (option) {
    case 'h':
        call->is_help = true;
        return true;
    case 's':
        return option_text(call->run.store, sizeof call->run.store, "--store", optarg, err);
    case 'r':
        return take_capture(call, optarg, err);
    default:
        return config_read(&call->run.config, optarg, err);
    }
}

static bool call_read(struct call *call, int argc, char **argv, struct error *err)
{
    static const struct option long_options[] = {
        {"read",   required_argument, NULL, 'r'},
        {"config", required_argument, NULL, 'c'},
        {"store",  required_argument, NULL, 's'},
        {"help",   no_argument,       NULL, 'h'},
        {NULL,     0,                 NULL, 0  },
    };
    config_defaults(&call->run.config);
    optind = 1;
    opterr = 0;
    for (int o; (o = getopt_long(argc, argv, ":r:c:s:h", long_options, NULL)) != -1;) {
        if (o == '?' || o == ':')
            return error_set(err, "%s: %s", argv[optind - 1],
                             o == '?' ? "unknown option" : "its value is missing");
        if (!take(call, o, err))
            return false;
    }
    for (; optind < argc; optind++) {
        if (call->file_count == FILES_MAX)
            return error_set(err, "more than %d files", FILES_MAX);
        call->files[call->file_count++] = argv[optind];
    }
    if (call->file_count == 0)
        for (size_t i = 0; i < call->run.config.rule_files.count; i++)
            call->files[call->file_count++] = call->run.config.rule_files.items[i];
    return call->is_help || call->file_count > 0 ||
           error_set(err, "name a file or a folder of rules, or a configuration with rules.files");
}

static bool load(struct sigma_rules **rules, const struct call *call, struct error *err)
{
    *rules = sigma_rules_create();
    bool ok = *rules != NULL || error_set(err, "out of memory");
    for (size_t i = 0; ok && i < call->file_count; i++)
        ok = sigma_rules_add(*rules, call->files[i], err);
    const struct config_list *off = &call->run.config.rules_disabled;
    for (size_t i = 0; ok && i < off->count; i++)
        sigma_rules_disable(*rules, off->items[i]);
    return ok && sigma_rules_seal(*rules, err);
}

/* --- check --- */

static void print_failure(void *context, const struct sigma_summary *rule, size_t line,
                          const char *shows, bool is_matching)
{
    size_t *failures = context;
    (*failures)++;
    printf("%s:%zu: %s: %s: %s\n", rule->file, line, rule->title, shows,
           is_matching ? "should match and does not" : "matches and should not");
}

static bool check(const struct sigma_rules *rules)
{
    size_t failures = 0;
    size_t run = sigma_rules_test(rules, print_failure, &failures);
    size_t count = sigma_rules_count(rules);
    printf("%zu rule%s, %zu test%s, %zu failed\n", count, count == 1 ? "" : "s", run,
           run == 1 ? "" : "s", failures);
    return failures == 0;
}

/* --- list --- */

static bool list(const struct sigma_rules *rules)
{
    static const char *const kinds[] = {"event", "flow", "finding"};
    printf("%-13s %-11s %-5s %5s  %-40s %s\n", "LEVEL", "ON", "STATE", "TESTS", "TITLE", "ID");
    for (size_t i = 0; i < sigma_rules_count(rules); i++) {
        struct sigma_summary s;
        sigma_rules_summary(rules, i, &s);
        printf("%-13s %-11s %-5s %5zu  %-40s %s\n", s.level,
               s.is_correlation ? "correlation" : kinds[s.kind],
               s.is_off    ? "off"
               : s.is_part ? "part"
                           : "on",
               s.tests, s.title, s.id);
    }
    return true;
}

/* --- test --- */

struct tally {
    uint64_t count;
    int64_t first_ns;
    char example[512];
};

struct trial_state {
    const struct sigma_rules *rules;
    struct tally *tallies; /* one for each rule */
};

static void host_text(char out[ADDRESS_TEXT_SIZE], const struct endpoint *host)
{
    if (host->ip.kind == ADDRESS_NONE && !mac_is_zero(&host->mac))
        mac_print(out, &host->mac);
    else
        address_print(out, &host->ip);
}

static void tally_begin(struct tally *t, const struct finding *f)
{
    char actor[ADDRESS_TEXT_SIZE] = "", target[ADDRESS_TEXT_SIZE] = "";
    host_text(actor, &f->actor);
    if (f->has_target)
        host_text(target, &f->target);
    t->first_ns = f->time_ns;
    text_format(t->example, sizeof t->example, "%s%s%s: %s%s%s", actor, target[0] ? " -> " : "",
                target, f->seen, f->object[0] ? ", " : "", f->object);
}

static void on_found(void *context, const struct finding *f)
{
    struct trial_state *state = context;
    if (f->detection != DETECTION_RULE_MATCH)
        return;
    for (size_t i = 0; i < sigma_rules_count(state->rules); i++) {
        struct sigma_summary s;
        sigma_rules_summary(state->rules, i, &s);
        if (strcmp(s.id, f->rule_id) != 0)
            continue;
        if (state->tallies[i].count == 0)
            tally_begin(&state->tallies[i], f);
        state->tallies[i].count += f->count ? f->count : 1;
    }
}

static void print_tallies(const struct trial_state *state)
{
    uint64_t sum = 0;
    size_t rules = 0;
    printf("%10s  %-13s %-40s %s\n", "MATCHES", "LEVEL", "TITLE", "FIRST");
    for (size_t i = 0; i < sigma_rules_count(state->rules); i++) {
        const struct tally *t = &state->tallies[i];
        struct sigma_summary s;
        char time[TIME_TEXT_SIZE];
        sigma_rules_summary(state->rules, i, &s);
        if (t->count == 0)
            continue;
        printf("%10" PRIu64 "  %-13s %-40s %s %s\n", t->count, s.level, s.title,
               time_print(time, t->first_ns), t->example);
        sum += t->count;
        rules++;
    }
    printf("%zu of %zu rules would have matched %" PRIu64 " times\n", rules,
           sigma_rules_count(state->rules), sum);
}

/* --- over the history --- */

static bool replay(struct call *call, struct trial_state *state, struct error *err)
{
    struct history_span span;
    struct store *store = NULL;
    char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
    bool ok = store_open(&store, call->run.store, STORE_READ_ONLY, store_schemas, err) &&
              rules_trial(state->rules, store, call->run.config.sensor, NULL, on_found, state,
                          &span, err);
    if (ok && span.rows > 0)
        printf("%" PRIu64 " events in %" PRIu64 " rows of history, %s to %s\n", span.events,
               span.rows, time_print(first, span.first_ns), time_print(last, span.last_ns));
    else if (ok)
        printf("the store has no history\n");
    store_close(store);
    return ok;
}

static bool run_captures(struct call *call, const struct trial *trial, struct error *err)
{
    call->run.site = site_create(&call->run.config, err);
    if (!call->run.site)
        return false;
    text_format(call->run.store, sizeof call->run.store, ":memory:");
    return run_trial(&call->run, trial, err);
}

static bool test(struct call *call, const struct sigma_rules *rules, struct error *err)
{
    struct trial_state state = {.rules = rules};
    struct trial trial = {.rules = rules, .found = on_found, .context = &state};
    if ((call->run.file_count == 0) == (call->run.store[0] == '\0'))
        return error_set(err, "name captures with -r, or a store with -s");
    state.tallies = calloc(sigma_rules_count(rules) + 1, sizeof *state.tallies);
    if (!state.tallies)
        return error_set(err, "out of memory");
    bool ok = call->run.file_count ? run_captures(call, &trial, err) : replay(call, &state, err);
    print_tallies(&state);
    free(state.tallies);
    return ok;
}

static int run_verb(struct call *call, int verb)
{
    struct sigma_rules *rules = NULL;
    struct error err = {""};
    bool ok = load(&rules, call, &err);
    if (ok)
        ok = verb == 0 ? check(rules) : verb == 1 ? list(rules) : test(call, rules, &err);
    if (!ok && err.text[0])
        fprintf(stderr, "sightglass rules: %s\n", err.text);
    sigma_rules_destroy(rules);
    return ok ? 0 : 1;
}

int cmd_rules(int argc, char **argv)
{
    static const char *const verbs[] = {"check", "list", "test"};
    enum { VERBS = sizeof verbs / sizeof *verbs };
    struct error err = {""};
    int verb = 0;
    while (argc > 1 && verb < VERBS && strcmp(argv[1], verbs[verb]) != 0)
        verb++;
    bool is_help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (argc < 2 || verb == VERBS) {
        fputs(usage, is_help ? stdout : stderr);
        return is_help ? 0 : 2;
    }
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        return 1;
    int status = 2;
    if (!call_read(call, argc - 1, argv + 1, &err))
        fprintf(stderr, "sightglass rules: %s\n%s", err.text, usage);
    else if (call->is_help)
        status = fputs(usage, stdout) < 0;
    else
        status = run_verb(call, verb);
    options_release(&call->run);
    free(call);
    return status;
}
