/* operations.c: which functions an actor uses on a target.
 *
 * One event tells one thing: a first change by this actor is rw.new-writer, a first identity query
 * recon.ot-identify, a first listing recon.browse; other functions never used are rw.new-function.
 * What rules/ tells in every mode (program transfers, stop, mode, ...) is counted here and not told
 * again. */
#include "alarms.h"
#include "learned.h"

#include <string.h>

enum {
    MANY_NEW = 4
}; /* new functions of one conversation within a minute, then they are one cause: a sweep */
static const int64_t MANY_WINDOW_NS = 60 * SECOND_NS;

static bool is_told_by_rules(enum operation op)
{
    return operation_is_critical(op) || op == OP_LOCK || op == OP_TIME_SET;
}

static uint32_t bit(enum operation op)
{
    return UINT32_C(1) << op;
}
_Static_assert(OPERATION_COUNT <= 32, "operation classes are bits of a uint32_t");

bool operations_is_actor_new(const struct pair *pair, unsigned side, enum operation operation)
{
    uint32_t alike = operation_is_change(operation) ? OPERATIONS_OF_CHANGE : ~OPERATIONS_OF_CHANGE;
    return (pair->f.operations[side] & alike) == 0;
}

struct operation_about {
    uint32_t code[OT_CODE_PARTS];
    uint32_t operation, side;
    uint64_t unit;
};

static uint64_t about_key(uint64_t conversation_key, const uint32_t code[OT_CODE_PARTS],
                          enum operation operation, unsigned side, uint64_t unit)
{
    struct operation_about about = {.operation = (uint32_t)operation, .side = side, .unit = unit};
    memcpy(about.code, code, sizeof about.code);
    return hash_mix(conversation_key, hash_bytes(&about, sizeof about)) |
           1; /* 0 marks a free entry */
}

uint64_t operations_key_of(uint64_t conversation_key, const struct operation_facts *f)
{
    return about_key(conversation_key, f->code, f->operation, f->side, f->unit_hash);
}

bool operations_is_known(const struct seen *s, uint64_t unit)
{
    uint64_t key =
        about_key(s->conversation->e.key, s->event->code, s->event->operation, s->side, unit);
    const struct operation_entry *o = table_find(&s->b->operations, key);
    return o && o->e.state == ENTRY_LEARNED;
}

static struct operation_entry *operation_add(struct seen *s, uint64_t key, enum entry_state state)
{
    const struct ot_event *e = s->event;
    struct operation_entry *o = table_add(&s->b->operations, key, state, s->b->now_ns);
    o->f.conversation = conversation_id(&s->conversation->f);
    o->f.side = (uint8_t)s->side;
    o->f.operation = e->operation;
    o->f.unit_hash = s->unit;
    memcpy(o->f.code, e->code, sizeof o->f.code);
    text_copy(o->f.unit, sizeof o->f.unit, e->unit);
    ot_event_code(e, o->f.code_text);
    text_copy(o->f.name, sizeof o->f.name, text_of(e->name));
    return o;
}

/* Of two hosts that are new to each other. */
#define NO_CONTACT "no contact between these two: none was learned"

static const char *words_of(const struct ot_event *e)
{
    return e->name ? e->name : operation_name(e->operation);
}

static void object_of(struct finding *f, const struct ot_event *e)
{
    if (e->item_count > 0)
        ot_item_print(&e->items[0], f->object, sizeof f->object);
}

/* Who has never done so changes how alarms are raised. */
static void tell_alarm(struct seen *s)
{
    uint64_t count;
    if (!repeat_is_due(&s->conversation->alarm_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_ALARM_LIMIT_WRITE);
    char since[SINCE_TEXT];
    f->count = count;
    f->flags |= FINDING_IS_WRITE;
    object_of(f, s->event);
    text_format(f->key, sizeof f->key, "alarm %s", f->object);
    text_format(f->what, sizeof f->what, "changes how %%T raises alarms: %s%s%s",
                words_of(s->event), *f->object ? " of " : "", f->object);
    text_format(f->expected, sizeof f->expected,
                "never touches alarms there, since %s (%llu messages)",
                since_print(since, s->conversation->e.first_ns),
                (unsigned long long)s->conversation->e.count);
    text_format(f->seen, sizeof f->seen, "%s%s%s", words_of(s->event), *f->object ? ", " : "",
                f->object);
    finding_raise(s, f);
}

static bool is_about_alarms(const struct ot_event *e)
{
    if (alarms_is_handling(e))
        return true;
    bool is_write = e->operation == OP_WRITE || e->operation == OP_CONTROL;
    return is_write && e->item_count > 0 && alarms_is_setting(&e->items[0]);
}

static void tell_writer(struct seen *s)
{
    uint64_t count;
    if (!repeat_is_due(&s->pair->writer_told[s->side], s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_NEW_WRITER);
    char since[SINCE_TEXT], code[OT_CODE_SIZE];
    f->count = count;
    f->flags |= FINDING_IS_WRITE | FINDING_ACTOR_NEW;
    object_of(f, s->event);
    text_format(f->key, sizeof f->key, "writer");
    text_format(f->what, sizeof f->what, "%s %%T for the first time%s%s",
                operation_words(s->event->operation), *f->object ? ": " : "", f->object);
    if (s->pair->e.state == ENTRY_LEARNED)
        text_format(f->expected, sizeof f->expected, "only reads from it, since %s (%llu messages)",
                    since_print(since, s->pair->e.first_ns), (unsigned long long)s->pair->e.count);
    else
        text_format(f->expected, sizeof f->expected, NO_CONTACT);
    text_format(f->seen, sizeof f->seen, "%s (code %s)", words_of(s->event),
                ot_event_code(s->event, code));
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)pair_id(&s->pair->f));
    finding_raise(s, f);
}

