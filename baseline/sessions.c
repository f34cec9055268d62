/* sessions.c: how often two hosts open connections to each other, to one port. Who tries one port
 * after the other scans, which is told as that. And a server that used to accept a connection for
 * each request, and does not answer the next ones: no conversation is open that could fall silent.
 */
#include "learned.h"

enum {
    SESSIONS_BASE = 30,  /* within a minute: what a browser or a restarted client may do */
    SESSIONS_FACTOR = 4, /* times the most that was learned */
    CALLS_MIN = 3,       /* in a row without an answer */
    CALLS_EACH = 64,     /* looked at one by one */
    OFTEN_MIN = 4,       /* connections in a minute that were learned: who comes as often as that */
};
static const int64_t CALLS_NS = 8 * SECOND_NS; /* a restart of the server's program is shorter */
static const int64_t SESSIONS_WINDOW_NS = 60 * SECOND_NS;

/* A finding about the connections of a pair, begun. */
static struct finding *begin(struct baseline *b, const struct ot_flow *flow,
                             const struct packet *packet, enum detection detection, uint64_t count)
{
    const struct violation about = {.time_ns = b->now_ns,
                                    .flow = flow,
                                    .packet = packet,
                                    .protocol = "",
                                    .is_from_client = true};
    finding_of_violation(&b->finding, detection, &about);
    b->finding.count = count;
    return &b->finding;
}

/* Raises what was begun. */
static void raise_about(struct baseline *b, struct pair *p)
{
    struct seen s = {.b = b, .pair = p};
    text_format(b->finding.fact, sizeof b->finding.fact, "%016llx",
                (unsigned long long)pair_id(&p->f));
    finding_raise(&s, &b->finding);
}

static void tell(struct baseline *b, struct pair *p, const struct ot_flow *flow,
                 const struct packet *packet, uint32_t sessions)
{
    uint64_t count;
    if (!repeat_is_due(&p->sessions_told, b->now_ns, &count))
        return;
    struct finding *f = begin(b, flow, packet, DETECTION_COMM_SESSION_BURST, count);
    char since[SINCE_TEXT];
    text_format(f->key, sizeof f->key, "sessions %u", flow->server.port);
    text_format(f->what, sizeof f->what,
                "opens connection after connection to %%T: %u within %lld s", sessions,
                (long long)((b->now_ns - p->sessions.start_ns) / SECOND_NS + 1));
    if (p->f.sessions_max > 0)
        text_format(f->expected, sizeof f->expected, "at most %u a minute, since %s",
                    p->f.sessions_max, since_print(since, p->e.first_ns));
    else
        text_format(f->expected, sizeof f->expected,
                    "at most %d a minute where no pace was learned", (int)SESSIONS_BASE);
    text_format(f->seen, sizeof f->seen, "%u connections, the last one to port %u", sessions,
                flow->server.port);
    raise_about(b, p);
}

void sessions_judge(struct baseline *b, struct pair *p, const struct ot_flow *flow,
                    const struct packet *packet)
{
    if (flow->transport != TRANSPORT_TCP)
        return;
    bool is_same = p->sessions_port == flow->server.port;
    p->sessions_port = flow->server.port;
    if (!is_same)
        return;
    uint32_t sessions = window_count(&p->sessions, b->now_ns, SESSIONS_WINDOW_NS);
    if (p->e.state == ENTRY_LEARNED && baseline_is_learning(b, &b->links)) {
        if (sessions > p->f.sessions_max) {
            p->f.sessions_max = sessions;
            entry_change(&b->pairs, &p->e);
        }
        return;
    }
    if (sessions <= SESSIONS_BASE + SESSIONS_FACTOR * p->f.sessions_max)
        return;
    struct host client = host_of(&flow->client), server = host_of(&flow->server);
    if (!baseline_allows(b, DETECTION_COMM_SESSION_BURST, flow->segment, &client, &server,
                         b->now_ns))
        tell(b, p, flow, packet, sessions);
}

static void tell_unanswered(struct baseline *b, struct pair *p, const struct ot_flow *flow,
                            const struct packet *packet)
{
    uint64_t count;
    if (!repeat_is_due(&p->calls_told, b->now_ns, &count))
        return;
    struct finding *f = begin(b, flow, packet, DETECTION_OPS_UNRESPONSIVE, count);
    char since[SINCE_TEXT];
    text_format(f->key, sizeof f->key, "calls %u", flow->server.port);
    text_format(f->what, sizeof f->what,
                "gets no answers from %%T any more: connections to TCP port %u", flow->server.port);
    text_format(f->expected, sizeof f->expected, "an answer to each of up to %u a minute, since %s",
                p->f.sessions_max, since_print(since, p->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%u calls in %lld s, none answered", p->calls,
                (long long)((b->now_ns - p->called_ns) / SECOND_NS));
    raise_about(b, p);
}

/* The look who watches a pair goes through all conversations: of many calls only those are looked
 * at whose number doubles, so that a flood of them costs few looks, and another pair none. */
static bool is_looked_at_before(uint32_t calls)
{
    return calls > CALLS_EACH && (calls & (calls - 1)) != 0;
}

void sessions_called(struct baseline *b, struct pair *p, const struct ot_flow *flow,
                     const struct packet *packet)
{
    if (p->calls == 0)
        p->called_ns = b->now_ns;
    if (p->calls < UINT32_MAX)
        p->calls++;
    if (p->calls < CALLS_MIN || flow->server.port != p->sessions_port ||
        b->now_ns - p->called_ns < CALLS_NS || p->e.state != ENTRY_LEARNED ||
        p->f.sessions_max < OFTEN_MIN || b->options.mode == MODE_LEARN ||
        is_looked_at_before(p->calls) || silence_is_watched(b, p->e.key))
        return;
    struct host client = host_of(&flow->client), server = host_of(&flow->server);
    if (!baseline_allows(b, DETECTION_OPS_UNRESPONSIVE, flow->segment, &client, &server, b->now_ns))
        tell_unanswered(b, p, flow, packet);
}
