/* rates.c: how often an actor changes a target, and floods it with requests that change nothing or
 * with reports. */
#include "learned.h"

enum {
    BURST_BASE = 8,     /* changes within WRITE_WINDOW_NS that a person at a screen may make */
    BURST_FACTOR = 4,   /* times the most that was learned */
    BURST_UNKNOWN = 50, /* of a conversation whose rate nobody knows */
    PUBLISH_BASE = 500, /* a gateway with many sensors publishes this much when it starts */
    READS_BASE = 1000,  /* requests within WRITE_WINDOW_NS: no screen needs so many */
    READS_YOUNG = 4000, /* of who may always have asked so often */
    MINUTES_MIN = 5,    /* learned, before its pace is known */
    VOLUME_FACTOR = 2,  /* times the bytes of its busiest minute, already */
};

/* Of a client to a broker. Devices that publish on their own, from the server's side or to a group,
 * do so at the pace of their process. */
static bool is_published(const struct ot_event *e)
{
    return e->operation == OP_PUBLISH && e->direction == OT_ONEWAY && e->is_from_client &&
           e->flow->transport == TRANSPORT_TCP;
}

static void tell(struct seen *s, uint32_t writes, uint32_t most)
{
    const char *things = s->event->operation == OP_PUBLISH ? "messages" : "changes";
    struct conversation *c = s->conversation;
    uint64_t count;
    if (!repeat_is_due(&c->burst_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_RW_WRITE_BURST);
    char since[SINCE_TEXT];
    f->count = count;
    f->flags |= FINDING_IS_WRITE;
    text_format(f->key, sizeof f->key, "burst");
    text_format(f->what, sizeof f->what, "floods %%T with %s: %u within %lld s", things, writes,
                (long long)((s->b->now_ns - c->writes.start_ns) / SECOND_NS + 1));
    long long seconds = WRITE_WINDOW_NS / SECOND_NS;
    if (c->f.writes_max > 0)
        text_format(f->expected, sizeof f->expected, "at most %u %s within %lld s, since %s",
                    c->f.writes_max, things, seconds, since_print(since, c->e.first_ns));
    else
        text_format(f->expected, sizeof f->expected,
                    "at most %u %s within %lld s where no pace was learned", most, things, seconds);
    text_format(f->seen, sizeof f->seen, "%u %s", writes, things);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)conversation_id(&c->f));
    finding_raise(s, f);
}

/* GOOSE repeats quickly after a change, then once in seconds. Other groups carry thousands a
 * second.
 */
static bool is_seldom(const struct ot_event *e)
{
    return e->operation == OP_PUBLISH && ot_event_is(e, "goose");
}

static void tell_flood(struct seen *s, uint32_t asked, uint32_t most)
{
    const char *things = s->event->operation == OP_PUBLISH ? "messages" : "requests";
    struct conversation *c = s->conversation;
    uint64_t count;
    if (!repeat_is_due(&c->flood_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_NET_FLOOD);
    f->count = count;
    text_format(f->key, sizeof f->key, "flood %s", things);
    text_format(f->what, sizeof f->what, "floods %%T with %s: %u within %lld s", things, asked,
                (long long)((s->b->now_ns - c->asked.start_ns) / SECOND_NS + 1));
    text_format(f->expected, sizeof f->expected, "at most %u %s within %lld s", most, things,
                (long long)(WRITE_WINDOW_NS / SECOND_NS));
    text_format(f->seen, sizeof f->seen, "%u %s", asked, things);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)conversation_id(&c->f));
    finding_raise(s, f);
}

/* Who always asks as often is known by the bytes of its busiest minute. */
static void judge_reads(struct seen *s)
{
    struct conversation *c = s->conversation;
    uint32_t asked = window_count(&c->asked, s->b->now_ns, WRITE_WINDOW_NS);
    if (asked <= READS_BASE || !s->b->has_learned)
        return;
    bool is_learned = c->e.state == ENTRY_LEARNED && s->pair->e.state == ENTRY_LEARNED;
    bool has_pace = is_learned && c->f.minutes >= MINUTES_MIN;
    uint32_t most = is_learned && !has_pace ? READS_YOUNG : READS_BASE;
    if (asked <= most || (has_pace && c->volume <= VOLUME_FACTOR * c->f.volume_high) ||
        (is_learned && baseline_is_learning(s->b, &c->f.objects)))
        return;
    tell_flood(s, asked, most);
}

void rates_judge(struct seen *s)
{
    enum operation op = s->event->operation;
    if (op == OP_READ || is_seldom(s->event)) {
        judge_reads(s);
        return;
    }
    bool publishes = is_published(s->event);
    if (op != OP_WRITE && op != OP_CONTROL && !publishes)
        return;
    struct conversation *c = s->conversation;
    uint32_t writes = window_count(&c->writes, s->b->now_ns, WRITE_WINDOW_NS);
    bool is_learned = c->e.state == ENTRY_LEARNED && s->pair->e.state == ENTRY_LEARNED;
    if (is_learned && baseline_is_learning(s->b, &c->f.objects)) {
        if (writes > c->f.writes_max) {
            c->f.writes_max = writes;
            entry_change(&s->b->conversations, &c->e);
        }
        return;
    }
    uint32_t most = is_learned ? BURST_BASE + BURST_FACTOR * c->f.writes_max : BURST_UNKNOWN;
    if (publishes)
        most = PUBLISH_BASE + BURST_FACTOR * c->f.writes_max;
    if (writes > most && (is_learned || s->b->has_learned))
        tell(s, writes, most);
}
