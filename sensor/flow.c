/* flow.c: hash table with chains, slabs and one list by last use. */
#include "flow.h"

#include "sensor/base/fetch.h"
#include "sensor/base/hash.h"
#include "sensor/base/pages.h"
#include "sensor/base/pair.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLAB_FLOWS = 256,
    LAYERS_WARM = 2, /* a carrier and what it carries: what every packet of a flow looks at */
    FLOW_WARM = offsetof(struct flow, layers[LAYERS_WARM]),
};
static const int64_t TCP_IDLE_NS =
    3600 * (int64_t)1000000000; /* slow pollers keep connections for hours */
static const int64_t OTHER_IDLE_NS = 300 * (int64_t)1000000000;
static const int64_t CLOSED_IDLE_NS =
    10 * (int64_t)1000000000; /* last ACKs and retransmitted FINs */
/* A flow moves to the end of the list this seldom: its neighbours there are in nobody's cache. Less
 * than the shortest limit; sooner when flows may soon have to go by their order in it. */
static const int64_t TOUCH_NS = 8 * (int64_t)1000000000;
static const int64_t TOUCH_FULL_NS = 2 * (int64_t)1000000000;

struct slab {
    struct slab *next;
    struct flow flows[SLAB_FLOWS];
};

struct flow_table {
    struct flow **buckets;
    uint64_t mask;
    uint32_t capacity, count;
    struct flow *oldest, *newest;
    struct flow *unused; /* through next_in_bucket */
    struct slab *slabs;
    uint64_t next_id;
    int64_t next_expiry_ns;
    int64_t touch_ns;
    void (*release)(void *context, struct flow *flow);
    void *context;
    struct counters *counters;
};

/* Both directions give the same key: the lesser end first. */
struct key {
    struct address low, high;
    uint16_t low_port, high_port, ethertype;
    uint8_t transport;
    uint32_t segment;
};

struct flow_table *flow_table_create(uint32_t capacity,
                                     void (*release)(void *context, struct flow *flow),
                                     void *context, struct counters *counters)
{
    struct flow_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    uint64_t buckets = 1024;
    while (buckets < capacity)
        buckets *= 2;
    *t = (struct flow_table){.mask = buckets - 1,
                             .capacity = capacity,
                             .next_id = 1,
                             .touch_ns = TOUCH_NS,
                             .release = release,
                             .context = context,
                             .counters = counters};
    t->buckets = pages_take(buckets * sizeof *t->buckets);
    if (!t->buckets) {
        free(t);
        return NULL;
    }
    return t;
}

void flow_table_destroy(struct flow_table *t)
{
    if (!t)
        return;
    while (t->oldest)
        flow_close(t, t->oldest);
    while (t->slabs) {
        struct slab *next = t->slabs->next;
        free(t->slabs);
        t->slabs = next;
    }
    pages_give(t->buckets, (t->mask + 1) * sizeof *t->buckets);
    free(t);
}

/* Layer-2 conversations are told apart by MAC, put where an address would be. */
static struct address host_of(const struct address *ip, const struct mac *mac)
{
    if (ip->kind != ADDRESS_NONE)
        return *ip;
    struct address a = {0};
    memcpy(a.bytes, mac->bytes, sizeof mac->bytes);
    return a;
}

static bool is_before(const struct address *a, uint16_t a_port, const struct address *b,
                      uint16_t b_port)
{
    int order = memcmp(a, b, sizeof *a);
    return order < 0 || (order == 0 && a_port < b_port);
}

/* Nearly all: the same as below in a third of the bytes. */
static uint64_t hash_of_ip4(const struct packet *p)
{
    uint64_t source = (uint64_t)address_ip4(&p->source) << 16 | p->source_port;
    uint64_t destination = (uint64_t)address_ip4(&p->destination) << 16 | p->destination_port;
    uint64_t low = source < destination ? source : destination;
    uint64_t high = source < destination ? destination : source;
    return hash_mix(hash_mix(low, high), (uint64_t)p->segment << 8 | p->transport);
}

static uint64_t hash_of(const struct packet *p)
{
    if (p->source.kind == ADDRESS_IP4)
        return hash_of_ip4(p);
    struct key k;
    memset(&k, 0, sizeof k); /* padding is hashed too */
    struct address source = host_of(&p->source, &p->source_mac);
    struct address destination = host_of(&p->destination, &p->destination_mac);
    bool is_source_low = is_before(&source, p->source_port, &destination, p->destination_port);
    k.low = is_source_low ? source : destination;
    k.high = is_source_low ? destination : source;
    k.low_port = is_source_low ? p->source_port : p->destination_port;
    k.high_port = is_source_low ? p->destination_port : p->source_port;
    k.transport = p->transport;
    k.segment = p->segment;
    k.ethertype = p->source.kind == ADDRESS_NONE ? p->ethertype : 0;
    return hash_bytes(&k, sizeof k);
}

static bool is_end(const struct endpoint *e, const struct address *ip, const struct mac *mac,
                   uint16_t port)
{
    if (e->port != port || !address_equal(&e->ip, ip))
        return false;
    return ip->kind != ADDRESS_NONE || mac_equal(&e->mac, mac);
}

static bool is_flow_of(const struct flow *f, uint64_t hash, const struct packet *p)
{
    if (f->hash != hash || f->view.segment != p->segment || f->view.transport != p->transport)
        return false;
    const struct endpoint *x = &f->view.client, *y = &f->view.server;
    if (is_end(x, &p->source, &p->source_mac, p->source_port))
        return is_end(y, &p->destination, &p->destination_mac, p->destination_port);
    return is_end(y, &p->source, &p->source_mac, p->source_port) &&
           is_end(x, &p->destination, &p->destination_mac, p->destination_port);
}

