/* windows.c: see windows.h. */
#include "rules/windows.h"

#include "rules/site_model.h"
#include "sensor/base/json_writer.h"
#include "sensor/base/packet.h"
#include "sensor/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_MAX = 64,     /* occurrences that are told about when they end */
    ACTIONS_MAX = 128, /* different ones of an occurrence that its sentence counts */
    HOST_TEXT = ADDRESS_TEXT_SIZE,
    SENSOR_TEXT = 64,
};

/* How an action that began in time went on is its story, even when the window has just ended. */
static const int64_t OUTCOME_GRACE_NS = 15 * 60 * INT64_C(1000000000);

static const char version_1[] =
    "CREATE TABLE maintenance_windows("
    "  sensor TEXT NOT NULL, name TEXT NOT NULL, start_ns INTEGER NOT NULL,"
    "  end_ns INTEGER NOT NULL, ticket TEXT NOT NULL, has_ended INTEGER NOT NULL,"
    "  PRIMARY KEY(sensor, name, start_ns)) WITHOUT ROWID;"
    "CREATE TABLE maintenance_actions("
    "  sensor TEXT NOT NULL, name TEXT NOT NULL, start_ns INTEGER NOT NULL,"
    "  actor TEXT NOT NULL, target TEXT NOT NULL, rule TEXT NOT NULL, object TEXT NOT NULL,"
    "  operation TEXT NOT NULL, count INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
    "  last_ns INTEGER NOT NULL, outcome TEXT NOT NULL, size INTEGER NOT NULL,"
    "  sha256 TEXT NOT NULL,"
    "  PRIMARY KEY(sensor, name, start_ns, actor, target, rule, object)) WITHOUT ROWID;"
    "CREATE TRIGGER maintenance_windows_old AFTER INSERT ON maintenance_windows BEGIN"
    "  DELETE FROM maintenance_windows WHERE sensor = NEW.sensor AND start_ns <"
    "    (SELECT start_ns FROM maintenance_windows WHERE sensor = NEW.sensor"
    "     ORDER BY start_ns DESC LIMIT 1 OFFSET 2000);"
    "  DELETE FROM maintenance_actions WHERE sensor = NEW.sensor AND start_ns <"
    "    (SELECT MIN(start_ns) FROM maintenance_windows WHERE sensor = NEW.sensor); END;";

static const char *const migrations[] = {version_1, NULL};

const struct store_schema windows_schema = {.name = "windows", .migrations = migrations};

/* An action as its sentence counts it. */
struct action {
    struct address target;
    enum detection rule;
};

struct occurrence {
    bool is_used;
    char name[FINDING_WINDOW], ticket[FINDING_WINDOW];
    int64_t start_ns, end_ns;
    uint32_t actions, targets; /* different ones */
    struct action known[ACTIONS_MAX];
};

struct windows {
    char sensor[SENSOR_TEXT];
    struct store_queue *queue;
    struct occurrence open[OPEN_MAX];
};

struct windows *windows_create(const char *sensor, struct store_queue *queue)
{
    struct windows *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    text_copy(w->sensor, sizeof w->sensor, text_of(sensor));
    w->queue = queue;
    return w;
}

void windows_destroy(struct windows *w)
{
    free(w);
}

/* --- the store --- */

struct window_row {
    char sensor[SENSOR_TEXT], name[FINDING_WINDOW], ticket[FINDING_WINDOW];
    int64_t start_ns, end_ns;
    bool has_ended;
};

struct action_row {
    char sensor[SENSOR_TEXT], name[FINDING_WINDOW];
    int64_t start_ns, time_ns, count, size;
    char actor[HOST_TEXT], target[HOST_TEXT], object[FINDING_KEY], sha256[FINDING_SHA256_TEXT];
    enum detection rule;
    enum operation operation;
    const char *outcome; /* static; "" unknown yet */
};

static bool window_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct window_row *row = data;
    assert(size == sizeof *row);
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT INTO maintenance_windows(sensor, name, start_ns, end_ns, ticket, has_ended)"
        " VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET end_ns = excluded.end_ns,"
        " ticket = excluded.ticket, has_ended = excluded.has_ended",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, row->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, row->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, row->start_ns);
    sqlite3_bind_int64(s, 4, row->end_ns);
    sqlite3_bind_text(s, 5, row->ticket, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 6, row->has_ended);
    return store_step(store, s, err);
}

