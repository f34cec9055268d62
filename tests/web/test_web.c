/* test_web.c: the console over HTTP, against a store made here, with names that try to break out.
 */
#include "web/web.h"

#include "alerts/alerts.h"
#include "baseline/inventory.h"
#include "web/request.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t START = 1700000000ll * 1000000000ll;
static const char hostile[] = "<script>alert(1)</script>\" onload=\"x";

static char store_file[128], alert_id[65];
static unsigned port;
static volatile sig_atomic_t stop;
static pthread_t server;
static const struct store_schema *const schemas[] = {&inventory_schema, &alerts_schema, NULL};

/* --- a store with one device and two alerts, one of them with a packet --- */

static void ignore(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
}

static struct inventory *devices(void)
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

static void raise_alert(struct alerts *alerts, enum detection detection, const char *key,
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

static const char *source_name(void *context, uint32_t source)
{
    (void)context;
    (void)source;
    return "eth1";
}

static const char *segment_name(void *context, uint32_t segment)
{
    (void)context;
    (void)segment;
    return "default";
}

/* Adds alerts to the store, as a sensor would in a run. */
static void fill(enum detection detection, const char *key, int64_t time_ns)
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

static unsigned free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, size), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    close(fd);
    return ntohs(a.sin_port);
}

static void *serve(void *context)
{
    static struct config config;
    struct error err = {""};
    char listen[32];
    (void)context;
    config_defaults(&config);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    bool ok = web_serve(&config, store_file, listen, &stop, &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    return ok ? context : NULL;
}

static int dial(void)
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

static void start(void)
{
    snprintf(store_file, sizeof store_file, "/tmp/sightglass-test-web-%d.db", (int)getpid());
    fill(DETECTION_PLC_STOP, "one", START);
    fill(DETECTION_PLC_START, "two", START + 5000000000);
    port = free_port();
    stop = 0;
    pthread_create(&server, NULL, serve, &port);
    close(dial());
}

static void end(void)
{
    void *ok = NULL;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(server, &ok);
    ck_assert_ptr_nonnull(ok);
    char path[160];
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", store_file, ends[i]);
        unlink(path);
    }
}

/* Sends a request and reads until the server closes, or until `until` was read. */
static char *exchange(const char *request, size_t size, const char *until)
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

static char *get(const char *path, const char *more)
{
    char request[1024];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s\r\n",
                        path, port, more);
    return exchange(request, (size_t)size, NULL);
}

static const struct {
    const char *shows, *path, *headers;
    int status;
    const char *has;
} rows[] = {
    {"the page",                    "/",                                        "",                               200, "<title>Sightglass</title>"},
    {"its script",                  "/app.js",                                  "",                               200, "text/javascript"          },
    {"its style",                   "/style.css",                               "",                               200, "text/css"                 },
    {"health",                      "/healthz",                                 "",                               200, "\"ok\""                   },
    {"status",                      "/api/v1/status",                           "",                               200, "\"alerts\":2,\"assets\":1"},
    {"alerts",                      "/api/v1/alerts",                           "",                               200, "\"total\":2"              },
    {"alerts by severity",          "/api/v1/alerts?severity=9",                "",                               200, "plc.stop"                 },
    {"one at a time",               "/api/v1/alerts?limit=1",                   "",                               200, "plc.start"                },
    {"the next",                    "/api/v1/alerts?limit=1&skip=1",            "",                               200, "plc.stop"                 },
    {"no such limit",               "/api/v1/alerts?limit=0",                   "",                               400, "error"                    },
    {"too high a limit",            "/api/v1/alerts?limit=501",                 "",                               400, "error"                    },
    {"a limit that is none",        "/api/v1/alerts?limit=1;drop",              "",                               400, "error"                    },
    {"a huge number",               "/api/v1/alerts?skip=99999999999999999999", "",                               400, "error"                    },
    {"assets",                      "/api/v1/assets",                           "",                               200, "\"ip\":\"10.0.0.10\""     },
    {"an alert that is not there",  "/api/v1/alerts/00ff",                      "",                               404, "no such alert"            },
    {"an id that is none, encoded", "/api/v1/alerts/%27%20OR%201=1",            "",                               404, "no such alert"            },
    {"a path out of the page",      "/../../etc/passwd",                        "",                               404, "no such path"             },
    {"an encoded path",             "/%2e%2e/etc/passwd",                       "",                               404, "no such path"             },
    {"nothing there",               "/api/v2/alerts",                           "",                               404, "no such path"             },
    {"another site's script",       "/api/v1/alerts",                           "Sec-Fetch-Site: cross-site\r\n", 403, "error"                    },
};

