/* routes.c: from a path to the function that answers it, by way of who asks. */
#include "routes.h"

#include "answers.h"
#include "pages.h"

#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>

/* KEPT: the store, and the answer is the same for whoever may ask; LATE: the same, and it may lag
 * behind the sensor; AHEAD: it is made before anybody asks, too: see answers.h. */
enum needs { NEEDS_NOTHING, NEEDS_STORE, NEEDS_KEPT, NEEDS_LATE, NEEDS_AHEAD };

static const struct route {
    const char *method, *path;
    enum role role;
    enum needs needs;
    enum MHD_Result (*answer)(struct request *r);
} routes[] = {
#define ROUTE(method, path, role, needs, function)                                                 \
    {#method, path, ROLE_##role, NEEDS_##needs, function},
#include "routes.def"
#undef ROUTE
};

enum { ROUTE_COUNT = sizeof routes / sizeof *routes };

/* --- which --- */

/* Takes the part of the path that stands for {}. */
static bool matches(const char *pattern, const char *path, char parameter[PARAMETER_SIZE])
{
    const char *hole = strstr(pattern, "{}");
    parameter[0] = '\0';
    if (!hole)
        return strcmp(pattern, path) == 0;
    size_t before = (size_t)(hole - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    size_t size = strcspn(path + before, "/");
    if (size == 0 || size >= PARAMETER_SIZE || strcmp(path + before + size, hole + 2) != 0)
        return false;
    memcpy(parameter, path + before, size);
    parameter[size] = '\0';
    return true;
}

/* NULL: none for this method; *is_path: but the path is one of ours. */
static const struct route *find(struct request *r, bool *is_path)
{
    bool is_head = strcmp(r->method, "HEAD") == 0;
    *is_path = false;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!matches(routes[i].path, r->path, r->parameter))
            continue;
        *is_path = true;
        if (strcmp(routes[i].method, is_head ? "GET" : r->method) == 0)
            return &routes[i];
    }
    return NULL;
}

static enum MHD_Result reply_wrong_method(struct request *r)
{
    char parameter[PARAMETER_SIZE], allowed[64] = "";
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (matches(routes[i].path, r->path, parameter) &&
            strlen(allowed) + strlen(routes[i].method) + 3 < sizeof allowed) {
            if (allowed[0])
                strcat(allowed, ", ");
            strcat(allowed, routes[i].method);
        }
    static char text[] = "{\"error\":\"not with this method\"}";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    reply_headers(r, response, "application/json");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allowed[0] ? allowed : "GET, HEAD");
    enum MHD_Result result =
        MHD_queue_response(r->connection, MHD_HTTP_METHOD_NOT_ALLOWED, response);
    MHD_destroy_response(response);
    return result;
}

/* --- who --- */

static const char *cookie_of(const struct request *r)
{
    const char *cookie =
        MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, "sightglass-session");
    return cookie ? cookie : "";
}

struct credential credential_of(const struct request *r)
{
    static const char bearer[] = "Bearer ";
    const char *authorization = request_header(r, MHD_HTTP_HEADER_AUTHORIZATION);
    struct credential c = {.is_token = strncmp(authorization, bearer, sizeof bearer - 1) == 0};
    const char *secret = c.is_token ? authorization + sizeof bearer - 1 : cookie_of(r);
    if (strlen(secret) == SECRET_SIZE - 1)
        memcpy(c.secret, secret, SECRET_SIZE);
    return c;
}

bool credential_find(const struct credential *c, const struct web *web, struct store *store,
                     struct account *account)
{
    *account = (struct account){.role = ROLE_NONE};
    if (c->is_token)
        return token_find(store, c->secret, now_ms(), account);
    if (c->secret[0] && session_find(store, c->secret, now_ms(), account))
        return true;
    *account = (struct account){.role = ROLE_NONE};
    if (web->is_loopback && !accounts_exist(store))
        account->role = ROLE_VIEWER;
    return account->role != ROLE_NONE;
}

static void find_account(struct request *r, struct store *store)
{
    const struct credential c = credential_of(r);
    struct store *writer;
    struct error err;
    r->is_open = r->web->is_loopback && !accounts_exist(store);
    (void)credential_find(&c, r->web, store, &r->account);
    if (r->account.is_stale && writer_open(&writer, r->web->store_path, &err)) {
        session_touch(writer, c.secret, now_ms());
        store_close(writer);
    }
}

