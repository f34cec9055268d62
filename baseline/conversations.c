/* conversations.c: who talks to whom, in which protocol.
 *
 * A pair of hosts is one entry for both directions: which of them asks is known from the events,
 * and only guessed for connections that began before the sensor did. A protocol of a pair is a
 * conversation; ports are no part of it. */
#include "learned.h"

#include "sensor/base/fetch.h"
#include "sensor/base/pair.h"

#include <string.h>

struct host host_of(const struct endpoint *e)
{
    struct host h = {.kind = e->ip.kind};
    if (e->ip.kind == ADDRESS_NONE)
        memcpy(h.bytes, e->mac.bytes, sizeof e->mac.bytes);
    else
        memcpy(h.bytes, e->ip.bytes, sizeof h.bytes);
    return h;
}

static bool is_group(const struct endpoint *e)
{
    return e->ip.kind == ADDRESS_NONE ? mac_is_group(&e->mac) : address_is_group(&e->ip);
}

/* What a device tells its neighbours about itself and the network, or what no dissector has read,
 * is no talk between two: the inventory knows the sender. */
static bool is_announcement(const struct seen *s, const struct ot_flow *flow)
{
    if (!is_group(&flow->server))
        return false;
    return !s->event || (flow->server.ip.kind == ADDRESS_NONE && s->event->direction == OT_ONEWAY &&
                         s->event->operation == OP_NETMGMT);
}

/* Sorted, so that both directions of a pair give the same. Returns the place of the client. */
static unsigned pair_facts_of(struct pair_facts *f, const struct ot_flow *flow)
{
    struct host client = host_of(&flow->client), server = host_of(&flow->server);
    unsigned side = memcmp(&client, &server, sizeof client) > 0;
    *f = (struct pair_facts){.segment = flow->segment};
    f->hosts[side] = client;
    f->hosts[!side] = server;
    return side;
}

uint64_t conversations_pair_key(const struct pair_facts *f)
{
    struct {
        uint32_t segment;
        struct host hosts[2];
    } about;
    memset(&about, 0, sizeof about);
    about.segment = f->segment;
    memcpy(about.hosts, f->hosts, sizeof about.hosts);
    return hash_bytes(&about, sizeof about) | 1; /* 0 marks a free entry */
}

uint64_t conversations_key(uint64_t pair_key, const char *protocol)
{
    return hash_mix(pair_key, hash_bytes(protocol, strlen(protocol))) | 1;
}

struct endpoint endpoint_of(const struct host *h)
{
    struct endpoint e = {0};
    e.ip.kind = h->kind;
    if (h->kind == ADDRESS_NONE)
        memcpy(e.mac.bytes, h->bytes, sizeof e.mac.bytes);
    else
        memcpy(e.ip.bytes, h->bytes, sizeof e.ip.bytes);
    return e;
}

uint32_t conversations_worker(const struct pair_facts *f, uint32_t workers)
{
    struct endpoint a = endpoint_of(&f->hosts[0]), b = endpoint_of(&f->hosts[1]);
    return pair_worker(pair_hash(f->segment, &a, &b), workers);
}

/* The flow's ends were found to be this pair, which is still there. */
static bool is_pair_current(const struct flow_cache *cached, const struct ot_flow *flow)
{
    return cached->flow == flow->id && cached->pair &&
           memcmp(&cached->client, &flow->client, sizeof flow->client) == 0 &&
           cached->pair->e.key == cached->pair_key;
}

/* NULL: unknown. */
static const struct pair *pair_find(const struct baseline *b, const struct ot_flow *flow,
                                    unsigned *client_side)
{
    const struct flow_cache *ways = b->flows[flow->id & (b->flow_sets - 1)];
    for (int i = 0; i < FLOW_WAYS; i++) {
        if (is_pair_current(&ways[i], flow)) {
            *client_side = ways[i].client_side;
            return ways[i].pair;
        }
    }
    struct pair_facts facts;
    *client_side = pair_facts_of(&facts, flow);
    return table_find(&b->pairs, conversations_pair_key(&facts));
}

bool conversations_is_actor_new(const struct baseline *b, const struct ot_event *event)
{
    unsigned side;
    const struct pair *p = pair_find(b, event->flow, &side);
    if (event->direction == OT_ONEWAY && !event->is_from_client)
        side = !side;
    return !p || operations_is_actor_new(p, side, event->operation);
}

