/* sigma_correlation.c: rules that count matches of other rules: event_count, value_count, temporal
 * and temporal_ordered, by group, within a time. */
#include "rules/sigma_internal.h"

#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXACT_MAX = 256,   /* counts up to this keep the time of every hit */
    PIECES = 64,       /* of the window, for greater counts */
    VALUES_MAX = 1024, /* distinct values that can be counted */
    ALIASES_MAX = 32,
};

/* --- reading --- */

static bool keep(struct sigma_file *f, const yaml_node_t *node, const char *key, struct text *text)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0)
        return sigma_fail(f, node, key, "must be a name");
    struct text t = sigma_yaml_text(node);
    text->at = sigma_keep_text(f->rules, t);
    text->size = t.size;
    return text->at || error_set(f->err, "out of memory");
}

/* A name or a list of at most `most` names. */
static bool read_names(struct sigma_file *f, const yaml_node_t *node, const char *key,
                       struct text *names, size_t most, uint32_t *count)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        *count = 1;
        return keep(f, node, key, &names[0]);
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
         i++) {
        const yaml_node_t *item = sigma_yaml_node(f, *i, key);
        if (!item)
            return false;
        if (*count == most)
            return sigma_fail(f, item, key, "has more than %zu names", most);
        if (!keep(f, item, key, &names[(*count)++]))
            return false;
    }
    return *count > 0 || sigma_fail(f, node, key, "is empty");
}

static bool read_type(struct sigma_file *f, const yaml_node_t *node, struct sigma_correlation *c)
{
    static const char *const names[] = {"event_count", "value_count", "temporal",
                                        "temporal_ordered"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (node->type == YAML_SCALAR_NODE &&
            text_equal(sigma_yaml_text(node), text_of(names[i]))) {
            c->type = (enum correlation_type)i;
            return true;
        }
    }
    return sigma_fail(f, node, "correlation.type",
                      "must be event_count, value_count, temporal or temporal_ordered");
}

static bool read_criterion(struct sigma_file *f, const yaml_node_t *key, const yaml_node_t *node,
                           struct sigma_correlation *c, struct text name)
{
    char *end = NULL;
    uint64_t number = 0;
    const char *text = node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
    if (text[0] >= '0' && text[0] <= '9')
        number = strtoull(text, &end, 10);
    if (!end || *end || number > UINT32_MAX)
        return sigma_fail(f, node, "correlation.condition", "must be a whole number");
    if (text_equal(name, TEXT("gt")))
        c->at_least = number + 1;
    else if (text_equal(name, TEXT("gte")))
        c->at_least = number;
    else if (text_equal(name, TEXT("lt")) && number > 0)
        c->at_most = number - 1;
    else if (text_equal(name, TEXT("lte")))
        c->at_most = number;
    else if (text_equal(name, TEXT("eq")))
        c->at_least = c->at_most = number;
    else
        return sigma_fail(f, key, "correlation.condition", "knows gt, gte, lt, lte, eq and field");
    return true;
}

static bool read_condition(struct sigma_file *f, const yaml_node_t *node,
                           struct sigma_correlation *c)
{
    c->at_most = UINT64_MAX;
    if (node->type != YAML_MAPPING_NODE)
        return sigma_fail(f, node, "correlation.condition", "must be a map");
    bool any = false;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = sigma_yaml_node(f, p->key, "correlation.condition");
        const yaml_node_t *value =
            key ? sigma_yaml_node(f, p->value, "correlation.condition") : NULL;
        if (!value)
            return false;
        struct text name = key->type == YAML_SCALAR_NODE ? sigma_yaml_text(key) : TEXT("");
        bool is_field = text_equal(name, TEXT("field"));
        if (is_field ? !keep(f, value, "correlation.condition.field", &c->value)
                     : !read_criterion(f, key, value, c, name))
            return false;
        any |= !is_field;
    }
    if (!any || c->at_least > c->at_most || (c->at_least == 0 && c->at_most == UINT64_MAX))
        return sigma_fail(f, node, "correlation.condition", "can never or always be true");
    return true;
}

