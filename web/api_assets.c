/* api_assets.c: the inventory as a list: filtered, sorted, in pages. */
#include "asset_list.h"
#include "routes.h"
#include "sensor/base/json_writer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASSETS_DEFAULT = 1000,
    ASSETS_MAX = 20000,
    WORDS_MAX = 8,
    FIND_SIZE = 256,
    FACET_VALUES_MAX = 200,
};

/* Columns whose values are few: offered as choices. */
static const enum asset_column facets[] = {ASSET_COLUMN_asset_class, ASSET_COLUMN_zone,
                                           ASSET_COLUMN_vendor};

/* What a request asks for; texts are borrowed from it. */
struct wish {
    char find[FIND_SIZE];
    const char *words[WORDS_MAX];
    size_t word_count;
    struct {
        enum asset_column column;
        const char *value;
    } equal[ASSET_COLUMN_COUNT];
    size_t equal_count;
    bool is_sorted, is_descending;
    enum asset_column sort;
    bool is_shown[ASSET_COLUMN_COUNT];
    int64_t limit, skip;
};

/* --- the wish --- */

static bool column_named(const char *name, size_t size, enum asset_column *column)
{
    for (size_t i = 0; i < ASSET_COLUMN_COUNT; i++) {
        const char *known = asset_column_name((enum asset_column)i);
        if (strlen(known) == size && memcmp(known, name, size) == 0) {
            *column = (enum asset_column)i;
            return true;
        }
    }
    return false;
}

static bool read_columns(struct wish *w, const char *list, const char **problem)
{
    for (size_t i = 0; i < ASSET_COLUMN_COUNT; i++)
        w->is_shown[i] = list[0] == '\0' || i == ASSET_COLUMN_asset_id;
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        enum asset_column column;
        if (!column_named(list, size, &column)) {
            *problem = "columns are names of columns, with commas between";
            return false;
        }
        w->is_shown[column] = true;
        list += size + (list[size] == ',');
    }
    return true;
}

static bool read_sort(struct wish *w, const char *sort, const char **problem)
{
    w->is_descending = sort[0] == '-';
    w->is_sorted = sort[0] != '\0';
    sort += w->is_descending;
    *problem = "sort is the name of a column, with - before it for the other way round";
    return !w->is_sorted || column_named(sort, strlen(sort), &w->sort);
}

