/* rows.c: the learned state in the store: one table per kind of entry, keyed by (sensor, id).
 *
 * What a column is and where it lies in a row is a table for each kind, in the order of the columns
 * in SQL. */
#include "rows.h"

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
    COLUMN_HOST,
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

#define HEAD                                                                                       \
    "sensor TEXT NOT NULL, id INTEGER NOT NULL, state TEXT NOT NULL, first_seen INTEGER NOT "      \
    "NULL, "                                                                                       \
    "last_seen INTEGER NOT NULL, count INTEGER NOT NULL"
#define END ", PRIMARY KEY (sensor, id)) WITHOUT ROWID;"
#define PLACE_SQL                                                                                  \
    ", conversation INTEGER NOT NULL, side INTEGER NOT NULL, is_write INTEGER NOT NULL, unit "     \
    "TEXT NOT NULL, "                                                                              \
    "unit_hash INTEGER NOT NULL, area TEXT NOT NULL, has_number INTEGER NOT NULL, number INTEGER " \
    "NOT NULL"

#define NEWEST_SQL(table)                                                                          \
    "CREATE INDEX " table "_newest ON " table " (sensor, first_seen DESC, id, conversation, "      \
    "state);"

static const char *const migrations[] = {
    "CREATE TABLE baseline_links (" HEAD
    ", observed INTEGER, quiet INTEGER, longest_gap INTEGER, news INTEGER, calm INTEGER" END
    "CREATE TABLE baseline_pairs (" HEAD
    ", segment INTEGER, host_a TEXT, host_b TEXT, operations_a INTEGER, operations_b INTEGER" END
    "CREATE TABLE baseline_conversations (" HEAD
    ", pair INTEGER, protocol TEXT, client INTEGER, is_role_known INTEGER, "
    "writes_max INTEGER, longest_pause INTEGER, beats INTEGER, unit_hash INTEGER, has_unnamed "
    "INTEGER, operations_observed INTEGER, "
    "operations_quiet INTEGER, "
    "operations_longest_gap INTEGER, "
    "operations_news INTEGER, operations_calm INTEGER, objects_observed INTEGER, objects_quiet "
    "INTEGER, "
    "objects_longest_gap INTEGER, objects_news INTEGER, objects_calm INTEGER" END
    "CREATE TABLE baseline_operations (" HEAD
    ", conversation INTEGER, side INTEGER, unit TEXT, unit_hash INTEGER, "
    "operation TEXT, code TEXT, name TEXT, numbers TEXT" END
    "CREATE TABLE baseline_ranges (" HEAD PLACE_SQL ", ranges TEXT, joined INTEGER" END
    "CREATE TABLE baseline_tags (" HEAD PLACE_SQL ", name TEXT, name_hash INTEGER" END
    "CREATE TABLE baseline_points (" HEAD PLACE_SQL
    ", is_bit INTEGER, bit INTEGER, address INTEGER, name TEXT, name_hash INTEGER, "
    "low REAL, high REAL, states TEXT, changes_max INTEGER, observations INTEGER" END
    "CREATE TABLE baseline_blocks (" HEAD PLACE_SQL
    ", address INTEGER, size INTEGER, name TEXT, name_hash INTEGER, "
    "changes INTEGER, longest_unchanged INTEGER, longest_unchanged_polls INTEGER" END,
    /* what people decide */
    "CREATE TABLE baseline_decisions (sensor TEXT NOT NULL, id INTEGER NOT NULL, made INTEGER NOT "
    "NULL, until INTEGER NOT NULL, "
    "verdict TEXT NOT NULL, entry INTEGER NOT NULL, detection TEXT NOT NULL, actor TEXT NOT NULL, "
    "target TEXT NOT NULL, "
    "by TEXT NOT NULL, why TEXT NOT NULL, second_by TEXT NOT NULL DEFAULT ''" END
    "CREATE TABLE baseline_audit (sensor TEXT NOT NULL, id INTEGER NOT NULL, made INTEGER NOT "
    "NULL, by TEXT NOT NULL, "
    "what TEXT NOT NULL, why TEXT NOT NULL" END,
    /* how far learning has come, sequences, periods, polled values; *_known is a percentage */
    "ALTER TABLE baseline_links ADD COLUMN draws INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_links ADD COLUMN singles INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_links ADD COLUMN known INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_links ADD COLUMN is_settled INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_pairs ADD COLUMN sessions_max INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN operations_draws INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN operations_singles INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN operations_known INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN operations_settled INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN objects_draws INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN objects_singles INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN objects_known INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN objects_settled INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN open INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN sequence TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE baseline_operations ADD COLUMN step INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_points ADD COLUMN ones INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_points ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_points ADD COLUMN flips INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_points ADD COLUMN echoed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_points ADD COLUMN differed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_blocks ADD COLUMN period_low REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_blocks ADD COLUMN period_high REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_blocks ADD COLUMN periods INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE baseline_polled (" HEAD PLACE_SQL
    ", address INTEGER, size INTEGER, page INTEGER, name TEXT, name_hash INTEGER, "
    "variables TEXT" END,
    /* changes that the sensor tells; after how much observation (ns) a scope settled */
    "ALTER TABLE baseline_audit ADD COLUMN is_told INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_links ADD COLUMN settled_after INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN operations_settled_after INTEGER NOT NULL "
    "DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN objects_settled_after INTEGER NOT NULL DEFAULT "
    "0;",
    /* for who looks at one device */
    "CREATE INDEX baseline_pairs_by_a ON baseline_pairs (host_a);"
    "CREATE INDEX baseline_pairs_by_b ON baseline_pairs (host_b);"
    "CREATE INDEX baseline_conversations_by_pair ON baseline_conversations (sensor, pair);"
    "CREATE INDEX baseline_operations_by_conversation ON baseline_operations (sensor, "
    "conversation);",
    /* for who looks at all, newest first: found without reading the entries */
    NEWEST_SQL("baseline_operations") NEWEST_SQL("baseline_ranges") NEWEST_SQL("baseline_tags")
        NEWEST_SQL("baseline_points") NEWEST_SQL("baseline_blocks")
            NEWEST_SQL("baseline_polled") "CREATE INDEX baseline_operations_changing ON "
                                          "baseline_operations (sensor, first_seen DESC, id)"
                                          " WHERE " BASELINE_CHANGING ";",
    NULL,
};

