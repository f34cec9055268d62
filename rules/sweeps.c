/* sweeps.c: counts per pair of hosts and protocol over a sliding start of short windows. */
#include "rules/sweeps.h"

#include "rules/logins.h"
#include "rules/slots.h"
#include "sensor/base/fetch.h"
#include "sensor/base/hash.h"
#include "sensor/base/pages.h"

#include <stdlib.h>
#include <string.h>

enum {
    BITS = 256, /* of a set of hashed units or functions: 48 of them collide in about 4 bits */
    RECENT_SETS = 1024,        /* of flows: 64 KB */
    RECENT_WAYS = 2,           /* protocols of a flow, one inside the other, or two flows */
    UNITS_MIN = 6,             /* a gateway's master that lost a few slaves still asks fewer */
    UNITS_SILENT_MIN = 24,     /* when nothing at all answers, the mirror may be one-sided */
    UNITS_THERE_MIN = 24,      /* of those that all answer */
    UNITS_SLOW_MIN = 12,       /* within an hour, as addresses that are not there */
    FUNCTIONS_REFUSED_MIN = 5, /* four read functions on one wrong address are no scan */
    FUNCTIONS_MODBUS_MIN = 10, /* an HMI uses up to six of Modbus's functions */
    ERRORS_MIN = 10,           /* in a window */
    ERRORS_GROWTH = 4,         /* times the worst window so far */
    REFUSALS_MIN = 3,          /* one mistyped password, and one more */
    KNOWN_REQUESTS_MIN = 100,  /* before that a conversation shows its habits */
    UNKNOWN_CODES = 16,
    UNANSWERED_MIN = 10,   /* requests in a row, and for as long as UNANSWERED_NS */
    ANSWERED_MIN = 20,     /* requests that show that this device answers */
    ANSWERED_PERCENT = 90, /* pushed data is not answered, and often looks like requests */
    SILENT = 64,           /* pairs of hosts whose silence was told lately */
    WALK_MIN = 64, /* reads in a row: a client that fetches a whole area in pieces needs fewer */
};

static const int64_t SWEEP_WINDOW_NS = 60 * INT64_C(1000000000);
static const int64_t SLOW_WINDOW_NS = 3600 * INT64_C(1000000000);
/* Requests sent at once to all slaves of a gateway are all unanswered for a moment. */
static const int64_t PATIENCE_NS = 2 * INT64_C(1000000000);
static const int64_t ERROR_WINDOW_NS = 10 * INT64_C(1000000000);
static const int64_t REFUSAL_WINDOW_NS = 300 * INT64_C(1000000000);
static const int64_t UNANSWERED_NS = 10 * INT64_C(1000000000);
static const int64_t SILENCE_NS = 60 * INT64_C(1000000000); /* in which all protocols notice it */
/* A conversation that was there when the run began may have had its errors for years. */
static const int64_t HABIT_NS = 30 * INT64_C(1000000000);

struct bits {
    uint64_t words[BITS / 64];
    uint32_t count;
};

struct pair {
    struct slot slot;
    /* what every message touches comes first: two cache lines */
    int64_t sweep_start_ns, error_start_ns;
    uint64_t last_request; /* unit and function: a repetition changes nothing */
    uint64_t last_answer;  /* unit that answered last in this window */
    int64_t answered_ns;
    uint32_t asked, answered, unanswered; /* unanswered: since the last answer */
    uint32_t requests;                    /* all, saturating */
    uint32_t replies, errors, errors_worst;
    unsigned told;
    /* reads of neighbours */
    uint64_t walk_start, walk_next;
    uint32_t walk, walk_function;
    bool is_unanswered_told;
    bool is_habit;  /* the first window of errors only learns */
    bool is_office; /* refusals are everyday answers */
    int64_t first_ns;
    /* sweeps: one window */
    int64_t second_unit_ns; /* when it asked for more than one */
    struct bits units, units_answered, units_refused, functions, functions_refused;
    /* slow sweeps: a longer one */
    int64_t slow_start_ns;
    struct bits slow_units, slow_answered;
    bool is_slow_told;
    /* refused passwords */
    int64_t refusal_start_ns;
    uint32_t refusals;
    /* unknown functions that this pair has used */
    uint32_t unknown_codes[UNKNOWN_CODES];
    uint32_t unknown_count;
};

