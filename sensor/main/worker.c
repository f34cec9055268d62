/* worker.c: the wiring of one worker. */
#include "worker.h"

#include "baseline/infrastructure.h"
#include "dissectors/dissector.h"
#include "evidence.h"
#include "recent.h"
#include "rules/site_judge.h"
#include "sensor/base/event_json.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/base/pair.h"
#include "sensor/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVIDENCE_BYTES = 2 << 20,
    NAMES = 64,       /* protocols whose marks are at hand */
    HOSTS_MAX = 8192, /* sources whose last sighting is known */
    TOLD_MAX = 16384, /* roles and facts told lately */
    CLAIMED_MAX = 4096,
    POLICY_PAIRS_MAX = 4096,
};
#define SECOND_NS     INT64_C(1000000000)
#define FLOW_COUNT_NS (86400 * SECOND_NS)
#define REPEAT_NS     (60 * SECOND_NS) /* how often a known host, role or fact is told again */
#define CLAIM_NS      (5 * SECOND_NS)

/* What is counted of a source between two sightings. */
struct source {
    int64_t told_ns;
    uint64_t packets, bytes;
    uint64_t echo_pair; /* whom most of its echo requests go to, by a vote */
    uint32_t echoes;    /* to that one, less those to others */
};

/* What the name of a protocol tells. Names are literals: the same address is the same name. */
struct name_marks {
    const char *name; /* NULL: unused */
    uint64_t key;
    bool is_page_or_file;
};

struct worker {
    struct worker_options options;
    struct finding_sink sink; /* of baseline, policy and evidence */
    struct analyser *analyser;
    struct baseline *baseline;
    struct policy *policy;
    struct evidence *evidence;
    struct history *history;         /* NULL: none is kept */
    struct sigma *sigma;             /* NULL: no rules */
    const struct sigma_rules *rules; /* that sigma evaluates */
    _Atomic(const struct sigma_rules *) next_rules;
    struct memory *hosts;
    struct recent *told;
    struct recent *claimed; /* roles of each flow, a moment ago: saves most looks into told */
    struct name_marks names[NAMES];
    struct site_judge *judge;
    _Atomic(struct site *) next_site; /* waits for the next tick; NULL: none */
    int64_t next_tick_ns, last_ns;
    uint64_t pair; /* of the packet being analysed */
    const struct packet *packet;
    char line[EVENT_LINE_MAX];
};

/* --- to the core --- */

static void take_finding(void *context, const struct finding *f)
{
    struct worker *w = context;
    struct finding out = *f;
    analyser_counters(w->analyser)->findings++;
    if (f->has_target && site_judge_is_safety(w->judge, &f->target, f->time_ns))
        out.flags |= FINDING_SAFETY_ASSET; /* by what it speaks; what is declared the core knows */
    if (w->packet)
        evidence_finding(w->evidence, &out, w->pair);
    if (out.evidence_id)
        out.evidence_id |= (uint64_t)w->options.index << 48; /* unique over all workers */
    w->options.core.finding(w->options.core.context, &out);
}

static void take_sighting(void *context, const struct sighting *s)
{
    struct worker *w = context;
    w->options.core.sighting(w->options.core.context, s);
}

static void take_evidence(void *context, const struct evidence_packet *e)
{
    struct worker *w = context;
    struct evidence_packet out = *e;
    out.evidence_id |= (uint64_t)w->options.index << 48;
    w->options.core.evidence(w->options.core.context, &out);
}

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

/* --- what the analyser found --- */

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
    take_sighting(w, &s);
    site_judge_started(w->judge, flow, packet);
    if (w->options.indicators)
        policy_flow(w->policy, flow, packet);
    judge_flow(w, flow, SIGMA_STARTED, NULL, packet);
}

