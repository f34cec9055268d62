/* asset_forms.c: assets as CSV, JSON, NetBox's device import and CycloneDX 1.6. */
#include "asset_forms.h"

#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* --- which columns --- */

void asset_choice_all(struct asset_choice *choice)
{
    choice->count = ASSET_COLUMN_COUNT;
    for (uint8_t i = 0; i < ASSET_COLUMN_COUNT; i++)
        choice->columns[i] = i;
}

static int column_named(const char *name, size_t size)
{
    for (int i = 0; i < ASSET_COLUMN_COUNT; i++) {
        const char *of = asset_column_name((enum asset_column)i);
        if (strlen(of) == size && memcmp(of, name, size) == 0)
            return i;
    }
    return -1;
}

bool asset_choice_parse(struct asset_choice *choice, const char *names, struct error *err)
{
    bool is_there[ASSET_COLUMN_COUNT] = {false};
    choice->count = 0;
    do {
        size_t size = strcspn(names, ",");
        int column = column_named(names, size);
        if (column < 0)
            return error_set(err, "there is no column %.*s; see the header of the whole CSV",
                             (int)(size < 64 ? size : 64), names);
        if (is_there[column])
            return error_set(err, "column %.*s is asked for twice", (int)size, names);
        is_there[column] = true;
        choice->columns[choice->count++] = (uint8_t)column;
        names += size;
    } while (*names++ == ',');
    return true;
}

/* --- writing --- */

struct writing {
    FILE *file;
    const struct asset_choice *choice;
    size_t count; /* assets written */
    bool is_short_of_memory;
    /* NetBox: hashes of all names, sorted */
    uint64_t *names;
    size_t name_count, name_capacity;
    /* CycloneDX: the last host, which waits for what stands behind it and goes inside */
    json_t *component;
    size_t components; /* written */
    char parent[ASSET_CELL_SIZE], newest[ASSET_CELL_SIZE];
};

static const char *cell_of(const struct asset_cells *asset, enum asset_column column)
{
    return asset->cells[column];
}

static const char *first_of(const struct asset_cells *asset, const enum asset_column *columns,
                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (asset->cells[columns[i]][0] != '\0')
            return asset->cells[columns[i]];
    return "";
}

/* What a person calls it; never empty. */
static const char *label_of(const struct asset_cells *asset)
{
    static const enum asset_column best[] = {ASSET_COLUMN_name, ASSET_COLUMN_hostname,
                                             ASSET_COLUMN_ip, ASSET_COLUMN_mac,
                                             ASSET_COLUMN_asset_id};
    return first_of(asset, best, sizeof best / sizeof *best);
}

void asset_csv_cell(FILE *file, const char *cell)
{
    /* a spreadsheet would run it */
    bool is_formula = cell[0] != '\0' && strchr("=+-@\t\r", cell[0]);
    if (!is_formula && !strpbrk(cell, ",\"\r\n")) {
        fputs(cell, file);
        return;
    }
    fputc('"', file);
    if (is_formula)
        fputc('\'', file);
    for (; *cell != '\0'; cell++) {
        if (*cell == '"')
            fputc('"', file);
        fputc(*cell, file);
    }
    fputc('"', file);
}

static void csv_begin(struct writing *w)
{
    for (size_t i = 0; i < w->choice->count; i++)
        fprintf(w->file, "%s%s", i ? "," : "",
                asset_column_name((enum asset_column)w->choice->columns[i]));
    fputs("\r\n", w->file);
}

void asset_csv_row(FILE *file, const struct asset_choice *choice, const struct asset_cells *asset)
{
    for (size_t i = 0; i < choice->count; i++) {
        if (i > 0)
            fputc(',', file);
        asset_csv_cell(file, asset->cells[choice->columns[i]]);
    }
    fputs("\r\n", file);
}

static void csv_row(struct writing *w, const struct asset_cells *asset)
{
    asset_csv_row(w->file, w->choice, asset);
}

