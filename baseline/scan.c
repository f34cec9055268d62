/* scan.c: counts distinct targets per source in a fast and a slow window.
 *
 * What makes a scan is what nobody answered: a historian that opens forty connections to devices
 * that are there is none. A try counts as unanswered when it was refused, or got nothing within
 * ANSWER_NS. */
#include "scan.h"

#include "sensor/base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 64,
    BUCKET_SIZE = 8,
    SOURCES = BUCKETS * BUCKET_SIZE,
    NAMED = 4,              /* targets in a sentence */
    TRIES_MAX = 96,         /* per source and kind; "at least" beyond */
    EPHEMERAL_PORT = 32768, /* Linux's first; IANA's is 49152 (RFC 6335) */
};

static const int64_t SECOND = 1000000000;
static const int64_t ANSWER_NS = 1000000000; /* a LAN answers in milliseconds; one TCP retry */
static const int64_t SLOW_NS = 3600 * 1000000000ll;
static const int64_t REPEAT_NS = 300 * 1000000000ll; /* a scan that goes on is told again */
static const int64_t GROWN_NS = 3 * 1000000000ll;    /* sooner when it has grown since */

/* How many distinct targets are a scan. fast and slow count unanswered ones; any counts all of the
 * fast window. Devices that are off are asked for again and again by those who need them; closed
 * ports of one device are not, so that their window is the longer. */
static const struct limit {
    enum detection detection;
    uint16_t fast, slow, any, fast_min;
    const char *many, *window; /* in a sentence */
} limits[SCAN_KIND_COUNT] = {
    [SCAN_HOSTS] = {DETECTION_RECON_HOST_SCAN, 8,  12, 48, 1, "addresses", "a minute"    },
    [SCAN_PORTS] = {DETECTION_RECON_PORT_SCAN, 8,  20, 40, 5, "ports",     "five minutes"},
    [SCAN_ARP] = {DETECTION_RECON_ARP_SCAN,  10, 32, 48, 1, "addresses", "a minute"    },
};

struct
try {
    uint64_t target; /* hash of the address tried */
    int64_t first_ns, last_ns;
    uint16_t port;
    uint8_t transport;
    bool is_answered;
};

struct tries {
    struct try list[TRIES_MAX];
    uint16_t count;
    bool is_dirty;
    int64_t told_ns; /* 0: nothing told yet */
    uint16_t told_count;
    size_t told_targets;
    struct endpoint told_target;
    bool told_one_target;
};

struct source {
    bool is_used;
    uint32_t segment;
    struct endpoint who;
    int64_t last_ns;
    struct endpoint last_target[SCAN_KIND_COUNT];
    struct address named[NAMED]; /* of those that were tried, the last ones that differ */
    uint8_t named_next;
    uint64_t packet_number;
    uint32_t source_index;
    struct tries tries[SCAN_KIND_COUNT];
};

struct scans {
    struct scan_options options;
    const struct finding_sink *sink;
    uint64_t evicted;
    struct source *sources;       /* SOURCES */
    uint64_t dirty[SOURCES / 64]; /* a bit for each of them with tries to judge */
};

struct scans *scans_create(const struct scan_options *options, const struct finding_sink *sink)
{
    struct scans *scans = calloc(1, sizeof *scans);
    if (!scans)
        return NULL;
    scans->options = *options;
    scans->sink = sink;
    scans->sources = calloc(SOURCES, sizeof *scans->sources);
    if (!scans->sources) {
        free(scans);
        return NULL;
    }
    return scans;
}

void scans_destroy(struct scans *scans)
{
    if (!scans)
        return;
    free(scans->sources);
    free(scans);
}

uint64_t scans_evicted(const struct scans *scans)
{
    return scans->evicted;
}

static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
    if (a->ip.kind != ADDRESS_NONE || b->ip.kind != ADDRESS_NONE)
        return address_equal(&a->ip, &b->ip);
    return mac_equal(&a->mac, &b->mac);
}

static uint64_t host_hash(const struct endpoint *host)
{
    return host->ip.kind != ADDRESS_NONE ? hash_bytes(&host->ip, sizeof host->ip)
                                         : hash_bytes(&host->mac, sizeof host->mac);
}

