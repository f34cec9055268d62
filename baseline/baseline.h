/* baseline.h: what is normal between two hosts: conversations, operations, objects, values, program
 * transfers.
 *
 * One struct baseline per worker: all flows of a pair of hosts come to the same worker, so nothing
 * here is locked. Learns, judges what is new against what has settled, and reports findings. All
 * state is bounded. */
#pragma once

#include "sensor/base/config.h"
#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"
#include "sensor/base/store.h"

struct baseline;

struct baseline_options {
    enum baseline_mode mode;
    int64_t settle_min_ns; /* a dimension settles no earlier */
    size_t conversations_max;
    const char *sensor; /* of the rows; NULL: "" */
    uint32_t worker;    /* number of this worker; baseline_load sets it too */
    bool (*is_engineering_station)(void *context, uint32_t segment, const struct endpoint *host);
    void *context;
};

struct baseline *baseline_create(const struct baseline_options *options,
                                 const struct finding_sink *sink);
void baseline_destroy(struct baseline *b);

/* A flow has started: its client calls. */
void baseline_called(struct baseline *b, const struct ot_flow *flow, const struct packet *packet);
/* The server side of a flow answered: these two talk, in whatever protocol. Once per flow. */
void baseline_link(struct baseline *b, const struct ot_flow *flow, const struct packet *packet);
/* Both ends closed a dissected connection: who ended in order is not silent. */
void baseline_finished(struct baseline *b, const struct ot_flow *flow);
/* A flow's protocol was recognised ("modbus", or nDPI's name such as "tls"): links, protocols of a
 * pair. Once per flow. */
void baseline_protocol(struct baseline *b, const struct ot_flow *flow, const char *protocol,
                       const struct packet *packet);
/* The event will come soon: what it is likely to touch is fetched into the cache meanwhile. Changes
 * nothing else. */
void baseline_expect(struct baseline *b, const struct ot_event *event);
/* The same for a flow that a packet is about to come for, in two steps: where it is looked for,
 * what that leads to. */
void baseline_look(const struct baseline *b, const struct ot_flow *flow);
void baseline_look_on(const struct baseline *b, const struct ot_flow *flow);
void baseline_event(struct baseline *b, const struct ot_event *event);
void baseline_violation(struct baseline *b, const struct violation *violation);
/* Once per second of packet time, and once at the end (is_last): timers, settling, transfers left
 * open. */
void baseline_tick(struct baseline *b, int64_t time_ns, bool is_last);

struct baseline_state {
    uint64_t findings, evicted;
    size_t entries, pending, pairs, conversations, bytes; /* bytes: of the tables, fixed at start */
    bool is_settled;                                      /* the set of pairs */
};
void baseline_state(const struct baseline *b, struct baseline_state *state);

/* Rows: the learned state in a form that can be copied through a ring and written by the store's
 * writer. */
struct baseline_row; /* rows.h */
/* Calls put for every entry that changed since the last call. */
void baseline_changes(struct baseline *b,
                      void (*put)(void *context, const struct baseline_row *row), void *context);
/* Loads what belongs to this worker: entries whose pair hash falls to it (pair_worker, pair.h). */
bool baseline_load(struct baseline *b, struct store *store, uint32_t worker, uint32_t workers,
                   struct error *err) NODISCARD;
/* Writes one row, or several; for store_post and store_post_together, which need only the first
 * baseline_row_size bytes of each. */
size_t baseline_row_size(const struct baseline_row *row);
bool baseline_row_apply(struct store *store, const void *row, size_t size, struct error *err);
bool baseline_rows_apply(struct store *store, const void *const *rows, size_t count,
                         struct error *err);
/* Takes over decisions (approve, reject) that people made since the last call; core calls it once a
 * second with rows that baseline_decisions_read gave. */
struct baseline_decision; /* rows.h */
void baseline_decide(struct baseline *b, const struct baseline_decision *decision);

/* What policy wants to know. approved: a decision allows this kind of action for the event's pair
 * at its time. */
bool baseline_is_approved(const struct baseline *b, enum detection detection,
                          const struct ot_event *event);
/* The client has no learned operation of this gravity (change or not) on the server. */
bool baseline_is_actor_new(const struct baseline *b, const struct ot_event *event);

/* Acts of this class by this client on this server are learned, or would be learned now without a
 * word. */
bool baseline_is_usual(const struct baseline *b, const struct ot_event *event);

/* These two are learned to talk in this protocol ("": at all), or would be learned now without a
 * word. To be asked before the same is told to the baseline. */
bool baseline_is_known(const struct baseline *b, const struct ot_flow *flow, const char *protocol);

/* These two have talked in this protocol before, and it was learned. */
bool baseline_is_learned(const struct baseline *b, const struct ot_flow *flow,
                         const char *protocol);

extern const struct store_schema baseline_schema;

/* Operations that change something, and program_upload, which is engineering too: the index
 * baseline_operations_changing holds them, for queries that have exactly this condition. Not a list
 * with IN: SQLite would build a table of it anew for every row that is written. */
#define BASELINE_CHANGING                                                                          \
    "(operation = 'write' OR operation = 'control' OR operation = 'lock' OR operation ="           \
    " 'time_set' OR operation = 'file_write' OR operation = 'file_delete' OR operation ="          \
    " 'config_change' OR operation = 'mode_change' OR operation = 'start' OR operation ="          \
    " 'restart' OR operation = 'stop' OR operation = 'force' OR operation ="                       \
    " 'program_upload' OR operation = 'program_modify' OR operation = 'program_delete' OR"         \
    " operation = 'program_download' OR operation = 'firmware_update')"
