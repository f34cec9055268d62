/* served.h: a console that serves a store made here, with names that try to break out: what the
 * tests of the API over HTTP share. */
#pragma once

#include "alerts/alerts.h"
#include "baseline/baseline.h"
#include "baseline/inventory.h"
#include "rules/windows.h"
#include "web/request.h"
#include "web/web.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static const int64_t START = 1700000000ll * 1000000000ll;
static const char hostile[] = "<script>alert(1)</script>\" onload=\"x";

static char store_file[128], alert_id[65];
static unsigned port;
static struct config served_config; /* of the console; a test may change it */
static volatile sig_atomic_t stop;
static pthread_t server;
static const struct store_schema *const schemas[] = {&inventory_schema, &baseline_schema,
                                                     &alerts_schema, &windows_schema, NULL};

/* --- a store with one device and two alerts, one of them with a packet --- */

static inline void ignore(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
}

static inline struct inventory *devices(void)
{
    static const struct finding_sink sink = {.finding = ignore};
    struct inventory_options options = {
        .mode = MODE_LEARN, .assets_max = 64, .sensor = "sightglass"};
    struct inventory *inv = inventory_create(&options, &sink);
    struct sighting s = {.kind = SIGHTING_HOST, .time_ns = START, .vlan = VLAN_NONE};
    s.who = (struct endpoint){
        .ip = {ADDRESS_IP4, {10, 0, 0, 10}},
          .mac = {{2, 0, 0, 0, 0, 1}          }
    };
    inventory_sighting(inv, &s);
    s.kind = SIGHTING_FACT;
    s.fact = FACT_NAME;
    text_format(s.protocol, sizeof s.protocol, "modbus");
    text_format(s.text, sizeof s.text, "%s", hostile);
    inventory_sighting(inv, &s);
    return inv;
}

static inline void raise_alert(struct alerts *alerts, enum detection detection, const char *key,
                               int64_t time_ns)
{
    struct finding f = {
        .detection = detection, .time_ns = time_ns, .has_target = true, .evidence_id = 1};
    f.actor.ip = (struct address){
        ADDRESS_IP4, {10, 0, 0, 66}
    };
    f.target.ip = (struct address){
        ADDRESS_IP4, {10, 0, 0, 10}
    };
    text_format(f.what, sizeof f.what, "is stopping %%T %s", hostile);
    text_format(f.key, sizeof f.key, "%s", key);
    text_format(f.expected, sizeof f.expected, "nothing");
    text_format(f.seen, sizeof f.seen, "%s", hostile);
    alerts_finding(alerts, &f);
    if (detection != DETECTION_PLC_STOP)
        return;
    uint8_t bytes[60] = {1, 2, 3};
    struct evidence_packet p = {.evidence_id = 1,
                                .time_ns = time_ns,
                                .packet_number = 5,
                                .link_type = 1,
                                .wire_size = sizeof bytes,
                                .size = sizeof bytes,
                                .bytes = bytes};
    alerts_evidence(alerts, &p);
}

static inline const char *source_name(void *context, uint32_t source)
{
    (void)context;
    (void)source;
    return "eth1";
}

static inline const char *segment_name(void *context, uint32_t segment)
{
    (void)context;
    (void)segment;
    return "default";
}

/* Adds alerts to the store, as a sensor would in a run. */
static inline void fill(enum detection detection, const char *key, int64_t time_ns)
{
    struct error err = {""};
    struct store *store;
    struct store_queue *queue;
    static struct config config;
    config_defaults(&config);
    ck_assert_msg(store_open(&store, store_file, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_queue_create(&queue, store, false, &err), "%s", err.text);
    struct inventory *inv = devices();
    struct alerts_options options = {.config = &config,
                                     .inventory = inv,
                                     .queue = queue,
                                     .is_deterministic = true,
                                     .source_name = source_name,
                                     .segment_name = segment_name};
    struct alerts *alerts = alerts_create(&options);
    inventory_save(inv, queue);
    raise_alert(alerts, detection, key, time_ns);
    alerts_tick(alerts, time_ns, true);
    alerts_destroy(alerts);
    inventory_destroy(inv);
    ck_assert_msg(store_queue_close(queue, &err), "%s", err.text);
    sqlite3_stmt *s = store_statement(store, "SELECT id FROM alerts WHERE rule = 'plc.stop'", &err);
    if (s && sqlite3_step(s) == SQLITE_ROW)
        snprintf(alert_id, sizeof alert_id, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_reset(s);
    store_close(store);
}

/* --- the server --- */

static inline unsigned free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, size), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    close(fd);
    return ntohs(a.sin_port);
}

