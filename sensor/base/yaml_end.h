/* yaml_end.h: a file of one YAML document has nothing behind it. */
#pragma once

#include "error.h"

#include <stddef.h>
#include <yaml.h>

/* Call once, behind the document. False: something follows, which its writer would mean to count,
 * or what follows is not YAML; *line (from 1) and *why tell which. */
bool yaml_is_over(yaml_parser_t *parser, size_t *line, struct error *why);
