/* polled.c: the values that devices give when they are polled.
 *
 * Sixteen neighbouring variables share an entry (about 700 bytes), so that a poll of ten registers
 * costs one search. A piece is looked at when its bytes changed, and twice a second at most.
 * What is judged is what has shown what it does: an enumeration whose states all came again, a
 * range that was crossed to and fro without growing. Counters, drifting measurements and set points
 * never show that, and are not judged. */
#include "learned.h"

#include <math.h>
#include <string.h>

enum {
    TURNS_MIN = 8,       /* ways through a range that did not grow, before it is known */
    VISITS_EACH_MIN = 3, /* to each state, before a set of states is known */
    VISITS_MIN = 12,     /* to all of them together */
    OUTSIDE_MORE = 8,    /* what an outlier adds and eight looks take away again: */
    OUTSIDE_MIN = 9,     /* one is a glitch, two are none, also amid values of the device's own */
    GROSS = 5,           /* times the margin: no glitch of what is sent as a message of its own */
    PARTS = 3,           /* the low third, the middle, the high third */
    BYTES_MANY = 4,      /* single bytes in longer rows are parts of something else */
};
static const double MARGIN_SPREAD = 1.0, MARGIN_SIZE = 0.05; /* of the spread, of the value */
static const float CODE_MAX = 31, WORD_MAX = 65535;
static const float GROWTH = 0.1f; /* of the spread: a range that grows more is another range */
static const int64_t LOOK_NS = SECOND_NS / 2;
static const int64_t GLITCHES_NS =
    60 * SECOND_NS; /* apart: they have nothing to do with each other */

static uint64_t page_more(uint64_t name_hash, uint64_t address, uint32_t size, uint32_t page)
{
    return hash_mix(block_more(name_hash, address, size), page + UINT64_C(1));
}

uint64_t page_key_of(uint64_t conversation_key, const struct page_facts *f)
{
    return place_key_of(conversation_key, &f->place,
                        page_more(f->name_hash, f->address, f->size, f->page));
}

static int state_of(const struct variable *v, float value)
{
    for (int i = 0; i < v->state_count && i < PAGE_STATES; i++)
        if (v->states[i] >= value && v->states[i] <= value)
            return i;
    return -1;
}

/* A code, not a quantity: a small whole number, or a single bit. */
static bool is_code(float state)
{
    if (state >= 0 && state <= CODE_MAX)
        return floorf(state) >= state;
    uint32_t whole = state > 0 && state <= WORD_MAX ? (uint32_t)state : 0;
    return whole != 0 && (whole & (whole - 1)) == 0;
}

static bool is_enumeration(const struct variable *v)
{
    unsigned visits = 0;
    if (v->state_count < 2 || v->state_count > PAGE_STATES)
        return false;
    for (int i = 0; i < v->state_count; i++) {
        if (v->visits[i] < VISITS_EACH_MIN || !is_code(v->states[i]))
            return false;
        visits += v->visits[i];
    }
    return visits >= VISITS_MIN;
}

static double margin_of(const struct variable *v)
{
    double size = fmax(fabs((double)v->low), fabs((double)v->high));
    return ((double)v->high - (double)v->low) * MARGIN_SPREAD + size * MARGIN_SIZE;
}

static bool is_normal(const struct variable *v, float value)
{
    if (value >= v->low && value <= v->high)
        return !is_enumeration(v) || state_of(v, value) >= 0;
    if (is_enumeration(v))
        return false;
    if (v->turns < TURNS_MIN)
        return true;
    double margin = margin_of(v);
    return value >= v->low - margin && value <= v->high + margin;
}

static void grow(struct variable *v, float value)
{
    float spread = v->high - v->low;
    float more = value < v->low ? v->low - value : value - v->high;
    if (more > spread * GROWTH) {
        v->turns = 0;
        v->side = 0;
    }
    if (value < v->low)
        v->low = value;
    else
        v->high = value;
}

static void swing(struct variable *v, float value)
{
    float part = (v->high - v->low) / PARTS;
    uint8_t side = value <= v->low + part ? 1 : value >= v->high - part ? 2 : 0;
    if (side == 0 || side == v->side)
        return;
    if (v->side != 0 && v->turns < UINT16_MAX)
        v->turns++;
    v->side = side;
}

/* Takes the value in; `came`: it is another than at the last look. */
static void observe(struct variable *v, float value, bool came)
{
    if (v->state_count == 0) {
        *v = (struct variable){
            .low = value, .high = value, .states = {value}, .visits = {1}, .state_count = 1};
        return;
    }
    if (!came)
        return;
    if (value < v->low || value > v->high)
        grow(v, value);
    else
        swing(v, value);
    int i = state_of(v, value);
    if (i >= 0) {
        if (v->visits[i] < UINT8_MAX)
            v->visits[i]++;
    } else if (v->state_count < PAGE_STATES) {
        v->states[v->state_count] = value;
        v->visits[v->state_count++] = 1;
    } else {
        v->state_count = PAGE_STATES + 1;
    }
}

static void object_print(const struct ot_item *item, uint32_t index, char *out, size_t capacity)
{
    struct ot_item one = *item;
    bool is_row = item->has_start && item->name.size == 0 && item->has_range &&
                  item->high - item->low + 1 == item->values.count;
    if (is_row) {
        one.start = item->start + index;
        one.count = 1;
        one.has_range = false;
    }
    one.values.count = 0;
    ot_item_print(&one, out, capacity);
    if (!is_row && item->values.count > 1) {
        size_t used = strlen(out);
        text_format(out + used, capacity - used, ", value %u", index + 1);
    }
}

