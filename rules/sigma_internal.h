/* sigma_internal.h: what the files of the rule engine share. */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/sigma.h"

#include <pcre2.h>
#include <string.h>
#include <yaml.h>

/* --- fields --- */

enum { EVENTS = 1 << SIGMA_EVENT, FLOWS = 1 << SIGMA_FLOW, FINDINGS = 1 << SIGMA_FINDING };

enum sigma_field {
#define SIGMA_FIELD(tag, name, where, type) FIELD_##tag,
#include "sigma_fields.def"
#undef SIGMA_FIELD
    FIELD_FACTS, /* FIELD_FACTS + enum fact_kind */
    FIELD_COUNT = FIELD_FACTS + FACT_COUNT,
    FIELD_NONE = 255, /* keywords: every field */
};

enum field_type { TYPE_TEXT, TYPE_NUMBER, TYPE_ADDRESS, TYPE_MAC, TYPE_ANY };

/* Takes the names of Zeek's logs and of Sigma's taxonomy of firewalls too. */
bool sigma_field_parse(enum sigma_field *field, struct text name);
const char *sigma_field_name(enum sigma_field field);
enum field_type sigma_field_type(enum sigma_field field);
unsigned sigma_field_where(enum sigma_field field); /* EVENTS | ... */
bool sigma_field_is_item(enum sigma_field field);   /* belongs to one of ot.items */
bool sigma_field_is_list(enum sigma_field field);   /* has several values, even in an event */

enum sigma_value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_BOOL, VALUE_ADDRESS, VALUE_MAC };
struct sigma_value {
    enum sigma_value_kind kind;
    struct text text; /* TEXT: borrowed */
    double number;    /* NUMBER, BOOL: exact up to 2^53 */
    const struct address *address;
    const struct mac *mac;
};

/* A sample in a rule's tests: what it says, as a list. */
struct sigma_sample_value {
    enum sigma_field field;
    int32_t item; /* -1: of the whole event */
    struct sigma_value value;
    struct address address;
    struct mac mac;
};
struct sigma_sample {
    struct sigma_sample_value *values;
    size_t count, capacity;
    int32_t items; /* number of ot.items */
    int64_t after_ns;
    uint64_t repeat;
};

enum { NO_ITEM = -1 };

/* What a rule looks at. One of event, flow (beside or without event), finding and sample is there.
 */
struct sigma_record {
    enum sigma_kind kind;
    const struct ot_event *event;
    const struct ot_flow *flow;
    const struct finding *finding;
    const struct sigma_sample *sample;
    const struct packet *packet;
    const char *protocol; /* of a flow */
    enum sigma_moment moment;
    int severity;
    int64_t time_ns;
    int32_t item; /* which of ot.items is looked at; NO_ITEM */
    uint32_t code_size;
    char code[OT_CODE_SIZE]; /* spelled when first asked for */
};

int32_t sigma_record_items(const struct sigma_record *r);
/* The i-th value that the field has in the record; false when there is none. */
bool sigma_field_value(struct sigma_record *r, enum sigma_field field, uint32_t i,
                       struct sigma_value *value);
/* A hash of all that the field says; the same text, number or address gives the same hash. */
uint64_t sigma_field_hash(struct sigma_record *r, enum sigma_field field, bool *is_there);

/* --- values of a rule --- */

enum match_op {
    MATCH_EQUAL,
    MATCH_PREFIX,
    MATCH_SUFFIX,
    MATCH_CONTAINS,
    MATCH_GLOB,
    MATCH_RE,
    MATCH_CIDR,
    MATCH_GT,
    MATCH_GTE,
    MATCH_LT,
    MATCH_LTE,
    MATCH_NULL,
    MATCH_EXISTS,
    MATCH_FIELD,
};

struct sigma_matcher {
    enum match_op op;
    bool is_cased, is_wanted /* EXISTS */, has_number, has_address, has_mac;
    uint8_t prefix_bits;    /* CIDR */
    enum sigma_field field; /* FIELD */
    double number;
    struct address address;
    struct mac mac;
    const char *bytes; /* EQUAL, PREFIX, SUFFIX, CONTAINS: lower case unless is_cased */
    uint32_t size;
    const uint16_t *tokens; /* GLOB: size tokens */
    const pcre2_code *re;
};

