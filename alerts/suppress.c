/* suppress.c: suppressions: what one says, what it fits, and its tables. */
#include "suppress.h"

#include "sensor/base/json_writer.h"
#include "sensor/base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- hosts --- */

/* "10.0.0.0/24" or one address. False: neither. */
static bool prefix_parse(const char *text, struct address *address, unsigned *bits)
{
    char ip[ADDRESS_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    text_copy(ip, sizeof ip, (struct text){text, slash ? (size_t)(slash - text) : strlen(text)});
    if (!address_parse(address, ip))
        return false;
    unsigned most = address->kind == ADDRESS_IP4 ? 32 : 128;
    *bits = most;
    if (!slash)
        return true;
    char *end;
    unsigned long n = strtoul(slash + 1, &end, 10);
    if (!isdigit((unsigned char)slash[1]) || *end != '\0' || n > most)
        return false;
    *bits = (unsigned)n;
    return true;
}

static bool is_mac(const char *text)
{
    if (strlen(text) != MAC_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < MAC_TEXT_SIZE - 1; i++)
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
            return false;
    return true;
}

static bool in_prefix(const struct address *a, const struct address *prefix, unsigned bits)
{
    if (a->kind != prefix->kind || memcmp(a->bytes, prefix->bytes, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || ((a->bytes[bits / 8] ^ prefix->bytes[bits / 8]) >> (8 - rest)) == 0;
}

static bool host_matches(const char *pattern, const struct endpoint *host)
{
    char mac[MAC_TEXT_SIZE];
    struct address prefix;
    unsigned bits;
    if (!pattern[0])
        return true;
    if (!host)
        return false;
    if (is_mac(pattern))
        return strcasecmp(pattern, mac_print(mac, &host->mac)) == 0;
    return prefix_parse(pattern, &prefix, &bits) && in_prefix(&host->ip, &prefix, bits);
}

static bool rule_matches(const char *pattern, const char *id)
{
    size_t size = strlen(pattern);
    if (size > 0 && pattern[size - 1] == '*')
        return strncmp(pattern, id, size - 1) == 0;
    return strcmp(pattern, id) == 0;
}

bool suppression_matches(const struct suppression *s, const struct finding *f)
{
    return s->lifted_ns == 0 && f->time_ns < s->until_ns &&
           f->detection != DETECTION_AUDIT_POLICY_CHANGED && /* nobody hides what people decide */
           rule_matches(s->rule, detection_kind(f->detection)->id) &&
           host_matches(s->actor, &f->actor) &&
           host_matches(s->target, f->has_target ? &f->target : NULL);
}

static bool host_check(const char *what, const char *pattern, struct error *err)
{
    struct address prefix;
    unsigned bits;
    if (!pattern[0] || is_mac(pattern) || prefix_parse(pattern, &prefix, &bits))
        return true;
    return error_set(err, "--%s %s: is neither an IP address (10.0.0.5, 10.0.0.0/24) nor a MAC",
                     what, pattern);
}

bool suppression_check(const struct suppression *s, struct error *err)
{
    bool is_known = false;
    for (int i = 0; i < DETECTION_COUNT; i++)
        is_known |= rule_matches(s->rule, detection_kind((enum detection)i)->id);
    if (!is_known)
        return error_set(err, "--rule %s: no type of alert is called so", s->rule);
    if (!s->reason[0])
        return error_set(err, "a suppression needs a reason: --why TEXT");
    const int64_t day_ns = INT64_C(86400) * 1000000000;
    if (s->until_ns <= s->made_ns || s->until_ns - s->made_ns > SUPPRESS_DAYS_MAX * day_ns)
        return error_set(err, "a suppression needs an end: --for 8h, --for 7d or --until TIME, at "
                              "most 400 days from now");
    return host_check("actor", s->actor, err) && host_check("target", s->target, err);
}

char *suppression_print(const struct suppression *s, char *out, size_t capacity)
{
    char until[TIME_TEXT_SIZE];
    time_print(until, s->until_ns);
    until[sizeof "2015-10-21T07:28:00" - 1] = '\0';
    return text_format(out, capacity, "%s%s%s%s%s until %sZ", s->rule, s->actor[0] ? " of " : "",
                       s->actor, s->target[0] ? " to " : "", s->target, until);
}

/* --- tables --- */

static void bind_text(sqlite3_stmt *s, int column, const char *text)
{
    sqlite3_bind_text(s, column, text, -1, SQLITE_TRANSIENT);
}

static bool has_room(struct store *store, const char *sensor, int64_t now_ns, struct error *err)
{
    sqlite3_stmt *q = store_statement(store,
                                      "SELECT count(*) FROM suppressions WHERE sensor = ? AND"
                                      " lifted_ns IS NULL AND until_ns > ?",
                                      err);
    if (!q)
        return false;
    bind_text(q, 1, sensor);
    sqlite3_bind_int64(q, 2, now_ns);
    int64_t count = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    return count < SUPPRESSIONS_MAX ||
           error_set(err, "%d suppressions are in force: lift some that nobody needs",
                     SUPPRESSIONS_MAX);
}

bool suppression_add(struct store *store, const char *sensor, struct suppression *s,
                     struct error *err)
{
    if (!has_room(store, sensor, s->made_ns, err))
        return false;
    sqlite3_stmt *q = store_statement(
        store,
        "INSERT INTO suppressions(sensor, id, rule, actor, target, until_ns, by, reason, made_ns)"
        " SELECT ?1, coalesce(max(id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM suppressions"
        " WHERE sensor = ?1 RETURNING id",
        err);
    if (!q)
        return false;
    bind_text(q, 1, sensor);
    bind_text(q, 2, s->rule);
    bind_text(q, 3, s->actor);
    bind_text(q, 4, s->target);
    sqlite3_bind_int64(q, 5, s->until_ns);
    bind_text(q, 6, s->by);
    bind_text(q, 7, s->reason);
    sqlite3_bind_int64(q, 8, s->made_ns);
    bool ok = sqlite3_step(q) == SQLITE_ROW;
    if (ok)
        s->id = sqlite3_column_int64(q, 0);
    ok = ok && sqlite3_step(q) == SQLITE_DONE;
    sqlite3_reset(q);
    return ok || error_set(err, "store %s: cannot write: %s", store_path(store),
                           sqlite3_errmsg(store_handle(store)));
}

bool suppression_lift(struct store *store, const char *sensor, int64_t id, int64_t lifted_ns,
                      struct error *err)
{
    sqlite3_stmt *q = store_statement(store,
                                      "UPDATE suppressions SET lifted_ns = ? WHERE sensor = ? AND"
                                      " id = ? AND lifted_ns IS NULL",
                                      err);
    if (!q)
        return false;
    sqlite3_bind_int64(q, 1, lifted_ns);
    bind_text(q, 2, sensor);
    sqlite3_bind_int64(q, 3, id);
    if (!store_step(store, q, err))
        return false;
    return sqlite3_changes(store_handle(store)) > 0 ||
           error_set(err, "no suppression %lld is in force", (long long)id);
}

static void column_text(sqlite3_stmt *q, int column, char *out, size_t capacity)
{
    text_copy(out, capacity, text_of((const char *)sqlite3_column_text(q, column)));
}

bool suppressions_read(struct store *store, const char *sensor,
                       void (*put)(void *context, const struct suppression *s, uint64_t hits),
                       void *context, struct error *err)
{
    sqlite3_stmt *q = store_statement(
        store,
        "SELECT s.id, s.rule, s.actor, s.target, s.until_ns, s.by, s.reason, s.made_ns,"
        " s.lifted_ns, coalesce(h.count, 0) FROM suppressions s LEFT JOIN suppression_hits h ON"
        " h.sensor = s.sensor AND h.id = s.id WHERE s.sensor = ? ORDER BY s.id",
        err);
    if (!q)
        return false;
    bind_text(q, 1, sensor);
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        struct suppression s = {.id = sqlite3_column_int64(q, 0),
                                .until_ns = sqlite3_column_int64(q, 4),
                                .made_ns = sqlite3_column_int64(q, 7),
                                .lifted_ns = sqlite3_column_int64(q, 8)};
        column_text(q, 1, s.rule, sizeof s.rule);
        column_text(q, 2, s.actor, sizeof s.actor);
        column_text(q, 3, s.target, sizeof s.target);
        column_text(q, 5, s.by, sizeof s.by);
        column_text(q, 6, s.reason, sizeof s.reason);
        put(context, &s, (uint64_t)sqlite3_column_int64(q, 9));
    }
    sqlite3_reset(q);
    return code == SQLITE_DONE || error_set(err, "store %s: cannot read suppressions: %s",
                                            store_path(store), sqlite3_errmsg(store_handle(store)));
}

bool suppression_hit_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct suppression_hit *hit = data;
    assert(size == sizeof *hit);
    sqlite3_stmt *q = store_statement(
        store,
        "INSERT INTO suppression_hits(sensor, id, count, last_ns) VALUES(?1, ?2, ?3, ?4)"
        " ON CONFLICT(sensor, id) DO UPDATE SET count = count + ?3, last_ns = max(last_ns, ?4)",
        err);
    if (!q)
        return false;
    bind_text(q, 1, hit->sensor);
    sqlite3_bind_int64(q, 2, hit->id);
    sqlite3_bind_int64(q, 3, (int64_t)hit->count);
    sqlite3_bind_int64(q, 4, hit->last_ns);
    return store_step(store, q, err);
}
