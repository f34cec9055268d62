/* asset_names.h: other devices are called as the list of assets calls them: also by what people and
 * the plant's own list say. */
#pragma once

#include "request.h"

/* rows: an array or an object of objects with the id of an asset (or none) under this key and a
 * "name", which is replaced when the list has one; never waits for the first reading of the list.
 */
void asset_names_set(struct request *r, json_t *rows, const char *id_key);
