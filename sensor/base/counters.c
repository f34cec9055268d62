/* counters.c: names and sums of the counters. */
#include "counters.h"

const struct counter_kind counter_kinds[] = {
#define COUNTER(name, help) {#name, help, offsetof(struct counters, name)},
#include "counters.def"
#undef COUNTER
};
const size_t counter_kind_count = sizeof counter_kinds / sizeof *counter_kinds;

void counters_add(struct counters *a, const struct counters *b)
{
#define COUNTER(name, help) a->name += b->name;
#include "counters.def"
#undef COUNTER
}
