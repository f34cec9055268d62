/* rows.c: the learned state in the store: one table per kind of entry, keyed by (sensor, id).
 *
 * What a column is and where it lies in a row is a table for each kind, in the order of the columns
 * in SQL. */
#include "rows.h"
#include "rows_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column_type {
    COLUMN_TEXT,
    COLUMN_U8,
    COLUMN_BOOL,
    COLUMN_OPERATION,
    COLUMN_U32,
    COLUMN_U64,
    COLUMN_I64,
    COLUMN_DOUBLE,
    COLUMN_HOST, /* from here on made into text */
    COLUMN_CODE,
    COLUMN_INTERVALS,
    COLUMN_STATES,    /* of a struct point_facts */
    COLUMN_SEQUENCE,  /* of a struct sequence_facts */
    COLUMN_VARIABLES, /* of a struct page_facts */
};

struct column {
    enum column_type type;
    size_t offset, size;
};

#define AT(member, type)                                                                           \
    {                                                                                              \
        type, offsetof(struct baseline_row, is.member),                                            \
            sizeof(((struct baseline_row *)0)->is.member)                                          \
    }
#define SETTLE(member)                                                                             \
    AT(member.observed_ns, COLUMN_I64), AT(member.quiet_ns, COLUMN_I64),                           \
        AT(member.longest_gap_ns, COLUMN_I64), AT(member.news, COLUMN_U32),                        \
        AT(member.calm, COLUMN_U32)
#define SETTLE_CHANCE(member)                                                                      \
    AT(member.draws, COLUMN_U32), AT(member.singles, COLUMN_U32), AT(member.known, COLUMN_U8),     \
        AT(member.is_settled, COLUMN_BOOL)
#define PLACE(member)                                                                              \
    AT(member.conversation, COLUMN_U64), AT(member.side, COLUMN_U8),                               \
        AT(member.is_write, COLUMN_BOOL), AT(member.unit, COLUMN_TEXT),                            \
        AT(member.unit_hash, COLUMN_U64), AT(member.area, COLUMN_TEXT),                            \
        AT(member.has_number, COLUMN_BOOL), AT(member.number, COLUMN_U32)

static const struct column links_columns[] = {SETTLE(links), SETTLE_CHANCE(links),
                                              AT(links.settled_after_ns, COLUMN_I64)};
static const struct column pair_columns[] = {
    AT(pair.segment, COLUMN_U32),       AT(pair.hosts[0], COLUMN_HOST),
    AT(pair.hosts[1], COLUMN_HOST),     AT(pair.operations[0], COLUMN_U32),
    AT(pair.operations[1], COLUMN_U32), AT(pair.sessions_max, COLUMN_U32),
};
static const struct column conversation_columns[] = {
    AT(conversation.pair, COLUMN_U64),
    AT(conversation.protocol, COLUMN_TEXT),
    AT(conversation.client, COLUMN_U8),
    AT(conversation.is_role_known, COLUMN_BOOL),
    AT(conversation.writes_max, COLUMN_U32),
    AT(conversation.longest_pause_ns, COLUMN_I64),
    AT(conversation.beats, COLUMN_U64),
    AT(conversation.unit_hash, COLUMN_U64),
    AT(conversation.has_unnamed, COLUMN_BOOL),
    SETTLE(conversation.operations),
    SETTLE(conversation.objects),
    SETTLE_CHANCE(conversation.operations),
    SETTLE_CHANCE(conversation.objects),
    AT(conversation.sealed, COLUMN_U32),
    AT(conversation.open, COLUMN_U32),
    AT(conversation.sequence, COLUMN_SEQUENCE),
    AT(conversation.operations.settled_after_ns, COLUMN_I64),
    AT(conversation.objects.settled_after_ns, COLUMN_I64),
    AT(conversation.answers, COLUMN_U32),
    AT(conversation.answer_high_ns, COLUMN_I64),
    AT(conversation.minutes, COLUMN_U32),
    AT(conversation.volume_high, COLUMN_U64),
};
static const struct column operation_columns[] = {
    AT(operation.conversation, COLUMN_U64),
    AT(operation.side, COLUMN_U8),
    AT(operation.unit, COLUMN_TEXT),
    AT(operation.unit_hash, COLUMN_U64),
    AT(operation.operation, COLUMN_OPERATION),
    AT(operation.code_text, COLUMN_TEXT),
    AT(operation.name, COLUMN_TEXT),
    AT(operation.code, COLUMN_CODE),
    AT(operation.step, COLUMN_U8),
};
static const struct column range_columns[] = {PLACE(range.place), AT(range.set, COLUMN_INTERVALS),
                                              AT(range.set.joined, COLUMN_U8)};
