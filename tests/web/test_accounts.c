/* test_accounts.c: users, sessions and tokens in a store, and the throttle. */
#include "web/accounts.h"

#include "alerts/alerts.h"
#include "web/readers.h"
#include "web/throttle.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS INT64_C(3600000)

static const char PASSWORD[] = "correct horse battery";
static const int64_t NOW = 1700000000000;
static char store_file[128];
static struct store *store;

static void start(void)
{
    struct error err = {""};
    snprintf(store_file, sizeof store_file, "/tmp/sightglass-test-accounts-%d.db", (int)getpid());
    ck_assert_msg(writer_open(&store, store_file, &err), "%s", err.text);
}

static void end(void)
{
    char path[160];
    static const char *const ends[] = {"", "-wal", "-shm"};
    store_close(store);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", store_file, ends[i]);
        unlink(path);
    }
}

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
static const char too_long[] = HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED TEN "012";

static const struct {
    const char *shows, *name, *password, *why;
    enum role role;
} refused[] = {
    {"no name",                     "",     PASSWORD,                                                 "a name has",             ROLE_ADMIN},
    {"a name with a space",         "a b",  PASSWORD,                                                 "a name has",             ROLE_ADMIN},
    {"a name with a quote",         "a'b",  PASSWORD,                                                 "a name has",             ROLE_ADMIN},
    {"no role",                     "bob",  PASSWORD,                                                 "a role is",              ROLE_NONE },
    {"a short password",            "bob",  "123456789",                                              "at least 10 characters", ROLE_ADMIN},
    {"nine characters, more bytes", "bob",  "\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc",
     "at least 10 characters",                                                                                                  ROLE_ADMIN},
    {"a long password",             "bob",  too_long,                                                 "too long",               ROLE_ADMIN},
    {"a name that is taken",        "anna", PASSWORD,                                                 "there is a user",        ROLE_ADMIN},
};

START_TEST(refuses_users)
{
    struct error err = {""};
    ck_assert(account_add(store, "anna", ROLE_ADMIN, PASSWORD, NOW, &err));
    ck_assert_msg(
        !account_add(store, refused[_i].name, refused[_i].role, refused[_i].password, NOW, &err),
        "%s", refused[_i].shows);
    ck_assert_msg(strstr(err.text, refused[_i].why) != NULL, "%s: %s", refused[_i].shows, err.text);
}
END_TEST

START_TEST(checks_passwords)
{
    struct account a;
    struct error err = {""};
    ck_assert(!accounts_exist(store));
    ck_assert(account_add(store, "anna", ROLE_ANALYST, PASSWORD, NOW, &err));
    ck_assert(accounts_exist(store));
    ck_assert(account_check(store, "anna", PASSWORD, &a));
    ck_assert_str_eq(a.name, "anna");
    ck_assert_int_eq(a.role, ROLE_ANALYST);
    ck_assert(!account_check(store, "anna", "correct horse batterx", &a));
    ck_assert_int_eq(a.role, ROLE_NONE);
    ck_assert(!account_check(store, "nobody", PASSWORD, &a));
    ck_assert(!account_check(store, "anna", "", &a));
}
END_TEST

START_TEST(keeps_no_password)
{
    struct error err = {""};
    ck_assert(account_add(store, "anna", ROLE_ANALYST, PASSWORD, NOW, &err));
    sqlite3_stmt *s = store_statement(store, "SELECT password FROM web_users", &err);
    ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
    const char *kept = (const char *)sqlite3_column_text(s, 0);
    ck_assert_int_eq(strncmp(kept, "$y$", 3), 0); /* crypt(5): yescrypt */
    ck_assert_ptr_null(strstr(kept, PASSWORD));
    sqlite3_reset(s);
}
END_TEST

START_TEST(the_last_admin_stays)
{
    struct error err = {""};
    ck_assert(account_add(store, "anna", ROLE_ADMIN, PASSWORD, NOW, &err));
    ck_assert(!account_remove(store, "anna", &err));
    ck_assert(!account_change(store, "anna", ROLE_VIEWER, NULL, &err));
    ck_assert(account_add(store, "bob", ROLE_ADMIN, PASSWORD, NOW, &err));
    ck_assert_msg(account_change(store, "anna", ROLE_VIEWER, NULL, &err), "%s", err.text);
    ck_assert(!account_remove(store, "bob", &err));
    ck_assert_msg(account_remove(store, "anna", &err), "%s", err.text);
}
END_TEST

START_TEST(sessions_end)
{
    struct account a;
    char secret[SECRET_SIZE], csrf[SECRET_SIZE];
    struct error err = {""};
    ck_assert(account_add(store, "anna", ROLE_ENGINEER, PASSWORD, NOW, &err));
    ck_assert(session_begin(store, "anna", NOW, secret, &a, &err));
    memcpy(csrf, a.csrf, sizeof csrf);
    ck_assert(session_find(store, secret, NOW + HOUR_MS, &a));
    ck_assert_str_eq(a.csrf, csrf);
    ck_assert_int_eq(a.role, ROLE_ENGINEER);
    ck_assert(a.is_stale);
    ck_assert(!session_find(store, csrf, NOW, &a)); /* the page's token opens nothing */
    ck_assert(!session_find(store, "", NOW, &a));
    ck_assert(!session_find(store, secret, NOW + 13 * HOUR_MS, &a)); /* nobody there for so long */
    for (int64_t hour = 0; hour <= 7 * 24; hour += 6)
        session_touch(store, secret, NOW + hour * HOUR_MS);
    ck_assert(session_find(store, secret, NOW + 7 * 24 * HOUR_MS, &a));
    ck_assert(!session_find(store, secret, NOW + 7 * 24 * HOUR_MS + 1, &a)); /* a week at most */
    session_end(store, secret);
    ck_assert(!session_find(store, secret, NOW, &a));
}
END_TEST

