/* review.c: rows of a store in the order of a document, and the document as YAML and as tables.
 */
#include "review.h"

#include "learned.h"
#include "review_internal.h"
#include "sensor/base/json_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REVIEW_ROWS_MAX = 512 * 1024 };

bool review_add(struct review *d, const struct baseline_row *row)
{
    if (d->count == REVIEW_ROWS_MAX)
        return false;
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? d->capacity * 2 : 256;
        struct baseline_row *rows = realloc(d->rows, capacity * sizeof *rows);
        if (!rows)
            return false;
        d->rows = rows;
        d->capacity = capacity;
    }
    d->rows[d->count++] = *row;
    return true;
}

struct review *review_create(const char *sensor)
{
    struct review *d = calloc(1, sizeof *d);
    if (d)
        text_copy(d->sensor, sizeof d->sensor, text_of(sensor));
    return d;
}

void review_destroy(struct review *d)
{
    if (!d)
        return;
    free(d->rows);
    free(d);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_rows(const void *a, const void *b)
{
    const struct baseline_row *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : compare_numbers(x->id, y->id);
}

/* Of rows with the same id the one first seen last. */
static int compare_ages(const void *a, const void *b)
{
    const struct baseline_row *x = a, *y = b;
    int c = compare_rows(a, b);
    return c ? c : (x->first_ns < y->first_ns) - (x->first_ns > y->first_ns);
}

void review_sort(struct review *d)
{
    if (d->count > 0)
        qsort(d->rows, d->count, sizeof *d->rows, compare_ages);
}

/* What comes twice in a store: the first of them counts. Sorted before. */
static void unite(struct review *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++)
        if (kept == 0 || compare_rows(&d->rows[kept - 1], &d->rows[i]) != 0)
            d->rows[kept++] = d->rows[i];
    d->count = kept;
}

const struct baseline_row *review_find(const struct review *d, enum baseline_kind kind, uint64_t id)
{
    struct baseline_row wanted = {.kind = kind, .id = id};
    return d->count ? bsearch(&wanted, d->rows, d->count, sizeof *d->rows, compare_rows) : NULL;
}

static bool take_row(void *context, const struct baseline_row *row)
{
    return review_add(context, row);
}

bool review_read_store(struct review **document, struct store *store, const char *sensor,
                       struct error *err)
{
    struct review *d = review_create(sensor);
    if (!d)
        return error_set(err, "no memory for the baseline");
    if (!baseline_rows_read(store, sensor, BASELINE_KINDS, take_row, d, err)) {
        review_destroy(d);
        return false;
    }
    review_sort(d);
    unite(d);
    *document = d;
    return true;
}

bool review_write_store(const struct review *d, struct store *store, struct error *err)
{
    if (!store_exec(store, "BEGIN IMMEDIATE", err))
        return false;
    bool ok = baseline_rows_clear(store, d->sensor, err);
    for (size_t i = 0; i < d->count && ok; i++)
        ok = baseline_row_apply(store, &d->rows[i], sizeof d->rows[i], err);
    if (ok && store_exec(store, "COMMIT", err))
        return true;
    struct error ignored;
    if (!store_exec(store, "ROLLBACK", &ignored))
        return false;
    return false;
}

/* --- reading order --- */

static int compare_places(const struct place *x, const struct place *y)
{
    int c = (int)x->side - (int)y->side;
    c = c ? c : strcmp(x->unit, y->unit);
    c = c ? c : (int)x->is_write - (int)y->is_write;
    c = c ? c : strcmp(x->area, y->area);
    return c ? c : compare_numbers(x->number, y->number);
}