bool conversations_is_usual(const struct baseline *b, const struct ot_event *event)
{
    struct pair_facts facts;
    unsigned side = pair_facts_of(&facts, event->flow);
    uint64_t key = conversations_pair_key(&facts);
    const struct pair *p = table_find(&b->pairs, key);
    if (p && (p->f.operations[side] >> event->operation & 1))
        return true;
    const struct conversation *c =
        table_find(&b->conversations, conversations_key(key, event->protocol));
    if (c && event->operation == OP_SESSION) /* belongs to every conversation, is not learned */
        return c->e.state == ENTRY_LEARNED;
    return c && baseline_is_learning(b, &c->f.operations);
}

bool conversations_is_known(const struct baseline *b, const struct ot_flow *flow,
                            const char *protocol)
{
    struct pair_facts facts;
    pair_facts_of(&facts, flow);
    uint64_t key = conversations_pair_key(&facts);
    const struct pair *p = table_find(&b->pairs, key);
    if (!p)
        return baseline_is_learning(b, &b->links);
    if (p->e.state != ENTRY_LEARNED || !*protocol)
        return p->e.state == ENTRY_LEARNED;
    const struct conversation *c = table_find(&b->conversations, conversations_key(key, protocol));
    return c ? c->e.state == ENTRY_LEARNED : baseline_is_learning(b, &b->links);
}

const struct conversation *conversations_get(const struct baseline *b, const struct ot_flow *flow,
                                             const char *protocol)
{
    struct pair_facts facts;
    pair_facts_of(&facts, flow);
    uint64_t key = conversations_key(conversations_pair_key(&facts), protocol);
    return table_find(&b->conversations, key);
}

/* The finding about a flow when no event is at hand. */
static struct finding *finding_of_flow(struct seen *s, enum detection detection,
                                       const struct ot_flow *flow, const char *protocol,
                                       const struct packet *packet)
{
    if (s->event)
        return finding_begin(s, detection);
    struct violation about = {.time_ns = s->b->now_ns,
                              .flow = flow,
                              .packet = packet,
                              .protocol = protocol,
                              .is_from_client = true};
    finding_of_violation(&s->b->finding, detection, &about);
    return &s->b->finding;
}

static void tell_link(struct seen *s, const struct ot_flow *flow, const char *protocol,
                      const struct packet *packet)
{
    struct baseline *b = s->b;
    uint64_t count;
    if (is_announcement(s, flow))
        return;
    if (!repeat_is_due(&s->pair->told, b->now_ns, &count))
        return;
    struct finding *f = finding_of_flow(s, DETECTION_COMM_NEW_LINK, flow, protocol, packet);
    if (s->pair->told.first_ns == s->pair->told.last_ns)
        text_copy(s->pair->protocol_told, sizeof s->pair->protocol_told, text_of(protocol));
    text_copy(f->protocol, sizeof f->protocol, text_of(s->pair->protocol_told));
    f->count = count;
    f->flags |= FINDING_ACTOR_NEW;
    text_format(f->key, sizeof f->key, "link");
    if (*protocol)
        text_format(f->what, sizeof f->what, "talks %s with %%T, its first contact with it",
                    protocol);
    else if (flow->transport != TRANSPORT_TCP && flow->transport != TRANSPORT_UDP)
        text_format(f->what, sizeof f->what,
                    "sends Ethernet frames to %%T, its first contact with it");
    else
        text_format(f->what, sizeof f->what,
                    "connects to %s port %u of %%T, its first contact with it",
                    flow->transport == TRANSPORT_UDP ? "UDP" : "TCP", flow->server.port);
    if (b->learned_since_ns) {
        char since[SINCE_TEXT];
        text_format(f->expected, sizeof f->expected,
                    "never seen together: %u pairs of devices were learned since %s",
                    b->pairs.used - b->pairs.pending, since_print(since, b->learned_since_ns));
    } else {
        text_format(f->expected, sizeof f->expected, "nothing has been learned yet");
    }
    text_format(f->seen, sizeof f->seen, "%s%s%s", *protocol ? protocol : "an answered connection",
                s->event && s->event->name ? ", " : "",
                s->event && s->event->name ? s->event->name : "");
    finding_raise(s, f);
}