/* Finds the pair of a flow again without hashing: a set is a cache line. */
struct recent {
    uint64_t flow_id;
    const char *protocol;
    struct pair *pair;
    uint64_t key;
};

struct sweeps {
    struct slots pairs;
    struct recent (*recent)[RECENT_WAYS];
    int64_t start_ns; /* of the run */
    struct silent {
        uint64_t hosts; /* 0: none */
        int64_t told_ns;
    } silent[SILENT];
};

struct sweeps *sweeps_create(size_t pairs_max)
{
    struct sweeps *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->recent = pages_take(RECENT_SETS * sizeof *s->recent);
    if (!s->recent || !slots_create(&s->pairs, pairs_max, sizeof(struct pair))) {
        sweeps_destroy(s);
        return NULL;
    }
    return s;
}

void sweeps_destroy(struct sweeps *s)
{
    if (!s)
        return;
    slots_destroy(&s->pairs);
    pages_give(s->recent, RECENT_SETS * sizeof *s->recent);
    free(s);
}

static bool bits_set(struct bits *b, uint64_t hash)
{
    uint64_t *word = &b->words[hash / 64 % (BITS / 64)];
    uint64_t bit = UINT64_C(1) << (hash % 64);
    if (*word & bit)
        return false;
    *word |= bit;
    b->count++;
    return true;
}

static uint64_t pair_key(const struct ot_flow *flow, const char *protocol)
{
    uint8_t bytes[2 * (sizeof(struct address) + sizeof(struct mac)) + sizeof(uint32_t) + 8] = {0};
    uint8_t *at = bytes;
    const struct endpoint *const ends[] = {&flow->client, &flow->server};
    for (size_t i = 0; i < 2; i++) {
        memcpy(at, &ends[i]->ip, sizeof ends[i]->ip);
        at += sizeof ends[i]->ip;
        if (ends[i]->ip.kind == ADDRESS_NONE)
            memcpy(at, &ends[i]->mac, sizeof ends[i]->mac);
        at += sizeof ends[i]->mac;
    }
    memcpy(at, &flow->segment, sizeof flow->segment);
    at += sizeof flow->segment;
    for (size_t i = 0; i < 8 && protocol[i]; i++)
        at[i] = (uint8_t)protocol[i];
    return hash_bytes(bytes, sizeof bytes) | 1;
}

/* Protocols of computers, in which trial and error is how programs look for things. */
static bool is_office(const char *protocol)
{
    static const char *const names[] = {"smb2", "smb", "dcerpc", "dns", "mdns", "llmnr", "nbns"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(protocol, names[i]) == 0)
            return true;
    return false;
}

static struct recent *recent_of(const struct sweeps *s, const struct ot_flow *flow)
{
    return s->recent[flow->id % RECENT_SETS];
}

/* The place of a flow and protocol, or the one that it shall take: that of another protocol of the
 * same flow stays, for protocols inside each other take turns. */
static struct recent *recent_at(const struct sweeps *s, const struct ot_event *e)
{
    struct recent *ways = recent_of(s, e->flow);
    for (int i = 0; i < RECENT_WAYS; i++)
        if (ways[i].flow_id == e->flow->id && ways[i].protocol == e->protocol)
            return &ways[i];
    size_t way = e->flow->id / RECENT_SETS % RECENT_WAYS;
    return &ways[ways[way].flow_id == e->flow->id ? !way : way];
}

static struct pair *pair_of(struct sweeps *s, const struct ot_event *e)
{
    if (s->start_ns == 0)
        s->start_ns = e->time_ns;
    struct recent *recent = recent_at(s, e);
    if (recent->flow_id == e->flow->id && recent->protocol == e->protocol && recent->pair &&
        recent->pair->slot.key == recent->key) {
        recent->pair->slot.used_ns = e->time_ns;
        return recent->pair;
    }
    bool is_new;
    uint64_t key = pair_key(e->flow, e->protocol);
    struct pair *pair = slots_take(&s->pairs, key, e->time_ns, &is_new);
    if (is_new) {
        pair->first_ns = pair->sweep_start_ns = pair->error_start_ns = e->time_ns;
        pair->slow_start_ns = e->time_ns;
        pair->is_habit = !e->flow->is_start_seen && e->time_ns - s->start_ns < HABIT_NS;
        pair->is_office = is_office(e->protocol);
    }
    *recent = (struct recent){e->flow->id, e->protocol, pair, key};
    return pair;
}

