/* sigma_yaml.c: rule files: one YAML document a rule. Every error names file, line and key. */
#include "rules/sigma_internal.h"

#include "sensor/base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    NODES_MAX = 20000, /* of a document, counting what aliases repeat */
    VALUES_MAX = 5000, /* of a field */
    SEARCHES_MAX = 256,
    TERMS_MAX = 1024, /* fields of a map, maps of a list */
    DOCUMENTS_MAX = 1000,
    KEY_SIZE = 200,
};

/* --- helpers, for the other readers too --- */

bool sigma_fail(struct sigma_file *f, const yaml_node_t *node, const char *key, const char *format,
                ...)
{
    char what[300], where[KEY_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    text_copy(where, sizeof where, text_of(key));
    return error_set(f->err, "%s:%zu: key `%s`: %s", f->name, node->start_mark.line + 1, where,
                     what);
}

const yaml_node_t *sigma_yaml_node(struct sigma_file *f, int index, const char *key)
{
    const yaml_node_t *node = yaml_document_get_node(f->document, index);
    if (!node)
        return NULL;
    if (++f->nodes > NODES_MAX) {
        sigma_fail(f, node, key, "the rule has more than %d values", NODES_MAX);
        return NULL;
    }
    return node;
}

struct text sigma_yaml_text(const yaml_node_t *node)
{
    return (struct text){(const char *)node->data.scalar.value, node->data.scalar.length};
}

bool sigma_yaml_is_quoted(const yaml_node_t *node)
{
    return node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

bool sigma_yaml_is_null(const yaml_node_t *node)
{
    return !sigma_yaml_is_quoted(node) && sigma_is_null(sigma_yaml_text(node));
}

bool sigma_timespan(int64_t *ns, struct text text)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {
        {'s', 1    },
        {'m', 60   },
        {'h', 3600 },
        {'d', 86400}
    };
    int64_t number = 0;
    size_t i = 0;
    for (; i < text.size && text.at[i] >= '0' && text.at[i] <= '9' && number < 1000000; i++)
        number = 10 * number + (text.at[i] - '0');
    if (i == 0 || i + 1 != text.size || number == 0)
        return false;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        if (text.at[i] == units[k].unit) {
            int64_t seconds = number * units[k].seconds;
            *ns = seconds * INT64_C(1000000000);
            return seconds <= 366 * 86400;
        }
    }
    return false;
}

/* --- searches --- */

/* "ot.operation|contains|all": the field and its modifiers. */
static bool read_field(struct sigma_file *f, const yaml_node_t *node, const char *key,
                       struct text name, enum sigma_field *field, struct sigma_modifiers *m)
{
    const char *bar = memchr(name.size ? name.at : "", '|', name.size);
    struct text base = {name.at, bar ? (size_t)(bar - name.at) : name.size};
    struct text modifiers = {NULL, 0}, bad = {NULL, 0};
    const char *why;
    char shown[64];
    if (bar)
        modifiers = (struct text){bar + 1, name.size - base.size - 1};
    if (!sigma_modifiers_parse(m, modifiers, &bad, &why))
        return sigma_fail(f, node, key, "modifier `%s` %s", text_copy(shown, sizeof shown, bad),
                          why);
    if (base.size == 0) {
        *field = FIELD_NONE;
        return true;
    }
    if (!sigma_field_parse(field, base))
        return sigma_fail(f, node, key, "there is no field `%s`",
                          text_copy(shown, sizeof shown, base));
    if (!(sigma_field_where(*field) & f->where))
        return sigma_fail(f, node, key,
                          "the field `%s` is not there in what the logsource and the other fields "
                          "choose",
                          text_copy(shown, sizeof shown, base));
    f->where &= sigma_field_where(*field);
    return true;
}

static bool read_value(struct sigma_file *f, const yaml_node_t *node, const char *key,
                       const struct sigma_modifiers *m, struct sigma_matcher *matcher)
{
    if (node->type != YAML_SCALAR_NODE)
        return sigma_fail(f, node, key, "a value must be a text or a number");
    bool is_quoted = sigma_yaml_is_quoted(node);
    const char *fault =
        sigma_matcher_compile(f->rules, matcher, m, sigma_yaml_text(node), is_quoted);
    char shown[64];
    if (fault)
        return sigma_fail(f, node, key, "`%s` %s",
                          text_copy(shown, sizeof shown, sigma_yaml_text(node)), fault);
    return true;
}

