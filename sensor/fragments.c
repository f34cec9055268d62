/* fragments.c: puts IP datagrams together again.
 *
 * Spec: [IP4]  RFC 791 3.2, RFC 815
 *       [IP6]  RFC 8200 4.5
 *       [OVER] RFC 5722: overlapping pieces
 *
 * Offsets count in units of 8 bytes, so a bit per unit says what has come. */
#include "fragments.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 64, /* datagrams at once; control networks send few in pieces */
    UNIT = 8,
    PAYLOAD_MAX = 65535,
    WORDS = (PAYLOAD_MAX / UNIT + 64) / 64,
};

#define NS_PER_S INT64_C(1000000000)
/* A mirror's copies of the pieces follow within milliseconds; an id comes again much later. */
#define COPY_WINDOW_NS NS_PER_S

enum state { STATE_FREE, STATE_OPEN, STATE_COMPLETE, STATE_GIVEN_UP };

struct slot {
    uint64_t hash;
    struct address source, destination;
    uint32_t segment, id;
    uint8_t protocol;
    uint8_t state; /* enum state */
    int64_t first_ns;
    uint32_t header_size; /* 0: the piece with offset 0 has not come */
    uint32_t end;         /* of the furthest piece */
    uint32_t total;       /* 0: the last piece has not come */
    uint32_t units;       /* that have come */
    uint32_t pieces;
    uint64_t seen[WORDS];
    uint8_t *buffer; /* FRAGMENT_HEADER_MAX, then PAYLOAD_MAX */
};

struct fragments {
    struct slot slots[SLOTS];
    struct slot *lent; /* the one completed last: its bytes may still be in use */
    uint8_t *memory;
};

struct fragments *fragments_create(void)
{
    enum { BUFFER = FRAGMENT_HEADER_MAX + PAYLOAD_MAX + 1 };
    struct fragments *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->memory = malloc((size_t)SLOTS * BUFFER);
    if (!f->memory) {
        free(f);
        return NULL;
    }
    for (size_t i = 0; i < SLOTS; i++)
        f->slots[i].buffer = f->memory + i * BUFFER;
    return f;
}

void fragments_destroy(struct fragments *f)
{
    if (!f)
        return;
    free(f->memory);
    free(f);
}

static uint64_t key_hash(const struct fragment *f)
{
    uint64_t ends = hash_mix(hash_bytes(&f->source, sizeof f->source),
                             hash_bytes(&f->destination, sizeof f->destination));
    return hash_mix(ends,
                    (uint64_t)f->id << 32 | (uint64_t)f->protocol << 24 | (f->segment & 0xffffff));
}

static bool is_of(const struct slot *s, const struct fragment *f, uint64_t hash)
{
    return s->hash == hash && s->id == f->id && s->protocol == f->protocol &&
           s->segment == f->segment && address_equal(&s->source, &f->source) &&
           address_equal(&s->destination, &f->destination);
}

/* Both ways: a merged capture's clock may go back. */
static bool is_expired(const struct slot *s, int64_t now_ns)
{
    int64_t age = now_ns > s->first_ns ? now_ns - s->first_ns : s->first_ns - now_ns;
    return age > (s->state == STATE_COMPLETE ? COPY_WINDOW_NS : FRAGMENT_TIMEOUT_S * NS_PER_S);
}

static void slot_free(struct slot *s, struct counters *counters)
{
    if (s->state == STATE_OPEN)
        counters->fragments_dropped += s->pieces;
    s->state = STATE_FREE;
}

/* The better of two places to give to a new datagram: a free one, then a finished one, then the
 * oldest. */
static struct slot *better(struct slot *a, struct slot *b)
{
    static const uint8_t order[] = {
        [STATE_FREE] = 0, [STATE_COMPLETE] = 1, [STATE_OPEN] = 2, [STATE_GIVEN_UP] = 2};
    if (!a)
        return b;
    if (order[a->state] != order[b->state])
        return order[a->state] < order[b->state] ? a : b;
    return a->first_ns <= b->first_ns ? a : b;
}

/* The datagram's place; a new one when there is none, at the cost of the oldest when the table is
 * full. */
