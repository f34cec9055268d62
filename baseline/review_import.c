/* review_import.c: reads a reviewed document. What it does not say is taken from what is known;
 * errors name the line and the key. */
#include "review.h"

#include "review_internal.h"
#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/yaml_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    DECLARED_OBSERVATIONS = 1000
}; /* a range that a person declares is meant as it stands: a narrow margin */

struct import {
    yaml_document_t *yaml;
    const char *name; /* of the file */
    struct review *d;
    const struct review *known;
    struct error *err;
    size_t *pairs; /* places of the pairs in the document, in order of appearance */
    size_t pair_count, pair_capacity;
};

static bool fail(struct import *im, const yaml_node_t *node, const char *key, const char *what)
{
    return error_set(im->err, "%s: line %zu: %s%s%s", im->name, node->start_mark.line + 1, key,
                     *key ? ": " : "", what);
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* Every key of a mapping must be among `keys` (ended by NULL). */
static bool keys_are_known(struct import *im, const yaml_node_t *map, const char *const *keys)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = yaml_document_get_node(im->yaml, p->key);
        if (key->type != YAML_SCALAR_NODE)
            return fail(im, key, "", "a key must be a word");
        const char *const *k = keys;
        while (*k && strcmp(*k, scalar(key)) != 0)
            k++;
        if (!*k)
            return fail(im, key, scalar(key), "unknown key");
    }
    return true;
}

static const yaml_node_t *value_of(struct import *im, const yaml_node_t *map, const char *name)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
        if (strcmp(scalar(yaml_document_get_node(im->yaml, p->key)), name) == 0)
            return yaml_document_get_node(im->yaml, p->value);
    return NULL;
}

/* NULL when absent and not needed; false in *ok when wrong. */
static const char *text_value(struct import *im, const yaml_node_t *map, const char *name,
                              bool is_needed, bool *ok)
{
    const yaml_node_t *v = value_of(im, map, name);
    if (!*ok)
        return NULL;
    if (!v) {
        if (is_needed)
            *ok = fail(im, map, name, "is missing");
        return NULL;
    }
    if (v->type != YAML_SCALAR_NODE) {
        *ok = fail(im, v, name, "must be a single value");
        return NULL;
    }
    return scalar(v);
}

static void copy_value(struct import *im, const yaml_node_t *map, const char *name, char *out,
                       size_t capacity, bool is_needed, bool *ok)
{
    const char *text = text_value(im, map, name, is_needed, ok);
    if (!text)
        return;
    if (strlen(text) >= capacity)
        *ok = fail(im, value_of(im, map, name), name, "is too long");
    else
        text_copy(out, capacity, text_of(text));
}

static uint64_t number_value(struct import *im, const yaml_node_t *map, const char *name,
                             uint64_t most, bool *ok)
{
    const char *text = text_value(im, map, name, false, ok);
    if (!text)
        return 0;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || n > most)
        *ok = fail(im, value_of(im, map, name), name, "is not a number in range");
    return n;
}

static double double_value(struct import *im, const yaml_node_t *map, const char *name, bool *ok)
{
    const char *text = text_value(im, map, name, true, ok);
    if (!text)
        return 0;
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end || n - n != 0)
        *ok = fail(im, value_of(im, map, name), name, "is not a number");
    return n;
}

static uint8_t state_value(struct import *im, const yaml_node_t *map, bool *ok)
{
    uint8_t state = ENTRY_LEARNED;
    const char *text = text_value(im, map, "state", false, ok);
    if (text && !entry_state_parse(&state, text))
        *ok = fail(im, value_of(im, map, "state"), "state", "is learned, pending or rejected");
    return state;
}

static uint8_t side_value(struct import *im, const yaml_node_t *map, uint8_t client, bool *ok)
{
    const char *text = text_value(im, map, "by", false, ok);
    if (!text || strcmp(text, "client") == 0)
        return client;
    if (strcmp(text, "server") != 0)
        *ok = fail(im, value_of(im, map, "by"), "by", "is client or server");
    return client ^ 1;
}