static bool read_aliases(struct sigma_file *f, const yaml_node_t *node, struct sigma_correlation *c)
{
    c->aliases = sigma_keep(f->rules, ALIASES_MAX * sizeof *c->aliases);
    if (!c->aliases)
        return error_set(f->err, "out of memory");
    if (node->type != YAML_MAPPING_NODE)
        return sigma_fail(f, node, "correlation.aliases", "must be a map");
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *name = sigma_yaml_node(f, p->key, "correlation.aliases");
        const yaml_node_t *map = name ? sigma_yaml_node(f, p->value, "correlation.aliases") : NULL;
        if (!map)
            return false;
        if (map->type != YAML_MAPPING_NODE)
            return sigma_fail(f, map, "correlation.aliases", "must map rules to fields");
        for (yaml_node_pair_t *q = map->data.mapping.pairs.start; q < map->data.mapping.pairs.top;
             q++) {
            const yaml_node_t *rule = sigma_yaml_node(f, q->key, "correlation.aliases");
            const yaml_node_t *field =
                rule ? sigma_yaml_node(f, q->value, "correlation.aliases") : NULL;
            if (!field)
                return false;
            if (c->alias_count == ALIASES_MAX)
                return sigma_fail(f, rule, "correlation.aliases", "has more than 32 entries");
            struct alias *a = &c->aliases[c->alias_count++];
            if (!keep(f, name, "correlation.aliases", &a->alias) ||
                !keep(f, rule, "correlation.aliases", &a->rule) ||
                !keep(f, field, "correlation.aliases", &a->field))
                return false;
        }
    }
    return true;
}

static bool read_part(struct sigma_file *f, const yaml_node_t *key, const yaml_node_t *value,
                      struct sigma_correlation *c)
{
    struct text name = key->type == YAML_SCALAR_NODE ? sigma_yaml_text(key) : TEXT("");
    if (text_equal(name, TEXT("type")))
        return read_type(f, value, c);
    if (text_equal(name, TEXT("rules")))
        return read_names(f, value, "correlation.rules", c->parts, PARTS_MAX, &c->part_count);
    if (text_equal(name, TEXT("group-by")))
        return read_names(f, value, "correlation.group-by", c->groups, GROUP_FIELDS,
                          &c->group_count);
    if (text_equal(name, TEXT("timespan")))
        return (value->type == YAML_SCALAR_NODE &&
                sigma_timespan(&c->span_ns, sigma_yaml_text(value))) ||
               sigma_fail(f, value, "correlation.timespan",
                          "must be a time such as 30s, 5m, 1h or 1d");
    if (text_equal(name, TEXT("condition")))
        return read_condition(f, value, c);
    if (text_equal(name, TEXT("aliases")))
        return read_aliases(f, value, c);
    if (text_equal(name, TEXT("generate"))) {
        c->is_generating =
            value->type == YAML_SCALAR_NODE && text_equal(sigma_yaml_text(value), TEXT("true"));
        return true;
    }
    return sigma_fail(f, key, "correlation",
                      "knows type, rules, group-by, timespan, condition, aliases and generate");
}

static bool check(struct sigma_file *f, const yaml_node_t *node, struct sigma_correlation *c)
{
    bool is_count = c->type == EVENT_COUNT || c->type == VALUE_COUNT;
    if (c->part_count == 0 || c->span_ns == 0)
        return sigma_fail(f, node, "correlation", "needs rules and a timespan");
    if (is_count && c->at_most == 0 && c->at_least == 0)
        return sigma_fail(f, node, "correlation", "needs a condition");
    if (c->type == VALUE_COUNT && c->value.size == 0)
        return sigma_fail(f, node, "correlation.condition", "needs the field whose values count");
    if (c->type == VALUE_COUNT && c->at_least > VALUES_MAX)
        return sigma_fail(f, node, "correlation.condition", "counts at most %d values", VALUES_MAX);
    if (!is_count && c->part_count < 2)
        return sigma_fail(f, node, "correlation.rules", "needs two rules or more");
    if (!is_count && (c->at_least || c->at_most))
        return sigma_fail(f, node, "correlation.condition", "belongs to counts");
    c->is_at_end = is_count && c->at_most != UINT64_MAX;
    return true;
}

