/* test_scan.c: sources that try many addresses or ports, and busy ones that are no scan. */
#include "baseline/scan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const int64_t START = 1700000000ll * 1000000000ll;
static const int64_t SECOND = 1000000000;

static const struct row {
    const char *shows;
    enum sighting_kind kind; /* FLOW or ARP */
    unsigned hosts, ports;   /* tried, every port on every host */
    unsigned answered;       /* of the hosts, the first ones answer */
    double every_s;          /* between tries */
    bool is_picked_up;
    const char *finding; /* "" none */
} rows[] = {
    {"eight dead addresses are a scan",                      SIGHTING_FLOW, 8,  1,  0,  0.1,  false, "recon.host-scan"},
    {"seven are not",                                        SIGHTING_FLOW, 7,  1,  0,  0.1,  false, ""               },
    {"forty devices that answer are a busy client",          SIGHTING_FLOW, 40, 1,  40, 0.1,  false, ""               },
    {"connections picked up in their middle",                SIGHTING_FLOW, 40, 1,  0,  0.1,  true,  ""               },
    {"a slow scan, an address in two minutes",               SIGHTING_FLOW, 12, 1,  0,  120,  false,
     "recon.host-scan"                                                                                                },
    {"a few dead addresses over an hour",                    SIGHTING_FLOW, 11, 1,  0,  120,  false, ""               },
    {"eight closed ports",                                   SIGHTING_FLOW, 1,  8,  0,  0.1,  false, "recon.port-scan"},
    {"seven closed ports",                                   SIGHTING_FLOW, 1,  7,  0,  0.1,  false, ""               },
    {"eight closed ports, one in half a minute",             SIGHTING_FLOW, 1,  8,  0,  30,   false,
     "recon.port-scan"                                                                                                },
    {"closed ports, one in a minute",                        SIGHTING_FLOW, 1,  19, 0,  60,   false, ""               },
    {"thirty ports that answer",                             SIGHTING_FLOW, 1,  30, 1,  0.1,  false, ""               },
    {"a scan of twenty ports on three devices",              SIGHTING_FLOW, 3,  20, 0,  0.01, false,
     "recon.port-scan"                                                                                                },
    {"ARP for ten addresses that are not there",             SIGHTING_ARP,  10, 1,  0,  0.1,  false,
     "recon.arp-scan"                                                                                                 },
    {"ARP for nine",                                         SIGHTING_ARP,  9,  1,  0,  0.1,  false, ""               },
    {"a gateway that asks for forty devices that are there", SIGHTING_ARP,  40, 1,  40, 0.1,  false,
     ""                                                                                                               },
};

static struct endpoint host(unsigned n, uint16_t port)
{
    return (struct endpoint){
        .ip = {.kind = ADDRESS_IP4, .bytes = {10, 1, (uint8_t)(n >> 8), (uint8_t)n}},
        .mac = {{2, 0, 0, 1, (uint8_t)(n >> 8), (uint8_t)n}                  },
        .port = port
    };
}

struct collected {
    struct finding first, last;
    size_t count;
};

static void collect(void *context, const struct finding *f)
{
    struct collected *c = context;
    if (c->count++ == 0)
        c->first = *f;
    c->last = *f;
}

/* Plays a row's tries from `source`; returns the time after it. */
static int64_t play(struct scans *scans, const struct row *row, unsigned source, int64_t at)
{
    int64_t ticked = at;
    for (unsigned h = 0; h < row->hosts; h++) {
        for (unsigned p = 0; p < row->ports; p++) {
            struct sighting s = {.kind = row->kind,
                                 .time_ns = at,
                                 .who = host(source, 50000),
                                 .other = host(100 + h, (uint16_t)(100 + p)),
                                 .transport = TRANSPORT_TCP,
                                 .detail = 1,
                                 .is_start_seen = !row->is_picked_up};
            scans_sighting(scans, &s);
            if (h < row->answered) {
                struct sighting answer = s;
                answer.kind = row->kind == SIGHTING_ARP ? SIGHTING_ARP : SIGHTING_ANSWER;
                answer.who = s.other;
                answer.other = s.who;
                answer.detail = 2;
                scans_sighting(scans, &answer);
            }
            at += (int64_t)(row->every_s * 1e9);
            for (; ticked + SECOND <= at; ticked += SECOND)
                scans_tick(scans, ticked + SECOND);
        }
    }
    for (int i = 1; i <= 5; i++)
        scans_tick(scans, at + i * SECOND);
    return at;
}

START_TEST(tells_scans_only)
{
    const struct row *row = &rows[_i];
    struct collected c = {.count = 0};
    struct finding_sink sink = {.context = &c, .finding = collect};
    struct scan_options options = {0};
    struct scans *scans = scans_create(&options, &sink);
    play(scans, row, 1, START);
    if (row->finding[0] == '\0') {
        ck_assert_msg(c.count == 0, "%s: raised %s", row->shows,
                      c.count ? detection_kind(c.first.detection)->id : "");
    } else {
        ck_assert_msg(c.count >= 1 && c.count <= 3, "%s: %zu findings", row->shows, c.count);
        ck_assert_msg(strcmp(detection_kind(c.first.detection)->id, row->finding) == 0,
                      "%s: raised %s", row->shows, detection_kind(c.first.detection)->id);
        struct endpoint source = host(1, 0);
        ck_assert(address_equal(&c.first.actor.ip, &source.ip));
        ck_assert(c.first.what[0] && c.first.expected[0] && c.first.seen[0]);
        ck_assert_int_eq(c.first.has_target, row->ports > 1 && row->hosts == 1);
    }
    scans_destroy(scans);
}
END_TEST