/* The row as it is known with this document's state; or a new one. */
static struct baseline_row row_of(struct import *im, enum baseline_kind kind, uint64_t id,
                                  uint8_t state, int64_t since_ns)
{
    const struct baseline_row *known = im->known ? review_find(im->known, kind, id) : NULL;
    struct baseline_row row = {.kind = kind, .id = id, .first_ns = since_ns, .last_ns = since_ns};
    if (known)
        row = *known;
    text_copy(row.sensor, sizeof row.sensor, text_of(im->d->sensor));
    row.state = state;
    return row;
}

static bool add(struct import *im, const yaml_node_t *node, const struct baseline_row *row)
{
    return review_add(im->d, row) || fail(im, node, "", "too many entries");
}

/* --- children of a conversation --- */

struct parent {
    uint64_t id;
    uint8_t client;
    int64_t since_ns;
    uint32_t *operations; /* of the pair, by side */
};

static bool numbers_parse(uint32_t code[OT_CODE_PARTS], const char *text)
{
    for (int i = 0; i < OT_CODE_PARTS; i++) {
        char *end;
        code[i] = (uint32_t)strtoul(text, &end, 0);
        if (end == text)
            return false;
        if (!*end)
            return true;
        if (*end != '.')
            return false;
        text = end + 1;
    }
    return false;
}

static bool import_operation(struct import *im, const yaml_node_t *map, const struct parent *parent)
{
    static const char *const keys[] = {"unit", "operation", "code", "name", "numbers",
                                       "by",   "state",     "id",   NULL};
    if (!keys_are_known(im, map, keys))
        return false;
    bool ok = true;
    struct operation_facts f = {.conversation = parent->id};
    copy_value(im, map, "unit", f.unit, sizeof f.unit, false, &ok);
    copy_value(im, map, "code", f.code_text, sizeof f.code_text, true, &ok);
    copy_value(im, map, "name", f.name, sizeof f.name, false, &ok);
    f.side = side_value(im, map, parent->client, &ok);
    const char *operation = text_value(im, map, "operation", true, &ok);
    if (operation && !operation_parse(&f.operation, operation))
        ok = fail(im, map, "operation", "is no operation class");
    const char *numbers = text_value(im, map, "numbers", false, &ok);
    if (ok && !numbers_parse(f.code, numbers ? numbers : f.code_text))
        ok = fail(im, map, "numbers", "a code of several parts needs its numbers, such as 3.0.0.0");
    uint8_t state = state_value(im, map, &ok);
    if (!ok)
        return false;
    f.unit_hash = *f.unit ? hash_stable(f.unit, strlen(f.unit)) : 0;
    struct baseline_row row =
        row_of(im, BASELINE_OPERATION, operation_id(&f), state, parent->since_ns);
    f.step = row.is.operation.step;
    row.is.operation = f;
    if (state == ENTRY_LEARNED)
        parent->operations[f.side] |= UINT32_C(1) << f.operation;
    return add(im, map, &row);
}

static void import_place(struct import *im, const yaml_node_t *map, const struct parent *parent,
                         struct place *p, bool *ok)
{
    p->conversation = parent->id;
    p->side = side_value(im, map, parent->client, ok);
    copy_value(im, map, "unit", p->unit, sizeof p->unit, false, ok);
    copy_value(im, map, "area", p->area, sizeof p->area, true, ok);
    p->unit_hash = *p->unit ? hash_stable(p->unit, strlen(p->unit)) : 0;
    p->has_number = value_of(im, map, "number") != NULL;
    p->number = (uint32_t)number_value(im, map, "number", UINT32_MAX, ok);
    const char *access = text_value(im, map, "access", true, ok);
    if (access && strcmp(access, "write") != 0 && strcmp(access, "read") != 0)
        *ok = fail(im, map, "access", "is read or write");
    p->is_write = access && strcmp(access, "write") == 0;
}