static uint32_t cost_of(const struct sigma_node *node)
{
    uint32_t each = node->field == FIELD_NONE    ? 200
                    : node->field == FIELD_CODE  ? 20
                    : node->field >= FIELD_FACTS ? 10
                                                 : 2;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < node->count; i++)
        sum += node->matchers[i].op == MATCH_RE     ? 10 * each + 40
               : node->matchers[i].op == MATCH_GLOB ? 2 * each + 10
                                                    : each;
    return sum;
}

static struct sigma_node *test_node(struct sigma_file *f, enum sigma_field field,
                                    const struct sigma_modifiers *m, struct sigma_matcher *matchers,
                                    size_t count)
{
    struct sigma_node *node = sigma_keep(f->rules, sizeof *node);
    if (!node)
        return NULL;
    node->kind = NODE_TEST;
    node->field = field;
    node->matchers = matchers;
    node->count = (uint32_t)count;
    node->is_all = m->is_all;
    node->is_not = m->is_not;
    node->cost = cost_of(node);
    return node;
}

static size_t list_size(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

/* field: value, or field: [values]. Keywords are found anywhere in a field. */
static struct sigma_node *read_test(struct sigma_file *f, const yaml_node_t *value, const char *key,
                                    struct text name, const yaml_node_t *at)
{
    enum sigma_field field;
    struct sigma_modifiers m;
    if (!read_field(f, at, key, name, &field, &m))
        return NULL;
    bool is_list = value->type == YAML_SEQUENCE_NODE;
    size_t count = is_list ? list_size(value) : 1;
    if (field == FIELD_NONE && m.op == MATCH_EQUAL)
        m.op = MATCH_CONTAINS;
    if (count == 0 || count > VALUES_MAX) {
        sigma_fail(f, value, key, count ? "has more than 5000 values" : "has no values");
        return NULL;
    }
    if (m.is_all && count == 1) {
        sigma_fail(f, value, key, "modifier `all` needs a list of several values");
        return NULL;
    }
    struct sigma_matcher *matchers = sigma_keep(f->rules, count * sizeof *matchers);
    for (size_t i = 0; matchers && i < count; i++) {
        const yaml_node_t *item =
            is_list ? sigma_yaml_node(f, value->data.sequence.items.start[i], key) : value;
        if (!item || !read_value(f, item, key, &m, &matchers[i]))
            return NULL;
    }
    return matchers ? test_node(f, field, &m, matchers, count) : NULL;
}

/* The fields of one of ot.items belong to the same item. */
static struct sigma_node *join_map(struct sigma_file *f, struct sigma_node **tests, size_t count)
{
    struct sigma_node *of_item[TERMS_MAX], *rest[TERMS_MAX + 1];
    size_t items = 0, others = 0;
    for (size_t i = 0; i < count; i++) {
        if (tests[i]->field != FIELD_NONE && sigma_field_is_item(tests[i]->field))
            of_item[items++] = tests[i];
        else
            rest[others++] = tests[i];
    }
    if (items > 0) {
        struct sigma_node *joined = sigma_node_group(f->rules, NODE_ITEM, of_item, items);
        if (!joined)
            return NULL;
        joined->cost *= 4;
        rest[others++] = joined;
    }
    return others == 1 ? rest[0] : sigma_node_group(f->rules, NODE_ALL, rest, others);
}

static struct sigma_node *read_map(struct sigma_file *f, const yaml_node_t *node, const char *name)
{
    struct sigma_node *tests[TERMS_MAX];
    size_t count = 0;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        char path[KEY_SIZE], field[100];
        const yaml_node_t *key = sigma_yaml_node(f, p->key, name);
        const yaml_node_t *value = key ? sigma_yaml_node(f, p->value, name) : NULL;
        if (!value)
            return NULL;
        if (key->type != YAML_SCALAR_NODE || count == TERMS_MAX) {
            sigma_fail(f, key, name, "is not a map of at most 1024 fields");
            return NULL;
        }
        text_copy(field, sizeof field, sigma_yaml_text(key));
        text_format(path, sizeof path, "%s.%s", name, field);
        if (value->type == YAML_MAPPING_NODE) {
            sigma_fail(f, value, path, "a value must be a text, a number or a list of them");
            return NULL;
        }
        tests[count] = read_test(f, value, path, sigma_yaml_text(key), key);
        if (!tests[count++])
            return NULL;
    }
    if (count == 0) {
        sigma_fail(f, node, name, "is an empty map");
        return NULL;
    }
    return join_map(f, tests, count);
}