const struct store_schema baseline_schema = {.name = "baseline", .migrations = migrations};

struct kind {
    const char *insert, *select, *clear;
    const struct column *columns;
    size_t count;
};

#define COLUMNS(list) list, sizeof list / sizeof *list
#define MARKS5        "?,?,?,?,?"
#define MARKS6        MARKS5 ",?"
#define KIND(table, marks, columns)                                                                \
    {                                                                                              \
        "INSERT OR REPLACE INTO " table " VALUES(" MARKS6 "," marks ")",                           \
            "SELECT * FROM " table " WHERE sensor = ? ORDER BY id",                                \
            "DELETE FROM " table " WHERE sensor = ?", COLUMNS(columns)                             \
    }

static const struct kind kinds[BASELINE_KINDS] = {
    [BASELINE_LINKS] = KIND("baseline_links", MARKS5 "," MARKS5, links_columns),
    [BASELINE_PAIR] = KIND("baseline_pairs", MARKS6, pair_columns),
    [BASELINE_CONVERSATION] =
        KIND("baseline_conversations", MARKS6 "," MARKS6 "," MARKS6 "," MARKS6 "," MARKS6 ",?,?",
             conversation_columns),
    [BASELINE_OPERATION] = KIND("baseline_operations", MARKS6 ",?,?,?", operation_columns),
    [BASELINE_RANGE] = KIND("baseline_ranges", MARKS5 "," MARKS5, range_columns),
    [BASELINE_TAG] = KIND("baseline_tags", MARKS5 "," MARKS5, tag_columns),
    [BASELINE_POINT] =
        KIND("baseline_points", MARKS6 "," MARKS6 "," MARKS6 "," MARKS5, point_columns),
    [BASELINE_BLOCK] = KIND("baseline_blocks", MARKS6 "," MARKS6 "," MARKS6, block_columns),
    [BASELINE_PAGE] = KIND("baseline_polled", MARKS6 "," MARKS6 ",?,?", page_columns),
};
enum { HEAD_COLUMNS = 6 };

enum { COLUMN_TEXT_SIZE = 2048 };
_Static_assert((int)COLUMN_TEXT_SIZE >= (int)INTERVALS_TEXT, "every list fits");

/* --- states and codes as text --- */