static bool action_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct action_row *row = data;
    assert(size == sizeof *row);
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT INTO maintenance_actions(sensor, name, start_ns, actor, target, rule, object,"
        " operation, count, first_ns, last_ns, outcome, size, sha256)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?10,?11,?12,?13) ON CONFLICT DO UPDATE SET"
        " count = count + excluded.count, last_ns = max(last_ns, excluded.last_ns),"
        " outcome = CASE excluded.outcome WHEN '' THEN outcome ELSE excluded.outcome END,"
        " size = max(size, excluded.size),"
        " sha256 = CASE excluded.sha256 WHEN '' THEN sha256 ELSE excluded.sha256 END",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, row->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, row->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, row->start_ns);
    sqlite3_bind_text(s, 4, row->actor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 5, row->target, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 6, detection_kind(row->rule)->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 7, row->object, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 8, row->operation == OP_UNKNOWN ? "" : operation_name(row->operation), -1,
                      SQLITE_STATIC);
    sqlite3_bind_int64(s, 9, row->count);
    sqlite3_bind_int64(s, 10, row->time_ns);
    sqlite3_bind_text(s, 11, row->outcome, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 12, row->size);
    sqlite3_bind_text(s, 13, row->sha256, -1, SQLITE_STATIC);
    return store_step(store, s, err);
}

static void post_window(struct windows *w, const struct occurrence *o, bool has_ended)
{
    struct window_row row;
    if (!w->queue)
        return;
    memset(&row, 0, sizeof row);
    memcpy(row.sensor, w->sensor, sizeof row.sensor);
    memcpy(row.name, o->name, sizeof row.name);
    memcpy(row.ticket, o->ticket, sizeof row.ticket);
    row.start_ns = o->start_ns;
    row.end_ns = o->end_ns;
    row.has_ended = has_ended;
    store_post(w->queue, window_apply, &row, sizeof row);
}

static const char *outcome_of(uint32_t flags)
{
    return flags & FINDING_COMPLETED   ? "completed"
           : flags & FINDING_CONFIRMED ? "confirmed"
           : flags & FINDING_REFUSED   ? "refused"
                                       : "";
}

static void print_host(char out[HOST_TEXT], const struct endpoint *host)
{
    out[0] = '\0';
    if (host->ip.kind != ADDRESS_NONE)
        address_print(out, &host->ip);
    else if (!mac_is_zero(&host->mac))
        mac_print(out, &host->mac);
}

static void post_action(struct windows *w, const struct occurrence *o, const struct finding *f)
{
    struct action_row row;
    if (!w->queue)
        return;
    memset(&row, 0, sizeof row);
    memcpy(row.sensor, w->sensor, sizeof row.sensor);
    memcpy(row.name, o->name, sizeof row.name);
    row.start_ns = o->start_ns;
    row.time_ns = f->time_ns;
    row.count = f->flags & FINDING_OUTCOME ? 0 : f->count ? (int64_t)f->count : 1;
    row.size = (int64_t)f->size;
    row.rule = f->permitted;
    row.operation = f->operation;
    row.outcome = outcome_of(f->flags);
    print_host(row.actor, &f->actor);
    if (f->has_target)
        print_host(row.target, &f->target);
    text_copy(row.object, sizeof row.object, text_of(f->object));
    text_copy(row.sha256, sizeof row.sha256, text_of(f->sha256));
    store_post(w->queue, action_apply, &row, sizeof row);
}

/* --- what a window permits --- */

