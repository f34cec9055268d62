/* dissect_probe.c: the sensor's side of struct dissect, for tests. One flow, one pair of hosts, no
 * eviction by age. */
#include "dissect_probe.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    ARENA_SIZE = 1 << 16,
    REMEMBERED_MAX = 256, /* requests in flight per flow and dissector, PROTOCOLS 0 */
    PAIR_MAX = 64,
    PAIR_ENTRY_MAX = 64,
    LENT_PER_CALL_MAX = 1024, /* recalled requests that die at the end of the call */
    LAYERS_MAX = 64,
    UNREGISTERED_MAX = 16, /* dissectors of a test's own */
    BRINK_SIZE = 1 << 16,
};

struct kept {
    const struct dissector *dissector; /* NULL: of the pair */
    uint64_t key;
    uint64_t order; /* of arrival; the lowest is the oldest */
    void *bytes;    /* a block of exactly size bytes */
    size_t size;
};

struct layer { /* who keeps a carrier's layer */
    const struct dissector *below, *keeper;
};

struct direction {
    uint8_t *bytes;
    size_t size, capacity;
    uint64_t skip;
};

struct dissect_host {
    struct probe *probe;
};

struct probe_lent {
    struct dissect_host host;
    struct arena arena;
    struct packet packet;
    struct kept remembered[REMEMBERED_MAX];
    struct kept pair[PAIR_MAX];
    size_t remembered_count, pair_count; /* places ever used */
    void *dying[LENT_PER_CALL_MAX];
    size_t dying_size[LENT_PER_CALL_MAX];
    size_t dying_count;
    struct kept *states;
    size_t state_count;
    struct layer layers[LAYERS_MAX];
    size_t layer_count;
    struct direction streams[2];
    struct direction *speaking; /* the one that is being cut, NULL outside probe_stream */
    uint64_t order;
    bool is_swapped;
    const uint8_t *input;
    size_t input_size;
    uint8_t *brink; /* BRINK_SIZE bytes before a page that must not be read, or NULL */
};

static void *exact(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    assert(p);
    return p;
}

static bool is_on_brink(const struct probe *p, size_t size)
{
    return p && p->lent->brink && size <= BRINK_SIZE;
}

/* A copy that ends where reading further faults. p: NULL for a block of its own. */
static void *exact_copy(const struct probe *p, const void *bytes, size_t size)
{
    uint8_t *copy =
        is_on_brink(p, size) ? p->lent->brink + BRINK_SIZE - size : malloc(size ? size : 1);
    assert(copy);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

static void free_copy(const struct probe *p, void *copy, size_t size)
{
    if (!is_on_brink(p, size))
        free(copy);
}

struct probe *probe_create(enum transport transport)
{
    struct probe *p = exact(sizeof *p);
    p->lent = exact(sizeof *p->lent);
    p->lent->host.probe = p;
    p->lent->states = exact((dissector_count + UNREGISTERED_MAX) * sizeof *p->lent->states);
    bool has_arena = arena_create(&p->lent->arena, ARENA_SIZE);
    assert(has_arena);
    probe_reset(p, transport);
    return p;
}

static void free_kept(struct kept *kept, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(kept[i].bytes);
        kept[i] = (struct kept){0};
    }
}

static void free_dying(struct probe_lent *lent)
{
    for (size_t i = 0; i < lent->dying_count; i++)
        free(lent->dying[i]);
    lent->dying_count = 0;
}

void probe_reset(struct probe *p, enum transport transport)
{
    struct probe_lent *lent = p->lent;
    free_dying(lent);
    free_kept(lent->remembered, lent->remembered_count);
    free_kept(lent->pair, lent->pair_count);
    free_kept(lent->states, lent->state_count);
    lent->remembered_count = lent->pair_count = lent->state_count = lent->layer_count = 0;
    for (size_t i = 0; i < 2; i++)
        lent->streams[i].size = lent->streams[i].skip = 0;
    lent->order = lent->packet.number = 0;
    lent->is_swapped = false;
    lent->arena.size = ARENA_SIZE;
    probe_clear(p);
    p->pdu_count = 0;
    p->carrier = (struct carrier){0};
    p->link_type = 0;
    p->is_out_of_memory = p->is_terse = false;
    p->time_ns = 1000000000;
    p->flow = (struct ot_flow){
        .id = 1,
        .transport = (uint8_t)transport,
        .client = {{ADDRESS_IP4, {10, 0, 0, 1}}, {{2, 0, 0, 0, 0, 1}}, 49152},
        .server = {{ADDRESS_IP4, {10, 0, 0, 2}}, {{2, 0, 0, 0, 0, 2}}, 502  },
        .is_role_known = true,
        .is_start_seen = true,
        .is_two_sided = true,
    };
}

