/* rows.h: what was learned, as plain data: the part of every entry that is kept in the store, and
 * the row that carries it from a worker to the store's writer. Also the decisions that people make
 * about it. */
#pragma once

#include "baseline.h"
#include "interval_set.h"
#include "table.h"

/* A host of a pair: by IP when there is one, else by MAC. Comparable with memcmp. */
struct host {
    uint8_t kind; /* enum address_kind; ADDRESS_NONE: bytes[0..5] are a MAC */
    uint8_t bytes[16];
};
enum {
    HOST_TEXT = ADDRESS_TEXT_SIZE,
    LEARNED_TEXT = 24,
    LEARNED_NAME = 64,
    CODE_TEXT = OT_CODE_SIZE
};

/* How far learning has come in one scope: how long nothing new has appeared, in observed time (what
 * passes while the sensor is off counts for nobody), and how probable it is that the next event is
 * something new.
 *
 * The probability is Good and Turing's: of all that can still come, what was never seen weighs
 * together about as much as what was seen exactly once, singles / draws. That needs no idea of what
 * there is to be seen, fits a poll as well as a person, and a cyclic conversation has no singles
 * after its second round. A fraction of few draws says little, so what decides is the upper end of
 * its 95 % confidence interval (Wilson's, which stays honest at 0 of n: about 2.7 / n): a
 * conversation of two messages an hour has not settled after a day, whatever it was. Draws and
 * singles are halved from time to time, so that what a plant did last year does not speak for what
 * it does now. */
struct settle {
    int64_t observed_ns, quiet_ns, longest_gap_ns;
    uint32_t news, calm;      /* new things; events since the last of them */
    int64_t settled_after_ns; /* observed until it settled; 0: has not since the last new thing */
    uint32_t draws, singles;  /* judged things, and those of them that were seen only once */
    uint8_t known;            /* percent: 100 minus the chance of news; filled for rows */
    bool is_settled;          /* filled for rows */
};
/* Upper bound of the probability that the next event is something new: 0..1. */
double settle_chance(const struct settle *s);
bool settle_is_settled(const struct settle *s, int64_t minimum_ns);
/* "settled: 99 % known, ...", "learning: ..." with the reason, for people. Returns out. */
enum { SETTLE_TEXT = 128 };
char *settle_print(const struct settle *s, int64_t minimum_ns, char *out, size_t capacity);

struct pair_facts {
    uint32_t segment;
    uint32_t operations[2]; /* learned operation classes of each host acting on the other, one bit
                               each */
    struct host hosts[2];   /* sorted */
    uint32_t sessions_max;  /* most connections within a minute */
};

/* Which function of a conversation comes before each of its commands: the first STEPS_MAX
 * functions, by their step. */
enum { STEPS_MAX = 16 };
struct sequence_facts {
    uint16_t once[STEPS_MAX], often[STEPS_MAX]; /* of a command: a bit for each predecessor */
    uint16_t arrivals[STEPS_MAX];               /* at a command, saturating */
    uint16_t commands;                          /* bits of the steps that are commands */
    uint8_t steps;                              /* functions that have one */
};

struct conversation_facts {
    /* what every message touches comes first */
    struct settle operations, objects;
    uint64_t unit_hash;       /* a unit that was seen by name; 0: none yet */
    uint64_t beats;           /* answers, and messages that need none */
    int64_t longest_pause_ns; /* between two of these */
    uint32_t sealed, open;    /* messages that were encrypted, and that were not; saturating */
    uint32_t writes_max;      /* most changes within WRITE_WINDOW_NS, either host */
    uint32_t answers;         /* to what was read */
    int64_t answer_high_ns;   /* the longest that the quicker of two neighbours took */
    uint32_t minutes;         /* with messages, and the most bytes in one */
    uint64_t volume_high;
    bool has_unnamed; /* learned from a connection whose beginning, and so whose unit, was not seen
                       */
    uint8_t client;   /* 0 or 1: which host of the pair asks */
    bool is_role_known;
    uint64_t pair; /* ids of rows */
    char protocol[LEARNED_TEXT];
    struct sequence_facts sequence;
};

