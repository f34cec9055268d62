/* test_web.c: the console over HTTP, against a store made here, with names that try to break out.
 */
#include "web/web.h"

#include "alerts/alerts.h"
#include "baseline/baseline.h"
#include "baseline/inventory.h"
#include "rules/windows.h"
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
static const struct store_schema *const schemas[] = {&inventory_schema, &baseline_schema,
                                                     &alerts_schema, &windows_schema, NULL};

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
    struct web_options options = {
        .config = &config, .store_path = store_file, .listen = listen, .stop = &stop};
    bool ok = web_serve(&options, &err);
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

static void name_store(void)
{
    snprintf(store_file, sizeof store_file, "/tmp/sightglass-test-web-%d.db", (int)getpid());
}

static void remove_store(void)
{
    char path[160];
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", store_file, ends[i]);
        unlink(path);
    }
}

static void start(void)
{
    name_store();
    remove_store(); /* of a test that was killed, under the same number */
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
    remove_store();
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
    {"the page",                    "/",                                                "",                               200, "<title>Sightglass</title>"                  },
    {"its script",                  "/app.js",                                          "",                               200, "text/javascript"                            },
    {"its style",                   "/style.css",                                       "",                               200, "text/css"                                   },
    {"health",                      "/healthz",                                         "",                               200, "\"ok\""                                     },
    {"status",                      "/api/v1/status",                                   "",                               200, "\"alerts\":2,\"alerts_open\":2,\"assets\":1"},
    {"alerts",                      "/api/v1/alerts",                                   "",                               200, "\"total\":2"                                },
    {"alerts by severity",          "/api/v1/alerts?severity=9",                        "",                               200, "plc.stop"                                   },
    {"one at a time",               "/api/v1/alerts?limit=1",                           "",                               200, "plc.start"                                  },
    {"the next",                    "/api/v1/alerts?limit=1&skip=1",                    "",                               200, "plc.stop"                                   },
    {"no such limit",               "/api/v1/alerts?limit=0",                           "",                               400, "error"                                      },
    {"too high a limit",            "/api/v1/alerts?limit=501",                         "",                               400, "error"                                      },
    {"a limit that is none",        "/api/v1/alerts?limit=1;drop",                      "",                               400, "error"                                      },
    {"a huge number",               "/api/v1/alerts?skip=99999999999999999999",         "",                               400, "error"                                      },
    {"assets as CSV",               "/api/v1/assets.csv?columns=ip,asset_class",        "",                               200,
     "ip,asset_class\r\n10.0.0.10,"                                                                                                                                         },
    {"no such column",              "/api/v1/assets.csv?columns=ip,speed",              "",                               400, "there is no column speed"                   },
    {"assets as CSV, filtered",     "/api/v1/assets.csv?columns=ip&class=plc",          "",                               200, "ip\r\n"                                     },
    {"assets a line each",          "/api/v1/assets.ndjson?columns=ip",                 "",                               200, "{\"ip\":\"10.0.0.10\"}"                     },
    {"assets for NetBox",           "/api/v1/assets.netbox.csv",                        "",                               200,
     "name,role,manufacturer,device_type"                                                                                                                                   },
    {"assets as CycloneDX",         "/api/v1/assets.cyclonedx.json",                    "",                               200, "\"specVersion\":\"1.6\""                    },
    {"assets",                      "/api/v1/assets",                                   "",                               200, "\"ip\":\"10.0.0.10\""                       },
    {"assets that fit",             "/api/v1/assets?q=10.0.0.1%20%3CSCRIPT&columns=ip", "",                               200,
     "\"matched\":1"                                                                                                                                                        },
    {"assets that do not fit",      "/api/v1/assets?q=10.0.0.1%20dnp3",                 "",                               200,
     "\"assets\":[],\"total\":1,\"matched\":0"                                                                                                                              },
    {"assets without a zone",       "/api/v1/assets?zone=-",                            "",                               200, "\"matched\":1"                              },
    {"assets of a zone",            "/api/v1/assets?zone=cell",                         "",                               200, "\"matched\":0"                              },
    {"assets in order",             "/api/v1/assets?sort=-ip&facets=1",                 "",                               200,
     "\"facets\":{\"asset_class\":{"                                                                                                                                        },
    {"behind the last asset",       "/api/v1/assets?skip=7",                            "",                               200, "\"assets\":[]"                              },
    {"by no column",                "/api/v1/assets?sort=password",                     "",                               400, "error"                                      },
    {"columns that are none",       "/api/v1/assets?columns=ip,x",                      "",                               400, "error"                                      },
    {"an asset that is not there",  "/api/v1/assets/a-00ff",                            "",                               404, "no such asset"                              },
    {"an asset's id that is none",  "/api/v1/assets/%27%20OR%201=1",                    "",                               404, "no such asset"                              },
    {"an alert that is not there",  "/api/v1/alerts/00ff",                              "",                               404, "no such alert"                              },
    {"an id that is none, encoded", "/api/v1/alerts/%27%20OR%201=1",                    "",                               404, "no such alert"                              },
    {"a path out of the page",      "/../../etc/passwd",                                "",                               404, "no such path"                               },
    {"an encoded path",             "/%2e%2e/etc/passwd",                               "",                               404, "no such path"                               },
    {"nothing there",               "/api/v2/alerts",                                   "",                               404, "no such path"                               },
    {"another site's script",       "/api/v1/alerts",                                   "Sec-Fetch-Site: cross-site\r\n", 403, "error"                                      },
};

