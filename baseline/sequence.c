/* sequence.c: which function follows which in a conversation.
 *
 * Programs have loops: what follows a poll is the next poll, what comes before an execute is a
 * select. Each function of a conversation (the first STEPS_MAX) has a place in a small matrix of
 * bits: a transition was never, once, or more often seen. It is unusual when it was never seen,
 * although its first function was left often and its second entered often, and none of the other
 * ways to enter it was seen only once (Good and Turing: then there is hardly another way). People
 * who click at any time never get there: their ways in stay single. */
#include "learned.h"

enum {
    KNOWN_MIN =
        52, /* departures, and arrivals: 0 single ways of 52 are below 5 % by Wilson's bound */
    LEAST_STEP = 1, /* 0: none */
};

static void count(uint16_t *n)
{
    if (*n < UINT16_MAX)
        (*n)++;
}

static uint8_t step_of(struct seen *s, struct operation_entry *o)
{
    struct sequence_facts *f = &s->conversation->f.sequence;
    if (o->f.step == 0 && f->steps < STEPS_MAX && o->e.count > 1) { /* functions that come again */
        o->f.step = ++f->steps;
        entry_change(&s->b->operations, &o->e);
    }
    return o->f.step <= STEPS_MAX ? o->f.step : 0;
}

static unsigned singles_into(const struct sequence_facts *f, unsigned to)
{
    unsigned singles = 0;
    for (unsigned from = 0; from < f->steps; from++)
        singles += f->once[from] >> to & 1;
    return singles;
}

static const struct operation_entry *operation_at(const struct seen *s, unsigned step)
{
    uint64_t conversation = conversation_id(&s->conversation->f);
    for (uint32_t i = 0; i < s->b->operations.used; i++) {
        const struct operation_entry *o = (const void *)table_at(&s->b->operations, i);
        if (o->f.step == step && o->f.conversation == conversation)
            return o;
    }
    return NULL;
}

static const char *words(const struct operation_entry *o)
{
    return !o ? "another function" : *o->f.name ? o->f.name : operation_name(o->f.operation);
}

static void tell(struct seen *s, const struct operation_entry *o, unsigned from)
{
    struct conversation *c = s->conversation;
    uint64_t times;
    if (!repeat_is_due(&c->sequence_told, s->b->now_ns, &times))
        return;
    const struct operation_entry *before = operation_at(s, from + LEAST_STEP);
    struct finding *f = finding_begin(s, DETECTION_RW_SEQUENCE_UNUSUAL);
    char since[SINCE_TEXT];
    f->count = times;
    if (operation_is_change(o->f.operation))
        f->flags |= FINDING_IS_WRITE;
    if (s->event->item_count > 0)
        ot_item_print(&s->event->items[0], f->object, sizeof f->object);
    text_format(f->key, sizeof f->key, "sequence %s", o->f.code_text);
    text_format(f->what, sizeof f->what, "uses %s on %%T right after %s, an order it never used",
                words(o), words(before));
    text_format(f->expected, sizeof f->expected,
                "other steps before %s (%u times) and after %s (%u times), since %s", words(o),
                c->f.sequence.arrivals[o->f.step - LEAST_STEP], words(before),
                c->f.sequence.departures[from], since_print(since, c->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%s, then %s", words(before), words(o));
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)operation_id(&o->f));
    finding_raise(s, f);
}

static void learn(struct sequence_facts *f, unsigned from, unsigned to)
{
    uint16_t bit = (uint16_t)(1u << to);
    if (f->once[from] & bit) {
        f->once[from] &= (uint16_t)~bit;
        f->often[from] |= bit;
    } else if (!(f->often[from] & bit)) {
        f->once[from] |= bit;
    }
    count(&f->departures[from]);
    count(&f->arrivals[to]);
}

static bool is_unusual(const struct sequence_facts *f, unsigned from, unsigned to)
{
    return !((f->once[from] | f->often[from]) >> to & 1) && f->departures[from] >= KNOWN_MIN &&
           f->arrivals[to] >= KNOWN_MIN && singles_into(f, to) == 0;
}

void sequence_judge(struct seen *s, struct operation_entry *o)
{
    struct flow_cache *flow = s->flow;
    uint8_t before = flow->step, now = step_of(s, o);
    flow->step = s->event->flow->has_gap ? 0 : now; /* what was lost may have come between */
    if (before < LEAST_STEP || now < LEAST_STEP || before == now || flow->step == 0)
        return;
    unsigned from = before - (unsigned)LEAST_STEP, to = now - (unsigned)LEAST_STEP;
    struct sequence_facts *f = &s->conversation->f.sequence;
    bool unusual = is_unusual(f, from, to);
    enum baseline_mode mode = s->b->options.mode;
    if (unusual && mode != MODE_LEARN &&
        !baseline_is_learning(s->b, &s->conversation->f.operations))
        tell(s, o, from);
    else if (mode == MODE_LEARN || (mode == MODE_AUTO && !unusual) ||
             baseline_is_learning(s->b, &s->conversation->f.operations))
        learn(f, from, to);
}