static const struct sigma_rule *rule_named(const struct sigma_rules *rules, struct text name,
                                           size_t *index)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct sigma_rule *rule = rules->rules[i];
        if (text_equal(name, text_of(rule->id)) || text_equal(name, text_of(rule->name))) {
            *index = i;
            return rule;
        }
    }
    return NULL;
}

bool sigma_read_correlation(struct sigma_file *f, const yaml_node_t *node, struct sigma_rule *rule)
{
    struct sigma_correlation *c = sigma_keep(f->rules, sizeof *c);
    if (!c)
        return error_set(f->err, "out of memory");
    if (node->type != YAML_MAPPING_NODE)
        return sigma_fail(f, node, "correlation", "must be a map");
    c->line = node->start_mark.line + 1;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = sigma_yaml_node(f, p->key, "correlation");
        const yaml_node_t *value = key ? sigma_yaml_node(f, p->value, "correlation") : NULL;
        if (!value || !read_part(f, key, value, c))
            return false;
    }
    size_t index;
    rule->correlation = c;
    rule->kind = SIGMA_EVENT;
    if (!check(f, node, c))
        return false;
    const struct sigma_rule *part = rule_named(f->rules, c->parts[0], &index);
    if (part) /* what its samples are */
        rule->kind = part->kind;
    return true;
}

/* --- finding the rules that are counted --- */

/* A field, or an alias of one for this rule. */
static bool resolve_field(const struct sigma_correlation *c, const struct sigma_rule *part,
                          struct text name, enum sigma_field *field)
{
    for (uint32_t i = 0; i < c->alias_count; i++) {
        const struct alias *a = &c->aliases[i];
        bool is_its =
            text_equal(a->rule, text_of(part->name)) || text_equal(a->rule, text_of(part->id));
        if (is_its && text_equal(a->alias, name))
            name = a->field;
    }
    return sigma_field_parse(field, name) && (sigma_field_where(*field) >> part->kind & 1);
}

static bool fail_at(const struct sigma_rule *rule, struct error *err, const char *key,
                    struct text name, const char *why)
{
    char shown[64];
    return error_set(err, "%s:%zu: key `%s`: `%s` %s", rule->file, rule->correlation->line, key,
                     text_copy(shown, sizeof shown, name), why);
}

static bool add_counter(struct sigma_rules *rules, struct sigma_rule *part,
                        const struct sigma_counter *counter)
{
    struct sigma_counter *grown = sigma_keep(rules, (part->counter_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    if (part->counter_count)
        memcpy(grown, part->counters, part->counter_count * sizeof *grown);
    grown[part->counter_count++] = *counter;
    part->counters = grown;
    return true;
}

static bool resolve(struct sigma_rules *rules, size_t index, struct error *err)
{
    const struct sigma_rule *rule = rules->rules[index];
    const struct sigma_correlation *c = rule->correlation;
    for (uint32_t p = 0; p < c->part_count; p++) {
        size_t at;
        struct sigma_counter counter = {.correlation = (uint32_t)index,
                                        .part = (uint16_t)p,
                                        .group_count = c->group_count,
                                        .value = FIELD_NONE};
        if (!rule_named(rules, c->parts[p], &at))
            return fail_at(rule, err, "correlation.rules", c->parts[p], "is no rule that was read");
        struct sigma_rule *part = rules->rules[at];
        if (part->correlation)
            return fail_at(rule, err, "correlation.rules", c->parts[p],
                           "is a correlation: only rules with a detection can be counted");
        for (uint32_t g = 0; g < c->group_count; g++)
            if (!resolve_field(c, part, c->groups[g], &counter.groups[g]))
                return fail_at(rule, err, "correlation.group-by", c->groups[g],
                               "is not a field of what is counted");
        if (c->type == VALUE_COUNT && !resolve_field(c, part, c->value, &counter.value))
            return fail_at(rule, err, "correlation.condition.field", c->value,
                           "is not a field of what is counted");
        if (!add_counter(rules, part, &counter))
            return error_set(err, "out of memory");
        part->is_part |= !c->is_generating;
    }
    return true;
}

bool sigma_correlations_resolve(struct sigma_rules *rules, struct error *err)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i]->correlation && !rules->rules[i]->is_off && !resolve(rules, i, err))
            return false;
    return true;
}