START_TEST(answers)
{
    char *answer = get(rows[_i].path, rows[_i].headers), status[16];
    snprintf(status, sizeof status, " %d ", rows[_i].status);
    ck_assert_msg(strncmp(answer + 8, status, 5) == 0, "%s: %.60s", rows[_i].shows, answer);
    ck_assert_msg(strstr(answer, rows[_i].has) != NULL, "%s: %s", rows[_i].shows, answer);
    if (rows[_i].has[0] == '\0')
        return; /* the HTTP library's own refusal */
    static const char *const headers[] = {"Content-Security-Policy: default-src 'none'",
                                          "X-Content-Type-Options: nosniff",
                                          "Referrer-Policy: no-referrer", "Cache-Control: no-"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        ck_assert_msg(strstr(answer, headers[i]) != NULL, "%s: has %s", rows[_i].shows, headers[i]);
    ck_assert_msg(!strstr(answer, "Access-Control-Allow"), "%s: is for us alone", rows[_i].shows);
}
END_TEST

/* The body of an answer; the caller owns it. */
static json_t *body_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    json_t *json = json_loads(body, 0, NULL);
    ck_assert_msg(json != NULL, "%s", answer);
    return json;
}

static const char *text_at(const json_t *json, const char *a, const char *b)
{
    const char *text = json_string_value(json_object_get(json_object_get(json, a), b));
    return text ? text : "";
}

START_TEST(shows_one_alert)
{
    char path[128];
    snprintf(path, sizeof path, "/api/v1/alerts/%s", alert_id);
    json_t *answer = body_of(get(path, ""));
    const json_t *document = json_object_get(answer, "alert");
    ck_assert_str_eq(text_at(document, "rule", "id"), "plc.stop");
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(document, "message")), hostile));
    ck_assert_str_eq(json_string_value(json_object_get(answer, "triage")), "new");
    json_decref(answer);
}
END_TEST

START_TEST(sends_what_is_known_once)
{
    char etag[64] = "", header[128];
    const char *at = strcasestr(get("/api/v1/alerts", ""), "ETag: ");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at + 6, "%63s", etag), 1);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
    ck_assert_int_eq(strncmp(get("/api/v1/alerts", header) + 8, " 304 ", 5), 0);
    ck_assert_int_eq(strncmp(get("/api/v1/assets", header) + 8, " 200 ", 5), 0);
}
END_TEST

START_TEST(packs_the_page)
{
    ck_assert_ptr_nonnull(
        strcasestr(get("/app.js", "Accept-Encoding: gzip, br\r\n"), "Content-Encoding: gzip"));
    ck_assert_ptr_null(strcasestr(get("/app.js", ""), "Content-Encoding"));
}
END_TEST

/* --- people --- */

static const char PASSWORD[] = "a long enough password";

