/* site_yaml.h: walks a YAML document by tables of the keys that a mapping may have, and words what
 * is wrong with file, line and key. */
#pragma once

#include "rules/site_model.h"

#include <yaml.h>

enum { SITE_KEY_SIZE = 96 };

struct site_reader {
    struct site *site;
    yaml_document_t *document;
    const char *file;
    const char *zone; /* of times that name none */
    struct error *err;
};

/* Reads a value into `to`; key is its full name ("zones.level"). */
typedef bool site_read_value(struct site_reader *r, const char *key, const yaml_node_t *node,
                             void *to);

struct site_field {
    const char *name;
    site_read_value *read;
    size_t offset; /* in what the mapping is read into */
    bool is_required;
};

/* "FILE:LINE: policy key `KEY` WHY". Returns false. */
bool site_fail(const struct site_reader *r, const yaml_node_t *node, const char *key,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Unknown, doubled and missing keys are errors. Values are read in the order of the table. */
bool site_read_mapping(struct site_reader *r, const char *key, const yaml_node_t *node,
                       const struct site_field *fields, size_t count, void *to);
/* Reads each element of a sequence; a single value or mapping counts as a sequence of one. */
bool site_read_list(struct site_reader *r, const char *key, const yaml_node_t *node,
                    site_read_value *element, void *to);
/* The text of a plain value; NULL and an error when it is none, empty, or has odd characters. */
const char *site_text(struct site_reader *r, const char *key, const yaml_node_t *node);
/* Copies such a text. */
bool site_copy_text(struct site_reader *r, const char *key, const yaml_node_t *node, char *to,
                    size_t capacity);
static inline uint32_t site_line(const yaml_node_t *node)
{
    return (uint32_t)(node->start_mark.line + 1);
}