void probe_destroy(struct probe *p)
{
    if (!p)
        return;
    probe_reset(p, TRANSPORT_NONE);
    free(p->lent->states);
    free(p->lent->streams[0].bytes);
    free(p->lent->streams[1].bytes);
    arena_destroy(&p->lent->arena);
    if (p->lent->brink)
        munmap(p->lent->brink, BRINK_SIZE + (size_t)sysconf(_SC_PAGESIZE));
    free(p->lent);
    free(p->events);
    free(p->violations);
    free(p);
}

void probe_clear(struct probe *p)
{
    p->event_count = p->events_lost = 0;
    p->violation_count = p->violations_lost = 0;
}

void probe_set_arena(struct probe *p, size_t size)
{
    assert(size <= ARENA_SIZE);
    p->lent->arena.size = size;
}

void probe_set_brink(struct probe *p)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *brink =
        mmap(NULL, BRINK_SIZE + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(brink != MAP_FAILED);
    int result = mprotect((uint8_t *)brink + BRINK_SIZE, page, PROT_NONE);
    assert(result == 0);
    p->lent->brink = brink;
}

/* --- always true --- */

static bool is_within(const void *at, size_t size, const void *block, size_t block_size)
{
    uintptr_t a = (uintptr_t)at, b = (uintptr_t)block;
    return block && a >= b && a - b <= block_size && size <= block_size - (a - b);
}

/* The input, the arena, flow state, or a request remembered or recalled in this call. */
static bool is_lent(const struct probe_lent *lent, const void *at, size_t size)
{
    if (is_within(at, size, lent->input, lent->input_size) ||
        is_within(at, size, lent->arena.bytes, lent->arena.used))
        return true;
    for (size_t i = 0; i < lent->state_count; i++)
        if (is_within(at, size, lent->states[i].bytes, lent->states[i].size))
            return true;
    for (size_t i = 0; i < lent->dying_count; i++)
        if (is_within(at, size, lent->dying[i], lent->dying_size[i]))
            return true;
    for (size_t i = 0; i < lent->remembered_count; i++)
        if (is_within(at, size, lent->remembered[i].bytes, lent->remembered[i].size))
            return true;
    return false;
}

/* --- events in words --- */

struct words {
    char *out;
    size_t capacity, size;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *format, ...)
{
    if (w->size + 1 >= w->capacity)
        return;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(w->out + w->size, w->capacity - w->size, format, arguments);
    va_end(arguments);
    size_t left = w->capacity - w->size - 1;
    w->size += (size_t)n < left ? (size_t)n : left;
}

static void say_text(struct words *w, struct text text)
{
    assert(text.at || text.size == 0);
    char copy[512];
    say(w, "%s", text_copy(copy, sizeof copy, text));
}

static void say_value(struct words *w, const struct ot_value *v)
{
    switch (v->kind) {
    case OT_VALUE_NONE:
        say(w, "?");
        break;
    case OT_VALUE_BOOL:
        say(w, "%d", v->boolean);
        break;
    case OT_VALUE_UNSIGNED:
        say(w, "%" PRIu64, v->u);
        break;
    case OT_VALUE_SIGNED:
        say(w, "%" PRIi64, v->i);
        break;
    case OT_VALUE_FLOAT:
        say(w, "%g", v->f);
        break;
    case OT_VALUE_TEXT:
        say_text(w, v->text);
        break;
    case OT_VALUE_BYTES:
        for (size_t i = 0; i < v->text.size; i++)
            say(w, "%02x", (unsigned char)v->text.at[i]);
        break;
    }
}

static void say_status(struct words *w, const struct ot_status *status, const char *before)
{
    if (status->result == OT_RESULT_NONE)
        return;
    if (status->result == OT_RESULT_OK)
        say(w, "%sok", before);
    else
        say(w, "%serror %" PRIu32 "%s%s", before, status->code, status->name ? " " : "",
            status->name ? status->name : "");
}

