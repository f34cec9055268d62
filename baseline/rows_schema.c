/* rows_schema.c: the tables of the learned state, one per kind of entry.
 *
 * Pairs and conversations are looked up by (sensor, id). What belongs to conversations is a
 * hundred times more, is written at once at the end of a run and read from the newest on: it lies
 * in that order, so that writing it fills page after page and no index has to be kept beside it. */
#include "rows.h"

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

#define CHANGING_SQL                                                                               \
    "CREATE INDEX baseline_operations_changing ON baseline_operations (sensor, first_seen DESC,"   \
    " id) WHERE " BASELINE_CHANGING ";"
#define BY_CONVERSATION_SQL                                                                        \
    "CREATE INDEX baseline_operations_by_conversation ON baseline_operations (sensor, "            \
    "conversation);"

#define PAIRS_BY_HOST_SQL                                                                          \
    "CREATE INDEX baseline_pairs_by_a ON baseline_pairs (host_a);"                                 \
    "CREATE INDEX baseline_pairs_by_b ON baseline_pairs (host_b);"                                 \
    "CREATE INDEX baseline_conversations_by_pair ON baseline_conversations (sensor, pair);"
#define POINTS_BY_ID_SQL "CREATE INDEX baseline_points_by_id ON baseline_points (sensor, id);"

#define DECISIONS_SQL                                                                              \
    "sensor TEXT NOT NULL, id INTEGER NOT NULL, made INTEGER NOT NULL, until INTEGER NOT NULL, "   \
    "verdict TEXT NOT NULL, entry INTEGER NOT NULL, detection TEXT NOT NULL, actor TEXT NOT "      \
    "NULL, target TEXT NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL, second_by TEXT NOT NULL "    \
    "DEFAULT ''"
#define AUDIT_SQL                                                                                  \
    "sensor TEXT NOT NULL, id INTEGER NOT NULL, made INTEGER NOT NULL, by TEXT NOT NULL, what "    \
    "TEXT NOT NULL, why TEXT NOT NULL"

/* The columns of each kind, with those that came later. */
#define NAME_SQL ", name TEXT, name_hash INTEGER"
#define OPERATION_SQL                                                                              \
    ", conversation INTEGER, side INTEGER, unit TEXT, unit_hash INTEGER, operation TEXT, code"     \
    " TEXT, name TEXT, numbers TEXT, step INTEGER NOT NULL DEFAULT 0"
#define RANGE_SQL PLACE_SQL ", ranges TEXT, joined INTEGER"
#define TAG_SQL   PLACE_SQL NAME_SQL
#define POINT_SQL                                                                                  \
    PLACE_SQL ", is_bit INTEGER, bit INTEGER, address INTEGER" NAME_SQL                            \
              ", low REAL, high REAL, states TEXT, changes_max INTEGER, observations INTEGER, "    \
              "ones INTEGER NOT NULL DEFAULT 0, changes INTEGER NOT NULL DEFAULT 0, flips "        \
              "INTEGER NOT NULL DEFAULT 0, echoed INTEGER NOT NULL DEFAULT 0, differed INTEGER "   \
              "NOT NULL DEFAULT 0, steps INTEGER NOT NULL DEFAULT 0, step_high REAL NOT NULL "     \
              "DEFAULT 0"
#define BLOCK_SQL                                                                                  \
    PLACE_SQL ", address INTEGER, size INTEGER" NAME_SQL                                           \
              ", changes INTEGER, longest_unchanged INTEGER, longest_unchanged_polls INTEGER, "    \
              "period_low REAL NOT NULL DEFAULT 0, period_high REAL NOT NULL DEFAULT 0, periods "  \
              "INTEGER NOT NULL DEFAULT 0"
#define POLLED_SQL                                                                                 \
    PLACE_SQL ", address INTEGER, size INTEGER, page INTEGER" NAME_SQL ", variables TEXT"