/* What the modifiers behind a field's name ask for. */
struct sigma_modifiers {
    enum match_op op;
    bool is_all, is_not, is_cased, is_windash;
    uint32_t re_options;
};
/* "contains|all"; false with *bad the modifier and *why. */
bool sigma_modifiers_parse(struct sigma_modifiers *m, struct text names, struct text *bad,
                           const char **why);

/* Of a value without quotes: one of the ways to write null, [YAML] 1.2 10.3.2. */
bool sigma_is_null(struct text plain);

/* One value of a rule as a matcher; NULL, or what is wrong with it. is_quoted: a text, never null
 * or a number. */
const char *sigma_matcher_compile(struct sigma_rules *rules, struct sigma_matcher *matcher,
                                  const struct sigma_modifiers *m, struct text value,
                                  bool is_quoted);
bool sigma_matcher_test(const struct sigma_matcher *m, const struct sigma_value *value,
                        struct sigma *s);

/* --- rules --- */

enum node_kind {
    NODE_ALL,
    NODE_ANY,
    NODE_NOT,
    NODE_ITEM, /* all, for one and the same of ot.items */
    NODE_TEST,
};

struct sigma_node {
    enum node_kind kind;
    uint32_t cost; /* about how dear: cheap ones are asked first */
    uint32_t count;
    const struct sigma_node **children;
    /* NODE_TEST */
    enum sigma_field field;
    bool is_all, is_not;
    const struct sigma_matcher *matchers; /* count of them */
};

struct sigma_test {
    const char *shows;
    size_t line;
    bool is_matching;
    const struct sigma_sample *samples;
    size_t count;
};

enum { GROUP_FIELDS = 8, PARTS_MAX = 32 };
enum correlation_type { EVENT_COUNT, VALUE_COUNT, TEMPORAL, TEMPORAL_ORDERED };

struct sigma_correlation {
    enum correlation_type type;
    struct text parts[PARTS_MAX]; /* ids or names, as written */
    uint32_t part_count;
    size_t line;
    bool is_generating;
    struct text groups[GROUP_FIELDS], value; /* as written: a field or an alias */
    uint32_t group_count;
    struct alias {
        struct text alias, rule, field;
    } * aliases;
    uint32_t alias_count;
    int64_t span_ns;
    uint64_t at_least, at_most; /* both included */
    bool is_at_end;             /* told when the window is over */
};

/* A correlation that counts a rule, with its fields resolved for that rule. */
struct sigma_counter {
    uint32_t correlation; /* index of the rule that correlates */
    uint16_t part;
    enum sigma_field groups[GROUP_FIELDS], value; /* value: FIELD_NONE: none */
    uint32_t group_count;
};

struct sigma_rule {
    const char *title, *id, *name, *file, *level_name;
    char techniques[48];
    enum severity level;
    size_t line;
    uint64_t fingerprint, key; /* key: sigma_rule_key() */
    enum sigma_kind kind;
    unsigned moments; /* of flows: 1 << enum sigma_moment */
    bool is_off, is_part;
    struct sigma_node *root;               /* NULL: a correlation */
    struct sigma_correlation *correlation; /* NULL: none */
    struct sigma_counter *counters;
    uint32_t counter_count;
    const struct sigma_test *tests;
    size_t test_count;
};

struct sigma_list {
    uint16_t *rules;
    uint32_t count;
};

/* Numbers of items, by which most rules about objects can be told apart. */
enum { SPAN_START, SPAN_NUMBER, SPAN_VALUE, SPANS };
struct sigma_span {
    double least, most;
};

/* What is left to ask of a rule when protocol and operation are known, by what the answers depend
 * on; all must be true. NULL: nothing. */
