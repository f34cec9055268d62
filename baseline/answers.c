/* answers.c: how long a device takes to answer what it is read for.
 *
 * One late answer is a lost packet or a busy moment: of two in a row the quicker one is learned,
 * and more than every third must be late before it is told. */
#include "learned.h"

enum {
    ANSWERS_MIN = 64, /* learned, before it is known how long they take */
    LATE_FACTOR = 3,  /* times the longest that was learned, and at least ... */
    LATE_WEIGHT = 2,  /* of a late answer; others take one away, and ... */
    LATE_MAX = 9,     /* ... more than this is told */
};
static const int64_t LATE_LEAST_NS = SECOND_NS / 20; /* ... what a busy device may take */
static const int64_t ABANDONED_NS = 60 * SECOND_NS;  /* not the answer to that */

static void tell(struct seen *s, int64_t took_ns)
{
    struct conversation *c = s->conversation;
    uint64_t count;
    if (!repeat_is_due(&c->answers_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_COMM_PERIOD_CHANGED);
    char since[SINCE_TEXT];
    double seconds = (double)took_ns / (double)SECOND_NS;
    f->count = count;
    text_format(f->key, sizeof f->key, "answers");
    text_format(f->what, sizeof f->what,
                "waits longer for the answers of %%T than it used to: %.3g s", seconds);
    text_format(f->expected, sizeof f->expected, "answers within %.3g s (%u of them since %s)",
                (double)c->f.answer_high_ns / (double)SECOND_NS, c->f.answers,
                since_print(since, c->e.first_ns));
    text_format(f->seen, sizeof f->seen, "answers after %.3g s", seconds);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)conversation_id(&c->f));
    finding_raise(s, f);
}

static void learn(struct baseline *b, struct conversation *c, int64_t took_ns)
{
    if (c->f.answers < UINT32_MAX)
        c->f.answers++;
    if (took_ns <= c->f.answer_high_ns)
        return;
    c->f.answer_high_ns = took_ns;
    entry_change(&b->conversations, &c->e);
}

static void judge(struct seen *s, int64_t took_ns)
{
    struct conversation *c = s->conversation;
    int64_t limit = c->f.answer_high_ns * LATE_FACTOR;
    if (took_ns <= limit || took_ns <= LATE_LEAST_NS) {
        c->late = (uint8_t)(c->late ? c->late - 1 : 0);
        return;
    }
    c->late = (uint8_t)(c->late + LATE_WEIGHT);
    if (c->late <= LATE_MAX)
        return;
    c->late = 0;
    if (!baseline_covers(s, DETECTION_COMM_PERIOD_CHANGED, false))
        tell(s, took_ns);
}

void answers_judge(struct seen *s)
{
    struct baseline *b = s->b;
    struct conversation *c = s->conversation;
    if (s->event->operation != OP_READ)
        return;
    if (s->event->direction == OT_REQUEST) {
        c->asked_ns = b->now_ns;
        return;
    }
    if (c->asked_ns == 0)
        return;
    int64_t took = b->now_ns - c->asked_ns, before = c->answered_after_ns;
    c->asked_ns = 0;
    if (took > ABANDONED_NS)
        return;
    c->answered_after_ns = took;
    if (c->e.state != ENTRY_LEARNED)
        return;
    if (b->options.mode != MODE_DETECT && baseline_is_learning(b, &c->f.objects))
        learn(b, c, before < took ? before : took);
    else if (c->f.answers >= ANSWERS_MIN)
        judge(s, took);
}
