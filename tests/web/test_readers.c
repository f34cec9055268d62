/* test_readers.c: the stores that are lent to requests: which tables they have, and that a stop
 * ends what they run. */
#include "served.h"

static void make_store(void)
{
    name_store();
    remove_store();
    fill(DETECTION_PLC_STOP, "one", START);
    stop = 0;
}

static const struct {
    const char *shows, *sql;
} tables[] = {
    {"the history, as it is packed now", "SELECT rows FROM history"                },
    {"maintenance windows",              "SELECT count(*) FROM maintenance_windows"},
    {"people",                           "SELECT count(*) FROM web_users"          },
};

START_TEST(a_store_of_an_older_sensor_is_brought_up)
{
    struct error err = {""};
    struct store *store;
    make_store(); /* by a sensor that kept no history */
    struct readers *readers = readers_create(store_file, &stop);
    ck_assert_ptr_null(readers_take(readers, &err));
    ck_assert_msg(strstr(err.text, "history tables of version 0") != NULL, "%s", err.text);
    ck_assert_msg(writer_open(&store, store_file, &err), "%s", err.text);
    store_close(store);
    store = readers_take(readers, &err);
    ck_assert_msg(store != NULL, "%s", err.text);
    ck_assert_msg(store_statement(store, tables[_i].sql, &err) != NULL, "%s: %s", tables[_i].shows,
                  err.text);
    readers_give(readers, store);
    readers_destroy(readers);
    remove_store();
}
END_TEST

/* Would never end. */
static int count_for_ever(struct store *store)
{
    sqlite3_stmt *s = store_statement(store,
                                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                                      " FROM n) SELECT count(*) FROM n",
                                      NULL);
    ck_assert_ptr_nonnull(s);
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    return code;
}

static void *count_aside(void *context)
{
    static int code;
    code = count_for_ever(context);
    return &code;
}

/* Before it begins, or while it runs. */
START_TEST(a_stop_ends_a_statement)
{
    struct error err = {""};
    struct store *store;
    pthread_t thread;
    void *code;
    make_store();
    ck_assert_msg(writer_open(&store, store_file, &err), "%s", err.text);
    store_close(store);
    struct readers *readers = readers_create(store_file, &stop);
    store = readers_take(readers, &err);
    ck_assert_msg(store != NULL, "%s", err.text);
    if (_i == 0)
        __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    ck_assert_int_eq(pthread_create(&thread, NULL, count_aside, store), 0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    ck_assert_int_eq(pthread_join(thread, &code), 0);
    ck_assert_int_eq(*(int *)code, SQLITE_INTERRUPT);
    readers_give(readers, store);
    readers_destroy(readers);
    remove_store();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("readers");
    TCase *stores = tcase_create("stores");
    tcase_set_timeout(stores, 30);
    tcase_add_loop_test(stores, a_store_of_an_older_sensor_is_brought_up, 0, COUNT(tables));
    tcase_add_loop_test(stores, a_stop_ends_a_statement, 0, 2);
    suite_add_tcase(suite, stores);
    return served_run(suite);
}
