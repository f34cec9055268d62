/* interval_set.c: a small sorted set of address ranges. */
#include "interval_set.h"

#include "sensor/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void remove_at(struct interval_set *s, unsigned i)
{
    memmove(&s->at[i], &s->at[i + 1], (s->count - i - 1u) * sizeof s->at[0]);
    s->count--;
}

/* Overlapping or neighbouring: a.low <= b.low. */
static bool is_touching(const struct interval *a, const struct interval *b)
{
    return a->high >= b->low || a->high + 1 == b->low;
}

static void join_with_next(struct interval_set *s, unsigned i)
{
    if (s->at[i + 1].high > s->at[i].high)
        s->at[i].high = s->at[i + 1].high;
    remove_at(s, i + 1);
}

static void join_nearest(struct interval_set *s)
{
    unsigned nearest = 0;
    for (unsigned i = 1; i + 1 < s->count; i++)
        if (s->at[i + 1].low - s->at[i].high < s->at[nearest + 1].low - s->at[nearest].high)
            nearest = i;
    join_with_next(s, nearest);
    s->joined++;
}

void interval_set_add(struct interval_set *s, uint64_t low, uint64_t high)
{
    unsigned i = 0;
    while (i < s->count && s->at[i].low < low)
        i++;
    memmove(&s->at[i + 1], &s->at[i], (s->count - i) * sizeof s->at[0]);
    s->at[i] = (struct interval){low, high};
    s->count++;
    if (i > 0 && is_touching(&s->at[i - 1], &s->at[i]))
        join_with_next(s, --i);
    while (i + 1u < s->count && is_touching(&s->at[i], &s->at[i + 1]))
        join_with_next(s, i);
    if (s->count > INTERVALS_MAX)
        join_nearest(s);
}

char *interval_set_print(const struct interval_set *s, char *out, size_t capacity)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < s->count; i++) {
        char one[48];
        const struct interval *r = &s->at[i];
        const char *comma = i ? ", " : "";
        if (r->low == r->high)
            text_format(one, sizeof one, "%s%" PRIu64, comma, r->low);
        else
            text_format(one, sizeof one, "%s%" PRIu64 "-%" PRIu64, comma, r->low, r->high);
        size_t n = strlen(one);
        if (used + n + 4 > capacity) {
            if (used + 4 <= capacity)
                memcpy(out + used, "...", 4);
            return out;
        }
        memcpy(out + used, one, n + 1);
        used += n;
    }
    return out;
}

static bool number_parse(const char **at, uint64_t *value)
{
    if (**at < '0' || **at > '9')
        return false;
    char *end;
    *value = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

bool interval_set_parse(struct interval_set *s, const char *text)
{
    *s = (struct interval_set){0};
    while (*text == ' ')
        text++;
    while (*text) {
        uint64_t low, high;
        if (!number_parse(&text, &low))
            return false;
        high = low;
        if (*text == '-') {
            text++;
            if (!number_parse(&text, &high) || high < low)
                return false;
        }
        interval_set_add(s, low, high);
        while (*text == ' ')
            text++;
        if (*text == ',') {
            do
                text++;
            while (*text == ' ');
            if (!*text)
                return false;
        } else if (*text) {
            return false;
        }
    }
    return true;
}