/* The source's place; with is_new a place is made, at the cost of the bucket's most idle one. */
static struct source *source_of(struct scans *scans, uint32_t segment, const struct endpoint *who,
                                bool is_new)
{
    uint64_t hash = hash_mix(host_hash(who), segment);
    struct source *bucket = &scans->sources[(hash % BUCKETS) * BUCKET_SIZE];
    struct source *victim = bucket;
    for (size_t i = 0; i < BUCKET_SIZE; i++) {
        struct source *s = &bucket[i];
        if (s->is_used && s->segment == segment && is_same_host(&s->who, who))
            return s;
        if (victim->is_used && (!s->is_used || s->last_ns < victim->last_ns))
            victim = s;
    }
    if (!is_new)
        return NULL;
    if (victim->is_used)
        scans->evicted++;
    memset(victim, 0, sizeof *victim);
    victim->is_used = true;
    victim->segment = segment;
    victim->who = *who;
    victim->who.port = 0;
    return victim;
}

static void tries_add(struct tries *tries, uint64_t target, uint16_t port, uint8_t transport,
                      int64_t time_ns)
{
    struct try *oldest = &tries->list[0];
    for (size_t i = 0; i < tries->count; i++) {
        struct try *t = &tries->list[i];
        if (t->target == target && t->port == port && t->transport == transport) {
            t->last_ns = time_ns;
            return;
        }
        if (t->last_ns < oldest->last_ns)
            oldest = t;
    }
    struct try *t = tries->count < TRIES_MAX ? &tries->list[tries->count++] : oldest;
    *t = (struct try){target, time_ns, time_ns, port, transport, false};
    tries->is_dirty = true;
}

/* A scan is told with some of those that it goes to. */
static void remember_target(struct source *source, const struct address *ip)
{
    for (size_t i = 0; i < NAMED; i++)
        if (address_equal(&source->named[i], ip))
            return;
    source->named[source->named_next++ % NAMED] = *ip;
}

static void source_tries(struct scans *scans, const struct sighting *s, enum scan_kind kind)
{
    struct source *source = source_of(scans, s->segment, &s->who, true);
    remember_target(source, &s->other.ip);
    source->last_ns = s->time_ns;
    source->last_target[kind] = s->other;
    source->packet_number = s->packet_number;
    source->source_index = s->source_index;
    size_t place = (size_t)(source - scans->sources);
    scans->dirty[place / 64] |= UINT64_C(1) << place % 64;
    uint64_t target = host_hash(&s->other);
    tries_add(&source->tries[kind], target, 0, 0, s->time_ns);
    if (kind == SCAN_HOSTS && s->other.port != 0) {
        source->last_target[SCAN_PORTS] = s->other;
        tries_add(&source->tries[SCAN_PORTS], target, s->other.port, s->transport, s->time_ns);
    }
}

/* `who` answered `other`: its tries are no scan. */
static void source_answered(struct scans *scans, const struct sighting *s, enum scan_kind kind)
{
    struct source *source = source_of(scans, s->segment, &s->other, false);
    if (!source)
        return;
    uint64_t target = host_hash(&s->who);
    for (size_t k = 0; k < SCAN_KIND_COUNT; k++) {
        if ((k == SCAN_ARP) != (kind == SCAN_ARP))
            continue;
        for (size_t i = 0; i < source->tries[k].count; i++) {
            struct try *t = &source->tries[k].list[i];
            if (t->target == target &&
                (k != SCAN_PORTS || (t->port == s->who.port && t->transport == s->transport)))
                t->is_answered = true;
        }
    }
}

void scans_sighting(struct scans *scans, const struct sighting *s)
{
    switch (s->kind) {
    case SIGHTING_FLOW:
        /* a connection picked up in its middle is no try */
        if (s->transport == TRANSPORT_TCP && !s->is_start_seen)
            return;
        if (address_is_group(&s->other.ip) || mac_is_group(&s->other.mac) ||
            s->other.ip.kind == ADDRESS_NONE)
            return;
        source_tries(scans, s, SCAN_HOSTS);
        return;
    case SIGHTING_ANSWER:
        source_answered(scans, s, SCAN_HOSTS);
        return;
    case SIGHTING_ARP:
        if (s->detail == 1 && !address_equal(&s->who.ip, &s->other.ip) &&
            !address_is_group(&s->other.ip))
            source_tries(scans, s, SCAN_ARP);
        else if (s->detail == 2)
            source_answered(scans, s, SCAN_ARP);
        return;
    default:
        return;
    }
}

