/* alert.h: one alert while it is open: what its findings have told so far. Between the files of
 * this folder. */
#pragma once

#include "sensor/base/finding.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CAUSE_SIZE = 16,         /* first bytes of a SHA-256: enough that no two causes ever meet */
    ALERT_ID_TEXT = 33,      /* 16 bytes in hex */
    ALERT_SOURCE_TEXT = 128, /* file or interface name */
    ALERT_PACKETS_MAX =
        128, /* evidence packets of one alert: three findings with 20 before and after */
    ALERT_OUTCOME = FINDING_CONFIRMED | FINDING_REFUSED | FINDING_COMPLETED,
};

/* Plain data: also kept in the store while it may still grow, so that a restart goes on with it. */
struct alert {
    uint8_t cause[CAUSE_SIZE];
    char id[ALERT_ID_TEXT];
    char incident[ALERT_ID_TEXT];   /* id of the first alert of its story */
    uint32_t incident_place;        /* where the story lies, if it is still known */
    char source[ALERT_SOURCE_TEXT]; /* where the telling packet came from */
    struct finding finding; /* place, time and "ot" of the first; words and outcome of the newest */
    uint32_t flags;         /* what its findings told together */
    uint64_t count;         /* how many times it happened */
    uint64_t publish_at;    /* count of the next revision */
    int64_t first_ns, last_ns;
    uint32_t revision; /* published so far */
    uint32_t packets_kept;
    uint32_t last_source; /* the newest evidence packet, so that none is kept twice */
    uint64_t last_packet;
    bool is_storm;      /* stands for all alerts of its type over the cap */
    bool is_settled;    /* the last revision said that it no longer grows */
    bool has_news;      /* the revision that waits tells more than a count */
    uint32_t unwritten; /* 1 + place among those whose last revision waits; 0: none */
};

/* Capture files can carry any time: sums stay within what there is. */
static inline int64_t time_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? INT64_MAX : INT64_MIN;
}