static void on_flow_answered(void *context, const struct ot_flow *flow, const struct packet *packet)
{
    struct worker *w = context;
    struct sighting s = sighting_of(w, SIGHTING_ANSWER, flow, &flow->server, &flow->client);
    take_sighting(w, &s);
    site_judge_answered(w->judge, flow, packet); /* first: it asks what was known before */
    baseline_link(w->baseline, flow, packet);
    judge_flow(w, flow, SIGMA_ANSWERED, NULL, packet);
}

static void on_flow_refused(void *context, const struct ot_flow *flow, const struct packet *packet)
{
    struct worker *w = context;
    struct sighting s = sighting_of(w, SIGHTING_REFUSED, flow, &flow->server, &flow->client);
    take_sighting(w, &s);
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
        *m = (struct name_marks){name, name_key(name), is_page_or_file(name)};
    return m;
}

/* Closed by design, or no plant's business. */
static bool is_plant_protocol(const char *name)
{
    static const char *const office[] = {
        "tls",  "dtls", "ssh",  "rdp",   "vnc",  "http", "ftp", "tftp", "smb", "smb2", "telnet",
        "snmp", "dns",  "mdns", "llmnr", "nbns", "dhcp", "ntp", "lldp", "cdp", "stp",  "dcerpc"};
    for (size_t i = 0; i < sizeof office / sizeof *office; i++)
        if (strcmp(office[i], name) == 0)
            return false;
    return true;
}

static bool is_tls(const char *name)
{
    return strcmp(name, "tls") == 0 || strcmp(name, "dtls") == 0;
}

/* A port of a plant protocol, or what IANA gave it for its TLS variant. */
static bool is_plant_port(uint16_t port)
{
    static const uint16_t secure[] = {802 /* Modbus */,
                                      2221 /* EtherNet/IP */,
                                      3782 /* ISO, TP0 */,
                                      4843 /* OPC UA */,
                                      8883 /* MQTT */,
                                      19998 /* IEC 60870-5-104 */,
                                      19999 /* DNP3 */};
    for (size_t i = 0; i < sizeof secure / sizeof *secure; i++)
        if (secure[i] == port)
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
        take_sighting(w, &s);
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
        take_sighting(w, &s);
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

/* Over TCP the side that was called is the server, whoever has the word: an S7 CPU asks for the
 * blocks that are downloaded to it. Elsewhere nobody was called, and the sender tells. */
static void tell_role(struct worker *w, const struct ot_event *e)
{
    bool is_called = e->flow->transport == TRANSPORT_TCP && e->direction != OT_ONEWAY;
    bool is_answer = e->direction == OT_RESPONSE && !(is_called && e->is_from_client);
    bool is_granted = is_answer && e->status.result != OT_RESULT_ERROR;
    uint64_t key =
        hash_mix(hash_mix(w->pair, marks_of(w, e->protocol)->key),
                 (uint64_t)e->operation << 2 | (uint64_t)is_granted << 1 | e->is_from_client);
    if (e->unit.size > 0)
        key = hash_mix(key, hash_bytes(e->unit.at, e->unit.size));
    if (!recent_is_due_at(w->claimed, e->flow->id, key, e->time_ns, CLAIM_NS) ||
        !recent_is_due(w->told, key, e->time_ns, REPEAT_NS))
        return;
    bool is_actor_client = is_called || is_answer != e->is_from_client;
    const struct endpoint *actor = is_actor_client ? &e->flow->client : &e->flow->server;
    const struct endpoint *target = is_actor_client ? &e->flow->server : &e->flow->client;
    struct sighting s = sighting_of(w, SIGHTING_ROLE, e->flow, actor, target);
    text_copy(s.protocol, sizeof s.protocol, text_of(e->protocol));
    text_copy(s.unit, sizeof s.unit, e->unit);
    s.operation = e->operation;
    s.detail = (uint16_t)((is_answer ? ROLE_ANSWERED : 0) | (is_granted ? ROLE_GRANTED : 0));
    take_sighting(w, &s);
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
        text_copy(s.protocol, sizeof s.protocol, text_of(e->protocol));
        text_copy(s.unit, sizeof s.unit, e->unit);
        text_copy(s.text, sizeof s.text, fact->value);
        s.operation = e->operation;
        s.fact = fact->kind;
        take_sighting(w, &s);
    }
}

