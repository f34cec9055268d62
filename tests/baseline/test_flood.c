/* test_flood.c: connections without end to one service, and busy days that are no flood. */
#include "baseline/flood.h"
#include "baseline/inventory.h"
#include "support/runner.h"

#include <string.h>

#define SECOND INT64_C(1000000000)

static const struct row {
    const char *shows;
    unsigned flows, sources, ports; /* spread over sources and service ports */
    int64_t every_ns;
    unsigned findings;
    enum sighting_kind kind;
    unsigned packets; /* of each sighting */
} rows[] = {
    {"two thousand connections in a second",           2000,  1,   1,  SECOND / 2000, 1, SIGHTING_FLOW,      0  },
    {"the same from a thousand addresses",             2000,  999, 1,  SECOND / 2000, 1, SIGHTING_FLOW,      0  },
    {"250 within five seconds are the least",          250,   1,   1,  SECOND / 60,   1, SIGHTING_FLOW,      0  },
    {"249 are not",                                    249,   1,   1,  SECOND / 60,   0, SIGHTING_FLOW,      0  },
    {"forty a second spread over the day",             3000,  1,   1,  SECOND / 40,   0, SIGHTING_FLOW,      0  },
    {"a scan of many ports is told as a scan",         2000,  1,   50, SECOND / 2000, 0, SIGHTING_FLOW,      0  },
    {"one that goes on is told again each minute",     12000, 1,   1,  SECOND / 100,  2, SIGHTING_FLOW,      0  },
    {"a thousand echo requests in a second",           10,    1,   1,  SECOND / 10,   1, SIGHTING_ECHO,      100},
    {"five hundred within five seconds are the least", 5,     1,   1,  SECOND,        1, SIGHTING_ECHO,      100},
    {"four hundred are not",                           4,     1,   1,  SECOND,        0, SIGHTING_ECHO,      100},
    {"ten a second for an hour",                       360,   1,   1,  10 * SECOND,   0, SIGHTING_ECHO,      100},
    {"UDP: two thousand datagrams on one flow",        40,    1,   1,  SECOND / 10,   1, SIGHTING_DATAGRAMS, 50 },
    {"750 within five seconds are the least",          15,    1,   1,  SECOND / 4,    1, SIGHTING_DATAGRAMS, 50 },
    {"700 are not",                                    14,    1,   1,  SECOND / 4,    0, SIGHTING_DATAGRAMS, 50 },
    {"a hundred a second for an hour",                 7200,  1,   1,  SECOND / 2,    0, SIGHTING_DATAGRAMS, 50 },
    {"ARP without end of one sender",                  3000,  1,   1,  SECOND / 1000, 1, SIGHTING_ARP,       0  },
    {"as much ARP of many",                            3000,  100, 1,  SECOND / 1000, 0, SIGHTING_ARP,       0  },
    {"a gateway that asks for all of its network",     762,   1,   1,  SECOND / 1000, 0, SIGHTING_ARP,       0  },
};
enum { ROWS = sizeof rows / sizeof *rows };

struct told {
    unsigned count;
    uint64_t flows;
    struct finding last;
};

static void on_finding(void *context, const struct finding *f)
{
    struct told *t = context;
    t->count++;
    t->flows += f->count;
    t->last = *f;
}

static void play(struct floods *floods, const struct row *r)
{
    for (unsigned i = 0; i < r->flows; i++) {
        struct sighting s = {.kind = r->kind,
                             .transport = r->kind == SIGHTING_FLOW ? TRANSPORT_TCP : TRANSPORT_NONE,
                             .packets = r->packets};
        s.time_ns = 1700000000 * SECOND + i * r->every_ns;
        s.who.ip = (struct address){
            ADDRESS_IP4, {10, 0, (uint8_t)(i % r->sources / 250), (uint8_t)(i % r->sources % 250)}
        };
        s.other.ip = (struct address){
            ADDRESS_IP4, {10, 9, 9, 9}
        };
        s.other.port = (uint16_t)(r->kind == SIGHTING_FLOW || r->kind == SIGHTING_DATAGRAMS
                                      ? 502 + i % r->ports
                                      : 0);
        if (r->kind == SIGHTING_ARP)
            s.other.ip.bytes[3] = (uint8_t)i; /* it may ask for anybody */
        floods_sighting(floods, &s, false);
        floods_tick(floods, s.time_ns);
    }
}

static const struct habit_row {
    const char *shows;
    unsigned before, burst, findings; /* connections in five seconds */
} habits[] = {
    {"300 of a service that nobody uses",       10,  300, 1},
    {"300 of a service that has 200 every day", 200, 300, 0},
    {"599 of a service that has 200 every day", 200, 599, 0},
    {"three times as many are a flood there",   200, 600, 1},
};

static void connect_often(struct floods *floods, int64_t *now_ns, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct sighting s = {.kind = SIGHTING_FLOW, .transport = TRANSPORT_TCP};
        s.time_ns = *now_ns + i * (4 * SECOND / count);
        s.who.ip = (struct address){
            ADDRESS_IP4, {10, 0, 0, 1}
        };
        s.other.ip = (struct address){
            ADDRESS_IP4, {10, 9, 9, 9}
        };
        s.other.port = 443;
        floods_sighting(floods, &s, false);
    }
    *now_ns += 6 * SECOND;
}

