/* web.c: the HTTP server of the console: a thread per connection, few connections, loopback only.
 */
#include "web.h"

#include "api.h"
#include "pages.h"
#include "request.h"
#include "sensor/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONNECTIONS_MAX = 32,
    HEADERS_MAX = 16384, /* bytes of a request that are kept */
    TIMEOUT_S = 30,      /* a connection on which nothing happens; streams speak every 10 s */
};

/* --- requests --- */

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    static int is_known;
    (void)version;
    (void)upload;
    if (!*state) { /* the headers have come; the library asks again after the body */
        *state = &is_known;
        return MHD_YES;
    }
    struct request r = {.web = context, .connection = connection, .path = url};
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    const char *site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site");
    if (*upload_size > 0) { /* nothing here takes a body */
        *upload_size = 0;
        return MHD_YES;
    }
    if (!request_is_host_ours(host))
        return reply_error(&r, MHD_HTTP_FORBIDDEN,
                           "this console answers only under 127.0.0.1, [::1] or localhost");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return reply_error(&r, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
    struct page page;
    if (page_find(&page, url))
        return reply_static(&r, page.type, page.bytes, page.size);
    if (site && strcmp(site, "cross-site") == 0)
        return reply_error(&r, MHD_HTTP_FORBIDDEN, "other sites may not ask");
    return api_answer(&r);
}

/* --- the address --- */

union address_of {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

/* "127.0.0.1:8470", "[::1]:8470", "localhost:8470" */
static bool listen_parse(union address_of *address, const char *text, struct error *err)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;
    memset(address, 0, sizeof *address);
    if (!colon || size == 0 || size >= sizeof host)
        return error_set(err, "%s: an address and a port are needed, like 127.0.0.1:8470", text);
    memcpy(host, text, size);
    host[size] = '\0';
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || port > 65535)
        return error_set(err, "%s: the port is a number up to 65535", text);
    if (strcmp(host, "localhost") == 0)
        strcpy(host, "127.0.0.1");
    if (host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        address->in6.sin6_family = AF_INET6;
        address->in6.sin6_port = htons((uint16_t)port);
        if (inet_pton(AF_INET6, host + 1, &address->in6.sin6_addr) == 1 &&
            IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr))
            return true;
    } else {
        address->in4.sin_family = AF_INET;
        address->in4.sin_port = htons((uint16_t)port);
        if (inet_pton(AF_INET, host, &address->in4.sin_addr) == 1 &&
            ntohl(address->in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET)
            return true;
    }
    return error_set(err,
                     "%s: the console has no log-in yet and listens on loopback only (127.0.0.1 or "
                     "[::1]); use an SSH tunnel to look from elsewhere",
                     text);
}

static bool store_check(const struct web *web, struct error *err)
{
    struct store *store;
    if (!web_store_open(web, &store, err))
        return false;
    store_close(store);
    return true;
}

static void library_log(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args; /* what clients do wrong is not the operator's business */
}

bool web_serve(const struct config *config, const char *store_path, const char *listen,
               const volatile sig_atomic_t *stop, struct error *err)
{
    (void)config;
    union address_of address;
    struct web web = {.store_path = store_path, .stop = stop};
    if (!listen_parse(&address, listen, err) || !store_check(&web, err))
        return false;
    bool is_6 = address.any.sa_family == AF_INET6;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
            MHD_USE_ERROR_LOG | (is_6 ? MHD_USE_IPv6 : 0),
        0, NULL, NULL, answer, &web, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
        MHD_OPTION_SOCK_ADDR, &address.any, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)TIMEOUT_S, MHD_OPTION_END);
    if (!daemon)
        return error_set(err, "cannot listen on %s: %s", listen, strerror(errno));
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    log_info("console of %s on http://%s:%u/", store_path, is_6 ? "[::1]" : "127.0.0.1",
             info ? info->port : 0u);
    const struct timespec step = {.tv_nsec = 100000000};
    while (!web_is_stopped(&web))
        nanosleep(&step, NULL);
    MHD_stop_daemon(daemon);
    return true;
}
