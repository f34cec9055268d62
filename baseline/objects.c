/* objects.c: which addresses and tags an actor reads and writes on a target.
 *
 * Addresses are interval sets per unit, area and number; named things are single entries. What is
 * new after learning is kept beside what was learned, so that its repeats are one cause. Many new
 * things read in a short time are a sweep. */
#include "alarms.h"
#include "learned.h"

#include <string.h>

enum {
    SWEEP_NEWS = 6,  /* different new pieces read within SWEEP_WINDOW_NS; a new screen adds a few */
    HASH_SIXTH = 58, /* leaves six bits: one of 64 */
    STRANGER_NEWS = 16, /* all that a stranger reads is new: the pieces of a whole program */
};
static const int64_t SWEEP_WINDOW_NS = 30 * SECOND_NS;
static const uint64_t PENDING_SALT = 0x9e6c63d0876a9a62u;

/* A place, and what in it, as one number: asked for with every item. */
static uint64_t about_hash(uint64_t conversation_key, uint64_t unit, uint64_t area, uint64_t number,
                           unsigned marks)
{
    return hash_mix(hash_mix(conversation_key, unit), hash_mix(area, number << 8 | marks));
}

static unsigned marks_of(unsigned side, bool has_number, bool is_write)
{
    return side << 2 | (unsigned)has_number << 1 | is_write;
}

static uint64_t area_hash(const char *area)
{
    return area && *area ? hash_bytes(area, strlen(area)) : 0;
}

/* Areas are static texts: one that lies at the same place is the same. Those of a history are not.
 */
static uint64_t known_area_hash(const struct seen *s, const char *area)
{
    struct baseline *b = s->b;
    if (!area || s->event->is_replayed)
        return area_hash(area);
    struct area *known = &b->areas[(uintptr_t)area / sizeof(max_align_t) % AREAS];
    if (known->name != area)
        *known = (struct area){area, area_hash(area)};
    return known->hash;
}

uint64_t place_hash(const struct seen *s, const struct ot_item *item, bool is_write)
{
    return about_hash(s->conversation->e.key, s->unit, known_area_hash(s, item->area),
                      item->has_number ? item->number : 0,
                      marks_of(s->side, item->has_number, is_write));
}

uint64_t place_key_of(uint64_t conversation_key, const struct place *p, uint64_t more)
{
    return place_key(about_hash(conversation_key, p->unit_hash, area_hash(p->area), p->number,
                                marks_of(p->side, p->has_number, p->is_write)),
                     more);
}

static uint64_t pending_key(uint64_t key)
{
    return key ^ (PENDING_SALT & ~UINT64_C(1));
}

uint64_t range_key_of(uint64_t conversation_key, const struct range_facts *f, bool is_pending)
{
    uint64_t key = place_key_of(conversation_key, &f->place, 0);
    return is_pending ? pending_key(key) : key;
}

uint64_t tag_key_of(uint64_t conversation_key, const struct tag_facts *f)
{
    return place_key_of(conversation_key, &f->place, f->name_hash | 1);
}

void place_fill(struct place *p, const struct seen *s, const struct ot_item *item, bool is_write)
{
    p->conversation = conversation_id(&s->conversation->f);
    p->side = (uint8_t)s->side;
    p->has_number = item->has_number;
    p->number = item->has_number ? item->number : 0;
    p->is_write = is_write;
    p->unit_hash = s->unit;
    text_copy(p->unit, sizeof p->unit, s->event->unit);
    text_copy(p->area, sizeof p->area, text_of(item->area));
}

/* What objects are learned for, and in which of the two sets; false: neither. */
static bool kind_of(enum operation op, bool *is_write)
{
    const uint32_t writes = 1u << OP_WRITE | 1u << OP_CONTROL;
    const uint32_t reads = 1u << OP_READ | 1u << OP_SUBSCRIBE;
    *is_write = (writes >> op & 1) != 0;
    return ((writes | reads) >> op & 1) != 0;
}

static bool range_of(const struct ot_item *item, uint64_t *low, uint64_t *high)
{
    if (item->name.size > 0)
        return false;
    if (item->has_range) {
        *low = item->low;
        *high = item->high;
    } else if (item->has_start) {
        *low = item->start;
        *high = item->start + (item->count > 1 ? item->count - 1 : 0);
    } else {
        return false;
    }
    return *low <= *high;
}

