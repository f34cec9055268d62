/* test_review.c: what is kept: rows in the store, the document that people edit, and their
 * decisions. */
#include "scene.h"

#include "baseline/learned.h"
#include "baseline/review.h"

#include <unistd.h>

#define PLANT                                                                                      \
    "60* hmi>plc read 3 reg 100+10; 40* hmi>plc write 6 reg 260 =20..35; 20* hmi>plc write 16 "    \
    "reg 270+3 =0.1,1e300,-2;"                                                                     \
    "9* hmi>plc write 77 tag Speed =1..9; 2* hmi>plc identify 43; step 500; 60* hmi<plc read 3 "   \
    "reg 500+4 =0..50;"                                                                            \
    "step 1000; 30* hist>plc read 3 reg 100+20;"

static struct store *learned_store(const char *path)
{
    static struct scene s;
    struct store *store = scene_store(path);
    scene_open(&s, MODE_LEARN, 1000000);
    scene_play(&s, PLANT);
    scene_save(&s, store);
    scene_close(&s);
    return store;
}

struct rows {
    struct baseline_row at[SCENE_ROWS];
    size_t count;
};

static bool take_row(void *context, const struct baseline_row *row)
{
    struct rows *rows = context;
    ck_assert_uint_lt(rows->count, SCENE_ROWS);
    rows->at[rows->count++] = *row;
    return true;
}

static void keep_row(void *context, const struct baseline_row *row)
{
    (void)take_row(context, row);
}

static void read_rows(struct rows *rows, struct store *store)
{
    struct error err = {""};
    rows->count = 0;
    ck_assert_msg(baseline_rows_read(store, "test", BASELINE_KINDS, take_row, rows, &err), "%s",
                  err.text);
}

static struct rows before, after;

static void assert_same_rows(void)
{
    ck_assert_uint_gt(before.count, 15);
    ck_assert_uint_eq(before.count, after.count);
    for (size_t i = 0; i < before.count; i++) {
        if (before.at[i].kind == BASELINE_LINKS) /* says when it was written */
            before.at[i].last_ns = after.at[i].last_ns;
        ck_assert_msg(memcmp(&before.at[i], &after.at[i], sizeof before.at[i]) == 0,
                      "row %zu of kind %d differs", i, (int)before.at[i].kind);
    }
}

static void write_all(struct scene *s, struct store *store)
{
    struct baseline *b = s->baseline;
    struct table *tables[] = {&b->pairs, &b->conversations, &b->operations, &b->ranges,
                              &b->tags,  &b->points,        &b->blocks,     &b->pages};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (uint32_t i = 0; i < tables[t]->used; i++)
            entry_change(tables[t], table_at(tables[t], i));
    scene_save(s, store);
}

START_TEST(test_rows)
{
    static struct scene s;
    char path[] = "/tmp/baseline-test-XXXXXX";
    bool is_file = _i == 1;
    if (is_file) {
        int file = mkstemp(path);
        ck_assert_int_ge(file, 0);
        close(file);
    }
    struct store *first = learned_store(is_file ? path : ":memory:");
    read_rows(&before, first);
    unsigned kinds = 0;
    for (size_t i = 0; i < before.count; i++)
        kinds |= 1u << before.at[i].kind;
    ck_assert_uint_eq(kinds, (1u << BASELINE_KINDS) - 1);
    if (is_file) {
        store_close(first);
        first = scene_store(path);
    }
    struct store *second = scene_store(":memory:");
    scene_open(&s, MODE_DETECT, 0);
    scene_load(&s, first);
    write_all(&s, second);
    read_rows(&after, second);
    assert_same_rows();
    scene_close(&s);
    store_close(first);
    store_close(second);
    if (is_file)
        unlink(path);
}
END_TEST

/* How rows reach the store together: how many of a kind are new, how many are there already, with
 * other counts; what comes twice. */
static const struct {
    const char *what;
    size_t count, known, again; /* again: the one at this place once more, as the next; 0: none */
} together[] = {
    {"one",                                       1,  0,  0},
    {"one less than a statement takes",           7,  0,  0},
    {"as many",                                   8,  0,  0},
    {"some statements and a rest",                19, 0,  0},
    {"all are there",                             19, 19, 0},
    {"the newer ones are new",                    24, 11, 0},
    {"one is there",                              16, 1,  0},
    {"two versions of one, the later counts",     8,  0,  3},
    {"two versions across the end of statements", 16, 0,  8},
};