static void list_remove(struct flow_table *t, struct flow *f)
{
    *(f->older ? &f->older->newer : &t->oldest) = f->newer;
    *(f->newer ? &f->newer->older : &t->newest) = f->older;
}

static void list_append(struct flow_table *t, struct flow *f, int64_t now_ns)
{
    f->listed_ns = now_ns;
    f->older = t->newest;
    f->newer = NULL;
    *(t->newest ? &t->newest->newer : &t->oldest) = f;
    t->newest = f;
}

void flow_close(struct flow_table *t, struct flow *f)
{
    t->release(t->context, f);
    struct flow **link = &t->buckets[f->hash & t->mask];
    while (*link != f)
        link = &(*link)->next_in_bucket;
    *link = f->next_in_bucket;
    list_remove(t, f);
    f->next_in_bucket = t->unused;
    t->unused = f;
    t->count--;
}

static struct flow *take_flow(struct flow_table *t)
{
    if (t->count >= t->capacity) {
        t->counters->flows_evicted++;
        flow_close(t, t->oldest);
    }
    if (!t->unused) {
        struct slab *slab = aligned_alloc(FLOW_LINE, sizeof *slab);
        if (!slab)
            return NULL;
        slab->next = t->slabs;
        t->slabs = slab;
        for (size_t i = 0; i < SLAB_FLOWS; i++) {
            slab->flows[i].next_in_bucket = t->unused;
            t->unused = &slab->flows[i];
        }
    }
    struct flow *f = t->unused;
    t->unused = f->next_in_bucket;
    memset(f, 0, sizeof *f);
    return f;
}

static struct flow *make_flow(struct flow_table *t, const struct packet *p, uint64_t hash)
{
    struct flow *f = take_flow(t);
    if (!f)
        return NULL;
    f->hash = hash;
    f->ethertype = p->ethertype;
    f->a = (struct endpoint){p->source, p->source_mac, p->source_port};
    f->is_a_client = true;
    f->first_half = 2;
    f->view = (struct ot_flow){
        .id = t->next_id++,
        .segment = p->segment,
        .transport = p->transport,
        .client = f->a,
        .server = {p->destination, p->destination_mac, p->destination_port},
        .first_ns = p->time_ns,
        .last_ns = p->time_ns,
    };
    f->pair = pair_hash(p->segment, &f->view.client, &f->view.server);
    f->next_in_bucket = t->buckets[hash & t->mask];
    t->buckets[hash & t->mask] = f;
    list_append(t, f, p->time_ns);
    if (++t->count > t->capacity / 2)
        t->touch_ns = TOUCH_FULL_NS;
    t->counters->flows++;
    return f;
}

uint64_t flow_look(const struct flow_table *t, const struct packet *p)
{
    uint64_t hash = hash_of(p);
    fetch(&t->buckets[hash & t->mask]);
    return hash;
}

const struct flow *flow_look_on(const struct flow_table *t, uint64_t hash)
{
    const struct flow *f = t->buckets[hash & t->mask];
    if (!f)
        return NULL;
    const char *at = (const char *)f;
#pragma GCC unroll 16
    for (size_t i = 0; i < FLOW_WARM; i += FLOW_LINE)
        fetch(at + i);
    return f;
}

void flow_look_in(const struct flow *f)
{
    for (size_t i = 0; i < LAYERS_WARM; i++)
        if (f->layers[i].state)
            fetch(f->layers[i].state);
}

struct flow *flow_find(struct flow_table *t, const struct packet *p, uint64_t hash, bool create,
                       bool *is_new)
{
    *is_new = false;
    for (struct flow *f = t->buckets[hash & t->mask]; f; f = f->next_in_bucket) {
        if (!is_flow_of(f, hash, p))
            continue;
        if (p->time_ns > f->view.last_ns)
            f->view.last_ns = p->time_ns;
        if (p->time_ns - f->listed_ns > t->touch_ns) {
            list_remove(t, f);
            list_append(t, f, p->time_ns);
        }
        return f;
    }
    if (!create)
        return NULL;
    *is_new = true;
    return make_flow(t, p, hash);
}

static int64_t idle_limit(const struct flow *f)
{
    if (f->is_closed)
        return CLOSED_IDLE_NS;
    return f->view.transport == TRANSPORT_TCP && !f->is_refused ? TCP_IDLE_NS : OTHER_IDLE_NS;
}

void flow_expire(struct flow_table *t, int64_t now_ns)
{
    if (now_ns < t->next_expiry_ns)
        return;
    t->next_expiry_ns = now_ns + CLOSED_IDLE_NS;
    if (t->count <= t->capacity / 2)
        t->touch_ns = TOUCH_NS;
    /* the list is by age, limits differ: everything past the shortest limit is looked at */
    struct flow *next;
    for (struct flow *f = t->oldest; f && now_ns - f->listed_ns > CLOSED_IDLE_NS; f = next) {
        next = f->newer;
        if (now_ns - f->view.last_ns > idle_limit(f)) {
            t->counters->flows_expired++;
            flow_close(t, f);
        }
    }
}

void flow_each(struct flow_table *t, void (*visit)(void *context, struct flow *flow), void *context)
{
    for (struct flow *f = t->oldest; f; f = f->newer)
        visit(context, f);
}

uint32_t flow_count(const struct flow_table *t)
{
    return t->count;
}