static void say_item(struct words *w, const struct ot_item *item)
{
    char text[512];
    say(w, "%s", ot_item_print(item, text, sizeof text));
    if (item->operation != OP_UNKNOWN)
        say(w, "{%s}", operation_name(item->operation));
    for (uint32_t i = 0; i < item->values.count && w->size + 1 < w->capacity; i++) {
        struct ot_value value = ot_value_at(&item->values, i);
        say(w, i ? "," : "=");
        say_value(w, &value);
    }
    struct ot_value further;
    for (uint32_t i = 0; (further = ot_item_further(item, i)).kind != OT_VALUE_NONE; i++) {
        say(w, "|"); /* of a structure */
        say_value(w, &further);
    }
    say_status(w, &item->status, "!");
}

static void say_transfer(struct words *w, const struct ot_transfer *t)
{
    static const char *const steps[] = {"", "begin", "block", "end", "abort"};
    assert(t->step <= TRANSFER_ABORT);
    if (t->step == TRANSFER_NONE)
        return;
    say(w, "%s %s key=%" PRIu64, steps[t->step], operation_name(t->operation), t->key);
    if (t->name.size) {
        say(w, " name=");
        say_text(w, t->name);
    }
    if (t->declared_size)
        say(w, " declared=%" PRIu64, t->declared_size);
    if (t->size)
        say(w, " bytes=%zu", t->size);
}

static void check_event(const struct probe_lent *lent, const struct ot_event *e)
{
    assert(e->protocol && *e->protocol);
    assert(e->flow && e->packet);
    assert((unsigned)e->operation < OPERATION_COUNT);
    assert((unsigned)e->direction <= OT_ONEWAY);
    assert(e->item_count <= e->items_total || e->items_total == 0);
    assert(e->item_count == 0 || e->items);
    assert(e->fact_count == 0 || e->facts);
    assert(e->part_count == 0 || e->parts);
    assert(!e->telling || is_lent(lent, e->telling, e->telling_size));
    assert(!e->secret || is_lent(lent, e->secret, e->secret_size));
    assert(!e->transfer.size || is_lent(lent, e->transfer.bytes, e->transfer.size));
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        assert(item->manner < MANNER_COUNT);
        assert((unsigned)item->operation < OPERATION_COUNT);
        assert(!item->has_range || item->low <= item->high);
        static const size_t time_sizes[] = {[TIME_CP56] = 7, [TIME_CP24] = 3, [TIME_MS48] = 6};
        assert(!item->time || is_lent(lent, item->time, time_sizes[item->time_form]));
        assert(item->values.size == 0 || is_lent(lent, item->values.bytes, item->values.size));
    }
    for (uint32_t i = 0; i < e->fact_count; i++)
        assert((unsigned)e->facts[i].kind < FACT_COUNT);
}

#define WORDS(buffer)                                                                              \
    (struct words)                                                                                 \
    {                                                                                              \
        (buffer), sizeof(buffer), 0                                                                \
    }

static void copy_event(struct probe_event *out, const struct ot_event *e)
{
    *out = (struct probe_event){
        .protocol = e->protocol,
        .direction = ot_direction_name(e->direction),
        .operation = operation_name(e->operation),
        .op = e->operation,
        .function = e->function,
        .transaction = e->transaction,
        .has_transaction = e->has_transaction,
        .flags = e->flags,
        .item_count = e->item_count,
        .items_total = e->items_total,
        .fact_count = e->fact_count,
        .part_count = e->part_count,
        .is_from_client = e->is_from_client,
        .telling_size = e->telling ? e->telling_size : 0,
        .secret_size = e->secret ? e->secret_size : 0,
    };
    if (e->item_count) {
        out->has_range = e->items[0].has_range;
        out->low = e->items[0].low;
        out->high = e->items[0].high;
        out->manner = e->items[0].manner;
        if (!ot_item_time(&e->items[0], out->time))
            out->time[0] = '\0';
        out->is_boolean = ot_value_at(&e->items[0].values, 0).kind == OT_VALUE_BOOL;
    }
    ot_event_code(e, out->code);
    assert(out->code[0]);
    say(&WORDS(out->name), "%s", e->name ? e->name : "");
    say_text(&WORDS(out->unit), e->unit);
    say_text(&WORDS(out->detail), e->detail);
    say_status(&WORDS(out->status), &e->status, "");
    say_transfer(&WORDS(out->transfer), &e->transfer);

    struct words items = WORDS(out->items);
    for (uint32_t i = 0; i < e->item_count; i++) {
        say(&items, i ? "; " : "");
        say_item(&items, &e->items[i]);
    }
    struct words facts = WORDS(out->facts);
    for (uint32_t i = 0; i < e->fact_count; i++) {
        say(&facts, "%s%s%s=", i ? "; " : "", e->facts[i].is_about_receiver ? "~" : "",
            fact_name(e->facts[i].kind));
        say_text(&facts, e->facts[i].value);
    }
    struct words parts = WORDS(out->parts);
    for (uint32_t i = 0; i < e->part_count; i++) {
        say(&parts, i ? "; " : "");
        say_text(&parts, e->parts[i].unit);
        say(&parts, "=");
        say_text(&parts, e->parts[i].numbers);
    }
}