struct operation_facts {
    enum operation operation;
    uint8_t side; /* which host of the pair acts */
    uint8_t step; /* its place in the conversation's sequence_facts, from 1; 0: none */
    uint64_t conversation;
    uint32_t code[OT_CODE_PARTS];
    uint64_t unit_hash; /* hash_stable of the whole unit; 0: none */
    char unit[LEARNED_TEXT], code_text[CODE_TEXT], name[LEARNED_TEXT * 2];
};

/* Where an object is. */
struct place {
    uint64_t conversation;
    uint64_t unit_hash; /* hash_stable of the whole unit; 0: none */
    uint8_t side;
    bool has_number, is_write, is_bit;
    uint8_t bit;
    uint32_t number;
    char unit[LEARNED_TEXT], area[LEARNED_TEXT];
};

struct range_facts {
    struct interval_set set; /* what is looked at for every message comes first */
    struct place place;
};

struct tag_facts {
    struct place place;
    char name[LEARNED_NAME]; /* cut; name_hash tells long ones apart */
    uint64_t name_hash;      /* hash_stable of the whole name */
};

enum { STATES_MAX = 8 };

/* The values written to one variable by one actor. */
struct point_facts {
    double low, high;
    uint64_t values;           /* observations */
    uint32_t changes_max;      /* most changes of value within WRITE_WINDOW_NS */
    uint8_t state_count;       /* STATES_MAX + 1: too many to count */
    double states[STATES_MAX]; /* while there are few */
    uint32_t state_counts[STATES_MAX];
    uint64_t ones;    /* bits that were ever set, of whole numbers */
    uint32_t changes; /* of value, and how many bits they flipped together: few are a bit set */
    uint32_t flips;
    uint32_t echoed, differed; /* read back as written, and otherwise */
    uint32_t steps;            /* changes of value, and the greatest */
    double step_high;
    uint32_t manners; /* a bit for each enum ot_manner that was used */
    struct place place;
    uint64_t address;
    char name[LEARNED_NAME]; /* "" when addressed by number */
    uint64_t name_hash;
};

/* A piece of memory that is polled in one go. */
struct block_facts {
    /* what every poll looks at comes first */
    double period_high; /* seconds between two polls, the mean of a few: the longest of these */
    uint64_t changes;
    uint32_t periods; /* means of the pause between polls */
    uint32_t longest_unchanged_polls;
    double period_low; /* the shortest */
    int64_t longest_unchanged_ns;
    struct place place;
    uint64_t address;
    uint32_t size; /* elements */
    char name[LEARNED_NAME];
    uint64_t name_hash;
};

enum { PAGE_VARIABLES = 16, PAGE_STATES = 4 };

/* What was seen of one polled variable. Which kind it is follows from how it moves: one with few
 * values that come again and again is an enumeration; one that goes to and fro through its range
 * without leaving it has a range; what only grows (a counter), drifts, or never changed is not
 * judged. */
struct variable {
    float low, high;
    float states[PAGE_STATES];
    uint8_t visits[PAGE_STATES]; /* times that it came to a state, saturating */
    uint8_t state_count;         /* PAGE_STATES + 1: too many to count */
    uint8_t side;                /* where it turned last: 1 low, 2 high, 0 not yet */
    uint16_t turns;              /* ways through the range since that grew last, saturating */
};

/* It has shown what it does (polled.c). */
bool variable_is_judged(const struct variable *v);
/* "0, 1, 4" or "3.5 to 8". Returns out. */
enum { VARIABLE_TEXT = 96 };
char *variable_print(const struct variable *v, char *out, size_t capacity);

/* Neighbouring variables of a polled piece. */
struct page_facts {
    struct variable variables[PAGE_VARIABLES];
    struct place place;
    uint64_t address; /* of the piece */
    uint32_t size;    /* elements of the piece */
    uint32_t page;    /* which of its pages */
    char name[LEARNED_NAME];
    uint64_t name_hash;
};

/* What baseline_polled.variables says. */
void baseline_variables_parse(struct page_facts *f, const char *text);

enum baseline_kind {
    BASELINE_LINKS, /* how settled the set of pairs is */
    BASELINE_PAIR,
    BASELINE_CONVERSATION,
    BASELINE_OPERATION,
    BASELINE_RANGE,
    BASELINE_TAG,
    BASELINE_POINT,
    BASELINE_BLOCK,
    BASELINE_PAGE,
    BASELINE_KINDS,
};

