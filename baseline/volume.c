/* volume.c: how much two hosts say to each other in a minute: the bytes of the packets in which
 * their messages end. */
#include "learned.h"

enum {
    MINUTES_MIN = 5,       /* learned, before anybody knows */
    VOLUME_FACTOR = 4,     /* times the most that was learned, and ... */
    VOLUME_BASE = 1 << 18, /* ... bytes more: a page that is opened, a few more polls */
};
static const int64_t VOLUME_WINDOW_NS = 60 * SECOND_NS;

/* What a flood or a burst brings is told by them. */
static bool is_told(const struct conversation *c, int64_t now_ns)
{
    int64_t last_ns = c->flood_told.last_ns > c->burst_told.last_ns ? c->flood_told.last_ns
                                                                    : c->burst_told.last_ns;
    return last_ns != 0 && now_ns - last_ns <= VOLUME_WINDOW_NS;
}

static void tell(struct seen *s)
{
    struct conversation *c = s->conversation;
    uint64_t count;
    if (!repeat_is_due(&c->volume_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_COMM_VOLUME_ANOMALY);
    char since[SINCE_TEXT];
    f->count = count;
    text_format(f->key, sizeof f->key, "volume");
    text_format(f->what, sizeof f->what,
                "exchanges far more with %%T than it used to: %llu bytes within a minute",
                (unsigned long long)c->volume);
    text_format(f->expected, sizeof f->expected, "at most %llu bytes (in %u minutes since %s)",
                (unsigned long long)c->f.volume_high, c->f.minutes,
                since_print(since, c->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%llu bytes", (unsigned long long)c->volume);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)conversation_id(&c->f));
    finding_raise(s, f);
}

/* The minute that began with a message is over. */
static void learn(struct baseline *b, struct conversation *c)
{
    if (c->volume_ns == 0 || c->e.state != ENTRY_LEARNED ||
        !baseline_is_learning(b, &c->f.objects) || c->f.minutes == UINT32_MAX)
        return;
    c->f.minutes++;
    if (c->volume > c->f.volume_high)
        c->f.volume_high = c->volume;
    entry_change(&b->conversations, &c->e);
}

void volume_judge(struct seen *s)
{
    struct baseline *b = s->b;
    struct conversation *c = s->conversation;
    const struct packet *packet = s->event->packet;
    if (!packet || packet->number == c->volume_packet)
        return; /* counted already; in a history there are none */
    c->volume_packet = packet->number;
    if (b->now_ns - c->volume_ns >= VOLUME_WINDOW_NS) {
        learn(b, c);
        c->volume_ns = b->now_ns;
        c->volume = 0;
    }
    c->volume += packet->wire_size;
    if (c->volume <= VOLUME_BASE || c->f.minutes < MINUTES_MIN ||
        c->volume <= VOLUME_BASE + c->f.volume_high * VOLUME_FACTOR ||
        c->e.state != ENTRY_LEARNED || baseline_is_learning(b, &c->f.objects) ||
        is_told(c, b->now_ns) || baseline_covers(s, DETECTION_COMM_VOLUME_ANOMALY, false))
        return;
    tell(s);
}
