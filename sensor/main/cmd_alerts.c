/* cmd_alerts.c: sightglass alerts: the newest revision of every alert of a store, oldest first;
 * incidents, noise figures, suppressions. */
#include "alerts_views.h"
#include "commands.h"
#include "lines.h"

#include "alerts/alerts.h"
#include "schemas.h"
#include "sensor/base/config.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/store.h"
#include "sensor/base/text.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum format { FORMAT_TABLE, FORMAT_JSON };
enum view { VIEW_ALERTS, VIEW_INCIDENTS, VIEW_NOISE, VIEW_SUPPRESSED, VIEW_SUPPRESS, VIEW_LIFT };

struct options {
    char store[512];
    char sensor[64]; /* "": the only one of the store */
    enum format format;
    enum view view;
    int64_t since_ns;
    struct suppression suppression; /* id: what to lift */
};

static const char usage[] =
    "usage: sightglass alerts [-s FILE] [--incidents|--noise] [--format table|json] [--since T]\n"
    "       sightglass alerts suppress [-s FILE] [-c CONFIG] --rule R [--actor A] [--target T]\n"
    "                                  --for 8h|--until T --why TEXT [--by WHO]\n"
    "       sightglass alerts suppressed [-s FILE] [-c CONFIG] [--format table|json]\n"
    "       sightglass alerts lift ID [-s FILE] [-c CONFIG] [--why TEXT] [--by WHO]\n"
    "  -s, --store FILE   store (default: sightglass.db in the state directory)\n"
    "  -c, --config FILE  configuration that names the sensor; needed where a store has several\n"
    "      --incidents    alerts of one story together, with their stages in order of time\n"
    "      --noise        how much each type had to say, per day\n"
    "      --format F     table for people, or json: one document per line\n"
    "      --since T      only what grew at or after T: 2026-01-31 or 2026-01-31T08:00:00Z\n"
    "      --rule R       type of alert (recon.port-scan) or the beginning of some (recon.*)\n"
    "      --actor A, --target T  IP address, subnet (10.0.0.0/24) or MAC address\n"
    "      --for TIME     30m, 8h, 7d from now; --until T: a time as above\n";

/* "2026-01-31" or all of it. */
static bool parse_time(int64_t *time_ns, const char *text)
{
    char whole[64];
    enum { DATE_SIZE = 10 };
    if (strlen(text) == DATE_SIZE)
        return time_parse(time_ns, text_format(whole, sizeof whole, "%sT00:00:00Z", text));
    return time_parse(time_ns, text);
}

static bool refuse(const char *option, const char *expected)
{
    fprintf(stderr, "sightglass alerts: --%s %s: %s\n", option, optarg, expected);
    return false;
}

static bool take_config(struct options *o)
{
    struct config config;
    struct error err = {""};
    config_defaults(&config);
    bool ok = config_read(&config, optarg, &err);
    if (ok)
        text_copy(o->sensor, sizeof o->sensor, text_of(config.sensor));
    else
        fprintf(stderr, "sightglass alerts: %s\n", err.text);
    config_release(&config);
    return ok;
}

static bool take_text(char *to, size_t capacity, const char *option)
{
    if (strlen(optarg) >= capacity)
        return refuse(option, "is too long");
    text_copy(to, capacity, text_of(optarg));
    return true;
}

enum {
    OPTION_RULE = 256,
    OPTION_ACTOR,
    OPTION_TARGET,
    OPTION_FOR,
    OPTION_UNTIL,
    OPTION_BY,
    OPTION_WHY
};

static bool take_suppression(struct suppression *s, int option)
{
    switch (option) {
    case OPTION_RULE:
        return take_text(s->rule, sizeof s->rule, "rule");
    case OPTION_ACTOR:
        return take_text(s->actor, sizeof s->actor, "actor");
    case OPTION_TARGET:
        return take_text(s->target, sizeof s->target, "target");
    case OPTION_FOR:
        return suppress_for(&s->until_ns, optarg) || refuse("for", "no time like 8h or 7d");
    case OPTION_UNTIL:
        return parse_time(&s->until_ns, optarg) ||
               refuse("until", "not a time like 2026-01-31T08:00:00Z");
    case OPTION_BY:
        return take_text(s->by, sizeof s->by, "by");
    case OPTION_WHY:
        return take_text(s->reason, sizeof s->reason, "why");
    default:
        return false;
    }
}

