/* period.c: the pace of polls: the mean pause of a few polls of one piece, and the band in which
 * such means lie.
 *
 * Single pauses jitter (a lost packet doubles one); the mean of sixteen does not. The band's
 * tolerance grows with the jitter that was learned and shrinks with the number of means. */
#include "learned.h"

enum {
    POLLS = 16,       /* in one mean */
    PERIODS_MIN = 4,  /* means, before the pace is known */
    PAUSE_FACTOR = 8, /* times the longest mean: a pause, unless ... */
    PAUSES_MAX = 4,   /* ... so many follow each other */
};
static const double MARGIN = 0.5, MARGIN_SCARCE = 2.0;
static const double JITTER_FACTOR = 2.0;

static void tell(struct seen *s, struct block *k, double seconds)
{
    struct baseline *b = s->b;
    uint64_t count;
    if (!repeat_is_due(&s->conversation->period_told, b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_COMM_PERIOD_CHANGED);
    char since[SINCE_TEXT];
    f->count = count;
    if (s->event->item_count > 0)
        ot_item_print(&s->event->items[0], f->object, sizeof f->object);
    text_format(f->key, sizeof f->key, "period");
    text_format(f->what, sizeof f->what, "polls %%T %s than it used to: every %.3g s",
                seconds < k->f.period_low ? "faster" : "more slowly", seconds);
    text_format(f->expected, sizeof f->expected, "every %.3g to %.3g s, since %s", k->f.period_low,
                k->f.period_high, since_print(since, k->e.first_ns));
    text_format(f->seen, sizeof f->seen, "every %.3g s, the mean of %d polls", seconds, (int)POLLS);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)block_id(&k->f));
    finding_raise(s, f);
}

static void learn(struct baseline *b, struct block *k, double seconds)
{
    if (k->f.periods == 0 || seconds < k->f.period_low)
        k->f.period_low = seconds;
    if (k->f.periods == 0 || seconds > k->f.period_high)
        k->f.period_high = seconds;
    k->f.periods++;
    entry_change(&b->blocks, &k->e);
}

static bool is_normal(const struct block_facts *f, double seconds)
{
    double jitter = (f->period_high - f->period_low) / f->period_high;
    double margin = MARGIN + JITTER_FACTOR * jitter + MARGIN_SCARCE / f->periods;
    return seconds <= f->period_high * (1 + margin) && seconds >= f->period_low / (1 + margin);
}

static void judge(struct seen *s, struct block *k, double seconds)
{
    struct baseline *b = s->b;
    if (k->e.state != ENTRY_LEARNED || seconds <= 0)
        return;
    bool learns = baseline_is_learning(b, &s->conversation->f.objects);
    if (learns || k->f.periods < PERIODS_MIN) {
        if (learns || b->options.mode != MODE_DETECT)
            learn(b, k, seconds);
    } else if (!is_normal(&k->f, seconds)) {
        tell(s, k, seconds);
    }
}

/* A client that was busy or restarted; not another pace. */
static bool is_pause(struct block *k, int64_t pause_ns)
{
    if (k->f.periods == 0 ||
        (double)pause_ns <= k->f.period_high * PAUSE_FACTOR * (double)SECOND_NS) {
        k->period_pauses = 0;
        return false;
    }
    if (k->period_pauses < UINT8_MAX)
        k->period_pauses++;
    return k->period_pauses < PAUSES_MAX;
}

void period_polled(struct seen *s, struct block *k, int64_t pause_ns)
{
    int64_t now = s->b->now_ns;
    bool is_first = k->period_ns == 0; /* what it had sent by itself before was no poll */
    if (is_first || pause_ns < 0 || is_pause(k, pause_ns)) { /* begins anew */
        k->period_ns = now;
        k->period_polls = 0;
    } else if (++k->period_polls >= POLLS) {
        double seconds = (double)(now - k->period_ns) / POLLS / (double)SECOND_NS;
        k->period_ns = now;
        k->period_polls = 0;
        judge(s, k, seconds);
    }
}