static const struct column tag_columns[] = {PLACE(tag.place), AT(tag.name, COLUMN_TEXT),
                                            AT(tag.name_hash, COLUMN_U64)};
static const struct column point_columns[] = {
    PLACE(point.place),
    AT(point.place.is_bit, COLUMN_BOOL),
    AT(point.place.bit, COLUMN_U8),
    AT(point.address, COLUMN_U64),
    AT(point.name, COLUMN_TEXT),
    AT(point.name_hash, COLUMN_U64),
    AT(point.low, COLUMN_DOUBLE),
    AT(point.high, COLUMN_DOUBLE),
    AT(point, COLUMN_STATES),
    AT(point.changes_max, COLUMN_U32),
    AT(point.values, COLUMN_U64),
    AT(point.ones, COLUMN_U64),
    AT(point.changes, COLUMN_U32),
    AT(point.flips, COLUMN_U32),
    AT(point.echoed, COLUMN_U32),
    AT(point.differed, COLUMN_U32),
    AT(point.steps, COLUMN_U32),
    AT(point.step_high, COLUMN_DOUBLE),
    AT(point.manners, COLUMN_U32),
};
static const struct column block_columns[] = {
    PLACE(block.place),
    AT(block.address, COLUMN_U64),
    AT(block.size, COLUMN_U32),
    AT(block.name, COLUMN_TEXT),
    AT(block.name_hash, COLUMN_U64),
    AT(block.changes, COLUMN_U64),
    AT(block.longest_unchanged_ns, COLUMN_I64),
    AT(block.longest_unchanged_polls, COLUMN_U32),
    AT(block.period_low, COLUMN_DOUBLE),
    AT(block.period_high, COLUMN_DOUBLE),
    AT(block.periods, COLUMN_U32),
};
static const struct column page_columns[] = {
    PLACE(page.place),          AT(page.address, COLUMN_U64), AT(page.size, COLUMN_U32),
    AT(page.page, COLUMN_U32),  AT(page.name, COLUMN_TEXT),   AT(page.name_hash, COLUMN_U64),
    AT(page, COLUMN_VARIABLES),
};

struct kind {
    /* insert_many: ROWS_OF_MANY, of which those that are there already stay. It cannot abort, so
     * that SQLite keeps no journal to undo it; one that replaces could. */
    const char *insert, *insert_many;
    const char *select, *clear, *unite; /* unite: NULL where an id is there once */
    const struct column *columns;
    size_t count;
    size_t size; /* of what is of this kind in a row */
};

#define COLUMNS(list) list, sizeof list / sizeof *list
#define MARKS5        "?,?,?,?,?"
#define MARKS6        MARKS5 ",?"
#define ROW(marks)    "(" MARKS6 "," marks ")"
#define ROWS4(marks)  ROW(marks) "," ROW(marks) "," ROW(marks) "," ROW(marks)
#define KIND_OF(table, marks, columns, member, unite)                                              \
    {                                                                                              \
        "INSERT OR REPLACE INTO " table " VALUES" ROW(marks),                                      \
            "INSERT OR IGNORE INTO " table " VALUES" ROWS4(marks) "," ROWS4(marks),                \
            "SELECT * FROM " table " WHERE sensor = ?", "DELETE FROM " table " WHERE sensor = ?",  \
            unite, COLUMNS(columns), sizeof(((struct baseline_row *)0)->is.member)                 \
    }
#define KIND(table, marks, columns, member) KIND_OF(table, marks, columns, member, NULL)
#define PART(table, marks, columns, member)                                                        \
    KIND_OF(table, marks, columns, member,                                                         \
            "DELETE FROM " table                                                                   \
            " WHERE sensor = ?1 AND (first_seen, id) IN (SELECT first_seen, id FROM (SELECT"       \
            " first_seen, id, row_number() OVER (PARTITION BY id ORDER BY first_seen DESC) AS n"   \
            " FROM " table " WHERE sensor = ?1) WHERE n > 1)")

