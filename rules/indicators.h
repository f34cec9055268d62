/* indicators.h: what is known to be bad: addresses, names, URLs, JA3 fingerprints and file hashes
 * from files that somebody brought (nothing is fetched): CSV lists and STIX 2.1 bundles.
 *
 * Loaded once, then only read: all workers may share one. Bounded: INDICATORS_MAX of them, files of
 * at most 64 MB. About 80 bytes and the texts for each. */
#pragma once

#include "sensor/base/address.h"
#include "sensor/base/config.h"
#include "sensor/base/error.h"
#include "sensor/base/text.h"

#include <stdio.h>

enum { INDICATORS_MAX = 1000000, INDICATOR_VALUE_MAX = 512 };

enum indicator_kind {
    INDICATOR_IP,
    INDICATOR_DOMAIN, /* also fits names below it */
    INDICATOR_URL,
    INDICATOR_JA3,
    INDICATOR_HASH, /* MD5, SHA-1 or SHA-256 in hex */
    INDICATOR_KINDS,
};
const char *indicator_kind_name(enum indicator_kind kind); /* "domain" */

struct indicator {
    enum indicator_kind kind;
    const char *value; /* as it is compared: lower case, no dot at the end */
    const char *about; /* what the file says of it; "" nothing */
    const char *file;  /* name of the file without its folder */
    int64_t until_ns;  /* INT64_MAX: no end */
};

struct indicators;

/* Reads the files, each by its content: a JSON object is a STIX bundle, all else CSV. NULL with a
 * reason that names file and line or object. */
struct indicators *indicators_load(const struct config_list *files, struct error *err);
/* The same from memory, for tests: adds to *indicators (created when NULL). */
bool indicators_parse(struct indicators **indicators, const char *text, size_t size,
                      const char *name, struct error *err) NODISCARD;
void indicators_destroy(struct indicators *indicators);

/* A line for each file: how many, and a fingerprint of them. */
void indicators_print(const struct indicators *indicators, FILE *out);
size_t indicators_count(const struct indicators *indicators);
/* What was passed over: objects that are no indicators, patterns that are more than a value. */
size_t indicators_skipped(const struct indicators *indicators);

/* The indicator that fits at this time; NULL: none. All are cheap, and free when there are no
 * indicators (NULL). */
const struct indicator *indicators_ip(const struct indicators *indicators, const struct address *ip,
                                      int64_t time_ns);
const struct indicator *indicators_text(const struct indicators *indicators,
                                        enum indicator_kind kind, struct text value,
                                        int64_t time_ns);