static void json_row(struct writing *w, const struct asset_cells *asset)
{
    json_t *object = json_object();
    for (size_t i = 0; i < w->choice->count; i++) {
        enum asset_column column = (enum asset_column)w->choice->columns[i];
        if (asset->cells[column][0] != '\0')
            json_object_set_new(object, asset_column_name(column), asset_cell_json(asset, column));
    }
    w->is_short_of_memory |= !object || json_dumpf(object, w->file, JSON_COMPACT) != 0;
    json_decref(object);
}

static void array_begin(struct writing *w)
{
    fputc('[', w->file);
}

static void array_row(struct writing *w, const struct asset_cells *asset)
{
    fputs(w->count ? ",\n" : "\n", w->file);
    json_row(w, asset);
}

static void array_end(struct writing *w)
{
    fputs("\n]\n", w->file);
}

static void line_row(struct writing *w, const struct asset_cells *asset)
{
    json_row(w, asset);
    fputc('\n', w->file);
}

/* --- NetBox: https://netboxlabs.com/docs, import of devices (4.x) --- */

/* The greatest lengths of its fields. */
enum {
    NETBOX_NAME = 64,
    NETBOX_TYPE = 100,
    NETBOX_SERIAL = 50,
    NETBOX_DESCRIPTION = 200,
    NETBOX_TEXT = 1600,
};

static uint64_t name_hash(const struct asset_cells *asset)
{
    const char *name = label_of(asset);
    return XXH3_64bits(name, strlen(name));
}

static void name_keep(struct writing *w, const struct asset_cells *asset)
{
    if (w->name_count == w->name_capacity) {
        size_t capacity = w->name_capacity ? w->name_capacity * 2 : 256;
        uint64_t *more = realloc(w->names, capacity * sizeof *more);
        if (!more) {
            w->is_short_of_memory = true;
            return;
        }
        w->names = more;
        w->name_capacity = capacity;
    }
    w->names[w->name_count++] = name_hash(asset);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Whether another asset of the list is called the same. */
static bool is_name_shared(const struct writing *w, const struct asset_cells *asset)
{
    uint64_t hash = name_hash(asset);
    const uint64_t *at = bsearch(&hash, w->names, w->name_count, sizeof *w->names, by_hash);
    return at && ((at > w->names && at[-1] == hash) ||
                  (at + 1 < w->names + w->name_count && at[1] == hash));
}

/* At most `most` characters. */
static const char *cut(char out[NETBOX_TEXT], const char *text, size_t most)
{
    size_t size = 0;
    for (size_t count = 0; text[size] != '\0' && count < most && size + 8 < NETBOX_TEXT; count++) {
        out[size] = text[size];
        size++;
        while (((unsigned char)text[size] & 0xc0) == 0x80 && size + 1 < NETBOX_TEXT) {
            out[size] = text[size];
            size++;
        }
    }
    out[size] = '\0';
    return out;
}

static const char *or_unknown(const char *cell)
{
    return cell[0] != '\0' ? cell : "Unknown";
}

static void netbox_begin(struct writing *w)
{
    fputs("name,role,manufacturer,device_type,serial,asset_tag,status,site,description,comments"
          "\r\n",
          w->file);
}

/* What NetBox has no field for in this import. */
static const char *netbox_comments(char out[NETBOX_TEXT], const struct asset_cells *asset)
{
    static const enum asset_column told[] = {ASSET_COLUMN_ip,
                                             ASSET_COLUMN_mac,
                                             ASSET_COLUMN_zone,
                                             ASSET_COLUMN_purdue_level,
                                             ASSET_COLUMN_order_number,
                                             ASSET_COLUMN_firmware_version,
                                             ASSET_COLUMN_first_seen,
                                             ASSET_COLUMN_last_seen,
                                             ASSET_COLUMN_parent_asset_id,
                                             ASSET_COLUMN_declared_match};
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        const char *cell = asset->cells[told[i]];
        size_t more = strlen(cell) + 40;
        if (cell[0] == '\0' || used + more > NETBOX_TEXT)
            continue;
        text_format(out + used, NETBOX_TEXT - used, "%s%s: %s", used ? ", " : "",
                    asset_column_name(told[i]), cell);
        used = strlen(out);
    }
    return out;
}

