/* history_replay.c: plays what the store remembers, window by window, in order of time. */
#include "history_window.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

/* --- replay --- */

enum { NAMES_MAX = 256, NAME_SIZE = 24, ROWS_AT_ONCE = 8000 };

/* The names of protocols last as long as a replay, as those of dissectors do: who hears of events
 * keeps them. */
struct replay {
    struct event_unpacked unpacked;
    struct history_window window;
    char names[NAMES_MAX][NAME_SIZE];
    size_t name_count;
};

static const char *lasting(struct replay *r, const char *name)
{
    for (size_t i = 0; i < r->name_count; i++)
        if (strcmp(r->names[i], name) == 0)
            return r->names[i];
    if (r->name_count == NAMES_MAX || strlen(name) >= NAME_SIZE)
        return "unknown";
    return strcpy(r->names[r->name_count++], name);
}

/* Connections are not numbered in the store: those of the same ends and protocol are one. */
static uint64_t flow_id(const struct ot_flow *flow, const char *protocol)
{
    uint64_t id = hash_mix(hash_bytes(&flow->client, sizeof flow->client), flow->segment);
    id = hash_mix(id, hash_bytes(&flow->server, sizeof flow->server));
    return hash_mix(id, hash_bytes(protocol, strlen(protocol))) | 1;
}

static void play(const struct history_player *player, const struct history_entry *entry,
                 struct replay *r, struct history_span *span)
{
    struct event_unpacked *u = &r->unpacked;
    const struct history_record *row = &entry->record;
    if (row->count < 1 || row->count > INT64_MAX || !event_unpack(u, entry->bytes, row->size))
        return;
    struct ot_event *e = &u->event;
    int64_t time_ns = row->time_ns;
    e->time_ns = time_ns;
    e->protocol = lasting(r, e->protocol);
    u->flow.id = flow_id(&u->flow, e->protocol);
    u->flow.first_ns = u->flow.last_ns = time_ns;
    if (span->rows++ == 0 || time_ns < span->first_ns)
        span->first_ns = time_ns;
    if (row->last_ns > span->last_ns)
        span->last_ns = row->last_ns;
    span->events += row->count;
    if (row->kind == HISTORY_EVENT)
        player->event(player->context, e, row->count, row->last_ns);
    else if (player->flow && e->code[0] < SIGMA_MOMENTS)
        player->flow(player->context, &u->flow, (enum sigma_moment)e->code[0],
                     e->protocol[0] ? e->protocol : NULL, time_ns, row->count);
}

/* Reads the newest rows_max rows of the range, window by window from its end. From `first` on the
 * window's entries are among them; the window of the oldest comes last. */
struct walk {
    void (*see)(struct walk *walk, const struct history_window *w, size_t first);
    struct replay *replay;
    const struct history_player *player;
    struct history_span *span;
    int64_t start_ns;  /* of the oldest row */
    int64_t window_ns; /* how much is read at once */
};

/* Of what is written seldom much is read at once, of the rest as much as memory should hold. */
static void fit_window(struct walk *walk, const struct history_window *w)
{
    if (w->looked_at < ROWS_AT_ONCE / 2 && walk->window_ns < HISTORY_DAY_NS)
        walk->window_ns *= 2;
    else if (w->looked_at > ROWS_AT_ONCE && walk->window_ns > HISTORY_WINDOW_NS)
        walk->window_ns /= 2;
}

static int64_t window_start(const struct walk *walk, const struct history_window *w, int64_t to_ns,
                            int64_t from_ns)
{
    int64_t start = history_earlier(to_ns, walk->window_ns - 1);
    if (w->writes && history_day(start) != history_day(to_ns))
        start = history_day(to_ns) * HISTORY_DAY_NS;
    return start > from_ns ? start : from_ns;
}

static bool walk_back(struct store *store, const char *sensor, const struct history_range *range,
                      struct walk *walk, struct error *err)
{
    struct history_window *w = &walk->replay->window;
    uint64_t found = 0;
    int64_t to_ns = range->to_ns, at;
    bool is_there = true;
    walk->start_ns = range->from_ns;
    walk->window_ns = HISTORY_WINDOW_NS;
    while (to_ns >= range->from_ns) {
        if (!history_window_newest(w, store, sensor, to_ns, &at, &is_there, err))
            return false;
        if (!is_there)
            return true;
        if (history_later(at, HISTORY_SPAN_NS) < to_ns)
            to_ns = history_later(at, HISTORY_SPAN_NS); /* what begins there goes no further */
        int64_t from_ns = window_start(walk, w, to_ns, range->from_ns);
        if (to_ns < from_ns)
            return true;
        if (!history_window_read(w, store, sensor, from_ns, to_ns, err))
            return false;
        uint64_t left = range->rows_max - found, more = w->writes ? w->looked_at : w->count;
        walk->span->is_cut = more > left;
        walk->see(walk, w, w->count > left ? w->count - (size_t)left : 0);
        if (w->writes && w->writes->is_enough && w->writes->is_enough(walk->player->context))
            walk->span->is_cut = true;
        if (walk->span->is_cut)
            return true;
        found += more;
        if (from_ns == INT64_MIN)
            return true;
        to_ns = from_ns - 1;
        if (w->writes)
            fit_window(walk, w);
    }
    return true;
}

