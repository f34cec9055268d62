/* yaml_end.c: see yaml_end.h. */
#include "yaml_end.h"

bool yaml_is_over(yaml_parser_t *parser, size_t *line, struct error *why)
{
    yaml_document_t more;
    if (!yaml_parser_load(parser, &more)) {
        *line = parser->problem_mark.line + 1;
        return error_set(why, "not valid YAML: %s",
                         parser->problem ? parser->problem : "unreadable");
    }
    const yaml_node_t *root = yaml_document_get_root_node(&more);
    bool is_over = !root || error_set(why, "a second document: there must be one only");
    if (!is_over)
        *line = root->start_mark.line + 1;
    yaml_document_delete(&more);
    return is_over;
}
