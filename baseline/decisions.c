/* decisions.c: what people decided about the baseline: kept in the store by the command line or the
 * console, taken over by the learners once a second. */
#include "learned.h"

#include <string.h>
#include <time.h>

static int64_t wall_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void text_bind(sqlite3_stmt *q, int i, const char *text)
{
    sqlite3_bind_text(q, i, text, -1, SQLITE_TRANSIENT);
}

static bool audit(struct store *store, const char *sensor, int64_t made_ns, const char *by,
                  const char *what, const char *why, bool is_told, struct error *err)
{
    sqlite3_stmt *q = store_statement(store,
                                      "INSERT INTO baseline_audit(sensor, id, made, by, what, why, "
                                      "is_told) "
                                      "SELECT ?1, coalesce(max(id), 0) + 1, ?2, ?3, ?4, ?5, ?6 "
                                      "FROM baseline_audit WHERE sensor = ?1",
                                      err);
    if (!q)
        return false;
    text_bind(q, 1, sensor);
    sqlite3_bind_int64(q, 2, made_ns);
    text_bind(q, 3, by);
    text_bind(q, 4, what);
    text_bind(q, 5, why);
    sqlite3_bind_int(q, 6, is_told);
    return store_step(store, q, err);
}

bool baseline_audit(struct store *store, const char *sensor, const char *by, const char *what,
                    const char *why, struct error *err)
{
    return audit(store, sensor, wall_clock_ns(), by, what, why, false, err);
}

bool baseline_audit_change(struct store *store, const char *sensor, const char *by,
                           const char *what, const char *why, struct error *err)
{
    return audit(store, sensor, wall_clock_ns(), by, what, why, true, err);
}

bool baseline_changes_read(struct store *store, const char *sensor, int64_t after,
                           void (*put)(void *context, const struct baseline_change *change),
                           void *context, struct error *err)
{
    sqlite3_stmt *q = store_statement(store,
                                      "SELECT id, made, by, what, why FROM baseline_audit WHERE "
                                      "sensor = ? AND id > ? AND is_told ORDER BY id",
                                      err);
    if (!q)
        return false;
    text_bind(q, 1, sensor);
    sqlite3_bind_int64(q, 2, after);
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        struct baseline_change c = {.id = sqlite3_column_int64(q, 0),
                                    .made_ns = sqlite3_column_int64(q, 1)};
        text_copy(c.by, sizeof c.by, text_of((const char *)sqlite3_column_text(q, 2)));
        text_copy(c.what, sizeof c.what, text_of((const char *)sqlite3_column_text(q, 3)));
        text_copy(c.why, sizeof c.why, text_of((const char *)sqlite3_column_text(q, 4)));
        put(context, &c);
    }
    bool ok =
        code == SQLITE_DONE || error_set(err, "store %s: cannot read the audit records: %s",
                                         store_path(store), sqlite3_errmsg(store_handle(store)));
    sqlite3_reset(q);
    return ok;
}

void baseline_decision_print(const struct baseline_decision *d, char *out, size_t capacity)
{
    char actor[HOST_TEXT] = "anyone", target[HOST_TEXT] = "anything";
    const char *verdict = d->is_approval ? "approved" : "rejected";
    if (d->entry) {
        text_format(out, capacity, "%s entry %016llx", verdict, (unsigned long long)d->entry);
        return;
    }
    if (d->has_actor)
        host_print(actor, &d->actor);
    if (d->has_target)
        host_print(target, &d->target);
    text_format(out, capacity, "%s %s by %s on %s", verdict,
                d->has_detection ? detection_kind(d->detection)->id : "everything", actor, target);
}

bool baseline_decision_add(struct store *store, const char *sensor, struct baseline_decision *d,
                           struct error *err)
{
    char actor[HOST_TEXT] = "", target[HOST_TEXT] = "", what[FINDING_TEXT];
    if (!d->entry && !d->has_actor && !d->has_target)
        return error_set(err, "a decision needs an entry, an actor or a target: it must not allow "
                              "everything to everyone");
    d->made_ns = wall_clock_ns();
    sqlite3_stmt *q = store_statement(store,
                                      "INSERT INTO baseline_decisions(sensor, id, made, until, "
                                      "verdict, entry, detection, actor, target, by, why) "
                                      "SELECT ?1, coalesce(max(id), 0) + 1, ?2, ?3, ?4, ?5, ?6, "
                                      "?7, ?8, ?9, ?10 FROM baseline_decisions WHERE sensor = ?1",
                                      err);
    if (!q)
        return false;
    if (d->has_actor)
        host_print(actor, &d->actor);
    if (d->has_target)
        host_print(target, &d->target);
    text_bind(q, 1, sensor);
    sqlite3_bind_int64(q, 2, d->made_ns);
    sqlite3_bind_int64(q, 3, d->until_ns);
    text_bind(q, 4, d->is_approval ? "approve" : "reject");
    sqlite3_bind_int64(q, 5, (int64_t)d->entry);
    text_bind(q, 6, d->has_detection ? detection_kind(d->detection)->id : "");
    text_bind(q, 7, actor);
    text_bind(q, 8, target);
    text_bind(q, 9, d->by);
    text_bind(q, 10, d->why);
    baseline_decision_print(d, what, sizeof what);
    return store_step(store, q, err) &&
           audit(store, sensor, d->made_ns, d->by, what, d->why, false, err);
}

