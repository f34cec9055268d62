/* accounts.c: the tables of users, sessions, tokens and of what people changed. */
#include "accounts.h"

#include <crypt.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MINUTE_MS       INT64_C(60000)
#define SESSION_IDLE_MS (12 * 60 * MINUTE_MS)
#define SESSION_MAX_MS  (7 * 24 * 60 * MINUTE_MS)
#define TOUCH_MS        (5 * MINUTE_MS)

enum {
    RANDOM_BYTES = 32,
    AUDIT_ROWS_MAX = 100000,
    SESSIONS_MAX = 32, /* of one user: the one that was used least lately makes room */
};

static const char version_1[] =
    "CREATE TABLE web_users("
    "  name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, made_ms INTEGER NOT "
    "NULL);"
    "CREATE TABLE web_sessions("
    "  secret TEXT PRIMARY KEY, user TEXT NOT NULL, csrf TEXT NOT NULL, made_ms INTEGER NOT NULL,"
    "  seen_ms INTEGER NOT NULL);"
    "CREATE INDEX web_sessions_by_user ON web_sessions(user);"
    "CREATE TABLE web_tokens("
    "  name TEXT PRIMARY KEY, secret TEXT NOT NULL UNIQUE, role TEXT NOT NULL, by TEXT NOT NULL,"
    "  made_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL);"
    "CREATE TABLE web_audit("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, made_ms INTEGER NOT NULL, by TEXT NOT NULL,"
    "  what TEXT NOT NULL, about TEXT NOT NULL, why TEXT NOT NULL);"
    /* what people did with alerts; alert_triage has the last of each */
    "CREATE TABLE web_triage("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, sensor TEXT NOT NULL, alert TEXT NOT NULL,"
    "  at_ms INTEGER NOT NULL, by TEXT NOT NULL, state TEXT NOT NULL, assignee TEXT NOT NULL,"
    "  note TEXT NOT NULL);"
    "CREATE INDEX web_triage_by_alert ON web_triage(alert, id);"
    /* the list of alerts, newest first, over all sensors */
    "CREATE INDEX web_alerts_by_end ON alerts(last_ns DESC, id);";

static const char *const migrations[] = {version_1, NULL};

const struct store_schema web_schema = {.name = "web", .migrations = migrations};

static const char *const role_names[] = {
    [ROLE_NONE] = "none",         [ROLE_VIEWER] = "viewer", [ROLE_ANALYST] = "analyst",
    [ROLE_ENGINEER] = "engineer", [ROLE_ADMIN] = "admin",
};

const char *role_name(enum role role)
{
    return role_names[role];
}

enum role role_of_name(const char *name)
{
    for (size_t i = ROLE_VIEWER; i <= ROLE_ADMIN; i++)
        if (strcmp(role_names[i], name) == 0)
            return (enum role)i;
    return ROLE_NONE;
}

/* --- small things --- */