static void read_text(struct probe *p, struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        p->sum += (unsigned char)text.at[i];
}

static void read_value(struct probe *p, const struct ot_value *value)
{
    if (value->kind == OT_VALUE_TEXT || value->kind == OT_VALUE_BYTES)
        read_text(p, value->text);
    else if (value->kind != OT_VALUE_NONE && value->kind != OT_VALUE_BOOL)
        p->sum += value->u;
}

static void read_values(struct probe *p, const struct ot_item *item)
{
    for (uint32_t i = 0; i < item->values.count; i++) {
        struct ot_value value = ot_value_at(&item->values, i);
        read_value(p, &value);
    }
    struct ot_value further;
    for (uint32_t i = 0; (further = ot_item_further(item, i)).kind != OT_VALUE_NONE; i++)
        read_value(p, &further);
}

/* Every byte that an event points to, without the words. */
static void read_event(struct probe *p, const struct ot_event *e)
{
    char code[OT_CODE_SIZE];
    p->sum += (unsigned char)*ot_event_code(e, code);
    assert(code[0]);
    read_text(p, e->unit);
    read_text(p, e->detail);
    read_text(p, e->transfer.name);
    for (uint32_t i = 0; i < e->item_count; i++) {
        read_text(p, e->items[i].name);
        read_values(p, &e->items[i]);
    }
    for (uint32_t i = 0; i < e->fact_count; i++)
        read_text(p, e->facts[i].value);
    for (uint32_t i = 0; i < e->part_count; i++) {
        read_text(p, e->parts[i].unit);
        read_text(p, e->parts[i].numbers);
    }
    p->event_count++;
}

/* Lists grow when their count is 0 or a power of 2. */
static bool is_power_of_2(size_t n)
{
    return (n & (n - 1)) == 0;
}

/* --- what the sensor offers --- */

void event_start(struct ot_event *event, const struct dissect *d)
{
    *event = (struct ot_event){
        .time_ns = d->time_ns,
        .flow = d->flow,
        .packet = d->packet,
        .is_from_client = d->is_from_client,
        .direction = d->is_from_client ? OT_REQUEST : OT_RESPONSE,
        .protocol = d->dissector->name,
    };
}

void emit_event(struct dissect *d, const struct ot_event *event)
{
    struct probe *p = d->host->probe;
    check_event(p->lent, event);
    if (p->is_terse) {
        read_event(p, event);
        return;
    }
    if (p->event_count == PROBE_EVENTS_MAX) {
        p->events_lost++;
        return;
    }
    if (is_power_of_2(p->event_count)) {
        p->events =
            realloc(p->events, (p->event_count ? p->event_count * 2 : 1) * sizeof *p->events);
        assert(p->events);
    }
    copy_event(&p->events[p->event_count++], event);
}

static void keep_violation(struct probe *p, enum violation_kind kind, const char *why,
                           size_t telling_size, bool is_from_client)
{
    if (p->is_terse) {
        p->violation_count++;
        return;
    }
    if (p->violation_count == PROBE_VIOLATIONS_MAX) {
        p->violations_lost++;
        return;
    }
    if (is_power_of_2(p->violation_count)) {
        size_t room = p->violation_count ? p->violation_count * 2 : 1;
        p->violations = realloc(p->violations, room * sizeof *p->violations);
        assert(p->violations);
    }
    struct probe_violation *v = &p->violations[p->violation_count++];
    *v = (struct probe_violation){
        .kind = kind, .telling_size = telling_size, .is_from_client = is_from_client};
    say(&WORDS(v->why), "%s", why);
}