static bool is_learning_objects(const struct seen *s)
{
    return baseline_is_learning(s->b, &s->conversation->f.objects);
}

static void tell_sweep(struct seen *s, const struct ot_item *item, const char *usual)
{
    struct pair *p = s->pair;
    uint64_t count;
    if (!repeat_is_due(&p->sweep_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_READ_SWEEP);
    char since[SINCE_TEXT];
    f->count = count;
    ot_item_print(item, f->object, sizeof f->object);
    text_format(f->key, sizeof f->key, "sweep");
    text_format(f->what, sizeof f->what,
                "reads its way through the memory of %%T (%u new pieces in %lld s)", p->sweep.count,
                (long long)((s->b->now_ns - p->sweep.start_ns) / SECOND_NS + 1));
    text_format(f->expected, sizeof f->expected, "%s, since %s", usual,
                since_print(since, s->conversation->e.first_ns));
    text_format(f->seen, sizeof f->seen, "last: %s", f->object);
    finding_raise(s, f);
}

/* True when this is part of a sweep, which is told once for all. */
static bool sweep_swallows(struct seen *s, uint64_t key, const struct ot_item *item)
{
    struct pair *p = s->pair;
    if (key != p->sweep_last) {
        p->sweep_last = key;
        window_count(&p->sweep, s->b->now_ns, SWEEP_WINDOW_NS);
    }
    if (p->sweep.count <= SWEEP_NEWS)
        return false;
    tell_sweep(s, item, "reads the same few pieces");
    return true;
}

static void tell(struct seen *s, const struct ot_item *item, bool is_write,
                 const struct interval_set *known, uint64_t known_id, struct repeat *told,
                 uint64_t sweep_key)
{
    if (!is_write && sweep_swallows(s, sweep_key, item))
        return;
    uint64_t count;
    if (!repeat_is_due(told, s->b->now_ns, &count))
        return;
    bool is_alarm = is_write && alarms_is_setting(item);
    struct finding *f =
        finding_begin(s, is_alarm ? DETECTION_RW_ALARM_LIMIT_WRITE : DETECTION_RW_NEW_ADDRESS);
    char since[SINCE_TEXT], list[160] = "";
    const char *verb = is_write ? "writes" : "reads";
    const char *area = item->area ? item->area : "object";
    f->count = count;
    if (is_write)
        f->flags |= FINDING_IS_WRITE;
    ot_item_print(item, f->object, sizeof f->object);
    if (is_write) /* each written object is a cause, what is read new in an area is one */
        text_format(f->key, sizeof f->key, "write %s", f->object);
    else
        text_format(f->key, sizeof f->key, "read %s %u", area, item->has_number ? item->number : 0);
    text_format(f->what, sizeof f->what, "%s %s of %%T%s, which it never did before", verb,
                f->object, is_alarm ? ", a setting of its alarms" : "");
    since_print(since, s->conversation->e.first_ns);
    if (known)
        text_format(f->expected, sizeof f->expected, "%s only %s %s, since %s", verb, area,
                    interval_set_print(known, list, sizeof list), since);
    else
        text_format(f->expected, sizeof f->expected,
                    "%s nothing of that kind there, known since %s", verb, since);
    text_format(f->seen, sizeof f->seen, "%s %s", verb, f->object);
    if (known)
        text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)known_id);
    finding_raise(s, f);
}

/* As for operations: where learning is slow, what is new is learned and told. */
static bool is_worth_telling(const struct seen *s)
{
    const struct settle *settle = &s->conversation->f.objects;
    return !s->is_told && baseline_is_late(s->b, settle, s->conversation->e.first_ns) &&
           settle->singles * 2 <= settle->draws;
}

static struct range *range_find_or_add(struct seen *s, const struct ot_item *item, bool is_write,
                                       uint64_t key, enum entry_state state)
{
    struct range *r = table_find(&s->b->ranges, key);
    if (!r) {
        r = table_add(&s->b->ranges, key, state, s->b->now_ns);
        place_fill(&r->f.place, s, item, is_write);
    }
    return r;
}