static void tell_asker(struct seen *s, bool is_browse)
{
    uint64_t count;
    if (!repeat_is_due(&s->pair->asker_told[s->side][is_browse], s->b->now_ns, &count))
        return;
    struct finding *f =
        finding_begin(s, is_browse ? DETECTION_RECON_BROWSE : DETECTION_RECON_OT_IDENTIFY);
    char since[SINCE_TEXT], code[OT_CODE_SIZE];
    f->count = count;
    object_of(f, s->event);
    text_format(f->key, sizeof f->key, "%s", is_browse ? "browse" : "identify");
    text_format(f->what, sizeof f->what, "%s %%T, which it never did before",
                operation_words(s->event->operation));
    if (s->pair->e.state == ENTRY_LEARNED)
        text_format(f->expected, sizeof f->expected,
                    "other requests only, since %s (%llu messages)",
                    since_print(since, s->pair->e.first_ns), (unsigned long long)s->pair->e.count);
    else
        text_format(f->expected, sizeof f->expected, NO_CONTACT);
    text_format(f->seen, sizeof f->seen, "%s (code %s)", words_of(s->event),
                ot_event_code(s->event, code));
    finding_raise(s, f);
}

/* Functions that are learned on any unit: a small memory that may forget, only for the choice of
 * words. */
static uint64_t *any_unit(struct baseline *b, uint64_t key)
{
    return &b->learned_functions[key % FUNCTIONS_REMEMBERED];
}

static uint64_t any_unit_key(uint64_t conversation_key, const struct operation_facts *f)
{
    return about_key(conversation_key, f->code, f->operation, f->side, UINT64_MAX);
}

void operations_remember(struct baseline *b, uint64_t conversation_key,
                         const struct operation_facts *f)
{
    uint64_t key = any_unit_key(conversation_key, f);
    *any_unit(b, key) = key;
}

/* Whether another unit of this conversation is used with the same function: then the unit is what
 * is new. */
static bool is_only_unit_new(const struct seen *s, const struct operation_entry *o)
{
    uint64_t key = any_unit_key(s->conversation->e.key, &o->f);
    return *any_unit(s->b, key) == key;
}

static void tell_function(struct seen *s, struct operation_entry *o)
{
    uint64_t count;
    bool is_first = o->told.first_ns == 0;
    if (!repeat_is_due(&o->told, s->b->now_ns, &count))
        return;
    bool is_many = is_first ? window_count(&s->conversation->new_operations, s->b->now_ns,
                                           MANY_WINDOW_NS) > MANY_NEW
                            : s->conversation->new_operations.count > MANY_NEW;
    struct finding *f = finding_begin(s, DETECTION_RW_NEW_FUNCTION);
    char since[SINCE_TEXT];
    f->count = count;
    if (operation_is_change(s->event->operation))
        f->flags |= FINDING_IS_WRITE;
    object_of(f, s->event);
    bool is_unit = !is_many && is_only_unit_new(s, o);
    if (is_many)
        text_format(f->key, sizeof f->key, "functions");
    else if (is_unit)
        text_format(f->key, sizeof f->key, "unit");
    else
        text_format(f->key, sizeof f->key, "function %s", o->f.code_text);
    if (is_unit)
        text_format(f->what, sizeof f->what, "uses %s on unit %s of %%T for the first time",
                    words_of(s->event), o->f.unit);
    else
        text_format(f->what, sizeof f->what, "uses %s on %%T for the first time%s%s%s",
                    words_of(s->event), *f->object ? " (" : "", f->object, *f->object ? ")" : "");
    text_format(f->expected, sizeof f->expected,
                "uses other functions there, since %s (%llu messages)",
                since_print(since, s->conversation->e.first_ns),
                (unsigned long long)s->conversation->e.count);
    text_format(f->seen, sizeof f->seen, "%s (code %s)%s%s", words_of(s->event), o->f.code_text,
                *o->f.unit ? ", unit " : "", o->f.unit);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)s->conversation->f.pair);
    finding_raise(s, f);
}

/* Takes the class over as learned for the pair. */
static void learn_class(struct seen *s, enum operation op)
{
    uint32_t *learned = &s->pair->f.operations[s->side];
    if (!(*learned & bit(op))) {
        *learned |= bit(op);
        entry_change(&s->b->pairs, &s->pair->e);
    }
}

