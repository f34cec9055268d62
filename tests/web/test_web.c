/* test_web.c: the console over HTTP: what it answers, and what it turns away. */
#include "served.h"

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

/* RFC 9110 13.1.2. %s is the ETag that the path has. */
static const struct {
    const char *shows, *path, *known;
    int status;
} known_rows[] = {
    {"the same",                 "/api/v1/alerts",  "%s",         304},
    {"the same, called weak",    "/api/v1/alerts",  "W/%s",       304},
    {"one of several",           "/api/v1/alerts",  "\"aa\", %s", 304},
    {"another",                  "/api/v1/alerts",  "\"aa\"",     200},
    {"anything",                 "/api/v1/alerts",  "*",          304},
    {"any page",                 "/",               "*",          304},
    {"the same page",            "/app.js",         "%s",         304},
    {"anything of what is none", "/api/v1/nowhere", "*",          404},
};

START_TEST(sends_what_is_known_once)
{
    char etag[64] = "", known[96], header[128];
    const char *at = strcasestr(get(known_rows[_i].path, ""), "ETag: ");
    if (at)
        ck_assert_int_eq(sscanf(at + 6, "%63s", etag), 1);
    ck_assert_msg(at != NULL || known_rows[_i].status == 404, "%s: an ETag", known_rows[_i].shows);
    const char *place = strstr(known_rows[_i].known, "%s");
    int before = place ? (int)(place - known_rows[_i].known) : (int)strlen(known_rows[_i].known);
    snprintf(known, sizeof known, "%.*s%s", before, known_rows[_i].known, place ? etag : "");
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", known);
    int status = status_of(get(known_rows[_i].path, header));
    ck_assert_msg(status == known_rows[_i].status, "%s: %d", known_rows[_i].shows, status);
}
END_TEST

START_TEST(sends_no_file_to_who_has_any)
{
    char path[128];
    snprintf(path, sizeof path, "/api/v1/alerts/%s/evidence.pcap", alert_id);
    ck_assert_int_eq(status_of(get(path, "")), 200);
    ck_assert_int_eq(status_of(get(path, "If-None-Match: *\r\n")), 304);
}
END_TEST

