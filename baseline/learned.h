/* learned.h: the tables of one baseline and what its learners share. Only for the files of this
 * folder. */
#pragma once

#include "rows.h"
#include "sensor/base/hash.h"

#define SECOND_NS ((int64_t)1000000000)

enum {
    FLOW_WAYS = 2, /* flows of a set, or protocols of a flow, one inside the other */
    FUNCTIONS_REMEMBERED = 8192,
    ITEMS_LOOKED_AT = 64,
    AREAS = 64,
    VALUES_LOOKED_AT = 64
};
static const int64_t WRITE_WINDOW_NS =
    10 * SECOND_NS; /* longer than the pause between two clicks of a person */

/* How often one cause is told again: every second at first, then ever more rarely. */
struct repeat {
    int64_t first_ns, last_ns;
    uint32_t waiting;
};
/* True when it is time to tell; *count says how often it happened since. */
bool repeat_is_due(struct repeat *r, int64_t now_ns, uint64_t *count);

struct window {
    int64_t start_ns;
    uint32_t count;
};
/* Counts one and returns how many there were within the window so far. */
uint32_t window_count(struct window *w, int64_t now_ns, int64_t length_ns);

struct pair {
    struct entry e;
    struct pair_facts f;
    struct repeat told;
    char protocol_told[LEARNED_TEXT]; /* by the first finding: later ones are the same cause */
    uint64_t flow_told; /* whose new protocol was told: names above it are no second cause */
    struct repeat writer_told[2], asker_told[2][2];
    struct window sweep; /* new things read */
    uint64_t sweep_last; /* hash of the last of them */
    uint64_t sweep_seen; /* by a stranger: a bit for each */
    struct repeat sweep_told;
    struct window sessions; /* connections that were answered or refused */
    uint16_t sessions_port; /* of the last one */
    uint32_t calls;         /* connections that were not answered yet, since the last that was */
    int64_t called_ns;      /* the first of them */
    struct repeat sessions_told, calls_told;
};

struct conversation {
    struct entry e;
    /* what every message touches comes first */
    int64_t run_ns; /* last event in this run; 0: none yet */
    int64_t
        beat_ns; /* last beat in this run, or later when nothing at all was heard; 0: none yet */
    int64_t heard_ns; /* last beat in this run; 0: none yet */
    uint32_t run_beats;
    int64_t asked_ns;          /* the last read; 0: answered */
    int64_t answered_after_ns; /* how long the last answer took */
    int64_t volume_ns;         /* when this minute began; 0: none */
    uint64_t volume;           /* bytes in it, and the last packet that was counted */
    uint64_t volume_packet;
    uint8_t late;      /* answers, weighed against others: answers.c */
    bool is_silent;    /* and told */
    uint8_t readbacks; /* written values that wait for being read back, at most */
    struct conversation_facts f;
    uint64_t pair_key; /* of its entry, if that is still there */
    struct window writes, asked, new_operations;
    struct repeat told, burst_told, flood_told, frozen_told, sequence_told, period_told, value_told,
        sealed_told, alarm_told, answers_told, volume_told;
};

struct operation_entry {
    struct entry e;
    struct operation_facts f;
    struct repeat told;
};

enum { RANGE_FRESH = 8 };
struct range {
    struct entry e;
    uint8_t fresh_count, fresh_at;
    struct range_facts f;
    uint32_t fresh[RANGE_FRESH]; /* pieces that were seen only once, as short hashes; 0: none */
    struct repeat told;
};

struct tag {
    struct entry e;
    struct tag_facts f;
    struct repeat told;
};

enum { POINT_LINES = 4 }; /* what every value looks at comes first */
struct point {
    struct entry e;
    double last;
    bool has_last;
    int64_t sighted_ns; /* when its writer was told to the core */
    struct window changes;
    struct point_facts f;
    struct repeat told, toggle_told, step_told; /* the last: ways of writing, too */
};

enum { BLOCK_LINES = 2 };
struct block {
    struct entry e;
    /* what every poll touches comes first */
    uint64_t hash;
    int64_t polled_ns, changed_ns; /* in this run; 0: not yet */
    int64_t judged_ns;             /* last look at its values */
    int64_t period_ns;             /* when the polls began that are being counted */
    uint32_t period_polls;
    uint32_t unchanged_polls;
    uint8_t period_pauses;       /* long ones in a row */
    bool is_frozen, has_outside; /* a value was out of range at the last look */
    struct trail pages;          /* of its variables */
    struct block_facts f;
};

