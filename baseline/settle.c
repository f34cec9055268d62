/* settle.c: when a dimension of the baseline has settled, and how often one cause is told. */
#include "learned.h"

#include <math.h>
#include <string.h>

enum {
    CALM_GAPS = 2,   /* times the longest pause between two new things */
    LATE_FACTOR = 6, /* times the minimum: time enough for all that is regular */
    PERCENT = 100,
};
static const double CHANCE_MAX = 0.05;               /* of something new, to call it settled */
static const double CONFIDENCE = 1.645;              /* standard deviations, one-sided 95 % */
static const int64_t WAIT_MAX_NS = 3600 * SECOND_NS; /* look again at least that often */

void settle_new(struct settle *s)
{
    if (s->news > 0 && s->quiet_ns > s->longest_gap_ns)
        s->longest_gap_ns = s->quiet_ns;
    s->quiet_ns = 0;
    s->calm = 0;
    s->settled_after_ns = 0;
    s->news++;
}

void settle_look(struct settle *s, int64_t minimum_ns)
{
    if (s->settled_after_ns == 0 && settle_is_settled(s, minimum_ns))
        s->settled_after_ns = s->observed_ns;
}

int64_t settle_next(const struct settle *s, int64_t minimum_ns, int64_t passed_ns, int64_t now_ns)
{
    int64_t wanted = CALM_GAPS * s->longest_gap_ns;
    wanted = wanted > minimum_ns ? wanted : minimum_ns;
    if (s->settled_after_ns != 0)
        return now_ns + minimum_ns; /* something new may come at once */
    if (s->quiet_ns >= wanted || s->quiet_ns < 0)
        return now_ns; /* it may have settled with any message */
    int64_t wait_ns = wanted - s->quiet_ns;
    return (passed_ns ? passed_ns : now_ns) + (wait_ns < WAIT_MAX_NS ? wait_ns : WAIT_MAX_NS);
}

double settle_chance(const struct settle *s)
{
    if (s->draws == 0)
        return 1;
    double n = s->draws, p = s->singles < s->draws ? s->singles / n : 1;
    double z = CONFIDENCE, zz = z * z;
    double middle = p + zz / (2 * n), half = z * sqrt(p * (1 - p) / n + zz / (4 * n * n));
    return fmin(1, (middle + half) / (1 + zz / n));
}

/* The same question as settle_chance(s) <= CHANCE_MAX, without roots: it is asked for each message
 * of a conversation. */
static bool is_chance_small(const struct settle *s)
{
    enum { DRAWS_AT_NONE = 52 }; /* 0 of 52 */
    if (s->draws < DRAWS_AT_NONE)
        return false;
    return s->singles == 0 || settle_chance(s) <= CHANCE_MAX;
}

bool settle_is_settled(const struct settle *s, int64_t minimum_ns)
{
    int64_t wanted = CALM_GAPS * s->longest_gap_ns;
    return s->observed_ns >= minimum_ns && s->quiet_ns >= minimum_ns && s->quiet_ns >= wanted &&
           is_chance_small(s);
}

char *settle_print(const struct settle *s, int64_t minimum_ns, char *out, size_t capacity)
{
    const int64_t minute = 60 * SECOND_NS;
    double chance = settle_chance(s) * PERCENT;
    bool is_settled = settle_is_settled(s, minimum_ns);
    int64_t wanted = CALM_GAPS * s->longest_gap_ns;
    wanted = wanted > minimum_ns ? wanted : minimum_ns;
    text_format(out, capacity, "%s %.0f %% known: ", is_settled ? "settled" : "learning",
                floor(PERCENT - chance));
    size_t used = strlen(out);
    if (s->draws == 0)
        text_format(out + used, capacity - used, "nothing judged yet");
    else if (chance > CHANCE_MAX * PERCENT)
        text_format(out + used, capacity - used, "%u of %u seen only once", s->singles, s->draws);
    else if (s->observed_ns < minimum_ns)
        text_format(out + used, capacity - used, "seen for %lld of %lld min",
                    (long long)(s->observed_ns / minute), (long long)(minimum_ns / minute));
    else
        text_format(out + used, capacity - used, "nothing new for %lld%s%lld min",
                    (long long)(s->quiet_ns / minute), is_settled ? " > " : " of ",
                    (long long)((wanted + minute - 1) / minute));
    used = strlen(out);
    if (is_settled && s->settled_after_ns > 0)
        text_format(out + used, capacity - used, ", after %lld min",
                    (long long)(s->settled_after_ns / minute));
    return out;
}

bool baseline_is_late(const struct baseline *b, const struct settle *s, int64_t since_ns)
{
    return b->options.mode == MODE_AUTO &&
           b->now_ns - since_ns > LATE_FACTOR * b->options.settle_min_ns &&
           s->observed_ns >= b->options.settle_min_ns &&
           !settle_is_settled(s, b->options.settle_min_ns);
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
