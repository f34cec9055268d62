/* baseline.c: the learners of one worker: their tables, and the way of an event through them. */
#include "learned.h"

#include "sensor/base/json_writer.h"
#include "sensor/base/pages.h"

#include <stdlib.h>
#include <string.h>

/* Sizes against options.conversations_max (rows.h and learned.h say what an entry takes). At the
 * default of 16384 there is room for 130,000 tags, as many polled pieces and 65,000 written values
 * in 150 MB of address space, of which only what is used becomes memory. */
enum {
    CONVERSATIONS_LEAST = 64,
    PAIRS_PER = 2,       /* one pair entry for two conversations */
    OPERATIONS_EACH = 2, /* two operations for a conversation, and so on */
    RANGES_EACH = 1,
    TAGS_EACH = 8,
    POINTS_EACH = 4,
    BLOCKS_EACH = 8,
    PAGES_PER = 2,
    GREATEST_EACH = TAGS_EACH > BLOCKS_EACH ? TAGS_EACH : BLOCKS_EACH,
};
static const int64_t SAVE_TOUCHED_NS =
    300 * SECOND_NS; /* times and counts alone need not be saved more often */

struct baseline *baseline_create(const struct baseline_options *options,
                                 const struct finding_sink *sink)
{
    struct baseline *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->options = *options;
    b->sink = *sink;
    text_copy(b->sensor, sizeof b->sensor, text_of(options->sensor));
    uint32_t n = options->conversations_max < CONVERSATIONS_LEAST
                     ? CONVERSATIONS_LEAST
                     : (uint32_t)options->conversations_max;
    b->decisions = calloc(BASELINE_DECISIONS_MAX, sizeof *b->decisions);
    for (b->flow_sets = CONVERSATIONS_LEAST; b->flow_sets * FLOW_WAYS < n;)
        b->flow_sets *= 2;
    b->flows = pages_take(b->flow_sets * sizeof *b->flows);
    b->watched = calloc(n, sizeof *b->watched);
    b->order = calloc((size_t)n * GREATEST_EACH, sizeof *b->order);
    if (!b->decisions || !b->flows || !b->watched || !b->order ||
        !table_create(&b->pairs, sizeof(struct pair), n / PAIRS_PER) ||
        !table_create(&b->conversations, sizeof(struct conversation), n) ||
        !table_create(&b->operations, sizeof(struct operation_entry), n * OPERATIONS_EACH) ||
        !table_create(&b->ranges, sizeof(struct range), n * RANGES_EACH) ||
        !table_create(&b->tags, sizeof(struct tag), n * TAGS_EACH) ||
        !table_create(&b->points, sizeof(struct point), n * POINTS_EACH) ||
        !table_create(&b->blocks, sizeof(struct block), n * BLOCKS_EACH) ||
        !table_create(&b->pages, sizeof(struct page), n / PAGES_PER)) {
        baseline_destroy(b);
        return NULL;
    }
    return b;
}

void baseline_destroy(struct baseline *b)
{
    if (!b)
        return;
    table_destroy(&b->pairs);
    table_destroy(&b->conversations);
    table_destroy(&b->operations);
    table_destroy(&b->ranges);
    table_destroy(&b->tags);
    table_destroy(&b->points);
    table_destroy(&b->blocks);
    table_destroy(&b->pages);
    pages_give(b->flows, b->flow_sets * sizeof *b->flows);
    free(b->watched);
    free(b->order);
    free(b->decisions);
    free(b);
}

void baseline_state(const struct baseline *b, struct baseline_state *state)
{
    const struct table *tables[] = {&b->pairs, &b->conversations, &b->operations, &b->ranges,
                                    &b->tags,  &b->points,        &b->blocks,     &b->pages};
    *state = (struct baseline_state){.findings = b->findings};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        state->entries += tables[i]->used;
        state->pending += tables[i]->pending;
        state->evicted += tables[i]->evicted;
        state->bytes += table_bytes(tables[i]);
    }
    state->pairs = b->pairs.used;
    state->conversations = b->conversations.used;
    state->is_settled = settle_is_settled(&b->links, b->options.settle_min_ns);
}

char *since_print(char out[SINCE_TEXT], int64_t time_ns)
{
    enum { DATE_SIZE = 10, MINUTE_END = 16 }; /* of "2015-10-21T07:28:00.000000Z" */
    char text[TIME_TEXT_SIZE];
    time_print(text, time_ns);
    text[DATE_SIZE] = ' ';
    text[MINUTE_END] = '\0';
    return text_join(out, SINCE_TEXT, text, " UTC", NULL);
}