static void range_grow(struct seen *s, struct range *r, uint64_t low, uint64_t high)
{
    interval_set_add(&r->f.set, low, high);
    entry_change(&s->b->ranges, &r->e);
}

static uint32_t piece_hash(uint64_t low, uint64_t high)
{
    return (uint32_t)hash_mix(low, high) | 1;
}

/* Remembers a new piece until it is seen again. What is pushed out by newer ones counts as seen. */
static void fresh_add(struct settle *settle, struct range *r, uint64_t low, uint64_t high)
{
    if (r->fresh[r->fresh_at])
        settle->singles -= settle->singles > 0;
    else
        r->fresh_count++;
    r->fresh[r->fresh_at] = piece_hash(low, high);
    r->fresh_at = (uint8_t)((r->fresh_at + 1) % RANGE_FRESH);
}

/* How often the piece was seen before, as far as it matters: once, or more often. */
static uint64_t fresh_seen(struct range *r, uint64_t low, uint64_t high)
{
    uint32_t hash = piece_hash(low, high);
    for (int i = 0; i < RANGE_FRESH; i++) {
        if (r->fresh[i] == hash) {
            r->fresh[i] = 0;
            r->fresh_count--;
            return 1;
        }
    }
    return 2;
}

/* What has been learned in the meantime is pending no more. */
static void pending_forget(struct baseline *b, uint64_t key)
{
    struct range *pending = table_find(&b->ranges, pending_key(key));
    if (pending && pending->f.set.count > 0) {
        pending->f.set = (struct interval_set){0};
        entry_change(&b->ranges, &pending->e);
    }
}

static void judge_range(struct seen *s, const struct ot_item *item, bool is_write, uint64_t low,
                        uint64_t high)
{
    struct baseline *b = s->b;
    uint64_t key = place_key(place_hash(s, item, is_write), 0);
    struct range *known = table_follow(&b->ranges, &s->flow->ranges, key);
    if (known && interval_set_covers(&known->f.set, low, high) && known->e.state == ENTRY_LEARNED) {
        settle_draw(&s->conversation->f.objects,
                    known->fresh_count ? fresh_seen(known, low, high) : 2);
        entry_touch(&known->e, b->now_ns);
        return;
    }
    if (!known || known->e.state == ENTRY_LEARNED) {
        if (is_learning_objects(s) || baseline_covers(s, DETECTION_RW_NEW_ADDRESS, is_write)) {
            s->is_late = is_worth_telling(s);
            settle_new(&s->conversation->f.objects);
            settle_draw(&s->conversation->f.objects, 0);
            known = range_find_or_add(s, item, is_write, key, ENTRY_LEARNED);
            if (s->is_late)
                tell(s, item, is_write, &known->f.set, range_id(&known->f, false), &known->told,
                     hash_mix(key, hash_mix(low, high)));
            s->is_late = false;
            range_grow(s, known, low, high);
            fresh_add(&s->conversation->f.objects, known, low, high);
            entry_touch(&known->e, b->now_ns);
            pending_forget(b, key);
            return;
        }
    }
    if (known && known->e.state == ENTRY_REJECTED && !interval_set_covers(&known->f.set, low, high))
        known = NULL;
    struct range *pending = range_find_or_add(s, item, is_write, pending_key(key), ENTRY_PENDING);
    if (!interval_set_covers(&pending->f.set, low, high)) {
        range_grow(s, pending, low, high);
        pending->told = (struct repeat){0};
    }
    entry_touch(&pending->e, b->now_ns);
    known = table_find(&b->ranges, key); /* adding may have moved it out */
    tell(s, item, is_write, known ? &known->f.set : NULL, known ? range_id(&known->f, false) : 0,
         &pending->told, hash_mix(key, hash_mix(low, high)));
}

