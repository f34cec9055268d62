/* counters.h: what the sensor counts; one list (counters.def) for the struct, the names and the
 * help. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct counters {
#define COUNTER(name, help) uint64_t name;
#include "counters.def"
#undef COUNTER
};

struct counter_kind {
    const char *name, *help;
    size_t offset; /* in struct counters */
};
extern const struct counter_kind counter_kinds[];
extern const size_t counter_kind_count;

/* Adds all counters of b to a. */
void counters_add(struct counters *a, const struct counters *b);
