/* silence.c: conversations that never paused for long, and stop.
 *
 * Only answers and messages that need none count: a client that polls a dead device does not make
 * it alive. The timer starts with the first of them in a run; what was not observed counts for
 * nobody. */
#include "learned.h"

#include <string.h>

enum {
    BEATS_MIN = 30,        /* learned, before a pause is known */
    RUN_BEATS_MIN = 2,     /* in this run, before a silence is judged */
    SILENCE_FACTOR = 4,    /* times the longest pause that was learned */
    CLIENT_LOOKS_MAX = 32, /* walks through all conversations in a second; the rest can wait */
};
static const int64_t SILENCE_MIN_NS = 10 * SECOND_NS;
static const int64_t BLIND_NS =
    5 * SECOND_NS; /* no packet at all for so long: a hole in the capture */
/* a plant where little is said is often quiet for a while: such pauses are its own, and learned */
static const int64_t HOLE_NS = 120 * SECOND_NS;
static const int64_t APART_NS =
    2 * SECOND_NS; /* beside their pauses, between the last words of a client that dies */
static const int64_t REGULAR_PAUSE_NS =
    60 * SECOND_NS; /* with longer pauses it comes and goes as it likes */

void silence_beat(struct seen *s)
{
    struct conversation *c = s->conversation;
    int64_t now = s->b->now_ns;
    bool learns = s->b->options.mode != MODE_DETECT && !c->is_silent;
    if (c->beat_ns == 0 && now != 0)
        s->b->beating++;
    if (learns) {
        c->f.beats++;
        if (c->heard_ns && now - c->heard_ns > c->f.longest_pause_ns)
            c->f.longest_pause_ns = now - c->heard_ns;
    }
    c->beat_ns = c->heard_ns = now;
    c->run_beats++;
    c->is_silent = false;
}

/* Those two have ended their connection: that is no silence. How long they paused before is known
 * all the same. */
static void forget(struct baseline *b, struct conversation *c)
{
    bool learns = b->options.mode != MODE_DETECT && !c->is_silent && c->heard_ns != 0;
    if (learns && b->now_ns - c->heard_ns > c->f.longest_pause_ns) {
        c->f.longest_pause_ns = b->now_ns - c->heard_ns;
        entry_change(&b->conversations, &c->e);
    }
    if (c->beat_ns != 0 && b->beating > 0)
        b->beating--;
    c->beat_ns = c->heard_ns = 0;
    c->run_beats = 0;
}

void silence_added(struct baseline *b, const struct conversation *c)
{
    b->watched[table_index(&b->conversations, &c->e)] = (struct watched){0, c->pair_key};
}

void silence_forget(struct baseline *b, uint64_t pair_key)
{
    for (uint32_t i = 0; i < b->conversations.used; i++)
        if (b->watched[i].pair_key == pair_key)
            forget(b, (struct conversation *)(void *)table_at(&b->conversations, i));
}

bool silence_is_watched(const struct baseline *b, uint64_t pair_key)
{
    for (uint32_t i = 0; i < b->conversations.used; i++) {
        const struct conversation *c = (const void *)table_at(&b->conversations, i);
        if (b->watched[i].pair_key == pair_key && c->beat_ns != 0)
            return true;
    }
    return false;
}

static void tell(struct baseline *b, struct conversation *c, const struct pair *p)
{
    unsigned client = c->f.client & 1;
    const struct ot_flow flow = {
        .segment = p->f.segment,
        .client = endpoint_of(&p->f.hosts[!client]), /* the actor is who answers no more */
        .server = endpoint_of(&p->f.hosts[client])};
    const struct violation about = {
        .time_ns = b->now_ns, .flow = &flow, .protocol = c->f.protocol, .is_from_client = true};
    struct seen s = {.b = b};
    struct finding *f = &b->finding;
    char since[SINCE_TEXT];
    finding_of_violation(f, DETECTION_COMM_SILENT, &about);
    text_format(f->key, sizeof f->key, "silent");
    text_format(f->what, sizeof f->what, "has given no %s answer to %%T for %lld s", c->f.protocol,
                (long long)((b->now_ns - c->beat_ns) / SECOND_NS));
    text_format(f->expected, sizeof f->expected,
                "an answer at least every %.1f s (%llu of them since %s)",
                (double)c->f.longest_pause_ns / (double)SECOND_NS, (unsigned long long)c->f.beats,
                since_print(since, c->e.first_ns));
    text_format(f->seen, sizeof f->seen, "silence since the last answer");
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)conversation_id(&c->f));
    finding_raise(&s, f);
}

