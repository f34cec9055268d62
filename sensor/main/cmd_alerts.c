/* cmd_alerts.c: sightglass alerts: the newest revision of every alert of a store, oldest first. */
#include "commands.h"

#include "alerts/alerts.h"
#include "sensor/base/config.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/store.h"
#include "sensor/base/text.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum format { FORMAT_TABLE, FORMAT_JSON };

struct options {
    char store[512];
    enum format format;
    int64_t since_ns;
};

static const char usage[] =
    "usage: sightglass alerts [-s FILE] [--format table|json] [--since T]\n"
    "  -s, --store FILE   store (default: sightglass.db in the state directory)\n"
    "      --format F     table for people, or json: one document per line\n"
    "      --since T      only alerts that grew at or after T: 2026-01-31 or "
    "2026-01-31T08:00:00Z\n";

/* "2026-01-31" or all of it. */
static bool parse_time(int64_t *time_ns, const char *text)
{
    char whole[64];
    enum { DATE_SIZE = 10 };
    if (strlen(text) == DATE_SIZE)
        return time_parse(time_ns, text_format(whole, sizeof whole, "%sT00:00:00Z", text));
    return time_parse(time_ns, text);
}

static bool take(struct options *o, int option)
{
    switch (option) {
    case 's':
        text_copy(o->store, sizeof o->store, text_of(optarg));
        return true;
    case 'f':
        o->format = strcmp(optarg, "json") == 0 ? FORMAT_JSON : FORMAT_TABLE;
        if (o->format == FORMAT_JSON || strcmp(optarg, "table") == 0)
            return true;
        fprintf(stderr, "sightglass alerts: --format %s: table or json\n", optarg);
        return false;
    case 't':
        if (parse_time(&o->since_ns, optarg))
            return true;
        fprintf(stderr, "sightglass alerts: --since %s: not a time like 2026-01-31T08:00:00Z\n",
                optarg);
        return false;
    default:
        return false;
    }
}

/* 0: go on; otherwise the exit status + 1. */
static int read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"store",  required_argument, NULL, 's'},
        {"format", required_argument, NULL, 'f'},
        {"since",  required_argument, NULL, 't'},
        {"help",   no_argument,       NULL, 'h'},
        {NULL,     0,                 NULL, 0  },
    };
    struct config config;
    config_defaults(&config);
    *o = (struct options){.since_ns = INT64_MIN};
    text_format(o->store, sizeof o->store, "%s/sightglass.db", config.state_dir);
    config_release(&config);

    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "s:h", known, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 1;
        }
        if (!take(o, option)) {
            fputs(usage, stderr);
            return 3;
        }
    }
    if (optind == argc)
        return 0;
    fprintf(stderr, "sightglass alerts: %s is not an option\n%s", argv[optind], usage);
    return 3;
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
    return fflush(stdout) == 0 || error_set(err, "cannot write the list: is the disk full?");
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
    bool ok = store_open(&store, options.store, STORE_READ_ONLY, schemas, &err) &&
              print_alerts(store, &options, &err);
    store_close(store);
    if (!ok)
        fprintf(stderr, "sightglass alerts: %s\n", err.text);
    return ok ? 0 : 1;
}
