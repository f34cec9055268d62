/* asset_links.c: see asset_links.h. */
#include "asset_links.h"

#include "asset.h"
#include "sensor/base/json_writer.h"

#include <stdlib.h>
#include <string.h>

enum { PEERS_SHOWN = 5, WRITERS_MAX = 16, RISK_MAX = 100 };

/* Parameters of every query here: ?1 the sensor, ?2 the asset. Without statistics SQLite takes a
 * primary key that begins with the sensor for as good as the index that fits: the index is named,
 * or the sensor's term kept from it by a plus; and the order of a join is said (CROSS). */
#define MINE                                                                                       \
    "(SELECT value FROM asset_aliases WHERE sensor = ?1 AND asset = ?2 AND kind IN ('ip', 'mac'))"
/* The number of its segment: machine cells use the same addresses. A store of before has none. */
#define IS_HERE                                                                                    \
    "coalesce((SELECT s.number FROM assets a JOIN segments s ON s.sensor = a.sensor"               \
    " AND s.name = a.segment WHERE a.sensor = ?1 AND a.id = ?2), -1) IN (-1, p.segment)"
#define PAIRS                                                                                      \
    "(SELECT sensor, id, count, host_b AS peer, 0 AS side FROM baseline_pairs p"                   \
    " INDEXED BY baseline_pairs_by_a WHERE sensor = ?1 AND host_a IN " MINE " AND " IS_HERE        \
    " UNION ALL SELECT sensor, id, count, host_a, 1 FROM baseline_pairs p"                         \
    " INDEXED BY baseline_pairs_by_b WHERE sensor = ?1 AND host_b IN " MINE " AND " IS_HERE ")"

struct writer {
    char host[ADDRESS_TEXT_SIZE];
    int64_t last_ns;
    uint64_t operations; /* a bit per enum operation */
};

struct links {
    struct asset_cells *cells;
    bool has_pairs;
    size_t peers;
    char top[ASSET_CELL_SIZE]; /* of the peers */
    struct writer writers[WRITERS_MAX];
    size_t writer_count;
    uint64_t conversations, closed; /* of the plant's protocols */
};

static const char *text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

/* --- peers --- */

static void peer_row(struct links *l, sqlite3_stmt *s)
{
    size_t used = strlen(l->top);
    if (l->peers++ < PEERS_SHOWN)
        text_format(l->top + used, sizeof l->top - used, "%s%s", used ? ", " : ": ", text_at(s, 0));
}

static void peers_print(struct links *l)
{
    if (l->has_pairs)
        text_format(l->cells->cells[ASSET_COLUMN_peers], ASSET_CELL_SIZE, "%zu%s", l->peers,
                    l->top);
}

/* --- who changes it --- */

static bool changes_program(enum operation op)
{
    return op == OP_PROGRAM_MODIFY || op == OP_PROGRAM_DELETE || op == OP_PROGRAM_DOWNLOAD ||
           op == OP_FIRMWARE_UPDATE;
}

/* The newest come first; of more writers than there is room for the oldest are not told. */
static struct writer *writer_of(struct links *l, const char *host, int64_t last_ns)
{
    for (size_t i = 0; i < l->writer_count; i++)
        if (strcmp(l->writers[i].host, host) == 0)
            return &l->writers[i];
    if (l->writer_count == WRITERS_MAX)
        return NULL;
    struct writer *w = &l->writers[l->writer_count++];
    *w = (struct writer){.last_ns = last_ns};
    text_format(w->host, sizeof w->host, "%s", host);
    return w;
}

static void operation_row(struct links *l, sqlite3_stmt *s)
{
    enum operation op;
    const char *host = text_at(s, 0), *name = text_at(s, 1);
    int64_t last_ns = sqlite3_column_int64(s, 2);
    char time[TIME_TEXT_SIZE], *program = l->cells->cells[ASSET_COLUMN_last_program_change];
    if (!operation_parse(&op, name) || !operation_is_change(op))
        return;
    if (changes_program(op) && program[0] == '\0')
        text_format(program, ASSET_CELL_SIZE, "%s by %s (%s)", time_print(time, last_ns), host,
                    name);
    struct writer *w = writer_of(l, host, last_ns);
    if (w)
        w->operations |= (uint64_t)1 << op;
}