static void decision_read(sqlite3_stmt *q, struct baseline_decision *d)
{
    *d = (struct baseline_decision){.id = sqlite3_column_int64(q, 0),
                                    .made_ns = sqlite3_column_int64(q, 1),
                                    .until_ns = sqlite3_column_int64(q, 2)};
    d->is_approval = strcmp((const char *)sqlite3_column_text(q, 3), "approve") == 0;
    d->entry = (uint64_t)sqlite3_column_int64(q, 4);
    d->has_detection = detection_parse(&d->detection, (const char *)sqlite3_column_text(q, 5));
    d->has_actor = host_parse(&d->actor, (const char *)sqlite3_column_text(q, 6));
    d->has_target = host_parse(&d->target, (const char *)sqlite3_column_text(q, 7));
    text_copy(d->by, sizeof d->by, text_of((const char *)sqlite3_column_text(q, 8)));
    text_copy(d->why, sizeof d->why, text_of((const char *)sqlite3_column_text(q, 9)));
}

bool baseline_decisions_read(struct store *store, const char *sensor, int64_t after,
                             bool (*put)(void *context, const struct baseline_decision *decision),
                             void *context, struct error *err)
{
    sqlite3_stmt *q = store_statement(
        store,
        "SELECT id, made, until, verdict, entry, detection, actor, target, by, why FROM "
        "baseline_decisions WHERE sensor = ? AND id > ? ORDER BY id",
        err);
    if (!q)
        return false;
    text_bind(q, 1, sensor);
    sqlite3_bind_int64(q, 2, after);
    int code = SQLITE_DONE;
    bool is_taken = true;
    while (is_taken && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct baseline_decision d;
        decision_read(q, &d);
        is_taken = put(context, &d);
    }
    bool ok = !is_taken || code == SQLITE_DONE ||
              error_set(err, "store %s: cannot read decisions: %s", store_path(store),
                        sqlite3_errmsg(store_handle(store)));
    sqlite3_reset(q);
    return ok;
}

/* --- in the learners --- */

