/* rows.c: writes of the alert tables, as the store's writer carries them out. They fail only when
 * the store does: a write that could never succeed would hold up all that wait behind it. */
#include "rows.h"

#include "cause.h"
#include "zeros.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum {
    STATE_VERSION = 3,
    STATE_WHOLE = 2 /* with its zeros */,
    DELETE_AT_ONCE = 256,
    ROWS_AT_ONCE = 2000 /* of a statement: some 20 MB to undo it */
};

/* What is kept of an open alert or story: this, and the struct without its zeros. Another version
 * or size of the struct is not read back. */
struct state_head {
    uint32_t version, size;
};
enum {
    STATE_BYTES_MAX = sizeof(struct incident) > sizeof(struct alert) ? sizeof(struct incident)
                                                                     : sizeof(struct alert),
    STATE_MAX = sizeof(struct state_head) + ZEROS_PACKED_MAX(STATE_BYTES_MAX),
};

/* Binds it, borrowed from `packed`. */
static void bind_state(sqlite3_stmt *s, int column, uint8_t packed[STATE_MAX], const void *bytes,
                       size_t size)
{
    struct state_head head = {STATE_VERSION, (uint32_t)size};
    memcpy(packed, &head, sizeof head);
    size_t all = sizeof head + zeros_pack(packed + sizeof head, bytes, size);
    sqlite3_bind_blob(s, column, packed, (int)all, SQLITE_STATIC);
}

static bool state_of(sqlite3_stmt *s, int column, void *bytes, size_t size)
{
    struct state_head head;
    const uint8_t *packed = sqlite3_column_blob(s, column);
    int all = sqlite3_column_bytes(s, column);
    if (!packed || all < (int)sizeof head)
        return false;
    memcpy(&head, packed, sizeof head);
    packed += sizeof head;
    size_t packed_size = (size_t)all - sizeof head;
    if (head.version == STATE_WHOLE && head.size == size && packed_size == size) {
        memcpy(bytes, packed, size);
        return true;
    }
    return head.version == STATE_VERSION && head.size == size &&
           zeros_unpack(bytes, size, packed, packed_size);
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void bind_text(sqlite3_stmt *s, int column, const char *text)
{
    sqlite3_bind_text(s, column, text, -1, SQLITE_STATIC);
}

/* The first column of the first row for a sensor; `none` when there is no row. */
static bool number_of(struct store *store, const char *sql, const char *sensor, int64_t none,
                      int64_t *number, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, sql, err);
    if (!s)
        return false;
    bind_text(s, 1, sensor);
    int code = sqlite3_step(s);
    *number = code == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL
                  ? sqlite3_column_int64(s, 0)
                  : none;
    sqlite3_reset(s);
    return code == SQLITE_ROW || code == SQLITE_DONE ||
           error_set(err, "store %s: cannot read: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}

static bool outbox_add(struct store *store, const struct message_row *row, const char *json,
                       struct error *err)
{
    int64_t seq;
    if (!number_of(store, "SELECT outbox_next FROM alert_totals WHERE sensor = ?", row->sensor, 1,
                   &seq, err))
        return false;
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT OR IGNORE INTO outbox(sensor, seq, stream, id, rev, json, created_ms)"
        " VALUES(?, ?, ?, ?, ?, ?, ?)",
        err);
    if (!s)
        return false;
    bind_text(s, 1, row->sensor);
    sqlite3_bind_int64(s, 2, seq);
    bind_text(s, 3, row->stream);
    bind_text(s, 4, row->id);
    sqlite3_bind_int64(s, 5, row->revision);
    sqlite3_bind_text(s, 6, json, (int)row->json_size, SQLITE_STATIC);
    sqlite3_bind_int64(s, 7, wall_ms());
    return store_step(store, s, err);
}

/* Both statements of an alert take the same places. */
static bool alert_step(struct store *store, sqlite3_stmt *s, const struct alert_row *row,
                       const char *json, struct error *err)
{
    if (!s)
        return false;
    const struct alert *a = &row->alert;
    const struct finding *f = &a->finding;
    char actor[ADDRESS_TEXT_SIZE] = "", target[ADDRESS_TEXT_SIZE] = "";
    if (!a->is_storm)
        cause_host(actor, &f->actor);
    if (!a->is_storm && f->has_target)
        cause_host(target, &f->target);
    uint8_t state[STATE_MAX];
    const char *message = json + row->json_size, *name = message + row->message_size;

    bind_text(s, 1, row->sensor);
    bind_text(s, 2, a->id);
    sqlite3_bind_int64(s, 3, a->revision);
    bind_text(s, 4, detection_kind(f->detection)->id);
    sqlite3_bind_int(s, 5, row->severity);
    sqlite3_bind_int64(s, 6, a->first_ns);
    sqlite3_bind_int64(s, 7, a->last_ns);
    sqlite3_bind_int64(s, 8, (int64_t)a->count);
    bind_text(s, 9, a->is_settled ? "settled" : "growing");
    bind_text(s, 10, actor);
    bind_text(s, 11, target);
    bind_text(s, 12, f->protocol);
    bind_text(s, 13, a->incident);
    sqlite3_bind_text(s, 14, json, (int)row->json_size, SQLITE_STATIC);
    if (row->is_resumable)
        bind_state(s, 15, state, a, sizeof *a);
    sqlite3_bind_text(s, 16, message, (int)row->message_size, SQLITE_STATIC);
    sqlite3_bind_text(s, 17, name, (int)row->name_size, SQLITE_STATIC);
    bind_text(s, 18, f->detection == DETECTION_RULE_MATCH ? f->rule_id : "");
    bool ok = store_step(store, s, err);
    sqlite3_clear_bindings(s);
    return ok;
}

/* Inserted, or updated where an older revision is there: two statements that cannot abort, for one
 * that could, INSERT ON CONFLICT, keeps all pages that it changes to be undone. */
static bool alert_upsert(struct store *store, const struct alert_row *row, const char *json,
                         struct error *err)
{
    sqlite3_stmt *insert = store_statement(
        store,
        "INSERT OR IGNORE INTO alerts(sensor, id, revision, rule, severity, first_ns, last_ns,"
        " count, status, actor, target, protocol, incident, document, state, message, rule_name,"
        " rule_uuid) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
        " ?17, ?18)",
        err);
    if (!alert_step(store, insert, row, json, err))
        return false;
    if (sqlite3_changes(store_handle(store)) == 1)
        return true;
    sqlite3_stmt *update = store_statement(
        store,
        "UPDATE OR IGNORE alerts SET revision = ?3, severity = ?5, last_ns = ?7, count = ?8,"
        " status = ?9, document = ?14, state = ?15, message = ?16"
        " WHERE sensor = ?1 AND id = ?2 AND revision < ?3 AND ?18 = ?18",
        err);
    return alert_step(store, update, row, json, err);
}

bool rows_alert_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct alert_row *row = data;
    const char *json = (const char *)data + sizeof *row;
    assert(size == sizeof *row + row->json_size + row->message_size + row->name_size);

    if (!alert_upsert(store, row, json, err))
        return false;
    if (sqlite3_changes(store_handle(store)) == 0)
        return true; /* the store has this revision */
    struct message_row message = {
        .stream = "alerts",
        .revision = row->alert.revision,
        .json_size = row->has_outputs ? row->json_size : 0,
    };
    memcpy(message.sensor, row->sensor, sizeof message.sensor);
    memcpy(message.id, row->alert.id, sizeof row->alert.id);
    return outbox_add(store, &message, json, err);
}

