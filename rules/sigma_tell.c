/* sigma_tell.c: findings of rules: the first of a cause at once, then at doubling counts, the rest
 * when the flood is over. */
#include "rules/sigma_internal.h"

#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    CAUSES_MAX = 4096,
    TOLD_SINGLY = 4, /* of one cause, before only doubling counts are told */
};
static const int64_t OVER_NS = 60 * INT64_C(1000000000);
static const int64_t LOOK_NS = 10 * INT64_C(1000000000);

struct cause {
    struct slot slot;
    const struct sigma_rule *rule;
    uint64_t count, told;
    uint32_t segment;
    uint8_t transport;
    bool has_target;
    struct endpoint actor, target;
    char protocol[24];
};

struct told {
    struct slots causes;
    int64_t looked_ns, due_ns; /* due: none is over before that */
    size_t untold;
};

struct told *told_create(void)
{
    struct told *t = calloc(1, sizeof *t);
    if (t && !slots_create(&t->causes, CAUSES_MAX, sizeof(struct cause))) {
        free(t);
        return NULL;
    }
    return t;
}

void told_destroy(struct told *t)
{
    if (!t)
        return;
    slots_destroy(&t->causes);
    free(t);
}

void sigma_finding_of_rule(struct finding *f, const struct sigma_rule *rule)
{
    const char *where = f->has_target ? " towards %T" : "";
    f->flags = finding_level_flag(rule->level);
    text_copy(f->rule_title, sizeof f->rule_title, text_of(rule->title));
    text_copy(f->rule_id, sizeof f->rule_id, text_of(rule->id));
    text_copy(f->rule_techniques, sizeof f->rule_techniques, text_of(rule->techniques));
    text_copy(f->key, sizeof f->key, text_of(rule->id));
    /* the title is not a format: the message puts the target's name in for %T once more */
    text_format(f->what, sizeof f->what, "triggered the rule \"%s\"%s", f->rule_title, where);
}

static uint64_t host_hash(const struct endpoint *host)
{
    if (host->ip.kind == ADDRESS_NONE)
        return hash_bytes(&host->mac, sizeof host->mac);
    return hash_bytes(&host->ip, sizeof host->ip);
}

/* What a record says of its two hosts, in the roles of findings. */
static void cause_start(struct cause *c, const struct sigma_rule *rule,
                        const struct sigma_record *r)
{
    c->rule = rule;
    if (r->finding) {
        c->segment = r->finding->segment;
        c->transport = r->finding->transport;
        c->actor = r->finding->actor;
        c->target = r->finding->target;
        c->has_target = r->finding->has_target;
        text_copy(c->protocol, sizeof c->protocol, text_of(r->finding->protocol));
    } else if (r->flow) {
        bool is_client = !r->event || r->event->direction != OT_ONEWAY || r->event->is_from_client;
        c->segment = r->flow->segment;
        c->transport = r->flow->transport;
        c->actor = is_client ? r->flow->client : r->flow->server;
        c->target = is_client ? r->flow->server : r->flow->client;
        c->has_target = true;
        text_copy(c->protocol, sizeof c->protocol, text_of(r->protocol));
    }
}

uint64_t sigma_rule_key(const struct sigma_rule *rule)
{
    /* not the rule's address: causes are told in the order of their keys, in every run the same */
    uint64_t key = hash_bytes(rule->title, strlen(rule->title));
    return hash_mix(key, hash_bytes(rule->id, strlen(rule->id)) ^ rule->line);
}

static uint64_t cause_key(const struct sigma_rule *rule, const struct sigma_record *r)
{
    uint64_t key = rule->key;
    if (r->finding) {
        key = hash_mix(key, r->finding->segment);
        key = hash_mix(key, host_hash(&r->finding->actor));
        key = hash_mix(key, r->finding->has_target ? host_hash(&r->finding->target) : 0);
    } else if (r->flow) {
        bool is_client = !r->event || r->event->direction != OT_ONEWAY || r->event->is_from_client;
        key = hash_mix(hash_mix(key, r->flow->segment), is_client);
        key = hash_mix(key, host_hash(&r->flow->client));
        key = hash_mix(key, host_hash(&r->flow->server));
        if (r->protocol)
            key = hash_mix(key, hash_bytes(r->protocol, strlen(r->protocol)));
    }
    return key | 1;
}

