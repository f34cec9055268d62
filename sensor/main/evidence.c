/* evidence.c: the ring, its chains by pair of hosts, and the findings that still collect. */
#include "evidence.h"

#include "sensor/base/fetch.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 4096,      /* chains of packets by pair */
    COLLECTING_MAX = 32, /* findings that wait for later packets at once */
    CAUSES = 4096,       /* causes that had evidence lately */
    SHARES = 2, /* of packets that one cause is given in SHARE_NS: its begin and its outcome */
    CHAIN_STEPS_MAX = 256,
    RING_MIN = 1 << 16,
    WANTED = 1024, /* counters by pair: is anybody collecting? */
    CACHE_LINE = 64,
    AHEAD = 4096, /* bytes of the ring that are fetched before they are written: some 16 packets */
};
#define SHARE_NS INT64_C(600000000000) /* then the cause is a new story */

struct kept {
    uint64_t pair;
    uint64_t previous; /* position of the bucket's packet before, in bytes ever written */
    int64_t time_ns;
    uint64_t number;
    uint32_t source_index, wire_size, size, payload_offset;
    uint16_t link_type;
    uint8_t bytes[];
};

struct collecting {
    uint64_t pair, id;
    uint32_t left; /* packets still wanted; 0: unused */
    bool is_new;   /* those before have not been handed on */
};

struct evidence {
    struct finding_sink sink;
    uint8_t *ring;
    uint64_t size, written; /* size: a power of two; written: bytes ever, the next position */
    uint64_t last;          /* position of the newest packet */
    uint64_t buckets[BUCKETS];
    struct collecting collecting[COLLECTING_MAX];
    uint32_t collecting_count;
    uint8_t wanted[WANTED]; /* entries of collecting by pair */
    struct {
        uint64_t cause;
        int64_t since_ns;
        uint32_t shares;
    } causes[CAUSES];
    uint64_t next_id;
};

enum { NOWHERE = 0 }; /* positions begin above it */

struct evidence *evidence_create(size_t bytes, const struct finding_sink *sink)
{
    struct evidence *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->sink = *sink;
    for (e->size = RING_MIN; e->size <= bytes / 2;)
        e->size *= 2;
    e->ring = malloc(e->size);
    e->written = e->size; /* so that 0 is no position */
    e->next_id = 1;
    if (!e->ring) {
        free(e);
        return NULL;
    }
    return e;
}

void evidence_destroy(struct evidence *e)
{
    if (!e)
        return;
    free(e->ring);
    free(e);
}

static struct kept *kept_at(struct evidence *e, uint64_t position)
{
    return (void *)(e->ring + (position & (e->size - 1)));
}

static bool is_there(const struct evidence *e, uint64_t position)
{
    return position != NOWHERE && position + e->size > e->written;
}

static uint64_t room_for(struct evidence *e, uint64_t need)
{
    uint64_t to_end = e->size - (e->written & (e->size - 1));
    if (need > to_end)
        e->written += to_end;
    return e->written;
}

void evidence_look(const struct evidence *e, uint64_t pair)
{
    fetch(&e->buckets[pair % BUCKETS]);
}

/* The ring is long out of the cache when it comes round: what is written here would hold up all
 * later writes. */
void evidence_packet(struct evidence *e, const struct packet *p, uint64_t pair)
{
    uint32_t size = p->captured_size < EVIDENCE_SNAP ? p->captured_size : EVIDENCE_SNAP;
    uint64_t need = (sizeof(struct kept) + size + 15) & ~(uint64_t)15;
    uint64_t position = room_for(e, need);
    e->written = position + need;

    uint64_t *bucket = &e->buckets[pair % BUCKETS];
    struct kept *k = kept_at(e, position);
    uint32_t payload_offset;
    *k = (struct kept){
        .pair = pair,
        .previous = is_there(e, *bucket) ? *bucket : NOWHERE,
        .time_ns = p->time_ns,
        .number = p->number,
        .source_index = p->source_index,
        .wire_size = p->wire_size,
        .size = size,
        .payload_offset =
            p->payload && packet_offset(p, p->payload, &payload_offset) ? payload_offset : 0,
        .link_type = p->link_type,
    };
    memcpy(k->bytes, p->bytes, size);
    for (uint64_t at = 0; at < need; at += CACHE_LINE)
        fetch(kept_at(e, position + AHEAD + at));
    *bucket = e->last = position;
}