bool rows_incident_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct incident_row *row = data;
    const char *title = (const char *)data + sizeof *row;
    assert(size == sizeof *row + row->title_size + row->json_size);
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT INTO incidents(sensor, id, revision, severity, first_ns, last_ns, alerts, status,"
        " title, document, state) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        " ON CONFLICT(sensor, id) DO UPDATE SET revision = ?3, severity = ?4, first_ns = ?5,"
        " last_ns = ?6, alerts = ?7, status = ?8, title = ?9, document = ?10, state = ?11"
        " WHERE ?3 > revision",
        err);
    if (!s)
        return false;
    const struct incident *i = &row->incident;
    uint8_t state[STATE_MAX];
    bind_text(s, 1, row->sensor);
    bind_text(s, 2, i->id);
    sqlite3_bind_int64(s, 3, i->revision);
    sqlite3_bind_int(s, 4, i->severity);
    sqlite3_bind_int64(s, 5, i->first_ns);
    sqlite3_bind_int64(s, 6, i->last_ns);
    sqlite3_bind_int64(s, 7, i->alerts);
    bind_text(s, 8, i->is_settled ? "settled" : "growing");
    sqlite3_bind_text(s, 9, title, (int)row->title_size, SQLITE_STATIC);
    sqlite3_bind_text(s, 10, title + row->title_size, (int)row->json_size, SQLITE_STATIC);
    if (row->is_resumable)
        bind_state(s, 11, state, i, sizeof *i);
    bool ok = store_step(store, s, err);
    sqlite3_clear_bindings(s);
    return ok;
}

