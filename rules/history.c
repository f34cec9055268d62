/* history.c: counting likes on a worker. */
#include "history_block.h"

#include "sensor/base/hash.h"
#include "slots.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define WINDOW_NS (HISTORY_MINUTES * 60 * SECOND_NS)

enum { VALUES_HASHED = 64, NAMES = 256, TRAILS = 8192 /* 64 KB */ };

struct name {
    const char *name; /* NULL: unused */
    uint64_t key;
};

/* Fills a cache line. */
struct like {
    struct slot slot;
    int64_t row_ns, last_ns; /* row_ns: of the row that stands for it; 0: none */
    uint64_t count, told;
    uint64_t written;     /* as in struct history_row */
    uint32_t then, other; /* places of what came after it on a flow, lately and before that */
};

/* How a flow goes through the likes, by their places: what comes in cycles, as polls do, is found
 * without a search. Only a guess: flows may share one, and likes make room for others. */
struct trail {
    uint32_t last, next;
};

struct history {
    void (*row)(void *context, const struct history_row *row);
    void *context;
    struct slots likes;
    int64_t window;  /* the last that a tick saw */
    int64_t from_ns; /* of the window of the last event */
    int64_t second;
    uint32_t rows_left; /* of the budget */
    uint64_t lost;
    struct name names[NAMES];
    struct trail trails[TRAILS]; /* of flows, by their ids */
    struct history_row out;
};

struct history *history_create(const char *sensor,
                               void (*row)(void *context, const struct history_row *row),
                               void *context)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h || !slots_create(&h->likes, HISTORY_ENTRIES, sizeof(struct like))) {
        free(h);
        return NULL;
    }
    h->row = row;
    h->context = context;
    h->rows_left = HISTORY_BURST;
    text_copy(h->out.sensor, sizeof h->out.sensor, text_of(sensor));
    return h;
}

void history_destroy(struct history *h)
{
    if (!h)
        return;
    slots_destroy(&h->likes);
    free(h);
}

size_t history_row_size(const struct history_row *row)
{
    return offsetof(struct history_row, bytes) + row->size;
}

uint64_t history_lost(const struct history *h)
{
    return h->lost;
}

/* Names differ in their first eight bytes. */
static uint64_t name_key(const char *name)
{
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof key && name[i]; i++)
        key = key << 8 | (uint8_t)name[i];
    return key;
}

/* Names of protocols and areas are static texts: one that lies at the same place is the same. Those
 * of a history are not. */
static inline uint64_t known_name_key(struct history *h, const char *name, bool is_replayed)
{
    struct name *known = &h->names[(uintptr_t)name / sizeof(max_align_t) % NAMES];
    if (known->name == name && !is_replayed)
        return known->key; /* of no name, too: 0 */
    uint64_t key = name ? name_key(name) : 0;
    if (name && !is_replayed)
        *known = (struct name){name, key};
    return key;
}