/* Which detection an operation that is not learned answers to. */
static enum detection detection_of(const struct seen *s)
{
    enum operation op = s->event->operation;
    if (operation_is_change(op) && operations_is_actor_new(s->pair, s->side, op))
        return DETECTION_RW_NEW_WRITER;
    if (op == OP_IDENTIFY || op == OP_DISCOVER)
        return DETECTION_RECON_OT_IDENTIFY;
    if (op == OP_BROWSE)
        return DETECTION_RECON_BROWSE;
    return DETECTION_RW_NEW_FUNCTION;
}

/* The actor asks for identities (or lists objects) there by habit: another such function is no
 * news. */
static bool is_habit(const struct seen *s, enum detection detection)
{
    uint32_t learned = s->pair->f.operations[s->side];
    if (detection == DETECTION_RECON_OT_IDENTIFY)
        return (learned & (bit(OP_IDENTIFY) | bit(OP_DISCOVER))) != 0;
    return detection == DETECTION_RECON_BROWSE && (learned & bit(OP_BROWSE)) != 0;
}

static void tell(struct seen *s, struct operation_entry *o, enum detection detection)
{
    if (is_about_alarms(s->event)) {
        tell_alarm(s);
        if (detection == DETECTION_RW_NEW_FUNCTION)
            return;
    }
    bool is_new_link =
        s->pair->e.state != ENTRY_LEARNED || s->conversation->e.state != ENTRY_LEARNED;
    if (detection == DETECTION_RW_NEW_WRITER) {
        tell_writer(s);
    } else if (detection == DETECTION_RW_NEW_FUNCTION) {
        if (!is_new_link) /* else the link's finding tells it */
            tell_function(s, o);
    } else if (!is_new_link || s->b->has_learned) {
        tell_asker(s, detection == DETECTION_RECON_BROWSE);
    }
}

static bool learns_now(const struct seen *s)
{
    const struct conversation *c = s->conversation;
    if (s->b->options.mode == MODE_AUTO && is_told_by_rules(s->event->operation))
        return false; /* never silently */
    return s->pair->e.state == ENTRY_LEARNED && c->e.state == ENTRY_LEARNED &&
           baseline_is_learning(s->b, &c->f.operations);
}

/* In a conversation that is too rare to settle, something new is learned and told. One that brings
 * something new with every other message has no habits to contradict. */
static bool is_worth_telling(const struct seen *s)
{
    const struct settle *settle = &s->conversation->f.operations;
    return baseline_is_late(s->b, settle, s->conversation->e.first_ns) &&
           settle->singles * 2 <= settle->draws;
}

void operations_judge(struct seen *s)
{
    enum operation op = s->event->operation;
    if (op == OP_SESSION || op == OP_ERROR) {
        s->is_known =
            true; /* every connection begins with one: its link and protocol were judged */
        return;
    }
    struct baseline *b = s->b;
    uint64_t key = about_key(s->conversation->e.key, s->event->code, op, s->side, s->unit);
    struct operation_entry *o = table_follow(&b->operations, &s->flow->operations, key);
    if (o && o->e.state == ENTRY_LEARNED) {
        settle_draw(&s->conversation->f.operations, o->e.count);
        entry_touch(&o->e, b->now_ns);
        s->is_known = true;
        sequence_judge(s, o);
        return;
    }
    bool learns = learns_now(s);
    enum detection detection = detection_of(s);
    bool accepts =
        learns || is_habit(s, detection) ||
        (!is_told_by_rules(op) && baseline_covers(s, detection, operation_is_change(op)));
    bool is_late = learns && is_worth_telling(s);
    if (!o) {
        if (accepts) {
            settle_new(&s->conversation->f.operations);
            settle_draw(&s->conversation->f.operations, 0);
        }
        o = operation_add(s, key, accepts ? ENTRY_LEARNED : ENTRY_PENDING);
    } else if (accepts && o->e.state == ENTRY_PENDING &&
               (learns ? b->options.mode == MODE_LEARN : true)) {
        table_state(&b->operations, &o->e, ENTRY_LEARNED);
    }
    entry_touch(&o->e, b->now_ns);
    if (is_late && !is_told_by_rules(op)) { /* told once, and known from now on */
        s->is_late = true;
        tell(s, o, detection);
        s->is_late = false;
        s->is_told = true;
    }
    if (o->e.state == ENTRY_LEARNED) {
        learn_class(s, op);
        operations_remember(b, s->conversation->e.key, &o->f);
        s->is_known = true;
    } else if (!is_told_by_rules(op)) {
        tell(s, o, detection);
    }
}

void operations_approve(struct baseline *b, const struct operation_entry *o)
{
    for (uint32_t i = 0; i < b->conversations.used; i++) {
        const struct conversation *c = (const void *)table_at(&b->conversations, i);
        if (conversation_id(&c->f) != o->f.conversation)
            continue;
        for (uint32_t k = 0; k < b->pairs.used; k++) {
            struct pair *p = (void *)table_at(&b->pairs, k);
            if (pair_id(&p->f) == c->f.pair) {
                p->f.operations[o->f.side] |= bit(o->f.operation);
                entry_change(&b->pairs, &p->e);
            }
        }
    }
}