/* Two users; every request from now on needs one of them. */
static void add_users(void)
{
    struct store *store;
    struct error err = {""};
    ck_assert_msg(writer_open(&store, store_file, &err), "%s", err.text);
    ck_assert_msg(account_add(store, "anna", ROLE_ADMIN, PASSWORD, 1, &err), "%s", err.text);
    ck_assert_msg(account_add(store, "vic", ROLE_VIEWER, PASSWORD, 1, &err), "%s", err.text);
    store_close(store);
}

static char *send_json(const char *method, const char *path, const char *headers, const char *body)
{
    char request[4096];
    int size = snprintf(request, sizeof request,
                        "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        method, path, port, headers, strlen(body), body);
    return exchange(request, (size_t)size, NULL);
}

static int status_of(const char *answer)
{
    return atoi(answer + 9);
}

/* Logs in; the headers that a page sends from then on. */
static void log_in(const char *user, char headers[512])
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

static const struct {
    const char *shows, *method, *path;
    int nobody, viewer, admin;
} rights[] = {
    {"the page itself",       "GET",    "/",                           200, 200, 200},
    {"health",                "GET",    "/healthz",                    200, 200, 200},
    {"who am I",              "GET",    "/api/v1/session",             200, 200, 200},
    {"alerts",                "GET",    "/api/v1/alerts",              401, 200, 200},
    {"assets",                "GET",    "/api/v1/assets",              401, 200, 200},
    {"say of an asset",       "PATCH",  "/api/v1/assets/a-00ff",       401, 403, 404},
    {"numbers",               "GET",    "/metrics",                    401, 200, 200},
    {"work on alerts",        "POST",   "/api/v1/alerts/triage",       401, 403, 400},
    {"approve",               "POST",   "/api/v1/alerts/0f/approve",   401, 403, 404},
    {"the overview",          "GET",    "/api/v1/overview",            401, 200, 200},
    {"stories",               "GET",    "/api/v1/stories",             401, 200, 200},
    {"a story",               "GET",    "/api/v1/stories/0f",          401, 404, 404},
    {"mute",                  "POST",   "/api/v1/alerts/0f/mute",      401, 403, 404},
    {"what is muted",         "GET",    "/api/v1/suppressions",        401, 200, 200},
    {"lift",                  "DELETE", "/api/v1/suppressions/7",      401, 403, 404},
    {"a summary",             "GET",    "/api/v1/reports/summary",     401, 200, 200},
    {"maintenance",           "GET",    "/api/v1/reports/maintenance", 401, 200, 200},
    {"users",                 "GET",    "/api/v1/users",               401, 403, 200},
    {"a new user",            "POST",   "/api/v1/users",               401, 403, 400},
    {"remove a user",         "DELETE", "/api/v1/users/nobody",        401, 403, 400},
    {"tokens",                "GET",    "/api/v1/tokens",              401, 403, 200},
    {"the record of changes", "GET",    "/api/v1/audit",               401, 403, 200},
};

START_TEST(roles_decide)
{
    static const char *const users[] = {NULL, "vic", "anna"};
    const int expected[] = {rights[_i].nobody, rights[_i].viewer, rights[_i].admin};
    add_users();
    for (size_t i = 0; i < 3; i++) {
        char headers[512] = "";
        if (users[i])
            log_in(users[i], headers);
        char *answer = strcmp(rights[_i].method, "GET") == 0
                           ? get(rights[_i].path, headers)
                           : send_json(rights[_i].method, rights[_i].path, headers, "{}");
        ck_assert_msg(status_of(answer) == expected[i], "%s as %s: %.60s", rights[_i].shows,
                      users[i] ? users[i] : "nobody", answer);
    }
}
END_TEST

START_TEST(triage_is_kept_with_who_and_why)
{
    char headers[512], body[256], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(body, sizeof body, "{\"ids\":[\"%s\"],\"state\":\"closed\",\"note\":\"planned %s\"}",
             alert_id, "work");
    ck_assert_int_eq(status_of(send_json("POST", "/api/v1/alerts/triage", headers, body)), 200);
    snprintf(path, sizeof path, "/api/v1/alerts/%s", alert_id);
    json_t *answer = body_of(get(path, headers));
    const json_t *last = json_array_get(json_object_get(answer, "history"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(answer, "triage")), "closed");
    ck_assert_str_eq(json_string_value(json_object_get(last, "by")), "anna");
    ck_assert_str_eq(json_string_value(json_object_get(last, "note")), "planned work");
    json_decref(answer);
    answer = body_of(get("/api/v1/alerts?triage=open", headers));
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "alerts")), 1);
    json_decref(answer);
    answer = body_of(get("/api/v1/audit?limit=1", headers));
    last = json_array_get(json_object_get(answer, "audit"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(last, "what")), "alert.triage");
    json_decref(answer);
}
END_TEST