/* --- counting --- */

struct piece {
    int64_t number; /* of the piece of time */
    uint64_t count;
};

struct seen_value {
    uint64_t hash;
    int64_t time_ns;
};

/* What follows the struct depends on the correlation: times, pieces, or values. */
struct group {
    struct slot slot;
    int64_t first_ns; /* of the running window; is_at_end only */
    uint64_t total;
    uint32_t used, next;
    bool is_open;
    struct sigma_hit last;
};

struct counting {
    const struct sigma_rule *rule;
    uint32_t capacity; /* times, pieces, values or parts in a group */
    struct slots groups;
    bool has_open; /* windows that end by themselves */
};

struct sigma_correlator {
    const struct sigma_rules *rules;
    struct sigma_sink sink;
    struct counting *counting; /* one for each rule; most are empty */
    size_t open;               /* of them those that have windows which end by themselves */
};

static bool is_exact(const struct sigma_correlation *c)
{
    return c->type == EVENT_COUNT && c->at_least <= EXACT_MAX;
}

static size_t group_size(const struct sigma_correlation *c, uint32_t *capacity)
{
    size_t each = sizeof(int64_t);
    *capacity = c->part_count;
    if (c->type == EVENT_COUNT && c->is_at_end) {
        *capacity = 0;
    } else if (c->type == EVENT_COUNT) {
        *capacity = is_exact(c) ? (uint32_t)c->at_least : PIECES;
        each = is_exact(c) ? sizeof(int64_t) : sizeof(struct piece);
    } else if (c->type == VALUE_COUNT) {
        uint64_t most = c->is_at_end && c->at_most < VALUES_MAX ? c->at_most + 1 : VALUES_MAX;
        *capacity = (uint32_t)(c->is_at_end ? most : c->at_least);
        each = sizeof(struct seen_value);
    }
    return sizeof(struct group) + *capacity * each;
}

static bool create_counting(struct counting *n, const struct sigma_rule *rule)
{
    size_t size = group_size(rule->correlation, &n->capacity);
    size_t groups = SIGMA_GROUPS_BYTES / size;
    n->rule = rule;
    return slots_create(&n->groups, groups < SIGMA_GROUPS_MAX ? groups : SIGMA_GROUPS_MAX, size);
}

struct sigma_correlator *sigma_correlator_create(const struct sigma_rules *rules,
                                                 const struct sigma_sink *sink)
{
    struct sigma_correlator *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->rules = rules;
    c->sink = *sink;
    c->counting = calloc(rules->count + 1, sizeof *c->counting);
    bool ok = c->counting != NULL;
    for (size_t i = 0; ok && i < rules->count; i++)
        if (rules->rules[i]->correlation && !rules->rules[i]->is_off)
            ok = create_counting(&c->counting[i], rules->rules[i]);
    if (!ok) {
        sigma_correlator_destroy(c);
        return NULL;
    }
    return c;
}

void sigma_correlator_destroy(struct sigma_correlator *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->counting && i < c->rules->count; i++)
        slots_destroy(&c->counting[i].groups);
    free(c->counting);
    free(c);
}

