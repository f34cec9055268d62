/* sigma_eval.c: asks the rules that an event, a flow or a finding can match. */
#include "rules/sigma_internal.h"

#include "sensor/base/hash.h"
#include "sensor/base/pages.h"

#include <stdlib.h>
#include <string.h>

enum {
    VALUES_SEEN_MAX = 256, /* of one item: as many as event lines show */
    RE_STEPS_MAX = 20000,  /* about a millisecond */
    RE_DEPTH_MAX = 500,
    RE_HEAP_KIB = 1024,
};

struct sigma *sigma_create(const struct sigma_rules *rules, const struct sigma_sink *sink)
{
    struct sigma *s = pages_take(sizeof *s);
    if (!s)
        return NULL;
    s->rules = rules;
    s->sink = *sink;
    s->told = told_create();
    s->match = pcre2_match_data_create(1, NULL);
    s->match_context = pcre2_match_context_create(NULL);
    if (!s->told || !s->match || !s->match_context) {
        sigma_destroy(s);
        return NULL;
    }
    pcre2_set_match_limit(s->match_context, RE_STEPS_MAX);
    pcre2_set_depth_limit(s->match_context, RE_DEPTH_MAX);
    pcre2_set_heap_limit(s->match_context, RE_HEAP_KIB);
    return s;
}

void sigma_destroy(struct sigma *s)
{
    if (!s)
        return;
    told_destroy(s->told);
    pcre2_match_data_free(s->match);
    pcre2_match_context_free(s->match_context);
    pages_give(s, sizeof *s);
}

/* --- tests --- */

static bool same_value(const struct sigma_value *a, const struct sigma_value *b, bool is_cased)
{
    if (a->kind == VALUE_TEXT && b->kind == VALUE_TEXT)
        return a->text.size == b->text.size &&
               (is_cased ? memcmp(a->text.at, b->text.at, a->text.size)
                         : strncasecmp(a->text.at, b->text.at, a->text.size)) == 0;
    if (a->kind == VALUE_ADDRESS && b->kind == VALUE_ADDRESS)
        return address_equal(a->address, b->address);
    if (a->kind == VALUE_MAC && b->kind == VALUE_MAC)
        return mac_equal(a->mac, b->mac);
    bool is_number = (a->kind == VALUE_NUMBER || a->kind == VALUE_BOOL) &&
                     (b->kind == VALUE_NUMBER || b->kind == VALUE_BOOL);
    return is_number && a->number == b->number;
}

static bool one_value(struct sigma *s, struct sigma_record *r, const struct sigma_matcher *m,
                      const struct sigma_value *value)
{
    struct sigma_value other;
    if (m->op != MATCH_FIELD)
        return sigma_matcher_test(m, value, s);
    for (uint32_t i = 0; i < VALUES_SEEN_MAX && sigma_field_value(r, m->field, i, &other); i++)
        if (same_value(value, &other, m->is_cased))
            return true;
    return false;
}

/* Any of the values that the field has. */
static bool any_value(struct sigma *s, struct sigma_record *r, enum sigma_field field,
                      const struct sigma_matcher *m)
{
    struct sigma_value value;
    bool is_there = false;
    for (uint32_t i = 0; i < VALUES_SEEN_MAX && sigma_field_value(r, field, i, &value); i++) {
        is_there = true;
        if (m->op == MATCH_EXISTS || m->op == MATCH_NULL)
            break;
        if (one_value(s, r, m, &value))
            return true;
    }
    if (m->op == MATCH_EXISTS)
        return is_there == m->is_wanted;
    if (m->op == MATCH_NULL)
        return !is_there;
    /* '' is what is not there, too: events leave empty texts away */
    return !is_there && m->op == MATCH_EQUAL && m->size == 0;
}

/* Keywords look at every field, of every item. */
static bool any_field(struct sigma *s, struct sigma_record *r, const struct sigma_matcher *m)
{
    int32_t items = sigma_record_items(r);
    bool is_found = false;
    for (int f = 0; f < FIELD_COUNT && !is_found; f++) {
        enum sigma_field field = (enum sigma_field)f;
        if (!(sigma_field_where(field) >> r->kind & 1))
            continue;
        if (!sigma_field_is_item(field)) {
            is_found = any_value(s, r, field, m);
            continue;
        }
        for (r->item = 0; r->item < items && !is_found; r->item++)
            is_found = any_value(s, r, field, m);
        r->item = NO_ITEM;
    }
    return is_found;
}