/* "/api/v1/assets/ID" of the only asset. */
static const char *asset_path(const char *headers)
{
    static char path[128];
    json_t *answer = body_of(get("/api/v1/assets", headers));
    snprintf(path, sizeof path, "/api/v1/assets/%s",
             json_string_value(json_object_get(json_array_get(json_object_get(answer, "assets"), 0),
                                               "asset_id")));
    json_decref(answer);
    return path;
}

START_TEST(an_asset_shows_where_its_values_come_from)
{
    json_t *answer = body_of(get(asset_path(""), ""));
    const json_t *fact = json_array_get(json_object_get(answer, "facts"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(fact, "value")), hostile);
    ck_assert_str_eq(json_string_value(json_object_get(fact, "protocol")), "modbus");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "addresses")), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "alerts")), 2);
    json_decref(answer);
}
END_TEST

START_TEST(what_a_person_says_shows_at_once_and_is_recorded)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "%s", asset_path(headers));
    static const char *const refused[] = {
        "{}", "{\"set\":{}}", "{\"set\":{\"mac\":\"x\"}}", "{\"set\":{\"name\":7}}",
        "{\"set\":{\"name\":\"ok\",\"asset_class\":\"toaster\"}}"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ck_assert_msg(status_of(send_json("PATCH", path, headers, refused[i])) == 400, "%s",
                      refused[i]);
    ck_assert_ptr_null(strstr(get("/api/v1/assets", headers), "\"name\":\"ok\""));
    ck_assert_int_eq(status_of(send_json("PATCH", path, headers,
                                         "{\"set\":{\"name\":\"Press 4\"},\"why\":\"seen\"}")),
                     200);
    char *list = get("/api/v1/assets?q=press", headers);
    ck_assert_msg(strstr(list, "\"name\":\"Press 4\"") && strstr(list, "name: user anna"), "%s",
                  list);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/audit?limit=1", headers), "asset.override"));
    ck_assert_int_eq(status_of(send_json("PATCH", path, headers, "{\"set\":{\"name\":null}}")),
                     200);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/assets?q=press", headers), "\"matched\":0"));
}
END_TEST

START_TEST(an_approval_becomes_a_decision)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "/api/v1/alerts/%s/approve", alert_id);
    ck_assert_int_eq(status_of(send_json("POST", path, headers, "{\"days\":7}")), 400);
    char *answer = send_json("POST", path, headers, "{\"days\":7,\"why\":\"it was us\"}");
    ck_assert_msg(strstr(answer, "approved plc.stop by 10.0.0.66 on 10.0.0.10") != NULL, "%s",
                  answer);
}
END_TEST

/* --- muting --- */