/* A list of maps, of keywords, or of both: any of them. */
static struct sigma_node *read_list(struct sigma_file *f, const yaml_node_t *node, const char *name)
{
    struct sigma_node *terms[TERMS_MAX];
    size_t count = list_size(node);
    if (count == 0 || count > TERMS_MAX) {
        sigma_fail(f, node, name, count ? "has more than 1024 items" : "is an empty list");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = sigma_yaml_node(f, node->data.sequence.items.start[i], name);
        if (!item)
            return NULL;
        if (item->type == YAML_SEQUENCE_NODE) {
            sigma_fail(f, item, name, "a list cannot be in a list");
            return NULL;
        }
        terms[i] = item->type == YAML_MAPPING_NODE
                       ? read_map(f, item, name)
                       : read_test(f, item, name, (struct text){NULL, 0}, item);
        if (!terms[i])
            return NULL;
    }
    return count == 1 ? terms[0] : sigma_node_group(f->rules, NODE_ANY, terms, count);
}

struct sigma_node *sigma_read_search(struct sigma_file *f, const yaml_node_t *node,
                                     const char *name)
{
    if (node->type == YAML_MAPPING_NODE)
        return read_map(f, node, name);
    if (node->type == YAML_SEQUENCE_NODE)
        return read_list(f, node, name);
    return read_test(f, node, name, (struct text){NULL, 0}, node); /* one keyword */
}

/* --- the parts of a rule --- */

static const yaml_node_t *find(struct sigma_file *f, const yaml_node_t *map, const char *name)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = yaml_document_get_node(f->document, p->key);
        if (key && key->type == YAML_SCALAR_NODE && text_equal(sigma_yaml_text(key), text_of(name)))
            return yaml_document_get_node(f->document, p->value);
    }
    return NULL;
}

static bool read_condition(struct sigma_file *f, const yaml_node_t *node,
                           const struct sigma_search *searches, size_t count,
                           struct sigma_node **root)
{
    struct error why = {""};
    if (node->type != YAML_SCALAR_NODE)
        return sigma_fail(f, node, "detection.condition", "must be a text or a list of texts");
    *root = sigma_condition(f->rules, searches, count, sigma_yaml_text(node), &why);
    return *root || sigma_fail(f, node, "detection.condition", "%s", why.text);
}

static bool read_conditions(struct sigma_file *f, const yaml_node_t *node,
                            const struct sigma_search *searches, size_t count,
                            struct sigma_node **root)
{
    struct sigma_node *terms[64];
    if (node->type != YAML_SEQUENCE_NODE)
        return read_condition(f, node, searches, count, root);
    size_t size = list_size(node);
    if (size == 0 || size > sizeof terms / sizeof *terms)
        return sigma_fail(f, node, "detection.condition", "must have 1 to 64 conditions");
    for (size_t i = 0; i < size; i++) {
        const yaml_node_t *item =
            sigma_yaml_node(f, node->data.sequence.items.start[i], "detection.condition");
        if (!item || !read_condition(f, item, searches, count, &terms[i]))
            return false;
    }
    *root = sigma_node_group(f->rules, NODE_ANY, terms, size);
    return *root || error_set(f->err, "out of memory");
}

static bool read_detection(struct sigma_file *f, const yaml_node_t *node, struct sigma_node **root)
{
    struct sigma_search searches[SEARCHES_MAX];
    size_t count = 0;
    const yaml_node_t *condition = NULL;
    if (node->type != YAML_MAPPING_NODE)
        return sigma_fail(f, node, "detection", "must be a map");
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        char path[KEY_SIZE], name[100];
        const yaml_node_t *key = sigma_yaml_node(f, p->key, "detection");
        const yaml_node_t *value = key ? sigma_yaml_node(f, p->value, "detection") : NULL;
        if (!value)
            return false;
        if (key->type != YAML_SCALAR_NODE || count == SEARCHES_MAX)
            return sigma_fail(f, key, "detection", "is not a map of at most 256 names");
        struct text text = sigma_yaml_text(key);
        if (text_equal(text, TEXT("condition"))) {
            condition = value;
            continue;
        }
        text_copy(name, sizeof name, text);
        if (text_equal(text, TEXT("timeframe")))
            return sigma_fail(f, key, "detection.timeframe",
                              "belongs to counting in conditions, which is obsolete (write a "
                              "correlation)");
        text_format(path, sizeof path, "detection.%s", name);
        searches[count].name = text;
        searches[count].node = sigma_read_search(f, value, path);
        if (!searches[count++].node)
            return f->err->text[0] ? false : error_set(f->err, "out of memory");
    }
    if (!condition)
        return sigma_fail(f, node, "detection", "has no condition");
    return read_conditions(f, condition, searches, count, root);
}