static bool take(struct options *o, int option)
{
    switch (option) {
    case 's':
        return take_text(o->store, sizeof o->store, "store");
    case 'c':
        return take_config(o);
    case 'i':
        o->view = VIEW_INCIDENTS;
        return true;
    case 'n':
        o->view = VIEW_NOISE;
        return true;
    case 'f':
        o->format = strcmp(optarg, "json") == 0 ? FORMAT_JSON : FORMAT_TABLE;
        return o->format == FORMAT_JSON || strcmp(optarg, "table") == 0 ||
               refuse("format", "table or json");
    case 't':
        return parse_time(&o->since_ns, optarg) ||
               refuse("since", "not a time like 2026-01-31T08:00:00Z");
    default:
        return take_suppression(&o->suppression, option);
    }
}

/* What is left behind the options: a verb comes first, and `lift` has an id. */
static bool take_id(struct options *o, int argc, char **argv)
{
    if (o->view == VIEW_LIFT && optind < argc) {
        char *end;
        o->suppression.id = strtoll(argv[optind], &end, 10);
        if (*end == '\0' && o->suppression.id > 0)
            optind++;
    }
    if (optind < argc) {
        fprintf(stderr, "sightglass alerts: %s is not an option\n%s", argv[optind], usage);
        return false;
    }
    if (o->view == VIEW_LIFT && o->suppression.id == 0) {
        fprintf(stderr, "sightglass alerts lift: which one? see sightglass alerts suppressed\n");
        return false;
    }
    return true;
}

/* 0: go on; otherwise the exit status + 1. */
static int read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"store",     required_argument, NULL, 's'          },
        {"config",    required_argument, NULL, 'c'          },
        {"incidents", no_argument,       NULL, 'i'          },
        {"noise",     no_argument,       NULL, 'n'          },
        {"format",    required_argument, NULL, 'f'          },
        {"since",     required_argument, NULL, 't'          },
        {"rule",      required_argument, NULL, OPTION_RULE  },
        {"actor",     required_argument, NULL, OPTION_ACTOR },
        {"target",    required_argument, NULL, OPTION_TARGET},
        {"for",       required_argument, NULL, OPTION_FOR   },
        {"until",     required_argument, NULL, OPTION_UNTIL },
        {"by",        required_argument, NULL, OPTION_BY    },
        {"why",       required_argument, NULL, OPTION_WHY   },
        {"help",      no_argument,       NULL, 'h'          },
        {NULL,        0,                 NULL, 0            },
    };
    static const char *const verbs[] = {
        [VIEW_SUPPRESSED] = "suppressed", [VIEW_SUPPRESS] = "suppress", [VIEW_LIFT] = "lift"};
    struct config config;
    config_defaults(&config);
    *o = (struct options){.since_ns = INT64_MIN};
    text_format(o->store, sizeof o->store, "%s/sightglass.db", config.state_dir);
    config_release(&config);

    for (int verb = VIEW_SUPPRESSED; argc > 1 && verb <= VIEW_LIFT; verb++) {
        if (strcmp(argv[1], verbs[verb]) != 0)
            continue;
        o->view = (enum view)verb;
        argc--;
        argv++;
        break;
    }
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "s:c:h", known, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 1;
        }
        if (!take(o, option)) {
            fputs(usage, stderr);
            return 3;
        }
    }
    return take_id(o, argc, argv) ? 0 : 3;
}

/* The sentence of a document, safe for a terminal. */
static void print_message(const char *document, size_t size)
{
    char safe[2048];
    json_t *alert = json_loadb(document, size, 0, NULL);
    const char *message = json_string_value(json_object_get(alert, "message"));
    puts(text_copy(safe, sizeof safe, text_of(message ? message : "(damaged)")));
    json_decref(alert);
}

