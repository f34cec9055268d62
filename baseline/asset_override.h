/* asset_override.h: what a person said of an asset: it stands above everything that the sensor
 * finds out, in every export, and is never overwritten by it. Kept in a table of its own; who may
 * say so and the record of it are the caller's business. */
#pragma once

#include "asset_export.h"

enum { ASSET_OVERRIDE_SIZE = 200, ASSET_OVERRIDE_NAME = 64 };

/* What can be said, in the order to show; choices: the only values, joined by ';' ("": any text).
 */
struct asset_override_field {
    enum asset_column column;
    const char *choices;
};
/* Ends at *count. */
const struct asset_override_field *asset_override_fields(size_t *count);

struct asset_override {
    const char *sensor, *asset; /* which */
    const char *field;          /* name of its column */
    const char *value;          /* NULL or "": what the sensor found out shows again */
    const char *by, *why;
    int64_t at_ms; /* wall clock */
};

/* False with a reason when there is no such asset or field or the value is none of its choices. */
bool asset_override_set(struct store *store, const struct asset_override *o,
                        struct error *err) NODISCARD;

/* Puts what was said of the asset into its cells, with source "user". */
bool asset_overrides_apply(struct store *store, const char *sensor, const char *asset,
                           struct asset_cells *cells, struct error *err) NODISCARD;

/* `former` turned out to be `asset`: what was said of it holds on, unless there is something newer.
 */
bool asset_overrides_move(struct store *store, const char *sensor, const char *former,
                          const char *asset, struct error *err) NODISCARD;
