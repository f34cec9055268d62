/* test_incidents.c: which alerts make one story, and how it is told. */
#include "alerts/alerts.h"
#include "alerts/incidents.h"
#include "findings.h"

#include <stdio.h>
#include <unistd.h>

static const struct store_schema *const schemas[] = {&alerts_schema, NULL};

struct bench {
    struct config config;
    struct store *store;
    struct store_queue *queue;
    struct alerts *alerts;
};

static struct bench *bench_create_as(const char *path, bool is_live)
{
    struct bench *b = calloc(1, sizeof *b);
    struct error err;
    config_defaults(&b->config);
    text_copy(b->config.jsonl_path, sizeof b->config.jsonl_path, TEXT("alerts.jsonl"));
    ck_assert_msg(store_open(&b->store, path, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert(store_queue_create(&b->queue, b->store, false, &err));
    struct alerts_options options = {
        .config = &b->config, .queue = b->queue, .is_deterministic = !is_live};
    b->alerts = alerts_create(&options);
    ck_assert_msg(alerts_load(b->alerts, b->store, &err), "%s", err.text);
    return b;
}

static struct bench *bench_create(const char *path)
{
    return bench_create_as(path, false);
}

static void bench_destroy(struct bench *b)
{
    alerts_destroy(b->alerts);
    (void)store_queue_close(b->queue, NULL);
    store_close(b->store);
    config_release(&b->config);
    free(b);
}

static void say(struct bench *b, enum detection detection, int64_t after_ns, const char *actor,
                const char *target, uint32_t flags)
{
    struct finding f = finding_made(detection, START + after_ns);
    f.actor = host(actor, 49160);
    f.has_target = target != NULL;
    if (target)
        f.target = host(target, 102);
    f.flags = flags;
    alerts_finding(b->alerts, &f);
}

/* The first column of the only row, or of none: "". */
static const char *text_of_row(struct bench *b, const char *sql)
{
    static char text[4096];
    struct error err;
    text[0] = '\0';
    ck_assert(store_queue_commit(b->queue, &err));
    sqlite3_stmt *s = NULL;
    ck_assert_msg(sqlite3_prepare_v2(store_handle(b->store), sql, -1, &s, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(store_handle(b->store)));
    if (sqlite3_step(s) == SQLITE_ROW)
        text_copy(text, sizeof text, text_of((const char *)sqlite3_column_text(s, 0)));
    sqlite3_finalize(s);
    return text;
}

/* --- joining: a first alert of 10.0.0.5 on 10.0.0.10, then another --- */

static const struct join_row {
    const char *shows, *actor, *target;
    int64_t after_ns;
    bool is_same;
} join_rows[] = {
    {"the actor goes on at another target",    "10.0.0.5",  "10.0.0.77", MINUTE,      true },
    {"the target shows an effect",             "10.0.0.10", NULL,        MINUTE,      true },
    {"from the target on to the next host",    "10.0.0.10", "10.0.0.77", MINUTE,      true },
    {"another one at the same target",         "10.0.0.6",  "10.0.0.10", MINUTE,      true },
    {"somebody talks with the actor",          "10.0.0.6",  "10.0.0.5",  MINUTE,      true },
    {"others among themselves: another story", "10.0.0.6",  "10.0.0.77", MINUTE,      false},
    {"a broadcast joins nothing",              "10.0.0.6",  "224.0.0.1", MINUTE,      false},
    {"after a long pause it is another story", "10.0.0.5",  "10.0.0.10", 31 * MINUTE, false},
};

START_TEST(joining)
{
    const struct join_row *row = &join_rows[_i];
    struct bench *b = bench_create(":memory:");
    say(b, DETECTION_RECON_PORT_SCAN, 0, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_PLC_STOP, row->after_ns, row->actor, row->target, 0);
    bool is_same = strcmp(text_of_row(b, "SELECT count(DISTINCT incident) FROM alerts"), "1") == 0;
    ck_assert_msg(is_same == row->is_same, "%s", row->shows);
    bench_destroy(b);
}
END_TEST

START_TEST(another_segment_is_another_story)
{
    struct bench *b = bench_create(":memory:");
    say(b, DETECTION_RECON_PORT_SCAN, 0, "10.0.0.5", "10.0.0.10", 0);
    struct finding f = finding_made(DETECTION_PLC_STOP, START + SECOND);
    f.segment = 1;
    alerts_finding(b->alerts, &f);
    ck_assert_str_eq(text_of_row(b, "SELECT count(DISTINCT incident) FROM alerts"), "2");
    bench_destroy(b);
}
END_TEST

/* ARP knows the attacker's MAC alone; what it does later has an address too. */
START_TEST(a_mac_joins_its_address)
{
    struct bench *b = bench_create(":memory:");
    for (int i = 0; i < 2; i++) {
        struct finding f =
            finding_made(i ? DETECTION_RW_NEW_WRITER : DETECTION_NET_ARP_SPOOF, START + i * SECOND);
        f.actor.mac = (struct mac){
            {2, 0, 0, 0, 0, 5}
        };
        if (i == 0)
            memset(&f.actor.ip, 0, sizeof f.actor.ip);
        else
            f.target = host("10.0.0.99", 502);
        alerts_finding(b->alerts, &f);
    }
    ck_assert_str_eq(text_of_row(b, "SELECT count(DISTINCT incident) FROM alerts"), "1");
    bench_destroy(b);
}
END_TEST

/* --- telling --- */

START_TEST(the_whole_story)
{
    struct bench *b = bench_create(":memory:");
    say(b, DETECTION_RECON_PORT_SCAN, 0, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_COMM_NEW_LINK, 5 * SECOND, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_RECON_OT_IDENTIFY, 6 * SECOND, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_PLC_PROGRAM_UPLOAD, 20 * SECOND, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_PLC_PROGRAM_DOWNLOAD, 40 * SECOND, "10.0.0.5", "10.0.0.10", FINDING_CONFIRMED);
    say(b, DETECTION_PLC_STOP, 50 * SECOND, "10.0.0.5", "10.0.0.10", FINDING_REFUSED);
    alerts_tick(b->alerts, START + MINUTE, true);
    ck_assert_str_eq(text_of_row(b, "SELECT count(*) FROM incidents"), "1");
    ck_assert_str_eq(text_of_row(b, "SELECT title FROM incidents"),
                     "10.0.0.5 scanned 10.0.0.10, made first contact with it, probed it, read its "
                     "program, downloaded a program to it and tried to stop it, within 51 s");
    ck_assert_str_eq(text_of_row(b, "SELECT severity FROM incidents"), "10");
    ck_assert_str_eq(text_of_row(b, "SELECT status FROM incidents"), "settled");
    ck_assert_str_eq(text_of_row(b, "SELECT group_concat(value) FROM incidents,"
                                    " json_each(document, '$.tactics')"),
                     "discovery,initial-access,collection,lateral-movement,execution");
    ck_assert_str_eq(
        text_of_row(b, "SELECT json_array_length(document, '$.alerts') FROM incidents"), "6");
    ck_assert_str_eq(text_of_row(b, "SELECT id = (SELECT id FROM alerts ORDER BY first_ns LIMIT 1)"
                                    " FROM incidents"),
                     "1");
    bench_destroy(b);
}
END_TEST

static const struct told_row {
    const char *shows;
    enum detection first, second;
    const char *told;
} told_rows[] = {
    {"a new device that makes a contact is no incident", DETECTION_ASSET_NEW,
     DETECTION_COMM_NEW_LINK,                                                                                  "0"},
    {"a contact and another protocol are none",          DETECTION_COMM_NEW_LINK,
     DETECTION_COMM_NEW_PROTOCOL,                                                                              "0"},
    {"another protocol and a service are none",          DETECTION_COMM_NEW_PROTOCOL,
     DETECTION_ACCESS_CONTROLLER_WEB,                                                                          "0"},
    {"two of a kind are none",                           DETECTION_PLC_STOP,          DETECTION_PLC_STOP,      "0"},
    {"a contact and a write are one",                    DETECTION_COMM_NEW_LINK,     DETECTION_RW_NEW_WRITER, "1"},
    {"a new controller and a contact are one",           DETECTION_COMM_NEW_LINK,
     DETECTION_ASSET_NEW_CONTROLLER,                                                                           "1"},
};

START_TEST(told)
{
    const struct told_row *row = &told_rows[_i];
    struct bench *b = bench_create(":memory:");
    say(b, row->first, 0, "10.0.0.5", "10.0.0.10", 0);
    say(b, row->second, SECOND, "10.0.0.5", "10.0.0.11", 0);
    alerts_tick(b->alerts, START + MINUTE, true);
    ck_assert_msg(strcmp(text_of_row(b, "SELECT count(*) FROM incidents"), row->told) == 0, "%s",
                  row->shows);
    bench_destroy(b);
}
END_TEST

START_TEST(the_alert_tells_its_story)
{
    struct bench *b = bench_create(":memory:");
    say(b, DETECTION_COMM_NEW_LINK, 0, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_RW_NEW_WRITER, SECOND, "10.0.0.5", "10.0.0.10", 0);
    ck_assert_str_eq(
        text_of_row(b, "SELECT json_extract(document, '$.sightglass.story.title')"
                       " FROM alerts WHERE rule = 'rw.new-writer'"),
        "10.0.0.5 made first contact with 10.0.0.10 and changed its values, within 2 s");
    ck_assert_str_eq(text_of_row(b, "SELECT count(*) FROM alerts WHERE rule = 'comm.new-link' AND"
                                    " json_extract(document, '$.sightglass.story') IS NOT NULL"),
                     "0"); /* it was alone then */
    bench_destroy(b);
}
END_TEST

/* That it was a safety system is told beside what was done to it, which is what the title says:
 * also of another who had a part. */
START_TEST(what_was_done_to_a_safety_system)
{
    struct bench *b = bench_create(":memory:");
    say(b, DETECTION_PLC_SAFETY_ACCESS, 0, "10.0.0.5", "10.0.0.10", FINDING_SAFETY_ASSET);
    say(b, DETECTION_PLC_STOP, 0, "10.0.0.5", "10.0.0.10", FINDING_SAFETY_ASSET);
    say(b, DETECTION_RW_NEW_WRITER, SECOND, "10.0.0.6", "10.0.0.10", 0);
    say(b, DETECTION_PLC_SAFETY_ACCESS, 2 * SECOND, "10.0.0.6", "10.0.0.10", FINDING_SAFETY_ASSET);
    say(b, DETECTION_PLC_PROGRAM_DOWNLOAD, 3 * SECOND, "10.0.0.6", "10.0.0.10",
        FINDING_SAFETY_ASSET);
    alerts_tick(b->alerts, START + MINUTE, true);
    ck_assert_str_eq(text_of_row(b, "SELECT count(*) FROM incidents"), "1");
    ck_assert_str_eq(text_of_row(b, "SELECT title FROM incidents"),
                     "10.0.0.5 stopped 10.0.0.10; 10.0.0.6 downloaded a program to 10.0.0.10,"
                     " within 4 s");
    bench_destroy(b);
}
END_TEST

/* Who is known already makes no first contact. */
START_TEST(known_to_each_other)
{
    struct bench *b = bench_create(":memory:");
    say(b, DETECTION_COMM_NEW_PROTOCOL, 0, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_ACCESS_CONTROLLER_WEB, SECOND, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_RW_NEW_WRITER, 2 * SECOND, "10.0.0.5", "10.0.0.10", 0);
    alerts_tick(b->alerts, START + MINUTE, true);
    ck_assert_str_eq(text_of_row(b, "SELECT title FROM incidents"),
                     "10.0.0.5 talked in a new way with 10.0.0.10, opened one of its services and"
                     " changed its values, within 3 s");
    bench_destroy(b);
}
END_TEST

START_TEST(goes_on_after_a_restart)
{
    char path[] = "/tmp/sightglass-test-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    struct bench *b = bench_create(path);
    say(b, DETECTION_COMM_NEW_LINK, 0, "10.0.0.5", "10.0.0.10", 0);
    say(b, DETECTION_RW_NEW_WRITER, SECOND, "10.0.0.5", "10.0.0.10", 0);
    alerts_tick(b->alerts, START + 2 * SECOND, true);
    bench_destroy(b);
    b = bench_create(path);
    say(b, DETECTION_PLC_STOP, 5 * MINUTE, "10.0.0.5", "10.0.0.10", 0);
    alerts_tick(b->alerts, START + 5 * MINUTE, true);
    ck_assert_str_eq(text_of_row(b, "SELECT count(*) FROM incidents"), "1");
    ck_assert_str_eq(text_of_row(b, "SELECT alerts FROM incidents"), "3");
    bench_destroy(b);
    unlink(path);
}
END_TEST

/* However long a story is: people who watch the store see its next alert within seconds, and that
 * it goes on; of a file, whose store nobody sees meanwhile, it can wait. */
static const struct {
    const char *shows;
    int actors, alerts;
    bool is_live;
    int waits_s;
    const char *count;
} soon_rows[] = {
    {"a short story",                  1,  3,   true,  1, "4"  },
    {"a long story",                   1,  200, true,  6, "201"},
    {"more actors than it has places", 40, 40,  true,  6, "41" },
    {"a long story in a file",         1,  200, false, 6, "200"},
};

START_TEST(soon)
{
    struct bench *b = bench_create_as(":memory:", soon_rows[_i].is_live);
    int64_t at_ns = 0;
    for (int i = 0; i < soon_rows[_i].alerts; i++, at_ns += SECOND) {
        char actor[32], target[32];
        text_format(actor, sizeof actor, "10.0.0.%d", 5 + i % soon_rows[_i].actors);
        text_format(target, sizeof target, "10.0.%d.%d", 1 + i / 200, 1 + i % 200);
        say(b, i == 0 ? DETECTION_PLC_STOP : DETECTION_COMM_NEW_LINK, at_ns, actor,
            soon_rows[_i].actors > 1 ? "10.0.0.200" : target, 0);
        alerts_tick(b->alerts, START + at_ns, false);
    }
    at_ns += 11 * MINUTE;
    alerts_tick(b->alerts, START + at_ns, false); /* all is told that waited */
    say(b, DETECTION_RW_NEW_WRITER, at_ns += SECOND, "10.0.0.5", "10.0.0.200", 0);
    alerts_tick(b->alerts, START + at_ns + soon_rows[_i].waits_s * SECOND, false);
    const char *count = text_of_row(b, "SELECT max(alerts) FROM incidents");
    ck_assert_msg(strcmp(count, soon_rows[_i].count) == 0, "%s: %s", soon_rows[_i].shows, count);
    bench_destroy(b);
}
END_TEST

/* A scan of thousands, and thousands of stories at once: everything stays within its bounds. */
START_TEST(bounded)
{
    struct bench *b = bench_create(":memory:");
    for (int i = 0; i < 2000; i++) {
        char actor[32], target[32];
        text_format(actor, sizeof actor, "10.1.%d.%d", i / 200, i % 200 + 1);
        text_format(target, sizeof target, "10.2.%d.%d", i / 200, i % 200 + 1);
        enum detection d = (enum detection)(i % DETECTION_COUNT);
        say(b, d, i * SECOND, actor, target, 0);
        say(b, d, i * SECOND, "10.3.0.1", target, 0);
        alerts_tick(b->alerts, START + i * SECOND, false);
    }
    alerts_tick(b->alerts, START + HOUR, true);
    ck_assert_int_le(atoi(text_of_row(b, "SELECT max(json_array_length(document, '$.alerts'))"
                                         " FROM incidents")),
                     INCIDENT_ALERTS_MAX);
    ck_assert_int_gt(atoi(text_of_row(b, "SELECT max(alerts) FROM incidents")), 100);
    bench_destroy(b);
}
END_TEST

/* Every type has its place in a story: none falls through to the last row. */
START_TEST(every_type_has_a_stage)
{
    const char *id = detection_kind((enum detection)_i)->id;
    bool is_outside = strncmp(id, "sensor.", 7) == 0 || strncmp(id, "audit.", 6) == 0 ||
                      strncmp(id, "change.", 7) == 0 || strncmp(id, "rule.", 5) == 0;
    const char *stage = stage_name(stage_of((enum detection)_i));
    if (strncmp(id, "asset.", 6) != 0 && strncmp(id, "access.", 7) != 0 &&
        strncmp(id, "net.", 4) != 0) /* of these some only accompany */
        ck_assert_msg((strcmp(stage, "other") == 0) == is_outside, "%s: %s", id, stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("incidents");
    TCase *tcase = tcase_create("stories");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, joining, 0, sizeof join_rows / sizeof *join_rows);
    tcase_add_test(tcase, another_segment_is_another_story);
    tcase_add_test(tcase, a_mac_joins_its_address);
    tcase_add_test(tcase, the_whole_story);
    tcase_add_loop_test(tcase, told, 0, sizeof told_rows / sizeof *told_rows);
    tcase_add_test(tcase, what_was_done_to_a_safety_system);
    tcase_add_test(tcase, known_to_each_other);
    tcase_add_loop_test(tcase, soon, 0, sizeof soon_rows / sizeof *soon_rows);
    tcase_add_test(tcase, the_alert_tells_its_story);
    tcase_add_test(tcase, goes_on_after_a_restart);
    tcase_add_test(tcase, bounded);
    tcase_add_loop_test(tcase, every_type_has_a_stage, 0, DETECTION_COUNT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
