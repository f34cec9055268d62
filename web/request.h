/* request.h: one HTTP request and its answer: what every page and every part of the API shares. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/store.h"

#include <jansson.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { STREAMS_MAX = 8 }; /* pages that watch at the same time */

/* What all connection threads share; all but the counter is constant while serving. */
struct web {
    const char *store_path;
    const volatile sig_atomic_t *stop;
    atomic_int streams;
};

/* The flag is set by a signal, which may reach any thread. */
static inline bool web_is_stopped(const struct web *web)
{
    return __atomic_load_n(web->stop, __ATOMIC_RELAXED) != 0;
}

struct request {
    struct web *web;
    struct MHD_Connection *connection;
    const char *path; /* without the query */
};

/* Answers with a JSON document; takes over json (NULL: out of memory). */
enum MHD_Result reply_json(struct request *r, unsigned status, json_t *json);
/* {"error": text} */
enum MHD_Result reply_error(struct request *r, unsigned status, const char *text);
/* Bytes made by malloc, which are taken over. */
enum MHD_Result reply_bytes(struct request *r, unsigned status, const char *type, void *bytes,
                            size_t size);
/* Bytes that live for ever. */
enum MHD_Result reply_static(struct request *r, const char *type, const void *bytes, size_t size);
/* The headers that every answer has (and that a reply_* function sets by itself). */
void reply_headers(struct MHD_Response *response, const char *type);

/* Opens the store for reading, for as short as possible: it may be replaced, and on a full disk it
 * is read without a lock. */
bool web_store_open(const struct web *web, struct store **store, struct error *err) NODISCARD;
/* The same for a request; on failure answers 503 and returns false with *result. */
bool request_store(struct request *r, struct store **store, enum MHD_Result *result);

/* A number of the query: fallback when absent; false when it is none or out of range. */
bool request_number(const struct request *r, const char *key, int64_t least, int64_t most,
                    int64_t fallback, int64_t *number);

/* The name that the browser used for us is one of this machine's own: a page of another site, whose
 * name was made to lead here (DNS rebinding), is turned away. */
bool request_is_host_ours(const char *host);
