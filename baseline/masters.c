/* masters.c: the last writer of each object. */
#include "masters.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { MASTERS_MAX = 4096, WAYS = 8 };
static const int64_t WINDOW_NS = 120 * INT64_C(1000000000); /* longer ago is no conflict */

struct master {
    uint64_t key; /* 0: free */
    int64_t written_ns;
    struct endpoint writer;
    bool is_learned;
};

struct masters {
    const struct finding_sink *sink;
    struct finding finding;
    struct master list[MASTERS_MAX];
};

struct masters *masters_create(const struct finding_sink *sink)
{
    struct masters *m = calloc(1, sizeof *m);
    if (m)
        m->sink = sink;
    return m;
}

void masters_destroy(struct masters *m)
{
    free(m);
}

static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
    if (a->ip.kind != ADDRESS_NONE || b->ip.kind != ADDRESS_NONE)
        return address_equal(&a->ip, &b->ip);
    return memcmp(&a->mac, &b->mac, sizeof a->mac) == 0;
}

static uint64_t object_key(const struct sighting *s)
{
    uint64_t key = hash_mix(s->segment, hash_bytes(&s->other.ip, sizeof s->other.ip));
    if (s->other.ip.kind == ADDRESS_NONE)
        key = hash_mix(key, hash_bytes(&s->other.mac, sizeof s->other.mac));
    key = hash_mix(key, hash_bytes(s->protocol, strlen(s->protocol)));
    key = hash_mix(key, hash_bytes(s->unit, strlen(s->unit)));
    return hash_mix(key, hash_bytes(s->text, strlen(s->text))) | 1;
}

/* The object's entry, or the one that makes room for it. */
static struct master *master_of(struct masters *m, uint64_t key)
{
    struct master *set = &m->list[key / WAYS % (MASTERS_MAX / WAYS) * WAYS], *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].written_ns < oldest->written_ns)
            oldest = &set[i];
    }
    return oldest;
}

static void tell(struct masters *m, const struct sighting *s, const struct master *before)
{
    struct finding *f = &m->finding;
    bool is_newcomer = s->detail == 0; /* else the one before is the one that was not learned */
    const struct endpoint *newcomer = is_newcomer ? &s->who : &before->writer;
    const struct endpoint *usual = is_newcomer ? &before->writer : &s->who;
    char other[ADDRESS_TEXT_SIZE];
    memset(f, 0, sizeof *f);
    f->detection = DETECTION_RW_CONFLICTING_MASTERS;
    f->flags = FINDING_IS_WRITE;
    f->time_ns = s->time_ns;
    f->segment = s->segment;
    f->actor = *newcomer;
    f->target = s->other;
    f->has_target = true;
    f->transport = s->transport;
    f->operation = s->operation;
    f->packet_number = s->packet_number;
    f->source_index = s->source_index;
    text_copy(f->protocol, sizeof f->protocol, text_of(s->protocol));
    text_copy(f->object, sizeof f->object, text_of(s->text));
    if (usual->ip.kind == ADDRESS_NONE)
        mac_print(other, &usual->mac);
    else
        address_print(other, &usual->ip);
    text_format(f->key, sizeof f->key, "masters %s", s->text);
    text_format(f->what, sizeof f->what, "writes %.60s of %%T, which %s writes at the same time",
                s->text, other);
    text_format(f->expected, sizeof f->expected, "one writer, or writers that were learned");
    text_format(f->seen, sizeof f->seen, "two writers within %lld s",
                (long long)((s->time_ns - before->written_ns) / INT64_C(1000000000)));
    m->sink->finding(m->sink->context, f);
}

void masters_sighting(struct masters *m, const struct sighting *s, bool is_silent)
{
    if (s->kind != SIGHTING_WRITE)
        return;
    uint64_t key = object_key(s);
    struct master *known = master_of(m, key);
    bool is_learned = s->detail != 0;
    if (known->key == key && !is_same_host(&known->writer, &s->who) &&
        s->time_ns - known->written_ns <= WINDOW_NS && !(known->is_learned && is_learned) &&
        !is_silent)
        tell(m, s, known);
    *known = (struct master){key, s->time_ns, s->who, is_learned};
}
