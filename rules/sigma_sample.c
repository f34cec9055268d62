/* sigma_sample.c: the `tests:` inside a rule's file: sample events that must or must not match.
 *
 *   tests:
 *       - shows: a write from outside
 *         match: true
 *         event: {source.ip: 192.168.1.5, network.protocol: modbus, ot.operation: write}
 *       - shows: twenty within a minute
 *         match: true
 *         events:
 *             - {source.ip: 10.0.0.5, ot.operation: write, repeat: 20, after: 1s}
 *
 * Maps may be nested as in event lines; ot.items is a list of maps. */
#include "rules/sigma_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    TESTS_MAX = 200,
    SAMPLES_MAX = 200, /* of a test */
    DEPTH_MAX = 6,
    VALUES_MAX = 512, /* of a sample */
    REPEAT_MAX = 10000,
    NAME_SIZE = 128,
};
#define SECOND_NS INT64_C(1000000000)

static const int64_t START_NS = 1500000000 * SECOND_NS;
static const int64_t YEARS_NS = 3 * 366 * 86400 * SECOND_NS;

/* --- reading --- */

struct reading {
    struct sigma_file *file;
    struct sigma_sample *sample;
    enum sigma_kind kind;
};

static bool put_value(struct reading *r, const yaml_node_t *node, enum sigma_field field,
                      int32_t item)
{
    struct sigma_sample *s = r->sample;
    struct sigma_sample_value *v = &s->values[s->count];
    if (node->type != YAML_SCALAR_NODE)
        return sigma_fail(r->file, node, "tests", "a value must be a text or a number");
    if (s->count == VALUES_MAX)
        return sigma_fail(r->file, node, "tests", "a sample has more than 512 values");
    char *text = sigma_keep_text(r->file->rules, sigma_yaml_text(node));
    if (!text)
        return error_set(r->file->err, "out of memory");
    enum field_type type = sigma_field_type(field);
    struct sigma_value *value = &v->value;
    *v = (struct sigma_sample_value){.field = field, .item = item};
    char *end;
    double number = strtod(text, &end);
    bool is_number = *text && !*end;
    bool is_bool = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    if (type == TYPE_ADDRESS && !address_parse(&v->address, text))
        return sigma_fail(r->file, node, "tests", "`%s` is not an IP address", text);
    if (type == TYPE_MAC && !mac_parse(&v->mac, text))
        return sigma_fail(r->file, node, "tests", "`%s` is not a MAC address", text);
    if (type == TYPE_NUMBER && !is_number)
        return sigma_fail(r->file, node, "tests", "`%s` is not a number", text);
    value->number = number;
    value->text = text_of(text);
    value->kind = type == TYPE_ADDRESS                             ? VALUE_ADDRESS
                  : type == TYPE_MAC                               ? VALUE_MAC
                  : type == TYPE_NUMBER                            ? VALUE_NUMBER
                  : type == TYPE_ANY && sigma_yaml_is_quoted(node) ? VALUE_TEXT
                  : type == TYPE_ANY && is_number                  ? VALUE_NUMBER
                  : type == TYPE_ANY && is_bool                    ? VALUE_BOOL
                                                                   : VALUE_TEXT;
    if (value->kind == VALUE_BOOL)
        value->number = strcmp(text, "true") == 0;
    s->count++;
    return true;
}

static bool take_special(struct reading *r, const yaml_node_t *node, struct text name, bool *taken)
{
    struct sigma_sample *s = r->sample;
    *taken = true;
    if (node->type == YAML_SCALAR_NODE && text_equal(name, TEXT("repeat"))) {
        s->repeat = strtoull((const char *)node->data.scalar.value, NULL, 10);
        return (s->repeat > 0 && s->repeat <= REPEAT_MAX) ||
               sigma_fail(r->file, node, "tests.repeat", "must be 1 to 10000");
    }
    if (node->type == YAML_SCALAR_NODE && text_equal(name, TEXT("after")))
        return sigma_timespan(&s->after_ns, sigma_yaml_text(node)) ||
               sigma_fail(r->file, node, "tests.after", "must be a time such as 10s or 5m");
    *taken = false;
    return true;
}

static bool read_map(struct reading *r, const yaml_node_t *map, const char *prefix, int32_t item,
                     unsigned depth);

static bool read_items(struct reading *r, const yaml_node_t *list, unsigned depth)
{
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
         i++) {
        const yaml_node_t *node = sigma_yaml_node(r->file, *i, "tests");
        if (!node)
            return false;
        if (node->type != YAML_MAPPING_NODE)
            return sigma_fail(r->file, node, "tests", "ot.items is a list of maps");
        if (!read_map(r, node, "ot.items", r->sample->items++, depth + 1))
            return false;
    }
    return true;
}