static const struct {
    const char *shows, *body;
    int status;
    const char *says;
} mutings[] = {
    {"this pair",               "{\"why\":\"repair\",\"hours\":8}",                      201,
     "plc.stop of 10.0.0.66 to 10.0.0.10 until"                                                               },
    {"this actor",              "{\"why\":\"repair\",\"hours\":8,\"scope\":\"actor\"}",  201,
     "plc.stop of 10.0.0.66 until"                                                                            },
    {"this target",             "{\"why\":\"repair\",\"hours\":8,\"scope\":\"target\"}", 201,
     "plc.stop to 10.0.0.10 until"                                                                            },
    {"the kind",                "{\"why\":\"repair\",\"hours\":8,\"scope\":\"all\"}",    201, "plc.stop until"},
    {"the longest",             "{\"why\":\"repair\",\"hours\":9600}",                   201, "plc.stop"      },
    {"an hour more",            "{\"why\":\"repair\",\"hours\":9601}",                   400, "1 to 9600"     },
    {"no time at all",          "{\"why\":\"repair\",\"hours\":0}",                      400, "1 to 9600"     },
    {"no end",                  "{\"why\":\"repair\"}",                                  400, "1 to 9600"     },
    {"a half hour",             "{\"why\":\"repair\",\"hours\":0.5}",                    400, "1 to 9600"     },
    {"no reason",               "{\"why\":\"\",\"hours\":8}",                            400, "send why"      },
    {"a reason that is none",   "{\"why\":[],\"hours\":8}",                              400, "send why"      },
    {"a scope that is none",    "{\"why\":\"repair\",\"hours\":8,\"scope\":\"*\"}",      400, "scope is"      },
    {"a scope of another type", "{\"why\":\"repair\",\"hours\":8,\"scope\":1}",          400, "scope is"      },
    {"no object",               "[]",                                                    400, "send why"      },
};

START_TEST(mutes)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "/api/v1/alerts/%s/mute", alert_id);
    char *answer = send_json("POST", path, headers, mutings[_i].body);
    ck_assert_msg(status_of(answer) == mutings[_i].status, "%s: %s", mutings[_i].shows, answer);
    ck_assert_msg(strstr(answer, mutings[_i].says) != NULL, "%s: %s", mutings[_i].shows, answer);
    bool is_listed = strstr(get("/api/v1/suppressions", headers), "\"in force\"") != NULL;
    ck_assert_msg(is_listed == (mutings[_i].status == 201), "%s", mutings[_i].shows);
}
END_TEST

START_TEST(what_is_muted_can_be_lifted_once)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "/api/v1/alerts/%s/mute", alert_id);
    send_json("POST", path, headers, "{\"why\":\"repair\",\"hours\":8}");
    ck_assert_ptr_nonnull(strstr(get("/api/v1/overview", headers), "\"muted\":1"));
    static const char *const nothing[] = {"/api/v1/suppressions/2", "/api/v1/suppressions/0",
                                          "/api/v1/suppressions/1x",
                                          "/api/v1/suppressions/1?sensor=other"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        ck_assert_int_eq(status_of(send_json("DELETE", nothing[i], headers, "")), 404);
    ck_assert_int_eq(status_of(send_json("DELETE", "/api/v1/suppressions/1", headers, "")), 200);
    ck_assert_int_eq(status_of(send_json("DELETE", "/api/v1/suppressions/1", headers, "")), 400);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/suppressions", headers), "\"lifted\""));
    char *record = get("/api/v1/audit", headers);
    ck_assert_ptr_nonnull(strstr(record, "alert.mute"));
    ck_assert_ptr_nonnull(strstr(record, "alert.unmute"));
}
END_TEST

/* --- the overview, stories and reports --- */

/* Runs SQL on the store, as a sensor that did more than this one would have. */
static void prepare_store(const char *sql)
{
    struct store *store;
    struct error err = {""};
    ck_assert_msg(writer_open(&store, store_file, &err), "%s", err.text);
    ck_assert_msg(store_exec(store, sql, &err), "%s", err.text);
    store_close(store);
}

START_TEST(the_overview_tells_what_is_open)
{
    char headers[512], body[256];
    add_users();
    log_in("anna", headers);
    json_t *before = body_of(get("/api/v1/overview", headers));
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(before, "open"), "all")),
                     2);
    ck_assert_uint_eq(json_array_size(json_object_get(before, "newest")), 2);
    json_decref(before);
    snprintf(body, sizeof body, "{\"ids\":[\"%s\"],\"state\":\"closed\"}", alert_id);
    ck_assert_int_eq(status_of(send_json("POST", "/api/v1/alerts/triage", headers, body)), 200);
    json_t *after = body_of(get("/api/v1/overview", headers));
    const json_t *newest = json_object_get(after, "newest");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(after, "open"), "all")), 1);
    ck_assert_uint_eq(json_array_size(newest), 1);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(newest, 0), "rule")),
                     "plc.start");
    json_decref(after);
}
END_TEST

