/* asset_row.h: one asset of the store on its way into a row of the export: shared by
 * asset_export.c, asset_row.c and asset_row_facts.c. */
#pragma once

#include "asset.h"
#include "asset_export.h"

struct asset_row_key {
    char sensor[64], id[ASSET_ID_SIZE], segment[64];
    struct address ip;
};

struct asset_filling {
    struct store *store;
    struct error *err;
    int64_t newest_ns;
    struct asset_cells *row;
    /* of the asset in hand, see asset_row_unit */
    char maker[ASSET_FACT_TEXT], geo_place[ASSET_FACT_TEXT], geo_owner[ASSET_FACT_TEXT];
    char unit[ASSET_UNIT_TEXT], unit_kind[32], unit_value[ASSET_FACT_TEXT];
    int64_t unit_ns;
    bool is_mixed, has_own;     /* has_own: the asset tells facts of no unit, too */
    char type[ASSET_FACT_TEXT]; /* a code that stands for its model */
    bool is_own_known;          /* as in struct asset_parent */
    bool is_name_hearsay;       /* only a name server says how it is called */
    size_t alike;               /* units that tell the same product as the one before */
    size_t line_units;          /* units of a line that answered: Modbus */
};

void asset_row_set(struct asset_filling *x, enum asset_column column, const char *value);
/* Adds to a list, once; a list that is full says so. */
void asset_row_add(struct asset_filling *x, enum asset_column column, const char *value);
/* A value inside a list must not split it. */
char *asset_row_no_separator(char *out, size_t capacity, const char *value);
/* A column of a result; "" for NULL. */
const char *asset_row_text(sqlite3_stmt *statement, int column);

/* Fills x->row with all that the store has of the asset. */
bool asset_row_fill(struct asset_filling *x, const struct asset_row_key *key);

/* --- asset_row_facts.c: columns kind, unit, protocol, value... of the queries in asset_row.c ---
 */

/* What units tell of themselves, by kind and age. When they contradict each other they are several
 * devices behind one address, and the asset's columns hold those of the oldest only. */
void asset_row_unit(struct asset_filling *x, sqlite3_stmt *s);
/* Facts come with those of the asset itself first, then by unit and age: the first one fills the
 * column. */
void asset_row_fact(struct asset_filling *x, sqlite3_stmt *s);
/* Several units answer on the line behind a gateway, and they are not one device that answers for
 * every number. */
bool asset_row_is_line(const struct asset_filling *x);