static const struct kind kinds[BASELINE_KINDS] = {
    [BASELINE_LINKS] = KIND("baseline_links", MARKS5 "," MARKS5, links_columns, links),
    [BASELINE_PAIR] = KIND("baseline_pairs", MARKS6, pair_columns, pair),
    [BASELINE_CONVERSATION] = KIND("baseline_conversations",
                                   MARKS6 "," MARKS6 "," MARKS6 "," MARKS6 "," MARKS6 "," MARKS6,
                                   conversation_columns, conversation),
    [BASELINE_OPERATION] =
        PART("baseline_operations", MARKS6 ",?,?,?", operation_columns, operation),
    [BASELINE_RANGE] = PART("baseline_ranges", MARKS5 "," MARKS5, range_columns, range),
    [BASELINE_TAG] = PART("baseline_tags", MARKS5 "," MARKS5, tag_columns, tag),
    [BASELINE_POINT] = PART("baseline_points", MARKS6 "," MARKS6 "," MARKS6 "," MARKS6 ",?,?",
                            point_columns, point),
    [BASELINE_BLOCK] = PART("baseline_blocks", MARKS6 "," MARKS6 "," MARKS6, block_columns, block),
    [BASELINE_PAGE] = PART("baseline_polled", MARKS6 "," MARKS6 ",?,?", page_columns, page),
};
enum {
    HEAD_COLUMNS = 6,
    PRINTED_MAX = 2, /* columns of one kind */
    ROWS_OF_MANY = 8 /* of one statement: its cursors are opened, and stand near, for all of them */
};

_Static_assert((int)ROWS_TEXT >= (int)INTERVALS_TEXT && (int)ROWS_TEXT >= (int)HOST_TEXT,
               "every list fits");

/* --- columns --- */

/* A field of a row by its offset; rows are plain data. */
static void field_get(const struct baseline_row *row, const struct column *c, void *out)
{
    memcpy(out, (const char *)row + c->offset, c->size);
}

static void field_set(struct baseline_row *row, const struct column *c, const void *in)
{
    memcpy((char *)row + c->offset, in, c->size);
}

static int64_t integer_get(const struct baseline_row *row, const struct column *c)
{
    int64_t value = 0;
    assert(c->size <= sizeof value);
    field_get(row, c, &value); /* little-endian: narrower unsigned fields fill the low bytes */
    return value;
}

/* Text that lives until the row is written. */
static void text_bind(sqlite3_stmt *q, int i, const char *text)
{
    sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC);
}

/* A column that is not as it lies in the row: its text. */
static size_t column_print(const struct baseline_row *row, const struct column *c,
                           char out[ROWS_TEXT])
{
    const void *field = (const char *)row + c->offset;
    switch (c->type) {
    case COLUMN_HOST:
        return strlen(host_print(out, field));
    case COLUMN_CODE:
        return rows_code_print(field, out);
    case COLUMN_INTERVALS:
        return strlen(interval_set_print(field, out, ROWS_TEXT));
    case COLUMN_STATES:
        return rows_states_print(field, out);
    case COLUMN_SEQUENCE:
        return rows_sequence_print(field, out);
    default:
        assert(c->type == COLUMN_VARIABLES);
        return rows_variables_print(field, out);
    }
}

static void column_bind(sqlite3_stmt *q, int i, const struct baseline_row *row,
                        const struct column *c, char text[ROWS_TEXT])
{
    switch (c->type) {
    case COLUMN_U8:
    case COLUMN_BOOL:
    case COLUMN_U32:
    case COLUMN_U64:
    case COLUMN_I64:
        sqlite3_bind_int64(q, i, integer_get(row, c));
        break;
    case COLUMN_TEXT:
        text_bind(q, i, (const char *)row + c->offset);
        break;
    case COLUMN_OPERATION:
        text_bind(q, i, operation_name((enum operation)integer_get(row, c)));
        break;
    case COLUMN_DOUBLE: {
        double value;
        field_get(row, c, &value);
        sqlite3_bind_double(q, i, value);
        break;
    }
    default:
        sqlite3_bind_text(q, i, text, (int)column_print(row, c, text), SQLITE_STATIC);
        break;
    }
}

