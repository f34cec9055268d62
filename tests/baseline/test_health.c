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
    struct health_input in = {
        .is_live = row->is_live, .source_count = 1, .disk_free_bytes = UINT64_MAX};
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

/* The sensor itself: a minute of peace, then a minute of this. */
static const struct self_row {
    const char *shows;
    bool is_live;
    struct health_input later; /* rates and states of the second minute */
    const char *finding;
} self_rows[] = {
    {"time goes back, in a file too",    false, {.time_backwards = 1},                                  "sensor.resource"},
    {"time goes on",                     false, {.time_backwards = 0},                                  ""               },
    {"threads do not keep up",           true,  {.records_dropped = 5},                                 "sensor.resource"},
    {"the store fails",
     true,                                      {.is_store_failing = true, .store_error = "disk full"},
     "sensor.resource"                                                                                                   },
    {"writes were lost",                 true,  {.writes_dropped = 5},                                  "sensor.resource"},
    {"the disk is nearly full",          true,  {.disk_free_bytes = 10 << 20},                          "sensor.resource"},
    {"room for a day",                   true,  {.disk_free_bytes = UINT64_C(8) << 30},                 ""               },
    {"the clock is an hour off",
     true,                                      {.clock_off_ns = INT64_C(-3600000000000)},
     "sensor.resource"                                                                                                   },
    {"the buffers' delay",               true,  {.clock_off_ns = INT64_C(-2000000000)},                 ""               },
    {"a file is always of another time", false, {.clock_off_ns = INT64_C(-3600000000000)},              ""               },
    {"all new sessions are closed",
     false,                                     {.ot_flows = 2, .ot_flows_encrypted = 2},
     "sensor.blind-encrypted"                                                                                            },
    {"as many closed ones as ever",      false, {.ot_flows = 4, .ot_flows_encrypted = 1},               ""               },
    {"some more closed ones",            false, {.ot_flows = 10, .ot_flows_encrypted = 4},              ""               },
};

START_TEST(judges_itself)
{
    const struct self_row *row = &self_rows[_i];
    struct collected c = {.count = 0};
    struct finding_sink sink = {.context = &c, .finding = collect};
    struct health_options options = {.no_traffic_seconds = 60, .loss_percent = 1.0};
    struct health *health = health_create(&options);
    struct health_input in = {.is_live = row->is_live, .disk_free_bytes = UINT64_MAX};
    for (int t = 0; t < 120; t++) {
        const struct health_input *later = &row->later;
        bool is_later = t >= 60;
        in.time_ns = START + t * SECOND;
        in.ot_flows += is_later ? later->ot_flows : 4; /* a quarter is closed */
        in.ot_flows_encrypted += is_later ? later->ot_flows_encrypted : 1;
        if (is_later) {
            in.time_backwards += later->time_backwards;
            in.records_dropped += later->records_dropped;
            in.is_store_failing = later->is_store_failing;
            in.store_error = later->store_error;
            in.writes_dropped += later->writes_dropped;
            in.disk_free_bytes = later->disk_free_bytes ? later->disk_free_bytes : UINT64_MAX;
            in.clock_off_ns = later->clock_off_ns;
        }
        health_tick(health, &in, &sink);
    }
    const char *told = c.count ? detection_kind(c.first.detection)->id : "";
    ck_assert_msg(strcmp(told, row->finding) == 0, "%s: raised \"%s\"", row->shows, told);
    ck_assert_msg(c.count <= 1, "%s: %zu times", row->shows, c.count);
    health_destroy(health);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health");
    TCase *tc = tcase_create("health");
    tcase_add_loop_test(tc, judges, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_loop_test(tc, judges_itself, 0, (int)(sizeof self_rows / sizeof *self_rows));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