/* "10.0.0.5 2026-01-31T18:00:00.000000Z (write, program_download)" */
static void writers_print(struct links *l)
{
    char *cell = l->cells->cells[ASSET_COLUMN_writers], one[ASSET_CELL_SIZE], time[TIME_TEXT_SIZE];
    for (size_t i = 0; i < l->writer_count; i++) {
        const struct writer *w = &l->writers[i];
        size_t all = strlen(cell), used;
        text_format(one, sizeof one, "%s%s %s (", all ? ";" : "", w->host,
                    time_print(time, w->last_ns));
        for (unsigned op = 0, told = 0; op < OPERATION_COUNT; op++)
            if (w->operations >> op & 1) {
                used = strlen(one);
                text_format(one + used, sizeof one - used, "%s%s", told++ ? ", " : "",
                            operation_name((enum operation)op));
            }
        if (all + strlen(one) + 2 > ASSET_CELL_SIZE)
            return;
        text_format(cell + all, ASSET_CELL_SIZE - all, "%s)", one);
    }
}

/* --- what cannot be read --- */

static void conversation_row(struct links *l, sqlite3_stmt *s)
{
    if (!asset_protocol_kind(text_at(s, 0)))
        return;
    l->conversations++;
    l->closed += sqlite3_column_int64(s, 1) > 0 && sqlite3_column_int64(s, 2) == 0;
}

static void share_print(struct links *l)
{
    if (l->conversations > 0)
        text_format(l->cells->cells[ASSET_COLUMN_encrypted_share], ASSET_CELL_SIZE, "%llu%%",
                    (unsigned long long)(100 * l->closed / l->conversations));
}

/* --- what people and rules say --- */

static void decision_row(struct links *l, sqlite3_stmt *s)
{
    char time[TIME_TEXT_SIZE];
    const char *verdict = strcmp(text_at(s, 0), "approve") == 0 ? "yes" : "no";
    text_format(l->cells->cells[ASSET_COLUMN_authorised], ASSET_CELL_SIZE, "%s, by %s, %s", verdict,
                text_at(s, 1), time_print(time, sqlite3_column_int64(s, 2)));
}

static void alerts_row(struct links *l, sqlite3_stmt *s)
{
    int64_t count = sqlite3_column_int64(s, 0);
    char *cell = l->cells->cells[ASSET_COLUMN_alerts_open];
    text_format(cell, ASSET_CELL_SIZE, "%lld", (long long)count);
    if (count > 0)
        text_format(cell + strlen(cell), ASSET_CELL_SIZE - strlen(cell), ", highest %d",
                    sqlite3_column_int(s, 1));
}

/* --- all of it --- */