/* Roles are claimed on layer 2 and over UDP. */
static void tell_infrastructure(struct worker *w, const struct ot_event *e)
{
    enum infrastructure_role role;
    struct text id;
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
    take_sighting(w, &s);
}

static void on_event(void *context, const struct ot_event *e)
{
    struct worker *w = context;
    policy_expect(w->policy, e);
    baseline_expect(w->baseline, e);
    uint64_t like = w->history ? history_key(w->history, e, w->pair) : 0;
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
    if (e->direction != OT_REQUEST && e->flow->transport != TRANSPORT_TCP)
        tell_infrastructure(w, e);
    policy_event(w->policy, e);
    site_judge_event(w->judge, e); /* before the baseline learns it */
    if (w->history)
        history_expect(w->history, like);
    baseline_event(w->baseline, e);
    if (w->sigma)
        sigma_event(w->sigma, e);
    if (w->history)
        history_event(w->history, e, like);
}

static void on_soon(void *context, const struct ot_flow *flow, unsigned step)
{
    const struct worker *w = context;
    if (step > 0) {
        baseline_look_on(w->baseline, flow);
        return;
    }
    baseline_look(w->baseline, flow);
    recent_look(w->claimed, flow->id);
}

static void on_violation(void *context, const struct violation *v)
{
    struct worker *w = context;
    policy_violation(w->policy, v);
    baseline_violation(w->baseline, v);
}

/* --- questions that policy and baseline ask --- */

static bool is_engineering_station(void *context, uint32_t segment, const struct endpoint *host)
{
    const struct worker *w = context;
    (void)segment; /* the policy names addresses of the whole site */
    return site_is_engineering(site_judge_site(w->judge), host);
}

static bool is_approved(void *context, enum detection detection, const struct ot_event *event)
{
    const struct worker *w = context;
    return baseline_is_approved(w->baseline, detection, event);
}

static bool is_usual(void *context, const struct ot_event *event)
{
    const struct worker *w = context;
    return baseline_is_usual(w->baseline, event);
}

static bool is_actor_new(void *context, const struct ot_event *event)
{
    const struct worker *w = context;
    return baseline_is_actor_new(w->baseline, event);
}

static bool is_known(void *context, const struct ot_flow *flow, const char *protocol)
{
    const struct worker *w = context;
    return baseline_is_known(w->baseline, flow, protocol);
}

/* --- rules --- */

static void take_hit(void *context, const struct sigma_hit *hit)
{
    struct worker *w = context;
    w->options.hit(w->options.core.context, hit);
}

static void take_history(void *context, const struct history_row *row)
{
    struct worker *w = context;
    w->options.history(w->options.core.context, row);
}

static bool create_history(struct worker *w)
{
    if (!w->options.history)
        return true;
    w->history = history_create(w->options.config->sensor, take_history, w);
    return w->history != NULL;
}

/* Takes over the rules that were set last. Allocates, but only then. */
static bool take_rules(struct worker *w)
{
    const struct sigma_rules *next = atomic_load_explicit(&w->next_rules, memory_order_acquire);
    if (next == w->rules)
        return true;
    if (w->sigma)
        sigma_tick(w->sigma, w->last_ns, true);
    sigma_destroy(w->sigma);
    w->sigma = NULL;
    w->rules = next;
    if (next) {
        struct sigma_sink sink = {w, take_finding, take_hit};
        w->sigma = sigma_create(next, &sink);
    }
    return !next || w->sigma;
}

void worker_rules(struct worker *w, const struct sigma_rules *rules)
{
    atomic_store_explicit(&w->next_rules, rules, memory_order_release);
}

/* --- life --- */

