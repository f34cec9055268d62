/* asset_export.h: the inventory of a store as rows of the sixty columns of DETECTIONS 2: for CSV
 * files, JSON and the console. Reads the store only. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/store.h"

#include <jansson.h>
#include <stdio.h>

enum asset_column {
#define COLUMN(name, is_list) ASSET_COLUMN_##name,
#include "asset_columns.def"
#undef COLUMN
    ASSET_COLUMN_COUNT,
};

enum { ASSET_CELL_SIZE = 640 };

/* One asset; "" is unknown. Lists are joined by ';'. */
struct asset_cells {
    char cells[ASSET_COLUMN_COUNT][ASSET_CELL_SIZE];
};

const char *asset_column_name(enum asset_column column);

/* Calls row for every asset, by segment and address; stops when row returns false. */
bool assets_export(struct store *store, bool (*row)(void *context, const struct asset_cells *asset),
                   void *context, struct error *err) NODISCARD;

/* One asset by its id; false also when there is none. */
bool asset_export(struct store *store, const char *id, struct asset_cells *asset,
                  struct error *err) NODISCARD;

/* One asset as an object: known columns only, lists as arrays. The caller owns it; NULL: no memory.
 */
json_t *asset_cells_json(const struct asset_cells *asset);

/* RFC 4180, with a header; cells that a spreadsheet would run as a formula get a leading
 * apostrophe. */
void assets_csv_header(FILE *file);
void asset_cells_csv(FILE *file, const struct asset_cells *asset);