bool rows_incidents(struct store *store, const char *sensor, size_t max,
                    void (*put)(void *context, const struct incident *incident), void *context,
                    struct error *err)
{
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT state FROM incidents WHERE state IS NOT NULL AND"
                                      " sensor = ? ORDER BY last_ns DESC, id LIMIT ?",
                                      err);
    if (!s)
        return false;
    bind_text(s, 1, sensor);
    sqlite3_bind_int64(s, 2, (int64_t)max);
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        struct incident incident;
        if (state_of(s, 0, &incident, sizeof incident))
            put(context, &incident);
    }
    sqlite3_reset(s);
    return code == SQLITE_DONE || error_set(err, "store %s: cannot read incidents: %s",
                                            store_path(store), sqlite3_errmsg(store_handle(store)));
}

static bool health_upsert(struct store *store, const struct message_row *row, const char *json,
                          struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store,
                        "INSERT INTO health(sensor, id, rev, document) VALUES(?, ?, ?, ?)"
                        " ON CONFLICT(sensor, id) DO UPDATE SET rev = excluded.rev,"
                        " document = excluded.document",
                        err);
    if (!s)
        return false;
    bind_text(s, 1, row->sensor);
    bind_text(s, 2, row->id);
    sqlite3_bind_int64(s, 3, row->revision);
    sqlite3_bind_text(s, 4, json, (int)row->json_size, SQLITE_STATIC);
    return store_step(store, s, err);
}

bool rows_message_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct message_row *row = data;
    const char *json = (const char *)data + sizeof *row;
    assert(size == sizeof *row + row->json_size);
    if (strcmp(row->stream, "health") == 0 && !health_upsert(store, row, json, err))
        return false;
    return outbox_add(store, row, json, err);
}

/* Removes the oldest packets, some at a time, until what is kept fits. */
static bool evidence_trim(struct store *store, const char *sensor, uint64_t total_max,
                          struct error *err)
{
    for (;;) {
        int64_t total;
        if (!number_of(store, "SELECT evidence_bytes FROM alert_totals WHERE sensor = ?", sensor, 0,
                       &total, err))
            return false;
        if (total <= 0 || (uint64_t)total <= total_max)
            return true;
        sqlite3_stmt *s =
            store_statement(store,
                            "DELETE FROM evidence WHERE rowid IN (SELECT rowid FROM evidence"
                            " WHERE sensor = ? ORDER BY time_ns LIMIT ?)",
                            err);
        if (!s)
            return false;
        bind_text(s, 1, sensor);
        sqlite3_bind_int(s, 2, (uint64_t)total > 2 * total_max ? DELETE_AT_ONCE : 1);
        if (!store_step(store, s, err))
            return false;
        if (sqlite3_changes(store_handle(store)) == 0)
            return true;
    }
}

bool rows_evidence_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct evidence_row *row = data;
    assert(size == sizeof *row + row->bytes_size);
    sqlite3_stmt *s =
        store_statement(store,
                        "INSERT OR IGNORE INTO evidence(sensor, alert, time_ns, source, packet,"
                        " link_type, packets, bytes) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                        err);
    if (!s)
        return false;
    bind_text(s, 1, row->sensor);
    bind_text(s, 2, row->alert);
    sqlite3_bind_int64(s, 3, row->time_ns);
    bind_text(s, 4, row->source);
    sqlite3_bind_int64(s, 5, (int64_t)row->packet_number);
    sqlite3_bind_int(s, 6, row->link_type);
    sqlite3_bind_int64(s, 7, row->packets);
    sqlite3_bind_blob(s, 8, (const char *)data + sizeof *row, (int)row->bytes_size, SQLITE_STATIC);
    return store_step(store, s, err) && evidence_trim(store, row->sensor, row->total_max, err);
}

/* Carries out a statement that changes at most ?3 of the rows before ?2, until none is left. */
static bool change_before(struct store *store, const char *sql, const char *sensor, int64_t before,
                          struct error *err)
{
    do {
        sqlite3_stmt *s = store_statement(store, sql, err);
        if (!s)
            return false;
        bind_text(s, 1, sensor);
        sqlite3_bind_int64(s, 2, before);
        sqlite3_bind_int(s, 3, ROWS_AT_ONCE);
        if (!store_step(store, s, err))
            return false;
    } while (sqlite3_changes(store_handle(store)) == ROWS_AT_ONCE);
    return true;
}

/* The oldest alerts, `count` of them. */
static bool alerts_remove(struct store *store, const char *sensor, int64_t count, struct error *err)
{
    for (; count > 0; count -= ROWS_AT_ONCE) {
        sqlite3_stmt *s = store_statement(store,
                                          "DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM"
                                          " alerts WHERE sensor = ? ORDER BY last_ns, id LIMIT ?)",
                                          err);
        if (!s)
            return false;
        bind_text(s, 1, sensor);
        sqlite3_bind_int64(s, 2, count < ROWS_AT_ONCE ? count : ROWS_AT_ONCE);
        if (!store_step(store, s, err))
            return false;
    }
    return true;
}