/* Sixteen neighbouring variables of a polled piece: about 700 bytes. */
enum { PAGE_LINES = 13 };
struct page {
    struct entry e;
    struct page_facts f;
    float last[PAGE_VARIABLES];
    uint8_t outside[PAGE_VARIABLES]; /* how often it was out of range of late */
    int64_t outside_ns;              /* when one of them was */
};

/* A value that was written and is expected to be read back. */
enum { READBACKS_MAX = 32 };
struct readback {
    uint64_t conversation, point; /* keys; 0: free */
    uint64_t unit, name, address;
    const char *area;
    uint32_t number;
    enum ot_encoding encoding;
    double value;
    int64_t written_ns;
    uint8_t misses;
};

/* What an entry of each table takes at most; the tables' sizes are in baseline.c. */
_Static_assert(sizeof(struct pair) <= 448, "bytes of a pair of hosts");
_Static_assert(sizeof(struct conversation) <= 768, "bytes of a conversation");
_Static_assert(sizeof(struct operation_entry) <= 256, "bytes of a function");
_Static_assert(sizeof(struct range) <= 512, "bytes of up to 16 ranges of addresses");
_Static_assert(sizeof(struct tag) <= 256, "bytes of a named object");
_Static_assert(sizeof(struct point) <= 512, "bytes of a written variable");
_Static_assert(sizeof(struct block) <= 320, "bytes of a polled piece");
_Static_assert(sizeof(struct page) <= 832, "bytes of 16 polled variables");

/* Where the events of a flow belong, and which entries it will want next; found again by the flow's
 * id. */
struct flow_cache {
    _Alignas(2 * TABLE_LINE) uint64_t flow;
    const char *protocol;
    struct pair *pair;
    struct conversation *conversation;
    struct trail operations, ranges, tags, blocks; /* the first line: what is fetched ahead */
    struct trail points;
    uint64_t pair_key, conversation_key;
    struct endpoint client;
    uint8_t client_side;
    uint8_t step; /* of the last request: operation_facts.step */
};
_Static_assert(sizeof(struct flow_cache) == 2 * TABLE_LINE, "two cache lines of a flow");

/* The name of a kind of object, as dissectors have it. */
struct area {
    const char *name;
    uint64_t hash;
};

/* Of each conversation, close together for the look once a second: most have nothing to be looked
 * at then. */
struct watched {
    int64_t due_ns; /* no look before this finds anything */
    uint64_t pair_key;
};

/* An entry that is saved, and by what it is put in order. */
struct saved {
    int64_t first_ns;
    uint32_t place; /* in its table */
};

struct baseline {
    struct baseline_options options;
    char sensor[64];
    struct finding_sink sink;
    struct table pairs, conversations, operations, ranges, tags, points, blocks, pages;
    struct settle links;
    int64_t links_last_ns;
    int64_t started_ns; /* first packet of this run */
    int64_t looked_ns;  /* last look at silence, and how many conversations could be silent */
    unsigned running;
    unsigned beating;         /* conversations that could be silent, now */
    struct watched *watched;  /* as many as conversations */
    uint64_t evicted_before;  /* conversations, at the last look */
    uint32_t client_looks;    /* that the running look may still take */
    int64_t learned_since_ns; /* first seen of the oldest entry that was loaded; 0: none */
    bool has_learned;         /* something was loaded */
    bool is_last;
    int64_t now_ns, saved_ns;
    struct flow_cache (*flows)[FLOW_WAYS]; /* sets, a power of two, on cache lines */
    size_t flow_sets;
    struct flow_cache *expected; /* where the next event most likely belongs; NULL: nowhere yet */
    struct area areas[AREAS];    /* by where their names lie */
    uint64_t learned_functions[FUNCTIONS_REMEMBERED];
    struct baseline_decision *decisions;
    size_t decision_count;
    int64_t
        fresh_time_ns; /* the event that was judged last, and whether its actor was new before it */
    const struct ot_event *fresh_event;
    bool fresh_is_actor_new;
    struct readback readbacks[READBACKS_MAX]; /* a ring */
    size_t readback_at;
    struct finding finding; /* being written */
    uint64_t findings;
    struct saved *order; /* of what is being saved; as many as the greatest table has entries */
};

/* One event on its way through the learners. */
struct seen {
    struct baseline *b;
    const struct ot_event *event;
    struct pair *pair;
    struct conversation *conversation;
    unsigned side; /* of the actor in the pair */
    uint64_t unit; /* name_hash of it */
    struct flow_cache *flow;
    bool is_known; /* the operation is learned (or being learned) */
    bool is_late;  /* what is told now is learned all the same */
    bool is_told;  /* the function was: what it touches is part of that */
};