struct finding *finding_begin(struct seen *s, enum detection detection)
{
    struct finding *f = &s->b->finding;
    finding_of_event(f, detection, s->event);
    if (operations_is_actor_new(s->pair, s->side, s->event->operation) &&
        s->pair->e.state != ENTRY_LEARNED)
        f->flags |= FINDING_ACTOR_NEW;
    return f;
}

void finding_of_device(const struct seen *s, struct finding *f)
{
    struct endpoint client = f->actor;
    if (s->event->direction == OT_ONEWAY)
        return; /* who sent it is the actor */
    f->actor = f->target;
    f->target = client;
}

void finding_raise(struct seen *s, struct finding *f)
{
    struct baseline *b = s->b;
    if (b->options.is_engineering_station &&
        b->options.is_engineering_station(b->options.context, f->segment, &f->actor))
        f->flags |= FINDING_ENGINEERING_STATION;
    if (s->is_late ||
        (b->options.mode == MODE_AUTO && !settle_is_settled(&b->links, b->options.settle_min_ns)))
        f->flags |= FINDING_STILL_LEARNING;
    b->findings++;
    b->sink.finding(b->sink.context, f);
}

void baseline_called(struct baseline *b, const struct ot_flow *flow, const struct packet *packet)
{
    conversations_called(b, flow, packet);
}

void baseline_link(struct baseline *b, const struct ot_flow *flow, const struct packet *packet)
{
    conversations_link(b, flow, packet);
}

void baseline_finished(struct baseline *b, const struct ot_flow *flow)
{
    conversations_finished(b, flow);
}

void baseline_protocol(struct baseline *b, const struct ot_flow *flow, const char *protocol,
                       const struct packet *packet)
{
    struct seen s = {.b = b};
    conversations_find(&s, flow, protocol ? protocol : "", packet,
                       packet ? packet->time_ns : flow->last_ns);
}

void baseline_violation(struct baseline *b, const struct violation *violation)
{
    struct seen s = {.b = b};
    conversations_find(&s, violation->flow, violation->protocol, violation->packet,
                       violation->time_ns);
}

/* A response tells of its request only on a mirror that shows nothing else; and that is known only
 * after a while. */
static bool is_only_side(const struct ot_event *e)
{
    enum { SURE_NS = 30 };
    const struct ot_flow *f = e->flow;
    return (e->flags & OT_NO_REQUEST) && !f->is_two_sided &&
           f->last_ns - f->first_ns > SURE_NS * SECOND_NS;
}

void baseline_expect(struct baseline *b, const struct ot_event *event)
{
    conversations_expect(b, event);
}

void baseline_look(const struct baseline *b, const struct ot_flow *flow)
{
    conversations_look(b, flow);
}

void baseline_look_on(const struct baseline *b, const struct ot_flow *flow)
{
    conversations_look_on(b, flow);
}

void baseline_event(struct baseline *b, const struct ot_event *event)
{
    struct seen s = {.b = b, .event = event};
    conversations_find(&s, event->flow, event->protocol, event->packet, event->time_ns);
    if (event->direction == OT_ONEWAY && !event->is_from_client)
        s.side = !s.side;
    s.unit = conversations_unit(&s);
    b->fresh_event = event;
    b->fresh_time_ns = event->time_ns;
    b->fresh_is_actor_new = operations_is_actor_new(s.pair, s.side, event->operation);
    if (event->direction != OT_RESPONSE || is_only_side(event)) {
        operations_judge(&s);
        if (s.is_known && event->direction != OT_RESPONSE)
            objects_judge(&s);
        else if (b->has_learned && event->operation == OP_READ && event->direction != OT_RESPONSE)
            objects_of_stranger(&s);
        if (event->direction != OT_RESPONSE)
            values_judge(&s);
        rates_judge(&s);
        sealing_judge(&s);
    }
    if (event->direction != OT_REQUEST &&
        (event->operation == OP_READ || blocks_are_reported(event)))
        blocks_judge(&s);
    answers_judge(&s);
    volume_judge(&s);
    if (event->direction != OT_REQUEST)
        silence_beat(&s);
}

bool baseline_is_actor_new(const struct baseline *b, const struct ot_event *event)
{
    if (b->fresh_event == event && b->fresh_time_ns == event->time_ns)
        return b->fresh_is_actor_new; /* judged and perhaps learned just now */
    return conversations_is_actor_new(b, event);
}