/* The one value that the field has, fetched once for all that it is compared with. */
static bool test_single(struct sigma *s, struct sigma_record *r, const struct sigma_node *node)
{
    struct sigma_value value;
    bool is_there = sigma_field_value(r, node->field, 0, &value);
    bool is_match = node->is_all;
    for (uint32_t i = 0; i < node->count && is_match == node->is_all; i++) {
        const struct sigma_matcher *m = &node->matchers[i];
        if (m->op == MATCH_EXISTS)
            is_match = is_there == m->is_wanted;
        else if (m->op == MATCH_NULL)
            is_match = !is_there;
        else
            is_match = is_there ? one_value(s, r, m, &value) : m->op == MATCH_EQUAL && m->size == 0;
    }
    return is_match != node->is_not;
}

static bool test(struct sigma *s, struct sigma_record *r, const struct sigma_node *node)
{
    if (!r->sample && !sigma_field_is_list(node->field)) /* FIELD_NONE is many */
        return test_single(s, r, node);
    bool is_match = node->is_all;
    for (uint32_t i = 0; i < node->count && is_match == node->is_all; i++) {
        const struct sigma_matcher *m = &node->matchers[i];
        is_match = node->field == FIELD_NONE ? any_field(s, r, m) : any_value(s, r, node->field, m);
    }
    return is_match != node->is_not;
}

static bool judge(struct sigma *s, struct sigma_record *r, const struct sigma_node *node);

static bool judge_all(struct sigma *s, struct sigma_record *r, const struct sigma_node *node)
{
    for (uint32_t i = 0; i < node->count; i++)
        if (!judge(s, r, node->children[i]))
            return false;
    return true;
}

/* Without items the fields of an item are simply absent. */
static bool judge_items(struct sigma *s, struct sigma_record *r, const struct sigma_node *node)
{
    int32_t count = sigma_record_items(r);
    bool is_match = false;
    if (count == 0)
        return judge_all(s, r, node);
    for (r->item = 0; r->item < count && !is_match; r->item++)
        is_match = judge_all(s, r, node);
    r->item = NO_ITEM;
    return is_match;
}

/* As deep as conditions may nest. */
static bool judge(struct sigma *s, struct sigma_record *r, const struct sigma_node *node)
{
    switch (node->kind) {
    case NODE_ALL:
        return judge_all(s, r, node);
    case NODE_ANY:
        for (uint32_t i = 0; i < node->count; i++)
            if (judge(s, r, node->children[i]))
                return true;
        return false;
    case NODE_NOT:
        return !judge(s, r, node->children[0]);
    case NODE_ITEM:
        return judge_items(s, r, node);
    case NODE_TEST:
        return test(s, r, node);
    }
    return false;
}

bool sigma_node_judge(struct sigma *s, struct sigma_record *r, const struct sigma_node *node)
{
    return judge(s, r, node);
}

bool sigma_rule_matches(struct sigma *s, const struct sigma_rule *rule, struct sigma_record *r)
{
    return judge(s, r, rule->root);
}

/* --- what a match leads to --- */

static bool is_of(enum sigma_field field, enum sigma_field first)
{
    return field >= first && field <= first + 2; /* ip, mac, port */
}

/* Who of the finding's two hosts belongs to the group. */
static void name_ends(struct sigma_hit *hit, const struct sigma_counter *counter,
                      const struct sigma_record *r)
{
    bool is_turned = r->event && r->event->direction != OT_ONEWAY && !r->event->is_from_client;
    for (uint32_t i = 0; i < counter->group_count; i++) {
        enum sigma_field field = counter->groups[i];
        bool is_source = is_of(field, FIELD_SOURCE_IP),
             is_destination = is_of(field, FIELD_DESTINATION_IP);
        hit->has_actor |= is_of(field, FIELD_CLIENT_IP) || (is_turned ? is_destination : is_source);
        hit->has_target |=
            is_of(field, FIELD_SERVER_IP) || (is_turned ? is_source : is_destination);
    }
}

static void place(struct sigma_hit *hit, const struct sigma_record *r)
{
    if (r->finding) {
        const struct finding *f = r->finding;
        hit->segment = f->segment;
        hit->actor = f->actor;
        hit->target = f->target;
        hit->transport = f->transport;
        hit->operation = f->operation;
        text_copy(hit->protocol, sizeof hit->protocol, text_of(f->protocol));
    } else if (r->flow) {
        bool is_client = !r->event || r->event->direction != OT_ONEWAY || r->event->is_from_client;
        hit->segment = r->flow->segment;
        hit->actor = is_client ? r->flow->client : r->flow->server;
        hit->target = is_client ? r->flow->server : r->flow->client;
        hit->transport = r->flow->transport;
        hit->operation = r->event ? r->event->operation : OP_UNKNOWN;
        text_copy(hit->protocol, sizeof hit->protocol,
                  text_of(r->event ? r->event->protocol : r->protocol));
    }
    if (r->packet) {
        hit->packet_number = r->packet->number;
        hit->source_index = r->packet->source_index;
    }
}

