/* assets_declared.c: see assets_declared.h. */
#include "assets_declared.h"

#include "baseline/asset_forms.h"
#include "baseline/declared.h"
#include "baseline/declared_match.h"
#include "schemas.h"
#include "sensor/base/config.h"
#include "sensor/base/csv.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATH_SIZE = 4096, BY_SIZE = 64, OPTION_BY = 256, OPTION_REMOVE };

static const char import_usage[] =
    "usage: sightglass assets import [-s FILE] [--by NAME] LIST.csv|-\n"
    "       sightglass assets import [-s FILE] --remove\n"
    "  the plant's list of its devices takes the place of the one before; what is missing, extra\n"
    "  or different is shown by 'sightglass assets diff' and in the column declared_match\n";
static const char diff_usage[] =
    "usage: sightglass assets diff [-s FILE] [--format table|csv|json]\n"
    "  the declared list beside what was seen: missing, extra, different\n";

struct call {
    char store[PATH_SIZE];
    const char *by, *format, *list;
    bool is_remove, is_help;
};

static void begin(struct call *call)
{
    struct config config;
    config_defaults(&config);
    *call = (struct call){.by = "", .format = "table"};
    text_format(call->store, sizeof call->store, "%s/sightglass.db", config.state_dir);
}

static bool take(struct call *call, int option)
{
    switch (option) {
    case 's':
        text_copy(call->store, sizeof call->store, text_of(optarg));
        return strlen(optarg) < sizeof call->store;
    case 'f':
        call->format = optarg;
        return strcmp(optarg, "table") == 0 || strcmp(optarg, "csv") == 0 ||
               strcmp(optarg, "json") == 0;
    case OPTION_BY:
        call->by = optarg;
        return strlen(optarg) < BY_SIZE;
    case OPTION_REMOVE:
        call->is_remove = true;
        return true;
    case 'h':
        call->is_help = true;
        return true;
    default:
        return false;
    }
}

/* False: the exit status is *status. */
static bool read_options(struct call *call, int argc, char **argv, const struct option *options,
                         const char *usage, int *status)
{
    int option;
    begin(call);
    optind = 1;
    while ((option = getopt_long(argc, argv, "s:h", options, NULL)) != -1)
        if (!take(call, option)) {
            fputs(usage, stderr);
            *status = 2;
            return false;
        }
    call->list = optind < argc ? argv[optind++] : NULL;
    if (call->is_help) {
        fputs(usage, stdout);
        *status = 0;
        return false;
    }
    return true;
}

/* --- import --- */

