/* causes.c: a table of what was told and how often. */
#include "rules/causes.h"

#include "rules/actions.h"
#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOLD_SINGLY = 4, /* of one cause, before only doubling counts are told */
    WORD_BITS = 64,
};

static const int64_t OVER_NS = 60 * INT64_C(1000000000);
static const int64_t LOOK_NS =
    10 * INT64_C(1000000000); /* between two looks for floods that are over */

struct cause {
    struct slot slot;
    uint64_t count, told;
    uint32_t flags;
    /* what is needed to tell the rest of a flood later */
    enum detection detection;
    uint32_t segment;
    uint8_t transport;
    bool is_actor_server, is_alone;
    struct endpoint client, server;
    const char *protocol, *phrase, *thing, *expected;
    char key[FINDING_KEY];
    char object[FINDING_KEY];
};

struct causes {
    struct slots table;
    const struct finding_sink *sink;
    int64_t looked_ns;
    uint64_t *waiting; /* a bit for each place of the table: its cause may have something to tell */
};

static size_t waiting_words(const struct causes *c)
{
    return (c->table.capacity + WORD_BITS - 1) / WORD_BITS;
}

struct causes *causes_create(size_t capacity, const struct finding_sink *sink)
{
    struct causes *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->sink = sink;
    if (slots_create(&c->table, capacity, sizeof(struct cause)))
        c->waiting = calloc(waiting_words(c), sizeof *c->waiting);
    if (!c->waiting) {
        causes_destroy(c);
        return NULL;
    }
    return c;
}

void causes_destroy(struct causes *c)
{
    if (!c)
        return;
    slots_destroy(&c->table);
    free(c->waiting);
    free(c);
}

static uint64_t host_hash(const struct endpoint *host)
{
    if (host->ip.kind == ADDRESS_NONE)
        return hash_bytes(&host->mac, sizeof host->mac);
    return hash_bytes(&host->ip, sizeof host->ip);
}

static uint64_t cause_key(const struct ot_flow *flow, const struct cause_of *of)
{
    uint64_t key = hash_mix(flow->segment, (uint64_t)of->detection);
    key = hash_mix(key, host_hash(&flow->client));
    key = hash_mix(key, host_hash(&flow->server));
    key = hash_mix(key, hash_bytes(of->protocol, strlen(of->protocol)));
    key = hash_mix(key, hash_bytes(of->key, strlen(of->key)));
    return hash_mix(key, of->is_actor_server) | 1;
}

static void cause_start(struct cause *cause, const struct ot_flow *flow, const struct cause_of *of)
{
    cause->detection = of->detection;
    cause->segment = flow->segment;
    cause->transport = flow->transport;
    cause->client = flow->client;
    cause->server = flow->server;
    cause->protocol = of->protocol;
    cause->phrase = of->phrase;
    cause->thing = of->thing;
    cause->expected = of->expected;
    cause->is_actor_server = of->is_actor_server;
    cause->is_alone = of->is_alone;
    text_copy(cause->key, sizeof cause->key, text_of(of->key));
    text_copy(cause->object, sizeof cause->object, text_of(of->object));
}

static bool is_doubling(uint64_t count)
{
    return (count & (count - 1)) == 0;
}

static void wait_to_tell(struct causes *c, const struct cause *cause)
{
    size_t place = slots_index(&c->table, cause);
    c->waiting[place / WORD_BITS] |= UINT64_C(1) << place % WORD_BITS;
}

bool causes_admit(struct causes *c, const struct ot_flow *flow, int64_t time_ns,
                  const struct cause_of *of, uint32_t *flags, uint64_t *count)
{
    bool is_new;
    struct cause *cause = slots_take(&c->table, cause_key(flow, of), time_ns, &is_new);
    if (is_new)
        cause_start(cause, flow, of);
    if (is_new)
        *flags &= ~(uint32_t)FINDING_OUTCOME;
    bool is_outcome = *flags & FINDING_OUTCOME;
    if (!is_outcome)
        cause->count++;
    bool is_other = (*flags & ~cause->flags) != 0;
    cause->flags |= *flags;
    if (cause->count > TOLD_SINGLY && !is_doubling(cause->count) && !is_other) {
        if (cause->count - cause->told == 1)
            wait_to_tell(c, cause);
        return false;
    }
    cause->phrase = of->phrase; /* the latest words are for the rest, too */
    text_copy(cause->object, sizeof cause->object, text_of(of->object));
    *count = is_outcome ? 1 : cause->count - cause->told;
    if (!is_outcome)
        cause->told = cause->count;
    return true;
}

void causes_fill(struct finding *f, const struct cause_of *of, uint32_t flags, uint64_t count)
{
    if (of->is_actor_server) {
        struct endpoint client = f->actor;
        f->actor = f->target;
        f->target = client;
    }
    if (of->is_alone)
        f->has_target = false;
    f->flags = flags;
    f->count = count;
    text_copy(f->key, sizeof f->key, text_of(of->key));
    text_copy(f->object, sizeof f->object, of->is_amount ? TEXT("") : text_of(of->object));
    text_copy(f->expected, sizeof f->expected, text_of(of->expected));
    action_phrase(f->what, sizeof f->what, of->phrase, of->thing, of->object);
}

void causes_tell(struct causes *c, const struct finding *f)
{
    c->sink->finding(c->sink->context, f);
}

static void cause_tell_rest(struct causes *c, struct cause *cause)
{
    struct ot_flow flow = {.segment = cause->segment,
                           .transport = cause->transport,
                           .client = cause->client,
                           .server = cause->server};
    struct violation last = {
        .flow = &flow, .protocol = cause->protocol, .time_ns = cause->slot.used_ns};
    last.is_from_client = true;
    struct cause_of of = {cause->detection, cause->protocol,
                          cause->key,       cause->phrase,
                          cause->thing,     cause->object,
                          cause->expected,  cause->is_actor_server,
                          cause->is_alone,  false};
    struct finding f;
    finding_of_violation(&f, cause->detection, &last);
    causes_fill(&f, &of, cause->flags & ~(uint32_t)FINDING_OUTCOME, cause->count - cause->told);
    f.object[0] = '\0'; /* they may have been several; what was seen stands in the alert */
    cause->told = cause->count;
    causes_tell(c, &f);
}

static bool is_anything_waiting(const struct causes *c)
{
    for (size_t word = 0; word < waiting_words(c); word++)
        if (c->waiting[word])
            return true;
    return false;
}

void causes_tick(struct causes *c, int64_t now_ns, bool is_last)
{
    if (!is_anything_waiting(c) || (!is_last && now_ns - c->looked_ns < LOOK_NS))
        return;
    c->looked_ns = now_ns;
    for (size_t word = 0; word < waiting_words(c); word++) {
        for (uint64_t left = c->waiting[word]; left; left &= left - 1) {
            uint64_t bit = left & -left;
            struct cause *cause =
                slots_at(&c->table, word * WORD_BITS + (size_t)__builtin_ctzll(left));
            bool is_over = is_last || now_ns - cause->slot.used_ns >= OVER_NS;
            if (cause->count != cause->told && is_over)
                cause_tell_rest(c, cause);
            if (cause->count == cause->told)
                c->waiting[word] &= ~bit;
        }
    }
}