bool baseline_is_usual(const struct baseline *b, const struct ot_event *event)
{
    return b->options.mode == MODE_LEARN || conversations_is_usual(b, event);
}

bool baseline_is_known(const struct baseline *b, const struct ot_flow *flow, const char *protocol)
{
    return b->options.mode == MODE_LEARN || conversations_is_known(b, flow, protocol);
}

bool baseline_is_learned(const struct baseline *b, const struct ot_flow *flow, const char *protocol)
{
    const struct conversation *c = conversations_get(b, flow, protocol);
    return c && c->e.state == ENTRY_LEARNED;
}

/* A stretch without change that lasts until the end of learning belongs to what is normal. */
static void learn_open_stretches(struct baseline *b)
{
    for (uint32_t i = 0; i < b->blocks.used; i++) {
        struct block *k = (struct block *)(void *)table_at(&b->blocks, i);
        if (k->e.state != ENTRY_LEARNED || k->polled_ns == 0 || k->is_frozen)
            continue;
        if (k->polled_ns - k->changed_ns > k->f.longest_unchanged_ns)
            k->f.longest_unchanged_ns = k->polled_ns - k->changed_ns;
        if (k->unchanged_polls > k->f.longest_unchanged_polls)
            k->f.longest_unchanged_polls = k->unchanged_polls;
    }
}

void baseline_tick(struct baseline *b, int64_t time_ns, bool is_last)
{
    if (time_ns > b->now_ns)
        b->now_ns = time_ns;
    if (is_last && !b->is_last && b->options.mode != MODE_DETECT)
        learn_open_stretches(b);
    settle_look(&b->links, b->options.settle_min_ns);
    silence_look(b, is_last && !b->is_last);
    b->is_last = is_last;
}

/* --- rows --- */

struct saving {
    struct baseline *b;
    void (*put)(void *context, const struct baseline_row *row);
    void *context;
};

static int newest_first(const void *a, const void *b)
{
    const struct saved *x = a, *y = b;
    if (x->first_ns != y->first_ns)
        return x->first_ns > y->first_ns ? -1 : 1;
    return x->place > y->place ? -1 : x->place < y->place;
}

/* What has to be saved, the newest first, as the store has it: its tables are written from one end
 * to the other, and stay dense. In a table that was never full it lies so. */
static size_t collect(const struct table *t, bool with_touched, struct saved *order)
{
    size_t count = 0;
    bool is_in_order = true;
    for (uint32_t i = t->used; i-- > 0;) {
        const struct entry *e = table_at(t, i);
        if (!e->is_changed && !(with_touched && e->is_touched))
            continue;
        order[count] = (struct saved){e->first_ns, i};
        is_in_order &= count == 0 || e->first_ns <= order[count - 1].first_ns;
        count++;
    }
    if (!is_in_order)
        qsort(order, count, sizeof *order, newest_first);
    return count;
}

static void
save_table(const struct saving *saving, struct table *t, enum baseline_kind kind, bool with_touched,
           void (*fill)(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row))
{
    if (t->changed == 0 && !with_touched)
        return;
    struct saved *order = saving->b->order;
    size_t count = collect(t, with_touched, order);
    for (size_t i = 0; i < count; i++) {
        struct entry *e = table_at(t, order[i].place);
        struct baseline_row row = {.kind = kind,
                                   .state = e->state,
                                   .first_ns = e->first_ns,
                                   .last_ns = e->last_ns,
                                   .count = e->count};
        text_copy(row.sensor, sizeof row.sensor, text_of(saving->b->sensor));
        fill(e, saving->b->options.settle_min_ns, &row);
        saving->put(saving->context, &row);
        e->is_changed = e->is_touched = false;
    }
    t->changed = 0;
}

static void fill_pair(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row)
{
    (void)settle_min_ns;
    row->is.pair = ((const struct pair *)(const void *)e)->f;
    row->id = pair_id(&row->is.pair);
}

static void fill_settle(struct settle *s, int64_t minimum_ns)
{
    enum { PERCENT = 100 };
    s->known = (uint8_t)(PERCENT * (1 - settle_chance(s)));
    s->is_settled = settle_is_settled(s, minimum_ns);
}

static void fill_conversation(const struct entry *e, int64_t settle_min_ns,
                              struct baseline_row *row)
{
    row->is.conversation = ((const struct conversation *)(const void *)e)->f;
    fill_settle(&row->is.conversation.operations, settle_min_ns);
    fill_settle(&row->is.conversation.objects, settle_min_ns);
    row->id = conversation_id(&row->is.conversation);
}