static bool create_analyser(struct worker *w)
{
    const struct config *c = w->options.config;
    struct analyser_options options = {
        .flows_max = c->flows_max / w->options.count + 1,
        .stream_bytes_max = ((size_t)c->memory_megabytes << 20) / w->options.count,
        .is_classifying = true,
    };
    struct analyser_sink sink = {
        .context = w,
        .event = on_event,
        .violation = on_violation,
        .flow_started = on_flow_started,
        .flow_answered = on_flow_answered,
        .flow_refused = on_flow_refused,
        .flow_finished = on_flow_finished,
        .protocol = on_protocol,
        .odd_port = on_odd_port,
        .soon = on_soon,
    };
    w->analyser = analyser_create(&options, &sink);
    return w->analyser != NULL;
}

static bool create_judges(struct worker *w)
{
    const struct config *c = w->options.config;
    w->sink = (struct finding_sink){w, take_finding, take_sighting, take_evidence};
    struct baseline_options baseline = {
        .mode = c->mode,
        .settle_min_ns = (int64_t)c->settle_minutes * 60 * SECOND_NS,
        .conversations_max = c->conversations_max / w->options.count + 1,
        .sensor = c->sensor,
        .worker = w->options.index,
        .is_engineering_station = is_engineering_station,
        .context = w,
    };
    struct policy_options policy = {
        .pairs_max = POLICY_PAIRS_MAX,
        .is_approved = is_approved,
        .is_engineering_station = is_engineering_station,
        .is_actor_new = is_actor_new,
        .is_usual = is_usual,
        .indicators = w->options.indicators,
        .context = w,
    };
    struct site_judge_options judge = {.is_known = is_known, .is_usual = is_usual, .context = w};
    w->judge = site_judge_create(&judge, w->options.site, &w->sink);
    w->baseline = baseline_create(&baseline, &w->sink);
    w->policy = policy_create(&policy, &w->sink);
    w->evidence = evidence_create(EVIDENCE_BYTES / w->options.count, &w->sink);
    return w->judge && w->baseline && w->policy && w->evidence;
}

struct worker *worker_create(const struct worker_options *options, struct error *err)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w) {
        error_set(err, "out of memory");
        return NULL;
    }
    w->options = *options;
    atomic_init(&w->next_site, NULL);
    worker_rules(w, options->rules);
    w->hosts = memory_create(HOSTS_MAX, sizeof(struct source));
    w->told = recent_create(TOLD_MAX);
    w->claimed = recent_create(CLAIMED_MAX);
    if (!w->hosts || !w->told || !w->claimed || !create_analyser(w) || !create_judges(w) ||
        !take_rules(w) || !create_history(w)) {
        error_set(err, "out of memory for a worker's tables");
        worker_destroy(w);
        return NULL;
    }
    return w;
}

void worker_destroy(struct worker *w)
{
    if (!w)
        return;
    analyser_destroy(w->analyser);
    history_destroy(w->history);
    sigma_destroy(w->sigma);
    policy_destroy(w->policy);
    site_judge_destroy(w->judge);
    site_release(atomic_load(&w->next_site));
    baseline_destroy(w->baseline);
    evidence_destroy(w->evidence);
    memory_destroy(w->hosts);
    recent_destroy(w->told);
    recent_destroy(w->claimed);
    free(w);
}

bool worker_load(struct worker *w, struct store *store, struct error *err)
{
    return baseline_load(w->baseline, store, w->options.index, w->options.count, err);
}

/* --- packets --- */

/* What is known of a packet before its turn. */
struct ahead {
    uint64_t pair, host;
    struct analyser_place flow;
};

static struct sighting sighting_of_packet(enum sighting_kind kind, const struct packet *p)
{
    return (struct sighting){
        .kind = kind,
        .time_ns = p->time_ns,
        .segment = p->segment,
        .who = {p->source,      p->source_mac,      0},
        .other = {p->destination, p->destination_mac, 0},
        .transport = p->transport,
        .vlan = p->vlan_count ? p->vlans[0] : VLAN_NONE,
        .packet_number = p->number,
        .source_index = p->source_index,
    };
}

