/* asset_forms.h: the inventory of a store as a file for other programs: spreadsheets, scripts,
 * NetBox, and everything that reads CycloneDX. */
#pragma once

#include "asset_export.h"

#include <stdio.h>

enum asset_form {
    ASSET_FORM_CSV,       /* RFC 4180, with a header */
    ASSET_FORM_JSON,      /* one array, an asset a line */
    ASSET_FORM_NDJSON,    /* an object a line */
    ASSET_FORM_NETBOX,    /* CSV for NetBox's import of devices */
    ASSET_FORM_CYCLONEDX, /* CycloneDX 1.6: hardware components, what stands in them inside */
    ASSET_FORM_COUNT,
};

/* False when there is none of this name: "csv", "json"... */
bool asset_form_parse(enum asset_form *form, const char *name);
/* Its media type. */
const char *asset_form_type(enum asset_form form);

/* Which columns, in which order. Of NetBox's and CycloneDX's forms all are chosen by them. */
struct asset_choice {
    uint8_t count, columns[ASSET_COLUMN_COUNT];
};
/* All sixty. */
void asset_choice_all(struct asset_choice *choice);
/* "ip,mac,name"; false with a reason when one is unknown or there twice. */
bool asset_choice_parse(struct asset_choice *choice, const char *names,
                        struct error *err) NODISCARD;

/* One cell of RFC 4180, in quotes where it must be; one that a spreadsheet would run gets a leading
 * apostrophe. */
void asset_csv_cell(FILE *file, const char *cell);
/* One record of RFC 4180; cells that a spreadsheet would run as a formula get a leading apostrophe.
 */
void asset_csv_row(FILE *file, const struct asset_choice *choice, const struct asset_cells *asset);

/* Writes the assets that query (NULL: all) asks for. Fails when the store cannot be read or the
 * file cannot be written. */
bool assets_write(struct store *store, const struct asset_query *query, enum asset_form form,
                  const struct asset_choice *choice, FILE *file, struct error *err) NODISCARD;

/* Assets that somebody has read already: calls row for each, in the order of the export, until it
 * returns false. May be asked twice. */
struct asset_source {
    void *context;
    bool (*each)(void *context, bool (*row)(void *row_context, const struct asset_cells *asset),
                 void *row_context, struct error *err);
};
bool assets_write_from(const struct asset_source *source, const struct asset_query *query,
                       enum asset_form form, const struct asset_choice *choice, FILE *file,
                       struct error *err) NODISCARD;