static bool read_entry(struct reading *r, const yaml_node_t *node, const yaml_node_t *at,
                       const char *name, int32_t item, unsigned depth)
{
    enum sigma_field field;
    if (node->type == YAML_SEQUENCE_NODE && strcmp(name, "ot.items") == 0)
        return read_items(r, node, depth);
    if (node->type == YAML_MAPPING_NODE)
        return read_map(r, node, name, item, depth + 1);
    if (!sigma_field_parse(&field, text_of(name)))
        return sigma_fail(r->file, at, "tests", "there is no field `%s`", name);
    if (!(sigma_field_where(field) >> r->kind & 1))
        return sigma_fail(r->file, at, "tests",
                          "the field `%s` is not there in this kind of sample", name);
    if (!sigma_field_is_item(field))
        item = NO_ITEM;
    else if (item == NO_ITEM) { /* ot.items.start: ... without a list: the first item */
        item = 0;
        r->sample->items = 1;
    }
    if (node->type != YAML_SEQUENCE_NODE)
        return put_value(r, node, field, item);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
         i++) {
        const yaml_node_t *value = sigma_yaml_node(r->file, *i, "tests");
        if (!value || !put_value(r, value, field, item))
            return false;
    }
    return true;
}

static bool read_map(struct reading *r, const yaml_node_t *map, const char *prefix, int32_t item,
                     unsigned depth)
{
    if (depth > DEPTH_MAX)
        return sigma_fail(r->file, map, "tests", "is nested too deeply");
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        char name[NAME_SIZE], last[NAME_SIZE];
        bool is_taken = false;
        const yaml_node_t *key = sigma_yaml_node(r->file, p->key, "tests");
        const yaml_node_t *value = key ? sigma_yaml_node(r->file, p->value, "tests") : NULL;
        if (!value)
            return false;
        if (key->type != YAML_SCALAR_NODE)
            return sigma_fail(r->file, key, "tests", "a field's name must be a text");
        if (!*prefix && !take_special(r, value, sigma_yaml_text(key), &is_taken))
            return false;
        text_copy(last, sizeof last, sigma_yaml_text(key));
        text_format(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", last);
        if (!is_taken && !read_entry(r, value, key, name, item, depth))
            return false;
    }
    return true;
}

static bool read_sample(struct sigma_file *f, const yaml_node_t *node, enum sigma_kind kind,
                        struct sigma_sample *sample)
{
    struct sigma_sample_value *values = calloc(VALUES_MAX, sizeof *values);
    struct reading r = {f, sample, kind};
    if (!values)
        return error_set(f->err, "out of memory");
    *sample = (struct sigma_sample){.values = values, .repeat = 1};
    bool ok = node->type == YAML_MAPPING_NODE
                  ? read_map(&r, node, "", NO_ITEM, 0)
                  : sigma_fail(f, node, "tests", "a sample must be a map");
    if (ok) { /* keep what was used */
        sample->values = sigma_keep(f->rules, sample->count * sizeof *values);
        ok = sample->values != NULL || error_set(f->err, "out of memory");
    }
    if (ok)
        memcpy(sample->values, values, sample->count * sizeof *values);
    free(values);
    return ok;
}

static bool read_samples(struct sigma_file *f, const yaml_node_t *node, enum sigma_kind kind,
                         struct sigma_test *test)
{
    bool is_list = node->type == YAML_SEQUENCE_NODE;
    size_t count =
        is_list ? (size_t)(node->data.sequence.items.top - node->data.sequence.items.start) : 1;
    if (count == 0 || count > SAMPLES_MAX)
        return sigma_fail(f, node, "tests", "must have 1 to %d samples", SAMPLES_MAX);
    struct sigma_sample *samples = sigma_keep(f->rules, count * sizeof *samples);
    if (!samples)
        return error_set(f->err, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *one =
            is_list ? sigma_yaml_node(f, node->data.sequence.items.start[i], "tests") : node;
        if (!one || !read_sample(f, one, kind, &samples[i]))
            return false;
    }
    test->samples = samples;
    test->count = count;
    return true;
}