static void judge_tag(struct seen *s, const struct ot_item *item, bool is_write)
{
    struct baseline *b = s->b;
    uint64_t key = place_key(place_hash(s, item, is_write), name_hash(item->name) | 1);
    struct tag *t = table_follow(&b->tags, &s->flow->tags, key);
    if (t && t->e.state == ENTRY_LEARNED) {
        settle_draw(&s->conversation->f.objects, t->e.count);
        entry_touch(&t->e, b->now_ns);
        return;
    }
    bool learns = is_learning_objects(s);
    bool accepts = learns || baseline_covers(s, DETECTION_RW_NEW_ADDRESS, is_write);
    bool is_late = learns && !t && is_worth_telling(s);
    if (!t) {
        if (accepts) {
            settle_new(&s->conversation->f.objects);
            settle_draw(&s->conversation->f.objects, 0);
        }
        t = table_add(&b->tags, key, accepts ? ENTRY_LEARNED : ENTRY_PENDING, b->now_ns);
        place_fill(&t->f.place, s, item, is_write);
        text_copy(t->f.name, sizeof t->f.name, item->name);
        t->f.name_hash = name_hash(item->name);
    } else if (t->e.state == ENTRY_PENDING && accepts &&
               (!learns || b->options.mode == MODE_LEARN)) {
        table_state(&b->tags, &t->e, ENTRY_LEARNED);
    }
    entry_touch(&t->e, b->now_ns);
    s->is_late = is_late;
    if (t->e.state != ENTRY_LEARNED || is_late)
        tell(s, item, is_write, NULL, 0, &t->told, key);
    s->is_late = false;
}

void objects_judge(struct seen *s)
{
    const struct ot_event *e = s->event;
    uint32_t count = e->item_count < ITEMS_LOOKED_AT ? e->item_count : ITEMS_LOOKED_AT;
    for (uint32_t i = 0; i < count; i++) {
        const struct ot_item *item = &e->items[i];
        uint64_t low, high;
        bool is_write;
        if (!kind_of(item_operation(s, item), &is_write))
            continue;
        if (range_of(item, &low, &high))
            judge_range(s, item, is_write, low, high);
        else if (item->name.size > 0)
            judge_tag(s, item, is_write);
    }
}

/* Of what a stranger reads only a bit of each piece's hash is kept: enough to count so few. */
static void count_piece(struct seen *s, const struct ot_item *item)
{
    struct pair *p = s->pair;
    uint64_t where = item->name.size   ? name_hash(item->name)
                     : item->has_range ? item->low
                                       : item->start;
    /* whatever the unit: who tries all units is told as such */
    uint64_t bit = UINT64_C(1) << (hash_mix(where, item->number) >> HASH_SIXTH);
    if (s->b->now_ns - p->sweep.start_ns > SWEEP_WINDOW_NS) {
        p->sweep = (struct window){.start_ns = s->b->now_ns};
        p->sweep_seen = 0;
    }
    p->sweep.count += !(p->sweep_seen & bit);
    p->sweep_seen |= bit;
    if (p->sweep.count > STRANGER_NEWS)
        tell_sweep(s, item, "never read so much from it");
}

void objects_of_stranger(struct seen *s)
{
    const struct ot_event *e = s->event;
    uint32_t count = e->item_count < ITEMS_LOOKED_AT ? e->item_count : ITEMS_LOOKED_AT;
    bool has_browsed = s->pair->asker_told[s->side][true].last_ns != 0; /* that tells it all */
    for (uint32_t i = 0; i < count && !has_browsed; i++)
        if (item_operation(s, &e->items[i]) == OP_READ)
            count_piece(s, &e->items[i]);
}

void objects_approve(struct baseline *b, struct range *pending)
{
    uint64_t key = pending_key(pending->e.key); /* the other of the two */
    struct range copy = *pending;
    pending->f.set = (struct interval_set){0};
    entry_change(&b->ranges, &pending->e);
    struct range *known = table_find(&b->ranges, key);
    if (!known) {
        known = table_add(&b->ranges, key, ENTRY_LEARNED, copy.e.first_ns);
        known->f.place = copy.f.place;
        known->e.last_ns = copy.e.last_ns;
    }
    known->e.count += copy.e.count;
    for (unsigned i = 0; i < copy.f.set.count; i++)
        interval_set_add(&known->f.set, copy.f.set.at[i].low, copy.f.set.at[i].high);
    entry_change(&b->ranges, &known->e);
}
