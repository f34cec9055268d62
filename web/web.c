/* web.c: the HTTP server of the console: a thread per connection, a bounded number of them. */
#include "web.h"

#include "answers.h"
#include "asset_list.h"
#include "listen.h"
#include "message.h"
#include "patience.h"
#include "request.h"
#include "routes.h"
#include "sensor/base/log.h"
#include "tls.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONNECTIONS_MAX = 512,
    CONNECTIONS_OF_ONE_MAX = 300, /* one address cannot take them all: others get in */
    HEADERS_MAX = 16384,          /* bytes of a request that are kept */
    TIMEOUT_S = 30, /* a connection on which nothing happens; streams speak every 10 s */
    STACK_SIZE = 512 << 10,
    TOP_PAD = 4 << 20,   /* bytes that an arena keeps at its end */
    ARENAS_MAX = 4,      /* a thread for each connection: none has one of its own */
    READY_MAX_MS = 5000, /* how long the first who asks may come later */
};

/* --- one connection --- */

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static struct asking *asking_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The library tells the end before it closes the socket. */
static void watch(void *context, struct MHD_Connection *connection, void **asking,
                  enum MHD_ConnectionNotificationCode what)
{
    struct web *web = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *asking = info ? patience_begin(web->patience, info->connect_fd, clock_ms()) : NULL;
    else
        patience_end(web->patience, *asking);
}

/* --- one request --- */

static bool add_body(struct request *r, const char *bytes, size_t size)
{
    if (r->is_body_too_big || r->body_size + size > BODY_MAX) {
        r->is_body_too_big = true; /* taken and thrown away: the answer says why */
        return true;
    }
    char *body = realloc(r->body, r->body_size + size + 1);
    if (!body)
        return false;
    memcpy(body + r->body_size, bytes, size);
    r->body = body;
    r->body_size += size;
    r->body[r->body_size] = '\0';
    return true;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct web *web = context;
    struct request *r = *state;
    if (!r) { /* the headers have come; the library asks again with the body and after it */
        *state = r = calloc(1, sizeof *r);
        if (!r)
            return MHD_NO;
        r->web = web;
        r->connection = connection;
        return message_is_clear(connection, version) ? MHD_YES : reply_unclear(r);
    }
    r->path = url;
    r->method = method;
    if (*upload_size > 0) {
        bool ok = add_body(r, upload, *upload_size);
        *upload_size = 0;
        return ok ? MHD_YES : MHD_NO;
    }
    patience_asked(web->patience, asking_of(connection));
    atomic_fetch_add_explicit(&web->requests, 1, memory_order_relaxed);
    return routes_answer(r);
}

static void release_request(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode why)
{
    struct web *web = context;
    struct request *r = *state;
    (void)why;
    patience_again(web->patience, asking_of(connection), clock_ms());
    if (!r)
        return;
    free(r->body);
    free(r);
    *state = NULL;
}

/* --- what is safe --- */

static bool may_serve(const struct web_options *o, const struct web *web, bool has_users,
                      struct error *err)
{
    if (web->is_loopback)
        return true;
    if (!has_users)
        return error_set(
            err,
            "%s: other machines can reach this address and nobody has to log in: make a "
            "user first (sightglass console user add NAME --role admin)",
            o->listen);
    if (!web->is_tls && !o->is_plain_allowed)
        return error_set(
            err,
            "%s: passwords would cross the network in clear: use --tls, or --plain-http "
            "behind a proxy that encrypts",
            o->listen);
    return true;
}

/* The tables of users are made at the first start; a full disk leaves a console that only shows. */
static bool prepare_store(struct web *web, bool *has_users, struct error *err)
{
    struct store *store;
    struct error no_writing = {""};
    if (writer_open(&store, web->store_path, &no_writing))
        store_close(store);
    else
        log_warning("%s; the console only shows", no_writing.text);
    store = readers_take(web->readers, err);
    if (!store)
        return false;
    *has_users = accounts_exist(store);
    readers_give(web->readers, store);
    return true;
}

/* --- life --- */

/* SQLite takes and gives back a few hundred kilobytes for many a statement: by default each time to
 * the kernel and page by page from it (3 million page faults, half of the time, to read 10,000
 * assets). Setting it also leaves large answers outside the arenas, which they would fragment. */
