/* settle.c: when a dimension of the baseline has settled, and how often one cause is told. */
#include "learned.h"

enum {
    CALM_EVENTS = 20, /* fewer events without news say little: the chance of one more new thing is
                       * about 1 in 20 (Good and Turing: what was seen once, over what was seen) */
    CALM_GAPS = 2,    /* times the longest pause between two new things */
};
static const int64_t PAUSE_MAX_NS =
    600 * SECOND_NS; /* a longer silence within a run is not observation */

void settle_pass(struct settle *s, int64_t delta_ns)
{
    if (delta_ns > PAUSE_MAX_NS)
        delta_ns = PAUSE_MAX_NS;
    s->observed_ns += delta_ns;
    s->quiet_ns += delta_ns;
    s->calm++;
}

void settle_new(struct settle *s)
{
    if (s->news > 0 && s->quiet_ns > s->longest_gap_ns)
        s->longest_gap_ns = s->quiet_ns;
    s->quiet_ns = 0;
    s->calm = 0;
    s->news++;
}

bool settle_is_settled(const struct settle *s, int64_t minimum_ns)
{
    int64_t wanted = CALM_GAPS * s->longest_gap_ns;
    return s->observed_ns >= minimum_ns && s->quiet_ns >= minimum_ns && s->quiet_ns >= wanted &&
           s->calm >= CALM_EVENTS;
}

bool baseline_is_learning(const struct baseline *b, const struct settle *s)
{
    if (b->options.mode == MODE_AUTO)
        return !settle_is_settled(s, b->options.settle_min_ns);
    return b->options.mode == MODE_LEARN;
}

bool repeat_is_due(struct repeat *r, int64_t now_ns, uint64_t *count)
{
    enum {
        SLOWING = 8
    }; /* repeats become rarer: each waits an eighth of the time since the first */
    r->waiting++;
    if (r->first_ns == 0) {
        r->first_ns = now_ns;
    } else {
        int64_t pause = (r->last_ns - r->first_ns) / SLOWING;
        if (pause < SECOND_NS)
            pause = SECOND_NS;
        if (now_ns - r->last_ns < pause)
            return false;
    }
    *count = r->waiting;
    r->waiting = 0;
    r->last_ns = now_ns;
    return true;
}

uint32_t window_count(struct window *w, int64_t now_ns, int64_t length_ns)
{
    if (w->start_ns == 0 || now_ns - w->start_ns >= length_ns || now_ns < w->start_ns)
        *w = (struct window){now_ns, 0};
    return ++w->count;
}
