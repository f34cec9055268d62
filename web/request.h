/* request.h: one HTTP request and its answer: what every page and every part of the API shares. */
#pragma once

#include "accounts.h"
#include "listen.h"
#include "pages.h"
#include "readers.h"
#include "sensor/base/config.h"
#include "sensor/base/error.h"
#include "sensor/base/store.h"
#include "throttle.h"
#include "web.h"

#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    STREAMS_MAX = 256,    /* pages that watch at the same time */
    BODY_MAX = 256 << 10, /* bytes of a request's body */
    PARAMETER_SIZE = 128, /* the {part} of a path, decoded */
    ETAG_SIZE = 24,
};

struct asset_list;
struct answers;
struct patience;

/* What all connection threads share. */
struct web {
    const struct config *config;
    const char *store_path;
    const volatile sig_atomic_t *stop;
    bool is_loopback; /* listens there only */
    bool is_tls;
    struct readers *readers;
    struct throttle *throttle;
    struct patience *patience;
    struct asset_list *assets;
    struct answers *answers;
    web_try_policy *try_policy; /* NULL: cannot */
    pthread_mutex_t writing;    /* one change at a time */
    pthread_mutex_t checking;   /* one password at a time: yescrypt costs memory on purpose */
    pthread_mutex_t trying;     /* one trial on the history at a time: it reads a lot */
    atomic_int streams;
    atomic_int checks;                     /* passwords that are checked or wait for it */
    atomic_ullong requests, logins_failed; /* for /metrics */
};

/* The flag is set by a signal, which may reach any thread. */
static inline bool web_is_stopped(const struct web *web)
{
    return __atomic_load_n(web->stop, __ATOMIC_RELAXED) != 0;
}

/* An answer that does not go out yet, see answers.h. */
struct made {
    unsigned status;
    const char *type, *file_name; /* file_name NULL: shown, not downloaded; both are literals */
    void *bytes;                  /* made by malloc; NULL: there was no memory */
    size_t size;
};

/* One request; made with its first bytes, released when its answer has gone. */
struct request {
    struct web *web;
    struct MHD_Connection *connection;
    const char *path; /* without the query */
    const char *method;
    char *body; /* with a NUL behind; NULL: none */
    size_t body_size;
    bool is_body_too_big;
    struct account account;         /* who asks; role NONE: nobody */
    bool is_open;                   /* nobody can log in: loopback only, looking only */
    char parameter[PARAMETER_SIZE]; /* of the path */
    struct store *store;            /* for reading; NULL when the route does not want it */
    struct made *made;              /* the answer is put there; NULL: it goes out */
    /* Of a request that nobody sent, which has no connection: name, value, name... each with a NUL,
     * an empty name behind. NULL: those of the connection. */
    const char *arguments;
};

/* Answers with a JSON document; takes over json (NULL: out of memory). Has an ETag when the status
 * is 200: a browser that has the same gets 304. */
enum MHD_Result reply_json(struct request *r, unsigned status, json_t *json);
/* {"error": text} */
enum MHD_Result reply_error(struct request *r, unsigned status, const char *text);
/* To a request of which message.h says that it is not clear; ends the connection. */
enum MHD_Result reply_unclear(struct request *r);
/* Bytes made by malloc, which are taken over. file_name NULL: shown, not downloaded. */
enum MHD_Result reply_bytes(struct request *r, unsigned status, const char *type, void *bytes,
                            size_t size);
enum MHD_Result reply_file(struct request *r, const char *type, const char *file_name, void *bytes,
                           size_t size);
/* A made answer, whose bytes are taken over. */
enum MHD_Result reply_made(struct request *r, const struct made *made);
/* A made answer (status 200) as a response that can be sent many times; takes over its bytes unless
 * it fails. */
struct MHD_Response *response_of(const struct request *r, const struct made *made,
                                 char etag[ETAG_SIZE]);
enum MHD_Result reply_kept(struct request *r, struct MHD_Response *response, const char *etag);
/* A file of the page, compressed when the browser can. */
enum MHD_Result reply_static(struct request *r, const struct page *page);
/* The headers that every answer has (and that a reply_* function sets by itself). */
void reply_headers(const struct request *r, struct MHD_Response *response, const char *type);

/* A number of the query: fallback when absent; false when it is none or out of range. */
bool request_number(const struct request *r, const char *key, int64_t least, int64_t most,
                    int64_t fallback, int64_t *number);
/* A text of the query, "" when absent. */
const char *request_text(const struct request *r, const char *key);
/* A header, "" when absent. */
const char *request_header(const struct request *r, const char *key);
/* The address of the other side. */
void request_peer(const struct request *r, char text[PEER_TEXT_SIZE]);
/* The same for the log-in throttle: of IPv6 the first half, in which one host has all addresses. */
void request_network(const struct request *r, char text[PEER_TEXT_SIZE]);
/* The body as a JSON object that the caller owns; NULL when it is none. */
json_t *request_object(const struct request *r);
/* A string of an object; fallback when it is absent; NULL when it is no string. */
const char *object_text(const json_t *object, const char *key, const char *fallback);

/* Carries out a change in a transaction, with the audit record of who did what to what; all or
 * nothing. change may be NULL (only the record). True, or an answer that says why not: 400 with the
 * words of *err when change refused, 503 when the store cannot be written. */
bool request_change(struct request *r,
                    bool (*change)(struct store *store, void *context, struct error *err),
                    void *context, const char *what, const char *about, const char *why,
                    enum MHD_Result *result);

/* With what somebody shows who he is: a program's token, a page's session, or nothing. */
struct credential {
    char secret[SECRET_SIZE]; /* "": none */
    bool is_token;
};
struct credential credential_of(const struct request *r);
/* Whose it is now; anybody may look at a console that has no users yet. False: nobody's. */
bool credential_find(const struct credential *c, const struct web *web, struct store *store,
                     struct account *account);

/* Wall clock in milliseconds since 1970. */
int64_t now_ms(void);

/* A Host header names this, with or without a port. */
bool request_is_host(const char *host, const char *name);

/* Text of a column, "" for NULL. */
const char *column_text(sqlite3_stmt *row, int column);
/* As JSON; what is not UTF-8 (it never should be) becomes a mark instead of no answer. */
json_t *json_text_of(const char *text);
json_t *json_time_of(int64_t time_ns);
/* The single number that a query without parameters gives; 0 when it gives none. */
int64_t store_number(struct store *store, const char *sql);
