/* api_declared.c: the plant's own list of its devices: brought as CSV, and beside what was seen:
 * missing, extra, different. */
#include "answers.h"
#include "api.h"
#include "asset_list.h"
#include "baseline/declared.h"
#include "baseline/declared_match.h"
#include "routes.h"

#include <string.h>

enum { LINES_MAX = 2000, NAME_MAX = 200 }; /* lines of each kind in an answer; all are counted */

static const enum asset_column who[] = {ASSET_COLUMN_asset_id, ASSET_COLUMN_name, ASSET_COLUMN_ip,
                                        ASSET_COLUMN_mac, ASSET_COLUMN_serial_number};

enum kind { DIFFERENT, EXTRA, MISSING, KIND_COUNT };

static const char *const kinds[KIND_COUNT] = {"different", "extra", "missing"};

struct collecting {
    json_t *lists[KIND_COUNT];
    json_int_t counts[KIND_COUNT];
};

/* A line about an asset, to which the caller adds; NULL: there are enough, or there is no memory.
 */
static json_t *add_line(struct collecting *c, enum kind kind, size_t line,
                        const struct asset_cells *asset)
{
    c->counts[kind]++;
    if (json_array_size(c->lists[kind]) == LINES_MAX)
        return NULL;
    json_t *object = json_object();
    if (line)
        json_object_set_new(object, "line", json_integer((json_int_t)line));
    for (size_t i = 0; i < sizeof who / sizeof *who; i++)
        if (asset->cells[who[i]][0] != '\0')
            json_object_set_new(object, asset_column_name(who[i]),
                                json_text_of(asset->cells[who[i]]));
    json_array_append_new(c->lists[kind], object);
    return object;
}

static bool on_different(void *context, size_t line, const struct asset_cells *asset,
                         enum asset_column column, const char *declared, const char *seen)
{
    json_t *object = add_line(context, DIFFERENT, line, asset);
    json_object_set_new(object, "column", json_text_of(asset_column_name(column)));
    json_object_set_new(object, "declared", json_text_of(declared));
    json_object_set_new(object, "seen", json_text_of(seen));
    return true;
}

static bool on_extra(void *context, const struct asset_cells *asset)
{
    add_line(context, EXTRA, 0, asset);
    return true;
}

static bool on_missing(void *context, size_t line, const struct asset_cells *declared,
                       const char *why)
{
    json_t *object = add_line(context, MISSING, line, declared);
    json_object_set_new(object, "why", json_text_of(why));
    return true;
}

static json_t *list_json(const struct declared_head *head)
{
    if (head->name[0] == '\0')
        return json_null();
    return json_pack("{s:o, s:o, s:I, s:o}", "name", json_text_of(head->name), "by",
                     json_text_of(head->by), "rows", (json_int_t)head->rows, "time",
                     json_time_of(head->at_ms * 1000000));
}

enum MHD_Result api_declared(struct request *r)
{
    struct collecting c = {.counts = {0}};
    const struct declared_sink sink = {&c, on_different, on_extra, on_missing};
    struct declared_head head;
    struct error err = {""};
    declared_head(r->store, &head);
    for (int i = 0; i < KIND_COUNT; i++)
        c.lists[i] = json_array();
    bool ok = head.name[0] == '\0' || declared_diff(r->store, &sink, &err);
    json_t *json = json_pack("{s:o}", "list", list_json(&head)), *counts = json_object();
    for (int i = 0; i < KIND_COUNT; i++) {
        json_object_set_new(json, kinds[i], c.lists[i]);
        json_object_set_new(counts, kinds[i], json_integer(c.counts[i]));
    }
    json_object_set_new(json, "counts", counts);
    if (ok)
        return reply_json(r, MHD_HTTP_OK, json);
    json_decref(json);
    return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
}

/* --- another list --- */

struct declaring {
    const struct declared_list *list; /* NULL: none any more */
    const char *name, *by;
};

static bool declare(struct store *store, void *context, struct error *err)
{
    const struct declaring *d = context;
    return declared_put(store, d->list, d->name, d->by, now_ms(), err);
}

/* Every asset may now be declared, or not, or otherwise. */
static bool change_list(struct request *r, struct declaring *d, const char *name,
                        enum MHD_Result *result)
{
    if (!request_change(r, declare, d, "assets.declared", name, "", result))
        return false;
    asset_list_outdate(r->web->assets);
    answers_forget(r->web->answers); /* what was made of the list meanwhile */
    return true;
}

static enum MHD_Result take_list(struct request *r, const json_t *body)
{
    struct declared_list *list = NULL;
    struct declared_counts counts;
    struct error err = {""};
    const char *text = json_string_value(json_object_get(body, "text"));
    const char *name = object_text(body, "name", "list.csv");
    enum MHD_Result result;
    if (!text || !name || name[0] == '\0' || strlen(name) > NAME_MAX)
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "send the list (CSV) as text, and its name");
    if (!declared_parse(&list, text, strlen(text), &err))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, err.text);
    declared_counts(list, &counts);
    struct declaring d = {list, name, r->account.name};
    bool ok = change_list(r, &d, name, &result);
    declared_destroy(list);
    if (!ok)
        return result;
    return reply_json(r, MHD_HTTP_OK,
                      json_pack("{s:I, s:o}", "rows", (json_int_t)counts.rows, "passed_over",
                                json_text_of(counts.ignored_headings)));
}

enum MHD_Result api_declare(struct request *r)
{
    json_t *body = request_object(r);
    enum MHD_Result result = take_list(r, body);
    json_decref(body);
    return result;
}

enum MHD_Result api_undeclare(struct request *r)
{
    struct declaring d = {NULL, "", r->account.name};
    enum MHD_Result result;
    if (!change_list(r, &d, "removed", &result))
        return result;
    return reply_json(r, MHD_HTTP_OK, json_pack("{s:b}", "removed", true));
}