struct tally {
    uint16_t fast, slow, any; /* unanswered in the fast and slow window, all in the fast one */
    int64_t first_ns;
};

static bool is_counted(const struct try *t, const struct try *of, bool is_per_target)
{
    return !is_per_target || t->target == of->target;
}

static void tally_add(struct tally *tally, const struct try *t, const struct limit *limit,
                      int64_t now)
{
    if (now - t->last_ns > SLOW_NS)
        return;
    bool is_failed = !t->is_answered && now - t->first_ns >= ANSWER_NS;
    bool is_fast = now - t->last_ns <= limit->fast_min * 60 * SECOND;
    tally->slow = (uint16_t)(tally->slow + is_failed);
    tally->fast = (uint16_t)(tally->fast + (is_failed && is_fast));
    /* answered ephemeral ports are FTP data, RPC and the like */
    tally->any = (uint16_t)(tally->any + (is_fast && t->port < EPHEMERAL_PORT));
    if (is_failed && (tally->first_ns == 0 || t->first_ns < tally->first_ns))
        tally->first_ns = t->first_ns;
}

/* Ports are counted per target (the target with most of them decides), addresses over all. */
static struct tally tries_tally(const struct tries *tries, enum scan_kind kind, int64_t now,
                                size_t *targets)
{
    struct tally most = {0};
    *targets = 0;
    for (size_t i = 0; i < tries->count; i++) {
        const struct try *of = &tries->list[i];
        bool is_first = true;
        for (size_t j = 0; kind == SCAN_PORTS && j < i && is_first; j++)
            is_first = tries->list[j].target != of->target;
        if (!is_first || (kind != SCAN_PORTS && i > 0))
            continue;
        struct tally tally = {0};
        for (size_t j = i; j < tries->count; j++)
            if (is_counted(&tries->list[j], of, kind == SCAN_PORTS))
                tally_add(&tally, &tries->list[j], &limits[kind], now);
        *targets += tally.slow > 0;
        if (tally.slow > most.slow || (tally.slow == most.slow && tally.any > most.any))
            most = tally;
    }
    return most;
}

/* Does what it tried there look like a scan? */
static bool has_failed(const struct tries *tries, const struct address *ip, int64_t now)
{
    uint64_t target = hash_bytes(ip, sizeof *ip);
    for (size_t i = 0; i < tries->count; i++)
        if (tries->list[i].target == target && !tries->list[i].is_answered &&
            now - tries->list[i].first_ns >= ANSWER_NS)
            return true;
    return false;
}

/* "; among them 10.0.0.1, 10.0.0.2" */
static void print_named(const struct source *source, const struct tries *tries, int64_t now,
                        char *out, size_t capacity)
{
    char address[ADDRESS_TEXT_SIZE];
    bool is_first = true;
    out[0] = '\0';
    for (size_t i = 0; i < NAMED; i++) {
        const struct address *ip = &source->named[(source->named_next + i) % NAMED];
        if (ip->kind == ADDRESS_NONE || !has_failed(tries, ip, now))
            continue;
        size_t used = strlen(out);
        text_format(out + used, capacity - used, "%s%s", is_first ? "; among them " : ", ",
                    address_print(address, ip));
        is_first = false;
    }
}

