/* interval_set.h: a small sorted set of address ranges. When it is full the two nearest ranges
 * become one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INTERVALS_MAX = 16, INTERVALS_TEXT = INTERVALS_MAX * 48 };

struct interval {
    uint64_t low, high; /* inclusive */
};

struct interval_set {
    uint16_t count;
    uint16_t joined; /* times that distant ranges were joined for want of room: the set then holds
                        more than was seen */
    struct interval at[INTERVALS_MAX + 1]; /* sorted, not touching; one spare while adding */
};

static inline bool interval_set_covers(const struct interval_set *s, uint64_t low, uint64_t high)
{
    for (unsigned i = 0; i < s->count; i++)
        if (low >= s->at[i].low && high <= s->at[i].high)
            return true;
    return false;
}

/* low <= high. */
void interval_set_add(struct interval_set *s, uint64_t low, uint64_t high);

/* "0-9, 20, 30-39", cut at capacity with "...". Returns out. */
char *interval_set_print(const struct interval_set *s, char *out, size_t capacity);
/* Reads what print writes. False: not a list of ranges. */
bool interval_set_parse(struct interval_set *s, const char *text);
