/* values.c: which values an actor writes to a variable.
 *
 * A variable that takes few values has a set of states; another has a range, whose margin grows
 * with its own spread and shrinks with the number of observations. What was written fewer than
 * VALUES_MIN times is not judged. Bytes of a memory are taken as the numbers that they most likely
 * are: clients that write bytes mean numbers all the same.
 *
 * Beside the value it counts in which way a variable is written: commands that are selected first,
 * priorities. */
#include "learned.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUES_MIN = 5,     /* below, nobody knows the range of a variable */
    FEW = 12,           /* below, what was seen may be a third of what is usual */
    CONSTANT_MIN = 12,  /* a variable that never changed may simply not have changed yet */
    STATE_MIN_EACH = 3, /* a set of states is complete when none of them was seen fewer times (Good
                           and Turing) */
    TOGGLE_BASE = 6,    /* changes of one variable within WRITE_WINDOW_NS that a person may make */
    TOGGLE_FACTOR = 4,  /* times the most that was learned */
    MANNER_MIN = 3,     /* it is configured: few are enough */
    STEPS_KNOWN = 12,   /* changes, before it is known how great they are */
    STEP_FACTOR = 4,    /* times the greatest that was learned */
};
static const int64_t SIGHT_NS = 60 * SECOND_NS; /* half of what masters.c remembers */
enum {
    BITS_CHANGES_MIN = 24, /* changes of a word, before it is known to be a set of bits */
    BITS_EACH_TENTHS = 15, /* bits that flip in a change, in tenths: numbers flip more */
};
static const double WHOLE_MAX = 4294967295.0;
static const double REAL_MIN = 1e-4, REAL_MAX = 1e7; /* of what plants measure */
/* of any few values between two ends, one in five hundred of those that follow lies outside */
static const double MARGIN_SPREAD = 0.1, MARGIN_SCARCE = 6.0, MARGIN_FEW = 16.0;

uint64_t point_more(uint64_t name_hash, uint64_t address, bool is_bit, uint8_t bit)
{
    return hash_mix(hash_mix(name_hash, address), is_bit ? bit + UINT64_C(1) : 0);
}

uint64_t point_key_of(uint64_t conversation_key, const struct point_facts *f)
{
    return place_key_of(conversation_key, &f->place,
                        point_more(f->name_hash, f->address, f->place.is_bit, f->place.bit));
}

static double margin_of(const struct point_facts *f)
{
    double spread = f->high - f->low;
    double scarce = (f->values < FEW ? MARGIN_FEW : MARGIN_SCARCE) / (double)f->values;
    if (spread > 0)
        return spread * (MARGIN_SPREAD + scarce);
    return fabs(f->high) * scarce;
}

static int state_index(const struct point_facts *f, double v)
{
    for (int i = 0; i < f->state_count && i < STATES_MAX; i++)
        if (f->states[i] >= v && f->states[i] <= v)
            return i;
    return -1;
}

static bool is_set_of_states(const struct point_facts *f)
{
    if (f->state_count > STATES_MAX)
        return false;
    for (int i = 0; i < f->state_count; i++)
        if (f->state_counts[i] < STATE_MIN_EACH)
            return false;
    return f->values >= (uint64_t)f->state_count * CONSTANT_MIN;
}

static bool is_whole(double v)
{
    return v >= 0 && v <= WHOLE_MAX && v == floor(v);
}

/* A word whose bits mean something each: its changes flip one or two of them, where a number that
 * takes as many values flips about half. */
static bool is_set_of_bits(const struct point_facts *f)
{
    return f->changes >= BITS_CHANGES_MIN && f->state_count > STATES_MAX &&
           (uint64_t)f->flips * 10 <= (uint64_t)f->changes * BITS_EACH_TENTHS;
}

static void observe_bits(struct point_facts *f, double v, double last, bool has_last)
{
    if (!is_whole(v) || (has_last && !is_whole(last))) {
        f->changes = f->flips = 0;
        return;
    }
    f->ones |= (uint64_t)v;
    if (has_last && (v < last || v > last) && f->changes < UINT32_MAX / 64) {
        f->changes++;
        f->flips += (uint32_t)__builtin_popcountll((uint64_t)v ^ (uint64_t)last);
    }
}