static uint64_t unit_hash(struct text unit)
{
    return hash_short(unit.at, unit.size);
}

static void sweep_window(struct pair *pair, int64_t now)
{
    if (now - pair->sweep_start_ns < SWEEP_WINDOW_NS && now >= pair->sweep_start_ns)
        return;
    pair->sweep_start_ns = now;
    memset(&pair->units, 0, sizeof pair->units);
    memset(&pair->units_answered, 0, sizeof pair->units_answered);
    memset(&pair->units_refused, 0, sizeof pair->units_refused);
    memset(&pair->functions, 0, sizeof pair->functions);
    memset(&pair->functions_refused, 0, sizeof pair->functions_refused);
    pair->last_request = pair->last_answer = 0;
    pair->told = 0;
    if (now - pair->slow_start_ns < SLOW_WINDOW_NS && now >= pair->slow_start_ns)
        return;
    pair->slow_start_ns = now;
    pair->is_slow_told = false;
    memset(&pair->slow_units, 0, sizeof pair->slow_units);
    memset(&pair->slow_answered, 0, sizeof pair->slow_answered);
}

static bool is_modbus(const struct ot_event *e)
{
    return ot_event_is(e, "modbus");
}

static void units_judge(struct pair *pair, int64_t now, struct sweep_report *report)
{
    uint32_t asked = pair->units.count, answered = pair->units_answered.count;
    if (asked >= UNITS_THERE_MIN && !(pair->told & (SWEEP_UNITS_THERE | SWEEP_UNITS))) {
        pair->told |= SWEEP_UNITS_THERE;
        report->found |= SWEEP_UNITS_THERE;
    }
    if (pair->told & SWEEP_UNITS || asked < UNITS_MIN || answered * 4 > asked)
        return;
    if (pair->units_refused.count < UNITS_MIN && now - pair->second_unit_ns < PATIENCE_NS)
        return;
    bool has_answers = pair->replies || answered;
    if (!has_answers && asked < UNITS_SILENT_MIN)
        return;
    pair->told |= SWEEP_UNITS;
    report->found |= SWEEP_UNITS;
}

/* One sub-address after the other, however slowly. Where none of them answers the mirror may be
 * one-sided: then it is only told of who is new here. */
static void slow_judge(struct pair *pair, int64_t now, struct sweep_report *report)
{
    uint32_t asked = pair->slow_units.count, answered = pair->slow_answered.count;
    if (pair->is_slow_told || asked < UNITS_SLOW_MIN || answered * 4 > asked ||
        now - pair->second_unit_ns < PATIENCE_NS)
        return;
    pair->is_slow_told = true;
    pair->told |= SWEEP_UNITS_THERE;
    report->found |= SWEEP_UNITS_SLOW | (answered ? SWEEP_UNITS : SWEEP_UNITS_THERE);
}

static void functions_judge(struct pair *pair, const struct ot_event *e,
                            struct sweep_report *report)
{
    if (pair->told & SWEEP_FUNCTIONS)
        return;
    if (pair->functions_refused.count < FUNCTIONS_REFUSED_MIN &&
        !(pair->functions.count >= FUNCTIONS_MODBUS_MIN && is_modbus(e)))
        return;
    pair->told |= SWEEP_FUNCTIONS;
    report->found |= SWEEP_FUNCTIONS;
}

/* Told once a walk, when it has become long. */
static void walk_count(struct pair *pair, const struct ot_event *e, struct sweep_report *report)
{
    const struct ot_item *item = &e->items[0];
    bool goes_on = pair->walk_function == e->function && item->start == pair->walk_next;
    if (!goes_on && item->start + 1 == pair->walk_next && pair->walk_function == e->function)
        return; /* asked again */
    if (!goes_on) {
        pair->walk = 0;
        pair->walk_start = item->start;
        pair->walk_function = e->function;
    }
    pair->walk_next = item->start + (item->count ? item->count : 1);
    if (++pair->walk == WALK_MIN)
        report->found |= SWEEP_ADDRESSES;
}