static void fill_operation(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row)
{
    (void)settle_min_ns;
    row->is.operation = ((const struct operation_entry *)(const void *)e)->f;
    row->id = operation_id(&row->is.operation);
}

static void fill_range(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row)
{
    (void)settle_min_ns;
    row->is.range = ((const struct range *)(const void *)e)->f;
    row->id = range_id(&row->is.range, e->state == ENTRY_PENDING);
}

static void fill_tag(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row)
{
    (void)settle_min_ns;
    row->is.tag = ((const struct tag *)(const void *)e)->f;
    row->id = tag_id(&row->is.tag);
}

static void fill_point(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row)
{
    (void)settle_min_ns;
    row->is.point = ((const struct point *)(const void *)e)->f;
    row->id = point_id(&row->is.point);
}

static void fill_block(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row)
{
    (void)settle_min_ns;
    row->is.block = ((const struct block *)(const void *)e)->f;
    row->id = block_id(&row->is.block);
}

static void fill_page(const struct entry *e, int64_t settle_min_ns, struct baseline_row *row)
{
    (void)settle_min_ns;
    row->is.page = ((const struct page *)(const void *)e)->f;
    row->id = page_id(&row->is.page);
}

void baseline_changes(struct baseline *b,
                      void (*put)(void *context, const struct baseline_row *row), void *context)
{
    const struct saving saving = {b, put, context};
    bool with_touched = b->is_last || b->now_ns - b->saved_ns >= SAVE_TOUCHED_NS;
    if (with_touched) {
        b->saved_ns = b->now_ns;
        struct baseline_row row = {
            .kind = BASELINE_LINKS, .count = b->links.news, .last_ns = b->now_ns};
        text_copy(row.sensor, sizeof row.sensor, text_of(b->sensor));
        row.is.links = b->links;
        fill_settle(&row.is.links, b->options.settle_min_ns);
        row.id = b->options.worker;
        put(context, &row);
    }
    save_table(&saving, &b->pairs, BASELINE_PAIR, with_touched, fill_pair);
    save_table(&saving, &b->conversations, BASELINE_CONVERSATION, with_touched, fill_conversation);
    save_table(&saving, &b->operations, BASELINE_OPERATION, with_touched, fill_operation);
    save_table(&saving, &b->ranges, BASELINE_RANGE, with_touched, fill_range);
    save_table(&saving, &b->tags, BASELINE_TAG, with_touched, fill_tag);
    save_table(&saving, &b->points, BASELINE_POINT, with_touched, fill_point);
    save_table(&saving, &b->blocks, BASELINE_BLOCK, with_touched, fill_block);
    save_table(&saving, &b->pages, BASELINE_PAGE, with_touched, fill_page);
}

/* --- loading --- */

struct known_id { /* where a row's parent is in memory */
    uint64_t id, key;
};

struct loading {
    struct baseline *b;
    uint32_t worker, workers;
    struct known_id *conversations;
    size_t count;
    bool has_doubles;
};