static void count(struct sigma *s, const struct sigma_counter *counter, struct sigma_record *r,
                  uint64_t times)
{
    struct sigma_hit hit;
    bool is_there;
    memset(&hit, 0, sizeof hit);
    hit.rules = s->rules;
    hit.correlation = counter->correlation;
    hit.part = counter->part;
    hit.time_ns = r->time_ns;
    hit.count = times;
    for (uint32_t i = 0; i < counter->group_count; i++)
        hit.group = hash_mix(hit.group, sigma_field_hash(r, counter->groups[i], &is_there));
    if (counter->value != FIELD_NONE)
        hit.value = sigma_field_hash(r, counter->value, &hit.has_value);
    place(&hit, r);
    name_ends(&hit, counter, r);
    s->sink.hit(s->sink.context, &hit);
}

void sigma_rule_matched(struct sigma *s, const struct sigma_rule *rule, struct sigma_record *r,
                        uint64_t times)
{
    for (uint32_t i = 0; i < rule->counter_count; i++)
        count(s, &rule->counters[i], r, times);
    if (!rule->is_part && s->sink.finding)
        told_match(s->told, rule, r, times, &s->sink);
}

static void judge_list(struct sigma *s, const struct sigma_list *list, struct sigma_record *r,
                       uint64_t times)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct sigma_rule *rule = s->rules->rules[list->rules[i]];
        if (r->kind == SIGMA_FLOW && !r->sample && !(rule->moments >> r->moment & 1))
            continue;
        if (sigma_rule_matches(s, rule, r))
            sigma_rule_matched(s, rule, r, times);
    }
}

const struct sigma_bucket *sigma_bucket(const struct sigma_rules *rules, struct text protocol)
{
    size_t size = protocol.size, slot = hash_stable(protocol.at, size) % BUCKET_SLOTS;
    for (; rules->slots[slot]; slot = (slot + 1) % BUCKET_SLOTS) {
        const struct sigma_bucket *bucket = &rules->buckets[rules->slots[slot]];
        if (strlen(bucket->protocol) == size && memcmp(bucket->protocol, protocol.at, size) == 0)
            return bucket;
    }
    return &rules->buckets[0];
}

void sigma_flow(struct sigma *s, const struct ot_flow *flow, enum sigma_moment moment,
                const char *protocol, const struct packet *packet, int64_t time_ns)
{
    struct sigma_record r = {.kind = SIGMA_FLOW,
                             .flow = flow,
                             .packet = packet,
                             .protocol = protocol,
                             .moment = moment,
                             .time_ns = time_ns,
                             .item = NO_ITEM};
    judge_list(s, &s->rules->flows, &r, 1);
}

void sigma_flow_times(struct sigma *s, const struct ot_flow *flow, enum sigma_moment moment,
                      const char *protocol, int64_t time_ns, uint64_t times)
{
    struct sigma_record r = {.kind = SIGMA_FLOW,
                             .flow = flow,
                             .protocol = protocol,
                             .moment = moment,
                             .time_ns = time_ns,
                             .item = NO_ITEM};
    judge_list(s, &s->rules->flows, &r, times);
}

void sigma_finding(struct sigma *s, const struct finding *f, int severity)
{
    if (f->detection == DETECTION_RULE_MATCH)
        return;
    struct sigma_record r = {.kind = SIGMA_FINDING,
                             .finding = f,
                             .severity = severity,
                             .time_ns = f->time_ns,
                             .item = NO_ITEM};
    judge_list(s, &s->rules->findings, &r, f->count ? f->count : 1);
}

/* A sample goes through the index as its original would. */
static void judge_sample(struct sigma *s, struct sigma_record *r, uint64_t times)
{
    struct sigma_value v;
    char name[32];
    enum operation operation = OP_UNKNOWN;
    struct text protocol = {"", 0};
    if (sigma_field_value(r, FIELD_PROTOCOL, 0, &v) && v.kind == VALUE_TEXT)
        protocol = v.text;
    if (sigma_field_value(r, FIELD_OPERATION, 0, &v) && v.kind == VALUE_TEXT &&
        v.text.size < sizeof name)
        operation_parse(&operation, text_copy(name, sizeof name, v.text));
    const struct sigma_bucket *bucket = sigma_bucket(s->rules, protocol);
    judge_list(s, &bucket->lists[operation], r, times);
}

void sigma_record_judge(struct sigma *s, struct sigma_record *r, uint64_t times)
{
    if (r->kind == SIGMA_EVENT)
        judge_sample(s, r, times);
    else
        judge_list(s, r->kind == SIGMA_FLOW ? &s->rules->flows : &s->rules->findings, r, times);
}

void sigma_tick(struct sigma *s, int64_t time_ns, bool is_last)
{
    told_tick(s->told, time_ns, is_last, &s->sink);
}