/* Who is silent is so in every protocol, also in those inside each other: told once. */
static bool is_silence_told(struct sweeps *s, const struct ot_event *e)
{
    uint64_t hosts = pair_key(e->flow, "");
    struct silent *silent = &s->silent[hosts % SILENT];
    bool is_told = silent->hosts == hosts && e->time_ns - silent->told_ns < SILENCE_NS;
    *silent = (struct silent){hosts, is_told ? silent->told_ns : e->time_ns};
    return is_told;
}

/* Requests that a device always answered stay without an answer. */
static void unanswered_count(struct sweeps *s, struct pair *pair, const struct ot_event *e,
                             struct sweep_report *report)
{
    if (e->flags & (OT_BROADCAST | OT_UNSOLICITED | OT_RETRANSMIT) || pair->asked == UINT32_MAX)
        return;
    uint32_t before = pair->asked - pair->unanswered;
    pair->asked++;
    pair->unanswered++;
    if (pair->is_unanswered_told || pair->unanswered < UNANSWERED_MIN || before < ANSWERED_MIN ||
        (uint64_t)pair->answered * 100 < (uint64_t)before * ANSWERED_PERCENT ||
        e->time_ns - pair->answered_ns < UNANSWERED_NS || e->flow->has_gap)
        return;
    pair->is_unanswered_told = true;
    if (!is_silence_told(s, e))
        report->found |= SWEEP_UNANSWERED;
}

static void request_count(struct sweeps *s, struct pair *pair, const struct ot_event *e,
                          struct sweep_report *report)
{
    if (pair->requests < UINT32_MAX)
        pair->requests++;
    unanswered_count(s, pair, e, report);
    if (e->operation == OP_READ && e->item_count == 1 && e->items[0].has_start)
        walk_count(pair, e, report);
    uint64_t unit = unit_hash(e->unit);
    uint64_t request = hash_mix(unit, e->function) | 1;
    if (request == pair->last_request)
        return;
    pair->last_request = request;
    /* what is pushed tells the unit of its sender */
    if (!(e->flags & OT_UNSOLICITED) && bits_set(&pair->units, unit)) {
        if (pair->units.count == 2)
            pair->second_unit_ns = e->time_ns;
        units_judge(pair, e->time_ns, report);
        if (bits_set(&pair->slow_units, unit) && !report->found)
            slow_judge(pair, e->time_ns, report);
    }
    if (bits_set(&pair->functions, hash_mix(e->function, 0)))
        functions_judge(pair, e, report);
}

static void error_window(struct pair *pair, int64_t now)
{
    if (now - pair->error_start_ns < ERROR_WINDOW_NS && now >= pair->error_start_ns)
        return;
    if (pair->errors > pair->errors_worst)
        pair->errors_worst = pair->errors;
    pair->error_start_ns = now;
    pair->errors = pair->replies = 0;
    pair->is_habit = false;
    pair->told &= ~(unsigned)SWEEP_EXCEPTIONS;
}

static void errors_judge(struct pair *pair, struct sweep_report *report)
{
    if (pair->is_habit || pair->told & SWEEP_EXCEPTIONS || pair->errors < ERRORS_MIN ||
        pair->errors < ERRORS_GROWTH * pair->errors_worst)
        return;
    pair->told |= SWEEP_EXCEPTIONS;
    report->found |= SWEEP_EXCEPTIONS;
}

/* Native codes of refused passwords and privileges. */
static const struct refusal {
    const char *protocol;
    uint32_t code;
} refusals[] = {
    {"s7comm", 0xd602}, /* PROTOCOLS 6: wrong password */
    {"s7comm", 0xd605}, /* no password set */
    {"s7comm", 0x0119}, /* wrong password */
    {"s7comm", 0xd0a1}, /* protection level */
    {"s7comm", 0xd241}, /* protection level of the function */
    {"cip",    0x0f  }, /* PROTOCOLS 8.2: privilege violation */
    {"pccc",   0x60  }, /* PROTOCOLS 8.4: function disallowed by protection */
    {"bacnet", 26    }, /* PROTOCOLS 14: password failure */
};

bool sweeps_is_refusal(const struct ot_event *e)
{
    if (e->status.result != OT_RESULT_ERROR)
        return false;
    if (e->operation == OP_AUTH)
        return true;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].code == e->status.code && strcmp(refusals[i].protocol, e->protocol) == 0)
            return true;
    return false;
}

