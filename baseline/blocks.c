/* blocks.c: what is polled or reported, and whether it still changes.
 *
 * Of each piece only a hash of its last bytes is kept: cheap, and enough to see that values which
 * used to change have stopped changing while the polls go on. A device that reports only changes
 * (OPC UA) says when it has none: changes that used to come and do not any more are the same. */
#include "learned.h"

#include <string.h>

enum {
    FROZEN_CHANGES = 8, /* changes that must have been learned */
    FROZEN_FACTOR = 5,  /* times the longest time unchanged */
    FROZEN_POLLS = 5,   /* same polls in a row at least */
    QUIET_REPORTS = 2,  /* without a change: they come seldom */
    VALUES_SIZE_MIN = 1,
};
/* Stands for reports of changes alone, and whether there are any. */
static const struct ot_item changes = {.area = "changes"};
static const int64_t FROZEN_MIN_NS = 8 * SECOND_NS;
static const int64_t POLL_PAUSE_NS =
    180 * SECOND_NS; /* polls so far apart are no polling: begin anew */

uint64_t block_more(uint64_t name_hash, uint64_t address, uint32_t size)
{
    return hash_mix(hash_mix(name_hash, address), size + UINT64_C(1));
}

uint64_t block_key_of(uint64_t conversation_key, const struct block_facts *f)
{
    return place_key_of(conversation_key, &f->place, block_more(f->name_hash, f->address, f->size));
}

static void tell(struct seen *s, struct block *k, const struct ot_item *item)
{
    uint64_t count;
    if (!repeat_is_due(&s->conversation->frozen_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_VALUE_FROZEN);
    char since[SINCE_TEXT];
    finding_of_device(s, f);
    f->count = count;
    ot_item_print(item, f->object, sizeof f->object);
    text_format(f->key, sizeof f->key, "frozen %s", k->f.place.unit);
    text_format(f->what, sizeof f->what,
                "gives %%T the same values of %s for %lld s now, though they always changed",
                f->object, (long long)((s->b->now_ns - k->changed_ns) / SECOND_NS));
    text_format(f->expected, sizeof f->expected,
                "a change at least every %.1f s (%llu changes since %s)",
                (double)k->f.longest_unchanged_ns / (double)SECOND_NS,
                (unsigned long long)k->f.changes, since_print(since, k->e.first_ns));
    text_format(f->seen, sizeof f->seen, "unchanged for %u polls", k->unchanged_polls);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)block_id(&k->f));
    finding_raise(s, f);
}

static bool is_frozen(const struct block *k, unsigned polls_min, int64_t now_ns)
{
    int64_t still = now_ns - k->changed_ns;
    return k->unchanged_polls >= polls_min && k->f.changes >= FROZEN_CHANGES &&
           k->unchanged_polls > FROZEN_FACTOR * k->f.longest_unchanged_polls &&
           k->e.state == ENTRY_LEARNED && still >= FROZEN_MIN_NS &&
           still > FROZEN_FACTOR * k->f.longest_unchanged_ns;
}

static struct block *block_find_or_add(struct seen *s, const struct ot_item *item)
{
    struct baseline *b = s->b;
    uint64_t name = name_hash(item->name);
    uint64_t address = item->has_range ? item->low : item->has_start ? item->start : 0;
    uint64_t key = place_key(place_hash(s, item, false), block_more(name, address, item->count));
    struct block *k = table_follow(&b->blocks, &s->flow->blocks, key);
    if (!k) {
        bool learns = s->conversation->e.state == ENTRY_LEARNED &&
                      s->pair->e.state == ENTRY_LEARNED &&
                      baseline_is_learning(b, &s->conversation->f.objects);
        k = table_add(&b->blocks, key, learns ? ENTRY_LEARNED : ENTRY_PENDING, b->now_ns);
        place_fill(&k->f.place, s, item, false);
        k->f.address = address;
        k->f.size = item->count;
        text_copy(k->f.name, sizeof k->f.name, item->name);
        k->f.name_hash = name;
    } else if (k->e.state == ENTRY_PENDING && b->options.mode == MODE_LEARN) {
        table_state(&b->blocks, &k->e, ENTRY_LEARNED);
    }
    return k;
}