static void tell(struct sigma_correlator *c, const struct sigma_rule *rule,
                 const struct group *group, uint64_t count, int64_t time_ns)
{
    const struct sigma_hit *hit = &group->last;
    struct ot_flow flow = {.segment = hit->segment,
                           .transport = hit->transport,
                           .client = hit->actor,
                           .server = hit->target};
    static const struct endpoint nobody;
    struct violation at = {
        .flow = &flow, .protocol = hit->protocol, .time_ns = time_ns, .is_from_client = true};
    struct finding f;
    finding_of_violation(&f, DETECTION_RULE_MATCH, &at);
    if (!hit->has_actor && rule->correlation->group_count > 0)
        f.actor = nobody;
    f.has_target = hit->has_target;
    f.operation = hit->operation;
    f.packet_number = hit->packet_number;
    f.source_index = hit->source_index;
    sigma_finding_of_rule(&f, rule);
    if (address_equal(&f.actor.ip, &nobody.ip) && mac_equal(&f.actor.mac, &nobody.mac))
        text_format(f.what, sizeof f.what, "the rule \"%s\" was triggered%s", rule->title,
                    hit->has_target ? " at %T" : "");
    text_format(f.key, sizeof f.key, "%.60s %016" PRIx64, rule->id, hit->group);
    text_format(f.seen, sizeof f.seen, "%" PRIu64 " %s within %" PRId64 " seconds", count,
                rule->correlation->type == EVENT_COUNT   ? "events"
                : rule->correlation->type == VALUE_COUNT ? "different values"
                                                         : "kinds of event",
                rule->correlation->span_ns / INT64_C(1000000000));
    c->sink.finding(c->sink.context, &f);
}

static void clear(struct group *g)
{
    g->used = g->next = 0;
    g->total = 0;
    g->is_open = false;
}

/* Exactly: the times of the last `capacity` hits. */
static bool count_times(struct counting *n, struct group *g, const struct sigma_hit *hit)
{
    int64_t *times = (int64_t *)(void *)(g + 1);
    for (uint64_t i = 0; i < hit->count && i < n->capacity; i++) {
        times[g->next] = hit->time_ns;
        g->next = (g->next + 1) % n->capacity;
        if (g->used < n->capacity)
            g->used++;
    }
    g->total = g->used;
    int64_t oldest = times[g->used < n->capacity ? 0 : g->next];
    return g->used == n->capacity && hit->time_ns - oldest <= n->rule->correlation->span_ns;
}

/* About: the window moves on by a sixty-fourth. */
static bool count_pieces(struct counting *n, struct group *g, const struct sigma_hit *hit)
{
    const struct sigma_correlation *c = n->rule->correlation;
    struct piece *pieces = (struct piece *)(void *)(g + 1);
    int64_t number = hit->time_ns / (c->span_ns / PIECES + 1);
    struct piece *now = &pieces[(uint64_t)number % PIECES];
    if (g->used == 0)
        memset(pieces, 0, PIECES * sizeof *pieces);
    g->used = 1;
    if (now->number != number)
        *now = (struct piece){.number = number};
    now->count += hit->count;
    g->total = 0;
    for (int i = 0; i < PIECES; i++)
        if (pieces[i].number > number - PIECES && pieces[i].number <= number)
            g->total += pieces[i].count;
    return g->total >= c->at_least;
}

/* Each value with its last time; one that is too old makes room. */
static uint32_t note_value(struct counting *n, struct group *g, const struct sigma_hit *hit)
{
    struct seen_value *values = (struct seen_value *)(void *)(g + 1);
    int64_t span_ns = n->rule->correlation->span_ns;
    uint32_t kept = 0;
    bool is_known = false;
    for (uint32_t i = 0; i < g->used; i++) {
        bool is_same = values[i].hash == hit->value;
        if (!n->rule->correlation->is_at_end && !is_same &&
            hit->time_ns - values[i].time_ns > span_ns)
            continue;
        values[kept] = values[i];
        if (is_same)
            values[kept].time_ns = hit->time_ns;
        is_known |= is_same;
        kept++;
    }
    if (!is_known && kept < n->capacity)
        values[kept++] = (struct seen_value){hit->value, hit->time_ns};
    g->used = kept;
    g->total = kept;
    return kept;
}