static void refusal_count(struct pair *pair, const struct ot_event *e, struct sweep_report *report)
{
    if (!sweeps_is_refusal(e) || logins_is_protocol(e->protocol))
        return;
    if (e->time_ns - pair->refusal_start_ns > REFUSAL_WINDOW_NS ||
        e->time_ns < pair->refusal_start_ns) {
        pair->refusal_start_ns = e->time_ns;
        pair->refusals = 0;
    }
    pair->refusals++;
    if (pair->refusals >= REFUSALS_MIN)
        report->found |= SWEEP_PASSWORDS;
}

/* An unknown function that the device obeyed: new when the pair has shown its habits without it. */
static void unknown_count(struct pair *pair, const struct ot_event *e, struct sweep_report *report)
{
    if (e->operation != OP_UNKNOWN || e->name || e->flags & (OT_NO_REQUEST | OT_ENCRYPTED))
        return;
    for (uint32_t i = 0; i < pair->unknown_count; i++)
        if (pair->unknown_codes[i] == e->function)
            return;
    if (pair->unknown_count < UNKNOWN_CODES)
        pair->unknown_codes[pair->unknown_count++] = e->function;
    if (pair->requests >= KNOWN_REQUESTS_MIN && e->time_ns - pair->first_ns > HABIT_NS)
        report->found |= SWEEP_UNDOCUMENTED;
}

static void response_count(struct pair *pair, const struct ot_event *e, struct sweep_report *report)
{
    error_window(pair, e->time_ns);
    pair->replies++;
    pair->answered += pair->answered < pair->asked;
    pair->unanswered = 0;
    pair->answered_ns = e->time_ns;
    pair->is_unanswered_told = false;
    if (e->status.result != OT_RESULT_ERROR) {
        uint64_t unit = unit_hash(e->unit);
        if ((unit | 1) != pair->last_answer && bits_set(&pair->units_answered, unit))
            bits_set(&pair->slow_answered, unit);
        pair->last_answer = unit | 1;
        if (e->operation == OP_UNKNOWN)
            unknown_count(pair, e, report);
        return;
    }
    pair->errors++;
    errors_judge(pair, report);
    if (bits_set(&pair->units_refused, unit_hash(e->unit)))
        units_judge(pair, e->time_ns, report);
    if (bits_set(&pair->functions_refused, hash_mix(e->function, 0)))
        functions_judge(pair, e, report);
    refusal_count(pair, e, report);
}

uint32_t sweeps_requests(struct sweeps *s, const struct ot_event *e)
{
    return pair_of(s, e)->requests;
}

void sweeps_look(const struct sweeps *s, const struct ot_flow *flow)
{
    fetch(recent_of(s, flow));
}

void sweeps_look_on(const struct sweeps *s, const struct ot_flow *flow)
{
    enum { CACHE_LINE = 64 };
    const struct recent *ways = recent_of(s, flow);
    for (int i = 0; i < RECENT_WAYS; i++) {
        if (ways[i].flow_id != flow->id || !ways[i].pair)
            continue;
        fetch(ways[i].pair);
        fetch((const uint8_t *)ways[i].pair + CACHE_LINE);
    }
}

void sweeps_event(struct sweeps *s, const struct ot_event *e, struct sweep_report *report)
{
    report->found = 0;
    if (e->direction == OT_ONEWAY)
        return;
    struct pair *pair = pair_of(s, e);
    if (pair->is_office)
        return;
    sweep_window(pair, e->time_ns);
    if (e->direction == OT_REQUEST)
        request_count(s, pair, e, report);
    else
        response_count(pair, e, report);
    if (!report->found)
        return;
    bool is_slow = report->found & SWEEP_UNITS_SLOW;
    report->units = is_slow ? pair->slow_units.count : pair->units.count;
    report->units_answered = is_slow ? pair->slow_answered.count : pair->units_answered.count;
    report->functions = pair->functions.count;
    report->functions_refused = pair->functions_refused.count;
    report->errors = pair->errors;
    report->replies = pair->replies;
    report->refusals = pair->refusals;
    report->walk_start = pair->walk_start;
    report->walk = pair->walk;
    report->unanswered = pair->unanswered;
}