START_TEST(a_new_password_ends_sessions)
{
    struct account a;
    char secret[SECRET_SIZE];
    struct error err = {""};
    ck_assert(account_add(store, "anna", ROLE_ENGINEER, PASSWORD, NOW, &err));
    ck_assert(session_begin(store, "anna", NOW, secret, &a, &err));
    ck_assert(account_change(store, "anna", ROLE_NONE, "another password", &err));
    ck_assert(!session_find(store, secret, NOW, &a));
    ck_assert(account_check(store, "anna", "another password", &a));
}
END_TEST

START_TEST(the_oldest_sessions_make_room)
{
    struct account a;
    char secrets[40][SECRET_SIZE];
    struct error err = {""};
    int alive = 0;
    ck_assert(account_add(store, "anna", ROLE_ENGINEER, PASSWORD, NOW, &err));
    for (int i = 0; i < 40; i++)
        ck_assert(session_begin(store, "anna", NOW + i, secrets[i], &a, &err));
    for (int i = 0; i < 40; i++)
        alive += session_find(store, secrets[i], NOW + 40, &a);
    ck_assert_int_eq(alive, 32);
    ck_assert(session_find(store, secrets[39], NOW + 40, &a));
    ck_assert(!session_find(store, secrets[0], NOW + 40, &a));
}
END_TEST

START_TEST(tokens_end)
{
    struct account a;
    char secret[SECRET_SIZE];
    struct error err = {""};
    ck_assert(token_add(store, "siem", ROLE_VIEWER, "anna", NOW, NOW + HOUR_MS, secret, &err));
    ck_assert(token_find(store, secret, NOW, &a));
    ck_assert_str_eq(a.name, "siem");
    ck_assert_str_eq(a.csrf, "");
    ck_assert(!token_find(store, secret, NOW + HOUR_MS, &a));
    ck_assert(!token_add(store, "siem", ROLE_VIEWER, "anna", NOW, 0, secret, &err));
    ck_assert(!token_add(store, "late", ROLE_VIEWER, "anna", NOW, NOW - 1, secret, &err));
    ck_assert(token_remove(store, "siem", &err));
    ck_assert(!token_remove(store, "siem", &err));
}
END_TEST

START_TEST(the_record_is_bounded)
{
    struct error err = {""};
    ck_assert(store_exec(store,
                         "INSERT INTO web_audit(id, made_ms, by, what, about, why)"
                         " VALUES(1, 1, '', '', '', ''), (200000, 1, '', '', '', '')",
                         &err));
    ck_assert(audit_add(store, NOW, "anna", "user.add", "bob", "viewer", &err));
    sqlite3_stmt *s = store_statement(store, "SELECT count(*), min(id) FROM web_audit", &err);
    ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_column_int(s, 0), 2);
    ck_assert_int_eq(sqlite3_column_int(s, 1), 200000);
    sqlite3_reset(s);
}
END_TEST

START_TEST(waits_double)
{
    struct throttle *t = throttle_create();
    int64_t now = NOW;
    for (int i = 0; i < 4; i++) {
        throttle_failed(t, "anna", now);
        ck_assert_uint_eq(throttle_wait(t, "anna", now), 0);
    }
    for (unsigned wait = 2; wait <= 256; wait *= 2) {
        throttle_failed(t, "anna", now);
        ck_assert_uint_eq(throttle_wait(t, "anna", now), wait);
    }
    for (int i = 0; i < 100; i++)
        throttle_failed(t, "anna", now);
    ck_assert_uint_eq(throttle_wait(t, "anna", now), 300);
    ck_assert_uint_eq(throttle_wait(t, "anna", now + 299000), 1);
    ck_assert_uint_eq(throttle_wait(t, "anna", now + 300000), 0);
    ck_assert_uint_eq(throttle_wait(t, "bob", now), 0);
    throttle_forget(t, "anna");
    ck_assert_uint_eq(throttle_wait(t, "anna", now), 0);
    throttle_destroy(t);
}
END_TEST

START_TEST(the_throttle_is_bounded)
{
    struct throttle *t = throttle_create();
    char name[32];
    for (int i = 0; i < 6; i++)
        throttle_failed(t, "anna", NOW + 100000);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "guess %d", i);
        throttle_failed(t, name, NOW);
    }
    ck_assert_uint_gt(throttle_wait(t, "anna", NOW + 100000), 0); /* failed later than the others */
    throttle_destroy(t);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

int main(void)
{
    Suite *suite = suite_create("accounts");
    TCase *stored = tcase_create("stored");
    tcase_add_checked_fixture(stored, start, end);
    tcase_set_timeout(stored, 60);
    tcase_add_loop_test(stored, refuses_users, 0, COUNT(refused));
    tcase_add_test(stored, checks_passwords);
    tcase_add_test(stored, keeps_no_password);
    tcase_add_test(stored, the_last_admin_stays);
    tcase_add_test(stored, sessions_end);
    tcase_add_test(stored, a_new_password_ends_sessions);
    tcase_add_test(stored, tokens_end);
    tcase_add_test(stored, the_oldest_sessions_make_room);
    tcase_add_test(stored, the_record_is_bounded);
    suite_add_tcase(suite, stored);
    TCase *throttled = tcase_create("throttled");
    tcase_add_test(throttled, waits_double);
    tcase_add_test(throttled, the_throttle_is_bounded);
    suite_add_tcase(suite, throttled);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