static struct baseline_row nth(const struct baseline_row *row, size_t i)
{
    struct baseline_row other = *row;
    other.id += i;
    other.first_ns -= (int64_t)i;
    return other;
}

START_TEST(test_rows_together)
{
    enum { MOST = 64 };
    static struct baseline_row rows[MOST];
    const void *list[MOST];
    struct error err = {""};
    struct store *store = learned_store(":memory:");
    read_rows(&before, store);
    static struct rows learned;
    learned = before;
    for (size_t r = 0; r < learned.count; r++) {
        if (r > 0 && learned.at[r].kind == learned.at[r - 1].kind)
            continue;
        struct store *singly = scene_store(":memory:"), *at_once = scene_store(":memory:");
        size_t count = 0;
        for (size_t i = 0; i < together[_i].count; i++) {
            rows[count] = nth(&learned.at[r], i);
            if (i + together[_i].known >= together[_i].count) {
                scene_apply(singly, &rows[count]);
                scene_apply(at_once, &rows[count]);
                rows[count].count += 5;
            }
            count++;
            if (together[_i].again && i == together[_i].again) {
                rows[count] = rows[count - 1];
                rows[count++].count += 7;
            }
        }
        for (size_t i = 0; i < count; i++) {
            scene_apply(singly, &rows[i]);
            list[i] = &rows[i];
        }
        ck_assert_msg(baseline_rows_apply(at_once, list, count, &err), "%s", err.text);
        read_rows(&before, singly);
        read_rows(&after, at_once);
        ck_assert_uint_eq(before.count, together[_i].count);
        ck_assert_uint_eq(after.count, before.count);
        for (size_t i = 0; i < before.count; i++)
            ck_assert_msg(memcmp(&before.at[i], &after.at[i], sizeof before.at[i]) == 0,
                          "%s: row %zu of kind %d differs", together[_i].what, i,
                          (int)before.at[i].kind);
        store_close(singly);
        store_close(at_once);
    }
    store_close(store);
}
END_TEST

/* A full table replaces: its entries no longer lie in the order of their age. */
START_TEST(test_rows_are_saved_newest_first)
{
    static struct scene s;
    static struct rows saved;
    scene_open(&s, MODE_LEARN, 1000000);
    scene_play(&s, PLANT);
    struct table *t = &s.baseline->tags;
    scene_play(&s, "9* hmi>plc write 77 tag A =1..9; step 1000; 9* hmi>plc write 77 tag B =1..9;"
                   "step 1000; 9* hmi>plc write 77 tag C =1..9");
    ck_assert_uint_ge(t->used, 3);
    struct entry *first = table_at(t, 0);
    int64_t newest_ns = 0;
    for (uint32_t i = 0; i < t->used; i++)
        if (((struct entry *)table_at(t, i))->first_ns > newest_ns)
            newest_ns = ((struct entry *)table_at(t, i))->first_ns;
    first->first_ns = newest_ns + 1; /* as if it had taken the place of another */
    scene_end(&s);
    saved.count = 0;
    baseline_changes(s.baseline, keep_row, &saved);
    size_t tags = 0;
    for (size_t i = 1; i < saved.count; i++) {
        tags += saved.at[i].kind == BASELINE_TAG;
        ck_assert(saved.at[i].kind != saved.at[i - 1].kind ||
                  saved.at[i].first_ns <= saved.at[i - 1].first_ns);
    }
    ck_assert_uint_eq(tags, t->used);
    scene_close(&s);
}
END_TEST

START_TEST(test_rows_are_shared_among_workers)
{
    static struct scene s;
    struct store *store = learned_store(":memory:");
    size_t conversations = 0;
    for (uint32_t worker = 0; worker < 3; worker++) {
        struct error err = {""};
        struct baseline_state state;
        scene_open(&s, MODE_DETECT, 0);
        ck_assert_msg(baseline_load(s.baseline, store, worker, 3, &err), "%s", err.text);
        baseline_state(s.baseline, &state);
        conversations += state.conversations;
        scene_close(&s);
    }
    ck_assert_uint_eq(conversations, 2);
    store_close(store);
}
END_TEST

/* --- the document --- */

static char *export(struct store *store)
{
    struct review *review;
    struct error err = {""};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_msg(review_read_store(&review, store, "test", &err), "%s", err.text);
    ck_assert_msg(review_write_yaml(review, out, &err), "%s", err.text);
    fclose(out);
    review_destroy(review);
    return text;
}