START_TEST(answers)
{
    char *answer = get(rows[_i].path, rows[_i].headers), status[16];
    snprintf(status, sizeof status, " %d ", rows[_i].status);
    ck_assert_msg(strncmp(answer + 8, status, 5) == 0, "%s: %.60s", rows[_i].shows, answer);
    ck_assert_msg(strstr(answer, rows[_i].has) != NULL, "%s: %s", rows[_i].shows, answer);
    if (rows[_i].has[0] == '\0')
        return; /* the HTTP library's own refusal */
    static const char *const headers[] = {
        "Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer", "Cache-Control: no-store"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        ck_assert_msg(strstr(answer, headers[i]) != NULL, "%s: has %s", rows[_i].shows, headers[i]);
    ck_assert_msg(!strstr(answer, "Access-Control-Allow"), "%s: is for us alone", rows[_i].shows);
}
END_TEST

START_TEST(shows_one_alert)
{
    char path[128];
    snprintf(path, sizeof path, "/api/v1/alerts/%s", alert_id);
    char *body = strstr(get(path, ""), "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    json_t *document = json_loads(body, 0, NULL);
    ck_assert_ptr_nonnull(document);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(document, "rule"), "id")),
                     "plc.stop");
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(document, "message")), hostile));
    json_decref(document);
}
END_TEST

START_TEST(gives_evidence)
{
    char path[128];
    snprintf(path, sizeof path, "/api/v1/alerts/%s/evidence.pcap", alert_id);
    char *answer = get(path, "");
    ck_assert_ptr_nonnull(strstr(answer, "attachment; filename=\"sightglass-"));
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 100\r\n")); /* 24 + 16 + 60 bytes */
}
END_TEST

START_TEST(streams_changes)
{
    char request[128];
    int size = snprintf(
        request, sizeof request,
        "GET /api/v1/stream HTTP/1.1\r\nHost: localhost:%u\r\nLast-Event-ID: 0\r\n\r\n", port);
    char *answer = exchange(request, (size_t)size, "event: alerts");
    ck_assert_ptr_nonnull(strstr(answer, "text/event-stream"));
    answer = exchange(request, (size_t)size, "plc.start");
    ck_assert_ptr_nonnull(strstr(answer, "plc.stop"));
}
END_TEST

static const struct {
    const char *shows, *request;
    int status;
} raw_rows[] = {
    {"another name for this machine",
     "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",                                               403},
    {"a name that begins like ours",
     "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\nConnection: close\r\n\r\n",                                     403},
    {"no name",                       "GET / HTTP/1.0\r\n\r\n",                                                         403},
    {"a post",
     "POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: "
     "close\r\n\r\nabc",                                                                                                405},
    {"a deletion",                    "DELETE /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
     405                                                                                                                   },
};

START_TEST(turns_away)
{
    char status[16], *answer = exchange(raw_rows[_i].request, strlen(raw_rows[_i].request), NULL);
    snprintf(status, sizeof status, " %d ", raw_rows[_i].status);
    ck_assert_msg(strncmp(answer + 8, status, 5) == 0, "%s: %.60s", raw_rows[_i].shows, answer);
}
END_TEST