START_TEST(habits_raise_the_limit)
{
    const struct habit_row *r = &habits[_i];
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct floods *f = floods_create(&sink);
    int64_t now_ns = 1700000000 * SECOND;
    for (int i = 0; i < 100; i++)
        connect_often(f, &now_ns, r->before);
    ck_assert_msg(told.count == 0, "%s: the habit", r->shows);
    connect_often(f, &now_ns, r->burst);
    ck_assert_msg(told.count == r->findings, "%s: %u findings", r->shows, told.count);
    floods_destroy(f);
}
END_TEST

/* What a camera sends is learned, and known in the next run. */
static const struct kept_row {
    const char *shows;
    bool is_learning;
    unsigned findings; /* of the same stream in the next run */
} kept_rows[] = {
    {"a stream that was learned",     true,  0},
    {"one that was told is no habit", false, 1},
};

static void stream(struct floods *floods, bool is_learning)
{
    for (unsigned i = 0; i < 30; i++) { /* 1500 within three seconds */
        struct sighting s = {.kind = SIGHTING_DATAGRAMS,
                             .transport = TRANSPORT_UDP,
                             .packets = 50,
                             .time_ns = 1700000000 * SECOND + i * (SECOND / 10)};
        address_parse(&s.other.ip, "10.9.9.9");
        s.other.port = 5004;
        floods_sighting(floods, &s, is_learning);
    }
}

START_TEST(datagrams_are_learned_and_kept)
{
    const struct kept_row *row = &kept_rows[_i];
    static const struct store_schema *const schemas[] = {&inventory_schema, NULL};
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct store *store;
    struct store_queue *queue;
    struct error err;
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_queue_create(&queue, store, false, &err), "%s", err.text);
    struct floods *first = floods_create(&sink), *next = floods_create(&sink);
    stream(first, row->is_learning);
    floods_save(first, queue, "s");
    ck_assert_msg(store_queue_close(queue, &err), "%s", err.text);
    ck_assert_msg(floods_load(next, store, "s", &err), "%s", err.text);
    told.count = 0;
    stream(next, false);
    ck_assert_msg(told.count == row->findings, "%s: %u", row->shows, told.count);
    floods_destroy(first);
    floods_destroy(next);
    store_close(store);
}
END_TEST

START_TEST(no_flood_creeps_up)
{
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct floods *f = floods_create(&sink);
    int64_t now_ns = 1700000000 * SECOND;
    for (unsigned count = 100; count < 20000 && told.count == 0; count += count / 2)
        connect_often(f, &now_ns, count);
    ck_assert_uint_gt(told.count, 0);
    floods_destroy(f);
}
END_TEST

START_TEST(a_flood_of_years_stays_one)
{
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct floods *f = floods_create(&sink);
    int64_t now_ns = 1700000000 * SECOND;
    for (unsigned count = 100; count < 3000; count += 1 + count / 100)
        connect_often(f, &now_ns, count);
    ck_assert_uint_gt(told.count, 0);
    floods_destroy(f);
}
END_TEST

/* The historian's connection came first, and every tenth is one of an HMI. */
START_TEST(who_floods_while_others_poll)
{
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct floods *f = floods_create(&sink);
    struct address flooder;
    ck_assert(address_parse(&flooder, "10.0.0.99"));
    for (unsigned i = 0; i < 400 && told.count == 0; i++) {
        struct sighting s = {.kind = SIGHTING_FLOW,
                             .time_ns = 1700000000 * SECOND + i * SECOND / 200,
                             .transport = TRANSPORT_TCP};
        ck_assert(address_parse(&s.who.ip, i == 0        ? "10.0.0.30"
                                           : i % 10 == 0 ? "10.0.0.10"
                                                         : "10.0.0.99"));
        ck_assert(address_parse(&s.other.ip, "10.0.1.1"));
        s.other.port = 502;
        floods_sighting(f, &s, false);
    }
    ck_assert_uint_eq(told.count, 1);
    ck_assert_msg(address_equal(&told.last.actor.ip, &flooder), "someone else is told");
    ck_assert_msg(!strstr(told.last.what, "other sources"), "%s", told.last.what);
    floods_destroy(f);
}
END_TEST

START_TEST(floods)
{
    const struct row *r = &rows[_i];
    struct told told = {0};
    struct finding_sink sink = {&told, on_finding, NULL, NULL};
    struct floods *f = floods_create(&sink);
    play(f, r);
    ck_assert_msg(told.count == r->findings, "%s: %u findings", r->shows, told.count);
    if (told.count) {
        ck_assert_str_eq(detection_kind(told.last.detection)->id, "net.flood");
        bool has_port = r->kind == SIGHTING_FLOW || r->kind == SIGHTING_DATAGRAMS;
        ck_assert_uint_eq(told.last.target.port, has_port ? 502 : 0);
        ck_assert(told.last.has_target == (r->kind != SIGHTING_ARP));
        ck_assert_msg((strstr(told.last.what, "other sources") != NULL) == (r->sources > 1), "%s",
                      told.last.what);
    }
    floods_destroy(f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flood");
    TCase *c = tcase_create("flood");
    tcase_set_timeout(c, 60); /* a slow machine with sanitizers */
    tcase_add_loop_test(c, floods, 0, ROWS);
    tcase_add_loop_test(c, datagrams_are_learned_and_kept, 0, sizeof kept_rows / sizeof *kept_rows);
    tcase_add_test(c, no_flood_creeps_up);
    tcase_add_test(c, who_floods_while_others_poll);
    tcase_add_test(c, a_flood_of_years_stays_one);
    tcase_add_loop_test(c, habits_raise_the_limit, 0, sizeof habits / sizeof *habits);
    suite_add_tcase(s, c);
    return run_suite(s);
}