/* A page of another site may not make the browser change something here. */
static bool is_forged(const struct request *r)
{
    if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0)
        return false;
    if (strcmp(request_header(r, "Sec-Fetch-Site"), "cross-site") == 0)
        return true;
    if (r->account.csrf[0] == '\0') /* a token, or nobody yet: the browser adds neither */
        return false;
    const char *sent = request_header(r, "X-CSRF-Token");
    return strlen(sent) != strlen(r->account.csrf) ||
           !memeql_sec(sent, r->account.csrf, strlen(sent));
}

static bool is_body_json(const struct request *r)
{
    static const char json[] = "application/json";
    return r->body_size == 0 ||
           strncasecmp(request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE), json, sizeof json - 1) == 0;
}

/* --- the answer --- */

static enum MHD_Result reply_not_allowed(struct request *r, enum role needed)
{
    char text[96];
    if (r->is_open)
        return reply_error(
            r, MHD_HTTP_FORBIDDEN,
            "nobody can log in here yet, so nothing can be changed: make a user with "
            "`sightglass console user add NAME --role admin`");
    if (r->account.role == ROLE_NONE)
        return reply_error(r, MHD_HTTP_UNAUTHORIZED, "log in first");
    snprintf(text, sizeof text, "this needs the role %s; yours is %s", role_name(needed),
             role_name(r->account.role));
    return reply_error(r, MHD_HTTP_FORBIDDEN, text);
}

static enum MHD_Result judge(struct request *r, const struct route *route)
{
    if (strcmp(request_header(r, "Sec-Fetch-Site"), "cross-site") == 0)
        return reply_error(r, MHD_HTTP_FORBIDDEN, "other sites may not ask");
    if (r->account.role < route->role)
        return reply_not_allowed(r, route->role);
    if (is_forged(r))
        return reply_error(r, MHD_HTTP_FORBIDDEN,
                           "the page is out of date (its CSRF token is not of this session): load "
                           "it again");
    if (r->is_body_too_big)
        return reply_error(r, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too long");
    if (!is_body_json(r))
        return reply_error(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "send application/json");
    if (route->needs >= NEEDS_KEPT)
        return answers_reply(r, route->answer, route->needs >= NEEDS_LATE);
    return route->answer(r);
}

static enum MHD_Result answer_route(struct request *r, const struct route *route)
{
    struct error err = {""};
    struct store *store = readers_take(r->web->readers, &err);
    if (!store)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    find_account(r, store);
    r->store = route->needs != NEEDS_NOTHING ? store : NULL;
    enum MHD_Result result = judge(r, route);
    readers_give(r->web->readers, store);
    return result;
}

/* While nobody can log in, whoever reaches this console sees all of it: a page of another site,
 * whose name was made to lead here (DNS rebinding), must not. With users such a page has no
 * session, and the site may call the console what it likes, unless it said how. */
static bool is_host_welcome(const struct request *r)
{
    const char *host = request_header(r, MHD_HTTP_HEADER_HOST);
    const char *name = r->web->config->public_name;
    struct error err = {""};
    if (request_is_host(host, "127.0.0.1") || request_is_host(host, "localhost") ||
        request_is_host(host, "[::1]"))
        return true;
    if (name[0] != '\0')
        return request_is_host(host, name);
    if (!r->web->is_loopback)
        return true;
    struct store *store = readers_take(r->web->readers, &err);
    if (!store)
        return false;
    bool has_users = accounts_exist(store);
    readers_give(r->web->readers, store);
    return has_users;
}

static enum MHD_Result reply_unwelcome(struct request *r)
{
    return reply_error(r, MHD_HTTP_FORBIDDEN,
                       r->web->config->public_name[0] != '\0'
                           ? "this console has another name (console.public_name)"
                           : "a console without users answers only under 127.0.0.1, [::1] or "
                             "localhost: make a user with `sightglass console user add NAME "
                             "--role admin`");
}

enum MHD_Result routes_answer(struct request *r)
{
    struct page page;
    bool is_path;
    bool is_reading = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
    if (!is_host_welcome(r))
        return reply_unwelcome(r);
    if (page_find(&page, r->path))
        return is_reading ? reply_static(r, &page) : reply_wrong_method(r);
    const struct route *route = find(r, &is_path);
    if (route)
        return answer_route(r, route);
    return is_path ? reply_wrong_method(r) : reply_error(r, MHD_HTTP_NOT_FOUND, "no such path");
}

void routes_make_ahead(struct answers *answers)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (routes[i].needs == NEEDS_AHEAD)
            answers_ahead(answers, routes[i].path, routes[i].answer);
}