/* A host that asks nobody any more is one cause, however many it used to ask. */
static void tell_client(struct baseline *b, struct conversation *c, const struct pair *p,
                        unsigned others)
{
    const struct ot_flow flow = {.segment = p->f.segment,
                                 .client = endpoint_of(&p->f.hosts[c->f.client & 1]),
                                 .server = endpoint_of(&p->f.hosts[!(c->f.client & 1)])};
    const struct violation about = {
        .time_ns = b->now_ns, .flow = &flow, .protocol = c->f.protocol, .is_from_client = true};
    struct seen s = {.b = b};
    struct finding *f = &b->finding;
    char since[SINCE_TEXT];
    finding_of_violation(f, DETECTION_COMM_SILENT, &about);
    f->has_target = false;
    text_format(f->key, sizeof f->key, "silent to all");
    text_format(f->what, sizeof f->what, "has been silent towards %u others for %lld s", others + 1,
                (long long)((b->now_ns - c->beat_ns) / SECOND_NS));
    text_format(f->expected, sizeof f->expected,
                "a word in %s at least every %.1f s (%llu of them since %s)", c->f.protocol,
                (double)c->f.longest_pause_ns / (double)SECOND_NS, (unsigned long long)c->f.beats,
                since_print(since, c->e.first_ns));
    text_format(f->seen, sizeof f->seen, "silence since the last answer that it was given");
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)conversation_id(&c->f));
    finding_raise(&s, f);
}

static bool is_regular(const struct conversation *c)
{
    return c->e.state == ENTRY_LEARNED && c->f.beats >= BEATS_MIN &&
           c->f.longest_pause_ns <= REGULAR_PAUSE_NS;
}

/* The conversation of the same client with another host that the entry is; NULL: it is none. */
static struct conversation *sibling(struct baseline *b, uint32_t i, const struct conversation *c,
                                    const struct pair *p)
{
    struct conversation *other = (void *)table_at(&b->conversations, i);
    if (other->beat_ns == 0 || other->pair_key == c->pair_key)
        return NULL;
    const struct pair *q = table_find(&b->pairs, other->pair_key);
    bool is_sibling = q && q->f.segment == p->f.segment &&
                      memcmp(&q->f.hosts[other->f.client & 1], &p->f.hosts[c->f.client & 1],
                             sizeof(struct host)) == 0;
    return is_sibling ? other : NULL;
}

/* How many others its client has stopped to ask at about the same time; 0 when it asks any of them,
 * or has asked and was not answered: then it is not the client that is silent. */
static unsigned left_by_client(struct baseline *b, const struct conversation *c,
                               const struct pair *p)
{
    unsigned left = 0;
    if (c->run_ns > c->beat_ns)
        return 0;
    for (uint32_t i = 0; i < b->conversations.used; i++) {
        const struct conversation *other = sibling(b, i, c, p);
        if (!other)
            continue;
        int64_t apart_ns = other->f.longest_pause_ns + c->f.longest_pause_ns + APART_NS;
        if (other->run_ns > c->beat_ns + apart_ns || other->run_ns > other->beat_ns)
            return 0;
        left += is_regular(other) && other->beat_ns > c->beat_ns - apart_ns &&
                b->now_ns - other->beat_ns > other->f.longest_pause_ns;
    }
    return left;
}

/* They are the same cause as the one that is told. */
static void pass_over_siblings(struct baseline *b, const struct conversation *c,
                               const struct pair *p)
{
    for (uint32_t i = 0; i < b->conversations.used; i++) {
        struct conversation *other = sibling(b, i, c, p);
        if (other)
            other->is_silent = true;
    }
}

