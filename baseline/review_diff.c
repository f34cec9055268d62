/* review_diff.c: two documents beside each other: what one says and the other does not. */
#include "review_internal.h"

#include <stdlib.h>
#include <string.h>

struct line {
    enum baseline_kind kind;
    uint64_t id;
    size_t order;
    char *text;
};

struct lines {
    struct line *at; /* sorted by kind and id */
    size_t count, capacity;
};

static bool take(void *context, const struct baseline_row *row, const char *text)
{
    struct lines *l = context;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 256;
        struct line *at = realloc(l->at, capacity * sizeof *at);
        if (!at)
            return false;
        l->at = at;
        l->capacity = capacity;
    }
    char *copy = strdup(text);
    if (!copy)
        return false;
    l->at[l->count] = (struct line){row->kind, row->id, l->count, copy};
    l->count++;
    return true;
}

static void lines_release(struct lines *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->at[i].text);
    free(l->at);
}

static int compare_ids(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int compare_order(const void *a, const void *b)
{
    const struct line *x = *(const struct line *const *)a, *y = *(const struct line *const *)b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static const struct line *line_find(const struct lines *l, const struct line *wanted)
{
    return l->count ? bsearch(wanted, l->at, l->count, sizeof *l->at, compare_ids) : NULL;
}

/* The text without the id at its end: a range that was approved has another one. The tag of the
 * conversation's line is its whole text. */
static size_t said(const char *text)
{
    const char *id = strstr(text, ", id: ");
    return id ? (size_t)(id - text) : strlen(text);
}

static bool is_same(const struct line *a, const struct line *b)
{
    size_t size = said(a->text);
    return size == said(b->text) && memcmp(a->text, b->text, size) == 0;
}

static void print(FILE *out, char mark, const struct line *l)
{
    fprintf(out, "%c %s\n", mark, l->text);
}

static bool lines_of(struct lines *l, const struct review *d)
{
    if (!review_each_line(d, take, l))
        return false;
    if (l->count)
        qsort(l->at, l->count, sizeof *l->at, compare_ids);
    return true;
}

/* In the order of the documents: what has gone or changed, then what has come. */
static bool compare(const struct lines *before, const struct lines *after, FILE *out, size_t *count)
{
    size_t total = before->count + after->count;
    const struct line **listed = calloc(total + 1, sizeof *listed);
    if (!listed)
        return false;
    for (size_t i = 0; i < before->count; i++)
        listed[i] = &before->at[i];
    for (size_t i = 0; i < after->count; i++)
        listed[before->count + i] = &after->at[i];
    qsort(listed, before->count, sizeof *listed, compare_order);
    qsort(listed + before->count, after->count, sizeof *listed, compare_order);
    for (size_t i = 0; i < total; i++) {
        bool is_before = i < before->count;
        const struct line *other = line_find(is_before ? after : before, listed[i]);
        if (other && (!is_before || is_same(listed[i], other)))
            continue;
        print(out, is_before ? '-' : '+', listed[i]);
        if (other)
            print(out, '+', other);
        (*count)++;
    }
    free(listed);
    return true;
}

bool review_diff(const struct review *before, const struct review *after, FILE *out,
                 size_t *differences, struct error *err)
{
    struct lines a = {0}, b = {0};
    *differences = 0;
    bool ok = lines_of(&a, before) && lines_of(&b, after) && compare(&a, &b, out, differences);
    lines_release(&a);
    lines_release(&b);
    return ok || error_set(err, "no memory to compare two baselines");
}
