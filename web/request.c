/* request.c: answers with their headers, and what is read of a request. */
#include "request.h"

#include "answers.h"
#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define STOPPING "the console is stopping"

static const struct {
    const char *name, *value;
} security_headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for "
     "'script'; trusted-types 'none'"                                          },
    {"X-Content-Type-Options",       "nosniff"                                 },
    {"X-Frame-Options",              "DENY"                                    },
    {"Referrer-Policy",              "no-referrer"                             },
    {"Cross-Origin-Opener-Policy",   "same-origin"                             },
    {"Cross-Origin-Resource-Policy", "same-origin"                             },
    {"Permissions-Policy",           "camera=(), geolocation=(), microphone=()"},
};

/* --- answers --- */

void reply_headers(const struct request *r, struct MHD_Response *response, const char *type)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
        MHD_add_response_header(response, security_headers[i].name, security_headers[i].value);
    if (r->web->is_tls)
        MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
}

static enum MHD_Result send_response(struct request *r, unsigned status,
                                     struct MHD_Response *response)
{
    enum MHD_Result result = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* The browser has these bytes already, or any at all ("*"): RFC 9110 13.1.2. etag NULL: they have
 * none. */
static bool is_known(const struct request *r, const char *etag)
{
    const char *known = request_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool is_looking = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
    return is_looking && (strcmp(known, "*") == 0 || (etag && strstr(known, etag)));
}

/* cache: what a browser may do with the answer. */
static enum MHD_Result reply(struct request *r, unsigned status, const char *type,
                             const char *cache, const char *etag, struct MHD_Response *response)
{
    reply_headers(r, response, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
    if (etag)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
    return send_response(r, status, response);
}

static enum MHD_Result reply_known(struct request *r, const char *cache, const char *etag)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    return response ? reply(r, MHD_HTTP_NOT_MODIFIED, "application/json", cache, etag, response)
                    : MHD_NO;
}

static enum MHD_Result reply_malloced(struct request *r, unsigned status, const char *type,
                                      const char *cache, const char *etag, void *bytes, size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (response)
        return reply(r, status, type, cache, etag, response);
    free(bytes);
    return MHD_NO;
}

/* What a browser keeps and asks for again by its ETag. */
static const char kept[] = "no-cache, private";

static void print_etag(char etag[ETAG_SIZE], const void *bytes, size_t size)
{
    snprintf(etag, ETAG_SIZE, "\"%016llx\"", (unsigned long long)hash_stable(bytes, size));
}

static bool put_aside(struct request *r, const struct made *made)
{
    if (r->made)
        *r->made = *made;
    return r->made != NULL;
}

static void add_file_name(struct MHD_Response *response, const char *file_name)
{
    char disposition[256];
    if (!file_name)
        return;
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", file_name);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
}

enum MHD_Result reply_made(struct request *r, const struct made *made)
{
    if (!made->bytes)
        return MHD_NO;
    return made->file_name ? reply_file(r, made->type, made->file_name, made->bytes, made->size)
                           : reply_bytes(r, made->status, made->type, made->bytes, made->size);
}

struct MHD_Response *response_of(const struct request *r, const struct made *made,
                                 char etag[ETAG_SIZE])
{
    print_etag(etag, made->bytes, made->size);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(made->size, made->bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        return NULL;
    reply_headers(r, response, made->type);
    add_file_name(response, made->file_name);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, kept);
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
    return response;
}

enum MHD_Result reply_kept(struct request *r, struct MHD_Response *response, const char *etag)
{
    return is_known(r, etag) ? reply_known(r, kept, etag)
                             : MHD_queue_response(r->connection, MHD_HTTP_OK, response);
}

/* The console stops: what was asked of the store may have been interrupted. */
static bool is_interrupted(const struct request *r)
{
    return r->store && web_is_stopped(r->web);
}

enum MHD_Result reply_bytes(struct request *r, unsigned status, const char *type, void *bytes,
                            size_t size)
{
    char etag[ETAG_SIZE];
    if (status == MHD_HTTP_OK && is_interrupted(r)) {
        free(bytes);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, STOPPING);
    }
    if (put_aside(r, &(struct made){status, type, NULL, bytes, size}))
        return MHD_YES;
    if (status != MHD_HTTP_OK)
        return reply_malloced(r, status, type, "no-store", NULL, bytes, size);
    print_etag(etag, bytes, size);
    if (!is_known(r, etag))
        return reply_malloced(r, status, type, kept, etag, bytes, size);
    free(bytes);
    return reply_known(r, kept, etag);
}

enum MHD_Result reply_file(struct request *r, const char *type, const char *file_name, void *bytes,
                           size_t size)
{
    if (is_interrupted(r)) {
        free(bytes);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, STOPPING);
    }
    if (put_aside(r, &(struct made){MHD_HTTP_OK, type, file_name, bytes, size}))
        return MHD_YES;
    if (is_known(r, NULL)) {
        free(bytes);
        return reply_known(r, "no-store", NULL);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    add_file_name(response, file_name);
    return reply(r, MHD_HTTP_OK, type, "no-store", NULL, response);
}