/* Both alerts began in the hour of the last packet, which is the last of the 48. */
START_TEST(the_overview_counts_by_hour)
{
    json_t *answer = body_of(get("/api/v1/overview", ""));
    const json_t *all = json_object_get(json_object_get(answer, "rate"), "all");
    ck_assert_uint_eq(json_array_size(all), 48);
    for (size_t i = 0; i < 48; i++)
        ck_assert_int_eq(json_integer_value(json_array_get(all, i)), i == 47 ? 2 : 0);
    json_decref(answer);
}
END_TEST

START_TEST(troubles_of_the_sensor_have_their_own_place)
{
    prepare_store("UPDATE alerts SET rule = 'sensor.one-sided' WHERE rule = 'plc.start'");
    json_t *answer = body_of(get("/api/v1/overview", ""));
    const json_t *troubles = json_object_get(json_object_get(answer, "sensor"), "troubles");
    ck_assert_uint_eq(json_array_size(troubles), 1);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(troubles, 0), "rule")),
                     "sensor.one-sided");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "newest")), 1);
    json_decref(answer);
}
END_TEST

START_TEST(a_story_has_its_alerts_in_order)
{
    char headers[512], path[128], body[256];
    add_users();
    log_in("anna", headers);
    prepare_store("INSERT OR REPLACE INTO incidents SELECT sensor, incident, 1, 9, first_ns,"
                  " last_ns, 2, 'settled', 'stopped and started',"
                  " '{\"title\":\"stopped and started\",\"tactics\":[\"execution\"],"
                  "\"alerts_total\":2}', NULL FROM alerts WHERE rule = 'plc.stop';"
                  " UPDATE alerts SET incident = (SELECT incident FROM alerts WHERE rule ="
                  " 'plc.stop')");
    json_t *list = body_of(get("/api/v1/stories?state=open&q=STARTED", headers));
    const json_t *story = json_array_get(json_object_get(list, "stories"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(story, "title")), "stopped and started");
    snprintf(path, sizeof path, "/api/v1/stories/%s",
             json_string_value(json_object_get(story, "id")));
    json_decref(list);
    json_t *one = body_of(get(path, headers));
    const json_t *alerts = json_object_get(one, "alerts");
    ck_assert_uint_eq(json_array_size(alerts), 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(alerts, 0), "rule")),
                     "plc.stop");
    snprintf(body, sizeof body, "{\"ids\":[\"%s\",\"%s\"],\"state\":\"closed\"}",
             json_string_value(json_object_get(json_array_get(alerts, 0), "id")),
             json_string_value(json_object_get(json_array_get(alerts, 1), "id")));
    json_decref(one);
    ck_assert_int_eq(status_of(send_json("POST", "/api/v1/alerts/triage", headers, body)), 200);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/stories?state=open", headers), "\"stories\":[]"));
    ck_assert_ptr_nonnull(strstr(get("/api/v1/stories?state=all", headers), "\"is_open\":false"));
}
END_TEST

/* START is 2023-11-14T22:13:20Z. */
static const struct {
    const char *shows, *query;
    int status;
    const char *has;
} spans[] = {
    {"without a span: the last week",  "",                                                   200, "\"rule\":\"plc.stop\""},
    {"the hour of the alerts",         "?from=2023-11-14T22:00:00Z&to=2023-11-14T23:00:00Z", 200,
     "\"rule\":\"plc.stop\""                                                                                             },
    {"the first moment is of it",      "?from=2023-11-14T22:13:20Z&to=2023-11-14T22:13:21Z", 200,
     "\"rule\":\"plc.stop\""                                                                                             },
    {"the last moment is not",         "?from=2023-11-14T22:00:00Z&to=2023-11-14T22:13:20Z", 200,
     "\"rules\":[]"                                                                                                      },
    {"the day after",                  "?from=2023-11-15T00:00:00Z&to=2023-11-16T00:00:00Z", 200, "\"rules\":[]"         },
    {"new devices",                    "?from=2023-11-14T22:00:00Z&to=2023-11-14T23:00:00Z", 200,
     "\"new_assets_total\":1"                                                                                            },
    {"backwards",                      "?from=2023-11-15T00:00:00Z&to=2023-11-14T00:00:00Z", 400, "from before to"       },
    {"an empty span",                  "?from=2023-11-15T00:00:00Z&to=2023-11-15T00:00:00Z", 400, "from before to"       },
    {"a time that is none",            "?from=yesterday",                                    400, "from before to"       },
    {"long before there were packets", "?to=1800-01-01T00:00:00Z",                           400, "from before to"       },
};