void emit_violation(struct dissect *d, enum violation_kind kind, const char *why, const void *at,
                    size_t size)
{
    struct probe *p = d->host->probe;
    assert((unsigned)kind < VIOLATION_COUNT_OF);
    assert(why && *why);
    assert(!at || is_lent(p->lent, at, size));
    keep_violation(p, kind, why, at ? size : 0, d->is_from_client);
}

static struct kept *kept_find(struct kept *kept, size_t count, const struct dissector *dissector,
                              uint64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (kept[i].bytes && kept[i].dissector == dissector && kept[i].key == key)
            return &kept[i];
    return NULL;
}

/* A free place, or the oldest of room. */
static struct kept *kept_place(struct kept *kept, size_t *count, size_t room)
{
    struct kept *oldest = &kept[0];
    for (size_t i = 0; i < *count; i++) {
        if (!kept[i].bytes)
            return &kept[i];
        if (kept[i].order < oldest->order)
            oldest = &kept[i];
    }
    return *count < room ? &kept[(*count)++] : oldest;
}

/* Bytes that a dissector may still hold live until the end of the call. */
static void let_die(struct probe_lent *lent, struct kept *kept)
{
    if (!kept->bytes)
        return;
    assert(lent->dying_count < LENT_PER_CALL_MAX);
    lent->dying_size[lent->dying_count] = kept->size;
    lent->dying[lent->dying_count++] = kept->bytes;
    kept->bytes = NULL;
}

void *dissect_remember(struct dissect *d, uint64_t key, size_t size, bool *was_in_flight)
{
    struct probe_lent *lent = d->host->probe->lent;
    assert(size <= REMEMBER_MAX);
    struct kept *place = kept_find(lent->remembered, lent->remembered_count, d->dissector, key);
    if (was_in_flight)
        *was_in_flight = place != NULL;
    if (!place)
        place = kept_place(lent->remembered, &lent->remembered_count, REMEMBERED_MAX);
    let_die(lent, place);
    *place = (struct kept){d->dissector, key, ++lent->order, exact(size), size};
    return place->bytes;
}

const void *dissect_recall(struct dissect *d, uint64_t key, size_t *size)
{
    struct probe_lent *lent = d->host->probe->lent;
    struct kept *kept = kept_find(lent->remembered, lent->remembered_count, d->dissector, key);
    if (!kept)
        return NULL;
    const void *bytes = kept->bytes;
    if (size)
        *size = kept->size;
    let_die(lent, kept);
    return bytes;
}

void *dissect_pair(struct dissect *d, uint64_t key, size_t size, bool create)
{
    struct probe_lent *lent = d->host->probe->lent;
    assert(size <= PAIR_ENTRY_MAX);
    struct kept *kept = kept_find(lent->pair, lent->pair_count, NULL, key);
    if (kept) {
        assert(kept->size == size); /* two uses of one key */
        return kept->bytes;
    }
    if (!create)
        return NULL;
    struct kept *place = kept_place(lent->pair, &lent->pair_count, PAIR_MAX);
    let_die(lent, place);
    *place = (struct kept){NULL, key, ++lent->order, exact(size), size};
    return place->bytes;
}

void dissect_sender_is_client(struct dissect *d, bool is_client)
{
    struct probe *p = d->host->probe;
    if (p->flow.is_start_seen || p->flow.is_role_known)
        return;
    p->flow.is_role_known = true;
    if (d->is_from_client == is_client)
        return;
    struct endpoint client = p->flow.client;
    p->flow.client = p->flow.server;
    p->flow.server = client;
    p->lent->is_swapped = !p->lent->is_swapped;
    d->is_from_client = is_client;
}

struct ot_item *dissect_items(struct dissect *d, uint32_t *count)
{
    size_t fits = (d->arena->size - d->arena->used) / sizeof(struct ot_item);
    struct ot_item *items = NULL;
    if (*count > fits)
        *count = (uint32_t)fits;
    while (*count && !(items = arena_take(d->arena, *count * sizeof *items)))
        --*count;
    return items;
}

struct ot_item *dissect_items_unset(struct dissect *d, uint32_t *count)
{
    enum { LEFT_OVER = 0xa5 };
    struct ot_item *items = dissect_items(d, count);
    return items ? memset(items, LEFT_OVER, *count * sizeof *items) : NULL;
}