/* --- logsource --- */

static const struct source_row {
    const char *key, *value;
    unsigned where;
} source_rows[] = {
    {"service",  "event",              EVENTS                   },
    {"service",  "flow",               FLOWS                    },
    {"service",  "conn",               FLOWS                    },
    {"service",  "finding",            FINDINGS                 },
    {"category", "ot",                 EVENTS                   },
    {"category", "ics",                EVENTS                   },
    {"category", "network_connection", FLOWS                    },
    {"category", "firewall",           FLOWS                    },
    {"category", "alert",              FINDINGS                 },
    {"category", "network",            EVENTS | FLOWS | FINDINGS},
    {"category", "network_traffic",    EVENTS | FLOWS | FINDINGS},
    {"product",  "sightglass",         EVENTS | FLOWS | FINDINGS},
    {"product",  "zeek",               EVENTS | FLOWS           },
};

static unsigned where_of_source(const char *key, struct text value)
{
    for (size_t i = 0; i < sizeof source_rows / sizeof *source_rows; i++)
        if (strcmp(source_rows[i].key, key) == 0 &&
            text_equal(value, text_of(source_rows[i].value)))
            return source_rows[i].where;
    return 0;
}

/* *protocol: the service is the name of a protocol, whose events the rule is about. */
static bool read_source(struct sigma_file *f, const yaml_node_t *node, unsigned *where,
                        struct text *protocol)
{
    static const char *const keys[] = {"product", "category", "service"};
    *where = EVENTS | FLOWS | FINDINGS;
    *protocol = (struct text){NULL, 0};
    bool is_named = false;
    if (node->type != YAML_MAPPING_NODE)
        return sigma_fail(f, node, "logsource", "must be a map");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char path[32], shown[64];
        const yaml_node_t *value = find(f, node, keys[i]);
        if (!value)
            continue;
        text_format(path, sizeof path, "logsource.%s", keys[i]);
        if (value->type != YAML_SCALAR_NODE)
            return sigma_fail(f, value, path, "must be a name");
        struct text text = sigma_yaml_text(value);
        unsigned found = where_of_source(keys[i], text);
        if (!found && strcmp(keys[i], "service") == 0 && text.size > 0 && text.size < 24) {
            *protocol = text;
            found = EVENTS;
        }
        if (!found || !(*where & found))
            return sigma_fail(f, value, path, "`%s` is nothing that this sensor sees%s",
                              text_copy(shown, sizeof shown, text),
                              found ? " together with the other keys" : "");
        *where &= found;
        is_named = true;
    }
    return is_named || sigma_fail(f, node, "logsource", "names no product, category or service");
}

/* When the logsource leaves it open: the fields tell; what both have is an event's, unless it is
 * about networks. */
static enum sigma_kind kind_of(unsigned where, bool is_network)
{
    if (is_network && (where & FLOWS))
        return SIGMA_FLOW;
    return where & EVENTS ? SIGMA_EVENT : where & FLOWS ? SIGMA_FLOW : SIGMA_FINDING;
}

static bool names_field(const struct sigma_node *node, enum sigma_field field)
{
    if (node->kind == NODE_TEST)
        return node->field == field;
    for (uint32_t i = 0; i < node->count; i++)
        if (names_field(node->children[i], field))
            return true;
    return false;
}

static unsigned moments_of(const struct sigma_node *root)
{
    if (names_field(root, FIELD_ACTION))
        return (1u << SIGMA_MOMENTS) - 1;
    return names_field(root, FIELD_PROTOCOL) ? 1u << SIGMA_RECOGNISED : 1u << SIGMA_STARTED;
}