static struct scan_habit *one_habit(void *context, uint32_t segment, const struct endpoint *source)
{
    (void)segment;
    (void)source;
    return context;
}

/* What a source did while learning is its habit; half as much more is a scan. */
/* Who was scanned stands in the alert, as far as there is room; who answered was not. */
START_TEST(names_who_was_scanned)
{
    static const struct {
        struct row row;
        const char *seen;
    } told[] = {
        {{"three", SIGHTING_FLOW, 3, 20, 0, 0.01, false, ""},
         "; among them 10.1.0.100, 10.1.0.101, 10.1.0.102"                                     },
        {{"the last four", SIGHTING_ARP, 12, 1, 0, 0.1, false, ""},
         "; among them 10.1.0.108, 10.1.0.109, 10.1.0.110, 10.1.0.111"                         },
        {{"one, which is the target", SIGHTING_FLOW, 1, 20, 0, 0.01, false, ""}, "not answered"},
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        struct collected c = {.count = 0};
        struct finding_sink sink = {.context = &c, .finding = collect};
        struct scan_options options = {0};
        struct scans *scans = scans_create(&options, &sink);
        play(scans, &told[i].row, 1, START);
        ck_assert_uint_ge(c.count, 1);
        size_t size = strlen(c.last.seen), end = strlen(told[i].seen);
        ck_assert_msg(size > end && strcmp(c.last.seen + size - end, told[i].seen) == 0, "%s: %s",
                      told[i].row.shows, c.last.seen);
        scans_destroy(scans);
    }
}
END_TEST

/* Half a minute later the same source tries the ports of other devices: that is told on. */
START_TEST(a_scan_that_goes_on)
{
    struct collected c = {.count = 0};
    struct finding_sink sink = {.context = &c, .finding = collect};
    struct scan_options options = {0};
    struct scans *scans = scans_create(&options, &sink);
    struct row one = {.kind = SIGHTING_FLOW, .hosts = 1, .ports = 20, .every_s = 0.01};
    struct row two = {.kind = SIGHTING_FLOW, .hosts = 2, .ports = 20, .every_s = 0.01};
    int64_t at = play(scans, &one, 1, START);
    size_t told = c.count;
    ck_assert_uint_ge(told, 1);
    play(scans, &one, 1, at + 30 * SECOND); /* the same again is nothing new */
    ck_assert_uint_eq(c.count, told);
    at = play(scans, &two, 1, at + 60 * SECOND);
    ck_assert_uint_gt(c.count, told);
    ck_assert_uint_le(c.count, told + 2);
    ck_assert_str_eq(c.last.key, c.first.key);
    ck_assert(c.last.time_ns > START + 60 * SECOND);
    scans_destroy(scans);
}
END_TEST

START_TEST(habits_are_learned)
{
    struct scan_habit habit = {{0}};
    struct collected c = {.count = 0};
    struct finding_sink sink = {.context = &c, .finding = collect};
    struct scan_options options = {.habit = one_habit, .is_learning = true, .context = &habit};
    struct row usual = {.kind = SIGHTING_FLOW, .hosts = 12, .ports = 1, .every_s = 0.1};
    struct row more = {.kind = SIGHTING_FLOW, .hosts = 19, .ports = 1, .every_s = 0.1};

    struct scans *scans = scans_create(&options, &sink);
    play(scans, &usual, 1, START);
    scans_destroy(scans);
    ck_assert_uint_eq(c.count, 0);
    ck_assert_uint_eq(habit.most[SCAN_HOSTS], 12);

    options.is_learning = false;
    scans = scans_create(&options, &sink);
    play(scans, &usual, 1, START);
    ck_assert_uint_eq(c.count, 0);
    play(scans, &more, 1, START + 7200 * SECOND);
    ck_assert_uint_ge(c.count, 1);
    scans_destroy(scans);
}
END_TEST

START_TEST(is_bounded)
{
    struct collected c = {.count = 0};
    struct finding_sink sink = {.context = &c, .finding = collect};
    struct scan_options options = {0};
    struct scans *scans = scans_create(&options, &sink);
    for (unsigned i = 0; i < 5000; i++) {
        struct sighting s = {.kind = SIGHTING_FLOW,
                             .time_ns = START + i,
                             .who = host(i, 1),
                             .other = host(9999, 80),
                             .transport = TRANSPORT_UDP};
        scans_sighting(scans, &s);
    }
    ck_assert_uint_gt(scans_evicted(scans), 4000);
    scans_tick(scans, START + 5 * SECOND);
    ck_assert_uint_eq(c.count, 0);
    scans_destroy(scans);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tc = tcase_create("scan");
    tcase_add_loop_test(tc, tells_scans_only, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tc, names_who_was_scanned);
    tcase_add_test(tc, a_scan_that_goes_on);
    tcase_add_test(tc, habits_are_learned);
    tcase_add_test(tc, is_bounded);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
