/* test_history.c: likes are counted, acts are told one by one, the store keeps and plays them, and
 * is held to its size. */
#include "rules/history.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define START  (INT64_C(1500000000) * SECOND)

static const struct store_schema *const schemas[] = {&history_schema, NULL};

static struct store_queue *queue;
static struct history_packer *packer;

static struct store *open_store(char path[64])
{
    struct error err;
    struct store *store;
    int fd = mkstemp(strcpy(path, "/tmp/test_history.XXXXXX"));
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_msg(store_open(&store, path, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_queue_create(&queue, store, false, &err), "%s", err.text);
    packer = history_packer_create("s", queue);
    ck_assert_ptr_nonnull(packer);
    return store;
}

static void drop_store(struct store *store, const char *path)
{
    struct error err;
    history_packer_destroy(packer);
    ck_assert_msg(store_queue_close(queue, &err), "%s", err.text);
    store_close(store);
    unlink(path);
}

static void apply(void *context, const struct history_row *row)
{
    (void)context;
    history_pack(packer, row);
}

static void commit(void)
{
    struct error err;
    history_pack_end(packer);
    ck_assert_msg(store_queue_commit(queue, &err), "%s", err.text);
}

struct played {
    uint64_t rows, events, flows;
    uint64_t counts[64];
    enum operation operations[64];
};

static void on_event(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns)
{
    struct played *p = context;
    ck_assert_int_ge(last_ns, e->time_ns);
    if (p->rows < 64) {
        p->counts[p->rows] = count;
        p->operations[p->rows] = e->operation;
    }
    p->rows++;
    p->events += count;
}

static void on_flow(void *context, const struct ot_flow *flow, enum sigma_moment moment,
                    const char *protocol, int64_t time_ns, uint64_t count)
{
    struct played *p = context;
    ck_assert_uint_eq(flow->server.port, 502);
    ck_assert_int_eq(moment, SIGMA_RECOGNISED);
    ck_assert_str_eq(protocol, "modbus");
    ck_assert_int_eq(time_ns, START);
    p->flows += count;
}

static long long number(struct store *store, const char *sql)
{
    sqlite3_stmt *s = store_statement(store, sql, NULL);
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
    long long n = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return n;
}

static struct played play(struct store *store)
{
    struct error err;
    struct history_span span;
    struct played p = {0};
    struct history_player player = {&p, on_event, on_flow, NULL};
    commit();
    ck_assert_msg(history_replay(store, "s", &player, &span, &err), "%s", err.text);
    return p;
}

static void ignore_event(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns)
{
    (void)context, (void)e, (void)count, (void)last_ns;
}

static void ignore_flow(void *context, const struct ot_flow *flow, enum sigma_moment moment,
                        const char *protocol, int64_t time_ns, uint64_t count)
{
    (void)context, (void)flow, (void)moment, (void)protocol, (void)time_ns, (void)count;
}

static struct ot_flow flow_of(void)
{
    struct ot_flow flow = {.id = 1, .transport = TRANSPORT_TCP};
    address_parse(&flow.client.ip, "10.0.0.5");
    address_parse(&flow.server.ip, "10.0.0.10");
    flow.server.port = 502;
    return flow;
}

static const uint8_t value_one[] = {0, 1}, value_two[] = {0, 2};

static void act(struct history *h, int64_t time_ns, enum operation operation, uint64_t start,
                const uint8_t value[2])
{
    struct ot_flow flow = flow_of();
    struct ot_item item = {
        .area = "holding_register", .has_start = true, .start = start, .count = 1};
    if (value)
        item.values = (struct ot_values){VALUES_U16BE, 1, value, 2};
    struct ot_event e = {.time_ns = time_ns,
                         .flow = &flow,
                         .is_from_client = true,
                         .protocol = "modbus",
                         .operation = operation,
                         .items = &item,
                         .item_count = 1};
    history_event(h, &e, history_like(h, &e, 42));
}

/* An hour of polling every second is seven rows at most (ten minutes each), with all the counts. */
START_TEST(test_polls_are_counted)
{
    char path[64];
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    for (int i = 0; i < 3600; i++) {
        history_tick(h, START + i * SECOND, false);
        act(h, START + i * SECOND, OP_READ, 100, i % 2 ? value_one : value_two);
    }
    history_tick(h, START + 3600 * SECOND, true);
    struct played p = play(store);
    ck_assert_uint_eq(p.events, 3600);
    ck_assert_uint_le(p.rows, 7);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

START_TEST(test_what_differs_is_apart)
{
    static const struct {
        const char *shows;
        enum operation first, second;
        uint64_t start;
        const uint8_t *value;
        uint64_t rows;
    } rows[] = {
        {"the same read",                       OP_READ,  OP_READ,  100, value_one, 1},
        {"a read of another value is the same", OP_READ,  OP_READ,  100, value_two, 1},
        {"a read elsewhere",                    OP_READ,  OP_READ,  101, value_one, 2},
        {"another operation",                   OP_READ,  OP_WRITE, 100, value_one, 2},
        {"the same write",                      OP_WRITE, OP_WRITE, 100, value_one, 1},
        {"a write of another value",            OP_WRITE, OP_WRITE, 100, value_two, 2},
        {"engineering is told each time",       OP_STOP,  OP_STOP,  100, value_one, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[64];
        struct store *store = open_store(path);
        struct history *h = history_create("s", apply, store);
        act(h, START, rows[i].first, 100, value_one);
        act(h, START + SECOND, rows[i].second, rows[i].start, rows[i].value);
        history_tick(h, START + SECOND, true);
        struct played p = play(store);
        ck_assert_msg(p.rows == rows[i].rows && p.events == 2, "%s: %llu rows, %llu events",
                      rows[i].shows, (unsigned long long)p.rows, (unsigned long long)p.events);
        history_destroy(h);
        drop_store(store, path);
    }
}
END_TEST

/* The same capture into the same store again changes nothing. */
START_TEST(test_again_is_the_same)
{
    char path[64];
    struct store *store = open_store(path);
    for (int run = 0; run < 2; run++) {
        struct history *h = history_create("s", apply, store);
        struct ot_flow flow = flow_of();
        history_flow(h, &flow, SIGMA_RECOGNISED, "modbus", START, 42);
        for (int i = 0; i < 100; i++)
            act(h, START + i * SECOND, OP_READ, 100, value_one);
        history_tick(h, START + MINUTE * 2, true);
        history_destroy(h);
        commit();
    }
    ck_assert_int_eq(number(store, "SELECT count(*) FROM history"), 1);
    struct played p = play(store);
    ck_assert_uint_eq(p.events, 100);
    ck_assert_uint_eq(p.flows, 1);
    drop_store(store, path);
}
END_TEST

/* A trial wants a time, and the newest when there is too much. */
START_TEST(test_a_range)
{
    static const struct {
        const char *shows;
        struct history_range range;
        uint64_t rows;
        int64_t first_ns;
        bool is_cut;
    } rows[] = {
        {"all",                {INT64_MIN, INT64_MAX, 100},                       10, START,              false},
        {"exactly all",        {INT64_MIN, INT64_MAX, 10},                        10, START,              false},
        {"the newest three",   {INT64_MIN, INT64_MAX, 3},                         3,  START + 7 * SECOND, true },
        {"from a time",        {START + 4 * SECOND, INT64_MAX, 100},              6,  START + 4 * SECOND, false},
        {"until a time",       {INT64_MIN, START + 4 * SECOND, 100},              5,  START,              false},
        {"newest until there", {INT64_MIN, START + 4 * SECOND, 2},                2,  START + 3 * SECOND, true },
        {"nothing there",      {START + 100 * SECOND, START + 200 * SECOND, 100}, 0,  0,                  false},
    };
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    for (int i = 0; i < 10; i++)
        act(h, START + i * SECOND, OP_READ, (uint64_t)i, NULL);
    history_tick(h, START + MINUTE, true);
    commit();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct played p = {0};
        struct history_player player = {&p, on_event, on_flow, NULL};
        struct history_span span;
        ck_assert_msg(history_replay_range(store, "s", &rows[i].range, &player, &span, &err), "%s",
                      err.text);
        ck_assert_msg(span.rows == rows[i].rows && span.first_ns == rows[i].first_ns &&
                          span.is_cut == rows[i].is_cut,
                      "%s: %llu rows", rows[i].shows, (unsigned long long)span.rows);
    }
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

/* Days of quiet between, blocks that reach over each other, counts told late: all are found, in
 * order, forwards and from the newest. */
START_TEST(test_far_apart)
{
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    for (int day = 0; day < 5; day++) {
        for (int i = 0; i < 1500; i++) /* 25 minutes */
            act(h, START + day * 24 * 60 * MINUTE + i * SECOND, OP_READ, (uint64_t)(i % 3), NULL);
        if (day % 2)
            commit();
    }
    history_tick(h, START + 5 * 24 * 60 * MINUTE, true);
    struct played all = play(store);
    ck_assert_uint_eq(all.events, 5 * 1500);
    ck_assert_uint_eq(all.rows, 5 * 3 * 3); /* 25 minutes from the beginning of ten */
    struct history_range range = {INT64_MIN, INT64_MAX, 10};
    struct played newest = {0};
    struct history_player player = {&newest, on_event, on_flow, NULL};
    struct history_span span;
    ck_assert(history_replay_range(store, "s", &range, &player, &span, &err));
    ck_assert(span.is_cut);
    ck_assert_uint_le(newest.rows, 10);
    ck_assert_uint_gt(newest.rows, 5);
    ck_assert_uint_gt(newest.events, 1500);
    ck_assert_int_ge(span.first_ns, START + 3 * 24 * 60 * MINUTE);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

/* The version before kept each row for itself. */
START_TEST(test_rows_of_the_version_before)
{
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    uint8_t bytes[EVENT_PACK_MAX];
    struct ot_flow flow = flow_of();
    struct ot_event e = {.flow = &flow, .protocol = "modbus", .operation = OP_WRITE};
    sqlite3_stmt *s = store_statement(store,
                                      "INSERT INTO history(sensor, time_ns, key, last_ns, count,"
                                      " kind, event) VALUES('s', ?1, 7, ?1 + 5, 3, 0, ?2)",
                                      &err);
    sqlite3_bind_int64(s, 1, START - MINUTE);
    sqlite3_bind_blob(s, 2, bytes, (int)event_pack(&e, bytes), SQLITE_TRANSIENT);
    ck_assert(store_step(store, s, &err));
    struct history *h = history_create("s", apply, store);
    act(h, START, OP_READ, 1, NULL);
    struct played p = play(store);
    ck_assert_uint_eq(p.rows, 2);
    ck_assert_uint_eq(p.counts[0], 3);
    ck_assert_int_eq(p.operations[0], OP_WRITE);
    ck_assert_int_eq(p.operations[1], OP_READ);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

static struct history_writes writes_of(const char *writer, const char *target)
{
    struct history_writes writes = {.protocol = "modbus",
                                    .which = history_which("holding_register", NULL, 0)};
    address_parse(&writes.writer, writer);
    address_parse(&writes.target, target);
    return writes;
}

/* A store from elsewhere: cut, and any bytes. */
START_TEST(test_damaged_blocks)
{
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    for (int i = 0; i < 20; i++)
        act(h, START + i * SECOND, OP_READ, (uint64_t)i, NULL);
    ck_assert_uint_eq(play(store).rows, 20);
    ck_assert(
        store_exec(store, "UPDATE history SET event = substr(event, 1, length(event) - 1)", &err));
    ck_assert_uint_eq(play(store).rows, 19);
    for (int i = 0; i < 50; i++) {
        ck_assert(store_exec(store,
                             "UPDATE history SET event = CAST(substr(event, 1, 60) ||"
                             " randomblob(400) AS BLOB), kind = random() % 3",
                             &err));
        struct history_span span;
        struct history_player player = {&(struct played){0}, ignore_event, ignore_flow, NULL};
        ck_assert(history_replay(store, "s", &player, &span, &err));
        struct history_writes writes = writes_of("10.0.0.5", "10.0.0.10");
        struct history_range range = {INT64_MIN, INT64_MAX, 1000};
        ck_assert(store_exec(store, "UPDATE history SET indexed = 0", &err));
        ck_assert(history_replay_writes(store, "s", &range, &writes, &player, &span, &err));
    }
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

/* A scan of everything does not fill the store: the budget holds it, and says so. */
START_TEST(test_floods_are_held)
{
    char path[64];
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    for (uint64_t i = 0; i < 20000; i++)
        act(h, START, OP_READ, i, NULL);
    ck_assert_uint_eq(history_lost(h), 20000 - HISTORY_BURST);
    act(h, START + 10 * SECOND, OP_READ, 50000, NULL); /* and it goes on afterwards */
    ck_assert_uint_eq(history_lost(h), 20000 - HISTORY_BURST);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

/* How many of the newest kinds are not counted any more after a flood of others. */
static uint64_t forgotten(uint64_t flood)
{
    enum { SECONDS = 300, ASKED = 8000 };
    char path[64];
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    uint64_t kinds = 0;
    int64_t now = START;
    for (int i = 0; i < SECONDS; i++, now += SECOND)
        for (int k = 0; k < HISTORY_ROWS_PER_SECOND; k++)
            act(h, now, OP_READ, kinds++, NULL);
    for (uint64_t i = 0; i < HISTORY_BURST + flood; i++)
        act(h, now, OP_READ, kinds + i, NULL);
    uint64_t lost = history_lost(h);
    for (uint64_t i = kinds - ASKED; i < kinds; i++)
        act(h, now, OP_READ, i, NULL);
    uint64_t more = history_lost(h) - lost;
    history_destroy(h);
    drop_store(store, path);
    return more;
}

/* What a flood brings and cannot be told does not push out what is being counted. */
START_TEST(test_floods_do_not_forget)
{
    ck_assert_uint_eq(forgotten(100000), forgotten(0));
}
END_TEST

START_TEST(test_limits)
{
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    for (int i = 0; i < 4000; i++)
        act(h, START + i * SECOND, OP_READ, (uint64_t)i, NULL);
    history_tick(h, START + 4000 * SECOND, true);
    ck_assert_uint_eq(play(store).rows, 4000);
    struct history_limits limits = {.before_ns = START + 1000 * SECOND, .bytes_max = UINT64_MAX};
    strcpy(limits.sensor, "s");
    ck_assert(history_limits_apply(store, &limits, sizeof limits, &err));
    uint64_t left = play(store).rows; /* a block goes when all of it is older */
    ck_assert_uint_ge(left, 3000);
    ck_assert_uint_le(left, 3000 + 20 * 60 + 1);
    limits.bytes_max = 50000;
    ck_assert(history_limits_apply(store, &limits, sizeof limits, &err));
    ck_assert_uint_lt(play(store).rows, 3000);
    limits.bytes_max = 0;
    ck_assert(history_limits_apply(store, &limits, sizeof limits, &err));
    ck_assert_uint_eq(play(store).rows, 0);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

/* --- writes --- */

#define N(i)                                                                                       \
    {                                                                                              \
        0, i                                                                                       \
    }
#define N4(i)  N(i), N(i + 1), N(i + 2), N(i + 3)
#define N16(i) N4(i), N4(i + 4), N4(i + 8), N4(i + 12)
static const uint8_t numbers[][2] = {N16(0), N16(16), N16(32), N16(48), N16(64), N16(80), N16(96)};

struct written {
    uint64_t rows, counts;
    int64_t before_ns;
};

static void on_written(void *context, const struct ot_event *e, uint64_t count, int64_t last_ns)
{
    struct written *w = context;
    (void)last_ns;
    ck_assert_int_lt(e->time_ns, w->before_ns); /* the newest first */
    w->before_ns = e->time_ns;
    for (uint32_t i = 0; i < e->item_count; i++)
        if (e->operation == OP_WRITE && e->items[i].start == 7) {
            w->rows++;
            w->counts += count;
        }
}

/* A value now and then, among everything else that goes on for days: a new one each hour, and each
 * a hundred times within ten minutes. */
static void busy_days(struct history *h, int hours)
{
    for (int hour = 0; hour < hours; hour++) {
        int64_t at = START + hour * 60 * MINUTE;
        history_tick(h, at, false);
        for (int i = 0; i < 200; i++)
            act(h, at + i * SECOND, OP_READ, (uint64_t)i, NULL);
        commit(); /* blocks that have nothing to do with it */
        for (int i = 0; i < 100; i++)
            act(h, at + (200 + i) * SECOND, OP_WRITE, 7, numbers[hour]);
        commit(); /* counts come with a later block */
    }
    history_tick(h, START + hours * 60 * MINUTE, true);
    commit();
}

/* The record's byte that says whether it writes did not exist, nor the index. */
static void as_older_sensor(struct store *store)
{
    struct error err;
    uint8_t bytes[65536];
    sqlite3_stmt *all = store_statement(store, "SELECT time_ns, key, event FROM history", &err);
    while (sqlite3_step(all) == SQLITE_ROW) {
        size_t size = (size_t)sqlite3_column_bytes(all, 2);
        ck_assert_uint_le(size, sizeof bytes);
        memcpy(bytes, sqlite3_column_blob(all, 2), size);
        for (size_t at = 0; at + 40 <= size;) {
            uint16_t event;
            memcpy(&event, bytes + at + 32, sizeof event);
            bytes[at + 35] = 0;
            at += 40u + event;
        }
        sqlite3_stmt *s = store_statement(store,
                                          "UPDATE history SET event = ?, indexed = 0 WHERE time_ns"
                                          " = ? AND key = ?",
                                          &err);
        sqlite3_bind_blob(s, 1, bytes, (int)size, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, sqlite3_column_int64(all, 0));
        sqlite3_bind_int64(s, 3, sqlite3_column_int64(all, 1));
        ck_assert(store_step(store, s, &err));
    }
    sqlite3_reset(all);
    ck_assert(store_exec(store, "DELETE FROM history_writes", &err));
}

START_TEST(test_writes_are_found)
{
    static const struct {
        const char *shows, *writer, *target;
        bool is_older;
        struct history_range range;
        uint64_t rows, counts;
        bool is_cut;
    } rows[] = {
        {"all, without the rest",
         "10.0.0.5",                                 "10.0.0.10",
         false,                                                          {INT64_MIN, INT64_MAX, 500},
         48,                                                                                                                   4800,
         false                                                                                                                            },
        {"no more than may be seen",
         "10.0.0.5",                                 "10.0.0.10",
         false,                                                          {INT64_MIN, INT64_MAX, 10},
         5,                                                                                                                    500,
         true                                                                                                                             },
        {"of some hours",
         "10.0.0.5",                                 "10.0.0.10",
         false,                                                          {START + 120 * MINUTE, START + 299 * MINUTE, 500},
         3,                                                                                                                    300,
         false                                                                                                                            },
        {"the other way",               "10.0.0.10", "10.0.0.5",  false, {INT64_MIN, INT64_MAX, 500},                       0, 0,    false},
        {"somebody else's",
         "10.0.0.6",                                 "10.0.0.10",
         false,                                                          {INT64_MIN, INT64_MAX, 500},
         0,                                                                                                                    0,
         false                                                                                                                            },
        {"an older sensor's",
         "10.0.0.5",                                 "10.0.0.10",
         true,                                                           {INT64_MIN, INT64_MAX, 20000},
         48,                                                                                                                   4800,
         false                                                                                                                            },
        {"who has to look at the rest",
         "10.0.0.5",                                 "10.0.0.10",
         true,                                                           {INT64_MIN, INT64_MAX, 1000},
         5,                                                                                                                    500,
         true                                                                                                                             },
    };
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    bool is_older = false;
    busy_days(h, 48);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct history_writes writes = writes_of(rows[i].writer, rows[i].target);
        struct written written = {.before_ns = INT64_MAX};
        struct history_player player = {&written, on_written, NULL, NULL};
        struct history_span span;
        if (rows[i].is_older && !is_older)
            as_older_sensor(store);
        is_older = rows[i].is_older;
        ck_assert_msg(
            history_replay_writes(store, "s", &rows[i].range, &writes, &player, &span, &err), "%s",
            err.text);
        ck_assert_msg(written.rows == rows[i].rows && written.counts == rows[i].counts &&
                          span.is_cut == rows[i].is_cut,
                      "%s: %llu rows, %llu values, cut %d", rows[i].shows,
                      (unsigned long long)written.rows, (unsigned long long)written.counts,
                      span.is_cut);
    }
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

static bool is_ten(void *context)
{
    const struct written *written = context;
    return written->rows >= 10;
}

/* What is written elsewhere by the same is told apart, without being read; who has enough ends it.
 */
START_TEST(test_things_are_told_apart)
{
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    for (int i = 0; i < 100; i++) {
        act(h, START + i * 10 * MINUTE, OP_WRITE, 7, numbers[i]);
        commit();
    }
    struct history_writes writes = writes_of("10.0.0.5", "10.0.0.10");
    struct written none = {.before_ns = INT64_MAX}, all = none, some = none;
    struct history_range range = {INT64_MIN, INT64_MAX, 1000};
    struct history_span span;
    uint64_t own = writes.which, other = own;
    for (uint32_t number = 1; number < 50 && other == own; number++)
        other = history_which("db", &number, 0);
    ck_assert_uint_ne(other, own);
    writes.which = other;
    struct history_player player = {&none, on_written, NULL, NULL};
    ck_assert(history_replay_writes(store, "s", &range, &writes, &player, &span, &err));
    ck_assert_uint_eq(none.rows, 0);
    writes.which = own;
    player.context = &all;
    ck_assert(history_replay_writes(store, "s", &range, &writes, &player, &span, &err));
    ck_assert_uint_eq(all.rows, 100);
    ck_assert(!span.is_cut);
    writes.is_enough = is_ten;
    player.context = &some;
    ck_assert(history_replay_writes(store, "s", &range, &writes, &player, &span, &err));
    ck_assert_uint_ge(some.rows, 10);
    ck_assert_uint_lt(some.rows, 50);
    ck_assert(span.is_cut);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

/* The index goes with the blocks. */
START_TEST(test_index_is_held)
{
    char path[64];
    struct error err;
    struct store *store = open_store(path);
    struct history *h = history_create("s", apply, store);
    busy_days(h, 96);
    long long all = number(store, "SELECT count(*) FROM history_writes");
    struct history_limits limits = {.before_ns = START + 48 * 60 * MINUTE, .bytes_max = UINT64_MAX};
    strcpy(limits.sensor, "s");
    ck_assert(history_limits_apply(store, &limits, sizeof limits, &err));
    long long left = number(store, "SELECT count(*) FROM history_writes");
    ck_assert_int_lt(left, all * 7 / 10);
    ck_assert_int_gt(left, all * 3 / 10);
    limits.bytes_max = 0;
    ck_assert(history_limits_apply(store, &limits, sizeof limits, &err));
    ck_assert_int_eq(number(store, "SELECT count(*) FROM history_writes"), 0);
    ck_assert_int_eq(number(store, "SELECT bytes FROM history_totals"), 0);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

/* A store of the version before is brought up to date: nothing is lost, its size stays true. */
START_TEST(test_the_version_before)
{
    static const char downgrade[] =
        "DROP TRIGGER history_added; DROP TRIGGER history_removed; DROP TABLE history_writes;"
        "DROP INDEX history_not_indexed; ALTER TABLE history DROP COLUMN indexed;"
        "CREATE TRIGGER history_added AFTER INSERT ON history BEGIN"
        "  INSERT INTO history_totals VALUES(NEW.sensor, length(NEW.event) + 60)"
        "  ON CONFLICT(sensor) DO UPDATE SET bytes = bytes + length(NEW.event) + 60; END;"
        "CREATE TRIGGER history_removed AFTER DELETE ON history BEGIN"
        "  UPDATE history_totals SET bytes = bytes - length(OLD.event) - 60"
        "  WHERE sensor = OLD.sensor; END;"
        "UPDATE history_totals SET bytes = (SELECT sum(length(event) + 60) FROM history);"
        "UPDATE schema_version SET version = 2 WHERE name = 'history';";
    char path[64];
    struct error err;
    struct store *store = open_store(path), *again;
    struct history *h = history_create("s", apply, store);
    busy_days(h, 5);
    as_older_sensor(store);
    ck_assert_msg(store_exec(store, downgrade, &err), "%s", err.text);
    ck_assert_msg(store_open(&again, path, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    store_close(again);
    history_destroy(h);
    h = history_create("s", apply, store);
    busy_days(h, 6); /* those that are there are the same once more */
    struct history_writes writes = writes_of("10.0.0.5", "10.0.0.10");
    struct written written = {.before_ns = INT64_MAX};
    struct history_player player = {&written, on_written, NULL, NULL};
    struct history_range range = {INT64_MIN, INT64_MAX, 100000};
    struct history_span span;
    ck_assert_msg(history_replay_writes(store, "s", &range, &writes, &player, &span, &err), "%s",
                  err.text);
    ck_assert_uint_eq(written.rows, 6);
    ck_assert_uint_eq(written.counts, 600);
    struct history_limits limits = {.before_ns = INT64_MAX, .bytes_max = 0};
    strcpy(limits.sensor, "s");
    ck_assert(history_limits_apply(store, &limits, sizeof limits, &err));
    ck_assert_int_eq(number(store, "SELECT bytes FROM history_totals"), 0);
    history_destroy(h);
    drop_store(store, path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *c = tcase_create("history");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, test_polls_are_counted);
    tcase_add_test(c, test_what_differs_is_apart);
    tcase_add_test(c, test_again_is_the_same);
    tcase_add_test(c, test_floods_are_held);
    tcase_add_test(c, test_floods_do_not_forget);
    tcase_add_test(c, test_a_range);
    tcase_add_test(c, test_limits);
    tcase_add_test(c, test_far_apart);
    tcase_add_test(c, test_rows_of_the_version_before);
    tcase_add_test(c, test_damaged_blocks);
    tcase_add_test(c, test_writes_are_found);
    tcase_add_test(c, test_things_are_told_apart);
    tcase_add_test(c, test_index_is_held);
    tcase_add_test(c, test_the_version_before);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
