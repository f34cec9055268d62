/* declared_compare.h: whether a declared value and what was seen say the same. */
#pragma once

#include "asset_export.h"

/* True also when the asset's own value is not known, or only a guess. */
bool declared_is_same(enum asset_column column, const char *declared,
                      const struct asset_cells *asset);