static bool is_normal(const struct point_facts *f, double v)
{
    if (is_set_of_bits(f)) /* any mixture of bits that were set before */
        return is_whole(v) && ((uint64_t)v & ~f->ones) == 0;

    bool is_constant = !(f->high > f->low);
    if (f->values < (is_constant ? CONSTANT_MIN : VALUES_MIN) || state_index(f, v) >= 0)
        return true;
    double margin = margin_of(f);
    if (v < f->low - margin || v > f->high + margin)
        return false;
    return !is_set_of_states(f) || is_constant;
}

static void observe(struct point_facts *f, double v)
{
    if (f->values == 0 || v < f->low)
        f->low = v;
    if (f->values == 0 || v > f->high)
        f->high = v;
    f->values++;
    int i = state_index(f, v);
    if (i >= 0) {
        f->state_counts[i] += f->state_counts[i] < UINT32_MAX;
    } else if (f->state_count < STATES_MAX) {
        f->states[f->state_count] = v;
        f->state_counts[f->state_count++] = 1;
    } else {
        f->state_count = STATES_MAX + 1;
    }
}

static int compare_states(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_normal(const struct point_facts *f, char *out, size_t capacity)
{
    if (is_set_of_bits(f)) {
        text_format(out, capacity, "bits of 0x%llx only", (unsigned long long)f->ones);
    } else if (f->state_count <= STATES_MAX) {
        size_t used = 0;
        double states[STATES_MAX];
        memcpy(states, f->states, sizeof states);
        qsort(states, (size_t)f->state_count, sizeof *states, compare_states);
        for (int i = 0; i < f->state_count && used + 32 < capacity; i++) {
            text_format(out + used, capacity - used, "%s%.10g", i ? ", " : "", states[i]);
            used += strlen(out + used);
        }
    } else {
        text_format(out, capacity, "%.10g to %.10g", f->low, f->high);
    }
}

static void tell_value(struct seen *s, struct point *p, const char *object, double v)
{
    uint64_t count;
    if (!repeat_is_due(&p->told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_VALUE_OUT_OF_RANGE);
    char normal[160], since[SINCE_TEXT];
    print_normal(&p->f, normal, sizeof normal);
    f->count = count;
    f->flags |= FINDING_IS_WRITE;
    text_copy(f->object, sizeof f->object, text_of(object));
    text_format(f->key, sizeof f->key, "value %s", object);
    text_format(f->what, sizeof f->what,
                "sets %s of %%T to %.10g, outside of what it ever wrote there", object, v);
    text_format(f->expected, sizeof f->expected, "%s (%llu times since %s)", normal,
                (unsigned long long)p->f.values, since_print(since, p->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%.10g", v);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)point_id(&p->f));
    finding_raise(s, f);
}

static void tell_toggle(struct seen *s, struct point *p, const char *object, uint32_t changes)
{
    uint64_t count;
    if (!repeat_is_due(&p->toggle_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_WRITE_BURST);
    f->count = count;
    f->flags |= FINDING_IS_WRITE;
    text_copy(f->object, sizeof f->object, text_of(object));
    text_format(f->key, sizeof f->key, "toggle %s", object);
    text_format(f->what, sizeof f->what, "keeps changing %s of %%T: %u times within %lld s", object,
                changes, (long long)(WRITE_WINDOW_NS / SECOND_NS));
    if (p->f.changes_max > 0)
        text_format(f->expected, sizeof f->expected, "at most %u changes in that time",
                    p->f.changes_max);
    else
        text_format(f->expected, sizeof f->expected, "no changes in that time so far");
    text_format(f->seen, sizeof f->seen, "%u changes", changes);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)point_id(&p->f));
    finding_raise(s, f);
}

static void tell_step(struct seen *s, struct point *p, const char *object, double v, double step)
{
    uint64_t count;
    if (!repeat_is_due(&p->step_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_VALUE_RATE);
    char since[SINCE_TEXT];
    f->count = count;
    f->flags |= FINDING_IS_WRITE;
    text_copy(f->object, sizeof f->object, text_of(object));
    text_format(f->key, sizeof f->key, "step %s", object);
    text_format(f->what, sizeof f->what,
                "changes %s of %%T by %.10g at once, to %.10g: never so much before", object, step,
                v);
    text_format(f->expected, sizeof f->expected, "steps of at most %.10g (%u since %s)",
                p->f.step_high, p->f.steps, since_print(since, p->e.first_ns));
    text_format(f->seen, sizeof f->seen, "a step of %.10g", step);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)point_id(&p->f));
    finding_raise(s, f);
}

static char *print_manners(uint32_t manners, char *out, size_t capacity)
{
    static const char *const words[MANNER_COUNT] = {
        [MANNER_RELINQUISH] = "given back",
        [MANNER_SELECT] = "selected",
        [MANNER_EXECUTE] = "executed when selected",
        [MANNER_DIRECT] = "executed without a select",
    };
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 1; i < MANNER_COUNT && used < capacity; i++) {
        if (!(manners >> i & 1))
            continue;
        const char *comma = used ? ", " : "";
        if (words[i])
            text_format(out + used, capacity - used, "%s%s", comma, words[i]);
        else
            text_format(out + used, capacity - used, "%sat priority %u", comma, i);
        used += strlen(out + used);
    }
    return out;
}

static void tell_manner(struct seen *s, struct point *p, const char *object, unsigned manner)
{
    uint64_t count;
    if (!repeat_is_due(&p->step_told, s->b->now_ns, &count))
        return;
    bool is_procedure = manner > MANNER_RELINQUISH;
    struct finding *f =
        finding_begin(s, is_procedure ? DETECTION_RW_SEQUENCE_UNUSUAL : DETECTION_RW_NEW_FUNCTION);
    char since[SINCE_TEXT], usual[160], now[64];
    print_manners(UINT32_C(1) << manner, now, sizeof now);
    f->count = count;
    f->flags |= FINDING_IS_WRITE;
    text_copy(f->object, sizeof f->object, text_of(object));
    text_format(f->key, sizeof f->key, "manner %s", object);
    text_format(f->what, sizeof f->what, "writes %s of %%T in a way that it never did: %s", object,
                now);
    text_format(f->expected, sizeof f->expected, "%s (%llu times since %s)",
                print_manners(p->f.manners, usual, sizeof usual), (unsigned long long)p->f.values,
                since_print(since, p->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%s", now);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)point_id(&p->f));
    finding_raise(s, f);
}

/* The name of the i-th value of an item. */
static void object_print(const struct ot_item *item, uint64_t address, char *out, size_t capacity)
{
    if (item->name.size > 0 || item->values.count <= 1 || !item->has_start) {
        ot_item_print(item, out, capacity);
    } else {
        struct ot_item one = *item;
        one.start = address;
        one.count = 1;
        one.has_range = false;
        ot_item_print(&one, out, capacity);
    }
}

/* For who compares the writers of an object (masters.h). */
static void sight_writer(struct seen *s, struct point *p, const struct ot_item *item,
                         uint64_t address)
{
    const struct ot_event *e = s->event;
    const struct finding_sink *sink = &s->b->sink;
    p->sighted_ns = s->b->now_ns;
    if (!sink->sighting)
        return;
    bool is_server = e->direction == OT_ONEWAY && !e->is_from_client;
    struct sighting sighting = {
        .kind = SIGHTING_WRITE,
        .time_ns = s->b->now_ns,
        .segment = e->flow->segment,
        .who = is_server ? e->flow->server : e->flow->client,
        .other = is_server ? e->flow->client : e->flow->server,
        .transport = e->flow->transport,
        .vlan = VLAN_NONE,
        .detail = p->e.state == ENTRY_LEARNED,
        .operation = e->operation,
        .packet_number = e->packet ? e->packet->number : 0,
        .source_index = e->packet ? e->packet->source_index : 0,
    };
    text_copy(sighting.protocol, sizeof sighting.protocol, text_of(e->protocol));
    text_copy(sighting.unit, sizeof sighting.unit, e->unit);
    object_print(item, address, sighting.text, sizeof sighting.text);
    sink->sighting(sink->context, &sighting);
}

static bool is_number_of_bytes(const struct ot_item *item)
{
    return item->is_memory && item->values.encoding == VALUES_U8 && item->values.count % 2 == 0 &&
           item->values.count > 0;
}

/* Four bytes are a float where that is a number of everyday size, or else a whole number. Small
 * whole numbers would be floats next to nothing. */
static double number_of_four(const uint8_t *at)
{
    uint32_t bits = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    float real;
    memcpy(&real, &bits, sizeof real);
    double size = fabs((double)real);
    return size >= REAL_MIN && size <= REAL_MAX ? (double)real : (double)(int32_t)bits;
}

static void observe_step(struct point_facts *f, double step)
{
    if (step <= 0)
        return;
    f->steps += f->steps < UINT32_MAX;
    if (step > f->step_high)
        f->step_high = step;
}

/* Of what is moved in small steps: states and bits jump as they like. The way back from a value
 * that was told is none. */
static bool is_leap(const struct point_facts *f, double step)
{
    return f->steps >= STEPS_KNOWN && step > STEP_FACTOR * f->step_high &&
           f->state_count > STATES_MAX && !is_set_of_bits(f);
}

/* What all values of an item share. */
struct written {
    const struct ot_item *item;
    uint64_t place, name; /* hashes */
    bool learns;
    bool is_alone; /* the only value of the event */
};

static struct written written_of(const struct seen *s, const struct ot_item *item)
{
    return (struct written){.item = item,
                            .is_alone = s->event->item_count == 1 && item->values.count == 1,
                            .place = place_hash(s, item, true),
                            .name = name_hash(item->name),
                            .learns = s->is_known && s->conversation->e.state == ENTRY_LEARNED &&
                                      s->pair->e.state == ENTRY_LEARNED &&
                                      baseline_is_learning(s->b, &s->conversation->f.objects)};
}

/* Whether commands are selected first, and at which priority they are written, is configured: what
 * was learned of a variable does not change by itself. A function that is new is told as such. */
static void judge_manner(struct seen *s, const struct written *w, struct point *p, uint64_t address)
{
    unsigned manner = w->item->manner;
    uint32_t manner_bit = UINT32_C(1) << manner;
    if (p->f.manners & manner_bit || !s->is_known || s->is_told)
        return;
    bool is_known = p->e.state == ENTRY_LEARNED && p->f.manners && p->f.values >= MANNER_MIN;
    if (!w->learns && is_known) {
        char object[FINDING_KEY];
        object_print(w->item, address, object, sizeof object);
        tell_manner(s, p, object, manner);
    } else if (w->learns || s->b->options.mode != MODE_DETECT) {
        p->f.manners |= manner_bit;
        entry_change(&s->b->points, &p->e);
    }
}

/* Nothing but the way in which it is written: BACnet's null. */
static void judge_no_value(struct seen *s, const struct written *w)
{
    const struct ot_item *item = w->item;
    uint64_t address = item->has_start ? item->start : 0;
    struct point *p = table_find(
        &s->b->points, place_key(w->place, point_more(w->name, address, item->has_bit, item->bit)));
    if (p)
        judge_manner(s, w, p, address);
}

static void judge_value(struct seen *s, const struct written *w, uint32_t index, double v)
{
    struct baseline *b = s->b;
    const struct ot_item *item = w->item;
    bool learns = w->learns;
    uint64_t address = item->has_start ? item->start + index : index;
    uint64_t key = place_key(w->place, point_more(w->name, address, item->has_bit, item->bit));
    struct point *p = table_follow(&b->points, &s->flow->points, key);
    if (!p) {
        p = table_add(&b->points, key, learns ? ENTRY_LEARNED : ENTRY_PENDING, b->now_ns);
        place_fill(&p->f.place, s, item, true);
        p->f.place.is_bit = item->has_bit;
        p->f.place.bit = item->has_bit ? item->bit : 0;
        p->f.address = address;
        text_copy(p->f.name, sizeof p->f.name, item->name);
        p->f.name_hash = w->name;
    }
    table_expect_next(&b->points, &s->flow->points, w->is_alone ? 0 : POINT_LINES);
    entry_touch(&p->e, b->now_ns);
    bool changes = p->has_last && (v < p->last || v > p->last);
    uint32_t often = changes ? window_count(&p->changes, b->now_ns, WRITE_WINDOW_NS) : 0;
    double last = p->last;
    bool has_last = p->has_last;
    double step = has_last ? fabs(v - last) : 0;
    p->last = v;
    p->has_last = true;
    if (!is_number_of_bytes(item)) /* read back as bytes */
        readback_expect(s, item, key, address, v);
    if (p->sighted_ns == 0 || b->now_ns - p->sighted_ns >= SIGHT_NS)
        sight_writer(s, p, item, address);
    if (item->manner != MANNER_NONE)
        judge_manner(s, w, p, address);
    if (learns) {
        if (b->options.mode == MODE_LEARN)
            table_state(&b->points, &p->e, ENTRY_LEARNED);
        observe(&p->f, v);
        observe_bits(&p->f, v, last, has_last);
        observe_step(&p->f, step);
        if (often > p->f.changes_max)
            p->f.changes_max = often;
        return;
    }
    char object[FINDING_KEY];
    if (p->e.state == ENTRY_LEARNED && !is_normal(&p->f, v)) {
        object_print(item, address, object, sizeof object);
        tell_value(s, p, object, v);
    } else if (p->e.state == ENTRY_LEARNED && is_leap(&p->f, step) && is_normal(&p->f, last)) {
        object_print(item, address, object, sizeof object);
        tell_step(s, p, object, v, step);
    } else if (b->options.mode == MODE_AUTO && p->e.state == ENTRY_LEARNED) {
        observe(&p->f, v); /* within the margin: the range follows slow drift */
        observe_step(&p->f, step);
    }
    if (p->e.state == ENTRY_LEARNED && often > TOGGLE_BASE + TOGGLE_FACTOR * p->f.changes_max) {
        object_print(item, address, object, sizeof object);
        tell_toggle(s, p, object, often);
    }
}

/* Returns how many values were looked at, as the caller's limit counts them. */
static uint32_t judge_bytes(struct seen *s, const struct written *w, uint32_t left)
{
    const uint8_t *at = w->item->values.bytes;
    uint32_t count = w->item->values.count, k = 0;
    if (count == 4) {
        judge_value(s, w, 0, number_of_four(at));
        return 1;
    }
    for (; k < count && k / 2 < left; k += 2)
        judge_value(s, w, k, (double)(int16_t)(at[k] << 8 | at[k + 1]));
    return k / 2;
}

void values_judge(struct seen *s)
{
    const struct ot_event *e = s->event;
    uint32_t left = VALUES_LOOKED_AT;
    if (e->operation < OP_WRITE) /* the gravest of its items */
        return;
    for (uint32_t i = 0; i < e->item_count && left > 0; i++) {
        const struct ot_item *item = &e->items[i];
        enum operation op = item_operation(s, item);
        if (op != OP_WRITE && op != OP_CONTROL)
            continue;
        struct written w = written_of(s, item);
        if (item->manner == MANNER_RELINQUISH)
            judge_no_value(s, &w);
        if (is_number_of_bytes(item)) {
            left -= judge_bytes(s, &w, left);
            continue;
        }
        for (uint32_t k = 0; k < item->values.count && left > 0; k++, left--) {
            struct ot_value value = ot_value_at(&item->values, k);
            double number;
            if (!ot_value_number(&value, &number) || !isfinite(number))
                break;
            judge_value(s, &w, k, number);
        }
    }
}
