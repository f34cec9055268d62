/* asset_list.c: see asset_list.h. */
#include "asset_list.h"

#include "sensor/base/json_writer.h"
#include "sensor/base/log.h"
#include "store_mark.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MEMBER_SIZE = 6 * ASSET_CELL_SIZE + 128, /* each byte as \\u00xx, with the column's name */
    QUICK_MS = 60, /* an inventory that is read in this time is read by who asks for it */
    STEP_NS = 5000000,
    PAUSE_MS = 250, /* between two readings, at least; ten times what one took, for a large one */
};

/* --- one asset --- */

struct asset_line {
    atomic_uint uses;
    size_t size; /* of text, and of lower behind it; JSON follows */
    uint32_t at[ASSET_COLUMN_COUNT];
    uint32_t json_at[ASSET_COLUMN_COUNT + 1]; /* from the JSON's beginning */
    char text[];
};

const char *asset_line_cell(const struct asset_line *line, enum asset_column column)
{
    return line->text + line->at[column];
}

const char *asset_line_lower(const struct asset_line *line, enum asset_column column)
{
    return line->text + line->size + line->at[column];
}

const char *asset_line_json(const struct asset_line *line, enum asset_column column, size_t *size)
{
    *size = line->json_at[column + 1] - line->json_at[column];
    return line->text + 2 * line->size + line->json_at[column];
}

void asset_line_unpack(const struct asset_line *line, struct asset_cells *cells)
{
    for (size_t i = 0; i < ASSET_COLUMN_COUNT; i++) {
        size_t end = i + 1 < ASSET_COLUMN_COUNT ? line->at[i + 1] : line->size;
        memcpy(cells->cells[i], line->text + line->at[i], end - line->at[i]);
    }
}

bool asset_line_has(const struct asset_line *line, const char *word)
{
    size_t size = strlen(word);
    for (int i = 0; i < ASSET_COLUMN_COUNT; i++) {
        enum asset_column column = (enum asset_column)i;
        size_t end = i + 1 < ASSET_COLUMN_COUNT ? line->at[i + 1] : line->size;
        if (!asset_column_names_others(column) &&
            memmem(asset_line_lower(line, column), end - line->at[i], word, size))
            return true;
    }
    return false;
}

/* Members of a JSON object, one behind the other. */
struct members {
    size_t size;
    uint32_t at[ASSET_COLUMN_COUNT + 1];
    char text[ASSET_COLUMN_COUNT * MEMBER_SIZE];
};

