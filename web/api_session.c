/* api_session.c: who is logged in, logging in and out, one's own password. */
#include "routes.h"

#include <stdio.h>
#include <string.h>

enum {
    COOKIE_SIZE = 256,
    WAIT_TEXT_SIZE = 96,
    CHECKS_MAX = 4, /* passwords that are checked or wait for it, a tenth of a second each */
};

/* --- the session --- */

static json_t *session_of(const struct request *r)
{
    bool is_somebody = r->account.role != ROLE_NONE;
    json_t *json = json_object();
    json_object_set_new(json, "version", json_string(SIGHTGLASS_VERSION));
    json_object_set_new(json, "site", json_text_of(r->web->config->site));
    json_object_set_new(json, "needs_login", json_boolean(!is_somebody));
    json_object_set_new(json, "has_users", json_boolean(!r->is_open));
    if (is_somebody) {
        json_object_set_new(json, "user", json_text_of(r->account.name));
        json_object_set_new(json, "role", json_string(role_name(r->account.role)));
    }
    if (r->account.csrf[0])
        json_object_set_new(json, "csrf", json_string(r->account.csrf));
    return json;
}

enum MHD_Result api_session(struct request *r)
{
    return reply_json(r, MHD_HTTP_OK, session_of(r));
}

/* Set-Cookie is all that the answer needs besides its body. */
static enum MHD_Result reply_with_cookie(struct request *r, const char *secret, unsigned max_age,
                                         json_t *json)
{
    char cookie[COOKIE_SIZE];
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response)
        return MHD_NO;
    snprintf(cookie, sizeof cookie,
             "sightglass-session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%u%s", secret,
             max_age, r->web->is_tls ? "; Secure" : "");
    reply_headers(r, response, "application/json");
    MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(r->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

struct beginning {
    struct account *account;
    char secret[SECRET_SIZE];
};

static bool begin(struct store *store, void *context, struct error *err)
{
    struct beginning *b = context;
    return session_begin(store, b->account->name, now_ms(), b->secret, b->account, err);
}

static enum MHD_Result reply_wait(struct request *r, unsigned wait_s)
{
    char text[WAIT_TEXT_SIZE];
    snprintf(text, sizeof text, "too many wrong passwords: try again in %u seconds", wait_s);
    return reply_error(r, MHD_HTTP_TOO_MANY_REQUESTS, text);
}

/* Whether the password is the user's. The wait counts for the name from anywhere and for the
 * network with any name; a try counts as a failure until it has succeeded, so that many at once
 * gain nothing, and only a few wait for their turn: whoever waits holds one of the readers. */
static bool check_password(struct request *r, const char *user, const char *password,
                           struct account *account, enum MHD_Result *result)
{
    struct web *web = r->web;
    char network[PEER_TEXT_SIZE], who[ACCOUNT_NAME_SIZE + 8];
    request_network(r, network);
    snprintf(who, sizeof who, "user %.*s", ACCOUNT_NAME_SIZE, user);
    unsigned wait_user = throttle_wait(web->throttle, who, now_ms());
    unsigned wait_network = throttle_wait(web->throttle, network, now_ms());
    if (wait_user || wait_network) {
        *result = reply_wait(r, wait_user > wait_network ? wait_user : wait_network);
        return false;
    }
    if (atomic_fetch_add(&web->checks, 1) >= CHECKS_MAX) {
        atomic_fetch_sub(&web->checks, 1);
        *result = reply_error(r, MHD_HTTP_TOO_MANY_REQUESTS,
                              "many log in at once: try again in a moment");
        return false;
    }
    throttle_failed(web->throttle, who, now_ms());
    throttle_failed(web->throttle, network, now_ms());
    pthread_mutex_lock(&web->checking);
    bool is_right = account_check(r->store, user, password, account);
    pthread_mutex_unlock(&web->checking);
    atomic_fetch_sub(&web->checks, 1);
    if (is_right) {
        throttle_forget(web->throttle, who);
        throttle_forget(web->throttle, network);
    } else {
        atomic_fetch_add_explicit(&web->logins_failed, 1, memory_order_relaxed);
        *result = r->account.role == ROLE_NONE
                      ? reply_error(r, MHD_HTTP_UNAUTHORIZED, "user name or password is wrong")
                      : reply_error(r, MHD_HTTP_FORBIDDEN, "the password is wrong");
    }
    return is_right;
}

static enum MHD_Result log_in(struct request *r, const char *user, const char *password)
{
    struct beginning b = {&r->account, ""};
    char peer[PEER_TEXT_SIZE];
    enum MHD_Result result;
    request_peer(r, peer);
    if (!check_password(r, user, password, &r->account, &result) ||
        !request_change(r, begin, &b, "session.begin", r->account.name, peer, &result))
        return result;
    return reply_with_cookie(r, b.secret, 7 * 24 * 3600, session_of(r));
}

enum MHD_Result api_log_in(struct request *r)
{
    json_t *body = request_object(r);
    const char *user = object_text(body, "user", NULL);
    const char *password = object_text(body, "password", NULL);
    enum MHD_Result result =
        user && password
            ? log_in(r, user, password)
            : reply_error(r, MHD_HTTP_BAD_REQUEST, "send {\"user\": ..., \"password\": ...}");
    json_decref(body);
    return result;
}

static bool end(struct store *store, void *context, struct error *err)
{
    (void)err;
    session_end(store, context);
    return true;
}

enum MHD_Result api_log_out(struct request *r)
{
    enum MHD_Result result;
    char secret[SECRET_SIZE];
    const char *cookie =
        MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, "sightglass-session");
    snprintf(secret, sizeof secret, "%s", cookie ? cookie : "");
    if (!request_change(r, end, secret, "session.end", r->account.name, "", &result))
        return result;
    return reply_with_cookie(r, "", 0, json_object());
}

/* --- one's own password --- */

struct new_password {
    const char *user, *password;
};

static bool set_password(struct store *store, void *context, struct error *err)
{
    const struct new_password *n = context;
    return account_change(store, n->user, ROLE_NONE, n->password, err);
}

static enum MHD_Result change_password(struct request *r, const char *old, const char *new)
{
    struct account checked;
    enum MHD_Result result;
    struct new_password n = {r->account.name, new};
    if (!check_password(r, r->account.name, old, &checked, &result) ||
        !request_change(r, set_password, &n, "user.password", n.user, "", &result))
        return result;
    return reply_with_cookie(r, "", 0, json_object()); /* log in again with the new one */
}

enum MHD_Result api_password(struct request *r)
{
    json_t *body = request_object(r);
    const char *old = object_text(body, "old", NULL), *new = object_text(body, "new", NULL);
    enum MHD_Result result =
        old && new && r->account.csrf[0]
            ? change_password(r, old, new)
            : reply_error(r, MHD_HTTP_BAD_REQUEST, "a user sends {\"old\": ..., \"new\": ...}");
    json_decref(body);
    return result;
}