START_TEST(bounds_requests)
{
    size_t size = 1 << 20;
    char *request = malloc(size);
    memset(request, 'a', size);
    memcpy(request, "GET /", 5);
    int fd = dial();
    for (size_t sent = 0; sent < size;) { /* the server may close at any moment */
        ssize_t n = send(fd, request + sent, size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    close(fd);
    free(request);
    ck_assert_ptr_nonnull(strstr(get("/healthz", ""), "\"ok\""));
}
END_TEST

/* The store is replaced by something else while the console runs: an answer that says so. */
START_TEST(says_when_the_store_is_broken)
{
    char aside[160];
    snprintf(aside, sizeof aside, "%s.aside", store_file);
    ck_assert_int_eq(rename(store_file, aside), 0);
    FILE *file = fopen(store_file, "w");
    fputs("this is not a database, but it is long enough to look like a file of some kind", file);
    fclose(file);
    char *answer = get("/api/v1/alerts", "");
    ck_assert_msg(strncmp(answer + 8, " 503 ", 5) == 0, "%.60s", answer);
    ck_assert_ptr_nonnull(strstr(answer, "not a Sightglass store"));
    ck_assert_int_eq(rename(aside, store_file), 0);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/alerts", ""), "\"total\":2"));
}
END_TEST

/* A full disk or a folder of another user: the reader's -shm file cannot be made (here: a folder
 * has its name). */
START_TEST(reads_where_nothing_can_be_written)
{
    char shm[160];
    snprintf(shm, sizeof shm, "%s-shm", store_file);
    unlink(shm);
    ck_assert_int_eq(mkdir(shm, 0700), 0);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/alerts", ""), "\"total\":2"));
    ck_assert_int_eq(rmdir(shm), 0);
}
END_TEST

static const struct {
    const char *host;
    bool is_ours;
} hosts[] = {
    {"127.0.0.1",        true },
    {"127.0.0.1:8470",   true },
    {"localhost:1",      true },
    {"LOCALHOST",        true },
    {"[::1]:8470",       true },
    {"[::1]",            true },
    {"127.0.0.1:",       false},
    {"127.0.0.1:x",      false},
    {"127.0.0.1:123456", false},
    {"127.0.0.2",        false},
    {"localhost.evil",   false},
    {"evil",             false},
    {"",                 false},
    {NULL,               false},
    {"127.0.0.1:80:80",  false},
};

START_TEST(knows_its_names)
{
    ck_assert_msg(request_is_host_ours(hosts[_i].host) == hosts[_i].is_ours, "%s", hosts[_i].host);
}
END_TEST

static const struct {
    const char *listen, *why;
} refused[] = {
    {"0.0.0.0:8470",    "loopback"},
    {"192.0.2.1:8470",  "loopback"},
    {"[::]:8470",       "loopback"},
    {"127.0.0.1",       "port"    },
    {"127.0.0.1:99999", "port"    },
    {"127.0.0.1:x",     "port"    },
    {":8470",           "port"    },
    {"example.org:80",  "loopback"},
};

START_TEST(listens_on_loopback_only)
{
    static struct config config;
    static const volatile sig_atomic_t stopped = 1;
    struct error err = {""};
    config_defaults(&config);
    ck_assert(!web_serve(&config, store_file, refused[_i].listen, &stopped, &err));
    ck_assert_msg(strstr(err.text, refused[_i].why) != NULL, "%s: %s", refused[_i].listen,
                  err.text);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

int main(void)
{
    Suite *suite = suite_create("web");
    TCase *served = tcase_create("served");
    tcase_add_checked_fixture(served, start, end);
    tcase_set_timeout(served, 30);
    tcase_add_loop_test(served, answers, 0, COUNT(rows));
    tcase_add_test(served, shows_one_alert);
    tcase_add_test(served, gives_evidence);
    tcase_add_test(served, streams_changes);
    tcase_add_loop_test(served, turns_away, 0, COUNT(raw_rows));
    tcase_add_test(served, bounds_requests);
    tcase_add_test(served, says_when_the_store_is_broken);
    tcase_add_test(served, reads_where_nothing_can_be_written);
    suite_add_tcase(suite, served);
    TCase *alone = tcase_create("alone");
    tcase_add_loop_test(alone, knows_its_names, 0, COUNT(hosts));
    tcase_add_loop_test(alone, listens_on_loopback_only, 0, COUNT(refused));
    suite_add_tcase(suite, alone);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
