/* test_store.c: opening, migrating, batching, and what goes wrong with files and disks. */
#include "sensor/base/store.h"
#include "support/runner.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const first[] = {"CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
                                    NULL};
static const char *const second[] = {
    "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "ALTER TABLE note ADD COLUMN mark TEXT NOT NULL DEFAULT 'old'", NULL};
static const char *const broken[] = {
    "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "ALTER TABLE note ADD COLUMN mark TEXT NOT NULL DEFAULT 'old'", "CREATE NONSENSE", NULL};
static const struct store_schema schema_1 = {.name = "notes", .migrations = first},
                                 schema_2 = {.name = "notes", .migrations = second},
                                 schema_3 = {.name = "notes", .migrations = broken};
static const struct store_schema *const version_1[] = {&schema_1, NULL};
static const struct store_schema *const version_2[] = {&schema_2, NULL};
static const struct store_schema *const version_3[] = {&schema_3, NULL};

static char folder[64], path[96];

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_store_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store.db", folder);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static bool add_note(struct store *s, const void *data, size_t size, struct error *err)
{
    sqlite3_stmt *q = store_statement(s, "INSERT INTO note(text) VALUES(?)", err);
    if (!q)
        return false;
    sqlite3_bind_text(q, 1, data, (int)size, SQLITE_STATIC);
    return store_step(s, q, err);
}

static int64_t number(struct store *s, const char *sql)
{
    sqlite3_stmt *q;
    ck_assert_int_eq(sqlite3_prepare_v2(store_handle(s), sql, -1, &q, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

static struct store *open_store(const struct store_schema *const *schemas, enum store_access access)
{
    struct store *s;
    struct error err;
    ck_assert_msg(store_open(&s, path, access, schemas, &err), "%s", err.text);
    return s;
}

static void expect_refused(const struct store_schema *const *schemas, enum store_access access,
                           const char *words)
{
    struct store *s;
    struct error err;
    ck_assert(!store_open(&s, path, access, schemas, &err));
    ck_assert_ptr_null(s);
    ck_assert_msg(strstr(err.text, words) && strstr(err.text, path), "message: %s", err.text);
}

START_TEST(what_is_posted_is_there_after_closing)
{
    bool is_threaded = _i;
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    ck_assert(store_queue_create(&q, s, is_threaded, NULL));
    for (int i = 0; i < 2500; i++)
        store_post(q, add_note, "hello", 5);
    ck_assert(store_queue_close(q, NULL));
    store_close(s);

    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", path);
    struct stat st;
    ck_assert(stat(wal, &st) != 0 || st.st_size == 0); /* checkpointed into the one file */
    s = open_store(version_1, STORE_READ_ONLY);
    ck_assert_int_eq(number(s, "SELECT count(*) FROM note WHERE text = 'hello'"), 2500);
    ck_assert_int_eq(number(s, "SELECT max(id) - min(id) FROM note"), 2499);
    store_close(s);
}
END_TEST

START_TEST(commit_makes_visible)
{
    bool is_threaded = _i;
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    ck_assert(store_queue_create(&q, s, is_threaded, NULL));
    store_post(q, add_note, "now", 3);
    ck_assert(store_queue_commit(q, NULL));
    struct store *reader = open_store(version_1, STORE_READ_ONLY);
    ck_assert_int_eq(number(reader, "SELECT count(*) FROM note"), 1);
    store_close(reader);
    ck_assert(store_queue_close(q, NULL));
    store_close(s);
}
END_TEST

/* How many notes came together, as their text. */
static bool add_count(struct store *s, const void *const *data, size_t count, struct error *err)
{
    char text[32];
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_le(count, STORE_TOGETHER);
    for (size_t i = 1; i < count; i++)
        ck_assert_int_eq(*(const int *)data[i], *(const int *)data[i - 1] + 1);
    snprintf(text, sizeof text, "%zu", count);
    return add_note(s, text, strlen(text), err);
}

START_TEST(writes_of_a_kind_are_carried_out_together)
{
    bool is_threaded = _i;
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    struct store_queue_state state;
    ck_assert(store_queue_create(&q, s, is_threaded, NULL));
    for (int i = 0; i < STORE_TOGETHER + 3; i++)
        store_post_together(q, add_count, &i, sizeof i);
    store_post(q, add_note, "between", 7);
    store_post_together(q, add_count, &(int){0}, sizeof(int));
    ck_assert(store_queue_commit(q, NULL));
    store_queue_state(q, &state);
    ck_assert_uint_eq(state.written, STORE_TOGETHER + 5);
    ck_assert(store_queue_close(q, NULL));
    if (!is_threaded) { /* the writer may begin before all is posted */
        char expected[64];
        snprintf(expected, sizeof expected,
                 "SELECT group_concat(text) = '%d,3,between,1' FROM note", STORE_TOGETHER);
        ck_assert_int_eq(number(s, expected), 1);
    }
    ck_assert_int_eq(number(s, "SELECT sum(text) FROM note"), STORE_TOGETHER + 4);
    store_close(s);
}
END_TEST

START_TEST(migrations_run_once_and_in_order)
{
    store_close(open_store(version_1, STORE_READ_WRITE));
    struct store *s = open_store(version_2, STORE_READ_WRITE);
    ck_assert(store_exec(s, "INSERT INTO note(text) VALUES('x')", NULL));
    ck_assert_int_eq(number(s, "SELECT mark = 'old' FROM note"), 1);
    store_close(s);
    store_close(open_store(version_2, STORE_READ_WRITE)); /* again: nothing to do */
    expect_refused(version_1, STORE_READ_WRITE, "newer");
    expect_refused(version_1, STORE_READ_ONLY, "upgrade");
}
END_TEST

/* A new store is made at once; what is there already goes step by step. */
START_TEST(a_new_store_needs_no_migrations)
{
    static const char *const at_once[] = {
        "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT NOT NULL, mark TEXT DEFAULT 'new')",
        "CREATE INDEX notes ON note(text)", NULL};
    static const struct store_schema schema = {
        .name = "notes", .migrations = second, .newest = at_once};
    static const struct store_schema *const schemas[] = {&schema, NULL};
    bool is_old = _i;
    if (is_old)
        store_close(open_store(version_1, STORE_READ_WRITE));
    struct store *s = open_store(schemas, STORE_READ_WRITE);
    ck_assert(store_exec(s, "INSERT INTO note(text) VALUES('x')", NULL));
    ck_assert_int_eq(number(s, "SELECT mark = 'old' FROM note"), is_old);
    ck_assert_int_eq(number(s, "SELECT version FROM schema_version"), 2);
    store_close(s);
    store_close(open_store(schemas, STORE_READ_WRITE));
    store_close(open_store(version_2, STORE_READ_WRITE));
}
END_TEST

START_TEST(a_migration_that_fails_changes_nothing)
{
    store_close(open_store(version_1, STORE_READ_WRITE));
    expect_refused(version_3, STORE_READ_WRITE, "NONSENSE");
    struct store *s = open_store(version_2, STORE_READ_WRITE); /* from 1 again, not from a half 2 */
    store_close(s);
}
END_TEST

START_TEST(an_older_store_is_not_read_before_it_is_migrated)
{
    store_close(open_store(version_1, STORE_READ_WRITE));
    expect_refused(version_2, STORE_READ_ONLY, "run the sensor once");
}
END_TEST

static void write_file(const char *bytes)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(bytes, f);
    fclose(f);
}

START_TEST(files_that_are_not_ours)
{
    write_file(
        "this is a letter to the plant manager, long enough to be no empty database file at all "
        "............"
        "........................................................................................");
    expect_refused(version_1, STORE_READ_WRITE, "not a Sightglass store");
    unlink(path);
    expect_refused(version_1, STORE_READ_ONLY, "cannot open");

    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE customer(name)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    expect_refused(version_1, STORE_READ_WRITE, "another program");
}
END_TEST

/* No file may grow beyond this: writes fail as on a full disk. */
static void set_file_limit(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_path_that_is_too_long_is_told_so)
{
    char long_path[600];
    struct store *s;
    struct error err = {""};
    memset(long_path, 'd', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    ck_assert(!store_open(&s, long_path, STORE_READ_WRITE, version_1, &err));
    ck_assert_msg(strstr(err.text, "longer than"), "%s", err.text);
}
END_TEST

START_TEST(a_full_disk_keeps_writes_until_there_is_room)
{
    bool is_threaded = _i;
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    struct store_queue_state state;
    struct error err = {""};
    ck_assert(store_queue_create(&q, s, is_threaded, NULL));
    char big[2000];
    memset(big, 'x', sizeof big);
    set_file_limit(40000);
    for (int i = 0; i < 50; i++)
        store_post(q, add_note, big, sizeof big);
    ck_assert(!store_queue_commit(q, &err));
    ck_assert_msg(strstr(err.text, "disk full"), "%s", err.text);
    store_queue_state(q, &state);
    ck_assert(state.is_failing);
    ck_assert_uint_eq(state.dropped, 0);

    set_file_limit(RLIM_INFINITY);
    ck_assert_msg(store_queue_commit(q, &err), "%s", err.text);
    store_queue_state(q, &state);
    ck_assert(!state.is_failing);
    ck_assert_uint_eq(state.written, 50);
    ck_assert(store_queue_close(q, NULL));
    ck_assert_int_eq(number(s, "SELECT count(*) FROM note"), 50);
    store_close(s);
}
END_TEST

static char *note_of(size_t size)
{
    char *note = malloc(size);
    ck_assert_ptr_nonnull(note);
    memset(note, 'x', size);
    return note;
}

/* While the disk is full, what is learned fills the memory; alerts still find room. */
START_TEST(alerts_are_dropped_last)
{
    enum { SIZE = 1000000, WRITES = 100 };
    bool is_threaded = _i;
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    struct store_queue_state state;
    char *big = note_of(SIZE);
    ck_assert(store_queue_create(&q, s, is_threaded, NULL));
    set_file_limit(200000);
    for (int i = 0; i < WRITES; i++)
        store_post(q, add_note, big, SIZE);
    store_queue_state(q, &state);
    ck_assert_uint_gt(state.dropped, 0);
    uint64_t dropped = state.dropped;
    struct store_piece pieces[] = {
        {big, SIZE / 2},
        {big, SIZE / 2}
    };
    for (int i = 0; i < 10; i++)
        store_post_alert(q, add_note, pieces, 2);
    store_queue_state(q, &state);
    ck_assert_uint_eq(state.dropped, dropped);

    set_file_limit(RLIM_INFINITY);
    ck_assert(store_queue_commit(q, NULL));
    store_queue_state(q, &state);
    ck_assert_uint_eq(state.written, WRITES - dropped + 10);
    ck_assert(!store_queue_close(q, NULL)); /* not everything was written */
    store_close(s);
    free(big);
}
END_TEST

/* A note that may not be: of those the table keeps none. */
static bool add_nothing(struct store *s, const void *data, size_t size, struct error *err)
{
    (void)data, (void)size;
    return add_note(s, "before", 6, err) &&
           store_exec(s, "INSERT INTO note(id, text) SELECT id, text FROM note LIMIT 1", err);
}

static bool add_nothing_together(struct store *s, const void *const *data, size_t count,
                                 struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (*(const char *)data[i] == 'b' ? !add_nothing(s, NULL, 0, err)
                                          : !add_note(s, data[i], 1, err))
            return false;
    return true;
}

/* What the store refuses does not keep the others from being written, nor half of itself. */
START_TEST(a_write_that_can_never_be_is_left_out_alone)
{
    bool is_threaded = _i;
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    struct store_queue_state state;
    struct error err = {""};
    ck_assert(store_queue_create(&q, s, is_threaded, NULL));
    store_post(q, add_note, "g", 1);
    store_post(q, add_nothing, "b", 1);
    store_post(q, add_note, "g", 1);
    for (int i = 0; i < 10; i++)
        store_post_together(q, add_nothing_together, i == 4 ? "b" : "g", 1);
    ck_assert_msg(store_queue_commit(q, &err), "%s", err.text);
    store_queue_state(q, &state);
    ck_assert(!state.is_failing);
    ck_assert_uint_eq(state.written, 11);
    ck_assert_uint_eq(state.dropped, 2);
    ck_assert_msg(strstr(state.last_error, "UNIQUE"), "%s", state.last_error);
    ck_assert(!store_queue_close(q, &err)); /* it is told */
    ck_assert_int_eq(number(s, "SELECT count(*) FROM note"), 11);
    ck_assert_int_eq(number(s, "SELECT count(*) FROM note WHERE text = 'before'"), 0);
    store_close(s);
}
END_TEST

/* A whole batch is written at once, not when the second is over. */
START_TEST(a_batch_does_not_wait)
{
    enum { BATCH = 1000, BATCHES = 20, PATIENCE_S = 15 }; /* a second each if they waited */
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    struct store_queue_state state;
    struct timespec start, now, pause = {0, 1000000};
    clock_gettime(CLOCK_MONOTONIC, &start);
    ck_assert(store_queue_create(&q, s, true, NULL));
    for (uint64_t n = 1; n <= BATCHES; n++) {
        for (int i = 0; i < BATCH; i++)
            store_post(q, add_note, "x", 1);
        do {
            nanosleep(&pause, NULL);
            store_queue_state(q, &state);
            clock_gettime(CLOCK_MONOTONIC, &now);
            ck_assert_msg(now.tv_sec - start.tv_sec <= PATIENCE_S, "still at batch %d", (int)n);
        } while (state.written < n * BATCH);
    }
    ck_assert(store_queue_close(q, NULL));
    store_close(s);
}
END_TEST

/* Reading a file, the caller writes: a disk that is full is asked again with every further 8 MB,
 * not with every write, loses nothing until 64 MB wait, and all is there once there is room. */
START_TEST(a_full_disk_while_a_file_is_read)
{
    enum { SIZE = 100000, WRITES = 400 }; /* 40 MB */
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    struct store_queue *q;
    struct store_queue_state state;
    char *big = note_of(SIZE);
    ck_assert(store_queue_create(&q, s, false, NULL));
    set_file_limit(200000);
    for (int i = 0; i < WRITES; i++)
        store_post(q, add_note, big, SIZE);
    store_queue_state(q, &state);
    ck_assert(state.is_failing);
    ck_assert_uint_eq(state.dropped, 0);
    ck_assert_uint_eq(state.written, 0);
    ck_assert_uint_ge(state.failed_commits, 3);
    ck_assert_uint_le(state.failed_commits, 5);

    set_file_limit(RLIM_INFINITY);
    for (int i = 0; i < WRITES / 4; i++) /* 10 MB more: asked again unasked */
        store_post(q, add_note, big, SIZE);
    store_queue_state(q, &state);
    ck_assert(!state.is_failing);
    ck_assert_uint_ge(state.written, WRITES);
    ck_assert_uint_eq(state.dropped, 0);
    ck_assert(store_queue_close(q, NULL));
    ck_assert_int_eq(number(s, "SELECT count(*) FROM note"), WRITES + WRITES / 4);
    ck_assert_int_eq(number(s, "SELECT max(id) - min(id) FROM note"), WRITES + WRITES / 4 - 1);
    store_close(s);
    free(big);
}
END_TEST

START_TEST(kill_9_leaves_whole_batches)
{
    int pipe_ends[2];
    ck_assert_int_eq(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_store(version_1, STORE_READ_WRITE);
        struct store_queue *q;
        if (!store_queue_create(&q, s, false, NULL))
            _exit(1);
        for (int i = 0;; i++) {
            store_post(q, add_note, "left", 4);
            store_post(q, add_note, "right", 5);
            if (i % 20 == 19 && store_queue_commit(q, NULL) && write(pipe_ends[1], "x", 1) != 1)
                _exit(1);
        }
    }
    char go[1];
    for (int i = 0; i < 20 + 7 * _i; i++)
        ck_assert_int_eq(read(pipe_ends[0], go, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    struct store *s = open_store(version_1, STORE_READ_WRITE);
    ck_assert_int_eq(number(s, "SELECT count(*) % 40 FROM note"), 0);
    ck_assert_int_ge(number(s, "SELECT count(*) FROM note"), 40 * (20 + 7 * _i));
    ck_assert_int_eq(number(s, "SELECT (SELECT count(*) FROM note WHERE text='left') ="
                               " (SELECT count(*) FROM note WHERE text='right')"),
                     1);
    ck_assert_int_eq(number(s, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    store_close(s);
}
END_TEST

static const char *const noted[] = {
    "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT NOT NULL CHECK(text <> ''));"
    "CREATE TABLE trace(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TRIGGER noted AFTER UPDATE ON note BEGIN"
    "  UPDATE trace SET text = NEW.text WHERE id = NEW.id; END;",
    NULL};
static const struct store_schema schema_noted = {.name = "notes", .migrations = noted};
static const struct store_schema *const version_noted[] = {&schema_noted, NULL};

/* What would undo it is longer than SQLite keeps in memory. */
START_TEST(a_statement_may_change_much)
{
    struct store *s = open_store(version_noted, STORE_READ_WRITE);
    struct error err = {""};
    ck_assert(store_exec(s,
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
                         " i < 2000) INSERT INTO note SELECT i, hex(zeroblob(200)) FROM n;"
                         "INSERT INTO trace SELECT id, text FROM note",
                         &err));
    ck_assert(store_exec(s, "BEGIN IMMEDIATE", &err));
    ck_assert_msg(store_exec(s, "UPDATE note SET text = text || 'x'", &err), "%s", err.text);
    ck_assert(store_exec(s, "COMMIT", &err));
    ck_assert_int_eq(number(s, "SELECT count(*) FROM trace WHERE text LIKE '%x'"), 2000);
    store_close(s);
}
END_TEST

START_TEST(settings)
{
    struct store *s = open_store(version_1, STORE_READ_WRITE);
    char value[32];
    store_setting_get(s, "sensor", value, sizeof value);
    ck_assert_str_eq(value, "");
    ck_assert(store_setting_set(s, "sensor", "line 3", NULL));
    ck_assert(store_setting_set(s, "sensor", "line 4", NULL));
    store_setting_get(s, "sensor", value, sizeof value);
    ck_assert_str_eq(value, "line 4");
    store_close(s);
}
END_TEST

int main(void)
{
    store_prepare();
    Suite *s = suite_create("store");
    TCase *c = tcase_create("store");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_loop_test(c, what_is_posted_is_there_after_closing, 0, 2);
    tcase_add_loop_test(c, commit_makes_visible, 0, 2);
    tcase_add_loop_test(c, writes_of_a_kind_are_carried_out_together, 0, 2);
    tcase_add_test(c, migrations_run_once_and_in_order);
    tcase_add_loop_test(c, a_new_store_needs_no_migrations, 0, 2);
    tcase_add_test(c, a_migration_that_fails_changes_nothing);
    tcase_add_test(c, an_older_store_is_not_read_before_it_is_migrated);
    tcase_add_test(c, files_that_are_not_ours);
    tcase_add_loop_test(c, a_full_disk_keeps_writes_until_there_is_room, 0, 2);
    tcase_add_loop_test(c, a_write_that_can_never_be_is_left_out_alone, 0, 2);
    tcase_add_test(c, a_full_disk_while_a_file_is_read);
    tcase_add_loop_test(c, alerts_are_dropped_last, 0, 2);
    tcase_add_test(c, a_batch_does_not_wait);
    tcase_add_test(c, a_path_that_is_too_long_is_told_so);
    tcase_add_loop_test(c, kill_9_leaves_whole_batches, 0, 4);
    tcase_add_test(c, a_statement_may_change_much);
    tcase_add_test(c, settings);
    suite_add_tcase(s, c);
    return run_suite(s);
}