struct sigma_parts {
    const struct sigma_node *of_ends;  /* the two ends and who of them sends */
    const struct sigma_node *of_kind;  /* direction, function, name and outcome of the message */
    const struct sigma_node *of_texts; /* these, its unit and its code */
    const struct sigma_node *rest;     /* anything */
    uint64_t hosts;      /* of_ends is false without an end there: 1 << sigma_host() */
    uint32_t unit_sizes; /* of_texts is false with a unit of another size: 1 << sigma_unit() */
    struct sigma_span spans[SPANS]; /* rest is false when no item has a number within */
    uint8_t spanned;                /* 1 << SPAN_*: those that have a bound */
    uint8_t needs;                  /* enum sigma_need: rest is false without these */
    /* rest is false without an item whose name begins with one of these, ends with one of these:
     * 1 << sigma_letter(), sigma_ending() */
    uint32_t firsts, lasts;
};
enum { SIGMA_LETTERS = 32 };
/* The same in both cases. */
static inline unsigned sigma_letter(char c)
{
    return (unsigned)c % SIGMA_LETTERS;
}
/* The last two letters of a text that is not empty. */
static inline unsigned sigma_ending(const char *text, size_t size)
{
    unsigned before = size > 1 ? sigma_letter(text[size - 2]) * 5 : 0;
    return (before + sigma_letter(text[size - 1])) % SIGMA_LETTERS;
}

/* Addresses in 64 kinds, by what differs most: the last byte of both sorts. */
static inline unsigned sigma_host(const struct address *a)
{
    return (a->bytes[3] ^ a->bytes[15]) % 64U;
}
/* Units by their size. */
enum { SIGMA_UNITS = 32 };
static inline unsigned sigma_unit(size_t size)
{
    return size < SIGMA_UNITS ? (unsigned)size : SIGMA_UNITS - 1;
}

/* What most events do not have. */
enum sigma_need {
    NEED_DETAIL = 1,
    NEED_FLAGS = 2,
    NEED_TRANSFER = 4,
    NEED_FACTS = 8,
    NEEDS_OF_EVENT = 16,
    NEED_ITEM_NAME = 16,
    NEED_VALUES = 32,
};
struct sigma_step {
    const struct sigma_rule *rule;
    struct sigma_parts parts;
};

/* What the items of an event have: 1 << SPAN_*: a number that is not far, and whether any value. */
enum { NEAR_VALUES = 1 << SPANS, NEAR_STATES = 2 * NEAR_VALUES };

/* What the steps of a program could want, put together: for the few events that have some of it. */
struct sigma_wants {
    struct sigma_step *steps;
    uint64_t all, of_kind, of_numbers; /* of_numbers: that have a bound */
    uint64_t kind_fields;            /* 1 << enum sigma_field: what of_kind and of_texts ask for */
    uint64_t with[NEEDS_OF_EVENT];   /* those that are content with these needs of an event */
    uint64_t left_near[NEAR_STATES]; /* those that may be true by which numbers are in a hull */
    uint64_t least[SPANS], range[SPANS]; /* no whole number outside makes any of them true */
    struct sigma_span hulls[SPANS];      /* no number outside makes any of them true */
    uint64_t valued, spanning[SPANS];
    uint64_t named_first[SIGMA_LETTERS], named_last[SIGMA_LETTERS]; /* content with such a name */
};

/* Up to 64 steps of a protocol and operation; in a set of them each has a bit. Here is what every
 * event touches, so that most are done with few questions: two lines of the cache. All programs lie
 * together. */
enum { PROGRAM_STEPS = 64 };
struct sigma_program {
    struct sigma_program *next; /* NULL: no more */
    uint64_t of_ends;
    uint64_t of_hosts, hosts; /* false without an end at one of these: 1 << sigma_host() */
    uint64_t of_texts;
    uint64_t of_units;   /* false with a unit of another size: 1 << sigma_unit() */
    uint64_t needing;    /* some of NEEDS_OF_EVENT */
    uint64_t of_items;   /* that need names, values or numbers of items */
    uint64_t named;      /* of them those that need a name */
    uint64_t lowest;     /* no start or number below makes any of them true */
    uint64_t far[2];     /* that may be true without a name and numbers in a hull; with values */
    uint64_t number;     /* of the program, spread over all bits */
    uint32_t unit_sizes; /* of of_units */
    uint32_t encodings;  /* 1 << enum ot_encoding: whose values may be in a hull */
    uint32_t senders;    /* 1: of_ends asks for the sender or the receiver */
    uint32_t count;
    struct sigma_wants *wants;
} __attribute__((aligned(64)));