static bool read_test(struct sigma_file *f, const yaml_node_t *node, const struct sigma_rule *rule,
                      struct sigma_test *test)
{
    bool has_match = false;
    if (node->type != YAML_MAPPING_NODE)
        return sigma_fail(f, node, "tests", "a test must be a map");
    test->line = node->start_mark.line + 1;
    test->shows = "";
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = sigma_yaml_node(f, p->key, "tests");
        const yaml_node_t *value = key ? sigma_yaml_node(f, p->value, "tests") : NULL;
        if (!value)
            return false;
        struct text name = key->type == YAML_SCALAR_NODE ? sigma_yaml_text(key) : TEXT("");
        bool is_text = value->type == YAML_SCALAR_NODE, ok = true;
        if (text_equal(name, TEXT("shows")) && is_text) {
            test->shows = sigma_keep_text(f->rules, sigma_yaml_text(value));
            ok = test->shows != NULL || error_set(f->err, "out of memory");
        } else if (text_equal(name, TEXT("match")) && is_text) {
            test->is_matching = text_equal(sigma_yaml_text(value), TEXT("true"));
            has_match = test->is_matching || text_equal(sigma_yaml_text(value), TEXT("false"));
        } else if (text_equal(name, TEXT("event")) || text_equal(name, TEXT("events"))) {
            ok = read_samples(f, value, rule->kind, test);
        } else {
            return sigma_fail(f, key, "tests", "a test has shows, match and event or events");
        }
        if (!ok)
            return false;
    }
    if (!has_match || test->count == 0)
        return sigma_fail(f, node, "tests", "a test needs match: true or false, and an event");
    return true;
}

bool sigma_read_tests(struct sigma_file *f, const yaml_node_t *node, struct sigma_rule *rule)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return sigma_fail(f, node, "tests", "must be a list");
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (count > TESTS_MAX)
        return sigma_fail(f, node, "tests", "has more than %d tests", TESTS_MAX);
    struct sigma_test *tests = sigma_keep(f->rules, count * sizeof *tests);
    if (!tests)
        return error_set(f->err, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *one = sigma_yaml_node(f, node->data.sequence.items.start[i], "tests");
        if (!one || !read_test(f, one, rule, &tests[i]))
            return false;
    }
    rule->tests = tests;
    rule->test_count = count;
    return true;
}

/* --- running --- */

struct trial {
    const struct sigma_rule *rule;
    struct sigma_correlator *correlator;
    size_t told;
};

static void on_finding(void *context, const struct finding *f)
{
    struct trial *t = context;
    t->told += strcmp(f->rule_id, t->rule->id) == 0;
}

static void on_hit(void *context, const struct sigma_hit *hit)
{
    struct trial *t = context;
    sigma_correlator_hit(t->correlator, hit);
}

/* The samples one after the other; of a correlation a second between them unless they say more. */
static bool is_told(const struct sigma_rules *rules, const struct sigma_rule *rule,
                    const struct sigma_test *test)
{
    struct trial trial = {.rule = rule};
    struct sigma_sink sink = {&trial, on_finding, on_hit};
    struct sigma *s = sigma_create(rules, &sink);
    int64_t now_ns = START_NS;
    bool is_part_told = false;
    trial.correlator = sigma_correlator_create(rules, &sink);
    for (size_t i = 0; s && trial.correlator && i < test->count; i++) {
        const struct sigma_sample *sample = &test->samples[i];
        for (uint64_t k = 0; k < sample->repeat; k++) {
            now_ns += sample->after_ns ? sample->after_ns : SECOND_NS;
            struct sigma_record r = {
                .kind = rule->kind, .sample = sample, .time_ns = now_ns, .item = NO_ITEM};
            sigma_correlator_tick(trial.correlator, now_ns);
            if (!rule->correlation && (rule->is_part || rule->is_off))
                is_part_told |= sigma_rule_matches(s, rule, &r);
            else
                sigma_record_judge(s, &r, 1);
        }
    }
    if (trial.correlator)
        sigma_correlator_tick(trial.correlator, now_ns + YEARS_NS); /* windows end */
    sigma_correlator_destroy(trial.correlator);
    sigma_destroy(s);
    return trial.told > 0 || is_part_told;
}

size_t sigma_rules_test(const struct sigma_rules *rules,
                        void (*failed)(void *context, const struct sigma_summary *rule, size_t line,
                                       const char *shows, bool is_matching),
                        void *context)
{
    size_t run = 0;
    for (size_t i = 0; i < rules->count; i++) {
        const struct sigma_rule *rule = rules->rules[i];
        for (size_t k = 0; k < rule->test_count && !(rule->is_off && rule->correlation); k++) {
            const struct sigma_test *test = &rule->tests[k];
            struct sigma_summary summary;
            run++;
            if (is_told(rules, rule, test) == test->is_matching)
                continue;
            sigma_rules_summary(rules, i, &summary);
            failed(context, &summary, test->line, test->shows, test->is_matching);
        }
    }
    return run;
}