/* times[i]: since when parts 0 to i have come in this order; the latest start counts. */
static bool order_parts(struct counting *n, struct group *g, const struct sigma_hit *hit)
{
    int64_t *times = (int64_t *)(void *)(g + 1);
    int64_t span_ns = n->rule->correlation->span_ns;
    bool is_ordered = n->rule->correlation->type == TEMPORAL_ORDERED;
    if (g->used == 0)
        for (uint32_t i = 0; i < n->capacity; i++)
            times[i] = INT64_MIN;
    g->used = n->capacity;
    g->total = n->capacity;
    if (!is_ordered) {
        times[hit->part] = hit->time_ns;
        for (uint32_t i = 0; i < n->capacity; i++)
            if (times[i] == INT64_MIN || hit->time_ns - times[i] > span_ns)
                return false;
        return true;
    }
    times[hit->part] = hit->part == 0 ? hit->time_ns : times[hit->part - 1];
    int64_t start = times[n->capacity - 1];
    return hit->part == n->capacity - 1u && start != INT64_MIN && hit->time_ns - start <= span_ns;
}

static bool count_hit(struct counting *n, struct group *g, const struct sigma_hit *hit)
{
    const struct sigma_correlation *c = n->rule->correlation;
    if (c->type == EVENT_COUNT && c->is_at_end) {
        g->total += hit->count;
        return false;
    }
    if (c->type == EVENT_COUNT)
        return is_exact(c) ? count_times(n, g, hit) : count_pieces(n, g, hit);
    if (c->type == VALUE_COUNT)
        return note_value(n, g, hit) >= c->at_least && !c->is_at_end;
    return order_parts(n, g, hit);
}

static void end_window(struct sigma_correlator *c, struct counting *n, struct group *g)
{
    const struct sigma_correlation *of = n->rule->correlation;
    if (g->total >= of->at_least && g->total <= of->at_most)
        tell(c, n->rule, g, g->total, g->last.time_ns);
    clear(g);
}

void sigma_correlator_hit(struct sigma_correlator *c, const struct sigma_hit *hit)
{
    if (hit->rules != c->rules || hit->correlation >= c->rules->count)
        return; /* from before a reload */
    struct counting *n = &c->counting[hit->correlation];
    if (!n->rule || (n->rule->correlation->type == VALUE_COUNT && !hit->has_value))
        return;
    bool is_new;
    struct group *g = slots_take(&n->groups, hit->group | 1, hit->time_ns, &is_new);
    if (is_new)
        clear(g);
    if (n->rule->correlation->is_at_end) {
        if (g->is_open && hit->time_ns - g->first_ns > n->rule->correlation->span_ns)
            end_window(c, n, g);
        if (!g->is_open)
            g->first_ns = hit->time_ns;
        g->is_open = true;
        c->open += !n->has_open;
        n->has_open = true;
    }
    g->last = *hit;
    if (count_hit(n, g, hit)) {
        tell(c, n->rule, g, g->total, hit->time_ns);
        clear(g);
    }
}

static void close_windows(struct sigma_correlator *c, struct counting *n, int64_t time_ns)
{
    n->has_open = false;
    c->open--;
    for (size_t i = 0; i < n->groups.capacity; i++) {
        struct group *g = slots_at(&n->groups, i);
        if (g->slot.key == 0 || !g->is_open)
            continue;
        if (time_ns - g->first_ns > n->rule->correlation->span_ns)
            end_window(c, n, g);
        else
            n->has_open = true;
    }
    c->open += n->has_open;
}

void sigma_correlator_tick(struct sigma_correlator *c, int64_t time_ns)
{
    for (size_t i = 0; i < c->rules->count && c->open; i++)
        if (c->counting[i].rule && c->counting[i].has_open)
            close_windows(c, &c->counting[i], time_ns);
}