/* NetBox knows its manufacturers by their names alone. */
static const char *unmarked(char out[NETBOX_TEXT], const char *vendor)
{
    text_format(out, NETBOX_TEXT, "%s", vendor);
    char *mark = strstr(out, ASSET_GUESS_MARK);
    if (mark)
        *mark = '\0';
    return out;
}

static void netbox_row(struct writing *w, const struct asset_cells *asset)
{
    char name[NETBOX_TEXT], text[NETBOX_TEXT], id[NETBOX_TEXT];
    const char *status = cell_of(asset, ASSET_COLUMN_status);
    cut(id, cell_of(asset, ASSET_COLUMN_asset_id), NETBOX_SERIAL);
    cut(name, label_of(asset), NETBOX_NAME);
    if (is_name_shared(w, asset)) { /* names are unique in a site */
        cut(name, label_of(asset), NETBOX_NAME > strlen(id) + 3 ? NETBOX_NAME - strlen(id) - 3 : 0);
        size_t used = strlen(name);
        text_format(name + used, sizeof name - used, "%s(%s)", used ? " " : "", id);
    }
    const char *const fields[] = {name, or_unknown(cell_of(asset, ASSET_COLUMN_asset_class))};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        asset_csv_cell(w->file, fields[i]);
        fputc(',', w->file);
    }
    char vendor[NETBOX_TEXT];
    unmarked(vendor, cell_of(asset, ASSET_COLUMN_vendor));
    const char *const made[] = {vendor, cell_of(asset, ASSET_COLUMN_model)};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        asset_csv_cell(w->file, cut(text, or_unknown(made[i]), NETBOX_TYPE));
        fputc(',', w->file);
    }
    asset_csv_cell(w->file, cut(text, cell_of(asset, ASSET_COLUMN_serial_number), NETBOX_SERIAL));
    fputc(',', w->file);
    asset_csv_cell(w->file, id);
    fprintf(w->file, ",%s,", strcmp(status, "silent") == 0 ? "offline" : "active");
    asset_csv_cell(w->file, cut(text, or_unknown(cell_of(asset, ASSET_COLUMN_site)), NETBOX_TYPE));
    fputc(',', w->file);
    asset_csv_cell(w->file,
                   cut(text, cell_of(asset, ASSET_COLUMN_description), NETBOX_DESCRIPTION));
    fputc(',', w->file);
    asset_csv_cell(w->file, netbox_comments(text, asset));
    fputs("\r\n", w->file);
}

/* --- CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/ --- */

static json_t *part(const char *type, const char *ref, const char *suffix, const char *name,
                    const char *version)
{
    json_t *object =
        json_pack("{s:s, s:s+, s:s}", "type", type, "bom-ref", ref, suffix, "name", name);
    if (version[0] != '\0')
        json_object_set_new(object, "version", json_string(version));
    return object;
}

/* The taxonomy of CycloneDX's registered names; the others are ours. */
static const char *property_name(char out[96], enum asset_column column)
{
    static const struct {
        enum asset_column column;
        const char *name;
    } registered[] = {
        {ASSET_COLUMN_asset_class,   "cdx:device:deviceType"  },
        {ASSET_COLUMN_role,          "cdx:device:function"    },
        {ASSET_COLUMN_location,      "cdx:device:location"    },
        {ASSET_COLUMN_serial_number, "cdx:device:serialNumber"},
        {ASSET_COLUMN_order_number,  "cdx:device:sku"         },
        {ASSET_COLUMN_mac,           "cdx:device:macAddress"  },
    };
    for (size_t i = 0; i < sizeof registered / sizeof *registered; i++)
        if (registered[i].column == column)
            return registered[i].name;
    text_format(out, 96, "sightglass:%s", asset_column_name(column));
    return out;
}