static void states_print(const struct point_facts *f, char *out, size_t capacity)
{
    size_t used = 0;
    out[0] = '\0';
    if (f->state_count > STATES_MAX) {
        text_format(out, capacity, "many");
        return;
    }
    for (int i = 0; i < f->state_count; i++) {
        text_format(out + used, capacity - used, "%s%.17g*%u", i ? " " : "", f->states[i],
                    f->state_counts[i]);
        used += strlen(out + used);
    }
}

static void states_parse(struct point_facts *f, const char *text)
{
    f->state_count = 0;
    if (strcmp(text, "many") == 0) {
        f->state_count = STATES_MAX + 1;
        return;
    }
    while (*text && f->state_count < STATES_MAX) {
        char *end;
        f->states[f->state_count] = strtod(text, &end);
        if (end == text || *end != '*')
            return;
        f->state_counts[f->state_count++] = (uint32_t)strtoul(end + 1, &end, 10);
        text = *end == ' ' ? end + 1 : end;
    }
}

/* Numbers in hexadecimal, separated by spaces: the commands, then once, often, arrivals of each
 * step. */
static void sequence_print(const struct sequence_facts *f, char *out, size_t capacity)
{
    out[0] = '\0';
    if (f->steps == 0)
        return;
    text_format(out, capacity, "%x", f->commands);
    size_t used = strlen(out);
    for (int i = 0; i < f->steps && i < STEPS_MAX; i++) {
        text_format(out + used, capacity - used, " %x %x %x", f->once[i], f->often[i],
                    f->arrivals[i]);
        used += strlen(out + used);
    }
}

static uint16_t hex_take(const char **text)
{
    char *end;
    unsigned long n = strtoul(*text, &end, 16);
    *text = end;
    return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

static void sequence_parse(struct sequence_facts *f, const char *text)
{
    *f = (struct sequence_facts){0};
    f->commands = hex_take(&text);
    while (*text == ' ' && f->steps < STEPS_MAX) {
        f->once[f->steps] = hex_take(&text);
        f->often[f->steps] = hex_take(&text);
        f->arrivals[f->steps++] = hex_take(&text);
    }
}

/* Per variable "low high turns states", the states as VALUE:VISITS joined by commas, "many" or
 * "-"; separated by ";". Trailing variables that were never seen are left out. */
static void variables_print(const struct page_facts *f, char *out, size_t capacity)
{
    size_t used = 0;
    int last = PAGE_VARIABLES;
    out[0] = '\0';
    while (last > 0 && f->variables[last - 1].state_count == 0)
        last--;
    for (int i = 0; i < last && used + 1 < capacity; i++) {
        const struct variable *v = &f->variables[i];
        text_format(out + used, capacity - used, "%s%.9g %.9g %u ", i ? ";" : "", (double)v->low,
                    (double)v->high, v->turns);
        used += strlen(out + used);
        if (v->state_count > PAGE_STATES || v->state_count == 0)
            text_format(out + used, capacity - used, "%s", v->state_count ? "many" : "-");
        for (int k = 0; k < v->state_count && v->state_count <= PAGE_STATES; k++) {
            text_format(out + used, capacity - used, "%s%.9g:%u", k ? "," : "",
                        (double)v->states[k], v->visits[k]);
            used += strlen(out + used);
        }
        used += strlen(out + used);
    }
}

static float float_take(const char **text)
{
    char *end;
    float n = strtof(*text, &end);
    *text = end;
    return n;
}

static void variable_parse(struct variable *v, const char *text)
{
    v->low = float_take(&text);
    v->high = float_take(&text);
    unsigned long turns = strtoul(text, NULL, 10);
    v->turns = turns > UINT16_MAX ? UINT16_MAX : (uint16_t)turns;
    text += strspn(text, " ");
    text += strcspn(text, " ;");
    text += strspn(text, " ");
    if (strncmp(text, "many", 4) == 0)
        v->state_count = PAGE_STATES + 1;
    while ((*text == '-' || *text == '+' || (*text >= '0' && *text <= '9')) &&
           v->state_count < PAGE_STATES) {
        float state = float_take(&text);
        if (*text != ':')
            return;
        text++;
        v->states[v->state_count] = state;
        unsigned long visits = strtoul(text, NULL, 10);
        v->visits[v->state_count++] = visits > UINT8_MAX ? UINT8_MAX : (uint8_t)visits;
        text += strspn(text, "0123456789");
        text += *text == ',';
    }
}

void baseline_variables_parse(struct page_facts *f, const char *text)
{
    memset(f->variables, 0, sizeof f->variables);
    for (int i = 0; i < PAGE_VARIABLES && *text; i++) {
        variable_parse(&f->variables[i], text);
        text += strcspn(text, ";");
        text += *text == ';';
    }
}

static void code_parse(uint32_t code[OT_CODE_PARTS], const char *text)
{
    for (int i = 0; i < OT_CODE_PARTS; i++) {
        char *end;
        code[i] = (uint32_t)strtoul(text, &end, 10);
        text = *end == '.' ? end + 1 : end;
    }
}

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
static void lasting_bind(sqlite3_stmt *q, int i, const char *text)
{
    sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC);
}