static void look(struct baseline *b, struct conversation *c)
{
    int64_t still = b->now_ns - c->beat_ns;
    if (c->is_silent || c->run_beats < RUN_BEATS_MIN || still < SILENCE_MIN_NS || !is_regular(c) ||
        still <= SILENCE_FACTOR * c->f.longest_pause_ns ||
        baseline_is_learning(b, &c->f.operations))
        return;
    const struct pair *p = table_find(&b->pairs, c->pair_key);
    struct host actor, target;
    if (!p)
        return;
    actor = p->f.hosts[!(c->f.client & 1)];
    target = p->f.hosts[c->f.client & 1];
    bool is_allowed =
        baseline_allows(b, DETECTION_COMM_SILENT, p->f.segment, &actor, &target, b->now_ns);
    if (!is_allowed && b->client_looks == 0)
        return; /* looked at again in a second */
    c->is_silent = true;
    if (is_allowed)
        return;
    b->client_looks--;
    unsigned others = left_by_client(b, c, p);
    if (others == 0) {
        tell(b, c, p);
        return;
    }
    tell_client(b, c, p, others);
    pass_over_siblings(b, c, p);
}

/* Nothing at all is heard: then it is the sensor that does not hear, which the sensor's health
 * tells. */
static int64_t blind_for(const struct baseline *b, unsigned running)
{
    int64_t deaf = b->now_ns - b->looked_ns;
    if (running > 1 && b->now_ns - b->links_last_ns > deaf)
        deaf = b->now_ns - b->links_last_ns;
    return deaf > BLIND_NS ? deaf : 0;
}

/* When a look can find it silent at the earliest: pauses that were learned only grow. */
static int64_t silent_at(const struct baseline *b, const struct conversation *c)
{
    int64_t pause =
        c->f.longest_pause_ns < REGULAR_PAUSE_NS ? c->f.longest_pause_ns : REGULAR_PAUSE_NS;
    if (c->beat_ns == 0 || c->is_silent)
        return b->now_ns + SILENCE_MIN_NS; /* not before it was heard */
    if (pause * SILENCE_FACTOR > SILENCE_MIN_NS)
        return c->beat_ns + pause * SILENCE_FACTOR;
    return c->beat_ns + SILENCE_MIN_NS;
}

static void look_at(struct baseline *b, struct conversation *c, struct watched *watched)
{
    int64_t minimum_ns = b->options.settle_min_ns;
    settle_look(&c->f.operations, minimum_ns);
    settle_look(&c->f.objects, minimum_ns);
    if (c->beat_ns != 0)
        look(b, c);
    int64_t operations_ns = settle_next(&c->f.operations, minimum_ns, c->run_ns, b->now_ns);
    int64_t objects_ns = settle_next(&c->f.objects, minimum_ns, c->run_ns, b->now_ns);
    watched->due_ns = silent_at(b, c);
    if (operations_ns < watched->due_ns)
        watched->due_ns = operations_ns;
    if (objects_ns < watched->due_ns)
        watched->due_ns = objects_ns;
}

/* After a hole in the capture, when conversations were evicted, and at the end. */
static void look_at_all(struct baseline *b, int64_t blind_ns, bool is_last)
{
    b->beating = 0;
    for (uint32_t i = 0; i < b->conversations.used; i++) {
        struct conversation *c = (void *)table_at(&b->conversations, i);
        b->beating += c->beat_ns != 0;
        if (blind_ns && c->beat_ns != 0)
            c->beat_ns = b->now_ns; /* what was not observed counts for nobody */
        if (blind_ns > HOLE_NS && c->beat_ns != 0)
            c->heard_ns = b->now_ns;
        look_at(b, c, &b->watched[i]);
        if (is_last && b->options.mode != MODE_DETECT && c->beat_ns != 0 && !c->is_silent &&
            b->now_ns - c->beat_ns > c->f.longest_pause_ns)
            c->f.longest_pause_ns =
                b->now_ns - c->beat_ns; /* ended while learning: it does not go on for ever */
    }
}

void silence_look(struct baseline *b, bool is_last)
{
    int64_t blind_ns = blind_for(b, b->running);
    b->looked_ns = b->now_ns;
    b->client_looks = is_last ? UINT32_MAX : CLIENT_LOOKS_MAX;
    if (blind_ns || is_last || b->conversations.evicted != b->evicted_before) {
        b->evicted_before = b->conversations.evicted;
        look_at_all(b, blind_ns, is_last);
    } else {
        for (uint32_t i = 0; i < b->conversations.used; i++)
            if (b->watched[i].due_ns <= b->now_ns)
                look_at(b, (struct conversation *)(void *)table_at(&b->conversations, i),
                        &b->watched[i]);
    }
    b->running = b->beating;
}