static int compare_children(const void *a, const void *b)
{
    const struct baseline_row *x = *(const struct baseline_row *const *)a,
                              *y = *(const struct baseline_row *const *)b;
    int c = (int)x->kind - (int)y->kind;
    if (c)
        return c;
    switch (x->kind) {
    case BASELINE_OPERATION:
        c = (int)x->is.operation.side - (int)y->is.operation.side;
        c = c ? c : strcmp(x->is.operation.unit, y->is.operation.unit);
        c = c ? c : memcmp(x->is.operation.code, y->is.operation.code, sizeof x->is.operation.code);
        break;
    case BASELINE_RANGE:
        c = compare_places(&x->is.range.place, &y->is.range.place);
        break;
    case BASELINE_TAG:
        c = compare_places(&x->is.tag.place, &y->is.tag.place);
        c = c ? c : strcmp(x->is.tag.name, y->is.tag.name);
        break;
    case BASELINE_POINT:
        c = compare_places(&x->is.point.place, &y->is.point.place);
        c = c ? c : strcmp(x->is.point.name, y->is.point.name);
        c = c ? c : compare_numbers(x->is.point.address, y->is.point.address);
        break;
    default:
        break;
    }
    return c ? c : compare_numbers(x->id, y->id);
}

struct listed {
    const struct baseline_row *pair, *conversation;
};

static const struct host *client_of(const struct listed *l)
{
    return &l->pair->is.pair.hosts[l->conversation->is.conversation.client & 1];
}

static const struct host *server_of(const struct listed *l)
{
    return &l->pair->is.pair.hosts[!(l->conversation->is.conversation.client & 1)];
}

static int compare_listed(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    int c = compare_numbers(x->pair->is.pair.segment, y->pair->is.pair.segment);
    c = c ? c : memcmp(server_of(x), server_of(y), sizeof(struct host));
    c = c ? c : memcmp(client_of(x), client_of(y), sizeof(struct host));
    return c ? c
             : strcmp(x->conversation->is.conversation.protocol,
                      y->conversation->is.conversation.protocol);
}

static int compare_parents(const void *a, const void *b)
{
    const struct baseline_row *x = *(const struct baseline_row *const *)a,
                              *y = *(const struct baseline_row *const *)b;
    int c = compare_numbers(row_parent(x), row_parent(y));
    return c ? c : compare_children(a, b);
}

/* Conversations in reading order and, sorted by their conversation, what is known of each. */
struct view {
    struct listed *listed;
    size_t count;
    const struct baseline_row **children;
    size_t child_count;
};

static bool view_make(struct view *v, const struct review *d)
{
    *v = (struct view){.listed = calloc(d->count + 1, sizeof *v->listed),
                       .children = calloc(d->count + 1, sizeof *v->children)};
    if (!v->listed || !v->children)
        return false;
    for (size_t i = 0; i < d->count; i++) {
        const struct baseline_row *row = &d->rows[i];
        if (row->kind == BASELINE_CONVERSATION) {
            const struct baseline_row *pair =
                review_find(d, BASELINE_PAIR, row->is.conversation.pair);
            if (pair)
                v->listed[v->count++] = (struct listed){pair, row};
        } else if (row->kind > BASELINE_CONVERSATION) {
            v->children[v->child_count++] = row;
        }
    }
    qsort(v->listed, v->count, sizeof *v->listed, compare_listed);
    qsort(v->children, v->child_count, sizeof *v->children, compare_parents);
    return true;
}

static void view_release(struct view *v)
{
    free(v->listed);
    free(v->children);
}