/* For each message: */
enum { DRAWS_MAX = 1 << 20 }; /* then the past counts half */
static const int64_t PAUSE_MAX_NS =
    600 * SECOND_NS; /* a longer silence within a run is not observation */
static inline void settle_pass(struct settle *s, int64_t delta_ns)
{
    if (delta_ns > PAUSE_MAX_NS)
        delta_ns = PAUSE_MAX_NS;
    s->observed_ns += delta_ns;
    s->quiet_ns += delta_ns;
    s->calm++;
}
/* One more thing was judged: seen is how often it had been seen before. */
static inline void settle_draw(struct settle *s, uint64_t seen)
{
    if (seen == 0)
        s->singles++;
    else if (seen == 1 && s->singles > 0)
        s->singles--;
    if (++s->draws >= DRAWS_MAX) {
        s->draws /= 2;
        s->singles /= 2;
    }
}
void settle_new(struct settle *s);
/* Notes when it has settled; once in a while. */
void settle_look(struct settle *s, int64_t minimum_ns);
/* When a look may have something to note at the earliest. passed_ns: time of the last settle_pass,
 * 0: none in this run. */
int64_t settle_next(const struct settle *s, int64_t minimum_ns, int64_t passed_ns, int64_t now_ns);
/* It has been learning for long enough to have an opinion, but has not settled: what is new is
 * learned, and told at lower severity. */
bool baseline_is_late(const struct baseline *b, const struct settle *s, int64_t since_ns);
/* Whether something new in this dimension is learned now, silently. */
bool baseline_is_learning(const struct baseline *b, const struct settle *s);

/* conversations.c: finds or makes the pair and conversation; tells new ones. False: nothing to
 * learn here. */
bool conversations_find(struct seen *s, const struct ot_flow *flow, const char *protocol,
                        const struct packet *packet, int64_t time_ns);
/* Fetches what the event will touch, for a flow that is known. */
void conversations_expect(struct baseline *b, const struct ot_event *event);
void conversations_look(const struct baseline *b, const struct ot_flow *flow);
void conversations_look_on(const struct baseline *b, const struct ot_flow *flow);
struct endpoint endpoint_of(const struct host *h);
bool conversations_is_usual(const struct baseline *b, const struct ot_event *event);
bool conversations_is_known(const struct baseline *b, const struct ot_flow *flow,
                            const char *protocol);
/* NULL: never seen. */
const struct conversation *conversations_get(const struct baseline *b, const struct ot_flow *flow,
                                             const char *protocol);
bool conversations_is_actor_new(const struct baseline *b, const struct ot_event *event);
/* Keys of the tables for rows that come back from the store. */
uint64_t conversations_pair_key(const struct pair_facts *f);
uint32_t conversations_worker(const struct pair_facts *f, uint32_t workers);
uint64_t conversations_key(uint64_t pair_key, const char *protocol);
uint64_t operations_key_of(uint64_t conversation_key, const struct operation_facts *f);
uint64_t range_key_of(uint64_t conversation_key, const struct range_facts *f, bool is_pending);
uint64_t tag_key_of(uint64_t conversation_key, const struct tag_facts *f);
uint64_t point_key_of(uint64_t conversation_key, const struct point_facts *f);
uint64_t block_key_of(uint64_t conversation_key, const struct block_facts *f);
/* One calls another. */
void conversations_called(struct baseline *b, const struct ot_flow *flow,
                          const struct packet *packet);
/* Two hosts talk, in whatever protocol. */
void conversations_link(struct baseline *b, const struct ot_flow *flow,
                        const struct packet *packet);
/* A connection of theirs was closed in order. */
void conversations_finished(struct baseline *b, const struct ot_flow *flow);
/* The unit of the event, as a key. */
uint64_t conversations_unit(struct seen *s);
/* operations.c */
void operations_judge(struct seen *s);
/* The event's operation is learned for this unit; 0: without one. */
bool operations_is_known(const struct seen *s, uint64_t unit);
bool operations_is_actor_new(const struct pair *pair, unsigned side, enum operation operation);
/* A learned function, whatever its unit. */
void operations_remember(struct baseline *b, uint64_t conversation_key,
                         const struct operation_facts *f);