static bool import(struct store *store, const char *text, struct error *err)
{
    struct review *known, *review = NULL;
    size_t size = strlen(text);
    char *copy = strdup(text);
    FILE *file = fmemopen(copy, size ? size : 1, "r");
    ck_assert_msg(review_read_store(&known, store, "test", err), "%s", err->text);
    bool ok = review_read_yaml(&review, file, "edited.yaml", known, "test", err) &&
              review_write_store(review, store, err);
    review_destroy(review);
    review_destroy(known);
    fclose(file);
    free(copy);
    return ok;
}

static int64_t count_of(struct store *store, const char *sql)
{
    sqlite3_stmt *q;
    ck_assert_int_eq(sqlite3_prepare_v2(store_handle(store), sql, -1, &q, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(q), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return count;
}

static const char all_parts[] =
    "SELECT (SELECT count(*) FROM baseline_operations) + (SELECT count(*) FROM baseline_ranges) +"
    " (SELECT count(*) FROM baseline_tags) + (SELECT count(*) FROM baseline_points) +"
    " (SELECT count(*) FROM baseline_blocks) + (SELECT count(*) FROM baseline_polled)";

/* What made room in a full table and was learned again is there twice: the row of before counts
 * neither in an export nor after the next start, and goes. */
START_TEST(test_of_two_rows_the_later_counts)
{
    static const char *const tables[] = {"baseline_operations", "baseline_ranges",
                                         "baseline_tags",       "baseline_points",
                                         "baseline_blocks",     "baseline_polled"};
    struct store *store = learned_store(":memory:");
    struct error err = {""};
    static struct scene s;
    char *once = export(store), sql[512];
    int64_t count = count_of(store, all_parts);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(sql, sizeof sql,
                 "CREATE TEMP TABLE copy AS SELECT * FROM %s; UPDATE copy SET first_seen ="
                 " first_seen - 1, state = 'rejected', count = count + 7; INSERT INTO %s SELECT *"
                 " FROM copy; DROP TABLE copy",
                 tables[i], tables[i]);
        ck_assert_msg(store_exec(store, sql, &err), "%s", err.text);
        snprintf(sql, sizeof sql, "SELECT count(*) > 1 FROM %s", tables[i]);
        ck_assert_msg(count_of(store, sql), "nothing in %s", tables[i]);
    }
    ck_assert_int_eq(count_of(store, all_parts), 2 * count);
    char *twice = export(store);
    ck_assert_str_eq(once, twice);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    ck_assert_int_eq(count_of(store, all_parts), count);
    char *after_start = export(store);
    ck_assert_str_eq(once, after_start);
    free(once);
    free(twice);
    free(after_start);
    scene_close(&s);
    store_close(store);
}
END_TEST

/* A store from before the rows lay in order of age: all of them are there afterwards, and looked at
 * the newest come first without sorting. */
START_TEST(test_rows_of_an_older_store)
{
    static const char *older[64];
    char path[] = "/tmp/baseline-XXXXXX";
    int file = mkstemp(path);
    size_t at = 0;
    struct store *store, *learned = learned_store(":memory:");
    struct error err = {""};
    ck_assert_int_ge(file, 0);
    close(file);
    while (!strstr(baseline_schema.migrations[at], "baseline_before"))
        at++;
    memcpy((void *)older, (const void *)baseline_schema.migrations, at * sizeof *older);
    const struct store_schema schema = {.name = "baseline", .migrations = older};
    const struct store_schema *const schemas[] = {&schema, NULL};
    ck_assert_msg(store_open(&store, path, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    read_rows(&before, learned);
    static const char with[] = "ALTER TABLE baseline_points ADD COLUMN manners INTEGER",
                      without[] = "ALTER TABLE baseline_points DROP COLUMN manners"; /* was later */
    ck_assert_msg(store_exec(store, with, &err), "%s", err.text);
    for (size_t i = 0; i < before.count; i++)
        ck_assert_msg(baseline_row_apply(store, &before.at[i], sizeof before.at[i], &err), "%s",
                      err.text);
    ck_assert_msg(store_exec(store, without, &err), "%s", err.text);
    store_close(store);
    store = scene_store(path);
    char *expected = export(learned), *got = export(store);
    ck_assert_str_eq(expected, got);
    ck_assert_int_eq(count_of(store, all_parts), count_of(learned, all_parts));
    sqlite3_stmt *q;
    ck_assert_int_eq(sqlite3_prepare_v2(store_handle(store),
                                        "EXPLAIN QUERY PLAN SELECT id FROM baseline_tags WHERE"
                                        " sensor = 'test' ORDER BY first_seen DESC, id",
                                        -1, &q, NULL),
                     SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        ck_assert(!strstr((const char *)sqlite3_column_text(q, 3), "TEMP B-TREE"));
    sqlite3_finalize(q);
    free(expected);
    free(got);
    store_close(store);
    store_close(learned);
    unlink(path);
}
END_TEST

/* Text of the schema without what makes no difference: blanks, quotes around names. */
static char *schema_of(const struct store_schema *schema)
{
    const struct store_schema *const schemas[] = {schema, NULL};
    struct error err = {""};
    struct store *store;
    sqlite3_stmt *q;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_int_eq(sqlite3_prepare_v2(store_handle(store),
                                        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
                                        " UNION ALL SELECT name || version FROM schema_version"
                                        " ORDER BY 1",
                                        -1, &q, NULL),
                     SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW) {
        for (const char *at = (const char *)sqlite3_column_text(q, 0); *at; at++)
            if (*at != ' ' && *at != '"')
                fputc(*at, out);
        fputc('\n', out);
    }
    sqlite3_finalize(q);
    store_close(store);
    fclose(out);
    return text;
}

START_TEST(test_a_new_store_is_as_one_that_was_migrated)
{
    struct store_schema step_by_step = baseline_schema;
    ck_assert_ptr_nonnull(baseline_schema.newest);
    step_by_step.newest = NULL;
    char *migrated = schema_of(&step_by_step), *made = schema_of(&baseline_schema);
    ck_assert_str_eq(made, migrated);
    free(migrated);
    free(made);
}
END_TEST

START_TEST(test_import_of_an_export_changes_nothing)
{
    struct store *store = learned_store(":memory:");
    struct error err = {""};
    char *text = export(store);
    read_rows(&before, store);
    ck_assert_msg(import(store, text, &err), "%s", err.text);
    read_rows(&after, store);
    assert_same_rows();
    char *again = export(store);
    ck_assert_str_eq(text, again);
    free(text);
    free(again);
    store_close(store);
}
END_TEST

/* Replaces the first `from` by `to`. */
static char *edit(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    ck_assert_msg(at != NULL, "no %s in the document", from);
    char *out = NULL;
    size_t size;
    FILE *file = open_memstream(&out, &size);
    fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    fclose(file);
    return out;
}

static const struct edit_row {
    const char *shows, *from, *to, *then, *causes;
} edits[] = {
    {"as it is",                   "version: 1",                                                  "version: 1",                    "hmi>plc write 6 reg 260 =25",              ""               },
    {"a narrower read",            "ranges: \"100-109\"",                                         "ranges: \"100-104\"",           "hmi>plc read 3 reg 100+10",
     "rw.new-address"                                                                                                                                                                           },
    {"another write",              "ranges: \"260, 270-272\"",                                    "ranges: \"260, 270-272, 300\"",
     "hmi>plc write 6 reg 300 =1",                                                                                                                                             ""               },
    {"a wider value",              "low: 20, high: 35",                                           "low: 20, high: 500",            "hmi>plc write 6 reg 260 =400",
     ""                                                                                                                                                                                         },
    {"a narrower value",           "low: 20, high: 35",                                           "low: 20, high: 25",             "hmi>plc write 6 reg 260 =35",
     "rw.value-out-of-range"                                                                                                                                                                    },
    {"a tag by another name",      "tag: \"Speed\", state",                                       "tag: \"Torque\", state",
     "hmi>plc write 77 tag Torque =1",                                                                                                                                         ""               },
    {"a rejected function",        "code: \"16\", name: \"\", numbers: 16.0.0.0, state: learned",
     "code: \"16\", name: \"\", numbers: 16.0.0.0, state: rejected",                                                               "hmi>plc write 16 reg 270+3 =0.1,1e300,-2", "rw.new-function"},
    {"another function, declared", "    operations:\n",
     "    operations:\n      - {unit: \"1\", operation: read, code: \"4\"}\n",                                                     "%first read 4 nothing",                    ""               },
};

START_TEST(test_edits_apply)
{
    const struct edit_row *row = &edits[_i];
    static struct scene s;
    struct store *store = learned_store(":memory:");
    struct error err = {""};
    char *text = export(store), *edited = edit(text, row->from, row->to);
    ck_assert_msg(import(store, edited, &err), "%s: %s", row->shows, err.text);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    if (*row->then == '%') { /* the first conversation of the document: which of the two, their
                                addresses decide */
        struct host hmi = {0}, hist = {0};
        struct endpoint a = scene_host("hmi"), b = scene_host("hist");
        hmi = host_of(&a);
        hist = host_of(&b);
        scene_play(&s, memcmp(&hmi, &hist, sizeof hmi) < 0 ? "hmi>plc read 4" : "hist>plc read 4");
    } else {
        scene_play(&s, row->then);
    }
    ck_assert_msg(strcmp(scene_causes(&s), row->causes) == 0, "%s: found \"%s\", expected \"%s\"",
                  row->shows, scene_causes(&s), row->causes);
    scene_close(&s);
    free(text);
    free(edited);
    store_close(store);
}
END_TEST

START_TEST(test_what_is_not_named_is_forgotten)
{
    static struct scene s;
    struct store *store = learned_store(":memory:");
    struct error err = {""};
    ck_assert_msg(import(store, "version: 1\nsensor: test\nconversations: []\n", &err), "%s",
                  err.text);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    scene_play(&s, "hmi>plc read 3 reg 100+10");
    ck_assert_str_eq(scene_causes(&s), "comm.new-link");
    scene_close(&s);
    store_close(store);
}
END_TEST

#define ONE                                                                                        \
    "version: 1\nconversations:\n  - client: 10.0.0.1\n    server: 10.0.0.2\n    protocol: "       \
    "modbus\n"

static const struct wrong_row {
    const char *text, *error;
} wrong[] = {
    {"\n",                                                                                          "edited.yaml: is empty"                                            },
    {"- a",                                                                                         "edited.yaml: line 1: must be a mapping with the key conversations"},
    {"version: 1\nconversations: []\n---\nversion: 1\nconversations: []",
     "edited.yaml: line 4: a second document: there must be one only"                                                                                                  },
    {"version: 2\nconversations: []",                                                               "edited.yaml: line 1: version: must be 1"                          },
    {"version: 1\nconversations: {}",                                                               "edited.yaml: line 1: conversations: must be a list"               },
    {"version: 1\nconversation: []",                                                                "edited.yaml: line 2: conversation: unknown key"                   },
    {"version: 1\nconversations: [}",                                                               "edited.yaml: line 2: did not find expected node content"          },
    {"version: 1\nconversations:\n  - client: here",
     "edited.yaml: line 3: client: is neither an IP nor a MAC address"                                                                                                 },
    {"version: 1\nconversations:\n  - client: 10.0.0.1",                                            "edited.yaml: line 3: server: is missing"                          },
    {ONE "    state: perhaps",                                                                      "edited.yaml: line 6: state: is learned, pending or rejected"      },
    {ONE "    since: yesterday",
     "edited.yaml: line 6: since: is no time such as 2026-01-31T08:00:00Z"                                                                                             },
    {ONE "    objects:\n      - {area: reg, access: read, ranges: 9-1}",
     "edited.yaml: line 7: ranges: is no list such as 0-9, 20"                                                                                                         },
    {ONE "    objects:\n      - {area: reg, access: look, ranges: 1}",
     "edited.yaml: line 7: access: is read or write"                                                                                                                   },
    {ONE "    objects:\n      - {area: reg, access: read}",
     "edited.yaml: line 7: ranges: either ranges or a tag is needed"                                                                                                   },
    {ONE "    operations:\n      - {operation: dance, code: 1}",
     "edited.yaml: line 7: operation: is no operation class"                                                                                                           },
    {ONE "    operations:\n      - {operation: read, code: \"rosctr=1\"}",
     "edited.yaml: line 7: numbers: a code of several parts needs its numbers, such as 3.0.0.0"                                                                        },
    {ONE "    operations:\n      - {operation: read, code: 3}\n      - {operation: read, code: 3}",
     "edited.yaml: something is listed twice"                                                                                                                          },
    {ONE "    values:\n      - {area: reg, access: write, address: 1, low: 5, high: 1}",
     "edited.yaml: line 7: low: is above high"                                                                                                                         },
    {ONE "    values:\n      - {area: reg, access: write, address: 1, low: nan, high: 1}",
     "edited.yaml: line 7: low: is not a number"                                                                                                                       },
    {ONE "    segment: -1",                                                                         "edited.yaml: line 6: segment: is not a number in range"           },
};

START_TEST(test_errors_name_line_and_key)
{
    struct store *store = learned_store(":memory:");
    struct error err = {""};
    read_rows(&before, store);
    ck_assert_msg(!import(store, wrong[_i].text, &err), "taken: %s", wrong[_i].text);
    ck_assert_str_eq(err.text, wrong[_i].error);
    read_rows(&after, store); /* nothing is half imported */
    assert_same_rows();
    store_close(store);
}
END_TEST

/* --- decisions --- */

static bool decide(void *context, const struct baseline_decision *d)
{
    struct scene *s = context;
    baseline_decide(s->baseline, d);
    return true;
}

static const struct decision_row {
    const char *shows;
    bool is_approval;
    const char *detection, *actor, *target;
    int64_t until_s;
    const char *then, *causes;
} decisions[] = {
    {"an approved writer",              true,  "rw.new-writer",  "hist", "plc",   0,       "hist>plc write 6 reg 1 =1",
     ""                                                                                                                                },
    {"approved for ever on everything", true,  NULL,             "hist", "plc",   0,
     "hist>plc write 6 reg 1 =1; hist>plc read 3 reg 999",                                                              ""             },
    {"approved for another target",     true,  "rw.new-writer",  "hist", "other", 0,
     "hist>plc write 6 reg 1 =1",                                                                                       "rw.new-writer"},
    {"approved for another detection",  true,  "rw.new-address", "hist", "plc",   0,
     "hist>plc write 6 reg 1 =1",                                                                                       "rw.new-writer"},
    {"approved until later",            true,  "comm.new-link",  "eng",  NULL,    2000010, "eng>plc read 3 reg 1",
     ""                                                                                                                                },
    {"approved until before",           true,  "comm.new-link",  "eng",  NULL,    1999999, "eng>plc read 3 reg 1",
     "comm.new-link"                                                                                                                   },
    {"a rejection allows nothing",      false, "rw.new-writer",  "hist", "plc",   0,
     "hist>plc write 6 reg 1 =1",                                                                                       "rw.new-writer"},
};

START_TEST(test_decision)
{
    const struct decision_row *row = &decisions[_i];
    static struct scene s;
    struct store *store = learned_store(":memory:");
    struct error err = {""};
    struct baseline_decision d = {.is_approval = row->is_approval,
                                  .until_ns = row->until_s * SECOND_NS,
                                  .by = "ann",
                                  .why = "pump 3"};
    if (row->detection)
        ck_assert((d.has_detection = detection_parse(&d.detection, row->detection)));
    if (row->actor) {
        struct endpoint e = scene_host(row->actor);
        d.actor = host_of(&e);
        d.has_actor = true;
    }
    if (row->target) {
        struct endpoint e = scene_host(row->target);
        d.target = host_of(&e);
        d.has_target = true;
    }
    ck_assert_msg(baseline_decision_add(store, "test", &d, &err), "%s", err.text);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    ck_assert_msg(baseline_decisions_read(store, "test", 0, decide, &s, &err), "%s", err.text);
    scene_play(&s, row->then);
    ck_assert_msg(strcmp(scene_causes(&s), row->causes) == 0, "%s: found \"%s\", expected \"%s\"",
                  row->shows, scene_causes(&s), row->causes);
    scene_close(&s);
    store_close(store);
}
END_TEST

static const struct baseline_row *row_with(enum baseline_kind kind, uint8_t state)
{
    for (size_t i = 0; i < after.count; i++)
        if (after.at[i].kind == kind && after.at[i].state == state)
            return &after.at[i];
    ck_abort_msg("no row of kind %d in state %d", (int)kind, state);
}

START_TEST(test_entries_are_approved_and_rejected)
{
    static struct scene s;
    struct store *store = learned_store(":memory:");
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    scene_play(&s, "hmi>plc write 6 reg 300 =1; hmi>plc write 15 coil 3 =1");
    ck_assert_str_eq(scene_causes(&s), "rw.new-address; rw.new-function");
    scene_save(&s, store);
    read_rows(&after, store);
    struct baseline_decision range = {.entry = row_with(BASELINE_RANGE, ENTRY_PENDING)->id,
                                      .is_approval = true};
    struct baseline_decision function = {.entry = row_with(BASELINE_OPERATION, ENTRY_PENDING)->id,
                                         .is_approval = true};
    baseline_decide(s.baseline, &range);
    baseline_decide(s.baseline, &function);
    s.count = 0;
    scene_play(&s, "wait 100; hmi>plc write 6 reg 300 =1; hmi>plc write 6 reg 260 =25; hmi>plc "
                   "write 15 coil 3 =1");
    ck_assert_str_eq(
        scene_causes(&s),
        "rw.new-address"); /* coil 3: the function is allowed, this object was not yet seen */
    struct baseline_decision rejected = {.entry = function.entry, .is_approval = false};
    baseline_decide(s.baseline, &rejected);
    s.count = 0;
    scene_play(&s, "wait 100; hmi>plc write 15 coil 3 =1");
    ck_assert_str_eq(scene_causes(&s), "rw.new-function");
    scene_close(&s);
    store_close(store);
}
END_TEST

START_TEST(test_a_decision_must_name_something)
{
    struct store *store = scene_store(":memory:");
    struct error err = {""};
    struct baseline_decision all = {.is_approval = true};
    ck_assert(!baseline_decision_add(store, "test", &all, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "needs an entry, an actor or a target"));
    store_close(store);
}
END_TEST

START_TEST(test_critical_actions_are_approved_for_a_pair)
{
    static struct scene s;
    scene_open(&s, MODE_AUTO, 1000000);
    struct ot_flow flow = {.client = scene_host("eng"), .server = scene_host("plc")};
    struct ot_event e = {.time_ns = 5, .flow = &flow, .is_from_client = true, .operation = OP_STOP};
    ck_assert(!baseline_is_approved(s.baseline, DETECTION_PLC_STOP, &e));
    ck_assert(baseline_is_actor_new(s.baseline, &e));
    struct baseline_decision d = {.is_approval = true,
                                  .has_detection = true,
                                  .detection = DETECTION_PLC_STOP,
                                  .has_actor = true,
                                  .actor = host_of(&flow.client)};
    baseline_decide(s.baseline, &d);
    ck_assert(baseline_is_approved(s.baseline, DETECTION_PLC_STOP, &e));
    ck_assert(!baseline_is_approved(s.baseline, DETECTION_PLC_START, &e));
    scene_close(&s);
}
END_TEST

/* The index of operations that change something has all of them, and uploads of programs. */
START_TEST(test_changing_operations_have_their_index)
{
    char quoted[64];
    enum operation op = (enum operation)_i;
    snprintf(quoted, sizeof quoted, "'%s'", operation_name(op));
    bool is_in = strstr(BASELINE_CHANGING, quoted) != NULL;
    ck_assert_msg(is_in == (operation_is_change(op) || op == OP_PROGRAM_UPLOAD), "%s", quoted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("review");
    TCase *kept = tcase_create("rows");
    tcase_add_loop_test(kept, test_rows, 0, 2);
    tcase_add_loop_test(kept, test_rows_together, 0, (int)(sizeof together / sizeof *together));
    tcase_add_test(kept, test_rows_are_saved_newest_first);
    tcase_add_test(kept, test_rows_are_shared_among_workers);
    tcase_add_loop_test(kept, test_changing_operations_have_their_index, 0, OPERATION_COUNT);
    suite_add_tcase(suite, kept);
    TCase *document = tcase_create("document");
    tcase_add_test(document, test_of_two_rows_the_later_counts);
    tcase_add_test(document, test_rows_of_an_older_store);
    tcase_add_test(document, test_a_new_store_is_as_one_that_was_migrated);
    tcase_add_test(document, test_import_of_an_export_changes_nothing);
    tcase_add_loop_test(document, test_edits_apply, 0, (int)(sizeof edits / sizeof *edits));
    tcase_add_test(document, test_what_is_not_named_is_forgotten);
    tcase_add_loop_test(document, test_errors_name_line_and_key, 0,
                        (int)(sizeof wrong / sizeof *wrong));
    suite_add_tcase(suite, document);
    TCase *decided = tcase_create("decisions");
    tcase_add_loop_test(decided, test_decision, 0, (int)(sizeof decisions / sizeof *decisions));
    tcase_add_test(decided, test_entries_are_approved_and_rejected);
    tcase_add_test(decided, test_a_decision_must_name_something);
    tcase_add_test(decided, test_critical_actions_are_approved_for_a_pair);
    suite_add_tcase(suite, decided);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