static void hex_of(char *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

static bool make_secret(char secret[SECRET_SIZE], struct error *err)
{
    uint8_t bytes[RANDOM_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return error_set(err, "the system gives no random numbers");
    hex_of(secret, bytes, sizeof bytes);
    return true;
}

/* What is kept of a secret. */
static void digest_of(char digest[SECRET_SIZE], const char *secret)
{
    struct sha256_ctx sha;
    uint8_t bytes[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    sha256_update(&sha, strlen(secret), (const uint8_t *)secret);
    sha256_digest(&sha, sizeof bytes, bytes);
    hex_of(digest, bytes, sizeof bytes);
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

static void copy_column(char *to, size_t capacity, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t size = text ? strlen(text) : 0;
    if (size >= capacity)
        size = capacity - 1;
    if (size)
        memcpy(to, text, size);
    to[size] = '\0';
}

static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
    size_t size = strlen(name);
    return size > 0 && size < ACCOUNT_NAME_SIZE && strspn(name, allowed) == size;
}

static bool check_name(const char *name, struct error *err)
{
    return is_name(name) ||
           error_set(err, "a name has 1 to 63 letters, digits and the marks . _ - @");
}

/* Bytes that continue a character of UTF-8 are none of their own. */
static size_t characters_of(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool check_password(const char *password, struct error *err)
{
    if (characters_of(password) < PASSWORD_MIN)
        return error_set(err, "a password has at least %d characters", PASSWORD_MIN);
    return strlen(password) <= PASSWORD_MAX ||
           error_set(err, "this password is too long: at most %d characters, fewer with accents",
                     PASSWORD_MAX);
}

static bool hash_password(char out[CRYPT_OUTPUT_SIZE], const char *password, struct error *err)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *hash = NULL;
    if (data && crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting))
        hash = crypt_rn(password, setting, data, sizeof *data);
    if (hash)
        memcpy(out, hash, strlen(hash) + 1);
    free(data);
    return hash || error_set(err, "the system cannot hash a password with yescrypt");
}

static int64_t number(struct store *store, const char *sql, const char *argument)
{
    sqlite3_stmt *s = store_statement(store, sql, NULL);
    if (!s)
        return 0;
    if (argument)
        bind_text(s, 1, argument);
    int64_t value = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return value;
}

/* --- users --- */

bool accounts_exist(struct store *store)
{
    return number(store, "SELECT count(*) FROM web_users", NULL) > 0;
}

static bool exists(struct store *store, const char *name)
{
    return number(store, "SELECT count(*) FROM web_users WHERE name = ?", name) > 0;
}

/* Somebody else must be able to give rights back. */
static bool is_last_admin(struct store *store, const char *name)
{
    return number(store, "SELECT count(*) FROM web_users WHERE role = 'admin' AND name <> ?",
                  name) == 0 &&
           number(store, "SELECT count(*) FROM web_users WHERE role = 'admin' AND name = ?", name) >
               0;
}

bool account_add(struct store *store, const char *name, enum role role, const char *password,
                 int64_t now_ms, struct error *err)
{
    char hash[CRYPT_OUTPUT_SIZE];
    if (!check_name(name, err) || !check_password(password, err))
        return false;
    if (role == ROLE_NONE)
        return error_set(err, "a role is viewer, analyst, engineer or admin");
    if (exists(store, name))
        return error_set(err, "there is a user %s already", name);
    if (!hash_password(hash, password, err))
        return false;
    sqlite3_stmt *s = store_statement(
        store, "INSERT INTO web_users(name, role, password, made_ms) VALUES(?, ?, ?, ?)", err);
    if (!s)
        return false;
    bind_text(s, 1, name);
    bind_text(s, 2, role_name(role));
    bind_text(s, 3, hash);
    sqlite3_bind_int64(s, 4, now_ms);
    return store_step(store, s, err);
}

static bool end_sessions_of(struct store *store, const char *name, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, "DELETE FROM web_sessions WHERE user = ?", err);
    if (!s)
        return false;
    bind_text(s, 1, name);
    return store_step(store, s, err);
}

bool account_change(struct store *store, const char *name, enum role role, const char *password,
                    struct error *err)
{
    char hash[CRYPT_OUTPUT_SIZE] = "";
    if (!exists(store, name))
        return error_set(err, "there is no user %s", name);
    if (role != ROLE_NONE && role != ROLE_ADMIN && is_last_admin(store, name))
        return error_set(err, "%s is the last admin", name);
    if (password && (!check_password(password, err) || !hash_password(hash, password, err)))
        return false;
    sqlite3_stmt *s = store_statement(store,
                                      "UPDATE web_users SET role = coalesce(?2, role),"
                                      " password = coalesce(?3, password) WHERE name = ?1",
                                      err);
    if (!s)
        return false;
    bind_text(s, 1, name);
    if (role != ROLE_NONE)
        bind_text(s, 2, role_name(role));
    if (password)
        bind_text(s, 3, hash);
    return store_step(store, s, err) && end_sessions_of(store, name, err);
}

bool account_remove(struct store *store, const char *name, struct error *err)
{
    if (!exists(store, name))
        return error_set(err, "there is no user %s", name);
    if (is_last_admin(store, name))
        return error_set(err, "%s is the last admin", name);
    sqlite3_stmt *s = store_statement(store, "DELETE FROM web_users WHERE name = ?", err);
    if (!s)
        return false;
    bind_text(s, 1, name);
    return store_step(store, s, err) && end_sessions_of(store, name, err);
}

bool account_check(struct store *store, const char *name, const char *password,
                   struct account *account)
{
    /* a hash of nothing that anybody knows, so that an unknown name costs the same time */
    static const char nobody[] =
        "$y$j9T$uphtC1Ua7u4U7oPlsLQaW.$.eq16TmoBksE4Rt02c.jrBfqYiXD6lxNv6RUnoBvC30";
    char expected[CRYPT_OUTPUT_SIZE];
    sqlite3_stmt *s =
        store_statement(store, "SELECT password, role FROM web_users WHERE name = ?", NULL);
    memset(account, 0, sizeof *account);
    memcpy(expected, nobody, sizeof nobody);
    if (!s || strlen(password) > PASSWORD_MAX)
        return false;
    bind_text(s, 1, name);
    if (sqlite3_step(s) == SQLITE_ROW) {
        char role[16];
        copy_column(expected, sizeof expected, s, 0);
        copy_column(role, sizeof role, s, 1);
        account->role = role_of_name(role);
    }
    sqlite3_reset(s);
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *hash = data ? crypt_rn(password, expected, data, sizeof *data) : NULL;
    bool is_right = hash && account->role != ROLE_NONE && strlen(hash) == strlen(expected) &&
                    memeql_sec(hash, expected, strlen(expected));
    free(data);
    if (is_right) /* a name of the table is short enough */
        memcpy(account->name, name, strlen(name));
    else
        account->role = ROLE_NONE;
    return is_right;
}

/* --- sessions --- */

static bool remove_old_sessions(struct store *store, int64_t now_ms, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store, "DELETE FROM web_sessions WHERE seen_ms < ? OR made_ms < ?", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, now_ms - SESSION_IDLE_MS);
    sqlite3_bind_int64(s, 2, now_ms - SESSION_MAX_MS);
    return store_step(store, s, err);
}