static void tell(struct scans *scans, struct source *source, enum scan_kind kind,
                 const struct tally *tally, size_t targets, uint16_t habit, int64_t now)
{
    const struct limit *limit = &limits[kind];
    struct tries *tries = &source->tries[kind];
    if (tries->told_ns == 0) {
        tries->told_target = source->last_target[kind];
        tries->told_target.port = 0;
        tries->told_one_target = kind == SCAN_PORTS && targets <= 1;
    }
    tries->told_ns = source->last_ns;
    tries->told_count = tally->slow;
    tries->told_targets = targets;

    struct finding f = {.detection = limit->detection,
                        .time_ns = source->last_ns,
                        .segment = source->segment,
                        .actor = source->who,
                        .has_target = tries->told_one_target,
                        .packet_number = source->packet_number,
                        .source_index = source->source_index};
    if (f.has_target)
        f.target = tries->told_target;
    int64_t seconds = (source->last_ns - tally->first_ns) / SECOND + 1;
    const char *least = tries->count == TRIES_MAX ? "at least " : "";
    unsigned tried = tally->slow > tally->any ? tally->slow : tally->any;
    if (kind == SCAN_PORTS && targets > 1)
        text_format(f.what, sizeof f.what, "is trying %s%u ports on each of %zu devices", least,
                    tried, targets);
    else if (kind == SCAN_PORTS)
        text_format(f.what, sizeof f.what, "is trying %s%u ports%s", least, tried,
                    f.has_target ? " on %T" : "");
    else
        text_format(f.what, sizeof f.what, "is %s %s%u addresses",
                    kind == SCAN_ARP ? "searching by ARP for" : "trying to reach", least, tried);
    text_format(f.expected, sizeof f.expected,
                "at most %u unanswered %s in %s (the most learned of this device: %u)",
                limit->fast - 1u, limit->many, limit->window, habit);
    text_format(f.seen, sizeof f.seen, "%s%u %s within %lld s, %u of them refused or not answered",
                least, tried, limit->many, (long long)seconds, tally->slow);
    if (!f.has_target)
        print_named(source, tries, now, f.seen + strlen(f.seen), sizeof f.seen - strlen(f.seen));
    text_copy(f.key, sizeof f.key, text_of(kind == SCAN_ARP ? "arp" : "scan"));
    scans->sink->finding(scans->sink->context, &f);
}

static void judge(struct scans *scans, struct source *source, enum scan_kind kind, int64_t now)
{
    struct tries *tries = &source->tries[kind];
    size_t targets;
    struct tally tally = tries_tally(tries, kind, now, &targets);
    /* look again until every try is old enough to have failed, and may be told */
    tries->is_dirty = now - source->last_ns <= GROWN_NS + 2 * ANSWER_NS;

    struct scan_habit *habit =
        scans->options.habit
            ? scans->options.habit(scans->options.context, source->segment, &source->who)
            : NULL;
    if (scans->options.is_learning) {
        if (habit && tally.slow > habit->most[kind])
            habit->most[kind] = tally.slow;
        return;
    }
    uint16_t learned = habit ? habit->most[kind] : 0;
    const struct limit *limit = &limits[kind];
    bool is_scan = tally.fast >= limit->fast || tally.slow >= limit->slow ||
                   (tally.any >= limit->any && tally.fast * 4 >= limit->fast);
    if (!is_scan || tally.slow <= learned + learned / 2u)
        return;
    bool is_told = tries->told_ns != 0 && source->last_ns - tries->told_ns < REPEAT_NS;
    bool has_grown = (tally.slow > tries->told_count || targets > tries->told_targets) &&
                     now - tries->told_ns >= GROWN_NS;
    if (is_told && tally.slow < tries->told_count * 2 && !has_grown)
        return;
    tell(scans, source, kind, &tally, targets, learned, now);
}

static bool judge_source(struct scans *scans, struct source *source, int64_t now)
{
    bool is_dirty = false;
    for (size_t kind = 0; kind < SCAN_KIND_COUNT; kind++) {
        if (source->tries[kind].is_dirty)
            judge(scans, source, (enum scan_kind)kind, now);
        is_dirty |= source->tries[kind].is_dirty;
    }
    return is_dirty;
}

void scans_tick(struct scans *scans, int64_t time_ns)
{
    for (size_t word = 0; word < SOURCES / 64; word++) {
        for (uint64_t left = scans->dirty[word]; left; left &= left - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(left);
            if (!judge_source(scans, &scans->sources[word * 64 + bit], time_ns))
                scans->dirty[word] &= ~(UINT64_C(1) << bit);
        }
    }
}