static int compare_ids(const void *a, const void *b)
{
    const struct known_id *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static uint64_t conversation_key_of(const struct loading *l, uint64_t id)
{
    struct known_id wanted = {.id = id};
    const struct known_id *found =
        bsearch(&wanted, l->conversations, l->count, sizeof *l->conversations, compare_ids);
    return found ? found->key : 0;
}

static void *load_entry(struct loading *l, struct table *t, uint64_t key,
                        const struct baseline_row *row)
{
    if (table_find(t, key)) {
        l->has_doubles = true;
        return NULL;
    }
    if (t->used >= t->capacity)
        return NULL; /* smaller tables than those that were saved: the rest is learned again */
    struct entry *e = table_add(t, key, row->state, row->first_ns);
    e->last_ns = row->last_ns;
    e->count = row->count;
    e->is_changed = false;
    t->changed--;
    return e;
}

static bool load_pair(void *context, const struct baseline_row *row)
{
    struct loading *l = context;
    struct baseline *b = l->b;
    if (conversations_worker(&row->is.pair, l->workers) != l->worker)
        return true;
    struct pair *p = load_entry(l, &b->pairs, conversations_pair_key(&row->is.pair), row);
    if (!p)
        return true;
    p->f = row->is.pair;
    b->has_learned = true;
    if (row->state == ENTRY_LEARNED &&
        (b->learned_since_ns == 0 || row->first_ns < b->learned_since_ns))
        b->learned_since_ns = row->first_ns;
    return true;
}

static bool load_conversation(void *context, const struct baseline_row *row)
{
    struct loading *l = context;
    struct baseline *b = l->b;
    uint64_t pair_key = conversation_key_of(l, row->is.conversation.pair);
    if (!pair_key)
        return true;
    struct conversation *c = load_entry(
        l, &b->conversations, conversations_key(pair_key, row->is.conversation.protocol), row);
    if (!c)
        return true;
    c->f = row->is.conversation;
    c->pair_key = pair_key;
    silence_added(b, c);
    return true;
}

static bool load_child(void *context, const struct baseline_row *row)
{
    struct loading *l = context;
    struct baseline *b = l->b;
    uint64_t parent = conversation_key_of(l, row_parent(row));
    if (!parent)
        return true;
    switch (row->kind) {
    case BASELINE_OPERATION: {
        struct operation_entry *o =
            load_entry(l, &b->operations, operations_key_of(parent, &row->is.operation), row);
        if (o)
            o->f = row->is.operation;
        if (o && row->state == ENTRY_LEARNED)
            operations_remember(b, parent, &o->f);
        break;
    }
    case BASELINE_RANGE: {
        uint64_t key = range_key_of(parent, &row->is.range, row->state == ENTRY_PENDING);
        struct range *r = load_entry(l, &b->ranges, key, row);
        if (r)
            r->f = row->is.range;
        break;
    }
    case BASELINE_TAG: {
        struct tag *t = load_entry(l, &b->tags, tag_key_of(parent, &row->is.tag), row);
        if (t)
            t->f = row->is.tag;
        break;
    }
    case BASELINE_POINT: {
        struct point *p = load_entry(l, &b->points, point_key_of(parent, &row->is.point), row);
        if (p)
            p->f = row->is.point;
        break;
    }
    case BASELINE_PAGE: {
        struct page *p = load_entry(l, &b->pages, page_key_of(parent, &row->is.page), row);
        if (p)
            p->f = row->is.page;
        break;
    }
    default: {
        struct block *k = load_entry(l, &b->blocks, block_key_of(parent, &row->is.block), row);
        if (k)
            k->f = row->is.block;
        break;
    }
    }
    return true;
}

static bool load_links(void *context, const struct baseline_row *row)
{
    struct loading *l = context;
    if (row->is.links.observed_ns > l->b->links.observed_ns)
        l->b->links = row->is.links; /* of the worker that saw most */
    return true;
}

static void index_pairs(struct loading *l)
{
    const struct table *t = &l->b->pairs;
    l->count = t->used;
    for (uint32_t i = 0; i < t->used; i++) {
        const struct pair *p = (const void *)table_at(t, i);
        l->conversations[i] = (struct known_id){pair_id(&p->f), p->e.key};
    }
    qsort(l->conversations, l->count, sizeof *l->conversations, compare_ids);
}

static void index_conversations(struct loading *l)
{
    const struct table *t = &l->b->conversations;
    l->count = t->used;
    for (uint32_t i = 0; i < t->used; i++) {
        const struct conversation *c = (const void *)table_at(t, i);
        l->conversations[i] = (struct known_id){conversation_id(&c->f), c->e.key};
    }
    qsort(l->conversations, l->count, sizeof *l->conversations, compare_ids);
}

bool baseline_load(struct baseline *b, struct store *store, uint32_t worker, uint32_t workers,
                   struct error *err)
{
    struct loading l = {.b = b, .worker = worker, .workers = workers ? workers : 1};
    l.conversations = calloc(b->conversations.capacity, sizeof *l.conversations);
    if (!l.conversations)
        return error_set(err, "no memory to load the baseline");
    b->options.worker = worker;
    bool ok = baseline_rows_read(store, b->sensor, BASELINE_LINKS, load_links, &l, err) &&
              baseline_rows_read(store, b->sensor, BASELINE_PAIR, load_pair, &l, err);
    if (ok) {
        index_pairs(&l);
        ok =
            baseline_rows_read(store, b->sensor, BASELINE_CONVERSATION, load_conversation, &l, err);
    }
    if (ok) {
        index_conversations(&l);
        for (int kind = BASELINE_OPERATION; kind < BASELINE_KINDS && ok; kind++)
            ok =
                baseline_rows_read(store, b->sensor, (enum baseline_kind)kind, load_child, &l, err);
    }
    free(l.conversations);
    return ok && (!l.has_doubles || baseline_rows_unite(store, b->sensor, err));
}
