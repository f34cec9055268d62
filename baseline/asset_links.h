/* asset_links.h: what an asset has to do with others, for its row of the export: peers, who writes
 * to it or programs it, its open alerts, and the risk that comes of all that.
 *
 * Read from the tables of the baseline and of the alerts, by their names: a store that lacks one of
 * them (an older one, an inventory alone) leaves the cells empty. */
#pragma once

#include "asset_export.h"

/* Fills peers, writers, last_program_change, encrypted_share, authorised and alerts_open. */
bool asset_links_fill(struct store *store, const char *sensor, const char *asset,
                      struct asset_cells *cells, struct error *err) NODISCARD;

/* Fills risk, from the other cells: 0 to 100 and the greatest of its reasons. newest_ns: the last
 * packet of the whole inventory, which stands for now. */
void asset_risk_fill(struct asset_cells *cells, int64_t newest_ns);