struct baseline_row {
    enum baseline_kind kind;
    char sensor[64];
    uint64_t id;
    uint8_t state; /* enum entry_state */
    int64_t first_ns, last_ns;
    uint64_t count;
    union {
        struct settle links;
        struct pair_facts pair;
        struct conversation_facts conversation;
        struct operation_facts operation;
        struct range_facts range;
        struct tag_facts tag;
        struct point_facts point;
        struct block_facts block;
        struct page_facts page;
    } is;
};

/* Ids of rows: the same for the same thing in every run and on every machine; never seeded. */
uint64_t pair_id(const struct pair_facts *f);
uint64_t conversation_id(const struct conversation_facts *f);
uint64_t operation_id(const struct operation_facts *f);
uint64_t range_id(const struct range_facts *f, bool is_pending);
uint64_t tag_id(const struct tag_facts *f);
uint64_t point_id(const struct point_facts *f);
uint64_t block_id(const struct block_facts *f);
uint64_t page_id(const struct page_facts *f);

/* The conversation that a row belongs to; 0 for pairs and conversations. */
uint64_t row_parent(const struct baseline_row *row);

struct host host_of(const struct endpoint *e);
char *host_print(char out[HOST_TEXT], const struct host *h);
bool host_parse(struct host *h, const char *text);
const char *entry_state_name(uint8_t state); /* "learned", "pending", "rejected" */
bool entry_state_parse(uint8_t *state, const char *name);

/* Calls put for every row of the sensor and kind (BASELINE_KINDS: every kind), in order of kind;
 * pairs and conversations in order of id, the others from the first seen last on. What made room in
 * a full table and was learned again may come twice, the one that counts first. Stops when put
 * returns false. */
bool baseline_rows_read(struct store *store, const char *sensor, enum baseline_kind kind,
                        bool (*put)(void *context, const struct baseline_row *row), void *context,
                        struct error *err) NODISCARD;
/* Leaves of what comes twice the one that counts. */
bool baseline_rows_unite(struct store *store, const char *sensor, struct error *err) NODISCARD;
/* Removes all rows of a sensor. */
bool baseline_rows_clear(struct store *store, const char *sensor, struct error *err) NODISCARD;

/* What someone decided. An entry decision names the row; the other kind allows or forbids a
 * detection for a pair. */
struct baseline_decision {
    int64_t id;         /* rising */
    int64_t made_ns;    /* wall clock */
    int64_t until_ns;   /* 0: for ever; packet time */
    bool is_approval;   /* false: rejected */
    uint64_t entry;     /* row id; 0: scope is detection and pair */
    bool has_detection; /* false: every detection */
    enum detection detection;
    bool has_actor, has_target;
    struct host actor, target;
    char by[64], why[160];
};
enum { BASELINE_DECISIONS_MAX = 1024 };

/* Adds a decision (id and made_ns are set) and its audit record; returns false with a reason. */
bool baseline_decision_add(struct store *store, const char *sensor,
                           struct baseline_decision *decision, struct error *err) NODISCARD;
/* Calls put for every decision with an id above `after`, in order. */
bool baseline_decisions_read(struct store *store, const char *sensor, int64_t after,
                             bool (*put)(void *context, const struct baseline_decision *decision),
                             void *context, struct error *err) NODISCARD;
/* "approved rw.new-writer by 10.0.0.5 on 10.0.0.10". */
void baseline_decision_print(const struct baseline_decision *decision, char *out, size_t capacity);
/* Writes down what was done to the baseline, the rules, the policy or the users, by a path that
 * tells the sensor itself. */
bool baseline_audit(struct store *store, const char *sensor, const char *by, const char *what,
                    const char *why, struct error *err) NODISCARD;
/* The same for what the sensor shall tell as audit.policy-changed: an imported document, another
 * configuration. */
bool baseline_audit_change(struct store *store, const char *sensor, const char *by,
                           const char *what, const char *why, struct error *err) NODISCARD;
struct baseline_change {
    int64_t id, made_ns;
    char by[64], what[160], why[160];
};
/* Calls put for each of these with an id above `after`, in order. */
bool baseline_changes_read(struct store *store, const char *sensor, int64_t after,
                           void (*put)(void *context, const struct baseline_change *change),
                           void *context, struct error *err) NODISCARD;