/* The time unchanged is learned when it ends, so that a freeze does not teach itself. */
static void changed(struct baseline *b, struct block *k, int64_t now_ns)
{
    bool learns = b->options.mode != MODE_DETECT && !k->is_frozen;
    if (learns && k->f.changes > 0) {
        if (now_ns - k->changed_ns > k->f.longest_unchanged_ns)
            k->f.longest_unchanged_ns = now_ns - k->changed_ns;
        if (k->unchanged_polls > k->f.longest_unchanged_polls)
            k->f.longest_unchanged_polls = k->unchanged_polls;
    }
    if (learns)
        k->f.changes++;
    k->changed_ns = now_ns;
    k->unchanged_polls = 0;
    k->is_frozen = false;
}

/* What an item says, in a number. Of reports of changes alone: another one, whenever there are
 * some. */
static uint64_t said(const struct seen *s, const struct block *k, const struct ot_item *item)
{
    if (item == &changes)
        return k->hash + (s->event->item_count > 0);
    return hash_bytes(item->values.bytes, item->values.size);
}

static void judge_block(struct seen *s, const struct ot_item *item)
{
    struct baseline *b = s->b;
    struct block *k = block_find_or_add(s, item);
    if (s->event->item_count > 1)
        table_expect_next(&b->blocks, &s->flow->blocks, BLOCK_LINES);
    uint64_t hash = said(s, k, item);
    int64_t now = b->now_ns;
    entry_touch(&k->e, now);
    bool begins = k->polled_ns == 0 || now - k->polled_ns > POLL_PAUSE_NS;
    if (s->event->operation != OP_PUBLISH) /* what is reported comes when it changes */
        period_polled(s, k, begins ? -1 : now - k->polled_ns);
    if (s->conversation->readbacks > 0)
        readback_judge(s, item);
    if (begins || hash != k->hash || k->has_outside)
        polled_judge(s, k, item);
    if (begins) { /* what was not observed counts for nobody */
        k->hash = hash;
        k->changed_ns = now;
        k->unchanged_polls = 0;
    } else if (hash != k->hash) {
        k->hash = hash;
        changed(b, k, now);
    } else {
        k->unchanged_polls++;
        unsigned polls_min = item == &changes ? QUIET_REPORTS : FROZEN_POLLS;
        if (b->options.mode != MODE_LEARN && is_frozen(k, polls_min, now)) {
            k->is_frozen = true;
            tell(s, k, item);
        }
    }
    k->polled_ns = now;
}

bool blocks_are_reported(const struct ot_event *e)
{
    return e->operation == OP_PUBLISH && e->flow->transport == TRANSPORT_TCP &&
           (e->direction != OT_ONEWAY || e->is_from_client) && !ot_event_is(e, "synchrophasor");
}

static bool has_values(const struct seen *s, const struct ot_item *item)
{
    enum operation operation = item_operation(s, item);
    return (operation == OP_READ || operation == OP_PUBLISH) &&
           item->status.result != OT_RESULT_ERROR && item->values.size >= VALUES_SIZE_MIN &&
           item->values.bytes;
}

void blocks_judge(struct seen *s)
{
    const struct ot_event *e = s->event;
    if (e->status.result == OT_RESULT_ERROR)
        return;
    int count = e->item_count < ITEMS_LOOKED_AT ? (int)e->item_count : ITEMS_LOOKED_AT;
    bool is_of_changes = e->operation == OP_PUBLISH && ot_event_is(e, "opcua");
    for (int i = is_of_changes ? -1 : 0; i < count; i++) {
        const struct ot_item *item = i < 0 ? &changes : &e->items[i];
        if (i >= 0 && is_of_changes && item->name.size == 0)
            continue; /* a number that the client gave it, for as long as it is connected */
        if (i < 0 || has_values(s, item))
            judge_block(s, item);
    }
}