/* A tag's name: cut names keep the hash of the whole, which only the known row has. */
static void import_name(struct import *im, const yaml_node_t *map, char *name, size_t capacity,
                        uint64_t *name_hash, bool *ok)
{
    copy_value(im, map, "tag", name, capacity, false, ok);
    *name_hash = *name ? hash_stable(name, strlen(name)) : 0;
    const char *id = text_value(im, map, "id", false, ok);
    const struct baseline_row *known = NULL;
    for (int kind = BASELINE_TAG; id && im->known && kind <= BASELINE_POINT && !known; kind++)
        known = review_find(im->known, (enum baseline_kind)kind, strtoull(id, NULL, 16));
    if (known && known->kind == BASELINE_TAG && strcmp(known->is.tag.name, name) == 0)
        *name_hash = known->is.tag.name_hash;
    if (known && known->kind == BASELINE_POINT && strcmp(known->is.point.name, name) == 0)
        *name_hash = known->is.point.name_hash;
}

static bool import_object(struct import *im, const yaml_node_t *map, const struct parent *parent)
{
    static const char *const keys[] = {"unit", "access", "area",  "number", "ranges",
                                       "tag",  "by",     "state", "id",     NULL};
    if (!keys_are_known(im, map, keys))
        return false;
    bool ok = true;
    struct place place = {0};
    import_place(im, map, parent, &place, &ok);
    uint8_t state = state_value(im, map, &ok);
    const char *ranges = text_value(im, map, "ranges", false, &ok);
    if (!ok)
        return false;
    if (ranges) {
        struct range_facts f = {.place = place};
        if (!interval_set_parse(&f.set, ranges) || f.set.count == 0)
            return fail(im, value_of(im, map, "ranges"), "ranges", "is no list such as 0-9, 20");
        struct baseline_row row = row_of(im, BASELINE_RANGE, range_id(&f, state == ENTRY_PENDING),
                                         state, parent->since_ns);
        row.is.range = f;
        return add(im, map, &row);
    }
    struct tag_facts f = {.place = place};
    import_name(im, map, f.name, sizeof f.name, &f.name_hash, &ok);
    if (ok && !*f.name)
        ok = fail(im, map, "ranges", "either ranges or a tag is needed");
    if (!ok)
        return false;
    struct baseline_row row = row_of(im, BASELINE_TAG, tag_id(&f), state, parent->since_ns);
    row.is.tag = f;
    return add(im, map, &row);
}

static bool import_value(struct import *im, const yaml_node_t *map, const struct parent *parent)
{
    static const char *const keys[] = {"unit", "access", "area", "number", "tag", "address", "bit",
                                       "low",  "high",   "by",   "state",  "id",  NULL};
    if (!keys_are_known(im, map, keys))
        return false;
    bool ok = true;
    struct point_facts f = {0};
    import_place(im, map, parent, &f.place, &ok);
    f.address = number_value(im, map, "address", UINT64_MAX, &ok);
    f.place.is_bit = value_of(im, map, "bit") != NULL;
    f.place.bit = (uint8_t)number_value(im, map, "bit", 255, &ok);
    import_name(im, map, f.name, sizeof f.name, &f.name_hash, &ok);
    uint8_t state = state_value(im, map, &ok);
    double low = double_value(im, map, "low", &ok), high = double_value(im, map, "high", &ok);
    if (ok && low > high)
        ok = fail(im, map, "low", "is above high");
    if (!ok)
        return false;
    struct baseline_row row = row_of(im, BASELINE_POINT, point_id(&f), state, parent->since_ns);
    bool is_same =
        row.is.point.values > 0 && !(row.is.point.low < low || row.is.point.low > low ||
                                     row.is.point.high < high || row.is.point.high > high);
    if (!is_same) { /* new, or changed by hand: what was observed before says nothing about it */
        f.low = low;
        f.high = high;
        f.values = DECLARED_OBSERVATIONS;
        f.state_count = STATES_MAX + 1;
        f.changes_max = row.is.point.changes_max;
        row.is.point = f;
    }
    return add(im, map, &row);
}

