/* cmd_doctor.c: `sightglass doctor`: looks at a store and an interface, says what is wrong and what
 * to do. */
#include "commands.h"

#include "baseline/asset_export.h"
#include "doctor_listen.h"
#include "schemas.h"
#include "sensor/base/config.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/text.h"
#include "stop.h"

#include <getopt.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

enum {
    LISTEN_S = 10,
    ONE_SIDED_PERCENT = 30, /* of connections; a sound mirror shows both sides of nearly all */
    CONNECTIONS_MIN = 5,    /* fewer prove nothing */
    CLOCK_OFF_MS = 2000, /* packets are stamped by this machine: more is a buffer or a clock step */
    DISK_FREE_MB = 1024, /* evidence alone may take 500 */
    WAITING_MAX = 1000,  /* messages; outputs take thousands in a second */
    STALE_MINUTES = 10,
};

static const char usage[] =
    "usage: sightglass doctor [-i IFACE] [-s FILE]\n"
    "  -i, --interface IFACE  listen for ten seconds: is the mirror complete, who is seen?\n"
    "      --seconds N        listen for so long instead\n"
    "  -s, --store FILE       the store (default: sightglass.db in the state directory)\n"
    "Exit status: 0 all is well, 1 something is wrong, 2 usage.\n";

struct doctor {
    int problems, controllers;
};

static void __attribute__((format(printf, 1, 2))) good(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("ok       ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("note     ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

/* What is wrong, and what to do. */
static void __attribute__((format(printf, 3, 4)))
bad(struct doctor *d, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("PROBLEM  ", stdout);
    vprintf(format, args);
    printf("\n         -> %s\n", remedy);
    va_end(args);
    d->problems++;
}

/* --- the interface --- */

static void check_mirror(struct doctor *d, const char *interface, const struct listened *l,
                         int seconds)
{
    if (l->packets == 0) {
        bad(d, "check the cable, the link light, and that the switch mirrors ports to this one",
            "%s: no packet in %d s", interface, seconds);
        return;
    }
    good("%s: %llu packets in %d s", interface, (unsigned long long)l->packets, seconds);
    if (l->unicast == 0)
        bad(d,
            "the switch does not mirror to this port: set up a SPAN session or a TAP, both "
            "directions",
            "%s: only broadcast and multicast is seen", interface);
    else if (l->connections < CONNECTIONS_MIN)
        note("%llu connections: too few to say whether both directions are mirrored",
             (unsigned long long)l->connections);
    else if (l->one_sided * 100 >= l->connections * ONE_SIDED_PERCENT)
        bad(d, "let the switch mirror both directions (receive and transmit) of the ports",
            "%s: %llu of %llu connections show one direction only", interface,
            (unsigned long long)l->one_sided, (unsigned long long)l->connections);
    else
        good("both directions of %llu of %llu connections are seen",
             (unsigned long long)(l->connections - l->one_sided),
             (unsigned long long)l->connections);
}

static void check_interface(struct doctor *d, const char *interface, int seconds)
{
    struct listened l;
    struct error err = {""};
    printf("listening on %s for %d s...\n", interface, seconds);
    fflush(stdout);
    if (!doctor_listen(interface, seconds, stop_requested, &l, &err)) {
        bad(d, "correct this and try again", "cannot listen on %s: %s", interface, err.text);
        return;
    }
    check_mirror(d, interface, &l, seconds);
    for (uint32_t i = 0; i < l.controller_count; i++)
        good("%s answers as %s", l.controllers[i].address, l.controllers[i].protocol);
    if (l.packets > 0 && l.controller_count == 0)
        note("no device answered on a usual port of a plant protocol");
    if (l.dropped > 0)
        bad(d, "a larger ring (capture.ring_megabytes), a filter, or a faster machine",
            "%llu packets were lost by the kernel or the interface", (unsigned long long)l.dropped);
    else if (l.packets > 0)
        good("no packet was lost");
    long long behind_ms = l.clock_behind_ns / 1000000;
    if (llabs(behind_ms) > CLOCK_OFF_MS)
        bad(d,
            "synchronise the clock; look for a stepping clock or an interface with time stamps of "
            "its own",
            "packet times and this machine's clock are %lld ms apart", behind_ms);
}

/* --- this machine --- */

static void check_clock(void)
{
    struct timex state = {0};
    if (ntp_adjtime(&state) == -1 || (state.status & STA_UNSYNC))
        note("the clock of this machine is not known to be synchronised (chrony, ntpd, PTP)");
    else
        good("the clock is synchronised");
}

static void check_disk(struct doctor *d, const char *path)
{
    char copy[512];
    struct statvfs disk;
    text_format(copy, sizeof copy, "%s", path);
    if (statvfs(dirname(copy), &disk) != 0)
        return;
    unsigned long long free_mb =
        (unsigned long long)disk.f_bavail * disk.f_frsize / (1024ull * 1024);
    if (free_mb < DISK_FREE_MB)
        bad(d, "make room, or lower retention.evidence_megabytes and retention.alert_days",
            "%llu MB are free on the disk of the store", free_mb);
    else
        good("%llu MB are free on the disk of the store", free_mb);
}

/* --- the store --- */

/* A number from the store; 0 when the query has no row. */
static int64_t number(struct store *store, const char *sql)
{
    struct error err;
    sqlite3_stmt *s = store_statement(store, sql, &err);
    int64_t value = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    if (s)
        sqlite3_reset(s);
    return value;
}

static bool print_controller(void *context, const struct asset_cells *asset)
{
    struct doctor *d = context;
    if (!strstr(asset->cells[ASSET_COLUMN_role], "controller"))
        return true;
    const char *address = asset->cells[ASSET_COLUMN_ip][0] ? asset->cells[ASSET_COLUMN_ip]
                                                           : asset->cells[ASSET_COLUMN_mac];
    const char *vendor = asset->cells[ASSET_COLUMN_vendor],
               *model = asset->cells[ASSET_COLUMN_model];
    good("controller %s: %s%s%s%s%s", address, asset->cells[ASSET_COLUMN_protocols_served],
         vendor[0] ? ", " : "", vendor, model[0] ? ", " : "", model);
    d->controllers++;
    return true;
}

static void check_inventory(struct doctor *d, struct store *store)
{
    struct error err = {""};
    int64_t assets = number(store, "SELECT count(*) FROM assets");
    int64_t newest_ns = number(store, "SELECT max(last_ns) FROM assets");
    if (assets == 0) {
        bad(d, "run the sensor on the mirror port (sightglass run -i), and see doctor -i",
            "no device has been seen yet");
        return;
    }
    if (!assets_export(store, print_controller, d, &err))
        bad(d, "see sightglass store", "%s", err.text);
    else if (d->controllers == 0)
        bad(d, "mirror the ports of the controllers or of their switch",
            "none of %lld devices is a controller", (long long)assets);
    char text[TIME_TEXT_SIZE];
    int64_t minutes = ((int64_t)time(NULL) - newest_ns / 1000000000) / 60;
    if (minutes > STALE_MINUTES)
        note("the last device was heard at %s, %lld %s ago: is the sensor running?",
             time_print(text, newest_ns),
             (long long)(minutes < 120    ? minutes
                         : minutes < 2880 ? minutes / 60
                                          : minutes / 1440),
             minutes < 120    ? "minutes"
             : minutes < 2880 ? "hours"
                              : "days");
    else
        good("%lld devices, the last one heard at %s", (long long)assets,
             time_print(text, newest_ns));
}

static void check_outputs(struct doctor *d, struct store *store)
{
    int64_t waiting =
        number(store, "SELECT count(*) FROM outbox o WHERE EXISTS (SELECT 1 FROM"
                      " output_cursor c WHERE c.sensor = o.sensor AND c.seq < o.seq)");
    int64_t lost = number(store, "SELECT sum(outbox_lost) FROM alert_totals");
    if (lost > 0)
        bad(d, "repair the output, and raise retention.outbox_hours",
            "%lld messages left the outbox before every output had them", (long long)lost);
    if (waiting > WAITING_MAX)
        bad(d, "see that Redis or the file can be reached and written",
            "%lld messages wait for an output", (long long)waiting);
    else
        good("%lld messages wait for an output", (long long)waiting);
}

/* What the sensor itself has complained about, and has not settled. */
static void check_sensor_alerts(struct doctor *d, struct store *store)
{
    struct error err;
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT json_extract(document, '$.message') FROM alerts WHERE rule GLOB 'sensor.*'"
        " AND status = 'growing' ORDER BY last_ns",
        &err);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        const char *message = (const char *)sqlite3_column_text(s, 0);
        bad(d, "see the alert in the console or with sightglass alerts", "%s",
            message ? message : "");
    }
    if (s)
        sqlite3_reset(s);
}

