/* test_delivery.c: from the outbox to JSON lines files. With the arguments "flow CONFIG STORE COUNT
 * GAP_MS PATIENCE_MS" it is a small sensor that raises alerts while its outputs come and go, for
 * tests/e2e/test_redis.py. */
#include "alerts/alerts.h"
#include "alerts/output.h"
#include "findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct store_schema *const schemas[] = {&alerts_schema, NULL};

/* --- a small sensor --- */

static int flow_failed(const char *what, const struct error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    return EXIT_FAILURE;
}

/* Every third finding repeats a cause, every seventh has an outcome. */
static void flow_raise(struct alerts *alerts, int i)
{
    struct finding f = finding_made(DETECTION_PLC_STOP, START + i * SECOND);
    text_format(f.key, sizeof f.key, "%d", i % 3 == 0 ? i / 30 : i);
    f.flags = i % 7 == 0 ? FINDING_REFUSED : 0;
    alerts_finding(alerts, &f);
    alerts_tick(alerts, f.time_ns, false);
}

static int flow(char **argv)
{
    int count = atoi(argv[2]), gap_ms = atoi(argv[3]), patience_ms = atoi(argv[4]);
    struct config config;
    struct store *store;
    struct store_queue *queue;
    struct delivery *delivery;
    struct error err = {""};
    config_defaults(&config);
    if (!config_read(&config, argv[0], &err) ||
        !store_open(&store, argv[1], STORE_READ_WRITE, schemas, &err) ||
        !store_queue_create(&queue, store, true, &err) ||
        !delivery_start(&delivery, &config, argv[1], &err))
        return flow_failed("start", &err);
    struct alerts_options options = {.config = &config, .queue = queue, .is_deterministic = true};
    struct alerts *alerts = alerts_create(&options);
    if (!alerts_load(alerts, store, &err))
        return flow_failed("load", &err);
    for (int i = 0; i < count; i++) {
        flow_raise(alerts, i);
        usleep((unsigned)gap_ms * 1000);
    }
    alerts_tick(alerts, START + count * SECOND, true);
    alerts_destroy(alerts);
    if (!store_queue_commit(queue, &err) || !store_queue_close(queue, &err))
        return flow_failed("store", &err);
    struct delivery_state state;
    delivery_state(delivery, &state);
    delivery_stop(delivery, patience_ms);
    store_close(store);
    config_release(&config);
    printf("retries %" PRIu64 " resent %" PRIu64 "\n", state.retries, state.resent);
    return EXIT_SUCCESS;
}

/* --- tests --- */

struct bench {
    char folder[64], store_path[128];
    struct config config;
    struct store *store;
    struct store_queue *queue;
};

static struct bench *bench_create(void)
{
    struct bench *b = calloc(1, sizeof *b);
    struct error err;
    config_defaults(&b->config);
    snprintf(b->folder, sizeof b->folder, "/tmp/sightglass-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(b->folder));
    snprintf(b->store_path, sizeof b->store_path, "%s/store.db", b->folder);
    snprintf(b->config.jsonl_path, sizeof b->config.jsonl_path, "%s/alerts.jsonl", b->folder);
    ck_assert_msg(store_open(&b->store, b->store_path, STORE_READ_WRITE, schemas, &err), "%s",
                  err.text);
    ck_assert(store_queue_create(&b->queue, b->store, false, &err));
    return b;
}

static void bench_destroy(struct bench *b)
{
    char command[128];
    store_queue_close(b->queue, NULL);
    store_close(b->store);
    config_release(&b->config);
    snprintf(command, sizeof command, "rm -r '%s'", b->folder);
    ck_assert_int_eq(system(command), 0);
    free(b);
}

static void post(struct bench *b, const char *stream, int from, int count, size_t padding)
{
    char json[4096];
    struct error err;
    for (int i = from; i < from + count; i++) {
        int size = snprintf(json, sizeof json, "{\"n\":%d,\"p\":\"%*s\"}", i, (int)padding, "");
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        alerts_message(b->queue, "sightglass", stream, id, 1, json, (size_t)size);
    }
    ck_assert_msg(store_queue_commit(b->queue, &err), "%s", err.text);
}

static void deliver(struct bench *b)
{
    struct delivery *delivery;
    struct error err = {""};
    ck_assert_msg(delivery_start(&delivery, &b->config, b->store_path, &err), "%s", err.text);
    delivery_stop(delivery, 5000);
}

/* Counts lines; each must be whole and have the next number. */
static int lines_of(const char *path, int next)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    char line[8192];
    int n = 0, number;
    for (; fgets(line, sizeof line, file); n++) {
        ck_assert_msg(line[strlen(line) - 1] == '\n', "%s ends inside a line", path);
        ck_assert_msg(sscanf(line, "{\"n\":%d,", &number) == 1, "%s: not a whole line: %s", path,
                      line);
        if (next >= 0)
            ck_assert_int_eq(number, next + n);
    }
    fclose(file);
    return n;
}