struct ot_fact *dissect_facts(struct dissect *d, uint32_t *count)
{
    size_t fits = (d->arena->size - d->arena->used) / sizeof(struct ot_fact);
    struct ot_fact *facts = NULL;
    if (*count > fits)
        *count = (uint32_t)fits;
    while (*count && !(facts = arena_take(d->arena, *count * sizeof *facts)))
        --*count;
    return facts;
}

struct ot_part *dissect_parts(struct dissect *d, uint32_t *count)
{
    size_t fits = (d->arena->size - d->arena->used) / sizeof(struct ot_part);
    struct ot_part *parts = NULL;
    if (*count > fits)
        *count = (uint32_t)fits;
    while (*count && !(parts = arena_take(d->arena, *count * sizeof *parts)))
        --*count;
    return parts;
}

struct text dissect_text(struct dissect *d, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    char *kept = arena_take(d->arena, size + 1);
    if (!kept)
        return (struct text){NULL, 0};
    memcpy(kept, text, size + 1);
    return (struct text){kept, size};
}

/* --- feeding --- */

static void *state_of(struct probe_lent *lent, const struct dissector *dissector)
{
    assert(dissector->state_size <= DISSECTOR_STATE_MAX);
    struct kept *kept = kept_find(lent->states, lent->state_count, dissector, 0);
    if (!kept) {
        assert(lent->state_count < dissector_count + UNREGISTERED_MAX);
        kept = &lent->states[lent->state_count++];
        *kept = (struct kept){dissector, 0, 0, exact(dissector->state_size), dissector->state_size};
    }
    return kept->bytes;
}

bool dissect_grow(struct dissect *d, size_t size)
{
    struct probe_lent *lent = d->host->probe->lent;
    struct kept *kept = kept_find(lent->states, lent->state_count, d->dissector, 0);
    assert(kept && kept->bytes == d->state);
    if (size <= kept->size)
        return true;
    if (size > DISSECT_GROWN_MAX || d->host->probe->is_out_of_memory)
        return false;
    void *grown = exact(size);
    memcpy(grown, kept->bytes, kept->size);
    free(kept->bytes);
    kept->bytes = d->state = grown;
    kept->size = size;
    return true;
}

void dissect_skip(struct dissect *d, uint64_t size)
{
    struct direction *speaking = d->host->probe->lent->speaking;
    if (speaking)
        speaking->skip = size > UINT64_MAX - speaking->skip ? UINT64_MAX : speaking->skip + size;
}

static enum claim check_claim(enum claim claim)
{
    assert((unsigned)claim <= CLAIM_YES);
    return claim;
}

static struct frame check_frame(struct frame frame, size_t given)
{
    assert((unsigned)frame.verdict <= FRAME_BROKEN);
    assert(frame.verdict != FRAME_COMPLETE || frame.size > 0);
    if (frame.verdict == FRAME_COMPLETE && frame.size > given) /* the rest is still to come */
        frame = frame_need(frame.size);
    assert(frame.verdict != FRAME_NEED || frame.size > given);
    assert(frame.verdict != FRAME_BROKEN || (frame.why && *frame.why));
    assert((unsigned)frame.kind < VIOLATION_COUNT_OF);
    return frame;
}

static struct layer *layer_of(struct probe_lent *lent, const struct dissector *below)
{
    for (size_t i = 0; i < lent->layer_count; i++)
        if (lent->layers[i].below == below)
            return &lent->layers[i];
    if (lent->layer_count == LAYERS_MAX)
        return NULL;
    lent->layers[lent->layer_count] = (struct layer){below, NULL};
    return &lent->layers[lent->layer_count++];
}

/* One carried payload: as it is, or cut by the dissector's frame. */
static void dissect_payload(struct dissect *d, struct reader payload)
{
    if (!d->dissector->frame) {
        d->dissector->dissect(d, payload);
        return;
    }
    while (reader_left(&payload)) {
        struct frame frame = check_frame(d->dissector->frame(payload), reader_left(&payload));
        if (frame.verdict == FRAME_BROKEN)
            emit_violation(d, frame.kind, frame.why, payload.at, reader_left(&payload));
        if (frame.verdict != FRAME_COMPLETE)
            return;
        d->dissector->dissect(d, reader_take(&payload, frame.size));
    }
}