/* The operation's class counts as learned for its pair. */
void operations_approve(struct baseline *b, const struct operation_entry *o);
/* objects.c */
/* Takes what is pending over into what is learned. */
void objects_approve(struct baseline *b, struct range *pending);
void objects_judge(struct seen *s);
/* Who reads has no business there yet: how much it reads. */
void objects_of_stranger(struct seen *s);
/* values.c: what is written */
void values_judge(struct seen *s);
/* blocks.c: what is polled */
/* The event reports values that nobody asked for, over a connection: to a client that subscribed,
 * or a device to a broker. */
bool blocks_are_reported(const struct ot_event *e);
void blocks_judge(struct seen *s);
/* rates.c: how often it is written */
void rates_judge(struct seen *s);

/* sequence.c: which function follows which */
void sequence_judge(struct seen *s, struct operation_entry *o);
/* The connection has ended: by the protocol of `cached` nothing more was said on it. */
void sequence_finished(struct baseline *b, struct flow_cache *cached, const struct ot_flow *flow);
/* period.c: the pace of polls */
void period_polled(struct seen *s, struct block *k, int64_t pause_ns);
/* answers.c: how long answers take */
void answers_judge(struct seen *s);
/* volume.c: how much is said in a minute */
void volume_judge(struct seen *s);
/* sealing.c: conversations that were always encrypted */
void sealing_judge(struct seen *s);
/* polled.c: the values of what is polled */
void polled_judge(struct seen *s, struct block *k, const struct ot_item *item);
uint64_t page_key_of(uint64_t conversation_key, const struct page_facts *f);
/* readback.c: what was written is read back */
void readback_expect(struct seen *s, const struct ot_item *item, uint64_t point_key,
                     uint64_t address, double value);
void readback_judge(struct seen *s, const struct ot_item *item);
/* sessions.c: how often a pair connects */
void sessions_judge(struct baseline *b, struct pair *p, const struct ot_flow *flow,
                    const struct packet *packet);
/* A connection is called for; nobody has answered yet. */
void sessions_called(struct baseline *b, struct pair *p, const struct ot_flow *flow,
                     const struct packet *packet);

/* silence.c: conversations that used to go on without pause */
void silence_beat(struct seen *s);
/* A conversation was added or loaded. */
void silence_added(struct baseline *b, const struct conversation *c);
/* The timers of a pair begin anew with the next answer. */
void silence_forget(struct baseline *b, uint64_t pair_key);
/* A conversation of the pair goes on, and would be told when it falls silent. */
bool silence_is_watched(const struct baseline *b, uint64_t pair_key);
void silence_look(struct baseline *b, bool is_last);

/* A finding about the event, with expected, seen and key still to be written, then handed on. */
struct finding *finding_begin(struct seen *s, enum detection detection);
/* The device that gives values is the actor, whoever asked for them. */
void finding_of_device(const struct seen *s, struct finding *f);
void finding_raise(struct seen *s, struct finding *f);
/* A decision allows this for the pair. */
bool baseline_allows(const struct baseline *b, enum detection detection, uint32_t segment,
                     const struct host *actor, const struct host *target, int64_t time_ns);

/* The same for what a message does: who approves a writer approves its changes, who approves a link
 * what is read. */
bool baseline_covers(const struct seen *s, enum detection detection, bool is_change);

/* Places: the hash of one, and the key of an entry that is about `more` in it. */
uint64_t place_hash(const struct seen *s, const struct ot_item *item, bool is_write);
static inline uint64_t place_key(uint64_t place, uint64_t more)
{
    return hash_mix(place, more) | 1; /* 0 marks a free entry */
}
uint64_t place_key_of(uint64_t conversation_key, const struct place *p, uint64_t more);
uint64_t point_more(uint64_t name_hash, uint64_t address, bool is_bit, uint8_t bit);
uint64_t block_more(uint64_t name_hash, uint64_t address, uint32_t size);
/* hash_stable of a text, 0 of none. */
static inline uint64_t name_hash(struct text t)
{
    return t.size ? hash_stable(t.at, t.size) : 0;
}
void place_fill(struct place *p, const struct seen *s, const struct ot_item *item, bool is_write);
/* The operation of an item, by itself or by its event. */
static inline enum operation item_operation(const struct seen *s, const struct ot_item *item)
{
    return item->operation == OP_UNKNOWN ? s->event->operation : item->operation;
}
/* "2026-11-22 15:04" of a time. */
enum { SINCE_TEXT = 24 };
char *since_print(char out[SINCE_TEXT], int64_t time_ns);