static struct slot *slot_of(struct fragments *table, const struct fragment *f,
                            struct counters *counters)
{
    uint64_t hash = key_hash(f);
    struct slot *victim = NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &table->slots[i];
        if (s->state != STATE_FREE && is_expired(s, f->time_ns))
            slot_free(s, counters);
        if (s->state != STATE_FREE && is_of(s, f, hash))
            return s;
        if (s != table->lent)
            victim = better(victim, s);
    }
    slot_free(victim, counters);
    uint8_t *buffer = victim->buffer;
    *victim = (struct slot){
        .hash = hash,
        .source = f->source,
        .destination = f->destination,
        .segment = f->segment,
        .id = f->id,
        .protocol = f->protocol,
        .state = STATE_OPEN,
        .first_ns = f->time_ns,
        .buffer = buffer,
    };
    return victim;
}

/* Why a piece is impossible in itself; NULL when it is not. */
static const char *fault_of(const struct fragment *f)
{
    if (f->size == 0)
        return "IP fragment without data";
    if (!f->is_last && f->size % UNIT != 0)
        return "IP fragment whose size is not a multiple of 8"; /* [IP4] 3.2, [IP6] 4.5 */
    if ((uint64_t)f->offset + f->size + f->header_size > PAYLOAD_MAX)
        return "IP fragment reaches beyond 65535 bytes"; /* "ping of death" */
    if (f->header_size > FRAGMENT_HEADER_MAX)
        return "IP fragment with too long a header";
    return NULL;
}

/* Copies the piece to its place. False: it says otherwise than what has come before. */
static bool slot_copy(struct slot *s, const struct fragment *f)
{
    uint8_t *payload = s->buffer + FRAGMENT_HEADER_MAX;
    for (uint32_t at = 0; at < f->size; at += UNIT) {
        uint32_t unit = (f->offset + at) / UNIT, n = f->size - at < UNIT ? f->size - at : UNIT;
        uint64_t bit = UINT64_C(1) << (unit % 64);
        if (s->seen[unit / 64] & bit) {
            if (memcmp(payload + f->offset + at, f->bytes + at, n) != 0)
                return false;
            continue;
        }
        s->seen[unit / 64] |= bit;
        s->units++;
        memcpy(payload + f->offset + at, f->bytes + at, n);
    }
    return true;
}

/* Takes the piece's data in. Returns why it contradicts the others, or NULL. */
static const char *slot_take(struct slot *s, const struct fragment *f)
{
    uint32_t end = f->offset + f->size;
    if (f->is_last) {
        if ((s->total && s->total != end) || s->end > end)
            return "IP fragments disagree about the end of their datagram";
        s->total = end;
    } else if (s->total && end > s->total) {
        return "IP fragments disagree about the end of their datagram";
    }
    if (end > s->end)
        s->end = end;
    if (!slot_copy(s, f))
        return "IP fragments overlap with different bytes";
    if (f->offset == 0 && s->header_size == 0) {
        memcpy(s->buffer + FRAGMENT_HEADER_MAX - f->header_size, f->header, f->header_size);
        s->header_size = f->header_size;
    }
    return NULL;
}

enum fragment_result fragments_add(struct fragments *table, const struct fragment *f,
                                   struct datagram *datagram, const char **why,
                                   struct counters *counters)
{
    counters->fragments++;
    *why = fault_of(f);
    if (*why) {
        counters->fragments_dropped++;
        return FRAGMENT_WRONG;
    }
    struct slot *s = slot_of(table, f, counters);
    if (s->state == STATE_COMPLETE)
        return FRAGMENT_COPY;
    if (s->state == STATE_GIVEN_UP) {
        counters->fragments_dropped++;
        return FRAGMENT_REFUSED;
    }
    s->pieces++;
    *why = slot_take(s, f);
    if (*why || (s->total && s->header_size && s->total + s->header_size > PAYLOAD_MAX)) {
        if (!*why)
            *why = "IP fragments make more than 65535 bytes";
        slot_free(s, counters);
        s->state = STATE_GIVEN_UP;
        return FRAGMENT_WRONG;
    }
    if (!s->total || !s->header_size || s->units != (s->total + UNIT - 1) / UNIT)
        return FRAGMENT_KEPT;

    s->state = STATE_COMPLETE;
    s->first_ns = f->time_ns;
    table->lent = s;
    counters->datagrams_reassembled++;
    datagram->bytes = s->buffer + FRAGMENT_HEADER_MAX - s->header_size;
    datagram->size = s->header_size + s->total;
    datagram->header_size = s->header_size;
    return FRAGMENT_COMPLETE;
}