static uint64_t host_hash(const struct packet *p)
{
    struct {
        struct address ip;
        struct mac mac;
        uint32_t segment;
    } key;
    memset(&key, 0, sizeof key);
    key.ip = p->arp.is_present ? p->arp.sender_ip : p->source;
    key.mac = p->source_mac;
    key.segment = p->segment;
    return hash_bytes(&key, sizeof key);
}

static void tell_host(struct worker *w, const struct packet *p, uint64_t hash)
{
    struct source *h = memory_get(w->hosts, hash, NULL);
    bool is_new = !h;
    if (is_new) {
        bool existed, evicted;
        h = memory_put(w->hosts, hash, sizeof *h, &existed, &evicted);
    }
    h->packets++;
    h->bytes += p->wire_size;
    if (!is_new && p->time_ns - h->told_ns < REPEAT_NS)
        return;
    struct sighting s = sighting_of_packet(SIGHTING_HOST, p);
    if (p->arp.is_present)
        s.who.ip = p->arp.sender_ip;
    s.other = (struct endpoint){0};
    s.packets = h->packets;
    s.bytes = h->bytes;
    h->told_ns = p->time_ns;
    h->packets = h->bytes = 0;
    take_sighting(w, &s);
}

enum { ICMP_ECHO = 8, ICMP6_ECHO = 128, ECHOES_TOLD = 100 /* one sighting for so many */ };

/* RFC 792, RFC 4443 4.1: the type is the first byte. */
static bool is_echo_request(const struct packet *p)
{
    return p->transport == TRANSPORT_ICMP && p->payload_size > 0 &&
           p->payload[0] == (p->source.kind == ADDRESS_IP6 ? ICMP6_ECHO : ICMP_ECHO);
}

/* Who asks many hosts a little has no majority: each other one takes a vote away. */
static void tell_echo(struct worker *w, const struct packet *p, const struct ahead *ahead)
{
    struct source *h = memory_get(w->hosts, ahead->host, NULL);
    if (!h)
        return;
    if (h->echoes == 0)
        h->echo_pair = ahead->pair;
    if (h->echo_pair != ahead->pair) {
        h->echoes--;
        return;
    }
    if (++h->echoes < ECHOES_TOLD)
        return;
    h->echoes = 0;
    struct sighting s = sighting_of_packet(SIGHTING_ECHO, p);
    s.packets = ECHOES_TOLD;
    take_sighting(w, &s);
}

static void tell_arp(struct worker *w, const struct packet *p)
{
    struct sighting s = sighting_of_packet(SIGHTING_ARP, p);
    s.who = (struct endpoint){p->arp.sender_ip, p->arp.sender_mac, 0};
    s.other = (struct endpoint){p->arp.target_ip, p->arp.target_mac, 0};
    s.detail = p->arp.operation;
    s.packets = 1;
    s.bytes = p->wire_size;
    take_sighting(w, &s);
}

static void take_site(struct worker *w)
{
    struct site *site = atomic_load(&w->next_site) ? atomic_exchange(&w->next_site, NULL) : NULL;
    if (site)
        site_judge_take(w->judge, site);
    site_release(site);
}

static void tell_router(struct worker *w, const struct packet *p)
{
    struct sighting s = sighting_of_packet(SIGHTING_INFRASTRUCTURE, p);
    s.detail = ROLE_ROUTER;
    text_copy(s.protocol, sizeof s.protocol, text_of("icmpv6"));
    take_sighting(w, &s);
}

void worker_tick(struct worker *w, int64_t time_ns)
{
    if (time_ns < w->next_tick_ns)
        return;
    w->last_ns = time_ns;
    w->next_tick_ns = time_ns - time_ns % SECOND_NS + SECOND_NS;
    analyser_tick(w->analyser, time_ns);
    take_site(w);
    policy_tick(w->policy, time_ns, false);
    site_judge_tick(w->judge, time_ns, false);
    baseline_tick(w->baseline, time_ns, false);
    if (!take_rules(w))
        log_error("out of memory: rules are off");
    if (w->sigma)
        sigma_tick(w->sigma, time_ns, false);
    if (w->history)
        history_tick(w->history, time_ns, false);
}