static uint64_t two(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static uint64_t item_key(struct history *h, const struct ot_event *e, const struct ot_item *item)
{
    uint64_t area = known_name_key(h, item->area, e->is_replayed);
    uint64_t name = item->name.size ? hash_bytes(item->name.at, item->name.size) : 0;
    uint64_t key = hash_mix(hash_mix(area, name), hash_mix(item->start ^ (uint64_t)item->bit << 56,
                                                           two(item->number, item->count)));
    if (!operation_is_change(e->operation) || !item->values.bytes || !item->values.size)
        return key;
    size_t size = item->values.size < VALUES_HASHED ? item->values.size : VALUES_HASHED;
    return hash_mix(key, hash_bytes(item->values.bytes, size));
}

/* What makes two events alike. */
static uint64_t event_key(struct history *h, const struct ot_event *e, uint64_t pair)
{
    uint32_t what = (uint32_t)e->operation << 16 | (uint32_t)e->direction << 8 |
                    (uint32_t)e->status.result << 1 | e->is_from_client;
    uint64_t unit = e->unit.size ? hash_short(e->unit.at, e->unit.size) : 0;
    uint64_t protocol = known_name_key(h, e->protocol, e->is_replayed);
    uint64_t code[2];
    memcpy(code, e->code, sizeof code);
    uint32_t items = e->item_count << 16 | e->flow->server.port;
    uint64_t marks = hash_mix(two(e->status.code, e->flags), two(what, items));
    uint64_t key = hash_mix(hash_mix(pair, protocol), hash_mix(code[0], code[1]));
    key = hash_mix(key, hash_mix(marks, unit));
    return (e->item_count ? hash_mix(key, item_key(h, e, &e->items[0])) : key) | 1;
}

static void tell_count(struct history *h, struct like *like)
{
    struct history_row *row = &h->out;
    row->time_ns = like->row_ns;
    row->last_ns = like->last_ns;
    row->key = like->slot.key;
    row->count = like->count;
    row->written = like->written;
    row->which = UINT64_MAX; /* not kept: any of them */
    row->size = 0;
    like->told = like->count;
    h->row(h->context, row);
}

static bool spend(struct history *h, int64_t time_ns)
{
    int64_t second = time_ns / SECOND_NS;
    if (second > h->second) {
        int64_t earned = (second - h->second) * HISTORY_ROWS_PER_SECOND;
        int64_t left = earned > HISTORY_BURST ? HISTORY_BURST : h->rows_left + earned;
        h->rows_left = (uint32_t)(left > HISTORY_BURST ? HISTORY_BURST : left);
        h->second = second;
    }
    if (h->rows_left == 0) {
        h->lost++;
        return false;
    }
    h->rows_left--;
    return true;
}

static void tell_event(struct history *h, struct like *like, const struct ot_event *e,
                       enum history_kind kind)
{
    struct history_row *row = &h->out;
    size_t size = event_pack(e, row->bytes);
    like->written = 0;
    if (size == 0)
        return;
    like->written = row->written = history_written(e, &row->which);
    row->time_ns = row->last_ns = e->time_ns;
    row->key = like->slot.key;
    row->count = 1;
    row->kind = (uint8_t)kind;
    row->size = (uint16_t)size;
    h->row(h->context, row);
}

/* Nobody does the same twice in one transfer block: those are told by the transfer's ends. */
static bool is_told_singly(const struct ot_event *e)
{
    return operation_is_critical(e->operation) && e->transfer.step != TRANSFER_BLOCK;
}

static struct like *find(struct history *h, struct history_like known, int64_t time_ns)
{
    if (!known.at || known.at->slot.key != known.key)
        return slots_find(&h->likes, known.key, time_ns);
    known.at->slot.used_ns = time_ns;
    return known.at;
}

/* The row began in the window of that time. */
static bool is_same_window(struct history *h, int64_t time_ns, int64_t row_ns)
{
    if (time_ns < h->from_ns || time_ns - h->from_ns >= WINDOW_NS)
        h->from_ns = time_ns / WINDOW_NS * WINDOW_NS;
    return row_ns >= h->from_ns && row_ns - h->from_ns < WINDOW_NS;
}

/* NULL: there was no room for it. */
static const struct like *note(struct history *h, const struct ot_event *e,
                               struct history_like known, enum history_kind kind)
{
    struct like *like = find(h, known, e->time_ns);
    bool is_over = like && !is_same_window(h, e->time_ns, like->row_ns);
    if (is_over && like->count > like->told)
        tell_count(h, like);
    if (like && !is_over && !is_told_singly(e)) {
        like->last_ns = e->time_ns;
        like->count++;
        return like;
    }
    if (!spend(h, e->time_ns)) { /* a new kind that cannot be told takes nobody's place */
        if (like)
            slots_drop(like); /* asked again the next time */
        return NULL;
    }
    if (like && !is_over && like->count > like->told)
        tell_count(h, like);
    bool is_new;
    if (!like)
        like = slots_take(&h->likes, known.key, e->time_ns, &is_new);
    like->row_ns = like->last_ns = e->time_ns;
    like->count = like->told = 1;
    tell_event(h, like, e, kind);
    return like;
}

static struct trail *trail_of(struct history *h, const struct ot_flow *flow)
{
    return &h->trails[flow->id % TRAILS];
}

/* Like table_follow of the baseline's tables, as far as it needs no search. */
static struct like *follow(const struct history *h, struct trail *trail, uint64_t key)
{
    struct like *next = slots_at(&h->likes, trail->next), *last = slots_at(&h->likes, trail->last);
    if (next->slot.key == key) {
        trail->last = trail->next;
        trail->next = next->then;
        return next;
    }
    if (last->slot.key == key)
        return last;
    next = slots_at(&h->likes, last->other);
    if (next->slot.key != key)
        return NULL;
    trail->last = last->other;
    trail->next = next->then;
    return next;
}

/* The trail turns off to a like that it did not expect. */
static void turn_off(struct history *h, struct trail *trail, const struct like *like)
{
    struct like *last = slots_at(&h->likes, trail->last);
    last->other = last->then;
    last->then = trail->last = (uint32_t)slots_index(&h->likes, like);
    trail->next = like->then;
}

void history_look(const struct history *h, const struct ot_flow *flow)
{
    fetch(&h->trails[flow->id % TRAILS]);
}

void history_look_on(const struct history *h, const struct ot_flow *flow)
{
    const struct trail *trail = &h->trails[flow->id % TRAILS];
    fetch(slots_at(&h->likes, trail->last));
    fetch(slots_at(&h->likes, trail->next));
}

struct history_like history_like(struct history *h, const struct ot_event *e, uint64_t pair)
{
    uint64_t key = event_key(h, e, pair);
    struct like *at = follow(h, trail_of(h, e->flow), key);
    if (!at)
        slots_expect(&h->likes, key);
    return (struct history_like){key, at};
}

void history_expect(const struct history *h, struct history_like like)
{
    if (!like.at)
        slots_expect_entry(&h->likes, like.key);
}

void history_event(struct history *h, const struct ot_event *e, struct history_like like)
{
    const struct like *noted = note(h, e, like, HISTORY_EVENT);
    if (!like.at && noted)
        turn_off(h, trail_of(h, e->flow), noted);
}

void history_flow(struct history *h, const struct ot_flow *flow, enum sigma_moment moment,
                  const char *protocol, int64_t time_ns, uint64_t pair)
{
    struct ot_event e = {.time_ns = time_ns,
                         .flow = flow,
                         .is_from_client = true,
                         .protocol = protocol ? protocol : "",
                         .code = {moment}};
    note(h, &e, (struct history_like){.key = event_key(h, &e, pair) ^ 2}, HISTORY_FLOW);
}

void history_tick(struct history *h, int64_t time_ns, bool is_last)
{
    if (!is_last && time_ns / WINDOW_NS == h->window)
        return;
    h->window = time_ns / WINDOW_NS;
    for (size_t i = 0; i < h->likes.capacity; i++) {
        struct like *like = slots_at(&h->likes, i);
        bool is_over = is_last || like->row_ns / WINDOW_NS != h->window;
        if (like->slot.key && is_over && like->count > like->told)
            tell_count(h, like);
    }
}
