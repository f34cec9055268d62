/* worker_events.c: what the analyser found goes to the judges and, once in a while, to the core. */
#include "baseline/asset.h"
#include "baseline/infrastructure.h"
#include "baseline/names.h"
#include "dissectors/dissector.h"
#include "dissectors/tls_inside.h"
#include "sensor/base/hash.h"
#include "sensor/base/pair.h"
#include "worker_internal.h"

#include <string.h>

#define FLOW_COUNT_NS (86400 * SECOND_NS)

static struct sighting sighting_of(const struct worker *w, enum sighting_kind kind,
                                   const struct ot_flow *flow, const struct endpoint *who,
                                   const struct endpoint *other)
{
    struct sighting s = {
        .kind = kind,
        .time_ns = w->packet ? w->packet->time_ns : w->last_ns,
        .segment = flow->segment,
        .who = *who,
        .other = *other,
        .transport = flow->transport,
        .vlan = w->packet && w->packet->vlan_count ? w->packet->vlans[0] : VLAN_NONE,
        .packet_number = w->packet ? w->packet->number : 0,
        .source_index = w->packet ? w->packet->source_index : 0,
        .is_start_seen = flow->is_start_seen,
    };
    return s;
}

static void judge_flow(struct worker *w, const struct ot_flow *flow, enum sigma_moment moment,
                       const char *protocol, const struct packet *packet)
{
    int64_t now_ns = packet ? packet->time_ns : w->last_ns;
    if (w->sigma)
        sigma_flow(w->sigma, flow, moment, protocol, packet, now_ns);
    if (w->history)
        history_flow(w->history, flow, moment, protocol, now_ns, w->pair);
}

static void on_flow_started(void *context, const struct ot_flow *flow, const struct packet *packet)
{
    struct worker *w = context;
    struct sighting s = sighting_of(w, SIGHTING_FLOW, flow, &flow->client, &flow->server);
    worker_sighting(w, &s);
    site_judge_started(w->judge, flow, packet);
    baseline_called(w->baseline, flow, packet);
    if (w->options.indicators)
        policy_flow(w->policy, flow, packet);
    judge_flow(w, flow, SIGMA_STARTED, NULL, packet);
}

static void on_flow_answered(void *context, const struct ot_flow *flow, const struct packet *packet)
{
    struct worker *w = context;
    struct sighting s = sighting_of(w, SIGHTING_ANSWER, flow, &flow->server, &flow->client);
    worker_sighting(w, &s);
    site_judge_answered(w->judge, flow, packet); /* first: it asks what was known before */
    baseline_link(w->baseline, flow, packet);
    judge_flow(w, flow, SIGMA_ANSWERED, NULL, packet);
}

static void on_flow_refused(void *context, const struct ot_flow *flow, const struct packet *packet)
{
    struct worker *w = context;
    struct sighting s = sighting_of(w, SIGHTING_REFUSED, flow, &flow->server, &flow->client);
    worker_sighting(w, &s);
    site_judge_refused(w->judge, flow, packet);
    baseline_link(w->baseline, flow, packet); /* a closed port was reached all the same */
    judge_flow(w, flow, SIGMA_REFUSED, NULL, packet);
}

static void on_flow_finished(void *context, const struct ot_flow *flow, const struct packet *packet)
{
    struct worker *w = context;
    (void)packet;
    baseline_finished(w->baseline, flow);
}

/* Names differ in their first eight bytes. Where they lie in memory differs from run to run. */
static uint64_t name_key(const char *name)
{
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof key && name[i]; i++)
        key = key << 8 | (uint8_t)name[i];
    return key;
}