START_TEST(alerts_come_once_and_in_order)
{
    struct bench *b = bench_create();
    post(b, "alerts", 0, 150, 10);
    post(b, "health", 0, 5, 10); /* not for this file */
    deliver(b);
    ck_assert_int_eq(lines_of(b->config.jsonl_path, 0), 150);
    deliver(b); /* the place was kept: nothing comes twice */
    post(b, "alerts", 150, 50, 10);
    deliver(b);
    ck_assert_int_eq(lines_of(b->config.jsonl_path, 0), 200);
    bench_destroy(b);
}
END_TEST

/* Alerts of a run without outputs: an output that comes later gets each as it is in the store. */
START_TEST(an_output_that_comes_later_gets_the_alerts_of_the_store)
{
    struct bench *b = bench_create();
    char path[sizeof b->config.jsonl_path];
    struct error err;
    memcpy(path, b->config.jsonl_path, sizeof path);
    b->config.jsonl_path[0] = '\0';
    struct alerts_options options = {
        .config = &b->config, .queue = b->queue, .is_deterministic = true};
    struct alerts *alerts = alerts_create(&options);
    for (int i = 0; i < 100; i++)
        flow_raise(alerts, i);
    alerts_tick(alerts, START + HOUR, true);
    alerts_destroy(alerts);
    ck_assert_msg(store_queue_commit(b->queue, &err), "%s", err.text);
    memcpy(b->config.jsonl_path, path, sizeof path);
    ck_assert(store_exec(b->store, "DELETE FROM alerts WHERE rowid % 10 = 0", &err)); /* aged */
    post(b, "alerts", 0, 1, 10);

    struct delivery *delivery;
    struct delivery_state state;
    ck_assert_msg(delivery_start(&delivery, &b->config, b->store_path, &err), "%s", err.text);
    delivery_stop(delivery, 5000);
    ck_assert_msg(delivery_start(&delivery, &b->config, b->store_path, &err), "%s", err.text);
    delivery_state(delivery, &state);
    ck_assert_uint_eq(state.waiting, 0);
    delivery_stop(delivery, 0);

    sqlite3_stmt *s = store_statement(
        b->store, "SELECT document FROM alerts ORDER BY json_extract(document, '$.event.id')",
        &err);
    int alerts_count = 0, lines = 0;
    for (; sqlite3_step(s) == SQLITE_ROW; alerts_count++) {
        char line[16384];
        bool is_there = false;
        FILE *file = fopen(path, "r");
        while (!is_there && fgets(line, sizeof line, file)) {
            line[strcspn(line, "\n")] = '\0';
            is_there = strcmp(line, (const char *)sqlite3_column_text(s, 0)) == 0;
        }
        fclose(file);
        ck_assert(is_there);
    }
    sqlite3_reset(s);
    FILE *file = fopen(path, "r");
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    ck_assert_int_gt(alerts_count, 20);
    ck_assert_int_eq(lines, alerts_count + 1);
    bench_destroy(b);
}
END_TEST

START_TEST(the_file_rotates_by_size_and_keeps_some)
{
    char path[300];
    struct bench *b = bench_create();
    b->config.jsonl_megabytes = 1;
    b->config.jsonl_keep = 2;
    post(b, "alerts", 0, 2000, 2000); /* 4 MB */
    deliver(b);
    int total = lines_of(b->config.jsonl_path, -1);
    struct stat status;
    for (int i = 1; i <= 2; i++) {
        snprintf(path, sizeof path, "%s.%d", b->config.jsonl_path, i);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_int_le(status.st_size, 1 << 20);
        ck_assert_int_gt(status.st_size, (1 << 20) - 4096);
        total += lines_of(path, -1);
    }
    snprintf(path, sizeof path, "%s.3", b->config.jsonl_path);
    ck_assert_int_ne(stat(path, &status), 0);
    ck_assert_int_gt(total, 1000);
    ck_assert_int_lt(total, 2000); /* the oldest are gone */
    bench_destroy(b);
}
END_TEST