/* The whole file; for the caller to free. */
static char *file_read(const char *path, size_t *size, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (!file) {
        error_set(err, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    char *bytes = malloc(CSV_BYTES_MAX + 1);
    *size = bytes ? fread(bytes, 1, CSV_BYTES_MAX + 1, file) : 0;
    bool is_read = bytes && !ferror(file);
    if (!is_read)
        error_set(err, "cannot read %s: %s", path, bytes ? strerror(errno) : "not enough memory");
    if (!is_stdin)
        fclose(file);
    if (is_read)
        return bytes;
    free(bytes);
    return NULL;
}

static struct declared_list *list_read(const char *path, struct error *err)
{
    struct declared_list *list = NULL;
    struct error why = {""};
    size_t size = 0;
    char *bytes = file_read(path, &size, err);
    if (bytes && !declared_parse(&list, bytes, size, &why))
        error_set(err, "%s: %s", path, why.text);
    free(bytes);
    return list;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

struct totals {
    size_t different, differing, extra, missing;
    char last[ASSET_CELL_SIZE]; /* asset that differs */
};

static bool count_different(void *context, size_t line, const struct asset_cells *asset,
                            enum asset_column column, const char *declared, const char *seen)
{
    struct totals *t = context;
    const char *id = asset->cells[ASSET_COLUMN_asset_id];
    (void)line, (void)column, (void)declared, (void)seen;
    t->differing++;
    t->different += strcmp(t->last, id) != 0;
    text_format(t->last, sizeof t->last, "%s", id);
    return true;
}

static bool count_extra(void *context, const struct asset_cells *asset)
{
    struct totals *t = context;
    (void)asset;
    t->extra++;
    return true;
}

static bool count_missing(void *context, size_t line, const struct asset_cells *declared,
                          const char *why)
{
    struct totals *t = context;
    (void)line, (void)declared, (void)why;
    t->missing++;
    return true;
}

static bool tell_totals(struct store *store, FILE *out, struct error *err)
{
    struct totals t = {.missing = 0};
    const struct declared_sink sink = {&t, count_different, count_extra, count_missing};
    struct declared_head head;
    if (!declared_diff(store, &sink, err))
        return false;
    declared_head(store, &head);
    fprintf(out, "%s: %zu declared, %zu missing, %zu extra, %zu different in %zu columns\n",
            head.name, head.rows, t.missing, t.extra, t.different, t.differing);
    return true;
}

static bool import_list(struct store *store, const struct call *call, struct error *err)
{
    struct timespec now;
    struct declared_counts counts;
    struct declared_list *list = list_read(call->list, err);
    if (!list)
        return false;
    clock_gettime(CLOCK_REALTIME, &now);
    declared_counts(list, &counts);
    bool ok = declared_save(store, list, name_of(call->list), call->by,
                            now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000, err);
    declared_destroy(list);
    if (ok && counts.ignored > 0)
        printf("passed over %zu columns that have no meaning here: %s\n", counts.ignored,
               counts.ignored_headings);
    return ok && tell_totals(store, stdout, err);
}

int assets_import(int argc, char **argv)
{
    static const struct option options[] = {
        {"store",  required_argument, NULL, 's'          },
        {"by",     required_argument, NULL, OPTION_BY    },
        {"remove", no_argument,       NULL, OPTION_REMOVE},
        {"help",   no_argument,       NULL, 'h'          },
        {NULL,     0,                 NULL, 0            }
    };
    struct call call;
    struct store *store;
    struct error err = {""};
    int status;
    if (!read_options(&call, argc, argv, options, import_usage, &status))
        return status;
    if (!call.list == !call.is_remove || optind < argc) {
        fputs(import_usage, stderr);
        return 2;
    }
    bool ok = store_open(&store, call.store, STORE_READ_WRITE, store_schemas, &err);
    if (ok) {
        ok = call.is_remove ? declared_remove(store, &err) : import_list(store, &call, &err);
        store_close(store);
    }
    if (!ok)
        fprintf(stderr, "sightglass assets import: %s\n", err.text);
    return ok ? 0 : 1;
}

/* --- diff --- */

static const enum asset_column who[] = {ASSET_COLUMN_asset_id, ASSET_COLUMN_name, ASSET_COLUMN_ip,
                                        ASSET_COLUMN_mac, ASSET_COLUMN_serial_number};

enum { WHO = sizeof who / sizeof *who };

/* One difference; what does not apply is "". */
struct line {
    const char *kind;
    size_t line; /* 0: none */
    const struct asset_cells *asset;
    const char *column, *declared, *seen;
};

struct printing {
    void (*put)(struct printing *p, const struct line *line);
    json_t *lists; /* of the JSON form */
};

static const char *label_of(const struct asset_cells *asset)
{
    static const enum asset_column best[] = {
        ASSET_COLUMN_name, ASSET_COLUMN_hostname,      ASSET_COLUMN_ip,
        ASSET_COLUMN_mac,  ASSET_COLUMN_serial_number, ASSET_COLUMN_asset_id};
    for (size_t i = 0; i < sizeof best / sizeof *best; i++)
        if (asset->cells[best[i]][0] != '\0')
            return asset->cells[best[i]];
    return "";
}

/* What came from a file or the wire must not steer a terminal. */
static void put_shown(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_control = c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0);
        putchar(is_control ? '?' : c);
    }
}

static void put_table(struct printing *p, const struct line *l)
{
    (void)p;
    printf("%-10s", l->kind);
    if (l->line)
        printf("line %-6zu", l->line);
    else
        printf("%-11s", "");
    put_shown(label_of(l->asset));
    const char *ip = l->asset->cells[ASSET_COLUMN_ip];
    if (ip[0] != '\0' && strcmp(ip, label_of(l->asset)) != 0)
        printf(" (%s)", ip);
    if (l->column[0] != '\0') {
        printf(": %s is declared ", l->column);
        put_shown(l->declared);
        fputs(", seen ", stdout);
    } else if (l->seen[0] != '\0') {
        fputs(": ", stdout);
    }
    put_shown(l->seen);
    putchar('\n');
}

static void put_csv(struct printing *p, const struct line *l)
{
    char number[24] = "";
    (void)p;
    if (l->line)
        text_format(number, sizeof number, "%zu", l->line);
    asset_csv_cell(stdout, l->kind);
    putchar(',');
    asset_csv_cell(stdout, number);
    for (size_t i = 0; i < WHO; i++) {
        putchar(',');
        asset_csv_cell(stdout, l->asset->cells[who[i]]);
    }
    const char *const rest[] = {l->column, l->declared, l->seen};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        putchar(',');
        asset_csv_cell(stdout, rest[i]);
    }
    fputs("\r\n", stdout);
}