START_TEST(reports_are_of_their_span)
{
    char path[160];
    snprintf(path, sizeof path, "/api/v1/reports/summary%s", spans[_i].query);
    char *answer = get(path, "");
    ck_assert_msg(status_of(answer) == spans[_i].status, "%s: %.80s", spans[_i].shows, answer);
    ck_assert_msg(strstr(answer, spans[_i].has) != NULL, "%s: %s", spans[_i].shows, answer);
}
END_TEST

START_TEST(a_window_has_its_actions)
{
    prepare_store(
        "INSERT INTO maintenance_windows VALUES('sightglass', 'night', 1700000000000000000,"
        " 1700003600000000000, 'CHG-1', 1), ('sightglass', 'quiet', 1700000000000000000,"
        " 1700003600000000000, '', 1);"
        " INSERT INTO maintenance_actions VALUES('sightglass', 'night',"
        " 1700000000000000000, '10.0.0.5', '10.0.0.10', 'plc.stop', 'CPU', 'stop', 2,"
        " 1700000001000000000, 1700000002000000000, 'success', 0, '')");
    json_t *answer = body_of(
        get("/api/v1/reports/maintenance?from=2023-11-14T23:00:00Z&to=2023-11-15T00:00:00Z", ""));
    const json_t *windows = json_object_get(answer, "windows");
    ck_assert_uint_eq(json_array_size(windows), 2);
    const json_t *night = json_array_get(windows, 0), *quiet = json_array_get(windows, 1);
    ck_assert_str_eq(json_string_value(json_object_get(night, "ticket")), "CHG-1");
    ck_assert_uint_eq(json_array_size(json_object_get(night, "actions")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(quiet, "actions")), 0);
    json_decref(answer);
    ck_assert_ptr_nonnull(strstr(
        get("/api/v1/reports/maintenance?from=2023-11-15T00:00:00Z&to=2023-11-16T00:00:00Z", ""),
        "\"windows\":[]"));
}
END_TEST

static const struct {
    const char *shows, *path, *body, *headers;
    int status;
} hostile_rows[] = {
    {"no token of the page", "/api/v1/alerts/triage", "{}",                                     "",                                                    403},
    {"a wrong one",          "/api/v1/alerts/triage", "{}",                                     "X-CSRF-Token: 00\r\n",                                403},
    {"another site",         "/api/v1/session",       "{\"user\":\"anna\",\"password\":\"x\"}",
     "Sec-Fetch-Site: cross-site\r\n",                                                                                                                 403},
    {"no JSON",              "/api/v1/session",       "user=anna",                              "",                                                    400},
    {"numbers for words",    "/api/v1/session",       "{\"user\":1,\"password\":[]}",           "",                                                    400},
    {"a name twice",         "/api/v1/session",       "{\"user\":\"a\",\"user\":\"b\"}",        "",                                                    400},
    {"a form",               "/api/v1/session",       "{}",                                     "Content-Type: application/x-www-form-urlencoded\r\n", 415},
};

START_TEST(refuses)
{
    char headers[512], sent[512];
    bool is_session = strcmp(hostile_rows[_i].path, "/api/v1/session") == 0;
    add_users();
    log_in("anna", headers);
    *strstr(headers, "X-CSRF-Token") = '\0'; /* the cookie, which a browser sends by itself */
    snprintf(sent, sizeof sent, "%s%s", is_session ? "" : headers, hostile_rows[_i].headers);
    char *answer = send_json("POST", hostile_rows[_i].path, sent, hostile_rows[_i].body);
    ck_assert_msg(status_of(answer) == hostile_rows[_i].status, "%s: %.80s", hostile_rows[_i].shows,
                  answer);
}
END_TEST