static bool count_lost(struct store *store, const char *sensor, int64_t last, struct error *err)
{
    sqlite3_stmt *s = store_statement(
        store,
        "UPDATE alert_totals SET outbox_lost = outbox_lost +"
        " (SELECT count(*) FROM outbox WHERE sensor = ?1 AND seq <= ?2 AND seq >"
        "  (SELECT min(seq) FROM output_cursor WHERE sensor = ?1)) WHERE sensor = ?1",
        err);
    if (!s)
        return false;
    bind_text(s, 1, sensor);
    sqlite3_bind_int64(s, 2, last);
    return store_step(store, s, err);
}

/* Messages up to `last` go. Those that some output has not had yet are counted as lost. */
static bool outbox_remove(struct store *store, const char *sensor, int64_t last, struct error *err)
{
    return count_lost(store, sensor, last, err) &&
           change_before(store,
                         "DELETE FROM outbox WHERE rowid IN (SELECT rowid FROM outbox"
                         " WHERE sensor = ? AND seq <= ? LIMIT ?)",
                         sensor, last, err);
}

static bool outbox_trim(struct store *store, const struct retention_row *row, struct error *err)
{
    int64_t rows, next, old;
    if (!number_of(store, "SELECT outbox_rows FROM alert_totals WHERE sensor = ?", row->sensor, 0,
                   &rows, err) ||
        !number_of(store, "SELECT outbox_next FROM alert_totals WHERE sensor = ?", row->sensor, 1,
                   &next, err))
        return false;
    if (rows > 0 && (uint64_t)rows > row->outbox_max &&
        !outbox_remove(store, row->sensor, next - 1 - (int64_t)row->outbox_max, err))
        return false;

    sqlite3_stmt *s = store_statement(
        store, "SELECT max(seq) FROM outbox WHERE sensor = ? AND created_ms < ?", err);
    if (!s)
        return false;
    bind_text(s, 1, row->sensor);
    sqlite3_bind_int64(s, 2, wall_ms() - (int64_t)row->outbox_hours * 3600 * 1000);
    old = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return old == 0 || outbox_remove(store, row->sensor, old, err);
}

static bool alerts_trim(struct store *store, const struct retention_row *row, struct error *err)
{
    int64_t rows;
    if (!number_of(store, "SELECT count(*) FROM alerts WHERE sensor = ?", row->sensor, 0, &rows,
                   err))
        return false;
    if (rows > 0 && (uint64_t)rows > row->alerts_max &&
        !alerts_remove(store, row->sensor, rows - (int64_t)row->alerts_max, err))
        return false;
    return change_before(store,
                         "DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts"
                         " WHERE sensor = ? AND last_ns < ? LIMIT ?)",
                         row->sensor, row->alerts_before_ns, err) &&
           change_before(store,
                         "DELETE FROM incidents WHERE rowid IN (SELECT rowid FROM incidents"
                         " WHERE sensor = ? AND last_ns < ? LIMIT ?)",
                         row->sensor, row->alerts_before_ns, err);
}

bool rows_retention_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct retention_row *row = data;
    assert(size == sizeof *row);
    return alerts_trim(store, row, err) && outbox_trim(store, row, err) &&
           change_before(store,
                         "UPDATE alerts SET state = NULL WHERE rowid IN (SELECT rowid FROM alerts"
                         " WHERE state IS NOT NULL AND sensor = ? AND last_ns < ? LIMIT ?)",
                         row->sensor, row->states_before_ns, err) &&
           change_before(store,
                         "UPDATE incidents SET state = NULL WHERE rowid IN (SELECT rowid FROM"
                         " incidents WHERE state IS NOT NULL AND sensor = ? AND last_ns < ?"
                         " LIMIT ?)",
                         row->sensor, row->states_before_ns, err);
}

bool rows_resumable(struct store *store, const char *sensor, size_t max,
                    void (*put)(void *context, const struct alert *alert), void *context,
                    struct error *err)
{
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT state FROM alerts WHERE state IS NOT NULL AND"
                                      " sensor = ? ORDER BY last_ns DESC, id LIMIT ?",
                                      err);
    if (!s)
        return false;
    bind_text(s, 1, sensor);
    sqlite3_bind_int64(s, 2, (int64_t)max);
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        struct alert alert;
        if (state_of(s, 0, &alert, sizeof alert) &&
            (unsigned)alert.finding.detection < DETECTION_COUNT)
            put(context, &alert);
    }
    sqlite3_reset(s);
    return code == SQLITE_DONE || error_set(err, "store %s: cannot read alerts: %s",
                                            store_path(store), sqlite3_errmsg(store_handle(store)));
}
