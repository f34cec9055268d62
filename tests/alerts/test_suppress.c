/* test_suppress.c: what people hold back, until when, and what is counted of it. */
#include "alerts/alerts.h"
#include "alerts/suppress.h"
#include "findings.h"

#include <stdio.h>

static const struct store_schema *const schemas[] = {&alerts_schema, NULL};

/* --- matching: a finding of 10.0.0.5 on 10.0.0.10 at START --- */

static const struct match_row {
    const char *shows, *rule, *actor, *target;
    int64_t until_ns, lifted_ns;
    bool matches;
} match_rows[] = {
    {"the type",                     "plc.stop",  "",                  "",          HOUR, 0, true },
    {"the beginning of a type",      "plc.*",     "",                  "",          HOUR, 0, true },
    {"all types",                    "*",         "",                  "",          HOUR, 0, true },
    {"another type",                 "plc.start", "",                  "",          HOUR, 0, false},
    {"a beginning needs its star",   "plc.",      "",                  "",          HOUR, 0, false},
    {"the actor",                    "plc.stop",  "10.0.0.5",          "",          HOUR, 0, true },
    {"another actor",                "plc.stop",  "10.0.0.6",          "",          HOUR, 0, false},
    {"the actor's subnet",           "plc.stop",  "10.0.0.0/29",       "",          HOUR, 0, true },
    {"a subnet that ends before it", "plc.stop",  "10.0.0.0/30",       "",          HOUR, 0, false},
    {"everybody's subnet",           "plc.stop",  "0.0.0.0/0",         "",          HOUR, 0, true },
    {"the actor's MAC",              "plc.stop",  "02:00:00:00:00:0A", "",          HOUR, 0, true },
    {"another MAC",                  "plc.stop",  "02:00:00:00:00:0b", "",          HOUR, 0, false},
    {"the target",                   "plc.stop",  "",                  "10.0.0.10", HOUR, 0, true },
    {"another target",               "plc.stop",  "",                  "10.0.0.11", HOUR, 0, false},
    {"until now: no longer",         "plc.stop",  "",                  "",          0,    0, false},
    {"lifted",                       "plc.stop",  "",                  "",          HOUR, 1, false},
};

START_TEST(matching)
{
    const struct match_row *row = &match_rows[_i];
    struct suppression s = {.until_ns = START + row->until_ns, .lifted_ns = row->lifted_ns};
    text_copy(s.rule, sizeof s.rule, text_of(row->rule));
    text_copy(s.actor, sizeof s.actor, text_of(row->actor));
    text_copy(s.target, sizeof s.target, text_of(row->target));
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    f.actor.mac = (struct mac){
        {2, 0, 0, 0, 0, 0x0a}
    };
    ck_assert_msg(suppression_matches(&s, &f) == row->matches, "%s", row->shows);
}
END_TEST

START_TEST(what_people_decide_is_always_told)
{
    struct suppression s = {.rule = "*", .until_ns = START + HOUR};
    struct finding f = finding_made(DETECTION_AUDIT_POLICY_CHANGED, START);
    ck_assert(!suppression_matches(&s, &f));
}
END_TEST

static const struct check_row {
    const char *shows, *rule, *actor, *reason;
    int64_t until_ns;
    const char *says; /* "": sound */
} check_rows[] = {
    {"sound",                 "plc.stop", "10.0.0.0/8",  "why", HOUR,            ""           },
    {"sound, by beginning",   "recon.*",  "",            "why", HOUR,            ""           },
    {"no such type",          "plc.halt", "",            "why", HOUR,            "plc.halt"   },
    {"no type",               "",         "",            "why", HOUR,            "--rule"     },
    {"no reason",             "plc.stop", "",            "",    HOUR,            "--why"      },
    {"no end",                "plc.stop", "",            "why", 0,               "--until"    },
    {"an end too far",        "plc.stop", "",            "why", 401 * 24 * HOUR, "400 days"   },
    {"no host",               "plc.stop", "plc-7",       "why", HOUR,            "plc-7"      },
    {"a prefix too long",     "plc.stop", "10.0.0.0/33", "why", HOUR,            "10.0.0.0/33"},
    {"a prefix that is none", "plc.stop", "10.0.0.0/",   "why", HOUR,            "10.0.0.0/"  },
};

