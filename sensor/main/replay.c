/* replay.c: see replay.h. */
#include "replay.h"

#include "core.h"
#include "sensor/base/hash.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

/* The judges compare names of protocols, areas and functions by where they lie, as dissectors have
 * them once. */
enum { NAMES_MAX = 16384 };

struct replay {
    struct core *core;
    struct worker *worker;
    char *names[NAMES_MAX]; /* open addressing; NULL: free */
    size_t name_count;
    uint64_t times; /* how often the row being played happened */
    int64_t now_ns;
    bool is_full; /* more names than NAMES_MAX: the rest is left out */
};

/* --- names --- */

static const char *name_of(struct replay *r, const char *name)
{
    if (!name)
        return NULL;
    size_t at = hash_stable(name, strlen(name)) % NAMES_MAX;
    while (r->names[at] && strcmp(r->names[at], name) != 0)
        at = (at + 1) % NAMES_MAX;
    if (!r->names[at]) {
        if (r->name_count >= NAMES_MAX / 2 || !(r->names[at] = strdup(name))) {
            r->is_full = true;
            return NULL;
        }
        r->name_count++;
    }
    return r->names[at];
}

static void name_event(struct replay *r, struct ot_event *e, struct ot_item items[EVENT_PACK_ITEMS])
{
    e->protocol = name_of(r, e->protocol);
    e->name = name_of(r, e->name);
    e->status.name = name_of(r, e->status.name);
    e->items = items;
    for (uint32_t i = 0; i < e->item_count; i++) {
        items[i].area = name_of(r, items[i].area);
        items[i].type = name_of(r, items[i].type);
        items[i].status.name = name_of(r, items[i].status.name);
    }
}

/* --- what is played --- */

static uint64_t end_hash(const struct endpoint *end)
{
    uint64_t hash = hash_bytes(&end->ip, sizeof end->ip);
    return hash_mix(hash_mix(hash, hash_bytes(&end->mac, sizeof end->mac)), end->port);
}

static struct ot_flow flow_of(const struct ot_flow *flow)
{
    struct ot_flow out = *flow;
    out.id = hash_mix(hash_mix(end_hash(&flow->client), end_hash(&flow->server)),
                      (uint64_t)flow->segment << 8 | flow->transport) |
             1;
    return out;
}

/* Only what judges ask: when, from whom to whom. */
static struct packet packet_of(const struct ot_flow *flow, bool is_from_client, int64_t time_ns)
{
    const struct endpoint *from = is_from_client ? &flow->client : &flow->server;
    const struct endpoint *to = is_from_client ? &flow->server : &flow->client;
    return (struct packet){
        .time_ns = time_ns,
        .segment = flow->segment,
        .source_mac = from->mac,
        .destination_mac = to->mac,
        .source = from->ip,
        .destination = to->ip,
        .source_port = from->port,
        .destination_port = to->port,
        .transport = flow->transport,
    };
}

static void pass_time(struct replay *r, int64_t time_ns)
{
    if (time_ns / SECOND_NS == r->now_ns / SECOND_NS)
        return;
    struct core_measure none = {.source_count = 0};
    r->now_ns = time_ns;
    worker_tick(r->worker, time_ns);
    core_tick(r->core, time_ns, &none);
}

static void on_event(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns)
{
    struct replay *r = context;
    struct ot_item items[EVENT_PACK_ITEMS];
    struct ot_event event = *e;
    struct ot_flow flow = flow_of(e->flow);
    struct packet packet = packet_of(&flow, e->is_from_client, e->time_ns);
    (void)last_ns;
    memcpy(items, e->items, e->item_count * sizeof *items);
    name_event(r, &event, items);
    if (!event.protocol)
        return;
    event.flow = &flow;
    event.packet = &packet;
    pass_time(r, e->time_ns);
    r->times = count;
    worker_replay_event(r->worker, &event);
}

static void on_flow(void *context, const struct ot_flow *flow, enum sigma_moment moment,
                    const char *protocol, int64_t time_ns, uint64_t count)
{
    struct replay *r = context;
    struct ot_flow own = flow_of(flow);
    bool is_answer = moment == SIGMA_ANSWERED || moment == SIGMA_REFUSED;
    struct packet packet = packet_of(&own, !is_answer, time_ns);
    pass_time(r, time_ns);
    r->times = count;
    worker_replay_flow(r->worker, &own, moment, name_of(r, protocol), &packet);
}

/* --- what is found --- */