static void tell_protocol(struct seen *s, const struct ot_flow *flow, const char *protocol,
                          const struct packet *packet)
{
    struct baseline *b = s->b;
    uint64_t count;
    if (is_announcement(s, flow))
        return;
    if (s->pair->flow_told == flow->id && s->conversation->told.first_ns == 0)
        return; /* a protocol inside a new protocol: told already */
    if (!repeat_is_due(&s->conversation->told, b->now_ns, &count))
        return;
    s->pair->flow_told = flow->id;
    struct finding *f = finding_of_flow(s, DETECTION_COMM_NEW_PROTOCOL, flow, protocol, packet);
    char since[SINCE_TEXT];
    f->count = count;
    text_format(f->key, sizeof f->key, "protocol");
    text_format(f->what, sizeof f->what, "talks %s with %%T for the first time", protocol);
    text_format(f->expected, sizeof f->expected, "known to each other since %s, but never by %s",
                since_print(since, s->pair->e.first_ns), protocol);
    text_format(f->seen, sizeof f->seen, "%s", protocol);
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)pair_id(&s->pair->f));
    finding_raise(s, f);
}

static enum entry_state state_of_new(struct seen *s, struct settle *settle)
{
    const struct baseline *b = s->b;
    if (!baseline_is_learning(b, settle))
        return ENTRY_PENDING;
    s->is_late =
        baseline_is_late(b, settle, b->learned_since_ns ? b->learned_since_ns : b->started_ns);
    settle_new(settle);
    return ENTRY_LEARNED;
}

static struct pair *pair_find_or_add(struct seen *s, const struct pair_facts *facts, uint64_t key)
{
    struct baseline *b = s->b;
    struct pair *p = table_find(&b->pairs, key);
    if (!p) {
        enum entry_state state = state_of_new(s, &b->links);
        p = table_add(&b->pairs, key, state, b->now_ns);
        p->f = *facts;
    }
    return p;
}

static struct conversation *conversation_find_or_add(struct seen *s, const struct ot_flow *flow,
                                                     uint64_t key, const char *protocol,
                                                     unsigned client_side)
{
    struct baseline *b = s->b;
    struct conversation *c = table_find(&b->conversations, key);
    if (!c) {
        enum entry_state state =
            s->pair->e.state == ENTRY_LEARNED ? state_of_new(s, &b->links) : ENTRY_PENDING;
        c = table_add(&b->conversations, key, state, b->now_ns);
        c->f.pair = pair_id(&s->pair->f);
        c->pair_key = s->pair->e.key;
        text_copy(c->f.protocol, sizeof c->f.protocol, text_of(protocol));
        c->f.client = (uint8_t)client_side;
        c->f.is_role_known = flow->is_role_known;
        silence_added(b, c);
    }
    return c;
}

/* What was pending is learned by being seen in learn mode, or by a decision. */
static bool is_accepted_now(struct seen *s, struct table *t, struct entry *e,
                            enum detection detection, const struct ot_flow *flow)
{
    if (e->state == ENTRY_REJECTED)
        return false;
    struct host client = host_of(&flow->client), server = host_of(&flow->server);
    if (s->b->options.mode != MODE_LEARN &&
        !baseline_allows(s->b, detection, flow->segment, &client, &server, s->b->now_ns) &&
        !baseline_allows(s->b, DETECTION_COMM_NEW_LINK, flow->segment, &client, &server,
                         s->b->now_ns))
        return false;
    table_state(t, e, ENTRY_LEARNED);
    return true;
}

static inline bool is_accepted(struct seen *s, struct table *t, struct entry *e,
                               enum detection detection, const struct ot_flow *flow)
{
    return e->state == ENTRY_LEARNED || is_accepted_now(s, t, e, detection, flow);
}

void conversations_called(struct baseline *b, const struct ot_flow *flow,
                          const struct packet *packet)
{
    struct pair_facts facts;
    if (flow->transport != TRANSPORT_TCP || !flow->is_start_seen)
        return;
    if (packet->time_ns > b->now_ns)
        b->now_ns = packet->time_ns;
    (void)pair_facts_of(&facts, flow);
    struct pair *p = table_find(&b->pairs, conversations_pair_key(&facts));
    if (p)
        sessions_called(b, p, flow, packet);
}