START_TEST(checking)
{
    const struct check_row *row = &check_rows[_i];
    struct suppression s = {.made_ns = START, .until_ns = START + row->until_ns};
    struct error err = {""};
    text_copy(s.rule, sizeof s.rule, text_of(row->rule));
    text_copy(s.actor, sizeof s.actor, text_of(row->actor));
    text_copy(s.reason, sizeof s.reason, text_of(row->reason));
    ck_assert_msg(suppression_check(&s, &err) == (row->says[0] == '\0'), "%s", row->shows);
    ck_assert_msg(strstr(err.text, row->says) != NULL, "%s: %s", row->shows, err.text);
}
END_TEST

/* --- in the store --- */

struct bench {
    struct config config;
    struct store *store;
    struct store_queue *queue;
    struct alerts *alerts;
};

static void bench_create(struct bench *b)
{
    struct error err;
    config_defaults(&b->config);
    text_copy(b->config.jsonl_path, sizeof b->config.jsonl_path, TEXT("alerts.jsonl"));
    ck_assert_msg(store_open(&b->store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s",
                  err.text);
    ck_assert(store_queue_create(&b->queue, b->store, false, &err));
    struct alerts_options options = {
        .config = &b->config, .queue = b->queue, .is_deterministic = true, .storm_cap = 3};
    b->alerts = alerts_create(&options);
}

static void bench_destroy(struct bench *b)
{
    alerts_destroy(b->alerts);
    (void)store_queue_close(b->queue, NULL);
    store_close(b->store);
    config_release(&b->config);
}

static long long number(struct bench *b, const char *sql)
{
    struct error err;
    ck_assert(store_queue_commit(b->queue, &err));
    sqlite3_stmt *s = NULL;
    ck_assert_msg(sqlite3_prepare_v2(store_handle(b->store), sql, -1, &s, NULL) == SQLITE_OK,
                  "%s: %s", sql, sqlite3_errmsg(store_handle(b->store)));
    long long n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return n;
}

static void look(struct bench *b)
{
    struct error err;
    ck_assert_msg(alerts_suppressions(b->alerts, b->store, &err), "%s", err.text);
}

static void stop_plc(struct bench *b, int64_t time_ns, const char *key)
{
    struct finding f = finding_made(DETECTION_PLC_STOP, time_ns);
    text_copy(f.key, sizeof f.key, text_of(key));
    alerts_finding(b->alerts, &f);
}

START_TEST(held_back_until_its_end_and_counted)
{
    struct bench b = {0};
    bench_create(&b);
    struct suppression s = {.rule = "plc.stop",
                            .made_ns = START,
                            .until_ns = START + HOUR,
                            .by = "anna",
                            .reason = "trials"};
    struct error err;
    stop_plc(&b, START, "before");
    ck_assert(suppression_add(b.store, b.config.sensor, &s, &err));
    look(&b);
    look(&b); /* told once */
    stop_plc(&b, START + MINUTE, "while");
    stop_plc(&b, START + 2 * MINUTE, "while");
    stop_plc(&b, START + 2 * HOUR, "after");
    alerts_tick(b.alerts, START + 2 * HOUR, true);
    ck_assert_int_eq(number(&b, "SELECT count(*) FROM alerts WHERE rule = 'plc.stop'"), 2);
    ck_assert_int_eq(number(&b, "SELECT count(*) FROM alerts WHERE rule = 'audit.policy-changed'"),
                     1);
    ck_assert_int_eq(number(&b, "SELECT count FROM suppression_hits WHERE id = 1"), 2);
    ck_assert_int_eq(number(&b, "SELECT suppressed FROM alert_noise WHERE rule = 'plc.stop'"), 2);
    bench_destroy(&b);
}
END_TEST

START_TEST(lifted_is_told_and_ends_it)
{
    struct bench b = {0};
    bench_create(&b);
    struct suppression s = {.rule = "*", .made_ns = START, .until_ns = START + HOUR, .reason = "x"};
    struct error err;
    ck_assert(suppression_add(b.store, b.config.sensor, &s, &err));
    look(&b);
    stop_plc(&b, START + SECOND, "while");
    ck_assert(suppression_lift(b.store, b.config.sensor, s.id, START + 2 * SECOND, &err));
    ck_assert(!suppression_lift(b.store, b.config.sensor, s.id, START + 2 * SECOND, &err));
    look(&b);
    stop_plc(&b, START + 3 * SECOND, "after");
    ck_assert_int_eq(number(&b, "SELECT count(*) FROM alerts WHERE rule = 'plc.stop'"), 1);
    ck_assert_int_eq(number(&b, "SELECT count(*) FROM alerts WHERE rule = 'audit.policy-changed'"),
                     2);
    bench_destroy(&b);
}
END_TEST

START_TEST(too_many_are_refused)
{
    struct bench b = {0};
    bench_create(&b);
    struct suppression s = {
        .rule = "rw.*", .made_ns = START, .until_ns = START + HOUR, .reason = "x"};
    struct error err;
    for (int i = 0; i < SUPPRESSIONS_MAX; i++)
        ck_assert_msg(suppression_add(b.store, b.config.sensor, &s, &err), "%s", err.text);
    ck_assert(!suppression_add(b.store, b.config.sensor, &s, &err));
    s.made_ns = START + 2 * HOUR; /* those have ended */
    s.until_ns = START + 3 * HOUR;
    ck_assert_msg(suppression_add(b.store, b.config.sensor, &s, &err), "%s", err.text);
    bench_destroy(&b);
}
END_TEST

/* Figures per type and day: 2 days, a storm on the second. */
START_TEST(noise_figures)
{
    struct bench b = {0};
    bench_create(&b);
    stop_plc(&b, START, "one");
    stop_plc(&b, START + SECOND, "one");
    for (int i = 0; i < 5; i++) {
        char key[8];
        text_format(key, sizeof key, "%d", i);
        stop_plc(&b, START + 24 * HOUR + i, key);
    }
    alerts_tick(b.alerts, START + 24 * HOUR + MINUTE, true);
    static const struct {
        const char *sql;
        long long value;
    } rows[] = {
        {"SELECT count(*) FROM alert_noise",                          2},
        {"SELECT findings FROM alert_noise WHERE day = '2015-10-21'", 2},
        {"SELECT alerts FROM alert_noise WHERE day = '2015-10-21'",   1},
        {"SELECT findings FROM alert_noise WHERE day = '2015-10-22'", 5},
        {"SELECT alerts FROM alert_noise WHERE day = '2015-10-22'",   4}, /* 3 and the storm */
        {"SELECT folded FROM alert_noise WHERE day = '2015-10-22'",   2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(number(&b, rows[i].sql) == rows[i].value, "%s: %lld", rows[i].sql,
                      number(&b, rows[i].sql));
    bench_destroy(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("suppression");
    TCase *tcase = tcase_create("suppression");
    tcase_add_loop_test(tcase, matching, 0, sizeof match_rows / sizeof *match_rows);
    tcase_add_test(tcase, what_people_decide_is_always_told);
    tcase_add_loop_test(tcase, checking, 0, sizeof check_rows / sizeof *check_rows);
    tcase_add_test(tcase, held_back_until_its_end_and_counted);
    tcase_add_test(tcase, lifted_is_told_and_ends_it);
    tcase_add_test(tcase, too_many_are_refused);
    tcase_add_test(tcase, noise_figures);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
