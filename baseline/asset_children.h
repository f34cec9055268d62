/* asset_children.h: what stands behind an asset, as rows of their own: units behind a gateway,
 * modules in the slots of a rack, devices behind a BACnet router, slaves of an EtherCAT master. */
#pragma once

#include "asset_export.h"

struct asset_parent {
    const char *sensor, *id;
    const struct asset_cells *cells;
    const char *own_unit; /* the unit that is the asset itself; "": none */
    bool is_mixed;        /* its units contradict each other: they are several devices */
    bool is_one;          /* they agree: one device answers for every number */
    bool is_own_known;    /* it tells itself what it is, by EtherNet/IP or CIP without a route */
};

/* Calls row for each; *is_more becomes false when row says that it wants no more. */
bool asset_children(struct store *store, const struct asset_parent *parent,
                    bool (*row)(void *context, const struct asset_cells *asset), void *context,
                    bool *is_more, struct error *err) NODISCARD;