bool session_begin(struct store *store, const char *name, int64_t now_ms, char secret[SECRET_SIZE],
                   struct account *account, struct error *err)
{
    char digest[SECRET_SIZE];
    if (!make_secret(secret, err) || !make_secret(account->csrf, err) ||
        !remove_old_sessions(store, now_ms, err))
        return false;
    sqlite3_stmt *s = store_statement(store,
                                      "DELETE FROM web_sessions WHERE secret IN (SELECT secret FROM"
                                      " web_sessions WHERE user = ? ORDER BY seen_ms DESC LIMIT -1"
                                      " OFFSET ?)",
                                      err);
    if (!s)
        return false;
    bind_text(s, 1, name);
    sqlite3_bind_int(s, 2, SESSIONS_MAX - 1);
    if (!store_step(store, s, err))
        return false;
    digest_of(digest, secret);
    s = store_statement(
        store,
        "INSERT INTO web_sessions(secret, user, csrf, made_ms, seen_ms) VALUES(?, ?, ?, ?, ?)",
        err);
    if (!s)
        return false;
    bind_text(s, 1, digest);
    bind_text(s, 2, name);
    bind_text(s, 3, account->csrf);
    sqlite3_bind_int64(s, 4, now_ms);
    sqlite3_bind_int64(s, 5, now_ms);
    return store_step(store, s, err);
}

bool session_find(struct store *store, const char *secret, int64_t now_ms, struct account *account)
{
    char digest[SECRET_SIZE], role[16];
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT u.name, u.role, s.csrf, s.seen_ms FROM web_sessions s"
                                      " JOIN web_users u ON u.name = s.user"
                                      " WHERE s.secret = ? AND s.seen_ms >= ? AND s.made_ms >= ?",
                                      NULL);
    memset(account, 0, sizeof *account);
    if (!s || strlen(secret) != SECRET_SIZE - 1)
        return false;
    digest_of(digest, secret);
    bind_text(s, 1, digest);
    sqlite3_bind_int64(s, 2, now_ms - SESSION_IDLE_MS);
    sqlite3_bind_int64(s, 3, now_ms - SESSION_MAX_MS);
    if (sqlite3_step(s) == SQLITE_ROW) {
        copy_column(account->name, sizeof account->name, s, 0);
        copy_column(role, sizeof role, s, 1);
        copy_column(account->csrf, sizeof account->csrf, s, 2);
        account->role = role_of_name(role);
        account->is_stale = now_ms - sqlite3_column_int64(s, 3) > TOUCH_MS;
    }
    sqlite3_reset(s);
    return account->role != ROLE_NONE;
}