static bool import_list(struct import *im, const yaml_node_t *conversation, const char *name,
                        const struct parent *parent,
                        bool (*one)(struct import *im, const yaml_node_t *map,
                                    const struct parent *parent))
{
    const yaml_node_t *list = value_of(im, conversation, name);
    if (!list)
        return true;
    if (list->type != YAML_SEQUENCE_NODE)
        return fail(im, list, name, "must be a list");
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
         i++) {
        const yaml_node_t *map = yaml_document_get_node(im->yaml, *i);
        if (map->type != YAML_MAPPING_NODE)
            return fail(im, map, name, "must be a list of mappings");
        if (!one(im, map, parent))
            return false;
    }
    return true;
}

/* --- conversations --- */

static struct host host_value(struct import *im, const yaml_node_t *map, const char *name, bool *ok)
{
    struct host h = {0};
    const char *text = text_value(im, map, name, true, ok);
    if (text && !host_parse(&h, text))
        *ok = fail(im, value_of(im, map, name), name, "is neither an IP nor a MAC address");
    return h;
}

/* Notes that the next row of the document is a pair. */
static bool pair_remember(struct import *im)
{
    if (im->pair_count == im->pair_capacity) {
        size_t capacity = im->pair_capacity ? im->pair_capacity * 2 : 64;
        size_t *pairs = realloc(im->pairs, capacity * sizeof *pairs);
        if (!pairs)
            return false;
        im->pairs = pairs;
        im->pair_capacity = capacity;
    }
    im->pairs[im->pair_count++] = im->d->count;
    return true;
}

/* The pair's row, made when this is its first conversation. */
static struct baseline_row *pair_row(struct import *im, const yaml_node_t *map,
                                     const struct pair_facts *facts, uint8_t state,
                                     int64_t since_ns)
{
    uint64_t id = pair_id(facts);
    for (size_t i = im->pair_count; i-- > 0;) {
        struct baseline_row *row = &im->d->rows[im->pairs[i]];
        if (row->id == id) {
            if (state == ENTRY_LEARNED)
                row->state = state;
            return row;
        }
    }
    struct baseline_row row = row_of(im, BASELINE_PAIR, id, state, since_ns);
    const uint32_t unlisted = UINT32_C(1) << OP_SESSION | UINT32_C(1) << OP_ERROR;
    uint32_t operations[2] = {row.is.pair.operations[0] & unlisted,
                              row.is.pair.operations[1] & unlisted};
    row.is.pair = *facts;
    row.is.pair.operations[0] = operations[0];
    row.is.pair.operations[1] = operations[1];
    if (!pair_remember(im) || !add(im, map, &row)) {
        fail(im, map, "", "too many entries");
        return NULL;
    }
    return &im->d->rows[im->d->count - 1];
}

/* Polled blocks are learned, not reviewed: they stay as long as their conversation does. */
static bool keep_blocks(struct import *im, const yaml_node_t *map, uint64_t conversation)
{
    for (size_t i = 0; im->known && i < im->known->count; i++) {
        const struct baseline_row *row = &im->known->rows[i];
        if ((row->kind == BASELINE_BLOCK || row->kind == BASELINE_PAGE) &&
            row_parent(row) == conversation && !add(im, map, row))
            return false;
    }
    return true;
}