static json_t *properties(const struct asset_cells *asset)
{
    json_t *list = json_array();
    char name[96];
    for (int i = 0; i < ASSET_COLUMN_COUNT; i++) {
        enum asset_column column = (enum asset_column)i;
        if (asset->cells[i][0] != '\0')
            json_array_append_new(list, json_pack("{s:s, s:s}", "name", property_name(name, column),
                                                  "value", asset->cells[i]));
    }
    return list;
}

/* What runs in it, as parts of its own. */
static json_t *programs(const struct asset_cells *asset, const char *ref)
{
    const char *os = cell_of(asset, ASSET_COLUMN_os),
               *firmware = cell_of(asset, ASSET_COLUMN_firmware_version),
               *software = cell_of(asset, ASSET_COLUMN_software_version);
    json_t *list = json_array();
    if (firmware[0] != '\0')
        json_array_append_new(list, part("firmware", ref, "#firmware", "firmware", firmware));
    if (software[0] != '\0')
        json_array_append_new(list, part("application", ref, "#software", "software", software));
    if (os[0] != '\0')
        json_array_append_new(list, part("operating-system", ref, "#os", os, ""));
    return list;
}

static json_t *component_of(const struct asset_cells *asset)
{
    char ref[2 * ASSET_CELL_SIZE];
    text_format(ref, sizeof ref, "%s@%s", cell_of(asset, ASSET_COLUMN_asset_id),
                cell_of(asset, ASSET_COLUMN_sensor));
    const char *vendor = cell_of(asset, ASSET_COLUMN_vendor),
               *description = cell_of(asset, ASSET_COLUMN_description);
    json_t *object =
        part("device", ref, "", label_of(asset), cell_of(asset, ASSET_COLUMN_hardware_version));
    if (vendor[0] != '\0')
        json_object_set_new(object, "manufacturer", json_pack("{s:s}", "name", vendor));
    if (description[0] != '\0')
        json_object_set_new(object, "description", json_string(description));
    json_object_set_new(object, "properties", properties(asset));
    json_t *inside = programs(asset, ref);
    if (json_array_size(inside) > 0)
        json_object_set(object, "components", inside);
    json_decref(inside);
    return object;
}

static void component_write(struct writing *w)
{
    if (!w->component)
        return;
    fputs(w->components++ ? ",\n" : "\n", w->file);
    w->is_short_of_memory |= json_dumpf(w->component, w->file, JSON_COMPACT) != 0;
    json_decref(w->component);
    w->component = NULL;
}

static void cyclonedx_begin(struct writing *w)
{
    fputs("{\"$schema\":\"http://cyclonedx.org/schema/bom-1.6.schema.json\","
          "\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,\"components\":[",
          w->file);
}

static bool is_inside(const struct writing *w, const struct asset_cells *asset)
{
    const char *parent = cell_of(asset, ASSET_COLUMN_parent_asset_id);
    return w->component && parent[0] != '\0' && strcmp(parent, w->parent) == 0;
}

static void cyclonedx_row(struct writing *w, const struct asset_cells *asset)
{
    const char *seen = cell_of(asset, ASSET_COLUMN_last_seen);
    if (strcmp(seen, w->newest) > 0) /* RFC 3339 in UTC sorts as text */
        text_format(w->newest, sizeof w->newest, "%s", seen);
    json_t *component = component_of(asset);
    if (is_inside(w, asset)) {
        json_t *list = json_object_get(w->component, "components");
        if (!list) {
            list = json_array();
            json_object_set_new(w->component, "components", list);
        }
        json_array_append_new(list, component);
        return;
    }
    component_write(w);
    w->component = component;
    text_format(w->parent, sizeof w->parent, "%s", cell_of(asset, ASSET_COLUMN_asset_id));
}