enum MHD_Result reply_static(struct request *r, const struct page *page)
{
    bool is_packed = page->packed_size > 0 &&
                     strstr(request_header(r, MHD_HTTP_HEADER_ACCEPT_ENCODING), "gzip") != NULL;
    union {
        const void *in;
        void *out;
    } p = {.in = is_packed ? page->packed : page->bytes}; /* the library's signature: only read */
    char etag[ETAG_SIZE];
    snprintf(etag, sizeof etag, "\"%016llx%s\"",
             (unsigned long long)hash_stable(page->bytes, page->size), is_packed ? "z" : "");
    if (is_known(r, etag))
        return reply_known(r, "no-cache", etag);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        is_packed ? page->packed_size : page->size, p.out, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    if (is_packed)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    return reply(r, MHD_HTTP_OK, page->type, "no-cache", etag, response);
}

enum MHD_Result reply_json(struct request *r, unsigned status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text ? reply_bytes(r, status, "application/json", text, strlen(text)) : MHD_NO;
}

enum MHD_Result reply_error(struct request *r, unsigned status, const char *text)
{
    return reply_json(r, status, json_pack("{s:s}", "error", text));
}

enum MHD_Result reply_unclear(struct request *r)
{
    static char text[] = "{\"error\":\"it is not clear where this request ends or whom it asks\"}";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return reply(r, MHD_HTTP_BAD_REQUEST, "application/json", "no-store", NULL, response);
}

/* --- what was asked --- */

/* NULL: absent. Names in either case, the first one counts: as the library looks them up. */
static const char *argument_of(const struct request *r, const char *key)
{
    if (!r->arguments)
        return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, key);
    for (const char *name = r->arguments; *name != '\0';) {
        const char *value = name + strlen(name) + 1;
        if (strcasecmp(name, key) == 0)
            return value;
        name = value + strlen(value) + 1;
    }
    return NULL;
}

const char *request_text(const struct request *r, const char *key)
{
    const char *text = argument_of(r, key);
    return text ? text : "";
}

const char *request_header(const struct request *r, const char *key)
{
    const char *text = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, key);
    return text ? text : "";
}

bool request_number(const struct request *r, const char *key, int64_t least, int64_t most,
                    int64_t fallback, int64_t *number)
{
    const char *text = argument_of(r, key);
    *number = fallback;
    if (!text)
        return true;
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *number >= least && *number <= most;
}

static const struct sockaddr *peer_of(const struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

void request_peer(const struct request *r, char text[PEER_TEXT_SIZE])
{
    peer_print(text, peer_of(r), false);
}

void request_network(const struct request *r, char text[PEER_TEXT_SIZE])
{
    peer_print(text, peer_of(r), true);
}

json_t *request_object(const struct request *r)
{
    json_t *json = r->body ? json_loadb(r->body, r->body_size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

const char *object_text(const json_t *object, const char *key, const char *fallback)
{
    const json_t *value = json_object_get(object, key);
    return value ? json_string_value(value) : fallback;
}

bool request_is_host(const char *host, const char *name)
{
    size_t size = strlen(name);
    if (strncasecmp(host, name, size) != 0)
        return false;
    const char *port = host + size;
    if (*port == '\0')
        return true;
    size_t digits = *port == ':' ? strspn(port + 1, "0123456789") : 0;
    return digits > 0 && digits <= 5 && port[1 + digits] == '\0';
}

/* --- changes --- */

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct change {
    bool (*carry_out)(struct store *store, void *context, struct error *err);
    void *context;
    const char *by, *what, *about, *why;
    bool is_refused; /* the change itself said no; else the store did */
};

static bool carry_out(struct store *store, struct change *c, struct error *err)
{
    if (!store_exec(store, "BEGIN IMMEDIATE", err))
        return false;
    c->is_refused = c->carry_out && !c->carry_out(store, c->context, err);
    if (!c->is_refused && audit_add(store, now_ms(), c->by, c->what, c->about, c->why, err) &&
        store_exec(store, "COMMIT", err))
        return true;
    store_rollback(store);
    return false;
}

bool request_change(struct request *r,
                    bool (*change)(struct store *store, void *context, struct error *err),
                    void *context, const char *what, const char *about, const char *why,
                    enum MHD_Result *result)
{
    struct error err = {""};
    struct store *store = NULL;
    struct change c = {change, context, r->account.name, what, about, why, false};
    pthread_mutex_lock(&r->web->writing);
    bool ok = writer_open(&store, r->web->store_path, &err) && carry_out(store, &c, &err);
    store_close(store);
    pthread_mutex_unlock(&r->web->writing);
    answers_forget(r->web->answers);
    if (!ok)
        *result = reply_error(r, c.is_refused ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_SERVICE_UNAVAILABLE,
                              err.text);
    return ok;
}

/* --- rows as JSON --- */

const char *column_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}

json_t *json_text_of(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("(unreadable)");
}

json_t *json_time_of(int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    return json_string(time_print(text, time_ns));
}

int64_t store_number(struct store *store, const char *sql)
{
    sqlite3_stmt *s = store_statement(store, sql, NULL);
    int64_t value = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    if (s)
        sqlite3_reset(s);
    return value;
}
