/* suppress.h: what people do not want to be told for a while: a type (or a beginning of it), from
 * an actor, to a target, until a time, for a reason. Kept in the store by the command line or the
 * console; the sensor looks at it once a second. What is suppressed is counted, never kept. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

enum {
    SUPPRESSIONS_MAX = 256, /* in force at the same time */
    SUPPRESS_RULE_TEXT = 48,
    SUPPRESS_HOST_TEXT = 64,
    SUPPRESS_BY_TEXT = 64,
    SUPPRESS_REASON_TEXT = 200,
    SUPPRESS_DAYS_MAX = 400, /* one that never ends would be forgotten */
};

struct suppression {
    int64_t id;                      /* given by the store */
    char rule[SUPPRESS_RULE_TEXT];   /* "recon.port-scan", "recon.*", "*" */
    char actor[SUPPRESS_HOST_TEXT];  /* "10.0.0.5", "10.0.0.0/24", a MAC; "": anyone */
    char target[SUPPRESS_HOST_TEXT]; /* the same; "": anything */
    int64_t made_ns, until_ns;       /* until: packet time */
    int64_t lifted_ns;               /* 0: in force until its end */
    char by[SUPPRESS_BY_TEXT], reason[SUPPRESS_REASON_TEXT];
};

/* False with the reason: a rule that no type fits, a host that is none, no reason, no end. */
bool suppression_check(const struct suppression *s, struct error *err) NODISCARD;
bool suppression_matches(const struct suppression *s, const struct finding *f);
/* "recon.* of 10.0.0.5 until 2026-01-31T18:00:00Z". Returns out. */
char *suppression_print(const struct suppression *s, char *out, size_t capacity);

/* Adds it (id is set); false also when SUPPRESSIONS_MAX are in force. The caller has checked it and
 * keeps the audit record. */
bool suppression_add(struct store *store, const char *sensor, struct suppression *s,
                     struct error *err) NODISCARD;
/* Ends one before its time; false when there is none in force under this id. */
bool suppression_lift(struct store *store, const char *sensor, int64_t id, int64_t lifted_ns,
                      struct error *err) NODISCARD;
/* Calls put for all, oldest first, with how often each has matched. */
bool suppressions_read(struct store *store, const char *sensor,
                       void (*put)(void *context, const struct suppression *s, uint64_t hits),
                       void *context, struct error *err) NODISCARD;

/* How often one has matched since the last row. */
struct suppression_hit {
    char sensor[64];
    int64_t id;
    uint64_t count;
    int64_t last_ns;
};
bool suppression_hit_apply(struct store *store, const void *data, size_t size, struct error *err);