static bool import_conversation(struct import *im, const yaml_node_t *map)
{
    static const char *const keys[] = {"client",     "server",  "segment", "protocol",
                                       "state",      "since",   "id",      "writes_in_10s",
                                       "operations", "objects", "values",  NULL};
    if (!keys_are_known(im, map, keys))
        return false;
    bool ok = true;
    struct host client = host_value(im, map, "client", &ok),
                server = host_value(im, map, "server", &ok);
    uint8_t side = memcmp(&client, &server, sizeof client) > 0;
    struct pair_facts pair = {.segment =
                                  (uint32_t)number_value(im, map, "segment", UINT32_MAX, &ok)};
    pair.hosts[side] = client;
    pair.hosts[!side] = server;
    uint8_t state = state_value(im, map, &ok);
    int64_t since_ns = 0;
    const char *since = text_value(im, map, "since", false, &ok);
    if (since && !time_parse(&since_ns, since))
        ok = fail(im, value_of(im, map, "since"), "since",
                  "is no time such as 2026-01-31T08:00:00Z");
    struct conversation_facts c = {.pair = pair_id(&pair)};
    copy_value(im, map, "protocol", c.protocol, sizeof c.protocol, true, &ok);
    uint32_t writes_max = (uint32_t)number_value(im, map, "writes_in_10s", UINT32_MAX, &ok);
    if (!ok)
        return false;
    struct baseline_row row =
        row_of(im, BASELINE_CONVERSATION, conversation_id(&c), state, since_ns);
    if (row.is.conversation.pair == 0) {
        row.is.conversation = c;
        row.is.conversation.is_role_known = true;
    }
    row.is.conversation.client = side;
    row.is.conversation.writes_max = writes_max;
    const struct baseline_row *p = pair_row(im, map, &pair, state, since_ns);
    if (!p || !add(im, map, &row) || !keep_blocks(im, map, row.id))
        return false;
    uint32_t operations[2] = {0, 0};
    const struct parent parent = {row.id, side, since_ns, operations};
    if (!import_list(im, map, "operations", &parent, import_operation) ||
        !import_list(im, map, "objects", &parent, import_object) ||
        !import_list(im, map, "values", &parent, import_value))
        return false;
    struct baseline_row *of_pair =
        pair_row(im, map, &pair, state, since_ns); /* rows may have moved */
    of_pair->is.pair.operations[0] |= operations[0];
    of_pair->is.pair.operations[1] |= operations[1];
    return true;
}

static bool import_all(struct import *im)
{
    static const char *const keys[] = {"version", "sensor", "conversations", NULL};
    const yaml_node_t *root = yaml_document_get_root_node(im->yaml);
    if (!root)
        return error_set(im->err, "%s: is empty", im->name);
    if (root->type != YAML_MAPPING_NODE)
        return fail(im, root, "", "must be a mapping with the key conversations");
    if (!keys_are_known(im, root, keys))
        return false;
    bool ok = true;
    uint64_t version = number_value(im, root, "version", UINT64_MAX, &ok);
    if (ok && version != 1)
        ok = fail(im, root, "version", "must be 1");
    const yaml_node_t *list = value_of(im, root, "conversations");
    if (ok && (!list || list->type != YAML_SEQUENCE_NODE))
        ok = fail(im, root, "conversations", "must be a list");
    if (!ok)
        return false;
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
         i++) {
        const yaml_node_t *map = yaml_document_get_node(im->yaml, *i);
        if (map->type != YAML_MAPPING_NODE)
            return fail(im, map, "conversations", "must be a list of mappings");
        if (!import_conversation(im, map))
            return false;
    }
    for (size_t i = 0; im->known && i < im->known->count; i++)
        if (im->known->rows[i].kind == BASELINE_LINKS && !add(im, root, &im->known->rows[i]))
            return false;
    return true;
}

static bool has_duplicates(const struct review *d)
{
    for (size_t i = 1; i < d->count; i++)
        if (d->rows[i].kind == d->rows[i - 1].kind && d->rows[i].id == d->rows[i - 1].id)
            return true;
    return false;
}

bool review_read_yaml(struct review **document, FILE *file, const char *name,
                      const struct review *known, const char *sensor, struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t yaml;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, "no memory to read %s", name);
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &yaml)) {
        error_set(err, "%s: line %zu: %s", name, parser.problem_mark.line + 1,
                  parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
        return false;
    }
    struct import im = {
        .yaml = &yaml, .name = name, .d = review_create(sensor), .known = known, .err = err};
    bool ok = im.d ? import_all(&im) : error_set(err, "no memory to read %s", name);
    size_t line;
    struct error why;
    if (ok && !yaml_is_over(&parser, &line, &why))
        ok = error_set(err, "%s: line %zu: %s", name, line, why.text);
    if (ok) {
        review_sort(im.d);
        if (has_duplicates(im.d))
            ok = error_set(err, "%s: something is listed twice", name);
    }
    free(im.pairs);
    yaml_document_delete(&yaml);
    yaml_parser_delete(&parser);
    if (!ok)
        review_destroy(im.d);
    else
        *document = im.d;
    return ok;
}