START_TEST(a_cut_off_line_stands_alone)
{
    struct bench *b = bench_create();
    FILE *file = fopen(b->config.jsonl_path, "w");
    fputs("{\"n\":-1,\"half", file);
    fclose(file);
    post(b, "alerts", 0, 3, 10);
    deliver(b);
    ck_assert_int_eq(lines_of(b->config.jsonl_path, -1), 4);
    bench_destroy(b);
}
END_TEST

START_TEST(a_file_moved_away_is_begun_anew)
{
    char moved[300];
    struct bench *b = bench_create();
    void *state = output_jsonl.open(&b->config);
    char mark[OUTPUT_MARK_SIZE] = "";
    struct error err = {""};
    struct outgoing message = {.seq = 1,
                               .stream = "alerts",
                               .id = "a",
                               .revision = 1,
                               .json = "{\"n\":0,}",
                               .json_size = 8};
    snprintf(moved, sizeof moved, "%s.moved", b->config.jsonl_path);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(output_jsonl.check(state, mark, &err), OUTPUT_READY);
        ck_assert_uint_eq(output_jsonl.publish(state, &message, 1, mark, &err), 1);
        if (i == 0)
            ck_assert_int_eq(rename(b->config.jsonl_path, moved), 0);
    }
    output_jsonl.close(state);
    ck_assert_int_eq(lines_of(moved, -1), 1);
    ck_assert_int_eq(lines_of(b->config.jsonl_path, -1), 1);
    bench_destroy(b);
}
END_TEST

/* The file may grow by 50 kB only; the store, which is smaller, may still be written. */
START_TEST(a_full_disk_delays_and_leaves_whole_lines)
{
    enum { LIMIT = 3 << 20, ROOM = 50000 };
    struct bench *b = bench_create();
    FILE *file = fopen(b->config.jsonl_path, "w");
    int before = 0;
    for (; ftell(file) < LIMIT - ROOM; before++)
        fprintf(file, "{\"n\":-1,\"p\":\"%2000s\"}\n", "");
    fclose(file);
    post(b, "alerts", 0, 64, 2000); /* 130 kB: one batch */

    struct delivery *delivery;
    struct delivery_state state;
    struct error err = {""};
    struct rlimit usual, small;
    getrlimit(RLIMIT_FSIZE, &usual);
    small = (struct rlimit){LIMIT, usual.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    ck_assert_msg(delivery_start(&delivery, &b->config, b->store_path, &err), "%s", err.text);
    for (int i = 0; i < 100; i++) {
        delivery_state(delivery, &state);
        if (state.is_failing)
            break;
        usleep(20000);
    }
    ck_assert(state.is_failing);
    ck_assert_uint_eq(state.waiting, 64);
    ck_assert_msg(strstr(state.last_error, "File too large"), "%s", state.last_error);
    ck_assert_int_eq(lines_of(b->config.jsonl_path, -1),
                     before); /* what did not fit was taken back */
    setrlimit(RLIMIT_FSIZE, &usual);
    delivery_stop(delivery, 15000);
    ck_assert_int_eq(lines_of(b->config.jsonl_path, -1), before + 64);
    bench_destroy(b);
}
END_TEST

static const struct refusal_row {
    const char *shows, *store, *says;
} refusal_rows[] = {
    {"a store in memory has no second reader", ":memory:",              "name one with -s"     },
    {"a store that cannot be there",           "/nonexistent/store.db", "/nonexistent/store.db"},
};

START_TEST(refusal)
{
    const struct refusal_row *row = &refusal_rows[_i];
    struct config config;
    struct delivery *delivery;
    struct error err = {""};
    config_defaults(&config);
    ck_assert(!delivery_is_configured(&config));
    text_copy(config.redis_host, sizeof config.redis_host, TEXT("127.0.0.1"));
    ck_assert(delivery_is_configured(&config));
    ck_assert(!delivery_start(&delivery, &config, row->store, &err));
    ck_assert_msg(strstr(err.text, row->says), "%s: %s", row->shows, err.text);
    config_release(&config);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "flow") == 0)
        return flow(argv + 2);
    Suite *suite = suite_create("delivery");
    TCase *tcase = tcase_create("jsonl");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, alerts_come_once_and_in_order);
    tcase_add_test(tcase, an_output_that_comes_later_gets_the_alerts_of_the_store);
    tcase_add_test(tcase, the_file_rotates_by_size_and_keeps_some);
    tcase_add_test(tcase, a_cut_off_line_stands_alone);
    tcase_add_test(tcase, a_file_moved_away_is_begun_anew);
    tcase_add_test(tcase, a_full_disk_delays_and_leaves_whole_lines);
    tcase_add_loop_test(tcase, refusal, 0, sizeof refusal_rows / sizeof *refusal_rows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