START_TEST(guessing_becomes_slow)
{
    static const char wrong[] = "{\"user\":\"anna\",\"password\":\"not this one\"}";
    add_users();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(status_of(send_json("POST", "/api/v1/session", "", wrong)), 401);
    char *answer = send_json("POST", "/api/v1/session", "", wrong);
    ck_assert_int_eq(status_of(answer), 429);
    ck_assert_ptr_nonnull(strstr(answer, "try again in"));
}
END_TEST

START_TEST(a_long_body_is_refused)
{
    enum { SIZE = 300 << 10 };
    char *request = malloc(SIZE + 512);
    int head = snprintf(request, 512,
                        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                        (int)SIZE);
    memset(request + head, ' ', SIZE);
    char *answer = exchange(request, (size_t)head + SIZE, NULL);
    free(request);
    ck_assert_int_eq(status_of(answer), 413);
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
    bool has_users;
} refused[] = {
    {"0.0.0.0:8470",    "make a user",    false},
    {"192.0.2.1:8470",  "make a user",    false},
    {"[::]:8470",       "make a user",    false},
    {"0.0.0.0:8470",    "in clear",       true },
    {"[::]:8470",       "in clear",       true },
    {"127.0.0.1",       "port",           false},
    {"127.0.0.1:99999", "port",           false},
    {"127.0.0.1:x",     "port",           false},
    {":8470",           "port",           false},
    {"example.org:80",  "not an address", false},
};

START_TEST(listens_only_where_it_is_safe)
{
    static struct config config;
    static const volatile sig_atomic_t stopped = 1;
    struct error err = {""};
    config_defaults(&config);
    name_store();
    fill(DETECTION_PLC_STOP, "one", START);
    if (refused[_i].has_users)
        add_users();
    struct web_options options = {.config = &config,
                                  .store_path = store_file,
                                  .listen = refused[_i].listen,
                                  .stop = &stopped};
    ck_assert(!web_serve(&options, &err));
    ck_assert_msg(strstr(err.text, refused[_i].why) != NULL, "%s: %s", refused[_i].listen,
                  err.text);
    remove_store();
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
    tcase_add_test(served, an_asset_shows_where_its_values_come_from);
    tcase_add_test(served, what_a_person_says_shows_at_once_and_is_recorded);
    tcase_add_test(served, shows_one_alert);
    tcase_add_test(served, gives_evidence);
    tcase_add_test(served, sends_what_is_known_once);
    tcase_add_test(served, packs_the_page);
    tcase_add_loop_test(served, roles_decide, 0, COUNT(rights));
    tcase_add_test(served, triage_is_kept_with_who_and_why);
    tcase_add_test(served, an_approval_becomes_a_decision);
    tcase_add_loop_test(served, mutes, 0, COUNT(mutings));
    tcase_add_test(served, what_is_muted_can_be_lifted_once);
    tcase_add_test(served, the_overview_tells_what_is_open);
    tcase_add_test(served, the_overview_counts_by_hour);
    tcase_add_test(served, troubles_of_the_sensor_have_their_own_place);
    tcase_add_test(served, a_story_has_its_alerts_in_order);
    tcase_add_loop_test(served, reports_are_of_their_span, 0, COUNT(spans));
    tcase_add_test(served, a_window_has_its_actions);
    tcase_add_loop_test(served, refuses, 0, COUNT(hostile_rows));
    tcase_add_test(served, guessing_becomes_slow);
    tcase_add_test(served, a_long_body_is_refused);
    tcase_add_test(served, streams_changes);
    tcase_add_loop_test(served, turns_away, 0, COUNT(raw_rows));
    tcase_add_test(served, bounds_requests);
    tcase_add_test(served, says_when_the_store_is_broken);
    tcase_add_test(served, reads_where_nothing_can_be_written);
    suite_add_tcase(suite, served);
    TCase *alone = tcase_create("alone");
    tcase_add_loop_test(alone, knows_its_names, 0, COUNT(hosts));
    tcase_add_loop_test(alone, listens_only_where_it_is_safe, 0, COUNT(refused));
    suite_add_tcase(suite, alone);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