void conversations_link(struct baseline *b, const struct ot_flow *flow, const struct packet *packet)
{
    struct seen s = {.b = b};
    struct pair_facts facts;
    if (packet && packet->time_ns > b->now_ns)
        b->now_ns = packet->time_ns;
    s.side = pair_facts_of(&facts, flow);
    s.pair = pair_find_or_add(&s, &facts, conversations_pair_key(&facts));
    entry_touch(&s.pair->e, b->now_ns);
    s.pair->calls = 0;
    sessions_judge(b, s.pair, flow, packet);
    if (!is_accepted(&s, &b->pairs, &s.pair->e, DETECTION_COMM_NEW_LINK, flow) || s.is_late)
        tell_link(&s, flow, "", packet);
}

/* The entry of a flow and protocol, or the one that it shall take: another protocol of the same
 * flow stays. */
static struct flow_cache *cache_of(const struct baseline *b, uint64_t flow, const char *protocol)
{
    struct flow_cache *ways = b->flows[flow & (b->flow_sets - 1)];
    for (int i = 0; i < FLOW_WAYS; i++)
        if (ways[i].flow == flow && ways[i].protocol == protocol)
            return &ways[i];
    for (int i = 0; i < FLOW_WAYS; i++)
        if (ways[i].flow == flow)
            return &ways[!i];
    return ways[0].pair ? &ways[ways[1].pair ? flow / b->flow_sets % FLOW_WAYS : 1] : &ways[0];
}

static bool is_current(const struct flow_cache *cached, const struct ot_flow *flow,
                       const char *protocol)
{
    return cached->protocol == protocol && is_pair_current(cached, flow) &&
           cached->conversation->e.key == cached->conversation_key;
}

void conversations_finished(struct baseline *b, const struct ot_flow *flow)
{
    struct flow_cache *ways = b->flows[flow->id & (b->flow_sets - 1)];
    struct pair_facts facts;
    for (int i = 0; i < FLOW_WAYS; i++)
        if (ways[i].flow == flow->id && ways[i].pair && ways[i].step &&
            ways[i].conversation->e.key == ways[i].conversation_key)
            sequence_finished(b, &ways[i], flow);
    pair_facts_of(&facts, flow);
    silence_forget(b, conversations_pair_key(&facts));
}

static void cache_fill(struct seen *s, struct flow_cache *cached, const struct ot_flow *flow,
                       const char *protocol)
{
    struct pair_facts facts;
    unsigned client_side = pair_facts_of(&facts, flow);
    uint64_t key = conversations_pair_key(&facts);
    uint64_t inner = conversations_key(key, protocol);
    s->pair = pair_find_or_add(s, &facts, key);
    s->conversation = conversation_find_or_add(s, flow, inner, protocol, client_side);
    *cached = (struct flow_cache){.flow = flow->id,
                                  .protocol = protocol,
                                  .pair = s->pair,
                                  .conversation = s->conversation,
                                  .pair_key = key,
                                  .conversation_key = inner,
                                  .client = flow->client,
                                  .client_side = (uint8_t)client_side};
}

void conversations_expect(struct baseline *b, const struct ot_event *e)
{
    enum { CONVERSATION_LINES = 4, RANGE_LINES = 2 };
    struct flow_cache *f = cache_of(b, e->flow->id, e->protocol);
    if (f->flow != e->flow->id || f->protocol != e->protocol)
        return;
    b->expected = f;
    for (int i = 0; i < CONVERSATION_LINES; i++)
        fetch((const uint8_t *)f->conversation + (size_t)i * TABLE_LINE);
    fetch(f->pair);
    if (e->direction != OT_RESPONSE) {
        table_expect(&b->operations, &f->operations, 1);
        table_expect(&b->ranges, &f->ranges, RANGE_LINES);
        table_expect(&b->tags, &f->tags, 1);
        if (e->operation >= OP_WRITE)
            table_expect(&b->points, &f->points, POINT_LINES);
    }
    if (e->direction != OT_REQUEST && e->operation == OP_READ)
        table_expect(&b->blocks, &f->blocks, BLOCK_LINES);
}

