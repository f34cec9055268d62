/* asset_names.h: other devices are called as the list of assets calls them: also by what people and
 * the plant's own list say. */
#pragma once

#include "request.h"

/* rows: an array or an object of objects with an "asset" (its id; or none) and a "name", which is
 * replaced when the list has one. */
void asset_names_set(struct request *r, json_t *rows);
