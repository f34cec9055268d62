/* sequence.c: what comes before a command.
 *
 * Protocols and programs have procedures: an execute follows a select, a start follows a load. Each
 * function of a conversation (the first STEPS_MAX) has a place in a small matrix of bits: as what
 * came before a command it was never, once, or more often seen. A command comes unusually when what
 * came before it never did, although it was given often, always after another command, and no way
 * to it was seen only once (Good and Turing: then there is hardly another way). What comes between
 * polls is no procedure: a timer or a person gives it at any time, and sooner or later after each
 * of them. Handling of alarms that was always the first on a connection (a DNP3 master switches
 * unsolicited reports off before it asks for all values) is unusual amid it, and as the last, too.
 */
#include "alarms.h"
#include "learned.h"

enum {
    KNOWN_MIN = 52, /* 0 single ways of 52 are below 5 % by Wilson's bound */
    LEAST_STEP = 1, /* 0: none */
    MORE_MIN = 8,   /* messages for each of its uses: it is where connections begin */
};

static uint8_t step_of(struct seen *s, struct operation_entry *o)
{
    struct sequence_facts *f = &s->conversation->f.sequence;
    if (o->f.step == 0 && f->steps < STEPS_MAX && o->e.count > 1) { /* functions that come again */
        if (operation_is_change(o->f.operation))
            f->commands |= (uint16_t)(1u << f->steps);
        o->f.step = ++f->steps;
        entry_change(&s->b->operations, &o->e);
        entry_change(&s->b->conversations, &s->conversation->e);
    }
    return o->f.step <= STEPS_MAX ? o->f.step : 0;
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
    uint16_t ways = c->f.sequence.often[o->f.step - LEAST_STEP];
    const struct operation_entry *usual =
        ways ? operation_at(s, (unsigned)__builtin_ctz(ways) + LEAST_STEP) : NULL;
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
    since_print(since, c->e.first_ns);
    if (ways)
        text_format(f->expected, sizeof f->expected, "%s before each of %u times, since %s",
                    words(usual), c->f.sequence.arrivals[o->f.step - LEAST_STEP], since);
    else
        text_format(f->expected, sizeof f->expected,
                    "only as the first on a connection, %llu times since %s",
                    (unsigned long long)o->e.count, since);
    text_format(f->seen, sizeof f->seen, "%s, then %s", words(before), words(o));
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)operation_id(&o->f));
    finding_raise(s, f);
}

static void learn(struct sequence_facts *f, unsigned from, unsigned to)
{
    uint16_t bit = (uint16_t)(1u << from);
    if (f->once[to] & bit) {
        f->once[to] &= (uint16_t)~bit;
        f->often[to] |= bit;
    } else if (!(f->often[to] & bit)) {
        f->once[to] |= bit;
    }
    if (f->arrivals[to] < UINT16_MAX)
        f->arrivals[to]++;
}

static bool is_unusual(const struct sequence_facts *f, unsigned from, unsigned to)
{
    return !((f->once[to] | f->often[to]) >> from & 1) && f->arrivals[to] >= KNOWN_MIN &&
           f->once[to] == 0 && f->often[to] != 0 && (f->often[to] & ~f->commands) == 0;
}

static bool was_always_first(const struct seen *s, const struct operation_entry *o, unsigned to)
{
    const struct sequence_facts *f = &s->conversation->f.sequence;
    return f->arrivals[to] == 0 && !(f->once[to] | f->often[to]) && o->e.state == ENTRY_LEARNED &&
           o->f.operation == OP_SUBSCRIBE;
}

/* What a procedure leads to. Few messages subscribe: their names can be looked at. */
static bool is_command(const struct seen *s, const struct operation_entry *o)
{
    return operation_is_change(o->f.operation) ||
           (o->f.operation == OP_SUBSCRIBE && alarms_is_handling(s->event));
}

void sequence_judge(struct seen *s, struct operation_entry *o)
{
    struct flow_cache *flow = s->flow;
    uint8_t before = flow->step, now = step_of(s, o);
    flow->step = s->event->flow->has_gap ? 0 : now; /* what was lost may have come between */
    if (before < LEAST_STEP || flow->step < LEAST_STEP || before == now || !is_command(s, o))
        return;
    unsigned from = before - (unsigned)LEAST_STEP, to = now - (unsigned)LEAST_STEP;
    struct sequence_facts *f = &s->conversation->f.sequence;
    bool learns = baseline_is_learning(s->b, &s->conversation->f.operations);
    if (!learns && (is_unusual(f, from, to) || was_always_first(s, o, to)))
        tell(s, o, from);
    else if (s->b->options.mode != MODE_DETECT)
        learn(f, from, to);
}

static void tell_last(struct baseline *b, struct conversation *c, const struct operation_entry *o,
                      const struct ot_flow *flow)
{
    uint64_t times;
    if (!repeat_is_due(&c->alarm_told, b->now_ns, &times))
        return;
    const struct violation about = {
        .time_ns = b->now_ns, .flow = flow, .protocol = c->f.protocol, .is_from_client = true};
    struct seen s = {.b = b};
    struct finding *f = &b->finding;
    char since[SINCE_TEXT];
    finding_of_violation(f, DETECTION_RW_ALARM_LIMIT_WRITE, &about);
    f->count = times;
    f->flags |= FINDING_IS_WRITE;
    text_format(f->key, sizeof f->key, "alarm last");
    text_format(f->what, sizeof f->what, "opened a connection to %%T for %s alone", words(o));
    text_format(f->expected, sizeof f->expected,
                "other messages after it (%llu for %llu of these since %s)",
                (unsigned long long)c->e.count, (unsigned long long)o->e.count,
                since_print(since, c->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%s, then the end of the connection", words(o));
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)operation_id(&o->f));
    finding_raise(&s, f);
}

/* Most often it was the last that the flow asked for. */
static const struct operation_entry *last_operation(const struct seen *s,
                                                    const struct flow_cache *cached)
{
    const struct operation_entry *o =
        (const void *)table_place(&s->b->operations, cached->operations.last);
    bool is_it = o->e.key != 0 && o->f.step == cached->step &&
                 o->f.conversation == conversation_id(&s->conversation->f);
    return is_it ? o : operation_at(s, cached->step);
}

void sequence_finished(struct baseline *b, struct flow_cache *cached, const struct ot_flow *flow)
{
    struct conversation *c = cached->conversation;
    struct seen s = {.b = b, .conversation = c};
    if (cached->step < LEAST_STEP || flow->has_gap || !flow->is_start_seen ||
        baseline_is_learning(b, &c->f.operations))
        return;
    const struct operation_entry *o = last_operation(&s, cached);
    if (o && o->f.operation == OP_SUBSCRIBE && alarms_is_function(o->f.name) &&
        c->e.count >= o->e.count * MORE_MIN)
        tell_last(b, c, o, flow);
}
