/* test_answers.c: answers that are kept: when they are sent again, and when they are made anew.
 * "slow" ones take more CPU than what is never sent out of date, paths that begin with /late may
 * lag. */
#include "served.h"

#include "web/answers.h"
#include "web/asset_list.h"

static struct web web;
static struct MHD_Daemon *asked;
static atomic_int made, running, running_most;
static atomic_uint made_status; /* of what is made */
static atomic_int usual_slow;   /* CPU in ms of what is asked without the argument */

static void work_for(int64_t ms)
{
    struct timespec began, now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000 < ms);
}

/* {"asset": the newest asset's name in the store, "about": the argument, "part": of the path} */
static enum MHD_Result make(struct request *r)
{
    int64_t slow_ms;
    int now = atomic_fetch_add(&running, 1) + 1;
    if (now > atomic_load(&running_most))
        atomic_store(&running_most, now);
    ck_assert(request_number(r, "slow", 0, 1000, atomic_load(&usual_slow), &slow_ms));
    char name[64] = "";
    sqlite3_stmt *s = store_statement(r->store, "SELECT name FROM assets", NULL);
    if (s && sqlite3_step(s) == SQLITE_ROW)
        snprintf(name, sizeof name, "%s", column_text(s, 0));
    sqlite3_reset(s);
    work_for(slow_ms);
    atomic_fetch_add(&made, 1);
    atomic_fetch_sub(&running, 1);
    return reply_json(r, atomic_load(&made_status),
                      json_pack("{s:s, s:s, s:s}", "asset", name, "about", request_text(r, "about"),
                                "part", r->parameter));
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    struct error err = {""};
    struct request r = {.web = context, .connection = connection, .path = url, .method = method};
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    snprintf(r.parameter, sizeof r.parameter, "%s", url + 1);
    r.store = readers_take(web.readers, &err);
    ck_assert_msg(r.store != NULL, "%s", err.text);
    enum MHD_Result result = answers_reply(&r, make, strncmp(url, "/late", 5) == 0);
    readers_give(web.readers, r.store);
    return result;
}

static void begin(void)
{
    name_store();
    remove_store();
    fill(DETECTION_PLC_STOP, "one", START);
    prepare_store("UPDATE assets SET name = 'first'");
    stop = 0;
    atomic_store(&made, 0);
    atomic_store(&running, 0);
    atomic_store(&running_most, 0);
    atomic_store(&made_status, 200);
    atomic_store(&usual_slow, 0);
    web = (struct web){.store_path = store_file, .stop = &stop};
    web.readers = readers_create(store_file, &stop);
    web.assets = asset_list_create(store_file, web.readers);
    while (asset_list_turn(web.assets) == 0)
        usleep(1000);
    web.answers = answers_create(&web);
    port = free_port();
    asked = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD,
                             (uint16_t)port, NULL, NULL, on_request, &web, MHD_OPTION_END);
    ck_assert_ptr_nonnull(asked);
}

static void finish(void)
{
    MHD_stop_daemon(asked);
    answers_destroy(web.answers);
    asset_list_destroy(web.assets);
    readers_destroy(web.readers);
    remove_store();
}

static void ask_for(const char *path, const char *asset)
{
    json_t *json = body_of(get(path, ""));
    ck_assert_str_eq(json_string_value(json_object_get(json, "asset")), asset);
    json_decref(json);
}

/* The file's clock must have moved on before a reading counts as of this commit. */
static void settle(void)
{
    const struct timespec tick = {.tv_nsec = 50000000};
    nanosleep(&tick, NULL);
}

/* Who opens a store first makes its log, which looks like a commit. */
static void open_store(void)
{
    ask_for("/first", "first");
    settle();
    atomic_store(&made, 0);
}

START_TEST(what_nothing_has_changed_is_made_once)
{
    open_store();
    for (int i = 0; i < 3; i++)
        ask_for("/a?slow=40", "first");
    ck_assert_int_eq(atomic_load(&made), 1);
    for (int i = 0; i < 3; i++)
        ask_for("/a", "first");
    ck_assert_int_eq(atomic_load(&made), 2);
}
END_TEST

START_TEST(each_path_and_arguments_have_their_own)
{
    static const char *const paths[] = {"/a", "/b", "/a?about=x", "/a?about=y", "/a?about=x&more"};
    static const char *const abouts[] = {"", "", "x", "y", "x"};
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
            json_t *json = body_of(get(paths[i], ""));
            ck_assert_str_eq(json_string_value(json_object_get(json, "about")), abouts[i]);
            json_decref(json);
        }
}
END_TEST

static const char *const exact[] = {"/a", "/a?slow=40", "/late"};

START_TEST(one_that_may_not_lag_or_is_made_quickly_is_never_out_of_date)
{
    ask_for(exact[_i], "first");
    prepare_store("UPDATE assets SET name = 'second'");
    ask_for(exact[_i], "second");
    prepare_store("UPDATE assets SET name = 'third'");
    ask_for(exact[_i], "third");
}
END_TEST

/* Until the answer is of this name, at most a while. */
static void ask_until(const char *path, const char *about, const char *part, const char *asset)
{
    char name[16] = "";
    for (int i = 0; i < 200 && strcmp(name, asset) != 0; i++) {
        json_t *json = body_of(get(path, ""));
        snprintf(name, sizeof name, "%s", json_string_value(json_object_get(json, "asset")));
        ck_assert_str_eq(json_string_value(json_object_get(json, "about")), about);
        ck_assert_str_eq(json_string_value(json_object_get(json, "part")), part);
        json_decref(json);
        settle();
    }
    ck_assert_str_eq(name, asset);
}

