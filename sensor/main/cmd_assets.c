/* cmd_assets.c: `sightglass assets`: the inventory of a store, for people, spreadsheets and
 * programs. */
#include "commands.h"

#include "baseline/asset_export.h"
#include "schemas.h"
#include "sensor/base/config.h"
#include "sensor/base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sightglass assets [-s FILE] [--format table|csv|json]\n"
    "  -s, --store FILE   the store (default: sightglass.db in the state directory)\n"
    "  --format FORMAT    table (default): a few columns for people; csv: all sixty; json: a line "
    "each\n";

/* What a person wants on one line of 120 characters. */
static const struct {
    const char *title;
    enum asset_column column;
    int width;
} shown[] = {
    {"IP",        ASSET_COLUMN_ip,               15},
    {"MAC",       ASSET_COLUMN_mac,              17},
    {"CLASS",     ASSET_COLUMN_asset_class,      11},
    {"NAME",      ASSET_COLUMN_name,             14},
    {"VENDOR",    ASSET_COLUMN_vendor,           12},
    {"MODEL",     ASSET_COLUMN_model,            15},
    {"SERVES",    ASSET_COLUMN_protocols_served, 13},
    {"LAST SEEN", ASSET_COLUMN_last_seen,        16},
};

/* At most width characters, padded; nothing that a terminal would obey. */
static void print_cell(const char *text, int width, bool is_padded)
{
    int printed = 0;
    while (*text != '\0' && printed < width) {
        unsigned char c = (unsigned char)*text;
        bool is_control =
            c < 0x20 || c == 0x7f ||
            (c == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0);
        putchar(is_control ? '?' : *text);
        text++;
        while (((unsigned char)*text & 0xc0) == 0x80) { /* the rest of a UTF-8 character */
            if (!is_control)
                putchar(*text);
            text++;
        }
        printed++;
    }
    if (is_padded)
        printf("%*s", width - printed, "");
}

static bool table_row(void *context, const struct asset_cells *asset)
{
    (void)context;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        bool is_last = i + 1 == sizeof shown / sizeof *shown;
        print_cell(asset->cells[shown[i].column], shown[i].width, !is_last);
        putchar(is_last ? '\n' : ' ');
    }
    return !ferror(stdout);
}

static bool csv_row(void *context, const struct asset_cells *asset)
{
    (void)context;
    asset_cells_csv(stdout, asset);
    return !ferror(stdout);
}

static bool json_row(void *context, const struct asset_cells *asset)
{
    (void)context;
    json_t *object = asset_cells_json(asset);
    bool ok = object && json_dumpf(object, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
    json_decref(object);
    return ok;
}

static void table_header(void)
{
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        printf("%-*s%c", shown[i].width, shown[i].title,
               i + 1 < sizeof shown / sizeof *shown ? ' ' : '\n');
}

static bool print_assets(const char *path, const char *format, struct error *err)
{
    struct store *store;
    if (!store_open(&store, path, STORE_READ_ONLY, store_schemas, err))
        return false;
    bool is_table = strcmp(format, "table") == 0, is_csv = strcmp(format, "csv") == 0;
    if (is_table)
        table_header();
    else if (is_csv)
        assets_csv_header(stdout);
    bool ok = assets_export(store, is_table ? table_row : is_csv ? csv_row : json_row, NULL, err);
    store_close(store);
    if (ok && (fflush(stdout) != 0 || ferror(stdout)))
        ok = error_set(err, "cannot write the inventory: output is closed or the disk is full");
    return ok;
}

int cmd_assets(int argc, char **argv)
{
    static const struct option options[] = {
        {"store",  required_argument, NULL, 's'},
        {"format", required_argument, NULL, 'f'},
        {"help",   no_argument,       NULL, 'h'},
        {NULL,     0,                 NULL, 0  }
    };
    struct config config;
    config_defaults(&config);
    char path[sizeof config.state_dir + 32];
    text_format(path, sizeof path, "%s/sightglass.db", config.state_dir);
    const char *store = path, *format = "table";
    int option;
    while ((option = getopt_long(argc, argv, "s:h", options, NULL)) != -1) {
        switch (option) {
        case 's':
            store = optarg;
            break;
        case 'f':
            format = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    bool is_known =
        strcmp(format, "table") == 0 || strcmp(format, "csv") == 0 || strcmp(format, "json") == 0;
    if (optind < argc || !is_known) {
        fputs(usage, stderr);
        return 2;
    }
    struct error err = {""};
    bool ok = print_assets(store, format, &err);
    if (!ok)
        fprintf(stderr, "sightglass assets: %s\n", err.text);
    return ok ? 0 : 1;
}