static bool each(struct store *store, const char *sensor, const char *asset, const char *sql,
                 void (*row)(struct links *l, sqlite3_stmt *s), struct links *l, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, sql, NULL);
    if (!s)
        return true; /* it has no such table */
    l->has_pairs |= row == peer_row;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, asset, -1, SQLITE_STATIC);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW)
        row(l, s);
    sqlite3_reset(s);
    return result == SQLITE_DONE ||
           error_set(err, "cannot read the links of assets in %s: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}

bool asset_links_fill(struct store *store, const char *sensor, const char *asset,
                      struct asset_cells *cells, struct error *err)
{
    static const struct {
        const char *sql;
        void (*row)(struct links *l, sqlite3_stmt *s);
    } queries[] = {
        {"SELECT peer, sum(count) FROM " PAIRS " WHERE EXISTS (SELECT 1 FROM asset_aliases i"
         " INDEXED BY asset_aliases_by_value WHERE i.sensor = ?1 AND i.kind IN ('ip', 'mac')"
         " AND i.value = peer) GROUP BY peer ORDER BY sum(count) DESC, peer",                 peer_row        },
        {"SELECT p.peer, o.operation, max(o.last_seen) FROM " PAIRS " p"
         " CROSS JOIN baseline_conversations c INDEXED BY baseline_conversations_by_pair"
         " ON c.sensor = p.sensor AND c.pair = p.id"
         " CROSS JOIN baseline_operations o INDEXED BY baseline_operations_by_conversation"
         " ON o.sensor = c.sensor AND o.conversation = c.id WHERE o.side <> p.side"
         " GROUP BY p.peer, o.operation ORDER BY max(o.last_seen) DESC, p.peer, o.operation", operation_row   },
        {"SELECT c.protocol, c.sealed, c.open FROM " PAIRS " p"
         " CROSS JOIN baseline_conversations c INDEXED BY baseline_conversations_by_pair"
         " ON c.sensor = p.sensor AND c.pair = p.id",                                         conversation_row},
        {"SELECT verdict, by, made FROM baseline_decisions WHERE sensor = ?1 AND actor IN " MINE
         " AND detection IN ('asset.new', 'asset.new-controller') ORDER BY made, id",         decision_row    },
        {"SELECT count(*), max(severity) FROM (SELECT severity FROM alerts a INDEXED BY"
         " alerts_open_by_actor WHERE sensor = ?1 AND actor IN " MINE " AND triage <> 'closed'"
         " UNION ALL SELECT severity FROM alerts a INDEXED BY alerts_open_by_target WHERE sensor = "
         "?1"
         " AND target IN " MINE " AND actor NOT IN " MINE " AND triage <> 'closed')",
         alerts_row                                                                                                    },
    };
    struct links l = {.cells = cells};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        if (!each(store, sensor, asset, queries[i].sql, queries[i].row, &l, err))
            return false;
    peers_print(&l);
    writers_print(&l);
    share_print(&l);
    return true;
}

/* --- risk --- */

struct reason {
    int points;
    const char *words;
};

static bool starts(const struct asset_cells *cells, enum asset_column column, const char *with)
{
    return strncmp(cells->cells[column], with, strlen(with)) == 0;
}

static int alert_points(const struct asset_cells *cells)
{
    const char *open = cells->cells[ASSET_COLUMN_alerts_open], *worst = strstr(open, "highest ");
    return worst ? 5 * atoi(worst + strlen("highest ")) : 0;
}

static int more_points(const struct asset_cells *cells)
{
    int count = atoi(cells->cells[ASSET_COLUMN_alerts_open]);
    return count > 11 ? 10 : count > 1 ? count - 1 : 0;
}

static bool was_programmed(const struct asset_cells *cells, int64_t newest_ns)
{
    static const int64_t RECENT_NS = 86400 * INT64_C(1000000000);
    char time[TIME_TEXT_SIZE];
    int64_t last_ns;
    text_format(time, sizeof time, "%s", cells->cells[ASSET_COLUMN_last_program_change]);
    time[strcspn(time, " ")] = '\0';
    return time_parse(&last_ns, time) && newest_ns - last_ns < RECENT_NS;
}

void asset_risk_fill(struct asset_cells *cells, int64_t newest_ns)
{
    const struct reason reasons[] = {
        {alert_points(cells),    "worst open alert"                    },
        {more_points(cells),     "more open alerts"                    },
        {starts(cells,           ASSET_COLUMN_authorised,                "no") ? 20 : 0, "not authorised"},
        {starts(cells,      ASSET_COLUMN_internet,                                            "yes") ? 15 : 0, "talks to the internet"},
        {starts(cells,ASSET_COLUMN_declared_match,"no") ? 10 : 0, "not declared"},
        {starts(cells,                      ASSET_COLUMN_declared_match,                                                 "differs") ? 5 : 0, "not as declared"},
        {was_programmed(cells,        newest_ns) ? 10 : 0,                                                         "programmed lately"},
        {cells->cells[ASSET_COLUMN_conflicts][0] ? 5 : 0,           "sources contradict"},
    };
    bool is_vital = starts(cells, ASSET_COLUMN_safety, "yes") ||
                    starts(cells, ASSET_COLUMN_criticality, "critical");
    const struct reason *greatest = &reasons[0];
    int score = 0;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        score += reasons[i].points;
        if (reasons[i].points > greatest->points)
            greatest = &reasons[i];
    }
    score += is_vital && score > 0 ? 10 : 0;
    char *risk = cells->cells[ASSET_COLUMN_risk];
    text_format(risk, ASSET_CELL_SIZE, "%d", score < RISK_MAX ? score : RISK_MAX);
    if (score > 0)
        text_format(risk + strlen(risk), ASSET_CELL_SIZE - strlen(risk), ", %s", greatest->words);
}
