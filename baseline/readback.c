/* readback.c: what a client writes it reads back from the same place, as it was written.
 *
 * Where that was the habit, a device that gives another value back does not hold what it was told,
 * or somebody stands between. The last few written values wait for being read by the same client;
 * a device may need some polls until it has taken a value over. */
#include "learned.h"

#include <string.h>

enum {
    ECHOES_MIN = 5, /* times read back as written, never otherwise, before it is expected */
    POLLS_GIVEN = 4 /* reads with another value, before it counts as different */
};
static const int64_t WAIT_NS = 60 * SECOND_NS;
static const int64_t GRACE_NS = 2 * SECOND_NS; /* a cycle of a slow device */

void readback_expect(struct seen *s, const struct ot_item *item, uint64_t point_key,
                     uint64_t address, double value)
{
    struct baseline *b = s->b;
    struct readback *r = NULL;
    for (size_t i = 0; i < READBACKS_MAX && !r; i++)
        if (b->readbacks[i].point == point_key)
            r = &b->readbacks[i];
    if (!r)
        r = &b->readbacks[b->readback_at++ % READBACKS_MAX];
    if (item->has_bit || item->values.encoding == VALUES_BITS) { /* read with others in one word */
        *r = (struct readback){0};
        return;
    }
    *r = (struct readback){.conversation = s->conversation->e.key,
                           .point = point_key,
                           .unit = s->unit,
                           .name = name_hash(item->name),
                           .address = address,
                           .area = item->area,
                           .number = item->has_number ? item->number : 0,
                           .encoding = item->values.encoding,
                           .value = value,
                           .written_ns = b->now_ns};
    s->conversation->readbacks = READBACKS_MAX;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Which of the item's values answers; false: none. */
static bool index_of(const struct seen *s, const struct readback *r, const struct ot_item *item,
                     uint32_t *index)
{
    if (r->conversation != s->conversation->e.key || r->unit != s->unit ||
        r->encoding != item->values.encoding ||
        r->number != (item->has_number ? item->number : 0) || r->name != name_hash(item->name) ||
        !is_same_text(r->area, item->area))
        return false;
    if (item->name.size > 0) {
        *index = (uint32_t)r->address;
        return r->address < item->values.count;
    }
    bool is_row =
        item->has_start && (!item->has_range || item->high - item->low + 1 == item->values.count);
    if (!is_row || r->address < item->start || r->address - item->start >= item->values.count)
        return false;
    *index = (uint32_t)(r->address - item->start);
    return true;
}

static void tell(struct seen *s, struct point *p, const struct ot_item *item,
                 const struct readback *r, double value)
{
    uint64_t count;
    if (!repeat_is_due(&p->told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_VALUE_OUT_OF_RANGE);
    struct endpoint device = f->target;
    char since[SINCE_TEXT];
    struct ot_item one = *item;
    one.values.count = 0;
    if (one.name.size == 0) {
        one.start = r->address;
        one.count = 1;
        one.has_range = false;
    }
    f->target = f->actor;
    f->actor = device;
    f->count = count;
    ot_item_print(&one, f->object, sizeof f->object);
    text_format(f->key, sizeof f->key, "readback %s", f->object);
    text_format(f->what, sizeof f->what, "gives %%T %.10g for %s, which had just been set to %.10g",
                value, f->object, r->value);
    text_format(f->expected, sizeof f->expected, "what was written (%u times since %s)",
                p->f.echoed, since_print(since, p->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%.10g", value);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)point_id(&p->f));
    finding_raise(s, f);
}

static void differs(struct seen *s, const struct ot_item *item, const struct readback *r,
                    double value)
{
    struct baseline *b = s->b;
    struct point *p = table_find(&b->points, r->point);
    if (!p || p->e.state != ENTRY_LEARNED)
        return;
    bool is_habit = p->f.echoed >= ECHOES_MIN && p->f.differed == 0;
    if (is_habit && b->options.mode != MODE_LEARN)
        tell(s, p, item, r, value);
    else if (b->options.mode != MODE_DETECT)
        p->f.differed++;
}

static void echoes(struct baseline *b, const struct readback *r)
{
    struct point *p = table_find(&b->points, r->point);
    if (p && b->options.mode != MODE_DETECT) {
        p->f.echoed++;
        entry_change(&b->points, &p->e);
    }
}

static void judge(struct seen *s, struct readback *r, const struct ot_item *item)
{
    uint32_t index;
    double number;
    if (!index_of(s, r, item, &index))
        return;
    struct ot_value value = ot_value_at(&item->values, index);
    if (!ot_value_number(&value, &number))
        return;
    if (number >= r->value && number <= r->value)
        echoes(s->b, r);
    else if (s->b->now_ns - r->written_ns < GRACE_NS || ++r->misses < POLLS_GIVEN)
        return;
    else
        differs(s, item, r, number);
    *r = (struct readback){0};
}

void readback_judge(struct seen *s, const struct ot_item *item)
{
    struct baseline *b = s->b;
    uint8_t waiting = 0;
    for (size_t i = 0; i < READBACKS_MAX; i++) {
        struct readback *r = &b->readbacks[i];
        if (r->point == 0 || r->conversation != s->conversation->e.key)
            continue;
        if (b->now_ns - r->written_ns > WAIT_NS)
            *r = (struct readback){0};
        else
            judge(s, r, item);
        if (r->point != 0)
            waiting++;
    }
    s->conversation->readbacks = waiting;
}
