/* cmd_assets.c: `sightglass assets`: the inventory of a store, for people, spreadsheets and
 * programs. */
#include "commands.h"

#include "assets_declared.h"
#include "baseline/asset_forms.h"
#include "schemas.h"
#include "sensor/base/config.h"
#include "sensor/base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sightglass assets [-s FILE] [--format FORMAT] [--columns A,B,C] [filters]\n"
    "       sightglass assets import LIST.csv|-    the plant's own list; see import --help\n"
    "       sightglass assets diff                 what it and the inventory say differently\n"
    "  -s, --store FILE   the store (default: sightglass.db in the state directory)\n"
    "  --format FORMAT    table (default): a few columns for people; csv, json, ndjson (an object "
    "a "
    "line):\n"
    "                     all sixty; netbox: for its import of devices; cyclonedx: hardware as "
    "CycloneDX 1.6\n"
    "  --columns A,B,C    these columns, in this order (table, csv, json, ndjson)\n"
    "  --class CLASS      plc, hmi, switch...      --zone ZONE    of the site policy\n"
    "  --vendor TEXT      a part of its name       --find TEXT    in a row, but for its peers and "
    "writers\n"
    "  --declared WHAT    yes, no, differs: as the plant's own list has it\n"
    "  --hosts            without what stands behind other assets (units, slots)\n";

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

static void table_header(void)
{
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        printf("%-*s%c", shown[i].width, shown[i].title,
               i + 1 < sizeof shown / sizeof *shown ? ' ' : '\n');
}

struct call {
    const char *store, *format;
    struct asset_query query;
    struct asset_choice choice;
    bool is_help, is_chosen;
    enum asset_form form;
};

/* Columns that a person chose: as wide as a terminal allows. */
enum { CHOSEN_WIDTH = 24 };

static bool chosen_row(void *context, const struct asset_cells *asset)
{
    const struct asset_choice *choice = context;
    for (size_t i = 0; i < choice->count; i++) {
        bool is_last = i + 1 == choice->count;
        print_cell(asset->cells[choice->columns[i]], is_last ? ASSET_CELL_SIZE : CHOSEN_WIDTH,
                   !is_last);
        putchar(is_last ? '\n' : ' ');
    }
    return !ferror(stdout);
}

static void chosen_header(const struct asset_choice *choice)
{
    for (size_t i = 0; i < choice->count; i++)
        printf("%-*s%c", i + 1 < choice->count ? CHOSEN_WIDTH : 0,
               asset_column_name((enum asset_column)choice->columns[i]),
               i + 1 < choice->count ? ' ' : '\n');
}

static bool print_table(struct store *store, struct call *call, struct error *err)
{
    if (call->is_chosen)
        chosen_header(&call->choice);
    else
        table_header();
    return assets_select(store, &call->query, call->is_chosen ? chosen_row : table_row,
                         &call->choice, err) &&
           ((fflush(stdout) == 0 && !ferror(stdout)) ||
            error_set(err, "cannot write the inventory: output is closed or the disk is full"));
}

static bool print_assets(struct call *call, struct error *err)
{
    struct store *store;
    if (!store_open(&store, call->store, STORE_READ_ONLY, store_schemas, err))
        return false;
    bool ok = strcmp(call->format, "table") == 0
                  ? print_table(store, call, err)
                  : assets_write(store, &call->query, call->form, &call->choice, stdout, err);
    store_close(store);
    return ok;
}

enum {
    OPTION_COLUMNS = 256,
    OPTION_CLASS,
    OPTION_ZONE,
    OPTION_VENDOR,
    OPTION_FIND,
    OPTION_HOSTS,
    OPTION_DECLARED
};

static const struct option options[] = {
    {"store",    required_argument, NULL, 's'            },
    {"format",   required_argument, NULL, 'f'            },
    {"columns",  required_argument, NULL, OPTION_COLUMNS },
    {"class",    required_argument, NULL, OPTION_CLASS   },
    {"zone",     required_argument, NULL, OPTION_ZONE    },
    {"vendor",   required_argument, NULL, OPTION_VENDOR  },
    {"find",     required_argument, NULL, OPTION_FIND    },
    {"declared", required_argument, NULL, OPTION_DECLARED},
    {"hosts",    no_argument,       NULL, OPTION_HOSTS   },
    {"help",     no_argument,       NULL, 'h'            },
    {NULL,       0,                 NULL, 0              }
};

static bool take(struct call *call, int option, struct error *err)
{
    switch (option) {
    case 's':
        call->store = optarg;
        return true;
    case 'f':
        call->format = optarg;
        return strcmp(optarg, "table") == 0 || asset_form_parse(&call->form, optarg) ||
               error_set(err, "--format %s: it is table, csv, json, ndjson, netbox or cyclonedx",
                         optarg);
    case OPTION_COLUMNS:
        call->is_chosen = true;
        return asset_choice_parse(&call->choice, optarg, err);
    case OPTION_CLASS:
        call->query.asset_class = optarg;
        return true;
    case OPTION_ZONE:
        call->query.zone = optarg;
        return true;
    case OPTION_VENDOR:
        call->query.vendor = optarg;
        return true;
    case OPTION_FIND:
        call->query.find = optarg;
        return true;
    case OPTION_DECLARED:
        call->query.declared = optarg;
        return strcmp(optarg, "yes") == 0 || strcmp(optarg, "no") == 0 ||
               strcmp(optarg, "differs") == 0 ||
               error_set(err, "--declared %s: it is yes, no or differs", optarg);
    case OPTION_HOSTS:
        call->query.is_host_only = true;
        return true;
    case 'h':
        call->is_help = true;
        return true;
    default:
        return error_set(err, "unknown option");
    }
}

int cmd_assets(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "import") == 0)
        return assets_import(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "diff") == 0)
        return assets_diff(argc - 1, argv + 1);
    struct config config;
    config_defaults(&config);
    char path[sizeof config.state_dir + 32];
    text_format(path, sizeof path, "%s/sightglass.db", config.state_dir);
    struct call call = {.store = path, .format = "table"};
    struct error err = {""};
    asset_choice_all(&call.choice);
    int option;
    while ((option = getopt_long(argc, argv, "s:h", options, NULL)) != -1)
        if (!take(&call, option, &err)) {
            fprintf(stderr, "sightglass assets: %s\n%s", err.text, usage);
            return 2;
        }
    if (call.is_help) {
        fputs(usage, stdout);
        return 0;
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    bool ok = print_assets(&call, &err);
    if (!ok)
        fprintf(stderr, "sightglass assets: %s\n", err.text);
    return ok ? 0 : 1;
}