START_TEST(packs_the_page)
{
    ck_assert_ptr_nonnull(
        strcasestr(get("/app.js", "Accept-Encoding: gzip, br\r\n"), "Content-Encoding: gzip"));
    ck_assert_ptr_null(strcasestr(get("/app.js", ""), "Content-Encoding"));
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

/* Somebody else's open page gives nobody the time to guess its password. */
START_TEST(guessing_ones_own_password_becomes_slow)
{
    static const char wrong[] = "{\"old\":\"not this one\",\"new\":\"another password\"}";
    char headers[512];
    add_users();
    log_in("anna", headers);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(status_of(send_json("POST", "/api/v1/password", headers, wrong)), 403);
    ck_assert_int_eq(status_of(send_json("POST", "/api/v1/password", headers, wrong)), 429);
}
END_TEST

static atomic_int checked, slowed;

static void *guess(void *context)
{
    static const char body[] = "{\"user\":\"anna\",\"password\":\"not this one\"}";
    char request[512], answer[4096];
    int size =
        snprintf(request, sizeof request,
                 "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                 port, sizeof body - 1, body);
    size_t used = 0;
    int fd = dial();
    ck_assert_int_eq(write(fd, request, (size_t)size), size);
    for (ssize_t n; (n = read(fd, answer + used, sizeof answer - 1 - used)) > 0;)
        used += (size_t)n;
    answer[used] = '\0';
    close(fd);
    atomic_fetch_add(status_of(answer) == 401 ? &checked : &slowed, 1);
    return context;
}

/* Many at once are counted before their passwords are looked at. */
START_TEST(guessing_many_at_once_gains_nothing)
{
    enum { GUESSES = 40 };
    pthread_t threads[GUESSES];
    add_users();
    atomic_store(&checked, 0);
    atomic_store(&slowed, 0);
    for (int i = 0; i < GUESSES; i++)
        pthread_create(&threads[i], NULL, guess, NULL);
    for (int i = 0; i < GUESSES; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_ge(atomic_load(&checked), 1);
    ck_assert_int_ge(atomic_load(&slowed), GUESSES / 2);
}
END_TEST

/* Reads until `until` has come; NULL: until the other side closes. */
static void listen_for(int fd, const char *until)
{
    static char heard[1 << 16];
    size_t used = 0;
    for (;;) {
        ssize_t n = read(fd, heard + used, sizeof heard - 1 - used);
        ck_assert_msg(n > 0 || !until, "no %s", until);
        if (n <= 0)
            return;
        used += (size_t)n;
        heard[used] = '\0';
        if (until && strstr(heard, until))
            return;
    }
}

/* Whoever has logged out, or was sent away, is told nothing more by a page that is still open. */
START_TEST(a_stream_ends_with_its_session)
{
    static const char *const ends[] = {"logs out", "is removed"};
    char vic[512], anna[512], request[1024];
    add_users();
    log_in("vic", vic);
    log_in("anna", anna);
    int size =
        snprintf(request, sizeof request,
                 "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s\r\n",
                 port, vic);
    int fd = dial();
    ck_assert_int_eq(write(fd, request, (size_t)size), size);
    listen_for(fd, "event: status");
    char *answer = _i == 0 ? send_json("DELETE", "/api/v1/session", vic, "")
                           : send_json("DELETE", "/api/v1/users/vic", anna, "{\"why\":\"left\"}");
    ck_assert_msg(status_of(answer) == 200, "%s: %s", ends[_i], answer);
    listen_for(fd, NULL);
    close(fd);
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

static void change_store(const char *sql)
{
    struct store *store;
    struct error err = {""};
    ck_assert_msg(store_open(&store, store_file, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_exec(store, sql, &err), "%s", err.text);
    store_close(store);
}

/* A story is committed after the alert that makes it or changes it: pages are told of it, too. */
START_TEST(streams_stories)
{
    char request[128];
    int size = snprintf(request, sizeof request,
                        "GET /api/v1/stream HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", port);
    int fd = dial();
    ck_assert_int_eq(write(fd, request, (size_t)size), size);
    listen_for(fd, "event: status");
    change_store("INSERT INTO incidents(sensor, id, revision, severity, first_ns, last_ns, alerts,"
                 " status, title, document) VALUES('sightglass', 'first', 1, 7, 1, 2, 2, 'growing',"
                 " 'a story', '{}')");
    listen_for(fd, "data: {\"newest\":[\"first\"]}");
    change_store("UPDATE incidents SET revision = 2");
    listen_for(fd, "event: stories");
    close(fd);
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

/* Where people log in, a page that was made to lead here has no session: any name will do. */
#define ASKS "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#define SENDS                                                                                      \
    "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
#define NEXT ASKS "\r\n"

/* A second request hides in what could be the first one's body: RFC 9112 6.3, 11.2. The connection
 * ends and the second is not answered. */
static const struct {
    const char *shows, *request;
} unclear[] = {
    {"two lengths",           SENDS "Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}" NEXT},
    {"the same length twice", SENDS "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" NEXT },
    {"a length and chunks",
     SENDS "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT          },
    {"another coding",        SENDS "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT     },
    {"chunks after another",  SENDS "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT},
    {"a blank in a name",     SENDS "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" NEXT     },
    {"a sign in the length",  SENDS "Content-Length: +2\r\n\r\n{}" NEXT                     },
    {"a list of lengths",     SENDS "Content-Length: 2, 2\r\n\r\n{}" NEXT                   },
    {"two hosts",             ASKS "Host: evil.example\r\n\r\n" NEXT                        },
    {"no host",               "GET /healthz HTTP/1.1\r\n\r\n" NEXT                          },
    {"chunks in HTTP/1.0",    "POST /api/v1/session HTTP/1.0\r\nHost: 127.0.0.1\r\nTransfer-Encoding: "
                           "chunked\r\n\r\n0\r\n\r\n" NEXT        },
};

START_TEST(ends_what_is_unclear)
{
    const char *request = unclear[_i].request;
    char *answer = exchange(request, strlen(request), NULL);
    ck_assert_msg(status_of(answer) == 400, "%s: %.80s", unclear[_i].shows, answer);
    ck_assert_msg(!strstr(answer, "200 OK"), "%s: the second was answered", unclear[_i].shows);
}
END_TEST

/* What is clear is answered, one after another. */
START_TEST(answers_one_after_another)
{
    static const char request[] = SENDS
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" ASKS "Connection: close\r\n\r\n";
    char *answer = exchange(request, sizeof request - 1, NULL);
    ck_assert_int_eq(status_of(answer), 400); /* no user in the body */
    ck_assert_ptr_nonnull(strstr(answer, "send {"));
    ck_assert_ptr_nonnull(strstr(answer, "200 OK"));
}
END_TEST

static const struct {
    const char *shows, *public_name, *host;
    bool has_users;
    int status;
} names[] = {
    {"without users, only this machine's",  "",               "ot.example.org",      false, 403},
    {"with users, any",                     "",               "ot.example.org",      true,  200},
    {"its public name",                     "ot.example.org", "ot.example.org",      true,  200},
    {"its public name and a port",          "ot.example.org", "ot.example.org:8443", true,  200},
    {"another than its public name",        "ot.example.org", "evil.example",        true,  403},
    {"this machine's beside a public name", "ot.example.org", "localhost",           true,  200},
};

START_TEST(has_names_of_its_own)
{
    static const char *const paths[] = {"/", "/app.js", "/healthz", "/api/v1/session"};
    char request[256];
    text_format(served_config.public_name, sizeof served_config.public_name, "%s",
                names[_i].public_name);
    if (names[_i].has_users)
        add_users();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        int size = snprintf(request, sizeof request,
                            "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", paths[i],
                            names[_i].host);
        ck_assert_msg(status_of(exchange(request, (size_t)size, NULL)) == names[_i].status,
                      "%s: %s", names[_i].shows, paths[i]);
    }
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
    const char *host, *name;
    bool is_it;
} hosts[] = {
    {"127.0.0.1",          "127.0.0.1",      true },
    {"127.0.0.1:8470",     "127.0.0.1",      true },
    {"localhost:1",        "localhost",      true },
    {"LOCALHOST",          "localhost",      true },
    {"[::1]:8470",         "[::1]",          true },
    {"[::1]",              "[::1]",          true },
    {"127.0.0.1:",         "127.0.0.1",      false},
    {"127.0.0.1:x",        "127.0.0.1",      false},
    {"127.0.0.1:123456",   "127.0.0.1",      false},
    {"127.0.0.2",          "127.0.0.1",      false},
    {"localhost.evil",     "localhost",      false},
    {"evil",               "localhost",      false},
    {"",                   "localhost",      false},
    {"127.0.0.1:80:80",    "127.0.0.1",      false},
    {"ot.example.org:443", "ot.example.org", true },
};

START_TEST(knows_its_names)
{
    ck_assert_msg(request_is_host(hosts[_i].host, hosts[_i].name) == hosts[_i].is_it, "%s",
                  hosts[_i].host);
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

int main(void)
{
    Suite *suite = suite_create("web");
    TCase *served = served_case();
    tcase_add_loop_test(served, answers, 0, COUNT(rows));
    tcase_add_test(served, shows_one_alert);
    tcase_add_test(served, gives_evidence);
    tcase_add_loop_test(served, sends_what_is_known_once, 0, COUNT(known_rows));
    tcase_add_test(served, sends_no_file_to_who_has_any);
    tcase_add_test(served, packs_the_page);
    tcase_add_loop_test(served, ends_what_is_unclear, 0, COUNT(unclear));
    tcase_add_test(served, answers_one_after_another);
    tcase_add_loop_test(served, refuses, 0, COUNT(hostile_rows));
    tcase_add_test(served, guessing_becomes_slow);
    tcase_add_test(served, guessing_ones_own_password_becomes_slow);
    tcase_add_test(served, guessing_many_at_once_gains_nothing);
    tcase_add_loop_test(served, a_stream_ends_with_its_session, 0, 2);
    tcase_add_test(served, a_long_body_is_refused);
    tcase_add_test(served, streams_changes);
    tcase_add_test(served, streams_stories);
    tcase_add_loop_test(served, turns_away, 0, COUNT(raw_rows));
    tcase_add_loop_test(served, has_names_of_its_own, 0, COUNT(names));
    tcase_add_test(served, bounds_requests);
    tcase_add_test(served, says_when_the_store_is_broken);
    tcase_add_test(served, reads_where_nothing_can_be_written);
    suite_add_tcase(suite, served);
    TCase *alone = tcase_create("alone");
    tcase_add_loop_test(alone, knows_its_names, 0, COUNT(hosts));
    tcase_add_loop_test(alone, listens_only_where_it_is_safe, 0, COUNT(refused));
    suite_add_tcase(suite, alone);
    return served_run(suite);
}