static bool has_host(const struct packet *p)
{
    return !mac_is_zero(&p->source_mac) || p->source.kind != ADDRESS_NONE;
}

/* Each step asks for memory whose place the step before has brought. */
static void look(const struct worker *w, const struct packet *p, struct ahead *ahead, unsigned step)
{
    if (step == 0) {
        struct endpoint source = {p->source, p->source_mac, 0};
        struct endpoint destination = {p->destination, p->destination_mac, 0};
        ahead->pair = pair_hash(p->segment, &source, &destination);
        evidence_look(w->evidence, ahead->pair);
        if (has_host(p)) {
            ahead->host = host_hash(p);
            memory_look(w->hosts, ahead->host);
        }
    } else if (step == 1 && has_host(p)) {
        memory_look_on(w->hosts, ahead->host);
    }
    analyser_look(w->analyser, p, &ahead->flow, step);
}

static void take_packet(struct worker *w, const struct packet *p, const struct ahead *ahead)
{
    if (p->time_ns >= w->next_tick_ns)
        worker_tick(w, p->time_ns);
    if (atomic_load_explicit(&w->next_site, memory_order_relaxed))
        take_site(w); /* from the next packet on, as was said in the log */
    if (p->time_ns > w->last_ns)
        w->last_ns = p->time_ns;

    w->pair = ahead->pair;
    w->packet = p;
    evidence_packet(w->evidence, p, w->pair);
    if (has_host(p))
        tell_host(w, p, ahead->host);
    if (is_echo_request(p))
        tell_echo(w, p, ahead);
    if (p->arp.is_present)
        tell_arp(w, p);
    if (p->arp.is_router)
        tell_router(w, p);
    analyser_packet_at(w->analyser, p, &ahead->flow);
    evidence_flush(w->evidence);
    w->packet = NULL;
}

void worker_packet(struct worker *w, const struct packet *p)
{
    struct ahead ahead;
    look(w, p, &ahead, 0);
    take_packet(w, p, &ahead);
}

void worker_packets(struct worker *w, const struct packet *const packets[], size_t count)
{
    struct ahead aheads[WORKER_BATCH];
    assert(count <= WORKER_BATCH);
    for (unsigned step = 0; count > 1 && step < ANALYSER_STEPS; step++)
        for (size_t i = 0; i < count; i++)
            look(w, packets[i], &aheads[i], step);
    if (count == 1)
        worker_packet(w, packets[0]);
    for (size_t i = 0; count > 1 && i < count; i++)
        take_packet(w, packets[i], &aheads[i]);
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

static void pass_row(void *context, const struct baseline_row *row)
{
    struct worker *w = context;
    w->options.row(w->options.core.context, row);
}

void worker_save(struct worker *w)
{
    baseline_changes(w->baseline, pass_row, w);
}

void worker_finish(struct worker *w)
{
    analyser_finish(w->analyser);
    policy_tick(w->policy, w->last_ns, true);
    site_judge_tick(w->judge, w->last_ns, true);
    baseline_tick(w->baseline, w->last_ns, true);
    if (w->sigma)
        sigma_tick(w->sigma, w->last_ns, true);
    if (w->history)
        history_tick(w->history, w->last_ns, true);
    worker_save(w);
}

void worker_decide(struct worker *w, const struct baseline_decision *decision)
{
    baseline_decide(w->baseline, decision);
}

void worker_site(struct worker *w, struct site *site)
{
    site_release(atomic_exchange(&w->next_site, site_retain(site)));
}

const struct analyser *worker_analyser(const struct worker *w)
{
    return w->analyser;
}

struct counters *worker_counters(struct worker *w)
{
    return analyser_counters(w->analyser);
}