static const char *text_column(sqlite3_stmt *q, int i)
{
    const char *text = (const char *)sqlite3_column_text(q, i);
    return text ? text : "";
}

static void column_read(sqlite3_stmt *q, int i, struct baseline_row *row, const struct column *c)
{
    switch (c->type) {
    case COLUMN_TEXT:
        text_copy((char *)row + c->offset, c->size, text_of(text_column(q, i)));
        break;
    case COLUMN_OPERATION: {
        enum operation op = OP_UNKNOWN;
        operation_parse(&op, text_column(q, i));
        field_set(row, c, &op);
        break;
    }
    case COLUMN_DOUBLE: {
        double value = sqlite3_column_double(q, i);
        field_set(row, c, &value);
        break;
    }
    case COLUMN_HOST: {
        struct host h;
        host_parse(&h, text_column(q, i));
        field_set(row, c, &h);
        break;
    }
    case COLUMN_CODE: {
        uint32_t code[OT_CODE_PARTS];
        rows_code_parse(code, text_column(q, i));
        field_set(row, c, code);
        break;
    }
    case COLUMN_INTERVALS: {
        struct interval_set set;
        interval_set_parse(&set, text_column(q, i));
        field_set(row, c, &set);
        break;
    }
    case COLUMN_STATES: {
        struct point_facts f;
        field_get(row, c, &f);
        rows_states_parse(&f, text_column(q, i));
        field_set(row, c, &f);
        break;
    }
    case COLUMN_SEQUENCE: {
        struct sequence_facts f;
        rows_sequence_parse(&f, text_column(q, i));
        field_set(row, c, &f);
        break;
    }
    case COLUMN_VARIABLES:
        baseline_variables_parse(&row->is.page, text_column(q, i));
        break;
    case COLUMN_BOOL: {
        bool value = sqlite3_column_int(q, i) != 0;
        field_set(row, c, &value);
        break;
    }
    default: {
        int64_t value = sqlite3_column_int64(q, i);
        field_set(row, c, &value);
        break;
    }
    }
}

size_t baseline_row_size(const struct baseline_row *row)
{
    assert(row->kind < BASELINE_KINDS);
    return offsetof(struct baseline_row, is) + kinds[row->kind].size;
}

/* Binds a row to the places behind the first `before`; what has to be printed goes to texts. */
static void row_bind(sqlite3_stmt *q, int before, const struct baseline_row *row,
                     char texts[PRINTED_MAX][ROWS_TEXT])
{
    const struct kind *k = &kinds[row->kind];
    size_t printed = 0;
    text_bind(q, before + 1, row->sensor);
    sqlite3_bind_int64(q, before + 2, (int64_t)row->id);
    text_bind(q, before + 3, entry_state_name(row->state));
    sqlite3_bind_int64(q, before + 4, row->first_ns);
    sqlite3_bind_int64(q, before + 5, row->last_ns);
    sqlite3_bind_int64(q, before + 6, (int64_t)row->count);
    for (size_t i = 0; i < k->count; i++) {
        const struct column *c = &k->columns[i];
        assert(printed < PRINTED_MAX || c->type < COLUMN_HOST);
        column_bind(q, before + (int)i + HEAD_COLUMNS + 1, row, c,
                    texts[printed < PRINTED_MAX ? printed : 0]);
        printed += c->type >= COLUMN_HOST;
    }
}

static bool rows_insert(struct store *store, const char *sql, const void *const *rows, size_t count,
                        struct error *err)
{
    char texts[ROWS_OF_MANY][PRINTED_MAX][ROWS_TEXT];
    sqlite3_stmt *q = store_statement(store, sql, err);
    if (!q)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct baseline_row *row = rows[i];
        row_bind(q, (int)(i * (HEAD_COLUMNS + kinds[row->kind].count)), row, texts[i]);
    }
    return store_step(store, q, err);
}

bool baseline_row_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct baseline_row *row = data;
    assert(size >= baseline_row_size(row));
    return rows_insert(store, kinds[row->kind].insert, &data, 1, err);
}

