/* live_clock.c: a step shows as a difference between what the wall clock and the monotonic clock
 * have gone on by. Stamps of packets prove no step: those of two interfaces, or of a backlog, go
 * back too. */
#include "live_clock.h"

#include <time.h>

#define STEP_NS INT64_C(1000000000) /* less is slewing, and clamped packet by packet */
#define LOOK_NS (STEP_NS / 10)

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t live_clock_take(struct live_clock *c, int64_t wall_ns, int64_t steady_ns)
{
    int64_t step_ns = (wall_ns - c->wall_ns) - (steady_ns - c->steady_ns);
    if (c->is_started && step_ns < -STEP_NS) {
        c->ahead_ns -= step_ns;
        c->steps++;
    } else if (c->is_started && step_ns > STEP_NS) { /* what was put back is put right */
        c->ahead_ns = c->ahead_ns > step_ns ? c->ahead_ns - step_ns : 0;
    }
    c->is_started = true;
    c->wall_ns = wall_ns;
    c->steady_ns = steady_ns;
    return wall_ns + c->ahead_ns;
}

int64_t live_clock_look(struct live_clock *c)
{
    return live_clock_take(c, clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_MONOTONIC));
}

int64_t live_clock_of(const struct live_clock *c, int64_t stamp_ns)
{
    bool is_from_before =
        stamp_ns > c->wall_ns + STEP_NS; /* stamped, then the clock was put back */
    return is_from_before ? stamp_ns : stamp_ns + c->ahead_ns;
}

int64_t live_clock_packet(struct live_clock *c, int64_t stamp_ns)
{
    if (stamp_ns > c->wall_ns + LOOK_NS || stamp_ns < c->wall_ns - STEP_NS)
        live_clock_look(c);
    return live_clock_of(c, stamp_ns);
}