/* The rules that an event of a protocol and operation can match. */
struct sigma_bucket {
    const char *protocol; /* NULL in the first one: protocols that no rule names */
    struct sigma_list lists[OPERATION_COUNT];        /* for samples: all of the rule is asked */
    struct sigma_program *programs[OPERATION_COUNT]; /* for events; NULL: no rule can match */
};

enum { BUCKETS_MAX = 256, BUCKET_SLOTS = 1024 };

struct sigma_rules {
    struct block *blocks; /* all memory of the rules */
    pcre2_compile_context *re_context;
    struct sigma_rule **rules;
    size_t count;
    struct sigma_bucket *buckets;
    size_t bucket_count;
    uint64_t program_count;
    struct sigma_program *programs; /* that were not given out yet */
    size_t programs_left;
    uint16_t slots[BUCKET_SLOTS]; /* by hash of the protocol: bucket, 0: none */
    struct sigma_list flows, findings;
    bool is_sealed;
};

/* Zeroed memory that lives as long as the rules; NULL when there is none. */
void *sigma_keep(struct sigma_rules *rules, size_t size);
char *sigma_keep_text(struct sigma_rules *rules, struct text text);

/* A compiled pattern is freed with the rules. */
bool sigma_keep_re(struct sigma_rules *rules, pcre2_code *re);

/* Parses a condition over the named search identifiers. NULL with *err (without a place). */
struct sigma_search {
    struct text name;
    struct sigma_node *node;
};
struct sigma_node *sigma_condition(struct sigma_rules *rules, const struct sigma_search *searches,
                                   size_t count, struct text condition, struct error *err);
struct sigma_node *sigma_node_group(struct sigma_rules *rules, enum node_kind kind,
                                    struct sigma_node *const *children, size_t count);

bool sigma_index(struct sigma_rules *rules, struct error *err) NODISCARD;

/* The forms that a rule takes once protocol and operation are known. Few are different: they are
 * made once and shared. Zeroed at first; used for one rule. */
enum { FORMS_MAX = 16 };
struct sigma_form {
    uint64_t answers;
    bool is_never; /* the rule cannot match */
    struct sigma_parts parts;
};
struct sigma_forms {
    size_t count;
    struct sigma_form at[FORMS_MAX];
    struct sigma_form whole; /* of a rule with too many forms: nothing is answered */
};
/* What is left of the rule's root for events of this protocol (NULL: not known) and operation;
 * NULL when there is no memory. */
const struct sigma_form *sigma_form(struct sigma_rules *rules, const struct sigma_node *root,
                                    const char *protocol, enum operation operation,
                                    struct sigma_forms *forms);
/* 1 << the fields below FIELD_ITEM_OPERATION that the tests of a condition ask for. */
uint64_t sigma_fields_of(const struct sigma_node *node);
/* sigma_split.c: takes the root of a rule apart. False when there is no memory. */
bool sigma_split(struct sigma_rules *rules, const struct sigma_node *root,
                 struct sigma_parts *parts);
bool sigma_correlations_resolve(struct sigma_rules *rules, struct error *err) NODISCARD;

/* Printed addresses that were asked for last. */
enum { RECENT_ADDRESSES = 64 };
struct sigma_recent_address {
    struct address address;
    uint32_t size; /* 0: none */
    char text[64];
};

/* The steps that a kind of message leaves, with all that it depends on: a line of the cache. There
 * are few kinds, and all conversations share them. */
enum { MESSAGE_BITS = 12 }; /* of places for two */
struct sigma_message {
    const void *owner; /* the protocol's name, or of further programs the program; NULL: unused */
    const char *name, *status_name;      /* static */
    uint64_t function;                   /* and the code of the outcome */
    uint64_t shape;                      /* operation, direction, outcome, what the event has */
    const struct sigma_program *program; /* NULL: no rule wants it */
    uint64_t steps;
} __attribute__((aligned(64)));