static void text_bind(sqlite3_stmt *q, int i, const char *text)
{
    sqlite3_bind_text(q, i, text, -1, SQLITE_TRANSIENT);
}

static void column_bind(sqlite3_stmt *q, int i, const struct baseline_row *row,
                        const struct column *c)
{
    char text[COLUMN_TEXT_SIZE];
    switch (c->type) {
    case COLUMN_TEXT:
        lasting_bind(q, i, (const char *)row + c->offset);
        break;
    case COLUMN_OPERATION:
        lasting_bind(q, i, operation_name((enum operation)integer_get(row, c)));
        break;
    case COLUMN_DOUBLE: {
        double value;
        field_get(row, c, &value);
        sqlite3_bind_double(q, i, value);
        break;
    }
    case COLUMN_HOST: {
        struct host h;
        field_get(row, c, &h);
        text_bind(q, i, host_print(text, &h));
        break;
    }
    case COLUMN_CODE: {
        uint32_t code[OT_CODE_PARTS];
        field_get(row, c, code);
        text_bind(
            q, i,
            text_format(text, sizeof text, "%u.%u.%u.%u", code[0], code[1], code[2], code[3]));
        break;
    }
    case COLUMN_INTERVALS: {
        struct interval_set set;
        field_get(row, c, &set);
        text_bind(q, i, interval_set_print(&set, text, sizeof text));
        break;
    }
    case COLUMN_STATES: {
        struct point_facts f;
        field_get(row, c, &f);
        states_print(&f, text, sizeof text);
        text_bind(q, i, text);
        break;
    }
    case COLUMN_SEQUENCE: {
        struct sequence_facts f;
        field_get(row, c, &f);
        sequence_print(&f, text, sizeof text);
        text_bind(q, i, text);
        break;
    }
    case COLUMN_VARIABLES:
        variables_print(&row->is.page, text, sizeof text);
        text_bind(q, i, text);
        break;
    default:
        sqlite3_bind_int64(q, i, integer_get(row, c));
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
        code_parse(code, text_column(q, i));
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
        states_parse(&f, text_column(q, i));
        field_set(row, c, &f);
        break;
    }
    case COLUMN_SEQUENCE: {
        struct sequence_facts f;
        sequence_parse(&f, text_column(q, i));
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

bool baseline_row_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct baseline_row *row = data;
    assert(size == sizeof *row && row->kind < BASELINE_KINDS);
    const struct kind *k = &kinds[row->kind];
    sqlite3_stmt *q = store_statement(store, k->insert, err);
    if (!q)
        return false;
    lasting_bind(q, 1, row->sensor);
    sqlite3_bind_int64(q, 2, (int64_t)row->id);
    lasting_bind(q, 3, entry_state_name(row->state));
    sqlite3_bind_int64(q, 4, row->first_ns);
    sqlite3_bind_int64(q, 5, row->last_ns);
    sqlite3_bind_int64(q, 6, (int64_t)row->count);
    for (size_t i = 0; i < k->count; i++)
        column_bind(q, (int)i + HEAD_COLUMNS + 1, row, &k->columns[i]);
    return store_step(store, q, err);
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

bool baseline_rows_clear(struct store *store, const char *sensor, struct error *err)
{
    for (int k = 0; k < BASELINE_KINDS; k++) {
        sqlite3_stmt *q = store_statement(store, kinds[k].clear, err);
        if (!q)
            return false;
        text_bind(q, 1, sensor);
        if (!store_step(store, q, err))
            return false;
    }
    return true;
}