static bool require_protocol(struct sigma_file *f, struct sigma_rule *rule, struct text protocol)
{
    struct sigma_modifiers m = {.op = MATCH_EQUAL};
    struct sigma_matcher *matcher = sigma_keep(f->rules, sizeof *matcher);
    struct sigma_node *pair[2] = {rule->root, NULL};
    if (!matcher || sigma_matcher_compile(f->rules, matcher, &m, protocol, true))
        return error_set(f->err, "out of memory");
    pair[1] = test_node(f, FIELD_PROTOCOL, &m, matcher, 1);
    rule->root = pair[1] ? sigma_node_group(f->rules, NODE_ALL, pair, 2) : NULL;
    return rule->root || error_set(f->err, "out of memory");
}

static bool read_search_rule(struct sigma_file *f, const yaml_node_t *source,
                             const yaml_node_t *detection, struct sigma_rule *rule)
{
    unsigned where;
    struct text protocol;
    if (!read_source(f, source, &where, &protocol))
        return false;
    const yaml_node_t *category = find(f, source, "category");
    bool is_network = category && category->type == YAML_SCALAR_NODE &&
                      text_equal(sigma_yaml_text(category), TEXT("network"));
    f->where = where;
    if (!read_detection(f, detection, &rule->root))
        return false;
    rule->kind = kind_of(f->where, is_network);
    rule->moments = moments_of(rule->root);
    return protocol.size == 0 || require_protocol(f, rule, protocol);
}

/* --- what a rule says of itself --- */

static bool read_text(struct sigma_file *f, const yaml_node_t *map, const char *key, size_t most,
                      const char **text)
{
    const yaml_node_t *node = find(f, map, key);
    *text = "";
    if (!node)
        return true;
    if (node->type != YAML_SCALAR_NODE)
        return sigma_fail(f, node, key, "must be a text");
    char *copy = sigma_keep(f->rules, most);
    if (!copy)
        return error_set(f->err, "out of memory");
    *text = text_copy(copy, most, sigma_yaml_text(node));
    return true;
}

static bool read_level(struct sigma_file *f, const yaml_node_t *map, struct sigma_rule *rule)
{
    static const char *const names[] = {"informational", "low", "medium", "high", "critical"};
    const yaml_node_t *node = find(f, map, "level");
    rule->level = SEVERITY_MEDIUM;
    rule->level_name = names[SEVERITY_MEDIUM];
    if (!node)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (node->type == YAML_SCALAR_NODE &&
            text_equal(sigma_yaml_text(node), text_of(names[i]))) {
            rule->level = (enum severity)i;
            rule->level_name = names[i];
            return true;
        }
    }
    return sigma_fail(f, node, "level", "must be informational, low, medium, high or critical");
}

/* attack.t0855 is a technique; other tags say nothing to us. */
static void add_tag(struct sigma_rule *rule, struct text tag)
{
    char id[8];
    size_t used = strlen(rule->techniques);
    if (tag.size < 12 || strncasecmp(tag.at, "attack.t", 8) != 0)
        return;
    text_format(id, sizeof id, "T%.4s", tag.at + 8);
    if (technique_find(id) && !strstr(rule->techniques, id))
        text_format(rule->techniques + used, sizeof rule->techniques - used, "%s%s",
                    used ? " " : "", id);
}

static bool read_tags(struct sigma_file *f, const yaml_node_t *map, struct sigma_rule *rule)
{
    const yaml_node_t *node = find(f, map, "tags");
    if (!node)
        return true;
    if (node->type != YAML_SEQUENCE_NODE)
        return sigma_fail(f, node, "tags", "must be a list");
    for (size_t i = 0; i < list_size(node); i++) {
        const yaml_node_t *tag = sigma_yaml_node(f, node->data.sequence.items.start[i], "tags");
        if (!tag)
            return false;
        if (tag->type != YAML_SCALAR_NODE)
            return sigma_fail(f, tag, "tags", "must be a list of texts");
        char text[64]; /* terminated */
        text_copy(text, sizeof text, sigma_yaml_text(tag));
        add_tag(rule, text_of(text));
    }
    return true;
}