void session_touch(struct store *store, const char *secret, int64_t now_ms)
{
    char digest[SECRET_SIZE];
    struct error err = {""};
    sqlite3_stmt *s =
        store_statement(store, "UPDATE web_sessions SET seen_ms = ? WHERE secret = ?", &err);
    if (!s)
        return;
    digest_of(digest, secret);
    sqlite3_bind_int64(s, 1, now_ms);
    bind_text(s, 2, digest);
    (void)!store_step(store, s, &err); /* a session that is not prolonged ends a little earlier */
}

void session_end(struct store *store, const char *secret)
{
    char digest[SECRET_SIZE];
    struct error err = {""};
    sqlite3_stmt *s = store_statement(store, "DELETE FROM web_sessions WHERE secret = ?", &err);
    if (!s)
        return;
    digest_of(digest, secret);
    bind_text(s, 1, digest);
    (void)!store_step(store, s, &err);
}

/* --- tokens --- */

bool token_add(struct store *store, const char *name, enum role role, const char *by,
               int64_t now_ms, int64_t until_ms, char secret[SECRET_SIZE], struct error *err)
{
    char digest[SECRET_SIZE];
    if (!check_name(name, err))
        return false;
    if (role == ROLE_NONE)
        return error_set(err, "a role is viewer, analyst, engineer or admin");
    if (until_ms != 0 && until_ms <= now_ms)
        return error_set(err, "the token would end before it begins");
    if (number(store, "SELECT count(*) FROM web_tokens WHERE name = ?", name) > 0)
        return error_set(err, "there is a token %s already", name);
    sqlite3_stmt *s = store_statement(store,
                                      "INSERT INTO web_tokens(name, secret, role, by, made_ms,"
                                      " until_ms) VALUES(?, ?, ?, ?, ?, ?)",
                                      err);
    if (!s || !make_secret(secret, err))
        return false;
    digest_of(digest, secret);
    bind_text(s, 1, name);
    bind_text(s, 2, digest);
    bind_text(s, 3, role_name(role));
    bind_text(s, 4, by);
    sqlite3_bind_int64(s, 5, now_ms);
    sqlite3_bind_int64(s, 6, until_ms);
    return store_step(store, s, err);
}

bool token_remove(struct store *store, const char *name, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, "DELETE FROM web_tokens WHERE name = ?", err);
    if (!s)
        return false;
    bind_text(s, 1, name);
    if (!store_step(store, s, err))
        return false;
    return sqlite3_changes(store_handle(store)) > 0 || error_set(err, "there is no token %s", name);
}

bool token_find(struct store *store, const char *secret, int64_t now_ms, struct account *account)
{
    char digest[SECRET_SIZE], role[16];
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT name, role FROM web_tokens WHERE secret = ?"
                                      " AND (until_ms = 0 OR until_ms > ?)",
                                      NULL);
    memset(account, 0, sizeof *account);
    if (!s || strlen(secret) != SECRET_SIZE - 1)
        return false;
    digest_of(digest, secret);
    bind_text(s, 1, digest);
    sqlite3_bind_int64(s, 2, now_ms);
    if (sqlite3_step(s) == SQLITE_ROW) {
        copy_column(account->name, sizeof account->name, s, 0);
        copy_column(role, sizeof role, s, 1);
        account->role = role_of_name(role);
    }
    sqlite3_reset(s);
    return account->role != ROLE_NONE;
}

/* --- what people changed --- */

bool audit_add(struct store *store, int64_t now_ms, const char *by, const char *what,
               const char *about, const char *why, struct error *err)
{
    sqlite3_stmt *s = store_statement(
        store, "INSERT INTO web_audit(made_ms, by, what, about, why) VALUES(?, ?, ?, ?, ?)", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, now_ms);
    bind_text(s, 2, by);
    bind_text(s, 3, what);
    bind_text(s, 4, about);
    bind_text(s, 5, why);
    if (!store_step(store, s, err))
        return false;
    s = store_statement(
        store, "DELETE FROM web_audit WHERE id <= (SELECT max(id) FROM web_audit) - ?", err);
    if (!s)
        return false;
    sqlite3_bind_int(s, 1, AUDIT_ROWS_MAX);
    return store_step(store, s, err);
}