void conversations_look(const struct baseline *b, const struct ot_flow *flow)
{
    const struct flow_cache *ways = b->flows[flow->id & (b->flow_sets - 1)];
    for (int i = 0; i < FLOW_WAYS; i++)
        fetch(&ways[i]);
}

void conversations_look_on(const struct baseline *b, const struct ot_flow *flow)
{
    const struct flow_cache *ways = b->flows[flow->id & (b->flow_sets - 1)];
    for (int i = 0; i < FLOW_WAYS; i++) {
        const struct flow_cache *f = &ways[i];
        if (f->flow != flow->id || !f->conversation)
            continue;
        fetch((const uint8_t *)f + TABLE_LINE);
        fetch(f->pair);
        fetch(f->conversation);
        fetch((const uint8_t *)f->conversation + TABLE_LINE);
        table_expect(&b->operations, &f->operations, 1);
        table_expect(&b->ranges, &f->ranges, 1);
        table_expect(&b->blocks, &f->blocks, 1);
    }
}

bool conversations_find(struct seen *s, const struct ot_flow *flow, const char *protocol,
                        const struct packet *packet, int64_t time_ns)
{
    struct baseline *b = s->b;
    if (time_ns > b->now_ns)
        b->now_ns = time_ns;
    if (b->started_ns == 0)
        b->started_ns = time_ns;
    struct flow_cache *cached = b->expected;
    if (!cached || !is_current(cached, flow, protocol)) {
        cached = cache_of(b, flow->id, protocol);
        if (!is_current(cached, flow, protocol))
            cache_fill(s, cached, flow, protocol);
    }
    s->pair = cached->pair;
    s->conversation = cached->conversation;
    s->side = cached->client_side;

    s->flow = cached;

    struct conversation *c = s->conversation;
    settle_draw(&b->links, c->e.count);
    entry_touch(&s->pair->e, time_ns);
    entry_touch(&c->e, time_ns);
    if (flow->is_role_known && !c->f.is_role_known) {
        c->f.is_role_known = true;
        c->f.client = cached->client_side;
        entry_change(&b->conversations, &c->e);
    }
    int64_t pause = c->run_ns && time_ns > c->run_ns ? time_ns - c->run_ns : 0;
    c->run_ns = time_ns;
    settle_pass(&c->f.operations, pause);
    settle_pass(&c->f.objects, pause);
    pause = b->links_last_ns && time_ns > b->links_last_ns ? time_ns - b->links_last_ns : 0;
    b->links_last_ns = time_ns;
    settle_pass(&b->links, pause);

    if (!is_accepted(s, &b->pairs, &s->pair->e, DETECTION_COMM_NEW_LINK, flow)) {
        tell_link(s, flow, protocol, packet);
    } else if (s->is_late) { /* learned, and told all the same: pairs have not settled for long */
        if (s->pair->e.count == 1)
            tell_link(s, flow, protocol, packet);
        else
            tell_protocol(s, flow, protocol, packet);
        s->is_late = false;
    } else if (!is_accepted(s, &b->conversations, &c->e, DETECTION_COMM_NEW_PROTOCOL, flow)) {
        tell_protocol(s, flow, protocol, packet);
    }
    return true;
}

/* S7 and CIP name the unit when they connect: on a connection that is older than the sensor it is
 * not known. Such events count for the unit that is known from other connections, and the other way
 * round. What is known without a unit stays so: MQTT has topics beside those of edge nodes. */
uint64_t conversations_unit(struct seen *s)
{
    struct conversation *c = s->conversation;
    uint64_t unit = name_hash(s->event->unit);
    if (unit != 0 && c->f.unit_hash != 0)
        return unit;
    if (unit == 0 && !s->event->flow->is_start_seen) {
        if (!c->f.has_unnamed && c->f.unit_hash == 0 &&
            baseline_is_learning(s->b, &c->f.operations)) {
            c->f.has_unnamed = true;
            entry_change(&s->b->conversations, &c->e);
        }
        return c->f.unit_hash != 0 && operations_is_known(s, 0) ? 0 : c->f.unit_hash;
    }
    if (unit == 0)
        return 0;
    if (baseline_is_learning(s->b, &c->f.operations)) {
        c->f.unit_hash = unit;
        entry_change(&s->b->conversations, &c->e);
    } else if (c->f.has_unnamed) {
        return 0;
    }
    return unit;
}
