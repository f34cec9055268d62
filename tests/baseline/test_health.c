/* test_health.c: when the sensor says that it cannot see, and when it must not. */
#include "baseline/health.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const int64_t START = 1700000000ll * 1000000000ll;
static const int64_t SECOND = 1000000000;

/* Rates per second, for `seconds`; then the second half's rates for as long. */
static const struct row {
    const char *shows;
    bool is_live;
    int seconds;
    uint64_t packets[2], dropped[2], bytes[2], gap_bytes[2], flows[2], one_sided[2];
    bool is_output_failing[2];
    const char *finding; /* "" none */
} rows[] = {
    {"all is well",
     true,  130,
     {500, 500},
     {0, 0},
     {9000, 9000},
     {0, 0},
     {1, 1},
     {0, 0},
     {false, false},
     ""                     },
    {"traffic stops",
     true,  130,
     {500, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {false, false},
     "sensor.no-traffic"    },
    {"there never was traffic",
     true,  130,
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {false, false},
     ""                     },
    {"a file's pause is no lost mirror",
     false, 130,
     {500, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {false, false},
     ""                     },
    {"two per cent dropped",
     true,  130,
     {980, 980},
     {20, 20},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {false, false},
     "sensor.packet-loss"   },
    {"half a per cent dropped",
     true,  130,
     {995, 995},
     {5, 5},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {false, false},
     ""                     },
    {"holes in streams, in a file too",
     false, 130,
     {500, 500},
     {0, 0},
     {9000, 9000},
     {300, 300},
     {0, 0},
     {0, 0},
     {false, false},
     "sensor.packet-loss"   },
    {"one direction only, in a file too",
     false, 130,
     {500, 500},
     {0, 0},
     {0, 0},
     {0, 0},
     {1, 1},
     {1, 1},
     {false, false},
     "sensor.one-sided"     },
    {"half of the connections have one side",
     true,  130,
     {500, 500},
     {0, 0},
     {0, 0},
     {0, 0},
     {2, 2},
     {1, 1},
     {false, false},
     ""                     },
    {"few connections prove nothing",
     true,  9,
     {500, 500},
     {0, 0},
     {0, 0},
     {0, 0},
     {1, 1},
     {1, 1},
     {false, false},
     ""                     },
    {"an output fails for long",
     true,  60,
     {500, 500},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {false, true},
     "sensor.output-failing"},
    {"an output fails for a moment",
     true,  20,
     {500, 500},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {0, 0},
     {false, true},
     ""                     },
};

struct collected {
    struct finding first;
    size_t count;
};

static void collect(void *context, const struct finding *f)
{
    struct collected *c = context;
    if (c->count++ == 0)
        c->first = *f;
}

START_TEST(judges)
{
    const struct row *row = &rows[_i];
    struct collected c = {.count = 0};
    struct finding_sink sink = {.context = &c, .finding = collect};
    struct health_options options = {.no_traffic_seconds = 60, .loss_percent = 1.0};
    struct health *health = health_create(&options);
    struct health_input in = {.is_live = row->is_live, .source_count = 1};
    in.sources[0].name = "eth1";
    int64_t failing_since = 0;
    for (int t = 0; t < row->seconds * 2; t++) {
        int half = t >= row->seconds;
        in.time_ns = START + t * SECOND;
        in.sources[0].packets += row->packets[half];
        in.sources[0].dropped += row->dropped[half];
        in.tcp_bytes += row->bytes[half];
        in.tcp_gap_bytes += row->gap_bytes[half];
        in.tcp_flows += row->flows[half];
        in.tcp_flows_one_sided += row->one_sided[half];
        in.is_output_failing = row->is_output_failing[half];
        if (in.is_output_failing && failing_since == 0)
            failing_since = in.time_ns;
        in.output_failing_ns = in.is_output_failing ? in.time_ns - failing_since : 0;
        health_tick(health, &in, &sink);
    }
    if (row->finding[0] == '\0') {
        ck_assert_msg(c.count == 0, "%s: raised %s", row->shows,
                      c.count ? detection_kind(c.first.detection)->id : "");
    } else { /* a trouble that lasts is not told every second */
        ck_assert_msg(c.count == 1, "%s: %zu findings", row->shows, c.count);
        ck_assert_msg(strcmp(detection_kind(c.first.detection)->id, row->finding) == 0,
                      "%s: raised %s", row->shows, detection_kind(c.first.detection)->id);
        ck_assert(c.first.what[0] && c.first.expected[0] && c.first.seen[0]);
    }
    health_destroy(health);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health");
    TCase *tc = tcase_create("health");
    tcase_add_loop_test(tc, judges, 0, (int)(sizeof rows / sizeof *rows));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