/* The thread makes it, with the arguments of the first request; nobody waits. */
START_TEST(one_that_takes_long_follows_the_store)
{
    ask_for("/late?slow=40&about=x", "first");
    prepare_store("UPDATE assets SET name = 'second'");
    ask_until("/late?slow=40&about=x", "x", "late", "second");
}
END_TEST

START_TEST(everybody_sees_what_a_person_changed_at_once)
{
    for (int i = 0; i < 5; i++) {
        char sql[96], name[32];
        snprintf(name, sizeof name, "name %d", i);
        snprintf(sql, sizeof sql, "UPDATE assets SET name = '%s'", name);
        prepare_store(sql);
        answers_forget(web.answers);
        ask_for("/late?slow=40", name);
    }
}
END_TEST

START_TEST(a_refusal_is_sent_and_not_kept)
{
    atomic_store(&made_status, 400);
    ck_assert_int_eq(status_of(get("/a?slow=40", "")), 400);
    atomic_store(&made_status, 200);
    ck_assert_int_eq(status_of(get("/a?slow=40", "")), 200);
}
END_TEST

static void *ask_aside(void *context)
{
    (void)context;
    char request[256], answer[4096];
    int size = snprintf(request, sizeof request,
                        "GET /a?slow=200 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    int fd = dial();
    ck_assert_int_eq(write(fd, request, (size_t)size), size);
    size_t used = 0;
    for (ssize_t n; (n = read(fd, answer + used, sizeof answer - 1 - used)) > 0;)
        used += (size_t)n;
    answer[used] = '\0';
    close(fd);
    ck_assert_int_eq(status_of(answer), 200);
    return NULL;
}

START_TEST(many_who_ask_at_once_wait_for_one)
{
    pthread_t threads[8];
    settle();
    for (size_t i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, ask_aside, NULL);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&running_most), 1);
}
END_TEST

START_TEST(a_browser_that_has_it_is_told_so)
{
    char etag[64], header[96];
    open_store();
    const char *answer = get("/a?slow=40", "");
    const char *at = strstr(answer, "ETag: ");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at + 6, "%63s", etag), 1);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
    answer = get("/a?slow=40", header);
    ck_assert_int_eq(status_of(answer), 304);
    ck_assert_ptr_nonnull(strstr(answer, etag));
    ck_assert_ptr_nonnull(strstr(answer, "X-Content-Type-Options: nosniff"));
    ck_assert_int_eq(atomic_load(&made), 1);
}
END_TEST

/* More than there are places, and one whose arguments are too long to keep. */
START_TEST(habits_are_bounded)
{
    char path[1200];
    for (int i = 0; i < 2200; i++) {
        snprintf(path, sizeof path, "/a?about=%d", i % 1100);
        ck_assert_int_eq(status_of(get(path, "")), 200);
    }
    int before = atomic_load(&made);
    snprintf(path, sizeof path, "/a?about=%0800d", 1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(status_of(get(path, "")), 200);
    ck_assert_int_eq(atomic_load(&made), before + 2);
}
END_TEST

/* At most a minute. */
static void wait_until_made(int times)
{
    for (int i = 0; i < 1200 && atomic_load(&made) < times; i++)
        settle();
    ck_assert_int_ge(atomic_load(&made), times);
}

START_TEST(one_made_ahead_is_there_when_somebody_asks)
{
    open_store();
    answers_ahead(web.answers, "/late", make);
    wait_until_made(1);
    settle();
    ask_for("/late", "first");
    ck_assert_int_eq(atomic_load(&made), 1);
    prepare_store("UPDATE assets SET name = 'second'"); /* quickly made: never out of date */
    ask_for("/late", "second");
}
END_TEST

START_TEST(one_made_ahead_follows_the_store_unasked)
{
    atomic_store(&usual_slow, 100);
    open_store();
    answers_ahead(web.answers, "/late", make);
    wait_until_made(1);
    settle();
    prepare_store("UPDATE assets SET name = 'second'");
    wait_until_made(2);
    ask_until("/late", "", "", "second");
}
END_TEST

START_TEST(one_made_ahead_is_tried_again)
{
    atomic_store(&made_status, 503);
    answers_ahead(web.answers, "/late", make);
    wait_until_made(1);
    atomic_store(&made_status, 200);
    wait_until_made(2);
    settle();
    ask_for("/late", "first");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answers");
    TCase *kept = tcase_create("kept");
    tcase_add_checked_fixture(kept, begin, finish);
    tcase_set_timeout(kept, 60);
    tcase_add_test(kept, what_nothing_has_changed_is_made_once);
    tcase_add_test(kept, each_path_and_arguments_have_their_own);
    tcase_add_loop_test(kept, one_that_may_not_lag_or_is_made_quickly_is_never_out_of_date, 0,
                        COUNT(exact));
    tcase_add_test(kept, one_that_takes_long_follows_the_store);
    tcase_add_test(kept, everybody_sees_what_a_person_changed_at_once);
    tcase_add_test(kept, a_refusal_is_sent_and_not_kept);
    tcase_add_test(kept, many_who_ask_at_once_wait_for_one);
    tcase_add_test(kept, a_browser_that_has_it_is_told_so);
    tcase_add_test(kept, habits_are_bounded);
    tcase_add_test(kept, one_made_ahead_is_there_when_somebody_asks);
    tcase_add_test(kept, one_made_ahead_follows_the_store_unasked);
    tcase_add_test(kept, one_made_ahead_is_tried_again);
    suite_add_tcase(suite, kept);
    return served_run(suite);
}