/* The table anew, the newest first. */
#define REMADE(table, columns)                                                                     \
    "ALTER TABLE " table " RENAME TO baseline_before; CREATE TABLE " table " (" HEAD columns       \
    ", PRIMARY KEY (sensor, first_seen DESC, id)) WITHOUT ROWID; INSERT INTO " table               \
    " SELECT * FROM baseline_before ORDER BY sensor, first_seen DESC, id; DROP TABLE "             \
    "baseline_before;"

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
    "CREATE TABLE baseline_decisions (" DECISIONS_SQL END
    "CREATE TABLE baseline_audit (" AUDIT_SQL END,
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
    PAIRS_BY_HOST_SQL BY_CONVERSATION_SQL,
    /* for who looks at all, newest first: found without reading the entries */
    NEWEST_SQL("baseline_operations") NEWEST_SQL("baseline_ranges") NEWEST_SQL("baseline_tags")
        NEWEST_SQL("baseline_points") NEWEST_SQL("baseline_blocks") NEWEST_SQL("baseline_polled")
            CHANGING_SQL,
    /* how long answers take (ns), how much is said in a minute, by how much values change */
    "ALTER TABLE baseline_conversations ADD COLUMN answers INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN answer_high INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN minutes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_conversations ADD COLUMN volume_high INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_points ADD COLUMN steps INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE baseline_points ADD COLUMN step_high REAL NOT NULL DEFAULT 0;",
    /* in the order in which they are written and read */
    REMADE("baseline_operations", OPERATION_SQL) REMADE("baseline_ranges", RANGE_SQL)
        REMADE("baseline_tags", TAG_SQL),
    REMADE("baseline_points", POINT_SQL) REMADE("baseline_blocks", BLOCK_SQL)
        REMADE("baseline_polled", POLLED_SQL) CHANGING_SQL BY_CONVERSATION_SQL POINTS_BY_ID_SQL,
    /* in which ways a variable is written */
    "ALTER TABLE baseline_points ADD COLUMN manners INTEGER NOT NULL DEFAULT 0;",
    NULL,
};

/* What the migrations lead to. SQLite reads the whole schema again for each column that is added:
 * a new store takes a third of the time so. */
#define LATER(column) ", " column " INTEGER NOT NULL DEFAULT 0"
#define OBSERVED_SQL(of)                                                                           \
    ", " of "observed INTEGER, " of "quiet INTEGER, " of "longest_gap INTEGER, " of                \
    "news INTEGER, " of "calm INTEGER"
#define CHANCE_SQL(of, settled)                                                                    \
    LATER(of "draws") LATER(of "singles") LATER(of "known") LATER(settled)
#define BY_AGE ", PRIMARY KEY (sensor, first_seen DESC, id)) WITHOUT ROWID;"

#define CONVERSATION_SQL                                                                           \
    ", pair INTEGER, protocol TEXT, client INTEGER, is_role_known INTEGER, writes_max INTEGER, "   \
    "longest_pause INTEGER, beats INTEGER, unit_hash INTEGER, has_unnamed INTEGER" OBSERVED_SQL(   \
        "operations_") OBSERVED_SQL("objects_") CHANCE_SQL("operations_", "operations_settled")    \
        CHANCE_SQL("objects_", "objects_settled") LATER("sealed")                                  \
            LATER("open") ", sequence TEXT NOT NULL DEFAULT ''" LATER("operations_settled_after")  \
                LATER("objects_settled_after") LATER("answers") LATER("answer_high")               \
                    LATER("minutes") LATER("volume_high")
#define LINKS_SQL OBSERVED_SQL("") CHANCE_SQL("", "is_settled") LATER("settled_after")
#define PAIR_SQL                                                                                   \
    ", segment INTEGER, host_a TEXT, host_b TEXT, operations_a INTEGER, operations_b "             \
    "INTEGER" LATER("sessions_max")
#define MADE(table, columns, end) "CREATE TABLE " table " (" columns end

static const char *const newest[] = {
    MADE("baseline_links", HEAD LINKS_SQL, END),
    MADE("baseline_pairs", HEAD PAIR_SQL, END),
    MADE("baseline_conversations", HEAD CONVERSATION_SQL, END),
    MADE("baseline_operations", HEAD OPERATION_SQL, BY_AGE),
    MADE("baseline_ranges", HEAD RANGE_SQL, BY_AGE),
    MADE("baseline_tags", HEAD TAG_SQL, BY_AGE),
    MADE("baseline_points", HEAD POINT_SQL LATER("manners"), BY_AGE),
    MADE("baseline_blocks", HEAD BLOCK_SQL, BY_AGE),
    MADE("baseline_polled", HEAD POLLED_SQL, BY_AGE),
    MADE("baseline_decisions", DECISIONS_SQL, END),
    MADE("baseline_audit", AUDIT_SQL LATER("is_told"), END),
    PAIRS_BY_HOST_SQL,
    CHANGING_SQL,
    BY_CONVERSATION_SQL,
    POINTS_BY_ID_SQL,
    NULL,
};

const struct store_schema baseline_schema = {
    .name = "baseline", .migrations = migrations, .newest = newest};