static void see_start(struct walk *walk, const struct history_window *w, size_t first)
{
    if (first > 0)
        walk->start_ns = history_later(w->entries[first - 1].record.time_ns, 1);
}

static void see_back(struct walk *walk, const struct history_window *w, size_t first)
{
    for (size_t i = w->count; i > first; i--)
        play(walk->player, &w->entries[i - 1], walk->replay, walk->span);
}

/* The first record's time from a time on: at the earliest, where blocks begin before it. */
static bool next_window(struct store *store, const char *sensor, int64_t from_ns, int64_t *at_ns,
                        bool *is_there, struct error *err)
{
    if (!history_number(store, "SELECT min(time_ns) FROM history WHERE sensor = ? AND time_ns >= ?",
                        sensor, history_earlier(from_ns, HISTORY_SPAN_NS), at_ns, is_there, err))
        return false;
    if (*is_there && *at_ns < from_ns)
        *at_ns = from_ns;
    return true;
}

static bool replay_windows(struct store *store, const char *sensor, int64_t from_ns, int64_t to_ns,
                           const struct history_player *player, struct replay *r,
                           struct history_span *span, struct error *err)
{
    struct history_window *w = &r->window;
    int64_t at_ns;
    bool is_there;
    if (!next_window(store, sensor, from_ns, &at_ns, &is_there, err))
        return false;
    while (is_there && at_ns <= to_ns) {
        int64_t end_ns = history_later(at_ns, HISTORY_WINDOW_NS - 1);
        end_ns = end_ns > to_ns ? to_ns : end_ns;
        if (!history_window_read(w, store, sensor, at_ns, end_ns, err))
            return false;
        for (size_t i = 0; i < w->count; i++)
            play(player, &w->entries[i], r, span);
        if (end_ns == INT64_MAX)
            return true;
        bool has_after = w->has_after;
        int64_t after_ns = w->after_ns;
        if (!history_number(store,
                            "SELECT min(time_ns) FROM history WHERE sensor = ? AND time_ns > ?",
                            sensor, end_ns, &at_ns, &is_there, err))
            return false;
        if (has_after && (!is_there || after_ns < at_ns))
            at_ns = after_ns;
        is_there = is_there || has_after;
    }
    return true;
}

static bool replay_from(struct store *store, const char *sensor, struct replay *r, int64_t from_ns,
                        int64_t to_ns, const struct history_player *player,
                        struct history_span *span, struct error *err)
{
    if (!replay_windows(store, sensor, from_ns, to_ns, player, r, span, err))
        return false;
    if (player->end)
        player->end(player->context, span);
    return true;
}

static void replay_destroy(struct replay *r)
{
    if (!r)
        return;
    history_window_release(&r->window);
    free(r);
}

bool history_replay_range(struct store *store, const char *sensor,
                          const struct history_range *range, const struct history_player *player,
                          struct history_span *span, struct error *err)
{
    *span = (struct history_span){0};
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, "out of memory");
    struct walk walk = {.see = see_start, .replay = r, .span = span};
    bool ok = walk_back(store, sensor, range, &walk, err) &&
              replay_from(store, sensor, r, walk.start_ns, range->to_ns, player, span, err);
    replay_destroy(r);
    return ok;
}

bool history_replay_writes(struct store *store, const char *sensor,
                           const struct history_range *range, const struct history_writes *writes,
                           const struct history_player *player, struct history_span *span,
                           struct error *err)
{
    *span = (struct history_span){0};
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, "out of memory");
    r->window.writes = writes;
    r->window.place = history_place(writes);
    struct walk walk = {.see = see_back, .replay = r, .player = player, .span = span};
    bool ok = walk_back(store, sensor, range, &walk, err);
    replay_destroy(r);
    return ok;
}

bool history_replay(struct store *store, const char *sensor, const struct history_player *player,
                    struct history_span *span, struct error *err)
{
    *span = (struct history_span){0};
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, "out of memory");
    bool ok = replay_from(store, sensor, r, INT64_MIN, INT64_MAX, player, span, err);
    replay_destroy(r);
    return ok;
}