/* Types that say no more than that an operation happened: permitting the operation permits them. */
static bool is_about_operation(enum detection d)
{
    static const char *const prefixes[] = {"plc.", "rw.new-", "asset.new-engineering-actor",
                                           "recon.ot-identify", "recon.browse"};
    if (d == DETECTION_PLC_SAFETY_ACCESS)
        return false; /* only by its own name */
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(detection_kind(d)->id, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static bool is_permittable(enum detection d)
{
    const char *id = detection_kind(d)->id;
    return strncmp(id, "sensor.", 7) != 0 && strncmp(id, "audit.", 6) != 0 &&
           d != DETECTION_CHANGE_MAINTENANCE_RECORD;
}

/* How a recorded action goes on belongs to its record, by whichever operation: a download ends with
 * the activation of the block. */
static bool goes_on(const struct windows *w, const struct site_window *window,
                    const struct finding *f)
{
    const struct address *target = f->has_target ? &f->target.ip : &f->actor.ip;
    for (int i = 0; (f->flags & FINDING_OUTCOME) && i < OPEN_MAX; i++) {
        const struct occurrence *o = &w->open[i];
        if (!o->is_used || strcmp(o->name, window->name) != 0)
            continue;
        for (uint32_t j = 0; j < o->actions; j++)
            if (o->known[j].rule == f->detection && address_equal(&o->known[j].target, target))
                return true;
    }
    return false;
}

static bool permits(const struct windows *w, const struct site *s, const struct site_window *window,
                    const struct finding *f)
{
    bool by_operation = f->operation != OP_UNKNOWN && (window->operations >> f->operation & 1) &&
                        is_about_operation(f->detection);
    if (!by_operation && !window->detections[f->detection] && !goes_on(w, window, f))
        return false;
    struct site_host actor = site_host(s, &f->actor, VLAN_NONE);
    struct site_host target = site_host(s, f->has_target ? &f->target : &f->actor, VLAN_NONE);
    /* what a device shows of itself has no actor but the device */
    bool is_who =
        !window->who.is_given || !f->has_target || site_hosts_have(s, &window->who, &actor);
    return is_who && (!window->what.is_given || site_hosts_have(s, &window->what, &target));
}

static bool holds(const struct site *s, const struct site_window *window, const struct finding *f,
                  int64_t *start_ns, int64_t *end_ns)
{
    return site_schedule_holds(s, &window->schedule, f->time_ns, start_ns, end_ns) ||
           ((f->flags & FINDING_OUTCOME) &&
            site_schedule_holds(s, &window->schedule, f->time_ns - OUTCOME_GRACE_NS, start_ns,
                                end_ns));
}

static struct occurrence *occurrence_of(struct windows *w, const struct site_window *window,
                                        int64_t start_ns, int64_t end_ns)
{
    struct occurrence *free_one =
        &w->open[0]; /* when all are taken the first one goes unreported */
    for (int i = 0; i < OPEN_MAX; i++) {
        struct occurrence *o = &w->open[i];
        if (o->is_used && o->start_ns == start_ns && strcmp(o->name, window->name) == 0)
            return o;
        if (!o->is_used && (free_one->is_used || free_one == o))
            free_one = o;
    }
    memset(free_one, 0, sizeof *free_one);
    free_one->is_used = true;
    memcpy(free_one->name, window->name, sizeof free_one->name);
    memcpy(free_one->ticket, window->ticket, sizeof free_one->ticket);
    free_one->start_ns = start_ns;
    free_one->end_ns = end_ns;
    post_window(w, free_one, false);
    return free_one;
}

static void count_action(struct occurrence *o, const struct finding *f)
{
    const struct address *target = f->has_target ? &f->target.ip : &f->actor.ip;
    bool is_known_target = false;
    for (uint32_t i = 0; i < o->actions; i++) {
        bool is_same = address_equal(&o->known[i].target, target);
        is_known_target |= is_same;
        if (is_same && o->known[i].rule == f->permitted)
            return;
    }
    if (o->actions == ACTIONS_MAX)
        return;
    o->known[o->actions++] = (struct action){*target, f->permitted};
    o->targets += !is_known_target;
}

static void make_record(struct finding *f, const struct site_window *window, int64_t end_ns)
{
    char key[FINDING_KEY], until[TIME_TEXT_SIZE];
    f->permitted = f->detection;
    f->detection = DETECTION_CHANGE_MAINTENANCE_RECORD;
    memcpy(f->window, window->name, sizeof f->window);
    memcpy(f->ticket, window->ticket, sizeof f->ticket);
    text_copy(key, sizeof key, text_of(f->key));
    text_format(f->key, sizeof f->key, "%.24s %s %.40s", window->name,
                detection_kind(f->permitted)->id, key);
    text_format(f->expected, sizeof f->expected,
                "permitted by the maintenance window %s%s%s until %s", window->name,
                window->ticket[0] ? ", ticket " : "", window->ticket, time_print(until, end_ns));
}

bool windows_permit(struct windows *w, const struct site *site, struct finding *f)
{
    if (site->window_count == 0 || !is_permittable(f->detection))
        return false;
    for (uint32_t i = 0; i < site->window_count; i++) {
        const struct site_window *window = &site->windows[i];
        int64_t start_ns, end_ns;
        if (!holds(site, window, f, &start_ns, &end_ns) || !permits(w, site, window, f))
            continue;
        struct occurrence *o = occurrence_of(w, window, start_ns, end_ns);
        make_record(f, window, end_ns);
        count_action(o, f);
        post_action(w, o, f);
        return true;
    }
    return false;
}

/* --- the end of a window --- */

static void tell_end(struct windows *w, const struct occurrence *o, int64_t time_ns,
                     const struct finding_sink *sink)
{
    struct finding f;
    char time[TIME_TEXT_SIZE];
    memset(&f, 0, sizeof f);
    f.detection = f.permitted = DETECTION_CHANGE_MAINTENANCE_RECORD;
    f.time_ns = time_ns;
    f.count = 1;
    memcpy(f.window, o->name, sizeof f.window);
    memcpy(f.ticket, o->ticket, sizeof f.ticket);
    text_format(f.key, sizeof f.key, "end %.40s %" PRId64, o->name, o->start_ns);
    text_format(f.what, sizeof f.what,
                "the maintenance window %s%s%s has ended: %" PRIu32 " %s on %" PRIu32 " %s",
                o->name, o->ticket[0] ? ", ticket " : "", o->ticket, o->actions,
                o->actions == 1 ? "kind of action" : "kinds of action", o->targets,
                o->targets == 1 ? "device" : "devices");
    size_t used = 0;
    for (uint32_t i = 0; i < o->actions && used < sizeof f.seen - 1; i++) {
        char target[ADDRESS_TEXT_SIZE];
        text_format(f.seen + used, sizeof f.seen - used, "%s%s on %s", i ? "; " : "",
                    detection_kind(o->known[i].rule)->id,
                    address_print(target, &o->known[i].target));
        used = strlen(f.seen);
    }
    text_format(f.expected, sizeof f.expected,
                "sightglass policy report lists them; it began at %s",
                time_print(time, o->start_ns));
    post_window(w, o, true);
    sink->finding(sink->context, &f);
}

void windows_tick(struct windows *w, int64_t time_ns, const struct finding_sink *sink)
{
    for (int i = 0; i < OPEN_MAX; i++) {
        struct occurrence *o = &w->open[i];
        /* how the last action went on belongs to the report */
        if (!o->is_used || time_ns < o->end_ns || time_ns - o->end_ns < OUTCOME_GRACE_NS)
            continue;
        o->is_used = false;
        tell_end(w, o, o->end_ns, sink);
    }
}

/* --- the report --- */

static const char *column(sqlite3_stmt *s, int index)
{
    const char *text = (const char *)sqlite3_column_text(s, index);
    return text ? text : "";
}

bool windows_report(struct store *store, const char *sensor, const char *window,
                    void (*put)(void *context, const struct window_action *action), void *context,
                    struct error *err)
{
    sqlite3_stmt *s = store_statement(
        store,
        "SELECT w.name, w.ticket, w.start_ns, w.end_ns, w.has_ended, a.actor, a.target, a.rule,"
        " a.operation, a.object, a.outcome, a.sha256, a.count, a.size, a.first_ns, a.last_ns"
        " FROM maintenance_windows w LEFT JOIN maintenance_actions a ON a.sensor = w.sensor"
        " AND a.name = w.name AND a.start_ns = w.start_ns"
        " WHERE w.sensor = ?1 AND (?2 = '' OR w.name = ?2)"
        " ORDER BY w.start_ns, w.name, a.first_ns, a.target, a.rule, a.actor, a.object",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, window ? window : "", -1, SQLITE_STATIC);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW) {
        bool is_empty = sqlite3_column_type(s, 5) == SQLITE_NULL;
        struct window_action action = {
            .window = column(s, 0),
            .ticket = column(s, 1),
            .start_ns = sqlite3_column_int64(s, 2),
            .end_ns = sqlite3_column_int64(s, 3),
            .has_ended = sqlite3_column_int(s, 4) != 0,
            .actor = is_empty ? NULL : column(s, 5),
            .target = column(s, 6),
            .rule = column(s, 7),
            .operation = column(s, 8),
            .object = column(s, 9),
            .outcome = column(s, 10),
            .sha256 = column(s, 11),
            .count = sqlite3_column_int64(s, 12),
            .size = sqlite3_column_int64(s, 13),
            .first_ns = sqlite3_column_int64(s, 14),
            .last_ns = sqlite3_column_int64(s, 15),
        };
        put(context, &action);
    }
    sqlite3_reset(s);
    return result == SQLITE_DONE ||
           error_set(err, "cannot read the maintenance windows in %s: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}