static void read_words(struct wish *w, const char *find)
{
    text_format(w->find, sizeof w->find, "%s", find);
    for (char *at = w->find; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    char *rest = NULL;
    for (char *word = strtok_r(w->find, " ", &rest); word && w->word_count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        w->words[w->word_count++] = word;
}

static bool read_wish(const struct request *r, struct wish *w, const char **problem)
{
    *w = (struct wish){.word_count = 0};
    *problem = "limit is 1 to 20000, skip 0 or more";
    if (!request_number(r, "limit", 1, ASSETS_MAX, ASSETS_DEFAULT, &w->limit) ||
        !request_number(r, "skip", 0, INT32_MAX, 0, &w->skip))
        return false;
    read_words(w, request_text(r, "q"));
    for (size_t i = 0; i < ASSET_COLUMN_COUNT; i++) {
        const char *value = request_text(r, asset_column_name((enum asset_column)i));
        if (value[0] == '\0')
            continue;
        w->equal[w->equal_count].column = (enum asset_column)i;
        w->equal[w->equal_count++].value = value;
    }
    return read_sort(w, request_text(r, "sort"), problem) &&
           read_columns(w, request_text(r, "columns"), problem);
}

/* --- what fits --- */

static bool has_value(const char *cell, const char *value)
{
    size_t size = strlen(value);
    if (strcmp(value, "-") == 0) /* unknown */
        return cell[0] == '\0';
    while (*cell != '\0') {
        size_t length = strcspn(cell, ";");
        if (length == size && memcmp(cell, value, size) == 0)
            return true;
        cell += length + (cell[length] == ';');
    }
    return false;
}

static bool fits(const struct wish *w, const struct asset_line *line)
{
    for (size_t i = 0; i < w->equal_count; i++)
        if (!has_value(asset_line_cell(line, w->equal[i].column), w->equal[i].value))
            return false;
    for (size_t i = 0; i < w->word_count; i++)
        if (!asset_line_has(line, w->words[i]))
            return false;
    return true;
}

/* What is unknown comes last, either way; numbers inside texts count as numbers. */
static int by_column(const void *a, const void *b, void *context)
{
    const struct wish *w = context;
    const struct asset_line *x = *(struct asset_line *const *)a,
                            *y = *(struct asset_line *const *)b;
    const char *left = asset_line_lower(x, w->sort), *right = asset_line_lower(y, w->sort);
    if (left[0] == '\0' || right[0] == '\0')
        return (left[0] == '\0') - (right[0] == '\0');
    int order = strverscmp(left, right);
    if (order == 0)
        order = strcmp(asset_line_cell(x, ASSET_COLUMN_asset_id),
                       asset_line_cell(y, ASSET_COLUMN_asset_id));
    return w->is_descending ? -order : order;
}

/* Those that fit, in order; for the caller to free. NULL: out of memory. */
static struct asset_line **choose(struct wish *w, const struct asset_lines *all, size_t *count)
{
    struct asset_line **chosen = malloc((all->count + 1) * sizeof *chosen);
    *count = 0;
    if (!chosen)
        return NULL;
    for (size_t i = 0; i < all->count; i++)
        if (fits(w, all->lines[i]))
            chosen[(*count)++] = all->lines[i];
    if (w->is_sorted)
        qsort_r(chosen, *count, sizeof *chosen, by_column, w);
    return chosen;
}

/* --- the answer --- */

/* An object of the columns that are shown. */
static void put_asset(FILE *out, const struct wish *w, const struct asset_line *line)
{
    const char *between = "{";
    for (size_t i = 0; i < ASSET_COLUMN_COUNT; i++) {
        size_t size = 0;
        const char *member =
            w->is_shown[i] ? asset_line_json(line, (enum asset_column)i, &size) : NULL;
        if (size == 0)
            continue;
        fputs_unlocked(between, out);
        fwrite_unlocked(member, 1, size, out);
        between = ",";
    }
    fputs_unlocked(between[0] == '{' ? "{}" : "}", out);
}

/* How many assets have each value. */
static json_t *facet_json(const struct asset_lines *all, enum asset_column column)
{
    json_t *counts = json_object();
    for (size_t i = 0; counts && i < all->count; i++) {
        const char *cell = asset_line_cell(all->lines[i], column);
        json_t *count = cell[0] != '\0' ? json_object_get(counts, cell) : NULL;
        if (count)
            json_integer_set(count, json_integer_value(count) + 1);
        else if (cell[0] != '\0' && json_object_size(counts) < FACET_VALUES_MAX)
            json_object_set_new(counts, cell, json_integer(1));
    }
    return counts;
}

/* `,"facets":{...}` */
static void put_facets(FILE *out, const struct asset_lines *all)
{
    json_t *choices = json_object();
    for (size_t i = 0; i < sizeof facets / sizeof *facets; i++)
        json_object_set_new(choices, asset_column_name(facets[i]), facet_json(all, facets[i]));
    fputs(",\"facets\":", out);
    json_dumpf(choices, out, JSON_COMPACT);
    json_decref(choices);
}

static enum MHD_Result reply_list(struct request *r, const struct wish *w,
                                  const struct asset_lines *all, struct asset_line **chosen,
                                  size_t count)
{
    char *text = NULL;
    size_t size = 0, end = count;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    if ((uint64_t)w->skip < count && (uint64_t)w->limit < count - (size_t)w->skip)
        end = (size_t)(w->skip + w->limit);
    fputs("{\"assets\":[", out);
    for (size_t i = (size_t)w->skip; i < end; i++) {
        if (i > (size_t)w->skip)
            fputc(',', out);
        put_asset(out, w, chosen[i]);
    }
    fprintf(out, "],\"total\":%zu,\"matched\":%zu", all->count, count);
    if (request_text(r, "facets")[0] != '\0')
        put_facets(out, all);
    fputc('}', out);
    bool ok = !ferror(out);
    if (fclose(out) == 0 && ok)
        return reply_bytes(r, MHD_HTTP_OK, "application/json", text, size);
    free(text);
    return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
}

enum MHD_Result api_assets(struct request *r)
{
    struct wish wish;
    struct error err = {""};
    const char *problem;
    if (!read_wish(r, &wish, &problem))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, problem);
    const struct asset_lines *all = asset_list_take(r->web->assets, r->store, &err);
    if (!all)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    size_t count;
    struct asset_line **chosen = choose(&wish, all, &count);
    enum MHD_Result result = chosen ? reply_list(r, &wish, all, chosen, count)
                                    : reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    free(chosen);
    asset_list_give(r->web->assets, all);
    return result;
}
