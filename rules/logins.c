/* logins.c: counts per pair of hosts and protocol, in windows that begin with the first failure. */
#include "rules/logins.h"

#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    FAILURES_MIN = 4,    /* people give up or ask after three */
    SESSIONS_MIN = 15,   /* a person opens a few, a management tool one for each task */
    SESSIONS_GROWTH = 4, /* times the busiest minute so far */
    FTP_LOGGED_IN = 230, /* RFC 959 4.2; other good answers only ask for the password */
};

static const int64_t FAILURE_WINDOW_NS = 120 * INT64_C(1000000000);
static const int64_t SESSION_WINDOW_NS = 60 * INT64_C(1000000000);

/* How a protocol shows a log-in. */
enum shape { SHAPE_OUTCOME, SHAPE_SESSIONS };
static const struct protocol {
    const char *name;
    enum shape shape;
    const char *opening; /* of SESSIONS: the request that begins one */
} protocols[] = {
    {"smb2",   SHAPE_OUTCOME,  NULL     },
    {"smb",    SHAPE_OUTCOME,  NULL     },
    {"ftp",    SHAPE_OUTCOME,  NULL     },
    {"telnet", SHAPE_OUTCOME,  NULL     },
    {"http",   SHAPE_OUTCOME,  NULL     },
    {"opcua",  SHAPE_OUTCOME,  NULL     },
    {"vnc",    SHAPE_OUTCOME,  NULL     },
    {"mqtt",   SHAPE_OUTCOME,  NULL     },
    {"ssh",    SHAPE_SESSIONS, "banner" },
    {"rdp",    SHAPE_SESSIONS, "connect"},
};
enum { PROTOCOL_COUNT = sizeof protocols / sizeof *protocols };

struct pair {
    struct slot slot;
    int64_t start_ns; /* of the window */
    uint32_t count, worst;
    bool is_told;
    uint64_t last_flow; /* whose session was counted */
    char user[LOGINS_USER_SIZE];
};

struct logins {
    struct slots pairs;
};

struct logins *logins_create(size_t pairs_max)
{
    struct logins *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    if (!slots_create(&l->pairs, pairs_max, sizeof(struct pair))) {
        free(l);
        return NULL;
    }
    return l;
}

void logins_destroy(struct logins *l)
{
    if (!l)
        return;
    slots_destroy(&l->pairs);
    free(l);
}

static const struct protocol *protocol_of(const char *name)
{
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        if (protocols[i].name[0] == name[0] && strcmp(protocols[i].name, name) == 0)
            return &protocols[i];
    return NULL;
}

bool logins_is_protocol(const char *protocol)
{
    return protocol_of(protocol) != NULL;
}

static struct pair *pair_of(struct logins *l, const struct ot_event *e, bool create)
{
    bool is_new;
    const struct ot_flow *f = e->flow;
    uint64_t key = hash_mix(hash_bytes(&f->client.ip, sizeof f->client.ip),
                            hash_bytes(&f->server.ip, sizeof f->server.ip));
    key = hash_mix(hash_mix(key, f->segment), hash_bytes(e->protocol, strlen(e->protocol))) | 1;
    return create ? slots_take(&l->pairs, key, e->time_ns, &is_new)
                  : slots_find(&l->pairs, key, e->time_ns);
}

static void window(struct pair *pair, int64_t now_ns, int64_t length_ns)
{
    if (pair->count && now_ns >= pair->start_ns && now_ns - pair->start_ns < length_ns)
        return;
    if (pair->count > pair->worst)
        pair->worst = pair->count;
    pair->start_ns = now_ns;
    pair->count = 0;
}

static void keep_user(struct pair *pair, const struct ot_event *e)
{
    for (uint32_t i = 0; i < e->fact_count; i++)
        if (e->facts[i].kind == FACT_USER_NAME)
            text_copy(pair->user, sizeof pair->user, e->facts[i].value);
}

static void fill(struct login_report *report, const struct pair *pair, int64_t now_ns)
{
    report->is_found = true;
    report->seconds = (uint32_t)((now_ns - pair->start_ns) / INT64_C(1000000000));
    memcpy(report->user, pair->user, sizeof report->user);
}

static void failed(struct pair *pair, const struct ot_event *e, struct login_report *report)
{
    window(pair, e->time_ns, FAILURE_WINDOW_NS);
    keep_user(pair, e);
    pair->count++;
    if (pair->count < FAILURES_MIN)
        return;
    fill(report, pair, e->time_ns);
    report->failures = pair->count;
}

static void accepted(struct pair *pair, const struct ot_event *e, struct login_report *report)
{
    bool is_late = e->time_ns - pair->start_ns >= FAILURE_WINDOW_NS;
    keep_user(pair, e);
    if (pair->count >= FAILURES_MIN && !is_late) {
        fill(report, pair, e->time_ns);
        report->failures = pair->count;
        report->is_let_in = true;
    }
    pair->count = 0;
}

/* A minute with many sessions is only odd where such minutes are not usual. */
static void opened(struct pair *pair, const struct ot_event *e, struct login_report *report)
{
    if (pair->last_flow == e->flow->id)
        return;
    pair->last_flow = e->flow->id;
    window(pair, e->time_ns, SESSION_WINDOW_NS);
    pair->count++;
    bool is_habit = pair->count < SESSIONS_GROWTH * pair->worst && !pair->is_told;
    if (pair->count < SESSIONS_MIN || is_habit)
        return;
    pair->is_told = true;
    fill(report, pair, e->time_ns);
    report->sessions = pair->count;
}

static void outcome(struct logins *l, const struct ot_event *e, struct login_report *report)
{
    if (e->direction != OT_RESPONSE || e->operation != OP_AUTH)
        return;
    if (e->status.result == OT_RESULT_ERROR) {
        failed(pair_of(l, e, true), e, report);
    } else if (e->status.result == OT_RESULT_OK) {
        bool is_half_way = strcmp(e->protocol, "ftp") == 0 && e->status.code != FTP_LOGGED_IN;
        struct pair *pair = is_half_way ? NULL : pair_of(l, e, false);
        if (pair)
            accepted(pair, e, report);
    }
}

void logins_event(struct logins *l, const struct ot_event *e, struct login_report *report)
{
    report->is_found = report->is_let_in = false;
    report->failures = report->sessions = 0;
    /* all that counts is a log-in or opens a session */
    if (e->operation != OP_AUTH && (e->operation != OP_SESSION || e->direction != OT_REQUEST))
        return;
    const struct protocol *p = protocol_of(e->protocol);
    if (!p)
        return;
    if (p->shape == SHAPE_OUTCOME)
        outcome(l, e, report);
    else if (e->direction == OT_REQUEST && e->name && strcmp(e->name, p->opening) == 0)
        opened(pair_of(l, e, true), e, report);
}