static bool is_many_of_a_kind(const void *const *rows, size_t count)
{
    const struct baseline_row *first = rows[0];
    for (size_t i = 1; i < ROWS_OF_MANY; i++)
        if (i >= count || ((const struct baseline_row *)rows[i])->kind != first->kind)
            return false;
    return true;
}

bool baseline_rows_apply(struct store *store, const void *const *rows, size_t count,
                         struct error *err)
{
    bool are_new = true; /* the newest come first: behind one that is there already are others */
    while (count > 0) {
        const struct kind *k = &kinds[((const struct baseline_row *)rows[0])->kind];
        size_t written = 0;
        if (are_new && is_many_of_a_kind(rows, count)) {
            if (!rows_insert(store, k->insert_many, rows, ROWS_OF_MANY, err))
                return false;
            are_new = sqlite3_changes(store_handle(store)) == ROWS_OF_MANY;
            written = are_new ? ROWS_OF_MANY : 0;
        }
        if (written == 0) {
            if (!rows_insert(store, k->insert, rows, 1, err))
                return false;
            written = 1;
        }
        rows += written;
        count -= written;
    }
    return true;
}

static void row_read(sqlite3_stmt *q, enum baseline_kind kind, struct baseline_row *row)
{
    *row = (struct baseline_row){.kind = kind};
    text_copy(row->sensor, sizeof row->sensor, text_of(text_column(q, 0)));
    row->id = (uint64_t)sqlite3_column_int64(q, 1);
    entry_state_parse(&row->state, text_column(q, 2));
    row->first_ns = sqlite3_column_int64(q, 3);
    row->last_ns = sqlite3_column_int64(q, 4);
    row->count = (uint64_t)sqlite3_column_int64(q, 5);
    for (size_t i = 0; i < kinds[kind].count; i++)
        column_read(q, (int)i + HEAD_COLUMNS, row, &kinds[kind].columns[i]);
}

static bool kind_read(struct store *store, const char *sensor, enum baseline_kind kind,
                      bool (*put)(void *context, const struct baseline_row *row), void *context,
                      bool *goes_on, struct error *err)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(store_handle(store), kinds[kind].select, -1, &q, NULL) != SQLITE_OK)
        return error_set(err, "store %s: cannot read the baseline: %s", store_path(store),
                         sqlite3_errmsg(store_handle(store)));
    text_bind(q, 1, sensor);
    int code = SQLITE_ROW;
    while (*goes_on && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct baseline_row row;
        row_read(q, kind, &row);
        *goes_on = put(context, &row);
    }
    bool ok = code == SQLITE_ROW || code == SQLITE_DONE ||
              error_set(err, "store %s: cannot read the baseline: %s", store_path(store),
                        sqlite3_errmsg(store_handle(store)));
    sqlite3_finalize(q);
    return ok;
}

bool baseline_rows_read(struct store *store, const char *sensor, enum baseline_kind kind,
                        bool (*put)(void *context, const struct baseline_row *row), void *context,
                        struct error *err)
{
    bool goes_on = true, ok = true;
    if (kind < BASELINE_KINDS)
        return kind_read(store, sensor, kind, put, context, &goes_on, err);
    for (int k = 0; k < BASELINE_KINDS && goes_on && ok; k++)
        ok = kind_read(store, sensor, (enum baseline_kind)k, put, context, &goes_on, err);
    return ok;
}

/* sql: one of a kind, about a sensor. */
static bool run_for(struct store *store, const char *sql, const char *sensor, struct error *err)
{
    sqlite3_stmt *q = store_statement(store, sql, err);
    if (!q)
        return false;
    text_bind(q, 1, sensor);
    return store_step(store, q, err);
}

bool baseline_rows_unite(struct store *store, const char *sensor, struct error *err)
{
    bool ok = true;
    for (int k = 0; k < BASELINE_KINDS && ok; k++)
        ok = !kinds[k].unite || run_for(store, kinds[k].unite, sensor, err);
    return ok;
}

bool baseline_rows_clear(struct store *store, const char *sensor, struct error *err)
{
    bool ok = true;
    for (int k = 0; k < BASELINE_KINDS && ok; k++)
        ok = run_for(store, kinds[k].clear, sensor, err);
    return ok;
}
