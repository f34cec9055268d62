/* test_windows.c: what a maintenance window permits becomes a record, everything else stays an
 * alert, and its end tells what was done. */
#include "rules/site_model.h"
#include "rules/windows.h"
#include "support/runner.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)

/* A Monday, 09:00 UTC. */
#define MONDAY_NINE (INT64_C(1772442000) * SECOND)

static const char policy[] =
    "hosts: {eng: 10.0.0.5, plc: 10.0.1.10}\n"
    "windows:\n"
    "- {name: service, ticket: CHG-1, who: eng, what: plc, operations: [program_download, stop],\n"
    "   detections: [comm.new-link], days: mon, times: '08:00-10:00'}\n"
    "- {name: opening, what: 10.0.2.0/24, detections: ['plc.*'], start: 2026-03-02T08:00, end: "
    "2026-03-02T12:00}\n";

static const struct row {
    const char *shows;
    enum detection detection;
    enum operation operation;
    const char *actor, *target; /* target "": none */
    int64_t after_ns;
    uint32_t flags;
    const char *window; /* "": still an alert */
} rows[] = {
    {"a permitted operation",           DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.5",  "10.0.1.10", 0,                   0,
     "service"                                                                                                                                                               },
    {"its consequence",                 DETECTION_ASSET_NEW_ENGINEERING_ACTOR, OP_STOP,             "10.0.0.5",  "10.0.1.10", 0,
     0,                                                                                                                                                             "service"},
    {"another operation",               DETECTION_PLC_START,                   OP_START,            "10.0.0.5",  "10.0.1.10", 0,                   0,               ""       },
    {"another actor",                   DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.6",  "10.0.1.10", 0,                   0,               ""       },
    {"another device",                  DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.5",  "10.0.1.11", 0,                   0,               ""       },
    {"too late",                        DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.5",  "10.0.1.10", HOUR,                0,               ""       },
    {"the last moment",                 DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.5",  "10.0.1.10", HOUR - 1,            0,
     "service"                                                                                                                                                               },
    {"too early",                       DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.5",  "10.0.1.10", -HOUR - 1,           0,               ""       },
    {"the same hour on Tuesday",        DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.5",  "10.0.1.10", 24 * HOUR,           0,
     ""                                                                                                                                                                      },
    {"and a week later",                DETECTION_PLC_STOP,                    OP_STOP,             "10.0.0.5",  "10.0.1.10", 7 * 24 * HOUR,       0,
     "service"                                                                                                                                                               },
    {"a late outcome of what it began", DETECTION_PLC_PROGRAM_DOWNLOAD,        OP_PROGRAM_DOWNLOAD,
     "10.0.0.5",                                                                                                 "10.0.1.10", HOUR + 60 * SECOND,  FINDING_OUTCOME, "service"},
    {"an outcome much too late",        DETECTION_PLC_PROGRAM_DOWNLOAD,        OP_PROGRAM_DOWNLOAD, "10.0.0.5",
     "10.0.1.10",                                                                                                             HOUR + 960 * SECOND, FINDING_OUTCOME, ""       },
    {"a permitted type",                DETECTION_COMM_NEW_LINK,               OP_UNKNOWN,          "10.0.0.5",  "10.0.1.10", 0,                   0,
     "service"                                                                                                                                                               },
    {"a value is not the operation",    DETECTION_RW_VALUE_OUT_OF_RANGE,       OP_STOP,             "10.0.0.5",
     "10.0.1.10",                                                                                                             0,                   0,               ""       },
    {"nor is a breach of zones",        DETECTION_SEG_ZONE_VIOLATION,          OP_STOP,             "10.0.0.5",  "10.0.1.10", 0,
     0,                                                                                                                                                             ""       },
    {"nor an act on a safety system",   DETECTION_PLC_SAFETY_ACCESS,           OP_STOP,             "10.0.0.5",  "10.0.1.10",
     0,                                                                                                                                            0,               ""       },
    {"types by a pattern, by anybody",  DETECTION_PLC_FORCE_IO,                OP_FORCE,            "10.0.0.9",  "10.0.2.10", 0,
     0,                                                                                                                                                             "opening"},
    {"what a device shows of itself",   DETECTION_PLC_MODE_CHANGE,             OP_DIAGNOSTICS,      "10.0.2.10", "",          0,
     0,                                                                                                                                                             "opening"},
    {"the pattern leaves others",       DETECTION_RW_NEW_WRITER,               OP_WRITE,            "10.0.0.9",  "10.0.2.10", 0,                   0,
     ""                                                                                                                                                                      },
    {"what the sensor says of itself",  DETECTION_SENSOR_PACKET_LOSS,          OP_UNKNOWN,          "10.0.0.5",
     "10.0.1.10",                                                                                                             0,                   0,               ""       },
};

static struct finding finding_of(const struct row *r)
{
    struct finding f;
    memset(&f, 0, sizeof f);
    f.detection = r->detection;
    f.operation = r->operation;
    f.time_ns = MONDAY_NINE + r->after_ns;
    f.flags = r->flags;
    f.count = 1;
    ck_assert(address_parse(&f.actor.ip, r->actor));
    f.has_target = *r->target != '\0';
    ck_assert(!f.has_target || address_parse(&f.target.ip, r->target));
    snprintf(f.what, sizeof f.what, "did it to %%T");
    snprintf(f.object, sizeof f.object, "OB1");
    return f;
}

static struct site *site_of(void)
{
    struct error err = {""};
    struct site *site = site_parse(policy, sizeof policy - 1, "p.yaml", "UTC", &err);
    ck_assert_msg(site != NULL, "%s", err.text);
    return site;
}

START_TEST(permit)
{
    const struct row *r = &rows[_i];
    struct site *site = site_of();
    struct windows *w = windows_create("s", NULL);
    struct finding f = finding_of(r);
    bool is_record = windows_permit(w, site, &f);
    ck_assert_msg(is_record == (*r->window != '\0'), "%s", r->shows);
    if (is_record) {
        ck_assert_int_eq(f.detection, DETECTION_CHANGE_MAINTENANCE_RECORD);
        ck_assert_int_eq(f.permitted, r->detection);
        ck_assert_str_eq(f.window, r->window);
        ck_assert_str_eq(f.ticket, strcmp(r->window, "service") == 0 ? "CHG-1" : "");
    } else {
        ck_assert_int_eq(f.detection, r->detection);
    }
    windows_destroy(w);
    site_release(site);
}
END_TEST

/* --- the end, and the store --- */

struct heard {
    struct finding last;
    int count;
    char report[1024];
};

static void hear(void *context, const struct finding *f)
{
    struct heard *heard = context;
    heard->last = *f;
    heard->count++;
}

static void put(void *context, const struct window_action *a)
{
    struct heard *heard = context;
    size_t used = strlen(heard->report);
    snprintf(heard->report + used, sizeof heard->report - used, "%s/%s %s->%s %s %s %s %lld%s\n",
             a->window, a->ticket, a->actor ? a->actor : "-", a->target, a->rule, a->object,
             a->outcome, (long long)a->count, a->has_ended ? "" : " open");
}

START_TEST(end)
{
    static const struct store_schema *const schemas[] = {&windows_schema, NULL};
    struct error err = {""};
    struct store *store;
    struct store_queue *queue;
    struct heard heard = {.count = 0};
    struct finding_sink sink = {.context = &heard, .finding = hear};
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert(store_queue_create(&queue, store, false, &err));
    struct site *site = site_of();
    struct windows *w = windows_create("s", queue);

    struct finding stop = finding_of(&rows[0]), again = finding_of(&rows[0]);
    ck_assert(windows_permit(w, site, &stop));
    again.flags = FINDING_OUTCOME | FINDING_CONFIRMED;
    ck_assert(windows_permit(w, site, &again));
    struct finding third = finding_of(&rows[0]);
    third.count = 3;
    ck_assert(windows_permit(w, site, &third));
    windows_tick(w, MONDAY_NINE + HOUR - 1, &sink);
    windows_tick(w, MONDAY_NINE + HOUR + 60 * SECOND, &sink); /* outcomes may still come */
    ck_assert_int_eq(heard.count, 0);
    ck_assert(store_queue_commit(queue, &err));
    ck_assert(windows_report(store, "s", NULL, put, &heard, &err));
    ck_assert_str_eq(heard.report,
                     "service/CHG-1 10.0.0.5->10.0.1.10 plc.stop OB1 confirmed 4 open\n");

    windows_tick(w, MONDAY_NINE + 2 * HOUR, &sink);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_int_eq(heard.last.detection, DETECTION_CHANGE_MAINTENANCE_RECORD);
    ck_assert_ptr_nonnull(
        strstr(heard.last.what, "service, ticket CHG-1 has ended: 1 kind of action on 1 device"));
    ck_assert_ptr_nonnull(strstr(heard.last.seen, "plc.stop on 10.0.1.10"));
    windows_tick(w, MONDAY_NINE + 3 * HOUR, &sink);
    ck_assert_int_eq(heard.count, 1);
    ck_assert(store_queue_commit(queue, &err));
    heard.report[0] = '\0';
    ck_assert(windows_report(store, "s", "service", put, &heard, &err));
    ck_assert_str_eq(heard.report, "service/CHG-1 10.0.0.5->10.0.1.10 plc.stop OB1 confirmed 4\n");
    heard.report[0] = '\0';
    ck_assert(windows_report(store, "s", "another", put, &heard, &err));
    ck_assert(windows_report(store, "other", NULL, put, &heard, &err));
    ck_assert_str_eq(heard.report, "");

    windows_destroy(w);
    site_release(site);
    ck_assert(store_queue_close(queue, &err));
    store_close(store);
}
END_TEST

/* A download ends with the activation of its block, which is another operation; one that was not
 * permitted does not become so by its end. */
START_TEST(end_of_a_permitted_action)
{
    struct site *site = site_of();
    struct windows *w = windows_create("s", NULL);
    const struct row *download = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].operation == OP_PROGRAM_DOWNLOAD && *rows[i].window)
            download = &rows[i];
    ck_assert_ptr_nonnull(download);
    struct finding begin = finding_of(download), activation = begin;
    begin.time_ns = MONDAY_NINE;
    begin.flags = 0;
    activation.time_ns = MONDAY_NINE + SECOND;
    activation.operation = OP_PROGRAM_MODIFY;
    activation.flags = FINDING_OUTCOME | FINDING_COMPLETED;
    struct finding too_early = activation;
    ck_assert(!windows_permit(w, site, &too_early));
    ck_assert(windows_permit(w, site, &begin));
    ck_assert(windows_permit(w, site, &activation));
    windows_destroy(w);
    site_release(site);
}
END_TEST

/* More occurrences than are followed: the oldest are not reported, and nothing breaks. */
START_TEST(many_occurrences)
{
    struct heard heard = {.count = 0};
    struct finding_sink sink = {.context = &heard, .finding = hear};
    struct site *site = site_of();
    struct windows *w = windows_create("s", NULL);
    for (int i = 0; i < 200; i++) {
        struct finding f = finding_of(&rows[0]);
        f.time_ns += i * 7 * 24 * HOUR;
        ck_assert(windows_permit(w, site, &f));
    }
    windows_tick(w, MONDAY_NINE + 200 * 7 * 24 * HOUR, &sink);
    ck_assert_int_gt(heard.count, 0);
    ck_assert_int_le(heard.count, 200);
    windows_destroy(w);
    site_release(site);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("windows");
    TCase *tcase = tcase_create("rows");
    tcase_add_loop_test(tcase, permit, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, end);
    tcase_add_test(tcase, end_of_a_permitted_action);
    tcase_add_test(tcase, many_occurrences);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
