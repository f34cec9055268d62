/* api_export.c: the inventory as files: CSV, NetBox's import, CycloneDX, JSON lines. */
#include "asset_list.h"
#include "baseline/asset_forms.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>

/* What the console's list of assets has read. */
static bool each_of_list(void *context,
                         bool (*row)(void *row_context, const struct asset_cells *asset),
                         void *row_context, struct error *err)
{
    const struct asset_lines *all = context;
    struct asset_cells *cells = malloc(sizeof *cells);
    if (!cells)
        return error_set(err, "not enough memory");
    for (size_t i = 0; i < all->count; i++) {
        asset_line_unpack(all->lines[i], cells);
        if (!row(row_context, cells))
            break;
    }
    free(cells);
    return true;
}

static bool write_list(struct request *r, const struct asset_query *query, enum asset_form form,
                       const struct asset_choice *choice, FILE *file, struct error *err)
{
    const struct asset_lines *all = asset_list_take(r->web->assets, r->store, err);
    const struct asset_source source = {(struct asset_lines *)(uintptr_t)all, each_of_list};
    bool ok = all && assets_write_from(&source, query, form, choice, file, err);
    asset_list_give(r->web->assets, all);
    return ok;
}

/* Filters and columns are those of the query: class, zone, vendor, q, columns. */
static enum MHD_Result reply_assets(struct request *r, enum asset_form form, const char *file_name)
{
    const struct asset_query query = {
        .asset_class = request_text(r, "class"),
        .zone = request_text(r, "zone"),
        .vendor = request_text(r, "vendor"),
        .find = request_text(r, "q"),
    };
    const char *columns = request_text(r, "columns");
    struct asset_choice choice;
    struct error err = {""};
    asset_choice_all(&choice);
    if (columns[0] != '\0' && !asset_choice_parse(&choice, columns, &err))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, err.text);
    char *bytes = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&bytes, &size);
    if (!file)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "not enough memory");
    bool ok = write_list(r, &query, form, &choice, file, &err);
    if (fclose(file) != 0 || !ok) {
        free(bytes);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, ok ? "not enough memory" : err.text);
    }
    return reply_file(r, asset_form_type(form), file_name, bytes, size);
}

enum MHD_Result api_assets_csv(struct request *r)
{
    return reply_assets(r, ASSET_FORM_CSV, "assets.csv");
}

enum MHD_Result api_assets_ndjson(struct request *r)
{
    return reply_assets(r, ASSET_FORM_NDJSON, "assets.ndjson");
}

enum MHD_Result api_assets_netbox(struct request *r)
{
    return reply_assets(r, ASSET_FORM_NETBOX, "netbox.csv");
}

enum MHD_Result api_assets_cyclonedx(struct request *r)
{
    return reply_assets(r, ASSET_FORM_CYCLONEDX, "assets.cdx.json");
}
