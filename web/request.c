/* request.c: answers with their headers, and the checks of a request. */
#include "request.h"

#include "alerts/alerts.h"
#include "baseline/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
    {"Cache-Control",                "no-store"                                },
};

void reply_headers(struct MHD_Response *response, const char *type)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
        MHD_add_response_header(response, security_headers[i].name, security_headers[i].value);
}

static enum MHD_Result reply(struct request *r, unsigned status, const char *type,
                             struct MHD_Response *response)
{
    reply_headers(response, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result reply_bytes(struct request *r, unsigned status, const char *type, void *bytes,
                            size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (response)
        return reply(r, status, type, response);
    free(bytes);
    return MHD_NO;
}

enum MHD_Result reply_static(struct request *r, const char *type, const void *bytes, size_t size)
{
    union {
        const void *in;
        void *out;
    } p = {.in = bytes}; /* the library's signature; a persistent buffer is only read */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, p.out, MHD_RESPMEM_PERSISTENT);
    return response ? reply(r, MHD_HTTP_OK, type, response) : MHD_NO;
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

bool web_store_open(const struct web *web, struct store **store, struct error *err)
{
    static const struct store_schema *const schemas[] = {&inventory_schema, &alerts_schema, NULL};
    return store_open(store, web->store_path, STORE_READ_ONLY, schemas, err);
}

bool request_store(struct request *r, struct store **store, enum MHD_Result *result)
{
    struct error err = {""};
    if (web_store_open(r->web, store, &err))
        return true;
    *result = reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    return false;
}

bool request_number(const struct request *r, const char *key, int64_t least, int64_t most,
                    int64_t fallback, int64_t *number)
{
    const char *text = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, key);
    *number = fallback;
    if (!text)
        return true;
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *number >= least && *number <= most;
}

bool request_is_host_ours(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        size_t size = strlen(names[i]);
        if (strncasecmp(host, names[i], size) != 0)
            continue;
        const char *port = host + size;
        if (*port == '\0')
            return true;
        if (*port++ != ':')
            continue;
        size_t digits = strspn(port, "0123456789");
        return digits > 0 && digits <= 5 && port[digits] == '\0';
    }
    return false;
}