static bool read_head(struct sigma_file *f, const yaml_node_t *map, struct sigma_rule *rule)
{
    rule->line = map->start_mark.line + 1;
    rule->file = f->name;
    rule->fingerprint = f->fingerprint;
    if (!read_text(f, map, "title", SIGMA_TITLE, &rule->title) ||
        !read_text(f, map, "id", SIGMA_ID, &rule->id) ||
        !read_text(f, map, "name", SIGMA_ID, &rule->name) || !read_level(f, map, rule) ||
        !read_tags(f, map, rule))
        return false;
    if (!rule->title[0])
        return sigma_fail(f, map, "title", "is missing");
    if (!rule->id[0]) /* findings need one */
        rule->id = rule->name[0] ? rule->name : rule->title;
    return true;
}

static bool put_rule(struct sigma_file *f, const yaml_node_t *map, struct sigma_rule *rule)
{
    struct sigma_rules *rules = f->rules;
    for (size_t i = 0; i < rules->count; i++) {
        if (strcasecmp(rules->rules[i]->id, rule->id) != 0)
            continue;
        if (rules->rules[i]->file == rule->file)
            return sigma_fail(f, map, "id", "the file has another rule with this id");
        rules->rules[i] = rule;
        return true;
    }
    if (rules->count == SIGMA_RULES_MAX)
        return sigma_fail(f, map, "title", "is one rule more than %d", SIGMA_RULES_MAX);
    rules->rules[rules->count++] = rule;
    return true;
}

static bool read_document(struct sigma_file *f)
{
    const yaml_node_t *map = yaml_document_get_root_node(f->document);
    struct sigma_rule *rule = sigma_keep(f->rules, sizeof *rule);
    if (!rule)
        return error_set(f->err, "out of memory");
    if (map->type != YAML_MAPPING_NODE)
        return sigma_fail(f, map, "", "a rule must be a map");
    const yaml_node_t *correlation = find(f, map, "correlation"),
                      *source = find(f, map, "logsource"), *detection = find(f, map, "detection"),
                      *tests = find(f, map, "tests");
    f->nodes = 0;
    if (find(f, map, "action"))
        return sigma_fail(f, map, "action", "documents that change others are obsolete");
    if (!read_head(f, map, rule))
        return false;
    if (!correlation && !source)
        return sigma_fail(f, map, "logsource", "is missing");
    if (!correlation && !detection)
        return sigma_fail(f, map, "detection", "is missing");
    bool ok = correlation ? sigma_read_correlation(f, correlation, rule)
                          : read_search_rule(f, source, detection, rule);
    return ok && (!tests || sigma_read_tests(f, tests, rule)) && put_rule(f, map, rule);
}

static bool fail_yaml(struct sigma_file *f, const yaml_parser_t *parser)
{
    return error_set(
        f->err, "%s:%zu: %s", f->name,
        (parser->problem_mark.line ? parser->problem_mark.line : parser->context_mark.line) + 1,
        parser->problem ? parser->problem : "is not YAML");
}

/* Of the lines from *at on, up to this one; *at moves there. */
static uint64_t fingerprint_lines(struct text *left, size_t *line, size_t until)
{
    const char *start = left->at, *end = start + left->size, *at = start;
    while (at < end && *line < until) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        at = eol ? eol + 1 : end;
        ++*line;
    }
    *left = (struct text){at, (size_t)(end - at)};
    return hash_stable(start, (size_t)(at - start));
}

bool sigma_rules_parse(struct sigma_rules *rules, const char *text, size_t size, const char *name,
                       struct error *err)
{
    yaml_parser_t parser;
    struct sigma_file f = {.rules = rules, .err = err};
    err->text[0] = '\0';
    f.name = sigma_keep_text(rules, text_of(name));
    if (!f.name || !yaml_parser_initialize(&parser))
        return error_set(err, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    struct text left = {text, size};
    size_t line = 0;
    bool ok = true, is_end = false;
    for (size_t i = 0; ok && !is_end; i++) {
        yaml_document_t document;
        if (!yaml_parser_load(&parser, &document)) {
            ok = fail_yaml(&f, &parser);
            break;
        }
        is_end = yaml_document_get_root_node(&document) == NULL;
        f.document = &document;
        f.fingerprint = fingerprint_lines(&left, &line, document.end_mark.line + 1);
        if (!is_end && i == DOCUMENTS_MAX)
            ok = error_set(err, "%s: has more than %d rules", name, DOCUMENTS_MAX);
        else if (!is_end)
            ok = read_document(&f);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    if (!ok && !err->text[0])
        return error_set(err, "%s: out of memory", name);
    return ok;
}
