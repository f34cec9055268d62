/* api_users.c: users, tokens for programs, and the record of what people changed. */
#include "routes.h"

#include <stdio.h>
#include <string.h>

enum { AUDIT_DEFAULT = 100, AUDIT_MAX = 1000 };

static json_t *time_of_ms(int64_t ms)
{
    return ms == 0 ? json_null() : json_time_of(ms * 1000000);
}

/* {"<name>": [...]}, one element by each row. */
static enum MHD_Result reply_rows(struct request *r, const char *name, sqlite3_stmt *s,
                                  json_t *(*element)(sqlite3_stmt *row))
{
    json_t *list = json_array();
    while (s && sqlite3_step(s) == SQLITE_ROW)
        json_array_append_new(list, element(s));
    if (s)
        sqlite3_reset(s);
    return reply_json(r, MHD_HTTP_OK, json_pack("{s:o}", name, list));
}

static enum MHD_Result reply_done(struct request *r)
{
    return reply_json(r, MHD_HTTP_OK, json_object());
}

/* --- users --- */

static json_t *user_of(sqlite3_stmt *row)
{
    return json_pack("{s:o, s:o, s:o}", "name", json_text_of(column_text(row, 0)), "role",
                     json_text_of(column_text(row, 1)), "made",
                     time_of_ms(sqlite3_column_int64(row, 2)));
}

enum MHD_Result api_users(struct request *r)
{
    return reply_rows(
        r, "users",
        store_statement(r->store, "SELECT name, role, made_ms FROM web_users ORDER BY name", NULL),
        user_of);
}

struct user_change {
    const char *name, *password;
    enum role role;
};

static bool add_user(struct store *store, void *context, struct error *err)
{
    const struct user_change *c = context;
    return account_add(store, c->name, c->role, c->password, now_ms(), err);
}

static bool change_user(struct store *store, void *context, struct error *err)
{
    const struct user_change *c = context;
    return account_change(store, c->name, c->role, c->password, err);
}

static bool remove_user(struct store *store, void *context, struct error *err)
{
    const struct user_change *c = context;
    return account_remove(store, c->name, err);
}

enum MHD_Result api_user_add(struct request *r)
{
    json_t *body = request_object(r);
    enum MHD_Result result;
    const char *role = object_text(body, "role", "");
    struct user_change c = {object_text(body, "name", NULL), object_text(body, "password", NULL),
                            role ? role_of_name(role) : ROLE_NONE};
    if (!c.name || !c.password)
        result = reply_error(r, MHD_HTTP_BAD_REQUEST,
                             "send {\"name\": ..., \"role\": ..., \"password\": ...}");
    else if (request_change(r, add_user, &c, "user.add", c.name, role ? role : "", &result))
        result = reply_done(r);
    json_decref(body);
    return result;
}

enum MHD_Result api_user_change(struct request *r)
{
    json_t *body = request_object(r);
    enum MHD_Result result;
    const char *role = object_text(body, "role", NULL);
    struct user_change c = {r->parameter, object_text(body, "password", NULL),
                            role ? role_of_name(role) : ROLE_NONE};
    if (!body || (role && c.role == ROLE_NONE) || (!role && !c.password))
        result = reply_error(r, MHD_HTTP_BAD_REQUEST,
                             "send a role (viewer, analyst, engineer, admin), a password, or both");
    else if (request_change(r, change_user, &c, "user.change", c.name, role ? role : "password",
                            &result))
        result = reply_done(r);
    json_decref(body);
    return result;
}

enum MHD_Result api_user_remove(struct request *r)
{
    enum MHD_Result result;
    struct user_change c = {r->parameter, NULL, ROLE_NONE};
    return request_change(r, remove_user, &c, "user.remove", c.name, "", &result) ? reply_done(r)
                                                                                  : result;
}

/* --- tokens --- */

static json_t *token_of(sqlite3_stmt *row)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", json_text_of(column_text(row, 0)), "role",
                     json_text_of(column_text(row, 1)), "by", json_text_of(column_text(row, 2)),
                     "made", time_of_ms(sqlite3_column_int64(row, 3)), "until",
                     time_of_ms(sqlite3_column_int64(row, 4)));
}

enum MHD_Result api_tokens(struct request *r)
{
    return reply_rows(
        r, "tokens",
        store_statement(r->store,
                        "SELECT name, role, by, made_ms, until_ms FROM web_tokens ORDER BY name",
                        NULL),
        token_of);
}

struct new_token {
    const char *name, *by;
    enum role role;
    int64_t until_ms;
    char secret[SECRET_SIZE];
};

static bool add_token(struct store *store, void *context, struct error *err)
{
    struct new_token *n = context;
    return token_add(store, n->name, n->role, n->by, now_ms(), n->until_ms, n->secret, err);
}

/* The secret is in this one answer and nowhere else. */
enum MHD_Result api_token_add(struct request *r)
{
    json_t *body = request_object(r);
    enum MHD_Result result;
    const char *role = object_text(body, "role", "");
    json_int_t days = json_integer_value(json_object_get(body, "days"));
    struct new_token n = {
        .name = object_text(body, "name", NULL),
        .by = r->account.name,
        .role = role ? role_of_name(role) : ROLE_NONE,
        .until_ms = days > 0 && days <= 3650 ? now_ms() + days * INT64_C(86400000) : 0,
    };
    if (!n.name || days < 0 || days > 3650)
        result =
            reply_error(r, MHD_HTTP_BAD_REQUEST,
                        "send {\"name\": ..., \"role\": ..., \"days\": 0 to 3650}; 0: for ever");
    else if (request_change(r, add_token, &n, "token.add", n.name, role ? role : "", &result))
        result = reply_json(r, MHD_HTTP_CREATED,
                            json_pack("{s:s, s:s}", "name", n.name, "token", n.secret));
    json_decref(body);
    return result;
}

static bool remove_token(struct store *store, void *context, struct error *err)
{
    return token_remove(store, context, err);
}

enum MHD_Result api_token_remove(struct request *r)
{
    enum MHD_Result result;
    return request_change(r, remove_token, r->parameter, "token.remove", r->parameter, "", &result)
               ? reply_done(r)
               : result;
}

/* --- what people changed --- */

static json_t *audit_of(sqlite3_stmt *row)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "id", sqlite3_column_int64(row, 0), "time",
                     time_of_ms(sqlite3_column_int64(row, 1)), "by",
                     json_text_of(column_text(row, 2)), "what", json_text_of(column_text(row, 3)),
                     "about", json_text_of(column_text(row, 4)), "why",
                     json_text_of(column_text(row, 5)));
}

enum MHD_Result api_audit(struct request *r)
{
    int64_t limit, before;
    if (!request_number(r, "limit", 1, AUDIT_MAX, AUDIT_DEFAULT, &limit) ||
        !request_number(r, "before", 1, INT64_MAX, INT64_MAX, &before))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "limit is 1 to 1000, before an id");
    sqlite3_stmt *s = store_statement(r->store,
                                      "SELECT id, made_ms, by, what, about, why FROM web_audit"
                                      " WHERE id < ? ORDER BY id DESC LIMIT ?",
                                      NULL);
    if (s) {
        sqlite3_bind_int64(s, 1, before);
        sqlite3_bind_int64(s, 2, limit);
    }
    return reply_rows(r, "audit", s, audit_of);
}
