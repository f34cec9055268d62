/* live_clock.h: the time of a live run. It follows the wall clock, which stamps the packets, but
 * where that is put back it goes on from where it was: every timer of the sensor counts on that.
 * Owned by the reader thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All zero to begin with. */
struct live_clock {
    bool is_started;
    int64_t wall_ns, steady_ns; /* both clocks when they were last looked at */
    int64_t ahead_ns;           /* of the wall clock, not negative */
    uint64_t steps;             /* how often it was put back by more than a second */
};

/* Looks at the machine's clocks. Returns the time of the run. */
int64_t live_clock_look(struct live_clock *clock);
/* The same with what the clocks show: CLOCK_REALTIME and CLOCK_MONOTONIC. */
int64_t live_clock_take(struct live_clock *clock, int64_t wall_ns, int64_t steady_ns);

/* The time of the run at which a packet that bears this stamp came; looks at the clocks when the
 * stamp is not of about the last look. */
int64_t live_clock_packet(struct live_clock *clock, int64_t stamp_ns);
/* That without looking. */
int64_t live_clock_of(const struct live_clock *clock, int64_t stamp_ns);
