/* presence.c: how long each device pauses, and whose pause is too long. */
#include "presence.h"

#include "sensor/base/text.h"

#define SECOND_NS INT64_C(1000000000)

enum { LOST_FACTOR = 4, PRESENT_FACTOR = 4 }; /* times the longest pause; times the silence */
static const int64_t LOST_MIN_NS = 900 * SECOND_NS;
static const int64_t PRESENT_CONTROLLER_NS = 3600 * SECOND_NS;
static const int64_t PRESENT_OTHER_NS = 86400 * SECOND_NS;
static const int64_t PAUSE_OTHER_NS = 600 * SECOND_NS; /* longer: it comes and goes */
static const int64_t PAUSE_KNOWN_NS = 60 * SECOND_NS;  /* hosts are sighted once a minute */

void presence_heard(struct asset *a, int64_t time_ns, bool learns)
{
    int64_t pause = a->heard_ns ? time_ns - a->heard_ns : 0;
    if (pause < 0)
        return;
    if (pause > a->longest_pause_ns && pause > PAUSE_KNOWN_NS && learns)
        a->longest_pause_ns = pause;
    if (pause <= LOST_MIN_NS)
        a->present_ns += pause;
    else if (learns)
        a->present_ns = 0; /* presence without a pause begins anew */
    a->heard_ns = time_ns;
    a->is_lost = false;
}

bool presence_is_lost(struct asset *a, int64_t time_ns)
{
    int64_t silence = a->heard_ns ? time_ns - a->heard_ns : 0;
    bool is_controller = (a->flags & ASSET_CONTROLLER) != 0;
    if (a->is_lost || silence < LOST_MIN_NS || silence < LOST_FACTOR * a->longest_pause_ns ||
        !(a->flags & ASSET_TALKED))
        return false;
    if (a->present_ns < (is_controller ? PRESENT_CONTROLLER_NS : PRESENT_OTHER_NS) ||
        a->present_ns < PRESENT_FACTOR * silence ||
        (!is_controller && a->longest_pause_ns > PAUSE_OTHER_NS))
        return false;
    a->is_lost = true;
    return true;
}

void presence_blind(struct asset *a, int64_t time_ns)
{
    if (a->heard_ns)
        a->heard_ns = time_ns;
}

void presence_words(const struct asset *a, int64_t time_ns, struct finding *f)
{
    int64_t pause = a->longest_pause_ns > PAUSE_KNOWN_NS ? a->longest_pause_ns : PAUSE_KNOWN_NS;
    long long minutes = (long long)((time_ns - a->heard_ns) / (60 * SECOND_NS));
    text_format(f->key, sizeof f->key, "lost");
    text_format(f->what, sizeof f->what, "has not been heard for %lld minutes", minutes);
    text_format(f->expected, sizeof f->expected,
                "heard at least every %lld s, without a longer pause for %lld hours",
                (long long)(pause / SECOND_NS), (long long)(a->present_ns / (3600 * SECOND_NS)));
    text_format(f->seen, sizeof f->seen, "silence");
}
