/* history.h: what happened, kept small enough to try rules, baselines and policies on it later.
 *
 * A worker's struct history tells every new kind of event at once and then counts: events that are
 * alike (same hosts, protocol, operation, code, unit, first object, outcome; for changes the same
 * value) are one row in ten minutes. Engineering actions are a row each. New kinds are held to
 * HISTORY_ROWS_PER_SECOND; what goes beyond is counted as lost. No allocation after
 * history_create. */
#pragma once

#include "rules/sigma.h"
#include "sensor/base/event_pack.h"
#include "sensor/base/store.h"

enum {
    HISTORY_MINUTES = 10,
    HISTORY_ENTRIES = 8192,
    HISTORY_ROWS_PER_SECOND = 50,
    HISTORY_BURST = 2000,
    HISTORY_SENSOR = 64,
    HISTORY_PROTOCOL = 24,
    HISTORY_AREA = 24, /* with its end: longer ones are told apart no further */
};

enum history_kind { HISTORY_EVENT, HISTORY_FLOW };

/* A row as it travels to the core: size bytes of the packed event are used. Without
 * bytes: the row with this time and key happened `count` times until last_ns. */
struct history_row {
    char sensor[HISTORY_SENSOR];
    int64_t time_ns, last_ns;
    uint64_t key, count;
    uint64_t written; /* who writes to whom, as history_writes is found by; 0: it writes nothing */
    uint64_t which;   /* of the things there, as bits */
    uint8_t kind;     /* enum history_kind */
    uint16_t size;
    uint8_t bytes[EVENT_PACK_MAX];
};

struct history;

/* NULL when there is no memory. row is called with the context, from the owner's thread; only
 * history_row_size bytes of it count. */
struct history *history_create(const char *sensor,
                               void (*row)(void *context, const struct history_row *row),
                               void *context);
void history_destroy(struct history *h);
size_t history_row_size(const struct history_row *row);

/* Events of the flow may come soon: what they will touch is fetched into the cache, first what the
 * flow said last, a moment later what it said after that before. */
void history_look(const struct history *h, const struct ot_flow *flow);
void history_look_on(const struct history *h, const struct ot_flow *flow);

/* What an event is like. */
struct like;
struct history_like {
    uint64_t key;
    struct like *at; /* where it was a moment ago; NULL: not known yet */
};
/* For history_event; what is not at hand is fetched into the cache meanwhile. pair: a hash of the
 * two hosts (pair_hash). */
struct history_like history_like(struct history *h, const struct ot_event *e, uint64_t pair);
/* Between the two: the rest of what history_event will touch is fetched. */
void history_expect(const struct history *h, struct history_like like);
void history_event(struct history *h, const struct ot_event *e, struct history_like like);
void history_flow(struct history *h, const struct ot_flow *flow, enum sigma_moment moment,
                  const char *protocol, int64_t time_ns, uint64_t pair);
/* Once per second of packet time and once at the end: tells the counts when ten minutes are over.
 */
void history_tick(struct history *h, int64_t time_ns, bool is_last);
uint64_t history_lost(const struct history *h);

/* --- the store --- */

extern const struct store_schema history_schema;

/* Rows go to the store in blocks: one insert for some hundreds. The same capture read again changes
 * nothing. */
struct history_packer;
/* NULL when there is no memory. One thread (core) uses it. */
struct history_packer *history_packer_create(const char *sensor, struct store_queue *queue);
/* What was not ended is lost. */
void history_packer_destroy(struct history_packer *packer);
void history_pack(struct history_packer *packer, const struct history_row *row);
/* Posts the block that has begun. */
void history_pack_end(struct history_packer *packer);

struct history_limits {
    char sensor[HISTORY_SENSOR];
    int64_t before_ns; /* blocks of older rows go; INT64_MIN: none by age */
    uint64_t bytes_max;
};
bool history_limits_apply(struct store *store, const void *data, size_t size, struct error *err);

struct history_span {
    int64_t first_ns, last_ns;
    uint64_t rows, events;
    bool is_cut; /* there is more than what was asked for at most */
};

/* Names of protocols last until the end of the replay; connections of the same ends and protocol
 * have the same id. */
struct history_player {
    void *context;
    /* count: how often it happened, last_ns: when for the last time. */
    void (*event)(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns);
    void (*flow)(void *context, const struct ot_flow *flow, enum sigma_moment moment,
                 const char *protocol, int64_t time_ns, uint64_t count); /* NULL: not wanted */
    void (*end)(void *context, const struct history_span *span);         /* NULL: not wanted */
};
/* Plays all that the store remembers of a sensor, in order of time. */
bool history_replay(struct store *store, const char *sensor, const struct history_player *player,
                    struct history_span *span, struct error *err) NODISCARD;
/* The newest rows_max rows that began from from_ns to to_ns, in order of time. */
struct history_range {
    int64_t from_ns, to_ns;
    uint64_t rows_max;
};
bool history_replay_range(struct store *store, const char *sensor,
                          const struct history_range *range, const struct history_player *player,
                          struct history_span *span, struct error *err) NODISCARD;
/* Who writes where to whom. Ends are by IP, else by MAC: kind ADDRESS_NONE and its six bytes. */
struct history_writes {
    struct address writer, target;
    char protocol[HISTORY_PROTOCOL];
    uint64_t which; /* of history_which, or more of them joined */
    /* NULL, or asked with the player's context from time to time: true ends the replay, cut. */
    bool (*is_enough)(void *context);
};
/* The bit of a thing; others may share it. number: NULL without; name: hash_stable of it, 0
 * without. */
uint64_t history_which(const char *area, const uint32_t *number, uint64_t name);

/* The events among which these writes are (others of the two hosts are, too), the newest first:
 * found by an index. rows_max is of rows that are looked through. Without an end. */
bool history_replay_writes(struct store *store, const char *sensor,
                           const struct history_range *range, const struct history_writes *writes,
                           const struct history_player *player, struct history_span *span,
                           struct error *err) NODISCARD;
