/* accounts.h: who may use the console: users with roles, their sessions, and tokens for programs.
 *
 * Passwords are kept as yescrypt hashes (crypt(5)), session and API tokens as SHA-256 of what was
 * handed out: who reads the store cannot log in with it. Times are wall clock, in milliseconds
 * since 1970. All functions work on a store that is open for writing unless they say otherwise. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Each may do what those before it may. */
enum role {
    ROLE_NONE,     /* nobody: the log-in page only */
    ROLE_VIEWER,   /* looks */
    ROLE_ANALYST,  /* and works on alerts */
    ROLE_ENGINEER, /* and says what is normal: baseline, policy, assets */
    ROLE_ADMIN,    /* and manages users */
};
const char *role_name(enum role role);
/* ROLE_NONE: no such role. */
enum role role_of_name(const char *name);

enum {
    ACCOUNT_NAME_SIZE = 64,
    SECRET_SIZE = 65, /* 32 random bytes in hex */
    PASSWORD_MIN = 10,
    PASSWORD_MAX = 512,
};

struct account {
    char name[ACCOUNT_NAME_SIZE];
    enum role role;
    char csrf[SECRET_SIZE]; /* of a session: what a page must send with every change; "": a token */
    bool is_stale;          /* a session whose last use should be noted with session_touch */
};

extern const struct store_schema web_schema;

/* True when somebody can log in. Reading is enough. */
bool accounts_exist(struct store *store);

/* Names: 1 to 63 of letters, digits and . _ - @. Errors say what is wrong in words for the user. */
bool account_add(struct store *store, const char *name, enum role role, const char *password,
                 int64_t now_ms, struct error *err) NODISCARD;
/* Also ends the sessions of the user. NULL password, ROLE_NONE: as it is. */
bool account_change(struct store *store, const char *name, enum role role, const char *password,
                    struct error *err) NODISCARD;
/* The last admin stays. */
bool account_remove(struct store *store, const char *name, struct error *err) NODISCARD;

/* Takes as long for a name that does not exist. Reading is enough. */
bool account_check(struct store *store, const char *name, const char *password,
                   struct account *account);

bool session_begin(struct store *store, const char *name, int64_t now_ms, char secret[SECRET_SIZE],
                   struct account *account, struct error *err) NODISCARD;
/* Reading is enough. */
bool session_find(struct store *store, const char *secret, int64_t now_ms, struct account *account);
void session_touch(struct store *store, const char *secret, int64_t now_ms);
void session_end(struct store *store, const char *secret);

/* until_ms 0: for ever. */
bool token_add(struct store *store, const char *name, enum role role, const char *by,
               int64_t now_ms, int64_t until_ms, char secret[SECRET_SIZE],
               struct error *err) NODISCARD;
bool token_remove(struct store *store, const char *name, struct error *err) NODISCARD;
/* Reading is enough. */
bool token_find(struct store *store, const char *secret, int64_t now_ms, struct account *account);

/* A change by a person, for those who ask later: what ("user.add"), about what, in which words. */
bool audit_add(struct store *store, int64_t now_ms, const char *by, const char *what,
               const char *about, const char *why, struct error *err) NODISCARD;