static void begin_finding(struct finding *f, const struct cause *c, int64_t time_ns)
{
    struct ot_flow flow = {
        .segment = c->segment, .transport = c->transport, .client = c->actor, .server = c->target};
    struct violation at = {
        .flow = &flow, .protocol = c->protocol, .time_ns = time_ns, .is_from_client = true};
    finding_of_violation(f, DETECTION_RULE_MATCH, &at);
    f->has_target = c->has_target;
}

static void tell(const struct cause *c, const struct sigma_record *r, uint64_t count,
                 const struct sigma_sink *sink)
{
    struct finding f;
    if (r->event) {
        finding_of_event(&f, DETECTION_RULE_MATCH, r->event);
    } else {
        begin_finding(&f, c, r->time_ns);
        if (r->packet) {
            f.packet_number = r->packet->number;
            f.source_index = r->packet->source_index;
        } else if (r->finding) {
            f.packet_number = r->finding->packet_number;
            f.source_index = r->finding->source_index;
            f.operation = r->finding->operation;
        }
    }
    sigma_finding_of_rule(&f, c->rule);
    f.count = count;
    if (r->event && r->event->item_count)
        ot_item_print(&r->event->items[0], f.object, sizeof f.object);
    if (r->event) {
        char code[OT_CODE_SIZE];
        text_format(f.seen, sizeof f.seen, "%s %s%s%s%s%s", r->event->protocol,
                    ot_event_code(r->event, code), r->event->name ? " (" : "",
                    r->event->name ? r->event->name : "", r->event->name ? ")" : "",
                    r->event->direction == OT_RESPONSE ? ", the answer" : "");
    } else if (r->finding) {
        text_format(f.seen, sizeof f.seen, "%s", detection_kind(r->finding->detection)->title);
    } else {
        text_format(f.seen, sizeof f.seen, "a connection%s%s", c->protocol[0] ? " of " : "",
                    c->protocol);
    }
    sink->finding(sink->context, &f);
}

static bool is_due(const struct cause *c, uint64_t times)
{
    if (c->count <= TOLD_SINGLY)
        return true;
    uint64_t before = c->count - times; /* a power of two was passed */
    return (c->count ^ before) > before;
}

void told_match(struct told *t, const struct sigma_rule *rule, struct sigma_record *r,
                uint64_t times, const struct sigma_sink *sink)
{
    bool is_new;
    struct cause *c = slots_take(&t->causes, cause_key(rule, r), r->time_ns, &is_new);
    if (is_new)
        cause_start(c, rule, r);
    c->count += times;
    if (!is_due(c, times)) {
        if (t->untold++ == 0 || r->time_ns + OVER_NS < t->due_ns)
            t->due_ns = r->time_ns + OVER_NS;
        return;
    }
    uint64_t count = c->count - c->told;
    c->told = c->count;
    tell(c, r, count, sink);
}

static void tell_rest(struct cause *c, const struct sigma_sink *sink)
{
    struct finding f;
    begin_finding(&f, c, c->slot.used_ns);
    sigma_finding_of_rule(&f, c->rule);
    f.count = c->count - c->told;
    c->told = c->count;
    sink->finding(sink->context, &f);
}

void told_tick(struct told *t, int64_t now_ns, bool is_last, const struct sigma_sink *sink)
{
    if (t->untold == 0 || (!is_last && now_ns - t->looked_ns < LOOK_NS))
        return;
    t->looked_ns = now_ns;
    if (!is_last && now_ns < t->due_ns)
        return;
    size_t left = 0;
    t->due_ns = INT64_MAX;
    for (size_t i = 0; i < t->causes.capacity; i++) {
        struct cause *c = slots_at(&t->causes, i);
        if (!slots_is_used(&t->causes, i) || c->count == c->told)
            continue;
        int64_t due_ns = c->slot.used_ns + OVER_NS;
        if (is_last || now_ns >= due_ns) {
            tell_rest(c, sink);
        } else {
            t->due_ns = due_ns < t->due_ns ? due_ns : t->due_ns;
            left++;
        }
    }
    t->untold = left;
}