/* What people use on a controller beside its own protocols. */
static bool is_page_or_file(const char *name)
{
    static const char *const names[] = {"http", "ftp", "tftp", "smb2", "smb"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static const struct name_marks *marks_of(struct worker *w, const char *name)
{
    struct name_marks *m = &w->names[hash_mix((uintptr_t)name, 0) % NAMES];
    if (m->name != name)
        *m = (struct name_marks){name, name_key(name), is_page_or_file(name),
                                 infrastructure_is_protocol(name)};
    return m;
}

/* Closed by design, or no plant's business. */
static bool is_plant_protocol(const char *name)
{
    static const char *const office[] = {
        "tls",  "dtls",   "ssh",  "rdp",    "vnc",  "http",  "ftp",          "tftp", "smb",
        "smb2", "telnet", "snmp", "dns",    "mdns", "llmnr", "nbns",         "dhcp", "ntp",
        "lldp", "cdp",    "stp",  "dcerpc", "mndp", "edp",   "ws_discovery", "ssdp"};
    for (size_t i = 0; i < sizeof office / sizeof *office; i++)
        if (strcmp(office[i], name) == 0)
            return false;
    return true;
}

static bool is_tls(const char *name)
{
    return strcmp(name, "tls") == 0 || strcmp(name, "dtls") == 0;
}

/* A port of a plant protocol, or of its TLS variant. */
static bool is_plant_port(uint16_t port)
{
    if (tls_inside(port).size)
        return true;
    for (size_t i = 0; i < dissector_count; i++)
        for (size_t k = 0; k < DISSECTOR_PORTS_MAX; k++)
            if (port != 0 && dissectors[i]->ports[k] == port)
                return is_plant_protocol(dissectors[i]->name);
    return false;
}

/* Each flow of a plant protocol once, and once more when it turns out to be closed. */
static void count_plant_flow(struct worker *w, const struct ot_flow *flow, const char *name,
                             bool is_encrypted, int64_t now_ns)
{
    if (!recent_is_due(w->told, hash_mix(flow->id, is_encrypted ? 2 : 1), now_ns, FLOW_COUNT_NS))
        return;
    if (!is_plant_protocol(name) && !(is_tls(name) && is_plant_port(flow->server.port)))
        return;
    if (is_encrypted)
        analyser_counters(w->analyser)->ot_flows_encrypted++;
    else
        analyser_counters(w->analyser)->ot_flows++;
}

static void on_protocol(void *context, const struct ot_flow *flow, const char *name,
                        bool is_dissected, const struct packet *packet)
{
    struct worker *w = context;
    int64_t now_ns = packet ? packet->time_ns : w->last_ns;
    const struct name_marks *marks = marks_of(w, name);
    /* protocols inside each other take turns with every message */
    if (recent_is_due(w->told, hash_mix(flow->id, marks->key), now_ns, REPEAT_NS)) {
        struct sighting s = sighting_of(w, SIGHTING_PROTOCOL, flow, &flow->client, &flow->server);
        text_copy(s.protocol, sizeof s.protocol, text_of(name));
        s.detail = is_dissected;
        worker_sighting(w, &s);
        site_judge_protocol(w->judge, flow, name, packet);
        if (is_dissected)
            count_plant_flow(w, flow, name, false, now_ns);
        if (is_dissected && is_tls(name))
            count_plant_flow(w, flow, name, true, now_ns);
    }
    baseline_protocol(w->baseline, flow, name, packet);
    if (marks->is_page_or_file && !baseline_is_known(w->baseline, flow, name)) {
        struct sighting s = sighting_of(w, SIGHTING_NEW_CLIENT, flow, &flow->client, &flow->server);
        text_copy(s.protocol, sizeof s.protocol, text_of(name));
        worker_sighting(w, &s);
    }
    judge_flow(w, flow, SIGMA_RECOGNISED, name, packet);
}

static void on_odd_port(void *context, const struct ot_flow *flow, const char *name,
                        const char *expected, const struct packet *packet)
{
    struct worker *w = context;
    if (!name)
        site_judge_protocol(w->judge, flow, NULL, packet);
    bool is_usual = name && baseline_is_learned(w->baseline, flow, name);
    if ((expected || name) && !is_usual)
        policy_odd_port(w->policy, flow, name, expected, packet);
}

static void on_strange(void *context, const struct ot_flow *flow, const char *name, unsigned count,
                       const struct packet *packet)
{
    struct worker *w = context;
    if (name && baseline_is_learned(w->baseline, flow, name))
        return;
    bool is_from_client = packet->source_port == flow->client.port &&
                          address_equal(&packet->source, &flow->client.ip);
    const struct endpoint *who = is_from_client ? &flow->client : &flow->server;
    const struct endpoint *other = is_from_client ? &flow->server : &flow->client;
    struct sighting s = sighting_of(w, SIGHTING_DATAGRAMS, flow, who, other);
    s.packets = count;
    worker_sighting(w, &s);
}

/* What the actor of an event does, or its target answers. */
struct role {
    bool is_called, is_answer, is_granted;
    uint64_t key;
};

/* Over TCP the side that was called is the server, whoever has the word: an S7 CPU asks for the
 * blocks that are downloaded to it. Elsewhere nobody was called, and the sender tells. */
static struct role role_of(const struct ot_event *e)
{
    bool is_called = e->flow->transport == TRANSPORT_TCP && e->direction != OT_ONEWAY;
    bool is_answer = e->direction == OT_RESPONSE && !(is_called && e->is_from_client);
    bool is_granted = is_answer && e->status.result != OT_RESULT_ERROR;
    return (struct role){
        .is_called = is_called,
        .is_answer = is_answer,
        .is_granted = is_granted,
        .key = (uint64_t)e->operation << 2 | (uint64_t)is_granted << 1 | e->is_from_client,
    };
}

/* claim: of the role, where its flow is. Apart, so that the look before it is short. */
static __attribute__((noinline)) void role_is_due(struct worker *w, const struct ot_event *e,
                                                  struct role role, uint64_t unit, uint64_t claim)
{
    uint64_t key = hash_mix(hash_mix(w->pair, marks_of(w, e->protocol)->key), role.key);
    key = e->unit.size ? hash_mix(key, unit) : key;
    if (!recent_is_due(w->told, key, e->time_ns, REPEAT_NS)) { /* on another flow of the two */
        recent_set_at(w->claimed, e->flow->id, claim, recent_told_ns(w->told, key));
        return;
    }
    bool is_actor_client = role.is_called || role.is_answer != e->is_from_client;
    const struct endpoint *actor = is_actor_client ? &e->flow->client : &e->flow->server;
    const struct endpoint *target = is_actor_client ? &e->flow->server : &e->flow->client;
    struct sighting s = sighting_of(w, SIGHTING_ROLE, e->flow, actor, target);
    text_copy(s.protocol, sizeof s.protocol, text_of(e->protocol));
    text_copy(s.unit, sizeof s.unit, e->unit);
    s.operation = e->operation;
    s.detail =
        (uint16_t)((role.is_answer ? ROLE_ANSWERED : 0) | (role.is_granted ? ROLE_GRANTED : 0));
    worker_sighting(w, &s);
}

static void tell_role(struct worker *w, const struct ot_event *e)
{
    struct role role = role_of(e);
    uint64_t unit = hash_short(e->unit.at, e->unit.size);
    /* compared only: where the name lies in memory decides nothing */
    uint64_t claim = hash_mix(e->flow->id << 16 ^ role.key, unit ^ (uintptr_t)e->protocol);
    if (recent_is_due_at(w->claimed, e->flow->id, claim, e->time_ns, REPEAT_NS))
        role_is_due(w, e, role, unit, claim);
}

/* A host may be a server of OPC UA and a client of another: each has a name. */
static const char *source_of(const struct ot_event *e)
{
    bool is_client = e->is_from_client && e->direction == OT_REQUEST;
    return is_client && strcmp(e->protocol, "opcua") == 0 ? ASSET_OPCUA_CLIENT : e->protocol;
}

static void tell_facts(struct worker *w, const struct ot_event *e)
{
    for (uint32_t i = 0; i < e->fact_count; i++) {
        const struct ot_fact *fact = &e->facts[i];
        const struct endpoint *who = fact->is_about_receiver ? ot_event_destination(e)
                                     : e->about              ? e->about
                                                             : ot_event_source(e);
        uint64_t whose = e->about ? hash_bytes(&e->about->mac, sizeof e->about->mac) : w->pair;
        uint64_t key = hash_mix(hash_mix(whose, hash_bytes(fact->value.at, fact->value.size)),
                                hash_mix((uint64_t)fact->kind << 1 | fact->is_about_receiver,
                                         hash_bytes(e->unit.at, e->unit.size)));
        if (fact->value.size == 0 || !recent_is_due(w->told, key, e->time_ns, REPEAT_NS))
            continue;
        struct sighting s =
            sighting_of(w, SIGHTING_FACT, e->flow, who,
                        fact->is_about_receiver ? ot_event_source(e) : ot_event_destination(e));
        text_copy(s.protocol, sizeof s.protocol, text_of(source_of(e)));
        text_copy(s.unit, sizeof s.unit, e->unit);
        text_copy(s.text, sizeof s.text, fact->value);
        s.operation = e->operation;
        s.fact = fact->kind;
        worker_sighting(w, &s);
    }
}

/* What stands in the slots of a device. */
static void tell_parts(struct worker *w, const struct ot_event *e)
{
    bool is_asked = e->direction == OT_REQUEST;
    const struct endpoint *who = is_asked ? ot_event_destination(e) : ot_event_source(e);
    for (uint32_t i = 0; i < e->part_count; i++) {
        const struct ot_part *part = &e->parts[i];
        uint64_t key =
            hash_mix(hash_mix(w->pair, hash_bytes(part->numbers.at, part->numbers.size)),
                     hash_mix((uint64_t)FACT_PART, hash_bytes(part->unit.at, part->unit.size)));
        if (part->unit.size == 0 || part->numbers.size == 0 ||
            !recent_is_due(w->told, key, e->time_ns, REPEAT_NS))
            continue;
        struct sighting s = sighting_of(w, SIGHTING_FACT, e->flow, who,
                                        is_asked ? ot_event_source(e) : ot_event_destination(e));
        text_copy(s.protocol, sizeof s.protocol, text_of(e->protocol));
        text_copy(s.unit, sizeof s.unit, part->unit);
        text_copy(s.text, sizeof s.text, part->numbers);
        s.operation = e->operation;
        s.fact = FACT_PART;
        worker_sighting(w, &s);
    }
}

/* Whose names an answer tells. */
static void tell_names(struct worker *w, const struct ot_event *e)
{
    for (uint32_t i = 0; i < e->item_count; i++) {
        struct endpoint who;
        struct text name;
        char source[NAMES_SOURCE];
        if (!names_answer(e, &e->items[i], &who, &name))
            continue;
        uint64_t key = hash_mix(hash_bytes(&who.ip, sizeof who.ip), hash_bytes(name.at, name.size));
        if (!recent_is_due(w->told, key, e->time_ns, REPEAT_NS))
            continue;
        struct sighting s = sighting_of(w, SIGHTING_FACT, e->flow, &who, ot_event_source(e));
        text_copy(s.protocol, sizeof s.protocol, text_of(names_source(source, e->protocol)));
        text_copy(s.text, sizeof s.text, name);
        s.operation = e->operation;
        s.fact = FACT_HOST_NAME;
        worker_sighting(w, &s);
    }
}

/* Roles are claimed on layer 2 and over UDP. */
static void tell_infrastructure(struct worker *w, const struct ot_event *e)
{
    enum infrastructure_role role;
    struct text id;
    if (!marks_of(w, e->protocol)->tells_roles)
        return;
    if (!infrastructure_role_of(e, &role, &id))
        return;
    const struct endpoint *who = ot_event_source(e);
    uint64_t key = hash_mix(
        hash_mix(hash_bytes(&who->ip, sizeof who->ip), hash_bytes(&who->mac, sizeof who->mac)),
        hash_bytes(id.at, id.size) << 8 | role);
    if (!recent_is_due(w->told, key, e->time_ns, REPEAT_NS))
        return;
    struct sighting s =
        sighting_of(w, SIGHTING_INFRASTRUCTURE, e->flow, who, ot_event_destination(e));
    char identity[INFRASTRUCTURE_IDENTITY];
    s.detail = (uint16_t)role;
    text_copy(s.protocol, sizeof s.protocol, text_of(e->protocol));
    text_copy(s.text, sizeof s.text, text_of(infrastructure_identity(identity, role, id)));
    worker_sighting(w, &s);
}

/* What sets a safe station up names no protocol of its own: it is said of the station all the same.
 */
static void tell_safety(struct worker *w, const struct ot_event *e)
{
    static const char name[] = "profisafe";
    if (!recent_is_due(w->told, hash_mix(w->pair, hash_bytes(name, sizeof name)), e->time_ns,
                       REPEAT_NS))
        return;
    struct sighting s =
        sighting_of(w, SIGHTING_PROTOCOL, e->flow, &e->flow->client, &e->flow->server);
    s.other.port = 0; /* of no service: that of its port is another */
    text_copy(s.protocol, sizeof s.protocol, text_of(name));
    s.detail = 1;
    worker_sighting(w, &s);
}

static void on_event(void *context, const struct ot_event *e)
{
    struct worker *w = context;
    if (!(e->flags & OT_CARRIER))
        baseline_expect(w->baseline, e);
    struct history_like like = {0};
    if (w->history)
        like = history_like(w->history, e, w->pair);
    struct sigma_expected asked = {.program = NULL};
    size_t asked_at = w->sigma ? sigma_look(w->sigma, e) : 0;
    if (e->secret)
        evidence_mask(w->evidence, e->packet, e->secret, e->secret_size);
    if (w->options.events) {
        size_t size = event_json(e, w->line, sizeof w->line - 1);
        w->line[size++] = '\n';
        fwrite(w->line, 1, size, w->options.events);
    }
    if (e->flags & OT_ENCRYPTED)
        count_plant_flow(w, e->flow, e->protocol, true, e->time_ns);
    tell_role(w, e);
    if (e->fact_count)
        tell_facts(w, e);
    if (e->part_count)
        tell_parts(w, e);
    if (e->flags & OT_SAFETY)
        tell_safety(w, e);
    if (e->operation == OP_SESSION && e->item_count && e->direction == OT_RESPONSE)
        tell_names(w, e);
    if (e->direction != OT_REQUEST && e->flow->transport != TRANSPORT_TCP)
        tell_infrastructure(w, e);
    bool is_judged = !(e->flags & OT_CARRIER);
    if (is_judged)
        policy_event(w->policy, e);
    site_judge_event(w->judge, e); /* before the baseline learns it */
    if (w->history)
        history_expect(w->history, like);
    if (w->sigma)
        asked = sigma_expect(w->sigma, e, asked_at);
    if (is_judged)
        baseline_event(w->baseline, e);
    if (asked.program)
        sigma_event_expected(w->sigma, e, asked);
    if (w->history)
        history_event(w->history, e, like);
}

static void on_soon(void *context, const struct ot_flow *flow, unsigned step)
{
    const struct worker *w = context;
    if (step > 0) {
        baseline_look_on(w->baseline, flow);
        policy_look_on(w->policy, flow);
        if (w->history)
            history_look_on(w->history, flow);
        return;
    }
    baseline_look(w->baseline, flow);
    policy_look(w->policy, flow);
    if (w->history)
        history_look(w->history, flow);
    recent_look(w->claimed, flow->id);
}

static void on_violation(void *context, const struct violation *v)
{
    struct worker *w = context;
    policy_violation(w->policy, v);
    baseline_violation(w->baseline, v);
}

struct analyser_sink worker_listener(struct worker *w)
{
    return (struct analyser_sink){
        .context = w,
        .event = on_event,
        .strange = on_strange,
        .violation = on_violation,
        .flow_started = on_flow_started,
        .flow_answered = on_flow_answered,
        .flow_refused = on_flow_refused,
        .flow_finished = on_flow_finished,
        .protocol = on_protocol,
        .odd_port = on_odd_port,
        .soon = on_soon,
    };
}

/* --- a history --- */

static void replay_at(struct worker *w, const struct ot_flow *flow, int64_t time_ns)
{
    if (time_ns > w->last_ns)
        w->last_ns = time_ns;
    w->pair = pair_hash(flow->segment, &flow->client, &flow->server);
}

void worker_replay_event(struct worker *w, const struct ot_event *e)
{
    replay_at(w, e->flow, e->time_ns);
    on_event(w, e);
}

void worker_replay_flow(struct worker *w, const struct ot_flow *flow, enum sigma_moment moment,
                        const char *protocol, const struct packet *packet)
{
    replay_at(w, flow, packet->time_ns);
    if (moment == SIGMA_STARTED)
        on_flow_started(w, flow, packet);
    else if (moment == SIGMA_ANSWERED)
        on_flow_answered(w, flow, packet);
    else if (moment == SIGMA_REFUSED)
        on_flow_refused(w, flow, packet);
    else if (protocol)
        on_protocol(w, flow, protocol, false, packet);
}