/* Steps whose questions about the ends, or about all of a message, are true: answered once for a
 * conversation or a kind of message, not again for each event. */
enum { ENDS_BITS = 15, TEXTS_BITS = 10 };
struct sigma_memo {
    uint64_t key; /* a hash of the program and all that it asked; 0: unused */
    uint64_t steps;
};

struct sigma {
    const struct sigma_rules *rules;
    struct sigma_sink sink;
    struct sigma_recent_address addresses[RECENT_ADDRESSES];
    struct sigma_message messages[2 << MESSAGE_BITS];
    struct sigma_memo ends[1 << ENDS_BITS], texts[1 << TEXTS_BITS];
    struct told *told;
    pcre2_match_data *match;
    pcre2_match_context *match_context;
};

bool sigma_rule_matches(struct sigma *s, const struct sigma_rule *rule, struct sigma_record *r);
bool sigma_node_judge(struct sigma *s, struct sigma_record *r, const struct sigma_node *node);
void sigma_rule_matched(struct sigma *s, const struct sigma_rule *rule, struct sigma_record *r,
                        uint64_t times);
/* sigma_steps.c: one more step behind the others. False when there is no memory. */
bool sigma_program_add(struct sigma_rules *rules, struct sigma_program **first,
                       const struct sigma_rule *rule, const struct sigma_parts *parts);
/* sigma_items.c: those of the steps that the items of the event leave. */
uint64_t sigma_left_by_items(const struct sigma_program *program, const struct ot_event *e,
                             uint64_t left);
/* What values of the type can be; least is not below most: unknown. */
struct sigma_span sigma_type_span(enum ot_encoding encoding);
/* sigma_eval.c: where the rules for events of this protocol are. */
const struct sigma_bucket *sigma_bucket(const struct sigma_rules *rules, struct text protocol);
/* Every rule that the record may match, through the index. */
void sigma_record_judge(struct sigma *s, struct sigma_record *r, uint64_t times);

/* Tells the causes of one rule from those of another. */
uint64_t sigma_rule_key(const struct sigma_rule *rule);
/* Findings of one cause: the first are told at once, then at doubling counts. */
struct told *told_create(void);
void told_destroy(struct told *t);
void told_match(struct told *t, const struct sigma_rule *rule, struct sigma_record *r,
                uint64_t times, const struct sigma_sink *sink);
void told_tick(struct told *t, int64_t now_ns, bool is_last, const struct sigma_sink *sink);
/* What the rule says of itself in its findings. */
void sigma_finding_of_rule(struct finding *f, const struct sigma_rule *rule);

/* --- reading, sigma_yaml.c and its helpers --- */

struct sigma_file {
    struct sigma_rules *rules;
    yaml_document_t *document;
    const char *name; /* kept */
    struct error *err;
    unsigned where; /* the kinds of record that have all fields which the rule has named so far */
    uint64_t fingerprint; /* of this document */
    size_t nodes;         /* looked at so far in this document: aliases can repeat them */
};

bool sigma_fail(struct sigma_file *f, const yaml_node_t *node, const char *key, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
/* Counts nodes; NULL when there are too many (an error was set). */
const yaml_node_t *sigma_yaml_node(struct sigma_file *f, int index, const char *key);
struct text sigma_yaml_text(const yaml_node_t *node);
bool sigma_yaml_is_quoted(const yaml_node_t *node);
bool sigma_yaml_is_null(const yaml_node_t *node);
/* "90m" as nanoseconds. */
bool sigma_timespan(int64_t *ns, struct text text);

struct sigma_node *sigma_read_search(struct sigma_file *f, const yaml_node_t *node,
                                     const char *name);
bool sigma_read_correlation(struct sigma_file *f, const yaml_node_t *node, struct sigma_rule *rule);
bool sigma_read_tests(struct sigma_file *f, const yaml_node_t *node, struct sigma_rule *rule);
