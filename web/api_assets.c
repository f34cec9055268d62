/* api_assets.c: the inventory. */
#include "baseline/asset_export.h"
#include "routes.h"

enum { ASSETS_DEFAULT = 1000, ASSETS_MAX = 5000 };

struct listing {
    json_t *list;
    int64_t skip, left;
};

static bool list_asset(void *context, const struct asset_cells *asset)
{
    struct listing *listing = context;
    if (listing->skip-- > 0)
        return true;
    json_array_append_new(listing->list, asset_cells_json(asset));
    return --listing->left > 0;
}

enum MHD_Result api_assets(struct request *r)
{
    struct listing listing = {.list = json_array()};
    struct error err = {""};
    if (!request_number(r, "limit", 1, ASSETS_MAX, ASSETS_DEFAULT, &listing.left) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &listing.skip)) {
        json_decref(listing.list);
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "limit is 1 to 5000, skip 0 or more");
    }
    if (!assets_export(r->store, list_asset, &listing, &err)) {
        json_decref(listing.list);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    }
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:o, s:I}", "assets", listing.list, "total",
                                store_number(r->store, "SELECT count(*) FROM assets")));
}
