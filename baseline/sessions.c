/* sessions.c: how often two hosts open connections to each other, to one port. Who tries one port
 * after the other scans, which is told as that. */
#include "learned.h"

enum {
    SESSIONS_BASE = 30,  /* within a minute: what a browser or a restarted client may do */
    SESSIONS_FACTOR = 4, /* times the most that was learned */
};
static const int64_t SESSIONS_WINDOW_NS = 60 * SECOND_NS;

static void tell(struct baseline *b, struct pair *p, const struct ot_flow *flow,
                 const struct packet *packet, uint32_t sessions)
{
    uint64_t count;
    if (!repeat_is_due(&p->sessions_told, b->now_ns, &count))
        return;
    struct seen s = {.b = b, .pair = p};
    const struct violation about = {.time_ns = b->now_ns,
                                    .flow = flow,
                                    .packet = packet,
                                    .protocol = "",
                                    .is_from_client = true};
    struct finding *f = &b->finding;
    char since[SINCE_TEXT];
    finding_of_violation(f, DETECTION_COMM_SESSION_BURST, &about);
    f->count = count;
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
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)pair_id(&p->f));
    finding_raise(&s, f);
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
