/* recent.h: when something was last told, by 64-bit key: a bounded table that forgets. A look costs
 * two cache lines, for there is one with every packet and event. Owned by one worker. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct recent;

struct recent *recent_create(uint32_t capacity);
void recent_destroy(struct recent *r);

/* True when key was not told within every_ns before now_ns, which then counts as told. */
bool recent_is_due(struct recent *r, uint64_t key, int64_t now_ns, int64_t every_ns);
/* The same for a key that is always asked for at one place, as that of a flow: then its cache line
 * can be fetched before the key is known. */
bool recent_is_due_at(struct recent *r, uint64_t place, uint64_t key, int64_t now_ns,
                      int64_t every_ns);
void recent_look(const struct recent *r, uint64_t place);

/* When the key was told last, 0: nobody knows. */
int64_t recent_told_ns(const struct recent *r, uint64_t key);
/* The key, which is at this place, was told at another time. */
void recent_set_at(struct recent *r, uint64_t place, uint64_t key, int64_t told_ns);
