/* geo.h: where a public address is and whose network it belongs to, by databases of MaxMind's
 * format (any maker's): a guess. */
#pragma once

#include "sensor/base/address.h"
#include "sensor/base/config.h"
#include "sensor/base/error.h"

#include <stdbool.h>

struct geo;

enum { GEO_TEXT = 96 };

struct geo_place {
    char place[GEO_TEXT]; /* "Berlin, DE"; "" unknown */
    char owner[GEO_TEXT]; /* "Example Networks (AS64500)"; "" unknown */
};

/* Opens all files; *geo is NULL when the list is empty. */
bool geo_open(struct geo **geo, const struct config_list *files, struct error *err) NODISCARD;
void geo_close(struct geo *geo);
/* False when nothing is known; geo may be NULL. Of several files the first that knows counts. */
bool geo_find(const struct geo *geo, const struct address *ip, struct geo_place *found);