void evidence_mask(struct evidence *e, const struct packet *p, const uint8_t *at, size_t size)
{
    struct kept *k = kept_at(e, e->last);
    uint32_t from = k->payload_offset, to = k->size;
    uint32_t offset;
    if (packet_offset(p, at, &offset)) {
        from = offset;
        if (size < to - (from < to ? from : to))
            to = from + (uint32_t)size;
    }
    for (uint32_t i = from; i < to && i < k->size; i++)
        k->bytes[i] = '*';
}

static uint64_t cause_of(const struct finding *f, uint64_t pair)
{
    return hash_mix(hash_mix(pair, f->detection), hash_bytes(f->key, strlen(f->key)));
}

static bool has_share(struct evidence *e, uint64_t cause, int64_t now_ns)
{
    size_t slot = cause % CAUSES;
    if (e->causes[slot].cause != cause || now_ns - e->causes[slot].since_ns > SHARE_NS) {
        e->causes[slot].cause = cause;
        e->causes[slot].since_ns = now_ns;
        e->causes[slot].shares = 0;
    }
    return e->causes[slot].shares++ < SHARES;
}

void evidence_finding(struct evidence *e, struct finding *f, uint64_t pair)
{
    f->evidence_id = 0;
    if (e->collecting_count == COLLECTING_MAX || !has_share(e, cause_of(f, pair), f->time_ns))
        return;
    f->evidence_id = e->next_id++;
    e->collecting[e->collecting_count++] =
        (struct collecting){pair, f->evidence_id, EVIDENCE_PACKETS, true};
    e->wanted[pair % WANTED]++;
}

static void hand_on(struct evidence *e, uint64_t id, const struct kept *k)
{
    struct evidence_packet packet = {
        .evidence_id = id,
        .time_ns = k->time_ns,
        .packet_number = k->number,
        .source_index = k->source_index,
        .link_type = k->link_type,
        .wire_size = k->wire_size,
        .size = k->size,
        .bytes = k->bytes,
    };
    e->sink.evidence(e->sink.context, &packet);
}

static void hand_on_before(struct evidence *e, const struct collecting *c)
{
    uint64_t found[EVIDENCE_PACKETS + 1];
    size_t count = 0;
    uint64_t at = e->buckets[c->pair % BUCKETS];
    for (int steps = 0; steps < CHAIN_STEPS_MAX && count <= EVIDENCE_PACKETS && is_there(e, at);
         steps++) {
        const struct kept *k = kept_at(e, at);
        if (k->pair == c->pair)
            found[count++] = at;
        at = k->previous;
    }
    while (count > 0)
        hand_on(e, c->id, kept_at(e, found[--count]));
}

void evidence_flush(struct evidence *e)
{
    if (e->collecting_count == 0)
        return;
    const struct kept *newest = kept_at(e, e->last);
    if (e->wanted[newest->pair % WANTED] == 0)
        return; /* findings are about the pair of the packet that brought them */
    uint32_t keep = 0;
    for (uint32_t i = 0; i < e->collecting_count; i++) {
        struct collecting *c = &e->collecting[i];
        if (c->pair == newest->pair && c->is_new) {
            c->is_new = false;
            hand_on_before(e, c);
        } else if (c->pair == newest->pair) {
            hand_on(e, c->id, newest);
            c->left--;
        }
        if (c->left > 0)
            e->collecting[keep++] = *c;
        else
            e->wanted[c->pair % WANTED]--;
    }
    e->collecting_count = keep;
}