static void add_member(struct members *m, const struct asset_cells *cells, enum asset_column column)
{
    char *out = m->text + m->size;
    json_t *value = cells->cells[column][0] ? asset_cell_json(cells, column) : NULL;
    if (!value)
        return;
    size_t used = (size_t)snprintf(out, MEMBER_SIZE, "\"%s\":", asset_column_name(column));
    size_t size = json_dumpb(value, out + used, MEMBER_SIZE - used, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    if (size > 0 && size <= MEMBER_SIZE - used)
        m->size += used + size;
}

static struct asset_line *line_create(const struct asset_cells *cells, struct members *m)
{
    size_t size = 0;
    m->size = 0;
    for (size_t i = 0; i < ASSET_COLUMN_COUNT; i++) {
        size += strlen(cells->cells[i]) + 1;
        m->at[i] = (uint32_t)m->size;
        add_member(m, cells, (enum asset_column)i);
    }
    m->at[ASSET_COLUMN_COUNT] = (uint32_t)m->size;
    struct asset_line *line = malloc(sizeof *line + 2 * size + m->size);
    if (!line)
        return NULL;
    atomic_init(&line->uses, 1);
    line->size = size;
    size_t at = 0;
    for (size_t i = 0; i < ASSET_COLUMN_COUNT; i++) {
        size_t length = strlen(cells->cells[i]) + 1;
        line->at[i] = (uint32_t)at;
        memcpy(line->text + at, cells->cells[i], length);
        at += length;
    }
    for (size_t i = 0; i < size; i++)
        line->text[size + i] = (char)tolower((unsigned char)line->text[i]);
    memcpy(line->json_at, m->at, sizeof m->at);
    memcpy(line->text + 2 * size, m->text, m->size);
    return line;
}

static void line_drop(struct asset_line *line)
{
    if (line && atomic_fetch_sub_explicit(&line->uses, 1, memory_order_acq_rel) == 1)
        free(line);
}

/* --- all of them --- */

struct reading {
    struct asset_lines lines; /* first: what is lent */
    unsigned uses;            /* guarded by the list's lock */
    size_t capacity;
};

struct asset_list {
    const char *path;
    struct readers *readers;
    pthread_mutex_t lock, building; /* building first */
    pthread_cond_t wanted;
    pthread_t thread;
    bool is_stopping, is_wanted, is_outdated;
    atomic_uint turn; /* readings by the thread */
    struct reading *newest;
    struct store_mark mark; /* of the store, when newest was read */
    int64_t read_at, took;  /* milliseconds */
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void reading_free(struct reading *reading)
{
    for (size_t i = 0; i < reading->lines.count; i++)
        line_drop(reading->lines.lines[i]);
    free(reading->lines.lines);
    free(reading);
}

/* With the list's lock held. */
static void reading_drop(struct reading *reading)
{
    if (reading && --reading->uses == 0)
        reading_free(reading);
}

static bool reading_add(struct reading *reading, struct asset_line *line)
{
    if (line && reading->lines.count == reading->capacity) {
        size_t capacity = reading->capacity ? 2 * reading->capacity : 64;
        struct asset_line **more =
            realloc(reading->lines.lines, capacity * sizeof *reading->lines.lines);
        if (!more) {
            line_drop(line);
            return false;
        }
        reading->lines.lines = more;
        reading->capacity = capacity;
    }
    if (!line)
        return false;
    reading->lines.lines[reading->lines.count++] = line;
    return true;
}

/* --- reading the store --- */

struct building {
    struct reading *reading;
    struct members members; /* of the asset that is read */
};

static bool put_asset(void *context, const struct asset_cells *asset)
{
    struct building *b = context;
    return reading_add(b->reading, line_create(asset, &b->members));
}

/* All assets of one moment. */
static struct reading *read_all(struct store *store, struct error *err)
{
    struct reading *reading = calloc(1, sizeof *reading);
    struct building *b = malloc(sizeof *b);
    if (!reading || !b) {
        free(reading);
        free(b);
        error_set(err, "out of memory");
        return NULL;
    }
    reading->uses = 1;
    b->reading = reading;
    bool ok = store_exec(store, "BEGIN", err) && assets_export(store, put_asset, b, err);
    store_rollback(store);
    free(b);
    if (ok)
        return reading;
    reading_free(reading);
    return NULL;
}

static void replace(struct asset_list *list, struct reading *reading)
{
    pthread_mutex_lock(&list->lock);
    reading_drop(list->newest);
    list->newest = reading;
    pthread_mutex_unlock(&list->lock);
}

/* With `building` held. */
static bool build(struct asset_list *list, struct store *store, struct error *err)
{
    pthread_mutex_lock(&list->lock);
    list->is_outdated = false; /* what changes from now on says so again */
    pthread_mutex_unlock(&list->lock);
    struct store_mark mark = store_mark_of(list->path);
    int64_t start = clock_ms();
    struct reading *reading = read_all(store, err);
    if (!reading) {
        asset_list_outdate(list);
        return false;
    }
    replace(list, reading);
    pthread_mutex_lock(&list->lock);
    list->mark = mark;
    list->read_at = clock_ms();
    list->took = list->read_at - start;
    pthread_mutex_unlock(&list->lock);
    return true;
}

static void build_aside(struct asset_list *list)
{
    struct error err = {""};
    struct store *store = readers_take(list->readers, &err);
    if (!store)
        return; /* who asks next is told why */
    pthread_mutex_lock(&list->building);
    (void)build(list, store, &err);
    atomic_fetch_add_explicit(&list->turn, 1, memory_order_release);
    pthread_mutex_unlock(&list->building);
    readers_give(list->readers, store);
}

/* Reads at the start, so that the first who asks need not wait, and when wanted. */
static void *work(void *context)
{
    struct asset_list *list = context;
    build_aside(list);
    pthread_mutex_lock(&list->lock);
    while (!list->is_stopping) {
        if (!list->is_wanted) {
            pthread_cond_wait(&list->wanted, &list->lock);
            continue;
        }
        list->is_wanted = false;
        pthread_mutex_unlock(&list->lock);
        build_aside(list);
        pthread_mutex_lock(&list->lock);
    }
    pthread_mutex_unlock(&list->lock);
    return NULL;
}

/* --- life --- */

struct asset_list *asset_list_create(const char *store_path, struct readers *readers)
{
    struct asset_list *list = calloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->path = store_path;
    list->readers = readers;
    pthread_mutex_init(&list->lock, NULL);
    pthread_mutex_init(&list->building, NULL);
    pthread_cond_init(&list->wanted, NULL);
    if (pthread_create(&list->thread, NULL, work, list) != 0) {
        pthread_cond_destroy(&list->wanted);
        pthread_mutex_destroy(&list->building);
        pthread_mutex_destroy(&list->lock);
        free(list);
        return NULL;
    }
    return list;
}

void asset_list_destroy(struct asset_list *list)
{
    if (!list)
        return;
    pthread_mutex_lock(&list->lock);
    list->is_stopping = true;
    pthread_cond_signal(&list->wanted);
    pthread_mutex_unlock(&list->lock);
    pthread_join(list->thread, NULL);
    pthread_mutex_lock(&list->lock);
    reading_drop(list->newest);
    pthread_mutex_unlock(&list->lock);
    pthread_cond_destroy(&list->wanted);
    pthread_mutex_destroy(&list->building);
    pthread_mutex_destroy(&list->lock);
    free(list);
}

void asset_list_wait(struct asset_list *list, int64_t max_ms, const volatile sig_atomic_t *stop)
{
    const struct timespec step = {.tv_nsec = STEP_NS};
    int64_t began_at = clock_ms();
    while (asset_list_turn(list) == 0 && __atomic_load_n(stop, __ATOMIC_RELAXED) == 0 &&
           clock_ms() - began_at < max_ms)
        nanosleep(&step, NULL);
}

/* --- asking --- */

enum freshness { FRESH, OLD, MISSING };

/* A large inventory is left to the thread. */
static enum freshness freshness_of(struct asset_list *list)
{
    enum freshness freshness = FRESH;
    pthread_mutex_lock(&list->lock);
    bool is_due = list->newest && clock_ms() - list->read_at >= PAUSE_MS + 10 * list->took;
    struct store_mark known = list->mark;
    bool is_large = list->took > QUICK_MS;
    if (!list->newest)
        freshness = MISSING;
    else if (list->is_outdated)
        freshness = OLD;
    pthread_mutex_unlock(&list->lock);
    if (freshness != FRESH || (is_large && !is_due))
        return freshness;
    struct store_mark now = store_mark_of(list->path);
    if (store_mark_is_same(&known, &now))
        return FRESH;
    if (!is_large)
        return OLD;
    pthread_mutex_lock(&list->lock);
    list->is_wanted = true;
    pthread_cond_signal(&list->wanted);
    pthread_mutex_unlock(&list->lock);
    return FRESH;
}

const struct asset_lines *asset_list_take(struct asset_list *list, struct store *store,
                                          struct error *err)
{
    if (freshness_of(list) != FRESH) {
        pthread_mutex_lock(&list->building);
        bool ok = freshness_of(list) == FRESH || build(list, store, err); /* or another just did */
        pthread_mutex_unlock(&list->building);
        if (!ok)
            return NULL;
    }
    pthread_mutex_lock(&list->lock);
    struct reading *reading = list->newest;
    reading->uses++;
    pthread_mutex_unlock(&list->lock);
    return &reading->lines;
}

bool asset_list_is_read(struct asset_list *list)
{
    pthread_mutex_lock(&list->lock);
    bool is_read = list->newest != NULL;
    pthread_mutex_unlock(&list->lock);
    return is_read;
}

unsigned asset_list_turn(const struct asset_list *list)
{
    return list ? atomic_load_explicit(&list->turn, memory_order_acquire) : 0;
}

void asset_list_give(struct asset_list *list, const struct asset_lines *lines)
{
    if (!lines)
        return;
    pthread_mutex_lock(&list->lock);
    struct reading *reading = (struct reading *)(uintptr_t)lines;
    reading_drop(reading);
    pthread_mutex_unlock(&list->lock);
}

void asset_list_outdate(struct asset_list *list)
{
    pthread_mutex_lock(&list->lock);
    list->is_outdated = true;
    pthread_mutex_unlock(&list->lock);
}

/* A copy of the newest reading in which one line is another. */
static struct reading *copy_with(struct asset_list *list, struct asset_line *line)
{
    struct reading *copy = calloc(1, sizeof *copy);
    const char *id = asset_line_cell(line, ASSET_COLUMN_asset_id);
    pthread_mutex_lock(&list->lock);
    bool ok = copy && list->newest;
    for (size_t i = 0; ok && i < list->newest->lines.count; i++) {
        struct asset_line *old = list->newest->lines.lines[i];
        bool is_it = strcmp(asset_line_cell(old, ASSET_COLUMN_asset_id), id) == 0;
        struct asset_line *kept = is_it ? line : old;
        atomic_fetch_add_explicit(&kept->uses, 1, memory_order_relaxed);
        ok = reading_add(copy, kept);
    }
    pthread_mutex_unlock(&list->lock);
    if (copy)
        copy->uses = 1;
    if (ok)
        return copy;
    if (copy)
        reading_free(copy);
    return NULL;
}

void asset_list_renew(struct asset_list *list, struct store *store, const char *id)
{
    struct error err = {""};
    struct asset_cells *cells = malloc(sizeof *cells);
    struct members *members = malloc(sizeof *members);
    pthread_mutex_lock(&list->building); /* an older reading must not come after this one */
    struct asset_line *line = cells && members && asset_export(store, id, cells, &err)
                                  ? line_create(cells, members)
                                  : NULL;
    struct reading *reading = line ? copy_with(list, line) : NULL;
    if (reading)
        replace(list, reading);
    line_drop(line);
    pthread_mutex_unlock(&list->building);
    free(members);
    free(cells);
}