/* The first child of a conversation; they follow each other, by kind. */
static size_t first_child(const struct view *v, uint64_t conversation)
{
    size_t low = 0, high = v->child_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (row_parent(v->children[middle]) < conversation)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t each_child(const struct view *v, const struct listed *l, enum baseline_kind first,
                         enum baseline_kind last,
                         void (*tell)(const struct listed *l, const struct baseline_row *row,
                                      FILE *out),
                         FILE *out, const char *heading)
{
    size_t told = 0;
    for (size_t i = first_child(v, l->conversation->id); i < v->child_count; i++) {
        const struct baseline_row *row = v->children[i];
        if (row_parent(row) != l->conversation->id)
            break;
        if (row->kind < first || row->kind > last ||
            (row->kind == BASELINE_RANGE && row->is.range.set.count == 0))
            continue;
        if (told++ == 0 && heading)
            fputs(heading, out);
        tell(l, row, out);
    }
    return told;
}

/* --- YAML --- */

static void quote(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void write_tail(const struct listed *l, const struct baseline_row *row, uint8_t side,
                       FILE *out)
{
    if (side != l->conversation->is.conversation.client)
        fputs(", by: server", out);
    fprintf(out, ", state: %s, id: %016" PRIx64 "}\n", entry_state_name(row->state), row->id);
}

static void write_operation(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    const struct operation_facts *f = &row->is.operation;
    fputs("      - {unit: ", out);
    quote(out, f->unit);
    fprintf(out, ", operation: %s, code: ", operation_name(f->operation));
    quote(out, f->code_text);
    fputs(", name: ", out);
    quote(out, f->name);
    fprintf(out, ", numbers: %u.%u.%u.%u", f->code[0], f->code[1], f->code[2], f->code[3]);
    write_tail(l, row, f->side, out);
}

static void write_place(const struct place *p, FILE *out)
{
    fputs("      - {unit: ", out);
    quote(out, p->unit);
    fprintf(out, ", access: %s, area: ", p->is_write ? "write" : "read");
    quote(out, p->area);
    if (p->has_number)
        fprintf(out, ", number: %u", p->number);
}

static void write_object(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    const struct place *p = row->kind == BASELINE_RANGE ? &row->is.range.place : &row->is.tag.place;
    write_place(p, out);
    if (row->kind == BASELINE_RANGE) {
        char ranges[INTERVALS_TEXT];
        fprintf(out, ", ranges: \"%s\"",
                interval_set_print(&row->is.range.set, ranges, sizeof ranges));
    } else {
        fputs(", tag: ", out);
        quote(out, row->is.tag.name);
    }
    write_tail(l, row, p->side, out);
}

static void write_value(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    const struct point_facts *f = &row->is.point;
    write_place(&f->place, out);
    if (*f->name) {
        fputs(", tag: ", out);
        quote(out, f->name);
    }
    fprintf(out, ", address: %" PRIu64, f->address);
    if (f->place.is_bit)
        fprintf(out, ", bit: %u", f->place.bit);
    fprintf(out, ", low: %.17g, high: %.17g", f->low, f->high);
    write_tail(l, row, f->place.side, out);
}

bool review_write_yaml(const struct review *d, FILE *out, struct error *err)
{
    struct view v;
    if (!view_make(&v, d)) {
        view_release(&v);
        return error_set(err, "no memory for the baseline");
    }
    fputs("# What is normal in this plant. Edit and give it back to `sightglass baseline import`; "
          "what is not here is\n"
          "# forgotten. An entry is learned, pending (seen after learning) or rejected.\nversion: "
          "1\nsensor: ",
          out);
    quote(out, d->sensor);
    fprintf(out, "\nconversations:%s\n", v.count ? "" : " []");
    for (size_t i = 0; i < v.count; i++) {
        const struct listed *l = &v.listed[i];
        const struct conversation_facts *c = &l->conversation->is.conversation;
        char host[HOST_TEXT], since[TIME_TEXT_SIZE];
        fprintf(out, "  - client: \"%s\"\n", host_print(host, client_of(l)));
        fprintf(out, "    server: \"%s\"\n", host_print(host, server_of(l)));
        fprintf(out, "    segment: %u\n    protocol: ", l->pair->is.pair.segment);
        quote(out, c->protocol);
        fprintf(out,
                "\n    state: %s\n    since: %s\n    id: %016" PRIx64 "\n    writes_in_10s: %u\n",
                entry_state_name(l->conversation->state),
                time_print(since, l->conversation->first_ns), l->conversation->id, c->writes_max);
        each_child(&v, l, BASELINE_OPERATION, BASELINE_OPERATION, write_operation, out,
                   "    operations:\n");
        each_child(&v, l, BASELINE_RANGE, BASELINE_TAG, write_object, out, "    objects:\n");
        each_child(&v, l, BASELINE_POINT, BASELINE_POINT, write_value, out, "    values:\n");
    }
    view_release(&v);
    return ferror(out) ? error_set(err, "cannot write the document") : true;
}

static void write_line(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    if (row->kind == BASELINE_OPERATION)
        write_operation(l, row, out);
    else if (row->kind == BASELINE_POINT)
        write_value(l, row, out);
    else
        write_object(l, row, out);
}

static bool put_line(const struct listed *l, const struct baseline_row *row,
                     bool (*put)(void *context, const struct baseline_row *row, const char *text),
                     void *context)
{
    char client[HOST_TEXT], server[HOST_TEXT], *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return false;
    fprintf(out, "%s > %s %s", host_print(client, client_of(l)), host_print(server, server_of(l)),
            l->conversation->is.conversation.protocol);
    if (row == l->conversation)
        fprintf(out, ": %s, at most %u writes in 10 s", entry_state_name(row->state),
                row->is.conversation.writes_max);
    else
        write_line(l, row, out);
    bool ok = fclose(out) == 0;
    if (ok) {
        text[strcspn(text, "\n")] = '\0';
        ok = put(context, row, text);
    }
    free(text);
    return ok;
}

bool review_each_line(const struct review *d,
                      bool (*put)(void *context, const struct baseline_row *row, const char *text),
                      void *context)
{
    struct view v;
    bool ok = view_make(&v, d);
    for (size_t i = 0; ok && i < v.count; i++) {
        const struct listed *l = &v.listed[i];
        ok = put_line(l, l->conversation, put, context);
        for (size_t k = first_child(&v, l->conversation->id); ok && k < v.child_count; k++) {
            const struct baseline_row *row = v.children[k];
            if (row_parent(row) != l->conversation->id)
                break;
            bool is_said = row->kind <= BASELINE_POINT &&
                           (row->kind != BASELINE_RANGE || row->is.range.set.count > 0);
            if (is_said)
                ok = put_line(l, row, put, context);
        }
    }
    view_release(&v);
    return ok;
}

/* --- tables for people --- */

static const char *const dimension_names[] = {"conversations", "operations", "objects", "values",
                                              "timing"};

const char *review_dimension_name(enum review_dimension dimension)
{
    return dimension < REVIEW_DIMENSIONS ? dimension_names[dimension] : "";
}

static void show_conversation(const struct listed *l, int64_t settle_min_ns, FILE *out)
{
    char client[HOST_TEXT], server[HOST_TEXT], first[SINCE_TEXT], last[SINCE_TEXT],
        operations[SETTLE_TEXT], objects[SETTLE_TEXT];
    const struct baseline_row *row = l->conversation;
    fprintf(out, "%-17s %-17s %-12s %-8s %s  %s %9" PRIu64 "  %-70s %s\n",
            host_print(client, client_of(l)), host_print(server, server_of(l)),
            row->is.conversation.protocol, entry_state_name(row->state),
            since_print(first, row->first_ns), since_print(last, row->last_ns), row->count,
            settle_print(&row->is.conversation.operations, settle_min_ns, operations,
                         sizeof operations),
            settle_print(&row->is.conversation.objects, settle_min_ns, objects, sizeof objects));
}

static void show_head(const struct listed *l, const struct baseline_row *row, uint8_t side,
                      FILE *out)
{
    char actor[HOST_TEXT], target[HOST_TEXT];
    const struct host *hosts = l->pair->is.pair.hosts;
    fprintf(out, "%016" PRIx64 " %-8s %-17s %-17s %-10s ", row->id, entry_state_name(row->state),
            host_print(actor, &hosts[side & 1]), host_print(target, &hosts[!(side & 1)]),
            l->conversation->is.conversation.protocol);
}

static void show_tail(const struct baseline_row *row, FILE *out)
{
    char first[SINCE_TEXT], last[SINCE_TEXT];
    fprintf(out, "  %s  %s %8" PRIu64 "\n", since_print(first, row->first_ns),
            since_print(last, row->last_ns), row->count);
}

static void show_operation(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    const struct operation_facts *f = &row->is.operation;
    show_head(l, row, f->side, out);
    fprintf(out, "%-6s %-14s %-24s %-28s", f->unit, operation_name(f->operation), f->code_text,
            f->name);
    show_tail(row, out);
}

static void show_object(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    char ranges[INTERVALS_TEXT];
    const struct place *p = row->kind == BASELINE_RANGE ? &row->is.range.place : &row->is.tag.place;
    show_head(l, row, p->side, out);
    fprintf(out, "%-6s %-6s %s", p->unit, p->is_write ? "writes" : "reads", p->area);
    if (p->has_number)
        fprintf(out, " %u", p->number);
    fprintf(out, " %s",
            row->kind == BASELINE_RANGE
                ? interval_set_print(&row->is.range.set, ranges, sizeof ranges)
                : row->is.tag.name);
    show_tail(row, out);
}

static void show_value(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    const struct point_facts *f = &row->is.point;
    show_head(l, row, f->place.side, out);
    fprintf(out, "%-6s %s", f->place.unit, f->place.area);
    if (f->place.has_number)
        fprintf(out, " %u", f->place.number);
    if (*f->name)
        fprintf(out, " %s", f->name);
    else
        fprintf(out, " %" PRIu64, f->address);
    fprintf(out, ": %.10g to %.10g, %" PRIu64 " times", f->low, f->high, f->values);
    show_tail(row, out);
}

static void show_place(const struct place *p, const char *name, FILE *out)
{
    fprintf(out, "%-6s %s", p->unit, p->area);
    if (p->has_number)
        fprintf(out, " %u", p->number);
    if (*name)
        fprintf(out, " %s", name);
}

static void show_timing(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    const struct block_facts *f = &row->is.block;
    show_head(l, row, f->place.side, out);
    show_place(&f->place, f->name, out);
    if (!*f->name)
        fprintf(out, " %" PRIu64 "+%u", f->address, f->size);
    if (f->periods > 0)
        fprintf(out, ": every %.3g to %.3g s", f->period_low, f->period_high);
    else
        fputs(": too rare for a period", out);
    show_tail(row, out);
}

/* The variables of a page that are judged. */
static void show_page(const struct listed *l, const struct baseline_row *row, FILE *out)
{
    const struct page_facts *f = &row->is.page;
    for (uint32_t i = 0; i < PAGE_VARIABLES; i++) {
        const struct variable *v = &f->variables[i];
        uint32_t index = f->page * PAGE_VARIABLES + i;
        char normal[VARIABLE_TEXT];
        if (!variable_is_judged(v))
            continue;
        show_head(l, row, f->place.side, out);
        show_place(&f->place, f->name, out);
        if (!*f->name)
            fprintf(out, " %" PRIu64 "+%u", f->address, f->size);
        fprintf(out, ", value %u: reported %s", index + 1,
                variable_print(v, normal, sizeof normal));
        show_tail(row, out);
    }
}

void review_show(const struct review *d, enum review_dimension dimension, int64_t settle_min_ns,
                 FILE *out)
{
    struct view v;
    char why[SETTLE_TEXT];
    size_t told = 0;
    if (view_make(&v, d)) {
        for (size_t i = 0; i < d->count && d->rows[i].kind == BASELINE_LINKS; i++)
            fprintf(out, "pairs of devices: %s\n",
                    settle_print(&d->rows[i].is.links, settle_min_ns, why, sizeof why));
        if (dimension == REVIEW_CONVERSATIONS && v.count)
            fprintf(out, "%-17s %-17s %-12s %-8s %-16s  %-16s %9s  %-70s %s\n", "CLIENT", "SERVER",
                    "PROTOCOL", "STATE", "FIRST SEEN", "LAST SEEN", "MESSAGES", "OPERATIONS",
                    "OBJECTS");
        for (size_t i = 0; i < v.count; i++) {
            const struct listed *l = &v.listed[i];
            if (dimension == REVIEW_CONVERSATIONS)
                show_conversation(l, settle_min_ns, out);
            else if (dimension == REVIEW_OPERATIONS)
                told += each_child(&v, l, BASELINE_OPERATION, BASELINE_OPERATION, show_operation,
                                   out, NULL);
            else if (dimension == REVIEW_OBJECTS)
                told += each_child(&v, l, BASELINE_RANGE, BASELINE_TAG, show_object, out, NULL);
            else if (dimension == REVIEW_TIMING)
                told += each_child(&v, l, BASELINE_BLOCK, BASELINE_BLOCK, show_timing, out, NULL);
            else
                told += each_child(&v, l, BASELINE_POINT, BASELINE_POINT, show_value, out, NULL) +
                        each_child(&v, l, BASELINE_PAGE, BASELINE_PAGE, show_page, out, NULL);
        }
        if (v.count == 0 || (dimension != REVIEW_CONVERSATIONS && told == 0))
            fputs("nothing has been learned yet\n", out);
    }
    view_release(&v);
}