static bool host_equal(const struct host *a, const struct host *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The newest decision that fits wins. */
static const struct baseline_decision *decision_for(const struct baseline *b,
                                                    enum detection detection,
                                                    const struct host *actor,
                                                    const struct host *target, int64_t time_ns)
{
    for (size_t i = b->decision_count; i-- > 0;) {
        const struct baseline_decision *d = &b->decisions[i];
        if ((!d->has_detection || d->detection == detection) &&
            (!d->has_actor || host_equal(&d->actor, actor)) &&
            (!d->has_target || host_equal(&d->target, target)) &&
            (d->until_ns == 0 || time_ns <= d->until_ns))
            return d;
    }
    return NULL;
}

bool baseline_allows(const struct baseline *b, enum detection detection, uint32_t segment,
                     const struct host *actor, const struct host *target, int64_t time_ns)
{
    (void)segment;
    const struct baseline_decision *d =
        b->decision_count ? decision_for(b, detection, actor, target, time_ns) : NULL;
    return d && d->is_approval;
}

bool baseline_covers(const struct seen *s, enum detection detection, bool is_change)
{
    const struct baseline *b = s->b;
    const struct host *actor = &s->pair->f.hosts[s->side], *target = &s->pair->f.hosts[!s->side];
    uint32_t segment = s->pair->f.segment;
    if (b->decision_count == 0)
        return false;
    return baseline_allows(b, detection, segment, actor, target, b->now_ns) ||
           baseline_allows(b, is_change ? DETECTION_RW_NEW_WRITER : DETECTION_COMM_NEW_LINK,
                           segment, actor, target, b->now_ns);
}

bool baseline_is_approved(const struct baseline *b, enum detection detection,
                          const struct ot_event *event)
{
    bool is_actor_client = event->direction != OT_ONEWAY || event->is_from_client;
    struct host client = host_of(&event->flow->client), server = host_of(&event->flow->server);
    return baseline_allows(b, detection, event->flow->segment, is_actor_client ? &client : &server,
                           is_actor_client ? &server : &client, event->time_ns);
}

/* Finds the entry that a decision names. */
static bool id_matches(enum baseline_kind kind, const struct entry *e, uint64_t id)
{
    switch (kind) {
    case BASELINE_PAIR:
        return pair_id(&((const struct pair *)(const void *)e)->f) == id;
    case BASELINE_CONVERSATION:
        return conversation_id(&((const struct conversation *)(const void *)e)->f) == id;
    case BASELINE_OPERATION:
        return operation_id(&((const struct operation_entry *)(const void *)e)->f) == id;
    case BASELINE_RANGE:
        return range_id(&((const struct range *)(const void *)e)->f, e->state == ENTRY_PENDING) ==
               id;
    case BASELINE_TAG:
        return tag_id(&((const struct tag *)(const void *)e)->f) == id;
    case BASELINE_POINT:
        return point_id(&((const struct point *)(const void *)e)->f) == id;
    case BASELINE_PAGE:
        return page_id(&((const struct page *)(const void *)e)->f) == id;
    default:
        return block_id(&((const struct block *)(const void *)e)->f) == id;
    }
}

static struct entry *entry_of(struct baseline *b, uint64_t id, enum baseline_kind *kind,
                              struct table **table)
{
    struct table *const tables[BASELINE_KINDS] = {[BASELINE_PAIR] = &b->pairs,
                                                  [BASELINE_CONVERSATION] = &b->conversations,
                                                  [BASELINE_OPERATION] = &b->operations,
                                                  [BASELINE_RANGE] = &b->ranges,
                                                  [BASELINE_TAG] = &b->tags,
                                                  [BASELINE_POINT] = &b->points,
                                                  [BASELINE_BLOCK] = &b->blocks,
                                                  [BASELINE_PAGE] = &b->pages};
    for (int k = BASELINE_PAIR; k < BASELINE_KINDS; k++) {
        for (uint32_t i = 0; i < tables[k]->used; i++) {
            struct entry *e = table_at(tables[k], i);
            if (id_matches((enum baseline_kind)k, e, id)) {
                *kind = (enum baseline_kind)k;
                *table = tables[k];
                return e;
            }
        }
    }
    return NULL;
}

/* Who approves a conversation approves what was read in it so far; changes are approved one by one.
 */
static void approve_conversation(struct baseline *b, uint64_t conversation)
{
    for (uint32_t i = 0; i < b->operations.used; i++) {
        struct operation_entry *o = (void *)table_at(&b->operations, i);
        if (o->f.conversation == conversation && o->e.state == ENTRY_PENDING &&
            !operation_is_change(o->f.operation)) {
            table_state(&b->operations, &o->e, ENTRY_LEARNED);
            operations_approve(b, o);
        }
    }
    for (uint32_t i = 0; i < b->ranges.used; i++) {
        struct range *r = (void *)table_at(&b->ranges, i);
        if (r->f.place.conversation == conversation && r->e.state == ENTRY_PENDING &&
            !r->f.place.is_write)
            objects_approve(b, r);
    }
    for (uint32_t i = 0; i < b->tags.used; i++) {
        struct tag *t = (void *)table_at(&b->tags, i);
        if (t->f.place.conversation == conversation && t->e.state == ENTRY_PENDING &&
            !t->f.place.is_write)
            table_state(&b->tags, &t->e, ENTRY_LEARNED);
    }
}

static void approve_pair(struct baseline *b, const struct pair *pair)
{
    uint64_t id = pair_id(&pair->f);
    for (uint32_t i = 0; i < b->conversations.used; i++) {
        struct conversation *c = (void *)table_at(&b->conversations, i);
        if (c->f.pair == id && c->e.state == ENTRY_PENDING) {
            table_state(&b->conversations, &c->e, ENTRY_LEARNED);
            approve_conversation(b, conversation_id(&c->f));
        }
    }
}

void baseline_decide(struct baseline *b, const struct baseline_decision *decision)
{
    enum baseline_kind kind;
    struct table *table;
    if (!decision->entry) {
        if (b->decision_count == BASELINE_DECISIONS_MAX) { /* the oldest goes */
            memmove(&b->decisions[0], &b->decisions[1],
                    (BASELINE_DECISIONS_MAX - 1) * sizeof b->decisions[0]);
            b->decision_count--;
        }
        b->decisions[b->decision_count++] = *decision;
        return;
    }
    struct entry *e = entry_of(b, decision->entry, &kind, &table);
    if (!e)
        return; /* another worker's, or forgotten since */
    if (decision->is_approval && kind == BASELINE_RANGE && e->state == ENTRY_PENDING)
        objects_approve(b, (struct range *)(void *)e);
    else
        table_state(table, e, decision->is_approval ? ENTRY_LEARNED : ENTRY_REJECTED);
    if (decision->is_approval && kind == BASELINE_OPERATION)
        operations_approve(b, (struct operation_entry *)(void *)e);
    else if (decision->is_approval && kind == BASELINE_PAIR)
        approve_pair(b, (const struct pair *)(const void *)e);
    else if (decision->is_approval && kind == BASELINE_CONVERSATION)
        approve_conversation(b, decision->entry);
}