static void put_json(struct printing *p, const struct line *l)
{
    json_t *object = json_object();
    if (l->line)
        json_object_set_new(object, "line", json_integer((json_int_t)l->line));
    for (size_t i = 0; i < WHO; i++)
        if (l->asset->cells[who[i]][0] != '\0')
            json_object_set_new(object, asset_column_name(who[i]),
                                json_string(l->asset->cells[who[i]]));
    if (l->column[0] != '\0') {
        json_object_set_new(object, "column", json_string(l->column));
        json_object_set_new(object, "declared", json_string(l->declared));
    }
    if (l->seen[0] != '\0')
        json_object_set_new(object, l->column[0] != '\0' ? "seen" : "why", json_string(l->seen));
    json_array_append_new(json_object_get(p->lists, l->kind), object);
}

static bool put_different(void *context, size_t line, const struct asset_cells *asset,
                          enum asset_column column, const char *declared, const char *seen)
{
    struct printing *p = context;
    p->put(p, &(struct line){"different", line, asset, asset_column_name(column), declared, seen});
    return !ferror(stdout);
}

static bool put_extra(void *context, const struct asset_cells *asset)
{
    struct printing *p = context;
    p->put(p, &(struct line){"extra", 0, asset, "", "", ""});
    return !ferror(stdout);
}

static bool put_missing(void *context, size_t line, const struct asset_cells *declared,
                        const char *why)
{
    struct printing *p = context;
    p->put(p, &(struct line){"missing", line, declared, "", "", why});
    return !ferror(stdout);
}

static bool print_json(struct store *store, const json_t *lists)
{
    struct declared_head head;
    declared_head(store, &head);
    json_t *document = json_pack("{s:{s:s, s:I, s:s}}", "list", "name", head.name, "rows",
                                 (json_int_t)head.rows, "by", head.by);
    json_object_update(document, (json_t *)(uintptr_t)lists);
    bool ok = document && json_dumpf(document, stdout, JSON_INDENT(1)) == 0;
    json_decref(document);
    putchar('\n');
    return ok;
}

static bool print_diff(struct store *store, const char *format, struct error *err)
{
    struct printing p = {.put = put_table};
    const struct declared_sink sink = {&p, put_different, put_extra, put_missing};
    bool is_json = strcmp(format, "json") == 0;
    if (strcmp(format, "csv") == 0) {
        p.put = put_csv;
        fputs("kind,line,asset_id,name,ip,mac,serial_number,column,declared,seen\r\n", stdout);
    } else if (is_json) {
        p.put = put_json;
        p.lists = json_pack("{s:[], s:[], s:[]}", "different", "extra", "missing");
    }
    bool ok = declared_diff(store, &sink, err);
    if (ok && is_json && !print_json(store, p.lists))
        ok = error_set(err, "not enough memory");
    json_decref(p.lists);
    return ok && ((fflush(stdout) == 0 && !ferror(stdout)) ||
                  error_set(err, "cannot write: output is closed or the disk is full"));
}

int assets_diff(int argc, char **argv)
{
    static const struct option options[] = {
        {"store",  required_argument, NULL, 's'},
        {"format", required_argument, NULL, 'f'},
        {"help",   no_argument,       NULL, 'h'},
        {NULL,     0,                 NULL, 0  }
    };
    struct call call;
    struct store *store;
    struct error err = {""};
    int status;
    if (!read_options(&call, argc, argv, options, diff_usage, &status))
        return status;
    if (call.list) {
        fputs(diff_usage, stderr);
        return 2;
    }
    bool ok = store_open(&store, call.store, STORE_READ_ONLY, store_schemas, &err);
    if (ok) {
        ok = print_diff(store, call.format, &err) && tell_totals(store, stderr, &err);
        store_close(store);
    }
    if (!ok)
        fprintf(stderr, "sightglass assets diff: %s\n", err.text);
    return ok ? 0 : 1;
}