static inline void *serve(void *context)
{
    struct error err = {""};
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct web_options options = {
        .config = &served_config, .store_path = store_file, .listen = listen, .stop = &stop};
    bool ok = web_serve(&options, &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    return ok ? context : NULL;
}

static inline int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 100; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
            return fd;
        close(fd);
        usleep(50000);
    }
    ck_abort_msg("the console does not answer");
    return -1;
}

static inline void name_store(void)
{
    snprintf(store_file, sizeof store_file, "/tmp/sightglass-test-web-%d.db", (int)getpid());
}

static inline void remove_store(void)
{
    char path[160];
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", store_file, ends[i]);
        unlink(path);
    }
}

static inline void start(void)
{
    name_store();
    remove_store(); /* of a test that was killed, under the same number */
    fill(DETECTION_PLC_STOP, "one", START);
    fill(DETECTION_PLC_START, "two", START + 5000000000);
    config_defaults(&served_config);
    port = free_port();
    stop = 0;
    pthread_create(&server, NULL, serve, &port);
    close(dial());
}

static inline void end(void)
{
    void *ok = NULL;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(server, &ok);
    ck_assert_ptr_nonnull(ok);
    remove_store();
}

/* Sends a request and reads until the server closes, or until `until` was read. */
static inline char *exchange(const char *request, size_t size, const char *until)
{
    static char answer[1 << 20];
    size_t used = 0;
    int fd = dial();
    ck_assert_int_eq(write(fd, request, size), (ssize_t)size);
    for (;;) {
        ssize_t got = read(fd, answer + used, sizeof answer - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
        answer[used] = '\0';
        if (until && strstr(answer, until))
            break;
    }
    answer[used] = '\0';
    close(fd);
    return answer;
}

static inline char *get(const char *path, const char *more)
{
    char request[1024];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s\r\n",
                        path, port, more);
    return exchange(request, (size_t)size, NULL);
}

/* The body of an answer; the caller owns it. */
static inline json_t *body_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    json_t *json = json_loads(body, 0, NULL);
    ck_assert_msg(json != NULL, "%s", answer);
    return json;
}

static inline const char *text_at(const json_t *json, const char *a, const char *b)
{
    const char *text = json_string_value(json_object_get(json_object_get(json, a), b));
    return text ? text : "";
}
/* --- people --- */

static const char PASSWORD[] = "a long enough password";

/* Two users; every request from now on needs one of them. */
static inline void add_users(void)
{
    struct store *store;
    struct error err = {""};
    ck_assert_msg(writer_open(&store, store_file, &err), "%s", err.text);
    ck_assert_msg(account_add(store, "anna", ROLE_ADMIN, PASSWORD, 1, &err), "%s", err.text);
    ck_assert_msg(account_add(store, "vic", ROLE_VIEWER, PASSWORD, 1, &err), "%s", err.text);
    store_close(store);
}

static inline char *send_json(const char *method, const char *path, const char *headers,
                              const char *body)
{
    char request[4096];
    int size = snprintf(request, sizeof request,
                        "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        method, path, port, headers, strlen(body), body);
    return exchange(request, (size_t)size, NULL);
}

static inline int status_of(const char *answer)
{
    return atoi(answer + 9);
}

/* Logs in; the headers that a page sends from then on. */
static inline void log_in(const char *user, char headers[512])
{
    char body[256], cookie[128] = "";
    snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", user, PASSWORD);
    char *answer = send_json("POST", "/api/v1/session", "", body);
    ck_assert_int_eq(status_of(answer), 200);
    const char *at = strstr(answer, "Set-Cookie: ");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at + 12, "%127[^;]", cookie), 1);
    ck_assert_ptr_nonnull(strstr(at, "HttpOnly; SameSite=Strict"));
    json_t *session = body_of(answer);
    snprintf(headers, 512, "Cookie: %s\r\nX-CSRF-Token: %s\r\n", cookie,
             json_string_value(json_object_get(session, "csrf")));
    json_decref(session);
}

/* Runs SQL on the store, as a sensor that did more than this one would have. */
static inline void prepare_store(const char *sql)
{
    struct store *store;
    struct error err = {""};
    ck_assert_msg(writer_open(&store, store_file, &err), "%s", err.text);
    ck_assert_msg(store_exec(store, sql, &err), "%s", err.text);
    store_close(store);
}

/* Runs a suite of tests; the exit status of the program. */
static inline int served_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

/* A case whose tests each have a console of their own. */
static inline TCase *served_case(void)
{
    TCase *served = tcase_create("served");
    tcase_add_checked_fixture(served, start, end);
    tcase_set_timeout(served, 30);
    return served;
}