static void cyclonedx_end(struct writing *w)
{
    component_write(w);
    fputs("\n],\"metadata\":{", w->file);
    if (w->newest[0] != '\0')
        fprintf(w->file, "\"timestamp\":\"%s\",", w->newest);
    fputs("\"tools\":{\"components\":[{\"type\":\"application\",\"name\":\"Sightglass\","
          "\"version\":\"" SIGHTGLASS_VERSION "\"}]}}}\n",
          w->file);
}

/* --- forms --- */

static const struct form {
    const char *name, *type;
    void (*begin)(struct writing *w);
    void (*row)(struct writing *w, const struct asset_cells *asset);
    void (*end)(struct writing *w);
    bool is_unique; /* needs to know which names are there twice */
} forms[ASSET_FORM_COUNT] = {
    [ASSET_FORM_CSV] = {"csv",       "text/csv; charset=utf-8; header=present",     csv_begin,    csv_row,       NULL,
                        false                                                                                                        },
    [ASSET_FORM_JSON] = {"json",      "application/json",                            array_begin,  array_row,     array_end,     false},
    [ASSET_FORM_NDJSON] = {"ndjson",    "application/x-ndjson",                        NULL,         line_row,      NULL,          false},
    [ASSET_FORM_NETBOX] = {"netbox",    "text/csv; charset=utf-8; header=present",     netbox_begin,
                        netbox_row,                                                                              NULL,          true },
    [ASSET_FORM_CYCLONEDX] = {"cyclonedx", "application/vnd.cyclonedx+json; version=1.6",
                        cyclonedx_begin,                                                          cyclonedx_row, cyclonedx_end, false},
};

bool asset_form_parse(enum asset_form *form, const char *name)
{
    for (int i = 0; i < ASSET_FORM_COUNT; i++)
        if (strcmp(forms[i].name, name) == 0) {
            *form = (enum asset_form)i;
            return true;
        }
    return false;
}

const char *asset_form_type(enum asset_form form)
{
    return forms[form].type;
}

struct pass {
    struct writing *writing;
    const struct asset_query *query; /* NULL: all */
    void (*row)(struct writing *w, const struct asset_cells *asset);
};

static bool pass_row(void *context, const struct asset_cells *asset)
{
    const struct pass *pass = context;
    struct writing *w = pass->writing;
    if (pass->query && !asset_query_matches(pass->query, asset))
        return true;
    pass->row(w, asset);
    w->count++;
    return !w->is_short_of_memory && !ferror(w->file);
}

bool assets_write_from(const struct asset_source *source, const struct asset_query *query,
                       enum asset_form form, const struct asset_choice *choice, FILE *file,
                       struct error *err)
{
    const struct form *f = &forms[form];
    struct writing w = {.file = file, .choice = choice};
    bool ok = true;
    if (f->is_unique) {
        struct pass names = {&w, query, name_keep};
        ok = source->each(source->context, pass_row, &names, err);
        if (w.name_count > 0)
            qsort(w.names, w.name_count, sizeof *w.names, by_hash);
        w.count = 0;
    }
    struct pass rows = {&w, query, f->row};
    if (ok && f->begin)
        f->begin(&w);
    ok = ok && source->each(source->context, pass_row, &rows, err);
    if (ok && f->end)
        f->end(&w);
    json_decref(w.component);
    free(w.names);
    if (ok && w.is_short_of_memory)
        return error_set(err, "not enough memory for the inventory");
    if (ok && (fflush(file) != 0 || ferror(file)))
        return error_set(err, "cannot write the inventory: output is closed or the disk is full");
    return ok;
}

static bool each_of_store(void *context,
                          bool (*row)(void *row_context, const struct asset_cells *asset),
                          void *row_context, struct error *err)
{
    return assets_export(context, row, row_context, err);
}

bool assets_write(struct store *store, const struct asset_query *query, enum asset_form form,
                  const struct asset_choice *choice, FILE *file, struct error *err)
{
    const struct asset_source source = {store, each_of_store};
    return assets_write_from(&source, query, form, choice, file, err);
}