/* What a row in ten minutes cannot tell. */
static bool is_judged(enum detection d)
{
    static const enum detection paced[] = {
        DETECTION_COMM_SILENT,          DETECTION_COMM_VOLUME_ANOMALY,
        DETECTION_COMM_PERIOD_CHANGED,  DETECTION_COMM_SESSION_BURST,
        DETECTION_RW_WRITE_BURST,       DETECTION_RW_VALUE_FROZEN,
        DETECTION_RW_SEQUENCE_UNUSUAL,  DETECTION_OPS_UNRESPONSIVE,
        DETECTION_AUDIT_POLICY_CHANGED,
    };
    for (size_t i = 0; i < sizeof paced / sizeof *paced; i++)
        if (paced[i] == d)
            return false;
    return true;
}

static void take_finding(void *context, const struct finding *f)
{
    struct replay *r = context;
    struct finding out = *f;
    if (!is_judged(f->detection))
        return;
    out.count = (f->count ? f->count : 1) * (r->times ? r->times : 1);
    struct finding_sink core = core_sink(r->core);
    core.finding(core.context, &out);
}

static void take_sighting(void *context, const struct sighting *s)
{
    struct replay *r = context;
    struct finding_sink core = core_sink(r->core);
    core.sighting(core.context, s);
}

static void take_evidence(void *context, const struct evidence_packet *e)
{
    (void)context; /* there are no packets any more */
    (void)e;
}

static void take_row(void *context, const struct baseline_row *row)
{
    (void)context; /* nothing is kept */
    (void)row;
}

static void take_hit(void *context, const struct sigma_hit *hit)
{
    (void)context; /* there are no rules here */
    (void)hit;
}

static bool take_decision(void *context, const struct baseline_decision *d)
{
    struct replay *r = context;
    worker_decide(r->worker, d);
    return true;
}

/* --- the run --- */

static const char *no_name(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return "";
}

static bool create(struct replay *r, const struct replay_options *o, const struct config *learning,
                   const struct config *judging, FILE *alerts, struct error *err)
{
    struct core_options core = {.config = learning,
                                .site = o->site,
                                .store_path = ":memory:",
                                .alert_lines = alerts,
                                .source_name = no_name,
                                .segment_name = no_name,
                                .context = r};
    struct worker_options worker = {
        .config = judging,
        .site = o->site,
        .count = 1,
        .core = {r, take_finding, take_sighting, take_evidence},
        .row = take_row,
        .hit = take_hit,
    };
    if (!core_create(&r->core, &core, err))
        return false;
    r->worker = worker_create(&worker, err);
    return r->worker && (!o->baseline || (worker_load(r->worker, o->baseline, err) &&
                                          baseline_decisions_read(o->history, judging->sensor, 0,
                                                                  take_decision, r, err)));
}

static bool play(const struct replay_options *o, const struct history_player *player,
                 struct history_span *span, struct error *err)
{
    const struct history_range range = {INT64_MIN, INT64_MAX, o->rows_max};
    return o->rows_max
               ? history_replay_range(o->history, o->config->sensor, &range, player, span, err)
               : history_replay(o->history, o->config->sensor, player, span, err);
}

bool replay(const struct replay_options *o, FILE *alerts, struct history_span *span,
            struct error *err)
{
    struct replay *r = calloc(1, sizeof *r);
    struct config *configs = calloc(2, sizeof *configs);
    bool ok = (r && configs) || error_set(err, "out of memory");
    *span = (struct history_span){0};
    if (ok) {
        configs[0] = configs[1] = *o->config; /* borrowed: nothing of it is released here */
        configs[0].mode = MODE_LEARN;
        configs[1].mode = o->baseline ? MODE_DETECT : MODE_LEARN;
        for (int i = 0; i < 2; i++)
            configs[i].redis_host[0] = configs[i].redis_socket[0] = configs[i].jsonl_path[0] = '\0';
        struct history_player player = {r, on_event, on_flow, NULL};
        ok = create(r, o, &configs[0], &configs[1], alerts, err) && play(o, &player, span, err) &&
             (!r->is_full || error_set(err, "the history has more names than memory is set aside "
                                            "for: a part was left out"));
    }
    if (r && r->worker) {
        struct core_measure none = {.source_count = 0};
        r->times = 0;
        worker_finish(r->worker);
        core_finish(r->core, span->last_ns, &none);
    }
    if (r) {
        worker_destroy(r->worker);
        struct error close_err = {""};
        if (!core_close(r->core, &close_err) && ok)
            ok = error_set(err, "%s", close_err.text);
        for (size_t i = 0; i < NAMES_MAX; i++)
            free(r->names[i]);
    }
    free(r);
    free(configs);
    return ok;
}