static bool is_claimed(const struct dissector *dissector, struct reader payload)
{
    enum claim claim = check_claim(dissector->recognise(payload));
    return claim == CLAIM_WEAK || claim == CLAIM_YES;
}

bool dissect_over(struct dissect *d, enum over over, struct reader payload,
                  const struct carrier *carrier)
{
    if (d->depth + 1 > DISSECT_DEPTH_MAX)
        return false;
    struct probe_lent *lent = d->host->probe->lent;
    struct layer *layer = layer_of(lent, d->dissector);
    const struct dissector *keeper = layer ? layer->keeper : NULL;
    if (keeper && !((keeper->over & (unsigned)over) &&
                    (over == OVER_WEBSOCKET || is_claimed(keeper, payload))))
        keeper = NULL;
    for (size_t i = 0; i < dissector_count && !keeper; i++)
        if ((dissectors[i]->over & (unsigned)over) && is_claimed(dissectors[i], payload))
            keeper = dissectors[i];
    if (!keeper)
        return false;
    if (layer)
        layer->keeper = keeper;
    struct dissect above = *d;
    above.dissector = keeper;
    above.state = state_of(lent, keeper);
    above.carrier = *carrier;
    above.depth = d->depth + 1;
    if (over == OVER_WEBSOCKET) /* frames of both need not begin together */
        keeper->dissect(&above, payload);
    else
        dissect_payload(&above, payload);
    d->is_from_client = above.is_from_client;
    return true;
}

/* bytes: a block of exactly size bytes. */
static void feed_exact(struct probe *p, const struct dissector *dissector, bool is_from_client,
                       const uint8_t *bytes, size_t size)
{
    struct probe_lent *lent = p->lent;
    struct endpoint *from = is_from_client != lent->is_swapped ? &p->flow.client : &p->flow.server;
    struct endpoint *to = from == &p->flow.client ? &p->flow.server : &p->flow.client;
    lent->input = bytes;
    lent->input_size = size;
    lent->packet = (struct packet){
        .time_ns = p->time_ns,
        .number = lent->packet.number + 1,
        .link_type = p->link_type,
        .bytes = bytes,
        .captured_size = (uint32_t)size,
        .wire_size = (uint32_t)size,
        .source = from->ip,
        .destination = to->ip,
        .source_mac = from->mac,
        .destination_mac = to->mac,
        .has_mac = true,
        .source_port = from->port,
        .destination_port = to->port,
        .transport = p->flow.transport,
        .payload = bytes,
        .payload_size = (uint32_t)size,
        .payload_wire_size = (uint32_t)size,
    };
    struct dissect d = {
        .dissector = dissector,
        .packet = &lent->packet,
        .flow = &p->flow,
        .is_from_client = is_from_client != lent->is_swapped,
        .time_ns = p->time_ns,
        .state = state_of(lent, dissector),
        .arena = &lent->arena,
        .carrier = p->carrier,
        .host = &lent->host,
    };
    p->flow.last_ns = p->time_ns;
    dissector->dissect(&d, reader_of(bytes, size));
    p->time_ns += 1000000;
    arena_reset(&lent->arena);
    free_dying(lent);
    lent->input = NULL;
    lent->input_size = 0;
}

void probe_feed(struct probe *p, const struct dissector *dissector, bool is_from_client,
                const void *bytes, size_t size)
{
    uint8_t *copy = exact_copy(p, bytes, size);
    feed_exact(p, dissector, is_from_client, copy, size);
    free_copy(p, copy, size);
}

void probe_hex(struct probe *p, const struct dissector *dissector, bool is_from_client,
               const char *hex)
{
    uint8_t bytes[8192];
    probe_feed(p, dissector, is_from_client, bytes, hex_bytes(bytes, sizeof bytes, hex));
}

enum claim probe_ask(const struct probe *p, const struct dissector *dissector, const void *bytes,
                     size_t size)
{
    uint8_t *copy = exact_copy(p, bytes, size);
    enum claim claim = check_claim(dissector->recognise(reader_of(copy, size)));
    free_copy(p, copy, size);
    return claim;
}

enum claim probe_recognise(const struct dissector *dissector, const void *bytes, size_t size)
{
    return probe_ask(NULL, dissector, bytes, size);
}

