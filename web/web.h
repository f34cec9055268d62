/* web.h: the console: pages and the JSON API over a store. Sees the store, never a packet. */
#pragma once

#include "rules/history.h"
#include "rules/site.h"
#include "sensor/base/config.h"
#include "sensor/base/error.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

/* A site policy to be tried on the newest rows of a sensor's history. */
struct web_trial {
    const struct config *config;
    const char *sensor;
    struct site *site;
    struct store *history;
    uint64_t rows_max;
    struct history_span *span; /* what was looked at */
};
/* What the policy would have raised, which takes a whole sensor: a list that the caller owns, of
 * {rule, title, severity, alerts, count, examples: [{time, actor, target, protocol, seen,
 * expected}]}. NULL: *err says why. */
typedef json_t *web_try_policy(const struct web_trial *trial, struct error *err);

struct web_options {
    const struct config *config;
    const char *store_path;
    const char *listen;                /* "127.0.0.1:8470", "[::]:8470" */
    const char *certificate, *key;     /* PEM files; NULL: as is_tls says */
    bool is_tls;                       /* without files: a self-signed one, made once */
    bool is_plain_allowed;             /* HTTP without TLS on other addresses than loopback */
    web_try_policy *try_policy;        /* NULL: policies cannot be tried */
    const volatile sig_atomic_t *stop; /* serves until this becomes non-zero */
};

/* Serves until told to stop. Fails when the store cannot be read, the address is taken, or serving
 * there would not be safe: elsewhere than on loopback it needs users, and TLS unless allowed
 * without. */
bool web_serve(const struct web_options *options, struct error *err) NODISCARD;
