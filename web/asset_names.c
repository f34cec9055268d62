/* asset_names.c: see asset_names.h. */
#include "asset_names.h"

#include "asset_list.h"
#include "names.h"

static const char *id_of(const json_t *row, const char *id_key)
{
    const char *id = json_string_value(json_object_get(row, id_key));
    return id && id[0] != '\0' ? id : NULL;
}

/* The ids of the rows; the record of each is the name that the list has, once it is found. */
static struct names *ids_of(json_t *rows, const char *id_key)
{
    struct names *ids = names_create(sizeof(const char *));
    const char *id, *key;
    size_t i;
    json_t *row;
    if (!ids)
        return NULL;
    json_array_foreach(rows, i, row) if ((id = id_of(row, id_key)))(void) names_add(ids, id);
    json_object_foreach(rows, key, row) if ((id = id_of(row, id_key)))(void) names_add(ids, id);
    return ids;
}

static void set_name(json_t *row, const char *id_key, const struct names *ids)
{
    const char *id = id_of(row, id_key);
    const char *const *name = id ? names_find(ids, id) : NULL;
    if (name && *name)
        json_object_set_new(row, "name", json_text_of(*name));
}

static void set_names(json_t *rows, const char *id_key, const struct names *ids)
{
    size_t i;
    const char *key;
    json_t *row;
    json_array_foreach(rows, i, row) set_name(row, id_key, ids);
    json_object_foreach(rows, key, row) set_name(row, id_key, ids);
}

void asset_names_set(struct request *r, json_t *rows, const char *id_key)
{
    struct error err = {""};
    struct names *ids = ids_of(rows, id_key);
    bool can_name = ids && names_count(ids) > 0 && asset_list_is_read(r->web->assets);
    const struct asset_lines *all =
        can_name ? asset_list_take(r->web->assets, r->store, &err) : NULL;
    for (size_t i = 0; all && i < all->count; i++) {
        const char *name = asset_line_cell(all->lines[i], ASSET_COLUMN_name);
        const char **place = names_find(ids, asset_line_cell(all->lines[i], ASSET_COLUMN_asset_id));
        if (place && name[0] != '\0')
            *place = name;
    }
    if (all) {
        set_names(rows, id_key, ids);
        asset_list_give(r->web->assets, all);
    }
    names_destroy(ids);
}
