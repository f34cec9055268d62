/* declared_match.h: the declared list beside what was seen: which row is which asset, and where the
 * two say different things.
 *
 * A row belongs to the asset that has its id, else its MAC, else its serial number, else its IP (in
 * its segment), else its name; so one row is never two assets, and an asset that only took over the
 * IP of another one is not that. What one of both does not know is no difference; neither is what
 * the sensor only guesses. */
#pragma once

#include "asset_export.h"

/* Fills declared_match ("yes", "no", "differs (ip, model)"; "": there is no list, or it does not
 * know what stands behind a device), and from the list what nobody else knows: cmdb_id, owner... */
bool declared_apply(struct store *store, struct asset_cells *asset, struct error *err) NODISCARD;

/* What declared_diff calls; false: it need not go on. declared: the row as cells. */
struct declared_sink {
    void *context;
    /* seen differs from the declared value of a column of an asset */
    bool (*different)(void *context, size_t line, const struct asset_cells *asset,
                      enum asset_column column, const char *declared, const char *seen);
    bool (*extra)(void *context, const struct asset_cells *asset); /* nobody declared it */
    /* nobody saw it; or why is not "": it cannot be told which one it is */
    bool (*missing)(void *context, size_t line, const struct asset_cells *declared,
                    const char *why);
};

struct declared_head {
    char name[256], by[64]; /* "": there is no list */
    size_t rows;
    int64_t at_ms;
};

void declared_head(struct store *store, struct declared_head *head);

/* Calls for what differs and is extra in the order of the export, then for what is missing in the
 * order of the list. */
bool declared_diff(struct store *store, const struct declared_sink *sink,
                   struct error *err) NODISCARD;
