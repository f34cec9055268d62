/* flooded.c: see flooded.h. */
#include "rules/flooded.h"

#include "sensor/base/hash.h"
#include "sensor/base/packet.h"

#include <stdlib.h>

enum {
    FLOODS_MAX = 64,
    CROWDS_MAX = 16,
    CROWD_MIN =
        12, /* clients of one service, all new and within CROWD_NS: no shift begins like that */
    ACTORS_MAX = 4096, /* of crowds, power of two; a later one takes the place of an earlier one */
};

#define SECOND_NS INT64_C(1000000000)
static const int64_t CROWD_NS = 2 * SECOND_NS;

struct flood {
    int64_t told_ns; /* 0: unused */
    uint32_t segment;
    struct endpoint source, target;
};

/* Who came to one service of late for the first time. */
struct crowd {
    int64_t first_ns, last_ns; /* of CROWD_NS; 0: unused */
    uint32_t segment;
    struct endpoint target;
    uint32_t count;
    bool is_told;
};

struct flooded {
    const struct finding_sink *sink;
    struct flood floods[FLOODS_MAX];
    size_t next; /* the oldest */
    struct crowd crowds[CROWDS_MAX];
    uint64_t actors[ACTORS_MAX]; /* hashes of those that say no more than their crowd */
};

struct flooded *flooded_create(const struct finding_sink *sink)
{
    struct flooded *x = calloc(1, sizeof *x);
    if (x)
        x->sink = sink;
    return x;
}

void flooded_destroy(struct flooded *x)
{
    free(x);
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
    return address_equal(&a->ip, &b->ip) &&
           (a->ip.kind != ADDRESS_NONE || mac_equal(&a->mac, &b->mac));
}

/* Answers go the other way, to ports that may look like a service. */
static bool is_between(const struct flood *flood, const struct finding *f)
{
    bool is_there = is_same(&f->actor, &flood->source) && is_same(&f->target, &flood->target);
    bool is_back = is_same(&f->actor, &flood->target) && is_same(&f->target, &flood->source);
    return is_there || is_back;
}

static bool is_of(const struct flood *flood, const struct finding *f)
{
    if (flood->told_ns == 0 || flood->segment != f->segment || f->time_ns < flood->told_ns ||
        f->time_ns - flood->told_ns > FLOODED_S * SECOND_NS)
        return false;
    bool is_to_service = f->detection == DETECTION_COMM_PROTOCOL_ON_ODD_PORT &&
                         is_same(&f->target, &flood->target) &&
                         f->target.port == flood->target.port;
    return is_to_service || is_between(flood, f);
}

static bool is_of_single_datagrams(const struct finding *f)
{
    switch (f->detection) {
    case DETECTION_COMM_PROTOCOL_ON_ODD_PORT:
    case DETECTION_COMM_NEW_LINK:
    case DETECTION_COMM_NEW_PROTOCOL:
    case DETECTION_COMM_NEW_SERVICE:
        return f->has_target && f->transport == TRANSPORT_UDP;
    default:
        return false;
    }
}

/* --- made-up addresses --- */

static uint64_t actor_hash(const struct finding *f)
{
    return hash_mix(hash_bytes(&f->actor.ip, sizeof f->actor.ip), f->segment) | 1;
}

static bool is_of_crowd(const struct crowd *c, const struct finding *f)
{
    return c->last_ns != 0 && c->segment == f->segment && is_same(&c->target, &f->target) &&
           c->target.port == f->target.port;
}

static bool goes_on(const struct crowd *c, const struct finding *f)
{
    return c->is_told && f->time_ns - c->last_ns <= CROWD_NS;
}

static struct crowd *crowd_of(struct flooded *x, const struct finding *f)
{
    struct crowd *oldest = x->crowds;
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        if (is_of_crowd(&x->crowds[i], f))
            return &x->crowds[i];
        if (x->crowds[i].last_ns < oldest->last_ns)
            oldest = &x->crowds[i];
    }
    *oldest = (struct crowd){.segment = f->segment, .target = f->target};
    return oldest;
}

static void tell_crowd(struct flooded *x, const struct crowd *c, const struct finding *last)
{
    struct finding f = {
        .detection = DETECTION_NET_FLOOD,
        .time_ns = last->time_ns,
        .segment = last->segment,
        .actor = last->actor,
        .has_target = true,
        .target = last->target,
        .transport = last->transport,
        .count = 1,
        .packet_number = last->packet_number,
        .source_index = last->source_index,
    };
    text_format(f.key, sizeof f.key, "crowd %u", last->target.port);
    text_format(f.what, sizeof f.what,
                "and other addresses that were never seen here open connections to TCP port %u of "
                "%%T, all at once",
                last->target.port);
    text_format(f.expected, sizeof f.expected, "fewer than %d new clients of one service in %lld s",
                CROWD_MIN, (long long)(CROWD_NS / SECOND_NS));
    text_format(f.seen, sizeof f.seen, "%u within %lld s; further ones are not told one by one",
                c->count, (long long)((last->time_ns - c->first_ns) / SECOND_NS + 1));
    x->sink->finding(x->sink->context, &f);
}

/* Counts a first contact. True: it says no more than the crowd it is part of. */
static bool crowd_takes(struct flooded *x, const struct finding *f)
{
    struct crowd *c = crowd_of(x, f);
    bool is_over = !goes_on(c, f);
    if (is_over && f->time_ns - c->first_ns > CROWD_NS) {
        c->first_ns = f->time_ns;
        c->count = 0;
        c->is_told = false;
    }
    c->last_ns = f->time_ns;
    if (++c->count < CROWD_MIN)
        return false;
    if (!c->is_told) {
        c->is_told = true;
        tell_crowd(x, c, f);
    }
    x->actors[actor_hash(f) % ACTORS_MAX] = actor_hash(f);
    return true;
}

/* What is told of each new client beside its first contact. */
static bool crowd_explains(const struct flooded *x, const struct finding *f)
{
    bool is_asset = f->detection == DETECTION_ASSET_NEW;
    if (is_asset && x->actors[actor_hash(f) % ACTORS_MAX] == actor_hash(f))
        return true;
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        const struct crowd *c = &x->crowds[i];
        if (goes_on(c, f) && c->segment == f->segment && (is_asset || is_of_crowd(c, f)))
            return true;
    }
    return false;
}

static bool crowded(struct flooded *x, const struct finding *f)
{
    switch (f->detection) {
    case DETECTION_COMM_NEW_LINK:
        return f->has_target && f->transport == TRANSPORT_TCP && crowd_takes(x, f);
    case DETECTION_SEG_INTERNET_INGRESS:
    case DETECTION_SEG_ZONE_VIOLATION:
    case DETECTION_SEG_LEVEL_SKIP:
        return f->has_target && f->transport == TRANSPORT_TCP && crowd_explains(x, f);
    case DETECTION_ASSET_NEW:
        return crowd_explains(x, f);
    default:
        return false;
    }
}

bool flooded_covers(struct flooded *x, const struct finding *f)
{
    if (crowded(x, f))
        return true;
    if (f->detection == DETECTION_NET_FLOOD && f->has_target && f->transport == TRANSPORT_UDP) {
        x->floods[x->next] = (struct flood){f->time_ns, f->segment, f->actor, f->target};
        x->next = (x->next + 1) % FLOODS_MAX;
        return false;
    }
    if (!is_of_single_datagrams(f))
        return false;
    for (size_t i = 0; i < FLOODS_MAX; i++)
        if (is_of(&x->floods[i], f))
            return true;
    return false;
}