static void prepare_memory(void)
{
    mallopt(M_TOP_PAD, TOP_PAD);
    mallopt(M_ARENA_MAX, ARENAS_MAX);
}

/* %00 would end a path or a parameter early: it becomes a byte that is in none of ours. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    size_t size = MHD_http_unescape(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0')
            text[i] = '\1';
    return size;
}

static void library_log(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args; /* what clients do wrong is not the operator's business */
}

static struct MHD_Daemon *start(struct web *web, union listen_address *address,
                                const struct tls_files *tls)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ERROR_LOG;
    if (address->any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    struct MHD_OptionItem more[] = {
        {MHD_OPTION_HTTPS_MEM_KEY,    0, tls->key                                                 },
        {MHD_OPTION_HTTPS_MEM_CERT,   0, tls->certificate                                         },
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "SECURE128:-VERS-TLS1.0:-VERS-TLS1.1"},
        {MHD_OPTION_END,              0, NULL                                                     },
    };
    if (web->is_tls)
        flags |= MHD_USE_TLS;
    else
        more[0] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        flags, 0, NULL, NULL, answer, web, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
        MHD_OPTION_SOCK_ADDR, &address->any, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_OF_ONE_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADERS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
        MHD_OPTION_NOTIFY_COMPLETED, release_request, web, MHD_OPTION_NOTIFY_CONNECTION, watch, web,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

static bool serve(struct web *web, union listen_address *address, const struct tls_files *tls,
                  const char *listen, struct error *err)
{
    asset_list_wait(web->assets, READY_MAX_MS, web->stop);
    routes_make_ahead(web->answers);
    struct MHD_Daemon *daemon = start(web, address, tls);
    if (!daemon)
        return error_set(
            err, "cannot listen on %s: %s%s", listen, strerror(errno),
            errno == EADDRINUSE ? "; another console? choose another port with --listen" : "");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    char where[LISTEN_TEXT_SIZE];
    log_info("console of %s on %s://%s/", web->store_path, web->is_tls ? "https" : "http",
             listen_print(where, address, info ? info->port : 0));
    const struct timespec step = {.tv_nsec = 100000000};
    while (!web_is_stopped(web)) {
        nanosleep(&step, NULL);
        patience_enforce(web->patience, clock_ms());
    }
    MHD_stop_daemon(daemon);
    return true;
}

static void release(struct web *web)
{
    answers_destroy(web->answers);
    asset_list_destroy(web->assets);
    readers_destroy(web->readers);
    throttle_destroy(web->throttle);
    patience_destroy(web->patience);
    pthread_mutex_destroy(&web->writing);
    pthread_mutex_destroy(&web->checking);
    pthread_mutex_destroy(&web->trying);
}

bool web_serve(const struct web_options *o, struct error *err)
{
    union listen_address address;
    struct tls_files tls = {NULL, NULL};
    bool has_users = false;
    if (!listen_parse(&address, o->listen, err))
        return false;
    prepare_memory();
    struct web web = {
        .config = o->config,
        .store_path = o->store_path,
        .stop = o->stop,
        .try_policy = o->try_policy,
        .is_loopback = listen_is_loopback(&address),
        .is_tls = o->is_tls || o->certificate,
        .readers = readers_create(o->store_path, o->stop),
        .throttle = throttle_create(),
        .patience = patience_create(),
    };
    pthread_mutex_init(&web.writing, NULL);
    pthread_mutex_init(&web.checking, NULL);
    pthread_mutex_init(&web.trying, NULL);
    bool ok = (web.readers && web.throttle && web.patience) || error_set(err, "out of memory");
    ok = ok && prepare_store(&web, &has_users, err) && may_serve(o, &web, has_users, err);
    web.assets = ok ? asset_list_create(o->store_path, web.readers) : NULL;
    web.answers = web.assets ? answers_create(&web) : NULL;
    ok = ok && (web.answers || error_set(err, "out of memory")) &&
         (!web.is_tls ||
          tls_read(&tls, o->certificate, o->key, o->config->state_dir, o->listen, err)) &&
         serve(&web, &address, &tls, o->listen, err);
    tls_release(&tls);
    release(&web);
    return ok;
}