bool variable_is_judged(const struct variable *v)
{
    return is_enumeration(v) || v->turns >= TURNS_MIN;
}

char *variable_print(const struct variable *v, char *out, size_t capacity)
{
    if (!is_enumeration(v))
        return text_format(out, capacity, "%.6g to %.6g", (double)v->low, (double)v->high);
    size_t used = 0;
    for (int i = 0; i < v->state_count; i++) {
        text_format(out + used, capacity - used, "%s%.6g", i ? ", " : "", (double)v->states[i]);
        used += strlen(out + used);
    }
    return out;
}

static void tell(struct seen *s, struct page *p, const struct ot_item *item, uint32_t index,
                 const struct variable *v, float value)
{
    uint64_t count;
    if (!repeat_is_due(&s->conversation->value_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_VALUE_OUT_OF_RANGE);
    char since[SINCE_TEXT], normal[VARIABLE_TEXT];
    finding_of_device(s, f);
    f->count = count;
    f->flags |= FINDING_REPORTED;
    object_print(item, index, f->object, sizeof f->object);
    variable_print(v, normal, sizeof normal);
    text_format(f->key, sizeof f->key, "reported %s", p->f.place.unit);
    text_format(f->what, sizeof f->what, "reports %.6g for %s to %%T, which it never did before",
                (double)value, f->object);
    text_format(f->expected, sizeof f->expected, "%s, again and again since %s", normal,
                since_print(since, p->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%.6g", (double)value);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)page_id(&p->f));
    finding_raise(s, f);
}

static struct page *page_find_or_add(struct seen *s, struct block *k, uint64_t place,
                                     uint32_t number)
{
    struct baseline *b = s->b;
    uint64_t key = place_key(place, page_more(k->f.name_hash, k->f.address, k->f.size, number));
    struct page *p = table_follow(&b->pages, &k->pages, key);
    if (p || k->e.state != ENTRY_LEARNED || b->options.mode == MODE_DETECT)
        return p;
    p = table_add(&b->pages, key, ENTRY_LEARNED, b->now_ns);
    p->f.place = k->f.place;
    p->f.address = k->f.address;
    p->f.size = k->f.size;
    p->f.page = number;
    memcpy(p->f.name, k->f.name, sizeof p->f.name);
    p->f.name_hash = k->f.name_hash;
    return p;
}

/* So far outside, in a message of its own, that nobody waits for the next one. Devices that start
 * report zeros. */
static bool is_gross(const struct seen *s, const struct variable *v, float value)
{
    double margin = GROSS * margin_of(v);
    return s->event->operation == OP_PUBLISH && !is_enumeration(v) && fabsf(value) > 0 &&
           (value < v->low - margin || value > v->high + margin);
}

/* False: out of range. */
static bool judge(struct seen *s, struct page *p, const struct ot_item *item, uint32_t index,
                  float value)
{
    uint32_t i = index % PAGE_VARIABLES;
    struct variable *v = &p->f.variables[i];
    enum baseline_mode mode = s->b->options.mode;
    bool came = v->state_count == 0 || value < p->last[i] || value > p->last[i];
    bool normal = v->state_count == 0 || is_normal(v, value);
    p->last[i] = value;
    if (mode == MODE_LEARN ||
        (mode == MODE_AUTO && (normal || baseline_is_learning(s->b, &s->conversation->f.objects))))
        observe(v, value, came);
    if (normal || mode == MODE_LEARN) {
        p->outside[i] = (uint8_t)(p->outside[i] - (p->outside[i] > 0));
        return true;
    }
    if (s->b->now_ns - p->outside_ns > GLITCHES_NS)
        memset(p->outside, 0, sizeof p->outside);
    p->outside_ns = s->b->now_ns;
    if (p->outside[i] < OUTSIDE_MIN)
        p->outside[i] = (uint8_t)(p->outside[i] + OUTSIDE_MORE);
    if ((p->outside[i] >= OUTSIDE_MIN || is_gross(s, v, value)) && p->e.state == ENTRY_LEARNED &&
        !baseline_is_learning(s->b, &s->conversation->f.objects))
        tell(s, p, item, index, v, value);
    return false;
}

/* Values that stand for themselves: numbers of more than a byte, or a few single bytes. */
static bool is_judged(const struct ot_values *v)
{
    switch (v->encoding) {
    case VALUES_NONE:
    case VALUES_BITS:
    case VALUES_TEXT:
    case VALUES_BYTES:
        return false;
    case VALUES_U8:
    case VALUES_I8:
        return v->count <= BYTES_MANY;
    default:
        return true;
    }
}

void polled_judge(struct seen *s, struct block *k, const struct ot_item *item)
{
    struct baseline *b = s->b;
    int64_t now = b->now_ns;
    if (!is_judged(&item->values) || (k->judged_ns && now - k->judged_ns < LOOK_NS))
        return;
    table_expect_next(&b->pages, &k->pages, PAGE_LINES);
    k->judged_ns = now;
    k->has_outside = false;
    uint64_t place = place_hash(s, item, false);
    uint32_t count =
        item->values.count < VALUES_LOOKED_AT ? item->values.count : (uint32_t)VALUES_LOOKED_AT;
    struct page *p = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (i % PAGE_VARIABLES == 0) {
            p = page_find_or_add(s, k, place, i / PAGE_VARIABLES);
            if (!p)
                return;
            entry_touch(&p->e, now);
        }
        struct ot_value value = ot_value_at(&item->values, i);
        double number;
        if (!ot_value_number(&value, &number) || !isfinite((float)number))
            return;
        if (!judge(s, p, item, i, (float)number))
            k->has_outside = true;
    }
}