/* Columns: document, first_ns, severity, rule, count, status. */
static void print_row(sqlite3_stmt *row, enum format format)
{
    const char *document = (const char *)sqlite3_column_text(row, 0);
    size_t size = (size_t)sqlite3_column_bytes(row, 0);
    if (!document)
        return;
    if (format == FORMAT_JSON) {
        fwrite(document, 1, size, stdout);
        putchar('\n');
        return;
    }
    char time[TIME_TEXT_SIZE], rule[64];
    time_print(time, sqlite3_column_int64(row, 1));
    time[sizeof "2015-10-21T07:28:00" - 1] = '\0';
    text_copy(rule, sizeof rule, text_of((const char *)sqlite3_column_text(row, 3)));
    printf("%sZ %8d  %-28s %7lld  %-8s  ", time, sqlite3_column_int(row, 2), rule,
           (long long)sqlite3_column_int64(row, 4), (const char *)sqlite3_column_text(row, 5));
    print_message(document, size);
}

static bool print_alerts(struct store *store, const struct options *o, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store,
                        "SELECT document, first_ns, severity, rule, count, status FROM alerts"
                        " WHERE last_ns >= ? ORDER BY first_ns, sensor, id",
                        err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, o->since_ns);
    if (o->format == FORMAT_TABLE)
        printf("%-20s %8s  %-28s %7s  %-8s  %s\n", "first seen", "severity", "type", "count",
               "status", "what happened");
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        print_row(s, o->format);
    sqlite3_reset(s);
    if (code != SQLITE_DONE)
        return error_set(err, "store %s: cannot read alerts: %s", o->store,
                         sqlite3_errmsg(store_handle(store)));
    return lines_end(stdout, "the list", err);
}

/* Without a configuration the store must leave no doubt about the sensor. */
static bool find_sensor(struct options *o, struct store *store, struct error *err)
{
    if (o->sensor[0])
        return true;
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT min(sensor), max(sensor) FROM"
                                      " (SELECT sensor FROM alert_totals UNION SELECT sensor FROM"
                                      " suppressions)",
                                      err);
    if (!s)
        return false;
    char last[sizeof o->sensor] = "";
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0)) {
        text_copy(o->sensor, sizeof o->sensor, text_of((const char *)sqlite3_column_text(s, 0)));
        text_copy(last, sizeof last, text_of((const char *)sqlite3_column_text(s, 1)));
    }
    sqlite3_reset(s);
    if (!o->sensor[0]) {
        struct config config;
        config_defaults(&config);
        text_copy(o->sensor, sizeof o->sensor, text_of(config.sensor));
        config_release(&config);
    } else if (strcmp(o->sensor, last) != 0) {
        return error_set(err, "store %s: holds several sensors (%s, %s): name one with -c CONFIG",
                         o->store, o->sensor, last);
    }
    return true;
}

static bool carry_out(struct options *o, struct store *store, struct error *err)
{
    struct suppression *s = &o->suppression;
    bool is_json = o->format == FORMAT_JSON;
    if (!s->by[0])
        text_copy(s->by, sizeof s->by, text_of("command line"));
    switch (o->view) {
    case VIEW_INCIDENTS:
        return view_incidents(store, o->since_ns, is_json, err);
    case VIEW_NOISE:
        return view_noise(store, o->since_ns, is_json, err);
    case VIEW_SUPPRESSED:
        return find_sensor(o, store, err) && view_suppressions(store, o->sensor, is_json, err);
    case VIEW_SUPPRESS:
        s->made_ns = suppress_now_ns();
        return find_sensor(o, store, err) && suppress_add(store, o->sensor, s, err);
    case VIEW_LIFT:
        return find_sensor(o, store, err) &&
               suppress_lift(store, o->sensor, s->id, s->by, s->reason, err);
    default:
        return print_alerts(store, o, err);
    }
}

int cmd_alerts(int argc, char **argv)
{
    static const struct store_schema *const schemas[] = {&alerts_schema, NULL};
    struct options options;
    struct store *store = NULL;
    struct error err = {""};
    int stop = read_options(&options, argc, argv);
    if (stop)
        return stop - 1;
    bool is_change = options.view == VIEW_SUPPRESS || options.view == VIEW_LIFT;
    bool ok = store_open(&store, options.store, is_change ? STORE_READ_WRITE : STORE_READ_ONLY,
                         is_change ? store_schemas : schemas, &err) &&
              carry_out(&options, store, &err);
    store_close(store);
    if (!ok)
        fprintf(stderr, "sightglass alerts: %s\n", err.text);
    return ok ? 0 : 1;
}
