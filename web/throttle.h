/* throttle.h: slows down who guesses passwords. Counts failures by user name and by address; after
 * a few, each further one doubles the wait. Bounded: the entry that failed longest ago makes room.
 * May be called from any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct throttle;

struct throttle *throttle_create(void);
void throttle_destroy(struct throttle *t);

/* Seconds that the next attempt for this key has to wait; 0: now. */
unsigned throttle_wait(struct throttle *t, const char *key, int64_t now_ms);
void throttle_failed(struct throttle *t, const char *key, int64_t now_ms);
/* A success forgets the failures. */
void throttle_forget(struct throttle *t, const char *key);
