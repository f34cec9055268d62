/* site_yaml.c: see site_yaml.h. */
#include "rules/site_yaml.h"

#include "sensor/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIELDS_MAX = 24 };

bool site_fail(const struct site_reader *r, const yaml_node_t *node, const char *key,
               const char *format, ...)
{
    char why[320];
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    va_end(list);
    return error_set(r->err, "%s:%u: policy key `%s` %s", r->file, site_line(node), key, why);
}

const char *site_text(struct site_reader *r, const char *key, const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE) {
        site_fail(r, node, key, "must be a plain value");
        return NULL;
    }
    const char *text = (const char *)node->data.scalar.value;
    if (node->data.scalar.length == 0) {
        site_fail(r, node, key, "is empty");
        return NULL;
    }
    for (size_t i = 0; i < node->data.scalar.length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            site_fail(r, node, key, "has a control character in it");
            return NULL;
        }
    }
    return text;
}

bool site_copy_text(struct site_reader *r, const char *key, const yaml_node_t *node, char *to,
                    size_t capacity)
{
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    if (strlen(text) >= capacity)
        return site_fail(r, node, key, "is longer than %zu characters", capacity - 1);
    text_copy(to, capacity, text_of(text));
    return true;
}

static char *full_key(char out[SITE_KEY_SIZE], const char *key, const char *name)
{
    char safe[48];
    text_copy(safe, sizeof safe, text_of(name));
    return text_format(out, SITE_KEY_SIZE, "%s%s%s", key, *key ? "." : "", safe);
}

static bool fail_unknown(struct site_reader *r, const yaml_node_t *node, const char *key,
                         const struct site_field *fields, size_t count)
{
    char known[256] = "", path[SITE_KEY_SIZE];
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(known);
        text_format(known + used, sizeof known - used, "%s%s", used ? ", " : "", fields[i].name);
    }
    bool is_plain = node->type == YAML_SCALAR_NODE;
    return site_fail(r, node,
                     full_key(path, key, is_plain ? (const char *)node->data.scalar.value : "?"),
                     "is unknown; there are: %s", known);
}

/* Finds the value of every field; false for keys that are unknown or come twice. */
static bool find_values(struct site_reader *r, const char *key, const yaml_node_t *node,
                        const struct site_field *fields, size_t count,
                        const yaml_node_t *values[FIELDS_MAX])
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(r->document, pair->key);
        size_t i = count;
        if (name->type == YAML_SCALAR_NODE)
            for (i = 0; i < count; i++)
                if (strcmp((const char *)name->data.scalar.value, fields[i].name) == 0)
                    break;
        if (i == count)
            return fail_unknown(r, name, key, fields, count);
        char path[SITE_KEY_SIZE];
        if (values[i])
            return site_fail(r, name, full_key(path, key, fields[i].name), "is given twice");
        values[i] = yaml_document_get_node(r->document, pair->value);
    }
    return true;
}

bool site_read_mapping(struct site_reader *r, const char *key, const yaml_node_t *node,
                       const struct site_field *fields, size_t count, void *to)
{
    const yaml_node_t *values[FIELDS_MAX] = {NULL};
    char path[SITE_KEY_SIZE];
    assert(count <= FIELDS_MAX);
    if (node->type != YAML_MAPPING_NODE)
        return site_fail(r, node, *key ? key : "policy", "must hold keys with values");
    if (!find_values(r, key, node, fields, count, values))
        return false;
    for (size_t i = 0; i < count; i++) {
        full_key(path, key, fields[i].name);
        if (!values[i] && fields[i].is_required)
            return site_fail(r, node, path, "is missing");
        if (values[i] && !fields[i].read(r, path, values[i], (char *)to + fields[i].offset))
            return false;
    }
    return true;
}

bool site_read_list(struct site_reader *r, const char *key, const yaml_node_t *node,
                    site_read_value *element, void *to)
{
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return true; /* "key:" with nothing behind it */
    if (node->type != YAML_SEQUENCE_NODE)
        return element(r, key, node, to);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
         i++)
        if (!element(r, key, yaml_document_get_node(r->document, *i), to))
            return false;
    return true;
}
