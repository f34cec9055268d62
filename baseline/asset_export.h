/* asset_export.h: the inventory of a store as rows of the sixty columns of DETECTIONS 2: for CSV
 * files, JSON and the console. Reads the store only. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/store.h"

#include <jansson.h>

enum asset_column {
#define COLUMN(name, is_list) ASSET_COLUMN_##name,
#include "asset_columns.def"
#undef COLUMN
    ASSET_COLUMN_COUNT,
};

enum { ASSET_CELL_SIZE = 640 };

/* Ends a vendor that no protocol told: it is who made the network part. */
#define ASSET_GUESS_MARK " (guess by MAC)"

/* One asset; "" is unknown. Lists are joined by ';'. */
struct asset_cells {
    char cells[ASSET_COLUMN_COUNT][ASSET_CELL_SIZE];
};

const char *asset_column_name(enum asset_column column);
/* The column that a kind of fact fills; false: none. */
bool asset_column_of_fact(const char *kind, enum asset_column *column);

/* Whether it holds addresses of others (peers, writers...): who looks for an address wants its
 * owner. */
bool asset_column_names_others(enum asset_column column);

/* Which assets; NULL or "": any. */
struct asset_query {
    const char *asset_class, *zone; /* exactly */
    const char *vendor;             /* a part of it; case does not matter */
    const char *find;     /* a part of any cell but those that name others; case does not matter */
    const char *declared; /* declared_match: "yes", "no" or "differs" */
    bool is_host_only;    /* without what stands behind other assets */
};
bool asset_query_matches(const struct asset_query *query, const struct asset_cells *asset);

/* Calls row for every asset, by segment and address; stops when row returns false. What stands
 * behind an asset comes after it, with parent_asset_id. */
bool assets_export(struct store *store, bool (*row)(void *context, const struct asset_cells *asset),
                   void *context, struct error *err) NODISCARD;
/* The same, of those that query asks for (NULL: all). */
bool assets_select(struct store *store, const struct asset_query *query,
                   bool (*row)(void *context, const struct asset_cells *asset), void *context,
                   struct error *err) NODISCARD;

/* One asset by its id; false also when there is none. */
bool asset_export(struct store *store, const char *id, struct asset_cells *asset,
                  struct error *err) NODISCARD;

/* One asset as an object: known columns only, lists as arrays. The caller owns it; NULL: no memory.
 */
json_t *asset_cells_json(const struct asset_cells *asset);
/* One cell, as a string or an array. */
json_t *asset_cell_json(const struct asset_cells *asset, enum asset_column column);