static void check_store(struct doctor *d, const char *path)
{
    struct store *store;
    struct error err = {""};
    if (!store_open(&store, path, STORE_READ_ONLY, store_schemas, &err)) {
        bad(d, "name the store with -s; the sensor makes it when it first runs", "%s", err.text);
        return;
    }
    good("store %s can be read", path);
    check_inventory(d, store);
    check_outputs(d, store);
    check_sensor_alerts(d, store);
    check_disk(d, path);
    store_close(store);
}

int cmd_doctor(int argc, char **argv)
{
    static const struct option options[] = {
        {"interface", required_argument, NULL, 'i'},
        {"store",     required_argument, NULL, 's'},
        {"seconds",   required_argument, NULL, 't'},
        {"help",      no_argument,       NULL, 'h'},
        {NULL,        0,                 NULL, 0  }
    };
    struct config config;
    config_defaults(&config);
    char path[sizeof config.state_dir + 32];
    text_format(path, sizeof path, "%s/sightglass.db", config.state_dir);
    const char *store = NULL, *interface = NULL;
    int option, seconds = LISTEN_S;
    while ((option = getopt_long(argc, argv, "i:s:h", options, NULL)) != -1) {
        switch (option) {
        case 'i':
            interface = optarg;
            break;
        case 's':
            store = optarg;
            break;
        case 't':
            seconds = atoi(optarg);
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc || seconds <= 0) {
        fputs(usage, stderr);
        return 2;
    }
    struct doctor d = {0};
    stop_install();
    if (interface)
        check_interface(&d, interface, seconds);
    if (store || !interface)
        check_store(&d, store ? store : path);
    check_clock();
    if (d.problems > 0)
        printf("%d problem%s found\n", d.problems, d.problems == 1 ? "" : "s");
    return d.problems > 0 ? 1 : 0;
}