static struct frame frame_copy(const struct probe *p, const struct dissector *dissector,
                               const void *bytes, size_t size)
{
    uint8_t *copy = exact_copy(p, bytes, size);
    struct frame frame = check_frame(dissector->frame(reader_of(copy, size)), size);
    free_copy(p, copy, size);
    return frame;
}

struct frame probe_frame(const struct dissector *dissector, const void *bytes, size_t size)
{
    return frame_copy(NULL, dissector, bytes, size);
}

static struct frame frame_in_flow(struct probe *p, const struct dissector *dissector,
                                  bool is_from_client, const uint8_t *bytes, size_t size)
{
    if (!dissector->frame_in)
        return frame_copy(p, dissector, bytes, size);
    uint8_t *copy = exact_copy(p, bytes, size);
    const void *state = state_of(p->lent, dissector);
    struct frame frame =
        check_frame(dissector->frame_in(reader_of(copy, size), state, is_from_client), size);
    free_copy(p, copy, size);
    return frame;
}

enum frame_verdict probe_stream(struct probe *p, const struct dissector *dissector,
                                bool is_from_client, const void *bytes, size_t size)
{
    assert(dissector->frame);
    struct direction *direction = &p->lent->streams[is_from_client];
    if (size == 0)
        return FRAME_NEED;
    if (direction->size + size > direction->capacity) {
        direction->capacity = 2 * (direction->size + size);
        direction->bytes = realloc(direction->bytes, direction->capacity);
        assert(direction->bytes);
    }
    memcpy(direction->bytes + direction->size, bytes, size);
    direction->size += size;

    size_t done = 0;
    struct frame frame = frame_need(1);
    p->lent->speaking = direction;
    while (done < direction->size) {
        if (direction->skip) {
            size_t left = direction->size - done;
            size_t passed = direction->skip < left ? (size_t)direction->skip : left;
            direction->skip -= passed;
            done += passed;
            continue;
        }
        frame = frame_in_flow(p, dissector, is_from_client, direction->bytes + done,
                              direction->size - done);
        if (frame.verdict == FRAME_BROKEN) {
            keep_violation(p, frame.kind, frame.why, 0, is_from_client);
            done = direction->size;
        }
        if (frame.verdict != FRAME_COMPLETE)
            break;
        assert(dissector->pdu_max == 0 || frame.size <= dissector->pdu_max);
        probe_feed(p, dissector, is_from_client, direction->bytes + done, frame.size);
        p->pdu_count++;
        done += frame.size;
    }
    p->lent->speaking = NULL;
    direction->size -= done;
    memmove(direction->bytes, direction->bytes + done, direction->size);
    return frame.verdict;
}

/* --- reading --- */

static unsigned digit_of(char c)
{
    assert(isxdigit((unsigned char)c));
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

size_t hex_bytes(void *out, size_t capacity, const char *hex)
{
    uint8_t *bytes = out;
    size_t size = 0;
    for (const char *c = hex; *c;) {
        if (*c == ' ' || *c == ':') {
            c++;
            continue;
        }
        assert(size < capacity);
        bytes[size++] = (uint8_t)(digit_of(c[0]) << 4 | digit_of(c[1]));
        c += 2;
    }
    return size;
}

const struct probe_event *probe_event(const struct probe *p, size_t i)
{
    assert(i < p->event_count && !p->is_terse);
    return &p->events[i];
}

const struct probe_violation *probe_violation(const struct probe *p, size_t i)
{
    assert(i < p->violation_count && !p->is_terse);
    return &p->violations[i];
}

bool probe_has_violation(const struct probe *p, enum violation_kind kind)
{
    for (size_t i = 0; i < p->violation_count; i++)
        if (p->violations[i].kind == kind)
            return true;
    return false;
}

void probe_print(const struct probe *p, FILE *out)
{
    for (size_t i = 0; i < p->event_count; i++) {
        const struct probe_event *e = &p->events[i];
        fprintf(out,
                "%s %s %s %s %s unit=%s items=[%s] status=%s facts=[%s] transfer=[%s] detail=[%s] "
                "flags=%" PRIx32 "\n",
                e->protocol, e->direction, e->operation, e->code, e->name, e->unit, e->items,
                e->status, e->facts, e->transfer, e->detail, e->flags);
    }
    for (size_t i = 0; i < p->violation_count; i++)
        fprintf(out, "violation %s: %s\n", violation_name(p->violations[i].kind),
                p->violations[i].why);
}
